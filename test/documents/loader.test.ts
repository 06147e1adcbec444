/**
 * The reader against Kubernetes' own loader: `loader/cases.json` holds what sigs.k8s.io/yaml v1.6.0 makes of each text, as
 * `loader/record.go` recorded it; null where it refuses.
 * Texts with a bare `y` or `n`, which are text here alone, are left out.
 */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Refusal } from "../../src/documents/refusal.ts";
import { value } from "./read.ts";

type Case = readonly [text: string, json: string | null];

function cases(): Case[] {
  const rows: unknown = JSON.parse(readFileSync(new URL("loader/cases.json", import.meta.url), "utf8"));
  if (!Array.isArray(rows)) throw new Error("cases.json is no list");
  return rows.map((row: unknown): Case => {
    if (!Array.isArray(row) || typeof row[0] !== "string") throw new Error("a case is a text and its JSON");
    return [row[0], typeof row[1] === "string" ? row[1] : null];
  });
}

test("every recorded text gives the loader's value, or is refused as there", () => {
  const differing: string[] = [];
  const all = cases();
  for (const [text, json] of all) {
    const ours = outcome(text);
    const same =
      json === null ? ours === undefined : ours !== undefined && canonical(ours.value) === canonical(JSON.parse(json));
    if (!same) differing.push(JSON.stringify(text));
  }
  expect(differing).toEqual([]);
  expect(all.length).toBeGreaterThan(1600);
});

// Where the loader keeps one of two and says nothing, we refuse.
test.each([
  ["a: 1\na: 2", "BH002"],
  ["{a: 1, a: 2}", "BH002"],
  ["yes: a\ntrue: b", "BH002"],
  ['1: a\n"1": b', "BH002"],
  ["010: a\n8: b", "BH002"],
  ["{a: 1}\nb: 2", "BH001"],
  ["[]: a", "BH009"],
])("%j is refused with %s although the loader takes a part of it", (text, code) => {
  expect(() => value(text)).toThrow(expect.objectContaining({ code }));
});

function outcome(text: string): { value: unknown } | undefined {
  try {
    return { value: value(text) };
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}

/** JSON with sorted keys. */
function canonical(data: unknown): string {
  if (Array.isArray(data)) return `[${data.map(canonical).join()}]`;
  if (typeof data === "object" && data !== null)
    return `{${Object.entries(data)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`)
      .join()}}`;
  return JSON.stringify(data);
}
