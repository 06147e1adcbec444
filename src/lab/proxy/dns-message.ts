/**
 * What the name proxy reads of DNS messages and writes itself (RFC 1035, 4): the header and the question byte by byte,
 * since a name in them decides; the records of an answer through dns-packet.
 */

import { isIP } from "node:net";
import dns, { type Answer } from "dns-packet";

/** Longest message over UDP or TCP. */
export const MESSAGE_MAX = 65_535;
const HEADER = 12;
const LABEL_MAX = 63;
const NAME_MAX = 255;
/** Records that are looked at in one answer. */
const RECORDS_MAX = 1_000;

const FLAG_RESPONSE = 0x8000;
const FLAG_TRUNCATED = 0x0200;
const OPCODE = 0x7800;
/** Opcode, recursion desired and checking disabled: what an answer repeats of its query. */
const KEPT_FLAGS = OPCODE | 0x0100 | 0x0010;

/** Response codes by number (IANA, DNS RCODEs). */
export const RESPONSE_CODE = { formatError: 1, serverFailure: 2, nameError: 3, notImplemented: 4, refused: 5 } as const;

const TYPES: Readonly<Record<number, string>> = {
  1: "A",
  2: "NS",
  5: "CNAME",
  6: "SOA",
  12: "PTR",
  15: "MX",
  16: "TXT",
  28: "AAAA",
  33: "SRV",
  64: "SVCB",
  65: "HTTPS",
  255: "ANY",
};

/** The name of a record type; without a name its number (RFC 3597). */
export function typeName(type: number): string {
  return TYPES[type] ?? `TYPE${type}`;
}

export interface DnsQuestion {
  readonly id: number;
  /**
   * Lower case, with trailing dot. A byte of a label that no host name has, a dot above all, is written as an escape, so
   * that two different names never look the same.
   */
  readonly name: string;
  readonly type: number;
  readonly class: number;
  /** Where the question ends in the message. */
  readonly end: number;
}

export type Query =
  | { readonly kind: "query"; readonly question: DnsQuestion }
  /** Answered with this code instead of being passed on. */
  | { readonly kind: "rejected"; readonly code: number; readonly question: DnsQuestion | null }
  /** So broken, or an answer, that nothing is said to it. */
  | { readonly kind: "ignored"; readonly why: string };

/** Reads a query: one standard question, and no more records than a query has. */
export function readQuery(bytes: Buffer): Query {
  if (bytes.length < HEADER) return { kind: "ignored", why: "shorter than a DNS header" };
  if (bytes.length > MESSAGE_MAX) return { kind: "ignored", why: "longer than a DNS message" };
  const flags = bytes.readUInt16BE(2);
  if ((flags & FLAG_RESPONSE) !== 0) return { kind: "ignored", why: "a response instead of a query" };
  if ((flags & OPCODE) !== 0) return { kind: "rejected", code: RESPONSE_CODE.notImplemented, question: null };
  const question = readQuestion(bytes);
  const [questions, answers, authorities, additional] = [4, 6, 8, 10].map((at) => bytes.readUInt16BE(at));
  const isPlain = questions === 1 && answers === 0 && authorities === 0 && (additional ?? 0) <= 2;
  if (question === null || !isPlain) return { kind: "rejected", code: RESPONSE_CODE.formatError, question };
  return { kind: "query", question };
}

/** The first question of a message; null where there is none or it is malformed. */
function readQuestion(bytes: Buffer): DnsQuestion | null {
  if (bytes.readUInt16BE(4) === 0) return null;
  let at = HEADER;
  let name = "";
  for (;;) {
    const length = bytes[at];
    // Nothing stands before the question that a compressed name could point to.
    if (length === undefined || length > LABEL_MAX || at + 1 + length > bytes.length) return null;
    at += 1 + length;
    if (at - HEADER > NAME_MAX) return null;
    if (length === 0) break;
    name += `${labelText(bytes.subarray(at - length, at))}.`;
  }
  if (at + 4 > bytes.length) return null;
  const type = bytes.readUInt16BE(at);
  return {
    id: bytes.readUInt16BE(0),
    name: name === "" ? "." : name,
    type,
    class: bytes.readUInt16BE(at + 2),
    end: at + 4,
  };
}

function labelText(label: Buffer): string {
  return label
    .toString("latin1")
    .toLowerCase()
    .replace(/[^-_a-z0-9]/g, (byte) =>
      /[!-~]/.test(byte) ? `\\${byte}` : `\\${byte.charCodeAt(0).toString().padStart(3, "0")}`,
    );
}

/** The answer to a query that carries a code and no record. `query` has at least a header. */
export function codeAnswer(query: Buffer, question: DnsQuestion | null, code: number): Buffer {
  const bytes = Buffer.alloc(question?.end ?? HEADER);
  query.copy(bytes, 0, 0, bytes.length);
  bytes.writeUInt16BE(FLAG_RESPONSE | (query.readUInt16BE(2) & KEPT_FLAGS) | code, 2);
  bytes.writeUInt16BE(question === null ? 0 : 1, 4);
  bytes.fill(0, 6, HEADER);
  return bytes;
}

