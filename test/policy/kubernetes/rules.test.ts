import { describe, expect, test } from "vitest";
import { type LabelValue, UNKNOWN } from "../../../src/model/labels.ts";
import { openKubernetes } from "../../../src/policy/kubernetes/dialect.ts";
import { identify } from "../../../src/policy/kubernetes/identity.ts";
import { matchesSelector } from "../../../src/policy/selector.ts";
import { ask, type Verdict } from "./judge.ts";
import { inW, namespace, networkPolicy, node, pod, world } from "./world.ts";

const WORLD = world();

type Row = readonly [from: string, to: string, port: string, want: Verdict];

function check(policies: Parameters<typeof ask>[0], rows: readonly Row[], where = WORLD): void {
  const got = rows.map(([from, to, port]): Row => [from, to, port, ask(policies, where, from, to, port)]);
  expect(got).toEqual(rows);
}

const CLI: Row = ["shop/cli", "shop/web", "8080", "allow"];
const OUT = "203.0.113.9";

function deny([from, to, port]: Row): Row {
  return [from, to, port, "deny"];
}

describe("policyTypes", () => {
  test("[K8-05] absent and no egress rules: ingress alone is closed", () => {
    for (const spec of ["{podSelector: {}}", "{podSelector: {}, policyTypes: []}", "{podSelector: {}, egress: []}"])
      check([networkPolicy(spec)], [deny(CLI), ["shop/web", OUT, "80", "allow"]]);
  });

  test("[K8-06] absent and egress rules: both are closed, and what egress allows does not open ingress", () => {
    for (const spec of ["{podSelector: {}, egress: [{}]}", "{podSelector: {}, policyTypes: null, egress: [{}]}"])
      check([networkPolicy(spec)], [deny(CLI), ["shop/web", OUT, "80", "allow"]]);
    check([networkPolicy("{podSelector: {}, egress: [{ports: [{port: 1}]}]}")], [["shop/web", OUT, "80", "deny"]]);
  });

  test("[K8-07] written: as written", () => {
    check(
      [networkPolicy("{podSelector: {}, policyTypes: [Egress]}")],
      [deny(CLI), ["pay/x", "shop/web", "8080", "allow"], ["shop/web", OUT, "80", "deny"]],
    );
    check(
      [networkPolicy("{podSelector: {}, policyTypes: [Ingress], egress: [{ports: [{port: 1}]}]}")],
      [["shop/web", OUT, "80", "allow"]],
    );
  });

  test("[K8-08] rules of a direction that is left out mean nothing, with a warning", () => {
    const rules = "ingress: [{from: [{podSelector: {matchLabels: {app: db}}}]}]";
    const without = networkPolicy(`{podSelector: {}, policyTypes: [Egress], egress: [{}], ${rules}}`);
    const withIngress = networkPolicy(`{podSelector: {}, policyTypes: [Egress, Ingress], egress: [{}], ${rules}}`);
    check([without], [CLI]);
    check([withIngress], [deny(CLI)]);
    const codes = [without, withIngress].map((policy) =>
      openKubernetes()
        .compile(policy, WORLD)
        .diagnostics.map(({ code }) => code),
    );
    expect(codes).toEqual([["BH101"], []]);
  });
});

