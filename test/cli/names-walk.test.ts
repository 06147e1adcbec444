/** The walk through names in the documentation, as it stands there, in a lab of its own. */
import { describeWithPackets, uniqueName } from "../lab/unprivileged.ts";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { COMMAND, ROOT, run } from "./run.ts";

const text = readFileSync(join(ROOT, "docs/concepts/names-in-the-lab.md"), "utf8");
const name = uniqueName();
/** `bulkhead lab VERB …` of the walk means the test's lab. */
const SHELL = `bulkhead() { verb=$2; shift 2; ${COMMAND.map((word) => `'${word}'`).join(" ")} lab "$verb" --name ${name} "$@"; }`;
const WALK = /```sh\n(\$ [\s\S]*?)```/.exec(text)?.[1] ?? "";

async function shell(command: string): Promise<string> {
  const { stdout } = await run("sh", ["-c", `${SHELL}\n${command}`]);
  return stdout.replaceAll(name, "bulkhead");
}

describeWithPackets("the walk through names", () => {
  afterAll(async () => {
    await shell("bulkhead lab down");
  });

  test("says what the documentation says", { timeout: 300_000 }, async () => {
    const steps = WALK.split(/^\$ /m).slice(1);
    expect(steps.length).toBeGreaterThan(5);
    const said: string[] = [];
    for (const step of steps) {
      const [command = ""] = step.split("\n");
      said.push(`$ ${command}\n${await shell(command)}`);
    }
    expect(said.join("")).toBe(WALK);
  });
});
