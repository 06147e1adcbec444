/** Everything in a network that can talk, found by the names that users write (design: Endpoint names). */

import {
  type Address,
  type AddressRange,
  type AddressSet,
  addressSet,
  addressSetHas,
  addressSetOf,
  addressSubtract,
  type Family,
  FAMILIES,
  formatAddress,
  formatRange,
  maxAddress,
  parseAddress,
  prefixRange,
} from "../net/address.ts";
import { parseRange } from "../reach/inventory.ts";
import { canonical } from "./decide/match.ts";
import { EPHEMERAL, interfacePlace, type Place, singleRange } from "./decide/place.ts";
import { NOT_PUBLIC } from "./decide/routes.ts";
import type { Interface, Network, Owner, Peer, Subnet } from "./model.ts";

/** What a name stands for: one or several ends, each with its places by family. */
export interface End {
  readonly name: string;
  readonly places: readonly Place[];
}

export type Found =
  | { readonly kind: "ends"; readonly name: string; readonly ends: readonly End[] }
  | { readonly kind: "problem"; readonly message: string };

export class Inventory {
  readonly network: Network;
  private readonly byAddress = new Map<string, { owner: Owner; face: Interface }[]>();
  private readonly byShort = new Map<string, Owner[]>();
  private cuts: Readonly<Record<Family, readonly bigint[]>> | undefined;

  constructor(network: Network) {
    this.network = network;
    for (const owner of network.owners.values()) {
      for (const face of owner.interfaces) {
        for (const address of face.addresses) {
          const key = addressKey(address);
          this.byAddress.set(key, [...(this.byAddress.get(key) ?? []), { owner, face }]);
        }
      }
      for (const short of [owner.name.split(".").at(-1) ?? "", owner.tags.get("Name") ?? ""]) {
        if (short === "" || short === owner.name) continue;
        this.byShort.set(short, [...new Set([...(this.byShort.get(short) ?? []), owner])]);
      }
    }
  }

  /** The end of an owner, one place for each interface and family. */
  end(owner: Owner): End {
    const places = owner.interfaces.flatMap((face) =>
      FAMILIES.flatMap((family) => interfacePlace(this.network, owner, face, family) ?? []),
    );
    return { name: owner.name, places };
  }

  resolve(name: string): Found {
    const ends = (list: readonly End[]): Found => ({ kind: "ends", name, ends: list });
    if (name === "internet") return ends([{ name, places: this.outside(this.internet()) }]);
    const owner = this.owner(name);
    if (owner !== undefined) return ends([this.end(owner)]);
    if (name.startsWith("ip:")) {
      const address = parseAddress(name.slice(3));
      return address === undefined
        ? { kind: "problem", message: `${name.slice(3)} is no IP address` }
        : ends([{ name, places: this.atAddress(address, name) }]);
    }
    const range = parseRange(name.startsWith("cidr:") ? name.slice(5) : name);
    if (range !== undefined) return ends([{ name, places: this.outside([range]) }]);
    if (name.startsWith("cidr:")) return { kind: "problem", message: `${name.slice(5)} is no prefix` };
    const list = this.network.prefixLists.get(canonical(this.network, name));
    if (list?.prefixes !== undefined) return ends([{ name, places: this.outside(addressSetOf(list.prefixes)) }]);
    if (list !== undefined) return { kind: "problem", message: `the entries of prefix list ${name} are not known` };
    const subnet = this.network.subnets.get(canonical(this.network, name));
    if (subnet !== undefined) {
      const inside = this.owners((face) => face.subnet.kind === "known" && face.subnet.value === subnet.name);
      return inside.length > 0 ? ends(inside) : { kind: "problem", message: `nothing is in subnet ${name}` };
    }
    const group = this.network.groups.get(canonical(this.network, name));
    if (group !== undefined) {
      const members = this.owners(
        (face) =>
          face.groups?.kind === "known" && face.groups.value.some((g) => canonical(this.network, g) === group.name),
      );
      return members.length > 0
        ? ends(members)
        : { kind: "problem", message: `nothing has the security group ${name}` };
    }
    const tag = /^([^=]+)=(.*)$/.exec(name);
    if (tag !== null) {
      const tagged = [...this.network.owners.values()].filter((o) => o.tags.get(tag[1] ?? "") === tag[2]);
      return tagged.length > 0
        ? ends(tagged.map((o) => this.end(o)))
        : { kind: "problem", message: `nothing carries the tag ${name}` };
    }
    return {
      kind: "problem",
      message: `nothing is called ${name}; write a resource's address or id, or one of internet, ip:…, cidr:…, a tag such as app=a`,
    };
  }

  private owners(has: (face: Interface) => boolean): readonly End[] {
    return [...this.network.owners.values()].flatMap((owner) => {
      const faces = owner.interfaces.filter(has);
      return faces.length === 0 ? [] : [this.end({ ...owner, interfaces: faces })];
    });
  }

