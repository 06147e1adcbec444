/** Routes: the longest prefix of the subnet's table (aws-vpc.md 2.3). */

import type { Because } from "../../base/because.ts";
import { formatPrefix, prefixContains, type Prefix } from "../../net/address.ts";
import { destinationText, type Network, type Route, type RouteTable, type RouteTarget, type Subnet } from "../model.ts";
import { type Place, placeInPrefix } from "./place.ts";

export type Found =
  /** The route that wins, and where it leads. */
  | {
      readonly kind: "route";
      readonly table: string;
      readonly route: Route;
      readonly target: RouteTarget;
      readonly decider: string;
    }
  | { readonly kind: "none"; readonly table: string; readonly decider: string }
  /** Drops, without falling back to a shorter prefix (RT-3). */
  | { readonly kind: "blackhole"; readonly table: string; readonly decider: string }
  | {
      readonly kind: "unsure";
      readonly table: string;
      readonly because: readonly Because[];
      /** What it may be, where that can be listed. */
      readonly alternatives?: readonly Found[];
    };

interface Candidate {
  readonly route: Route;
  readonly length: number;
  readonly sure: boolean;
}

/** Where the table of a subnet sends what goes to a place. */
export function lookUp(network: Network, subnet: Subnet, to: Place): Found {
  const { table } = subnet;
  if (table.kind !== "known") return { kind: "unsure", table: subnet.name, because: [table.because] };
  const found = network.tables.get(table.value);
  if (found === undefined) {
    return {
      kind: "unsure",
      table: table.value,
      because: [{ code: "missing-object", detail: `route table ${table.value}` }],
    };
  }
  return lookUpTable(network, found, to);
}

export function lookUpTable(network: Network, table: RouteTable, to: Place): Found {
  const candidates = table.routes
    .flatMap((route) =>
      route.state === "filtered" || isVoid(network, table, route, to) ? [] : (candidate(network, route, to) ?? []),
    )
    .sort((a, b) => b.length - a.length || rank(a.route) - rank(b.route));
  const sure = candidates.findIndex((c) => c.sure);
  const best = candidates[sure];
  const maybe = candidates
    .slice(0, sure < 0 ? candidates.length : sure)
    .filter((c) => !sameTarget(c.route, best?.route));
  const certain = (): Found => settled(table, best?.route);
  if (maybe.length > 0) {
    const because: readonly Because[] = [
      { code: "unknown-value", detail: `which route of ${table.name} leads to ${to.name}` },
    ];
    const alternatives = [...maybe.map((c) => settled(table, c.route)), certain()];
    return { kind: "unsure", table: table.name, because, ...(table.moreRoutes === undefined ? { alternatives } : {}) };
  }
  if (table.moreRoutes !== undefined) return { kind: "unsure", table: table.name, because: [table.moreRoutes] };
  return certain();
}

/** Where a route leads that wins. */
function settled(table: RouteTable, route: Route | undefined): Found {
  if (route === undefined) return { kind: "none", table: table.name, decider: `${table.name}#no-route` };
  if (route.state === "blackhole") {
    return { kind: "blackhole", table: table.name, decider: `${table.name}#${destinationText(route)}->blackhole` };
  }
  const of = (target: RouteTarget): Found => ({
    kind: "route",
    table: table.name,
    route,
    target,
    decider: `${table.name}#${destinationText(route)}->${target.name}`,
  });
  const { target } = route;
  if (target.kind === "known") return of(target.value);
  const alternatives = target.kind === "oneOf" ? { alternatives: target.values.map(of) } : {};
  return { kind: "unsure", table: table.name, because: [target.because], ...alternatives };
}

/**
 * Inside the VPC only a route for a whole subnet, to a NAT gateway, an interface or an appliance, stands beside `local`
 * (RT-2); AWS takes no other.
 */
