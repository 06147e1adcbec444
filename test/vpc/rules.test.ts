/** Each numbered rule of the semantics of a VPC: two flows that it tells apart, asked of engine and reference. */
import { describe, expect, test } from "vitest";
import { readDescribe } from "../../src/vpc/read/describe.ts";
import {
  acl,
  ALL,
  ask,
  entry,
  flow,
  from,
  fromGroup,
  group,
  machine,
  OPEN,
  route,
  six,
  subnet,
  table,
  tcp,
  vpc,
} from "./world.ts";

describe("security groups", () => {
  test("[SG-1] the union of all groups' rules, and nothing else", () => {
    const input = vpc({
      SecurityGroups: [
        group("sg-1", [ALL]),
        group("sg-2", [tcp(80, from("0.0.0.0/0"))]),
        group("sg-3", [tcp(443, from("0.0.0.0/0"))]),
      ],
      NetworkInterfaces: [
        machine("1", "subnet-a", "10.0.0.10", ["sg-1"]),
        machine("2", "subnet-b", "10.0.1.10", ["sg-2", "sg-3"]),
      ],
    });
    ask(input, "i-1 → i-2 tcp/80", "allow");
    ask(input, "i-1 → i-2 tcp/443", "allow");
    expect(ask(input, "i-1 → i-2 tcp/22", "deny").decidedBy).toEqual(["sg-2#ingress:none"]);
  });
  test("[SG-2] stateful: a reply passes whatever the other direction says", () => {
    const input = vpc({
      SecurityGroups: [group("sg-1", [], [ALL]), group("sg-2", [tcp(443, from("10.0.0.0/16"))], [])],
    });
    ask(input, "i-1 → i-2 tcp/443", "allow");
    ask(input, "i-2 → i-1 tcp/443", "deny");
  });
  test("[SG-3] protocol, destination port, ICMP type; names and numbers are equal", () => {
    const input = vpc({
      SecurityGroups: [
        group("sg-1", [ALL]),
        group("sg-2", [
          { IpProtocol: "17", FromPort: 53, ToPort: 53, ...from("0.0.0.0/0") },
          { IpProtocol: "icmp", FromPort: 8, ToPort: -1, ...from("0.0.0.0/0") },
        ]),
      ],
    });
    ask(input, "i-1 → i-2 udp/53", "allow");
    ask(input, "i-1 → i-2 tcp/53", "deny");
    ask(input, "i-1 → i-2 icmp/8", "allow");
    ask(input, "i-1 → i-2 icmp/13", "deny");
  });
  test("[SG-4] a CIDR is compared with the address that the interface sees; families apart", () => {
    const input = vpc({
      SecurityGroups: [
        group("sg-1", [tcp(443, from("198.51.100.0/24"))]),
        group("sg-2", [tcp(443, from("::/0")), tcp(80, from("10.0.0.10/32"))]),
      ],
    });
    ask(input, "ip:198.51.100.9 → i-1 tcp/443", "allow");
    ask(input, "i-2 → i-1 tcp/443", "deny");
    ask(input, "i-1 → i-2 tcp/443", "deny");
    ask(input, "i-1 → i-2 tcp/80", "allow");
  });
  test("[SG-5] a group as peer means its members' private addresses", () => {
    const input = vpc({ SecurityGroups: [group("sg-1", [ALL]), group("sg-2", [tcp(443, fromGroup("sg-1"))])] });
    ask(input, "i-1 → i-2 tcp/443", "allow");
    ask(input, "ip:10.0.0.77 → i-2 tcp/443", "deny");
  });
  test("[SG-6] a group admits itself only where a rule says so", () => {
    const both = [machine("1", "subnet-a", "10.0.0.10", ["sg-1"]), machine("2", "subnet-b", "10.0.1.10", ["sg-1"])];
    ask(
      vpc({ NetworkInterfaces: both, SecurityGroups: [group("sg-1", [{ IpProtocol: "-1", ...fromGroup("sg-1") }])] }),
      "i-1 → i-2 tcp/443",
      "allow",
    );
    ask(vpc({ NetworkInterfaces: both, SecurityGroups: [group("sg-1", [])] }), "i-1 → i-2 tcp/443", "deny");
  });
  test("[SG-7] a group over an active peering; a stale rule matches nothing", () => {
    ask(peered({ group: fromGroup("sg-1") }), "i-1 → i-9 tcp/443", "allow");
    const stale = peered({ group: fromGroup("sg-1", { PeeringStatus: "deleted" }) });
    ask(stale, "i-1 → i-9 tcp/443", "deny");
    expect(readDescribe([stale], "d").diagnostics.map((d) => d.code)).toContain("BH408");
    ask(peered({ group: fromGroup("sg-1"), region: "r2" }), "i-1 → i-9 tcp/443", "deny");
  });
  test("[SG-8] a prefix list is its entries; without them nobody knows", () => {
    const rules = [group("sg-1", [ALL]), group("sg-2", [tcp(443, { PrefixListIds: [{ PrefixListId: "pl-1" }] })])];
    const told = {
      ...vpc({ SecurityGroups: rules }),
      get: [],
      "get-managed-prefix-list-entries": [{ PrefixListId: "pl-1", Entries: [{ Cidr: "10.0.0.0/28" }] }],
    };
    ask(told, "i-1 → i-2 tcp/443", "allow");
    ask(told, "ip:10.0.0.77 → i-2 tcp/443", "deny");
    ask(vpc({ SecurityGroups: rules }), "i-1 → i-2 tcp/443", "unsure");
  });
  test("[SG-9] the default group as created: in from itself, out to everywhere", () => {
    const rules = [group("sg-1", [{ IpProtocol: "-1", ...fromGroup("sg-1") }]), group("sg-2", [])];
    const input = vpc({
      SecurityGroups: rules,
      NetworkInterfaces: [
        machine("1", "subnet-a", "10.0.0.10", ["sg-1"]),
        machine("2", "subnet-b", "10.0.1.10", ["sg-1"]),
        machine("3", "subnet-b", "10.0.1.11", ["sg-2"]),
      ],
    });
    ask(input, "i-1 → i-2 tcp/22", "allow");
    ask(input, "i-3 → i-2 tcp/22", "deny");
    ask(input, "i-2 → i-3 tcp/22", "deny");
  });
  test("[SG-10] the answer is about new connections: what a rule no longer says does not pass", () => {
    const input = (rules: readonly unknown[]): unknown =>
      vpc({ SecurityGroups: [group("sg-1", [ALL]), group("sg-2", rules)] });
    ask(input([tcp(443, from("0.0.0.0/0"))]), "i-1 → i-2 tcp/443", "allow");
    ask(input([]), "i-1 → i-2 tcp/443", "deny");
  });
});

