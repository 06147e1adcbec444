/**
 * Where a NetworkPolicy of the input reads differently under Cilium than by the specification (cilium.md K2, K3, K5;
 * kubernetes.md K8-08, K8-24, K8-30). Only what this input shows is named, each at its place.
 */
import { type Diagnostic, diagnostic } from "../../base/diagnostic.ts";
import { formatPath } from "../../documents/cursor.ts";
import type { Path } from "../../documents/document.ts";
import {
  type AddressRange,
  type AddressSet,
  addressIntersect,
  addressSet,
  addressSetOf,
  addressSubtract,
} from "../../net/address.ts";
import type { World } from "../../model/world.ts";
import type { Direction } from "../rule.ts";
import type { LabelRequirement, LabelSelector } from "./label-selector.ts";
import type { NetworkPolicyObject, NetworkPolicyPeer, NetworkPolicyRule } from "./network-policy.ts";
import { isolates } from "./rules.ts";

/** Names every place where Cilium reads the policy otherwise than the specification. */
export function ciliumDifferences(policy: NetworkPolicyObject, world: World): readonly Diagnostic[] {
  const out: Diagnostic[] = [];
  for (const direction of ["ingress", "egress"] as const) {
    const rules = policy[direction] ?? [];
    if (rules.length === 0) continue;
    if (!isolates(policy, direction)) {
      out.push(leftOut(policy, direction));
      continue;
    }
    for (const rule of rules) {
      for (const peer of rule.peers ?? []) out.push(...peerDifferences(policy, peer, world));
      if (direction === "egress") out.push(...namedPortDifferences(policy, rule));
    }
  }
  return out;
}

/** K8-08 (c), K2. */
function leftOut(policy: NetworkPolicyObject, direction: Direction): Diagnostic {
  const type = direction === "ingress" ? "Ingress" : "Egress";
  const path = [...policy.path, direction];
  return diagnostic(
    "BH101",
    `${where(policy, path)} has no effect by the specification, for policyTypes leaves out ${type}; Cilium enforces it`,
    policy.document.locate(path, { key: true }),
  );
}

function peerDifferences(policy: NetworkPolicyObject, peer: NetworkPolicyPeer, world: World): readonly Diagnostic[] {
  if (peer.kind === "selectors") {
    const { namespaceSelector, podSelector } = peer;
    if (namespaceSelector === undefined || !isOnlyNegative(namespaceSelector, podSelector)) return [];
    const message =
      `${where(policy, namespaceSelector.path)} excludes namespaces without naming any: ` +
      "by the specification it selects pods alone, under Cilium also what has no namespace, the world included";
    return [diagnostic("BH102", message, policy.document.locate(namespaceSelector.path))];
  }
  const addresses = addressSubtract(addressSetOf([peer.cidr]), addressSetOf(peer.except));
  const message = coverage(addresses, clusterAddresses(world));
  if (message === undefined) return [];
  const path = [...peer.path, "ipBlock"];
  return [diagnostic("BH103", `${where(policy, path)} ${message}`, policy.document.locate(path))];
}

/** Only NotIn and DoesNotExist over namespaces, and no label that the pods must have (K3, L33). */
function isOnlyNegative(namespaces: LabelSelector, pods: LabelSelector | undefined): boolean {
  return (
    namespaces.requirements.length > 0 &&
    namespaces.requirements.every(isNegative) &&
    (pods?.requirements ?? []).every(isNegative)
  );
}

function isNegative({ operator }: LabelRequirement): boolean {
  return operator === "NotIn" || operator === "DoesNotExist";
}

/** K8-30. */
function namedPortDifferences(policy: NetworkPolicyObject, rule: NetworkPolicyRule): readonly Diagnostic[] {
  const peers = rule.peers ?? [];
  const hasBlock = peers.some((peer) => peer.kind === "ipBlock");
  if (peers.length > 0 && !hasBlock) return [];
  return (rule.ports ?? []).flatMap((port) => {
    if (typeof port.port !== "string") return [];
    const path = [...port.path, "port"];
    const name = JSON.stringify(port.port);
    const message = hasBlock
      ? `${name} means nothing for an ipBlock by the specification; Cilium allows the number that the name has in the cluster`
      : `${name} without "to" means the pods that declare it by the specification; Cilium allows its number to any address`;
    return [diagnostic("BH104", `${where(policy, path)}: ${message}`, policy.document.locate(path))];
  });
}

// ── addresses of the cluster ─────────────────────────────────────────────────────────────────────────────────────────

interface ClusterAddresses {
  readonly pods: AddressSet;
  readonly nodes: AddressSet;
  /** Whether there are pods of which neither address nor range is known. */
  readonly hasUnknownPods: boolean;
}

/** INVARIANT: a world is never changed in place. */
const known = new WeakMap<World, ClusterAddresses>();

function clusterAddresses(world: World): ClusterAddresses {
  const before = known.get(world);
  if (before !== undefined) return before;
  const pods: AddressRange[] = [...world.addressPlan.pods, ...world.nodes.flatMap((node) => node.podCIDRs)];
  const nodes: AddressRange[] = [...world.addressPlan.nodes];
  const hasRange = pods.length > 0;
  let hasUnknownPods = false;
  for (const node of world.nodes)
    for (const { family, value } of node.addresses) nodes.push({ family, first: value, last: value });
  for (const workload of world.workloads) {
    for (const pod of workload.pods) {
      if (pod.differs?.hostNetwork ?? workload.hostNetwork) continue;
      if (pod.addresses.length === 0 && !hasRange) hasUnknownPods = true;
      for (const { family, value } of pod.addresses) pods.push({ family, first: value, last: value });
    }
  }
  const out: ClusterAddresses = { pods: addressSet(pods), nodes: addressSet(nodes), hasUnknownPods };
  known.set(world, out);
  return out;
}

/** What of the cluster a range covers, and how networks read that; `undefined` for a range outside (K8-24, K5). */
function coverage(range: AddressSet, cluster: ClusterAddresses): string | undefined {
  if (addressIntersect(range, cluster.pods).length > 0)
    return "covers pods: by the specification they are meant, as under Calico and kube-router; Cilium never matches pods by address";
  if (addressIntersect(range, cluster.nodes).length > 0)
    return "covers nodes: by the specification they are meant; Cilium matches them only with policy-cidr-match-mode: nodes";
  if (cluster.hasUnknownPods)
    return "may cover pods, whose addresses are not known: by the specification they are meant; Cilium never matches pods by address";
  return undefined;
}

function where({ document, namespace, name }: NetworkPolicyObject, path: Path): string {
  return `${document.kind} ${namespace}/${name}: ${formatPath(path)}`;
}
