/** HTTP/2 without TLS through the proxy (RFC 9113, 3.3), gRPC among it: a stream of the client is one to the target. */

import {
  type ClientHttp2Session,
  connect,
  constants,
  createServer,
  type Http2Server,
  type Http2Session,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import type { Socket } from "node:net";
import { Exchange, type HttpHead } from "./http-exchange.ts";
import type { RawHeaders } from "./http-fields.ts";
import { CONNECT_MS, FIELDS_MAX, HEADER_BYTES_MAX, type Reply, replyTo, unreachableReply } from "./http-replies.ts";
import type { Connection, Proxy, Resolution } from "./seam.ts";

/** Megabytes that a client's connection may hold here. */
const SESSION_MEMORY = 8;
const STREAMS_AT_ONCE = 100;
/** A connection without a stream is closed after this time, in milliseconds. */
const IDLE_MS = 60_000;

interface Caller {
  readonly connection: Connection;
  /** The connection to the target; opened by the first stream that passes. */
  onward: ClientHttp2Session | null;
}

export class Http2 {
  private readonly proxy: Proxy;
  private readonly server: Http2Server;
  private readonly callers = new WeakMap<Http2Session, Caller>();
  /** The connection whose session is being made. */
  private arriving: Connection | null = null;

  constructor(proxy: Proxy) {
    this.proxy = proxy;
    this.server = createServer({
      maxSessionMemory: SESSION_MEMORY,
      maxHeaderListPairs: FIELDS_MAX,
      settings: { maxConcurrentStreams: STREAMS_AT_ONCE, maxHeaderListSize: HEADER_BYTES_MAX, enablePush: false },
    });
    this.server.on("session", (session) => {
      const connection = this.arriving;
      if (connection === null) session.destroy();
      else this.callers.set(session, { connection, onward: null });
      session.on("error", () => session.destroy());
      session.setTimeout(IDLE_MS, () => session.close());
    });
    this.server.on("stream", (stream, headers) => this.begin(stream, headers));
  }

  take(socket: Socket, connection: Connection): void {
    this.arriving = connection;
    this.server.emit("connection", socket);
    this.arriving = null;
  }

  private begin(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    stream.on("error", () => stream.destroy());
    const { session } = stream;
    const caller = session === undefined ? undefined : this.callers.get(session);
    if (session === undefined || caller === undefined) {
      stream.close(constants.NGHTTP2_REFUSED_STREAM);
      return;
    }
    const head: HttpHead = {
      method: headers[":method"] ?? "",
      path: headers[":path"] ?? "",
      host: headers[":authority"] ?? headers.host ?? "",
      protocol: "HTTP/2",
      headers: [...rawOf(headers)],
    };
    const judge = (resolution: Resolution): void => {
      if (stream.destroyed) return;
      const exchange = new Exchange(this.proxy, caller.connection, head, resolution);
      const { outcome } = exchange;
      if (outcome.kind !== "pass") {
        answer(stream, exchange, headers, replyTo(outcome));
        return;
      }
      const onward = this.onward(session, caller);
      pass(stream, exchange, headers, onward, {
        ...collected(outcome.headers),
        ":method": head.method,
        ":path": outcome.path,
        ":authority": head.host,
        ":scheme": headers[":scheme"] ?? "http",
      });
    };
    const resolution = this.proxy.resolve(caller.connection);
    if (resolution instanceof Promise) void resolution.then(judge);
    else judge(resolution);
  }

  private onward(session: Http2Session, caller: Caller): ClientHttp2Session {
    const { onward, connection } = caller;
    if (onward !== null && !onward.closed && !onward.destroyed) return onward;
    const opened = connect("http://target", {
      createConnection: () => this.proxy.connect(connection),
      maxSessionMemory: SESSION_MEMORY,
      settings: { enablePush: false },
    });
    const timer = setTimeout(() => opened.destroy(), CONNECT_MS);
    opened.on("connect", () => clearTimeout(timer));
    opened.on("error", () => opened.destroy());
    opened.on("close", () => clearTimeout(timer));
    session.on("close", () => opened.destroy());
    caller.onward = opened;
    return opened;
  }
}

function pass(
  stream: ServerHttp2Stream,
  exchange: Exchange,
  asked: IncomingHttpHeaders,
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders,
): void {
  const isWhole = stream.endAfterHeaders;
  const onward = session.request(headers, { endStream: isWhole, waitForTrailers: !isWhole });
  onward.on("error", () => {});
  let trailers: OutgoingHttpHeaders = {};
  if (!isWhole) {
    stream.on("trailers", (fields) => {
      trailers = fields;
    });
    onward.on("wantTrailers", () => onward.sendTrailers(trailers));
    stream.pipe(onward);
  }
  onward.on("response", (said, flags) => {
    if (stream.destroyed) return;
    exchange.answered(said[":status"] ?? 0);
    const isBare = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    const { [":status"]: status = 502, ...fields } = said;
    stream.respond({ ":status": status, ...fields }, { endStream: isBare, waitForTrailers: !isBare });
    if (isBare) return;
    let following: OutgoingHttpHeaders = {};
    onward.on("trailers", (fields) => {
      following = fields;
    });
    stream.on("wantTrailers", () => stream.sendTrailers(following));
    onward.pipe(stream);
  });
  onward.on("close", () => {
    if (stream.destroyed || stream.closed) return;
    if (!stream.headersSent) answer(stream, exchange, asked, unreachableReply());
    else if (onward.rstCode !== constants.NGHTTP2_NO_ERROR) stream.close(onward.rstCode);
  });
  stream.on("close", () => {
    if (!onward.closed) onward.close(stream.rstCode === 0 ? constants.NGHTTP2_CANCEL : stream.rstCode);
  });
}

/** Answers itself; a gRPC client is told by a status of its own. */
function answer(stream: ServerHttp2Stream, exchange: Exchange, asked: IncomingHttpHeaders, said: Reply): void {
  if (stream.destroyed || stream.closed) return;
  if (asked["content-type"]?.startsWith("application/grpc") === true) {
    exchange.answered(200);
    const message = encodeURIComponent(said.body);
    stream.respond(
      { ":status": 200, "content-type": "application/grpc", "grpc-status": said.grpc, "grpc-message": message },
      { endStream: true },
    );
    return;
  }
  exchange.answered(said.status);
  stream.respond({
    ":status": said.status,
    "content-length": Buffer.byteLength(said.body),
    ...(said.body === "" ? {} : { "content-type": "text/plain" }),
    ...(said.location === undefined ? {} : { location: said.location }),
  });
  stream.end(said.body);
  stream.resume();
}

/** Names and values in turn, without those that HTTP/2 itself has (`:path`). */
function* rawOf(headers: IncomingHttpHeaders): Generator<string> {
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith(":") || value === undefined) continue;
    for (const one of typeof value === "string" ? [value] : value) yield* [name, one];
  }
}

/** Fields by name, those of one name together. */
function collected(raw: RawHeaders): OutgoingHttpHeaders {
  const out: Record<string, string | string[]> = {};
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at] ?? "";
    const value = raw[at + 1] ?? "";
    const known = out[name];
    out[name] = known === undefined ? value : typeof known === "string" ? [known, value] : [...known, value];
  }
  return out;
}
