/**
 * Servers of SCTP ports: raw sockets that answer handshakes, for many kernels lack SCTP's own sockets. Nothing is kept
 * between the steps of a handshake.
 */

import koffi from "koffi";
import { sctpAnswer } from "./crafted.ts";
import { familyOf } from "./kernel/address.ts";
import { close, MSG_DONTWAIT, receiveFrom, sendTo, SystemError } from "./kernel/libc.ts";
import type { NetworkNamespace } from "./kernel/namespace.ts";
import { rawSocket, withoutHeader } from "./kernel/sockets.ts";
import { PROTOCOL_NUMBER } from "./verdicts.ts";

/** Answers on ports of an address, until it is closed. Throws SystemError where no socket can be made. */
export function serveSctp(namespace: NetworkNamespace, address: string, ports: ReadonlySet<number>): { close(): void } {
  const family = familyOf(address);
  const fd = rawSocket(namespace, address, PROTOCOL_NUMBER.SCTP);
  const room = Buffer.alloc(2048);
  const answer = (): boolean => {
    const heard = receiveFrom(fd, room, MSG_DONTWAIT);
    if (heard === null) return false;
    const reply = sctpAnswer(withoutHeader(family, heard.bytes), (port) => ports.has(port));
    if (reply !== null) sendTo(fd, reply, heard.from);
    return true;
  };
  const poll = koffi.node.poll(fd, { readable: true }, () => {
    for (;;) {
      try {
        if (!answer()) return;
      } catch (error) {
        // Whoever asked is gone, or may not be answered.
        if (!(error instanceof SystemError)) throw error;
        return;
      }
    }
  });
  return {
    close() {
      poll.close();
      close(fd);
    },
  };
}
