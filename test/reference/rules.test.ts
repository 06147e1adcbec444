import { describe, expect, test } from "vitest";
import type { Dialect, ReferenceOptions } from "../../reference/index.ts";
import { ccnp, cnp, config, flowOf, np, referenceOf } from "./rows.ts";

type Verdict = "allow" | "deny" | "unsure" | "mixed";
type Rows = Readonly<Record<string, Verdict>>;
type Case = readonly [
  rule: string,
  dialect: Dialect,
  objects: string,
  rows: Rows,
  options?: Omit<ReferenceOptions, "dialect">,
];

const LATEST = "cilium@1.19";
const HTTP = (rules: string) => `toPorts: [{ports: [{port: "80", protocol: TCP}], rules: {http: [${rules}]}}]`;
const PORT = (port: string, protocol = "TCP") => `toPorts: [{ports: [{port: "${port}", protocol: ${protocol}}]}]`;
const DNS = (rules: string) =>
  `{toEntities: [all], toPorts: [{ports: [{port: "53", protocol: UDP}], rules: {dns: [${rules}]}}]}`;

const KUBE_DNS =
  "---\n{apiVersion: v1, kind: Pod, metadata: {name: dns, namespace: kube-system, labels: {k8s-app: kube-dns}}, spec: {nodeName: n2, containers: [{name: m, ports: [{name: dns, containerPort: 53, protocol: UDP}]}]}, status: {podIP: 10.0.2.53}}\n";

function run(cases: readonly Case[]): void {
  for (const [rule, dialect, objects, rows, options] of cases)
    test(`${rule} (${dialect})`, () => {
      const reference = referenceOf(dialect, objects, options);
      expect(Object.fromEntries(reference.refusals)).toEqual({});
      const actual = Object.fromEntries(Object.keys(rows).map((row) => [row, reference.ask(flowOf(row)).verdict]));
      expect(actual).toEqual(rows);
    });
}

describe("cilium: selectors and scoping", () => {
  run([
    [
      "EX-12 before 1.18",
      "cilium@1.17",
      cnp("ingress: [{fromEndpoints: [{matchLabels: {io.cilium.k8s.namespace.labels.team: red}}]}]"),
      { "b/x > a/p 80": "deny", "a/x > a/p 80": "deny" },
    ],
    [
      "R2.3.2 a reserved key",
      LATEST,
      cnp('ingress: [{fromEndpoints: [{matchLabels: {"reserved:remote-node": ""}}]}]'),
      { "host@n2 > a/p 80": "allow", "a/y > a/p 80": "deny" },
    ],
    [
      "R2.3.2 c for init",
      LATEST,
      ccnp('endpointSelector: {matchLabels: {"reserved:init": ""}}, egress: [{toEndpoints: [{}]}]'),
      { "init > a/p 80": "allow", "init > ip:8.8.8.8 80": "deny" },
    ],
    [
      "R2.1.3 negative namespace key selects hosts and world",
      LATEST,
      config('policy-default-local-cluster: "false"') +
        cnp(
          "ingress: [{fromEndpoints: [{matchExpressions: [{key: io.kubernetes.pod.namespace, operator: NotIn, values: [b]}]}]}]",
        ),
      { "a/x > a/p 80": "allow", "b/x > a/p 80": "deny", "ip:8.8.8.8 > a/p 80": "allow", "host@n2 > a/p 80": "allow" },
    ],
    [
      "R2.3.2 e cluster term",
      LATEST,
      cnp(
        "ingress: [{fromEndpoints: [{matchExpressions: [{key: io.kubernetes.pod.namespace, operator: NotIn, values: [b]}]}]}]",
      ),
      { "a/x > a/p 80": "allow", "ip:8.8.8.8 > a/p 80": "deny", "host@n2 > a/p 80": "unsure" },
    ],
    [
      "R2.3.2 e other cluster",
      LATEST,
      config("cluster-name: one") +
        cnp('ingress: [{fromEndpoints: [{matchLabels: {"k8s:io.cilium.k8s.policy.cluster": two}}]}]'),
      { "a/x > a/p 80": "deny" },
    ],
    [
      "R2.3.5",
      LATEST,
      ccnp("endpointSelector: {}, ingress: [{}]"),
      {
        "a/x > health 4240": "deny",
        "host@n2 > ingress-controller 80": "unsure",
        "ip:8.8.8.8 > ingress-controller 80": "deny",
        "a/x > host@n2 80": "allow",
      },
    ],
    [
      "2.2 service account",
      LATEST,
      cnp("ingress: [{fromEndpoints: [{matchLabels: {io.cilium.k8s.policy.serviceaccount: default}}]}]"),
      { "a/x > a/p 80": "allow" },
    ],
    [
      "R3.1.4 user labels",
      LATEST,
      config('labels: "k8s:team"') + cnp("endpointSelector: {}, ingress: [{fromEndpoints: [{matchLabels: {app: x}}]}]"),
      { "a/x > a/p 80": "deny" },
    ],
    [
      "R2.3.3 nodes",
      LATEST,
      config('enable-node-selector-labels: "true"') +
        cnp("ingress: [{fromNodes: [{matchLabels: {zone: two}}]}, {fromNodes: [{matchLabels: {zone: one}}]}]") +
        cnp("endpointSelector: {matchLabels: {app: y}}, ingress: [{fromNodes: [{matchLabels: {zone: two}}]}]", "other"),
      {
        "host@n2 > a/p 80": "allow",
        "a/hn2 > a/p 80": "allow",
        "host@n1 > a/y 80": "deny",
        "host@n1 > a/p 80": "allow",
        "remote-node > a/y 80": "unsure",
      },
    ],
  ]);
});

