/** DNS names and patterns as regular expressions (cilium.md 7.1; `pkg/fqdn/matchpattern/matchpattern.go`, `pkg/policy/api/fqdn.go`). */
import type { Cursor } from "../../documents/cursor.ts";
import type { NamePattern } from "../rule.ts";
import { isObject } from "./selector.ts";
import { type Release, since } from "./settings.ts";

const CHARACTER = "[-a-zA-Z0-9_]";
const NAME = /^[-a-zA-Z0-9_]+([.][-a-zA-Z0-9_]+)*[.]?$/;
const PATTERN = /^[-a-zA-Z0-9_*]+([.][-a-zA-Z0-9_*]+)*[.]?$/;
const MAX_LENGTH = 255;

/** Where a pattern stands: over the names that were resolved, over the queries of a DNS rule, over TLS server names. */
export type NameUse = "resolved" | "query" | "server";

/** Lower case, with trailing dot. */
function canonical(text: string): string {
  return text.toLowerCase().replace(/[.]?$/, ".");
}

/** The text itself as an expression; server names may hold any character. */
function literal(text: string): string {
  return text.replace(/[\\^$*+?()[\]{}|]/g, "\\$&").replaceAll(".", "[.]");
}

/** `matchName`: compared exactly (R7.1.1). */
export function exactName(text: string): NamePattern {
  return { text, expression: `^${literal(canonical(text))}$` };
}

/**
 * `matchPattern` (R7.1.2 to R7.1.4): `*` stands for any characters of one label; a pattern that is only wildcards
 * matches every name; since 1.19 a leading `**.` stands for one or more labels.
 */
export function patternName(text: string, release: Release, use: NameUse): NamePattern {
  const subdomains = since(release, "1.19");
  const every = subdomains ? /^[*]+[.]?$/ : /^[*]$/;
  if (every.test(text)) {
    return { text, expression: use === "query" ? "^.*$" : `^(?:(?:${CHARACTER}+[.])+|[.])$` };
  }
  const name = canonical(text);
  const lead = subdomains ? (/^[*]{2,}[.]/.exec(name)?.[0].length ?? 0) : 0;
  const prefix = lead > 0 ? `${CHARACTER}+(?:[.]${CHARACTER}+)*[.]` : "";
  const rest = name.slice(lead).split(/[*]+/).map(literal).join(`${CHARACTER}*`);
  return { text, expression: `^${prefix}${rest}$` };
}

/**
 * `serverNames`: exact up to 1.17, with wildcards as in `matchPattern` in 1.19 (R5.9). Which of the two a name with
 * wildcards is in 1.18 the sources do not tell (U14): undefined.
 */
export function serverName(text: string, release: Release): NamePattern | undefined {
  if (!text.includes("*") || release === "1.17") return exactName(text);
  return since(release, "1.19") ? patternName(text, release, "server") : undefined;
}

/**
 * An item of `toFQDNs` or of a DNS rule: a name, a pattern, or both, OR-ed (R7.1.5); neither is accepted and matches
 * nothing (R7.1.6). Reports names that the API server or the agent refuses (V17).
 */
export function decodeNames(item: Cursor, release: Release, use: NameUse): readonly NamePattern[] {
  if (!isObject(item)) return [];
  item.unknownFields(["matchName", "matchPattern"]);
  const names: NamePattern[] = [];
  const name = checked(item.field("matchName"), NAME, "a-z, A-Z, 0-9, '-', '_' and '.'");
  if (name !== undefined) names.push(exactName(name));
  const pattern = checked(item.field("matchPattern"), PATTERN, "a-z, A-Z, 0-9, '-', '_', '.' and '*'");
  if (pattern !== undefined) names.push(patternName(pattern, release, use));
  return names;
}

function checked(at: Cursor, form: RegExp, characters: string): string | undefined {
  const text = at.string();
  if (text === undefined) return undefined;
  if (text.length > MAX_LENGTH) {
    at.error("BH226", `${at.describe()} is longer than ${MAX_LENGTH} characters`);
    return undefined;
  }
  if (!form.test(text)) {
    at.error("BH226", `${at.describe()} is ${JSON.stringify(text)}; only labels of ${characters} are allowed`);
    return undefined;
  }
  return text;
}
