/** Lints small inputs and returns the codes found. */
import { readDocuments } from "../../src/documents/reader.ts";
import { lint, type LintResult } from "../../src/lint/lint.ts";
import { openDialect } from "../../src/policy/registry.ts";
import { Engine, type EngineOptions } from "../../src/reach/engine.ts";

export function lintOf(
  dialect: string,
  texts: readonly string[],
  options: Omit<EngineOptions, "dialect"> = {},
): LintResult {
  const read = readDocuments(texts.map((text, i) => ({ name: `${i}.yaml`, text })));
  const opened = openDialect(dialect);
  if (opened === undefined) throw new Error(`no dialect ${dialect}`);
  const engine = Engine.open(read.documents, { dialect: opened, ...options });
  const before = [...read.diagnostics, ...engine.diagnostics];
  const errors = before.filter((d) => d.severity === "error");
  if (errors.length > 0 && options.asCluster !== true) throw new Error(errors.map((d) => d.message).join("\n"));
  return lint(engine, read.documents, { before });
}

export function codesOf(
  dialect: string,
  texts: readonly string[],
  options: Omit<EngineOptions, "dialect"> = {},
): readonly string[] {
  return [...new Set(lintOf(dialect, texts, options).findings.map((one) => one.code))].sort();
}

/** A Deployment with labels and ports, in flow style; `extra` goes into the pod's spec. */
export function workload(name: string, labels: string, ports = "", extra = ""): string {
  const [namespace, short] = name.includes("/") ? name.split("/") : ["shop", name];
  const container = `{name: c, image: i${ports === "" ? "" : `, ports: [${ports}]`}${extra.startsWith("container:") ? `, ${extra.slice(10)}` : ""}}`;
  const spec = extra !== "" && !extra.startsWith("container:") ? `, ${extra}` : "";
  return `---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${short}, namespace: ${namespace}}
spec:
  selector: {matchLabels: {${labels}}}
  template:
    metadata: {labels: {${labels}}}
    spec: {containers: [${container}]${spec}}
`;
}

/** A CiliumNetworkPolicy in namespace shop. */
export function cnp(spec: string, name = "p", namespace = "shop"): string {
  return `---
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: ${name}, namespace: ${namespace}}
spec: {${spec}}
`;
}

/** A NetworkPolicy in namespace shop. */
export function netpol(spec: string, name = "p", namespace = "shop"): string {
  return `---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: ${name}, namespace: ${namespace}}
spec: {${spec}}
`;
}
