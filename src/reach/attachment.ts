/** Which routes hang on which listeners of which Gateways, and why others do not (kubernetes.md GW-02, GW-06, GW-07). */
import { Cursor, Findings } from "../documents/cursor.ts";
import { GATEWAY_GROUP } from "../model/gateways.ts";
import { matchesLabels } from "../model/label-selector.ts";
import type { Gateway, GatewayListener, Route, RouteParent, World } from "../model/world.ts";

/** A route on one listener. */
export interface ListenerAttachment {
  readonly listener: GatewayListener;
  /** The hosts that route and listener share; empty: every host. */
  readonly hostnames: readonly string[];
  /** Whether that hangs on a label of the namespace which only the cluster knows. */
  readonly sure: boolean;
}

/** What becomes of one parent that a route names. */
export interface Attachment {
  readonly route: Route;
  readonly parent: RouteParent;
  readonly index: number;
  /** Absent where the parent is no Gateway of the input. */
  readonly gateway?: Gateway;
  readonly listeners: readonly ListenerAttachment[];
  /** Why the route does not hang there; absent where it hangs on some listener. */
  readonly refusal?: string;
}

/** Kinds of routes that fit a protocol, where the listener names none itself. */
const FITTING: Readonly<Record<string, readonly Route["kind"][]>> = {
  HTTP: ["HTTPRoute", "GRPCRoute"],
  HTTPS: ["HTTPRoute", "GRPCRoute"],
  TLS: ["TLSRoute", "TCPRoute"],
  TCP: ["TCPRoute"],
  UDP: ["UDPRoute"],
};

/** Every parent of every route with what becomes of it, in the order of the input. */
export function attachmentsOf(world: World): readonly Attachment[] {
  return world.routes.flatMap((route) => route.parents.map((parent, index) => attach(world, route, parent, index)));
}

function attach(world: World, route: Route, parent: RouteParent, index: number): Attachment {
  const refused = (refusal: string, gateway?: Gateway): Attachment => ({
    route,
    parent,
    index,
    ...(gateway === undefined ? {} : { gateway }),
    listeners: [],
    refusal,
  });
  const name = `${parent.namespace}/${parent.name}`;
  if (parent.group !== GATEWAY_GROUP || parent.kind !== "Gateway")
    return refused(`${parent.kind} ${name} is no Gateway`);
  const gateway = world.gateways.find((g) => g.namespace === parent.namespace && g.name === parent.name);
  if (gateway === undefined) return refused(`Gateway ${name} is not in the input`);
  const said = statusRefusal(route, parent);
  if (said !== undefined) return refused(`its status says that it is not accepted: ${said}`, gateway);
  const named = gateway.listeners.filter(
    (listener) =>
      (parent.sectionName === undefined || listener.name === parent.sectionName) &&
      (parent.port === undefined || listener.port === parent.port),
  );
  if (named.length === 0) return refused(`Gateway ${name} has no such listener`, gateway);
  const listeners: ListenerAttachment[] = [];
  const reasons = new Set<string>();
  for (const listener of named) {
    const namespace = admits(world, gateway, listener, route);
    const hostnames = sharedHosts(listener, route);
    if (!takesKind(listener, route)) reasons.add(`listener ${listener.name} takes no ${route.kind}`);
    else if (namespace === "no") {
      reasons.add(`listener ${listener.name} takes no routes of namespace ${route.namespace}`);
    } else if (hostnames === undefined)
      reasons.add(`listener ${listener.name} is for host ${listener.hostname ?? "*"}`);
    else listeners.push({ listener, hostnames, sure: namespace === "yes" });
  }
  return {
    route,
    parent,
    index,
    gateway,
    listeners,
    ...(listeners.length > 0 ? {} : { refusal: [...reasons].join("; ") }),
  };
}

function takesKind(listener: GatewayListener, route: Route): boolean {
  // What passes through unopened can be told apart by the name of the server alone.
  if (listener.tlsMode === "Passthrough" && route.kind !== "TLSRoute") return false;
  if (listener.kinds === undefined) return FITTING[listener.protocol]?.includes(route.kind) ?? true;
  return listener.kinds.some(({ group, kind }) => group === GATEWAY_GROUP && kind === route.kind);
}

/** GW-07: the listener alone decides whose routes it takes. */
function admits(world: World, gateway: Gateway, listener: GatewayListener, route: Route): "yes" | "no" | "maybe" {
  switch (listener.from) {
    case "All":
      return "yes";
    case "None":
      return "no";
    case "Same":
      return route.namespace === gateway.namespace ? "yes" : "no";
    case "Selector":
      return matchesLabels(listener.selector ?? [], world.namespaces.get(route.namespace)?.labels ?? new Map());
  }
}

/** The hosts that both name; empty: every host; undefined: none. */
function sharedHosts(listener: GatewayListener, route: Route): readonly string[] | undefined {
  const own = listener.hostname?.toLowerCase();
  const wanted = route.hostnames.map((host) => host.toLowerCase());
  // Routes of streams name no hosts, and a listener's host plays no part for them.
  if (route.kind === "TCPRoute" || route.kind === "UDPRoute") return [];
  if (own === undefined || own === "") return wanted;
  if (wanted.length === 0) return [own];
  const shared = wanted.flatMap((host) => sharedHost(own, host) ?? []);
  return shared.length === 0 ? undefined : [...new Set(shared)];
}

/** GW-06: a `*` stands for one or more labels. */
export function sharedHost(a: string, b: string): string | undefined {
  if (a === b) return a;
  const covers = (wild: string, host: string): boolean => wild.startsWith("*.") && host.endsWith(wild.slice(1));
  if (covers(a, b)) return b;
  return covers(b, a) ? a : undefined;
}

/** What the route's status says of a parent that did not accept it; the input of a live cluster has it. */
function statusRefusal(route: Route, parent: RouteParent): string | undefined {
  if (route.document === undefined) return undefined;
  const parents = Cursor.of(route.document, new Findings()).field("status").field("parents").list() ?? [];
  for (const said of parents) {
    const ref = said.field("parentRef");
    if (ref.field("name").string() !== parent.name) continue;
    if ((ref.field("namespace").string() ?? route.namespace) !== parent.namespace) continue;
    if (ref.field("sectionName").string() !== parent.sectionName) continue;
    for (const condition of said.field("conditions").list() ?? []) {
      if (condition.field("type").string() !== "Accepted" || condition.field("status").string() !== "False") continue;
      return condition.field("reason").string() ?? "no reason given";
    }
  }
  return undefined;
}
