/** Where the values of the input stand, found by a value itself when a message or an answer asks. */

import type { Document, Path } from "../../documents/document.ts";
import type { Spot } from "../model.ts";
import { entries, isObject } from "./json.ts";

/** Finds values in the documents that they were read from; the documents are walked at the first question. */
export class Positions {
  private readonly documents: readonly Document[];
  private paths: Map<object, Spot> | undefined;

  constructor(documents: readonly Document[]) {
    this.documents = documents;
  }

  /** The place of an object or list of the input; undefined for what is none of them. */
  of(value: unknown): Spot | undefined {
    if (typeof value !== "object" || value === null) return undefined;
    if (this.paths === undefined) {
      this.paths = new Map();
      for (const document of this.documents) walk(document, document.value, [], this.paths);
    }
    return this.paths.get(value);
  }
}

function walk(document: Document, value: unknown, path: Path, out: Map<object, Spot>): void {
  if (Array.isArray(value)) {
    out.set(value, { document, path });
    for (const [index, item] of value.entries()) walk(document, item, [...path, index], out);
  } else if (isObject(value)) {
    out.set(value, { document, path });
    for (const [key, item] of entries(value)) walk(document, item, [...path, key], out);
  }
}
