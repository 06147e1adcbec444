/** The labels by which an end of a connection is known (cilium.md 2.2, 3.1, 3.2; `pkg/identity/numericidentity.go`). */
import type { IdentityLabels, LabelValue } from "../../model/labels.ts";
import { UNKNOWN } from "../../model/labels.ts";
import type { Node, PodInstance, Workload, World } from "../../model/world.ts";
import type { Family } from "../../net/address.ts";
import type { Party } from "../dialect.ts";
import { UNKNOWN_LABELS } from "../selector.ts";
import { CLUSTER, NAMESPACE_LABELS, POD_NAMESPACE, SERVICE_ACCOUNT } from "./keys.ts";
import { type Settings, since } from "./settings.ts";

/** The labels that a peer's selector, or a subject's of target `endpoint`, is matched against. */
export function identify(party: Party, world: World, settings: Settings): IdentityLabels {
  switch (party.kind) {
    case "pod":
      return podIdentity(party.workload, party.pod, world, settings);
    case "node":
      return nodeIdentity(party.node, party.local, settings);
    case "outside":
      return worldIdentity(party.family, settings);
    case "reserved": {
      const labels = party.name === "kube-apiserver" ? apiServerIdentity(world) : reservedLabels(party.name);
      return withUnclearCluster(labels, settings);
    }
  }
}

/**
 * The outside: the label of one stack (2), or those of two (9, 10). Where the settings do not tell which, both, so that
 * `world` and `world-ipv4` answer right either way (3.2, 3.3).
 */
function worldIdentity(family: Family, settings: Settings): IdentityLabels {
  const own = family === "IPv4" ? "world-ipv4" : "world-ipv6";
  if (settings.stack === "unknown") return reservedLabels("world", own);
  return reservedLabels(settings.stack === "dual" ? own : "world");
}

/**
 * Which reserved identities carry the cluster's label where selectors ask for it is not settled (K3, U21): it may be
 * there. Only selectors that no positive term confines to pods can tell.
 */
function withUnclearCluster(labels: Map<string, LabelValue>, settings: Settings): IdentityLabels {
  if (settings.localClusterOnly) labels.set(`k8s:${CLUSTER}`, UNKNOWN);
  return labels;
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
  const namespace = world.namespaces.get(workload.namespace);
  for (const [key, value] of namespace?.labels ?? []) add(`${NAMESPACE_LABELS}.${key}`, value);
  // Of a namespace without an object only its name is told (kubernetes.md K8-04).
  if (namespace?.declared !== true) add(`${NAMESPACE_LABELS}.${UNKNOWN_LABELS}`, UNKNOWN);
  add(POD_NAMESPACE, workload.namespace);
  add(SERVICE_ACCOUNT, pod.differs?.serviceAccount ?? workload.serviceAccount);
  add(CLUSTER, settings.clusterName);
  return labels;
}

/**
 * A node and its host-network pods (R9.7): `host` for the other end's own node, else `remote-node`; `kube-apiserver`
 * where the API server runs on it (3.2). With `enable-node-selector-labels` a remote node also has its labels and, since
 * 1.18, the cluster's name (R2.3.3; `nodeIdentityLabels` in `pkg/node/manager/manager.go`).
 */
function nodeIdentity(node: Node | undefined, local: boolean, settings: Settings): IdentityLabels {
  const labels = reservedLabels(local ? "host" : "remote-node");
  if (node?.apiServer === true) labels.set("reserved:kube-apiserver", "");
  if (local || !settings.nodeSelectorLabels) return withUnclearCluster(labels, settings);
  if (isUntold(node)) labels.set(`node:${UNKNOWN_LABELS}`, UNKNOWN);
  for (const [key, value] of node?.labels ?? [])
    if (settings.nodeLabels.keeps("node", key)) labels.set(`node:${key}`, value);
  if (since(settings.release, "1.18")) labels.set(`k8s:${CLUSTER}`, settings.clusterName);
  return labels;
}

/**
 * The API server by name: a part of the world where its address outside is known, on some node where that is known, and
 * else any of these (R3.3.1).
 */
function apiServerIdentity(world: World): Map<string, LabelValue> {
  const labels = reservedLabels("kube-apiserver");
  const onNode = world.nodes.some((node) => node.apiServer);
  const outside = world.apiServerAddresses.length > 0;
  const places = onNode ? ["host", "remote-node"] : outside ? [] : ["host", "remote-node", "world"];
  for (const place of places) labels.set(`reserved:${place}`, UNKNOWN);
  if (outside && !onNode) labels.set("reserved:world", "");
  return labels;
}

/**
 * The labels that a subject's selector is matched against. A node selector sees the host endpoint: `reserved:host` and
 * the node's own labels with source `k8s`, filtered as those of pods (R9.5; `InitWithNodeLabels` in `pkg/endpoint/endpoint.go`), whatever
 * the setting for node identities says.
 */
export function subjectLabels(party: Party, world: World, settings: Settings): IdentityLabels {
  if (party.kind !== "node") return identify(party, world, settings);
  const labels = reservedLabels("host");
  if (party.node?.apiServer === true) labels.set("reserved:kube-apiserver", "");
  if (isUntold(party.node)) labels.set(`k8s:${UNKNOWN_LABELS}`, UNKNOWN);
  for (const [key, value] of party.node?.labels ?? [])
    if (settings.podLabels.keeps("k8s", key)) labels.set(`k8s:${key}`, value);
  return labels;
}

/** Whether the input does not tell a node's labels: which node it is, or its Node object, is missing. */
function isUntold(node: Node | undefined): boolean {
  return node === undefined || node.synthesised === true;
}
