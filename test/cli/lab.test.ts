import { describeWithPackets, uniqueName } from "../lab/unprivileged.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bulkhead, EXAMPLE, json, withFiles } from "./run.ts";
import { schemaProblems } from "./schema.ts";

const name = uniqueName();
const lab = (verb: string, ...args: string[]): ReturnType<typeof bulkhead> =>
  bulkhead(["lab", verb, "--name", name, ...args]);
const curl = (from: string, to: string): ReturnType<typeof bulkhead> =>
  lab("exec", from, "--", "curl", "--silent", "--max-time", "5", to);

describeWithPackets("a lab from the command line", () => {
  beforeAll(async () => {
    const { code, stdout, stderr } = await lab("up", "-f", EXAMPLE, "-o", "json");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(schemaProblems("lab-status", json(stdout))).toEqual([]);
  });
  afterAll(async () => {
    expect((await lab("down")).code).toBe(0);
    expect((await lab("status")).code).toBe(2);
  });

  test("status names what runs", async () => {
    const { stdout } = await lab("status");
    expect(stdout).toContain("default/client-a");
    expect(stdout).toMatch(/default\/service-a +10\.96\.0\.\d+ +80\/TCP → default\/service-a:80/);
    expect(stdout).toContain("Ingress at");
    expect(schemaProblems("lab-status", json((await lab("status", "-o", "json")).stdout))).toEqual([]);
  });

  test("a second lab of the name is refused", async () => {
    const { code, stderr } = await lab("up", "-f", EXAMPLE);
    expect(code).toBe(2);
    expect(stderr).toContain("running already");
  });

  test("programs run in pods, where Services have names; their exit code is the command's", async () => {
    for (const host of ["service-a", "service-a.default", "service-a.default.svc.cluster.local"]) {
      const { code, stdout } = await curl("default/client-b", `http://${host}/`);
      expect(stdout).toMatch(/served by default\/service-a[\s\S]*from +10\.244\.0\.\d+ \(default\/client-b\)/);
      expect(code).toBe(0);
    }
    expect((await lab("exec", "default/client-b", "--", "sh", "-c", "exit 7")).code).toBe(7);
    expect((await lab("exec", "default/Deployment/client-b", "true")).code).toBe(0);
    expect((await lab("exec", "default/nobody", "true")).code).toBe(2);
  });

  test("options of exec stand on either side of the pod, never behind the program", async () => {
    const exec = (...args: readonly string[]): ReturnType<typeof bulkhead> => bulkhead(["lab", "exec", ...args]);
    const said = ["sh", "-c", "echo $0 $1", "--name", "other"];
    for (const args of [
      ["--name", name, "default/client-b", "--", ...said],
      ["default/client-b", "--name", name, "--", ...said],
      ["default/client-b", "--name", name, ...said],
    ])
      expect(await exec(...args)).toEqual({ code: 0, stdout: "--name other\n", stderr: "" });
    expect(await exec("default/client-b", "--nam", name, "true")).toMatchObject({ code: 2, stdout: "" });
    expect(await exec("default/client-b", "--name", name)).toMatchObject({ code: 2, stdout: "" });
  });

  test("policies come and go in a running lab, and the engine's word stands beside the packets", async () => {
    const policies = ["-f", `${EXAMPLE}/policies/cilium`];
    const applied = await lab("apply", ...policies, "-o", "json");
    expect(schemaProblems("lab-apply", json(applied.stdout))).toEqual([]);
    expect(json(applied.stdout)).toMatchObject({ added: ["CiliumNetworkPolicy/default/service-a"] });
    expect((await curl("default/client-b", "http://service-a/")).code).not.toBe(0);
    expect((await curl("default/client-a", "http://service-a/")).code).toBe(0);

    const why = await bulkhead(["why", "default/client-b", "default/service-a", "--name", name]);
    expect(why.stdout).toMatch(/^deny/);
    expect(why.stdout).toContain(`${EXAMPLE}/policies/cilium/service-a.yaml:14`);

    const probed = await lab("probe", "-o", "json");
    expect(schemaProblems("lab-probe", json(probed.stdout))).toEqual([]);
    expect(json(probed.stdout)).toMatchObject({ agree: true });
    expect(probed.code).toBe(0);
    expect((await lab("probe")).stdout).toContain("all as predicted");

    const flows = await lab("flows", "--verdict", "DROPPED", "-o", "json");
    const lines = flows.stdout.trim().split("\n");
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.flatMap((line) => schemaProblems("lab-flow", json(line)))).toEqual([]);
    expect((await lab("flows", "--since", "1h")).stdout).toMatch(/default\/client-b:\d+ .* DROPPED/);

    const again = await lab("apply", ...policies);
    expect(again.stdout).toBe("CiliumNetworkPolicy/default/service-a replaced\n");
    const pruned = await lab("apply", "--prune", "-f", `${EXAMPLE}/policies/cilium-ingress`);
    expect(pruned.stdout).toBe(
      "CiliumNetworkPolicy/default/service-a-ingress added\nCiliumNetworkPolicy/default/service-a removed\n",
    );
    const deleted = await lab("apply", "--delete", "-f", `${EXAMPLE}/policies/cilium-ingress`);
    expect(deleted.stdout).toBe("CiliumNetworkPolicy/default/service-a-ingress removed\n");
    expect((await curl("default/client-b", "http://service-a/")).code).toBe(0);
  });

  test("a policy that is broken changes nothing", async () => {
    const broken =
      "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, namespace: default}\nspec: {}\nsped: {}\n";
    await withFiles({ "p.yaml": broken }, async (folder) => {
      const { code, stderr } = await lab("apply", "-f", folder);
      expect(code).toBe(2);
      expect(stderr).toContain("BH201");
    });
    expect((await lab("status")).stdout).not.toContain("policies in force");
  });

  test("pods come and go as well", async () => {
    const pod = `apiVersion: v1
kind: Pod
metadata: {name: extra, namespace: default, labels: {org: application-b}}
spec: {containers: [{name: c, image: i, ports: [{containerPort: 81}]}]}
`;
    await withFiles({ "extra.yaml": pod }, async (folder) => {
      expect((await lab("apply", "-f", folder)).stdout).toBe("Pod/default/extra added\n");
      expect((await lab("status")).stdout).toContain("default/extra");
      expect((await lab("probe")).stdout).toMatch(
        /default\/Deployment\/client-a +default\/Pod\/extra +81\/TCP +allow +allow/,
      );
      expect((await lab("apply", "--delete", "-f", folder)).stdout).toBe("Pod/default/extra removed\n");
      expect((await lab("status")).stdout).not.toContain("default/extra");
    });
  });
});

