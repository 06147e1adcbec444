/** The protocols that policies can name, as buckets of the space of flows. */

import type { Family } from "./address.ts";

/** `OTHER` stands for every IP protocol without a bucket of its own; it has no ports. */
export type Protocol = "TCP" | "UDP" | "SCTP" | "ICMP" | "ICMPv6" | "VRRP" | "IGMP" | "OTHER";

export const PROTOCOLS: readonly Protocol[] = ["TCP", "UDP", "SCTP", "ICMP", "ICMPv6", "VRRP", "IGMP", "OTHER"];

export const PORT_PROTOCOLS = ["TCP", "UDP", "SCTP"] as const;
export type PortProtocol = (typeof PORT_PROTOCOLS)[number];

export function hasPorts(protocol: Protocol): protocol is PortProtocol {
  return protocol === "TCP" || protocol === "UDP" || protocol === "SCTP";
}

/** The inclusive range of "ports" of a protocol: ports, ICMP types, or the single point 0 where it has neither. */
export function portDomain(protocol: Protocol): { readonly first: number; readonly last: number } {
  if (hasPorts(protocol)) return { first: 1, last: 65535 };
  if (protocol === "ICMP" || protocol === "ICMPv6") return { first: 0, last: 255 };
  return { first: 0, last: 0 };
}

/** ICMP is an IPv4 protocol and ICMPv6 an IPv6 one; every other protocol exists in both families. */
export function protocolInFamily(protocol: Protocol, family: Family): boolean {
  if (protocol === "ICMP") return family === "IPv4";
  if (protocol === "ICMPv6") return family === "IPv6";
  return true;
}
