/** Policies that close what the cluster itself needs: its ways in, its probes. */
import { type Diagnostic, diagnostic } from "../base/diagnostic.ts";
import { Cursor, Findings } from "../documents/cursor.ts";
import type { Document, Path } from "../documents/document.ts";
import { openness } from "../questions/network.ts";
import type { Policy, Rule } from "../policy/rule.ts";
import type { Endpoint } from "../reach/endpoint.ts";
import type { View } from "../reach/matching.ts";
import type { SideExplanation } from "../reach/explain.ts";
import type { NorthSouthPath } from "../reach/north-south-path.ts";
import { few, type LintContext, objectText, placeOfPolicy, placeOfRule, ruleText } from "./context.ts";

interface Denial {
  readonly text: string;
  readonly place: ReturnType<Document["locate"]> | undefined;
}

/** What denies on one side. */
function denialOf({ verdict, reason, deciders, isolatedBy }: SideExplanation): readonly Denial[] {
  if (verdict !== "deny") return [];
  if (reason === "rule") return deciders.map((origin) => ({ text: ruleText(origin), place: placeOfRule(origin) }));
  return isolatedBy.map((policy: Policy) => ({ text: objectText(policy), place: placeOfPolicy(policy) }));
}

function denialsOf(path: NorthSouthPath): readonly Denial[] {
  return path.hops.flatMap((hop) => (hop.kind === "filter" ? denialOf(hop.explanation) : []));
}

/** BH160, BH161: ways in that the input opens by one object and closes by a policy. */
export function* closedWays(context: LintContext): Iterable<Diagnostic> {
  const found = new Map<
    string,
    { code: "BH160" | "BH161"; path: NorthSouthPath; denials: readonly Denial[]; ways: Set<string> }
  >();
  for (const path of context.engine.paths({ from: "internet" })) {
    if (path.verdict !== "deny" || path.way === "host-network" || path.way === "host-port") continue;
    const denials = denialsOf(path);
    const [first] = denials;
    if (first === undefined) continue;
    const code = path.way === "ingress" || path.way === "gateway" ? "BH160" : "BH161";
    const key = `${code} ${path.to} ${denials.map((d) => d.text).join()}`;
    const way = path.through === undefined ? path.dialled : `${path.through.object} (${path.through.host})`;
    const known = found.get(key);
    if (known === undefined) found.set(key, { code, path, denials, ways: new Set([way]) });
    else known.ways.add(way);
  }
  for (const { code, path, denials, ways } of found.values()) {
    const by = few([...new Set(denials.map((d) => d.text))]);
    const message = `${few([...ways])} leads to ${path.to} on ${path.port}/${path.protocol}, and ${by} closes the way`;
    yield diagnostic(code, message, denials[0]?.place);
  }
}

/** BH162: probes that the node cannot make. */
export function* closedProbes(context: LintContext): Iterable<Diagnostic> {
  for (const unit of context.units) {
    const { document } = unit.group.workload;
    if (document === undefined || unit.endpoint.kind !== "pod") continue;
    for (const { path, port, kind } of probesOf(document)) {
      const number = typeof port === "number" ? port : unit.group.workload.ports.find((p) => p.name === port)?.port;
      if (number === undefined) continue;
      const answer = context.engine.why({ from: "host", to: unit.name, protocol: "TCP", port: number });
      if (answer.verdict !== "deny") continue;
      const denials = answer.pairs.flatMap((pair) =>
        pair.hops.flatMap((hop) => (hop.kind === "filter" ? denialOf(hop.explanation) : [])),
      );
      const by = few([...new Set(denials.map((d) => d.text))]);
      yield diagnostic(
        "BH162",
        `${unit.name}: its ${kind} on ${number}/TCP comes from the node, and ${by} closes the way`,
        document.locate(path),
      );
    }
  }
}

function* probesOf(
  document: Document,
): Iterable<{ readonly path: Path; readonly port: number | string; readonly kind: string }> {
  const object = Cursor.of(document, new Findings());
  const spec = object.field("spec");
  const template = spec.field("template").isAbsent
    ? spec.field("jobTemplate").field("spec").field("template")
    : spec.field("template");
  const pod = document.kind === "Pod" ? spec : template.field("spec");
  for (const container of pod.field("containers").list() ?? []) {
    for (const kind of ["startupProbe", "livenessProbe", "readinessProbe"]) {
      const probe = container.field(kind);
      for (const how of ["httpGet", "tcpSocket", "grpc"]) {
        const { value } = probe.field(how).field("port");
        if (typeof value === "number" || typeof value === "string") yield { path: probe.path, port: value, kind };
      }
    }
  }
}

/** BH166: allows of which the other end lets nothing through. */
export function* oneSided(context: LintContext): Iterable<Diagnostic> {
  const { connections } = context.engine;
  for (const { policy, rule } of context.rules()) {
    if (rule.action !== "allow" || rule.peers.length === 0 || !rule.peers.every((peer) => peer.kind === "labels"))
      continue;
    let met = 0;
    let shared = false;
    const blocking = new Map<string, Policy>();
    const names = new Set<string>();
    for (const unit of context.selected(policy)) {
      const self = context.viewOf(unit.endpoint);
      // A rule that means more than pods is no half of anything.
      if (context.others.some((end) => end.kind !== "pod" && isPeer(context, rule, end, self))) {
        shared = true;
        break;
      }
      for (const other of context.units) {
        if (other === unit || other.endpoint.kind !== "pod") continue;
        if (!isPeer(context, rule, other.endpoint, self)) continue;
        const view = context.viewOf(other.endpoint);
        met++;
        const [from, to] = rule.direction === "egress" ? [unit, other] : [other, unit];
        const passes = openness(connections.between(from.endpoint, to.endpoint)).verdict !== "deny";
        if (passes) shared = true;
        else {
          const opposite = rule.direction === "egress" ? "ingress" : "egress";
          names.add(other.name);
          for (const { policy: one } of connections.sides.subject(view).selections) {
            if (one.isolation[opposite] === "closed") blocking.set(objectText(one), one);
          }
        }
        if (shared) break;
      }
      if (shared) break;
    }
    if (met === 0 || shared || blocking.size === 0) continue;
    const verb = rule.direction === "egress" ? "lets nothing in from there" : "lets nothing out to there";
    const message = `${ruleText(rule.origin)} allows what ${few([...names])} does not share: ${few([...blocking.keys()])} ${verb}`;
    yield diagnostic("BH166", message, placeOfRule(rule.origin));
  }
}

function isPeer(context: LintContext, rule: Rule, end: Endpoint, self: View): boolean {
  return context.engine.connections.sides.peers(rule, context.viewOf(end), self, []).may !== 0;
}
