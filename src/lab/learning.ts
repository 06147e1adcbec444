/**
 * Opens the addresses that names stand for, and closes them when they have had their time: learned names into the
 * kernel's tables (cilium.md 7.3).
 */

import { setTimeout } from "node:timers";
import type { Enforcement, LearnedChange } from "./enforcement.ts";
import { connectedAddresses } from "./kernel/connections.ts";
import { canonical } from "./kernel/address.ts";
import { LearnedNames } from "./learned-names.ts";
import type { NameLookup } from "./proxy/seam.ts";
import type { LearnedAddress, VerdictCompiler, VerdictTables } from "./verdicts.ts";

/** An address stays so much longer than its answer says, so that the connection it was asked for can begin. */
const GRACE_MS = 1_000;
const COLLECT_MS = 1_000;

/** What learning changes of a lab. */
export interface LearningLab {
  readonly tables: () => VerdictTables;
  /** The node of a pod's address; undefined for every other. */
  readonly node: (client: string) => string | undefined;
  /** Seconds for which an address stays at least. */
  readonly minimumTtl: () => number;
  /** Compiles the tables anew with what has been learned, and puts them in force. */
  readonly recompile: () => void;
  /** The verdict for an address has changed. */
  readonly changed: () => void;
}

export class Learning {
  private readonly names = new LearnedNames();
  private readonly compiler: VerdictCompiler;
  private readonly enforcement: Enforcement;
  private readonly lab: LearningLab;
  private collecting = false;

  constructor(compiler: VerdictCompiler, enforcement: Enforcement, lab: LearningLab) {
    this.compiler = compiler;
    this.enforcement = enforcement;
    this.lab = lab;
  }

  /** Every address that is learned, with its names. */
  all(): readonly LearnedAddress[] {
    return this.names.all();
  }

  /** When this returns, the addresses are open to whoever may reach the name. */
  learn({ client, name, addresses, ttl }: NameLookup): void {
    const node = this.lab.node(client);
    if (node === undefined) return;
    const now = performance.now();
    const lifetime = Math.max(ttl, this.lab.minimumTtl()) * 1000 + GRACE_MS;
    this.open(this.names.note({ node, client, name, addresses: addresses.map(canonical), lifetime }, now));
    this.collectLater();
  }

  private open(changes: readonly LearnedAddress[]): void {
    const { learned } = this.lab.tables();
    const steps: LearnedChange[] = [];
    for (const one of changes) {
      const { key, class: after } = this.compiler.learnedClass(one);
      if (after === null) {
        this.lab.recompile();
        return;
      }
      const before = learned.get(key) ?? 0;
      if (before !== after) steps.push({ key, before, after });
    }
    if (steps.length === 0) return;
    this.enforcement.learn(steps);
    for (const { key, after } of steps) {
      if (after === 0) learned.delete(key);
      else learned.set(key, after);
    }
    this.lab.changed();
  }

  private collectLater(): void {
    if (this.collecting || this.names.size === 0) return;
    this.collecting = true;
    setTimeout(() => {
      this.collecting = false;
      this.collect();
      this.collectLater();
    }, COLLECT_MS).unref();
  }

  /** An address to which a connection is open is kept until that ends (R7.3.4). */
  private collect(): void {
    const now = performance.now();
    if (!this.names.hasExpired(now)) return;
    const used = connectedAddresses();
    this.open(this.names.expire(now, (address) => used.has(address)));
  }
}
