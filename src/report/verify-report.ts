/** What every writer of `verify` starts from. */
import { placeText } from "./origin.ts";
import type { RowResult } from "../verify/check.ts";

/** One row of one file. */
export interface VerifiedRow extends RowResult {
  readonly file: string;
}

export interface VerifyReport {
  readonly rows: readonly VerifiedRow[];
  /** Of bulkhead, for formats that name their tool. */
  readonly version?: string;
}

export function summaryOf({ rows }: VerifyReport): { readonly passed: number; readonly failed: number } {
  const passed = rows.filter((row) => row.passed).length;
  return { passed, failed: rows.length - passed };
}

/** `file:line` of what decided a row, or of the workload that no policy governs; `undefined` where no manifest says it. */
export function placeOfRow({ place }: VerifiedRow): string | undefined {
  if (place === undefined) return undefined;
  const { file, line } = place;
  return line === undefined ? file : placeText({ file, line });
}
