/** SARIF 2.1.0, as code scanning reads it: findings at the line of the manifest. */
import { CODES, type Code, type Severity } from "../base/codes.ts";
import type { Diagnostic } from "../base/diagnostic.ts";
import { PAGES } from "../lint/catalogue.ts";

export interface SarifResult {
  readonly finding: Diagnostic;
  /** Why it is suppressed; absent where it is not. */
  readonly reason?: string;
}

const LEVELS: Readonly<Record<Severity, string>> = { error: "error", warning: "warning", info: "note" };

/** One run with its rules. */
export function* sarif(version: string, results: readonly SarifResult[]): Iterable<string> {
  const codes = [...new Set(results.map(({ finding }) => finding.code))].sort();
  const log = {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: "bulkhead", version, rules: codes.map(rule) } },
        columnKind: "utf16CodeUnits",
        results: results.map((one) => result(one, codes.indexOf(one.finding.code))),
      },
    ],
  };
  yield `${JSON.stringify(log, undefined, 2)}\n`;
}

function rule(code: Code): unknown {
  const { title, help, severity } = CODES[code];
  const page = PAGES[code];
  return {
    id: code,
    shortDescription: { text: title },
    fullDescription: { text: page?.explanation ?? title },
    help: { text: help },
    defaultConfiguration: { level: LEVELS[severity] },
  };
}

function result({ finding, reason }: SarifResult, ruleIndex: number): unknown {
  const { file, line, column } = finding;
  const region =
    line === undefined ? {} : { region: { startLine: line, ...(column === undefined ? {} : { startColumn: column }) } };
  return {
    ruleId: finding.code,
    ruleIndex,
    level: LEVELS[finding.severity],
    message: { text: finding.message },
    ...(file === undefined
      ? {}
      : { locations: [{ physicalLocation: { artifactLocation: { uri: uriOf(file) }, ...region } }] }),
    ...(reason === undefined
      ? {}
      : { suppressions: [{ kind: "external", status: "accepted", justification: reason }] }),
  };
}

/** A relative path as a URI reference. */
function uriOf(file: string): string {
  return file.split("/").map(encodeURIComponent).join("/");
}
