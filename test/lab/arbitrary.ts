/** Random rulesets over a small cluster, with values close enough to each other to meet. */

import fc from "fast-check";
import type { LearnedAddress } from "../../src/lab/verdicts.ts";
import type { Peer, Prefix, Ruleset, RulesetEntry, SubjectRules, Traffic } from "../../src/lab/ruleset.ts";

export const IDENTITIES = [1001, 1002, 1003, 1004] as const;
const PORTS = [79, 80, 81, 90, 443, 65_535] as const;
export const OUTSIDE = ["203.0.113.7", "203.0.113.130", "198.51.100.9", "8.8.8.8", "10.0.0.99"] as const;
const CIDRS = [
  "0.0.0.0/0",
  "203.0.113.0/24",
  "203.0.113.128/25",
  "203.0.113.7/32",
  "198.51.0.0/16",
  "10.0.0.0/8",
  "10.0.0.2/31",
  "192.168.50.0/24",
  "2001:db8::/32",
  "::/0",
] as const;

const prefix: fc.Arbitrary<Prefix> = fc.record({
  cidr: fc.constantFrom(...CIDRS),
  except: fc.constantFrom<readonly string[]>(
    [],
    ["203.0.113.128/25"],
    ["203.0.113.7/32", "10.0.0.2/32"],
    ["198.51.100.0/24"],
  ),
});

export function peer(covers: readonly Extract<Peer, { kind: "prefixes" }>["covers"][]): fc.Arbitrary<Peer> {
  return fc.oneof(
    fc.constant<Peer>({ kind: "any" }),
    fc
      .uniqueArray(fc.constantFrom(...IDENTITIES, 1, 2, 6), { maxLength: 4 })
      .map((identities): Peer => ({ kind: "identities", identities })),
    fc
      .record({ prefixes: fc.array(prefix, { minLength: 1, maxLength: 3 }), covers: fc.constantFrom(...covers) })
      .map((rest): Peer => ({ kind: "prefixes", ...rest })),
  );
}

const ports = fc
  .tuple(fc.constantFrom(...PORTS), fc.constantFrom(...PORTS))
  .map(([a, b]) => ({ first: Math.min(a, b), last: Math.max(a, b) }));

export const traffic: fc.Arbitrary<Traffic> = fc.oneof(
  fc.constant<Traffic>({ protocol: "any" }),
  fc.record({ protocol: fc.constantFrom("TCP", "UDP", "SCTP"), ports: fc.option(ports) }),
  fc.record({ protocol: fc.constantFrom("ICMP", "ICMPv6"), type: fc.option(fc.constantFrom(0, 3, 8, 128, 255)) }),
);

/** Where an entry stands: mostly in the one tier that all share. */
const standing = fc.oneof(
  { weight: 3, arbitrary: fc.constant({}) },
  { weight: 1, arbitrary: fc.record({ tier: fc.nat({ max: 2 }), order: fc.nat({ max: 2 }) }) },
);

const NAMES = ["^[-a-zA-Z0-9_]*[.]a[.]io[.]$", "^x[.]a[.]io[.]$", "^y[.]a[.]io[.]$", "^b[.]io[.]$"] as const;

/** Also names, for rules of egress. */
export function peerOrName(covers: Parameters<typeof peer>[0]): fc.Arbitrary<Peer> {
  const names = fc
    .uniqueArray(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 2 })
    .map((list): Peer => ({ kind: "names", names: list.map((expression) => ({ text: expression, expression })) }));
  return fc.oneof({ weight: 2, arbitrary: peer(covers) }, { weight: 1, arbitrary: names });
}

/** What nodes may have learned, also of addresses that are not outside. */
export const learned: fc.Arbitrary<readonly LearnedAddress[]> = fc.uniqueArray(
  fc.record({
    node: fc.constantFrom("node-1", "node-2"),
    address: fc.constantFrom(...OUTSIDE, "2a00::1", "10.0.0.2", "192.168.50.2"),
    names: fc.uniqueArray(fc.constantFrom("x.a.io.", "y.a.io.", "b.io.", "a.io."), { minLength: 1 }),
  }),
  { maxLength: 6, selector: ({ node, address }) => `${node} ${address}` },
);

function entries(peers: fc.Arbitrary<Peer>): fc.Arbitrary<readonly RulesetEntry[]> {
  const entry = fc.record({
    action: fc.constantFrom("allow", "allow", "deny", "pass"),
    peer: peers,
    traffic,
    standing,
  });
  return fc.array(entry, { maxLength: 6 }).map((list) =>
    list.map(
      ({ standing: where, ...rest }, index): RulesetEntry => ({
        ...rest,
        ...where,
        origin: `CiliumNetworkPolicy/default/p${index}`,
      }),
    ),
  );
}

export function ruleset(peers: fc.Arbitrary<Peer>): fc.Arbitrary<Ruleset> {
  const subject = (identity: number, direction: "ingress" | "egress"): fc.Arbitrary<SubjectRules> =>
    fc
      .record({ isolated: fc.boolean(), isolatedIn: fc.option(fc.nat({ max: 2 })), entries: entries(peers) })
      .map(({ isolatedIn, ...rest }) => ({
        ...rest,
        ...(isolatedIn === null ? {} : { isolatedIn }),
        identity,
        direction,
        isolatedBy: rest.isolated ? ["CiliumNetworkPolicy/default/isolates"] : [],
      }));
  const each = IDENTITIES.flatMap((identity) => [
    fc.option(subject(identity, "ingress")),
    fc.option(subject(identity, "egress")),
  ]);
  return fc.tuple(...each).map((subjects) => ({ subjects: subjects.filter((found) => found !== null), policies: [] }));
}

export const packet = fc.record({
  protocol: fc.constantFrom(1, 6, 6, 6, 17, 47, 58, 132),
  destinationPort: fc.constantFrom(0, 3, 8, 78, 79, 80, 81, 82, 89, 90, 91, 128, 255, 442, 443, 444, 65_534, 65_535),
});
