/** Reads `terraform show -json`: a plan, with references resolved before apply, or a state (aws-vpc.md 1.3). */

import type { Because } from "../../base/because.ts";
import { formatPrefix, parseAddress } from "../../net/address.ts";
import {
  type AclEntry,
  type BalancerType,
  known,
  type Listener,
  type ListenerAction,
  type ListenerCondition,
  type ListenerRule,
  type Network,
  type Peer,
  type PeeringSide,
  type Route,
  type RouteTarget,
  type TargetGroup,
  type Target,
  type TargetKind,
  type TransitTable,
  unknownValue,
  type Value,
} from "../model.ts";
import { addressPeer, NetworkBuilder } from "./builder.ts";
import { entries, field, list, number, scalar, text, texts, truth } from "./json.ts";
import { type Instance, Plan, type Referred, type Resolution } from "./terraform-references.ts";
import { addressList, prefixesOf, prefixOf, protocolNumber, trafficOf, unknownTraffic } from "./values.ts";

/** Types of resources by what they are to the model. */
const T = {
  vpc: ["aws_vpc", "aws_default_vpc"],
  subnet: ["aws_subnet", "aws_default_subnet"],
  group: ["aws_security_group", "aws_default_security_group"],
  acl: ["aws_network_acl", "aws_default_network_acl"],
  table: ["aws_route_table", "aws_default_route_table"],
  igw: ["aws_internet_gateway"],
  eigw: ["aws_egress_only_internet_gateway"],
  nat: ["aws_nat_gateway"],
  balancer: ["aws_lb", "aws_alb", "aws_elb"],
  listener: ["aws_lb_listener", "aws_alb_listener"],
  targetGroup: ["aws_lb_target_group", "aws_alb_target_group"],
  instance: ["aws_instance"],
  eni: ["aws_network_interface"],
  list: ["aws_ec2_managed_prefix_list", "aws_prefix_list"],
  peering: ["aws_vpc_peering_connection", "aws_vpc_peering_connection_accepter"],
  transit: ["aws_ec2_transit_gateway"],
  attachment: ["aws_ec2_transit_gateway_vpc_attachment"],
  transitTable: ["aws_ec2_transit_gateway_route_table"],
  endpoint: ["aws_vpc_endpoint"],
  autoscaling: ["aws_autoscaling_group"],
  template: ["aws_launch_template"],
  eip: ["aws_eip"],
  cluster: ["aws_eks_cluster"],
  vgw: ["aws_vpn_gateway"],
} as const satisfies Record<string, readonly string[]>;

/** Resources without a bearing on who reaches whom, or read with another one. */
const READ_ELSEWHERE = /_(attachment|association|rule|route|entry|options|exclusion|accepter|propagation)$/;

/** Resources that bear on traffic and are not read. */
const NARROWING =
  /^aws_(networkfirewall_|route53_resolver_firewall|vpc_ipam|vpclattice_|verifiedaccess_|globalaccelerator_|ec2_carrier|ec2_local_gateway|ec2_client_vpn|vpn_connection|dx_|networkmanager_|rds_cluster$|db_instance$|db_proxy$|elasticache_|redshift_cluster$|msk_cluster$|opensearch_domain$|ecs_service$|efs_mount_target$|fsx_|lambda_function$|docdb_cluster|neptune_cluster|memorydb_cluster|mq_broker|dms_replication|emr_cluster|spot_instance_request|spot_fleet_request|ec2_fleet|wafv2_web_acl_association|ec2_traffic_mirror|ec2_transit_gateway_(connect|peering_attachment|multicast|policy))/;

/** Those of them that may narrow traffic between others. */
const FILTERING =
  /networkfirewall_firewall$|resolver_firewall_rule_group_association|ec2_transit_gateway_(connect|peering_attachment|multicast|policy)/;

/** Reads a plan or state. `file` is named in messages. */
export function readTerraform(value: unknown, file: string): Network {
  return new TerraformReader(new Plan(value), new NetworkBuilder(file)).read(value);
}

class TerraformReader {
  private readonly plan: Plan;
  private readonly b: NetworkBuilder;

  constructor(plan: Plan, builder: NetworkBuilder) {
    this.plan = plan;
    this.b = builder;
  }

  read(value: unknown): Network {
    const version = text(field(value, "format_version"));
    if (version !== undefined && !version.startsWith("1.")) {
      this.b.report("BH403", `format_version ${version} of the plan is not one that is read`);
      return this.b.finish();
    }
    if (field(value, "errored") === true) this.b.report("BH404", "the plan is marked as errored");
    this.names();
    this.each(T.vpc, (i) => this.vpc(i));
    this.each(["aws_vpc_ipv4_cidr_block_association", "aws_vpc_ipv6_cidr_block_association"], () => {});
    this.each(T.subnet, (i) => this.subnet(i));
    this.each(T.group, (i) => this.group(i));
    this.each(["aws_security_group_rule"], (i) => this.groupRule(i));
    this.each(["aws_vpc_security_group_ingress_rule", "aws_vpc_security_group_egress_rule"], (i) => this.singleRule(i));
    this.each(T.acl, (i) => this.acl(i));
    this.each(["aws_network_acl_rule"], (i) => this.aclRule(i));
    this.each(["aws_network_acl_association"], (i) => this.aclAssociation(i));
    this.each(T.table, (i) => this.table(i));
    this.each(["aws_route"], (i) => this.looseRoute(i));
    this.each(["aws_route_table_association"], (i) => this.tableAssociation(i));
    this.each(["aws_main_route_table_association"], (i) => this.mainAssociation(i));
    this.each(T.igw, (i) => this.internetGateway(i, false));
    this.each(T.eigw, (i) => this.internetGateway(i, true));
    this.each(T.nat, (i) => this.nat(i));
    this.each(T.instance, (i) => this.instance(i));
    this.each(T.eni, (i) => this.eni(i));
    this.each(T.balancer, (i) => this.balancer(i));
    this.each(T.targetGroup, (i) => this.targetGroup(i));
    this.each(T.listener, (i) => this.listener(i));
    this.each(T.autoscaling, (i) => this.autoscaling(i));
    this.each(T.endpoint, (i) => this.endpoint(i));
    this.each(["aws_vpc_peering_connection"], (i) => this.peering(i));
    this.each(T.list, (i) => this.prefixList(i));
    this.each(T.transit, (i) => this.transit(i));
    this.each(T.cluster, (i) => this.cluster(i));
    for (const i of this.plan.byAddress.values()) {
      if (i.isData || READ_ELSEWHERE.test(i.type) || !NARROWING.test(i.type)) continue;
      const touches = ["subnet_ids", "subnets", "subnet_id", "vpc_id"].flatMap((key) =>
        this.has(i, key) ? this.namesOf(i, [key], [...T.subnet, ...T.vpc]) : [],
      );
      this.b.unread.push({ name: i.address, type: i.type, touches, narrows: FILTERING.test(i.type) });
    }
    return this.b.finish();
  }

  private each(types: readonly string[], visit: (instance: Instance) => void): void {
    for (const i of this.plan.byAddress.values()) if (!i.isData && types.includes(i.type)) visit(i);
  }

  /** Ids of resources that exist already mean them too. */
  private names(): void {
    for (const i of this.plan.byAddress.values()) {
      if (i.isData) continue;
      for (const key of ["id", "arn"]) {
        const id = text(field(i.values, key));
        if (id !== undefined && /^(arn:|[a-z]+-[0-9a-f]{6,})/.test(id)) this.b.alias(id, i.address);
      }
    }
  }

  // ── attributes ────────────────────────────────────────────────────────────────────────────────────────────────────

