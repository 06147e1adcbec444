/** DNS: forgotten, not observed, or asked on a port where nobody answers. */
import { type Diagnostic, diagnostic } from "../base/diagnostic.ts";
import { resolveService } from "../model/backends.ts";
import { flowAt } from "../net/flow-set.ts";
import type { Origin, Policy } from "../policy/rule.ts";
import { type DeadNames, deadNames } from "../questions/dead-names.ts";
import type { Unit } from "../questions/network.ts";
import { few, type LintContext, objectText, placeOfPolicy, placeOfRule, ruleText } from "./context.ts";
import { sightsOf } from "./effect.ts";

/** BH148: endpoints that may talk to something, and to no name server. */
export function* forgottenDns(context: LintContext): Iterable<Diagnostic> {
  const { connections } = context.engine;
  const byPolicies = new Map<string, { policies: readonly Policy[]; units: Unit[] }>();
  for (const unit of context.units) {
    if (unit.endpoint.kind !== "pod") continue;
    const self = context.viewOf(unit.endpoint);
    const { selections } = connections.sides.subject(self);
    const closing = selections.map((s) => s.policy).filter((policy) => policy.isolation.egress === "closed");
    const allows = selections.some(({ policy }) =>
      policy.rules.some((r) => r.direction === "egress" && r.action === "allow" && r.peers.length > 0),
    );
    if (closing.length === 0 || !allows || reachesDns(context, unit)) continue;
    const key = closing.map((policy) => objectText(policy)).join("|");
    const group = byPolicies.get(key);
    if (group === undefined) byPolicies.set(key, { policies: closing, units: [unit] });
    else group.units.push(unit);
  }
  for (const { policies, units } of byPolicies.values()) {
    const [first] = policies;
    if (first === undefined) continue;
    const message = `${few(units.map((unit) => unit.name))} may talk to others and to no name server: ${few(policies.map(objectText))} closes egress on port 53`;
    yield diagnostic("BH148", message, placeOfPolicy(first));
  }
}

/** Whether port 53 of anything is open, or may be. */
function reachesDns(context: LintContext, unit: Unit): boolean {
  const self = context.viewOf(unit.endpoint);
  return context.others.some((other) =>
    sightsOf(context, "egress", self, other).some((sight) => {
      const { may } = context.engine.connections.sides.evaluate("egress", sight.self, sight.other);
      // Name servers in pods often listen on another port than their Service.
      return (["IPv4", "IPv6"] as const).some((family) =>
        (["UDP", "TCP"] as const).some((protocol) =>
          [53, 5353, 1053, 8053].some((port) => flowAt(may, family, protocol, port) !== undefined),
        ),
      );
    }),
  );
}

/** BH149: rules by DNS name whose names are never learned, with the rules that let no look-up of them pass. */
export function* unlearnedNames(context: LintContext): Iterable<Diagnostic> {
  const byRule = new Map<Origin, DeadNames[]>();
  for (const dead of deadNames(context.engine)) byRule.set(dead.rule, [...(byRule.get(dead.rule) ?? []), dead]);
  for (const [rule, all] of byRule) {
    const which = few([...new Set(all.flatMap(({ names }) => names))]);
    const observing = [...new Set(all.flatMap(({ lookUps }) => lookUps))];
    const why = observing.length > 0 ? "no DNS rule lets it look up" : "no DNS rule observes how it looks up";
    const passing = observing.map((origin) => `${ruleText(origin)} (${lineOf(origin)})`);
    yield diagnostic(
      "BH149",
      `${ruleText(rule)}: for ${few(all.map(({ unit }) => unit))} ${why} ${which}, so nothing is allowed${passing.length > 0 ? `; its look-ups pass ${few(passing)}` : ""}`,
      placeOfRule(rule),
    );
  }
}

function lineOf(origin: Origin): string {
  const place = placeOfRule(origin);
  return place === undefined ? "" : `${place.file}:${place.line}`;
}

/** BH172: DNS rules on the port of a Service whose pods listen elsewhere. */
export function* deafDns(context: LintContext): Iterable<Diagnostic> {
  const { connections, world } = context.engine;
  for (const { policy, rule } of context.rules()) {
    const ports = rule.traffic.flatMap((t) =>
      t.application?.some((a) => a.kind === "dns") && t.match.kind === "ports" ? [t.match] : [],
    );
    const [self] = context.selected(policy);
    if (ports.length === 0 || self === undefined) continue;
    for (const service of world.services) {
      for (const { port, backends } of resolveService(world, service)) {
        const match = ports.find(
          (one) => one.protocol === port.protocol && one.first <= port.port && port.port <= one.last,
        );
        if (match === undefined) continue;
        const moved = backends.find((backend) => {
          if (backend.kind !== "pod" || (match.first <= backend.port && backend.port <= match.last)) return false;
          const member = context.engine.inventory.memberOf(backend.workload, backend.pod);
          return (
            member !== undefined &&
            connections.sides.peers(rule, context.viewOf(member), context.viewOf(self.endpoint), []).may !== 0
          );
        });
        if (moved === undefined) continue;
        const message = `${ruleText(rule.origin)}: port ${port.port} is that of Service ${service.namespace}/${service.name}, and its pods listen on ${moved.port}`;
        yield diagnostic("BH172", message, placeOfRule(rule.origin));
      }
    }
  }
}

/** BH175: patterns for DNS names that every name matches. */
export function* everyName(context: LintContext): Iterable<Diagnostic> {
  for (const { rule } of context.rules()) {
    const every = rule.peers.some(
      (peer) => peer.kind === "names" && peer.names.some((name) => name.text === "*" || name.text === "**"),
    );
    if (every)
      yield diagnostic(
        "BH175",
        `${ruleText(rule.origin)}: the pattern \`*\` of toFQDNs means every name that is looked up`,
        placeOfRule(rule.origin),
      );
  }
}

/** Names with fewer dots are looked up by the search list first (Kubernetes' default of `ndots`). */
const SEARCHED_BELOW = 5;

/** BH177: names that are learned, and whose look-up by the search list of the pod is refused. */
export function* refusedSearch(context: LintContext): Iterable<Diagnostic> {
  const { learning } = context.engine.connections;
  for (const { policy, rule } of context.rules()) {
    const names = rule.peers
      .flatMap((peer) => (peer.kind === "names" ? peer.names : []))
      .map(({ text }) => text.toLowerCase().replace(/\.$/, ""))
      .filter((name) => !name.includes("*") && name.split(".").length <= SEARCHED_BELOW);
    if (names.length === 0) continue;
    for (const unit of context.selected(policy)) {
      if (unit.endpoint.kind !== "pod") continue;
      const self = context.viewOf(unit.endpoint);
      const suffix = `${unit.endpoint.workload.namespace}.svc.cluster.local.`;
      const refused = names.filter(
        (name) =>
          learning.learns(self, `${name}.`).answer === "yes" &&
          learning.learns(self, `${name}.${suffix}`).answer === "no",
      );
      const [first] = refused;
      if (first === undefined) continue;
      yield diagnostic(
        "BH177",
        `${ruleText(rule.origin)}: ${unit.name} asks for ${first}.${suffix} before ${few(refused)}, and no DNS rule lets it`,
        placeOfRule(rule.origin),
      );
      break;
    }
  }
}
