/** What leads out of a VPC to others in a plan: endpoints, peerings, prefix lists, transit gateways. */

import { known, type PeeringSide, type Route, type TransitTable } from "../../model.ts";
import { field, list, text, texts, truth } from "../json.ts";
import { prefixesOf, prefixOf } from "../values.ts";
import type { Instance } from "./plan.ts";
import { T, type TerraformValues } from "./values.ts";

export function readEndpoint(t: TerraformValues, i: Instance): void {
  const type = t.string(i, "vpc_endpoint_type") ?? "Gateway";
  const kind = type === "Gateway" ? "gateway" : type === "GatewayLoadBalancer" ? "appliance" : "interface";
  const service = t.string(i, "service_name") ?? "";
  t.b.endpoints.set(i.address, { name: i.address, kind, service });
  if (kind === "gateway") {
    const list = t.plan.instances.find(
      (d) => d.type === "aws_prefix_list" && text(field(d.values, "name")) === service,
    );
    const name = t.string(i, "prefix_list_id") ?? text(field(list?.values, "id")) ?? `${i.address}#prefix_list`;
    const cidrs = [...texts(field(i.values, "cidr_blocks")), ...texts(field(list?.values, "cidr_blocks"))];
    t.b.prefixLists.set(name, { name, prefixes: cidrs.length > 0 ? prefixesOf(cidrs) : undefined });
    const tables = t.has(i, "route_table_ids") ? t.many(i, ["route_table_ids"], T.table) : known([]);
    const associated = t
      .referring(["aws_vpc_endpoint_route_table_association"], "vpc_endpoint_id", T.endpoint, i.address)
      .flatMap((a) => t.namesOf(a, ["route_table_id"], T.table));
    for (const table of [...(tables.kind === "known" ? tables.value : []), ...associated]) {
      const route: Route = {
        destination: { kind: "prefixList", list: name },
        target: known({ kind: "endpoint", name: i.address }),
        state: "active",
        origin: "static",
      };
      t.b.addRoute(t.b.table(t.b.canonical(table), undefined), route, i.written);
    }
    return;
  }
  if (kind === "appliance") return;
  const owner = t.b.owner(i.address, "endpoint", t.tags(i));
  const subnets = t.many(i, ["subnet_ids"], T.subnet);
  const groups = t.isWritten(i, "security_group_ids") ? t.many(i, ["security_group_ids"], T.group) : undefined;
  for (const [index, subnet] of (subnets.kind === "known" ? subnets.value : []).entries()) {
    owner.interfaces.push({
      name: `${i.address}#eni-${index}`,
      subnet: known(subnet),
      isPublic: "no",
      ...(groups === undefined ? {} : { groups }),
    });
  }
}

export function readPeering(t: TerraformValues, i: Instance): void {
  const accepted =
    truth(field(i.values, "auto_accept")) === true ||
    t.string(i, "accept_status") === "active" ||
    t
      .referring(["aws_vpc_peering_connection_accepter"], "vpc_peering_connection_id", T.peering, i.address)
      .some((a) => truth(field(a.values, "auto_accept")) === true);
  const side = (key: string): PeeringSide => {
    const vpc = t.one(i, [key], T.vpc);
    const region = key === "peer_vpc_id" ? t.string(i, "peer_region") : undefined;
    return { vpc: vpc.kind === "known" ? vpc.value : `${i.address}#${key}`, cidrs: [], region };
  };
  t.b.peerings.set(i.address, {
    name: i.address,
    isActive: accepted ? "yes" : "maybe",
    requester: side("vpc_id"),
    accepter: side("peer_vpc_id"),
  });
}

export function readPrefixList(t: TerraformValues, i: Instance): void {
  const blocks = list(field(i.values, "entry"));
  const loose = t.referring(["aws_ec2_managed_prefix_list_entry"], "prefix_list_id", T.list, i.address);
  const cidrs = [...blocks, ...loose.map((e) => e.values)].map((entry) => text(field(entry, "cidr")));
  const isWhole =
    cidrs.every((cidr) => cidr !== undefined) &&
    !(t.isUnknown(i, ["entry"]) && blocks.length === 0 && t.isWritten(i, "entry"));
  const given = [...cidrs.flatMap((cidr) => cidr ?? []), ...texts(field(i.values, "cidr_blocks"))];
  t.b.prefixLists.set(i.address, { name: i.address, prefixes: isWhole ? prefixesOf(given) : undefined });
}

export function readTransit(t: TerraformValues, i: Instance): void {
  const attachments = t.referring(T.attachment, "transit_gateway_id", T.transit, i.address).map((a) => ({
    name: a.address,
    vpc: t.nameValue(a, ["vpc_id"], T.vpc) ?? "",
    subnets: t.namesOf(a, ["subnet_ids"], T.subnet),
    referencesGroups: t.string(a, "security_group_referencing_support") !== "disable",
  }));
  const tables = t.referring(T.transitTable, "transit_gateway_id", T.transit, i.address).map((one): TransitTable => {
    const key = "transit_gateway_route_table_id";
    const attached = (type: string): string[] =>
      t
        .referring([type], key, T.transitTable, one.address)
        .flatMap((a) => t.namesOf(a, ["transit_gateway_attachment_id"], T.attachment));
    const propagated = attached("aws_ec2_transit_gateway_route_table_propagation").flatMap((name) => {
      const vpc = attachments.find((a) => a.name === name)?.vpc;
      const cidrs = vpc === undefined ? [] : (t.b.vpcs.get(vpc)?.cidrs ?? []);
      return cidrs.flatMap((cidr) => {
        const prefix = prefixOf(cidr);
        return prefix === undefined
          ? []
          : [{ prefix, state: "active" as const, origin: "propagated" as const, attachments: [name] }];
      });
    });
    const routes = t.referring(["aws_ec2_transit_gateway_route"], key, T.transitTable, one.address).flatMap((r) => {
      const prefix = prefixOf(t.string(r, "destination_cidr_block") ?? "");
      if (prefix === undefined) return [];
      const blackhole = truth(field(r.values, "blackhole")) === true;
      const names = blackhole ? [] : t.namesOf(r, ["transit_gateway_attachment_id"], T.attachment);
      return [
        {
          prefix,
          state: blackhole ? ("blackhole" as const) : ("active" as const),
          origin: "static" as const,
          attachments: names,
        },
      ];
    });
    return {
      name: one.address,
      attachments: attached("aws_ec2_transit_gateway_route_table_association"),
      routes: [...routes, ...propagated],
    };
  });
  const name = i.address;
  t.b.transits.set(name, {
    name,
    attachments,
    tables,
    referencesGroups: t.string(i, "security_group_referencing_support") === "enable",
  });
}
