import { describe, expect, test } from "vitest";
import { formatAddress, formatPrefix, formatRange, addressSetOf, parsePrefix } from "../../src/net/address.ts";
import type { AddressSet } from "../../src/net/address.ts";
import { touchesAddress, touchesPod, touchesService } from "../../src/model/foreign.ts";
import { UNKNOWN } from "../../src/model/labels.ts";
import type { ForeignScope, Node, World } from "../../src/model/world.ts";
import {
  build,
  errors,
  findings,
  object,
  objects,
  owner,
  plain,
  pod,
  controller,
  serviceText,
  worldOf,
} from "./input.ts";

const ranges = (set: AddressSet): string[] => set.map(formatRange);

function declared(text: string): AddressSet {
  return addressSetOf([parsePrefix(text) ?? { family: "IPv4", base: 0n, length: 0 }]);
}

describe("namespaces", () => {
  const namespace = (name: string, labels: string): string =>
    `apiVersion: v1\nkind: Namespace\nmetadata: {name: ${name}, labels: ${labels}}`;

  test("[K8-04] every namespace carries its name as a label", () => {
    const { namespaces } = worldOf(namespace("shop", "{team: red}"));
    expect(plain(namespaces.get("shop")?.labels ?? new Map())).toEqual({
      team: "red",
      "kubernetes.io/metadata.name": "shop",
    });
    expect(namespaces.get("shop")?.declared).toBe(true);
  });

  test("[K8-04] the API server overwrites another value, with a warning", () => {
    const text = namespace("shop", "{kubernetes.io/metadata.name: other}");
    expect(plain(worldOf(text).namespaces.get("shop")?.labels ?? new Map())).toEqual({
      "kubernetes.io/metadata.name": "shop",
    });
    expect(findings(text)).toEqual([
      "BH312 3:62 Namespace shop: the API server sets the label kubernetes.io/metadata.name to shop",
    ]);
    expect(findings(namespace("shop", "{kubernetes.io/metadata.name: shop}"))).toEqual([]);
  });

  test("[K8-04] a namespace that objects only name has that label alone", () => {
    const { namespaces } = worldOf(pod("p", { namespace: "shop" }));
    expect([...namespaces.keys()]).toEqual(["shop"]);
    expect(namespaces.get("shop")).toMatchObject({ declared: false });
    expect(plain(namespaces.get("shop")?.labels ?? new Map())).toEqual({ "kubernetes.io/metadata.name": "shop" });
  });

  test.each([
    ["default", undefined],
    ["shop", "shop"],
  ])("an object that names no namespace lies in %s", (expected, defaultNamespace) => {
    const world = worldOf(pod("p"), defaultNamespace === undefined ? {} : { defaultNamespace });
    expect(world.workloads[0]?.namespace).toBe(expected);
    expect(world.defaultNamespace).toBe(expected);
    expect([...world.namespaces.keys()]).toEqual([expected]);
  });

  test("policies name namespaces too, those of the whole cluster do not", () => {
    const policyKinds = (): boolean => true;
    const policy = (kind: string, metadata: string): string =>
      `apiVersion: x/v1\nkind: ${kind}\nmetadata: {name: p${metadata}}\nspec: {}`;
    expect([...worldOf(policy("NetworkPolicy", ", namespace: a"), { policyKinds }).namespaces.keys()]).toEqual(["a"]);
    expect([...worldOf(policy("CiliumClusterwideNetworkPolicy", ""), { policyKinds }).namespaces.keys()]).toEqual([]);
  });
});

