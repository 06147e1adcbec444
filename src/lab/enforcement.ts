/**
 * The verdict tables as nftables of the router.
 *
 * One forward chain judges every packet of a connection's original direction; the connection mark remembers the
 * policy set (generation) under which it last passed, so a packet of a connection that has been judged costs one
 * comparison, and a new generation makes all connections be judged again. A policy set comes into force in one
 * transaction, which swaps the rules of the forward chain: tables and chains of a new generation are filled beforehand
 * under names of their own, and the rules of the generation before keep naming theirs, so that no packet sees half of two
 * sets. What a generation leaves behind stays whole for a while: a set that is deleted loses its elements at the very
 * moment of the swap, also for a packet that is on its way through the rules before, and a processor that is taken away
 * from this machine can hold such a packet for longer than the next swaps take.
 */

import { numberBytes, spaceEnd } from "./address-space.ts";
import { addressBytes, type Family, familyOf } from "./kernel/address.ts";
import {
  ACCEPT,
  compare,
  conntrack,
  CT_DST_NAT,
  CT_NEW,
  CT_ORIGINAL,
  CT_RELATED,
  CT_REPLY,
  DROP,
  type Expression,
  goTo,
  immediate,
  jump,
  limit,
  log,
  LOG_PREFIX_MAX,
  lookUp,
  lookUpVerdict,
  mask,
  member,
  meta,
  number32,
  payload,
  REGISTER,
  RETURN,
  setConntrackMark,
  setMeta,
  type Verdict,
  verdict,
} from "./kernel/expressions.ts";
import type { Element, NftTable, SetShape, Transaction } from "./kernel/nftables.ts";
import {
  addRedirection,
  DIVERT,
  FROM_PROXY_BIT,
  HAND_OVER,
  IS_REDIRECTED,
  ONWARD,
  REDIRECT,
  routeToProxy,
  TAKE_OWN,
  writeOthersPackets,
} from "./redirection.ts";
import type { Direction } from "./ruleset.ts";
import {
  type Judgement,
  pairKey,
  PROTOCOL_NUMBER,
  splitTableKey,
  type Version,
  type VerdictTables,
} from "./verdicts.ts";

export const DROP_GROUP = 5;
export const FLOW_GROUP = 6;
/** New connections that are logged a second; beyond, flows are left out, never packets. */
const FLOW_RATE = 10_000;
/** Chains of drops that may lie about unused. */
const UNUSED_CHAINS = 500;
/** How long what the rules no longer name stays in place for packets that are still on their way through them. */
const GRACE_MS = 500;
const FAMILIES: readonly Family[] = [4, 6];
const DIRECTIONS: readonly Direction[] = ["egress", "ingress"];
const NFPROTO = { 4: Buffer.of(2), 6: Buffer.of(10) } as const;
/** Offset and length in the network header. */
type Field = readonly [offset: number, length: number];
const SOURCE: Readonly<Record<Family, Field>> = { 4: [12, 4], 6: [8, 16] };
const DESTINATION: Readonly<Record<Family, Field>> = { 4: [16, 4], 6: [24, 16] };
const PORT_PROTOCOLS = [PROTOCOL_NUMBER.TCP, PROTOCOL_NUMBER.UDP, PROTOCOL_NUMBER.SCTP];
const FIRST_PORT_CLASS = 256;
const JUDGE = "judge";
const VERDICTS = "verdicts";
const NONE = number32(0);
const IS_ORIGINAL = [conntrack("direction", REGISTER(0)), compare(REGISTER(0), "eq", Buffer.of(CT_ORIGINAL))];
const IS_REPLY = [conntrack("direction", REGISTER(0)), compare(REGISTER(0), "eq", Buffer.of(CT_REPLY))];

/** What drops a packet before any policy. */
export const OTHER_DROPS = {
  "not-routed": "not-routed: from outside only load balancers answer",
  "no-backend": "no-backend: nothing stands behind this service address and port",
  "no-proxy": "no-proxy: the proxy that judges what is asked here is not running",
  fault: "fault: seeded by a test",
  unjudged: "unjudged: the tables are incomplete",
} as const;

/** The text that the kernel logs with a drop: the judgement's number, then what it means, cut to what fits. */
export function dropPrefix(judgement: Judgement): string {
  const text = `#${judgement.id} ${judgement.direction} ${judgement.reason === "rule" ? "deny" : judgement.reason} ${judgement.policies.join(" ")}`;
  return Buffer.from(text).subarray(0, LOG_PREFIX_MAX).toString("utf8").trim();
}

