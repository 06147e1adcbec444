/** Address ranges as numbers: what prefixes cover, and where their edges cut the space. */

import { addressBytes, type Family, familyOf } from "./kernel/address.ts";
import type { Prefix } from "./ruleset.ts";

/** Half-open; `to` of the last range of a family is 2³² or 2¹²⁸. */
export interface Range {
  readonly from: bigint;
  readonly to: bigint;
}

export function spaceEnd(family: Family): bigint {
  return 1n << BigInt(family === 4 ? 32 : 128);
}

export function addressNumber(address: string): bigint {
  return BigInt(`0x${addressBytes(address).toString("hex")}`);
}

export function numberBytes(family: Family, value: bigint): Buffer {
  const digits = family === 4 ? 8 : 32;
  return Buffer.from(value.toString(16).padStart(digits, "0"), "hex");
}

export function cidrRange(cidr: string): Range {
  const [address = "", length = ""] = cidr.split("/");
  const bits = familyOf(address) === 4 ? 32 : 128;
  const size = 1n << BigInt(bits - (length === "" ? bits : Number(length)));
  const from = (addressNumber(address) / size) * size;
  return { from, to: from + size };
}

/** Sorted and disjoint. */
export function union(ranges: readonly Range[]): readonly Range[] {
  const sorted = ranges.toSorted((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0));
  const out: { from: bigint; to: bigint }[] = [];
  for (const range of sorted) {
    const last = out.at(-1);
    if (last !== undefined && range.from <= last.to) {
      if (range.to > last.to) last.to = range.to;
    } else {
      out.push({ from: range.from, to: range.to });
    }
  }
  return out;
}

/** `holes` sorted and disjoint. */
function subtract(range: Range, holes: readonly Range[]): readonly Range[] {
  const out: Range[] = [];
  let from = range.from;
  for (const hole of holes) {
    if (hole.to <= from || hole.from >= range.to) continue;
    if (hole.from > from) out.push({ from, to: hole.from });
    from = hole.to;
  }
  if (from < range.to) out.push({ from, to: range.to });
  return out;
}

/** The addresses of one family that any of the prefixes covers; sorted and disjoint. */
export function covered(prefixes: readonly Prefix[], family: Family): readonly Range[] {
  const ranges: Range[] = [];
  for (const { cidr, except } of prefixes) {
    if (familyOf(cidr) !== family) continue;
    ranges.push(...subtract(cidrRange(cidr), union(except.filter((hole) => familyOf(hole) === family).map(cidrRange))));
  }
  return union(ranges);
}

/** `ranges` sorted and disjoint. */
export function contains(ranges: readonly Range[], value: bigint): boolean {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const range = ranges[middle];
    if (range !== undefined && range.to <= value) low = middle + 1;
    else high = middle;
  }
  const found = ranges[low];
  return found !== undefined && found.from <= value;
}

export interface Segment<T> {
  readonly from: bigint;
  readonly to: bigint;
  readonly members: readonly T[];
}

/**
 * Cuts `[0, end)` at every edge of the members' ranges: a sweep over the edges that keeps the set of members open at
 * each point. Every point lies in exactly one segment; neighbours with equal members are one segment.
 */
export function cut<T>(
  end: bigint,
  members: readonly { readonly member: T; readonly ranges: readonly Range[] }[],
): readonly Segment<T>[] {
  const edges: { at: bigint; open: boolean; index: number }[] = [];
  for (const [index, { ranges }] of members.entries()) {
    for (const { from, to } of ranges) edges.push({ at: from, open: true, index }, { at: to, open: false, index });
  }
  edges.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  const open = new Set<number>();
  const out: { from: bigint; to: bigint; members: readonly T[]; key: string }[] = [];
  const emit = (from: bigint, to: bigint): void => {
    if (from >= to) return;
    const indices = [...open].toSorted((a, b) => a - b);
    const key = indices.join();
    const last = out.at(-1);
    if (last !== undefined && last.key === key && last.to === from) {
      last.to = to;
      return;
    }
    const names = indices.flatMap((index) => {
      const found = members[index];
      return found === undefined ? [] : [found.member];
    });
    out.push({ from, to, members: names, key });
  };
  let position = 0n;
  for (const edge of edges) {
    emit(position, edge.at);
    position = edge.at;
    if (edge.open) open.add(edge.index);
    else open.delete(edge.index);
  }
  emit(position, end);
  return out;
}
