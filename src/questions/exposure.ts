/**
 * The attack surface: what is reachable from outside the cluster, through which way in, and what reaches out, where. Each
 * way names what would have to change to close it.
 */
import type { Because } from "../base/because.ts";
import { type AddressRange, FAMILIES, type Family, formatRange } from "../net/address.ts";
import type { PortProtocol } from "../net/protocol.ts";
import { type FlowSet, flowIntersect, flowsEmpty, flowsKey, flowSubtract, flowUnion } from "../net/flow-set.ts";
import type { Direction, Origin, Policy } from "../policy/rule.ts";
import type { Endpoint } from "../reach/endpoint.ts";
import type { Engine } from "../reach/engine.ts";
import type { Reason, Verdict } from "../reach/explain.ts";
import { applicationName } from "../reach/grouping.ts";
import { type FlowEntry, listFlows } from "../reach/flow-list.ts";
import { isEnd } from "../reach/hop.ts";
import type { NorthSouthPath, Way } from "../reach/north-south-path.ts";
import type { Requests } from "../reach/requests.ts";
import { CONNECTIONS, familyFreeKey, joinedRanges, passing, sharedFamilies, type Unit, unitsOf } from "./network.ts";

/**
 * `pod-address`: whoever can route to the pod's own address. `node-address`: every port of the node that it shares.
 * `public-address`: of a VPC, a public address behind an internet gateway.
 */
export type EntranceWay = Way | "pod-address" | "node-address" | "public-address";

/** What decided on one side, and so what would have to change there. */
export interface Closer {
  readonly direction: Direction;
  /** The end whose policies these are. */
  readonly at: string;
  readonly reason: Reason;
  /** The rules that let it through; empty where none does. */
  readonly origins: readonly Origin[];
  /** The policies that close the direction. */
  readonly isolatedBy: readonly Policy[];
}

/** One way in. */
export interface WayIn {
  readonly way: EntranceWay;
  /** What is dialled from outside; absent for the pod's own address. */
  readonly dialled?: string;
  readonly through?: { readonly object: string; readonly host: string; readonly match: string };
  /** Who comes in: `internet` or ranges. */
  readonly from: string;
  readonly verdict: Verdict;
  readonly because: readonly Because[];
  /** The port at the pod, where the way leads to one. */
  readonly port?: { readonly protocol: PortProtocol; readonly port: number };
  /** The requests that arrive, where the way leads to one port. */
  readonly requests?: Requests;
  /** What passes, where the way leads to several ports. */
  readonly flows: readonly FlowEntry[];
  readonly closers: readonly Closer[];
  /** Why the way ends before any policy, where it does: nobody serves it, or it leads nowhere. */
  readonly ended?: string;
}

/** One way out. */
export interface WayOut {
  /** `internet`, ranges, or `fqdn:NAME`. */
  readonly to: string;
  /** Of a VPC: the gateway through which it leaves. */
  readonly through?: string;
  readonly verdict: "allow" | "unsure";
  readonly because: readonly Because[];
  readonly flows: readonly FlowEntry[];
  readonly closers: readonly Closer[];
}

/** What is exposed, as answers name it. */
export interface ExposedEnd {
  readonly name: string;
  readonly application: string;
  /** How many pods or machines it stands for. */
  readonly replicas: number;
  readonly isNode: boolean;
}

export interface Exposed {
  readonly unit: ExposedEnd;
  /** Ways that lead here, and ways that a policy closes. */
  readonly waysIn: readonly WayIn[];
  readonly waysOut: readonly WayOut[];
}

export interface Exposure {
  readonly endpoints: readonly Exposed[];
  readonly counts: ExposureCounts;
}

/** The attack surface as numbers. */
export interface ExposureCounts {
  readonly endpoints: number;
  /** Reachable through some way in other than an address of its own. */
  readonly exposed: number;
  /** Perhaps reachable so; not counted in `exposed`. */
  readonly unsure: number;
  /** Let the internet in at their own address: what counts where that address is routed. */
  readonly open: number;
  /** Reach something outside. */
  readonly reachingOut: number;
  /** Perhaps reach something outside; not counted in `reachingOut`. */
  readonly unsureOut: number;
  /** Ways in that are open, without addresses of pods. */
  readonly ways: number;
}

