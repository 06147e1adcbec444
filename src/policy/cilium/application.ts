/**
 * What a proxy judges beyond the port: HTTP, DNS, TLS, and what cannot be decided offline (cilium.md 5.9, 6, 7;
 * `pkg/policy/api/{l4,http,fqdn}.go`, `createL4Filter` in `pkg/policy/l4.go`).
 */
import type { Cursor } from "../../documents/cursor.ts";
import { patternExcess, patternRefusal } from "../../net/path-language.ts";
import type { ApplicationRule, HeaderMatch, HttpRule, NamePattern } from "../rule.ts";
import type { EntryContext } from "./context.ts";
import { decodeNames, decodeServerName } from "./names.ts";
import type { DecodedPort, WrittenProtocol } from "./ports.ts";
import { isObject } from "./selector.ts";

const KINDS = ["http", "kafka", "dns", "l7proto"] as const;
type Kind = (typeof KINDS)[number];
const DNS_PROTOCOLS: readonly WrittenProtocol[] = ["TCP", "UDP", "ANY"];

/** The part of an item of `toPorts` beyond its ports. */
export interface DecodedApplication {
  /** What holds for TCP; the proxy takes nothing else (R6.2.1). */
  readonly tcp: readonly ApplicationRule[];
  /** What holds for every other protocol: DNS, and what nobody has read the effect of (U23). */
  readonly other: readonly ApplicationRule[];
}

/**
 * Decodes `rules`, `serverNames`, `terminatingTLS`, `originatingTLS` and `listener` of an item of `toPorts`.
 *
 * Takes the item, its ports and the entry. Reports what the agent refuses (V8 to V14, V16, V17).
 */
export function decodeApplication(
  item: Cursor,
  ports: readonly DecodedPort[],
  portCount: number,
  context: EntryContext,
): DecodedApplication {
  const tcp: ApplicationRule[] = [];
  const other: ApplicationRule[] = [];
  const rules = item.field("rules");
  const kinds = givenKinds(rules);
  checkRules(rules, kinds, ports, portCount, context);

  if (kinds.includes("http")) {
    const http = (rules.field("http").list() ?? []).flatMap((at) => decodeHttp(at));
    // An empty list makes no redirect: the parser is chosen by length (2.4).
    if (http.length > 0) tcp.push({ kind: "http", rules: http });
  }
  if (kinds.includes("dns")) {
    const items = rules.field("dns").list() ?? [];
    const names: NamePattern[] = items.flatMap((at) => decodeNames(at, context.settings.release, "query"));
    if (items.length > 0) {
      tcp.push({ kind: "dns", names });
      other.push({ kind: "dns", names });
    }
  }
  if (kinds.includes("kafka")) {
    const items = (rules.field("kafka").list() ?? []).filter((at) => isObject(at));
    for (const at of items) at.unknownFields(["role", "apiKey", "apiVersion", "clientID", "topic"]);
    if (items.length > 0) tcp.push({ kind: "opaque", what: "kafka", merge: { slot: "parser", value: "kafka" } });
  }
  if (kinds.includes("l7proto")) {
    const protocol = rules.field("l7proto").string() ?? "";
    for (const at of rules.field("l7").list() ?? []) if (isObject(at)) at.stringMap();
    const opaque: ApplicationRule = {
      kind: "opaque",
      what: `l7proto ${protocol}`,
      merge: { slot: "parser", value: protocol },
    };
    tcp.push(opaque);
    other.push(opaque);
  }
  decodeServerNames(item, kinds, context, tcp, other);
  for (const slot of ["terminatingTLS", "originatingTLS"] as const) {
    const secret = decodeTlsContext(item.field(slot));
    if (secret === undefined) continue;
    const opaque: ApplicationRule = { kind: "opaque", what: `${slot} ${secret}`, merge: { slot, value: secret } };
    tcp.push(opaque);
    other.push(opaque);
  }
  const listener = decodeListener(item.field("listener"), kinds, context);
  if (listener !== undefined) {
    tcp.push(listener);
    other.push(listener);
  }
  return { tcp, other };
}

/**
 * The kinds that `rules` holds: written and not null, empty or not (V8: "has L7 rules" is a nil test). `l7proto` counts
 * when it has a text.
 */
function givenKinds(rules: Cursor): readonly Kind[] {
  if (rules.object() === undefined) return [];
  return KINDS.filter((kind) => rules.has(kind) && rules.field(kind).value !== "");
}

