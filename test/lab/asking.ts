/** Names asked for and bytes sent from inside a pod. */

import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import dns, { type Packet } from "dns-packet";
import { labExec } from "../../src/lab/client.ts";

const PROGRAM = fileURLToPath(new URL("asker.mjs", import.meta.url));

export interface StreamAnswer {
  readonly connected: boolean;
  readonly received: Buffer;
  /** `end`, `enough`, `time`, or an error's code. */
  readonly ended: string;
}

interface Reply {
  readonly id: number;
  readonly answers?: readonly string[];
  readonly error?: string | null;
  readonly answered?: number;
  readonly connected?: boolean;
  readonly received?: string;
  readonly ended?: string;
}

/** What a look-up came to: `no answer`, or a response code with the addresses. */
export interface Found {
  readonly code: string;
  readonly addresses: readonly string[];
  readonly packet: Packet | null;
}

export function queryBytes(name: string, type = "A", id = 1): Buffer {
  return dns.encode({ type: "query", id, flags: dns.RECURSION_DESIRED, questions: [{ type, name }] });
}

/** A program that lives in a pod's network until it is closed. */
export class Asker {
  private readonly socket: Socket;
  private readonly done: () => void;
  private readonly waiting = new Map<number, (reply: Reply) => void>();
  private count = 0;

  private constructor(socket: Socket, done: () => void) {
    this.socket = socket;
    this.done = done;
    createInterface({ input: socket }).on("line", (line) => {
      const reply: Reply = JSON.parse(line);
      this.waiting.get(reply.id)?.(reply);
      this.waiting.delete(reply.id);
    });
  }

  static async in(pod: string, lab: string): Promise<Asker> {
    const folder = mkdtempSync(join(tmpdir(), "asker-"));
    const path = join(folder, "control");
    const server: Server = createServer();
    await new Promise<void>((resolve) => server.listen(path, resolve));
    const arrived = new Promise<Socket>((resolve) => server.once("connection", resolve));
    const program = labExec(pod, [process.execPath, PROGRAM, path], { name: lab, stdio: "collect" });
    const failed = program.then(({ stderr }) => Promise.reject(new Error(`the asker ended: ${stderr}`)));
    failed.catch(() => {});
    const socket = await Promise.race([arrived, failed]);
    return new Asker(socket, () => {
      server.close();
      rmSync(folder, { recursive: true, force: true });
    });
  }

  private order(order: Record<string, unknown>): Promise<Reply> {
    const id = ++this.count;
    return new Promise((resolve) => {
      this.waiting.set(id, resolve);
      this.socket.write(`${JSON.stringify({ id, ...order })}\n`);
    });
  }

  /** The first answer to a datagram, or null. */
  async datagram(to: string, port: number, bytes: Buffer, wait = 2_000): Promise<Buffer | null> {
    const { answers } = await this.order({ kind: "datagram", to, port, bytes: bytes.toString("hex"), wait });
    const [first] = answers ?? [];
    return first === undefined ? null : Buffer.from(first, "hex");
  }

  /** How many of many datagrams were answered. */
  async flood(to: string, port: number, messages: readonly Buffer[], wait: number): Promise<number> {
    const hex = messages.map((bytes) => bytes.toString("hex"));
    return (await this.order({ kind: "flood", to, port, messages: hex, wait })).answered ?? 0;
  }

  /** Sends chunks over a connection of its own. */
  async stream(
    to: string,
    port: number,
    chunks: readonly Buffer[],
    options: {
      readonly wait?: number;
      readonly enough?: number;
      readonly half?: boolean;
      readonly pause?: number;
    } = {},
  ): Promise<StreamAnswer> {
    const hex = chunks.map((bytes) => bytes.toString("hex"));
    const reply = await this.order({ kind: "stream", to, port, chunks: hex, wait: 5_000, ...options });
    return {
      connected: reply.connected === true,
      received: Buffer.from(reply.received ?? "", "hex"),
      ended: reply.ended ?? "",
    };
  }

  /** Looks a name up over UDP. */
  async lookUp(server: string, name: string, type = "A", wait = 2_000): Promise<Found> {
    return foundIn(await this.datagram(server, 53, queryBytes(name, type), wait));
  }

  /** Looks a name up over TCP. */
  async lookUpByStream(server: string, name: string, type = "A", wait = 2_000): Promise<Found> {
    const query = queryBytes(name, type);
    const head = Buffer.of(query.length >> 8, query.length & 255);
    const { received } = await this.stream(server, 53, [Buffer.concat([head, query])], { half: true, wait });
    return foundIn(received.length < 2 ? null : received.subarray(2));
  }

  close(): void {
    this.socket.destroy();
    this.done();
  }
}

const CODES = ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"];

function foundIn(bytes: Buffer | null): Found {
  if (bytes === null) return { code: "no answer", addresses: [], packet: null };
  const packet = dns.decode(bytes);
  const addresses = (packet.answers ?? []).flatMap((answer) =>
    answer.type === "A" || answer.type === "AAAA" ? [answer.data] : [],
  );
  return { code: CODES[(packet.flags ?? 0) & 15] ?? "?", addresses, packet };
}
