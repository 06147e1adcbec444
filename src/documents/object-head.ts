/** What an object says about itself: apiVersion, kind, name and namespace, and whether it says it rightly. */
import type { Code } from "../base/diagnostic.ts";
import type { Path } from "./document.ts";

/** The head of an object. */
export interface ObjectHead {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string | undefined;
  readonly name: string;
}

/** Why a value is no object. */
export interface HeadProblem {
  readonly code: Code;
  readonly message: string;
  /** What the message points at. */
  readonly path: Path;
  readonly help?: string;
}

/** What a List gives to items that do not say what they are, as `PodList` does. */
export interface ListHead {
  readonly apiVersion: string;
  readonly itemKind: string;
}

const QUOTES = "Put it in quotes: YAML 1.1 reads y, n, yes, no, on, off as truth values and digits as numbers.";

/**
 * Reads the head of an object.
 *
 * Takes the value of the document, and what its List says when it is an item. Returns the head; or why the value is no
 * object that a cluster would take: it is no mapping, or apiVersion, kind or metadata.name are missing or no text.
 */
export function readHead(
  value: unknown,
  list?: ListHead,
): { readonly head: ObjectHead } | { readonly problem: HeadProblem } {
  if (!isMapping(value)) return problem("BH003", `${describe(value)} is no Kubernetes object`, []);
  let { apiVersion, kind } = value;
  if (isAbsent(apiVersion) && isAbsent(kind) && list === undefined)
    return problem("BH004", "neither apiVersion nor kind: this is no Kubernetes object", []);
  // An item that lacks either takes both from its list, as the clients of a cluster do it.
  if (list !== undefined && list.itemKind !== "" && (isAbsent(apiVersion) || isAbsent(kind))) {
    apiVersion = list.apiVersion;
    kind = list.itemKind;
  }
  if (isAbsent(apiVersion)) return problem("BH004", "the object has no apiVersion", []);
  if (typeof apiVersion !== "string") return wrongType("apiVersion", apiVersion, ["apiVersion"]);
  if (isAbsent(kind)) return problem("BH005", "the object has no kind", []);
  if (typeof kind !== "string") return wrongType("kind", kind, ["kind"]);

  const { metadata } = value;
  const fields = isMapping(metadata) ? metadata : {};
  if (!isAbsent(metadata) && !isMapping(metadata)) return wrongType("metadata", metadata, ["metadata"], "a mapping");
  const { name, namespace } = fields;
  if (!isAbsent(name) && typeof name !== "string") return wrongType("metadata.name", name, ["metadata", "name"]);
  if (!isAbsent(namespace) && typeof namespace !== "string")
    return wrongType("metadata.namespace", namespace, ["metadata", "namespace"]);
  if (isAbsent(name) && !isConfiguration(apiVersion, kind)) {
    const generated = isAbsent(fields["generateName"]) ? "" : "; a name that is generated cannot be known beforehand";
    return problem("BH006", `the ${kind} has no metadata.name${generated}`, ["metadata"]);
  }
  return {
    head: {
      apiVersion,
      kind,
      namespace: isAbsent(namespace) ? undefined : String(namespace),
      name: isAbsent(name) ? "" : String(name),
    },
  };
}

/**
 * Takes out of an object what must never be kept.
 *
 * Takes the value and its head. Returns the value; of a Secret only what names it and its labels.
 */
export function withoutSecrets(value: unknown, head: ObjectHead): unknown {
  if (head.kind !== "Secret" || head.apiVersion !== "v1" || !isMapping(value)) return value;
  const metadata = isMapping(value["metadata"]) ? value["metadata"] : {};
  return {
    apiVersion: head.apiVersion,
    kind: head.kind,
    metadata: { name: metadata["name"], namespace: metadata["namespace"], labels: metadata["labels"] },
    type: value["type"],
  };
}

/** Kinds that configure a program and are never sent to a cluster, so that they need no name. */
function isConfiguration(apiVersion: string, kind: string): boolean {
  const group = apiVersion.split("/")[0] ?? "";
  return CONFIGURATION_GROUPS.has(group) || (apiVersion === "v1" && kind === "Config");
}

const CONFIGURATION_GROUPS: ReadonlySet<string> = new Set([
  "bulkhead.dev",
  "kustomize.config.k8s.io",
  "kind.x-k8s.io",
  "kubeadm.k8s.io",
  "kubelet.config.k8s.io",
  "kubeproxy.config.k8s.io",
  "kubescheduler.config.k8s.io",
  "apiserver.config.k8s.io",
  "audit.k8s.io",
]);

/** Whether a field is missing for an API server: not there, null, or an empty text. */
function isAbsent(value: unknown): value is undefined | null | "" {
  return value === undefined || value === null || value === "";
}

export function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function problem(code: Code, message: string, path: Path): { readonly problem: HeadProblem } {
  return { problem: { code, message, path } };
}

function wrongType(name: string, value: unknown, path: Path, words = "text"): { readonly problem: HeadProblem } {
  const message = `${name} must be ${words}, not ${describe(value)}`;
  const help = words === "text" && typeof value !== "object" ? QUOTES : `Write ${words}.`;
  return { problem: { code: "BH203", message, path, help } };
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a mapping";
  const text = JSON.stringify(value) ?? "";
  return text.length > 40 ? `${text.slice(0, 37)}…` : text;
}
