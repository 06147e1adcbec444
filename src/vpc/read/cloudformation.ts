/** Reads a CloudFormation template (aws-vpc.md 1.4). Objects are named by their logical ids. */

import type { Because } from "../../base/because.ts";
import type { Ternary } from "../../base/ternary.ts";
import { type Address, formatPrefix, parseAddress } from "../../net/address.ts";
import {
  type AclEntry,
  type BalancerType,
  known,
  type Listener,
  type ListenerAction,
  type ListenerRule,
  type Network,
  type Peer,
  type PeeringSide,
  type Route,
  type RouteTarget,
  type Target,
  unknownValue,
  type Value,
} from "../model.ts";
import { addressPeer, NetworkBuilder } from "./builder.ts";
import { conditionOf } from "./describe/balancers.ts";
import { entries, field, list, listOf, number, scalar, text, texts, truth } from "./json.ts";
import type { Positions } from "./positions.ts";
import { isEither, isNotTold, isReference, TemplateValues } from "./template-values.ts";
import { prefixesOf, prefixOf, protocolNumber, trafficOf, unknownTraffic } from "./values.ts";

interface Resource {
  readonly name: string;
  readonly type: string;
  /** With functions applied. */
  readonly properties: unknown;
  /** As the template writes it. */
  readonly written: unknown;
  /** Why it may not be there (an undecided condition). */
  readonly unsettled: Because | undefined;
}

const NARROWING =
  /^AWS::(NetworkFirewall|Route53Resolver::FirewallRuleGroupAssociation|VpcLattice|GlobalAccelerator|EC2::(TransitGateway|ClientVpn|VPNConnection|CarrierGateway|LocalGateway|SpotFleet|EC2Fleet|TransitGatewayAttachment)|RDS::DB|ElastiCache|Redshift::Cluster|MSK|OpenSearchService|ECS::Service|EFS::MountTarget|FSx|Lambda::Function$|DocDB|Neptune|WAFv2::WebACLAssociation)/;

/** Those of them that may narrow traffic between others. */
const FILTERING = /NetworkFirewall::Firewall$|FirewallRuleGroupAssociation|TransitGateway/;

/** Reads a template. `parameters` are values given beside it. */
export function readCloudFormation(
  template: unknown,
  file: string,
  parameters?: ReadonlyMap<string, unknown>,
  positions?: Positions,
): Network {
  return new TemplateReader(template, file, parameters, positions).read();
}

class TemplateReader {
  private readonly b: NetworkBuilder;
  private readonly resources: readonly Resource[];
  private readonly values: TemplateValues;

  constructor(template: unknown, file: string, parameters?: ReadonlyMap<string, unknown>, positions?: Positions) {
    this.b = new NetworkBuilder(file, positions);
    const values = new TemplateValues(template, parameters);
    this.values = values;
    this.resources = entries(field(template, "Resources")).flatMap(([name, resource]): Resource[] => {
      const type = text(field(resource, "Type"));
      const condition = text(field(resource, "Condition"));
      const holds = condition === undefined ? "yes" : values.condition(condition);
      if (type === undefined || holds === "no") return [];
      const unsettled: Because | undefined =
        holds === "maybe" ? { code: "unknown-value", detail: `condition ${condition ?? ""} of ${name}` } : undefined;
      this.b.place(name, resource);
      const properties = values.evaluate(field(resource, "Properties"));
      return [{ name, type, properties, written: resource, unsettled }];
    });
  }

