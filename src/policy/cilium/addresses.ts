/** CIDRs, CIDR sets and CIDR groups as peers (cilium.md 3.2; `pkg/policy/api/cidr.go`, `…/rule_validation.go`). */
import type { Cursor } from "../../documents/cursor.ts";
import {
  type Address,
  type AddressRange,
  type AddressSet,
  addressSet,
  addressSetOf,
  addressSubtract,
  formatPrefix,
  hostPrefix,
  parseAddress,
  parsePrefix,
  type Prefix,
  prefixContains,
} from "../../net/address.ts";
import { subdomainProblem } from "../../model/label-syntax.ts";
import type { Peer } from "../rule.ts";
import { matchesSelector } from "../selector.ts";
import type { Context } from "./context.ts";
import { decodePlainSelector, isObject } from "./selector.ts";
import { type Settings, since } from "./settings.ts";

/**
 * Whom a prefix can see: never pods, and remote nodes only in match mode `nodes`, where a zero-length prefix still
 * means the world alone (R3.2.4).
 */
function scopeOf(prefix: Prefix, settings: Settings): "outside" | "nodes" {
  return settings.cidrMatchesNodes && prefix.length > 0 ? "nodes" : "outside";
}

/** One prefix with exceptions: "in the prefix and in none of these", not a deny (R3.2.3). */
export function prefixPeer(prefix: Prefix, except: readonly Prefix[], settings: Settings): Peer {
  const addresses: AddressSet = addressSubtract(addressSetOf([prefix]), addressSetOf(except));
  return { kind: "addresses", addresses, scope: scopeOf(prefix, settings) };
}

/** `fromCIDR` and `toCIDR`: a prefix, or an address alone (V5). */
export function decodeCidr(item: Cursor, settings: Settings): readonly Peer[] {
  if (item.isAbsent) {
    item.error("BH203", `${item.describe()} must be text, not null`, { help: null });
    return [];
  }
  const text = item.string();
  if (text === undefined) return [];
  const address = parseAddress(text);
  const prefix = address === undefined ? parsePrefix(text) : hostPrefix(address);
  if (prefix === undefined) {
    const reason = text === "" ? "IP must be specified" : `unable to parse CIDR ${JSON.stringify(text)}`;
    item.error("BH217", `${item.describe()}: ${reason}`);
    return [];
  }
  return [prefixPeer(prefix, [], settings)];
}

/**
 * An item of `fromCIDRSet` or `toCIDRSet`: exactly one of a prefix, the name of a CIDR group and (since 1.18) a selector
 * of CIDR groups, with exceptions.
 */
export function decodeCidrRule(item: Cursor, context: Context): readonly Peer[] {
  if (!isObject(item)) return [];
  const { settings } = context;
  const kinds = ["cidr", "cidrGroupRef", ...(since(settings.release, "1.18") ? ["cidrGroupSelector"] : [])];
  item.unknownFields([...kinds, "except"]);
  const given = kinds.filter((kind) => item.has(kind) && item.field(kind).value !== "");
  if (given.length !== 1)
    item.error(
      "BH217",
      `${item.describe()}: ${given.length === 0 ? `one of ${kinds.join(", ")} is required` : `only one of ${given.join(", ")} may be set`}`,
    );
  const except = decodeExceptions(item.field("except"));
  const exceptions = except.map((one) => one.prefix);
  const peers: Peer[] = [];
  if (item.has("cidr")) {
    const prefix = decodePrefix(item.field("cidr"));
    if (prefix !== undefined) {
      for (const { at, address } of except)
        if (!prefixContains(prefix, hostPrefix(address)))
          at.error(
            "BH217",
            `${at.describe()}: the CIDR ${formatPrefix(prefix)} does not contain the exception ${at.string() ?? ""}`,
          );
      peers.push(prefixPeer(prefix, exceptions, settings));
    }
  }
  if (item.has("cidrGroupRef")) peers.push(...namedGroup(item.field("cidrGroupRef"), exceptions, context));
  if (item.has("cidrGroupSelector") && kinds.includes("cidrGroupSelector"))
    peers.push(...selectedGroups(item.field("cidrGroupSelector"), exceptions, context));
  return peers;
}

