/**
 * Cuts a List, as `kubectl get -o yaml` writes it, into its items, so that each can be read for itself.
 *
 * The items are found without reading them: they begin with `- ` in the first column below the line `items:`. That may be
 * wrong, for a text in quotes can hold such a line too. But then the item before ends within the quotes and is refused, as
 * it is wherever a cut is no end of an item; and when every item by itself is exactly one entry of a list, so it was in the
 * whole, because a scanner comes to each cut in the same state: between two entries. Whoever cuts must read the List in one
 * piece when an item is refused, is not one entry, or refers to an anchor.
 */
import type { Stretch } from "./composition.ts";

/** A List in pieces. */
export interface CutList {
  /** The text of the List with the one item `0`. */
  readonly frame: string;
  /** The stretch of each item, from its `- `. */
  readonly items: readonly Stretch[];
}

/** The cutter of a text, to be asked of its documents in their order. */
export function listCutter(text: string): (from: number, to: number) => CutList | undefined {
  const head = /^items:[ \t]*\r?\n(?=- )/gm;
  // Where the items of the next List begin, searched once for all the documents before it.
  let next = 0;
  return (from, to) => {
    if (next <= from) {
      head.lastIndex = from;
      next = head.test(text) ? head.lastIndex : Number.POSITIVE_INFINITY;
    }
    return next < to ? cutList(text, from, next, to) : undefined;
  };
}

/** Cuts the List whose first item begins at `first`. */
function cutList(text: string, from: number, first: number, to: number): CutList {
  const items: Stretch[] = [];
  const outdented = /\n(?=[^ \n\r#])/g;
  let start = first;
  let end = to;
  outdented.lastIndex = first;
  while (outdented.test(text) && outdented.lastIndex < to) {
    const at = outdented.lastIndex;
    const isItem = text[at] === "-" && /\s/.test(text[at + 1] ?? " ");
    if (!isItem) {
      end = at;
      break;
    }
    items.push({ from: start, to: at });
    start = at;
  }
  items.push({ from: start, to: end });
  return { frame: `${text.slice(from, first)}- 0\n${text.slice(end, to)}`, items };
}
