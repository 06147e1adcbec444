/** Who reaches whom: every ordered pair of endpoints between which something passes, or may pass. */

import { labelValueText } from "../model/labels.ts";
import { type Because, mergeBecause } from "../base/because.ts";
import type { Service } from "../model/world.ts";
import { type AddressRange, type Family, formatRange } from "../net/address.ts";
import {
  ALL_FLOWS,
  type FlowSet,
  flowIntersect,
  flowsEmpty,
  flowsKey,
  flowSubtract,
  flowUnion,
  NO_FLOWS,
  portFlows,
  restrictFamilies,
} from "../net/flow-set.ts";
import { type Bounded, boundedIntersect, exactly } from "./bounded.ts";
import type { Connections } from "./connection.ts";
import { type Endpoint, endpointFamilies } from "./endpoint.ts";
import { type FlowEntry, listFlows } from "./flow-list.ts";
import { applicationName } from "./grouping.ts";
import type { Group, Inventory } from "./inventory.ts";
import type { Legs } from "./leg.ts";
import type { Decider, GroupBy, Reach, ReachPair, ReachQuery, Row } from "./reach.ts";
import { flowsToService, pairToService, serviceRow } from "./service-pairs.ts";
import { nodeNameOf, type Services, serviceName } from "./services.ts";

/** Answers a reach query. Throws nothing: names must have been resolved before. */
export function reach(
  inventory: Inventory,
  connections: Connections,
  services: Services,
  legs: Legs,
  query: ReachQuery,
): Reach {
  const inside = rowsOf(inventory, connections, query.by);
  const from = query.from === undefined ? inside : named(inventory, connections, services, query.from);
  const service = query.to === undefined ? undefined : translatedService(inventory, query.to);
  const to = query.to === undefined ? inside : named(inventory, connections, services, query.to);
  const rows = [...new Map([...from, ...to].map((row) => [row.name, row])).values()];
  const pairs =
    service === undefined
      ? pairsOf(inventory, connections, query, from, to)
      : servicePairs(inventory, connections, services, legs, query, from, service);
  return { rows, pairs };
}

/** The Service that a name means, where its ports are translated; a headless one is its pods. */
function translatedService(inventory: Inventory, name: string): Service | undefined {
  const resolved = inventory.resolve(name);
  return resolved.kind === "service" && !resolved.service.headless ? resolved.service : undefined;
}

function* servicePairs(
  inventory: Inventory,
  connections: Connections,
  services: Services,
  legs: Legs,
  query: ReachQuery,
  from: readonly Row[],
  service: Service,
): Iterable<ReachPair> {
  const name = serviceName(service);
  for (const row of from) {
    const flows = flowsToService(services, legs, query, row.members, service);
    if (flows !== undefined) yield pairToService(connections, query, row.name, name, flows);
  }
  if (query.from !== undefined || !query.outside) return;
  const outside = inventory.outside(inventory.internet());
  const each = outside.map((end) => [end.name, flowsToService(services, legs, query, [end], service)] as const);
  const whole = flowsToService(services, legs, query, outside, service);
  const keys = each.map(([, flows]) => (flows === undefined ? "" : flowsShape(flows.every) + flowsShape(flows.may)));
  if (whole !== undefined && new Set(keys).size === 1) {
    yield pairToService(connections, query, "internet", name, whole);
    return;
  }
  for (const [end, flows] of each) if (flows !== undefined) yield pairToService(connections, query, end, name, flows);
}

/** A key that does not tell the families apart. */
function flowsShape(flows: FlowSet): string {
  return listFlows(flows, ["IPv4"])
    .concat(listFlows(flows, ["IPv6"]))
    .map((entry) => `${entry.protocol} ${entry.ports} ${entry.application.key}`)
    .join();
}

