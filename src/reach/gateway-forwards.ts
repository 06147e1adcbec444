/** What Gateways forward: the rules of attached routes in their order of precedence (kubernetes.md GW-03 to GW-09). */
import type { Because } from "../base/because.ts";
import type { Path } from "../documents/document.ts";
import { GATEWAY_GROUP } from "../model/gateways.ts";
import type {
  Gateway,
  GatewayListener,
  GrpcRouteMatch,
  HttpRouteMatch,
  Route,
  RouteBackend,
  RouteFilter,
  RouteRule,
  RouteValueMatch,
  World,
} from "../model/world.ts";
import { wordsPattern } from "../net/path-language.ts";
import { type Attachment, sharedHost } from "./attachment.ts";
import {
  anyOf,
  exactPath,
  type Forward,
  type ForwardTarget,
  hostPattern,
  prefixPath,
  queryHas,
  regexPath,
  serverNamed,
  targetOf,
} from "./forward.ts";
import {
  EVERY_REQUEST,
  NO_REQUEST,
  onlyPossible,
  type Requests,
  requestsBetween,
  requestsIntersect,
  requestsOf,
  requestsSubtract,
} from "./requests.ts";

/** A listener with what it forwards. */
export interface ListenerForwards {
  readonly listener: GatewayListener;
  readonly forwards: readonly Forward[];
}

/**
 * What each listener of a Gateway forwards.
 *
 * Takes the world, the Gateway and the attachments of all routes. Returns the listeners in their order, each with one
 * forward for every match and backend, and exactly the requests that reach it (GW-09). Rules of a longer matching host
 * come before all others, and what they do not take goes on to the rest. What the specification leaves to the
 * implementation is possible, not certain: regular expressions, and whether a listener with a more specific host keeps
 * its requests from the others.
 */
export function gatewayForwards(
  world: World,
  gateway: Gateway,
  attachments: readonly Attachment[],
): readonly ListenerForwards[] {
  const own = attachments.filter((attachment) => attachment.gateway === gateway);
  return gateway.listeners.map((listener) => {
    const entries = own.flatMap((attachment) => entriesOf(attachment, listener));
    return {
      listener,
      forwards: isStream(listener) ? streams(world, entries) : matched(world, gateway, listener, entries),
    };
  });
}

function isStream(listener: GatewayListener): boolean {
  return listener.protocol === "TCP" || listener.protocol === "UDP";
}

// ── rules in their order ───────────────────────────────────────────────────────────────────────────────────────────

/** One match of one rule, for one host. */
interface Entry {
  readonly route: Route;
  readonly rule: RouteRule;
  readonly at: Path;
  readonly host: string;
  readonly match: string;
  readonly requests: Requests;
  /** Compared from the first to the last; what is greater comes first. */
  readonly rank: readonly number[];
  /** A regular expression decides, whose place in the order is the implementation's own. */
  readonly loose: boolean;
  readonly prefix?: string;
  readonly sure: boolean;
}

function entriesOf({ route, listeners }: Attachment, listener: GatewayListener): readonly Entry[] {
  const attached = listeners.find((one) => one.listener === listener);
  if (attached === undefined) return [];
  const hosts = attached.hostnames.length === 0 ? ["*"] : attached.hostnames;
  return route.rules.flatMap((rule, i) =>
    hosts.flatMap((host) =>
      matchesOf(route, rule, host).map(
        ({ match, requests, rank, loose, index, prefix }): Entry => ({
          route,
          rule,
          at: index === undefined ? ["spec", "rules", i] : ["spec", "rules", i, "matches", index],
          host,
          match,
          requests,
          rank: [...hostRank(host), ...rank],
          loose,
          ...(prefix === undefined ? {} : { prefix }),
          sure: attached.sure,
        }),
      ),
    ),
  );
}

/** The longest host without wildcard first, then the longest with one. */
function hostRank(host: string): readonly number[] {
  const wild = host.startsWith("*");
  return [wild ? 0 : host.length, host.length];
}

interface Match {
  readonly match: string;
  readonly requests: Requests;
  readonly rank: readonly number[];
  readonly loose: boolean;
  /** Absent where the rule has no matches. */
  readonly index?: number;
  readonly prefix?: string;
}

