/**
 * Mutated manifests: whatever the text, the reader ends, does not throw, and accounts for every document; and it never
 * takes longer than the text deserves. Seeded; `BULKHEAD_FUZZ_SEED` and `BULKHEAD_FUZZ_RUNS` choose another walk.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Cursor, Findings } from "../../src/documents/cursor.ts";
import type { Document } from "../../src/documents/document.ts";
import { readDocuments } from "../../src/documents/reader.ts";
import { splitStream } from "../../src/documents/yaml-stream.ts";

const SEED = Number(process.env["BULKHEAD_FUZZ_SEED"] ?? 1);
const RUNS = Number(process.env["BULKHEAD_FUZZ_RUNS"] ?? 6000);

/** Pieces that mean something to YAML or JSON. */
const PIECES = [
  " ",
  "  ",
  "\n",
  "\t",
  "\r",
  "\r\n",
  ":",
  ": ",
  "- ",
  "-",
  "? ",
  "#",
  " #",
  "[",
  "]",
  "{",
  "}",
  ",",
  "'",
  '"',
  "|",
  ">",
  "|2-\n",
  ">+\n",
  "&a ",
  "*a",
  "!",
  "!!int ",
  "!!binary ",
  "<<: ",
  "<<: *a\n",
  "\\",
  "\\u12",
  "0",
  "y",
  "~",
  "%",
  "%YAML 1.1\n",
  "@",
  "`",
  "\u2028",
  "\u0085",
  "\uFEFF",
  "\0",
  "\x1b",
  "é",
  "😀",
  "\uD83D",
  "---\n",
  "\n---\n",
  "\n...\n",
  "--- ",
  "null",
  "{{ .x }}",
  "kind: List\nitems:\n",
  "items: [",
  "apiVersion: v1\n",
  "metadata:\n",
  "__proto__: ",
  "constructor: 1\n",
];

test(
  "mutated manifests neither crash nor hang nor vanish",
  () => {
    const random = generator(SEED);
    const originals = manifests();
    expect(originals.length).toBeGreaterThan(2);
    let documents = 0;
    let refused = 0;
    let slowest = 0;
    for (let run = 0; run < RUNS; run++) {
      const text = mutate(pick(originals, random), originals, random);
      const name = random(4) === 0 ? "a.json" : "a.yaml";
      const start = performance.now();
      const { documents: read, diagnostics, counts } = readDocuments([{ name, text }]);
      slowest = Math.max(slowest, performance.now() - start);
      const context = `run ${run} of seed ${SEED}: ${JSON.stringify(text)}`;
      expect(counts.objects + counts.lists + counts.empty + counts.refused, context).toBe(counts.documents);
      expect(read.length, context).toBe(counts.objects + counts.items);
      const errors = diagnostics.filter((d) => d.severity === "error");
      expect(errors.length, context).toBe(counts.refused + counts.refusedItems);
      // Documents that markers separate are documents that are counted; JSON in a row may be more.
      expect(counts.documents, context).toBeGreaterThanOrEqual(
        splitStream(text, text.startsWith("\uFEFF") ? 1 : 0).length,
      );
      for (const error of errors)
        expect(error.line === undefined || inside(text, error.line, error.column), context).toBe(true);
      for (const document of read) visit(document, text, context);
      documents += counts.documents;
      refused += counts.refused;
    }
    // The walk meets both kinds often enough to mean something.
    expect(refused / documents).toBeGreaterThan(0.1);
    expect(refused / documents).toBeLessThan(0.9);
    expect(slowest).toBeLessThan(2000);
  },
  10_000 + RUNS * 10,
);

/** Asks for the place of every value, and decodes each as everything. */
function visit(document: Document, text: string, context: string): void {
  const findings = new Findings();
  const walk = (cursor: Cursor, depth: number): void => {
    const { line, column } = document.locate(cursor.path);
    expect(inside(text, line, column), context).toBe(true);
    cursor.string();
    cursor.integer({ min: 1, max: 9 });
    cursor.stringMap();
    cursor.unknownFields(["spec", "metadata", "kind"]);
    if (depth > 4) return;
    if (cursor.shape === "list") for (const item of cursor.list() ?? []) walk(item, depth + 1);
    if (cursor.shape === "object") for (const [, member] of cursor.entries() ?? []) walk(member, depth + 1);
  };
  walk(Cursor.of(document, findings), 0);
  expect(findings.errors, context).toBeGreaterThan(0);
}

function inside(text: string, line: number, column = 1): boolean {
  const lines = text.split(/\r\n|\r|\n/);
  return line >= 1 && line <= lines.length && column >= 1 && column <= (lines[line - 1] ?? "").length + 2;
}

function mutate(text: string, originals: readonly string[], random: (below: number) => number): string {
  let result = text;
  for (let edits = 1 + random(4); edits > 0; edits--) {
    const at = random(result.length + 1);
    const rows = result.split("\n");
    const row = random(rows.length);
    switch (random(8)) {
      case 0:
        result = result.slice(0, at) + result.slice(at + 1 + random(3));
        break;
      case 1:
      case 2:
      case 3:
        result = result.slice(0, at) + pick(PIECES, random) + result.slice(at);
        break;
      case 4:
        result = rows.toSpliced(row, 1, " ".repeat(random(5)) + (rows[row] ?? "").slice(random(3))).join("\n");
        break;
      case 5:
        result = rows.toSpliced(row, 1, rows[random(rows.length)] ?? "").join("\n");
        break;
      case 6:
        result = result.slice(0, at) + pick(originals, random).slice(random(200));
        break;
      default:
        result = result.slice(0, at);
    }
  }
  return result;
}

/** The manifests of the conformance suites, and some in forms that those do not use. */
function manifests(): string[] {
  const folder = join(import.meta.dirname, "../conformance");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => /\.(ya?ml|json)$/.test(file))
    .toSorted();
  const texts = files
    .filter((_, i) => i % 7 === 0)
    .map((file) => readFileSync(join(folder, file), "utf8"))
    .filter((text) => text.length < 6000);
  return [
    ...texts,
    JSON.stringify(
      { apiVersion: "v1", kind: "List", items: [{ apiVersion: "v1", kind: "A", metadata: { name: "a" } }] },
      null,
      2,
    ),
    '{"apiVersion":"v1","kind":"A","metadata":{"name":"a"}}\n{"apiVersion":"v1","kind":"A","metadata":{"name":"b"}}\n',
    "apiVersion: v1\nkind: A\nmetadata: &m {name: a, labels: {k: v}}\nspec:\n  <<: *m\n  text: |\n    one\n      two\n\n  folded: >-\n    a\n    b\n  quoted: \"x\\ty\\\n    z\"\n  'single': 'it''s'\n  ? complex\n  : [1, 2, {a: b}]\n",
  ];
}

/** A small generator of numbers (mulberry32), the same on every machine. */
function generator(seed: number): (below: number) => number {
  let state = seed | 0;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

function pick<T>(items: readonly T[], random: (below: number) => number): T {
  const item = items[random(items.length)];
  if (item === undefined) throw new Error("nothing to pick from");
  return item;
}
