/**
 * The application part of a flow as an exact set: which HTTP requests, TLS server names and DNS queries pass
 * (cilium.md 5, 6, 7). A value is a finite union of clauses; a clause is a conjunction of optional parts. Operations
 * keep patterns as they are written, so that membership of a concrete request is always decided exactly; automata
 * answer only the questions about whole sets.
 *
 * The parts are independent: the sets are those of a space in which every flow has a request, a server name and a
 * query, and a question tells some of them. What no one can decide offline is an opaque part of a clause.
 */

import { type Because, mergeBecause } from "../base/because.ts";
import { type Ternary, ternaryAnd, ternaryNot, ternaryOr } from "../base/ternary.ts";
import {
  ANY_REQUEST,
  boxComplement,
  boxCovers,
  boxFailures,
  boxHas,
  boxIntersect,
  boxIsAnything,
  boxKey,
  boxOf,
  boxSize,
  findRequest,
  findWithin,
  type HttpBox,
  type HttpPattern,
  type RequestFailure,
  type Work,
} from "./http-box.ts";
import { NAMES, normaliseRequest, type Request } from "./http-request.ts";
import { ANY_SHOWN, type ShownBox, shownBoxes } from "./http-shown.ts";
import { type Literal, patternMatches, patternRefusal, patternText, patternWords } from "./path-language.ts";

export type { HeaderLiteral, HeaderPattern, HttpBox, HttpPattern, RequestFailure, RequestPart } from "./http-box.ts";
export { normalisePath, normaliseRequest, type Request } from "./http-request.ts";
export type { ShownBox } from "./http-shown.ts";
export type { Literal } from "./path-language.ts";

/** What is known of a concrete flow above the port. A part that is absent is not told. */
export interface ApplicationQuestion {
  readonly http?: Request;
  /** `serverName` absent: the client sends none. */
  readonly tls?: { readonly serverName?: string };
  readonly dns?: { readonly name: string };
  /** What is sent is certainly no HTTP. */
  readonly isNoRequest?: true;
}

/** A DNS name or pattern, as in the rule form. */
export interface NameExpression {
  readonly text: string;
  /** Anchored, over the lower-case name with trailing dot. */
  readonly expression: string;
}

/** The name matches one of the patterns (no pattern: never); or, negated, none. */
export interface NameLiteral {
  readonly names: readonly NameExpression[];
  readonly negated: boolean;
}

/** A conjunction. A part that is absent demands nothing; `{}` is everything. */
export interface Clause {
  readonly http?: HttpBox;
  readonly tls?: readonly NameLiteral[];
  readonly dns?: readonly NameLiteral[];
  /** What cannot be decided offline; the clause holds at most "maybe". Never empty. */
  readonly opaque?: readonly Because[];
}

/** A union of clauses; none is nothing. Build it only with the functions of this file. */
export interface Application {
  readonly clauses: readonly Clause[];
  /** Equal keys mean equal sets. */
  readonly key: string;
}

/** The application rules of a policy, as far as this file reads them; the rule form's `ApplicationRule` fits. */
export type ApplicationPattern =
  | { readonly kind: "http"; readonly rules: readonly HttpPattern[] }
  | { readonly kind: "dns"; readonly names: readonly NameExpression[] }
  | { readonly kind: "tls"; readonly serverNames: readonly NameExpression[] }
  | { readonly kind: "opaque"; readonly what: string };

export interface ClauseExplanation {
  readonly clause: Clause;
  readonly verdict: Ternary;
  /** The demands that are not met, or only maybe; none where the verdict is "yes". */
  readonly failures: readonly RequestFailure[];
}

export const APPLICATION_LIMITS = {
  /** Clauses of a value. What is beyond them is one opaque clause with the code `pattern-limit`. */
  clauses: 1_000,
  /** Steps of one operation: those of its searches, and what follows. */
  work: 10_000_000,
  /** Steps that comparing a clause with another counts for. */
  comparison: 5,
  /** Steps that meeting or cutting one clause with another counts for, and each demand in it. */
  cut: 50,
  demand: 20,
} as const;

export const EVERYTHING: Application = { clauses: [{}], key: "*" };
export const NOTHING: Application = { clauses: [], key: "" };

// -- names -----------------------------------------------------------------------------------------------------------

