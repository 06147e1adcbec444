import type { Workload } from "../model/world.ts";

/** Labels that name the application of a workload, the most telling first. */
const APPLICATION_LABELS = ["app.kubernetes.io/part-of", "org", "app.kubernetes.io/name", "app", "k8s-app"];

/** The application that a workload belongs to: `namespace/VALUE` of the first label that names one, else its own name. */
export function applicationName(workload: Workload): string {
  const labels = workload.pods[0]?.labels;
  for (const key of APPLICATION_LABELS) {
    const value = labels?.get(key);
    if (typeof value === "string" && value !== "") return `${workload.namespace}/${value}`;
  }
  return `${workload.namespace}/${workload.name}`;
}
