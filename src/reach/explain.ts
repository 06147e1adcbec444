/** Why one side of a connection is as it is: every policy that selects the end, every rule, and what decided. */

import { type Because, mergeBecause } from "../base/because.ts";
import { type Ternary, ternaryOr } from "../base/ternary.ts";
import type { Family } from "../net/address.ts";
import {
  type Application,
  type ApplicationQuestion,
  applicationBecause,
  applicationHas,
  EVERYTHING,
} from "../net/application.ts";
import { type FlowSet, flowAt } from "../net/flow-set.ts";
import type { Protocol } from "../net/protocol.ts";
import type { Direction, Isolation, Origin, Policy, PolicySet, Rule, Traffic } from "../policy/rule.ts";
import type { Bounded } from "./bounded.ts";
import type { Endpoint } from "./endpoint.ts";
import type { View } from "./matching.ts";
import { type RequestRule, requestRules } from "./request-rules.ts";
import type { RuleMatch } from "./rule-match.ts";
import { rulePeersKey, type Sides } from "./side.ts";

/** One flow: a point in the space of flows, with what is known above the port. */
export interface FlowPoint {
  readonly family: Family;
  readonly protocol: Protocol;
  /** Port, or ICMP type; 0 for protocols that have neither. */
  readonly port: number;
  readonly application?: ApplicationQuestion;
}

export type Verdict = "allow" | "deny" | "unsure";

/** What decided: `rule`, default deny (every policy that isolates), no policy, or a rule that always holds. */
export type Reason = "rule" | "default-deny" | "no-policy" | "always-allowed";

/** How one rule stands towards the flow. */
export interface RuleConsidered {
  readonly rule: Rule;
  readonly peer: Ternary;
  readonly port: boolean;
  /** Whether its application rules pass the request; `yes` where it has none or none is asked. */
  readonly application: Ternary;
  /** Its proxy at the port reads something else than what is sent (cilium.md R6.2.1); absent: it can read it, or has none. */
  readonly misread?: true;
  /** Its rules for requests at the port, held against the request; none where none is asked or read, or it has none. */
  readonly requests: readonly RequestRule[];
  /** The rule allows the name that is dialled, and no look-up of it passes one of these rules (cilium.md R7.3.1). */
  readonly dead?: { readonly name: string; readonly lookUps: readonly Origin[] };
}

export interface PolicyConsidered {
  readonly policy: Policy;
  readonly selects: "yes" | "maybe";
  readonly isolation: Isolation;
  readonly rules: readonly RuleConsidered[];
}

export interface SideExplanation {
  readonly direction: Direction;
  readonly verdict: Verdict;
  readonly reason: Reason;
  /** The rules that decided; for default deny, none (see `isolatedBy`). */
  readonly deciders: readonly Origin[];
  /** The policies that close the direction. */
  readonly isolatedBy: readonly Policy[];
  readonly considered: readonly PolicyConsidered[];
  readonly because: readonly Because[];
  /** The connection is established, and a proxy refuses the request. */
  readonly refusedByProxy: boolean;
}

/** The verdict of a bounded set on one flow. */
export function pointVerdict(bounds: Bounded, point: FlowPoint): Verdict {
  const must = passes(bounds.must, point);
  if (must === "yes") return "allow";
  return passes(bounds.may, point) === "no" ? "deny" : "unsure";
}

function passes(set: FlowSet, point: FlowPoint): Ternary {
  const application = flowAt(set, point.family, point.protocol, point.port);
  if (application === undefined) return "no";
  return applicationPasses(application, point.application);
}

/** Without a question above the port, the question is whether the connection is established. */
export function applicationPasses(application: Application, question: ApplicationQuestion | undefined): Ternary {
  if (application === EVERYTHING) return "yes";
  if (question !== undefined) return applicationHas(application, question);
  // The proxy answers the handshake even where it refuses every request (cilium.md R6.2.1); an opaque rule may not.
  const opaque = application.clauses.every((clause) => clause.opaque?.some(({ code }) => code === OPAQUE) === true);
  return opaque && application.clauses.length > 0 ? "maybe" : "yes";
}