function dropChain(judgement: number): string {
  return `drop-${judgement}`;
}

/** Addresses that services have and nobody else: what is left untranslated there has no backend. */
export interface ForwardSettings {
  readonly internetIndex: number;
  /** Whether the internet reaches pods and nodes without a load balancer. */
  readonly podsRoutable: boolean;
  readonly serviceAddresses: readonly string[];
}

export interface FaultPair {
  readonly kind: "pass" | "drop";
  readonly source: string;
  readonly destination: string;
}

/** What becomes of a learned address's class; 0: none. */
export interface LearnedChange {
  /** A `learnedKey`. */
  readonly key: string;
  readonly before: number;
  readonly after: number;
}

/** A set or chain of a generation that is past. */
interface Retired {
  readonly kind: "set" | "chain";
  readonly name: string;
  /** When the rules ceased to name it, in milliseconds of the process. */
  readonly since: number;
}

/** The chain that judges the packets of some subjects in one direction. */
interface Judge {
  readonly direction: Direction;
  readonly family: Family;
  /** Matches the packets of the subjects within the family. */
  readonly match: readonly Expression[];
  readonly chain: string;
}

/** A set whose content belongs to one generation, and a name for that content. */
interface Loaded {
  readonly name: string;
  readonly content: string;
  /** No rule needs to look into it. */
  readonly empty: boolean;
}

function key(version: number, peerClass: number, last: number): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt32LE(version, 0);
  bytes.writeUInt32LE(peerClass, 4);
  bytes.writeUInt32LE(last, 8);
  return bytes;
}

/** As the registers hold (protocol, port): a big-endian number, so that intervals sort by protocol, then port. */
function portKey(protocol: number, port: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes[0] = protocol;
  if (protocol === PROTOCOL_NUMBER.ICMP || protocol === PROTOCOL_NUMBER.ICMPv6) bytes[4] = port;
  else bytes.writeUInt16BE(port, 4);
  return bytes;
}

function* versionElements(version: Version): Generator<Element> {
  for (const [at, judgement] of version.table) {
    const { peerClass, key: last } = splitTableKey(at);
    yield {
      key: key(version.id, peerClass, last),
      value: verdictOf(judgement),
    };
  }
}

function verdictOf(judgement: Judgement): Verdict {
  switch (judgement.action) {
    case "allow":
      return RETURN;
    case "redirect":
      return goTo(REDIRECT);
    case "deny":
      return goTo(dropChain(judgement.id));
  }
}

function isRedirecting(version: Version): boolean {
  for (const { action } of version.table.values()) if (action === "redirect") return true;
  return false;
}

export class Enforcement {
  generation = 0;
  private readonly table: NftTable;
  private readonly versions = new Map<number, Version>();
  /** Since when the versions that no rule names any more are out of force. */
  private readonly idle = new Map<number, number>();
  /** What the rules no longer name, oldest first. */
  private readonly retired: Retired[] = [];
  private chains: readonly string[] = [];
  private readonly dropChains = new Set<number>();
  private readonly loaded = new Map<string, Loaded>();
  private setNumber = 0;
  private settings: ForwardSettings;
  private faults: readonly FaultPair[] = [];
  private changes = 0;
  /** Whether any policy set so far has led to the proxy: then there may be connections that it has. */
  private redirecting = false;

  constructor(table: NftTable, settings: ForwardSettings) {
    this.table = table;
    this.settings = settings;
    const transaction = table
      .transaction()
      .addChain(JUDGE, { type: "filter", hook: "forward", priority: 0, policy: "drop" })
      .addSet({ name: VERDICTS, keyLength: 12, value: "verdict" });
    for (const [name, prefix] of Object.entries(OTHER_DROPS)) {
      transaction.addChain(name).addRule(name, log(DROP_GROUP, prefix), verdict(DROP));
    }
    table.commit(transaction, "forward chains");
  }

