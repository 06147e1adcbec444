/** Mistakes that make an API server or agent refuse a policy (kubernetes.md 1.11, cilium.md 1.5), put into good ones. */
import fc from "fast-check";
import type { Fields } from "./arbitraries.ts";

type Mistake = (spec: Fields) => Fields;

const CLUSTER_RULE = { from: [{ namespaces: {} }] };

function adding(key: string, value: unknown): Mistake {
  return (spec) => ({ ...spec, [key]: value });
}

/** Appends an item to a list of the spec. */
function appending(key: string, value: unknown): Mistake {
  return (spec) => ({ ...spec, [key]: [...(Array.isArray(spec[key]) ? spec[key] : []), value] });
}

function withPort(port: Fields): Mistake {
  return appending("ingress", { ports: [port] });
}

function withBlock(cidr: unknown, ...except: readonly unknown[]): Mistake {
  return appending("egress", { to: [{ ipBlock: { cidr, except } }] });
}

const NETWORK_POLICY: readonly Mistake[] = [
  withPort({ protocol: "ICMP" }),
  withPort({ protocol: "tcp", port: 80 }),
  withPort({ port: 0 }),
  withPort({ port: 65536 }),
  withPort({ port: "80" }),
  withPort({ port: "My_Port" }),
  withPort({ port: "web--x" }),
  withPort({ port: "-web" }),
  withPort({ port: "a-name-of-16-chr" }),
  withPort({ port: 80, endPort: 79 }),
  withPort({ port: 80, endPort: 65536 }),
  withPort({ port: "web", endPort: 80 }),
  withPort({ endPort: 80 }),
  appending("ingress", { from: [{}] }),
  appending("ingress", { from: [{ ipBlock: { cidr: "10.0.0.0/8" }, podSelector: {} }] }),
  withBlock(""),
  withBlock("10.0.0.1"),
  withBlock("foo/8"),
  withBlock("10.0.0.0/24", "10.0.0.0/24"),
  withBlock("10.0.0.0/24", "10.0.1.0/24"),
  withBlock("10.0.0.0/24", "10.0.0.0/16"),
  withBlock("10.0.0.0/24", "2001:db8::/64"),
  adding("policyTypes", ["Ingress", "Egress", "Ingress"]),
  adding("policyTypes", ["ingress"]),
  adding("podSelector", { matchExpressions: [{ key: "app", operator: "In", values: [] }] }),
  adding("podSelector", { matchExpressions: [{ key: "app", operator: "NotIn" }] }),
  adding("podSelector", { matchExpressions: [{ key: "app", operator: "Exists", values: ["x"] }] }),
  adding("podSelector", { matchExpressions: [{ key: "app", operator: "exists" }] }),
  adding("podSelector", { matchLabels: { "a b": "x" } }),
  adding("podSelector", { matchLabels: { app: "x y" } }),
  adding("podSelector", { matchLabels: { "Up/app": "x" } }),
];

const TIER: readonly Mistake[] = [
  adding("priority", 1001),
  adding("priority", -1),
  adding("tier", "NetworkPolicy"),
  adding("subject", {}),
  adding("subject", { namespaces: {}, pods: { podSelector: {} } }),
  adding("subject", { pods: { namespaceSelector: {} } }),
  appending("ingress", { action: "Allow", ...CLUSTER_RULE }),
  appending("ingress", { action: "Accept", from: [] }),
  appending("ingress", { action: "Accept" }),
  appending("ingress", { action: "Accept", from: [{}] }),
  appending("ingress", { action: "Accept", from: [{ networks: ["10.0.0.0/8"] }] }),
  appending("egress", { action: "Accept", to: [{ networks: ["10.0.0.1"] }] }),
  appending("egress", { action: "Accept", to: [{ networks: [] }] }),
  appending("egress", { action: "Accept", to: [{ networks: ["::/0", "::/0"] }] }),
  appending("egress", { action: "Deny", to: [{ nodes: {} }], protocols: [{ destinationNamedPort: "web" }] }),
  appending("egress", { action: "Accept", to: [{ domainNames: ["*"] }] }),
  appending("egress", { action: "Accept", to: [{ domainNames: ["localhost"] }] }),
  appending("ingress", { action: "Accept", ...CLUSTER_RULE, protocols: [] }),
  appending("ingress", { action: "Accept", ...CLUSTER_RULE, protocols: [{ tcp: {} }] }),
  appending("ingress", { action: "Accept", ...CLUSTER_RULE, protocols: [{}] }),
  appending("ingress", {
    action: "Accept",
    ...CLUSTER_RULE,
    protocols: [{ tcp: { destinationPort: { range: { start: 80, end: 80 } } } }],
  }),
  appending("ingress", { action: "Accept", ...CLUSTER_RULE, protocols: [{ tcp: { destinationPort: { number: 0 } } }] }),
];

