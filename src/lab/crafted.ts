/**
 * Packets of protocols that have no ordinary socket here: ICMP of any type (RFC 792, RFC 4443), and SCTP (RFC 9260),
 * whose sockets many kernels lack while their filters know it. They go out through raw sockets.
 */

import type { Family } from "./kernel/address.ts";
import { PROTOCOL_NUMBER } from "./verdicts.ts";

export interface Crafted {
  /** IP protocol number. */
  readonly protocol: number;
  readonly bytes: Buffer;
  /** What the drop log calls the source port. */
  readonly mark: number;
  /** Whether bytes that came in at the target, IP header removed, are this packet. */
  isArrival(bytes: Buffer): boolean;
  /**
   * What whoever received it owes: bytes, an answer that its kernel or its server sends by itself, or nothing.
   * `listens` tells whether somebody serves a port there, and `everywhere` that no server does and each port counts.
   */
  respond(arrival: Buffer, listens: (port: number) => boolean, everywhere: boolean): Buffer | "itself" | "nothing";
  /** Whether bytes that came back are the answer to it. */
  isAnswer(bytes: Buffer): boolean;
}

const ECHO = { 4: 8, 6: 128 } as const;
const ECHO_REPLY = { 4: 0, 6: 129 } as const;

/** The identifier is what tells one probe from another. */
export function craftIcmp(family: Family, type: number, identifier: number): Crafted {
  const bytes = Buffer.alloc(16);
  bytes[0] = type;
  bytes.writeUInt16BE(identifier, 4);
  bytes.write("bulkhead", 8, "latin1");
  // Of ICMPv6 the kernel writes the checksum, which covers the addresses.
  if (family === 4) bytes.writeUInt16BE(internetChecksum(bytes), 2);
  const has =
    (wanted: number) =>
    (packet: Buffer): boolean =>
      packet.length >= 6 && packet[0] === wanted && packet.readUInt16BE(4) === identifier;
  return {
    protocol: family === 4 ? PROTOCOL_NUMBER.ICMP : PROTOCOL_NUMBER.ICMPv6,
    bytes,
    mark: identifier,
    isArrival: has(type),
    respond: () => (type === ECHO[family] ? "itself" : "nothing"),
    isAnswer: has(ECHO_REPLY[family]),
  };
}

const SCTP_INIT = 1;
const SCTP_INIT_ACK = 2;
export const SCTP_COOKIE_ECHO = 10;
const SCTP_COOKIE_ACK = 11;
/** Of a server's tag and its client's: either tells the other, so nothing is kept between the steps of a handshake. */
const TAGS = 0x5555_5555;

/** An INIT that opens an association; where somebody listens, an INIT ACK answers it. */
export function craftSctp(sourcePort: number, destinationPort: number, tag: number): Crafted {
  return {
    protocol: PROTOCOL_NUMBER.SCTP,
    bytes: sctpPacket(sourcePort, destinationPort, 0, SCTP_INIT, tag),
    mark: sourcePort,
    isArrival: (packet) => packet.length >= 20 && packet[12] === SCTP_INIT && packet.readUInt32BE(16) === tag,
    // Translation may have changed the ports.
    respond: (arrival, listens, everywhere) => {
      if (everywhere) return sctpAnswer(arrival, () => true) ?? "nothing";
      return listens(arrival.readUInt16BE(2)) ? "itself" : "nothing";
    },
    isAnswer: (packet) =>
      packet.length >= 20 &&
      packet.readUInt16BE(0) === destinationPort &&
      packet.readUInt16BE(2) === sourcePort &&
      packet[12] === SCTP_INIT_ACK,
  };
}

/**
 * The answer of a server to a packet: INIT ACK to an INIT, COOKIE ACK to a COOKIE ECHO.
 *
 * Takes the packet without its IP header, and which ports are served. Null: it answers nothing.
 */
export function sctpAnswer(packet: Buffer, listens: (port: number) => boolean): Buffer | null {
  if (packet.length < 16 || !listens(packet.readUInt16BE(2))) return null;
  const [from, to] = [packet.readUInt16BE(2), packet.readUInt16BE(0)];
  switch (packet[12]) {
    case SCTP_INIT: {
      if (packet.length < 20) return null;
      const tag = packet.readUInt32BE(16);
      return sctpPacket(from, to, tag, SCTP_INIT_ACK, tag ^ TAGS);
    }
    case SCTP_COOKIE_ECHO:
      return sctpChunk(from, to, packet.readUInt32BE(4) ^ TAGS, SCTP_COOKIE_ACK);
    default:
      return null;
  }
}

/** A packet of one empty chunk, such as COOKIE ECHO; the tag is the one that the other side told. */
export function sctpChunk(from: number, to: number, verification: number, chunk: number): Buffer {
  const bytes = Buffer.alloc(16);
  sctpHeader(bytes, from, to, verification);
  bytes[12] = chunk;
  bytes.writeUInt16BE(4, 14);
  bytes.writeUInt32LE(crc32c(bytes), 8);
  return bytes;
}

function sctpHeader(bytes: Buffer, from: number, to: number, verification: number): void {
  bytes.writeUInt16BE(from, 0);
  bytes.writeUInt16BE(to, 2);
  bytes.writeUInt32BE(verification >>> 0, 4);
}

function sctpPacket(from: number, to: number, verification: number, chunk: number, tag: number): Buffer {
  const cookie = chunk === SCTP_INIT_ACK ? 8 : 0;
  const bytes = Buffer.alloc(32 + cookie);
  sctpHeader(bytes, from, to, verification);
  bytes[12] = chunk;
  bytes.writeUInt16BE(20 + cookie, 14);
  bytes.writeUInt32BE(tag >>> 0, 16);
  bytes.writeUInt32BE(65_536, 20);
  bytes.writeUInt16BE(1, 24);
  bytes.writeUInt16BE(1, 26);
  bytes.writeUInt32BE(1, 28);
  if (cookie > 0) {
    bytes.writeUInt16BE(7, 32);
    bytes.writeUInt16BE(8, 34);
  }
  bytes.writeUInt32LE(crc32c(bytes), 8);
  return bytes;
}

/** RFC 1071. */
function internetChecksum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += bytes.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** RFC 9260, appendix A: the Castagnoli polynomial, reflected. */
function crc32c(bytes: Buffer): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f6_3b78 : 0);
  }
  return ~crc >>> 0;
}
