/**
 * The application part of a flow as an exact set: which HTTP requests, TLS server names and DNS queries pass
 * (cilium.md 5, 6, 7). A value is a finite union of clauses; a clause is a conjunction of optional parts.
 */

import type { Because } from "../base/because.ts";
import type { Ternary } from "../base/ternary.ts";

/** A concrete HTTP request. */
export interface Request {
  readonly method: string;
  /** The `:path` value: path and query. */
  readonly path: string;
  /** The `:authority` value, with the port if the client sends one. Absent: not told. */
  readonly host?: string;
  /** Names in lower case; a header that is sent twice has its values joined by ",". What is not in it is not sent. */
  readonly headers: ReadonlyMap<string, string>;
}

/** What is known of a concrete flow above the port. A part that is absent is not told. */
export interface ApplicationQuestion {
  readonly http?: Request;
  /** `serverName` absent: the client sends none. */
  readonly tls?: { readonly serverName?: string };
  readonly dns?: { readonly name: string };
}

/** A DNS name or pattern, as in the rule form. */
export interface NameExpression {
  readonly text: string;
  /** Anchored, over the lower-case name with trailing dot. */
  readonly expression: string;
}

/** The value is (or, negated, is not) in the language of an RE2 pattern, matched in full. */
export interface Literal {
  readonly pattern: string;
  readonly negated: boolean;
}

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

/** A box as a person would write it. */
export interface ShownBox {
  /** Null: any. */
  readonly methods: readonly string[] | null;
  readonly path: string | null;
  readonly host: string | null;
  readonly headers: readonly string[];
}

export interface ShownApplication {
  readonly boxes: readonly ShownBox[];
  readonly tls?: readonly string[];
  readonly dns?: readonly string[];
  readonly opaque?: readonly string[];
}

export type RequestPart = "method" | "path" | "host" | "header";

/** One demand of a clause that a request does not (or only maybe) meet. */
export interface RequestFailure {
  readonly part: RequestPart | "opaque" | "tls" | "dns";
  /** The demand, as written: a pattern, `not` a pattern, a header, a reason. */
  readonly demand: string;
  /** What the request has there; absent where it has nothing. */
  readonly actual?: string;
  readonly verdict: "no" | "maybe";
}

export interface ClauseExplanation {
  readonly clause: Clause;
  readonly verdict: Ternary;
  readonly failures: readonly RequestFailure[];
}

export const EVERYTHING: Application = { clauses: [{}], key: "*" };
export const NOTHING: Application = { clauses: [], key: "" };

export function applicationUnion(a: Application, b: Application): Application {
  if (a === b || b === NOTHING || a === EVERYTHING) return a;
  if (a === NOTHING || b === EVERYTHING) return b;
  throw new Error("not built yet");
}

export function applicationIntersect(a: Application, b: Application): Application {
  if (a === b || a === NOTHING || b === EVERYTHING) return a;
  if (b === NOTHING || a === EVERYTHING) return b;
  throw new Error("not built yet");
}

export function applicationSubtract(a: Application, b: Application): Application {
  if (b === NOTHING || a === NOTHING) return a;
  if (b === EVERYTHING) return NOTHING;
  throw new Error("not built yet");
}

/** "maybe" for opaque parts, and where the question lacks a part that a clause constrains. */
export function applicationHas(a: Application, question: ApplicationQuestion): Ternary {
  if (a === EVERYTHING) return "yes";
  if (a === NOTHING) return "no";
  throw new Error(`not built yet: ${Object.keys(question).join()}`);
}

export function applicationIsEmpty(a: Application): Ternary {
  if (a === EVERYTHING) return "no";
  if (a === NOTHING) return "yes";
  throw new Error("not built yet");
}

/** Whether `inner` is a subset of `outer`. */
export function applicationIncludes(outer: Application, inner: Application): Ternary {
  if (outer === EVERYTHING || inner === NOTHING || outer === inner) return "yes";
  throw new Error("not built yet");
}

export function applicationWitness(a: Application): ApplicationQuestion | undefined {
  if (a === EVERYTHING) return {};
  if (a === NOTHING) return undefined;
  throw new Error("not built yet");
}

/** What certainly passes: the clauses without opaque parts. */
export function applicationMust(a: Application): Application {
  if (a === EVERYTHING || a === NOTHING) return a;
  throw new Error("not built yet");
}

/** What possibly passes: the clauses with their opaque parts left out. */
export function applicationMay(a: Application): Application {
  if (a === EVERYTHING || a === NOTHING) return a;
  throw new Error("not built yet");
}

/** Why `must` and `may` differ; empty where they do not. A clause cap that was passed shows as `pattern-limit`. */
export function applicationBecause(a: Application): readonly Because[] {
  if (a === EVERYTHING || a === NOTHING) return [];
  throw new Error("not built yet");
}

/** The conjunction of a traffic item's application rules; the rules of one HTTP list are OR-ed. */
export function applicationOf(rules: readonly ApplicationPattern[]): Application {
  if (rules.length === 0) return EVERYTHING;
  throw new Error("not built yet");
}

export function showApplication(a: Application): ShownApplication {
  if (a === NOTHING) return { boxes: [] };
  throw new Error("not built yet");
}

/** For each clause, which demands the request does not meet. */
export function explainRequest(a: Application, request: Request): readonly ClauseExplanation[] {
  if (a === NOTHING) return [];
  throw new Error(`not built yet: ${request.method}`);
}
