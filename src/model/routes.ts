/** Routes of the Gateway API: HTTPRoute, GRPCRoute, TLSRoute, TCPRoute, UDPRoute (kubernetes.md GW-03, GW-04). */
import type { Cursor } from "../documents/cursor.ts";
import { decodeHostname, GATEWAY_GROUP } from "./gateways.ts";
import type {
  GrpcRouteMatch,
  HttpRouteMatch,
  Route,
  RouteBackend,
  RouteFilter,
  RouteParent,
  RouteRule,
  RouteValueMatch,
} from "./world.ts";

export const ROUTE_KINDS = ["HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute"] as const;

const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"] as const;
const PATH_TYPES = ["Exact", "PathPrefix", "RegularExpression"] as const;
const VALUE_TYPES = ["Exact", "RegularExpression"] as const;
const REPLACEMENTS = ["ReplaceFullPath", "ReplacePrefixMatch"] as const;
const PORT = { min: 1, max: 65535 } as const;

/**
 * Decodes a route.
 *
 * Takes the cursor on the object, its kind and its namespace. Returns the route with the API server's defaults.
 * Reports what a cluster would refuse (BH202 to BH205, BH247).
 */
export function decodeRoute(object: Cursor, kind: Route["kind"], namespace: string): Route {
  const spec = object.required("spec");
  const created = object.field("metadata").field("creationTimestamp").string();
  const rules = (spec.field("rules").list() ?? []).map((rule) => decodeRule(rule, kind, namespace));
  return {
    kind,
    namespace,
    name: object.document.name,
    parents: (spec.field("parentRefs").list() ?? []).flatMap((item) => decodeParent(item, namespace) ?? []),
    hostnames: (spec.field("hostnames").list() ?? []).flatMap((item) => decodeHostname(item) ?? []),
    // An HTTPRoute without rules has one that matches everything and forwards to nobody.
    rules: rules.length === 0 && kind === "HTTPRoute" ? [EMPTY_RULE] : rules,
    ...(created === undefined ? {} : { created }),
    document: object.document,
  };
}

function decodeParent(item: Cursor, namespace: string): RouteParent | undefined {
  const name = item.required("name").string();
  const sectionName = item.field("sectionName").string() || undefined;
  const port = item.field("port").integer(PORT);
  if (name === undefined) return undefined;
  return {
    group: item.field("group").string() ?? GATEWAY_GROUP,
    kind: item.field("kind").string() ?? "Gateway",
    namespace: item.field("namespace").string() ?? namespace,
    name,
    ...(sectionName === undefined ? {} : { sectionName }),
    ...(port === undefined ? {} : { port }),
  };
}

// ── rules ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** GW-03: a rule without matches takes every request. */
const EVERY_REQUEST: HttpRouteMatch = { path: { type: "PathPrefix", value: "/" }, headers: [], queryParams: [] };
const EVERY_CALL: GrpcRouteMatch = { type: "Exact", headers: [] };
const EMPTY_RULE: RouteRule = { http: [EVERY_REQUEST], grpc: [], filters: [], backends: [] };

function decodeRule(rule: Cursor, kind: Route["kind"], namespace: string): RouteRule {
  const matches = rule.field("matches").list() ?? [];
  const http = kind === "HTTPRoute" ? matches.map(decodeHttpMatch) : [];
  const grpc = kind === "GRPCRoute" ? matches.map(decodeGrpcMatch) : [];
  return {
    http: kind === "HTTPRoute" && http.length === 0 ? [EVERY_REQUEST] : http,
    grpc: kind === "GRPCRoute" && grpc.length === 0 ? [EVERY_CALL] : grpc,
    filters: (rule.field("filters").list() ?? []).flatMap((item) => decodeFilter(item, namespace) ?? []),
    backends: (rule.field("backendRefs").list() ?? []).flatMap((item) => decodeBackend(item, namespace) ?? []),
  };
}

