import { describe, expect, test } from "vitest";
import type { Document } from "../../../src/documents/document.ts";
import { judge, type Verdict } from "./judge.ts";
import { ccnp, cnp, compile, type Options, policy, world } from "./world.ts";

const from = (...peers: string[]): string => `ingress: [{fromEndpoints: [${peers.join(", ")}]}]`;

function ask(document: Document, other: string, options: Options = {}, subject = "a/p"): Verdict {
  return judge([document], "ingress", subject, other, "80/TCP", options);
}

describe("selectors", () => {
  test.each([
    // a plain key is looked for under every source
    ["[R2.1.2] a plain key finds a label of Kubernetes", "{matchLabels: {app: x}}", "allow"],
    ["[R2.1.2] any: is the same", "{matchLabels: {any:app: x}}", "allow"],
    ["[R2.1.2] k8s: finds it too", "{matchLabels: {k8s:app: x}}", "allow"],
    ["[R2.1.1] another source does not", "{matchLabels: {container:app: x}}", "deny"],
    // operators
    ["[R2.1.3] In", "{matchExpressions: [{key: app, operator: In, values: [q, x]}]}", "allow"],
    ["[R2.1.3] In of others", "{matchExpressions: [{key: app, operator: In, values: [q]}]}", "deny"],
    ["[R2.1.3] NotIn of others", "{matchExpressions: [{key: app, operator: NotIn, values: [q]}]}", "allow"],
    ["[R2.1.3] NotIn", "{matchExpressions: [{key: app, operator: NotIn, values: [x]}]}", "deny"],
    ["[R2.1.3] NotIn of an absent key", "{matchExpressions: [{key: tier, operator: NotIn, values: [x]}]}", "allow"],
    ["[R2.1.3] Exists", "{matchExpressions: [{key: app, operator: Exists}]}", "allow"],
    ["[R2.1.3] Exists of an absent key", "{matchExpressions: [{key: tier, operator: Exists}]}", "deny"],
    ["[R2.1.3] DoesNotExist", "{matchExpressions: [{key: app, operator: DoesNotExist}]}", "deny"],
    ["[R2.1.3] DoesNotExist of an absent key", "{matchExpressions: [{key: tier, operator: DoesNotExist}]}", "allow"],
    // all terms
    ["[R2.1.4] both terms hold", "{matchLabels: {app: x}, matchExpressions: [{key: app, operator: Exists}]}", "allow"],
    ["[R2.1.4] one term fails", "{matchLabels: {app: x}, matchExpressions: [{key: b, operator: Exists}]}", "deny"],
    ["[R2.1.5] a value has its case", "{matchLabels: {app: X}}", "deny"],
  ] as const)("%s", (_, peer, want) => {
    expect(ask(cnp(from(peer)), "a/x")).toBe(want);
  });
});

describe("the subject", () => {
  const deny = "ingress: [{}]";

  test.each([
    ["[R2.3.1, EX-61] k8s: with a foreign namespace is overwritten", "k8s:io.kubernetes.pod.namespace", "deny"],
    ["[R2.3.1, EX-61] a plain key stays and selects nothing", "io.kubernetes.pod.namespace", "allow"],
  ] as const)("%s", (_, key, want) => {
    const document = cnp(deny, `{matchLabels: {"${key}": b}}`);
    expect(ask(document, "a/x")).toBe(want);
    expect(ask(document, "a/x", {}, "b/x")).toBe("allow");
  });

  test("[R2.3.1] overwriting is said, at the selector", () => {
    const { diagnostics } = compile(cnp(deny, `{matchLabels: {"k8s:io.kubernetes.pod.namespace": b}}`));
    expect(diagnostics).toMatchObject([{ severity: "warning", code: "BH120", line: 4, column: 26 }]);
    expect(compile(cnp(deny, `{matchLabels: {"k8s:io.kubernetes.pod.namespace": a}}`)).diagnostics).toEqual([]);
  });

  test("[R2.3.1] a term of matchExpressions is not overwritten", () => {
    const key = "{key: k8s:io.kubernetes.pod.namespace, operator: In, values: [b]}";
    expect(ask(cnp(deny, `{matchExpressions: [${key}]}`), "a/x")).toBe("allow");
  });

  test.each([
    ["[R2.3.1] a namespaced policy selects its own namespace", cnp(deny, "{}"), "b/x", "allow"],
    ["[R2.3.5] a clusterwide one every namespace", ccnp(deny, "{}"), "b/x", "deny"],
    ["[R2.3.5] and the health endpoint", ccnp(deny, "{}"), "health", "deny"],
    ["[R2.3.5] and the ingress endpoint", ccnp(deny, "{}"), "ingress", "deny"],
    ["[R2.3.5, R9.6] but no node", ccnp(deny, "{}"), "host@n1", "allow"],
    [
      "[R2.3.4] a reserved key of a namespaced policy selects nothing",
      cnp(deny, "{matchLabels: {reserved:init: ''}}"),
      "health",
      "allow",
    ],
  ] as const)("%s", (_, document, subject, want) => {
    const options = { world: world("", { "enable-host-firewall": "true" }) };
    expect(ask(document, "a/x", options, subject)).toBe(want);
  });

  test("[EX-61] a clusterwide NotIn on the namespace also selects what has none", () => {
    const key = "{key: io.kubernetes.pod.namespace, operator: NotIn, values: [b]}";
    const document = ccnp(deny, `{matchExpressions: [${key}]}`);
    expect(ask(document, "a/x")).toBe("deny");
    expect(ask(document, "a/x", {}, "b/x")).toBe("allow");
    expect(ask(document, "a/x", {}, "health")).toBe("deny");
    expect(ask(document, "a/x", {}, "host@n1")).toBe("allow");
  });
});

