import { describe, expect, test } from "vitest";
import { judge, type Verdict } from "./judge.ts";
import { ccnp, compile, compiled, networkPolicy, type Options, world } from "./world.ts";

function from(fields: string, other: string, port = "80/TCP", options: Options = {}): Verdict {
  return judge([networkPolicy(fields)], "ingress", "a/p", other, port, options);
}

function to(fields: string, other: string, port = "80/TCP", options: Options = {}): Verdict {
  return judge([networkPolicy(fields)], "egress", "a/p", other, port, options);
}

describe("a NetworkPolicy under Cilium", () => {
  test("[K1] selects pods of its namespace by labels of Kubernetes", () => {
    expect(compiled(networkPolicy("ingress: [{}]")).subject).toEqual({
      target: "endpoint",
      selector: [
        { source: "k8s", key: "app", operator: "In", values: ["p"] },
        { source: "k8s", key: "io.kubernetes.pod.namespace", operator: "In", values: ["a"] },
      ],
    });
  });

  test.each([
    // fields, then isolation of ingress and egress
    ["[K2] nothing: ingress", "policyTypes: []", "closed", "untouched"],
    ["[K2] Ingress", "policyTypes: [Ingress]", "closed", "untouched"],
    ["[K2, R4.3.8] Egress", "policyTypes: [Egress]", "untouched", "closed"],
    ["[K2, R4.3.8] both", "policyTypes: [Ingress, Egress]", "closed", "closed"],
    ["[K2] egress rules without policyTypes: both", "egress: [{}]", "closed", "closed"],
    [
      "[K2, EX-50] rules of a direction left out are enforced",
      "policyTypes: [Egress], ingress: [{from: [{podSelector: {}}]}]",
      "closed",
      "closed",
    ],
    ["[K2] also at egress", "policyTypes: [Ingress], egress: [{}]", "closed", "closed"],
    ["[K2] an empty list of them is none", "policyTypes: [Egress], ingress: []", "untouched", "closed"],
  ] as const)("%s", (_, fields, ingress, egress) => {
    expect(compiled(networkPolicy(fields)).isolation).toEqual({ ingress, egress });
  });

  test.each([
    // peer, then a/x, b/x, c/x, a/h2 and the world
    ["[K3] pods of the own namespace", "{podSelector: {matchLabels: {app: x}}}", "allow deny deny deny deny"],
    [
      "[K3, EX-51] pods of namespaces",
      "{namespaceSelector: {matchLabels: {team: red}}, podSelector: {matchLabels: {app: x}}}",
      "deny allow allow deny deny",
    ],
    [
      "[K3, EX-51] both terms hold",
      "{namespaceSelector: {matchLabels: {team: red}}, podSelector: {matchLabels: {app: q}}}",
      "deny deny deny deny deny",
    ],
    ["[K3] every namespace", "{namespaceSelector: {}}", "allow allow allow deny deny"],
    [
      "[K3] a namespace by its name",
      "{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: b}}}",
      "deny allow deny deny deny",
    ],
    [
      "[K9] NotIn within the namespace",
      "{podSelector: {matchExpressions: [{key: app, operator: NotIn, values: [z]}]}}",
      "allow deny deny deny deny",
    ],
    [
      "[K8] a term on a label that Cilium drops",
      "{podSelector: {matchExpressions: [{key: pod-template-hash, operator: Exists}]}}",
      "deny deny deny deny deny",
    ],
  ])("%s", (_, peer, wants) => {
    const others = ["a/x", "b/x", "c/x", "a/h2", "8.8.8.8"];
    expect(others.map((other) => from(`ingress: [{from: [${peer}]}]`, other)).join(" ")).toBe(wants);
  });

  const NOT_B =
    "{namespaceSelector: {matchExpressions: [{key: kubernetes.io/metadata.name, operator: NotIn, values: [b]}]}}";

  test("[K3, EX-62] negative namespace terms alone let the world through before 1.19", () => {
    const fields = `policyTypes: [Egress], egress: [{to: [${NOT_B}]}]`;
    const asks = (release: "1.17" | "1.18" | "1.19"): readonly Verdict[] =>
      ["a/x", "b/x", "8.8.8.8", "host@n2"].map((other) => to(fields, other, "80/TCP", { release }));
    expect(asks("1.17")).toEqual(["allow", "deny", "allow", "allow"]);
    expect(asks("1.18")).toEqual(["allow", "deny", "allow", "allow"]);
    // whether nodes carry the cluster's label is not settled
    expect(asks("1.19")).toEqual(["allow", "deny", "deny", "unsure"]);
    const labelled = NOT_B.replace("{namespaceSelector", "{podSelector: {matchLabels: {app: x}}, namespaceSelector");
    expect(to(`policyTypes: [Egress], egress: [{to: [${labelled}]}]`, "8.8.8.8", "80/TCP", { release: "1.18" })).toBe(
      "deny",
    );
  });

  test("[K3] in 1.19 nodes carry the cluster's label where node labels count", () => {
    const options = { world: world("", { "enable-node-selector-labels": "true" }) };
    expect(to(`policyTypes: [Egress], egress: [{to: [${NOT_B}]}]`, "host@n2", "80/TCP", options)).toBe("allow");
  });

  test.each([
    ["[K4] {}: everybody", "ingress: [{}]"],
    ["[K4] from []", "ingress: [{from: []}]"],
    ["[K4] ports []", "ingress: [{ports: []}]"],
  ])("%s", (_, fields) => {
    expect(["b/x", "8.8.8.8", "a/h2", "health"].map((other) => from(fields, other))).toEqual(Array(4).fill("allow"));
    expect(from("ingress: [{from: [{podSelector: {}}]}]", "b/x")).toBe("deny");
  });

  test.each([
    ["[K5, EX-49] an address outside", "10.1.1.1", "allow"],
    ["[K5, EX-49] never a pod", "b/x", "deny"],
    ["[K5] not what it excepts", "10.2.0.1", "deny"],
    ["[K5] never a node", "a/h2", "deny"],
  ] as const)("%s", (_, other, want) => {
    const block = "{ipBlock: {cidr: 0.0.0.0/0, except: [10.2.0.0/16]}}";
    expect(from(`ingress: [{from: [${block}]}]`, other)).toBe(want);
  });

  test("[K5] nodes in match mode nodes", () => {
    const fields = "ingress: [{from: [{ipBlock: {cidr: 192.168.0.0/16}}]}]";
    const options = { world: world("", { "policy-cidr-match-mode": "nodes" }) };
    expect([from(fields, "a/h2", "80/TCP", options), from(fields, "a/h2")]).toEqual(["allow", "deny"]);
  });

  test("[K6] early patch releases of 1.19 let more through ipBlocks at ingress, and that is said", () => {
    const block = "[{ipBlock: {cidr: 203.0.113.0/24}}]";
    const codes = (fields: string, release: "1.18" | "1.19"): readonly string[] =>
      compile(networkPolicy(fields), { release }).diagnostics.map((one) => one.code);
    expect(codes(`ingress: [{from: ${block}}]`, "1.19")).toEqual(["BH124"]);
    expect(codes(`ingress: [{from: ${block}}]`, "1.18")).toEqual([]);
    expect(codes(`policyTypes: [Egress], egress: [{to: ${block}}]`, "1.19")).toEqual([]);
    expect(from(`ingress: [{from: ${block}}]`, "a/x")).toBe("deny");
  });

  test.each([
    ["[K7] TCP where none is named", "{port: 80}", "80/TCP", "80/UDP"],
    ["[K7, EX-52] another protocol", "{port: 53, protocol: UDP}", "53/UDP", "53/TCP"],
    ["[K7] without a port: every port", "{}", "65535/TCP", "80/UDP"],
    ["[K7] a range", "{port: 80, endPort: 90}", "90/TCP", "91/TCP"],
    ["[K7] a name", "{port: web}", "8080/TCP", "8081/TCP"],
    ["[K7] never ICMP", "{protocol: SCTP}", "1/SCTP", "8/ICMP"],
  ])("%s", (_, port, yes, no) => {
    expect([
      from(`ingress: [{ports: [${port}]}]`, "a/x", yes),
      from(`ingress: [{ports: [${port}]}]`, "a/x", no),
    ]).toEqual(["allow", "deny"]);
  });

  test("[K7] ICMP passes a rule without ports", () => {
    expect(from("ingress: [{from: [{podSelector: {}}]}]", "a/x", "8/ICMP")).toBe("allow");
  });

  test("[K11] the own node is always allowed", () => {
    expect([from("ingress: []", "host@n1"), from("ingress: []", "host@n2")]).toEqual(["allow", "deny"]);
  });

  test("[R4.1.2, EX-25] a deny of a Cilium policy wins over it", () => {
    const allow = networkPolicy("ingress: [{from: [{podSelector: {matchLabels: {app: x}}}]}]");
    const deny = ccnp("ingressDeny: [{fromEndpoints: [{matchLabels: {app: x}}]}]");
    expect(judge([allow], "ingress", "a/p", "a/x", "80/TCP")).toBe("allow");
    expect(judge([allow, deny], "ingress", "a/p", "a/x", "80/TCP")).toBe("deny");
  });

  test("what the API server refuses is refused", () => {
    expect(compile(networkPolicy("ingress: [{from: [{}]}]"))).toMatchObject({ policies: [], refused: true });
  });

  test("enable-k8s-networkpolicy can switch it off", () => {
    const options = { world: world("", { "enable-k8s-networkpolicy": "false" }) };
    expect(compile(networkPolicy("ingress: []"), options)).toMatchObject({
      policies: [],
      diagnostics: [{ code: "BH125" }],
    });
  });
});

describe("differences are named where the input shows them", () => {
  test.each([
    ["[K2] a direction left out", "policyTypes: [Egress], ingress: [{}]", "BH101"],
    [
      "[K3] negative namespace terms",
      "ingress: [{from: [{namespaceSelector: {matchExpressions: [{key: team, operator: DoesNotExist}]}}]}]",
      "BH102",
    ],
    ["[K5] an ipBlock over pods", "policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8}}]}]", "BH103"],
    [
      "[K8] a pod label that is dropped",
      "ingress: [{from: [{podSelector: {matchLabels: {pod-template-hash: x}}}]}]",
      "BH128",
    ],
    [
      "[K8] a namespace label that is dropped",
      "ingress: [{from: [{namespaceSelector: {matchLabels: {x.beta.kubernetes.io/y: z}}}]}]",
      "BH128",
    ],
    ["[K8] nothing", "ingress: [{from: [{podSelector: {matchLabels: {app: x}}, namespaceSelector: {}}]}]", ""],
  ])("%s", (_, fields, want) => {
    expect(
      compile(networkPolicy(fields))
        .diagnostics.map((one) => one.code)
        .join(","),
    ).toBe(want);
  });
});
