/** Protocols, ports and prefixes as the three inputs write them. */

import { type Address, type Family, parseAddress, parsePrefix, type Prefix, hostPrefix } from "../../net/address.ts";
import type { Because } from "../../base/because.ts";
import type { Traffic } from "../model.ts";

/** Numbers of the protocols that have names in rules (aws-vpc.md SG-3: names and numbers are equal). */
const NUMBERS: ReadonlyMap<string, number> = new Map([
  ["all", -1],
  ["-1", -1],
  ["icmp", 1],
  ["tcp", 6],
  ["udp", 17],
  ["icmpv6", 58],
  ["icmp6", 58],
  ["sctp", 132],
  ["vrrp", 112],
  ["igmp", 2],
]);

export function protocolNumber(text: string): number | undefined {
  const named = NUMBERS.get(text.toLowerCase());
  if (named !== undefined) return named;
  return /^[0-9]{1,3}$/.test(text) && Number(text) <= 255 ? Number(text) : undefined;
}

export const ICMP = 1;
export const TCP = 6;
export const UDP = 17;
export const ICMPV6 = 58;

export function protocolText(number: number): string {
  switch (number) {
    case -1:
      return "all";
    case ICMP:
      return "icmp";
    case TCP:
      return "tcp";
    case UDP:
      return "udp";
    case ICMPV6:
      return "icmpv6";
    default:
      return String(number);
  }
}

export const ALL_TRAFFIC: Traffic = { protocol: -1, first: 0, last: 65535, icmpType: -1, icmpCode: -1 };

/** A rule's protocol with what stands for ports; for ICMP `from` is the type and `to` the code (aws-vpc.md SG-3). */
export function trafficOf(protocol: number, from: number | undefined, to: number | undefined): Traffic {
  if (protocol === ICMP || protocol === ICMPV6) {
    return { protocol, first: 0, last: 65535, icmpType: from ?? -1, icmpCode: to ?? -1 };
  }
  if (protocol !== TCP && protocol !== UDP) return { ...ALL_TRAFFIC, protocol };
  const whole = from === undefined || from === -1;
  return { protocol, first: whole ? 0 : from, last: whole ? 65535 : (to ?? from), icmpType: -1, icmpCode: -1 };
}

export function unknownTraffic(because: Because): Traffic {
  return { ...ALL_TRAFFIC, unknown: because };
}

/** `tcp/443`, `tcp/1024-65535`, `icmp/8`, `all`. */
export function trafficText(traffic: Traffic): string {
  const name = protocolText(traffic.protocol);
  if (traffic.protocol === ICMP || traffic.protocol === ICMPV6) {
    return traffic.icmpType === -1 ? name : `${name}/${traffic.icmpType}`;
  }
  if (traffic.protocol !== TCP && traffic.protocol !== UDP) return name;
  if (traffic.first === 0 && traffic.last === 65535) return name;
  return `${name}/${traffic.first === traffic.last ? traffic.first : `${traffic.first}-${traffic.last}`}`;
}

/** A prefix, or an address alone. */
export function prefixOf(text: string): Prefix | undefined {
  const prefix = parsePrefix(text.trim());
  if (prefix !== undefined) return prefix;
  const address = parseAddress(text.trim());
  return address === undefined ? undefined : hostPrefix(address);
}

export function prefixesOf(texts: readonly string[]): readonly Prefix[] {
  return texts.flatMap((text) => prefixOf(text) ?? []);
}

export const WORLD: Readonly<Record<Family, string>> = { IPv4: "0.0.0.0/0", IPv6: "::/0" };

/** The addresses among the texts, each once. */
export function addressList(given: readonly (string | undefined)[]): readonly Address[] {
  const out = new Map<string, Address>();
  for (const one of given) {
    const address = one === undefined ? undefined : parseAddress(one);
    if (address !== undefined) out.set(`${address.family}${address.value}`, address);
  }
  return [...out.values()];
}
