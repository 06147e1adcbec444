import { icmpTypeOf, PORT_PROTOCOLS } from "./protocols.ts";
import { isPortName } from "./validation.ts";
import { type Fields, fieldsOf, isFields, isGiven, itemsOf, textOf, textsOf, wholeOf } from "./values.ts";

/** One protocol and port, range, name or ICMP type of a rule. */
export interface PortItem {
  readonly protocol: string;
  /** Lower-case name of a container port, or undefined for numbers. */
  readonly name: string | undefined;
  /** Inclusive; 0 to 65535 for any port, or any type (R5.3, R5.5). */
  readonly first: number;
  readonly last: number;
  /** The filter that it belongs to: one for each port, end port and protocol (4.5). */
  readonly filter: string;
}

/** What a proxy does with the traffic of one `toPorts` item (1.4, 6.2). */
export interface ProxyPart {
  /** Present and not empty: HTTP rules judge requests. */
  readonly http: readonly Fields[];
  /** Present and not empty: DNS rules judge queries. */
  readonly dns: readonly Fields[];
  /** A parser that cannot be judged offline: kafka, or the name of a generic one. */
  readonly opaque: string | undefined;
  readonly serverNames: readonly string[];
  readonly terminates: string | undefined;
  readonly originates: string | undefined;
  readonly listener: string | undefined;
  readonly listenerPriority: number;
}

/** One `toPorts` or `icmps` item: some ports, and what the proxy does there. No ports means nothing, not everything. */
export interface PortGroup {
  readonly ports: readonly PortItem[];
  readonly proxy: ProxyPart;
}

export const NO_PROXY: ProxyPart = {
  http: [],
  dns: [],
  opaque: undefined,
  serverNames: [],
  terminates: undefined,
  originates: undefined,
  listener: undefined,
  listenerPriority: 0,
};

/** The ports of an entry; undefined when it names none, which is every protocol and port (R5.4, section 14 step 4). */
export function portGroups(entry: Fields): readonly PortGroup[] | undefined {
  const toPorts = itemsOf(entry["toPorts"]).map(fieldsOf);
  const icmps = itemsOf(entry["icmps"]).map(fieldsOf);
  if (toPorts.length === 0 && icmps.length === 0) return undefined;
  return [
    ...toPorts.map((group) => ({
      ports: itemsOf(group["ports"]).filter(isFields).flatMap(portItems),
      proxy: proxyPart(group),
    })),
    ...icmps.map((group) => ({
      ports: itemsOf(group["fields"]).filter(isFields).map(icmpItem),
      proxy: NO_PROXY,
    })),
  ];
}

/** ANY, or no protocol, is TCP, UDP and SCTP, never ICMP (R5.2). */
function portItems(port: Fields): readonly PortItem[] {
  const written = (textOf(port["protocol"]) ?? "").toUpperCase();
  const protocols: readonly string[] =
    written === "" || written === "ANY" ? PORT_PROTOCOLS : [written === "ICMPV6" ? "ICMPv6" : written];
  const text = textOf(port["port"]) ?? "0";
  return protocols.map((protocol) => portItem(protocol, text, wholeOf(port["endPort"]) ?? 0));
}

/** R5.3, R5.6: names ignore `endPort`; 0 is any port; `endPort` not above `port` is a single port. */
export function portItem(protocol: string, text: string, endPort: number): PortItem {
  if (isPortName(text.toLowerCase())) {
    const name = text.toLowerCase();
    return { protocol, name, first: 0, last: 0, filter: `${name}/${protocol}` };
  }
  const first = parsePort(text) ?? 0;
  const last = first === 0 && (endPort === 0 || endPort === 65535) ? 65535 : Math.max(first, endPort);
  return { protocol, name: undefined, first, last, filter: `${first}-${last}/${protocol}` };
}

/** Go's base detection: a leading zero means octal (V7). Undefined when it is no port number. */
export function parsePort(text: string): number | undefined {
  if (!/^[0-9]+$/.test(text)) return undefined;
  if (text.length > 1 && text.startsWith("0") && !/^[0-7]+$/.test(text)) return undefined;
  const number = Number.parseInt(text, text.length > 1 && text.startsWith("0") ? 8 : 10);
  return number <= 65535 ? number : undefined;
}

/** The key is protocol and type; type 0 is stored as port 0, which is any type (R5.5). */
function icmpItem(field: Fields): PortItem {
  const family = field["family"] === "IPv6" ? "IPv6" : "IPv4";
  const protocol = family === "IPv6" ? "ICMPv6" : "ICMP";
  const type = icmpTypeOf(field["type"], family) ?? 0;
  return { protocol, name: undefined, first: type, last: type === 0 ? 65535 : type, filter: `${type}/${protocol}` };
}

function proxyPart(group: Fields): ProxyPart {
  const rules = fieldsOf(group["rules"]);
  const secretOf = (value: unknown) => (isGiven(value) ? JSON.stringify(value) : undefined);
  const listener = fieldsOf(group["listener"]);
  const opaque = itemsOf(rules["kafka"]).length > 0 ? "kafka" : textOf(rules["l7proto"]) || undefined;
  return {
    http: itemsOf(rules["http"]).map(fieldsOf),
    dns: itemsOf(rules["dns"]).map(fieldsOf),
    opaque,
    serverNames: textsOf(group["serverNames"]),
    terminates: secretOf(group["terminatingTLS"]),
    originates: secretOf(group["originatingTLS"]),
    listener: isGiven(group["listener"]) ? JSON.stringify([listener["envoyConfig"], listener["name"]]) : undefined,
    listenerPriority: wholeOf(listener["priority"]) ?? 0,
  };
}
