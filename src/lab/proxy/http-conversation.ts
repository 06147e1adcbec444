/**
 * A client's connection of HTTP/1.1: each request is judged, then goes on to the target over a connection of its own
 * client's, bodies as they come, with back-pressure. What is no proper request is refused, the connection with it.
 *
 * Requests are read by the parser on which Node's own server stands (llhttp, strict); answers are written as text.
 */

import { HTTPParser, methods } from "node:_http_common";
import { request as httpRequest, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { Exchange, type HttpHead, type Outcome } from "./http-exchange.ts";
import { fieldLines, type Framing, framingOf, lengthOf, type RawHeaders, withoutHops } from "./http-fields.ts";
import {
  FIELDS_MAX,
  HEADER_BYTES_MAX,
  improperReply,
  isRefusal,
  type Reply,
  replyTo,
  unreachableReply,
} from "./http-replies.ts";
import { type AnswerHead, type Asked, giveUpInTime, Target } from "./http-target.ts";
import { type Connection, type Proxy, REFUSED_HEADER, type Resolution } from "./seam.ts";
import { join } from "./tunnel.ts";

/** A connection on which nothing happens is ended after this time, in milliseconds. */
const IDLE_MS = 300_000;
/** How long a connection that is refused stays to be read. */
const LINGER_MS = 1_000;
/** Bodies up to this length are written in one piece with their head. */
const SMALL = 4_096;
/** From this number on the parser's methods are others than `methods` has. */
const KNOWN_METHODS = 34;
const CLOSE = ["Connection", "close"] as const;

/** A request, and what becomes of it. */
class Asking {
  readonly head: HttpHead;
  /** The status of its answer, where it is no proper request. */
  readonly improper: number | null;
  readonly body: Framing;
  /** The client sends the body when it is told to (RFC 9110 10.1.1). */
  readonly isWaiting: boolean;
  readonly isWebSocket: boolean;
  /** No other comes after it. */
  isLast: boolean;
  exchange: Exchange | null = null;
  asked: Asked | null = null;
  /** Hears more of the answer, where it has been told to wait. */
  hearOn: () => void = () => {};
  /** Its body may go on. */
  isBegun = false;
  /** All of it has come. */
  isWhole = false;
  isToldToSend = false;
  /** Of its body, until it has its turn. */
  readonly held: Buffer[] = [];
  trailers: RawHeaders = [];
  isAnswered = false;

  constructor(head: HttpHead, improper: number | null, isUpgrade: boolean, isKeptAlive: boolean) {
    this.head = head;
    this.improper = improper;
    this.body = framingOf(head.headers) ?? "none";
    this.isWaiting = this.body !== "none" && valueOf(head.headers, "expect")?.toLowerCase() === "100-continue";
    this.isWebSocket =
      isUpgrade && this.body === "none" && valueOf(head.headers, "upgrade")?.toLowerCase() === "websocket";
    this.isLast = isUpgrade || !isKeptAlive || improper !== null;
  }
}

export class Conversation {
  /** Since when a head is on its way, in milliseconds of the process; null: none is. */
  headSince: number | null = performance.now();
  private readonly proxy: Proxy;
  private readonly socket: Socket;
  private readonly connection: Connection;
  private readonly target: Target;
  private readonly parser = new HTTPParser();
  private readonly ended: () => void;
  /** The first is being answered. */
  private readonly queue: Asking[] = [];
  private fields: string[] = [];
  private url = "";
  /** Bytes of a request's body that are still to come, where its length is known; the parser need not see them. */
  private left = 0;
  /** The head of the answer, until it is known what comes with it. */
  private answerHead = "";
  private framing: Framing = "none";
  private status = 0;
  private isAnswerBegun = false;
  private isCorked = false;
  /** The target takes no more of the body for now. */
  private isBlocked = false;
  /** Nothing more that comes is a request. */
  private isOver = false;
  private isHalfClosed = false;
  /** What came after a request for another protocol. */
  private first: Buffer | null = null;

  /** `ended` is called when the connection is. */
  constructor(proxy: Proxy, socket: Socket, connection: Connection, ended: () => void) {
    this.proxy = proxy;
    this.socket = socket;
    this.connection = connection;
    this.target = new Target((onread) => proxy.connect(connection, onread));
    this.ended = ended;
  }

  begin(): void {
    const { parser, socket } = this;
    this.listen();
    parser[HTTPParser.kOnMessageBegin] = () => {
      this.headSince = performance.now();
    };
    parser[HTTPParser.kOnHeaders] = (fields, url) => {
      this.fields.push(...fields);
      this.url += url;
    };
    parser[HTTPParser.kOnHeadersComplete] = (
      major,
      minor,
      fields,
      method,
      url,
      _status,
      _message,
      isUpgrade,
      isKept,
    ) => {
      const given = fields === undefined ? this.fields : [...fields];
      const path = url ?? this.url;
      this.fields = [];
      this.url = "";
      this.headSince = null;
      this.take(given, methodName(method), path, `${major}.${minor}`, isUpgrade, isKept);
      return 0;
    };
    parser[HTTPParser.kOnBody] = (bytes) => {
      if (this.left > 0) this.left -= bytes.length;
      this.bodyCame(bytes);
    };
    parser[HTTPParser.kOnMessageComplete] = () => this.wholeCame();
    socket.setTimeout(IDLE_MS, () => socket.destroy());
    socket.on("data", this.hear);
    socket.on("end", this.hearEnd);
    socket.on("close", () => {
      this.isOver = true;
      this.ended();
      this.target.end();
      // Not while it may be parsing.
      setImmediate(() => parser.free());
    });
    socket.resume();
  }

  /** Refuses whatever was on its way, and what would come. */
  refuse(status: number): void {
    const { socket } = this;
    if (this.isOver) return;
    this.isOver = true;
    this.headSince = null;
    this.target.end();
    if (this.isAnswerBegun || !socket.writable) {
      socket.destroy();
      return;
    }
    socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`);
    this.leave();
  }

  private readonly hear = (bytes: Buffer): void => {
    if (this.isOver) return;
    const { left } = this;
    if (left === 0) this.parse(bytes);
    else if (bytes.length < left) {
      this.left -= bytes.length;
      this.bodyCame(bytes);
    } else {
      // All of it has come, and the parser does not know.
      this.bodyCame(bytes.subarray(0, left));
      this.listen();
      this.wholeCame();
      if (this.queue.at(-1)?.isLast === true) this.isOver = true;
      else if (bytes.length > left) this.parse(bytes.subarray(left));
    }
  };

  private parse(bytes: Buffer): void {
    const taken = this.parser.execute(bytes);
    if (typeof taken !== "number") {
      const isFlood = "code" in taken && taken.code === "HPE_HEADER_OVERFLOW";
      this.refuse(isFlood ? 431 : 400);
      return;
    }
    const last = this.queue.at(-1);
    if (last?.isLast !== true || !last.isWhole) return;
    if (last.isWebSocket) {
      this.first = bytes.subarray(taken);
      this.socket.pause();
    }
    this.isOver = true;
  }

  private listen(): void {
    this.parser.initialize(HTTPParser.REQUEST, this, HEADER_BYTES_MAX);
  }

  private readonly hearEnd = (): void => {
    this.isHalfClosed = true;
    if (!this.isOver && this.parser.finish() !== undefined) this.refuse(400);
    else if (this.queue.length === 0) this.socket.end();
  };

  /** The client has taken what it was sent. */
  private readonly goOn = (): void => {
    if (this.socket.writableLength === 0) this.queue[0]?.hearOn();
  };

  private take(
    headers: string[],
    method: string | null,
    path: string,
    version: string,
    isUpgrade: boolean,
    isKept: boolean,
  ): void {
    if (this.isOver || this.queue.at(-1)?.isLast === true) return;
    const host = hostOf(headers);
    const head: HttpHead = { method: method ?? "", path, host: host ?? "", protocol: "HTTP/1.1", headers };
    const asking = new Asking(head, improper(head, host, version), isUpgrade, isKept);
    if (asking.body === "counted") this.left = lengthOf(headers) ?? 0;
    this.queue.push(asking);
    if (this.queue.length === 1) this.judge(asking);
    else this.socket.pause();
  }

  private bodyCame(bytes: Buffer): void {
    const asking = this.queue.at(-1);
    if (asking === undefined || asking.isWhole || this.isOver) return;
    if (asking.asked !== null && asking.isBegun) {
      this.isBlocked = !asking.asked.write(bytes);
      if (this.isBlocked) this.socket.pause();
    } else if (!asking.isAnswered) {
      asking.held.push(bytes);
      this.socket.pause();
    }
  }

  private wholeCame(): void {
    const asking = this.queue.at(-1);
    const { fields } = this;
    this.fields = [];
    this.left = 0;
    if (asking === undefined || asking.isWhole || this.isOver) return;
    asking.isWhole = true;
    asking.trailers = fields;
    if (asking.isBegun && asking.body !== "none") asking.asked?.finish(fields);
    this.next(asking);
  }

  private judge(asking: Asking): void {
    if (asking.improper !== null) {
      this.answer(asking, improperReply(asking.improper));
      return;
    }
    const judge = (resolution: Resolution): void => {
      if (this.socket.destroyed || this.queue[0] !== asking) return;
      const exchange = new Exchange(this.proxy, this.connection, asking.head, resolution);
      asking.exchange = exchange;
      const { outcome } = exchange;
      if (outcome.kind === "pass") {
        if (asking.isWebSocket) this.upgrade(asking, outcome);
        else this.forward(asking, outcome);
        return;
      }
      // The kernel drops and logs what is sent.
      if (outcome.kind === "unreachable") {
        const attempt = this.proxy.connect(this.connection);
        attempt.on("error", () => {}).destroy();
      }
      this.answer(asking, replyTo(outcome));
    };
    const resolution = this.proxy.resolve(this.connection);
    if (resolution instanceof Promise) void resolution.then(judge);
    else judge(resolution);
  }

  private forward(asking: Asking, { path, headers }: Extract<Outcome, { kind: "pass" }>): void {
    const { method } = asking.head;
    const { body, isWaiting } = asking;
    const onward = withoutHops(headers);
    // A request without a body says so where one could be expected (RFC 9110 8.6).
    if (body === "none" && method !== "GET" && method !== "HEAD") onward.push("content-length", "0");
    const asked = this.target.ask(
      { method, path, headers: onward, body, isWaiting },
      {
        begun: () => {
          asking.isBegun = true;
          if (body === "none") return;
          for (const bytes of asking.held.splice(0)) this.isBlocked = !asked.write(bytes);
          if (asking.isWhole) asked.finish(asking.trailers);
          this.readOn();
        },
        drained: () => {
          this.isBlocked = false;
          this.readOn();
        },
        wanted: () => {
          if (!isWaiting || asking.isToldToSend) return;
          asking.isToldToSend = true;
          this.say("HTTP/1.1 100 Continue\r\n\r\n");
        },
        answered: (reply) => this.answered(asking, reply),
        body: (bytes) => this.answerBody(bytes),
        ended: (trailers) => this.answerEnded(asking, trailers),
        heard: () => this.heard(),
        failed: (error) => this.failed(asking, error),
      },
    );
    asking.asked = asked;
    asking.hearOn = () => asked.resume();
  }

  private upgrade(asking: Asking, { path, headers }: Extract<Outcome, { kind: "pass" }>): void {
    const { socket } = this;
    const onward = httpRequest({
      createConnection: () => {
        const line = this.proxy.connect(this.connection);
        giveUpInTime(line);
        return line;
      },
      method: asking.head.method,
      path,
      headers: [...withoutHops(headers), "Connection", "Upgrade", "Upgrade", "websocket"],
    });
    socket.on("close", () => onward.destroy());
    onward.on("error", (error) => {
      if (!asking.isAnswered) this.failed(asking, error);
    });
    onward.on("response", (reply) => {
      const { statusCode: status = 502, statusMessage: message = "", rawHeaders } = reply;
      this.answered(asking, { status, message, headers: rawHeaders });
      this.heard();
      asking.hearOn = () => reply.resume();
      reply.on("data", (bytes: Buffer) => {
        this.answerBody(bytes);
        if (!this.heard()) reply.pause();
      });
      reply.on("end", () => {
        this.answerEnded(asking, reply.rawTrailers);
        this.heard();
      });
    });
    onward.on("upgrade", (reply, line, head) => {
      asking.exchange?.answered(101);
      socket.off("data", this.hear).off("end", this.hearEnd);
      socket.setTimeout(0);
      socket.write(
        `HTTP/1.1 101 ${reply.statusMessage ?? "Switching Protocols"}\r\n${fieldLines(reply.rawHeaders)}\r\n`,
      );
      if (head.length > 0) socket.write(head);
      if (this.first !== null && this.first.length > 0) line.write(this.first);
      join(socket, line);
    });
    onward.end();
  }

  private failed(asking: Asking, error: Error): void {
    if (this.isAnswerBegun) this.socket.destroy();
    else this.answer(asking, unreachableReply(error), isRefusal(error) ? [REFUSED_HEADER, "true"] : []);
  }

  /** Answers in place of the target. */
  private answer(asking: Asking, { status, body, location }: Reply, more: RawHeaders = []): void {
    this.answered(asking, {
      status,
      message: STATUS_CODES[status] ?? "",
      headers: [
        "server",
        "envoy",
        "date",
        new Date().toUTCString(),
        "content-length",
        String(Buffer.byteLength(body)),
        ...(body === "" ? [] : ["content-type", "text/plain"]),
        ...(location === undefined ? [] : ["location", location]),
        ...more,
      ],
    });
    if (body !== "") this.answerBody(Buffer.from(body));
    this.answerEnded(asking, []);
    this.heard();
  }

  private answered(asking: Asking, { status, message, headers }: AnswerHead): void {
    const { method } = asking.head;
    // What comes after a body that the client may hold back could be either.
    if (asking.isWaiting && !asking.isToldToSend) asking.isLast = true;
    const fields = withoutHops(headers);
    const hasBody = method !== "HEAD" && status !== 204 && status !== 304;
    const framing = framingOf(fields);
    // What ends with its connection is told in chunks, or it would end this one too.
    if (hasBody && framing === undefined) fields.push("Transfer-Encoding", "chunked");
    if (asking.isLast) fields.push(...CLOSE);
    this.framing = hasBody ? (framing ?? "chunked") : "none";
    this.answerHead = `HTTP/1.1 ${status} ${message}\r\n${fieldLines(fields)}\r\n`;
    this.isAnswerBegun = true;
    this.status = status;
  }

  private answerBody(bytes: Buffer): void {
    if (this.framing === "none") return;
    const { socket, framing } = this;
    const size = framing === "chunked" ? `${bytes.length.toString(16)}\r\n` : "";
    const before = this.answerHead + size;
    this.answerHead = "";
    if (framing === "counted" && before !== "" && bytes.length <= SMALL) {
      this.say(before + bytes.toString("latin1"));
      return;
    }
    if (before !== "") {
      this.cork();
      this.say(before);
    }
    socket.write(bytes, this.goOn);
    if (framing === "chunked") this.say("\r\n");
  }

  private say(text: string): void {
    this.socket.write(text, "latin1", this.goOn);
  }

  private answerEnded(asking: Asking, trailers: RawHeaders): void {
    const end = this.framing === "chunked" ? `0\r\n${fieldLines(trailers)}\r\n` : "";
    if (this.answerHead + end !== "") this.say(this.answerHead + end);
    this.answerHead = "";
    this.isAnswerBegun = false;
    asking.isAnswered = true;
    asking.held.length = 0;
    asking.exchange?.answered(this.status);
    this.next(asking);
  }

  private cork(): void {
    if (this.isCorked) return;
    this.isCorked = true;
    this.socket.cork();
  }

  /** What has been said goes out; false: the client has not taken all of it yet. */
  private heard(): boolean {
    if (this.answerHead !== "") {
      this.say(this.answerHead);
      this.answerHead = "";
    }
    if (this.isCorked) {
      this.isCorked = false;
      this.socket.uncork();
    }
    return this.socket.writableLength === 0;
  }

  /** The next request has its turn when this one has come and is answered. */
  private next(asking: Asking): void {
    if (this.queue[0] !== asking || !asking.isAnswered) return;
    if (asking.isLast) {
      this.close();
      return;
    }
    if (!asking.isWhole) {
      this.readOn();
      return;
    }
    this.queue.shift();
    const following = this.queue[0];
    if (following !== undefined) this.judge(following);
    else if (this.isHalfClosed) this.close();
    this.readOn();
  }

  private close(): void {
    this.heard();
    this.isOver = true;
    this.headSince = null;
    this.leave();
  }

  /** Whoever still sends is read for a while, or a reset could overtake the answer. */
  private leave(): void {
    const { socket } = this;
    socket.end(() => setTimeout(() => socket.destroy(), LINGER_MS));
    socket.resume();
  }

  private readOn(): void {
    if (!this.isBlocked && this.queue.length <= 1 && this.first === null) this.socket.resume();
  }
}

function methodName(number: number | undefined): string | null {
  return number !== undefined && number < KNOWN_METHODS ? (methods[number] ?? null) : null;
}

function valueOf(fields: RawHeaders, name: string): string | undefined {
  for (let at = 0; at < fields.length; at += 2)
    if (fields[at]?.length === name.length && fields[at]?.toLowerCase() === name) return fields[at + 1];
  return undefined;
}

/** The one host; null: none is named, or several. */
function hostOf(fields: RawHeaders): string | null {
  let host: string | null = null;
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at] ?? "";
    if (name.length !== 4 || name.toLowerCase() !== "host") continue;
    if (host !== null) return null;
    host = fields[at + 1] ?? "";
  }
  return host;
}

/** The status of the answer to what is no proper request; null: it is one. */
function improper({ method, path, headers }: HttpHead, host: string | null, version: string): number | null {
  if (method === "CONNECT") return 403;
  if (version !== "1.1") return 426;
  if (headers.length > FIELDS_MAX * 2) return 431;
  if (method === "" || host === null || !path.startsWith("/")) return 400;
  for (let at = 1; at < headers.length; at += 2) if (/[\r\n\0]/.test(headers[at] ?? "")) return 400;
  return null;
}
