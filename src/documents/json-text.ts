/**
 * JSON with what `JSON.parse` keeps to itself: where a text is wrong, where each value stands, and whether a key is
 * written twice. `JSON.parse` makes the values; the scanner here is asked only when one of the three matters.
 */
import type { PlaceMember, PlaceNode } from "./place-tree.ts";
import { Refusal } from "./refusal.ts";

const MAX_DEPTH = 1000;

/** The value of a JSON text, or why it has none. */
export type JsonResult = { readonly value: unknown } | { readonly refusal: Refusal };

/**
 * Reads one JSON value.
 *
 * Takes the text and the range that the value fills, blanks aside. Returns the value, or the refusal of a text that is not
 * JSON (BH010), a key written twice (BH002), or nesting without measure (BH008).
 */
export function readJson(text: string, from: number, to: number): JsonResult {
  let value: unknown;
  try {
    value = JSON.parse(from === 0 && to === text.length ? text : text.slice(from, to));
  } catch {
    return { refusal: problemOf(text, from, to) ?? new Refusal("BH010", from, "this is not JSON") };
  }
  // Members that JSON.parse dropped because of a second one show in the number of keys.
  const keys = isContainer(value) ? countMembers(value, 0) : 0;
  if (keys === countKeys(text, from, to)) return { value };
  const refusal = problemOf(text, from, to);
  return refusal === undefined ? { value } : { refusal };
}

/** One value of several in a row. */
export interface JsonRange {
  readonly from: number;
  readonly to: number;
}

/** JSON values in a row: those that are complete, and what is left when one is not. */
export interface JsonRow {
  readonly ranges: readonly JsonRange[];
  /** Where the first value begins that is not complete, and what is wrong with it. */
  readonly rest: { readonly from: number; readonly refusal: Refusal } | undefined;
}

/** Separates JSON values that follow each other with nothing but blanks between. */
export function splitJson(text: string, from: number, to: number): JsonRow {
  const ranges: JsonRange[] = [];
  const scanner = new JsonScanner(text, from, to, false);
  for (;;) {
    const start = scanner.passBlanks();
    if (start >= to) return { ranges, rest: undefined };
    try {
      scanner.value(0);
    } catch (error) {
      if (error instanceof Refusal) return { ranges, rest: { from: start, refusal: error } };
      throw error;
    }
    ranges.push({ from: start, to: scanner.position });
  }
}

/** The places of the values of a JSON text that `readJson` has read. */
export function jsonPlaces(text: string, from: number, to: number): PlaceNode {
  const scanner = new JsonScanner(text, from, to, true);
  scanner.passBlanks();
  return scanner.value(0) ?? { start: from, members: undefined };
}

