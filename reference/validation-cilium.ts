import { ciliumSettings, type CiliumSettings } from "./cilium-settings.ts";
import { parsePrefixOrAddress } from "./addresses.ts";
import { groupOf, type KubeObject } from "./objects.ts";
import type { ReferenceOptions } from "./options.ts";
import {
  labelSelector,
  mapping,
  objectName,
  oneOf,
  optionalFlag,
  optionalText,
  refuse,
  sequence,
  TOP_LEVEL,
} from "./validation.ts";
import type { RuleContext } from "./validation-cilium-context.ts";
import { checkPeerLists } from "./validation-cilium-peers.ts";
import { checkIcmps, checkToPorts } from "./validation-cilium-ports.ts";
import { type Fields, isGiven, itemsOf } from "./values.ts";

const KINDS = ["CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy", "CiliumCIDRGroup"];

export function isCiliumPolicy(object: KubeObject): boolean {
  return groupOf(object) === "cilium.io" && KINDS.includes(object.kind);
}

/** What the API server or the agent refuses (1.5). One invalid rule refuses the whole object (R1.2.2). */
export function checkCiliumObject(object: KubeObject, objects: readonly KubeObject[], options: ReferenceOptions): void {
  // Elsewhere than under Cilium nobody reads these kinds.
  if (options.dialect === "kubernetes") return;
  const settings = ciliumSettings(objects, options.dialect);
  objectName(object.name);
  if (object.kind === "CiliumCIDRGroup") return checkGroup(object);
  const fields = mapping("", object.fields, [...TOP_LEVEL, "specs"]);
  const specs = [
    ...(isGiven(fields["spec"]) ? [{ path: "spec", spec: fields["spec"] }] : []),
    ...sequence("specs", fields["specs"]).map((spec, index) => ({ path: `specs[${index}]`, spec })),
  ];
  // R1.2.1.
  if (specs.length === 0) refuse("spec", "neither spec nor specs");
  for (const { path, spec } of specs) checkRule(path, spec, object.kind, settings);
}

function checkGroup(object: KubeObject): void {
  const fields = mapping("", object.fields, TOP_LEVEL);
  const spec = mapping("spec", fields["spec"], ["externalCIDRs"]);
  if (!isGiven(spec["externalCIDRs"])) refuse("spec.externalCIDRs", "required");
  for (const item of sequence("spec.externalCIDRs", spec["externalCIDRs"]))
    if (parsePrefixOrAddress(optionalText("spec.externalCIDRs", item) ?? "") === undefined)
      refuse("spec.externalCIDRs", "invalid CIDR");
}

const SECTIONS = [
  { section: "ingress", direction: "ingress", isDeny: false },
  { section: "ingressDeny", direction: "ingress", isDeny: true },
  { section: "egress", direction: "egress", isDeny: false },
  { section: "egressDeny", direction: "egress", isDeny: true },
] as const;

function checkRule(path: string, value: unknown, kind: string, settings: CiliumSettings): void {
  const rule = mapping(path, value, [
    "endpointSelector",
    "nodeSelector",
    ...SECTIONS.map((item) => item.section),
    "enableDefaultDeny",
    "labels",
    "description",
    ...(settings.release >= 18 ? ["log"] : []),
  ]);
  const isForNodes = isGiven(rule["nodeSelector"]);
  // V1.
  if (isForNodes === isGiven(rule["endpointSelector"]))
    refuse(path, "exactly one of endpointSelector and nodeSelector is needed");
  // R1.2.3.
  if (isForNodes && kind === "CiliumNetworkPolicy") refuse(path, "rule cannot have NodeSelector");
  labelSelector(`${path}.endpointSelector`, rule["endpointSelector"], true);
  labelSelector(`${path}.nodeSelector`, rule["nodeSelector"], true);
  checkExtras(path, rule);
  // V2.
  if (SECTIONS.every(({ section }) => sequence(`${path}.${section}`, rule[section]).length === 0))
    refuse(path, "no ingress, ingressDeny, egress or egressDeny entry");
  for (const { section, direction, isDeny } of SECTIONS)
    for (const [index, entry] of itemsOf(rule[section]).entries())
      checkEntry(`${path}.${section}[${index}]`, entry, { settings, direction, isDeny, isForNodes });
}

function checkExtras(path: string, rule: Fields): void {
  const enable = mapping(`${path}.enableDefaultDeny`, rule["enableDefaultDeny"], ["ingress", "egress"]);
  optionalFlag(`${path}.enableDefaultDeny.ingress`, enable["ingress"]);
  optionalFlag(`${path}.enableDefaultDeny.egress`, enable["egress"]);
  optionalText(`${path}.description`, rule["description"]);
  for (const label of sequence(`${path}.labels`, rule["labels"]))
    mapping(`${path}.labels`, label, ["key", "value", "source"]);
  optionalText(`${path}.log.value`, mapping(`${path}.log`, rule["log"], ["value"])["value"]);
}

/** 1.4: the fields of an allow or deny entry. */
function checkEntry(path: string, value: unknown, context: RuleContext): void {
  const { settings, direction, isDeny } = context;
  const side = direction === "ingress" ? "from" : "to";
  const lists = ["Endpoints", "CIDR", "CIDRSet", "Entities", "Nodes"];
  if (direction === "egress") lists.push("Services", "Groups", ...(isDeny ? [] : ["FQDNs"]));
  else if (settings.release >= 18) lists.push("Groups");
  const requires = `${side}Requires`;
  const entry = mapping(path, value, [
    ...lists.map((list) => `${side}${list}`),
    requires,
    "toPorts",
    "icmps",
    ...(isDeny ? [] : ["authentication"]),
  ]);
  // V18: gone in 1.19, whose schema has room for no item of it.
  if (settings.release >= 19 && sequence(`${path}.${requires}`, entry[requires]).length > 0)
    refuse(`${path}.${requires}`, "must have at most 0 items");
  checkPeerLists(path, entry, lists, context);
  const ports = sequence(`${path}.toPorts`, entry["toPorts"]);
  const icmps = sequence(`${path}.icmps`, entry["icmps"]);
  // V4.
  if (ports.length > 0 && icmps.length > 0) refuse(path, "combining ToPorts and ICMPs is not supported");
  if (icmps.length > 0 && !settings.icmpRules) refuse(`${path}.icmps`, "ICMP rules are off");
  checkToPorts(`${path}.toPorts`, ports, context);
  checkIcmps(`${path}.icmps`, icmps);
  if (isGiven(entry["authentication"])) {
    const authentication = mapping(`${path}.authentication`, entry["authentication"], ["mode"]);
    // V19.
    oneOf(`${path}.authentication.mode`, authentication["mode"], ["required", "disabled", "test-always-fail"]);
  }
}
