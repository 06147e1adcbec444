/** Answers about a VPC in the shapes in which every answer is written. */

import type { Position } from "../documents/document.ts";
import type { Origin } from "../policy/rule.ts";
import type { Decider, ReachPair, Row } from "../reach/reach.ts";
import { type FlowEntry, listFlows } from "../reach/flow-list.ts";
import {
  type FlowSet,
  flowIntersect,
  flowsEmpty,
  flowSubtract,
  flowUnion,
  NO_FLOWS,
  portFlows,
  restrictFamilies,
} from "../net/flow-set.ts";
import { type Because, mergeBecause } from "../base/because.ts";
import { type Family, formatRange } from "../net/address.ts";
import type { PortProtocol, Protocol } from "../net/protocol.ts";
import { applicationOf } from "./applications.ts";
import { decide, type Judged, type Passage } from "./decide/stage.ts";
import type { VpcEngine } from "./engine.ts";
import type { End } from "./inventory.ts";
import type { Network, Owner } from "./model.ts";

export interface VpcReachQuery {
  readonly from?: string;
  readonly to?: string;
  readonly port?: { readonly protocol: PortProtocol; readonly port: number };
  readonly outside: boolean;
  readonly provenance: boolean;
  /** One row for each owner, or for each application by tag. */
  readonly by: "endpoint" | "application";
}

export interface VpcReach {
  readonly rows: readonly Row[];
  readonly pairs: Iterable<ReachPair>;
}

/** A thing of which reach speaks, with what it consists of. */
interface Party {
  readonly row: Row;
  readonly ends: readonly End[];
}

/** Who reaches whom in a VPC. */
export function vpcReach(engine: VpcEngine, query: VpcReachQuery): VpcReach {
  const all = partiesOf(engine, query.by);
  const named = (name: string | undefined): readonly Party[] => {
    if (name === undefined) return all;
    const found = engine.inventory.resolve(name);
    if (found.kind === "problem") return [];
    const [first] = found.ends;
    const known =
      found.ends.length === 1 ? all.find((p) => p.ends.length === 1 && p.row.name === first?.name) : undefined;
    if (known !== undefined) return [known];
    return [{ row: { name, kind: "outside", members: [] }, ends: found.ends }];
  };
  const from = named(query.from);
  const to = named(query.to);
  const rows = [...new Map([...from, ...to].map((p) => [p.row.name, p.row])).values()];
  return { rows, pairs: pairsOf(engine, query, from, to) };
}

function partiesOf(engine: VpcEngine, by: VpcReachQuery["by"]): readonly Party[] {
  // A NAT gateway opens no connections of its own and takes none in: it is a hop, no end.
  const owners = [...engine.network.owners.values()].filter((owner) => owner.kind !== "nat-gateway");
  const rowOf = (owner: Owner): Row => ({
    name: owner.name,
    kind: owner.kind === "other" ? "interface" : owner.kind,
    members: [],
    replicas: 1,
    labels: new Map(owner.tags),
  });
  if (by === "endpoint") return owners.map((owner) => ({ row: rowOf(owner), ends: [engine.inventory.end(owner)] }));
  const groups = new Map<string, Owner[]>();
  for (const owner of owners) {
    const name = applicationOf(owner.tags) ?? owner.name;
    groups.set(name, [...(groups.get(name) ?? []), owner]);
  }
  return [...groups].map(([name, members]) => ({
    row: { name, kind: "application", members: [], replicas: members.length },
    ends: members.map((owner) => engine.inventory.end(owner)),
  }));
}

function* pairsOf(
  engine: VpcEngine,
  query: VpcReachQuery,
  from: readonly Party[],
  to: readonly Party[],
): Iterable<ReachPair> {
  const world = query.outside ? engine.inventory.outside(engine.inventory.internet()) : [];
  const outside: Party = {
    row: { name: "internet", kind: "outside", members: [] },
    ends: [{ name: "internet", places: world }],
  };
  for (const source of from) {
    for (const target of to) {
      if (source === target && source.ends.length < 2) continue;
      const pair = pairOf(engine, query, source, target);
      if (pair !== undefined) yield pair;
    }
    if (query.outside && query.to === undefined) {
      const pair = pairOf(engine, query, source, outside);
      if (pair !== undefined) yield pair;
    }
  }
  if (!query.outside || query.from !== undefined) return;
  for (const target of to) {
    const pair = pairOf(engine, query, outside, target);
    if (pair !== undefined) yield pair;
  }
}