describe("peers are scoped", () => {
  const NAMESPACE = "k8s:io.kubernetes.pod.namespace";
  const exists = `{matchExpressions: [{key: io.kubernetes.pod.namespace, operator: Exists}]}`;

  test.each([
    // peer, then what pods a/x, b/x, host-network a/h2, the world and health get
    [
      "[R2.3.2, EX-06] labels: own namespace",
      cnp(from("{matchLabels: {app: x}}")),
      "allow",
      "deny",
      "deny",
      "deny",
      "deny",
    ],
    [
      "[R2.3.2, EX-07] a named namespace",
      cnp(from(`{matchLabels: {"${NAMESPACE}": b}}`)),
      "deny",
      "allow",
      "deny",
      "deny",
      "deny",
    ],
    ["[R2.3.2, EX-08] any namespace that exists", cnp(from(exists)), "allow", "allow", "deny", "deny", "deny"],
    ["[R2.3.2, EX-09] {}: own namespace", cnp(from("{}")), "allow", "deny", "deny", "deny", "deny"],
    ["[R2.3.2, EX-10] {} clusterwide: every pod", ccnp(from("{}")), "allow", "allow", "deny", "deny", "deny"],
    [
      "[R2.3.2] a reserved key is not scoped",
      cnp(from("{matchLabels: {reserved:health: ''}}")),
      "deny",
      "deny",
      "deny",
      "deny",
      "allow",
    ],
    ["[R2.3.2] $ means reserved", cnp(from("{matchLabels: {$health: ''}}")), "deny", "deny", "deny", "deny", "allow"],
  ] as const)("%s", (_, document, ...wants) => {
    const others = ["a/x", "b/x", "a/h2", "8.8.8.8", "health"];
    expect(others.map((other) => ask(document, other))).toEqual(wants);
  });

  test("[R2.3.2] a subject with a term on reserved:init frees the peers of a clusterwide policy", () => {
    const init = ccnp(from("{}"), "{matchLabels: {reserved:init: ''}}");
    const health = ccnp(from("{}"), "{matchLabels: {reserved:health: ''}}");
    expect(ask(init, "8.8.8.8", { release: "1.18" }, "init")).toBe("allow");
    expect(ask(health, "8.8.8.8", { release: "1.18" }, "health")).toBe("deny");
  });

  test("[R2.3.2, EX-12] labels of namespaces free the peer since 1.18", () => {
    const document = cnp(from("{matchLabels: {io.cilium.k8s.namespace.labels.team: red}}"));
    const ask17 = (other: string): Verdict => ask(document, other, { release: "1.17" });
    expect(["a/x", "b/x", "c/x"].map((other) => ask(document, other))).toEqual(["deny", "allow", "allow"]);
    expect(["a/x", "b/x", "c/x"].map((other) => ask(document, other, { release: "1.18" }))).toEqual([
      "deny",
      "allow",
      "allow",
    ]);
    expect(["a/x", "b/x", "c/x"].map(ask17)).toEqual(["deny", "deny", "deny"]);
    const blue = cnp(from("{matchLabels: {io.cilium.k8s.namespace.labels.team: blue}}"));
    expect(ask(blue, "a/x", { release: "1.17" })).toBe("allow");
  });

  test("[R2.1.3] a negative term on the namespace lets the world in, until the cluster term excludes it", () => {
    const document = cnp(
      from("{matchExpressions: [{key: io.kubernetes.pod.namespace, operator: NotIn, values: [b]}]}"),
    );
    expect(ask(document, "8.8.8.8", { release: "1.18" })).toBe("allow");
    expect(ask(document, "8.8.8.8", { release: "1.19" })).toBe("deny");
    expect(ask(document, "c/x", { release: "1.19" })).toBe("allow");
    expect(ask(document, "b/x", { release: "1.18" })).toBe("deny");
  });

  test("[R2.3.2] the cluster term: on request in 1.18, by default in 1.19, unless the selector names a cluster", () => {
    const other = cnp(from("{matchLabels: {io.cilium.k8s.policy.cluster: elsewhere}}"));
    expect(ask(other, "a/x")).toBe("deny");
    const negative = cnp(from("{matchExpressions: [{key: io.kubernetes.pod.namespace, operator: DoesNotExist}]}"));
    const on = { "policy-default-local-cluster": "true" };
    const off = { "policy-default-local-cluster": "false" };
    expect(ask(negative, "8.8.8.8", { release: "1.18", world: world("", on) })).toBe("deny");
    expect(ask(negative, "8.8.8.8", { release: "1.19", world: world("", off) })).toBe("allow");
    expect(ask(negative, "8.8.8.8", { release: "1.17", world: world("", on) })).toBe("allow");
  });
});

