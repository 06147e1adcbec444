/**
 * One side of a connection: what the policies of one end let through, from or to one other end.
 *
 * The verdict follows the tiers of the dialect in order (kubernetes.md K8-34, CNP-18; cilium.md 4.1, 4.3). Every step
 * works on bounded sets, so a fact that the input lacks widens the answer to `unsure` instead of being guessed.
 */

import { dnsWorkloads, isDnsServer, podTraits } from "../model/pods.ts";
import { type Because, mergeBecause } from "../base/because.ts";
import { entryOf } from "../base/entry.ts";
import { type Application, applicationOf, applicationUnion, EVERYTHING, NOTHING } from "../net/application.ts";
import { addressIntersect, type AddressSet, addressSubtract, ALL_ADDRESSES, formatAddress } from "../net/address.ts";
import {
  ALL_FLOWS,
  type FlowSet,
  flowIntersect,
  flowSubtract,
  flowsEmpty,
  flowsEqual,
  flowUnion,
  NO_FLOWS,
  overrideApplication,
  portFlows,
  restrictFamilies,
} from "../net/flow-set.ts";
import type {
  ApplicationRule,
  Direction,
  Origin,
  Peer,
  Policy,
  PolicySet,
  PortMatch,
  Rule,
  Section,
  Selector,
  Tier,
  Traffic,
} from "../policy/rule.ts";
import type { ContainerPort, PodDifference } from "../model/world.ts";
import type { Party } from "../policy/dialect.ts";
import { selectorKey } from "../policy/selector.ts";
import {
  ALL_BOUNDED,
  type Bounded,
  boundedSubtract,
  boundedUnion,
  eitherOf,
  NO_BOUNDED,
  whereHolds,
} from "./bounded.ts";
import { authenticate } from "./authentication.ts";
import type { Replacement } from "./policy-table.ts";
import type { RuleMatch } from "./rule-match.ts";
import { SubjectIndex } from "./subject-index.ts";
import { dialledOf, type Endpoint } from "./endpoint.ts";
import { FAMILY_LISTS, type FamilyMatch, type Identity, type Matching, type View } from "./matching.ts";

/** A policy that selects an endpoint, or may. */
export interface Selection {
  readonly policy: Policy;
  readonly selects: "yes" | "maybe";
}

/** What governs one end: the policies that select it. Interned by `key`. */
export interface Subject {
  /** Whether any policy can be enforced for this end at all. */
  readonly enforced: boolean;
  readonly selections: readonly Selection[];
  /** Whether both directions are closed without any policy. */
  readonly closed: boolean;
  /** Directions whose policies cannot be merged, each with why. */
  readonly conflicts: readonly { readonly direction: Direction; readonly message: string }[];
  readonly key: number;
}

/** A rule with what its constrained peers must match as well (cilium.md R4.7.1). */
export interface Governing {
  readonly rule: Rule;
  readonly policy: Policy;
  readonly requires: readonly Selector[];
}

/** What policies say of one direction in one tier, before any other end is looked at. */
interface TierPlan {
  readonly mode: Tier["mode"];
  readonly rules: readonly Governing[];
  /** Of a `union` tier: what no rule allows is denied. */
  readonly closed: boolean;
}

/** What governs one direction of one end. */
interface Plan {
  /** Of the policies that certainly select the end: tiers that do anything, the last first. */
  readonly tiers: readonly TierPlan[];
  /** Policies that may select it and say anything of the direction. */
  readonly unsure: readonly Selection[];
}

/** A subject with the plans that were made for it. */
interface Planned extends Subject {
  readonly plans: Partial<Record<Direction, Plan>>;
}

/** What decided a set of flows on one side. */
export interface SideDecision {
  readonly direction: Direction;
  /** Default deny lets through in audit mode alone (cilium.md R4.3.9). */
  readonly reason: "rule" | "no-policy" | "always-allowed" | "default-deny";
  readonly origins: readonly Origin[];
  readonly isolatedBy: readonly Policy[];
}

type PodEnd = Extract<Endpoint, { kind: "pod" }>;

/** How many of the policies tell ends apart by what, or need what else. */
interface Traits {
  /** Rules that see addresses of pods or nodes. */
  address: number;
  /** Ports by the names that the destination gives them. */
  portName: number;
  /** Ports by the numbers that names have in the cluster. */
  clusterPort: number;
  /** DNS names as peers. */
  names: number;
}

/** Where rules tell more parts of the outside apart, an address that nobody told is not placed in each of them. */
const MAX_PLACES = 64;

/** More policies than this that only may select an endpoint are no longer tried one by one. */
const MAX_ALTERNATIVES = 5;