describe("cilium: entities and prefixes", () => {
  run([
    [
      "R3.2.4 match mode nodes",
      LATEST,
      config("policy-cidr-match-mode: nodes") + cnp("egress: [{toCIDR: [192.168.60.0/24]}]"),
      { "a/p > host@n2 80": "allow", "a/p > a/hn2 80": "allow", "a/p > a/x 80": "deny" },
    ],
    [
      "R3.2.4 zero length never matches nodes",
      LATEST,
      config("policy-cidr-match-mode: nodes") + cnp("egress: [{toCIDR: [0.0.0.0/0]}]"),
      { "a/p > host@n2 80": "deny", "a/p > ip:8.8.8.8 80": "allow" },
    ],
    ["R3.2.4 default mode", LATEST, cnp("egress: [{toCIDR: [192.168.60.0/24]}]"), { "a/p > host@n2 80": "deny" }],
    [
      "CIDR groups",
      LATEST,
      "---\n{apiVersion: cilium.io/v2, kind: CiliumCIDRGroup, metadata: {name: g, labels: {k: v}}, spec: {externalCIDRs: [203.0.113.0/24]}}\n" +
        cnp(
          "egress: [{toCIDRSet: [{cidrGroupRef: g}]}, {toCIDRSet: [{cidrGroupRef: none}], toPorts: [{ports: [{port: '81', protocol: TCP}]}]}]",
        ) +
        cnp(
          "endpointSelector: {matchLabels: {app: x}}, egress: [{toCIDRSet: [{cidrGroupSelector: {matchLabels: {k: v}}, except: [203.0.113.9/32]}]}]",
          "other",
        ),
      {
        "a/p > ip:203.0.113.9 80": "allow",
        "a/p > ip:8.8.8.8 80": "deny",
        "a/p > ip:8.8.8.8 81": "unsure",
        "a/p > a/x 81": "deny",
        "a/x > ip:203.0.113.9 80": "deny",
        "a/x > ip:203.0.113.8 80": "allow",
      },
    ],
    [
      "toGroups",
      LATEST,
      cnp("egress: [{toGroups: [{aws: {securityGroupsIds: [sg-1]}}]}]"),
      { "a/p > ip:8.8.8.8 80": "unsure", "a/p > a/x 80": "deny" },
    ],
    [
      "kube-apiserver, place not told",
      LATEST,
      cnp("egress: [{toEntities: [remote-node]}]"),
      { "a/p > kube-apiserver 6443": "unsure" },
    ],
    [
      "kube-apiserver on a node",
      LATEST,
      "---\n{apiVersion: v1, kind: Endpoints, metadata: {name: kubernetes, namespace: default}, subsets: [{addresses: [{ip: 192.168.60.12}], ports: [{port: 6443}]}]}\n" +
        cnp("egress: [{toEntities: [remote-node]}]") +
        cnp("endpointSelector: {matchLabels: {app: x}}, egress: [{toEntities: [kube-apiserver]}]", "other"),
      { "a/p > kube-apiserver 6443": "allow", "a/x > host@n2 6443": "allow", "a/x > host@n1 6443": "deny" },
    ],
    [
      "kube-apiserver outside",
      LATEST,
      "---\n{apiVersion: v1, kind: Endpoints, metadata: {name: kubernetes, namespace: default}, subsets: [{addresses: [{ip: 203.0.113.1}], ports: [{port: 6443}]}]}\n" +
        cnp("egress: [{toEntities: [cluster]}]"),
      {
        "a/p > kube-apiserver 6443": "allow",
        "a/p > ip:203.0.113.1 6443": "allow",
        "a/p > ip:203.0.113.2 6443": "deny",
      },
    ],
    ["entity none", LATEST, cnp("ingress: [{fromEntities: [none]}]"), { "a/x > a/p 80": "deny" }],
    [
      "a pod on a node nobody told",
      LATEST,
      cnp("endpointSelector: {matchLabels: {app: d}}, egress: [{toEntities: [host]}]"),
      { "a/d > host@n1 80": "unsure", "a/d > host 80": "allow", "a/d > remote-node 80": "deny" },
    ],
    [
      "a range is cut where rules cut it",
      LATEST,
      cnp("egress: [{toCIDR: [203.0.113.0/25]}]"),
      {
        "a/p > cidr:203.0.113.0/24 80": "mixed",
        "a/p > cidr:203.0.113.0/26 80": "allow",
        "a/p > 203.0.113.128-203.0.113.255 80": "deny",
        "a/p > internet 80": "mixed",
      },
    ],
    [
      "internet",
      LATEST,
      cnp("egress: [{toCIDRSet: [{cidr: 0.0.0.0/0, except: [10.0.0.0/8]}]}]"),
      { "a/p > internet 80": "allow" },
    ],
  ]);
});

