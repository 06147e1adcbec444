/**
 * From the rule form to the lab's ruleset, without a look at any answer of the engine: which identities a selector means,
 * which ports a rule covers, which directions are closed. What the lab cannot express is returned, never left out
 * quietly.
 */
import { createHash } from "node:crypto";
import type { IdentityLabels } from "../../model/labels.ts";
import type { ContainerPort, World } from "../../model/world.ts";
import { type AddressSet, formatPrefix, rangePrefixes } from "../../net/address.ts";
import { type PortProtocol, PORT_PROTOCOLS } from "../../net/protocol.ts";
import type {
  ApplicationRule,
  Direction,
  Origin,
  Peer as RulePeer,
  Policy,
  PolicySet,
  PortMatch,
  Rule,
  Section,
  Selector,
} from "../../policy/rule.ts";
import { matchesSelector } from "../../policy/selector.ts";
import type { Peer, Ruleset, RulesetEntry, SubjectRules, Traffic } from "../ruleset.ts";
import type { NotEnforced } from "./capabilities.ts";
import type { LabIdentity, NodeSubject, Population } from "./population.ts";

/** A rule that the lab cannot enforce. */
export interface Unsupported {
  readonly origin: Origin;
  readonly why: NotEnforced;
}

export interface CompiledRuleset {
  readonly ruleset: Ruleset;
  /** Each rule once; with any of them the ruleset is not the policy set that was meant. */
  readonly unsupported: readonly Unsupported[];
}

/** Compiles the policies for the endpoints of a lab. */
export function rulesetOf(set: PolicySet, population: Population): CompiledRuleset {
  return new Compiler(set, population).compile();
}

/** Peers of one rule as the lab has them, and the identities among them. */
interface LabPeers {
  readonly peers: readonly Peer[];
  readonly identities: readonly LabIdentity[];
}

/** Whom policies govern: an endpoint or a node. */
interface Governed {
  readonly number: number;
  /** What the selectors of subjects ask. */
  readonly labels: IdentityLabels;
  readonly namedPorts: readonly ContainerPort[];
  readonly target: "endpoint" | "node";
}

type Standing = Required<Pick<RulesetEntry, "tier" | "order">>;

class Compiler {
  private readonly set: PolicySet;
  private readonly identities: readonly LabIdentity[];
  private readonly nodes: readonly NodeSubject[];
  private readonly services: World["services"];
  private readonly unsupported = new Map<string, Unsupported>();
  /** Then what names a rule's peers matters, not only whom it means. */
  private readonly judgesServerNames: boolean;
  private readonly clusterPorts: ReadonlyMap<string, ReadonlySet<number>>;

  constructor(set: PolicySet, population: Population) {
    this.set = set;
    this.identities = population.identities;
    this.judgesServerNames = set.policies.some(({ rules }) =>
      rules.some(({ traffic }) =>
        traffic.some((item) => item.application?.some(({ kind }) => kind === "tls") === true),
      ),
    );
    this.nodes = population.nodeSubjects;
    this.services = population.world.services;
    this.clusterPorts = portNumbers(population.world);
  }

  compile(): CompiledRuleset {
    const { set } = this;
    const subjects: SubjectRules[] = [];
    if (set.enforcement !== "never" && !set.audit) {
      for (const governed of this.governed()) {
        for (const direction of ["ingress", "egress"] as const) {
          const rules = this.subject(governed, direction);
          if (rules !== undefined) subjects.push(rules);
        }
      }
      const node = subjects.find(({ identity }) => this.nodes.some(({ number }) => number === identity));
      if (node !== undefined && this.relays()) this.refuse(this.nodeOrigin(), "node-ports-beside-node-policies");
    }
    const policies = [...new Set(set.policies.map(objectName))];
    const ruleset = {
      subjects,
      policies,
      ...(set.pathsAsSent === true ? { pathsAsSent: true as const } : {}),
      ...(set.minimumTtl === undefined ? {} : { minimumTtl: set.minimumTtl }),
      ...(set.refusesAsNameError === true ? { refusesAsNameError: true as const } : {}),
    };
    return { ruleset, unsupported: [...this.unsupported.values()] };
  }

  private refuse(origin: Origin, why: NotEnforced): void {
    const key = `${objectName(origin)} ${origin.section} ${origin.index} ${why}`;
    this.unsupported.set(key, { origin, why });
  }

  private governed(): Governed[] {
    const endpoints = this.identities.flatMap(({ number, subject, namedPorts }): Governed[] =>
      subject === undefined ? [] : [{ number, labels: subject, namedPorts, target: "endpoint" }],
    );
    const nodes = this.set.hostFirewall
      ? this.nodes.map((node): Governed => ({ ...node, namedPorts: [], target: "node" }))
      : [];
    return [...endpoints, ...nodes];
  }

