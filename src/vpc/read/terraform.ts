/** Reads `terraform show -json`: a plan, with references resolved before apply, or a state (aws-vpc.md 1.3). */

import type { Network } from "../model.ts";
import { NetworkBuilder } from "./builder.ts";
import { field, text } from "./json.ts";
import type { Positions } from "./positions.ts";
import { readAcl, readAclAssociation, readAclRule } from "./terraform/acls.ts";
import { readBalancer, readListener, readTargetGroup } from "./terraform/balancers.ts";
import { readGroup, readGroupRule, readSingleRule } from "./terraform/groups.ts";
import { readAutoscaling, readCluster, readInstance, readInterface } from "./terraform/interfaces.ts";
import { readEndpoint, readPeering, readPrefixList, readTransit } from "./terraform/links.ts";
import { type Instance, Plan } from "./terraform/plan.ts";
import {
  readInternetGateway,
  readMainAssociation,
  readNat,
  readRoute,
  readTable,
  readTableAssociation,
} from "./terraform/routes.ts";
import { T, TerraformValues } from "./terraform/values.ts";
import { readSubnet, readVpc } from "./terraform/vpcs.ts";

/** Resources without a bearing on who reaches whom, or read with another one. */
const READ_ELSEWHERE = /_(attachment|association|rule|route|entry|options|exclusion|accepter|propagation)$/;

/** Resources that bear on traffic and are not read. */
const NARROWING =
  /^aws_(networkfirewall_|route53_resolver_firewall|vpc_ipam|vpclattice_|verifiedaccess_|globalaccelerator_|ec2_carrier|ec2_local_gateway|ec2_client_vpn|vpn_connection|dx_|networkmanager_|rds_cluster$|db_instance$|db_proxy$|elasticache_|redshift_cluster$|msk_cluster$|opensearch_domain$|ecs_service$|efs_mount_target$|fsx_|lambda_function$|docdb_cluster|neptune_cluster|memorydb_cluster|mq_broker|dms_replication|emr_cluster|spot_instance_request|spot_fleet_request|ec2_fleet|wafv2_web_acl_association|ec2_traffic_mirror|ec2_transit_gateway_(connect|peering_attachment|multicast|policy))/;

/** Those of them that may narrow traffic between others. */
const FILTERING =
  /networkfirewall_firewall$|resolver_firewall_rule_group_association|ec2_transit_gateway_(connect|peering_attachment|multicast|policy)/;

/** How each kind of resource is read, in this order: what refers to another comes after it. */
const READERS: readonly (readonly [
  types: readonly string[],
  read: (t: TerraformValues, instance: Instance) => void,
])[] = [
  [T.vpc, readVpc],
  [T.subnet, readSubnet],
  [T.group, readGroup],
  [["aws_security_group_rule"], readGroupRule],
  [["aws_vpc_security_group_ingress_rule", "aws_vpc_security_group_egress_rule"], readSingleRule],
  [T.acl, readAcl],
  [["aws_network_acl_rule"], readAclRule],
  [["aws_network_acl_association"], readAclAssociation],
  [T.table, readTable],
  [["aws_route"], readRoute],
  [["aws_route_table_association"], readTableAssociation],
  [["aws_main_route_table_association"], readMainAssociation],
  [T.igw, (t, i) => readInternetGateway(t, i, false)],
  [T.eigw, (t, i) => readInternetGateway(t, i, true)],
  [T.nat, readNat],
  [T.instance, readInstance],
  [T.eni, readInterface],
  [T.balancer, readBalancer],
  [T.targetGroup, readTargetGroup],
  [T.listener, readListener],
  [T.autoscaling, readAutoscaling],
  [T.endpoint, readEndpoint],
  [["aws_vpc_peering_connection"], readPeering],
  [T.list, readPrefixList],
  [T.transit, readTransit],
  [T.cluster, readCluster],
];

/** Reads a plan or state. `file` is named in messages; `positions` tell where its values stand. */
export function readTerraform(value: unknown, file: string, positions?: Positions): Network {
  const builder = new NetworkBuilder(file, positions);
  const version = text(field(value, "format_version"));
  if (version !== undefined && !version.startsWith("1.")) {
    builder.report("BH403", `format_version ${version} of the plan is not one that is read`);
    return builder.finish();
  }
  if (field(value, "errored") === true) builder.report("BH404", "the plan is marked as errored");
  const plan = new Plan(value);
  nameInstances(plan, builder);
  const values = new TerraformValues(plan, builder);
  for (const [types, read] of READERS) for (const instance of plan.ofTypes(types)) read(values, instance);
  reportManaged(values);
  addUnread(values);
  return builder.finish();
}

/** Ids of resources that exist already mean them too. */
function nameInstances(plan: Plan, builder: NetworkBuilder): void {
  for (const instance of plan.byAddress.values()) {
    if (instance.isData) continue;
    builder.place(instance.address, instance.written);
    for (const key of ["id", "arn"]) {
      const id = text(field(instance.values, key));
      if (id !== undefined && /^(arn:|[a-z]+-[0-9a-f]{6,})/.test(id)) builder.alias(id, instance.address);
    }
  }
}

/** Rules of one group that are managed in two ways undo each other (aws-vpc.md 1.3). */
function reportManaged({ managed, plan, b }: TerraformValues): void {
  for (const [group, ways] of managed) {
    if (ways.size < 2) continue;
    const { written } = plan.byAddress.get(group) ?? { written: undefined };
    b.report("BH407", `the rules of ${group} are managed by ${[...ways].join(" and ")}`, written);
  }
}

/** What bears on traffic and is not read. */
function addUnread(t: TerraformValues): void {
  for (const i of t.plan.byAddress.values()) {
    if (i.isData || READ_ELSEWHERE.test(i.type) || !NARROWING.test(i.type)) continue;
    const touches = ["subnet_ids", "subnets", "subnet_id", "vpc_id"].flatMap((key) =>
      t.has(i, key) ? t.namesOf(i, [key], [...T.subnet, ...T.vpc]) : [],
    );
    t.b.unread.push({ name: i.address, type: i.type, touches, narrows: FILTERING.test(i.type) });
  }
}
