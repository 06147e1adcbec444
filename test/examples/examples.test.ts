/** The examples are valid, and their expectations hold. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { formatDiagnostic } from "../../src/base/diagnostic.ts";
import { caseFiles } from "../../src/cli/case-files.ts";
import { readDocuments } from "../../src/documents/reader.ts";
import { loadInput } from "../../src/files/input.ts";
import { chooseDialect } from "../../src/policy/registry.ts";
import { Engine } from "../../src/reach/engine.ts";
import { idlePolicies } from "../../src/reach/idle-policies.ts";
import { runCase } from "../../src/verify/case.ts";
import { ROOT } from "../cli/run.ts";

const FOLDER = join(ROOT, "examples/two-applications");
const EXPECTATIONS = readdirSync(FOLDER).filter((name) => name.endsWith(".expect.yaml"));

describe("names", () => {
  test("[R7.3.1, R7.3.5] what is expected holds", () => {
    const path = join(ROOT, "examples/names/expect.yaml");
    const { results, diagnostics } = runCase(
      { name: "expect.yaml", text: readFileSync(path, "utf8") },
      caseFiles(path, ROOT),
    );
    expect(diagnostics.map(formatDiagnostic)).toEqual([]);
    expect(results.map(({ passed }) => passed)).toEqual([true, true, true, true, true]);
  });
});

describe("two applications", () => {
  test.each(EXPECTATIONS)("%s", (name) => {
    const path = join(FOLDER, name);
    const { results, diagnostics } = runCase({ name, text: readFileSync(path, "utf8") }, caseFiles(path, FOLDER));
    expect(diagnostics.map(formatDiagnostic)).toEqual([]);
    expect(results.length).toBeGreaterThan(0);
    expect(results.filter(({ passed }) => !passed)).toEqual([]);
  });

  test.each([
    ["cilium@1.19", ["", "policies/cilium", "policies/cilium-ingress"]],
    ["kubernetes", ["", "policies/kubernetes"]],
  ])("nothing is to be said about it under %s", (dialectName, folders) => {
    const input = loadInput(
      folders.map((folder) => join(FOLDER, folder)),
      { cwd: FOLDER },
    );
    const read = readDocuments(input.sources);
    const { dialect } = chooseDialect(read.documents);
    expect(dialect?.name).toBe(dialectName);
    if (dialect === undefined) return;
    const engine = Engine.open(read.documents, { dialect });
    const found = [...input.diagnostics, ...read.diagnostics, ...engine.diagnostics, ...idlePolicies(engine)];
    expect(found.filter(({ severity }) => severity !== "info").map(formatDiagnostic)).toEqual([]);
  });
});
