/** What every writer of `why` starts from: the answer, read once into names and places. */
import type { Because } from "../base/because.ts";
import type { Diagnostic } from "../base/diagnostic.ts";
import type { Answer, Hop, PairAnswer, Question } from "../reach/answer.ts";
import type { PolicyConsidered, Reason, RuleConsidered, SideExplanation } from "../reach/explain.ts";
import type { NorthSouthPath } from "../reach/north-south-path.ts";
import type { RequestFailure } from "../net/application.ts";
import { patternText } from "../net/path-language.ts";
import type { Direction, HttpRule, Origin, Policy } from "../policy/rule.ts";
import type { RequestRule } from "../reach/request-rules.ts";
import { objectName, policyPlace, ruleName, rulePlace, type SourcePlace } from "./origin.ts";

export interface WhyReport {
  readonly dialect: string;
  readonly complete: boolean;
  readonly question: Question;
  /** As the user wrote the request; absent where none is asked. */
  readonly http?: string;
  readonly answer: Answer;
  /** Ways from outside other than the direct one; absent where the source is nothing outside. */
  readonly paths?: readonly NorthSouthPath[];
  readonly diagnostics: readonly Diagnostic[];
}

/** One thing that decided. */
export interface DecidedBy {
  readonly direction: Direction;
  /** The end whose policy it is. */
  readonly at: string;
  readonly reason: Reason;
  /** Absent where no policy decided. */
  readonly object?: { readonly kind: string; readonly namespace?: string; readonly name: string };
  /** Absent for default deny, which is the policy's and no rule's. */
  readonly rule?: { readonly section: string; readonly index: number };
  readonly place?: SourcePlace;
}

function ofPolicy(policy: Policy): Pick<DecidedBy, "object" | "place"> {
  const place = policyPlace(policy);
  const { kind, namespace, name } = policy;
  return {
    object: { kind, ...(namespace === undefined ? {} : { namespace }), name },
    ...(place === undefined ? {} : { place }),
  };
}

function ofRule(origin: Origin): Pick<DecidedBy, "object" | "rule" | "place"> {
  const place = rulePlace(origin);
  const { kind, namespace, name, section, index } = origin;
  return {
    object: { kind, ...(namespace === undefined ? {} : { namespace }), name },
    ...(origin.document === undefined ? {} : { rule: { section, index } }),
    ...(place === undefined ? {} : { place }),
  };
}

/** What decided one side. */
export function decidedBySide(at: string, side: SideExplanation): DecidedBy[] {
  const { direction, reason } = side;
  if (reason === "default-deny") {
    return side.isolatedBy.map((policy) => ({ direction, at, reason, ...ofPolicy(policy) }));
  }
  if (side.deciders.length === 0) return [{ direction, at, reason }];
  return side.deciders.map((origin) => ({ direction, at, reason, ...ofRule(origin) }));
}

/** The sides of a path, from source to destination. */
export function sidesOf(hops: readonly Hop[]): { readonly at: string; readonly explanation: SideExplanation }[] {
  return hops.flatMap((hop) => (hop.kind === "filter" ? [{ at: hop.at, explanation: hop.explanation }] : []));
}

/** What decided a path: where it is denied, the sides that deny; else every side. */
export function decidedByPath(pair: Pick<PairAnswer, "hops" | "verdict">): DecidedBy[] {
  const sides = sidesOf(pair.hops);
  const telling = pair.verdict === "allow" ? sides : sides.filter((side) => side.explanation.verdict === pair.verdict);
  return (telling.length === 0 ? sides : telling).flatMap(({ at, explanation }) => decidedBySide(at, explanation));
}

/** What decided the whole answer, each thing once. */
export function decidedBy(answer: Answer): DecidedBy[] {
  const seen = new Map<string, DecidedBy>();
  for (const pair of answer.pairs) {
    for (const one of decidedByPath(pair)) {
      const key = JSON.stringify([one.direction, one.at, one.reason, one.object, one.rule]);
      if (!seen.has(key)) seen.set(key, one);
    }
  }
  return [...seen.values()];
}

/** One decider in a few words: `default deny, CiliumNetworkPolicy/default/service-a`. */
export function decidedText(one: DecidedBy): string {
  const object = one.object === undefined ? "" : objectName(one.object);
  const rule = one.rule === undefined ? object : `${object}#${one.rule.section}[${one.rule.index}]`;
  switch (one.reason) {
    case "rule":
      return rule;
    case "default-deny":
      return object === "" ? "default deny" : `default deny by ${object}`;
    case "always-allowed":
      return `always allowed: ${one.object?.name ?? ""}`;
    case "no-policy":
      return `no policy selects ${one.at} for ${one.direction}`;
  }
}

/** Paths of an answer that differ in nothing but the family, joined. */
export interface Path {
  readonly family: "any" | PairAnswer["family"];
  readonly pair: PairAnswer;
}