  /** Puts tables in force; returns how many verdict entries had to be added. */
  enforce(tables: VerdictTables, settings: ForwardSettings = this.settings): number {
    this.settings = settings;
    this.clearRetired();
    this.beginRedirecting(tables);
    this.unloadVersions(tables);
    const added = this.loadVersions(tables);
    this.generation++;
    const swap = this.table.transaction();
    const outdated: Omit<Retired, "since">[] = this.chains.map((chain) => ({ kind: "chain", name: chain }));
    for (const { shape, elements, empty, content } of generationSets(tables, settings, this.faults)) {
      const before = this.loaded.get(shape.name);
      if (before?.content === content) continue;
      const name = `${shape.name}-${++this.setNumber}`;
      const create = this.table.transaction().addSet({ ...shape, name });
      this.table.commit(create, `set ${name}`);
      this.table.fill(name, elements(), `set ${name}`);
      if (before !== undefined) outdated.push({ kind: "set", name: before.name });
      this.loaded.set(shape.name, { name, content, empty });
    }
    this.writeRules(swap, tables);
    this.table.commit(swap, `policy generation ${this.generation}`);
    const since = performance.now();
    this.retired.push(...outdated.map((one) => ({ ...one, since })));
    for (const id of this.versions.keys()) {
      if (tables.versions.has(id)) this.idle.delete(id);
      else if (!this.idle.has(id)) this.idle.set(id, since);
    }
    return added;
  }

  /** Changes the classes of learned addresses in the generation that is in force; class 0: it has none of its own. */
  learn(changes: readonly LearnedChange[]): void {
    const transaction = this.table.transaction();
    for (const family of FAMILIES) {
      const own = changes.filter(({ key: at }) => familyOf(addressOfLearned(at)) === family);
      const loaded = this.loaded.get(`learned${family}`);
      if (own.length === 0 || loaded === undefined) continue;
      const elements = (which: (change: LearnedChange) => number): readonly Element[] =>
        own
          .filter((change) => which(change) !== 0)
          .map((change) => ({ key: learnedBytes(change.key), value: number32(which(change)) }));
      transaction.deleteElements(
        loaded.name,
        elements(({ before }) => before).map(({ key: at }) => ({ key: at })),
      );
      transaction.addElements(
        loaded.name,
        elements(({ after }) => after),
      );
      this.loaded.set(`learned${family}`, { ...loaded, content: `changed by ${++this.changes}` });
    }
    this.table.commit(transaction, "learned addresses");
  }

  private beginRedirecting(tables: VerdictTables): void {
    if (this.redirecting || ![...tables.versions.values()].some(isRedirecting)) return;
    const transaction = this.table.transaction();
    addRedirection(transaction, { flows: FLOW_GROUP, rate: FLOW_RATE, drops: DROP_GROUP }, OTHER_DROPS["no-proxy"]);
    this.table.commit(transaction, "redirection");
    routeToProxy();
    this.redirecting = true;
  }

  /** Deletes what no packet can be on its way through any more. */
  private clearRetired(): void {
    const before = performance.now() - GRACE_MS;
    const count = this.retired.findIndex(({ since }) => since > before);
    const gone = this.retired.splice(0, count < 0 ? this.retired.length : count);
    if (gone.length === 0) return;
    const transaction = this.table.transaction();
    // Chains name each other and sets, which can go when nothing names them.
    for (const { kind, name } of gone) if (kind === "chain") transaction.flushChain(name);
    for (const { kind, name } of gone) if (kind === "chain") transaction.deleteChain(name);
    for (const { kind, name } of gone) if (kind === "set") transaction.deleteSet(name);
    this.table.commit(transaction, "retired generations");
  }

  /** Faults act on every packet from now on. */
  seed(faults: readonly FaultPair[], tables: VerdictTables): void {
    this.faults = faults;
    this.enforce(tables);
  }

  private loadVersions(tables: VerdictTables): number {
    const fresh = [...tables.versions.values()].filter((version) => !this.versions.has(version.id));
    const chains = new Map<number, Judgement>();
    let count = 0;
    for (const version of fresh) {
      count += version.table.size;
      for (const judgement of version.table.values()) {
        if (judgement.action === "deny" && !this.dropChains.has(judgement.id)) chains.set(judgement.id, judgement);
      }
    }
    let transaction = this.table.transaction();
    for (const judgement of chains.values()) {
      const name = dropChain(judgement.id);
      transaction.addChain(name).addRule(name, log(DROP_GROUP, dropPrefix(judgement)), verdict(DROP));
      this.dropChains.add(judgement.id);
      if (transaction.size < 100_000) continue;
      this.table.commit(transaction, "drop chains");
      transaction = this.table.transaction();
    }
    if (chains.size > 0) this.table.commit(transaction.addChain(JUDGE), "drop chains");
    this.table.fill(
      VERDICTS,
      (function* (): Generator<Element> {
        for (const version of fresh) yield* versionElements(version);
      })(),
      "verdicts",
    );
    for (const version of fresh) this.versions.set(version.id, version);
    return count;
  }

