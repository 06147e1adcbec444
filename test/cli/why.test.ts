import { describe, expect, test } from "vitest";
import { bulkhead, EXAMPLE, json } from "./run.ts";
import { schemaProblems } from "./schema.ts";

const STORY = ["-f", EXAMPLE, "-f", `${EXAMPLE}/policies/cilium`];
const POLICY = `${EXAMPLE}/policies/cilium/service-a.yaml`;

describe.concurrent("why", () => {
  test("names the policy that denies, with its place", async () => {
    const { code, stdout } = await bulkhead([
      "why",
      "default/client-b",
      "default/service-a",
      "--port",
      "80/TCP",
      ...STORY,
    ]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^deny {2}default\/client-b → default\/service-a, TCP 80\n/);
    expect(stdout).toContain(`default deny by CiliumNetworkPolicy/default/service-a  ${POLICY}:3`);
    expect(stdout).toContain(`peer does not match, port matches  ${POLICY}:14`);
  });

  test("names the rule that allows, and each hop on the way from a Service", async () => {
    const { stdout } = await bulkhead(["why", "default/client-a", "default/Service/service-a", ...STORY]);
    expect(stdout).toMatch(/^allow/);
    expect(stdout).toContain(`CiliumNetworkPolicy/default/service-a#ingress[0]`);
    expect(stdout).toContain("1. default/Service/service-a: 80 → 80");
    expect(stdout).toContain("2. egress of default/Deployment/client-a: allow, no policy selects it");
    expect(stdout).toContain("3. ingress of default/Deployment/service-a: allow, a rule decides");
  });

  test("the JSON keeps to its schema", async () => {
    const { stdout } = await bulkhead(["why", "default/client-b", "default/service-a", "-o", "json", ...STORY]);
    const answer = json(stdout);
    expect(schemaProblems("why", answer)).toEqual([]);
    expect(answer).toMatchObject({
      verdict: "deny",
      decidedBy: [{ direction: "ingress", reason: "default-deny", name: "service-a", file: POLICY, line: 3 }],
    });
  });

  test.each([
    [["ingress-controller", "default/service-a"], "deny"],
    [["ingress-controller", "default/service-b"], "allow"],
    [["internet", "default/service-a"], "deny"],
    [["default/client-a", "default/service-a", "--port", "443"], "deny"],
    [["default/client-b", "ip:203.0.113.7", "--port", "53/UDP"], "allow"],
    [["default/client-a", "default/service-a", "--port", "8/ICMP"], "deny"],
  ])("%j: %s", async (args, verdict) => {
    const { code, stdout } = await bulkhead(["why", ...args, ...STORY]);
    expect(code).toBe(0);
    expect(stdout.split(/\s/)[0]).toBe(verdict);
  });
});