function decodeHttpMatch(match: Cursor): HttpRouteMatch {
  const path = match.field("path");
  const type = path.field("type").enumeration(PATH_TYPES) ?? "PathPrefix";
  const value = path.field("value").string() ?? "/";
  if (type !== "RegularExpression") checkPath(path, value);
  const method = match.field("method").enumeration(METHODS);
  return {
    path: { type, value },
    ...(method === undefined ? {} : { method }),
    headers: decodeValues(match.field("headers"), true),
    queryParams: decodeValues(match.field("queryParams"), false),
  };
}

function checkPath(at: Cursor, value: string): void {
  if (!value.startsWith("/")) {
    at.error("BH247", `${at.describe()}: ${JSON.stringify(value)} must be an absolute path and start with '/'`);
    return;
  }
  for (const part of ["//", "/./", "/../", "%2f", "%2F", "#"])
    if (value.includes(part))
      at.error("BH247", `${at.describe()}: ${JSON.stringify(value)} must not contain '${part}'`);
  for (const end of ["/..", "/."])
    if (value.endsWith(end)) at.error("BH247", `${at.describe()}: ${JSON.stringify(value)} must not end with '${end}'`);
}

/** Header names count without case; of several entries with one name only the first counts. */
function decodeValues(list: Cursor, foldCase: boolean): readonly RouteValueMatch[] {
  const seen = new Set<string>();
  return (list.list() ?? []).flatMap((item) => {
    const written = item.required("name").string();
    const value = item.required("value").string();
    const type = item.field("type").enumeration(VALUE_TYPES) ?? "Exact";
    if (written === undefined || value === undefined) return [];
    const name = foldCase ? written.toLowerCase() : written;
    if (seen.has(name)) return [];
    seen.add(name);
    return { type, name, value };
  });
}

function decodeGrpcMatch(match: Cursor): GrpcRouteMatch {
  const at = match.field("method");
  const service = at.field("service").string() || undefined;
  const method = at.field("method").string() || undefined;
  if (at.object() !== undefined && service === undefined && method === undefined)
    at.error("BH247", `${at.describe()}: one or both of 'service' or 'method' must be specified`);
  return {
    type: at.field("type").enumeration(VALUE_TYPES) ?? "Exact",
    ...(service === undefined ? {} : { service }),
    ...(method === undefined ? {} : { method }),
    headers: decodeValues(match.field("headers"), true),
  };
}

/** Filters that change who is reached, or what; the others are named and no more. */
function decodeFilter(item: Cursor, namespace: string): RouteFilter | undefined {
  const type = item.required("type").string();
  if (type === undefined) return undefined;
  if (type === "RequestMirror") {
    const mirror = decodeBackend(item.required("requestMirror").required("backendRef"), namespace);
    return { type, ...(mirror === undefined ? {} : { mirror }) };
  }
  if (type !== "URLRewrite" && type !== "RequestRedirect") return { type };
  const at = item.field(type === "URLRewrite" ? "urlRewrite" : "requestRedirect");
  const hostname = decodeHostname(at.field("hostname"));
  const pathType = at.field("path").field("type").enumeration(REPLACEMENTS);
  const field = pathType === "ReplacePrefixMatch" ? "replacePrefixMatch" : "replaceFullPath";
  const value = at.field("path").field(field).string();
  return {
    type,
    ...(hostname === undefined ? {} : { hostname }),
    ...(pathType === undefined || value === undefined ? {} : { path: { type: pathType, value } }),
  };
}

/** GW-08: a Service of the route's own namespace unless told otherwise; a Service needs its port. */
function decodeBackend(item: Cursor, namespace: string): RouteBackend | undefined {
  if (item.object() === undefined) return undefined;
  const name = item.required("name").string();
  const group = item.field("group").string() ?? "";
  const kind = item.field("kind").string() ?? "Service";
  const port = item.field("port").integer(PORT);
  if (item.field("port").isAbsent && group === "" && kind === "Service")
    item.error("BH247", `${item.describe()}: must have port for Service reference`);
  const weight = item.field("weight").integer({ min: 0, max: 1000000 }) ?? 1;
  if (name === undefined) return undefined;
  return {
    group,
    kind,
    namespace: item.field("namespace").string() ?? namespace,
    name,
    ...(port === undefined ? {} : { port }),
    weight,
  };
}