function isVoid(network: Network, table: RouteTable, route: Route, to: Place): boolean {
  if (route.origin === "local" || table.vpc === undefined) return false;
  const vpc = network.vpcs.get(table.vpc);
  if (vpc === undefined || !vpc.cidrs.some((cidr) => placeInPrefix(to, cidr) !== "no")) return false;
  const { destination, target } = route;
  if (destination.kind === "unknown" || target.kind !== "known") return false;
  if (destination.kind === "prefixList") return true;
  // A shorter prefix never wins against local.
  const isInside = vpc.cidrs.some((cidr) => prefixContains(cidr, destination.prefix));
  if (!isInside) return false;
  const { kind, name } = target.value;
  if (kind === "endpoint" && network.endpoints.get(name)?.kind === "gateway") return true;
  if (kind !== "nat-gateway" && kind !== "network-interface" && kind !== "endpoint") return true;
  const whole = formatPrefix(destination.prefix);
  return ![...network.subnets.values()].some(
    (s) => s.vpc === table.vpc && [s.cidr4, s.cidr6].some((cidr) => cidr !== undefined && formatPrefix(cidr) === whole),
  );
}

function candidate(network: Network, route: Route, to: Place): Candidate | undefined {
  const { destination } = route;
  switch (destination.kind) {
    case "unknown":
      return { route, length: 129, sure: false };
    case "prefix":
      return ofPrefix(route, destination.prefix, to);
    case "prefixList": {
      const list = network.prefixLists.get(destination.list);
      if (list?.prefixes === undefined) return { route, length: 128, sure: false };
      const found = list.prefixes.flatMap((prefix) => ofPrefix(route, prefix, to) ?? []);
      return found.sort((a, b) => Number(b.sure) - Number(a.sure) || b.length - a.length)[0];
    }
  }
}

function ofPrefix(route: Route, prefix: Prefix, to: Place): Candidate | undefined {
  const matches = placeInPrefix(to, prefix);
  return matches === "no" ? undefined : { route, length: prefix.length, sure: matches === "yes" };
}

/** On equal prefixes: local, static, prefix list, propagated (RT-1). */
function rank(route: Route): number {
  if (route.origin === "local") return 0;
  if (route.origin === "propagated") return 3;
  return route.destination.kind === "prefixList" ? 2 : 1;
}

function sameTarget(a: Route, b: Route | undefined): boolean {
  return (
    b !== undefined &&
    a.state === b.state &&
    a.target.kind === "known" &&
    b.target.kind === "known" &&
    a.target.value.kind === b.target.value.kind &&
    a.target.value.name === b.target.value.name
  );
}

/** Whether the subnet's table leads somewhere public through an internet gateway (RT-5). */
export function isPublicSubnet(network: Network, subnet: Subnet): boolean {
  if (subnet.table.kind !== "known") return false;
  const table = network.tables.get(subnet.table.value);
  return (table?.routes ?? []).some((route) => {
    if (route.state !== "active" || route.target.kind !== "known" || route.target.value.kind !== "internet-gateway")
      return false;
    if (route.destination.kind !== "prefix") return false;
    const gateway = network.gateways.get(route.target.value.name);
    return gateway !== undefined && gateway.vpcs.includes(subnet.vpc) && !isPrivatePrefix(route.destination.prefix);
  });
}

const PRIVATE: readonly Prefix[] = [
  { family: "IPv4", base: 0x0a000000n, length: 8 },
  { family: "IPv4", base: 0xac100000n, length: 12 },
  { family: "IPv4", base: 0xc0a80000n, length: 16 },
  { family: "IPv4", base: 0x64400000n, length: 10 },
  { family: "IPv4", base: 0xa9fe0000n, length: 16 },
  { family: "IPv4", base: 0x7f000000n, length: 8 },
  { family: "IPv4", base: 0n, length: 8 },
  { family: "IPv4", base: 0xe0000000n, length: 3 },
  { family: "IPv6", base: 0xfc00n << 112n, length: 7 },
  { family: "IPv6", base: 0xfe80n << 112n, length: 10 },
  { family: "IPv6", base: 0xff00n << 112n, length: 8 },
];

/** Ranges that no internet gateway carries. */
export const NOT_PUBLIC: readonly Prefix[] = PRIVATE;

function isPrivatePrefix(prefix: Prefix): boolean {
  return PRIVATE.some((one) => prefixContains(one, prefix) && formatPrefix(one) !== "0.0.0.0/8");
}
