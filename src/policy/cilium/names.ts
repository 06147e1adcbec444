/** DNS names and patterns as regular expressions (cilium.md 7.1; `pkg/fqdn/matchpattern/matchpattern.go`, `pkg/policy/api/fqdn.go`). */
import type { Cursor } from "../../documents/cursor.ts";
import type { NamePattern } from "../rule.ts";
import { isObject } from "./selector.ts";
import { type Release, since } from "./settings.ts";

const CHARACTER = "[-a-zA-Z0-9_]";
const NAME = /^[-a-zA-Z0-9_]+([.][-a-zA-Z0-9_]+)*[.]?$/;
const PATTERN = /^[-a-zA-Z0-9_*]+([.][-a-zA-Z0-9_*]+)*[.]?$/;
const MAX_LENGTH = 255;
/** One or more whole labels. */
const SUBDOMAINS = `${CHARACTER}+(?:[.]${CHARACTER}+)*[.]`;

/** Where a pattern stands: over the names that were resolved, or over the queries of a DNS rule. */
export type NameUse = "resolved" | "query";

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
  const prefix = lead > 0 ? SUBDOMAINS : "";
  const rest = name.slice(lead).split(/[*]+/).map(literal).join(`${CHARACTER}*`);
  return { text, expression: `^${prefix}${rest}$` };
}

const SERVER_NAME = /^([*]{1,2}[.])?[-a-zA-Z0-9_]+([.][-a-zA-Z0-9_]+)*[.]?$/;

/**
 * An item of `serverNames` (R5.9): exact in 1.17, which takes any text; since 1.18 also with a leading `*.` for one label
 * or `**.` for several, and the schema allows a wildcard nowhere else (U14; pull requests 38615 and 43674).
 */
export function decodeServerName(at: Cursor, text: string, release: Release): NamePattern | undefined {
  if (text === "") {
    at.error("BH222", `${at.describe()}: empty server name is not allowed`);
    return undefined;
  }
  if (!since(release, "1.18")) return exactName(text);
  if (text.length > MAX_LENGTH || !SERVER_NAME.test(text)) {
    const form = "labels of a-z, A-Z, 0-9, '-' and '_', after `*.` or `**.` where wanted";
    at.error(
      "BH222",
      `${at.describe()} is ${JSON.stringify(text)}; a server name is up to ${MAX_LENGTH} characters: ${form}`,
    );
    return undefined;
  }
  if (!text.startsWith("*")) return exactName(text);
  const [, suffix = ""] = /^[*]+[.](.*)$/.exec(canonical(text)) ?? [];
  const labels = text.startsWith("**") ? SUBDOMAINS : `${CHARACTER}*[.]`;
  return { text, expression: `^${labels}${literal(suffix)}$` };
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
