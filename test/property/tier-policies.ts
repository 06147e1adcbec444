/** ClusterNetworkPolicies and the older kinds at random (kubernetes.md section 2). */
import fc from "fast-check";
import { type Fields, few, fields, list, sometimes, weighted } from "./arbitraries.ts";
import { INSIDE_PREFIXES, OUTSIDE_PREFIXES, PORT_NAMES, PORT_NUMBERS } from "./pools.ts";
import { namespaceSelector, nodeSelector, podSelector } from "./selectors.ts";

const pods: fc.Arbitrary<Fields> = fields({ namespaceSelector: sometimes(70, namespaceSelector), podSelector });

/** In v1alpha1 both selectors must be there. */
const olderPods: fc.Arbitrary<Fields> = fields({ namespaceSelector, podSelector });

function subject(older: boolean): fc.Arbitrary<Fields> {
  return weighted<Fields>(
    [3, namespaceSelector.map((namespaces) => ({ namespaces }))],
    [2, (older ? olderPods : pods).map((found) => ({ pods: found }))],
  );
}

const networks = list(
  fc.constantFrom(...[...OUTSIDE_PREFIXES, ...INSIDE_PREFIXES].flatMap(({ outer, inner }) => [outer, ...inner])),
  1,
  3,
).map((found) => [...new Set(found)]);

function peersOf(direction: "ingress" | "egress", older: boolean): fc.Arbitrary<readonly Fields[]> {
  const podPeer = weighted<Fields>(
    [3, namespaceSelector.map((namespaces) => ({ namespaces }))],
    [3, (older ? olderPods : pods).map((found) => ({ pods: found }))],
  );
  const peer =
    direction === "ingress"
      ? podPeer
      : weighted<Fields>(
          [4, podPeer],
          [4, networks.map((found) => ({ networks: found }))],
          [3, nodeSelector.map((nodes) => ({ nodes }))],
        );
  return few(peer).map((found) => (found.length === 0 ? [{ namespaces: {} }] : found));
}

const number = fc.constantFrom(...PORT_NUMBERS);
const range = fc
  .tuple(number, fc.constantFrom(1, 10, 1000))
  .map(([start, width]) =>
    start === 65535 ? { start: 65000, end: 65535 } : { start, end: Math.min(65535, start + width) },
  );

const protocolItem: fc.Arbitrary<Fields> = weighted<Fields>(
  [
    5,
    fc
      .tuple(
        fc.constantFrom("tcp", "tcp", "udp", "sctp"),
        weighted<Fields>([3, number.map((n) => ({ number: n }))], [2, range.map((found) => ({ range: found }))]),
      )
      .map(([key, destinationPort]) => ({ [key]: { destinationPort } })),
  ],
  [8, fc.constantFrom(...PORT_NAMES).map((destinationNamedPort) => ({ destinationNamedPort }))],
);

function rulesOf(direction: "ingress" | "egress", actions: readonly string[], older: boolean): fc.Arbitrary<unknown> {
  const rule = fields({
    name: sometimes(10, fc.constant("r")),
    action: fc.constantFrom(...actions),
    [direction === "ingress" ? "from" : "to"]: peersOf(direction, older),
    ...(older
      ? { ports: sometimes(75, few(olderPort).map(atLeastOne)) }
      : { protocols: sometimes(75, few(protocolItem).map(atLeastOne)) }),
  });
  return weighted<unknown>([2, fc.constant(undefined)], [1, fc.constant([])], [7, list(rule, 1, 3)]);
}

function atLeastOne(items: readonly Fields[]): readonly Fields[] | undefined {
  return items.length === 0 ? undefined : items;
}

const olderPort: fc.Arbitrary<Fields> = weighted<Fields>(
  [
    3,
    fc
      .tuple(number, sometimes(60, fc.constantFrom("TCP", "UDP", "SCTP")))
      .map(([port, protocol]) => ({ portNumber: protocol === undefined ? { port } : { protocol, port } })),
  ],
  [
    2,
    fc.tuple(range, fc.constantFrom("TCP", "UDP")).map(([found, protocol]) => ({ portRange: { protocol, ...found } })),
  ],
  [3, fc.constantFrom(...PORT_NAMES).map((namedPort) => ({ namedPort }))],
);

/** A ClusterNetworkPolicy. Priorities are few, so that some are equal. */
export function clusterNetworkPolicy(index: number): fc.Arbitrary<Fields> {
  const actions = ["Accept", "Deny", "Pass"];
  return fields({
    tier: fc.constantFrom("Admin", "Admin", "Baseline"),
    priority: fc.constantFrom(10 * index, 10 * index, 10 * index, 10 * index, 10 * index, 10 * index, 1),
    subject: subject(false),
    ingress: rulesOf("ingress", actions, false),
    egress: rulesOf("egress", actions, false),
  }).map((spec) => ({
    apiVersion: "policy.networking.k8s.io/v1alpha2",
    kind: "ClusterNetworkPolicy",
    metadata: { name: `cnp${index}` },
    spec,
  }));
}

/** The kinds of v1alpha1. */
export function adminNetworkPolicy(index: number): fc.Arbitrary<Fields> {
  const apiVersion = "policy.networking.k8s.io/v1alpha1";
  const admin = fields({
    priority: fc.constantFrom(10 * index, 10 * index, 10 * index, 10 * index, 1),
    subject: subject(true),
    ingress: rulesOf("ingress", ["Allow", "Deny", "Pass"], true),
    egress: rulesOf("egress", ["Allow", "Deny", "Pass"], true),
  }).map((spec): Fields => ({ apiVersion, kind: "AdminNetworkPolicy", metadata: { name: `anp${index}` }, spec }));
  const baseline = fields({
    subject: subject(true),
    ingress: rulesOf("ingress", ["Allow", "Deny"], true),
    egress: rulesOf("egress", ["Allow", "Deny"], true),
  }).map((spec): Fields => ({ apiVersion, kind: "BaselineAdminNetworkPolicy", metadata: { name: "default" }, spec }));
  return weighted([1, admin], [1, baseline]);
}
