/** Reads the answers of `aws … describe-*`, in one object by call or merged by their keys (aws-vpc.md 1.2). */

import { formatPrefix } from "../../net/address.ts";
import {
  type AclEntry,
  type BalancerType,
  type BlockMode,
  known,
  type Listener,
  type ListenerAction,
  type ListenerCondition,
  type ListenerRule,
  type Network,
  type OwnerKind,
  type Peer,
  type PeeringSide,
  type Route,
  type RouteTarget,
  type Target,
  type TargetGroup,
  type TransitTable,
} from "../model.ts";
import { addressPeer, NetworkBuilder } from "./builder.ts";
import { entries, field, isObject, list, listOf, number, scalar, text, texts, truth } from "./json.ts";
import type { Positions } from "./positions.ts";
import { addressList, prefixesOf, prefixOf, protocolNumber, trafficOf, unknownTraffic } from "./values.ts";

/** Keys under which the answers hold their lists. */
export const DESCRIBE_KEYS = [
  "Vpcs",
  "Subnets",
  "RouteTables",
  "SecurityGroups",
  "SecurityGroupRules",
  "NetworkAcls",
  "NetworkInterfaces",
  "Reservations",
  "InternetGateways",
  "EgressOnlyInternetGateways",
  "NatGateways",
  "VpcEndpoints",
  "PrefixLists",
  "VpcPeeringConnections",
  "TransitGateways",
  "TransitGatewayVpcAttachments",
  "TransitGatewayRouteTables",
  "LoadBalancers",
  "Listeners",
  "Rules",
  "TargetGroups",
  "LoadBalancerDescriptions",
] as const;

/** Peers of a permission that are addresses, each with the value that writes it. */
function* addressedPeers(permission: unknown): Iterable<readonly [Peer, unknown]> {
  for (const range of list(field(permission, "IpRanges")))
    for (const cidr of texts(field(range, "CidrIp"))) yield [addressPeer(cidr), range];
  for (const range of list(field(permission, "Ipv6Ranges")))
    for (const cidr of texts(field(range, "CidrIpv6"))) yield [addressPeer(cidr), range];
  for (const prefix of list(field(permission, "PrefixListIds")))
    for (const id of texts(field(prefix, "PrefixListId"))) yield [{ kind: "prefixList", list: id }, prefix];
}

/** Answers that need what was asked beside them: the call's answer does not repeat it. */
interface Wrapped {
  readonly key: string;
  readonly value: unknown;
}

/** Reads the answers; several objects are read as one. */
export function readDescribe(values: readonly unknown[], file: string, positions?: Positions): Network {
  return new DescribeReader(file, positions).read(values);
}

class DescribeReader {
  private readonly b: NetworkBuilder;
  private readonly lists = new Map<string, unknown[]>();
  private readonly health: Wrapped[] = [];
  private readonly attributes: Wrapped[] = [];
  private readonly listEntries: Wrapped[] = [];
  private readonly transitRoutes: Wrapped[] = [];
  private readonly transitAssociations: Wrapped[] = [];
  private readonly clusters: unknown[] = [];

  constructor(file: string, positions?: Positions) {
    this.b = new NetworkBuilder(file, positions);
  }

  read(values: readonly unknown[]): Network {
    for (const value of values) this.collect(value, "");
    this.vpcs();
    this.groups();
    this.acls();
    this.tables();
    this.gateways();
    this.prefixLists();
    this.interfaces();
    this.instances();
    this.nats();
    this.balancers();
    this.classic();
    this.endpoints();
    this.peerings();
    this.transits();
    for (const cluster of this.clusters) this.cluster(cluster);
    return this.b.finish();
  }