/** A name as expressions read it: lower case, with a trailing dot. */
function canonicalName(name: string): string {
  const lower = name.toLowerCase();
  return lower.endsWith(".") ? lower : `${lower}.`;
}

/** Names are kept apart by what they match and how they are written, so that answers show the spelling of the rule. */
function namesKey(literal: NameLiteral): string {
  const names = literal.names.map((n) => JSON.stringify([n.expression, n.text])).toSorted();
  return `${literal.negated ? "!" : "="}${names.join()}`;
}

/** The literal as a conjunction over one pattern each. */
function nameLiterals(literal: NameLiteral): readonly Literal[] {
  const { names, negated } = literal;
  if (negated) return names.map((n) => ({ pattern: n.expression, negated }));
  const [only] = names;
  const pattern = names.length === 1 && only ? only.expression : names.map((n) => `(?:${n.expression})`).join("|");
  return [{ pattern, negated }];
}

function namesHold(literal: NameLiteral, name: string): boolean {
  return literal.names.some((n) => patternMatches(n.expression, name)) !== literal.negated;
}

/** The pattern of every name, as compilers write it. */
const EVERY_NAME = /^\^?\.\*\$?$/;

function demandsNothing(literal: NameLiteral): boolean {
  return literal.negated ? literal.names.length === 0 : literal.names.some((n) => EVERY_NAME.test(n.expression));
}

/** A conjunction of demands on a query's name without what it need not say; undefined where it is seen to be empty. */
function simplifyQuery(literals: readonly NameLiteral[]): readonly NameLiteral[] | undefined {
  return simplifyNames(literals.filter((l) => !demandsNothing(l)));
}

/** As above for server names, where even the pattern of every name asks for one. */
function simplifyNames(literals: readonly NameLiteral[]): readonly NameLiteral[] | undefined {
  const unique = new Map<string, NameLiteral>();
  for (const literal of literals) {
    if (!literal.negated || literal.names.length > 0) unique.set(namesKey(literal), literal);
  }
  const kept = [...unique].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, l]) => l);
  const out = new Map<string, NameLiteral>();
  for (const literal of kept) {
    if (literal.negated) {
      out.set(namesKey(literal), literal);
      continue;
    }
    // An exact name stays only where every other demand lets it through.
    const names = literal.names.filter((name) => {
      const words = patternWords(name.expression);
      if (words === undefined)
        return !kept.some((l) => l.negated && l.names.some((n) => n.expression === name.expression));
      return words.some((word) => kept.every((l) => namesHold(l, word)));
    });
    if (names.length === 0) return undefined;
    const filtered = names.length === literal.names.length ? literal : { names, negated: false };
    out.set(namesKey(filtered), filtered);
  }
  return [...out.values()];
}

function namesFollow(literal: NameLiteral, inner: readonly NameLiteral[]): boolean {
  const expressions = new Set(literal.names.map((n) => n.expression));
  return inner.some((l) => {
    if (literal.negated)
      return l.negated && literal.names.every((n) => l.names.some((m) => m.expression === n.expression));
    return !l.negated && l.names.every((n) => expressions.has(n.expression));
  });
}

// -- clauses ---------------------------------------------------------------------------------------------------------

const keys = new WeakMap<Clause, string>();

function clauseKey(clause: Clause): string {
  const known = keys.get(clause);
  if (known !== undefined) return known;
  const key = JSON.stringify([
    clause.http === undefined ? "" : boxKey(clause.http),
    (clause.tls ?? []).map(namesKey),
    (clause.dns ?? []).map(namesKey),
    (clause.opaque ?? []).map((b) => `${b.code} ${b.detail}`).toSorted(),
  ]);
  keys.set(clause, key);
  return key;
}

/** Puts the parts together; undefined where a name part is seen to be empty. */
function clauseOf(
  http: HttpBox,
  tls: readonly NameLiteral[],
  dns: readonly NameLiteral[],
  opaque: readonly Because[],
): Clause | undefined {
  const server = simplifyNames(tls);
  const query = simplifyQuery(dns);
  if (server === undefined || query === undefined) return undefined;
  // One reason once, however many demands of a rule share it: else the key hangs on the order of what is put together.
  const reasons = opaque.filter(
    (one, i) => opaque.findIndex((b) => b.code === one.code && b.detail === one.detail) === i,
  );
  return {
    ...(boxIsAnything(http) ? {} : { http }),
    ...(server.length === 0 ? {} : { tls: server }),
    ...(query.length === 0 ? {} : { dns: query }),
    ...(reasons.length === 0 ? {} : { opaque: reasons }),
  };
}

