import { describe, expect, test } from "vitest";
import { decodeClusterNetworkPolicy } from "../../../src/policy/kubernetes/cluster-network-policy.ts";
import { openKubernetes } from "../../../src/policy/kubernetes/dialect.ts";
import { namePattern } from "../../../src/policy/kubernetes/rules.ts";
import { ask, type Verdict } from "./judge.ts";
import { clusterNetworkPolicy, inW, networkPolicy, world } from "./world.ts";

const WORLD = world();
const OUT = "203.0.113.9";
const ALL = "namespaces: {}";
const BLUE = "{namespaces: {matchLabels: {team: blue}}}";

type Row = readonly [from: string, to: string, port: string, want: Verdict];
const CLI: Row = ["shop/cli", "shop/web", "8080", "allow"];
const X: Row = ["pay/x", "shop/web", "8080", "allow"];

function check(policies: Parameters<typeof ask>[0], rows: readonly Row[]): void {
  const got = rows.map(([from, to, port]): Row => [from, to, port, ask(policies, WORLD, from, to, port)]);
  expect(got).toEqual(rows);
}

function deny([from, to, port]: Row): Row {
  return [from, to, port, "deny"];
}

/** A policy on all pods. */
function admin(rules: string, priority = 10, name = "cnp") {
  return clusterNetworkPolicy(`{tier: Admin, priority: ${priority}, subject: {${ALL}}, ${rules}}`, name);
}

function baseline(rules: string, priority = 0) {
  return clusterNetworkPolicy(`{tier: Baseline, priority: ${priority}, subject: {${ALL}}, ${rules}}`, "base");
}

const denyAll = (direction: "ingress" | "egress"): string =>
  `${direction}: [{action: Deny, ${direction === "ingress" ? "from" : "to"}: [{${ALL}}]}]`;

