/**
 * The HTTP rules of one side, compiled together: which of them a request matches, in the manner of Cilium's Envoy filter
 * (cilium.md 6.1, 6.3). A request's path finds the rules that can match it by hash, by literal beginning, or in one pass
 * of all other expressions at once (RE2::Set); so a thousand rules cost a request about what one does.
 */

import { RE2JS, RE2Set } from "re2js";
import { entryOf } from "../../base/entry.ts";
import { patternPrefix, patternWords } from "../../net/path-language.ts";
import type { HeaderMatch, HttpRule } from "../../policy/rule.ts";
import type { ApplicationEntry } from "../verdicts.ts";

/** What is asked, as rules see it. */
export interface HttpQuestion {
  readonly method: string;
  /** The `:path` value: normalised, with the query. */
  readonly path: string;
  readonly host: string;
  /** Values of a header that is sent several times are joined by ","; undefined: not sent. Names in lower case. */
  readonly header: (name: string) => string | undefined;
}

/** A header that a rule changes where it does not have the value that the rule asks for (cilium.md R6.1.5). */
export interface HeaderChange {
  readonly action: "ADD" | "DELETE" | "REPLACE";
  readonly name: string;
  readonly value: string;
}

export interface HttpVerdict {
  readonly allowed: boolean;
  /** Origins of the entries whose rules match. */
  readonly origins: readonly string[];
  readonly changes: readonly HeaderChange[];
}

type Test = (text: string) => boolean;

interface CompiledRule {
  readonly origin: string;
  readonly method: Test | null;
  readonly host: Test | null;
  /** Of headers that must match. */
  readonly headers: readonly HeaderMatch[];
  /** Of headers whose mismatch changes the request or nothing. */
  readonly actions: readonly HeaderMatch[];
}

const REFUSED: HttpVerdict = { allowed: false, origins: [], changes: [] };
/** Paths whose rules are remembered; longer paths never are. */
const REMEMBERED = 16_384;
const REMEMBERED_LENGTH = 256;
/** From how many expressions on one pass of all is cheaper than one after another. */
const WORTH_A_SET = 4;

export class HttpMatcher {
  private readonly rules: readonly CompiledRule[];
  private readonly paths: PathIndex;
  private readonly remembered = new Map<string, readonly CompiledRule[]>();
  private readonly hasActions: boolean;

  constructor(entries: readonly ApplicationEntry[]) {
    const rules: CompiledRule[] = [];
    const paths: (string | undefined)[] = [];
    for (const { origin, rules: demands } of entries) {
      const [only, ...more] = demands;
      // Rules of another protocol beside them match no request.
      if (only?.kind !== "http" || more.length > 0) continue;
      for (const rule of only.rules) {
        rules.push(compileRule(origin, rule));
        paths.push(rule.path);
      }
    }
    this.rules = rules;
    this.paths = new PathIndex(paths);
    this.hasActions = rules.some(({ actions }) => actions.length > 0);
  }

  judge(question: HttpQuestion): HttpVerdict {
    let verdict: HttpVerdict = REFUSED;
    for (const rule of this.candidates(question.path)) {
      if (!matches(rule, question)) continue;
      const changes = rule.actions.flatMap((action) => changeOf(action, question));
      // Where no rule changes a request the first that matches decides; else each has its say.
      if (!this.hasActions) return { allowed: true, origins: [rule.origin], changes };
      verdict = {
        allowed: true,
        origins: [...new Set([...verdict.origins, rule.origin])],
        changes: [...verdict.changes, ...changes],
      };
    }
    return verdict;
  }

  /** The rules whose path matches, in their order. */
  private candidates(path: string): readonly CompiledRule[] {
    const known = this.remembered.get(path);
    if (known !== undefined) return known;
    const found = this.paths
      .matching(path)
      .toSorted((a, b) => a - b)
      .flatMap((number) => this.rules[number] ?? []);
    if (path.length <= REMEMBERED_LENGTH) {
      if (this.remembered.size >= REMEMBERED) this.remembered.clear();
      this.remembered.set(path, found);
    }
    return found;
  }
}

function compileRule(origin: string, { method, host, headers }: HttpRule): CompiledRule {
  return {
    origin,
    method: testOf(method),
    host: testOf(host),
    headers: headers.filter(({ mismatch }) => mismatch === undefined),
    actions: headers.filter(({ mismatch }) => mismatch !== undefined),
  };
}

