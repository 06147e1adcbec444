import { describe, expect, test } from "vitest";
import { Reference, type ReferenceOptions } from "../../reference/index.ts";
import { documentsOf, flowOf } from "./rows.ts";

/** The world of kubernetes.md, section 9. */
const WORLD = `
{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {team: red}}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: pay, labels: {team: blue}}}
---
{apiVersion: v1, kind: Node, metadata: {name: N1}, status: {addresses: [{type: InternalIP, address: 10.0.0.1}]}}
---
{apiVersion: v1, kind: Node, metadata: {name: N2}, status: {addresses: [{type: InternalIP, address: 10.0.0.2}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, labels: {app: web}}, spec: {nodeName: N1, containers: [{name: m, ports: [{name: http, containerPort: 8080, hostPort: 80}]}]}, status: {podIP: 10.244.1.10}}
---
{apiVersion: v1, kind: Pod, metadata: {name: db, namespace: shop, labels: {app: db}}, spec: {nodeName: N1, containers: [{name: m, ports: [{name: pg, containerPort: 5432}]}]}, status: {podIP: 10.244.1.11}}
---
{apiVersion: v1, kind: Pod, metadata: {name: cli, namespace: shop, labels: {app: cli}, deletionTimestamp: now}, spec: {nodeName: N2, containers: [{name: m}]}, status: {podIP: 10.244.2.10, phase: Running}}
---
{apiVersion: v1, kind: Pod, metadata: {name: mon, namespace: shop, labels: {app: mon}}, spec: {nodeName: N2, hostNetwork: true, containers: [{name: m}]}, status: {podIP: 10.0.0.2}}
---
{apiVersion: v1, kind: Pod, metadata: {name: x, namespace: pay, labels: {app: web}}, spec: {nodeName: N2, containers: [{name: m}]}, status: {podIP: 10.244.2.20}}
---
{apiVersion: v1, kind: Pod, metadata: {name: y, namespace: pay, labels: {app: y}}, spec: {nodeName: N2, containers: [{name: m}]}, status: {podIP: 10.244.2.21}}
---
`;

type Rows = Readonly<Record<string, "allow" | "deny" | "unsure" | "mixed">>;
type Case = readonly [rule: string, objects: string, rows: Rows, options?: Omit<ReferenceOptions, "dialect">];

function run(cases: readonly Case[]): void {
  for (const [rule, objects, rows, options] of cases)
    test(rule, () => {
      const documents = documentsOf(WORLD + objects);
      const reference = new Reference(documents, { dialect: "kubernetes", ...options });
      expect(Object.fromEntries(reference.refusals)).toEqual({});
      const actual = Object.fromEntries(Object.keys(rows).map((row) => [row, reference.ask(flowOf(row)).verdict]));
      expect(actual).toEqual(rows);
    });
}

let count = 0;
/** A NetworkPolicy in shop. */
function np(spec: string): string {
  count += 1;
  return `---\n{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: np-${count}, namespace: shop}, spec: {${spec}}}\n`;
}
const W = "podSelector: {matchLabels: {app: web}}";
const inW = (ingress: string) => np(`${W}, policyTypes: [Ingress], ingress: ${ingress}`);
const onCli = (egress: string) =>
  np(`podSelector: {matchLabels: {app: cli}}, policyTypes: [Egress], egress: ${egress}`);
const service = (name: string, spec: string) =>
  `---\n{apiVersion: v1, kind: Service, metadata: {name: ${name}, namespace: shop}, spec: {${spec}}}\n`;
/** A ClusterNetworkPolicy. */
function cluster(spec: string, tier = "Admin", priority = 10): string {
  count += 1;
  const subject = spec.includes("subject:") ? "" : "subject: {namespaces: {}}, ";
  return `---\n{apiVersion: policy.networking.k8s.io/v1alpha2, kind: ClusterNetworkPolicy, metadata: {name: c-${count}}, spec: {tier: ${tier}, priority: ${priority}, ${subject}${spec}}}\n`;
}
const BLUE = "{namespaces: {matchLabels: {team: blue}}}";
const ALL = "{namespaces: {}}";
const from = (action: string, peer: string, more = "") => `ingress: [{action: ${action}, from: [${peer}]${more}}]`;

