/**
 * Boxes of HTTP requests: conjunctions over method, path, host and headers (cilium.md 6.1). The dimensions are
 * independent, so that a box is empty exactly where one of them is.
 */

import type { Because } from "../base/because.ts";
import { ternaryAnd, type Ternary } from "../base/ternary.ts";
import { HOSTS, METHODS, PATHS, type Request } from "./http-request.ts";
import {
  findWord,
  type Literal,
  literalHolds,
  negate,
  patternPrefix,
  patternRefusal,
  patternText,
  patternWords,
  type Universe,
  wordsPattern,
} from "./path-language.ts";

/** The header is present, or has exactly the value; or, negated, does not. */
export interface HeaderLiteral {
  /** Lower-case. */
  readonly name: string;
  /** Absent: presence is asked. */
  readonly value?: string;
  readonly negated: boolean;
}

/** A conjunction over HTTP requests. Empty lists demand nothing. */
export interface HttpBox {
  readonly method: readonly Literal[];
  readonly path: readonly Literal[];
  readonly host: readonly Literal[];
  readonly headers: readonly HeaderLiteral[];
}

/** An HTTP rule, as far as this file reads it; the rule form's `HttpRule` fits. */
export interface HttpPattern {
  readonly method?: string;
  readonly path?: string;
  readonly host?: string;
  readonly headers: readonly HeaderPattern[];
}

export interface HeaderPattern {
  readonly name: string;
  readonly value?: string;
  readonly mismatch?: "LOG" | "ADD" | "DELETE" | "REPLACE";
  readonly secret?: string;
}

/** The dimensions whose values are strings that patterns match. */
export const DIMENSIONS = ["method", "path", "host"] as const;
export type Dimension = (typeof DIMENSIONS)[number];

export const UNIVERSES: Readonly<Record<Dimension, Universe>> = { method: METHODS, path: PATHS, host: HOSTS };

export const ANY_REQUEST: HttpBox = { method: [], path: [], host: [], headers: [] };

/** Patterns that match whatever can stand in the dimension; the common spellings, the rest is found by search. */
const ANYTHING: Readonly<Record<Dimension, RegExp>> = {
  method: /^\^?\.[*+]\$?$/,
  path: /^\^?(?:\.[*+]|\/\.\*)\$?$/,
  host: /^\^?\.\*\$?$/,
};

const literalKeys = new WeakMap<Literal, string>();

/** A key of the literal's language: equal keys mean equal languages. */
export function literalKey(literal: Literal): string {
  const known = literalKeys.get(literal);
  if (known !== undefined) return known;
  const words = patternWords(literal.pattern);
  const language = words === undefined ? literal.pattern : `\u0000${words.toSorted().join("\u0000")}`;
  const key = `${literal.negated ? "!" : "="}${language}`;
  literalKeys.set(literal, key);
  return key;
}

function headerKey(literal: HeaderLiteral): string {
  const { name, value, negated } = literal;
  return JSON.stringify([name, negated, ...(value === undefined ? [] : [value])]);
}

function byKey<T>(items: readonly T[], key: (item: T) => string): readonly T[] {
  if (items.length < 2) return items;
  const unique = new Map<string, T>();
  for (const item of items) {
    const k = key(item);
    if (!unique.has(k)) unique.set(k, item);
  }
  return [...unique].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, item]) => item);
}

/**
 * Shortens a conjunction of literals without automata: repetitions and what always holds go, lists of words are
 * filtered by the other literals. Undefined: it is seen to be empty.
 */
