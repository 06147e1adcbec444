/**
 * The area of impact in a VPC. A machine that falls may open every connection that groups, ACLs and routes let it open; a
 * load balancer that is reached sends on what its listeners forward, to its targets alone; an endpoint of a service nothing.
 */
import type { Family } from "../../net/address.ts";
import { type FlowSet, flowUnion, NO_FLOWS, portFlows } from "../../net/flow-set.ts";
import { type Bounded, boundedIntersect, exactly, NO_BOUNDED } from "../../reach/bounded.ts";
import type { Place } from "../../vpc/decide/place.ts";
import { VpcEngine } from "../../vpc/engine.ts";
import { type Forward, forwardsOf } from "../../vpc/forwards.ts";
import { openedNetwork } from "../../vpc/opened.ts";
import { ImpactWalk } from "../impact-walk.ts";
import { openness } from "../network.ts";
import { passageBetween, somehow, type VpcEnd, vpcEnds } from "./ends.ts";

export interface VpcImpactOptions {
  /** Count only connections to ports at which something listens that the input tells of: listeners and targets. */
  readonly declared?: boolean;
  /** Leave out how many fall without any rule. */
  readonly bare?: boolean;
}

export class VpcImpactGraph extends ImpactWalk<VpcEnd> {
  private readonly engine: VpcEngine;
  private readonly forwards: ReadonlyMap<string, readonly Forward[]>;
  private readonly listening: ReadonlyMap<string, FlowSet> | undefined;
  private readonly outside: readonly Place[];
  private readonly baseline: VpcImpactGraph | undefined;

  constructor(engine: VpcEngine, options: VpcImpactOptions = {}) {
    super(vpcEnds(engine));
    this.engine = engine;
    const balancers = [...engine.network.balancers.values()];
    this.forwards = new Map(balancers.map((one) => [one.name, forwardsOf(engine, one)]));
    this.listening = options.declared === true ? listeningPorts(engine, this.forwards) : undefined;
    this.outside = engine.inventory.outside(engine.inventory.internet());
    this.baseline =
      options.bare === true
        ? undefined
        : new VpcImpactGraph(new VpcEngine(openedNetwork(engine.network)), { ...options, bare: true });
  }

  override named(name: string): readonly VpcEnd[] {
    const found = this.engine.inventory.resolve(name);
    const names = new Set(found.kind === "ends" ? found.ends.map((end) => end.name) : []);
    return this.units.filter((unit) => names.has(unit.name));
  }

  protected override between(from: VpcEnd, to: VpcEnd): Bounded {
    if (from.owner.kind === "endpoint") return NO_BOUNDED;
    const bounds = somehow(passageBetween(this.engine, from.end.places, to.end.places));
    const own = this.forwards.get(from.name);
    const sent = own === undefined ? bounds : boundedIntersect(bounds, exactly(sentTo(own, to)));
    return this.listening === undefined
      ? sent
      : boundedIntersect(sent, exactly(this.listening.get(to.name) ?? NO_FLOWS));
  }

  protected override families(from: VpcEnd, to: VpcEnd): readonly Family[] {
    const other = new Set(to.end.places.map((place) => place.family));
    return (["IPv4", "IPv6"] as const).filter(
      (family) => other.has(family) && from.end.places.some((place) => place.family === family),
    );
  }

  protected override applicationOf(unit: VpcEnd): string {
    return unit.application;
  }

  protected override leaves(unit: VpcEnd): "allow" | "unsure" | "deny" {
    if (unit.owner.kind === "load-balancer" || unit.owner.kind === "endpoint") return "deny";
    let verdict: "allow" | "unsure" | "deny" = "deny";
    for (const range of this.outside) {
      const one = openness(somehow(passageBetween(this.engine, unit.end.places, [range]))).verdict;
      if (one === "allow") return one;
      if (one === "unsure") verdict = one;
    }
    return verdict;
  }

  protected override without(unit: VpcEnd): number {
    return this.baseline?.size(unit.name) ?? this.units.length - 1;
  }

  /** What a load balancer sends on is what its listeners let through. */
  protected override narrows(from: VpcEnd, to: VpcEnd, bounds: Bounded): boolean {
    return from.owner.kind === "load-balancer" || super.narrows(from, to, bounds);
  }
}

function sentTo(forwards: readonly Forward[], to: VpcEnd): FlowSet {
  return forwards
    .filter(({ target }) => target.name === to.name)
    .reduce<FlowSet>((set, { protocol, port }) => flowUnion(set, atTarget(protocol, port)), NO_FLOWS);
}

function atTarget(protocol: Forward["protocol"], port: number): FlowSet {
  return portFlows(protocol, port, port);
}

function listeningPorts(
  engine: VpcEngine,
  forwards: ReadonlyMap<string, readonly Forward[]>,
): ReadonlyMap<string, FlowSet> {
  const out = new Map<string, FlowSet>();
  const add = (name: string, protocol: Forward["protocol"], port: number): void => {
    out.set(name, flowUnion(out.get(name) ?? NO_FLOWS, atTarget(protocol, port)));
  };
  for (const balancer of engine.network.balancers.values()) {
    for (const one of forwards.get(balancer.name) ?? []) {
      add(one.target.name, one.protocol, one.port);
      add(balancer.name, one.protocol, one.listener.port);
    }
  }
  return out;
}
