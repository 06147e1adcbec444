/** A small sample of the property tests: one case a scene, engine and reference side by side. */
import type fc from "fast-check";
import { describe, expect, test } from "vitest";
import { drawScenes, runScene } from "../../test/property/running.ts";
import { ciliumScene, httpScene, kubernetesScene, namesScene, type Scene } from "../../test/property/scenes.ts";

const SPACES: readonly (readonly [name: string, arbitrary: fc.Arbitrary<Scene>, batches: number])[] = [
  ["kubernetes", kubernetesScene(16), 6],
  ["cilium@1.17", ciliumScene("cilium@1.17", 16), 2],
  ["cilium@1.18", ciliumScene("cilium@1.18", 16), 3],
  ["cilium@1.19", ciliumScene("cilium@1.19", 16), 4],
  ["http@1.19", httpScene("cilium@1.19", 16), 2],
  ["names@1.17", namesScene("cilium@1.17", 16), 1],
  ["names@1.19", namesScene("cilium@1.19", 16), 3],
];

describe("engine and reference over random scenes", () => {
  for (const [name, arbitrary, batches] of SPACES)
    for (let batch = 0; batch < batches; batch++)
      for (const [number, scene] of drawScenes(arbitrary, 7, batch).entries())
        test(`${name} ${batch}.${number}`, () => {
          expect(runScene(scene, () => undefined)).toEqual([]);
        });
});
