/** Which endpoints a peer or subject selects, and which flows a rule covers: the primitives under every answer. */

import { type Because, mergeBecause } from "../base/because.ts";
import { type Ternary, ternaryAnd, ternaryNot, ternaryOf, ternaryOr } from "../base/ternary.ts";
import { either, NO, type Told, YES } from "../base/told.ts";
import {
  type IdentityLabels,
  type Labels,
  labelsKey,
  type LabelValue,
  labelValueText,
  UNKNOWN,
} from "../model/labels.ts";
import { podTraits } from "../model/pods.ts";
import type { ContainerPort, PodDifference, PodInstance, World } from "../model/world.ts";
import {
  type Address,
  type AddressRange,
  type AddressSet,
  addressIntersect,
  addressSetCovers,
  addressSetHas,
  addressSubtract,
  type Family,
} from "../net/address.ts";
import { type Application, applicationOf, EVERYTHING } from "../net/application.ts";
import { type FlowSet, flowUnion, NO_FLOWS, portFlows, ALL_FLOWS, applicationFlows } from "../net/flow-set.ts";
import { patternMatches } from "../net/path-language.ts";
import { PORT_PROTOCOLS, portDomain } from "../net/protocol.ts";
import type { Dialect, Party } from "../policy/dialect.ts";
import type { Origin, Peer, PortMatch, Rule, Selector } from "../policy/rule.ts";
import { isOpen } from "../policy/selector.ts";
import { dialledOf, type Endpoint } from "./endpoint.ts";
import { type Identity, IdentityIndex } from "./identity-index.ts";

export type { Identity } from "./identity-index.ts";

/** In which families a match holds, and in which it may hold (which includes those in which it does). */
export interface FamilyMatch {
  readonly yes: FamilyMask;
  readonly may: FamilyMask;
  readonly because: readonly Because[];
}

/** Bit 0: IPv4; bit 1: IPv6. */
export type FamilyMask = 0 | 1 | 2 | 3;

const NEVER: FamilyMatch = { yes: 0, may: 0, because: [] };
const BOTH: FamilyMatch = { yes: 3, may: 3, because: [] };

export const FAMILY_LISTS: Readonly<Record<FamilyMask, readonly Family[]>> = {
  0: [],
  1: ["IPv4"],
  2: ["IPv6"],
  3: ["IPv4", "IPv6"],
};

function maskOr(a: FamilyMask, b: FamilyMask): FamilyMask {
  return MASKS[a | b] ?? 3;
}

const MASKS: readonly FamilyMask[] = [0, 1, 2, 3];

const NO_NUMBERS: ReadonlySet<number> = new Set();

/** Whether no other port of the list has its name and protocol, and another number. */
function isOnly(port: ContainerPort, all: readonly ContainerPort[]): boolean {
  return all.every((other) => other.name !== port.name || other.protocol !== port.protocol || other.port === port.port);
}

function notResolved(detail: string): Because {
  return { code: "name-not-resolved", detail };
}

/** Lower case, with trailing dot. */
function canonical(name: string): string {
  return `${name.toLowerCase().replace(/[.]$/, "")}.`;
}

function fromTernary(answer: Ternary, because: Because): FamilyMatch {
  return fromTold({ answer, because: [because] });
}

function fromTold({ answer, because }: Told): FamilyMatch {
  if (answer === "yes") return BOTH;
  return answer === "no" ? NEVER : { yes: 0, may: 3, because };
}

/** What one end is, seen from the other: its party, its identity, and the endpoint itself for address rules. */
export interface View {
  readonly endpoint: Endpoint;
  readonly party: Party;
  readonly identity: Identity;
  /** Equal for ends that no rule at hand tells apart. */
  readonly classId: number;
}

/** What a name has been learned to resolve to, for toFQDNs. */
export interface NameKnowledge {
  /** Declared resolutions: lower-case name with trailing dot → addresses. Absent: none are declared. */
  readonly declared: ReadonlyMap<string, readonly Address[]> | undefined;
}

