/** How rules match: traffic as sets of flows, peers as yes, no, maybe (aws-vpc.md SG-3 to SG-8, NACL-2, NACL-6). */

import type { Because } from "../../base/because.ts";
import type { Ternary } from "../../base/ternary.ts";
import { addressSetOf, type AddressSet, type Family } from "../../net/address.ts";
import { ALL_FLOWS, type FlowSet, NO_FLOWS, portFlows, restrictFamilies } from "../../net/flow-set.ts";
import { type Bounded, NO_BOUNDED } from "../../reach/bounded.ts";
import type { Network, Peer, PrefixList, Traffic } from "../model.ts";
import { type Place, placeIn } from "./place.ts";

const ALL_OF: Readonly<Record<Family, FlowSet>> = {
  IPv4: restrictFamilies(ALL_FLOWS, ["IPv4"]),
  IPv6: restrictFamilies(ALL_FLOWS, ["IPv6"]),
};

export function allOf(family: Family): FlowSet {
  return ALL_OF[family];
}

const NOT_TOLD_APART = (detail: string): readonly Because[] => [{ code: "not-told-apart", detail }];

const cache = new Map<string, Bounded>();

/** The flows that a rule's traffic matches. */
export function trafficFlows(traffic: Traffic, family: Family): Bounded {
  if (traffic.unknown !== undefined) return { must: NO_FLOWS, may: ALL_OF[family], because: [traffic.unknown] };
  const key = `${family} ${traffic.protocol} ${traffic.first} ${traffic.last} ${traffic.icmpType} ${traffic.icmpCode}`;
  let found = cache.get(key);
  if (found === undefined) {
    found = flowsOf(traffic, family);
    if (cache.size > 20_000) cache.clear();
    cache.set(key, found);
  }
  return found;
}

function flowsOf(traffic: Traffic, family: Family): Bounded {
  const families = [family];
  const exact = (set: FlowSet): Bounded => ({ must: set, may: set, because: [] });
  switch (traffic.protocol) {
    case -1:
      return exact(ALL_OF[family]);
    case 6:
      return exact(portFlows("TCP", traffic.first, traffic.last, families));
    case 17:
      return exact(portFlows("UDP", traffic.first, traffic.last, families));
    case 1:
    case 58: {
      const protocol = traffic.protocol === 1 ? "ICMP" : "ICMPv6";
      const [first, last] = traffic.icmpType === -1 ? [0, 255] : [traffic.icmpType, traffic.icmpType];
      const set = portFlows(protocol, first, last, families);
      if (traffic.icmpType === -1 || traffic.icmpCode === -1) return exact(set);
      return { must: NO_FLOWS, may: set, because: NOT_TOLD_APART(`ICMP code ${traffic.icmpCode}`) };
    }
    // Of other protocols the ports are ignored (SG-3).
    case 132:
      return exact(portFlows("SCTP", 1, 65535, families));
    case 112:
      return exact(portFlows("VRRP", 0, 0, families));
    case 2:
      return exact(portFlows("IGMP", 0, 0, families));
    default:
      return {
        must: NO_FLOWS,
        may: portFlows("OTHER", 0, 0, families),
        because: NOT_TOLD_APART(`protocol ${traffic.protocol}`),
      };
  }
}

export const NOTHING: Bounded = NO_BOUNDED;

const setsOfLists = new WeakMap<PrefixList, AddressSet>();

export function listAddresses(list: PrefixList): AddressSet | undefined {
  if (list.prefixes === undefined) return undefined;
  let set = setsOfLists.get(list);
  if (set === undefined) {
    set = addressSetOf(list.prefixes);
    setsOfLists.set(list, set);
  }
  return set;
}

/** What a group's rule sees of the other end. */
export interface Sight {
  readonly place: Place;
  /** Groups that count as the other end's; empty where references cannot match (SG-5, SG-7). */
  readonly groups: readonly string[];
  /** Groups that it may have. */
  readonly maybeGroups: readonly string[];
  /** Which groups it has is not known at all. */
  readonly unknownGroups?: Because;
}

export interface PeerMatch {
  readonly matches: Ternary;
  readonly because: readonly Because[];
}

const YES: PeerMatch = { matches: "yes", because: [] };
const NO: PeerMatch = { matches: "no", because: [] };

/** Whether a peer of a rule is the other end. */
export function peerMatches(network: Network, peer: Peer, sight: Sight): PeerMatch {
  switch (peer.kind) {
    case "addresses": {
      if (peer.family !== sight.place.family) return NO;
      return ofAddresses(sight.place, peer.addresses, peer.text);
    }
    case "prefixList": {
      const list = network.prefixLists.get(peer.list);
      const set = list === undefined ? undefined : listAddresses(list);
      if (set !== undefined) return ofAddresses(sight.place, set, peer.list);
      return { matches: "maybe", because: [{ code: "missing-object", detail: `entries of prefix list ${peer.list}` }] };
    }
    case "group": {
      const group = canonical(network, peer.group);
      if (sight.groups.includes(group)) return YES;
      if (sight.unknownGroups !== undefined) return { matches: "maybe", because: [sight.unknownGroups] };
      if (sight.maybeGroups.includes(group)) {
        return { matches: "maybe", because: [{ code: "unknown-value", detail: `groups of ${sight.place.name}` }] };
      }
      return NO;
    }
    case "oneOf": {
      const all = peer.peers.map((one) => peerMatches(network, one, sight));
      if (all.length > 0 && all.every((m) => m.matches === "yes")) return YES;
      if (all.every((m) => m.matches === "no")) return NO;
      return { matches: "maybe", because: [peer.because] };
    }
    case "unknown":
      return { matches: "maybe", because: [peer.because] };
  }
}

function ofAddresses(place: Place, set: AddressSet, text: string): PeerMatch {
  const matches = placeIn(place, set);
  if (matches !== "maybe") return matches === "yes" ? YES : NO;
  return {
    matches,
    because: [{ code: "unknown-address", detail: `whether the address of ${place.name} lies in ${text}` }],
  };
}

export function canonical(network: Network, name: string): string {
  let at = name;
  for (let i = 0; i < 8; i++) {
    const next = network.aliases.get(at);
    if (next === undefined) return at;
    at = next;
  }
  return at;
}
