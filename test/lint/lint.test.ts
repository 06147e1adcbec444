/** Each finding with input that has it and input that does not. */
import { describe, expect, test } from "vitest";
import { cnp, codesOf, lintOf, netpol, workload } from "./codes.ts";

const WEB = workload("web", "app: web");
const API = workload("api", "app: api", "{containerPort: 8080, name: http}");
const OTHER = workload("pay/till", "app: till");
const DNS = workload("kube-system/coredns", "k8s-app: kube-dns", "{containerPort: 53, protocol: UDP, name: dns}");
const WORLD = WEB + API + OTHER + DNS;

const API_SUBJECT = "endpointSelector: {matchLabels: {app: api}}";
const WEB_SUBJECT = "endpointSelector: {matchLabels: {app: web}}";
const FROM_WEB = "fromEndpoints: [{matchLabels: {app: web}}]";
const ON_8080 = 'toPorts: [{ports: [{port: "8080"}]}]';
const ASK_DNS = `{toEndpoints: [{matchLabels: {"k8s:io.kubernetes.pod.namespace": kube-system, k8s-app: kube-dns}}], toPorts: [{ports: [{port: "53", protocol: ANY}], rules: {dns: [{matchPattern: "*"}]}}]}`;
const PLAIN_DNS = ASK_DNS.replace(', rules: {dns: [{matchPattern: "*"}]}', "");

interface Case {
  readonly code: string;
  /** What the finding is about, for the title. */
  readonly title: string;
  readonly dialect?: string;
  readonly world?: string;
  readonly found: string;
  readonly not: string;
}

const HTTP = (rules: string): string =>
  cnp(
    `${API_SUBJECT}, ingress: [{${FROM_WEB}, toPorts: [{ports: [{port: "8080", protocol: TCP}], rules: {http: [${rules}]}}]}]`,
  );
const CONFIG = (data: string): string =>
  `---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: cilium-config, namespace: kube-system}\ndata: {${data}}\n`;
const NODES = (count: number): string =>
  Array.from({ length: count }, (_, i) => workload(`n${i}`, `app: n${i}`)).join("");

