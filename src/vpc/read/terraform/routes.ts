/** Route tables and gateways of a plan. */

import { formatPrefix } from "../../../net/address.ts";
import { known, type Route, type RouteTarget, type TargetKind, unknownValue, type Value } from "../../model.ts";
import { field, list, text } from "../json.ts";
import { addressList, prefixOf } from "../values.ts";
import { resolvedPeers } from "./groups.ts";
import type { Instance } from "./plan.ts";
import { onlyName, T, type TerraformValues } from "./values.ts";

export function readTable(t: TerraformValues, i: Instance): void {
  let vpc = t.has(i, "vpc_id") ? t.nameValue(i, ["vpc_id"], T.vpc) : undefined;
  if (i.type === "aws_default_route_table") {
    const of = t.one(i, ["default_route_table_id"], T.table);
    vpc = of.kind === "known" ? of.value.replace(/#main_route_table$/, "") : onlyName(t.b.vpcs);
    const draft = vpc === undefined ? undefined : t.b.vpcs.get(vpc);
    if (draft !== undefined) draft.mainTable = i.address;
  }
  const table = t.b.table(i.address, vpc ?? onlyName(t.b.vpcs));
  table.vpc ??= vpc;
  const blocks = list(field(i.values, "route"));
  if (t.isUnknown(i, ["route"]) && blocks.length === 0 && i.expressions !== undefined && t.isWritten(i, "route")) {
    table.moreRoutes = { code: "unknown-value", detail: `routes of ${i.address}` };
  }
  const pending = blocks.filter((block) => !TARGETS.some(([key]) => text(field(block, key)) !== undefined)).length;
  for (const [index, block] of blocks.entries()) {
    const keys = ["cidr_block", "ipv6_cidr_block", "destination_prefix_list_id"];
    t.b.addRoute(table, routeOf(t, i, block, ["route", index], pending, keys), block);
  }
}

export function readRoute(t: TerraformValues, i: Instance): void {
  const route = routeOf(t, i, i.values, [], 1, [
    "destination_cidr_block",
    "destination_ipv6_cidr_block",
    "destination_prefix_list_id",
  ]);
  const table = t.one(i, ["route_table_id"], T.table);
  const add = (name: string): void => {
    t.b.addRoute(t.b.table(t.b.canonical(name), undefined), route, i.written);
  };
  if (table.kind === "known") {
    const main = /^(.*)#main_route_table$/.exec(table.value)?.[1];
    const draft = main === undefined ? undefined : t.b.vpcs.get(main);
    if (draft !== undefined && draft.mainTable === undefined) {
      draft.mainTable = table.value;
      t.b.table(table.value, draft.name);
    }
    add(draft?.mainTable ?? table.value);
  } else {
    const names = table.kind === "oneOf" ? table.values : [...t.b.tables.keys()];
    for (const name of names) t.b.table(name, undefined).moreRoutes ??= table.because;
  }
}

function routeOf(
  t: TerraformValues,
  i: Instance,
  block: unknown,
  path: readonly (string | number)[],
  pending: number,
  keys: readonly string[],
): Route {
  const [cidr4 = "", cidr6 = "", listKey = ""] = keys;
  const cidr = text(field(block, cidr4)) ?? text(field(block, cidr6));
  const prefix = cidr === undefined ? undefined : prefixOf(cidr);
  const listId = text(field(block, listKey));
  const destination: Route["destination"] =
    prefix !== undefined
      ? { kind: "prefix", prefix, text: formatPrefix(prefix) }
      : listId !== undefined
        ? { kind: "prefixList", list: t.byId(listId, T.list) }
        : unknownDestination(t, i, path, listKey);
  return { destination, target: routeTarget(t, i, block, path, pending), state: "active", origin: "static" };
}

function unknownDestination(
  t: TerraformValues,
  i: Instance,
  path: readonly (string | number)[],
  listKey: string,
): Route["destination"] {
  if (path.length === 0) {
    for (const key of ["destination_cidr_block", "destination_ipv6_cidr_block"]) {
      if (!t.isUnknown(i, [key]) || !t.isWritten(i, key)) continue;
      const [peer] = resolvedPeers(t, i, key);
      const prefix = peer?.kind === "addresses" ? prefixOf(peer.text) : undefined;
      if (prefix !== undefined) return { kind: "prefix", prefix, text: formatPrefix(prefix) };
    }
    if (t.isWritten(i, listKey)) {
      const value = t.one(i, [listKey], T.list);
      if (value.kind === "known") return { kind: "prefixList", list: value.value };
    }
  }
  return { kind: "unknown", because: { code: "unknown-value", detail: `destination of a route of ${i.address}` } };
}

function routeTarget(
  t: TerraformValues,
  i: Instance,
  block: unknown,
  path: readonly (string | number)[],
  pending: number,
): Value<RouteTarget> {
  for (const [key, kind, types] of TARGETS) {
    const id = text(field(block, key));
    if (id === undefined) continue;
    if (key === "gateway_id") return known(gatewayTarget(t, id === "local" ? id : t.byId(id, types)));
    return known({ kind, name: t.byId(id, types) });
  }
  const found: RouteTarget[] = [];
  for (const [key, kind, types] of TARGETS) {
    if (path.length === 0 && !t.isWritten(i, key)) continue;
    const r = t.plan.resolve(i, [...path, key]);
    if (r.kind === "unknown") {
      if (path.length === 0) return unknownValue(r.detail);
      continue;
    }
    for (const one of r.referred) {
      const name = t.nameOf(one, types);
      if (name === undefined) continue;
      const target = key === "gateway_id" ? gatewayTarget(t, name) : { kind, name };
      if (!found.some((f) => f.name === target.name)) found.push(target);
    }
  }
  const [only] = found;
  if (only === undefined) return unknownValue(`target of a route of ${i.address}`);
  if (found.length === 1 && (pending === 1 || path.length === 0)) return known(only);
  if (found.length === 1) return known(only);
  return {
    kind: "oneOf",
    values: found,
    because: { code: "unknown-value", detail: `targets of the routes of ${i.address}` },
  };
}

function gatewayTarget(t: TerraformValues, name: string): RouteTarget {
  const type = t.plan.byAddress.get(name)?.type;
  if (name === "local") return { kind: "local", name };
  if (type === "aws_vpn_gateway" || name.startsWith("vgw-")) return { kind: "virtual-gateway", name };
  if (type === "aws_vpc_endpoint" || name.startsWith("vpce-")) return { kind: "endpoint", name };
  return { kind: "internet-gateway", name };
}

export function readTableAssociation(t: TerraformValues, i: Instance): void {
  const table = t.one(i, ["route_table_id"], T.table);
  if (t.has(i, "gateway_id") && t.isWritten(i, "gateway_id")) {
    const gateway = t.nameValue(i, ["gateway_id"], [...T.igw, ...T.vgw]);
    if (gateway !== undefined && table.kind === "known") t.b.table(table.value, undefined).gateways.push(gateway);
    return;
  }
  const subnet = t.one(i, ["subnet_id"], T.subnet);
  if (subnet.kind === "known") t.b.associateTable(subnet.value, table);
  else
    for (const name of subnet.kind === "oneOf" ? subnet.values : t.b.subnets.keys())
      t.b.associateTable(name, unknownValue(`the route table of ${name}`));
}

export function readMainAssociation(t: TerraformValues, i: Instance): void {
  const vpc = t.nameValue(i, ["vpc_id"], T.vpc);
  const table = t.nameValue(i, ["route_table_id"], T.table);
  const draft = vpc === undefined ? undefined : t.b.vpcs.get(vpc);
  if (draft !== undefined && table !== undefined) draft.mainTable = table;
}

export function readInternetGateway(t: TerraformValues, i: Instance, egressOnly: boolean): void {
  const vpcs = t.has(i, "vpc_id") ? t.namesOf(i, ["vpc_id"], T.vpc) : [];
  const attached = t
    .referring(["aws_internet_gateway_attachment"], "internet_gateway_id", T.igw, i.address)
    .flatMap((a) => t.namesOf(a, ["vpc_id"], T.vpc));
  t.b.gateways.set(i.address, { name: i.address, vpcs: [...vpcs, ...attached], egressOnly });
}

export function readNat(t: TerraformValues, i: Instance): void {
  const isPublic = t.string(i, "connectivity_type") !== "private";
  const subnet = t.one(i, ["subnet_id"], T.subnet);
  t.b.nats.set(i.address, { name: i.address, subnet, isPublic, isAvailable: true });
  const owner = t.b.owner(i.address, "nat-gateway", t.tags(i));
  owner.interfaces.push({
    name: `${i.address}#eni`,
    subnet,
    addresses: addressList([t.string(i, "private_ip")]),
    publicAddresses: addressList([t.string(i, "public_ip")]),
    isPublic: isPublic ? "yes" : "no",
    groups: "none",
  });
}

const TARGETS: readonly (readonly [string, TargetKind, readonly string[]])[] = [
  ["gateway_id", "internet-gateway", [...T.igw, ...T.vgw, ...T.endpoint]],
  ["nat_gateway_id", "nat-gateway", T.nat],
  ["egress_only_gateway_id", "egress-only-gateway", T.eigw],
  ["vpc_peering_connection_id", "peering", T.peering],
  ["transit_gateway_id", "transit-gateway", T.transit],
  ["network_interface_id", "network-interface", [...T.eni, ...T.instance]],
  ["vpc_endpoint_id", "endpoint", T.endpoint],
  ["carrier_gateway_id", "other", ["aws_ec2_carrier_gateway"]],
  ["local_gateway_id", "other", ["aws_ec2_local_gateway"]],
  ["core_network_arn", "other", ["aws_networkmanager_core_network"]],
];
