/**
 * Three witnesses over random rules for names: what becomes of a look-up, whether the address that it taught is open, and
 * whether one that was not taught stays closed; and of TLS by the name of the server. One lab lives through all sets, and
 * every set gives the names addresses that nobody has learned yet.
 */

import { describeWithPackets, uniqueName } from "./unprivileged.ts";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { labApply, labDown, labProbe, labUp } from "../../src/lab/client.ts";
import { parseAddress } from "../../src/net/address.ts";
import { openCluster } from "../lab-compile/opened.ts";
import { type Fields, few, sometimes, weighted } from "../property/arbitraries.ts";
import type { Flow } from "../property/flows.ts";
import { lookUp, namedDestinations, NAMES, serverNames } from "../property/names.ts";
import { openReference } from "../property/witnesses.ts";
import { isWhole } from "../whole.ts";
import { Asker } from "./asking.ts";
import { hello } from "./proxy/hello.ts";

const name = uniqueName();
/** Sets of rules, over the three releases. */
const SETS = Number(process.env["BULKHEAD_FUZZ"] ?? (isWhole ? 1000 : 100));
const RELEASES = ["cilium@1.17", "cilium@1.18", "cilium@1.19"] as const;
const CLIENT = "default/client";
const SERVER = "10.244.1.53";
const PORTS = [80, 443] as const;
const TLS_TARGET = "192.0.2.7";
/** Long enough for an answer on a busy machine, and for one that must not come. */
const PATIENCE_MS = 4_000;
const SHORT_MS = 150;

const pod = (full: string, address: string, more: Fields): Fields => {
  const [namespace, own] = full.split("/");
  const { labels, ports } = more;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: own, namespace, labels },
    spec: { nodeName: "n1", containers: [{ name: "c", image: "i", ...(ports === undefined ? {} : { ports }) }] },
    status: { podIP: address, podIPs: [{ ip: address }] },
  };
};

const CLUSTER: readonly Fields[] = [
  {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name: "n1" },
    status: { addresses: [{ type: "InternalIP", address: "10.0.0.2" }] },
  },
  { apiVersion: "v1", kind: "Namespace", metadata: { name: "default", labels: {} } },
  { apiVersion: "v1", kind: "Namespace", metadata: { name: "kube-system", labels: {} } },
  pod(CLIENT, "10.244.1.10", { labels: { app: "client" } }),
  pod("kube-system/dns", SERVER, {
    labels: { "k8s-app": "kube-dns" },
    ports: [
      { name: "dns", containerPort: 53, protocol: "UDP" },
      { name: "dns-tcp", containerPort: 53, protocol: "TCP" },
    ],
  }),
  {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "kube-dns", namespace: "kube-system" },
    spec: { clusterIP: "10.96.0.10", selector: { "k8s-app": "kube-dns" }, ports: [{ port: 53, protocol: "UDP" }] },
  },
];

const outside = fc.constantFrom<Fields>(
  { toCIDR: ["192.0.2.0/24"] },
  { toCIDR: ["0.0.0.0/0"] },
  { toCIDRSet: [{ cidr: "198.18.0.0/15", except: ["198.18.128.0/17"] }] },
  { toEntities: ["world"] },
  {},
);

const withPorts = (peers: Fields, port: string | undefined, more: Fields = {}): Fields =>
  port === undefined ? peers : { ...peers, toPorts: [{ ports: [{ port, protocol: "TCP" }], ...more }] };

/** Of the TLS server alone: elsewhere a bare handshake would end at the proxy, which is no arrival. */
const towardsServer = fc.constantFrom<Fields>(
  { toCIDR: ["192.0.2.0/24"] },
  { toCIDR: ["192.0.2.7/32"] },
  { toCIDRSet: [{ cidr: "192.0.2.0/24", except: ["192.0.2.7/32"] }] },
);

/** TLS by name, plain beside it, of the same selector or another (R5.9). */
const secured: fc.Arbitrary<Fields> = fc
  .tuple(towardsServer, sometimes(70, serverNames))
  .map(([peers, names]) =>
    withPorts(peers, "443", names === undefined || names.length === 0 ? {} : { serverNames: names }),
  );

