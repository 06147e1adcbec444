import { describeWithPackets, uniqueName } from "./unprivileged.ts";
import { afterAll, beforeAll, expect, it, test } from "vitest";
import type { Probe, ProbeResult } from "../../src/lab/answers.ts";
import { labApply, labDown, labExec, labMove, labProbe, labUp } from "../../src/lab/client.ts";
import type { Plan, PlannedService } from "../../src/lab/plan.ts";
import { NO_RULES, type Peer } from "../../src/lab/ruleset.ts";
import { EMPTY, egress, entry, ingress, pod, rules, service } from "./clusters.ts";

const name = uniqueName();
const HTTP_8080 = { name: "web", protocol: "TCP", port: 8080 } as const;
const one = pod("default/web-1", 1001, "10.0.0.1", { ports: [HTTP_8080] });
const two = pod("default/web-2", 1001, "10.0.0.2", { ports: [HTTP_8080], node: "node-2" });
const client = pod("default/client", 1002, "10.0.0.3");
const exposed: PlannedService = {
  ...service("default/exposed", "10.96.0.2", [one, two], 80, 8080),
  loadBalancerIPs: ["192.0.2.20"],
};
const local: PlannedService = {
  ...service("default/local", "10.96.0.3", [one, two], 80, 8080),
  loadBalancerIPs: ["192.0.2.30"],
  externalTrafficPolicy: "Local",
};

const PLAN: Plan = {
  ...EMPTY,
  nodes: [
    { name: "node-1", addresses: ["192.168.50.1"], identity: 6 },
    { name: "node-2", addresses: ["192.168.50.2"], identity: 6 },
  ],
  pods: [
    one,
    two,
    client,
    pod("default/on-host", 0, "", { addresses: [], hostNetwork: true, ports: [{ protocol: "TCP", port: 9100 }] }),
  ],
  services: [
    service("default/web", "10.96.0.1", [one, two], 80, 8080),
    { ...exposed, ports: exposed.ports.map((port) => ({ ...port, nodePort: 30_080 })) },
    local,
    { ...service("default/nobody", "10.96.0.4", []) },
    {
      ...service("default/headless", "", [one, two]),
      clusterIPs: [],
      endpoints: [{ address: "10.0.0.1", hostname: "web-1" }, { address: "10.0.0.2" }],
    },
    { ...service("default/alias", "", []), clusterIPs: [], ports: [], externalName: "web.default.svc.cluster.local" },
    { ...service("default/far", "", []), clusterIPs: [], ports: [], externalName: "api.example.com" },
    service("default/self", "10.96.0.5", [client], 80, 8080),
  ],
  dns: {
    clusterIPs: ["10.96.0.10"],
    domain: "cluster.local",
    pod: { name: "kube-system/coredns", identity: 1005, labels: {}, addresses: ["10.0.0.53"], node: "node-1" },
  },
  outside: [{ name: "api.example.com", addresses: ["198.51.100.5"] }],
};

const tcp = (from: string, to: string, port = 80): Probe => ({ from, to, protocol: "TCP", port });
const from = (...identities: readonly number[]): Peer => ({ kind: "identities", identities });

async function probe(probes: readonly Probe[]): Promise<readonly ProbeResult[]> {
  return labProbe(probes, { name });
}

function takers(results: readonly ProbeResult[]): readonly string[] {
  return [...new Set(results.map((result) => result.answeredBy ?? result.outcome))].toSorted();
}

/** Which clients the backends saw. */
function clients(results: readonly ProbeResult[]): readonly string[] {
  return [
    ...new Set(results.map((result) => String(JSON.parse(result.http?.body ?? "{}").client?.address))),
  ].toSorted();
}

const times = (count: number, what: Probe): readonly Probe[] => Array.from({ length: count }, () => what);

