/** Makes the values of stretches of YAML. It is most of the work of reading, and each stretch is for itself: see `Compose`. */
import { Refusal } from "./refusal.ts";
import { Composer } from "./yaml-composer.ts";
import { Scanner } from "./yaml-scanner.ts";

/** A part of a text, in UTF-16 units. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** The value of a stretch, or why it has none. */
export type Composed = Value | { readonly refusal: Refusal };

interface Value {
  readonly value: unknown;
  /** Where it has a bare `y` or `n` for the first time, in the text; absent when it has none. */
  readonly letter?: number;
  /** How many it has. */
  readonly letters: number;
  /** Whether parts of the value are shared, by way of aliases. */
  readonly isShared: boolean;
}

/**
 * Makes values: a text and stretches of it in, what each holds out, in the same order. The reader takes it as an option,
 * so that the work can be done elsewhere than here; the answer is the same.
 */
export type Compose = (text: string, stretches: readonly Stretch[]) => Iterable<Composed>;

/** Makes the values here, one after the other as they are asked for. */
export function* composeHere(text: string, stretches: readonly Stretch[]): Iterable<Composed> {
  const composer = new Composer(new Scanner());
  for (const stretch of stretches) yield compose(composer, text, stretch);
}

/** Makes the value of one stretch. */
export function compose(composer: Composer, text: string, { from, to }: Stretch): Composed {
  try {
    const value = composer.value(text, from, to);
    const { bareLetters, isShared } = composer;
    const [letter] = bareLetters;
    return { value, letters: bareLetters.length, isShared, ...(letter === undefined ? {} : { letter }) };
  } catch (error) {
    if (error instanceof Refusal) return { refusal: error };
    throw error;
  }
}
