/** Names with packets: looked up through the lab's proxy, learned, and opened for their time (cilium.md 7). */

import { describeWithPackets, uniqueName } from "./unprivileged.ts";
import dns from "dns-packet";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readDocuments } from "../../src/documents/reader.ts";
import type { FlowRecord } from "../../src/lab/answers.ts";
import { labApply, labDown, labFlows, labProbe, labUp } from "../../src/lab/client.ts";
import { planOf } from "../../src/lab/compile/plan-of.ts";
import { rulesetOf } from "../../src/lab/compile/ruleset-of.ts";
import type { Plan } from "../../src/lab/plan.ts";
import type { Ruleset } from "../../src/lab/ruleset.ts";
import { openDialect } from "../../src/policy/registry.ts";
import { Engine } from "../../src/reach/engine.ts";
import { Asker, queryBytes } from "./asking.ts";
import { hello } from "./proxy/hello.ts";

const name = uniqueName();

test.each([
  ["of the name that a lab's own has", "Deployment", "coredns", "{app: dns}"],
  ["with the label of kube-dns", "Deployment", "resolver", "{k8s-app: kube-dns}"],
])("a name server that the input brings without its Service is the lab's: %s", (_what, kind, own, labels) => {
  const text = `
apiVersion: apps/v1
kind: ${kind}
metadata: {name: ${own}, namespace: kube-system}
spec:
  selector: {matchLabels: ${labels}}
  template: {metadata: {labels: ${labels}}, spec: {containers: [{name: c, image: x}]}}
`;
  const dialect = openDialect("cilium@1.19");
  if (dialect === undefined) throw new Error("no dialect");
  const { documents } = readDocuments([{ name: "world.yaml", text }]);
  const { plan } = planOf(Engine.open(documents, { dialect, asCluster: true }).world, dialect);
  expect(plan.dns?.pod.name).toBe(`kube-system/${own}`);
  expect(plan.dns?.clusterIPs).toHaveLength(1);
  expect(plan.pods).toEqual([]);
});

const WORLD = `
apiVersion: v1
kind: Node
metadata: {name: node-a}
status: {addresses: [{type: InternalIP, address: 192.168.50.1}, {type: InternalIP, address: "fd00:50::1"}]}
---
apiVersion: v1
kind: Node
metadata: {name: node-b}
status: {addresses: [{type: InternalIP, address: 192.168.50.2}, {type: InternalIP, address: "fd00:50::2"}]}
---
${[
  ["client", "node-a", "10.0.0.1"],
  ["beside", "node-a", "10.0.0.2"],
  ["afar", "node-b", "10.0.0.3"],
  ["free", "node-a", "10.0.0.4"],
]
  .map(
    ([pod, node, address]) => `apiVersion: v1
kind: Pod
metadata: {name: ${pod}, namespace: default, labels: {app: ${pod}, names: "${pod === "free" ? "no" : "yes"}"}}
spec: {nodeName: ${node}, containers: [{name: c, image: x}]}
status: {podIP: ${address}, podIPs: [{ip: ${address}}, {ip: "fd00::${address?.at(-1)}"}]}
`,
  )
  .join("---\n")}
---
apiVersion: v1
kind: Service
metadata: {name: alias, namespace: default}
spec: {type: ExternalName, externalName: www.example.com}
`;

const DNS_ITEM = `
    - toEndpoints: [{matchLabels: {"k8s:io.kubernetes.pod.namespace": kube-system, k8s-app: kube-dns}}]
      toPorts:
        - ports: [{port: "53", protocol: ANY}]
          rules: {dns: [{matchPattern: "*.example.com"}, {matchName: alias.default.svc.cluster.local}]}`;

function policy(items: string, selector = '{names: "yes"}'): string {
  return `apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: names, namespace: default}
spec:
  endpointSelector: {matchLabels: ${selector}}
  egress:${items}
`;
}

const NAMES = policy(`${DNS_ITEM}
    - toFQDNs: [{matchName: api.example.com}, {matchPattern: "short*.example.com"}, {matchName: many.example.com}]
      toPorts: [{ports: [{port: "80", protocol: TCP}]}]
    - toFQDNs: [{matchName: alias.default.svc.cluster.local}]
    - toCIDR: [192.0.2.0/24]
      toPorts: [{ports: [{port: "443", protocol: TCP}], serverNames: [api.example.com]}]`);