/** A second VPC behind a peering. */
function peered(options: {
  readonly group?: Record<string, unknown>;
  readonly region?: string;
  readonly back?: boolean;
  readonly status?: string;
  readonly cidr?: string;
}): Record<string, unknown> {
  const cidr = options.cidr ?? "10.1.0.0/16";
  const inside = cidr.replace("0.0/16", "0.0/24");
  const pcx = { VpcPeeringConnectionId: "pcx-1" };
  const base = vpc({
    RouteTables: [
      table(
        "rtb-main",
        ["main"],
        [route("10.1.0.0/16", pcx), route("172.20.0.0/16", pcx), route("0.0.0.0/0", { GatewayId: "igw-1" })],
      ),
      {
        RouteTableId: "rtb-9",
        VpcId: "vpc-9",
        Associations: [{ Main: true }],
        Routes: [
          route(cidr, { GatewayId: "local" }),
          ...(options.back === false ? [] : [route("10.0.0.0/16", pcx)]),
          route("0.0.0.0/0", { GatewayId: "igw-9" }),
        ],
      },
    ],
  });
  return {
    ...base,
    Vpcs: [...(base.Vpcs ?? []), { VpcId: "vpc-9", CidrBlock: cidr }],
    Subnets: [
      ...(base.Subnets ?? []),
      { SubnetId: "subnet-9", VpcId: "vpc-9", CidrBlock: inside, AvailabilityZone: "za" },
    ],
    SecurityGroups: [
      ...(base.SecurityGroups ?? []),
      group("sg-9", [tcp(443, options.group ?? from("10.0.0.0/8"))], [ALL], "vpc-9"),
    ],
    NetworkAcls: [...(base.NetworkAcls ?? []), { ...acl("acl-9", [], OPEN, true), VpcId: "vpc-9" }],
    InternetGateways: [
      ...(base.InternetGateways ?? []),
      { InternetGatewayId: "igw-9", Attachments: [{ VpcId: "vpc-9", State: "available" }] },
    ],
    NetworkInterfaces: [
      ...(base.NetworkInterfaces ?? []),
      { ...machine("9", "subnet-9", inside.replace("0/24", "10"), ["sg-9"]), VpcId: "vpc-9" },
    ],
    VpcPeeringConnections: [
      {
        VpcPeeringConnectionId: "pcx-1",
        Status: { Code: options.status ?? "active" },
        RequesterVpcInfo: { VpcId: "vpc-1", Region: "r1" },
        AccepterVpcInfo: { VpcId: "vpc-9", Region: options.region ?? "r1" },
      },
    ],
  };
}

