/**
 * Real manifests with a few changes, from the text through reader, model and policies to an answer: nothing is thrown, it
 * ends, and what became of every document is told. (test/documents/fuzz.test.ts mutates the text alone.)
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import type { Document } from "../../src/documents/document.ts";
import { readDocuments } from "../../src/documents/reader.ts";
import { openDialect } from "../../src/policy/registry.ts";
import { Engine } from "../../src/reach/engine.ts";

type Fields = Readonly<Record<string, unknown>>;

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The objects of the suites and examples, file by file. */
function manifests(): readonly (readonly Fields[])[] {
  return ["../conformance", "../../examples"].flatMap((folder) => {
    const at = join(import.meta.dirname, folder);
    return readdirSync(at, { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".yaml") && !/expect|refused|exposure|placement/.test(file))
      .toSorted()
      .filter((file, i) => i % 5 === 0 || file.includes("applications"))
      .map((file) => readFileSync(join(at, file), "utf8"))
      .filter((text) => text.length < 5000)
      .map((text) => parseAllDocuments(text).map((document): unknown => document.toJS()))
      .map((objects) => objects.filter(isFields).filter((object) => typeof object["kind"] === "string"))
      .filter((objects) => objects.length > 0);
  });
}

/** A place: the keys on the way to it. */
type Way = readonly (string | number)[];

function* waysOf(value: unknown, way: Way = []): Generator<Way> {
  if (way.length > 0) yield way;
  if (Array.isArray(value)) for (const [i, item] of value.entries()) yield* waysOf(item, [...way, i]);
  else if (isFields(value)) for (const [key, item] of Object.entries(value)) yield* waysOf(item, [...way, key]);
}

/** The value with what stands at the end of the way changed. */
function changedAt(value: unknown, [key, ...rest]: Way, change: Change, other: unknown): unknown {
  if (key === undefined) return other;
  const isLast = rest.length === 0;
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    return items.flatMap((item, i): readonly unknown[] => {
      if (i !== key) return [item];
      if (!isLast) return [changedAt(item, rest, change, other)];
      return change === "left out" ? [] : change === "twice" ? [item, item] : [other];
    });
  }
  if (!isFields(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, item]): readonly (readonly [string, unknown])[] => {
      if (name !== key) return [[name, item]];
      if (!isLast) return [[name, changedAt(item, rest, change, other)]];
      if (change === "left out") return [];
      if (change === "misspelt") return [[`${name}x`, item]];
      return [[name, change === "twice" ? [item, item] : other]];
    }),
  );
}

const CHANGES = ["left out", "twice", "misspelt", "another", "another"] as const;
type Change = (typeof CHANGES)[number];

const SCALARS: readonly unknown[] = [
  ["", "TCP", "icmp", "Ingress", "10.0.0.0/8", "10.0.0.7/8", "::/0", "1.2.3.4", "http", "80", "-1", "a/b/c", "*"],
  ["In", "NotIn", "Exists", "all", "world", "io.kubernetes.pod.namespace", "reserved:host", "[", "__proto__"],
  [0, 1, 80, 65535, 65536, -1, 0.5, 1e300, null, true, false, [], {}, [null], [[]], [{}], { matchLabels: {} }],
].flat();

const ALL = manifests();
const DIALECTS = ["kubernetes", "cilium@1.17", "cilium@1.19"] as const;

const mutated = fc
  .tuple(
    fc.constantFrom(...ALL),
    fc.constantFrom(...ALL),
    fc.array(fc.tuple(fc.nat(), fc.nat(), fc.constantFrom(...CHANGES), fc.nat()), { minLength: 1, maxLength: 4 }),
    fc.constantFrom(...DIALECTS),
  )
  .map(([own, foreign, changes, dialect]) => {
    const parts = foreign.flatMap((object) =>
      [...waysOf(object)].map((way) => way.reduce<unknown>((at, key) => Reflect.get(Object(at), key), object)),
    );
    const objects = changes.reduce<readonly unknown[]>((all, [which, where, change, what]) => {
      const index = which % all.length;
      const ways = [...waysOf(all[index])];
      const way = ways[where % ways.length] ?? [];
      const pool = what % 2 === 0 ? SCALARS : parts;
      const other = pool[(what >> 1) % pool.length];
      return all.map((object, i) => (i === index ? changedAt(object, way, change, other) : object));
    }, own);
    return { dialect, text: objects.map((object) => JSON.stringify(object)).join("\n---\n") };
  });

function identity({ kind, namespace, name }: Document): string {
  return [kind, namespace ?? "", name].join("/");
}

test("[R1.2.1] every document of a mutated manifest is understood, of no account by its kind, or refused with an error", () => {
  let refusals = 0;
  let answers = 0;
  fc.assert(
    fc.property(mutated, ({ dialect: name, text }) => {
      const dialect = openDialect(name);
      if (dialect === undefined) throw new Error(`no dialect ${name}`);
      const { documents, diagnostics: read, counts } = readDocuments([{ name: "mutated.yaml", text }]);
      expect(counts.objects + counts.lists + counts.empty + counts.refused).toBe(counts.documents);
      expect(read.filter((one) => one.severity === "error")).toHaveLength(counts.refused + counts.refusedItems);
      const engine = Engine.open(documents, { dialect, asCluster: true });
      const { understood, irrelevant, refused } = engine.account;
      const ofNoAccount = [...irrelevant.values()].reduce((sum, count) => sum + count, 0);
      expect(understood + ofNoAccount + refused.length, "documents that are accounted for").toBe(documents.length);
      // What is refused, by the model or by the dialect, has an error in the text.
      const errors = engine.diagnostics.filter((one) => one.severity === "error");
      if (refused.length > 0 || engine.refused.length > 0)
        expect(errors.length, refused.map(identity).join()).toBeGreaterThan(0);
      for (const error of errors) expect(error.file, error.message).toBe("mutated.yaml");
      refusals += engine.refused.length > 0 ? 1 : 0;
      answers += [...engine.reach({ by: "endpoint", provenance: true, outside: true }).pairs].length > 0 ? 1 : 0;
    }),
    { numRuns: 800, seed: 71 },
  );
  // The walk meets both often enough to mean something.
  expect(refusals).toBeGreaterThan(80);
  expect(answers).toBeGreaterThan(80);
});
