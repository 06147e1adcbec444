import { describeWithPackets, uniqueName } from "./unprivileged.ts";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Probe } from "../../src/lab/answers.ts";
import { labApply, labDown, labExec, labProbe, labUp } from "../../src/lab/client.ts";
import type { Plan } from "../../src/lab/plan.ts";
import { NO_RULES, type Peer, type Ruleset, type SubjectRules } from "../../src/lab/ruleset.ts";
import { populationOf } from "../../src/lab/sites.ts";
import { PROTOCOL_NUMBER } from "../../src/lab/verdicts.ts";
import { OUTSIDE, peer, ruleset } from "./arbitrary.ts";
import { EMPTY, egress, entry, ingress, pod, rules } from "./clusters.ts";
import { passes } from "./naive.ts";

const name = uniqueName();

/** Two nodes, five pods, routable from outside, so that every kind of peer can be a sender. */
const PLAN: Plan = {
  ...EMPTY,
  podsRoutable: true,
  nodes: [
    { name: "node-1", addresses: ["192.168.50.1", "2001:db8:50::1"], identity: 6 },
    { name: "node-2", addresses: ["192.168.50.2", "2001:db8:50::2"], identity: 6 },
  ],
  pods: [
    pod("default/a", 1001, "10.0.0.1", {
      addresses: ["10.0.0.1", "2001:db8:1::1"],
      ports: [{ protocol: "TCP", port: 80 }],
    }),
    pod("default/b", 1002, "10.0.0.2", {
      addresses: ["10.0.0.2", "2001:db8:1::2"],
      ports: [{ protocol: "UDP", port: 53 }],
    }),
    pod("default/c", 1003, "10.0.0.3", {
      addresses: ["10.0.0.3", "2001:db8:1::3"],
      node: "node-2",
      ports: [{ protocol: "SCTP", port: 5000 }],
    }),
    pod("default/d", 1004, "10.0.0.4", { addresses: ["10.0.0.4", "2001:db8:1::4"] }),
    pod("default/d-2", 1004, "10.0.0.5", { addresses: ["10.0.0.5", "2001:db8:1::5"], node: "node-2" }),
  ],
};
const population = populationOf(PLAN);

const tcp = (first: number, last = first) => ({ protocol: "TCP", ports: { first, last } }) as const;
const from = (...identities: readonly number[]): Peer => ({ kind: "identities", identities });
const cidr = (covers: "outside" | "nodes" | "all", text: string, ...except: readonly string[]): Peer => ({
  kind: "prefixes",
  prefixes: [{ cidr: text, except }],
  covers,
});

/** Whether a packet passes the policies: `refused` says that it arrived and nobody listens. */
async function allowed(probes: readonly Probe[]): Promise<readonly string[]> {
  const results = await labProbe(probes, { name });
  return results.map((result) =>
    result.outcome === "lost" ? `lost: ${result.detail}` : result.outcome === "deny" ? "deny" : "allow",
  );
}

type Row = readonly [
  title: string,
  subjects: readonly SubjectRules[],
  from: string,
  to: string,
  port: number,
  want: "allow" | "deny",
];
const A = "default/a";
const B = "default/b";
const C = "default/c";

