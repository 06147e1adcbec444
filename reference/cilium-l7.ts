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
  if (isMisread(grants, view)) return { passing: [], limited: false };
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
      if (!isReadable(grant, view)) return false;
      if (grant.proxy.http.length === 0) return true;
      const { http } = traffic;
      return http === undefined || grant.proxy.http.some((rule) => matchesRequest(rule, http, view.settings, unknowns));
    })
    .map(({ grant }) => grant);
  return { passing, limited: false };
}

/**
 * SNI lists are united per selector and port (R5.9, R4.5.5): a rule with a list of its own lets its own names pass, and a
 * plain rule of the same selector there those of every list.
 */
function serverNamesOf(grant: Grant, grants: readonly Grant[]): readonly string[] {
  if (grant.port === undefined) return [];
  if (grant.proxy.serverNames.length > 0) return grant.proxy.serverNames;
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
function isReadable(grant: Grant, view: View): boolean {
  const { proxy } = grant;
  if (readsElse(grant, view) || !isConnectable(grant, view)) return false;
  if (proxy.terminates === undefined && proxy.originates === undefined) return true;
  const detail = proxy.terminates ?? proxy.originates ?? "";
  return view.scene.unknowns.ask(`secret ${detail}`, { code: "secret-not-read", detail });
}

/** Whether the grant's parser reads something else: DNS what is no query (R7.2.1), HTTP what begins with a TLS handshake. */
function readsElse({ proxy }: Grant, { scene: { traffic } }: View): boolean {
  if (isOpaque(proxy)) return false;
  if (proxy.dns.length > 0) return traffic.http !== undefined || traffic.serverName !== undefined;
  return proxy.http.length > 0 && traffic.serverName !== undefined;
}

function isOpaque({ opaque, listener, terminates, originates }: Grant["proxy"]): boolean {
  return [opaque, listener, terminates, originates].some((part) => part !== undefined);
}

/**
 * Whether the one of the grants that takes the connection hands it to a proxy that reads something else, where it fails
 * whatever the rules say (R6.2.1). Since 1.18 the preferred parser takes it, and any before none (R4.2.3); in 1.17 the
 * narrowest ports do (R4.2.2), of which equals are not told apart here.
 */
function isMisread(grants: readonly Grant[], view: View): boolean {
  const { unknowns } = view.scene;
  const readers = grants.filter((grant) => readsElse(grant, view));
  const rivals = grants.filter((grant) => !readers.includes(grant));
  if (readers.length === 0) return false;
  if (rivals.length === 0) return true;
  const strengthOf = (grant: Grant): number =>
    view.settings.release >= 18 ? preferenceOf(grant.proxy) : narrownessOf(grant);
  const reading = Math.max(...readers.map(strengthOf));
  const others = Math.max(...rivals.map(strengthOf));
  const isTold = reading !== others && !rivals.some(({ proxy }) => isOpaque(proxy));
  if (isTold) return reading > others;
  // R7.2.3: the redirect of a list of look-ups wins, whatever other filters allow at its port.
  const lists = readers.filter((grant) => grant.proxy.dns.length > 0 && strengthOf(grant) === reading);
  const equals = rivals.filter((grant) => strengthOf(grant) === others);
  if (
    lists.length > 0 &&
    equals.every(({ port, proxy }) => isPlain(proxy) && lists.every((one) => one.port?.filter !== port?.filter))
  )
    return true;
  return unknowns.ask("a proxy misreads the connection", { code: "opaque-l7", detail: "TLS on an HTTP port" });
}

function isPlain(proxy: Grant["proxy"]): boolean {
  return !isOpaque(proxy) && proxy.http.length === 0 && proxy.serverNames.length === 0 && proxy.dns.length === 0;
}

/** R4.2.3. */
function preferenceOf({ http, serverNames, dns }: Grant["proxy"]): number {
  if (http.length > 0) return 3;
  if (serverNames.length > 0) return 2;
  return dns.length > 0 ? 1 : 0;
}

/** A port before a range before every port of a protocol before everything (R4.2.1, R4.2.2). */
function narrownessOf({ port }: Grant): number {
  if (port === undefined) return 0;
  if (port.first <= 1 && port.last === 65535) return 1;
  return port.first === port.last ? 3 : 2;
}