const CASES: readonly Case[] = [
  {
    code: "BH140",
    title: "a peer that selects nothing",
    found: cnp(`${API_SUBJECT}, ingress: [{fromEndpoints: [{matchLabels: {app: wep}}]}]`),
    not: cnp(`${API_SUBJECT}, ingress: [{${FROM_WEB}}]`),
  },
  {
    code: "BH141",
    title: "[L17] a peer without a namespace that is meant for another",
    found: cnp(`${API_SUBJECT}, ingress: [{fromEndpoints: [{matchLabels: {app: till}}]}]`),
    not: cnp(
      `${API_SUBJECT}, ingress: [{fromEndpoints: [{matchLabels: {app: till, "k8s:io.kubernetes.pod.namespace": pay}}]}]`,
    ),
  },
  {
    code: "BH141",
    title: "the same of a NetworkPolicy",
    dialect: "kubernetes",
    found: netpol(
      "podSelector: {matchLabels: {app: api}}, ingress: [{from: [{podSelector: {matchLabels: {app: till}}}]}]",
    ),
    not: netpol(
      "podSelector: {matchLabels: {app: api}}, ingress: [{from: [{namespaceSelector: {}, podSelector: {matchLabels: {app: till}}}]}]",
    ),
  },
  {
    code: "BH142",
    title: "a port on which no selected container listens",
    found: cnp(`${API_SUBJECT}, ingress: [{${FROM_WEB}, toPorts: [{ports: [{port: "9090"}]}]}]`),
    not: cnp(`${API_SUBJECT}, ingress: [{${FROM_WEB}, ${ON_8080}}]`),
  },
  {
    code: "BH142",
    title: "the same at egress",
    found: cnp(
      `${WEB_SUBJECT}, egress: [{toEndpoints: [{matchLabels: {app: api}}], toPorts: [{ports: [{port: "9090"}]}]}]`,
    ),
    not: cnp(`${WEB_SUBJECT}, egress: [{toEndpoints: [{matchLabels: {app: api}}], ${ON_8080}}]`),
  },
  {
    code: "BH143",
    title: "[L13] the port of the Service instead of the target port",
    world: `${WORLD}---\napiVersion: v1\nkind: Service\nmetadata: {name: api, namespace: shop}\nspec: {selector: {app: api}, ports: [{port: 80, targetPort: http}]}\n`,
    found: cnp(`${API_SUBJECT}, ingress: [{${FROM_WEB}, toPorts: [{ports: [{port: "80"}]}]}]`),
    not: cnp(`${API_SUBJECT}, ingress: [{${FROM_WEB}, ${ON_8080}}]`),
  },
  {
    code: "BH144",
    title: "a port name that no selected pod has",
    found: cnp(`${API_SUBJECT}, ingress: [{${FROM_WEB}, toPorts: [{ports: [{port: grpc}]}]}]`),
    not: cnp(`${API_SUBJECT}, ingress: [{${FROM_WEB}, toPorts: [{ports: [{port: http}]}]}]`),
  },
  {
    code: "BH144",
    title: "[L14] a port name with several numbers at egress",
    world: WORLD + workload("api2", "app: api2", "{containerPort: 9999, name: http}"),
    found: cnp(
      `${WEB_SUBJECT}, egress: [{toEndpoints: [{matchLabels: {app: api}}], toPorts: [{ports: [{port: http}]}]}]`,
    ),
    not: cnp(`${WEB_SUBJECT}, egress: [{toEndpoints: [{matchLabels: {app: api}}], ${ON_8080}}]`),
  },
  {
    code: "BH145",
    title: "a rule that another covers",
    found: cnp(`${API_SUBJECT}, ingress: [{fromEndpoints: [{}]}, {${FROM_WEB}, ${ON_8080}}]`),
    not: cnp(`${API_SUBJECT}, ingress: [{${FROM_WEB}, ${ON_8080}}, {fromEndpoints: [{matchLabels: {app: api}}]}]`),
  },
  {
    code: "BH145",
    title: "the same across two NetworkPolicies",
    dialect: "kubernetes",
    found:
      netpol("podSelector: {}, ingress: [{from: [{podSelector: {}}]}]", "all") +
      netpol(
        "podSelector: {matchLabels: {app: api}}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}]}]",
        "one",
      ),
    not:
      netpol("podSelector: {}, ingress: [{from: [{podSelector: {}}]}]", "all") +
      netpol("podSelector: {matchLabels: {app: api}}, ingress: [{from: [{namespaceSelector: {}}]}]", "one"),
  },
  {
    code: "BH146",
    title: "an allow that a deny takes back",
    found: cnp(`${API_SUBJECT}, ingress: [{${FROM_WEB}, ${ON_8080}}], ingressDeny: [{fromEntities: [cluster]}]`),
    not: cnp(
      `${API_SUBJECT}, ingress: [{${FROM_WEB}, ${ON_8080}}], ingressDeny: [{${FROM_WEB}, toPorts: [{ports: [{port: "9"}]}]}]`,
    ),
  },
  {
    code: "BH147",
    title: "[L10] HTTP rules that a plain rule lifts",
    found: cnp(
      `${API_SUBJECT}, ingress: [{${FROM_WEB}, toPorts: [{ports: [{port: "8080", protocol: TCP}], rules: {http: [{method: GET}]}}]}, {${FROM_WEB}, ${ON_8080}}]`,
    ),
    not: HTTP("{method: GET}"),
  },
  {
    code: "BH148",
    title: "[L2] egress closed with DNS forgotten",
    found: cnp(`${WEB_SUBJECT}, egress: [{toEndpoints: [{matchLabels: {app: api}}], ${ON_8080}}]`),
    not: cnp(`${WEB_SUBJECT}, egress: [{toEndpoints: [{matchLabels: {app: api}}], ${ON_8080}}, ${PLAIN_DNS}]`),
  },
  {
    code: "BH148",
    title: "names alone block DNS itself",
    found: cnp(
      `${WEB_SUBJECT}, egress: [{toFQDNs: [{matchName: api.example.com}], toPorts: [{ports: [{port: "443"}]}]}]`,
    ),
    not: cnp(
      `${WEB_SUBJECT}, egress: [{toFQDNs: [{matchName: api.example.com}], toPorts: [{ports: [{port: "443"}]}]}, ${ASK_DNS}]`,
    ),
  },
  {
    code: "BH149",
    title: "[L1] toFQDNs without a DNS rule",
    found: cnp(`${WEB_SUBJECT}, egress: [{toFQDNs: [{matchName: api.example.com}]}, ${PLAIN_DNS}]`),
    not: cnp(`${WEB_SUBJECT}, egress: [{toFQDNs: [{matchName: api.example.com}]}, ${ASK_DNS}]`),
  },
  {
    code: "BH177",
    title: "[L24] look-ups by the search list are refused",
    found: cnp(
      `${WEB_SUBJECT}, egress: [{toFQDNs: [{matchName: api.example.com}]}, ${ASK_DNS.replace("*", "*.example.com")}]`,
    ),
    not: cnp(`${WEB_SUBJECT}, egress: [{toFQDNs: [{matchName: api.example.com}]}, ${ASK_DNS}]`),
  },
  {
    code: "BH150",
    title: "[L5] the empty entry that denies everything",
    found: cnp(`${API_SUBJECT}, ingress: [{}]`),
    not: cnp(`${API_SUBJECT}, ingress: [{fromEntities: [all]}]`),
  },
  {
    code: "BH151",
    title: "[L6] the empty list that says nothing",
    found: cnp(`${API_SUBJECT}, ingress: [], egress: [{toEntities: [all]}]`),
    not: cnp(`${API_SUBJECT}, egress: [{toEntities: [all]}]`),
  },
  {
    code: "BH152",
    title: "[L8] the empty list of peers",
    found: cnp(`${API_SUBJECT}, ingress: [{fromEndpoints: []}, {${FROM_WEB}}]`),
    not: cnp(`${API_SUBJECT}, ingress: [{${FROM_WEB}}]`),
  },
  {
    code: "BH153",
    title: "[L7] ports without peers",
    found: cnp(`${API_SUBJECT}, ingress: [{${ON_8080}}]`),
    not: cnp(`${API_SUBJECT}, ingress: [{${FROM_WEB}, ${ON_8080}}]`),
  },
  {
    code: "BH154",
    title: "[L9] denies that close the direction",
    found: cnp(`${API_SUBJECT}, ingressDeny: [{fromEntities: [world]}]`),
    not: cnp(`${API_SUBJECT}, enableDefaultDeny: {ingress: false}, ingressDeny: [{fromEntities: [world]}]`),
  },
  {
    code: "BH155",
    title: "[L3] a CIDR that covers pods",
    world: `${WORLD}---\napiVersion: v1\nkind: Node\nmetadata: {name: n1}\nspec: {podCIDR: 10.1.0.0/24}\nstatus: {addresses: [{type: InternalIP, address: 192.168.0.10}]}\n`,
    found: cnp(`${WEB_SUBJECT}, egress: [{toCIDR: [192.168.0.0/16]}]`),
    not: cnp(`${WEB_SUBJECT}, egress: [{toCIDR: [203.0.113.0/24]}]`),
  },
  {
    code: "BH156",
    title: "[L4] world that does not include the cluster",
    found: cnp(`${WEB_SUBJECT}, egress: [{toEntities: [world]}]`),
    not: cnp(`${WEB_SUBJECT}, egress: [{toEntities: [world, cluster]}]`),
  },
  {
    code: "BH156",
    title: "0.0.0.0/0 likewise",
    found: cnp(`${WEB_SUBJECT}, egress: [{toCIDR: [0.0.0.0/0]}]`),
    not: cnp(`${WEB_SUBJECT}, egress: [{toCIDR: [0.0.0.0/0]}, {toEntities: [cluster]}]`),
  },
  {
    code: "BH157",
    title: "[L11] a path matched as a whole",
    found: HTTP("{path: /public}"),
    not: HTTP('{path: "/public.*"}'),
  },
  {
    code: "BH158",
    title: "[L12] a header without a space",
    found: HTTP('{headers: ["X-Role:ops"]}'),
    not: HTTP('{headers: ["X-Role: ops"]}'),
  },
  { code: "BH159", title: "[L37] a lower-case method", found: HTTP("{method: get}"), not: HTTP("{method: GET}") },
  {
    code: "BH159",
    title: "a host whose dots match anything",
    found: HTTP("{host: api.example.com}"),
    not: HTTP('{host: "api\\\\.example\\\\.com"}'),
  },
  {
    code: "BH160",
    title: "[L29] an Ingress whose way a policy closes",
    world: `${WORLD}---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop}
spec: {selector: {app: api}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop, namespace: shop}
spec: {ingressClassName: cilium, rules: [{host: a.example.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: api, port: {number: 80}}}}]}}]}
`,
    found: cnp(`${API_SUBJECT}, ingress: [{${FROM_WEB}, ${ON_8080}}]`),
    not: cnp(`${API_SUBJECT}, ingress: [{${FROM_WEB}, ${ON_8080}}, {fromEntities: [ingress], ${ON_8080}}]`),
  },
  {
    code: "BH161",
    title: "a load balancer whose way a policy closes",
    world: `${WORLD}---\napiVersion: v1\nkind: Service\nmetadata: {name: api, namespace: shop}\nspec: {type: LoadBalancer, externalTrafficPolicy: Local, selector: {app: api}, ports: [{port: 80, targetPort: 8080}]}\n`,
    found: cnp(`${API_SUBJECT}, ingress: [{${FROM_WEB}, ${ON_8080}}]`),
    not: cnp(`${API_SUBJECT}, ingress: [{fromEntities: [world, remote-node, host], ${ON_8080}}]`),
  },
  {
    code: "BH162",
    title: "a probe of the kubelet that a policy closes",
    world:
      workload("web", "app: web") +
      workload(
        "api",
        "app: api",
        "{containerPort: 8080}",
        "container:livenessProbe: {httpGet: {path: /, port: 8080}}",
      ) +
      CONFIG("allow-localhost: policy"),
    found: cnp(`${API_SUBJECT}, ingress: [{${FROM_WEB}, ${ON_8080}}]`),
    not: cnp(`${API_SUBJECT}, ingress: [{${FROM_WEB}, ${ON_8080}}, {fromEntities: [host], ${ON_8080}}]`),
  },
  {
    code: "BH163",
    title: "[L16] host-network pods that a policy seems to select",
    world: WORLD + workload("agent", "app: agent", "", "hostNetwork: true"),
    found: cnp("endpointSelector: {matchLabels: {app: agent}}, ingress: [{fromEndpoints: [{}]}]"),
    not: cnp(`${API_SUBJECT}, ingress: [{fromEndpoints: [{}]}]`),
  },
  {
    code: "BH164",
    title: "a namespace without default deny",
    world: WEB + API,
    found: cnp(`${API_SUBJECT}, ingress: [{${FROM_WEB}}]`),
    not: cnp("endpointSelector: {}, ingress: [{}]"),
  },
  {
    code: "BH165",
    title: "an application without a policy",
    world: WEB + API,
    found: cnp(`${API_SUBJECT}, ingress: [{${FROM_WEB}}]`),
    not: cnp("endpointSelector: {}, ingress: [{fromEndpoints: [{}]}]"),
  },
  {
    code: "BH166",
    title: "an allow that the other end does not share",
    found:
      cnp(`${WEB_SUBJECT}, egress: [{toEndpoints: [{matchLabels: {app: api}}]}, ${PLAIN_DNS}]`, "web") +
      cnp(`${API_SUBJECT}, ingress: [{fromEndpoints: [{matchLabels: {app: api}}]}]`, "api"),
    not:
      cnp(`${WEB_SUBJECT}, egress: [{toEndpoints: [{matchLabels: {app: api}}]}, ${PLAIN_DNS}]`, "web") +
      cnp(`${API_SUBJECT}, ingress: [{${FROM_WEB}}]`, "api"),
  },
  {
    code: "BH166",
    title: "an allow of all pods that no other end shares; everybody is no half of anything",
    found:
      cnp(`${WEB_SUBJECT}, egress: [{toEndpoints: [{}]}]`, "web") +
      cnp(`${API_SUBJECT}, ingress: [{fromEndpoints: [{matchLabels: {app: api}}]}]`, "api"),
    not:
      netpol(
        "podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress, Egress], ingress: [{}], egress: [{}]",
        "web",
      ) + cnp(`${API_SUBJECT}, ingress: [{fromEndpoints: [{matchLabels: {app: api}}]}]`, "api"),
  },
  {
    code: "BH167",
    title: "[L27] requirements that the next release refuses",
    dialect: "cilium@1.18",
    found: cnp(`${API_SUBJECT}, ingress: [{${FROM_WEB}, fromRequires: [{matchLabels: {env: prod}}]}]`),
    not: cnp(`${API_SUBJECT}, ingress: [{${FROM_WEB}}]`),
  },
  {
    code: "BH167",
    title: "[L28] Kafka rules",
    dialect: "cilium@1.18",
    found: cnp(
      `${API_SUBJECT}, ingress: [{${FROM_WEB}, toPorts: [{ports: [{port: "8080", protocol: TCP}], rules: {kafka: [{topic: t}]}}]}]`,
    ),
    not: HTTP("{method: GET}"),
  },
  {
    code: "BH168",
    title: "[L20] a policy map close to its limit",
    world: WORLD + NODES(40) + CONFIG('bpf-policy-map-max: "256"'),
    found: cnp(
      `${API_SUBJECT}, ingress: [{fromEntities: [cluster], toPorts: [{ports: [{port: "8080"}, {port: "8081"}, {port: "8082"}, {port: "8083"}]}]}]`,
    ),
    not: cnp(
      `${API_SUBJECT}, ingress: [{fromEntities: [cluster], toPorts: [{ports: [{port: "8080", protocol: TCP}]}]}]`,
    ),
  },
  {
    code: "BH169",
    title: "[L21] a range that is not aligned",
    found: cnp(`${API_SUBJECT}, ingress: [{${FROM_WEB}, toPorts: [{ports: [{port: "1025", endPort: 65534}]}]}]`),
    not: cnp(`${API_SUBJECT}, ingress: [{${FROM_WEB}, toPorts: [{ports: [{port: "1024", endPort: 65535}]}]}]`),
  },
  {
    code: "BH170",
    title: "[L22] rules that cannot be merged",
    dialect: "cilium@1.18",
    found:
      HTTP("{method: GET}") +
      cnp(
        `${API_SUBJECT}, ingress: [{${FROM_WEB}, toPorts: [{ports: [{port: "8080", protocol: TCP}], rules: {kafka: [{topic: t}]}}]}]`,
        "kafka",
      ),
    not: HTTP("{method: GET}"),
  },
  {
    code: "BH171",
    title: "[L23] a node policy without host firewall",
    found: `---\napiVersion: cilium.io/v2\nkind: CiliumClusterwideNetworkPolicy\nmetadata: {name: nodes}\nspec: {nodeSelector: {}, ingress: [{fromEntities: [cluster]}]}\n`,
    not: `${CONFIG('enable-host-firewall: "true"')}---\napiVersion: cilium.io/v2\nkind: CiliumClusterwideNetworkPolicy\nmetadata: {name: nodes}\nspec: {nodeSelector: {}, ingress: [{fromEntities: [cluster]}]}\n`,
  },
  {
    code: "BH172",
    title: "[L24] a DNS rule on the port of the Service",
    world: `${WEB}${API}${workload("kube-system/coredns", "k8s-app: kube-dns", "{containerPort: 5353, protocol: UDP}")}---
apiVersion: v1
kind: Service
metadata: {name: kube-dns, namespace: kube-system}
spec: {selector: {k8s-app: kube-dns}, ports: [{port: 53, targetPort: 5353, protocol: UDP}]}
`,
    found: cnp(`${WEB_SUBJECT}, egress: [${ASK_DNS}]`),
    not: cnp(`${WEB_SUBJECT}, egress: [${ASK_DNS.replace('"53"', '"5353"')}]`),
  },
  {
    code: "BH173",
    title: "[L26] ping denied where ports are allowed",
    found: cnp(`${API_SUBJECT}, ingress: [{${FROM_WEB}, ${ON_8080}}]`),
    not: cnp(`${API_SUBJECT}, ingress: [{${FROM_WEB}, ${ON_8080}}, {${FROM_WEB}, icmps: [{fields: [{type: 8}]}]}]`),
  },
  {
    code: "BH174",
    title: "[L30] peers that mean the local cluster alone",
    world: WORLD + CONFIG('cluster-id: "3", cluster-name: west'),
    found: cnp(`${API_SUBJECT}, ingress: [{${FROM_WEB}}]`),
    not: cnp(
      `${API_SUBJECT}, ingress: [{fromEndpoints: [{matchLabels: {app: web, "k8s:io.cilium.k8s.policy.cluster": west}}]}]`,
    ),
  },
  {
    code: "BH175",
    title: "[L32] DNS names that mean every name",
    found: cnp(`${WEB_SUBJECT}, egress: [{toFQDNs: [{matchPattern: "*"}]}, ${ASK_DNS}]`),
    not: cnp(`${WEB_SUBJECT}, egress: [{toFQDNs: [{matchPattern: "*.example.com"}]}, ${ASK_DNS}]`),
  },
  {
    code: "BH176",
    title: "[L34] ICMP type 0 that means every type",
    found: cnp(`${API_SUBJECT}, ingress: [{${FROM_WEB}, icmps: [{fields: [{type: 0}]}]}]`),
    not: cnp(`${API_SUBJECT}, ingress: [{${FROM_WEB}, icmps: [{fields: [{type: 8}]}]}]`),
  },
  {
    code: "BH101",
    title: "[L31] rules of a direction that policyTypes leaves out",
    dialect: "kubernetes",
    found: netpol("podSelector: {}, policyTypes: [Ingress], egress: [{to: [{podSelector: {}}]}]"),
    not: netpol("podSelector: {}, policyTypes: [Egress], egress: [{to: [{podSelector: {}}]}]"),
  },
  {
    code: "BH128",
    title: "[L15] a label that is not relevant for security",
    found: cnp(`${API_SUBJECT}, ingress: [{fromEndpoints: [{matchLabels: {pod-template-hash: abc}}]}]`),
    not: cnp(`${API_SUBJECT}, ingress: [{${FROM_WEB}}]`),
  },
  {
    code: "BH121",
    title: "[L18] toServices that matches no Service",
    found: cnp(`${WEB_SUBJECT}, egress: [{toServices: [{k8sService: {serviceName: nope, namespace: shop}}]}]`),
    not: cnp(`${WEB_SUBJECT}, egress: [{toEndpoints: [{}]}]`),
  },
  {
    code: "BH122",
    title: "[L35] toServices in a deny entry",
    found: cnp(`${WEB_SUBJECT}, egressDeny: [{toServices: [{k8sService: {serviceName: api, namespace: shop}}]}]`),
    not: cnp(`${WEB_SUBJECT}, egressDeny: [{toEndpoints: [{matchLabels: {app: api}}]}]`),
  },
  {
    code: "BH102",
    title: "[L33] a namespace selector whose terms are all negative",
    dialect: "kubernetes",
    found: netpol(
      "podSelector: {}, ingress: [{from: [{namespaceSelector: {matchExpressions: [{key: team, operator: NotIn, values: [red]}]}}]}]",
    ),
    not: netpol(
      "podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: pay}}}]}]",
    ),
  },
];

