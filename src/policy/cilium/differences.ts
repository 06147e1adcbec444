/**
 * Where Cilium reads a NetworkPolicy in another way than its specification (cilium.md K2, K3, K5, K6, K8): one finding
 * for each place of the user's own policy that shows it.
 */
import { type Code, type Diagnostic, diagnostic } from "../../base/diagnostic.ts";
import type { Path } from "../../documents/document.ts";
import type { World } from "../../model/world.ts";
import {
  type AddressSet,
  addressIntersect,
  addressSet,
  addressSetOf,
  addressSubtract,
  formatPrefix,
  hostPrefix,
} from "../../net/address.ts";
import type { LabelSelector } from "../kubernetes/label-selector.ts";
import type { NetworkPolicyObject, NetworkPolicyPeer } from "../kubernetes/network-policy.ts";
import { NAMESPACE_LABELS } from "./keys.ts";
import { NEWEST_RELEASE, type Settings, settingsOf } from "./settings.ts";

/**
 * Names the differences that one NetworkPolicy shows.
 *
 * Takes the decoded policy, the world and Cilium's settings (absent: those of the newest release in this world).
 */
export function networkPolicyDifferences(
  object: NetworkPolicyObject,
  world: World,
  settings: Settings = settingsOf(NEWEST_RELEASE, world),
): readonly Diagnostic[] {
  const found: Diagnostic[] = [];
  const report = (code: Code, path: Path, message: string): void => {
    const name = `NetworkPolicy ${object.namespace}/${object.name}`;
    found.push(diagnostic(code, `${name}: ${message}`, object.document.locate(path)));
  };
  const types = object.policyTypes;
  const rules = { ingress: object.ingress ?? [], egress: object.egress ?? [] };

  // K2: the specification ignores rules of a direction that policyTypes leaves out.
  if (types !== undefined) {
    if (rules.ingress.length > 0 && !types.includes("Ingress"))
      report(
        "BH101",
        [...object.path, "ingress"],
        "policyTypes leaves Ingress out, but Cilium enforces these ingress rules",
      );
    if (rules.egress.length > 0 && !types.includes("Egress"))
      report(
        "BH101",
        [...object.path, "egress"],
        "policyTypes leaves Egress out, but Cilium enforces these egress rules",
      );
  }
  droppedKeys(object.podSelector, settings).forEach((key) =>
    report("BH128", object.podSelector.path, droppedMessage(key)),
  );
  for (const direction of ["ingress", "egress"] as const)
    for (const rule of rules[direction])
      for (const peer of rule.peers ?? []) peerDifferences(peer, direction, world, settings, report);
  return found;
}

type Report = (code: Code, path: Path, message: string) => void;

function peerDifferences(
  peer: NetworkPolicyPeer,
  direction: "ingress" | "egress",
  world: World,
  settings: Settings,
  report: Report,
): void {
  if (peer.kind === "ipBlock") {
    const block = addressSubtract(addressSetOf([peer.cidr]), addressSetOf(peer.except));
    const whom = [
      ...(overlap(block, podAddresses(world)) ? ["pods"] : []),
      ...(!settings.cidrMatchesNodes && overlap(block, nodeAddresses(world)) ? ["nodes"] : []),
    ];
    if (whom.length > 0)
      report(
        "BH103",
        peer.path,
        `the ipBlock ${formatPrefix(peer.cidr)} covers addresses of ${whom.join(" and ")}, which it never matches under Cilium`,
      );
    if (settings.release === "1.19" && settings.localClusterOnly && direction === "ingress")
      report(
        "BH124",
        peer.path,
        "Cilium 1.19.0 to 1.19.4 also let every pod of the policy's namespace through this ipBlock (CVE-2026-56743)",
      );
    return;
  }
  const { namespaceSelector, podSelector } = peer;
  if (namespaceSelector !== undefined && isNegative(namespaceSelector) && !hasPositive(podSelector)) {
    const also = settings.localClusterOnly ? "whatever else carries the cluster's label" : "hosts and the outside";
    report("BH102", namespaceSelector.path, `with negative terms alone Cilium also selects ${also} here`);
  }
  for (const selector of [podSelector, namespaceSelector]) {
    if (selector === undefined) continue;
    const prefix = selector === namespaceSelector ? `${NAMESPACE_LABELS}.` : "";
    for (const key of droppedKeys(selector, settings, prefix)) report("BH128", selector.path, droppedMessage(key));
  }
}

function droppedMessage(key: string): string {
  return `Cilium does not keep the label ${key}, so that this term treats it as absent everywhere`;
}

/** Keys of terms that the label filter drops (K8, R3.1.2). */
function droppedKeys(selector: LabelSelector, settings: Settings, prefix = ""): readonly string[] {
  return selector.requirements
    .map((term) => term.key)
    .filter((key) => !settings.podLabels.keeps("k8s", `${prefix}${key}`));
}

function isNegative(selector: LabelSelector): boolean {
  return (
    selector.requirements.length > 0 &&
    selector.requirements.every(({ operator }) => operator === "NotIn" || operator === "DoesNotExist")
  );
}

function hasPositive(selector: LabelSelector | undefined): boolean {
  return selector?.requirements.some(({ operator }) => operator === "In" || operator === "Exists") ?? false;
}

function overlap(a: AddressSet, b: AddressSet): boolean {
  return addressIntersect(a, b).length > 0;
}

function podAddresses(world: World): AddressSet {
  const known = world.workloads
    .filter((workload) => !workload.hostNetwork)
    .flatMap((workload) => workload.pods.flatMap((pod) => pod.addresses));
  return addressSet([
    ...addressSetOf(known.map(hostPrefix)),
    ...world.addressPlan.pods,
    ...world.nodes.flatMap((node) => node.podCIDRs),
  ]);
}

function nodeAddresses(world: World): AddressSet {
  const known = world.nodes.flatMap((node) => node.addresses);
  return addressSet([...addressSetOf(known.map(hostPrefix)), ...world.addressPlan.nodes]);
}