export class Sides {
  readonly matching: Matching;
  policies: PolicySet;
  private readonly subjects = new Map<number, Planned>();
  private judged = 0;
  /** Answers by direction, class of the end, and class of the other end. */
  private readonly memo: Readonly<Record<Direction, Map<number, Map<number, Bounded>>>> = {
    ingress: new Map(),
    egress: new Map(),
  };
  private readonly classes = new Map<string, number>();
  /** Classes of pods by identity, where nothing else tells pods apart. */
  private readonly byIdentity: number[] = [];
  /** Classes of ends that policies with the target `endpoint` select, by identity. */
  private readonly classesOf = new Map<number, Set<number>>();
  private readonly traits: Traits = { address: 0, portName: 0, clusterPort: 0, names: 0 };
  private subjectIndex: SubjectIndex | undefined;
  private readonly merging = new WeakMap<Policy, boolean>();
  /** Whether names that pods look up on their own nodes tell pods of different nodes apart. */
  private readonly hasHostServers: boolean;

  constructor(matching: Matching, policies: PolicySet) {
    this.matching = matching;
    this.policies = policies;
    for (const policy of policies.policies) this.count(policy.rules, 1);
    this.count(policies.alwaysAllowed, 1);
    this.hasHostServers = dnsWorkloads(matching.world).some((w) =>
      w.pods.some((p) => isDnsServer(w, p) && podTraits(w, p).hostNetwork),
    );
  }

  private count(rules: readonly Rule[], by: number): void {
    const { traits } = this;
    for (const { peers, traffic } of rules) {
      for (const peer of peers) {
        if (peer.kind === "addresses" && peer.scope !== "outside") traits.address += by;
        if (peer.kind === "names") traits.names += by;
      }
      for (const { match } of traffic) {
        if (match.kind !== "named") continue;
        if (match.resolve === "destination") traits.portName += by;
        else traits.clusterPort += by;
      }
    }
  }

  /** Whether some rule tells pods apart by address, or by the ports that they name. */
  private get byAddress(): boolean {
    return this.traits.address > 0;
  }

  private get byPortName(): boolean {
    return this.traits.portName > 0;
  }

  private get byNode(): boolean {
    return this.traits.names > 0 && this.hasHostServers;
  }

  /** Whether some rule asks which number a port name has in the cluster. */
  get byClusterPort(): boolean {
    return this.traits.clusterPort > 0;
  }

  /** Whether some rule names peers by DNS names. */
  get byName(): boolean {
    return this.traits.names > 0;
  }

  /**
   * Goes on with other policies; only what concerns the ends that they select is forgotten.
   *
   * Takes the new set and what of it differs. Returns whether that could be done: not where policies of nodes differ, or
   * where ends are now told apart by other things; then nothing of this object is of use any more.
   */
  follow(set: PolicySet, { removed, added, isPlaced }: Replacement): boolean {
    const differing = [...removed, ...added];
    if (differing.some(({ subject }) => subject.target === "node")) return false;
    const before = [this.byAddress, this.byPortName, this.byNode, this.byName];
    for (const policy of removed) this.count(policy.rules, -1);
    for (const policy of added) this.count(policy.rules, 1);
    const after = [this.byAddress, this.byPortName, this.byNode, this.byName];
    if (after.some((flag, i) => flag !== before[i])) return false;
    this.policies = set;
    if (isPlaced) this.subjectIndex?.replace(removed, added);
    else this.subjectIndex = undefined;
    for (const { subject } of differing) {
      for (const id of this.matching.index.all(subject.selector).keys()) {
        for (const classId of this.classesOf.get(id) ?? []) {
          this.subjects.delete(classId);
          this.memo.ingress.delete(classId);
          this.memo.egress.delete(classId);
        }
      }
    }
    // What a subject has learned of names hangs on the policies of the servers as well.
    if (this.byName) this.memo.egress.clear();
    return true;
  }

  /** Whether two pods of one workload are seen at once to share a class: their labels are one object, and count alone. */
  areAlike(a: PodEnd, b: PodEnd): boolean {
    if (this.byAddress || this.byPortName || this.byNode) return false;
    return a.pod.labels === b.pod.labels && a.pod.differs === undefined && b.pod.differs === undefined;
  }

  /** A number that two ends share when no rule at hand tells them apart. */
  classOf(endpoint: Endpoint, party: Party, identity: Identity): number {
    const isMore = this.byAddress || this.byPortName || this.byNode;
    if (endpoint.kind !== "pod" || endpoint.dialled !== undefined || isMore)
      return this.classNumber(endpoint, party, identity);
    const known = this.byIdentity[identity.id];
    if (known !== undefined) return known;
    const id = this.classNumber(endpoint, party, identity);
    this.byIdentity[identity.id] = id;
    return id;
  }

