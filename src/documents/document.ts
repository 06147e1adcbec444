/** What the readers of manifests hand on: one object of the input with its place, and the account of all documents. */
import type { Place } from "../base/diagnostic.ts";

/** A named text. */
export interface Source {
  /** The path as the user gave it, `-` for standard input. */
  readonly name: string;
  readonly text: string;
  /**
   * What of its file stands before the text, when a file comes in parts: sources of one name in a row, cut where a line
   * begins with `---`. Absent for a whole file and for its first part.
   */
  readonly before?: Before;
}

/** So much of a file. */
export interface Before {
  /** UTF-16 units. */
  readonly units: number;
  readonly lines: number;
}

/** The way from an object to one of its values: keys of mappings and indices of lists. */
export type Path = readonly (string | number)[];

/** A place of which line and column are known. */
export interface Position extends Place {
  readonly line: number;
  readonly column: number;
}

/** One object of the input: a document of its own, or an item of a List. */
export interface Document {
  /** The name of the source. */
  readonly source: string;
  /** Which document of its source it is, from 0; the items of one List share it. Empty documents count. */
  readonly index: number;
  /** Where the object stands within its document: empty, or for an item of a List `["items", 3]`. */
  readonly base: Path;
  /** Where the text of its document begins in the source, in UTF-16 units. */
  readonly offset: number;
  /** How long the text of its document is, in UTF-16 units. */
  readonly length: number;
  /** The object as JSON would carry it. Never reach into it with casts: a `Cursor` decodes it. */
  readonly value: unknown;
  readonly apiVersion: string;
  readonly kind: string;
  /** `metadata.namespace` as written; `undefined` when absent or empty. */
  readonly namespace: string | undefined;
  /** `metadata.name`; empty only for configuration files that are no objects of a cluster (Kustomization and the like). */
  readonly name: string;
  /**
   * Finds where a value stands.
   *
   * Takes the path from the object, and whether the key is asked for rather than the value.
   * Returns line and column, from 1, of the value (or key) or of the nearest ancestor that exists.
   * The text is parsed again when asked, so this is for messages only.
   */
  locate(path: Path, options?: { readonly key?: boolean }): Position;
}

/**
 * What became of every document of the input.
 *
 * INVARIANT: `documents = objects + lists + empty + refused`, and the number of `Document`s read is `objects + items`.
 */
export interface Counts {
  /** Documents in the sources as a YAML parser counts them, empty ones included. */
  readonly documents: number;
  /** Documents read as one object. */
  readonly objects: number;
  /** Documents that are a List and were replaced by their items. */
  readonly lists: number;
  /** Documents without content, or with comments only. */
  readonly empty: number;
  /** Documents refused, each with an error of its own. */
  readonly refused: number;
  /** Objects read from Lists. */
  readonly items: number;
  /** Items of Lists that were refused, each with an error of its own. */
  readonly refusedItems: number;
}
