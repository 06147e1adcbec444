/**
 * AdminNetworkPolicy and BaselineAdminNetworkPolicy (policy.networking.k8s.io/v1alpha1; kubernetes.md 2.3), the drafts'
 * peers by same and different labels included.
 */
import { Cursor, Findings } from "../../documents/cursor.ts";
import type { Document } from "../../documents/document.ts";
import { PORT_PROTOCOLS } from "../../net/protocol.ts";
import { decodeLabelSelector } from "./label-selector.ts";
import { checkObject } from "./metadata.ts";
import { type Decoded, decoded, invalid, unsupported } from "./refusals.ts";
import {
  boundedInteger,
  boundedList,
  checkRuleName,
  decodeNamespacedPod,
  decodePeer,
  decodeSubject,
  experimental,
  NAMED_PORT_RULE,
  objectEntry,
  onlyMember,
  type PeerMember,
  type PodPeers,
  type PodSelection,
  requiredChoice,
  TIER_PEERS,
  type TierAction,
  type TierPolicyObject,
  type TierPort,
  type TierRule,
} from "./tier-policy.ts";

type Kind = "AdminNetworkPolicy" | "BaselineAdminNetworkPolicy";
type Action = "Allow" | "Deny" | "Pass";

const LIMITS = { min: 1, max: 100 } as const;
const ACTIONS: Readonly<Record<Action, TierAction>> = { Allow: "accept", Deny: "deny", Pass: "pass" };
/** CNP-28. */
const KIND_ACTIONS: Readonly<Record<Kind, readonly Action[]>> = {
  AdminNetworkPolicy: ["Allow", "Deny", "Pass"],
  BaselineAdminNetworkPolicy: ["Allow", "Deny"],
};
/** CNP-33, CNP-34. */
const PEERS: Readonly<Record<Kind, Readonly<Record<"ingress" | "egress", readonly PeerMember[]>>>> = {
  AdminNetworkPolicy: { ingress: ["namespaces", "pods"], egress: TIER_PEERS },
  BaselineAdminNetworkPolicy: {
    ingress: ["namespaces", "pods"],
    egress: ["namespaces", "pods", "nodes", "networks"],
  },
};

/** Decodes and validates one object (CNP-27…CNP-34). */
export function decodeAdminNetworkPolicy(document: Document): Decoded<TierPolicyObject> {
  const kind: Kind =
    document.kind === "BaselineAdminNetworkPolicy" ? "BaselineAdminNetworkPolicy" : "AdminNetworkPolicy";
  const isBaseline = kind === "BaselineAdminNetworkPolicy";
  const findings = new Findings();
  const root = Cursor.of(document, findings);
  checkObject(root);
  if (isBaseline && document.name !== "default")
    invalid(
      root.field("metadata").field("name"),
      document.name,
      'Only one baseline admin network policy with metadata.name="default" can be created in the cluster',
    );
  const spec = root.required("spec");
  spec.unknownFields([...(isBaseline ? [] : ["priority"]), "subject", "ingress", "egress"]);
  const priority = isBaseline ? 0 : boundedInteger(spec.field("priority"), 0, 1000);
  const subject = decodeSubject(spec.field("subject"), true);
  const rules = (section: "ingress" | "egress"): readonly TierRule[] =>
    (boundedList(spec.field(section), { min: 0, max: 100 }, false) ?? []).flatMap(
      (rule) => decodeRule(rule, kind, section) ?? [],
    );
  return decoded(findings, {
    document,
    kind,
    apiVersion: document.apiVersion,
    name: document.name,
    path: spec.path,
    tier: isBaseline ? "baseline" : "admin",
    priority: priority ?? 0,
    subject,
    ingress: rules("ingress"),
    egress: rules("egress"),
  });
}

function decodeRule(cursor: Cursor, kind: Kind, section: "ingress" | "egress"): TierRule | undefined {
  if (!objectEntry(cursor)) return undefined;
  const peersField = section === "ingress" ? "from" : "to";
  cursor.unknownFields(["name", "action", peersField, "ports"]);
  checkRuleName(cursor.field("name"));
  const action = requiredChoice(cursor.field("action"), KIND_ACTIONS[kind]);
  const peers = (boundedList(cursor.field(peersField), LIMITS, true) ?? []).flatMap(
    (peer) =>
      decodePeer(peer, PEERS[kind][section], PODS, action === undefined || action === "Allow" ? undefined : action) ??
      [],
  );
  const ports = boundedList(cursor.field("ports"), LIMITS, false)?.flatMap((item) => decodePort(item) ?? []);
  // namedPort is of the experimental channel, whose schema refuses it beside peers that are no pods (CNP-17, CNP-32).
  if (ports?.some((port) => port.kind === "named") === true && peers.some((peer) => peer.kind !== "pods"))
    invalid(cursor, "object", NAMED_PORT_RULE);
  if (action === undefined) return undefined;
  return { path: cursor.path, action: ACTIONS[action], peers, ...(ports === undefined ? {} : { ports }) };
}

