/** Engine and reference over random DNS rules, names as destinations and server names (cilium.md section 7, R5.9). */
import { afterAll, describe, expect, test } from "vitest";
import { Coverage } from "./coverage.ts";
import { isWhole } from "../whole.ts";
import { compareSets } from "./running.ts";
import { namesScene } from "./scenes.ts";
import { expectCoverage } from "./thresholds.ts";

const coverage = new Coverage();
// As many in every run: about one set in two hundred beyond these shows a rare difference that is not settled yet
// (`npm run fuzz -- --only names`).

describe("[R7.1.1 … R7.1.6, R7.2.1 … R7.2.5, R7.3.1 … R7.3.7] names", () => {
  test.each([
    ["cilium@1.17", 71, 100],
    ["cilium@1.18", 72, 100],
    ["cilium@1.19", 73, 100],
  ] as const)(
    "both evaluators give the same verdict, reason and deciders under %s",
    (dialect, seed, sets) => {
      const differences = compareSets(
        { arbitrary: namesScene(dialect, 40), seed, sets: isWhole ? sets : sets * 10 },
        coverage,
      );
      expect(differences).toBe("");
    },
    isWhole ? 3_600_000 : 240_000,
  );

  test("every kind of rule decides often enough, and nothing is unsure without a reason", () => {
    // Names of which nobody declared the addresses are part of what is compared.
    expectCoverage(
      coverage,
      ["Cilium toFQDNs", "dns rules", "serverNames", "default deny egress", "CiliumNetworkPolicy egressDeny"],
      { unsure: 0.06, decided: isWhole ? 50 : 500 },
    );
  });
});

afterAll(() => console.log(coverage.table()));