describe("cilium: enforcement", () => {
  run([
    ["R4.3.1 never", LATEST, config("enable-policy: never") + cnp("ingress: [{}]"), { "a/x > a/p 80": "allow" }],
    [
      "R4.3.1 always",
      LATEST,
      config("enable-policy: always") +
        cnp("endpointSelector: {}, enableDefaultDeny: {egress: false}, egress: [{toEntities: [world]}]"),
      { "a/p > ip:8.8.8.8 80": "allow", "a/p > a/x 80": "deny" },
    ],
    ["R4.3.2 init", LATEST, "", { "init > a/p 80": "deny", "health > a/p 80": "allow" }],
    [
      "R4.3.4 true without a section",
      LATEST,
      cnp("enableDefaultDeny: {ingress: true}, egress: [{}]"),
      { "a/x > a/p 80": "allow", "a/p > a/x 80": "deny" },
    ],
    [
      "R4.3.6",
      LATEST,
      config('enable-non-default-deny-policies: "false"') +
        cnp("enableDefaultDeny: {egress: false}, egressDeny: [{toEntities: [world]}]"),
      { "a/p > a/x 80": "deny" },
    ],
    [
      "R4.3.7 since 1.18",
      LATEST,
      cnp(`enableDefaultDeny: {ingress: false}, ingress: [{${HTTP("{method: GET}")}}]`),
      { "a/x > a/p 80 POST /": "allow", "a/x > a/p 80": "allow" },
    ],
    [
      "R4.3.7 in 1.17",
      "cilium@1.17",
      cnp(`enableDefaultDeny: {ingress: false}, ingress: [{${HTTP("{method: GET}")}}]`),
      { "a/x > a/p 80 POST /": "unsure", "a/x > a/p 80 GET /": "allow" },
    ],
    ["R4.3.9 audit", LATEST, config('policy-audit-mode: "true"') + cnp("ingress: [{}]"), { "a/x > a/p 80": "allow" }],
    [
      "R4.3.10, R4.5.4",
      LATEST,
      cnp(
        `ingress: [{${HTTP("{method: GET}")}}, {toPorts: [{ports: [{port: "80", protocol: TCP}], rules: {kafka: [{topic: t}]}}]}]`,
      ),
      { "a/x > a/p 80": "unsure", "a/x > a/y 80": "allow" },
    ],
    [
      "R4.5.4 in 1.17",
      "cilium@1.17",
      cnp(
        `ingress: [{fromEndpoints: [{matchLabels: {app: x}}], ${HTTP("{method: GET}")}}, {fromEndpoints: [{matchLabels: {app: y}}], toPorts: [{ports: [{port: "80", protocol: TCP}], rules: {kafka: [{topic: t}]}}]}]`,
      ),
      { "a/x > a/p 80 GET /": "unsure" },
    ],
    [
      "R4.5.4 per selector since 1.18",
      LATEST,
      cnp(
        `ingress: [{fromEndpoints: [{matchLabels: {app: x}}], ${HTTP("{method: GET}")}}, {fromEndpoints: [{matchLabels: {app: y}}], toPorts: [{ports: [{port: "80", protocol: TCP}], rules: {kafka: [{topic: t}]}}]}]`,
      ),
      { "a/x > a/p 80 GET /": "allow", "a/y > a/p 80": "unsure" },
    ],
    [
      "R4.6.1 required",
      LATEST,
      cnp("ingress: [{fromEndpoints: [{}], authentication: {mode: required}}]"),
      { "a/x > a/p 80": "unsure", "b/x > a/p 80": "deny" },
    ],
    [
      "R4.6.2 inherited, disabled, always failing",
      LATEST,
      cnp(
        `ingress: [{fromEndpoints: [{}], authentication: {mode: required}}, {fromEndpoints: [{}], ${PORT("80")}}, {fromEndpoints: [{}], ${PORT("81")}, authentication: {mode: disabled}}, {fromEndpoints: [{}], ${PORT("82")}, authentication: {mode: test-always-fail}}]`,
      ),
      { "a/x > a/p 80": "unsure", "a/x > a/p 81": "allow", "a/x > a/p 82": "deny" },
    ],
    [
      "R4.7.1",
      "cilium@1.18",
      cnp(
        `ingress: [{fromEndpoints: [{matchLabels: {app: x}}, {matchLabels: {app: y}}]}, {fromEntities: [world]}, {fromRequires: [{matchLabels: {app: x}}]}, {${PORT("9")}}]`,
      ),
      { "a/x > a/p 80": "allow", "a/y > a/p 80": "deny", "ip:8.8.8.8 > a/p 80": "allow", "a/y > a/p 9": "allow" },
    ],
    [
      "options switch kinds off",
      LATEST,
      config('enable-k8s-networkpolicy: "false", enable-cilium-network-policy: "false"') +
        cnp("ingress: [{}]") +
        np("policyTypes: [Egress]"),
      { "a/x > a/p 80": "allow", "a/p > a/x 80": "allow" },
    ],
    [
      "10.3, 10.4 not enforced",
      LATEST,
      "---\n{apiVersion: policy.networking.k8s.io/v1alpha2, kind: ClusterNetworkPolicy, metadata: {name: c}, spec: {tier: Admin, priority: 1, subject: {namespaces: {}}, ingress: [{action: Deny, from: [{namespaces: {}}]}]}}\n",
      { "a/x > a/p 80": "allow" },
    ],
  ]);
});

