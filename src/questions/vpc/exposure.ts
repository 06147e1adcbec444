/**
 * The attack surface of a VPC: what is reachable from the internet, by a public address behind an internet gateway or over
 * a load balancer's listener; what reaches out, and through which gateway; and which rule would have to change.
 */
import { type Because, mergeBecause } from "../../base/because.ts";
import { type AddressRange, FAMILIES, type Family, formatAddress, formatRange } from "../../net/address.ts";
import { type FlowSet, flowIntersect, flowsEmpty, flowSubtract, flowUnion } from "../../net/flow-set.ts";
import { listFlows } from "../../reach/flow-list.ts";
import { attachedGateways } from "../../vpc/decide/connection.ts";
import { lookUp } from "../../vpc/decide/routes.ts";
import type { Place } from "../../vpc/decide/place.ts";
import { decide } from "../../vpc/decide/stage.ts";
import type { VpcEngine, WayAnswer } from "../../vpc/engine.ts";
import { type Forward, forwardsOf } from "../../vpc/forwards.ts";
import type { ListenerCondition } from "../../vpc/model.ts";
import { type Closer, countsOf, type Exposed, type Exposure, type WayIn, type WayOut } from "../exposure.ts";
import { CONNECTIONS, familyFreeKey, joinedRanges } from "../network.ts";
import {
  admitting,
  closing,
  decisionsOf,
  distinctOrigins,
  passageBetween,
  somehow,
  vpcEnds,
  type VpcEnd,
} from "./ends.ts";

/** Answers for all ends of the VPC. */
export function vpcExposure(engine: VpcEngine): Exposure {
  const outside = engine.inventory.outside(engine.inventory.internet());
  const forwarded = forwardedWays(engine, outside);
  const endpoints = vpcEnds(engine).map((one): Exposed => {
    const { name, application } = one;
    return {
      unit: { name, application, replicas: 1, isNode: false },
      waysIn: [...publicWays(engine, one, outside), ...(forwarded.get(name) ?? [])],
      waysOut: opensConnections(one) ? waysOut(engine, one, outside) : [],
    };
  });
  return { endpoints, counts: countsOf(endpoints) };
}

/** A load balancer opens connections to its targets only, and an endpoint of a service none. */
function opensConnections({ owner }: VpcEnd): boolean {
  return owner.kind !== "load-balancer" && owner.kind !== "endpoint";
}

// ── the outside, piece by piece ────────────────────────────────────────────────────────────────────────────────────

interface Alike {
  /** `internet`, or the ranges. */
  readonly who: string;
  readonly verdict: "allow" | "unsure";
  readonly flows: FlowSet;
  readonly because: readonly Because[];
  readonly families: readonly Family[];
  readonly through: string | undefined;
  /** Two places between which it holds, in the order of the connection. */
  readonly sample: readonly [Place, Place];
}

/** Ranges outside that fare alike with an end, as one. */
function alike(engine: VpcEngine, one: VpcEnd, outside: readonly Place[], way: "in" | "out"): readonly Alike[] {
  const groups = new Map<string, { ranges: AddressRange[]; entry: Omit<Alike, "who" | "families"> }>();
  let asked = 0;
  for (const range of outside) {
    const places = one.end.places.filter((place) => place.family === range.family);
    const [first] = places;
    if (first === undefined) continue;
    asked++;
    const [from, to] = way === "in" ? [[range], places] : [places, [range]];
    const { must, may, because } = somehow(passageBetween(engine, from, to));
    const through = way === "in" ? undefined : gatewayOf(engine, first, range);
    const open = flowIntersect(flowSubtract(may, must), CONNECTIONS);
    const sides = [["allow", flowIntersect(must, CONNECTIONS)] as const, ["unsure", open] as const];
    for (const [verdict, flows] of sides) {
      if (flowsEmpty(flows)) continue;
      const key = `${verdict} ${through ?? ""} ${familyFreeKey(flows, range.family)}`;
      const group = groups.get(key);
      if (group === undefined) {
        const sample = way === "in" ? ([range, first] as const) : ([first, range] as const);
        const entry = { verdict, flows, because: verdict === "unsure" ? because : [], through, sample };
        groups.set(key, { ranges: [range.range], entry });
      } else {
        group.ranges.push(range.range);
        group.entry = { ...group.entry, flows: flowUnion(group.entry.flows, flows) };
      }
    }
  }
  return [...groups.values()].map(({ ranges, entry }) => ({
    ...entry,
    who: whoOf(ranges, asked),
    families: FAMILIES.filter((family) => ranges.some((range) => range.family === family)),
  }));
}

