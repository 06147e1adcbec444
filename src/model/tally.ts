/** Things of which the input may have very many, reported together: one finding, at the first of them. */
import { type Code, diagnostic } from "../base/diagnostic.ts";
import type { Findings } from "../documents/cursor.ts";
import type { Document, Path } from "../documents/document.ts";

/** How many of them the message names. */
const NAMED = 5;

export class Tally {
  private readonly names: string[] = [];
  private first: { readonly document: Document; readonly path: Path } | undefined;

  /** Adds one thing by the name that people know it by. */
  add(name: string, document: Document, path: Path): void {
    this.names.push(name);
    this.first ??= { document, path };
  }

  get count(): number {
    return this.names.length;
  }

  /** Reports one finding if there is anything. `words` gets the number and the names, the first few of them. */
  report(findings: Findings, code: Code, words: (count: number, names: string) => string): void {
    if (this.first === undefined) return;
    const { document, path } = this.first;
    const rest = this.count - NAMED;
    const names = `${this.names.slice(0, NAMED).join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
    findings.report(diagnostic(code, words(this.count, names), document.locate(path)));
  }
}