  read(): Network {
    const ec2 = "AWS::EC2::";
    this.each(`${ec2}VPC`, (r) => this.vpc(r));
    this.each(`${ec2}Subnet`, (r) => this.subnet(r));
    this.each(`${ec2}SecurityGroup`, (r) => this.group(r));
    this.each(`${ec2}SecurityGroupIngress`, (r) => this.looseRule(r, "ingress"));
    this.each(`${ec2}SecurityGroupEgress`, (r) => this.looseRule(r, "egress"));
    this.each(`${ec2}NetworkAcl`, (r) => this.b.acl(r.name, this.name(r, "VpcId")));
    this.each(`${ec2}NetworkAclEntry`, (r) => this.aclEntry(r));
    this.each(`${ec2}SubnetNetworkAclAssociation`, (r) =>
      this.associate(r, "NetworkAclId", (s, v) => this.b.associateAcl(s, v)),
    );
    this.each(`${ec2}RouteTable`, (r) => this.b.table(r.name, this.name(r, "VpcId")));
    this.each(`${ec2}Route`, (r) => this.route(r));
    this.each(`${ec2}SubnetRouteTableAssociation`, (r) =>
      this.associate(r, "RouteTableId", (s, v) => this.b.associateTable(s, v)),
    );
    this.each(`${ec2}GatewayRouteTableAssociation`, (r) => {
      const gateway = this.name(r, "GatewayId");
      if (gateway !== undefined) this.b.table(this.name(r, "RouteTableId") ?? "", undefined).gateways.push(gateway);
    });
    this.each(`${ec2}InternetGateway`, (r) => this.internetGateway(r));
    this.each(`${ec2}EgressOnlyInternetGateway`, (r) => {
      const vpc = this.name(r, "VpcId");
      this.b.gateways.set(r.name, { name: r.name, vpcs: vpc === undefined ? [] : [vpc], egressOnly: true });
    });
    this.each(`${ec2}NatGateway`, (r) => this.nat(r));
    this.each(`${ec2}Instance`, (r) => this.instance(r));
    this.each(`${ec2}NetworkInterface`, (r) => this.eni(r));
    this.each(`${ec2}PrefixList`, (r) => this.prefixList(r));
    this.each(`${ec2}VPCEndpoint`, (r) => this.endpoint(r));
    this.each(`${ec2}VPCPeeringConnection`, (r) => this.peering(r));
    this.each("AWS::ElasticLoadBalancingV2::LoadBalancer", (r) => this.balancer(r));
    this.each("AWS::ElasticLoadBalancingV2::TargetGroup", (r) => this.targetGroup(r));
    this.each("AWS::ElasticLoadBalancingV2::Listener", (r) => this.listener(r));
    this.each("AWS::ElasticLoadBalancing::LoadBalancer", (r) => this.classic(r));
    this.each("AWS::AutoScaling::AutoScalingGroup", (r) => this.autoscaling(r));
    this.each("AWS::EKS::Cluster", (r) => this.cluster(r));
    for (const r of this.resources) {
      if (!NARROWING.test(r.type)) continue;
      const touches = ["VpcId", "SubnetId", "SubnetIds", "Subnets"].flatMap((key) => this.names(r, key));
      this.b.unread.push({ name: r.name, type: r.type, touches, narrows: FILTERING.test(r.type) });
    }
    return this.b.finish();
  }

  private each(type: string, visit: (resource: Resource) => void): void {
    for (const r of this.resources) if (r.type === type) visit(r);
  }

  // ── values ────────────────────────────────────────────────────────────────────────────────────────────────────────

  private value(value: unknown, what: string): Value<string> {
    if (isReference(value)) return known(this.referred(value.$resource, value.$attribute));
    if (isNotTold(value)) return unknownValue(`${what}: ${value.$unknown}`);
    if (isEither(value)) {
      const values = value.$either.flatMap((one) => {
        const inner = this.value(one, what);
        return inner.kind === "known" ? [inner.value] : [];
      });
      return { kind: "oneOf", values, because: { code: "unknown-value", detail: `a condition decides ${what}` } };
    }
    const literal = scalar(value);
    return literal === undefined ? unknownValue(what) : known(this.b.canonical(literal));
  }

  private referred(resource: string, attribute: string): string {
    switch (attribute) {
      case "DefaultSecurityGroup":
        return this.b.canonical(`${resource}#default_security_group`);
      case "DefaultNetworkAcl":
        return this.b.canonical(`${resource}#default_network_acl`);
      case "ClusterSecurityGroupId":
        return `${resource}#cluster_security_group`;
      default:
        return resource;
    }
  }

  private get(r: Resource, key: string): Value<string> {
    return this.value(field(r.properties, key), `${r.name}.${key}`);
  }

  private name(r: Resource, key: string): string | undefined {
    const value = this.get(r, key);
    return value.kind === "known" ? value.value : undefined;
  }

  private many(value: unknown, what: string): Value<readonly string[]> {
    const out: string[] = [];
    for (const one of listOf(value)) {
      const inner = this.value(one, what);
      if (inner.kind !== "known") return unknownValue(what);
      out.push(inner.value);
    }
    return known(out);
  }

  private names(r: Resource, key: string): readonly string[] {
    const value = this.many(field(r.properties, key), key);
    return value.kind === "known" ? value.value : [];
  }

  private tags(r: Resource): ReadonlyMap<string, string> {
    return new Map(
      list(field(r.properties, "Tags")).flatMap((tag) => {
        const key = text(field(tag, "Key"));
        return key === undefined ? [] : [[key, scalar(field(tag, "Value")) ?? ""] as const];
      }),
    );
  }

  // ── VPC and subnets ───────────────────────────────────────────────────────────────────────────────────────────────