function clauseIntersect(a: Clause, b: Clause): Clause | undefined {
  const http = boxIntersect(a.http ?? ANY_REQUEST, b.http ?? ANY_REQUEST);
  if (http === undefined) return undefined;
  return clauseOf(
    http,
    [...(a.tls ?? []), ...(b.tls ?? [])],
    [...(a.dns ?? []), ...(b.dns ?? [])],
    mergeBecause(a.opaque ?? [], b.opaque ?? []),
  );
}

/** Clauses whose union is what is (maybe) not in the clause: where it is opaque, it stays so. */
function clauseComplement(clause: Clause): readonly Clause[] {
  const negated = (l: NameLiteral): NameLiteral => ({ names: l.names, negated: !l.negated });
  return [
    ...boxComplement(clause.http ?? ANY_REQUEST).map((http) => clauseOf(http, [], [], [])),
    ...(clause.tls ?? []).map((l) => clauseOf(ANY_REQUEST, [negated(l)], [], [])),
    ...(clause.dns ?? []).map((l) => clauseOf(ANY_REQUEST, [], [negated(l)], [])),
    ...(clause.opaque === undefined ? [] : [clauseOf(ANY_REQUEST, [], [], clause.opaque)]),
  ].filter((each) => each !== undefined);
}

/** True only where `outer` says nothing that `inner` does not say; false where that takes a search to tell. */
function clauseCovers(outer: Clause, inner: Clause): boolean {
  if (
    outer.opaque?.some((b) => inner.opaque?.some((c) => c.code === b.code && c.detail === b.detail) !== true) === true
  ) {
    return false;
  }
  return (
    (outer.http === undefined || (inner.http !== undefined && boxCovers(outer.http, inner.http))) &&
    (outer.tls ?? []).every((l) => namesFollow(l, inner.tls ?? [])) &&
    (outer.dns ?? []).every((l) => namesFollow(l, inner.dns ?? []))
  );
}

function clauseSize(clause: Clause): number {
  return (clause.http === undefined ? 0 : boxSize(clause.http)) + (clause.tls?.length ?? 0) + (clause.dns?.length ?? 0);
}

function cutCost(clause: Clause): number {
  return APPLICATION_LIMITS.cut + APPLICATION_LIMITS.demand * clauseSize(clause);
}

function clauseIsEverything(clause: Clause): boolean {
  return (
    clause.http === undefined && clause.tls === undefined && clause.dns === undefined && clause.opaque === undefined
  );
}

type ClauseSearch =
  | { readonly kind: "word"; readonly question: ApplicationQuestion }
  | { readonly kind: "empty" }
  | { readonly kind: "limit" };

/** A question that the clause's parts, opaque ones left out, let through; or the proof that there is none. */
function findQuestion(clause: Clause, work: Work): ClauseSearch {
  let limited = false;
  let question: ApplicationQuestion = {};
  for (const part of ["tls", "dns"] as const) {
    const demands = clause[part];
    if (demands === undefined) continue;
    if (part === "tls" && demands.every((l) => l.negated)) {
      question = { ...question, tls: {} };
      continue;
    }
    const found = findWithin(work, demands.flatMap(nameLiterals), NAMES);
    if (found.kind === "empty") return found;
    if (found.kind === "limit") {
      limited = true;
      continue;
    }
    const name = found.word === "." ? found.word : found.word.slice(0, -1);
    question = part === "tls" ? { ...question, tls: { serverName: name } } : { ...question, dns: { name } };
  }
  if (clause.http !== undefined) {
    const found = findRequest(clause.http, work);
    if (found.kind === "empty") return found;
    if (found.kind === "limit") limited = true;
    else question = { ...question, http: found.request };
  }
  return limited ? { kind: "limit" } : { kind: "word", question };
}

// -- sets ------------------------------------------------------------------------------------------------------------

interface Collected {
  readonly clauses: readonly Clause[];
  /** The limit was passed, and clauses are missing. */
  readonly beyond: boolean;
}

/**
 * Adds clauses to some that do not cover each other: drops what another covers and, once there are too many, what is
 * found to be empty. Clauses keep the order in which they come.
 */
