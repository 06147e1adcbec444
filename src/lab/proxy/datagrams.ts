/** UDP of the proxy: what goes on to a server from the client's address, and what is answered from the server's. */

import koffi from "koffi";
import { addressBytes, type Endpoint, type Family, familyOf, socketAddress } from "../kernel/address.ts";
import {
  AF_INET,
  AF_INET6,
  bind,
  close,
  connect,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_RAW,
  IP_HDRINCL,
  IPV6_HDRINCL,
  MSG_DONTWAIT,
  receive,
  send,
  sendTo,
  setOption,
  SO_MARK,
  SOCK_NONBLOCK,
  SOCK_RAW,
  SOL_SOCKET,
  socket,
  SystemError,
} from "../kernel/libc.ts";
import { transparentSocket } from "../kernel/datagrams.ts";
import { FROM_PROXY_BIT } from "../redirection.ts";
import type { Connection, OnwardDatagrams } from "./seam.ts";

/** Datagrams that are taken before anything else has its turn. */
const AT_ONCE = 64;
const UDP = 17;
const HOPS = 64;
/** What fits a packet of the lab's links with the headers of either family. */
export const DATAGRAM_MAX = 1_500 - 48;

/**
 * Datagrams to the server of a connection, from the client's address and a port that nobody can guess. `heard` gets what
 * the server sends, of nobody else; null: it cannot be reached.
 */
export function onwardDatagrams(
  { client, server }: Connection,
  heard: (bytes: Buffer | null) => void,
): OnwardDatagrams {
  const fd = transparentSocket(familyOf(server.address));
  const room = Buffer.alloc(65_536);
  let poll: ReturnType<typeof koffi.node.poll> | null = null;
  let open = true;
  const end = (): void => {
    if (!open) return;
    open = false;
    poll?.close();
    close(fd);
  };
  /** What fails is told once everybody knows of these datagrams. */
  const attempt = (action: () => void): void => {
    try {
      action();
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      setImmediate(() => heard(null));
    }
  };
  attempt(() => {
    setOption(fd, SOL_SOCKET, SO_MARK, FROM_PROXY_BIT);
    bind(fd, socketAddress(client.address, 0));
    connect(fd, socketAddress(server.address, server.port));
    poll = koffi.node.poll(fd, { readable: true }, () => {
      for (let turn = 0; open && turn < AT_ONCE; turn++) {
        let bytes: Buffer | null = null;
        try {
          bytes = receive(fd, room, MSG_DONTWAIT);
        } catch {
          heard(null);
          return;
        }
        if (bytes === null) return;
        heard(Buffer.from(bytes));
      }
    });
  });
  return {
    send: (bytes) => attempt(() => send(fd, bytes)),
    close: end,
  };
}

/**
 * Sends datagrams from any address and port. They are written whole, headers included: a bound socket of that address
 * would take the next query for its own.
 */
export class ForeignSender {
  private readonly sockets = new Map<Family, number>();

  send(bytes: Buffer, from: Endpoint, to: Endpoint): void {
    const family = familyOf(to.address);
    try {
      sendTo(this.socket(family), packet(bytes, from, to), socketAddress(to.address, 0));
    } catch (error) {
      // A client that is gone, or a full buffer: as if it had been lost on its way.
      if (!(error instanceof SystemError)) throw error;
    }
  }

  private socket(family: Family): number {
    const known = this.sockets.get(family);
    if (known !== undefined) return known;
    const fd = socket(family === 4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_NONBLOCK, IPPROTO_RAW);
    if (family === 4) setOption(fd, IPPROTO_IP, IP_HDRINCL, 1);
    else setOption(fd, IPPROTO_IPV6, IPV6_HDRINCL, 1);
    this.sockets.set(family, fd);
    return fd;
  }
}

/** An IP packet with one UDP datagram (RFC 768, 791, 8200). The kernel fills in IPv4's identifier, length and checksum. */
export function packet(bytes: Buffer, from: Endpoint, to: Endpoint): Buffer {
  const [source, destination] = [addressBytes(from.address), addressBytes(to.address)];
  const datagram = Buffer.alloc(8 + bytes.length);
  datagram.writeUInt16BE(from.port, 0);
  datagram.writeUInt16BE(to.port, 2);
  datagram.writeUInt16BE(datagram.length, 4);
  bytes.copy(datagram, 8);
  const pseudo = Buffer.alloc(8);
  pseudo.writeUInt32BE(datagram.length, 0);
  pseudo.writeUInt32BE(UDP, 4);
  datagram.writeUInt16BE(checksum([source, destination, pseudo, datagram]) || 0xffff, 6);
  if (source.length === 4) {
    const header = Buffer.alloc(20);
    header[0] = 0x45;
    header.writeUInt16BE(header.length + datagram.length, 2);
    header[8] = HOPS;
    header[9] = UDP;
    source.copy(header, 12);
    destination.copy(header, 16);
    return Buffer.concat([header, datagram]);
  }
  const header = Buffer.alloc(40);
  header[0] = 0x60;
  header.writeUInt16BE(datagram.length, 4);
  header[6] = UDP;
  header[7] = HOPS;
  source.copy(header, 8);
  destination.copy(header, 24);
  return Buffer.concat([header, datagram]);
}

/** The Internet checksum (RFC 1071) over parts, each of even length but the last. */
function checksum(parts: readonly Buffer[]): number {
  let sum = 0;
  for (const part of parts) {
    for (let at = 0; at < part.length; at += 2) sum += ((part[at] ?? 0) << 8) | (part[at + 1] ?? 0);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
