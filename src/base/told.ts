/** Whether something is so, and what keeps it from being told. */

import { type Because, mergeBecause } from "./because.ts";
import { type Ternary, ternaryAnd, ternaryOr } from "./ternary.ts";

export interface Told {
  readonly answer: Ternary;
  /** Empty unless the answer is "maybe". */
  readonly because: readonly Because[];
}

export const YES: Told = { answer: "yes", because: [] };
export const NO: Told = { answer: "no", because: [] };

function combined(answer: Ternary, a: Told, b: Told): Told {
  return answer === "maybe" ? { answer, because: mergeBecause(a.because, b.because) } : answer === "yes" ? YES : NO;
}

export function either(a: Told, b: Told): Told {
  return combined(ternaryOr(a.answer, b.answer), a, b);
}

export function both(a: Told, b: Told): Told {
  return combined(ternaryAnd(a.answer, b.answer), a, b);
}
