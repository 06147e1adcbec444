/** One file (or standard input) as text. */
import { isUtf8 } from "node:buffer";
import { readFileSync, statSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { isAbsolute, relative, sep } from "node:path";
import { type Diagnostic, diagnostic } from "../base/diagnostic.ts";
import type { Before, Source } from "../documents/document.ts";
import { lineTable } from "../documents/line-table.ts";

const MIB = 1024 * 1024;

/** The most bytes of one source: well below what a string of the engine can carry. A larger file comes in parts. */
const MAX_BYTES = 256 * MIB;

/** The most bytes of one file, unpacked: as many as Node reads at once. */
const MAX_FILE = 2048 * MIB - 1;

/** A source, or why there is none. */
export type SourceResult = { readonly source: Source } | { readonly problem: Diagnostic };

/** The sources that a file makes, several where it is large; or why there are none. */
export type FileResult = { readonly sources: readonly Source[] } | { readonly problem: Diagnostic };

/**
 * The name of a file in answers.
 *
 * Takes the path as the user gave it and the working directory. Returns it relative to that directory and with forward
 * slashes, so that no answer holds an absolute path.
 */
export function sourceName(path: string, cwd: string): string {
  const name = isAbsolute(path) ? relative(cwd, path) : path.replace(/^(?:\.[/\\])+/, "");
  const slashed = sep === "/" ? name : name.replaceAll(sep, "/");
  return slashed === "" ? "." : slashed;
}

/**
 * Reads a file.
 *
 * Takes its path and its name in messages. Returns the text; or BH020 (missing), BH021 (unreadable, or no file), BH023 (not
 * text) or BH024 (too large). UTF-8 is the rule; UTF-16 is read when a byte order mark says so.
 */
export function readSource(path: string, name: string): SourceResult {
  const read = readBytes(path, name, MAX_BYTES);
  return "problem" in read ? read : decode(read.bytes, name);
}

/** As `readSource`, of a file that may be large or packed by gzip: see `decodeFile`. */
export function readFile(path: string, name: string): FileResult {
  const read = readBytes(path, name, MAX_FILE);
  return "problem" in read ? read : decodeFile(read.bytes, name);
}

function readBytes(
  path: string,
  name: string,
  most: number,
): { readonly bytes: Buffer } | { readonly problem: Diagnostic } {
  try {
    const stat = statSync(path);
    if (!stat.isFile() && !stat.isFIFO() && !stat.isCharacterDevice())
      return { problem: diagnostic("BH021", `${name} is no file`, { file: name }) };
    if (stat.size > most) return { problem: tooLarge(name, stat.size, most) };
    return { bytes: readFileSync(path) };
  } catch (error) {
    return { problem: readProblem(error, name) };
  }
}

/**
 * Turns the bytes of a file into sources.
 *
 * Takes the bytes, the name, and how many bytes a source may hold. What gzip has packed is unpacked. A file that holds more
 * comes in parts, cut where a line begins with `---` and a blank. Returns the sources in order; BH023 as `readSource` does
 * and for what cannot be unpacked, BH024 where one document is beyond the size.
 */
export function decodeFile(file: Buffer, name: string, most = MAX_BYTES): FileResult {
  let bytes = file;
  if (file[0] === 0x1f && file[1] === 0x8b) {
    try {
      bytes = gunzipSync(file, { maxOutputLength: MAX_FILE });
    } catch {
      const message = `${name} cannot be unpacked: it is no whole gzip file, or holds more than ${mebibytes(MAX_FILE)} MiB`;
      return { problem: diagnostic("BH023", message, { file: name }) };
    }
  }
  const sources: Source[] = [];
  let before: Before | undefined;
  for (let from = 0; from < bytes.length || from === 0; ) {
    const to = bytes.length - from <= most ? bytes.length : cutBefore(bytes, from, from + most);
    if (to === undefined) return { problem: tooLarge(name, bytes.length - from, most) };
    const part = decode(bytes.subarray(from, to), name);
    if ("problem" in part) return part;
    const { text } = part.source;
    sources.push(before === undefined ? part.source : { ...part.source, before });
    before = { units: (before?.units ?? 0) + text.length, lines: (before?.lines ?? 0) + lineTable(text).length - 1 };
    from = Math.max(to, 1);
  }
  return { sources };
}

/** Where the last line before `to` begins that is a marker of documents; undefined where the part would be empty. */
function cutBefore(bytes: Buffer, from: number, to: number): number | undefined {
  for (let at = bytes.lastIndexOf("\n---", to); at > from; at = bytes.lastIndexOf("\n---", at - 1)) {
    const next = bytes[at + 4];
    if (next === 0x0a || next === 0x0d || next === 0x20 || next === 0x09) return at + 1;
  }
  return undefined;
}

/**
 * Turns bytes into a source.
 *
 * Takes the bytes and the name. Returns the source, or BH023 or BH024 as `readSource` does.
 */
export function decode(bytes: Buffer, name: string): SourceResult {
  if (bytes.length > MAX_BYTES) return { problem: tooLarge(name, bytes.length, MAX_BYTES) };
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    try {
      const decoder = new TextDecoder(first === 0xff ? "utf-16le" : "utf-16be", { fatal: true, ignoreBOM: true });
      return { source: { name, text: decoder.decode(bytes) } };
    } catch {
      return { problem: diagnostic("BH023", `${name} begins as UTF-16 but is not`, { file: name }) };
    }
  }
  if (bytes.subarray(0, 8192).includes(0))
    return { problem: diagnostic("BH023", `${name} is a binary file`, { file: name }) };
  if (!isUtf8(bytes)) return { problem: diagnostic("BH023", `${name} is not UTF-8 text`, { file: name }) };
  return { source: { name, text: bytes.toString("utf8") } };
}

/** What went wrong with a file or folder, as a finding. Takes the error that was thrown and the name in messages. */
export function readProblem(error: unknown, name: string): Diagnostic {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
      return diagnostic("BH020", `there is no file ${name}`, { file: name });
    case "EACCES":
    case "EPERM":
      return diagnostic("BH021", `${name} may not be read`, { file: name });
    case "ELOOP":
      return diagnostic("BH021", `${name} is a link that leads to itself`, { file: name });
    default:
      return diagnostic("BH021", `${name} cannot be read (${String(code ?? error)})`, { file: name });
  }
}

function tooLarge(name: string, bytes: number, most: number): Diagnostic {
  const message = `${name} holds ${mebibytes(bytes)} MiB in one piece, more than ${mebibytes(most)}`;
  return diagnostic("BH024", message, { file: name });
}

function mebibytes(bytes: number): number {
  return Math.ceil(bytes / MIB);
}
