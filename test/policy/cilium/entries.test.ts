import { describe, expect, test } from "vitest";
import type { Document } from "../../../src/documents/document.ts";
import { judge, type Verdict } from "./judge.ts";
import { ccnp, cnp, compiled, compile, nodes, type Options, policy, world } from "./world.ts";

const PORT = 'toPorts: [{ports: [{port: "80", protocol: TCP}]}]';

function from(document: Document, other: string, port = "80/TCP", options: Options = {}): Verdict {
  return judge([document], "ingress", "a/p", other, port, options);
}

function to(document: Document, other: string, port = "80/TCP", options: Options = {}): Verdict {
  return judge([document], "egress", "a/p", other, port, options);
}

describe("absent, empty and [{}]", () => {
  test.each([
    // fields, then ingress on 80/TCP from a/x, b/x and the world
    ["[R2.4.2] ingress absent: untouched", "egress: [{}]", "allow", "allow", "allow"],
    ["[R2.4.2] ingress []: as absent", "ingress: [], egress: [{}]", "allow", "allow", "allow"],
    ["[R2.4.1] ingress null: as absent", "ingress: null, egress: [{}]", "allow", "allow", "allow"],
    ["[R2.4.2, EX-13] ingress [{}]: nobody", "ingress: [{}]", "deny", "deny", "deny"],
    ["[R2.4.2] fromEndpoints [{}]: the namespace", "ingress: [{fromEndpoints: [{}]}]", "allow", "deny", "deny"],
    ["[R2.4.2] fromEndpoints []: nobody", "ingress: [{fromEndpoints: []}]", "deny", "deny", "deny"],
    [
      "[R2.4.1, EX-15] fromEndpoints [] with ports: nobody",
      `ingress: [{fromEndpoints: [], ${PORT}}]`,
      "deny",
      "deny",
      "deny",
    ],
    [
      "[R2.4.1] fromEndpoints null with ports: everybody",
      `ingress: [{fromEndpoints: null, ${PORT}}]`,
      "allow",
      "allow",
      "allow",
    ],
    ["[R2.4.2, EX-14] ports alone: everybody", `ingress: [{${PORT}}]`, "allow", "allow", "allow"],
    ["[R2.4.2] fromCIDR []", `ingress: [{fromCIDR: [], ${PORT}}]`, "deny", "deny", "deny"],
    ["[R2.4.2] fromCIDRSet []", `ingress: [{fromCIDRSet: [], ${PORT}}]`, "deny", "deny", "deny"],
    ["[R2.4.2] fromEntities []", `ingress: [{fromEntities: [], ${PORT}}]`, "deny", "deny", "deny"],
    ["[R2.4.2] fromNodes []", `ingress: [{fromNodes: [], ${PORT}}]`, "deny", "deny", "deny"],
    ["[R2.4.2] fromGroups []: as absent", `ingress: [{fromGroups: [], ${PORT}}]`, "allow", "allow", "allow"],
    [
      "[R2.4.2] an empty list beside a full one: nobody",
      `ingress: [{fromCIDR: [], fromEndpoints: [{}], ${PORT}}]`,
      "deny",
      "deny",
      "deny",
    ],
    ["[R2.4.2] toPorts []: as absent", "ingress: [{fromEndpoints: [{}], toPorts: []}]", "allow", "deny", "deny"],
    [
      "[R2.4.2, EX-16] toPorts [{}]: nothing",
      "ingress: [{fromEndpoints: [{}], toPorts: [{}]}]",
      "deny",
      "deny",
      "deny",
    ],
    ["[R2.4.2] ports []: nothing", "ingress: [{toPorts: [{ports: []}]}]", "deny", "deny", "deny"],
    ["[R2.4.2] icmps []: as absent", "ingress: [{fromEndpoints: [{}], icmps: []}]", "allow", "deny", "deny"],
    ["[R2.4.2] icmps [{}]: nothing", "ingress: [{fromEndpoints: [{}], icmps: [{}]}]", "deny", "deny", "deny"],
    ["[R2.4.2] fields []: nothing", "ingress: [{icmps: [{fields: []}]}]", "deny", "deny", "deny"],
    [
      "[R2.4.2] ingressDeny [{}]: closes, denies nothing more",
      "ingressDeny: [{}], ingress: [{fromEndpoints: [{}]}]",
      "allow",
      "deny",
      "deny",
    ],
    [
      "[R2.4.2] ingressDeny of the namespace",
      "ingressDeny: [{fromEndpoints: [{}]}], ingress: [{fromEntities: [all]}]",
      "deny",
      "allow",
      "allow",
    ],
  ] as const)("%s", (_, fields, ...wants) => {
    expect(["a/x", "b/x", "8.8.8.8"].map((other) => from(cnp(fields), other))).toEqual(wants);
  });

  test("[R2.4.2] toFQDNs []: as absent", () => {
    const document = cnp(`egress: [{toFQDNs: [], ${PORT}}]`);
    expect([to(document, "b/x"), to(document, "8.8.8.8"), to(document, "8.8.8.8", "81/TCP")]).toEqual([
      "allow",
      "allow",
      "deny",
    ]);
  });
});

