/** CiliumNetworkPolicies and clusterwide ones at random, layers 3 and 4 whole (cilium.md 1.3, 1.4, 2, 5). */
import fc from "fast-check";
import { type Fields, few, fields, list, rarely, sometimes, weighted, withoutAbsent } from "./arbitraries.ts";
import { ipBlock } from "./network-policies.ts";
import {
  CIDR_GROUP_LABELS,
  CIDR_GROUPS,
  CROWDED_NAMESPACES,
  INSIDE_PREFIXES,
  NAMESPACES,
  OUTSIDE_PREFIXES,
  PORT_NAMES,
  PORT_NUMBERS,
  SERVICE_LABELS,
  SERVICE_NAMES,
} from "./pools.ts";
import { ciliumNodeSelector, endpointPeer, endpointSubject, labelSelector } from "./selectors.ts";

/** What of the grammar a set of policies may use. */
export interface Grammar {
  readonly release: string;
  /** Whether `enable-node-selector-labels` is set: else `fromNodes` is refused (V15). */
  readonly nodes: boolean;
  /**
   * Which facts that no input tells rules may need: groups of a cloud and missing CIDR groups, or authentication. Not both:
   * the engine does not follow that one unknown fact decides both whether a rule holds and what it demands.
   */
  readonly planted: "peers" | "authentication" | undefined;
  /** Whether `toServices` may stand there; absent: yes. */
  readonly services?: false;
  /** What `toPorts` items hold beyond ports. Absent: nothing. */
  readonly application?: (direction: Direction) => fc.Arbitrary<Fields | undefined>;
  /** Items of `toFQDNs`. Absent: none. */
  readonly names?: fc.Arbitrary<Fields>;
}

export type Direction = "ingress" | "egress";

const ENTITIES = [
  "all",
  "world",
  "cluster",
  "host",
  "remote-node",
  "kube-apiserver",
  "health",
  "init",
  "ingress",
  "unmanaged",
  "none",
];

const prefixes = [...OUTSIDE_PREFIXES, ...OUTSIDE_PREFIXES, ...INSIDE_PREFIXES].flatMap(({ outer, inner }) => [
  outer,
  ...inner,
]);
const cidr = weighted<string>(
  [8, fc.constantFrom(...prefixes)],
  [1, fc.constantFrom("203.0.113.9", "2001:db8::9", "10.244.1.10", "10.0.0.1")],
);

function cidrRule({ release, planted }: Grammar, deny: boolean): fc.Arbitrary<Fields> {
  const except = sometimes(40, list(fc.constantFrom("203.0.113.8/29", "203.0.113.0/28", "2001:db8::/65"), 0, 2));
  // One missing group beside itself in a deny would make two unknown facts of one.
  const names = planted === "peers" ? [...CIDR_GROUPS, deny ? "absent-deny" : "absent"] : CIDR_GROUPS;
  return weighted<Fields>(
    [6, weighted([3, ipBlock(OUTSIDE_PREFIXES)], [1, ipBlock(INSIDE_PREFIXES)])],
    [3, fields({ cidrGroupRef: fc.constantFrom(...names), except })],
    [release === "1.17" ? 0 : 3, fields({ cidrGroupSelector: labelSelector(CIDR_GROUP_LABELS), except })],
  );
}

const service: fc.Arbitrary<Fields> = weighted<Fields>(
  [
    3,
    fields({
      k8sService: fields({
        serviceName: fc.constantFrom(...SERVICE_NAMES),
        namespace: sometimes(60, fc.constantFrom(...NAMESPACES)),
      }),
    }),
  ],
  [
    2,
    fields({
      k8sServiceSelector: fields({
        selector: labelSelector(SERVICE_LABELS),
        namespace: sometimes(50, fc.constantFrom(...NAMESPACES)),
      }),
    }),
  ],
);

