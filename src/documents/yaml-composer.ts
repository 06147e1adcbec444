/**
 * Makes the value of one YAML document from its tokens, as Kubernetes' loader makes it before it becomes JSON.
 *
 * The grammar is that of libyaml. Aliases share the value of their anchor; how much they would expand to is counted as the
 * loader counts it, so that a document that grows beyond all measure is refused without growing. `<<` merges in the order
 * of the text: what comes later wins, as in the loader. A key written twice in one mapping is refused.
 */
import type { PlaceMember, PlaceNode } from "./place-tree.ts";
import { Refusal } from "./refusal.ts";
import { beginsText, isBareLetter, keyText, resolvePlain, resolveTagged, tagName, type Scalar } from "./yaml-scalar.ts";
import {
  ALIAS,
  ANCHOR,
  BLOCK_END,
  BLOCK_ENTRY,
  BLOCK_MAPPING,
  BLOCK_SEQUENCE,
  END,
  FLOW_ENTRY,
  FLOW_MAPPING,
  FLOW_MAPPING_END,
  FLOW_SEQUENCE,
  FLOW_SEQUENCE_END,
  KEY,
  NOTHING,
  PLAIN,
  type Scanner,
  STRIDE,
  TAG,
  TEXT,
  VALUE,
} from "./yaml-scanner.ts";

type Mapping = Record<string, unknown>;

const LESS = 60;

const LONGEST_KNOWN_KEY = 64;
const KNOWN_KEYS = 1024;

/** What an anchor stands for. */
interface Anchored {
  value: unknown;
  node: PlaceNode | undefined;
  /** How many nodes it expands to. */
  size: number;
  /** Its node is read to the end; an alias before that would contain itself. */
  complete: boolean;
}

/** Makes values; one instance serves many documents, one after the other. */
export class Composer {
  /** Where the document read last has a bare `y` or `n`, which is text here and a truth value to the loader. */
  readonly bareLetters: number[] = [];

  private readonly scanner: Scanner;
  private text = "";
  private tokens = new Int32Array(0);
  private values: readonly string[] = [];
  /** The index of the current token. */
  private at = 0;
  private anchors: Map<string, Anchored> | undefined;
  /** Nodes that the loader would visit so far, and how many of them by way of aliases. */
  private visited = 0;
  private visitedByAlias = 0;
  /** Whether places are kept, and the place of the node read last. */
  private places = false;
  private place: PlaceNode | undefined;

  private readonly knownKeys: (string | undefined)[] = Array.from({ length: KNOWN_KEYS });

  constructor(scanner: Scanner) {
    this.scanner = scanner;
  }

  /** Whether the document read last has parts that are shared, by way of aliases. */
  get isShared(): boolean {
    return this.visitedByAlias > 0;
  }

  /** Reads the document in the range. Throws a `Refusal` where it cannot be read. */
  value(text: string, from: number, to: number): unknown {
    this.places = false;
    return this.document(text, from, to);
  }

  /** Reads the places of the document in the range. Throws as `value` does. */
  placeTree(text: string, from: number, to: number): PlaceNode {
    this.places = true;
    this.document(text, from, to);
    return this.place ?? { start: from, members: undefined };
  }

  private document(text: string, from: number, to: number): unknown {
    this.scanner.scan(text, from, to);
    this.text = text;
    this.tokens = this.scanner.tokens;
    this.values = this.scanner.values;
    this.at = 0;
    this.anchors = undefined;
    this.visited = 0;
    this.visitedByAlias = 0;
    this.place = undefined;
    this.bareLetters.length = 0;
    const value = this.kind() === END ? this.empty(from) : this.node(true, false);
    if (this.kind() !== END) this.refuse(this.start(), "the document ends before this; nothing may follow");
    return value;
  }

  // ── tokens ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The kind of the current token; slots that stayed free are passed over. */
  private kind(): number {
    const { tokens } = this;
    let { at } = this;
    while (tokens[at] === NOTHING) at += STRIDE;
    this.at = at;
    return tokens[at] ?? END;
  }

  private start(): number {
    return this.tokens[this.at + 1] ?? 0;
  }

  private next(): void {
    this.at += STRIDE;
  }

