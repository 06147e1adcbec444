/**
 * HTTP/1.1 through the proxy: each request is judged, then goes on to the target over a connection of its own client's,
 * bodies as they come, with back-pressure. Refusals read as Envoy's (cilium.md R6.5.1, R6.2.1).
 */

import {
  Agent,
  type ClientRequest,
  createServer,
  type IncomingMessage,
  request as httpRequest,
  type Server,
  ServerResponse,
} from "node:http";
import type { Duplex } from "node:stream";
import { Socket } from "node:net";
import { Exchange, type HttpHead } from "./http-exchange.ts";
import { CONNECT_MS, DENIED, FIELDS_MAX, HEADER_BYTES_MAX, UNREACHABLE } from "./http-replies.ts";
import { type Connection, type Proxy, REFUSED_HEADER, type Resolution, type StreamProtocol } from "./seam.ts";
import { join } from "./tunnel.ts";

const IDLE_MS = 300_000;
/** How long a connection that is refused stays to be read. */
const LINGER_MS = 1_000;
/** Requests that a client sends before the one before is answered. */
const MAX_WAITING = 16;
/** What belongs to one connection and not to the request (RFC 9110 7.6.1). */
const HOP_BY_HOP = new Set(["connection", "keep-alive", "proxy-connection", "upgrade", "http2-settings"]);

interface Client {
  readonly connection: Connection;
  readonly onward: Onward;
}

export class Http implements StreamProtocol {
  private readonly proxy: Proxy;
  private readonly server: Server;
  private readonly clients = new WeakMap<Duplex, Client>();

