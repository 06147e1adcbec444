/** What the name proxy makes of queries and answers, with servers that misbehave. */

import { once } from "node:events";
import { connect, createServer, type Server, Socket } from "node:net";
import dns from "dns-packet";
import { afterEach, describe, expect, test } from "vitest";
import { Lookups } from "../../../src/lab/proxy/lookups.ts";
import type { Connection, NameLookup, Proxy, Report, Resolution } from "../../../src/lab/proxy/seam.ts";
import { ServerNames } from "../../../src/lab/proxy/server-names.ts";
import { hello } from "./hello.ts";

const NAMES = [{ text: "*.example.com", expression: "^[-a-zA-Z0-9_]*[.]example[.]com[.]$" }];
const OPEN = { kind: "open", policies: [] } as const;

function resolution(kind: "dns" | "tls"): Resolution {
  const rules = kind === "dns" ? [{ kind, names: NAMES } as const] : [{ kind, serverNames: NAMES } as const];
  return {
    generation: 1,
    pathsAsSent: false,
    refusesAsNameError: false,
    egress: { kind: "rules", policies: ["p"], entries: [{ origin: "p", rules }] },
    ingress: OPEN,
  };
}

function from(address: string, protocol: "TCP" | "UDP" = "UDP"): Connection {
  return { protocol, client: { address, port: 4000 }, server: { address: "10.0.0.53", port: 53 } };
}

interface Sent {
  readonly bytes: Buffer;
  readonly reply: (bytes: Buffer | null) => void;
  isOpen: boolean;
}

/** A proxy whose onward datagrams go to the test, and whose streams go to a server of the test. */
class Fake implements Proxy {
  readonly sent: Sent[] = [];
  readonly learned: NameLookup[] = [];
  readonly reports: Report[] = [];
  release: (() => void) | null = null;
  port = 0;
  readonly given: Resolution;

  constructor(given: Resolution) {
    this.given = given;
  }

  resolve(): Resolution {
    return this.given;
  }
  connect(): Socket {
    return connect(this.port, "127.0.0.1");
  }
  connectDatagrams(_: Connection, heard: (bytes: Buffer | null) => void): ReturnType<Proxy["connectDatagrams"]> {
    const state = { isOpen: true };
    return {
      send: (bytes) =>
        this.sent.push({
          bytes,
          reply: heard,
          get isOpen() {
            return state.isOpen;
          },
        }),
      close: () => (state.isOpen = false),
    };
  }
  learn(lookup: NameLookup): Promise<void> {
    this.learned.push(lookup);
    return new Promise((resolve) => {
      if (this.release === null) resolve();
      else this.release = resolve;
    });
  }
  report(report: Report): void {
    this.reports.push(report);
  }
}

function query(name: string, id = 7): Buffer {
  return dns.encode({ type: "query", id, questions: [{ type: "A", name }] });
}