function* pairsOf(
  inventory: Inventory,
  connections: Connections,
  query: ReachQuery,
  from: readonly Row[],
  to: readonly Row[],
): Iterable<ReachPair> {
  const outside = query.outside ? inventory.outside(inventory.internet()) : [];
  for (const source of from) {
    for (const target of to) {
      const pair = rowPair(connections, query, source, target);
      if (pair !== undefined) yield pair;
    }
    if (query.to === undefined && source.kind !== "outside")
      yield* outsidePairs(connections, query, source, outside, "to");
  }
  if (query.from !== undefined) return;
  for (const target of to)
    if (target.kind !== "outside") yield* outsidePairs(connections, query, target, outside, "from");
}

function rowPair(connections: Connections, query: ReachQuery, source: Row, target: Row): ReachPair | undefined {
  const grouped = source.members.length > 1 || target.members.length > 1;
  if (!grouped && source === target) {
    const [only] = source.members;
    // A pod alone has no other replica to talk to, and itself it always reaches.
    if (only?.kind !== "pod" || only.pod.real || only.workload.kind === "Pod") return undefined;
    if (only.workload.replicas === 1) return undefined;
  }
  const [from, to] = [towards(source, target), towards(target, source)];
  const [a, b] = [from[0], to[0]];
  const isSingle = from.length === 1 && to.length === 1 && a !== undefined && b !== undefined;
  if (isSingle && flowsEmpty(connections.between(a, b).may)) return undefined;
  const found = gather(connections, query, from, to);
  return found === undefined || flowsEmpty(found.may)
    ? undefined
    : pairOf(connections, query, source.name, target.name, found);
}

/** The ends of a row as those of the other may tell them apart: to a node, pods of its own are others than the rest. */
function towards({ members, byNode }: Row, other: Row): readonly Endpoint[] {
  const isNode = ({ kind }: Endpoint): boolean => kind === "node";
  return byNode !== undefined && (members.some(isNode) || other.members.some(isNode)) ? byNode : members;
}

/** What passes between two groups of ends, taken together. */
interface Between {
  /** One pair of them, for what decided. */
  readonly sample: readonly [Endpoint, Endpoint];
  /** What certainly passes between every two of them, and between some. */
  readonly every: FlowSet;
  readonly some: FlowSet;
  readonly may: FlowSet;
  readonly because: readonly Because[];
  readonly families: readonly Family[];
}

/** Undefined where no two ends share a family. Among several, an end and itself are left out. */
function gather(
  connections: Connections,
  query: ReachQuery,
  from: readonly Endpoint[],
  to: readonly Endpoint[],
): Between | undefined {
  const grouped = from.length > 1 || to.length > 1;
  let every: FlowSet | undefined;
  let some: FlowSet = NO_FLOWS;
  let may: FlowSet = NO_FLOWS;
  let because: readonly Because[] = [];
  let families: readonly Family[] = [];
  let sample: readonly [Endpoint, Endpoint] | undefined;
  for (const a of from) {
    for (const b of to) {
      if (a === b && grouped) continue;
      const shared = endpointFamilies(a).filter((f) => endpointFamilies(b).includes(f));
      if (shared.length === 0) continue;
      const bounds = wanted(connections.between(a, b), query, shared);
      families = shared.length > families.length ? shared : families;
      every = every === undefined ? bounds.must : flowIntersect(every, bounds.must);
      some = flowUnion(some, bounds.must);
      may = flowUnion(may, bounds.may);
      because = mergeBecause(because, bounds.because);
      sample ??= [a, b];
    }
  }
  return every === undefined || sample === undefined ? undefined : { sample, every, some, may, because, families };
}

function pairOf(
  connections: Connections,
  query: ReachQuery,
  fromName: string,
  toName: string,
  { sample, every, some, may, because, families }: Between,
): ReachPair {
  const unsure = flowSubtract(may, some);
  const mixed = some === every ? NO_FLOWS : flowSubtract(some, every);
  return {
    from: fromName,
    to: toName,
    allow: listFlows(every, families).map((entry) => ({
      ...entry,
      deciders: query.provenance ? decidersOf(connections, ...sample, entry, families) : [],
    })),
    unsure: listFlows(unsure, families).map((entry) => ({ ...entry, because })),
    mixed: listFlows(mixed, families),
  };
}