  /** Removes the verdicts that no rule has named for a while. */
  private unloadVersions(tables: VerdictTables): void {
    const before = performance.now() - GRACE_MS;
    const stale = [...this.versions.values()].filter(
      ({ id }) => !tables.versions.has(id) && (this.idle.get(id) ?? Number.POSITIVE_INFINITY) < before,
    );
    this.table.empty(
      VERDICTS,
      (function* (): Generator<Element> {
        for (const version of stale) for (const { key: at } of versionElements(version)) yield { key: at };
      })(),
      "stale verdicts",
    );
    for (const version of stale) {
      this.versions.delete(version.id);
      this.idle.delete(version.id);
    }
    this.removeDropChains();
  }

  /** Chains of drops that no table names any more, when they have become many. */
  private removeDropChains(): void {
    const used = new Set<number>();
    for (const { table } of this.versions.values()) for (const { id } of table.values()) used.add(id);
    const unused = [...this.dropChains].filter((id) => !used.has(id));
    if (unused.length < UNUSED_CHAINS) return;
    const transaction = this.table.transaction();
    for (const id of unused) {
      const name = dropChain(id);
      transaction.flushChain(name).deleteChain(name);
      this.dropChains.delete(id);
    }
    this.table.commit(transaction, "stale drop chains");
  }

  private set(name: string): string | null {
    const found = this.loaded.get(name);
    return found === undefined || found.empty ? null : found.name;
  }

  private writeRules(swap: Transaction, tables: VerdictTables): void {
    const r0 = REGISTER(0);
    const chainNamed = (name: string): string => {
      const chain = `${name}-${this.generation}`;
      chains.push(chain);
      swap.addChain(chain);
      return chain;
    };
    const chains: string[] = [];
    const judges: Judge[] = [];
    const familyChains: (readonly [Family, string])[] = [];
    for (const family of FAMILIES) {
      const own = DIRECTIONS.flatMap((direction): readonly Judge[] => {
        const subjects = this.set(`${direction}${family}`);
        if (subjects === null) return [];
        const subject = direction === "egress" ? SOURCE[family] : DESTINATION[family];
        const match = [field(subject, REGISTER(4)), ...versionToMark(subjects)];
        const chain = chainNamed(`${direction}${family}`);
        chains.push(...this.writeDirection(swap, tables, direction, family, subjects, chain));
        return [{ direction, family, match, chain }];
      });
      if (own.length === 0) continue;
      const chain = chainNamed(`ip${family}`);
      familyChains.push([family, chain]);
      for (const { match, chain: direction } of own) {
        swap.addRule(chain, ...match, verdict(jump(direction)));
        // Whatever is redirected was, before it was routed; what comes here has met two policy sets on its way.
        if (this.redirecting) swap.addRule(chain, ...IS_REDIRECTED, verdict(DROP));
      }
      judges.push(...own);
    }
    const judgeIn = (chain: string): void => {
      for (const { match, reason } of this.unroutable()) swap.addRule(chain, ...match, verdict(goTo(reason)));
      for (const [family, judging] of familyChains) swap.addRule(chain, ...isFamily(family), verdict(jump(judging)));
      swap.addRule(chain, immediate(r0, number32(this.generation)), setConntrackMark(r0));
    };

    // Replies, and errors about known connections, pass (Cilium R4.4.1); what else is known is judged by new rules.
    const known = chainNamed("known");
    swap.addRule(known, ...IS_REPLY, verdict(ACCEPT));
    swap.addRule(known, conntrack("state", r0), compare(r0, "eq", number32(CT_RELATED)), verdict(ACCEPT));
    judgeIn(known);
    swap.addRule(known, verdict(ACCEPT));

    swap.flushChain(JUDGE);
    for (const family of FAMILIES) {
      for (const [kind, end] of [
        ["pass", ACCEPT],
        ["drop", goTo("fault")],
      ] as const) {
        for (const match of this.faultMatches(kind, family))
          swap.addRule(JUDGE, ...IS_ORIGINAL, ...match, verdict(end));
      }
    }
    swap.addRule(JUDGE, ...this.isJudged(), verdict(ACCEPT));
    swap.addRule(JUDGE, conntrack("state", r0), compare(r0, "neq", number32(CT_NEW)), verdict(goTo(known)));
    judgeIn(JUDGE);
    swap.addRule(JUDGE, limit(FLOW_RATE, FLOW_RATE), log(FLOW_GROUP));
    swap.addRule(JUDGE, verdict(ACCEPT));
    if (this.redirecting) this.writeRedirection(swap, judges, chains);
    this.chains = chains;
  }