describe("cilium: ports", () => {
  run([
    [
      "R5.3 port 0",
      LATEST,
      cnp(`ingress: [{${PORT("0", "ANY")}}]`),
      { "a/x > a/p 1": "allow", "a/x > a/p 1/SCTP": "allow", "a/x > a/p 8/ICMP": "deny" },
    ],
    [
      "R5.5 by port",
      LATEST,
      cnp(`ingress: [{${PORT("8", "ICMP")}}]`),
      { "a/x > a/p 8/ICMP": "allow", "a/x > a/p 13/ICMP": "deny", "a/x > a/p 8/ICMPv6": "deny" },
    ],
    [
      "R5.6 egress to an address",
      LATEST,
      cnp(`egress: [{toCIDR: [203.0.113.0/24], ${PORT("web")}}]`),
      { "a/p > ip:203.0.113.9 8080": "allow", "a/p > ip:203.0.113.9 80": "deny" },
    ],
    [
      "R5.9",
      LATEST,
      cnp(
        `egress: [{toEntities: [world], toPorts: [{ports: [{port: "443", protocol: TCP}], serverNames: [a.io, "*.b.io"]}]}]`,
      ),
      {
        "a/p > ip:8.8.8.8 443 sni=a.io": "allow",
        "a/p > ip:8.8.8.8 443 sni=x.a.io": "deny",
        "a/p > ip:8.8.8.8 443 sni=x.b.io": "allow",
        "a/p > ip:8.8.8.8 443 GET /": "deny",
        "a/p > ip:8.8.8.8 443": "allow",
      },
    ],
    [
      "R5.9 same selector, plain",
      LATEST,
      cnp(
        `egress: [{toEntities: [world], toPorts: [{ports: [{port: "443", protocol: TCP}], serverNames: [a.io]}]}, {toEntities: [world], ${PORT("443")}}]`,
      ),
      { "a/p > ip:8.8.8.8 443 sni=c.io": "deny" },
    ],
    [
      "R5.9 another selector lifts",
      LATEST,
      cnp(
        `egress: [{toEntities: [world], toPorts: [{ports: [{port: "443", protocol: TCP}], serverNames: [a.io]}]}, {toCIDR: [8.0.0.0/8], ${PORT("443")}}]`,
      ),
      { "a/p > ip:8.8.8.8 443 sni=c.io": "allow", "a/p > ip:9.9.9.9 443 sni=c.io": "deny" },
    ],
    [
      "other protocols",
      LATEST,
      cnp("ingress: [{fromEndpoints: [{}]}]"),
      { "a/x > a/p 0/GRE": "allow", "b/x > a/p 0/GRE": "deny" },
    ],
    ["ICMP of every type", LATEST, cnp("ingress: [{icmps: [{fields: [{type: 8}]}]}]"), { "a/x > a/p 8/ICMP": "allow" }],
    [
      "opaque L7",
      LATEST,
      cnp('ingress: [{toPorts: [{ports: [{port: "9092", protocol: TCP}], rules: {kafka: [{topic: t}]}}]}]'),
      { "a/x > a/p 9092": "unsure", "a/x > a/p 9093": "deny" },
    ],
  ]);
});

