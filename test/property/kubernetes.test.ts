/** Engine and reference over random clusters under the specification alone (kubernetes.md sections 1 and 2). */
import { afterAll, describe, expect, test } from "vitest";
import { Coverage } from "./coverage.ts";
import { isWhole } from "../whole.ts";
import { compareSets } from "./running.ts";
import { kubernetesScene } from "./scenes.ts";
import { expectCoverage } from "./thresholds.ts";

const coverage = new Coverage();

describe("[K8-34, CNP-18] NetworkPolicy and the policies of the tiers", () => {
  test(
    "both evaluators give the same verdict, reason and deciders",
    () => {
      const differences = compareSets({ arbitrary: kubernetesScene(40), seed: 12, sets: 9000 }, coverage);
      expect(differences).toBe("");
    },
    isWhole ? 3_600_000 : 240_000,
  );

  test("every kind of rule decides often enough, and nothing is unsure without a reason", () => {
    expectCoverage(coverage, [
      "NetworkPolicy ingress",
      "NetworkPolicy egress",
      "NetworkPolicy any peer",
      "NetworkPolicy podSelector",
      "NetworkPolicy namespaceSelector",
      "NetworkPolicy both selectors",
      "NetworkPolicy ipBlock",
      "NetworkPolicy ipBlock with except",
      "NetworkPolicy any port",
      "NetworkPolicy port number",
      "NetworkPolicy port name",
      "NetworkPolicy endPort",
      "NetworkPolicy protocol alone",
      "NetworkPolicy TCP",
      "NetworkPolicy UDP",
      "NetworkPolicy SCTP",
      "Admin Accept",
      "Admin Deny",
      "Baseline Accept",
      "Baseline Deny",
      "AdminNetworkPolicy Allow",
      "AdminNetworkPolicy Deny",
      "BaselineAdminNetworkPolicy Allow",
      "BaselineAdminNetworkPolicy Deny",
      "tier namespaces",
      "tier pods",
      "tier networks",
      "tier nodes",
      "tier any port",
      "tier port number",
      "tier port range",
      "tier port name",
      "default deny ingress",
      "default deny egress",
      "always allowed ingress",
      "always allowed egress",
      "no policy ingress",
      "no policy egress",
    ]);
  });
});

afterAll(() => console.log(coverage.table()));
