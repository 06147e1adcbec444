/** Security groups, network ACLs and prefix lists, as AWS answers. */

import { type AclEntry, known, type Peer } from "../../model.ts";
import { addressPeer } from "../builder.ts";
import { field, list, number, scalar, text, texts } from "../json.ts";
import { prefixesOf, prefixOf, protocolNumber, trafficOf, unknownTraffic } from "../values.ts";
import { type DescribeAnswers, tagsOf } from "./answers.ts";

/** Peers of a permission that are addresses, each with the value that writes it. */
function* addressedPeers(permission: unknown): Iterable<readonly [Peer, unknown]> {
  for (const range of list(field(permission, "IpRanges")))
    for (const cidr of texts(field(range, "CidrIp"))) yield [addressPeer(cidr), range];
  for (const range of list(field(permission, "Ipv6Ranges")))
    for (const cidr of texts(field(range, "CidrIpv6"))) yield [addressPeer(cidr), range];
  for (const prefix of list(field(permission, "PrefixListIds")))
    for (const id of texts(field(prefix, "PrefixListId"))) yield [{ kind: "prefixList", list: id }, prefix];
}

export function readGroups(d: DescribeAnswers): void {
  const withRules = new Set(d.all("SecurityGroupRules").flatMap((r) => text(field(r, "GroupId")) ?? []));
  const stale = new Set<string>();
  for (const one of d.all("SecurityGroups")) {
    const name = text(field(one, "GroupId"));
    if (name === undefined) continue;
    d.b.place(name, one);
    const vpc = text(field(one, "VpcId"));
    const tags = new Map(tagsOf(field(one, "Tags")));
    const groupName = text(field(one, "GroupName"));
    if (groupName !== undefined && !tags.has("Name")) tags.set("Name", groupName);
    const group = d.b.group(name, vpc, tags);
    const draft = vpc === undefined ? undefined : d.b.vpcs.get(vpc);
    if (draft !== undefined && groupName === "default") draft.defaultGroup = name;
    for (const [direction, key] of [
      ["ingress", "IpPermissions"],
      ["egress", "IpPermissionsEgress"],
    ] as const) {
      for (const permission of list(field(one, key))) {
        const traffic = trafficOfRule(permission, name);
        for (const [peer, at] of withRules.has(name) ? [] : addressedPeers(permission))
          d.b.addRules(group, direction, traffic, [peer], { at });
        for (const pair of list(field(permission, "UserIdGroupPairs"))) {
          const id = text(field(pair, "GroupId"));
          if (id === undefined) continue;
          const isStale = /^(deleted|rejected|failed|expired|inactive)$/.test(text(field(pair, "PeeringStatus")) ?? "");
          if (isStale) stale.add(`${name} ${id}`);
          if (isStale) d.b.report("BH408", `a rule of ${name} names ${id}, whose peering is gone`, pair);
          if (!withRules.has(name)) {
            d.b.addRules(group, direction, traffic, [{ kind: "group", group: id }], {
              at: pair,
              ...(isStale ? { stale: true } : {}),
            });
          }
        }
      }
    }
  }
  for (const row of d.all("SecurityGroupRules")) {
    const of = text(field(row, "GroupId"));
    if (of === undefined) continue;
    const group = d.b.group(of, undefined);
    const direction = field(row, "IsEgress") === true ? "egress" : "ingress";
    const peers: Peer[] = [...texts(field(row, "CidrIpv4")), ...texts(field(row, "CidrIpv6"))].map(addressPeer);
    for (const id of texts(field(row, "PrefixListId"))) peers.push({ kind: "prefixList", list: id });
    const referenced = text(field(row, "ReferencedGroupInfo", "GroupId"));
    const status = text(field(row, "ReferencedGroupInfo", "PeeringStatus"));
    const isStale =
      referenced !== undefined &&
      (stale.has(`${of} ${referenced}`) ||
        (status !== undefined && status !== "active" && status !== "pending-acceptance"));
    if (referenced !== undefined) peers.push({ kind: "group", group: referenced });
    const id = text(field(row, "SecurityGroupRuleId"));
    const description = text(field(row, "Description"));
    d.b.addRules(group, direction, trafficOfRule(row, of), peers, {
      at: row,
      ...(id === undefined ? {} : { name: id }),
      aliases: description === undefined ? [] : [description],
      ...(isStale ? { stale: true } : {}),
    });
  }
}

function trafficOfRule(rule: unknown, of: string): ReturnType<typeof trafficOf> {
  const protocol = protocolNumber(scalar(field(rule, "IpProtocol")) ?? "");
  if (protocol === undefined) return unknownTraffic({ code: "unknown-value", detail: `protocol of a rule of ${of}` });
  return trafficOf(protocol, number(field(rule, "FromPort")), number(field(rule, "ToPort")));
}

export function readAcls(d: DescribeAnswers): void {
  for (const one of d.all("NetworkAcls")) {
    const name = text(field(one, "NetworkAclId"));
    if (name === undefined) continue;
    d.b.place(name, one);
    const vpc = text(field(one, "VpcId"));
    const acl = d.b.acl(name, vpc);
    const draft = vpc === undefined ? undefined : d.b.vpcs.get(vpc);
    if (draft !== undefined && field(one, "IsDefault") === true) draft.defaultAcl = name;
    for (const association of list(field(one, "Associations"))) {
      const subnet = text(field(association, "SubnetId"));
      if (subnet !== undefined) d.b.associateAcl(subnet, known(name));
    }
    for (const entry of list(field(one, "Entries"))) {
      const at = number(field(entry, "RuleNumber")) ?? 0;
      // The final deny of either family is no entry of its own (NACL-1).
      if (at >= 32767) continue;
      const protocol = protocolNumber(scalar(field(entry, "Protocol")) ?? "");
      const cidr = text(field(entry, "CidrBlock")) ?? text(field(entry, "Ipv6CidrBlock"));
      const icmp = protocol === 1 || protocol === 58;
      const [from, to] = icmp
        ? [field(entry, "IcmpTypeCode", "Type"), field(entry, "IcmpTypeCode", "Code")]
        : [field(entry, "PortRange", "From"), field(entry, "PortRange", "To")];
      const made: AclEntry = {
        number: at,
        direction: field(entry, "Egress") === true ? "egress" : "ingress",
        action: text(field(entry, "RuleAction")) === "allow" ? "allow" : "deny",
        traffic:
          protocol === undefined
            ? unknownTraffic({ code: "unknown-value", detail: `protocol of entry ${at} of ${name}` })
            : trafficOf(protocol, number(from), number(to)),
        prefix: cidr === undefined ? undefined : prefixOf(cidr),
      };
      d.b.addEntry(acl, made, entry);
    }
  }
}

export function readPrefixLists(d: DescribeAnswers): void {
  for (const one of d.all("PrefixLists")) {
    const name = text(field(one, "PrefixListId"));
    if (name === undefined) continue;
    const cidrs = texts(field(one, "Cidrs"));
    d.b.prefixLists.set(name, { name, prefixes: cidrs.length > 0 ? prefixesOf(cidrs) : undefined });
  }
  for (const { key, value } of d.listEntries) {
    const cidrs = list(value).flatMap((entry) => texts(field(entry, "Cidr")));
    d.b.prefixLists.set(key, { name: key, prefixes: prefixesOf(cidrs) });
  }
}
