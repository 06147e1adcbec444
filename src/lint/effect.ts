/**
 * Rules without effect, told by exact comparison: the rule is taken away, and what passes is computed again for every
 * class of endpoints against every other end that rules can tell apart. Rules that are found go one after the other, so
 * all that are named can be removed together.
 */
import { type Diagnostic, diagnostic } from "../base/diagnostic.ts";
import { flowIntersect, flowsEmpty, flowsEqual } from "../net/flow-set.ts";
import type { Policy, PolicySet, Rule } from "../policy/rule.ts";
import { difference } from "../questions/network.ts";
import type { Bounded } from "../reach/bounded.ts";
import type { Endpoint } from "../reach/endpoint.ts";
import type { View } from "../reach/matching.ts";
import { Sides } from "../reach/side.ts";
import { few, type LintContext, placeOfRule, ruleText } from "./context.ts";

/** A class of endpoints with the policies that select it. */
interface Governed {
  readonly view: View;
  readonly policies: readonly Policy[];
}

export function* ruleEffects(context: LintContext): Iterable<Diagnostic> {
  const governed = governedClasses(context);
  const removed = new Map<Policy, Set<Rule>>();
  const found = new Map<Rule, Diagnostic>();
  const { policies } = context.engine.policies;
  // The later of two that cover each other goes.
  for (const policy of policies.toReversed()) {
    if (policy.document === undefined) continue;
    for (const rule of policy.rules.toReversed()) {
      if (cannotBeCompared(rule)) continue;
      const outcome = effectOf(context, governed, policy, rule, removed);
      if (outcome === undefined) continue;
      const gone = removed.get(policy) ?? new Set();
      removed.set(policy, gone.add(rule));
      found.set(rule, outcome);
    }
  }
  for (const policy of policies) {
    for (const rule of policy.rules) {
      const finding = found.get(rule);
      if (finding === undefined) continue;
      const own = policy.rules.filter((one) => one.direction === rule.direction);
      const isLast = own.every((one) => removed.get(policy)?.has(one));
      // Without any entry a policy of Cilium no longer closes the direction.
      const keep = isLast && policy.kind.startsWith("Cilium") && policy.isolation[rule.direction] === "closed";
      yield keep
        ? { ...finding, message: `${finding.message}; leave \`{}\` in its place, which keeps ${rule.direction} closed` }
        : finding;
    }
  }
}

/** Names by pattern stand for ends that cannot all be tried; what nobody can decide offline, neither. */
function cannotBeCompared(rule: Rule): boolean {
  return (
    rule.traffic.length === 0 ||
    rule.peers.some(
      (peer) => peer.kind === "unknown" || (peer.kind === "names" && peer.names.some((n) => n.text.includes("*"))),
    ) ||
    rule.traffic.some((t) => t.application?.some((a) => a.kind === "dns" || a.kind === "opaque"))
  );
}

function governedClasses(context: LintContext): readonly Governed[] {
  const { connections, world, inventory } = context.engine;
  const byClass = new Map<number, Governed>();
  const ends = [
    ...context.units.map((unit) => unit.endpoint),
    ...world.nodes.map((node) => inventory.node(node.name)),
    ...reservedSubjects(context),
  ];
  for (const endpoint of ends) {
    const view = connections.viewOf(endpoint);
    if (byClass.has(view.classId)) continue;
    byClass.set(view.classId, { view, policies: connections.sides.subject(view).selections.map((s) => s.policy) });
  }
  return [...byClass.values()];
}

function reservedSubjects(context: LintContext): readonly Endpoint[] {
  return context.others.filter((end) => end.kind === "reserved");
}

