/**
 * What the nodes of a lab have learned of names: which addresses answers gave to which pods, and for how long
 * (cilium.md 7.3). Kept for each pod, used by all pods of its node (R7.3.2). Bounded: whoever looks up more than its
 * share forgets its own oldest names, nobody else's.
 */

import type { LearnedAddress } from "./verdicts.ts";

/** An answer that a pod got. */
export interface Lookup {
  readonly node: string;
  /** The pod's address. */
  readonly client: string;
  /** Lower case, with trailing dot. */
  readonly name: string;
  readonly addresses: readonly string[];
  /** In milliseconds. */
  readonly lifetime: number;
}

export interface LearningLimits {
  /** Addresses kept of one name for one pod: Cilium's `tofqdns-endpoint-max-ip-per-hostname`. */
  readonly addressesOfName: number;
  /** Addresses kept for one pod. */
  readonly addressesOfClient: number;
  /** Addresses kept in all. */
  readonly addresses: number;
}

export const LEARNING_LIMITS: LearningLimits = { addressesOfName: 50, addressesOfClient: 2_000, addresses: 200_000 };

interface Entry {
  readonly node: string;
  readonly client: string;
  readonly name: string;
  readonly address: string;
  until: number;
}

/** One pod's entries by name and address, the one that was looked up longest ago first. */
interface Client {
  readonly entries: Map<string, Entry>;
  /** How many addresses each name has. */
  readonly names: Map<string, number>;
}

export class LearnedNames {
  private readonly limits: LearningLimits;
  private readonly clients = new Map<string, Client>();
  /** By node and address: how many pods have it under which name. */
  private readonly addresses = new Map<string, Map<string, number>>();
  private count = 0;

  constructor(limits: LearningLimits = LEARNING_LIMITS) {
    this.limits = limits;
  }

  /** Takes a look-up in; returns the addresses that have other names now than before. `now` in milliseconds. */
  note(lookup: Lookup, now: number): readonly LearnedAddress[] {
    const changed = new Map<string, LearnedAddress>();
    const client = this.clients.get(lookup.client) ?? { entries: new Map<string, Entry>(), names: new Map() };
    this.clients.set(lookup.client, client);
    for (const address of lookup.addresses.slice(0, this.limits.addressesOfName)) {
      const key = `${lookup.name} ${address}`;
      const known = client.entries.get(key);
      const until = now + lookup.lifetime;
      if (known !== undefined) {
        known.until = Math.max(known.until, until);
        client.entries.delete(key);
        client.entries.set(key, known);
        continue;
      }
      this.makeRoom(client, lookup.name, changed);
      if (this.count >= this.limits.addresses) continue;
      const { node, name } = lookup;
      this.add(client, key, { node, client: lookup.client, name, address, until }, changed);
    }
    if (client.entries.size === 0) this.clients.delete(lookup.client);
    return [...changed.values()];
  }

  private makeRoom(client: Client, name: string, changed: Map<string, LearnedAddress>): void {
    const oldest = (wanted: (entry: Entry) => boolean): void => {
      for (const [key, entry] of client.entries) {
        if (!wanted(entry)) continue;
        this.remove(client, key, entry, changed);
        return;
      }
    };
    if ((client.names.get(name) ?? 0) >= this.limits.addressesOfName) oldest((entry) => entry.name === name);
    if (client.entries.size >= this.limits.addressesOfClient || this.count >= this.limits.addresses) oldest(() => true);
  }

  private add(client: Client, key: string, entry: Entry, changed: Map<string, LearnedAddress>): void {
    client.entries.set(key, entry);
    client.names.set(entry.name, (client.names.get(entry.name) ?? 0) + 1);
    this.count++;
    const at = `${entry.node} ${entry.address}`;
    const names = this.addresses.get(at) ?? new Map<string, number>();
    this.addresses.set(at, names);
    const before = names.get(entry.name) ?? 0;
    names.set(entry.name, before + 1);
    if (before === 0) changed.set(at, this.learned(entry));
  }

  private remove(client: Client, key: string, entry: Entry, changed: Map<string, LearnedAddress>): void {
    client.entries.delete(key);
    const left = (client.names.get(entry.name) ?? 1) - 1;
    if (left === 0) client.names.delete(entry.name);
    else client.names.set(entry.name, left);
    this.count--;
    const at = `${entry.node} ${entry.address}`;
    const names = this.addresses.get(at);
    const others = (names?.get(entry.name) ?? 1) - 1;
    if (names === undefined) return;
    if (others > 0) {
      names.set(entry.name, others);
      return;
    }
    names.delete(entry.name);
    if (names.size === 0) this.addresses.delete(at);
    changed.set(at, this.learned(entry));
  }

  private learned({ node, address }: Pick<Entry, "node" | "address">): LearnedAddress {
    return { node, address, names: [...(this.addresses.get(`${node} ${address}`)?.keys() ?? [])].toSorted() };
  }

  /**
   * Forgets what has had its time; what `isUsed` says of an address keeps it. Returns the addresses that have other names
   * now than before.
   */
  expire(now: number, isUsed: (address: string) => boolean): readonly LearnedAddress[] {
    const changed = new Map<string, LearnedAddress>();
    for (const [address, client] of this.clients) {
      for (const [key, entry] of client.entries)
        if (entry.until <= now && !isUsed(entry.address)) this.remove(client, key, entry, changed);
      if (client.entries.size === 0) this.clients.delete(address);
    }
    return [...changed.values()];
  }

  /** Whether something has had its time at `now`. */
  hasExpired(now: number): boolean {
    for (const { entries } of this.clients.values())
      for (const { until } of entries.values()) if (until <= now) return true;
    return false;
  }

  get size(): number {
    return this.count;
  }

  /** Every address with its names. */
  all(): readonly LearnedAddress[] {
    return [...this.addresses.keys()].map((at) => {
      const space = at.lastIndexOf(" ");
      return this.learned({ node: at.slice(0, space), address: at.slice(space + 1) });
    });
  }
}