export function simplifyLiterals(
  literals: readonly Literal[],
  anything: RegExp | undefined,
): readonly Literal[] | undefined {
  if (literals.length === 0) return literals;
  const kept = byKey(
    literals.filter((l) => l.negated || anything?.test(l.pattern) !== true),
    literalKey,
  );
  const excluded = new Set(kept.flatMap((l) => (l.negated ? [literalKey(l).slice(1)] : [])));
  if (excluded.size > 0 && kept.some((l) => !l.negated && excluded.has(literalKey(l).slice(1)))) return undefined;
  const finite = kept.find((l) => !l.negated && patternWords(l.pattern) !== undefined);
  if (finite !== undefined) {
    const words = patternWords(finite.pattern) ?? [];
    const left = words.filter((word) => kept.every((l) => literalHolds(l, word)));
    if (left.length === 0) return undefined;
    return [left.length === words.length ? finite : { pattern: wordsPattern(left), negated: false }];
  }
  const positive = kept.filter((l) => !l.negated);
  if (positive.length > 1) {
    const prefixes = positive.map((l) => patternPrefix(l.pattern)).toSorted((a, b) => a.length - b.length);
    if (prefixes.some((short, i) => prefixes.slice(i + 1).some((long) => !long.startsWith(short)))) return undefined;
  }
  return kept.flatMap((literal) => {
    const words = literal.negated ? patternWords(literal.pattern) : undefined;
    if (words === undefined) return [literal];
    const left = words.filter((word) => positive.every((l) => literalHolds(l, word)));
    if (left.length === words.length) return [literal];
    return left.length === 0 ? [] : [{ pattern: wordsPattern(left), negated: true }];
  });
}

/** As above for headers, where it is exact: a header has any value or none, independently of the others. */
function simplifyHeaders(literals: readonly HeaderLiteral[]): readonly HeaderLiteral[] | undefined {
  if (literals.length === 0) return literals;
  const byName = new Map<string, HeaderLiteral[]>();
  for (const literal of byKey(literals, headerKey)) {
    byName.set(literal.name, [...(byName.get(literal.name) ?? []), literal]);
  }
  const out: HeaderLiteral[] = [];
  for (const each of byName.values()) {
    const equal = each.filter((l) => !l.negated && l.value !== undefined);
    const absent = each.find((l) => l.negated && l.value === undefined);
    const [value] = equal;
    if (equal.length > 1 || (absent !== undefined && each.some((l) => !l.negated))) return undefined;
    if (value !== undefined) {
      if (each.some((l) => l.negated && l.value === value.value)) return undefined;
      out.push(value);
    } else if (absent !== undefined) {
      out.push(absent);
    } else {
      out.push(...each);
    }
  }
  return out;
}

/** The box without what it need not say; undefined where it is seen to be empty. */
function simplifyBox(box: HttpBox): HttpBox | undefined {
  const method = simplifyLiterals(box.method, ANYTHING.method);
  const path = method && simplifyLiterals(box.path, ANYTHING.path);
  const host = path && simplifyLiterals(box.host, ANYTHING.host);
  const headers = host && simplifyHeaders(box.headers);
  return method && path && host && headers && { method, path, host, headers };
}

export function boxIsAnything(box: HttpBox): boolean {
  return boxSize(box) === 0;
}

export function boxKey(box: HttpBox): string {
  return JSON.stringify([...DIMENSIONS.map((d) => box[d].map(literalKey)), box.headers.map(headerKey)]);
}

/** The headers that name a part of the request line or its authority. */
function dimensionOfHeader(name: string): Dimension | undefined {
  if (name === ":method") return "method";
  if (name === ":path") return "path";
  return name === ":authority" || name === "host" ? "host" : undefined;
}

/**
 * The box of one HTTP rule (cilium.md R6.1.1–R6.1.5), with the reasons why it holds at most "maybe": a value in a
 * Secret, a pattern that RE2 refuses. Undefined: the rule matches no request.
 *
 * A mismatch action other than none lets the request pass, so the header demands nothing; but with a secret and no
 * value of its own it fails where the secret cannot be read, which is not known here. A secret without an action needs
 * the header in any case.
 */