describe("lint", () => {
  test.each(CASES.map((one) => [`${one.code} ${one.title}`, one] as const))("%s", (_title, one) => {
    const dialect = one.dialect ?? "cilium";
    const world = one.world ?? WORLD;
    expect(codesOf(dialect, [world, one.found])).toContain(one.code);
    expect(codesOf(dialect, [world, one.not])).not.toContain(one.code);
  });

  test.each([
    [
      "[L19] more than 40 ports",
      cnp(
        `${API_SUBJECT}, ingress: [{toPorts: [{ports: [${Array.from({ length: 41 }, (_, i) => `{port: "${i + 1}"}`).join(", ")}]}]}]`,
      ),
    ],
    ["[L19] ICMP beside ports", cnp(`${API_SUBJECT}, ingress: [{icmps: [{fields: [{type: 8}]}], ${ON_8080}}]`)],
    [
      "[L25] HTTP rules without TCP",
      cnp(`${API_SUBJECT}, ingress: [{toPorts: [{ports: [{port: "8080", protocol: UDP}], rules: {http: [{}]}}]}]`),
    ],
    [
      "[L36] an empty list of HTTP rules on UDP",
      cnp(`${API_SUBJECT}, ingress: [{toPorts: [{ports: [{port: "8080", protocol: UDP}], rules: {http: []}}]}]`),
    ],
  ])("what the agent refuses is an error: %s", (_title, policy) => {
    const { findings } = lintOf("cilium", [WORLD, policy], { asCluster: true });
    expect(findings.filter((one) => one.severity === "error").map((one) => one.code)).not.toEqual([]);
  });

  test("rules that cover each other are not both named: what is named can be removed together", () => {
    const twice = cnp(`${API_SUBJECT}, ingress: [{${FROM_WEB}, ${ON_8080}}, {${FROM_WEB}, ${ON_8080}}]`);
    const found = lintOf("cilium", [WORLD, twice]).findings.filter((one) => one.code === "BH145");
    expect(found.map((one) => one.message)).toEqual([
      "CiliumNetworkPolicy shop/p, ingress[1] allows nothing that others do not allow: CiliumNetworkPolicy shop/p, ingress[0]",
    ]);
  });

  test("every finding has a place, and findings are in the order of their places", () => {
    const { findings } = lintOf("cilium", [
      WORLD,
      cnp(`${API_SUBJECT}, ingress: [{}, {fromEndpoints: [{matchLabels: {app: wep}}]}]`),
    ]);
    expect(findings.every((one) => one.file !== undefined && one.line !== undefined)).toBe(true);
    const keys = findings.map((one) => `${one.file} ${String(one.line).padStart(6, "0")}`);
    expect(keys).toEqual([...keys].sort());
  });
});

