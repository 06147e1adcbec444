/** Small worlds from YAML, and engines over them. */
import { readDocuments } from "../../src/documents/reader.ts";
import { buildWorld } from "../../src/model/build.ts";
import type { World } from "../../src/model/world.ts";
import type { Protocol } from "../../src/net/protocol.ts";
import { openDialect } from "../../src/policy/registry.ts";
import { Engine, type EngineOptions } from "../../src/reach/engine.ts";
import type { NorthSouthPath } from "../../src/reach/north-south-path.ts";

function read(texts: readonly string[]): ReturnType<typeof readDocuments> {
  return readDocuments(texts.map((text, i) => ({ name: `${i}.yaml`, text })));
}

/** The world of some manifests. Throws where one of them is refused. */
export function worldOf(...texts: readonly string[]): World {
  const { documents, diagnostics } = read(texts);
  const built = buildWorld(documents);
  const errors = [...diagnostics, ...built.diagnostics].filter((d) => d.severity === "error");
  if (errors.length > 0) throw new Error(errors.map((d) => d.message).join("\n"));
  return built.world;
}

/** An engine over some manifests. Throws where one of them is refused. */
export function engineOf(
  dialect: string,
  texts: readonly string[],
  options: Omit<EngineOptions, "dialect"> = {},
): Engine {
  const { documents, diagnostics } = read(texts);
  const opened = openDialect(dialect);
  if (opened === undefined) throw new Error(`no dialect ${dialect}`);
  const engine = Engine.open(documents, { dialect: opened, ...options });
  const errors = [...diagnostics, ...engine.diagnostics].filter((d) => d.severity === "error");
  if (errors.length > 0) throw new Error(errors.map((d) => d.message).join("\n"));
  return engine;
}

/** `80`, `80/UDP`. */
function portOf(text: string): { readonly protocol: Protocol; readonly port: number } {
  const [port, protocol = "TCP"] = text.split("/");
  return { port: Number(port), protocol: protocol === "UDP" ? "UDP" : "TCP" };
}

/** The verdict on `from → to`, with the codes of its reasons where it is unsure. */
export function verdict(engine: Engine, from: string, to: string, port: string): string {
  const answer = engine.why({ from, to, ...portOf(port) });
  const codes = [...new Set(answer.because.map((b) => b.code))].sort();
  return answer.verdict === "unsure" ? `unsure: ${codes.join(", ")}` : answer.verdict;
}

/** A path in a line: `allow load-balancer 203.0.113.50, port 80`. */
export function pathText(path: NorthSouthPath): string {
  const through = path.through === undefined ? path.way : `${path.through.object}`;
  const codes = [...new Set(path.because.map((b) => b.code))].sort().join(", ");
  return `${path.verdict} ${through}${path.verdict === "unsure" ? ` (${codes})` : ""}`;
}

/** Namespaces `shop` (team red) and `pay` (team blue), two nodes, and the pods of kubernetes.md section 9. */
export const SHOP = `
{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {team: red}}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: pay, labels: {team: blue}}}
---
{apiVersion: v1, kind: Node, metadata: {name: N1}, status: {addresses: [{type: InternalIP, address: 10.0.0.1}]}}
---
{apiVersion: v1, kind: Node, metadata: {name: N2}, status: {addresses: [{type: InternalIP, address: 10.0.0.2}]}}
---
${pod("shop", "web", "N1", "10.244.1.10", { app: "web" }, [{ name: "http", containerPort: 8080 }])}
---
${pod("shop", "db", "N1", "10.244.1.11", { app: "db" }, [{ name: "pg", containerPort: 5432 }])}
---
${pod("shop", "cli", "N2", "10.244.2.10", { app: "cli" }, [])}
---
${pod("pay", "x", "N2", "10.244.2.20", { app: "web" }, [{ name: "http", containerPort: 8080 }])}
`;

/** A pod that runs, with its address. */
export function pod(
  namespace: string,
  name: string,
  node: string,
  address: string,
  labels: Readonly<Record<string, string>>,
  ports: readonly Readonly<Record<string, unknown>>[],
  spec: Readonly<Record<string, unknown>> = {},
): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace, labels },
    spec: { ...spec, nodeName: node, containers: [{ name: "main", ports }] },
    status: { podIP: address, podIPs: [{ ip: address }] },
  });
}

/** A NetworkPolicy of a namespace for pods with a label `app`; the spec's remaining fields as given. */
export function policy(namespace: string, app: string, spec: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: `for-${app}`, namespace },
    spec: { podSelector: { matchLabels: { app } }, ...spec },
  });
}

/** A Service; the fields of its spec as given. */
export function service(namespace: string, name: string, spec: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ apiVersion: "v1", kind: "Service", metadata: { name, namespace }, spec });
}
