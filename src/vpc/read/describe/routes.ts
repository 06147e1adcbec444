/** Route tables and gateways, as AWS answers. */

import { formatPrefix } from "../../../net/address.ts";
import { known, type Route, type RouteTarget } from "../../model.ts";
import { field, list, text, texts } from "../json.ts";
import { prefixOf } from "../values.ts";
import { type DescribeAnswers, stateOf } from "./answers.ts";

export function readTables(d: DescribeAnswers): void {
  for (const one of d.all("RouteTables")) {
    const name = text(field(one, "RouteTableId"));
    if (name === undefined) continue;
    d.b.place(name, one);
    const vpc = text(field(one, "VpcId"));
    const table = d.b.table(name, vpc);
    const draft = vpc === undefined ? undefined : d.b.vpcs.get(vpc);
    for (const association of list(field(one, "Associations"))) {
      const state = stateOf(association, "AssociationState");
      if (state !== undefined && state !== "associated") continue;
      const subnet = text(field(association, "SubnetId"));
      const gateway = text(field(association, "GatewayId"));
      if (field(association, "Main") === true && draft !== undefined) draft.mainTable = name;
      if (subnet !== undefined) d.b.associateTable(subnet, known(name));
      if (gateway !== undefined) table.gateways.push(gateway);
    }
    for (const route of list(field(one, "Routes"))) d.b.addRoute(table, routeOf(route), route);
  }
}

export function readGateways(d: DescribeAnswers): void {
  for (const key of ["InternetGateways", "EgressOnlyInternetGateways"] as const) {
    for (const one of d.all(key)) {
      const egressOnly = key === "EgressOnlyInternetGateways";
      const name = text(field(one, egressOnly ? "EgressOnlyInternetGatewayId" : "InternetGatewayId"));
      if (name === undefined) continue;
      // Real answers say `available`, the model of the API says `attached`.
      const vpcs = list(field(one, "Attachments"))
        .filter((a) => /^(available|attached)$/.test(text(field(a, "State")) ?? "available"))
        .flatMap((a) => texts(field(a, "VpcId")));
      d.b.gateways.set(name, { name, vpcs, egressOnly });
    }
  }
}

function routeOf(route: unknown): Route {
  const cidr = text(field(route, "DestinationCidrBlock")) ?? text(field(route, "DestinationIpv6CidrBlock"));
  const prefix = cidr === undefined ? undefined : prefixOf(cidr);
  const prefixList = text(field(route, "DestinationPrefixListId"));
  const state = text(field(route, "State"));
  const origin = text(field(route, "Origin"));
  return {
    destination:
      prefix !== undefined
        ? { kind: "prefix", prefix, text: formatPrefix(prefix) }
        : prefixList !== undefined
          ? { kind: "prefixList", list: prefixList }
          : { kind: "unknown", because: { code: "unknown-value", detail: "destination of a route" } },
    target: known(targetOf(route)),
    state: state === "blackhole" || state === "filtered" ? state : "active",
    origin:
      origin === "EnableVgwRoutePropagation" || origin === "Advertisement"
        ? "propagated"
        : field(route, "GatewayId") === "local"
          ? "local"
          : "static",
  };
}

function targetOf(route: unknown): RouteTarget {
  const gateway = text(field(route, "GatewayId"));
  if (gateway === "local") return { kind: "local", name: "local" };
  if (gateway?.startsWith("igw-") === true) return { kind: "internet-gateway", name: gateway };
  if (gateway?.startsWith("vgw-") === true) return { kind: "virtual-gateway", name: gateway };
  if (gateway?.startsWith("vpce-") === true) return { kind: "endpoint", name: gateway };
  for (const [key, kind] of [
    ["NatGatewayId", "nat-gateway"],
    ["TransitGatewayId", "transit-gateway"],
    ["VpcPeeringConnectionId", "peering"],
    ["NetworkInterfaceId", "network-interface"],
    ["InstanceId", "network-interface"],
    ["EgressOnlyInternetGatewayId", "egress-only-gateway"],
    ["LocalGatewayId", "other"],
    ["CarrierGatewayId", "other"],
    ["CoreNetworkArn", "other"],
    ["OdbNetworkArn", "other"],
  ] as const) {
    const name = text(field(route, key));
    if (name !== undefined) return { kind, name };
  }
  return { kind: "other", name: gateway ?? "nothing" };
}