export class Matching {
  world: World;
  readonly dialect: Dialect;
  private readonly identities = new Map<string, Identity>();
  private readonly partyIdentities = new Map<string, Identity>();
  readonly index = new IdentityIndex();
  /** Identities of pods, by namespace. */
  private readonly podIdentities = new Map<string, PodIdentities>();
  private readonly ruleFlows = new WeakMap<Rule, FlowSet | "named">();
  private clusterPorts: Readonly<Record<"certain" | "doubtful", ReadonlyMap<string, ReadonlySet<number>>>> | undefined;
  private readonly names: NameKnowledge;
  /** Whether a subject's look-up of a name passes a DNS rule, so that its addresses are learned (cilium.md R7.3.1). */
  learns: (subject: View, dnsName: string) => Told = () => YES;
  /** Whether any look-up of the subject passes a DNS rule. */
  observes: (subject: View) => boolean = () => true;
  /** The rules that observe look-ups of the subject. */
  lookUps: (subject: View) => readonly Origin[] = () => [];

  constructor(dialect: Dialect, world: World, names: NameKnowledge) {
    this.dialect = dialect;
    this.world = world;
    this.names = names;
  }

  /** Goes on in a world that differs in pods, and in the labels of these namespaces. */
  follow(world: World, namespaces: readonly string[]): void {
    this.world = world;
    this.clusterPorts = undefined;
    for (const namespace of namespaces) this.podIdentities.delete(namespace);
  }

  /** Interns the identity of every pod with a network of its own, so that policies are matched against all at once. */
  internPods(): void {
    for (const workload of this.world.workloads) {
      let before: PodInstance | undefined;
      for (const pod of workload.pods) {
        const isLike = pod.labels === before?.labels && pod.differs === before?.differs;
        before = pod;
        if (isLike) continue;
        if (!podTraits(workload, pod).hostNetwork) this.identity({ kind: "pod", workload, pod });
      }
    }
  }

  /** The identity of a party, interned by its labels. */
  identity(party: Party): Identity {
    if (party.kind === "pod") return this.podIdentity(party);
    const key =
      party.kind === "node"
        ? `node ${party.node?.name ?? ""} ${party.local}`
        : party.kind === "outside"
          ? `outside ${party.family}`
          : `reserved ${party.name}`;
    const known = this.partyIdentities.get(key);
    if (known !== undefined) return known;
    const identity = this.intern(party);
    this.partyIdentities.set(key, identity);
    return identity;
  }

  /** It follows from namespace, account and labels alone; pods of one template share the map of their labels. */
  private podIdentity(party: Extract<Party, { kind: "pod" }>): Identity {
    const { workload, pod } = party;
    const { serviceAccount } = podTraits(workload, pod);
    let known = this.podIdentities.get(workload.namespace);
    if (known === undefined) {
      known = { byLabels: new WeakMap(), byText: new Map() };
      this.podIdentities.set(workload.namespace, known);
    }
    const last = known.byLabels.get(pod.labels);
    if (last?.serviceAccount === serviceAccount) return last.identity;
    const text = templateText(serviceAccount, pod.labels);
    let identity = known.byText.get(text);
    if (identity === undefined) {
      identity = this.intern(party);
      known.byText.set(text, identity);
    }
    known.byLabels.set(pod.labels, { serviceAccount, identity });
    return identity;
  }

  /** The labels that policies select a party by as their subject; they differ from its identity for nodes alone. */
  subjectIdentity(party: Party): Identity {
    if (this.dialect.subjectLabels === undefined || party.kind === "pod") return this.identity(party);
    return this.internLabels(this.dialect.subjectLabels(party, this.world));
  }

  private intern(party: Party): Identity {
    return this.internLabels(this.dialect.identify(party, this.world));
  }

  private internLabels(labels: IdentityLabels): Identity {
    const key = labelsKey(labels);
    let identity = this.identities.get(key);
    if (identity === undefined) {
      identity = { id: this.index.size, labels, key };
      this.identities.set(key, identity);
      this.index.add(identity);
    }
    return identity;
  }

  selects(selector: Selector, identity: Identity): Ternary {
    return this.index.selects(selector, identity);
  }

