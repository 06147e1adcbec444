/** What one network writes and another does not write so: rules, entries, routes, and how things are placed and filtered. */

import { formatPrefix } from "../net/address.ts";
import type { Document } from "../documents/document.ts";
import { entryText, entryName } from "./decide/network-acls.ts";
import { ruleText } from "./decide/security-groups.ts";
import { destinationText, type Network, type OwnerKind, possible, type Value } from "./model.ts";

const KINDS: Readonly<Record<OwnerKind, string>> = {
  instance: "Instance",
  "load-balancer": "LoadBalancer",
  "nat-gateway": "NatGateway",
  endpoint: "VpcEndpoint",
  group: "AutoScalingGroup",
  cluster: "Cluster",
  interface: "NetworkInterface",
  other: "NetworkInterface",
};

/** Something that answers cite, and what it says. */
interface Written {
  readonly kind: string;
  readonly cited: string;
  readonly says: string;
}

export interface NetworkChange {
  readonly change: "added" | "removed" | "changed";
  readonly kind: string;
  /** As deciders name it; a route without its target. */
  readonly name: string;
  /** Of the new network, for what was removed of the old one. */
  readonly document: Document;
}

/**
 * What differs, in the order of the old network and then of the new one. Two tellings of one network name nothing alike and
 * cannot be compared so: then the list is empty.
 */
export function networkChanges(old: Network, next: Network): readonly NetworkChange[] {
  const [a, b] = [writtenOf(old), writtenOf(next)];
  if (![...a.keys()].some((key) => b.has(key))) return [];
  return [...new Set([...a.keys(), ...b.keys()])].flatMap((key): readonly NetworkChange[] => {
    const [before, after] = [a.get(key), b.get(key)];
    const one = after ?? before;
    if (one === undefined || before?.says === after?.says) return [];
    const document = documentOf(after === undefined ? old : next, one.cited);
    if (document === undefined) return [];
    const change = before === undefined ? "added" : after === undefined ? "removed" : "changed";
    return [{ change, kind: one.kind, name: one.cited, document }];
  });
}

/** The value that a name stands for, as a document of its own. */
function documentOf(network: Network, cited: string): Document | undefined {
  const spot = network.spotOf(cited);
  if (spot === undefined) return undefined;
  const { document, path: base } = spot;
  return { ...document, base, locate: (path, options) => document.locate([...base, ...path], options) };
}

function writtenOf(network: Network): ReadonlyMap<string, Written> {
  const out = new Map<string, Written>();
  const add = (kind: string, cited: string, ...says: readonly unknown[]): void => {
    const key = `${kind} ${cited}`;
    const before = out.get(key);
    const text = JSON.stringify(says);
    out.set(key, { kind, cited, says: before === undefined ? text : `${before.says} ${text}` });
  };
  for (const group of network.groups.values()) {
    for (const rule of group.rules)
      add("SecurityGroup", rule.name, group.name, rule.direction, ruleText(rule), rule.stale, rule.unsettled);
  }
  for (const acl of network.acls.values()) {
    for (const entry of acl.entries) add("NetworkAcl", entryName(acl, entry.direction, entry), entryText(entry));
  }
  for (const table of network.tables.values()) {
    for (const route of table.routes) {
      if (route.origin === "local") continue;
      const targets = possible(route.target).map((target) => target.name);
      add("RouteTable", `${table.name}#${destinationText(route)}`, targets, route.state);
    }
  }
  for (const subnet of network.subnets.values()) {
    const { name, table, acl, cidr4, cidr6, blockMode } = subnet;
    const cidrs = [cidr4, cidr6].map((cidr) => (cidr === undefined ? "" : formatPrefix(cidr)));
    add("Subnet", name, namesOf(table), namesOf(acl), cidrs, blockMode);
  }
  for (const owner of network.owners.values()) {
    for (const face of owner.interfaces) {
      const groups = face.groups === undefined ? "" : namesOf(face.groups);
      add(KINDS[owner.kind], owner.name, namesOf(face.subnet), groups, face.isPublic, face.checksDestination);
    }
  }
  for (const { name, internal, listeners } of network.balancers.values())
    add("LoadBalancer", name, internal, listeners);
  for (const { name, ...rest } of network.targetGroups.values()) add("TargetGroup", name, rest);
  for (const { name, vpcs } of network.gateways.values()) add("InternetGateway", name, vpcs);
  for (const { name, isAvailable, isPublic } of network.nats.values()) add("NatGateway", name, isAvailable, isPublic);
  for (const { name, isActive } of network.peerings.values()) add("Peering", name, isActive);
  for (const { name, prefixes } of network.prefixLists.values()) add("PrefixList", name, prefixes?.map(formatPrefix));
  for (const { name, cidrs, blockMode } of network.vpcs.values()) add("Vpc", name, cidrs.map(formatPrefix), blockMode);
  return out;
}

function namesOf(value: Value<unknown>): unknown {
  return possible(value);
}
