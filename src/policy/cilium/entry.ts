/**
 * One entry of a section: who, and which traffic (cilium.md 1.4, 2.4; `pkg/policy/utils/parserules.go`,
 * `pkg/policy/api/{ingress,egress}.go`).
 */
import type { Cursor } from "../../documents/cursor.ts";
import type { Origin, Peer, Rule, Traffic } from "../rule.ts";
import type { Selector } from "../selector.ts";
import { decodeCidr, decodeCidrRule, joinAddresses } from "./addresses.ts";
import { decodeApplication } from "./application.ts";
import type { EntryContext } from "./context.ts";
import { ENTITIES, entityPeers, externalApiServer } from "./entities.ts";
import { decodeIcmpRule } from "./icmp.ts";
import { decodeNames } from "./names.ts";
import { decodePort, type DecodedPort } from "./ports.ts";
import { decodeSelector, isObject, scopeNode, scopePeer, scopeRequirement } from "./selector.ts";
import { decodeService } from "./services.ts";
import { since } from "./settings.ts";

/** What an entry compiles to. */
export interface DecodedEntry {
  readonly rule: Rule;
  /** `fromRequires` or `toRequires` (R4.7.1). */
  readonly requires: readonly Selector[];
}

/** Kinds of peer; `empties` are those whose empty list selects nobody (2.4). */
interface PeerKind {
  readonly field: string;
  readonly emptyIsNobody: boolean;
  readonly decode: (item: Cursor, context: EntryContext) => readonly Peer[];
}

const EVERYTHING: readonly Traffic[] = [{ match: { kind: "any" } }];
const MAX_PORTS = 40;

function endpoints(item: Cursor, context: EntryContext): readonly Peer[] {
  if (!isObject(item)) return [];
  const selector = decodeSelector(item);
  if (selector === undefined) return [];
  const peer: Peer = { kind: "labels", selector: scopePeer(selector.terms, context), constrained: true };
  return isApiServer(selector.terms) ? [peer, ...externalApiServer(context.world)] : [peer];
}

/** Whether the selector asks for `reserved:kube-apiserver` alone, which the server's address outside carries too. */
function isApiServer(terms: Selector): boolean {
  const [term] = terms;
  return (
    terms.length === 1 &&
    term?.source === "reserved" &&
    term.key === "kube-apiserver" &&
    (term.operator === "Exists" || (term.operator === "In" && term.values.includes("")))
  );
}

function nodes(item: Cursor, context: EntryContext): readonly Peer[] {
  if (!isObject(item)) return [];
  const selector = decodeSelector(item);
  return selector === undefined ? [] : [{ kind: "labels", selector: scopeNode(selector.terms, context) }];
}

function entities(item: Cursor, context: EntryContext): readonly Peer[] {
  if (item.isAbsent) item.error("BH203", `${item.describe()} must be text, not null`, { help: null });
  const entity = item.enumeration(ENTITIES);
  return entity === undefined ? [] : entityPeers(entity, context.world, context.settings);
}

/** Cloud groups: only the operator knows their addresses (1.4). */
function groups(item: Cursor, context: EntryContext): readonly Peer[] {
  if (!isObject(item)) return [];
  item.unknownFields(["aws"]);
  const aws = item.field("aws");
  const words: string[] = [];
  if (aws.object() !== undefined) {
    aws.unknownFields(["labels", "securityGroupsIds", "securityGroupsNames", "region"]);
    const labels = [...(aws.field("labels").stringMap() ?? [])].map(([key, value]) => `${key}=${value}`);
    const region = aws.field("region").string();
    words.push(...(aws.field("securityGroupsIds").strings() ?? []));
    words.push(...(aws.field("securityGroupsNames").strings() ?? []));
    words.push(...labels, ...(region === undefined ? [] : [region]));
  }
  const detail = `aws ${words.join(" ")}`.trim();
  // One that resolves to nothing reads as any destination on the entry's ports (R2.4.3).
  const scope = context.ported ? { scope: "any" as const } : {};
  return [{ kind: "unknown", because: { code: "group-not-resolved", detail }, ...scope }];
}

