/**
 * Findings that somebody has decided to live with, each with the reason.
 *
 * On an object, the annotation `bulkhead.dev/ignore` holds lines `CODE: reason`; they hold for findings at that object. In
 * `bulkhead.yaml`, `lint.ignore` lists `{code, object?, file?, reason}`.
 */
import { CODES, type Code } from "../base/codes.ts";
import { type Diagnostic, diagnostic, type Place } from "../base/diagnostic.ts";
import { Cursor, Findings } from "../documents/cursor.ts";
import type { Document } from "../documents/document.ts";

export const IGNORE = "bulkhead.dev/ignore";

/** One decision. */
export interface Suppression {
  readonly code: Code;
  readonly reason: string;
  /** `Kind/ns/name` or `ns/name`, as it stands in a message; absent: anywhere. */
  readonly object?: string;
  /** The file of the finding; absent: any. */
  readonly file?: string;
  /** Lines of the finding, where only they are meant. */
  readonly lines?: { readonly first: number; readonly last: number };
  /** Where it was written. */
  readonly place: Place;
}

export interface Suppressed {
  readonly finding: Diagnostic;
  readonly reason: string;
}

/** Sets findings aside. A suppression that meets nothing, or gives no reason, is a finding itself. */
export function suppress(
  findings: readonly Diagnostic[],
  documents: readonly Document[],
  configured: readonly Suppression[],
): { readonly findings: readonly Diagnostic[]; readonly suppressed: readonly Suppressed[] } {
  const problems: Diagnostic[] = [];
  const all = [...documents.flatMap((document) => annotated(document, problems)), ...configured];
  const met = new Set<Suppression>();
  const left: Diagnostic[] = [];
  const suppressed: Suppressed[] = [];
  for (const finding of findings) {
    const by = all.find((one) => covers(one, finding));
    if (by === undefined) left.push(finding);
    else {
      met.add(by);
      suppressed.push({ finding, reason: by.reason });
    }
  }
  for (const one of all) {
    if (!met.has(one))
      problems.push(diagnostic("BH181", `${one.code} is suppressed here and found nowhere`, one.place));
  }
  return { findings: [...left, ...problems], suppressed };
}

function covers(one: Suppression, finding: Diagnostic): boolean {
  if (one.code !== finding.code || (one.file !== undefined && one.file !== finding.file)) return false;
  if (one.lines !== undefined) {
    const line = finding.line ?? 0;
    if (line < one.lines.first || line > one.lines.last) return false;
  }
  return one.object === undefined || mentions(finding.message, one.object);
}

/** Whether a message names the object: as `Kind ns/name`, `ns/name` or `ns/Kind/name`. */
function mentions(message: string, object: string): boolean {
  const parts = object.split("/");
  const [kind, ...name] = parts;
  const forms = [object, ...(parts.length > 1 ? [`${kind} ${name.join("/")}`] : [])];
  return forms.some((form) => message.includes(form));
}

export function isCode(text: string): text is Code {
  return Object.hasOwn(CODES, text);
}

function annotated(document: Document, problems: Diagnostic[]): readonly Suppression[] {
  const note = Cursor.of(document, new Findings()).field("metadata").field("annotations").field(IGNORE);
  const { value } = note;
  if (typeof value !== "string") return [];
  const place = document.locate(note.path);
  const first = document.locate([]).line;
  return value.split(/[\n;]/).flatMap((line): readonly Suppression[] => {
    const text = line.trim();
    if (text === "") return [];
    const [head = "", ...rest] = text.split(":");
    const [code, reason] = [head.trim(), rest.join(":").trim()];
    if (!isCode(code) || reason === "") {
      problems.push(
        diagnostic("BH180", `${JSON.stringify(text)} in the annotation ${IGNORE} gives no code with a reason`, place),
      );
      return [];
    }
    const lines = { first, last: lastLine(document, first) };
    return [{ code, reason, file: document.source, lines, place }];
  });
}

/** The last line on which anything of the object stands. */
function lastLine(document: Document, first: number): number {
  let last = first;
  const visit = (cursor: Cursor): void => {
    last = Math.max(last, document.locate(cursor.path).line);
    for (const key of cursor.keys()) visit(cursor.field(key));
    if (Array.isArray(cursor.value)) for (const item of cursor.list() ?? []) visit(item);
  };
  visit(Cursor.of(document, new Findings()));
  return last;
}
