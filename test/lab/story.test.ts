import { describeWithPackets, uniqueName } from "./unprivileged.ts";
import { afterAll, beforeAll, expect, it, test } from "vitest";
import type { Flow, Probe, ProbeResult } from "../../src/lab/answers.ts";
import {
  labApply,
  labDown,
  labExec,
  labFault,
  labFlows,
  labNames,
  labProbe,
  labStatus,
  labUp,
} from "../../src/lab/client.ts";
import { NO_RULES, type Ruleset } from "../../src/lab/ruleset.ts";
import { entry, ingress, rules, SEGREGATED, twoApplications } from "./clusters.ts";

const name = uniqueName();

function http(from: string, to: string): Probe {
  return { from, to, protocol: "TCP", port: 80 };
}

async function outcomes(probes: readonly Probe[]): Promise<readonly string[]> {
  return (await labProbe(probes, { name })).map((result) => result.outcome);
}

async function one(probe: Probe): Promise<ProbeResult> {
  const [result] = await labProbe([probe], { name });
  if (result === undefined) throw new Error("no result");
  return result;
}

/** Service A open to the ingress as well. */
const OPEN_TO_INGRESS: Ruleset = rules(
  ingress(1001, [
    ...(SEGREGATED.subjects[0]?.entries ?? []),
    entry({
      peer: { kind: "identities", identities: [8] },
      traffic: { protocol: "TCP", ports: { first: 80, last: 80 } },
    }),
  ]),
);

