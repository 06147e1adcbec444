/**
 * Cuts the text of one YAML document into tokens.
 *
 * The tokens are those of YAML 1.1 as libyaml and its Go translation in Kubernetes' loader cut them (not YAML 1.2, and not
 * more generous): indentation becomes BLOCK_… and BLOCK_END tokens, and a key without `?` is recognised when its `:` comes,
 * on the same line and within 1024 characters. Two slots are kept free before whatever may turn out to be such a key, so
 * that nothing is ever moved.
 *
 * Documents are separated before (see `yaml-stream.ts`), so the markers `---` and `...` never occur within the range.
 */
import { Refusal } from "./refusal.ts";

// The kinds of tokens. Single constants, because the composer asks for them once a token.
/** A slot that stayed free. */
export const NOTHING = 0;
export const END = 1;
export const BLOCK_SEQUENCE = 2;
export const BLOCK_MAPPING = 3;
export const BLOCK_END = 4;
export const BLOCK_ENTRY = 5;
export const FLOW_SEQUENCE = 6;
export const FLOW_SEQUENCE_END = 7;
export const FLOW_MAPPING = 8;
export const FLOW_MAPPING_END = 9;
export const FLOW_ENTRY = 10;
export const KEY = 11;
export const VALUE = 12;
export const ALIAS = 13;
export const ANCHOR = 14;
export const TAG = 15;
/** A scalar without quotes, which may be more than text. */
export const PLAIN = 16;
/** A scalar in quotes or a block scalar, which is text. */
export const TEXT = 17;

/** Integers a token: kind, start, end, and for scalars where their value is. */
export const STRIDE = 4;

/** Nesting beyond this is refused; no object of a cluster comes near. */
const MAX_DEPTH = 1000;

/** A key must be recognisable within so many characters. */
const MAX_KEY_LENGTH = 1024;

const TAB = 9;
const NEWLINE = 10;
const RETURN = 13;
const SPACE = 32;
const HASH = 35;
const QUOTE = 39;
const DOUBLE_QUOTE = 34;
const COMMA = 44;
const DASH = 45;
const COLON = 58;
const QUESTION = 63;
const BACKSLASH = 92;
const NEXT_LINE = 0x85;
const LINE_SEPARATOR = 0x2028;
const PARAGRAPH_SEPARATOR = 0x2029;

/** What an ASCII character does to a plain scalar: 1 blank or break or end, 2 colon, 3 flow indicator. */
const PLAIN_CLASS = new Uint8Array(128);
for (const code of [0, TAB, NEWLINE, RETURN, SPACE]) PLAIN_CLASS[code] = 1;
PLAIN_CLASS[COLON] = 2;
for (const char of ",?[]{}") PLAIN_CLASS[char.charCodeAt(0)] = 3;

const ESCAPES: Readonly<Record<string, string>> = {
  "0": "\0",
  a: "\x07",
  b: "\b",
  t: "\t",
  "\t": "\t",
  n: "\n",
  v: "\v",
  f: "\f",
  r: "\r",
  e: "\x1b",
  " ": " ",
  '"': '"',
  "'": "'",
  "\\": "\\",
  N: "\x85",
  _: "\xa0",
  L: "\u2028",
  P: "\u2029",
};
const ESCAPE_LENGTHS: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

/** Cuts documents into tokens; one instance serves many documents, one after the other. */
export class Scanner {
  /**
   * The tokens, `STRIDE` integers each. A token with a text has -1 as its fourth when that text is a stretch of the source:
   * from start to end for PLAIN and TAG, after the first character for ALIAS, ANCHOR and TEXT. Else the fourth is the
   * index of the text in `values`.
   */
  tokens = new Int32Array(STRIDE * 1024);
  /** Values of scalars that are not a stretch of the text. */
  values: string[] = [];
  /** How many integers of `tokens` are in use. */
  length = 0;

  private text = "";
  private to = 0;
  private position = 0;
  private lineStart = 0;
  private flowLevel = 0;
  private indent = -1;
  private indents: number[] = [];
  private keyAllowed = true;
  // What may turn out to be a key, a level of flow collections each: where its slots are (-1: nothing may), where it
  // begins, and the start of its line.
  private keySlots: number[] = [-1];
  private keyPositions: number[] = [0];
  private keyLines: number[] = [0];
  /** The key of the block level must be one, because it stands where the next key of the mapping is due. */
  private keyRequired = false;

