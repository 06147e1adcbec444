/**
 * Languages of RE2 patterns (paths, methods, hosts, names): exact membership of one string, and questions about the
 * whole language: emptiness of a conjunction, a word of it, a short pattern for it.
 *
 * Membership is asked of re2js, which reads patterns as the proxy does. For the other questions its compiled program is
 * read as an automaton, so there is no second reading of the syntax; sets of characters and regular expressions from
 * automata are refa's. A conjunction is searched breadth first over tuples of states: a pattern that must match
 * contributes one state of its automaton, a pattern that must not match the set of all states it can be in. Nothing
 * is determinised beyond what the search reaches.
 *
 * Every search has a budget of work, counted in steps and not in time, so that an answer never depends on the machine;
 * a pattern that passes it gives "limit". What is memoised never changes an answer.
 */

import { CharBase, CharSet, DFA, JS, NFA, TooManyNodesError, Words } from "refa";
import { RE2JS, RE2JSException } from "re2js";

/** Matches a pattern in full or, negated, does not. */
export interface Literal {
  /** RE2. */
  readonly pattern: string;
  readonly negated: boolean;
}

/** The strings that can occur at all in a place. */
export interface Universe {
  /** All of them hold for every string; at least one is not negated. */
  readonly literals: readonly Literal[];
  /** Strings that a witness is taken from where one fits, most readable first. */
  readonly preferred: readonly string[];
}

/** The outcome of a search: a word, the proof that there is none, or a budget that ran out. */
export type Search = (
  | { readonly kind: "word"; readonly word: string }
  | { readonly kind: "empty" }
  | { readonly kind: "limit"; readonly pattern: string }
) & {
  /** The work of the search, whether or not it had been done before. */
  readonly steps: number;
};

export const LANGUAGE_LIMITS = {
  /** Characters of a pattern's source. */
  source: 10_000,
  /** Characters and classes of a pattern with its repetitions written out. */
  expanded: 10_000,
  /** States of the automaton of one pattern. */
  states: 4_000,
  /** Transitions of the automaton of one pattern. */
  transitions: 40_000,
  /** Steps of building the automaton of one pattern, a range of characters being one. */
  building: 1_000_000,
  /** Characters of compiled patterns, and transitions with their ranges, that are kept. */
  weight: 1_000_000,
  /** Tuples of states that a search visits. */
  tuples: 20_000,
  /** Steps of a search: states looked at, and character ranges compared. */
  steps: 1_500_000,
  /** Compiled patterns, automata and outcomes that are kept. */
  kept: 5_000,
} as const;

const MAX_CHARACTER = 0x10ffff;
const ALL = CharSet.all(MAX_CHARACTER);

// -- patterns --------------------------------------------------------------------------------------------------------

/** A map that forgets everything when it is full: memory is bounded and results stay the same. */
function memo<V>(make: (key: string) => V, weigh: (value: V) => number = () => 0): (key: string) => V {
  const cache = new Map<string, V>();
  let weight = 0;
  return (key) => {
    const found = cache.get(key);
    if (found !== undefined) return found;
    const value = make(key);
    const own = weigh(value);
    if (cache.size >= LANGUAGE_LIMITS.kept || weight + own > LANGUAGE_LIMITS.weight) {
      cache.clear();
      weight = 0;
    }
    cache.set(key, value);
    weight += own;
    return value;
  };
}

const ATOM =
  /\\(?:[pP](?:\{[^}]*\}|.)|x(?:\{[^}]*\}|..)|.)|\[\^?\]?(?:\\.|\[:\^?\w+:\]|\[(?!:\^?\w+:\])|[^\]\\[])*\]|[^]/suy;
const REPETITION = /\{(\d+)(,?)(\d*)\}/y;

