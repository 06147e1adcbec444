/** `verify -o junit`: a suite a file, a case a row. */
import { escapeMarkup } from "./escape.ts";
import { placeText } from "./origin.ts";
import { summaryOf, type VerifiedRow, type VerifyReport } from "./verify-report.ts";

export function* verifyJunit(report: VerifyReport): Iterable<string> {
  const { passed, failed } = summaryOf(report);
  const files = new Map<string, VerifiedRow[]>();
  for (const row of report.rows) files.set(row.file, [...(files.get(row.file) ?? []), row]);
  yield `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="bulkhead" tests="${passed + failed}" failures="${failed}">\n`;
  for (const [file, rows] of files) {
    const failures = rows.filter((row) => !row.passed).length;
    yield `  <testsuite name="${xml(file)}" tests="${rows.length}" failures="${failures}">\n`;
    for (const row of rows) yield* testCase(row);
    yield "  </testsuite>\n";
  }
  yield "</testsuites>\n";
}

function* testCase(row: VerifiedRow): Iterable<string> {
  const { file, line } = row.place ?? { file: row.file };
  const at = ` file="${xml(file)}"${line === undefined ? "" : ` line="${line}"`}`;
  const head = `    <testcase name="${xml(row.text)}" classname="${xml(row.file)}"${at}`;
  if (row.passed) {
    const unseen = row.packets?.unseen ?? [];
    if (unseen.length === 0) yield `${head}/>\n`;
    else
      yield `${head}>\n      <system-out>${xml(`not seen with packets: ${unseen.join("; ")}`)}</system-out>\n    </testcase>\n`;
    return;
  }
  const place = line === undefined ? "" : `\n${placeText({ file, line })}`;
  const message = `expected ${row.expected}, is ${row.actual}`;
  yield `${head}>\n      <failure message="${xml(message)}" type="${row.code ?? "BH190"}">${xml(`${row.why}${place}`)}</failure>\n    </testcase>\n`;
}

/** XML 1.0 has no way to write control characters, escaped or not. */
function xml(text: string): string {
  // oxlint-disable-next-line no-control-regex -- these are what XML cannot hold
  return escapeMarkup(text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "\ufffd"));
}