describe("default deny", () => {
  test.each([
    ["[R4.3.4] a section closes its direction", cnp("ingress: [{}]"), "closed", "untouched"],
    ["[R4.3.4] a deny section too", cnp("egressDeny: [{}]"), "untouched", "closed"],
    [
      "[R4.3.4] true without a section says nothing",
      cnp("egress: [{}], enableDefaultDeny: {ingress: true}"),
      "untouched",
      "closed",
    ],
    [
      "[R4.3.5] false leaves the direction open",
      cnp("ingress: [{}], enableDefaultDeny: {ingress: false}"),
      "open",
      "untouched",
    ],
    [
      "[R4.3.5] each direction for itself",
      cnp("ingress: [{}], egress: [{}], enableDefaultDeny: {egress: false}"),
      "closed",
      "open",
    ],
  ] as const)("%s", (_, document, ingress, egress) => {
    expect(compiled(document).isolation).toEqual({ ingress, egress });
  });

  test("[R4.3.6] the setting can take the field away", () => {
    const document = cnp("ingress: [{}], enableDefaultDeny: {ingress: false}");
    const off = world("", { "enable-non-default-deny-policies": "false" });
    expect(compiled(document, { world: off }).isolation.ingress).toBe("closed");
    expect(compiled(document).isolation.ingress).toBe("open");
  });

  const open = ccnp("enableDefaultDeny: {ingress: false}, ingressDeny: [{fromEntities: [world]}]", "{}");
  const closing = cnp("ingress: [{fromEndpoints: [{}]}]", "{}");

  test("[R4.3.5, EX-27] an open rule denies and lets the rest through until another closes", () => {
    const ask = (documents: readonly Document[], other: string): Verdict =>
      judge(documents, "ingress", "a/p", other, "80/TCP");
    expect(["8.8.8.8", "a/x", "b/x"].map((other) => ask([open], other))).toEqual(["deny", "allow", "allow"]);
    expect(["8.8.8.8", "a/x", "b/x"].map((other) => ask([open, closing], other))).toEqual(["deny", "allow", "deny"]);
  });

  test("[R7.3.6] names alone close egress, DNS included", () => {
    const names = cnp("egress: [{toFQDNs: [{matchName: a.io}]}]");
    expect([to(names, "a/x", "53/UDP"), to(names, "8.8.8.8", "443/TCP"), from(names, "a/x")]).toEqual([
      "deny",
      "unsure",
      "allow",
    ]);
  });

  test("[R7.3.3] names never mean pods or nodes", () => {
    const names = cnp("egress: [{toFQDNs: [{matchPattern: '*'}]}]");
    expect([to(names, "a/x"), to(names, "host@n2"), to(names, "8.8.8.8")]).toEqual(["deny", "deny", "unsure"]);
  });

  test("[R4.3.3, EX-26] a deny alone closes, unless told not to", () => {
    const deny = "egressDeny: [{toCIDR: [169.254.169.254/32]}]";
    expect(to(cnp(deny), "8.8.8.8")).toBe("deny");
    const quiet = cnp(`${deny}, enableDefaultDeny: {egress: false}`);
    expect([to(quiet, "8.8.8.8"), to(quiet, "169.254.169.254")]).toEqual(["allow", "deny"]);
  });

  test("[EX-67] allows of an open rule count when another closes, and its denies always", () => {
    const one = cnp("enableDefaultDeny: {ingress: false}, ingress: [{fromEndpoints: [{matchLabels: {app: x}}]}]");
    const two = cnp("ingress: [{}]");
    const three = cnp("enableDefaultDeny: {ingress: false}, ingressDeny: [{fromEndpoints: [{matchLabels: {app: x}}]}]");
    const ask = (documents: readonly Document[], other: string, options: Options = {}): Verdict =>
      judge(documents, "ingress", "a/p", other, "80/TCP", options);
    expect([ask([one], "a/x"), ask([one], "a/z")]).toEqual(["allow", "allow"]);
    expect([ask([one, two], "a/x"), ask([one, two], "a/z")]).toEqual(["allow", "deny"]);
    expect([ask([one, three], "a/x"), ask([one, three], "a/z")]).toEqual(["deny", "allow"]);
    const always = { world: world("", { "enable-policy": "always" }) };
    expect([ask([one], "a/x", always), ask([one], "a/z", always)]).toEqual(["allow", "deny"]);
  });
});

