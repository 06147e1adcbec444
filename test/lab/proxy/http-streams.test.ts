/** The HTTP proxy by itself, on this machine's loopback: real clients and servers of both versions, and raw bytes. */

import { once } from "node:events";
import * as http from "node:http";
import * as http2 from "node:http2";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { HttpStreams } from "../../../src/lab/proxy/http-streams.ts";
import type { Connection, HttpReport, Proxy, Report, Resolution } from "../../../src/lab/proxy/seam.ts";
import type { HttpRule } from "../../../src/policy/rule.ts";

const open = { kind: "open", policies: [] } as const;

function rule(path: string, more: Partial<HttpRule> = {}): HttpRule {
  return { path, headers: [], at: [], ...more };
}

function resolutionOf(...rules: readonly HttpRule[]): Resolution {
  const entries = [{ origin: "web", rules: [{ kind: "http", rules }] }] as const;
  return {
    generation: 1,
    pathsAsSent: false,
    refusesAsNameError: false,
    egress: open,
    ingress: { kind: "rules", policies: ["web"], entries },
  };
}

const RULES = resolutionOf(
  rule("/public.*"),
  rule("/echo"),
  rule("/slow"),
  rule("/socket"),
  rule("/marked", { headers: [{ name: "x-mark", value: "ours", mismatch: "ADD" }] }),
);

const reports: HttpReport[] = [];
/** Where a connection goes on to. */
let target = 0;

const proxy: Proxy = {
  resolve: () => RULES,
  connect: () => connect(target, "127.0.0.1"),
  connectDatagrams: () => ({ send: () => {}, close: () => {} }),
  learn: () => Promise.resolve(),
  report: (report: Report) => {
    if (report.kind === "http") reports.push(report);
  },
};

/** A head is said within this time. */
const HEAD_MS = 1_500;
const streams = new HttpStreams(proxy, HEAD_MS);
const CONNECTION: Connection = {
  protocol: "TCP",
  client: { address: "10.0.0.1", port: 4711 },
  server: { address: "10.0.0.2", port: 80 },
};
const front = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
  socket.on("error", () => socket.destroy());
  streams.take(socket, CONNECTION);
});

/** What the server was asked. */
const asked: string[] = [];
let lastHeaders: readonly string[] = [];

const back = http.createServer((request, response) => {
  asked.push(`${request.method} ${request.url}`);
  lastHeaders = request.rawHeaders;
  if (request.url === "/slow") {
    void trickle(response);
    return;
  }
  if (request.url !== "/echo") {
    response.end("here");
    return;
  }
  response.setHeader("Trailer", "x-length");
  let length = 0;
  request.on("data", (chunk: Buffer) => {
    length += chunk.length;
  });
  request.pipe(response, { end: false });
  request.on("end", () => {
    response.addTrailers({ "x-length": String(length), ...request.trailers });
    response.end();
  });
});
back.on("upgrade", (request, socket) => {
  socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  asked.push(`upgrade ${request.url}`);
  socket.pipe(socket);
});

const CHUNK = Buffer.alloc(64 * 1024, "x");
const CHUNKS = 512;
let written = 0;

async function trickle(response: http.ServerResponse): Promise<void> {
  for (written = 0; written < CHUNKS; written++) {
    if (!response.write(CHUNK)) await once(response, "drain");
  }
  response.end();
}

const back2 = http2.createServer();
back2.on("stream", (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => {
  asked.push(`${headers[":method"]} ${headers[":path"]}`);
  stream.respond(
    { ":status": 200, "content-type": headers["content-type"] ?? "text/plain" },
    { waitForTrailers: true },
  );
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
  stream.pipe(stream);
});

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

beforeAll(async () => {
  for (const server of [front, back, back2]) {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  }
});

afterAll(() => {
  front.close();
  back.closeAllConnections();
  back.close();
  back2.close();
});

beforeEach(() => {
  asked.length = 0;
  reports.length = 0;
  target = portOf(back);
});

interface Answered {
  readonly status: number;
  readonly body: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly trailers: NodeJS.Dict<string>;
}

function get(path: string, options: http.RequestOptions = {}, body?: string): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const request = http.request(
      { host: "127.0.0.1", port: portOf(front), agent: false, path, ...options },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            body: Buffer.concat(chunks).toString(),
            headers: response.headers,
            trailers: response.trailers,
          }),
        );
        response.on("error", reject);
      },
    );
    request.on("error", reject);
    request.end(body);
  });
}

/** Sends bytes as they are; what comes back until the connection is closed. */
async function raw(text: string, stayMs = 0): Promise<string> {
  const socket = connect(portOf(front), "127.0.0.1");
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.on("error", () => {});
  socket.write(text, "latin1");
  if (stayMs > 0) setTimeout(() => socket.destroy(), stayMs);
  await once(socket, "close");
  return Buffer.concat(chunks).toString("latin1");
}

