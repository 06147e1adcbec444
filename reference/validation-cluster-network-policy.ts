import { parsePrefix } from "./addresses.ts";
import { isPortNumber } from "./validation-network-policy.ts";
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
import { type Fields, fieldsOf, isGiven, itemsOf } from "./values.ts";

/** What the published schema refuses in a ClusterNetworkPolicy (CNP-01 … CNP-16). */
export function checkClusterNetworkPolicy(object: KubeObject, isStored: boolean): void {
  objectName(object.name);
  const spec = specOf(object, ["tier", "priority", "subject", "ingress", "egress"]);
  oneOf("spec.tier", spec["tier"], ["Admin", "Baseline"]);
  checkPriority(spec["priority"]);
  checkPods("spec.subject", exactlyOne("spec.subject", spec["subject"], ["namespaces", "pods"]));
  for (const direction of ["ingress", "egress"] as const) {
    const rules = sequence(`spec.${direction}`, spec[direction]);
    if (rules.length > 25) refuse(`spec.${direction}`, "at most 25 rules");
    for (const [index, item] of rules.entries()) checkRule(`spec.${direction}[${index}]`, item, direction, isStored);
  }
  checkNamedPorts(itemsOf(spec["egress"]));
}

function specOf(object: KubeObject, known: readonly string[]): Fields {
  const fields = mapping("", object.fields, TOP_LEVEL);
  if (!isGiven(fields["spec"])) refuse("spec", "required");
  return mapping("spec", fields["spec"], known);
}

/** CNP-06. */
function checkPriority(value: unknown): void {
  const priority = optionalWhole("spec.priority", value);
  if (priority === undefined || priority < 0 || priority > 1000) refuse("spec.priority", "must be from 0 to 1000");
}

/** A mapping with exactly one of these keys (CNP-06). */
function exactlyOne(path: string, value: unknown, keys: readonly string[]): Fields {
  const fields = mapping(path, value, keys);
  if (keys.filter((key) => isGiven(fields[key])).length !== 1) refuse(path, `exactly one of ${keys.join(", ")}`);
  return fields;
}

/** `namespaces` or `pods`, where given. */
function checkPods(path: string, fields: Fields): void {
  if (isGiven(fields["namespaces"])) labelSelector(`${path}.namespaces`, fields["namespaces"]);
  if (!isGiven(fields["pods"])) return;
  const pods = mapping(`${path}.pods`, fields["pods"], ["namespaceSelector", "podSelector"]);
  labelSelector(`${path}.pods.namespaceSelector`, pods["namespaceSelector"]);
  if (!isGiven(pods["podSelector"])) refuse(`${path}.pods.podSelector`, "required");
  labelSelector(`${path}.pods.podSelector`, pods["podSelector"]);
}

/** A list of 1 to 25 items (CNP-06). */
function shortList(path: string, value: unknown): readonly unknown[] {
  const items = sequence(path, value);
  if (items.length < 1 || items.length > 25) refuse(path, "must have 1 to 25 items");
  return items;
}

/** The same without repeats: the schema has both lists as sets. */
function shortSet(path: string, value: unknown): readonly unknown[] {
  const items = shortList(path, value);
  if (new Set(items).size !== items.length) refuse(path, "duplicate value");
  return items;
}

/**
 * CNP-17: a port's name beside peers that are no pods. The experimental schema refuses it, and that is the one in force
 * where the object has any field of its own.
 */
function checkNamedPorts(rules: readonly unknown[]): void {
  const peersOf = (rule: unknown) => itemsOf(fieldsOf(rule)["to"]).map(fieldsOf);
  const isExperimental = rules.flatMap(peersOf).some((peer) => isGiven(peer["nodes"]) || isGiven(peer["domainNames"]));
  if (!isExperimental) return;
  for (const rule of rules) {
    const isNamed = itemsOf(fieldsOf(rule)["protocols"]).some((item) =>
      isGiven(fieldsOf(item)["destinationNamedPort"]),
    );
    if (isNamed && peersOf(rule).some(isNoPodPeer)) refuse("spec.egress", "named ports beside peers that are no pods");
  }
}

function isNoPodPeer(peer: Fields): boolean {
  return ["networks", "nodes", "domainNames"].some((key) => isGiven(peer[key]));
}