describe("NetworkPolicy: hosts, self, life cycle", () => {
  run([
    ["KX-40", inW("[{from: [{podSelector: {matchLabels: {app: mon}}}]}]"), { "shop/mon > shop/web 8080": "deny" }],
    [
      "KX-41",
      inW("[{from: [{ipBlock: {cidr: 10.0.0.2/32}}]}]"),
      {
        "shop/mon > shop/web 8080": "allow",
        "host@N2 > shop/web 8080": "allow",
        "remote-node > shop/web 8080": "unsure",
      },
    ],
    [
      "KX-41 with declared node ranges",
      inW("[{from: [{ipBlock: {cidr: 10.0.0.0/16}}]}]"),
      { "remote-node > shop/web 8080": "allow" },
      { nodeCIDRs: ["10.0.0.0/24"] },
    ],
    [
      "KX-44",
      np(`${W}, policyTypes: [Ingress, Egress]`) +
        service("self", "selector: {app: web}, clusterIP: 10.96.0.9, ports: [{port: 80, targetPort: 8080}]"),
      { "shop/web > shop/self 80": "unsure", "shop/web > shop/web 8080": "allow" },
    ],
    [
      "KX-45",
      np(`${W}, policyTypes: [Egress]`),
      {
        "shop/web > ip:10.0.0.1 9100": "allow",
        "shop/web > ip:10.0.0.2 9100": "deny",
        "shop/web > host 9100": "allow",
      },
    ],
    [
      "KX-46",
      "{apiVersion: v1, kind: Pod, metadata: {name: old, namespace: shop, labels: {app: cli}}, status: {phase: Succeeded, podIP: 10.244.2.21}}\n" +
        inW("[{from: [{podSelector: {matchLabels: {app: cli}}}]}]"),
      {
        "pay/y > shop/web 8080": "deny",
        "ip:10.244.2.21 > shop/web 8080": "deny",
        "shop/old > shop/web 8080": "unsure",
      },
    ],
    ["KX-47", inW("[{from: [{podSelector: {matchLabels: {app: cli}}}]}]"), { "shop/cli > shop/web 8080": "allow" }],
    [
      "KX-36",
      inW("[{ports: [{protocol: SCTP, port: 3868}]}]"),
      { "shop/cli > shop/web 3868": "deny", "shop/cli > shop/web 3868/SCTP": "allow" },
    ],
    [
      "K8-33",
      inW("[{from: [{podSelector: {}}]}]"),
      {
        "shop/cli > shop/web 8/ICMP": "allow",
        "pay/x > shop/web 8/ICMP": "unsure",
        "shop/cli > shop/web 0/GRE": "allow",
      },
    ],
    [
      "a pod without address",
      "{apiVersion: v1, kind: Pod, metadata: {name: z, namespace: shop, labels: {app: z}}}\n" +
        inW("[{from: [{ipBlock: {cidr: 10.244.0.0/16}}]}]"),
      { "shop/z > shop/web 8080": "unsure" },
    ],
    [
      "a pod of a declared range",
      "{apiVersion: v1, kind: Pod, metadata: {name: z, namespace: shop, labels: {app: z}}}\n" +
        inW("[{from: [{ipBlock: {cidr: 10.244.0.0/16}}]}]"),
      { "shop/z > shop/web 8080": "allow" },
      { podCIDRs: ["10.244.3.0/24"] },
    ],
    [
      "a namespace without manifest",
      "{apiVersion: v1, kind: Pod, metadata: {name: z, namespace: other}}\n" +
        inW(
          "[{from: [{namespaceSelector: {matchLabels: {team: red}}}, {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: fourth}}}]}]",
        ),
      { "other/z > shop/web 8080": "unsure" },
    ],
    [
      "K8-38 a pod on a node nobody told",
      "{apiVersion: v1, kind: Pod, metadata: {name: z, namespace: shop, labels: {app: web}}}\n" + inW("[]"),
      { "host@N1 > shop/z 8080": "unsure", "host > shop/z 8080": "allow", "remote-node > shop/z 8080": "deny" },
    ],
    [
      "policies of another network",
      inW("[{from: [{podSelector: {}}]}]") +
        "---\n{apiVersion: projectcalico.org/v3, kind: NetworkPolicy, metadata: {name: c, namespace: shop}, spec: {selector: all()}}\n",
      { "shop/cli > shop/web 8080": "unsure", "pay/x > pay/y 80": "allow" },
    ],
    [
      "policies of Cilium, by their subjects",
      "---\n{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: c, namespace: shop}, spec: {endpointSelector: {matchLabels: {app: db}}, ingress: [{}]}}\n",
      { "pay/x > shop/db 80": "unsure", "pay/x > shop/web 80": "allow" },
    ],
  ]);
});