  /** Whether a node may send on what comes from outside: then the node's own connections cannot be told from those. */
  private relays(): boolean {
    return (
      this.nodes.length > 1 &&
      this.services.some(
        ({ type, externalTrafficPolicy }) =>
          (type === "NodePort" || type === "LoadBalancer") && externalTrafficPolicy !== "Local",
      )
    );
  }

  /** What closes nodes: a policy on them, else the setting that closes everything. */
  private nodeOrigin(): Origin {
    const policy = this.set.policies.find(({ subject }) => subject.target === "node");
    if (policy !== undefined) return originOf(policy);
    return { kind: "ConfigMap", namespace: "kube-system", name: "cilium-config", section: "ingress", index: 0 };
  }

  /** A rule's place among the rules of its tier: by policy in an ordered tier, the same for all in another. */
  private standings(policies: readonly Policy[], direction: Direction): ReadonlyMap<Rule, Standing> {
    const out = new Map<Rule, Standing>();
    for (const [tier, { name, mode }] of this.set.tiers.entries()) {
      const own = policies
        .filter((policy) => policy.tier === name && policy.rules.some((rule) => rule.direction === direction))
        .toSorted((a, b) => a.order - b.order);
      let order = 0;
      for (const [i, policy] of own.entries()) {
        const before = own[i - 1];
        if (
          mode === "ordered" &&
          before !== undefined &&
          (before.order === policy.order || before.sequence !== policy.sequence)
        ) {
          this.refuse(originOf(policy), "undefined-order");
        }
        for (const rule of policy.rules) out.set(rule, { tier, order: mode === "ordered" ? order++ : 0 });
      }
    }
    return out;
  }

  private governing({ labels, target }: Governed): Policy[] {
    return this.set.policies.filter((policy) => {
      if (policy.subject.target !== target) return false;
      const selects = matchesSelector(policy.subject.selector, labels);
      if (selects === "maybe") this.refuse(originOf(policy), "unknown-labels");
      return selects === "yes";
    });
  }

  private subject(governed: Governed, direction: Direction): SubjectRules | undefined {
    const { labels } = governed;
    const policies = this.governing(governed);
    const closing = policies.filter((policy) => policy.isolation[direction] === "closed");
    const always =
      this.set.enforcement === "always" || this.set.alwaysClosed.some((s) => matchesSelector(s, labels) === "yes");
    const isolated = always || closing.length > 0;
    const standings = this.standings(policies, direction);
    const union = this.set.tiers.findIndex((tier) => tier.mode === "union");
    const entries: RulesetEntry[] = [];
    for (const policy of policies) {
      for (const rule of policy.rules) {
        if (rule.direction !== direction) continue;
        const standing = standings.get(rule) ?? { tier: union, order: 0 };
        const requires = requiresOf(policies, rule.origin.section);
        for (const entry of this.entries(rule, governed, requires, isolated)) entries.push({ ...entry, ...standing });
      }
    }
    const judged = isolated || policies.some((policy) => policy.isolation[direction] === "open");
    if (!judged && entries.length === 0) return undefined;
    if (isolated) {
      for (const rule of this.set.alwaysAllowed) {
        // What a specification leaves open passes nowhere here.
        const told = rule.peers.every((peer) => peer.kind !== "unknown");
        if (rule.direction !== direction || !told) continue;
        for (const entry of this.entries(rule, governed, [], isolated))
          entries.push({ ...entry, tier: union, order: 0 });
      }
    }
    const isolatedBy = [...new Set(closing.map(objectName))];
    return {
      identity: governed.number,
      direction,
      isolated,
      isolatedIn: union,
      isolatedBy: isolated && isolatedBy.length === 0 ? ["policy enforcement is always on"] : isolatedBy,
      entries,
    };
  }

  private entries(rule: Rule, subject: Governed, requires: readonly Selector[], isolated: boolean): RulesetEntry[] {
    const { action, authentication } = rule;
    // One that always fails is no mere lack of an allow: it also closes what others allow (cilium.md R4.6.2).
    if (action === "allow" && authentication !== undefined && authentication !== "disabled") {
      this.refuse(rule.origin, "authentication");
      if (authentication === "fail") return [];
    }
    const origin = ruleName(rule.origin);
    const { peers, identities } = this.peers(rule, subject.labels, requires);
    const out: RulesetEntry[] = [];
    for (const item of rule.traffic) {
      const application = this.application(rule.origin, item.application ?? [], isolated);
      const what = {
        action,
        origin,
        ...(application.length === 0 ? {} : { application }),
        ...(this.judgesServerNames ? { selector: peersKey(rule.peers) } : {}),
      };
      const { match } = item;
      if (match.kind === "named" && match.resolve === "destination" && rule.direction === "egress") {
        out.push(...this.namedEgress(rule, match, peers, identities, what));
        continue;
      }
      for (const traffic of this.traffic(rule.origin, match, subject.namedPorts)) {
        for (const peer of peers) out.push({ ...what, peer, traffic });
      }
    }
    return out;
  }