describe("suppression", () => {
  const policy = (note: string): string =>
    cnp(`${API_SUBJECT}, ingress: [{${ON_8080}}]`).replace(
      "namespace: shop}",
      `namespace: shop, annotations: {bulkhead.dev/ignore: ${note}}}`,
    );

  test("an annotation sets a finding aside, and its reason is reported", () => {
    const { findings, suppressed } = lintOf("cilium", [WORLD, policy('"BH153: the public entry"')]);
    expect(findings.map((one) => one.code)).not.toContain("BH153");
    expect(suppressed.map((one) => [one.finding.code, one.reason])).toEqual([["BH153", "the public entry"]]);
  });

  test("BH180: without a reason the finding stays", () => {
    const codes = lintOf("cilium", [WORLD, policy("BH153")]).findings.map((one) => one.code);
    expect(codes).toEqual(expect.arrayContaining(["BH153", "BH180"]));
  });

  test("BH181: a suppression of what is not found is named", () => {
    const codes = lintOf("cilium", [WORLD, policy('"BH150: no longer; BH153: the public entry"')]).findings.map(
      (one) => one.code,
    );
    expect(codes).toContain("BH181");
  });

  test("an annotation holds for its own object alone", () => {
    const other = cnp(`${WEB_SUBJECT}, ingress: [{${ON_8080}}]`, "q");
    const codes = lintOf("cilium", [WORLD + policy('"BH153: the public entry"') + other]).findings.map(
      (one) => one.code,
    );
    expect(codes).toContain("BH153");
  });
});
