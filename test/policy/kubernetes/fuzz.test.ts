import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { openKubernetes } from "../../../src/policy/kubernetes/dialect.ts";
import { document, world } from "./world.ts";

const WORLD = world();
const WORDS = (
  "podSelector namespaceSelector ipBlock cidr except from to ports port endPort protocol policyTypes ingress egress " +
  "matchLabels matchExpressions key operator values tier priority subject namespaces pods nodes networks domainNames " +
  "action protocols tcp destinationPort number range start end destinationNamedPort name sameLabels portNumber " +
  "portRange namedPort constructor __proto__"
).split(" ");
const SCALARS =
  "Ingress Egress TCP UDP Accept Allow Deny Pass Admin Baseline In Exists 10.0.0.0/8 ::/0 *.a.io http a/b/c 80 \u{1F600}".split(
    " ",
  );

const scalar = fc.oneof(
  fc.constantFrom(...SCALARS, ""),
  fc.constantFrom(0, 1, 80, 1000, 65535, 65536, -1, 0.5, 1e300),
  fc.constantFrom(null, true, false),
);
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "medium", withCrossShrink: true },
    scalar,
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...WORDS), tie("value"), { maxKeys: 4 }),
  ),
}));

describe("whatever a spec holds, the object is compiled or refused with a reason", () => {
  test.each([
    ["networking.k8s.io/v1", "NetworkPolicy"],
    ["policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy"],
    ["policy.networking.k8s.io/v1alpha1", "AdminNetworkPolicy"],
    ["policy.networking.k8s.io/v1alpha1", "BaselineAdminNetworkPolicy"],
  ])("%s %s", (apiVersion, kind) => {
    const dialect = openKubernetes();
    fc.assert(
      fc.property(value, (spec) => {
        const text = JSON.stringify({ apiVersion, kind, metadata: { name: "default" }, spec });
        const { policies, diagnostics, refused } = dialect.compile(document(text), WORLD);
        expect(policies.length).toBe(refused ? 0 : 1);
        if (refused)
          expect(diagnostics.some(({ severity, code }) => severity === "error" && code !== "BH201")).toBe(true);
        for (const finding of diagnostics) expect(finding.line).toBeGreaterThan(0);
      }),
      { numRuns: 1500, seed: 20 },
    );
  });
});