describe("network ACLs", () => {
  const guarded = (entries: readonly unknown[], more: Record<string, readonly unknown[]> = {}): unknown =>
    vpc({ NetworkAcls: [acl("acl-default", [], OPEN, true), acl("acl-b", ["subnet-b"], entries)], ...more });
  const out = entry(100, true, "allow", "0.0.0.0/0");

  test("[NACL-1] by number, the first match decides, no match is the final deny", () => {
    const input = guarded([
      out,
      entry(90, false, "deny", "10.0.0.0/24", [22, 22]),
      entry(100, false, "allow", "10.0.0.0/16", [1, 1024]),
    ]);
    expect(ask(input, "i-1 → i-2 tcp/22", "deny").decidedBy).toEqual(["acl-b#ingress:90"]);
    ask(input, "i-1 → i-2 tcp/443", "allow");
    expect(ask(input, "i-1 → i-2 tcp/8080", "deny").decidedBy).toEqual(["acl-b#ingress:*"]);
  });
  test("[NACL-2] the CIDR is the remote side, the port the destination's", () => {
    const input = guarded([
      entry(100, true, "allow", "10.0.0.0/24"),
      entry(100, false, "allow", "10.0.0.0/24", [443, 443]),
    ]);
    ask(input, "i-1 → i-2 tcp/443", "allow");
    ask(input, "i-2 → ip:203.0.113.9 tcp/443", "deny");
  });
  test("[NACL-3] only at the edge of a subnet", () => {
    const input = guarded([], {
      NetworkInterfaces: [
        machine("1", "subnet-a", "10.0.0.10", ["sg-1"]),
        machine("2", "subnet-b", "10.0.1.10", ["sg-2"]),
        machine("3", "subnet-b", "10.0.1.11", ["sg-2"]),
      ],
    });
    ask(input, "i-3 → i-2 tcp/443", "allow");
    ask(input, "i-1 → i-2 tcp/443", "deny");
  });
  test("[NACL-4] the reply goes to the client's ephemeral ports; part of them is a mixture", () => {
    const back = (ports: readonly [number, number]): unknown =>
      guarded([entry(100, false, "allow", "0.0.0.0/0"), entry(100, true, "allow", "0.0.0.0/0", ports)]);
    ask(back([32768, 60999]), "i-1 → i-2 tcp/443", "allow");
    const none = ask(back([443, 443]), "i-1 → i-2 tcp/443", "deny");
    expect(none.ways[0]?.oneWay).toBe(true);
    const part = ask(back([40000, 65535]), "i-1 → i-2 tcp/443", "mixed");
    expect(part.ways[0]?.decision.judged.map((j) => j.judgement.detail)).toContain("not to ports 32768-39999");
  });
  test("[NACL-5] the default ACL lets all through, a new one nothing", () => {
    ask(guarded(OPEN), "i-1 → i-2 tcp/443", "allow");
    ask(guarded([]), "i-1 → i-2 tcp/443", "deny");
  });
  test("[NACL-6] protocol -1 has no ports; ICMP has types; families are apart", () => {
    const input = guarded([
      out,
      {
        RuleNumber: 90,
        Egress: false,
        RuleAction: "allow",
        Protocol: "1",
        CidrBlock: "0.0.0.0/0",
        IcmpTypeCode: { Type: 8, Code: -1 },
      },
      entry(100, false, "allow", "::/0"),
    ]);
    ask(input, "i-1 → i-2 icmp/8", "allow");
    ask(input, "i-1 → i-2 icmp/3", "deny");
    ask(input, "i-1 → i-2 tcp/443", "deny");
  });
  test("[NACL-7] an allow for ephemeral ports covers service ports above 1023", () => {
    const trap = [
      out,
      entry(110, false, "allow", "0.0.0.0/0", [1024, 65535]),
      entry(120, false, "deny", "10.0.0.0/24", [8080, 8080]),
    ];
    ask(guarded(trap), "i-1 → i-2 tcp/8080", "allow");
    ask(guarded([...trap, entry(90, false, "deny", "10.0.0.0/24", [8080, 8080])]), "i-1 → i-2 tcp/8080", "deny");
  });
  test("[NACL-8] link-local services are not filtered", () => {
    const input = vpc({
      SecurityGroups: [group("sg-1", [], []), group("sg-2", [], [])],
      NetworkAcls: [acl("acl-default", [], [], true)],
    });
    expect(ask(input, "i-1 → ip:169.254.169.254 tcp/80", "allow").decidedBy).toEqual(["aws#link-local"]);
    ask(input, "i-1 → ip:10.0.0.2 udp/53", "allow");
    ask(input, "i-1 → ip:10.0.0.77 udp/53", "deny");
  });
});

