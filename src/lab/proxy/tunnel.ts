/** Passes a connection on as it is: for one that no rule asks about any more. */

import type { Socket } from "node:net";
import type { Connection, Proxy, StreamProtocol } from "./seam.ts";

export class Tunnel implements StreamProtocol {
  private readonly proxy: Proxy;

  constructor(proxy: Proxy) {
    this.proxy = proxy;
  }

  take(socket: Socket, connection: Connection): void {
    join(socket, this.proxy.connect(connection));
  }
}

/** Joins two sockets both ways, with back-pressure; when one breaks, so does the other. */
export function join(a: Socket, b: Socket): void {
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    from.pipe(to);
    from.on("error", () => from.destroy());
    from.on("close", () => to.destroy());
  }
}
