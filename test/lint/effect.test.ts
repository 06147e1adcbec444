/** What lint calls without effect is so: all that it names are removed, and no connection changes. */
import fc from "fast-check";
import { dump } from "js-yaml";
import { expect, test } from "vitest";
import { diff } from "../../src/questions/diff.ts";
import { inputOf } from "../questions/inputs.ts";
import { lintOf, workload } from "./codes.ts";

const APPS = ["a", "b", "c"] as const;
const WORLD =
  APPS.map((app) => workload(app, `app: ${app}`, "{containerPort: 80}")).join("") + workload("pay/d", "app: a");

const labels = fc.constantFrom<Record<string, unknown>>({}, ...APPS.map((app) => ({ matchLabels: { app } })), {
  matchExpressions: [{ key: "app", operator: "In", values: ["a", "b"] }],
});

const networkPolicies = (() => {
  const peer = fc.oneof(
    labels.map((podSelector) => ({ podSelector })),
    labels.map((podSelector) => ({ podSelector, namespaceSelector: {} })),
    fc.constantFrom({ ipBlock: { cidr: "0.0.0.0/0" } }, { ipBlock: { cidr: "203.0.113.0/24" } }),
  );
  const port = fc.constantFrom<Record<string, unknown>>(
    { port: 80 },
    { port: 80, endPort: 90 },
    { port: 53, protocol: "UDP" },
  );
  const rule = (peers: string): fc.Arbitrary<Record<string, unknown>> =>
    fc.record({ [peers]: fc.array(peer, { minLength: 1, maxLength: 2 }), ports: fc.array(port, { maxLength: 2 }) });
  return fc.array(
    fc.record({
      podSelector: labels,
      policyTypes: fc.constant(["Ingress", "Egress"]),
      ingress: fc.array(rule("from"), { maxLength: 3 }),
      egress: fc.array(rule("to"), { maxLength: 3 }),
    }),
    { minLength: 1, maxLength: 3 },
  );
})();

const ciliumPolicies = (() => {
  const ports = fc.constantFrom<Record<string, unknown>>(
    {},
    { toPorts: [{ ports: [{ port: "80", protocol: "TCP" }] }] },
    { toPorts: [{ ports: [{ port: "80", protocol: "TCP" }], rules: { http: [{ method: "GET" }] } }] },
    { toPorts: [{ ports: [{ port: "80", protocol: "TCP" }], rules: { http: [{ path: "/x.*" }, { method: "GET" }] } }] },
  );
  const plain = fc.constantFrom<Record<string, unknown>>(
    {},
    { toPorts: [{ ports: [{ port: "80", protocol: "TCP" }] }] },
  );
  const who = (key: string): fc.Arbitrary<Record<string, unknown>> =>
    fc.oneof(
      labels.map((one) => ({ [`${key}Endpoints`]: [one] })),
      fc.constantFrom("world", "cluster", "all", "host").map((entity) => ({ [`${key}Entities`]: [entity] })),
    );
  const entry = (key: string, which: fc.Arbitrary<Record<string, unknown>>): fc.Arbitrary<Record<string, unknown>> =>
    fc.tuple(who(key), which).map(([one, two]) => ({ ...one, ...two }));
  return fc.array(
    fc.record({
      endpointSelector: labels,
      enableDefaultDeny: fc.constant({ ingress: true, egress: true }),
      ingress: fc.array(entry("from", ports), { minLength: 1, maxLength: 3 }),
      ingressDeny: fc.array(entry("from", plain), { maxLength: 1 }),
      egress: fc.array(entry("to", plain), { minLength: 1, maxLength: 2 }),
    }),
    { minLength: 1, maxLength: 3 },
  );
})();

type Spec = Readonly<Record<string, unknown>>;

function written(apiVersion: string, kind: string, specs: readonly Spec[]): string {
  return specs
    .map((spec, i) => `---\n${dump({ apiVersion, kind, metadata: { name: `p${i}`, namespace: "shop" }, spec })}`)
    .join("");
}

/** The specs without the rules that a message names. */
function without(specs: readonly Spec[], messages: readonly string[]): readonly Spec[] {
  return specs.map((spec, i) => {
    const out: Record<string, unknown> = { ...spec };
    for (const section of ["ingress", "egress", "ingressDeny", "egressDeny"]) {
      const rules: unknown = spec[section];
      if (!Array.isArray(rules)) continue;
      const left: unknown[] = rules.filter(
        (_rule, k) => !messages.some((message) => message.startsWith(`p${i}, ${section}[${k}]`)),
      );
      // As the message of the last rule says.
      const keep = messages.some(
        (message) => message.startsWith(`p${i}, ${section}[`) && message.includes("leave `{}`"),
      );
      out[section] = left.length === 0 && keep ? [{}] : left;
    }
    return out;
  });
}

test.each([
  ["kubernetes", "networking.k8s.io/v1", "NetworkPolicy", networkPolicies],
  ["cilium", "cilium.io/v2", "CiliumNetworkPolicy", ciliumPolicies],
] as const)("of random policies of %s", (dialect, apiVersion, kind, arbitrary) => {
  let named = 0;
  fc.assert(
    fc.property(arbitrary, (specs) => {
      const before = written(apiVersion, kind, specs);
      const messages = lintOf(dialect, [WORLD, before])
        .findings.filter((one) => ["BH145", "BH146", "BH147"].includes(one.code))
        .map((one) => one.message.slice(`${kind} shop/`.length));
      if (messages.length === 0) return;
      named += messages.length;
      const left = without(specs, messages);
      const after = written(apiVersion, kind, left);
      expect(diff(inputOf(dialect, WORLD, before), inputOf(dialect, WORLD, after)).changes).toEqual([]);
    }),
    { numRuns: 60, seed: 7 },
  );
  expect(named).toBeGreaterThan(20);
});