describe("routing", () => {
  const routed = (routes: readonly unknown[], more: Record<string, readonly unknown[]> = {}): unknown =>
    vpc({ RouteTables: [table("rtb-main", ["main"], routes)], ...more });
  const nat = (more: Readonly<Record<string, unknown>> = {}): Record<string, readonly unknown[]> => ({
    NatGateways: [
      {
        NatGatewayId: "nat-1",
        SubnetId: "subnet-a",
        VpcId: "vpc-1",
        State: "available",
        ConnectivityType: "public",
        NatGatewayAddresses: [{ NetworkInterfaceId: "eni-nat", PrivateIp: "10.0.0.5", PublicIp: "198.51.100.5" }],
        ...more,
      },
    ],
    RouteTables: [
      table("rtb-main", ["main"], [route("0.0.0.0/0", { GatewayId: "igw-1" })]),
      table("rtb-b", ["subnet-b"], [route("0.0.0.0/0", { NatGatewayId: "nat-1" })]),
    ],
  });

  test("[RT-1] the longest prefix; static before propagated", () => {
    const input = routed([
      route("0.0.0.0/0", { GatewayId: "igw-1" }),
      route("203.0.113.0/24", { GatewayId: "igw-1" }, "blackhole"),
    ]);
    ask(input, "i-1 → ip:198.18.0.1 tcp/443", "allow");
    ask(input, "i-1 → ip:203.0.113.9 tcp/443", "deny");
    const tie = routed([
      { ...route("203.0.113.0/24", { GatewayId: "vgw-1" }), Origin: "EnableVgwRoutePropagation" },
      route("203.0.113.0/24", { GatewayId: "igw-1" }),
    ]);
    ask(tie, "i-1 → ip:203.0.113.9 tcp/443", "allow");
  });
  test("[RT-2] routes never part two subnets of a VPC, but a middlebox may stand between", () => {
    ask(routed([]), "i-1 → i-2 tcp/443", "allow");
    const middle = (checks: boolean): unknown =>
      vpc({
        RouteTables: [
          table("rtb-main", ["main"], []),
          table("rtb-a", ["subnet-a"], [route("10.0.1.0/24", { NetworkInterfaceId: "eni-3" })]),
        ],
        NetworkInterfaces: [
          ...(vpc().NetworkInterfaces ?? []),
          machine("3", "subnet-a", "10.0.0.30", ["sg-1"], { SourceDestCheck: checks }),
        ],
      });
    ask(middle(false), "i-1 → i-2 tcp/443", "allow");
    ask(middle(true), "i-1 → i-2 tcp/443", "deny");
    ask(routed([route("10.0.1.0/25", { GatewayId: "igw-1" })]), "i-1 → i-2 tcp/443", "allow");
  });
  test("[RT-3] a blackhole drops without falling back; filtered is not there", () => {
    const both = (state: string): unknown =>
      routed([route("0.0.0.0/0", { GatewayId: "igw-1" }), route("203.0.113.0/24", { NatGatewayId: "nat-x" }, state)]);
    expect(ask(both("blackhole"), "i-1 → ip:203.0.113.9 tcp/443", "deny").decidedBy).toEqual([
      "rtb-main#203.0.113.0/24->blackhole",
    ]);
    ask(both("filtered"), "i-1 → ip:203.0.113.9 tcp/443", "allow");
  });
  test("[RT-4] an internet gateway needs a public address and must be attached", () => {
    ask(vpc(), "i-1 → ip:203.0.113.9 tcp/443", "allow");
    expect(ask(vpc(), "i-2 → ip:203.0.113.9 tcp/443", "deny").decidedBy).toEqual(["i-2#no-public-ip"]);
    ask(
      vpc({ InternetGateways: [{ InternetGatewayId: "igw-1", Attachments: [] }] }),
      "i-1 → ip:203.0.113.9 tcp/443",
      "deny",
    );
    ask(vpc(), "internet → i-1 tcp/443", "allow");
    ask(routed([]), "internet → i-1 tcp/443", "deny");
  });
  test("[RT-5] public is the route, the address and the rules, each for itself", () => {
    ask(vpc(), "internet → i-1 tcp/22", "allow");
    ask(vpc(), "internet → i-2 tcp/22", "deny");
    ask(vpc({ SecurityGroups: [group("sg-1", []), group("sg-2", [])] }), "internet → i-1 tcp/22", "deny");
  });
  test("[RT-6] through a NAT gateway out, never in; its subnet's ACL counts", () => {
    ask(vpc(nat()), "i-2 → internet tcp/443", "allow");
    ask(vpc(nat()), "internet → nat-1 tcp/443", "deny");
    ask(vpc(nat({ State: "pending" })), "i-2 → internet tcp/443", "deny");
    const guarded = vpc({
      ...nat(),
      NetworkAcls: [
        acl("acl-default", [], OPEN, true),
        acl("acl-a", ["subnet-a"], [...OPEN, entry(90, false, "deny", "10.0.1.0/24", [443, 443])]),
      ],
    });
    expect(ask(guarded, "i-2 → internet tcp/443", "deny").decidedBy).toEqual(["acl-a#ingress:90"]);
  });
  test("[RT-7] an egress-only gateway lets out and nothing in", () => {
    const input = dual({ EgressOnlyInternetGatewayId: "eigw-1" });
    ask(input, flow("i-1 → internet tcp/443", { family: "IPv6" }), "allow");
    ask(input, flow("internet → i-1 tcp/443", { family: "IPv6" }), "deny");
  });
  test("[RT-8] a peering needs routes on both sides, and leads no further", () => {
    ask(peered({}), "i-1 → i-9 tcp/443", "allow");
    ask(peered({ back: false }), "i-1 → i-9 tcp/443", "deny");
    ask(peered({ status: "pending-acceptance" }), "i-1 → i-9 tcp/443", "deny");
    expect(ask(peered({}), "i-1 → ip:172.20.0.9 tcp/443", "deny").decidedBy).toEqual(["pcx-1#not-in-peer"]);
  });
  test("[RT-9] a transit gateway: attachments, its own routes, both ways", () => {
    ask(transit({}), "i-1 → i-9 tcp/443", "allow");
    ask(transit({ blackhole: true }), "i-1 → i-9 tcp/443", "deny");
    ask(transit({ associated: false }), "i-1 → i-9 tcp/443", "deny");
    ask(transit({ routes: false }), "i-1 → i-9 tcp/443", "unsure");
    ask(transit({ zone: "zb" }), "i-1 → i-9 tcp/443", "deny");
  });
  test("[RT-10] a gateway endpoint wins over NAT by its prefix; the group must admit the list", () => {
    const pair = (rules: readonly unknown[]): unknown => ({
      ...vpc({
        SecurityGroups: [group("sg-1", [ALL]), group("sg-2", [], rules)],
        RouteTables: [table("rtb-main", ["main"], [route("pl-s3", { GatewayId: "vpce-1" })])],
        VpcEndpoints: [{ VpcEndpointId: "vpce-1", VpcEndpointType: "Gateway", ServiceName: "s3" }],
      }),
      "get-managed-prefix-list-entries": [{ PrefixListId: "pl-s3", Entries: [{ Cidr: "52.218.0.0/17" }] }],
    });
    const listed = tcp(443, { PrefixListIds: [{ PrefixListId: "pl-s3" }] });
    ask(pair([listed]), "i-2 → ip:52.218.1.1 tcp/443", "allow");
    ask(pair([listed]), "i-2 → ip:52.219.1.1 tcp/443", "deny");
    ask(pair([]), "i-2 → ip:52.218.1.1 tcp/443", "deny");
  });
  test("[RT-11] an interface as target forwards only without the source/destination check", () => {
    const through = (checks: boolean): unknown =>
      vpc({
        RouteTables: [
          table("rtb-main", ["main"], [route("0.0.0.0/0", { GatewayId: "igw-1" })]),
          table("rtb-b", ["subnet-b"], [route("0.0.0.0/0", { NetworkInterfaceId: "eni-1" })]),
        ],
        NetworkInterfaces: [
          machine("1", "subnet-a", "10.0.0.10", ["sg-1"], { publicIp: "198.51.100.1", SourceDestCheck: checks }),
          machine("2", "subnet-b", "10.0.1.10", ["sg-2"]),
        ],
      });
    ask(through(false), "i-2 → internet tcp/443", "allow");
    expect(ask(through(true), "i-2 → internet tcp/443", "deny").decidedBy).toEqual(["i-1#source-dest-check"]);
  });
  test("[RT-12] Block Public Access wins over routes and rules", () => {
    const blocked = (mode: string): Record<string, readonly unknown[]> => ({
      Vpcs: [{ VpcId: "vpc-1", CidrBlock: "10.0.0.0/16", BlockPublicAccessStates: { InternetGatewayBlockMode: mode } }],
    });
    ask(vpc(blocked("off")), "internet → i-1 tcp/443", "allow");
    ask(vpc(blocked("block-ingress")), "internet → i-1 tcp/443", "deny");
    ask(vpc(blocked("block-ingress")), "i-1 → internet tcp/443", "deny");
    ask(vpc({ ...nat(), ...blocked("block-ingress") }), "i-2 → internet tcp/443", "allow");
    ask(vpc({ ...nat(), ...blocked("block-bidirectional") }), "i-2 → internet tcp/443", "deny");
  });
});

