/** `toPorts`: ports and protocols (cilium.md 5; `pkg/policy/api/l4.go`, `…/rule_validation.go`, `pkg/policy/portrange.go`). */
import type { Cursor } from "../../documents/cursor.ts";
import { PORT_PROTOCOLS, type PortProtocol } from "../../net/protocol.ts";
import type { PortMatch } from "../rule.ts";
import type { EntryContext } from "./context.ts";
import { isObject } from "./selector.ts";

const BASE_PROTOCOLS = ["TCP", "UDP", "SCTP", "ICMP", "ICMPv6", "ANY"] as const;
const PROTOCOLS = [...BASE_PROTOCOLS, "VRRP", "IGMP"] as const;
export type WrittenProtocol = (typeof PROTOCOLS)[number];

/** One item of `ports`, with what the validation of application rules asks of it. */
export interface DecodedPort {
  readonly at: Cursor;
  readonly protocol: WrittenProtocol;
  /** The number; absent for a name. */
  readonly number?: number;
  readonly endPort: number;
  readonly matches: readonly PortMatch[];
}

/** `iana.IsSvcName`: at most 15 letters, digits and single hyphens inside, with at least one letter. */
function isServiceName(text: string): boolean {
  return text.length <= 15 && /^([a-zA-Z0-9]-?)*[a-zA-Z](-?[a-zA-Z0-9])*$/.test(text);
}

/**
 * A number as Go's `strconv.ParseUint(text, 0, 16)`: a leading zero means octal, underscores may part digits (V7). What
 * has a letter never comes here: it is a name.
 */
export function parsePortNumber(text: string): number | undefined {
  const digits = text.replaceAll("_", "");
  let value: number;
  if (/^(0|[1-9](_?[0-9])*)$/.test(text)) value = Number(digits);
  else if (/^0(_?[0-7])+$/.test(text)) value = Number.parseInt(digits, 8);
  else return undefined;
  return value <= 65535 ? value : undefined;
}

/** An item of `ports`; undefined where it is refused. */
export function decodePort(item: Cursor, context: EntryContext): DecodedPort | undefined {
  if (!isObject(item)) return undefined;
  item.unknownFields(["port", "endPort", "protocol"]);
  const protocol = decodeProtocol(item.field("protocol"), context);
  const endPort = item.field("endPort").integer({ min: 0, max: 65535 }) ?? 0;
  const at = item.field("port");
  const text = at.isAbsent ? "" : at.string();
  if (protocol === undefined || text === undefined) return undefined;
  if (text === "") {
    if (context.settings.extendedProtocols)
      return { at: item, protocol, number: 0, endPort, matches: numbered(protocol, 0, endPort) };
    item.error("BH218", `${item.describe()}: port must be specified`);
    return undefined;
  }
  if (isServiceName(text))
    return { at: item, protocol, endPort, matches: named(text.toLowerCase(), protocol, context, at) };
  const number = parsePortNumber(text);
  if (number === undefined) {
    const octal = /^0[0-9]+$/.test(text);
    const message = `${at.describe()}: unable to parse port ${JSON.stringify(text)}`;
    at.error("BH218", message, octal ? { help: "A leading zero makes the number octal; write it without." } : {});
    return undefined;
  }
  if (number !== 0 && (protocol === "VRRP" || protocol === "IGMP")) {
    at.error("BH218", `${at.describe()}: port must be empty or 0 for ${protocol}`);
    return undefined;
  }
  return { at: item, protocol, number, endPort, matches: numbered(protocol, number, endPort) };
}

/** Absent and empty mean ANY (R5.1). */
function decodeProtocol(at: Cursor, context: EntryContext): WrittenProtocol | undefined {
  if (at.isAbsent || at.value === "") return "ANY";
  return at.enumeration(context.settings.extendedProtocols ? PROTOCOLS : BASE_PROTOCOLS);
}

/** `ANY` with ports is TCP, UDP and SCTP, never ICMP (R5.2). */
function portProtocols(protocol: WrittenProtocol): readonly PortProtocol[] {
  if (protocol === "ANY") return PORT_PROTOCOLS;
  return PORT_PROTOCOLS.filter((one) => one === protocol);
}

/** Numbers: 0 is every port, `endPort` is inclusive, and an end at or below the start is no range (R5.3, R4.2.1). */
function numbered(protocol: WrittenProtocol, port: number, endPort: number): readonly PortMatch[] {
  const every = port === 0 && (endPort === 0 || endPort === 65535);
  const last = endPort > port ? endPort : port;
  if (protocol === "VRRP" || protocol === "IGMP") return [{ kind: "protocol", protocol }];
  if (protocol === "ICMP" || protocol === "ICMPv6") {
    const family = protocol === "ICMP" ? "IPv4" : "IPv6";
    if (every) return [{ kind: "icmp", family, first: 0, last: 255 }];
    return port > 255 ? [] : [{ kind: "icmp", family, first: port, last: Math.min(last, 255) }];
  }
  return portProtocols(protocol).map((one) => ({
    kind: "ports",
    protocol: one,
    first: Math.max(port, 1),
    last: every ? 65535 : last,
  }));
}

/** Names: at ingress of the pod itself, at egress of the whole cluster (R5.6), each protocol for itself (R5.2). No ICMP type has a name here. */
function named(name: string, protocol: WrittenProtocol, context: EntryContext, at: Cursor): readonly PortMatch[] {
  const resolve = context.direction === "ingress" ? ("destination" as const) : ("cluster" as const);
  const more = resolve === "cluster" ? { path: at.path } : ({ single: true } as const);
  return portProtocols(protocol).map((one) => ({ kind: "named", name, protocol: one, resolve, ...more }));
}
