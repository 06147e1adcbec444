/**
 * The whole answer inside a VPC in factored form: what each set of groups lets through to and from every kind of other
 * end, and what passes between every two subnets. What passes between two interfaces is the intersection of three
 * entries; the size follows rules and subnets, not pairs of interfaces.
 */

import { addressSet, type AddressRange, type Family, prefixRange } from "../net/address.ts";
import { type FlowSet, flowIntersect, flowUnion, NO_FLOWS } from "../net/flow-set.ts";
import { connection } from "./decide/connection.ts";
import { canonical, listAddresses, trafficFlows } from "./decide/match.ts";
import { EPHEMERAL, type Place } from "./decide/place.ts";
import { type Passage, passageOf } from "./decide/stage.ts";
import type { VpcEngine } from "./engine.ts";
import type { Direction, GroupRule, Network, Subnet } from "./model.ts";

/** Interfaces that nothing tells apart. */
export interface InterfaceClass {
  readonly subnet: string;
  /** In alphabetical order. */
  readonly groups: readonly string[];
  /** Which of the ranges that rules of groups cut holds its address. */
  readonly cell: number;
  /** The part of the subnet in which it stands: no entry of an ACL and no route tells its addresses apart. */
  readonly spot: string;
  readonly members: readonly string[];
}

/** What a set of groups says, by where the other end is and by which groups it has. */
export interface GroupSide {
  readonly cells: readonly FlowSet[];
  readonly groups: ReadonlyMap<string, FlowSet>;
}

export interface Solved {
  readonly family: Family;
  readonly classes: readonly InterfaceClass[];
  readonly sides: Readonly<Record<Direction, ReadonlyMap<string, GroupSide>>>;
  /** What the network lets pass from one spot to another: routes and ACLs, there and back. */
  readonly network: ReadonlyMap<string, ReadonlyMap<string, Passage>>;
  /** What certainly passes from one class to another. */
  between(from: InterfaceClass, to: InterfaceClass): FlowSet;
}

/** Solves for all interfaces of one family; certain answers only, what is not known lets nothing through. */
export function solve(engine: VpcEngine, family: Family = "IPv4"): Solved {
  const { network } = engine;
  const cells = cellsOf(network, family, groupRanges(network));
  const spots = new Map<string, Place>();
  const classes = classesOf(network, family, cells, spots);
  const sets = new Map(classes.map((c) => [c.groups.join(" "), c.groups]));
  const side = (direction: Direction): ReadonlyMap<string, GroupSide> =>
    new Map([...sets].map(([key, groups]) => [key, sideOf(network, groups, direction, family, cells)]));
  const sides = { ingress: side("ingress"), egress: side("egress") };
  const matrix = new Map(
    [...spots].map(([a, from]) => {
      const row = [...spots].map(([b, to]) => [b, passageOf(connection(network, from, to), family)] as const);
      return [a, new Map(row)] as const;
    }),
  );
  const oneSide = (direction: Direction, own: InterfaceClass, other: InterfaceClass): FlowSet => {
    const found = sides[direction].get(own.groups.join(" "));
    let flows = found?.cells[other.cell] ?? NO_FLOWS;
    for (const group of other.groups) {
      const more = found?.groups.get(group);
      if (more !== undefined) flows = flowUnion(flows, more);
    }
    return flows;
  };
  return {
    family,
    classes,
    sides,
    network: matrix,
    between: (from, to) => {
      const passage = matrix.get(from.spot)?.get(to.spot);
      if (passage === undefined) return NO_FLOWS;
      return flowIntersect(passage.every, flowIntersect(oneSide("egress", from, to), oneSide("ingress", to, from)));
    },
  };
}

/** What rules of groups tell apart. */
function* groupRanges(network: Network): Iterable<AddressRange> {
  for (const group of network.groups.values()) {
    for (const { peer } of group.rules) {
      if (peer.kind === "addresses") yield* peer.addresses;
      const list = peer.kind === "prefixList" ? network.prefixLists.get(peer.list) : undefined;
      for (const prefix of list?.prefixes ?? []) yield prefixRange(prefix);
    }
  }
}

/** What subnets, entries of ACLs and routes tell apart. */
function* networkRanges(network: Network): Iterable<AddressRange> {
  for (const { cidr4, cidr6 } of network.subnets.values())
    for (const cidr of [cidr4, cidr6]) if (cidr !== undefined) yield prefixRange(cidr);
  for (const acl of network.acls.values())
    for (const { prefix } of acl.entries) if (prefix !== undefined) yield prefixRange(prefix);
  for (const table of network.tables.values()) {
    for (const { destination } of table.routes) {
      if (destination.kind === "prefix") yield prefixRange(destination.prefix);
      const list = destination.kind === "prefixList" ? network.prefixLists.get(destination.list) : undefined;
      for (const prefix of list?.prefixes ?? []) yield prefixRange(prefix);
    }
  }
}

