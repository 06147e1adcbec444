/**
 * The expressions of an nftables rule (`include/uapi/linux/netfilter/nf_tables.h`). A rule is a list of them; one that
 * does not match ends the rule.
 *
 * Written as bytecode and not as text for the `nft` program, because a rule here looks up several maps and uses the
 * results together as the key of another, which the program's language cannot say.
 */

import type { MessageWriter } from "./netlink.ts";

/** 32-bit registers; wider values take the following ones too. */
export const REGISTER = (index: number): number => 8 + index;
const VERDICT_REGISTER = 0;

export type Expression = (writer: MessageWriter) => void;

/** How a rule or a map's element ends. */
export type Verdict =
  | { readonly kind: "accept" | "drop" | "return" }
  | { readonly kind: "jump" | "goto"; readonly chain: string };

export const ACCEPT: Verdict = { kind: "accept" };
export const DROP: Verdict = { kind: "drop" };
export const RETURN: Verdict = { kind: "return" };
export const jump = (chain: string): Verdict => ({ kind: "jump", chain });
export const goTo = (chain: string): Verdict => ({ kind: "goto", chain });

const VERDICT_CODE = { drop: 0, accept: 1, jump: -3, goto: -4, return: -5 } as const;
const NFTA_DATA_VALUE = 1;
const NFTA_DATA_VERDICT = 2;

/** Writes a verdict as the data of an element or of an immediate. */
export function writeVerdict(w: MessageWriter, attribute: number, verdict: Verdict): void {
  const data = w.open(attribute);
  const nested = w.open(NFTA_DATA_VERDICT);
  w.be32(1, VERDICT_CODE[verdict.kind]);
  if (verdict.kind === "jump" || verdict.kind === "goto") w.text(2, verdict.chain);
  w.close(nested);
  w.close(data);
}

export function writeValue(w: MessageWriter, attribute: number, value: Uint8Array): void {
  const data = w.open(attribute);
  w.attribute(NFTA_DATA_VALUE, value);
  w.close(data);
}

function expression(name: string, fill: Expression): Expression {
  return (w) => {
    const element = w.open(1);
    w.text(1, name);
    const data = w.open(2);
    fill(w);
    w.close(data);
    w.close(element);
  };
}

export type PayloadBase = "network" | "transport";

/** Bytes of the packet's header. */
export function payload(base: PayloadBase, offset: number, length: number, to: number): Expression {
  return expression("payload", (w) => {
    w.be32(1, to);
    w.be32(2, base === "network" ? 1 : 2);
    w.be32(3, offset);
    w.be32(4, length);
  });
}

const META = {
  mark: 3,
  inputIndex: 4,
  outputIndex: 5,
  inputName: 6,
  outputName: 7,
  networkProtocol: 15,
  protocol: 16,
} as const;
export type MetaKey = keyof typeof META;

export function meta(key: MetaKey, to: number): Expression {
  return expression("meta", (w) => {
    w.be32(1, to);
    w.be32(2, META[key]);
  });
}

export function setMeta(key: MetaKey, from: number): Expression {
  return expression("meta", (w) => {
    w.be32(2, META[key]);
    w.be32(3, from);
  });
}

const CONNTRACK = { state: 0, direction: 1, status: 2, mark: 3 } as const;
export type ConntrackKey = keyof typeof CONNTRACK;
/** Bits of `ct state`. */
export const CT_ESTABLISHED = 2;
export const CT_RELATED = 4;
export const CT_NEW = 8;
/** Bit of `ct status`: the destination was translated. */
export const CT_DST_NAT = 0x20;
/** `ct direction`. */
export const CT_ORIGINAL = 0;
export const CT_REPLY = 1;

export function conntrack(key: ConntrackKey, to: number): Expression {
  return expression("ct", (w) => {
    w.be32(1, to);
    w.be32(2, CONNTRACK[key]);
  });
}

export function setConntrackMark(from: number): Expression {
  return expression("ct", (w) => {
    w.be32(2, CONNTRACK.mark);
    w.be32(4, from);
  });
}

const COMPARISON = { eq: 0, neq: 1, lt: 2, lte: 3, gt: 4, gte: 5 } as const;

export function compare(register: number, operator: keyof typeof COMPARISON, value: Uint8Array): Expression {
  return expression("cmp", (w) => {
    w.be32(1, register);
    w.be32(2, COMPARISON[operator]);
    writeValue(w, 3, value);
  });
}