/** One machine of two families. */
function dual(target: Record<string, unknown>): unknown {
  return vpc({
    Vpcs: [{ VpcId: "vpc-1", CidrBlock: "10.0.0.0/16", ...six("2600:1f18::/56") }],
    Subnets: [subnet("subnet-a", "10.0.0.0/24", six("2600:1f18::/64"))],
    RouteTables: [
      table("rtb-main", ["main"], [route("2600:1f18::/56", { GatewayId: "local" }), route("::/0", target)]),
    ],
    EgressOnlyInternetGateways: [
      { EgressOnlyInternetGatewayId: "eigw-1", Attachments: [{ VpcId: "vpc-1", State: "attached" }] },
    ],
    NetworkInterfaces: [
      machine("1", "subnet-a", "10.0.0.10", ["sg-1"], { Ipv6Addresses: [{ Ipv6Address: "2600:1f18::10" }] }),
    ],
  });
}

function transit(options: {
  readonly blackhole?: boolean;
  readonly associated?: boolean;
  readonly routes?: boolean;
  readonly zone?: string;
}): unknown {
  const base = peered({});
  const to = { TransitGatewayId: "tgw-1" };
  const attach = (n: number): Record<string, unknown> => ({
    TransitGatewayAttachments: [{ TransitGatewayAttachmentId: `att-${n}` }],
  });
  return {
    ...base,
    Subnets: [
      subnet("subnet-a", "10.0.0.0/24"),
      subnet("subnet-b", "10.0.1.0/24", { AvailabilityZone: "zb" }),
      { SubnetId: "subnet-9", VpcId: "vpc-9", CidrBlock: "10.1.0.0/24", AvailabilityZone: "za" },
    ],
    RouteTables: [
      table("rtb-main", ["main"], [route("10.1.0.0/16", to)]),
      {
        RouteTableId: "rtb-9",
        VpcId: "vpc-9",
        Associations: [{ Main: true }],
        Routes: [route("10.1.0.0/16", { GatewayId: "local" }), route("10.0.0.0/16", to)],
      },
    ],
    TransitGateways: [{ TransitGatewayId: "tgw-1", Options: {} }],
    TransitGatewayVpcAttachments: [
      {
        TransitGatewayAttachmentId: "att-1",
        TransitGatewayId: "tgw-1",
        VpcId: "vpc-1",
        State: "available",
        SubnetIds: [options.zone === "zb" ? "subnet-b" : "subnet-a"],
      },
      {
        TransitGatewayAttachmentId: "att-9",
        TransitGatewayId: "tgw-1",
        VpcId: "vpc-9",
        State: "available",
        SubnetIds: ["subnet-9"],
      },
    ],
    TransitGatewayRouteTables: [{ TransitGatewayRouteTableId: "tgw-rtb-1", TransitGatewayId: "tgw-1" }],
    "search-transit-gateway-routes":
      options.routes === false
        ? []
        : [
            {
              TransitGatewayRouteTableId: "tgw-rtb-1",
              Routes: [
                {
                  DestinationCidrBlock: "10.1.0.0/16",
                  State: options.blackhole === true ? "blackhole" : "active",
                  Type: "static",
                  ...attach(9),
                },
                { DestinationCidrBlock: "10.0.0.0/16", State: "active", Type: "propagated", ...attach(1) },
              ],
            },
          ],
    "get-transit-gateway-route-table-associations": [
      {
        TransitGatewayRouteTableId: "tgw-rtb-1",
        Associations: [
          ...(options.associated === false ? [] : [{ TransitGatewayAttachmentId: "att-1" }]),
          { TransitGatewayAttachmentId: "att-9" },
        ],
      },
    ],
  };
}

describe("order", () => {
  test("[ORD-1] the first failing check decides, the others are named too", () => {
    const input = vpc({
      SecurityGroups: [group("sg-1", [ALL], []), group("sg-2", [])],
      NetworkAcls: [acl("acl-default", [], OPEN, true), acl("acl-b", ["subnet-b"], [])],
    });
    const answer = ask(input, "i-1 → i-2 tcp/443", "deny");
    expect(answer.decidedBy).toEqual(["sg-1#egress:none"]);
    expect(answer.alsoDeniedBy).toEqual(["acl-b#ingress:*", "sg-2#ingress:none", "acl-b#egress:*"]);
    ask(vpc(), "i-1 → i-2 tcp/443", "allow");
  });
  test("[ORD-2] within a subnet neither ACL nor reply is asked", () => {
    const near = [
      machine("1", "subnet-a", "10.0.0.10", ["sg-1"]),
      machine("2", "subnet-a", "10.0.0.11", ["sg-2"]),
      machine("3", "subnet-b", "10.0.1.10", ["sg-2"]),
    ];
    const input = vpc({ NetworkInterfaces: near, NetworkAcls: [acl("acl-default", [], [], true)] });
    ask(input, "i-1 → i-2 tcp/443", "allow");
    ask(input, "i-1 → i-3 tcp/443", "deny");
  });
  test("[ORD-3] an allow is decided by the last filter: the destination's rule, or the source's towards the Internet", () => {
    expect(ask(vpc(), "i-1 → i-2 tcp/443", "allow").decidedBy).toEqual(["sg-2#ingress:all/0.0.0.0/0"]);
    expect(ask(vpc(), "i-1 → ip:203.0.113.9 tcp/443", "allow").decidedBy).toEqual(["sg-1#egress:all/0.0.0.0/0"]);
    ask(vpc({ SecurityGroups: [group("sg-1", [], []), group("sg-2", [])] }), "i-1 → i-2 tcp/443", "deny");
  });
  test("[ORD-4] over a load balancer there are two connections", () => {
    ask(balanced({}), "internet → i-2 tcp/443 via arn:x:loadbalancer/app/lb/1", "allow");
    ask(
      balanced({ target: [tcp(8080, from("203.0.113.0/24"))] }),
      "internet → i-2 tcp/443 via arn:x:loadbalancer/app/lb/1",
      "deny",
    );
  });
  test("[ORD-5] a flow to oneself is not filtered", () => {
    const input = vpc({ SecurityGroups: [group("sg-1", [], []), group("sg-2", [], [])] });
    ask(input, "i-1 → i-1 tcp/443", "allow");
    ask(input, "i-1 → i-2 tcp/443", "deny");
  });
});

