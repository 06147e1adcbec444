/** Engine and reference over random clusters under Cilium, layers 3 and 4, each release (cilium.md). */
import { afterAll, describe, expect, test } from "vitest";
import { Coverage } from "./coverage.ts";
import { isWhole } from "../whole.ts";
import { compareSets } from "./running.ts";
import { ciliumScene } from "./scenes.ts";
import { expectCoverage } from "./thresholds.ts";

const coverage = new Coverage();

describe("[R4.1.1, R4.1.2, R4.1.3, R4.1.4] NetworkPolicy and the policies of Cilium", () => {
  test.each([
    ["cilium@1.17", 17, 4000],
    ["cilium@1.18", 18, 4500],
    ["cilium@1.19", 19, 5000],
  ] as const)(
    "both evaluators give the same verdict, reason and deciders under %s",
    (dialect, seed, sets) => {
      const differences = compareSets({ arbitrary: ciliumScene(dialect, 36), seed, sets }, coverage);
      expect(differences).toBe("");
    },
    isWhole ? 3_600_000 : 240_000,
  );

  test("every kind of rule decides often enough, and nothing is unsure without a reason", () => {
    expectCoverage(coverage, [
      "CiliumNetworkPolicy ingress",
      "CiliumNetworkPolicy egress",
      "CiliumNetworkPolicy ingressDeny",
      "CiliumNetworkPolicy egressDeny",
      "CiliumClusterwideNetworkPolicy ingress",
      "CiliumClusterwideNetworkPolicy egress",
      "CiliumClusterwideNetworkPolicy ingressDeny",
      "CiliumClusterwideNetworkPolicy egressDeny",
      "Cilium any peer",
      "Cilium fromEndpoints",
      "Cilium toEndpoints",
      "Cilium fromCIDR",
      "Cilium toCIDR",
      "Cilium fromCIDRSet",
      "Cilium toCIDRSet",
      "Cilium CIDRSet cidr",
      "Cilium CIDRSet except",
      "Cilium CIDRSet cidrGroupRef",
      "Cilium CIDRSet cidrGroupSelector",
      "Cilium fromEntities",
      "Cilium toEntities",
      "Cilium fromNodes",
      "Cilium toNodes",
      "Cilium toServices",
      "Cilium any port",
      "Cilium port number",
      "Cilium port range",
      "Cilium port 0",
      "Cilium port name",
      "Cilium icmps",
      "Cilium nodeSelector ingress",
      "Cilium nodeSelector egress",
      "Cilium requires",
      "NetworkPolicy ingress",
      "NetworkPolicy egress",
      "NetworkPolicy podSelector",
      "NetworkPolicy namespaceSelector",
      "NetworkPolicy both selectors",
      "NetworkPolicy ipBlock",
      "NetworkPolicy ipBlock with except",
      "NetworkPolicy port number",
      "NetworkPolicy port name",
      "NetworkPolicy endPort",
      "default deny ingress",
      "default deny egress",
      "default deny by NetworkPolicy",
      "default deny by CiliumNetworkPolicy",
      "default deny by CiliumClusterwideNetworkPolicy",
      "always allowed ingress",
      "no policy ingress",
      "no policy egress",
    ]);
  });
});

afterAll(() => console.log(coverage.table()));
