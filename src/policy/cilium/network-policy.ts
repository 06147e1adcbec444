/**
 * NetworkPolicy as Cilium reads it: translated to rules of its own, with its own gaps (cilium.md 10.1;
 * `pkg/k8s/network_policy.go`).
 */
import type { Document } from "../../documents/document.ts";
import type { World } from "../../model/world.ts";
import type { CompiledObject } from "../dialect.ts";
import type { LabelSelector } from "../kubernetes/label-selector.ts";
import {
  decodeNetworkPolicy,
  type NetworkPolicyObject,
  type NetworkPolicyPeer,
  type NetworkPolicyPort,
  type NetworkPolicyRule,
} from "../kubernetes/network-policy.ts";
import type { Direction, Isolation, Origin, Peer, Policy, PortMatch, Rule, Traffic } from "../rule.ts";
import type { Requirement, Selector } from "../selector.ts";
import { prefixPeer } from "./addresses.ts";
import { networkPolicyDifferences } from "./differences.ts";
import { equals, exists, NAMESPACE_LABELS, POD_NAMESPACE } from "./keys.ts";
import { TIER } from "./policy.ts";
import { scopeKubernetesPeer } from "./selector.ts";
import type { Settings } from "./settings.ts";

export const NETWORK_POLICY = "NetworkPolicy";
export const NETWORK_POLICY_API = "networking.k8s.io/v1";

/** Compiles one NetworkPolicy; what the API server refuses is refused. */
export function compileNetworkPolicy(document: Document, world: World, settings: Settings): CompiledObject {
  const { value, diagnostics, refused } = decodeNetworkPolicy(document, world.defaultNamespace);
  if (value === undefined) return { policies: [], diagnostics, refused };
  return {
    policies: [translate(value, settings)],
    diagnostics: [...diagnostics, ...networkPolicyDifferences(value, world, settings)],
    refused,
  };
}

/** One policy with default deny in the directions that it covers (K1, K2). */
export function translate(object: NetworkPolicyObject, settings: Settings): Policy {
  const ingress = object.ingress ?? [];
  const egress = object.egress ?? [];
  const lists = (type: "Ingress" | "Egress"): boolean => object.policyTypes?.includes(type) ?? false;
  // Entries count whatever policyTypes says; without entries policyTypes decides (K2).
  const isolation: Record<Direction, Isolation> = {
    ingress: ingress.length > 0 || lists("Ingress") || !lists("Egress") ? "closed" : "untouched",
    egress: egress.length > 0 || lists("Egress") ? "closed" : "untouched",
  };
  return {
    kind: NETWORK_POLICY,
    namespace: object.namespace,
    name: object.name,
    document: object.document,
    path: object.path,
    tier: TIER,
    order: 0,
    subject: {
      target: "endpoint",
      selector: [...sourced(object.podSelector), equals("k8s", POD_NAMESPACE, object.namespace)],
    },
    isolation,
    rules: [
      ...ingress.map((rule, index) => translateRule(rule, "ingress", index, object, settings)),
      ...egress.map((rule, index) => translateRule(rule, "egress", index, object, settings)),
    ],
  };
}

function translateRule(
  rule: NetworkPolicyRule,
  direction: Direction,
  index: number,
  object: NetworkPolicyObject,
  settings: Settings,
): Rule {
  const origin: Origin = {
    kind: NETWORK_POLICY,
    namespace: object.namespace,
    name: object.name,
    section: direction,
    index,
    document: object.document,
    path: rule.path,
  };
  const peers = rule.peers ?? [];
  const ports = rule.ports ?? [];
  return {
    direction,
    action: "allow",
    // No peer is an explicit wildcard: everybody, world and hosts included (K4). It is a peer of `fromEndpoints`, so that
    // requirements bind it (R4.7.1).
    peers:
      peers.length === 0
        ? [{ kind: "labels", selector: [], constrained: true }]
        : peers.map((peer) => translatePeer(peer, object.namespace, settings)),
    traffic:
      ports.length === 0 ? [{ match: { kind: "any" } }] : ports.flatMap((port) => translatePort(port, direction)),
    origin,
  };
}

/** Terms over labels of Kubernetes, whose keys never carry a source. */
function sourced(selector: LabelSelector): Selector {
  return selector.requirements.map((term): Requirement => ({ source: "k8s", ...term }));
}

/** Terms over labels of the namespace (K3). An empty selector asks that there be a namespace. */
function namespaceTerms(selector: LabelSelector): Selector {
  if (selector.requirements.length === 0) return [exists("k8s", POD_NAMESPACE)];
  return selector.requirements.map(
    ({ key, operator, values }): Requirement => ({
      source: "k8s",
      key: `${NAMESPACE_LABELS}.${key}`,
      operator,
      values,
    }),
  );
}

/** One item of `from` or `to` (K3, K5). */
function translatePeer(peer: NetworkPolicyPeer, namespace: string, settings: Settings): Peer {
  if (peer.kind === "ipBlock") return prefixPeer(peer.cidr, peer.except, settings);
  const pods = peer.podSelector === undefined ? [] : sourced(peer.podSelector);
  // A namespace selector of negative terms alone adds no term that asks for a namespace: it also selects whatever has
  // none, as far as the term on the cluster lets it (EX-62).
  const selector =
    peer.namespaceSelector === undefined
      ? [...pods, equals("k8s", POD_NAMESPACE, namespace)]
      : [...namespaceTerms(peer.namespaceSelector), ...pods];
  return { kind: "labels", selector: scopeKubernetesPeer(selector, settings), constrained: true };
}

/** One item of `ports`: TCP unless told, every port where there is none, ICMP never (K7). */
function translatePort(port: NetworkPolicyPort, direction: Direction): readonly Traffic[] {
  const { protocol } = port;
  let match: PortMatch;
  if (port.port === undefined) match = { kind: "ports", protocol, first: 1, last: 65535 };
  else if (typeof port.port === "number")
    match = { kind: "ports", protocol, first: port.port, last: Math.max(port.endPort ?? 0, port.port) };
  else
    match = {
      kind: "named",
      name: port.port.toLowerCase(),
      protocol,
      ...(direction === "ingress" ? { resolve: "destination", single: true } : { resolve: "cluster", path: port.path }),
    };
  return [{ match }];
}
