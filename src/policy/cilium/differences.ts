/**
 * Where Cilium reads a NetworkPolicy in another way than its specification: what every release does (K2, K3, K5, named
 * by the folder of Kubernetes), and what hangs on release and settings (cilium.md K6, K8).
 */
import { type Diagnostic, diagnostic } from "../../base/diagnostic.ts";
import { formatPath } from "../../documents/cursor.ts";
import type { Path } from "../../documents/document.ts";
import type { World } from "../../model/world.ts";
import { ciliumDifferences } from "../kubernetes/differences.ts";
import type { LabelSelector } from "../kubernetes/label-selector.ts";
import type { NetworkPolicyObject, NetworkPolicyPeer } from "../kubernetes/network-policy.ts";
import { NAMESPACE_LABELS } from "./keys.ts";
import { NEWEST_RELEASE, type Settings, settingsOf } from "./settings.ts";

/**
 * Names the differences that one NetworkPolicy shows, each at its place.
 *
 * Takes the decoded policy, the world and Cilium's settings (absent: those of the newest release in this world).
 */
export function networkPolicyDifferences(
  object: NetworkPolicyObject,
  world: World,
  settings: Settings = settingsOf(NEWEST_RELEASE, world),
): readonly Diagnostic[] {
  const found: Diagnostic[] = [...ciliumDifferences(object, world)];
  const at = (path: Path): string => `NetworkPolicy ${object.namespace}/${object.name}: ${formatPath(path)}`;
  const selector = (labels: LabelSelector | undefined, prefix = ""): void => {
    for (const key of labels === undefined ? [] : droppedKeys(labels, settings, prefix)) {
      const message = `${at(labels?.path ?? [])} asks for the label ${key}, which Cilium does not keep: no identity has it`;
      found.push(diagnostic("BH128", message, object.document.locate(labels?.path ?? [])));
    }
  };
  selector(object.podSelector);
  for (const direction of ["ingress", "egress"] as const) {
    for (const peer of (object[direction] ?? []).flatMap((rule) => rule.peers ?? [])) {
      if (peer.kind === "selectors") {
        selector(peer.podSelector);
        selector(peer.namespaceSelector, `${NAMESPACE_LABELS}.`);
      } else if (direction === "ingress" && readWidely(peer, settings)) {
        const message = `${at(peer.path)}: Cilium 1.19.0 to 1.19.4 also let every pod of the namespace through (CVE-2026-56743)`;
        found.push(diagnostic("BH124", message, object.document.locate(peer.path)));
      }
    }
  }
  return found;
}

/** Whether the peer falls under the defect of 1.19.0 to 1.19.4 (K6). */
export function readWidely(peer: NetworkPolicyPeer, settings: Settings): boolean {
  return peer.kind === "ipBlock" && settings.release === "1.19" && settings.localClusterOnly;
}

/** Keys of terms that the label filter drops (K8, R3.1.2). */
function droppedKeys(selector: LabelSelector, settings: Settings, prefix: string): readonly string[] {
  return selector.requirements
    .map((term) => term.key)
    .filter((key) => !settings.podLabels.keeps("k8s", `${prefix}${key}`));
}