function gather(first: readonly Clause[], more: Iterable<Clause>, work: Work): Collected {
  let kept = first;
  /** How many of the first ones are known not to be empty. */
  let checked = 0;
  for (const clause of more) {
    work.left -= cutCost(clause) + kept.length * (APPLICATION_LIMITS.comparison + clauseSize(clause));
    if (work.left <= 0) return { clauses: kept, beyond: true };
    if (kept.some((c) => clauseCovers(c, clause))) continue;
    const stays = kept.map((c) => !clauseCovers(clause, c));
    checked -= stays.slice(0, checked).filter((stay) => !stay).length;
    kept = kept.filter((_, i) => stays[i] === true);
    if (kept.length >= APPLICATION_LIMITS.clauses) {
      const known = checked;
      kept = kept.filter((c, i) => i < known || findQuestion(c, work).kind !== "empty");
      checked = kept.length;
    }
    if (kept.length >= APPLICATION_LIMITS.clauses) return { clauses: kept, beyond: true };
    kept = [...kept, clause];
  }
  return { clauses: kept, beyond: false };
}

const BEYOND: Because = {
  code: "pattern-limit",
  detail: `more than ${APPLICATION_LIMITS.clauses} combinations of application rules`,
};

/**
 * A set from its clauses. What a cap left out is one more clause, opaque over everything: what the kept clauses let
 * through is still certain, and nothing else is denied.
 */
function applicationFrom(clauses: readonly Clause[], beyond: boolean): Application {
  if (clauses.some(clauseIsEverything)) return EVERYTHING;
  const all = beyond ? [...clauses.filter((c) => c.opaque?.includes(BEYOND) !== true), { opaque: [BEYOND] }] : clauses;
  if (all.length === 0) return NOTHING;
  return { clauses: all, key: all.map(clauseKey).toSorted().join("\n") };
}

function collect(clauses: Iterable<Clause>): Application {
  const { clauses: kept, beyond } = gather([], clauses, { left: APPLICATION_LIMITS.work });
  return applicationFrom(kept, beyond);
}

/** What is in one of them. */
export function applicationUnion(a: Application, b: Application): Application {
  if (a === b || b === NOTHING || a === EVERYTHING) return a;
  if (a === NOTHING || b === EVERYTHING) return b;
  if (a.key === b.key) return a;
  const { clauses, beyond } = gather(a.clauses, b.clauses, { left: APPLICATION_LIMITS.work });
  return applicationFrom(clauses, beyond);
}

/** What is in both. */
export function applicationIntersect(a: Application, b: Application): Application {
  if (a === b || a === NOTHING || b === EVERYTHING) return a;
  if (b === NOTHING || a === EVERYTHING) return b;
  if (a.key === b.key) return a;
  return collect(products(a.clauses, b.clauses));
}

function* products(a: readonly Clause[], b: readonly Clause[]): Generator<Clause> {
  for (const x of a) {
    for (const y of b) {
      const both = clauseIntersect(x, y);
      if (both !== undefined) yield both;
    }
  }
}

/** What is in `a` and not in `b`. */
export function applicationSubtract(a: Application, b: Application): Application {
  if (b === NOTHING || a === NOTHING) return a;
  if (b === EVERYTHING) return NOTHING;
  if (a.key === b.key && !isOpaque(a)) return NOTHING;
  const work: Work = { left: APPLICATION_LIMITS.work };
  let beyond = false;
  let left: readonly Clause[] = a.clauses;
  for (const clause of b.clauses) {
    const rest = cut(left, clause, work);
    left = rest.clauses;
    beyond ||= rest.beyond;
  }
  return applicationFrom(left, beyond);
}

/** The clauses without what is in `other`; one that `other` is seen not to touch stays whole. */
function cut(clauses: readonly Clause[], other: Clause, work: Work): Collected {
  const complement = clauseComplement(other);
  const whole: Clause[] = [];
  const pieces: Clause[] = [];
  for (const clause of clauses) {
    work.left -= cutCost(clause);
    if (work.left <= 0) return { clauses: [], beyond: true };
    if (clauseIntersect(clause, other) === undefined) whole.push(clause);
    else pieces.push(...products([clause], complement));
  }
  return gather(whole, pieces, work);
}

function isOpaque(a: Application): boolean {
  return a.clauses.some((c) => c.opaque !== undefined);
}