  /** Pairs of addresses whose packets a test lets pass or drops. */
  private faultMatches(kind: FaultPair["kind"], family: Family): readonly (readonly Expression[])[] {
    const name = this.set(`fault-${kind}${family}`);
    return name === null ? [] : [[...isFamily(family), ...pair(family, "source"), member(name, REGISTER(0))]];
  }

  /** Matches packets of a connection that has passed under this policy set. */
  private isJudged(mark = this.generation): readonly Expression[] {
    return [conntrack("mark", REGISTER(0)), compare(REGISTER(0), "eq", number32(mark))];
  }

  /** What no policy is asked about. */
  private unroutable(): readonly {
    readonly match: readonly Expression[];
    readonly reason: "not-routed" | "no-backend";
  }[] {
    const r0 = REGISTER(0);
    const out: { match: readonly Expression[]; reason: "not-routed" | "no-backend" }[] = [];
    const internet = number32(this.settings.internetIndex);
    const fromInternet = [meta("inputIndex", r0), compare(r0, "eq", internet)];
    if (!this.settings.podsRoutable) {
      const untranslated = [conntrack("status", r0), mask(r0, number32(CT_DST_NAT)), compare(r0, "eq", NONE)];
      const inward = [meta("outputIndex", r0), compare(r0, "neq", internet)];
      out.push({ match: [...fromInternet, ...inward, ...untranslated], reason: "not-routed" });
    }
    for (const family of FAMILIES) {
      const services = this.set(`services${family}`);
      if (services === null) continue;
      const untranslated = [...isFamily(family), field(DESTINATION[family], r0), member(services, r0)];
      out.push({ match: [...fromInternet, ...untranslated], reason: "not-routed" });
      out.push({ match: untranslated, reason: "no-backend" });
    }
    return out;
  }

  /**
   * Judges before routing what may have to go to the proxy, and once more what the proxy sends on. Whatever else would
   * be dropped or passed is left to the forward chain.
   */
  private writeRedirection(swap: Transaction, judges: readonly Judge[], chains: string[]): void {
    const r0 = REGISTER(0);
    const early = `early-${this.generation}`;
    swap.flushChain(DIVERT).flushChain(ONWARD).addChain(early);
    chains.push(early);
    swap.addRule(DIVERT, verdict(TAKE_OWN));
    const leave = (...match: readonly Expression[]): unknown => swap.addRule(DIVERT, ...match, verdict(ACCEPT));
    leave(...IS_REPLY);
    leave(conntrack("state", r0), mask(r0, number32(CT_RELATED)), compare(r0, "neq", NONE));
    leave(...this.isJudged());
    writeOthersPackets(swap);
    const onwardMark = this.generation + FROM_PROXY_BIT;
    swap.addRule(ONWARD, ...this.isJudged(onwardMark), verdict(ACCEPT));
    for (const family of FAMILIES) {
      for (const match of this.faultMatches("pass", family)) {
        leave(...match);
        swap.addRule(ONWARD, ...match, verdict(ACCEPT));
      }
      for (const match of this.faultMatches("drop", family)) {
        leave(...match);
        swap.addRule(ONWARD, ...match, verdict(goTo("fault")));
      }
    }
    for (const { match } of this.unroutable()) leave(...match);
    for (const direction of DIRECTIONS) {
      for (const family of FAMILIES) {
        const name = this.set(`redirecting-${direction}${family}`);
        if (name === null) continue;
        const subject = direction === "egress" ? SOURCE[family] : DESTINATION[family];
        swap.addRule(DIVERT, ...isFamily(family), field(subject, r0), member(name, r0), verdict(goTo(early)));
      }
      for (const judge of judges) {
        if (judge.direction !== direction) continue;
        const match = [...isFamily(judge.family), ...judge.match];
        swap.addRule(early, ...match, verdict(jump(judge.chain)));
        swap.addRule(ONWARD, ...match, verdict(jump(judge.chain)));
      }
      swap.addRule(early, ...IS_REDIRECTED, verdict(HAND_OVER));
    }
    swap.addRule(ONWARD, immediate(r0, number32(onwardMark)), setConntrackMark(r0));
  }

