/** Reads manifests: sources in, objects with their places out, and an account of every document. */
import { type Diagnostic, diagnostic } from "../base/diagnostic.ts";
import type { Counts, Document, Path, Source } from "./document.ts";
import { readJson, splitJson } from "./json-text.ts";
import { type ListHead, isMapping, readHead, withoutSecrets } from "./object-head.ts";
import { Places, type SourceRange } from "./places.ts";
import { Refusal } from "./refusal.ts";
import { Composer } from "./yaml-composer.ts";
import { Scanner } from "./yaml-scanner.ts";
import { firstContent, splitStream } from "./yaml-stream.ts";

/** What reading the input gave. */
export interface ReadResult {
  /** The objects, in the order of the sources and within each in the order of the text. */
  readonly documents: readonly Document[];
  /** An error for each document or item that was refused; warnings for sources without objects or with a bare y or n. */
  readonly diagnostics: readonly Diagnostic[];
  readonly counts: Counts;
}

/**
 * Reads every object of the sources.
 *
 * Takes the sources, which may be a generator so that one text is held at a time: YAML as Kubernetes' loader reads it
 * (kubernetes-sigs/yaml on goyaml.v2), or JSON, also several values in a row.
 * Returns the objects, an error for each document that was refused, and the account of all documents. Lists are replaced
 * by their items; of a Secret no more than name and labels is kept. It never throws on what a source holds.
 */
export function readDocuments(sources: Iterable<Source>): ReadResult {
  const reader = new Reader();
  for (const source of sources) reader.read(source);
  return reader.result();
}

/** What a range of a source holds, before it is known to be an object. */
interface Content {
  readonly range: SourceRange;
  readonly index: number;
}

class Reader {
  private readonly documents: Document[] = [];
  private readonly diagnostics: Diagnostic[] = [];
  private readonly counts = { documents: 0, objects: 0, lists: 0, empty: 0, refused: 0, items: 0, refusedItems: 0 };
  private readonly composer = new Composer(new Scanner());
  private readonly places = new Places();
  /** The first bare y or n of the current source, and how many it has. */
  private firstLetter: number | undefined;
  private letters = 0;

  result(): ReadResult {
    return { documents: this.documents, diagnostics: this.diagnostics, counts: { ...this.counts } };
  }

  read(source: Source): void {
    const { text } = source;
    const before = this.counts.documents - this.counts.empty;
    const start = text.charCodeAt(0) === BYTE_ORDER_MARK ? 1 : 0;
    this.firstLetter = undefined;
    this.letters = 0;
    let index = 0;
    let hasControls: boolean | undefined;
    const content = firstContent(text, start, text.length);
    const whole = isJsonStart(text, content) ? readJson(text, start, text.length) : undefined;
    if (whole !== undefined && "value" in whole)
      this.value({ range: { source, from: start, to: text.length, json: true }, index }, whole.value);
    else
      for (const { from, to, refusal } of splitStream(text, start)) {
        hasControls ??= CONTROLS.test(text);
        const control = hasControls ? controlProblem(text, from, to) : undefined;
        const problem = refusal ?? control;
        if (problem === undefined) index = this.stretch({ source, from, to, json: false }, index);
        else this.refuseDocument({ range: { source, from, to, json: false }, index: index++ }, problem);
      }
    if (this.firstLetter !== undefined) {
      const letter = text[this.firstLetter] ?? "y";
      const more = this.letters > 1 ? ` (${this.letters} such in this file)` : "";
      const place = this.places.position(source, this.firstLetter);
      this.diagnostics.push(diagnostic("BH014", `a bare ${letter} is read as text here${more}`, place));
    }
    if (this.counts.documents - this.counts.empty === before)
      this.diagnostics.push(diagnostic("BH012", "the source holds no object", { file: source.name }));
  }

  /** Reads what stands between two markers: one YAML document, or JSON values in a row. Returns the next index. */
  private stretch(range: SourceRange, index: number): number {
    const { source, from, to } = range;
    const { text } = source;
    let jsonRefusal: Refusal | undefined;
    if (isJsonStart(text, firstContent(text, from, to))) {
      const json = readJson(text, from, to);
      if ("value" in json) {
        this.value({ range: { ...range, json: true }, index }, json.value);
        return index + 1;
      }
      if (source.name.endsWith(".json")) return this.jsonValues(range, index);
      jsonRefusal = json.refusal;
    }
    let yaml: unknown;
    try {
      yaml = this.composer.value(text, from, to);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (jsonRefusal !== undefined)
        return this.jsonValues(range, index, jsonRefusal.code === "BH010" ? error : undefined);
      this.refuseDocument({ range, index }, error);
      return index + 1;
    }
    const [letter] = this.composer.bareLetters;
    this.firstLetter ??= letter;
    this.letters += this.composer.bareLetters.length;
    this.value({ range, index }, yaml);
    return index + 1;
  }

