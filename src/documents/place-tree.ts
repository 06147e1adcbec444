/** Where every value of one document stands: made when a message needs it, thrown away after. */
import type { Path } from "./document.ts";

/** The place of one value, and of the values within it. Offsets are UTF-16 units of the source. */
export interface PlaceNode {
  readonly start: number;
  /** The members of a mapping or list by key or index; `undefined` for a scalar. */
  members: Map<string | number, PlaceMember> | undefined;
}

/** One member of a mapping or list. */
export interface PlaceMember {
  /** Where the key begins; for an item of a list, where the item does. */
  readonly key: number;
  /** Where the value begins; an alias stands where it is written, its members where its anchor is. */
  readonly start: number;
  readonly node: PlaceNode;
}

/**
 * Finds a value.
 *
 * Takes the places of the document, the path, and whether the key is asked for. Returns the offset of the value (or its
 * key), or of the nearest ancestor that exists.
 */
export function placeOf(root: PlaceNode, path: Path, key: boolean): number {
  let node = root;
  let start = root.start;
  for (const [depth, step] of path.entries()) {
    const member = node.members?.get(step);
    if (member === undefined) return start;
    if (depth === path.length - 1 && key) return member.key;
    ({ node, start } = member);
  }
  return start;
}
