/** Engine and reference over random HTTP rules, with requests near what they match (cilium.md section 6). */
import { afterAll, describe, expect, test } from "vitest";
import { Coverage } from "./coverage.ts";
import { isWhole } from "../whole.ts";
import { compareSets } from "./running.ts";
import { httpScene } from "./scenes.ts";
import { expectCoverage } from "./thresholds.ts";

const coverage = new Coverage();

describe("[R6.1.1, R6.1.2, R6.3.4, R6.3.5] rules for requests", () => {
  test.each([
    ["cilium@1.17", 61, 1600],
    ["cilium@1.18", 62, 1700],
    ["cilium@1.19", 63, 1800],
  ] as const)(
    "both evaluators give the same verdict, reason and deciders under %s",
    (dialect, seed, sets) => {
      const differences = compareSets({ arbitrary: httpScene(dialect, 40), seed, sets }, coverage);
      expect(differences).toBe("");
    },
    isWhole ? 3_600_000 : 240_000,
  );

  test("every kind of rule decides often enough, and nothing is unsure without a reason", () => {
    expectCoverage(coverage, [
      "http any",
      "http method",
      "http path",
      "http host",
      "http headers",
      "http headerMatches",
      "http mismatch action",
      "CiliumNetworkPolicy ingress",
      "CiliumNetworkPolicy egress",
      "CiliumClusterwideNetworkPolicy ingress",
      "CiliumClusterwideNetworkPolicy egress",
      "default deny ingress",
      "default deny egress",
    ]);
  });
});

afterAll(() => console.log(coverage.table()));
