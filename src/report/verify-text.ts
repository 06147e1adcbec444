/** `verify` for people: each failure with what was expected, what is, and why; the count comes last. */
import { printable } from "./escape.ts";
import type { Style } from "./style.ts";
import { summaryOf, type VerifyReport } from "./verify-report.ts";

export function* verifyText(report: VerifyReport, style: Style): Iterable<string> {
  for (const row of report.rows) {
    if (row.passed) continue;
    yield `${style("deny", "failed")} ${printable(row.file)}: ${printable(row.text)}\n`;
    yield `  expected  ${printable(row.expected)}\n`;
    yield `  is        ${printable(row.actual)}\n`;
    if (row.why !== "") yield `  because   ${printable(row.why)}\n`;
  }
  const { passed, failed } = summaryOf(report);
  yield `${passed} passed, ${failed} failed\n`;
}
