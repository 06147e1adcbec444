/**
 * Compiles a ruleset to look-up tables.
 *
 * A packet is judged by at most six exact look-ups of (version, class, key): *version* numbers the rules of the
 * subject in one direction, *class* the peers that no rule tells apart, *key* a port class, else the IP protocol,
 * else 0 for everything. Prefixes and port ranges are cut into classes beforehand, so that a rule on a range costs the
 * packet no more than a rule on one port. Classes and versions are numbered by what they mean: the same meaning keeps
 * its number from one policy set to the next, and only what is new has to be loaded.
 *
 * For one version, the look-ups go from the most specific to the least: (class, port), (class, protocol), (class, 0),
 * then the same with class 0, for peers that no entry names. Each table entry holds the final judgement for its
 * region less the regions of deeper entries, so the first hit is the answer.
 */

import { createHash } from "node:crypto";
import { addressNumber, contains, covered, cut, type Range, type Segment, spaceEnd } from "./address-space.ts";
import { type Family, familyOf } from "./kernel/address.ts";
import type { ApplicationRule } from "../policy/rule.ts";
import { RESERVED_IDENTITY } from "./plan.ts";
import type { Direction, Peer, Ruleset, RulesetEntry, SubjectRules, Traffic } from "./ruleset.ts";

/** An address that belongs to someone the lab knows. */
export interface KnownAddress {
  readonly address: string;
  readonly identity: number;
  readonly kind: "pod" | "node" | "outside";
  /** Of a node: the identity whose rules govern it; absent: none. */
  readonly subject?: number;
}

/** An address outside, with every name that a node has learned for it: lower case, with trailing dot. */
export interface LearnedAddress {
  readonly node: string;
  readonly address: string;
  readonly names: readonly string[];
}

/** The addresses of a subject's own node. */
export interface Population {
  readonly known: readonly KnownAddress[];
  /** Pod address and the address of its own node of the same family. */
  readonly local: readonly { readonly pod: string; readonly node: string }[];
  /** The name of the node of each address of a pod or node. */
  readonly homes: ReadonlyMap<string, string>;
  readonly learned: readonly LearnedAddress[];
  readonly world: { readonly ipv4: number; readonly ipv6: number };
}

export interface Judgement {
  readonly id: number;
  readonly direction: Direction;
  /** `redirect`: the proxy judges by `applications`. */
  readonly action: "allow" | "deny" | "redirect";
  readonly reason: "rule" | "no-policy" | "default-deny" | "self";
  /** Origins of the entries that matched; for default deny the policies that isolate. */
  readonly policies: readonly string[];
  /** What the proxy judges by: one of them must pass. Empty unless redirected. */
  readonly applications: readonly ApplicationEntry[];
}

/** The application rules of one entry; all of them must pass. */
export interface ApplicationEntry {
  /** Of the entry: `CiliumNetworkPolicy/default/service-a#ingress[0]`. */
  readonly origin: string;
  readonly rules: readonly ApplicationRule[];
}

/** A subject's rules in one direction as a table; `tableKey(class, key)` → judgement. */
export interface Version {
  readonly id: number;
  readonly table: ReadonlyMap<number, Judgement>;
}

export interface VerdictTables {
  /** Class of each address of a pod: the same towards everybody but the pod itself. */
  readonly pods: ReadonlyMap<string, number>;
  /** Class of every other known address. */
  readonly classes: ReadonlyMap<string, number>;
  /** Class of every other address: the whole space of each family. */
  readonly ranges: { readonly [family in Family]: readonly { readonly from: bigint; readonly class: number }[] };
  /** Class of a peer towards one subject where it differs from its class towards others; keys are `pairKey`s. */
  readonly near: ReadonlyMap<string, number>;
  /** Number of its node, for each address of a pod whose node learns names; empty where no rule is about names. */
  readonly homes: ReadonlyMap<string, number>;
  /**
   * Class of what a node has learned of, where that differs from its class for others; keys are `learnedKey`s. It alone
   * changes while the tables are in force.
   */
  readonly learned: Map<string, number>;
  /** Port classes: (protocol, first, last). Ports outside have none. */
  readonly ports: readonly {
    readonly protocol: number;
    readonly first: number;
    readonly last: number;
    readonly class: number;
  }[];
  /** Version of each address of a subject. Absent: nothing is judged. */
  readonly egress: ReadonlyMap<string, number>;
  readonly ingress: ReadonlyMap<string, number>;
  readonly versions: ReadonlyMap<number, Version>;
}

