/**
 * The policies of the network-policy-api as one form: ClusterNetworkPolicy (v1alpha2), and its forerunners
 * AdminNetworkPolicy and BaselineAdminNetworkPolicy (v1alpha1), which convert to it (kubernetes.md CNP-35).
 */
import type { Cursor } from "../../documents/cursor.ts";
import type { Document, Path } from "../../documents/document.ts";
import type { Prefix } from "../../net/address.ts";
import type { PortProtocol } from "../../net/protocol.ts";
import { parseStrictCidr } from "./cidr.ts";
import { decodeLabelSelector, type LabelSelector } from "./label-selector.ts";
import { invalid, outOfRange, required, unsupported, wrongCount } from "./refusals.ts";

export interface TierPolicyObject {
  readonly document: Document;
  readonly kind: "ClusterNetworkPolicy" | "AdminNetworkPolicy" | "BaselineAdminNetworkPolicy";
  readonly apiVersion: string;
  readonly name: string;
  /** Path of the spec. */
  readonly path: Path;
  readonly tier: "admin" | "baseline";
  /** 0–1000, lower first; 0 for a BaselineAdminNetworkPolicy, which has none (CNP-27). */
  readonly priority: number;
  readonly subject: PodSelection;
  /** Walked top to bottom. Empty: the direction is untouched (CNP-19). */
  readonly ingress: readonly TierRule[];
  /** Walked top to bottom. Empty: the direction is untouched (CNP-19). */
  readonly egress: readonly TierRule[];
}

/** Pods by their namespaces and labels; host-network pods are never meant (CNP-07). */
export interface PodSelection {
  /** Absent: every namespace. */
  readonly namespaces?: LabelSelector;
  /** Absent: every pod of them. */
  readonly pods?: LabelSelector;
  /** Drafts of v1alpha1: label keys of namespaces that must have the subject's values. */
  readonly sameLabels?: readonly string[];
  /** Drafts of v1alpha1: label keys of namespaces of which one must have another value than the subject's. */
  readonly notSameLabels?: readonly string[];
}

export type TierAction = "accept" | "deny" | "pass";

export interface TierRule {
  readonly path: Path;
  readonly action: TierAction;
  readonly peers: readonly TierPeer[];
  /** Absent: any protocol and port (CNP-15). Never empty. */
  readonly ports?: readonly TierPort[];
}

export type TierPeer =
  | { readonly kind: "pods"; readonly path: Path; readonly selection: PodSelection }
  | { readonly kind: "nodes"; readonly path: Path; readonly selector: LabelSelector }
  | { readonly kind: "networks"; readonly path: Path; readonly networks: readonly Prefix[] }
  | { readonly kind: "domainNames"; readonly path: Path; readonly names: readonly string[] }
  /** Of a member that only a newer API knows: the rule fails closed (CNP-23). */
  | { readonly kind: "unknown"; readonly path: Path };

export type TierPort =
  /** Inclusive. */
  | {
      readonly kind: "ports";
      readonly path: Path;
      readonly protocol: PortProtocol;
      readonly first: number;
      readonly last: number;
    }
  /** A container port's name, of whatever protocol (CNP-14). */
  | { readonly kind: "named"; readonly path: Path; readonly name: string };

/** Why a port's name may not stand beside peers that are no pods (CNP-17). */
export const NAMED_PORT_RULE =
  "networks/nodes/domainNames peer cannot be set with namedPorts since there are no namedPorts for " +
  "networks/nodes/domainNames";

// ── what both API versions share ─────────────────────────────────────────────────────────────────────────────────────

/** An entry that must be an object: null is none to a custom resource (CNP-06). */
export function objectEntry(cursor: Cursor): boolean {
  if (cursor.isAbsent) {
    cursor.error("BH203", `${cursor.describe()} must be an object, not null`, { help: null });
    return false;
  }
  return cursor.object() !== undefined;
}

