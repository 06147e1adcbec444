/** Addresses and prefixes as manifests write them. */
import type { Cursor } from "../documents/cursor.ts";
import { type Address, type Prefix, parseAddress, parsePrefix } from "../net/address.ts";

/** The address at the cursor; `undefined` when absent or empty or, reported as BH246, when it is none. */
export function decodeAddress(cursor: Cursor): Address | undefined {
  const text = cursor.string();
  if (text === undefined || text === "") return undefined;
  const address = parseAddress(text);
  if (address === undefined) cursor.error("BH246", `${cursor.describe()}: ${JSON.stringify(text)} is not an address`);
  return address;
}

/** The prefix at the cursor; `undefined` when absent or empty or, reported as BH246, when it is none. */
export function decodePrefix(cursor: Cursor): Prefix | undefined {
  const text = cursor.string();
  if (text === undefined || text === "") return undefined;
  const prefix = parsePrefix(text);
  if (prefix === undefined)
    cursor.error("BH246", `${cursor.describe()}: ${JSON.stringify(text)} is not a prefix such as 10.9.8.0/24`);
  return prefix;
}

/** The addresses without repetition, in the order of their first mention; for the few that one object has. */
export function distinctAddresses(addresses: readonly Address[]): readonly Address[] {
  if (addresses.length < 2) return addresses;
  const out: Address[] = [];
  for (const address of addresses) if (!out.some((one) => sameAddress(one, address))) out.push(address);
  return out;
}

export function sameAddress(a: Address, b: Address): boolean {
  return a.family === b.family && a.value === b.value;
}
