/** Network ACLs of a plan. */

import type { Because } from "../../../base/because.ts";
import { type AclEntry, known } from "../../model.ts";
import { field, list, number, scalar, text, truth } from "../json.ts";
import { prefixOf, protocolNumber, trafficOf, unknownTraffic } from "../values.ts";
import type { Instance } from "./plan.ts";
import { onlyName, T, type TerraformValues } from "./values.ts";

export function readAcl(t: TerraformValues, i: Instance): void {
  const isDefault = i.type === "aws_default_network_acl";
  let vpc = t.has(i, "vpc_id") ? t.nameValue(i, ["vpc_id"], T.vpc) : undefined;
  if (isDefault) {
    const of = t.one(i, ["default_network_acl_id"], T.acl);
    vpc = of.kind === "known" ? of.value.replace(/#default_network_acl$/, "") : onlyName(t.b.vpcs);
    const draft = vpc === undefined ? undefined : t.b.vpcs.get(vpc);
    if (draft !== undefined) draft.defaultAcl = i.address;
  }
  const acl = t.b.acl(i.address, vpc);
  for (const direction of ["ingress", "egress"] as const) {
    const blocks = list(field(i.values, direction));
    if (
      t.isUnknown(i, [direction]) &&
      blocks.length === 0 &&
      i.expressions !== undefined &&
      t.isWritten(i, direction)
    ) {
      acl.moreEntries = { code: "unknown-value", detail: `${direction} entries of ${i.address}` };
    }
    for (const block of blocks) {
      const at = number(field(block, "rule_no")) ?? 0;
      t.b.addEntry(acl, entryOf(block, direction, at, text(field(block, "action")), i.address), block);
    }
  }
  if (t.has(i, "subnet_ids") && (list(field(i.values, "subnet_ids")).length > 0 || t.isWritten(i, "subnet_ids"))) {
    const subnets = t.many(i, ["subnet_ids"], T.subnet);
    if (subnets.kind === "known") for (const s of subnets.value) t.b.associateAcl(s, known(i.address));
    else loseAcls(t, subnets.because);
  }
}

/** An association that is not traced may be any subnet's. */
function loseAcls(t: TerraformValues, because: Because): void {
  for (const subnet of t.b.subnets.keys()) t.b.associateAcl(subnet, { kind: "unknown", because });
}

export function readAclRule(t: TerraformValues, i: Instance): void {
  const direction = truth(field(i.values, "egress")) === true ? "egress" : "ingress";
  const entry = entryOf(
    i.values,
    direction,
    number(field(i.values, "rule_number")) ?? 0,
    t.string(i, "rule_action"),
    i.address,
  );
  const acl = t.one(i, ["network_acl_id"], T.acl);
  if (acl.kind === "known") t.b.addEntry(t.b.acl(t.b.canonical(acl.value), undefined), entry, i.written);
  else if (acl.kind === "oneOf")
    for (const name of acl.values)
      t.b.addEntry(t.b.acl(name, undefined), { ...entry, unsettled: acl.because }, i.written);
  else for (const one of t.b.acls.values()) one.moreEntries ??= acl.because;
}

export function readAclAssociation(t: TerraformValues, i: Instance): void {
  const subnet = t.one(i, ["subnet_id"], T.subnet);
  const acl = t.one(i, ["network_acl_id"], T.acl);
  if (subnet.kind === "known") t.b.associateAcl(subnet.value, acl);
  else loseAcls(t, subnet.because);
}

function entryOf(
  block: unknown,
  direction: AclEntry["direction"],
  number_: number,
  action: string | undefined,
  of: string,
): AclEntry {
  const protocol = protocolNumber(scalar(field(block, "protocol")) ?? "");
  const icmp = protocol === 1 || protocol === 58;
  const cidr = text(field(block, "cidr_block")) ?? text(field(block, "ipv6_cidr_block"));
  const traffic =
    protocol === undefined
      ? unknownTraffic({ code: "unknown-value", detail: `protocol of entry ${number_} of ${of}` })
      : icmp
        ? trafficOf(protocol, number(field(block, "icmp_type")) ?? -1, number(field(block, "icmp_code")) ?? -1)
        : trafficOf(protocol, number(field(block, "from_port")), number(field(block, "to_port")));
  return {
    number: number_,
    direction,
    action: action?.toLowerCase() === "allow" ? "allow" : "deny",
    traffic,
    prefix: cidr === undefined ? undefined : prefixOf(cidr),
  };
}
