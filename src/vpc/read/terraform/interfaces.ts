/** What has interfaces in a plan: instances, interfaces of their own, autoscaling groups, clusters. */

import { known, unknownValue, type Value } from "../../model.ts";
import { field, list, number, text, texts, truth } from "../json.ts";
import { addressList, prefixOf, trafficOf } from "../values.ts";
import type { Instance } from "./plan.ts";
import { T, type TerraformValues } from "./values.ts";

const MACHINES = [...T.instance, ...T.eni];
const EIP_KEYS: readonly (readonly [type: string, key: string])[] = [
  ["aws_eip", "instance"],
  ["aws_eip", "network_interface"],
  ["aws_eip_association", "instance_id"],
  ["aws_eip_association", "network_interface_id"],
];

function hasEip(t: TerraformValues, address: string): boolean {
  return EIP_KEYS.some(([type, key]) => t.referring([type], key, MACHINES, address).length > 0);
}

function attachedGroups(t: TerraformValues, eni: string): readonly string[] {
  return t
    .referring(["aws_network_interface_sg_attachment"], "network_interface_id", T.eni, eni)
    .flatMap((a) => t.namesOf(a, ["security_group_id"], T.group));
}

export function readInstance(t: TerraformValues, i: Instance): void {
  const owner = t.b.owner(i.address, "instance", t.tags(i));
  // Interfaces of their own that the instance takes instead of making one.
  const taken = list(field(i.values, "network_interface")).length;
  if (taken > 0) return;
  const written = t.isWritten(i, "vpc_security_group_ids") || t.isWritten(i, "security_groups");
  const key = t.isWritten(i, "vpc_security_group_ids") ? "vpc_security_group_ids" : "security_groups";
  const extra = attachedGroups(t, i.address);
  let groups: Value<readonly string[]> | undefined;
  if (written) {
    const found = t.many(i, [key], T.group);
    groups = found.kind === "known" ? known([...found.value, ...extra]) : found;
    if (groups.kind === "known" && groups.value.length === 0) groups = undefined;
  }
  const publicly = truth(field(i.values, "associate_public_ip_address"));
  const publicIp = t.string(i, "public_ip");
  const eip = hasEip(t, i.address);
  owner.interfaces.push({
    name: `${i.address}#eni`,
    subnet: t.one(i, ["subnet_id"], T.subnet),
    addresses: addressList([
      t.string(i, "private_ip"),
      ...texts(field(i.values, "secondary_private_ips")),
      ...texts(field(i.values, "ipv6_addresses")),
    ]),
    hasIpv6: (number(field(i.values, "ipv6_address_count")) ?? 0) > 0,
    publicAddresses: addressList([publicIp]),
    checksDestination: truth(field(i.values, "source_dest_check")) ?? true,
    ...(eip || publicIp !== undefined
      ? { isPublic: "yes" as const }
      : publicly !== undefined
        ? { isPublic: publicly ? ("yes" as const) : ("no" as const) }
        : t.isUnknown(i, ["associate_public_ip_address"]) && isSaid(t, i)
          ? { isPublic: "maybe" as const }
          : {}),
    ...(groups === undefined ? {} : { groups }),
  });
}

/** Whether the configuration says something of a public address; else what the plan does not know is the subnet's. */
function isSaid(t: TerraformValues, i: Instance): boolean {
  return i.expressions !== undefined && t.isWritten(i, "associate_public_ip_address");
}