describe("absent, [] and [{}]", () => {
  const others: readonly Row[] = [
    ["pay/x", "shop/web", "53/UDP", "allow"],
    [OUT, "shop/web", "8080", "allow"],
  ];

  test("[K8-09] ingress", () => {
    check([inW("null")], [deny(CLI), ...others.map(deny)]);
    check([inW("[]")], [deny(CLI), ...others.map(deny)]);
    check([inW("[{}]")], [CLI, ...others]);
  });

  test("[K8-10] egress", () => {
    const on = (egress: string) => networkPolicy(`{podSelector: {}, policyTypes: [Egress], egress: ${egress}}`);
    check([on("null")], [["shop/web", OUT, "80", "deny"]]);
    check([on("[]")], [["shop/web", OUT, "80", "deny"]]);
    check([on("[{}]")], [["shop/web", OUT, "80", "allow"]]);
  });

  test("[K8-11] from", () => {
    check([inW("[{from: []}]")], [CLI, ...others]);
    check([inW("[{from: null}]")], [CLI, ...others]);
    check([inW("[{from: [{podSelector: {}}]}]")], [CLI, ...others.map(deny)]);
  });

  test("[K8-12] ports: an empty port is every port of TCP", () => {
    check([inW("[{ports: []}]")], [["shop/cli", "shop/web", "53/UDP", "allow"]]);
    check(
      [inW("[{ports: [{}]}]")],
      [
        ["shop/cli", "shop/web", "1", "allow"],
        ["shop/cli", "shop/web", "65535", "allow"],
        ["shop/cli", "shop/web", "53/UDP", "deny"],
      ],
    );
  });

  test("[K8-13] podSelector: absent is every pod of the namespace and of no other", () => {
    check([networkPolicy("{}")], [deny(CLI), ["shop/cli", "pay/x", "80", "allow"]]);
    check([networkPolicy("{podSelector: {matchLabels: {app: db}}}")], [CLI]);
  });

  test("[K8-14] except: absent and empty take nothing out", () => {
    for (const except of ["", ", except: null", ", except: []"])
      check([inW(`[{from: [{ipBlock: {cidr: 203.0.113.0/24${except}}}]}]`)], [[OUT, "shop/web", "8080", "allow"]]);
  });

  test("[K8-15] a port without number is every port of its protocol", () => {
    check(
      [inW("[{ports: [{protocol: UDP}]}]")],
      [["shop/cli", "shop/web", "53/UDP", "allow"], ["shop/cli", "shop/web", "8080/UDP", "allow"], deny(CLI)],
    );
  });
});