  /** Whether a peer of a rule is `other`. `requires` narrows constrained peers (cilium.md R4.7.1). */
  peer(peer: Peer, other: View, subject: View, requires: readonly Selector[]): FamilyMatch {
    switch (peer.kind) {
      case "any":
        return BOTH;
      case "labels": {
        const selects = this.selects(peer.selector, other.identity);
        if (selects === "no") return NEVER;
        if (selects === "yes" && peer.constrained !== true && peer.same === undefined && peer.notSame === undefined)
          return BOTH;
        const because: Because = { code: "unknown-label", detail: other.endpoint.name };
        let result = fromTernary(selects, because);
        if (peer.constrained === true) {
          for (const selector of requires)
            result = both(result, fromTernary(this.selects(selector, other.identity), because));
        }
        for (const [keys, compare] of [
          [peer.same, sameLabels],
          [peer.notSame, differentLabels],
        ] as const) {
          if (result.may === 0 || keys === undefined) continue;
          const isOther = keys.some((key) => typeof labelOf(key, other) !== "string");
          const untold: Because = isOther ? because : { code: "unknown-label", detail: subject.endpoint.name };
          result = both(result, fromTernary(compare(keys, other, subject), untold));
        }
        return result;
      }
      case "addresses":
        return this.dialled(peer, other) ?? this.addresses(peer.addresses, peer.scope, other);
      case "names":
        return this.namesPeer(peer, other, subject);
      case "unknown":
        return peer.scope === "any" || other.endpoint.kind === "outside" || other.endpoint.kind === "name"
          ? { yes: 0, may: 3, because: [peer.because] }
          : NEVER;
    }
  }

  /** A block that sees the address of the Service instead of the backend's (kubernetes.md K8-26). */
  private dialled(peer: Extract<Peer, { kind: "addresses" }>, { endpoint }: View): FamilyMatch | undefined {
    const dialled = peer.untranslated === undefined ? undefined : dialledOf(endpoint);
    if (dialled === undefined) return undefined;
    return this.unknownAddresses(peer.addresses, [], dialled.service, ["IPv4", "IPv6"], dialled.addresses);
  }

  private addresses(set: AddressSet, scope: "outside" | "nodes" | "any", other: View): FamilyMatch {
    const endpoint = other.endpoint;
    switch (endpoint.kind) {
      case "outside": {
        const bit: FamilyMask = endpoint.range.family === "IPv4" ? 1 : 2;
        const covers = addressSetCovers(set, endpoint.range);
        if (covers === "none") return NEVER;
        if (covers === "all") return { yes: bit, may: bit, because: [] };
        if (endpoint.anonymous === true) return NEVER;
        return { yes: 0, may: bit, because: [{ code: "unknown-address", detail: endpoint.name }] };
      }
      case "name":
        return this.unknownAddresses(
          set,
          endpoint.within ?? [],
          endpoint.name,
          [endpoint.family],
          endpoint.address === undefined ? undefined : [endpoint.address],
        );
      case "pod":
        if (scope !== "any") return NEVER;
        return this.unknownAddresses(
          set,
          this.world.addressPlan.pods,
          endpoint.name,
          ["IPv4", "IPv6"],
          endpoint.pod.addresses.length === 0 ? undefined : endpoint.pod.addresses,
        );
      case "node":
        if (scope === "outside") return NEVER;
        return this.onlyMaybe(
          this.unknownAddresses(
            set,
            this.world.addressPlan.nodes,
            endpoint.name,
            ["IPv4", "IPv6"],
            endpoint.addresses.length === 0 ? undefined : endpoint.addresses,
          ),
          // Which prefixes the local host carries is not told (cilium.md U18).
          scope === "nodes" && other.party.kind === "node" && other.party.local,
        );
      case "reserved":
        // Addresses of pods without an endpoint are matched like those outside (cilium.md R3.2.5).
        return endpoint.reserved === "unmanaged"
          ? this.unknownAddresses(set, this.world.addressPlan.pods, endpoint.name, ["IPv4", "IPv6"], undefined)
          : NEVER;
    }
  }

  private onlyMaybe(match: FamilyMatch, unclear: boolean): FamilyMatch {
    if (!unclear || match.yes === 0) return match;
    return { yes: 0, may: match.may, because: [{ code: "release-unclear", detail: "CIDR labels of the local host" }] };
  }

