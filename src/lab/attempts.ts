/**
 * Connection attempts made inside a site's namespace: each ends when it is known what became of it. A drop is known
 * from the kernel's log, an arrival from the listener that took it.
 */

import koffi from "koffi";
import type { Drop } from "./answers.ts";
import { attemptKey, type DropLog } from "./drop-log.ts";
import type { Crafted } from "./crafted.ts";
import { type Endpoint, familyOf, socketAddress } from "./kernel/address.ts";
import { close, connect, errnoName, MSG_DONTWAIT, receive, send, sendTo, SystemError } from "./kernel/libc.ts";
import type { NetworkNamespace } from "./kernel/namespace.ts";
import {
  connectionError,
  rawSocket,
  resetOnClose,
  tcpConnection,
  udpConnection,
  withoutHeader,
} from "./kernel/sockets.ts";
import { PROTOCOL_NUMBER } from "./verdicts.ts";

/** Longest time that an attempt may stay without any news; only a defect of the lab comes to it. */
const PATIENCE_MS = 5000;
const ARRIVALS_KEPT = 20_000;

export type Attempt =
  /** The handshake completed; the socket is the caller's to close. `port` is the local port. */
  | { readonly outcome: "open"; readonly fd: number; readonly port: number }
  | { readonly outcome: "echo"; readonly bytes: Buffer; readonly port: number }
  /** A crafted packet came in at `owner`; its answer, where one is owed, came back. */
  | { readonly outcome: "arrived"; readonly owner: string; readonly answered: boolean }
  | { readonly outcome: "dropped"; readonly drop: Drop }
  | { readonly outcome: "refused" }
  | { readonly outcome: "lost"; readonly detail: string };

export interface Origin {
  readonly namespace: NetworkNamespace;
  readonly address: string;
  /** The address is not the namespace's own (outside). */
  readonly foreign: boolean;
  /** Addresses under which the packets may go on behind a relay. */
  readonly relays?: readonly string[];
}

const TOKEN = "bulkhead probe ";

/** What a probe's packet says, so that whoever receives it can tell which it was, whatever its ports have become. */
export function tokenBytes(number: number): Buffer {
  return Buffer.from(`${TOKEN}${number}`);
}

/** The key of a received token; null: not a probe's. */
export function tokenKey(bytes: Buffer): string | null {
  const text = bytes.toString("latin1");
  return text.startsWith(TOKEN) ? text : null;
}

/** Who took which connection or packet, told by the listeners; keyed by what the listener sees of it. */
export class Arrivals {
  private readonly taken = new Map<string, string>();
  private readonly waiting = new Map<string, (owner: string) => void>();
  private count = 0;

  arrived(key: string, owner: string): void {
    this.count++;
    const waiter = this.waiting.get(key);
    if (waiter !== undefined) {
      this.waiting.delete(key);
      waiter(owner);
      return;
    }
    this.taken.set(key, owner);
    // Connections that no probe asks after: the oldest are forgotten.
    if (this.taken.size > ARRIVALS_KEPT)
      for (const oldest of this.taken.keys()) {
        this.taken.delete(oldest);
        break;
      }
  }

  /** Who took what has any of the keys; null when nobody did within the time. */
  taker(keys: readonly string[], withinMs: number): Promise<string | null> {
    for (const key of keys) {
      const known = this.taken.get(key);
      if (known === undefined) continue;
      this.taken.delete(key);
      return Promise.resolve(known);
    }
    return new Promise((resolve) => {
      let last: NodeJS.Immediate | undefined;
      const end = (owner: string | null): void => {
        clearTimeout(timer);
        clearImmediate(last);
        for (const key of keys) this.waiting.delete(key);
        resolve(owner);
      };
      // On a busy machine the time may be over before this process has looked at its listeners again. Each gives one
      // connection a turn of the event loop, so the turns go on while any has one, within reason.
      const latest = performance.now() + withinMs + PATIENCE_MS;
      const turn = (count: number | null): void => {
        if (count === this.count || performance.now() > latest) end(null);
        else last = setImmediate(turn, this.count);
      };
      const timer = setTimeout(turn, withinMs, null);
      for (const key of keys) this.waiting.set(key, end);
    });
  }
}

/** Opens a TCP connection; resolves as soon as its fate is known. */
export function attemptTcp(drops: DropLog, origin: Origin, target: Endpoint): Promise<Attempt> {
  return new Promise((resolve) => {
    let opened: { readonly fd: number; readonly port: number };
    try {
      opened = tcpConnection(origin.namespace, origin.address, target, { foreign: origin.foreign });
    } catch (error) {
      resolve(failed(error));
      return;
    }
    const { fd, port } = opened;
    watch(drops, PROTOCOL_NUMBER.TCP, origin, port, fd, { writable: true }, resolve, () => {
      const error = connectionError(fd);
      if (error === 0) return { outcome: "open", fd, port };
      const name = errnoName(error);
      return name === "ECONNREFUSED" || name === "ECONNRESET"
        ? { outcome: "refused" }
        : { outcome: "lost", detail: name };
    });
  });
}