describe("cilium: HTTP", () => {
  run([
    [
      "R6.2.1 TLS on an HTTP port",
      LATEST,
      cnp(`ingress: [{fromEndpoints: [{}], ${HTTP("{method: GET}")}}]`),
      { "a/x > a/p 80 sni=a.io": "deny", "a/x > a/p 80 GET /": "allow" },
    ],
    [
      "R6.4.1 both proxies",
      LATEST,
      cnp(`ingress: [{${HTTP("{path: /a}")}}]`) +
        cnp(`endpointSelector: {matchLabels: {app: x}}, egress: [{${HTTP("{method: GET}")}}]`, "two"),
      { "a/x > a/p 80 GET /a": "allow", "a/x > a/p 80 POST /a": "deny", "a/x > a/p 80 GET /b": "deny" },
    ],
    [
      "R6.6.1",
      LATEST,
      cnp(`ingress: [{${HTTP("{method: GET}")}}]`),
      { "host@n1 > a/p 80 POST /": "allow", "host@n2 > a/p 80 POST /": "deny" },
    ],
    [
      "R6.1.5",
      LATEST,
      cnp(
        `ingress: [{${HTTP("{headerMatches: [{name: X-A, value: one}]}, {path: /log, headerMatches: [{name: X-A, value: one, mismatch: LOG}]}, {path: /s, headerMatches: [{name: X-A, secret: {name: s}}]}")}}]`,
      ),
      {
        "a/x > a/p 80 GET / X-A=one": "allow",
        "a/x > a/p 80 GET / x-a=two": "deny",
        "a/x > a/p 80 GET /log": "allow",
        "a/x > a/p 80 GET /s X-A=q": "unsure",
      },
    ],
    [
      "R6.1.6 off",
      LATEST,
      config('http-normalize-path: "false"') + cnp(`ingress: [{${HTTP("{path: /a}")}}]`),
      { "a/x > a/p 80 GET //a": "deny", "a/x > a/p 80 GET /a": "allow" },
    ],
    [
      "R6.1.6",
      LATEST,
      cnp(`ingress: [{${HTTP("{path: /a/b}")}}]`),
      {
        "a/x > a/p 80 GET /a%2fb": "allow",
        "a/x > a/p 80 GET /a/./b": "allow",
        "a/x > a/p 80 GET /../a//b": "allow",
        "a/x > a/p 80 GET /a/b/..": "deny",
      },
    ],
    [
      "host not told",
      LATEST,
      cnp(`ingress: [{${HTTP("{host: a}")}}]`),
      { "a/x > a/p 80 GET /": "unsure", "a/x > a/p 80 GET / host=a": "allow" },
    ],
    [
      "R6.3.1 any port",
      LATEST,
      cnp(`ingress: [{${HTTP("{method: GET}")}}, {${PORT("0")}}]`),
      { "a/x > a/p 80 POST /": "allow" },
    ],
  ]);
});

describe("cilium: names", () => {
  const TO = "{toFQDNs: [{matchName: a.io}]}";
  run([
    [
      "R7.3.1 nothing learned",
      LATEST,
      cnp(`egress: [${TO}]`),
      { "a/p > fqdn:a.io 443": "deny", "a/p > ip:8.8.8.8 443": "deny" },
    ],
    [
      "R7.3.1 the look-up must pass",
      LATEST,
      cnp(`egress: [${TO}, ${DNS("{matchName: b.io}")}]`),
      { "a/p > fqdn:a.io 443": "deny" },
    ],
    [
      "R7.3.5",
      LATEST,
      cnp(`egress: [${TO}, ${DNS('{matchPattern: "*"}')}]`),
      { "a/p > ip:8.8.8.8 443": "unsure", "a/p > a/x 443": "deny" },
    ],
    [
      "R7.3.5 with names",
      LATEST,
      cnp(`egress: [${TO}, ${DNS('{matchPattern: "*"}')}]`),
      { "a/p > ip:8.8.8.8 443": "deny", "a/p > ip:1.2.3.4 443": "allow", "a/p > fqdn:a.io 443": "allow" },
      { names: { "a.io": ["1.2.3.4"] } },
    ],
    [
      "R7.2.2 plain in the same filter",
      LATEST,
      cnp(`egress: [${TO}, ${DNS("{matchName: b.io}")}, {toEntities: [world], ${PORT("53", "UDP")}}]`) + KUBE_DNS,
      { "a/p > fqdn:a.io 443": "deny" },
    ],
    [
      "R7.2.2 plain for the server",
      LATEST,
      cnp(
        `egress: [${TO}, ${DNS("{matchName: b.io}")}, {toEndpoints: [{matchLabels: {"k8s:io.kubernetes.pod.namespace": kube-system}}], ${PORT("53", "UDP")}}]`,
      ) + KUBE_DNS,
      { "a/p > fqdn:a.io 443": "allow" },
    ],
    [
      "R7.2.3 other filters do not lift",
      LATEST,
      cnp(`egress: [${TO}, ${DNS("{matchName: b.io}")}, {toEntities: [all], ${PORT("0", "UDP")}}]`) + KUBE_DNS,
      { "a/p > fqdn:a.io 443": "deny" },
    ],
    [
      "R7.2.5 the server listens elsewhere",
      LATEST,
      cnp(
        `egress: [${TO}, {toEntities: [all], toPorts: [{ports: [{port: "5353", protocol: UDP}], rules: {dns: [{matchPattern: "*"}]}}]}]`,
      ) + KUBE_DNS,
      { "a/p > fqdn:a.io 443": "deny" },
    ],
    [
      "the server is closed to the pod",
      LATEST,
      cnp(`egress: [${TO}, ${DNS('{matchPattern: "*"}')}]`) +
        ccnp("endpointSelector: {matchLabels: {k8s-app: kube-dns}}, ingress: [{}]") +
        KUBE_DNS,
      { "a/p > fqdn:a.io 443": "deny" },
    ],
    [
      "R7.3.7 a deny covers the address",
      LATEST,
      cnp(`egressDeny: [{toCIDR: [1.2.3.0/24]}], egress: [${TO}, ${DNS('{matchPattern: "*"}')}]`),
      { "a/p > fqdn:a.io 443": "deny" },
      { names: { "a.io": ["1.2.3.4"] } },
    ],
    [
      "EX-42 before 1.19",
      "cilium@1.18",
      cnp(`egress: [{toFQDNs: [{matchPattern: "**.cilium.io"}]}, ${DNS('{matchPattern: "*"}')}]`),
      { "a/p > fqdn:a.cilium.io 443": "allow", "a/p > fqdn:a.b.cilium.io 443": "deny" },
    ],
    [
      "EX-58 before 1.19",
      "cilium@1.18",
      cnp(`egress: [{toFQDNs: [{matchPattern: "**"}]}, ${DNS('{matchPattern: "*"}')}]`),
      { "a/p > fqdn:a 443": "allow", "a/p > fqdn:a.b 443": "deny" },
    ],
    ["entities cover names", LATEST, cnp("egress: [{toEntities: [world]}]"), { "a/p > fqdn:a.io 443": "allow" }],
    ["a prefix may cover a name", LATEST, cnp("egress: [{toCIDR: [8.0.0.0/8]}]"), { "a/p > fqdn:a.io 443": "unsure" }],
  ]);
});

