/** Several nodes: segregation follows identity, not the node; only `host` and `remote-node` tell nodes apart. */
import { describeWithPackets, uniqueName } from "../lab/unprivileged.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { labProbe } from "../../src/lab/client.ts";
import { bulkhead, EXAMPLE, json, withFiles } from "./run.ts";

const name = uniqueName();
const lab = (verb: string, ...args: string[]): ReturnType<typeof bulkhead> =>
  bulkhead(["lab", verb, "--name", name, ...args]);

const POD = "default/service-a";

/** Every pair and port as `from to port observed`. */
async function verdicts(): Promise<readonly unknown[]> {
  const { code, stdout } = await lab("probe", "-o", "json");
  expect(code).toBe(0);
  const answer: { readonly pairs: readonly Record<string, unknown>[] } = JSON.parse(stdout);
  expect(answer.pairs.length).toBeGreaterThan(5);
  return answer.pairs.map(({ from, to, port, observed }) => `${from} ${to} ${port} ${observed}`);
}

/** What becomes of the nodes' own connections to the pod, node by node. */
async function fromNodes(): Promise<readonly string[]> {
  const results = await labProbe(
    ["host@node-1", "host@node-2"].map((from) => ({ from, to: POD, protocol: "TCP", port: 80 }) as const),
    { name },
  );
  return results.map(({ outcome }) => outcome);
}

async function nodes(): Promise<ReadonlyMap<string, string>> {
  const status: { readonly pods: readonly { readonly name: string; readonly node: string }[] } = JSON.parse(
    (await lab("status", "-o", "json")).stdout,
  );
  return new Map(status.pods.map((pod) => [pod.name, pod.node]));
}

describeWithPackets("a lab of two nodes", () => {
  beforeAll(async () => {
    const { code, stderr } = await lab("up", EXAMPLE, `${EXAMPLE}/policies/cilium`, "--nodes", "2");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });
  afterAll(() => lab("down"));

  test("pods take turns on the nodes", async () => {
    expect(new Set((await nodes()).values())).toEqual(new Set(["node-1", "node-2"]));
  });

  test("a pod that moves keeps every verdict between pods, while its own node changes; applying keeps it there", async () => {
    expect((await nodes()).get(POD)).toBe("node-1");
    const before = await verdicts();
    expect(before.some((row) => String(row).endsWith("deny"))).toBe(true);
    // A pod's own node may always reach it (cilium.md R9.1); another node is nobody whom the policy names.
    expect(await fromNodes()).toEqual(["allow", "deny"]);

    const moved = await lab("move", POD, "node-2");
    expect(moved.stdout).toMatch(/^default\/service-a is on node-2 \(/);
    expect(await verdicts()).toEqual(before);
    expect(await fromNodes()).toEqual(["deny", "allow"]);

    const pod = `apiVersion: v1
kind: Pod
metadata: {name: another, namespace: default, labels: {org: application-b}}
spec: {containers: [{name: c, image: i}]}
`;
    const stood = await nodes();
    await withFiles({ "another.yaml": pod }, async (folder) => {
      expect((await lab("apply", folder)).code).toBe(0);
      const after = await nodes();
      for (const [one, node] of stood) expect(`${one} ${after.get(one)}`).toBe(`${one} ${node}`);
      expect(await fromNodes()).toEqual(["deny", "allow"]);
      expect((await lab("apply", "--delete", folder)).code).toBe(0);
    });
    expect((await lab("move", "default/Deployment/service-a", "node-1")).code).toBe(0);
    expect(await verdicts()).toEqual(before);
    expect(await fromNodes()).toEqual(["allow", "deny"]);
  });

  test("a pod or node that is not there is an error, and nothing moves", async () => {
    const before = await nodes();
    for (const [pod, node, says] of [
      [POD, "node-3", "the lab has no node node-3"],
      ["default/nobody", "node-1", "default/nobody"],
    ] as const) {
      const { code, stderr } = await lab("move", pod, node);
      expect(code).toBe(2);
      expect(stderr).toContain(says);
    }
    expect(await nodes()).toEqual(before);
  });
});

describeWithPackets("nodes of the input", () => {
  const node = (own: string) => `apiVersion: v1\nkind: Node\nmetadata: {name: ${own}}\n`;
  const INPUT = `${node("alpha")}---
${node("beta")}---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: default, labels: {app: web}}
spec: {nodeName: alpha, containers: [{name: c, image: i, ports: [{containerPort: 80}]}]}
---
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: closed, namespace: default}
spec:
  endpointSelector: {matchLabels: {app: web}}
  ingress: [{fromEntities: [host]}]
`;

  test("a moved pod is where it was moved, for packets and for the engine's word on the running lab", async () => {
    const own = uniqueName();
    const run = (...args: string[]): ReturnType<typeof bulkhead> => bulkhead([...args, "--name", own]);
    await withFiles({ "input.yaml": INPUT }, async (folder) => {
      const few = await run("lab", "up", folder, "--nodes", "1");
      expect(few.code).toBe(2);
      expect(few.stderr).toContain("the input has 2 nodes already");
      expect((await run("lab", "up", folder, "--nodes", "3")).code).toBe(0);
    });
    try {
      const verdict = async (from: string): Promise<readonly string[]> => {
        const why = await run("why", from, "default/web", "--port", "80", "-o", "json");
        const [packet] = await labProbe([{ from, to: "default/web", protocol: "TCP", port: 80 }], { name: own });
        return [String(Object(json(why.stdout))["verdict"]), packet?.outcome ?? ""];
      };
      expect(await verdict("host@alpha")).toEqual(["allow", "allow"]);
      expect(await verdict("host@beta")).toEqual(["deny", "deny"]);
      expect((await run("lab", "move", "default/web", "beta")).code).toBe(0);
      expect(await verdict("host@alpha")).toEqual(["deny", "deny"]);
      expect(await verdict("host@beta")).toEqual(["allow", "allow"]);
    } finally {
      await run("lab", "down");
    }
  });
});