interface Balanced {
  readonly type?: string;
  readonly scheme?: string;
  readonly groups?: readonly string[];
  readonly target?: readonly unknown[];
  readonly front?: readonly unknown[];
  readonly back?: readonly unknown[];
  readonly targetType?: string;
  readonly preserve?: string;
  readonly health?: string;
  readonly protocol?: string;
  readonly rules?: readonly unknown[];
  readonly actions?: readonly unknown[];
  readonly subnets?: readonly string[];
  readonly acls?: readonly unknown[];
}

/** A load balancer before machine 2. */
function balanced(o: Balanced): Record<string, unknown> {
  const network = o.type === "network";
  const path = "app/lb/1";
  const arn = "arn:x:loadbalancer/app/lb/1";
  const groups = o.groups ?? (network ? [] : ["sg-lb"]);
  const subnets = o.subnets ?? ["subnet-a"];
  const internal = o.scheme === "internal";
  const base = vpc({
    SecurityGroups: [
      group("sg-1", [ALL]),
      group("sg-2", o.target ?? [tcp(8080, from("0.0.0.0/0")), tcp(9000, from("10.0.0.0/16"))]),
      group("sg-lb", o.front ?? [tcp(443, from("0.0.0.0/0"))], o.back ?? [ALL]),
    ],
    ...(o.acls === undefined ? {} : { NetworkAcls: o.acls }),
  });
  return {
    ...base,
    NetworkInterfaces: [
      ...(base.NetworkInterfaces ?? []),
      ...subnets.map((id, i) => ({
        ...machine(
          `lb${i}`,
          id,
          id === "subnet-a" ? "10.0.0.40" : "10.0.1.40",
          groups,
          internal ? {} : { publicIp: "198.51.100.40" },
        ),
        Attachment: {},
        Description: `ELB ${path}`,
      })),
    ],
    LoadBalancers: [
      {
        LoadBalancerArn: arn,
        Type: network ? "network" : "application",
        Scheme: o.scheme ?? "internet-facing",
        VpcId: "vpc-1",
        AvailabilityZones: subnets.map((SubnetId) => ({ SubnetId })),
        SecurityGroups: groups,
      },
    ].map((b) => ({ ...b, LoadBalancerName: "lb" })),
    Listeners: [
      {
        ListenerArn: "arn:x:listener/1",
        LoadBalancerArn: arn,
        Port: 443,
        Protocol: o.protocol ?? (network ? "TCP" : "HTTPS"),
        DefaultActions: o.actions ?? [{ Type: "forward", TargetGroupArn: "arn:tg" }],
      },
    ],
    Rules: o.rules ?? [],
    TargetGroups: [
      {
        TargetGroupArn: "arn:tg",
        TargetType: o.targetType ?? "instance",
        Port: 8080,
        Protocol: o.protocol ?? (network ? "TCP" : "HTTP"),
        HealthCheckPort: o.health ?? "traffic-port",
      },
    ],
    "elbv2 describe-target-health": [
      {
        TargetGroupArn: "arn:tg",
        TargetHealthDescriptions: [{ Target: { Id: o.targetType === "ip" ? "10.0.1.10" : "i-2", Port: 8080 } }],
      },
    ],
    "elbv2 describe-target-group-attributes":
      o.preserve === undefined
        ? []
        : [{ TargetGroupArn: "arn:tg", Attributes: [{ Key: "preserve_client_ip.enabled", Value: o.preserve }] }],
  };
}

