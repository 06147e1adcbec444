/** One connection with everything on its way: what passes, and each filter with its reasons. */
import { type Because, mergeBecause } from "../base/because.ts";
import { touchesService } from "../model/foreign.ts";
import type { Service, World } from "../model/world.ts";
import type { Family } from "../net/address.ts";
import { type FlowSet, flowAt, flowsEqual, NO_FLOWS, portFlows } from "../net/flow-set.ts";
import type { Protocol } from "../net/protocol.ts";
import type { Direction } from "../policy/rule.ts";
import { ALL_BOUNDED, type Bounded, boundedIntersect, eitherOf, NO_BOUNDED } from "./bounded.ts";
import { type Connections, isSelf } from "./connection.ts";
import { type Sight, UNKNOWN_NODE } from "./sight.ts";
import type { Endpoint } from "./endpoint.ts";
import { explainSide, type FlowPoint, type SideExplanation } from "./explain.ts";
import type { Hairpins } from "./hairpin.ts";
import type { FilterHop, Hop } from "./hop.ts";
import type { Delivery } from "./services.ts";

/** Whom the connection meets where the source and the destination are pods of one workload: itself, or another of them. */
export type Replica = "itself" | "another";

export class Legs {
  private readonly connections: Connections;
  private readonly hairpins: Hairpins;
  private readonly world: World;

  constructor(connections: Connections, hairpins: Hairpins, world: World) {
    this.connections = connections;
    this.hairpins = hairpins;
    this.world = world;
  }

  /**
   * Whom a connection through a Service meets that comes back to the pods it started from. A workload that the input only
   * describes stands for all its pods at once.
   */
  replicas(from: Endpoint, { endpoint, service }: Delivery): readonly Replica[] {
    if (isSelf(from, endpoint)) return ["itself"];
    if (service === undefined || from.kind !== "pod" || endpoint.kind !== "pod" || from.pod !== endpoint.pod) {
      return ["another"];
    }
    return from.workload.pods.length > 1 || from.workload.replicas === 1 ? ["itself"] : ["itself", "another"];
  }

  /** What passes in one family: at least the flows on the delivered port are told. */
  bounds(from: Endpoint, delivery: Delivery, replica: Replica, family: Family, protocol: Protocol): Bounded {
    const bounds = this.judged(from, delivery, replica, family, protocol);
    const doubt = mergeBecause(delivery.doubt, this.foreign(delivery.service));
    return doubt.length === 0
      ? bounds
      : { must: NO_FLOWS, may: bounds.may, because: mergeBecause(bounds.because, doubt) };
  }

  private judged(from: Endpoint, delivery: Delivery, replica: Replica, family: Family, protocol: Protocol): Bounded {
    const { endpoint, port, sightings, service } = delivery;
    if (replica === "itself" && service !== undefined) return this.hairpins.bounds(endpoint);
    const [first] = sightings;
    if (sightings.length === 1 && first?.source === from && first.towards.endpoint === endpoint) {
      return this.connections.between(from, endpoint);
    }
    let result: Bounded | undefined;
    for (const { towards, source, unclear } of sightings) {
      const on = { family, protocol, moved: port };
      const egress = this.side("egress", from, towards.endpoint, { ...on, port: towards.port });
      const ingress = this.side("ingress", source, endpoint, { ...on, port });
      const one = boundedIntersect(egress, ingress);
      result =
        result === undefined ? one : eitherOf(result, one, [unclear ?? delivery.unclear ?? sourceAddress(delivery)]);
    }
    const answer = result ?? NO_BOUNDED;
    const foreign = this.connections.foreign(from, endpoint);
    return foreign.length === 0 ? answer : { must: NO_FLOWS, may: answer.may, because: foreign };
  }

  /** What one side lets through on one port, however the ends see each other. */
  private side(direction: Direction, from: Endpoint, to: Endpoint, on: OnePort): Bounded {
    if (isSelf(from, to)) return ALL_BOUNDED;
    const { sides } = this.connections;
    let result: Bounded | undefined;
    for (const sight of this.connections.sights(from, to)) {
      const [self, other] = direction === "egress" ? [sight.fromSelf, sight.to] : [sight.toSelf, sight.from];
      const one = at(sides.evaluate(direction, self, other), on);
      result = result === undefined ? one : eitherOf(result, one, UNKNOWN_NODE);
    }
    return result ?? ALL_BOUNDED;
  }

  /** Policies of other systems that may take what goes to the Service elsewhere. */
  private foreign(service: Service | undefined): readonly Because[] {
    if (service === undefined) return [];
    return this.world.foreign
      .filter(({ scope }) => scope.kind === "services" && touchesService(scope, service.namespace, service.name))
      .map(({ kind, namespace, name }) => ({
        code: "foreign-policy",
        detail: `${kind}/${namespace === undefined ? "" : `${namespace}/`}${name}`,
      }));
  }

