/** The questions at the command line. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { bulkhead, EXAMPLE, json, run } from "./run.ts";
import { schemaProblems } from "./schema.ts";

const POLICIES = `${EXAMPLE}/policies/cilium`;
const STORY = ["-f", EXAMPLE, "-f", POLICIES];
const [folder, repository] = [0, 1].map(() => mkdtempSync(join(tmpdir(), "bulkhead-questions-")));
if (folder === undefined || repository === undefined) throw new Error("no folders");
afterAll(() => {
  for (const path of [folder, repository]) rmSync(path, { recursive: true });
});

describe.concurrent("JSON keeps to its schema", () => {
  test.each([
    ["exposure", ["exposure", ...STORY, "--against", "none"]],
    ["impact", ["impact", "--all", ...STORY]],
    ["impact", ["impact", "default/client-b", "--to", "default/service-a", ...STORY]],
    ["diff", ["diff", EXAMPLE, POLICIES, "-f", EXAMPLE]],
    ["lint", ["lint", ...STORY]],
    ["explain", ["explain"]],
  ])("%s: %j", async (schema, args) => {
    const { stdout } = await bulkhead([...args, "-o", "json"]);
    expect(schemaProblems(schema, json(stdout))).toEqual([]);
  });
});

describe.concurrent("exposure", () => {
  test("the two numbers, with the base line", async () => {
    const { code, stdout } = await bulkhead(["exposure", ...STORY, "--against", "none"]);
    expect(code).toBe(0);
    expect(stdout).toContain("closed  Ingress/default/applications, a.example.com path / (Prefix) → TCP 80");
    expect(stdout).toContain(`closed by: CiliumNetworkPolicy/default/service-a  ${POLICIES}/service-a.yaml:3`);
    expect(stdout).toContain("Attack surface: 1 of 4 endpoints reachable through 1 way in (without policies 2)");
  });

  test.each(["svg", "dot", "html", "md"])("-o %s", async (format) => {
    const { code, stdout } = await bulkhead(["exposure", ...STORY, "-o", format]);
    expect(code).toBe(0);
    expect(stdout).toContain("service-a");
  });
});

describe.concurrent("impact", () => {
  test("step by step, with the reduction", async () => {
    const { stdout } = await bulkhead(["impact", "default/client-b", "--declared", ...STORY]);
    expect(stdout).toContain("Area of impact: 1 of 3 other endpoints; without policies 2, so 50 % less");
  });

  test("an unknown endpoint suggests the near name", async () => {
    const { code, stderr } = await bulkhead(["impact", "default/client-x", ...STORY]);
    expect(code).toBe(2);
    expect(stderr).toContain("default/client-x");
  });

  test("neither an endpoint nor --all is a mistake of usage", async () => {
    expect((await bulkhead(["impact", ...STORY])).code).toBe(2);
  });
});

describe.concurrent("diff", () => {
  test("--exit-code tells whether something changed", async () => {
    expect((await bulkhead(["diff", EXAMPLE, EXAMPLE, "--exit-code"])).code).toBe(0);
    expect((await bulkhead(["diff", EXAMPLE, POLICIES, "-f", EXAMPLE, "--exit-code"])).code).toBe(1);
  });

  test("a comment for a pull request says first what matters", async () => {
    const { stdout } = await bulkhead(["diff", EXAMPLE, POLICIES, "-f", EXAMPLE, "-o", "md"]);
    expect(stdout.split("\n")[0]).toMatch(/^### 🔒 \d+ pairs may do less/);
    expect(stdout).toContain("added CiliumNetworkPolicy/default/service-a");
  });

  test("standard input is a side like any other", async () => {
    const { stdout } = await run("sh", [
      "-c",
      `for f in ${EXAMPLE}/*-?.yaml ${EXAMPLE}/ingress.yaml; do cat $f; echo ---; done`,
    ]);
    const { code, stdout: answer } = await bulkhead(["diff", EXAMPLE, "-"], { input: stdout });
    expect(code).toBe(0);
    expect(answer).toContain("no connection is gained or lost");
  });

  test("revisions of Git, without a checkout", async () => {
    const policy = (port: number): string =>
      `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, namespace: shop}\nspec: {podSelector: {}, ingress: [{from: [{podSelector: {}}], ports: [{port: ${port}}]}]}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: shop}\nspec: {containers: [{name: c, image: i}]}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: b, namespace: shop}\nspec: {containers: [{name: c, image: i}]}\n`;
    const git = async (...args: string[]): Promise<void> => {
      const ran = await run("git", ["-c", "user.name=t", "-c", "user.email=t@example.com", ...args], {
        cwd: repository,
      });
      expect(ran.code, ran.stderr).toBe(0);
    };
    await git("init", "-q");
    writeFileSync(join(repository, "p.yaml"), policy(80));
    await git("add", ".");
    await git("commit", "-qm", "one");
    writeFileSync(join(repository, "p.yaml"), policy(81));
    const { code, stdout } = await bulkhead(["diff", "git:HEAD:.", "."], { cwd: repository });
    expect(code).toBe(0);
    expect(stdout).toContain("+ TCP 81");
    expect(stdout).toContain("- TCP 80");
    const missing = await bulkhead(["diff", "git:nowhere:.", "."], { cwd: repository });
    expect(missing.code).toBe(2);
    expect(missing.stderr).toContain("BH020");
  });

  test("two networks on one input", async () => {
    const { code, stdout } = await bulkhead([
      "diff",
      "--dialect",
      "kubernetes",
      "--against",
      "cilium",
      EXAMPLE,
      "-f",
      `${EXAMPLE}/policies/kubernetes`,
    ]);
    expect(code).toBe(0);
    expect(stdout).toContain("kubernetes against cilium");
  });
});

describe.concurrent("lint and explain", () => {
  test("the story's policy closes its own Ingress, and lint says so", async () => {
    const { code, stdout } = await bulkhead(["lint", ...STORY]);
    expect(code).toBe(1);
    expect(stdout).toContain(`${POLICIES}/service-a.yaml:3:1: error BH160`);
  });

  test("SARIF has the rule, the place and the level", async () => {
    const { stdout } = await bulkhead(["lint", ...STORY, "-o", "sarif"]);
    expect(json(stdout)).toMatchObject({
      version: "2.1.0",
      runs: [
        {
          tool: { driver: { name: "bulkhead" } },
          results: expect.arrayContaining([expect.objectContaining({ ruleId: "BH160", level: "error" })]),
        },
      ],
    });
  });

  test("--fix prints a patch of what is certain and writes nothing", async () => {
    const text = `apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: p, namespace: shop}\nspec:\n  endpointSelector: {}\n  ingress:\n    - toPorts:\n        - ports: [{port: "80", protocol: TCP}]\n          rules:\n            http:\n              - method: get\n                headers:\n                  - "X-Role:ops"\n`;
    const file = join(folder, "fix.yaml");
    writeFileSync(file, text);
    const { code, stdout } = await bulkhead(["lint", "--fix", "fix.yaml"], { cwd: folder });
    expect(code).toBe(0);
    expect(stdout).toContain("-              - method: get\n+              - method: GET\n");
    expect(stdout).toContain('-                  - "X-Role:ops"\n+                  - "X-Role: ops"\n');
    const applied = await run("sh", ["-c", "patch -p1 --dry-run"], { cwd: folder, input: stdout });
    expect(applied.code, applied.stderr + applied.stdout).toBe(0);
  });

  test("explain: a page, the list, and the near code", async () => {
    expect((await bulkhead(["explain", "bh147"])).stdout).toContain("Rules add up");
    expect((await bulkhead(["explain"])).stdout).toContain("BH012");
    const { code, stderr } = await bulkhead(["explain", "BH1470"]);
    expect(code).toBe(2);
    expect(stderr).toContain("Did you mean BH14");
  });
});

describe.concurrent("verify in CI", () => {
  test("a Segregation that is kept", async () => {
    const { code, stdout } = await bulkhead(["verify", "examples/segregation"]);
    expect(code).toBe(0);
    expect(stdout).toBe("8 passed, 0 failed\n");
  });

  test("--strict fails on what is allowed and not expected", async () => {
    const file = `${EXAMPLE}/after.expect.yaml`;
    expect((await bulkhead(["verify", file])).code).toBe(0);
    const { code, stdout } = await bulkhead(["verify", "--strict", file]);
    expect(code).toBe(1);
    expect(stdout).toContain("expected  nothing (--strict)");
  });

  test("junit, tap and sarif", async () => {
    const args = ["verify", "--strict", `${EXAMPLE}/after.expect.yaml`, "-o"];
    const [junit, tap, sarif] = await Promise.all(
      ["junit", "tap", "sarif"].map((format) => bulkhead([...args, format])),
    );
    expect(junit?.stdout).toContain('<testsuites name="bulkhead" tests="8" failures="1">');
    expect(tap?.stdout).toMatch(/^TAP version 14\n1\.\.8\n/);
    expect(json(sarif?.stdout ?? "")).toMatchObject({ runs: [{ results: [{ ruleId: "BH191" }] }] });
  });
});

describe.concurrent("report", () => {
  test.each(["md", "html"])("-o %s: inputs with hashes, what was asked, what holds", async (format) => {
    const args = ["report", EXAMPLE, "-f", "examples/segregation/policies.yaml", "--expect", "examples/segregation"];
    const [one, two] = [await bulkhead([...args, "-o", format]), await bulkhead([...args, "-o", format])];
    expect(one.code).toBe(0);
    expect(one.stdout).toBe(two.stdout);
    expect(one.stdout).toMatch(/[0-9a-f]{64}/);
    expect(one.stdout).toContain("bulkhead impact --all");
    expect(one.stdout).toContain("8 of 8 expectations hold");
  });
});