  private classNumber(endpoint: Endpoint, party: Party, identity: Identity): number {
    const key = this.classKey(endpoint, party, identity);
    let id = this.classes.get(key);
    if (id === undefined) {
      id = this.classes.size;
      this.classes.set(key, id);
      const alike = this.classesOf.get(identity.id);
      if (alike === undefined) this.classesOf.set(identity.id, new Set([id]));
      else alike.add(id);
    }
    return id;
  }

  private classKey(endpoint: Endpoint, party: Party, identity: Identity): string {
    const key = this.endKey(endpoint, party, identity);
    const dialled = dialledOf(endpoint);
    return dialled === undefined ? key : `${key} by ${dialled.service} ${dialled.addresses.map(formatAddress).join()}`;
  }

  private endKey(endpoint: Endpoint, party: Party, identity: Identity): string {
    switch (endpoint.kind) {
      case "pod": {
        const addresses = this.byAddress ? endpoint.pod.addresses.map((a) => `${a.family}${a.value}`).join() : "";
        const ports = this.byPortName ? portsKey(podTraits(endpoint.workload, endpoint.pod)) : "";
        const node = this.byNode ? (endpoint.pod.node ?? "?") : "";
        return `p${identity.id} ${addresses} ${ports} ${node}`;
      }
      case "node":
        return `n${identity.id} ${this.matching.subjectIdentity(party).id} ${this.byAddress ? endpoint.addresses.map((a) => `${a.family}${a.value}`).join() : ""}`;
      case "outside":
        return `o${endpoint.range.family} ${endpoint.range.first} ${endpoint.range.last}${endpoint.anonymous === true ? " anonymous" : ""}`;
      case "name":
        return `d${endpoint.family} ${endpoint.dnsName} ${endpoint.address?.value ?? ""}`;
      case "reserved":
        return `r${identity.id}`;
    }
  }

  /** The policies that govern an end. */
  subject(view: View): Subject {
    return this.planned(view);
  }

  private planned(view: View): Planned {
    const target = subjectTarget(view.endpoint);
    if (target === undefined || this.policies.enforcement === "never") return UNENFORCED;
    if (target === "node" && !this.policies.hostFirewall) return UNENFORCED;
    const known = this.subjects.get(view.classId);
    if (known !== undefined) return known;
    const subject = this.select(target, this.matching.subjectIdentity(view.party), ++this.judged);
    this.subjects.set(view.classId, subject);
    return subject;
  }

  private merges(policy: Policy): boolean {
    let merges = this.merging.get(policy);
    if (merges === undefined) {
      merges = policy.rules.some(
        (r) => r.authentication !== undefined || r.traffic.some((t) => t.application !== undefined),
      );
      this.merging.set(policy, merges);
    }
    return merges;
  }

  /** The policies whose subject is the identity, in their order. */
  private selectionsOf(target: "endpoint" | "node", identity: Identity): readonly Selection[] {
    this.subjectIndex ??= new SubjectIndex(this.policies.policies);
    const out: Selection[] = [];
    for (const policy of this.subjectIndex.candidates(identity.labels)) {
      if (policy.subject.target !== target) continue;
      const selects = this.matching.selects(policy.subject.selector, identity);
      if (selects !== "no") out.push({ policy, selects });
    }
    return out;
  }

  private select(target: "endpoint" | "node", identity: Identity, key: number): Planned {
    const selections = this.selectionsOf(target, identity);
    const closed =
      this.policies.enforcement === "always" ||
      this.policies.alwaysClosed.some((selector) => this.matching.selects(selector, identity) === "yes");
    const policies = selections.map((s) => s.policy);
    // Rules without anything to merge never conflict, and most policies have none.
    const conflicts = policies.some((p) => this.merges(p)) ? (this.matching.dialect.conflicts?.(policies) ?? []) : [];
    return { enforced: true, selections, closed, conflicts, key, plans: {} };
  }

  /** What passes on this side. `destination` is the end that is connected to: `self` for ingress, `other` for egress. */
  evaluate(direction: Direction, self: View, other: View): Bounded {
    const subject = this.planned(self);
    if (!subject.enforced) return ALL_BOUNDED;
    let answers = this.memo[direction].get(self.classId);
    if (answers === undefined) {
      answers = new Map();
      this.memo[direction].set(self.classId, answers);
    }
    const known = answers.get(other.classId);
    if (known !== undefined) return known;
    const result = this.judge(direction, subject, self, other);
    // A reason names the endpoint that it is about, so only answers without one are shared.
    if (result.because.length === 0) answers.set(other.classId, result);
    return result;
  }