const plain: fc.Arbitrary<Fields> = fc
  .tuple(outside, fc.constantFrom("80", "443", "53"))
  .map(([peers, port]) => withPorts(peers, port));

const policy: fc.Arbitrary<Fields> = fc
  .tuple(
    fc.array(weighted<Fields>([4, lookUp], [4, namedDestinations], [2, secured], [1, plain]), {
      minLength: 1,
      maxLength: 4,
    }),
    few(plain, 1),
    sometimes(20, fc.constant({ enableDefaultDeny: { egress: false } })),
  )
  .map(([egress, egressDeny, open]) => ({
    apiVersion: "cilium.io/v2",
    kind: "CiliumNetworkPolicy",
    spec: {
      endpointSelector: { matchLabels: { app: "client" } },
      egress,
      ...(egressDeny.length === 0 ? {} : { egressDeny }),
      ...open,
    },
  }));

/** Mostly with a rule by which something is taught. */
const policies: fc.Arbitrary<readonly Fields[]> = fc
  .array(policy, { minLength: 1, maxLength: 3 })
  .map((list) => list.map((one, index) => ({ ...one, metadata: { name: `p${index}`, namespace: "default" } })));

interface Case {
  readonly dialect: (typeof RELEASES)[number];
  readonly policies: readonly Fields[];
  readonly names: readonly string[];
  readonly serverName: string;
}

const cases: fc.Arbitrary<Case> = fc.record({
  dialect: fc.constantFrom(...RELEASES),
  policies,
  names: fc.uniqueArray(fc.constantFrom(...NAMES), { minLength: 3, maxLength: 3 }),
  serverName: fc.constantFrom("a.io", "x.a.io", "y.x.a.io", "www.cilium.io", "b.io"),
});

/** An empty list is no list (cilium.md 2.4). */
function isNames(key: string, value: unknown): boolean {
  return key === "toFQDNs" && Array.isArray(value) && value.length > 0;
}

/** The rules as they would be if no name stood for anything. */
function nameless(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(nameless);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, isNames(key, item) ? [{}] : nameless(item)]),
  );
}

let asker: Asker;
let addresses = 0;
const tally = new Map<string, number>();

function count(what: string): void {
  tally.set(what, (tally.get(what) ?? 0) + 1);
}