const MANY = Array.from({ length: 60 }, (_, index) => `198.51.101.${index + 1}`);

const OUTSIDE: Plan["outside"] = [
  { name: "api.example.com", addresses: ["198.51.100.5", "2001:db8:1::5"] },
  { name: "www.example.com", addresses: ["198.51.100.6"] },
  { name: "other.example.com", addresses: ["198.51.100.7"] },
  { name: "short.example.com", addresses: ["198.51.100.8"], ttl: 1 },
  { name: "shorter.example.com", addresses: ["198.51.100.9"], ttl: 0 },
  { name: "many.example.com", addresses: MANY },
  { name: "secret.test", addresses: ["198.51.100.10"] },
];

function compiled(...texts: readonly string[]): { readonly plan: Plan; readonly ruleset: Ruleset } {
  const dialect = openDialect("cilium");
  if (dialect === undefined) throw new Error("no dialect");
  const sources = [WORLD, ...texts].map((text, index) => ({ name: `${index}.yaml`, text }));
  const engine = Engine.open(readDocuments(sources).documents, { dialect });
  const lab = planOf(engine.world, dialect);
  const { ruleset, unsupported } = rulesetOf(engine.policies, lab.population);
  expect(unsupported).toEqual([]);
  return { plan: { ...lab.plan, outside: OUTSIDE }, ruleset };
}

let server = "";
const askers = new Map<string, Asker>();

function asker(pod: string): Asker {
  const found = askers.get(pod);
  if (found === undefined) throw new Error(`no asker in ${pod}`);
  return found;
}

async function outcome(from: string, address: string, port = 80): Promise<string> {
  const [result] = await labProbe([{ from: `default/${from}`, to: `ip:${address}`, protocol: "TCP", port }], { name });
  return result?.outcome ?? "none";
}

async function flows(): Promise<readonly FlowRecord[]> {
  const out: FlowRecord[] = [];
  for await (const record of labFlows({}, { name })) out.push(record);
  return out;
}

/** Waits until something is so; false where it does not come to that. */
async function comesTrue(isSo: () => Promise<boolean>, milliseconds = 15_000): Promise<boolean> {
  for (const end = Date.now() + milliseconds; Date.now() < end; await sleep(100)) if (await isSo()) return true;
  return false;
}

