/** What a plan and a template tell, against the same network in the answers of AWS, which alone the reference reads. */
import { describe, expect, test } from "vitest";
import { hasErrors } from "../../src/base/diagnostic.ts";
import type { Network } from "../../src/vpc/model.ts";
import { readCloudFormation } from "../../src/vpc/read/cloudformation.ts";
import { readNetwork } from "../../src/vpc/read/input.ts";
import { parseTemplateYaml } from "../../src/vpc/read/template-values.ts";
import { readTerraform } from "../../src/vpc/read/terraform.ts";
import { type Block, blocks, id, plan, rule } from "./plans.ts";
import { acl, ALL, askToldTwice, entry, from, fromGroup, group, machine, OPEN, tcp, vpc } from "./world.ts";

const IDS = new Map([
  ["aws_instance.i1", "i-1"],
  ["aws_instance.i2", "i-2"],
]);

/** What the answers of AWS say of the same. */
const same = (
  two: readonly unknown[],
  more: Record<string, readonly unknown[]> = {},
  egress: readonly unknown[] = [],
): unknown =>
  vpc({
    SecurityGroups: [group("sg-1", [], [ALL]), group("sg-2", two, egress)],
    NetworkInterfaces: [
      machine("1", "subnet-a", "10.0.0.10", ["sg-1"]),
      machine("2", "subnet-b", "10.0.1.10", ["sg-2"]),
    ],
    ...more,
  });

const BASE = [
  ["i-1 → i-2 tcp/443", "allow"],
  ["i-1 → i-2 tcp/80", "deny"],
  ["i-2 → i-1 tcp/443", "deny"],
] as const;
const https = [tcp(443, from("0.0.0.0/0"))];
const tf = (value: unknown): Network => readTerraform(value, "plan.json");

