import { describe, expect, test } from "vitest";
import type { Dialect } from "../../reference/index.ts";
import { ccnp, cnp, config, np, referenceOf } from "./rows.ts";

const PORT = 'ports: [{port: "80", protocol: TCP}]';
const ports = (text: string) => `ingress: [{toPorts: [{${text}}]}]`;
const many = (count: number, item: string) => Array.from({ length: count }, () => item).join(", ");

type Table = Readonly<Record<string, string>>;

function check(kind: string, make: (spec: string) => string, dialect: Dialect, table: Table, refused: boolean): void {
  describe(`${kind} under ${dialect}: ${refused ? "refused" : "accepted"}`, () => {
    test.each(Object.entries(table))("%s", (_rule, spec) => {
      const reference = referenceOf(dialect, make(spec), { asCluster: false });
      expect([...reference.refusals.keys()]).toHaveLength(refused ? 1 : 0);
    });
  });
}

check(
  "CiliumNetworkPolicy",
  cnp,
  "cilium@1.19",
  {
    "V1 both subjects": "endpointSelector: {}, nodeSelector: {}, ingress: [{}]",
    "V2 nothing": "egress: [], ingress: []",
    "V3 a pair": "egress: [{toCIDR: [1.0.0.0/8], toCIDRSet: [{cidr: 2.0.0.0/8}]}]",
    "V3 names": "egress: [{toFQDNs: [{matchName: a.io}], toEntities: [all]}]",
    "V3 services": "egress: [{toServices: [{k8sService: {serviceName: s}}], toEndpoints: [{}]}]",
    "V4 both": `ingress: [{icmps: [{fields: [{type: 8}]}], toPorts: [{${PORT}}]}]`,
    "V5 entity": "ingress: [{fromEntities: [planet]}]",
    "V5 entity by family (U13)": "ingress: [{fromEntities: [world-ipv4]}]",
    "V5 operator": "ingress: [{fromEndpoints: [{matchExpressions: [{key: a, operator: Equals, values: [b]}]}]}]",
    "V5 no values": "ingress: [{fromEndpoints: [{matchExpressions: [{key: a, operator: In}]}]}]",
    "V5 CIDR": "ingress: [{fromCIDR: [10.0.0.0/33]}]",
    "V5 empty CIDR": 'ingress: [{fromCIDR: [""]}]',
    "V5 bare address in a set": "ingress: [{fromCIDRSet: [{cidr: 10.0.0.1}]}]",
    "V5 two sources": "ingress: [{fromCIDRSet: [{cidr: 10.0.0.0/8, cidrGroupRef: g}]}]",
    "V5 no source": "ingress: [{fromCIDRSet: [{except: [10.0.0.0/8]}]}]",
    "V5 except of another family": 'ingress: [{fromCIDRSet: [{cidr: 10.0.0.0/8, except: ["fd00::/8"]}]}]',
    "V6 ports": ports(`ports: [${many(41, '{port: "80", protocol: TCP}')}]`),
    "V6 fields": `ingress: [{icmps: [{fields: [${many(41, "{type: 8}")}]}]}]`,
    "V6 family": "ingress: [{icmps: [{fields: [{type: 8, family: IPv5}]}]}]",
    "V6 name of the other family": "ingress: [{icmps: [{fields: [{type: PacketTooBig, family: IPv4}]}]}]",
    "V6 number": 'ingress: [{icmps: [{fields: [{type: "256"}]}]}]',
    "V7 no port": ports("ports: [{protocol: TCP}]"),
    "V7 large": ports('ports: [{port: "65536", protocol: TCP}]'),
    "V7 octal": ports('ports: [{port: "09", protocol: TCP}]'),
    "V7 name": ports('ports: [{port: "a_b", protocol: TCP}]'),
    "V7 long name": ports('ports: [{port: "a-name-of-16-chr", protocol: TCP}]'),
    "V7 protocol": ports('ports: [{port: "80", protocol: GRE}]'),
    "V7 VRRP without its option": ports('ports: [{port: "0", protocol: VRRP}]'),
    "V19 lower case": ports('ports: [{port: "80", protocol: tcp}]'),
    "V19 a number for a port": ports("ports: [{port: 80, protocol: TCP}]"),
    "V8 UDP": ports('ports: [{port: "80", protocol: UDP}], rules: {http: [{}]}'),
    V9: ports('ports: [{port: "80", protocol: TCP}, {port: "0", protocol: TCP}], rules: {http: [{}]}'),
    "V10 ingress": ports('ports: [{port: "53", protocol: UDP}], rules: {dns: [{matchName: a.io}]}'),
    "V10 no ports": "egress: [{toPorts: [{rules: {dns: [{matchName: a.io}]}}]}]",
    "V10 range":
      'egress: [{toPorts: [{ports: [{port: "53", endPort: 54, protocol: UDP}], rules: {dns: [{matchName: a.io}]}}]}]',
    "V11 two kinds": ports(`${PORT}, rules: {http: [{}], kafka: []}`),
    "V11 l7 alone": ports(`${PORT}, rules: {l7: [{a: b}]}`),
    "V12 rules": ports(`${PORT}, serverNames: [a.io], rules: {http: [{}]}`),
    "V12 empty": `egress: [{toPorts: [{${PORT}, serverNames: [""]}]}]`,
    "V13 ingress": ports(`${PORT}, listener: {envoyConfig: {kind: CiliumEnvoyConfig, name: e}, name: l}`),
    "V13 rules": `egress: [{toPorts: [{${PORT}, listener: {envoyConfig: {name: e}, name: l}, rules: {http: [{}]}}]}]`,
    V15: "egress: [{toNodes: [{}]}]",
    "V16 path": ports(`${PORT}, rules: {http: [{path: "(?=a)"}]}`),
    "V16 method": ports(`${PORT}, rules: {http: [{method: "["}]}`),
    "V16 header without name": ports(`${PORT}, rules: {http: [{headerMatches: [{value: v}]}]}`),
    "V16 mismatch": ports(`${PORT}, rules: {http: [{headerMatches: [{name: n, mismatch: DROP}]}]}`),
    "V16 secret": ports(`${PORT}, rules: {http: [{headerMatches: [{name: n, secret: {namespace: s}}]}]}`),
    "V17 name": 'egress: [{toFQDNs: [{matchName: "a b"}]}]',
    "V17 length": `egress: [{toFQDNs: [{matchPattern: "${"a".repeat(256)}"}]}]`,
    "V17 in a DNS rule":
      'egress: [{toPorts: [{ports: [{port: "53", protocol: UDP}], rules: {dns: [{matchPattern: "a/b"}]}}]}]',
    V18: "ingress: [{fromEndpoints: [{}], fromRequires: [{}]}]",
    "V19 mode": "ingress: [{fromEndpoints: [{}], authentication: {mode: maybe}}]",
    "unknown field": "ingress: [{fromEndpoint: [{}]}]",
    "names in a deny": "egressDeny: [{toFQDNs: [{matchName: a.io}]}]",
    "rules in a deny": `ingressDeny: [{toPorts: [{${PORT}, rules: {http: [{}]}}]}]`,
    "a priority": "priority: 1, ingress: [{}]",
    "R1.2.3": "nodeSelector: {}, ingress: [{}]",
  },
  true,
);

