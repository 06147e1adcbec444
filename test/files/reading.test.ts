/** Much YAML is read on several cores, and nobody can tell by the result. */
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { readDocuments } from "../../src/documents/reader.ts";
import { loadInput } from "../../src/files/input.ts";
import { readSources } from "../../src/files/reading.ts";
import { decodeFile } from "../../src/files/source-file.ts";
import { json, run, withFiles } from "../cli/run.ts";
import { manyDocuments, outcomeOf } from "./many-documents.ts";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "../..");
const CHILD = join(ROOT, "test/files/threads-child.ts");

/** Compiles the sources into a folder, for Node's own loader reads no TypeScript in a thread. */
async function compileTo(folder: string): Promise<void> {
  const compiler = join(ROOT, "node_modules/typescript/bin/tsc");
  const { code, stdout } = await run(process.execPath, [compiler, "-p", "tsconfig.build.json", "--outDir", folder]);
  expect(stdout).toBe("");
  expect(code).toBe(0);
}

test("threads give the same objects, findings and places in the same order", async () => {
  await withFiles({ "package.json": '{"type": "module"}' }, async (folder) => {
    await compileTo(folder);
    const program = join(folder, "files/composing-thread.js");
    const { code, stdout, stderr } = await run(process.execPath, [
      "--import",
      import.meta.resolve("tsx"),
      CHILD,
      program,
    ]);
    expect(stderr).toBe("");
    expect(code).toBe(0);
    expect(json(stdout)).toEqual({ answered: true, isSame: true });
  });
});

test("threads that do not answer change nothing", () => {
  const source = { name: "a.yaml", text: manyDocuments() };
  const alone = readDocuments([source]);
  expect(alone.counts.refused).toBeGreaterThan(5);
  expect(alone.counts.items).toBe(8000);
  // Beside the sources there is no program for a thread.
  expect(outcomeOf(readSources([source], 2))).toBe(outcomeOf(alone));
});

test("a file in parts gives the same objects, findings and places", () => {
  const text = manyDocuments();
  const file = decodeFile(Buffer.from(text), "a.yaml", 500_000);
  const sources = "sources" in file ? file.sources : [];
  expect(sources.length).toBeGreaterThan(4);
  expect(sources.map((source) => source.text).join("")).toBe(text);
  expect(outcomeOf(readDocuments(sources))).toBe(outcomeOf(readDocuments([{ name: "a.yaml", text }])));
});

test("a document beyond the size of a part is refused, and says so", () => {
  const file = decodeFile(Buffer.from(`a: b\n---\nc: ${"x".repeat(2000)}\n`), "a.yaml", 1000);
  expect(file).toMatchObject({ problem: { code: "BH024", severity: "error", file: "a.yaml" } });
});

test("what gzip has packed is unpacked; what cannot be is refused", () => {
  const text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";
  const packed = gzipSync(text);
  expect(loadInput(["-"], { stdin: () => packed })).toMatchObject({ sources: [{ name: "-", text }], diagnostics: [] });
  const cut = loadInput(["-"], { stdin: () => packed.subarray(0, packed.length - 9) });
  expect(cut).toMatchObject({ sources: [], diagnostics: [{ code: "BH023", severity: "error" }] });
});