describe("nodes", () => {
  const node = (name: string, addresses: string, rest = ""): string =>
    `apiVersion: v1\nkind: Node\nmetadata: {name: ${name}${rest}}\nstatus: {addresses: ${addresses}}`;
  const only = (world: World): Node => {
    const [first] = world.nodes;
    if (first === undefined || world.nodes.length !== 1) throw new Error("not one node");
    return first;
  };

  test("a node has its labels and addresses, internal ones first, host names left out", () => {
    const { labels, addresses } = only(
      worldOf(
        node(
          "n",
          "[{type: Hostname, address: n}, {type: ExternalIP, address: 203.0.113.1}, {type: InternalIP, address: 10.0.0.1}, {type: InternalDNS, address: n.local}]",
          ", labels: {zone: a}",
        ),
      ),
    );
    expect(plain(labels)).toEqual({ zone: "a" });
    expect(addresses.map(formatAddress)).toEqual(["10.0.0.1", "203.0.113.1"]);
  });

  test.each([
    ["podCIDRs", "{podCIDR: 10.244.0.0/24, podCIDRs: [10.244.0.0/24, 'fd00::/64']}", ["10.244.0.0/24", "fd00::/64"]],
    ["the old field alone", "{podCIDR: 10.244.0.0/24}", ["10.244.0.0/24"]],
    ["neither", "{}", []],
  ])("a node with %s", (_, spec, expected) => {
    const world = worldOf(object("v1", "Node", "n", spec));
    expect(ranges(only(world).podCIDRs)).toEqual(expected);
    expect(ranges(world.addressPlan.pods)).toEqual(expected);
  });

  test.each([
    ["node-role.kubernetes.io/control-plane: ''", true],
    ["node-role.kubernetes.io/master: ''", true],
    ["node-role.kubernetes.io/worker: ''", false],
  ])("a node labelled %s runs the API server: %s", (label, expected) => {
    expect(only(worldOf(node("n", "[]", `, labels: {${label}}`))).apiServer).toBe(expected);
  });

  test("[R3.2.2] the endpoints of default/kubernetes tell where the API server runs", () => {
    const endpoints = (namespace: string): string =>
      `apiVersion: v1\nkind: Endpoints\nmetadata: {name: kubernetes, namespace: ${namespace}}\nsubsets: [{addresses: [{ip: 10.0.0.1}, {ip: 198.51.100.1}], ports: [{port: 6443}]}]`;
    const text = node("n", "[{type: InternalIP, address: 10.0.0.1}]");
    const world = worldOf(objects(text, endpoints("default")));
    expect(only(world).apiServer).toBe(true);
    expect(world.apiServerAddresses.map(formatAddress)).toEqual(["10.0.0.1", "198.51.100.1"]);
    const other = worldOf(objects(text, endpoints("shop")));
    expect([only(other).apiServer, other.apiServerAddresses]).toEqual([false, []]);
  });

  test("a CiliumNode adds its addresses and ranges to the Node", () => {
    const cilium = object(
      "cilium.io/v2",
      "CiliumNode",
      "n",
      "{addresses: [{type: InternalIP, ip: 10.0.0.1}, {type: CiliumInternalIP, ip: 10.244.0.99}], ipam: {podCIDRs: [10.244.0.0/24]}}",
    );
    const both = only(
      worldOf(objects(cilium, node("n", "[{type: InternalIP, address: 10.0.0.1}]", ", labels: {a: b}"))),
    );
    expect(plain(both.labels)).toEqual({ a: "b" });
    expect(both.addresses.map(formatAddress)).toEqual(["10.0.0.1", "10.244.0.99"]);
    expect(ranges(both.podCIDRs)).toEqual(["10.244.0.0/24"]);
    expect(only(worldOf(cilium)).synthesised).toBeUndefined();
  });

  test("a node that only pods name is there, with the address that they tell and no labels", () => {
    const world = worldOf(pod("p", { spec: "nodeName: n", status: "{hostIP: 10.0.0.1, podIP: 10.244.0.5}" }));
    expect(only(world)).toMatchObject({ name: "n", synthesised: true, apiServer: false });
    expect(only(world).addresses.map(formatAddress)).toEqual(["10.0.0.1"]);
  });

  test("what a pod tells of its node counts only where no object tells it", () => {
    const world = worldOf(
      objects(
        pod("p", { spec: "nodeName: n", status: "{hostIP: 10.9.9.9}" }),
        node("n", "[{type: InternalIP, address: 10.0.0.1}]"),
      ),
    );
    expect(only(world).addresses.map(formatAddress)).toEqual(["10.0.0.1"]);
  });

  test("the pods of a DaemonSet are as many as the nodes, unless its status tells", () => {
    const nodes = objects(node("a", "[]"), node("b", "[]"), node("c", "[]"));
    const replicas = (status?: string): number | undefined =>
      worldOf(objects(nodes, controller("DaemonSet", "d", status === undefined ? {} : { status }))).workloads[0]
        ?.replicas;
    expect(replicas()).toBe(3);
    expect(replicas("{desiredNumberScheduled: 2}")).toBe(2);
    expect(worldOf(controller("DaemonSet", "d")).workloads[0]?.replicas).toBe(1);
  });

  test.each([
    ["address", node("n", "[{type: InternalIP, address: 10.0.0.256}]")],
    ["prefix", object("v1", "Node", "n", "{podCIDR: 10.244.0.0}")],
  ])("a node with a text that is no %s is refused", (_, text) => {
    expect(errors(text)).toEqual(["BH246"]);
  });
});

