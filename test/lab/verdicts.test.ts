import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { populationOf } from "../../src/lab/sites.ts";
import { judgementOf, VerdictCompiler } from "../../src/lab/verdicts.ts";
import { patternMatches } from "../../src/net/path-language.ts";
import { learned, OUTSIDE, packet, peer, peerOrName, ruleset } from "./arbitrary.ts";
import { EMPTY, entry, ingress, pod, rules, SEGREGATED, twoApplications } from "./clusters.ts";
import { judge } from "./naive.ts";

const population = populationOf({
  ...EMPTY,
  nodes: [...EMPTY.nodes, { name: "node-2", addresses: ["192.168.50.2"], identity: 6 }],
  pods: [
    pod("default/a", 1001, "10.0.0.1"),
    pod("default/b", 1002, "10.0.0.2"),
    pod("default/c", 1003, "10.0.0.3", { node: "node-2" }),
    pod("default/d", 1004, "2001:db8::4"),
    pod("default/e", 1004, "10.0.0.4"),
  ],
});
const ADDRESSES = [...population.known.map(({ address }) => address), ...OUTSIDE, "2001:db8:ffff::1", "2a00::1"];

describe("verdict tables", () => {
  test("mean what the ruleset means, also when one compiler has compiled others before", () => {
    const compiler = new VerdictCompiler(patternMatches);
    const addresses = fc.constantFrom(...ADDRESSES);
    const property = fc.property(
      ruleset(peer(["outside", "nodes", "all"])),
      fc.array(fc.tuple(addresses, addresses, packet), { minLength: 60, maxLength: 60 }),
      (rulesetUnderTest, packets) => {
        const tables = compiler.compile(population, rulesetUnderTest);
        for (const [source, destination, rest] of packets) {
          if (source === destination || source.includes(":") !== destination.includes(":")) continue;
          const one = { source, destination, ...rest };
          for (const direction of ["egress", "ingress"] as const) {
            const expected = judge(rulesetUnderTest, population, direction, one);
            const actual = judgementOf(tables, direction, one);
            const shown = actual === null ? null : { action: actual.action, policies: actual.policies };
            // No entry and no isolation is the same as no rules.
            if (expected?.action === "allow" && expected.policies.length === 0)
              expect(actual?.action ?? "allow").toBe("allow");
            else expect(shown, JSON.stringify({ direction, one })).toEqual(expected);
          }
        }
      },
    );
    fc.assert(property, { numRuns: 300, seed: 7 });
  });

  test("names mean what their node has learned, compiled at once or learned one by one", () => {
    const compiler = new VerdictCompiler(patternMatches);
    const addresses = fc.constantFrom(...ADDRESSES);
    const property = fc.property(
      ruleset(peerOrName(["outside", "all"])),
      learned,
      fc.array(fc.tuple(addresses, addresses, packet), { minLength: 40, maxLength: 40 }),
      (rulesetUnderTest, known, packets) => {
        const told = { ...population, learned: known };
        const tables = compiler.compile(told, rulesetUnderTest);
        // The classes of what was learned are there, so that learning it again needs no new tables.
        for (const one of known) {
          const found = compiler.learnedClass(one);
          expect(found.class).toBe(tables.learned.get(found.key) ?? 0);
        }
        for (const [source, destination, rest] of packets) {
          if (source === destination || source.includes(":") !== destination.includes(":")) continue;
          const one = { source, destination, ...rest };
          const expected = judge(rulesetUnderTest, told, "egress", one);
          const actual = judgementOf(tables, "egress", one);
          expect(actual?.action ?? "allow", JSON.stringify(one)).toBe(expected?.action ?? "allow");
        }
      },
    );
    fc.assert(property, { numRuns: 300, seed: 7 });
  });

  test("rules that stay keep their number, so that a change loads what is new", () => {
    const compiler = new VerdictCompiler(patternMatches);
    const before = compiler.compile(populationOf(twoApplications()), SEGREGATED);
    const other = ingress(1003, [entry({ peer: { kind: "identities", identities: [1004] } })]);
    const after = compiler.compile(populationOf(twoApplications()), {
      ...SEGREGATED,
      subjects: [...SEGREGATED.subjects, other],
    });
    expect(after.ingress.get("10.0.0.1")).toBe(before.ingress.get("10.0.0.1"));
    expect(after.versions.size).toBe(2);
  });

  test("a prefix rule of ten thousand ranges is one class", () => {
    const prefixes = Array.from({ length: 10_000 }, (_, i) => ({ cidr: `20.${i >> 8}.${i & 255}.0/25`, except: [] }));
    const tables = new VerdictCompiler(patternMatches).compile(
      population,
      rules(ingress(1001, [entry({ peer: { kind: "prefixes", prefixes, covers: "outside" } })])),
    );
    expect(new Set(tables.ranges[4].map((range) => range.class)).size).toBe(2);
    expect([...tables.versions.values()][0]?.table.size).toBeLessThan(8);
  });
});
