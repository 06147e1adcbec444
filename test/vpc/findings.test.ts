import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { VpcEngine } from "../../src/vpc/engine.ts";
import { vpcFindings } from "../../src/vpc/findings.ts";
import { readDescribe } from "../../src/vpc/read/describe.ts";
import { readNetwork } from "../../src/vpc/read/input.ts";
import { fromGroup, group, tcp, vpc } from "./world.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "../../examples/two-applications/vpc");

function findings(path: string): readonly string[] {
  const { network } = readNetwork([{ name: path, text: readFileSync(join(root, path), "utf8") }]);
  if (network === undefined) throw new Error(`${path} is not read`);
  return vpcFindings(new VpcEngine(network)).map((d) => `${d.code} ${d.message}`);
}

const ONE_ZONE = ["BH426 aws_lb.a stands in one zone (eu-west-1a)", "BH426 aws_lb.b stands in one zone (eu-west-1b)"];

test("the story's four subnets have one fault: each load balancer stands in one zone", () => {
  expect(findings("terraform/plan.json")).toEqual(ONE_ZONE);
  expect(findings("cloudformation/template.json").map((f) => f.slice(0, 5))).toEqual(["BH426", "BH426"]);
});

test("the form that deploys has none", () => expect(findings("two-zones/plan.json")).toEqual([]));

test.each([
  ["open-administration", /^BH420 aws_vpc_security_group_ingress_rule\.app_a_ssh admits everybody to port 22 .*latent/],
  [
    "no-way-back",
    /^BH421 what aws_network_acl\.app_a#ingress:100 lets through from or to 10\.0\.0\.0\/24 gets no answer/,
  ],
  ["never-matching", /^BH422 aws_network_acl\.public_a#ingress:130 never matches: 110 decides before it/],
  [
    "deny-after-allow",
    /^BH423 aws_network_acl\.app_a#ingress:\d+ does not keep 10\.0\.1?1?\.?1?1?\.0\/24 from ports 1024-65535: rule 110/,
  ],
  ["private-with-internet", /^BH424 aws_subnet\.app_a is called private, .*aws_instance\.app_a has a public address/],
  [
    "shared-group",
    /^BH425 aws_security_group\.app_a is carried by aws_instance\.app_a of a and aws_instance\.app_b of b/,
  ],
  [
    "shared-subnet",
    /^BH427 aws_subnet\.app_a holds aws_instance\.app_a of a and aws_instance\.app_b of b: no network ACL can separate them/,
  ],
])("the fault %s is found", (name, pattern) => {
  const found = findings(`faults/${name}/plan.json`).filter((f) => !ONE_ZONE.includes(f));
  expect(
    found.some((f) => pattern.test(f)),
    found.join("\n"),
  ).toBe(true);
  expect(new Set(found.map((f) => f.slice(0, 5))), found.join("\n")).toEqual(new Set([pattern.source.slice(1, 6)]));
});

test("a rule that names a group which nothing carries never matches, unless something is not read", () => {
  const carried = group("sg-1", [tcp(443, fromGroup("sg-2")), tcp(444, fromGroup("sg-3"))]);
  const input = vpc({ SecurityGroups: [carried, group("sg-2", []), group("sg-3", [])] });
  const found = vpcFindings(new VpcEngine(readDescribe([input], "describe.json")));
  expect(found.map((one) => `${one.code} ${one.message}`)).toEqual([
    "BH422 sg-1#ingress:tcp/444/sg-3 never matches: nothing carries sg-3",
  ]);
});