/** Answers for all endpoints. */
export function exposure(engine: Engine): Exposure {
  const units = unitsOf(engine);
  const paths = pathsByTarget(engine);
  const outside = engine.inventory.outside(engine.inventory.internet());
  const endpoints = units.map((unit): Exposed => {
    const own = [
      ...(paths.get(unit.name) ?? []),
      ...(unit.name === unit.group.name ? [] : (paths.get(unit.group.name) ?? [])),
    ];
    const direct = directWays(engine, unit, outside);
    return { unit: endOf(unit), waysIn: [...own.map(wayOfPath), ...direct], waysOut: waysOut(engine, unit, outside) };
  });
  return { endpoints, counts: countsOf(endpoints) };
}

function endOf({ name, replicas, group, endpoint }: Unit): ExposedEnd {
  return { name, replicas, application: applicationName(group.workload), isNode: endpoint.kind === "node" };
}

/** Counts what was found. */
export function countsOf(endpoints: readonly Exposed[]): ExposureCounts {
  const isDirect = (way: WayIn): boolean => way.way === "pod-address";
  const through = (one: Exposed, verdict: Verdict): boolean =>
    one.waysIn.some((way) => !isDirect(way) && way.verdict === verdict);
  const out = (one: Exposed, verdict: Verdict): boolean => one.waysOut.some((way) => way.verdict === verdict);
  const count = (test: (one: Exposed) => boolean): number => endpoints.filter(test).length;
  return {
    endpoints: endpoints.length,
    exposed: count((one) => through(one, "allow")),
    unsure: count((one) => !through(one, "allow") && through(one, "unsure")),
    open: count((one) =>
      one.waysIn.some((way) => (isDirect(way) || way.way === "public-address") && way.verdict === "allow"),
    ),
    reachingOut: count((one) => out(one, "allow")),
    unsureOut: count((one) => !out(one, "allow") && out(one, "unsure")),
    ways: endpoints.reduce((n, one) => n + one.waysIn.filter((w) => !isDirect(w) && w.verdict === "allow").length, 0),
  };
}

// ── ways over something ────────────────────────────────────────────────────────────────────────────────────────────

function pathsByTarget(engine: Engine): ReadonlyMap<string, readonly NorthSouthPath[]> {
  const out = new Map<string, NorthSouthPath[]>();
  for (const path of engine.paths({ from: "internet" })) {
    const list = out.get(path.to);
    if (list === undefined) out.set(path.to, [path]);
    else list.push(path);
  }
  return out;
}

function wayOfPath(path: NorthSouthPath): WayIn {
  const end = path.hops.find(isEnd);
  return {
    ...(path.verdict === "deny" && end !== undefined ? { ended: end.detail } : {}),
    way: path.way,
    dialled: path.dialled,
    ...(path.through === undefined ? {} : { through: path.through }),
    from: path.from,
    verdict: path.verdict,
    because: path.because,
    port: { protocol: path.protocol, port: path.port },
    requests: path.requests,
    flows: [],
    closers: path.hops.flatMap((hop): readonly Closer[] => {
      if (hop.kind !== "filter") return [];
      const { direction, reason, deciders, isolatedBy } = hop.explanation;
      return [{ direction, at: hop.at, reason, origins: deciders, isolatedBy }];
    }),
  };
}

// ── the own address ────────────────────────────────────────────────────────────────────────────────────────────────

function directWays(engine: Engine, unit: Unit, outside: readonly Endpoint[]): readonly WayIn[] {
  const isNode = unit.endpoint.kind === "node";
  return alike(engine, unit, outside, "in").flatMap(
    ({ from, verdict, flows, because, families, sample }): readonly WayIn[] => {
      const closers = closersOf(engine, "ingress", sample, unit.endpoint, flows);
      return [
        {
          way: isNode ? "node-address" : "pod-address",
          from,
          verdict,
          because,
          flows: listFlows(flows, families),
          closers,
        },
      ];
    },
  );
}

function closersOf(
  engine: Engine,
  direction: Direction,
  from: Endpoint,
  to: Endpoint,
  flows: FlowSet,
): readonly Closer[] {
  const { connections } = engine;
  const [sight] = connections.sights(from, to);
  if (sight === undefined) return [];
  const [self, other, at] =
    direction === "ingress" ? [sight.toSelf, sight.from, to.name] : [sight.fromSelf, sight.to, from.name];
  const { reason, origins, isolatedBy } = connections.sides.deciders(direction, self, other, flows);
  return [{ direction, at, reason, origins, isolatedBy }];
}

// ── out ────────────────────────────────────────────────────────────────────────────────────────────────────────────

