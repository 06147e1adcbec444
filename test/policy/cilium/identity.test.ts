import { describe, expect, test } from "vitest";
import { openCilium, type Release } from "../../../src/policy/cilium/dialect.ts";
import { labelFilter } from "../../../src/policy/cilium/label-filter.ts";
import type { Party } from "../../../src/policy/dialect.ts";
import { PLAIN, world } from "./world.ts";

const cilium = openCilium("1.19");

function pod(id: string, at = PLAIN): Party {
  const workload = at.workloads.find((one) => `${one.namespace}/${one.name}` === id);
  const [first] = workload?.pods ?? [];
  if (workload === undefined || first === undefined) throw new Error(`no pod ${id}`);
  return { kind: "pod", workload, pod: first };
}

function labels(party: Party, at = PLAIN, release: Release = "1.19"): readonly string[] {
  return [...openCilium(release).identify(party, at)].map(([key, value]) => `${key}=${String(value)}`).sort();
}

describe("identities", () => {
  test("[R2.1.1] a pod has its labels, its namespace's and those that Cilium makes", () => {
    expect(labels(pod("a/p"))).toEqual([
      "k8s:app=p",
      "k8s:io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name=a",
      "k8s:io.cilium.k8s.namespace.labels.team=blue",
      "k8s:io.cilium.k8s.policy.cluster=default",
      "k8s:io.cilium.k8s.policy.serviceaccount=default",
      "k8s:io.kubernetes.pod.namespace=a",
    ]);
  });

  test("[R2.1.1] the cluster's name is a setting", () => {
    expect(labels(pod("a/p"), world("", { "cluster-name": "east" }))).toContain(
      "k8s:io.cilium.k8s.policy.cluster=east",
    );
  });

  test.each([
    ["[R3.3.2] the world of a family", { kind: "outside", family: "IPv6" }, "reserved:world-ipv6= reserved:world="],
    [
      "[R9.3] health",
      { kind: "reserved", name: "health" },
      "k8s:io.cilium.k8s.policy.cluster=Symbol(unknown label value) reserved:health=",
    ],
  ] as const)("%s", (_, party, want) => {
    expect(labels(party).join(" ")).toBe(want);
  });

  test("[R3.3.1, R9.7] a node is host to its own pods and remote to others", () => {
    const node = PLAIN.nodes[0];
    expect(labels({ kind: "node", node, local: true }, PLAIN, "1.18")).toEqual(["reserved:host="]);
    expect(labels({ kind: "node", node, local: false }, PLAIN, "1.18")).toEqual(["reserved:remote-node="]);
    const server = node === undefined ? undefined : { ...node, apiServer: true };
    expect(labels({ kind: "node", node: server, local: false }, PLAIN, "1.18")).toEqual([
      "reserved:kube-apiserver=",
      "reserved:remote-node=",
    ]);
  });

  test.each([
    ["[R3.2.2] two stacks part the world", { "enable-ipv4": "true", "enable-ipv6": "true" }, ["reserved:world-ipv4="]],
    ["[R3.2.2] one stack does not", { "enable-ipv6": "false" }, ["reserved:world="]],
    ["[R3.2.2] both where it is not told", {}, ["reserved:world-ipv4=", "reserved:world="]],
  ] as const)("%s", (_, config, want) => {
    expect(labels({ kind: "outside", family: "IPv4" }, world("", config))).toEqual(want);
  });

  test("[R3.3.1] where the API server runs is told, or any place may be", () => {
    const places = (at = PLAIN): readonly string[] =>
      labels({ kind: "reserved", name: "kube-apiserver" }, at, "1.18").map((label) => label.replace(/=.+$/, "=?"));
    expect(places()).toEqual([
      "reserved:host=?",
      "reserved:kube-apiserver=",
      "reserved:remote-node=?",
      "reserved:world=?",
    ]);
    const nodes = PLAIN.nodes.map((node) => ({ ...node, apiServer: node.name === "n2" }));
    expect(places({ ...PLAIN, nodes })).toEqual([
      "reserved:host=?",
      "reserved:kube-apiserver=",
      "reserved:remote-node=?",
    ]);
    const apiServerAddresses = [{ family: "IPv4", value: 1n }] as const;
    expect(places({ ...PLAIN, apiServerAddresses })).toEqual(["reserved:kube-apiserver=", "reserved:world="]);
  });

  test("[R2.3.3] node labels and the cluster's name count with the setting, all of them", () => {
    const at = world("", { "enable-node-selector-labels": "true" });
    const party: Party = { kind: "node", node: at.nodes[1], local: false };
    expect(labels(party, at)).toEqual([
      "k8s:io.cilium.k8s.policy.cluster=default",
      "node:kubernetes.io/hostname=n2",
      "node:zone=west",
      "reserved:remote-node=",
    ]);
    expect(labels(party, at, "1.17")).not.toContain("k8s:io.cilium.k8s.policy.cluster=default");
    const some = world("", { "enable-node-selector-labels": "true", "node-labels": "zone" });
    expect(labels({ kind: "node", node: some.nodes[1], local: false }, some)).not.toContain(
      "node:kubernetes.io/hostname=n2",
    );
  });

  test("[R9.5] a node as a subject has its labels in any case, filtered as those of pods", () => {
    const node = PLAIN.nodes[0];
    const own = cilium.subjectLabels?.({ kind: "node", node, local: false }, PLAIN) ?? new Map();
    expect([...own.keys()].sort()).toEqual(["k8s:zone", "reserved:host"]);
    expect(cilium.subjectLabels?.(pod("a/p"), PLAIN)).toEqual(cilium.identify(pod("a/p"), PLAIN));
  });
});