/** How many characters and classes a pattern comes to with its repetitions written out, before it is compiled. */
export function expandedSize(pattern: string): number {
  const outer: number[] = [];
  let sum = 0;
  /** The size of what stands before a repetition. */
  let last = 0;
  for (let i = 0; i < pattern.length; ) {
    REPETITION.lastIndex = i;
    const repetition = REPETITION.exec(pattern);
    if (repetition !== null) {
      const [text, least = "", open, most = ""] = repetition;
      const times = Math.max(1, Number(least) + (open !== "" && most === "" ? 1 : 0), Number(most));
      sum += last * (times - 1);
      last *= times;
      i += text.length;
      continue;
    }
    ATOM.lastIndex = i;
    const atom = ATOM.exec(pattern)?.[0] ?? pattern.charAt(i);
    i += atom.length;
    if (atom === "(") {
      outer.push(sum);
      sum = 0;
      last = 0;
    } else if (atom === ")") {
      last = sum;
      sum += outer.pop() ?? 0;
    } else if (atom !== "*" && atom !== "+" && atom !== "?") {
      last = 1;
      sum += 1;
    }
  }
  return outer.reduce((all, one) => all + one, sum);
}

/** Why a pattern is too large to be compiled at all; undefined where it is not. */
export function patternExcess(pattern: string): string | undefined {
  if (pattern.length > LANGUAGE_LIMITS.source) return `longer than ${LANGUAGE_LIMITS.source} characters`;
  if (expandedSize(pattern) > LANGUAGE_LIMITS.expanded)
    return `longer than ${LANGUAGE_LIMITS.expanded} characters with its repetitions written out`;
  return undefined;
}

type Compiled =
  | { readonly ok: true; readonly re: RE2JS; readonly size: number }
  | { readonly ok: false; readonly reason: string };

const compile = memo(
  (pattern: string): Compiled => {
    const excess = patternExcess(pattern);
    if (excess !== undefined) return { ok: false, reason: excess };
    try {
      return { ok: true, re: RE2JS.compile(pattern), size: expandedSize(pattern) };
    } catch (error) {
      if (error instanceof RE2JSException) return { ok: false, reason: error.message };
      throw error;
    }
  },
  (compiled) => (compiled.ok ? compiled.size : 0),
);

/** Why a pattern is not compiled: RE2 refuses it, or it is too large. Undefined where it is. */
export function patternRefusal(pattern: string): string | undefined {
  const compiled = compile(pattern);
  return compiled.ok ? undefined : compiled.reason;
}

/** A pattern in a message: its beginning, where it is long. */
export function patternText(pattern: string): string {
  return pattern.length <= 80 ? pattern : `${pattern.slice(0, 77)}…`;
}

/** Whether a pattern matches the whole text. A pattern that RE2 refuses matches nothing. */
export function patternMatches(pattern: string, text: string): boolean {
  const compiled = compile(pattern);
  return compiled.ok && compiled.re.testExact(text);
}

export function literalHolds(literal: Literal, text: string): boolean {
  return patternMatches(literal.pattern, text) !== literal.negated;
}