  /** Matches an endpoint by its addresses, or by the ranges in which they must lie where they are not known. */
  private unknownAddresses(
    set: AddressSet,
    plan: AddressSet,
    name: string,
    families: readonly Family[],
    known: readonly Address[] | undefined,
  ): FamilyMatch {
    let yes: FamilyMask = 0;
    let may: FamilyMask = 0;
    for (const family of families) {
      const bit: FamilyMask = family === "IPv4" ? 1 : 2;
      if (known !== undefined) {
        if (known.some((a) => a.family === family && addressSetHas(set, a))) {
          yes = maskOr(yes, bit);
          may = maskOr(may, bit);
        }
        continue;
      }
      const planned = plan.filter((range) => range.family === family);
      const space = planned.length > 0 ? planned : [{ family, first: 0n, last: family === "IPv4" ? V4_LAST : V6_LAST }];
      if (addressIntersect(space, set).length === 0) continue;
      may = maskOr(may, bit);
      if (addressSubtract(space, set).length === 0) yes = maskOr(yes, bit);
    }
    return { yes, may, because: yes === may ? [] : [{ code: "unknown-address", detail: name }] };
  }

  private declared(dnsName: string): readonly Address[] | undefined {
    return this.names.declared?.get(dnsName);
  }

  private namesPeer(peer: Extract<Peer, { kind: "names" }>, other: View, subject: View): FamilyMatch {
    const { endpoint } = other;
    if (peer.names.length === 0) return NEVER;
    if (endpoint.kind === "name") {
      const own = this.taught(peer, endpoint.dnsName, subject);
      // Names that share an address cannot be told apart (cilium.md R7.3.2).
      const shared = endpoint.address === undefined ? NO : this.taughtAddress(peer, endpoint.address, subject);
      return fromTold(either(own, shared));
    }
    if (endpoint.kind !== "outside") return NEVER;
    const { range } = endpoint;
    const bit: FamilyMask = range.family === "IPv4" ? 1 : 2;
    const sharing = this.declaredIn(range).filter(
      (address) => this.taughtAddress(peer, address, subject).answer !== "no",
    );
    const single = range.first === range.last;
    if (sharing.length > 0) {
      const sure = single && sharing.some((address) => this.taughtAddress(peer, address, subject).answer === "yes");
      if (sure) return { yes: bit, may: bit, because: [] };
      const unclear: Because = { code: "unknown-address", detail: endpoint.name };
      const because = single ? [notResolved(endpoint.name)] : [unclear, ...this.untold(peer, subject)];
      return { yes: 0, may: bit, because };
    }
    const because = this.untold(peer, subject);
    return because.length === 0 ? NEVER : { yes: 0, may: bit, because };
  }

  /** The names of the peer of which nobody told the addresses: any address outside may be theirs. */
  private untold(peer: Extract<Peer, { kind: "names" }>, subject: View): readonly Because[] {
    return peer.names
      .filter((n) => {
        if (n.text.includes("*")) return this.observes(subject);
        const name = canonical(n.text);
        return this.declared(name) === undefined && this.learns(subject, name).answer !== "no";
      })
      .map((n) => notResolved(n.text));
  }

  /**
   * Whether the rule allows the name and can allow nothing by it: no look-up of it by the subject passes a DNS rule
   * (cilium.md R7.3.1).
   */
  isDead({ action, peers }: Rule, dnsName: string, subject: View): boolean {
    const isNamed = peers.some((p) => p.kind === "names" && p.names.some((n) => matchesName(n.expression, dnsName)));
    return action === "allow" && isNamed && this.learns(subject, dnsName).answer === "no";
  }

  /** Whether the peer selects the name, and the subject has learned it. */
  private taught(peer: Extract<Peer, { kind: "names" }>, dnsName: string, subject: View): Told {
    const named = peer.names.some((n) => matchesName(n.expression, dnsName));
    return named ? this.learns(subject, dnsName) : NO;
  }

  /** Whether some name that the peer selects and the subject has learned is declared to have the address. */
  private taughtAddress(peer: Extract<Peer, { kind: "names" }>, wanted: Address, subject: View): Told {
    let told = NO;
    for (const [name, addresses] of this.names.declared ?? []) {
      const owns = addresses.some(({ family, value }) => family === wanted.family && value === wanted.value);
      if (owns) told = either(told, this.taught(peer, name, subject));
    }
    return told;
  }

  private declaredIn(range: AddressRange): readonly Address[] {
    return [...(this.names.declared?.values() ?? [])].flat().filter((address) => addressSetHas([range], address));
  }

