/** What every writer of `reach` starts from. */
import type { Diagnostic } from "../base/diagnostic.ts";
import { type IdentityLabels, type LabelValue, labelValueText } from "../model/labels.ts";
import { EVERYTHING, type ShownApplication, type ShownBox, showApplication } from "../net/application.ts";
import type { FlowEntry } from "../reach/flow-list.ts";
import type { NorthSouthPath } from "../reach/north-south-path.ts";
import type { DeadNames } from "../questions/dead-names.ts";
import type { Topology } from "../questions/topology-form.ts";
import type { Decider, ReachPair, Row, UnsureEntry } from "../reach/reach.ts";
import type { Origin } from "../policy/rule.ts";
import { placeText, ruleName, rulePlace } from "./origin.ts";

/** The answer to a reach query with what belongs beside it. */
export interface ReachReport {
  readonly dialect: string;
  readonly complete: boolean;
  readonly rows: readonly ReportRow[];
  /** Walked once, by the one writer. */
  readonly pairs: Iterable<ReachPair>;
  /** Ways from outside other than direct ones; absent where none are asked for. */
  readonly paths?: readonly NorthSouthPath[];
  /** Names that a rule allows and that its subject can never look up. */
  readonly deadNames?: readonly DeadNames[];
  /** What the pictures show; absent where rows are no endpoints and no applications of the cluster. */
  readonly topology?: () => Topology;
  /** Whether pairs carry what decided them. */
  readonly provenance: boolean;
  readonly diagnostics: readonly Diagnostic[];
}

/** A row with the labels that make up its identity; absent for groups of several. */
export interface ReportRow {
  readonly row: Row;
  readonly identity?: IdentityLabels;
}

/** Labels as JSON writes them; those whose value only the cluster knows are left out. */
export function labelsJson(labels: ReadonlyMap<string, LabelValue> | undefined): Record<string, string> {
  const out: Record<string, string> = {};
  for (const [key, value] of [...(labels ?? [])].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (typeof value === "string") out[key] = value;
  }
  return out;
}

/** The labels of an identity on one line, in a fixed order; `?` where only the cluster knows the value. */
export function identityText(labels: IdentityLabels): string {
  return [...labels]
    .map(([key, value]) => (value === "" ? key : `${key}=${labelValueText(value)}`))
    .sort()
    .join(",");
}

/** The application part as people write it; undefined where nothing above the port is asked. */
export function applicationOfEntry(entry: FlowEntry): ShownApplication | undefined {
  return entry.application === EVERYTHING ? undefined : showApplication(entry.application);
}

/** `TCP 80,443`, `ICMP type 8`, `everything`. */
export function flowText(entry: FlowEntry): string {
  const family = entry.family === "any" ? "" : ` over ${entry.family}`;
  const application = applicationOfEntry(entry);
  const above = application === undefined ? "" : ` ${applicationText(application)}`;
  if (entry.protocol === "any") return `everything${family}${above}`;
  if (entry.protocol === "other") return `other protocols${family}${above}`;
  const icmp = entry.icmp === undefined ? "" : ` type ${entry.icmp.type}`;
  const ports = entry.ports === "*" ? icmp : ` ${entry.ports}`;
  return `${entry.protocol}${ports}${family}${above}`;
}

export function applicationText(application: ShownApplication): string {
  const parts = [
    ...application.boxes.map(boxText),
    ...(application.tls ?? []).map((name) => `TLS ${name}`),
    ...(application.dns ?? []).map((name) => `DNS ${name}`),
    ...(application.opaque ?? []).map((what) => `if ${what}`),
  ];
  return parts.length === 0 ? "(no request)" : `(${parts.join("; ")})`;
}

function boxText(box: ShownBox): string {
  const parts = [
    box.methods === null ? "any method" : box.methods.join("|"),
    box.path === null ? "" : box.path,
    box.host === null ? "" : `host ${box.host}`,
    ...box.headers.map((header) => `header ${header}`),
  ];
  return parts.filter((part) => part !== "").join(" ");
}

