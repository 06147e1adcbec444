/** Random VPCs as answers of `describe-*`, and flows that their rules have something to say about. */
import fc from "fast-check";
import type { VpcFlow } from "../../reference/vpc/index.ts";

export interface Scene {
  readonly input: Readonly<Record<string, unknown>>;
  readonly flows: readonly VpcFlow[];
  /** Whether something in it makes answers unsure on purpose. */
  readonly planted: boolean;
}

const PORTS = [22, 80, 443, 1023, 1024, 8080, 32767, 32768, 60999, 65535] as const;

const seeds = fc.noShrink(fc.integer({ min: 0, max: 0x7fffffff }));

/** A number is a scene: what it holds is drawn from a generator that the number starts. */
export const scenes: fc.Arbitrary<Scene> = seeds.map((seed) => sceneOf(seed));

/** Scenes whose flows go where rules lead, and in which nothing is unknown but what is planted. */
export const aimedScenes: fc.Arbitrary<Scene> = seeds.map((seed) => sceneOf(seed, true));

/** mulberry32: small, even, the same everywhere. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

interface SubnetPlan {
  readonly id: string;
  readonly vpc: string;
  readonly cidr: string;
  readonly cidr6: string | undefined;
  readonly zone: string;
}

/** `aimed`: flows follow the rules, networks are mostly sound, and little is unknown. */
export function sceneOf(seed: number, aimed = false): Scene {
  const random = randomOf(seed);
  const count = (least: number, most: number): number => least + Math.floor(random() * (most - least + 1));
  const chance = (percent: number): boolean => random() * 100 < percent;
  function pick<T>(list: readonly [T, ...T[]] | readonly T[]): T {
    const found = list[Math.floor(random() * list.length)];
    if (found === undefined) throw new Error("nothing to pick from");
    return found;
  }

  const often = (plain: number, whenAimed: number): boolean => chance(aimed ? whenAimed : plain);
  const planted = aimed ? chance(5) : true;

  const six = chance(35);
  const vpcs = chance(30) ? ["vpc-a", "vpc-b"] : ["vpc-a"];
  const overlap = often(8, 1);
  const subnets: SubnetPlan[] = vpcs.flatMap((vpc, v) =>
    Array.from({ length: count(vpcs.length === 1 ? 2 : 1, 3) }, (_, s) => ({
      id: `subnet-${vpc.at(-1)}${s}`,
      vpc,
      cidr: `10.${overlap ? 0 : v}.${s + (overlap ? 10 * v : 0)}.0/24`,
      cidr6: six ? `2600:1f18:0:${v}${s}00::/64` : undefined,
      zone: s === 1 ? "zb" : "za",
    })),
  );
  const cidrs4 = [
    "0.0.0.0/0",
    "0.0.0.0/0",
    "10.0.0.0/8",
    "203.0.113.0/24",
    "198.51.100.7/32",
    ...subnets.map((s) => s.cidr),
    "10.0.0.16/28",
  ];
  const cidrs6 = ["::/0", "2600:1f18::/32", "2001:db8::/32", ...subnets.flatMap((s) => s.cidr6 ?? [])];
  const lists = ["pl-1", "pl-2"];
  const groups = vpcs.flatMap((vpc) =>
    Array.from({ length: count(1, 3) }, (_, i) => ({ id: `sg-${vpc.at(-1)}${i}`, vpc })),
  );

  const peers = (): Record<string, unknown> => {
    const kind = count(0, 9);
    if (kind <= 4) return { IpRanges: [{ CidrIp: pick(cidrs4) }] };
    if (kind === 5 && six) return { Ipv6Ranges: [{ CidrIpv6: pick(cidrs6) }] };
    if (kind === 6) return { PrefixListIds: [{ PrefixListId: pick(lists) }] };
    return {
      UserIdGroupPairs: [
        { GroupId: often(5, 0) ? "sg-gone" : pick(groups).id, ...(often(8, 2) ? { PeeringStatus: "deleted" } : {}) },
      ],
    };
  };
  const ports = (): { readonly From: number; readonly To: number } => {
    const [a, b] = [pick(PORTS), pick(PORTS)];
    return chance(40) ? { From: a, To: a } : { From: Math.min(a, b), To: Math.max(a, b) };
  };
  const permission = (): Record<string, unknown> => {
    const protocol = pick(["tcp", "tcp", "tcp", "udp", "-1", "icmp", "icmpv6", "6", "17"]);
    const range = ports();
    if (protocol === "-1") return { IpProtocol: protocol, ...peers() };
    if (protocol.startsWith("icmp"))
      return { IpProtocol: protocol, FromPort: pick([-1, 8, 128, 3]), ToPort: -1, ...peers() };
    return { IpProtocol: protocol, FromPort: range.From, ToPort: range.To, ...peers() };
  };
  const securityGroups = groups.map(({ id, vpc }) => ({
    GroupId: id,
    GroupName: id,
    VpcId: vpc,
    IpPermissions: [
      ...Array.from({ length: aimed ? count(1, 4) : count(0, 3) }, permission),
      ...(often(35, 12)
        ? [{ IpProtocol: "-1", IpRanges: [{ CidrIp: "0.0.0.0/0" }], Ipv6Ranges: [{ CidrIpv6: "::/0" }] }]
        : []),
    ],
    IpPermissionsEgress: often(50, 65)
      ? [{ IpProtocol: "-1", IpRanges: [{ CidrIp: "0.0.0.0/0" }], Ipv6Ranges: [{ CidrIpv6: "::/0" }] }]
      : Array.from({ length: aimed ? count(0, 4) : count(0, 2) }, permission),
  }));

  const entry = (Egress: boolean, i: number): Record<string, unknown> => {
    const Protocol = pick(["6", "6", "6", "-1", "-1", "17", "1", "58"]);
    const address = six && chance(40) ? { Ipv6CidrBlock: pick(cidrs6) } : { CidrBlock: pick(cidrs4) };
    return {
      RuleNumber: (i + 1) * 10,
      Egress,
      Protocol,
      RuleAction: often(70, 62) ? "allow" : "deny",
      ...address,
      ...(Protocol === "6" || Protocol === "17" ? { PortRange: ports() } : {}),
      ...(Protocol === "1" || Protocol === "58"
        ? { IcmpTypeCode: { Type: pick([-1, 0, 8, 128, 129]), Code: -1 } }
        : {}),
    };
  };
  const acls = vpcs.flatMap((VpcId) => {
    const own = subnets.filter((s) => s.vpc === VpcId);
    const custom = chance(65) ? own.filter(() => chance(70)) : [];
    const wide = (Egress: boolean): Record<string, unknown>[] => [
      { RuleNumber: 500, Egress, Protocol: "-1", RuleAction: "allow", CidrBlock: "0.0.0.0/0" },
      { RuleNumber: 501, Egress, Protocol: "-1", RuleAction: "allow", Ipv6CidrBlock: "::/0" },
    ];
    return [
      {
        NetworkAclId: `acl-default-${VpcId.at(-1)}`,
        VpcId,
        IsDefault: true,
        Associations: [],
        Entries: [...wide(true), ...wide(false)],
      },
      ...custom.map((s) => ({
        NetworkAclId: `acl-${s.id}`,
        VpcId,
        IsDefault: false,
        Associations: [{ SubnetId: s.id }],
        Entries: [true, false].flatMap((egress) => [
          ...Array.from({ length: count(0, 4) }, (_, i) => entry(egress, i)),
          ...(often(60, 85) ? wide(egress) : []),
        ]),
      })),
    ];
  });

  const machines = subnets.flatMap((subnet) =>
    Array.from({ length: count(1, 2) }, (_, i) => {
      const id = `${subnet.id.slice(7)}${i}`;
      const own = groups.filter((x) => x.vpc === subnet.vpc);
      const chosen = [...new Set(Array.from({ length: count(1, 2) }, () => pick(own).id))];
      const base = subnet.cidr.replace(/0\/24$/, "");
      return {
        NetworkInterfaceId: `eni-${id}`,
        SubnetId: subnet.id,
        VpcId: subnet.vpc,
        InterfaceType: "interface",
        Description: "",
        Groups: chosen.map((GroupId) => ({ GroupId })),
        PrivateIpAddress: `${base}${10 + i * 10}`,
        PrivateIpAddresses: [
          {
            Primary: true,
            PrivateIpAddress: `${base}${10 + i * 10}`,
            ...(chance(50) ? { Association: { PublicIp: `198.51.100.${20 + i}` } } : {}),
          },
        ],
        Ipv6Addresses:
          subnet.cidr6 !== undefined && chance(70)
            ? [{ Ipv6Address: subnet.cidr6.replace("::/64", `::${i + 10}`) }]
            : [],
        SourceDestCheck: chance(60),
        Attachment: { InstanceId: `i-${id}`, DeviceIndex: 0 },
      };
    }),
  );

  const nats = subnets
    .filter(() => chance(35))
    .map((s) => ({
      NatGatewayId: `nat-${s.id.slice(7)}`,
      SubnetId: s.id,
      VpcId: s.vpc,
      State: chance(90) ? "available" : "pending",
      ConnectivityType: chance(90) ? "public" : "private",
      NatGatewayAddresses: [
        {
          NetworkInterfaceId: `eni-nat-${s.id.slice(7)}`,
          PrivateIp: s.cidr.replace("0/24", "5"),
          PublicIp: "198.51.100.99",
        },
      ],
    }));
  const target = (vpc: string): Record<string, unknown> => {
    const own = nats.filter((n) => n.VpcId === vpc);
    const kind = count(0, 9);
    if (aimed && (kind >= 7 || (kind >= 5 && own.length === 0))) return { GatewayId: `igw-${vpc.at(-1)}` };
    if (kind <= 4) return { GatewayId: `igw-${vpc.at(-1)}` };
    if (kind <= 6 && own.length > 0) return { NatGatewayId: pick(own).NatGatewayId };
    if (kind === 7) return { NetworkInterfaceId: pick(machines.filter((m) => m.VpcId === vpc)).NetworkInterfaceId };
    if (kind === 8) return { GatewayId: "vgw-1" };
    return { GatewayId: "vpce-1" };
  };
  const other: Readonly<Record<string, string>> = { "vpc-a": "10.1.0.0/16", "vpc-b": "10.0.0.0/16" };
  const tables = subnets.map((s) => {
    const routes: Record<string, unknown>[] = [
      {
        DestinationCidrBlock: s.cidr.replace(/\.\d+\.0\/24$/, ".0.0/16"),
        GatewayId: "local",
        State: "active",
        Origin: "CreateRouteTable",
      },
    ];
    if (s.cidr6 !== undefined)
      routes.push({
        DestinationIpv6CidrBlock: s.cidr6.replace(/:\d+::\/64$/, "::/48"),
        GatewayId: "local",
        State: "active",
        Origin: "CreateRouteTable",
      });
    const add = (destination: Record<string, unknown>, to: Record<string, unknown>): void => {
      routes.push({
        ...destination,
        ...to,
        State: often(93, 97) ? "active" : pick(["blackhole", "filtered"]),
        Origin: chance(90) ? "CreateRoute" : "EnableVgwRoutePropagation",
      });
    };
    if (chance(80)) add({ DestinationCidrBlock: "0.0.0.0/0" }, target(s.vpc));
    if (s.cidr6 !== undefined && chance(70))
      add(
        { DestinationIpv6CidrBlock: "::/0" },
        chance(50) ? { GatewayId: `igw-${s.vpc.at(-1)}` } : { EgressOnlyInternetGatewayId: `eigw-${s.vpc.at(-1)}` },
      );
    if (chance(15)) add({ DestinationCidrBlock: "203.0.113.0/24" }, target(s.vpc));
    if (chance(10)) add({ DestinationPrefixListId: pick(lists) }, target(s.vpc));
    if (vpcs.length === 2 && chance(75))
      add(
        { DestinationCidrBlock: other[s.vpc] },
        chance(75) ? { VpcPeeringConnectionId: "pcx-1" } : { TransitGatewayId: "tgw-1" },
      );
    const neighbours = subnets.filter((n) => n.vpc === s.vpc && n.id !== s.id);
    const [neighbour] = neighbours;
    if (neighbour !== undefined && often(10, 3)) {
      add(
        { DestinationCidrBlock: neighbour.cidr },
        { NetworkInterfaceId: pick(machines.filter((m) => m.VpcId === s.vpc)).NetworkInterfaceId },
      );
    }
    return {
      RouteTableId: `rtb-${s.id.slice(7)}`,
      VpcId: s.vpc,
      Associations: [{ Main: false, SubnetId: s.id, AssociationState: { State: "associated" } }],
      Routes: routes,
    };
  });

  const balancers = chance(60)
    ? [0].map((i) => {
        const vpc = pick(vpcs);
        const own = subnets.filter((s) => s.vpc === vpc);
        const zones = own.slice(0, count(1, own.length));
        const Type = pick(["application", "network", "network"]);
        const withGroups = Type === "application" || chance(50);
        const chosen = withGroups ? [pick(groups.filter((x) => x.vpc === vpc)).id] : [];
        const short = `${Type === "network" ? "net" : "app"}/lb-${i}/0${i}`;
        return {
          vpc,
          zones,
          Type,
          chosen,
          short,
          arn: `arn:aws:elasticloadbalancing:x:1:loadbalancer/${short}`,
          Scheme: chance(70) ? "internet-facing" : "internal",
        };
      })
    : [];
  const faces = balancers.flatMap((b) =>
    b.zones.map((s, i) => ({
      NetworkInterfaceId: `eni-lb-${s.id.slice(7)}`,
      SubnetId: s.id,
      VpcId: b.vpc,
      InterfaceType: b.Type === "network" ? "network_load_balancer" : "interface",
      Description: `ELB ${b.short}`,
      Groups: b.chosen.map((GroupId) => ({ GroupId })),
      PrivateIpAddress: s.cidr.replace("0/24", `${40 + i}`),
      PrivateIpAddresses: [
        {
          Primary: true,
          PrivateIpAddress: s.cidr.replace("0/24", `${40 + i}`),
          ...(b.Scheme === "internal" ? {} : { Association: { PublicIp: `198.51.100.${60 + i}` } }),
        },
      ],
      Ipv6Addresses: [],
      SourceDestCheck: true,
    })),
  );
  const wanted = balancers.map((b) => {
    const own = machines.filter((m) => m.VpcId === b.vpc);
    const instance = chance(60);
    const chosen = own.filter(() => chance(60));
    return {
      group: `arn:aws:elasticloadbalancing:x:1:targetgroup/tg/${b.short}`,
      instance,
      ids: chosen.map((m) => (instance ? m.Attachment.InstanceId : m.PrivateIpAddress)),
      port: pick([80, 8080]),
      health: chance(80) ? "traffic-port" : String(pick([22, 80])),
      preserve: chance(40) ? pick(["true", "false"]) : undefined,
    };
  });

  const input = {
    "describe-vpcs": {
      Vpcs: vpcs.map((VpcId, v) => ({
        VpcId,
        CidrBlock: `10.${overlap ? 0 : v}.0.0/16`,
        CidrBlockAssociationSet: [
          { CidrBlock: `10.${overlap ? 0 : v}.0.0/16`, CidrBlockState: { State: "associated" } },
        ],
        Ipv6CidrBlockAssociationSet: six
          ? [{ Ipv6CidrBlock: "2600:1f18:0::/48", Ipv6CidrBlockState: { State: "associated" } }]
          : [],
        BlockPublicAccessStates: {
          InternetGatewayBlockMode: often(90, 97) ? "off" : pick(["block-bidirectional", "block-ingress"]),
        },
      })),
    },
    "describe-subnets": {
      Subnets: subnets.map((s) => ({
        SubnetId: s.id,
        VpcId: s.vpc,
        CidrBlock: s.cidr,
        AvailabilityZone: s.zone,
        Ipv6CidrBlockAssociationSet:
          s.cidr6 === undefined ? [] : [{ Ipv6CidrBlock: s.cidr6, Ipv6CidrBlockState: { State: "associated" } }],
      })),
    },
    "describe-security-groups": { SecurityGroups: securityGroups },
    "describe-network-acls": { NetworkAcls: acls },
    "describe-route-tables": { RouteTables: tables },
    "describe-internet-gateways": {
      InternetGateways: vpcs
        .filter(() => often(92, 98))
        .map((VpcId) => ({
          InternetGatewayId: `igw-${VpcId.at(-1)}`,
          Attachments: often(93, 99) ? [{ VpcId, State: "available" }] : [],
        })),
    },
    "describe-egress-only-internet-gateways": {
      EgressOnlyInternetGateways: vpcs.map((VpcId) => ({
        EgressOnlyInternetGatewayId: `eigw-${VpcId.at(-1)}`,
        Attachments: [{ VpcId, State: "attached" }],
      })),
    },
    "describe-nat-gateways": { NatGateways: nats },
    "describe-network-interfaces": { NetworkInterfaces: [...machines, ...faces] },
    "describe-vpc-endpoints": {
      VpcEndpoints: [
        { VpcEndpointId: "vpce-1", VpcEndpointType: chance(50) ? "Gateway" : "GatewayLoadBalancer", ServiceName: "s" },
      ],
    },
    "describe-vpc-peering-connections": {
      VpcPeeringConnections:
        vpcs.length < 2
          ? []
          : [
              {
                VpcPeeringConnectionId: "pcx-1",
                Status: { Code: chance(88) ? "active" : "deleted" },
                RequesterVpcInfo: { VpcId: "vpc-a", Region: "r1" },
                AccepterVpcInfo: { VpcId: "vpc-b", Region: chance(85) ? "r1" : "r2" },
              },
            ],
    },
    "describe-transit-gateways": {
      TransitGateways: [
        { TransitGatewayId: "tgw-1", Options: { SecurityGroupReferencingSupport: chance(50) ? "enable" : "disable" } },
      ],
    },
    "describe-transit-gateway-vpc-attachments": {
      TransitGatewayVpcAttachments: vpcs.map((VpcId) => ({
        TransitGatewayAttachmentId: `tgw-attach-${VpcId.at(-1)}`,
        TransitGatewayId: "tgw-1",
        VpcId,
        State: "available",
        SubnetIds: subnets
          .filter((s) => s.vpc === VpcId)
          .slice(0, 1)
          .map((s) => s.id),
        Options: { SecurityGroupReferencingSupport: chance(70) ? "enable" : "disable" },
      })),
    },
    "describe-transit-gateway-route-tables": {
      TransitGatewayRouteTables: often(80, 100)
        ? [{ TransitGatewayRouteTableId: "tgw-rtb-1", TransitGatewayId: "tgw-1" }]
        : [],
    },
    "search-transit-gateway-routes": [
      {
        TransitGatewayRouteTableId: "tgw-rtb-1",
        Routes: vpcs.map((vpc, v) => ({
          DestinationCidrBlock: `10.${v}.0.0/16`,
          State: chance(90) ? "active" : "blackhole",
          Type: "propagated",
          TransitGatewayAttachments: [{ TransitGatewayAttachmentId: `tgw-attach-${vpc.at(-1)}` }],
        })),
      },
    ],
    "get-transit-gateway-route-table-associations": [
      {
        TransitGatewayRouteTableId: "tgw-rtb-1",
        Associations: vpcs
          .filter(() => chance(92))
          .map((vpc) => ({ TransitGatewayAttachmentId: `tgw-attach-${vpc.at(-1)}` })),
      },
    ],
    "describe-managed-prefix-lists": { PrefixLists: lists.map((PrefixListId) => ({ PrefixListId })) },
    "get-managed-prefix-list-entries": [
      { PrefixListId: "pl-1", Entries: [{ Cidr: pick(cidrs4) }, { Cidr: "203.0.113.64/26" }] },
      ...((aimed ? !planted : chance(50)) ? [{ PrefixListId: "pl-2", Entries: [{ Cidr: "10.0.0.0/23" }] }] : []),
    ],
    "elbv2 describe-load-balancers": {
      LoadBalancers: balancers.map((b) => ({
        LoadBalancerArn: b.arn,
        LoadBalancerName: "lb",
        Type: b.Type,
        Scheme: b.Scheme,
        VpcId: b.vpc,
        AvailabilityZones: b.zones.map((s) => ({ SubnetId: s.id })),
        SecurityGroups: b.chosen,
      })),
    },
    "elbv2 describe-listeners": {
      Listeners: balancers.flatMap((b, i) => [
        {
          ListenerArn: `${b.arn.replace(":loadbalancer/", ":listener/")}/1`,
          LoadBalancerArn: b.arn,
          Port: 443,
          Protocol: b.Type === "network" ? pick(["TCP", "TLS", "TCP_UDP"]) : "HTTPS",
          DefaultActions: [{ Type: "forward", TargetGroupArn: wanted[i]?.group }],
        },
        {
          ListenerArn: `${b.arn.replace(":loadbalancer/", ":listener/")}/2`,
          LoadBalancerArn: b.arn,
          Port: 80,
          Protocol: b.Type === "network" ? "TCP" : "HTTP",
          DefaultActions: [{ Type: "redirect" }],
        },
      ]),
    },
    "elbv2 describe-target-groups": {
      TargetGroups: wanted.map((w, i) => ({
        TargetGroupArn: w.group,
        TargetType: w.instance ? "instance" : "ip",
        Port: w.port,
        Protocol: balancers[i]?.Type === "network" ? pick(["TCP", "TCP", "TCP_UDP"]) : "HTTP",
        HealthCheckPort: w.health,
      })),
    },
    "elbv2 describe-target-health": wanted.map((w) => ({
      TargetGroupArn: w.group,
      Response: { TargetHealthDescriptions: w.ids.map((Id) => ({ Target: { Id, Port: w.port } })) },
    })),
    "elbv2 describe-target-group-attributes": wanted.flatMap((w) =>
      w.preserve === undefined
        ? []
        : [
            {
              TargetGroupArn: w.group,
              Response: { Attributes: [{ Key: "preserve_client_ip.enabled", Value: w.preserve }] },
            },
          ],
    ),
  };

  const instances = machines.map((m) => m.Attachment.InstanceId);
  /** Whom a peer of a rule means, seen from a machine. */
  const meant = (peer: Readonly<Record<string, unknown>>, own: string): readonly string[] => {
    const text = JSON.stringify(peer);
    const sg = /sg-[a-z0-9]+/.exec(text)?.[0];
    const others = machines.filter((m) => m.Attachment.InstanceId !== own);
    if (sg !== undefined)
      return others.filter((m) => m.Groups.some((g) => g.GroupId === sg)).map((m) => m.Attachment.InstanceId);
    if (/pl-1/.test(text)) return ["ip:203.0.113.70"];
    if (/pl-2/.test(text))
      return others.filter((m) => /^10\.0\.[01]\./.test(m.PrivateIpAddress)).map((m) => m.Attachment.InstanceId);
    const cidr = /"([0-9.]+)\/(\d+)"/.exec(text);
    if (cidr === null) return ["internet", ...others.map((m) => m.Attachment.InstanceId)];
    const [, base = "", length] = cidr;
    if (length === "0") return ["internet", ...others.map((m) => m.Attachment.InstanceId)];
    const head = base
      .split(".")
      .slice(0, Math.floor(Number(length) / 8))
      .join(".");
    const inside = others.filter((m) => m.PrivateIpAddress.startsWith(`${head}.`)).map((m) => m.Attachment.InstanceId);
    return inside.length > 0 ? inside : [`ip:${base.replace(/\.0$/, ".9")}`];
  };
  /** Flows that rules of groups mean, among others that nobody means. */
  const aimedFlows = (others: readonly VpcFlow[]): readonly VpcFlow[] =>
    others.map((other) => {
      if (other.via !== undefined || other.flow !== undefined || chance(15)) return other;
      const machine = pick(machines);
      const own = machine.Attachment.InstanceId;
      const group = securityGroups.find((g) => g.GroupId === pick(machine.Groups).GroupId);
      const isIngress = chance(65);
      const list = (isIngress ? group?.IpPermissions : group?.IpPermissionsEgress) ?? [];
      if (list.length === 0) return other;
      const rule: Readonly<Record<string, unknown>> = pick(list);
      const ends = meant(rule, own);
      if (ends.length === 0) return other;
      const end = pick(ends);
      const named = String(rule["IpProtocol"]);
      const protocol = named === "-1" ? pick(["tcp", "udp"]) : named === "6" ? "tcp" : named === "17" ? "udp" : named;
      const [first, last] = [Number(rule["FromPort"] ?? 443), Number(rule["ToPort"] ?? 443)];
      const port =
        protocol === "icmp" ? 8 : protocol === "icmpv6" ? 128 : pick([first, last, Math.floor((first + last) / 2)]);
      return isIngress ? { from: end, to: own, protocol, port } : { from: own, to: end, protocol, port };
    });
  const ends = [
    ...instances,
    ...instances,
    ...balancers.map((b) => b.arn),
    "internet",
    "internet",
    "ip:203.0.113.9",
    ...(aimed ? [] : ["ip:10.0.0.77", "ip:10.1.0.77", "ip:10.9.0.1"]),
    "ip:169.254.169.253",
    ...nats.map((n) => n.NatGatewayId),
  ];
  const flows = Array.from({ length: 14 }, (): VpcFlow => {
    const protocol = pick(["tcp", "tcp", "tcp", "tcp", "udp", "icmp", "icmpv6"]);
    const port = protocol === "icmp" ? pick([8, 3]) : protocol === "icmpv6" ? 128 : pick(PORTS);
    const from = pick(ends);
    const to = pick(ends);
    const [balancer] = balancers;
    if (balancer !== undefined && chance(30)) {
      const targets = machines.filter((m) =>
        (wanted[0]?.ids ?? []).some((id) => id === m.Attachment.InstanceId || id === m.PrivateIpAddress),
      );
      const aimed = chance(75) ? targets.map((m) => m.Attachment.InstanceId) : [];
      return {
        from: pick(["internet", "ip:203.0.113.9", ...instances]),
        to: pick(aimed.length > 0 ? aimed : instances),
        protocol: "tcp",
        port: pick([443, 443, 443, 80, 22]),
        via: balancer.arn,
      };
    }
    if (chance(8))
      return {
        from: pick(instances),
        to,
        protocol: "tcp",
        flow: "reply",
        clientPorts: { first: 1024, last: pick([2000, 65535]) },
      };
    return { from, to, protocol, port };
  });
  return { input, flows: aimed ? aimedFlows(flows) : flows, planted };
}