  private skip(): number {
    this.at += STRIDE;
    return this.kind();
  }

  /** The text of the current scalar, anchor, alias or tag. */
  private tokenText(): string {
    const { tokens, at } = this;
    const index = tokens[at + 3] ?? -1;
    if (index >= 0) return this.values[index] ?? "";
    const kind = tokens[at];
    const start = tokens[at + 1] ?? 0;
    return this.text.slice(kind === PLAIN || kind === TAG ? start : start + 1, tokens[at + 2]);
  }

  /** The text of the current scalar as a key: the same few keys come again and again, so that each is one string. */
  private keyTokenText(): string {
    const { tokens, at, text } = this;
    const start = tokens[at + 1] ?? 0;
    const length = (tokens[at + 2] ?? 0) - start;
    if ((tokens[at + 3] ?? -1) >= 0 || length > LONGEST_KNOWN_KEY) return this.tokenText();
    const slot =
      (length * 31 +
        text.charCodeAt(start) * 7 +
        text.charCodeAt(start + length - 1) * 13 +
        text.charCodeAt(start + (length >> 1))) &
      (KNOWN_KEYS - 1);
    const known = this.knownKeys[slot];
    if (known !== undefined && known.length === length && text.startsWith(known, start)) return known;
    // As the name of a member the engine knows the string by identity, which makes every further use cheap.
    const key = Object.keys({ [this.tokenText()]: true })[0] ?? "";
    this.knownKeys[slot] = key;
    return key;
  }

  // ── nodes ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  private node(block: boolean, indentless: boolean): unknown {
    let kind = this.kind();
    // The two common cases first.
    if (kind === PLAIN || kind === TEXT) return this.scalar(kind);
    if (kind === ALIAS) return this.alias();
    if (kind !== ANCHOR && kind !== TAG) return this.content(kind, block, indentless, undefined);