function matchesOf(route: Route, rule: RouteRule, host: string): readonly Match[] {
  const pattern = hostPattern(host, "several");
  switch (route.kind) {
    case "HTTPRoute":
      return rule.http.map((match, index) => ({ ...httpMatch(match, pattern), index }));
    case "GRPCRoute":
      return rule.grpc.map((match, index) => ({ ...grpcMatch(match, pattern), index }));
    case "TLSRoute": {
      const requests = host === "*" ? EVERY_REQUEST : requestsOf(serverNamed([host]));
      return [{ match: "TLS", requests, rank: [], loose: false }];
    }
    case "TCPRoute":
    case "UDPRoute":
      return [{ match: route.kind === "TCPRoute" ? "TCP" : "UDP", requests: EVERY_REQUEST, rank: [], loose: false }];
  }
}

function httpMatch(match: HttpRouteMatch, host: string | undefined): Match {
  const { path, method, headers, queryParams } = match;
  const pattern =
    path.type === "Exact"
      ? exactPath(path.value)
      : path.type === "PathPrefix"
        ? prefixPath(path.value)
        : regexPath(path.value, true);
  const exact = headers.filter((header) => header.type === "Exact");
  let requests = requestsOf(anyOf([{ host, path: pattern, method, headers: exact }]));
  for (const query of queryParams) {
    const of = query.type === "Exact" ? queryHas(query.name, query.value) : `[^?]*\\?.*`;
    const set = requestsOf(anyOf([{ path: of }]));
    requests = requestsIntersect(requests, isPlain(query) ? set : onlyPossible(set, [regular(query.value)]));
  }
  const loose =
    path.type === "RegularExpression" ||
    headers.some((header) => header.type !== "Exact") ||
    queryParams.some((q) => q.type !== "Exact");
  if (loose) requests = onlyPossible(requests, [regular(path.value)]);
  const parts = [
    `path ${path.value} (${path.type})`,
    ...(method === undefined ? [] : [`method ${method}`]),
    ...headers.map(({ name, value }) => `header ${name}: ${value}`),
    ...queryParams.map(({ name, value }) => `query ${name}=${value}`),
  ];
  return {
    match: parts.join(", "),
    requests,
    rank: [
      path.type === "Exact" ? 1 : 0,
      path.value.length,
      method === undefined ? 0 : 1,
      headers.length,
      queryParams.length,
    ],
    loose,
    ...(path.type === "PathPrefix" ? { prefix: path.value } : {}),
  };
}

/** Whether a parameter of the query can be found without undoing escapes. */
function isPlain({ type, name, value }: RouteValueMatch): boolean {
  return type === "Exact" && /^[-\w.~]*$/.test(name) && /^[-\w.~]*$/.test(value);
}

function regular(expression: string): Because {
  return { code: "undefined-by-specification", detail: `how the regular expression ${expression} is read` };
}

/** A call is a POST to `/service/method`. */
function grpcMatch({ type, service, method, headers }: GrpcRouteMatch, host: string | undefined): Match {
  const one = "[^/?]+";
  const literal = (text: string | undefined): string =>
    text === undefined ? one : type === "Exact" ? wordsPattern([text]) : `.*(?:${text}).*`;
  const path = service === undefined && method === undefined ? undefined : `/${literal(service)}/${literal(method)}`;
  const exact = headers.filter((header) => header.type === "Exact");
  let requests = requestsOf(anyOf([{ host, path, method: "POST", headers: exact }]));
  const loose = type !== "Exact" || headers.some((header) => header.type !== "Exact");
  if (loose) requests = onlyPossible(requests, [regular(`${service ?? ""}/${method ?? ""}`)]);
  return {
    match: `call ${service ?? "*"}/${method ?? "*"}`,
    requests,
    rank: [service === undefined ? 0 : 1, service?.length ?? 0, method?.length ?? 0, headers.length],
    loose,
  };
}

/** GW-09: greater ranks first, then the older route, then `namespace/name`, then the order in which they stand. */
function inOrder(entries: readonly Entry[]): readonly Entry[] {
  return entries
    .map((entry, i) => ({ entry, i }))
    .sort((a, b) => {
      const length = Math.max(a.entry.rank.length, b.entry.rank.length);
      for (let k = 0; k < length; k++) {
        const difference = (b.entry.rank[k] ?? 0) - (a.entry.rank[k] ?? 0);
        if (difference !== 0) return difference;
      }
      return byAge(a.entry.route, b.entry.route) || a.i - b.i;
    })
    .map(({ entry }) => entry);
}

