/**
 * Every document is accounted for, checked against an independent parser (the `yaml` package, version 1.1) on generated
 * streams: as many documents as it counts, none lost, none invented, the same values.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { parseAllDocuments, stringify } from "yaml";
import { value } from "./read.ts";
import { readDocuments } from "../../src/documents/reader.ts";

const SEED = 20240611;

/** Text that YAML takes for something else, and text that needs care, among the ordinary. */
const word = fc.oneof(
  fc.constantFrom(
    "yes",
    "no",
    "on",
    "null",
    "~",
    "010",
    "0x1f",
    "1e3",
    "1_000",
    ".5",
    "<<",
    "- a",
    "a: b",
    "# c",
    " lead",
    "trail ",
    "two\nlines",
    "tab\there",
    "{",
    "[x]",
    "*a",
    "&a",
    "!t",
    "%d",
    "@at",
    "`tick",
    "'",
    '"',
    "\\",
    "",
    "é",
    "日本",
    "😀",
    "a # b",
    "a #b",
    "a:b",
    "http://x/y",
    "10.0.0.0/8",
    "fd00::/8",
    "--- a",
    "x\n\ny",
    "trailing\n",
    "? q",
    "|",
    ">",
    "-",
  ),
  fc.string({ maxLength: 12 }),
  fc.stringMatching(/^[a-z][a-z0-9./-]{0,20}$/),
);

const json = fc.letrec<{ node: unknown }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.oneof(word, fc.integer(), fc.boolean(), fc.constant(null), fc.double({ noNaN: true, noDefaultInfinity: true })),
    fc.array(tie("node"), { maxLength: 4 }),
    fc.dictionary(
      word.filter((key) => key !== "__proto__" && key !== "<<"),
      tie("node"),
      { maxKeys: 4 },
    ),
  ),
})).node;

/** One stretch of a stream, what stands before it, and what the reader must make of it. */
const part = fc.oneof(
  { arbitrary: json.map((data) => ({ text: body(data), kind: "any" as const })), weight: 3 },
  {
    arbitrary: fc.tuple(fc.stringMatching(/^[a-z]{1,8}$/), json).map(([name, data]) => ({
      text: body({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: `${name}-1` }, data }),
      kind: "object" as const,
    })),
    weight: 5,
  },
  {
    arbitrary: fc
      .constantFrom("", "\n", "# comment\n", "  # indented\n\n")
      .map((text) => ({ text, kind: "empty" as const })),
    weight: 2,
  },
);

const marker = fc.constantFrom("---\n", "--- # c\n", "...\n---\n", "...\n# c\n---\n");
const stream = fc.array(fc.tuple(marker, part), { maxLength: 8 });

test("as many documents as the independent parser counts", () => {
  let documents = 0;
  fc.assert(
    fc.property(stream, fc.boolean(), fc.boolean(), (parts, bare, carriageReturns) => {
      // An end marker before anything is a document to the independent parser alone.
      let text = parts.map(([open, { text: content }], i) => (i === 0 ? "---\n" : open) + content).join("");
      if (bare && parts[0]?.[1].kind === "object") text = text.slice(4);
      if (carriageReturns) text = text.replaceAll("\n", "\r\n");
      const independent = parseAllDocuments(text, { version: "1.1", uniqueKeys: false, logLevel: "silent" });
      const expected = Array.isArray(independent) ? independent.length : 0;
      const { documents: read, diagnostics, counts } = readDocuments([{ name: "a.yaml", text }]);
      expect(counts.documents).toBe(expected);
      expect(counts.objects + counts.lists + counts.empty + counts.refused).toBe(counts.documents);
      expect(read.length).toBe(counts.objects + counts.items);
      expect(diagnostics.filter((d) => d.severity === "error").length).toBe(counts.refused + counts.refusedItems);
      expect(read.length).toBeGreaterThanOrEqual(parts.filter(([, { kind }]) => kind === "object").length);
      documents += counts.documents;
    }),
    { seed: SEED, numRuns: 1500 },
  );
  expect(documents).toBeGreaterThan(4000);
});

test("what the independent writer writes is read back", () => {
  fc.assert(
    fc.property(
      json,
      fc.constantFrom("BLOCK_FOLDED", "BLOCK_LITERAL", "PLAIN", "QUOTE_DOUBLE", "QUOTE_SINGLE"),
      fc.boolean(),
      fc.constantFrom(2, 4, 7),
      (data, style, flow, indent) => {
        // Within braces YAML 1.1 has ? begin a key and : a value, which the writer does not mind.
        fc.pre(!flow || !/[?]|[{[,:]":/.test(JSON.stringify(data)));
        const text = stringify(
          { data },
          {
            version: "1.1",
            defaultStringType: style,
            collectionStyle: flow ? "flow" : "any",
            // With other indentations the writer counts the indicator of a block scalar from the wrong column.
            indent: style.startsWith("BLOCK") ? 2 : indent,
            aliasDuplicateObjects: false,
          },
        );
        expect(value(text)).toEqual(normal({ data }));
      },
    ),
    { seed: SEED, numRuns: 3000, examples: [[{ a: [{ b: "x\n\ny" }] }, "BLOCK_FOLDED", false, 2]] },
  );
});

test("JSON is YAML: both ways of reading agree", () => {
  fc.assert(
    fc.property(json, fc.constantFrom(undefined, 1, 2), (data, space) => {
      const text = JSON.stringify(data, null, space);
      // The loader knows no escaped solidus and no surrogate pairs, which JSON.stringify does not write.
      expect(value(text)).toEqual(normal(data));
    }),
    { seed: SEED, numRuns: 1000 },
  );
});

function body(data: unknown): string {
  return stringify(data, { version: "1.1" });
}

/** The value as JSON carries it: no negative zero, no own prototype. */
function normal(data: unknown): unknown {
  return JSON.parse(JSON.stringify(data));
}
