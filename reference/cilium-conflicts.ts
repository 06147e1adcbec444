import { type Peer } from "./cilium-peers.ts";
import { NO_PROXY, type PortItem, type ProxyPart } from "./cilium-ports.ts";
import type { Entry } from "./cilium-rules.ts";

interface Part {
  readonly filter: string;
  readonly peer: string;
  readonly proxy: ProxyPart;
  readonly authentication: string | undefined;
}

/**
 * Whether the rules of one endpoint cannot be merged, so that its new policy is not applied at all (4.5, R4.3.10). Each
 * filter is a direction, port, end port and protocol; each selector in it has one L7 part.
 */
export function conflictIn(entries: readonly Entry[], release: number): string | undefined {
  const parts = entries.filter((entry) => entry.action === "allow").flatMap(partsOf);
  const denied = new Set(
    entries.filter((entry) => entry.action === "deny").flatMap((entry) => partsOf(entry).map(placeOf)),
  );
  const places = groupBy(
    // R4.5.1: deny replaces allow.
    parts.filter((part) => !denied.has(placeOf(part))),
    placeOf,
  );
  for (const [place, group] of places) {
    const reason = conflictAmong(group);
    if (reason !== undefined) return `${reason} at ${place}`;
  }
  if (release > 17) return undefined;
  // R4.5.4: in 1.17 the parser belongs to the filter.
  for (const [filter, group] of groupBy(parts, (part) => part.filter))
    if (parsersOf(group).size > 1) return `several L7 parsers at ${filter}`;
  return undefined;
}

function placeOf(part: Part): string {
  return `${part.filter} for ${part.peer}`;
}

function partsOf(entry: Entry): readonly Part[] {
  const peers = keysOf(entry.peers, entry.groups !== undefined);
  const ports: readonly { port: PortItem | undefined; proxy: ProxyPart | undefined }[] =
    entry.groups === undefined
      ? [{ port: undefined, proxy: undefined }]
      : entry.groups.flatMap((group) => group.ports.map((port) => ({ port, proxy: group.proxy })));
  return peers.flatMap((peer) =>
    ports.map(({ port, proxy }) => ({
      filter: `${entry.direction} ${port?.filter ?? "any"}`,
      peer,
      proxy: proxy ?? NO_PROXY,
      authentication: entry.authentication,
    })),
  );
}

/** The keys of the selectors of an entry, equal where they share a filter. */
export function peerKeys({ peers, groups }: Entry): readonly string[] {
  return keysOf(peers, groups !== undefined);
}

function keysOf(peers: Entry["peers"], hasPorts: boolean): readonly string[] {
  if (peers === "nobody") return [];
  if (peers === "unset") return hasPorts ? ["any"] : [];
  return "unresolved" in peers ? [] : peers.map((peer: Peer) => peer.key);
}

/** R4.5.4, R4.5.5. */
function conflictAmong(group: readonly Part[]): string | undefined {
  const distinct = (values: readonly (string | undefined)[]) =>
    new Set(values.filter((value) => value !== undefined)).size;
  if (parsersOf(group).size > 1) return "conflicting L7 parsers";
  if (distinct(group.map((part) => part.authentication)) > 1) return "conflicting authentication modes";
  if (distinct(group.map((part) => part.proxy.terminates)) > 1) return "conflicting TLS secrets";
  if (distinct(group.map((part) => part.proxy.originates)) > 1) return "conflicting TLS secrets";
  const listeners = group.filter((part) => part.proxy.listener !== undefined);
  for (const [priority, same] of groupBy(listeners, (part) => String(part.proxy.listenerPriority)))
    if (distinct(same.map((part) => part.proxy.listener)) > 1) return `conflicting listeners of priority ${priority}`;
  const hasNames = group.some((part) => part.proxy.serverNames.length > 0);
  const hasRules = group.some((part) => part.proxy.http.length > 0 || part.proxy.opaque !== undefined);
  if (hasNames && hasRules && !group.some((part) => part.proxy.terminates !== undefined))
    return "server names with L7 rules but without termination";
  return undefined;
}

/** The parser types of a filter; TLS may be promoted to HTTP or Kafka, none to anything (R4.5.4). */
function parsersOf(group: readonly Part[]): ReadonlySet<string> {
  const parsers = new Set(group.map((part) => parserOf(part.proxy)).filter((parser) => parser !== undefined));
  if (parsers.has("http") || parsers.has("kafka")) parsers.delete("tls");
  return parsers;
}

function parserOf(proxy: ProxyPart): string | undefined {
  if (proxy.http.length > 0) return "http";
  if (proxy.dns.length > 0) return "dns";
  if (proxy.opaque !== undefined) return proxy.opaque;
  if (proxy.listener !== undefined) return "listener";
  const hasTls = proxy.serverNames.length > 0 || proxy.terminates !== undefined || proxy.originates !== undefined;
  return hasTls ? "tls" : undefined;
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item)) ?? [];
    group.push(item);
    groups.set(keyOf(item), group);
  }
  return groups;
}