  /** The flows that a rule covers towards (or at) the given destination. */
  flows(rule: Rule, destination: Endpoint): FlowSet {
    const known = this.ruleFlows.get(rule);
    if (known !== undefined && known !== "named") return known;
    if (known === undefined) {
      const named = rule.traffic.some((t) => t.match.kind === "named" && t.match.resolve === "destination");
      if (!named) {
        const flows = this.trafficFlows(rule, []);
        this.ruleFlows.set(rule, flows);
        return flows;
      }
      this.ruleFlows.set(rule, "named");
    }
    if (destination.kind !== "pod") return this.trafficFlows(rule, []);
    const { ports, initPorts } = podTraits(destination.workload, destination.pod);
    return this.trafficFlows(rule, initPorts.length === 0 ? ports : [...ports, ...initPorts]);
  }

  /**
   * Those of a rule's flows that it certainly covers: without ports of which it is not told whether its name means them,
   * be it that a pod has two of the name (cilium.md U6), or that an init container declares it (kubernetes.md WL-14).
   */
  sureFlows(rule: Rule, destination: Endpoint, flows: FlowSet): FlowSet {
    const isUnclear = rule.traffic.some(({ match }) => match.kind === "named" && this.isUnclear(match, destination));
    if (!isUnclear) return flows;
    const traits = destination.kind === "pod" ? podTraits(destination.workload, destination.pod) : undefined;
    const all = traits === undefined ? [] : [...traits.ports, ...traits.initPorts];
    const sure = (traits?.ports ?? []).filter((port) => port.sidecar !== true);
    const isSingle = rule.traffic.some(({ match }) => match.kind === "named" && match.single === true);
    return this.trafficFlows(rule, isSingle ? sure.filter((port) => isOnly(port, all)) : sure, true);
  }

  private isUnclear(match: Extract<PortMatch, { kind: "named" }>, destination: Endpoint): boolean {
    if (match.resolve === "cluster")
      return PORT_PROTOCOLS.some((protocol) => this.clusterPortNumbers(false).has(`${match.name}/${protocol}`));
    if (destination.kind !== "pod") return false;
    const { ports, initPorts } = podTraits(destination.workload, destination.pod);
    const all = [...ports, ...initPorts].filter((port) => port.name === match.name);
    return (
      all.some((port) => port.sidecar === true || initPorts.includes(port)) ||
      (match.single === true && !all.every((port) => isOnly(port, all)))
    );
  }

  /** `sure`: without port names that may count or not. */
  private trafficFlows(rule: Rule, declared: readonly ContainerPort[], sure = false): FlowSet {
    let out: FlowSet = NO_FLOWS;
    for (const item of rule.traffic) {
      const application = item.application === undefined ? EVERYTHING : applicationOf(item.application);
      out = flowUnion(out, this.portMatchFlows(item.match, application, declared, sure));
    }
    return out;
  }

  /** The flows of one port item; `declared` are the container ports of the destination. */
  portMatchFlows(
    match: PortMatch,
    application: Application,
    declared: readonly ContainerPort[],
    sure = false,
  ): FlowSet {
    switch (match.kind) {
      case "any":
        return application === EVERYTHING ? ALL_FLOWS : applicationFlows(application);
      case "ports":
        return portFlows(match.protocol, match.first, match.last, ["IPv4", "IPv6"], application);
      case "icmp":
        return portFlows(
          match.family === "IPv4" ? "ICMP" : "ICMPv6",
          match.first,
          match.last,
          [match.family],
          application,
        );
      case "protocol": {
        const domain = portDomain(match.protocol);
        return portFlows(match.protocol, domain.first, domain.last, ["IPv4", "IPv6"], application);
      }
      case "named": {
        let out: FlowSet = NO_FLOWS;
        if (match.resolve === "destination") {
          for (const port of declared) {
            if (port.name !== match.name) continue;
            if (match.protocol !== undefined && match.protocol !== port.protocol) continue;
            out = flowUnion(out, portFlows(port.protocol, port.port, port.port, ["IPv4", "IPv6"], application));
          }
          return out;
        }
        for (const protocol of match.protocol === undefined ? PORT_PROTOCOLS : [match.protocol]) {
          const key = `${match.name}/${protocol}`;
          const certain = this.clusterPortNumbers(true).get(key) ?? NO_NUMBERS;
          const doubtful = this.clusterPortNumbers(false).get(key) ?? NO_NUMBERS;
          // Names of init containers count all or none: they may give a name its only number, or one too many.
          if (certain.size > 1 || (sure && [...doubtful].some((n) => !certain.has(n)))) continue;
          const numbers = certain.size === 1 ? certain : sure ? NO_NUMBERS : doubtful;
          if (numbers.size !== 1) continue;
          for (const n of numbers) out = flowUnion(out, portFlows(protocol, n, n, ["IPv4", "IPv6"], application));
        }
        return out;
      }
    }
  }

