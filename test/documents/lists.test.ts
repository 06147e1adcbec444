/** Lists are read item by item where that gives what reading them in one piece gives: values, findings, places. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatDiagnostic } from "../../src/base/diagnostic.ts";
import { composeHere, type Compose } from "../../src/documents/composition.ts";
import type { Document } from "../../src/documents/document.ts";
import { readDocuments } from "../../src/documents/reader.ts";
import { lines, read } from "./read.ts";

const SEED = 20251130;

function list(...items: readonly string[]): string {
  return `apiVersion: v1\nitems:\n${items.join("")}kind: List\nmetadata:\n  resourceVersion: ""\n`;
}

function item(name: string, more = ""): string {
  return `- apiVersion: v1\n  kind: ConfigMap\n  metadata:\n    name: ${name}\n${more}`;
}

/** The same text, line by line and column by column, which is read in one piece: a comment hides the list. */
function inOnePiece(text: string): string {
  return text.replaceAll(/^items:$/gm, "items: #");
}

/** How many stretches the reader has composed. */
function stretchesOf(text: string): number {
  let count = 0;
  const counting: Compose = (whole, stretches) => {
    count += stretches.length;
    return composeHere(whole, stretches);
  };
  readDocuments([{ name: "a.yaml", text }], counting);
  return count;
}

/** What came of a text, with the place of every value. */
function outcome(text: string): unknown {
  const { documents, diagnostics, counts } = read(text);
  return { counts, diagnostics: diagnostics.map(formatDiagnostic), documents: documents.map(shown) };
}

function shown(document: Document): unknown {
  const { source, index, base, value, apiVersion, kind, namespace, name } = document;
  const places: string[] = [];
  const walk = (at: unknown, path: readonly (string | number)[]): void => {
    for (const key of [false, true]) {
      const { line, column } = document.locate(path, { key });
      places.push(`${path.join(".")} ${line}:${column}`);
    }
    if (typeof at !== "object" || at === null) return;
    for (const [key, member] of Object.entries(at)) walk(member, [...path, Array.isArray(at) ? Number(key) : key]);
  };
  walk(value, []);
  return { source, index, base, value, apiVersion, kind, namespace, name, places };
}

describe("a List of YAML", () => {
  test("is read item by item", () => {
    const text = list(item("a"), item("b", "  data: {x: y}\n"), item("c"));
    expect(stretchesOf(text)).toBe(3);
    const { documents } = read(text);
    expect(documents.map((document) => [document.name, document.base])).toEqual([
      ["a", ["items", 0]],
      ["b", ["items", 1]],
      ["c", ["items", 2]],
    ]);
    expect(documents[1]?.locate(["data", "x"])).toEqual({ file: "a.yaml", line: 11, column: 13 });
  });

  test.each([
    ["a text in quotes that goes over the cut", list(item("a", '  data: {x: "one\n- two"}\n'), item("b"))],
    ["a list in brackets that goes over the cut", list(item("a", "  data: {x: [1,\n- 2]}\n"), item("b"))],
    ["an anchor of another item", list(item("a", "  data: &d {x: z}\n"), item("b", "  data: *d\n"))],
    ["an item that is broken", list(item("a"), item("b", "  data: [\n"))],
    ["a key written twice in an item", list(item("a", "  kind: Pod\n"))],
    ["items written twice", `${list(item("a"))}items: []\n`],
    ["no kind", `items:\n${item("a")}`],
    ["another kind", `apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nitems:\n${item("a")}`],
    ["a text that only looks like one", `apiVersion: v1\nkind: List\nx: "\nitems:\n- a\n"\n`],
    ["a bare letter around the items", list(item("a")) + "x: y\n"],
    ["bare letters in items", list(item("a", "  data: {x: n}\n"), item("b", "  data: {x: y}\n"))],
    ["a comment that is no item", list(item("a"), "# - b\n", item("c"))],
    ["a block of text before the cut", list(item("a", "  data:\n    x: |+\n      one\n\n\n"), item("b"))],
    ["carriage returns", list(item("a"), item("b")).replaceAll("\n", "\r\n")],
    ["carriage returns alone within", list(item("a"), item("b\r- x"))],
    [
      "a List in the List",
      list(`- apiVersion: v1\n  kind: List\n  items:\n  - ${"{apiVersion: v1, kind: A, metadata: {name: a}}"}\n`),
    ],
    [
      "a List among others",
      `${item("a").slice(2).replaceAll("\n  ", "\n")}---\n${list(item("b"))}---\n${list(item("c"))}`,
    ],
    ["items without anything", list("- \n", item("a"), "-\n")],
  ])("gives the same in one piece: with %s", (_, text) => {
    expect(outcome(text)).toEqual(outcome(inOnePiece(text)));
  });

  test("whatever its text", () => {
    const pieces = [
      "- ",
      "-\n",
      '"',
      "'",
      "[",
      "]",
      "{",
      "}",
      "|\n",
      ">\n",
      "  ",
      "\n",
      "\n- ",
      "#",
      ": ",
      "&a ",
      "*a",
      "y",
      "\r",
      "\t",
      "items:\n",
      "? ",
      ",",
      "x: ",
      "\u2028",
      "!!str ",
    ];
    let cut = 0;
    fc.assert(
      fc.property(
        fc.array(
          fc.constantFrom(
            item("a"),
            item("b", "  data:\n    x: |\n      - y\n"),
            item("c", '  data: {x: "y\n    z"}\n'),
          ),
          { minLength: 1, maxLength: 4 },
        ),
        fc.array(fc.tuple(fc.nat(), fc.constantFrom(...pieces)), { maxLength: 3 }),
        (items, edits) => {
          let text = list(...items);
          for (const [at, piece] of edits) {
            const offset = at % (text.length + 1);
            text = text.slice(0, offset) + piece + text.slice(offset);
          }
          if (stretchesOf(text) > 1) cut++;
          expect(outcome(text)).toEqual(outcome(inOnePiece(text)));
        },
      ),
      { seed: SEED, numRuns: 1000 },
    );
    expect(cut).toBeGreaterThan(150);
  });
});

