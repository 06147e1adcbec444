import { describe, expect, test } from "vitest";
import { decodeAdminNetworkPolicy } from "../../../src/policy/kubernetes/admin-network-policy.ts";
import { openKubernetes } from "../../../src/policy/kubernetes/dialect.ts";
import { ask, type Verdict } from "./judge.ts";
import {
  adminNetworkPolicy,
  baselineAdminNetworkPolicy,
  clusterNetworkPolicy,
  inW,
  namespace,
  networkPolicy,
  pod,
  world,
} from "./world.ts";

const WORLD = world();
const ALL = "namespaces: {}";
const BLUE = "{namespaces: {matchLabels: {team: blue}}}";

type Row = readonly [from: string, to: string, port: string, want: Verdict];
const CLI: Row = ["shop/cli", "shop/web", "8080", "allow"];
const X: Row = ["pay/x", "shop/web", "8080", "allow"];

function check(policies: Parameters<typeof ask>[0], rows: readonly Row[], where = WORLD): void {
  const got = rows.map(([from, to, port]): Row => [from, to, port, ask(policies, where, from, to, port)]);
  expect(got).toEqual(rows);
}

function deny([from, to, port]: Row): Row {
  return [from, to, port, "deny"];
}

function anp(rules: string, priority = 10) {
  return adminNetworkPolicy(`{priority: ${priority}, subject: {${ALL}}, ${rules}}`);
}

function banp(rules: string) {
  return baselineAdminNetworkPolicy(`{subject: {${ALL}}, ${rules}}`);
}

const DENY_ALL = `ingress: [{action: Deny, from: [{${ALL}}]}]`;

/** The errors without the object's name. */
function server(text: Parameters<typeof decodeAdminNetworkPolicy>[0]): string {
  const { diagnostics } = decodeAdminNetworkPolicy(text);
  const errors = diagnostics.filter((finding) => finding.severity === "error");
  return errors.map((finding) => finding.message.replace(/^\S+ \S+: /, "")).join("; ") || "accepted";
}

describe("the schemas refuse", () => {
  const to = (peer: string) => anp(`egress: [{action: Deny, to: [${peer}]}]`);
  const ports = (item: string) => anp(`egress: [{action: Deny, to: [{${ALL}}], ports: [${item}]}]`);
  const many = (count: number): string =>
    Array.from({ length: count }, () => `{action: Deny, from: [{${ALL}}]}`).join(", ");

  test.each([
    [
      "[CNP-27] a priority beyond 1000",
      anp(DENY_ALL, 1001),
      anp(DENY_ALL, 1000),
      "spec.priority: Invalid value: 1001: should be less than or equal to 1000",
    ],
    [
      "[CNP-27] a baseline of another name",
      baselineAdminNetworkPolicy(`{subject: {${ALL}}}`, "base"),
      banp(DENY_ALL),
      'metadata.name: Invalid value: "base": Only one baseline admin network policy with metadata.name="default" can be created in the cluster',
    ],
    [
      "[CNP-27] a baseline with priority",
      baselineAdminNetworkPolicy(`{priority: 1, subject: {${ALL}}}`),
      banp(DENY_ALL),
      'spec has no field "priority"',
    ],
    [
      "[CNP-28] the later name of an action",
      anp(`ingress: [{action: Accept, from: [{${ALL}}]}]`),
      anp(`ingress: [{action: Allow, from: [{${ALL}}]}]`),
      'spec.ingress[0].action: Unsupported value: "Accept": supported values: "Allow", "Deny", "Pass"',
    ],
    [
      "[CNP-28] pass in the baseline",
      banp(`ingress: [{action: Pass, from: [{${ALL}}]}]`),
      banp(`ingress: [{action: Allow, from: [{${ALL}}]}]`),
      'spec.ingress[0].action: Unsupported value: "Pass": supported values: "Allow", "Deny"',
    ],
    [
      "[CNP-29] 101 rules",
      anp(`ingress: [${many(101)}]`),
      anp(`ingress: [${many(100)}]`),
      "spec.ingress: Too many: 101: must have at most 100 items",
    ],
    [
      "[CNP-30] a port of nothing",
      ports("{}"),
      ports("{portNumber: {port: 1}}"),
      "spec.egress[0].ports[0]: Invalid value: should have at least 1 properties: set exactly one of portNumber, portRange, namedPort",
    ],
    [
      "[CNP-30] two ports in one item",
      ports("{portNumber: {port: 1}, namedPort: a}"),
      ports("{portNumber: {port: 1}}, {namedPort: a}"),
      "spec.egress[0].ports[0]: Too many: 2: must have at most 1 properties: set exactly one of portNumber, portRange, namedPort",
    ],
    [
      "[CNP-30] port 0",
      ports("{portNumber: {port: 0}}"),
      ports("{portNumber: {port: 65535}}"),
      "spec.egress[0].ports[0].portNumber.port: Invalid value: 0: should be greater than or equal to 1",
    ],
    [
      "[CNP-31] another protocol",
      ports("{portNumber: {protocol: ICMP, port: 1}}"),
      ports("{portNumber: {protocol: SCTP, port: 1}}"),
      'spec.egress[0].ports[0].portNumber.protocol: Unsupported value: "ICMP": supported values: "TCP", "UDP", "SCTP"',
    ],
    [
      "[CNP-32] a port name beside networks",
      anp("egress: [{action: Deny, to: [{networks: [10.0.0.0/8]}], ports: [{namedPort: a}]}]"),
      ports("{namedPort: a}"),
      /networks\/nodes\/domainNames peer cannot be set with namedPorts/,
    ],
    [
      "[CNP-33] domain names in the baseline",
      banp("egress: [{action: Allow, to: [{domainNames: [a.io]}]}]"),
      banp("egress: [{action: Allow, to: [{nodes: {}}]}]"),
      /has no field "domainNames".*should have at least 1 properties/,
    ],
    [
      "[CNP-33] an address for a network",
      to("{networks: [10.0.0.1]}"),
      to("{networks: [10.0.0.1/32]}"),
      'spec.egress[0].to[0].networks[0]: Invalid value: "10.0.0.1": Invalid CIDR format provided',
    ],
    [
      "[CNP-34] networks on ingress",
      anp("ingress: [{action: Deny, from: [{networks: [10.0.0.0/8]}]}]"),
      anp("egress: [{action: Deny, to: [{networks: [10.0.0.0/8]}]}]"),
      /has no field "networks".*should have at least 1 properties/,
    ],
    [
      "[CNP-02] pods without namespaces, unlike its successor",
      to("{pods: {podSelector: {}}}"),
      to("{pods: {namespaceSelector: {}, podSelector: {}}}"),
      "spec.egress[0].to[0].pods.namespaceSelector: Required value",
    ],
    [
      "a draft peer of two members",
      to("{namespaces: {sameLabels: [a], notSameLabels: [a]}}"),
      to("{namespaces: {sameLabels: [a]}}"),
      "spec.egress[0].to[0].namespaces: Too many: 2: must have at most 1 properties: set exactly one of namespaceSelector, sameLabels, notSameLabels",
    ],
  ])("%s", (_, refused, accepted, message) => {
    if (typeof message === "string") expect(server(refused)).toBe(message);
    else expect(server(refused)).toMatch(message);
    expect(server(accepted)).toBe("accepted");
  });
});