describe("denies win", () => {
  test.each([
    [
      "[R4.1.2, EX-22] on their ports",
      "ingress: [{fromEndpoints: [{}]}], ingressDeny: [{fromEntities: [all], toPorts: [{ports: [{port: '80', protocol: TCP}]}]}]",
      "80/TCP",
      "deny",
    ],
    [
      "[R4.1.2, EX-22] and nowhere else",
      "ingress: [{fromEndpoints: [{}]}], ingressDeny: [{fromEntities: [all], toPorts: [{ports: [{port: '80', protocol: TCP}]}]}]",
      "81/TCP",
      "allow",
    ],
    [
      "[R4.1.2, EX-24] over what is narrower",
      "ingress: [{fromEndpoints: [{}], toPorts: [{ports: [{port: '1500', protocol: TCP}]}]}], ingressDeny: [{toPorts: [{ports: [{port: '1000', endPort: 2000, protocol: TCP}]}]}]",
      "1500/TCP",
      "deny",
    ],
    [
      "[R4.1.4, R4.1.6] what nothing allows is denied",
      "ingress: [{fromEndpoints: [{matchLabels: {app: q}}]}]",
      "80/TCP",
      "deny",
    ],
    [
      "[R4.1.3, R4.1.6] what one of two allows passes",
      "ingress: [{fromEndpoints: [{matchLabels: {app: q}}]}, {fromEndpoints: [{}]}]",
      "80/TCP",
      "allow",
    ],
  ] as const)("%s", (_, fields, port, want) => {
    expect(from(cnp(fields), "a/x", port)).toBe(want);
  });
});

describe("entities", () => {
  const others = ["a/x", "host@n1", "host@n2", "8.8.8.8", "2001:db8::1", "health", "ingress", "init", "unmanaged"];

  test.each([
    ["[R3.3.1] all", "all", "allow allow allow allow allow allow allow allow allow"],
    ["[R3.3.2, EX-17, EX-63] world", "world", "deny deny deny allow allow deny deny deny deny"],
    ["[R3.3.1, EX-21] cluster", "cluster", "allow allow allow deny deny allow allow allow allow"],
    ["[R3.3.1, EX-11] host is the own node", "host", "deny allow deny deny deny deny deny deny deny"],
    ["[R3.3.1] remote-node is every other", "remote-node", "deny deny allow deny deny deny deny deny deny"],
    ["[R3.3.1] health", "health", "deny deny deny deny deny allow deny deny deny"],
    ["[R3.3.1] ingress", "ingress", "deny deny deny deny deny deny allow deny deny"],
    ["[R3.3.1] init", "init", "deny deny deny deny deny deny deny allow deny"],
    ["[R3.3.1] unmanaged", "unmanaged", "deny deny deny deny deny deny deny deny allow"],
    ["[R3.3.1] none", "none", "deny deny deny deny deny deny deny deny deny"],
  ])("%s", (_, entity, wants) => {
    const document = cnp(`egress: [{toEntities: [${entity}]}]`);
    expect(others.map((other) => to(document, other)).join(" ")).toBe(wants);
  });

  test("[R3.3.3] they are not confined to the namespace", () => {
    expect(to(cnp("egress: [{toEntities: [cluster]}]"), "b/x")).toBe("allow");
    expect(to(cnp("egress: [{toEndpoints: [{}]}]"), "b/x")).toBe("deny");
  });

  test("[R3.3.1] kube-apiserver is its node, or its address outside", () => {
    const endpoints = `
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: kubernetes, namespace: default, labels: {kubernetes.io/service-name: kubernetes}}
addressType: IPv4
endpoints: [{addresses: [203.0.113.9]}]
ports: [{name: https, port: 6443}]
`;
    const options = { world: world(endpoints) };
    const document = cnp("egress: [{toEntities: [kube-apiserver]}]");
    expect(to(document, "203.0.113.9", "443/TCP", options)).toBe("allow");
    expect(to(document, "203.0.113.10", "443/TCP", options)).toBe("deny");
    expect(to(document, "kube-apiserver")).toBe("allow");
    const selector = cnp("egress: [{toEndpoints: [{matchLabels: {reserved:kube-apiserver: ''}}]}]");
    expect(to(selector, "203.0.113.9", "443/TCP", options)).toBe("allow");
    expect(to(cnp("egress: [{toEntities: [cluster]}]"), "203.0.113.9", "443/TCP", options)).toBe("allow");
    expect(to(cnp("egress: [{toEntities: [world]}]"), "kube-apiserver")).toBe("unsure");
  });

  test("[R3.3.1] cluster means the cluster of the setting", () => {
    const options = { world: world("", { "cluster-name": "west" }) };
    expect(to(cnp("egress: [{toEntities: [cluster]}]"), "b/x", "80/TCP", options)).toBe("allow");
    const west = cnp("egress: [{toEndpoints: [{matchLabels: {k8s:io.cilium.k8s.policy.cluster: west}}]}]");
    expect([to(west, "a/x", "80/TCP", options), to(west, "a/x")]).toEqual(["allow", "deny"]);
  });
});

