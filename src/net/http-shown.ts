/** HTTP boxes as a person would have written them. */

import { findWithin, headerText, type HttpBox, literalText, UNIVERSES, type Work } from "./http-box.ts";
import { METHODS } from "./http-request.ts";
import { conjunctionPattern, type Literal, negate, patternWords, type Universe } from "./path-language.ts";

/** A box for reading. What is excluded begins with `not `. */
export interface ShownBox {
  /** Sorted; null: any. */
  readonly methods: readonly string[] | null;
  /** A pattern, or several with ` and ` between them; null: any. */
  readonly path: string | null;
  /** As the path. */
  readonly host: string | null;
  /** `name`: present; `name: value`: exactly this value. */
  readonly headers: readonly string[];
}

/** Longer lists of methods are shown as the pattern that they are. */
const METHODS_SHOWN = 12;

/** Steps that looking for one pattern for a conjunction counts for. */
const CONJUNCTION = 100_000;

/** The literals that do not follow from the others; all of them once there is no work left. */
function needed(literals: readonly Literal[], universe: Universe, work: Work): readonly Literal[] {
  let kept = literals;
  // Exclusions go first: a person says what is allowed.
  for (const literal of literals.toSorted((a, b) => Number(b.negated) - Number(a.negated))) {
    const others = kept.filter((l) => l !== literal);
    if (findWithin(work, [...others, negate(literal)], universe).kind === "empty") kept = others;
  }
  return kept;
}

function shownPattern(literals: readonly Literal[], universe: Universe, work: Work): string | null {
  const kept = needed(literals, universe, work);
  const [first] = kept;
  if (first === undefined) return null;
  if (kept.length === 1) return literalText(first);
  const positive = kept.filter((l) => !l.negated);
  let pattern: string | undefined;
  if (positive.length > 0 && work.left > 0) {
    work.left -= CONJUNCTION;
    pattern = conjunctionPattern(kept, universe);
  }
  return pattern ?? [...positive, ...kept.filter((l) => l.negated)].map(literalText).join(" and ");
}

/** All methods of a finite set; undefined where it is large or infinite. */
function finiteMethods(literals: readonly Literal[], work: Work): readonly string[] | undefined {
  const [only] = literals;
  const words = literals.length === 1 && only?.negated === false ? patternWords(only.pattern) : undefined;
  if (words !== undefined) return words;
  if (literals.every((l) => l.negated)) return undefined;
  const found: string[] = [];
  while (found.length <= METHODS_SHOWN) {
    const exclusions = found.map((word) => ({ pattern: escaped(word), negated: true }));
    const next = findWithin(work, [...literals, ...exclusions], METHODS);
    if (next.kind === "empty") return found;
    if (next.kind === "limit") return undefined;
    found.push(next.word);
  }
  return undefined;
}

function escaped(method: string): string {
  return method.replace(/[^0-9A-Za-z]/g, (c) => `\\${c}`);
}

function shownMethods(literals: readonly Literal[], work: Work): readonly string[] | null {
  const kept = needed(literals, METHODS, work);
  if (kept.length === 0) return null;
  const words = finiteMethods(kept, work);
  if (words !== undefined) return words.toSorted();
  if (kept.some((l) => !l.negated)) return [kept.map(literalText).join(" and ")];
  return kept.flatMap((l) => (patternWords(l.pattern) ?? [l.pattern]).map((word) => `not ${word}`)).toSorted();
}

function shownBox(box: HttpBox, work: Work): ShownBox {
  return {
    methods: shownMethods(box.method, work),
    path: shownPattern(box.path, UNIVERSES.path, work),
    host: shownPattern(box.host, UNIVERSES.host, work),
    headers: box.headers.map(headerText).toSorted(),
  };
}

function isExclusion(methods: readonly string[]): boolean {
  return methods.some((m) => m.startsWith("not "));
}

function unitedMethods(a: readonly string[] | null, b: readonly string[] | null): readonly string[] | null {
  return a === null || b === null ? null : [...new Set([...a, ...b])].toSorted();
}

/**
 * Boxes that differ in their methods alone are one; sorted by what they say. Once the work is used up, the rest is
 * shown as it is.
 */
export function shownBoxes(boxes: readonly HttpBox[], work: Work): readonly ShownBox[] {
  const merged = new Map<string, ShownBox>();
  for (const box of boxes.map((b) => shownBox(b, work))) {
    const excluding = box.methods !== null && isExclusion(box.methods) ? box.methods : [];
    const key = JSON.stringify([box.path, box.host, box.headers, excluding]);
    const earlier = merged.get(key);
    merged.set(key, earlier === undefined ? box : { ...box, methods: unitedMethods(earlier.methods, box.methods) });
  }
  const text = (box: ShownBox): string => JSON.stringify([box.path, box.host, box.methods, box.headers]);
  return [...merged.values()].toSorted((a, b) => (text(a) < text(b) ? -1 : 1));
}

/** A box that demands nothing. */
export const ANY_SHOWN: ShownBox = { methods: null, path: null, host: null, headers: [] };
