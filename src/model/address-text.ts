/** Addresses and prefixes as manifests write them. */
import type { Cursor } from "../documents/cursor.ts";
import { type Address, formatAddress, type Prefix, parseAddress, parsePrefix } from "../net/address.ts";

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

/** The addresses without repetition, in the order of their first mention. */
export function distinctAddresses(addresses: Iterable<Address>): readonly Address[] {
  const seen = new Map<string, Address>();
  for (const address of addresses) {
    const key = formatAddress(address);
    if (!seen.has(key)) seen.set(key, address);
  }
  return [...seen.values()];
}