describe("Terraform", () => {
  test("[TF-1] format 1 is read, another is refused; an errored plan is told", () => {
    askToldTwice(tf(plan(blocks())), same(https), BASE, IDS);
    expect(hasErrors(tf(plan(blocks(), { format_version: "2.0" })).diagnostics)).toBe(true);
    expect(tf(plan(blocks(), { errored: true })).diagnostics.map((d) => d.code)).toContain("BH404");
  });
  test("[TF-2] resources of modules, by their full addresses", () => {
    const moved = plan(
      [
        ...blocks({
          "aws_subnet.a": null,
          "aws_instance.i1": {
            refs: {
              subnet_id: ["module.net.a_id", "module.net"],
              vpc_security_group_ids: id("aws_security_group.one"),
            },
          },
        }),
        { at: "module.net.aws_subnet.a", values: { cidr_block: "10.0.0.0/24" }, refs: { vpc_id: ["var.vpc"] } },
      ],
      {},
      { outputs: { a_id: { expression: { references: id("aws_subnet.a") } } } },
    );
    expect(tf(moved).subnets.has("module.net.aws_subnet.a")).toBe(true);
    askToldTwice(tf(moved), same(https), BASE, IDS);
  });
  test("[TF-3] what is deleted is not there after apply", () => {
    const loose: Block = {
      at: "aws_vpc_security_group_ingress_rule.web",
      values: { ip_protocol: "tcp", from_port: 80, to_port: 80, cidr_ipv4: "0.0.0.0/0" },
      refs: { security_group_id: id("aws_security_group.two") },
    };
    askToldTwice(
      tf(plan([...blocks(), loose])),
      same([...https, tcp(80, from("0.0.0.0/0"))]),
      [["i-1 → i-2 tcp/80", "allow"]],
      IDS,
    );
    askToldTwice(tf(plan([...blocks(), { ...loose, actions: ["delete"] }])), same(https), BASE, IDS);
  });
  test("[TF-4] a missing value that is marked unknown is not absent", () => {
    const cidr = (more: Partial<Block>): Block => ({
      at: "aws_vpc_security_group_ingress_rule.web",
      values: { ip_protocol: "tcp", from_port: 80, to_port: 80 },
      refs: { security_group_id: id("aws_security_group.two"), ...more.refs },
    });
    const unknown = tf(plan([...blocks(), cidr({ refs: { cidr_ipv4: ["local.office"] } })]));
    askToldTwice(
      unknown,
      { ...vpc(), ...Object(same([...https, tcp(80, { PrefixListIds: [{ PrefixListId: "pl-x" }] })])) },
      [
        ["i-1 → i-2 tcp/80", "unsure"],
        ["i-1 → i-2 tcp/22", "deny"],
      ],
      IDS,
    );
  });
  test("[TF-5] rules that are wholly unknown and not written are managed elsewhere", () => {
    const elsewhere = blocks({
      "aws_security_group.two": { values: { name: "two" }, unknown: { ingress: true, egress: true } },
    });
    askToldTwice(tf(plan(elsewhere)), same([]), [["i-1 → i-2 tcp/443", "deny"]], IDS);
    const written = blocks({
      "aws_security_group.two": {
        values: { name: "two" },
        refs: { vpc_id: id("aws_vpc.main"), ingress: ["var.rules"] },
      },
    });
    askToldTwice(
      tf(plan(written)),
      same([tcp(443, { PrefixListIds: [{ PrefixListId: "pl-x" }] })]),
      [["i-1 → i-2 tcp/443", "unsure"]],
      IDS,
    );
  });
  test("[TF-6] the longest reference is taken, with its index", () => {
    const indexed = (i: number): Block[] => [
      ...blocks({
        "aws_subnet.b": null,
        "aws_instance.i2": {
          refs: {
            subnet_id: [`aws_subnet.many[${i}].id`, `aws_subnet.many[${i}]`, "aws_subnet.many"],
            vpc_security_group_ids: id("aws_security_group.two"),
          },
        },
      }),
      ...["10.0.1.0/24", "10.0.2.0/24"].map((cidr, n) => ({
        at: `aws_subnet.many[${n}]`,
        values: { cidr_block: cidr },
        refs: { vpc_id: id("aws_vpc.main") },
      })),
      {
        at: "aws_network_acl.shut",
        values: { ingress: [], egress: [] },
        refs: {
          vpc_id: id("aws_vpc.main"),
          subnet_ids: ["aws_subnet.many[1].id", "aws_subnet.many[1]", "aws_subnet.many"],
        },
      },
    ];
    askToldTwice(tf(plan(indexed(0))), same(https), BASE, IDS);
    askToldTwice(
      tf(plan(indexed(1))),
      same(https, { NetworkAcls: [acl("acl-default", [], OPEN, true), acl("acl-shut", ["subnet-b"], [])] }),
      [["i-1 → i-2 tcp/443", "deny"]],
      IDS,
    );
  });
  test("[TF-7] count and for_each pair by key, modules pass variables, locals are a dead end", () => {
    const paired = blocks({
      "aws_subnet.a": null,
      "aws_instance.i1": null,
      'aws_subnet.each["a"]': { values: { cidr_block: "10.0.0.0/24" }, refs: { vpc_id: id("aws_vpc.main") } },
      'aws_subnet.each["c"]': { values: { cidr_block: "10.0.3.0/24" }, refs: { vpc_id: id("aws_vpc.main") } },
      'aws_instance.each["a"]': {
        values: { private_ip: "10.0.0.10" },
        refs: { subnet_id: ["aws_subnet.each", "each.key"], vpc_security_group_ids: id("aws_security_group.one") },
      },
    });
    const network = tf(plan(paired));
    expect(network.owners.get('aws_instance.each["a"]')?.interfaces[0]?.subnet).toEqual({
      kind: "known",
      value: 'aws_subnet.each["a"]',
    });
    askToldTwice(
      network,
      same(https),
      BASE,
      new Map(
        [...IDS, ['aws_instance.each["a"]', "i-1"]]
          .filter(([mine]) => mine !== "aws_instance.i1")
          .map(([a = "", b = ""]) => [a, b] as const),
      ),
    );
    const dead = blocks({
      "aws_instance.i2": { refs: { subnet_id: id("aws_subnet.b"), vpc_security_group_ids: ["local.groups"] } },
    });
    const missing = vpc({
      SecurityGroups: [group("sg-1", [], [ALL])],
      NetworkInterfaces: [
        machine("1", "subnet-a", "10.0.0.10", ["sg-1"]),
        machine("2", "subnet-b", "10.0.1.10", ["sg-gone"]),
      ],
    });
    askToldTwice(tf(plan(dead)), missing, [["i-1 → i-2 tcp/443", "unsure"]], IDS);
    const wrong = blocks({
      "aws_instance.i2": { refs: { subnet_id: id("aws_subnet.b"), vpc_security_group_ids: id("aws_subnet.a") } },
    });
    askToldTwice(tf(plan(wrong)), missing, [["i-1 → i-2 tcp/443", "unsure"]], IDS);
  });
  test("[TF-8] one inline block without its peer is told, of several it is one of the references", () => {
    const inline = (count: number): Block[] =>
      blocks({
        "aws_security_group.two": {
          values: {
            name: "two",
            egress: [],
            ingress: [443, 80]
              .slice(0, count)
              .map((port) =>
                rule({ protocol: "tcp", from_port: port, to_port: port, cidr_blocks: [], security_groups: null }),
              ),
          },
          refs: {
            vpc_id: id("aws_vpc.main"),
            ingress: [...id("aws_security_group.one"), ...(count > 1 ? id("aws_security_group.three") : [])],
          },
          unknown: { ingress: Array.from({ length: count }, () => ({ security_groups: true })) },
        },
        "aws_security_group.three": { values: { name: "three", egress: [] }, refs: { vpc_id: id("aws_vpc.main") } },
      });
    askToldTwice(tf(plan(inline(1))), same([tcp(443, fromGroup("sg-1"))]), BASE, IDS);
    askToldTwice(
      tf(plan(inline(2))),
      same([tcp(443, { PrefixListIds: [{ PrefixListId: "pl-x" }] })]),
      [
        ["i-1 → i-2 tcp/443", "unsure"],
        ["i-1 → i-2 tcp/22", "deny"],
      ],
      IDS,
    );
  });
  test("[TF-9] a state has ids and no configuration", () => {
    const state = {
      format_version: "1.0",
      values: {
        root_module: {
          resources: [
            ["aws_vpc", "main", { id: "vpc-0aaaaaaaa", cidr_block: "10.0.0.0/16" }],
            ["aws_subnet", "a", { id: "subnet-0aaaaaaaa", vpc_id: "vpc-0aaaaaaaa", cidr_block: "10.0.0.0/24" }],
            ["aws_subnet", "b", { id: "subnet-0bbbbbbbb", vpc_id: "vpc-0aaaaaaaa", cidr_block: "10.0.1.0/24" }],
            [
              "aws_security_group",
              "one",
              { id: "sg-0aaaaaaaa", vpc_id: "vpc-0aaaaaaaa", ingress: [], egress: [rule()] },
            ],
            [
              "aws_security_group",
              "two",
              {
                id: "sg-0bbbbbbbb",
                vpc_id: "vpc-0aaaaaaaa",
                egress: [],
                ingress: [
                  rule({
                    protocol: "tcp",
                    from_port: 443,
                    to_port: 443,
                    cidr_blocks: [],
                    security_groups: ["sg-0aaaaaaaa"],
                  }),
                ],
              },
            ],
            [
              "aws_instance",
              "i1",
              {
                id: "i-0aaaaaaaa",
                subnet_id: "subnet-0aaaaaaaa",
                private_ip: "10.0.0.10",
                vpc_security_group_ids: ["sg-0aaaaaaaa"],
              },
            ],
            [
              "aws_instance",
              "i2",
              {
                id: "i-0bbbbbbbb",
                subnet_id: "subnet-0bbbbbbbb",
                private_ip: "10.0.1.10",
                vpc_security_group_ids: ["sg-0bbbbbbbb"],
              },
            ],
          ].map(([type, name, values]) => ({
            address: `${String(type)}.${String(name)}`,
            mode: "managed",
            type,
            name,
            values,
          })),
        },
      },
    };
    askToldTwice(tf(state), same([tcp(443, fromGroup("sg-1"))]), BASE, IDS);
  });
  test("a default ACL that Terraform adopts keeps only what is written", () => {
    const adopted = blocks({
      "aws_default_network_acl.it": {
        values: { ingress: [], egress: [] },
        refs: { default_network_acl_id: ["aws_vpc.main.default_network_acl_id", "aws_vpc.main"] },
      },
    });
    askToldTwice(
      tf(plan(adopted)),
      same(https, { NetworkAcls: [acl("acl-default", [], [], true)] }),
      [["i-1 → i-2 tcp/443", "deny"]],
      IDS,
    );
  });
});

