/** `verify` for people: each failure with what was expected, what is, and why; the count comes last. */
import { printable } from "./escape.ts";
import type { Style } from "./style.ts";
import { placeOfRow, summaryOf, type VerifyReport } from "./verify-report.ts";

export function* verifyText(report: VerifyReport, style: Style): Iterable<string> {
  for (const row of report.rows) {
    if (row.passed) {
      for (const reason of row.packets?.unseen ?? [])
        yield `${style("unsure", "not seen")} ${printable(row.file)}: ${printable(row.text)}: ${printable(reason)}\n`;
      continue;
    }
    yield `${style("deny", "failed")} ${printable(row.file)}: ${printable(row.text)}\n`;
    yield `  expected  ${printable(row.expected)}\n`;
    yield `  is        ${printable(row.actual)}\n`;
    for (const reason of row.packets?.unseen ?? []) yield `  packets   not asked: ${printable(reason)}\n`;
    if (row.why !== "") yield `  because   ${printable(row.why)}\n`;
    const at = placeOfRow(row);
    if (at !== undefined) yield `  at        ${printable(at)}\n`;
  }
  const asked = report.rows.flatMap(({ packets }) => packets ?? []);
  if (asked.length > 0) {
    const whole = asked.filter(({ verdict, unseen }) => verdict !== null && unseen.length === 0).length;
    const partly = asked.filter(({ verdict, unseen }) => verdict !== null && unseen.length > 0).length;
    const sent = asked.reduce((sum, one) => sum + one.sent, 0);
    yield `${sent} packets: ${whole} rows seen whole, ${partly} in part, ${asked.length - whole - partly} not\n`;
  }
  const { passed, failed } = summaryOf(report);
  yield `${passed} passed, ${failed} failed\n`;
}
