import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { formatDiagnostic } from "../src/base/diagnostic.ts";
import type { CaseFiles } from "../src/verify/case-files.ts";
import { type CaseResult, runCase } from "../src/verify/case.ts";
import { EXAMPLES } from "./conformance-examples.ts";
import { SKIPPED } from "./conformance-skips.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "conformance");

/** Suites that the dialects at hand read; the others wait for their dialect. */
const SUITES = [
  "semantics",
  "k8s-e2e",
  "cyclonus",
  "network-config-analyzer",
  "network-policy-api",
  "cilium-documentation",
];

function filesOf(folder: string): CaseFiles {
  return {
    read: (path) => {
      const at = resolve(folder, path);
      return existsSync(at) && statSync(at).isFile() ? { name: path, text: readFileSync(at, "utf8") } : undefined;
    },
    list: (path) => {
      const at = resolve(folder, path);
      if (!existsSync(at) || !statSync(at).isDirectory()) return [];
      return readdirSync(at)
        .filter((f) => /\.(ya?ml|json)$/.test(f))
        .sort()
        .map((f) => ({ name: join(path, f), text: readFileSync(join(at, f), "utf8") }));
    },
  };
}

function run(suite: string, name: string): CaseResult {
  const folder = join(root, suite, name);
  const text = readFileSync(join(folder, "expect.yaml"), "utf8");
  return runCase({ name: "expect.yaml", text }, filesOf(folder));
}

for (const suite of SUITES) {
  const cases = readdirSync(join(root, suite)).filter((name) => existsSync(join(root, suite, name, "expect.yaml")));
  describe(suite, () => {
    for (const name of cases) {
      const reason = SKIPPED[`${suite}/${name}`];
      test.skipIf(reason !== undefined)(
        `[${name.replace(/-[a-z]$/, "")}] ${name}${reason === undefined ? "" : `: ${reason}`}`,
        () => {
          const result = run(suite, name);
          const failures = result.results.filter((r) => !r.passed);
          const report = [
            ...failures.map((f) => `${f.text}: expected ${f.expected}, is ${f.actual}; ${f.why}`),
            ...(result.failed && failures.length === 0 ? result.diagnostics.map(formatDiagnostic) : []),
          ];
          expect(report).toEqual([]);
          expect(result.results.length).toBeGreaterThan(0);
          expect(result.failed).toBe(false);
        },
      );
    }
  });
}

test("every numbered example of the documents that is listed is a case that runs", () => {
  for (const [id, cases] of Object.entries(EXAMPLES)) {
    for (const name of cases) {
      expect(`[${name.slice(0, id.length - 2)}]`).toBe(id);
      expect(existsSync(join(root, "semantics", name, "expect.yaml"))).toBe(true);
      expect(SKIPPED[`semantics/${name}`]).toBeUndefined();
    }
  }
});
