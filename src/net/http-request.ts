/**
 * HTTP requests as Cilium's proxy judges them: the normalisation that comes before matching (cilium.md R6.1.6), and
 * which methods, paths and hosts can be judged at all.
 */

import type { Universe } from "./path-language.ts";

/** A concrete HTTP request. */
export interface Request {
  readonly method: string;
  /** The `:path` value: path and query. */
  readonly path: string;
  /** The `:authority` value, with the port if the client sends one. Absent: not told. */
  readonly host?: string;
  /** Names in lower case; a header that is sent twice has its values joined by ",". What is not in it is not sent. */
  readonly headers: ReadonlyMap<string, string>;
  /** The proxy at hand compares the path as it is sent (cilium.md R6.1.6). */
  readonly pathAsSent?: true;
}

/** Escaped in the path part by the proxy's canonical form; `\` and `.` have rules of their own. */
const ESCAPED = /^[^!$%&'()*+,\-./0-9:;=@A-Z[\]_a-z~\\]$/u;
/** Never left escaped (RFC 3986 2.3). */
const UNRESERVED = /^[-0-9A-Z_a-z~]$/;

function escapeCharacter(character: string): string {
  const bytes = new TextEncoder().encode(character);
  return [...bytes].map((b) => `%${b.toString(16).toUpperCase().padStart(2, "0")}`).join("");
}

/** The character that `text` has escaped at `at`; undefined where there is no complete escape. */
function unescapedAt(text: string, at: number): string | undefined {
  const hex = /^%([0-9A-Fa-f]{2})/.exec(text.slice(at, at + 3));
  return hex?.[1] === undefined ? undefined : String.fromCharCode(Number.parseInt(hex[1], 16));
}

/** The length of a dot at `at`, plain or escaped; 0 where there is none. */
function dotAt(text: string, at: number): number {
  if (text.charAt(at) === ".") return 1;
  return unescapedAt(text, at) === "." ? 3 : 0;
}

function isSlash(text: string, at: number): boolean {
  const c = text.charAt(at);
  return c === "/" || c === "\\";
}

/** What a dot that begins a segment is, and how much of the input after it belongs to it. */
function dotSegment(text: string, after: number): { readonly up: boolean; readonly length: number } | undefined {
  if (after === text.length) return { up: false, length: 0 };
  if (isSlash(text, after)) return { up: false, length: 1 };
  const second = dotAt(text, after);
  if (second === 0) return undefined;
  if (after + second === text.length) return { up: true, length: second };
  if (isSlash(text, after + second)) return { up: true, length: second + 1 };
  return undefined;
}

/**
 * The canonical form of a path without its query: dot segments resolved, escapes of unreserved characters undone, what
 * may not stand in a path escaped. Envoy calls the URL library of Chromium for it (`CanonicalizePath`), which is
 * followed here step by step, with its guard against escapes that only undoing another escape would complete.
 */
function canonicalPath(input: string): string {
  let out = input === "" || !isSlash(input, 0) ? "/" : "";
  /** Where in `out` the last "%" stands that began no escape in the input. */
  let loosePercent = Number.NEGATIVE_INFINITY;
  let i = 0;
  while (i < input.length) {
    const character = String.fromCodePoint(input.codePointAt(i) ?? 0);
    const dot = dotAt(input, i);
    if (dot > 0) {
      const segment = out.endsWith("/") ? dotSegment(input, i + dot) : undefined;
      if (segment === undefined) out += ".";
      else if (segment.up) out = out.length === 1 ? out : out.slice(0, out.lastIndexOf("/", out.length - 2) + 1);
      i += dot + (segment?.length ?? 0);
    } else if (character === "\\") {
      out += "/";
      i++;
    } else if (character === "%") {
      const unescaped = unescapedAt(input, i);
      if (unescaped === undefined) {
        loosePercent = out.length;
        out += "%";
        i++;
      } else if (UNRESERVED.test(unescaped)) {
        out += unescaped;
        i += 3;
        if (loosePercent >= out.length - 3) out = guardNested(out, loosePercent, input.charAt(i));
      } else {
        out += input.slice(i, i + 3);
        i += 3;
      }
    } else {
      out += ESCAPED.test(character) ? escapeCharacter(character) : character;
      i += character.length;
    }
  }
  return out;
}

/** Escapes a "%" that the characters after it, one of them just unescaped, would make the start of an escape. */
function guardNested(out: string, percent: number, next: string): string {
  const tail = out.slice(percent + 1);
  const completed = tail.length === 1 ? tail + next : tail;
  return /^[0-9A-Fa-f]{2}$/.test(completed) ? `${out.slice(0, percent)}%25${tail}` : out;
}

/** Most paths: nothing in them is changed. */
const NORMAL = /^(?:\/[-\w~]+)+\/?$/;

/**
 * The `:path` value that rules are matched against (cilium.md R6.1.6): escaped slashes undone (the proxy answers with a
 * redirect, and the request that follows has them undone), dot segments resolved, repeated slashes merged; the query
 * stays as it is. Undefined where the proxy refuses the request before any rule: control characters, spaces, a
 * fragment, an escaped NUL.
 */
export function normalisePath(path: string): string | undefined {
  if (NORMAL.test(path)) return path;
  if (!/^[!"$-~\u{80}-\u{d7ff}\u{e000}-\u{10ffff}]*$/u.test(path)) return undefined;
  const mark = path.indexOf("?");
  const raw = mark < 0 ? path : path.slice(0, mark);
  if (raw.includes("%00")) return undefined;
  const unslashed = raw.replace(/%2[Ff]|%5[Cc]/g, (escape) => (escape.charAt(1) === "2" ? "/" : "\\"));
  return canonicalPath(unslashed).replace(/\/+/g, "/") + (mark < 0 ? "" : path.slice(mark));
}

const METHOD = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const HOST = /^[!-~]*$/;

/**
 * A request as rules see it: its path normalised, header names in lower case, the `host` header taken as the host
 * where none is given. Undefined where the proxy refuses the request before any rule. Twice gives the same as once.
 */
export function normaliseRequest(request: Request): Request | undefined {
  const path = request.pathAsSent === true ? request.path : normalisePath(request.path);
  if (path === undefined || !METHOD.test(request.method)) return undefined;
  const headers = new Map<string, string>();
  for (const [name, value] of request.headers) {
    const lower = name.toLowerCase();
    const earlier = headers.get(lower);
    headers.set(lower, earlier === undefined ? value : `${earlier},${value}`);
  }
  const host = request.host ?? headers.get(":authority") ?? headers.get("host");
  const sent = request.pathAsSent === true ? ({ pathAsSent: true } as const) : {};
  if (host === undefined) return { method: request.method, path, headers, ...sent };
  return HOST.test(host) ? { method: request.method, path, host, headers, ...sent } : undefined;
}

export const METHODS: Universe = {
  literals: [{ pattern: "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+", negated: false }],
  preferred: ["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS"],
};

/** Exactly the results of `normalisePath`. */
export const PATHS: Universe = {
  literals: [
    {
      pattern: "/[!$%&'()*+,\\-./0-9:;=@A-Z\\[\\]_a-z~]*(?:\\?[!\"$-~\\x{80}-\\x{d7ff}\\x{e000}-\\x{10ffff}]*)?",
      negated: false,
    },
    // Repeated slashes, dot segments, and escapes that do not stay: unreserved characters, dot, slashes, NUL.
    {
      pattern:
        "(?s)[^?]*(?://.*|/\\.\\.?(?:[/?].*)?|%(?:00|2[D-Fd-f]|3[0-9]|4[1-9A-Fa-f]|5[0-9AaCcFf]|6[1-9A-Fa-f]|7[0-9AaEe]).*)",
      negated: true,
    },
  ],
  preferred: ["/"],
};

export const HOSTS: Universe = { literals: [{ pattern: "[!-~]*", negated: false }], preferred: [] };

const LABEL = "[!-\\-/-@\\[-~]+";

/** DNS names in lower case with a trailing dot; "." is the root. */
export const NAMES: Universe = {
  literals: [{ pattern: `(?:${LABEL}\\.)+|\\.`, negated: false }],
  preferred: [],
};
