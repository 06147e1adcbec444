import { readSelector } from "./selectors.ts";
import type { KubeObject } from "./objects.ts";
import { isPortName, refuse } from "./validation.ts";
import { templateOf } from "./workloads.ts";
import { type Fields, fieldsOf, isFields, isGiven, itemsOf, labelsOf, textOf, wholeOf } from "./values.ts";

/** Names of container ports (WL-14). */
export function checkPod(object: KubeObject): void {
  checkPortNames("spec", object.fields["spec"]);
}

function checkPortNames(path: string, value: unknown): void {
  const spec = fieldsOf(value);
  for (const list of ["containers", "initContainers"])
    for (const container of itemsOf(spec[list]).map(fieldsOf)) {
      const names = itemsOf(container["ports"]).flatMap((port) => textOf(fieldsOf(port)["name"]) || []);
      if (new Set(names).size !== names.length) refuse(`${path}.${list}.ports`, "duplicate port name");
      if (!names.every(isPortName)) refuse(`${path}.${list}.ports`, "not a valid port name");
    }
}

/** apps/v1 needs selector ⊆ template labels (WL-10). */
export function checkController(object: KubeObject): void {
  checkPortNames("spec.template.spec", templateOf(object)["spec"]);
  const spec = fieldsOf(object.fields["spec"]);
  if (!object.apiVersion.startsWith("apps/") || !isGiven(spec["selector"])) return;
  const labels = labelsOf(fieldsOf(fieldsOf(spec["template"])["metadata"])["labels"]);
  for (const requirement of readSelector(spec["selector"])) {
    const value = labels.get(requirement.key);
    const listed = value !== undefined && requirement.values.includes(value);
    const fits =
      (requirement.operator === "In" && listed) ||
      (requirement.operator === "NotIn" && !listed) ||
      (requirement.operator === "Exists" && value !== undefined) ||
      (requirement.operator === "DoesNotExist" && value === undefined);
    if (!fits) refuse("spec.selector", "`selector` does not match template `labels`");
  }
}

/** What the API rejects in a Service (SVC-08, SVC-16). */
export function checkService(object: KubeObject): void {
  const spec = fieldsOf(object.fields["spec"]);
  const type = textOf(spec["type"]) || "ClusterIP";
  const ports = itemsOf(spec["ports"]).filter(isFields);
  if (type === "ExternalName" && !textOf(spec["externalName"])) refuse("spec.externalName", "required");
  if (spec["clusterIP"] === "None" && type !== "ClusterIP" && type !== "ExternalName")
    refuse("spec.clusterIP", "may not be None for this type");
  const isAccessible =
    type === "NodePort" || type === "LoadBalancer" || (type === "ClusterIP" && itemsOf(spec["externalIPs"]).length > 0);
  if (isGiven(spec["externalTrafficPolicy"]) && spec["externalTrafficPolicy"] !== "" && !isAccessible)
    refuse("spec.externalTrafficPolicy", "may only be set for externally-accessible services");
  if (itemsOf(spec["loadBalancerSourceRanges"]).length > 0 && type !== "LoadBalancer")
    refuse("spec.loadBalancerSourceRanges", "may only be used when `type` is 'LoadBalancer'");
  checkServicePorts(ports);
}

function checkServicePorts(ports: readonly Fields[]): void {
  const names = ports.map((port) => textOf(port["name"]) ?? "");
  if (ports.length > 1 && names.includes("")) refuse("spec.ports", "several ports need names");
  if (new Set(names).size !== names.length) refuse("spec.ports", "duplicate port name");
  const keys = ports.map((port) => `${wholeOf(port["port"])}/${textOf(port["protocol"]) || "TCP"}`);
  if (new Set(keys).size !== keys.length) refuse("spec.ports", "duplicate port and protocol");
  for (const port of ports) {
    const nodePort = wholeOf(port["nodePort"]);
    if (nodePort !== undefined && nodePort !== 0 && (nodePort < 30000 || nodePort > 32767))
      refuse("spec.ports.nodePort", "provided port is not in the valid range");
  }
}
