/** Network ACLs of a plan. */

import type { Because } from "../../../base/because.ts";
import { type AclEntry, known, possible } from "../../model.ts";
import { field, list, number, text, truth } from "../json.ts";
import { prefixOf } from "../values.ts";
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
    for (const [index, block] of blocks.entries()) {
      const entry = entryOf(t, i, block, direction, [direction, index], ["rule_no", "action"]);
      if (entry === undefined) acl.moreEntries = entryUnknown(i, [direction, index]);
      else t.b.addEntry(acl, entry, block);
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
  const entry = entryOf(t, i, i.values, direction, [], ["rule_number", "rule_action"]);
  const acl = t.one(i, ["network_acl_id"], T.acl);
  if (entry === undefined) {
    const names = acl.kind === "unknown" ? [...t.b.acls.keys()] : possible(acl);
    for (const name of names) t.b.acl(t.b.canonical(name), undefined).moreEntries ??= entryUnknown(i, []);
  } else if (acl.kind === "known") t.b.addEntry(t.b.acl(t.b.canonical(acl.value), undefined), entry, i.written);
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

/** Number or action of an entry is known only after apply, and with it what it does to the others. */
function entryUnknown(i: Instance, path: readonly (string | number)[]): Because {
  return { code: "unknown-value", detail: `number or action of ${[i.address, ...path].join(".")}` };
}

/** An entry; undefined where its number or its action is not known. */
function entryOf(
  t: TerraformValues,
  i: Instance,
  block: unknown,
  direction: AclEntry["direction"],
  path: readonly (string | number)[],
  [numberKey, actionKey]: readonly [string, string],
): AclEntry | undefined {
  const at = number(field(block, numberKey));
  const action = text(field(block, actionKey))?.toLowerCase();
  if (at === undefined || action === undefined) return undefined;
  const cidr = text(field(block, "cidr_block")) ?? text(field(block, "ipv6_cidr_block"));
  return {
    number: at,
    direction,
    action: action === "allow" ? "allow" : "deny",
    traffic: t.traffic(i, block, path, "protocol"),
    prefix: cidr === undefined ? undefined : prefixOf(cidr),
  };
}
