/** Security groups of a plan, with rules inline and of their own. */

import type { Because } from "../../../base/because.ts";
import type { Peer } from "../../model.ts";
import { addressPeer } from "../builder.ts";
import { field, list, text, texts } from "../json.ts";
import type { Instance } from "./plan.ts";
import { onlyName, T, type TerraformValues } from "./values.ts";

export function readGroup(t: TerraformValues, i: Instance): void {
  const vpc = t.nameValue(i, ["vpc_id"], T.vpc) ?? onlyName(t.b.vpcs);
  const group = t.b.group(i.address, vpc, t.tags(i));
  const isDefault = i.type === "aws_default_security_group";
  if (isDefault) {
    const draft = vpc === undefined ? undefined : t.b.vpcs.get(vpc);
    if (draft !== undefined) draft.defaultGroup = i.address;
  }
  for (const direction of ["ingress", "egress"] as const) {
    const blocks = list(field(i.values, direction));
    // Not known and not written means that the rules are managed elsewhere (TF-5).
    if (t.isUnknown(i, [direction]) && blocks.length === 0) {
      if (i.expressions !== undefined && t.isWritten(i, direction)) {
        group.moreRules = { code: "unknown-value", detail: `${direction} rules of ${i.address}` };
      }
      continue;
    }
    const pending = blocks.filter((block) => lacksPeer(block)).length;
    for (const [index, block] of blocks.entries()) {
      const traffic = t.traffic(i, block, [direction, index], "protocol");
      const peers = [...writtenPeers(t, block, group.name)];
      if (lacksPeer(block)) peers.push(...inlineReferences(t, i, direction, index, pending));
      t.b.addRules(group, direction, traffic, peers, { at: block });
      if (i.expressions !== undefined && t.isWritten(i, direction)) t.manages(group.name, "inline");
    }
  }
}

/** Whether the peers of an inline block are not told: known only after apply. */
function lacksPeer(block: unknown): boolean {
  const lists = ["cidr_blocks", "ipv6_cidr_blocks", "prefix_list_ids", "security_groups"];
  const written = lists.some((key) => texts(field(block, key)).length > 0) || field(block, "self") === true;
  const nulls = lists.some((key) => list(field(block, key)).some((one) => one === null));
  const missing = lists.some((key) => field(block, key) === undefined || field(block, key) === null);
  return nulls || (!written && missing);
}

function* writtenPeers(t: TerraformValues, block: unknown, own: string): Iterable<Peer> {
  for (const cidr of [...texts(field(block, "cidr_blocks")), ...texts(field(block, "ipv6_cidr_blocks"))])
    yield addressPeer(cidr);
  for (const id of texts(field(block, "prefix_list_ids"))) yield { kind: "prefixList", list: t.byId(id, T.list) };
  for (const id of texts(field(block, "security_groups"))) yield { kind: "group", group: t.byId(id, T.group) };
  if (field(block, "self") === true) yield { kind: "group", group: own };
}

/** References of inline blocks: exact where one block lacks its peer, else one of them (TF-8). */
function inlineReferences(
  t: TerraformValues,
  i: Instance,
  direction: string,
  index: number,
  pending: number,
): readonly Peer[] {
  const r = t.plan.resolve(i, [direction, index, "security_groups"]);
  if (r.kind === "unknown") return [{ kind: "unknown", because: { code: "unknown-value", detail: r.detail } }];
  const peers = r.referred.flatMap((one): Peer[] => {
    const group = t.nameOf(one, T.group);
    if (group !== undefined) return [{ kind: "group", group }];
    const prefix = t.nameOf(one, T.list);
    if (prefix !== undefined) return [{ kind: "prefixList", list: prefix }];
    const cidr = text(field(one.instance.values, one.attribute));
    return [
      cidr === undefined
        ? { kind: "unknown", because: { code: "unknown-value", detail: `${one.instance.address}.${one.attribute}` } }
        : addressPeer(cidr),
    ];
  });
  if (pending === 1 && r.kind === "exact") return peers;
  return [
    {
      kind: "oneOf",
      peers,
      because: { code: "unknown-value", detail: `which reference each ${direction} block of ${i.address} has` },
    },
  ];
}

