/**
 * Cuts a text into the documents of a YAML stream.
 *
 * A line that begins with `---` or `...`, then a blank or nothing, ends a document wherever it stands: no scalar can
 * contain such a line. So documents are separated without parsing them, and one that cannot be read does not take the
 * others with it.
 */
import { Refusal } from "./refusal.ts";

/** The range of one document, in UTF-16 units. */
export interface Range {
  readonly from: number;
  readonly to: number;
  /** Why it cannot be read whatever its content; absent when it may be. */
  readonly refusal?: Refusal;
}

/**
 * Cuts a text into documents.
 *
 * Takes the text and where it begins (after a byte order mark). Returns the range of each document, from its `---` where
 * it has one. Comments, blank lines and directives before a `---` are no document of their own; what follows a `---` is
 * one even if it is empty.
 */
export function splitStream(text: string, from: number): Range[] {
  const ranges: Range[] = [];
  const marker = /^(?:---|\.\.\.)(?=[ \t\r\n\x85\u2028\u2029]|$(?![\s\S]))/gm;
  marker.lastIndex = from;
  let start = from;
  let explicit = false;
  let refusal: Refusal | undefined;
  const finish = (to: number, opensNext: boolean): void => {
    const content = explicit ? start : firstContent(text, start, to);
    if (!explicit && content !== -1 && text[content] === "%") {
      // Directives, which belong to the document that the next marker opens.
      refusal = directiveProblem(text, content, to, opensNext);
      if (!opensNext) ranges.push({ from: start, to, ...(refusal === undefined ? {} : { refusal }) });
      return;
    }
    if (content !== -1) ranges.push({ from: start, to, ...(refusal === undefined ? {} : { refusal }) });
    refusal = undefined;
  };
  for (let match = marker.exec(text); match !== null; match = marker.exec(text)) {
    const opens = match[0] === "---";
    finish(match.index, opens);
    explicit = opens;
    start = opens ? match.index : match.index + 3;
  }
  finish(text.length, false);
  return ranges;
}

/** The offset of the first character that is neither blank nor within a comment; -1 when there is none. */
export function firstContent(text: string, from: number, to: number): number {
  let inComment = false;
  for (let at = from; at < to; at++) {
    const c = text.charCodeAt(at);
    if (c === 10 || c === 13 || c === 0x85 || c === 0x2028 || c === 0x2029) inComment = false;
    else if (c === 35) inComment = true;
    else if (!inComment && c !== 32 && c !== 9) return at;
  }
  return -1;
}

/** Why the directives in the range forbid reading the document after them; `undefined` when they do not. */
function directiveProblem(text: string, from: number, to: number, followed: boolean): Refusal | undefined {
  for (let at = from; at !== -1; ) {
    const end = text.indexOf("\n", at);
    const line = text.slice(at, end === -1 || end > to ? to : end).trimEnd();
    if (!line.startsWith("%")) return new Refusal("BH001", at, "only --- may follow a directive");
    if (!/^%YAML[ \t]+1\.1(?:[ \t]+#.*)?$/.test(line))
      return new Refusal("BH001", at, "Kubernetes reads YAML 1.1 without tag directives; remove this line");
    at = end === -1 ? -1 : firstContent(text, end, to);
  }
  return followed ? undefined : new Refusal("BH001", from, "--- must follow a directive");
}