function pairOf(engine: VpcEngine, query: VpcReachQuery, source: Party, target: Party): ReachPair | undefined {
  let every: FlowSet | undefined;
  let some: FlowSet = NO_FLOWS;
  let may: FlowSet = NO_FLOWS;
  let because: readonly Because[] = [];
  const families = new Set<Family>();
  const byFamily = new Map<Family, FlowSet>();
  const places: {
    readonly from: End["places"][number];
    readonly to: End["places"][number];
    readonly passage: Passage;
  }[] = [];
  for (const a of source.ends) {
    for (const b of target.ends) {
      if (a.name === b.name && source.ends.length > 1) continue;
      for (const from of a.places) {
        for (const to of b.places) {
          if (from.family !== to.family || (from.face !== undefined && from.face === to.face)) continue;
          const passage = engine.passage(from, to);
          families.add(from.family);
          const known = byFamily.get(from.family);
          const own = restrictFamilies(passage.every, [from.family]);
          byFamily.set(from.family, known === undefined ? own : flowIntersect(known, own));
          some = flowUnion(some, restrictFamilies(passage.some, [from.family]));
          may = flowUnion(may, restrictFamilies(passage.may, [from.family]));
          because = mergeBecause(because, passage.because);
          if (places.length < 16) places.push({ from, to, passage });
        }
      }
    }
  }
  for (const set of byFamily.values()) every = every === undefined ? set : flowUnion(every, set);
  const asked = query.port === undefined ? undefined : portFlows(query.port.protocol, query.port.port, query.port.port);
  const cut = (set: FlowSet): FlowSet => (asked === undefined ? set : flowIntersect(set, asked));
  const sure = cut(every ?? NO_FLOWS);
  some = cut(some);
  may = cut(may);
  if (flowsEmpty(may)) return undefined;
  const order = (["IPv4", "IPv6"] as const).filter((f) => families.has(f));
  return {
    from: source.row.name,
    to: target.row.name,
    allow: listFlows(sure, order).map((entry) => ({
      ...entry,
      deciders: query.provenance ? decidersOf(engine, places, entry) : [],
    })),
    unsure: listFlows(flowSubtract(may, some), order).map((entry) => ({ ...entry, because })),
    mixed: listFlows(flowSubtract(some, sure), order),
  };
}

/** What decides an entry: the rules that let a flow of it through, there on each side. */
function decidersOf(
  engine: VpcEngine,
  places: readonly { readonly from: End["places"][number]; readonly to: End["places"][number] }[],
  entry: FlowEntry,
): readonly Decider[] {
  const out: Decider[] = [];
  const seen = new Set<string>();
  for (const { from, to } of places) {
    if (entry.family !== "any" && entry.family !== from.family) continue;
    const protocol: Protocol = entry.protocol === "any" ? "TCP" : entry.protocol === "other" ? "OTHER" : entry.protocol;
    for (const range of entry.ranges.length > 0 ? entry.ranges : [{ first: 1, last: 1 }]) {
      const decision = decide(engine.stages(from, to), {
        family: from.family,
        protocol,
        first: range.first,
        last: range.first,
      });
      for (const judged of decision.judged) {
        if (judged.stage.kind !== "filter" || judged.stage.flow !== "request" || judged.stage.isStateful !== true)
          continue;
        for (const decider of judged.judgement.deciders) {
          const key = `${judged.stage.direction ?? ""} ${decider}`;
          if (seen.has(key)) continue;
          seen.add(key);
          out.push({
            direction: judged.stage.direction ?? "ingress",
            reason: "rule",
            origins: [originOf(engine.network, judged, decider)],
            isolatedBy: [],
          });
        }
      }
    }
  }
  return out;
}

/** A decider of a hop as the origin of a rule: kind and name, as answers write them, and where it stands. */
export function originOf(network: Network, { stage }: Judged, decider: string): Origin {
  const spot = network.spotOf(decider);
  return {
    kind: kindOf(stage.what),
    name: decider,
    section: stage.direction ?? "ingress",
    index: 0,
    exact: true,
    ...(spot === undefined ? {} : spot),
  };
}

/** Where what an answer cites stands in the input; undefined for what the input does not write. */
export function placeOfCited(network: Network, cited: string): Position | undefined {
  const spot = network.spotOf(cited);
  return spot?.document.locate(spot.path);
}

export function kindOf(what: string): string {
  if (what === "security groups") return "SecurityGroup";
  if (what.startsWith("network ACL")) return "NetworkAcl";
  if (what.startsWith("route table")) return "RouteTable";
  if (what === "listeners" || what.startsWith("target group")) return "LoadBalancer";
  return "Network";
}

/** The name of a place in an answer: the owner, or its range. */
export function placeName(place: End["places"][number]): string {
  return place.owner?.name ?? (place.range.first === place.range.last ? place.name : formatRange(place.range));
}