  /** `headMs`: a client says the head of a request within this time, in milliseconds. */
  constructor(proxy: Proxy, headMs: number) {
    this.proxy = proxy;
    this.server = createServer({
      headersTimeout: headMs,
      requestTimeout: 0,
      keepAliveTimeout: IDLE_MS,
      connectionsCheckingInterval: Math.min(headMs, 1_000),
      maxHeaderSize: HEADER_BYTES_MAX,
      insecureHTTPParser: false,
    });
    // None may be left out unseen: too many are refused.
    this.server.maxHeadersCount = 0;
    this.server.timeout = IDLE_MS;
    this.server.on("request", (request, response) => void this.handle(request, response, false));
    this.server.on("checkContinue", (request, response) => void this.handle(request, response, true));
    this.server.on("upgrade", (request: IncomingMessage, socket: Duplex, first: Buffer) => {
      void this.upgrade(request, socket, first);
    });
    this.server.on("connect", (_request: IncomingMessage, socket: Duplex) => {
      socket.end("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    });
    this.server.on("clientError", (error, socket) => refuseBytes(error, socket));
    // It gets connections from elsewhere; its watch over slow heads begins as if it listened.
    this.server.emit("listening");
  }

  take(socket: Socket, connection: Connection): void {
    const client = { connection, onward: new Onward(() => this.proxy.connect(connection)) };
    this.clients.set(socket, client);
    socket.on("close", () => client.onward.end());
    this.server.emit("connection", socket);
    socket.resume();
  }

  private async judged(request: IncomingMessage, client: Client): Promise<Exchange | number> {
    const status = improper(request);
    if (status !== null) return status;
    const found = this.proxy.resolve(client.connection);
    const resolution: Resolution = found instanceof Promise ? await found : found;
    return new Exchange(this.proxy, client.connection, headOf(request), resolution);
  }

  private async handle(request: IncomingMessage, response: ServerResponse, isWaiting: boolean): Promise<void> {
    const client = this.clients.get(request.socket);
    if (client === undefined) {
      request.socket.destroy();
      return;
    }
    const exchange = await this.judged(request, client);
    if (response.destroyed) return;
    if (typeof exchange === "number") {
      response.shouldKeepAlive = false;
      answer(response, exchange, "");
      return;
    }
    const { outcome } = exchange;
    response.on("finish", () => exchange.answered(response.statusCode));
    switch (outcome.kind) {
      case "pass":
        this.forward(request, response, client, outcome, isWaiting);
        return;
      case "again":
        response.setHeader("location", outcome.path);
        answer(response, 307, "");
        return;
      case "unreachable":
        // The kernel drops and logs what is sent.
        this.proxy
          .connect(client.connection)
          .on("error", () => {})
          .destroy();
        answer(response, 503, `${UNREACHABLE}. reset reason: connection timeout`);
        return;
      case "refused":
        answer(response, outcome.status, outcome.status === 403 ? DENIED : "");
    }
  }

  private forward(
    request: IncomingMessage,
    response: ServerResponse,
    client: Client,
    { path, headers }: { readonly path: string; readonly headers: readonly string[] },
    isWaiting: boolean,
  ): void {
    const onward = httpRequest({
      agent: client.onward,
      method: request.method ?? "GET",
      path,
      headers: onwardHeaders(request, headers),
    });
    const fail = (error: Error): void => {
      if (response.headersSent) request.socket.destroy();
      else answerUnreachable(response, error);
    };
    onward.on("error", fail);
    onward.on("response", (reply) => {
      response.sendDate = false;
      response.writeHead(reply.statusCode ?? 502, reply.statusMessage, withoutHops(reply.rawHeaders));
      reply.on("error", fail);
      reply.on("aborted", () => request.socket.destroy());
      reply.pipe(response, { end: false });
      reply.on("end", () => {
        const trailers = pairs(reply.rawTrailers);
        if (trailers.length > 0) response.addTrailers(trailers);
        response.end();
      });
    });
    if (isWaiting) {
      onward.on("continue", () => response.writeContinue());
      onward.flushHeaders();
    }
    response.on("close", () => {
      if (!response.writableFinished) onward.destroy();
    });
    request.pipe(onward, { end: false });
    request.on("end", () => {
      const trailers = pairs(request.rawTrailers);
      if (trailers.length > 0) onward.addTrailers(trailers);
      onward.end();
    });
  }

  /** WebSocket; every other upgrade is none, and the request an ordinary one without a body, the last of its connection. */
  private async upgrade(request: IncomingMessage, socket: Duplex, first: Buffer): Promise<void> {
    socket.on("error", () => socket.destroy());
    const client = this.clients.get(socket);
    if (client === undefined || !(socket instanceof Socket)) {
      socket.destroy();
      return;
    }
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket);
    response.on("finish", () => socket.end());
    if ((request.headers.upgrade ?? "").toLowerCase() !== "websocket") {
      await this.handle(request, response, false);
      return;
    }
    const exchange = await this.judged(request, client);
    if (typeof exchange === "number" || exchange.outcome.kind !== "pass") {
      const refused = typeof exchange === "number" ? exchange : exchange.outcome.kind === "unreachable" ? 503 : 403;
      answer(response, refused, refused === 403 ? DENIED : "");
      if (typeof exchange !== "number") exchange.answered(refused);
      return;
    }
    const { path, headers } = exchange.outcome;
    const hops = ["Connection", "Upgrade", "Upgrade", "websocket"];
    const onward = httpRequest({
      agent: client.onward,
      method: "GET",
      path,
      headers: [...withoutHops(headers), ...hops],
    });
    onward.on("error", (error) => answerUnreachable(response, error));
    onward.on("response", (reply) => {
      response.writeHead(reply.statusCode ?? 502, withoutHops(reply.rawHeaders));
      reply.pipe(response);
      exchange.answered(reply.statusCode ?? 502);
    });
    onward.on("upgrade", (reply, target, head) => {
      exchange.answered(101);
      response.detachSocket(socket);
      const lines = pairs(reply.rawHeaders).map(([name, value]) => `${name}: ${value}\r\n`);
      socket.write(`HTTP/1.1 101 ${reply.statusMessage ?? "Switching Protocols"}\r\n${lines.join("")}\r\n`);
      if (head.length > 0) socket.write(head);
      if (first.length > 0) target.write(first);
      join(socket, target);
    });
    onward.end();
  }
}

/** The one connection to the target that goes with a client's connection. */
class Onward extends Agent {
  private readonly open: () => Socket;
  private socket: Socket | null = null;
  private isBusy = false;
  private readonly waiting: ClientRequest[] = [];

  constructor(open: () => Socket) {
    super({ keepAlive: true });
    this.open = open;
  }

  addRequest(request: ClientRequest): void {
    if (!this.isBusy) this.start(request);
    else if (this.waiting.length < MAX_WAITING) this.waiting.push(request);
    else request.destroy(new Error("too many requests at a time"));
  }

  end(): void {
    this.socket?.destroy();
    for (const request of this.waiting.splice(0)) request.destroy();
  }

  private start(request: ClientRequest): void {
    this.isBusy = true;
    const known = this.socket;
    if (known !== null && !known.destroyed && known.writable) {
      request.reusedSocket = true;
      request.onSocket(known);
      return;
    }
    const socket = this.open();
    this.socket = socket;
    const timer = setTimeout(() => socket.destroy(new Error("connection timeout")), CONNECT_MS);
    socket.on("connect", () => clearTimeout(timer));
    socket.on("error", () => socket.destroy());
    socket.on("free", () => this.next(socket));
    socket.on("close", () => {
      clearTimeout(timer);
      this.next(socket);
    });
    request.onSocket(socket);
  }

  private next(socket: Socket): void {
    if (this.socket !== socket) return;
    if (socket.destroyed) this.socket = null;
    this.isBusy = false;
    const request = this.waiting.shift();
    if (request !== undefined) this.start(request);
  }
}

function headOf(request: IncomingMessage): HttpHead {
  return {
    method: request.method ?? "GET",
    path: request.url ?? "/",
    host: request.headers.host ?? "",
    protocol: `HTTP/${request.httpVersion}`,
    headers: request.rawHeaders,
  };
}

/** The status of the answer to what is no proper request; null: it is one. */
function improper(request: IncomingMessage): number | null {
  if (request.httpVersion !== "1.1") return 426;
  if (request.rawHeaders.length > FIELDS_MAX * 2) return 431;
  if (request.url?.startsWith("/") !== true) return 400;
  let hosts = 0;
  for (let at = 0; at < request.rawHeaders.length; at += 2) {
    if (request.rawHeaders[at]?.toLowerCase() === "host") hosts++;
    if (/[\r\n\0]/.test(request.rawHeaders[at + 1] ?? "")) return 400;
  }
  return hosts === 1 ? null : 400;
}

function answer(response: ServerResponse, status: number, body: string): void {
  if (response.headersSent || response.destroyed) return;
  response.statusCode = status;
  response.setHeader("server", "envoy");
  response.setHeader("content-length", Buffer.byteLength(body));
  if (body !== "") response.setHeader("content-type", "text/plain");
  response.end(body);
}

/** Tells that the target cannot be reached, and why, in Envoy's words. */
function answerUnreachable(response: ServerResponse, error: Error): void {
  if (response.headersSent || response.destroyed) return;
  const isRefused = "code" in error && error.code === "ECONNREFUSED";
  if (isRefused) response.setHeader(REFUSED_HEADER, "true");
  const timedOut = error.message === "connection timeout" ? "connection timeout" : "connection termination";
  const refused = "remote connection failure, transport failure reason: delayed connect error: Connection refused";
  answer(response, 503, `${UNREACHABLE}. reset reason: ${isRefused ? refused : timedOut}`);
}

function withoutHops(headers: readonly string[]): string[] {
  return pairs(headers).flatMap(([name, value]) => (HOP_BY_HOP.has(name.toLowerCase()) ? [] : [name, value]));
}

/** A request without a body says so where Node would else announce one. */
function onwardHeaders(request: IncomingMessage, headers: readonly string[]): string[] {
  const out = withoutHops(headers);
  const { "content-length": length, "transfer-encoding": encoding } = request.headers;
  if (length === undefined && encoding === undefined && request.method !== "GET" && request.method !== "HEAD")
    out.push("content-length", "0");
  return out;
}

function pairs(raw: readonly string[]): [string, string][] {
  const out: [string, string][] = [];
  for (let at = 0; at < raw.length; at += 2) out.push([raw[at] ?? "", raw[at + 1] ?? ""]);
  return out;
}

const STATUS: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: "431 Request Header Fields Too Large",
  ERR_HTTP_REQUEST_TIMEOUT: "408 Request Timeout",
};

/** What the parser takes for no HTTP. */
function refuseBytes(error: Error, socket: Duplex): void {
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  if (code === "ECONNRESET" || !socket.writable) socket.destroy();
  else {
    socket.end(`HTTP/1.1 ${STATUS[code] ?? "400 Bad Request"}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`);
    // Later, or the reset could overtake the answer.
    setTimeout(() => socket.destroy(), LINGER_MS);
  }
}