function waysOut(engine: Engine, unit: Unit, outside: readonly Endpoint[]): readonly WayOut[] {
  const byAddress = alike(engine, unit, outside, "out").map(
    ({ from, verdict, flows, because, families, sample }): WayOut => {
      return {
        to: from,
        verdict,
        because,
        flows: listFlows(flows, families),
        closers: closersOf(engine, "egress", unit.endpoint, sample, flows),
      };
    },
  );
  return [...byAddress, ...namedWays(engine, unit, outside)];
}

/** DNS names that rules name, where they reach further than addresses alone. */
function namedWays(engine: Engine, unit: Unit, outside: readonly Endpoint[]): readonly WayOut[] {
  const { connections, inventory } = engine;
  const subject = connections.sides.subject(connections.viewOf(unit.endpoint));
  const patterns = new Set(
    subject.selections.flatMap(({ policy }) =>
      policy.rules.flatMap((rule) =>
        rule.direction === "egress" && rule.action === "allow"
          ? rule.peers.flatMap((peer) => (peer.kind === "names" ? peer.names.map((name) => name.text) : []))
          : [],
      ),
    ),
  );
  // What every address may be sent anyway, a name adds nothing to.
  const [first, ...others] = outside.map((end) => passing(engine, unit.endpoint, end).must);
  const key = first === undefined ? undefined : flowsKey(first);
  const base = others.every((flows) => flowsKey(flows) === key) ? first : undefined;
  return [...patterns].flatMap((text): readonly WayOut[] => {
    if (text.includes("*")) {
      return [
        {
          to: `fqdn:${text}`,
          verdict: "unsure",
          because: [{ code: "name-not-resolved", detail: text }],
          flows: [],
          closers: [],
        },
      ];
    }
    const resolved = inventory.resolve(`fqdn:${text}`);
    const member = resolved.kind === "endpoints" ? resolved.members[0] : undefined;
    if (member === undefined) return [];
    const { must, may, because } = passing(engine, unit.endpoint, member);
    const extra = base === undefined ? must : flowSubtract(must, base);
    const families = sharedFamilies(unit.endpoint, member);
    if (!flowsEmpty(extra)) {
      const closers = closersOf(engine, "egress", unit.endpoint, member, extra);
      return [{ to: `fqdn:${text}`, verdict: "allow", because: [], flows: listFlows(extra, families), closers }];
    }
    const possible = flowIntersect(flowSubtract(may, must), CONNECTIONS);
    if (flowsEmpty(possible)) return [];
    return [{ to: `fqdn:${text}`, verdict: "unsure", because, flows: listFlows(possible, families), closers: [] }];
  });
}

// ── the outside, piece by piece ────────────────────────────────────────────────────────────────────────────────────

interface Alike {
  /** `internet`, or the ranges. */
  readonly from: string;
  readonly verdict: "allow" | "unsure";
  readonly flows: FlowSet;
  readonly because: readonly Because[];
  /** The families of the ranges. */
  readonly families: readonly Family[];
  readonly sample: Endpoint;
}

/** Ranges outside that fare alike with one endpoint, as one; those to which nothing passes are left out. */
function alike(engine: Engine, unit: Unit, outside: readonly Endpoint[], way: "in" | "out"): readonly Alike[] {
  const groups = new Map<string, { ranges: AddressRange[]; entry: Omit<Alike, "from" | "families"> }>();
  const { endpoint } = unit;
  let asked = 0;
  for (const end of outside) {
    if (end.kind !== "outside" || sharedFamilies(endpoint, end).length === 0) continue;
    asked++;
    const bounds = way === "in" ? passing(engine, end, endpoint) : passing(engine, endpoint, end);
    const unsure = flowIntersect(flowSubtract(bounds.may, bounds.must), CONNECTIONS);
    for (const [verdict, flows] of [["allow", bounds.must] as const, ["unsure", unsure] as const]) {
      if (flowsEmpty(flows)) continue;
      const key = `${verdict} ${familyFreeKey(flows, end.range.family)}`;
      const group = groups.get(key);
      const because = verdict === "unsure" ? bounds.because : [];
      if (group === undefined)
        groups.set(key, { ranges: [end.range], entry: { verdict, flows, because, sample: end } });
      else {
        group.ranges.push(end.range);
        group.entry = { ...group.entry, flows: flowUnion(group.entry.flows, flows) };
      }
    }
  }
  return [...groups.values()].map(({ ranges, entry }) => ({
    from: ranges.length === asked ? "internet" : joinedRanges(ranges).map(formatRange).join(", "),
    families: FAMILIES.filter((family) => ranges.some((range) => range.family === family)),
    ...entry,
  }));
}