export const PROTOCOL_NUMBER = { ICMP: 1, TCP: 6, UDP: 17, ICMPv6: 58, SCTP: 132 } as const;
/** Keys up to 255 are IP protocols; 0 is every protocol. */
const FIRST_PORT_CLASS = 256;
const CLASS_SELF = 1;
const FIRST_CLASS = 2;
const CLASS_SPAN = 2 ** 24;

/** `peer subject`: two addresses. */
export function pairKey(peer: string, subject: string): string {
  return `${peer} ${subject}`;
}

/** `node address` */
export function learnedKey(node: number, address: string): string {
  return `${node} ${address}`;
}

export function tableKey(peerClass: number, key: number): number {
  return peerClass * CLASS_SPAN + key;
}

export function splitTableKey(value: number): { readonly peerClass: number; readonly key: number } {
  return { peerClass: Math.floor(value / CLASS_SPAN), key: value % CLASS_SPAN };
}

/** Numbers things by their meaning, for as long as the lab lives. */
class Numbering {
  private readonly numbers = new Map<string, number>();
  private next: number;

  constructor(first: number) {
    this.next = first;
  }

  of(meaning: string): number {
    const known = this.numbers.get(meaning);
    if (known !== undefined) return known;
    const number = this.next++;
    this.numbers.set(meaning, number);
    return number;
  }
}

interface PrefixGroup {
  readonly key: string;
  readonly covers: "outside" | "nodes" | "all";
  readonly ranges: { readonly [family in Family]: readonly Range[] };
  /** What it matches of nodes: as `ranges`, without prefixes of length 0 unless it covers all. */
  readonly nodeRanges: { readonly [family in Family]: readonly Range[] };
}

type PrefixPeer = Extract<Peer, { kind: "prefixes" }>;

const prefixKeys = new WeakMap<PrefixPeer, string>();

/** Short, and equal for peers that name the same prefixes. */
function prefixKey(peer: PrefixPeer): string {
  const known = prefixKeys.get(peer);
  if (known !== undefined) return known;
  const meaning = JSON.stringify([peer.covers, peer.prefixes.map(({ cidr, except }) => [cidr, ...except])]);
  const key = createHash("sha1").update(meaning).digest("base64");
  prefixKeys.set(peer, key);
  return key;
}

type NamesPeer = Extract<Peer, { kind: "names" }>;

/** No prefix group's key begins like this. */
function namesKey(peer: NamesPeer): string {
  return `names:${JSON.stringify(peer.names.map(({ expression }) => expression))}`;
}

interface ClassMeaning {
  readonly identity: number;
  readonly groups: readonly string[];
}

/** Peers and port classes of one compilation, indexed for the entries that name them. */
interface Index {
  readonly classesOfIdentity: ReadonlyMap<number, readonly number[]>;
  readonly classesOfGroup: ReadonlyMap<string, readonly number[]>;
  readonly classesOfRange: ReadonlyMap<string, readonly number[]>;
  readonly protocolOfClass: ReadonlyMap<number, number>;
}

/** What tells the classes of one compilation apart. */
interface Classing {
  readonly prefixes: readonly PrefixGroup[];
  readonly names: ReadonlyMap<string, NamesPeer>;
  readonly known: ReadonlyMap<string, KnownAddress>;
  readonly world: Population["world"];
  readonly meanings: Map<number, ClassMeaning>;
}

/** Whether an RE2 pattern matches the whole of a text. */
export type PatternMatcher = (pattern: string, text: string) => boolean;

export class VerdictCompiler {
  private readonly classNumbers = new Numbering(FIRST_CLASS);
  private readonly portNumbers = new Numbering(FIRST_PORT_CLASS);
  private readonly versionNumbers = new Numbering(1);
  private readonly nodeNumbers = new Numbering(1);
  /** The tables of the compilation before, by the text of their rules. */
  private compiled: { readonly classes: string; readonly versions: Map<string, Version> } = {
    classes: "",
    versions: new Map(),
  };
  private readonly judgements = new Map<string, Judgement>();
  private readonly numbered = new Map<number, Judgement>();
  private classing: Classing = {
    prefixes: [],
    names: new Map(),
    known: new Map(),
    world: { ipv4: 0, ipv6: 0 },
    meanings: new Map(),
  };
  private readonly matches: PatternMatcher;