/** The L3 part of an entry: one kind, none, or an empty list (2.4). */
function peersOf(direction: Direction, deny: boolean, grammar: Grammar): fc.Arbitrary<Fields> {
  const side = direction === "ingress" ? "from" : "to";
  const of = (name: string, items: fc.Arbitrary<readonly unknown[]>): fc.Arbitrary<Fields> =>
    items.map((found) => ({ [`${side}${name}`]: found }));
  const egress = direction === "egress";
  return weighted<Fields>(
    [5, fc.constant({})],
    [9, of("Endpoints", few(endpointPeer))],
    [5, of("CIDR", few(cidr))],
    [8, of("CIDRSet", few(cidrRule(grammar, deny)))],
    [6, of("Entities", few(fc.constantFrom(...ENTITIES)))],
    [grammar.nodes ? 12 : 0, of("Nodes", few(ciliumNodeSelector))],
    [
      egress && grammar.services !== false && grammar.planted !== "authentication" ? 5 : 0,
      of("Services", few(service, 2)),
    ],
    [
      grammar.planted === "peers" && (egress || grammar.release !== "1.17") ? 1 : 0,
      of("Groups", fc.constant([{ aws: { region: deny ? "denied" : "allowed" } }])),
    ],
    [egress && !deny && grammar.names !== undefined ? 12 : 0, of("FQDNs", few(grammar.names ?? fc.constant({})))],
    [
      1,
      fc.constantFrom("Endpoints", "CIDR", "CIDRSet", "Entities", "Nodes").map((name) => ({ [`${side}${name}`]: [] })),
    ],
    [1, fc.constantFrom("Endpoints", "CIDR").map((name) => ({ [`${side}${name}`]: null }))],
  );
}

const portNumber = weighted<string>(
  [8, fc.constantFrom(...PORT_NUMBERS).map(String)],
  [1, fc.constant("0")],
  [1, fc.constantFrom("0120", "65535", "012")],
);
const protocol = weighted<string | undefined>(
  [6, fc.constant("TCP")],
  [3, fc.constantFrom("UDP", "SCTP")],
  [2, fc.constant("ANY")],
  [3, fc.constant(undefined)],
);

const portItem: fc.Arbitrary<Fields> = weighted<Fields>(
  [7, fields({ port: portNumber, protocol })],
  [
    3,
    fc
      .tuple(portNumber, fc.constantFrom(0, 1, 10, 1000), fc.constantFrom(-1, 1), protocol)
      .map(([port, width, sign, own]) =>
        withoutAbsent([
          ["port", port],
          ["endPort", Math.max(0, Math.min(65535, Number(port) + (width === 1 ? sign : width)))],
          ["protocol", own],
        ]),
      ),
  ],
  [5, fields({ port: fc.constantFrom(...PORT_NAMES, "WEB"), protocol, endPort: sometimes(10, fc.constant(9000)) })],
  [
    1,
    fc.constantFrom<Fields>(
      { port: "8", protocol: "ICMP" },
      { port: "0", protocol: "ICMPv6" },
      { port: "0", protocol: "ICMP" },
    ),
  ],
);

function portRule(direction: Direction, deny: boolean, grammar: Grammar): fc.Arbitrary<Fields> {
  const ports = weighted<unknown>([14, few(portItem)], [1, fc.constantFrom<unknown>([], undefined)]);
  const { application } = grammar;
  const plain = fields({ ports });
  if (application === undefined || deny) return plain;
  const judged = fc
    .tuple(
      weighted<readonly Fields[]>(
        [3, list(fields({ port: fc.constantFrom("80", "8080", "443"), protocol: fc.constant("TCP") }), 1, 2)],
        [
          1,
          fc.constantFrom<readonly Fields[]>(
            [{ port: "80", endPort: 81, protocol: "TCP" }],
            [{ port: "web", protocol: "TCP" }],
          ),
        ],
      ),
      application(direction),
    )
    .map(([found, own]) => ({ ports: found, ...own }));
  return weighted([2, plain], [5, judged]);
}

const ICMP_TYPES: readonly (readonly ["IPv4" | "IPv6", string | number])[] = [
  ["IPv4", 8],
  ["IPv4", "EchoRequest"],
  ["IPv4", 0],
  ["IPv4", "DestinationUnreachable"],
  ["IPv4", 13],
  ["IPv6", 128],
  ["IPv6", "EchoRequest"],
  ["IPv6", "EchoReply"],
  ["IPv6", "NeighborSolicitation"],
  ["IPv6", 0],
];

const icmpField: fc.Arbitrary<Fields> = fc
  .tuple(fc.constantFrom(...ICMP_TYPES), rarely(3))
  .map(([[family, type], short]) => (short && family === "IPv4" ? { type } : { family, type }));

const icmpRule: fc.Arbitrary<Fields> = weighted<Fields>(
  [10, few(icmpField).map((found) => ({ fields: found }))],
  [1, fc.constantFrom<Fields>({}, { fields: [] })],
);