/** One row against the outside; neighbouring ranges with one answer become one. */
function* outsidePairs(
  connections: Connections,
  query: ReachQuery,
  row: Row,
  outside: readonly Endpoint[],
  side: "from" | "to",
): Iterable<ReachPair> {
  const whole = wholeOutside(connections, query, row, outside, side);
  if (whole !== undefined) {
    yield* whole;
    return;
  }
  let open: { readonly range: AddressRange; readonly key: string; readonly found: Between } | undefined;
  const close = ({ range, found }: NonNullable<typeof open>): readonly ReachPair[] =>
    flowsEmpty(found.may) ? [] : [outsidePair(connections, query, row, formatRange(range), side, found)];
  for (const endpoint of outside) {
    if (endpoint.kind !== "outside") continue;
    const found = gather(connections, query, ...sided(row.members, [endpoint], side));
    if (found === undefined) continue;
    const { range } = endpoint;
    const key = betweenKey(found);
    if (
      open !== undefined &&
      open.key === key &&
      open.range.family === range.family &&
      open.range.last + 1n === range.first
    ) {
      open = { ...open, range: { ...open.range, last: range.last } };
      continue;
    }
    if (open !== undefined) yield* close(open);
    open = { range, key, found };
  }
  if (open !== undefined) yield* close(open);
}

/** A row's ends and those outside, in the order of the connection. */
function sided<T>(inside: T, outside: T, side: "from" | "to"): readonly [T, T] {
  return side === "to" ? [inside, outside] : [outside, inside];
}

function outsidePair(
  connections: Connections,
  query: ReachQuery,
  row: Row,
  name: string,
  side: "from" | "to",
  found: Between,
): ReachPair {
  return pairOf(connections, query, ...sided(row.name, name, side), found);
}

function betweenKey({ every, some, may, because }: Between): string {
  return [every, some, may].map(flowsKey).join("|") + because.map((b) => `${b.code}${b.detail}`).join();
}

/** The outside in one row, `internet`, where no address of either family differs from another; else undefined. */
function wholeOutside(
  connections: Connections,
  query: ReachQuery,
  row: Row,
  outside: readonly Endpoint[],
  side: "from" | "to",
): readonly ReachPair[] | undefined {
  const [first] = outside;
  const [inner] = row.members;
  if (first === undefined || inner === undefined || row.members.length !== 1) return undefined;
  const between = (end: Endpoint): Bounded => connections.between(...sided(inner, end, side));
  const bounds = between(first);
  if (bounds.because.length > 0) return undefined;
  const key = flowsKey(bounds.must);
  const isAlike = ({ must, may }: Bounded): boolean => flowsKey(must) === key && flowsKey(may) === key;
  if (!outside.every((end) => end === first || isAlike(between(end)))) return undefined;
  const families = endpointFamilies(inner);
  const { must } = wanted(bounds, query, families);
  if (flowsEmpty(must)) return [];
  const found = { sample: sided(inner, first, side), every: must, some: must, may: must, because: [], families };
  return [outsidePair(connections, query, row, "internet", side, found)];
}

function wanted(bounds: Bounded, query: ReachQuery, families: readonly Family[]): Bounded {
  let result = bounds;
  if (query.port !== undefined) {
    const { protocol, port } = query.port;
    result = boundedIntersect(result, exactly(portFlows(protocol, port, port)));
  }
  return {
    must: restrictFamilies(result.must, families),
    may: restrictFamilies(result.may, families),
    because: result.because,
  };
}

/** What decided an entry: on each side, every rule that covers some of its flows. */
function decidersOf(
  connections: Connections,
  from: Endpoint,
  to: Endpoint,
  entry: FlowEntry,
  families: readonly Family[],
): Decider[] {
  const sight = connections.sights(from, to)[0];
  if (sight === undefined) return [];
  const flows = entryFlows(entry, families);
  return (["egress", "ingress"] as const).map((direction) => {
    const [self, other] = direction === "egress" ? [sight.fromSelf, sight.to] : [sight.toSelf, sight.from];
    return connections.sides.deciders(direction, self, other, flows);
  });
}

