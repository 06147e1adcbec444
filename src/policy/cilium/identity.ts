/** The labels by which an end of a connection is known (cilium.md 2.2, 3.1, 3.2; `pkg/identity/numericidentity.go`). */
import type { IdentityLabels, LabelValue } from "../../model/labels.ts";
import { UNKNOWN } from "../../model/labels.ts";
import type { Node, PodInstance, Workload, World } from "../../model/world.ts";
import type { Party } from "../dialect.ts";
import { CLUSTER, NAMESPACE_LABELS, POD_NAMESPACE, SERVICE_ACCOUNT } from "./keys.ts";
import { type Settings, since } from "./settings.ts";

/** The labels that a peer's selector, or a subject's of target `endpoint`, is matched against. */
export function identify(party: Party, world: World, settings: Settings): IdentityLabels {
  switch (party.kind) {
    case "pod":
      return podIdentity(party.workload, party.pod, world, settings);
    case "node":
      return nodeIdentity(party.node, party.local, settings);
    case "outside": {
      // One stack or two is not told: the label of the one (2) and of the other (9, 10), so that `world` and
      // `world-ipv4` both answer right (3.3).
      const family = party.family === "IPv4" ? "world-ipv4" : "world-ipv6";
      return reservedLabels("world", family);
    }
    case "reserved":
      return party.name === "kube-apiserver" ? apiServerIdentity(world) : reservedLabels(party.name);
  }
}

function reservedLabels(...names: readonly string[]): Map<string, LabelValue> {
  return new Map(names.map((name) => [`reserved:${name}`, ""]));
}

/** Labels of a pod, of its namespace and those that Cilium makes, as far as the filter keeps them (2.2, R3.1.3). */
function podIdentity(workload: Workload, pod: PodInstance, world: World, settings: Settings): IdentityLabels {
  const labels = new Map<string, LabelValue>();
  const add = (key: string, value: LabelValue): void => {
    if (settings.podLabels.keeps("k8s", key)) labels.set(`k8s:${key}`, value);
  };
  for (const [key, value] of pod.labels) add(key, value);
  for (const [key, value] of world.namespaces.get(workload.namespace)?.labels ?? [])
    add(`${NAMESPACE_LABELS}.${key}`, value);
  add(POD_NAMESPACE, workload.namespace);
  add(SERVICE_ACCOUNT, pod.differs?.serviceAccount ?? workload.serviceAccount);
  add(CLUSTER, settings.clusterName);
  return labels;
}

/**
 * A node and its host-network pods (R9.7): `host` for the other end's own node, else `remote-node`; `kube-apiserver`
 * where the API server runs on it (3.2). With `enable-node-selector-labels` also its labels and, since 1.18, the
 * cluster's name (R2.3.3; `nodeIdentityLabels` in `pkg/node/manager/manager.go`): without that setting no reserved
 * identity carries the cluster's label, which settles U21 for nodes.
 */
function nodeIdentity(node: Node | undefined, local: boolean, settings: Settings): IdentityLabels {
  const labels = reservedLabels(local ? "host" : "remote-node");
  if (node?.apiServer === true) labels.set("reserved:kube-apiserver", "");
  if (settings.nodeSelectorLabels) {
    for (const [key, value] of node?.labels ?? [])
      if (settings.nodeLabels.keeps("node", key)) labels.set(`node:${key}`, value);
    if (since(settings.release, "1.18")) labels.set(`k8s:${CLUSTER}`, settings.clusterName);
  }
  return labels;
}

/**
 * The API server by name. Where no node is known to run it and no address outside is known for it, whether it is a
 * remote node or part of the world is not known either (R3.3.1).
 */
function apiServerIdentity(world: World): IdentityLabels {
  const labels = reservedLabels("kube-apiserver");
  const onNode = world.nodes.some((node) => node.apiServer);
  const outside = world.apiServerAddresses.length > 0;
  if (onNode) labels.set("reserved:remote-node", "");
  else if (outside) labels.set("reserved:world", "");
  else {
    labels.set("reserved:remote-node", UNKNOWN);
    labels.set("reserved:world", UNKNOWN);
  }
  return labels;
}

/**
 * The labels that a subject's selector is matched against. A node selector sees the host endpoint: `reserved:host` and
 * the node's own labels, filtered as those of pods (R9.5; `InitWithNodeLabels` in `pkg/endpoint/endpoint.go`), whatever
 * the setting for node identities says.
 */
export function subjectLabels(party: Party, world: World, settings: Settings): IdentityLabels {
  if (party.kind !== "node") return identify(party, world, settings);
  const labels = reservedLabels("host");
  if (party.node?.apiServer === true) labels.set("reserved:kube-apiserver", "");
  for (const [key, value] of party.node?.labels ?? []) {
    if (!settings.podLabels.keeps("k8s", key)) continue;
    labels.set(`k8s:${key}`, value);
    labels.set(`node:${key}`, value);
  }
  return labels;
}
