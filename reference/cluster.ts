import { type Address, parseAddress, sameAddress } from "./addresses.ts";
import type { KubeObject } from "./objects.ts";
import type { ReferenceOptions } from "./options.ts";
import type { LabelValue } from "./selectors.ts";
import { type Service, serviceOf } from "./services.ts";
import { fieldsOf, isFields, itemsOf, textOf } from "./values.ts";
import { isController, type OwnerName, ownerOf, type Pod, podOf, representatives } from "./workloads.ts";

export interface Node {
  readonly name: string;
  /** Undefined when the input has no Node object of that name. */
  readonly labels: ReadonlyMap<string, string> | undefined;
  readonly addresses: readonly Address[];
  /** Whether the API server is known to run here. */
  readonly apiServer: boolean;
}

/** A controller with its pods, or a pod on its own. */
export interface Workload {
  readonly namespace: string;
  readonly kind: string;
  readonly name: string;
  readonly pods: readonly Pod[];
}

export interface Cluster {
  /** Labels of the namespaces whose manifests are there. */
  readonly namespaces: ReadonlyMap<string, ReadonlyMap<string, string>>;
  readonly nodes: readonly Node[];
  readonly workloads: readonly Workload[];
  /** Every pod that can send or receive, of every workload (K8-37). */
  readonly pods: readonly Pod[];
  readonly services: readonly Service[];
  /** Where the API server is, when `default/kubernetes` tells. */
  readonly apiServerAddresses: readonly Address[];
}

export function clusterOf(objects: readonly KubeObject[], options: ReferenceOptions): Cluster {
  const workloads = workloadsOf(objects).map((workload) => ({
    ...workload,
    pods: workload.pods.map((pod) => ({ ...pod, hostNetwork: pod.hostNetwork && areNodes(options) })),
  }));
  const pods = workloads.flatMap((workload) => workload.pods).filter((pod) => !pod.finished);
  const services = objects.filter((object) => object.kind === "Service").map((object) => serviceOf(object, objects));
  const apiServerAddresses = apiServerAddressesOf(objects);
  return {
    namespaces: namespacesOf(objects),
    nodes: nodesOf(objects, pods, apiServerAddresses),
    workloads,
    pods,
    services,
    apiServerAddresses,
  };
}

/** K8-41, K8-42, R9.7. */
function areNodes(options: ReferenceOptions): boolean {
  return options.dialect !== "kubernetes" || options.hostNetworkPods !== "pods";
}

/** Every namespace carries its own name as a label, written or not (K8-04). */
function namespacesOf(objects: readonly KubeObject[]): ReadonlyMap<string, ReadonlyMap<string, string>> {
  return new Map(
    objects
      .filter((object) => object.kind === "Namespace")
      .map((object) => [object.name, new Map([...object.labels, ["kubernetes.io/metadata.name", object.name]])]),
  );
}

/** A label of a namespace; those of a namespace without manifest are not told, except its name (K8-04). */
export function namespaceLabel(cluster: Cluster, namespace: string, key: string): LabelValue {
  const labels = cluster.namespaces.get(namespace);
  if (labels !== undefined) return labels.get(key);
  if (key === "kubernetes.io/metadata.name") return namespace;
  return {
    fact: `label ${key} of namespace ${namespace}`,
    certain: false,
    could: () => true,
    because: { code: "unknown-label", detail: `${key} of Namespace/${namespace}` },
  };
}

/** The label keys of a namespace that the input tells. */
export function namespaceLabels(cluster: Cluster, namespace: string): ReadonlyMap<string, string> {
  return cluster.namespaces.get(namespace) ?? new Map([["kubernetes.io/metadata.name", namespace]]);
}

