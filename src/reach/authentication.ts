/**
 * Mutual authentication as a condition (cilium.md 4.6). A flow has the mode that the most specific of its allows names;
 * one that names none inherits (R4.6.2). Whether peers authenticate cannot be judged offline (R4.6.1).
 */
import { mergeBecause } from "../base/because.ts";
import { EVERYTHING } from "../net/application.ts";
import {
  type FlowSet,
  flowIntersect,
  flowsEmpty,
  flowSubtract,
  flowUnion,
  NO_FLOWS,
  overrideApplication,
  portFlows,
  restrictFamilies,
} from "../net/flow-set.ts";
import { portDomain } from "../net/protocol.ts";
import type { PortMatch, Rule, Traffic } from "../policy/rule.ts";
import type { Bounded } from "./bounded.ts";
import { FAMILY_LISTS } from "./matching.ts";
import type { RuleMatch } from "./rule-match.ts";

type Mode = NonNullable<Rule["authentication"]>;
const MODES: readonly Mode[] = ["required", "disabled", "fail"];

/** The mode that one allow names for some flows. */
interface Demand {
  readonly mode: Mode;
  /** Longer prefixes of ports first, then named peers before everybody (R4.2.2). */
  readonly rank: number;
  readonly sure: FlowSet;
  readonly may: FlowSet;
}

/** What passes of `allows` once the modes that the matching allows name are heeded. */
export function authenticate(matches: readonly RuleMatch[], allows: Bounded): Bounded {
  if (matches.every(({ rule }) => rule.authentication === undefined || rule.authentication === "disabled"))
    return allows;
  const demands = matches.flatMap(demandsOf);
  let waits: FlowSet = NO_FLOWS;
  let fails: FlowSet = NO_FLOWS;
  for (const rank of [...new Set(demands.map((demand) => demand.rank))].sort((a, b) => a - b)) {
    const level = demands.filter((demand) => demand.rank === rank);
    const settled = (mode: Mode): FlowSet => {
      const own = union(level.filter((d) => d.mode === mode).map((d) => d.sure));
      const others = union(level.filter((d) => d.mode !== mode).map((d) => d.may));
      return flowSubtract(own, others);
    };
    const all = union(MODES.map(settled));
    const contested = flowSubtract(union(level.map((d) => d.may)), all);
    const demanding = union(level.filter((d) => d.mode !== "disabled").map((d) => d.may));
    // Where the mode is only perhaps disabled, there is nothing to wait for unless something wider demands it.
    const unclear = flowIntersect(contested, union([demanding, waits, fails]));
    waits = union([flowSubtract(waits, all), settled("required"), unclear]);
    fails = union([flowSubtract(flowSubtract(fails, all), unclear), settled("fail")]);
  }
  const must = flowSubtract(flowSubtract(allows.must, waits), fails);
  const may = flowSubtract(allows.may, fails);
  const isWaiting = !flowsEmpty(flowIntersect(may, waits));
  const because = isWaiting
    ? mergeBecause(allows.because, [{ code: "authentication", detail: "mutual authentication required" }])
    : allows.because;
  return { must, may, because };
}

function union(sets: readonly FlowSet[]): FlowSet {
  return sets.reduce(flowUnion, NO_FLOWS);
}

function demandsOf(match: RuleMatch): readonly Demand[] {
  const { rule, peer } = match;
  const mode = rule.authentication;
  if (mode === undefined || rule.action !== "allow") return [];
  const isEverybody = rule.peers.every((one) => one.kind === "any");
  return rule.traffic.map((item): Demand => {
    return {
      mode,
      rank: 2 * prefixLength(item.match) + (isEverybody ? 0 : 1),
      sure: restrictFamilies(flowsOf(item, rule, match.sure), FAMILY_LISTS[peer.yes]),
      may: restrictFamilies(flowsOf(item, rule, match.flows), FAMILY_LISTS[peer.may]),
    };
  });
}

/** The flows of one port item, whatever its application rules say; those of a name are what the other items leave. */
function flowsOf(item: Traffic, rule: Rule, flows: FlowSet): FlowSet {
  const whole = overrideApplication(flows, flows, EVERYTHING);
  if (item.match.kind === "any") return whole;
  if (item.match.kind !== "named") return numbered(item.match);
  return rule.traffic.reduce((left, one) => flowSubtract(left, numbered(one.match)), whole);
}

function numbered(match: PortMatch): FlowSet {
  switch (match.kind) {
    case "ports":
      return portFlows(match.protocol, match.first, match.last);
    case "icmp":
      return portFlows(match.family === "IPv4" ? "ICMP" : "ICMPv6", match.first, match.last, [match.family]);
    case "protocol": {
      const { first, last } = portDomain(match.protocol);
      return portFlows(match.protocol, first, last);
    }
    case "any":
    case "named":
      return NO_FLOWS;
  }
}

/** How many bits of protocol and port the key of an item fixes: none of no port item, 2 of a protocol alone. */
function prefixLength(match: PortMatch): number {
  switch (match.kind) {
    case "any":
      return 0;
    case "protocol":
      return 2;
    case "named":
      return 18;
    case "icmp":
      return match.first === match.last ? 18 : 2;
    case "ports":
      return 18 - Math.ceil(Math.log2(match.last - match.first + 1));
  }
}