describe("peers", () => {
  const X: Row = ["pay/x", "shop/web", "8080", "allow"];
  const Y: Row = ["pay/y", "shop/web", "8080", "allow"];
  const O: Row = [OUT, "shop/web", "8080", "allow"];
  const NODE: Row = ["10.0.0.2", "shop/web", "8080", "allow"];
  const MON: Row = ["shop/mon", "shop/web", "8080", "allow"];

  test("[K8-03] the four operators", () => {
    const by = (expression: string) => [
      inW(`[{from: [{podSelector: {matchExpressions: [{key: app, ${expression}}]}}]}]`),
    ];
    check(by("operator: In, values: [cli, db]"), [CLI, ["shop/new", "shop/web", "8080", "deny"]]);
    check(by("operator: NotIn, values: [cli]"), [deny(CLI), ["shop/db", "shop/web", "8080", "allow"]]);
    check(by("operator: Exists"), [CLI]);
    check(by("operator: DoesNotExist"), [deny(CLI)]);
    const bare = world({ workloads: [...WORLD.workloads, pod("shop", "bare", { labels: {} })] });
    const BARE: Row = ["shop/bare", "shop/web", "8080", "allow"];
    check(by("operator: NotIn, values: [cli]"), [BARE], bare);
    check(by("operator: DoesNotExist"), [BARE], bare);
    check(by("operator: Exists"), [deny(BARE)], bare);
  });

  test("[K8-02] every term must hold", () => {
    const both = "{matchLabels: {app: cli}, matchExpressions: [{key: tier, operator: Exists}]}";
    check([inW(`[{from: [{podSelector: ${both}}]}]`)], [deny(CLI)]);
    check([inW("[{from: [{podSelector: {matchLabels: {app: cli}}}]}]")], [CLI]);
  });

  test("[K8-04] a namespace without an object has the label that the server adds", () => {
    const bare = world({ namespaces: new Map() });
    const named = (name: string) => [
      inW(`[{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ${name}}}}]}]`),
    ];
    check(named("pay"), [X, deny(CLI)], bare);
    check(named("shop"), [deny(X), CLI], bare);
  });

  test("[K8-16] [K8-22] podSelector: pods of the policy's namespace alone", () => {
    check([inW("[{from: [{podSelector: {}}]}]")], [CLI, deny(X), deny(O), deny(NODE)]);
    check([inW("[{from: [{podSelector: {matchLabels: {app: web}}}]}]")], [deny(X), deny(CLI)]);
  });

  test("[K8-17] namespaceSelector: any pod of the namespaces", () => {
    check([inW("[{from: [{namespaceSelector: {matchLabels: {team: blue}}}]}]")], [X, Y, deny(CLI), deny(O)]);
  });

  test("[K8-21] the empty namespaceSelector: all pods, and nothing else", () => {
    check([inW("[{from: [{namespaceSelector: {}}]}]")], [X, CLI, deny(O), deny(NODE), deny(MON)]);
  });

  test("[K8-21] a NotIn never reaches outside or to nodes", () => {
    const not = "{matchExpressions: [{key: team, operator: NotIn, values: [red]}]}";
    check([inW(`[{from: [{namespaceSelector: ${not}}]}]`)], [X, deny(CLI), deny(O), deny(NODE)]);
  });

  test("[K8-18] both selectors in one item: both must hold", () => {
    const both = "{namespaceSelector: {matchLabels: {team: blue}}, podSelector: {matchLabels: {app: web}}}";
    check([inW(`[{from: [${both}]}]`)], [X, deny(Y), deny(CLI)]);
  });

  test("[K8-19] two items: either", () => {
    const either = "{namespaceSelector: {matchLabels: {team: blue}}}, {podSelector: {matchLabels: {app: cli}}}";
    check([inW(`[{from: [${either}]}]`)], [X, Y, CLI, ["shop/db", "shop/web", "8080", "deny"]]);
  });

  test("[K8-20] ipBlock: inside cidr and outside every except", () => {
    const inside: Row = ["203.0.113.77", "shop/web", "8080", "allow"];
    const block = "cidr: 203.0.113.0/24, except: [203.0.113.0/28, 203.0.113.8/29]";
    check([inW(`[{from: [{ipBlock: {${block}}}]}]`)], [inside, deny(O), ["203.0.114.1", "shop/web", "8080", "deny"]]);
  });

  test("[K8-23] except takes from its own item alone", () => {
    const block = "{ipBlock: {cidr: 203.0.113.0/24, except: [203.0.113.0/28]}}";
    check([inW(`[{from: [${block}, {ipBlock: {cidr: 203.0.113.9/32}}]}]`)], [O]);
    check([inW(`[{from: [${block}, {ipBlock: {cidr: 203.0.113.8/32}}]}]`)], [deny(O)]);
  });

  test("[K8-24] ipBlock meets pods of known address; without one, who knows", () => {
    const NEW: Row = ["shop/new", "shop/web", "8080", "unsure"];
    check(
      [inW("[{from: [{ipBlock: {cidr: 10.244.2.0/24}}]}]")],
      [CLI, X, NEW, ["shop/db", "shop/web", "8080", "deny"]],
    );
  });

  test("[K8-25] a family never covers the other", () => {
    const six: Row = ["2001:db8::9", "shop/web", "8080", "allow"];
    check([inW("[{from: [{ipBlock: {cidr: 0.0.0.0/0}}]}]")], [O, deny(six)]);
    check([inW('[{from: [{ipBlock: {cidr: "::/0"}}]}]')], [deny(O), six]);
  });

  test("[K8-40] another node is met by address alone", () => {
    check([inW("[{from: [{ipBlock: {cidr: 10.0.0.2/32}}]}]")], [NODE, MON]);
    check([inW("[{from: [{ipBlock: {cidr: 10.0.0.3/32}}]}]")], [deny(NODE), deny(MON)]);
  });

  test("[K8-42] a host-network pod is no pod to selectors", () => {
    check([inW("[{from: [{podSelector: {matchLabels: {app: mon}}}]}]")], [deny(MON)]);
    check([inW("[{from: [{podSelector: {matchLabels: {app: cli}}}]}]")], [CLI]);
  });

  test("[K8-18] an absent podSelector asks nothing of the pods, whatever labels they have", () => {
    const bare = world({ workloads: [...WORLD.workloads, pod("pay", "bare", { labels: {} })] });
    check(
      [inW("[{from: [{namespaceSelector: {matchLabels: {team: blue}}}]}]")],
      [["pay/bare", "shop/web", "1", "allow"]],
      bare,
    );
  });
});