describeWithPackets("names of the outside, from the command line", () => {
  const files = {
    "app.yaml": `apiVersion: v1
kind: Pod
metadata: {name: client, namespace: default, labels: {app: client}}
spec: {containers: [{name: c, image: x}]}
---
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: names, namespace: default}
spec:
  endpointSelector: {matchLabels: {app: client}}
  egress:
    - toEndpoints: [{matchLabels: {"k8s:io.kubernetes.pod.namespace": kube-system, k8s-app: kube-dns}}]
      toPorts: [{ports: [{port: "53", protocol: ANY}], rules: {dns: [{matchPattern: "*.example.com"}]}}]
    - toFQDNs: [{matchName: api.example.com}]
      toPorts: [{ports: [{port: "80", protocol: TCP}]}]
`,
    "names.txt": "api.example.com: [198.51.100.5]\nother.example.com: 198.51.100.6\n",
  };
  const own = uniqueName();

  test("lead where the file says, and open what the rules say", async () => {
    await withFiles(files, async (folder) => {
      const verb = (...args: readonly string[]): ReturnType<typeof bulkhead> => {
        const [first = "", ...rest] = args;
        return bulkhead(["lab", first, "--name", own, ...rest]);
      };
      const up = await verb("up", "-f", `${folder}/app.yaml`, "--names", `${folder}/names.txt`);
      expect({ code: up.code, stderr: up.stderr }).toEqual({ code: 0, stderr: "" });
      try {
        const ask = (host: string): ReturnType<typeof bulkhead> =>
          verb("exec", "default/client", "--", "curl", "--silent", "--max-time", "3", `http://${host}/`);
        expect((await ask("api.example.com")).stdout).toContain("served by internet at 198.51.100.5:80");
        // Time out (28), and a name that does not resolve (6).
        expect((await ask("other.example.com")).code).toBe(28);
        expect((await ask("api.example.net")).code).toBe(6);
        // Without the names of the lab it would be unsure whose address that is.
        const why = await bulkhead(["why", "default/client", "ip:198.51.100.5", "--port", "80/TCP", "--name", own]);
        expect(why.stdout).toMatch(/^allow /);
        const lines = (await verb("flows", "-o", "json")).stdout.trimEnd().split("\n");
        expect(lines.some((line) => line.includes('"DNS Query api.example.com. A"'))).toBe(true);
        expect(lines.flatMap((line) => schemaProblems("lab-flow", json(line)))).toEqual([]);
      } finally {
        await verb("down");
      }
    });
  });
});

describe("what the lab cannot enforce", () => {
  test("is refused with its place before anything starts", async () => {
    const policy = `apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: topics, namespace: default}
spec:
  endpointSelector: {matchLabels: {class: client-a}}
  egress:
    - toPorts: [{ports: [{port: "9092", protocol: TCP}], rules: {kafka: [{topic: orders}]}}]
`;
    await withFiles({ "policy.yaml": policy }, async (folder) => {
      const { code, stdout, stderr } = await bulkhead([
        "lab",
        "up",
        "-f",
        EXAMPLE,
        "-f",
        folder,
        "--name",
        uniqueName(),
      ]);
      expect(stderr).toMatch(
        /policy\.yaml:7: error: CiliumNetworkPolicy\/default\/topics#egress\[0\]: rules for a custom parser/,
      );
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    });
  });
});
