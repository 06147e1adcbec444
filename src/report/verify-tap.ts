/** `verify -o tap`: the Test Anything Protocol, version 14. */
import { placeOfRow, type VerifyReport } from "./verify-report.ts";

export function* verifyTap({ rows }: VerifyReport): Iterable<string> {
  yield `TAP version 14\n1..${rows.length}\n`;
  for (const [i, row] of rows.entries()) {
    yield `${row.passed ? "ok" : "not ok"} ${i + 1} - ${description(`${row.file}: ${row.text}`)}\n`;
    if (row.passed) {
      for (const reason of row.packets?.unseen ?? []) yield `# not seen with packets: ${description(reason)}\n`;
      continue;
    }
    const at = placeOfRow(row) ?? row.file;
    yield "  ---\n";
    for (const [key, value] of [
      ["expected", row.expected],
      ["actual", row.actual],
      ["why", row.why],
      ["at", at],
      ["code", row.code ?? "BH190"],
    ] as const) {
      yield `  ${key}: ${JSON.stringify(value)}\n`;
    }
    yield "  ...\n";
  }
}

/** Hashes begin a directive, and a line ends the test. */
function description(text: string): string {
  return text.replace(/[\\#]/g, "\\$&").replace(/[\r\n]+/g, " ");
}