const OPAQUE: Because["code"] = "opaque-application-rule";

/** Why a flow is unsure: what the bounds differ for, and what no one can judge above the port. */
export function doubts(bounds: Bounded, point: FlowPoint): readonly Because[] {
  const application = flowAt(bounds.may, point.family, point.protocol, point.port);
  const above = application === undefined ? [] : applicationBecause(application);
  const all = mergeBecause(bounds.because, above);
  if (all.length > 0) return all;
  return [{ code: "application-rule", detail: "a part of the request that is not told" }];
}

/** Explains one side. */
export function explainSide(
  sides: Sides,
  direction: Direction,
  self: View,
  other: View,
  point: FlowPoint,
): SideExplanation {
  const bounds = sides.evaluate(direction, self, other);
  const { application: _, ...connection } = point;
  const stand = consider(sides, direction, self, other, point);
  const { considered, isolatedBy, hits, closed } = stand;
  const above = pointVerdict(bounds, point);
  const isAlways = sides.always(direction, self, other).length > 0;
  const parsed = above !== "deny" ? misread(sides, stand, point, !closed || isAlways) : undefined;
  const judged = parsed ?? above;
  const established = point.application === undefined ? judged : pointVerdict(bounds, connection);
  const decided =
    judged === "deny"
      ? decideAnywhere(sides, direction, self, other, point, stand)
      : decide(sides, direction, self, other, point, judged, stand);
  const isCodeAsked = judged === "deny" && isFragmentation(sides.policies, point);
  const verdict = isCodeAsked ? "unsure" : judged;
  return {
    direction,
    verdict,
    ...decided,
    isolatedBy,
    considered,
    because:
      verdict !== "unsure"
        ? []
        : isCodeAsked
          ? [FRAGMENTATION]
          : parsed === undefined
            ? doubts(bounds, point)
            : hits
                .flatMap(({ rule }) => stand.matches.find((match) => match.rule === rule) ?? [])
                .filter((match) => certainty(match, point) === "maybe")
                .reduce<readonly Because[]>((all, { peer }) => mergeBecause(all, peer.because), [MISREAD]),
    refusedByProxy: verdict === "deny" && established !== "deny",
  };
}

/** How every rule of one side stands towards a flow. */
interface Stand {
  readonly considered: readonly PolicyConsidered[];
  readonly isolatedBy: readonly Policy[];
  readonly matches: readonly RuleMatch[];
  /** The rules that may hold, with what binds their application rules. */
  readonly hits: readonly Hit[];
  /** What each rule has at the port; none where nothing above the port is asked. */
  readonly items: ReadonlyMap<Rule, readonly Traffic[]>;
  readonly closed: boolean;
  readonly enforced: boolean;
}

/** Whether the other end is one of a rule's peers. */
function certainty(match: RuleMatch | undefined, { family }: FlowPoint): Ternary {
  const bit = family === "IPv4" ? 1 : 2;
  return match === undefined || (match.peer.may & bit) === 0 ? "no" : (match.peer.yes & bit) !== 0 ? "yes" : "maybe";
}