export function boxOf(rule: HttpPattern): { readonly box: HttpBox; readonly opaque: readonly Because[] } | undefined {
  const opaque: Because[] = [];
  const literals: Record<Dimension, Literal[]> = { method: [], path: [], host: [] };
  const headers: HeaderLiteral[] = [];
  for (const dimension of DIMENSIONS) {
    const pattern = rule[dimension];
    if (pattern === undefined || pattern === "") continue;
    const refusal = patternRefusal(pattern);
    if (refusal === undefined) literals[dimension].push({ pattern, negated: false });
    else opaque.push({ code: "pattern-limit", detail: `${patternText(pattern)}: ${refusal}` });
  }
  for (const { name, value, mismatch, secret } of rule.headers) {
    if (secret !== undefined) {
      if (mismatch === undefined) headers.push({ name, negated: false });
      if (mismatch === undefined || value === undefined)
        opaque.push({ code: "secret-not-read", detail: `Secret ${secret}` });
      continue;
    }
    if (mismatch !== undefined) continue;
    const dimension = dimensionOfHeader(name);
    if (dimension === undefined) headers.push({ name, ...(value === undefined ? {} : { value }), negated: false });
    else if (value !== undefined) literals[dimension].push({ pattern: wordsPattern([value]), negated: false });
  }
  const box = simplifyBox({ ...literals, headers });
  return box === undefined ? undefined : { box, opaque };
}

/** The number of demands. */
export function boxSize(box: HttpBox): number {
  return box.method.length + box.path.length + box.host.length + box.headers.length;
}

/** Undefined: seen to be empty. */
export function boxIntersect(a: HttpBox, b: HttpBox): HttpBox | undefined {
  return simplifyBox({
    method: [...a.method, ...b.method],
    path: [...a.path, ...b.path],
    host: [...a.host, ...b.host],
    headers: [...a.headers, ...b.headers],
  });
}

/** Boxes whose union is the complement. */
export function boxComplement(box: HttpBox): readonly HttpBox[] {
  return [
    ...DIMENSIONS.flatMap((d) => box[d].map((l) => ({ ...ANY_REQUEST, [d]: [negate(l)] }))),
    ...box.headers.map((l) => ({ ...ANY_REQUEST, headers: [{ ...l, negated: !l.negated }] })),
  ].flatMap((each) => simplifyBox(each) ?? []);
}

/** Whether a literal of the outer conjunction follows from the inner ones, as far as it can be told without search. */
export function literalFollows(literal: Literal, inner: readonly Literal[]): boolean {
  const key = literalKey(literal);
  if (inner.some((l) => literalKey(l) === key)) return true;
  return inner.some((l) => {
    const words = l.negated ? undefined : patternWords(l.pattern);
    return words?.every((word) => literalHolds(literal, word)) === true;
  });
}

function headerFollows(literal: HeaderLiteral, inner: readonly HeaderLiteral[]): boolean {
  return inner.some((l) => {
    if (l.name !== literal.name) return false;
    if (l.negated === literal.negated && l.value === literal.value) return true;
    if (l.negated) return l.value === undefined && literal.negated;
    if (l.value === undefined || l.value === literal.value) return !literal.negated && literal.value === undefined;
    return literal.negated ? literal.value !== undefined : literal.value === undefined;
  });
}

/** True only where every request of `inner` is one of `outer`; false where that takes a search to tell. */
export function boxCovers(outer: HttpBox, inner: HttpBox): boolean {
  return (
    DIMENSIONS.every((d) => outer[d].every((l) => literalFollows(l, inner[d]))) &&
    outer.headers.every((l) => headerFollows(l, inner.headers))
  );
}

function headerHolds(literal: HeaderLiteral, request: Request): boolean {
  const actual = request.headers.get(literal.name);
  const matches = actual !== undefined && (literal.value === undefined || literal.value === actual);
  return matches !== literal.negated;
}

function valueOf(request: Request, dimension: Dimension): string | undefined {
  return dimension === "host" ? request.host : request[dimension];
}