function checkRules(
  rules: Cursor,
  kinds: readonly Kind[],
  ports: readonly DecodedPort[],
  portCount: number,
  context: EntryContext,
): void {
  if (rules.object() === undefined) return;
  rules.unknownFields([...KINDS, "l7"]);
  if (rules.has("l7") && !kinds.includes("l7proto"))
    rules.error("BH221", `${rules.describe()}: l7 may only be specified when l7proto is also specified`);
  else if (kinds.length !== 1) {
    const found = kinds.length === 0 ? "none is there" : `${kinds.join(" and ")} are there`;
    rules.error("BH221", `${rules.describe()} must hold exactly one of ${KINDS.join(", ")}: ${found}`);
  }
  // `IsEmpty`: l7proto without l7 is not counted.
  const counted = kinds.some((kind) => kind !== "l7proto") || rules.has("l7");
  if (!counted) return;
  const length = (kind: Kind): number => rules.field(kind).list()?.length ?? 0;
  const dns = kinds.includes("dns") ? length("dns") : 0;
  if (!context.settings.l7Proxy)
    rules.error("BH214", `${rules.describe()}: L7 policy is not supported since enable-l7-proxy is false`);
  if (context.target === "node") checkNode(rules, kinds, length, context);
  if (context.direction === "ingress" && dns > 0)
    rules.field("dns").error("BH220", `${rules.field("dns").describe()}: DNS rules are not allowed on ingress`);
  if (kinds.includes("dns") && portCount === 0)
    rules.field("dns").error("BH220", `${rules.field("dns").describe()}: port 53 must be specified for DNS rules`);
  for (const port of ports) {
    if (dns > 0) {
      if (!DNS_PROTOCOLS.includes(port.protocol))
        port.at.error(
          "BH219",
          `${port.at.describe()}: DNS rules can only apply to TCP, UDP or ANY, not ${port.protocol}`,
        );
      if (port.number !== undefined && port.endPort > port.number)
        port.at.error("BH220", `${port.at.describe()}: DNS rules do not support port ranges`);
    } else if (port.protocol !== "TCP") {
      port.at.error(
        "BH219",
        `${port.at.describe()}: L7 rules can only apply to TCP (not ${port.protocol}) except for DNS rules`,
        port.at.has("protocol") ? {} : { help: "Add `protocol: TCP`; without it the port is of any protocol." },
      );
    }
    if (port.number === 0) port.at.error("BH219", `${port.at.describe()}: L7 rules can not be used when a port is 0`);
  }
}

/** Host policies: no L7 at ingress; at egress DNS alone (V14). */
function checkNode(rules: Cursor, kinds: readonly Kind[], length: (kind: Kind) => number, context: EntryContext): void {
  if (context.direction === "ingress") {
    rules.error("BH224", `${rules.describe()}: L7 policy is not supported on host ingress yet`);
    return;
  }
  for (const kind of ["http", "kafka"] as const)
    if (kinds.includes(kind) && length(kind) > 0)
      rules
        .field(kind)
        .error(
          "BH224",
          `${rules.field(kind).describe()}: L7 protocol ${kind.toUpperCase()} is not supported on host egress yet`,
        );
}

// ── HTTP ───────────────────────────────────────────────────────────────────────────────────────────────────────────

const MISMATCHES = ["LOG", "ADD", "DELETE", "REPLACE"] as const;

/** One HTTP rule; absent and empty fields match anything (R6.1.1). */
function decodeHttp(item: Cursor): readonly HttpRule[] {
  if (!isObject(item)) return [];
  item.unknownFields(["path", "method", "host", "headers", "headerMatches"]);
  const part = (name: "method" | "path" | "host"): Partial<Record<typeof name, string>> => {
    const pattern = decodePattern(item.field(name));
    return pattern === undefined ? {} : { [name]: pattern };
  };
  const headers: HeaderMatch[] = [
    ...(item.field("headers").strings() ?? []).map((text) => headerOf(text)),
    ...(item.field("headerMatches").list() ?? []).flatMap((at) => decodeHeaderMatch(at)),
  ];
  return [{ ...part("method"), ...part("path"), ...part("host"), headers, at: item.path }];
}

/** A pattern that RE2 takes (V16, R6.1.3). */
function decodePattern(at: Cursor): string | undefined {
  const text = at.string();
  if (text === undefined || text === "") return undefined;
  const excess = patternExcess(text);
  if (excess !== undefined) {
    at.warning("BH230", `${at.describe()} is ${excess}; what it lets through is unsure`);
    return text;
  }
  const refusal = patternRefusal(text);
  if (refusal === undefined) return text;
  at.error("BH225", `${at.describe()}: ${refusal}`);
  return undefined;
}

/**
 * `headers`: `K` asks for presence; `K: v` for the value, split at the first space. Without a space the whole text is
 * the name, colon included, which no header has (R6.1.4).
 */
function headerOf(text: string): HeaderMatch {
  const space = text.indexOf(" ");
  if (space < 0) return { name: text.toLowerCase() };
  return { name: text.slice(0, space).replace(/:+$/, "").toLowerCase(), value: text.slice(space + 1) };
}