describe("cilium: services", () => {
  const web = (spec: string) =>
    `---\n{apiVersion: v1, kind: Service, metadata: {name: web, namespace: a, labels: {k: v}}, spec: {${spec}}}\n`;
  const VIP = web("selector: {app: y}, clusterIP: 10.96.0.20, ports: [{port: 80, targetPort: 8080}]");
  const NODEPORT = (policy: string) =>
    web(
      `type: NodePort, externalTrafficPolicy: ${policy}, selector: {app: y}, ports: [{port: 80, targetPort: 8080, nodePort: 30080}]`,
    );
  const Y = "endpointSelector: {matchLabels: {app: y}}, ";
  const onY = (ingress: string) => cnp(`${Y}ingress: [${ingress}]`, "y");
  run([
    [
      "R8.1 no prefix matches a ClusterIP",
      LATEST,
      VIP + cnp("egress: [{toCIDR: [10.96.0.20/32]}]"),
      { "a/p > a/web 80": "deny", "a/p > ip:10.96.0.20 80": "deny", "a/p > ip:10.96.0.20 81": "deny" },
    ],
    [
      "R8.2 headless",
      LATEST,
      web("selector: {app: y}, clusterIP: None, ports: [{port: 80, targetPort: 8080}]") +
        cnp(`egress: [{toEndpoints: [{}], ${PORT("8080")}}]`),
      { "a/p > a/web 80": "deny", "a/p > a/web 8080": "allow" },
    ],
    [
      "R8.3 by name",
      LATEST,
      VIP + cnp("egress: [{toServices: [{k8sService: {serviceName: web, namespace: a}}]}]"),
      { "a/p > a/web 80": "allow", "a/p > a/y 1": "allow", "a/p > a/x 80": "deny" },
    ],
    [
      "R8.3 by label",
      LATEST,
      VIP + cnp(`egress: [{toServices: [{k8sServiceSelector: {selector: {matchLabels: {k: v}}}}], ${PORT("8080")}}]`),
      { "a/p > a/web 80": "allow", "a/p > a/y 80": "deny" },
    ],
    [
      "R2.4.3",
      LATEST,
      cnp(`egress: [{toServices: [{k8sService: {serviceName: none}}], ${PORT("80")}}]`),
      { "a/p > a/x 80": "unsure", "a/p > ip:8.8.8.8 80": "unsure", "a/p > a/x 81": "deny" },
    ],
    [
      "R8.3 denies are not resolved",
      LATEST,
      VIP + cnp(`egress: [{toEntities: [all]}], egressDeny: [{toServices: [{k8sService: {serviceName: web}}]}]`),
      { "a/p > a/y 8080": "allow" },
    ],
    [
      "R8.3 denies are not resolved, with ports",
      LATEST,
      VIP +
        cnp(
          `egress: [{toEntities: [all]}], egressDeny: [{toServices: [{k8sService: {serviceName: web}}], ${PORT("80")}}]`,
        ),
      { "a/p > a/x 80": "unsure", "a/p > a/x 81": "allow" },
    ],
    [
      "R8.4 source kept",
      LATEST,
      NODEPORT("Local") + onY("{fromCIDR: [203.0.113.0/24]}"),
      { "ip:203.0.113.9 > host@n2 30080": "allow", "ip:203.0.113.9 > host@n1 30080": "deny" },
    ],
    [
      "R8.4 tunnel",
      LATEST,
      config('kube-proxy-replacement: "true"') + NODEPORT("Cluster") + onY("{fromEntities: [world]}"),
      { "ip:203.0.113.9 > host@n2 30080": "allow", "ip:203.0.113.9 > host@n1 30080": "allow" },
    ],
    [
      "R8.4 tunnel, by prefix",
      LATEST,
      NODEPORT("Cluster") + onY("{fromCIDR: [203.0.113.0/24]}"),
      { "ip:203.0.113.9 > host@n2 30080": "allow", "ip:203.0.113.9 > host@n1 30080": "deny" },
    ],
    [
      "R8.4 native routing",
      LATEST,
      config('kube-proxy-replacement: "true", routing-mode: native') +
        NODEPORT("Cluster") +
        onY("{fromEntities: [remote-node]}"),
      { "ip:203.0.113.9 > host@n2 30080": "deny", "ip:203.0.113.9 > host@n1 30080": "allow" },
    ],
    [
      "R8.5",
      LATEST,
      ccnp(
        'endpointSelector: {matchLabels: {"reserved:ingress": ""}}, ingress: [{fromCIDR: [203.0.113.0/24]}], egress: [{toEntities: [cluster]}]',
      ),
      {
        "ip:203.0.113.9 > ingress-controller 443": "allow",
        "ip:8.8.8.8 > ingress-controller 443": "deny",
        "ingress-controller > a/p 80": "allow",
        "ingress-controller > ip:8.8.8.8 80": "deny",
      },
    ],
    [
      "R8.6 own address",
      LATEST,
      cnp("ingress: [{}], egress: [{}], ingressDeny: [{fromEntities: [all]}]"),
      { "a/p > ip:10.0.1.5 80": "allow" },
    ],
    ["R8.6 own Service", LATEST, VIP + cnp(`${Y}ingress: [{}], egress: [{}]`), { "a/y > a/web 80": "allow" }],
    [
      "R8.6 own Service, explicit deny",
      LATEST,
      VIP + cnp(`${Y}ingress: [{}], ingressDeny: [{fromEntities: [all]}]`),
      { "a/y > a/web 80": "unsure" },
    ],
    [
      "R8.1 a pod dials a node port",
      LATEST,
      NODEPORT("Cluster") + cnp("egress: [{toEndpoints: [{}]}]"),
      { "a/p > host@n2 30080": "unsure" },
    ],
    [
      "R8.1 a pod dials a node port, kube-proxy replaced",
      LATEST,
      config('kube-proxy-replacement: "true"') + NODEPORT("Cluster") + cnp("egress: [{toEndpoints: [{}]}]"),
      { "a/p > host@n2 30080": "allow" },
    ],
    [
      "local redirect",
      LATEST,
      VIP +
        "---\n{apiVersion: cilium.io/v2, kind: CiliumLocalRedirectPolicy, metadata: {name: r, namespace: a}, spec: {redirectFrontend: {serviceMatcher: {serviceName: web, namespace: a}}}}\n",
      { "a/p > a/web 80": "unsure", "a/p > a/y 8080": "allow" },
    ],
  ]);
});