describe("addresses", () => {
  test.each([
    ["[R3.2.2] inside", "toCIDR: [8.8.0.0/16]", "8.8.8.8", "allow"],
    ["[R3.2.2] one beyond", "toCIDR: [8.8.0.0/16]", "8.9.0.0", "deny"],
    ["[R3.2.2] a bare address", "toCIDR: [8.8.8.8]", "8.8.8.8", "allow"],
    ["[R3.2.2] and no other", "toCIDR: [8.8.8.8]", "8.8.8.9", "deny"],
    ["[R3.2.2] host bits are cleared", "toCIDR: [8.8.8.8/16]", "8.8.0.1", "allow"],
    ["[R3.2.2, EX-18] every IPv4 address", "toCIDR: [0.0.0.0/0]", "8.8.8.8", "allow"],
    ["[R3.2.2, EX-18, EX-63] and no IPv6 one", "toCIDR: [0.0.0.0/0]", "2001:db8::1", "deny"],
    ["[R3.2.2, EX-63] every IPv6 address", "toCIDR: ['::/0']", "2001:db8::1", "allow"],
    ["[R3.2.3] an exception", "toCIDRSet: [{cidr: 10.0.0.0/8, except: [10.96.0.0/12]}]", "10.96.0.10", "deny"],
    ["[R3.2.3] beside it", "toCIDRSet: [{cidr: 10.0.0.0/8, except: [10.96.0.0/12]}]", "10.95.255.255", "allow"],
    [
      "[R3.2.3] an exception that covers all",
      "toCIDRSet: [{cidr: 10.0.0.0/16, except: [10.0.0.0/8]}]",
      "10.0.0.9",
      "deny",
    ],
    ["[R3.2.4, EX-18] never a pod", "toCIDR: [0.0.0.0/0]", "a/x", "deny"],
    ["[R3.2.4] never a node", "toCIDR: [192.168.0.0/16]", "host@n2", "deny"],
  ] as const)("%s", (_, peer, other, want) => {
    expect(to(cnp(`egress: [{${peer}}]`), other)).toBe(want);
  });

  test("[R3.2.3, EX-19] another rule may allow what one excepts", () => {
    const document = cnp(
      "egress: [{toCIDRSet: [{cidr: 10.0.0.0/8, except: [10.96.0.0/12]}]}, {toCIDR: [10.96.0.10/32]}]",
    );
    expect([to(document, "10.96.0.10"), to(document, "10.96.0.11")]).toEqual(["allow", "deny"]);
  });

  test("[R3.2.4, EX-20] nor does a deny see pods", () => {
    const document = cnp("egress: [{toEntities: [all]}], egressDeny: [{toCIDR: [10.0.0.0/8]}]");
    expect([to(document, "a/x"), to(document, "10.9.9.9")]).toEqual(["allow", "deny"]);
  });

  test("[EX-63] a deny of one family", () => {
    const document = cnp("egress: [{toEntities: [world]}], egressDeny: [{toCIDR: ['::/0']}]");
    expect([to(document, "2001:db8::1"), to(document, "8.8.8.8")]).toEqual(["deny", "allow"]);
  });

  test("[R3.2.4] in match mode nodes prefixes see nodes, but those of length zero do not", () => {
    const options = { world: world("", { "policy-cidr-match-mode": "nodes" }) };
    const prefix = cnp("egress: [{toCIDR: [192.168.0.0/16]}]");
    const all = cnp("egress: [{toCIDRSet: [{cidr: 0.0.0.0/0, except: [10.0.0.0/8]}]}]");
    expect([to(prefix, "host@n2", "80/TCP", options), to(prefix, "host@n2")]).toEqual(["allow", "deny"]);
    expect([to(all, "host@n2", "80/TCP", options), to(all, "8.8.8.8", "80/TCP", options)]).toEqual(["deny", "allow"]);
    expect(to(cnp("egress: [{toCIDR: [10.0.0.0/8]}]"), "a/x", "80/TCP", options)).toBe("deny");
  });

  const GROUP = `
apiVersion: cilium.io/v2
kind: CiliumCIDRGroup
metadata: {name: offices, labels: {site: north}}
spec: {externalCIDRs: [203.0.113.0/24, 198.51.100.7/32]}
`;

  test.each([
    ["by name", "{cidrGroupRef: offices}", "203.0.113.1", "allow"],
    ["by name, another address", "{cidrGroupRef: offices}", "203.0.114.1", "deny"],
    ["by labels", "{cidrGroupSelector: {matchLabels: {site: north}}}", "198.51.100.7", "allow"],
    ["by labels that no group has", "{cidrGroupSelector: {matchLabels: {site: south}}}", "198.51.100.7", "deny"],
    ["with an exception", "{cidrGroupRef: offices, except: [203.0.113.0/28]}", "203.0.113.1", "deny"],
    ["a group that is missing", "{cidrGroupRef: branch}", "203.0.113.1", "unsure"],
  ] as const)("a CIDR group %s", (_, item, other, want) => {
    expect(to(cnp(`egress: [{toCIDRSet: [${item}]}]`), other, "80/TCP", { world: world(GROUP) })).toBe(want);
  });

  test("a missing group is said, and is no pod", () => {
    const document = cnp("egress: [{toCIDRSet: [{cidrGroupRef: branch}]}]");
    expect(compile(document).diagnostics).toMatchObject([{ severity: "warning", code: "BH123" }]);
    expect(to(document, "a/x")).toBe("deny");
  });

  test("[R2.4.3] groups of a cloud are not known", () => {
    const document = cnp("egress: [{toGroups: [{aws: {securityGroupsIds: [sg-1], region: r}}]}]");
    expect(compiled(document).rules[0]?.peers).toEqual([
      { kind: "unknown", because: { code: "group-not-resolved", detail: "aws sg-1 r" } },
    ]);
    expect([to(document, "8.8.8.8"), to(document, "a/x")]).toEqual(["unsure", "deny"]);
    // With ports one that resolves to nothing may mean everybody (R2.4.3).
    const ported = cnp(`egress: [{toGroups: [{aws: {securityGroupsIds: [sg-1]}}], ${PORT}}]`);
    expect([to(ported, "a/x"), to(ported, "8.8.8.8"), to(ported, "8.8.8.8", "81/TCP")]).toEqual([
      "unsure",
      "unsure",
      "deny",
    ]);
  });
});

