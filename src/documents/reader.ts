/** Reads manifests: sources in, objects with their places out, and an account of every document. */
import { type Diagnostic, diagnostic } from "../base/diagnostic.ts";
import { type Compose, compose, type Composed, composeHere, type Stretch } from "./composition.ts";
import type { Counts, Document, Path, Source } from "./document.ts";
import { isJsonRow, readJson, readJsonRow } from "./json-text.ts";
import { type ListHead, isMapping, readHead, withoutSecrets } from "./object-head.ts";
import { Places, type SourceRange } from "./places.ts";
import { Refusal } from "./refusal.ts";
import { Composer } from "./yaml-composer.ts";
import { type CutList, listCutter } from "./yaml-list.ts";
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
 * (kubernetes-sigs/yaml on goyaml.v2), or JSON, also several values in a row. And, where it is not to be done here, what
 * makes the values of YAML.
 * Returns the objects, an error for each document that was refused, and the account of all documents. Lists are replaced
 * by their items; of a Secret no more than name and labels is kept. It never throws on what a source holds.
 */
export function readDocuments(sources: Iterable<Source>, compose: Compose = composeHere): ReadResult {
  const reader = new Reader(compose);
  for (const source of sources) reader.read(source);
  return reader.result();
}

/** A file while its source, or its parts, are read. */
interface OpenFile {
  readonly source: Source;
  /** The index of its next document. */
  index: number;
  /** How many documents that are not empty came before it. */
  readonly documents: number;
  /** Its first bare y or n, and how many it has. */
  letter: { readonly source: Source; readonly offset: number } | undefined;
  letters: number;
}

/** What a range of a source holds, before it is known to be an object. */
interface Content {
  readonly range: SourceRange;
  readonly index: number;
}

/** What stands between two markers, or nothing but why it cannot be read. */
interface Part extends Stretch {
  readonly refusal?: Refusal | undefined;
  /** It begins as JSON does. */
  readonly json: boolean;
  /** It is a List whose items are read one by one: what stands around them, and their stretches. */
  readonly list?: { readonly frame: ListValue; readonly items: readonly Stretch[] } | undefined;
}

class Reader {
  private readonly documents: Document[] = [];
  private readonly diagnostics: Diagnostic[] = [];
  private readonly counts = { documents: 0, objects: 0, lists: 0, empty: 0, refused: 0, items: 0, refusedItems: 0 };
  private readonly compose: Compose;
  /** For what is read apart from the other stretches of a text. */
  private composer: Composer | undefined;
  private readonly places = new Places();
  /** The file whose source, or whose part, was read last. */
  private file: OpenFile | undefined;

  constructor(compose: Compose) {
    this.compose = compose;
  }

  result(): ReadResult {
    this.closeFile();
    return { documents: this.documents, diagnostics: this.diagnostics, counts: { ...this.counts } };
  }

  read(source: Source): void {
    const { text } = source;
    if (source.before === undefined || this.file === undefined) {
      this.closeFile();
      const { documents, empty } = this.counts;
      this.file = { source, index: 0, documents: documents - empty, letters: 0, letter: undefined };
    }
    const { file } = this;
    const start = text.charCodeAt(0) === BYTE_ORDER_MARK ? 1 : 0;
    if (isJsonStart(text, firstContent(text, start, text.length))) {
      const whole = readJson(text, start, text.length);
      if ("value" in whole) {
        const range: SourceRange = { source, from: start, to: text.length, json: true };
        this.value({ range, index: file.index++ }, whole.value);
        return;
      }
    }
    const parts = [...this.partsOf(text, start)];
    const stretches = parts.flatMap((part): readonly Stretch[] => part.list?.items ?? (isYaml(part) ? [part] : []));
    const composed = this.compose(text, stretches)[Symbol.iterator]();
    const next = (): Composed => {
      const { done, value } = composed.next();
      if (done === true) throw new Error("a stretch was not composed");
      return value;
    };
    for (const { from, to, refusal, json, list } of parts) {
      const range: SourceRange = { source, from, to, json: false };
      if (refusal !== undefined) this.refuseDocument({ range, index: file.index++ }, refusal);
      else if (json) this.jsonStretch(file, range);
      else if (list === undefined) this.yaml(file, range, next());
      else this.list(file, range, list.frame, list.items, list.items.map(next));
    }
  }

  private composeAlone(text: string, stretch: Stretch): Composed {
    this.composer ??= new Composer(new Scanner());
    return compose(this.composer, text, stretch);
  }