  /**
   * Every number that a port name has anywhere in the cluster, by `name/protocol` (cilium.md R5.6): those that count for
   * sure, or those of init containers.
   */
  private clusterPortNumbers(sure: boolean): ReadonlyMap<string, ReadonlySet<number>> {
    this.clusterPorts ??= {
      certain: this.portNumbers(({ ports }) => ports.filter((port) => port.sidecar !== true)),
      doubtful: this.portNumbers(({ ports, initPorts }) => [
        ...ports.filter((port) => port.sidecar === true),
        ...initPorts,
      ]),
    };
    return sure ? this.clusterPorts.certain : this.clusterPorts.doubtful;
  }

  private portNumbers(
    portsOf: (traits: PodDifference) => readonly ContainerPort[],
  ): ReadonlyMap<string, ReadonlySet<number>> {
    const out = new Map<string, Set<number>>();
    const add = (traits: PodDifference): void => {
      if (traits.hostNetwork) return;
      for (const port of portsOf(traits)) {
        if (port.name === undefined) continue;
        const key = `${port.name}/${port.protocol}`;
        const numbers = out.get(key);
        if (numbers === undefined) out.set(key, new Set([port.port]));
        else numbers.add(port.port);
      }
    };
    for (const workload of this.world.workloads) {
      if (workload.pods.some((pod) => pod.differs === undefined)) add(workload);
      for (const pod of workload.pods) if (pod.differs !== undefined) add(pod.differs);
    }
    return out;
  }
}

/** The identities of the pods of one namespace. */
interface PodIdentities {
  readonly byLabels: WeakMap<Labels, { readonly serviceAccount: string; readonly identity: Identity }>;
  readonly byText: Map<string, Identity>;
}

/** Equal for pods of one namespace that have one account and equal labels. */
function templateText(serviceAccount: string, labels: Labels): string {
  let text = serviceAccount;
  for (const [key, value] of labels)
    text += `\n${key}=${typeof value === "string" ? `'${value}` : labelValueText(value)}`;
  return text;
}

const V4_LAST = (1n << 32n) - 1n;
const V6_LAST = (1n << 128n) - 1n;

function both(a: FamilyMatch, b: FamilyMatch): FamilyMatch {
  const yes = MASKS[a.yes & b.yes] ?? 0;
  const may = MASKS[a.may & b.may] ?? 0;
  return { yes, may, because: yes === may ? [] : mergeBecause(a.because, b.because) };
}

/** Whether a pattern matches a name; names are compared in lower case with a trailing dot (cilium.md 7.1). */
export function matchesName(expression: string, dnsName: string): boolean {
  return patternMatches(expression, dnsName);
}

/** Whether both ends carry the key, with one value. */
function sameLabel(key: string, a: View, b: View): Ternary {
  const [x, y] = [labelOf(key, a), labelOf(key, b)];
  if (x === undefined || y === undefined) return "no";
  return typeof x === "string" && typeof y === "string" ? ternaryOf(x === y) : "maybe";
}

/** Both ends carry every key with the same value. */
function sameLabels(keys: readonly string[], a: View, b: View): Ternary {
  return keys.map((key) => sameLabel(key, a, b)).reduce(ternaryAnd, "yes");
}

/** Both ends carry every key, and at least one value differs. */
function differentLabels(keys: readonly string[], a: View, b: View): Ternary {
  const carried = keys.flatMap((key) => [labelOf(key, a), labelOf(key, b)]);
  if (carried.includes(undefined)) return "no";
  const differs = keys.map((key) => ternaryNot(sameLabel(key, a, b))).reduce(ternaryOr, "no");
  return carried.every((value) => typeof value === "string") ? differs : ternaryAnd(differs, "maybe");
}

/** The value of a label by its full key (`ns:team`); unknown where it may be among labels that are not known. */
function labelOf(key: string, { identity }: View): LabelValue | undefined {
  const colon = key.indexOf(":");
  const open = isOpen(identity.labels, key.slice(0, colon), key.slice(colon + 1));
  return identity.labels.get(key) ?? (open ? UNKNOWN : undefined);
}