function checkRule(path: string, value: unknown, direction: "ingress" | "egress", isStored: boolean): void {
  const peers = direction === "ingress" ? "from" : "to";
  const rule = mapping(path, value, ["name", "action", peers, "protocols"]);
  if ((optionalText(`${path}.name`, rule["name"]) ?? "").length > 100) refuse(`${path}.name`, "at most 100 characters");
  oneOf(`${path}.action`, rule["action"], ["Accept", "Deny", "Pass"]);
  for (const [index, peer] of shortList(`${path}.${peers}`, rule[peers]).entries())
    if (!isStored || !isOfNewerKind(peer)) checkPeer(`${path}.${peers}[${index}]`, peer, direction);
  if (!isGiven(rule["protocols"])) return;
  for (const [index, item] of shortList(`${path}.protocols`, rule["protocols"]).entries())
    checkProtocol(`${path}.protocols[${index}]`, item);
}

const PEERS = ["namespaces", "pods", "networks", "nodes", "domainNames"];

/** A peer of which only a newer schema knows the member (CNP-23). */
export function isOfNewerKind(peer: unknown): boolean {
  const keys = Object.keys(fieldsOf(peer));
  return keys.some((key) => !PEERS.includes(key)) && !keys.some((key) => PEERS.includes(key));
}

/** CNP-01 … CNP-05, CNP-10, CNP-11. */
function checkPeer(path: string, value: unknown, direction: "ingress" | "egress"): void {
  const keys = direction === "ingress" ? ["namespaces", "pods"] : PEERS;
  const peer = exactlyOne(path, value, keys);
  checkPods(path, peer);
  if (isGiven(peer["networks"]))
    for (const item of shortSet(`${path}.networks`, peer["networks"])) checkCidr(path, item);
  if (isGiven(peer["nodes"])) labelSelector(`${path}.nodes`, peer["nodes"]);
  if (isGiven(peer["domainNames"]))
    for (const item of shortSet(`${path}.domainNames`, peer["domainNames"])) checkDomain(path, item);
}

function checkCidr(path: string, value: unknown): void {
  const text = optionalText(`${path}.networks`, value) ?? "";
  if (text.length > 43 || parsePrefix(text) === undefined) refuse(`${path}.networks`, "must be a CIDR");
}

/** At least two labels after the optional `*.`; a trailing dot may follow (CNP-10). */
function checkDomain(path: string, value: unknown): void {
  const text = optionalText(`${path}.domainNames`, value) ?? "";
  const label = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
  if (!new RegExp(`^(\\*\\.)?(${label}\\.)+${label}\\.?$`, "i").test(text))
    refuse(`${path}.domainNames`, "must be a name of at least two labels, with an optional leading `*.`");
}

/** CNP-12 … CNP-14, CNP-16. */
function checkProtocol(path: string, value: unknown): void {
  const item = exactlyOne(path, value, ["tcp", "udp", "sctp", "destinationNamedPort"]);
  if (isGiven(item["destinationNamedPort"])) {
    const name = optionalText(`${path}.destinationNamedPort`, item["destinationNamedPort"]) ?? "";
    if (!isPortName(name.toLowerCase())) refuse(`${path}.destinationNamedPort`, "must be a port name");
    return;
  }
  for (const key of ["tcp", "udp", "sctp"].filter((name) => isGiven(item[name]))) {
    const protocol = mapping(`${path}.${key}`, item[key], ["destinationPort"]);
    if (!isGiven(protocol["destinationPort"])) refuse(`${path}.${key}`, "must have at least one property");
    const port = exactlyOne(`${path}.${key}.destinationPort`, protocol["destinationPort"], ["number", "range"]);
    if (isGiven(port["number"])) checkNumber(`${path}.${key}`, port["number"]);
    else checkRange(`${path}.${key}`, mapping(`${path}.${key}.destinationPort.range`, port["range"], ["start", "end"]));
  }
}

function checkNumber(path: string, value: unknown): number {
  const number = optionalWhole(path, value) ?? 0;
  if (!isPortNumber(number)) refuse(path, "must be between 1 and 65535");
  return number;
}

/** start < end; equal is refused (CNP-13). */
function checkRange(path: string, range: Fields): void {
  if (checkNumber(path, range["start"]) >= checkNumber(path, range["end"])) refuse(path, "start must be below end");
}