export function readInterface(t: TerraformValues, i: Instance): void {
  const owner = t.b.owner(eniOwner(t, i) ?? i.address, "interface", t.tags(i));
  if (owner.name !== i.address) owner.aliases.push(i.address);
  const found = t.isWritten(i, "security_groups") ? t.many(i, ["security_groups"], T.group) : undefined;
  const extra = attachedGroups(t, i.address);
  const groups = found?.kind === "known" ? known([...found.value, ...extra]) : found;
  owner.interfaces.push({
    name: i.address,
    subnet: t.one(i, ["subnet_id"], T.subnet),
    addresses: addressList([
      ...texts(field(i.values, "private_ips")),
      t.string(i, "private_ip"),
      ...texts(field(i.values, "ipv6_addresses")),
    ]),
    prefixes: [...texts(field(i.values, "ipv4_prefixes")), ...texts(field(i.values, "ipv6_prefixes"))].flatMap(
      (p) => prefixOf(p) ?? [],
    ),
    isPublic: hasEip(t, i.address) || (owner.name !== i.address && hasEip(t, owner.name)) ? "yes" : "no",
    checksDestination: truth(field(i.values, "source_dest_check")) ?? true,
    primary: owner.interfaces.length === 0,
    ...(groups === undefined ? {} : { groups }),
  });
}

/** The instance to which an interface is attached. */
function eniOwner(t: TerraformValues, eni: Instance): string | undefined {
  const [attachment] = t.referring(["aws_network_interface_attachment"], "network_interface_id", T.eni, eni.address);
  if (attachment !== undefined) return t.nameValue(attachment, ["instance_id"], T.instance);
  return t.interfaceOwners.get(eni.address);
}

/** One interface for each subnet, its address not known (aws-vpc.md 1.3). */
export function readAutoscaling(t: TerraformValues, i: Instance): void {
  const subnets = t.many(i, ["vpc_zone_identifier"], T.subnet);
  const [block] = list(field(i.values, "launch_template"));
  const key = text(field(block, "id")) === undefined && text(field(block, "name")) !== undefined ? "name" : "id";
  const named = block === undefined ? undefined : t.nameValue(i, ["launch_template", 0, key], T.template);
  const template = named === undefined ? undefined : t.plan.byAddress.get(named);
  const owner = t.b.owner(i.address, "group", t.tags(i));
  const own = template !== undefined && t.isWritten(template, "vpc_security_group_ids");
  const nested = list(field(template?.values, "network_interfaces"));
  let groups: Value<readonly string[]> | undefined;
  if (template === undefined) groups = unknownValue(`security groups of ${i.address}`);
  else if (own) groups = t.many(template, ["vpc_security_group_ids"], T.group);
  else if (nested.length > 0) groups = t.many(template, ["network_interfaces", 0, "security_groups"], T.group);
  const publicly = truth(field(nested[0], "associate_public_ip_address"));
  const places =
    subnets.kind === "known" ? subnets.value.map((s) => known(s)) : [unknownValue(`subnets of ${i.address}`)];
  for (const [index, subnet] of places.entries()) {
    owner.interfaces.push({
      name: `${i.address}#eni-${index}`,
      subnet,
      ...(publicly === undefined ? {} : { isPublic: publicly ? ("yes" as const) : ("no" as const) }),
      ...(groups === undefined || (groups.kind === "known" && groups.value.length === 0) ? {} : { groups }),
    });
  }
}

/** The interfaces of the control plane with the group that EKS makes (aws-vpc.md EKS-1). */
export function readCluster(t: TerraformValues, i: Instance): void {
  const subnets = t.many(i, ["vpc_config", 0, "subnet_ids"], T.subnet);
  const extra = t.many(i, ["vpc_config", 0, "security_group_ids"], T.group);
  const name = `${i.address}#cluster_security_group`;
  const places = subnets.kind === "known" ? subnets.value : [];
  const first = t.b.subnets.get(places[0] ?? "");
  const group = t.b.group(name, first?.vpc.kind === "known" ? first.vpc.value : undefined);
  t.b.addRules(group, "ingress", trafficOf(-1, undefined, undefined), [{ kind: "group", group: name }]);
  t.b.addDefaultEgress(group);
  const id = text(field(list(field(i.values, "vpc_config"))[0], "cluster_security_group_id"));
  if (id !== undefined) t.b.alias(id, name);
  const owner = t.b.owner(i.address, "cluster", t.tags(i));
  const groups = known([name, ...(extra.kind === "known" ? extra.value : [])]);
  for (const [index, subnet] of places.entries()) {
    owner.interfaces.push({ name: `${i.address}#eni-${index}`, subnet: known(subnet), isPublic: "no", groups });
  }
}
