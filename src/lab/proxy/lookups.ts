/**
 * The name proxy (cilium.md 7.2, 7.3): judges the name of every query by the DNS rules of whoever asks, answers REFUSED
 * itself, passes the rest on to the server that was asked, from the client's own address, and has the addresses of an
 * answer learned before the client gets to know them.
 */

import type { Socket } from "node:net";
import { DATAGRAM_MAX } from "./datagrams.ts";
import {
  codeAnswer,
  cutAnswer,
  type DnsAnswer,
  type DnsQuestion,
  framed,
  MessageStream,
  readAnswer,
  readQuery,
  RESPONSE_CODE,
  typeName,
} from "./dns-message.ts";
import { judgeName } from "./name-rules.ts";
import { Share } from "./share.ts";
import type { Connection, DatagramProtocol, DnsReport, Proxy, Resolution, StreamProtocol } from "./seam.ts";

/** A server answers within this time, or not at all. */
const ANSWER_MS = 5_000;
/** A client that has nothing more to ask over TCP is let go. */
const IDLE_MS = 10_000;
/** Queries on their way, of all clients and of one: beyond, they are left unanswered, as if they were lost. */
const UNDER_WAY_MAX = 1_024;
const UNDER_WAY_OF_CLIENT = 128;
/** TCP connections of all clients and of one. */
const STREAMS_MAX = 512;
const STREAMS_OF_CLIENT = 32;

/** What becomes of a query: answered here, passed on, or neither. */
type Fate =
  | { readonly kind: "answered"; readonly bytes: Buffer }
  | { readonly kind: "passed"; readonly question: DnsQuestion; readonly isLearned: boolean }
  | { readonly kind: "ignored" };

export class Lookups implements StreamProtocol {
  readonly datagrams: DatagramProtocol = {
    take: (bytes, connection, resolution, answer) => this.takeDatagram(bytes, connection, resolution, answer),
  };
  private readonly proxy: Proxy;
  private readonly underWay = new Share(UNDER_WAY_MAX, UNDER_WAY_OF_CLIENT);
  private readonly streams = new Share(STREAMS_MAX, STREAMS_OF_CLIENT);

  constructor(proxy: Proxy) {
    this.proxy = proxy;
  }

  private judge(bytes: Buffer, connection: Connection, resolution: Resolution): Fate {
    const { egress, ingress } = resolution;
    const query = readQuery(bytes);
    if (query.kind === "ignored") return query;
    // The server's own rules know nothing of names; what they ask for, a look-up does not have.
    if (ingress.kind !== "open" || egress.kind === "denied") return { kind: "ignored" };
    if (query.kind === "rejected") return { kind: "answered", bytes: codeAnswer(bytes, query.question, query.code) };
    const { question } = query;
    const { passes, policies } = judgeName(egress, "dns", question.name);
    this.report(connection, question, passes, policies);
    const refusal = resolution.refusesAsNameError ? RESPONSE_CODE.nameError : RESPONSE_CODE.refused;
    if (!passes) return { kind: "answered", bytes: codeAnswer(bytes, question, refusal) };
    return { kind: "passed", question, isLearned: egress.kind === "rules" };
  }

  private report(
    connection: Connection,
    question: DnsQuestion,
    passes: boolean,
    policies: readonly string[],
    answer?: DnsAnswer,
  ): void {
    const report: DnsReport = {
      kind: "dns",
      at: Date.now(),
      connection,
      direction: "egress",
      verdict: passes ? "FORWARDED" : "DROPPED",
      policies,
      type: answer === undefined ? "REQUEST" : "RESPONSE",
      query: question.name,
      queryType: typeName(question.type),
      ...(answer === undefined ? {} : { answer }),
    };
    this.proxy.report(report);
  }

  /** Takes in what an answer says; resolves when its addresses are open. */
  private async learn(
    connection: Connection,
    question: DnsQuestion,
    answer: DnsAnswer,
    isLearned: boolean,
  ): Promise<void> {
    this.report(connection, question, true, [], answer);
    const { code, addresses, ttl } = answer;
    if (!isLearned || code !== 0 || addresses.length === 0) return;
    await this.proxy.learn({ client: connection.client.address, name: question.name, addresses, ttl });
  }

  private takeDatagram(
    bytes: Buffer,
    connection: Connection,
    resolution: Resolution,
    answer: (bytes: Buffer) => void,
  ): void {
    const fate = this.judge(bytes, connection, resolution);
    if (fate.kind === "answered") answer(fate.bytes);
    if (fate.kind !== "passed") return;
    const { address } = connection.client;
    if (!this.underWay.take(address)) return;
    const { question, isLearned } = fate;
    let open = true;
    const end = (): void => {
      if (!open) return;
      open = false;
      clearTimeout(timer);
      onward.close();
      this.underWay.giveBack(address);
    };
    const onward = this.proxy.connectDatagrams(connection, (reply) => {
      if (!open) return;
      if (reply === null) {
        end();
        answer(codeAnswer(bytes, question, RESPONSE_CODE.serverFailure));
        return;
      }
      // Whatever is not the answer to this question is as if it had not come.
      const read = readAnswer(reply, question);
      if (read === null) return;
      end();
      const sent = reply.length > DATAGRAM_MAX ? cutAnswer(reply, question) : reply;
      void this.learn(connection, question, read, isLearned).then(() => answer(sent));
    });
    const timer = setTimeout(end, ANSWER_MS);
    onward.send(bytes);
  }