  private isUnknown(i: Instance, path: readonly (string | number)[]): boolean {
    let at: unknown = i.unknowns;
    for (const step of path) {
      if (at === true) return true;
      at = typeof step === "number" ? list(at)[step] : field(at, step);
    }
    if (at === true) return true;
    return Array.isArray(at) && at.some((one) => one === true);
  }

  private has(i: Instance, key: string): boolean {
    const value = field(i.values, key);
    return (value !== undefined && value !== null && value !== "") || this.isUnknown(i, [key]);
  }

  /** Whether the configuration writes the attribute; where there is no configuration, whether it has a value. */
  private isWritten(i: Instance, key: string): boolean {
    if (i.expressions !== undefined) return field(i.expressions, key) !== undefined;
    return list(field(i.values, key)).length > 0;
  }

  /** What the model calls a resource's attribute; undefined where it is of another kind than wanted (TF-7.4). */
  private nameOf({ instance, attribute }: Referred, types: readonly string[]): string | undefined {
    if (types.includes(instance.type)) {
      if (instance.isData) return text(field(instance.values, "id")) ?? text(field(instance.values, "arn"));
      return /^(id|arn|name)?$/.test(attribute) || attribute === "network_acl_id" ? instance.address : undefined;
    }
    const derived: Readonly<Record<string, readonly [readonly string[], string]>> = {
      default_security_group_id: [T.group, "default_security_group"],
      default_network_acl_id: [T.acl, "default_network_acl"],
      default_route_table_id: [T.table, "main_route_table"],
      main_route_table_id: [T.table, "main_route_table"],
      vpc_id: [T.vpc, ""],
      primary_network_interface_id: [T.eni, "eni"],
    };
    if (
      /^vpc_config\[0\]\.cluster_security_group_id$/.test(attribute) &&
      types.some((t) => t === "aws_security_group")
    ) {
      return `${instance.address}#cluster_security_group`;
    }
    const found = derived[attribute];
    if (found === undefined || !found[0].some((t) => types.includes(t))) return undefined;
    if (attribute === "vpc_id") return this.nameValue(instance, ["vpc_id"], T.vpc);
    return found[1] === "eni" ? instance.address : `${instance.address}#${found[1]}`;
  }

  private nameValue(i: Instance, path: readonly string[], types: readonly string[]): string | undefined {
    const value = this.one(i, path, types);
    return value.kind === "known" ? value.value : undefined;
  }

  /** The name of the object that an id means. */
  private byId(id: string, types: readonly string[]): string {
    return this.plan.withId(id, types)?.address ?? this.b.canonical(id);
  }

  private literal(i: Instance, path: readonly (string | number)[]): unknown {
    let at = i.values;
    for (const step of path) at = typeof step === "number" ? list(at)[step] : field(at, step);
    return at;
  }

  private resolution(r: Resolution, types: readonly string[]): Value<readonly string[]> {
    if (r.kind === "unknown") return unknownValue(r.detail);
    const names: string[] = [];
    for (const one of r.referred) {
      const name = this.nameOf(one, types);
      if (name === undefined) return unknownValue(`${one.instance.address}.${one.attribute} is derived`);
      names.push(name);
    }
    if (r.kind === "candidates") {
      const because: Because = { code: "unknown-value", detail: `one of ${names.join(", ")}` };
      return { kind: "oneOf", values: names.map((n) => [n]), because };
    }
    for (const literal of r.literals) for (const id of texts(literal)) names.push(this.byId(id, types));
    return known(names);
  }

  /** One name: an id that is known, or what the expression refers to. */
  private one(i: Instance, path: readonly (string | number)[], types: readonly string[]): Value<string> {
    const literal = text(this.literal(i, path));
    if (literal !== undefined) return known(this.byId(literal, types));
    const many = this.resolution(this.plan.resolve(i, path), types);
    if (many.kind === "unknown") return many;
    const values = many.kind === "oneOf" ? many.values.flat() : many.value;
    const [only] = values;
    if (values.length === 1 && only !== undefined) return known(only);
    if (values.length === 0) return unknownValue(`${i.address}.${path.join(".")}`);
    return { kind: "oneOf", values, because: { code: "unknown-value", detail: `${i.address}.${path.join(".")}` } };
  }

  /** Several names; a whole resource in a set means all of its instances (TF-7.3). */
  private many(i: Instance, path: readonly (string | number)[], types: readonly string[]): Value<readonly string[]> {
    const literal = this.literal(i, path);
    const given = list(literal);
    if (given.length > 0 && given.every((one) => text(one) !== undefined)) {
      return known(texts(literal).map((id) => this.byId(id, types)));
    }
    if (literal !== undefined && literal !== null && !this.isUnknown(i, path)) return known([]);
    const r = this.resolution(this.plan.resolve(i, path), types);
    return r.kind === "oneOf" ? known(r.values.flat()) : r;
  }

  private namesOf(i: Instance, path: readonly string[], types: readonly string[]): readonly string[] {
    const value = this.many(i, path, types);
    if (value.kind === "known" && value.value.length > 0) return value.value;
    const one = this.one(i, path, types);
    return one.kind === "known" ? [one.value] : [];
  }

  private tags(i: Instance): ReadonlyMap<string, string> {
    const all = field(i.values, "tags_all");
    const own = entries(field(i.values, "tags"));
    return new Map([...entries(all), ...own].flatMap(([k, v]) => (typeof v === "string" ? [[k, v] as const] : [])));
  }

  private string(i: Instance, key: string): string | undefined {
    return text(field(i.values, key));
  }

  // ── VPC, subnets ──────────────────────────────────────────────────────────────────────────────────────────────────

  private vpc(i: Instance): void {
    const cidrs = [...texts(field(i.values, "cidr_block")), ...texts(field(i.values, "ipv6_cidr_block"))];
    for (const association of this.plan.byAddress.values()) {
      if (!/^aws_vpc_ipv[46]_cidr_block_association$/.test(association.type)) continue;
      if (this.nameValue(association, ["vpc_id"], T.vpc) !== i.address) continue;
      cidrs.push(
        ...texts(field(association.values, "cidr_block")),
        ...texts(field(association.values, "ipv6_cidr_block")),
      );
    }
    const dnsSupport = truth(field(i.values, "enable_dns_support"));
    this.b.vpcs.set(i.address, {
      name: i.address,
      cidrs,
      unknownIpv6:
        field(i.values, "assign_generated_ipv6_cidr_block") === true && this.string(i, "ipv6_cidr_block") === undefined,
      tags: this.tags(i),
      blockMode: this.blockMode(i.address),
      ...(dnsSupport === undefined ? {} : { dnsSupport }),
    });
  }

  /** Block Public Access for the account, less what is excluded (aws-vpc.md RT-12). */
  private blockMode(name: string): "off" | "block-bidirectional" | "block-ingress" {
    let mode: "off" | "block-bidirectional" | "block-ingress" = "off";
    for (const i of this.plan.byAddress.values()) {
      if (i.type !== "aws_vpc_block_public_access_options") continue;
      const given = this.string(i, "internet_gateway_block_mode");
      if (given === "block-bidirectional" || given === "block-ingress") mode = given;
    }
    if (mode === "off") return mode;
    for (const i of this.plan.byAddress.values()) {
      if (i.type !== "aws_vpc_block_public_access_exclusion") continue;
      const of = [
        this.has(i, "vpc_id") ? this.nameValue(i, ["vpc_id"], T.vpc) : undefined,
        this.has(i, "subnet_id") ? this.nameValue(i, ["subnet_id"], T.subnet) : undefined,
      ];
      if (!of.includes(name)) continue;
      return this.string(i, "internet_gateway_exclusion_mode") === "allow-egress" ? "block-ingress" : "off";
    }
    return mode;
  }

