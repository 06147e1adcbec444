/** HTTP boxes as a person would have written them. */

import { headerText, type HttpBox, literalText, UNIVERSES } from "./http-box.ts";
import { METHODS } from "./http-request.ts";
import { conjunctionPattern, findWord, type Literal, negate, patternWords, type Universe } from "./path-language.ts";

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

/** The literals that do not follow from the others. */
function needed(literals: readonly Literal[], universe: Universe): readonly Literal[] {
  let kept = literals;
  // Exclusions go first: a person says what is allowed.
  for (const literal of literals.toSorted((a, b) => Number(b.negated) - Number(a.negated))) {
    const others = kept.filter((l) => l !== literal);
    if (findWord([...others, negate(literal)], universe).kind === "empty") kept = others;
  }
  return kept;
}

function shownPattern(literals: readonly Literal[], universe: Universe): string | null {
  const kept = needed(literals, universe);
  const [first] = kept;
  if (first === undefined) return null;
  if (kept.length === 1) return literalText(first);
  const positive = kept.filter((l) => !l.negated);
  const pattern = positive.length === 0 ? undefined : conjunctionPattern(kept, universe);
  return pattern ?? [...positive, ...kept.filter((l) => l.negated)].map(literalText).join(" and ");
}

/** All methods of a finite set; undefined where it is large or infinite. */
function finiteMethods(literals: readonly Literal[]): readonly string[] | undefined {
  const [only] = literals;
  const words = literals.length === 1 && only?.negated === false ? patternWords(only.pattern) : undefined;
  if (words !== undefined) return words;
  if (literals.every((l) => l.negated)) return undefined;
  const found: string[] = [];
  while (found.length <= METHODS_SHOWN) {
    const exclusions = found.map((word) => ({ pattern: escaped(word), negated: true }));
    const next = findWord([...literals, ...exclusions], METHODS);
    if (next.kind === "empty") return found;
    if (next.kind === "limit") return undefined;
    found.push(next.word);
  }
  return undefined;
}

function escaped(method: string): string {
  return method.replace(/[^0-9A-Za-z]/g, (c) => `\\${c}`);
}

function shownMethods(literals: readonly Literal[]): readonly string[] | null {
  const kept = needed(literals, METHODS);
  if (kept.length === 0) return null;
  const words = finiteMethods(kept);
  if (words !== undefined) return words.toSorted();
  if (kept.some((l) => !l.negated)) return [kept.map(literalText).join(" and ")];
  return kept.flatMap((l) => (patternWords(l.pattern) ?? [l.pattern]).map((word) => `not ${word}`)).toSorted();
}

function shownBox(box: HttpBox): ShownBox {
  return {
    methods: shownMethods(box.method),
    path: shownPattern(box.path, UNIVERSES.path),
    host: shownPattern(box.host, UNIVERSES.host),
    headers: box.headers.map(headerText).toSorted(),
  };
}

function isExclusion(methods: readonly string[]): boolean {
  return methods.some((m) => m.startsWith("not "));
}

function unitedMethods(a: readonly string[] | null, b: readonly string[] | null): readonly string[] | null {
  return a === null || b === null ? null : [...new Set([...a, ...b])].toSorted();
}

/** Boxes that differ in their methods alone are one; sorted by what they say. */
export function shownBoxes(boxes: readonly HttpBox[]): readonly ShownBox[] {
  const merged = new Map<string, ShownBox>();
  for (const box of boxes.map(shownBox)) {
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