/** How the drafts and v1alpha1 name pods as peers. */
const PODS: PodPeers = {
  namespaces: (value) => (isDraft(value) ? decodeDraftNamespaces(value) : namespacesAlone(value)),
  pods: (value) => (value.has("namespaces") ? decodeDraftPods(value) : decodeNamespacedPod(value, true)),
};

function namespacesAlone(cursor: Cursor): PodSelection | undefined {
  const namespaces = decodeLabelSelector(cursor);
  return namespaces === undefined ? undefined : { namespaces };
}

// ── the drafts up to v0.1.1: `namespaces: {namespaceSelector | sameLabels | notSameLabels}` ──────────────────────────

const DRAFT_MEMBERS = ["namespaceSelector", "sameLabels", "notSameLabels"] as const;

/** Whether `namespaces` is written as the drafts had it; the published version has a label selector there. */
function isDraft(cursor: Cursor): boolean {
  return DRAFT_MEMBERS.some((member) => cursor.has(member));
}

function decodeDraftNamespaces(cursor: Cursor): PodSelection | undefined {
  cursor.unknownFields(DRAFT_MEMBERS);
  const member = onlyMember(cursor, DRAFT_MEMBERS);
  if (member === undefined) return undefined;
  const value = cursor.field(member);
  value.report("BH109", `${value.describe()}: only drafts of the API have this field`, { atKey: true });
  switch (member) {
    case "namespaceSelector":
      return namespacesAlone(value);
    case "sameLabels":
    case "notSameLabels": {
      const keys = boundedList(value, { min: 0, max: 100 }, false)?.flatMap((item) => item.string() ?? []);
      if (keys === undefined) return undefined;
      return member === "sameLabels" ? { sameLabels: keys } : { notSameLabels: keys };
    }
  }
}

function decodeDraftPods(cursor: Cursor): PodSelection | undefined {
  cursor.unknownFields(["namespaces", "podSelector"]);
  const namespaces = cursor.field("namespaces");
  const selection = isDraft(namespaces) ? decodeDraftNamespaces(namespaces) : namespacesAlone(namespaces);
  const pods = decodeLabelSelector(cursor.required("podSelector"));
  if (selection === undefined) return undefined;
  return { ...selection, ...(pods === undefined ? {} : { pods }) };
}

/** CNP-30, CNP-31. */
function decodePort(cursor: Cursor): TierPort | undefined {
  if (!objectEntry(cursor)) return undefined;
  const members = ["portNumber", "portRange", "namedPort"] as const;
  cursor.unknownFields(members);
  const member = onlyMember(cursor, members);
  if (member === undefined) return undefined;
  const path = cursor.path;
  const value = cursor.field(member);
  if (member === "namedPort") {
    experimental(value, "namedPort");
    const name = value.string();
    return name === undefined ? undefined : { kind: "named", path, name };
  }
  if (value.object() === undefined) return undefined;
  value.unknownFields(member === "portNumber" ? ["protocol", "port"] : ["protocol", "start", "end"]);
  const protocolAt = value.field("protocol");
  const text = protocolAt.string() ?? "TCP";
  const protocol = PORT_PROTOCOLS.find((known) => known === text);
  if (protocol === undefined) unsupported(protocolAt, text, PORT_PROTOCOLS);
  const first = boundedInteger(value.field(member === "portNumber" ? "port" : "start"), 1, 65535);
  const last = member === "portNumber" ? first : boundedInteger(value.field("end"), 1, 65535);
  if (protocol === undefined || first === undefined || last === undefined) return undefined;
  // The schema of this version does not compare the two, unlike that of its successor (CNP-13).
  if (last < first) value.warning("BH110", `${value.describe()}: the range ${first}-${last} holds no port`);
  return { kind: "ports", path, protocol, first, last };
}