describe("Services", () => {
  const service = (name: string, namespace: string, spec: string, labels = "{}"): string => `
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: ${namespace}, labels: ${labels}}
spec: ${spec}
`;
  const slice = (address: string): string => `
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: db-1, namespace: b, labels: {kubernetes.io/service-name: db}}
addressType: IPv4
endpoints: [{addresses: [${address}]}]
ports: [{port: 5432}]
`;
  const SELECTED = service("db", "b", "{clusterIP: None, selector: {app: x}, ports: [{port: 5432}]}", "{tier: data}");
  const OUTSIDE = `${service("db", "b", "{ports: [{port: 5432}]}")}---${slice("192.0.2.7")}`;
  const INSIDE = `${service("db", "b", "{ports: [{port: 5432}]}")}---${slice("10.0.2.7")}`;
  const named = "{k8sService: {serviceName: db, namespace: b}}";

  test.each([
    ["[R8.3, EX-65] its pods, on every port", SELECTED, named, "b/x", "9/UDP", "allow"],
    ["[R8.3, EX-65] no other pod", SELECTED, named, "b/z", "5432/TCP", "deny"],
    ["[R8.3, EX-65] nor of another namespace", SELECTED, named, "c/x", "5432/TCP", "deny"],
    ["[R8.3, EX-65] without namespace: of any", SELECTED, "{k8sService: {serviceName: db}}", "b/x", "80/TCP", "allow"],
    ["[R8.3] of another namespace", SELECTED, "{k8sService: {serviceName: db, namespace: a}}", "b/x", "80/TCP", "deny"],
    [
      "[R8.3] by labels",
      SELECTED,
      "{k8sServiceSelector: {selector: {matchLabels: {tier: data}}}}",
      "b/x",
      "80/TCP",
      "allow",
    ],
    [
      "[R8.3] by labels that it lacks",
      SELECTED,
      "{k8sServiceSelector: {selector: {matchLabels: {tier: web}}}}",
      "b/x",
      "80/TCP",
      "deny",
    ],
    [
      "[R8.3] by labels, elsewhere",
      SELECTED,
      "{k8sServiceSelector: {selector: {matchLabels: {tier: data}}, namespace: a}}",
      "b/x",
      "80/TCP",
      "deny",
    ],
    ["[R8.3, EX-65] without selector: its addresses", OUTSIDE, named, "192.0.2.7", "80/TCP", "allow"],
    ["[R8.3, EX-65] and no others", OUTSIDE, named, "192.0.2.8", "80/TCP", "deny"],
    ["[R8.3, EX-65] which match no pods", INSIDE, named, "b/x", "5432/TCP", "deny"],
  ] as const)("%s", (_, objects, item, other, port, want) => {
    expect(to(cnp(`egress: [{toServices: [${item}]}]`), other, port, { world: world(objects) })).toBe(want);
  });

  test("[R8.3] toPorts narrows them", () => {
    const document = cnp(`egress: [{toServices: [${named}], ${PORT}}]`);
    const options = { world: world(SELECTED) };
    expect([to(document, "b/x", "80/TCP", options), to(document, "b/x", "81/TCP", options)]).toEqual(["allow", "deny"]);
  });

  test("[R2.4.3] none that matches: nothing, or with ports maybe everybody", () => {
    const bare = cnp(`egress: [{toServices: [${named}]}]`);
    expect([to(bare, "b/x"), to(bare, "8.8.8.8")]).toEqual(["deny", "deny"]);
    const ported = cnp(`egress: [{toServices: [${named}], ${PORT}}]`);
    expect([to(ported, "b/x"), to(ported, "8.8.8.8"), to(ported, "b/x", "81/TCP")]).toEqual([
      "unsure",
      "unsure",
      "deny",
    ]);
    expect(compile(ported).diagnostics).toMatchObject([{ severity: "warning", code: "BH121" }]);
  });

  test("[R8.3] in a deny entry: nothing, or with ports maybe everybody", () => {
    const options = { world: world(SELECTED) };
    const bare = cnp(`egress: [{toEntities: [all]}], egressDeny: [{toServices: [${named}]}]`);
    expect(to(bare, "b/x", "80/TCP", options)).toBe("allow");
    const ported = cnp(`egress: [{toEntities: [all]}], egressDeny: [{toServices: [${named}], ${PORT}}]`);
    expect([to(ported, "c/x", "80/TCP", options), to(ported, "b/x", "81/TCP", options)]).toEqual(["unsure", "allow"]);
    expect(compile(ported, options).diagnostics).toMatchObject([{ severity: "warning", code: "BH122" }]);
  });
});