    const start = this.start();
    let anchor: string | undefined;
    let tag: string | undefined;
    for (let i = 0; i < 2; i++) {
      if (kind === ANCHOR && anchor === undefined) anchor = this.tokenText();
      else if (kind === TAG && tag === undefined) tag = this.tag();
      else break;
      kind = this.skip();
    }
    if (anchor === undefined) return this.content(kind, block, indentless, tag, start);
    const entry: Anchored = { value: undefined, node: undefined, size: 0, complete: false };
    this.anchors ??= new Map();
    this.anchors.set(anchor, entry);
    const before = this.visited;
    entry.value = this.content(kind, block, indentless, tag, start);
    entry.node = this.place;
    entry.size = this.visited - before;
    entry.complete = true;
    return entry.value;
  }

  /** The content of a node after its properties; `propertiesStart` is given when there are any. */
  private content(
    kind: number,
    block: boolean,
    indentless: boolean,
    tag: string | undefined,
    propertiesStart?: number,
  ): unknown {
    switch (kind) {
      case PLAIN:
      case TEXT:
        return tag === undefined ? this.scalar(kind) : this.taggedScalar(tag);
      case FLOW_SEQUENCE:
        return this.flowSequence();
      case FLOW_MAPPING:
        return this.flowMapping();
      case BLOCK_SEQUENCE:
        if (block) return this.blockSequence();
        break;
      case BLOCK_MAPPING:
        if (block) return this.blockMapping();
        break;
      case BLOCK_ENTRY:
        if (indentless) return this.indentlessSequence();
        break;
      default:
        break;
    }
    if (propertiesStart === undefined) return this.refuseToken("a value is missing here");
    const value = this.empty(propertiesStart);
    return tag === undefined ? value : this.resolve(tag, "", propertiesStart);
  }

  private scalar(kind: number): Scalar {
    this.visited++;
    const start = this.start();
    if (this.places) this.place = { start, members: undefined };
    const text = this.tokenText();
    if (kind === TEXT || text === "" || beginsText(text.charCodeAt(0))) {
      this.next();
      return text;
    }
    const value = resolvePlain(text);
    if (typeof value === "number" && !Number.isFinite(value)) {
      throw new Refusal("BH009", start, `${text} is a number that JSON cannot express`);
    }
    if (value === text && isBareLetter(text)) this.bareLetters.push(start);
    this.next();
    return value;
  }

  private taggedScalar(tag: string): Scalar {
    this.visited++;
    const start = this.start();
    if (this.places) this.place = { start, members: undefined };
    const value = this.resolve(tag, this.tokenText(), start);
    this.next();
    return value;
  }

  private resolve(tag: string, text: string, start: number): Scalar {
    const value = resolveTagged(tag, text);
    if (typeof value === "object" && value !== null) return this.refuse(start, value.problem);
    if (typeof value === "number" && !Number.isFinite(value))
      throw new Refusal("BH009", start, `${text} is a number that JSON cannot express`);
    return value;
  }

  /** The value of a node that is not written. */
  private empty(start: number): null {
    this.visited++;
    if (this.places) this.place = { start, members: undefined };
    return null;
  }

  private tag(): string {
    const tag = this.tokenText();
    const named = /^![\w-]+!/.exec(tag);
    if (named !== null) this.refuse(this.start(), `the tag handle ${named[0]} is not declared`);
    if (tag === "!!") this.refuse(this.start(), "a tag needs a name");
    return tag;
  }

  private alias(): unknown {
    const name = this.tokenText();
    const start = this.start();
    const anchor = this.anchors?.get(name);
    if (anchor === undefined) return this.refuse(start, `no anchor &${name} comes before this alias`);
    if (!anchor.complete) throw new Refusal("BH008", start, `the anchor &${name} contains itself by way of this alias`);
    this.next();
    this.visited += 1 + anchor.size;
    this.visitedByAlias += anchor.size;
    if (
      this.visitedByAlias > 100 &&
      this.visited > 1000 &&
      this.visitedByAlias / this.visited > allowedAliasShare(this.visited)
    )
      throw new Refusal("BH008", start, "the aliases of the document expand beyond all measure");
    if (this.places) this.place = anchor.node;
    return anchor.value;
  }

  // ── lists ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  private blockSequence(): unknown[] {
    const list: unknown[] = [];
    const place = this.openPlace(this.start());
    let kind = this.skip();
    while (kind === BLOCK_ENTRY) {
      const start = this.start();
      kind = this.skip();
      const begin = this.start();
      const value = kind !== BLOCK_ENTRY && kind !== BLOCK_END ? this.node(true, false) : this.empty(start);
      this.addPlace(place, list.length, begin, start);
      list.push(value);
      kind = this.kind();
    }
    if (kind !== BLOCK_END) this.refuseToken("this is indented like the items of the list, but is none");
    this.next();
    this.place = place;
    return list;
  }

  /** A list at the indentation of the key that it belongs to. */
  private indentlessSequence(): unknown[] {
    const list: unknown[] = [];
    const place = this.openPlace(this.start());
    let kind: number = BLOCK_ENTRY;
    while (kind === BLOCK_ENTRY) {
      const start = this.start();
      kind = this.skip();
      const begin = this.start();
      const isEmpty = kind === BLOCK_ENTRY || kind === KEY || kind === VALUE || kind === BLOCK_END;
      const value = isEmpty ? this.empty(start) : this.node(true, false);
      this.addPlace(place, list.length, begin, start);
      list.push(value);
      kind = this.kind();
    }
    this.place = place;
    return list;
  }

  private flowSequence(): unknown[] {
    const list: unknown[] = [];
    const place = this.openPlace(this.start());
    const open = this.start();
    let kind = this.skip();
    while (kind !== FLOW_SEQUENCE_END) {
      if (kind === END) this.refuseFlow(open, "]");
      const start = this.start();
      const value = kind === KEY ? this.flowPair() : this.node(false, false);
      this.addPlace(place, list.length, start, start);
      list.push(value);
      kind = this.kind();
      if (kind === FLOW_ENTRY) kind = this.skip();
      else if (kind !== FLOW_SEQUENCE_END) this.refuseFlow(open, "]");
    }
    this.next();
    this.place = place;
    return list;
  }

  /** A mapping of one pair without braces, within a flow list: `[a: b]`. */
  private flowPair(): Mapping {
    const mapping: Mapping = {};
    const place = this.openPlace(this.start());
    this.flowMember(mapping, place, undefined, FLOW_SEQUENCE_END);
    this.place = place;
    return mapping;
  }

  // ── mappings ───────────────────────────────────────────────────────────────────────────────────────────────────────

  private blockMapping(): Mapping {
    const mapping: Mapping = {};
    const place = this.openPlace(this.start());
    let merged: Set<string> | undefined;
    let kind = this.skip();
    for (;;) {
      if (kind !== KEY) {
        if (kind === BLOCK_END) break;
        if (kind === VALUE) this.refuseNullKey(this.start());
        this.refuseToken("this is indented like the keys of the mapping, but is none");
      }
      kind = this.skip();
      const start = this.start();
      if (kind === KEY || kind === VALUE || kind === BLOCK_END) this.refuseNullKey(start);
      const isMerge = this.passMerge(kind);
      const key = isMerge ? "" : this.key(true);
      kind = this.kind();
      let begin = start;
      let value: unknown;
      if (kind === VALUE) {
        kind = this.skip();
        if (kind === KEY || kind === VALUE || kind === BLOCK_END) value = this.empty(start);
        else {
          begin = this.start();
          value = this.node(true, true);
        }
      } else value = this.empty(start);
      if (isMerge) merged = this.merge(mapping, place, merged, value, begin);
      else this.add(mapping, place, merged, key, value, start, begin);
      kind = this.kind();
    }
    this.next();
    this.place = place;
    return mapping;
  }

  private flowMapping(): Mapping {
    const mapping: Mapping = {};
    const open = this.start();
    const place = this.openPlace(open);
    let merged: Set<string> | undefined;
    let kind = this.skip();
    while (kind !== FLOW_MAPPING_END) {
      if (kind === END) this.refuseFlow(open, "}");
      merged = this.flowMember(mapping, place, merged, FLOW_MAPPING_END);
      kind = this.kind();
      if (kind === FLOW_ENTRY) kind = this.skip();
      else if (kind !== FLOW_MAPPING_END) this.refuseFlow(open, "}");
    }
    this.next();
    this.place = place;
    return mapping;
  }

  /** Reads one member of a flow mapping that `close` ends. Returns the keys that were merged so far. */
  private flowMember(
    mapping: Mapping,
    place: PlaceNode | undefined,
    merged: Set<string> | undefined,
    close: number,
  ): Set<string> | undefined {
    let kind = this.kind();
    const hasKey = kind === KEY;
    if (hasKey) kind = this.skip();
    const start = this.start();
    if (hasKey && (kind === VALUE || kind === FLOW_ENTRY || kind === close)) this.refuseNullKey(start);
    const isMerge = this.passMerge(kind);
    const key = isMerge ? "" : this.key(false);
    kind = this.kind();
    let begin = start;
    let value: unknown;
    if (hasKey && kind === VALUE) kind = this.skip();
    else kind = close;
    if (kind === FLOW_ENTRY || kind === close) value = this.empty(start);
    else {
      begin = this.start();
      value = this.node(false, false);
    }
    if (isMerge) return this.merge(mapping, place, merged, value, begin);
    this.add(mapping, place, merged, key, value, start, begin);
    return merged;
  }

  /** Reads a key; what is no text becomes it, as on the way to JSON. */
  private key(block: boolean): string {
    const kind = this.kind();
    const start = this.start();
    if (kind === TEXT) {
      const text = this.tokenText();
      this.visited++;
      this.next();
      return text;
    }
    if (kind === PLAIN) {
      const text = this.keyTokenText();
      this.visited++;
      this.next();
      if (beginsText(text.charCodeAt(0))) return text;
      if (isBareLetter(text)) this.bareLetters.push(start);
      return keyText(resolvePlain(text), text) ?? this.refuseNullKey(start);
    }
    const value = this.node(block, block);
    if (value === "<<") this.refuse(start, "the key << takes neither anchor nor tag");
    if (typeof value === "object" && value !== null)
      throw new Refusal("BH009", start, "a key must be text, not a list or a mapping");
    return typeof value === "string"
      ? value
      : value === null
        ? this.refuseNullKey(start)
        : (keyText(isScalar(value) ? value : null, String(value)) ?? this.refuseNullKey(start));
  }

  /** Passes over the current key when it is `<<` without quotes; returns whether it was. */
  private passMerge(kind: number): boolean {
    const { tokens, at, text } = this;
    if (kind === PLAIN) {
      const start = tokens[at + 1] ?? 0;
      if (text.charCodeAt(start) !== LESS || tokens[at + 2] !== start + 2 || text.charCodeAt(start + 1) !== LESS)
        return false;
    } else {
      if (kind !== TAG || tagName(this.tokenText()) !== "merge") return false;
      this.skip();
      if (this.tokenText() !== "<<") return this.refuse(this.start(), "!!merge is for the key <<");
    }
    this.next();
    return true;
  }

  private add(
    mapping: Mapping,
    place: PlaceNode | undefined,
    merged: Set<string> | undefined,
    key: string,
    value: unknown,
    start: number,
    begin: number,
  ): void {
    if (Object.hasOwn(mapping, key) && merged?.delete(key) !== true)
      throw new Refusal("BH002", start, `the key ${JSON.stringify(key)} is written twice in one mapping`);
    setMember(mapping, key, value);
    this.addPlace(place, key, begin, start);
  }

  /** Merges a mapping, or several of which the earlier win, into this one. Returns the keys that were merged. */
  private merge(
    mapping: Mapping,
    place: PlaceNode | undefined,
    merged: Set<string> | undefined,
    value: unknown,
    start: number,
  ): Set<string> {
    const keys = merged ?? new Set<string>();
    const sources = Array.isArray(value) ? value.toReversed() : [value];
    const nodes: (PlaceNode | undefined)[] = Array.isArray(value)
      ? [...(this.place?.members?.values() ?? [])].map((member) => member.node).toReversed()
      : [this.place];
    for (const [index, source] of sources.entries()) {
      if (!isMapping(source)) this.refuse(start, "<< merges a mapping or a list of mappings");
      for (const key of Object.keys(source)) {
        if (!Object.hasOwn(mapping, key)) keys.add(key);
        setMember(mapping, key, source[key]);
      }
      for (const [key, member] of nodes[index]?.members ?? []) place?.members?.set(key, member);
    }
    return keys;
  }

  // ── places ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Counts a list or mapping, and opens its place when places are kept. */
  private openPlace(start: number): PlaceNode | undefined {
    this.visited++;
    return this.places ? { start, members: new Map<string | number, PlaceMember>() } : undefined;
  }

  /** Notes where the node read last stands in its list or mapping. */
  private addPlace(place: PlaceNode | undefined, step: string | number, start: number, key: number): void {
    if (place === undefined) return;
    const node = this.place ?? { start, members: undefined };
    place.members?.set(step, { key, start, node });
  }

  // ── refusals ───────────────────────────────────────────────────────────────────────────────────────────────────────

  private refuse(offset: number, message: string): never {
    throw new Refusal("BH001", offset, message);
  }

  private refuseToken(message: string): never {
    return this.refuse(this.start(), this.kind() === END ? "the document ends within a list or mapping" : message);
  }

  private refuseFlow(open: number, close: string): never {
    if (this.kind() === END) return this.refuse(open, `no ${close} follows to close this`);
    return this.refuse(this.start(), `a comma or ${close} must come before this`);
  }

  private refuseNullKey(start: number): never {
    throw new Refusal("BH009", start, "a key must be text, not null");
  }
}

/** How much of what the loader visits may come from aliases: almost all in a small document, a tenth in a huge one. */
function allowedAliasShare(visited: number): number {
  const low = 400_000;
  const high = 4_000_000;
  if (visited <= low) return 0.99;
  if (visited >= high) return 0.1;
  return 0.99 - 0.89 * ((visited - low) / (high - low));
}

function setMember(mapping: Mapping, key: string, value: unknown): void {
  if (key === "__proto__")
    Object.defineProperty(mapping, key, { value, writable: true, enumerable: true, configurable: true });
  else mapping[key] = value;
}

function isMapping(value: unknown): value is Mapping {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isScalar(value: unknown): value is Scalar {
  return value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}
