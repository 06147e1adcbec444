/** The ends that questions about a VPC go through, and what passes between them. */
import { type Because, mergeBecause } from "../../base/because.ts";
import { FAMILIES, type Family } from "../../net/address.ts";
import {
  type FlowSet,
  flowIntersect,
  flowsEmpty,
  flowSubtract,
  flowUnion,
  NO_FLOWS,
  restrictFamilies,
} from "../../net/flow-set.ts";
import type { Origin } from "../../policy/rule.ts";
import type { Bounded } from "../../reach/bounded.ts";
import type { FlowEntry } from "../../reach/flow-list.ts";
import { ownerApplication } from "../../vpc/applications.ts";
import type { Place } from "../../vpc/decide/place.ts";
import { type Ask, type Decision, decide, type Judged } from "../../vpc/decide/stage.ts";
import type { VpcEngine } from "../../vpc/engine.ts";
import type { End } from "../../vpc/inventory.ts";
import type { Owner } from "../../vpc/model.ts";
import { originOf } from "../../vpc/shown.ts";

/** Something of a VPC that has interfaces and may be an end of a connection. */
export interface VpcEnd {
  readonly name: string;
  readonly application: string;
  readonly owner: Owner;
  readonly end: End;
}

/** Every end of the input, in its order. A NAT gateway is a hop and no end. */
export function vpcEnds(engine: VpcEngine): readonly VpcEnd[] {
  return [...engine.network.owners.values()]
    .filter((owner) => owner.kind !== "nat-gateway")
    .map((owner) => ({
      name: owner.name,
      application: ownerApplication(engine.network, owner) ?? owner.name,
      owner,
      end: engine.inventory.end(owner),
    }));
}

/** What passes between two ends: between every two of their interfaces, between some, possibly. */
export interface VpcPassage {
  readonly every: FlowSet;
  readonly some: FlowSet;
  readonly may: FlowSet;
  readonly because: readonly Because[];
  readonly families: readonly Family[];
}

/** What passes from any of the places to any of the others; an interface and itself are left out. */
export function passageBetween(engine: VpcEngine, from: readonly Place[], to: readonly Place[]): VpcPassage {
  const every = new Map<Family, FlowSet>();
  let [some, may]: readonly [FlowSet, FlowSet] = [NO_FLOWS, NO_FLOWS];
  let because: readonly Because[] = [];
  for (const a of from) {
    for (const b of to) {
      if (a.family !== b.family || (a.face !== undefined && a.face === b.face)) continue;
      const one = engine.passage(a, b);
      const own = (set: FlowSet): FlowSet => restrictFamilies(set, [a.family]);
      const known = every.get(a.family);
      every.set(a.family, known === undefined ? own(one.every) : flowIntersect(known, own(one.every)));
      some = flowUnion(some, own(one.some));
      may = flowUnion(may, own(one.may));
      because = mergeBecause(because, one.because);
    }
  }
  return {
    every: [...every.values()].reduce(flowUnion, NO_FLOWS),
    some,
    may,
    because,
    families: FAMILIES.filter((family) => every.has(family)),
  };
}

/** Whoever attacks chooses interface and port: what passes somehow passes. */
export function somehow({ some, may, because }: VpcPassage): Bounded {
  return { must: some, may, because: flowsEmpty(flowSubtract(may, some)) ? [] : because };
}

/** One decision for each range of ports of the entries. */
export function* decisionsOf(
  engine: VpcEngine,
  from: Place,
  to: Place,
  entries: readonly FlowEntry[],
): Iterable<Decision> {
  for (const entry of entries) {
    if (entry.family !== "any" && entry.family !== from.family) continue;
    const protocol = entry.protocol === "any" ? "TCP" : entry.protocol === "other" ? "OTHER" : entry.protocol;
    for (const { first } of entry.ranges.length > 0 ? entry.ranges : [{ first: 1 }]) {
      const ask: Ask = { family: from.family, protocol, first, last: first };
      yield decide(engine.stages(from, to), ask);
    }
  }
}

/** The rules of security groups that let a request through in a direction; where none filters, those of network ACLs. */
export function admitting(engine: VpcEngine, decision: Decision, direction: "ingress" | "egress"): readonly Origin[] {
  const hops = decision.judged.filter(
    ({ stage }) => stage.kind === "filter" && stage.flow === "request" && stage.direction === direction,
  );
  const stateful = hops.filter(({ stage }) => stage.isStateful === true);
  const origins = (list: readonly Judged[]): readonly Origin[] =>
    list.flatMap((judged) => judged.judgement.deciders.map((one) => originOf(engine.network, judged, one)));
  return origins(stateful.length > 0 ? stateful : hops);
}

/** What denies, of a decision that denies, as something that closes. */
export function closing(engine: VpcEngine, decision: Decision): readonly Origin[] {
  return decision.decidedBy.flatMap((cited) => {
    const judged = decision.judged.find(({ judgement }) => judgement.deciders.includes(cited));
    return judged === undefined
      ? []
      : [{ ...originOf(engine.network, judged, cited), section: "ingressDeny" as const }];
  });
}

/** Each origin once. */
export function distinctOrigins(origins: readonly Origin[]): readonly Origin[] {
  return [...new Map(origins.map((one) => [`${one.kind}/${one.name}`, one])).values()];
}
