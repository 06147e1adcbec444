/** `lint -o sarif`. */
import type { LintReport } from "./lint-report.ts";
import { sarif } from "./sarif.ts";

export function* lintSarif(report: LintReport): Iterable<string> {
  yield* sarif(report.version, [
    ...report.findings.map((finding) => ({ finding })),
    ...report.suppressed.map(({ finding, reason }) => ({ finding, reason })),
  ]);
}