function consider(sides: Sides, direction: Direction, self: View, other: View, point: FlowPoint): Stand {
  const subject = sides.subject(self);
  const policies = subject.selections.map((s) => s.policy);
  const destination = direction === "ingress" ? self.endpoint : other.endpoint;
  const byTier = new Map(
    sides.policies.tiers.map(({ name }) => [name, sides.matches(direction, policies, self, other, name).byPolicy]),
  );

  const itemsOf = new Map<Rule, readonly Traffic[]>();
  const considered = subject.selections.map(({ policy, selects }): PolicyConsidered => {
    const matches = byTier.get(policy.tier)?.get(policy) ?? [];
    const rules = policy.rules
      .filter((r) => r.direction === direction)
      .map((rule): RuleConsidered => {
        const match = matches.find((m) => m.rule === rule);
        const application = flowAt(sides.matching.flows(rule, destination), point.family, point.protocol, point.port);
        const { http } = point.application ?? {};
        const items = point.application === undefined ? [] : itemsAt(rule, sides, destination, point);
        itemsOf.set(rule, items);
        const isMisread = isUnreadable(items, point.application);
        const named = direction === "egress" && other.endpoint.kind === "name" ? other.endpoint.dnsName : undefined;
        return {
          rule,
          peer: certainty(match, point),
          port: application !== undefined,
          application:
            application === undefined || isMisread ? "no" : applicationPasses(application, point.application),
          ...(isMisread ? { misread: true as const } : {}),
          requests: http === undefined || isMisread ? [] : requestRules(items, http),
          ...(named !== undefined && sides.matching.isDead(rule, named, self)
            ? { dead: { name: named.slice(0, -1), lookUps: sides.matching.lookUps(self) } }
            : {}),
        };
      });
    return { policy, selects, isolation: policy.isolation[direction], rules };
  });

  const isolatedBy = considered.filter((c) => c.isolation === "closed").map((c) => c.policy);
  const closed = isolatedBy.length > 0 || subject.closed;
  const matches = [...byTier.values()].flatMap((byPolicy) => [...byPolicy.values()].flat());
  const bound = isLifted(sides, closed)
    ? []
    : sides.boundByNames(matches, self, other).filter((m) => !matches.includes(m));
  const boundApplication = ({ origin }: Rule): Ternary =>
    bound.reduce<Ternary>((answer, match) => {
      if (match.rule.origin !== origin || certainty(match, point) === "no") return answer;
      const application = flowAt(match.flows, point.family, point.protocol, point.port);
      return application === undefined ? answer : ternaryOr(answer, applicationPasses(application, point.application));
    }, "no");
  const hits = considered.flatMap(({ policy, rules }) =>
    rules
      .filter((r) => r.peer !== "no" && r.port)
      .map((r): Hit => {
        const isBound = bound.some(({ rule }) => rule.origin === r.rule.origin);
        return { ...r, policy, ...(isBound ? { application: boundApplication(r.rule) } : {}) };
      }),
  );
  const enforced = closed || considered.some((c) => c.isolation === "open");
  return { considered, isolatedBy, matches, hits, items: itemsOf, closed, enforced };
}

/** Where nothing closes the direction, a rule that matches everything joins the rules' own (cilium.md R4.3.7). */
function isLifted({ policies }: Sides, closed: boolean): boolean {
  return !closed && (policies.openApplication?.http ?? "lifted") === "lifted";
}

/** The items of a rule that hold at the point's port. */
function itemsAt(rule: Rule, { matching }: Sides, destination: Endpoint, point: FlowPoint): readonly Traffic[] {
  return rule.traffic.filter((item) => {
    const flows = matching.flows({ ...rule, traffic: [item] }, destination);
    return flowAt(flows, point.family, point.protocol, point.port) !== undefined;
  });
}

type Hit = RuleConsidered & { readonly policy: Policy };

const FRAGMENTATION: Because = {
  code: "not-told-apart",
  detail: "ICMP type 3: code 4 passes whatever the policies say",
};

/** Whether the flow may be "fragmentation needed": a question names the type of ICMP, and no code. */
export function isFragmentation({ fragmentationPasses }: PolicySet, { protocol, port }: FlowPoint): boolean {
  return fragmentationPasses === true && protocol === "ICMP" && port === 3;
}

const MISREAD: Because = { code: OPAQUE, detail: "something else on a port that a proxy reads as HTTP or DNS" };

