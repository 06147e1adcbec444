/**
 * TLS by the name of the server (cilium.md R5.9): the client's first message is read, not answered; the connection goes on
 * as it is where the name is allowed, and is reset otherwise.
 */

import type { Socket } from "node:net";
import { CLIENT_HELLO_MAX, readClientHello } from "./client-hello.ts";
import { canonicalName, judgeName } from "./name-rules.ts";
import type { Connection, Proxy, Resolution, StreamProtocol } from "./seam.ts";
import { join } from "./tunnel.ts";

/** A client says whom it wants within this time. */
const HELLO_MS = 10_000;
/** Clients that have not said it yet, of all and of one address. */
const WAITING_MAX = 2_048;
const WAITING_OF_CLIENT = 256;

export class ServerNames implements StreamProtocol {
  private readonly proxy: Proxy;
  private readonly waiting = new Map<string, number>();
  private count = 0;

  constructor(proxy: Proxy) {
    this.proxy = proxy;
  }

  take(socket: Socket, connection: Connection, resolution: Resolution): void {
    const { address } = connection.client;
    const ofClient = this.waiting.get(address) ?? 0;
    if (ofClient >= WAITING_OF_CLIENT || this.count >= WAITING_MAX) {
      socket.resetAndDestroy();
      return;
    }
    this.waiting.set(address, ofClient + 1);
    this.count++;
    const chunks: Buffer[] = [];
    let length = 0;
    let needed = 1;
    const stop = (): void => {
      clearTimeout(timer);
      socket.off("data", heard).off("close", stop).off("end", refuse);
      this.count--;
      const left = (this.waiting.get(address) ?? 1) - 1;
      if (left === 0) this.waiting.delete(address);
      else this.waiting.set(address, left);
    };
    const refuse = (): void => {
      stop();
      this.report(connection, resolution, null);
      socket.resetAndDestroy();
    };
    const heard = (chunk: Buffer): void => {
      chunks.push(chunk);
      length += chunk.length;
      if (length < needed) return;
      const bytes = Buffer.concat(chunks);
      const hello = readClientHello(bytes);
      if (hello.kind === "partial" && length < CLIENT_HELLO_MAX) {
        needed = hello.needed;
        chunks.splice(0, chunks.length, bytes);
        return;
      }
      if (hello.kind !== "hello") {
        refuse();
        return;
      }
      stop();
      socket.pause();
      if (!this.report(connection, resolution, hello.serverName)) {
        socket.resetAndDestroy();
        return;
      }
      const onward = this.proxy.connect(connection);
      onward.write(bytes);
      join(socket, onward);
    };
    const timer = setTimeout(refuse, HELLO_MS);
    socket.on("data", heard).on("close", stop).on("end", refuse);
    socket.resume();
  }

  /** Judges both sides, the client's first, and tells what they say; whether it goes on. */
  private report(connection: Connection, resolution: Resolution, serverName: string | null): boolean {
    const name = serverName === null ? null : canonicalName(serverName);
    for (const direction of ["egress", "ingress"] as const) {
      const { passes, policies } = judgeName(resolution[direction], "tls", name);
      if (passes && resolution[direction].kind !== "rules") continue;
      const verdict = passes ? "FORWARDED" : "DROPPED";
      this.proxy.report({
        kind: "tls",
        type: "REQUEST",
        at: Date.now(),
        connection,
        direction,
        verdict,
        policies,
        serverName,
      });
      if (!passes) return false;
    }
    return true;
  }
}
