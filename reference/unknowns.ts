import { areDisjoint, isWithin, type Prefix, showPrefix } from "./addresses.ts";

/** Why an answer is not certain: a short code and the thing it is about. */
export interface Because {
  readonly code: string;
  readonly detail: string;
}

interface Choice {
  readonly options: number;
  taken: number;
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
  readonly #places = new Map<string, { prefix: Prefix; inside: boolean }[]>();
  readonly reasons: Because[] = [];

  constructor(script: readonly number[]) {
    this.#script = script;
  }

  /** One of several possibilities; the same key gets the same one throughout a world. */
  choose<T>(key: string, options: readonly [T, ...T[]], because: Because): T {
    let index = this.#known.get(key);
    if (index === undefined) {
      index = this.#script[this.#choices.length] ?? 0;
      this.#choices.push({ options: options.length, taken: index });
      this.#known.set(key, index);
      this.reasons.push(because);
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
    const places = this.#places.get(key) ?? [];
    this.#places.set(key, places);
    for (const place of places) {
      if (place.inside && isWithin(place.prefix, prefix)) return true;
      if (place.inside && areDisjoint(place.prefix, prefix)) return false;
      if (!place.inside && isWithin(prefix, place.prefix)) return false;
    }
    const answer = this.ask(`${key} in ${showPrefix(prefix)}`, because);
    places.push({ prefix, inside: answer });
    return answer;
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

export interface Worlds<T> {
  readonly outcomes: readonly T[];
  readonly because: readonly Because[];
  /** False when there were too many combinations to try them all. */
  readonly complete: boolean;
}

/** Runs `evaluate` once in every possible world. */
export function everyWorld<T>(evaluate: (unknowns: Unknowns) => T): Worlds<T> {
  const outcomes: T[] = [];
  const because = new Map<string, Because>();
  let script: readonly number[] | undefined = [];
  while (script !== undefined) {
    if (outcomes.length === WORLD_LIMIT) return { outcomes, because: [...because.values()], complete: false };
    const unknowns: Unknowns = new Unknowns(script);
    outcomes.push(evaluate(unknowns));
    for (const reason of unknowns.reasons) because.set(`${reason.code} ${reason.detail}`, reason);
    script = unknowns.next();
  }
  return { outcomes, because: [...because.values()], complete: true };
}
