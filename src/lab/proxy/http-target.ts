/**
 * The one connection to the target that goes with a client's connection: requests go over it one after another. Heads
 * are written as text; answers are read by the parser on which Node's own client stands. That client itself makes up
 * most of what a small request costs.
 */

import { HTTPParser } from "node:_http_common";
import type { OnReadOpts, Socket } from "node:net";
import { fieldLines, type Framing, framingOf, lengthOf, type RawHeaders } from "./http-fields.ts";
import { CONNECT_MS, CONNECT_TIMEOUT, HEADER_BYTES_MAX } from "./http-replies.ts";

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
  /** A part of the answer's body. Its bytes are others' as soon as `heard` has returned true, or `Asked.resume` is called. */
  body(bytes: Buffer): void;
  ended(trailers: RawHeaders): void;
  /** All that has come so far has been told; false: no more until `Asked.resume`. */
  heard(): boolean;
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

  /** Hears on after `Asker.heard` has returned false. */
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
    if (asked === this.current) this.line?.resume();
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
      body: (bytes) => this.current?.asker.body(bytes),
      ended: (trailers) => this.answered(trailers),
      drained: () => this.current?.asker.drained(),
      hear: (tell) => {
        // The request that is answered last may not be the one that was first.
        const { current } = this;
        tell();
        return current?.asker.heard() ?? true;
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
  body(bytes: Buffer): void;
  ended(trailers: RawHeaders): void;
  drained(): void;
  isAwaited(): boolean;
  /** `tell` tells what has come; false: somebody still holds it. */
  hear(tell: () => void): boolean;
  closed(line: Line, error: Error): void;
}

/** What comes over any connection, until the parser has copied what is told of it: one is read at a time. */
const READ = Buffer.allocUnsafeSlow(64 * 1024);
/** Bodies whose length is known are read in pieces up to this size, and go on without a copy. */
const PIECE = 64 * 1024;
/** Memory for such pieces that nobody uses now, and how much of it is kept. */
const spare: Buffer[] = [];
const SPARE = 16;

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
  private isPaused = false;
  /** What came last has not been taken by the client yet. */
  private isHeld = false;
  /** Bytes of the body that are still to come, where its length is known; the parser need not see them. */
  private left = 0;
  /** Where they are read to. */
  private piece: Buffer | null = null;

  constructor(open: (onread: OnReadOpts) => Socket, listener: Listener) {
    this.listener = listener;
    const { parser } = this;
    this.listen();
    parser[HTTPParser.kOnHeaders] = (fields) => {
      this.fields.push(...fields);
    };
    parser[HTTPParser.kOnHeadersComplete] = (_major, _minor, fields, _method, _url, status, message, _upgrade, kept) =>
      this.begin(fields ?? [], status, message, kept);
    parser[HTTPParser.kOnBody] = (bytes) => {
      if (this.left > 0) this.left -= bytes.length;
      listener.body(bytes);
    };
    parser[HTTPParser.kOnMessageComplete] = () => this.complete();
    const socket = open({
      buffer: () => this.memory(),
      callback: (length, buffer) => this.hear(Buffer.from(buffer.buffer, buffer.byteOffset, length)),
    });
    this.socket = socket;
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
    if (this.listener.isBodiless()) return 1;
    this.left = framingOf(headers) === "counted" ? (lengthOf(headers) ?? 0) : 0;
    return 0;
  }

  private complete(): void {
    const trailers = this.fields;
    this.fields = [];
    this.left = 0;
    if (!this.isInformational) this.listener.ended(trailers);
  }

  private listen(): void {
    this.parser.initialize(HTTPParser.RESPONSE, this, HEADER_BYTES_MAX);
  }

  /** False: no more until `resume`. */
  private hear(bytes: Buffer): boolean {
    if (this.socket.destroyed) return true;
    this.isHeld = !this.listener.hear(() => this.tell(bytes));
    // A client that has not taken all of an answer yet does not say so any more when it has.
    this.isPaused = this.isHeld && this.listener.isAwaited();
    return !this.isPaused;
  }

  private tell(bytes: Buffer): void {
    const { left } = this;
    if (this.piece === null || left === 0) this.parse(bytes);
    else if (bytes.length < left) {
      this.left -= bytes.length;
      this.listener.body(bytes);
    } else {
      // All of it has come, and the parser does not know.
      this.listener.body(bytes.subarray(0, left));
      this.listen();
      this.complete();
      if (bytes.length > left) this.parse(bytes.subarray(left));
    }
  }

  private parse(bytes: Buffer): void {
    const taken = this.parser.execute(bytes);
    if (typeof taken !== "number") this.socket.destroy(taken);
  }

  /** Where what comes next is read to. */
  private memory(): Buffer {
    if (this.left > 0) {
      this.piece ??= spare.pop() ?? Buffer.allocUnsafeSlow(PIECE);
      return this.piece;
    }
    if (this.piece !== null && !this.isHeld && spare.length < SPARE) spare.push(this.piece);
    this.piece = null;
    return READ;
  }

  resume(): void {
    if (!this.isPaused) return;
    this.isPaused = false;
    this.isHeld = false;
    this.socket.resume();
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
    if (before === "") socket.write(bytes);
    else {
      socket.cork();
      socket.write(before, "latin1");
      socket.write(bytes);
      if (isChunked) socket.write("\r\n", "latin1");
      socket.uncork();
    }
    return socket.writableLength === 0 || !socket.writableNeedDrain;
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