describe("ranges", () => {
  const config = (data: string, namespace = "kube-system", name = "cilium-config"): string =>
    `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}, namespace: ${namespace}}\ndata: ${data}`;

  test("the user's word replaces what the input says", () => {
    const text = object("v1", "Node", "n", "{podCIDR: 10.244.0.0/24}");
    const { addressPlan } = worldOf(text, {
      podCIDRs: declared("10.1.0.0/16"),
      nodeCIDRs: declared("192.168.0.0/24"),
      serviceCIDRs: declared("10.96.0.0/12"),
    });
    expect([addressPlan.pods, addressPlan.nodes, addressPlan.services].map(ranges)).toEqual([
      ["10.1.0.0/16"],
      ["192.168.0.0/24"],
      ["10.96.0.0/12"],
    ]);
  });

  test("without either nothing is known", () => {
    const { addressPlan } = worldOf(pod("p"));
    expect(addressPlan).toEqual({ pods: [], nodes: [], services: [] });
  });

  test.each([
    ["the cluster pool", "{cluster-pool-ipv4-cidr: '10.0.0.0/8', ipam: cluster-pool}", ["10.0.0.0/8"]],
    [
      "both families",
      "{cluster-pool-ipv4-cidr: '10.0.0.0/8', cluster-pool-ipv6-cidr: 'fd00::/104'}",
      ["10.0.0.0/8", "fd00::/104"],
    ],
    ["another scheme", "{cluster-pool-ipv4-cidr: '10.0.0.0/8', ipam: kubernetes}", []],
  ])("Cilium's settings tell the range of pods: %s", (_, data, expected) => {
    expect(ranges(worldOf(config(data)).addressPlan.pods)).toEqual(expected);
  });

  test("only cilium-config of kube-system is read; elsewhere it draws a warning", () => {
    expect(worldOf(config("{enable-policy: always}")).ciliumConfig?.get("enable-policy")).toBe("always");
    const elsewhere = config("{enable-policy: always}", "cilium");
    expect(worldOf(elsewhere).ciliumConfig).toBeUndefined();
    expect(findings(elsewhere)).toHaveLength(1);
    expect(findings(elsewhere)[0]).toContain("BH316");
    const other = config("{enable-policy: 3}", "kube-system", "other");
    expect([worldOf(other).ciliumConfig, findings(other)]).toEqual([undefined, []]);
  });

  test("settings are text", () => {
    expect(errors(config("{enable-ipv6: true}"))).toEqual(["BH203"]);
  });
});

describe("CIDR groups", () => {
  const group = (spec: string, version = "v2"): string =>
    object(`cilium.io/${version}`, "CiliumCIDRGroup", "partners", spec, { labels: "{role: partner}" });

  test.each(["v2", "v2alpha1"])("a group of version %s is found by name, with labels and prefixes", (version) => {
    const { cidrGroups } = worldOf(group("{externalCIDRs: [192.0.2.0/24, 'fd00::/64', 10.0.0.7/8]}", version));
    const found = cidrGroups.get("partners");
    expect(plain(found?.labels ?? new Map())).toEqual({ role: "partner" });
    expect(found?.prefixes.map(formatPrefix)).toEqual(["192.0.2.0/24", "fd00::/64", "10.0.0.0/8"]);
  });

  test.each([
    ["an empty list", "{externalCIDRs: []}", []],
    ["no list", "{}", ["BH202"]],
    ["a bare address", "{externalCIDRs: [192.0.2.1]}", ["BH246"]],
    ["an empty text", "{externalCIDRs: ['']}", ["BH246"]],
    ["a length out of range", "{externalCIDRs: [192.0.2.0/33]}", ["BH246"]],
    ["an unknown field", "{externalCIDRs: [], cidrs: []}", ["BH201"]],
  ])("[V5] a group with %s", (_, spec, codes) => {
    expect(errors(group(spec))).toEqual(codes);
  });
});