describe("nodes as subjects", () => {
  const on = { world: world("", { "enable-host-firewall": "true" }) };

  test.each([
    ["[R9.5, R9.6] every node", "{}", "host@n1", "deny"],
    ["[R9.5] by label", "{matchLabels: {zone: east}}", "host@n1", "deny"],
    ["[R9.5] not the others", "{matchLabels: {zone: east}}", "host@n2", "allow"],
    [
      "[R9.5, R3.1.1] a label that the filter drops selects none",
      "{matchLabels: {kubernetes.io/hostname: n1}}",
      "host@n1",
      "allow",
    ],
    ["[R9.6] never a pod", "{}", "a/p", "allow"],
  ] as const)("%s", (_, selector, subject, want) => {
    expect(judge([nodes("ingress: [{}]", selector)], "ingress", subject, "a/z", "80/TCP", on)).toBe(want);
  });

  test("[R9.5, R4.3.2] without the host firewall they are inert", () => {
    expect(judge([nodes("ingress: [{}]")], "ingress", "host@n1", "a/z", "80/TCP")).toBe("allow");
  });
});

describe("always allowed", () => {
  test.each([
    ["[R9.1, EX-46] the own node", "ingress: [{}]", "host@n1", "allow"],
    ["[R9.2, EX-46] not another node", "ingress: [{}]", "a/h2", "deny"],
    ["[R9.1, EX-47] a deny beats it", "ingress: [{}], ingressDeny: [{fromEntities: [all]}]", "host@n1", "deny"],
    [
      "[R9.7, EX-48] a host-network pod is no pod",
      "ingress: [{fromEndpoints: [{matchLabels: {app: h2}}]}]",
      "a/h2",
      "deny",
    ],
    [
      "[R9.7, EX-48] but its node's, when local",
      "ingress: [{fromEndpoints: [{matchLabels: {app: q}}]}]",
      "a/h1",
      "allow",
    ],
  ] as const)("%s", (_, fields, other, want) => {
    expect(from(cnp(fields), other)).toBe(want);
  });

  test("[R9.1] the setting can take it away, and egress has none", () => {
    const options = { world: world("", { "allow-localhost": "policy" }) };
    expect(from(cnp("ingress: [{}]"), "host@n1", "80/TCP", options)).toBe("deny");
    expect(to(cnp("egress: [{}]"), "host@n1")).toBe("deny");
  });

  test("[R4.3.1, EX-28] enforcement: always, never and by rules", () => {
    const asks = (mode: string, other: string): Verdict =>
      judge([], "ingress", "a/p", other, "80/TCP", { world: world("", { "enable-policy": mode }) });
    expect([asks("always", "a/x"), asks("always", "host@n1"), asks("default", "a/x")]).toEqual([
      "deny",
      "allow",
      "allow",
    ]);
    const never = { world: world("", { "enable-policy": "never" }) };
    expect(from(cnp("ingress: [{}]"), "a/x", "80/TCP", never)).toBe("allow");
  });

  test("[R4.3.2] an endpoint without labels yet is always closed", () => {
    expect(judge([], "ingress", "init", "a/x", "80/TCP")).toBe("deny");
    expect(judge([], "ingress", "health", "a/x", "80/TCP")).toBe("allow");
  });

  test("[R4.3.9] audit mode denies nothing", () => {
    const options = { world: world("", { "policy-audit-mode": "true" }) };
    expect([from(cnp("ingress: [{}]"), "a/x", "80/TCP", options), from(cnp("ingress: [{}]"), "a/x")]).toEqual([
      "allow",
      "deny",
    ]);
  });
});