/** The older kinds (CNP-27 … CNP-34), also with the peers of early v1alpha1. */
export function checkAdminNetworkPolicy(object: KubeObject, isStored: boolean): void {
  objectName(object.name);
  const isBaseline = object.kind === "BaselineAdminNetworkPolicy";
  const spec = specOf(object, [...(isBaseline ? [] : ["priority"]), "subject", "ingress", "egress"]);
  if (isBaseline && object.name !== "default") refuse("metadata.name", "must be `default`");
  if (!isBaseline) checkPriority(spec["priority"]);
  checkOldPods("spec.subject", exactlyOne("spec.subject", spec["subject"], ["namespaces", "pods"]));
  for (const direction of ["ingress", "egress"] as const) {
    const rules = sequence(`spec.${direction}`, spec[direction]);
    if (rules.length > 100) refuse(`spec.${direction}`, "at most 100 rules");
    for (const [index, item] of rules.entries()) {
      const path = `spec.${direction}[${index}]`;
      const peers = direction === "ingress" ? "from" : "to";
      const rule = mapping(path, item, ["name", "action", peers, "ports"]);
      oneOf(`${path}.action`, rule["action"], isBaseline ? ["Allow", "Deny"] : ["Allow", "Deny", "Pass"]);
      checkOldRule(path, rule, direction, peers, isStored);
    }
  }
}

function checkOldRule(
  path: string,
  rule: Fields,
  direction: "ingress" | "egress",
  peers: "from" | "to",
  isStored: boolean,
): void {
  const items = sequence(`${path}.${peers}`, rule[peers]);
  if (items.length < 1 || items.length > 100) refuse(`${path}.${peers}`, "must have 1 to 100 items");
  for (const [index, value] of items.entries()) {
    const place = `${path}.${peers}[${index}]`;
    if (isStored && isOfNewerKind(value)) continue;
    const keys = direction === "ingress" ? ["namespaces", "pods"] : PEERS;
    const peer = exactlyOne(place, value, keys);
    checkOldPods(place, peer);
    if (isGiven(peer["networks"]))
      for (const item of shortSet(`${place}.networks`, peer["networks"])) checkCidr(place, item);
    if (isGiven(peer["nodes"])) labelSelector(`${place}.nodes`, peer["nodes"]);
    if (isGiven(peer["domainNames"])) {
      if (rule["action"] !== "Allow") refuse(`${place}.domainNames`, "only with Allow");
      for (const item of shortSet(`${place}.domainNames`, peer["domainNames"])) checkDomain(place, item);
    }
  }
  const ports = sequence(`${path}.ports`, rule["ports"]);
  if (ports.length > 100) refuse(`${path}.ports`, "at most 100 ports");
  for (const [index, value] of ports.entries()) checkOldPort(`${path}.ports[${index}]`, value);
  // CNP-32: the name itself is of the experimental channel (CNP-17).
  if (ports.some((port) => isGiven(fieldsOf(port)["namedPort"])) && items.map(fieldsOf).some(isNoPodPeer))
    refuse(path, "named ports beside peers that are no pods");
}

/** CNP-30, CNP-31. */
function checkOldPort(path: string, value: unknown): void {
  const item = exactlyOne(path, value, ["portNumber", "portRange", "namedPort"]);
  const protocol = (fields: Fields) => {
    if (isGiven(fields["protocol"])) oneOf(`${path}.protocol`, fields["protocol"], ["TCP", "UDP", "SCTP"]);
  };
  if (isGiven(item["portNumber"])) {
    const number = mapping(`${path}.portNumber`, item["portNumber"], ["protocol", "port"]);
    protocol(number);
    checkNumber(`${path}.portNumber.port`, number["port"]);
  }
  if (isGiven(item["portRange"])) {
    const range = mapping(`${path}.portRange`, item["portRange"], ["protocol", "start", "end"]);
    protocol(range);
    checkRange(`${path}.portRange`, range);
  }
}

function checkOldPods(path: string, fields: Fields): void {
  if (isGiven(fields["namespaces"])) checkOldNamespaces(`${path}.namespaces`, fields["namespaces"]);
  if (!isGiven(fields["pods"])) return;
  const pods = mapping(`${path}.pods`, fields["pods"], ["namespaceSelector", "podSelector", "namespaces"]);
  labelSelector(`${path}.pods.namespaceSelector`, pods["namespaceSelector"]);
  if (isGiven(pods["namespaces"])) checkOldNamespaces(`${path}.pods.namespaces`, pods["namespaces"]);
  else if (!isGiven(pods["namespaceSelector"])) refuse(`${path}.pods.namespaceSelector`, "required");
  if (!isGiven(pods["podSelector"])) refuse(`${path}.pods.podSelector`, "required");
  labelSelector(`${path}.pods.podSelector`, pods["podSelector"]);
}

function checkOldNamespaces(path: string, value: unknown): void {
  const early = ["namespaceSelector", "sameLabels", "notSameLabels"];
  const fields = mapping(path, value, [...early, "matchLabels", "matchExpressions"]);
  if (!early.some((key) => isGiven(fields[key]))) return labelSelector(path, value);
  exactlyOne(path, value, early);
  labelSelector(`${path}.namespaceSelector`, fields["namespaceSelector"]);
}