describe("ports", () => {
  const two = world({
    workloads: [
      ...WORLD.workloads,
      pod("shop", "web2", {
        labels: { app: "web" },
        ports: [
          { name: "http", protocol: "TCP", port: 9000 },
          { name: "http", protocol: "TCP", port: 9001 },
          { name: "dns", protocol: "TCP", port: 53 },
          { name: "dns", protocol: "UDP", port: 54 },
        ],
      }),
    ],
  });

  test("[K8-27] the destination's port, in both directions", () => {
    check([inW("[{ports: [{port: 8080}]}]")], [CLI, ["shop/cli", "shop/web", "8081", "deny"]]);
    const egress = networkPolicy(
      "{podSelector: {matchLabels: {app: cli}}, policyTypes: [Egress], egress: [{ports: [{port: 8080}]}]}",
    );
    check([egress], [CLI, ["shop/cli", "shop/web", "8081", "deny"]]);
  });

  test("[K8-28] a range, both ends within", () => {
    const range = [inW("[{ports: [{port: 8000, endPort: 8080}]}]")];
    check(range, [
      ["shop/cli", "shop/web", "7999", "deny"],
      ["shop/cli", "shop/web", "8000", "allow"],
      CLI,
      ["shop/cli", "shop/web", "8081", "deny"],
      ["shop/cli", "shop/web", "8010/UDP", "deny"],
    ]);
  });

  test("[K8-29] a name on ingress is that of the protected pod", () => {
    check(
      [inW("[{ports: [{port: http}]}]")],
      [
        CLI,
        ["shop/cli", "shop/web", "9000", "deny"],
        ["shop/cli", "shop/web2", "9000", "allow"],
        ["shop/cli", "shop/web2", "8080", "deny"],
        ["shop/cli", "shop/web", "8080/UDP", "deny"],
      ],
      two,
    );
    check([inW("[{ports: [{port: http, protocol: UDP}]}]")], [deny(CLI), ["shop/cli", "shop/web", "8080/UDP", "deny"]]);
  });

  test("[K8-31] every declaration of a name counts whose protocol matches", () => {
    check(
      [inW("[{ports: [{port: http}, {port: dns, protocol: UDP}]}]")],
      [
        ["shop/cli", "shop/web2", "9001", "allow"],
        ["shop/cli", "shop/web2", "54/UDP", "allow"],
        ["shop/cli", "shop/web2", "53", "deny"],
        ["shop/cli", "shop/web2", "53/UDP", "deny"],
      ],
      two,
    );
  });

  test("[K8-30] a name on egress is that of the destination pod, and nothing for an address", () => {
    const on = (rule: string) =>
      networkPolicy(`{podSelector: {matchLabels: {app: cli}}, policyTypes: [Egress], egress: [${rule}]}`);
    const DB: Row = ["shop/cli", "shop/db", "5432", "allow"];
    check([on("{to: [{podSelector: {}}], ports: [{port: pg}]}")], [DB, ["shop/cli", "shop/web", "5432", "deny"]]);
    check([on("{ports: [{port: pg}]}")], [DB, ["shop/cli", OUT, "5432", "deny"]]);
    const block = "{ipBlock: {cidr: 0.0.0.0/0}}";
    check([on(`{to: [${block}], ports: [{port: pg}]}`)], [deny(DB), ["shop/cli", OUT, "5432", "deny"]]);
    check(
      [on(`{to: [${block}, {podSelector: {matchLabels: {app: db}}}], ports: [{port: pg}, {port: 53, protocol: UDP}]}`)],
      [DB, ["shop/cli", OUT, "5432", "deny"], ["shop/cli", OUT, "53/UDP", "allow"]],
    );
    check(
      [inW("[{from: [{ipBlock: {cidr: 0.0.0.0/0}}], ports: [{port: http}]}]")],
      [CLI, [OUT, "shop/web", "8080", "allow"]],
    );
  });

  test("[K8-32] SCTP is not TCP", () => {
    check(
      [inW("[{ports: [{protocol: SCTP, port: 3868}]}]")],
      [
        ["shop/cli", "shop/web", "3868/SCTP", "allow"],
        ["shop/cli", "shop/web", "3868", "deny"],
      ],
    );
  });

  test("[K8-33] nobody can tell what isolation does to ICMP; a rule of every protocol admits it", () => {
    const ping = (want: Verdict): readonly Row[] => [["shop/cli", "shop/web", "ICMP", want]];
    check([], ping("allow"));
    check([inW("[]")], ping("unsure"));
    check([inW("[{ports: [{}]}]")], ping("unsure"));
    check([inW("[{}]")], ping("allow"));
  });
});