describe("rules", () => {
  test("[CNP-27] [CNP-35] an AdminNetworkPolicy stands in the admin tier at its priority, the baseline below", () => {
    const allowBlue = `ingress: [{action: Allow, from: [${BLUE}]}]`;
    check([anp(allowBlue, 1), anp(DENY_ALL, 2)], [X, deny(CLI)]);
    check([anp(allowBlue, 2), anp(DENY_ALL, 1)], [deny(X), deny(CLI)]);
    check([anp(allowBlue), banp(DENY_ALL)], [X, deny(CLI)]);
    check([banp(DENY_ALL), inW("[{}]")], [X, CLI]);
    check([anp(DENY_ALL), inW("[{}]")], [deny(X), deny(CLI)]);
    check([anp(allowBlue), networkPolicy("{podSelector: {}}")], [X, deny(CLI)]);
  });

  test("[CNP-28] pass goes on to the NetworkPolicies, then to the baseline", () => {
    const pass = anp(`ingress: [{action: Pass, from: [${BLUE}]}, {action: Deny, from: [{${ALL}}]}]`);
    check([pass], [X, deny(CLI)]);
    check([pass, banp(DENY_ALL)], [deny(X), deny(CLI)]);
  });

  test("[CNP-35] the order beside a ClusterNetworkPolicy is not defined", () => {
    const sequences = [anp(DENY_ALL, 5), clusterNetworkPolicy(`{tier: Admin, priority: 5, subject: {${ALL}}}`)].map(
      (policy) => openKubernetes().compile(policy, WORLD).policies[0],
    );
    expect(sequences[0]?.tier).toBe(sequences[1]?.tier);
    expect(sequences[0]?.sequence).not.toBe(sequences[1]?.sequence);
  });

  test("[CNP-30] [CNP-31] ports: TCP where no protocol is written", () => {
    const by = (port: string) => [anp(`ingress: [{action: Deny, from: [{${ALL}}], ports: [${port}]}]`)];
    const UDP: Row = ["shop/cli", "shop/web", "8080/UDP", "allow"];
    check(by("{portNumber: {port: 8080}}"), [deny(CLI), UDP, ["shop/cli", "shop/web", "8081", "allow"]]);
    check(by("{portNumber: {protocol: UDP, port: 8080}}"), [CLI, deny(UDP)]);
    check(by("{portRange: {start: 8079, end: 8080}}"), [
      deny(CLI),
      UDP,
      ["shop/cli", "shop/web", "8081", "allow"],
      ["shop/cli", "shop/web", "8079", "deny"],
    ]);
    check(by("{portRange: {start: 8080, end: 8080}}"), [deny(CLI)]);
    check(by("{portRange: {start: 8081, end: 8080}}"), [CLI, ["shop/cli", "shop/web", "8081", "allow"]]);
  });

  test("[CNP-32] a port's name, whatever its protocol", () => {
    const by = (name: string) => [anp(`ingress: [{action: Deny, from: [{${ALL}}], ports: [{namedPort: ${name}}]}]`)];
    check(by("http"), [deny(CLI), ["shop/cli", "shop/web", "8081", "allow"]]);
    check(by("pg"), [CLI]);
  });

  test("[CNP-33] egress peers: networks meet pods, nodes the host-network pods on them", () => {
    check(
      [anp("egress: [{action: Deny, to: [{networks: [10.244.1.0/24]}]}]")],
      [deny(CLI), ["shop/cli", "pay/x", "1", "allow"]],
    );
    check([anp("egress: [{action: Deny, to: [{nodes: {}}]}]")], [CLI, ["shop/cli", "10.0.0.1", "1", "deny"]]);
  });
});

