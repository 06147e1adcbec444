/**
 * Tables, chains, rules, sets and maps, written as nf_tables messages
 * (`include/uapi/linux/netfilter/nf_tables.h`). A `Transaction` takes effect as a whole or not at all: a packet sees
 * the rules before it or after it.
 */

import { type Expression, type Verdict, writeValue, writeVerdict } from "./expressions.ts";
import { MessageWriter, NetlinkSocket, NLM_F_APPEND, NLM_F_CREATE, NLM_F_REQUEST } from "./netlink.ts";
import { SystemError } from "./libc.ts";

const NETLINK_NETFILTER = 12;
const SUBSYSTEM = 10;
const BATCH_BEGIN = 16;
const BATCH_END = 17;
const NFPROTO_UNSPEC = 0;
const NFPROTO_INET = 1;
const MESSAGE = {
  newTable: 0,
  deleteTable: 2,
  newChain: 3,
  deleteChain: 5,
  newRule: 6,
  deleteRule: 8,
  newSet: 9,
  deleteSet: 11,
  newElement: 12,
  deleteElement: 14,
} as const;
const HOOK = { prerouting: 0, input: 1, forward: 2, output: 3, postrouting: 4 } as const;
const SET_INTERVAL = 4;
const SET_MAP = 8;
const ELEMENT_INTERVAL_END = 1;
const TYPE_VERDICT = 0xffff_ff00;
const TYPE_MARK = 19;
/** A nested attribute's length is 16 bits. */
const ELEMENTS_MAX = 60_000;

export interface BaseChain {
  readonly type: "filter" | "nat" | "route";
  readonly hook: keyof typeof HOOK;
  readonly priority: number;
  readonly policy: "accept" | "drop";
}

export interface SetShape {
  readonly name: string;
  readonly keyLength: number;
  /** Absent: a set without values. */
  readonly value?: "verdict" | { readonly length: number };
  /** Keys are ranges, as numbers in network byte order. */
  readonly interval?: boolean;
  /** Number of elements when it never changes: the kernel then takes its fastest hash. */
  readonly size?: number;
}

export interface Element {
  readonly key: Uint8Array;
  /** Absent in a set without values, and at the end of an interval. */
  readonly value?: Uint8Array | Verdict;
  /** Of an interval: the first key after it. */
  readonly intervalEnd?: boolean;
}

function header(family: number, resource: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes[0] = family;
  bytes.writeUInt16BE(resource, 2);
  return bytes;
}

const INET = header(NFPROTO_INET, 0);
const BATCH = header(NFPROTO_UNSPEC, SUBSYSTEM);

/** What changes together in one table. */
export class Transaction {
  readonly writer = new MessageWriter(65_536);
  private readonly table: string;
  private readonly next: () => number;

  constructor(table: string, next: () => number) {
    this.table = table;
    this.next = next;
    this.writer.begin(BATCH_BEGIN, NLM_F_REQUEST, next(), BATCH);
    this.writer.finish();
  }

  private begin(message: number, flags = 0): MessageWriter {
    this.writer.begin((SUBSYSTEM << 8) | message, NLM_F_REQUEST | flags, this.next(), INET);
    return this.writer;
  }

  addTable(): this {
    const w = this.begin(MESSAGE.newTable, NLM_F_CREATE);
    w.text(1, this.table);
    w.finish();
    return this;
  }

  deleteTable(): this {
    const w = this.begin(MESSAGE.deleteTable);
    w.text(1, this.table);
    w.finish();
    return this;
  }

  addChain(name: string, base: BaseChain | null = null): this {
    const w = this.begin(MESSAGE.newChain, NLM_F_CREATE);
    w.text(1, this.table);
    w.text(3, name);
    if (base !== null) {
      const hook = w.open(4);
      w.be32(1, HOOK[base.hook]);
      w.be32(2, base.priority);
      w.close(hook);
      w.be32(5, base.policy === "accept" ? 1 : 0);
      w.text(7, base.type);
    }
    w.finish();
    return this;
  }

  deleteChain(name: string): this {
    const w = this.begin(MESSAGE.deleteChain);
    w.text(1, this.table);
    w.text(3, name);
    w.finish();
    return this;
  }

  /** Appends a rule. */
  addRule(chain: string, ...expressions: readonly Expression[]): this {
    const w = this.begin(MESSAGE.newRule, NLM_F_CREATE | NLM_F_APPEND);
    w.text(1, this.table);
    w.text(2, chain);
    const list = w.open(4);
    for (const write of expressions) write(w);
    w.close(list);
    w.finish();
    return this;
  }

