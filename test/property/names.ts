/** DNS names at random: rules for look-ups, names as destinations, server names, and what is asked of them (cilium.md section 7). */
import fc from "fast-check";
import { type Fields, few, fields, rarely, someOf, sometimes, weighted } from "./arbitraries.ts";
import type { Direction } from "./cilium-policies.ts";
import { NODE_ADDRESSES } from "./pools.ts";

/** Names that are dialled, looked up and declared. */
export const NAMES = [
  "a.io",
  "x.a.io",
  "y.x.a.io",
  "z.y.x.a.io",
  "b.io",
  "io",
  "cilium.io",
  "xcilium.io",
  "www.cilium.io",
  "sub.cilium.io",
  "subdomain.cilium.io",
  "partial.com",
  "part-extra-ial.com",
  "web.prod.svc.far",
] as const;

/** The spellings of a rule: capitals and a trailing dot mean the same name (R7.1.1, R7.1.2). */
const MATCH_NAMES = [...NAMES, "A.io", "b.io.", "WWW.cilium.IO."];

/** Every kind of wildcard (R7.1.2 to R7.1.4). */
const MATCH_PATTERNS = [
  "*",
  "**",
  "**.",
  "*.",
  "*.io",
  "*.*",
  "*.a.io",
  "*.A.IO.",
  "**.a.io",
  "***.io",
  "*.*.a.io",
  "y.**.io",
  "*.cilium.io",
  "*cilium.io",
  "**cilium.io",
  "sub*.cilium.io",
  "part*ial.com",
  "*.*.svc.far",
  "a.io",
  "*a*",
];

/** An item of `toFQDNs` or of a DNS rule: a name, a pattern, both, or neither (R7.1.5, R7.1.6). */
export const nameItem: fc.Arbitrary<Fields> = weighted<Fields>(
  [5, fields({ matchName: fc.constantFrom(...MATCH_NAMES) })],
  [7, fields({ matchPattern: fc.constantFrom(...MATCH_PATTERNS) })],
  [1, fields({ matchName: fc.constantFrom(...MATCH_NAMES), matchPattern: fc.constantFrom(...MATCH_PATTERNS) })],
  [1, fc.constant({})],
);

const dnsRules = few(nameItem).map((dns) => ({ dns: dns.length === 0 ? [{ matchPattern: "*" }] : dns }));

const dnsPorts: fc.Arbitrary<readonly Fields[]> = weighted<readonly Fields[]>(
  [5, fc.constant([{ port: "53", protocol: "UDP" }])],
  [3, fc.constant([{ port: "53", protocol: "ANY" }])],
  [2, fc.constant([{ port: "53" }])],
  [1, fc.constant([{ port: "53", protocol: "TCP" }])],
  [
    1,
    fc.constant([
      { port: "53", protocol: "UDP" },
      { port: "5353", protocol: "UDP" },
    ]),
  ],
);

/** A server name; since 1.18 with wildcards, before any text (R5.9). */
export const serverNames = few(fc.constantFrom("a.io", "x.a.io", "A.io", "*.a.io", "**.a.io", "www.cilium.io"), 2);

/** The application part of a `toPorts` item: look-ups at egress, server names, or none. */
export function nameApplication(direction: Direction): fc.Arbitrary<Fields | undefined> {
  return weighted<Fields | undefined>(
    [direction === "egress" ? 6 : 0, fc.tuple(dnsPorts, dnsRules).map(([ports, rules]) => ({ ports, rules }))],
    [2, serverNames.map((names) => ({ serverNames: names.length === 0 ? ["a.io"] : names }))],
    [2, fc.constant(undefined)],
  );
}

/** Peers that may select the name server. */
const SERVER_PEERS: readonly Fields[] = [
  { toEntities: ["all"] },
  { toEntities: ["cluster"] },
  { toEntities: ["host"] },
  { toEndpoints: [{ matchLabels: { "k8s:io.kubernetes.pod.namespace": "kube-system" } }] },
  { toEndpoints: [{ matchLabels: { "k8s:io.kubernetes.pod.namespace": "kube-system", "k8s-app": "kube-dns" } }] },
  {},
];

/** An entry that lets the name server be asked: with a list of names, or plain, of the same filter or another (R7.2.2, R7.2.3). */
export const lookUp: fc.Arbitrary<Fields> = weighted<Fields>(
  [
    6,
    fc
      .tuple(fc.constantFrom(...SERVER_PEERS), dnsPorts, dnsRules)
      .map(([peers, ports, rules]) => ({ ...peers, toPorts: [{ ports, rules }] })),
  ],
  [
    2,
    fc.tuple(fc.constantFrom(...SERVER_PEERS), dnsPorts).map(([peers, ports]) => ({ ...peers, toPorts: [{ ports }] })),
  ],
  [
    1,
    fc.constantFrom(...SERVER_PEERS.slice(0, -1)).chain((peers) =>
      fc.constantFrom<Fields>(peers, {
        ...peers,
        toPorts: [{ ports: [{ port: "50", endPort: 60, protocol: "UDP" }] }],
      }),
    ),
  ],
);