/** The inside of the VPCs, cut where one of the ranges begins or ends. */
function cellsOf(network: Network, family: Family, ranges: Iterable<AddressRange>): readonly AddressRange[] {
  const points = new Set<bigint>();
  for (const range of ranges) {
    if (range.family !== family) continue;
    points.add(range.first);
    points.add(range.last + 1n);
  }
  const sorted = [...points].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const out: AddressRange[] = [];
  for (const vpc of network.vpcs.values()) {
    for (const cidr of vpc.cidrs) {
      if (cidr.family !== family) continue;
      const whole = prefixRange(cidr);
      let { first } = whole;
      for (const point of sorted) {
        if (point <= first) continue;
        if (point > whole.last) break;
        out.push({ family, first, last: point - 1n });
        first = point;
      }
      out.push({ family, first, last: whole.last });
    }
  }
  return addressSorted(out);
}

function addressSorted(ranges: readonly AddressRange[]): readonly AddressRange[] {
  return ranges.toSorted((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0));
}

function cellAt(cells: readonly AddressRange[], value: bigint): number {
  let low = 0;
  let high = cells.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const cell = cells[middle];
    if (cell === undefined) return -1;
    if (value < cell.first) high = middle - 1;
    else if (value > cell.last) low = middle + 1;
    else return middle;
  }
  return -1;
}

/** The classes; what they stand in is added to `spots`. */
function classesOf(
  network: Network,
  family: Family,
  cells: readonly AddressRange[],
  spots: Map<string, Place>,
): readonly InterfaceClass[] {
  const parts = cellsOf(network, family, networkRanges(network));
  const out = new Map<string, InterfaceClass & { readonly members: string[] }>();
  for (const owner of network.owners.values()) {
    for (const face of owner.interfaces) {
      if (face.subnet.kind !== "known" || face.groups?.kind !== "known" || owner.kind === "load-balancer") continue;
      const address = face.addresses.find((a) => a.family === family);
      if (address === undefined) continue;
      const groups = face.groups.value.map((g) => canonical(network, g)).sort();
      const cell = cellAt(cells, address.value);
      const part = cellAt(parts, address.value);
      const spot = `${face.subnet.value} ${part}`;
      const subnet = network.subnets.get(face.subnet.value);
      if (!spots.has(spot) && subnet !== undefined) spots.set(spot, placeOf(subnet, parts[part], family));
      const key = `${spot} ${cell} ${groups.join(" ")}`;
      const known = out.get(key);
      if (known === undefined) out.set(key, { subnet: face.subnet.value, groups, cell, spot, members: [face.name] });
      else known.members.push(face.name);
    }
  }
  return [...out.values()];
}

function sideOf(
  network: Network,
  groups: readonly string[],
  direction: Direction,
  family: Family,
  cells: readonly AddressRange[],
): GroupSide {
  const byCell: FlowSet[] = cells.map(() => NO_FLOWS);
  const byGroup = new Map<string, FlowSet>();
  for (const group of groups) {
    for (const rule of network.groups.get(group)?.rules ?? []) {
      if (rule.direction !== direction || rule.stale === true || rule.unsettled !== undefined) continue;
      const flows = trafficFlows(rule.traffic, family).must;
      if (rule.peer.kind === "group") {
        const peer = canonical(network, rule.peer.group);
        byGroup.set(peer, joined(byGroup.get(peer) ?? NO_FLOWS, flows));
        continue;
      }
      for (const range of rangesOf(network, rule, family)) {
        for (let i = firstCell(cells, range.first); i < cells.length; i++) {
          const cell = cells[i];
          if (cell === undefined || cell.first > range.last) break;
          byCell[i] = joined(byCell[i] ?? NO_FLOWS, flows);
        }
      }
    }
  }
  return { cells: byCell, groups: byGroup };
}

const unions = new WeakMap<FlowSet, WeakMap<FlowSet, FlowSet>>();

/** A union that is the same object for the same two sets: few sets occur, and often. */
function joined(a: FlowSet, b: FlowSet): FlowSet {
  if (a === NO_FLOWS || a === b) return b;
  let known = unions.get(a);
  if (known === undefined) {
    known = new WeakMap();
    unions.set(a, known);
  }
  let found = known.get(b);
  if (found === undefined) {
    found = flowUnion(a, b);
    known.set(b, found);
  }
  return found;
}

function firstCell(cells: readonly AddressRange[], value: bigint): number {
  let low = 0;
  let high = cells.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((cells[middle]?.last ?? 0n) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function rangesOf(network: Network, { peer }: GroupRule, family: Family): readonly AddressRange[] {
  if (peer.kind === "addresses") return peer.family === family ? peer.addresses : [];
  if (peer.kind !== "prefixList") return [];
  const list = network.prefixLists.get(peer.list);
  return addressSet(list === undefined ? [] : (listAddresses(list) ?? [])).filter((r) => r.family === family);
}

/** Somebody without groups in a part of a subnet. */
function placeOf(subnet: Subnet, part: AddressRange | undefined, family: Family): Place {
  const cidr = family === "IPv4" ? subnet.cidr4 : subnet.cidr6;
  return {
    name: subnet.name,
    family,
    range: part ?? prefixRange(cidr ?? { family, base: 0n, length: 0 }),
    isWhole: true,
    subnet,
    vpc: subnet.vpc,
    client: EPHEMERAL.server,
  };
}
