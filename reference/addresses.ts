/** IP addresses and prefixes as numbers: no tables, no tricks. */

export type Family = "IPv4" | "IPv6";

export interface Address {
  readonly family: Family;
  readonly value: bigint;
}

export interface Prefix {
  readonly family: Family;
  /** Masked: host bits are zero (K8-69). */
  readonly value: bigint;
  readonly length: number;
}

/** First and last address, inclusive. */
export interface AddressRange {
  readonly family: Family;
  readonly first: bigint;
  readonly last: bigint;
}

export function widthOf(family: Family): number {
  return family === "IPv4" ? 32 : 128;
}

export function parseAddress(text: string): Address | undefined {
  const four = parseFour(text, false);
  if (four !== undefined) return { family: "IPv4", value: four };
  const six = parseSix(text);
  return six === undefined ? undefined : { family: "IPv6", value: six };
}

/** Decimal numbers; a leading zero is refused unless `lenient`, which reads it as decimal (K8-60). */
function parseFour(text: string, lenient: boolean): bigint | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  let value = 0n;
  for (const part of parts) {
    if (!/^[0-9]{1,3}$/.test(part) && !(lenient && /^0*[0-9]{1,3}$/.test(part))) return undefined;
    if (!lenient && part.length > 1 && part.startsWith("0")) return undefined;
    const number = Number(part);
    if (number > 255) return undefined;
    value = (value << 8n) | BigInt(number);
  }
  return value;
}

function parseSix(text: string): bigint | undefined {
  if (!/^[0-9a-fA-F:.]+$/.test(text) || !text.includes(":")) return undefined;
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const head = groupsOf(halves[0] ?? "", halves.length === 1);
  const tail = halves.length === 2 ? groupsOf(halves[1] ?? "", true) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const groups = [...head, ...Array.from({ length: missing }, () => 0), ...tail];
  return groups.reduce((value, group) => (value << 16n) | BigInt(group), 0n);
}

/** The 16-bit groups of one side of `::`; the last may be a dotted IPv4 address. */
function groupsOf(text: string, mayEndDotted: boolean): number[] | undefined {
  if (text === "") return [];
  const groups: number[] = [];
  const parts = text.split(":");
  for (const [index, part] of parts.entries()) {
    if (part.includes(".")) {
      const four = mayEndDotted && index === parts.length - 1 ? parseFour(part, false) : undefined;
      if (four === undefined) return undefined;
      groups.push(Number(four >> 16n), Number(four & 0xffffn));
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return undefined;
      groups.push(Number.parseInt(part, 16));
    }
  }
  return groups;
}

/** `IP/len`; host bits are masked away. */
export function parsePrefix(text: string): Prefix | undefined {
  const slash = text.indexOf("/");
  if (slash < 0) return undefined;
  const length = text.slice(slash + 1);
  if (!/^(0|[1-9][0-9]{0,2})$/.test(length)) return undefined;
  const address = parseAddress(text.slice(0, slash));
  return address === undefined ? undefined : prefixOf(address, Number(length));
}

/** As `parsePrefix`, with leading zeros in the address and in the length read as decimal (K8-60). */
export function parsePrefixLeniently(text: string): Prefix | undefined {
  const exact = parsePrefix(text);
  if (exact !== undefined) return exact;
  const match = /^([0-9.]+)\/0*([0-9]{1,3})$/.exec(text);
  const value = parseFour(match?.[1] ?? "", true);
  return value === undefined ? undefined : prefixOf({ family: "IPv4", value }, Number(match?.[2]));
}

/** `IP/len`, or a bare IP as the prefix of that one address. */
export function parsePrefixOrAddress(text: string): Prefix | undefined {
  const address = parseAddress(text);
  return address === undefined ? parsePrefix(text) : prefixOf(address, widthOf(address.family));
}

function prefixOf(address: Address, length: number): Prefix | undefined {
  const width = widthOf(address.family);
  if (length > width) return undefined;
  const host = BigInt(width - length);
  return { family: address.family, value: (address.value >> host) << host, length };
}

/** A CIDR of one family never matches the other (K8-25). */
export function isInside(address: Address, prefix: Prefix): boolean {
  const range = rangeOf(prefix);
  return address.family === range.family && range.first <= address.value && address.value <= range.last;
}

/** Whether `inner` lies in `outer`; equal counts. */
export function isWithin(inner: Prefix, outer: Prefix): boolean {
  return inner.length >= outer.length && isInside({ family: inner.family, value: inner.value }, outer);
}

export function halvesOf({ family, value, length }: Prefix): readonly Prefix[] {
  const bit = 1n << BigInt(widthOf(family) - length - 1);
  return [value, value | bit].map((first) => ({ family, value: first, length: length + 1 }));
}

export function areDisjoint(a: Prefix, b: Prefix): boolean {
  return !isWithin(a, b) && !isWithin(b, a);
}

export function rangeOf(prefix: Prefix): AddressRange {
  const size = 1n << BigInt(widthOf(prefix.family) - prefix.length);
  return { family: prefix.family, first: prefix.value, last: prefix.value + size - 1n };
}

export function sameAddress(a: Address, b: Address): boolean {
  return a.family === b.family && a.value === b.value;
}

/** A dotted or full hexadecimal form, for messages and keys. */
export function showAddress(address: Address): string {
  if (address.family === "IPv4")
    return [24n, 16n, 8n, 0n].map((shift) => String((address.value >> shift) & 0xffn)).join(".");
  const groups = Array.from({ length: 8 }, (_, index) => (address.value >> BigInt(112 - 16 * index)) & 0xffffn);
  return groups.map((group) => group.toString(16)).join(":");
}

export function showPrefix(prefix: Prefix): string {
  return `${showAddress({ family: prefix.family, value: prefix.value })}/${prefix.length}`;
}
