/** Label selectors at random: those of Kubernetes, and those of Cilium with sources. */
import fc from "fast-check";
import { type Fields, fields, list, someOf, weighted } from "./arbitraries.ts";
import { NAMESPACE_LABELS, NAMESPACES, NODE_LABELS, POD_LABELS, SERVICE_ACCOUNTS } from "./pools.ts";

type Entries = readonly (readonly [key: string, values: readonly string[]])[];

/** Values near those that exist: other case, longer, empty. */
function near(values: readonly string[]): fc.Arbitrary<string> {
  return weighted([8, fc.constantFrom(...values)], [1, fc.constantFrom("X", "xx", "")]);
}

function expression(entries: Entries): fc.Arbitrary<Fields> {
  const entry = fc.constantFrom(...entries);
  return weighted<Fields>(
    [
      3,
      fc
        .tuple(entry, fc.constantFrom("In", "NotIn"))
        .chain(([[key, values], operator]) =>
          list(near(values), 1, 2).map((chosen) => ({ key, operator, values: chosen })),
        ),
    ],
    [2, fc.tuple(entry, fc.constantFrom("Exists", "DoesNotExist")).map(([[key], operator]) => ({ key, operator }))],
  );
}

/** `{}`, matchLabels, matchExpressions with every operator, or both. */
export function labelSelector(entries: Entries): fc.Arbitrary<Fields> {
  return weighted<Fields>(
    [3, fc.constant({})],
    [4, someOf(entries, 2, 1).map((matchLabels) => ({ matchLabels }))],
    [3, list(expression(entries), 1, 2).map((matchExpressions) => ({ matchExpressions }))],
    [1, fields({ matchLabels: someOf(entries, 1), matchExpressions: list(expression(entries), 0, 1) })],
  );
}

export const podSelector = labelSelector([...POD_LABELS, ["app", ["x", "y", "z", "w"]]]);
export const namespaceSelector = labelSelector([
  ...NAMESPACE_LABELS,
  ["kubernetes.io/metadata.name", [...NAMESPACES]],
  ["kubernetes.io/metadata.name", [...NAMESPACES]],
]);
export const nodeSelector = labelSelector(NODE_LABELS);

const SOURCED: Entries = [
  ...POD_LABELS,
  ["app", ["x", "y", "z"]],
  ["k8s:app", ["x", "y", "z"]],
  ["any:app", ["x", "y"]],
  ["container:app", ["x"]],
  ["k8s:tier", ["front", "back"]],
  ["io.kubernetes.pod.namespace", [...NAMESPACES]],
  ["k8s:io.kubernetes.pod.namespace", [...NAMESPACES]],
  ["any:io.kubernetes.pod.namespace", [...NAMESPACES]],
  ["io.cilium.k8s.namespace.labels.team", ["red", "blue"]],
  ["k8s:io.cilium.k8s.namespace.labels.env", ["prod", "test"]],
  ["io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name", [...NAMESPACES]],
  ["io.cilium.k8s.policy.serviceaccount", [...SERVICE_ACCOUNTS]],
];

const RESERVED: Entries = [
  "host",
  "world",
  "remote-node",
  "ingress",
  "health",
  "init",
  "unmanaged",
  "kube-apiserver",
].map((name) => [`reserved:${name}`, [""]]);

/** With the cluster's name: under 1.19 a term of its own. */
const CLUSTER: Entries = [["io.cilium.k8s.policy.cluster", ["default", "other"]]];

/** An item of `fromEndpoints` or `toEndpoints`. */
export const endpointPeer: fc.Arbitrary<Fields> = weighted(
  [14, labelSelector(SOURCED)],
  [2, labelSelector(RESERVED)],
  [1, labelSelector([...RESERVED, ...SOURCED])],
  [1, labelSelector(CLUSTER)],
);

/** An `endpointSelector`. */
export const endpointSubject: fc.Arbitrary<Fields> = weighted(
  [8, fc.constant({})],
  [6, labelSelector(SOURCED)],
  [1, labelSelector([...RESERVED, ...SOURCED])],
);

/** A `nodeSelector`, or an item of `fromNodes` or `toNodes`. */
export const ciliumNodeSelector: fc.Arbitrary<Fields> = labelSelector([
  ...NODE_LABELS,
  ["node:role", ["edge", "worker"]],
  ["k8s:role", ["edge"]],
  ["any:zone", ["z1", "z2"]],
]);

/** A null where a selector may be absent. */
export function orNull<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null | undefined> {
  return weighted<T | null | undefined>([20, arbitrary], [1, fc.constant(null)]);
}
