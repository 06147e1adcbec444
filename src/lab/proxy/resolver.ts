/** What the daemon has answered of connections, kept for as long as its policy set is in force. */

import type { Connection, FromProxy, Resolution, Side, ToProxy } from "./seam.ts";

/** Answers kept; beyond, the oldest go. */
const KEPT = 20_000;
const OPEN: Side = { kind: "open", policies: [] };

interface Pending {
  readonly key: string;
  readonly connection: Connection;
  readonly promise: Promise<Resolution>;
  readonly settle: (resolution: Resolution) => void;
}

export class Resolver {
  private readonly tell: (message: FromProxy) => void;
  private generation = 0;
  private pathsAsSent = false;
  private refusesAsNameError = false;
  private readonly sides = new Map<number, Side>();
  private readonly known = new Map<string, Resolution>();
  private readonly pending = new Map<string, Pending>();
  private readonly asked = new Map<number, Pending>();
  private count = 0;

  constructor(tell: (message: FromProxy) => void) {
    this.tell = tell;
  }

  resolve(connection: Connection): Resolution | Promise<Resolution> {
    const key = keyOf(connection);
    return this.known.get(key) ?? this.pending.get(key)?.promise ?? this.ask(key, connection);
  }

  private ask(key: string, connection: Connection): Promise<Resolution> {
    let settle: (resolution: Resolution) => void = () => {};
    const promise = new Promise<Resolution>((resolve) => (settle = resolve));
    const pending = { key, connection, promise, settle };
    this.pending.set(key, pending);
    this.send(pending);
    return promise;
  }

  private send(pending: Pending): void {
    const id = ++this.count;
    this.asked.set(id, pending);
    this.tell({ kind: "resolve", id, connection: pending.connection });
  }

  receive(message: ToProxy): void {
    switch (message.kind) {
      case "generation":
        this.generation = message.generation;
        this.pathsAsSent = message.pathsAsSent;
        this.refusesAsNameError = message.refusesAsNameError;
        this.known.clear();
        this.sides.clear();
        return;
      case "side":
        this.sides.set(message.number, message.side);
        return;
      case "resolution": {
        const pending = this.asked.get(message.id);
        this.asked.delete(message.id);
        if (pending === undefined) return;
        // Answered before the set that is in force now: asked again.
        if (message.generation !== this.generation) {
          this.send(pending);
          return;
        }
        this.pending.delete(pending.key);
        const resolution = {
          generation: this.generation,
          pathsAsSent: this.pathsAsSent,
          refusesAsNameError: this.refusesAsNameError,
          egress: this.side(message.egress),
          ingress: this.side(message.ingress),
        };
        this.keep(pending.key, resolution);
        pending.settle(resolution);
      }
    }
  }

  private side(number: number): Side {
    if (number === 0) return OPEN;
    // A side that was never told is none that passes.
    return this.sides.get(number) ?? { kind: "denied", policies: [] };
  }

  private keep(key: string, resolution: Resolution): void {
    this.known.set(key, resolution);
    if (this.known.size <= KEPT) return;
    for (const oldest of this.known.keys()) {
      this.known.delete(oldest);
      return;
    }
  }
}

function keyOf({ protocol, client, server }: Connection): string {
  return `${protocol} ${client.address} ${server.address} ${server.port}`;
}
