/**
 * Rules that the agent cannot merge: where there are any, the endpoint keeps the policy that it had before (cilium.md
 * 4.5, R4.3.10; `mergePortProto` in `pkg/policy/rule.go`, `L7ParserType` in `pkg/policy/l4.go`).
 */
import type { ApplicationRule, Direction, MergeKey, Origin, Peer, Policy, PortMatch, Rule } from "../rule.ts";
import { selectorKey } from "../selector.ts";
import type { Release } from "./settings.ts";

/** Two rules that cannot be merged. */
export interface Conflict {
  readonly direction: Direction;
  readonly kind: "parser" | "authentication" | "terminatingTLS" | "originatingTLS" | "listener" | "server-names";
  /** The ports of both: `80/TCP`, `8000-9000/TCP`, `http/TCP`. */
  readonly ports: string;
  readonly message: string;
  readonly rules: readonly [Origin, Origin];
}

/** One selector in one filter, as one rule states it. */
interface Statement {
  readonly filter: string;
  readonly selector: string;
  readonly rule: Rule;
  readonly parser: string;
  readonly serverNames: boolean;
  readonly terminates: boolean;
  readonly merge: readonly MergeKey[];
}

/**
 * Finds what cannot be merged among the policies that select one endpoint.
 *
 * Rules meet where they give the same selector in the same filter (ports, or name, and protocol); in 1.17 the parser is
 * the filter's, so that there every selector meets (R4.5.4). A deny of a selector takes its allows away (R4.5.1).
 */
export function conflicts(policies: readonly Policy[], release: Release): readonly Conflict[] {
  const found: Conflict[] = [];
  for (const direction of ["ingress", "egress"] as const) {
    const rules = policies.flatMap((policy) => policy.rules.filter((rule) => rule.direction === direction));
    const denied = new Set(
      rules
        .filter((rule) => rule.action === "deny")
        .flatMap(statementsOf)
        .map((one) => `${one.filter}\n${one.selector}`),
    );
    const allows = rules
      .filter((rule) => rule.action === "allow")
      .flatMap(statementsOf)
      .filter((one) => !denied.has(`${one.filter}\n${one.selector}`));
    const groups = group(allows, (one) => `${one.filter}\n${one.selector}`);
    for (const statements of groups.values()) found.push(...conflictsAmong(statements, direction));
    for (const one of allows) found.push(...foreignListener(one, direction));
    if (release === "1.17")
      for (const statements of group(allows, (one) => one.filter).values())
        found.push(...pairs(statements, (a, b) => parserConflict(a, b, direction)));
  }
  return unique(found);
}

function group<T>(items: readonly T[], key: (item: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const list = groups.get(key(item));
    if (list === undefined) groups.set(key(item), [item]);
    else list.push(item);
  }
  return groups;
}

function statementsOf(rule: Rule): readonly Statement[] {
  return rule.traffic.flatMap(({ match, application }) => {
    const rules = application ?? [];
    const merge = rules.flatMap((one) => (one.kind === "opaque" && one.merge !== undefined ? [one.merge] : []));
    const common = {
      rule,
      parser: parserOf(rules),
      serverNames: rules.some((one) => one.kind === "tls"),
      terminates: merge.some((one) => one.slot === "terminatingTLS"),
      merge,
    };
    return filtersOf(match).flatMap((filter) =>
      rule.peers.flatMap(selectorsOf).map((selector): Statement => ({ ...common, filter, selector })),
    );
  });
}

/** The parser of an item of `toPorts`; empty for none. */
function parserOf(rules: readonly ApplicationRule[]): string {
  for (const rule of rules) {
    if (rule.kind === "http" || rule.kind === "dns") return rule.kind;
    if (rule.kind === "opaque" && rule.merge?.slot === "parser") return rule.merge.value;
    if (rule.kind === "opaque" && rule.merge?.slot === "listener") return "listener";
  }
  return rules.length > 0 ? "tls" : "";
}

/** The filters in which a match stands, as text. */
function filtersOf(match: PortMatch): readonly string[] {
  switch (match.kind) {
    case "any":
      return ["*"];
    case "ports":
      return [`${match.first === match.last ? match.first : `${match.first}-${match.last}`}/${match.protocol}`];
    case "icmp":
      return [`${match.first}-${match.last}/${match.family === "IPv4" ? "ICMP" : "ICMPv6"}`];
    case "protocol":
      return [`*/${match.protocol}`];
    case "named":
      return (match.protocol === undefined ? ["TCP", "UDP", "SCTP"] : [match.protocol]).map(
        (protocol) => `${match.name}/${protocol}`,
      );
  }
}