/** What certainly passes: the clauses without opaque parts. */
export function applicationMust(a: Application): Application {
  return isOpaque(a) ? collect(a.clauses.filter((c) => c.opaque === undefined)) : a;
}

/** What possibly passes: the clauses with their opaque parts left out. */
export function applicationMay(a: Application): Application {
  if (!isOpaque(a)) return a;
  return collect(a.clauses.flatMap((c) => clauseOf(c.http ?? ANY_REQUEST, c.tls ?? [], c.dns ?? [], []) ?? []));
}

/** Why `must` and `may` differ; empty where they do not. The cap on clauses shows as `pattern-limit`. */
export function applicationBecause(a: Application): readonly Because[] {
  return a.clauses.reduce<readonly Because[]>((all, c) => mergeBecause(all, c.opaque ?? []), []);
}

/**
 * Whether a concrete question is in the set. "maybe" where an opaque part decides, and where the question does not tell
 * a part (or the host) that a clause asks for. The request is normalised first; one that the proxy refuses before any
 * rule is in no clause that asks for HTTP.
 */
export function applicationHas(a: Application, question: ApplicationQuestion): Ternary {
  if (a === EVERYTHING) return "yes";
  if (a === NOTHING) return "no";
  const request = question.http && (normaliseRequest(question.http) ?? "refused");
  let verdict: Ternary = "no";
  for (const clause of a.clauses) {
    verdict = ternaryOr(verdict, clauseHas(clause, request, question));
    if (verdict === "yes") return "yes";
  }
  return verdict;
}

function clauseHas(clause: Clause, request: Request | "refused" | undefined, question: ApplicationQuestion): Ternary {
  let verdict: Ternary = clause.opaque === undefined ? "yes" : "maybe";
  if (clause.http !== undefined) {
    if (request === "refused") return "no";
    // What begins with a TLS handshake is no request, where nothing terminates it (cilium.md R6.2.1).
    if (question.isNoRequest === true && clause.opaque === undefined) return "no";
    verdict = ternaryAnd(verdict, request === undefined ? "maybe" : boxHas(clause.http, request));
  }
  for (const literal of clause.tls ?? []) verdict = ternaryAnd(verdict, serverHolds(literal, question));
  for (const literal of clause.dns ?? []) verdict = ternaryAnd(verdict, queryHolds(literal, question));
  return verdict;
}

/** A client that sends no server name meets no demand for one (cilium.md R5.9). */
function serverHolds(literal: NameLiteral, question: ApplicationQuestion): Ternary {
  if (question.tls === undefined) return "maybe";
  const { serverName } = question.tls;
  const holds = serverName === undefined ? literal.negated : namesHold(literal, canonicalName(serverName));
  return holds ? "yes" : "no";
}

/** A request or a handshake is no query, and meets no demand for one: the DNS proxy reads nothing else (cilium.md R7.2.1). */
function queryHolds(literal: NameLiteral, question: ApplicationQuestion): Ternary {
  if (question.dns === undefined) {
    if (question.http === undefined && question.tls === undefined) return "maybe";
    return literal.negated ? "yes" : "no";
  }
  return namesHold(literal, canonicalName(question.dns.name)) ? "yes" : "no";
}

/** Whether nothing passes; "maybe" where only opaque clauses are left, or an automaton passes its limit. */
export function applicationIsEmpty(a: Application): Ternary {
  return a === EVERYTHING ? "no" : ternaryNot(inhabited(a.clauses, { left: APPLICATION_LIMITS.work }));
}

/** Whether something certainly passes one of the clauses. */
function inhabited(clauses: readonly Clause[], work: Work): Ternary {
  let found: Ternary = "no";
  for (const clause of clauses) {
    const { kind } = findQuestion(clause, work);
    if (kind === "empty") continue;
    found = ternaryOr(found, kind === "word" && clause.opaque === undefined ? "yes" : "maybe");
    if (found === "yes") break;
  }
  return found;
}

/** Whether `inner` is a subset of `outer`; "maybe" where opaque clauses decide, or an automaton passes its limit. */
export function applicationIncludes(outer: Application, inner: Application): Ternary {
  if (outer === EVERYTHING || inner === NOTHING) return "yes";
  if (!isOpaque(outer) && !isOpaque(inner)) return includes(outer.clauses, inner.clauses);
  const may = includes(applicationMust(outer).clauses, applicationMay(inner).clauses);
  if (may === "yes") return "yes";
  const must = includes(applicationMay(outer).clauses, applicationMust(inner).clauses);
  return must === "no" ? "no" : "maybe";
}