function whoOf(ranges: readonly AddressRange[], asked: number): string {
  return ranges.length === asked ? "internet" : joinedRanges(ranges).map(formatRange).join(", ");
}

/** The gateway to which the subnet's route leads. */
function gatewayOf(engine: VpcEngine, from: Place, to: Place): string | undefined {
  if (from.subnet === undefined) return undefined;
  const found = lookUp(engine.network, from.subnet, to);
  return found.kind === "route" ? found.target.name : undefined;
}

// ── public addresses ───────────────────────────────────────────────────────────────────────────────────────────────

function publicWays(engine: VpcEngine, one: VpcEnd, outside: readonly Place[]): readonly WayIn[] {
  const dialled = publicAddressText(engine, one);
  const open = alike(engine, one, outside, "in").map(({ who, verdict, flows, because, families, sample }): WayIn => {
    const entries = listFlows(flows, families);
    const decisions = [...decisionsOf(engine, ...sample, entries)];
    const origins = distinctOrigins(decisions.flatMap((decision) => admitting(engine, decision, "ingress")));
    const closers: readonly Closer[] = [
      { direction: "ingress", at: one.name, reason: "rule", origins, isolatedBy: [] },
    ];
    return { way: "public-address", ...dialled, from: who, verdict, because, flows: entries, closers };
  });
  return open.length > 0 ? open : closedWay(engine, one, outside, dialled);
}

/** A public address to which routes lead and rules let nobody: closed, by what denies there. */
function closedWay(
  engine: VpcEngine,
  one: VpcEnd,
  outside: readonly Place[],
  dialled: Pick<WayIn, "dialled">,
): readonly WayIn[] {
  for (const place of one.end.places) {
    const from = outside.find((range) => range.family === place.family);
    if (from === undefined || place.face?.isPublic !== "yes") continue;
    const decision = decide(engine.stages(from, place), { family: place.family, protocol: "TCP", first: 1, last: 1 });
    const isRouted = decision.judged.every(
      ({ stage, judgement }) => stage.kind === "filter" || judgement.verdict === "allow",
    );
    if (!isRouted || decision.verdict !== "deny") continue;
    const origins = distinctOrigins(closing(engine, decision));
    const closers: readonly Closer[] = [
      { direction: "ingress", at: one.name, reason: "rule", origins, isolatedBy: [] },
    ];
    return [{ way: "public-address", ...dialled, from: "internet", verdict: "deny", because: [], flows: [], closers }];
  }
  return [];
}

function publicAddressText(engine: VpcEngine, { owner }: VpcEnd): Pick<WayIn, "dialled"> {
  const addresses = owner.interfaces.flatMap((face) => face.publicAddresses).map(formatAddress);
  const gateways = owner.vpc === undefined ? [] : attachedGateways(engine.network, owner.vpc);
  const through = gateways.length === 0 ? "" : `through ${gateways.join(", ")}`;
  const words = [addresses.join(", "), through].filter((word) => word !== "");
  return words.length === 0 ? {} : { dialled: words.join(" ") };
}

// ── over load balancers ────────────────────────────────────────────────────────────────────────────────────────────

/** Ways in over load balancers that are not internal, by target. */
function forwardedWays(engine: VpcEngine, outside: readonly Place[]): ReadonlyMap<string, readonly WayIn[]> {
  const out = new Map<string, WayIn[]>();
  for (const balancer of engine.network.balancers.values()) {
    if (balancer.internal === "yes") continue;
    for (const forward of forwardsOf(engine, balancer)) {
      const { name } = forward.target;
      out.set(name, [...(out.get(name) ?? []), ...forwardedWay(engine, forward, outside)]);
    }
  }
  return out;
}

