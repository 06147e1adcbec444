/** Ports on which nobody listens, names that resolve to nothing, and ranges that cost much. */
import { type Diagnostic, diagnostic } from "../base/diagnostic.ts";
import { resolveService } from "../model/backends.ts";
import { BUCKETS, type FlowSet, flowIntersect, flowsEmpty, portFlows } from "../net/flow-set.ts";
import { hasPorts } from "../net/protocol.ts";
import type { PortMatch, Rule } from "../policy/rule.ts";
import { listening, type Unit } from "../questions/network.ts";
import { few, type LintContext, type RuleOf, placeOfRule, ruleText } from "./context.ts";

/** BH142, BH143, BH144: rules whose ports no endpoint that they mean listens on. */
export function* deafPorts(context: LintContext): Iterable<Diagnostic> {
  const open = new Map<Unit, FlowSet>();
  for (const unit of context.units) open.set(unit, listening(context.engine, unit));
  for (const one of context.rules()) {
    const { rule } = one;
    const targets = targetsOf(context, one);
    if (targets === undefined || targets.length === 0 || rule.action !== "allow") continue;
    const flows = (unit: Unit): FlowSet => context.engine.connections.matching.flows(rule, unit.endpoint);
    const named = [...new Set(rule.traffic.flatMap(({ match }) => (match.kind === "named" ? [match.name] : [])))];
    if (named.length > 0 && rule.traffic.every(({ match }) => match.kind === "named")) {
      if (targets.every((unit) => flowsEmpty(flows(unit)))) yield deafName(context, rule, named, targets);
      continue;
    }
    // Who declares no port says nothing of what it listens on.
    if (targets.some((unit) => flowsEmpty(open.get(unit) ?? [])) || !targets.every((unit) => isPortsOnly(flows(unit))))
      continue;
    if (targets.some((unit) => !flowsEmpty(flowIntersect(flows(unit), open.get(unit) ?? [])))) continue;
    const place = placeOfRule(rule.origin);
    const service = servicePort(context, targets, rule);
    if (service !== undefined) {
      const message = `${ruleText(rule.origin)}: ${service.port} is the port of Service ${service.name}, and its pods listen on ${service.target}`;
      yield diagnostic("BH143", message, place);
    } else {
      const names = few(targets.map((unit) => unit.name));
      yield diagnostic(
        "BH142",
        `${ruleText(rule.origin)}: nobody it means listens on ${portsText(rule)}: ${names}`,
        place,
      );
    }
  }
}

/** The endpoints that the rule lets somebody connect to; undefined where they are not all pods of the input. */
function targetsOf(context: LintContext, { policy, rule }: RuleOf): readonly Unit[] | undefined {
  if (rule.direction === "ingress") return policy.subject.target === "endpoint" ? context.selected(policy) : undefined;
  if (rule.peers.length === 0 || rule.peers.some((peer) => peer.kind !== "labels")) return undefined;
  const [self] = context.selected(policy);
  if (self === undefined) return undefined;
  const { sides } = context.engine.connections;
  const met = context.others.filter(
    (other) => sides.peers(rule, context.viewOf(other), context.viewOf(self.endpoint), []).may !== 0,
  );
  if (met.some((other) => other.kind !== "pod")) return undefined;
  return context.units.filter(
    (unit) => sides.peers(rule, context.viewOf(unit.endpoint), context.viewOf(self.endpoint), []).may !== 0,
  );
}

function isPortsOnly(flows: FlowSet): boolean {
  return BUCKETS.every((bucket) => hasPorts(bucket.protocol) || (flows[bucket.index] ?? []).length === 0);
}

function deafName(context: LintContext, rule: Rule, names: readonly string[], targets: readonly Unit[]): Diagnostic {
  const numbers = new Set(
    context.units.flatMap((unit) =>
      unit.group.workload.ports.filter((p) => p.name !== undefined && names.includes(p.name)).map((p) => p.port),
    ),
  );
  const several = rule.direction === "egress" && numbers.size > 1;
  const message = several
    ? `${ruleText(rule.origin)}: ${names.join(", ")} has several numbers in the cluster (${[...numbers].sort((a, b) => a - b).join(", ")}), and then means none`
    : `${ruleText(rule.origin)}: no pod it means has a port called ${names.join(", ")}: ${few(targets.map((unit) => unit.name))}`;
  return diagnostic("BH144", message, placeOfRule(rule.origin));
}