  /**
   * Reads JSON values in a row; what is left over is one document that is refused. When not even the first is JSON,
   * `yaml` says what is wrong with the text as YAML, if it may be that. Returns the next index.
   */
  private jsonValues(range: SourceRange, index: number, yaml?: Refusal): number {
    const { source, to } = range;
    const { ranges, rest } = splitJson(source.text, range.from, to);
    let next = index;
    for (const { from, to: end } of ranges) {
      const content: Content = { range: { source, from, to: end, json: true }, index: next++ };
      const result = readJson(source.text, from, end);
      if ("value" in result) this.value(content, result.value);
      else this.refuseDocument(content, result.refusal);
    }
    if (rest !== undefined) {
      const left: Content = { range: { source, from: rest.from, to, json: true }, index: next++ };
      this.refuseDocument(left, ranges.length === 0 && yaml !== undefined ? yaml : rest.refusal);
    }
    return next;
  }

  /** Takes in the value of one document. */
  private value(content: Content, value: unknown): void {
    this.counts.documents++;
    if (value === null || value === undefined) {
      this.counts.empty++;
      return;
    }
    if (isList(value)) {
      this.counts.lists++;
      this.items(content, value, []);
    } else if (this.object(content, value, [])) this.counts.objects++;
    else this.counts.refused++;
  }

  /** Takes in the items of a List, and those of Lists within it. */
  private items(content: Content, list: ListValue, base: Path): void {
    const { items } = list;
    if (items === undefined || items === null) return;
    if (!Array.isArray(items)) {
      this.counts.refusedItems++;
      this.report(content, "BH011", `items of the ${list.kind} is no list`, [...base, "items"]);
      return;
    }
    const head: ListHead = {
      apiVersion: typeof list.apiVersion === "string" ? list.apiVersion : "",
      itemKind: list.kind.slice(0, -"List".length),
    };
    for (const [index, item] of items.entries()) {
      const place = [...base, "items", index];
      if (isList(item)) this.items(content, item, place);
      else if (this.object(content, item, place, head)) this.counts.items++;
      else this.counts.refusedItems++;
    }
  }

  /** Takes in one object; returns whether it is one, and reports when not. */
  private object(content: Content, value: unknown, base: Path, list?: ListHead): boolean {
    const result = readHead(value, list);
    if ("problem" in result) {
      const { code, message, path, help } = result.problem;
      this.report(content, code, message, [...base, ...path], help);
      return false;
    }
    const { head } = result;
    const { range, index } = content;
    const { places } = this;
    this.documents.push({
      source: range.source.name,
      index,
      base,
      offset: range.from,
      length: range.to - range.from,
      value: withoutSecrets(value, head),
      ...head,
      locate: (path, options) =>
        places.locate(range, base.length === 0 ? path : [...base, ...path], options?.key ?? false),
    });
    return true;
  }

  private report(content: Content, code: Diagnostic["code"], message: string, path: Path, help?: string): void {
    const place = this.places.locate(content.range, path, false);
    this.diagnostics.push(diagnostic(code, message, place, help === undefined ? {} : { help }));
  }

  private refuseDocument({ range }: Content, refusal: Refusal): void {
    this.counts.documents++;
    this.counts.refused++;
    const { source, from, to } = range;
    const place = this.places.position(source, refusal.offset);
    const template = source.text.indexOf("{{", from);
    if (template === -1 || template >= to) this.diagnostics.push(diagnostic(refusal.code, refusal.message, place));
    else
      this.diagnostics.push(
        diagnostic(
          "BH007",
          `a template that is not rendered ({{ on line ${this.places.position(source, template).line}): ${refusal.message}`,
          place,
        ),
      );
  }
}

const BYTE_ORDER_MARK = 0xfeff;

/** Characters that a YAML stream must not hold. */
const CONTROLS = /[^\t\n\r -~\x85\xa0-\ufffd]/;

function controlProblem(text: string, from: number, to: number): Refusal | undefined {
  const found = text.slice(from, to).search(CONTROLS);
  if (found === -1) return undefined;
  const code = text
    .charCodeAt(from + found)
    .toString(16)
    .toUpperCase()
    .padStart(4, "0");
  return new Refusal("BH001", from + found, `the control character U+${code} cannot stand in YAML`);
}

function isJsonStart(text: string, at: number): boolean {
  return at !== -1 && (text[at] === "{" || text[at] === "[");
}

/** A List of objects as a client writes or a cluster returns it. */
interface ListValue {
  readonly apiVersion?: unknown;
  readonly kind: string;
  readonly items?: unknown;
}

/** Whether a value is a List: its kind says so, and it has items or nothing that an object of its own would have. */
function isList(value: unknown): value is ListValue {
  if (!isMapping(value)) return false;
  const { kind } = value;
  if (typeof kind !== "string" || !kind.endsWith("List")) return false;
  return kind === "List" || Object.hasOwn(value, "items");
}