  /** Every filter on the way, once for each way in which it may see the connection. */
  filters(from: Endpoint, delivery: Delivery, replica: Replica, point: FlowPoint): readonly Hop[] {
    const { endpoint, sightings, service } = delivery;
    if (replica === "itself") return service === undefined ? [] : this.hairpin(endpoint, point);
    const { sides } = this.connections;
    const several = (ends: readonly Endpoint[]): boolean => new Set(ends).size > 1;
    const manyTowards = several(sightings.map((s) => s.towards.endpoint));
    const manySources = several(sightings.map((s) => s.source));
    const egress: Seen[] = [];
    for (const { towards, when } of sightings) {
      if (isSelf(from, towards.endpoint)) continue;
      for (const [sight, where] of this.sights(from, towards.endpoint)) {
        const explanation = explainSide(sides, "egress", sight.fromSelf, sight.to, { ...point, port: towards.port });
        egress.push({ explanation, when: together(manyTowards ? when : undefined, where) });
      }
    }
    const ingress: Seen[] = [];
    for (const { source, when } of sightings) {
      if (isSelf(source, endpoint)) continue;
      for (const [sight, where] of this.sights(source, endpoint)) {
        const explanation = explainSide(sides, "ingress", sight.toSelf, sight.from, point);
        ingress.push({ explanation, when: together(manySources ? when : undefined, where) });
      }
    }
    return [...distinct(from.name, egress), ...distinct(endpoint.name, ingress)];
  }

  /** How the ends may see each other, and where that depends on whether they share a node, the case. */
  private sights(from: Endpoint, to: Endpoint): readonly (readonly [sight: Sight, where: string | undefined])[] {
    const all = this.connections.sights(from, to);
    return all.map((sight, i) => [
      sight,
      all.length === 1 ? undefined : i === 0 ? "both ends are on one node" : "the ends are on different nodes",
    ]);
  }

  private hairpin(pod: Endpoint, point: FlowPoint): readonly Hop[] {
    const { readings } = this.hairpins;
    const settled = readings.length === 1;
    const detail = settled
      ? "the pod reaches itself"
      : "the pod reaches itself; whether its policies see that differs by network";
    const because = settled ? [] : this.hairpins.because(pod);
    const route: Hop = { kind: "route", at: pod.name, detail, verdict: settled ? "allow" : "unsure", because };
    if (!readings.some((reading) => reading !== "none")) return [route];
    const view = this.connections.viewOf(pod);
    const { sides } = this.connections;
    return [
      route,
      ...(["egress", "ingress"] as const).map(
        (direction): Hop => ({
          kind: "filter",
          at: pod.name,
          explanation: explainSide(sides, direction, view, view, point),
          ...(settled ? {} : { when: "policies see it" }),
        }),
      ),
    ];
  }
}

/** A side as it is under one of several circumstances. */
interface Seen {
  readonly explanation: SideExplanation;
  readonly when: string | undefined;
}

/** How many circumstances a hop names. */
const NAMED = 3;

/** One hop for what is explained alike, with the circumstances where others differ. */
function distinct(at: string, seen: readonly Seen[]): readonly FilterHop[] {
  const groups = new Map<string, { readonly explanation: SideExplanation; readonly whens: Set<string> }>();
  for (const { explanation, when } of seen) {
    const key = JSON.stringify([
      explanation.verdict,
      explanation.reason,
      explanation.deciders.map((d) => [d.kind, d.namespace, d.name, d.section, d.index]),
      explanation.considered.map((c) => c.rules.map((r) => [r.peer, r.port, r.application])),
    ]);
    const group = groups.get(key) ?? { explanation, whens: new Set() };
    groups.set(key, group);
    if (when !== undefined) group.whens.add(when);
  }
  return [...groups.values()].map(({ explanation, whens }): FilterHop => {
    const named = [...whens].slice(0, NAMED);
    const more = whens.size > NAMED ? [`${whens.size - NAMED} other cases`] : [];
    const when = groups.size === 1 || whens.size === 0 ? {} : { when: [...named, ...more].join("; or ") };
    return { kind: "filter", at, explanation, ...when };
  });
}

function together(...conditions: readonly (string | undefined)[]): string | undefined {
  const given = conditions.filter((text) => text !== undefined);
  return given.length === 0 ? undefined : given.join(", and ");
}

function sourceAddress({ service, endpoint }: Delivery): Because {
  const name = service === undefined ? endpoint.name : `${service.namespace}/Service/${service.name}`;
  return { code: "source-address", detail: `on the way to ${name}` };
}

/** One port of one protocol, and the port under which its flows are told. */
interface OnePort {
  readonly family: Family;
  readonly protocol: Protocol;
  readonly port: number;
  readonly moved: number;
}

function at(bounds: Bounded, { family, protocol, port, moved }: OnePort): Bounded {
  const pick = (set: FlowSet): FlowSet => {
    const application = flowAt(set, family, protocol, port);
    return application === undefined ? NO_FLOWS : portFlows(protocol, moved, moved, [family], application);
  };
  const [must, may] = [pick(bounds.must), pick(bounds.may)];
  // What is not known of other flows says nothing of this one.
  return { must, may, because: flowsEqual(must, may) ? [] : bounds.because };
}