describe("Services", () => {
  const vip = service("front", "selector: {app: web}, clusterIP: 10.96.0.20, ports: [{port: 80, targetPort: 8080}]");
  const nodePort = (policy: string) =>
    service(
      "np",
      `type: NodePort, externalTrafficPolicy: ${policy}, selector: {app: web}, ports: [{port: 80, targetPort: 8080, nodePort: 30080}]`,
    );
  const fromO = inW("[{from: [{ipBlock: {cidr: 203.0.113.0/24}}]}]");
  run([
    [
      "KX-52",
      vip + onCli("[{to: [{ipBlock: {cidr: 10.96.0.20/32}}]}]"),
      {
        "shop/cli > shop/front 80": "unsure",
        "shop/cli > ip:10.96.0.20 80": "unsure",
        "shop/cli > shop/web 8080": "deny",
      },
    ],
    [
      "KX-82",
      service("front", "selector: {app: web}, ports: [{port: 80, targetPort: http}]"),
      { "shop/cli > shop/front 80": "allow", "shop/cli > shop/front 81": "deny" },
    ],
    [
      "KX-84",
      service("ext", "type: ExternalName, externalName: db.example.com, selector: {app: web}") +
        onCli("[{to: [{podSelector: {}}]}]"),
      {
        "shop/cli > shop/ext 5432": "unsure",
        "shop/cli > ip:203.0.113.9 5432": "deny",
        "shop/web > shop/ext 5432": "allow",
      },
    ],
    [
      "KX-85 Local",
      nodePort("Local") + fromO,
      { "ip:203.0.113.9 > host@N1 30080": "allow", "ip:203.0.113.9 > host@N2 30080": "deny" },
    ],
    [
      "KX-85 Cluster",
      nodePort("Cluster") + fromO,
      { "ip:203.0.113.9 > ip:10.0.0.2 30080": "deny", "ip:203.0.113.9 > ip:10.0.0.1 30080": "unsure" },
    ],
    [
      "KX-80",
      inW("[{from: [{ipBlock: {cidr: 203.0.113.0/24}}], ports: [{port: 8080}]}]"),
      { "ip:203.0.113.9 > ip:10.0.0.1 80": "allow", "ip:203.0.113.9 > ip:10.0.0.1 81": "allow" },
    ],
    [
      "KX-80 by the published port",
      inW("[{from: [{ipBlock: {cidr: 203.0.113.0/24}}], ports: [{port: 80}]}]"),
      { "ip:203.0.113.9 > ip:10.0.0.1 80": "deny" },
    ],
    [
      "KX-87",
      service("out", "clusterIP: 10.96.0.30, ports: [{port: 5432}]") +
        "---\n{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: out-1, namespace: shop, labels: {kubernetes.io/service-name: out}}, addressType: IPv4, endpoints: [{addresses: [203.0.113.9]}], ports: [{port: 5433}]}\n" +
        onCli("[{to: [{ipBlock: {cidr: 203.0.113.0/24}}, {ipBlock: {cidr: 10.96.0.0/16}}], ports: [{port: 5433}]}]"),
      { "shop/cli > shop/out 5432": "allow" },
    ],
    [
      "no endpoints known",
      service("none", "selector: {app: nobody}, ports: [{port: 80}]"),
      { "shop/cli > shop/none 80": "deny" },
    ],
    [
      "SVC-15",
      service(
        "lb",
        "type: LoadBalancer, loadBalancerSourceRanges: [198.51.100.0/24], externalIPs: [192.0.2.1], externalTrafficPolicy: Local, selector: {app: web}, ports: [{port: 80, targetPort: 8080}]",
      ),
      { "ip:198.51.100.7 > ip:192.0.2.1 80": "allow", "ip:203.0.113.9 > ip:192.0.2.1 80": "unsure" },
    ],
    [
      "SVC-11 internal Local",
      service(
        "near",
        "internalTrafficPolicy: Local, clusterIP: 10.96.0.8, selector: {app: web}, ports: [{port: 80, targetPort: 8080}]",
      ),
      { "shop/db > shop/near 80": "allow", "shop/cli > shop/near 80": "deny" },
    ],
  ]);
});

