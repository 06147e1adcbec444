import { expect } from "vitest";
import type { Coverage } from "./coverage.ts";
import { isWhole } from "../whole.ts";

/** How many flows each kind of rule decides in the full run at least. */
const DECIDED = 500;
/** Which share of the flows may be unsure. */
const UNSURE = 0.01;

/**
 * A run is only worth something if verdicts are mixed, every kind of rule decides, and nothing is unsure but for a reason
 * that the generator put in.
 */
export function expectCoverage(
  coverage: Coverage,
  kinds: readonly string[],
  { decided = DECIDED, unsure = UNSURE }: { readonly decided?: number; readonly unsure?: number } = {},
): void {
  const least = isWhole ? decided : decided / 10;
  const seldom = kinds.filter((kind) => coverage.decidedBy(kind) < least);
  expect(
    seldom.map((kind) => `${kind}: ${coverage.decidedBy(kind)} of ${least}`),
    "kinds that decided too seldom",
  ).toEqual([]);
  expect(coverage.share("allow"), "share of allow").toBeGreaterThanOrEqual(0.25);
  expect(coverage.share("allow"), "share of allow").toBeLessThanOrEqual(0.75);
  expect(coverage.share("unsure"), "share of unsure").toBeLessThan(unsure);
  expect(coverage.unplanted, "unsure without a planted reason").toBe(0);
}