/** register = (register & mask) ^ 0, over 4 bytes. */
export function mask(register: number, bits: Uint8Array): Expression {
  return expression("bitwise", (w) => {
    w.be32(1, register);
    w.be32(2, register);
    w.be32(3, bits.length);
    writeValue(w, 4, bits);
    writeValue(w, 5, Buffer.alloc(bits.length));
  });
}

/** register = register with these bits set, over 4 bytes. */
export function setBits(register: number, bits: Uint8Array): Expression {
  return expression("bitwise", (w) => {
    w.be32(1, register);
    w.be32(2, register);
    w.be32(3, bits.length);
    writeValue(
      w,
      4,
      bits.map((byte) => ~byte),
    );
    writeValue(w, 5, bits);
  });
}

export function immediate(to: number, value: Uint8Array): Expression {
  return expression("immediate", (w) => {
    w.be32(1, to);
    writeValue(w, 2, value);
  });
}

export function verdict(value: Verdict): Expression {
  return expression("immediate", (w) => {
    w.be32(1, VERDICT_REGISTER);
    writeVerdict(w, 2, value);
  });
}

/** Matches when the key, read from the registers at `key`, is in the set. */
export function member(set: string, key: number, inverted = false): Expression {
  return expression("lookup", (w) => {
    w.text(1, set);
    w.be32(2, key);
    if (inverted) w.be32(5, 1);
  });
}

/** Matches when the key is in the map; its value goes to the registers at `to`. */
export function lookUp(map: string, key: number, to: number): Expression {
  return expression("lookup", (w) => {
    w.text(1, map);
    w.be32(2, key);
    w.be32(3, to);
  });
}

/** Ends with the verdict that the map holds for the key. */
export function lookUpVerdict(map: string, key: number): Expression {
  return lookUp(map, key, VERDICT_REGISTER);
}

/** Longest text that the kernel keeps of a log prefix (NF_LOG_PREFIXLEN less the closing zero). */
export const LOG_PREFIX_MAX = 127;

/** Hands the packet's first bytes to the log group, at once (queue threshold 1); without a prefix the kernel formats none. */
export function log(group: number, prefix?: string): Expression {
  return expression("log", (w) => {
    w.be16(1, group);
    if (prefix !== undefined) w.text(2, prefix);
    w.be32(3, 128);
    w.be16(4, 1);
  });
}

/** Goes on while no more than `rate` packets a second came this way. */
export function limit(rate: number, burst: number): Expression {
  return expression("limit", (w) => {
    w.be64(1, BigInt(rate));
    w.be64(2, 1n);
    w.be32(3, burst);
    w.be32(4, 0);
    w.be32(5, 0);
  });
}

/** 0 … modulus − 1, one after another. */
export function roundRobin(to: number, modulus: number): Expression {
  return expression("numgen", (w) => {
    w.be32(1, to);
    w.be32(2, modulus);
    w.be32(3, 0);
    w.be32(4, 0);
  });
}

const NFPROTO = { 4: 2, 6: 10 } as const;

/** Rewrites the destination to the address and port in these registers. */
export function translateDestination(family: 4 | 6, address: number, port: number): Expression {
  return expression("nat", (w) => {
    w.be32(1, 1);
    w.be32(2, NFPROTO[family]);
    w.be32(3, address);
    w.be32(5, port);
  });
}

/** Rewrites the source to the address in these registers. */
export function translateSource(family: 4 | 6, address: number): Expression {
  return expression("nat", (w) => {
    w.be32(1, 0);
    w.be32(2, NFPROTO[family]);
    w.be32(3, address);
  });
}

/**
 * Hands the packet to the transparent socket that listens on the port in one register, at the address in another or at
 * any. Where none listens, the rule does not match.
 */
export function transparentProxy(family: 4 | 6, port: number, address: number | null = null): Expression {
  return expression("tproxy", (w) => {
    w.be32(1, NFPROTO[family]);
    if (address !== null) w.be32(2, address);
    w.be32(3, port);
  });
}

/** One byte: 1 where the packet belongs to a transparent socket of this namespace. The rule ends where it has no socket. */
export function socketTransparent(to: number): Expression {
  return expression("socket", (w) => {
    w.be32(1, 0);
    w.be32(2, to);
  });
}

/** A 32-bit number in the byte order of registers that hold numbers (`meta mark`, `ct state`). */
export function number32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}
