/** What a controller makes of a request before it sends it on (kubernetes.md GW-03: URLRewrite). */
import type { RouteFilter } from "../model/world.ts";
import type { Request } from "../net/application.ts";

/** The request as it leaves; undefined where the rewrite is the controller's own and not known. */
export function rewritten(request: Request, filter: RouteFilter, prefix: string | undefined): Request | undefined {
  const { hostname, path } = filter;
  if (hostname === undefined && path === undefined) return undefined;
  const host = hostname ?? request.host;
  const moved = path === undefined ? request.path : rewrittenPath(request.path, path, prefix);
  if (moved === undefined) return undefined;
  return { ...request, path: moved, ...(host === undefined ? {} : { host }) };
}

function rewrittenPath(
  path: string,
  { type, value }: NonNullable<RouteFilter["path"]>,
  prefix: string | undefined,
): string | undefined {
  const mark = path.indexOf("?");
  const [own, query] = mark < 0 ? [path, ""] : [path.slice(0, mark), path.slice(mark)];
  if (type === "ReplaceFullPath") return `${value}${query}`;
  if (prefix === undefined) return undefined;
  const base = prefix.replace(/\/+$/, "");
  const rest = own.slice(base.length).replace(/^\/+/, "");
  const start = value.replace(/\/+$/, "");
  return `${rest === "" ? start || "/" : `${start}/${rest}`}${query}`;
}

/** The request as rules for hosts see it: in lower case, without port. */
export function withoutPort(request: Request): Request {
  if (request.host === undefined) return request;
  return { ...request, host: request.host.toLowerCase().replace(/:\d+$/, "") };
}
