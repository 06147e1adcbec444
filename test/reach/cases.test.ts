/** Cases of our own about Services and what leads to them from outside, on the engine and on the reference. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { type Dialect, Reference } from "../../reference/index.ts";
import { formatDiagnostic } from "../../src/base/diagnostic.ts";
import { readDocuments } from "../reference/conformance.ts";
import type { CaseFiles } from "../../src/verify/case-files.ts";
import { type CaseResult, runCase } from "../../src/verify/case.ts";

const root = join(import.meta.dirname, "cases");
const names = readdirSync(root).filter((name) => existsSync(join(root, name, "expect.yaml")));

function filesOf(folder: string): CaseFiles {
  return {
    read: (path) => {
      const at = resolve(folder, path);
      return existsSync(at) && statSync(at).isFile() ? { name: path, text: readFileSync(at, "utf8") } : undefined;
    },
    list: () => [],
  };
}

function run(name: string): CaseResult {
  const folder = join(root, name);
  return runCase({ name: "expect.yaml", text: readFileSync(join(folder, "expect.yaml"), "utf8") }, filesOf(folder));
}

describe("engine", () => {
  test.each(names)("[%s]", (name) => {
    const result = run(name);
    const failures = result.results.filter((r) => !r.passed);
    expect([
      ...failures.map((f) => `${f.text}: expected ${f.expected}, is ${f.actual}; ${f.why}`),
      ...(result.failed && failures.length === 0 ? result.diagnostics.map(formatDiagnostic) : []),
    ]).toEqual([]);
    expect(result.results.length).toBeGreaterThan(0);
  });
});

describe("reference", () => {
  test.each(names)("[%s]", (name) => {
    const { expectation, engine } = run(name);
    if (expectation === undefined || engine === undefined) throw new Error(`${name} does not run`);
    const known = engine.options.dialect.name;
    const dialect: Dialect = known === "kubernetes" ? "kubernetes" : "cilium@1.19";
    const documents = (expectation.manifests ?? []).flatMap((path) => readDocuments(resolve(root, name, path)));
    const reference = new Reference(documents, { dialect, asCluster: true });
    const differing = expectation.assertions.flatMap(({ from, to, protocol, port, verdict, text }) => {
      const answer = reference.ask({ from, to, protocol, ...(port === undefined ? {} : { port }) });
      return answer.verdict === verdict ? [] : [`${text}: expected ${verdict}, is ${answer.verdict}`];
    });
    expect(differing).toEqual([]);
  });
});