  /**
   * Cuts one document.
   *
   * Takes the text and the range of the document; a `---` at its beginning is skipped. The tokens are in `tokens` and
   * `values` until the next call. Throws a `Refusal` at the first character that cannot be read.
   */
  scan(text: string, from: number, to: number): void {
    this.text = text;
    this.to = to;
    this.position = from;
    this.lineStart = from;
    this.flowLevel = 0;
    this.indent = -1;
    this.indents.length = 0;
    this.keyAllowed = true;
    this.keySlots.length = 1;
    this.keySlots[0] = -1;
    this.keyRequired = false;
    this.length = 0;
    this.values.length = 0;
    if (to - from >= 3 && text.startsWith("---", from) && isBlankOrEnd(this.at(from + 3))) {
      this.position += 3;
      this.keyAllowed = false;
    }
    while (this.fetch());
  }

  /** Fetches the next token and those it implies; returns whether more may come. */
  private fetch(): boolean {
    this.skipToToken();
    const { position, flowLevel } = this;
    this.checkRequiredKey();
    if (flowLevel === 0) this.unrollIndent(position - this.lineStart);
    if (position >= this.to) {
      this.lineStart = position;
      if (flowLevel === 0) this.unrollIndent(-1);
      this.removeKey();
      this.push(END, position, position);
      return false;
    }
    const c = this.text.charCodeAt(position);
    switch (c) {
      case 91: // [
        this.startFlow(FLOW_SEQUENCE);
        return true;
      case 123: // {
        this.startFlow(FLOW_MAPPING);
        return true;
      case 93: // ]
        this.endFlow(FLOW_SEQUENCE_END);
        return true;
      case 125: // }
        this.endFlow(FLOW_MAPPING_END);
        return true;
      case COMMA:
        this.removeKey();
        this.keyAllowed = true;
        this.pushCharacter(FLOW_ENTRY);
        return true;
      case DASH:
        if (isBlankOrEnd(this.at(position + 1))) {
          this.blockEntry();
          return true;
        }
        break;
      case QUESTION:
        if (flowLevel > 0 || isBlankOrEnd(this.at(position + 1))) {
          this.explicitKey();
          return true;
        }
        break;
      case COLON:
        if (flowLevel > 0 || isBlankOrEnd(this.at(position + 1))) {
          this.value();
          return true;
        }
        break;
      case 42: // *
        this.anchor(ALIAS);
        return true;
      case 38: // &
        this.anchor(ANCHOR);
        return true;
      case 33: // !
        this.tag();
        return true;
      case 124: // |
      case 62: // >
        if (flowLevel === 0) {
          this.removeKey();
          this.keyAllowed = true;
          this.blockScalar(c === 124);
          return true;
        }
        this.refuse(position, "a block scalar cannot stand in a flow collection");
        break;
      case QUOTE:
        this.saveKey();
        this.keyAllowed = false;
        this.quoted(true);
        return true;
      case DOUBLE_QUOTE:
        this.saveKey();
        this.keyAllowed = false;
        this.quoted(false);
        return true;
      case TAB:
        this.refuse(position, "a tab cannot indent; use spaces");
        break;
      case HASH:
      case 37: // %
      case 64: // @
      case 96: // `
        this.refuse(position, `a value cannot begin with ${String.fromCharCode(c)}; put it in quotes`);
        break;
      default:
        break;
    }
    this.saveKey();
    this.keyAllowed = false;
    this.plain();
    return true;
  }

  // ── between tokens ─────────────────────────────────────────────────────────────────────────────────────────────────

  private skipToToken(): void {
    const { text, to } = this;
    let position = this.position;
    for (;;) {
      let c = position < to ? text.charCodeAt(position) : 0;
      while (c === SPACE || (c === TAB && (this.flowLevel > 0 || !this.keyAllowed))) {
        position++;
        c = position < to ? text.charCodeAt(position) : 0;
      }
      if (c === HASH) {
        do {
          position++;
          c = position < to ? text.charCodeAt(position) : 0;
        } while (!isBreak(c) && position < to);
      }
      if (!isBreak(c)) break;
      position = this.afterBreak(position, c);
      this.lineStart = position;
      if (this.flowLevel === 0) this.keyAllowed = true;
    }
    this.position = position;
  }