/** Sends one datagram and waits for the answer. */
export function attemptUdp(drops: DropLog, origin: Origin, target: Endpoint, bytes: Uint8Array): Promise<Attempt> {
  return new Promise((resolve) => {
    let opened: { readonly fd: number; readonly port: number };
    try {
      opened = udpConnection(origin.namespace, origin.address, target, { foreign: origin.foreign });
    } catch (error) {
      resolve(failed(error));
      return;
    }
    const { fd, port } = opened;
    const room = Buffer.alloc(2048);
    watch(drops, PROTOCOL_NUMBER.UDP, origin, port, fd, { readable: true }, resolve, () => {
      try {
        const answer = receive(fd, room, MSG_DONTWAIT);
        return answer === null ? null : { outcome: "echo", bytes: answer, port };
      } catch (error) {
        if (error instanceof SystemError && error.code === "ECONNREFUSED") return { outcome: "refused" };
        return failed(error);
      }
    });
    try {
      send(fd, bytes);
    } catch (error) {
      // An error that is already known (port unreachable) shows up in the watch as well.
      if (!(error instanceof SystemError)) throw error;
    }
  });
}

/** A place where a crafted packet may come in. */
export interface Receiver {
  readonly namespace: NetworkNamespace;
  readonly owner: string;
  /** To which the packet comes, after translation. */
  readonly address: string;
  /** The address is not the namespace's own (outside). */
  readonly foreign: boolean;
  readonly listens: (port: number) => boolean;
  /** Every port counts as served, and no server is there to answer. */
  readonly everywhere: boolean;
}

/** Sends a crafted packet, sees it come in at one of the receivers, and its answer come back. */
export function attemptCrafted(
  drops: DropLog,
  origin: Origin,
  target: string,
  crafted: Crafted,
  receivers: readonly Receiver[],
): Promise<Attempt> {
  const family = familyOf(target);
  const room = Buffer.alloc(2048);
  const key = attemptKey(crafted.protocol, origin.address, crafted.mark);
  return new Promise((resolve) => {
    const closing: (() => void)[] = [];
    let owner: string | null = null;
    let owed = false;
    let answered = false;
    const finish = (attempt: Attempt): void => {
      for (const release of closing.splice(0)) release();
      resolve(attempt);
    };
    const news = (): void => {
      if (owner !== null && (answered || !owed)) finish({ outcome: "arrived", owner, answered });
    };
    const listen = (
      namespace: NetworkNamespace,
      address: string,
      foreign: boolean,
      heard: (bytes: Buffer, fd: number) => void,
    ): number => {
      const fd = rawSocket(namespace, address, crafted.protocol, { foreign });
      const poll = koffi.node.poll(fd, { readable: true }, () => {
        for (;;) {
          const bytes = closing.length === 0 ? null : receive(fd, room, MSG_DONTWAIT);
          if (bytes === null) return;
          heard(withoutHeader(family, bytes), fd);
        }
      });
      closing.push(() => {
        poll.close();
        close(fd);
      });
      return fd;
    };
    try {
      for (const receiver of receivers) {
        listen(receiver.namespace, receiver.address, receiver.foreign, (bytes, fd) => {
          if (!crafted.isArrival(bytes)) return;
          owner = receiver.owner;
          const answer = crafted.respond(bytes, receiver.listens, receiver.everywhere);
          owed = answer !== "nothing";
          if (answer instanceof Buffer) sendTo(fd, answer, socketAddress(origin.address, 0));
          news();
        });
      }
      const fd = listen(origin.namespace, origin.address, origin.foreign, (bytes) => {
        if (!crafted.isAnswer(bytes)) return;
        answered = true;
        news();
      });
      const timer = setTimeout(() => {
        const what = owner === null ? "it came in nowhere" : `it came in at ${owner}, but no answer came back`;
        finish({ outcome: "lost", detail: `${what} within ${PATIENCE_MS} ms` });
      }, PATIENCE_MS);
      closing.push(() => clearTimeout(timer));
      drops.await(key, (drop) => finish({ outcome: "dropped", drop }));
      closing.push(() => drops.forget(key));
      // From now on it hears the target alone.
      connect(fd, socketAddress(target, 0));
      send(fd, crafted.bytes);
    } catch (error) {
      finish(failed(error));
    }
  });
}

function failed(error: unknown): Attempt {
  return { outcome: "lost", detail: error instanceof Error ? error.message : String(error) };
}

/** Waits for the socket, the drop log or the end of patience, whichever is first; closes the socket unless it is open. */
function watch(
  drops: DropLog,
  protocol: number,
  origin: Origin,
  port: number,
  fd: number,
  events: { readonly readable?: boolean; readonly writable?: boolean },
  resolve: (attempt: Attempt) => void,
  ready: () => Attempt | null,
): void {
  const keys = [origin.address, ...(origin.relays ?? [])].map((address) => attemptKey(protocol, address, port));
  const poll = koffi.node.poll(fd, events, () => {
    const attempt = ready();
    if (attempt !== null) finish(attempt);
  });
  const timer = setTimeout(
    () => finish({ outcome: "lost", detail: `no answer within ${PATIENCE_MS} ms` }),
    PATIENCE_MS,
  );
  const finish = (attempt: Attempt): void => {
    clearTimeout(timer);
    for (const key of keys) drops.forget(key);
    poll.close();
    if (attempt.outcome !== "open") close(fd);
    resolve(attempt);
  };
  for (const key of keys) drops.await(key, (drop) => finish({ outcome: "dropped", drop }));
}

/** Ends an open connection at once, without trace. */
export function abandon(fd: number): void {
  resetOnClose(fd);
  close(fd);
}

/** An address of the family from which a site speaks. */
export function sourceAddress(addresses: readonly string[], target: string): string | null {
  return addresses.find((address) => familyOf(address) === familyOf(target)) ?? null;
}