describe("cilium: hosts", () => {
  const ON = config('enable-host-firewall: "true"');
  run([
    [
      "R9.1 by rules only",
      LATEST,
      config("allow-localhost: policy") + cnp("ingress: [{}]"),
      { "host@n1 > a/p 80": "deny" },
    ],
    ["R9.1 egress is not exempt", LATEST, cnp("egress: [{}]"), { "a/p > host 80": "deny" }],
    ["R9.5 off", LATEST, ccnp("nodeSelector: {}, ingress: [{}]"), { "a/x > host@n1 22": "allow" }],
    [
      "R9.5",
      LATEST,
      ON + ccnp(`nodeSelector: {matchLabels: {zone: one}}, ingress: [{fromEntities: [cluster], ${PORT("22")}}]`),
      {
        "a/x > host@n1 22": "allow",
        "a/x > host@n1 23": "deny",
        "ip:8.8.8.8 > host@n1 22": "deny",
        "ip:8.8.8.8 > host@n2 22": "allow",
        "a/x > a/hn1 22": "allow",
        "host@n2 > host@n1 22": "allow",
        "host@n2 > host@n1 23": "deny",
        "host@n1 > host@n1 23": "allow",
      },
    ],
    [
      "R9.5 egress of the host",
      LATEST,
      ON + ccnp("nodeSelector: {}, egress: [{toEndpoints: [{}]}]"),
      { "host@n1 > a/p 80": "allow", "host@n1 > host@n2 80": "deny", "a/hn1 > ip:8.8.8.8 80": "deny" },
    ],
    ["R9.6", LATEST, ON + ccnp("endpointSelector: {}, ingress: [{}]"), { "a/x > host@n1 80": "allow" }],
    [
      "R9.7",
      LATEST,
      cnp("endpointSelector: {matchLabels: {app: x}}, egress: [{}]"),
      { "a/hn1 > a/y 80": "allow", "a/x > a/y 80": "deny" },
    ],
    [
      "always, without host firewall",
      LATEST,
      config("enable-policy: always"),
      { "host@n1 > host@n2 80": "allow", "ip:8.8.8.8 > host@n1 80": "allow" },
    ],
  ]);
});

