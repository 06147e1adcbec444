/** Findings as data: what was found, how grave it is, where it stands and what helps. */
import { CODES, type Code, type Severity } from "./codes.ts";

export type { Code, Severity } from "./codes.ts";

/** A place in a source. Lines and columns count from 1; a column counts UTF-16 units, as editors do. */
export interface Place {
  /** The path as the user gave it; `-` for standard input. */
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
}

/** One finding. Without `file` it is about the input as a whole. */
export interface Diagnostic {
  readonly severity: Severity;
  readonly code: Code;
  /** One sentence in lower case without a full stop; it names the particulars. */
  readonly message: string;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  /** What the user can do; absent when the message says it all. */
  readonly help?: string;
}

/** What a finding may say beyond its code and message. */
export interface DiagnosticOptions {
  /** Replaces the severity of the code's entry. */
  readonly severity?: Severity;
  /** Replaces the help of the code's entry; `null` leaves it out. */
  readonly help?: string | null;
}

/**
 * Makes a finding.
 *
 * Takes the code, the message, the place (absent: the input as a whole) and what differs from the code's entry.
 * Returns the finding; severity and help come from the table unless given.
 */
export function diagnostic(code: Code, message: string, place?: Place, options: DiagnosticOptions = {}): Diagnostic {
  const entry = CODES[code];
  const help = options.help === undefined ? entry.help : options.help;
  return {
    severity: options.severity ?? entry.severity,
    code,
    message,
    ...(place === undefined ? {} : { file: place.file }),
    ...(place?.line === undefined ? {} : { line: place.line }),
    ...(place?.column === undefined ? {} : { column: place.column }),
    ...(help === null ? {} : { help }),
  };
}

/**
 * Writes a finding as text: `file:line:column: error BH201: message`, and the help on a line of its own.
 *
 * Takes the finding. Returns one or two lines without a final line break; parts of the place that are absent are left
 * out.
 */
export function formatDiagnostic(finding: Diagnostic): string {
  const place = [finding.file, finding.line, finding.column].filter((part) => part !== undefined).join(":");
  const head = `${place === "" ? "" : `${place}: `}${finding.severity} ${finding.code}: ${finding.message}`;
  return finding.help === undefined ? head : `${head}\n  help: ${finding.help}`;
}

/** Whether any of the findings is an error. */
export function hasErrors(findings: Iterable<Diagnostic>): boolean {
  for (const finding of findings) if (finding.severity === "error") return true;
  return false;
}
