/**
 * Netlink: messages, attributes and the socket that carries them (netlink(7), RFC 3549). A request is answered before
 * `send` returns, so everything here is synchronous.
 */

import {
  AF_NETLINK,
  close,
  errnoName,
  getOption,
  MSG_DONTWAIT,
  receive,
  SO_RCVBUF,
  SO_SNDBUF,
  SOCK_RAW,
  SOL_SOCKET,
  send,
  setOption,
  socket,
  SystemError,
} from "./libc.ts";

export const NLM_F_REQUEST = 1;
export const NLM_F_ACK = 4;
export const NLM_F_DUMP = 0x300;
export const NLM_F_REPLACE = 0x100;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;
export const NLM_F_APPEND = 0x800;
export const NLA_F_NESTED = 0x8000;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const HEADER = 16;

/** Appends netlink messages to one growing buffer. */
export class MessageWriter {
  private buffer: Buffer;
  private end = 0;
  private messageStart = -1;

  constructor(size = 4096) {
    this.buffer = Buffer.alloc(size);
  }

  get length(): number {
    return this.end;
  }

  /** Everything written so far; valid until the next write. */
  bytes(): Buffer {
    return this.buffer.subarray(0, this.end);
  }

  clear(): void {
    this.end = 0;
    this.messageStart = -1;
  }

  private room(length: number): number {
    const at = this.end;
    const wanted = at + length;
    if (wanted > this.buffer.length) {
      const larger = Buffer.alloc(Math.max(wanted, this.buffer.length * 2));
      this.buffer.copy(larger, 0, 0, this.end);
      this.buffer = larger;
    }
    this.buffer.fill(0, at, wanted);
    this.end = wanted;
    return at;
  }

  /** Begins a message; its fixed header (`ifinfomsg`, `nfgenmsg` …) follows the netlink header at once. */
  begin(type: number, flags: number, sequence: number, fixed: Uint8Array): void {
    const at = this.room(HEADER + align(fixed.length));
    this.messageStart = at;
    this.buffer.writeUInt16LE(type, at + 4);
    this.buffer.writeUInt16LE(flags, at + 6);
    this.buffer.writeUInt32LE(sequence, at + 8);
    this.buffer.set(fixed, at + HEADER);
  }

  finish(): void {
    this.buffer.writeUInt32LE(this.end - this.messageStart, this.messageStart);
  }

  attribute(type: number, payload: Uint8Array): void {
    const at = this.room(4 + align(payload.length));
    this.buffer.writeUInt16LE(4 + payload.length, at);
    this.buffer.writeUInt16LE(type, at + 2);
    this.buffer.set(payload, at + 4);
  }

  u8(type: number, value: number): void {
    const at = this.room(8);
    this.buffer.writeUInt16LE(5, at);
    this.buffer.writeUInt16LE(type, at + 2);
    this.buffer.writeUInt8(value, at + 4);
  }

  /** Host byte order: rtnetlink. */
  u32(type: number, value: number): void {
    const at = this.room(8);
    this.buffer.writeUInt16LE(8, at);
    this.buffer.writeUInt16LE(type, at + 2);
    this.buffer.writeUInt32LE(value >>> 0, at + 4);
  }

  /** Network byte order: nfnetlink. */
  be16(type: number, value: number): void {
    const at = this.room(8);
    this.buffer.writeUInt16LE(6, at);
    this.buffer.writeUInt16LE(type, at + 2);
    this.buffer.writeUInt16BE(value, at + 4);
  }

  be32(type: number, value: number): void {
    const at = this.room(8);
    this.buffer.writeUInt16LE(8, at);
    this.buffer.writeUInt16LE(type, at + 2);
    this.buffer.writeUInt32BE(value >>> 0, at + 4);
  }

  be64(type: number, value: bigint): void {
    const at = this.room(12);
    this.buffer.writeUInt16LE(12, at);
    this.buffer.writeUInt16LE(type, at + 2);
    this.buffer.writeBigUInt64BE(value, at + 4);
  }

  text(type: number, value: string): void {
    const length = Buffer.byteLength(value) + 1;
    const at = this.room(4 + align(length));
    this.buffer.writeUInt16LE(4 + length, at);
    this.buffer.writeUInt16LE(type, at + 2);
    this.buffer.write(value, at + 4, "utf8");
  }

  /** Bytes inside a nested attribute that are no attribute themselves. */
  raw(payload: Uint8Array): void {
    const at = this.room(align(payload.length));
    this.buffer.set(payload, at);
  }

