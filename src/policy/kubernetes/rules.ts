/** From the objects of the Kubernetes API to the one rule form, by the letter of the specification. */
import type { Path } from "../../documents/document.ts";
import { type AddressSet, addressSetOf, addressSubtract } from "../../net/address.ts";
import type { Direction, NamePattern, Origin, Peer, Policy, Rule, Traffic } from "../rule.ts";
import type { Requirement } from "../selector.ts";
import { nodesOf, podsOf, podsOfNamespace } from "./identity.ts";
import type { NetworkPolicyObject, NetworkPolicyPeer, NetworkPolicyPort, NetworkPolicyRule } from "./network-policy.ts";
import type { PodSelection, TierPeer, TierPolicyObject, TierPort, TierRule } from "./tier-policy.ts";

export const ADMIN_TIER = "admin";
export const NETWORK_TIER = "network";
export const BASELINE_TIER = "baseline";

/** Any protocol and port (K8-12, CNP-15). */
const EVERYTHING: readonly Traffic[] = [{ match: { kind: "any" } }];

const DIRECTIONS: readonly Direction[] = ["ingress", "egress"];

// ── NetworkPolicy ────────────────────────────────────────────────────────────────────────────────────────────────────

/** The stored policyTypes: Ingress always, and Egress where the policy has egress rules, unless written (K8-05…K8-07). */
export function isolates(policy: NetworkPolicyObject, direction: Direction): boolean {
  const { policyTypes } = policy;
  if (policyTypes !== undefined) return policyTypes.includes(direction === "ingress" ? "Ingress" : "Egress");
  return direction === "ingress" || (policy.egress?.length ?? 0) > 0;
}

/** One NetworkPolicy: closed in each of its directions but for what its rules allow (K8-09, K8-10, K8-34). */
export function networkPolicyRules(policy: NetworkPolicyObject): Policy {
  const rules = DIRECTIONS.flatMap((direction) => {
    // Rules of a direction that policyTypes leaves out have no meaning (K8-08).
    if (!isolates(policy, direction)) return [];
    return (policy[direction] ?? []).flatMap((rule, index) => networkPolicyRule(policy, direction, rule, index));
  });
  return {
    kind: "NetworkPolicy",
    namespace: policy.namespace,
    name: policy.name,
    document: policy.document,
    path: policy.path,
    tier: NETWORK_TIER,
    order: 0,
    subject: { target: "endpoint", selector: podsOfNamespace(policy.namespace, policy.podSelector) },
    isolation: {
      ingress: isolates(policy, "ingress") ? "closed" : "untouched",
      egress: isolates(policy, "egress") ? "closed" : "untouched",
    },
    rules,
  };
}

function networkPolicyRule(
  policy: NetworkPolicyObject,
  direction: Direction,
  rule: NetworkPolicyRule,
  index: number,
): readonly Rule[] {
  const { namespace, name, document } = policy;
  const { path } = rule;
  const isAnyPeer = rule.peers === undefined || rule.peers.length === 0;
  return withNamedPorts({
    direction,
    action: "allow",
    peers: isAnyPeer ? [{ kind: "any" }] : (rule.peers ?? []).map((peer) => networkPolicyPeer(policy, direction, peer)),
    traffic: rule.ports === undefined || rule.ports.length === 0 ? EVERYTHING : rule.ports.map(networkPolicyPort),
    origin: { kind: "NetworkPolicy", namespace, name, section: direction, index, document, path },
  });
}

function networkPolicyPeer(policy: NetworkPolicyObject, direction: Direction, peer: NetworkPolicyPeer): Peer {
  if (peer.kind === "ipBlock") {
    // Pods and nodes with an address inside are meant too (K8-24); `except` takes from its own item alone (K8-23).
    const block = addressPeer(addressSubtract(addressSetOf([peer.cidr]), addressSetOf(peer.except)));
    return direction === "egress" ? { ...block, untranslated: "maybe" } : block;
  }
  const { podSelector, namespaceSelector } = peer;
  const selector =
    namespaceSelector === undefined
      ? podsOfNamespace(policy.namespace, podSelector)
      : podsOf(namespaceSelector, podSelector);
  return { kind: "labels", selector };
}

function networkPolicyPort({ protocol, port, endPort }: NetworkPolicyPort): Traffic {
  if (typeof port === "string") return { match: { kind: "named", name: port, protocol, resolve: "destination" } };
  const first = port ?? 1;
  return { match: { kind: "ports", protocol, first, last: port === undefined ? 65535 : (endPort ?? port) } };
}

// ── ClusterNetworkPolicy, AdminNetworkPolicy, BaselineAdminNetworkPolicy ─────────────────────────────────────────────

