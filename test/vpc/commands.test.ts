import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { vpcReach } from "../../src/vpc/shown.ts";
import { VpcEngine } from "../../src/vpc/engine.ts";
import { readDescribe } from "../../src/vpc/read/describe.ts";
import { bulkhead } from "../cli/run.ts";
import { schemaProblems } from "../cli/schema.ts";
import { acl, entry, OPEN, vpc } from "./world.ts";

const PLAN = "examples/two-applications/vpc/terraform/plan.json";

describe("commands about a VPC", () => {
  test("reach: only load balancers are exposed, traffic goes down and never across", async () => {
    const { stdout, code } = await bulkhead(["reach", PLAN, "-o", "json"]);
    expect(code).toBe(0);
    const answer: unknown = JSON.parse(stdout);
    expect(schemaProblems("reach", answer)).toEqual([]);
    expect(stdout).toContain('"from":"internet","to":"aws_lb.a"');
    expect(stdout).not.toContain('"from":"internet","to":"aws_instance');
    expect(stdout).not.toContain('"from":"aws_lb.a","to":"aws_instance.app_b"');
  });

  test("why: every hop, there and back, and the way that works one way only", async () => {
    const fault = "examples/two-applications/vpc/faults/no-way-back/plan.json";
    const { stdout } = await bulkhead(["why", "aws_lb.a", "aws_instance.app_a", "--port", "8080", "-f", fault]);
    expect(stdout).toContain("the request passes; the reply is dropped by aws_network_acl.app_a, egress rule *");
    const json = await bulkhead([
      "why",
      "internet",
      "aws_instance.app_a",
      "--via",
      "aws_lb.a",
      "--port",
      "443",
      "-f",
      PLAN,
      "-o",
      "json",
    ]);
    const answer: unknown = JSON.parse(json.stdout);
    expect(schemaProblems("why", answer)).toEqual([]);
    expect(answer).toMatchObject({ verdict: "allow", dialect: "aws" });
  });

  test("a plan and a template together are two tellings: exit 2", async () => {
    const { code, stderr } = await bulkhead([
      "reach",
      PLAN,
      "examples/two-applications/vpc/cloudformation/template.json",
    ]);
    expect(code).toBe(2);
    expect(stderr).toContain("several tellings");
  });

  test("the pictures put public subnets above", async () => {
    const { stdout } = await bulkhead(["reach", PLAN, "-o", "svg"]);
    const at = (axis: string, name: string): number =>
      Number(new RegExp(` ${axis}="(\\d+)"[^>]*>${name}<`).exec(stdout)?.[1]);
    expect(at("y", "aws_subnet.public_a")).toBeLessThan(at("y", "aws_subnet.app_a"));
    expect(at("x", "aws_subnet.public_a")).toBe(at("x", "aws_subnet.app_a"));
    expect(at("x", "aws_subnet.public_a")).toBeLessThan(at("x", "aws_subnet.public_b"));
    expect(existsSync(PLAN)).toBe(true);
  });

  test("lint: exit 1 where a fault is an error, each finding at its place", async () => {
    const fault = "examples/two-applications/vpc/faults/no-way-back/plan.json";
    const { stdout, code } = await bulkhead(["lint", fault, "-o", "json"]);
    expect(code).toBe(1);
    const answer: unknown = JSON.parse(stdout);
    expect(schemaProblems("lint", answer)).toEqual([]);
    expect(stdout).toContain('"code":"BH421"');
    const lines = readFileSync(fault, "utf8").split("\n");
    const line = Number(/"code":"BH421".*?"line":(\d+)/.exec(stdout)?.[1]);
    expect(lines.slice(line - 1, line + 10).join("")).toContain('"rule_no": 100');
  });

  test("exposure: load balancers by their public address, machines over listeners, and what closes each", async () => {
    const { stdout, code } = await bulkhead(["exposure", PLAN, "--against", "none", "-o", "json"]);
    expect(code).toBe(0);
    const answer: unknown = JSON.parse(stdout);
    expect(schemaProblems("exposure", answer)).toEqual([]);
    expect(answer).toMatchObject({
      summary: { endpoints: 4, exposed: 4, open: 2, reachingOut: 2 },
      withoutPolicies: { exposed: 4 },
    });
    expect(stdout).toContain('"dialled":"aws_lb.b:443"');
    expect(stdout).toContain("SecurityGroup/aws_vpc_security_group_ingress_rule.app_a_from_alb");
    expect(stdout).toContain('"through":"aws_nat_gateway.a"');
  });
});

test("a reply that gets back to some of the client's ports only is listed apart", () => {
  const entries = [...OPEN.filter((_, i) => i === 1 || i === 3), entry(90, true, "allow", "0.0.0.0/0", [40000, 65535])];
  const engine = new VpcEngine(
    readDescribe(
      [vpc({ NetworkAcls: [acl("acl-default", [], OPEN, true), acl("acl-b", ["subnet-b"], entries)] })],
      "d",
    ),
  );
  const [pair] = [
    ...vpcReach(engine, { from: "i-1", to: "i-2", outside: false, provenance: false, by: "endpoint" }).pairs,
  ];
  expect(pair?.mixed.map((m) => m.protocol)).toContain("TCP");
  expect(pair?.allow.map((m) => m.protocol)).not.toContain("TCP");
});

describe("a VPC beside a cluster", () => {
  const both = ["-f", "examples/two-applications", "-f", PLAN];

  test("why is asked of the one in which its ends stand", async () => {
    const vpcs = await bulkhead(["why", "aws_lb.a", "aws_instance.app_b", "--port", "8080", ...both]);
    expect(vpcs.stdout).toContain("decided by  aws_security_group.alb_a#egress:none");
    const clusters = await bulkhead(["why", "default/client-b", "default/service-a", ...both]);
    expect(clusters.stdout).toContain("allow  default/client-b → default/service-a");
    const across = await bulkhead(["why", "aws_lb.a", "default/service-a", "--port", "80", ...both]);
    expect([across.code, across.stdout]).toEqual([2, ""]);
  });

  test("lint finds in both; other questions are asked of one", async () => {
    const { stdout, code } = await bulkhead(["lint", ...both]);
    expect(code).toBe(0);
    expect(stdout).toContain("BH426");
    expect(stdout).toContain("kubernetes and aws");
    expect((await bulkhead(["reach", ...both])).code).toBe(2);
  });
});

describe("impact and diff of a VPC", () => {
  test("impact keeps to its schema, for one and for all", async () => {
    for (const what of [["aws_instance.app_a"], ["--all"], ["aws_instance.app_a", "--to", "aws_lb.a"]]) {
      const { stdout, code } = await bulkhead(["impact", ...what, "-f", PLAN, "-o", "json"]);
      expect(code).toBe(0);
      expect(schemaProblems("impact", JSON.parse(stdout))).toEqual([]);
    }
  });

  test("diff keeps to its schema and tells by its code that something changed", async () => {
    const fault = "examples/two-applications/vpc/faults/no-way-back/plan.json";
    const { stdout, code } = await bulkhead(["diff", PLAN, fault, "--exit-code", "-o", "json"]);
    expect(code).toBe(1);
    expect(schemaProblems("diff", JSON.parse(stdout))).toEqual([]);
    const same = await bulkhead([
      "diff",
      "git:HEAD:examples/two-applications/vpc/terraform/plan.json",
      PLAN,
      "-o",
      "md",
    ]);
    expect(same.stdout).toContain("No connection is gained or lost");
    const picture = await bulkhead(["diff", PLAN, fault, "-o", "svg"]);
    expect(picture.stdout).toContain("aws_subnet.public_a");
  });
});