const ROWS: readonly Row[] = [
  ["no rules", [], B, A, 80, "allow"],
  ["isolated without entries", [ingress(1001, [])], B, A, 80, "deny"],
  ["isolation is of one direction", [ingress(1001, [])], A, B, 80, "allow"],
  ["an allowed identity", [ingress(1001, [entry({ peer: from(1002) })])], B, A, 80, "allow"],
  ["another identity", [ingress(1001, [entry({ peer: from(1002) })])], C, A, 80, "deny"],
  ["first port of a range", [ingress(1001, [entry({ traffic: tcp(80, 90) })])], B, A, 80, "allow"],
  ["last port of a range", [ingress(1001, [entry({ traffic: tcp(80, 90) })])], B, A, 90, "allow"],
  ["one below a range", [ingress(1001, [entry({ traffic: tcp(80, 90) })])], B, A, 79, "deny"],
  ["one above a range", [ingress(1001, [entry({ traffic: tcp(80, 90) })])], B, A, 91, "deny"],
  ["another protocol", [ingress(1001, [entry({ traffic: { protocol: "UDP", ports: null } })])], B, A, 80, "deny"],
  [
    "deny over a narrower allow",
    [ingress(1001, [entry({ action: "deny", traffic: tcp(1, 1000) }), entry({ peer: from(1002), traffic: tcp(80) })])],
    B,
    A,
    80,
    "deny",
  ],
  ["deny of one identity", [ingress(1001, [entry({ action: "deny", peer: from(1002) }), entry()])], B, A, 80, "deny"],
  [
    "deny of one identity spares others",
    [ingress(1001, [entry({ action: "deny", peer: from(1002) }), entry()])],
    C,
    A,
    80,
    "allow",
  ],
  [
    "deny without isolation",
    [ingress(1001, [entry({ action: "deny", traffic: tcp(80) })], { isolated: false, isolatedBy: [] })],
    B,
    A,
    81,
    "allow",
  ],
  ["egress closes", [egress(1002, [])], B, A, 80, "deny"],
  [
    "egress and ingress must both open",
    [egress(1002, [entry({ peer: from(1001) })]), ingress(1001, [entry({ peer: from(1003) })])],
    B,
    A,
    80,
    "deny",
  ],
  [
    "both open",
    [egress(1002, [entry({ peer: from(1001) })]), ingress(1001, [entry({ peer: from(1002) })])],
    B,
    A,
    80,
    "allow",
  ],
  ["world covers outside", [ingress(1001, [entry({ peer: from(2) })])], "ip:203.0.113.7", A, 80, "allow"],
  ["world covers no pod", [ingress(1001, [entry({ peer: from(2) })])], B, A, 80, "deny"],
  [
    "a prefix",
    [ingress(1001, [entry({ peer: cidr("outside", "203.0.113.0/24", "203.0.113.128/25") })])],
    "ip:203.0.113.7",
    A,
    80,
    "allow",
  ],
  [
    "its exception",
    [ingress(1001, [entry({ peer: cidr("outside", "203.0.113.0/24", "203.0.113.128/25") })])],
    "ip:203.0.113.130",
    A,
    80,
    "deny",
  ],
  [
    "a prefix to the outside",
    [egress(1001, [entry({ peer: cidr("outside", "8.8.8.0/24") })])],
    A,
    "ip:8.8.8.8",
    443,
    "allow",
  ],
  ["beside it", [egress(1001, [entry({ peer: cidr("outside", "8.8.8.0/24") })])], A, "ip:8.8.9.8", 443, "deny"],
  ["a prefix around pods, Cilium", [ingress(1001, [entry({ peer: cidr("outside", "10.0.0.0/8") })])], B, A, 80, "deny"],
  [
    "a prefix around pods, Kubernetes",
    [ingress(1001, [entry({ peer: cidr("all", "10.0.0.0/8") })])],
    B,
    A,
    80,
    "allow",
  ],
  ["the own node is host", [ingress(1001, [entry({ peer: from(1) })])], "host@node-1", A, 80, "allow"],
  ["another node is not host", [ingress(1001, [entry({ peer: from(1) })])], "host@node-2", A, 80, "deny"],
  ["another node is remote-node", [ingress(1001, [entry({ peer: from(6) })])], "host@node-2", A, 80, "allow"],
  ["the own node is not remote-node", [ingress(1001, [entry({ peer: from(6) })])], "host@node-1", A, 80, "deny"],
  ["towards the own node", [egress(1001, [entry({ peer: from(1) })])], A, "host@node-1", 80, "allow"],
  ["towards another node", [egress(1001, [entry({ peer: from(1) })])], A, "host@node-2", 80, "deny"],
  [
    "other nodes by prefix",
    [ingress(1001, [entry({ peer: cidr("nodes", "192.168.50.0/24") })])],
    "host@node-2",
    A,
    80,
    "allow",
  ],
  ["a pod and itself", [ingress(1001, []), egress(1001, [])], A, A, 80, "allow"],
  ["pods of one identity", [ingress(1004, [])], "default/d", "default/d-2", 80, "deny"],
];