check(
  "CiliumNetworkPolicy",
  cnp,
  "cilium@1.19",
  {
    "toServices with toPorts": `egress: [{toServices: [{k8sService: {serviceName: s}}], toPorts: [{${PORT}}]}]`,
    "endPort below port": ports('ports: [{port: "80", endPort: 70, protocol: TCP}]'),
    "hex is a name": ports('ports: [{port: "0x10", protocol: TCP}]'),
    "except equal to cidr": "ingress: [{fromCIDRSet: [{cidr: 10.0.0.0/8, except: [10.0.0.0/8]}]}]",
    "host bits": "ingress: [{fromCIDR: [10.1.2.3/8]}]",
    "40 ports": ports(`ports: [${many(40, '{port: "80", protocol: TCP}')}]`),
    "names with TLS termination": ports(
      `${PORT}, serverNames: [a.io], terminatingTLS: {secret: {name: s}}, rules: {http: [{}]}`,
    ),
    "DNS over ANY": 'egress: [{toPorts: [{ports: [{port: "53"}], rules: {dns: [{matchPattern: "*"}]}}]}]',
    "an item with neither name nor pattern": "egress: [{toFQDNs: [{}]}]",
    "log, description, labels":
      "log: {value: v}, description: d, labels: [{key: k, value: v, source: s}], ingress: [{}]",
    "an empty list beside another": "ingress: [{fromEndpoints: [], fromEntities: [all]}]",
    "null lists": "ingress: [{fromEndpoints: null, toPorts: null}]",
  },
  false,
);

