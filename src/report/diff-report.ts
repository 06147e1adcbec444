/** What every writer of `diff` starts from. */
import type { ChangedPolicy, Diff, PairChange } from "../questions/diff.ts";
import type { Topology } from "../questions/topology-form.ts";
import type { FlowEntry } from "../reach/flow-list.ts";
import { objectName, placeOf, placeText, ruleName } from "./origin.ts";
import { flowText, isConnection } from "./reach-report.ts";

export interface DiffReport {
  /** What is compared, as the user named it, with the network that reads it. */
  readonly old: { readonly name: string; readonly dialect: string };
  readonly next: { readonly name: string; readonly dialect: string };
  readonly complete: boolean;
  readonly diff: Diff;
  readonly wide: boolean;
  /** What the pictures show; made when a picture is asked for. */
  readonly topology: () => Topology;
}

export function flowsText(entries: readonly FlowEntry[]): string {
  if (entries.length === 0) return "nothing";
  return everythingBut(entries) ?? entries.map(flowText).join("; ");
}

/** `everything but TCP 80`, where little is missing. */
function everythingBut(entries: readonly FlowEntry[]): string | undefined {
  const missing: string[] = [];
  for (const protocol of ["TCP", "UDP", "SCTP", "ICMP", "ICMPv6", "VRRP", "IGMP", "other"] as const) {
    const own = entries.filter((entry) => entry.protocol === protocol);
    const [only] = own;
    if (only === undefined || own.length > 1 || only.family !== "any" || only.application.key !== "*") return undefined;
    if (only.icmp !== undefined) return undefined;
    if (only.ports === "*") continue;
    let at = 1;
    const gaps: string[] = [];
    for (const { first, last } of [...only.ranges, { first: 65536, last: 65536 }]) {
      if (first > at) gaps.push(first - 1 === at ? `${at}` : `${at}-${first - 1}`);
      at = last + 1;
    }
    missing.push(`${protocol} ${gaps.join(",")}`);
  }
  return missing.length === 0 ? undefined : `everything but ${missing.join("; ")}`;
}

/** One line of what changed: gained, lost, in another way. */
export interface ChangeLine {
  readonly sign: "+" | "-" | "~" | "?";
  readonly text: string;
}

export function changeLines(change: PairChange): readonly ChangeLine[] {
  const out: ChangeLine[] = [];
  // Above the port, what it was and what it is says more than the difference of two languages.
  const above = [...change.gained, ...change.lost].some((entry) => entry.application.key !== "*");
  if (above && change.type === "changed" && change.unsure.length === 0) {
    const sign = change.lost.length === 0 ? "+" : change.gained.length === 0 ? "-" : "~";
    return [{ sign, text: `${flowsText(change.before)} → ${flowsText(change.after)}` }];
  }
  if (change.gained.length > 0) out.push({ sign: "+", text: flowsText(change.gained) });
  if (change.lost.length > 0) out.push({ sign: "-", text: flowsText(change.lost) });
  // Protocols without ports, of which the specification says nothing, are no news beside what is certain.
  const minor = !change.unsure.some(isConnection) && out.length > 0;
  if (change.unsure.length > 0 && !minor) {
    const because = change.because.map(({ code, detail }) => `${code}: ${detail}`).join("; ");
    out.push({ sign: "?", text: `${flowsText(change.unsure)}${because === "" ? "" : ` – ${because}`}` });
  }
  return out;
}

/** `added CiliumNetworkPolicy/default/service-a`. */
export function policyChangeText(policy: ChangedPolicy): string {
  return `${policy.change} ${objectName(policy)}`;
}

export function policyChangePlace(policy: ChangedPolicy): string {
  return placeText(placeOf(policy.document, ["kind"]));
}

/** What did it: changed policies, else what decides in each of the two. */
export function causeTexts(change: PairChange): readonly string[] {
  if (change.by.length > 0) return change.by.map(policyChangeText);
  const texts = change.causes.flatMap((cause) => [
    ...cause.origins.map((origin) => `${ruleName(origin)} (${cause.in})`),
    ...(cause.reason === "default-deny" ? cause.isolatedBy.map((p) => `${objectName(p)} (${cause.in})`) : []),
  ]);
  return [...new Set(texts)];
}

/** Changes that are alike but for one end, together. */
export interface FoldedChange {
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly change: PairChange;
  readonly lines: readonly ChangeLine[];
}

/** Folds first the sources of one target, then the targets of one list of sources. */
export function foldChanges(changes: readonly PairChange[]): readonly FoldedChange[] {
  const keyOf = (change: PairChange): string => JSON.stringify([changeLines(change), causeTexts(change)]);
  const bySource = new Map<string, { from: string[]; to: string; change: PairChange }>();
  for (const change of changes) {
    const key = `${change.to} ${keyOf(change)}`;
    const known = bySource.get(key);
    if (known === undefined) bySource.set(key, { from: [change.from], to: change.to, change });
    else known.from.push(change.from);
  }
  // An endpoint does not change towards itself, so "everybody to everybody" is still one change.
  const byTarget = new Map<string, { from: Set<string>; to: string[]; change: PairChange }>();
  for (const { from, to, change } of bySource.values()) {
    const key = `${JSON.stringify(from.length > 1 ? [...from, to].sort() : from)} ${keyOf(change)}`;
    const known = byTarget.get(key);
    if (known === undefined) byTarget.set(key, { from: new Set(from), to: [to], change });
    else {
      known.to.push(to);
      for (const name of from) known.from.add(name);
    }
  }
  return [...byTarget.values()].map((one) => ({ ...one, from: [...one.from], lines: changeLines(one.change) }));
}
