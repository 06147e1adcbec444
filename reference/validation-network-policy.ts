import { isWithin, parsePrefixLeniently } from "./addresses.ts";
import type { KubeObject } from "./objects.ts";
import {
  isPortName,
  labelSelector,
  mapping,
  objectName,
  oneOf,
  optionalText,
  optionalWhole,
  refuse,
  sequence,
  TOP_LEVEL,
} from "./validation.ts";
import { isGiven } from "./values.ts";

/** What the API server rejects in a NetworkPolicy (kubernetes.md 1.11). */
export function checkNetworkPolicy(object: KubeObject): void {
  objectName(object.name);
  const fields = mapping("", object.fields, TOP_LEVEL);
  const spec = mapping("spec", fields["spec"], ["podSelector", "policyTypes", "ingress", "egress"]);
  labelSelector("spec.podSelector", spec["podSelector"]);
  checkPolicyTypes(spec["policyTypes"]);
  for (const [direction, peers] of [
    ["ingress", "from"],
    ["egress", "to"],
  ] as const)
    for (const [index, item] of sequence(`spec.${direction}`, spec[direction]).entries()) {
      const place = `spec.${direction}[${index}]`;
      const rule = mapping(place, item, [peers, "ports"]);
      for (const [at, port] of sequence(`${place}.ports`, rule["ports"]).entries())
        checkPort(`${place}.ports[${at}]`, port);
      for (const [at, peer] of sequence(`${place}.${peers}`, rule[peers]).entries())
        checkPeer(`${place}.${peers}[${at}]`, peer);
    }
}

/** K8-61, K8-62. */
function checkPolicyTypes(value: unknown): void {
  const types = sequence("spec.policyTypes", value);
  if (types.length > 2) refuse("spec.policyTypes", "may not specify more than two policyTypes");
  for (const type of types) oneOf("spec.policyTypes", type, ["Ingress", "Egress"]);
}

/** K8-46 … K8-54. */
function checkPort(path: string, value: unknown): void {
  const item = mapping(path, value, ["protocol", "port", "endPort"]);
  const protocol = optionalText(`${path}.protocol`, item["protocol"]);
  if (protocol !== undefined) oneOf(`${path}.protocol`, protocol, ["TCP", "UDP", "SCTP"]);
  const { port } = item;
  const endPort = optionalWhole(`${path}.endPort`, item["endPort"]);
  if (typeof port === "number" && !isPortNumber(port)) refuse(`${path}.port`, "must be between 1 and 65535, inclusive");
  if (typeof port === "string" && !isPortName(port)) refuse(`${path}.port`, "must be a valid port name");
  if (isGiven(port) && typeof port !== "number" && typeof port !== "string") refuse(`${path}.port`, "not a port");
  if (endPort === undefined) return;
  if (!isGiven(port)) refuse(`${path}.endPort`, "may not be specified when `port` is not specified");
  if (typeof port !== "number") return refuse(`${path}.endPort`, "may not be specified when `port` is non-numeric");
  if (endPort < port) refuse(`${path}.endPort`, "must be greater than or equal to `port`");
  if (!isPortNumber(endPort)) refuse(`${path}.endPort`, "must be between 1 and 65535, inclusive");
}

export function isPortNumber(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65535;
}

/** K8-55, K8-56. */
function checkPeer(path: string, value: unknown): void {
  const peer = mapping(path, value, ["podSelector", "namespaceSelector", "ipBlock"]);
  const selectors = ["podSelector", "namespaceSelector"].filter((key) => isGiven(peer[key]));
  for (const key of selectors) labelSelector(`${path}.${key}`, peer[key]);
  if (!isGiven(peer["ipBlock"])) {
    if (selectors.length === 0) refuse(path, "must specify a peer");
    return;
  }
  if (selectors.length > 0) refuse(path, "may not specify both ipBlock and another peer");
  checkBlock(`${path}.ipBlock`, peer["ipBlock"]);
}

/** K8-57 … K8-60: host bits and leading zeros are read leniently; `except` must be a strict subset. */
function checkBlock(path: string, value: unknown): void {
  const block = mapping(path, value, ["cidr", "except"]);
  const cidr = parsePrefixLeniently(optionalText(`${path}.cidr`, block["cidr"]) ?? "");
  if (cidr === undefined) return refuse(`${path}.cidr`, "must be a valid CIDR value");
  for (const item of sequence(`${path}.except`, block["except"])) {
    const except = parsePrefixLeniently(optionalText(`${path}.except`, item) ?? "");
    if (except === undefined) return refuse(`${path}.except`, "must be a valid CIDR value");
    if (!isWithin(except, cidr) || except.length === cidr.length)
      refuse(`${path}.except`, "must be a strict subset of `cidr`");
  }
}