  private vpc(r: Resource): void {
    const cidrs = [...texts(field(r.properties, "CidrBlock"))];
    let unknownIpv6 = false;
    for (const block of this.resources) {
      if (block.type !== "AWS::EC2::VPCCidrBlock" || this.name(block, "VpcId") !== r.name) continue;
      const given = [
        ...texts(field(block.properties, "CidrBlock")),
        ...texts(field(block.properties, "Ipv6CidrBlock")),
      ];
      cidrs.push(...given);
      if (given.length === 0) unknownIpv6 = true;
    }
    const dnsSupport = truth(field(r.properties, "EnableDnsSupport"));
    this.b.vpcs.set(r.name, {
      name: r.name,
      cidrs,
      unknownIpv6,
      tags: this.tags(r),
      blockMode: this.blockMode(),
      ...(dnsSupport === undefined ? {} : { dnsSupport }),
    });
  }

  private blockMode(): "off" | "block-bidirectional" | "block-ingress" {
    for (const r of this.resources) {
      if (r.type !== "AWS::EC2::VPCBlockPublicAccessOptions") continue;
      const mode = text(field(r.properties, "InternetGatewayBlockMode"));
      if (mode === "block-bidirectional" || mode === "block-ingress") return mode;
    }
    return "off";
  }

  private subnet(r: Resource): void {
    const cidr4 = text(field(r.properties, "CidrBlock"));
    const cidr6 = text(field(r.properties, "Ipv6CidrBlock"));
    const zone = text(field(r.properties, "AvailabilityZone")) ?? text(field(r.properties, "AvailabilityZoneId"));
    this.b.subnets.set(r.name, {
      name: r.name,
      vpc: this.get(r, "VpcId"),
      mapsPublic: truth(field(r.properties, "MapPublicIpOnLaunch")) ?? false,
      tags: this.tags(r),
      ...(cidr4 === undefined ? {} : { cidr4 }),
      ...(cidr6 === undefined ? {} : { cidr6 }),
      ...(zone === undefined ? {} : { zone }),
    });
  }

  private associate(r: Resource, key: string, add: (subnet: string, value: Value<string>) => void): void {
    const subnet = this.get(r, "SubnetId");
    const value = r.unsettled === undefined ? this.get(r, key) : unknownValue(r.unsettled.detail);
    if (subnet.kind === "known") add(subnet.value, value);
    else for (const name of this.b.subnets.keys()) add(name, unknownValue(`${r.name}.SubnetId`));
  }

  // ── security groups ───────────────────────────────────────────────────────────────────────────────────────────────

  private group(r: Resource): void {
    const group = this.b.group(r.name, this.name(r, "VpcId"), this.tags(r));
    for (const rule of listOf(field(r.properties, "SecurityGroupIngress")))
      this.rule(r.name, rule, "ingress", undefined, r.unsettled);
    const egress = listOf(field(r.properties, "SecurityGroupEgress"));
    for (const rule of egress) this.rule(r.name, rule, "egress", undefined, r.unsettled);
    if (egress.length > 0) return;
    const loose = this.resources.some(
      (o) => o.type === "AWS::EC2::SecurityGroupEgress" && this.name(o, "GroupId") === r.name,
    );
    // Whether a rule of its own suppresses the default is not settled (CF-4).
    this.b.addDefaultEgress(
      group,
      loose ? { code: "release-unclear", detail: `default egress of ${r.name} beside rules of their own` } : undefined,
    );
  }

  private looseRule(r: Resource, direction: "ingress" | "egress"): void {
    const of = this.get(r, "GroupId");
    if (of.kind === "known") this.rule(of.value, r.properties, direction, r.name, r.unsettled);
    else for (const group of this.b.groups.values()) group.moreRules ??= of.because;
  }

