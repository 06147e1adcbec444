/** Objects written twice: a cluster would keep the one applied last, and the input does not tell which that is. */
import { diagnostic } from "../base/diagnostic.ts";
import type { Findings } from "../documents/cursor.ts";
import type { Document } from "../documents/document.ts";
import { objectName } from "./metadata.ts";

export class Duplicates {
  /** By kind, namespace (empty: the whole cluster) and name. */
  private readonly seen = new Map<string, Map<string, Map<string, Document>>>();

  /**
   * Takes an object with its group and kind as one text, and the namespace in which it lies, absent for one of the whole
   * cluster.
   * Returns whether it is the first of its group, kind, namespace and name; else reports BH243 with both places.
   */
  admit(document: Document, kind: string, namespace: string | undefined, findings: Findings): boolean {
    const names = entryOf(entryOf(this.seen, kind), namespace ?? "");
    const first = names.get(document.name);
    if (first === undefined) {
      names.set(document.name, document);
      return true;
    }
    const path = ["metadata", "name"];
    const other = first.locate(path);
    const text = `${objectName(document, namespace)} is written twice; the other is at ${other.file}:${other.line}:${other.column}`;
    findings.report(diagnostic("BH243", text, document.locate(path)));
    return false;
  }
}

function entryOf<V>(map: Map<string, Map<string, V>>, key: string): Map<string, V> {
  let entry = map.get(key);
  if (entry === undefined) {
    entry = new Map();
    map.set(key, entry);
  }
  return entry;
}