describe("ClusterNetworkPolicy", () => {
  run([
    [
      "KX-53",
      cluster(from("Accept", BLUE)) + np("podSelector: {}"),
      { "pay/x > shop/web 8080": "allow", "shop/cli > shop/web 8080": "deny" },
    ],
    [
      "KX-54",
      cluster(from("Deny", BLUE)) + inW("[{}]"),
      { "pay/x > shop/web 8080": "deny", "shop/cli > shop/web 8080": "allow" },
    ],
    [
      "KX-55",
      cluster(`subject: {namespaces: {matchLabels: {team: blue}}}, egress: [{action: Accept, to: [${ALL}]}]`) +
        np("podSelector: {}"),
      { "pay/x > shop/web 8080": "deny" },
    ],
    [
      "KX-56",
      cluster(from("Accept", ALL), "Admin", 5) + cluster(from("Deny", ALL), "Admin", 10),
      { "pay/x > shop/web 8080": "allow" },
    ],
    [
      "KX-56 swapped",
      cluster(from("Accept", ALL), "Admin", 10) + cluster(from("Deny", ALL), "Admin", 5),
      { "pay/x > shop/web 8080": "deny" },
    ],
    [
      "KX-57",
      cluster(from("Pass", BLUE), "Admin", 1) +
        cluster(from("Deny", ALL), "Admin", 2) +
        cluster(from("Deny", ALL), "Baseline", 0),
      { "pay/x > shop/web 8080": "deny" },
    ],
    [
      "KX-57 with a NetworkPolicy",
      cluster(from("Pass", BLUE), "Admin", 1) +
        cluster(from("Deny", ALL), "Admin", 2) +
        cluster(from("Deny", ALL), "Baseline", 0) +
        inW("[{from: [{namespaceSelector: {}}]}]"),
      { "pay/x > shop/web 8080": "allow", "shop/cli > shop/web 8080": "deny" },
    ],
    ["KX-58", cluster(from("Pass", ALL)), { "pay/x > shop/web 8080": "allow" }],
    [
      "KX-59",
      cluster(from("Deny", ALL), "Baseline", 0) + inW("[{from: [{podSelector: {}}]}]"),
      { "shop/cli > shop/web 8080": "allow", "pay/x > shop/web 8080": "deny", "shop/cli > shop/db 8080": "deny" },
    ],
    [
      "KX-60",
      cluster(from("Accept", ALL), "Baseline", 0) + np("podSelector: {}"),
      { "shop/cli > shop/web 8080": "deny" },
    ],
    [
      "KX-61",
      cluster("egress: [{action: Deny, to: [{networks: [0.0.0.0/0]}]}]", "Baseline", 0) + np(W),
      { "shop/web > ip:203.0.113.9 8080": "deny" },
    ],
    [
      "KX-62",
      cluster(`ingress: [{action: Pass, from: [${ALL}]}, {action: Deny, from: [${ALL}]}]`, "Baseline", 0),
      { "shop/cli > shop/web 8080": "allow" },
    ],
    [
      "KX-63",
      cluster("egress: [{action: Deny, to: [{networks: [0.0.0.0/0]}]}]"),
      { "shop/cli > shop/web 8080": "deny" },
    ],
    [
      "KX-63 with Pass above",
      cluster(`egress: [{action: Pass, to: [${ALL}]}, {action: Deny, to: [{networks: [0.0.0.0/0]}]}]`),
      { "shop/cli > shop/web 8080": "allow", "shop/cli > ip:203.0.113.9 80": "deny" },
    ],
    [
      "KX-64",
      cluster(from("Deny", ALL)),
      { "ip:203.0.113.9 > shop/web 80": "allow", "shop/mon > shop/web 80": "allow" },
    ],
    [
      "KX-65",
      cluster(`egress: [{action: Deny, to: [${ALL}]}]`),
      { "shop/mon > shop/web 8080": "allow", "shop/cli > shop/web 8080": "deny" },
    ],
    ["KX-66", cluster("ingress: []"), { "shop/cli > shop/web 8080": "allow" }],
    [
      "KX-67",
      cluster(from("Accept", ALL), "Admin", 7) + cluster(from("Deny", ALL), "Admin", 7),
      { "pay/x > shop/web 8080": "unsure", "ip:203.0.113.9 > shop/web 80": "allow" },
    ],
    [
      "KX-67 both deny",
      cluster(from("Deny", ALL), "Admin", 7) + cluster(from("Deny", BLUE), "Admin", 7),
      { "pay/x > shop/web 8080": "deny" },
    ],
    [
      "KX-68",
      cluster(
        `ingress: [{action: Accept, from: [{pods: {podSelector: {matchLabels: {app: cli}}}}], protocols: [{tcp: {destinationPort: {number: 8080}}}]}, {action: Deny, from: [${ALL}]}]`,
      ),
      {
        "shop/cli > shop/web 8080": "allow",
        "shop/cli > shop/web 9090": "deny",
        "shop/cli > shop/web 8080/UDP": "deny",
      },
    ],
    [
      "KX-69",
      "{apiVersion: v1, kind: Pod, metadata: {name: dns, namespace: shop}, spec: {containers: [{name: m, ports: [{name: dns, containerPort: 53, protocol: UDP}]}, {name: n, ports: [{name: dns, containerPort: 53}]}]}}\n" +
        cluster(`ingress: [{action: Deny, from: [${ALL}], protocols: [{destinationNamedPort: dns}]}]`),
      { "shop/cli > shop/dns 53": "deny", "shop/cli > shop/dns 53/UDP": "deny", "shop/cli > shop/dns 54": "allow" },
    ],
    [
      "KX-71",
      cluster(from("Deny", ALL)) +
        service("self", "selector: {app: web}, clusterIP: 10.96.0.9, ports: [{port: 80, targetPort: 8080}]"),
      { "shop/web > ip:10.244.1.10 8080": "allow", "shop/web > shop/self 80": "deny" },
    ],
    [
      "CNP-10",
      cluster(
        'egress: [{action: Accept, to: [{domainNames: ["*.a.io"]}]}, {action: Deny, to: [{networks: [0.0.0.0/0, "::/0"]}]}]',
      ),
      {
        "shop/cli > fqdn:x.y.a.io 443": "allow",
        "shop/cli > fqdn:a.io 443": "deny",
        "shop/cli > ip:203.0.113.9 443": "unsure",
      },
    ],
    [
      "CNP-04",
      cluster("egress: [{action: Deny, to: [{nodes: {}}]}]"),
      { "shop/cli > host@N1 9100": "deny", "shop/cli > shop/mon 80": "deny", "shop/cli > shop/web 80": "allow" },
    ],
    [
      "CNP-17",
      cluster(`egress: [{action: Deny, to: [{networks: [10.244.0.0/16]}], protocols: [{destinationNamedPort: http}]}]`),
      { "shop/cli > shop/web 8080": "allow" },
    ],
    [
      "CNP-35",
      "---\n{apiVersion: policy.networking.k8s.io/v1alpha1, kind: AdminNetworkPolicy, metadata: {name: old}, spec: {priority: 1, subject: {namespaces: {}}, ingress: [{action: Allow, from: [{namespaces: {}}]}]}}\n" +
        cluster(from("Deny", ALL), "Admin", 2),
      { "pay/x > shop/web 8080": "unsure" },
    ],
  ]);
});

