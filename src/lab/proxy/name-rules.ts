/** Which names the rules of one side let pass: of look-ups (cilium.md 7.2) and of TLS clients (R5.9). */

import { patternMatches } from "../../net/path-language.ts";
import type { ApplicationEntry } from "../verdicts.ts";
import type { Side } from "./seam.ts";

export interface NameVerdict {
  readonly passes: boolean;
  /** Origins of the entries that let it pass; of a refusal all that were asked, or what denies the connection. */
  readonly policies: readonly string[];
}

/** Lower case, with trailing dot: what the expressions of names are over. */
export function canonicalName(name: string): string {
  return name.toLowerCase().replace(/\.?$/, ".");
}

/**
 * Whether one of a side's entries lets the name pass, each with all its rules; `null`: no name is told, which passes only
 * where none is asked for. Rules about anything but names of this kind are not met.
 */
export function judgeName(side: Side, kind: "dns" | "tls", name: string | null): NameVerdict {
  if (side.kind !== "rules") return { passes: side.kind === "open", policies: side.policies };
  const passing = side.entries.filter((entry) => passes(entry, kind, name));
  if (passing.length === 0) return { passes: false, policies: side.policies };
  return { passes: true, policies: [...new Set(passing.map(({ origin }) => origin))].toSorted() };
}

function passes({ rules }: ApplicationEntry, kind: "dns" | "tls", name: string | null): boolean {
  return rules.every((rule) => {
    if (rule.kind !== kind || name === null) return false;
    const names = rule.kind === "dns" ? rule.names : rule.kind === "tls" ? rule.serverNames : [];
    return names.some(({ expression }) => patternMatches(expression, name));
  });
}