describeWithPackets("enforcement by packets", () => {
  beforeAll(async () => {
    await labUp(PLAN, NO_RULES, { name, attached: true });
  });
  afterAll(() => labDown({ name }));

  test.each(ROWS)("%s", async (_title, subjects, source, target, port, want) => {
    await labApply({ ruleset: rules(...subjects) }, { name });
    expect(await allowed([{ from: source, to: target, protocol: "TCP", port }])).toEqual([want]);
  });

  test("IPv6 alike", async () => {
    await labApply({ ruleset: rules(ingress(1001, [entry({ peer: from(1002), traffic: tcp(80) })])) }, { name });
    const probe = (source: string, port: number): Probe => ({ from: source, to: A, protocol: "TCP", port, family: 6 });
    expect(
      await allowed([probe(B, 80), probe(B, 81), probe(C, 80), probe("internet", 80), probe("host@node-1", 80)]),
    ).toEqual(["allow", "deny", "deny", "deny", "deny"]);
  });

  test("replies pass where the reply's own direction is closed", async () => {
    await labApply({ ruleset: rules(egress(1001, []), ingress(1002, [])) }, { name });
    expect(await allowed([{ from: B, to: A, protocol: "TCP", port: 80 }])).toEqual(["allow"]);
    const results = await labProbe([{ from: B, to: A, protocol: "TCP", port: 80, http: {} }], { name });
    expect(results[0]?.http?.status).toBe(200);
  });

  test("UDP is echoed by the pod that was asked", async () => {
    await labApply({ ruleset: NO_RULES }, { name });
    const results = await labProbe([{ from: A, to: B, protocol: "UDP", port: 53 }], { name });
    expect(results[0]).toMatchObject({ outcome: "allow", answeredBy: B });
  });

  const icmp = (type: number | null) => ({ protocol: "ICMP", type }) as const;
  const CRAFTED: readonly (readonly [string, readonly SubjectRules[], Probe, string])[] = [
    ["ping", [], { from: B, to: A, protocol: "ICMP", port: 8 }, "allow"],
    ["ping outside", [], { from: B, to: "ip:8.8.8.8", protocol: "ICMP", port: 8 }, "allow"],
    ["ping, isolated", [ingress(1001, [])], { from: B, to: A, protocol: "ICMP", port: 8 }, "deny"],
    [
      "ping allowed by type",
      [ingress(1001, [entry({ traffic: icmp(8) })])],
      { from: B, to: A, protocol: "ICMP", port: 8 },
      "allow",
    ],
    [
      "another type",
      [ingress(1001, [entry({ traffic: icmp(8) })])],
      { from: B, to: A, protocol: "ICMP", port: 13 },
      "deny",
    ],
    [
      "every type",
      [ingress(1001, [entry({ traffic: icmp(null) })])],
      { from: B, to: A, protocol: "ICMP", port: 13 },
      "allow",
    ],
    [
      "type 8 of the other family",
      [ingress(1001, [entry({ traffic: { protocol: "ICMPv6", type: 8 } })])],
      { from: B, to: A, protocol: "ICMP", port: 8 },
      "deny",
    ],
    [
      "ping by IPv6",
      [ingress(1001, [entry({ traffic: { protocol: "ICMPv6", type: 128 } })])],
      { from: B, to: A, protocol: "ICMPv6", port: 128 },
      "allow",
    ],
    [
      "ping by IPv6, isolated",
      [ingress(1001, [entry({ traffic: icmp(null) })])],
      { from: B, to: A, protocol: "ICMPv6", port: 128 },
      "deny",
    ],
    ["SCTP to a port that is served", [], { from: A, to: C, protocol: "SCTP", port: 5000 }, "allow"],
    ["SCTP to another port", [], { from: A, to: C, protocol: "SCTP", port: 5001 }, "refused"],
    ["SCTP by IPv6", [], { from: A, to: C, protocol: "SCTP", port: 5000, family: 6 }, "allow"],
    [
      "SCTP allowed",
      [ingress(1003, [entry({ traffic: { protocol: "SCTP", ports: { first: 5000, last: 5000 } } })])],
      { from: A, to: C, protocol: "SCTP", port: 5000 },
      "allow",
    ],
    [
      "SCTP beside it",
      [ingress(1003, [entry({ traffic: { protocol: "SCTP", ports: { first: 5000, last: 5000 } } })])],
      { from: A, to: C, protocol: "SCTP", port: 5001 },
      "deny",
    ],
    [
      "SCTP where TCP is allowed",
      [ingress(1003, [entry({ traffic: tcp(5000) })])],
      { from: A, to: C, protocol: "SCTP", port: 5000 },
      "deny",
    ],
  ];
  test.each(CRAFTED)("%s", async (_title, subjects, probe, want) => {
    await labApply({ ruleset: rules(...subjects) }, { name });
    const [result] = await labProbe([probe], { name });
    expect({ outcome: result?.outcome, detail: result?.detail }).toEqual({ outcome: want, detail: null });
    if (want === "deny") expect(result?.drop?.direction).toBe("ingress");
  });

  test("random rulesets: packets do what the rules mean", async () => {
    const senders = [
      ...PLAN.pods.map((one) => one.name),
      "host@node-1",
      "host@node-2",
      ...OUTSIDE.filter((one) => one !== "10.0.0.99").map((one) => `ip:${one}`),
    ];
    const addressOf = (place: string, family: 4 | 6): string | undefined => {
      if (place.startsWith("ip:")) return family === 4 ? place.slice(3) : undefined;
      const node = PLAN.nodes.find((one) => `host@${one.name}` === place);
      const addresses = node?.addresses ?? PLAN.pods.find((one) => one.name === place)?.addresses ?? [];
      return addresses.find((address) => address.includes(":") === (family === 6));
    };
    let packets = 0;
    const check = async (rulesetUnderTest: Ruleset): Promise<void> => {
      await labApply({ ruleset: rulesetUnderTest }, { name });
      const probes: Probe[] = [];
      const expected: string[] = [];
      for (const source of senders) {
        for (const target of senders) {
          for (const [protocol, port] of [
            ["TCP", 80],
            ["TCP", 90],
            ["UDP", 443],
            ["SCTP", 81],
            ["ICMP", 8],
          ] as const) {
            const family = protocol !== "ICMP" && packets++ % 4 === 0 ? 6 : 4;
            const addresses = [addressOf(source, family), addressOf(target, family)];
            const [sourceAddress, destination] = addresses;
            if (sourceAddress === undefined || destination === undefined || source === target) continue;
            if (source.startsWith("ip:") && target.startsWith("ip:")) continue;
            probes.push({ from: source, to: target, protocol, port, family });
            const one = {
              source: sourceAddress,
              destination,
              protocol: PROTOCOL_NUMBER[protocol],
              destinationPort: port,
            };
            expected.push(passes(rulesetUnderTest, population, one) ? "allow" : "deny");
          }
        }
      }
      const actual = await allowed(probes);
      const shown = (verdicts: readonly string[]) =>
        verdicts.map((verdict, at) => `${JSON.stringify(probes[at])} ${verdict}`);
      expect(shown(actual)).toEqual(shown(expected));
    };
    await fc.assert(fc.asyncProperty(ruleset(peer(["outside", "nodes", "all"])), check), { numRuns: 60, seed: 11 });
  });

  test("a program in a pod opens an SCTP association with a pod that serves the port, and with no other", async () => {
    const program = fileURLToPath(new URL("./sctp-client.ts", import.meta.url));
    const associate = async (source: string, target: string, port: number): Promise<string> => {
      const argv = [process.execPath, "--import", import.meta.resolve("tsx"), program, source, target, String(port)];
      const { stdout, stderr } = await labExec(A, argv, { name, stdio: "collect" });
      return stdout.trim() || stderr;
    };
    await labApply({ ruleset: NO_RULES }, { name });
    // INIT ACK is 2, COOKIE ACK 11 (RFC 9260, section 3.2).
    expect(await associate("10.0.0.1", "10.0.0.3", 5000)).toBe("2 11");
    expect(await associate("2001:db8:1::1", "2001:db8:1::3", 5000)).toBe("2 11");
    expect(await associate("10.0.0.1", "10.0.0.3", 5001)).toBe("nobody");
    await labApply({ ruleset: rules(ingress(1003, [])) }, { name });
    expect(await associate("10.0.0.1", "10.0.0.3", 5000)).toBe("nobody");
  });
});