const CF_IDS = new Map([
  ["ServerOne", "i-1"],
  ["ServerTwo", "i-2"],
]);

function template(
  more: Readonly<Record<string, unknown>> = {},
  rest: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  const ref = (Ref: string): unknown => ({ Ref });
  const of = (Type: string, Properties: unknown): unknown => ({ Type: `AWS::EC2::${Type}`, Properties });
  return {
    AWSTemplateFormatVersion: "2010-09-09",
    ...rest,
    Resources: {
      Main: of("VPC", { CidrBlock: "10.0.0.0/16" }),
      SubnetA: of("Subnet", { VpcId: ref("Main"), CidrBlock: "10.0.0.0/24" }),
      SubnetB: of("Subnet", {
        VpcId: ref("Main"),
        CidrBlock: { "Fn::Select": [1, { "Fn::Cidr": [{ "Fn::GetAtt": "Main.CidrBlock" }, 2, 8] }] },
      }),
      One: of("SecurityGroup", { VpcId: ref("Main"), SecurityGroupIngress: [] }),
      Two: of("SecurityGroup", {
        VpcId: ref("Main"),
        SecurityGroupIngress: [
          {
            IpProtocol: "tcp",
            FromPort: 443,
            ToPort: 443,
            SourceSecurityGroupId: { "Fn::GetAtt": ["One", "GroupId"] },
          },
        ],
        SecurityGroupEgress: [{ IpProtocol: "tcp", FromPort: 1, ToPort: 1, CidrIp: "127.0.0.1/32" }],
      }),
      ServerOne: of("Instance", {
        SubnetId: ref("SubnetA"),
        PrivateIpAddress: "10.0.0.10",
        SecurityGroupIds: [ref("One")],
      }),
      ServerTwo: of("Instance", {
        SubnetId: ref("SubnetB"),
        PrivateIpAddress: "10.0.1.10",
        SecurityGroupIds: [{ "Fn::GetAtt": ["Two", "GroupId"] }],
      }),
      ...more,
    },
  };
}

