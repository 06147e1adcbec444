import { parseAllDocuments } from "yaml";
import { type Dialect, type Flow, Reference, type ReferenceOptions } from "../../reference/index.ts";

/** Namespaces a (team blue) and b (team red) on nodes n1 and n2, with pods in and beside the host network. */
const WORLD = `
{apiVersion: v1, kind: Namespace, metadata: {name: a, labels: {team: blue}}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: b, labels: {team: red}}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: kube-system}}
---
{apiVersion: v1, kind: Node, metadata: {name: n1, labels: {zone: one}}, status: {addresses: [{type: InternalIP, address: 192.168.60.11}]}}
---
{apiVersion: v1, kind: Node, metadata: {name: n2, labels: {zone: two}}, status: {addresses: [{type: InternalIP, address: 192.168.60.12}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: a, labels: {app: p}}, spec: {nodeName: n1, containers: [{name: m, ports: [{name: web, containerPort: 8080}]}]}, status: {podIP: 10.0.1.5}}
---
{apiVersion: v1, kind: Pod, metadata: {name: x, namespace: a, labels: {app: x}}, spec: {nodeName: n1, containers: [{name: m}]}, status: {podIP: 10.0.1.6}}
---
{apiVersion: v1, kind: Pod, metadata: {name: y, namespace: a, labels: {app: y}}, spec: {nodeName: n2, containers: [{name: m}]}, status: {podIP: 10.0.2.6}}
---
{apiVersion: v1, kind: Pod, metadata: {name: x, namespace: b, labels: {app: x}}, spec: {nodeName: n2, containers: [{name: m}]}, status: {podIP: 10.0.2.7}}
---
{apiVersion: v1, kind: Pod, metadata: {name: hn1, namespace: a, labels: {app: x}}, spec: {nodeName: n1, hostNetwork: true, containers: [{name: m}]}, status: {podIP: 192.168.60.11}}
---
{apiVersion: v1, kind: Pod, metadata: {name: hn2, namespace: a, labels: {app: x}}, spec: {nodeName: n2, hostNetwork: true, containers: [{name: m}]}, status: {podIP: 192.168.60.12}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: d, namespace: a}, spec: {template: {metadata: {labels: {app: d}}, spec: {containers: [{name: m}]}}}}
`;

export function documentsOf(text: string): unknown[] {
  return [...parseAllDocuments(text)].map((document) => document.toJS()).filter((document) => document !== null);
}

export function referenceOf(
  dialect: Dialect,
  text: string,
  options: Omit<ReferenceOptions, "dialect"> = {},
): Reference {
  return new Reference([...documentsOf(WORLD), ...documentsOf(text)], { dialect, asCluster: true, ...options });
}

/** A CiliumNetworkPolicy in namespace a, for app=p unless the spec says otherwise. */
export function cnp(spec: string, name = "rule"): string {
  const subject = /endpointSelector|nodeSelector/.test(spec) ? "" : "endpointSelector: {matchLabels: {app: p}}, ";
  return `---\n{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: ${name}, namespace: a}, spec: {${subject}${spec}}}\n`;
}

export function ccnp(spec: string, name = "wide"): string {
  const subject = /endpointSelector|nodeSelector/.test(spec) ? "" : "endpointSelector: {matchLabels: {app: p}}, ";
  return `---\n{apiVersion: cilium.io/v2, kind: CiliumClusterwideNetworkPolicy, metadata: {name: ${name}}, spec: {${subject}${spec}}}\n`;
}

/** A NetworkPolicy in namespace a, for app=p unless the spec says otherwise. */
export function np(spec: string, name = "np"): string {
  const subject = spec.includes("podSelector: {}, ") ? "" : "podSelector: {matchLabels: {app: p}}, ";
  return `---\n{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: ${name}, namespace: a}, spec: {${subject}${spec}}}\n`;
}

export function config(data: string): string {
  return `---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: cilium-config, namespace: kube-system}, data: {${data}}}\n`;
}

/** `a/x > a/p 80/TCP [GET /path] [host=…] [sni=…] [Header=value]`; ICMP is `8/ICMP`. */
export function flowOf(text: string): Flow {
  const [from = "", , to = "", service = "", ...rest] = text.split(/\s+/);
  const [number = "", protocol = "TCP"] = service.split("/");
  const options = new Map(
    rest
      .filter((word) => /^[\w-]+=/.test(word))
      .map((word) => [word.slice(0, word.indexOf("=")), word.slice(word.indexOf("=") + 1)]),
  );
  const serverName = options.get("sni");
  const host = options.get("host");
  const family = options.get("family");
  const [method, path] = rest.filter((word) => !/^[\w-]+=/.test(word));
  const headers = Object.fromEntries([...options].filter(([key]) => !["sni", "host", "family"].includes(key)));
  const port = Number(number);
  const icmp = protocol.startsWith("ICMP");
  return {
    from,
    to,
    protocol,
    ...(icmp ? { icmp: { type: port } } : { port }),
    ...(family === "IPv4" || family === "IPv6" ? { family } : {}),
    ...(method === undefined
      ? {}
      : { http: { method, path: path ?? "/", ...(host === undefined ? {} : { host }), headers } }),
    ...(serverName === undefined ? {} : { tls: { serverName } }),
  };
}
