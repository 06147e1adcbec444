/** What the definitions for CI run, run here as far as it can be: their scripts, in a repository of their own. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { load } from "js-yaml";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { COMMAND, EXAMPLE, ROOT, type Ran, run } from "./run.ts";

const folder = mkdtempSync(join(tmpdir(), "bulkhead-ci-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function shell(script: string, env: Readonly<Record<string, string>> = {}): Promise<Ran> {
  return run("bash", ["-c", script], { cwd: folder, env });
}

/** A repository whose second commit closes service A. */
beforeAll(async () => {
  const manifests = join(folder, "manifests");
  mkdirSync(manifests);
  for (const name of ["application-a.yaml", "application-b.yaml", "ingress.yaml"]) {
    copyFileSync(join(ROOT, EXAMPLE, name), join(manifests, name));
  }
  const commit = "git add . && git -c user.name=t -c user.email=t@example.com commit -qm";
  expect((await shell(`git init -q -b main && ${commit} one`)).code).toBe(0);
  copyFileSync(join(ROOT, EXAMPLE, "policies/cilium/service-a.yaml"), join(manifests, "policy.yaml"));
  writeFileSync(
    join(manifests, "expect.yaml"),
    "manifests: [application-a.yaml, application-b.yaml, policy.yaml]\nassertions:\n  - {from: default/client-b, to: default/service-a, port: 80, verdict: deny}\n",
  );
  expect((await shell(`git update-ref refs/remotes/origin/main HEAD && ${commit} two`)).code).toBe(0);
});

function field(value: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(
    (at, key) => (typeof at === "object" && at !== null ? Reflect.get(at, key) : undefined),
    value,
  );
}

describe("the composite action", () => {
  test("is one, and runs the script beside it", () => {
    const action: unknown = load(readFileSync(join(ROOT, "action.yml"), "utf8"));
    expect(field(action, "runs", "using")).toBe("composite");
    expect(field(action, "runs", "steps", 0, "run")).toBe('bash "$ACTION_PATH/scripts/ci.sh"');
    expect(existsSync(join(ROOT, "scripts/ci.sh"))).toBe(true);
  });

  test("lint, expectations and the difference; the worst exit code is that of the step", async () => {
    const output = join(folder, "output");
    const { code, stderr } = await shell(`bash ${ROOT}/scripts/ci.sh`, {
      BULKHEAD: COMMAND.join(" "),
      MANIFESTS: "manifests",
      BASE: "HEAD~1",
      GITHUB_OUTPUT: output,
    });
    // The policy closes the way of the Ingress, and lint says so.
    expect(code, stderr).toBe(1);
    expect(readFileSync(output, "utf8")).toBe("sarif=bulkhead.sarif\ncomment=bulkhead.md\n");
    expect(readFileSync(join(folder, "bulkhead.sarif"), "utf8")).toContain("BH160");
    expect(readFileSync(join(folder, "bulkhead.xml"), "utf8")).toContain('failures="0"');
    expect(readFileSync(join(folder, "bulkhead.md"), "utf8")).toMatch(/^### 🔒 \d+ pairs may do less/);
  });
});

test("the hooks of pre-commit run", async () => {
  const hooks: unknown = load(readFileSync(join(ROOT, ".pre-commit-hooks.yaml"), "utf8"));
  // pre-commit runs the file itself, so it must be executable.
  expect(statSync(join(ROOT, "scripts/own.sh")).mode & 0o111).toBe(0o111);
  const [lint, verify] = [field(hooks, 0, "entry"), field(hooks, 1, "entry")].map(String);
  const call = (entry: string | undefined, args: string): Promise<Ran> =>
    shell(`${(entry ?? "").replace(/^scripts\/own\.sh/, COMMAND.join(" "))} ${args}`);
  expect((await call(verify, ".")).stdout).toBe("1 passed, 0 failed\n");
  expect((await call(lint, "manifests")).code).toBe(1);
});

test("the script of the GitLab example runs", async () => {
  const jobs: unknown = load(readFileSync(join(ROOT, "docs/ci/gitlab.yml"), "utf8"));
  const script = field(jobs, "bulkhead", "script");
  const lines = Array.isArray(script) ? script.map(String) : [];
  expect(lines.length).toBe(3);
  const env = { MANIFESTS: "manifests", CI_MERGE_REQUEST_TARGET_BRANCH_NAME: "main" };
  const codes: number[] = [];
  for (const line of lines)
    codes.push((await shell(line.replace('npx --yes "$BULKHEAD"', COMMAND.join(" ")), env)).code);
  expect(codes).toEqual([0, 0, 1]);
  expect(readFileSync(join(folder, "bulkhead.md"), "utf8")).toContain("added CiliumNetworkPolicy/default/service-a");
});
