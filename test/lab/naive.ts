/** What a ruleset means, read straight from its definition, one packet at a time: slow, and without tables. */

import { addressNumber, cidrRange } from "../../src/lab/address-space.ts";
import { familyOf } from "../../src/lab/kernel/address.ts";
import type { Direction, Peer, Prefix, Ruleset, Traffic } from "../../src/lab/ruleset.ts";
import { type Population, PROTOCOL_NUMBER } from "../../src/lab/verdicts.ts";

export interface Packet {
  readonly source: string;
  readonly destination: string;
  readonly protocol: number;
  readonly destinationPort: number;
}

export interface Verdict {
  readonly action: "allow" | "deny";
  readonly policies: readonly string[];
}

function inCidr(address: string, cidr: string): boolean {
  if (familyOf(address) !== familyOf(cidr)) return false;
  const { from, to } = cidrRange(cidr);
  const value = addressNumber(address);
  return from <= value && value < to;
}

function inPrefix(address: string, { cidr, except }: Prefix): boolean {
  return inCidr(address, cidr) && !except.some((hole) => inCidr(address, hole));
}

function peerMatches(peer: Peer, address: string, subject: string, population: Population): boolean {
  const known = population.known.find((candidate) => candidate.address === address);
  const ownNode = population.local.some(({ pod, node }) => pod === subject && node === address);
  if (peer.kind === "any") return true;
  if (peer.kind === "identities") {
    const world = familyOf(address) === 4 ? population.world.ipv4 : population.world.ipv6;
    return peer.identities.includes(ownNode ? 1 : (known?.identity ?? world));
  }
  if (peer.kind === "names") {
    const home = population.homes.get(subject);
    const names = population.learned.flatMap((one) => (one.node === home && one.address === address ? one.names : []));
    const isOutside = known === undefined || known.kind === "outside";
    return isOutside && names.some((name) => peer.names.some(({ expression }) => new RegExp(expression).test(name)));
  }
  if (known?.kind === "pod" && peer.covers !== "all") return false;
  if (known?.kind === "node" && peer.covers === "outside") return false;
  if (ownNode && peer.covers !== "all") return false;
  const prefixes =
    known?.kind === "node" && peer.covers === "nodes"
      ? peer.prefixes.filter(({ cidr }) => !cidr.endsWith("/0"))
      : peer.prefixes;
  return prefixes.some((prefix) => inPrefix(address, prefix));
}

function trafficMatches(traffic: Traffic, packet: Packet): boolean {
  if (traffic.protocol === "any") return true;
  if (PROTOCOL_NUMBER[traffic.protocol] !== packet.protocol) return false;
  if ("type" in traffic) return traffic.type === null || traffic.type === packet.destinationPort;
  return (
    traffic.ports === null ||
    (traffic.ports.first <= packet.destinationPort && packet.destinationPort <= traffic.ports.last)
  );
}

/** Null: no rules govern this side. */
export function judge(ruleset: Ruleset, population: Population, direction: Direction, packet: Packet): Verdict | null {
  const [subject, peer] =
    direction === "egress" ? [packet.source, packet.destination] : [packet.destination, packet.source];
  const known = population.known.find(({ address, kind }) => address === subject && kind === "pod");
  const found = ruleset.subjects.find((one) => one.direction === direction && one.identity === known?.identity);
  if (found === undefined || known === undefined) return null;
  const matching = found.entries.filter(
    (entry) => trafficMatches(entry.traffic, packet) && peerMatches(entry.peer, peer, subject, population),
  );
  if (subject === peer) return { action: "allow", policies: [] };
  const tiers = [...new Set(matching.map((entry) => entry.tier ?? 0))].toSorted((a, b) => a - b);
  for (const tier of tiers) {
    if (found.isolated && tier > (found.isolatedIn ?? Infinity)) break;
    const inTier = matching.filter((entry) => (entry.tier ?? 0) === tier);
    const first = Math.min(...inTier.map((entry) => entry.order ?? 0));
    const deciding = inTier.filter((entry) => (entry.order ?? 0) === first);
    for (const action of ["deny", "allow"] as const) {
      const policies = [
        ...new Set(deciding.filter((entry) => entry.action === action).map((entry) => entry.origin)),
      ].toSorted();
      if (policies.length > 0) return { action, policies };
    }
  }
  return found.isolated ? { action: "deny", policies: found.isolatedBy } : { action: "allow", policies: [] };
}

/** Both sides. */
export function passes(ruleset: Ruleset, population: Population, packet: Packet): boolean {
  return (["egress", "ingress"] as const).every(
    (direction) => judge(ruleset, population, direction, packet)?.action !== "deny",
  );
}