describe("nodes, self and the union", () => {
  test("[K8-38] a pod's own node always reaches it, another does not", () => {
    check(
      [inW("[]")],
      [
        ["10.0.0.1", "shop/web", "8080", "allow"],
        ["shop/near", "shop/web", "8080", "allow"],
        ["10.0.0.2", "shop/web", "8080", "deny"],
        ["shop/mon", "shop/web", "8080", "deny"],
      ],
    );
  });

  test("[K8-39] [K8-74] and it reaches its own node, not another", () => {
    const closed = [networkPolicy("{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress]}")];
    check(closed, [
      ["shop/web", "10.0.0.1", "9100", "allow"],
      ["shop/web", "10.0.0.2", "9100", "deny"],
    ]);
  });

  test("[K8-41] a host-network pod is never isolated", () => {
    const all = [networkPolicy("{podSelector: {}, policyTypes: [Ingress, Egress]}")];
    check(all, [
      ["shop/mon", "pay/y", "80", "allow"],
      ["pay/y", "shop/mon", "80", "allow"],
      ["shop/cli", "pay/y", "80", "deny"],
    ]);
  });

  test("[K8-70] policies add up, in any order", () => {
    const all = networkPolicy("{podSelector: {}}", "all");
    const open = inW("[{from: [{podSelector: {matchLabels: {app: cli}}}]}]");
    const rows: readonly Row[] = [CLI, ["shop/cli", "shop/db", "5432", "deny"]];
    check([all, open], rows);
    check([open, all], rows);
    check([all], rows.map(deny));
  });

  test("[K8-71] the source's egress and the destination's ingress must both allow", () => {
    const open = inW("[{from: [{podSelector: {matchLabels: {app: cli}}}]}]");
    const closed = networkPolicy("{podSelector: {matchLabels: {app: cli}}, policyTypes: [Egress]}");
    check([open], [CLI]);
    check([open, closed], [deny(CLI)]);
  });

  test("[K8-34] rules are alternatives, the parts of one rule are not", () => {
    const rules = [inW("[{from: [{podSelector: {matchLabels: {app: cli}}}]}, {ports: [{port: 9090}]}]")];
    check(rules, [CLI, ["pay/x", "shop/web", "9090", "allow"], ["pay/x", "shop/web", "8080", "deny"]]);
    check([inW("[{from: [{podSelector: {matchLabels: {app: cli}}}], ports: [{port: 9090}]}]")], [deny(CLI)]);
  });

  test("[K8-73] an object that the server refuses has no effect at all", () => {
    const refused = networkPolicy("{podSelector: {}, policyTypes: [Ingress, egress]}");
    check([refused], [CLI]);
    expect(openKubernetes().compile(refused, WORLD)).toMatchObject({ policies: [], refused: true });
    check([networkPolicy("{podSelector: {}, policyTypes: [Ingress, Egress]}")], [deny(CLI)]);
  });
});