  /**
   * The look-ups of a direction, the most specific first. The mark holds the version of the subject. A peer that is a pod
   * needs no more than one look-up for its class; of any other the class is found first, and the mark holds it meanwhile.
   */
  private writeDirection(
    swap: Transaction,
    tables: VerdictTables,
    direction: Direction,
    family: Family,
    subjects: string,
    chain: string,
  ): readonly string[] {
    const wide = REGISTER(4);
    const [subject, peer] =
      direction === "egress" ? [SOURCE[family], DESTINATION[family]] : [DESTINATION[family], SOURCE[family]];
    const depths = depthsOf(tables, direction);
    const [others, anybody] = [`${chain}-others`, `${chain}-anybody`];
    const version = [meta("mark", REGISTER(0))];
    swap.addChain(others).addChain(anybody);
    const pods = this.set(`pods${family}`);
    if (pods !== null) {
      const near = this.set(`near${family}`);
      // Only a service leads a pod to itself.
      if (near !== null)
        swap.addRule(
          chain,
          conntrack("status", REGISTER(0)),
          mask(REGISTER(0), number32(CT_DST_NAT)),
          compare(REGISTER(0), "neq", NONE),
          ...pair(family, direction === "egress" ? "destination" : "source"),
          member(near, REGISTER(0)),
          verdict(goTo(others)),
        );
      const isPod = [field(peer, wide), lookUp(pods, wide, REGISTER(1))];
      this.writeLevels(swap, tables, chain, family, depths.named, version, isPod);
      swap.addRule(chain, field(peer, wide), member(pods, wide), verdict(goTo(anybody)));
    }
    swap.addRule(chain, verdict(goTo(others)));
    this.writeClass(swap, direction, family, others);
    const versionAgain = [field(subject, wide), lookUp(subjects, wide, REGISTER(0))];
    this.writeLevels(swap, tables, others, family, depths.named, versionAgain, [meta("mark", REGISTER(1))]);
    swap.addRule(others, field(subject, wide), ...versionToMark(subjects), verdict(goTo(anybody)));
    this.writeLevels(swap, tables, anybody, family, depths.anybody, version, [immediate(REGISTER(1), NONE)]);
    swap.addRule(anybody, verdict(goTo("unjudged")));
    return [others, anybody];
  }

  /** The mark becomes the class of a peer that is no pod. */
  private writeClass(swap: Transaction, direction: Direction, family: Family, chain: string): void {
    const [r0, r1, wide] = [REGISTER(0), REGISTER(1), REGISTER(4)];
    const [subjectField, peerField] =
      direction === "egress" ? [SOURCE[family], DESTINATION[family]] : [DESTINATION[family], SOURCE[family]];
    const rule = (...expressions: readonly Expression[]): void => {
      swap.addRule(chain, ...expressions);
    };
    rule(immediate(r0, NONE), setMeta("mark", r0));
    const classes = this.set(`classes${family}`);
    if (classes !== null) rule(field(peerField, wide), lookUp(classes, wide, r0), setMeta("mark", r0));
    const ranges = this.set(`ranges${family}`);
    if (ranges !== null) {
      rule(
        meta("mark", r0),
        compare(r0, "eq", NONE),
        field(peerField, wide),
        lookUp(ranges, wide, r0),
        setMeta("mark", r0),
      );
    }
    const [homes, learned] = [this.set(`homes${family}`), this.set(`learned${family}`)];
    if (direction === "egress" && homes !== null && learned !== null) {
      rule(
        field(subjectField, wide),
        lookUp(homes, wide, r0),
        field(peerField, r1),
        lookUp(learned, r0, r0),
        setMeta("mark", r0),
      );
    }
    const near = this.set(`near${family}`);
    if (near !== null) {
      rule(
        ...pair(family, direction === "egress" ? "destination" : "source"),
        lookUp(near, r0, r0),
        setMeta("mark", r0),
      );
    }
  }