/** The selectors for which a peer stands; the wildcard is the empty one. */
function selectorsOf(peer: Peer): readonly string[] {
  switch (peer.kind) {
    case "any":
      return [""];
    case "labels":
      return [selectorKey(peer.selector)];
    case "addresses":
      return [
        `${peer.scope} ${peer.addresses.map(({ family, first, last }) => `${family} ${first}-${last}`).join(" ")}`,
      ];
    case "names":
      return peer.names.map((name) => `name ${name.expression}`);
    case "unknown":
      return [`unknown ${peer.because.code} ${peer.because.detail}`];
  }
}

function pairs(
  statements: readonly Statement[],
  judge: (a: Statement, b: Statement) => Conflict | undefined,
): Conflict[] {
  const found: Conflict[] = [];
  for (let i = 0; i < statements.length; i++) {
    for (let j = i + 1; j < statements.length; j++) {
      const a = statements[i];
      const b = statements[j];
      if (a === undefined || b === undefined) continue;
      const conflict = judge(a, b);
      if (conflict !== undefined) found.push(conflict);
    }
  }
  return found;
}

function conflictsAmong(statements: readonly Statement[], direction: Direction): readonly Conflict[] {
  return [
    ...pairs(statements, (a, b) => parserConflict(a, b, direction)),
    ...pairs(statements, (a, b) => authenticationConflict(a, b, direction)),
    ...pairs(statements, (a, b) => serverNamesConflict(a, b, direction)),
    ...(["terminatingTLS", "originatingTLS", "listener"] as const).flatMap((slot) =>
      pairs(statements, (a, b) => slotConflict(slot, a, b, direction)),
    ),
  ];
}

function conflictOf(
  kind: Conflict["kind"],
  a: Statement,
  b: Statement,
  direction: Direction,
  message: string,
): Conflict {
  return { direction, kind, ports: a.filter, message, rules: [a.rule.origin, b.rule.origin] };
}

/** None goes with anything, and TLS becomes HTTP or Kafka (R4.5.4). */
function parserConflict(a: Statement, b: Statement, direction: Direction): Conflict | undefined {
  const promotes = (from: string, to: string): boolean =>
    from === to || from === "" || (from === "tls" && (to === "http" || to === "kafka"));
  if (promotes(a.parser, b.parser) || promotes(b.parser, a.parser)) return undefined;
  return conflictOf("parser", a, b, direction, `cannot merge conflicting L7 parsers (${a.parser}/${b.parser})`);
}

function authenticationConflict(a: Statement, b: Statement, direction: Direction): Conflict | undefined {
  const [first, second] = [a.rule.authentication, b.rule.authentication];
  if (first === undefined || second === undefined || first === second) return undefined;
  return conflictOf(
    "authentication",
    a,
    b,
    direction,
    `cannot merge conflicting authentication types (${first}/${second})`,
  );
}

/** Server names beside L7 rules need TLS termination, also when two rules bring them (R4.5.5). */
function serverNamesConflict(a: Statement, b: Statement, direction: Direction): Conflict | undefined {
  const judged = (one: Statement): boolean => one.parser !== "" && one.parser !== "tls";
  if (!((a.serverNames && judged(b)) || (b.serverNames && judged(a)))) return undefined;
  if (a.terminates || b.terminates) return undefined;
  return conflictOf("server-names", a, b, direction, "cannot merge server names with L7 rules without TLS termination");
}

function slotConflict(
  slot: "terminatingTLS" | "originatingTLS" | "listener",
  a: Statement,
  b: Statement,
  direction: Direction,
): Conflict | undefined {
  const first = a.merge.find((one) => one.slot === slot);
  const second = b.merge.find((one) => one.slot === slot);
  if (first === undefined || second === undefined || first.value === second.value) return undefined;
  if (first.priority !== second.priority) return undefined;
  return conflictOf(slot, a, b, direction, `cannot merge conflicting ${slot} (${first.value}/${second.value})`);
}

/** A clusterwide policy cannot use a namespaced listener: computing the policy fails each time (V13). */
function foreignListener(one: Statement, direction: Direction): readonly Conflict[] {
  const listener = one.merge.find(({ slot }) => slot === "listener");
  if (one.rule.origin.namespace !== undefined || !listener?.value.startsWith("CiliumEnvoyConfig/")) return [];
  const message = `a clusterwide policy cannot use the listener ${listener.value}`;
  return [conflictOf("listener", one, one, direction, message)];
}

/** One conflict for each pair of rules, kind and ports. */
function unique(found: readonly Conflict[]): readonly Conflict[] {
  const text = ({ kind, namespace, name, section, index }: Origin): string =>
    `${kind}/${namespace ?? ""}/${name}#${section}[${index}]`;
  const seen = new Map<string, Conflict>();
  for (const one of found)
    seen.set([one.direction, one.kind, one.ports, text(one.rules[0]), text(one.rules[1])].join("\n"), one);
  return [...seen.values()];
}