/** Whether both are the same set. */
export function applicationEquals(a: Application, b: Application): Ternary {
  if (a.key === b.key && !isOpaque(a)) return "yes";
  return ternaryAnd(applicationIncludes(a, b), applicationIncludes(b, a));
}

/** Subset of clauses without opaque parts. */
function includes(
  outer: readonly Clause[],
  inner: readonly Clause[],
  work: Work = { left: APPLICATION_LIMITS.work },
): Ternary {
  const cutters = outer.map((clause) => ({ clause, complement: clauseComplement(clause) }));
  let verdict: Ternary = "yes";
  for (const clause of inner) {
    const left = remainder(clause, cutters, work);
    const inside = left === undefined ? "maybe" : ternaryNot(inhabited(left, work));
    if (inside === "no") return "no";
    verdict = ternaryAnd(verdict, inside);
  }
  return verdict;
}

interface Cutter {
  readonly clause: Clause;
  readonly complement: readonly Clause[];
}

/** What the cutters leave of a clause, pieces proved empty left out; undefined where that takes too much work. */
function remainder(clause: Clause, cutters: readonly Cutter[], work: Work): readonly Clause[] | undefined {
  if (cutters.some((c) => clauseCovers(c.clause, clause))) return [];
  let left: readonly Clause[] = [clause];
  for (const cutter of cutters) {
    const next: Clause[] = [];
    for (const piece of left) {
      work.left -= cutCost(piece);
      if (work.left <= 0 || next.length > APPLICATION_LIMITS.clauses) return undefined;
      const both = clauseIntersect(piece, cutter.clause);
      if (both === undefined || findQuestion(both, work).kind === "empty") {
        next.push(piece);
        continue;
      }
      for (const rest of products([piece], cutter.complement)) {
        if (findQuestion(rest, work).kind !== "empty") next.push(rest);
      }
    }
    left = next;
    if (left.length === 0) break;
  }
  return left;
}

/** A question that is certainly in the set; undefined where there is none, or none can be found within the limits. */
export function applicationWitness(a: Application): ApplicationQuestion | undefined {
  const work: Work = { left: APPLICATION_LIMITS.work };
  for (const clause of a.clauses) {
    if (clause.opaque !== undefined) continue;
    const found = findQuestion(clause, work);
    if (found.kind === "word") return found.question;
  }
  return undefined;
}

// -- rules -----------------------------------------------------------------------------------------------------------

/**
 * What the application rules of one traffic item let through: all of them must pass, the rules of one HTTP list are
 * OR-ed, an empty HTTP list is no list (cilium.md 2.4), and a list of names without a name passes nothing. No rule at
 * all is everything.
 */
export function applicationOf(rules: readonly ApplicationPattern[]): Application {
  return rules.map(applicationOfRule).reduce(applicationIntersect, EVERYTHING);
}

function applicationOfRule(rule: ApplicationPattern): Application {
  switch (rule.kind) {
    case "http":
      return rule.rules.length === 0 ? EVERYTHING : collect(rule.rules.flatMap(clausesOfHttp));
    case "dns":
      return collect(clausesOfNames(rule.names, (names, opaque) => clauseOf(ANY_REQUEST, [], names, opaque)));
    case "tls":
      return collect(clausesOfNames(rule.serverNames, (names, opaque) => clauseOf(ANY_REQUEST, names, [], opaque)));
    case "opaque":
      return collect([{ opaque: [{ code: "opaque-application-rule", detail: rule.what }] }]);
  }
}

function clausesOfHttp(rule: HttpPattern): readonly Clause[] {
  const made = boxOf(rule);
  const clause = made && clauseOf(made.box, [], [], made.opaque);
  return clause === undefined ? [] : [clause];
}

function clausesOfNames(
  names: readonly NameExpression[],
  make: (names: readonly NameLiteral[], opaque: readonly Because[]) => Clause | undefined,
): readonly Clause[] {
  const taken = names.filter((n) => patternRefusal(n.expression) === undefined);
  const clauses = [make([{ names: taken, negated: false }], [])];
  for (const name of names) {
    const refusal = patternRefusal(name.expression);
    if (refusal !== undefined)
      clauses.push(make([], [{ code: "pattern-limit", detail: `${patternText(name.text)}: ${refusal}` }]));
  }
  return clauses.filter((each) => each !== undefined);
}