function entryFlows(entry: FlowEntry, families: readonly Family[]): FlowSet {
  const own = entry.family === "any" ? families : [entry.family];
  if (entry.protocol === "any") return restrictFamilies(ALL_FLOWS, own);
  const protocol = entry.protocol === "other" ? "OTHER" : entry.protocol;
  return entry.ranges.reduce<FlowSet>((set, r) => flowUnion(set, portFlows(protocol, r.first, r.last, own)), NO_FLOWS);
}

/** An inventory belongs to one state of world and policies, so its rows are made once. */
const ROWS = new WeakMap<Inventory, Row[]>();

function endpointRows(inventory: Inventory, connections: Connections): Row[] {
  let rows = ROWS.get(inventory);
  if (rows === undefined) {
    rows = inventory.groups.flatMap((group) => groupRows(group, connections));
    ROWS.set(inventory, rows);
  }
  return rows;
}

function rowsOf(inventory: Inventory, connections: Connections, by: GroupBy): Row[] {
  const endpoints = endpointRows(inventory, connections);
  if (by === "endpoint") return endpoints;
  const rows = new Map<string, { kind: Row["kind"]; members: Endpoint[] }>();
  const hasNodes = endpoints.some(({ members }) => members.some(({ kind }) => kind === "node"));
  for (const row of endpoints) {
    for (const member of (hasNodes ? row.byNode : undefined) ?? row.members) {
      const name = groupName(row, member, by, connections);
      const known = rows.get(name);
      if (known === undefined) rows.set(name, { kind: by, members: [member] });
      else known.members.push(member);
    }
  }
  return [...rows].map(([name, row]) => ({ name, ...row }));
}

function groupName(row: Row, member: Endpoint, by: GroupBy, connections: Connections): string {
  const workload = row.group?.workload;
  switch (by) {
    case "namespace":
      return workload?.namespace ?? row.name;
    case "application":
      return workload === undefined ? row.name : applicationName(workload);
    case "identity": {
      const view = connections.viewOf(member);
      return [...view.identity.labels]
        .map(([k, v]) => `${k}=${labelValueText(v)}`)
        .sort()
        .join(",");
    }
    case "endpoint":
      return row.name;
  }
}

/** A workload is one row where no rule tells its pods apart, else one row a pod. */
function groupRows(group: Group, connections: Connections): Row[] {
  const classes = new Set(group.members.map((m) => connections.classOf(m)));
  const kind = group.workload.kind === "Pod" ? "pod" : "workload";
  const [first] = group.members;
  if (classes.size === 1 && first !== undefined) {
    const member = first.kind === "pod" ? { ...first, name: group.name } : first;
    const byNode = [...new Map(group.members.map((one) => [nodeNameOf(one), one])).values()];
    return [{ name: group.name, kind, members: [member], ...(byNode.length > 1 ? { byNode } : {}), group }];
  }
  return group.members.map((member) => ({ name: member.name, kind: "pod", members: [member], group }));
}

function named(inventory: Inventory, connections: Connections, services: Services, name: string): Row[] {
  const resolved = inventory.resolve(name);
  if (resolved.kind === "service") return [serviceRow(services, resolved.service, serviceName(resolved.service))];
  if (resolved.kind !== "endpoints") return [];
  const group = inventory.groups.find(
    (g) =>
      g.members.length > 0 &&
      g.members.every((m) => resolved.members.includes(m)) &&
      g.members.length === resolved.members.length,
  );
  if (group !== undefined) return groupRows(group, connections);
  return resolved.members.map((member) => ({
    name: member.name,
    kind: member.kind === "outside" || member.kind === "name" ? "outside" : member.kind === "pod" ? "pod" : member.kind,
    members: [member],
  }));
}
