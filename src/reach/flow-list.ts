/** Sets of flows as lists that people and scripts read: disjoint, maximal entries. */

import type { Family } from "../net/address.ts";
import { type Application, EVERYTHING } from "../net/application.ts";
import { BUCKETS, type Band, type FlowSet } from "../net/flow-set.ts";
import { hasPorts, portDomain, PROTOCOLS, type Protocol } from "../net/protocol.ts";

/** `other` stands for every IP protocol that has no name here. */
export type ListedProtocol = Exclude<Protocol, "OTHER"> | "any" | "other";

export interface FlowEntry {
  /** `any`: the same in every family that both ends have. */
  readonly family: "any" | Family;
  readonly protocol: ListedProtocol;
  /** Ranges as `80,443,8000-8080`; `*` for every port, and for protocols without ports. */
  readonly ports: string;
  /** ICMP types, as ranges; absent for other protocols and where every type is meant. */
  readonly icmp?: { readonly type: string };
  readonly application: Application;
  /** The flows of this entry alone. */
  readonly ranges: readonly { readonly first: number; readonly last: number }[];
}

interface Piece {
  readonly protocol: Protocol;
  readonly application: Application;
  readonly ranges: readonly { readonly first: number; readonly last: number }[];
}

/** Lists a set. Takes the families that both ends have: a set that is the same in all of them says `any`. */
export function listFlows(set: FlowSet, families: readonly Family[]): FlowEntry[] {
  const perFamily = new Map(families.map((family) => [family, pieces(set, family)] as const));
  const out: FlowEntry[] = [];
  const [firstFamily] = families;
  if (firstFamily === undefined) return out;
  if (families.every((family) => isWhole(set, family))) {
    return [{ family: "any", protocol: "any", ports: "*", application: EVERYTHING, ranges: [] }];
  }
  for (const protocol of PROTOCOLS) {
    const having = families.filter((f) => BUCKETS.some((b) => b.family === f && b.protocol === protocol));
    const lists = having.map((f) => (perFamily.get(f) ?? []).filter((p) => p.protocol === protocol));
    const [sample] = lists;
    if (sample === undefined) continue;
    const key = piecesKey(sample);
    const same = lists.every((list) => piecesKey(list) === key);
    if (same) {
      for (const piece of sample) out.push(entry("any", piece));
      continue;
    }
    for (const [i, family] of having.entries()) {
      for (const piece of lists[i] ?? []) out.push(entry(family, piece));
    }
  }
  return out;
}

function isWhole(set: FlowSet, family: Family): boolean {
  return BUCKETS.every((bucket) => {
    if (bucket.family !== family) return true;
    const bands = set[bucket.index] ?? [];
    const [band] = bands;
    return bands.length === 1 && band !== undefined && isWholeBand(band, bucket.protocol);
  });
}

function isWholeBand(band: Band, protocol: Protocol): boolean {
  const domain = portDomain(protocol);
  return band.first === domain.first && band.last === domain.last && band.application === EVERYTHING;
}

/** The bands of a family, gathered by protocol and application part. */
function pieces(set: FlowSet, family: Family): Piece[] {
  const out: Piece[] = [];
  for (const bucket of BUCKETS) {
    if (bucket.family !== family) continue;
    const byApplication = new Map<string, { application: Application; ranges: { first: number; last: number }[] }>();
    for (const band of set[bucket.index] ?? []) {
      const known = byApplication.get(band.application.key);
      const range = { first: band.first, last: band.last };
      if (known === undefined)
        byApplication.set(band.application.key, { application: band.application, ranges: [range] });
      else known.ranges.push(range);
    }
    for (const piece of byApplication.values()) out.push({ protocol: bucket.protocol, ...piece });
  }
  return out;
}

function piecesKey(list: readonly Piece[]): string {
  return list.map((p) => `${p.application.key} ${rangesText(p.ranges, p.protocol)}`).join(";");
}

/** Ranges as text; `*` where they are everything. */
export function rangesText(
  ranges: readonly { readonly first: number; readonly last: number }[],
  protocol: Protocol,
): string {
  const domain = portDomain(protocol);
  const [only] = ranges;
  if (ranges.length === 1 && only !== undefined && only.first === domain.first && only.last === domain.last) return "*";
  return ranges.map((r) => (r.first === r.last ? `${r.first}` : `${r.first}-${r.last}`)).join(",");
}

function entry(family: "any" | Family, piece: Piece): FlowEntry {
  const text = rangesText(piece.ranges, piece.protocol);
  const icmp = piece.protocol === "ICMP" || piece.protocol === "ICMPv6";
  return {
    family,
    protocol: piece.protocol === "OTHER" ? "other" : piece.protocol,
    ports: hasPorts(piece.protocol) ? text : "*",
    ...(icmp && text !== "*" ? { icmp: { type: text } } : {}),
    application: piece.application,
    ranges: piece.ranges,
  };
}
