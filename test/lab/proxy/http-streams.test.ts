/** The HTTP proxy by itself, on this machine's loopback: real clients and servers of both versions, and raw bytes. */

import { HTTPParser } from "node:_http_common";
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
  connect: (_connection, onread) =>
    connect({ port: target, host: "127.0.0.1", ...(onread === undefined ? {} : { onread }) }),
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
  if (request.url?.startsWith("/public/lines/") === true) {
    if (request.url.endsWith("drop-by-drop")) void drip(response, lines(request.url));
    else response.end(lines(request.url));
    return;
  }
  const [, number, bytes] = /^\/public\/pattern\/(\d+)\/(\d+)$/.exec(request.url ?? "") ?? [];
  if (number !== undefined) {
    response.setHeader("Content-Length", bytes ?? "");
    response.end(pattern(Number(number), Number(bytes)));
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

/** A long text of which no two lines are the same. */
function lines(name: string): string {
  return Array.from({ length: 200_000 }, (_, number) => `${name} ${number}\n`).join("");
}

/** Lengths of bodies that are each their own, and no multiple of anything that is read at a time. */
const PATTERN = 1_500_003;
/** More than the kernel holds for a client that does not read. */
const BEYOND = 14_000_003;

/** Each word tells its place and whose it is. */
function pattern(number: number, length = PATTERN): Buffer {
  const words = new Uint32Array(Math.ceil(length / 4));
  for (let at = 0; at < words.length; at++) words[at] = (at << 6) | number;
  return Buffer.from(words.buffer, 0, length);
}

const CHUNK = Buffer.alloc(64 * 1024, "x");
const CHUNKS = 512;
let written = 0;

async function trickle(response: http.ServerResponse): Promise<void> {
  for (written = 0; written < CHUNKS; written++) {
    if (!response.write(CHUNK)) await once(response, "drain");
  }
  response.end();
}

/** Says a text in small pieces, each by itself, whether or not they are taken. */
async function drip(response: http.ServerResponse, text: string): Promise<void> {
  response.setHeader("Content-Length", text.length);
  for (let at = 0; at < text.length; at += 1_024) {
    response.write(text.slice(at, at + 1_024));
    await new Promise((resolve) => setImmediate(resolve));
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
  const one = (path: string, more = ""): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n${more}\r\n`;
  const statuses = (said: string): readonly string[] => said.match(/HTTP\/1\.1 \d+/g) ?? [];

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

  /** What is said of `path` to a client that pauses after every `every` pieces, and first for so many milliseconds. */
  async function saidSlowly(path: string, every: number, pause: number): Promise<string> {
    const socket = connect(portOf(front), "127.0.0.1");
    const chunks: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      if (chunks.length % every !== 1) return;
      socket.pause();
      setTimeout(() => socket.resume(), chunks.length === 1 ? pause : 2);
    });
    socket.write(one(path, "Connection: close\r\n"));
    await once(socket, "close");
    const said = Buffer.concat(chunks).toString();
    return said.slice(said.indexOf("\r\n\r\n") + 4);
  }

  test("large answers to many clients that read slowly are each their own to the last byte", async () => {
    const paths = Array.from({ length: 8 }, (_, number) => `/public/lines/${number}`);
    const answers = await Promise.all(paths.map((path, number) => saidSlowly(path, number + 2, 0)));
    expect(answers.map((said, number) => said === lines(paths[number] ?? ""))).toEqual(paths.map(() => true));
  });

  test("Node's parser gives bodies as copies, so that one piece of memory serves many reads", () => {
    const parser = new HTTPParser();
    parser.initialize(HTTPParser.RESPONSE, {}, 16_384);
    const given: string[] = [];
    const bodies: Buffer[] = [];
    parser[HTTPParser.kOnHeadersComplete] = () => 0;
    parser[HTTPParser.kOnBody] = (bytes) => {
      given.push(bytes.toString());
      bodies.push(bytes);
    };
    parser[HTTPParser.kOnMessageComplete] = () => {};
    const read = Buffer.from("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody");
    parser.execute(read);
    read.fill("x");
    expect(given).toEqual(["body"]);
    expect(bodies.map(String)).toEqual(given);
  });

  test("an answer in small pieces to a client that reads late comes to the last byte", async () => {
    const path = "/public/lines/drop-by-drop";
    expect((await saidSlowly(path, 1_000, 2_000)) === lines(path)).toBe(true);
  });

  /** Whether the bodies over one connection are the patterns asked for; the client reads after a while. */
  async function arrive(numbers: readonly number[], length: number, afterMs: number): Promise<boolean[]> {
    const socket = connect(portOf(front), "127.0.0.1");
    const paths = numbers.map((number) => `/public/pattern/${number}/${length}`);
    socket.write(paths.map((path, at) => one(path, at + 1 < paths.length ? "" : "Connection: close\r\n")).join(""));
    const chunks: Buffer[] = [];
    socket.pause();
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    setTimeout(() => socket.resume(), afterMs);
    await once(socket, "close");
    const said = Buffer.concat(chunks);
    let at = 0;
    return numbers.map((number) => {
      const from = said.indexOf("\r\n\r\n", at) + 4;
      at = from + length;
      return said.subarray(from, at).equals(pattern(number, length));
    });
  }

  test("bodies of many connections at a time stay apart, whoever reads slowly", async () => {
    const slow = [1, 2, 3, 4].map((number) => arrive([number], BEYOND, 300));
    const other = [11, 13, 15, 17].map((number) => arrive([number, number + 1, number], PATTERN, number));
    for (const said of await Promise.all([...slow, ...other])) expect(said).not.toContain(false);
  });

  test("a large body ends where its length says, and what follows is the next request", async () => {
    const body = pattern(7).toString("latin1");
    const head = `POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: ${PATTERN}\r\n\r\n`;
    const said = await raw(
      `${head}${body}${one("/private")}${head}${body}${one("/public/2", "Connection: close\r\n")}`,
    );
    expect(statuses(said).map((status) => status.slice(-3))).toEqual(["200", "403", "200", "200"]);
    expect(asked).toEqual(["POST /echo", "POST /echo", "GET /public/2"]);
    expect(said.toLowerCase().match(/x-length: 1500003/g)).toHaveLength(2);
  });

  test("a large body that breaks off is told, and ends the connection", async () => {
    const socket = connect({ port: portOf(front), host: "127.0.0.1", allowHalfOpen: true });
    socket.on("error", () => {});
    socket.resume();
    socket.write(`POST /public HTTP/1.1\r\nHost: a\r\nContent-Length: ${PATTERN}\r\n\r\n`);
    socket.end(pattern(1).subarray(0, 500_000));
    await once(socket, "close");
    expect(await get("/public")).toMatchObject({ status: 200 });
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

  test("what follows a refused body is the next request, and nothing of the body is", async () => {
    const inner = one("/public/inner");
    const said = await raw(
      `POST /private HTTP/1.1\r\nHost: a\r\nContent-Length: ${inner.length}\r\n\r\n${inner}${one("/public/2", "Connection: close\r\n")}`,
    );
    expect(statuses(said)).toEqual(["HTTP/1.1 403", "HTTP/1.1 200"]);
    expect(asked).toEqual(["GET /public/2"]);
  });

  test("many requests in one segment are answered in their order, bodies among them", async () => {
    const body = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
    const turns = Array.from({ length: 200 }, (_, i) => [one(`/public/${i}`), body, one("/private")].join(""));
    const said = await raw(`${turns.join("")}${one("/public/last", "Connection: close\r\n")}`);
    expect(statuses(said)).toHaveLength(601);
    expect(statuses(said).slice(0, 4)).toEqual(["HTTP/1.1 200", "HTTP/1.1 200", "HTTP/1.1 403", "HTTP/1.1 200"]);
    expect(asked.filter((text) => text.startsWith("GET")).slice(0, 2)).toEqual(["GET /public/0", "GET /public/1"]);
    expect(said.match(/abc/g)).toHaveLength(200);
  });

  test("a body that the client holds back ends the connection with the answer", async () => {
    const head = "POST /private HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n";
    expect(await raw(head)).toMatch(/^HTTP\/1\.1 403 [^]*Connection: close/);
  });

  test("a client that has closed its half gets its answer", async () => {
    const socket = connect({ port: portOf(front), host: "127.0.0.1", allowHalfOpen: true });
    const chunks: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.end(one("/public"));
    await once(socket, "end");
    expect(statuses(Buffer.concat(chunks).toString())).toEqual(["HTTP/1.1 200"]);
    socket.destroy();
  });

  test("the last answer of a connection comes whole, however slowly it is read", async () => {
    const socket = connect(portOf(front), "127.0.0.1");
    socket.write(one("/slow", "Connection: close\r\n"));
    let length = 0;
    socket.on("data", (chunk: Buffer) => {
      if (length === 0) {
        socket.pause();
        setTimeout(() => socket.resume(), 1_500);
      }
      length += chunk.length;
    });
    await once(socket, "close");
    expect(length).toBeGreaterThan(CHUNKS * CHUNK.length);
  });

  describe("a target that speaks in bytes", () => {
    let respond: (socket: Socket, count: number) => void = () => {};
    let count = 0;
    const server = createServer((socket) => {
      socket.on("error", () => {});
      socket.on("data", () => respond(socket, ++count));
    });

    beforeAll(async () => {
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
    });
    beforeEach(() => {
      target = portOf(server);
      count = 0;
    });
    afterAll(() => server.close());

    test("an answer without a length ends with its connection, and the client's goes on", async () => {
      respond = (socket, number) => socket.end(`HTTP/1.1 200 OK\r\nX-Number: ${number}\r\n\r\nall of it`);
      const said = await raw(one("/public/1") + one("/public/2", "Connection: close\r\n"));
      expect(said.match(/all of it/g)).toHaveLength(2);
      expect(said.toLowerCase().match(/transfer-encoding: chunked/g)).toHaveLength(2);
    });

    test("answers without a body are told apart from those that follow", async () => {
      respond = (socket, number) =>
        socket.write(
          number === 1
            ? "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"
            : number === 2
              ? "HTTP/1.1 204 No Content\r\n\r\n"
              : "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
        );
      const head = "HEAD /public HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
      const said = await raw(one("/public/1") + one("/public/2") + head);
      expect(statuses(said)).toEqual(["HTTP/1.1 304", "HTTP/1.1 204", "HTTP/1.1 200"]);
    });

    test("an answer that nobody asked for is nobody's", async () => {
      const reply = (text: string): string => `HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${text}`;
      respond = (socket) => socket.write(reply("first") + reply("spoofed"));
      const socket = connect(portOf(front), "127.0.0.1");
      const chunks: Buffer[] = [];
      socket.on("data", (chunk: Buffer) => chunks.push(chunk));
      socket.write(one("/public/1"));
      while (!Buffer.concat(chunks).includes("first")) await once(socket, "data");
      respond = (other) => other.write(reply("second"));
      socket.write(one("/public/2", "Connection: close\r\n"));
      await once(socket, "close");
      const said = Buffer.concat(chunks).toString();
      expect(said).toContain("second");
      expect(said).not.toContain("spoofed");
    });

    test("what follows a large answer is nobody's", async () => {
      const reply = (body: string): string => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
      const large = pattern(9).toString("latin1");
      respond = (socket, number) => {
        socket.write(number === 1 ? reply(large) + reply("spoofed") : reply("second"), "latin1");
      };
      const socket = connect(portOf(front), "127.0.0.1");
      const chunks: Buffer[] = [];
      let length = 0;
      socket.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        length += chunk.length;
      });
      socket.write(one("/public/1"));
      while (length < PATTERN) await once(socket, "data");
      socket.write(one("/public/2", "Connection: close\r\n"));
      await once(socket, "close");
      const said = Buffer.concat(chunks).toString("latin1");
      expect(said.endsWith("second")).toBe(true);
      expect(said).not.toContain("spoofed");
    });

    test.each([
      ["both lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
      ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello"],
      ["no HTTP", "hello\r\n\r\n"],
      ["a switch that nobody wanted", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"],
      ["a head beyond all", `HTTP/1.1 200 OK\r\nX: ${"y".repeat(70_000)}\r\n\r\n`],
    ])("an answer with %s is told 503", async (_, text) => {
      respond = (socket) => socket.write(text);
      expect(statuses(await raw(one("/public", "Connection: close\r\n")))).toEqual(["HTTP/1.1 503"]);
    });

    test("an answer that breaks off ends the client's connection", async () => {
      respond = (socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nonly this");
      const said = await raw(one("/public/1") + one("/public/2"));
      expect(statuses(said)).toEqual(["HTTP/1.1 200"]);
    });
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