function problemOf(text: string, from: number, to: number): Refusal | undefined {
  const scanner = new JsonScanner(text, from, to, false);
  try {
    scanner.passBlanks();
    scanner.value(0);
    const end = scanner.passBlanks();
    return end < to ? new Refusal("BH010", end, "nothing may follow the value") : undefined;
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}

type Container = Readonly<Record<string, unknown>> | readonly unknown[];

function isContainer(value: unknown): value is Container {
  return typeof value === "object" && value !== null;
}

/** The members of all objects in a value that `JSON.parse` made; `NaN` when it is too deep to count. */
function countMembers(value: Container, depth: number): number {
  if (depth > MAX_DEPTH) return Number.NaN;
  let count = 0;
  if (isList(value)) {
    for (const item of value) if (isContainer(item)) count += countMembers(item, depth + 1);
    return count;
  }
  // Not Object.values, which would make a list; an object of JSON inherits nothing that this loop would meet.
  for (const key in value) {
    count++;
    const member = value[key];
    if (isContainer(member)) count += countMembers(member, depth + 1);
  }
  return count;
}

function isList(value: Container): value is readonly unknown[] {
  return Array.isArray(value);
}

const QUOTE = 34;
const BACKSLASH = 92;
const COLON = 58;

/** The keys in a text that is known to be JSON: strings that a colon follows. */
function countKeys(text: string, from: number, to: number): number {
  let count = 0;
  for (let at = text.indexOf('"', from); at !== -1 && at < to; at = text.indexOf('"', at)) {
    // The end of the string: a quotation mark after an even number of backslashes.
    for (;;) {
      at = text.indexOf('"', at + 1);
      let before = at - 1;
      while (text.charCodeAt(before) === BACKSLASH) before--;
      if ((at - before) % 2 === 1) break;
    }
    at++;
    let c = text.charCodeAt(at);
    while (isBlank(c)) c = text.charCodeAt(++at);
    if (c === COLON) count++;
  }
  return count;
}

function isBlank(c: number): boolean {
  return c === 32 || c === 10 || c === 13 || c === 9;
}

/** Walks over JSON; throws a `Refusal` at the first thing that is not. */
class JsonScanner {
  position: number;
  private readonly text: string;
  private readonly to: number;
  private readonly places: boolean;

  constructor(text: string, from: number, to: number, places: boolean) {
    this.text = text;
    this.position = from;
    this.to = to;
    this.places = places;
  }

  /** Passes over blanks; returns where they end. */
  passBlanks(): number {
    while (this.position < this.to && isBlank(this.text.charCodeAt(this.position))) this.position++;
    return this.position;
  }

  /** Passes over one value; returns its place when places are kept. */
  value(depth: number): PlaceNode | undefined {
    const start = this.position;
    if (depth > MAX_DEPTH) throw new Refusal("BH008", start, `the document nests more than ${MAX_DEPTH} levels deep`);
    const c = start < this.to ? this.text[start] : undefined;
    if (c === "{") return this.object(depth);
    if (c === "[") return this.array(depth);
    if (c === '"') this.string();
    else {
      const scalar = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?)(?![\w.+-])/y;
      scalar.lastIndex = start;
      const match = scalar.exec(this.text);
      if (match === null || scalar.lastIndex > this.to) this.refuse(start, "a value is expected here");
      this.position = scalar.lastIndex;
    }
    return this.places ? { start, members: undefined } : undefined;
  }

  private object(depth: number): PlaceNode | undefined {
    const start = this.position++;
    const members = new Map<string | number, PlaceMember>();
    if (this.passBlanks() >= this.to || this.text[this.position] !== "}") {
      for (;;) {
        const key = this.passBlanks();
        if (this.text[key] !== '"' || key >= this.to) this.refuse(key, "a key in double quotes is expected here");
        const name = this.string();
        if (members.has(name))
          throw new Refusal("BH002", key, `the key ${JSON.stringify(name)} is written twice in one object`);
        this.passBlanks();
        this.expect(":", "a colon is expected here");
        const begin = this.passBlanks();
        const node = this.value(depth + 1) ?? { start: begin, members: undefined };
        members.set(name, { key, start: begin, node });
        this.passBlanks();
        if (this.text[this.position] === "}" && this.position < this.to) break;
        this.expect(",", "a comma or } is expected here");
      }
    }
    this.position++;
    return this.places ? { start, members } : undefined;
  }

  private array(depth: number): PlaceNode | undefined {
    const start = this.position++;
    const members = new Map<string | number, PlaceMember>();
    let count = 0;
    if (this.passBlanks() >= this.to || this.text[this.position] !== "]") {
      for (;;) {
        const begin = this.passBlanks();
        const node = this.value(depth + 1);
        if (node !== undefined) members.set(count, { key: begin, start: begin, node });
        count++;
        this.passBlanks();
        if (this.text[this.position] === "]" && this.position < this.to) break;
        this.expect(",", "a comma or ] is expected here");
      }
    }
    this.position++;
    return this.places ? { start, members } : undefined;
  }

  private string(): string {
    const start = this.position;
    const { text, to } = this;
    let at = start + 1;
    for (;;) {
      const c = at < to ? text.charCodeAt(at) : -1;
      if (c === QUOTE) break;
      if (c === -1) this.refuse(start, "this quotation mark has no counterpart");
      if (c < 32) this.refuse(at, "a control character must be written as an escape");
      if (c === BACKSLASH) {
        const escape = /\\(?:["\\/bfnrt]|u[\da-fA-F]{4})/y;
        escape.lastIndex = at;
        if (!escape.test(text)) this.refuse(at, "there is no such escape");
        at = escape.lastIndex;
      } else at++;
    }
    this.position = at + 1;
    const value: unknown = JSON.parse(text.slice(start, at + 1));
    return typeof value === "string" ? value : "";
  }

  private expect(character: string, message: string): void {
    if (this.position >= this.to || this.text[this.position] !== character) this.refuse(this.position, message);
    this.position++;
  }

  private refuse(offset: number, message: string): never {
    if (offset >= this.to) throw new Refusal("BH010", offset, "the text ends before its value does");
    throw new Refusal("BH010", offset, message);
  }
}
