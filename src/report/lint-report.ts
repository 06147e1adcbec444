/** What every writer of `lint` starts from. */
import type { Severity } from "../base/codes.ts";
import type { Diagnostic } from "../base/diagnostic.ts";
import type { LintResult } from "../lint/lint.ts";

export interface LintReport extends LintResult {
  readonly dialect: string;
  readonly version: string;
  /** The number of policies that were looked at. */
  readonly policies: number;
}

export type Counts = Readonly<Record<Severity, number>>;

export function countsOf(findings: readonly Diagnostic[]): Counts {
  const count = (severity: Severity): number => findings.filter((one) => one.severity === severity).length;
  return { error: count("error"), warning: count("warning"), info: count("info") };
}