// -- showing ---------------------------------------------------------------------------------------------------------

/** A set for reading. A set without a clause for HTTP has no box; everything is one box that demands nothing. */
export interface ShownApplication {
  readonly boxes: readonly ShownBox[];
  /** Server names as written; excluded ones begin with `not `. Absent: no clause asks for one. */
  readonly tls?: readonly string[];
  readonly dns?: readonly string[];
  /** What cannot be decided offline. */
  readonly opaque?: readonly string[];
}

/** Sets of more clauses are shown as they are, without looking for clauses that the others cover together. */
const MINIMISED = 64;

/** The set in few and simple words: empty clauses, and clauses that the others cover, are left out. */
export function showApplication(a: Application): ShownApplication {
  if (applicationIncludesEverything(a)) return { boxes: [ANY_SHOWN] };
  const work: Work = { left: APPLICATION_LIMITS.work };
  const clauses = minimal(a.clauses, work);
  const names = (part: "tls" | "dns"): readonly string[] => [
    ...new Set(clauses.flatMap((c) => (c[part] ?? []).flatMap((l) => namesShown(l)))),
  ];
  const tls = names("tls");
  const dns = names("dns");
  const opaque = [...new Set(clauses.flatMap((c) => (c.opaque ?? []).map((b) => b.detail)))];
  return {
    boxes: shownBoxes(
      clauses.flatMap((c) => c.http ?? []),
      work,
    ),
    ...(tls.length === 0 ? {} : { tls: tls.toSorted() }),
    ...(dns.length === 0 ? {} : { dns: dns.toSorted() }),
    ...(opaque.length === 0 ? {} : { opaque: opaque.toSorted() }),
  };
}

function applicationIncludesEverything(a: Application): boolean {
  if (a === EVERYTHING) return true;
  return a.clauses.length <= MINIMISED && applicationIncludes(applicationMust(a), EVERYTHING) === "yes";
}

/** The clauses that are not empty and not in the union of the others; of two that could go, the longer one does. */
function minimal(clauses: readonly Clause[], work: Work): readonly Clause[] {
  let kept = clauses.filter((c) => findQuestion(c, work).kind !== "empty");
  if (kept.length > MINIMISED) return kept;
  const longerFirst = (a: Clause, b: Clause): number => {
    const [x, y] = [clauseKey(a), clauseKey(b)];
    return y.length - x.length || (x < y ? 1 : -1);
  };
  for (const clause of kept.toSorted(longerFirst)) {
    const others = kept.filter((c) => c !== clause);
    const certain = others.filter((c) => c.opaque === undefined);
    if (includes(certain, [clause], work) === "yes") kept = others;
  }
  return kept;
}

function namesShown(literal: NameLiteral): readonly string[] {
  return literal.names.map((n) => (literal.negated ? `not ${n.text}` : n.text));
}

// -- explanation -----------------------------------------------------------------------------------------------------

/** For each clause, which demands a request does not meet, or only maybe. The clauses are in the order of the rules. */
export function explainRequest(a: Application, request: Request): readonly ClauseExplanation[] {
  const normalised = normaliseRequest(request);
  return a.clauses.map((clause) => {
    const failures: RequestFailure[] = [];
    if (clause.http !== undefined) {
      if (normalised !== undefined) failures.push(...boxFailures(clause.http, normalised));
      else failures.push({ part: "request", demand: "well-formed HTTP", actual: request.path, verdict: "no" });
    }
    for (const part of ["tls", "dns"] as const) {
      for (const literal of clause[part] ?? []) {
        const verdict = part === "tls" ? "maybe" : queryHolds(literal, { http: request });
        if (verdict !== "yes") failures.push({ part, demand: namesText(literal), verdict });
      }
    }
    for (const { detail } of clause.opaque ?? []) failures.push({ part: "opaque", demand: detail, verdict: "maybe" });
    const verdict = failures.reduce<Ternary>((v, f) => ternaryAnd(v, f.verdict), "yes");
    return { clause, verdict, failures };
  });
}

function namesText(literal: NameLiteral): string {
  const text = literal.names.map((n) => n.text).join(", ");
  return literal.negated ? `not ${text}` : text;
}