  private rule(
    of: string,
    rule: unknown,
    direction: "ingress" | "egress",
    name: string | undefined,
    unsettled: Because | undefined,
  ): void {
    if (isEither(rule) || isNotTold(rule)) {
      this.b.group(of, undefined).moreRules ??= { code: "unknown-value", detail: `a rule of ${of}` };
      return;
    }
    const given = scalar(field(rule, "IpProtocol"));
    const protocol = given === undefined ? undefined : protocolNumber(given);
    const traffic =
      protocol === undefined
        ? unknownTraffic({ code: "unknown-value", detail: `protocol of a rule of ${of}` })
        : trafficOf(protocol, number(field(rule, "FromPort")), number(field(rule, "ToPort")));
    const side = direction === "ingress" ? "Source" : "Destination";
    const peers: Peer[] = [];
    for (const key of ["CidrIp", "CidrIpv6"])
      if (field(rule, key) !== undefined) peers.push(this.peer(field(rule, key), "cidr", of));
    for (const key of [`${side}PrefixListId`])
      if (field(rule, key) !== undefined) peers.push(this.peer(field(rule, key), "list", of));
    for (const key of [`${side}SecurityGroupId`, `${side}SecurityGroupName`]) {
      if (field(rule, key) !== undefined) peers.push(this.peer(field(rule, key), "group", of));
    }
    if (peers.length === 0)
      this.b.report("BH406", `${name ?? `a rule of ${of}`} has no peer and adds nothing`, this.values.sourceOf(rule));
    this.b.addRules(this.b.group(of, undefined), direction, traffic, peers, {
      at: this.values.sourceOf(rule),
      ...(name === undefined ? {} : { name }),
      ...(unsettled === undefined ? {} : { unsettled }),
    });
  }

  private peer(value: unknown, kind: "cidr" | "list" | "group", of: string): Peer {
    if (isEither(value)) {
      const because: Because = { code: "unknown-value", detail: `a condition decides a peer of ${of}` };
      return {
        kind: "oneOf",
        peers: value.$either.filter((v) => v !== undefined).map((v) => this.peer(v, kind, of)),
        because,
      };
    }
    const name = this.value(value, `a peer of ${of}`);
    if (name.kind !== "known") return { kind: "unknown", because: name.because };
    if (kind === "list") return { kind: "prefixList", list: name.value };
    return kind === "cidr" ? addressPeer(name.value) : { kind: "group", group: name.value };
  }

  // ── ACLs and routes ───────────────────────────────────────────────────────────────────────────────────────────────

  private aclEntry(r: Resource): void {
    const p = r.properties;
    const at = number(field(p, "RuleNumber")) ?? 0;
    const protocol = protocolNumber(scalar(field(p, "Protocol")) ?? "");
    const cidr = text(field(p, "CidrBlock")) ?? text(field(p, "Ipv6CidrBlock"));
    const icmp = protocol === 1 || protocol === 58;
    const [from, to] = icmp
      ? [field(p, "Icmp", "Type"), field(p, "Icmp", "Code")]
      : [field(p, "PortRange", "From"), field(p, "PortRange", "To")];
    const entry: AclEntry = {
      number: at,
      direction: truth(field(p, "Egress")) === true ? "egress" : "ingress",
      action: text(field(p, "RuleAction"))?.toLowerCase() === "allow" ? "allow" : "deny",
      traffic:
        protocol === undefined
          ? unknownTraffic({ code: "unknown-value", detail: `protocol of ${r.name}` })
          : trafficOf(protocol, number(from), number(to)),
      prefix: cidr === undefined ? undefined : prefixOf(cidr),
      ...(r.unsettled === undefined ? {} : { unsettled: r.unsettled }),
    };
    const acl = this.get(r, "NetworkAclId");
    if (acl.kind === "known") this.b.addEntry(this.b.acl(acl.value, undefined), entry, r.written);
    else for (const one of this.b.acls.values()) one.moreEntries ??= acl.because;
  }

  private route(r: Resource): void {
    const cidr =
      text(field(r.properties, "DestinationCidrBlock")) ?? text(field(r.properties, "DestinationIpv6CidrBlock"));
    const prefix = cidr === undefined ? undefined : prefixOf(cidr);
    const listId = this.name(r, "DestinationPrefixListId");
    const table = this.get(r, "RouteTableId");
    const target = r.unsettled === undefined ? this.routeTarget(r) : unknownValue(r.unsettled.detail);
    const names = table.kind === "known" ? [table.value] : [];
    for (const name of names) {
      const route: Route = {
        destination:
          prefix !== undefined
            ? { kind: "prefix", prefix, text: formatPrefix(prefix) }
            : listId !== undefined
              ? { kind: "prefixList", list: listId }
              : { kind: "unknown", because: { code: "unknown-value", detail: `destination of ${r.name}` } },
        target,
        state: "active",
        origin: "static",
      };
      this.b.addRoute(this.b.table(name, undefined), route, r.written);
    }
    if (table.kind !== "known") for (const one of this.b.tables.values()) one.moreRoutes ??= table.because;
  }

