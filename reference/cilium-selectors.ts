import type { CiliumSettings } from "./cilium-settings.ts";
import { readSelector } from "./selectors.ts";
import { type Fields, fieldsOf, labelsOf } from "./values.ts";

/** A requirement on a label of one source, or of whatever source (`any`) (R2.1.2). */
export interface SourcedRequirement {
  readonly source: string;
  readonly key: string;
  readonly operator: string;
  readonly values: readonly string[];
}

/** All requirements must hold (R2.1.4). The empty list selects everything. */
export type SourcedSelector = readonly SourcedRequirement[];

export const NAMESPACE_KEY = "io.kubernetes.pod.namespace";
export const NAMESPACE_LABELS = "io.cilium.k8s.namespace.labels";
export const CLUSTER_KEY = "io.cilium.k8s.policy.cluster";
export const SERVICE_ACCOUNT_KEY = "io.cilium.k8s.policy.serviceaccount";

/** Keys as written: `source:key`, or plain for any source; the first colon separates (R2.1.2). */
export function readSourcedSelector(value: unknown): SourcedSelector {
  return readSelector(value).map((requirement) => {
    const colon = requirement.key.indexOf(":");
    return {
      ...requirement,
      source: colon < 0 ? "any" : requirement.key.slice(0, colon),
      key: requirement.key.slice(colon + 1),
    };
  });
}

export function equals(source: string, key: string, value: string): SourcedRequirement {
  return { source, key, operator: "In", values: [value] };
}

export function exists(source: string, key: string): SourcedRequirement {
  return { source, key, operator: "Exists", values: [] };
}

/**
 * The subject of a rule. In a CiliumNetworkPolicy the namespace is set; it overwrites a value under exactly the key
 * `k8s:io.kubernetes.pod.namespace` in matchLabels, and is AND-ed to everything else (R2.3.1, R2.3.4).
 */
export function subjectSelector(value: unknown, namespace: string): SourcedSelector {
  if (namespace === "") return readSourcedSelector(value);
  const fields: Fields = fieldsOf(value);
  const matchLabels = Object.fromEntries(
    [...labelsOf(fields["matchLabels"])].filter(([key]) => key !== `k8s:${NAMESPACE_KEY}`),
  );
  return [...readSourcedSelector({ ...fields, matchLabels }), equals("k8s", NAMESPACE_KEY, namespace)];
}

function hasKey(selector: SourcedSelector, test: (key: string) => boolean): boolean {
  return selector.some((item) => (item.source === "k8s" || item.source === "any") && test(item.key));
}

/** A peer of a CiliumNetworkPolicy (with namespace) or of a clusterwide policy (namespace ""), scoped (R2.3.2). */
export function peerSelector(
  value: unknown,
  namespace: string,
  subject: SourcedSelector,
  settings: CiliumSettings,
): SourcedSelector {
  const written = readSourcedSelector(value);
  // a. an explicit reserved key: no scoping at all.
  if (written.some((item) => item.source === "reserved")) return written;
  return scoped(written, namespace, subject, settings);
}

/**
 * An item of fromRequires or toRequires: scoped as a peer, but a reserved key does not free it (`getEndpointSelector` is
 * called without its prefix for these).
 */
export function requiredSelector(
  value: unknown,
  namespace: string,
  subject: SourcedSelector,
  settings: CiliumSettings,
): SourcedSelector {
  return scoped(readSourcedSelector(value), namespace, subject, settings);
}

function scoped(
  written: SourcedSelector,
  namespace: string,
  subject: SourcedSelector,
  settings: CiliumSettings,
): SourcedSelector {
  return [...written, ...namespaceTerm(written, namespace, subject, settings), ...clusterTerm(written, settings)];
}

function namespaceTerm(
  written: SourcedSelector,
  namespace: string,
  subject: SourcedSelector,
  settings: CiliumSettings,
): SourcedSelector {
  // b. the namespace is spoken of, by whatever operator.
  if (hasKey(written, (key) => key === NAMESPACE_KEY)) return [];
  if (namespace === "") {
    // c. clusterwide: every pod, unless the rule is for endpoints without identity yet.
    const isForInit = subject.some((item) => item.source === "reserved" && item.key === "init");
    return isForInit ? [] : [exists("k8s", NAMESPACE_KEY)];
  }
  // d. labels of the namespace are spoken of: since 1.18 no namespace term is added.
  if (settings.release >= 18 && hasKey(written, (key) => key.startsWith(NAMESPACE_LABELS))) return [];
  return [equals("k8s", NAMESPACE_KEY, namespace)];
}

/** e. the own cluster, unless the selector speaks of the cluster. */
export function clusterTerm(written: SourcedSelector, settings: CiliumSettings): SourcedSelector {
  if (!settings.localClusterOnly || hasKey(written, (key) => key === CLUSTER_KEY)) return [];
  return [equals("k8s", CLUSTER_KEY, settings.clusterName)];
}

/** fromNodes and toNodes: nodes other than the own one (R2.3.3). */
export function nodePeerSelector(value: unknown): SourcedSelector {
  return [...readSourcedSelector(value), exists("reserved", "remote-node")];
}

/** The reserved labels behind each entity (3.3); undefined for `all`, which selects everything. */
export function entitySelectors(entity: string, settings: CiliumSettings): readonly SourcedSelector[] | undefined {
  const reserved = (...names: readonly string[]) => names.map((name) => [exists("reserved", name)]);
  switch (entity) {
    case "all":
      return undefined;
    case "world":
      return reserved("world", "world-ipv4", "world-ipv6");
    case "cluster":
      return [
        ...reserved("host", "remote-node", "init", "ingress", "health", "unmanaged", "kube-apiserver"),
        [equals("k8s", CLUSTER_KEY, settings.clusterName)],
      ];
    default:
      return reserved(entity);
  }
}