describe("objects written twice", () => {
  test("the second is refused, with both places", () => {
    const text = objects(pod("p", { labels: "{app: a}" }), pod("p", { labels: "{app: b}" }));
    const { world, account, diagnostics } = build(text);
    expect(diagnostics.map(({ code, message, line, column }) => [code, message, line, column])).toEqual([
      ["BH243", "Pod/default/p is written twice; the other is at in.yaml:3:18", 8, 18],
    ]);
    expect(world.workloads).toHaveLength(1);
    expect(plain(world.workloads[0]?.pods[0]?.labels ?? new Map())).toEqual({ app: "a" });
    expect(account.refused).toHaveLength(1);
  });

  test.each([
    ["one names the default namespace, the other none", [pod("p"), pod("p", { namespace: "default" })], 1],
    ["in two namespaces", [pod("p"), pod("p", { namespace: "other" })], 0],
    ["of two kinds", [controller("Deployment", "p"), controller("DaemonSet", "p")], 0],
    [
      "of two versions",
      [
        object("cilium.io/v2", "CiliumCIDRGroup", "g", "{externalCIDRs: []}"),
        object("cilium.io/v2alpha1", "CiliumCIDRGroup", "g", "{externalCIDRs: []}"),
      ],
      1,
    ],
    ["that nothing reads", [object("v1", "Secret", "s", "{}"), object("v1", "Secret", "s", "{}")], 0],
  ])("%s", (_, texts, count) => {
    expect(errors(objects(...texts))).toHaveLength(count);
  });

  test("policies count, whatever they say", () => {
    const policy = object("networking.k8s.io/v1", "NetworkPolicy", "np", "{}");
    const { account, diagnostics } = build(objects(policy, policy), {
      policyKinds: (_, kind) => kind === "NetworkPolicy",
    });
    expect(diagnostics.map(({ code }) => code)).toEqual(["BH243"]);
    expect([account.understood, account.refused.length]).toEqual([1, 1]);
  });
});