function forwardedWay(engine: VpcEngine, forward: Forward, outside: readonly Place[]): readonly WayIn[] {
  const { balancer, listener, protocol, target, port } = forward;
  const { ways } = engine.why({
    from: "internet",
    to: target.name,
    via: balancer.name,
    protocol,
    port: listener.port,
  });
  const byRange = new Map<string, WayAnswer[]>();
  for (const way of ways) byRange.set(way.from.name, [...(byRange.get(way.from.name) ?? []), way]);
  const groups = new Map<WayIn["verdict"], { ranges: AddressRange[]; ways: WayAnswer[] }>();
  for (const own of byRange.values()) {
    // A client is sent to any of the load balancer's addresses: one that works is a way.
    const is = (verdict: string): boolean => own.some((way) => way.decision.verdict === verdict);
    const verdict = is("allow") || is("mixed") ? "allow" : is("unsure") ? "unsure" : "deny";
    const group = groups.get(verdict) ?? { ranges: [], ways: [] };
    groups.set(verdict, group);
    group.ranges.push(...own.slice(0, 1).map((way) => way.from.range));
    group.ways.push(...own.filter((way) => verdict !== "allow" || way.decision.verdict !== "deny"));
  }
  const asked = outside.filter((range) => [...byRange.keys()].includes(range.name)).length;
  const through = throughOf(forward);
  return [...groups].map(([verdict, group]): WayIn => {
    const { decisions } = { decisions: group.ways.map((way) => way.decision) };
    const origins = decisions.flatMap((decision) =>
      verdict === "deny" ? closing(engine, decision) : admitting(engine, decision, "ingress"),
    );
    return {
      way: "load-balancer",
      dialled: `${balancer.name}:${listener.port}`,
      ...(through === undefined ? {} : { through }),
      from: whoOf(group.ranges, asked),
      verdict,
      because:
        verdict === "unsure"
          ? decisions.reduce<readonly Because[]>((all, one) => mergeBecause(all, one.because), [])
          : [],
      port: { protocol, port },
      flows: [],
      closers: [
        { direction: "ingress", at: target.name, reason: "rule", origins: distinctOrigins(origins), isolatedBy: [] },
      ],
    };
  });
}

/** Which requests lead there, where the listener tells requests apart. */
function throughOf({ balancer, listener, rules }: Forward): WayIn["through"] {
  if (listener.rules.length === 0) return undefined;
  const values = (rule: readonly ListenerCondition[], field: string): readonly string[] =>
    rule.filter((one) => one.field === field).flatMap((one) => one.values);
  const hosts = rules.map((rule) => values(rule, "host-header").join(" or "));
  const others = rules.map((rule) =>
    rule
      .filter((one) => one.field !== "host-header")
      .map((one) => `${one.field} ${one.values.join(" or ")}`)
      .join(", "),
  );
  return {
    object: `${balancer.name}:${listener.port}`,
    host: hosts.includes("") ? "*" : [...new Set(hosts)].join(", "),
    match: others.includes("") ? "" : [...new Set(others)].join("; "),
  };
}

// ── out ────────────────────────────────────────────────────────────────────────────────────────────────────────────

function waysOut(engine: VpcEngine, one: VpcEnd, outside: readonly Place[]): readonly WayOut[] {
  return alike(engine, one, outside, "out").map(
    ({ who, verdict, flows, because, families, through, sample }): WayOut => {
      const entries = listFlows(flows, families);
      const decisions = [...decisionsOf(engine, ...sample, entries)];
      const origins = distinctOrigins(decisions.flatMap((decision) => admitting(engine, decision, "egress")));
      return {
        to: who,
        ...(through === undefined ? {} : { through }),
        verdict,
        because,
        flows: entries,
        closers: [{ direction: "egress", at: one.name, reason: "rule", origins, isolatedBy: [] }],
      };
    },
  );
}