/** One policy of the ordered tiers: it closes nothing (CNP-19); its rules are walked top to bottom (CNP-18). */
export function tierPolicyRules(policy: TierPolicyObject): Policy {
  return {
    kind: policy.kind,
    name: policy.name,
    document: policy.document,
    path: policy.path,
    tier: policy.tier === "admin" ? ADMIN_TIER : BASELINE_TIER,
    order: policy.priority,
    sequence: policy.apiVersion,
    subject: { target: "endpoint", selector: podsOf(policy.subject.namespaces, policy.subject.pods) },
    isolation: { ingress: "untouched", egress: "untouched" },
    rules: DIRECTIONS.flatMap((direction) => policy[direction].flatMap((rule) => tierRule(policy, direction, rule))),
  };
}

const TIER_ACTIONS = { accept: "allow", deny: "deny", pass: "pass" } as const;

function tierRule(policy: TierPolicyObject, direction: Direction, rule: TierRule): readonly Rule[] {
  const index = rule.path.at(-1);
  const origin = originOf(policy, direction, typeof index === "number" ? index : 0, rule.path);
  if (rule.peers.some((peer) => peer.kind === "unknown"))
    // The rule fails closed: what it would accept it does not, all else it denies (CNP-23).
    return rule.action === "accept"
      ? [{ direction, action: "allow", peers: [], traffic: EVERYTHING, origin }]
      : [{ direction, action: "deny", peers: [{ kind: "any" }], traffic: EVERYTHING, origin }];
  return withNamedPorts({
    direction,
    action: TIER_ACTIONS[rule.action],
    peers: rule.peers.flatMap((peer) => tierPeer(rule, peer)),
    traffic: rule.ports === undefined ? EVERYTHING : rule.ports.flatMap(tierPort),
    origin,
  });
}

function originOf(policy: TierPolicyObject, section: Direction, index: number, path: Path): Origin {
  const { kind, name, document } = policy;
  return { kind, name, section, index, document, path };
}

function tierPeer(rule: TierRule, peer: TierPeer): readonly Peer[] {
  switch (peer.kind) {
    case "pods":
      return podPeer(peer.selection);
    case "nodes":
      return [{ kind: "labels", selector: nodesOf(peer.selector) }];
    case "networks":
      // Pods with an address inside are meant too (CNP-08).
      return [addressPeer(addressSetOf(peer.networks))];
    case "domainNames":
      if (rule.action === "accept") return [{ kind: "names", names: peer.names.map(namePattern) }];
      return [{ kind: "unknown", because: { code: "undefined-by-specification", detail: peer.names.join(", ") } }];
    case "unknown":
      return [];
  }
}

/** Peers by same and different labels ask both ends for the keys; an empty list of keys selects nobody. */
function podPeer(selection: PodSelection): readonly Peer[] {
  const { namespaces, pods, sameLabels, notSameLabels } = selection;
  const keys = sameLabels ?? notSameLabels;
  const selector = podsOf(namespaces, pods);
  if (keys === undefined) return [{ kind: "labels", selector }];
  if (keys.length === 0) return [];
  const carried = keys.map((key): Requirement => ({ source: "ns", key, operator: "Exists", values: [] }));
  const full = keys.map((key) => `ns:${key}`);
  const compared = sameLabels === undefined ? { notSame: full } : { same: full };
  return [{ kind: "labels", selector: [...selector, ...carried], ...compared }];
}

/** `*.` stands for one or more whole labels, never none (CNP-10). Names compare without regard to capitals. */
export function namePattern(text: string): NamePattern {
  const name = text.toLowerCase().replace(/\.$/, "");
  const isBelow = name.startsWith("*.");
  const literal = (isBelow ? name.slice(2) : name).replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return { text, expression: `^${isBelow ? "([^.]+\\.)+" : ""}${literal}\\.$` };
}

function tierPort(port: TierPort): readonly Traffic[] {
  if (port.kind === "named") return [{ match: { kind: "named", name: port.name, resolve: "destination" } }];
  const { protocol, first, last } = port;
  return first > last ? [] : [{ match: { kind: "ports", protocol, first, last } }];
}

// ── both ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

function addressPeer(addresses: AddressSet): Extract<Peer, { kind: "addresses" }> {
  return { kind: "addresses", addresses, scope: "any" };
}

/**
 * An egress rule as rules of which none pairs a port's name with peers that are no pods: there the name has nothing to
 * resolve against (K8-30, CNP-17). On ingress the name is always that of the subject's port (K8-29).
 */
function withNamedPorts(rule: Rule): readonly Rule[] {
  if (rule.direction === "ingress" || !rule.traffic.some(isNamed)) return [rule];
  const named = rule.peers.filter(hasNames);
  const others = rule.peers.filter((peer) => !hasNames(peer));
  if (others.length === 0) return [rule];
  const parts: Rule[] = [{ ...rule, peers: others, traffic: rule.traffic.filter((item) => !isNamed(item)) }];
  if (named.length > 0) parts.push({ ...rule, peers: named });
  return parts;
}

function isNamed({ match }: Traffic): boolean {
  return match.kind === "named";
}

/** Whether pods, and so port names, may be among the peers. */
function hasNames(peer: Peer): boolean {
  return peer.kind === "any" || peer.kind === "labels";
}
