/** Finds the line and column of values, by parsing one document again when a message asks. */
import type { Path, Position, Source } from "./document.ts";
import type { Stretch } from "./composition.ts";
import { jsonItems, jsonPlaces } from "./json-text.ts";
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
  /** The items of a List of YAML that was read item by item, each from its `- `. */
  readonly items?: readonly Stretch[];
}

/**
 * Answers where values stand. It keeps the places of the document that was asked for last and the lines of its source, so
 * that many messages about one document cost one parse. Of a List it reads only the item that is asked for, for a List
 * may well be a whole cluster.
 */
export class Places {
  /** Made when a place is asked for: documents that live on hold this object, and seldom need it. */
  private composer: Composer | undefined;
  private lines: { readonly source: Source; readonly table: LineTable } | undefined;
  private items: { readonly range: SourceRange; readonly stretches: readonly Stretch[] } | undefined;
  private tree: { readonly source: Source; readonly from: number; readonly root: PlaceNode } | undefined;

  /** Where the value at the path (or its key) stands, or its nearest ancestor that exists. */
  locate(range: SourceRange, path: Path, key: boolean): Position {
    const item = this.itemOf(range, path);
    const offset =
      item === undefined ? placeOf(this.root(range), path, key) : placeOf(this.root(item.range), item.path, key);
    return this.position(range.source, offset);
  }

  /** Line and column of an offset. */
  position(source: Source, offset: number): Position {
    if (this.lines?.source !== source) this.lines = { source, table: lineTable(source.text) };
    const { line, column } = lineAndColumn(this.lines.table, offset);
    return { file: source.name, line: line + (source.before?.lines ?? 0), column };
  }

  /** The item that a path leads into, where items can be read for themselves, and the path from there. */
  private itemOf(range: SourceRange, path: Path): { readonly range: SourceRange; readonly path: Path } | undefined {
    const [first, index, ...rest] = path;
    if (first !== "items" || typeof index !== "number") return undefined;
    const { source, json } = range;
    const item = this.itemsOf(range)[index];
    if (item === undefined) return undefined;
    // An item of YAML is a list of one, an item of JSON a value.
    return { range: { source, ...item, json }, path: json ? rest : [0, ...rest] };
  }

  private itemsOf(range: SourceRange): readonly Stretch[] {
    const { source, from, to, json, items = [] } = range;
    if (!json) return items;
    if (this.items?.range.source !== source || this.items.range.from !== from)
      this.items = { range, stretches: jsonItems(source.text, from, to) };
    return this.items.stretches;
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
