import { areDisjoint, halvesOf, isWithin, type Prefix, showPrefix } from "./addresses.ts";
import type { Because } from "./reasons.ts";

interface Choice {
  readonly key: string;
  readonly because: Because;
  readonly options: number;
  readonly taken: number;
}

/** Where an untold address lies: in one prefix, and in none of the others. */
interface Place {
  readonly within: Prefix;
  readonly outside: readonly Prefix[];
}

/** Whether the prefixes together hold every address of this one. */
function isCovered(prefix: Prefix, by: readonly Prefix[]): boolean {
  if (by.some((other) => isWithin(prefix, other))) return true;
  return by.some((other) => isWithin(other, prefix)) && halvesOf(prefix).every((half) => isCovered(half, by));
}

/**
 * The facts that the input does not tell, in one possible world.
 *
 * The evaluator is plain two-valued code. Where it needs a fact nobody told, it asks here; `everyWorld` runs it once for
 * each combination of answers. An outcome that is the same in every world is certain, however many facts are missing.
 */
export class Unknowns {
  readonly #script: readonly number[];
  readonly #choices: Choice[] = [];
  readonly #known = new Map<string, number>();
  readonly #taken = new Map<string, string>();
  readonly #places = new Map<string, Place>();

  constructor(script: readonly number[]) {
    this.#script = script;
  }

  /** One of several possibilities; the same key gets the same one throughout a world. */
  choose<T>(key: string, options: readonly [T, ...T[]], because: Because): T {
    let index = this.#known.get(key);
    if (index === undefined) {
      index = this.#script[this.#choices.length] ?? 0;
      this.#choices.push({ key, because, options: options.length, taken: index });
      this.#known.set(key, index);
    }
    return options[index] ?? options[0];
  }

  ask(key: string, because: Because): boolean {
    return this.choose(key, [true, false], because);
  }

  /** Whether an untold value equals this one; two different values cannot both be it. */
  equals(key: string, value: string, because: Because): boolean {
    const taken = this.#taken.get(key);
    if (taken !== undefined) return taken === value;
    const answer = this.ask(`${key}=${value}`, because);
    if (answer) this.#taken.set(key, value);
    return answer;
  }

  /** Whether an untold address lies in a prefix, consistent with what was answered about its other prefixes. */
  inside(key: string, prefix: Prefix, because: Because): boolean {
    const known = this.#places.get(key) ?? { within: { family: prefix.family, value: 0n, length: 0 }, outside: [] };
    if (isCovered(known.within, [...known.outside, prefix])) return true;
    const common = isWithin(known.within, prefix) ? known.within : prefix;
    if (areDisjoint(known.within, prefix) || isCovered(common, known.outside)) return false;
    const answer = this.ask(`${key} in ${showPrefix(prefix)}`, because);
    const next = answer
      ? { within: common, outside: known.outside }
      : { within: known.within, outside: [...known.outside, prefix] };
    this.#places.set(key, next);
    return answer;
  }

  /** What was asked, and what was answered. */
  get choices(): readonly Choice[] {
    return this.#choices;
  }

  /** The script of the next world, or undefined after the last. */
  next(): readonly number[] | undefined {
    const choices = [...this.#choices];
    for (let last = choices.pop(); last !== undefined; last = choices.pop())
      if (last.taken + 1 < last.options) return [...choices.map((choice) => choice.taken), last.taken + 1];
    return undefined;
  }
}

/** More combinations than this are not tried: the answer is then unsure. */
const WORLD_LIMIT = 1024;

interface World<T> {
  readonly outcome: T;
  readonly choices: readonly Choice[];
}

/** Every possible world with what `evaluate` says in it; incomplete when there are too many to try them all. */
export interface Worlds<T> {
  readonly worlds: readonly World<T>[];
  readonly complete: boolean;
}

/** Runs `evaluate` once in every possible world. */
export function everyWorld<T>(evaluate: (unknowns: Unknowns) => T): Worlds<T> {
  const worlds: World<T>[] = [];
  let script: readonly number[] | undefined = [];
  while (script !== undefined) {
    if (worlds.length === WORLD_LIMIT) return { worlds, complete: false };
    const unknowns: Unknowns = new Unknowns(script);
    worlds.push({ outcome: evaluate(unknowns), choices: unknowns.choices });
    script = unknowns.next();
  }
  return { worlds, complete: true };
}

/** The facts that matter: with different answers to them, different outcomes are possible. */
export function decidingReasons<T>(worlds: readonly World<T>[], show: (outcome: T) => string): readonly Because[] {
  const facts = new Map<string, { because: Because; outcomes: Map<number, Set<string>> }>();
  for (const { outcome, choices } of worlds)
    for (const { key, because, taken } of choices) {
      const fact = facts.get(key) ?? { because, outcomes: new Map<number, Set<string>>() };
      facts.set(key, fact);
      fact.outcomes.set(taken, (fact.outcomes.get(taken) ?? new Set()).add(show(outcome)));
    }
  const differs = ({ outcomes }: { outcomes: Map<number, Set<string>> }) =>
    new Set([...outcomes.values()].map((set) => [...set].sort().join(" "))).size > 1;
  const deciding = [...facts.values()].filter(differs);
  const chosen = (deciding.length > 0 ? deciding : [...facts.values()]).map((fact) => fact.because);
  return [...new Map(chosen.map((because) => [`${because.code} ${because.detail}`, because])).values()];
}