export function readGroupRule(t: TerraformValues, i: Instance): void {
  const direction = t.string(i, "type") === "egress" ? "egress" : "ingress";
  const traffic = t.traffic(i, i.values, [], "protocol");
  for (const name of ruleGroups(t, i)) {
    const group = t.b.group(name.value, undefined);
    const peers = [...writtenPeers(t, i.values, group.name)];
    for (const key of ["cidr_blocks", "ipv6_cidr_blocks", "prefix_list_ids"]) {
      if (!t.isUnknown(i, [key])) continue;
      peers.push(...resolvedPeers(t, i, key));
    }
    if (t.has(i, "source_security_group_id")) peers.push(groupPeer(t, i, "source_security_group_id"));
    t.manages(group.name, i.type);
    t.b.addRules(group, direction, traffic, peers, { name: i.address, at: i.written, ...name.option });
  }
}

export function readSingleRule(t: TerraformValues, i: Instance): void {
  const direction = i.type.includes("egress") ? "egress" : "ingress";
  const traffic = t.traffic(i, i.values, [], "ip_protocol");
  const peers: Peer[] = [];
  for (const key of ["cidr_ipv4", "cidr_ipv6"]) {
    const cidr = t.string(i, key);
    if (cidr !== undefined) peers.push(addressPeer(cidr));
    else if (t.isUnknown(i, [key]) && t.isWritten(i, key)) peers.push(...resolvedPeers(t, i, key));
  }
  if (t.has(i, "prefix_list_id") && (t.string(i, "prefix_list_id") !== undefined || t.isWritten(i, "prefix_list_id"))) {
    const value = t.one(i, ["prefix_list_id"], T.list);
    peers.push(
      value.kind === "known" ? { kind: "prefixList", list: value.value } : { kind: "unknown", because: value.because },
    );
  }
  if (
    t.has(i, "referenced_security_group_id") &&
    (t.string(i, "referenced_security_group_id") !== undefined || t.isWritten(i, "referenced_security_group_id"))
  ) {
    peers.push(groupPeer(t, i, "referenced_security_group_id"));
  }
  for (const name of ruleGroups(t, i)) {
    const group = t.b.group(name.value, undefined);
    t.manages(group.name, "aws_vpc_security_group_*_rule");
    t.b.addRules(group, direction, traffic, peers, { name: i.address, at: i.written, ...name.option });
  }
}

/** The groups that a rule of its own may belong to; with several, it may be missing from each. */
function ruleGroups(
  t: TerraformValues,
  i: Instance,
): readonly { readonly value: string; readonly option: { readonly unsettled?: Because } }[] {
  const group = t.one(i, ["security_group_id"], T.group);
  if (group.kind === "known") return [{ value: group.value, option: {} }];
  if (group.kind === "oneOf") return group.values.map((value) => ({ value, option: { unsettled: group.because } }));
  for (const one of t.b.groups.values()) one.moreRules ??= group.because;
  return [];
}

function groupPeer(t: TerraformValues, i: Instance, key: string): Peer {
  const value = t.one(i, [key], T.group);
  if (value.kind === "known") return { kind: "group", group: value.value.replace(/^[0-9]{12}\//, "") };
  if (value.kind === "unknown") return { kind: "unknown", because: value.because };
  return { kind: "oneOf", peers: value.values.map((group) => ({ kind: "group", group })), because: value.because };
}

/** CIDRs that another resource has. */
export function resolvedPeers(t: TerraformValues, i: Instance, key: string): readonly Peer[] {
  const r = t.plan.resolve(i, [key]);
  if (r.kind === "unknown") return [{ kind: "unknown", because: { code: "unknown-value", detail: r.detail } }];
  const peers = r.referred.map((one): Peer => {
    const list = t.nameOf(one, T.list);
    if (list !== undefined) return { kind: "prefixList", list };
    const cidr = text(field(one.instance.values, one.attribute));
    if (cidr !== undefined) return addressPeer(cidr);
    return {
      kind: "unknown",
      because: { code: "unknown-value", detail: `${one.instance.address}.${one.attribute}` },
    };
  });
  if (r.kind === "exact") return [...peers, ...r.literals.flatMap((l) => texts(l)).map(addressPeer)];
  return [{ kind: "oneOf", peers, because: { code: "unknown-value", detail: `${i.address}.${key}` } }];
}
