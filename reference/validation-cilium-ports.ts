import { RE2JS } from "re2js";
import { parsePort } from "./cilium-ports.ts";
import { icmpTypeOf } from "./protocols.ts";
import { isPortName, mapping, oneOf, optionalText, optionalWhole, refuse, sequence } from "./validation.ts";
import type { RuleContext } from "./validation-cilium-context.ts";
import { checkName } from "./validation-cilium-peers.ts";
import { type Fields, fieldsOf, isGiven, itemsOf, textOf } from "./values.ts";

const PROTOCOLS = ["TCP", "UDP", "SCTP", "ICMP", "ICMPv6", "ANY"];

/** V6 … V14 for the `toPorts` of one entry. */
export function checkToPorts(path: string, groups: readonly unknown[], context: RuleContext): void {
  for (const [index, value] of groups.entries()) {
    const place = `${path}[${index}]`;
    const proxied = ["rules", "terminatingTLS", "originatingTLS", "serverNames", "listener"];
    const group = mapping(place, value, context.isDeny ? ["ports"] : ["ports", ...proxied]);
    const ports = sequence(`${place}.ports`, group["ports"]);
    // V6.
    if (ports.length > 40) refuse(`${place}.ports`, "at most 40 ports");
    for (const [at, port] of ports.entries()) checkPort(`${place}.ports[${at}]`, port, context);
    if (!context.isDeny) checkProxy(place, group, context);
  }
}

/** V7: a string that is a port number in Go's notation, or a service name (V19: protocols by enum). */
function checkPort(path: string, value: unknown, context: RuleContext): void {
  const port = mapping(path, value, ["port", "endPort", "protocol"]);
  const protocol = optionalText(`${path}.protocol`, port["protocol"]) ?? "";
  const isExtended = protocol === "VRRP" || protocol === "IGMP";
  if (protocol !== "" && !(isExtended && context.settings.extendedProtocols))
    oneOf(`${path}.protocol`, protocol, PROTOCOLS);
  const endPort = optionalWhole(`${path}.endPort`, port["endPort"]) ?? 0;
  if (endPort < 0 || endPort > 65535) refuse(`${path}.endPort`, "must be from 0 to 65535");
  const text = optionalText(`${path}.port`, port["port"]) ?? "";
  if (text === "") {
    if (!context.settings.extendedProtocols) refuse(`${path}.port`, "required");
    return;
  }
  if (isPortName(text.toLowerCase())) return;
  const number = parsePort(text);
  if (number === undefined) refuse(`${path}.port`, "neither a port number nor a service name");
  if (number !== 0 && isExtended) refuse(`${path}.port`, `port must be empty or 0 with ${protocol}`);
}

function checkProxy(path: string, group: Fields, context: RuleContext): void {
  const ports = itemsOf(group["ports"]).map(fieldsOf);
  const rules = mapping(`${path}.rules`, group["rules"], ["http", "kafka", "dns", "l7proto", "l7"]);
  for (const key of ["http", "kafka", "dns", "l7"]) sequence(`${path}.rules.${key}`, rules[key]);
  optionalText(`${path}.rules.l7proto`, rules["l7proto"]);
  // A nil test, not a length test (V8).
  const kinds = ["http", "kafka", "dns"].filter((key) => isGiven(rules[key]));
  if (textOf(rules["l7proto"])) kinds.push("l7proto");
  // V11.
  if (kinds.length > 1) refuse(`${path}.rules`, `only one of ${kinds.join(", ")}`);
  if (isGiven(rules["l7"]) && !textOf(rules["l7proto"])) refuse(`${path}.rules.l7`, "l7 without l7proto");
  const [kind] = kinds;
  if (kind !== undefined) checkRules(path, kind, rules, ports, context);
  for (const rule of itemsOf(rules["http"])) checkHttp(`${path}.rules.http`, rule);
  for (const rule of itemsOf(rules["dns"])) checkName(`${path}.rules.dns`, rule);
  checkTls(path, group, kind !== undefined, context);
  checkListener(path, group, kind !== undefined, context);
}

/** V8, V9, V10, V14. */
function checkRules(path: string, kind: string, rules: Fields, ports: readonly Fields[], context: RuleContext): void {
  const isDns = kind === "dns";
  const hasDnsRules = isDns && itemsOf(rules["dns"]).length > 0;
  for (const port of ports) {
    const protocol = textOf(port["protocol"]) || "ANY";
    const fits = protocol === "TCP" || (hasDnsRules && (protocol === "UDP" || protocol === "ANY"));
    if (!fits) refuse(`${path}.rules`, `L7 rules of ${kind} on protocol ${protocol}`);
    const text = textOf(port["port"]) ?? "";
    if (text === "" || parsePort(text) === 0) refuse(`${path}.rules`, "L7 rules on port 0");
    const endPort = typeof port["endPort"] === "number" ? port["endPort"] : 0;
    if (isDns && endPort > (parsePort(text) ?? 65535)) refuse(`${path}.rules.dns`, "DNS rules on a port range");
  }
  if (isDns && context.direction === "ingress") refuse(`${path}.rules.dns`, "DNS rules on ingress");
  if (isDns && ports.length === 0) refuse(`${path}.rules.dns`, "DNS rules without ports");
  if (!context.settings.l7Proxy) refuse(`${path}.rules`, "the L7 proxy is off");
  if (context.isForNodes && (context.direction === "ingress" || !isDns))
    refuse(`${path}.rules`, "L7 rules in a rule for nodes");
}