  private afterBreak(position: number, c: number): number {
    return c === RETURN && this.at(position + 1) === NEWLINE ? position + 2 : position + 1;
  }

  /** The character, or 0 beyond the end. */
  private at(position: number): number {
    return position < this.to ? this.text.charCodeAt(position) : 0;
  }

  // ── keys without a question mark ───────────────────────────────────────────────────────────────────────────────────

  private saveKey(): void {
    if (!this.keyAllowed) return;
    this.removeKey();
    const { flowLevel, position } = this;
    if (flowLevel === 0) this.keyRequired = this.indent === position - this.lineStart;
    this.keySlots[flowLevel] = this.length;
    this.keyPositions[flowLevel] = position;
    this.keyLines[flowLevel] = this.lineStart;
    this.push(NOTHING, position, position);
    this.push(NOTHING, position, position);
  }

  private removeKey(): void {
    if (this.flowLevel === 0 && this.keySlots[0] !== -1 && this.keyRequired) this.refuseKey();
    this.keySlots[this.flowLevel] = -1;
  }

  /** Refuses a key that must be one and can no longer be. */
  private checkRequiredKey(): void {
    if (this.keyRequired && this.keySlots[0] !== -1 && !this.isKeyFresh(0)) this.refuseKey();
  }

  private isKeyFresh(level: number): boolean {
    return this.keyLines[level] === this.lineStart && this.position - (this.keyPositions[level] ?? 0) <= MAX_KEY_LENGTH;
  }

  private refuseKey(): never {
    return this.refuse(this.keyPositions[0] ?? 0, "this must be a key, but no ':' follows it");
  }

  private value(): void {
    const { flowLevel, position } = this;
    const slot = this.keySlots[flowLevel] ?? -1;
    if (slot !== -1 && this.isKeyFresh(flowLevel)) {
      const start = this.keyPositions[flowLevel] ?? 0;
      this.tokens[slot + STRIDE] = KEY;
      if (this.rollIndent(start - this.lineStart)) this.tokens[slot] = BLOCK_MAPPING;
      this.keySlots[flowLevel] = -1;
      this.keyAllowed = false;
    } else {
      if (slot !== -1 && flowLevel === 0 && this.keyRequired) this.refuseKey();
      this.keySlots[flowLevel] = -1;
      if (flowLevel === 0) {
        if (!this.keyAllowed) this.refuse(position, "a mapping cannot begin here; put text with ': ' in quotes");
        if (this.rollIndent(position - this.lineStart)) this.push(BLOCK_MAPPING, position, position);
      }
      this.keyAllowed = flowLevel === 0;
    }
    this.pushCharacter(VALUE);
  }

  // ── indentation and collections ────────────────────────────────────────────────────────────────────────────────────

  /** Opens a block collection when the column is beyond the indentation; returns whether it did. */
  private rollIndent(column: number): boolean {
    if (this.flowLevel > 0 || this.indent >= column) return false;
    this.indents.push(this.indent);
    this.indent = column;
    if (this.indents.length > MAX_DEPTH) this.refuseDepth();
    return true;
  }

  private unrollIndent(column: number): void {
    while (this.indent > column) {
      this.push(BLOCK_END, this.position, this.position);
      this.indent = this.indents.pop() ?? -1;
    }
  }

  private startFlow(kind: number): void {
    this.saveKey();
    this.flowLevel++;
    if (this.flowLevel > MAX_DEPTH) this.refuseDepth();
    this.keySlots[this.flowLevel] = -1;
    this.keyAllowed = true;
    this.pushCharacter(kind);
  }

  private endFlow(kind: number): void {
    this.removeKey();
    if (this.flowLevel > 0) this.flowLevel--;
    this.keyAllowed = false;
    this.pushCharacter(kind);
  }