  /** `matches` is asked only about names that entries select. */
  constructor(matches: PatternMatcher) {
    this.matches = matches;
  }

  compile(population: Population, ruleset: Ruleset): VerdictTables {
    const groups = prefixGroups(ruleset);
    const meanings = new Map<number, ClassMeaning>();
    const { world } = population;
    const known = new Map(population.known.map((one) => [one.address, one]));
    this.classing = { prefixes: groups, names: namesGroups(ruleset), known, world, meanings };
    const classOf = (identity: number, members: readonly string[]): number => {
      const number = this.classNumbers.of(classText(identity, members));
      meanings.set(number, { identity, groups: members });
      return number;
    };
    const pods = new Map<string, number>();
    const classes = new Map<string, number>();
    for (const one of population.known) {
      const covering = groups.filter((group) => covers(group, one)).map((group) => group.key);
      (one.kind === "pod" ? pods : classes).set(one.address, classOf(one.identity, covering));
    }
    const outside = (family: Family, identity: number): readonly { from: bigint; class: number }[] =>
      cut(
        spaceEnd(family),
        groups.map((group) => ({ member: group.key, ranges: group.ranges[family] })),
      ).map((segment: Segment<string>) => ({ from: segment.from, class: classOf(identity, segment.members) }));
    const ranges = { 4: outside(4, world.ipv4), 6: outside(6, world.ipv6) };
    const learned = new Map<string, number>();
    for (const one of population.learned) {
      const meaning = this.learnedMeaning(one);
      if (meaning === null) continue;
      const at = learnedKey(this.nodeNumbers.of(one.node), one.address);
      learned.set(at, classOf(meaning.identity, meaning.groups));
    }
    const near = population.local.map(({ pod, node }) => {
      const own: KnownAddress = { address: node, identity: RESERVED_IDENTITY.host, kind: "node" };
      const covering = groups.filter((group) => group.covers === "all" && covers(group, own)).map((group) => group.key);
      return [pairKey(node, pod), classOf(RESERVED_IDENTITY.host, covering)] as const;
    });
    const self = population.known
      .filter((known) => known.kind === "pod")
      .map(({ address }) => [pairKey(address, address), CLASS_SELF] as const);
    const ports = this.portClasses(ruleset);
    const index: Index = { ...indexClasses(meanings), ...ports.index };

    // What a subject's rules compile to depends on them, and on how peers and ports are cut into classes.
    const cutting = `${[...meanings.keys()].toSorted((a, b) => a - b).join()};${[...index.classesOfRange].flat().join()}`;
    const compiled = this.compiled.classes === cutting ? this.compiled.versions : new Map<string, Version>();
    this.compiled = { classes: cutting, versions: new Map() };
    const versions = new Map<number, Version>();
    const versionOf = new Map<string, number>();
    for (const subject of ruleset.subjects) {
      if (!subject.isolated && subject.entries.length === 0) continue;
      const text = JSON.stringify(subject);
      const version = compiled.get(text) ?? this.version(subject, index);
      this.compiled.versions.set(text, version);
      versions.set(version.id, version);
      versionOf.set(`${subject.direction} ${subject.identity}`, version.id);
    }
    const addresses = (direction: Direction): Map<string, number> => {
      const out = new Map<string, number>();
      for (const { address, identity, kind, subject } of population.known) {
        const governed = kind === "pod" ? identity : subject;
        if (governed === undefined) continue;
        const version = versionOf.get(`${direction} ${governed}`);
        if (version !== undefined) out.set(address, version);
      }
      return out;
    };
    const egress = addresses("egress");
    const homes =
      this.classing.names.size === 0
        ? []
        : [...population.homes].flatMap(([address, node]) =>
            egress.has(address) ? [[address, this.nodeNumbers.of(node)] as const] : [],
          );
    return {
      pods,
      classes,
      ranges,
      near: new Map([...near, ...self]),
      homes: new Map(homes),
      learned,
      ports: ports.intervals,
      egress,
      ingress: addresses("ingress"),
      versions,
    };
  }

