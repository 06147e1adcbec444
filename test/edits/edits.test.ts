/**
 * Every small edit of objects that hold many fields: engine and reference refuse the same, and where both accept, they
 * judge some flows alike. What the engine says of each edit is on record.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { type Fields, fieldsOf } from "../../reference/values.ts";
import { readDocuments } from "../../src/documents/reader.ts";
import { openDialect } from "../../src/policy/registry.ts";
import { Engine } from "../../src/reach/engine.ts";
import { compareFlow, openBoth } from "../property/comparison.ts";
import type { Flow } from "../property/flows.ts";
import { isWhole } from "../whole.ts";
import type { Dialect } from "../property/scenes.ts";
import { type Recorded, recorded } from "../recorded/record.ts";
import { type Edit, editsByPath } from "./edits.ts";

const HERE = import.meta.dirname;

function documentsIn(path: string): readonly Fields[] {
  return [...parseAllDocuments(readFileSync(path, "utf8"))].map((document) => fieldsOf(document.toJS()));
}

const WORLD = documentsIn(join(HERE, "../rules/worlds/cilium.yaml"));

const FLOWS: readonly Flow[] = [
  { from: "a/x", to: "a/p", protocol: "TCP", port: 80 },
  { from: "b/x", to: "a/p", protocol: "TCP", port: 8080 },
  { from: "b/y", to: "a/p", protocol: "TCP", port: 81 },
  { from: "ip:203.0.113.9", to: "a/p", protocol: "TCP", port: 443 },
  { from: "ip:203.0.113.70", to: "a/p", protocol: "TCP", port: 80 },
  { from: "ip:198.51.100.8", to: "a/p", protocol: "TCP", port: 443 },
  { from: "host@n1", to: "a/p", protocol: "ICMP", port: 8 },
  { from: "a/p", to: "a/x", protocol: "TCP", port: 80 },
  { from: "a/p", to: "a/y", protocol: "UDP", port: 53 },
  { from: "a/p", to: "ip:203.0.113.7", protocol: "TCP", port: 443 },
  { from: "a/p", to: "ip:198.51.100.9", protocol: "TCP", port: 25 },
  { from: "a/p", to: "host@n2", protocol: "TCP", port: 6443 },
  { from: "a/y", to: "host@n1", protocol: "TCP", port: 6443 },
];

function differences(dialect: Dialect, object: Fields, around: readonly Fields[]): readonly string[] {
  const opened = openBoth({ dialect, documents: [...WORLD, ...around, object] });
  // Of fields that have no part in a verdict, and of values of another type, the reference reads less.
  const told = opened.differences
    .filter(({ engine }) => engine !== "refuses")
    .map(({ aspect, engine, reference }) => `${aspect}: ${engine}, ${reference}`);
  if (!("engine" in opened) || opened.differences.length > 0 || opened.engine.refused.length > 0) return told;
  return FLOWS.flatMap((flow) =>
    compareFlow(opened, flow).differences.map(
      ({ aspect, engine, reference }) =>
        `${flow.from} > ${flow.to} ${flow.port ?? ""}/${flow.protocol} ${aspect}: ${engine}, ${reference}`,
    ),
  );
}

/** What the agent or the API server says of an object: codes and places of the findings, and whether it is refused. */
function saidOf(dialect: Dialect, object: Fields, around: readonly Fields[]): string {
  const { documents } = readDocuments(
    [...around, object].map((one, i) => ({ name: `${i}`, text: JSON.stringify(one) })),
  );
  const opened = openDialect(dialect);
  if (opened === undefined) throw new Error(`no dialect ${dialect}`);
  const engine = Engine.open(documents, { dialect: opened, asCluster: true });
  // The object is the title's, and the value is the edit's.
  const said = engine.diagnostics.map(({ code, message }) => {
    const at = message.indexOf(": ");
    return `${code} ${message.slice(at < 0 ? 0 : at + 2).replace(/, not .*$/, "")}`;
  });
  return `${engine.refused.length > 0 ? "refused: " : ""}${said.join("; ")}`;
}

/** A line for everything that is said, with the edits that it is said of. */
function saidOfAll(edits: readonly Edit[], said: (edit: Edit) => string): readonly string[] {
  const out = new Map<string, string[]>();
  for (const edit of edits) {
    const text = said(edit);
    const list = out.get(text);
    if (list === undefined) out.set(text, [edit.change]);
    else list.push(edit.change);
  }
  return [...out].map(([text, changes]) => `${changes.join(", ")} = ${text}`);
}

/** An empty name of a port: whether the API server takes it was not read (CNP-14). */
const OPEN = 'spec.ingress[0].protocols[2].destinationNamedPort is ""';

const FILES: readonly (readonly [file: string, dialects: readonly Dialect[]])[] = [
  ["kubernetes", ["kubernetes"]],
  ["cilium", ["cilium@1.19", "cilium@1.17"]],
];

const sections: Recorded[] = [];

for (const [file, dialects] of FILES) {
  const objects = documentsIn(join(HERE, `${file}.yaml`));
  describe(`edits of ${file}`, () => {
    for (const [number, object] of objects.entries()) {
      const { kind, metadata } = object;
      const dialect = dialects[number % dialects.length] ?? "kubernetes";
      const around = objects.filter((one) => one["kind"] === "CiliumCIDRGroup" && one["kind"] !== kind);
      for (const [path, edits] of editsByPath(object)) {
        const title = `${String(kind)} ${String(fieldsOf(metadata)["name"])} ${path} (${dialect})`;
        test(title, () => {
          const asked = edits.filter((edit, i) => (isWhole || i % 3 === 0) && `${path} ${edit.change}` !== OPEN);
          const found = asked.flatMap((edit) =>
            differences(dialect, edit.object, around).map((text) => `${edit.change}: ${text}`),
          );
          expect(found).toEqual([]);
        });
        sections.push({
          title,
          texts: () => saidOfAll(edits, (edit) => saidOf(dialect, edit.object, around)),
        });
      }
    }
  });
}

recorded(join(HERE, "said.txt"), sections);