describe("what is not read", () => {
  test("irrelevant kinds are counted and not mentioned", () => {
    const { account, diagnostics } = build(
      objects(
        object("v1", "Secret", "a", "{}"),
        object("v1", "Secret", "b", "{}"),
        object("apps/v1", "ControllerRevision", "c", "{}"),
        object("cert-manager.io/v1", "Certificate", "d", "{}"),
      ),
    );
    expect([...account.irrelevant]).toEqual([
      ["Secret", 2],
      ["ControllerRevision", 1],
      ["Certificate", 1],
    ]);
    expect(diagnostics).toEqual([]);
  });

  test("an unknown kind is told once, for information", () => {
    const text = objects(object("acme.io/v1", "Rocket", "a", "{}"), object("acme.io/v1", "Rocket", "b", "{}"));
    const { diagnostics } = build(text);
    expect(diagnostics.map(({ severity, message }) => [severity, message])).toEqual([
      ["info", "acme.io/v1 Rocket is not known and not read: 2 objects, a, b"],
    ]);
  });

  test.each([
    [
      "a kind that is misspelt",
      "apps/v1",
      "Deploymnet",
      "no cluster serves apps/v1 Deploymnet; it is not read, did you mean Deployment? 1 object, x",
    ],
    [
      "a policy that is misspelt",
      "networking.k8s.io/v1",
      "NetworkPolcy",
      "no cluster serves networking.k8s.io/v1 NetworkPolcy; it is not read, did you mean NetworkPolicy? 1 object, x",
    ],
    [
      "a policy of Cilium that is misspelt",
      "cilium.io/v2",
      "CiliumNetworkPolicies",
      "no cluster serves cilium.io/v2 CiliumNetworkPolicies; it is not read, did you mean CiliumNetworkPolicy? 1 object, x",
    ],
    [
      "a policy that plug-ins may enforce, misspelt",
      "policy.networking.k8s.io/v1alpha2",
      "ClusterNetworkPolcy",
      "no cluster serves policy.networking.k8s.io/v1alpha2 ClusterNetworkPolcy; it is not read, did you mean ClusterNetworkPolicy? 1 object, x",
    ],
    [
      "a policy of another version",
      "cilium.io/v1",
      "CiliumNetworkPolicy",
      "no cluster serves cilium.io/v1 CiliumNetworkPolicy; it is not read: 1 object, x",
    ],
    [
      "a kind of another group",
      "extensions/v1beta1",
      "NetworkPolicy",
      "no cluster serves extensions/v1beta1 NetworkPolicy; it is not read, did you mean networking.k8s.io/NetworkPolicy? 1 object, x",
    ],
    [
      "a version of another shape",
      "extensions/v1beta1",
      "Ingress",
      "no cluster serves extensions/v1beta1 Ingress; it is not read, did you mean networking.k8s.io/Ingress? 1 object, x",
    ],
    [
      "a version that never was",
      "apps/v7",
      "Deployment",
      "no cluster serves apps/v7 Deployment; it is not read: 1 object, x",
    ],
  ])("%s draws a warning", (_, apiVersion, kind, message) => {
    expect(build(object(apiVersion, kind, "x", "{}")).diagnostics.map((it) => [it.severity, it.message])).toEqual([
      ["warning", message],
    ]);
  });

  test("a version that clusters no longer serve is read all the same, with a warning", () => {
    const text = controller("Deployment", "d").replace("apps/v1", "extensions/v1beta1");
    expect(findings(text)).toEqual([
      "BH315 2:7 clusters no longer serve extensions/v1beta1 Deployment; it is read as its current version: 1 object, d",
    ]);
    expect(worldOf(text).workloads.map(({ id }) => id)).toEqual(["default/Deployment/d"]);
  });

  test("a policy kind that this network does not enforce is without effect, with a warning", () => {
    const text = object("policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy", "c", "{}");
    expect(findings(text)[0]).toContain("BH311");
    expect(worldOf(text).foreign).toEqual([]);
    expect(findings(text, undefined, { policyKinds: () => true })).toEqual([]);
  });

  test("many objects of one kind are named in part", () => {
    const text = objects(...Array.from({ length: 7 }, (_, i) => object("acme.io/v1", "Rocket", `r${i}`, "{}")));
    expect(findings(text)[0]).toContain("7 objects, r0, r1, r2, r3, r4 and 2 more");
  });
});