  /** What a learned address means to the rules; null where its names mean nothing to them, or it is no outside one. */
  private learnedMeaning({ address, names }: LearnedAddress): ClassMeaning | null {
    const { prefixes, names: groups, known, world } = this.classing;
    const owner = known.get(address);
    // What belongs to a pod or a node is never selected by a name (cilium.md R7.3.3).
    if (owner !== undefined && owner.kind !== "outside") return null;
    const selected = [...groups]
      .filter(([, peer]) => names.some((name) => peer.names.some(({ expression }) => this.matches(expression, name))))
      .map(([key]) => key);
    if (selected.length === 0) return null;
    const family = familyOf(address);
    const identity = owner?.identity ?? (family === 4 ? world.ipv4 : world.ipv6);
    const number = addressNumber(address);
    const covering = prefixes.filter((group) => contains(group.ranges[family], number)).map((group) => group.key);
    return { identity, groups: [...covering, ...selected] };
  }

  /**
   * The key and class of a learned address in the tables compiled last: class 0 where its names mean nothing to the rules,
   * null where the tables lack the class and have to be compiled again.
   */
  learnedClass(learned: LearnedAddress): { readonly key: string; readonly class: number | null } {
    const key = learnedKey(this.nodeNumbers.of(learned.node), learned.address);
    const meaning = this.learnedMeaning(learned);
    if (meaning === null) return { key, class: 0 };
    const number = this.classNumbers.of(classText(meaning.identity, meaning.groups));
    return { key, class: this.classing.meanings.has(number) ? number : null };
  }

  /** By its number, which drops in the kernel's log carry. */
  judgementNumbered(id: number): Judgement | undefined {
    return this.numbered.get(id);
  }

  private judgement(
    direction: Direction,
    action: Judgement["action"],
    reason: Judgement["reason"],
    policies: readonly string[],
    applications: readonly ApplicationEntry[] = [],
  ): Judgement {
    const meaning = JSON.stringify([direction, action, reason, policies, applications]);
    const known = this.judgements.get(meaning);
    if (known !== undefined) return known;
    const created: Judgement = { id: this.judgements.size + 1, direction, action, reason, policies, applications };
    this.judgements.set(meaning, created);
    this.numbered.set(created.id, created);
    return created;
  }

  private portClasses(ruleset: Ruleset): {
    readonly intervals: VerdictTables["ports"];
    readonly index: Pick<Index, "classesOfRange" | "protocolOfClass">;
  } {
    const named = new Map<string, { readonly protocol: number; readonly first: number; readonly last: number }>();
    for (const { entries } of ruleset.subjects) {
      for (const { traffic } of entries) {
        const range = portRange(traffic);
        if (range !== null) named.set(rangeKey(range), range);
      }
    }
    const intervals: { protocol: number; first: number; last: number; class: number }[] = [];
    const classesOfRange = new Map<string, Set<number>>();
    const protocolOfClass = new Map<number, number>();
    for (const protocol of new Set([...named.values()].map((range) => range.protocol))) {
      const members = [...named.entries()]
        .filter(([, range]) => range.protocol === protocol)
        .map(([member, { first, last }]) => ({ member, ranges: [{ from: BigInt(first), to: BigInt(last) + 1n }] }));
      for (const segment of cut(65_536n, members)) {
        if (segment.members.length === 0) continue;
        const number = this.portNumbers.of(segment.members.toSorted().join("|"));
        intervals.push({ protocol, first: Number(segment.from), last: Number(segment.to) - 1, class: number });
        protocolOfClass.set(number, protocol);
        for (const member of segment.members) {
          const found = classesOfRange.get(member);
          if (found === undefined) classesOfRange.set(member, new Set([number]));
          else found.add(number);
        }
      }
    }
    intervals.sort((a, b) => a.protocol - b.protocol || a.first - b.first);
    const listed = new Map([...classesOfRange].map(([range, numbers]) => [range, [...numbers]] as const));
    return { intervals, index: { classesOfRange: listed, protocolOfClass } };
  }

