/** Objects written twice: a cluster would keep the one applied last, and the input does not tell which that is. */
import { diagnostic } from "../base/diagnostic.ts";
import type { Findings } from "../documents/cursor.ts";
import type { Document } from "../documents/document.ts";
import { groupOf, objectName } from "./metadata.ts";

export class Duplicates {
  private readonly seen = new Map<string, Document>();

  /**
   * Takes an object with the namespace in which it lies, absent for one of the whole cluster.
   * Returns whether it is the first of its group, kind, namespace and name; else reports BH243 with both places.
   */
  admit(document: Document, namespace: string | undefined, findings: Findings): boolean {
    const name = objectName(document, namespace);
    const key = `${groupOf(document.apiVersion)} ${name}`;
    const first = this.seen.get(key);
    if (first === undefined) {
      this.seen.set(key, document);
      return true;
    }
    const path = ["metadata", "name"];
    const other = first.locate(path);
    const text = `${name} is written twice; the other is at ${other.file}:${other.line}:${other.column}`;
    findings.report(diagnostic("BH243", text, document.locate(path)));
    return false;
  }
}
