/** One file (or standard input) as text. */
import { isUtf8 } from "node:buffer";
import { readFileSync, statSync } from "node:fs";
import { isAbsolute, relative, sep } from "node:path";
import { type Diagnostic, diagnostic } from "../base/diagnostic.ts";
import type { Source } from "../documents/document.ts";

/** The most bytes that one file may hold: well below what a string of the engine can carry. */
const MAX_BYTES = 256 * 1024 * 1024;

/** A source, or why there is none. */
export type SourceResult = { readonly source: Source } | { readonly problem: Diagnostic };

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
  let bytes: Buffer;
  try {
    const stat = statSync(path);
    if (!stat.isFile() && !stat.isFIFO() && !stat.isCharacterDevice())
      return { problem: diagnostic("BH021", `${name} is no file`, { file: name }) };
    if (stat.size > MAX_BYTES) return { problem: tooLarge(name, stat.size) };
    bytes = readFileSync(path);
  } catch (error) {
    return { problem: readProblem(error, name) };
  }
  return decode(bytes, name);
}

/**
 * Turns bytes into a source.
 *
 * Takes the bytes and the name. Returns the source, or BH023 or BH024 as `readSource` does.
 */
export function decode(bytes: Buffer, name: string): SourceResult {
  if (bytes.length > MAX_BYTES) return { problem: tooLarge(name, bytes.length) };
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

function tooLarge(name: string, bytes: number): Diagnostic {
  const size = Math.ceil(bytes / 1024 / 1024);
  return diagnostic("BH024", `${name} holds ${size} MiB, more than ${MAX_BYTES / 1024 / 1024}`, { file: name });
}