describe("nodes as peers", () => {
  const config = { "enable-node-selector-labels": "true" };
  const options: Options = { world: world("", config) };

  test.each([
    ["[R2.3.3] every remote node", "{}", "deny", "allow"],
    ["[R2.3.3] remote nodes by label", "{matchLabels: {zone: west}}", "deny", "allow"],
    ["[R2.3.3] never the local node", "{matchLabels: {zone: east}}", "deny", "deny"],
    ["[R2.3.3] under the source node", "{matchLabels: {node:zone: west}}", "deny", "allow"],
    ["[R2.3.3] not under k8s", "{matchLabels: {k8s:zone: west}}", "deny", "deny"],
  ] as const)("%s", (_, selector, local, remote) => {
    const document = cnp(`egress: [{toNodes: [${selector}]}]`);
    expect(judge([document], "egress", "a/p", "host@n1", "80/TCP", options)).toBe(local);
    expect(judge([document], "egress", "a/p", "host@n2", "80/TCP", options)).toBe(remote);
  });

  test("[R2.3.3] pods and the world are no nodes", () => {
    const document = cnp("egress: [{toNodes: [{}]}]");
    for (const other of ["a/x", "8.8.8.8", "health"])
      expect(judge([document], "egress", "a/p", other, "80/TCP", options)).toBe("deny");
  });
});

describe("requirements", () => {
  const rule = policy(
    `specs:
- {endpointSelector: {matchLabels: {app: p}}, ingress: [{fromEndpoints: [{}]}, {fromEntities: [health]}, {fromCIDR: [8.8.8.8]}]}
- {endpointSelector: {matchLabels: {app: p}}, ingress: [{fromRequires: [{matchLabels: {app: x}}]}]}`,
  );

  test.each([
    ["[R4.7.1] an endpoint that meets them", "a/x", "allow"],
    ["[R4.7.1] an endpoint that does not", "a/z", "deny"],
    ["[R4.7.1] entities are not bound", "health", "allow"],
    ["[R4.7.1] CIDRs are not bound", "8.8.8.8", "allow"],
  ] as const)("%s", (_, other, want) => {
    expect(ask(rule, other, { release: "1.18" })).toBe(want);
  });

  test("[R4.7.1] they grant nothing themselves, and scope as peers do", () => {
    const alone = cnp("ingress: [{fromRequires: [{}]}]");
    expect(ask(alone, "a/x", { release: "1.18" })).toBe("deny");
    const wide = policy(
      `specs:
- {endpointSelector: {matchLabels: {app: p}}, ingress: [{fromEndpoints: [{matchLabels: {"k8s:io.kubernetes.pod.namespace": b}}, {}]}]}
- {endpointSelector: {matchLabels: {app: p}}, ingress: [{fromRequires: [{}]}]}`,
    );
    expect(ask(wide, "a/x", { release: "1.18" })).toBe("allow");
    expect(ask(wide, "b/x", { release: "1.18" })).toBe("deny");
  });

  test("[R4.7.1] denies have requirements of their own", () => {
    const document = policy(
      `specs:
- {endpointSelector: {matchLabels: {app: p}}, ingress: [{fromEndpoints: [{}]}], ingressDeny: [{fromEndpoints: [{}]}]}
- {endpointSelector: {matchLabels: {app: p}}, ingressDeny: [{fromRequires: [{matchLabels: {app: x}}]}]}`,
    );
    expect(ask(document, "a/x", { release: "1.18" })).toBe("deny");
    expect(ask(document, "a/z", { release: "1.18" })).toBe("allow");
  });
});
