/** `verify -o json`. */
import { list } from "./reach-json.ts";
import { placeOfRow, summaryOf, type VerifyReport } from "./verify-report.ts";

export function* verifyJson(report: VerifyReport): Iterable<string> {
  yield `{\n  "schemaVersion": 1,\n  "summary": ${JSON.stringify(summaryOf(report))},\n`;
  yield* list("results", report.rows, (row) => ({
    file: row.file,
    assertion: row.text,
    expected: row.expected,
    actual: row.actual,
    decidedBy: row.decidedBy,
    why: row.why,
    ...(row.passed || row.place === undefined ? {} : { at: placeOfRow(row) }),
    ...(row.packets === undefined ? {} : { packets: row.packets }),
  }));
  yield "\n}\n";
}