describe("the schemas refuse", () => {
  /** The errors without the object's name. */
  function server(text: Parameters<typeof decodeClusterNetworkPolicy>[0]): string {
    const { diagnostics } = decodeClusterNetworkPolicy(text);
    const errors = diagnostics.filter((finding) => finding.severity === "error");
    return errors.map((finding) => finding.message.replace(/^ClusterNetworkPolicy \S+: /, "")).join("; ") || "accepted";
  }

  const rule = (body: string) => admin(`egress: [{action: Accept, ${body}}]`);
  const to = (peer: string) => rule(`to: [${peer}]`);
  const protocols = (item: string) => rule(`to: [{${ALL}}], protocols: ${item}`);
  const spec = (text: string) => clusterNetworkPolicy(text);
  const many = (count: number, item: string): string => Array.from({ length: count }, () => item).join(", ");
  const cidrs = (count: number): string => Array.from({ length: count }, (_, i) => `10.0.${i}.0/24`).join(", ");

  test.each([
    [
      "[CNP-06] a priority beyond 1000",
      admin("ingress: []", 1001),
      admin("ingress: []", 1000),
      "spec.priority: Invalid value: 1001: should be less than or equal to 1000",
    ],
    [
      "[CNP-06] a negative priority",
      admin("ingress: []", -1),
      admin("ingress: []", 0),
      "spec.priority: Invalid value: -1: should be greater than or equal to 0",
    ],
    [
      "[CNP-06] no priority",
      spec(`{tier: Admin, subject: {${ALL}}}`),
      spec(`{tier: Admin, priority: 1, subject: {${ALL}}}`),
      "spec.priority: Required value",
    ],
    [
      "[CNP-06] another tier",
      spec(`{tier: NetworkPolicy, priority: 1, subject: {${ALL}}}`),
      spec(`{tier: Baseline, priority: 1, subject: {${ALL}}}`),
      'spec.tier: Unsupported value: "NetworkPolicy": supported values: "Admin", "Baseline"',
    ],
    [
      "[CNP-06] no tier",
      spec(`{priority: 1, subject: {${ALL}}}`),
      spec(`{tier: Admin, priority: 1, subject: {${ALL}}}`),
      "spec.tier: Required value",
    ],
    [
      "[CNP-06] no subject",
      spec("{tier: Admin, priority: 1}"),
      spec(`{tier: Admin, priority: 1, subject: {${ALL}}}`),
      "spec.subject: Required value",
    ],
    [
      "[CNP-06] a subject of both",
      spec(`{tier: Admin, priority: 1, subject: {${ALL}, pods: {podSelector: {}}}}`),
      spec("{tier: Admin, priority: 1, subject: {pods: {podSelector: {}}}}"),
      "spec.subject: Too many: 2: must have at most 1 properties: set exactly one of namespaces, pods",
    ],
    [
      "[CNP-06] a subject of neither",
      spec("{tier: Admin, priority: 1, subject: {}}"),
      spec(`{tier: Admin, priority: 1, subject: {${ALL}}}`),
      "spec.subject: Invalid value: should have at least 1 properties: set exactly one of namespaces, pods",
    ],
    [
      "[CNP-06] another action",
      admin(`ingress: [{action: Allow, from: [{${ALL}}]}]`),
      admin(`ingress: [{action: Pass, from: [{${ALL}}]}]`),
      'spec.ingress[0].action: Unsupported value: "Allow": supported values: "Accept", "Deny", "Pass"',
    ],
    [
      "[CNP-06] no action",
      admin(`ingress: [{from: [{${ALL}}]}]`),
      admin(`ingress: [{action: Deny, from: [{${ALL}}]}]`),
      "spec.ingress[0].action: Required value",
    ],
    [
      "[CNP-06] an empty from",
      admin("ingress: [{action: Deny, from: []}]"),
      admin(`ingress: [{action: Deny, from: [{${ALL}}]}]`),
      "spec.ingress[0].from: Invalid value: 0: should have at least 1 items",
    ],
    [
      "[CNP-06] no from",
      admin("ingress: [{action: Deny}]"),
      admin("ingress: []"),
      "spec.ingress[0].from: Required value",
    ],
    [
      "[CNP-06] 26 peers",
      admin(`ingress: [{action: Deny, from: [${many(26, `{${ALL}}`)}]}]`),
      admin(`ingress: [{action: Deny, from: [${many(25, `{${ALL}}`)}]}]`),
      "spec.ingress[0].from: Too many: 26: must have at most 25 items",
    ],
    [
      "[CNP-29] 26 rules",
      admin(`ingress: [${many(26, `{action: Deny, from: [{${ALL}}]}`)}]`),
      admin(`ingress: [${many(25, `{action: Deny, from: [{${ALL}}]}`)}]`),
      "spec.ingress: Too many: 26: must have at most 25 items",
    ],
    [
      "[CNP-06] empty protocols",
      protocols("[]"),
      protocols("null"),
      "spec.egress[0].protocols: Invalid value: 0: should have at least 1 items",
    ],
    [
      "[CNP-06] an empty peer",
      to("{}"),
      to(`{${ALL}}`),
      "spec.egress[0].to[0]: Invalid value: should have at least 1 properties: set exactly one of namespaces, pods, nodes, networks, domainNames",
    ],
    ["[CNP-06] a peer that is null", to("null"), to(`{${ALL}}`), "spec.egress[0].to[0] must be an object, not null"],
    [
      "[CNP-06] a peer of two kinds",
      to(`{${ALL}, networks: [10.0.0.0/8]}`),
      to("{networks: [10.0.0.0/8]}"),
      "spec.egress[0].to[0]: Too many: 2: must have at most 1 properties: set exactly one of namespaces, pods, nodes, networks, domainNames",
    ],
    [
      "[CNP-02] pods without podSelector",
      to("{pods: {namespaceSelector: {}}}"),
      to("{pods: {podSelector: {}}}"),
      "spec.egress[0].to[0].pods.podSelector: Required value",
    ],
    [
      "[CNP-03] networks on ingress",
      admin("ingress: [{action: Deny, from: [{networks: [10.0.0.0/8]}]}]"),
      admin("egress: [{action: Deny, to: [{networks: [10.0.0.0/8]}]}]"),
      /has no field "networks".*should have at least 1 properties/,
    ],
    [
      "[CNP-04] nodes on ingress",
      admin("ingress: [{action: Deny, from: [{nodes: {}}]}]"),
      admin("egress: [{action: Deny, to: [{nodes: {}}]}]"),
      /has no field "nodes".*should have at least 1 properties/,
    ],
    [
      "[CNP-05] domain names on ingress",
      admin("ingress: [{action: Accept, from: [{domainNames: [a.io]}]}]"),
      admin("egress: [{action: Accept, to: [{domainNames: [a.io]}]}]"),
      /has no field "domainNames".*should have at least 1 properties/,
    ],
    [
      "[CNP-03] no networks",
      to("{networks: []}"),
      to("{networks: [10.0.0.0/8]}"),
      "spec.egress[0].to[0].networks: Invalid value: 0: should have at least 1 items",
    ],
    [
      "[CNP-03] 26 networks",
      to(`{networks: [${cidrs(26)}]}`),
      to(`{networks: [${cidrs(25)}]}`),
      "spec.egress[0].to[0].networks: Too many: 26: must have at most 25 items",
    ],
    [
      "[CNP-11] an address for a network",
      to("{networks: [10.0.0.1]}"),
      to("{networks: [10.0.0.1/32]}"),
      'spec.egress[0].to[0].networks[0]: Invalid value: "10.0.0.1": Invalid CIDR format provided',
    ],
    [
      "[CNP-11] leading zeros",
      to("{networks: [010.0.0.0/8]}"),
      to("{networks: [10.0.0.0/8]}"),
      'spec.egress[0].to[0].networks[0]: Invalid value: "010.0.0.0/8": Invalid CIDR format provided',
    ],
    [
      "[CNP-11] a network twice",
      to("{networks: [10.0.0.0/8, 10.0.0.0/8]}"),
      to("{networks: [10.0.0.0/8, 11.0.0.0/8]}"),
      'spec.egress[0].to[0].networks[1]: Invalid value: "10.0.0.0/8": Duplicate value',
    ],
    [
      "[CNP-11] an except",
      to("{networks: [10.0.0.0/8], except: [10.1.0.0/16]}"),
      to("{networks: [10.0.0.0/8]}"),
      'spec.egress[0].to[0] has no field "except"',
    ],
    ["[CNP-10] every domain", to('{domainNames: ["*"]}'), to('{domainNames: ["*.a.io"]}'), /Invalid value: "\*"/],
    [
      "[CNP-10] one label",
      to("{domainNames: [localhost]}"),
      to("{domainNames: [localhost.localdomain.]}"),
      /Invalid value: "localhost"/,
    ],
    [
      "[CNP-10] a star above one label",
      to('{domainNames: ["*.com"]}'),
      to('{domainNames: ["*.a.com"]}'),
      /Invalid value: "\*\.com"/,
    ],
    [
      "[CNP-10] a star within",
      to('{domainNames: ["a.*.com"]}'),
      to("{domainNames: [a.b.com]}"),
      /Invalid value: "a\.\*\.com"/,
    ],
    [
      "[CNP-12] port 0",
      protocols("[{tcp: {destinationPort: {number: 0}}}]"),
      protocols("[{tcp: {destinationPort: {number: 1}}}]"),
      "spec.egress[0].protocols[0].tcp.destinationPort.number: Invalid value: 0: should be greater than or equal to 1",
    ],
    [
      "[CNP-12] number and range",
      protocols("[{udp: {destinationPort: {number: 1, range: {start: 1, end: 2}}}}]"),
      protocols("[{udp: {destinationPort: {range: {start: 1, end: 2}}}}]"),
      "spec.egress[0].protocols[0].udp.destinationPort: Too many: 2: must have at most 1 properties: set exactly one of number, range",
    ],
    [
      "[CNP-13] a range of one port",
      protocols("[{tcp: {destinationPort: {range: {start: 80, end: 80}}}}]"),
      protocols("[{tcp: {destinationPort: {range: {start: 80, end: 81}}}}]"),
      'spec.egress[0].protocols[0].tcp.destinationPort.range: Invalid value: "80-80": Start port must be less than End port',
    ],
    [
      "[CNP-12] two protocols in one item",
      protocols("[{tcp: {destinationPort: {number: 1}}, udp: {destinationPort: {number: 1}}}]"),
      protocols("[{tcp: {destinationPort: {number: 1}}}, {udp: {destinationPort: {number: 1}}}]"),
      "spec.egress[0].protocols[0]: Too many: 2: must have at most 1 properties: set exactly one of tcp, udp, sctp, destinationNamedPort",
    ],
    [
      "[CNP-16] a protocol without port",
      protocols("[{tcp: {}}]"),
      protocols("[{tcp: {destinationPort: {range: {start: 1, end: 65535}}}}]"),
      "spec.egress[0].protocols[0].tcp: Invalid value: should have at least 1 properties: set destinationPort",
    ],
    [
      "[CNP-17] a port name beside nodes",
      rule("to: [{nodes: {}}], protocols: [{destinationNamedPort: web}]"),
      rule(`to: [{${ALL}}], protocols: [{destinationNamedPort: web}]`),
      /networks\/nodes\/domainNames peer cannot be set with namedPorts/,
    ],
    [
      "a rule's name of 101 characters",
      admin(`ingress: [{name: ${"n".repeat(101)}, action: Deny, from: [{${ALL}}]}]`),
      admin(`ingress: [{name: ${"n".repeat(100)}, action: Deny, from: [{${ALL}}]}]`),
      "spec.ingress[0].name: Too long: may not be more than 100 bytes",
    ],
    [
      "[K8-63] a selector that no client can read",
      to("{namespaces: {matchExpressions: [{key: a, operator: In}]}}"),
      to("{namespaces: {matchExpressions: [{key: a, operator: Exists}]}}"),
      /Required value: must be specified when/,
    ],
  ])("%s", (_, refused, accepted, message) => {
    if (typeof message === "string") expect(server(refused)).toBe(message);
    else expect(server(refused)).toMatch(message);
    expect(server(accepted)).toBe("accepted");
  });

  test("[CNP-17] a port name beside networks is taken by the standard schema, and counts for pods alone", () => {
    const mixed = admin(
      "egress: [{action: Deny, to: [{networks: [0.0.0.0/0]}, {namespaces: {matchLabels: {team: red}}}], protocols: [{destinationNamedPort: http}]}]",
    );
    const { diagnostics, refused } = decodeClusterNetworkPolicy(mixed);
    expect(refused).toBe(false);
    expect(diagnostics.map(({ code }) => code)).toEqual(["BH107"]);
    check([mixed], [deny(CLI), ["shop/cli", OUT, "8080", "allow"]]);
    check(
      [admin("egress: [{action: Deny, to: [{networks: [0.0.0.0/0]}], protocols: [{destinationNamedPort: http}]}]")],
      [CLI],
    );
  });
});

