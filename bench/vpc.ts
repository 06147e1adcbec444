/**
 * `node --import tsx bench/vpc.ts [interfaces]`: VPCs of growing size, the largest with 10,000 interfaces and 2,000
 * security groups; how long reading and all classes take, and with which power of the size they grow.
 */
import { performance } from "node:perf_hooks";
import { VpcEngine } from "../src/vpc/engine.ts";
import { readDescribe } from "../src/vpc/read/describe.ts";
import { solve } from "../src/vpc/solve.ts";
import { randomOf } from "./cluster.ts";

const largest = Number(process.argv[2] ?? 10_000);
const sizes = [8, 4, 2, 1].map((part) => Math.round(largest / part));

/** Answers of AWS for so many interfaces: a group for each five, a subnet for each fifty, an ACL for each four subnets. */
export function answersOf(interfaces: number, seed = 1): Record<string, unknown> {
  const random = randomOf(seed);
  const pick = (n: number): number => Math.floor(random() * n);
  const groups = Math.max(4, Math.round(interfaces / 5));
  const subnets = Math.max(4, Math.round(interfaces / 50));
  const cidr = (s: number): string => `10.${s >> 8}.${s & 255}.0/24`;
  const permission = (port: number, peer: Record<string, unknown>): unknown => ({
    IpProtocol: "tcp",
    FromPort: port,
    ToPort: port,
    ...peer,
  });
  const all = (Egress: boolean, RuleNumber = 500): unknown => ({
    RuleNumber,
    Egress,
    RuleAction: "allow",
    Protocol: "-1",
    CidrBlock: "0.0.0.0/0",
  });
  return {
    Vpcs: [{ VpcId: "vpc-1", CidrBlock: "10.0.0.0/8" }],
    Subnets: Array.from({ length: subnets }, (_, s) => ({
      SubnetId: `subnet-${s}`,
      VpcId: "vpc-1",
      CidrBlock: cidr(s),
      AvailabilityZone: `z${s % 3}`,
    })),
    RouteTables: [
      {
        RouteTableId: "rtb-1",
        VpcId: "vpc-1",
        Associations: [{ Main: true }],
        Routes: [{ DestinationCidrBlock: "10.0.0.0/8", GatewayId: "local", State: "active" }],
      },
    ],
    NetworkAcls: Array.from({ length: Math.ceil(subnets / 4) }, (_, a) => ({
      NetworkAclId: `acl-${a}`,
      VpcId: "vpc-1",
      IsDefault: false,
      Associations: Array.from({ length: 4 }, (_, i) => ({ SubnetId: `subnet-${a * 4 + i}` })),
      Entries: [
        ...Array.from({ length: 6 }, (_, i) => ({
          RuleNumber: 10 + i,
          Egress: i % 2 === 0,
          RuleAction: "deny",
          Protocol: "-1",
          CidrBlock: cidr(pick(subnets)),
        })),
        all(true),
        all(false),
      ],
    })),
    SecurityGroups: Array.from({ length: groups }, (_, g) => ({
      GroupId: `sg-${g}`,
      GroupName: `g${g}`,
      VpcId: "vpc-1",
      IpPermissions: [
        permission(8080, { UserIdGroupPairs: [{ GroupId: `sg-${pick(groups)}` }, { GroupId: `sg-${pick(groups)}` }] }),
        permission(443, { IpRanges: [{ CidrIp: cidr(pick(subnets)) }] }),
        ...(g % 20 === 0 ? [permission(9100, { IpRanges: [{ CidrIp: "10.0.0.0/8" }] })] : []),
      ],
      IpPermissionsEgress:
        g % 3 === 0
          ? [
              permission(443, { IpRanges: [{ CidrIp: "0.0.0.0/0" }] }),
              permission(8080, { UserIdGroupPairs: [{ GroupId: `sg-${pick(groups)}` }] }),
            ]
          : [{ IpProtocol: "-1", IpRanges: [{ CidrIp: "0.0.0.0/0" }] }],
    })),
    NetworkInterfaces: Array.from({ length: interfaces }, (_, i) => {
      const s = Math.floor(i / 50) % subnets;
      return {
        NetworkInterfaceId: `eni-${i}`,
        SubnetId: `subnet-${s}`,
        VpcId: "vpc-1",
        InterfaceType: "interface",
        PrivateIpAddress: cidr(s).replace("0/24", String(10 + (i % 50))),
        Groups: [
          { GroupId: `sg-${Math.floor(i / 5) % groups}` },
          ...(i % 4 === 0 ? [{ GroupId: `sg-${pick(groups)}` }] : []),
        ],
        Attachment: { InstanceId: `i-${i}` },
      };
    }),
  };
}

let before: { readonly size: number; readonly read: number; readonly solved: number } | undefined;
for (const size of sizes) {
  const answers = answersOf(size);
  const start = performance.now();
  const engine = new VpcEngine(readDescribe([answers], "describe.json"));
  const read = performance.now() - start;
  const solved = solve(engine);
  const all = performance.now() - start - read;
  const power = (now: number, then: number | undefined): string =>
    before === undefined || then === undefined
      ? ""
      : ` (n^${(Math.log(now / then) / Math.log(size / before.size)).toFixed(2)})`;
  const groups = engine.network.groups.size;
  console.log(
    `${size} interfaces, ${groups} groups, ${engine.network.subnets.size} subnets: read ${read.toFixed(0)} ms${power(read, before?.read)}, ` +
      `${solved.classes.length} classes answered ${all.toFixed(0)} ms${power(all, before?.solved)}, ${(process.memoryUsage().heapUsed / 1e6).toFixed(0)} MB`,
  );
  before = { size, read, solved: all };
}