  private judge(direction: Direction, subject: Planned, self: View, other: View): Bounded {
    // What cannot be merged in one direction keeps the whole new policy from being applied (cilium.md R4.3.10).
    const [conflict] = subject.conflicts;
    if (conflict !== undefined && (subject.closed || subject.selections.some((s) => touches(s.policy, direction)))) {
      return { must: NO_FLOWS, may: ALL_FLOWS, because: [{ code: "merge-conflict", detail: conflict.message }] };
    }
    const { tiers, unsure } = this.planOf(direction, subject);
    if (unsure.length === 0) return this.enforceAnywhere(direction, tiers, self, other);
    const because: Because[] = unsure.map((s) => ({
      code: "unknown-label",
      detail: `${s.policy.kind}/${s.policy.name} may select ${self.endpoint.name}`,
    }));
    if (unsure.length > MAX_ALTERNATIVES) return { must: NO_FLOWS, may: ALL_FLOWS, because };
    const sure = certain(subject.selections);
    let result: Bounded | undefined;
    for (let mask = 0; mask < 1 << unsure.length; mask++) {
      const chosen = unsure.filter((_, i) => (mask & (1 << i)) !== 0).map((s) => s.policy);
      const tierPlans = this.tierPlans(direction, subject, [...sure, ...chosen]);
      const one = this.enforceAnywhere(direction, tierPlans, self, other);
      result = result === undefined ? one : eitherOf(result, one, because);
    }
    return result ?? ALL_BOUNDED;
  }

  private planOf(direction: Direction, subject: Planned): Plan {
    return (subject.plans[direction] ??= this.plan(direction, subject));
  }

  private plan(direction: Direction, subject: Subject): Plan {
    const unsure = subject.selections.filter((s) => s.selects === "maybe" && touches(s.policy, direction));
    return { tiers: this.tierPlans(direction, subject, certain(subject.selections)), unsure };
  }

  private tierPlans(direction: Direction, subject: Subject, policies: readonly Policy[]): readonly TierPlan[] {
    const plans: TierPlan[] = [];
    for (const { name, mode } of this.policies.tiers) {
      const rules = governing(direction, policies, name);
      const isolation = policies.flatMap((p) => (p.tier === name ? [p.isolation[direction]] : []));
      const closed = subject.closed || isolation.includes("closed");
      if (mode === "ordered" ? rules.length > 0 : closed || isolation.includes("open"))
        plans.unshift({ mode, rules, closed });
    }
    return plans;
  }

  /** Every rule of the direction of all policies that may select the end. */
  governing(direction: Direction, self: View): readonly Governing[] {
    const policies = this.subject(self).selections.map(({ policy }) => policy);
    return this.policies.tiers.flatMap(({ name }) => governing(direction, policies, name));
  }

  /** Every rule of the direction, with how far it applies to the other end; rules that cannot apply are left out. */
  matches(
    direction: Direction,
    policies: readonly Policy[],
    self: View,
    other: View,
    tier: string,
  ): { readonly matches: readonly RuleMatch[]; readonly byPolicy: ReadonlyMap<Policy, readonly RuleMatch[]> } {
    const matches = this.applying(governing(direction, policies, tier), direction, self, other);
    const byPolicy = new Map<Policy, RuleMatch[]>();
    for (const policy of policies) if (policy.tier === tier) byPolicy.set(policy, []);
    for (const match of matches) if (match.policy !== undefined) byPolicy.get(match.policy)?.push(match);
    return { matches, byPolicy };
  }

  private applying(rules: readonly Governing[], direction: Direction, self: View, other: View): readonly RuleMatch[] {
    let found: RuleMatch[] | undefined;
    for (const { rule, policy, requires } of rules) {
      const peer = this.peers(rule, other, self, requires);
      if (peer.may === 0) continue;
      const destination = direction === "ingress" ? self.endpoint : other.endpoint;
      found ??= [];
      found.push({ rule, policy, requires, peer, ...this.coverage(rule, destination) });
    }
    return found ?? NO_MATCHES;
  }

  /** Whether any peer of the rule is the other end. */
  peers(rule: Rule, other: View, self: View, requires: readonly Selector[]): FamilyMatch {
    const [only] = rule.peers;
    if (only !== undefined && rule.peers.length === 1) return this.matching.peer(only, other, self, requires);
    let yes = 0;
    let may = 0;
    let because: readonly Because[] = [];
    for (const peer of rule.peers) {
      const match = this.matching.peer(peer, other, self, requires);
      yes |= match.yes;
      may |= match.may;
      if (match.because.length > 0) because = mergeBecause(because, match.because);
      if (yes === 3) break;
    }
    return { yes: mask(yes), may: mask(may), because: yes === may ? [] : because };
  }

  /** The other end, once for each part of the outside that the rules tell apart where nobody told its address. */
  placesOf(direction: Direction, self: View, other: View): readonly View[] {
    return places(this.planOf(direction, this.planned(self)).tiers, other);
  }