describe("Workloads", () => {
  const made = (kind: string, api: string, spec: string, name = "w") =>
    `---\n{apiVersion: ${api}, kind: ${kind}, metadata: {name: ${name}, namespace: shop, labels: {app: cli}}, spec: {${spec}}}\n`;
  const template = "template: {metadata: {labels: {run: w}}, spec: {containers: [{name: m}]}}";
  const peer = (selector: string) => inW(`[{from: [{podSelector: {${selector}}}]}]`);
  run([
    [
      "WL-09",
      made("Deployment", "apps/v1", template) + peer("matchLabels: {app: cli}"),
      { "shop/w > shop/web 80": "deny" },
    ],
    [
      "KX-76",
      made("CronJob", "batch/v1", `jobTemplate: {spec: {${template}}}`, "nightly") +
        peer("matchLabels: {job-name: nightly}"),
      { "shop/nightly > shop/web 80": "deny" },
    ],
    [
      "KX-76 the key exists",
      made("CronJob", "batch/v1", `jobTemplate: {spec: {${template}}}`, "nightly") +
        peer("matchExpressions: [{key: job-name, operator: Exists}]"),
      { "shop/nightly > shop/web 80": "allow" },
    ],
    [
      "KX-76 one of its jobs",
      made("CronJob", "batch/v1", `jobTemplate: {spec: {${template}}}`, "nightly") +
        peer("matchLabels: {job-name: nightly-29000000}"),
      { "shop/nightly > shop/web 80": "unsure" },
    ],
    [
      "KX-77 ordinals",
      made("StatefulSet", "apps/v1", `replicas: 3, ordinals: {start: 5}, ${template}`) +
        peer("matchLabels: {statefulset.kubernetes.io/pod-name: w-5}"),
      { "shop/w > shop/web 80": "mixed", "shop/w-5 > shop/web 80": "allow", "shop/w-6 > shop/web 80": "deny" },
    ],
    [
      "WL-07 indexes",
      made("Job", "batch/v1", `completionMode: Indexed, completions: 2, ${template}`) +
        peer("matchLabels: {batch.kubernetes.io/job-completion-index: '1'}"),
      { "shop/w > shop/web 80": "mixed" },
    ],
    [
      "WL-12 NotIn",
      made("Deployment", "apps/v1", template) +
        peer("matchExpressions: [{key: pod-template-hash, operator: NotIn, values: [a]}]"),
      { "shop/w > shop/web 80": "unsure" },
    ],
    [
      "KX-78",
      made("Deployment", "apps/v1", `replicas: 0, ${template}`) + peer("matchLabels: {run: w}"),
      { "shop/w > shop/web 80": "allow" },
    ],
    [
      "KX-79",
      "---\n{apiVersion: v1, kind: Pod, metadata: {name: i, namespace: shop, labels: {app: web}}, spec: {containers: [{name: m}], initContainers: [{name: n, ports: [{name: adm, containerPort: 9999}]}]}}\n" +
        inW("[{ports: [{port: adm}]}]"),
      { "shop/cli > shop/i 9999": "unsure", "shop/cli > shop/i 9998": "deny" },
    ],
    [
      "a pod under its owner",
      "---\n{apiVersion: v1, kind: Pod, metadata: {name: w-1, namespace: shop, labels: {run: w}, ownerReferences: [{kind: ReplicaSet, name: w, controller: true}]}}\n" +
        peer("matchLabels: {run: w}"),
      { "shop/ReplicaSet/w > shop/web 80": "allow", "shop/w-1 > shop/web 80": "allow" },
    ],
    [
      "replicas of one controller",
      made("Deployment", "apps/v1", template) + np("podSelector: {matchLabels: {run: w}}"),
      { "shop/w > shop/w 80": "deny", "run=w > shop/web 80": "allow" },
    ],
    [
      "another replica, allowed",
      made("StatefulSet", "apps/v1", `replicas: 2, ${template}`) +
        np("podSelector: {matchLabels: {run: w}}, ingress: [{from: [{podSelector: {matchLabels: {run: w}}}]}]"),
      { "shop/w > shop/w 80": "allow" },
    ],
  ]);
});
