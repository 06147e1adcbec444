/** Draws scenes from a seed, asks both evaluators, and counts what decided. */
import { createHash } from "node:crypto";
import fc from "fast-check";
import { compareFlow, type Mismatch, openBoth } from "./comparison.ts";
import type { Coverage } from "./coverage.ts";
import { isWhole } from "../whole.ts";
import { plantedIn } from "./planted.ts";
import { removalProblems } from "./removal.ts";
import { documentsOf, type Scene } from "./scenes.ts";
import { mismatchText, shrink } from "./shrinking.ts";
import type { Input } from "./witnesses.ts";

/** Scenes are drawn in batches, each from a seed of its own, so that a failure names a batch that is quick to repeat. */
export const BATCH = 25;

export function drawScenes(arbitrary: fc.Arbitrary<Scene>, seed: number, batch: number): readonly Scene[] {
  return fc.sample(arbitrary, { seed: seed * 1_000_003 + batch, numRuns: BATCH });
}

export function inputOf(scene: Scene): Input {
  const { dialect, names } = scene;
  return { dialect, documents: documentsOf(scene), ...(names === undefined ? {} : { names }) };
}

export interface Asked extends ReturnType<typeof compareFlow> {
  readonly scene: Scene;
  readonly flow: Scene["flows"][number];
}

/** Runs one scene; differences come back, one mismatch a flow. */
export function runScene(scene: Scene, visit: (asked: Asked) => void): readonly Mismatch[] {
  const input = inputOf(scene);
  const opened = openBoth(input);
  const found: Mismatch[] = [];
  if (opened.differences.length > 0) found.push({ input, differences: opened.differences });
  if (!("engine" in opened)) return found;
  for (const flow of scene.flows) {
    const compared = compareFlow(opened, flow);
    visit({ scene, flow, ...compared });
    if (compared.differences.length > 0) found.push({ input, flow, differences: compared.differences });
  }
  return found;
}

/** A short text that two sets of policies share only if they are the same. */
export function policyKey(scene: Scene): string {
  return createHash("sha256")
    .update(`${scene.dialect} ${JSON.stringify(scene.policies)}`)
    .digest("base64url")
    .slice(0, 16);
}

export interface Run {
  readonly arbitrary: fc.Arbitrary<Scene>;
  readonly seed: number;
  /** How many distinct sets of policies the full run compares. */
  readonly sets: number;
  /** Once in how many scenes the named rules are taken away. */
  readonly removeEvery?: number;
}

const MAX_SHOWN = 3;

/**
 * Draws scenes until so many distinct sets of policies are compared, and counts into `coverage`.
 *
 * Returns the differences as text, each shrunk, a few at most; `""` where there are none.
 */
export function compareSets({ arbitrary, seed, sets, removeEvery = 8 }: Run, coverage: Coverage): string {
  const wanted = isWhole ? sets : Math.ceil(sets / 10);
  const shown: string[] = [];
  let differing = 0;
  let scenes = 0;
  const own = new Set<string>();
  for (let batch = 0; own.size < wanted; batch++) {
    for (const scene of drawScenes(arbitrary, seed, batch)) {
      if (own.size >= wanted) break;
      const key = policyKey(scene);
      own.add(key);
      coverage.sets.add(key);
      scenes += 1;
      const removes = scenes % removeEvery === 0;
      let removed = 0;
      const removals: Mismatch[] = [];
      const found = runScene(scene, (asked) => {
        coverage.add(asked, plantedIn(scene, asked.flow));
        const { view, flow, differences } = asked;
        if (!removes || removed >= 2 || view === undefined || differences.length > 0) return;
        removed += 1;
        const problems = removalProblems(inputOf(scene), flow, view);
        coverage.removals += 1;
        if (problems.length > 0) removals.push({ input: inputOf(scene), flow, differences: problems });
      });
      differing += found.length + removals.length;
      for (const mismatch of found)
        if (shown.length < MAX_SHOWN) shown.push(`# seed ${seed}, batch ${batch}\n${mismatchText(shrink(mismatch))}`);
      for (const mismatch of removals)
        if (shown.length < MAX_SHOWN) shown.push(`# seed ${seed}, batch ${batch}\n${mismatchText(mismatch)}`);
    }
  }
  return differing === 0 ? "" : `${differing} differences\n${shown.join("\n---\n")}`;
}
