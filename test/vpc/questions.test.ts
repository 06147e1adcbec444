import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { Diff } from "../../src/questions/diff.ts";
import { vpcDiff } from "../../src/questions/vpc/diff.ts";
import { vpcExposure } from "../../src/questions/vpc/exposure.ts";
import { VpcImpactGraph } from "../../src/questions/vpc/impact.ts";
import { flowText } from "../../src/report/reach-report.ts";
import { VpcEngine } from "../../src/vpc/engine.ts";
import { readDescribe } from "../../src/vpc/read/describe.ts";
import { readNetwork } from "../../src/vpc/read/input.ts";
import { acl, entry, from, group, machine, OPEN, tcp, vpc } from "./world.ts";

const here = dirname(fileURLToPath(import.meta.url));

function engine(path: string): VpcEngine {
  const { network } = readNetwork([{ name: path, text: readFileSync(join(here, path), "utf8") }]);
  if (network === undefined) throw new Error(`${path} is not read`);
  return new VpcEngine(network);
}

const EXAMPLE = "../../examples/two-applications/vpc";
const SUITE = "../conformance/aws-vpc";
const story = engine(`${EXAMPLE}/terraform/plan.json`);

function lines({ changes }: Diff): readonly string[] {
  return changes.map(({ from: a, to, gained, lost, by }) => {
    const signs = [...gained.map((one) => `+${flowText(one)}`), ...lost.map((one) => `-${flowText(one)}`)];
    return `${a} → ${to} ${signs.join(" ")} by ${by.map((one) => `${one.change} ${one.name}`).join(", ")}`;
  });
}