/** Null: anything matches. Words are compared, everything else is RE2, in full. */
function testOf(pattern: string | undefined): Test | null {
  if (pattern === undefined || pattern === "") return null;
  const words = patternWords(pattern);
  if (words !== undefined) {
    const set = new Set(words);
    return (text) => set.has(text);
  }
  const expression = RE2JS.compile(pattern);
  return (text) => expression.testExact(text);
}

function matches(rule: CompiledRule, question: HttpQuestion): boolean {
  return (
    (rule.method === null || rule.method(question.method)) &&
    (rule.host === null || rule.host(question.host)) &&
    rule.headers.every((demand) => holds(demand, question))
  );
}

/** A header with a value in a Secret matches nothing: it is never read. */
function holds({ name, value, secret }: HeaderMatch, question: HttpQuestion): boolean {
  const sent = question.header(name);
  if (secret !== undefined || sent === undefined) return false;
  return value === undefined || sent === value;
}

function changeOf(demand: HeaderMatch, question: HttpQuestion): readonly HeaderChange[] {
  const { name, value = "", mismatch } = demand;
  if (mismatch === undefined || mismatch === "LOG" || holds(demand, question)) return [];
  return [{ action: mismatch, name, value }];
}

/** What may follow a beginning: anything, or what an expression says of the whole. */
interface Beginning {
  readonly anything: number[];
  readonly expressions: Expressions;
}

/** Text, or text with anything after it: no path has a line break, which alone `.` does not match. */
const PLAIN = /^(?<text>[-/\w]+)(?<more>\.\*)?$/;

/** Finds by a path the numbers of the patterns that match it. */
class PathIndex {
  private readonly any: number[] = [];
  private readonly words = new Map<string, number[]>();
  /** By the literal beginning. */
  private readonly beginnings = new Map<string, Beginning>();
  private readonly lengths: readonly number[];

  constructor(patterns: readonly (string | undefined)[]) {
    for (const [number, pattern] of patterns.entries()) {
      if (pattern === undefined || pattern === "") {
        this.any.push(number);
        continue;
      }
      const { text, more } = PLAIN.exec(pattern)?.groups ?? {};
      if (text !== undefined && more !== undefined) {
        this.beginning(text).anything.push(number);
        continue;
      }
      const words = text === undefined ? patternWords(pattern) : [text];
      if (words === undefined) this.beginning(patternPrefix(pattern)).expressions.add(number, pattern);
      else for (const word of words) entryOf(this.words, word, () => []).push(number);
    }
    const lengths = new Set([...this.beginnings.keys()].map((beginning) => beginning.length));
    this.lengths = [...lengths].toSorted((a, b) => a - b);
  }

  private beginning(text: string): Beginning {
    return entryOf(this.beginnings, text, () => ({ anything: [], expressions: new Expressions() }));
  }

  matching(path: string): readonly number[] {
    const found = [...this.any, ...(this.words.get(path) ?? [])];
    for (const length of this.lengths) {
      if (length > path.length) break;
      const beginning = this.beginnings.get(path.slice(0, length));
      if (beginning !== undefined) found.push(...beginning.anything, ...beginning.expressions.matching(path));
    }
    return found;
  }
}

/** Numbered expressions, asked together; compiled when they are first asked. */
class Expressions {
  private readonly patterns: (readonly [number: number, pattern: string])[] = [];
  private match: ((text: string) => readonly number[]) | null = null;

  /** Before the first question. */
  add(number: number, pattern: string): void {
    this.patterns.push([number, pattern]);
  }

  matching(text: string): readonly number[] {
    if (this.patterns.length === 0) return [];
    this.match ??= this.compile();
    return this.match(text).flatMap((index) => this.patterns[index]?.[0] ?? []);
  }

  /** Says by their places which of the patterns match. */
  private compile(): (text: string) => readonly number[] {
    if (this.patterns.length < WORTH_A_SET) {
      const single = this.patterns.map(([, pattern]) => RE2JS.compile(pattern));
      return (text) => single.flatMap((expression, index) => (expression.testExact(text) ? [index] : []));
    }
    const set = new RE2Set(RE2Set.ANCHOR_BOTH);
    for (const [, pattern] of this.patterns) set.add(pattern);
    set.compile();
    return (text) => set.match(text);
  }
}