describe("the label filter", () => {
  test.each([
    ["[R3.1.1] an ordinary label", "app", true],
    ["[R3.1.1, R3.1.2] kubernetes.io at the start", "kubernetes.io/x", false],
    ["[R3.1.2] kubernetes.io further on", "topology.kubernetes.io/zone", true],
    ["[R3.1.1] io.kubernetes", "io.kubernetes.container.name", false],
    ["[R3.1.1] the namespace, which a longer pattern includes", "io.kubernetes.pod.namespace", true],
    ["[R3.1.1] app.kubernetes.io", "app.kubernetes.io/name", true],
    ["[R3.1.2] k8s.io", "k8s.io/x", false],
    ["[R3.1.2] a beta label, wherever it stands", "node.beta.kubernetes.io/x", false],
    ["[R3.1.1] a hash of a controller", "pod-template-hash", false],
    ["[R3.1.1] a prefix is enough", "controller-revision-hash-x", false],
    ["[R3.1.1] the name of a StatefulSet's pod", "statefulset.kubernetes.io/pod-name", false],
    ["[R3.1.2] the service account", "io.cilium.k8s.policy.serviceaccount", true],
    ["[R3.1.3] a namespace label", "io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name", true],
    ["[R3.1.3] a beta label of a namespace", "io.cilium.k8s.namespace.labels.x.beta.kubernetes.io/y", false],
  ])("%s", (_, key, want) => {
    expect(labelFilter([], true).keeps("k8s", key)).toBe(want);
  });

  test.each([
    ["[R3.1.4] an included label", ["app"], "app", true],
    ["[R3.1.4] any other", ["app"], "tier", false],
    ["[R3.1.4] the service account goes", ["app"], "io.cilium.k8s.policy.serviceaccount", false],
    ["[R3.1.4] the namespace stays", ["app"], "io.kubernetes.pod.namespace", true],
    ["[R3.1.4] the cluster stays", ["app"], "io.cilium.k8s.policy.cluster", true],
    ["[R3.1.4] with an ignore pattern alone the rest stays", ["!tier"], "app", true],
    ["[R3.1.4] and what it names goes", ["!tier"], "tier", false],
    ["[R3.1.1] a longer include beats an ignore", ["!kube", "kubernetes.io/x"], "kubernetes.io/x", true],
    ["[R3.1.4] a pattern of another source", ["container:app"], "app", false],
  ] as const)("%s", (_, user, key, want) => {
    expect(labelFilter(user, true).keeps("k8s", key)).toBe(want);
  });

  test("[R3.1.1] the filter reaches the identity", () => {
    const at = world("", { labels: "k8s:tier k8s:!app" });
    expect(labels(pod("a/p"), at)).not.toContain("k8s:app=p");
  });
});

describe("settings", () => {
  test("[R4.3.1, R9.1] what holds without any", () => {
    expect(cilium.frame(PLAIN)).toMatchObject({
      tiers: [{ name: "policy", mode: "union" }],
      enforcement: "default",
      hostFirewall: false,
      audit: false,
      alwaysAllowed: [{ origin: { kind: "always-allowed" } }],
    });
  });

  test("[R4.3.7] what the rules of an open policy do above layer 4 hangs on the release", () => {
    expect(openCilium("1.17").frame(PLAIN).openApplication).toEqual({ http: "unsure", dns: "enforced" });
    expect(openCilium("1.18").frame(PLAIN).openApplication).toEqual({ http: "lifted", dns: "lifted" });
  });

  test.each([
    ["enable-policy", "sometimes"],
    ["enable-l7-proxy", "yes"],
    ["policy-cidr-match-mode", "pods"],
    ["labels", "("],
    ["label-prefix-file", "/etc/labels"],
  ])("a value of %s that is not understood is said", (key, value) => {
    expect(cilium.diagnose?.(world("", { [key]: value })).map((one) => one.code)).toEqual(["BH126"]);
  });

  test("every other value is understood", () => {
    const config = {
      "enable-policy": "Always",
      "enable-l7-proxy": "1",
      "policy-cidr-match-mode": "nodes",
      unknown: "x",
    };
    expect(cilium.diagnose?.(world("", config))).toEqual([]);
    expect(cilium.frame(world("", config)).enforcement).toBe("always");
  });

  test("[R1.2.4] the kinds that are enforced", () => {
    const kinds = [
      ["cilium.io/v2", "CiliumNetworkPolicy"],
      ["cilium.io/v2", "CiliumClusterwideNetworkPolicy"],
      ["networking.k8s.io/v1", "NetworkPolicy"],
      ["policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy"],
      ["policy.networking.k8s.io/v1alpha1", "AdminNetworkPolicy"],
      ["cilium.io/v2", "CiliumCIDRGroup"],
    ] as const;
    expect(kinds.map(([apiVersion, kind]) => cilium.enforces(apiVersion, kind))).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
    ]);
  });
});