  private routeTarget(r: Resource): Value<RouteTarget> {
    const kinds = [
      ["GatewayId", "internet-gateway"],
      ["NatGatewayId", "nat-gateway"],
      ["EgressOnlyInternetGatewayId", "egress-only-gateway"],
      ["VpcPeeringConnectionId", "peering"],
      ["TransitGatewayId", "transit-gateway"],
      ["NetworkInterfaceId", "network-interface"],
      ["InstanceId", "network-interface"],
      ["VpcEndpointId", "endpoint"],
      ["CarrierGatewayId", "other"],
      ["LocalGatewayId", "other"],
    ] as const;
    for (const [key, kind] of kinds) {
      if (field(r.properties, key) === undefined) continue;
      const name = this.get(r, key);
      if (name.kind === "unknown") return name;
      const targets = (name.kind === "known" ? [name.value] : name.values).map((value): RouteTarget => {
        if (key !== "GatewayId") return { kind, name: value };
        const type = this.resources.find((o) => o.name === value)?.type;
        return {
          kind: type === "AWS::EC2::VPNGateway" || value.startsWith("vgw-") ? "virtual-gateway" : "internet-gateway",
          name: value,
        };
      });
      const [only] = targets;
      if (name.kind === "known" && only !== undefined) return known(only);
      return { kind: "oneOf", values: targets, because: { code: "unknown-value", detail: `target of ${r.name}` } };
    }
    return unknownValue(`target of ${r.name}`);
  }

  /** A gateway works once it is attached (CF-3). */
  private internetGateway(r: Resource): void {
    const vpcs = this.resources
      .filter((a) => a.type === "AWS::EC2::VPCGatewayAttachment" && this.name(a, "InternetGatewayId") === r.name)
      .flatMap((a) => this.names(a, "VpcId"));
    this.b.gateways.set(r.name, { name: r.name, vpcs, egressOnly: false });
  }

  private nat(r: Resource): void {
    const isPublic = text(field(r.properties, "ConnectivityType")) !== "private";
    const subnet = this.get(r, "SubnetId");
    this.b.nats.set(r.name, { name: r.name, subnet, isPublic, isAvailable: true });
    this.b.owner(r.name, "nat-gateway", this.tags(r)).interfaces.push({
      name: `${r.name}#eni`,
      subnet,
      addresses: addressList(texts(field(r.properties, "PrivateIpAddress"))),
      isPublic: isPublic ? "yes" : "no",
      groups: "none",
    });
  }

  // ── interfaces ────────────────────────────────────────────────────────────────────────────────────────────────────

  private hasEip(name: string): boolean {
    return this.resources.some((r) => {
      if (r.type === "AWS::EC2::EIP") return this.name(r, "InstanceId") === name;
      if (r.type !== "AWS::EC2::EIPAssociation") return false;
      return this.name(r, "InstanceId") === name || this.name(r, "NetworkInterfaceId") === name;
    });
  }

  private groupsOf(value: unknown, what: string): { readonly groups?: Value<readonly string[]> } {
    if (value === undefined) return {};
    const found = this.many(value, what);
    return found.kind === "known" && found.value.length === 0 ? {} : { groups: found };
  }

  private instance(r: Resource): void {
    const owner = this.b.owner(r.name, "instance", this.tags(r));
    const inner = list(field(r.properties, "NetworkInterfaces"));
    const checks = truth(field(r.properties, "SourceDestCheck")) ?? true;
    const eip = this.hasEip(r.name);
    for (const [index, one] of inner.entries()) {
      // One that is named is read with its own resource.
      if (field(one, "NetworkInterfaceId") !== undefined) continue;
      const publicly = truth(field(one, "AssociatePublicIpAddress"));
      owner.interfaces.push({
        name: `${r.name}#eni-${index}`,
        subnet: this.value(field(one, "SubnetId") ?? field(r.properties, "SubnetId"), `${r.name}.SubnetId`),
        addresses: addressList(texts(field(one, "PrivateIpAddress"))),
        hasIpv6: (number(field(one, "Ipv6AddressCount")) ?? 0) > 0,
        checksDestination: checks,
        primary: index === 0,
        ...(eip
          ? { isPublic: "yes" as const }
          : publicly === undefined
            ? {}
            : { isPublic: publicly ? ("yes" as const) : ("no" as const) }),
        ...this.groupsOf(field(one, "GroupSet"), `${r.name}.GroupSet`),
      });
    }
    if (inner.length > 0) return;
    owner.interfaces.push({
      name: `${r.name}#eni`,
      subnet: this.get(r, "SubnetId"),
      addresses: addressList([
        ...texts(field(r.properties, "PrivateIpAddress")),
        ...list(field(r.properties, "Ipv6Addresses")).flatMap((a) => texts(field(a, "Ipv6Address"))),
      ]),
      hasIpv6: (number(field(r.properties, "Ipv6AddressCount")) ?? 0) > 0,
      checksDestination: checks,
      ...(eip ? { isPublic: "yes" as const } : {}),
      ...this.groupsOf(
        field(r.properties, "SecurityGroupIds") ?? field(r.properties, "SecurityGroups"),
        `${r.name}.SecurityGroupIds`,
      ),
    });
  }