  private blockEntry(): void {
    const { position } = this;
    if (this.flowLevel === 0) {
      if (!this.keyAllowed) this.refuse(position, "a list cannot begin here; it begins on a line of its own");
      if (this.rollIndent(position - this.lineStart)) this.push(BLOCK_SEQUENCE, position, position);
    }
    this.removeKey();
    this.keyAllowed = true;
    this.pushCharacter(BLOCK_ENTRY);
  }

  private explicitKey(): void {
    const { position } = this;
    if (this.flowLevel === 0) {
      if (!this.keyAllowed) this.refuse(position, "a key cannot begin here");
      if (this.rollIndent(position - this.lineStart)) this.push(BLOCK_MAPPING, position, position);
    }
    this.removeKey();
    this.keyAllowed = this.flowLevel === 0;
    this.pushCharacter(KEY);
  }

  // ── anchors and tags ───────────────────────────────────────────────────────────────────────────────────────────────

  private anchor(kind: number): void {
    this.saveKey();
    this.keyAllowed = false;
    const start = this.position;
    let position = start + 1;
    while (isWord(this.at(position))) position++;
    const c = this.at(position);
    if (position === start + 1 || !(isBlankOrEnd(c) || "?:,]}%@`".includes(String.fromCharCode(c))))
      this.refuse(start, "the name of an anchor consists of letters, digits, - and _; put other text in quotes");
    this.position = position;
    this.push(kind, start, position);
  }

  private tag(): void {
    this.saveKey();
    this.keyAllowed = false;
    const start = this.position;
    let position = start + 1;
    if (this.at(position) === 60) {
      // <
      position++;
      while (isTagCharacter(this.at(position))) position++;
      if (position === start + 2 || this.at(position) !== 62) this.refuse(start, "this tag has no end");
      position++;
    } else {
      while (isTagCharacter(this.at(position))) position++;
    }
    if (!isBlankOrEnd(this.at(position))) this.refuse(start, "a blank must follow a tag; put text with ! in quotes");
    if (/%(?![\da-fA-F]{2})/.test(this.text.slice(start, position)))
      this.refuse(start, "a % in a tag begins an octet in hexadecimal");
    this.position = position;
    this.push(TAG, start, position);
  }

  // ── scalars ────────────────────────────────────────────────────────────────────────────────────────────────────────

  private plain(): void {
    const { text, to, flowLevel } = this;
    const start = this.position;
    const indent = this.indent + 1;
    let position = start;
    let end = start;
    // The value while it is more than a stretch of the text, and where its last stretch begins.
    let value: string | undefined;
    let stretch = start;
    let pendingBreaks = "";
    let afterBreaks = false;
    for (;;) {
      // One stretch without blanks.
      const word = position;
      let c = position < to ? text.charCodeAt(position) : 0;
      if (c === HASH && position > start) break;
      for (;;) {
        if (c < 128) {
          const kind = PLAIN_CLASS[c];
          if (kind !== 0) {
            if (kind === 1) break;
            if (kind === 3 ? flowLevel > 0 : kind === 2 && isBlankOrEnd(this.at(position + 1))) break;
          }
        } else if (isBreak(c)) break;
        position++;
        c = position < to ? text.charCodeAt(position) : 0;
      }
      if (position > word) {
        if (afterBreaks) {
          value = (value ?? "") + text.slice(stretch, end) + pendingBreaks;
          stretch = word;
          afterBreaks = false;
        }
        end = position;
      }
      if (c !== SPACE && c !== TAB && !isBreak(c)) break;
      // Blanks and line breaks, which count only when more follows.
      let breaks = 0;
      let firstBreak = 0;
      let further = "";
      for (;;) {
        if (c === SPACE || c === TAB) {
          if (c === TAB && (breaks > 0 || afterBreaks) && position - this.lineStart < indent)
            this.refuse(position, "a tab cannot indent; use spaces");
          position++;
        } else if (isBreak(c)) {
          if (breaks++ === 0) firstBreak = c;
          else further += breakText(c);
          position = this.afterBreak(position, c);
          this.lineStart = position;
        } else break;
        c = position < to ? text.charCodeAt(position) : 0;
      }
      if (breaks > 0) {
        afterBreaks = true;
        pendingBreaks = fold(firstBreak, further);
        if (flowLevel === 0 && position - this.lineStart < indent) break;
      }
    }
    if (afterBreaks) this.keyAllowed = true;
    this.position = position;
    this.pushScalar(PLAIN, start, end, value === undefined ? undefined : value + text.slice(stretch, end));
  }