  /** One subject's table. */
  private version(subject: SubjectRules, index: Index): Version {
    const anyPeer = new Map<number, number[]>();
    const byClass = new Map<number, Map<number, number[]>>();
    const tableOf = (peerClass: number): Map<number, number[]> => {
      const found = byClass.get(peerClass);
      if (found !== undefined) return found;
      const created = new Map<number, number[]>();
      byClass.set(peerClass, created);
      return created;
    };
    for (const [number, entry] of subject.entries.entries()) {
      const keys = trafficKeys(entry.traffic, index);
      if (entry.peer.kind === "any") for (const key of keys) note(anyPeer, key, number);
      else
        for (const peerClass of new Set(peerClasses(entry.peer, index)))
          for (const key of keys) note(tableOf(peerClass), key, number);
      if (entry.action === "deny" && deniesSelf(entry.peer, subject.identity)) {
        for (const key of keys) note(tableOf(CLASS_SELF), key, number);
      }
    }
    const table = new Map<number, Judgement>();
    const ancestors = (key: number): readonly number[] => {
      if (key === 0) return [0];
      const protocol = index.protocolOfClass.get(key);
      return protocol === undefined ? [key, 0] : [key, protocol, 0];
    };
    for (const key of new Set([0, ...anyPeer.keys()])) {
      table.set(
        tableKey(0, key),
        this.judge(
          subject,
          ancestors(key).flatMap((at) => anyPeer.get(at) ?? []),
        ),
      );
    }
    const own = tableOf(CLASS_SELF);
    for (const key of new Set([0, ...own.keys()])) {
      const denies = ancestors(key).flatMap((at) => own.get(at) ?? []);
      const judgement =
        denies.length === 0 ? this.judgement(subject.direction, "allow", "self", []) : this.judge(subject, denies);
      table.set(tableKey(CLASS_SELF, key), judgement);
    }
    byClass.delete(CLASS_SELF);
    for (const [peerClass, entries] of byClass) {
      const keys = new Set(entries.keys());
      // What an entry for this class covers hides the entries for any peer: their deeper keys must be told here.
      for (const key of anyPeer.keys()) if (ancestors(key).some((at) => entries.has(at))) keys.add(key);
      for (const key of keys) {
        const matching = ancestors(key).flatMap((at) => [...(entries.get(at) ?? []), ...(anyPeer.get(at) ?? [])]);
        table.set(tableKey(peerClass, key), this.judge(subject, matching));
      }
    }
    const meaning = [...table]
      .map(([key, { id }]) => [key, id] as const)
      .toSorted((a, b) => a[0] - b[0])
      .join();
    const id = this.versionNumbers.of(createHash("sha1").update(`${subject.direction}|${meaning}`).digest("base64"));
    return { id, table };
  }

  /** Tier by tier, order by order; deny over allow over pass, then the default. */
  private judge(subject: SubjectRules, matching: readonly number[]): Judgement {
    const entries = [...new Set(matching)].flatMap((number) => subject.entries[number] ?? []);
    entries.sort((a, b) => tierOf(a) - tierOf(b) || orderOf(a) - orderOf(b));
    const last = subject.isolated ? (subject.isolatedIn ?? Infinity) : Infinity;
    let passed = -Infinity;
    for (let at = 0; at < entries.length; ) {
      const first = entries[at];
      if (first === undefined || tierOf(first) > last) break;
      const equals: RulesetEntry[] = [];
      while (at < entries.length) {
        const next = entries[at];
        if (next === undefined || tierOf(next) !== tierOf(first) || orderOf(next) !== orderOf(first)) break;
        equals.push(next);
        at++;
      }
      if (tierOf(first) === passed) continue;
      const denies = equals.filter((entry) => entry.action === "deny");
      if (denies.length > 0) return this.judgement(subject.direction, "deny", "rule", originsOf(denies));
      const allows = equals.filter((entry) => entry.action === "allow");
      if (allows.length > 0) return this.allowed(subject.direction, allows);
      passed = tierOf(first);
    }
    if (subject.isolated) return this.judgement(subject.direction, "deny", "default-deny", subject.isolatedBy);
    return this.judgement(subject.direction, "allow", "no-policy", []);
  }

