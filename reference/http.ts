import { RE2JS } from "re2js";
import type { CiliumSettings } from "./cilium-settings.ts";
import type { HttpRequest } from "./flows.ts";
import type { Unknowns } from "./unknowns.ts";
import { type Fields, fieldsOf, isGiven, itemsOf, textOf, textsOf } from "./values.ts";

/** One HTTP rule: all given fields must match; an absent or empty one matches anything (R6.1.1). */
export function matchesRequest(
  rule: Fields,
  request: HttpRequest,
  settings: CiliumSettings,
  unknowns: Unknowns,
): boolean {
  const path = settings.normalizePaths ? normalizedPath(request.path) : request.path;
  return (
    isFullMatch(textOf(rule["path"]), path) &&
    isFullMatch(textOf(rule["method"]), request.method) &&
    isHostMatch(textOf(rule["host"]), request.host, unknowns) &&
    textsOf(rule["headers"]).every((header) => hasHeader(header, request)) &&
    itemsOf(rule["headerMatches"]).every((match) => headerMatches(fieldsOf(match), request, unknowns))
  );
}

/** A rule without any condition allows every request. */
export function isUnconditional(rule: Fields): boolean {
  const isEmpty = (key: string) => !textOf(rule[key]);
  return (
    ["path", "method", "host"].every(isEmpty) &&
    itemsOf(rule["headers"]).length === 0 &&
    itemsOf(rule["headerMatches"]).length === 0
  );
}

/** RE2, consuming the whole value (R6.1.2, R6.1.3). */
function isFullMatch(pattern: string | undefined, value: string): boolean {
  return !pattern || RE2JS.compile(pattern).matches(value);
}

/** `:authority`, port included if the client sent it; every request has one, told or not (R6.1.2). */
function isHostMatch(pattern: string | undefined, host: string | undefined, unknowns: Unknowns): boolean {
  if (!pattern) return true;
  if (host !== undefined) return isFullMatch(pattern, host);
  return unknowns.ask(`host matches ${pattern}`, { code: "host-not-told", detail: pattern });
}

/** The value of a header, repetitions joined with a comma; names are case-insensitive (R6.1.4, R6.1.5). */
function headerValue(name: string, request: HttpRequest): string | undefined {
  const values = Object.entries(request.headers ?? {})
    .filter(([key]) => key.toLowerCase() === name.toLowerCase())
    .map(([, value]) => value);
  return values.length === 0 ? undefined : values.join(",");
}

/** `K` asks for presence, `K: v` for the exact value; the first space separates (R6.1.4). */
function hasHeader(header: string, request: HttpRequest): boolean {
  const space = header.indexOf(" ");
  if (space < 0) return headerValue(header, request) !== undefined;
  const name = header.slice(0, space).replace(/:+$/, "");
  return headerValue(name, request) === header.slice(space + 1);
}

/** Only the absent mismatch action can refuse, except for a secret that cannot be read (R6.1.5). */
function headerMatches(match: Fields, request: HttpRequest, unknowns: Unknowns): boolean {
  const name = textOf(match["name"]) ?? "";
  const value = textOf(match["value"]) ?? "";
  const actual = headerValue(name, request);
  const isTolerant = isGiven(match["mismatch"]) && match["mismatch"] !== "";
  if (isGiven(match["secret"])) {
    const detail = JSON.stringify(match["secret"]);
    if (value !== "" && isTolerant) return true;
    // Neither a value that is read nor one that cannot be is that of a header that is not sent.
    if (!isTolerant && actual === undefined) return false;
    return unknowns.ask(`secret ${detail} matches`, { code: "secret-not-read", detail });
  }
  if (isTolerant) return true;
  return value === "" ? actual !== undefined : actual === value;
}

/**
 * The path as the proxy compares it: escaped slashes unescaped (the client is redirected there), dot segments resolved,
 * repeated slashes merged; the query stays (R6.1.6).
 */
export function normalizedPath(path: string): string {
  const mark = path.indexOf("?");
  const query = mark < 0 ? "" : path.slice(mark);
  const plain = withPlainLetters(mark < 0 ? path : path.slice(0, mark))
    .replace(/%2f/gi, "/")
    .replace(/%5c/gi, "\\");
  if (!plain.startsWith("/")) return path;
  return withoutDotSegments(plain.replaceAll("\\", "/")).replace(/\/{2,}/g, "/") + query;
}

/** RFC 3986, 6.2.2.2: what need not be escaped is not. */
function withPlainLetters(path: string): string {
  return path.replace(/%([0-9a-f]{2})/gi, (escaped, hex) => {
    const character = String.fromCharCode(Number.parseInt(hex, 16));
    return /[A-Za-z0-9_.~-]/.test(character) ? character : escaped;
  });
}

/** RFC 3986, 5.2.4; an escaped dot is a dot. */
function withoutDotSegments(path: string): string {
  const output: string[] = [];
  const segments = path.split("/").slice(1);
  for (const [index, segment] of segments.entries()) {
    const isLast = index === segments.length - 1;
    const plain = segment.replace(/%2e/gi, ".");
    if (plain === "..") output.pop();
    if (plain !== "." && plain !== "..") output.push(segment);
    else if (isLast) output.push("");
  }
  return `/${output.join("/")}`;
}