  private subnet(i: Instance): void {
    const vpc = this.one(i, ["vpc_id"], T.vpc);
    const cidr4 = this.string(i, "cidr_block");
    const cidr6 = this.string(i, "ipv6_cidr_block");
    const zone = this.string(i, "availability_zone") ?? this.string(i, "availability_zone_id");
    const own = this.blockMode(i.address);
    const ofAccount = this.plan.instances.some((o) => o.type === "aws_vpc_block_public_access_options");
    const excluded =
      ofAccount &&
      this.plan.instances.some(
        (o) =>
          o.type === "aws_vpc_block_public_access_exclusion" &&
          this.has(o, "subnet_id") &&
          this.nameValue(o, ["subnet_id"], T.subnet) === i.address,
      );
    this.b.subnets.set(i.address, {
      name: i.address,
      vpc,
      mapsPublic: truth(field(i.values, "map_public_ip_on_launch")) ?? false,
      tags: this.tags(i),
      ...(excluded ? { blockMode: own } : {}),
      ...(cidr4 === undefined ? {} : { cidr4 }),
      ...(cidr6 === undefined ? {} : { cidr6 }),
      ...(zone === undefined ? {} : { zone }),
    });
  }

  // ── security groups ───────────────────────────────────────────────────────────────────────────────────────────────

  private group(i: Instance): void {
    const vpc = this.nameValue(i, ["vpc_id"], T.vpc) ?? onlyName(this.b.vpcs);
    const group = this.b.group(i.address, vpc, this.tags(i));
    const isDefault = i.type === "aws_default_security_group";
    if (isDefault) {
      const draft = vpc === undefined ? undefined : this.b.vpcs.get(vpc);
      if (draft !== undefined) draft.defaultGroup = i.address;
    }
    for (const direction of ["ingress", "egress"] as const) {
      const blocks = list(field(i.values, direction));
      // Not known and not written means that the rules are managed elsewhere (TF-5).
      if (this.isUnknown(i, [direction]) && blocks.length === 0) {
        if (i.expressions !== undefined && this.isWritten(i, direction)) {
          group.moreRules = { code: "unknown-value", detail: `${direction} rules of ${i.address}` };
        }
        continue;
      }
      const pending = blocks.filter((block) => this.lacksPeer(block)).length;
      for (const [index, block] of blocks.entries()) {
        const protocol = protocolNumber(scalar(field(block, "protocol")) ?? "-1");
        const traffic =
          protocol === undefined
            ? unknownTraffic({ code: "unknown-value", detail: `protocol of ${i.address}` })
            : trafficOf(protocol, number(field(block, "from_port")), number(field(block, "to_port")));
        const peers = [...this.writtenPeers(block, group.name)];
        if (this.lacksPeer(block)) peers.push(...this.inlineReferences(i, direction, index, pending));
        this.b.addRules(group, direction, traffic, peers);
      }
    }
  }

  /** Whether the peers of an inline block are not told: known only after apply. */
  private lacksPeer(block: unknown): boolean {
    const lists = ["cidr_blocks", "ipv6_cidr_blocks", "prefix_list_ids", "security_groups"];
    const written = lists.some((key) => texts(field(block, key)).length > 0) || field(block, "self") === true;
    const nulls = lists.some((key) => list(field(block, key)).some((one) => one === null));
    const missing = lists.some((key) => field(block, key) === undefined || field(block, key) === null);
    return nulls || (!written && missing);
  }

  private *writtenPeers(block: unknown, own: string): Iterable<Peer> {
    for (const cidr of [...texts(field(block, "cidr_blocks")), ...texts(field(block, "ipv6_cidr_blocks"))])
      yield addressPeer(cidr);
    for (const id of texts(field(block, "prefix_list_ids"))) yield { kind: "prefixList", list: this.byId(id, T.list) };
    for (const id of texts(field(block, "security_groups"))) yield { kind: "group", group: this.byId(id, T.group) };
    if (field(block, "self") === true) yield { kind: "group", group: own };
  }

  /** References of inline blocks: exact where one block lacks its peer, else one of them (TF-8). */
  private inlineReferences(i: Instance, direction: string, index: number, pending: number): readonly Peer[] {
    const r = this.plan.resolve(i, [direction, index, "security_groups"]);
    if (r.kind === "unknown") return [{ kind: "unknown", because: { code: "unknown-value", detail: r.detail } }];
    const peers = r.referred.flatMap((one): Peer[] => {
      const group = this.nameOf(one, T.group);
      if (group !== undefined) return [{ kind: "group", group }];
      const prefix = this.nameOf(one, T.list);
      if (prefix !== undefined) return [{ kind: "prefixList", list: prefix }];
      const cidr = text(field(one.instance.values, one.attribute));
      return [
        cidr === undefined
          ? { kind: "unknown", because: { code: "unknown-value", detail: `${one.instance.address}.${one.attribute}` } }
          : addressPeer(cidr),
      ];
    });
    if (pending === 1 && r.kind === "exact") return peers;
    return [
      {
        kind: "oneOf",
        peers,
        because: { code: "unknown-value", detail: `which reference each ${direction} block of ${i.address} has` },
      },
    ];
  }

  private groupRule(i: Instance): void {
    const direction = this.string(i, "type") === "egress" ? "egress" : "ingress";
    const protocol = protocolNumber(scalar(field(i.values, "protocol")) ?? "");
    const traffic =
      protocol === undefined
        ? unknownTraffic({ code: "unknown-value", detail: `protocol of ${i.address}` })
        : trafficOf(protocol, number(field(i.values, "from_port")), number(field(i.values, "to_port")));
    for (const name of this.ruleGroups(i)) {
      const group = this.b.group(name.value, undefined);
      const peers = [...this.writtenPeers(i.values, group.name)];
      for (const key of ["cidr_blocks", "ipv6_cidr_blocks", "prefix_list_ids"]) {
        if (!this.isUnknown(i, [key])) continue;
        peers.push(...this.resolvedPeers(i, key));
      }
      if (this.has(i, "source_security_group_id")) peers.push(this.groupPeer(i, "source_security_group_id"));
      this.b.addRules(group, direction, traffic, peers, { name: i.address, ...name.option });
    }
  }

  private singleRule(i: Instance): void {
    const direction = i.type.includes("egress") ? "egress" : "ingress";
    const protocol = protocolNumber(scalar(field(i.values, "ip_protocol")) ?? "");
    const traffic =
      protocol === undefined
        ? unknownTraffic({ code: "unknown-value", detail: `protocol of ${i.address}` })
        : trafficOf(protocol, number(field(i.values, "from_port")), number(field(i.values, "to_port")));
    const peers: Peer[] = [];
    for (const key of ["cidr_ipv4", "cidr_ipv6"]) {
      const cidr = this.string(i, key);
      if (cidr !== undefined) peers.push(addressPeer(cidr));
      else if (this.isUnknown(i, [key]) && this.isWritten(i, key)) peers.push(...this.resolvedPeers(i, key));
    }
    if (
      this.has(i, "prefix_list_id") &&
      (this.string(i, "prefix_list_id") !== undefined || this.isWritten(i, "prefix_list_id"))
    ) {
      const value = this.one(i, ["prefix_list_id"], T.list);
      peers.push(
        value.kind === "known"
          ? { kind: "prefixList", list: value.value }
          : { kind: "unknown", because: value.because },
      );
    }
    if (
      this.has(i, "referenced_security_group_id") &&
      (this.string(i, "referenced_security_group_id") !== undefined ||
        this.isWritten(i, "referenced_security_group_id"))
    ) {
      peers.push(this.groupPeer(i, "referenced_security_group_id"));
    }
    for (const name of this.ruleGroups(i)) {
      this.b.addRules(this.b.group(name.value, undefined), direction, traffic, peers, {
        name: i.address,
        ...name.option,
      });
    }
  }