  /** Enforces the policies wherever the other end may be. */
  private enforceAnywhere(direction: Direction, tiers: readonly TierPlan[], self: View, other: View): Bounded {
    if (other.endpoint.kind !== "name") return this.enforce(direction, tiers, self, other);
    const unclear: readonly Because[] = [{ code: "unknown-address", detail: other.endpoint.name }];
    return places(tiers, other)
      .map((place) => this.enforce(direction, tiers, self, place))
      .reduce((a, b) => eitherOf(a, b, unclear));
  }

  private enforce(direction: Direction, tiers: readonly TierPlan[], self: View, other: View): Bounded {
    // From the last tier to the first: `passes` is what passes of the flows that no earlier tier decides.
    let passes: Bounded = ALL_BOUNDED;
    for (const { mode, rules, closed } of tiers) {
      const matches = this.applying(rules, direction, self, other);
      if (mode === "ordered") {
        if (matches.length > 0) passes = orderedTier(matches, passes);
        continue;
      }
      const judged = closed ? this.boundByNames(matches, self, other) : matches;
      const always = this.always(direction, self, other);
      const all = always.length === 0 ? judged : [...judged, ...always];
      passes = all.length === 0 && closed ? NO_BOUNDED : unionTier(all, closed, this.policies.openApplication);
      if (this.policies.audit) {
        const audited = flowSubtract(ALL_FLOWS, overrideApplication(passes.must, passes.must, EVERYTHING));
        passes = boundedUnion(passes, { must: audited, may: audited, because: [] });
      }
    }
    return passes;
  }

  /** What decided that `flows` pass: every rule that allows some of them, else why no rule was needed. */
  deciders(direction: Direction, self: View, other: View, flows: FlowSet): SideDecision {
    const subject = this.subject(self);
    const policies = subject.selections.map((s) => s.policy);
    const meets = (m: RuleMatch): boolean => !flowsEmpty(flowIntersect(m.flows, flows));
    for (const tier of this.policies.tiers) {
      const { matches } = this.matches(direction, policies, self, other, tier.name);
      const allows = matches.filter((m) => m.rule.action === "allow" && meets(m));
      const isolatedBy = policies.filter((p) => p.tier === tier.name && p.isolation[direction] === "closed");
      const denies = this.policies.audit ? matches.filter((m) => m.rule.action === "deny" && meets(m)) : [];
      const named = denies.length > 0 ? denies : allows;
      if (named.length > 0) return { direction, reason: "rule", origins: named.map((m) => m.rule.origin), isolatedBy };
      if (tier.mode !== "union") continue;
      const closed = isolatedBy.length > 0 || subject.closed;
      const enforced = closed || policies.some((p) => p.tier === tier.name && p.isolation[direction] === "open");
      const always = enforced ? this.always(direction, self, other).filter(meets) : [];
      if (always.length > 0)
        return { direction, reason: "always-allowed", origins: always.map((m) => m.rule.origin), isolatedBy };
      if (closed) return { direction, reason: "default-deny", origins: [], isolatedBy };
    }
    return { direction, reason: "no-policy", origins: [], isolatedBy: [] };
  }

  /**
   * The matches with the plain allows of ports that stand beside a list of server names of the same selector in the same
   * filter bound by that list (cilium.md R5.9). Those of other selectors and filters stay, and lift it.
   */
  boundByNames(matches: readonly RuleMatch[], self: View, other: View): readonly RuleMatch[] {
    if (!matches.some(({ rule }) => rule.traffic.some(isNameList))) return matches;
    const lists = matches.flatMap(({ rule }) =>
      rule.traffic.filter(isNameList).map((item) => ({ peers: new Set(rule.peers.map(peerKey)), item })),
    );
    return matches.flatMap((match): readonly RuleMatch[] => {
      const { rule } = match;
      const bindsOf = (item: Traffic): typeof lists =>
        rule.action === "allow" && item.application === undefined
          ? lists.filter((list) => sameFilter(list.item.match, item.match))
          : [];
      if (rule.traffic.every((item) => bindsOf(item).length === 0)) return [match];
      return rule.peers.map((peer): RuleMatch => {
        const traffic = rule.traffic.flatMap((item): readonly Traffic[] => {
          const binds = bindsOf(item).filter((list) => list.peers.has(peerKey(peer)));
          return binds.length === 0 ? [item] : binds.map((list) => list.item);
        });
        const one: Rule = { ...rule, peers: [peer], traffic };
        const { yes, may, because } = this.peers(one, other, self, match.requires);
        const own: FamilyMatch = { yes: mask(yes & match.peer.yes), may: mask(may & match.peer.may), because };
        const destination = rule.direction === "ingress" ? self.endpoint : other.endpoint;
        return { ...match, rule: one, peer: own, ...this.coverage(one, destination) };
      });
    });
  }

