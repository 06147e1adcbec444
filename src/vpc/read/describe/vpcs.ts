/** VPCs and subnets, as AWS answers. */

import { type BlockMode, known } from "../../model.ts";
import { field, list, text, texts, truth } from "../json.ts";
import { type DescribeAnswers, stateOf, tagsOf } from "./answers.ts";

export function readVpcs(d: DescribeAnswers): void {
  const subnetVpcs = new Set(d.all("Subnets").flatMap((s) => text(field(s, "VpcId")) ?? []));
  for (const vpc of d.all("Vpcs")) {
    const name = text(field(vpc, "VpcId"));
    if (name === undefined) continue;
    subnetVpcs.delete(name);
    d.b.place(name, vpc);
    const associated = list(field(vpc, "CidrBlockAssociationSet"))
      .filter((a) => stateOf(a, "CidrBlockState") === "associated")
      .flatMap((a) => texts(field(a, "CidrBlock")));
    const v6 = list(field(vpc, "Ipv6CidrBlockAssociationSet"))
      .filter((a) => stateOf(a, "Ipv6CidrBlockState") === "associated")
      .flatMap((a) => texts(field(a, "Ipv6CidrBlock")));
    const v4 = associated.length > 0 ? associated : texts(field(vpc, "CidrBlock"));
    d.b.vpcs.set(name, {
      name,
      cidrs: [...v4, ...v6],
      blockMode: blockMode(field(vpc, "BlockPublicAccessStates")) ?? "off",
      tags: tagsOf(field(vpc, "Tags")),
    });
  }
  // A folder without describe-vpcs: the VPC is known by its subnets and its local routes.
  for (const name of subnetVpcs) {
    const local = d
      .all("RouteTables")
      .filter((t) => field(t, "VpcId") === name)
      .flatMap((t) => list(field(t, "Routes")))
      .filter((r) => field(r, "GatewayId") === "local")
      .flatMap((r) => [...texts(field(r, "DestinationCidrBlock")), ...texts(field(r, "DestinationIpv6CidrBlock"))]);
    const own = d
      .all("Subnets")
      .filter((s) => field(s, "VpcId") === name)
      .flatMap((s) => texts(field(s, "CidrBlock")));
    d.b.vpcs.set(name, { name, cidrs: [...new Set(local.length > 0 ? local : own)] });
  }
  for (const subnet of d.all("Subnets")) {
    const name = text(field(subnet, "SubnetId"));
    if (name === undefined) continue;
    d.b.place(name, subnet);
    const cidr4 = text(field(subnet, "CidrBlock"));
    const [cidr6] = list(field(subnet, "Ipv6CidrBlockAssociationSet"))
      .filter((a) => stateOf(a, "Ipv6CidrBlockState") !== "disassociated")
      .flatMap((a) => texts(field(a, "Ipv6CidrBlock")));
    const zone = text(field(subnet, "AvailabilityZone"));
    const mode = blockMode(field(subnet, "BlockPublicAccessStates"));
    d.b.subnets.set(name, {
      name,
      vpc: known(text(field(subnet, "VpcId")) ?? ""),
      mapsPublic: truth(field(subnet, "MapPublicIpOnLaunch")) ?? false,
      tags: tagsOf(field(subnet, "Tags")),
      ...(cidr4 === undefined ? {} : { cidr4 }),
      ...(cidr6 === undefined ? {} : { cidr6 }),
      ...(zone === undefined ? {} : { zone }),
      ...(mode === undefined ? {} : { blockMode: mode }),
    });
  }
}

function blockMode(states: unknown): BlockMode | undefined {
  const mode = text(field(states, "InternetGatewayBlockMode"));
  return mode === "off" || mode === "block-bidirectional" || mode === "block-ingress" ? mode : undefined;
}