check(
  "CiliumNetworkPolicy",
  cnp,
  "cilium@1.17",
  {
    "log since 1.18": "log: {value: v}, ingress: [{}]",
    "fromGroups since 1.18": "ingress: [{fromGroups: [{aws: {region: r}}]}]",
    "cidrGroupSelector since 1.18": "ingress: [{fromCIDRSet: [{cidrGroupSelector: {}}]}]",
  },
  true,
);

check("CiliumNetworkPolicy", cnp, "cilium@1.17", { "requires until 1.18": "ingress: [{fromRequires: [{}]}]" }, false);

check(
  "CiliumClusterwideNetworkPolicy",
  ccnp,
  "cilium@1.19",
  {
    "V14 HTTP on nodes": `nodeSelector: {}, egress: [{toPorts: [{${PORT}, rules: {http: [{}]}}]}]`,
    "V14 DNS at ingress of nodes":
      'nodeSelector: {}, ingress: [{toPorts: [{ports: [{port: "53", protocol: TCP}], rules: {dns: [{}]}}]}]',
  },
  true,
);

check(
  "CiliumClusterwideNetworkPolicy",
  ccnp,
  "cilium@1.19",
  {
    "rules for nodes": "nodeSelector: {}, ingress: [{}]",
    "V14 DNS at egress of nodes":
      'nodeSelector: {}, egress: [{toPorts: [{ports: [{port: "53", protocol: UDP}], rules: {dns: [{matchPattern: "*"}]}}]}]',
  },
  false,
);

check(
  "options",
  (spec) => config(spec.split("|")[0] ?? "") + cnp(spec.split("|")[1] ?? ""),
  "cilium@1.19",
  {
    V14: `enable-l7-proxy: "false"|${ports(`${PORT}, rules: {http: [{}]}`)}`,
    V4: 'enable-icmp-rules: "false"|ingress: [{icmps: [{fields: [{type: 8}]}]}]',
    V7: `enable-extended-ip-protocols: "true"|${ports('ports: [{port: "5", protocol: VRRP}]')}`,
  },
  true,
);

check(
  "NetworkPolicy",
  np,
  "kubernetes",
  {
    "K8-49": "ingress: [{ports: [{port: My_Port}]}]",
    "K8-50 hyphens": "ingress: [{ports: [{port: a--b}]}]",
    "K8-57": "ingress: [{from: [{ipBlock: {}}]}]",
    "K8-65": "ingress: [{from: [{podSelector: {matchExpressions: [{key: a, operator: exists}]}}]}]",
    "K8-66 key": 'ingress: [{from: [{podSelector: {matchLabels: {"a/b/c": d}}}]}]',
    "K8-66 value": 'ingress: [{from: [{podSelector: {matchLabels: {a: "b c"}}}]}]',
    "K8-68": "ingres: []",
    "K8-68 in a rule": "ingress: [{to: []}]",
    "a mapping for a list": "ingress: {}",
  },
  true,
);

check(
  "NetworkPolicy",
  np,
  "kubernetes",
  {
    "K8-60 host bits": "ingress: [{from: [{ipBlock: {cidr: 10.0.0.7/8, except: [10.1.2.3/16]}}]}]",
    "K8-60 leading zeros": "ingress: [{from: [{ipBlock: {cidr: 010.0.0.0/8}}]}]",
    "K8-69": "policyTypes: [Ingress, Ingress], ingress: [{from: [{podSelector: {}}, {podSelector: {}}]}]",
    "K8-63 values": 'ingress: [{from: [{podSelector: {matchExpressions: [{key: a, operator: In, values: [""]}]}}]}]',
  },
  false,
);

const admin = (spec: string) =>
  `---\n{apiVersion: policy.networking.k8s.io/v1alpha2, kind: ClusterNetworkPolicy, metadata: {name: c}, spec: {${
    spec.includes("tier:") ? "" : "tier: Admin, "
  }${spec.includes("priority:") ? "" : "priority: 1, "}${spec.includes("subject:") ? "" : "subject: {namespaces: {}}, "}${spec}}}\n`;
const egress = (rule: string) => `egress: [{action: Accept, to: [{namespaces: {}}], ${rule}}]`;
const to = (peer: string) => `egress: [{action: Accept, to: [{${peer}}]}]`;