/** The L4 part: none, `toPorts`, or `icmps` (5, 2.4). */
function trafficOf(direction: Direction, deny: boolean, grammar: Grammar): fc.Arbitrary<Fields> {
  return weighted<Fields>(
    [grammar.application === undefined ? 5 : 2, fc.constant({})],
    [9, few(portRule(direction, deny, grammar)).map((toPorts) => ({ toPorts }))],
    [grammar.application === undefined ? 3 : 1, few(icmpRule).map((icmps) => ({ icmps }))],
    [1, fc.constantFrom<Fields>({ toPorts: [] }, { toPorts: [{}] }, { icmps: [] }, { toPorts: null, icmps: [{}] })],
  );
}

function entry(direction: Direction, deny: boolean, grammar: Grammar): fc.Arbitrary<Fields> {
  const requires = direction === "ingress" ? "fromRequires" : "toRequires";
  return fc
    .tuple(
      peersOf(direction, deny, grammar),
      trafficOf(direction, deny, grammar),
      sometimes(grammar.release === "1.19" ? 0 : 6, few(endpointPeer, 2)),
      sometimes(
        grammar.planted === "authentication" && !deny ? 12 : 0,
        fc.constantFrom("required", "disabled", "test-always-fail"),
      ),
    )
    .map(([peers, traffic, required, mode]) => ({
      ...peers,
      ...traffic,
      ...(required === undefined ? {} : { [requires]: required }),
      ...(mode === undefined ? {} : { authentication: { mode } }),
    }));
}

function section(direction: Direction, deny: boolean, percent: number, grammar: Grammar): fc.Arbitrary<unknown> {
  return weighted<unknown>(
    [100 - percent, fc.constant(undefined)],
    [
      percent,
      weighted<unknown>([10, few(entry(direction, deny, grammar))], [1, fc.constantFrom<unknown>([{}], [], null)]),
    ],
  );
}

const enableDefaultDeny: fc.Arbitrary<unknown> = sometimes(
  25,
  fields({ ingress: sometimes(70, fc.boolean()), egress: sometimes(70, fc.boolean()) }),
);

/** One rule. It has at least one entry: without any it is refused (V2), which the mistakes cover. */
function rule(subject: fc.Arbitrary<Fields>, grammar: Grammar): fc.Arbitrary<Fields> {
  return fc
    .tuple(
      subject,
      fields({
        ingress: section("ingress", false, 60, grammar),
        egress: section("egress", false, 55, grammar),
        ingressDeny: section("ingress", true, 22, grammar),
        egressDeny: section("egress", true, 22, grammar),
        enableDefaultDeny,
        description: sometimes(3, fc.constant("d")),
      }),
    )
    .map(([own, parts]) => {
      const length = ["ingress", "egress", "ingressDeny", "egressDeny"]
        .map((key) => parts[key])
        .reduce<number>((sum, entries) => sum + (Array.isArray(entries) ? entries.length : 0), 0);
      return { ...own, ...(length === 0 ? { ...parts, ingress: [{}] } : parts) };
    });
}

function object(
  kind: string,
  name: string,
  namespace: string | undefined,
  rules: fc.Arbitrary<Fields>,
): fc.Arbitrary<Fields> {
  const metadata = namespace === undefined ? { name } : { name, namespace };
  const base = { apiVersion: "cilium.io/v2", kind, metadata };
  return weighted<Fields>(
    [8, rules.map((spec) => ({ ...base, spec }))],
    [1, list(rules, 1, 2).map((specs) => ({ ...base, specs }))],
    [1, fc.tuple(rules, rules).map(([spec, other]) => ({ ...base, spec, specs: [other] }))],
  );
}

export function ciliumNetworkPolicy(index: number, grammar: Grammar): fc.Arbitrary<Fields> {
  const subject = endpointSubject.map((endpointSelector) => ({ endpointSelector }));
  return fc
    .constantFrom(...CROWDED_NAMESPACES)
    .chain((namespace) => object("CiliumNetworkPolicy", `cnp${index}`, namespace, rule(subject, grammar)));
}

/** Some of them for nodes, which may hold no application rules (V14). */
export function ciliumClusterwideNetworkPolicy(index: number, grammar: Grammar): fc.Arbitrary<Fields> {
  const { application: _, names: __, ...plain } = grammar;
  return weighted(
    [
      5,
      object(
        "CiliumClusterwideNetworkPolicy",
        `ccnp${index}`,
        undefined,
        rule(
          endpointSubject.map((endpointSelector) => ({ endpointSelector })),
          grammar,
        ),
      ),
    ],
    [
      4,
      object(
        "CiliumClusterwideNetworkPolicy",
        `ccnp${index}`,
        undefined,
        rule(
          ciliumNodeSelector.map((nodeSelector) => ({ nodeSelector })),
          plain,
        ),
      ),
    ],
  );
}