describeWithPackets("the story of two applications", () => {
  beforeAll(async () => {
    await labUp(twoApplications(), NO_RULES, { name, attached: true });
  });
  afterAll(() => labDown({ name }));

  const clients = [http("default/client-a", "default/service-a"), http("default/client-b", "default/service-a")];

  test("status tells names, addresses, identities and services", async () => {
    const status = await labStatus({ name });
    expect(status.name).toBe(name);
    expect(status.pods.map((pod) => `${pod.name} ${pod.addresses.join()} ${pod.identity}`)).toContain(
      "default/service-a 10.0.0.1 1001",
    );
    expect(status.services[0]).toMatchObject({
      name: "service-a",
      ports: [{ port: 80, backends: ["default/service-a:80"] }],
    });
    expect(labNames()).toContain(name);
  });

  test("before any policy everybody reaches everybody", async () => {
    await labApply({ ruleset: NO_RULES }, { name });
    expect(await outcomes(clients)).toEqual(["allow", "allow"]);
  });

  test("after the policy client B is blocked, and the kernel says by what", async () => {
    const applied = await labApply({ ruleset: SEGREGATED }, { name });
    expect(applied.milliseconds).toBeLessThan(1000);
    expect(await outcomes(clients)).toEqual(["allow", "deny"]);
    const blocked = await one(http("default/client-b", "default/service-a"));
    expect(blocked.drop).toMatchObject({
      direction: "ingress",
      reason: "default-deny",
      policies: ["CiliumNetworkPolicy/default/service-a"],
      source: "10.0.0.4",
      destination: "10.0.0.1",
      destinationPort: 80,
    });
    expect(blocked.drop?.prefix).toContain("ingress default-deny CiliumNetworkPolicy/default/service-a");
    expect(blocked.milliseconds).toBeLessThan(1000);
  });

  test("a service's address is judged as its backend", async () => {
    await labApply({ ruleset: SEGREGATED }, { name });
    const probes = ["default/client-a", "default/client-b"].map((from) => http(from, "service:default/service-a"));
    const results = await labProbe(probes, { name });
    expect(results.map((result) => result.outcome)).toEqual(["allow", "deny"]);
    expect(results[0]).toMatchObject({ address: "10.96.0.1", answeredBy: "default/service-a" });
    expect(results[1]?.drop?.destination).toBe("10.0.0.1");
  });

  test("north–south: the ingress carries its own identity, and a second policy opens the way", async () => {
    const visit: Probe = { ...http("internet", "ingress"), http: { host: "a.example", path: "/hello" } };
    await labApply({ ruleset: SEGREGATED }, { name });
    const closed = await one(visit);
    expect(closed.http?.status).toBe(503);
    expect(closed.drop).toMatchObject({ source: "10.0.0.200", destination: "10.0.0.1", reason: "default-deny" });
    await labApply({ ruleset: OPEN_TO_INGRESS }, { name });
    const open = await one(visit);
    expect(open.http?.status).toBe(200);
    expect(JSON.parse(open.http?.body ?? "")).toMatchObject({
      servedBy: "default/service-a",
      request: { path: "/hello", host: "a.example" },
      client: { address: "10.0.0.200", name: "ingress" },
    });
    expect(await outcomes(clients)).toEqual(["allow", "deny"]);
  });

  test("from the internet only the load balancer answers", async () => {
    await labApply({ ruleset: NO_RULES }, { name });
    const results = await labProbe(
      [http("internet", "default/service-a"), http("internet", "host@node-1"), http("internet", "ingress")],
      { name },
    );
    expect(results.map((result) => result.outcome)).toEqual(["deny", "deny", "allow"]);
    expect(results[0]?.drop?.reason).toBe("not-routed");
  });

  test("every address outside answers", async () => {
    await labApply({ ruleset: NO_RULES }, { name });
    const probes: Probe[] = [
      http("default/client-a", "ip:8.8.8.8"),
      { ...http("default/client-a", "ip:1.2.3.4"), port: 4711 },
      { ...http("default/client-a", "ip:9.9.9.9"), protocol: "UDP", port: 500 },
    ];
    const results = await labProbe(probes, { name });
    expect(results.map((result) => [result.outcome, result.answeredBy])).toEqual(
      probes.map(() => ["allow", "internet"]),
    );
  });

  test("a fault in the rules is seen, and can be taken back", async () => {
    await labApply({ ruleset: SEGREGATED }, { name });
    await labFault({ kind: "pass", from: "default/client-b", to: "default/service-a" }, { name });
    expect(await outcomes(clients)).toEqual(["allow", "allow"]);
    await labFault({ kind: "drop", from: "default/client-a", to: "default/service-a" }, { name });
    expect(await outcomes(clients)).toEqual(["deny", "deny"]);
    await labFault({ kind: "none" }, { name });
    expect(await outcomes(clients)).toEqual(["allow", "deny"]);
  });

  test("a server in the wrong namespace is noticed, from both sides", async () => {
    await labApply({ ruleset: NO_RULES }, { name });
    await labFault({ kind: "misplaced-servers", of: "default/service-a", into: "default/client-a" }, { name });
    const there = await one(http("default/client-b", "default/service-a"));
    expect(there).toMatchObject({ outcome: "lost", detail: "the port is declared, but nothing listens there" });
    const instead = await one(http("default/client-b", "default/client-a"));
    expect(instead).toMatchObject({ outcome: "lost", answeredBy: "default/service-a" });
    await labFault({ kind: "none" }, { name });
    expect(await outcomes(clients)).toEqual(["allow", "allow"]);
  });

  test("flows tell connections and drops with their policies", async () => {
    await labApply({ ruleset: SEGREGATED }, { name });
    await labProbe(clients, { name });
    const flows: Flow[] = [];
    for await (const record of labFlows({ to: "default/service-a", sinceMs: 5000 }, { name })) flows.push(record.flow);
    const last = (verdict: string, pod: string) =>
      flows.findLast((flow) => flow.verdict === verdict && flow.source.pod_name === pod);
    expect(last("FORWARDED", "client-a")).toMatchObject({
      destination: { identity: 1001, namespace: "default", pod_name: "service-a" },
      ingress_allowed_by: [{ kind: "CiliumNetworkPolicy", namespace: "default", name: "service-a" }],
    });
    expect(last("DROPPED", "client-b")).toMatchObject({
      drop_reason_desc: "POLICY_DENIED",
      traffic_direction: "INGRESS",
    });
  });

  it.each(["service-a", "service-a.default", "service-a.default.svc.cluster.local"])(
    "%s resolves inside a pod",
    async (host) => {
      await labApply({ ruleset: SEGREGATED }, { name });
      const { code, stdout, stderr } = await labExec(
        "default/client-a",
        ["curl", "-sS", "-m", "5", `http://${host}/x`],
        { name, stdio: "collect" },
      );
      expect(stderr).toBe("");
      expect(code).toBe(0);
      expect(stdout).toContain("served by default/service-a at 10.0.0.1:80");
      expect(stdout).toContain("from      10.0.0.2 (default/client-a)");
    },
  );

  test("exec hands on exit codes, and the internet knows the ingress hosts", async () => {
    await labApply({ ruleset: NO_RULES }, { name });
    expect(await labExec("default/client-a", ["sh", "-c", "exit 7"], { name, stdio: "collect" })).toMatchObject({
      code: 7,
    });
    expect(await labExec("default/client-a", ["sh", "-c", "kill -TERM $$"], { name, stdio: "collect" })).toMatchObject({
      code: 143,
    });
    const visit = await labExec("internet", ["curl", "-sS", "-m", "5", "http://b.example/"], {
      name,
      stdio: "collect",
    });
    expect(visit.stdout).toContain("served by default/service-b");
    expect(visit.stdout).toContain("(ingress)");
  });

  test("a place that does not exist is a clear error", async () => {
    await expect(labExec("default/nobody", ["true"], { name })).rejects.toMatchObject({
      code: "pod-not-found",
      exit: 2,
    });
    await expect(labProbe([http("default/nobody", "default/service-a")], { name })).rejects.toMatchObject({
      code: "pod-not-found",
    });
    await expect(labStatus({ name: "no-such-lab" })).rejects.toMatchObject({ code: "lab-not-found", exit: 2 });
  });

  test("a second lab of the same name is refused, of another name stands beside", async () => {
    await expect(labUp(twoApplications(), NO_RULES, { name, attached: true })).rejects.toMatchObject({
      code: "lab-exists",
    });
    const other = uniqueName();
    await labUp(twoApplications(), SEGREGATED, { name: other, attached: true });
    await labApply({ ruleset: NO_RULES }, { name });
    expect(await outcomes(clients)).toEqual(["allow", "allow"]);
    expect((await labProbe(clients, { name: other })).map((result) => result.outcome)).toEqual(["allow", "deny"]);
    await labDown({ name: other });
    expect(labNames()).not.toContain(other);
  });
});
