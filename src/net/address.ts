/** Addresses and prefixes of both families as numbers (RFC 4632, RFC 4291), and exact sets of them. */

export type Family = "IPv4" | "IPv6";

/** One address: its family and its value as an unsigned number of 32 or 128 bits. */
export interface Address {
  readonly family: Family;
  readonly value: bigint;
}

/** A prefix; host bits of `base` are zero. */
export interface Prefix {
  readonly family: Family;
  readonly base: bigint;
  readonly length: number;
}

/** Inclusive on both ends. */
export interface AddressRange {
  readonly family: Family;
  readonly first: bigint;
  readonly last: bigint;
}

export const FAMILIES: readonly Family[] = ["IPv4", "IPv6"];

export function familyBits(family: Family): number {
  return family === "IPv4" ? 32 : 128;
}

/** The highest address of a family. */
export function maxAddress(family: Family): bigint {
  return (1n << BigInt(familyBits(family))) - 1n;
}

function parseV4(text: string): bigint | undefined {
  let value = 0;
  let parts = 0;
  let part = -1;
  for (let i = 0; i <= text.length; i++) {
    const digit = i === text.length ? DOT : text.charCodeAt(i) - 48;
    if (digit === DOT) {
      if (part < 0) return undefined;
      value = value * 256 + part;
      part = -1;
      parts++;
      continue;
    }
    // Go's net/netip refuses leading zeros, which some systems read as octal.
    if (digit < 0 || digit > 9 || part === 0) return undefined;
    part = part < 0 ? digit : part * 10 + digit;
    if (part > 255) return undefined;
  }
  return parts === 4 ? BigInt(value) : undefined;
}

/** The dot as `parseV4` counts characters, from the digit 0. */
const DOT = -2;

function parseV6(text: string): bigint | undefined {
  let body = text;
  if (body.includes("%")) return undefined;
  const tail = body.lastIndexOf(":");
  if (tail >= 0 && body.indexOf(".", tail) > 0) {
    const v4 = parseV4(body.slice(tail + 1));
    if (v4 === undefined) return undefined;
    body = `${body.slice(0, tail + 1)}${(v4 >> 16n).toString(16)}:${(v4 & 0xffffn).toString(16)}`;
  }
  const halves = body.split("::");
  if (halves.length > 2) return undefined;
  const groups = (half: string | undefined): string[] => (half === undefined || half === "" ? [] : half.split(":"));
  const left = groups(halves[0]);
  const right = groups(halves[1]);
  const missing = 8 - left.length - right.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  let value = 0n;
  for (const group of [...left, ...Array.from({ length: halves.length === 2 ? missing : 0 }, () => "0"), ...right]) {
    if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return undefined;
    value = (value << 16n) | BigInt(Number.parseInt(group, 16));
  }
  return value;
}

/** Reads an address in text form; undefined where it is none. An IPv4-mapped IPv6 address stays IPv6. */
export function parseAddress(text: string): Address | undefined {
  const family: Family = text.includes(":") ? "IPv6" : "IPv4";
  const value = family === "IPv4" ? parseV4(text) : parseV6(text);
  return value === undefined ? undefined : { family, value };
}

/**
 * Reads `ADDRESS/LENGTH`; host bits are cleared (Kubernetes and Cilium compare the masked network). Undefined where
 * the text is no prefix, a bare address included.
 */
export function parsePrefix(text: string): Prefix | undefined {
  const slash = text.indexOf("/");
  if (slash < 0) return undefined;
  const address = parseAddress(text.slice(0, slash));
  const digits = text.slice(slash + 1);
  if (address === undefined || !/^(0|[1-9][0-9]{0,2})$/.test(digits)) return undefined;
  const length = Number(digits);
  if (length > familyBits(address.family)) return undefined;
  return { family: address.family, base: maskAddress(address, length), length };
}

/** The prefix of one address alone (/32 or /128). */
export function hostPrefix(address: Address): Prefix {
  return { family: address.family, base: address.value, length: familyBits(address.family) };
}

function maskAddress(address: Address, length: number): bigint {
  const shift = BigInt(familyBits(address.family) - length);
  return (address.value >> shift) << shift;
}

export function prefixRange(prefix: Prefix): AddressRange {
  const size = 1n << BigInt(familyBits(prefix.family) - prefix.length);
  return { family: prefix.family, first: prefix.base, last: prefix.base + size - 1n };
}

/** Whether every address of `inner` lies in `outer`. */
export function prefixContains(outer: Prefix, inner: Prefix): boolean {
  if (outer.family !== inner.family || inner.length < outer.length) return false;
  return maskAddress({ family: inner.family, value: inner.base }, outer.length) === outer.base;
}

export function formatAddress(address: Address): string {
  if (address.family === "IPv4") {
    const v = address.value;
    return [24n, 16n, 8n, 0n].map((shift) => ((v >> shift) & 255n).toString()).join(".");
  }
  const groups = Array.from({ length: 8 }, (_, i) => Number((address.value >> BigInt(112 - 16 * i)) & 0xffffn));
  // RFC 5952: the longest run of at least two zero groups becomes "::", the first such run on a tie.
  let best = { start: -1, length: 1 };
  for (let i = 0; i < 8; i++) {
    let j = i;
    while (j < 8 && groups[j] === 0) j++;
    if (j - i > best.length) best = { start: i, length: j - i };
    if (j > i) i = j;
  }
  const hex = (list: readonly number[]): string => list.map((g) => g.toString(16)).join(":");
  if (best.start < 0) return hex(groups);
  return `${hex(groups.slice(0, best.start))}::${hex(groups.slice(best.start + best.length))}`;
}

