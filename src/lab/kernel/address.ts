/** Addresses as the kernel takes them: raw bytes in network order, and `sockaddr` structures (ip(7), ipv6(7)). */

import { AF_INET, AF_INET6 } from "./libc.ts";

export type Family = 4 | 6;

export function familyOf(address: string): Family {
  return address.includes(":") ? 6 : 4;
}

const known = new Map<string, Buffer>();
const KNOWN_MAX = 50_000;

/** 4 or 16 bytes, not to be written to; throws on text that is no address. */
export function addressBytes(address: string): Buffer {
  const before = known.get(address);
  if (before !== undefined) return before;
  const bytes = familyOf(address) === 4 ? ipv4Bytes(address) : ipv6Bytes(address);
  if (known.size >= KNOWN_MAX) known.clear();
  known.set(address, bytes);
  return bytes;
}

function ipv4Bytes(address: string): Buffer {
  const parts = address.split(".");
  const bytes = Buffer.alloc(4);
  if (parts.length !== 4) throw new RangeError(`not an IPv4 address: ${address}`);
  for (const [index, part] of parts.entries()) {
    const value = Number(part);
    if (!/^\d{1,3}$/.test(part) || value > 255) throw new RangeError(`not an IPv4 address: ${address}`);
    bytes[index] = value;
  }
  return bytes;
}

function ipv6Bytes(address: string): Buffer {
  const bad = new RangeError(`not an IPv6 address: ${address}`);
  let text = address;
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  if (dotted !== null) {
    const tail = ipv4Bytes(dotted[2] ?? "");
    text = `${dotted[1]}${tail.readUInt16BE(0).toString(16)}:${tail.readUInt16BE(2).toString(16)}`;
  }
  const halves = text.split("::");
  if (halves.length > 2) throw bad;
  const head = (halves[0] ?? "") === "" ? [] : (halves[0] ?? "").split(":");
  const tail = halves.length < 2 || halves[1] === "" ? [] : (halves[1] ?? "").split(":");
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) throw bad;
  const groups = [...head, ...Array<string>(missing).fill("0"), ...tail];
  const bytes = Buffer.alloc(16);
  for (const [index, group] of groups.entries()) {
    if (!/^[0-9a-fA-F]{1,4}$/.test(group)) throw bad;
    bytes.writeUInt16BE(Number.parseInt(group, 16), index * 2);
  }
  return bytes;
}

/** Canonical text (RFC 5952); an IPv4-mapped IPv6 address becomes IPv4. */
export function addressText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  const view = Buffer.from(bytes);
  if (view.subarray(0, 10).every((byte) => byte === 0) && view.readUInt16BE(10) === 0xffff)
    return view.subarray(12).join(".");
  const groups = Array.from({ length: 8 }, (_, index) => view.readUInt16BE(index * 2));
  let best = { start: 0, length: 0 };
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  const hex = groups.map((group) => group.toString(16));
  if (best.length < 2) return hex.join(":");
  return `${hex.slice(0, best.start).join(":")}::${hex.slice(best.start + best.length).join(":")}`;
}

/** The same address, one spelling. */
export function canonical(address: string): string {
  return addressText(addressBytes(address));
}

/** `struct sockaddr_in` or `sockaddr_in6`. */
export function socketAddress(address: string, port: number): Buffer {
  const bytes = addressBytes(address);
  if (bytes.length === 4) {
    const out = Buffer.alloc(16);
    out.writeUInt16LE(AF_INET, 0);
    out.writeUInt16BE(port, 2);
    bytes.copy(out, 4);
    return out;
  }
  const out = Buffer.alloc(28);
  out.writeUInt16LE(AF_INET6, 0);
  out.writeUInt16BE(port, 2);
  bytes.copy(out, 8);
  return out;
}

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

export function readSocketAddress(bytes: Buffer): Endpoint {
  const family = bytes.readUInt16LE(0);
  if (family === AF_INET) return { address: addressText(bytes.subarray(4, 8)), port: bytes.readUInt16BE(2) };
  if (family === AF_INET6) return { address: addressText(bytes.subarray(8, 24)), port: bytes.readUInt16BE(2) };
  throw new RangeError(`address family ${family}`);
}
