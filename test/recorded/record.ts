/** Texts on record: kept in a file beside the tests, by title, and compared with what is there now. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { afterAll, describe, expect, test } from "vitest";

const RECORDS = process.env["BULKHEAD_RECORD"] === "1";

export interface Recorded {
  readonly title: string;
  readonly texts: () => readonly string[];
}

function read(path: string): ReadonlyMap<string, readonly string[]> {
  if (!existsSync(path)) return new Map();
  const parts = readFileSync(path, "utf8").split(/^# /m).slice(1);
  return new Map(
    parts.map((part) => {
      const [title = "", ...lines] = part.trimEnd().split("\n");
      return [title, lines];
    }),
  );
}

/** One case for every title; with `BULKHEAD_RECORD=1` the file is written instead. Titles must differ. */
export function recorded(path: string, cases: readonly Recorded[]): void {
  const before = read(path);
  const now = new Map<string, readonly string[]>();
  describe(`recorded ${basename(path)}`, () => {
    for (const { title, texts } of cases)
      test(title, () => {
        // A line break would end the text on record.
        const lines = texts().map((line) => line.replaceAll("\n", "⏎").trimEnd());
        if (RECORDS) now.set(title, lines);
        else expect(lines).toEqual(before.get(title) ?? []);
      });
    if (RECORDS)
      afterAll(() => {
        writeFileSync(path, [...now].map(([title, lines]) => `# ${[title, ...lines].join("\n")}\n`).join("\n"));
      });
  });
}