const OLDER: readonly Mistake[] = [
  adding("subject", {}),
  appending("ingress", { action: "Accept", ...CLUSTER_RULE }),
  appending("ingress", { action: "Allow", from: [] }),
  appending("ingress", { action: "Allow", ...CLUSTER_RULE, ports: [{}] }),
  appending("ingress", { action: "Allow", from: [{ networks: ["10.0.0.0/8"] }] }),
  appending("egress", { action: "Allow", to: [{ networks: ["10.0.0.1"] }] }),
  appending("egress", { action: "Allow", to: [{ networks: ["10.0.0.0/8"] }], ports: [{ namedPort: "web" }] }),
  adding("subject", { pods: { podSelector: {} } }),
];

function entry(parts: Fields): Mistake {
  return appending("ingress", parts);
}

function egress(parts: Fields): Mistake {
  return appending("egress", parts);
}

function ports(item: Fields, rest: Fields = {}): Mistake {
  return egress({ toPorts: [{ ports: [item], ...rest }] });
}

const TCP80 = { port: "80", protocol: "TCP" };
const many = (n: number): readonly Fields[] =>
  Array.from({ length: n }, (_, i) => ({ port: String(i + 1), protocol: "TCP" }));

const CILIUM: readonly Mistake[] = [
  // V1, V2, R1.2.3
  (spec) => ({ ...spec, endpointSelector: undefined, nodeSelector: undefined }),
  (spec) => ({ ...spec, endpointSelector: {}, nodeSelector: {} }),
  (spec) => ({ ...spec, ingress: [], egress: undefined, ingressDeny: undefined, egressDeny: undefined }),
  // V3
  entry({ fromEndpoints: [{}], fromCIDR: ["10.0.0.0/8"] }),
  entry({ fromEntities: ["world"], fromCIDRSet: [{ cidr: "10.0.0.0/8" }] }),
  egress({ toEntities: ["world"], toFQDNs: [{ matchName: "a.io" }] }),
  // V4
  entry({ icmps: [{ fields: [{ type: 8 }] }], toPorts: [{ ports: [TCP80] }] }),
  // V5
  entry({ fromEntities: ["everybody"] }),
  entry({ fromEndpoints: [{ matchExpressions: [{ key: "app", operator: "In", values: [] }] }] }),
  entry({ fromEndpoints: [{ matchExpressions: [{ key: "app", operator: "Exists", values: ["x"] }] }] }),
  entry({ fromEndpoints: [{ matchExpressions: [{ key: "app", operator: "Has" }] }] }),
  entry({ fromEndpoints: [{ matchLabels: { "a b": "x" } }] }),
  entry({ fromCIDR: [""] }),
  entry({ fromCIDR: ["10.0.0.0/33"] }),
  entry({ fromCIDR: ["10.0.0/8"] }),
  entry({ fromCIDRSet: [{ cidr: "10.0.0.1" }] }),
  entry({ fromCIDRSet: [{ cidr: "10.0.0.0/8", except: ["192.168.0.0/16"] }] }),
  entry({ fromCIDRSet: [{ cidr: "10.0.0.0/8", except: ["fd00::/16"] }] }),
  entry({ fromCIDRSet: [{ cidr: "10.0.0.0/8", except: ["x"] }] }),
  entry({ fromCIDRSet: [{ cidr: "10.0.0.0/8", cidrGroupRef: "g1" }] }),
  entry({ fromCIDRSet: [{ except: ["10.0.0.0/8"] }] }),
  // V6
  egress({ toPorts: [{ ports: many(41) }] }),
  entry({ icmps: [{ fields: [{ type: "EchoRequests" }] }] }),
  entry({ icmps: [{ fields: [{ family: "IPv6", type: "Redirect" }] }] }),
  entry({ icmps: [{ fields: [{ family: "IPv5", type: 8 }] }] }),
  entry({ icmps: [{ fields: Array.from({ length: 41 }, () => ({ type: 8 })) }] }),
  // V7
  ports({ port: "65536", protocol: "TCP" }),
  ports({ port: "08", protocol: "TCP" }),
  ports({ port: "a_b", protocol: "TCP" }),
  ports({ port: "80", protocol: "FOO" }),
  // V8, V9, V10, V11
  ports({ port: "80" }, { rules: { http: [{}] } }),
  ports({ port: "80", protocol: "UDP" }, { rules: { http: [] } }),
  ports({ port: "53", protocol: "UDP" }, { rules: { dns: [] } }),
  ports({ port: "0", protocol: "TCP" }, { rules: { http: [{}] } }),
  entry({ toPorts: [{ ports: [{ port: "53", protocol: "UDP" }], rules: { dns: [{ matchName: "a.io" }] } }] }),
  ports({ port: "53", endPort: 54, protocol: "UDP" }, { rules: { dns: [{ matchName: "a.io" }] } }),
  ports(TCP80, { rules: { http: [{}], dns: [{ matchName: "a.io" }] } }),
  ports(TCP80, { rules: { l7: [{}] } }),
  // V12, V13
  ports(TCP80, { serverNames: [""] }),
  ports(TCP80, { serverNames: ["a.io"], rules: { http: [{}] } }),
  entry({ toPorts: [{ ports: [TCP80], listener: { envoyConfig: { name: "e" }, name: "l" } }] }),
  // V16, V17
  ports(TCP80, { rules: { http: [{ path: "(" }] } }),
  ports(TCP80, { rules: { http: [{ headerMatches: [{ value: "x" }] }] } }),
  ports(TCP80, { rules: { http: [{ headerMatches: [{ name: "x", mismatch: "KEEP" }] }] } }),
  egress({ toFQDNs: [{ matchName: "*.a.io" }] }),
  egress({ toFQDNs: [{ matchPattern: "a+.io" }] }),
  egress({ toFQDNs: [{ matchName: `${"a".repeat(256)}` }] }),
];

const MISTAKES: ReadonlyMap<unknown, readonly Mistake[]> = new Map([
  ["NetworkPolicy", NETWORK_POLICY],
  ["ClusterNetworkPolicy", TIER],
  ["AdminNetworkPolicy", OLDER],
  ["BaselineAdminNetworkPolicy", OLDER],
  ["CiliumNetworkPolicy", CILIUM],
  ["CiliumClusterwideNetworkPolicy", CILIUM],
]);

/** Each policy as it is, or once in `times` with a mistake. */
export function withMistakes(policies: readonly Fields[], times: number): fc.Arbitrary<readonly Fields[]> {
  if (policies.length === 0) return fc.constant(policies);
  return fc.array(fc.nat(), { minLength: policies.length, maxLength: policies.length }).map((draws) =>
    policies.map((policy, i) => {
      const draw = draws[i] ?? 0;
      const mistakes = MISTAKES.get(policy["kind"]) ?? [];
      const mistake = mistakes[Math.floor(draw / times) % Math.max(1, mistakes.length)];
      const { spec } = policy;
      if (draw % times !== 0 || mistake === undefined || typeof spec !== "object" || spec === null) return policy;
      return { ...policy, spec: mistake({ ...spec }) };
    }),
  );
}
