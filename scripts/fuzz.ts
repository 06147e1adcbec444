/**
 * Compares the two evaluators over random scenes for as long as told.
 *
 *   npm run fuzz -- --seconds 600 --seed 7 --only http
 *
 * Prints the seed, and every difference shrunk to a few lines of YAML that can be put into test/property/regressions/.
 * Ends with 1 where there was any. The same seed draws the same scenes.
 */
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import type fc from "fast-check";
import { Coverage } from "../test/property/coverage.ts";
import { plantedIn } from "../test/property/planted.ts";
import { drawScenes, inputOf, policyKey, runScene } from "../test/property/running.ts";
import { removalProblems } from "../test/property/removal.ts";
import { ciliumScene, httpScene, kubernetesScene, namesScene, type Scene } from "../test/property/scenes.ts";
import { mismatchText, shrink } from "../test/property/shrinking.ts";

const FLOWS = 32;

const SPACES: readonly (readonly [name: string, arbitrary: fc.Arbitrary<Scene>])[] = [
  ["kubernetes", kubernetesScene(FLOWS)],
  ["cilium@1.17", ciliumScene("cilium@1.17", FLOWS)],
  ["cilium@1.18", ciliumScene("cilium@1.18", FLOWS)],
  ["cilium@1.19", ciliumScene("cilium@1.19", FLOWS)],
  ["http@1.17", httpScene("cilium@1.17", FLOWS)],
  ["http@1.18", httpScene("cilium@1.18", FLOWS)],
  ["http@1.19", httpScene("cilium@1.19", FLOWS)],
  ["names@1.17", namesScene("cilium@1.17", FLOWS)],
  ["names@1.18", namesScene("cilium@1.18", FLOWS)],
  ["names@1.19", namesScene("cilium@1.19", FLOWS)],
];

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    seed: { type: "string" },
    only: { type: "string", default: "" },
    table: { type: "boolean", default: false },
  },
});
const seconds = Number(values.seconds);
const seed = values.seed === undefined ? randomInt(1, 1_000_000) : Number(values.seed);
const { only } = values;
const spaces = SPACES.filter(([name]) => name.includes(only));
if (!(seconds > 0) || !Number.isInteger(seed) || spaces.length === 0) {
  process.stderr.write(
    `usage: npm run fuzz -- [--seconds N] [--seed N] [--only ${SPACES.map(([name]) => name).join("|")}]\n`,
  );
  process.exit(2);
}

process.stdout.write(`seed ${seed}\n`);
const end = Date.now() + 1000 * seconds;
const coverage = new Coverage();
/** Differences that are told already, by what is left of them without names and numbers. */
const told = new Set<string>();
let differing = 0;

function tell(name: string, batch: number, text: string): void {
  differing += 1;
  const shape = text.replaceAll(/[0-9a-f:.]*[0-9]+[0-9a-f:./]*/g, "#");
  if (told.has(shape)) return;
  told.add(shape);
  process.stdout.write(`---\n# ${name}, seed ${seed}, batch ${batch}\n${text}\n`);
}

for (let batch = 0; Date.now() < end; batch++) {
  for (const [name, arbitrary] of spaces) {
    for (const scene of drawScenes(arbitrary, seed, batch)) {
      if (Date.now() >= end) break;
      coverage.sets.add(policyKey(scene));
      let asked = 0;
      const found = runScene(scene, (answer) => {
        coverage.add(answer, plantedIn(scene, answer.flow));
        asked += 1;
        const { view, flow, differences } = answer;
        // Each sixteenth answer is asked again without the rules that it names.
        if (asked % 16 !== 0 || view === undefined || differences.length > 0) return;
        coverage.removals += 1;
        const problems = removalProblems(inputOf(scene), flow, view);
        if (problems.length > 0)
          tell(name, batch, mismatchText({ input: inputOf(scene), flow, differences: problems }));
      });
      for (const mismatch of found.slice(0, 2)) tell(name, batch, mismatchText(shrink(mismatch)));
    }
  }
}

process.stdout.write(values.table ? `${coverage.table()}\n` : `${coverage.summary()}\n`);
process.stdout.write(`${differing} differences, ${told.size} of them told; seed ${seed}\n`);
process.exitCode = differing === 0 ? 0 : 1;