/** V12. */
function checkTls(path: string, group: Fields, hasRules: boolean, context: RuleContext): void {
  for (const key of ["terminatingTLS", "originatingTLS"]) {
    if (!isGiven(group[key])) continue;
    const known = ["secret", "trustedCA", "certificate", "privateKey"];
    const tls = mapping(`${path}.${key}`, group[key], known);
    if (!isGiven(tls["secret"])) refuse(`${path}.${key}.secret`, "required");
    checkSecret(`${path}.${key}.secret`, tls["secret"]);
  }
  const names = sequence(`${path}.serverNames`, group["serverNames"]);
  if (names.some((name) => (optionalText(`${path}.serverNames`, name) ?? "") === ""))
    refuse(`${path}.serverNames`, "an empty server name");
  if (context.settings.release >= 18 && names.some((name) => !SERVER_NAME.test(String(name))))
    refuse(`${path}.serverNames`, "labels, after `*.` or `**.` where wanted");
  if (names.length > 0 && hasRules && !isGiven(group["terminatingTLS"]))
    refuse(`${path}.serverNames`, "server names with L7 rules need terminatingTLS");
}

/** The pattern of the schema since 1.18 (R5.9, U14). */
const SERVER_NAME = /^(?=.{1,255}$)(\*{1,2}\.)?[-a-zA-Z0-9_]+(\.[-a-zA-Z0-9_]+)*\.?$/;

function checkSecret(path: string, value: unknown): void {
  const secret = mapping(path, value, ["name", "namespace"]);
  if (!textOf(secret["name"])) refuse(`${path}.name`, "required");
  optionalText(`${path}.namespace`, secret["namespace"]);
}

/** V13. */
function checkListener(path: string, group: Fields, hasRules: boolean, context: RuleContext): void {
  if (!isGiven(group["listener"])) return;
  const listener = mapping(`${path}.listener`, group["listener"], ["envoyConfig", "name", "priority"]);
  if (!isGiven(listener["envoyConfig"]) || !textOf(listener["name"])) refuse(`${path}.listener`, "incomplete");
  const config = mapping(`${path}.listener.envoyConfig`, listener["envoyConfig"], ["kind", "name"]);
  if (!textOf(config["name"])) refuse(`${path}.listener.envoyConfig.name`, "required");
  if (isGiven(config["kind"]))
    oneOf(`${path}.listener.envoyConfig.kind`, config["kind"], ["CiliumEnvoyConfig", "CiliumClusterwideEnvoyConfig"]);
  const priority = optionalWhole(`${path}.listener.priority`, listener["priority"]) ?? 1;
  if (priority < 1 || priority > 100) refuse(`${path}.listener.priority`, "must be from 1 to 100");
  if (context.direction === "ingress") refuse(`${path}.listener`, "listener on ingress");
  if (hasRules) refuse(`${path}.listener`, "listener together with L7 rules");
}

/** V16. */
function checkHttp(path: string, value: unknown): void {
  const rule = mapping(path, value, ["path", "method", "host", "headers", "headerMatches"]);
  for (const key of ["path", "method", "host"]) {
    const pattern = optionalText(`${path}.${key}`, rule[key]);
    if (pattern !== undefined && !isExpression(pattern))
      refuse(`${path}.${key}`, `not a regular expression: ${pattern}`);
  }
  for (const header of sequence(`${path}.headers`, rule["headers"])) optionalText(`${path}.headers`, header);
  for (const item of sequence(`${path}.headerMatches`, rule["headerMatches"])) {
    const match = mapping(`${path}.headerMatches`, item, ["name", "value", "secret", "mismatch"]);
    if (!textOf(match["name"])) refuse(`${path}.headerMatches.name`, "required");
    optionalText(`${path}.headerMatches.value`, match["value"]);
    if (isGiven(match["mismatch"]) && match["mismatch"] !== "")
      oneOf(`${path}.headerMatches.mismatch`, match["mismatch"], ["LOG", "ADD", "DELETE", "REPLACE"]);
    if (isGiven(match["secret"])) checkSecret(`${path}.headerMatches.secret`, match["secret"]);
  }
}

function isExpression(pattern: string): boolean {
  try {
    RE2JS.compile(pattern);
    return true;
  } catch {
    return false;
  }
}

/** V6: at most 40 fields; families and types that exist. */
export function checkIcmps(path: string, groups: readonly unknown[]): void {
  for (const [index, value] of groups.entries()) {
    const group = mapping(`${path}[${index}]`, value, ["fields"]);
    const fields = sequence(`${path}[${index}].fields`, group["fields"]);
    if (fields.length > 40) refuse(`${path}[${index}].fields`, "at most 40 fields");
    for (const item of fields) {
      const field = mapping(`${path}[${index}].fields`, item, ["family", "type"]);
      const family = textOf(field["family"]) || "IPv4";
      if (family !== "IPv4" && family !== "IPv6") return refuse(`${path}.family`, "must be IPv4 or IPv6");
      if (icmpTypeOf(field["type"], family) === undefined) refuse(`${path}.type`, "unknown ICMP type");
    }
  }
}