function peerKinds({ direction, deny, settings }: EntryContext): readonly PeerKind[] {
  const ingress = direction === "ingress";
  const prefix = ingress ? "from" : "to";
  const kinds: PeerKind[] = [
    { field: `${prefix}Endpoints`, emptyIsNobody: true, decode: endpoints },
    { field: `${prefix}CIDR`, emptyIsNobody: true, decode: (item, context) => decodeCidr(item, context.settings) },
    { field: `${prefix}CIDRSet`, emptyIsNobody: true, decode: decodeCidrRule },
    { field: `${prefix}Entities`, emptyIsNobody: true, decode: entities },
    { field: `${prefix}Nodes`, emptyIsNobody: true, decode: nodes },
  ];
  if (!ingress || since(settings.release, "1.18"))
    kinds.push({ field: `${prefix}Groups`, emptyIsNobody: false, decode: groups });
  if (!ingress) kinds.push({ field: "toServices", emptyIsNobody: false, decode: decodeService });
  if (!ingress && !deny)
    kinds.push({
      field: "toFQDNs",
      emptyIsNobody: false,
      decode: (item, context) => [{ kind: "names", names: decodeNames(item, context.settings.release, "resolved") }],
    });
  return kinds;
}

/** What an entry may hold. */
interface EntryShape {
  readonly kinds: readonly PeerKind[];
  readonly requires: string;
  readonly fields: readonly string[];
}

/** By section and release. */
const SHAPES = new Map<string, EntryShape>();

function shapeOf(context: EntryContext): EntryShape {
  const key = `${context.section} ${context.settings.release}`;
  let shape = SHAPES.get(key);
  if (shape === undefined) {
    const kinds = peerKinds(context);
    const requires = context.direction === "ingress" ? "fromRequires" : "toRequires";
    const fields = [
      ...kinds.map((kind) => kind.field),
      requires,
      "toPorts",
      "icmps",
      ...(context.deny ? [] : ["authentication"]),
    ];
    shape = { kinds, requires, fields };
    SHAPES.set(key, shape);
  }
  return shape;
}

/** Decodes, checks and compiles one entry. */
export function decodeEntry(
  entry: Cursor,
  section: Omit<EntryContext, "ported">,
  origin: Origin,
): DecodedEntry | undefined {
  if (!isObject(entry)) return undefined;
  const ported = listLength(entry.field("toPorts")) > 0 || listLength(entry.field("icmps")) > 0;
  const context: EntryContext = { ...section, ported };
  const { kinds, requires, fields } = shapeOf(context);
  entry.unknownFields(fields);
  const peers = decodePeers(entry, kinds, context);
  const traffic = decodeTraffic(entry, context);
  const authentication = decodeAuthentication(entry.field("authentication"));
  return {
    rule: {
      direction: context.direction,
      action: context.deny ? "deny" : "allow",
      peers: traffic.some((item) => item.application !== undefined) ? peers : joinAddresses(peers),
      traffic,
      ...(authentication === undefined || context.deny ? {} : { authentication }),
      origin,
    },
    requires: decodeRequires(entry.field(requires), context),
  };
}

function listLength(list: Cursor): number {
  return Array.isArray(list.value) ? list.value.length : 0;
}

/** The table of 2.4: absent, `[]` and what is in between. */
function decodePeers(entry: Cursor, kinds: readonly PeerKind[], context: EntryContext): readonly Peer[] {
  const used = kinds.filter((kind) => listLength(entry.field(kind.field)) > 0).map((kind) => kind.field);
  if (used.length > 1)
    entry.error("BH212", `${entry.describe()}: combining ${used.join(" and ")} is not supported yet`);
  let nobody = false;
  const peers: Peer[] = [];
  for (const kind of kinds) {
    const list = entry.field(kind.field);
    const items = list.list();
    if (items === undefined) continue;
    if (items.length === 0) {
      if (kind.emptyIsNobody) nobody = true;
      continue;
    }
    if (kind.field.endsWith("Nodes") && !context.settings.nodeSelectorLabels)
      list.error(
        "BH214",
        `${list.describe()}: rules with nodes can only be applied when enable-node-selector-labels is true`,
      );
    if (kind.field === "toServices") peers.push(...servicePeers(list, items, kind, context));
    else for (const item of items) peers.push(...kind.decode(item, context));
  }
  if (nobody) return [];
  if (used.length > 0) return peers;
  // No peer at all: everybody on the ports that are there; without ports the entry says nothing.
  return context.ported ? [{ kind: "any" }] : [];
}

