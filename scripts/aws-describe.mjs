#!/usr/bin/env node
// Prints the read-only commands that collect a VPC as a folder of JSON, for `bulkhead reach FOLDER`:
//
//   node scripts/aws-describe.mjs [--vpc vpc-0123] [--region eu-west-1] [--profile name] [--to folder] > collect.sh
//   sh collect.sh
//
// Nothing is run here, and every command only describes. Permissions: ec2:Describe*, ec2:Get*, ec2:SearchTransitGatewayRoutes,
// elasticloadbalancing:Describe*, eks:DescribeCluster, eks:DescribeNodegroup, eks:List*.
import { pathToFileURL } from "node:url";

const PLAIN = [
  "ec2 describe-vpcs",
  "ec2 describe-subnets",
  "ec2 describe-route-tables",
  "ec2 describe-security-groups",
  "ec2 describe-security-group-rules",
  "ec2 describe-network-acls",
  "ec2 describe-network-interfaces",
  "ec2 describe-instances",
  "ec2 describe-internet-gateways",
  "ec2 describe-egress-only-internet-gateways",
  "ec2 describe-nat-gateways",
  "ec2 describe-vpc-endpoints",
  "ec2 describe-managed-prefix-lists",
  "ec2 describe-vpc-peering-connections",
  "ec2 describe-transit-gateways",
  "ec2 describe-transit-gateway-vpc-attachments",
  "ec2 describe-transit-gateway-route-tables",
  "elbv2 describe-load-balancers",
  "elbv2 describe-target-groups",
  "elb describe-load-balancers",
];

/** Calls that can be narrowed to one VPC, with the name of their filter. */
const BY_VPC = new Set([
  "ec2 describe-subnets",
  "ec2 describe-route-tables",
  "ec2 describe-security-groups",
  "ec2 describe-network-acls",
  "ec2 describe-network-interfaces",
  "ec2 describe-instances",
  "ec2 describe-nat-gateways",
  "ec2 describe-vpc-endpoints",
]);

/** Answers that do not repeat what was asked: it is written around them. */
const EACH = [
  [
    "elbv2 describe-load-balancers",
    "LoadBalancers[].LoadBalancerArn",
    "elbv2 describe-listeners --load-balancer-arn",
    undefined,
  ],
  [
    "elbv2 describe-target-groups",
    "TargetGroups[].TargetGroupArn",
    "elbv2 describe-target-health --target-group-arn",
    "TargetGroupArn",
  ],
  [
    "elbv2 describe-target-groups",
    "TargetGroups[].TargetGroupArn",
    "elbv2 describe-target-group-attributes --target-group-arn",
    "TargetGroupArn",
  ],
  [
    "ec2 describe-managed-prefix-lists",
    "PrefixLists[].PrefixListId",
    "ec2 get-managed-prefix-list-entries --prefix-list-id",
    "PrefixListId",
  ],
  [
    "ec2 describe-transit-gateway-route-tables",
    "TransitGatewayRouteTables[].TransitGatewayRouteTableId",
    "ec2 search-transit-gateway-routes --filters Name=state,Values=active,blackhole --transit-gateway-route-table-id",
    "TransitGatewayRouteTableId",
  ],
  [
    "ec2 describe-transit-gateway-route-tables",
    "TransitGatewayRouteTables[].TransitGatewayRouteTableId",
    "ec2 get-transit-gateway-route-table-associations --transit-gateway-route-table-id",
    "TransitGatewayRouteTableId",
  ],
  ["eks list-clusters", "clusters[]", "eks describe-cluster --name", undefined],
];

/** The commands, one a line. */
export function commands({ vpc, region, profile, to = "vpc" } = {}) {
  const where = [
    region === undefined ? "" : ` --region ${quote(region)}`,
    profile === undefined ? "" : ` --profile ${quote(profile)}`,
  ].join("");
  const aws = (call) => `aws ${call}${where} --output json`;
  const folder = quote(to);
  const lines = ["set -eu", `mkdir -p ${folder}`];
  for (const call of PLAIN) {
    const filter =
      vpc === undefined
        ? ""
        : BY_VPC.has(call)
          ? ` --filter${call.endsWith("nat-gateways") ? "" : "s"} Name=vpc-id,Values=${quote(vpc)}`
          : "";
    lines.push(`${aws(`${call}${filter}`)} > ${folder}/${fileOf(call)}.json`);
  }
  for (const [listing, query, call, key] of EACH) {
    const file = `${folder}/${fileOf(call.split(" --")[0])}`;
    const head = `for id in $(aws ${listing}${where} --query ${quote(query)} --output text); do`;
    const name = '$(printf %s "$id" | tr -c "A-Za-z0-9-" _)';
    const one = `${aws(`${call} "$id"`)}`;
    const body =
      key === undefined
        ? `${one} > ${file}."${name}".json`
        : `{ printf '{"${key}":"%s","Response":' "$id"; ${one}; printf '}'; } > ${file}."${name}".json`;
    lines.push(`${head} ${body}; done`);
  }
  lines.push(
    `for arn in $(aws elbv2 describe-load-balancers${where} --query ${quote("LoadBalancers[].LoadBalancerArn")} --output text); do for id in $(aws elbv2 describe-listeners --load-balancer-arn "$arn"${where} --query ${quote("Listeners[].ListenerArn")} --output text); do ${aws('elbv2 describe-rules --listener-arn "$id"')} > ${folder}/elbv2-describe-rules."$(printf %s "$id" | tr -c "A-Za-z0-9-" _)".json; done; done`,
  );
  return lines;
}

function fileOf(call) {
  return call.replace(" ", "-");
}

function quote(text) {
  return /^[A-Za-z0-9._/-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const options = {};
  for (let i = 2; i < process.argv.length; i += 2) {
    const key = process.argv[i]?.replace(/^--/, "");
    const value = process.argv[i + 1];
    if (!["vpc", "region", "profile", "to"].includes(key) || value === undefined) {
      console.error("usage: node scripts/aws-describe.mjs [--vpc ID] [--region NAME] [--profile NAME] [--to FOLDER]");
      process.exit(2);
    }
    options[key] = value;
  }
  console.log(commands(options).join("\n"));
}
