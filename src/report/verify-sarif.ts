/** `verify -o sarif`: what does not hold, at the line of the manifest that decides. */
import { diagnostic } from "../base/diagnostic.ts";
import { sarif } from "./sarif.ts";
import type { VerifyReport } from "./verify-report.ts";

export function* verifySarif(report: VerifyReport): Iterable<string> {
  const failed = report.rows.filter((row) => !row.passed);
  yield* sarif(
    report.version ?? "",
    failed.map((row) => {
      const message = `${row.text}: expected ${row.expected}, is ${row.actual}${row.why === "" ? "" : `, ${row.why}`}`;
      return { finding: diagnostic(row.code ?? "BH190", message, row.place ?? { file: row.file }) };
    }),
  );
}