/** `toServices`, with what an entry becomes that resolves to nothing (R2.4.3, R8.3; U3, U19). */
function servicePeers(list: Cursor, items: readonly Cursor[], kind: PeerKind, context: EntryContext): readonly Peer[] {
  const resolved = items.flatMap((item) => kind.decode(item, context));
  if (context.deny) {
    list.warning(
      "BH122",
      `${list.describe()} is not resolved in deny entries: it denies ${context.ported ? "the ports to everybody, or nothing" : "nothing"}`,
    );
    return context.ported ? [unresolved(list.pathText)] : [];
  }
  if (resolved.length > 0) return resolved;
  list.warning(
    "BH121",
    `${list.describe()} matches no Service with anything behind it: it allows ${context.ported ? "the ports to everybody, or nothing" : "nothing"}`,
  );
  return context.ported ? [unresolved(list.pathText)] : [];
}

function unresolved(detail: string): Peer {
  return { kind: "unknown", because: { code: "service-not-resolved", detail }, scope: "any" };
}

/** Neither ports nor ICMP: everything. Else the union of the items, and an item without any of them is nothing (2.4). */
function decodeTraffic(entry: Cursor, context: EntryContext): readonly Traffic[] {
  const ports = entry.field("toPorts").list() ?? [];
  const icmps = entry.field("icmps").list() ?? [];
  if (ports.length > 0 && icmps.length > 0)
    entry
      .field("icmps")
      .error(
        "BH213",
        `${entry.describe()}: the icmps block may only be present without toPorts; give it an entry of its own`,
      );
  if (icmps.length > 0 && !context.settings.icmpRules)
    entry
      .field("icmps")
      .error("BH214", `${entry.describe()}: ICMP rules can only be applied when enable-icmp-rules is true`);
  if (ports.length === 0 && icmps.length === 0) return EVERYTHING;
  return [...ports.flatMap((item) => decodePortRule(item, context)), ...icmps.flatMap((item) => decodeIcmpRule(item))];
}

function decodePortRule(item: Cursor, context: EntryContext): readonly Traffic[] {
  if (!isObject(item)) return [];
  item.unknownFields(
    context.deny ? ["ports"] : ["ports", "rules", "serverNames", "terminatingTLS", "originatingTLS", "listener"],
  );
  const items = item.field("ports").list() ?? [];
  if (items.length > MAX_PORTS)
    item.field("ports").error("BH208", `${item.field("ports").describe()}: too many ports, the max is ${MAX_PORTS}`);
  const ports = items.flatMap((at): DecodedPort[] => {
    const port = decodePort(at, context);
    return port === undefined ? [] : [port];
  });
  if (context.deny) return ports.flatMap((port) => port.matches.map((match) => ({ match })));
  const { tcp, other } = decodeApplication(item, ports, items.length, context);
  return ports.flatMap((port) =>
    port.matches.map((match) => {
      const isTcp = (match.kind === "ports" || match.kind === "named") && match.protocol === "TCP";
      return withApplication(match, isTcp ? tcp : other);
    }),
  );
}

function withApplication(match: Traffic["match"], application: NonNullable<Traffic["application"]>): Traffic {
  return application.length === 0 ? { match } : { match, application };
}

const AUTHENTICATION = { required: "required", disabled: "disabled", "test-always-fail": "fail" } as const;

/** `authentication` (4.6). */
function decodeAuthentication(at: Cursor): Rule["authentication"] {
  if (at.object() === undefined) return undefined;
  at.unknownFields(["mode"]);
  const mode = at.required("mode").enumeration(["required", "disabled", "test-always-fail"]);
  return mode === undefined ? undefined : AUTHENTICATION[mode];
}

/**
 * `fromRequires` and `toRequires`, which end with 1.18. The schema of 1.19 keeps them with room for no item, so that the
 * API server refuses them (V18; pull request 43167) rather than let a constraint vanish.
 */
function decodeRequires(list: Cursor, context: EntryContext): readonly Selector[] {
  const items = list.list() ?? [];
  if (items.length > 0 && since(context.settings.release, "1.19")) {
    list.error(
      "BH227",
      `${list.describe()} must have at most 0 items: Cilium ${context.settings.release} has no requirements any more`,
    );
    return [];
  }
  return items.flatMap((item) => {
    if (!isObject(item)) return [];
    const selector = decodeSelector(item);
    return selector === undefined ? [] : [scopeRequirement(selector.terms, context)];
  });
}