describe("peers", () => {
  const accept = (peer: string) => [
    admin(`ingress: [{action: Accept, from: [${peer}]}]`, 1),
    admin(denyAll("ingress"), 2, "rest"),
  ];

  test("[CNP-01] namespaces: every pod of them", () => {
    check(accept(BLUE), [X, ["pay/y", "shop/web", "8080", "allow"], deny(CLI)]);
  });

  test("[CNP-02] pods: of the namespaces, all of them where none are named", () => {
    const app = "podSelector: {matchLabels: {app: web}}";
    check(accept(`{pods: {namespaceSelector: {matchLabels: {team: blue}}, ${app}}}`), [
      X,
      ["pay/y", "shop/web", "8080", "deny"],
      ["shop/web", "pay/y", "1", "deny"],
    ]);
    check(accept(`{pods: {${app}}}`), [X, ["shop/web", "pay/y", "1", "allow"], deny(CLI)]);
  });

  test("[CNP-03] [CNP-08] networks: pods with an address inside, too", () => {
    const on = (rules: string) => [admin(`egress: [${rules}]`)];
    const block = "{action: Deny, to: [{networks: [0.0.0.0/0]}]}";
    check(on(block), [deny(CLI), ["shop/cli", OUT, "80", "deny"], ["shop/cli", "2001:db8::9", "80", "allow"]]);
    check(on(`{action: Pass, to: [{${ALL}}]}, ${block}`), [CLI, ["shop/cli", OUT, "80", "deny"]]);
    check(on("{action: Deny, to: [{networks: [10.244.2.0/24]}]}"), [CLI, ["shop/web", "shop/cli", "1", "deny"]]);
  });

  test("[CNP-04] nodes: by the labels of their objects, host-network pods on them included", () => {
    const nodes = [admin("egress: [{action: Deny, to: [{nodes: {matchLabels: {zone: b}}}]}]")];
    check(nodes, [
      ["shop/web", "10.0.0.2", "9100", "deny"],
      ["shop/web", "shop/mon", "9100", "deny"],
      ["pay/x", "10.0.0.1", "9100", "allow"],
      CLI,
    ]);
  });

  test("[CNP-05] domain names: only outside, and only to accept", () => {
    const by = (action: string) => [
      admin(
        `egress: [{action: ${action}, to: [{domainNames: [a.io]}]}, {action: Deny, to: [{networks: [0.0.0.0/0]}]}]`,
      ),
    ];
    check(by("Accept"), [["shop/cli", OUT, "80", "unsure"], deny(CLI)]);
    check(by("Pass"), [["shop/cli", OUT, "80", "unsure"], deny(CLI)]);
    check(by("Deny"), [["shop/cli", OUT, "80", "deny"], deny(CLI)]);
    const peers = ["Accept", "Deny"].map((action) => {
      const { policies, diagnostics } = openKubernetes().compile(by(action)[0] ?? admin(""), WORLD);
      return [policies[0]?.rules[0]?.peers[0]?.kind, diagnostics.some(({ code }) => code === "BH108")];
    });
    expect(peers).toEqual([
      ["names", false],
      ["unknown", true],
    ]);
  });

  test("[CNP-10] a star is one or more whole labels", () => {
    const matches = (pattern: string, name: string): boolean => new RegExp(namePattern(pattern).expression).test(name);
    expect(matches("*.a.io", "x.a.io.")).toBe(true);
    expect(matches("*.a.io", "x.y.a.io.")).toBe(true);
    expect(matches("*.a.io", "a.io.")).toBe(false);
    expect(matches("*.a.io", "xa.io.")).toBe(false);
    expect(matches("A.io.", "a.io.")).toBe(true);
    expect(matches("a.io", "x.a.io.")).toBe(false);
    expect(matches("a.io", "axio.")).toBe(false);
  });

  test("[CNP-07] host-network pods are neither subjects nor peers", () => {
    check([admin(denyAll("egress"))], [["shop/mon", "pay/y", "80", "allow"], deny(CLI)]);
    check([admin(denyAll("ingress"))], [["shop/mon", "shop/web", "8080", "allow"], deny(CLI)]);
  });

  test("[CNP-09] nothing outside matches an ingress rule", () => {
    const open: Row = [OUT, "shop/web", "8080", "allow"];
    check([admin(denyAll("ingress"))], [open, ["10.0.0.2", "shop/web", "8080", "allow"], deny(X)]);
    check([admin(denyAll("ingress")), inW("[]")], [deny(open)]);
  });

  test("[CNP-23] an unknown member fails closed; an unknown field beside a known one is dropped", () => {
    const by = (action: string, peer: string) => [
      admin(
        `egress: [{action: ${action}, to: [${peer}, {${ALL}}], protocols: [{tcp: {destinationPort: {number: 1}}}]}]`,
        1,
      ),
    ];
    const far: Row = ["shop/cli", OUT, "80", "allow"];
    check(by("Deny", "{services: {}}"), [deny(CLI), deny(far)]);
    check(by("Pass", "{services: {}}"), [deny(CLI), deny(far)]);
    check(by("Accept", "{services: {}}"), [CLI, far]);
    check(
      [...by("Accept", "{services: {}}"), admin(denyAll("egress"), 2, "rest")],
      [["shop/cli", "shop/web", "1", "deny"]],
    );
    check([...by("Accept", BLUE), admin(denyAll("egress"), 2, "rest")], [["shop/cli", "shop/web", "1", "allow"]]);
    check(by("Deny", `{services: {}, networks: [10.0.0.0/8]}`), [CLI, ["shop/cli", "shop/web", "1", "deny"]]);
  });
});

