/**
 * Packets that rules hand to a log group (`log group N`), read as soon as the kernel sees them: nfnetlink_log,
 * `include/uapi/linux/netfilter/nfnetlink_log.h`.
 */

import koffi from "koffi";
import { addressText } from "./address.ts";
import { MSG_DONTWAIT, receive, SO_RCVBUFFORCE, SOL_SOCKET, setOption } from "./libc.ts";
import { MessageWriter, NetlinkSocket, NLM_F_REQUEST, readAttributes, readMessages } from "./netlink.ts";

const NETLINK_NETFILTER = 12;
const SUBSYSTEM = 4;
const PACKET = 0;
const CONFIG = 1;
const NFULA_CFG_CMD = 1;
const NFULA_CFG_MODE = 2;
const NFULA_CFG_QTHRESH = 5;
const BIND = 1;
const COPY_PACKET = 2;
const SNAPSHOT = 128;
const NFULA_PAYLOAD = 9;
const NFULA_PREFIX = 10;

export interface LoggedPacket {
  readonly group: number;
  readonly prefix: string;
  readonly family: 4 | 6;
  readonly source: string;
  readonly destination: string;
  /** IP protocol number. */
  readonly protocol: number;
  /** ICMP: the echo identifier, or 0. */
  readonly sourcePort: number;
  /** ICMP: the type. */
  readonly destinationPort: number;
  /** TCP flags, else 0. */
  readonly flags: number;
}

/** Reads the headers of an IP packet; null when it is too short to tell. */
export function readPacket(bytes: Buffer): Omit<LoggedPacket, "group" | "prefix"> | null {
  const version = (bytes[0] ?? 0) >> 4;
  if (version === 4 && bytes.length >= 20) {
    const start = ((bytes[0] ?? 0) & 15) * 4;
    const addresses = { source: addressText(bytes.subarray(12, 16)), destination: addressText(bytes.subarray(16, 20)) };
    return { family: 4, ...addresses, ...readTransport(bytes[9] ?? 0, bytes.subarray(start)) };
  }
  if (version === 6 && bytes.length >= 40) {
    const addresses = { source: addressText(bytes.subarray(8, 24)), destination: addressText(bytes.subarray(24, 40)) };
    return { family: 6, ...addresses, ...readTransport(bytes[6] ?? 0, bytes.subarray(40)) };
  }
  return null;
}

const ICMP = 1;
const ICMPV6 = 58;

function readTransport(
  protocol: number,
  bytes: Buffer,
): Pick<LoggedPacket, "protocol" | "sourcePort" | "destinationPort" | "flags"> {
  if (protocol === ICMP || protocol === ICMPV6) {
    const identifier = bytes.length >= 6 ? bytes.readUInt16BE(4) : 0;
    return { protocol, sourcePort: identifier, destinationPort: bytes[0] ?? 0, flags: 0 };
  }
  const ports = bytes.length >= 4;
  return {
    protocol,
    sourcePort: ports ? bytes.readUInt16BE(0) : 0,
    destinationPort: ports ? bytes.readUInt16BE(2) : 0,
    flags: protocol === 6 ? (bytes[13] ?? 0) : 0,
  };
}

/** Listens to log groups of the namespace in which it was opened. */
export class PacketLog {
  private readonly socket: NetlinkSocket;
  private readonly poll: ReturnType<typeof koffi.node.poll>;
  private readonly room = Buffer.alloc(65_536);

  constructor(groups: readonly number[], heard: (packet: LoggedPacket) => void) {
    this.socket = new NetlinkSocket(NETLINK_NETFILTER, 4 * 1024 * 1024);
    try {
      setOption(this.socket.fd, SOL_SOCKET, SO_RCVBUFFORCE, 16 * 1024 * 1024);
    } catch {
      // Only the owner of the first user namespace may; the ordinary limit has to do.
    }
    for (const group of groups) this.bind(group);
    this.poll = koffi.node.poll(this.socket.fd, { readable: true }, () => this.drain(heard));
  }

  private bind(group: number): void {
    const fixed = Buffer.alloc(4);
    fixed.writeUInt16BE(group, 2);
    const w = new MessageWriter(256);
    const mode = Buffer.alloc(6);
    mode.writeUInt32BE(SNAPSHOT, 0);
    mode[4] = COPY_PACKET;
    w.begin((SUBSYSTEM << 8) | CONFIG, NLM_F_REQUEST, this.socket.next(), fixed);
    w.attribute(NFULA_CFG_CMD, Buffer.of(BIND));
    w.attribute(NFULA_CFG_MODE, mode);
    w.be32(NFULA_CFG_QTHRESH, 1);
    w.finish();
    w.acknowledge();
    this.socket.exchange(w, `log group ${group}`);
  }

  private drain(heard: (packet: LoggedPacket) => void): void {
    for (let reads = 0; reads < 256; reads++) {
      let bytes: Buffer | null;
      try {
        bytes = receive(this.socket.fd, this.room, MSG_DONTWAIT);
      } catch {
        // ENOBUFS: the kernel had to leave out messages; those that are left follow.
        continue;
      }
      if (bytes === null) return;
      for (const message of readMessages(bytes)) {
        if (message.type !== ((SUBSYSTEM << 8) | PACKET)) continue;
        const group = message.payload.readUInt16BE(2);
        let prefix = "";
        let packet: Omit<LoggedPacket, "group" | "prefix"> | null = null;
        for (const attribute of readAttributes(message.payload.subarray(4))) {
          if (attribute.type === NFULA_PREFIX) prefix = attribute.payload.toString("utf8").replace(/\0.*$/s, "");
          else if (attribute.type === NFULA_PAYLOAD) packet = readPacket(attribute.payload);
        }
        if (packet !== null) heard({ group, prefix, ...packet });
      }
    }
  }

  close(): void {
    this.poll.close();
    this.socket.close();
  }
}
