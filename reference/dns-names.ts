import { RE2JS } from "re2js";
import { type Fields, textOf } from "./values.ts";

/** Whether an item of toFQDNs or of a DNS rule selects a name: either of its two fields may (7.1). */
export function selectsName(item: Fields, name: string, release: number): boolean {
  const queried = withDot(name.toLowerCase());
  const matchName = textOf(item["matchName"]);
  const matchPattern = textOf(item["matchPattern"]);
  // R7.1.1.
  if (matchName && withDot(matchName.trim().toLowerCase()) === queried) return true;
  return Boolean(matchPattern) && RE2JS.compile(patternOf(matchPattern ?? "", release)).matches(queried);
}

function withDot(name: string): string {
  return name.endsWith(".") ? name : `${name}.`;
}

const LABEL = "[-a-zA-Z0-9_]";

/** The anchored expression of a matchPattern (R7.1.2 … R7.1.4). */
function patternOf(pattern: string, release: number): string {
  const trimmed = pattern.trim().toLowerCase();
  const isEverything = release >= 19 ? /^\*+\.?$/.test(trimmed) : trimmed === "*";
  if (isEverything) return `^(${LABEL}+[.])*[.]?$`;
  const full = withDot(trimmed);
  const recursive = release >= 19 ? /^\*{2,}\./.exec(full) : null;
  const head = recursive === null ? "" : `(${LABEL}+([.]${LABEL}+)*)[.]`;
  const rest = full.slice(recursive?.[0].length ?? 0);
  const body = rest.replace(/\*+|\./g, (part) => (part === "." ? "[.]" : `${LABEL}*`));
  return `^${head}${body}$`;
}

/**
 * Whether a server name is one of `serverNames`: exact; since 1.18 with a leading `*.` for one label or `**.` for several
 * (R5.9; U14: pull request 38615 is older than 1.18).
 */
export function selectsServerName(pattern: string, serverName: string, release: number): boolean {
  if (release <= 17 || !pattern.includes("*"))
    return withDot(pattern.toLowerCase()) === withDot(serverName.toLowerCase());
  return selectsName({ matchPattern: pattern }, serverName, 19);
}