  /** What several allows of a packet come to. */
  private allowed(direction: Direction, allows: readonly RulesetEntry[]): Judgement {
    const [lookup] = allows.filter((entry) => judgesBy(entry, "dns"));
    if (lookup !== undefined) {
      // Look-ups are judged by the rules of exactly their port; one of them that names no names lets all pass (cilium.md
      // R7.2.2, R7.2.3).
      const filter = allows.filter((entry) => sameTraffic(entry, lookup));
      return this.judgement(direction, "redirect", "rule", originsOf(filter), applicationsOf(filter));
    }
    // Names of TLS servers are not lifted by a plain allow of the same selector and port (R5.9).
    const named = allows.filter((entry) => judgesBy(entry, "tls"));
    const isBeside = (entry: RulesetEntry): boolean =>
      named.some((other) => other.selector === entry.selector && sameTraffic(other, entry));
    const plain = allows.filter((entry) => entry.application === undefined && !isBeside(entry));
    // One allow without application rules lifts those of all others (R6.3.4, R6.3.5).
    if (plain.length > 0) return this.judgement(direction, "allow", "rule", originsOf(plain));
    const judging = allows.filter((entry) => entry.application !== undefined);
    return this.judgement(direction, "redirect", "rule", originsOf(judging), applicationsOf(judging));
  }
}

/** Whether the entry's proxy judges by rules of this kind. */
function judgesBy(entry: RulesetEntry, kind: ApplicationRule["kind"]): boolean {
  return entry.application?.some((rule) => rule.kind === kind) === true;
}

function sameTraffic(a: RulesetEntry, b: RulesetEntry): boolean {
  return JSON.stringify(a.traffic) === JSON.stringify(b.traffic);
}

function originsOf(entries: readonly RulesetEntry[]): readonly string[] {
  return [...new Set(entries.map((entry) => entry.origin))].toSorted();
}

/** The application rules of entries, each list once; none where an entry lets everything pass. */
function applicationsOf(entries: readonly RulesetEntry[]): readonly ApplicationEntry[] {
  const out = new Map<string, ApplicationEntry>();
  for (const { origin, application } of entries) {
    out.set(`${origin} ${JSON.stringify(application)}`, { origin, rules: application ?? [] });
  }
  return [...out].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry);
}

function tierOf(entry: RulesetEntry): number {
  return entry.tier ?? 0;
}

function orderOf(entry: RulesetEntry): number {
  return entry.order ?? 0;
}

function note(table: Map<number, number[]>, key: number, entry: number): void {
  const found = table.get(key);
  if (found === undefined) table.set(key, [entry]);
  else found.push(entry);
}

function prefixGroups(ruleset: Ruleset): readonly PrefixGroup[] {
  const groups = new Map<string, PrefixGroup>();
  for (const { entries } of ruleset.subjects) {
    for (const { peer } of entries) {
      if (peer.kind !== "prefixes") continue;
      const key = prefixKey(peer);
      if (groups.has(key)) continue;
      const ranges = { 4: covered(peer.prefixes, 4), 6: covered(peer.prefixes, 6) };
      const narrower = peer.prefixes.filter(({ cidr }) => !cidr.endsWith("/0"));
      const nodeRanges = peer.covers === "all" ? ranges : { 4: covered(narrower, 4), 6: covered(narrower, 6) };
      groups.set(key, { key, covers: peer.covers, ranges, nodeRanges });
    }
  }
  return [...groups.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1));
}

function namesGroups(ruleset: Ruleset): ReadonlyMap<string, NamesPeer> {
  const groups = new Map<string, NamesPeer>();
  for (const { entries } of ruleset.subjects)
    for (const { peer } of entries) if (peer.kind === "names") groups.set(namesKey(peer), peer);
  return groups;
}

function classText(identity: number, groups: readonly string[]): string {
  return `${identity}|${groups.join("|")}`;
}

function covers(group: PrefixGroup, known: KnownAddress): boolean {
  const family = familyOf(known.address);
  switch (known.kind) {
    case "outside":
      return contains(group.ranges[family], addressNumber(known.address));
    case "node":
      return group.covers !== "outside" && contains(group.nodeRanges[family], addressNumber(known.address));
    case "pod":
      return group.covers === "all" && contains(group.ranges[family], addressNumber(known.address));
  }
}