  /** The groups that a rule of its own may belong to; with several, it may be missing from each. */
  private ruleGroups(
    i: Instance,
  ): readonly { readonly value: string; readonly option: { readonly unsettled?: Because } }[] {
    const group = this.one(i, ["security_group_id"], T.group);
    if (group.kind === "known") return [{ value: group.value, option: {} }];
    if (group.kind === "oneOf") return group.values.map((value) => ({ value, option: { unsettled: group.because } }));
    for (const one of this.b.groups.values()) one.moreRules ??= group.because;
    return [];
  }

  private groupPeer(i: Instance, key: string): Peer {
    const value = this.one(i, [key], T.group);
    if (value.kind === "known") return { kind: "group", group: value.value.replace(/^[0-9]{12}\//, "") };
    if (value.kind === "unknown") return { kind: "unknown", because: value.because };
    return { kind: "oneOf", peers: value.values.map((group) => ({ kind: "group", group })), because: value.because };
  }

  /** CIDRs that another resource has. */
  private resolvedPeers(i: Instance, key: string): readonly Peer[] {
    const r = this.plan.resolve(i, [key]);
    if (r.kind === "unknown") return [{ kind: "unknown", because: { code: "unknown-value", detail: r.detail } }];
    const peers = r.referred.map((one): Peer => {
      const list = this.nameOf(one, T.list);
      if (list !== undefined) return { kind: "prefixList", list };
      const cidr = text(field(one.instance.values, one.attribute));
      if (cidr !== undefined) return addressPeer(cidr);
      return {
        kind: "unknown",
        because: { code: "unknown-value", detail: `${one.instance.address}.${one.attribute}` },
      };
    });
    if (r.kind === "exact") return [...peers, ...r.literals.flatMap((l) => texts(l)).map(addressPeer)];
    return [{ kind: "oneOf", peers, because: { code: "unknown-value", detail: `${i.address}.${key}` } }];
  }

  // ── network ACLs ──────────────────────────────────────────────────────────────────────────────────────────────────

  private acl(i: Instance): void {
    const isDefault = i.type === "aws_default_network_acl";
    let vpc = this.has(i, "vpc_id") ? this.nameValue(i, ["vpc_id"], T.vpc) : undefined;
    if (isDefault) {
      const of = this.one(i, ["default_network_acl_id"], T.acl);
      vpc = of.kind === "known" ? of.value.replace(/#default_network_acl$/, "") : onlyName(this.b.vpcs);
      const draft = vpc === undefined ? undefined : this.b.vpcs.get(vpc);
      if (draft !== undefined) draft.defaultAcl = i.address;
    }
    const acl = this.b.acl(i.address, vpc);
    for (const direction of ["ingress", "egress"] as const) {
      const blocks = list(field(i.values, direction));
      if (
        this.isUnknown(i, [direction]) &&
        blocks.length === 0 &&
        i.expressions !== undefined &&
        this.isWritten(i, direction)
      ) {
        acl.moreEntries = { code: "unknown-value", detail: `${direction} entries of ${i.address}` };
      }
      for (const block of blocks) {
        acl.entries.push(
          entryOf(block, direction, number(field(block, "rule_no")) ?? 0, text(field(block, "action")), i.address),
        );
      }
    }
    if (
      this.has(i, "subnet_ids") &&
      (list(field(i.values, "subnet_ids")).length > 0 || this.isWritten(i, "subnet_ids"))
    ) {
      const subnets = this.many(i, ["subnet_ids"], T.subnet);
      if (subnets.kind === "known") for (const s of subnets.value) this.b.associateAcl(s, known(i.address));
      else this.loseAcls(subnets.kind === "unknown" ? subnets.because : subnets.because);
    }
  }

  /** An association that is not traced may be any subnet's. */
  private loseAcls(because: Because): void {
    for (const subnet of this.b.subnets.keys()) this.b.associateAcl(subnet, { kind: "unknown", because });
  }

  private aclRule(i: Instance): void {
    const direction = truth(field(i.values, "egress")) === true ? "egress" : "ingress";
    const entry = entryOf(
      i.values,
      direction,
      number(field(i.values, "rule_number")) ?? 0,
      this.string(i, "rule_action"),
      i.address,
    );
    const acl = this.one(i, ["network_acl_id"], T.acl);
    if (acl.kind === "known") this.b.acl(this.b.canonical(acl.value), undefined).entries.push(entry);
    else if (acl.kind === "oneOf")
      for (const name of acl.values) this.b.acl(name, undefined).entries.push({ ...entry, unsettled: acl.because });
    else for (const one of this.b.acls.values()) one.moreEntries ??= acl.because;
  }

  private aclAssociation(i: Instance): void {
    const subnet = this.one(i, ["subnet_id"], T.subnet);
    const acl = this.one(i, ["network_acl_id"], T.acl);
    if (subnet.kind === "known") this.b.associateAcl(subnet.value, acl);
    else this.loseAcls(subnet.because);
  }

  // ── routes and gateways ───────────────────────────────────────────────────────────────────────────────────────────

  private table(i: Instance): void {
    let vpc = this.has(i, "vpc_id") ? this.nameValue(i, ["vpc_id"], T.vpc) : undefined;
    if (i.type === "aws_default_route_table") {
      const of = this.one(i, ["default_route_table_id"], T.table);
      vpc = of.kind === "known" ? of.value.replace(/#main_route_table$/, "") : onlyName(this.b.vpcs);
      const draft = vpc === undefined ? undefined : this.b.vpcs.get(vpc);
      if (draft !== undefined) draft.mainTable = i.address;
    }
    const table = this.b.table(i.address, vpc ?? onlyName(this.b.vpcs));
    table.vpc ??= vpc;
    const blocks = list(field(i.values, "route"));
    if (
      this.isUnknown(i, ["route"]) &&
      blocks.length === 0 &&
      i.expressions !== undefined &&
      this.isWritten(i, "route")
    ) {
      table.moreRoutes = { code: "unknown-value", detail: `routes of ${i.address}` };
    }
    const pending = blocks.filter((block) => !TARGETS.some(([key]) => text(field(block, key)) !== undefined)).length;
    for (const [index, block] of blocks.entries()) {
      table.routes.push(
        this.routeOf(i, block, ["route", index], pending, [
          "cidr_block",
          "ipv6_cidr_block",
          "destination_prefix_list_id",
        ]),
      );
    }
  }

  private looseRoute(i: Instance): void {
    const route = this.routeOf(i, i.values, [], 1, [
      "destination_cidr_block",
      "destination_ipv6_cidr_block",
      "destination_prefix_list_id",
    ]);
    const table = this.one(i, ["route_table_id"], T.table);
    const add = (name: string): void => {
      this.b.table(this.b.canonical(name), undefined).routes.push(route);
    };
    if (table.kind === "known") {
      const main = /^(.*)#main_route_table$/.exec(table.value)?.[1];
      const draft = main === undefined ? undefined : this.b.vpcs.get(main);
      if (draft !== undefined && draft.mainTable === undefined) {
        draft.mainTable = table.value;
        this.b.table(table.value, draft.name);
      }
      add(draft?.mainTable ?? table.value);
    } else {
      const names = table.kind === "oneOf" ? table.values : [...this.b.tables.keys()];
      for (const name of names) this.b.table(name, undefined).moreRoutes ??= table.because;
    }
  }

  private routeOf(
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
          ? { kind: "prefixList", list: this.byId(listId, T.list) }
          : this.unknownDestination(i, path, listKey);
    return { destination, target: this.routeTarget(i, block, path, pending), state: "active", origin: "static" };
  }

  private unknownDestination(i: Instance, path: readonly (string | number)[], listKey: string): Route["destination"] {
    if (path.length === 0) {
      for (const key of ["destination_cidr_block", "destination_ipv6_cidr_block"]) {
        if (!this.isUnknown(i, [key]) || !this.isWritten(i, key)) continue;
        const [peer] = this.resolvedPeers(i, key);
        const prefix = peer?.kind === "addresses" ? prefixOf(peer.text) : undefined;
        if (prefix !== undefined) return { kind: "prefix", prefix, text: formatPrefix(prefix) };
      }
      if (this.isWritten(i, listKey)) {
        const value = this.one(i, [listKey], T.list);
        if (value.kind === "known") return { kind: "prefixList", list: value.value };
      }
    }
    return { kind: "unknown", because: { code: "unknown-value", detail: `destination of a route of ${i.address}` } };
  }

  private routeTarget(
    i: Instance,
    block: unknown,
    path: readonly (string | number)[],
    pending: number,
  ): Value<RouteTarget> {
    for (const [key, kind, types] of TARGETS) {
      const id = text(field(block, key));
      if (id === undefined) continue;
      if (key === "gateway_id") return known(this.gatewayTarget(id === "local" ? id : this.byId(id, types)));
      return known({ kind, name: this.byId(id, types) });
    }
    const found: RouteTarget[] = [];
    for (const [key, kind, types] of TARGETS) {
      if (path.length === 0 && !this.isWritten(i, key)) continue;
      const r = this.plan.resolve(i, [...path, key]);
      if (r.kind === "unknown") {
        if (path.length === 0) return unknownValue(r.detail);
        continue;
      }
      for (const one of r.referred) {
        const name = this.nameOf(one, types);
        if (name === undefined) continue;
        const target = key === "gateway_id" ? this.gatewayTarget(name) : { kind, name };
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

  private gatewayTarget(name: string): RouteTarget {
    const type = this.plan.byAddress.get(name)?.type;
    if (name === "local") return { kind: "local", name };
    if (type === "aws_vpn_gateway" || name.startsWith("vgw-")) return { kind: "virtual-gateway", name };
    if (type === "aws_vpc_endpoint" || name.startsWith("vpce-")) return { kind: "endpoint", name };
    return { kind: "internet-gateway", name };
  }

  private tableAssociation(i: Instance): void {
    const table = this.one(i, ["route_table_id"], T.table);
    if (this.has(i, "gateway_id") && this.isWritten(i, "gateway_id")) {
      const gateway = this.nameValue(i, ["gateway_id"], [...T.igw, ...T.vgw]);
      if (gateway !== undefined && table.kind === "known") this.b.table(table.value, undefined).gateways.push(gateway);
      return;
    }
    const subnet = this.one(i, ["subnet_id"], T.subnet);
    if (subnet.kind === "known") this.b.associateTable(subnet.value, table);
    else
      for (const name of subnet.kind === "oneOf" ? subnet.values : this.b.subnets.keys())
        this.b.associateTable(name, unknownValue(`the route table of ${name}`));
  }

  private mainAssociation(i: Instance): void {
    const vpc = this.nameValue(i, ["vpc_id"], T.vpc);
    const table = this.nameValue(i, ["route_table_id"], T.table);
    const draft = vpc === undefined ? undefined : this.b.vpcs.get(vpc);
    if (draft !== undefined && table !== undefined) draft.mainTable = table;
  }

  private internetGateway(i: Instance, egressOnly: boolean): void {
    const vpcs = this.has(i, "vpc_id") ? this.namesOf(i, ["vpc_id"], T.vpc) : [];
    const attached = [...this.plan.byAddress.values()]
      .filter(
        (a) =>
          a.type === "aws_internet_gateway_attachment" &&
          this.nameValue(a, ["internet_gateway_id"], T.igw) === i.address,
      )
      .flatMap((a) => this.namesOf(a, ["vpc_id"], T.vpc));
    this.b.gateways.set(i.address, { name: i.address, vpcs: [...vpcs, ...attached], egressOnly });
  }

  private nat(i: Instance): void {
    const isPublic = this.string(i, "connectivity_type") !== "private";
    const subnet = this.one(i, ["subnet_id"], T.subnet);
    this.b.nats.set(i.address, { name: i.address, subnet, isPublic, isAvailable: true });
    const owner = this.b.owner(i.address, "nat-gateway", this.tags(i));
    owner.interfaces.push({
      name: `${i.address}#eni`,
      subnet,
      addresses: addressList([this.string(i, "private_ip")]),
      publicAddresses: addressList([this.string(i, "public_ip")]),
      isPublic: isPublic ? "yes" : "no",
      groups: "none",
    });
  }

  // ── interfaces ────────────────────────────────────────────────────────────────────────────────────────────────────

  private hasEip(address: string): boolean {
    for (const i of this.plan.byAddress.values()) {
      const keys =
        i.type === "aws_eip"
          ? ["instance", "network_interface"]
          : i.type === "aws_eip_association"
            ? ["instance_id", "network_interface_id"]
            : [];
      for (const key of keys) {
        if (!this.has(i, key) || (i.expressions !== undefined && !this.isWritten(i, key))) continue;
        if (this.nameValue(i, [key], [...T.instance, ...T.eni]) === address) return true;
      }
    }
    return false;
  }

  private attachedGroups(eni: string): readonly string[] {
    return [...this.plan.byAddress.values()]
      .filter(
        (a) =>
          a.type === "aws_network_interface_sg_attachment" &&
          this.nameValue(a, ["network_interface_id"], [...T.eni]) === eni,
      )
      .flatMap((a) => this.namesOf(a, ["security_group_id"], T.group));
  }

  private instance(i: Instance): void {
    const owner = this.b.owner(i.address, "instance", this.tags(i));
    // Interfaces of their own that the instance takes instead of making one.
    const taken = list(field(i.values, "network_interface")).length;
    if (taken > 0) return;
    const written = this.isWritten(i, "vpc_security_group_ids") || this.isWritten(i, "security_groups");
    const key = this.isWritten(i, "vpc_security_group_ids") ? "vpc_security_group_ids" : "security_groups";
    const extra = this.attachedGroups(i.address);
    let groups: Value<readonly string[]> | undefined;
    if (written) {
      const found = this.many(i, [key], T.group);
      groups = found.kind === "known" ? known([...found.value, ...extra]) : found;
      if (groups.kind === "known" && groups.value.length === 0) groups = undefined;
    }
    const publicly = truth(field(i.values, "associate_public_ip_address"));
    const publicIp = this.string(i, "public_ip");
    const eip = this.hasEip(i.address);
    owner.interfaces.push({
      name: `${i.address}#eni`,
      subnet: this.one(i, ["subnet_id"], T.subnet),
      addresses: addressList([
        this.string(i, "private_ip"),
        ...texts(field(i.values, "secondary_private_ips")),
        ...texts(field(i.values, "ipv6_addresses")),
      ]),
      hasIpv6: (number(field(i.values, "ipv6_address_count")) ?? 0) > 0,
      publicAddresses: addressList([publicIp]),
      checksDestination: truth(field(i.values, "source_dest_check")) ?? true,
      ...(eip || publicIp !== undefined
        ? { isPublic: "yes" as const }
        : publicly === undefined
          ? {}
          : { isPublic: publicly ? ("yes" as const) : ("no" as const) }),
      ...(groups === undefined ? {} : { groups }),
    });
  }

  private eni(i: Instance): void {
    const owner = this.b.owner(this.eniOwner(i) ?? i.address, "interface", this.tags(i));
    if (owner.name !== i.address) owner.aliases.push(i.address);
    const found = this.isWritten(i, "security_groups") ? this.many(i, ["security_groups"], T.group) : undefined;
    const extra = this.attachedGroups(i.address);
    const groups = found?.kind === "known" ? known([...found.value, ...extra]) : found;
    owner.interfaces.push({
      name: i.address,
      subnet: this.one(i, ["subnet_id"], T.subnet),
      addresses: addressList([
        ...texts(field(i.values, "private_ips")),
        this.string(i, "private_ip"),
        ...texts(field(i.values, "ipv6_addresses")),
      ]),
      prefixes: [...texts(field(i.values, "ipv4_prefixes")), ...texts(field(i.values, "ipv6_prefixes"))].flatMap(
        (p) => prefixOf(p) ?? [],
      ),
      isPublic: this.hasEip(i.address) || (owner.name !== i.address && this.hasEip(owner.name)) ? "yes" : "no",
      checksDestination: truth(field(i.values, "source_dest_check")) ?? true,
      primary: owner.interfaces.length === 0,
      ...(groups === undefined ? {} : { groups }),
    });
  }

  /** The instance to which an interface is attached. */
  private eniOwner(eni: Instance): string | undefined {
    for (const i of this.plan.byAddress.values()) {
      if (i.type === "aws_network_interface_attachment") {
        if (this.nameValue(i, ["network_interface_id"], T.eni) !== eni.address) continue;
        return this.nameValue(i, ["instance_id"], T.instance);
      }
      if (i.type !== "aws_instance") continue;
      for (const index of list(field(i.values, "network_interface")).keys()) {
        const one = this.one(i, ["network_interface", index, "network_interface_id"], T.eni);
        if (one.kind === "known" && one.value === eni.address) return i.address;
      }
    }
    return undefined;
  }

  // ── load balancers ────────────────────────────────────────────────────────────────────────────────────────────────

  private balancer(i: Instance): void {
    const classic = i.type === "aws_elb";
    const type: BalancerType = classic ? "classic" : balancerType(this.string(i, "load_balancer_type"));
    let subnets = this.has(i, "subnets") ? this.many(i, ["subnets"], T.subnet) : known([]);
    const mappings = list(field(i.values, "subnet_mapping"));
    if (mappings.length > 0 || this.isWritten(i, "subnet_mapping")) {
      const names = mappings.flatMap((_, index) => {
        const one = this.one(i, ["subnet_mapping", index, "subnet_id"], T.subnet);
        return one.kind === "known" ? [one.value] : [];
      });
      if (names.length > 0) subnets = known(names);
    }
    const internalFlag = truth(field(i.values, "internal"));
    const internal = internalFlag === true ? "yes" : this.isUnknown(i, ["internal"]) ? "maybe" : "no";
    const names = subnets.kind === "known" ? subnets.value : [];
    this.b.balancers.set(i.address, {
      name: i.address,
      type,
      internal,
      subnets: names,
      listeners: classic ? this.classicListeners(i) : [],
      filtersPrivateLink: this.string(i, "enforce_security_group_inbound_rules_on_private_link_traffic") !== "off",
    });
    const written = this.isWritten(i, "security_groups");
    const groups = written ? this.many(i, ["security_groups"], T.group) : undefined;
    const owner = this.b.owner(i.address, "load-balancer", this.tags(i));
    const dual = (this.string(i, "ip_address_type") ?? "").startsWith("dualstack");
    const places: readonly Value<string>[] =
      subnets.kind === "known" ? names.map((n) => known(n)) : [unknownValue(`subnets of ${i.address}`)];
    for (const [index, subnet] of places.entries()) {
      const mapped = mappings[index];
      owner.interfaces.push({
        name: `${i.address}#eni-${index}`,
        subnet,
        addresses: addressList([text(field(mapped, "private_ipv4_address")), text(field(mapped, "ipv6_address"))]),
        hasIpv6: dual,
        isPublic: internal === "yes" ? "no" : internal === "no" ? "yes" : "maybe",
        ...(groups !== undefined && !(groups.kind === "known" && groups.value.length === 0)
          ? { groups }
          : type === "network" || type === "gateway"
            ? { groups: "none" as const }
            : {}),
      });
    }
    if (!classic) return;
    const attached = [...this.plan.byAddress.values()]
      .filter((a) => a.type === "aws_elb_attachment" && this.nameValue(a, ["elb"], T.balancer) === i.address)
      .flatMap((a) => this.namesOf(a, ["instance"], T.instance));
    const given = this.has(i, "instances") ? this.many(i, ["instances"], T.instance) : known([]);
    const targets = [...(given.kind === "known" ? given.value : []), ...attached].map(
      (id): Target => ({ id, port: undefined }),
    );
    for (const listener of this.b.balancers.get(i.address)?.listeners ?? []) {
      const block = list(field(i.values, "listener")).find((l) => number(field(l, "lb_port")) === listener.port);
      this.b.targetGroups.set(`${listener.name}#instances`, {
        name: `${listener.name}#instances`,
        type: "instance",
        port: number(field(block, "instance_port")),
        protocol: text(field(block, "instance_protocol"))?.toUpperCase() ?? "TCP",
        targets: [...targets],
        preservesClient: false,
        healthPort: number(/:(\d+)/.exec(text(field(list(field(i.values, "health_check"))[0], "target")) ?? "")?.[1]),
        ...(given.kind === "known" ? {} : { moreTargets: given.kind === "unknown" ? given.because : given.because }),
      });
    }
  }

  private classicListeners(i: Instance): Listener[] {
    return list(field(i.values, "listener")).flatMap((block): Listener[] => {
      const port = number(field(block, "lb_port"));
      if (port === undefined) return [];
      const name = `${i.address}#listener-${port}`;
      return [
        {
          name,
          port,
          protocol: text(field(block, "lb_protocol"))?.toUpperCase() ?? "TCP",
          rules: [],
          otherwise: { forwards: [`${name}#instances`], answers: false },
        },
      ];
    });
  }

  private listener(i: Instance): void {
    const balancer = this.one(i, ["load_balancer_arn"], T.balancer);
    const port = number(field(i.values, "port"));
    if (balancer.kind !== "known" || port === undefined) {
      this.b.unread.push({ name: i.address, type: i.type, touches: [], narrows: false });
      return;
    }
    const rules: ListenerRule[] = [];
    for (const r of this.plan.byAddress.values()) {
      if (!/^aws_a?lb_listener_rule$/.test(r.type)) continue;
      const of = this.one(r, ["listener_arn"], T.listener);
      if (of.kind === "known" ? of.value !== i.address : of.kind === "oneOf" && !of.values.includes(i.address))
        continue;
      rules.push({
        name: r.address,
        priority: number(field(r.values, "priority")) ?? 0,
        conditions: list(field(r.values, "condition")).flatMap(conditionsOf),
        action: this.action(r, "action"),
      });
    }
    rules.sort((a, b) => a.priority - b.priority);
    const listener: Listener = {
      name: i.address,
      port,
      protocol: this.string(i, "protocol")?.toUpperCase() ?? "HTTP",
      rules,
      otherwise: this.action(i, "default_action"),
    };
    this.b.balancers.get(balancer.value)?.listeners.push(listener);
  }

  private action(i: Instance, key: string): ListenerAction {
    const forwards: string[] = [];
    let answers = false;
    let because: Because | undefined;
    for (const [index, block] of list(field(i.values, key)).entries()) {
      const type = text(field(block, "type"));
      if (type === "redirect" || type === "fixed-response") answers = true;
      if (type !== "forward") continue;
      const weighted = list(field(block, "forward"));
      const groups = list(field(weighted[0], "target_group"));
      if (groups.length > 0) {
        for (const [at, group] of groups.entries()) {
          if (number(field(group, "weight")) === 0) continue;
          const one = this.one(i, [key, index, "forward", 0, "target_group", at, "arn"], T.targetGroup);
          if (one.kind === "known") forwards.push(one.value);
          else because = one.because;
        }
        continue;
      }
      const one = this.one(i, [key, index, "target_group_arn"], T.targetGroup);
      if (one.kind === "known") forwards.push(one.value);
      else because = one.because;
    }
    return { forwards, answers, ...(because === undefined ? {} : { unknown: because }) };
  }

  private targetGroup(i: Instance): void {
    const type = this.string(i, "target_type");
    const health = list(field(i.values, "health_check"))[0];
    const preserve = truth(field(i.values, "preserve_client_ip"));
    const targets: Target[] = [];
    let more: Because | undefined;
    for (const a of this.plan.byAddress.values()) {
      if (!/^aws_a?lb_target_group_attachment$/.test(a.type)) continue;
      const group = this.one(a, ["target_group_arn"], T.targetGroup);
      if (group.kind !== "known") {
        if (group.kind === "unknown" || group.values.includes(i.address)) more = group.because;
        continue;
      }
      if (group.value !== i.address) continue;
      const id = this.targetId(a);
      if (id === undefined) more = { code: "unknown-value", detail: `${a.address}.target_id` };
      else targets.push({ id, port: number(field(a.values, "port")) });
    }
    for (const a of this.plan.byAddress.values()) {
      if (
        a.type === "aws_autoscaling_group" &&
        this.isWritten(a, "target_group_arns") &&
        this.namesOf(a, ["target_group_arns"], T.targetGroup).includes(i.address)
      ) {
        targets.push({ id: a.address, port: undefined });
      }
      if (a.type !== "aws_autoscaling_attachment") continue;
      if (this.nameValue(a, ["lb_target_group_arn"], T.targetGroup) !== i.address) continue;
      const group = this.nameValue(a, ["autoscaling_group_name"], T.autoscaling);
      if (group !== undefined) targets.push({ id: group, port: undefined });
    }
    const made: TargetGroup & { readonly targets: Target[] } = {
      name: i.address,
      type: type === "ip" || type === "lambda" || type === "alb" ? type : "instance",
      port: number(field(i.values, "port")),
      protocol: this.string(i, "protocol")?.toUpperCase() ?? "HTTP",
      targets,
      preservesClient: preserve,
      healthPort: number(field(health, "port")),
      ...(more === undefined ? {} : { moreTargets: more }),
    };
    this.b.targetGroups.set(i.address, made);
  }

  private targetId(i: Instance): string | undefined {
    const literal = this.string(i, "target_id");
    if (literal !== undefined)
      return parseAddress(literal) === undefined ? this.byId(literal, [...T.instance, ...T.balancer]) : literal;
    const one = this.one(i, ["target_id"], [...T.instance, ...T.balancer]);
    if (one.kind === "known") return one.value;
    const r = this.plan.resolve(i, ["target_id"]);
    const [first] = r.kind === "exact" ? r.referred : [];
    if (first !== undefined && /^private_ip$/.test(first.attribute)) return first.instance.address;
    return undefined;
  }

  /** One interface for each subnet, its address not known (aws-vpc.md 1.3). */
  private autoscaling(i: Instance): void {
    const subnets = this.many(i, ["vpc_zone_identifier"], T.subnet);
    const template = [...this.plan.byAddress.values()].find((t) => {
      if (t.type !== "aws_launch_template") return false;
      const blocks = list(field(i.values, "launch_template"));
      const key =
        text(field(blocks[0], "id")) === undefined && text(field(blocks[0], "name")) !== undefined ? "name" : "id";
      return blocks.length > 0 && this.nameValue2(i, ["launch_template", 0, key], T.template) === t.address;
    });
    const owner = this.b.owner(i.address, "group", this.tags(i));
    const own = template !== undefined && this.isWritten(template, "vpc_security_group_ids");
    const nested = list(field(template?.values, "network_interfaces"));
    let groups: Value<readonly string[]> | undefined;
    if (template === undefined) groups = unknownValue(`security groups of ${i.address}`);
    else if (own) groups = this.many(template, ["vpc_security_group_ids"], T.group);
    else if (nested.length > 0) groups = this.many(template, ["network_interfaces", 0, "security_groups"], T.group);
    const publicly = truth(field(nested[0], "associate_public_ip_address"));
    const places =
      subnets.kind === "known" ? subnets.value.map((s) => known(s)) : [unknownValue(`subnets of ${i.address}`)];
    for (const [index, subnet] of places.entries()) {
      owner.interfaces.push({
        name: `${i.address}#eni-${index}`,
        subnet,
        ...(publicly === undefined ? {} : { isPublic: publicly ? ("yes" as const) : ("no" as const) }),
        ...(groups === undefined || (groups.kind === "known" && groups.value.length === 0) ? {} : { groups }),
      });
    }
  }

  private nameValue2(i: Instance, path: readonly (string | number)[], types: readonly string[]): string | undefined {
    const value = this.one(i, path, types);
    return value.kind === "known" ? value.value : undefined;
  }

  // ── the rest ──────────────────────────────────────────────────────────────────────────────────────────────────────

  private endpoint(i: Instance): void {
    const type = this.string(i, "vpc_endpoint_type") ?? "Gateway";
    const kind = type === "Gateway" ? "gateway" : type === "GatewayLoadBalancer" ? "appliance" : "interface";
    const service = this.string(i, "service_name") ?? "";
    this.b.endpoints.set(i.address, { name: i.address, kind, service });
    if (kind === "gateway") {
      const list = [...this.plan.instances].find(
        (d) => d.type === "aws_prefix_list" && text(field(d.values, "name")) === service,
      );
      const name = this.string(i, "prefix_list_id") ?? text(field(list?.values, "id")) ?? `${i.address}#prefix_list`;
      const cidrs = [...texts(field(i.values, "cidr_blocks")), ...texts(field(list?.values, "cidr_blocks"))];
      this.b.prefixLists.set(name, { name, prefixes: cidrs.length > 0 ? prefixesOf(cidrs) : undefined });
      const tables = this.has(i, "route_table_ids") ? this.many(i, ["route_table_ids"], T.table) : known([]);
      const associated = [...this.plan.byAddress.values()]
        .filter(
          (a) =>
            a.type === "aws_vpc_endpoint_route_table_association" &&
            this.nameValue(a, ["vpc_endpoint_id"], T.endpoint) === i.address,
        )
        .flatMap((a) => this.namesOf(a, ["route_table_id"], T.table));
      for (const table of [...(tables.kind === "known" ? tables.value : []), ...associated]) {
        this.b.table(this.b.canonical(table), undefined).routes.push({
          destination: { kind: "prefixList", list: name },
          target: known({ kind: "endpoint", name: i.address }),
          state: "active",
          origin: "static",
        });
      }
      return;
    }
    if (kind === "appliance") return;
    const owner = this.b.owner(i.address, "endpoint", this.tags(i));
    const subnets = this.many(i, ["subnet_ids"], T.subnet);
    const groups = this.isWritten(i, "security_group_ids") ? this.many(i, ["security_group_ids"], T.group) : undefined;
    for (const [index, subnet] of (subnets.kind === "known" ? subnets.value : []).entries()) {
      owner.interfaces.push({
        name: `${i.address}#eni-${index}`,
        subnet: known(subnet),
        isPublic: "no",
        ...(groups === undefined ? {} : { groups }),
      });
    }
  }

  private peering(i: Instance): void {
    const accepted =
      truth(field(i.values, "auto_accept")) === true ||
      this.string(i, "accept_status") === "active" ||
      [...this.plan.byAddress.values()].some(
        (a) =>
          a.type === "aws_vpc_peering_connection_accepter" &&
          truth(field(a.values, "auto_accept")) === true &&
          this.nameValue(a, ["vpc_peering_connection_id"], T.peering) === i.address,
      );
    const side = (key: string): PeeringSide => {
      const vpc = this.one(i, [key], T.vpc);
      const region = key === "peer_vpc_id" ? this.string(i, "peer_region") : undefined;
      return { vpc: vpc.kind === "known" ? vpc.value : `${i.address}#${key}`, cidrs: [], region };
    };
    this.b.peerings.set(i.address, {
      name: i.address,
      isActive: accepted ? "yes" : "maybe",
      requester: side("vpc_id"),
      accepter: side("peer_vpc_id"),
    });
  }

  private prefixList(i: Instance): void {
    const blocks = list(field(i.values, "entry"));
    const loose = [...this.plan.byAddress.values()].filter(
      (e) =>
        e.type === "aws_ec2_managed_prefix_list_entry" && this.nameValue(e, ["prefix_list_id"], T.list) === i.address,
    );
    const cidrs = [...blocks, ...loose.map((e) => e.values)].map((entry) => text(field(entry, "cidr")));
    const isWhole =
      cidrs.every((cidr) => cidr !== undefined) &&
      !(this.isUnknown(i, ["entry"]) && blocks.length === 0 && this.isWritten(i, "entry"));
    const given = [...cidrs.flatMap((cidr) => cidr ?? []), ...texts(field(i.values, "cidr_blocks"))];
    this.b.prefixLists.set(i.address, { name: i.address, prefixes: isWhole ? prefixesOf(given) : undefined });
  }

  private transit(i: Instance): void {
    const of = (types: readonly string[], key: string, wanted: readonly string[], name: string): Instance[] =>
      [...this.plan.byAddress.values()].filter(
        (a) => types.includes(a.type) && this.nameValue(a, [key], wanted) === name,
      );
    const attachments = of(T.attachment, "transit_gateway_id", T.transit, i.address).map((a) => ({
      name: a.address,
      vpc: this.nameValue(a, ["vpc_id"], T.vpc) ?? "",
      subnets: this.namesOf(a, ["subnet_ids"], T.subnet),
      referencesGroups: this.string(a, "security_group_referencing_support") !== "disable",
    }));
    const tables = of(T.transitTable, "transit_gateway_id", T.transit, i.address).map((t): TransitTable => {
      const key = "transit_gateway_route_table_id";
      const attached = (type: string): string[] =>
        of([type], key, T.transitTable, t.address).flatMap((a) =>
          this.namesOf(a, ["transit_gateway_attachment_id"], T.attachment),
        );
      const propagated = attached("aws_ec2_transit_gateway_route_table_propagation").flatMap((name) => {
        const vpc = attachments.find((a) => a.name === name)?.vpc;
        const cidrs = vpc === undefined ? [] : (this.b.vpcs.get(vpc)?.cidrs ?? []);
        return cidrs.flatMap((cidr) => {
          const prefix = prefixOf(cidr);
          return prefix === undefined
            ? []
            : [{ prefix, state: "active" as const, origin: "propagated" as const, attachments: [name] }];
        });
      });
      const routes = of(["aws_ec2_transit_gateway_route"], key, T.transitTable, t.address).flatMap((r) => {
        const prefix = prefixOf(this.string(r, "destination_cidr_block") ?? "");
        if (prefix === undefined) return [];
        const blackhole = truth(field(r.values, "blackhole")) === true;
        const names = blackhole ? [] : this.namesOf(r, ["transit_gateway_attachment_id"], T.attachment);
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
        name: t.address,
        attachments: attached("aws_ec2_transit_gateway_route_table_association"),
        routes: [...routes, ...propagated],
      };
    });
    const name = i.address;
    this.b.transits.set(name, {
      name,
      attachments,
      tables,
      referencesGroups: this.string(i, "security_group_referencing_support") === "enable",
    });
  }

  /** The interfaces of the control plane with the group that EKS makes (aws-vpc.md EKS-1). */
  private cluster(i: Instance): void {
    const subnets = this.many(i, ["vpc_config", 0, "subnet_ids"], T.subnet);
    const extra = this.many(i, ["vpc_config", 0, "security_group_ids"], T.group);
    const name = `${i.address}#cluster_security_group`;
    const places = subnets.kind === "known" ? subnets.value : [];
    const first = this.b.subnets.get(places[0] ?? "");
    const group = this.b.group(name, first?.vpc.kind === "known" ? first.vpc.value : undefined);
    this.b.addRules(group, "ingress", trafficOf(-1, undefined, undefined), [{ kind: "group", group: name }]);
    this.b.addDefaultEgress(group);
    const id = text(field(list(field(i.values, "vpc_config"))[0], "cluster_security_group_id"));
    if (id !== undefined) this.b.alias(id, name);
    const owner = this.b.owner(i.address, "cluster", this.tags(i));
    const groups = known([name, ...(extra.kind === "known" ? extra.value : [])]);
    for (const [index, subnet] of places.entries()) {
      owner.interfaces.push({ name: `${i.address}#eni-${index}`, subnet: known(subnet), isPublic: "no", groups });
    }
  }
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

function entryOf(
  block: unknown,
  direction: AclEntry["direction"],
  number_: number,
  action: string | undefined,
  of: string,
): AclEntry {
  const protocol = protocolNumber(scalar(field(block, "protocol")) ?? "");
  const icmp = protocol === 1 || protocol === 58;
  const cidr = text(field(block, "cidr_block")) ?? text(field(block, "ipv6_cidr_block"));
  const traffic =
    protocol === undefined
      ? unknownTraffic({ code: "unknown-value", detail: `protocol of entry ${number_} of ${of}` })
      : icmp
        ? trafficOf(protocol, number(field(block, "icmp_type")) ?? -1, number(field(block, "icmp_code")) ?? -1)
        : trafficOf(protocol, number(field(block, "from_port")), number(field(block, "to_port")));
  return {
    number: number_,
    direction,
    action: action?.toLowerCase() === "allow" ? "allow" : "deny",
    traffic,
    prefix: cidr === undefined ? undefined : prefixOf(cidr),
  };
}

function balancerType(given: string | undefined): BalancerType {
  return given === "network" || given === "gateway" ? given : "application";
}

/** One condition of a listener's rule; each block may hold several fields. */
function conditionsOf(block: unknown): readonly ListenerCondition[] {
  const out: ListenerCondition[] = [];
  const fields = ["host_header", "path_pattern", "http_request_method", "source_ip", "query_string", "http_header"];
  for (const key of fields) {
    for (const part of list(field(block, key))) {
      const values =
        key === "query_string"
          ? [`${text(field(part, "key")) ?? ""}=${text(field(part, "value")) ?? ""}`]
          : texts(field(part, "values"));
      const header = text(field(part, "http_header_name"));
      out.push({ field: key.replaceAll("_", "-"), values, ...(header === undefined ? {} : { header }) });
    }
  }
  return out;
}

function onlyName(map: ReadonlyMap<string, unknown>): string | undefined {
  return map.size === 1 ? [...map.keys()][0] : undefined;
}
