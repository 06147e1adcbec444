/** Engine, reference and packets, over random clusters and policies: 2,000 sets of policies in continuous integration. */
import { describeWithPackets, uniqueName } from "./unprivileged.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { labDown, labUp } from "../../src/lab/client.ts";
import { NO_RULES } from "../../src/lab/ruleset.ts";
import { DIALECTS } from "../property/scenes.ts";
import { isWhole } from "../whole.ts";
import { EMPTY } from "./clusters.ts";
import { compareBatch, Seen } from "./witnesses.ts";

const name = uniqueName();
/** Distinct sets of policies that are compared in each of the four dialects. */
const SETS = Number(process.env["BULKHEAD_FUZZ"] ?? (isWhole ? 500 : 50));
const SEED = 117;
const MAX_SHOWN = 3;

describeWithPackets("engine, reference and packets", () => {
  beforeAll(async () => {
    await labUp(EMPTY, NO_RULES, { name, attached: true });
  });
  afterAll(() => labDown({ name }));

  test.each(DIALECTS)("agree under %s", { timeout: 60_000 + SETS * 2_000 }, async (dialect) => {
    const seen = new Seen();
    const wrong: string[] = [];
    for (let batch = 0; seen.sets.size < SETS && wrong.length < MAX_SHOWN; batch++)
      for await (const one of compareBatch({ dialect, seed: SEED, batch, name }, seen)) wrong.push(one);
    process.stdout.write(`${dialect}: ${seen.summary()}\n`);
    expect(wrong.join("\n---\n")).toBe("");
    expect(seen.sets.size).toBeGreaterThanOrEqual(SETS);
    // Neither answer is rare.
    expect(Math.min(seen.denied, seen.packets - seen.denied)).toBeGreaterThan(seen.packets / 10);
  });
});
