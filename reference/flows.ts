import type { Family } from "./addresses.ts";
import { isIcmp, protocolOf } from "./protocols.ts";

export interface HttpRequest {
  readonly method: string;
  /** The `:path` value, query included. */
  readonly path: string;
  readonly host?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One question: may this connection, or this request, pass? Endpoint names as in the design document. */
export interface Flow {
  readonly from: string;
  readonly to: string;
  readonly protocol: string;
  readonly port?: number;
  readonly icmp?: { readonly family?: Family; readonly type?: number };
  readonly family?: Family;
  readonly http?: HttpRequest;
  readonly tls?: { readonly serverName: string };
}

/** What is asked of the port, once the ends are known. */
export interface Traffic {
  /** TCP, UDP, SCTP, ICMP, ICMPv6 or another IP protocol. */
  readonly protocol: string;
  /** The port, or the ICMP type; undefined for protocols that have neither. */
  readonly port: number | undefined;
  readonly http: HttpRequest | undefined;
  readonly serverName: string | undefined;
}

/** ICMP of family IPv6 is ICMPv6, whatever the question calls it. */
export function trafficOf(flow: Flow): Traffic {
  const named = protocolOf(flow.protocol);
  const protocol = isIcmp(named) && flow.icmp?.family !== undefined ? icmpOf(flow.icmp.family) : named;
  return {
    protocol,
    port: isIcmp(protocol) ? flow.icmp?.type : flow.port,
    http: flow.http,
    serverName: flow.tls?.serverName,
  };
}

function icmpOf(family: Family): string {
  return family === "IPv4" ? "ICMP" : "ICMPv6";
}

/** The family that the question itself fixes. */
export function familyOf(flow: Flow, traffic: Traffic): Family | undefined {
  if (traffic.protocol === "ICMP") return "IPv4";
  if (traffic.protocol === "ICMPv6") return "IPv6";
  return flow.family;
}
