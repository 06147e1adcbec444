/** Completions, configuration, names that are nearly right. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { bulkhead, EXAMPLE, ROOT, run } from "./run.ts";

const folder = mkdtempSync(join(tmpdir(), "bulkhead-habits-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function complete(...words: string[]): Promise<readonly string[]> {
  const { stdout } = await bulkhead(["__complete", "--", ...words]);
  return stdout.split("\n").filter((line) => line !== "");
}

describe.concurrent("completion", () => {
  test("commands, without those that nobody types", async () => {
    const found = await complete();
    expect(found).toEqual(expect.arrayContaining(["exposure", "impact", "diff", "lint", "verify", "lab"]));
    expect(found.filter((one) => one.startsWith("__"))).toEqual([]);
  });

  test("endpoints of the input, where an endpoint is due", async () => {
    expect(await complete("impact", "-f", EXAMPLE)).toContain("default/client-a");
    expect(await complete("why", "default/client-a", "-f", EXAMPLE)).toContain("default/Service/service-a");
    expect(await complete("reach", "-f", EXAMPLE, "--to")).toContain("default/service-b");
    expect(await complete("reach", "-f", EXAMPLE)).not.toContain("default/service-b");
  });

  test("the values of a flag that has few", async () => {
    expect(await complete("verify", "-o")).toEqual(["text", "json", "junit", "sarif", "tap"]);
  });

  test.each([
    ["bash", "cat | bash -n"],
    ["zsh", "cat | zsh -n"],
    ["fish", "cat | fish -n"],
  ])("the script for %s is one", async (shell, check) => {
    const { code, stdout } = await bulkhead(["completion", shell]);
    expect(code).toBe(0);
    expect(stdout).toContain("bulkhead __complete");
    const there = await run("sh", ["-c", `command -v ${shell}`]);
    if (there.code === 0) expect((await run("sh", ["-c", check], { input: stdout })).code).toBe(0);
  });

  test("another shell has none", async () => {
    expect((await bulkhead(["completion", "tcsh"])).code).toBe(2);
  });
});

describe("bulkhead.yaml", () => {
  const write = (text: string): void => writeFileSync(join(folder, "bulkhead.yaml"), text);
  const story = join(ROOT, EXAMPLE);

  test("gives defaults that a flag beats", async () => {
    write(`dialect: cilium@1.18\nfilename: [${JSON.stringify(story)}]\n`);
    const told = await bulkhead(["exposure"], { cwd: folder });
    expect(told.stdout).toContain("cilium@1.18");
    expect(told.stdout).toContain("4 endpoints");
    const flag = await bulkhead(["exposure", "--dialect", "kubernetes"], { cwd: folder });
    expect(flag.stdout).toContain("kubernetes");
  });

  test("sets findings aside, and the reason is reported", async () => {
    write("lint:\n  ignore:\n    - {code: BH160, reason: the Ingress is being removed}\n");
    const { code, stdout } = await bulkhead(["lint", story, "-f", `${story}/policies/cilium`], { cwd: folder });
    expect(code).toBe(0);
    expect(stdout).toMatch(/Suppressed\n {2}BH160 .*: the Ingress is being removed/);
  });

  test.each([
    ["an unknown key", "dialekt: cilium\n"],
    ["a range that is none", "podCIDRs: [10.0.0.0]\n"],
    ["a code that is none", "lint: {ignore: [{code: BH999, reason: x}]}\n"],
    ["an exception without a reason", "lint: {ignore: [{code: BH153}]}\n"],
  ])("%s is a mistake at its line", async (_title, text) => {
    write(text);
    const { code, stderr } = await bulkhead(["lint", story], { cwd: folder });
    expect(code).toBe(2);
    expect(stderr).toMatch(/bulkhead\.yaml:1/);
  });
});

describe.concurrent("names that are nearly right", () => {
  test.each([
    [["impact", "default/client-aa", "-f", EXAMPLE], "did you mean default/client-a?"],
    [["why", "default/clint-a", "default/service-a", "-f", EXAMPLE, "--port", "80"], "did you mean default/client-a?"],
    [["impcat"], "Did you mean impact?"],
    [["explain", "BH14"], "Did you mean BH"],
  ])("%j", async (args, suggestion) => {
    const { code, stderr } = await bulkhead(args);
    expect(code).toBe(2);
    expect(stderr).toContain(suggestion);
  });
});