/** Everything in which the witnesses of a case differ. */
async function disagreements(one: Case): Promise<readonly string[]> {
  const documents = [...CLUSTER, ...one.policies];
  const given = Object.fromEntries(
    one.names.map((wanted) => [wanted, `198.18.${(++addresses >> 8) & 255}.${addresses & 255}`] as const),
  );
  const told = new Map(
    Object.entries(given).map(([wanted, text]) => {
      const address = parseAddress(text);
      return [`${wanted}.`, address === undefined ? [] : [address]] as const;
    }),
  );
  const { engine, lab, compiled } = openCluster(one.dialect, documents, told);
  const { ruleset, unsupported } = compiled;
  if (unsupported.length > 0) return [];
  const { engine: untaught } = openCluster(one.dialect, documents.map(nameless));
  const reference = openReference({
    dialect: one.dialect,
    documents,
    names: Object.fromEntries(Object.entries(given).map(([wanted, text]) => [wanted, [text]])),
  });
  const out: string[] = [];
  const compare = (what: string, words: Readonly<Record<string, string>>): void => {
    count(`${what} ${words["packets"]}`);
    const said = Object.values(words).filter((word) => word !== "unsure" && word !== "mixed");
    if (new Set(said).size > 1)
      out.push(
        `${what}: ${Object.entries(words)
          .map(([who, word]) => `${who} ${word}`)
          .join(", ")}`,
      );
  };
  const byReference = (flow: Omit<Flow, "from" | "protocol">): string => {
    const reply = reference.ask({ from: CLIENT, protocol: "TCP", ...flow });
    return "problem" in reply ? "unsure" : reply.verdict;
  };
  const ends = Object.entries(given).flatMap(([wanted, address]) => PORTS.map((port) => ({ wanted, address, port })));
  const connections = async (): Promise<readonly string[]> => {
    const probes = ends.map(({ address, port }) => ({
      from: CLIENT,
      to: `ip:${address}`,
      protocol: "TCP" as const,
      port,
    }));
    return (await labProbe(probes, { name })).map(({ outcome }) => outcome);
  };
  const plan = {
    ...lab.plan,
    outside: Object.entries(given).map(([own, text]) => ({ name: own, addresses: [text], ttl: 600 })),
  };
  await labApply({ plan, ruleset }, { name });
  const before = await connections();
  for (const [at, { wanted, address, port }] of ends.entries()) {
    compare(`${wanted} not looked up, ${port}/TCP`, {
      engine: untaught.why({ from: CLIENT, to: `ip:${address}`, protocol: "TCP", port }).verdict,
      packets: before[at] ?? "none",
    });
  }
  const unheard = new Set<string>();
  for (const wanted of one.names) {
    for (const protocol of ["UDP", "TCP"] as const) {
      // What the port alone keeps from the server is waited for once.
      if (unheard.has(protocol)) continue;
      const application = { dns: { name: `${wanted}.` } };
      const word = engine.why({ from: CLIENT, to: "kube-system/dns", protocol, port: 53, application }).verdict;
      const patience = word === "deny" ? SHORT_MS : PATIENCE_MS;
      const by = protocol === "UDP" ? "lookUp" : "lookUpByStream";
      const { code } = await asker[by](SERVER, wanted, "A", patience);
      if (code === "no answer") unheard.add(protocol);
      compare(`look-up of ${wanted} over ${protocol}`, {
        engine: word,
        packets: code === "NOERROR" ? "allow" : "deny",
      });
    }
  }
  const after = await connections();
  for (const [at, { wanted, port }] of ends.entries()) {
    compare(`fqdn:${wanted} ${port}/TCP`, {
      engine: engine.why({ from: CLIENT, to: `fqdn:${wanted}`, protocol: "TCP", port }).verdict,
      reference: byReference({ to: `fqdn:${wanted}`, port }),
      packets: after[at] ?? "none",
    });
  }
  const { serverName } = one;
  const word = untaught.why({
    from: CLIENT,
    to: `ip:${TLS_TARGET}`,
    protocol: "TCP",
    port: 443,
    application: { tls: { serverName } },
  }).verdict;
  const { connected, ended } = await asker.stream(TLS_TARGET, 443, [hello({ serverName })], {
    wait: word === "deny" ? SHORT_MS : PATIENCE_MS,
  });
  compare(`TLS of ${serverName}`, {
    engine: word,
    reference: byReference({ to: `ip:${TLS_TARGET}`, port: 443, tls: { serverName } }),
    packets: connected && ended === "end" ? "allow" : "deny",
  });
  return out;
}

describeWithPackets("engine, reference and packets, of names", () => {
  beforeAll(async () => {
    const { lab, compiled } = openCluster("cilium@1.19", CLUSTER);
    await labUp(lab.plan, compiled.ruleset, { name });
    asker = await Asker.in(CLIENT, name);
  }, 60_000);

  afterAll(async () => {
    asker.close();
    await labDown({ name });
  });

  test(`agree over ${SETS} sets of rules`, { timeout: 3_600_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(cases, async (one) => {
        expect(await disagreements(one), JSON.stringify(one.policies)).toEqual([]);
      }),
      { numRuns: SETS, endOnFailure: true },
    );
    // Each kind of outcome has been met, or the comparison would say little.
    const met = (pattern: RegExp): number =>
      [...tally].reduce((sum, [what, times]) => (pattern.test(what) ? sum + times : sum), 0);
    for (const pattern of [
      /^look-up .* allow$/,
      /^look-up .* deny$/,
      /^fqdn.* allow$/,
      /^fqdn.* deny$/,
      /^TLS .* allow$/,
      /^TLS .* deny$/,
      /not looked up.* deny$/,
    ])
      expect(met(pattern), String(pattern)).toBeGreaterThan(SETS / 20);
  });
});
