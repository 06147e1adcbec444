/** Sets of requests as bounds: which certainly arrive, which possibly do, and why the two differ. */
import { type Because, mergeBecause } from "../base/because.ts";
import { type Ternary, ternaryNot } from "../base/ternary.ts";
import {
  type Application,
  type ApplicationQuestion,
  applicationBecause,
  applicationHas,
  applicationIntersect,
  applicationIsEmpty,
  applicationMay,
  applicationMust,
  applicationSubtract,
  applicationUnion,
  EVERYTHING,
  NOTHING,
} from "../net/application.ts";

/** INVARIANT: must ⊆ may, and neither has an opaque clause. `because` is empty where they are equal. */
export interface Requests {
  readonly must: Application;
  readonly may: Application;
  readonly because: readonly Because[];
}

export const EVERY_REQUEST: Requests = { must: EVERYTHING, may: EVERYTHING, because: [] };
export const NO_REQUEST: Requests = { must: NOTHING, may: NOTHING, because: [] };

function settle(must: Application, may: Application, because: readonly Because[]): Requests {
  return { must, may, because: must === may || must.key === may.key ? [] : because };
}

/** A set as bounds: what it cannot decide offline is only possible. */
export function requestsOf(application: Application): Requests {
  return settle(applicationMust(application), applicationMay(application), applicationBecause(application));
}

/** What certainly arrives and what possibly does, as two sets. */
export function requestsBetween(must: Requests, may: Requests, because: readonly Because[]): Requests {
  return settle(must.must, applicationUnion(must.may, may.may), mergeBecause(must.because, because));
}

export function requestsUnion(a: Requests, b: Requests): Requests {
  return settle(applicationUnion(a.must, b.must), applicationUnion(a.may, b.may), mergeBecause(a.because, b.because));
}

export function requestsIntersect(a: Requests, b: Requests): Requests {
  return settle(
    applicationIntersect(a.must, b.must),
    applicationIntersect(a.may, b.may),
    mergeBecause(a.because, b.because),
  );
}

/** Difference swaps the bounds of what is taken away. */
export function requestsSubtract(a: Requests, b: Requests): Requests {
  return settle(
    applicationSubtract(a.must, b.may),
    applicationSubtract(a.may, b.must),
    mergeBecause(a.because, b.because),
  );
}

/** None of it is certain any more. */
export function onlyPossible(a: Requests, because: readonly Because[]): Requests {
  return settle(NOTHING, a.may, mergeBecause(a.because, because));
}

/** Whether a concrete request is in the set. */
export function requestsHave(set: Requests, question: ApplicationQuestion): Ternary {
  if (applicationHas(set.must, question) === "yes") return "yes";
  return applicationHas(set.may, question) === "no" ? "no" : "maybe";
}

/** Whether some request is in the set. */
export function requestsExist(set: Requests): Ternary {
  const certain = ternaryNot(applicationIsEmpty(set.must));
  if (certain === "yes") return "yes";
  return applicationIsEmpty(set.may) === "yes" ? "no" : "maybe";
}
