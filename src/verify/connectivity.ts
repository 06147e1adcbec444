/** Complete lists of connections: what is not listed must not pass (design: `connectivity`). */

import { type AddressRange, addressSubtract, type Family, FAMILIES, maxAddress } from "../net/address.ts";
import {
  type FlowSet,
  flowsEmpty,
  flowsEqual,
  flowSubtract,
  flowUnion,
  NO_FLOWS,
  restrictFamilies,
} from "../net/flow-set.ts";
import { type Endpoint, endpointFamilies } from "../reach/endpoint.ts";
import type { Engine } from "../reach/engine.ts";
import { listFlows } from "../reach/flow-list.ts";
import { type Group, parseRange } from "../reach/inventory.ts";
import type { RowResult } from "./check.ts";
import type { ConnectivityRow } from "./expectation.ts";

/** A name of the list with what it stands for. */
interface Party {
  readonly name: string;
  readonly members: readonly Endpoint[];
  readonly range?: AddressRange;
}

export interface ConnectivityResult {
  readonly results: readonly RowResult[];
  /** Names that mean nothing. */
  readonly problems: readonly string[];
}

/**
 * Runs a complete list: one result a row, and one for each pair that is reached without being listed.
 *
 * The specification leaves open whether a host-network pod is its node or a pod like others (kubernetes.md K8-41, K8-42).
 * Under it a list may settle that either way, for the whole list alike: the engine's reading, a node, is tried first.
 */
export function checkConnectivity(engine: Engine, rows: readonly ConnectivityRow[]): ConnectivityResult {
  const asNodes = checkList(engine, rows, false);
  const open =
    engine.options.dialect.name === "kubernetes" && engine.inventory.groups.some((g) => g.workload.hostNetwork);
  if (!open || asNodes.problems.length > 0 || asNodes.results.every((r) => r.passed)) return asNodes;
  const asPods = checkList(engine, rows, true);
  return asPods.results.every((r) => r.passed) ? asPods : asNodes;
}

/** The endpoints of a workload; `asPods`: host-network pods as if they had a network of their own. */
function membersOf(group: Group, asPods: boolean): readonly Endpoint[] {
  const { workload } = group;
  if (!asPods || !workload.hostNetwork) return group.members;
  return workload.pods.map((pod) => ({ kind: "pod", workload, pod, name: group.name }));
}

function checkList(engine: Engine, rows: readonly ConnectivityRow[], asPods: boolean): ConnectivityResult {
  const problems: string[] = [];
  const parties = new Map<string, Party>();
  for (const group of engine.inventory.groups) {
    parties.set(group.name, { name: group.name, members: membersOf(group, asPods) });
  }
  const canonical = new Map<string, string>();
  for (const row of rows) {
    for (const name of [row.from, row.to]) {
      if (canonical.has(name)) continue;
      const range = parseRange(name);
      if (range !== undefined) {
        parties.set(name, { name, members: [], range });
        canonical.set(name, name);
        continue;
      }
      const resolved = engine.inventory.resolve(name);
      if (resolved.kind !== "endpoints") {
        problems.push(resolved.kind === "problem" ? resolved.message : `${name} is a Service; list its workloads`);
        continue;
      }
      const group = engine.inventory.groups.find((g) => sameMembers(g.members, resolved.members));
      const known = group === undefined ? undefined : parties.get(group.name);
      if (known === undefined) parties.set(name, { name, members: resolved.members });
      canonical.set(name, known?.name ?? name);
    }
  }
  if (problems.length > 0) return { results: [], problems };
  const ranges = [...parties.values()].flatMap((p) => (p.range === undefined ? [] : [p.range]));
  const families = FAMILIES.filter((f) => ranges.some((r) => r.family === f));
  const results = rows.map((row) => {
    const from = parties.get(canonical.get(row.from) ?? row.from);
    const to = parties.get(canonical.get(row.to) ?? row.to);
    const expected = rows
      .filter((r) => canonical.get(r.from) === from?.name && canonical.get(r.to) === to?.name)
      .reduce<FlowSet>((set, r) => flowUnion(set, r.connections), NO_FLOWS);
    return from === undefined || to === undefined
      ? rowResult(row.text, "known names", "unknown names", false)
      : comparePair(engine, row.text, from, to, expected);
  });
  const listed = new Set(rows.map((r) => `${canonical.get(r.from)} ${canonical.get(r.to)}`));
  const inside = [...parties.values()].filter((p) => p.range === undefined);
  const outside = outsidePieces(ranges, families);
  for (const a of inside) {
    for (const b of inside) {
      if (a === b || listed.has(`${a.name} ${b.name}`)) continue;
      const found = comparePair(engine, `${a.name} → ${b.name} not listed`, a, b, NO_FLOWS);
      if (!found.passed) results.push(found);
    }
    for (const piece of outside) {
      const rowsOf = (from: string, to: string): FlowSet =>
        rows
          .filter((r) => {
            const range = parseRange(r.from) ?? parseRange(r.to);
            if (range === undefined) return false;
            const other =
              parseRange(r.from) === undefined ? canonical.get(r.from) === from : canonical.get(r.to) === to;
            const direction = (parseRange(r.from) === undefined) === (to === "");
            return direction && other && addressSubtract([piece], [range]).length === 0;
          })
          .reduce<FlowSet>((set, r) => flowUnion(set, r.connections), NO_FLOWS);
      const party: Party = { name: `${piece.family} rest`, members: [], range: piece };
      for (const [from, to, want] of [
        [a, party, rowsOf(a.name, "")],
        [party, a, rowsOf("", a.name)],
      ] as const) {
        if (!flowsEmpty(want)) continue;
        const found = comparePair(engine, `${from.name} → ${to.name} not listed`, from, to, NO_FLOWS);
        if (!found.passed) results.push(found);
      }
    }
  }
  return { results, problems };
}

