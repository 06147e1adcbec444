/**
 * The HTTP proxy (cilium.md 6): looks at what a client says first, which tells HTTP/2 without TLS from HTTP/1, and leaves
 * the connection to Node's server of that protocol. Every request is judged by itself.
 */

import type { Socket } from "node:net";
import { Http } from "./http.ts";
import { Http2 } from "./http2.ts";
import type { Connection, Proxy, StreamProtocol } from "./seam.ts";
import { Share } from "./share.ts";

/** A client says the head of a request within this time, in milliseconds. */
const HEAD_MS = 10_000;
/** Connections of all clients and of one. */
const STREAMS_MAX = 4_096;
const STREAMS_OF_CLIENT = 1_024;
/** The first bytes of HTTP/2 (RFC 9113, 3.4). No request of HTTP/1 begins with them. */
const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

export class HttpStreams implements StreamProtocol {
  private readonly http1: Http;
  private readonly http2: Http2;
  private readonly streams = new Share(STREAMS_MAX, STREAMS_OF_CLIENT);

  private readonly headMs: number;

  constructor(proxy: Proxy, headMs = HEAD_MS) {
    this.headMs = headMs;
    this.http1 = new Http(proxy, headMs);
    this.http2 = new Http2(proxy);
  }

  take(socket: Socket, connection: Connection): void {
    const { address } = connection.client;
    if (!this.streams.take(address)) {
      socket.resetAndDestroy();
      return;
    }
    socket.on("close", () => this.streams.giveBack(address));
    let heard: Buffer = Buffer.alloc(0);
    const timer = setTimeout(() => socket.destroy(), this.headMs);
    const stop = (): void => {
      clearTimeout(timer);
      socket.off("data", hear).off("close", stop).off("end", leave);
    };
    const leave = (): void => {
      stop();
      socket.destroy();
    };
    const hear = (chunk: Buffer): void => {
      heard = heard.length === 0 ? chunk : Buffer.concat([heard, chunk]);
      const length = Math.min(heard.length, PREFACE.length);
      const isHttp2 = heard.subarray(0, length).equals(PREFACE.subarray(0, length));
      if (isHttp2 && length < PREFACE.length) return;
      stop();
      socket.pause();
      socket.unshift(heard);
      if (isHttp2) this.http2.take(socket, connection);
      else this.http1.take(socket, connection);
    };
    socket.on("data", hear).on("close", stop).on("end", leave);
    socket.resume();
  }
}