describe("a List of JSON", () => {
  test.each([undefined, 2, "\t"])("has the place of every value (indented by %j)", (space) => {
    const value = {
      apiVersion: "v1",
      kind: "List",
      metadata: { items: [1, { x: "]}" }], note: 'a "quoted" \\' },
      items: [
        { apiVersion: "v1", kind: "A", metadata: { name: "a" }, list: [1, -2.5e3, true, null, "x", [], {}] },
        { apiVersion: "v1", kind: "List", items: [{ apiVersion: "v1", kind: "B", metadata: { name: "b" } }] },
      ],
    };
    const text = JSON.stringify(value, null, space);
    const { documents } = read(text, "a.json");
    expect(documents.map(({ name }) => name)).toEqual(["a", "b"]);
    const at = (document: Document | undefined, path: readonly (string | number)[]): string => {
      const { line = 0, column = 0 } = document?.locate(path) ?? {};
      return (text.split("\n")[line - 1] ?? "").slice(column - 1);
    };
    expect(at(documents[0], ["list", 1])).toMatch(/^-2500/);
    expect(at(documents[0], ["metadata", "name"])).toMatch(/^"a"/);
    expect(at(documents[1], ["metadata", "name"])).toMatch(/^"b"/);
  });
});

describe("JSON values in a row", () => {
  const row = (name: string): string => JSON.stringify({ apiVersion: "v1", kind: "A", metadata: { name } });

  test("on lines of their own are JSON, whatever the name of the source", () => {
    const { documents, diagnostics } = read(`${row("a")}\n${row("b")}\n\n${row("c")}`, "-");
    expect(diagnostics).toEqual([]);
    expect(documents.map(({ name, index }) => `${index} ${name}`)).toEqual(["0 a", "1 b", "2 c"]);
  });

  test("lose one that has a key twice, not the others", () => {
    const { documents, diagnostics } = read(`${row("a")}\n{"x": 1, "x": 2}\n${row("c")}`, "a.json");
    expect(documents.map(({ name }) => name)).toEqual(["a", "c"]);
    expect(lines(diagnostics)).toEqual(['2:10 BH002 the key "x" is written twice in one object']);
  });

  test("end where a text is no JSON", () => {
    const { documents, diagnostics, counts } = read(`${row("a")}\n{"x": }\n${row("c")}`, "a.json");
    expect(documents.map(({ name }) => name)).toEqual(["a"]);
    expect(lines(diagnostics)).toEqual(["2:7 BH010 a value is expected here"]);
    expect(counts).toMatchObject({ documents: 2, refused: 1 });
  });
});
