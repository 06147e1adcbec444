/** What one pod has, whether of its own or from its workload. */
import type { PodDifference, PodInstance, Workload } from "./world.ts";

/** The network, account and ports of a pod. */
export function podTraits(workload: Workload, pod: PodInstance): PodDifference {
  return pod.differs ?? workload;
}