/** `headerMatches` (R6.1.5): without value and secret a presence test. */
function decodeHeaderMatch(item: Cursor): readonly HeaderMatch[] {
  if (!isObject(item)) return [];
  item.unknownFields(["name", "value", "secret", "mismatch"]);
  const name = item.required("name").string();
  if (name === "") item.field("name").error("BH225", `${item.describe()}: header name missing`);
  const value = item.field("value").string();
  const written = item.field("mismatch");
  const mismatch = written.value === "" ? undefined : written.enumeration(MISMATCHES);
  const secret = decodeSecret(item.field("secret"));
  if (name === undefined || name === "") return [];
  return [
    {
      name: name.toLowerCase(),
      ...(value === undefined || value === "" ? {} : { value }),
      ...(mismatch === undefined ? {} : { mismatch }),
      ...(secret === undefined ? {} : { secret }),
    },
  ];
}

/** `namespace/name` of a Secret, which is never read. */
function decodeSecret(at: Cursor): string | undefined {
  if (at.object() === undefined) return undefined;
  at.unknownFields(["namespace", "name"]);
  const name = at.required("name").string();
  if (name === "") at.field("name").error("BH225", `${at.describe()}: secret name missing`);
  const namespace = at.field("namespace").string() ?? "";
  return name === undefined ? undefined : namespace === "" ? name : `${namespace}/${name}`;
}

// ── TLS ────────────────────────────────────────────────────────────────────────────────────────────────────────────

function decodeServerNames(
  item: Cursor,
  kinds: readonly Kind[],
  context: EntryContext,
  tcp: ApplicationRule[],
  other: ApplicationRule[],
): void {
  const at = item.field("serverNames");
  const texts = at.strings() ?? [];
  if (texts.length === 0) return;
  if (kinds.some((kind) => kind !== "l7proto") && !item.has("terminatingTLS"))
    at.error("BH222", `${at.describe()}: serverNames are not allowed with L7 rules without TLS termination`);
  const names = at.list()?.flatMap((item) => {
    const text = item.string();
    return text === undefined ? [] : (decodeServerName(item, text, context.settings.release) ?? []);
  });
  tcp.push({ kind: "tls", serverNames: names ?? [] });
  other.push({ kind: "opaque", what: "serverNames on a protocol other than TCP" });
}

/** The Secret of a TLS context, with the names of its items, by which contexts are compared (R4.5.5). */
function decodeTlsContext(at: Cursor): string | undefined {
  if (at.object() === undefined) return undefined;
  at.unknownFields(["secret", "trustedCA", "certificate", "privateKey"]);
  const secret = decodeSecret(at.required("secret"));
  const items = ["trustedCA", "certificate", "privateKey"].flatMap((name) => {
    const value = at.field(name).string();
    return value === undefined || value === "" ? [] : [`${name}=${value}`];
  });
  return secret === undefined ? undefined : [secret, ...items].join(" ");
}

/** A listener of an Envoy configuration: accepted at egress without L7 rules (V13); what it does is not told. */
function decodeListener(at: Cursor, kinds: readonly Kind[], context: EntryContext): ApplicationRule | undefined {
  if (at.object() === undefined) return undefined;
  at.unknownFields(["envoyConfig", "name", "priority"]);
  const config = at.required("envoyConfig");
  const clusterwide = context.namespace === undefined;
  let reference = "";
  if (config.object() !== undefined) {
    config.unknownFields(["kind", "name"]);
    const written = config.field("kind").enumeration(["CiliumEnvoyConfig", "CiliumClusterwideEnvoyConfig"]);
    const kind = written ?? (clusterwide ? "CiliumClusterwideEnvoyConfig" : "CiliumEnvoyConfig");
    reference = `${kind}/${kind === "CiliumEnvoyConfig" ? `${context.namespace ?? ""}/` : ""}${config.required("name").string() ?? ""}`;
    // Accepted, and an error each time that an endpoint's policy is computed (V13): see `conflicts`.
    if (clusterwide && written === "CiliumEnvoyConfig")
      config.error(
        "BH229",
        `${config.describe()}: a clusterwide policy cannot use a listener of a CiliumEnvoyConfig, which is namespaced`,
      );
  }
  const name = at.required("name").string() ?? "";
  const priority = at.field("priority").integer({ min: 1, max: 100 });
  if (context.direction === "ingress")
    at.error("BH223", `${at.describe()}: listener is not allowed on ingress (${name})`);
  if (kinds.some((kind) => kind !== "l7proto"))
    at.error("BH223", `${at.describe()}: listener is not allowed with L7 rules (${name})`);
  const value = `${reference}/${name}`;
  return {
    kind: "opaque",
    what: `listener ${value}`,
    merge: { slot: "listener", value, ...(priority === undefined ? {} : { priority }) },
  };
}