  /** Opens a nested attribute; hand the result to `close`. */
  open(type: number): number {
    const at = this.room(4);
    this.buffer.writeUInt16LE(type | NLA_F_NESTED, at + 2);
    return at;
  }

  close(opened: number): void {
    this.buffer.writeUInt16LE(this.end - opened, opened);
  }

  /** Asks for an acknowledgement of the message that was written last. */
  acknowledge(): void {
    const at = this.messageStart + 6;
    this.buffer.writeUInt16LE(this.buffer.readUInt16LE(at) | NLM_F_ACK, at);
  }
}

function align(length: number): number {
  return (length + 3) & ~3;
}

export interface Attribute {
  readonly type: number;
  readonly payload: Buffer;
}

/** The attributes of a message's payload, in order. */
export function* readAttributes(bytes: Buffer): Generator<Attribute> {
  let at = 0;
  while (at + 4 <= bytes.length) {
    const length = bytes.readUInt16LE(at);
    if (length < 4 || at + length > bytes.length) return;
    yield { type: bytes.readUInt16LE(at + 2) & 0x3fff, payload: bytes.subarray(at + 4, at + length) };
    at += align(length);
  }
}

export interface Message {
  readonly type: number;
  readonly sequence: number;
  /** After the netlink header, fixed header included. */
  readonly payload: Buffer;
}

export function* readMessages(bytes: Buffer): Generator<Message> {
  let at = 0;
  while (at + HEADER <= bytes.length) {
    const length = bytes.readUInt32LE(at);
    if (length < HEADER || at + length > bytes.length) return;
    yield {
      type: bytes.readUInt16LE(at + 4),
      sequence: bytes.readUInt32LE(at + 8),
      payload: bytes.subarray(at + HEADER, at + length),
    };
    at += align(length);
  }
}

/** Answers are read and understood before anything else happens, so all sockets share the room for them. */
const ROOM = Buffer.alloc(65_536);

/** A netlink socket of the network namespace in which it was opened. */
export class NetlinkSocket {
  readonly fd: number;
  /** Largest number of bytes that one `send` can carry. */
  readonly capacity: number;
  private sequence = 1;

  constructor(protocol: number, bufferSize = 0) {
    this.fd = socket(AF_NETLINK, SOCK_RAW, protocol);
    if (bufferSize > 0) {
      setOption(this.fd, SOL_SOCKET, SO_SNDBUF, bufferSize);
      setOption(this.fd, SOL_SOCKET, SO_RCVBUF, bufferSize);
    }
    // netlink_sendmsg() refuses more than sk_sndbuf − 32.
    this.capacity = getOption(this.fd, SOL_SOCKET, SO_SNDBUF) - 64;
  }

  /** A fresh sequence number, so that an error can be told apart from those of other requests. */
  next(): number {
    this.sequence = this.sequence >= 0x7fff_ffff ? 1 : this.sequence + 1;
    return this.sequence;
  }

  /**
   * Sends what was written and waits for the answer to the last message, which must ask for an acknowledgement.
   * Throws the first error that the kernel reports for any of the messages.
   */
  exchange(writer: MessageWriter, what: string): void {
    const last = this.sequence;
    send(this.fd, writer.bytes());
    let failure: SystemError | null = null;
    for (;;) {
      const bytes = receive(this.fd, ROOM, MSG_DONTWAIT);
      if (bytes === null) break;
      for (const message of readMessages(bytes)) {
        if (message.type !== NLMSG_ERROR) continue;
        const errno = -message.payload.readInt32LE(0);
        if (errno !== 0)
          failure ??= new SystemError(`${what} (message ${message.sequence}, ${errnoName(errno)})`, errno);
        else if (message.sequence === last && failure === null) return;
      }
    }
    if (failure !== null) throw failure;
    throw new SystemError(`${what}: no acknowledgement`, 5);
  }

  /**
   * Sends the one request that was written, which asks for a list (`NLM_F_DUMP`), and yields its messages; each is valid
   * until the next. Throws the error that the kernel reports.
   */
  *dump(writer: MessageWriter, what: string): Generator<Message> {
    send(this.fd, writer.bytes());
    for (;;) {
      const bytes = receive(this.fd, ROOM, MSG_DONTWAIT);
      if (bytes === null) throw new SystemError(`${what}: the list has no end`, 5);
      for (const message of readMessages(bytes)) {
        if (message.type === NLMSG_DONE) return;
        const errno = message.type === NLMSG_ERROR ? -message.payload.readInt32LE(0) : 0;
        if (errno !== 0) throw new SystemError(`${what} (${errnoName(errno)})`, errno);
        yield message;
      }
    }
  }

  close(): void {
    close(this.fd);
  }
}
