/** What the names of endpoints mean (design: endpoint names). */
import { describe, expect, test } from "vitest";
import { engineOf, pod, service, SHOP } from "./scenes.ts";

const DEPLOYMENT = (namespace: string, name: string): string =>
  JSON.stringify({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace },
    spec: {
      selector: { matchLabels: { run: name } },
      template: { metadata: { labels: { run: name } }, spec: { containers: [{ name: "m" }] } },
    },
  });
const STATEFUL = `
{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: data, namespace: shop}, spec: {replicas: 2, selector: {matchLabels: {set: data}}, template: {metadata: {labels: {set: data}}, spec: {containers: [{name: m}]}}}}
`;
const MON = pod("shop", "mon", "N2", "10.0.0.2", { app: "mon" }, [], { hostNetwork: true });
const BLOCK = `
{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: block, namespace: shop}, spec: {podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 198.51.100.0/24}}]}]}}
`;

const engine = engineOf("kubernetes", [
  SHOP,
  MON,
  STATEFUL,
  BLOCK,
  DEPLOYMENT("shop", "two"),
  DEPLOYMENT("shop", "only"),
  service("shop", "web", {
    selector: { app: "web" },
    clusterIP: "10.96.0.20",
    ports: [{ port: 80, targetPort: 8080 }],
  }),
  service("shop", "front", { selector: { app: "web" }, ports: [{ port: 80 }] }),
  '{"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "two", "namespace": "shop"}, "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "m"}]}}}}',
]);

/** What a name resolves to, on one line. */
function meant(name: string): string {
  const resolved = engine.inventory.resolve(name);
  switch (resolved.kind) {
    case "endpoints":
      return resolved.members.map((member) => `${member.kind} ${member.name}`).join(", ");
    case "service":
      return `service ${resolved.service.namespace}/${resolved.service.name}`;
    case "problem":
      return `problem: ${resolved.message}`;
    case "unsure":
      return `unsure: ${resolved.because.map(({ code }) => code).join()}`;
  }
}

describe("a name means", () => {
  test.each([
    ["shop/web", "pod shop/Pod/web"],
    ["shop/Pod/web", "pod shop/Pod/web"],
    ["shop/only", "pod shop/Deployment/only"],
    ["shop/Deployment/two", "pod shop/Deployment/two"],
    ["shop/Job/two", "pod shop/Job/two"],
    ["shop/data", "pod shop/Pod/data-0, pod shop/Pod/data-1"],
    ["shop/data-1", "pod shop/Pod/data-1"],
    ["shop/Pod/data-0", "pod shop/Pod/data-0"],
    ["shop/front", "service shop/front"],
    ["shop/Service/web", "service shop/web"],
    ["shop/mon", "node shop/Pod/mon"],
    ["host", "node host"],
    ["remote-node", "node remote-node"],
    ["host@N1", "node host@N1"],
    ["ip:10.244.1.10", "pod shop/Pod/web"],
    ["ip:10.0.0.1", "node host@N1"],
    ["ip:10.0.0.2", "node host@N2"],
    ["ip:10.96.0.20", "service shop/web"],
    ["ip:203.0.113.7", "outside ip:203.0.113.7"],
    ["kube-apiserver", "reserved kube-apiserver"],
    ["health", "reserved health"],
    ["app=db", "pod shop/Pod/db"],
    ["app = web", "pod shop/Pod/web, pod pay/Pod/x"],
    ["set=data", "pod shop/Pod/data-0, pod shop/Pod/data-1"],
    ["fqdn:a.io", "name fqdn:a.io, name fqdn:a.io"],
    ["198.51.100.0/25", "outside 198.51.100.0/25"],
    ["cidr:198.51.100.0-198.51.100.9", "outside 198.51.100.0-198.51.100.9"],
    [
      "cidr:198.51.0.0/16",
      "outside 198.51.0.0-198.51.99.255, outside 198.51.100.0/24, outside 198.51.101.0-198.51.255.255",
    ],
  ])("%s", (name, want) => {
    expect(meant(name)).toBe(want);
  });

  test.each([
    ["shop/two", "ambiguous: shop/Deployment/two, shop/Job/two"],
    ["shop/wbe", "no Pod, workload or Service is called shop/wbe; did you mean shop/web?"],
    ["shop/Pod/nobody", "no Pod is called nobody in namespace shop"],
    ["shop/Service/db", "no Service is called db in namespace shop"],
    ["host@N9", "no node is called N9"],
    ["ip:1.2.3", "1.2.3 is no IP address"],
    ["cidr:1.2.3.0/33", "1.2.3.0/33 is no prefix"],
    ["cidr:10.0.0.9-10.0.0.1", "is no prefix"],
    ["app=nobody", "no pod carries the labels app=nobody"],
    ["web", "no endpoint is called web; write namespace/name"],
  ])("nothing: %s", (name, want) => {
    expect(meant(name)).toContain(want);
    expect(meant(name)).toMatch(/^problem: /);
  });
});

test("[R7.1.2] a pattern of many wildcards is decided by a name that nearly matches it", () => {
  const pattern = `${"*a".repeat(30)}*b`;
  const rule = (egress: readonly object[]): string =>
    JSON.stringify({
      apiVersion: "cilium.io/v2",
      kind: "CiliumNetworkPolicy",
      metadata: { name: "wildcards", namespace: "shop" },
      spec: { endpointSelector: {}, egress },
    });
  const policies = rule([
    { toPorts: [{ ports: [{ port: "53" }], rules: { dns: [{ matchPattern: pattern }] } }] },
    { toFQDNs: [{ matchPattern: pattern }] },
  ]);
  const wild = engineOf("cilium@1.19", [pod("shop", "p", "n1", "10.244.0.9", {}, []), policies]);
  const verdict = (name: string): string =>
    wild.why({ from: "shop/p", to: `fqdn:${name}`, protocol: "TCP", port: 443 }).verdict;
  expect(verdict("a".repeat(63))).toBe("deny");
  expect(verdict(`${"a".repeat(62)}b`)).toBe("allow");
});
