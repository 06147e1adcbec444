/** `reach -o jsonl`: the parts of `reach -o json` a line each, written as they are found, so that none is ever held. */
import { deadJson, diagnosticJson, pairJson, rowJson } from "./reach-json.ts";
import { edgeJson } from "./north-south.ts";
import type { ReachReport } from "./reach-report.ts";

/** Writes a line with the answer's head, then a line for each part, which its only key names. */
export function* reachJsonLines(report: ReachReport): Iterable<string> {
  const { dialect, complete, rows, pairs, paths = [], deadNames = [], diagnostics, provenance } = report;
  yield `${JSON.stringify({ schemaVersion: 1, dialect, complete })}\n`;
  yield* lines("endpoint", rows, rowJson);
  yield* lines("connection", pairs, (pair) => pairJson(pair, provenance));
  yield* lines("path", paths, (path) => edgeJson(path, provenance));
  yield* lines("deadName", deadNames, deadJson);
  yield* lines("diagnostic", diagnostics, diagnosticJson);
}

function* lines<T>(key: string, items: Iterable<T>, write: (item: T) => unknown): Iterable<string> {
  for (const item of items) yield `${JSON.stringify({ [key]: write(item) })}\n`;
}