describe("authentication", () => {
  test.each([
    ["[R4.6.1] required", "required", "required"],
    ["[R4.6.2] test-always-fail", "test-always-fail", "fail"],
    ["[R4.6.2] disabled", "disabled", "disabled"],
  ])("%s", (_, mode, want) => {
    expect(
      compiled(cnp(`ingress: [{fromEndpoints: [{}], authentication: {mode: ${mode}}}]`)).rules[0]?.authentication,
    ).toBe(want);
  });

  test("[R4.6.1] none is none", () => {
    expect(compiled(cnp("ingress: [{}]")).rules[0]).not.toHaveProperty("authentication");
  });
});

test("kinds that the settings switch off are without effect, and that is said", () => {
  const options = { world: world("", { "enable-cilium-network-policy": "false" }) };
  const { policies, diagnostics, refused } = compile(cnp("ingress: [{}]"), options);
  expect([policies, refused, diagnostics[0]?.code]).toEqual([[], false, "BH125"]);
  expect(compile(ccnp("ingress: [{}]"), options).policies).toHaveLength(1);
});

test("a policy without a namespace lies in the default one", () => {
  const document = policy("spec: {endpointSelector: {}, ingress: [{}]}");
  const bare = { ...document, namespace: undefined };
  expect(compiled(bare)).toMatchObject({ namespace: "default", rules: [{ origin: { namespace: "default" } }] });
});