  /** Look-ups of (version, class, key) for the levels that any table uses; `peer` leaves the class in register 1. */
  private writeLevels(
    swap: Transaction,
    tables: VerdictTables,
    chain: string,
    family: Family,
    level: Levels,
    version: readonly Expression[],
    peer: readonly Expression[],
  ): void {
    const r2 = REGISTER(2);
    const judge = (...expressions: readonly Expression[]): unknown =>
      swap.addRule(chain, ...expressions, lookUpVerdict(VERDICTS, REGISTER(0)));
    const ports = this.set("ports");
    if (level.port && ports !== null) {
      const icmp = family === 4 ? PROTOCOL_NUMBER.ICMP : PROTOCOL_NUMBER.ICMPv6;
      for (const number of [...PORT_PROTOCOLS, icmp]) {
        if (!tables.ports.some((range) => range.protocol === number)) continue;
        const part =
          number === icmp ? payload("transport", 0, 1, REGISTER(3)) : payload("transport", 2, 2, REGISTER(3));
        judge(
          meta("protocol", r2),
          compare(r2, "eq", Buffer.of(number)),
          ...version,
          ...peer,
          part,
          lookUp(ports, r2, r2),
        );
      }
    }
    if (level.protocol) judge(...version, ...peer, meta("protocol", r2));
    if (level.everything) judge(...version, ...peer, immediate(r2, NONE));
  }
}

/** Which look-ups of a key any table needs; the others need no rule. */
interface Levels {
  port: boolean;
  protocol: boolean;
  everything: boolean;
}

/** The levels of look-up of a direction, for classes of peers and for anybody. */
function depthsOf(tables: VerdictTables, direction: Direction): Record<"named" | "anybody", Levels> {
  const level = (): Levels => ({ port: false, protocol: false, everything: false });
  const out = { named: level(), anybody: level() };
  for (const id of new Set(tables[direction].values())) {
    for (const at of tables.versions.get(id)?.table.keys() ?? []) {
      const { peerClass, key: last } = splitTableKey(at);
      const depth = peerClass === 0 ? out.anybody : out.named;
      if (last === 0) depth.everything = true;
      else if (last < FIRST_PORT_CLASS) depth.protocol = true;
      else depth.port = true;
    }
  }
  return out;
}

function field([offset, length]: Field, to: number): Expression {
  return payload("network", offset, length, to);
}

/** The subject's address is in the registers from 4 on; the rule ends where there are no rules for it. */
function versionToMark(subjects: string): readonly Expression[] {
  return [lookUp(subjects, REGISTER(4), REGISTER(0)), setMeta("mark", REGISTER(0))];
}

function isFamily(family: Family): readonly Expression[] {
  return [meta("networkProtocol", REGISTER(15)), compare(REGISTER(15), "eq", NFPROTO[family])];
}

/** Both addresses side by side from register 0 on; `first` says which one leads. */
function pair(family: Family, first: "source" | "destination"): readonly Expression[] {
  const [leading, following] =
    first === "source" ? [SOURCE[family], DESTINATION[family]] : [DESTINATION[family], SOURCE[family]];
  return [field(leading, REGISTER(0)), field(following, REGISTER(leading[1] / 4))];
}

interface GenerationSet {
  readonly shape: SetShape;
  /** Written only where the content is not the one that is loaded. */
  readonly elements: () => readonly Element[];
  readonly empty: boolean;
  readonly content: string;
}

