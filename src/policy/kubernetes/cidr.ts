/** CIDRs of `ipBlock` as the API server reads them in fields that older releases did not check strictly (K8-60). */
import type { Cursor } from "../../documents/cursor.ts";
import { formatPrefix, parseAddress, parsePrefix, type Prefix } from "../../net/address.ts";
import { invalid } from "./refusals.ts";

/**
 * Reads a CIDR with leading zeros and host bits allowed, as numbers in base ten (K8-60).
 *
 * Returns the masked prefix (K8-69); reports what is no CIDR (K8-58), and warns of what a strict server refuses.
 */
export function decodeLegacyCidr(cursor: Cursor, text: string): Prefix | undefined {
  const plain = withoutLeadingZeros(text);
  const prefix = parsePrefix(plain);
  if (prefix === undefined) {
    invalid(cursor, text, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)", {
      help: parseAddress(plain) === undefined ? null : `One address alone is ${text}/${text.includes(":") ? 128 : 32}.`,
    });
    return undefined;
  }
  if (plain !== text) legacy(cursor, prefix, "must not have leading 0s in IP or prefix length");
  const written = parseAddress(plain.slice(0, plain.indexOf("/")));
  if (written !== undefined && written.value !== prefix.base)
    legacy(cursor, prefix, "must not have bits set beyond the prefix length");
  if (isMapped(prefix)) legacy(cursor, prefix, "must not be an IPv4-mapped IPv6 address");
  return prefix;
}

/** Reads a CIDR as the CEL function `isCIDR` takes it (CNP-11): no leading zeros; host bits are masked. */
export function parseStrictCidr(text: string): Prefix | undefined {
  const prefix = parsePrefix(text);
  return prefix === undefined || isMapped(prefix) ? undefined : prefix;
}

function legacy(cursor: Cursor, prefix: Prefix, complaint: string): void {
  cursor.warning("BH106", `${cursor.describe()}: ${complaint}; read as ${formatPrefix(prefix)}`);
}

/** `::ffff:0:0/96` and what lies in it. */
function isMapped(prefix: Prefix): boolean {
  return prefix.family === "IPv6" && prefix.length >= 96 && prefix.base >> 32n === 0xffffn;
}

function withoutLeadingZeros(text: string): string {
  if (!/^[0-9a-fA-F.:/]{3,100}$/.test(text)) return text;
  const [address = "", ...rest] = text.split("/");
  const groups = address.split(":");
  // Zeros within an IPv6 group of four digits are its usual writing; only five and more digits need trimming.
  const clean = groups.map((group) =>
    group.includes(".") || groups.length === 1
      ? group.split(".").map(trim).join(".")
      : group.length > 4
        ? trim(group)
        : group,
  );
  return [clean.join(":"), ...rest.map(trim)].join("/");
}

function trim(digits: string): string {
  return digits.replace(/^0+(?=[0-9a-fA-F])/, "");
}
