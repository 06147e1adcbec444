/** Label keys that Cilium generates, and how a key names its source (cilium.md 2.1, 2.2; `pkg/k8s/apis/cilium.io/const.go`). */
import type { Requirement } from "../selector.ts";

/** The namespace of a pod. */
export const POD_NAMESPACE = "io.kubernetes.pod.namespace";
/** Prefix of the labels of a pod's namespace: `io.cilium.k8s.namespace.labels.team`. */
export const NAMESPACE_LABELS = "io.cilium.k8s.namespace.labels";
export const SERVICE_ACCOUNT = "io.cilium.k8s.policy.serviceaccount";
export const CLUSTER = "io.cilium.k8s.policy.cluster";

/** A label key with its source. */
export interface SourcedKey {
  readonly source: string;
  readonly key: string;
}

/**
 * Reads a selector key (R2.1.2; `GetExtendedKeyFrom` and `parseSource` in `pkg/labels/labels.go`): the source ends at the
 * first colon; `$name` and `reserved.name` are of source reserved; a plain key is of any source.
 */
export function parseKey(text: string): SourcedKey {
  if (text.startsWith("$")) return { source: "reserved", key: text.slice(1) };
  const colon = text.indexOf(":");
  if (colon > 0) return { source: text.slice(0, colon), key: text.slice(colon + 1) };
  if (colon === 0) return { source: "any", key: text.slice(1) };
  if (text.startsWith("reserved.")) return { source: "reserved", key: text.slice("reserved.".length) };
  return { source: "any", key: text };
}

/** The label has exactly this value. */
export function equals(source: string, key: string, value: string): Requirement {
  return { source, key, operator: "In", values: [value] };
}

/** The label is there. */
export function exists(source: string, key: string): Requirement {
  return { source, key, operator: "Exists", values: [] };
}

/** The identity is the reserved one of this name (`pkg/labels`: reserved labels have an empty value). */
export function reserved(name: string): Requirement {
  return equals("reserved", name, "");
}