  private quoted(single: boolean): void {
    const { text, to } = this;
    const start = this.position;
    const quote = single ? QUOTE : DOUBLE_QUOTE;
    let position = start + 1;
    let value: string | undefined;
    let stretch = position;
    for (;;) {
      const c = position < to ? text.charCodeAt(position) : 0;
      if (c === quote) {
        if (!single || this.at(position + 1) !== QUOTE) break;
        value = (value ?? "") + text.slice(stretch, position + 1);
        position += 2;
        stretch = position;
      } else if (position >= to) {
        this.refuse(start, "this quotation mark has no counterpart");
      } else if (c === BACKSLASH && !single) {
        value = (value ?? "") + text.slice(stretch, position);
        const next = this.at(position + 1);
        if (isBreak(next)) {
          // An escaped line break joins the lines without a blank; further line breaks count.
          position = this.afterBreak(position + 1, next);
          this.lineStart = position;
          let breaks = "";
          for (;;) {
            const blank = this.at(position);
            if (blank === SPACE || blank === TAB) position++;
            else if (isBreak(blank)) {
              breaks += breakText(blank);
              position = this.afterBreak(position, blank);
              this.lineStart = position;
            } else break;
          }
          value += breaks;
        } else {
          value += this.escape(position);
          position += 2 + (ESCAPE_LENGTHS[String.fromCharCode(next)] ?? 0);
        }
        stretch = position;
      } else if (isBreak(c)) {
        let end = position;
        while (end > stretch && isBlank(text.charCodeAt(end - 1))) end--;
        value = (value ?? "") + text.slice(stretch, end);
        let further = "";
        position = this.afterBreak(position, c);
        this.lineStart = position;
        for (;;) {
          const blank = this.at(position);
          if (blank === SPACE || blank === TAB) position++;
          else if (isBreak(blank)) {
            further += breakText(blank);
            position = this.afterBreak(position, blank);
            this.lineStart = position;
          } else break;
        }
        value += fold(c, further);
        stretch = position;
      } else position++;
    }
    this.position = position + 1;
    if (value === undefined) this.pushScalar(TEXT, start, position, undefined);
    else this.pushScalar(TEXT, start, position, value + text.slice(stretch, position));
  }

