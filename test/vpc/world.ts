/** Small VPCs by tweaks, as answers of `describe-*`; what is asked is asked of engine and reference alike. */
import { expect } from "vitest";
import { type VpcFlow, VpcReference } from "../../reference/vpc/index.ts";
import { protocolOf } from "../../src/verify/connection-text.ts";
import { VpcEngine, type VpcAnswer } from "../../src/vpc/engine.ts";
import type { Network } from "../../src/vpc/model.ts";
import { readDescribe } from "../../src/vpc/read/describe.ts";

export type Answers = Readonly<Record<string, readonly unknown[]>>;

export const ALL = { IpProtocol: "-1", IpRanges: [{ CidrIp: "0.0.0.0/0" }], Ipv6Ranges: [{ CidrIpv6: "::/0" }] };

export function tcp(port: number, peer: Readonly<Record<string, unknown>>, to = port): Record<string, unknown> {
  return { IpProtocol: "tcp", FromPort: port, ToPort: to, ...peer };
}

export const from = (cidr: string): Record<string, unknown> =>
  cidr.includes(":") ? { Ipv6Ranges: [{ CidrIpv6: cidr }] } : { IpRanges: [{ CidrIp: cidr }] };
export const fromGroup = (id: string, more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> => ({
  UserIdGroupPairs: [{ GroupId: id, ...more }],
});

export function group(
  GroupId: string,
  ingress: readonly unknown[],
  egress: readonly unknown[] = [ALL],
  VpcId = "vpc-1",
): Record<string, unknown> {
  return { GroupId, GroupName: GroupId, VpcId, IpPermissions: ingress, IpPermissionsEgress: egress };
}

export function subnet(
  SubnetId: string,
  CidrBlock: string,
  more: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  return { SubnetId, VpcId: "vpc-1", CidrBlock, AvailabilityZone: "za", ...more };
}

export const six = (cidr: string): Record<string, unknown> => ({
  Ipv6CidrBlockAssociationSet: [{ Ipv6CidrBlock: cidr, Ipv6CidrBlockState: { State: "associated" } }],
});

/** An interface of instance `i-…`. */
export function machine(
  id: string,
  SubnetId: string,
  address: string,
  groups: readonly string[],
  more: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  const { publicIp, ...rest } = more;
  return {
    NetworkInterfaceId: `eni-${id}`,
    SubnetId,
    VpcId: "vpc-1",
    InterfaceType: "interface",
    Description: "",
    Groups: groups.map((GroupId) => ({ GroupId })),
    PrivateIpAddress: address,
    PrivateIpAddresses: [
      {
        Primary: true,
        PrivateIpAddress: address,
        ...(publicIp === undefined ? {} : { Association: { PublicIp: publicIp } }),
      },
    ],
    Ipv6Addresses: [],
    SourceDestCheck: true,
    Attachment: { InstanceId: `i-${id}`, DeviceIndex: 0 },
    ...rest,
  };
}

export function entry(
  RuleNumber: number,
  Egress: boolean,
  RuleAction: string,
  CidrBlock: string,
  ports?: readonly [number, number],
  Protocol = ports === undefined ? "-1" : "6",
): Record<string, unknown> {
  return {
    RuleNumber,
    Egress,
    RuleAction,
    Protocol,
    ...(CidrBlock.includes(":") ? { Ipv6CidrBlock: CidrBlock } : { CidrBlock }),
    ...(ports === undefined ? {} : { PortRange: { From: ports[0], To: ports[1] } }),
  };
}

export const OPEN = [
  entry(500, true, "allow", "0.0.0.0/0"),
  entry(500, false, "allow", "0.0.0.0/0"),
  entry(501, true, "allow", "::/0"),
  entry(501, false, "allow", "::/0"),
];

export function acl(
  NetworkAclId: string,
  subnets: readonly string[],
  Entries: readonly unknown[],
  IsDefault = false,
): Record<string, unknown> {
  return { NetworkAclId, VpcId: "vpc-1", IsDefault, Associations: subnets.map((SubnetId) => ({ SubnetId })), Entries };
}

export function table(
  RouteTableId: string,
  subnets: readonly string[],
  routes: readonly unknown[],
  more: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  const local = {
    DestinationCidrBlock: "10.0.0.0/16",
    GatewayId: "local",
    State: "active",
    Origin: "CreateRouteTable",
  };
  const Associations = subnets.map((SubnetId) =>
    SubnetId === "main" ? { Main: true } : { Main: false, SubnetId, AssociationState: { State: "associated" } },
  );
  return { RouteTableId, VpcId: "vpc-1", Associations, Routes: [local, ...routes], ...more };
}

export const route = (
  to: string,
  target: Readonly<Record<string, unknown>>,
  State = "active",
): Record<string, unknown> => ({
  ...(to.startsWith("pl-")
    ? { DestinationPrefixListId: to }
    : to.includes(":")
      ? { DestinationIpv6CidrBlock: to }
      : { DestinationCidrBlock: to }),
  ...target,
  State,
  Origin: "CreateRoute",
});

/** Two subnets, an internet gateway, one machine in each, all open; a list in `tweaks` takes the place of its own. */
export function vpc(tweaks: Answers = {}): Answers {
  return {
    Vpcs: [{ VpcId: "vpc-1", CidrBlock: "10.0.0.0/16", BlockPublicAccessStates: { InternetGatewayBlockMode: "off" } }],
    Subnets: [subnet("subnet-a", "10.0.0.0/24"), subnet("subnet-b", "10.0.1.0/24")],
    SecurityGroups: [group("sg-1", [ALL]), group("sg-2", [ALL])],
    NetworkAcls: [acl("acl-default", [], OPEN, true)],
    RouteTables: [table("rtb-main", ["main"], [route("0.0.0.0/0", { GatewayId: "igw-1" })])],
    InternetGateways: [{ InternetGatewayId: "igw-1", Attachments: [{ VpcId: "vpc-1", State: "available" }] }],
    NetworkInterfaces: [
      machine("1", "subnet-a", "10.0.0.10", ["sg-1"], { publicIp: "198.51.100.1" }),
      machine("2", "subnet-b", "10.0.1.10", ["sg-2"]),
    ],
    ...tweaks,
  };
}

/** `i-1 → i-2 tcp/443`. */
export function flow(text: string, more: Partial<VpcFlow> = {}): VpcFlow {
  const match = /^(\S+) → (\S+) ([a-z0-9]+)(?:\/(\d+))?(?: via (\S+))?$/.exec(text);
  if (match === null) throw new Error(`no flow: ${text}`);
  const [, a = "", b = "", protocol = "", port, via] = match;
  return {
    from: a,
    to: b,
    protocol,
    ...(port === undefined ? {} : { port: Number(port) }),
    ...(via === undefined ? {} : { via }),
    ...more,
  };
}

/** Asks both witnesses; they must say the verdict. Returns the engine's answer for more questions. */
export function ask(input: unknown, what: VpcFlow | string, verdict: string, network?: Network): VpcAnswer {
  const one = typeof what === "string" ? flow(what) : what;
  const engine = new VpcEngine(network ?? readDescribe([input], "describe.json"));
  const { protocol, http, ...rest } = one;
  const answer = engine.why({
    ...rest,
    protocol: protocolOf(protocol),
    ...(http === undefined ? {} : { http: { ...http, headers: new Map() } }),
  });
  const reference = new VpcReference(input).ask(one);
  expect({ flow: one, engine: answer.verdict, reference }).toEqual({ flow: one, engine: verdict, reference: verdict });
  return answer;
}

/** What else Terraform or CloudFormation tell, beside the same network as answers of AWS for the reference. */
export function askToldTwice(
  network: Network,
  input: unknown,
  pairs: readonly (readonly [string, string])[],
  ids: ReadonlyMap<string, string>,
): void {
  const named = (text: string): string => [...ids].reduce((all, [mine, theirs]) => all.replaceAll(theirs, mine), text);
  for (const [text, verdict] of pairs) {
    const one = flow(text);
    const reference = new VpcReference(input).ask(one);
    const { protocol, http: _, ...rest } = flow(named(text));
    const engine = new VpcEngine(network).why({ ...rest, protocol: protocolOf(protocol) });
    expect({ text, engine: engine.verdict, reference }).toEqual({ text, engine: verdict, reference: verdict });
  }
}
