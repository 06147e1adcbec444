/**
 * The one connection to the target that goes with a client's connection: requests go over it one after another. Heads
 * are written as text; answers are read by the parser on which Node's own client stands. That client itself makes up
 * most of what a small request costs.
 */

import { HTTPParser } from "node:_http_common";
import type { OnReadOpts, Socket } from "node:net";
import { fieldLines, type Framing, type RawHeaders } from "./http-fields.ts";
import { CONNECT_MS, CONNECT_TIMEOUT, HEADER_BYTES_MAX } from "./http-replies.ts";
import { ReadBuffer } from "./read-buffer.ts";

/** Requests that a client sends before the one before is answered. */
const MAX_WAITING = 16;
const SWITCHING = 101;
const LAST_INFORMATIONAL = 199;

export interface AnswerHead {
  readonly status: number;
  readonly message: string;
  readonly headers: RawHeaders;
}

/** Who hears of a request's answer. */
export interface Asker {
  /** The request is on its way; its body may follow. */
  begun(): void;
  /** Its body may go on after `write` has returned false. */
  drained(): void;
  /** The target wants the body (RFC 9110 15.2.1). */
  wanted(): void;
  answered(head: AnswerHead): void;
  /** A part of the answer's body; false: no more until `Asked.resume`. */
  body(bytes: Buffer): boolean;
  ended(trailers: RawHeaders): void;
  /** All that has come so far has been told. */
  heard(): void;
  /** Nothing more comes. */
  failed(error: Error): void;
}

export interface AskedHead {
  readonly method: string;
  readonly path: string;
  readonly headers: RawHeaders;
  readonly body: Framing;
  /** The body comes only when the target wants it. */
  readonly isWaiting: boolean;
}

/** A request and its asker. */
export class Asked {
  readonly head: AskedHead;
  readonly asker: Asker;
  private readonly target: Target;
  /** All of it has been written. */
  isSent: boolean;
  isAnswered = false;

  constructor(target: Target, head: AskedHead, asker: Asker) {
    this.target = target;
    this.head = head;
    this.asker = asker;
    this.isSent = head.body === "none";
  }

  write(bytes: Buffer): boolean {
    return this.target.write(this, bytes);
  }

  finish(trailers: RawHeaders): void {
    this.target.finish(this, trailers);
  }

  /** Hears on after `Asker.body` has returned false. */
  resume(): void {
    this.target.resume(this);
  }

  cancel(): void {
    this.target.cancel(this);
  }
}

export class Target {
  private readonly open: (onread: OnReadOpts) => Socket;
  private line: Line | null = null;
  private current: Asked | null = null;
  private readonly waiting: Asked[] = [];

  constructor(open: (onread: OnReadOpts) => Socket) {
    this.open = open;
  }

  /** `asker` hears of the request's fate, never before this has returned. */
  ask(head: AskedHead, asker: Asker): Asked {
    const asked = new Asked(this, head, asker);
    if (this.current === null) {
      this.current = asked;
      queueMicrotask(() => this.begin(asked));
    } else if (this.waiting.length < MAX_WAITING) this.waiting.push(asked);
    else queueMicrotask(() => asker.failed(new Error("too many requests at a time")));
    return asked;
  }

  /** The client is gone. */
  end(): void {
    this.waiting.length = 0;
    this.current = null;
    this.line?.socket.destroy();
  }

  write(asked: Asked, bytes: Buffer): boolean {
    if (asked !== this.current || this.line === null) return true;
    return this.line.write(bytes, asked.head.body === "chunked");
  }

  finish(asked: Asked, trailers: RawHeaders): void {
    if (asked !== this.current || this.line === null) return;
    this.line.finish(asked.head.body === "chunked" ? `0\r\n${fieldLines(trailers)}\r\n` : "");
    asked.isSent = true;
    this.next(asked);
  }

  resume(asked: Asked): void {
    if (asked === this.current) this.line?.socket.resume();
  }

  cancel(asked: Asked): void {
    if (asked === this.current) this.line?.socket.destroy();
    else {
      const at = this.waiting.indexOf(asked);
      if (at >= 0) this.waiting.splice(at, 1);
    }
  }

  private begin(asked: Asked): void {
    if (asked !== this.current) return;
    try {
      this.send(asked);
    } catch (error) {
      this.current = null;
      asked.asker.failed(error instanceof Error ? error : new Error(String(error)));
      if (this.current === null) this.turn();
      return;
    }
    asked.asker.begun();
  }

  private send({ head: { method, path, headers, body, isWaiting } }: Asked): void {
    // What has been closed and is not gone yet takes nothing more.
    if (this.line?.socket.writable !== true) this.line = this.connect();
    this.line.start(`${method} ${path} HTTP/1.1\r\n${fieldLines(headers)}\r\n`, body === "none" || isWaiting);
  }

  private connect(): Line {
    return new Line(this.open, {
      head: (head) => this.current?.asker.answered(head),
      isBodiless: () => this.current?.head.method === "HEAD",
      wanted: () => this.current?.asker.wanted(),
      body: (bytes) => this.current?.asker.body(bytes) ?? true,
      ended: (trailers) => this.answered(trailers),
      drained: () => this.current?.asker.drained(),
      hear: (tell) => {
        // The request that is answered last may not be the one that was first.
        const { current } = this;
        tell();
        current?.asker.heard();
      },
      isAwaited: () => this.current !== null && !this.current.isAnswered,
      closed: (line, error) => this.closed(line, error),
    });
  }

