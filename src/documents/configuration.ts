/** Reads a configuration file of bulkhead's own: one YAML (or JSON) document that is no object of a cluster. */
import { type Diagnostic, diagnostic } from "../base/diagnostic.ts";
import type { Document, Source } from "./document.ts";
import { readJson } from "./json-text.ts";
import { Places, type SourceRange } from "./places.ts";
import { Refusal } from "./refusal.ts";
import { Composer } from "./yaml-composer.ts";
import { Scanner } from "./yaml-scanner.ts";
import { firstContent, splitStream } from "./yaml-stream.ts";

/** The one document of a file; `kind` is what messages call it. */
export interface Configuration {
  readonly document: Document | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Reads the file.
 *
 * Takes the source and what messages call such a file. Returns its document, ready for a `Cursor`, or what is wrong
 * with its text: it must hold exactly one document.
 */
export function readConfiguration(source: Source, kind: string): Configuration {
  const { text } = source;
  const composer = new Composer(new Scanner());
  const places = new Places();
  const document = (range: SourceRange, value: unknown): Document => documentOf(range, kind, value, places);
  const start = startOf(text);
  const first = text[firstContent(text, start, text.length)];
  if (first === "{") {
    const json = readJson(text, start, text.length);
    if ("value" in json) {
      return { document: document({ source, from: start, to: text.length, json: true }, json.value), diagnostics: [] };
    }
  }
  const found: Document[] = [];
  for (const { from, to, refusal } of splitStream(text, start)) {
    const range: SourceRange = { source, from, to, json: false };
    try {
      if (refusal !== undefined) throw refusal;
      const value = composer.value(text, from, to);
      if (value !== null && value !== undefined) found.push(document(range, value));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const place = places.position(source, error.offset);
      return { document: undefined, diagnostics: [diagnostic(error.code, error.message, place)] };
    }
  }
  const [only, second] = found;
  if (only === undefined) {
    return {
      document: undefined,
      diagnostics: [diagnostic("BH012", `the ${kind} file is empty`, { file: source.name })],
    };
  }
  if (second !== undefined) {
    const place = second.locate([]);
    const message = `the ${kind} file holds more than one document`;
    return {
      document: undefined,
      diagnostics: [diagnostic("BH012", message, place, { severity: "error", help: null })],
    };
  }
  return { document: only, diagnostics: [] };
}

function documentOf(range: SourceRange, kind: string, value: unknown, places: Places): Document {
  const { source } = range;
  return {
    source: source.name,
    index: 0,
    base: [],
    offset: range.from,
    length: range.to - range.from,
    value,
    apiVersion: "",
    kind,
    namespace: undefined,
    name: source.name,
    locate: (path, options) => places.locate(range, path, options?.key ?? false),
  };
}

/** Where the text begins, behind a byte order mark. */
function startOf(text: string): number {
  return text.charCodeAt(0) === 0xfeff ? 1 : 0;
}

/** A document whose value was read by other means, such as YAML with tags of its own: for the places of its values. */
export function placedDocument(source: Source, kind: string, value: unknown): Document {
  const range: SourceRange = { source, from: startOf(source.text), to: source.text.length, json: false };
  return documentOf(range, kind, value, new Places());
}
