/**
 * HTTP/1.1 through the proxy: each request is judged, then goes on to the target over a connection of its own client's,
 * bodies as they come, with back-pressure. Refusals read as Envoy's (cilium.md R6.5.1, R6.2.1).
 */

import { createServer, type IncomingMessage, request as httpRequest, type Server, ServerResponse } from "node:http";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { Exchange, type HttpHead, type RawHeaders } from "./http-exchange.ts";
import {
  FIELDS_MAX,
  HEADER_BYTES_MAX,
  improperReply,
  isRefusal,
  type Reply,
  replyTo,
  unreachableReply,
} from "./http-replies.ts";
import { type AskedHead, giveUpInTime, Target } from "./http-target.ts";
import { type Connection, type Proxy, REFUSED_HEADER, type Resolution, type StreamProtocol } from "./seam.ts";
import { join } from "./tunnel.ts";

const IDLE_MS = 300_000;
/** How long a connection that is refused stays to be read. */
const LINGER_MS = 1_000;
/** What belongs to one connection and not to the request (RFC 9110 7.6.1). */
const HOP_BY_HOP = new Set(["connection", "keep-alive", "proxy-connection", "upgrade", "http2-settings"]);

interface Client {
  readonly connection: Connection;
  readonly target: Target;
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
    const client = { connection, target: new Target(() => this.proxy.connect(connection)) };
    this.clients.set(socket, client);
    socket.on("close", () => client.target.end());
    this.server.emit("connection", socket);
    socket.resume();
  }

  private judged(request: IncomingMessage, { connection }: Client): number | Exchange | Promise<Exchange> {
    const head = headOf(request);
    if (typeof head === "number") return head;
    const judge = (resolution: Resolution): Exchange => new Exchange(this.proxy, connection, head, resolution);
    const resolution = this.proxy.resolve(connection);
    return resolution instanceof Promise ? resolution.then(judge) : judge(resolution);
  }

  private async handle(request: IncomingMessage, response: ServerResponse, isWaiting: boolean): Promise<void> {
    const client = this.clients.get(request.socket);
    if (client === undefined) {
      request.socket.destroy();
      return;
    }
    const judged = this.judged(request, client);
    const exchange = judged instanceof Promise ? await judged : judged;
    if (response.destroyed) return;
    if (typeof exchange === "number") {
      response.shouldKeepAlive = false;
      answer(response, improperReply(exchange));
      return;
    }
    const { outcome } = exchange;
    response.on("finish", () => exchange.answered(response.statusCode));
    if (outcome.kind === "pass") {
      this.forward(request, response, client.target, outcome, isWaiting);
      return;
    }
    // The kernel drops and logs what is sent.
    if (outcome.kind === "unreachable") {
      const attempt = this.proxy.connect(client.connection);
      attempt.on("error", () => {}).destroy();
    }
    answer(response, replyTo(outcome));
  }

  private forward(
    request: IncomingMessage,
    response: ServerResponse,
    target: Target,
    { path, headers }: { readonly path: string; readonly headers: RawHeaders },
    isWaiting: boolean,
  ): void {
    const head = { method: request.method ?? "GET", path, ...onwardHeaders(headers, request.method), isWaiting };
    const asked = target.ask(head, {
      begun: () => {
        if (head.body === "none") return;
        request.on("data", (bytes: Buffer) => {
          if (!asked.write(bytes)) request.pause();
        });
        request.on("end", () => asked.finish(request.rawTrailers));
      },
      drained: () => request.resume(),
      wanted: () => {
        if (isWaiting) response.writeContinue();
      },
      answered: (reply) => {
        response.sendDate = false;
        response.writeHead(reply.status, reply.message, withoutHops(reply.headers));
      },
      body: (bytes) => response.write(bytes),
      ended: (trailers) => {
        if (trailers.length > 0) response.addTrailers(pairs(trailers));
        response.end();
      },
      failed: (error) => {
        if (response.headersSent) request.socket.destroy();
        else answerUnreachable(response, error);
      },
    });
    response.on("drain", () => asked.resume());
    response.on("close", () => {
      if (!response.writableFinished) asked.cancel();
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
    if (typeof exchange === "number") {
      answer(response, improperReply(exchange));
      return;
    }
    if (exchange.outcome.kind !== "pass") {
      const reply = replyTo(exchange.outcome);
      answer(response, reply);
      exchange.answered(reply.status);
      return;
    }
    const { path, headers } = exchange.outcome;
    const hops = ["Connection", "Upgrade", "Upgrade", "websocket"];
    const onward = httpRequest({
      createConnection: () => {
        const line = this.proxy.connect(client.connection);
        giveUpInTime(line);
        return line;
      },
      method: "GET",
      path,
      headers: [...withoutHops(headers), ...hops],
    });
    response.on("close", () => {
      if (!response.writableFinished) onward.destroy();
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

/** The head of a request; or, where it is no proper one, the status of the answer. */
function headOf({ httpVersion, url, method = "GET", rawHeaders }: IncomingMessage): HttpHead | number {
  if (httpVersion !== "1.1") return 426;
  if (rawHeaders.length > FIELDS_MAX * 2) return 431;
  if (url?.startsWith("/") !== true) return 400;
  let host: string | null = null;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const value = rawHeaders[at + 1] ?? "";
    if (/[\r\n\0]/.test(value)) return 400;
    if (rawHeaders[at]?.toLowerCase() !== "host") continue;
    if (host !== null) return 400;
    host = value;
  }
  if (host === null) return 400;
  return { method, path: url, host, protocol: "HTTP/1.1", headers: rawHeaders };
}

function answer(response: ServerResponse, { status, body, location }: Reply): void {
  if (response.headersSent || response.destroyed) return;
  response.statusCode = status;
  response.setHeader("server", "envoy");
  response.setHeader("content-length", Buffer.byteLength(body));
  if (body !== "") response.setHeader("content-type", "text/plain");
  if (location !== undefined) response.setHeader("location", location);
  response.end(body);
}

/** Tells that the target cannot be reached. */
function answerUnreachable(response: ServerResponse, error: Error): void {
  if (response.headersSent || response.destroyed) return;
  if (isRefusal(error)) response.setHeader(REFUSED_HEADER, "true");
  answer(response, unreachableReply(error));
}

function withoutHops(headers: RawHeaders): string[] {
  const out: string[] = [];
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at] ?? "";
    if (!HOP_BY_HOP.has(name.toLowerCase())) out.push(name, headers[at + 1] ?? "");
  }
  return out;
}

/** What goes on, and how its body comes. */
function onwardHeaders(given: RawHeaders, method = "GET"): Pick<AskedHead, "headers" | "body"> {
  const headers = withoutHops(given);
  let body: AskedHead["body"] = "none";
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at]?.toLowerCase();
    if (name === "transfer-encoding") body = "chunked";
    else if (name === "content-length") body = "counted";
  }
  // A request without a body says so where one could be expected (RFC 9110 8.6).
  if (body === "none" && method !== "GET" && method !== "HEAD") headers.push("content-length", "0");
  return { headers, body };
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
