/** `verify -o json`. */
import { list } from "./reach-json.ts";
import { summaryOf, type VerifyReport } from "./verify-report.ts";

export function* verifyJson(report: VerifyReport): Iterable<string> {
  yield `{\n  "schemaVersion": 1,\n  "summary": ${JSON.stringify(summaryOf(report))},\n`;
  yield* list("results", report.rows, ({ file, text, expected, actual, decidedBy, why, packets }) => ({
    file,
    assertion: text,
    expected,
    actual,
    decidedBy,
    why,
    ...(packets === undefined ? {} : { packets }),
  }));
  yield "\n}\n";
}
