import { describe, expect, test } from "vitest";
import { bulkhead, EXAMPLE, json, ROOT, withFiles } from "./run.ts";
import { schemaProblems } from "./schema.ts";

const EXPECT = (rows: string): string => `manifests: [${ROOT}/${EXAMPLE}/application-a.yaml]\nassertions:\n${rows}`;

/** Those whose manifests are here; others have to be fetched first. */
const EXAMPLES = ["examples/two-applications", "examples/segregation"];

describe.concurrent("verify", () => {
  test("the example's expectations hold, and the count comes last", async () => {
    const { code, stdout } = await bulkhead(["verify", ...EXAMPLES]);
    expect(stdout).toMatch(/^[1-9][0-9]* passed, 0 failed\n$/);
    expect(code).toBe(0);
  });

  test("the JSON keeps to its schema", async () => {
    const { stdout } = await bulkhead(["verify", ...EXAMPLES, "-o", "json"]);
    expect(schemaProblems("verify", json(stdout))).toEqual([]);
  });

  test("what does not hold is told with what is, and why; exit 1", async () => {
    const rows = "  - {from: default/client-a, to: default/service-a, port: 80, verdict: deny}\n";
    await withFiles({ "wrong.expect.yaml": EXPECT(rows).replace(`${ROOT}/`, "") }, async (folder) => {
      const { code, stdout } = await bulkhead(["verify", folder]);
      expect(code).toBe(2);
      expect(stdout).toBe("");
    });
    const manifest =
      "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: default}\nspec: {containers: [{name: c, image: i}]}\n";
    const expectation = "assertions:\n  - {from: default/a, to: 'ip:203.0.113.7', port: 80, verdict: deny}\n";
    await withFiles({ "manifests.yaml": manifest, "expect.yaml": expectation }, async (folder) => {
      const { code, stdout } = await bulkhead(["verify", "."], { cwd: folder });
      expect(code).toBe(1);
      expect(stdout).toMatch(
        /^failed expect\.yaml: .*\n {2}expected {2}deny\n {2}is {8}allow\n {2}because {3}.+\n0 passed, 1 failed\n$/,
      );
    });
  });

  test.each([
    ["a file that checks nothing", "title: nothing\n", /error/],
    ["a key that means nothing", "assertion: []\nassertions: []\n", /BH201|error/],
    [
      "a name that nobody has",
      "assertions:\n  - {from: default/x, to: default/y, port: 80, verdict: deny}\n",
      /default\/x/,
    ],
  ])("%s: exit 2", async (_title, text, message) => {
    await withFiles({ "expect.yaml": text }, async (folder) => {
      const { code, stdout, stderr } = await bulkhead(["verify", folder]);
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).toMatch(message);
    });
  });
});
