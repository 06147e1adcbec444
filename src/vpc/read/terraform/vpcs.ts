/** VPCs and subnets of a plan. */

import { field, texts, truth } from "../json.ts";
import type { Instance } from "./plan.ts";
import { T, type TerraformValues } from "./values.ts";

const CIDR_ASSOCIATIONS = ["aws_vpc_ipv4_cidr_block_association", "aws_vpc_ipv6_cidr_block_association"];
const EXCLUSIONS = ["aws_vpc_block_public_access_exclusion"];

export function readVpc(t: TerraformValues, i: Instance): void {
  const cidrs = [...texts(field(i.values, "cidr_block")), ...texts(field(i.values, "ipv6_cidr_block"))];
  for (const association of t.referring(CIDR_ASSOCIATIONS, "vpc_id", T.vpc, i.address)) {
    cidrs.push(
      ...texts(field(association.values, "cidr_block")),
      ...texts(field(association.values, "ipv6_cidr_block")),
    );
  }
  const dnsSupport = truth(field(i.values, "enable_dns_support"));
  t.b.vpcs.set(i.address, {
    name: i.address,
    cidrs,
    unknownIpv6:
      field(i.values, "assign_generated_ipv6_cidr_block") === true && t.string(i, "ipv6_cidr_block") === undefined,
    tags: t.tags(i),
    blockMode: blockMode(t, i.address),
    ...(dnsSupport === undefined ? {} : { dnsSupport }),
  });
}

/** Block Public Access for the account, less what is excluded (aws-vpc.md RT-12). */
function blockMode(t: TerraformValues, name: string): "off" | "block-bidirectional" | "block-ingress" {
  let mode: "off" | "block-bidirectional" | "block-ingress" = "off";
  for (const i of t.plan.ofTypes(["aws_vpc_block_public_access_options"])) {
    const given = t.string(i, "internet_gateway_block_mode");
    if (given === "block-bidirectional" || given === "block-ingress") mode = given;
  }
  if (mode === "off") return mode;
  const [exclusion] = [
    ...t.referring(EXCLUSIONS, "vpc_id", T.vpc, name),
    ...t.referring(EXCLUSIONS, "subnet_id", T.subnet, name),
  ];
  if (exclusion === undefined) return mode;
  return t.string(exclusion, "internet_gateway_exclusion_mode") === "allow-egress" ? "block-ingress" : "off";
}

export function readSubnet(t: TerraformValues, i: Instance): void {
  const vpc = t.one(i, ["vpc_id"], T.vpc);
  const cidr4 = t.string(i, "cidr_block");
  const cidr6 = t.string(i, "ipv6_cidr_block");
  const zone = t.string(i, "availability_zone") ?? t.string(i, "availability_zone_id");
  const excluded =
    t.plan.ofTypes(["aws_vpc_block_public_access_options"]).length > 0 &&
    t.referring(EXCLUSIONS, "subnet_id", T.subnet, i.address).length > 0;
  t.b.subnets.set(i.address, {
    name: i.address,
    vpc,
    mapsPublic: truth(field(i.values, "map_public_ip_on_launch")) ?? false,
    tags: t.tags(i),
    ...(excluded ? { blockMode: blockMode(t, i.address) } : {}),
    ...(cidr4 === undefined ? {} : { cidr4 }),
    ...(cidr6 === undefined ? {} : { cidr6 }),
    ...(zone === undefined ? {} : { zone }),
  });
}
