/** ClusterNetworkPolicy (policy.networking.k8s.io/v1alpha2), validated as its published schemas do (kubernetes.md 2.1). */
import { Cursor, Findings } from "../../documents/cursor.ts";
import type { Document } from "../../documents/document.ts";
import type { PortProtocol } from "../../net/protocol.ts";
import { decodeLabelSelector } from "./label-selector.ts";
import { checkObject } from "./metadata.ts";
import { type Decoded, decoded, invalid, wrongCount } from "./refusals.ts";
import {
  boundedInteger,
  boundedList,
  checkRuleName,
  decodeNamespacedPod,
  decodePeer,
  decodeSubject,
  NAMED_PORT_RULE,
  objectEntry,
  onlyMember,
  type PeerMember,
  type PodPeers,
  requiredChoice,
  TIER_PEERS,
  type TierAction,
  type TierPolicyObject,
  type TierPort,
  type TierRule,
} from "./tier-policy.ts";

const LIMITS = { min: 1, max: 25 } as const;
const INGRESS_PEERS = ["namespaces", "pods"] as const;
const ACTIONS: Readonly<Record<"Accept" | "Deny" | "Pass", TierAction>> = {
  Accept: "accept",
  Deny: "deny",
  Pass: "pass",
};
const PROTOCOLS: Readonly<Record<"tcp" | "udp" | "sctp", PortProtocol>> = { tcp: "TCP", udp: "UDP", sctp: "SCTP" };

/** Decodes and validates one object (CNP-05…CNP-17). */
export function decodeClusterNetworkPolicy(document: Document): Decoded<TierPolicyObject> {
  const findings = new Findings();
  const root = Cursor.of(document, findings);
  checkObject(root);
  const spec = root.required("spec");
  spec.unknownFields(["tier", "priority", "subject", "ingress", "egress"]);
  const tier = requiredChoice(spec.field("tier"), ["Admin", "Baseline"]);
  const priority = boundedInteger(spec.field("priority"), 0, 1000);
  const subject = decodeSubject(spec.field("subject"), false);
  const rules = (section: "ingress" | "egress"): readonly PlacedRule[] =>
    (boundedList(spec.field(section), { min: 0, max: 25 }, false) ?? []).flatMap((at) => {
      const rule = decodeRule(at, section);
      return rule === undefined ? [] : [{ at, rule }];
    });
  const ingress = rules("ingress");
  const egress = rules("egress");
  checkNamedPorts(egress);
  return decoded(findings, {
    document,
    kind: "ClusterNetworkPolicy",
    apiVersion: document.apiVersion,
    name: document.name,
    path: spec.path,
    tier: tier === "Baseline" ? "baseline" : "admin",
    priority: priority ?? 0,
    subject,
    ingress: ingress.map(({ rule }) => rule),
    egress: egress.map(({ rule }) => rule),
  });
}

interface PlacedRule {
  readonly at: Cursor;
  readonly rule: TierRule;
}

function decodeRule(cursor: Cursor, section: "ingress" | "egress"): TierRule | undefined {
  if (!objectEntry(cursor)) return undefined;
  const peersField = section === "ingress" ? "from" : "to";
  cursor.unknownFields(["name", "action", peersField, "protocols"]);
  checkRuleName(cursor.field("name"));
  const action = requiredChoice(cursor.field("action"), ["Accept", "Deny", "Pass"]);
  const allowed: readonly PeerMember[] = section === "ingress" ? INGRESS_PEERS : TIER_PEERS;
  const peers = (boundedList(cursor.field(peersField), LIMITS, true) ?? []).flatMap(
    (peer) => decodePeer(peer, allowed, PODS, action === undefined || action === "Accept" ? undefined : action) ?? [],
  );
  const ports = boundedList(cursor.field("protocols"), LIMITS, false)?.flatMap((item) => decodeProtocol(item) ?? []);
  if (action === undefined) return undefined;
  return { path: cursor.path, action: ACTIONS[action], peers, ...(ports === undefined ? {} : { ports }) };
}

/** How v1alpha2 names pods as peers (CNP-01, CNP-02). */
const PODS: PodPeers = {
  namespaces: (value) => {
    const namespaces = decodeLabelSelector(value);
    return namespaces === undefined ? undefined : { namespaces };
  },
  pods: (value) => decodeNamespacedPod(value, false),
};

/** CNP-12…CNP-16. */
function decodeProtocol(cursor: Cursor): TierPort | undefined {
  if (!objectEntry(cursor)) return undefined;
  const members = ["tcp", "udp", "sctp", "destinationNamedPort"] as const;
  cursor.unknownFields(members);
  const member = onlyMember(cursor, members);
  if (member === undefined) return undefined;
  const path = cursor.path;
  const value = cursor.field(member);
  if (member === "destinationNamedPort") {
    const name = value.string();
    return name === undefined ? undefined : { kind: "named", path, name };
  }
  if (value.object() === undefined) return undefined;
  value.unknownFields(["destinationPort"]);
  const port = value.field("destinationPort");
  if (port.isAbsent) {
    wrongCount(value, "Invalid value: should have at least 1 properties: set destinationPort");
    return undefined;
  }
  port.unknownFields(["number", "range"]);
  const protocol = PROTOCOLS[member];
  if (onlyMember(port, ["number", "range"]) === "number") {
    const number = boundedInteger(port.field("number"), 1, 65535);
    return number === undefined ? undefined : { kind: "ports", path, protocol, first: number, last: number };
  }
  const range = port.field("range");
  if (range.object() === undefined) return undefined;
  range.unknownFields(["start", "end"]);
  const first = boundedInteger(range.field("start"), 1, 65535);
  const last = boundedInteger(range.field("end"), 1, 65535);
  if (first === undefined || last === undefined) return undefined;
  if (first >= last) {
    invalid(range, `${first}-${last}`, "Start port must be less than End port", {
      help: first === last ? `One port alone is written number: ${first}.` : null,
    });
    return undefined;
  }
  return { kind: "ports", path, protocol, first, last };
}

/**
 * A port's name beside peers that are no pods (CNP-17): refused by the experimental schema, which is the one in force
 * where the object uses any member that only it has.
 */
function checkNamedPorts(egress: readonly PlacedRule[]): void {
  const isExperimental = egress.some(({ rule }) =>
    rule.peers.some((peer) => peer.kind === "nodes" || peer.kind === "domainNames"),
  );
  for (const { at, rule } of egress) {
    const isNamed = rule.ports?.some((port) => port.kind === "named") ?? false;
    if (!isNamed || rule.peers.every((peer) => peer.kind === "pods" || peer.kind === "unknown")) continue;
    if (isExperimental) invalid(at, "object", NAMED_PORT_RULE);
    else
      at.warning(
        "BH107",
        `${at.describe()}: the port name counts for the pods that the rule names, not for its networks`,
      );
  }
}