  owner(name: string): Owner | undefined {
    const exact = this.network.owners.get(canonical(this.network, name));
    if (exact !== undefined) return exact;
    const short = this.byShort.get(name) ?? [];
    return short.length === 1 ? short[0] : undefined;
  }

  /** Who has an address: an interface, somebody unknown in a subnet, or something outside. */
  atAddress(address: Address, name = `ip:${formatAddress(address)}`): readonly Place[] {
    const known = this.byAddress.get(addressKey(address)) ?? [];
    const range = singleRange(address);
    if (known.length > 0) {
      return known.flatMap(({ owner, face }) => {
        const place = interfacePlace(this.network, owner, face, address.family);
        return place === undefined ? [] : [{ ...place, range, isWhole: true }];
      });
    }
    const inside = this.subnetsAt(address);
    const base = { name, family: address.family, range, isWhole: true };
    if (inside.length > 0)
      return inside.map((subnet) => ({ ...base, subnet, vpc: subnet.vpc, client: EPHEMERAL.server }));
    return [{ ...base, client: EPHEMERAL.service }];
  }

  private subnetsAt(address: Address): readonly Subnet[] {
    return [...this.network.subnets.values()].filter((subnet) => {
      const cidr = address.family === "IPv4" ? subnet.cidr4 : subnet.cidr6;
      return cidr !== undefined && addressSetHas([prefixRange(cidr)], address);
    });
  }

  /** Every public address that is in no VPC of the input. */
  internet(): AddressSet {
    const all: AddressSet = [
      { family: "IPv4", first: 0n, last: maxAddress("IPv4") },
      prefixRange({ family: "IPv6", base: 0x2000n << 112n, length: 3 }),
    ];
    const own = [...this.network.vpcs.values()].flatMap((vpc) => vpc.cidrs);
    return addressSubtract(addressSubtract(all, addressSetOf(NOT_PUBLIC)), addressSetOf(own));
  }

  /** Cuts ranges where some rule or route begins or ends. */
  outside(ranges: AddressSet): readonly Place[] {
    const cuts = this.boundaries();
    const out: Place[] = [];
    const add = (range: AddressRange): void => {
      out.push({ name: formatRange(range), family: range.family, range, isWhole: true, client: EPHEMERAL.service });
    };
    for (const range of addressSet(ranges)) {
      let { first } = range;
      for (const cut of cuts[range.family]) {
        if (cut <= first) continue;
        if (cut > range.last) break;
        add({ family: range.family, first, last: cut - 1n });
        first = cut;
      }
      add({ family: range.family, first, last: range.last });
    }
    // What lies in a subnet is there, with whoever has the address.
    return out.map((place) => {
      const subnet = this.subnetsAt({ family: place.family, value: place.range.first })[0];
      return subnet === undefined ? place : { ...place, subnet, vpc: subnet.vpc, client: EPHEMERAL.server };
    });
  }

  private boundaries(): Readonly<Record<Family, readonly bigint[]>> {
    if (this.cuts !== undefined) return this.cuts;
    const points: Record<Family, Set<bigint>> = { IPv4: new Set(), IPv6: new Set() };
    const add = (range: AddressRange): void => {
      points[range.family].add(range.first);
      if (range.last < maxAddress(range.family)) points[range.family].add(range.last + 1n);
    };
    const addPeer = (peer: Peer): void => {
      if (peer.kind === "addresses") for (const range of peer.addresses) add(range);
      if (peer.kind === "oneOf") for (const one of peer.peers) addPeer(one);
    };
    const { groups, acls, tables, prefixLists, subnets, vpcs, peerings, transits } = this.network;
    for (const group of groups.values()) for (const rule of group.rules) addPeer(rule.peer);
    for (const acl of acls.values())
      for (const entry of acl.entries) if (entry.prefix !== undefined) add(prefixRange(entry.prefix));
    for (const table of tables.values()) {
      for (const { destination } of table.routes)
        if (destination.kind === "prefix") add(prefixRange(destination.prefix));
    }
    for (const list of prefixLists.values()) for (const prefix of list.prefixes ?? []) add(prefixRange(prefix));
    for (const vpc of vpcs.values()) for (const cidr of vpc.cidrs) add(prefixRange(cidr));
    for (const subnet of subnets.values())
      for (const cidr of [subnet.cidr4, subnet.cidr6]) if (cidr !== undefined) add(prefixRange(cidr));
    for (const { requester, accepter } of peerings.values())
      for (const cidr of [...requester.cidrs, ...accepter.cidrs]) add(prefixRange(cidr));
    for (const transit of transits.values())
      for (const table of transit.tables) for (const route of table.routes) add(prefixRange(route.prefix));
    for (const range of addressSetOf(NOT_PUBLIC)) add(range);
    const sorted = (set: Set<bigint>): bigint[] => [...set].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    this.cuts = { IPv4: sorted(points.IPv4), IPv6: sorted(points.IPv6) };
    return this.cuts;
  }
}

function addressKey(address: Address): string {
  return `${address.family} ${address.value}`;
}