function decodePrefix(at: Cursor): Prefix | undefined {
  const text = at.string();
  if (text === undefined) return undefined;
  const prefix = parsePrefix(text);
  if (prefix === undefined) at.error("BH217", `${at.describe()}: unable to parse CIDRRule ${JSON.stringify(text)}`);
  return prefix;
}

/** An exception; `address` has its host bits, and is what must lie inside the CIDR up to 1.19 (V5). */
interface Exception {
  readonly at: Cursor;
  readonly address: Address;
  readonly prefix: Prefix;
}

function decodeExceptions(list: Cursor): readonly Exception[] {
  return (list.list() ?? []).flatMap((at) => {
    if (at.isAbsent) at.error("BH203", `${at.describe()} must be text, not null`, { help: null });
    const prefix = decodePrefix(at);
    const address = parseAddress(at.string()?.split("/")[0] ?? "");
    return prefix === undefined || address === undefined ? [] : [{ at, address, prefix }];
  });
}

/** A group is one selector; it is the same for every rule that names it, so its sets are kept. */
const groupSets = new WeakMap<readonly Prefix[], { readonly world: AddressSet; readonly rest: AddressSet }>();

function groupPeers(prefixes: readonly Prefix[], except: readonly Prefix[], settings: Settings): readonly Peer[] {
  let sets = groupSets.get(prefixes);
  if (sets === undefined) {
    const zero = (one: Prefix): boolean => one.length === 0;
    sets = { world: addressSetOf(prefixes.filter(zero)), rest: addressSetOf(prefixes.filter((one) => !zero(one))) };
    groupSets.set(prefixes, sets);
  }
  const without = (set: AddressSet): AddressSet =>
    except.length === 0 ? set : addressSubtract(set, addressSetOf(except));
  const peers: Peer[] = [];
  if (sets.world.length > 0) peers.push({ kind: "addresses", addresses: without(sets.world), scope: "outside" });
  const scope = settings.cidrMatchesNodes ? "nodes" : "outside";
  if (sets.rest.length > 0) peers.push({ kind: "addresses", addresses: without(sets.rest), scope });
  return peers;
}

/** From so many prefixes on, the list of a rule that only opens or closes ports is kept as one set. */
const MANY = 16;

/** Joins long lists of prefixes: nothing tells them apart in a rule without application rules. */
export function joinAddresses(peers: readonly Peer[]): readonly Peer[] {
  if (peers.length < MANY) return peers;
  const others: Peer[] = [];
  const ranges: Record<"outside" | "nodes" | "any", AddressRange[]> = { outside: [], nodes: [], any: [] };
  for (const peer of peers) {
    if (peer.kind === "addresses") ranges[peer.scope].push(...peer.addresses);
    else others.push(peer);
  }
  for (const scope of ["outside", "nodes", "any"] as const) {
    if (ranges[scope].length > 0) others.push({ kind: "addresses", addresses: addressSet(ranges[scope]), scope });
  }
  return others;
}

/** A group by name; one that the input does not have makes its addresses unknown. */
function namedGroup(at: Cursor, except: readonly Prefix[], context: Context): readonly Peer[] {
  const name = at.string();
  if (name === undefined || name === "") return [];
  const problem = subdomainProblem(name);
  if (problem !== undefined) {
    at.error("BH217", `${at.describe()} ${JSON.stringify(name)} ${problem}`);
    return [];
  }
  const group = context.world.cidrGroups.get(name);
  if (group !== undefined) return groupPeers(group.prefixes, except, context.settings);
  at.warning("BH123", `${at.describe()} names the CiliumCIDRGroup ${name}, which the input does not have`);
  return [{ kind: "unknown", because: { code: "cidr-group-missing", detail: name } }];
}

/** Groups by labels; keys have no source. None that matches selects nobody. */
function selectedGroups(at: Cursor, except: readonly Prefix[], context: Context): readonly Peer[] {
  const selector = decodePlainSelector(at);
  if (selector === undefined) return [];
  const peers: Peer[] = [];
  for (const group of context.world.cidrGroups.values()) {
    const labels = new Map([...group.labels].map(([key, value]) => [`k8s:${key}`, value] as const));
    if (matchesSelector(selector, labels) === "yes")
      peers.push(...groupPeers(group.prefixes, except, context.settings));
  }
  return peers;
}