describeWithPackets("names", () => {
  beforeAll(async () => {
    const { plan, ruleset } = compiled(NAMES);
    server = plan.dns?.clusterIPs[0] ?? "";
    await labUp(plan, ruleset, { name });
    for (const pod of ["client", "beside", "afar", "free"]) askers.set(pod, await Asker.in(`default/${pod}`, name));
  }, 60_000);

  afterAll(async () => {
    for (const one of askers.values()) one.close();
    await labDown({ name });
  });

  test("a name that the rules allow is answered, any other refused, over UDP and TCP", async () => {
    for (const lookUp of ["lookUp", "lookUpByStream"] as const) {
      const ask = async (...[wanted, type]: [string, string?]): Promise<string> => {
        const { code, addresses } = await asker("client")[lookUp](server, wanted, type);
        return [code, ...addresses].join(" ");
      };
      expect(await ask("other.example.com")).toBe("NOERROR 198.51.100.7");
      expect(await ask("OTHER.Example.Com")).toBe("NOERROR 198.51.100.7");
      expect(await ask("other.example.com", "AAAA")).toBe("NOERROR");
      expect(await ask("none.example.com")).toBe("NXDOMAIN");
      expect(await ask("secret.test")).toBe("REFUSED");
      expect(await ask("a.b.example.com")).toBe("REFUSED");
      expect(await ask("example.com")).toBe("REFUSED");
    }
    // Whom no rule is about asks whatever it likes.
    expect((await asker("free").lookUp(server, "secret.test")).addresses).toEqual(["198.51.100.10"]);
  });

  test("an address is closed until its name has been looked up, and open with the answer", async () => {
    expect(await outcome("client", "198.51.100.5")).toBe("deny");
    expect(await outcome("beside", "198.51.100.5")).toBe("deny");
    expect(await outcome("afar", "198.51.100.5")).toBe("deny");
    await asker("client").lookUp(server, "api.example.com");
    expect(await outcome("client", "198.51.100.5")).toBe("allow");
    // What one pod has learned, every pod of its node has that may reach the name (R7.3.2).
    expect(await outcome("beside", "198.51.100.5")).toBe("allow");
    expect(await outcome("afar", "198.51.100.5")).toBe("deny");
    // The ports of the rule hold, and what was looked up without a rule that leads there stays closed.
    expect(await outcome("client", "198.51.100.5", 81)).toBe("deny");
    expect(await outcome("client", "198.51.100.7")).toBe("deny");
    expect(await outcome("client", "2001:db8:1::5")).toBe("deny");
    await asker("client").lookUp(server, "api.example.com", "AAAA");
    expect(await outcome("client", "2001:db8:1::5")).toBe("allow");
  });

  test("a name that leads to another gives its addresses to the name that was asked for", async () => {
    expect(await outcome("client", "198.51.100.6", 9000)).toBe("deny");
    const { packet } = await asker("client").lookUp(server, "alias.default.svc.cluster.local");
    expect(packet?.answers?.map(({ type }) => type)).toEqual(["CNAME", "A"]);
    expect(await outcome("client", "198.51.100.6", 9000)).toBe("allow");
  });

  test("an answer that is too long for a datagram is cut, and whole over TCP; fifty addresses of it are learned", async () => {
    const cut = await asker("client").lookUp(server, "many.example.com");
    expect(((cut.packet?.flags ?? 0) & 0x0200) !== 0).toBe(true);
    expect(cut.addresses).toEqual([]);
    expect(await outcome("client", MANY[0] ?? "")).toBe("deny");
    expect((await asker("client").lookUpByStream(server, "many.example.com")).addresses).toEqual(MANY);
    const results = await labProbe(
      MANY.map((address) => ({ from: "default/client", to: `ip:${address}`, protocol: "TCP" as const, port: 80 })),
      { name },
    );
    expect(results.filter((result) => result.outcome === "allow")).toHaveLength(50);
  });

  test("several queries over one connection are answered, each on its own", async () => {
    const framed = ["api.example.com", "secret.test", "www.example.com"].map((wanted, id) => {
      const bytes = queryBytes(wanted, "A", id);
      return Buffer.concat([Buffer.of(bytes.length >> 8, bytes.length & 255), bytes]);
    });
    const all = Buffer.concat(framed);
    const chunks = [all.subarray(0, 1), all.subarray(1, 40), all.subarray(40)];
    const { received } = await asker("client").stream(server, 53, chunks, { half: true });
    const answers: string[] = [];
    for (let at = 0; at < received.length; at += 2 + received.readUInt16BE(at)) {
      const { id, flags = 0 } = dns.decode(received.subarray(at + 2, at + 2 + received.readUInt16BE(at)));
      answers.push(`${id} ${flags & 15}`);
    }
    expect(answers.toSorted()).toEqual(["0 0", "1 5", "2 0"]);
  });

  test("an address is forgotten with its time, and a connection that is open goes on", async () => {
    await asker("client").lookUp(server, "short.example.com");
    expect(await outcome("client", "198.51.100.8")).toBe("allow");
    // Two requests over one connection, the second when the time is over.
    const request = Buffer.from("GET / HTTP/1.1\r\nHost: short.example.com\r\n\r\n");
    const open = asker("client").stream("198.51.100.8", 80, [request, request], { wait: 6_000, pause: 4_000 });
    await asker("client").lookUp(server, "shorter.example.com");
    expect(await outcome("client", "198.51.100.9")).toBe("allow");
    expect(await comesTrue(async () => (await outcome("client", "198.51.100.9")) === "deny")).toBe(true);
    const { received, ended } = await open;
    expect([received.toString().match(/HTTP\/1\.1 200/g)?.length, ended]).toEqual([2, "time"]);
    expect(await comesTrue(async () => (await outcome("client", "198.51.100.8")) === "deny")).toBe(true);
  });

  test("a change of the rules keeps what is learned, and uses it", async () => {
    await asker("client").lookUp(server, "other.example.com");
    const wider = policy(`${DNS_ITEM}
    - toFQDNs: [{matchPattern: "oth*.example.com"}]`);
    await labApply({ ruleset: compiled(wider).ruleset }, { name });
    expect(await outcome("client", "198.51.100.7", 9000)).toBe("allow");
    expect(await outcome("client", "198.51.100.5")).toBe("deny");
    await labApply({ ruleset: compiled(NAMES).ruleset }, { name });
    expect(await outcome("client", "198.51.100.7", 9000)).toBe("deny");
  });

  test("the settings of cilium-config say how long an address stays at least, and how a look-up is refused", async () => {
    const config = `apiVersion: v1
kind: ConfigMap
metadata: {name: cilium-config, namespace: kube-system}
data: {tofqdns-min-ttl: "3600", tofqdns-dns-reject-response-code: nameError}
`;
    await labApply({ ruleset: compiled(NAMES, config).ruleset }, { name });
    expect((await asker("client").lookUp(server, "secret.test")).code).toBe("NXDOMAIN");
    await asker("afar").lookUp(server, "shorter.example.com");
    await asker("client").lookUp(server, "api.example.com");
    await sleep(3_000);
    expect(await outcome("afar", "198.51.100.9")).toBe("allow");
    await labApply({ ruleset: compiled(NAMES).ruleset }, { name });
    expect((await asker("client").lookUp(server, "secret.test")).code).toBe("REFUSED");
  });

  test("a TLS client goes on where the rules allow its server's name, and is reset otherwise", async () => {
    const say = async (...chunks: readonly Buffer[]): Promise<string> => {
      const { connected, ended } = await asker("client").stream("192.0.2.1", 443, chunks);
      return `${connected ? "open" : "closed"} ${ended}`;
    };
    // What answers outside speaks HTTP: it ends what it does not understand.
    expect(await say(hello({ serverName: "api.example.com" }))).toBe("open end");
    const bytes = hello({ serverName: "API.example.com" });
    expect(await say(bytes.subarray(0, 3), bytes.subarray(3, 60), bytes.subarray(60))).toBe("open end");
    expect(await say(hello({ serverName: "other.example.com" }))).toBe("open ECONNRESET");
    expect(await say(hello({}))).toBe("open ECONNRESET");
    expect(await say(Buffer.from("GET / HTTP/1.1\r\n\r\n"))).toBe("open ECONNRESET");
    expect(await outcome("client", "192.0.3.1", 443)).toBe("deny");
  });

  test("flows tell look-ups, their answers and the names of TLS servers, with verdict and policy", async () => {
    const wanted = new Map<string, FlowRecord["flow"]>();
    const isThere = async (): Promise<boolean> => {
      for (const { flow } of await flows()) if (flow.Type === "L7") wanted.set(`${flow.verdict} ${flow.Summary}`, flow);
      return ["FORWARDED TLS api.example.com", "DROPPED TLS other.example.com"].every((one) => wanted.has(one));
    };
    expect(await comesTrue(isThere)).toBe(true);
    const by = [{ kind: "CiliumNetworkPolicy", namespace: "default", name: "names" }];
    expect(wanted.get("FORWARDED DNS Query api.example.com. A")).toMatchObject({
      traffic_direction: "EGRESS",
      is_reply: false,
      event_type: { type: 129 },
      source: { pod_name: "client" },
      destination: { pod_name: "coredns" },
      l7: {
        type: "REQUEST",
        dns: { query: "api.example.com.", observation_source: "proxy", qtypes: ["A"] },
      },
      egress_allowed_by: by,
    });
    expect(
      wanted.get('FORWARDED DNS Answer "198.51.100.6" TTL: 5 (Proxy alias.default.svc.cluster.local. A)'),
    ).toMatchObject({
      is_reply: true,
      source: { pod_name: "coredns" },
      destination: { pod_name: "client" },
      l7: {
        type: "RESPONSE",
        dns: {
          ips: ["198.51.100.6"],
          ttl: 5,
          cnames: ["www.example.com."],
          rrtypes: ["CNAME", "A"],
        },
      },
    });
    expect(
      wanted.get("FORWARDED DNS Answer RCode: Non-Existent Domain TTL: 0 (Proxy none.example.com. A)"),
    ).toMatchObject({ l7: { dns: { rcode: 3 } } });
    const refused = wanted.get("DROPPED DNS Query secret.test. A");
    expect(refused).toMatchObject({ drop_reason: 133, drop_reason_desc: "POLICY_DENIED" });
    expect(refused).not.toHaveProperty("egress_allowed_by");
    expect(wanted.get("FORWARDED TLS api.example.com")).toMatchObject({
      destination_names: ["api.example.com"],
      l7: { type: "REQUEST" },
      egress_allowed_by: by,
    });
  });
});