describeWithPackets("services", () => {
  beforeAll(async () => {
    await labUp(PLAN, NO_RULES, { name, attached: true });
  });
  afterAll(() => labDown({ name }));

  test("a cluster address is balanced over its backends, at their target port", async () => {
    await labApply({ ruleset: NO_RULES }, { name });
    const results = await probe(times(6, tcp("default/client", "service:default/web")));
    expect(results.map((result) => result.outcome)).toEqual(Array.from({ length: 6 }, () => "allow"));
    expect(takers(results)).toEqual(["default/web-1", "default/web-2"]);
  });

  test("policy sees the backend's identity and target port", async () => {
    const open = (port: number) =>
      rules(
        egress(1002, [entry({ peer: from(1001), traffic: { protocol: "TCP", ports: { first: port, last: port } } })]),
      );
    await labApply({ ruleset: open(80) }, { name });
    expect(takers(await probe([tcp("default/client", "service:default/web")]))).toEqual(["deny"]);
    await labApply({ ruleset: open(8080) }, { name });
    expect((await probe([tcp("default/client", "service:default/web")]))[0]?.outcome).toBe("allow");
  });

  test("a service without backends, and a port that a service has not, are dropped with their reason", async () => {
    await labApply({ ruleset: NO_RULES }, { name });
    const results = await probe([
      tcp("default/client", "service:default/nobody"),
      tcp("default/client", "service:default/web", 81),
    ]);
    expect(results.map((result) => result.drop?.reason)).toEqual(["no-backend", "no-backend"]);
  });

  test("from outside a cluster address does not answer", async () => {
    const [result] = await probe([tcp("internet", "service:default/web")]);
    expect(result?.outcome).toBe("deny");
    expect(result?.drop?.reason).toBe("not-routed");
  });

  const asked = (place: string, to: string, port: number): Probe => ({ ...tcp(place, to, port), http: {} });

  test("a load balancer: the source is kept on the node that hosts the backend, else the node's", async () => {
    await labApply({ ruleset: NO_RULES }, { name });
    const results = await probe(times(8, asked("internet", "ip:192.0.2.20", 80)));
    expect(takers(results)).toEqual(["default/web-1", "default/web-2"]);
    expect(clients(results)).toEqual(["192.168.50.1", "192.168.50.2", "203.0.113.10"]);
  });

  test("with policy Local the source is always kept", async () => {
    const results = await probe(times(8, asked("internet", "ip:192.0.2.30", 80)));
    expect(takers(results)).toEqual(["default/web-1", "default/web-2"]);
    expect(clients(results)).toEqual(["203.0.113.10"]);
  });

  test("a relayed connection comes from a remote node, as policy sees it", async () => {
    await labApply({ ruleset: rules(ingress(1001, [entry({ peer: from(2) })])) }, { name });
    const results = await probe(times(8, asked("internet", "ip:192.0.2.20", 80)));
    const allowed = results.filter((result) => result.outcome === "allow");
    expect(allowed.length).toBe(4);
    expect(clients(allowed)).toEqual(["203.0.113.10"]);
    await labApply({ ruleset: rules(ingress(1001, [entry({ peer: from(6) })])) }, { name });
    const relayed = await probe(times(8, asked("internet", "ip:192.0.2.20", 80)));
    expect(relayed.filter((result) => result.outcome === "allow").length).toBe(4);
  });

  test("a node port answers on every node, from outside and inside", async () => {
    await labApply({ ruleset: NO_RULES }, { name });
    const targets = ["ip:192.168.50.1", "ip:192.168.50.2"];
    const outside = await probe(targets.flatMap((to) => times(4, asked("internet", to, 30_080))));
    expect(new Set(outside.map((result) => result.outcome))).toEqual(new Set(["allow"]));
    expect(takers(outside)).toEqual(["default/web-1", "default/web-2"]);
    const inside = await probe(targets.flatMap((to) => times(4, asked("default/client", to, 30_080))));
    expect(clients(inside)).toEqual(["10.0.0.3"]);
  });

  test("a pod reaches itself through a service, whatever the policy", async () => {
    await labApply({ ruleset: rules(ingress(1002, []), egress(1002, [])) }, { name });
    const [result] = await probe([tcp("default/client", "service:default/self")]);
    expect(result?.outcome).toBe("refused");
  });

  test("a pod on the host's network is served at the node's address, with the node's identity", async () => {
    await labApply({ ruleset: rules(ingress(1001, [entry({ peer: from(1) })])) }, { name });
    const results = await probe([
      tcp("default/client", "default/on-host", 9100),
      tcp("default/on-host", "default/web-1", 8080),
      tcp("default/on-host", "default/web-2", 8080),
    ]);
    expect(results.map((result) => result.answeredBy ?? result.outcome)).toEqual([
      "default/on-host",
      "default/web-1",
      "deny",
    ]);
  });

  it.each([
    ["web", "10.96.0.1"],
    ["headless", "10.0.0.1 10.0.0.2"],
    ["web-1.headless", "10.0.0.1"],
    ["alias", "10.96.0.1"],
    ["far", "198.51.100.5"],
    ["api.example.com", "198.51.100.5"],
    ["10-0-0-1.default.pod.cluster.local", "10.0.0.1"],
    ["kubernetes.invalid", ""],
  ])("the name %s resolves to %s", async (host, want) => {
    await labApply({ ruleset: NO_RULES }, { name });
    const { stdout } = await labExec("default/client", ["getent", "ahostsv4", host], { name, stdio: "collect" });
    const addresses = [
      ...new Set(
        stdout
          .split("\n")
          .filter(Boolean)
          .map((line) => line.split(/\s/)[0]),
      ),
    ].toSorted();
    expect(addresses.join(" ")).toBe(want);
  });

  test("name servers are served ports like others, inside and outside", async () => {
    await labApply({ ruleset: NO_RULES }, { name });
    const udp = (to: string): Probe => ({ from: "default/client", to, protocol: "UDP", port: 53 });
    const results = await probe([
      udp("kube-system/coredns"),
      udp("ip:10.96.0.10"),
      udp("ip:203.0.113.10"),
      udp("ip:8.8.8.8"),
    ]);
    expect(results.map((result) => result.answeredBy ?? `${result.outcome} ${result.detail}`)).toEqual([
      "kube-system/coredns",
      "kube-system/coredns",
      "internet",
      "internet",
    ]);
  });

  test("names are asked by real packets: a policy that closes DNS closes them", async () => {
    await labApply({ ruleset: rules(egress(1002, [])) }, { name });
    const { code } = await labExec("default/client", ["timeout", "0.5", "getent", "hosts", "web"], {
      name,
      stdio: "collect",
    });
    expect(code).not.toBe(0);
  });

  test("moving a pod to another node keeps every verdict, and tells host from remote node", async () => {
    const ruleset = rules(ingress(1001, [entry({ peer: from(1002, 1) })]));
    await labApply({ ruleset }, { name });
    const ask = [
      tcp("default/client", "default/web-1", 8080),
      tcp("default/web-2", "default/web-1", 8080),
      tcp("host@node-1", "default/web-1", 8080),
      tcp("host@node-2", "default/web-1", 8080),
    ];
    const before = (await probe(ask)).map((result) => result.outcome);
    expect(before).toEqual(["allow", "deny", "allow", "deny"]);
    await labMove("default/web-1", "node-2", { name });
    const after = (await probe(ask)).map((result) => result.outcome);
    expect(after).toEqual(["allow", "deny", "deny", "allow"]);
    await labMove("default/web-1", "node-1", { name });
    await expect(labMove("default/web-1", "node-9", { name })).rejects.toMatchObject({ code: "pod-not-found" });
    expect((await probe(ask)).map((result) => result.outcome)).toEqual(before);
  });

  test("a plan's change adds and removes pods, and leaves the others alone", async () => {
    await labApply({ ruleset: NO_RULES }, { name });
    const extra = pod("default/extra", 1001, "10.0.0.9", { ports: [HTTP_8080] });
    await labApply({ plan: { ...PLAN, pods: [...PLAN.pods, extra] } }, { name });
    expect((await probe([tcp("default/client", "default/extra", 8080)]))[0]?.answeredBy).toBe("default/extra");
    await labApply({ plan: PLAN }, { name });
    await expect(probe([tcp("default/client", "default/extra", 8080)])).rejects.toMatchObject({
      code: "pod-not-found",
    });
    expect((await probe([tcp("default/client", "default/web-1", 8080)]))[0]?.answeredBy).toBe("default/web-1");
  });

  test("a pod that changes its address leaves the old one to another", async () => {
    const one = pod("default/one", 1001, "10.0.0.21", { ports: [HTTP_8080] });
    await labApply({ plan: { ...PLAN, pods: [...PLAN.pods, one] } }, { name });
    const elsewhere = { ...one, addresses: ["10.0.0.22"] };
    const other = { ...one, name: "default/other" };
    await labApply({ plan: { ...PLAN, pods: [...PLAN.pods, elsewhere, other] } }, { name });
    const asked = await probe([
      tcp("default/client", "default/one", 8080),
      tcp("default/client", "default/other", 8080),
    ]);
    expect(asked.map(({ address, answeredBy }) => `${address} ${answeredBy}`)).toEqual([
      "10.0.0.22 default/one",
      "10.0.0.21 default/other",
    ]);
    await labApply({ plan: PLAN }, { name });
  });

  test("an address that two want is a clear error, and changes nothing", async () => {
    const clash = pod("default/clash", 1009, "10.0.0.1");
    await expect(labApply({ plan: { ...PLAN, pods: [...PLAN.pods, clash] } }, { name })).rejects.toMatchObject({
      code: "address-clash",
      exit: 2,
    });
    expect((await probe([tcp("default/client", "default/web-1", 8080)]))[0]?.outcome).toBe("allow");
  });
});
