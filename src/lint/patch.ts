/** Corrections that are certain, as a patch: the user applies it, or does not. Nothing is ever written over. */
import type { Source } from "../documents/document.ts";
import type { Diagnostic } from "../base/diagnostic.ts";

/** One line of one file, put right. */
interface Edit {
  readonly file: string;
  readonly line: number;
  readonly before: string;
  readonly after: string;
}

/** The corrections for findings whose right form follows from the text itself: BH158, and BH159 of a method. */
export function edits(findings: readonly Diagnostic[], sources: readonly Source[]): readonly Edit[] {
  const lines = new Map(sources.map((source) => [source.name, source.text.split("\n")]));
  // A file so large that it comes in parts is not for patching.
  for (const { name, before } of sources) if (before !== undefined) lines.delete(name);
  return findings.flatMap(({ code, file, line, column, message }): readonly Edit[] => {
    const text = file === undefined || line === undefined ? undefined : lines.get(file)?.[line - 1];
    if (text === undefined || file === undefined || line === undefined) return [];
    const start = (column ?? 1) - 1;
    const [head, tail] = [text.slice(0, start), text.slice(start)];
    const fixed =
      code === "BH158"
        ? spaced(tail)
        : code === "BH159" && message.includes(" is lower-case")
          ? upper(tail)
          : undefined;
    return fixed === undefined || fixed === tail ? [] : [{ file, line, before: text, after: head + fixed }];
  });
}

function spaced(text: string): string | undefined {
  return /^["']?[^\s:"']+:[^\s]/.test(text) ? text.replace(/^(["']?[^\s:"']+:)(?=\S)/, "$1 ") : undefined;
}

function upper(text: string): string | undefined {
  return text.replace(/^(["']?)([a-z]+)/, (_, quote: string, method: string) => quote + method.toUpperCase());
}

/** A unified diff without context, as `git apply --unidiff-zero` and `patch` take it. Several edits of a line become one. */
export function patchText(list: readonly Edit[]): string {
  const byFile = new Map<string, Map<number, Edit>>();
  for (const edit of list) {
    const own = byFile.get(edit.file) ?? new Map<number, Edit>();
    byFile.set(edit.file, own);
    const known = own.get(edit.line);
    // The second edit of a line starts from the text that the file has; only the first is kept, and the next run finds the other.
    if (known === undefined) own.set(edit.line, edit);
  }
  let out = "";
  for (const [file, own] of byFile) {
    out += `--- a/${file}\n+++ b/${file}\n`;
    for (const edit of [...own.values()].sort((a, b) => a.line - b.line)) {
      out += `@@ -${edit.line} +${edit.line} @@\n-${edit.before}\n+${edit.after}\n`;
    }
  }
  return out;
}