  private escape(position: number): string {
    const letter = String.fromCharCode(this.at(position + 1));
    const length = ESCAPE_LENGTHS[letter];
    if (length === undefined)
      return ESCAPES[letter] ?? this.refuse(position, `there is no escape \\${letter}; write \\\\ for a backslash`);
    const digits = this.text.slice(position + 2, Math.min(this.to, position + 2 + length));
    if (digits.length < length || !/^[\da-fA-F]+$/.test(digits))
      this.refuse(position, `\\${letter} needs ${length} hexadecimal digits`);
    const code = Number.parseInt(digits, 16);
    if ((code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff)
      this.refuse(position, `\\${letter}${digits} is no Unicode character`);
    return String.fromCodePoint(code);
  }

  private blockScalar(literal: boolean): void {
    const { text, to } = this;
    const start = this.position;
    let position = start + 1;
    // The header: chomping and indentation in either order, then nothing but a comment.
    let chomping = 0;
    let increment = 0;
    for (let i = 0; i < 2; i++) {
      const c = this.at(position);
      if ((c === 43 || c === DASH) && chomping === 0) chomping = c === DASH ? -1 : 1;
      else if (c >= 48 && c <= 57 && increment === 0) {
        increment = c - 48;
        if (increment === 0) this.refuse(position, "the indentation of a block scalar cannot be 0");
      } else break;
      position++;
    }
    let c = this.at(position);
    while (isBlank(c)) c = this.at(++position);
    if (c === HASH) while (position < to && !isBreak(c)) c = this.at(++position);
    if (position < to && !isBreak(c)) this.refuse(position, "the text of a block scalar begins on the next line");
    if (position < to) {
      position = this.afterBreak(position, c);
      this.lineStart = position;
    }
    let indent = increment === 0 ? 0 : Math.max(this.indent, 0) + increment;

    let value = "";
    let lastBreak = "";
    let breaks = "";
    let lastBlank = false;
    for (;;) {
      // Empty lines, and the indentation of the next line that is not.
      let deepest = 0;
      for (;;) {
        const limit = indent === 0 ? to : this.lineStart + indent;
        while (position < limit && this.at(position) === SPACE) position++;
        const column = position - this.lineStart;
        if (column > deepest) deepest = column;
        c = this.at(position);
        if (c === TAB && (indent === 0 || column < indent)) this.refuse(position, "a tab cannot indent; use spaces");
        if (!isBreak(c)) break;
        breaks += breakText(c);
        position = this.afterBreak(position, c);
        this.lineStart = position;
      }
      if (indent === 0) indent = Math.max(deepest, this.indent + 1, 1);
      if (position - this.lineStart !== indent || position >= to) break;
      // A line of text.
      const blank = isBlank(c);
      if (!literal && !lastBlank && !blank && lastBreak === "\n") {
        if (breaks === "") value += " ";
      } else value += lastBreak;
      value += breaks;
      breaks = "";
      lastBlank = blank;
      const line = position;
      while (position < to && !isBreak(c)) c = this.at(++position);
      value += text.slice(line, position);
      lastBreak = "";
      if (position < to) {
        lastBreak = breakText(c);
        position = this.afterBreak(position, c);
        this.lineStart = position;
      }
    }
    if (chomping !== -1) value += lastBreak;
    if (chomping === 1) value += breaks;
    this.position = position;
    this.pushScalar(TEXT, start, position, value);
  }

  // ── tokens ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  private pushCharacter(kind: number): void {
    this.push(kind, this.position, this.position + 1);
    this.position++;
  }

  private pushScalar(kind: number, start: number, end: number, value: string | undefined): void {
    this.push(kind, start, end);
    if (value !== undefined) this.tokens[this.length - 1] = this.values.push(value) - 1;
  }

  private push(kind: number, start: number, end: number): void {
    const { length } = this;
    if (length + STRIDE > this.tokens.length) {
      const larger = new Int32Array(this.tokens.length * 2);
      larger.set(this.tokens);
      this.tokens = larger;
    }
    const { tokens } = this;
    tokens[length] = kind;
    tokens[length + 1] = start;
    tokens[length + 2] = end;
    tokens[length + 3] = -1;
    this.length = length + STRIDE;
  }

  private refuse(offset: number, message: string): never {
    throw new Refusal("BH001", offset, message);
  }

  private refuseDepth(): never {
    throw new Refusal("BH008", this.position, `the document nests more than ${MAX_DEPTH} levels deep`);
  }
}

function isBreak(c: number): boolean {
  return c === NEWLINE || c === RETURN || c === NEXT_LINE || c === LINE_SEPARATOR || c === PARAGRAPH_SEPARATOR;
}

function isBlank(c: number): boolean {
  return c === SPACE || c === TAB;
}

function isBlankOrEnd(c: number): boolean {
  return c === SPACE || c === NEWLINE || c === TAB || c === 0 || isBreak(c);
}

function isWord(c: number): boolean {
  return (c >= 97 && c <= 122) || (c >= 65 && c <= 90) || (c >= 48 && c <= 57) || c === 95 || c === DASH;
}

function isTagCharacter(c: number): boolean {
  return isWord(c) || (c !== 0 && c < 128 && ";/?:@&=+$,.!~*'()[]%".includes(String.fromCharCode(c)));
}

/** What a line break is as text: a newline, except the two separators of Unicode, which stay. */
function breakText(c: number): string {
  return c === LINE_SEPARATOR || c === PARAGRAPH_SEPARATOR ? String.fromCharCode(c) : "\n";
}

/** What line breaks between two words become: one is a blank, more are one less; a separator of Unicode stays. */
function fold(first: number, further: string): string {
  const text = breakText(first);
  if (text !== "\n") return text + further;
  return further === "" ? " " : further;
}
