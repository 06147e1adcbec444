/** `verify --lab`: expectations hold with packets too, and what packets do otherwise is a failure. */
import { describeWithPackets, uniqueName } from "../lab/unprivileged.ts";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { labFault } from "../../src/lab/client.ts";
import { bulkhead, EXAMPLE, json, ROOT, withFiles } from "./run.ts";
import { schemaProblems } from "./schema.ts";

interface Answer {
  readonly summary: { readonly passed: number; readonly failed: number };
  readonly results: readonly {
    readonly assertion: string;
    readonly actual: string;
    readonly why: string;
    readonly packets: { readonly verdict: string | null; readonly sent: number; readonly unseen: readonly string[] };
  }[];
}

async function verify(...args: string[]): Promise<Answer & { readonly code: number }> {
  const { code, stdout } = await bulkhead(["verify", "--lab", ...args, "-o", "json", "--quiet"]);
  expect(schemaProblems("verify", json(stdout))).toEqual([]);
  const answer: Answer = JSON.parse(stdout);
  return { ...answer, code };
}

describeWithPackets("every public case with packets, in one lab that is started for them", () => {
  test.each([
    // Each row that is not seen says why: proxies, unknown labels, ends that no lab has.
    ["semantics", 450],
    ["k8s-e2e", 4680],
    ["cyclonus", 2636],
    ["network-policy-api", 301],
  ] as const)("%s", { timeout: 300_000 }, async (suite, least) => {
    const { code, summary, results } = await verify(join(ROOT, "test/conformance", suite));
    expect({ code, failed: summary.failed }).toEqual({ code: 0, failed: 0 });
    const seen = results.filter(({ packets }) => packets.verdict !== null && packets.unseen.length === 0);
    expect(seen.length).toBeGreaterThanOrEqual(least);
    expect(results.filter(({ packets }) => packets.verdict === null && packets.unseen.length === 0)).toEqual([]);
  });
});

const EXPECTED = `assertions:
  - {from: default/client-a, to: default/service-a, port: 80, verdict: allow}
  - {from: default/client-b, to: default/service-a, port: 80, verdict: deny}
  - {from: internet, to: default/service-b, port: 80, verdict: allow}
`;

describeWithPackets("expectations of a running lab", () => {
  const name = uniqueName();
  beforeAll(async () => {
    await bulkhead(["lab", "up", EXAMPLE, `${EXAMPLE}/policies/cilium`, "--name", name]);
  });
  afterAll(() => bulkhead(["lab", "down", "--name", name]));

  test("its state takes the place of manifests; what packets cannot ask is said", async () => {
    await withFiles({ "expect.yaml": EXPECTED }, async (folder) => {
      const { code, summary, results } = await verify("--name", name, folder);
      expect({ code, ...summary }).toEqual({ code: 0, passed: 3, failed: 0 });
      expect(results.map(({ packets }) => packets.verdict)).toEqual(["allow", "deny", null]);
      expect(results[2]?.packets.unseen).toContain("from outside only load balancers answer in this lab");
    });
  });

  test("a packet that does otherwise fails its row, with what the kernel said", async () => {
    await labFault({ kind: "drop", from: "default/client-a", to: "default/service-a" }, { name });
    await withFiles({ "expect.yaml": EXPECTED }, async (folder) => {
      const { code, results } = await verify("--name", name, folder);
      expect(code).toBe(1);
      expect(results[0]).toMatchObject({ actual: "allow, and deny with packets" });
      expect(results[0]?.why).toContain("fault: seeded by a test");
      const { stdout } = await bulkhead(["verify", "--lab", "--name", name, folder]);
      expect(stdout).toContain("is        allow, and deny with packets");
      expect(stdout).toContain("3 packets: 2 rows seen whole, 0 in part, 1 not\n2 passed, 1 failed\n");
    });
    await labFault({ kind: "none" }, { name });
  });
});

describeWithPackets("rules that the lab does not enforce", () => {
  test("are listed where that is allowed, and rows that they touch say so", async () => {
    const policy = `apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: authenticated, namespace: default}
spec:
  endpointSelector: {matchLabels: {class: service-a}}
  ingress: [{fromEndpoints: [{}], authentication: {mode: required}}]
`;
    const name = uniqueName();
    await withFiles({ "policy.yaml": policy, "expect.yaml": EXPECTED }, async (folder) => {
      const up = ["lab", "up", EXAMPLE, join(folder, "policy.yaml"), "--name", name];
      expect((await bulkhead(up)).code).toBe(2);
      const { code, stderr } = await bulkhead([...up, "--allow-unenforced"]);
      expect(code).toBe(0);
      expect(stderr).toMatch(
        /policy\.yaml:6: warning: not enforced: CiliumNetworkPolicy\/default\/authenticated#ingress\[0\]: mutual/,
      );
      const status = await bulkhead(["lab", "status", "--name", name]);
      expect(status.stdout).toContain("not enforced: CiliumNetworkPolicy/default/authenticated#ingress[0]");
      const verified = await bulkhead(["verify", "--lab", "--name", name, folder]);
      expect(verified.stdout).toContain("  packets   not asked: the answer is unsure");
      await bulkhead(["lab", "down", "--name", name]);
    });
  });
});
