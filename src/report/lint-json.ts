/** `lint -o json`. */
import { countsOf, type LintReport } from "./lint-report.ts";
import { diagnosticJson, list } from "./reach-json.ts";

export function* lintJson(report: LintReport): Iterable<string> {
  yield `{\n  "schemaVersion": 1,\n  "dialect": ${JSON.stringify(report.dialect)},\n  "policies": ${report.policies},\n`;
  yield `  "summary": ${JSON.stringify({ ...countsOf(report.findings), suppressed: report.suppressed.length })},\n`;
  yield* list("findings", report.findings, diagnosticJson);
  yield ",\n";
  yield* list("suppressed", report.suppressed, ({ finding, reason }) => ({ finding: diagnosticJson(finding), reason }));
  yield "\n}\n";
}