describe("HTTP/1.1", () => {
  test("a request that a rule matches goes on; any other is told 403, by the proxy", async () => {
    expect(await get("/public/a?b=c")).toMatchObject({ status: 200, body: "here" });
    expect(await get("/private")).toMatchObject({ status: 403, body: "Access denied\r\n" });
    expect(asked).toEqual(["GET /public/a?b=c"]);
    expect(reports.map(({ type, verdict, url, code }) => [type, verdict, url, code])).toEqual([
      ["REQUEST", "FORWARDED", `http://127.0.0.1:${portOf(front)}/public/a?b=c`, undefined],
      ["RESPONSE", "FORWARDED", `http://127.0.0.1:${portOf(front)}/public/a?b=c`, 200],
      ["REQUEST", "DROPPED", `http://127.0.0.1:${portOf(front)}/private`, undefined],
      ["RESPONSE", "FORWARDED", `http://127.0.0.1:${portOf(front)}/private`, 403],
    ]);
  });

  test("every request of one connection is judged by itself", async () => {
    const said = await raw(
      "GET /public HTTP/1.1\r\nHost: a\r\n\r\nGET /private HTTP/1.1\r\nHost: a\r\n\r\nGET /public/2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    );
    expect(said.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 200", "HTTP/1.1 403", "HTTP/1.1 200"]);
    expect(asked).toEqual(["GET /public", "GET /public/2"]);
  });

  test("dot segments are resolved before rules see the path, and so it goes on", async () => {
    expect(await get("/public/../private")).toMatchObject({ status: 403 });
    expect(await get("/private/../public/x")).toMatchObject({ status: 200 });
    expect(asked).toEqual(["GET /public/x"]);
  });

  test("chunked bodies and trailers pass both ways", async () => {
    const said = await raw(
      "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n3\r\nabc\r\n4;e=1\r\ndefg\r\n0\r\nx-sum: 7\r\n\r\n",
    );
    expect(said).toContain("abc");
    expect(said).toContain("defg");
    expect(said.toLowerCase()).toContain("x-length: 7");
    expect(said.toLowerCase()).toContain("x-sum: 7");
  });

  test("100-continue comes from the server, and only where the request passes", async () => {
    const head = "HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n";
    expect(await raw(`POST /echo ${head}hi`)).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK/);
    expect(await raw(`POST /private ${head}`)).toMatch(/^HTTP\/1\.1 403 /);
    expect(asked).toEqual(["POST /echo"]);
  });

  test("a WebSocket is opened where the request passes", async () => {
    const head = "HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    const said = await raw(`GET /socket ${head}ping`, 500);
    expect(said).toMatch(/^HTTP\/1\.1 101 /);
    expect(said).toMatch(/ping$/);
    expect(await raw(`GET /private ${head}`)).toMatch(/^HTTP\/1\.1 403 /);
    // The server may not want to.
    expect(await raw(`GET /public ${head}`, 500)).toMatch(/^HTTP\/1\.1 /);
  });

  test("a header that must have a value is added where it has not (R6.1.5)", async () => {
    await get("/marked");
    expect(lastHeaders.join("|").toLowerCase()).toContain("x-mark|ours");
  });

  test("a client that does not read keeps the server waiting", async () => {
    const socket = connect(portOf(front), "127.0.0.1");
    socket.pause();
    socket.write("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
    let before = -1;
    while (before !== written || written === 0) {
      before = written;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    expect(written).toBeLessThan(CHUNKS);
    let length = 0;
    socket.on("data", (chunk: Buffer) => {
      length += chunk.length;
    });
    socket.resume();
    while (length < CHUNKS * CHUNK.length) await once(socket, "data");
    expect(written).toBe(CHUNKS);
    socket.destroy();
  });

  test("a large body passes whole", async () => {
    const body = "y".repeat(8 * 1024 * 1024);
    const { body: said } = await get("/echo", { method: "POST" }, body);
    expect(said.length).toBe(body.length);
  });

  test("a target that is not there is told 503", async () => {
    const closed = createServer();
    closed.listen(0, "127.0.0.1");
    await once(closed, "listening");
    target = portOf(closed);
    closed.close();
    await once(closed, "close");
    expect(await get("/public")).toMatchObject({ status: 503 });
  });

  test.each([
    ["two lengths", "POST /public HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"],
    [
      "a length beside chunks",
      "POST /public HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
    ["chunked not last", "POST /public HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n"],
    [
      "an encoding that nearly is chunked",
      "POST /public HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    ],
    ["a negative size of a chunk", "POST /public HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n\r\n"],
    [
      "a size of a chunk beyond all",
      "POST /public HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n\r\n",
    ],
    [
      "a size with a prefix",
      "POST /public HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n",
    ],
    ["folded fields", "GET /public HTTP/1.1\r\nHost: a\r\nX-One: a\r\n b\r\n\r\n"],
    ["a blank before the colon", "GET /public HTTP/1.1\r\nHost : a\r\n\r\n"],
    ["no host", "GET /public HTTP/1.1\r\n\r\n"],
    ["a bare line feed", "GET /public HTTP/1.1\nHost: a\n\n"],
    ["no method", "/public HTTP/1.1\r\nHost: a\r\n\r\n"],
    ["a flood of fields", `GET /public HTTP/1.1\r\nHost: a\r\n${"X: y\r\n".repeat(500)}\r\n`],
    ["fields too large", `GET /public HTTP/1.1\r\nHost: a\r\nX: ${"y".repeat(70_000)}\r\n\r\n`],
    ["a tunnel", "CONNECT /public HTTP/1.1\r\nHost: a\r\n\r\n"],
  ])("%s: refused, and nothing goes on", async (_, text) => {
    const said = await raw(text, 2_000);
    if (said !== "") expect(said).toMatch(/^HTTP\/1\.1 4(?:00|03|05|31) /);
    expect(asked).toEqual([]);
    expect(said.match(/HTTP\/1\.1/g)?.length ?? 0).toBeLessThan(2);
  });
});

test.each(["", "GET", "GET /public HTTP/1.1\r\nHost: a\r\nX-Slow: ", "GET /public HTTP/1.1\r\nHost: a\r\n\r\nGET /"])(
  "a client that does not come to an end (%j) is let go, and others are served meanwhile",
  async (text) => {
    const socket = connect(portOf(front), "127.0.0.1");
    socket.on("error", () => {});
    socket.resume();
    if (text !== "") socket.write(text);
    expect(await get("/public")).toMatchObject({ status: 200 });
    await once(socket, "close");
  },
);

describe("HTTP/2 without TLS", () => {
  function session(): http2.ClientHttp2Session {
    target = portOf(back2);
    return http2.connect(`http://127.0.0.1:${portOf(front)}`);
  }

  interface Said {
    readonly status: number;
    readonly body: string;
    readonly headers: http2.IncomingHttpHeaders;
    readonly trailers: http2.IncomingHttpHeaders;
  }

  function ask(client: http2.ClientHttp2Session, headers: http2.OutgoingHttpHeaders, body?: string): Promise<Said> {
    return new Promise((resolve, reject) => {
      const stream = client.request(headers, { endStream: body === undefined });
      let said: http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader = {};
      let trailers: http2.IncomingHttpHeaders = {};
      const chunks: Buffer[] = [];
      stream.on("response", (fields) => {
        said = fields;
      });
      stream.on("trailers", (fields) => {
        trailers = fields;
      });
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("error", reject);
      stream.on("close", () =>
        resolve({ status: said[":status"] ?? 0, body: Buffer.concat(chunks).toString(), headers: said, trailers }),
      );
      if (body !== undefined) stream.end(body);
    });
  }

  test("streams are judged by themselves; gRPC is told by its own status", async () => {
    const client = session();
    const said = await Promise.all([
      ask(client, { ":path": "/public" }),
      ask(client, { ":path": "/private" }),
      ask(client, { ":path": "/echo", ":method": "POST", "content-type": "application/grpc" }, "hello"),
      ask(client, { ":path": "/other.Service/Call", ":method": "POST", "content-type": "application/grpc" }, "hello"),
    ]);
    expect(said.map(({ status, body }) => [status, body])).toEqual([
      [200, ""],
      [403, "Access denied\r\n"],
      [200, "hello"],
      [200, ""],
    ]);
    expect(said[2]?.trailers["grpc-status"]).toBe("0");
    expect(said[3]?.headers["grpc-status"]).toBe("7");
    expect(asked.toSorted()).toEqual(["GET /public", "POST /echo"]);
    client.close();
  });

  test("a large body passes whole", async () => {
    const client = session();
    const { body } = await ask(client, { ":path": "/echo", ":method": "POST" }, "z".repeat(4 * 1024 * 1024));
    expect(body.length).toBe(4 * 1024 * 1024);
    client.close();
  });

  test("a target that is not there is told 503", async () => {
    const client = session();
    const closed = createServer();
    closed.listen(0, "127.0.0.1");
    await once(closed, "listening");
    target = portOf(closed);
    closed.close();
    await once(closed, "close");
    expect(await ask(client, { ":path": "/public" })).toMatchObject({ status: 503 });
    client.close();
  });

  test("what only begins like HTTP/2 is closed", async () => {
    const socket: Socket = connect(portOf(front), "127.0.0.1");
    socket.on("error", () => {});
    socket.write("PRI * HTTP/2.0\r\n\r\nXX");
    socket.resume();
    await once(socket, "close");
    expect(asked).toEqual([]);
  });
});