/** The finding, where no class notices that the rule is gone. */
function effectOf(
  context: LintContext,
  governed: readonly Governed[],
  policy: Policy,
  rule: Rule,
  removed: ReadonlyMap<Policy, ReadonlySet<Rule>>,
): Diagnostic | undefined {
  const { connections, policies: set } = context.engine;
  const { direction } = rule;
  let touched = false;
  const covering = new Set<Rule>();
  let takenBack = false;
  for (const { view, policies } of governed) {
    if (!policies.includes(policy)) continue;
    const own = policies.map((one) => without(one, removed.get(one)));
    const ownPolicy = own[policies.indexOf(policy)];
    if (ownPolicy === undefined) continue;
    const rest = own.map((one) =>
      one === ownPolicy ? without(policy, new Set([...(removed.get(policy) ?? []), rule])) : one,
    );
    const [full, less] = [variant(context, set, own), variant(context, set, rest)];
    // Without denies the rule would count: then a deny takes back what it allows.
    const undenied =
      rule.action === "allow"
        ? [variant(context, set, own.map(withoutDenies)), variant(context, set, rest.map(withoutDenies))]
        : [];
    for (const other of context.others) {
      for (const sight of sightsOf(context, direction, view, other)) {
        const peer = connections.sides.peers(rule, sight.other, sight.self, []);
        const destination = direction === "ingress" ? sight.self.endpoint : sight.other.endpoint;
        const flows = connections.matching.flows(rule, destination);
        if (peer.may === 0 || flowsEmpty(flows)) continue;
        touched = true;
        const passes = (sides: Sides): Bounded => sides.evaluate(direction, sight.self, sight.other);
        if (!same(passes(full), passes(less))) return undefined;
        const [open, openLess] = undenied;
        if (open !== undefined && openLess !== undefined && !same(passes(open), passes(openLess))) takenBack = true;
        for (const one of rest) {
          for (const rival of one.rules) {
            if (rival.direction !== direction || (rival.action !== rule.action && rival.action !== "deny")) continue;
            if (rival.action === "deny" && rule.action === "allow" && !takenBack) continue;
            const matches = connections.sides.peers(rival, sight.other, sight.self, []).may !== 0;
            if (matches && !flowsEmpty(flowIntersect(connections.matching.flows(rival, destination), flows)))
              covering.add(rival);
          }
        }
      }
    }
  }
  if (!touched) return undefined;
  return finding(rule, [...covering], takenBack);
}

function finding(rule: Rule, covering: readonly Rule[], takenBack: boolean): Diagnostic {
  const place = placeOfRule(rule.origin);
  const name = ruleText(rule.origin);
  const texts = (rules: readonly Rule[]): string => few([...new Set(rules.map((one) => ruleText(one.origin)))]);
  const denies = covering.filter((one) => one.action === "deny");
  if (takenBack && denies.length > 0) {
    return diagnostic("BH146", `${name}: everything that it allows is denied by ${texts(denies)}`, place);
  }
  const http = rule.traffic.some((t) => t.application?.some((a) => a.kind === "http"));
  const plain = covering.filter(
    (one) => one.action === "allow" && one.traffic.every((t) => t.application === undefined),
  );
  if (http && plain.length > 0) {
    return diagnostic(
      "BH147",
      `${name}: its HTTP rules limit nothing, because ${texts(plain)} allows the same without them`,
      place,
    );
  }
  const same = covering.filter((one) => one.action === rule.action);
  if (rule.action === "allow" && same.length > 0) {
    return diagnostic("BH145", `${name} allows nothing that others do not allow: ${texts(same)}`, place);
  }
  if (rule.action === "allow") {
    return diagnostic("BH145", `${name} allows nothing that would not pass without it`, place);
  }
  const reason = same.length > 0 ? `that others do not deny: ${texts(same)}` : "that would pass without it";
  return diagnostic("BH145", `${name} denies nothing ${reason}`, place);
}

function without(policy: Policy, rules: ReadonlySet<Rule> | undefined): Policy {
  if (rules === undefined || rules.size === 0) return policy;
  return { ...policy, rules: policy.rules.filter((rule) => !rules.has(rule)) };
}

function withoutDenies(policy: Policy): Policy {
  return { ...policy, rules: policy.rules.filter((rule) => rule.action !== "deny") };
}

interface Seen {
  readonly self: View;
  readonly other: View;
}

/** How the end of the rule sees the other end: in several ways where it is not known whether they share a node. */
export function sightsOf(
  context: LintContext,
  direction: "ingress" | "egress",
  self: View,
  other: Endpoint,
): readonly Seen[] {
  const [from, to] = direction === "egress" ? [self.endpoint, other] : [other, self.endpoint];
  return context.engine.connections
    .sights(from, to)
    .map((sight) =>
      direction === "egress" ? { self: sight.fromSelf, other: sight.to } : { self: sight.toSelf, other: sight.from },
    );
}

/** The sides of ends that exactly these policies select. */
function variant(context: LintContext, set: PolicySet, policies: readonly Policy[]): Sides {
  const { matching } = context.engine.connections;
  // What is learned of DNS names stays a matter of all policies: rules that teach are not compared.
  return new Sides(matching, { ...set, policies });
}

function same(a: Bounded, b: Bounded): boolean {
  return isSame(a.must, b.must) && isSame(a.may, b.may);
}

/** Equal by meaning: written alike, or nothing is left of either without the other. */
function isSame(a: Bounded["must"], b: Bounded["must"]): boolean {
  return flowsEqual(a, b) || (flowsEmpty(difference(a, b)) && flowsEmpty(difference(b, a)));
}
