/** NetworkPolicies at random, over the whole of networking.k8s.io/v1 (kubernetes.md section 1). */
import fc from "fast-check";
import { type Fields, few, fields, list, sometimes, weighted, withoutAbsent } from "./arbitraries.ts";
import {
  CROWDED_NAMESPACES,
  INSIDE_PREFIXES,
  OUTSIDE_PREFIXES,
  PORT_NAMES,
  PORT_NUMBERS,
  PORT_PROTOCOLS,
  type PrefixFamily,
} from "./pools.ts";
import { namespaceSelector, podSelector } from "./selectors.ts";

export function ipBlock(prefixes: readonly PrefixFamily[]): fc.Arbitrary<Fields> {
  return fc
    .constantFrom(...prefixes)
    .chain(({ outer, inner }) =>
      inner.length === 0
        ? fc.constant({ cidr: outer })
        : weighted<Fields>(
            [2, fc.constant({ cidr: outer })],
            [4, list(fc.constantFrom(...inner), 1, 2).map((except) => ({ cidr: outer, except }))],
          ),
    );
}

const block = weighted([3, ipBlock(OUTSIDE_PREFIXES)], [1, ipBlock(INSIDE_PREFIXES)]);

const peer: fc.Arbitrary<Fields> = weighted<Fields>(
  [5, podSelector.map((selector) => ({ podSelector: selector }))],
  [4, namespaceSelector.map((selector) => ({ namespaceSelector: selector }))],
  [4, fields({ namespaceSelector, podSelector })],
  [8, block.map((found) => ({ ipBlock: found }))],
);

/** Lists of one kind and mixed ones. */
const peers: fc.Arbitrary<readonly Fields[] | null | undefined> = weighted<readonly Fields[] | null | undefined>(
  [4, fc.constant(undefined)],
  [1, fc.constantFrom<readonly Fields[] | null>([], null)],
  [40, few(peer)],
);

const rangedPort = fc
  .tuple(fc.constantFrom(...PORT_NUMBERS), fc.constantFrom(0, 1, 10, 1000))
  .map(([port, width]) => ({ port, endPort: Math.min(65535, port + width) }));

const port: fc.Arbitrary<Fields> = fc
  .tuple(
    weighted<Fields>(
      [6, fc.constantFrom(...PORT_NUMBERS).map((number) => ({ port: number }))],
      [10, fc.constantFrom(...PORT_NAMES).map((name) => ({ port: name }))],
      [3, rangedPort],
      [3, fc.constant({})],
    ),
    sometimes(65, fc.constantFrom(...PORT_PROTOCOLS, "SCTP")),
  )
  .map(([own, protocol]) => (protocol === undefined ? own : { protocol, ...own }));

const ports: fc.Arbitrary<readonly Fields[] | null | undefined> = weighted<readonly Fields[] | null | undefined>(
  [6, fc.constant(undefined)],
  [1, fc.constantFrom<readonly Fields[] | null>([], null)],
  [20, few(port)],
);

function rule(side: "from" | "to"): fc.Arbitrary<Fields> {
  return weighted<Fields>(
    [1, fc.constant({})],
    [
      40,
      fc.tuple(peers, ports).map(([own, found]) =>
        withoutAbsent([
          [side, own],
          ["ports", found],
        ]),
      ),
    ],
  );
}

function rules(side: "from" | "to"): fc.Arbitrary<unknown> {
  return weighted<unknown>(
    [12, fc.constant(undefined)],
    [3, fc.constantFrom<unknown>([], null)],
    [1, fc.constant([{}])],
    [32, few(rule(side))],
  );
}

const policyTypes = weighted<unknown>(
  [5, fc.constant(undefined)],
  [1, fc.constantFrom<unknown>([], null)],
  [2, fc.constant(["Ingress"])],
  [2, fc.constant(["Egress"])],
  [3, fc.constantFrom(["Ingress", "Egress"], ["Egress", "Ingress"])],
  [1, fc.constantFrom(["Ingress", "Ingress"], ["Egress", "Egress"])],
);

export const networkPolicySpec: fc.Arbitrary<Fields> = fields({
  podSelector: weighted<unknown>([10, podSelector], [1, fc.constantFrom<unknown>(null, undefined)]),
  policyTypes,
  ingress: rules("from"),
  egress: rules("to"),
});

/** One NetworkPolicy; `index` makes its name its own. */
export function networkPolicy(index: number): fc.Arbitrary<Fields> {
  return fc.tuple(fc.constantFrom(...CROWDED_NAMESPACES), networkPolicySpec).map(([namespace, spec]) => ({
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: `np${index}`, namespace },
    spec,
  }));
}