describe("cilium: NetworkPolicy", () => {
  const NEGATIVE = np(
    "policyTypes: [Egress], egress: [{to: [{namespaceSelector: {matchExpressions: [{key: kubernetes.io/metadata.name, operator: NotIn, values: [b]}]}}]}]",
  );
  run([
    [
      "EX-62 before 1.19",
      "cilium@1.18",
      NEGATIVE,
      { "a/p > a/x 80": "allow", "a/p > b/x 80": "deny", "a/p > ip:8.8.8.8 80": "allow", "a/p > host@n2 80": "allow" },
    ],
    ["K3 U21", LATEST, NEGATIVE, { "a/p > ip:8.8.8.8 80": "deny", "a/p > host@n2 80": "unsure" }],
    [
      "K2",
      LATEST,
      np("policyTypes: [Egress], ingress: [{from: [{podSelector: {}}]}]"),
      { "a/x > a/p 80": "allow", "b/x > a/p 80": "deny", "a/p > a/x 80": "deny" },
    ],
    [
      "K3 everywhere",
      LATEST,
      np("ingress: [{from: [{namespaceSelector: {}}]}]"),
      { "b/x > a/p 80": "allow", "a/hn2 > a/p 80": "deny", "ip:8.8.8.8 > a/p 80": "deny" },
    ],
    [
      "K7 a name to an address",
      LATEST,
      np("policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 203.0.113.0/24}}], ports: [{port: web}]}]"),
      { "a/p > ip:203.0.113.9 8080": "allow" },
    ],
    [
      "K8",
      LATEST,
      np("ingress: [{from: [{podSelector: {matchLabels: {pod-template-hash: h}}}]}]"),
      { "a/d > a/p 80": "deny" },
    ],
    [
      "R4.7.1 binds NetworkPolicies",
      "cilium@1.18",
      np("ingress: [{from: [{podSelector: {}}]}]") + cnp("ingress: [{fromRequires: [{matchLabels: {app: x}}]}]"),
      { "a/x > a/p 80": "allow", "a/y > a/p 80": "deny" },
    ],
    [
      "10.2",
      LATEST,
      np("ingress: [{from: [{podSelector: {}}]}]") + cnp("ingressDeny: [{fromEndpoints: [{matchLabels: {app: x}}]}]"),
      { "a/x > a/p 80": "deny", "a/y > a/p 80": "allow" },
    ],
  ]);
});

describe("deciders", () => {
  const name = (item: { kind: string; name: string; section: string; index: number }) =>
    `${item.kind}/${item.name}#${item.section}[${item.index}]`;
  test("all matching allows", () => {
    const reference = referenceOf(
      LATEST,
      cnp("ingress: [{fromEntities: [world]}, {fromEndpoints: [{}]}, {fromEntities: [all]}]"),
    );
    const answer = reference.ask(flowOf("a/x > a/p 80"));
    expect(answer.ingress.reason).toBe("rule");
    expect(answer.ingress.deciders.map(name)).toEqual([
      "CiliumNetworkPolicy/rule#ingress[1]",
      "CiliumNetworkPolicy/rule#ingress[2]",
    ]);
    expect(answer.egress).toEqual({ verdict: "allow", reason: "no-policy", deciders: [] });
  });
  test("every policy that isolates", () => {
    const reference = referenceOf(
      LATEST,
      cnp("ingress: [{}]") + np("policyTypes: [Ingress]") + ccnp("ingress: [{fromEntities: [world]}]"),
    );
    const answer = reference.ask(flowOf("a/x > a/p 80"));
    expect(answer.ingress.reason).toBe("default-deny");
    expect(answer.ingress.deciders.map(name)).toEqual([
      "CiliumNetworkPolicy/rule#ingress[-1]",
      "NetworkPolicy/np#ingress[-1]",
      "CiliumClusterwideNetworkPolicy/wide#ingress[-1]",
    ]);
  });
  test("a mark for limited connections", () => {
    const reference = referenceOf(
      LATEST,
      cnp(`ingress: [{fromEndpoints: [{}], ${HTTP("{method: GET}")}}, {fromEntities: [world], ${HTTP("{}")}}]`),
    );
    expect(reference.ask(flowOf("a/x > a/p 80")).httpLimited).toBe(true);
    expect(reference.ask(flowOf("ip:8.8.8.8 > a/p 80")).httpLimited).toBeUndefined();
    expect(reference.ask(flowOf("host@n1 > a/p 80")).httpLimited).toBeUndefined();
  });
  test("reasons of an unsure answer", () => {
    const reference = referenceOf(LATEST, cnp("ingress: [{fromEndpoints: [{}], authentication: {mode: required}}]"));
    expect(reference.ask(flowOf("a/x > a/p 80")).because).toEqual([{ code: "authentication", detail: "required" }]);
  });
  test("refused objects mean no answer without asCluster", () => {
    const reference = referenceOf(LATEST, cnp("ingress: []"), { asCluster: false });
    expect(reference.refused).toEqual(["CiliumNetworkPolicy/a/rule"]);
    expect(() => reference.ask(flowOf("a/x > a/p 80"))).toThrow("refused");
  });
});