describe("the drafts' peers by labels of both namespaces", () => {
  const tenants = world({
    namespaces: new Map([
      ["shop", namespace("shop", { team: "red", stage: "live" })],
      ["pay", namespace("pay", { team: "blue", stage: "live" })],
      ["lab", namespace("lab", { team: "red", stage: "test" })],
      ["bare", namespace("bare")],
    ]),
    workloads: ["shop", "pay", "lab", "bare"].flatMap((name) => [pod(name, "a"), pod(name, "b")]),
  });
  const by = (peer: string) => [anp(`ingress: [{action: Deny, from: [${peer}]}]`)];
  const from = (name: string, want: Verdict, to = "shop/a"): Row => [`${name}/b`, to, "80", want];

  test("sameLabels: both carry every key, with the same values", () => {
    check(
      by("{namespaces: {sameLabels: [team]}}"),
      [from("shop", "deny"), from("lab", "deny"), from("pay", "allow"), from("bare", "allow")],
      tenants,
    );
    check(
      by("{namespaces: {sameLabels: [team, stage]}}"),
      [from("shop", "deny"), from("lab", "allow"), from("pay", "allow")],
      tenants,
    );
  });

  test("notSameLabels: both carry every key, and one value differs", () => {
    check(
      by("{namespaces: {notSameLabels: [team]}}"),
      [from("shop", "allow"), from("lab", "allow"), from("pay", "deny"), from("bare", "allow")],
      tenants,
    );
    check(
      by("{namespaces: {notSameLabels: [team, stage]}}"),
      [from("shop", "allow"), from("lab", "deny"), from("pay", "deny")],
      tenants,
    );
  });

  test("a subject without the keys has neither the same nor others", () => {
    check(
      by("{namespaces: {sameLabels: [team]}}"),
      [from("bare", "allow", "bare/a"), from("pay", "allow", "bare/a")],
      tenants,
    );
    check(
      by("{namespaces: {notSameLabels: [team]}}"),
      [from("bare", "allow", "bare/a"), from("pay", "allow", "bare/a")],
      tenants,
    );
  });

  test("no keys select nobody", () => {
    check(by("{namespaces: {sameLabels: []}}"), [from("shop", "allow")], tenants);
    check(by("{namespaces: {notSameLabels: []}}"), [from("pay", "allow")], tenants);
  });

  test("with a podSelector", () => {
    const pods = "podSelector: {matchLabels: {app: b}}";
    const rows: readonly Row[] = [from("shop", "deny"), ["lab/a", "shop/a", "80", "allow"], from("pay", "allow")];
    check(by(`{pods: {namespaces: {sameLabels: [team]}, ${pods}}}`), rows, tenants);
    check(by(`{pods: {namespaces: {namespaceSelector: {matchLabels: {team: red}}}, ${pods}}}`), rows, tenants);
    check(by(`{pods: {namespaceSelector: {matchLabels: {team: red}}, ${pods}}}`), rows, tenants);
  });

  test("a selector written as the drafts had it, and as it is now", () => {
    const rows: readonly Row[] = [from("shop", "deny"), from("pay", "allow")];
    check(by("{namespaces: {namespaceSelector: {matchLabels: {team: red}}}}"), rows, tenants);
    check(by("{namespaces: {matchLabels: {team: red}}}"), rows, tenants);
  });

  test("draft fields are named as such", () => {
    const codes = ["{namespaces: {sameLabels: [team]}}", "{namespaces: {}}"].map((peer) =>
      decodeAdminNetworkPolicy(by(peer)[0] ?? anp("")).diagnostics.map(({ code }) => code),
    );
    expect(codes).toEqual([["BH109"], []]);
  });
});
