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
    ["semantics", 564],
    ["cilium-documentation", 90],
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

const NAMES = `apiVersion: v1
kind: Pod
metadata: {name: asks, namespace: default, labels: {app: asks}}
spec: {containers: [{name: c}]}
---
apiVersion: v1
kind: Pod
metadata: {name: asks-not, namespace: default, labels: {app: asks-not}}
spec: {containers: [{name: c}]}
---
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: asks, namespace: default}
spec:
  endpointSelector: {matchLabels: {app: asks}}
  egress:
  - toEndpoints: [{matchLabels: {k8s:io.kubernetes.pod.namespace: kube-system, k8s-app: kube-dns}}]
    toPorts: [{ports: [{port: "53", protocol: UDP}], rules: {dns: [{matchPattern: "*.example.com"}]}}]
  - toFQDNs: [{matchName: api.example.com}, {matchName: example.org}]
    toPorts: [{ports: [{port: "443", protocol: TCP}]}]
---
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: asks-not, namespace: default}
spec:
  endpointSelector: {matchLabels: {app: asks-not}}
  egress: [{toFQDNs: [{matchName: api.example.com}]}]
`;
const NAMED = `manifests: [manifests.yaml]
assertions:
  - {from: default/asks, to: "fqdn:api.example.com", port: 443, verdict: allow}
  - {from: default/asks, to: "fqdn:API.example.com.", port: 80, verdict: deny}
  - {from: default/asks, to: "fqdn:www.example.com", port: 443, verdict: deny}
  - {from: default/asks, to: "fqdn:example.org", port: 443, verdict: deny}
  - {from: default/asks-not, to: "fqdn:api.example.com", port: 443, verdict: deny}
`;

describeWithPackets("names outside", () => {
  test("are looked up by the pod before it sends; one pod's look-up does not help another", async () => {
    await withFiles({ "manifests.yaml": NAMES, "expect.yaml": NAMED }, async (folder) => {
      const { code, summary, results } = await verify(folder);
      expect({ code, ...summary }).toEqual({ code: 0, passed: 5, failed: 0 });
      expect(results.map(({ packets }) => packets.verdict)).toEqual(["allow", "deny", "deny", "deny", "deny"]);
    });
  });

  test("of a running lab are those that it answers for", async () => {
    const name = uniqueName();
    const files = {
      "manifests.yaml": NAMES,
      "names.yaml": "api.example.com: [198.51.100.5]\n",
      "expect.yaml": NAMED.replace("manifests: [manifests.yaml]\n", ""),
    };
    await withFiles(files, async (folder) => {
      const names = ["--names", join(folder, "names.yaml")];
      // Both pods have one node.
      expect((await bulkhead(["lab", "up", join(folder, "manifests.yaml"), ...names, "--name", name])).code).toBe(0);
      const { code, results } = await verify("--name", name, join(folder, "expect.yaml"));
      await bulkhead(["lab", "down", "--name", name]);
      expect(code).toBe(0);
      expect(results.map(({ packets }) => packets.verdict)).toEqual(["allow", "deny", null, null, null]);
      expect(results.map(({ packets }) => packets.unseen[0] ?? "").slice(2)).toEqual([
        "the lab's name server has no IPv4 address for www.example.com.",
        "the lab's name server has no IPv4 address for example.org.",
        "another pod of the same node has looked api.example.com. up, which opens it here too",
      ]);
    });
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
      const apply = ["lab", "apply", join(folder, "policy.yaml"), "--name", name];
      expect((await bulkhead(apply)).stderr).toContain("warning: not enforced");
      const verified = await bulkhead(["verify", "--lab", "--name", name, folder]);
      expect(verified.stdout).toContain("  packets   not asked: the answer is unsure");
      await bulkhead(["lab", "down", "--name", name]);
    });
  });
});