describe("who an endpoint is", () => {
  const [web] = WORLD.workloads;
  const [first] = WORLD.nodes;

  test("a pod: its labels and those of its namespace", () => {
    if (web?.pods[0] === undefined) throw new Error("no pod");
    expect(Object.fromEntries(identify({ kind: "pod", workload: web, pod: web.pods[0] }, WORLD))).toEqual({
      "is:pod": "",
      "meta:namespace": "shop",
      "ns:kubernetes.io/metadata.name": "shop",
      "ns:team": "red",
      "pod:app": "web",
    });
  });

  test("a node, and whether the other end runs on it", () => {
    const labels = (local: boolean) =>
      Object.keys(Object.fromEntries(identify({ kind: "node", node: first, local }, WORLD)));
    expect(labels(false)).toEqual(["is:node", "node:zone"]);
    expect(labels(true)).toEqual(["is:node", "is:local-node", "node:zone"]);
  });

  test("a node whose object the input lacks may have any label", () => {
    const selector = [{ source: "node", key: "zone", operator: "In", values: ["a"] }] as const;
    const ask = (party: Parameters<typeof identify>[0]) => matchesSelector(selector, identify(party, WORLD));
    expect(ask({ kind: "node", node: first, local: false })).toBe("yes");
    expect(ask({ kind: "node", node: undefined, local: false })).toBe("maybe");
    expect(ask({ kind: "node", node: { ...node("N3", "10.0.0.3"), synthesised: true }, local: false })).toBe("maybe");
    expect(ask({ kind: "node", node: node("N3", "10.0.0.3"), local: false })).toBe("no");
  });

  test("[WL-12] a label of which only the cluster knows the value", () => {
    const plain = pod("shop", "hashed");
    const pods = plain.pods.map((one) => ({ ...one, labels: new Map<string, LabelValue>([["hash", UNKNOWN]]) }));
    const hashed = { ...plain, pods };
    const where = world({ workloads: [...WORLD.workloads, hashed] });
    const HASHED: Row = ["shop/hashed", "shop/web", "8080", "unsure"];
    check([inW("[{from: [{podSelector: {matchLabels: {hash: 6d5f9}}}]}]")], [HASHED, deny(CLI)], where);
    check(
      [inW("[{from: [{podSelector: {matchExpressions: [{key: hash, operator: Exists}]}}]}]")],
      [["shop/hashed", "shop/web", "8080", "allow"]],
      where,
    );
  });

  test("outside and the reserved identities of other networks carry no label that a selector asks for", () => {
    expect([...identify({ kind: "outside", family: "IPv6" }, WORLD).keys()]).toEqual(["is:outside"]);
    expect([...identify({ kind: "reserved", name: "health" }, WORLD).keys()]).toEqual(["is:reserved"]);
  });

  test("labels of a namespace never count for its pods, nor the other way round", () => {
    const where = world({ namespaces: new Map([["shop", namespace("shop", { app: "cli" })]]) });
    check(
      [inW("[{from: [{namespaceSelector: {matchLabels: {app: cli}}}]}]")],
      [CLI, ["shop/db", "shop/web", "8080", "allow"]],
      where,
    );
    check([inW("[{from: [{podSelector: {matchLabels: {team: red}}}]}]")], [deny(CLI)], where);
  });
});

describe("the dialect", () => {
  test("knows its own kinds in their own versions", () => {
    const { enforces, name } = openKubernetes();
    expect(name).toBe("kubernetes");
    expect(
      [
        ["networking.k8s.io/v1", "NetworkPolicy"],
        ["policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy"],
        ["policy.networking.k8s.io/v1alpha1", "AdminNetworkPolicy"],
        ["policy.networking.k8s.io/v1alpha1", "BaselineAdminNetworkPolicy"],
      ].map(([version = "", kind = ""]) => enforces(version, kind)),
    ).toEqual([true, true, true, true]);
    expect(enforces("projectcalico.org/v3", "NetworkPolicy")).toBe(false);
    expect(enforces("policy.networking.k8s.io/v1alpha2", "AdminNetworkPolicy")).toBe(false);
    expect(enforces("cilium.io/v2", "CiliumNetworkPolicy")).toBe(false);
  });

  test("names the origin of every rule", () => {
    const { policies } = openKubernetes().compile(inW("[{}, {ports: [{port: 1}]}]"), WORLD);
    expect(policies[0]?.rules[1]?.origin).toMatchObject({
      kind: "NetworkPolicy",
      namespace: "shop",
      name: "np",
      section: "ingress",
      index: 1,
      path: ["spec", "ingress", 1],
    });
  });
});