function sameMembers(a: readonly Endpoint[], b: readonly Endpoint[]): boolean {
  return a.length === b.length && a.every((x) => b.includes(x));
}

/** The whole outside of each family, cut where a listed range begins or ends. */
function outsidePieces(ranges: readonly AddressRange[], families: readonly Family[]): AddressRange[] {
  const out: AddressRange[] = [];
  for (const family of families) {
    const cuts = new Set<bigint>([0n]);
    for (const range of ranges) {
      if (range.family !== family) continue;
      cuts.add(range.first);
      if (range.last < maxAddress(family)) cuts.add(range.last + 1n);
    }
    const sorted = [...cuts].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    for (const [i, first] of sorted.entries()) {
      const next = sorted[i + 1];
      out.push({ family, first, last: next === undefined ? maxAddress(family) : next - 1n });
    }
  }
  return out;
}

function comparePair(engine: Engine, text: string, from: Party, to: Party, expected: FlowSet): RowResult {
  const ofParty = (party: Party): readonly Endpoint[] =>
    party.range === undefined ? party.members : engine.inventory.outside([party.range]);
  for (const a of ofParty(from)) {
    for (const b of ofParty(to)) {
      const families = endpointFamilies(a).filter((f) => endpointFamilies(b).includes(f));
      const bounds = engine.connections.between(a, b);
      const want = restrictFamilies(expected, families);
      const must = restrictFamilies(bounds.must, families);
      const may = restrictFamilies(bounds.may, families);
      if (flowsEqual(must, want) && flowsEqual(may, want)) continue;
      // What the specification leaves open (ICMP under NetworkPolicy, kubernetes.md K8-33) the list may settle either way.
      const open = bounds.because.length > 0 && bounds.because.every((x) => x.code === "undefined-by-specification");
      if (open && flowsEmpty(flowSubtract(must, want)) && flowsEmpty(flowSubtract(want, may))) continue;
      const unsure = flowsEqual(must, may) ? "" : ` (unsure: ${bounds.because.map((x) => x.code).join(", ")})`;
      return rowResult(
        text,
        flowsText(want, families),
        `${flowsText(must, families)}${unsure} between ${a.name} and ${b.name}`,
        false,
      );
    }
  }
  return rowResult(text, "as listed", "as listed", true);
}

function rowResult(text: string, expected: string, actual: string, passed: boolean): RowResult {
  return { text, expected, actual, passed, decidedBy: [], why: "" };
}

/** A set of flows in one line. */
export function flowsText(set: FlowSet, families: readonly Family[]): string {
  const entries = listFlows(set, families);
  if (entries.length === 0) return "No Connections";
  return entries
    .map((e) => {
      if (e.protocol === "any") return "All Connections";
      const what = e.icmp === undefined ? e.ports : `type ${e.icmp.type}`;
      return `${e.family === "any" ? "" : `${e.family} `}${e.protocol} ${what}`;
    })
    .join("; ");
}