/**
 * What becomes of a TLS handshake on a port where rules for requests stand, and of either on one where rules for
 * look-ups do: where they take the connection, the proxy cannot read it and refuses it, whatever the rules say of requests
 * or names (cilium.md R6.2.1, R7.2.1). Undefined where they do not take it, or no such rule stands there.
 */
function misread(
  sides: Sides,
  { hits, items: itemsOf }: Stand,
  point: FlowPoint,
  hasPlain: boolean,
): Verdict | undefined {
  const { application: question } = point;
  if (question === undefined) return undefined;
  const items = hits
    .filter((h) => h.rule.action === "allow")
    .flatMap(({ rule, peer }) => (itemsOf.get(rule) ?? []).map((item) => ({ rule, item, isSure: peer === "yes" })));
  const strength = sides.policies.takes === "preferred-parser" ? preference : narrowness;
  const readers = items.filter(({ item }) => readsElse(item, question));
  // An item is never there without a stronger reader for the same peers.
  const rivals = items.filter(
    ({ rule, item }) =>
      !readsElse(item, question) &&
      (isOpaque(item) || !readers.some((one) => strength(one.item) > strength(item) && haveSamePeers(one.rule, rule))),
  );
  if (readers.length === 0) return undefined;
  if (rivals.length === 0 && !hasPlain) return "deny";
  const strongest = (list: typeof items): number => Math.max(...list.map(({ item }) => strength(item)), -1);
  const sure = (list: typeof items): typeof items => list.filter(({ isSure }) => isSure);
  const plain = hasPlain ? 0 : -1;
  if (rivals.some(({ item }) => isOpaque(item))) return "unsure";
  if (strongest(sure(readers)) > Math.max(strongest(rivals), plain)) return "deny";
  if (Math.max(strongest(sure(rivals)), plain) > strongest(readers)) return undefined;
  return "unsure";
}

function haveSamePeers(a: Rule, b: Rule): boolean {
  return a === b || rulePeersKey(a) === rulePeersKey(b);
}

function isOpaque({ application = [] }: Traffic): boolean {
  return application.some(({ kind }) => kind === "opaque");
}

/** Whether the parser of the item reads something else: DNS what is no query, HTTP what begins with a TLS handshake. */
function readsElse(item: Traffic, question: ApplicationQuestion): boolean {
  if (isOpaque(item)) return false;
  return (
    item.application?.some(
      ({ kind }) =>
        (kind === "http" && question.isNoRequest === true) || (kind === "dns" && question.dns === undefined),
    ) === true
  );
}

/** Whether all that a rule has at a port reads something else. */
function isUnreadable(items: readonly Traffic[], question: ApplicationQuestion | undefined): boolean {
  return question !== undefined && items.length > 0 && items.every((item) => readsElse(item, question));
}

/** Which parser is preferred (cilium.md R4.2.3). */
function preference({ application = [] }: Traffic): number {
  const kinds = application.map(({ kind }) => kind);
  if (kinds.includes("http")) return 3;
  if (kinds.includes("tls")) return 2;
  return kinds.includes("dns") ? 1 : 0;
}

/** A port before a range before every port of a protocol before everything (cilium.md R4.2.1, R4.2.2). */
function narrowness({ match }: Traffic): number {
  switch (match.kind) {
    case "any":
      return 0;
    case "protocol":
      return 1;
    case "ports":
      if (match.first === match.last) return 3;
      return match.first <= 1 && match.last === 65535 ? 1 : 2;
    default:
      return 3;
  }
}

interface Decided {
  readonly reason: Reason;
  readonly deciders: readonly Origin[];
}

/**
 * The hits that decide in an ordered tier: the first of every policy of the lowest order, in each sequence, for between
 * sequences no order is defined (kubernetes.md CNP-18, CNP-20, CNP-35).
 */
