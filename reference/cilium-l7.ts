import type { Grant, View } from "./cilium-grants.ts";
import { selectsServerName } from "./dns-names.ts";
import { isUnconditional, matchesRequest } from "./http.ts";

export interface Judgement {
  /** The grants that let the question pass. */
  readonly passing: readonly Grant[];
  /** A proxy will judge requests, and may refuse some. */
  readonly limited: boolean;
}

/**
 * What the proxy says: allowed iff some kept rule has no L7 part, or one of its rules matches (R6.3.1 … R6.3.5). Without
 * a request the question is the connection, which the proxy accepts (R6.2.1). `lifted`: no default deny, and a release
 * that appends a match-all rule then (R4.3.7).
 */
export function judge(grants: readonly Grant[], lifted: boolean, view: View): Judgement {
  const { traffic, unknowns } = view.scene;
  if (lifted) return { passing: grants, limited: false };
  const named = grants.map((grant) => ({ grant, serverNames: serverNamesOf(grant, grants) }));
  if (traffic.http === undefined && traffic.serverName === undefined) {
    const passing = named.filter(({ grant }) => isConnectable(grant, view)).map(({ grant }) => grant);
    const limited =
      passing.length > 0 &&
      named.every(
        ({ grant, serverNames }) =>
          serverNames.length > 0 || (grant.proxy.http.length > 0 && !grant.proxy.http.some(isUnconditional)),
      );
    return { passing, limited };
  }
  const passing = named
    .filter(({ grant, serverNames }) => {
      if (serverNames.length > 0 && !isServerNamed(serverNames, view)) return false;
      if (!isReadable(grant, grants, view)) return false;
      if (grant.proxy.http.length === 0) return true;
      const { http } = traffic;
      return http === undefined || grant.proxy.http.some((rule) => matchesRequest(rule, http, view.settings, unknowns));
    })
    .map(({ grant }) => grant);
  return { passing, limited: false };
}

/** SNI lists are united per selector and port, and bind plain rules of the same selector there too (R5.9, R4.5.5). */
function serverNamesOf(grant: Grant, grants: readonly Grant[]): readonly string[] {
  if (grant.port === undefined) return [];
  return grants
    .filter((other) => other.peer === grant.peer && other.port?.filter === grant.port?.filter)
    .flatMap((other) => other.proxy.serverNames);
}

/** Parsers that cannot be judged offline. */
function isConnectable(grant: Grant, view: View): boolean {
  const { opaque, listener, serverNames } = grant.proxy;
  const { protocol } = view.scene.traffic;
  // U23.
  if (serverNames.length > 0 && protocol !== "TCP")
    return view.scene.unknowns.ask(`server names on ${protocol}`, { code: "opaque-l7", detail: `TLS on ${protocol}` });
  if (opaque === undefined && listener === undefined) return true;
  const detail = opaque ?? listener ?? "";
  return view.scene.unknowns.ask(`${detail} lets it pass`, { code: "opaque-l7", detail });
}

function isServerNamed(patterns: readonly string[], view: View): boolean {
  const { serverName } = view.scene.traffic;
  // No SNI: refused.
  if (serverName === undefined) return false;
  return patterns.some((pattern) => selectsServerName(pattern, serverName, view.settings.release));
}

/** Whether the proxy can read the traffic under this grant at all (R6.2.1). */
function isReadable(grant: Grant, grants: readonly Grant[], view: View): boolean {
  const { traffic, unknowns } = view.scene;
  const { proxy } = grant;
  if (!isConnectable(grant, view)) return false;
  if (proxy.terminates !== undefined || proxy.originates !== undefined) {
    const detail = proxy.terminates ?? proxy.originates ?? "";
    return unknowns.ask(`secret ${detail}`, { code: "secret-not-read", detail });
  }
  // DNS parsers read nothing else, and no entry of another filter takes the connection from them (R7.2.3).
  if (proxy.dns.length > 0) return false;
  const lists = grants.filter((other) => other.proxy.dns.length > 0);
  if (lists.length > 0) {
    if (lists.every((list) => list.port?.filter !== grant.port?.filter)) return false;
    if (!unknowns.ask("what is no query through the DNS proxy", { code: "opaque-l7", detail: "no DNS on a DNS port" }))
      return false;
  }
  if (traffic.serverName === undefined) return true;
  // TLS bytes on a port that is parsed as HTTP are answered 400 and closed.
  if (proxy.http.length > 0) return false;
  const isParsed = grants.some((other) => other.proxy.http.length > 0 && other.proxy.terminates === undefined);
  return !isParsed || unknowns.ask("TLS through an HTTP proxy", { code: "opaque-l7", detail: "TLS on an HTTP port" });
}