export function formatPrefix(prefix: Prefix): string {
  return `${formatAddress({ family: prefix.family, value: prefix.base })}/${prefix.length}`;
}

/** A range as its one prefix where it is one, else `first-last`. */
export function formatRange(range: AddressRange): string {
  const prefixes = rangePrefixes(range);
  const only = prefixes[0];
  if (prefixes.length === 1 && only !== undefined) return formatPrefix(only);
  const text = (value: bigint): string => formatAddress({ family: range.family, value });
  return `${text(range.first)}-${text(range.last)}`;
}

/** The fewest prefixes that cover exactly the range, in order. */
export function rangePrefixes(range: AddressRange): Prefix[] {
  const out: Prefix[] = [];
  const bits = familyBits(range.family);
  let first = range.first;
  while (first <= range.last) {
    let free = 0;
    while (free < bits) {
      const size = 1n << BigInt(free + 1);
      if (first % size !== 0n || first + size - 1n > range.last) break;
      free++;
    }
    out.push({ family: range.family, base: first, length: bits - free });
    first += 1n << BigInt(free);
  }
  return out;
}

/** A set of addresses of both families. INVARIANT: sorted by family and start, disjoint, not adjacent; build through `addressSet`. */
export type AddressSet = readonly AddressRange[];

export const NO_ADDRESSES: AddressSet = [];

export const ALL_ADDRESSES: AddressSet = FAMILIES.map((family) => ({ family, first: 0n, last: maxAddress(family) }));

function compareRanges(a: AddressRange, b: AddressRange): number {
  if (a.family !== b.family) return a.family === "IPv4" ? -1 : 1;
  if (a.first !== b.first) return a.first < b.first ? -1 : 1;
  return 0;
}

/** Normalises ranges into a set. */
export function addressSet(ranges: Iterable<AddressRange>): AddressSet {
  const sorted = [...ranges].sort(compareRanges);
  const out: AddressRange[] = [];
  for (const range of sorted) {
    const last = out.at(-1);
    if (last !== undefined && last.family === range.family && range.first <= last.last + 1n) {
      if (range.last > last.last) out[out.length - 1] = { family: last.family, first: last.first, last: range.last };
    } else out.push(range);
  }
  return out;
}

export function addressSetOf(prefixes: Iterable<Prefix>): AddressSet {
  return addressSet([...prefixes].map(prefixRange));
}

export function addressUnion(a: AddressSet, b: AddressSet): AddressSet {
  return addressSet([...a, ...b]);
}

export function addressIntersect(a: AddressSet, b: AddressSet): AddressSet {
  const out: AddressRange[] = [];
  let i = 0;
  let j = 0;
  for (;;) {
    const x = a[i];
    const y = b[j];
    if (x === undefined || y === undefined) return out;
    if (x.family !== y.family) {
      if (x.family === "IPv4") i++;
      else j++;
      continue;
    }
    const first = x.first > y.first ? x.first : y.first;
    const last = x.last < y.last ? x.last : y.last;
    if (first <= last) out.push({ family: x.family, first, last });
    if (x.last < y.last) i++;
    else j++;
  }
}

export function addressSubtract(a: AddressSet, b: AddressSet): AddressSet {
  const out: AddressRange[] = [];
  for (const x of a) {
    let first = x.first;
    for (let j = firstReaching(b, x); j < b.length; j++) {
      const y = b[j];
      if (y === undefined || y.family !== x.family || y.first > x.last) break;
      if (y.first > first) out.push({ family: x.family, first, last: y.first - 1n });
      first = y.last + 1n;
    }
    if (first <= x.last) out.push({ family: x.family, first, last: x.last });
  }
  return out;
}

/** Index of the first range of the set that does not end before `range` begins; logarithmic. */
function firstReaching(set: AddressSet, range: AddressRange): number {
  let low = 0;
  let high = set.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const one = set[middle];
    const before =
      one !== undefined &&
      (one.family === range.family ? one.last < range.first : one.family === "IPv4" && range.family === "IPv6");
    if (before) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Whether the set holds the whole range, part of it, or nothing of it; logarithmic in the number of ranges. */
export function addressSetCovers(set: AddressSet, range: AddressRange): "all" | "part" | "none" {
  const one = set[firstReaching(set, range)];
  if (one === undefined || one.family !== range.family || one.first > range.last) return "none";
  return one.first <= range.first && range.last <= one.last ? "all" : "part";
}

/** Whether the set holds the address; logarithmic in the number of ranges. */
export function addressSetHas(set: AddressSet, address: Address): boolean {
  const key: AddressRange = { family: address.family, first: address.value, last: address.value };
  let low = 0;
  let high = set.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const range = set[middle];
    if (range === undefined) return false;
    if (range.family === address.family && range.first <= address.value && address.value <= range.last) return true;
    if (compareRanges(range, key) < 0) low = middle + 1;
    else high = middle - 1;
  }
  return false;
}