  // ── gathering ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Takes in an answer, a list of answers, or an object of answers by call. */
  private collect(value: unknown, call: string): void {
    if (Array.isArray(value)) {
      for (const one of value) this.collect(one, call);
      return;
    }
    if (!isObject(value)) return;
    const wrapped = field(value, "Response") ?? value;
    const group = text(field(value, "TargetGroupArn"));
    const prefixList = text(field(value, "PrefixListId"));
    const transit = text(field(value, "TransitGatewayRouteTableId"));
    if (group !== undefined && Array.isArray(field(wrapped, "TargetHealthDescriptions"))) {
      this.health.push({ key: group, value: field(wrapped, "TargetHealthDescriptions") });
      return;
    }
    if (group !== undefined && Array.isArray(field(wrapped, "Attributes"))) {
      this.attributes.push({ key: group, value: field(wrapped, "Attributes") });
      return;
    }
    if (prefixList !== undefined && Array.isArray(field(wrapped, "Entries"))) {
      this.listEntries.push({ key: prefixList, value: field(wrapped, "Entries") });
      return;
    }
    if (transit !== undefined && Array.isArray(field(wrapped, "Routes"))) {
      this.transitRoutes.push({ key: transit, value: field(wrapped, "Routes") });
      return;
    }
    if (transit !== undefined && Array.isArray(field(wrapped, "Associations"))) {
      this.transitAssociations.push({ key: transit, value: field(wrapped, "Associations") });
      return;
    }
    const cluster = field(value, "cluster");
    if (isObject(cluster)) this.clusters.push(cluster);
    const token = text(field(value, "NextToken")) ?? text(field(value, "NextMarker"));
    if (token !== undefined)
      this.b.report("BH405", `${call === "" ? "an answer" : `the answer of ${call}`} has further pages`, value);
    for (const [key, inner] of entries(value)) {
      if (DESCRIBE_KEYS.some((k) => k === key) && Array.isArray(inner)) {
        this.lists.set(key, [...(this.lists.get(key) ?? []), ...inner]);
      } else if (/^(?:[a-z0-9]+ )?(?:describe|get|search)-/.test(key)) this.collect(inner, key);
    }
  }

  private all(key: (typeof DESCRIBE_KEYS)[number]): readonly unknown[] {
    return this.lists.get(key) ?? [];
  }

  // ── VPCs and subnets ──────────────────────────────────────────────────────────────────────────────────────────────

