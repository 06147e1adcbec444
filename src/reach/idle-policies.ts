/** Policies that govern nobody in the input: legal, and seldom meant. */
import { type Diagnostic, diagnostic } from "../base/diagnostic.ts";
import { RESERVED_NAMES } from "../policy/dialect.ts";
import type { Policy } from "../policy/rule.ts";
import type { Engine } from "./engine.ts";
import { hostNetworkFinding, meansAbsentPods } from "./pods-apart.ts";

/** Names each policy that selects no endpoint and no node of the input, at its place. */
export function idlePolicies(engine: Engine): Diagnostic[] {
  const { connections, inventory } = engine;
  const governing = new Set<Policy>();
  const endpoints = [
    ...inventory.groups.flatMap((group) => group.members),
    ...engine.world.nodes.map((node) => inventory.node(node.name)),
    ...RESERVED_NAMES.flatMap((name) => {
      const resolved = inventory.resolve(name);
      return resolved.kind === "endpoints" ? resolved.members : [];
    }),
  ];
  for (const endpoint of endpoints) {
    for (const { policy } of connections.sides.subject(connections.viewOf(endpoint)).selections) governing.add(policy);
  }
  return engine.policies.policies.flatMap((policy) => {
    const { document } = policy;
    if (governing.has(policy) || document === undefined) return [];
    // Policies on nodes wait for the setting that enforces them; that is said elsewhere.
    if (policy.subject.target === "node" && !engine.policies.hostFirewall) return [];
    const apart = hostNetworkFinding(engine, policy);
    if (apart !== undefined) return [apart];
    // What its operator makes is told of the custom object.
    if (policy.subject.target === "endpoint" && meansAbsentPods(engine, policy.subject.selector)) return [];
    const name = policy.namespace === undefined ? policy.name : `${policy.namespace}/${policy.name}`;
    return [diagnostic("BH130", `${policy.kind} ${name} selects nothing in the input`, document.locate(policy.path))];
  });
}
