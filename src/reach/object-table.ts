/** The objects of the input by kind, namespace and name, in their order. */
import type { Document } from "../documents/document.ts";
import { isClusterPolicy } from "../model/kinds.ts";
import type { World } from "../model/world.ts";

export interface ObjectKey {
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}

export class ObjectTable {
  private readonly byKey = new Map<string, Document>();
  /** Whether two objects have one name, or one of the whole cluster names a namespace. */
  private isIrregular = false;

  constructor(documents: readonly Document[]) {
    let duplicate = 0;
    for (const document of documents) {
      const key = documentKey(document);
      // Duplicates are kept apart here: the world reports them with both places.
      const isTaken = this.byKey.has(key);
      if (isTaken) this.isIrregular = true;
      this.keep(isTaken ? `${key}#${++duplicate}` : key, document);
    }
  }

  get documents(): readonly Document[] {
    return [...this.byKey.values()];
  }

  /** Returns the object that was there. */
  remove({ kind, namespace, name }: ObjectKey): Document | undefined {
    const key = keyText(kind, namespace, name);
    const before = this.byKey.get(key);
    this.byKey.delete(key);
    return before;
  }

  /** Puts an object in the place of the one with its name, else behind all. Returns the object that was there. */
  put(document: Document): Document | undefined {
    const key = documentKey(document);
    const before = this.byKey.get(key);
    this.keep(key, document);
    return before;
  }

  private keep(key: string, document: Document): void {
    this.byKey.set(key, document);
    if (document.namespace !== undefined && isClusterPolicy(document.kind)) this.isIrregular = true;
  }

  /** Whether no other object can be the same one in other words, such as without the default namespace. */
  isAlone({ kind, namespace, name }: Document, { defaultNamespace }: World): boolean {
    if (this.isIrregular) return false;
    return namespace !== defaultNamespace || !this.byKey.has(keyText(kind, undefined, name));
  }
}

function documentKey({ kind, namespace, name }: Document): string {
  return keyText(kind, namespace, name);
}

export function keyText(kind: string, namespace: string | undefined, name: string): string {
  return namespace === undefined ? `${kind}/${name}` : `${kind}/${namespace}/${name}`;
}