function byAge(a: Route, b: Route): number {
  if (a === b) return 0;
  if (a.created !== undefined && b.created !== undefined && a.created !== b.created)
    return a.created < b.created ? -1 : 1;
  const [x, y] = [`${a.namespace}/${a.name}`, `${b.namespace}/${b.name}`];
  return x < y ? -1 : x > y ? 1 : 0;
}

/** More entries than this are not set against each other: each is then only possible. */
const MANY_ENTRIES = 1000;

function matched(
  world: World,
  gateway: Gateway,
  listener: GatewayListener,
  entries: readonly Entry[],
): readonly Forward[] {
  const over: Forward["over"] =
    listener.protocol === "TLS"
      ? "tls"
      : listener.protocol === "HTTPS"
        ? listener.tlsMode === "Passthrough"
          ? "tls"
          : "https"
        : "http";
  const others = over === "tls" ? [] : moreSpecific(gateway, listener);
  const elsewhere =
    others.length === 0
      ? NO_REQUEST
      : requestsOf(anyOf(others.map((host) => ({ host: hostPattern(host, "several") }))));
  const loose = entries.filter((entry) => entry.loose);
  const before: Entry[] = [];
  const out: Forward[] = [];
  for (const entry of inOrder(entries)) {
    let requests = entry.requests;
    if (entries.length > MANY_ENTRIES) {
      requests = onlyPossible(requests, [{ code: "pattern-limit", detail: `${entries.length} rules of one listener` }]);
    } else {
      for (const earlier of before) {
        if (meets(earlier.host, entry.host)) requests = requestsSubtract(requests, earlier.requests);
      }
      for (const other of loose) {
        if (other !== entry && !before.includes(other) && meets(other.host, entry.host)) {
          requests = requestsSubtract(requests, other.requests);
        }
      }
    }
    if (elsewhere !== NO_REQUEST) {
      const own = requestsSubtract(requests, elsewhere);
      requests = requestsBetween(own, requests, [
        {
          code: "undefined-by-specification",
          detail: `whether the listener for ${others.join(", ")} keeps its requests`,
        },
      ]);
    }
    if (!entry.sure) {
      requests = onlyPossible(requests, [
        { code: "unknown-label", detail: `whether listener ${listener.name} takes routes of ${entry.route.namespace}` },
      ]);
    }
    before.push(entry);
    out.push(...forwardsOf(world, entry, requests, over));
  }
  return out;
}

function meets(a: string, b: string): boolean {
  return a === "*" || b === "*" || sharedHost(a, b) !== undefined;
}

/** Hosts of other listeners on the same port that are more specific than this listener's. */
function moreSpecific(gateway: Gateway, listener: GatewayListener): readonly string[] {
  const own = listener.hostname?.toLowerCase() ?? "*";
  return gateway.listeners.flatMap((other) => {
    const host = other.hostname?.toLowerCase();
    if (other === listener || other.port !== listener.port || other.protocol !== listener.protocol) return [];
    if (host === undefined || host === own) return [];
    return own === "*" || (own.startsWith("*.") && host.endsWith(own.slice(1))) ? [host] : [];
  });
}

/** Streams carry nothing to tell routes apart: where several hang on one listener, one of them has it. */
function streams(world: World, entries: readonly Entry[]): readonly Forward[] {
  const routes = new Set(entries.map((entry) => entry.route));
  return entries.flatMap((entry) => {
    let requests = entry.requests;
    if (routes.size > 1) {
      requests = onlyPossible(requests, [
        { code: "undefined-by-specification", detail: "several routes of one listener for the same stream" },
      ]);
    }
    if (!entry.sure) {
      requests = onlyPossible(requests, [{ code: "unknown-label", detail: entry.route.namespace }]);
    }
    return forwardsOf(world, entry, requests, "stream");
  });
}

