/** All lint rules in one order, and what became of suppressions. */
import type { Diagnostic } from "../base/diagnostic.ts";
import type { Document } from "../documents/document.ts";
import type { Engine } from "../reach/engine.ts";
import { closedProbes, closedWays, oneSided } from "./blocked.ts";
import { LintContext, type LintRule } from "./context.ts";
import {
  conflicts,
  hostNetworkPods,
  idleNodePolicies,
  localClusterPeers,
  noPing,
  openNamespaces,
  ungoverned,
} from "./coverage.ts";
import { deafDns, everyName, forgottenDns, refusedSearch, unlearnedNames } from "./dns.ts";
import { ruleEffects } from "./effect.ts";
import { coveringCidrs, droppedLabels, emptyPeers, worldAlone } from "./peers.ts";
import { costlyRanges, deafPorts, fullMaps } from "./ports.ts";
import { type Suppressed, type Suppression, suppress } from "./suppression.ts";
import { closingDenies, deprecatedFields, emptyLists, httpPatterns, icmpZero } from "./writing.ts";

/** Every rule; the codes that each can find are in the catalogue. */
const RULES: readonly LintRule[] = [
  emptyPeers,
  droppedLabels,
  deafPorts,
  ruleEffects,
  forgottenDns,
  unlearnedNames,
  deafDns,
  everyName,
  refusedSearch,
  emptyLists,
  httpPatterns,
  icmpZero,
  deprecatedFields,
  closingDenies,
  coveringCidrs,
  worldAlone,
  closedWays,
  closedProbes,
  oneSided,
  hostNetworkPods,
  conflicts,
  idleNodePolicies,
  fullMaps,
  costlyRanges,
  noPing,
  localClusterPeers,
  openNamespaces,
  ungoverned,
];

export interface LintResult {
  readonly findings: readonly Diagnostic[];
  readonly suppressed: readonly Suppressed[];
}

export interface LintOptions {
  /** What reading the input found already. */
  readonly before?: readonly Diagnostic[];
  /** Suppressions of a configuration file. */
  readonly suppressions?: readonly Suppression[];
}

/** Looks for everything in the catalogue. Findings are in the order of their places. */
export function lint(engine: Engine, documents: readonly Document[], options: LintOptions = {}): LintResult {
  const context = new LintContext(engine, documents);
  const found = RULES.flatMap((rule) => [...rule(context)]);
  return collected(found, documents, options);
}

/** Findings in the order of their places, each once, without those that are suppressed. */
export function collected(
  found: readonly Diagnostic[],
  documents: readonly Document[],
  { before = [], suppressions = [] }: LintOptions,
): LintResult {
  return suppress(sorted(distinct([...before, ...found])), documents, suppressions);
}

function distinct(findings: readonly Diagnostic[]): readonly Diagnostic[] {
  const seen = new Map<string, Diagnostic>();
  for (const one of findings)
    seen.set(`${one.code} ${one.file ?? ""} ${one.line ?? 0} ${one.column ?? 0} ${one.message}`, one);
  return [...seen.values()];
}

function sorted(findings: readonly Diagnostic[]): readonly Diagnostic[] {
  const text = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
  return [...findings].sort(
    (a, b) =>
      text(a.file ?? "", b.file ?? "") ||
      (a.line ?? 0) - (b.line ?? 0) ||
      (a.column ?? 0) - (b.column ?? 0) ||
      text(a.code, b.code) ||
      text(a.message, b.message),
  );
}