  private coverage(rule: Rule, destination: Endpoint): Pick<RuleMatch, "flows" | "sure"> {
    const flows = this.matching.flows(rule, destination);
    return { flows, sure: this.matching.sureFlows(rule, destination, flows) };
  }

  /** The rules that hold without being written, where they apply to the other end. */
  always(direction: Direction, self: View, other: View): RuleMatch[] {
    const destination = direction === "ingress" ? self.endpoint : other.endpoint;
    const out: RuleMatch[] = [];
    for (const rule of this.policies.alwaysAllowed) {
      if (rule.direction !== direction) continue;
      const peer = this.peers(rule, other, self, []);
      if (peer.may !== 0)
        out.push({ rule, policy: undefined, requires: NO_SELECTORS, peer, ...this.coverage(rule, destination) });
    }
    return out;
  }
}

/**
 * An end of which nobody told the address, once for each part of the outside that the rules tell apart: an address that
 * one rule selects is the same for all of them.
 */
function places(tiers: readonly TierPlan[], other: View): readonly View[] {
  const { endpoint } = other;
  if (endpoint.kind !== "name" || endpoint.address !== undefined) return [other];
  const sets = tiers
    .flatMap(({ rules }) => rules.flatMap(({ rule }) => rule.peers))
    .flatMap((peer) => (peer.kind === "addresses" ? [peer.addresses] : []));
  let parts: readonly AddressSet[] = [ALL_ADDRESSES.filter(({ family }) => family === endpoint.family)];
  for (const set of sets) {
    parts = parts
      .flatMap((part) => [addressIntersect(part, set), addressSubtract(part, set)])
      .filter((part) => part.length > 0);
    if (parts.length > MAX_PLACES) return [other];
  }
  return parts.length === 1 ? [other] : parts.map((within) => ({ ...other, endpoint: { ...endpoint, within } }));
}

const UNENFORCED: Planned = { enforced: false, selections: [], closed: false, conflicts: [], key: 0, plans: {} };

function mask(bits: number): 0 | 1 | 2 | 3 {
  return bits === 0 ? 0 : bits === 1 ? 1 : bits === 2 ? 2 : 3;
}

/** Which kind of policy subject an end is; undefined where no policy can select it. */
function subjectTarget(endpoint: Endpoint): "endpoint" | "node" | undefined {
  switch (endpoint.kind) {
    case "pod":
      return "endpoint";
    case "node":
      return "node";
    case "reserved":
      // Cilium endpoints of their own (cilium.md R2.3.5); the others have no endpoint.
      return endpoint.reserved === "health" || endpoint.reserved === "init" || endpoint.reserved === "ingress"
        ? "endpoint"
        : undefined;
    default:
      return undefined;
  }
}

/** Whether the policy says anything about the direction. */
function touches(policy: Policy, direction: Direction): boolean {
  return policy.isolation[direction] !== "untouched" || policy.rules.some((r) => r.direction === direction);
}

/** The policies that certainly select the end. */
function certain(selections: readonly Selection[]): readonly Policy[] {
  return selections.flatMap(({ policy, selects }) => (selects === "yes" ? [policy] : []));
}

const NO_MATCHES: readonly RuleMatch[] = [];
const NO_SELECTORS: readonly Selector[] = [];

/** Whether the item is judged by a list of server names. */
function isNameList({ application }: Traffic): boolean {
  return application?.some((one) => one.kind === "tls") === true;
}

/** The rules of the direction in a tier. What one policy requires concerns the peers of all. */
function governing(direction: Direction, policies: readonly Policy[], tier: string): readonly Governing[] {
  const requires = collectRequires(policies);
  const out: Governing[] = [];
  for (const policy of policies) {
    if (policy.tier !== tier) continue;
    for (const rule of policy.rules)
      if (rule.direction === direction)
        out.push({ rule, policy, requires: requires[rule.origin.section] ?? NO_SELECTORS });
  }
  return out;
}

function collectRequires(policies: readonly Policy[]): Partial<Record<Section, readonly Selector[]>> {
  const out: Partial<Record<Section, Selector[]>> = {};
  for (const policy of policies) {
    if (policy.requires === undefined) continue;
    for (const section of SECTIONS) {
      const selectors = policy.requires[section];
      if (selectors !== undefined) out[section] = [...(out[section] ?? []), ...selectors];
    }
  }
  return out;
}

const SECTIONS: readonly Section[] = ["ingress", "egress", "ingressDeny", "egressDeny"];