/** Whether a normalised request is in the box; "maybe" where the box asks for a host and the request tells none. */
export function boxHas(box: HttpBox, request: Request): Ternary {
  let verdict: Ternary = "yes";
  for (const dimension of DIMENSIONS) {
    const value = valueOf(request, dimension);
    for (const literal of box[dimension]) {
      const holds = value === undefined ? "maybe" : literalHolds(literal, value) ? "yes" : "no";
      verdict = ternaryAnd(verdict, holds);
      if (verdict === "no") return "no";
    }
  }
  return box.headers.every((l) => headerHolds(l, request)) ? verdict : "no";
}

export type RequestPart = Dimension | "header";

/** One demand that a request does not (or only maybe) meet. */
export interface RequestFailure {
  readonly part: RequestPart | "request" | "opaque" | "tls" | "dns";
  /** The demand, as written: a pattern, `not` a pattern, a header, a reason. */
  readonly demand: string;
  /** What the request has there; absent where it has nothing. */
  readonly actual?: string;
  readonly verdict: "no" | "maybe";
}

export function literalText(literal: Literal): string {
  return literal.negated ? `not ${literal.pattern}` : literal.pattern;
}

export function headerText(literal: HeaderLiteral): string {
  const text = literal.value === undefined ? literal.name : `${literal.name}: ${literal.value}`;
  return literal.negated ? `not ${text}` : text;
}

/** The demands of the box that a normalised request does not meet; none where it is in the box. */
export function boxFailures(box: HttpBox, request: Request): readonly RequestFailure[] {
  const failures: RequestFailure[] = [];
  for (const part of DIMENSIONS) {
    const actual = valueOf(request, part);
    for (const literal of box[part]) {
      const demand = literalText(literal);
      if (actual === undefined) failures.push({ part, demand, verdict: "maybe" });
      else if (!literalHolds(literal, actual)) failures.push({ part, demand, actual, verdict: "no" });
    }
  }
  for (const literal of box.headers) {
    if (headerHolds(literal, request)) continue;
    const actual = request.headers.get(literal.name);
    const found = actual === undefined ? {} : { actual };
    failures.push({ part: "header", demand: headerText(literal), ...found, verdict: "no" });
  }
  return failures;
}

/** Work that an operation may still do; shared by all its searches. */
export interface Work {
  left: number;
}

export type BoxSearch =
  | { readonly kind: "word"; readonly request: Request }
  | { readonly kind: "empty" }
  | { readonly kind: "limit" };

/** A search that is charged to an operation's work. */
export function findWithin(
  work: Work,
  literals: readonly Literal[],
  universe: Universe,
): { readonly kind: "word"; readonly word: string } | { readonly kind: "empty" } | { readonly kind: "limit" } {
  if (work.left <= 0) return { kind: "limit" };
  const found = findWord(literals, universe);
  work.left -= found.steps;
  return found;
}

/** A request of the box, or the proof that there is none. */
export function findRequest(box: HttpBox, work: Work): BoxSearch {
  const values = new Map<Dimension, string>();
  let limited = false;
  for (const dimension of DIMENSIONS) {
    if (dimension === "host" && box.host.length === 0) continue;
    const found = findWithin(work, box[dimension], UNIVERSES[dimension]);
    if (found.kind === "empty") return found;
    if (found.kind === "limit") limited = true;
    else values.set(dimension, found.word);
  }
  const method = values.get("method");
  const path = values.get("path");
  const host = values.get("host");
  if (limited || method === undefined || path === undefined) return { kind: "limit" };
  const headers = new Map<string, string>();
  for (const { name, value, negated } of box.headers) {
    if (negated) continue;
    headers.set(name, value ?? presentValue(name, box.headers));
  }
  return { kind: "word", request: { method, path, ...(host === undefined ? {} : { host }), headers } };
}

/** A value that none of the negated demands names. */
function presentValue(name: string, literals: readonly HeaderLiteral[]): string {
  const refused = new Set(literals.filter((l) => l.negated && l.name === name).map((l) => l.value));
  let value = "1";
  while (refused.has(value)) value += "1";
  return value;
}