  /** Says what is to be said of a file as a whole. */
  private closeFile(): void {
    const { file } = this;
    if (file === undefined) return;
    if (file.letter !== undefined) {
      const { source, offset } = file.letter;
      const letter = source.text[offset] ?? "y";
      const more = file.letters > 1 ? ` (${file.letters} such in this file)` : "";
      const place = this.places.position(source, offset);
      this.diagnostics.push(diagnostic("BH014", `a bare ${letter} is read as text here${more}`, place));
    }
    if (this.counts.documents - this.counts.empty === file.documents)
      this.diagnostics.push(diagnostic("BH012", "the source holds no object", { file: file.source.name }));
    this.file = undefined;
  }

  /** What stands between the markers of a text. */
  private *partsOf(text: string, start: number): Iterable<Part> {
    let hasControls: boolean | undefined;
    const cutter = listCutter(text);
    for (const { from, to, refusal } of splitStream(text, start)) {
      hasControls ??= CONTROLS.test(text);
      const problem = refusal ?? (hasControls ? controlProblem(text, from, to) : undefined);
      const json = isJsonStart(text, firstContent(text, from, to));
      const list = problem !== undefined || json ? undefined : this.framed(cutter(from, to));
      yield { from, to, refusal: problem, json, list };
    }
  }

  /** A List in pieces, where what stands around its items is a List without anything of note. */
  private framed(cut: CutList | undefined): Part["list"] {
    if (cut === undefined) return undefined;
    const frame = this.composeAlone(cut.frame, { from: 0, to: cut.frame.length });
    if (!("value" in frame) || frame.letters > 0 || frame.isShared || !isList(frame.value)) return undefined;
    const { items } = frame.value;
    if (!Array.isArray(items) || items.length !== 1 || items[0] !== 0) return undefined;
    return { frame: frame.value, items: cut.items };
  }

  /** Reads what begins as JSON does: JSON, or JSON values in a row, or YAML in braces. */
  private jsonStretch(file: OpenFile, range: SourceRange): void {
    const { source, from, to } = range;
    const { text } = source;
    const json = readJson(text, from, to);
    if ("value" in json) {
      this.value({ range: { ...range, json: true }, index: file.index++ }, json.value);
      return;
    }
    if (source.name.endsWith(".json") || isJsonRow(text, from, to, json.refusal)) {
      this.jsonValues(file, range);
      return;
    }
    const yaml = this.composeAlone(text, range);
    if ("value" in yaml) this.yaml(file, range, yaml);
    else this.jsonValues(file, range, json.refusal.code === "BH010" ? yaml.refusal : undefined);
  }

  /** Takes in what a stretch of YAML holds. */
  private yaml(file: OpenFile, range: SourceRange, composed: Composed): void {
    const content: Content = { range, index: file.index++ };
    if ("refusal" in composed) {
      this.refuseDocument(content, composed.refusal);
      return;
    }
    const { value, letter, letters } = composed;
    if (letter !== undefined) file.letter ??= { source: range.source, offset: letter };
    file.letters += letters;
    this.value(content, value);
  }

  /** Takes in a List whose items were read one by one; where one of them cannot stand for itself, the List in one piece. */
  private list(
    file: OpenFile,
    range: SourceRange,
    frame: ListValue,
    stretches: readonly Stretch[],
    composed: readonly Composed[],
  ): void {
    const items: unknown[] = [];
    let letter: number | undefined;
    let letters = 0;
    for (const one of composed) {
      const isEntry = "value" in one && !one.isShared && Array.isArray(one.value) && one.value.length === 1;
      if (!isEntry) {
        this.yaml(file, range, this.composeAlone(range.source.text, range));
        return;
      }
      items.push(...one.value);
      letter ??= one.letter;
      letters += one.letters;
    }
    const value = { ...frame, items };
    const whole = { value, letters, isShared: false, ...(letter === undefined ? {} : { letter }) };
    this.yaml(file, { ...range, items: stretches }, whole);
  }

  /**
   * Reads JSON values in a row; what is left over is one document that is refused. When not even the first is JSON,
   * `yaml` says what is wrong with the text as YAML, if it may be that.
   */
  private jsonValues(file: OpenFile, range: SourceRange, yaml?: Refusal): void {
    const { source, from, to } = range;
    let isFirst = true;
    for (const row of readJsonRow(source.text, from, to)) {
      const content: Content = { range: { source, from: row.from, to: row.to, json: true }, index: file.index++ };
      if ("value" in row) this.value(content, row.value);
      else this.refuseDocument(content, isFirst && row.refusal.code === "BH010" ? (yaml ?? row.refusal) : row.refusal);
      isFirst = false;
    }
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
      offset: range.from + (range.source.before?.units ?? 0),
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

function isYaml({ refusal, json }: Part): boolean {
  return refusal === undefined && !json;
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