function firstHits(hits: readonly Hit[]): readonly Hit[] {
  return hits.filter((hit, i) => {
    const rivals = hits.filter(({ policy }) => policy.sequence === hit.policy.sequence);
    const isLowest = rivals.every(({ policy }) => policy.order >= hit.policy.order);
    return isLowest && hits.findIndex(({ policy }) => policy === hit.policy) === i;
  });
}

/** What denies a flow; where nobody told the other end's address, wherever it may be. */
function decideAnywhere(
  sides: Sides,
  direction: Direction,
  self: View,
  other: View,
  point: FlowPoint,
  stand: Stand,
): Decided {
  const places = sides.placesOf(direction, self, other);
  const [here, ...elsewhere] = places.map((place) =>
    decide(
      sides,
      direction,
      self,
      place,
      point,
      "deny",
      place === other ? stand : consider(sides, direction, self, place, point),
    ),
  );
  if (here === undefined) return { reason: "no-policy", deciders: [] };
  return elsewhere.reduce(
    (all, { reason, deciders }) => ({
      reason: all.reason === "rule" ? all.reason : reason,
      deciders: [...all.deciders, ...deciders.filter((one) => !all.deciders.includes(one))],
    }),
    here,
  );
}

function decide(
  sides: Sides,
  direction: Direction,
  self: View,
  other: View,
  point: FlowPoint,
  verdict: Verdict,
  { hits, closed, enforced }: Stand,
): Decided {
  const origins = (list: readonly Hit[]): Origin[] => list.map((h) => h.rule.origin);
  const passedBy: Origin[] = [];
  const byRule = (list: readonly Hit[]): Decided => ({ reason: "rule", deciders: [...passedBy, ...origins(list)] });
  const by = (reason: Reason, deciders: readonly Origin[]): Decided =>
    passedBy.length > 0 ? byRule([]) : { reason, deciders };
  for (const tier of sides.policies.tiers) {
    const own = hits.filter((h) => h.policy.tier === tier.name);
    if (tier.mode === "ordered") {
      const first = firstHits(own);
      const final = first.filter((h) => h.rule.action !== "pass");
      if (final.length === 0) continue;
      if (final.length === first.length) return byRule(final);
      // In another order a rule that passes the tier on comes first; what decides then is behind it.
      passedBy.push(...origins(final));
      continue;
    }
    const touched = hits.some((h) => h.policy.tier === tier.name);
    if (!enforced && !touched) continue;
    const denies = own.filter((h) => h.rule.action === "deny");
    const allows = own.filter((h) => h.rule.action === "allow");
    // Audit mode lets pass what these deny, and they decide all the same (cilium.md R4.3.9).
    if (denies.length > 0 && (verdict !== "allow" || sides.policies.audit)) {
      const certain = denies.filter((h) => h.peer === "yes");
      // Where it is not known whether any of them denies, the allows that let nothing pass deny as well.
      const refusing = certain.length > 0 || verdict !== "deny" ? [] : allows.filter((h) => h.application !== "yes");
      return byRule([...denies, ...refusing]);
    }
    const passing = allows.filter((h) => isLifted(sides, closed) || h.application !== "no");
    const always = sides
      .always(direction, self, other)
      .filter((m) => flowAt(m.flows, point.family, point.protocol, point.port) !== undefined);
    const byAlways = (list: readonly RuleMatch[]): Decided =>
      by(
        "always-allowed",
        list.map((m) => m.rule.origin),
      );
    const bit = point.family === "IPv4" ? 1 : 2;
    const certain = always.filter((m) => (m.peer.yes & bit) !== 0);
    if (sides.policies.alwaysFirst === true && closed && certain.length > 0 && verdict !== "deny") {
      return byAlways(certain);
    }
    if (verdict !== "deny" && passing.length > 0) return byRule(passing);
    if (enforced && always.length > 0 && verdict !== "deny") return byAlways(always);
    if (allows.length > 0 && verdict === "deny") return byRule(allows);
    if (closed) return by("default-deny", []);
  }
  return by("no-policy", []);
}