/** The flows of a match as bounds, as far as no authentication is asked for. */
function matchBounds(match: RuleMatch): Bounded {
  const may = restrictFamilies(match.flows, FAMILY_LISTS[match.peer.may]);
  if (may === NO_FLOWS) return NO_BOUNDED;
  const must = restrictFamilies(match.sure, FAMILY_LISTS[match.peer.yes]);
  if (must === may) return { must, may, because: [] };
  const unclear = match.sure === match.flows ? [] : [unclearName(match.rule)];
  return { must, may, because: mergeBecause(match.peer.because, unclear) };
}

const NAMED_TWICE: Because = { code: "release-unclear", detail: "a port name with several numbers in one pod" };
const NAMED_BY_INIT: Because = { code: "undefined-by-specification", detail: "a port name of an init container" };

/** Why it is not told which ports the rule's names mean. */
function unclearName(rule: Rule): Because {
  const isSingle = rule.traffic.some(({ match }) => match.kind === "named" && match.single === true);
  return isSingle ? NAMED_TWICE : NAMED_BY_INIT;
}

/** The ports of a pod as far as rules tell pods apart by them. */
function portsKey({ ports, initPorts }: PodDifference): string {
  const text = (port: ContainerPort): string =>
    `${port.name ?? ""}${port.protocol}${port.port}${port.sidecar === true ? "?" : ""}`;
  return `${ports.map(text).join()};${initPorts.map(text).join()}`;
}

/**
 * What passes of the flows that reach an ordered tier; `rest` is what passes of those that it leaves to the tiers behind
 * it (kubernetes.md CNP-18). Where an order is not defined, every order is followed to the end, for they may agree.
 */
function orderedTier(matches: readonly RuleMatch[], rest: Bounded): Bounded {
  const byPolicy = new Map<Policy, RuleMatch[]>();
  for (const match of matches) if (match.policy !== undefined) entryOf(byPolicy, match.policy, () => []).push(match);
  const bySequence = new Map<string, Policy[]>();
  for (const policy of byPolicy.keys()) {
    const sequence = policy.sequence ?? "";
    bySequence.set(sequence, [...(bySequence.get(sequence) ?? []), policy]);
  }
  const sequences = [...bySequence.values()].map(byOrder);
  // Between sequences no order is defined (CNP-35): whichever comes first may win.
  const orders = rotations(sequences).map((order) => orderedGroups(order.flat(), byPolicy, rest));
  return anyOf(orders, [{ code: "undefined-by-specification", detail: "policies of two API versions in one tier" }]);
}

/** Policies of equal order together, the lowest first. */
function byOrder(policies: readonly Policy[]): readonly (readonly Policy[])[] {
  const orders = [...new Set(policies.map((policy) => policy.order))].sort((a, b) => a - b);
  return orders.map((order) => policies.filter((policy) => policy.order === order));
}

/** What passes of the flows that reach the first of these groups of policies. */
function orderedGroups(
  groups: readonly (readonly Policy[])[],
  byPolicy: ReadonlyMap<Policy, readonly RuleMatch[]>,
  rest: Bounded,
): Bounded {
  return groups.reduceRight<Bounded>((behind, group) => {
    // Equal priority: whichever policy comes first may win (CNP-20).
    const orders = rotations(group).map((order) =>
      orderedRules(
        order.flatMap((policy) => byPolicy.get(policy) ?? []),
        behind,
        rest,
      ),
    );
    return anyOf(orders, [{ code: "equal-priority", detail: group.map((p) => p.name).join(", ") }]);
  }, rest);
}

/** The first rule that matches decides; `behind` holds where none does, `rest` where it passes the tier on. */
function orderedRules(matches: readonly RuleMatch[], behind: Bounded, rest: Bounded): Bounded {
  return matches.reduceRight<Bounded>((otherwise, match) => {
    const { action } = match.rule;
    const outcome = action === "allow" ? ALL_BOUNDED : action === "deny" ? NO_BOUNDED : rest;
    return whereHolds(matchBounds(match), outcome, otherwise);
  }, behind);
}

/** Every order in which one of them comes first and the others follow as they are. */
function rotations<T>(items: readonly T[]): readonly (readonly T[])[] {
  return items.map((_, first) => [...items.slice(first), ...items.slice(0, first)]);
}

function anyOf(alternatives: readonly Bounded[], because: readonly Because[]): Bounded {
  const [first = NO_BOUNDED, ...others] = alternatives;
  return others.reduce((a, b) => eitherOf(a, b, because), first);
}

/** Denies win over allows; what is left is denied where the direction is closed (cilium.md R4.1.2–R4.1.4). */
function unionTier(
  matches: readonly RuleMatch[],
  closed: boolean,
  openApplication: PolicySet["openApplication"],
): Bounded {
  let allows: Bounded = closed ? NO_BOUNDED : ALL_BOUNDED;
  let denies: Bounded = NO_BOUNDED;
  for (const match of matches) {
    const bounds = matchBounds(match);
    if (match.rule.action === "deny") denies = boundedUnion(denies, bounds);
    else if (closed) allows = boundedUnion(allows, bounds);
  }
  allows = authenticate(matches, allows);
  if (closed) allows = nameFilters(matches, allows);
  else if (openApplication !== undefined) allows = openDirection(matches, allows, openApplication);
  return boundedSubtract(allows, denies);
}