function isMapping(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** An entry that names destinations. */
export const namedDestinations: fc.Arbitrary<Fields> = fc
  .tuple(few(nameItem), sometimes(40, fc.constantFrom("443", "80", "53")))
  .map(([toFQDNs, port]) => ({
    toFQDNs,
    ...(port === undefined ? {} : { toPorts: [{ ports: [{ port, protocol: "TCP" }] }] }),
  }));

/**
 * The same policies with entries for look-ups and for names in most rules for egress of pods, many of them for every pod:
 * by chance alone few pods would have any.
 */
export function withLookUps(policies: readonly Fields[]): fc.Arbitrary<readonly Fields[]> {
  const added = (rule: unknown): fc.Arbitrary<unknown> => {
    if (!isMapping(rule) || !Array.isArray(rule["egress"]) || rule["nodeSelector"] !== undefined)
      return fc.constant(rule);
    const egress: readonly unknown[] = rule["egress"];
    return fc
      .tuple(sometimes(70, few(lookUp, 2)), sometimes(60, namedDestinations), rarely(2))
      .map(([more = [], named, forAll]) => ({
        ...rule,
        ...(forAll ? { endpointSelector: {} } : {}),
        egress: [...egress, ...more, ...(named === undefined ? [] : [named])],
      }));
  };
  return fc.tuple(
    ...policies.map((policy): fc.Arbitrary<Fields> => {
      if (!String(policy["kind"]).startsWith("Cilium")) return fc.constant(policy);
      return added(policy["spec"]).map((spec) => (spec === undefined ? policy : { ...policy, spec }));
    }),
  );
}

const server = (name: string, labels: Fields, spec: Fields, address: string): Fields => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace: "kube-system", labels },
  spec: { nodeName: "n1", ...spec },
  status: { podIP: address, podIPs: [{ ip: address }] },
});

const listening = (...ports: readonly Fields[]): Fields => ({ containers: [{ name: "m", image: "i", ports }] });

/** The cluster's name server, or none; it listens on 53, elsewhere, nobody told where, or on the host network (R7.2.5). */
export const nameServer: fc.Arbitrary<readonly Fields[]> = fc
  .tuple(
    weighted<readonly Fields[]>(
      [3, fc.constant([])],
      [
        5,
        fc.constant([
          server(
            "dns",
            { "k8s-app": "kube-dns" },
            listening(
              { name: "dns", containerPort: 53, protocol: "UDP" },
              { name: "dns-tcp", containerPort: 53, protocol: "TCP" },
            ),
            "10.244.1.53",
          ),
        ]),
      ],
      [
        1,
        fc.constant([
          server("dns", { "k8s-app": "kube-dns" }, listening({ containerPort: 5353, protocol: "UDP" }), "10.244.1.53"),
        ]),
      ],
      [1, fc.constant([server("dns", { "k8s-app": "coredns" }, listening(), "10.244.1.53")])],
      [
        1,
        fc.constant([
          server(
            "dns",
            { "k8s-app": "node-local-dns" },
            { hostNetwork: true, ...listening({ name: "dns", containerPort: 53, protocol: "UDP" }) },
            NODE_ADDRESSES["n1"]?.[0] ?? "",
          ),
        ]),
      ],
    ),
    someOf([["team", ["red", "blue"]]], 1),
  )
  .map(([pods, labels]) => [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: "kube-system", labels } },
    ...pods,
  ]);

/** Addresses that names have; the last are those of a pod and of a node, which no name selects (R7.3.3). */
const ADDRESSES = ["203.0.113.9", "192.0.2.7", "192.0.2.8", "2001:db8::9", "198.51.100.3"] as const;
const INSIDE = ["10.244.1.10", "10.0.0.2"] as const;

/** To which addresses names are declared to resolve; some share one (R7.3.2). */
export const resolutions: fc.Arbitrary<Readonly<Record<string, readonly string[]>>> = fc
  .array(
    fc.tuple(
      fc.constantFrom(...NAMES),
      weighted<string>([12, fc.constantFrom(...ADDRESSES)], [1, fc.constantFrom(...INSIDE)]),
    ),
    { minLength: 1, maxLength: 12 },
  )
  .map((pairs) => {
    const found = new Map<string, Set<string>>();
    for (const [name, address] of pairs) found.set(name, (found.get(name) ?? new Set()).add(address));
    return Object.fromEntries([...found].map(([name, addresses]) => [name, [...addresses]]));
  });

/** What of a flow is about names: the destination, where one is dialled, and the server name, where one is sent. */
export const dialled: fc.Arbitrary<{ readonly to: string | undefined; readonly serverName: string | undefined }> = fc
  .tuple(
    weighted<string | undefined>(
      [6, fc.constantFrom(...NAMES, "A.io.").map((name) => `fqdn:${name}`)],
      [2, fc.constantFrom(...ADDRESSES).map((address) => `ip:${address}`)],
      [2, fc.constant(undefined)],
    ),
    fc.constantFrom("a.io", "x.a.io", "y.x.a.io", "www.cilium.io", "b.io"),
    rarely(3),
  )
  .map(([to, serverName, secured]) => ({ to, serverName: secured ? serverName : undefined }));
