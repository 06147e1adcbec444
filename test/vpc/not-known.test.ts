/** What a plan does not know before apply, and what of it is not read: named, and unsure, never guessed. */
import { describe, expect, test } from "vitest";
import { VpcEngine } from "../../src/vpc/engine.ts";
import { readNetwork } from "../../src/vpc/read/input.ts";
import { type Block, blocks, id, plan, rule } from "./plans.ts";

function engineOf(all: readonly Block[]): { readonly engine: VpcEngine; readonly said: readonly string[] } {
  const text = JSON.stringify(plan(all), null, 2);
  const { network, diagnostics } = readNetwork([{ name: "plan.json", text }]);
  if (network === undefined) throw new Error("the plan is read");
  return { engine: new VpcEngine(network), said: diagnostics.map((one) => `${one.code} ${one.message}`) };
}

/** The verdict about i1 → i2 on 443, and why it is not sure. */
function answer(all: readonly Block[], port = 443): readonly string[] {
  const { verdict, because } = engineOf(all).engine.why({
    from: "aws_instance.i1",
    to: "aws_instance.i2",
    protocol: "TCP",
    port,
  });
  return [verdict, ...because.map((one) => one.detail)];
}

describe("known only after apply", () => {
  test("everything known: the story is plain", () => {
    expect(answer(blocks())).toEqual(["allow"]);
    expect(answer(blocks(), 80)).toEqual(["deny"]);
  });

  test.each([
    ["from_port", "aws_security_group.two.ingress.0.from_port"],
    ["protocol", "aws_security_group.two.ingress.0.protocol"],
  ])("%s of an inline rule", (key, detail) => {
    const { [key]: _, ...open } = rule({ protocol: "tcp", from_port: 443, to_port: 443 });
    const two: Partial<Block> = {
      values: { name: "two", ingress: [open], egress: [] },
      refs: { vpc_id: id("aws_vpc.main") },
      unknown: { ingress: [{ [key]: true }] },
    };
    expect(answer(blocks({ "aws_security_group.two": two }))).toEqual(["unsure", detail]);
  });

  test("the port of a rule of its own", () => {
    const loose: Block = {
      at: "aws_vpc_security_group_ingress_rule.web",
      values: { ip_protocol: "tcp", cidr_ipv4: "0.0.0.0/0" },
      refs: { security_group_id: id("aws_security_group.two"), from_port: ["var.port"], to_port: ["var.port"] },
    };
    expect(answer([...blocks(), loose], 80)).toEqual(["unsure", "aws_vpc_security_group_ingress_rule.web.from_port"]);
  });

  test("number or action of an entry of an ACL", () => {
    const acl: Block = {
      at: "aws_network_acl.b",
      values: { ingress: [], egress: [] },
      refs: { vpc_id: id("aws_vpc.main"), subnet_ids: id("aws_subnet.b") },
    };
    const entry: Block = {
      at: "aws_network_acl_rule.in",
      values: { egress: false, protocol: "-1", rule_action: "allow", cidr_block: "0.0.0.0/0" },
      refs: { network_acl_id: id("aws_network_acl.b"), rule_number: ["var.number"] },
    };
    expect(answer([...blocks(), acl])).toEqual(["deny"]);
    const [verdict, ...details] = answer([...blocks(), acl, entry]);
    expect([verdict, details.join()]).toEqual(["unsure", expect.stringContaining("aws_network_acl_rule.in")]);
  });

  test("the blocks of the VPC: nobody knows what is local", () => {
    const main: Partial<Block> = { values: {}, refs: { cidr_block: ["aws_vpc_ipam_pool_cidr.x.cidr"] } };
    const [verdict, ...details] = answer(blocks({ "aws_vpc.main": main }));
    expect([verdict, details]).toEqual(["unsure", expect.arrayContaining(["CIDR blocks of aws_vpc.main"])]);
  });

  test("the groups of a machine, and the subnet that it stands in", () => {
    const groups: Partial<Block> = {
      refs: { subnet_id: id("aws_subnet.b"), vpc_security_group_ids: ["local.groups"] },
    };
    expect(answer(blocks({ "aws_instance.i2": groups }))[0]).toBe("unsure");
    const subnet: Partial<Block> = {
      refs: { subnet_id: ["local.subnet"], vpc_security_group_ids: id("aws_security_group.two") },
    };
    expect(answer(blocks({ "aws_instance.i2": subnet }))[0]).toBe("unsure");
  });
});

describe("not read", () => {
  test.each([
    ["aws_networkfirewall_firewall.x", "unsure"],
    ["aws_lambda_function.x", "allow"],
    ["aws_db_instance.x", "allow"],
  ])("%s is named; what it may narrow is %s", (at, verdict) => {
    const all = [...blocks(), { at, values: {}, refs: { vpc_id: id("aws_vpc.main") } }];
    expect(answer(all)[0]).toBe(verdict);
    expect(engineOf(all).said).toEqual([expect.stringMatching(`^BH401 ${at.replace(".", "\\.")} `)]);
  });

  test("each message stands where the resource does", () => {
    const text = JSON.stringify(plan([...blocks(), { at: "aws_lambda_function.x", values: {} }]), null, 2);
    const { diagnostics } = readNetwork([{ name: "plan.json", text }]);
    const [one] = diagnostics;
    const lines = text.split("\n");
    expect(lines.slice((one?.line ?? 1) - 1, (one?.line ?? 1) + 2).join("")).toContain("aws_lambda_function.x");
  });

  test("[BH407] rules of one group managed in two ways undo each other", () => {
    const loose: Block = {
      at: "aws_security_group_rule.more",
      values: { type: "ingress", protocol: "tcp", from_port: 80, to_port: 80, cidr_blocks: ["0.0.0.0/0"] },
      refs: { security_group_id: id("aws_security_group.two") },
    };
    const single: Block = {
      at: "aws_vpc_security_group_ingress_rule.more",
      values: { ip_protocol: "tcp", from_port: 81, to_port: 81, cidr_ipv4: "0.0.0.0/0" },
      refs: { security_group_id: id("aws_security_group.three") },
    };
    const three: Block = {
      at: "aws_security_group.three",
      values: { name: "three" },
      refs: { vpc_id: id("aws_vpc.main") },
    };
    expect(engineOf([...blocks(), loose]).said).toEqual([
      "BH407 the rules of aws_security_group.two are managed by inline and aws_security_group_rule",
    ]);
    expect(engineOf([...blocks(), three, single]).said).toEqual([]);
  });
});
