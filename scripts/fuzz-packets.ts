/**
 * Compares engine, reference and packets over random clusters and policies for as long as told.
 *
 *   npm run fuzz:packets -- --seconds 600 --seed 7 --only cilium@1.19
 *
 * Prints the seed, and every mismatch with its scene as YAML. Ends with 1 where there was any. The same seed draws the
 * same scenes.
 */
import "../test/lab/ordinary-user.ts";
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { labDown, labUp } from "../src/lab/client.ts";
import { NO_RULES } from "../src/lab/ruleset.ts";
import { EMPTY } from "../test/lab/clusters.ts";
import { compareBatch, Seen } from "../test/lab/witnesses.ts";
import { DIALECTS } from "../test/property/scenes.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    seed: { type: "string" },
    only: { type: "string", default: "" },
  },
});
const seconds = Number(values.seconds);
const seed = values.seed === undefined ? randomInt(1, 1_000_000) : Number(values.seed);
const dialects = DIALECTS.filter((dialect) => dialect.includes(values.only));
if (!(seconds > 0) || !Number.isInteger(seed) || dialects.length === 0) {
  process.stderr.write(`usage: npm run fuzz:packets -- [--seconds N] [--seed N] [--only ${DIALECTS.join("|")}]\n`);
  process.exit(2);
}

process.stdout.write(`seed ${seed}\n`);
const name = `fuzz-${process.pid}`;
const end = Date.now() + 1000 * seconds;
const seen = new Seen();
let differing = 0;
await labUp(EMPTY, NO_RULES, { name, attached: true });
try {
  for (let turn = 0; Date.now() < end; turn++) {
    const dialect = dialects[turn % dialects.length];
    if (dialect === undefined) break;
    const batch = Math.floor(turn / dialects.length);
    for await (const text of compareBatch({ dialect, seed, batch, name }, seen)) {
      differing++;
      process.stdout.write(`---\n${text}\n`);
    }
  }
} finally {
  await labDown({ name });
}
process.stdout.write(`${seen.summary()}\n${differing} scenes differ; seed ${seed}\n`);
process.exitCode = differing === 0 ? 0 : 1;