  private eni(r: Resource): void {
    const attached = this.resources.find((o) => {
      if (o.type === "AWS::EC2::NetworkInterfaceAttachment") return this.name(o, "NetworkInterfaceId") === r.name;
      if (o.type !== "AWS::EC2::Instance") return false;
      return list(field(o.properties, "NetworkInterfaces")).some(
        (n) =>
          this.value(field(n, "NetworkInterfaceId"), "").kind === "known" &&
          nameIn(field(n, "NetworkInterfaceId")) === r.name,
      );
    });
    const instance =
      attached === undefined
        ? undefined
        : attached.type === "AWS::EC2::Instance"
          ? attached.name
          : this.name(attached, "InstanceId");
    const owner = this.b.owner(instance ?? r.name, "interface", this.tags(r));
    if (instance !== undefined) owner.aliases.push(r.name);
    owner.interfaces.push({
      name: r.name,
      subnet: this.get(r, "SubnetId"),
      addresses: addressList([
        ...texts(field(r.properties, "PrivateIpAddress")),
        ...list(field(r.properties, "PrivateIpAddresses")).flatMap((a) => texts(field(a, "PrivateIpAddress"))),
        ...list(field(r.properties, "Ipv6Addresses")).flatMap((a) => texts(field(a, "Ipv6Address"))),
      ]),
      isPublic: this.hasEip(r.name) ? "yes" : "no",
      checksDestination: truth(field(r.properties, "SourceDestCheck")) ?? true,
      primary: owner.interfaces.length === 0,
      ...this.groupsOf(field(r.properties, "GroupSet"), `${r.name}.GroupSet`),
    });
  }

  // ── load balancers ────────────────────────────────────────────────────────────────────────────────────────────────

  private balancer(r: Resource): void {
    const given = text(field(r.properties, "Type"));
    const type: BalancerType = given === "network" || given === "gateway" ? given : "application";
    const mapped = list(field(r.properties, "SubnetMappings"));
    const places = field(r.properties, "Subnets") ?? mapped.map((m) => field(m, "SubnetId"));
    const scheme = field(r.properties, "Scheme");
    const internal: Ternary = isNotTold(scheme) || isEither(scheme) ? "maybe" : scheme === "internal" ? "yes" : "no";
    const subnets = this.many(places, `${r.name}.Subnets`);
    const names = subnets.kind === "known" ? subnets.value : [];
    this.b.balancers.set(r.name, {
      name: r.name,
      type,
      internal,
      subnets: names,
      listeners: [],
      filtersPrivateLink: text(field(r.properties, "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic")) !== "off",
    });
    const owner = this.b.owner(r.name, "load-balancer", this.tags(r));
    const groups = this.groupsOf(field(r.properties, "SecurityGroups"), `${r.name}.SecurityGroups`);
    const values: readonly Value<string>[] =
      subnets.kind === "known" ? names.map((n) => known(n)) : [unknownValue(`subnets of ${r.name}`)];
    for (const [index, subnet] of values.entries()) {
      owner.interfaces.push({
        name: `${r.name}#eni-${index}`,
        subnet,
        addresses: addressList(texts(field(mapped[index], "PrivateIPv4Address"))),
        hasIpv6: (text(field(r.properties, "IpAddressType")) ?? "").startsWith("dualstack"),
        isPublic: internal === "yes" ? "no" : internal === "no" ? "yes" : "maybe",
        ...(groups.groups === undefined && type !== "application" ? { groups: "none" as const } : groups),
      });
    }
  }

  private action(actions: unknown): ListenerAction {
    const forwards: string[] = [];
    let answers = false;
    let because: Because | undefined;
    for (const action of listOf(actions)) {
      const type = text(field(action, "Type"));
      if (type === "redirect" || type === "fixed-response") answers = true;
      if (type !== "forward") continue;
      const weighted = list(field(action, "ForwardConfig", "TargetGroups"));
      const groups = weighted.length > 0 ? weighted.filter((g) => number(field(g, "Weight")) !== 0) : [action];
      for (const group of groups) {
        const name = this.value(field(group, "TargetGroupArn"), "a target group");
        if (name.kind === "known") forwards.push(name.value);
        else because = name.because;
      }
    }
    return { forwards, answers, ...(because === undefined ? {} : { unknown: because }) };
  }