  /** What the proxy has to judge; refuses what it cannot. */
  private application(origin: Origin, rules: readonly ApplicationRule[], isolated: boolean): ApplicationRule[] {
    return rules.flatMap((rule): readonly ApplicationRule[] => {
      const { openApplication } = this.set;
      switch (rule.kind) {
        case "http": {
          if (rule.rules.some(({ headers }) => headers.some(({ secret }) => secret !== undefined)))
            this.refuse(origin, "secrets");
          // Where nothing closes the direction, the rules of a policy without default deny deny nothing (cilium.md R4.3.7).
          const how = isolated ? "enforced" : (openApplication?.http ?? "lifted");
          if (how === "unsure") this.refuse(origin, "open-http");
          return how === "lifted" ? [] : [rule];
        }
        case "dns": {
          const how = isolated ? "enforced" : (openApplication?.dns ?? "lifted");
          // Every name passes then, and what it leads to is learned all the same.
          return [how === "lifted" ? { ...rule, names: [EVERY_NAME] } : rule];
        }
        case "tls":
          return isolated ? [rule] : [];
        case "opaque":
          this.refuse(origin, "opaque-rules");
          return [rule];
      }
    });
  }

  /** A port name towards others is the number that each of them gives it. */
  private namedEgress(
    rule: Rule,
    match: Extract<PortMatch, { kind: "named" }>,
    peers: readonly Peer[],
    chosen: readonly LabIdentity[],
    what: Pick<RulesetEntry, "action" | "application" | "origin" | "selector">,
  ): RulesetEntry[] {
    if (peers.some((peer) => peer.kind === "prefixes" && peer.covers === "all")) {
      this.refuse(rule.origin, "named-ports-of-addresses");
    }
    const identities = peers.some((peer) => peer.kind === "any") ? this.identities : chosen;
    return identities.flatMap((identity) =>
      this.traffic(rule.origin, match, identity.namedPorts).map((traffic) => ({
        ...what,
        peer: { kind: "identities", identities: [identity.number] } as const,
        traffic,
      })),
    );
  }

  private peers(rule: Rule, subject: IdentityLabels, requires: readonly Selector[]): LabPeers {
    const peers: Peer[] = [];
    const chosen = new Map<LabIdentity, true>();
    for (const peer of rule.peers) {
      switch (peer.kind) {
        case "any":
          peers.push({ kind: "any" });
          break;
        case "labels":
          for (const identity of this.selected(rule, peer, subject, requires)) chosen.set(identity, true);
          break;
        case "addresses":
          peers.push(prefixPeer(peer.addresses, peer.scope));
          break;
        case "names":
          peers.push({ kind: "names", names: peer.names });
          break;
        case "unknown":
          this.refuse(rule.origin, "unresolved");
          break;
      }
    }
    const identities = [...chosen.keys()];
    const numbers = [...new Set(identities.map((identity) => identity.number))];
    if (numbers.length > 0) peers.push({ kind: "identities", identities: numbers });
    return { peers, identities };
  }

  /** The identities that a selector means. */
  private selected(
    rule: Rule,
    peer: Extract<RulePeer, { kind: "labels" }>,
    subject: IdentityLabels,
    requires: readonly Selector[],
  ): LabIdentity[] {
    const selectors = [peer.selector, ...(peer.constrained === true ? requires : [])];
    const verdicts = new Map<number, Set<boolean>>();
    const found = this.identities.filter((identity) => {
      const matches = selectors.map((selector) => matchesSelector(selector, identity.labels));
      const { same, notSame } = peer;
      const selected =
        !matches.includes("no") &&
        (same === undefined || compare(same, subject, identity.labels) === "same") &&
        (notSame === undefined || compare(notSame, subject, identity.labels) === "different");
      if (selected && matches.includes("maybe")) this.refuse(rule.origin, "unknown-labels");
      const known = verdicts.get(identity.number);
      if (known === undefined) verdicts.set(identity.number, new Set([selected]));
      else known.add(selected);
      return selected;
    });
    // All nodes are one number to their own pods: a rule that takes some and leaves others cannot be told by it.
    if ([...verdicts.values()].some((set) => set.size > 1)) this.refuse(rule.origin, "node-labels");
    return found;
  }

