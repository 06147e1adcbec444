/**
 * JSON with what `JSON.parse` keeps to itself: where a text is wrong, where each value stands, and whether a key is
 * written twice. `JSON.parse` makes the values; the scanner here is asked only when one of the three matters.
 */
import type { Stretch } from "./composition.ts";
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

/** One of several JSON values in a row, with its range; the last may be all that is left after a text that is not JSON. */
export type JsonInRow = JsonResult & { readonly from: number; readonly to: number };

/**
 * Reads JSON values that follow each other with nothing but blanks between, such as a value a line.
 *
 * Takes the text and the range. Yields each value, or the refusal of one that has a key twice or nests too deep; and
 * where a text is not JSON at all, its refusal for all that is left.
 */
export function* readJsonRow(text: string, from: number, to: number): Iterable<JsonInRow> {
  for (let at = afterBlanks(text, from, to); at < to; ) {
    const end = valueEnd(text, at, to);
    const result = readJson(text, at, end);
    const isOver = "refusal" in result && result.refusal.code === "BH010";
    yield { from: at, to: isOver ? to : end, ...result };
    at = isOver ? to : afterBlanks(text, end, to);
  }
}

/**
 * Whether a text that is not one JSON value begins with one and goes on with another on a line of its own: JSON in a row,
 * which is never YAML. Takes the refusal that `readJson` gave.
 */
export function isJsonRow(text: string, from: number, to: number, { offset }: Refusal): boolean {
  const end = valueEnd(text, afterBlanks(text, from, to), to);
  if (offset >= to || afterBlanks(text, end, to) !== offset) return false;
  return (text[offset] === "{" || text[offset] === "[") && /[\n\r]/.test(text.slice(end, offset));
}

/** Where a value ends, if it is JSON: behind the bracket that closes the first, whatever stands between. */
function valueEnd(text: string, from: number, to: number): number {
  if (text[from] !== "{" && text[from] !== "[") {
    const scalar = /"(?:[^"\\]|\\.)*"|[^\s",\]}]+/sy;
    scalar.lastIndex = from;
    return scalar.test(text) ? Math.min(scalar.lastIndex, to) : to;
  }
  let depth = 0;
  for (let at = from; at < to; at++) {
    const c = text.charCodeAt(at);
    if (c === QUOTE) {
      at = stringEnd(text, at);
      if (at === -1) return to;
    } else if (c === 123 || c === 91) depth++;
    else if ((c === 125 || c === 93) && --depth === 0) return at + 1;
  }
  return to;
}

/** Where a string that begins here has its last quotation mark: after an even number of backslashes; -1 for nowhere. */
function stringEnd(text: string, from: number): number {
  for (let at = text.indexOf('"', from + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let before = at - 1;
    while (text.charCodeAt(before) === BACKSLASH) before--;
    if ((at - before) % 2 === 1) return at;
  }
  return -1;
}

function afterBlanks(text: string, from: number, to: number): number {
  let at = from;
  while (at < to && isBlank(text.charCodeAt(at))) at++;
  return at;
}

/** The places of the values of a JSON text that `readJson` has read. */
export function jsonPlaces(text: string, from: number, to: number): PlaceNode {
  const scanner = new JsonScanner(text, from, to, true);
  scanner.passBlanks();
  return scanner.value(0) ?? { start: from, members: undefined };
}

/** The stretches of the items of a List that `readJson` has read; none when the text is no object with a list `items`. */
export function jsonItems(text: string, from: number, to: number): readonly Stretch[] {
  const items: Stretch[] = [];
  let at = afterBlanks(text, from, to);
  if (text[at] !== "{") return items;
  at = afterBlanks(text, at + 1, to);
  while (text[at] === '"') {
    const keyEnd = stringEnd(text, at) + 1;
    const isItems = text.slice(at, keyEnd) === '"items"';
    const start = afterBlanks(text, afterBlanks(text, keyEnd, to) + 1, to);
    const end = valueEnd(text, start, to);
    if (isItems && text[start] === "[") {
      for (let i = afterBlanks(text, start + 1, to); text[i] !== "]"; ) {
        const itemEnd = valueEnd(text, i, to);
        items.push({ from: i, to: itemEnd });
        i = afterBlanks(text, itemEnd, to);
        if (text[i] === ",") i = afterBlanks(text, i + 1, to);
      }
      return items;
    }
    at = afterBlanks(text, end, to);
    if (text[at] === ",") at = afterBlanks(text, at + 1, to);
  }
  return items;
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
    at = stringEnd(text, at) + 1;
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
    this.position = afterBlanks(this.text, this.position, this.to);
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
