/** HTTP/1.1 through the proxy: its connections, and the watch over clients that do not come to an end. */

import type { Socket } from "node:net";
import { Conversation } from "./http-conversation.ts";
import type { Connection, Proxy, StreamProtocol } from "./seam.ts";

export class Http implements StreamProtocol {
  private readonly proxy: Proxy;
  private readonly open = new Set<Conversation>();

  /** `headMs`: a client says the head of a request within this time, in milliseconds. */
  constructor(proxy: Proxy, headMs: number) {
    this.proxy = proxy;
    setInterval(() => this.refuseSlow(headMs), Math.min(headMs, 1_000)).unref();
  }

  take(socket: Socket, connection: Connection): void {
    const conversation = new Conversation(this.proxy, socket, connection, () => this.open.delete(conversation));
    this.open.add(conversation);
    conversation.begin();
  }

  private refuseSlow(headMs: number): void {
    const before = performance.now() - headMs;
    for (const conversation of this.open)
      if (conversation.headSince !== null && conversation.headSince < before) conversation.refuse(408);
  }
}