describe("load balancers", () => {
  test("[LB-1] an internal one is not reached from the Internet; ports are those of listeners", () => {
    ask(balanced({ front: [ALL] }), "internet → eni-lb0 tcp/443", "allow");
    expect(
      ask(balanced({ front: [ALL] }), "internet → arn:x:loadbalancer/app/lb/1 tcp/8443", "deny").decidedBy,
    ).toEqual(["arn:x:loadbalancer/app/lb/1#no-listener:tcp/8443"]);
    expect(
      ask(balanced({ scheme: "internal" }), "internet → arn:x:loadbalancer/app/lb/1 tcp/443", "deny").decidedBy,
    ).toEqual(["arn:x:loadbalancer/app/lb/1#scheme:internal"]);
    ask(balanced({ scheme: "internal" }), "i-1 → arn:x:loadbalancer/app/lb/1 tcp/443", "allow");
  });
  test("[LB-2] every node to every target: an ACL that admits one of them only is a mixture", () => {
    const both = ["subnet-a", "subnet-b"];
    ask(balanced({ subnets: both }), "internet → i-2 tcp/443 via arn:x:loadbalancer/app/lb/1", "allow");
    const guarded = [
      acl("acl-default", [], OPEN, true),
      acl("acl-b", ["subnet-b"], [...OPEN, entry(90, false, "deny", "10.0.0.0/24", [8080, 8080])]),
    ];
    ask(balanced({ subnets: both, acls: guarded }), "internet → i-2 tcp/443 via arn:x:loadbalancer/app/lb/1", "mixed");
  });
  test("[LB-3] the target sees the load balancer, so its group may be named; a failing health check counts", () => {
    ask(
      balanced({ target: [tcp(8080, fromGroup("sg-lb"))] }),
      "internet → i-2 tcp/443 via arn:x:loadbalancer/app/lb/1",
      "allow",
    );
    ask(
      balanced({ target: [tcp(8080, from("203.0.113.0/24"))] }),
      "internet → i-2 tcp/443 via arn:x:loadbalancer/app/lb/1",
      "deny",
    );
    ask(
      balanced({ type: "network", groups: [], targetType: "ip", health: "9000" }),
      "internet → i-2 tcp/443 via arn:x:loadbalancer/app/lb/1",
      "allow",
    );
    ask(
      balanced({ type: "network", groups: [], targetType: "ip", health: "9001" }),
      "internet → i-2 tcp/443 via arn:x:loadbalancer/app/lb/1",
      "deny",
    );
  });
  test("[LB-4] the first rule whose conditions hold; weight 0 is none; a redirect has no target", () => {
    const rules = [
      {
        RuleArn: "arn:x:listener-rule/1/9",
        Priority: "9",
        Conditions: [{ Field: "host-header", Values: ["*.example.com"] }],
        Actions: [{ Type: "forward", TargetGroupArn: "arn:tg" }],
      },
    ];
    const input = balanced({ rules, actions: [{ Type: "fixed-response" }] });
    ask(input, "internet → i-2 tcp/443 via arn:x:loadbalancer/app/lb/1", "allow");
    ask(
      input,
      flow("internet → i-2 tcp/443 via arn:x:loadbalancer/app/lb/1", {
        http: { method: "GET", path: "/", host: "A.example.com" },
      }),
      "allow",
    );
    ask(
      input,
      flow("internet → i-2 tcp/443 via arn:x:loadbalancer/app/lb/1", {
        http: { method: "GET", path: "/", host: "example.org" },
      }),
      "deny",
    );
    ask(
      balanced({ actions: [{ Type: "redirect" }] }),
      "internet → i-2 tcp/443 via arn:x:loadbalancer/app/lb/1",
      "deny",
    );
    const weighted = (Weight: number): unknown =>
      balanced({
        actions: [{ Type: "forward", ForwardConfig: { TargetGroups: [{ TargetGroupArn: "arn:tg", Weight }] } }],
      });
    ask(weighted(1), "internet → i-2 tcp/443 via arn:x:loadbalancer/app/lb/1", "allow");
    ask(weighted(0), "internet → i-2 tcp/443 via arn:x:loadbalancer/app/lb/1", "deny");
  });
  test("[LB-5] two applications behind one listener are told apart by its rules alone", () => {
    const rules = [
      {
        RuleArn: "arn:x:listener-rule/1/1",
        Priority: "1",
        Conditions: [{ Field: "path-pattern", Values: ["/b*"] }],
        Actions: [{ Type: "fixed-response" }],
      },
    ];
    const input = balanced({ rules });
    ask(
      input,
      flow("internet → i-2 tcp/443 via arn:x:loadbalancer/app/lb/1", { http: { method: "GET", path: "/a" } }),
      "allow",
    );
    ask(
      input,
      flow("internet → i-2 tcp/443 via arn:x:loadbalancer/app/lb/1", { http: { method: "GET", path: "/b/x" } }),
      "deny",
    );
  });
  test("[LB-6] a network load balancer filters only with groups of its own; naming them works with kept addresses", () => {
    ask(balanced({ type: "network", groups: [] }), "internet → arn:x:loadbalancer/app/lb/1 tcp/443", "allow");
    ask(
      balanced({ type: "network", groups: ["sg-lb"], front: [] }),
      "internet → arn:x:loadbalancer/app/lb/1 tcp/443",
      "deny",
    );
    ask(
      balanced({ type: "network", groups: ["sg-lb"], target: [tcp(8080, fromGroup("sg-lb"))] }),
      "internet → i-2 tcp/443 via arn:x:loadbalancer/app/lb/1",
      "allow",
    );
  });
  test("[LB-7] with the client's address kept the target must admit the client, without it the load balancer", () => {
    const target = [tcp(8080, from("10.0.0.0/16"))];
    ask(
      balanced({ type: "network", groups: [], target }),
      "internet → i-2 tcp/443 via arn:x:loadbalancer/app/lb/1",
      "deny",
    );
    ask(
      balanced({ type: "network", groups: [], target, preserve: "false" }),
      "internet → i-2 tcp/443 via arn:x:loadbalancer/app/lb/1",
      "allow",
    );
    ask(
      balanced({ type: "network", groups: [], target, targetType: "ip" }),
      "internet → i-2 tcp/443 via arn:x:loadbalancer/app/lb/1",
      "allow",
    );
    ask(
      balanced({ type: "network", groups: [], target, targetType: "ip", protocol: "TCP_UDP" }),
      "internet → i-2 tcp/443 via arn:x:loadbalancer/app/lb/1",
      "deny",
    );
    ask(balanced({ type: "network", groups: [] }), "i-2 → i-2 tcp/443 via arn:x:loadbalancer/app/lb/1", "deny");
  });
  test("[LB-8] an instance is a target by id, an address by itself", () => {
    ask(balanced({ targetType: "ip" }), "internet → i-2 tcp/443 via arn:x:loadbalancer/app/lb/1", "allow");
    expect(ask(balanced({}), "internet → i-1 tcp/443 via arn:x:loadbalancer/app/lb/1", "deny").decidedBy).toEqual([
      "arn:x:loadbalancer/app/lb/1#no-target:i-1",
    ]);
  });
  test("[LB-9] a classic one maps ports to its instances", () => {
    const { LoadBalancers: _, Listeners: __, ...base } = balanced({});
    const input = {
      ...base,
      NetworkInterfaces: [
        ...(vpc().NetworkInterfaces ?? []),
        {
          ...machine("elb", "subnet-a", "10.0.0.40", ["sg-lb"], { publicIp: "198.51.100.40" }),
          Attachment: {},
          Description: "ELB classic",
        },
      ],
      LoadBalancerDescriptions: [
        {
          LoadBalancerName: "classic",
          Scheme: "internet-facing",
          Subnets: ["subnet-a"],
          SecurityGroups: ["sg-lb"],
          Instances: [{ InstanceId: "i-2" }],
          ListenerDescriptions: [
            { Listener: { Protocol: "TCP", LoadBalancerPort: 443, InstanceProtocol: "TCP", InstancePort: 8080 } },
          ],
          HealthCheck: { Target: "TCP:8080" },
        },
      ],
    };
    ask(input, "internet → i-2 tcp/443 via classic", "allow");
    ask(input, "internet → i-2 tcp/80 via classic", "deny");
    ask(input, "internet → i-1 tcp/443 via classic", "deny");
  });
});