describe("policies of other systems", () => {
  const scopeOf = (apiVersion: string, kind: string, spec: string, namespace = "shop"): unknown => {
    const text = object(apiVersion, kind, "x", spec, { namespace });
    const [found] = worldOf(text).foreign;
    const scope = found?.scope;
    if (scope?.kind === "pods") return [scope.namespace, Object.fromEntries(scope.labels)];
    if (scope?.kind === "addresses") return ranges(scope.addresses);
    return scope;
  };

  test.each([
    ["security.istio.io/v1", "AuthorizationPolicy", "{selector: {matchLabels: {app: a}}}", ["shop", { app: "a" }]],
    ["security.istio.io/v1", "AuthorizationPolicy", "{}", ["shop", {}]],
    ["security.istio.io/v1", "PeerAuthentication", "{mtls: {mode: STRICT}}", ["shop", {}]],
    ["policy.linkerd.io/v1beta3", "Server", "{podSelector: {matchLabels: {app: a}}}", ["shop", { app: "a" }]],
    ["policy.linkerd.io/v1alpha1", "AuthorizationPolicy", "{}", ["shop", {}]],
    ["crd.antrea.io/v1beta1", "NetworkPolicy", "{}", ["shop", {}]],
    ["crd.antrea.io/v1beta1", "ClusterNetworkPolicy", "{}", { kind: "everything" }],
    ["projectcalico.org/v3", "NetworkPolicy", "{selector: all()}", ["shop", {}]],
    ["crd.projectcalico.org/v1", "GlobalNetworkPolicy", "{}", { kind: "everything" }],
    ["cilium.io/v2", "CiliumNetworkPolicy", "{}", ["shop", {}]],
    ["networking.k8s.io/v1", "NetworkPolicy", "{podSelector: {matchLabels: {app: a}}}", ["shop", { app: "a" }]],
    [
      "cilium.io/v2",
      "CiliumLocalRedirectPolicy",
      "{redirectFrontend: {serviceMatcher: {serviceName: dns, namespace: kube-system}}}",
      { kind: "services", services: [{ namespace: "kube-system", name: "dns" }] },
    ],
    [
      "cilium.io/v2",
      "CiliumLocalRedirectPolicy",
      "{redirectFrontend: {addressMatcher: {ip: 169.254.169.254}}}",
      ["169.254.169.254/32"],
    ],
    [
      "cilium.io/v2",
      "CiliumEnvoyConfig",
      "{services: [{name: web}], resources: []}",
      { kind: "services", services: [{ namespace: "shop", name: "web" }] },
    ],
  ])("%s %s %s touches %j", (apiVersion, kind, spec, expected) => {
    expect(scopeOf(apiVersion, kind, spec)).toEqual(expected);
  });

  test("an Istio policy of the root namespace touches every namespace", () => {
    expect(scopeOf("security.istio.io/v1", "AuthorizationPolicy", "{}", "istio-system")).toEqual([undefined, {}]);
  });

  test("an Envoy configuration that Cilium wrote for a Gateway touches nothing more", () => {
    const text = object("cilium.io/v2", "CiliumEnvoyConfig", "x", "{services: [{name: web}]}", {
      metadata: owner("Gateway", "g", "gateway.networking.k8s.io/v1"),
    });
    expect(worldOf(text).foreign[0]?.scope).toEqual({ kind: "services", services: [] });
  });

  test("what a scope touches", () => {
    const labels = new Map([["app", "a"]]);
    const pods: ForeignScope = { kind: "pods", namespace: "shop", labels };
    expect(touchesPod(pods, "shop", new Map([["app", "a"]]))).toBe("yes");
    expect(touchesPod(pods, "shop", new Map([["app", "b"]]))).toBe("no");
    expect(touchesPod(pods, "shop", new Map([["app", UNKNOWN]]))).toBe("maybe");
    expect(touchesPod(pods, "pay", labels)).toBe("no");
    expect(touchesPod({ kind: "pods", labels: new Map() }, "pay", labels)).toBe("yes");
    expect(touchesPod({ kind: "everything" }, "pay", labels)).toBe("yes");
    const services: ForeignScope = { kind: "services", services: [{ namespace: "shop", name: "web" }] };
    expect(touchesPod(services, "shop", labels)).toBe("no");
    expect([touchesService(services, "shop", "web"), touchesService(services, "pay", "web")]).toEqual([true, false]);
    expect([touchesService({ kind: "everything" }, "a", "b"), touchesService(pods, "shop", "web")]).toEqual([
      true,
      false,
    ]);
    const addresses: ForeignScope = { kind: "addresses", addresses: declared("169.254.0.0/16") };
    const inside = { family: "IPv4", value: 0xa9fea9fen } as const;
    expect([touchesAddress(addresses, inside), touchesAddress(addresses, { family: "IPv4", value: 1n })]).toEqual([
      true,
      false,
    ]);
    expect([
      touchesAddress(addresses, { ...inside, family: "IPv6" }),
      touchesAddress({ kind: "everything" }, inside),
    ]).toEqual([false, true]);
  });

  test("they are told once a kind, and a dialect that enforces the kind takes them", () => {
    const policy = (name: string): string => object("security.istio.io/v1", "AuthorizationPolicy", name, "{}");
    const text = objects(policy("a"), policy("b"), object("crd.antrea.io/v1beta1", "NetworkPolicy", "c", "{}"));
    expect(findings(text).map((it) => it.slice(0, 5))).toEqual(["BH307", "BH307"]);
    expect(worldOf(text).foreign.map(({ name }) => name)).toEqual(["a", "b", "c"]);
    expect(worldOf(text, { policyKinds: () => true }).foreign).toEqual([]);
  });

  test("their own syntax is not checked", () => {
    expect(
      errors(object("security.istio.io/v1", "AuthorizationPolicy", "x", "{selector: {matchLabels: {app: 1}}}")),
    ).toEqual([]);
  });
});

test("nodes, namespaces and Services of one input stand in its order", () => {
  const world = worldOf(
    objects(
      serviceText("b", "{clusterIP: None, selector: {app: a}}"),
      serviceText("a", "{clusterIP: None, selector: {app: a}}"),
      controller("Deployment", "d"),
    ),
  );
  expect(world.services.map(({ name }) => name)).toEqual(["b", "a"]);
});