describe("protocols", () => {
  const by = (protocols: string) => [
    admin(`ingress: [{action: Accept, from: [{${ALL}}], protocols: ${protocols}}]`, 1),
    admin(denyAll("ingress"), 2, "rest"),
  ];

  test("[CNP-12] one port of one protocol", () => {
    const rows = (tcp: Verdict, udp: Verdict, sctp: Verdict): readonly Row[] => [
      ["shop/cli", "shop/web", "8080", tcp],
      ["shop/cli", "shop/web", "8080/UDP", udp],
      ["shop/cli", "shop/web", "8080/SCTP", sctp],
      ["shop/cli", "shop/web", "8081", "deny"],
    ];
    check(by("[{tcp: {destinationPort: {number: 8080}}}]"), rows("allow", "deny", "deny"));
    check(by("[{udp: {destinationPort: {number: 8080}}}]"), rows("deny", "allow", "deny"));
    check(by("[{sctp: {destinationPort: {number: 8080}}}]"), rows("deny", "deny", "allow"));
  });

  test("[CNP-13] a range, both ends within", () => {
    check(by("[{tcp: {destinationPort: {range: {start: 8079, end: 8080}}}}]"), [
      ["shop/cli", "shop/web", "8078", "deny"],
      ["shop/cli", "shop/web", "8079", "allow"],
      CLI,
      ["shop/cli", "shop/web", "8081", "deny"],
    ]);
  });

  test("[CNP-14] a name, whatever its protocol", () => {
    check(by("[{destinationNamedPort: http}]"), [
      CLI,
      ["shop/cli", "shop/web", "8080/UDP", "deny"],
      ["shop/cli", "shop/db", "8080", "deny"],
    ]);
    check(by("[{destinationNamedPort: pg}]"), [["shop/cli", "shop/db", "5432", "allow"], deny(CLI)]);
  });

  test("[CNP-15] absent: any protocol", () => {
    check(by("null"), [CLI, ["shop/cli", "shop/web", "1/UDP", "allow"], ["shop/cli", "shop/web", "ICMP", "allow"]]);
  });
});