  /** Removes every rule of a chain. */
  flushChain(chain: string): this {
    const w = this.begin(MESSAGE.deleteRule);
    w.text(1, this.table);
    w.text(2, chain);
    w.finish();
    return this;
  }

  addSet(shape: SetShape): this {
    const w = this.begin(MESSAGE.newSet, NLM_F_CREATE);
    w.text(1, this.table);
    w.text(2, shape.name);
    w.be32(3, (shape.interval === true ? SET_INTERVAL : 0) | (shape.value === undefined ? 0 : SET_MAP));
    w.be32(4, 0);
    w.be32(5, shape.keyLength);
    if (shape.value === "verdict") {
      w.be32(6, TYPE_VERDICT);
    } else if (shape.value !== undefined) {
      w.be32(6, TYPE_MARK);
      w.be32(7, shape.value.length);
    }
    if (shape.size !== undefined) {
      const description = w.open(9);
      w.be32(1, Math.max(1, shape.size));
      w.close(description);
    }
    w.be32(10, 1);
    w.finish();
    return this;
  }

  deleteSet(name: string): this {
    const w = this.begin(MESSAGE.deleteSet);
    w.text(1, this.table);
    w.text(2, name);
    w.finish();
    return this;
  }

  addElements(set: string, elements: Iterable<Element>): this {
    return this.elements(MESSAGE.newElement, NLM_F_CREATE, set, elements);
  }

  deleteElements(set: string, elements: Iterable<Element>): this {
    return this.elements(MESSAGE.deleteElement, 0, set, elements);
  }

  private elements(message: number, flags: number, set: string, elements: Iterable<Element>): this {
    const w = this.writer;
    let list = -1;
    let start = 0;
    for (const element of elements) {
      if (list >= 0 && w.length - start > ELEMENTS_MAX) {
        w.close(list);
        w.finish();
        list = -1;
      }
      if (list < 0) {
        this.begin(message, flags);
        w.text(1, this.table);
        w.text(2, set);
        list = w.open(3);
        start = w.length;
      }
      const item = w.open(1);
      writeValue(w, 1, element.key);
      if (element.value instanceof Uint8Array) writeValue(w, 2, element.value);
      else if (element.value !== undefined) writeVerdict(w, 2, element.value);
      if (element.intervalEnd === true) w.be32(3, ELEMENT_INTERVAL_END);
      w.close(item);
    }
    if (list >= 0) {
      w.close(list);
      w.finish();
    }
    return this;
  }

  get size(): number {
    return this.writer.length;
  }
}

/** One table of the namespace in which this was opened. */
export class NftTable {
  readonly name: string;
  private readonly socket: NetlinkSocket;

  constructor(name: string) {
    this.name = name;
    this.socket = new NetlinkSocket(NETLINK_NETFILTER, 4 * 1024 * 1024);
  }

  transaction(): Transaction {
    return new Transaction(this.name, () => this.socket.next());
  }

  commit(transaction: Transaction, what: string): void {
    const w = transaction.writer;
    w.acknowledge();
    // The acknowledged message is the last but one: its number is what `exchange` waits for.
    w.begin(BATCH_END, NLM_F_REQUEST, 0, BATCH);
    w.finish();
    if (w.length > this.socket.capacity) throw new SystemError(`${what}: one transaction of ${w.length} bytes`, 90);
    this.socket.exchange(w, what);
  }

  /** Adds elements in as many transactions as the socket's buffer asks for: only for what no rule reads yet. */
  fill(set: string, elements: Iterable<Element>, what: string): void {
    this.inChunks(elements, what, (transaction, chunk) => transaction.addElements(set, chunk));
  }

  /** Removes elements that no packet can look up any more. */
  empty(set: string, elements: Iterable<Element>, what: string): void {
    this.inChunks(elements, what, (transaction, chunk) => transaction.deleteElements(set, chunk));
  }

  private inChunks(
    elements: Iterable<Element>,
    what: string,
    write: (transaction: Transaction, chunk: readonly Element[]) => void,
  ): void {
    const perChunk = Math.max(100, Math.floor((this.socket.capacity - 8192) / 200));
    let chunk: Element[] = [];
    const send = (): void => {
      if (chunk.length === 0) return;
      const transaction = this.transaction();
      write(transaction, chunk);
      this.commit(transaction, what);
      chunk = [];
    };
    for (const element of elements) {
      chunk.push(element);
      if (chunk.length >= perChunk) send();
    }
    send();
  }

  close(): void {
    this.socket.close();
  }
}