const WORD_LIMIT = 64;
const PLAIN = /^[A-Za-z0-9/_~!@#%&=:;,'"<> -]$/;

/**
 * The words of a pattern that is a plain list of words (`GET|HEAD`, `(/a|/b)`, `api[.]example[.]com`), in the order
 * written; undefined for every other pattern, and for more than 64 words.
 */
export const patternWords: (pattern: string) => readonly string[] | undefined = ((): ((
  pattern: string,
) => readonly string[] | undefined) => {
  const read = memo((pattern: string): { readonly words: readonly string[] | undefined } => ({
    words: readWords(pattern),
  }));
  return (pattern) => read(pattern).words;
})();

function readWords(pattern: string): readonly string[] | undefined {
  let body = pattern;
  const wrapped = /^\((?:\?:)?([^()]*)\)$/.exec(body);
  if (wrapped?.[1] !== undefined && !wrapped[1].endsWith("\\")) body = wrapped[1];
  const words: string[] = [];
  let word = "";
  let begun = false;
  let ended = false;
  const finish = (): void => {
    if (!words.includes(word)) words.push(word);
    word = "";
    begun = false;
    ended = false;
  };
  for (let i = 0; i < body.length; i++) {
    const c = body.charAt(i);
    if (c === "|") {
      finish();
      if (words.length > WORD_LIMIT) return undefined;
      continue;
    }
    if (ended) return undefined;
    if (c === "^" && !begun) {
      begun = true;
      continue;
    }
    begun = true;
    if (c === "$") {
      ended = true;
    } else if (c === "\\") {
      const next = body.charAt(++i);
      if (next === "" || !/^[!-/:-@[-`{-~]$/.test(next)) return undefined;
      word += next;
    } else if (c === "[") {
      const single = /^\[([^\]\\^[])\]/.exec(body.slice(i, i + 3));
      if (single?.[1] === undefined) return undefined;
      word += single[1];
      i += 2;
    } else if (PLAIN.test(c)) {
      word += c;
    } else {
      return undefined;
    }
  }
  finish();
  return words.length > WORD_LIMIT ? undefined : words;
}

/** The pattern of exactly these words, in the given order; `[.]` for a dot, as the documentation writes it. */
export function wordsPattern(words: readonly string[]): string {
  return words.map((w) => RE2JS.quote(w).replaceAll("\\.", "[.]").replaceAll("\\/", "/")).join("|");
}

// -- automata --------------------------------------------------------------------------------------------------------

interface Transition {
  readonly set: CharSet;
  readonly to: number;
}

/** Without epsilon transitions; state 0 is the start; every state can reach an accepting one. */
interface Automaton {
  readonly accepts: readonly boolean[];
  readonly out: readonly (readonly Transition[])[];
}

/** One instruction of re2js's program, as far as automata need it. */
interface Instruction {
  readonly op: number;
  readonly out: number;
  readonly arg: number;
  readonly runes: readonly number[];
}

const OP = {
  alt: 1,
  altMatch: 2,
  capture: 3,
  emptyWidth: 4,
  fail: 5,
  match: 6,
  nop: 7,
  rune: 8,
  rune1: 9,
  runeAny: 10,
  runeAnyNotNewline: 11,
} as const;

const FOLD_CASE = 1;
const EMPTY = { beginLine: 1, endLine: 2, beginText: 4, endText: 8, wordBoundary: 16, noWordBoundary: 32 } as const;

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function readInstruction(value: unknown): Instruction | undefined {
  if (!isRecord(value)) return undefined;
  const { op, out, arg, runes } = value;
  if (typeof op !== "number" || typeof out !== "number" || typeof arg !== "number") return undefined;
  if (!(runes instanceof Int32Array)) return undefined;
  return { op, out, arg, runes: [...runes] };
}

/** re2js declares its program without a type, so the shape is checked; undefined where it is another. */
function readProgram(re: RE2JS): { readonly start: number; readonly code: readonly Instruction[] } | undefined {
  const program: unknown = re.re2().prog;
  if (!isRecord(program) || typeof program["start"] !== "number" || !Array.isArray(program["inst"])) return undefined;
  const code: Instruction[] = [];
  for (const each of program["inst"]) {
    const instruction = readInstruction(each);
    if (instruction === undefined) return undefined;
    code.push(instruction);
  }
  return { start: program["start"], code };
}

const NEWLINE = CharSet.fromCharacter(MAX_CHARACTER, 10);
const NOT_NEWLINE = NEWLINE.negate();
const WORD = CharSet.empty(MAX_CHARACTER).union([
  { min: 0x30, max: 0x39 },
  { min: 0x41, max: 0x5a },
  { min: 0x5f, max: 0x5f },
  { min: 0x61, max: 0x7a },
]);
const OTHER = WORD.union(NEWLINE).negate();

/** What stands before or after a position: the text's edge, or a character of a kind. */
type Side = "edge" | "newline" | "word" | "other" | "character";

/** Characters that assertions tell apart; just one kind where only the text's edges are asked for. */
const KINDS: readonly { readonly side: Side; readonly set: CharSet }[] = [
  { side: "newline", set: NEWLINE },
  { side: "word", set: WORD },
  { side: "other", set: OTHER },
];
const ONE_KIND: readonly { readonly side: Side; readonly set: CharSet }[] = [{ side: "character", set: ALL }];

/** The assertions that hold between two sides. */
function assertions(before: Side, after: Side): number {
  let flags = 0;
  if (before === "edge") flags |= EMPTY.beginText | EMPTY.beginLine;
  if (before === "newline") flags |= EMPTY.beginLine;
  if (after === "edge") flags |= EMPTY.endText | EMPTY.endLine;
  if (after === "newline") flags |= EMPTY.endLine;
  return flags | ((before === "word") !== (after === "word") ? EMPTY.wordBoundary : EMPTY.noWordBoundary);
}

function runeSet(instruction: Instruction): CharSet | undefined {
  const { op, runes, arg } = instruction;
  if (op === OP.runeAny) return ALL;
  if (op === OP.runeAnyNotNewline) return NOT_NEWLINE;
  const [first] = runes;
  if (first === undefined) return CharSet.empty(MAX_CHARACTER);
  if (runes.length === 1) {
    if (op === OP.rune && (arg & FOLD_CASE) !== 0) {
      return JS.createCharSet([{ min: first, max: first }], { ignoreCase: true, unicode: true });
    }
    return CharSet.fromCharacter(MAX_CHARACTER, first);
  }
  const ranges: { min: number; max: number }[] = [];
  for (let i = 0; i + 1 < runes.length; i += 2) {
    const min = runes[i];
    const max = runes[i + 1];
    if (min === undefined || max === undefined) return undefined;
    ranges.push({ min, max });
  }
  return CharSet.empty(MAX_CHARACTER).union(ranges);
}

/** Reads a pattern's program as an automaton, counting its steps; undefined beyond the limits, or for an unknown instruction. */
function buildAutomaton(pattern: string, work: { steps: number }): Automaton | undefined {
  const compiled = compile(pattern);
  if (!compiled.ok) return undefined;
  const program = readProgram(compiled.re);
  if (program === undefined) return undefined;
  const { code } = program;
  const edgesOnly = code.every((i) => i.op !== OP.emptyWidth || (i.arg & ~(EMPTY.beginText | EMPTY.endText)) === 0);
  const kinds = edgesOnly ? ONE_KIND : KINDS;

  /** Consuming instructions and acceptance reachable from an instruction without consuming; undefined: give up. */
  const closure = (from: number, flags: number): { runes: number[]; match: boolean } | undefined => {
    const seen = new Set<number>([from]);
    const pending = [from];
    const runes: number[] = [];
    let match = false;
    for (let pc = pending.pop(); pc !== undefined; pc = pending.pop()) {
      if (++work.steps > LANGUAGE_LIMITS.building) return undefined;
      const instruction = code[pc];
      if (instruction === undefined) return undefined;
      const next: number[] = [];
      switch (instruction.op) {
        case OP.alt:
        case OP.altMatch:
          next.push(instruction.arg, instruction.out);
          break;
        case OP.capture:
        case OP.nop:
          next.push(instruction.out);
          break;
        case OP.emptyWidth:
          if ((instruction.arg & ~flags) === 0) next.push(instruction.out);
          break;
        case OP.fail:
          break;
        case OP.match:
          match = true;
          break;
        case OP.rune:
        case OP.rune1:
        case OP.runeAny:
        case OP.runeAnyNotNewline:
          runes.push(pc);
          break;
        default:
          return undefined;
      }
      for (const n of next) {
        if (seen.has(n)) continue;
        seen.add(n);
        pending.push(n);
      }
    }
    return { runes, match };
  };

  const numbers = new Map<string, number>();
  const states: { readonly pc: number; readonly before: Side }[] = [];
  const number = (pc: number, before: Side): number => {
    const key = `${pc} ${before}`;
    const known = numbers.get(key);
    if (known !== undefined) return known;
    numbers.set(key, states.length);
    states.push({ pc, before });
    return states.length - 1;
  };
  number(program.start, "edge");
  const accepts: boolean[] = [];
  const out: Transition[][] = [];
  let transitions = 0;
  for (let s = 0; s < states.length; s++) {
    if (states.length > LANGUAGE_LIMITS.states) return undefined;
    const state = states[s];
    if (state === undefined) return undefined;
    const atEnd = closure(state.pc, assertions(state.before, "edge"));
    if (atEnd === undefined) return undefined;
    accepts.push(atEnd.match);
    const targets = new Map<number, CharSet>();
    for (const { side, set } of kinds) {
      const reach = closure(state.pc, assertions(state.before, side));
      if (reach === undefined) return undefined;
      for (const pc of reach.runes) {
        const instruction = code[pc];
        const runes = instruction === undefined ? undefined : runeSet(instruction);
        if (instruction === undefined || runes === undefined) return undefined;
        work.steps += runes.ranges.length;
        const via = side === "character" ? runes : runes.intersect(set);
        if (via.isEmpty) continue;
        const to = number(instruction.out, side);
        targets.set(to, targets.get(to)?.union(via) ?? via);
        if (++transitions > LANGUAGE_LIMITS.transitions) return undefined;
      }
    }
    out.push([...targets].map(([to, set]) => ({ set, to })));
  }
  return trim({ accepts, out });
}

/** Leaves out transitions into states from which nothing is accepted. */
function trim(automaton: Automaton): Automaton {
  const { accepts, out } = automaton;
  const into: number[][] = accepts.map(() => []);
  out.forEach((each, from) => {
    for (const { to } of each) into[to]?.push(from);
  });
  const alive = accepts.slice();
  const pending = accepts.flatMap((accepting, s) => (accepting ? [s] : []));
  for (let s = pending.pop(); s !== undefined; s = pending.pop()) {
    for (const from of into[s] ?? []) {
      if (alive[from] === true) continue;
      alive[from] = true;
      pending.push(from);
    }
  }
  return { accepts, out: out.map((each) => each.filter(({ to }) => alive[to] === true)) };
}

/**
 * Characters that every match of a pattern begins with, as far as its program shows them without being read as a whole;
 * empty where there are none, or none can be told.
 */
export const patternPrefix: (pattern: string) => string = memo((pattern: string): string => {
  const compiled = compile(pattern);
  const program = compiled.ok ? readProgram(compiled.re) : undefined;
  if (program === undefined) return "";
  let prefix = "";
  let pc = program.start;
  while (prefix.length < 100) {
    const instruction = program.code[pc];
    if (instruction === undefined) break;
    const { op, arg, runes, out } = instruction;
    const [rune] = runes;
    const isBegin = op === OP.emptyWidth && arg === EMPTY.beginText && prefix === "";
    if (op === OP.rune1 && rune !== undefined) prefix += String.fromCodePoint(rune);
    else if (op !== OP.capture && op !== OP.nop && !isBegin) break;
    pc = out;
  }
  return prefix;
});

/** The sets of states that an automaton can be in, made as a search reaches them. */
interface Subsets {
  readonly automaton: Automaton;
  readonly numbers: Map<string, number>;
  readonly sets: (readonly number[])[];
  readonly moves: Map<number, readonly Transition[]>;
}

interface Language {
  readonly automaton: Automaton | undefined;
  /** What building it took, or giving up. */
  readonly steps: number;
}

const language = memo(
  (pattern: string): Language => {
    const work = { steps: 0 };
    return { automaton: buildAutomaton(pattern, work), steps: work.steps };
  },
  ({ automaton }) =>
    automaton?.out.reduce((all, each) => each.reduce((sum, { set }) => sum + 1 + set.ranges.length, all), 0) ?? 0,
);

const subsetsOf = memo((pattern: string): { readonly subsets: Subsets | undefined } => {
  const { automaton } = language(pattern);
  if (automaton === undefined) return { subsets: undefined };
  return { subsets: { automaton, numbers: new Map([["0", 0]]), sets: [[0]], moves: new Map() } };
});

/** Forgets the subsets of a pattern that holds too many of them; the next search makes what it needs anew. */
function shrink(subsets: Subsets): void {
  if (subsets.sets.length <= LANGUAGE_LIMITS.tuples) return;
  subsets.numbers.clear();
  subsets.moves.clear();
  subsets.sets.length = 0;
  subsets.numbers.set("0", 0);
  subsets.sets.push([0]);
}

/** The transitions of a set of states: disjoint, and together every character. */
function subsetMoves(subsets: Subsets, state: number): readonly Transition[] {
  const known = subsets.moves.get(state);
  if (known !== undefined) return known;
  const edges = (subsets.sets[state] ?? []).flatMap((s) => subsets.automaton.out[s] ?? []);
  const base = new CharBase(edges.map((e) => e.set));
  const targets: Set<number>[] = base.sets.map(() => new Set());
  for (const edge of edges) for (const b of base.split(edge.set)) targets[b]?.add(edge.to);
  const moves = new Map<number, CharSet>();
  const add = (members: readonly number[], set: CharSet): void => {
    const key = members.join(" ");
    let to = subsets.numbers.get(key);
    if (to === undefined) {
      to = subsets.sets.length;
      subsets.numbers.set(key, to);
      subsets.sets.push(members);
    }
    moves.set(to, moves.get(to)?.union(set) ?? set);
  };
  let rest = ALL;
  base.sets.forEach((set, b) => {
    rest = rest.without(set);
    add(
      [...(targets[b] ?? [])].toSorted((x, y) => x - y),
      set,
    );
  });
  if (!rest.isEmpty) add([], rest);
  const made = [...moves].map(([to, set]) => ({ set, to }));
  subsets.moves.set(state, made);
  return made;
}

function subsetAccepts(subsets: Subsets, state: number): boolean {
  return (subsets.sets[state] ?? []).some((s) => subsets.automaton.accepts[s] === true);
}

/** One conjunct of a search. */
interface Part {
  readonly accepts: (state: number) => boolean;
  readonly moves: (state: number) => readonly Transition[];
  /** The steps that looking at a state costs; the same whether or not it was looked at before. */
  readonly cost: (state: number) => number;
}

function partOf(literal: Literal): Part | undefined {
  if (!literal.negated) {
    const { automaton } = language(literal.pattern);
    if (automaton === undefined) return undefined;
    return {
      accepts: (s) => automaton.accepts[s] === true,
      moves: (s) => automaton.out[s] ?? [],
      cost: (s) => 1 + (automaton.out[s] ?? []).length,
    };
  }
  const { subsets } = subsetsOf(literal.pattern);
  if (subsets === undefined) return undefined;
  shrink(subsets);
  return {
    accepts: (s) => !subsetAccepts(subsets, s),
    moves: (s) => subsetMoves(subsets, s),
    cost: (s) => (subsets.sets[s] ?? []).reduce((n, each) => n + 1 + (subsets.automaton.out[each] ?? []).length, 1),
  };
}

/** The reachable product of some parts. */
interface Product {
  readonly accepts: boolean[];
  /** How each tuple was first reached. */
  readonly from: ({ readonly tuple: number; readonly set: CharSet } | undefined)[];
  readonly out: Transition[][];
  /** The first accepting tuple. */
  readonly found: number | undefined;
  /** False: a limit was passed, and the rest says nothing. */
  readonly complete: boolean;
  readonly steps: number;
}

/**
 * Walks the product of the parts breadth first; stops at the first accepting tuple unless `all` is asked for.
 */
function walk(parts: readonly Part[], limits: { tuples: number; steps: number }, all: boolean): Product {
  const numbers = new Map<string, number>();
  const tuples: (readonly number[])[] = [];
  const accepts: boolean[] = [];
  const from: Product["from"] = [];
  const out: Transition[][] = [];
  const number = (tuple: readonly number[], reached: Product["from"][number]): number => {
    const key = tuple.join(" ");
    const known = numbers.get(key);
    if (known !== undefined) return known;
    numbers.set(key, tuples.length);
    tuples.push(tuple);
    from.push(reached);
    accepts.push(tuple.every((s, i) => parts[i]?.accepts(s) === true));
    return tuples.length - 1;
  };
  number(
    parts.map(() => 0),
    undefined,
  );
  let found: number | undefined = accepts[0] === true ? 0 : undefined;
  let steps = 0;
  const beyond = (): Product => ({ accepts, from, out, found: undefined, complete: false, steps });
  for (let t = 0; t < tuples.length; t++) {
    const tuple = tuples[t];
    if (tuple === undefined || (found !== undefined && !all)) break;
    let combined: { readonly set: CharSet; readonly to: readonly number[] }[] = [{ set: ALL, to: [] }];
    for (let i = 0; i < parts.length; i++) {
      const state = tuple[i];
      const part = parts[i];
      if (state === undefined || part === undefined) break;
      steps += part.cost(state);
      if (steps > limits.steps) return beyond();
      const moves = part.moves(state);
      const next: typeof combined = [];
      for (const { set, to } of combined) {
        for (const move of moves) {
          steps += set.ranges.length + move.set.ranges.length;
          if (steps > limits.steps) return beyond();
          const both = set.intersect(move.set);
          if (!both.isEmpty) next.push({ set: both, to: [...to, move.to] });
        }
      }
      combined = next;
    }
    const row: Transition[] = [];
    for (const { set, to } of combined) {
      const n = number(to, { tuple: t, set });
      if (tuples.length > limits.tuples) return beyond();
      if (all) row.push({ set, to: n });
      if (found === undefined && accepts[n] === true) {
        found = n;
        if (!all) break;
      }
    }
    out.push(row);
  }
  return { accepts, from, out, found, complete: true, steps };
}

function wordTo(product: Product, tuple: number): string {
  const sets: CharSet[] = [];
  for (let at = product.from[tuple]; at !== undefined; at = product.from[at.tuple]) sets.push(at.set);
  return Words.fromUnicodeToString(Words.pickMostReadableWord(sets.toReversed()));
}

function literalKey(literal: Literal): string {
  return `${literal.negated ? "!" : "="}${literal.pattern}`;
}

/** Sorted, each once: equal conjunctions give equal searches. */
function canonical(literals: readonly Literal[]): readonly Literal[] {
  const byKey = new Map(literals.map((l) => [literalKey(l), l]));
  return [...byKey].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, l]) => l);
}

const searches = new Map<string, Search>();

/**
 * A string of the universe for which all literals hold: a preferred one, else a shortest one. Takes literals whose
 * patterns RE2 accepts. "limit" names the pattern that is beyond the automata, or the whole conjunction.
 */
export function findWord(literals: readonly Literal[], universe: Universe): Search {
  const all = canonical([...universe.literals, ...literals]);
  const key = JSON.stringify([all.map(literalKey), universe.preferred]);
  const known = searches.get(key);
  if (known !== undefined) return known;
  const outcome = search(all, literals, universe);
  if (searches.size >= LANGUAGE_LIMITS.kept) searches.clear();
  searches.set(key, outcome);
  return outcome;
}

function search(all: readonly Literal[], asked: readonly Literal[], universe: Universe): Search {
  if (all.some((l) => !l.negated && all.some((m) => m.negated && m.pattern === l.pattern)))
    return { kind: "empty", steps: 1 };
  const fits = (word: string): boolean => all.every((l) => literalHolds(l, word));
  const preferred = universe.preferred.find(fits);
  if (preferred !== undefined) return { kind: "word", word: preferred, steps: 1 };
  // The universe comes first: it is small, and what it leaves of a set of characters has few ranges.
  const ordered = [...universe.literals, ...all.filter((l) => !universe.literals.includes(l))];
  ordered.sort((a, b) => Number(a.negated) - Number(b.negated));
  const parts: Part[] = [];
  let building = 1;
  for (const literal of ordered) {
    building += language(literal.pattern).steps;
    const part = partOf(literal);
    if (part === undefined) return { kind: "limit", pattern: literal.pattern, steps: building };
    parts.push(part);
  }
  const product = walk(parts, LANGUAGE_LIMITS, false);
  const steps = building + product.steps;
  const pattern = asked.map((l) => (l.negated ? `not ${l.pattern}` : l.pattern)).join(" and ");
  if (!product.complete) return { kind: "limit", pattern, steps };
  if (product.found === undefined) return { kind: "empty", steps };
  const word = wordTo(product, product.found);
  // The automaton and re2js read one program; should they ever disagree, nothing is claimed.
  if (!fits(word)) return { kind: "limit", pattern, steps };
  return { kind: "word", word, steps };
}

const SHOWN = { states: 60, length: 60 } as const;

/**
 * One short pattern for a conjunction, as far as strings of the universe go; undefined where there is no short one.
 */
export function conjunctionPattern(literals: readonly Literal[], universe: Universe): string | undefined {
  const parts: Part[] = [];
  for (const literal of canonical(literals)) {
    const part = partOf(literal);
    if (part === undefined) return undefined;
    parts.push(part);
  }
  const product = walk(parts, { tuples: SHOWN.states, steps: LANGUAGE_LIMITS.steps / 10 }, true);
  if (!product.complete) return undefined;
  const text = productPattern(product);
  if (text === undefined || text.length > SHOWN.length || patternRefusal(text) !== undefined) return undefined;
  const inside = findWord([{ pattern: text, negated: false }, ...literals], universe);
  if (inside.kind !== "word") return undefined;
  const more = literals.map((l) => findWord([{ pattern: text, negated: false }, negate(l)], universe));
  const less = findWord([...literals, { pattern: text, negated: true }], universe);
  return less.kind === "empty" && more.every((m) => m.kind === "empty") ? text : undefined;
}

function productPattern(product: Product): string | undefined {
  try {
    const limit = SHOWN.states * 4;
    const builder = new NFA.Builder(new NFA.LimitedNodeFactory(limit));
    const nodes = product.accepts.map((_, i) => (i === 0 ? builder.initial : builder.createNode()));
    nodes.forEach((node, i) => {
      if (product.accepts[i] === true) builder.makeFinal(node);
      const targets = new Map<number, CharSet>();
      for (const { set, to } of product.out[i] ?? []) targets.set(to, targets.get(to)?.union(set) ?? set);
      for (const [to, set] of targets) {
        const target = nodes[to];
        if (target !== undefined) builder.linkNodes(node, target, set);
      }
    });
    const nfa = NFA.fromBuilder(builder, { maxCharacter: MAX_CHARACTER });
    const dfa = DFA.fromFA(nfa, new DFA.LimitedNodeFactory(limit));
    dfa.minimize();
    const flags = { unicode: true, dotAll: true, ignoreCase: false } as const;
    return JS.toLiteral(dfa.toRegex({ maxNodes: 2_000 }), { flags }).source.replaceAll("\\/", "/");
  } catch (error) {
    if (error instanceof TooManyNodesError) return undefined;
    throw error;
  }
}

export function negate(literal: Literal): Literal {
  return { pattern: literal.pattern, negated: !literal.negated };
}