/** An answer without its records, for a client that then asks again over TCP. */
export function cutAnswer(answer: Buffer, question: DnsQuestion): Buffer {
  const bytes = codeAnswer(answer, question, 0);
  bytes.writeUInt16BE(answer.readUInt16BE(2) | FLAG_TRUNCATED, 2);
  return bytes;
}

/** What an answer says of the name that was asked for. */
export interface DnsAnswer {
  readonly code: number;
  readonly truncated: boolean;
  /** IPv4 and IPv6, at the end of the chain of aliases that begins at the name; as text. */
  readonly addresses: readonly string[];
  /** The names of the chain after the first, in order. */
  readonly aliases: readonly string[];
  /** The least of the chain in seconds; 0 without any record of it. */
  readonly ttl: number;
  /** Types of the records, each once. */
  readonly types: readonly string[];
}

/** Reads the answer to a question; null where it is no answer, not the one to this question, or malformed. */
export function readAnswer(bytes: Buffer, asked: DnsQuestion): DnsAnswer | null {
  if (bytes.length < HEADER || bytes.length > MESSAGE_MAX) return null;
  const flags = bytes.readUInt16BE(2);
  if ((flags & FLAG_RESPONSE) === 0 || (flags & OPCODE) !== 0 || bytes.readUInt16BE(0) !== asked.id) return null;
  const question = readQuestion(bytes);
  const isAsked =
    bytes.readUInt16BE(4) === 1 &&
    question !== null &&
    question.name === asked.name &&
    question.type === asked.type &&
    question.class === asked.class;
  if (!isAsked || bytes.readUInt16BE(6) > RECORDS_MAX) return null;
  let records: readonly Answer[];
  try {
    records = dns.decode(bytes).answers ?? [];
  } catch {
    return null;
  }
  // A record that is cut short decodes to what is no address.
  if (records.some((record) => isAddressRecord(record) && isIP(record.data) === 0)) return null;
  return { code: flags & 15, truncated: (flags & FLAG_TRUNCATED) !== 0, ...chainOf(asked.name, records) };
}

type AddressRecord = Answer & { readonly type: "A" | "AAAA" };

function isAddressRecord(record: Answer): record is AddressRecord {
  return record.type === "A" || record.type === "AAAA";
}

/** Follows the aliases from the name on: only what is at their end is an address of the name. */
function chainOf(name: string, records: readonly Answer[]): Pick<DnsAnswer, "addresses" | "aliases" | "ttl" | "types"> {
  const types = [...new Set(records.map(({ type }) => type))];
  const aliases: string[] = [];
  let ttl = Number.POSITIVE_INFINITY;
  let current = name;
  for (;;) {
    const alias = records.find((record) => record.type === "CNAME" && canonicalName(record.name) === current);
    if (alias === undefined) break;
    const next = canonicalName(String(alias.data));
    if (next === name || aliases.includes(next)) return { addresses: [], aliases, ttl: 0, types };
    ttl = Math.min(ttl, alias.ttl ?? 0);
    aliases.push(next);
    current = next;
  }
  const addresses: string[] = [];
  for (const record of records) {
    if (!isAddressRecord(record) || canonicalName(record.name) !== current) continue;
    ttl = Math.min(ttl, record.ttl ?? 0);
    addresses.push(record.data);
  }
  return { addresses, aliases, ttl: Number.isFinite(ttl) ? ttl : 0, types };
}

/** Lower case, with trailing dot. */
function canonicalName(name: string): string {
  return name.toLowerCase().replace(/\.?$/, ".");
}

/** Cuts a stream into messages, each after its length (RFC 1035, 4.2.2). Never holds more than one that is not whole. */
export class MessageStream {
  private readonly head = Buffer.alloc(2);
  private message: Buffer | null = null;
  /** Bytes that are there, of the length or of the message. */
  private filled = 0;

  /** The messages that are whole with these bytes. */
  push(chunk: Buffer): readonly Buffer[] {
    const messages: Buffer[] = [];
    for (let at = 0; at < chunk.length; ) {
      const room = this.message ?? this.head;
      const copied = chunk.copy(room, this.filled, at);
      at += copied;
      this.filled += copied;
      if (this.filled < room.length) break;
      this.filled = 0;
      if (this.message === null) this.message = Buffer.alloc(this.head.readUInt16BE(0));
      if (this.message.length > 0 && room === this.head) continue;
      messages.push(this.message);
      this.message = null;
    }
    return messages;
  }
}

/** A message with its length before it. */
export function framed(message: Buffer): Buffer {
  const bytes = Buffer.alloc(2 + message.length);
  bytes.writeUInt16BE(message.length);
  message.copy(bytes, 2);
  return bytes;
}
