import { describeWithPackets, uniqueName } from "./unprivileged.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { labApply, labDown, labExec, labProbe, labUp } from "../../src/lab/client.ts";
import { type Plan, RESERVED_IDENTITY } from "../../src/lab/plan.ts";
import { NO_RULES } from "../../src/lab/ruleset.ts";
import { EMPTY, entry, HTTP, ingress, pod, rules } from "./clusters.ts";

const name = uniqueName();
const web = pod("default/web", 1001, "", { addresses: ["10.0.0.1", "2001:db8:1::1"], ports: [HTTP] });
const client = pod("default/client", 1002, "", { addresses: ["10.0.0.2", "2001:db8:1::2"] });
const six = pod("default/six", 1003, "2001:db8:1::3", { ports: [HTTP] });
const PLAN: Plan = {
  ...EMPTY,
  nodes: [{ name: "node-1", addresses: ["192.168.50.1", "2001:db8:50::1"], identity: 6 }],
  pods: [web, client, six],
  services: [
    {
      namespace: "default",
      name: "web",
      clusterIPs: ["10.96.0.1", "2001:db8:96::1"],
      loadBalancerIPs: ["192.0.2.1", "2001:db8:100::1"],
      endpoints: [],
      ports: [
        {
          protocol: "TCP",
          port: 80,
          nodePort: 30_080,
          backends: web.addresses.map((address) => ({ pod: web.name, address, port: 80 })),
        },
      ],
    },
  ],
  dns: {
    clusterIPs: ["10.96.0.10", "2001:db8:96::10"],
    domain: "cluster.local",
    pod: {
      name: "kube-system/coredns",
      identity: 1005,
      labels: {},
      addresses: ["10.0.0.53", "2001:db8:1::53"],
      node: "node-1",
    },
  },
  ingress: {
    identity: RESERVED_IDENTITY.ingress,
    addresses: ["10.0.0.200", "2001:db8:1::200"],
    node: "node-1",
    loadBalancerIPs: ["192.0.2.2", "2001:db8:100::2"],
    rules: [{ host: "web.example", paths: [{ path: "/", pathType: "Prefix", service: "default/web", port: 80 }] }],
  },
  world: { ipv4: RESERVED_IDENTITY.worldIpv4, ipv6: RESERVED_IDENTITY.worldIpv6 },
};

describeWithPackets("two families", () => {
  beforeAll(async () => {
    await labUp(PLAN, NO_RULES, { name, attached: true });
  });
  afterAll(() => labDown({ name }));

  async function curl(place: string, ...argv: readonly string[]): Promise<string> {
    const { stdout, stderr, code } = await labExec(place, ["curl", "-sS", "-m", "5", ...argv], {
      name,
      stdio: "collect",
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    return stdout;
  }

  test.each([
    ["-4", "10.0.0.1", "10.0.0.2"],
    ["-6", "2001:db8:1::1", "2001:db8:1::2"],
  ])("a service by name, curl %s", async (flag, served, from) => {
    const said = await curl("default/client", flag, "http://web/");
    expect(said).toContain(`served by default/web at ${served}:80`);
    expect(said).toContain(`from      ${from} (default/client)`);
  });

  test("a pod with IPv6 alone asks and answers", async () => {
    expect(await curl("default/six", "http://web/")).toContain("from      2001:db8:1::3 (default/six)");
    expect(await curl("default/client", "http://[2001:db8:1::3]/")).toContain("served by default/six");
    expect(await curl("default/six", "http://[2a00:1450::1]:8080/")).toContain(
      "served by internet at 2a00:1450::1:8080",
    );
  });

  test.each(["-4", "-6"])("from outside, curl %s: load balancer, node port and ingress", async (flag) => {
    expect(await curl("internet", flag, "http://web.example/")).toContain("served by default/web");
    const [balancer, node] = flag === "-4" ? ["192.0.2.1", "192.168.50.1"] : ["[2001:db8:100::1]", "[2001:db8:50::1]"];
    expect(await curl("internet", `http://${balancer}/`)).toContain("(internet)");
    expect(await curl("internet", `http://${node}:30080/`)).toContain("served by default/web");
  });

  test("the world has an identity in each family", async () => {
    await labApply(
      {
        ruleset: rules(
          ingress(1001, [entry({ peer: { kind: "identities", identities: [RESERVED_IDENTITY.worldIpv6] } })]),
        ),
      },
      { name },
    );
    const results = await labProbe(
      ([4, 6] as const).map((family) => ({
        from: "internet",
        to: family === 4 ? "ip:192.0.2.1" : "ip:2001:db8:100::1",
        protocol: "TCP",
        port: 80,
      })),
      { name },
    );
    expect(results.map((result) => result.outcome)).toEqual(["deny", "allow"]);
    await labApply({ ruleset: NO_RULES }, { name });
  });
});