/** The entries of a list of so many items. Absent lists have none; `isRequired` complains of them. */
export function boundedList(
  cursor: Cursor,
  bounds: { readonly min: number; readonly max: number },
  isRequired: boolean,
): readonly Cursor[] | undefined {
  if (cursor.isAbsent) {
    if (isRequired) required(cursor, "");
    return undefined;
  }
  const items = cursor.list();
  if (items === undefined) return undefined;
  if (items.length < bounds.min) wrongCount(cursor, `Invalid value: ${items.length}: should have at least 1 items`);
  if (items.length > bounds.max) wrongCount(cursor, `Too many: ${items.length}: must have at most ${bounds.max} items`);
  return items;
}

/**
 * Which member of a union is set.
 *
 * Takes the cursor on the object and its members. Returns the one that is set; `undefined`, reported, for none or several
 * (CNP-06).
 */
export function onlyMember<const T extends string>(cursor: Cursor, members: readonly T[]): T | undefined {
  const set = members.filter((member) => cursor.has(member));
  const [first] = set;
  if (set.length === 1) return first;
  if (cursor.shape !== "object") return undefined;
  const words = `exactly one of ${members.join(", ")}`;
  if (set.length === 0) wrongCount(cursor, `Invalid value: should have at least 1 properties: set ${words}`);
  else wrongCount(cursor, `Too many: ${set.length}: must have at most 1 properties: set ${words}`);
  return undefined;
}

/** A required integer within its bounds. */
export function boundedInteger(cursor: Cursor, min: number, max: number): number | undefined {
  if (cursor.isAbsent) {
    required(cursor, "");
    return undefined;
  }
  const value = cursor.integer();
  if (value === undefined) return undefined;
  if (value >= min && value <= max) return value;
  const bound = value < min ? `greater than or equal to ${min}` : `less than or equal to ${max}`;
  outOfRange(cursor, value, `should be ${bound}`);
  return undefined;
}

/** A required text out of a closed list. */
export function requiredChoice<const T extends string>(cursor: Cursor, choices: readonly T[]): T | undefined {
  if (cursor.isAbsent) {
    required(cursor, "");
    return undefined;
  }
  const text = cursor.string();
  const found = choices.find((choice) => choice === text);
  if (text !== undefined && found === undefined) unsupported(cursor, text, choices);
  return found;
}

/** The name of a rule: at most 100 characters, without effect. */
export function checkRuleName(cursor: Cursor): void {
  const name = cursor.string() ?? "";
  if (name.length > 100) wrongCount(cursor, `Too long: may not be more than 100 bytes`);
}

/**
 * `{namespaceSelector, podSelector}`, as subjects and peers of both versions have it.
 *
 * Takes whether the namespace selector must be there, as in v1alpha1; absent, it selects all (CNP-02).
 */
export function decodeNamespacedPod(cursor: Cursor, needsNamespaces: boolean): PodSelection | undefined {
  if (cursor.object() === undefined) return undefined;
  cursor.unknownFields(["namespaceSelector", "podSelector"]);
  const namespacesAt = cursor.field("namespaceSelector");
  const podsAt = cursor.field("podSelector");
  if (needsNamespaces && namespacesAt.isAbsent) required(namespacesAt, "");
  if (podsAt.isAbsent) required(podsAt, "");
  const namespaces = decodeLabelSelector(namespacesAt);
  const pods = decodeLabelSelector(podsAt);
  return { ...(namespaces === undefined ? {} : { namespaces }), ...(pods === undefined ? {} : { pods }) };
}

/** `{namespaces}` or `{pods}`: whom the policy protects (CNP-06). */
export function decodeSubject(cursor: Cursor, needsNamespaces: boolean): PodSelection {
  if (cursor.isAbsent) required(cursor, "");
  cursor.unknownFields(["namespaces", "pods"]);
  const member = onlyMember(cursor, ["namespaces", "pods"]);
  if (member === "pods") return decodeNamespacedPod(cursor.field("pods"), needsNamespaces) ?? {};
  const namespaces = decodeLabelSelector(cursor.field("namespaces"));
  return namespaces === undefined ? {} : { namespaces };
}