check(
  "ClusterNetworkPolicy",
  admin,
  "kubernetes",
  {
    priority: "priority: 1001",
    tier: "tier: NetworkPolicy",
    "from empty": "ingress: [{action: Deny, from: []}]",
    "from missing": "ingress: [{action: Deny}]",
    "protocols empty": egress("protocols: []"),
    "CNP-16": egress("protocols: [{tcp: {}}]"),
    "CNP-13": egress("protocols: [{tcp: {destinationPort: {range: {start: 80, end: 80}}}}]"),
    "CNP-11": to("networks: [10.0.0.1]"),
    "CNP-10 star": to('domainNames: ["*"]'),
    "CNP-10 one label": to("domainNames: [localhost]"),
    "CNP-10 star and one label": to('domainNames: ["*.com"]'),
    "both subjects": "subject: {namespaces: {}, pods: {podSelector: {}}}",
    "no subject": "subject: {}",
    action: "egress: [{action: Allow, to: [{namespaces: {}}]}]",
    "CNP-03 at ingress": "ingress: [{action: Deny, from: [{networks: [10.0.0.0/8]}]}]",
    "two peers in one item": to("namespaces: {}, networks: [10.0.0.0/8]"),
    "26 rules": `egress: [${many(26, "{action: Deny, to: [{namespaces: {}}]}")}]`,
    "podSelector missing": to("pods: {namespaceSelector: {}}"),
  },
  true,
);

check(
  "ClusterNetworkPolicy",
  admin,
  "kubernetes",
  {
    nothing: "ingress: []",
    "CNP-10": to('domainNames: ["*.a.io", b.io., c.d.e]'),
    "CNP-12 … CNP-14": egress(
      "protocols: [{tcp: {destinationPort: {number: 80}}}, {udp: {destinationPort: {range: {start: 1, end: 2}}}}, {destinationNamedPort: dns}]",
    ),
    "pods without namespaceSelector": to("pods: {podSelector: {}}"),
  },
  false,
);

const whole = (text: string) => `---\n${text}\n`;

check(
  "other kinds",
  whole,
  "kubernetes",
  {
    "KX-73":
      "{apiVersion: apps/v1, kind: Deployment, metadata: {name: e, namespace: a}, spec: {selector: {matchLabels: {app: a}}, template: {metadata: {labels: {app: b}}}}}",
    "KX-86":
      "{apiVersion: v1, kind: Service, metadata: {name: s, namespace: a}, spec: {externalTrafficPolicy: Local, ports: [{port: 80}]}}",
    "SVC-16 nodePort":
      "{apiVersion: v1, kind: Service, metadata: {name: s, namespace: a}, spec: {type: NodePort, ports: [{port: 80, nodePort: 80}]}}",
    "SVC-16 ranges":
      "{apiVersion: v1, kind: Service, metadata: {name: s, namespace: a}, spec: {loadBalancerSourceRanges: [1.0.0.0/8], ports: [{port: 80}]}}",
    "SVC-16 ExternalName":
      "{apiVersion: v1, kind: Service, metadata: {name: s, namespace: a}, spec: {type: ExternalName}}",
    "SVC-16 headless":
      "{apiVersion: v1, kind: Service, metadata: {name: s, namespace: a}, spec: {type: NodePort, clusterIP: None, ports: [{port: 80}]}}",
    "KX-89 empty": "{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: i, namespace: a}, spec: {}}",
    "KX-89 host":
      "{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: i, namespace: a}, spec: {rules: [{host: 10.0.0.1}]}}",
    "K8-67":
      "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: Bad_Name, namespace: a}, spec: {}}",
    "CNP-27":
      "{apiVersion: policy.networking.k8s.io/v1alpha1, kind: BaselineAdminNetworkPolicy, metadata: {name: other}, spec: {subject: {namespaces: {}}}}",
  },
  true,
);

check(
  "other kinds",
  whole,
  "kubernetes",
  {
    "KX-86 with external addresses":
      "{apiVersion: v1, kind: Service, metadata: {name: s, namespace: a}, spec: {externalTrafficPolicy: Local, externalIPs: [198.51.100.7], ports: [{port: 80}]}}",
    "an empty NetworkPolicy":
      "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: n, namespace: a}}",
  },
  false,
);