  private listener(r: Resource): void {
    const balancer = this.name(r, "LoadBalancerArn");
    const port = number(field(r.properties, "Port"));
    if (balancer === undefined || port === undefined) {
      this.b.unread.push({ name: r.name, type: r.type, touches: [], narrows: false });
      return;
    }
    const rules = this.resources
      .filter((o) => o.type === "AWS::ElasticLoadBalancingV2::ListenerRule" && this.name(o, "ListenerArn") === r.name)
      .map((o): ListenerRule => {
        const conditions = list(field(o.properties, "Conditions")).map(conditionOf);
        return {
          name: o.name,
          priority: number(field(o.properties, "Priority")) ?? 0,
          conditions,
          action: this.action(field(o.properties, "Actions")),
        };
      })
      .sort((a, b) => a.priority - b.priority);
    const listener: Listener = {
      name: r.name,
      port,
      protocol: text(field(r.properties, "Protocol"))?.toUpperCase() ?? "HTTP",
      rules,
      otherwise: this.action(field(r.properties, "DefaultActions")),
    };
    this.b.balancers.get(balancer)?.listeners.push(listener);
  }

  private targetGroup(r: Resource): void {
    const type = text(field(r.properties, "TargetType"));
    const targets: Target[] = [];
    let more: Because | undefined;
    for (const target of list(field(r.properties, "Targets"))) {
      const id = this.value(field(target, "Id"), `a target of ${r.name}`);
      if (id.kind === "known") targets.push({ id: id.value, port: number(field(target, "Port")) });
      else more = id.because;
    }
    for (const group of this.resources) {
      if (group.type === "AWS::AutoScaling::AutoScalingGroup" && this.names(group, "TargetGroupARNs").includes(r.name))
        targets.push({ id: group.name, port: undefined });
    }
    const preserve = list(field(r.properties, "TargetGroupAttributes")).find(
      (a) => field(a, "Key") === "preserve_client_ip.enabled",
    );
    this.b.targetGroups.set(r.name, {
      name: r.name,
      type: type === "ip" || type === "lambda" || type === "alb" ? type : "instance",
      port: number(field(r.properties, "Port")),
      protocol: text(field(r.properties, "Protocol"))?.toUpperCase() ?? "HTTP",
      targets,
      preservesClient: truth(field(preserve, "Value")),
      healthPort: number(field(r.properties, "HealthCheckPort")),
      ...(more === undefined ? {} : { moreTargets: more }),
    });
  }

  private classic(r: Resource): void {
    const isInternal = text(field(r.properties, "Scheme")) === "internal";
    const subnets = this.names(r, "Subnets");
    const instances = this.many(field(r.properties, "Instances"), `${r.name}.Instances`);
    const listeners: Listener[] = [];
    for (const one of list(field(r.properties, "Listeners"))) {
      const port = number(field(one, "LoadBalancerPort"));
      if (port === undefined) continue;
      const group = `${r.name}#listener-${port}#instances`;
      listeners.push({
        name: `${r.name}#listener-${port}`,
        port,
        protocol: text(field(one, "Protocol"))?.toUpperCase() ?? "TCP",
        rules: [],
        otherwise: { forwards: [group], answers: false },
      });
      this.b.targetGroups.set(group, {
        name: group,
        type: "instance",
        port: number(field(one, "InstancePort")),
        protocol: text(field(one, "InstanceProtocol"))?.toUpperCase() ?? "TCP",
        targets: instances.kind === "known" ? instances.value.map((id) => ({ id, port: undefined })) : [],
        preservesClient: false,
        healthPort: number(/:(\d+)/.exec(text(field(r.properties, "HealthCheck", "Target")) ?? "")?.[1]),
      });
    }
    this.b.balancers.set(r.name, {
      name: r.name,
      type: "classic",
      internal: isInternal ? "yes" : "no",
      subnets,
      listeners,
      filtersPrivateLink: true,
    });
    const owner = this.b.owner(r.name, "load-balancer", this.tags(r));
    for (const [index, subnet] of subnets.entries()) {
      owner.interfaces.push({
        name: `${r.name}#eni-${index}`,
        subnet: known(subnet),
        isPublic: isInternal ? "no" : "yes",
        ...this.groupsOf(field(r.properties, "SecurityGroups"), `${r.name}.SecurityGroups`),
      });
    }
  }

  // ── the rest ──────────────────────────────────────────────────────────────────────────────────────────────────────