/** Whether a flow opens a connection; a ping opens none. */
export function isConnection({ protocol }: FlowEntry): boolean {
  return protocol === "TCP" || protocol === "UDP" || protocol === "SCTP" || protocol === "any";
}

/** Pairs as a table tells them, and how many of them the specification leaves open for protocols without ports. */
export interface ToldPairs {
  readonly pairs: readonly ReachPair[];
  readonly leftOpen: number;
}

/**
 * Leaves out what the specification of NetworkPolicy leaves open of ICMP and other protocols without ports: it is the same
 * for every pair whose way is not free, and one line says it.
 */
export function toldPairs(pairs: Iterable<ReachPair>): ToldPairs {
  const told: ReachPair[] = [];
  let leftOpen = 0;
  for (const pair of pairs) {
    const unsure = pair.unsure.filter((entry) => !isLeftOpen(entry));
    if (unsure.length < pair.unsure.length) leftOpen++;
    if (pair.allow.length + pair.mixed.length + unsure.length > 0) told.push({ ...pair, unsure });
  }
  return { pairs: told, leftOpen };
}

function isLeftOpen(entry: UnsureEntry): boolean {
  return !isConnection(entry) && entry.because.every(({ code }) => code === "undefined-by-specification");
}

/** The one line; empty where nothing is left open. */
export function leftOpenText({ leftOpen }: ToldPairs): string {
  if (leftOpen === 0) return "";
  const between = `between ${leftOpen} ${leftOpen === 1 ? "pair" : "pairs"}`;
  return `whether ICMP and other protocols without ports pass ${between} the specification leaves open (-o json lists them)`;
}

/** What is not sure, and why: protocols without ports that are not sure for one reason are told together. */
export function unsureTexts(entries: readonly UnsureEntry[]): readonly (readonly [may: string, why: string])[] {
  const rows = new Map<string, { flows: string[]; why: string }>();
  for (const entry of entries) {
    const why = entry.because.map(({ code, detail }) => `${code}: ${detail}`).join("; ");
    const key = isConnection(entry) ? `${rows.size} ${why}` : why;
    const known = rows.get(key);
    if (known === undefined) rows.set(key, { flows: [flowText(entry)], why });
    else known.flows.push(flowText(entry));
  }
  return [...rows.values()].map(({ flows, why }) => [`unsure: ${flows.join(", ")}`, why]);
}

/** What decided an entry, in a few words. */
export function decidersText(deciders: readonly Decider[]): string {
  const names = deciders.flatMap((decider) => decider.origins.map(ruleName));
  if (names.length > 0) return [...new Set(names)].join(", ");
  return deciders.length > 0 && deciders.every((decider) => decider.reason === "no-policy") ? "no policy" : "";
}

/** One decider as the contract writes it: one object a rule. */
export interface DeciderJson {
  readonly direction: string;
  readonly reason: string;
  readonly kind?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly rule?: number;
}

export function decidersJson(deciders: readonly Decider[]): DeciderJson[] {
  return deciders.flatMap(({ direction, reason, origins }): DeciderJson[] =>
    origins.length === 0
      ? [{ direction, reason }]
      : origins.map(({ kind, namespace, name, index }) => ({
          direction,
          reason,
          kind,
          ...(namespace === undefined ? {} : { namespace }),
          name,
          rule: index,
        })),
  );
}

/** How many pods a row stands for. */
export function replicasOf(row: Row): number {
  if (row.replicas !== undefined) return row.replicas;
  if (row.group !== undefined) return row.members.length === row.group.members.length ? row.group.workload.replicas : 1;
  return row.members.length;
}

/** `default/Deployment/web: a.example.com is allowed and never learned`, with the rules that allow it and its look-ups. */
export function deadText({ unit, names, rule, lookUps }: DeadNames): string {
  const at = (origin: Origin): string => `${ruleName(origin)} (${placeText(rulePlace(origin))})`;
  const why =
    lookUps.length === 0 ? "no DNS rule observes look-ups" : `no look-up passes ${lookUps.map(at).join(", ")}`;
  return `${unit}: ${names.join(", ")} is allowed by ${at(rule)} and dead: ${why}`;
}
