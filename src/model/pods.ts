/** What one pod has, whether of its own or from its workload. */
import type { PodDifference, PodInstance, Workload, World } from "./world.ts";
import { workloadsOf } from "./world-index.ts";

/** The network, account and ports of a pod. */
export function podTraits(workload: Workload, pod: PodInstance): PodDifference {
  return pod.differs ?? workload;
}

/** Values of the label `k8s-app` that DNS servers of clusters carry. */
const SERVERS: readonly unknown[] = ["kube-dns", "coredns", "node-local-dns"];

const SYSTEM = "kube-system";

/** Whether the cluster's DNS servers may stand in a namespace. */
export function isServerNamespace(namespace: string): boolean {
  return namespace === SYSTEM;
}

/** The workloads among which are the cluster's DNS servers. */
export function dnsWorkloads(world: World): readonly Workload[] {
  return workloadsOf(world, SYSTEM);
}

/** Whether a pod is one of the cluster's DNS servers. */
export function isDnsServer(workload: Workload, pod: PodInstance): boolean {
  return workload.namespace === SYSTEM && SERVERS.includes(pod.labels.get("k8s-app"));
}