  private autoscaling(r: Resource): void {
    const owner = this.b.owner(r.name, "group", this.tags(r));
    const template = this.value(field(r.properties, "LaunchTemplate", "LaunchTemplateId"), "a launch template");
    const data = field(
      this.resources.find((o) => template.kind === "known" && o.name === template.value)?.properties,
      "LaunchTemplateData",
    );
    const nested = list(field(data, "NetworkInterfaces"))[0];
    const publicly = truth(field(nested, "AssociatePublicIpAddress"));
    const given = field(data, "SecurityGroupIds") ?? field(nested, "Groups");
    const groups =
      data === undefined
        ? { groups: unknownValue(`security groups of ${r.name}`) }
        : this.groupsOf(given, `security groups of ${r.name}`);
    for (const [index, subnet] of this.names(r, "VPCZoneIdentifier").entries()) {
      owner.interfaces.push({
        name: `${r.name}#eni-${index}`,
        subnet: known(subnet),
        ...(publicly === undefined ? {} : { isPublic: publicly ? ("yes" as const) : ("no" as const) }),
        ...groups,
      });
    }
  }

  private prefixList(r: Resource): void {
    const cidrs = list(field(r.properties, "Entries")).map((entry) => text(field(entry, "Cidr")));
    const isWhole = field(r.properties, "Entries") !== undefined && cidrs.every((c) => c !== undefined);
    this.b.prefixLists.set(r.name, {
      name: r.name,
      prefixes: isWhole ? prefixesOf(cidrs.flatMap((c) => c ?? [])) : undefined,
    });
  }

  private endpoint(r: Resource): void {
    const type = text(field(r.properties, "VpcEndpointType")) ?? "Gateway";
    const kind = type === "Gateway" ? "gateway" : type === "GatewayLoadBalancer" ? "appliance" : "interface";
    this.b.endpoints.set(r.name, { name: r.name, kind, service: scalar(field(r.properties, "ServiceName")) ?? "" });
    if (kind === "gateway") {
      const prefixList = `${r.name}#prefix_list`;
      this.b.prefixLists.set(prefixList, { name: prefixList, prefixes: undefined });
      for (const table of this.names(r, "RouteTableIds")) {
        this.b.table(table, undefined).routes.push({
          destination: { kind: "prefixList", list: prefixList },
          target: known({ kind: "endpoint", name: r.name }),
          state: "active",
          origin: "static",
        });
      }
      return;
    }
    if (kind === "appliance") return;
    const owner = this.b.owner(r.name, "endpoint", this.tags(r));
    for (const [index, subnet] of this.names(r, "SubnetIds").entries()) {
      owner.interfaces.push({
        name: `${r.name}#eni-${index}`,
        subnet: known(subnet),
        isPublic: "no",
        ...this.groupsOf(field(r.properties, "SecurityGroupIds"), `${r.name}.SecurityGroupIds`),
      });
    }
  }

  /** CloudFormation waits until a peering is accepted; one of another account may need a role for that. */
  private peering(r: Resource): void {
    const side = (key: string): PeeringSide => ({
      vpc: this.name(r, key) ?? `${r.name}#${key}`,
      cidrs: [],
      region: key === "PeerVpcId" ? text(field(r.properties, "PeerRegion")) : undefined,
    });
    this.b.peerings.set(r.name, {
      name: r.name,
      isActive: "yes",
      requester: side("VpcId"),
      accepter: side("PeerVpcId"),
    });
  }

  private cluster(r: Resource): void {
    const config = field(r.properties, "ResourcesVpcConfig");
    const subnets = this.many(field(config, "SubnetIds"), `${r.name}.SubnetIds`);
    const extra = this.many(field(config, "SecurityGroupIds"), `${r.name}.SecurityGroupIds`);
    const name = `${r.name}#cluster_security_group`;
    const places = subnets.kind === "known" ? subnets.value : [];
    const vpc = this.b.subnets.get(places[0] ?? "")?.vpc;
    const group = this.b.group(name, vpc?.kind === "known" ? vpc.value : undefined);
    this.b.addRules(group, "ingress", trafficOf(-1, undefined, undefined), [{ kind: "group", group: name }]);
    this.b.addDefaultEgress(group);
    const owner = this.b.owner(r.name, "cluster", this.tags(r));
    const groups = known([name, ...(extra.kind === "known" ? extra.value : [])]);
    for (const [index, subnet] of places.entries())
      owner.interfaces.push({ name: `${r.name}#eni-${index}`, subnet: known(subnet), isPublic: "no", groups });
  }
}

function nameIn(value: unknown): string | undefined {
  return isReference(value) ? value.$resource : text(value);
}

function addressList(given: readonly string[]): readonly Address[] {
  return given.flatMap((one) => parseAddress(one) ?? []);
}