/** 1–25 CIDRs without repeats (CNP-11). */
function decodeNetworks(cursor: Cursor): readonly Prefix[] {
  const seen = new Set<string>();
  return (boundedList(cursor, { min: 1, max: 25 }, false) ?? []).flatMap((item) => {
    const text = setEntry(item, seen);
    if (text === undefined) return [];
    if (text.length > 43) wrongCount(item, "Too long: may not be more than 43 bytes");
    const prefix = parseStrictCidr(text);
    if (prefix !== undefined) return [prefix];
    invalid(item, text, "Invalid CIDR format provided", {
      help: "Write a prefix, such as 10.9.8.0/24 or 2001:db8::/64.",
    });
    return [];
  });
}

/** As in the published schema, whose `A-z` lets a few signs through. */
const DOMAIN_NAME = /^(\*\.)?([a-zA-z0-9]([-a-zA-Z0-9_]*[a-zA-Z0-9])?\.)+[a-zA-z0-9]([-a-zA-Z0-9_]*[a-zA-Z0-9])?\.?$/;

/** 1–25 domain names without repeats (CNP-10). */
function decodeDomainNames(cursor: Cursor): readonly string[] {
  const seen = new Set<string>();
  return (boundedList(cursor, { min: 1, max: 25 }, false) ?? []).flatMap((item) => {
    const text = setEntry(item, seen);
    if (text === undefined) return [];
    if (text.length <= 253 && DOMAIN_NAME.test(text)) return [text];
    invalid(item, text, "should be a domain name of at least two labels, with `*.` only in front", {
      help: "Write kubernetes.io, or *.kubernetes.io for every name below it.",
    });
    return [];
  });
}

/** Every member that a peer can have (CNP-01…CNP-05). */
export const TIER_PEERS = ["namespaces", "pods", "nodes", "networks", "domainNames"] as const;
export type PeerMember = (typeof TIER_PEERS)[number];

/** How an API version names pods as peers. */
export interface PodPeers {
  readonly namespaces: (value: Cursor) => PodSelection | undefined;
  readonly pods: (value: Cursor) => PodSelection | undefined;
}

/**
 * Decodes a peer (CNP-01…CNP-06, CNP-23, CNP-33, CNP-34).
 *
 * Takes the cursor, the members that its direction allows, how pods are named, and the rule's action where it is no
 * accept. A member of the other direction counts as none: the schema drops it, and then refuses the empty peer (CNP-03).
 * A member that no schema at hand has may be of a newer one, and fails closed.
 */
export function decodePeer(
  cursor: Cursor,
  allowed: readonly PeerMember[],
  { namespaces, pods }: PodPeers,
  refusing: string | undefined,
): TierPeer | undefined {
  if (!objectEntry(cursor)) return undefined;
  cursor.unknownFields(allowed);
  const path = cursor.path;
  const foreign = cursor.keys().filter((key) => !TIER_PEERS.some((known) => known === key));
  if (foreign.length > 0 && !TIER_PEERS.some((known) => cursor.has(known))) return { kind: "unknown", path };
  const member = onlyMember(cursor, allowed);
  if (member === undefined) return undefined;
  const value = cursor.field(member);
  switch (member) {
    case "namespaces":
    case "pods": {
      const selection = member === "pods" ? pods(value) : namespaces(value);
      return selection === undefined ? undefined : { kind: "pods", path, selection };
    }
    case "nodes": {
      experimental(value, "nodes");
      const selector = decodeLabelSelector(value);
      return selector === undefined ? undefined : { kind: "nodes", path, selector };
    }
    case "networks":
      return { kind: "networks", path, networks: decodeNetworks(value) };
    case "domainNames":
      experimental(value, "domainNames");
      if (refusing !== undefined)
        value.warning(
          "BH108",
          `${value.describe()}: what domain names mean with the action ${refusing} is not defined`,
        );
      return { kind: "domainNames", path, names: decodeDomainNames(value) };
  }
}

/** Says that only the experimental channel has a member. */
export function experimental(cursor: Cursor, member: string): void {
  cursor.report("BH109", `${cursor.describe()}: only the experimental channel of the API has ${member}`, {
    atKey: true,
  });
}

function setEntry(item: Cursor, seen: Set<string>): string | undefined {
  if (item.isAbsent) item.error("BH203", `${item.describe()} must be text, not null`, { help: null });
  const text = item.string();
  if (text === undefined) return undefined;
  if (seen.has(text)) invalid(item, text, "Duplicate value");
  seen.add(text);
  return text;
}