// ── backends ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** Filters that change nothing about who is reached. */
const HARMLESS: readonly string[] = [
  "RequestHeaderModifier",
  "ResponseHeaderModifier",
  "CORS",
  "URLRewrite",
  "RequestMirror",
];

function forwardsOf(world: World, entry: Entry, requests: Requests, over: Forward["over"]): readonly Forward[] {
  const { route, rule, at, host, match } = entry;
  const make = (target: ForwardTarget, rest: Partial<Forward> = {}): Forward => ({
    object: `${route.kind}/${route.namespace}/${route.name}`,
    ...(route.document === undefined ? {} : { place: { document: route.document, path: at } }),
    host,
    match,
    requests,
    over,
    target,
    ...rest,
  });
  const redirect = rule.filters.find((filter) => filter.type === "RequestRedirect");
  if (redirect !== undefined) return [make({ kind: "nobody", reason: "the answer is a redirect" })];
  const unknown = rule.filters.filter((filter) => !HARMLESS.includes(filter.type));
  const changed =
    unknown.length === 0
      ? requests
      : onlyPossible(
          requests,
          unknown.map(({ type }) => ({
            code: "opaque-application-rule",
            detail: `filter ${type} of ${route.kind} ${route.namespace}/${route.name}`,
          })),
        );
  // What a filter that is not known makes of the request is the controller's own.
  const rewrite: RouteFilter | undefined =
    unknown.length > 0 ? { type: "URLRewrite" } : rule.filters.find((filter) => filter.type === "URLRewrite");
  const mirrors = rule.filters.flatMap((filter) => filter.mirror ?? []);
  const total = rule.backends.reduce((sum, backend) => sum + backend.weight, 0);
  const { prefix } = entry;
  const common = {
    requests: changed,
    ...(rewrite === undefined ? {} : { rewrite }),
    ...(prefix === undefined ? {} : { prefix }),
  };
  const out: Forward[] = [];
  if (total === 0) {
    const reason = rule.backends.length === 0 ? "the rule names no backend (500)" : "every backend has weight 0 (500)";
    out.push(make({ kind: "nobody", reason, ...firstNamed(rule.backends) }, common));
  } else {
    for (const backend of rule.backends) {
      if (backend.weight === 0) {
        // GW-08: no traffic at all.
        out.push(make({ kind: "nobody", reason: "the backend has weight 0", service: nameOf(backend) }, common));
        continue;
      }
      const share = backend.weight === total ? {} : { share: `${backend.weight} of ${total}` };
      out.push(make(backendTarget(world, route, backend), { ...common, ...share }));
    }
  }
  for (const mirror of mirrors) out.push(make(backendTarget(world, route, mirror), { ...common, copy: true }));
  return out;
}

function firstNamed(backends: readonly RouteBackend[]): { readonly service?: string } {
  const [first] = backends;
  return first === undefined ? {} : { service: nameOf(first) };
}

function nameOf(backend: RouteBackend): string {
  return `${backend.namespace}/${backend.name}`;
}

function backendTarget(world: World, route: Route, backend: RouteBackend): ForwardTarget {
  const service = nameOf(backend);
  if (backend.group !== "" || backend.kind !== "Service") {
    const detail = `${backend.kind} ${service} as a backend`;
    return { kind: "unknown", because: { code: "missing-object", detail } };
  }
  if (!isGranted(world, route, backend)) {
    const reason = `no ReferenceGrant in ${backend.namespace} lets ${route.kind} of ${route.namespace} name Service ${backend.name} (500)`;
    return { kind: "nobody", reason, service };
  }
  if (backend.port === undefined) return { kind: "nobody", reason: `Service ${service} without a port`, service };
  return targetOf(world, backend.namespace, backend.name, backend.port);
}

/** GW-08: another namespace must let the route's kind and namespace name its Service. */
export function isGranted(world: World, route: Route, backend: RouteBackend): boolean {
  if (backend.namespace === route.namespace) return true;
  return world.referenceGrants.some(
    (grant) =>
      grant.namespace === backend.namespace &&
      grant.from.some((f) => f.group === GATEWAY_GROUP && f.kind === route.kind && f.namespace === route.namespace) &&
      grant.to.some(
        (t) =>
          t.group === backend.group && t.kind === backend.kind && (t.name === undefined || t.name === backend.name),
      ),
  );
}