/** What application rules do where the direction is not closed: that differs by release (cilium.md R4.3.7). */
function openDirection(
  matches: readonly RuleMatch[],
  allows: Bounded,
  how: NonNullable<PolicySet["openApplication"]>,
): Bounded {
  const out = how.dns === "enforced" ? nameFilters(matches, allows) : allows;
  if (how.http === "lifted") return out;
  let listed: Bounded = NO_BOUNDED;
  let where: FlowSet = NO_FLOWS;
  for (const match of matches) {
    if (match.rule.action !== "allow") continue;
    const bounds = matchBounds(match);
    listed = boundedUnion(listed, bounds);
    for (const { match: port, application } of match.rule.traffic) {
      if (application?.some((a) => a.kind === "http") !== true) continue;
      const ports = port.kind === "ports" ? portFlows(port.protocol, port.first, port.last) : bounds.may;
      where = flowUnion(where, overrideApplication(flowIntersect(bounds.may, ports), ports, EVERYTHING));
    }
  }
  if (where === NO_FLOWS) return out;
  const judged = flowUnion(flowSubtract(out.must, where), flowIntersect(listed.must, where));
  const because: Because[] = [{ code: "release-unclear", detail: "HTTP rules without default deny in Cilium 1.17" }];
  if (how.http === "enforced") return settleFilters(judged, judged, []);
  return settleFilters(judged, out.may, mergeBecause(out.because, because));
}

/**
 * DNS names are judged by the filter of exactly their port: an allow of another filter does not lift its list, and a
 * plain one of the same filter makes it match everything (cilium.md R7.2.2, R7.2.3).
 */
function nameFilters(matches: readonly RuleMatch[], allows: Bounded): Bounded {
  let { must, may, because } = allows;
  const done = new Set<string>();
  for (const match of matches) {
    for (const item of match.rule.traffic) {
      const isList = item.application?.some((a) => a.kind === "dns") === true;
      if (!isList || item.match.kind !== "ports" || match.rule.action !== "allow") continue;
      const { protocol, first, last } = item.match;
      const key = `${protocol} ${first} ${last}`;
      if (done.has(key)) continue;
      done.add(key);
      const where = portFlows(protocol, first, last);
      const filter = (sure: boolean): Application => {
        let application: Application = NOTHING;
        for (const { rule, peer } of matches) {
          if (rule.action !== "allow" || (sure ? peer.yes : peer.may) === 0) continue;
          for (const one of rule.traffic) {
            if (!sameFilter(one.match, item.match)) continue;
            const part = namesOf(one.application);
            if (part !== undefined) application = applicationUnion(application, part);
          }
        }
        return application;
      };
      must = overrideApplication(must, where, filter(true));
      if (match.peer.yes !== 0) may = overrideApplication(may, where, filter(false));
      because = mergeBecause(because, match.peer.because);
    }
  }
  return must === allows.must && may === allows.may ? allows : settleFilters(must, may, because);
}

/** What an entry of a DNS filter contributes to its list; undefined for nothing. */
function namesOf(rules: readonly ApplicationRule[] | undefined): Application | undefined {
  if (rules === undefined) return EVERYTHING;
  return rules.some((one) => one.kind === "dns") ? applicationOf(rules) : undefined;
}

function settleFilters(must: FlowSet, may: FlowSet, because: readonly Because[]): Bounded {
  return flowsEqual(must, may) ? { must, may, because: [] } : { must, may, because };
}

export function rulePeersKey(rule: Rule): string {
  return rule.peers.map(peerKey).sort().join("; ");
}

function peerKey(peer: Peer): string {
  if (peer.kind === "labels") return selectorKey(peer.selector);
  return JSON.stringify(peer, (_, v) => (typeof v === "bigint" ? v.toString() : v));
}

/** Whether two items stand in one filter: the same ports, or the same name, of one protocol (cilium.md 4.5). */
export function sameFilter(a: PortMatch, b: PortMatch): boolean {
  if (a.kind === "named") return b.kind === "named" && a.name === b.name && a.protocol === b.protocol;
  return (
    a.kind === "ports" && b.kind === "ports" && a.protocol === b.protocol && a.first === b.first && a.last === b.last
  );
}

export function covers(a: PortMatch, b: PortMatch): boolean {
  if (a.kind === "any") return true;
  return (
    a.kind === "ports" && b.kind === "ports" && a.protocol === b.protocol && a.first <= b.first && a.last >= b.last
  );
}
