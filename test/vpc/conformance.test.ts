import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { formatDiagnostic } from "../../src/base/diagnostic.ts";
import type { CaseFiles } from "../../src/verify/case-files.ts";
import { runCase } from "../../src/verify/case.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "../conformance/aws-vpc");

function filesOf(folder: string): CaseFiles {
  return {
    read: (path) => {
      const at = resolve(folder, path);
      return existsSync(at) && statSync(at).isFile() ? { name: path, text: readFileSync(at, "utf8") } : undefined;
    },
    list: () => [],
  };
}

/** Cases with expectations of flows; those with `placement.yaml` alone are about clusters in a VPC. */
const cases = readdirSync(root).filter((name) => existsSync(join(root, name, "expect.yaml")));

describe("aws-vpc conformance", () => {
  test.each(cases)("%s", (name) => {
    const folder = join(root, name);
    const text = readFileSync(join(folder, "expect.yaml"), "utf8");
    const result = runCase({ name: "expect.yaml", text }, filesOf(folder));
    const failures = result.results.filter((r) => !r.passed);
    expect([
      ...failures.map((f) => `${f.text}: expected ${f.expected}, is ${f.actual}; ${f.why}`),
      ...(result.failed && failures.length === 0 ? result.diagnostics.map(formatDiagnostic) : []),
    ]).toEqual([]);
    const tellings = ["plan.json", "template.json", "describe.json"].filter((f) => existsSync(join(folder, f)));
    expect(result.results).toHaveLength(38 * tellings.length);
  });
});