/** Every set of a generation but the verdicts. */
function* generationSets(
  tables: VerdictTables,
  settings: ForwardSettings,
  faults: readonly FaultPair[],
): Generator<GenerationSet> {
  for (const family of FAMILIES) {
    const bytes = family === 4 ? 4 : 16;
    const mine = (address: string): boolean => familyOf(address) === family;
    for (const [name, entries] of [
      ["egress", tables.egress],
      ["ingress", tables.ingress],
      ["pods", tables.pods],
      ["classes", tables.classes],
    ] as const) {
      const own = [...entries].filter(([address]) => mine(address));
      yield hashed({ name: `${name}${family}`, keyLength: bytes, value: { length: 4 } }, own, ([address, number]) => ({
        key: addressBytes(address),
        value: number32(number),
      }));
    }
    const homes = [...tables.homes].filter(([address]) => mine(address));
    yield hashed({ name: `homes${family}`, keyLength: bytes, value: { length: 4 } }, homes, ([address, number]) => ({
      key: addressBytes(address),
      value: number32(number),
    }));
    const learned = [...tables.learned].filter(([at]) => mine(addressOfLearned(at)));
    // Of no fixed size, and there while empty: it alone grows and shrinks while a generation is in force.
    yield {
      shape: { name: `learned${family}`, keyLength: 4 + bytes, value: { length: 4 } },
      elements: () => learned.map(([at, number]) => ({ key: learnedBytes(at), value: number32(number) })),
      empty: tables.homes.size === 0,
      content: learned.join(";"),
    };
    for (const direction of DIRECTIONS) {
      const leading = new Set([...tables.versions.values()].filter(isRedirecting).map(({ id }) => id));
      const own = [...tables[direction]].filter(([address, version]) => mine(address) && leading.has(version));
      yield hashed({ name: `redirecting-${direction}${family}`, keyLength: bytes }, own, ([address]) => ({
        key: addressBytes(address),
      }));
    }
    const near = [...tables.near].filter(([both]) => mine(both));
    yield hashed({ name: `near${family}`, keyLength: bytes * 2, value: { length: 4 } }, near, ([both, number]) => ({
      key: pairBytes(both),
      value: number32(number),
    }));
    yield {
      shape: { name: `ranges${family}`, keyLength: bytes, value: { length: 4 }, interval: true },
      elements: () => rangeElements(family, tables.ranges[family]),
      empty: false,
      content: tables.ranges[family].map((range) => `${range.from}=${range.class}`).join(),
    };
    const services = settings.serviceAddresses.filter(mine);
    yield hashed({ name: `services${family}`, keyLength: bytes }, services, (address) => ({
      key: addressBytes(address),
    }));
    for (const kind of ["pass", "drop"] as const) {
      const own = faults.filter((fault) => fault.kind === kind && mine(fault.source));
      yield hashed(
        { name: `fault-${kind}${family}`, keyLength: bytes * 2 },
        own.map(({ source, destination }) => pairKey(source, destination)),
        (both) => ({ key: pairBytes(both) }),
      );
    }
  }
  yield {
    shape: { name: "ports", keyLength: 8, value: { length: 4 }, interval: true },
    elements: () =>
      tables.ports.flatMap(({ protocol, first, last, class: number }): readonly Element[] => [
        { key: portKey(protocol, first), value: number32(number) },
        { key: afterPort(protocol, last), intervalEnd: true },
      ]),
    empty: tables.ports.length === 0,
    content: JSON.stringify(tables.ports),
  };
}

function afterPort(protocol: number, last: number): Buffer {
  const narrow = protocol === PROTOCOL_NUMBER.ICMP || protocol === PROTOCOL_NUMBER.ICMPv6;
  const next = last + 1;
  return next > (narrow ? 255 : 65_535) ? portKey(protocol + 1, 0) : portKey(protocol, next);
}

function pairBytes(both: string): Buffer {
  return Buffer.concat(both.split(" ").map(addressBytes));
}

function addressOfLearned(at: string): string {
  return at.slice(at.indexOf(" ") + 1);
}

function learnedBytes(at: string): Buffer {
  return Buffer.concat([number32(Number.parseInt(at, 10)), addressBytes(addressOfLearned(at))]);
}

function hashed<T>(shape: SetShape, entries: readonly T[], write: (entry: T) => Element): GenerationSet {
  const elements = (): readonly Element[] => entries.map(write);
  return {
    shape: { ...shape, size: entries.length },
    elements,
    empty: entries.length === 0,
    content: entries.join(";"),
  };
}

/** Each range ends where the next begins; the last reaches the end of the space and needs no end. */
function rangeElements(
  family: Family,
  ranges: readonly { readonly from: bigint; readonly class: number }[],
): readonly Element[] {
  return ranges.flatMap((range, index): readonly Element[] => {
    const start: Element = { key: numberBytes(family, range.from), value: number32(range.class) };
    const next = ranges[index + 1]?.from ?? spaceEnd(family);
    return next === spaceEnd(family) ? [start] : [start, { key: numberBytes(family, next), intervalEnd: true }];
  });
}