function answer(name: string, address: string, more: { readonly id?: number; readonly asked?: string } = {}): Buffer {
  return dns.encode({
    type: "response",
    id: more.id ?? 7,
    questions: [{ type: "A", name: more.asked ?? name }],
    answers: [{ type: "A", name, ttl: 9, data: address }],
  });
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("a look-up over UDP", () => {
  const asking = (name = "www.example.com"): { fake: Fake; sent: Sent; answers: Buffer[]; lookups: Lookups } => {
    const fake = new Fake(resolution("dns"));
    const lookups = new Lookups(fake);
    const answers: Buffer[] = [];
    lookups.datagrams.take(query(name), from("10.0.0.1"), fake.given, (bytes) => answers.push(bytes));
    const [sent] = fake.sent;
    if (sent === undefined) throw new Error("nothing was passed on");
    return { fake, sent, answers, lookups };
  };

  test("waits for the answer to its question: any other teaches nothing and is not passed on", async () => {
    const { fake, sent, answers } = asking();
    const right = answer("www.example.com", "192.0.2.1");
    for (const spoofed of [
      answer("www.example.com", "192.0.2.66", { id: 8 }),
      answer("www.example.com", "192.0.2.66", { asked: "api.example.com" }),
      query("www.example.com"),
      Buffer.from("no message"),
      right.subarray(0, right.length - 2),
    ])
      sent.reply(spoofed);
    await settled();
    expect([answers, fake.learned]).toEqual([[], []]);
    sent.reply(right);
    await settled();
    expect(answers).toEqual([right]);
    expect(fake.learned).toEqual([{ client: "10.0.0.1", name: "www.example.com.", addresses: ["192.0.2.1"], ttl: 9 }]);
    // What comes after it comes too late.
    expect(sent.isOpen).toBe(false);
    sent.reply(answer("www.example.com", "192.0.2.67"));
    await settled();
    expect([answers.length, fake.learned.length]).toEqual([1, 1]);
  });

  test("is answered when its addresses are open, not before", async () => {
    const { fake, sent, answers } = asking();
    fake.release = () => {};
    sent.reply(answer("www.example.com", "192.0.2.1"));
    await settled();
    expect(answers).toEqual([]);
    fake.release();
    await settled();
    expect(answers).toHaveLength(1);
  });

  test("fails where the server cannot be reached", () => {
    const { sent, answers } = asking();
    sent.reply(null);
    expect(answers.map((bytes) => bytes.readUInt8(3) & 15)).toEqual([2]);
  });

  test("of one client is one of so many on their way; another's goes on", () => {
    const fake = new Fake(resolution("dns"));
    const lookups = new Lookups(fake);
    for (let id = 0; id < 5_000; id++)
      lookups.datagrams.take(query("www.example.com", id), from("10.0.0.1"), fake.given, () => {});
    expect(fake.sent.length).toBeLessThan(200);
    const before = fake.sent.length;
    lookups.datagrams.take(query("www.example.com"), from("10.0.0.2"), fake.given, () => {});
    expect(fake.sent.length).toBe(before + 1);
    // An answer makes room.
    fake.sent[0]?.reply(answer("www.example.com", "192.0.2.1", { id: 0 }));
    lookups.datagrams.take(query("www.example.com"), from("10.0.0.1"), fake.given, () => {});
    expect(fake.sent.length).toBe(before + 2);
  });
});

describe("streams", () => {
  const servers: Server[] = [];
  const sockets: Socket[] = [];

  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
    for (const server of servers.splice(0)) server.close();
  });

  async function listening(accept: (socket: Socket) => void): Promise<number> {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      sockets.push(socket);
      socket.on("error", () => {});
      accept(socket);
    }).listen(0, "127.0.0.1");
    servers.push(server);
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    return address.port;
  }

  async function client(port: number): Promise<Socket> {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    sockets.push(socket);
    socket.on("error", () => {});
    await once(socket, "connect");
    return socket;
  }

  test("TLS goes on both ways, whole and under back-pressure", async () => {
    const fake = new Fake(resolution("tls"));
    const SIZE = 4 * 1024 * 1024;
    const first = hello({ serverName: "api.example.com" });
    fake.port = await listening((socket) => {
      let received = 0;
      socket.on("data", (chunk: Buffer) => {
        received += chunk.length;
        // A slow reader.
        socket.pause();
        setTimeout(() => socket.resume(), 1);
        if (received === first.length + SIZE) socket.end(Buffer.alloc(SIZE, 2));
      });
    });
    const names = new ServerNames(fake);
    const port = await listening((socket) => names.take(socket, from("10.0.0.1", "TCP"), fake.given));
    const socket = await client(port);
    socket.write(first.subarray(0, 7));
    await settled();
    socket.write(first.subarray(7));
    socket.write(Buffer.alloc(SIZE, 1));
    let received = 0;
    socket.on("data", (chunk: Buffer) => (received += chunk.length));
    await once(socket, "end");
    expect(received).toBe(SIZE);
    expect(fake.reports).toMatchObject([{ kind: "tls", verdict: "FORWARDED", serverName: "api.example.com" }]);
  });

  test("clients that say nothing take no more than their share", async () => {
    const fake = new Fake(resolution("tls"));
    const names = new ServerNames(fake);
    let turn = "10.0.0.1";
    const port = await listening((socket) => names.take(socket, from(turn, "TCP"), fake.given));
    fake.port = await listening((socket) => socket.end("served"));
    const silent = await Promise.all(Array.from({ length: 300 }, () => client(port)));
    const open = (): number => silent.filter((socket) => !socket.destroyed && !socket.errored).length;
    await settled();
    for (let tries = 0; tries < 100 && open() > 256; tries++) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(open()).toBe(256);
    turn = "10.0.0.2";
    const other = await client(port);
    other.write(hello({ serverName: "api.example.com" }));
    const [bytes] = await once(other, "data");
    expect(String(bytes)).toBe("served");
  });
});