describe("the tiers", () => {
  const closed = networkPolicy("{podSelector: {}}");
  const acceptBlue = `ingress: [{action: Accept, from: [${BLUE}]}]`;

  test("[CNP-18] step 1: the first rule that matches decides, by priority, then top to bottom", () => {
    check([admin(acceptBlue, 5), admin(denyAll("ingress"), 10, "b")], [X, deny(CLI)]);
    check([admin(acceptBlue, 10), admin(denyAll("ingress"), 5, "b")], [deny(X), deny(CLI)]);
    check([admin(`ingress: [{action: Deny, from: [${BLUE}]}, {action: Accept, from: [{${ALL}}]}]`)], [deny(X), CLI]);
    check([admin(`ingress: [{action: Accept, from: [{${ALL}}]}, {action: Deny, from: [${BLUE}]}]`)], [X, CLI]);
  });

  test("[CNP-18] step 1 stands above NetworkPolicy", () => {
    check([admin(acceptBlue), closed], [X, deny(CLI)]);
    check([admin(`ingress: [{action: Deny, from: [${BLUE}]}]`), inW("[{}]")], [deny(X), CLI]);
  });

  test("[CNP-18] step 1: pass leaves the tier", () => {
    const pass = admin(`ingress: [{action: Pass, from: [${BLUE}]}]`, 1);
    const rest = admin(denyAll("ingress"), 2, "rest");
    const base = baseline(denyAll("ingress"));
    check([pass, rest, base], [deny(X), deny(CLI)]);
    check([pass, rest, base, inW("[{from: [{namespaceSelector: {}}]}]")], [X, deny(CLI)]);
    check([pass, rest], [X, deny(CLI)]);
  });

  test("[CNP-18] step 2: the union is final where a NetworkPolicy isolates", () => {
    const base = baseline(denyAll("ingress"));
    check([base, inW("[{from: [{podSelector: {}}]}]")], [CLI, deny(X), ["shop/cli", "shop/db", "5432", "deny"]]);
  });

  test("[CNP-18] step 3: pass in the baseline ends in the default", () => {
    check([baseline(`ingress: [{action: Pass, from: [${BLUE}]}, {action: Deny, from: [{${ALL}}]}]`)], [X, deny(CLI)]);
  });

  test("[CNP-18] step 4: what nothing decides passes", () => {
    check([admin(`ingress: [{action: Pass, from: [{${ALL}}]}]`)], [X, CLI]);
  });

  test("[CNP-25] baseline neither opens nor sees what a NetworkPolicy isolates in that direction", () => {
    check([baseline(`ingress: [{action: Accept, from: [{${ALL}}]}]`), closed], [deny(CLI)]);
    const out: Row = ["shop/web", OUT, "80", "allow"];
    check([baseline("egress: [{action: Deny, to: [{networks: [0.0.0.0/0]}]}]"), inW("[{}]")], [deny(out)]);
    const ownEgress = networkPolicy("{podSelector: {}, policyTypes: [Egress], egress: [{}]}");
    check([baseline("egress: [{action: Deny, to: [{networks: [0.0.0.0/0]}]}]"), ownEgress], [out]);
  });

  test("[CNP-19] a policy without rules in a direction changes nothing", () => {
    check([admin("ingress: []"), baseline("egress: null")], [X, CLI]);
    check([admin("ingress: []"), closed], [deny(CLI)]);
  });

  test("[CNP-20] policies of equal priority are told by their order", () => {
    const order = (priority: number): readonly unknown[] =>
      openKubernetes()
        .compile(admin("ingress: []", priority), WORLD)
        .policies.map(({ tier, order: at, sequence }) => [tier, at, sequence]);
    expect(order(7)).toEqual([["admin", 7, "policy.networking.k8s.io/v1alpha2"]]);
    expect(order(8)).not.toEqual(order(7));
  });

  test("[CNP-21] accept on egress ends the egress side alone", () => {
    const accept = clusterNetworkPolicy(
      `{tier: Admin, priority: 1, subject: {namespaces: {matchLabels: {team: blue}}}, egress: [{action: Accept, to: [{${ALL}}]}]}`,
    );
    check([accept, closed], [deny(X)]);
    check([accept, networkPolicy("{podSelector: {}, policyTypes: [Egress]}", "np", "pay")], [X]);
  });

  test("[CNP-26] says which networks enforce the kind", () => {
    const { diagnostics } = openKubernetes().compile(admin(acceptBlue), WORLD);
    expect(diagnostics.map(({ code, severity }) => [code, severity])).toEqual([["BH105", "info"]]);
  });

  test("subjects by pods", () => {
    const on = (subject: string) => [
      clusterNetworkPolicy(`{tier: Admin, priority: 1, subject: ${subject}, ${denyAll("ingress")}}`),
    ];
    const red = "namespaceSelector: {matchLabels: {team: red}}";
    check(on(`{pods: {${red}, podSelector: {matchLabels: {app: web}}}}`), [
      deny(CLI),
      ["shop/cli", "pay/x", "1", "allow"],
    ]);
    check(on("{pods: {podSelector: {matchLabels: {app: web}}}}"), [
      deny(CLI),
      ["shop/cli", "pay/x", "1", "deny"],
      ["shop/cli", "shop/db", "1", "allow"],
    ]);
  });
});