describe("diff of two VPCs", () => {
  test("names the rule that did it, in what was read last or, for what was removed, first", () => {
    const found = vpcDiff(story, engine(`${EXAMPLE}/faults/no-way-back/plan.json`));
    expect(lines(found)).toEqual([
      "aws_lb.a → aws_instance.app_a -TCP 8080 by removed aws_network_acl.app_a#egress:100",
      "aws_lb.a:443 → aws_instance.app_a -TCP 8080 by removed aws_network_acl.app_a#egress:100",
    ]);
    const [policy] = found.policies;
    expect(policy?.document.locate([]).file).toBe(`${EXAMPLE}/terraform/plan.json`);
    expect(found.counts).toMatchObject({ added: 0, removed: 2 });
  });

  test("a rule that changes nothing is told, and no connection", () => {
    const found = vpcDiff(story, engine(`${EXAMPLE}/faults/open-administration/plan.json`));
    expect(found.changes).toEqual([]);
    expect(found.policies.map((one) => one.name)).toEqual(["aws_vpc_security_group_ingress_rule.app_a_ssh"]);
  });

  test.each([
    ["base/plan.json", "base/describe.json"],
    ["base-cfn/template.json", "base/describe.json"],
    ["base-two-az/describe.json", "base-two-az/plan.json"],
  ])("two tellings of one network, %s and %s, differ in nothing", (a, b) => {
    const found = vpcDiff(engine(`${SUITE}/${a}`), engine(`${SUITE}/${b}`));
    expect(lines(found)).toEqual([]);
    expect([...found.appeared, ...found.disappeared]).toEqual([]);
  });

  test("a plan against what AWS answers: what has drifted, by what decides on either side", () => {
    const found = vpcDiff(engine(`${SUITE}/base/plan.json`), engine(`${SUITE}/v08-alb-b-no-egress/describe.json`));
    expect(found.changes).toHaveLength(2);
    const names = found.changes[0]?.causes.flatMap((cause) => cause.origins.map((one) => `${cause.in} ${one.name}`));
    expect(names).toContain("old aws_security_group_rule.alb_b_to_app");
    expect(names?.some((name) => /^new sg-.*#egress:none$/.test(name))).toBe(true);
  });

  test("a reply that now gets to some of the client's ports only is not sure, and says so", () => {
    const open = vpc();
    const half = [...OPEN.filter((_, i) => i === 1 || i === 3), entry(90, true, "allow", "0.0.0.0/0", [40000, 65535])];
    const narrow = vpc({ NetworkAcls: [acl("acl-default", [], OPEN, true), acl("acl-b", ["subnet-b"], half)] });
    const [a, b] = [open, narrow].map((input) => new VpcEngine(readDescribe([input], "describe.json")));
    if (a === undefined || b === undefined) throw new Error("both are there");
    const change = vpcDiff(a, b).changes.find((one) => one.from === "i-1" && one.to === "i-2");
    expect(change?.unsure.map(flowText)).toContain("TCP");
    expect(change?.because.map((one) => one.code)).toContain("partly");
  });
});

describe("the area of impact", () => {
  test("what falls is what groups, ACLs and routes let open, and never the other application", () => {
    const graph = new VpcImpactGraph(story);
    const [unit] = graph.named("aws_instance.app_a");
    const impact = graph.impact(unit ?? expect.fail());
    expect(impact.steps.map((step) => `${step.from} → ${step.to} ${step.flows.map(flowText).join()}`)).toEqual([
      "aws_instance.app_a → aws_lb.a TCP 443",
    ]);
    expect(impact).toMatchObject({ application: "a", applications: [], internet: "allow", without: 3 });
  });

  test("a load balancer sends to its targets alone, whatever its groups let through", () => {
    const graph = new VpcImpactGraph(engine(`${SUITE}/v12-three-layers-fail/plan.json`));
    const [balancer] = graph.named("aws_lb.a");
    const [other] = graph.named("aws_instance.app_b");
    const reached = graph.impact(balancer ?? expect.fail()).steps.filter((step) => step.from === "aws_lb.a");
    expect(reached.map((step) => [step.to, step.narrowed])).toEqual([["aws_instance.app_a", true]]);
    expect(graph.ways(balancer ?? expect.fail(), other ?? expect.fail()).every((way) => way.steps.length > 1)).toBe(
      true,
    );
  });
});

describe("the attack surface", () => {
  const world = (groups: readonly unknown[]): VpcEngine =>
    new VpcEngine(readDescribe([vpc({ SecurityGroups: groups })], "describe.json"));

  test("a machine with a public address: its ports, and the rule that would have to change", () => {
    const open = world([
      group("sg-1", [tcp(443, from("0.0.0.0/0")), tcp(22, from("203.0.113.0/24"))]),
      group("sg-2", []),
    ]);
    const one = vpcExposure(open).endpoints.find(({ unit }) => unit.name === "i-1");
    expect(one?.waysIn.map((way) => [way.from, way.verdict, way.flows.map(flowText)])).toEqual([
      [expect.stringContaining("1.0.0.0"), "allow", ["TCP 443"]],
      ["203.0.113.0/24", "allow", ["TCP 22,443"]],
    ]);
    expect(one?.waysIn[0]?.closers[0]?.origins.map((origin) => origin.name)).toEqual([
      "sg-1#ingress:tcp/443/0.0.0.0/0",
    ]);
    expect(one?.waysIn[0]?.dialled).toBe("198.51.100.1 through igw-1");
  });

  test("one that its group keeps closed is told with what closes it; one without a public address has no way in", () => {
    const { endpoints, counts } = vpcExposure(world([group("sg-1", []), group("sg-2", [])]));
    expect(endpoints.map(({ unit, waysIn }) => [unit.name, waysIn.map((way) => way.verdict)])).toEqual([
      ["i-1", ["deny"]],
      ["i-2", []],
    ]);
    expect(endpoints[0]?.waysIn[0]?.closers[0]?.origins.map((one) => one.name)).toEqual(["sg-1#ingress:none"]);
    expect(counts).toMatchObject({ exposed: 0, open: 0, reachingOut: 1 });
  });

  test("one interface more with a public address is one more way in", () => {
    const input = vpc({
      NetworkInterfaces: [
        machine("1", "subnet-a", "10.0.0.10", ["sg-1"], { publicIp: "198.51.100.1" }),
        machine("2", "subnet-b", "10.0.1.10", ["sg-2"], { publicIp: "198.51.100.2" }),
      ],
    });
    expect(vpcExposure(new VpcEngine(readDescribe([input], "describe.json"))).counts).toMatchObject({ open: 2 });
  });
});
