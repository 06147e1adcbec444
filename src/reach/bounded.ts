/** Answers as bounded sets: what certainly passes, what possibly passes, and why the two differ. */

import { type Because, mergeBecause } from "../base/because.ts";
import {
  ALL_FLOWS,
  type FlowSet,
  flowIntersect,
  flowSubtract,
  flowsEqual,
  flowUnion,
  NO_FLOWS,
} from "../net/flow-set.ts";

/** INVARIANT: must ⊆ may. `because` is empty where they are equal. */
export interface Bounded {
  readonly must: FlowSet;
  readonly may: FlowSet;
  readonly because: readonly Because[];
}

export const ALL_BOUNDED: Bounded = { must: ALL_FLOWS, may: ALL_FLOWS, because: [] };
export const NO_BOUNDED: Bounded = { must: NO_FLOWS, may: NO_FLOWS, because: [] };

export function exactly(flows: FlowSet): Bounded {
  return { must: flows, may: flows, because: [] };
}

function settle(must: FlowSet, may: FlowSet, because: readonly Because[]): Bounded {
  return must === may || flowsEqual(must, may) ? { must, may, because: [] } : { must, may, because };
}

export function boundedUnion(a: Bounded, b: Bounded): Bounded {
  return settle(flowUnion(a.must, b.must), flowUnion(a.may, b.may), mergeBecause(a.because, b.because));
}

export function boundedIntersect(a: Bounded, b: Bounded): Bounded {
  if (a === ALL_BOUNDED) return b;
  if (b === ALL_BOUNDED) return a;
  return settle(flowIntersect(a.must, b.must), flowIntersect(a.may, b.may), mergeBecause(a.because, b.because));
}

/** Difference swaps the bounds of what is taken away. */
export function boundedSubtract(a: Bounded, b: Bounded): Bounded {
  return settle(flowSubtract(a.must, b.may), flowSubtract(a.may, b.must), mergeBecause(a.because, b.because));
}

/**
 * `then` where the condition holds, `otherwise` where it does not. Where the condition is not known, certain is what both
 * hold, and possible what either holds.
 */
export function whereHolds(condition: Bounded, then: Bounded, otherwise: Bounded): Bounded {
  const must = flowUnion(
    flowUnion(flowIntersect(condition.must, then.must), flowSubtract(otherwise.must, condition.may)),
    condition.must === condition.may ? NO_FLOWS : flowIntersect(then.must, otherwise.must),
  );
  const may = flowUnion(flowIntersect(condition.may, then.may), flowSubtract(otherwise.may, condition.must));
  return settle(must, may, mergeBecause(mergeBecause(then.because, otherwise.because), condition.because));
}

/** One of the two holds, and it is not known which: certain is what both hold, possible is what either holds. */
export function eitherOf(a: Bounded, b: Bounded, because: readonly Because[]): Bounded {
  return settle(
    flowIntersect(a.must, b.must),
    flowUnion(a.may, b.may),
    mergeBecause(mergeBecause(a.because, b.because), because),
  );
}
