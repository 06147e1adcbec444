/** Complaints in the words of the API server (apimachinery's field errors), each at its place, and whether they refuse. */
import type { Diagnostic } from "../../base/diagnostic.ts";
import type { Cursor, Findings, ReportOptions } from "../../documents/cursor.ts";
import { nearest } from "../../documents/nearest.ts";

/** What became of one object: the decoded form unless it is refused. */
export interface Decoded<T> {
  /** Absent exactly where the object is refused. */
  readonly value?: T;
  readonly diagnostics: readonly Diagnostic[];
  /**
   * Whether the API server refuses the object. Unknown fields are errors that do not refuse: the server prunes them
   * unless the client asks it to be strict (K8-68), and the form is what is left.
   */
  readonly refused: boolean;
}

/** `Invalid value: "x": reason`. */
export function invalid(cursor: Cursor, value: string | number, reason: string, options: ReportOptions = {}): void {
  cursor.error("BH206", `${cursor.describe()}: Invalid value: ${show(value)}: ${reason}`, options);
}

/** `Invalid value: 0: must be between …`, for numbers out of their range. */
export function outOfRange(cursor: Cursor, value: number, reason: string): void {
  cursor.error("BH204", `${cursor.describe()}: Invalid value: ${value}: ${reason}`);
}

/** `Unsupported value: "x": supported values: "a", "b"`. */
export function unsupported(cursor: Cursor, value: string, supported: readonly string[]): void {
  const meant = nearest(value, supported);
  const values = supported.map(show).join(", ");
  cursor.error("BH205", `${cursor.describe()}: Unsupported value: ${show(value)}: supported values: ${values}`, {
    help: meant === undefined ? null : `Did you mean ${meant}?`,
  });
}

/** `Required value: reason`; the reason may be empty. */
export function required(cursor: Cursor, reason: string): void {
  cursor.error("BH202", `${cursor.describe()}: Required value${reason === "" ? "" : `: ${reason}`}`);
}

/** `Forbidden: reason`. */
export function forbidden(cursor: Cursor, reason: string): void {
  cursor.error("BH207", `${cursor.describe()}: Forbidden: ${reason}`);
}

/** A list, text or object with too few or too many members. */
export function wrongCount(cursor: Cursor, reason: string): void {
  cursor.error("BH208", `${cursor.describe()}: ${reason}`);
}

/** How far the findings have been counted, so that asking after every value stays cheap. */
const counted = new WeakMap<Findings, { upTo: number; refusals: number }>();

/** How many of the findings refuse the object: every error except an unknown field, which the server drops (K8-68). */
export function refusalsIn(findings: Findings): number {
  if (findings.all.length === 0) return 0;
  const count = counted.get(findings) ?? { upTo: 0, refusals: 0 };
  for (; count.upTo < findings.all.length; count.upTo++) {
    const finding = findings.all[count.upTo];
    if (finding?.severity === "error" && finding.code !== "BH201") count.refusals++;
  }
  counted.set(findings, count);
  return count.refusals;
}

/**
 * What became of an object, from what was found in it.
 *
 * Takes the findings and the decoded form, which counts only where nothing refuses the object.
 */
export function decoded<T>(findings: Findings, value: T): Decoded<T> {
  const refused = refusalsIn(findings) > 0;
  return { ...(refused ? {} : { value }), diagnostics: findings.all, refused };
}

function show(value: string | number): string {
  if (typeof value === "number") return String(value);
  return JSON.stringify(value.length > 80 ? `${value.slice(0, 77)}...` : value);
}