  private traffic(origin: Origin, match: PortMatch, declared: readonly ContainerPort[]): Traffic[] {
    switch (match.kind) {
      case "any":
        return [{ protocol: "any" }];
      case "ports":
        return [{ protocol: match.protocol, ports: portRange(match.first, match.last) }];
      case "icmp": {
        const protocol = match.family === "IPv4" ? "ICMP" : "ICMPv6";
        if (match.first === 0 && match.last === 255) return [{ protocol, type: null }];
        return Array.from({ length: match.last - match.first + 1 }, (_, i) => ({ protocol, type: match.first + i }));
      }
      case "protocol":
        if (match.protocol === "ICMP" || match.protocol === "ICMPv6") return [{ protocol: match.protocol, type: null }];
        if (isPortProtocol(match.protocol)) return [{ protocol: match.protocol, ports: null }];
        this.refuse(origin, "protocols");
        return [];
      case "named":
        return match.resolve === "destination"
          ? declared
              .filter((p) => p.name === match.name && (match.protocol === undefined || match.protocol === p.protocol))
              .map((p) => ({ protocol: p.protocol, ports: portRange(p.port, p.port) }))
          : this.clusterPort(match.name, match.protocol);
    }
  }

  /** A name that has one number in the whole cluster means it; several mean nothing (cilium.md R5.6). */
  private clusterPort(name: string, protocol: PortProtocol | undefined): Traffic[] {
    return (protocol === undefined ? PORT_PROTOCOLS : [protocol]).flatMap((one) => {
      const [number, ...more] = this.clusterPorts.get(`${name}/${one}`) ?? [];
      return number === undefined || more.length > 0 ? [] : [{ protocol: one, ports: portRange(number, number) }];
    });
  }
}

const EVERY_NAME = { text: "*", expression: "^.*$" } as const;

/** Equal for rules that name the same peers. */
function peersKey(peers: readonly RulePeer[]): string {
  const text = JSON.stringify(peers, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value));
  return createHash("sha1").update(text).digest("base64");
}

const COVERS = { outside: "outside", nodes: "nodes", any: "all" } as const;

function prefixPeer(addresses: AddressSet, scope: keyof typeof COVERS): Peer {
  const prefixes = addresses.flatMap((range) =>
    rangePrefixes(range).map((prefix) => ({ cidr: formatPrefix(prefix), except: [] })),
  );
  return { kind: "prefixes", prefixes, covers: COVERS[scope] };
}

function portRange(first: number, last: number): { readonly first: number; readonly last: number } | null {
  return first <= 1 && last >= 65_535 ? null : { first, last };
}

function isPortProtocol(protocol: string): protocol is PortProtocol {
  return PORT_PROTOCOLS.some((one) => one === protocol);
}

function requiresOf(policies: readonly Policy[], section: Section): readonly Selector[] {
  return policies.flatMap((policy) => policy.requires?.[section] ?? []);
}

/** Whether two ends that both carry the keys agree in all of them. */
function compare(keys: readonly string[], a: IdentityLabels, b: IdentityLabels): "same" | "different" | "absent" {
  if (!keys.every((key) => a.has(key) && b.has(key))) return "absent";
  return keys.every((key) => a.get(key) === b.get(key)) ? "same" : "different";
}

/** Every number that a port name has on pods with a network of their own, by `name/protocol`. */
function portNumbers(world: World): ReadonlyMap<string, ReadonlySet<number>> {
  const out = new Map<string, Set<number>>();
  for (const workload of world.workloads) {
    if (workload.hostNetwork) continue;
    for (const { name, protocol, port } of workload.ports) {
      if (name === undefined) continue;
      const key = `${name}/${protocol}`;
      const known = out.get(key);
      if (known === undefined) out.set(key, new Set([port]));
      else known.add(port);
    }
  }
  return out;
}

function objectName(object: { readonly kind: string; readonly namespace?: string; readonly name: string }): string {
  return object.namespace === undefined
    ? `${object.kind}/${object.name}`
    : `${object.kind}/${object.namespace}/${object.name}`;
}

function ruleName(origin: Origin): string {
  return origin.document === undefined
    ? objectName(origin)
    : `${objectName(origin)}#${origin.section}[${origin.index}]`;
}

/** A policy as the origin of a refusal that concerns it whole. */
function originOf(policy: Policy): Origin {
  return (
    policy.rules[0]?.origin ?? {
      kind: policy.kind,
      ...(policy.namespace === undefined ? {} : { namespace: policy.namespace }),
      name: policy.name,
      section: "ingress",
      index: 0,
      ...(policy.document === undefined ? {} : { document: policy.document, path: policy.path }),
    }
  );
}