/** Controllers and pods; a pod answers under its owner, also when only the reference is known. */
function workloadsOf(objects: readonly KubeObject[]): readonly Workload[] {
  const groups = new Map<string, { namespace: string; owner: OwnerName; pods: Pod[] }>();
  const groupOf = (namespace: string, owner: OwnerName) => {
    const key = `${namespace}/${owner.kind}/${owner.name}`;
    const group = groups.get(key) ?? { namespace, owner, pods: [] };
    groups.set(key, group);
    return group;
  };
  const controllers = objects.filter(isController);
  for (const object of objects.filter((item) => item.kind === "Pod")) {
    const owner = topOwner(object, controllers);
    groupOf(object.namespace, owner).pods.push(podOf(object, owner));
  }
  // A controller whose pods are not in the input is analysed through its template.
  for (const object of controllers.filter((item) => ownerOf(item) === undefined)) {
    const group = groupOf(object.namespace, { kind: object.kind, name: object.name });
    if (group.pods.length === 0) group.pods.push(...representatives(object));
  }
  for (const object of controllers.filter((item) => ownerOf(item) !== undefined)) {
    const owner = topOwner(object, controllers);
    const group = groupOf(object.namespace, owner);
    if (group.pods.length === 0) group.pods.push(...representatives(object).map((pod) => ({ ...pod, owner })));
  }
  return [...groups.values()].map((group) => ({
    namespace: group.namespace,
    kind: group.owner.kind,
    name: group.owner.name,
    pods: group.pods,
  }));
}

/** Follows controller references as far as the input has the objects; the last reference is the owner. */
function topOwner(object: KubeObject, controllers: readonly KubeObject[]): OwnerName {
  const owner = ownerOf(object);
  if (owner === undefined) return { kind: object.kind, name: object.name };
  const next = controllers.find(
    (item) => item.namespace === object.namespace && item.kind === owner.kind && item.name === owner.name,
  );
  return next === undefined || next === object ? owner : topOwner(next, controllers);
}

function nodesOf(
  objects: readonly KubeObject[],
  pods: readonly Pod[],
  apiServerAddresses: readonly Address[],
): readonly Node[] {
  const written = objects.filter((object) => object.kind === "Node");
  const names = new Set(written.map((object) => object.name));
  for (const pod of pods) if (pod.node !== undefined) names.add(pod.node);
  return [...names].map((name) => {
    const object = written.find((item) => item.name === name);
    const status = fieldsOf(object?.fields["status"]);
    const own = itemsOf(status["addresses"])
      .map((item) => parseAddress(textOf(fieldsOf(item)["address"]) ?? ""))
      .filter((address) => address !== undefined);
    const guests = pods.filter((pod) => pod.hostNetwork && pod.node === name);
    const addresses: Address[] = [];
    // WL-15: a host-network pod has the address of its node.
    for (const address of [...own, ...guests.flatMap((pod) => pod.addresses)])
      if (!addresses.some((known) => sameAddress(known, address))) addresses.push(address);
    return {
      name,
      labels: object?.labels,
      addresses,
      apiServer:
        addresses.some((address) => apiServerAddresses.some((known) => sameAddress(known, address))) ||
        guests.some((pod) => pod.namespace === "kube-system" && pod.labels.get("component") === "kube-apiserver") ||
        CONTROL_PLANE.some((key) => object?.labels.has(key)),
    };
  });
}

/** Labels that installers put on the nodes of the control plane. */
const CONTROL_PLANE = ["node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"];

/** The endpoints of `default/kubernetes`. */
function apiServerAddressesOf(objects: readonly KubeObject[]): readonly Address[] {
  return objects
    .filter((object) => object.namespace === "default")
    .flatMap((object) => {
      if (object.kind === "EndpointSlice" && object.labels.get("kubernetes.io/service-name") === "kubernetes")
        return itemsOf(object.fields["endpoints"]).flatMap((item) => itemsOf(fieldsOf(item)["addresses"]));
      if (object.kind === "Endpoints" && object.name === "kubernetes")
        return itemsOf(object.fields["subsets"])
          .filter(isFields)
          .flatMap((subset) => itemsOf(subset["addresses"]).map((item) => fieldsOf(item)["ip"]));
      return [];
    })
    .map((item) => parseAddress(textOf(item) ?? ""))
    .filter((address) => address !== undefined);
}