/** The paths of an answer. Two families that are answered alike, by the same rules, are one path. */
export function pathsOf(answer: Answer): Path[] {
  const out = new Map<string, Path>();
  for (const pair of answer.pairs) {
    const key = JSON.stringify([
      pair.from.name,
      pair.to.name,
      pair.port,
      pair.verdict,
      pair.because,
      pair.applicationLimited,
      pair.hops.map(hopKey),
    ]);
    const known = out.get(key);
    out.set(key, known === undefined ? { family: pair.family, pair } : { family: "any", pair: known.pair });
  }
  const paths = [...out.values()];
  // An answer for one family alone says which.
  const families = new Set(answer.pairs.map((pair) => pair.family));
  return families.size < 2 ? paths.map(({ pair }) => ({ family: pair.family, pair })) : paths;
}

function hopKey(hop: Hop): unknown {
  if (hop.kind === "rewrite") return [hop.service, hop.detail];
  if (hop.kind !== "filter") return [hop.kind, hop.at, hop.detail, hop.verdict];
  const { at, explanation: e } = hop;
  return [
    at,
    hop.when,
    e.verdict,
    e.reason,
    e.deciders.map(ruleName),
    e.considered.map((c) => [objectName(c.policy), c.policy.path, c.rules.map((r) => [r.peer, r.port, r.application])]),
  ];
}

/** Why one rule did or did not apply, in a few words. */
export function standing(rule: RuleConsidered): string {
  if (rule.dead !== undefined) return `names it, but no look-up teaches it${rule.port ? "" : ", port does not match"}`;
  const peer = { yes: "peer matches", no: "peer does not match", maybe: "peer may match" };
  const port = rule.port ? "port matches" : "port does not match";
  const request = { yes: "", no: ", request refused", maybe: ", request may be refused" };
  const proxy = rule.misread === true ? ", its proxy cannot read what is sent" : request[rule.application];
  return `${peer[rule.peer]}, ${port}${rule.port ? proxy : ""}`;
}

/** How many rules for requests are told of one rule. */
const REQUESTS_TOLD = 8;

/** Rules for requests, those that match or fail on the least first, and how many are left out. */
export function toldRequests({ requests }: RuleConsidered): {
  readonly told: readonly RequestRule[];
  readonly more: number;
} {
  const told = requests.toSorted((a, b) => a.failures.length - b.failures.length).slice(0, REQUESTS_TOLD);
  return { told, more: requests.length - told.length };
}

/** A rule for requests as it is written: `method GET, path /public/.*`. */
export function httpRuleText({ method, path, host, headers }: HttpRule): string {
  const parts = [
    ...(method === undefined ? [] : [`method ${patternText(method)}`]),
    ...(path === undefined ? [] : [`path ${patternText(path)}`]),
    ...(host === undefined ? [] : [`host ${patternText(host)}`]),
    ...headers.map(({ name, value, secret, mismatch }) => {
      const wanted = value === undefined ? (secret === undefined ? "" : `: of Secret ${secret}`) : `: ${value}`;
      return `header ${name}${wanted}${mismatch === undefined ? "" : ` (else ${mismatch})`}`;
    }),
  ];
  return parts.length === 0 ? "any request" : parts.join(", ");
}

/** What became of a request under one rule: `matches`, `nearly: path is /admin`. */
export function requestStanding({ verdict, failures }: RequestRule): string {
  if (verdict === "yes") return "matches";
  const parts = new Set(failures.map(({ part, demand }) => (part === "header" ? `header ${demand}` : part)));
  const said = failures.map(failureText).join(", ");
  if (verdict === "maybe") return `may match: ${said}`;
  return `${parts.size === 1 ? "nearly" : "no"}${said === "" ? "" : `: ${said}`}`;
}

function failureText({ part, demand, actual }: RequestFailure): string {
  switch (part) {
    case "header": {
      const name = demand.replace(/^not /, "").split(":")[0] ?? "";
      return actual === undefined ? `header ${name} is not sent` : `header ${name} is ${actual}`;
    }
    case "method":
    case "path":
    case "host":
      return actual === undefined ? `${part} is not told` : `${part} is ${actual}`;
    case "request":
      return `the proxy refuses the request ${actual ?? ""}`.trimEnd();
    default:
      return `${demand} decides`;
  }
}

/** Names that a rule allows and that nobody can learn, each once. */
export function deadNamesOf(
  answer: Answer,
): readonly { readonly rule: Origin; readonly name: string; readonly lookUps: readonly Origin[] }[] {
  const found = new Map<
    Origin,
    { readonly rule: Origin; readonly name: string; readonly lookUps: readonly Origin[] }
  >();
  for (const { explanation } of answer.pairs.flatMap(({ hops }) => sidesOf(hops)))
    for (const { rule, dead } of explanation.considered.flatMap(({ rules }) => rules))
      if (dead !== undefined) found.set(rule.origin, { rule: rule.origin, ...dead });
  return [...found.values()];
}

/** What a policy does to the direction, in a few words. */
export function isolationText(considered: PolicyConsidered, direction: Direction): string {
  const selects = considered.selects === "maybe" ? "may select it, and then " : "";
  switch (considered.isolation) {
    case "closed":
      return `${selects}closes ${direction}: what no rule allows is denied`;
    case "open":
      return `${selects}has rules for ${direction} and leaves the rest open`;
    case "untouched":
      return `${selects}says nothing about ${direction}`;
  }
}

export function becauseText(because: readonly Because[]): string {
  return because.map(({ code, detail }) => `${code}: ${detail}`).join("; ");
}