  private vpcs(): void {
    const subnetVpcs = new Set(this.all("Subnets").flatMap((s) => text(field(s, "VpcId")) ?? []));
    for (const vpc of this.all("Vpcs")) {
      const name = text(field(vpc, "VpcId"));
      if (name === undefined) continue;
      subnetVpcs.delete(name);
      this.b.place(name, vpc);
      const associated = list(field(vpc, "CidrBlockAssociationSet"))
        .filter((a) => stateOf(a, "CidrBlockState") === "associated")
        .flatMap((a) => texts(field(a, "CidrBlock")));
      const v6 = list(field(vpc, "Ipv6CidrBlockAssociationSet"))
        .filter((a) => stateOf(a, "Ipv6CidrBlockState") === "associated")
        .flatMap((a) => texts(field(a, "Ipv6CidrBlock")));
      const v4 = associated.length > 0 ? associated : texts(field(vpc, "CidrBlock"));
      this.b.vpcs.set(name, {
        name,
        cidrs: [...v4, ...v6],
        blockMode: blockMode(field(vpc, "BlockPublicAccessStates")) ?? "off",
        tags: tagsOf(field(vpc, "Tags")),
      });
    }
    // A folder without describe-vpcs: the VPC is known by its subnets and its local routes.
    for (const name of subnetVpcs) {
      const local = this.all("RouteTables")
        .filter((t) => field(t, "VpcId") === name)
        .flatMap((t) => list(field(t, "Routes")))
        .filter((r) => field(r, "GatewayId") === "local")
        .flatMap((r) => [...texts(field(r, "DestinationCidrBlock")), ...texts(field(r, "DestinationIpv6CidrBlock"))]);
      const own = this.all("Subnets")
        .filter((s) => field(s, "VpcId") === name)
        .flatMap((s) => texts(field(s, "CidrBlock")));
      this.b.vpcs.set(name, { name, cidrs: [...new Set(local.length > 0 ? local : own)] });
    }
    for (const subnet of this.all("Subnets")) {
      const name = text(field(subnet, "SubnetId"));
      if (name === undefined) continue;
      this.b.place(name, subnet);
      const cidr4 = text(field(subnet, "CidrBlock"));
      const [cidr6] = list(field(subnet, "Ipv6CidrBlockAssociationSet"))
        .filter((a) => stateOf(a, "Ipv6CidrBlockState") !== "disassociated")
        .flatMap((a) => texts(field(a, "Ipv6CidrBlock")));
      const zone = text(field(subnet, "AvailabilityZone"));
      const mode = blockMode(field(subnet, "BlockPublicAccessStates"));
      this.b.subnets.set(name, {
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

  private groups(): void {
    const withRules = new Set(this.all("SecurityGroupRules").flatMap((r) => text(field(r, "GroupId")) ?? []));
    const stale = new Set<string>();
    for (const one of this.all("SecurityGroups")) {
      const name = text(field(one, "GroupId"));
      if (name === undefined) continue;
      this.b.place(name, one);
      const vpc = text(field(one, "VpcId"));
      const tags = new Map(tagsOf(field(one, "Tags")));
      const groupName = text(field(one, "GroupName"));
      if (groupName !== undefined && !tags.has("Name")) tags.set("Name", groupName);
      const group = this.b.group(name, vpc, tags);
      const draft = vpc === undefined ? undefined : this.b.vpcs.get(vpc);
      if (draft !== undefined && groupName === "default") draft.defaultGroup = name;
      for (const [direction, key] of [
        ["ingress", "IpPermissions"],
        ["egress", "IpPermissionsEgress"],
      ] as const) {
        for (const permission of list(field(one, key))) {
          const traffic = this.traffic(permission, name);
          for (const [peer, at] of withRules.has(name) ? [] : addressedPeers(permission))
            this.b.addRules(group, direction, traffic, [peer], { at });
          for (const pair of list(field(permission, "UserIdGroupPairs"))) {
            const id = text(field(pair, "GroupId"));
            if (id === undefined) continue;
            const isStale = /^(deleted|rejected|failed|expired|inactive)$/.test(
              text(field(pair, "PeeringStatus")) ?? "",
            );
            if (isStale) stale.add(`${name} ${id}`);
            if (isStale) this.b.report("BH408", `a rule of ${name} names ${id}, whose peering is gone`, pair);
            if (!withRules.has(name)) {
              this.b.addRules(group, direction, traffic, [{ kind: "group", group: id }], {
                at: pair,
                ...(isStale ? { stale: true } : {}),
              });
            }
          }
        }
      }
    }
    for (const row of this.all("SecurityGroupRules")) {
      const of = text(field(row, "GroupId"));
      if (of === undefined) continue;
      const group = this.b.group(of, undefined);
      const direction = field(row, "IsEgress") === true ? "egress" : "ingress";
      const peers: Peer[] = [...texts(field(row, "CidrIpv4")), ...texts(field(row, "CidrIpv6"))].map(addressPeer);
      for (const id of texts(field(row, "PrefixListId"))) peers.push({ kind: "prefixList", list: id });
      const referenced = text(field(row, "ReferencedGroupInfo", "GroupId"));
      const status = text(field(row, "ReferencedGroupInfo", "PeeringStatus"));
      const isStale =
        referenced !== undefined &&
        (stale.has(`${of} ${referenced}`) ||
          (status !== undefined && status !== "active" && status !== "pending-acceptance"));
      if (referenced !== undefined) peers.push({ kind: "group", group: referenced });
      const id = text(field(row, "SecurityGroupRuleId"));
      const description = text(field(row, "Description"));
      this.b.addRules(group, direction, this.traffic(row, of), peers, {
        at: row,
        ...(id === undefined ? {} : { name: id }),
        aliases: description === undefined ? [] : [description],
        ...(isStale ? { stale: true } : {}),
      });
    }
  }

  private traffic(rule: unknown, of: string): ReturnType<typeof trafficOf> {
    const protocol = protocolNumber(scalar(field(rule, "IpProtocol")) ?? "");
    if (protocol === undefined) return unknownTraffic({ code: "unknown-value", detail: `protocol of a rule of ${of}` });
    return trafficOf(protocol, number(field(rule, "FromPort")), number(field(rule, "ToPort")));
  }

  private acls(): void {
    for (const one of this.all("NetworkAcls")) {
      const name = text(field(one, "NetworkAclId"));
      if (name === undefined) continue;
      this.b.place(name, one);
      const vpc = text(field(one, "VpcId"));
      const acl = this.b.acl(name, vpc);
      const draft = vpc === undefined ? undefined : this.b.vpcs.get(vpc);
      if (draft !== undefined && field(one, "IsDefault") === true) draft.defaultAcl = name;
      for (const association of list(field(one, "Associations"))) {
        const subnet = text(field(association, "SubnetId"));
        if (subnet !== undefined) this.b.associateAcl(subnet, known(name));
      }
      for (const entry of list(field(one, "Entries"))) {
        const at = number(field(entry, "RuleNumber")) ?? 0;
        // The final deny of either family is no entry of its own (NACL-1).
        if (at >= 32767) continue;
        const protocol = protocolNumber(scalar(field(entry, "Protocol")) ?? "");
        const cidr = text(field(entry, "CidrBlock")) ?? text(field(entry, "Ipv6CidrBlock"));
        const icmp = protocol === 1 || protocol === 58;
        const [from, to] = icmp
          ? [field(entry, "IcmpTypeCode", "Type"), field(entry, "IcmpTypeCode", "Code")]
          : [field(entry, "PortRange", "From"), field(entry, "PortRange", "To")];
        const made: AclEntry = {
          number: at,
          direction: field(entry, "Egress") === true ? "egress" : "ingress",
          action: text(field(entry, "RuleAction")) === "allow" ? "allow" : "deny",
          traffic:
            protocol === undefined
              ? unknownTraffic({ code: "unknown-value", detail: `protocol of entry ${at} of ${name}` })
              : trafficOf(protocol, number(from), number(to)),
          prefix: cidr === undefined ? undefined : prefixOf(cidr),
        };
        this.b.addEntry(acl, made, entry);
      }
    }
  }

  private tables(): void {
    for (const one of this.all("RouteTables")) {
      const name = text(field(one, "RouteTableId"));
      if (name === undefined) continue;
      this.b.place(name, one);
      const vpc = text(field(one, "VpcId"));
      const table = this.b.table(name, vpc);
      const draft = vpc === undefined ? undefined : this.b.vpcs.get(vpc);
      for (const association of list(field(one, "Associations"))) {
        const state = stateOf(association, "AssociationState");
        if (state !== undefined && state !== "associated") continue;
        const subnet = text(field(association, "SubnetId"));
        const gateway = text(field(association, "GatewayId"));
        if (field(association, "Main") === true && draft !== undefined) draft.mainTable = name;
        if (subnet !== undefined) this.b.associateTable(subnet, known(name));
        if (gateway !== undefined) table.gateways.push(gateway);
      }
      for (const route of list(field(one, "Routes"))) this.b.addRoute(table, routeOf(route), route);
    }
  }

  private gateways(): void {
    for (const key of ["InternetGateways", "EgressOnlyInternetGateways"] as const) {
      for (const one of this.all(key)) {
        const egressOnly = key === "EgressOnlyInternetGateways";
        const name = text(field(one, egressOnly ? "EgressOnlyInternetGatewayId" : "InternetGatewayId"));
        if (name === undefined) continue;
        // Real answers say `available`, the model of the API says `attached`.
        const vpcs = list(field(one, "Attachments"))
          .filter((a) => /^(available|attached)$/.test(text(field(a, "State")) ?? "available"))
          .flatMap((a) => texts(field(a, "VpcId")));
        this.b.gateways.set(name, { name, vpcs, egressOnly });
      }
    }
  }

  private prefixLists(): void {
    for (const one of this.all("PrefixLists")) {
      const name = text(field(one, "PrefixListId"));
      if (name === undefined) continue;
      const cidrs = texts(field(one, "Cidrs"));
      this.b.prefixLists.set(name, { name, prefixes: cidrs.length > 0 ? prefixesOf(cidrs) : undefined });
    }
    for (const { key, value } of this.listEntries) {
      const cidrs = list(value).flatMap((entry) => texts(field(entry, "Cidr")));
      this.b.prefixLists.set(key, { name: key, prefixes: prefixesOf(cidrs) });
    }
  }

  // ── interfaces ────────────────────────────────────────────────────────────────────────────────────────────────────

  private interfaces(): void {
    const instances = new Map<string, unknown>();
    for (const reservation of this.all("Reservations")) {
      for (const one of list(field(reservation, "Instances"))) {
        const id = text(field(one, "InstanceId"));
        if (id !== undefined) instances.set(id, one);
      }
    }
    const balancers = new Map<string, string>();
    for (const one of this.all("LoadBalancers")) {
      const arn = text(field(one, "LoadBalancerArn"));
      const path = arn?.split(":loadbalancer/")[1];
      if (arn !== undefined && path !== undefined) balancers.set(`ELB ${path}`, arn);
    }
    for (const one of this.all("LoadBalancerDescriptions")) {
      const name = text(field(one, "LoadBalancerName"));
      if (name !== undefined) balancers.set(`ELB ${name}`, name);
    }
    for (const one of this.all("NetworkInterfaces")) {
      const name = text(field(one, "NetworkInterfaceId"));
      if (name === undefined) continue;
      this.b.place(name, one);
      const { owner, kind } = this.ownerOf(one, name, balancers);
      const instance = instances.get(owner);
      const state = text(field(instance, "State", "Name"));
      const tags = tagsOf(field(instance, "Tags") ?? field(one, "TagSet"));
      const note = state === "stopped" ? "instance stopped" : undefined;
      this.b.place(owner, instance ?? one);
      const draft = this.b.owner(owner, kind, tags, note);
      if (owner !== name) draft.aliases.push(name);
      draft.interfaces.push(
        this.interfaceOf(one, name, kind === "nat-gateway", number(field(one, "Attachment", "DeviceIndex")) ?? 0),
      );
    }
  }

  private interfaceOf(
    one: unknown,
    name: string,
    isNat: boolean,
    index: number,
  ): Parameters<ReturnType<NetworkBuilder["owner"]>["interfaces"]["push"]>[0] {
    const privates = list(field(one, "PrivateIpAddresses"));
    const publics = [
      ...privates.map((p) => field(p, "Association", "PublicIp")),
      field(one, "Association", "PublicIp"),
      field(one, "PublicIp"),
    ];
    const publicAddresses = addressList(publics.flatMap((p) => texts(p)));
    const groups = list(field(one, "Groups")).flatMap((g) => texts(field(g, "GroupId")));
    return {
      name,
      subnet: known(text(field(one, "SubnetId")) ?? ""),
      addresses: addressList([
        ...texts(field(one, "PrivateIpAddress")),
        ...privates.flatMap((p) => texts(field(p, "PrivateIpAddress"))),
        ...list(field(one, "Ipv6Addresses")).flatMap((p) => texts(field(p, "Ipv6Address"))),
      ]),
      prefixes: [
        ...list(field(one, "Ipv4Prefixes")).flatMap((p) => texts(field(p, "Ipv4Prefix"))),
        ...list(field(one, "Ipv6Prefixes")).flatMap((p) => texts(field(p, "Ipv6Prefix"))),
      ].flatMap((p) => prefixOf(p) ?? []),
      isPublic: publicAddresses.length > 0 ? "yes" : "no",
      publicAddresses,
      groups: isNat || groups.length === 0 ? "none" : known(groups),
      checksDestination: truth(field(one, "SourceDestCheck")) ?? true,
      primary: index === 0,
    };
  }

  /** Whose an interface is: by its attachment, else by type and description (aws-vpc.md IN-5). */
  private ownerOf(
    one: unknown,
    name: string,
    balancers: ReadonlyMap<string, string>,
  ): { readonly owner: string; readonly kind: OwnerKind } {
    const instance = text(field(one, "Attachment", "InstanceId"));
    if (instance?.startsWith("i-") === true) return { owner: instance, kind: "instance" };
    const description = text(field(one, "Description")) ?? "";
    const balancer = balancers.get(description);
    if (balancer !== undefined) return { owner: balancer, kind: "load-balancer" };
    const nat = /^Interface for NAT Gateway (nat-[0-9a-f]+)/.exec(description)?.[1];
    if (nat !== undefined) return { owner: nat, kind: "nat-gateway" };
    const endpoint = /^VPC Endpoint Interface (vpce-[0-9a-f]+)/.exec(description)?.[1];
    if (endpoint !== undefined) return { owner: endpoint, kind: "endpoint" };
    const cluster = /^Amazon EKS (\S+)/.exec(description)?.[1];
    if (cluster !== undefined) return { owner: cluster, kind: "cluster" };
    const cni = /^aws-K8S-(i-[0-9a-f]+)/.exec(description)?.[1];
    if (cni !== undefined) return { owner: cni, kind: "instance" };
    return { owner: name, kind: text(field(one, "InterfaceType")) === "nat_gateway" ? "nat-gateway" : "interface" };
  }

  /** Instances whose interfaces the input tells only here. */
  private instances(): void {
    for (const reservation of this.all("Reservations")) {
      for (const one of list(field(reservation, "Instances"))) {
        const name = text(field(one, "InstanceId"));
        const state = text(field(one, "State", "Name"));
        if (name === undefined || state === "terminated" || this.b.owners.has(name)) continue;
        this.b.place(name, one);
        const owner = this.b.owner(
          name,
          "instance",
          tagsOf(field(one, "Tags")),
          state === "stopped" ? "instance stopped" : undefined,
        );
        const inner = list(field(one, "NetworkInterfaces"));
        for (const [index, eni] of inner.entries()) {
          const id = text(field(eni, "NetworkInterfaceId")) ?? `${name}#eni-${index}`;
          owner.aliases.push(id);
          owner.interfaces.push(this.interfaceOf(eni, id, false, index));
        }
        if (inner.length > 0) continue;
        const groups = list(field(one, "SecurityGroups")).flatMap((g) => texts(field(g, "GroupId")));
        const publicAddresses = addressList(texts(field(one, "PublicIpAddress")));
        owner.interfaces.push({
          name: `${name}#eni`,
          subnet: known(text(field(one, "SubnetId")) ?? ""),
          addresses: addressList(texts(field(one, "PrivateIpAddress"))),
          isPublic: publicAddresses.length > 0 ? "yes" : "no",
          publicAddresses,
          groups: known(groups),
          checksDestination: truth(field(one, "SourceDestCheck")) ?? true,
        });
      }
    }
  }

  private nats(): void {
    for (const one of this.all("NatGateways")) {
      const name = text(field(one, "NatGatewayId"));
      if (name === undefined) continue;
      this.b.place(name, one);
      const state = text(field(one, "State")) ?? "available";
      if (state === "deleted") continue;
      const subnet = known(text(field(one, "SubnetId")) ?? "");
      const isPublic = text(field(one, "ConnectivityType")) !== "private";
      this.b.nats.set(name, { name, subnet, isPublic, isAvailable: state === "available" });
      const owner = this.b.owner(name, "nat-gateway", tagsOf(field(one, "Tags")));
      if (owner.interfaces.length > 0) continue;
      for (const address of list(field(one, "NatGatewayAddresses"))) {
        const id = text(field(address, "NetworkInterfaceId")) ?? `${name}#eni`;
        owner.aliases.push(id);
        owner.interfaces.push({
          name: id,
          subnet,
          addresses: addressList(texts(field(address, "PrivateIp"))),
          publicAddresses: addressList(texts(field(address, "PublicIp"))),
          isPublic: isPublic ? "yes" : "no",
          groups: "none",
        });
      }
    }
  }

  // ── load balancers ────────────────────────────────────────────────────────────────────────────────────────────────

  private balancers(): void {
    for (const one of this.all("LoadBalancers")) {
      const name = text(field(one, "LoadBalancerArn"));
      if (name === undefined) continue;
      this.b.place(name, one);
      const given = text(field(one, "Type"));
      const type: BalancerType = given === "network" || given === "gateway" ? given : "application";
      const zones = list(field(one, "AvailabilityZones"));
      const subnets = zones.flatMap((z) => texts(field(z, "SubnetId")));
      const isInternal = text(field(one, "Scheme")) === "internal";
      this.b.balancers.set(name, {
        name,
        type,
        internal: isInternal ? "yes" : "no",
        subnets,
        listeners: this.listenersOf(name),
        filtersPrivateLink: text(field(one, "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic")) !== "off",
      });
      const groups = texts(field(one, "SecurityGroups"));
      const owner = this.b.owner(name, "load-balancer");
      const short = text(field(one, "LoadBalancerName"));
      if (short !== undefined) owner.aliases.push(short);
      const seen = new Set(owner.interfaces.map((i) => (i.subnet.kind === "known" ? i.subnet.value : "")));
      for (const [index, zone] of zones.entries()) {
        const subnet = text(field(zone, "SubnetId"));
        if (subnet === undefined || seen.has(subnet)) continue;
        const addresses = list(field(zone, "LoadBalancerAddresses"));
        owner.interfaces.push({
          name: `${name}#eni-${index}`,
          subnet: known(subnet),
          addresses: addressList(addresses.flatMap((a) => texts(field(a, "PrivateIPv4Address")))),
          hasIpv6: text(field(one, "IpAddressType")) === "dualstack",
          isPublic: isInternal ? "no" : "yes",
          groups: groups.length > 0 ? known(groups) : "none",
        });
      }
    }
    for (const one of this.all("TargetGroups")) {
      const name = text(field(one, "TargetGroupArn"));
      if (name === undefined) continue;
      this.b.place(name, one);
      const health = this.health.filter((h) => h.key === name);
      const targets = health.flatMap(({ value }) =>
        list(value).flatMap((d): Target[] => {
          const id = text(field(d, "Target", "Id"));
          return id === undefined ? [] : [{ id, port: number(field(d, "Target", "Port")) }];
        }),
      );
      const attributes = this.attributes.filter((a) => a.key === name).flatMap((a) => list(a.value));
      const preserve = attributes.find((a) => field(a, "Key") === "preserve_client_ip.enabled");
      const type = text(field(one, "TargetType"));
      const group: TargetGroup & { readonly targets: Target[] } = {
        name,
        type: type === "ip" || type === "lambda" || type === "alb" ? type : "instance",
        port: number(field(one, "Port")),
        protocol: text(field(one, "Protocol"))?.toUpperCase() ?? "HTTP",
        targets,
        preservesClient: truth(field(preserve, "Value")),
        healthPort: number(field(one, "HealthCheckPort")),
        ...(health.length > 0
          ? {}
          : {
              moreTargets: {
                code: "unknown-value" as const,
                detail: `targets of ${name}: describe-target-health is missing`,
              },
            }),
      };
      this.b.targetGroups.set(name, group);
    }
  }

  private listenersOf(balancer: string): Listener[] {
    const out: Listener[] = [];
    for (const one of this.all("Listeners")) {
      if (field(one, "LoadBalancerArn") !== balancer) continue;
      const name = text(field(one, "ListenerArn")) ?? balancer;
      const port = number(field(one, "Port"));
      if (port === undefined) continue;
      const prefix = name.replace(":listener/", ":listener-rule/");
      const rules = this.all("Rules").filter((r) => text(field(r, "RuleArn"))?.startsWith(`${prefix}/`) === true);
      const listed = rules.flatMap((r): ListenerRule[] => {
        const priority = number(field(r, "Priority"));
        if (priority === undefined) return [];
        const conditions = list(field(r, "Conditions")).map(conditionOf);
        return [
          { name: text(field(r, "RuleArn")) ?? name, priority, conditions, action: actionOf(field(r, "Actions")) },
        ];
      });
      listed.sort((a, b) => a.priority - b.priority);
      out.push({
        name,
        port,
        protocol: text(field(one, "Protocol"))?.toUpperCase() ?? "TCP",
        rules: listed,
        otherwise: actionOf(field(one, "DefaultActions")),
      });
    }
    return out;
  }

  private classic(): void {
    for (const one of this.all("LoadBalancerDescriptions")) {
      const name = text(field(one, "LoadBalancerName"));
      if (name === undefined) continue;
      this.b.place(name, one);
      const subnets = texts(field(one, "Subnets"));
      const isInternal = text(field(one, "Scheme")) === "internal";
      const targets = list(field(one, "Instances")).flatMap((i) => texts(field(i, "InstanceId")));
      const listeners: Listener[] = [];
      for (const description of list(field(one, "ListenerDescriptions"))) {
        const listener = field(description, "Listener");
        const port = number(field(listener, "LoadBalancerPort"));
        if (port === undefined) continue;
        const group = `${name}#listener-${port}#instances`;
        listeners.push({
          name: `${name}#listener-${port}`,
          port,
          protocol: text(field(listener, "Protocol"))?.toUpperCase() ?? "TCP",
          rules: [],
          otherwise: { forwards: [group], answers: false },
        });
        this.b.targetGroups.set(group, {
          name: group,
          type: "instance",
          port: number(field(listener, "InstancePort")),
          protocol: text(field(listener, "InstanceProtocol"))?.toUpperCase() ?? "TCP",
          targets: targets.map((id) => ({ id, port: undefined })),
          preservesClient: false,
          healthPort: number(/:(\d+)/.exec(text(field(one, "HealthCheck", "Target")) ?? "")?.[1]),
        });
      }
      this.b.balancers.set(name, {
        name,
        type: "classic",
        internal: isInternal ? "yes" : "no",
        subnets,
        listeners,
        filtersPrivateLink: true,
      });
      const owner = this.b.owner(name, "load-balancer");
      if (owner.interfaces.length > 0) continue;
      const groups = known(texts(field(one, "SecurityGroups")));
      for (const [index, subnet] of subnets.entries()) {
        owner.interfaces.push({
          name: `${name}#eni-${index}`,
          subnet: known(subnet),
          isPublic: isInternal ? "no" : "yes",
          groups,
        });
      }
    }
  }

  // ── the rest ──────────────────────────────────────────────────────────────────────────────────────────────────────

  private endpoints(): void {
    for (const one of this.all("VpcEndpoints")) {
      const name = text(field(one, "VpcEndpointId"));
      if (name === undefined) continue;
      const type = text(field(one, "VpcEndpointType"));
      const kind = type === "Gateway" ? "gateway" : type === "GatewayLoadBalancer" ? "appliance" : "interface";
      this.b.endpoints.set(name, { name, kind, service: text(field(one, "ServiceName")) ?? "" });
      if (kind !== "interface") continue;
      const owner = this.b.owner(name, "endpoint", tagsOf(field(one, "Tags")));
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

  private peerings(): void {
    for (const one of this.all("VpcPeeringConnections")) {
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
      this.b.peerings.set(name, {
        name,
        isActive: text(field(one, "Status", "Code")) === "active" ? "yes" : "no",
        requester: side("RequesterVpcInfo"),
        accepter: side("AccepterVpcInfo"),
      });
    }
  }

  private transits(): void {
    for (const one of this.all("TransitGateways")) {
      const name = text(field(one, "TransitGatewayId"));
      if (name === undefined) continue;
      const attachments = this.all("TransitGatewayVpcAttachments")
        .filter(
          (a) => field(a, "TransitGatewayId") === name && (text(field(a, "State")) ?? "available") === "available",
        )
        .map((a) => ({
          name: text(field(a, "TransitGatewayAttachmentId")) ?? "",
          vpc: text(field(a, "VpcId")) ?? "",
          subnets: texts(field(a, "SubnetIds")),
          referencesGroups: text(field(a, "Options", "SecurityGroupReferencingSupport")) !== "disable",
        }));
      const tables = this.all("TransitGatewayRouteTables")
        .filter((t) => field(t, "TransitGatewayId") === name)
        .flatMap((t): TransitTable[] => {
          const id = text(field(t, "TransitGatewayRouteTableId"));
          const found = this.transitRoutes.filter((r) => r.key === id);
          if (id === undefined || found.length === 0) return [];
          const associated = this.transitAssociations
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
      this.b.transits.set(name, { name, attachments, tables, referencesGroups });
    }
  }

  private cluster(cluster: unknown): void {
    const name = text(field(cluster, "name"));
    const config = field(cluster, "resourcesVpcConfig");
    if (name === undefined || this.b.owners.has(name)) return;
    const owner = this.b.owner(name, "cluster");
    const groups = known([
      ...texts(field(config, "clusterSecurityGroupId")),
      ...texts(field(config, "securityGroupIds")),
    ]);
    for (const [index, subnet] of texts(field(config, "subnetIds")).entries()) {
      owner.interfaces.push({ name: `${name}#eni-${index}`, subnet: known(subnet), isPublic: "no", groups });
    }
  }
}

function stateOf(value: unknown, key: string): string | undefined {
  return text(field(value, key, "State"));
}

function blockMode(states: unknown): BlockMode | undefined {
  const mode = text(field(states, "InternetGatewayBlockMode"));
  return mode === "off" || mode === "block-bidirectional" || mode === "block-ingress" ? mode : undefined;
}

function tagsOf(tags: unknown): ReadonlyMap<string, string> {
  return new Map(
    list(tags).flatMap((tag) => {
      const key = text(field(tag, "Key"));
      return key === undefined ? [] : [[key, text(field(tag, "Value")) ?? ""] as const];
    }),
  );
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

/** A condition of a listener's rule, in the names that AWS answers and templates share. */
export function conditionOf(condition: unknown): ListenerCondition {
  const name = text(field(condition, "Field")) ?? "";
  const configs = [
    "HostHeaderConfig",
    "PathPatternConfig",
    "HttpRequestMethodConfig",
    "HttpHeaderConfig",
    "SourceIpConfig",
  ];
  const config = configs.map((key) => field(condition, key)).find((one) => one !== undefined);
  const values = texts(field(condition, "Values"));
  const query = list(field(condition, "QueryStringConfig", "Values")).map(
    (v) => `${text(field(v, "Key")) ?? ""}=${text(field(v, "Value")) ?? ""}`,
  );
  const header = text(field(condition, "HttpHeaderConfig", "HttpHeaderName"));
  return {
    field: name,
    values: values.length > 0 ? values : [...texts(field(config, "Values")), ...query],
    ...(header === undefined ? {} : { header }),
  };
}

export function actionOf(actions: unknown): ListenerAction {
  const forwards: string[] = [];
  let answers = false;
  for (const action of listOf(actions)) {
    const type = text(field(action, "Type"));
    if (type === "redirect" || type === "fixed-response") answers = true;
    if (type !== "forward") continue;
    const groups = list(field(action, "ForwardConfig", "TargetGroups"));
    for (const group of groups) {
      if (number(field(group, "Weight")) === 0) continue;
      forwards.push(...texts(field(group, "TargetGroupArn")));
    }
    if (groups.length === 0) forwards.push(...texts(field(action, "TargetGroupArn")));
  }
  return { forwards, answers };
}
