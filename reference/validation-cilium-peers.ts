import { isInside, parseAddress, parsePrefix, parsePrefixOrAddress } from "./addresses.ts";
import { isFields, isGiven, type Fields } from "./values.ts";
import { labelSelector, mapping, oneOf, optionalText, refuse, sequence } from "./validation.ts";
import type { RuleContext } from "./validation-cilium-context.ts";

const ENTITIES = [
  "all",
  "world",
  "cluster",
  "host",
  "init",
  "ingress",
  "unmanaged",
  "remote-node",
  "health",
  "none",
  "kube-apiserver",
];

/** The L3 lists of an entry: V3, V5, V15, V17. */
export function checkPeerLists(path: string, entry: Fields, lists: readonly string[], context: RuleContext): void {
  const side = context.direction === "ingress" ? "from" : "to";
  const list = (name: string) => sequence(`${path}.${side}${name}`, entry[`${side}${name}`]);
  // V3.
  const used = lists.filter((name) => list(name).length > 0);
  if (used.length > 1) refuse(path, `combining ${side}${used[0]} and ${side}${used[1]} is not supported yet`);
  for (const name of ["Endpoints", "Nodes", "Requires"])
    for (const item of list(name)) labelSelector(`${path}.${side}${name}`, item ?? {}, true);
  // V5, V19, U13.
  for (const item of list("Entities")) oneOf(`${path}.${side}Entities`, item, ENTITIES);
  for (const item of list("CIDR"))
    if (parsePrefixOrAddress(optionalText(`${path}.${side}CIDR`, item) ?? "") === undefined)
      refuse(`${path}.${side}CIDR`, "invalid CIDR");
  for (const item of list("CIDRSet")) checkCidrSet(`${path}.${side}CIDRSet`, item, context);
  // V15.
  if (list("Nodes").length > 0 && !context.settings.nodeSelectorLabels)
    refuse(`${path}.${side}Nodes`, "node labels are off");
  if (lists.includes("Services")) for (const item of list("Services")) checkService(`${path}.toServices`, item);
  if (lists.includes("Groups")) for (const item of list("Groups")) checkGroup(`${path}.${side}Groups`, item);
  if (lists.includes("FQDNs")) for (const item of list("FQDNs")) checkName(`${path}.toFQDNs`, item);
}

/** Exactly one source of prefixes; exceptions lie inside `cidr` (V5). */
function checkCidrSet(path: string, value: unknown, context: RuleContext): void {
  const selector = context.settings.release >= 18 ? ["cidrGroupSelector"] : [];
  const item = mapping(path, value, ["cidr", "except", "cidrGroupRef", ...selector]);
  const given = ["cidr", "cidrGroupRef", "cidrGroupSelector"].filter((key) => isGiven(item[key]) && item[key] !== "");
  if (given.length !== 1) refuse(path, "exactly one of cidr, cidrGroupRef, cidrGroupSelector is needed");
  if (isGiven(item["cidrGroupSelector"])) labelSelector(`${path}.cidrGroupSelector`, item["cidrGroupSelector"], true);
  const cidr = parsePrefix(optionalText(`${path}.cidr`, item["cidr"]) ?? "");
  if (given[0] === "cidr" && cidr === undefined) refuse(`${path}.cidr`, "must be an address with a prefix length");
  for (const text of sequence(`${path}.except`, item["except"])) {
    const except = optionalText(`${path}.except`, text) ?? "";
    // Up to 1.19 the address must lie inside, with its host bits; the exception may be wider than the prefix.
    const address = parseAddress(except.slice(0, except.indexOf("/")));
    if (parsePrefix(except) === undefined || address === undefined) return refuse(`${path}.except`, "invalid CIDR");
    if (cidr !== undefined && !isInside(address, cidr)) refuse(`${path}.except`, "must lie inside cidr");
  }
}

function checkService(path: string, value: unknown): void {
  const item = mapping(path, value, ["k8sService", "k8sServiceSelector"]);
  const byName = mapping(`${path}.k8sService`, item["k8sService"], ["serviceName", "namespace"]);
  for (const key of ["serviceName", "namespace"]) optionalText(`${path}.k8sService.${key}`, byName[key]);
  if (!isGiven(item["k8sServiceSelector"])) return;
  const bySelector = mapping(`${path}.k8sServiceSelector`, item["k8sServiceSelector"], ["selector", "namespace"]);
  if (!isGiven(bySelector["selector"])) refuse(`${path}.k8sServiceSelector.selector`, "required");
  labelSelector(`${path}.k8sServiceSelector.selector`, bySelector["selector"], true);
  optionalText(`${path}.k8sServiceSelector.namespace`, bySelector["namespace"]);
}

function checkGroup(path: string, value: unknown): void {
  const item = mapping(path, value, ["aws"]);
  const aws = mapping(`${path}.aws`, item["aws"], ["labels", "securityGroupsIds", "securityGroupsNames", "region"]);
  if (isGiven(aws["labels"]) && !isFields(aws["labels"])) refuse(`${path}.aws.labels`, "must be a mapping");
}

/** V17, V19: labels of the allowed characters with a dot between, and their length. */
export function checkName(path: string, value: unknown): void {
  const item = mapping(path, value, ["matchName", "matchPattern"]);
  const name = optionalText(`${path}.matchName`, item["matchName"]) ?? "a";
  const pattern = optionalText(`${path}.matchPattern`, item["matchPattern"]) ?? "a";
  if (!/^([-a-zA-Z0-9_]+[.])*[-a-zA-Z0-9_]+[.]?$/.test(name))
    refuse(`${path}.matchName`, "only letters, digits, hyphens, underscores, and dots between");
  if (!/^([-a-zA-Z0-9_*]+[.])*[-a-zA-Z0-9_*]+[.]?$/.test(pattern))
    refuse(`${path}.matchPattern`, "only characters of names and *");
  if (name.length > 255 || pattern.length > 255) refuse(path, "at most 255 characters");
}