const cf = (value: unknown): Network => readCloudFormation(value, "template.json");
const named = same([tcp(443, fromGroup("sg-1"))], {}, [tcp(1, from("127.0.0.1/32"))]);

describe("CloudFormation", () => {
  test("[CF-1] JSON and YAML with short tags; an undecided condition is unsure where it matters", () => {
    askToldTwice(cf(template()), named, BASE, CF_IDS);
    const yaml = `
AWSTemplateFormatVersion: "2010-09-09"
Parameters: { Zone: { Type: String }, Open: { Type: String, Default: "no" } }
Conditions: { IsOpen: !Equals [!Ref Open, "yes"], IsWest: !Equals [!Ref Zone, west] }
Resources:
  Main: { Type: AWS::EC2::VPC, Properties: { CidrBlock: 10.0.0.0/16 } }
  SubnetA: { Type: AWS::EC2::Subnet, Properties: { VpcId: !Ref Main, CidrBlock: 10.0.0.0/24 } }
  SubnetB: { Type: AWS::EC2::Subnet, Properties: { VpcId: !Ref Main, CidrBlock: !Sub "10.0.1.0/24" } }
  One: { Type: AWS::EC2::SecurityGroup, Properties: { VpcId: !Ref Main } }
  Two:
    Type: AWS::EC2::SecurityGroup
    Properties:
      VpcId: !Ref Main
      SecurityGroupIngress:
        - { IpProtocol: tcp, FromPort: 443, ToPort: 443, SourceSecurityGroupId: !GetAtt One.GroupId }
        - !If [IsOpen, { IpProtocol: tcp, FromPort: 22, ToPort: 22, CidrIp: 0.0.0.0/0 }, !Ref AWS::NoValue]
        - { IpProtocol: tcp, FromPort: 80, ToPort: 80, CidrIp: !If [IsWest, 0.0.0.0/0, 192.0.2.0/24] }
  ServerOne: { Type: AWS::EC2::Instance, Properties: { SubnetId: !Ref SubnetA, PrivateIpAddress: 10.0.0.10, SecurityGroupIds: [!Ref One] } }
  ServerTwo: { Type: AWS::EC2::Instance, Properties: { SubnetId: !Ref SubnetB, PrivateIpAddress: 10.0.1.10, SecurityGroupIds: [!Ref Two] } }
`;
    const pairs = [
      ["i-1 → i-2 tcp/443", "allow"],
      ["i-1 → i-2 tcp/22", "deny"],
      ["i-1 → i-2 tcp/80", "unsure"],
    ] as const;
    const known = same([tcp(443, fromGroup("sg-1")), tcp(80, { PrefixListIds: [{ PrefixListId: "pl-x" }] })], {}, [
      ALL,
    ]);
    askToldTwice(cf(parseTemplateYaml(yaml)), known, pairs, CF_IDS);
    expect(readNetwork([{ name: "template.yaml", text: yaml }]).network?.owners.size).toBe(2);
  });
  test("[CF-2] Ref and GetAtt name the same object", () => {
    const network = cf(template());
    expect(network.owners.get("ServerTwo")?.interfaces[0]?.groups).toEqual({ kind: "known", value: ["Two"] });
    askToldTwice(network, named, BASE, CF_IDS);
  });
  test("[CF-3] ACLs and their entries; an internet gateway works once it is attached", () => {
    const types = {
      Acl: { Type: "AWS::EC2::NetworkAcl", Properties: { VpcId: { Ref: "Main" } } },
      In: {
        Type: "AWS::EC2::NetworkAclEntry",
        Properties: {
          NetworkAclId: { Ref: "Acl" },
          RuleNumber: 100,
          Protocol: 6,
          RuleAction: "allow",
          Egress: false,
          CidrBlock: "10.0.0.0/16",
          PortRange: { From: 443, To: 443 },
        },
      },
      Join: {
        Type: "AWS::EC2::SubnetNetworkAclAssociation",
        Properties: { SubnetId: { Ref: "SubnetB" }, NetworkAclId: { Ref: "Acl" } },
      },
    };
    const shut = {
      NetworkAcls: [
        acl("acl-default", [], OPEN, true),
        acl("acl-b", ["subnet-b"], [entry(100, false, "allow", "10.0.0.0/16", [443, 443])]),
      ],
    };
    askToldTwice(
      cf(template(types)),
      same([tcp(443, fromGroup("sg-1"))], shut, [tcp(1, from("127.0.0.1/32"))]),
      [["i-1 → i-2 tcp/443", "deny"]],
      CF_IDS,
    );
    askToldTwice(cf(template()), named, BASE, CF_IDS);
    const gateway = (attached: boolean): Network =>
      cf(
        template({
          Igw: { Type: "AWS::EC2::InternetGateway", Properties: {} },
          Table: { Type: "AWS::EC2::RouteTable", Properties: { VpcId: { Ref: "Main" } } },
          Out: {
            Type: "AWS::EC2::Route",
            Properties: {
              RouteTableId: { Ref: "Table" },
              DestinationCidrBlock: "0.0.0.0/0",
              GatewayId: { Ref: "Igw" },
            },
          },
          JoinA: {
            Type: "AWS::EC2::SubnetRouteTableAssociation",
            Properties: { SubnetId: { Ref: "SubnetA" }, RouteTableId: { Ref: "Table" } },
          },
          Address: { Type: "AWS::EC2::EIP", Properties: { InstanceId: { Ref: "ServerOne" } } },
          ...(attached
            ? {
                Attach: {
                  Type: "AWS::EC2::VPCGatewayAttachment",
                  Properties: { VpcId: { Ref: "Main" }, InternetGatewayId: { Ref: "Igw" } },
                },
              }
            : {}),
        }),
      );
    const told = (attached: boolean): unknown =>
      vpc({
        InternetGateways: [
          { InternetGatewayId: "igw-1", Attachments: attached ? [{ VpcId: "vpc-1", State: "available" }] : [] },
        ],
      });
    askToldTwice(gateway(true), told(true), [["i-1 → internet tcp/443", "allow"]], CF_IDS);
    askToldTwice(gateway(false), told(false), [["i-1 → internet tcp/443", "deny"]], CF_IDS);
  });
  test("[CF-4] no inline egress is all egress; beside a rule of its own that is not settled", () => {
    askToldTwice(
      cf(template()),
      named,
      [
        ["i-1 → i-2 tcp/443", "allow"],
        ["i-2 → i-1 tcp/443", "deny"],
      ],
      CF_IDS,
    );
    const loose = {
      OneOut: {
        Type: "AWS::EC2::SecurityGroupEgress",
        Properties: { GroupId: { Ref: "One" }, IpProtocol: "tcp", FromPort: 80, ToPort: 80, CidrIp: "0.0.0.0/0" },
      },
    };
    const two = [tcp(443, from("0.0.0.0/0"))];
    const unsettled = vpc({
      SecurityGroups: [
        group(
          "sg-1",
          [],
          [tcp(80, from("0.0.0.0/0")), { IpProtocol: "-1", PrefixListIds: [{ PrefixListId: "pl-x" }] }],
        ),
        group("sg-2", two),
      ],
      NetworkInterfaces: [
        machine("1", "subnet-a", "10.0.0.10", ["sg-1"]),
        machine("2", "subnet-b", "10.0.1.10", ["sg-2"]),
      ],
    });
    askToldTwice(
      cf(template(loose)),
      unsettled,
      [
        ["i-1 → i-2 tcp/443", "unsure"],
        ["i-1 → i-2 tcp/22", "deny"],
      ],
      CF_IDS,
    );
  });
  test("[CF-5] a rule without a peer adds nothing, and that is said", () => {
    const hollow = {
      Hollow: {
        Type: "AWS::EC2::SecurityGroupIngress",
        Properties: { GroupId: { Ref: "Two" }, IpProtocol: "tcp", FromPort: 80, ToPort: 80 },
      },
    };
    expect(cf(template(hollow)).diagnostics.map((d) => d.code)).toContain("BH406");
    askToldTwice(cf(template(hollow)), named, BASE, CF_IDS);
  });
  test("[CF-6] two ACLs for one subnet are a conflict; protocol -1 with port 0 is all", () => {
    const twice = (second: boolean): Record<string, unknown> =>
      Object.fromEntries(
        ["X", "Y"].flatMap((n) => [
          [`Acl${n}`, { Type: "AWS::EC2::NetworkAcl", Properties: { VpcId: { Ref: "Main" } } }],
          ...(n === "X"
            ? [true, false].map((Egress) => [
                `E${n}${String(Egress)}`,
                {
                  Type: "AWS::EC2::NetworkAclEntry",
                  Properties: {
                    NetworkAclId: { Ref: `Acl${n}` },
                    RuleNumber: 1,
                    Protocol: -1,
                    PortRange: { From: 0, To: 0 },
                    RuleAction: "allow",
                    Egress,
                    CidrBlock: "0.0.0.0/0",
                  },
                },
              ])
            : []),
          ...(n === "X" || second
            ? [
                [
                  `J${n}`,
                  {
                    Type: "AWS::EC2::SubnetNetworkAclAssociation",
                    Properties: { SubnetId: { Ref: "SubnetB" }, NetworkAclId: { Ref: `Acl${n}` } },
                  },
                ],
              ]
            : []),
        ]),
      );
    askToldTwice(cf(template(twice(false))), named, BASE, CF_IDS);
    const conflict = cf(template(twice(true)));
    expect(conflict.diagnostics.map((d) => d.code)).toContain("BH402");
    const maybe = vpc({
      SecurityGroups: [
        group("sg-1", [], [ALL]),
        group("sg-2", [tcp(443, { PrefixListIds: [{ PrefixListId: "pl-x" }] })]),
      ],
      NetworkInterfaces: [
        machine("1", "subnet-a", "10.0.0.10", ["sg-1"]),
        machine("2", "subnet-b", "10.0.1.10", ["sg-2"]),
      ],
    });
    askToldTwice(conflict, maybe, [["i-1 → i-2 tcp/443", "unsure"]], CF_IDS);
  });
});

test("a network-relevant resource that is not read is named", () => {
  const wall: Block = { at: "aws_networkfirewall_firewall.wall", values: {}, refs: { vpc_id: id("aws_vpc.main") } };
  const network = tf(plan([...blocks(), wall]));
  expect(network.diagnostics.map((d) => d.code)).toContain("BH401");
  const open = same([tcp(443, { PrefixListIds: [{ PrefixListId: "pl-x" }] })]);
  askToldTwice(
    network,
    open,
    [
      ["i-1 → i-2 tcp/443", "unsure"],
      ["i-1 → i-2 tcp/80", "deny"],
    ],
    IDS,
  );
});