describe("answers of AWS", () => {
  test("[IN-1] a verdict that would change with what is not known is unsure, never deny", () => {
    const rules = (egress: readonly unknown[]): unknown =>
      vpc({
        SecurityGroups: [
          group("sg-1", [ALL], egress),
          group("sg-2", [tcp(443, { PrefixListIds: [{ PrefixListId: "pl-x" }] })]),
        ],
      });
    ask(rules([ALL]), "i-1 → i-2 tcp/443", "unsure");
    ask(rules([]), "i-1 → i-2 tcp/443", "deny");
  });
  test("[IN-2] what is referenced and absent is said once", () => {
    const input = vpc({
      NetworkInterfaces: [
        machine("1", "subnet-a", "10.0.0.10", ["sg-1"]),
        machine("2", "subnet-b", "10.0.1.10", ["sg-gone"]),
      ],
      SecurityGroups: [group("sg-1", [tcp(80, fromGroup("sg-other")), tcp(443, fromGroup("sg-other"))])],
    });
    ask(input, "i-1 → i-2 tcp/443", "unsure");
    ask(input, "i-1 → i-1 tcp/443", "allow");
    const said = readDescribe([input], "d").diagnostics.filter((d) => d.message.includes("sg-other"));
    expect(said.map((d) => d.code)).toEqual(["BH400"]);
  });
  test("[IN-3] a subnet's own ACL and table win over the VPC's", () => {
    const input = (subnets: readonly string[]): unknown =>
      vpc({ NetworkAcls: [acl("acl-default", [], OPEN, true), acl("acl-x", subnets, [])] });
    ask(input([]), "i-1 → i-2 tcp/443", "allow");
    ask(input(["subnet-b"]), "i-1 → i-2 tcp/443", "deny");
  });
  test("[IN-4] one permission with many ranges is many rules", () => {
    const merged = {
      IpProtocol: "tcp",
      FromPort: 443,
      ToPort: 443,
      IpRanges: [{ CidrIp: "10.0.0.10/32" }, { CidrIp: "203.0.113.0/24" }, { CidrIp: "203.0.113.0/24" }],
    };
    const input = vpc({ SecurityGroups: [group("sg-1", [ALL]), group("sg-2", [merged])] });
    expect(
      readDescribe([input], "d")
        .groups.get("sg-2")
        ?.rules.filter((r) => r.direction === "ingress"),
    ).toHaveLength(2);
    ask(input, "i-1 → i-2 tcp/443", "allow");
    ask(input, "ip:10.0.0.11 → i-2 tcp/443", "deny");
  });
  test("[IN-5] whose an interface is, its description tells", () => {
    const input = balanced({ front: [ALL] });
    ask(input, "internet → arn:x:loadbalancer/app/lb/1 tcp/443", "allow");
    ask(input, "internet → arn:x:loadbalancer/app/lb/1 tcp/80", "deny");
    expect(readDescribe([input], "d").owners.get("arn:x:loadbalancer/app/lb/1")?.kind).toBe("load-balancer");
  });
  test("[IN-6] a stopped instance is answered for, with a note", () => {
    const input = { ...vpc(), Reservations: [{ Instances: [{ InstanceId: "i-2", State: { Name: "stopped" } }] }] };
    expect(ask(input, "i-1 → i-2 tcp/443", "allow").notes).toEqual(["instance stopped"]);
    expect(ask(input, "i-1 → i-1 tcp/443", "allow").notes).toEqual([]);
    ask(input, "ip:203.0.113.9 → i-2 tcp/443", "deny");
  });
});

describe("both families", () => {
  test("an IPv6 address needs no public one, and rules of the other family do not speak of it", () => {
    const input = dual({ GatewayId: "igw-1" });
    ask(input, flow("internet → i-1 tcp/443", { family: "IPv6" }), "allow");
    ask(input, flow("internet → i-1 tcp/443", { family: "IPv4" }), "deny");
    ask(input, "internet → i-1 tcp/443", "mixed");
  });
});