  private answered(trailers: RawHeaders): void {
    const asked = this.current;
    if (asked === null) return;
    asked.isAnswered = true;
    asked.asker.ended(trailers);
    // A client that has not taken all of it yet does not say so any more.
    this.line?.socket.resume();
    this.next(asked);
  }

  /** The next request has its turn when this one has been sent and answered. */
  private next(asked: Asked): void {
    if (asked !== this.current || !asked.isSent || !asked.isAnswered) return;
    if (this.line?.isLast === true) {
      this.line.socket.destroy();
      this.line = null;
    }
    this.turn();
  }

  private turn(): void {
    this.current = this.waiting.shift() ?? null;
    if (this.current !== null) this.begin(this.current);
  }

  private closed(line: Line, error: Error): void {
    if (this.line !== line) return;
    this.line = null;
    const asked = this.current;
    if (asked === null) return;
    if (!asked.isAnswered) asked.asker.failed(error);
    if (asked === this.current) this.turn();
  }
}

interface Listener {
  head(head: AnswerHead): void;
  /** Whether the answer that begins has no body, whatever it says. */
  isBodiless(): boolean;
  wanted(): void;
  body(bytes: Buffer): boolean;
  ended(trailers: RawHeaders): void;
  drained(): void;
  isAwaited(): boolean;
  /** `tell` tells what has come. */
  hear(tell: () => void): void;
  closed(line: Line, error: Error): void;
}

/** A connection, and the parser of what comes over it. */
class Line {
  readonly socket: Socket;
  /** The target takes no further request. */
  isLast = false;
  private readonly parser = new HTTPParser();
  private readonly listener: Listener;
  private fields: string[] = [];
  private held = "";
  private isInformational = false;
  private failure: Error | null = null;

  constructor(open: (onread: OnReadOpts) => Socket, listener: Listener) {
    const socket = open(new ReadBuffer((bytes) => this.hear(bytes)));
    this.socket = socket;
    this.listener = listener;
    const { parser } = this;
    parser.initialize(HTTPParser.RESPONSE, this, HEADER_BYTES_MAX);
    parser[HTTPParser.kOnHeaders] = (fields) => {
      this.fields.push(...fields);
    };
    parser[HTTPParser.kOnHeadersComplete] = (_major, _minor, fields, _method, _url, status, message, _upgrade, kept) =>
      this.begin(fields ?? [], status, message, kept);
    parser[HTTPParser.kOnBody] = (bytes) => {
      if (!listener.body(bytes)) socket.pause();
    };
    parser[HTTPParser.kOnMessageComplete] = () => {
      const trailers = this.fields;
      this.fields = [];
      if (!this.isInformational) listener.ended(trailers);
    };
    giveUpInTime(socket);
    socket.on("drain", () => listener.drained());
    socket.on("end", () => {
      listener.hear(() => parser.finish());
      socket.destroy();
    });
    socket.on("error", (error) => {
      this.failure ??= error;
    });
    socket.on("close", () => {
      listener.closed(this, this.failure ?? new Error("the target closed the connection"));
      // Not while it may be parsing.
      setImmediate(() => parser.free());
    });
  }

  private begin(given: readonly string[], status: number, message: string, isKeptAlive: boolean): 0 | 1 | 2 {
    const headers = this.fields.length === 0 ? given : [...this.fields, ...given];
    this.fields = [];
    this.isInformational = status <= LAST_INFORMATIONAL;
    if (!this.listener.isAwaited() || status === SWITCHING) {
      this.socket.destroy(new Error("an answer that nobody asked for"));
      return 1;
    }
    if (this.isInformational) {
      if (status === 100) this.listener.wanted();
      return 1;
    }
    if (!isKeptAlive) this.isLast = true;
    this.listener.head({ status, message, headers });
    return this.listener.isBodiless() ? 1 : 0;
  }

  private hear(bytes: Buffer): void {
    if (this.socket.destroyed) return;
    this.listener.hear(() => {
      const taken = this.parser.execute(bytes);
      if (typeof taken !== "number") this.socket.destroy(taken);
    });
  }

  /** A head that is not sent yet goes with what comes first of the body, which may show that all of it is refused. */
  start(head: string, isSent: boolean): void {
    if (isSent) this.socket.write(head, "latin1");
    else this.held = head;
  }

  write(bytes: Buffer, isChunked: boolean): boolean {
    const { socket, held } = this;
    const before = isChunked ? `${held}${bytes.length.toString(16)}\r\n` : held;
    this.held = "";
    socket.cork();
    if (before !== "") socket.write(before, "latin1");
    let isFree = socket.write(bytes);
    if (isChunked) isFree = socket.write("\r\n", "latin1");
    socket.uncork();
    return isFree;
  }

  finish(end: string): void {
    const rest = this.held + end;
    this.held = "";
    if (rest !== "") this.socket.write(rest, "latin1");
  }
}

/** Ends a connection that is not accepted in time. */
export function giveUpInTime(socket: Socket): void {
  const timer = setTimeout(() => socket.destroy(new Error(CONNECT_TIMEOUT)), CONNECT_MS);
  const stop = (): void => clearTimeout(timer);
  socket.on("connect", stop).on("close", stop);
}