/** The Service whose own port the rule names where that of its pods is another. */
function servicePort(
  context: LintContext,
  targets: readonly Unit[],
  rule: Rule,
): { readonly name: string; readonly port: number; readonly target: number } | undefined {
  const pods = new Set(targets.flatMap((unit) => (unit.endpoint.kind === "pod" ? [unit.endpoint.pod] : [])));
  for (const service of context.engine.world.services) {
    for (const { port, backends } of resolveService(context.engine.world, service)) {
      const backend = backends.find((one) => one.kind === "pod" && pods.has(one.pod));
      if (backend === undefined || backend.port === port.port) continue;
      const written = portFlows(port.protocol, port.port, port.port);
      const [target] = targets;
      if (target === undefined) continue;
      const flows = context.engine.connections.matching.flows(rule, target.endpoint);
      if (flowsEmpty(flowIntersect(flows, written))) continue;
      return { name: `${service.namespace}/${service.name}`, port: port.port, target: backend.port };
    }
  }
  return undefined;
}

function portText(match: PortMatch): string {
  switch (match.kind) {
    case "any":
      return "any port";
    case "ports":
      return `${match.first === match.last ? match.first : `${match.first}-${match.last}`}/${match.protocol}`;
    case "icmp":
      return `ICMP type ${match.first}`;
    case "protocol":
      return match.protocol;
    case "named":
      return match.name;
  }
}

function portsText(rule: Rule): string {
  return few([...new Set(rule.traffic.map(({ match }) => portText(match)))]);
}

// ── cost ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Of a range, more masked entries than this are worth a word. */
const MANY_MASKS = 8;

/** The masked entries that a range costs in the policy map. */
export function masksOf(first: number, last: number): number {
  let count = 0;
  for (let at = first; at <= last; count++) {
    let size = 1;
    while (at % (size * 2) === 0 && at + size * 2 - 1 <= last) size *= 2;
    at += size;
  }
  return count;
}

/** BH169: ranges that are not aligned. */
export function* costlyRanges(context: LintContext): Iterable<Diagnostic> {
  if (!context.isCilium) return;
  for (const { rule } of context.rules()) {
    const seen = new Set<string>();
    for (const { match } of rule.traffic) {
      if (match.kind !== "ports" || (match.first === 1 && match.last === 65535)) continue;
      const masks = masksOf(match.first, match.last);
      const text = `${match.first}-${match.last}`;
      if (masks <= MANY_MASKS || seen.has(text)) continue;
      seen.add(text);
      yield diagnostic(
        "BH169",
        `${ruleText(rule.origin)}: the range ${text} takes ${masks} entries of the policy map for each peer`,
        placeOfRule(rule.origin),
      );
    }
  }
}

/** Entries that the policy map of an endpoint holds unless the settings say otherwise. */
const MAP_SIZE = 16_384;

/** BH168: endpoints whose policy map is close to full. An estimate: entries that Cilium folds are counted singly. */
export function* fullMaps(context: LintContext): Iterable<Diagnostic> {
  if (!context.isCilium) return;
  const { connections, world } = context.engine;
  const limit = Number(world.ciliumConfig?.get("bpf-policy-map-max") ?? MAP_SIZE) || MAP_SIZE;
  const seen = new Set<number>();
  for (const unit of context.units) {
    const self = context.viewOf(unit.endpoint);
    const subject = connections.sides.subject(self);
    if (seen.has(subject.key)) continue;
    seen.add(subject.key);
    let entries = 0;
    for (const { policy } of subject.selections) {
      for (const rule of policy.rules) {
        const keys = rule.traffic.reduce(
          (n, { match }) => n + (match.kind === "ports" ? masksOf(match.first, match.last) : 1),
          0,
        );
        const prefixes = rule.peers.reduce((n, peer) => n + (peer.kind === "addresses" ? peer.addresses.length : 0), 0);
        const identities = new Set(
          context.others
            .filter((o) => o.kind !== "outside" && connections.sides.peers(rule, context.viewOf(o), self, []).may !== 0)
            .map((o) => context.viewOf(o).identity.id),
        );
        const any = rule.peers.some((peer) => peer.kind === "any");
        entries += keys * (any ? 1 : identities.size + prefixes);
      }
    }
    if (entries * 2 < limit) continue;
    const place = unit.group.workload.document?.locate(["metadata", "name"]);
    yield diagnostic("BH168", `${unit.name}: about ${entries} entries of ${limit} in its policy map`, place);
  }
}
