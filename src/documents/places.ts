/** Finds the line and column of values, by parsing one document again when a message asks. */
import type { Path, Position, Source } from "./document.ts";
import { jsonPlaces } from "./json-text.ts";
import { lineAndColumn, type LineTable, lineTable } from "./line-table.ts";
import { placeOf, type PlaceNode } from "./place-tree.ts";
import { Refusal } from "./refusal.ts";
import { Composer } from "./yaml-composer.ts";
import { Scanner } from "./yaml-scanner.ts";
import { firstContent } from "./yaml-stream.ts";

/** The text of one document. */
export interface SourceRange {
  readonly source: Source;
  readonly from: number;
  readonly to: number;
  /** It is JSON rather than YAML. */
  readonly json: boolean;
}

/**
 * Answers where values stand. It keeps the places of the document that was asked for last and the lines of its source, so
 * that many messages about one document cost one parse.
 */
export class Places {
  /** Made when a place is asked for: documents that live on hold this object, and seldom need it. */
  private composer: Composer | undefined;
  private lines: { readonly source: Source; readonly table: LineTable } | undefined;
  private tree: { readonly source: Source; readonly from: number; readonly root: PlaceNode } | undefined;

  /** Where the value at the path (or its key) stands, or its nearest ancestor that exists. */
  locate(range: SourceRange, path: Path, key: boolean): Position {
    return this.position(range.source, placeOf(this.root(range), path, key));
  }

  /** Line and column of an offset. */
  position(source: Source, offset: number): Position {
    if (this.lines?.source !== source) this.lines = { source, table: lineTable(source.text) };
    return { file: source.name, ...lineAndColumn(this.lines.table, offset) };
  }

  private root(range: SourceRange): PlaceNode {
    const { source, from } = range;
    if (this.tree?.source !== source || this.tree.from !== from) this.tree = { source, from, root: this.read(range) };
    return this.tree.root;
  }

  private read({ source, from, to, json }: SourceRange): PlaceNode {
    const { text } = source;
    try {
      if (json) return jsonPlaces(text, from, to);
      this.composer ??= new Composer(new Scanner());
      return this.composer.placeTree(text, from, to);
    } catch (error) {
      // A document that was refused has no places but its beginning.
      if (!(error instanceof Refusal)) throw error;
      return { start: Math.max(from, firstContent(text, from, to)), members: undefined };
    }
  }
}
