/**
 * UDP with the address that was asked: what a transparent socket receives (recvmsg(2), IP_RECVORIGDSTADDR in ip(7)).
 * Node does not tell it.
 */

import koffi from "koffi";
import { type Endpoint, type Family, familyOf, readSocketAddress, socketAddress } from "./address.ts";
import {
  AF_INET,
  AF_INET6,
  bind,
  close,
  IP_TRANSPARENT,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_TRANSPARENT,
  IPV6_V6ONLY,
  MSG_DONTWAIT,
  receiveMessage,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  setOption,
  socket,
} from "./libc.ts";

/** Also the type of the control message. */
const IP_RECVORIGDSTADDR = 20;
const IPV6_RECVORIGDSTADDR = 74;

export interface Datagram {
  readonly bytes: Buffer;
  readonly source: Endpoint;
  /** To which it was sent, after translation. */
  readonly destination: Endpoint;
}

/** A UDP socket that takes what is handed to it (tproxy), at this address and port. */
export function transparentDatagrams(address: string, port: number): number {
  const family = familyOf(address);
  const fd = transparentSocket(family);
  try {
    if (family === 4) setOption(fd, IPPROTO_IP, IP_RECVORIGDSTADDR, 1);
    else setOption(fd, IPPROTO_IPV6, IPV6_RECVORIGDSTADDR, 1);
    bind(fd, socketAddress(address, port));
    return fd;
  } catch (error) {
    close(fd);
    throw error;
  }
}

/** A UDP socket that may bear any address; not bound yet. */
export function transparentSocket(family: Family): number {
  const fd = socket(family === 4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  try {
    if (family === 6) setOption(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    if (family === 4) setOption(fd, IPPROTO_IP, IP_TRANSPARENT, 1);
    else setOption(fd, IPPROTO_IPV6, IPV6_TRANSPARENT, 1);
    return fd;
  } catch (error) {
    close(fd);
    throw error;
  }
}

const NAME = { at: 0, length: 128 } as const;
const CONTROL = { at: 128, length: 256 } as const;
const VECTOR = { at: 384, length: 16 } as const;
const MESSAGE = { at: 400, length: 56 } as const;
const PAYLOAD = { at: 512, length: 65_536 } as const;
const CONTROL_HEADER = 16;

/** Receives with the addresses: `struct msghdr` of 64-bit Linux, laid out once. */
export class DatagramReader {
  private readonly memory: Buffer;
  private readonly message: bigint;

  constructor() {
    const pointer: unknown = koffi.alloc("uint8_t", PAYLOAD.at + PAYLOAD.length);
    const base = koffi.address(pointer);
    this.memory = Buffer.from(koffi.view(pointer, PAYLOAD.at + PAYLOAD.length));
    this.message = base + BigInt(MESSAGE.at);
    this.memory.writeBigUInt64LE(base + BigInt(PAYLOAD.at), VECTOR.at);
    this.memory.writeBigUInt64LE(BigInt(PAYLOAD.length), VECTOR.at + 8);
    this.memory.writeBigUInt64LE(base + BigInt(NAME.at), MESSAGE.at);
    this.memory.writeBigUInt64LE(base + BigInt(VECTOR.at), MESSAGE.at + 16);
    this.memory.writeBigUInt64LE(1n, MESSAGE.at + 24);
    this.memory.writeBigUInt64LE(base + BigInt(CONTROL.at), MESSAGE.at + 32);
  }

  /** The next datagram of a non-blocking socket; null when there is none. One without an address is left out. */
  receive(fd: number): Datagram | null {
    for (;;) {
      this.memory.writeUInt32LE(NAME.length, MESSAGE.at + 8);
      this.memory.writeBigUInt64LE(BigInt(CONTROL.length), MESSAGE.at + 40);
      const length = receiveMessage(fd, this.message, MSG_DONTWAIT);
      if (length === null) return null;
      const destination = this.destination();
      if (destination === null) continue;
      const source = readSocketAddress(this.memory.subarray(NAME.at, NAME.at + NAME.length));
      return { bytes: Buffer.from(this.memory.subarray(PAYLOAD.at, PAYLOAD.at + length)), source, destination };
    }
  }

  /** The control message that holds the original destination (cmsg(3)). */
  private destination(): Endpoint | null {
    const end = CONTROL.at + Number(this.memory.readBigUInt64LE(MESSAGE.at + 40));
    for (let at: number = CONTROL.at; at + CONTROL_HEADER <= end; ) {
      const length = Number(this.memory.readBigUInt64LE(at));
      if (length < CONTROL_HEADER) return null;
      const level = this.memory.readInt32LE(at + 8);
      const type = this.memory.readInt32LE(at + 12);
      const isAddress =
        (level === IPPROTO_IP && type === IP_RECVORIGDSTADDR) ||
        (level === IPPROTO_IPV6 && type === IPV6_RECVORIGDSTADDR);
      if (isAddress) return readSocketAddress(this.memory.subarray(at + CONTROL_HEADER, at + length));
      at += (length + 7) & ~7;
    }
    return null;
  }
}
