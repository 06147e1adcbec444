/** Draws scenes from a seed, asks both evaluators, and counts what decided. */
import { createHash } from "node:crypto";
import fc from "fast-check";
import { compareFlow, type Mismatch, openBoth } from "./comparison.ts";
import { documentsOf, type Scene } from "./scenes.ts";
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

export interface Asked extends ReturnType<typeof compareFlow> {
  readonly scene: Scene;
  readonly flow: Scene["flows"][number];
}

/** A short text that two sets of policies share only if they are the same. */
export function policyKey(scene: Scene): string {
  return createHash("sha256")
    .update(`${scene.dialect} ${JSON.stringify(scene.policies)}`)
    .digest("base64url")
    .slice(0, 16);
}