  take(socket: Socket, connection: Connection): void {
    const { address } = connection.client;
    if (!this.streams.take(address)) {
      socket.resetAndDestroy();
      return;
    }
    socket.on("close", () => this.streams.giveBack(address));
    const conversation = new Conversation(this.proxy, socket, connection, {
      judge: (bytes, resolution) => this.judge(bytes, connection, resolution),
      learn: (question, answer, isLearned) => this.learn(connection, question, answer, isLearned),
    });
    conversation.begin();
  }
}

interface Judging {
  judge(bytes: Buffer, resolution: Resolution): Fate;
  learn(question: DnsQuestion, answer: DnsAnswer, isLearned: boolean): Promise<void>;
}

/** Queries on their way over one TCP connection. */
const PIPELINE_MAX = 32;

/** A query on its way. */
interface Waiting {
  readonly question: DnsQuestion;
  readonly isLearned: boolean;
  /** Its answer is there, and its addresses are being opened. */
  isTaken: boolean;
}

/** One client's TCP connection, and the one to the server that it asked. */
class Conversation {
  private readonly proxy: Proxy;
  private readonly socket: Socket;
  private readonly connection: Connection;
  private readonly judging: Judging;
  private readonly queries = new MessageStream();
  private readonly waiting = new Set<Waiting>();
  private onward: Socket | null = null;
  /** Messages are taken one after another, each by the rules in force at its time. */
  private turn: Promise<void> = Promise.resolve();
  private ended = false;

  constructor(proxy: Proxy, socket: Socket, connection: Connection, judging: Judging) {
    this.proxy = proxy;
    this.socket = socket;
    this.connection = connection;
    this.judging = judging;
  }

  begin(): void {
    const { socket } = this;
    socket.setTimeout(IDLE_MS, () => socket.resetAndDestroy());
    socket.on("data", (chunk: Buffer) => {
      const messages = this.queries.push(chunk);
      if (messages.length === 0) return;
      socket.pause();
      this.turn = this.turn.then(() => this.takeAll(messages));
    });
    socket.on("drain", () => this.goOn());
    socket.on("end", () => {
      this.turn = this.turn.then(() => {
        this.ended = true;
        this.finish();
      });
    });
    socket.on("close", () => this.onward?.destroy());
    socket.resume();
  }

  private async takeAll(messages: readonly Buffer[]): Promise<void> {
    for (const bytes of messages) {
      if (this.socket.destroyed) return;
      this.takeQuery(bytes, await this.proxy.resolve(this.connection));
    }
    this.goOn();
  }

  private takeQuery(bytes: Buffer, resolution: Resolution): void {
    const fate = this.judging.judge(bytes, resolution);
    if (fate.kind === "ignored" || this.waiting.size >= PIPELINE_MAX) {
      this.socket.resetAndDestroy();
      return;
    }
    if (fate.kind === "answered") {
      this.socket.write(framed(fate.bytes));
      return;
    }
    this.waiting.add({ question: fate.question, isLearned: fate.isLearned, isTaken: false });
    this.server().write(framed(bytes));
  }

  /** Reads on when the client takes its answers and the server its queries. */
  private goOn(): void {
    const isFree = !this.socket.writableNeedDrain && this.onward?.writableNeedDrain !== true;
    if (isFree && this.waiting.size < PIPELINE_MAX) this.socket.resume();
  }

  private server(): Socket {
    if (this.onward !== null) return this.onward;
    const onward = this.proxy.connect(this.connection);
    const answers = new MessageStream();
    let turn: Promise<void> = Promise.resolve();
    onward.setTimeout(ANSWER_MS, () => onward.destroy());
    onward.on("error", () => onward.destroy());
    onward.on("drain", () => this.goOn());
    onward.on("data", (chunk: Buffer) => {
      const messages = answers.push(chunk);
      if (messages.length === 0) return;
      onward.pause();
      turn = turn.then(async () => {
        for (const bytes of messages) await this.takeAnswer(bytes);
        if (!this.socket.writableNeedDrain) onward.resume();
      });
    });
    onward.on("close", () => {
      if (this.onward === onward) this.onward = null;
      // What was asked on it is lost; without anything asked the next query opens another.
      if (this.waiting.size > 0) this.socket.resetAndDestroy();
      else this.finish();
    });
    this.socket.on("drain", () => onward.resume());
    this.onward = onward;
    return onward;
  }

  private async takeAnswer(bytes: Buffer): Promise<void> {
    for (const asked of this.waiting) {
      const read = asked.isTaken ? null : readAnswer(bytes, asked.question);
      if (read === null) continue;
      asked.isTaken = true;
      await this.judging.learn(asked.question, read, asked.isLearned);
      this.waiting.delete(asked);
      this.socket.write(framed(bytes));
      this.goOn();
      this.finish();
      return;
    }
  }

  /** A client that has sent all that it will, and has all its answers. */
  private finish(): void {
    if (!this.ended || this.waiting.size > 0) return;
    this.socket.end();
    this.onward?.end();
  }
}
