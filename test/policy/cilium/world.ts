/** A small cluster, and policies for it written as YAML. */
import type { Diagnostic } from "../../../src/base/diagnostic.ts";
import type { Document } from "../../../src/documents/document.ts";
import { readDocuments } from "../../../src/documents/reader.ts";
import { buildWorld } from "../../../src/model/build.ts";
import type { World } from "../../../src/model/world.ts";
import { openCilium, type Release } from "../../../src/policy/cilium/dialect.ts";
import type { Policy, Rule } from "../../../src/policy/rule.ts";

/** Namespaces a (team=blue), b and c (team=red); nodes n1 and n2; `h1`, `h2` are host-network pods on them. */
const CLUSTER = `
kind: Namespace
apiVersion: v1
metadata: {name: a, labels: {team: blue}}
---
kind: Namespace
apiVersion: v1
metadata: {name: b, labels: {team: red}}
---
kind: Namespace
apiVersion: v1
metadata: {name: c, labels: {team: red}}
---
kind: Node
apiVersion: v1
metadata: {name: n1, labels: {zone: east, kubernetes.io/hostname: n1}}
status: {addresses: [{type: InternalIP, address: 192.168.60.11}]}
---
kind: Node
apiVersion: v1
metadata: {name: n2, labels: {zone: west, kubernetes.io/hostname: n2}}
status: {addresses: [{type: InternalIP, address: 192.168.60.12}]}
`;

function pod(namespace: string, name: string, node: string, address: string, spec = ""): string {
  return `
kind: Pod
apiVersion: v1
metadata: {name: ${name}, namespace: ${namespace}, labels: {app: ${name}}}
spec: {nodeName: ${node}, ${spec}containers: [{name: main, image: none, ports: [{name: web, containerPort: 8080}]}]}
status: {podIP: ${address}}
`;
}

const PODS = [
  pod("a", "p", "n1", "10.0.1.5"),
  pod("a", "x", "n1", "10.0.1.6"),
  pod("a", "z", "n2", "10.0.2.6"),
  pod("b", "x", "n2", "10.0.2.7"),
  pod("b", "z", "n2", "10.0.2.8"),
  pod("c", "x", "n2", "10.0.2.9"),
  pod("a", "h1", "n1", "192.168.60.11", "hostNetwork: true, "),
  pod("a", "h2", "n2", "192.168.60.12", "hostNetwork: true, "),
];

export function read(text: string): readonly Document[] {
  const { documents, diagnostics } = readDocuments([{ name: "policy.yaml", text }]);
  if (diagnostics.length > 0) throw new Error(diagnostics.map((one) => one.message).join("; "));
  return documents;
}

/** The cluster with further objects, and with settings as the data of `cilium-config`. */
export function world(more = "", config: Readonly<Record<string, string>> = {}): World {
  const settings = `
kind: ConfigMap
apiVersion: v1
metadata: {name: cilium-config, namespace: kube-system}
data: ${JSON.stringify(config)}
`;
  const text = [CLUSTER, ...PODS, ...(more === "" ? [] : [more]), settings].join("---");
  return buildWorld(read(text), {}).world;
}

export const PLAIN = world();

function object(kind: string, namespace: string | undefined, body: string): Document {
  const place = namespace === undefined ? "" : `, namespace: ${namespace}`;
  const [document] = read(`apiVersion: cilium.io/v2\nkind: ${kind}\nmetadata: {name: rule${place}}\n${body}`);
  if (document === undefined) throw new Error("no document");
  return document;
}

/** A CiliumNetworkPolicy of namespace a for `app: p`, from the fields of its spec besides the subject. */
export function cnp(fields: string, subject = "{matchLabels: {app: p}}"): Document {
  return object("CiliumNetworkPolicy", "a", `spec: {endpointSelector: ${subject}, ${fields}}`);
}

/** A CiliumClusterwideNetworkPolicy for `app: p` of every namespace. */
export function ccnp(fields: string, subject = "{matchLabels: {app: p}}"): Document {
  return object("CiliumClusterwideNetworkPolicy", undefined, `spec: {endpointSelector: ${subject}, ${fields}}`);
}

/** A CiliumClusterwideNetworkPolicy for nodes. */
export function nodes(fields: string, subject = "{}"): Document {
  return object("CiliumClusterwideNetworkPolicy", undefined, `spec: {nodeSelector: ${subject}, ${fields}}`);
}

/** A policy from its whole body. */
export function policy(body: string, kind = "CiliumNetworkPolicy"): Document {
  return object(kind, kind === "CiliumNetworkPolicy" ? "a" : undefined, body);
}

/** A NetworkPolicy of namespace a for `app: p`. */
export function networkPolicy(fields: string): Document {
  const [document] = read(
    `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: np, namespace: a}\nspec: {podSelector: {matchLabels: {app: p}}, ${fields}}`,
  );
  if (document === undefined) throw new Error("no document");
  return document;
}

export interface Options {
  readonly release?: Release;
  readonly world?: World;
}

export function compile(
  document: Document,
  options: Options = {},
): ReturnType<ReturnType<typeof openCilium>["compile"]> {
  return openCilium(options.release ?? "1.19").compile(document, options.world ?? PLAIN);
}

/** The only policy of an object that must be accepted. */
export function compiled(document: Document, options: Options = {}): Policy {
  const { policies, diagnostics } = compile(document, options);
  const [first] = policies;
  if (first === undefined) throw new Error(`refused: ${diagnostics.map((one) => one.message).join("; ")}`);
  return first;
}

/** The only rule of an object that must be accepted. */
export function ruleOf(document: Document, options: Options = {}): Rule {
  const [first] = compiled(document, options).rules;
  if (first === undefined) throw new Error("no rule");
  return first;
}

export function errorsOf(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  return diagnostics.filter((one) => one.severity === "error");
}

/** `accepted`, `pruned` or `refused CODE,CODE`. */
export function fate(document: Document, options: Options = {}): string {
  const { refused, policies, diagnostics } = compile(document, options);
  const codes = [...new Set(errorsOf(diagnostics).map((one) => one.code))];
  if (refused !== (policies.length === 0)) throw new Error("refused objects have no policies, others have some");
  if (!refused) return codes.length === 0 ? "accepted" : "pruned";
  return `refused ${codes.filter((code) => code !== "BH201").join(",")}`;
}
