/** What leads out of a VPC to others, as AWS answers. */

import { known, type PeeringSide, type TransitTable } from "../../model.ts";
import { field, list, text, texts } from "../json.ts";
import { prefixOf } from "../values.ts";
import { type DescribeAnswers, tagsOf } from "./answers.ts";

export function readEndpoints(d: DescribeAnswers): void {
  for (const one of d.all("VpcEndpoints")) {
    const name = text(field(one, "VpcEndpointId"));
    if (name === undefined) continue;
    const type = text(field(one, "VpcEndpointType"));
    const kind = type === "Gateway" ? "gateway" : type === "GatewayLoadBalancer" ? "appliance" : "interface";
    d.b.endpoints.set(name, { name, kind, service: text(field(one, "ServiceName")) ?? "" });
    if (kind !== "interface") continue;
    const owner = d.b.owner(name, "endpoint", tagsOf(field(one, "Tags")));
    if (owner.interfaces.length > 0) continue;
    const groups = known(list(field(one, "Groups")).flatMap((g) => texts(field(g, "GroupId"))));
    const ids = texts(field(one, "NetworkInterfaceIds"));
    for (const [index, subnet] of texts(field(one, "SubnetIds")).entries()) {
      owner.interfaces.push({
        name: ids[index] ?? `${name}#eni-${index}`,
        subnet: known(subnet),
        isPublic: "no",
        groups,
      });
    }
  }
}

export function readPeerings(d: DescribeAnswers): void {
  for (const one of d.all("VpcPeeringConnections")) {
    const name = text(field(one, "VpcPeeringConnectionId"));
    if (name === undefined) continue;
    const side = (key: string): PeeringSide => {
      const info = field(one, key);
      const cidrs = [
        ...texts(field(info, "CidrBlock")),
        ...list(field(info, "CidrBlockSet")).flatMap((c) => texts(field(c, "CidrBlock"))),
        ...list(field(info, "Ipv6CidrBlockSet")).flatMap((c) => texts(field(c, "Ipv6CidrBlock"))),
      ];
      return {
        vpc: text(field(info, "VpcId")) ?? `${name}#${key}`,
        cidrs: [...new Set(cidrs)].flatMap((c) => prefixOf(c) ?? []),
        region: text(field(info, "Region")),
      };
    };
    d.b.peerings.set(name, {
      name,
      isActive: text(field(one, "Status", "Code")) === "active" ? "yes" : "no",
      requester: side("RequesterVpcInfo"),
      accepter: side("AccepterVpcInfo"),
    });
  }
}

export function readTransits(d: DescribeAnswers): void {
  for (const one of d.all("TransitGateways")) {
    const name = text(field(one, "TransitGatewayId"));
    if (name === undefined) continue;
    const attachments = d
      .all("TransitGatewayVpcAttachments")
      .filter((a) => field(a, "TransitGatewayId") === name && (text(field(a, "State")) ?? "available") === "available")
      .map((a) => ({
        name: text(field(a, "TransitGatewayAttachmentId")) ?? "",
        vpc: text(field(a, "VpcId")) ?? "",
        subnets: texts(field(a, "SubnetIds")),
        referencesGroups: text(field(a, "Options", "SecurityGroupReferencingSupport")) !== "disable",
      }));
    const tables = d
      .all("TransitGatewayRouteTables")
      .filter((t) => field(t, "TransitGatewayId") === name)
      .flatMap((t): TransitTable[] => {
        const id = text(field(t, "TransitGatewayRouteTableId"));
        const found = d.transitRoutes.filter((r) => r.key === id);
        if (id === undefined || found.length === 0) return [];
        const associated = d.transitAssociations
          .filter((a) => a.key === id)
          .flatMap((a) => list(a.value))
          .flatMap((a) => texts(field(a, "TransitGatewayAttachmentId")));
        const routes = found
          .flatMap((r) => list(r.value))
          .flatMap((r) => {
            const prefix = prefixOf(text(field(r, "DestinationCidrBlock")) ?? "");
            if (prefix === undefined) return [];
            return [
              {
                prefix,
                state: text(field(r, "State")) === "blackhole" ? ("blackhole" as const) : ("active" as const),
                origin: text(field(r, "Type")) === "propagated" ? ("propagated" as const) : ("static" as const),
                attachments: list(field(r, "TransitGatewayAttachments")).flatMap((a) =>
                  texts(field(a, "TransitGatewayAttachmentId")),
                ),
              },
            ];
          });
        return [{ name: id, attachments: associated, routes }];
      });
    const referencesGroups = text(field(one, "Options", "SecurityGroupReferencingSupport")) === "enable";
    d.b.transits.set(name, { name, attachments, tables, referencesGroups });
  }
}