function indexClasses(
  meanings: ReadonlyMap<number, ClassMeaning>,
): Pick<Index, "classesOfIdentity" | "classesOfGroup"> {
  const classesOfIdentity = new Map<number, number[]>();
  const classesOfGroup = new Map<string, number[]>();
  for (const [number, { identity, groups }] of meanings) {
    const same = classesOfIdentity.get(identity);
    if (same === undefined) classesOfIdentity.set(identity, [number]);
    else same.push(number);
    for (const group of groups) {
      const members = classesOfGroup.get(group);
      if (members === undefined) classesOfGroup.set(group, [number]);
      else members.push(number);
    }
  }
  return { classesOfIdentity, classesOfGroup };
}

function peerClasses(peer: Exclude<Peer, { kind: "any" }>, index: Index): readonly number[] {
  if (peer.kind === "prefixes") return index.classesOfGroup.get(prefixKey(peer)) ?? [];
  if (peer.kind === "names") return index.classesOfGroup.get(namesKey(peer)) ?? [];
  return peer.identities.flatMap((identity) => index.classesOfIdentity.get(identity) ?? []);
}

function deniesSelf(peer: Peer, identity: number): boolean {
  return peer.kind === "any" || (peer.kind === "identities" && peer.identities.includes(identity));
}

function portRange(
  traffic: Traffic,
): { readonly protocol: number; readonly first: number; readonly last: number } | null {
  if (traffic.protocol === "any") return null;
  const protocol = PROTOCOL_NUMBER[traffic.protocol];
  if ("type" in traffic) return traffic.type === null ? null : { protocol, first: traffic.type, last: traffic.type };
  return traffic.ports === null ? null : { protocol, ...traffic.ports };
}

function rangeKey(range: { readonly protocol: number; readonly first: number; readonly last: number }): string {
  return `${range.protocol}:${range.first}-${range.last}`;
}

function trafficKeys(traffic: Traffic, index: Index): readonly number[] {
  if (traffic.protocol === "any") return [0];
  const range = portRange(traffic);
  if (range === null) return [PROTOCOL_NUMBER[traffic.protocol]];
  return index.classesOfRange.get(rangeKey(range)) ?? [];
}

/** What the tables say of a packet: the same look-ups as the kernel's, for explaining it. */
export function judgementOf(
  tables: VerdictTables,
  direction: Direction,
  packet: {
    readonly source: string;
    readonly destination: string;
    readonly protocol: number;
    readonly destinationPort: number;
  },
): Judgement | null {
  const [subject, peer] =
    direction === "egress" ? [packet.source, packet.destination] : [packet.destination, packet.source];
  const versionId = tables[direction].get(subject);
  const version = versionId === undefined ? undefined : tables.versions.get(versionId);
  if (version === undefined) return null;
  const peerClass =
    tables.near.get(pairKey(peer, subject)) ??
    (direction === "egress" ? learnedClass(tables, subject, peer) : undefined) ??
    tables.pods.get(peer) ??
    tables.classes.get(peer) ??
    rangeClass(tables, peer);
  const port = portClass(tables.ports, packet.protocol, packet.destinationPort);
  for (const at of [peerClass, 0]) {
    for (const key of [...(port === null ? [] : [port]), packet.protocol, 0]) {
      const found = version.table.get(tableKey(at, key));
      if (found !== undefined) return found;
    }
  }
  return null;
}

/** The intervals are sorted by protocol, then port, and disjoint. */
function portClass(ports: VerdictTables["ports"], protocol: number, port: number): number | null {
  let low = 0;
  let high = ports.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const found = ports[middle];
    if (found !== undefined && (found.protocol < protocol || (found.protocol === protocol && found.last < port)))
      low = middle + 1;
    else high = middle;
  }
  const found = ports[low];
  return found !== undefined && found.protocol === protocol && found.first <= port ? found.class : null;
}

function learnedClass(tables: VerdictTables, subject: string, peer: string): number | undefined {
  const home = tables.homes.get(subject);
  return home === undefined ? undefined : tables.learned.get(learnedKey(home, peer));
}

function rangeClass(tables: VerdictTables, address: string): number {
  const value = addressNumber(address);
  const ranges = tables.ranges[familyOf(address)];
  let low = 0;
  let high = ranges.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    const range = ranges[middle];
    if (range !== undefined && range.from <= value) low = middle;
    else high = middle;
  }
  return ranges[low]?.class ?? 0;
}
