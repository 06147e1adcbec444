/**
 * NetworkPolicy (networking.k8s.io/v1) as written: validated as the API server does (kubernetes.md 1.11), with nothing
 * defaulted that a dialect might read in its own way. The kubernetes dialect and the Cilium dialect both start from
 * this form.
 */
import { Cursor, Findings } from "../../documents/cursor.ts";
import type { Document, Path } from "../../documents/document.ts";
import { type Prefix, prefixContains } from "../../net/address.ts";
import { portNameProblem } from "../../model/label-syntax.ts";
import { PORT_PROTOCOLS, type PortProtocol } from "../../net/protocol.ts";
import { decodeLegacyCidr } from "./cidr.ts";
import { decodeLabelSelector, type LabelSelector } from "./label-selector.ts";
import { checkObject } from "./metadata.ts";
import {
  type Decoded,
  decoded,
  forbidden,
  invalid,
  outOfRange,
  refusalsIn,
  required,
  unsupported,
} from "./refusals.ts";

export type PolicyType = "Ingress" | "Egress";

/** One NetworkPolicy that the API server accepts. */
export interface NetworkPolicyObject {
  readonly document: Document;
  /** The default namespace where the manifest names none. */
  readonly namespace: string;
  readonly name: string;
  /** Path of the spec; its parts carry paths of their own. */
  readonly path: Path;
  /** Absent in the manifest: every pod of the namespace, an empty selector (K8-13). */
  readonly podSelector: LabelSelector;
  /** As written; absent where the manifest has none, null or `[]` (K8-05, K8-06). Never empty. May hold duplicates. */
  readonly policyTypes?: readonly PolicyType[];
  /** As written; absent for an absent or null list, `[]` for an empty one (K8-09). */
  readonly ingress?: readonly NetworkPolicyRule[];
  /** As written; absent for an absent or null list, `[]` for an empty one (K8-10). */
  readonly egress?: readonly NetworkPolicyRule[];
}

/** One entry of `ingress` or `egress`. */
export interface NetworkPolicyRule {
  readonly path: Path;
  /** `from` or `to` as written; absent and `[]` both mean any peer (K8-11). */
  readonly peers?: readonly NetworkPolicyPeer[];
  /** As written; absent and `[]` both mean any port of any protocol (K8-12). */
  readonly ports?: readonly NetworkPolicyPort[];
}

/** One entry of `from` or `to`. */
export type NetworkPolicyPeer =
  /** At least one of the two selectors is there; a missing one is not the same as an empty one (K8-01). */
  | {
      readonly kind: "selectors";
      readonly path: Path;
      readonly podSelector?: LabelSelector;
      readonly namespaceSelector?: LabelSelector;
    }
  | {
      readonly kind: "ipBlock";
      readonly path: Path;
      /** Host bits cleared (K8-69). */
      readonly cidr: Prefix;
      /** Strictly inside `cidr` (K8-59); may overlap. Empty for absent (K8-14). */
      readonly except: readonly Prefix[];
    };

/** One entry of `ports`. */
export interface NetworkPolicyPort {
  readonly path: Path;
  /** TCP where the manifest names none (K8-12). */
  readonly protocol: PortProtocol;
  /** A number, a container port's name, or absent: every port of the protocol. */
  readonly port?: number | string;
  /** Only with a number; inclusive, not below it (K8-28, K8-51). */
  readonly endPort?: number;
}

const POLICY_TYPES: readonly PolicyType[] = ["Ingress", "Egress"];
const PORT_RANGE = "must be between 1 and 65535, inclusive";

/**
 * Decodes and validates a NetworkPolicy as the API server does (kubernetes.md 1.11, K8-46…K8-69).
 *
 * Takes the object's document, and the namespace of objects that name none. Returns the form of what the server would store, before its defaults; no form where it
 * refuses the object. Null counts as absent, and an entry that is null as an empty one, as for the server.
 */
export function decodeNetworkPolicy(document: Document, defaultNamespace = "default"): Decoded<NetworkPolicyObject> {
  const findings = new Findings();
  const root = Cursor.of(document, findings);
  checkObject(root);
  const spec = root.field("spec");
  spec.unknownFields(["podSelector", "policyTypes", "ingress", "egress"]);
  const podSelector = decodeLabelSelector(spec.field("podSelector"));
  const ingress = decodeRules(spec.field("ingress"), "from");
  const egress = decodeRules(spec.field("egress"), "to");
  const policyTypes = decodePolicyTypes(spec.field("policyTypes"));
  return decoded(findings, {
    document,
    namespace: document.namespace ?? defaultNamespace,
    name: document.name,
    path: spec.path,
    podSelector: podSelector ?? { path: spec.field("podSelector").path, requirements: [] },
    ...(policyTypes.length === 0 ? {} : { policyTypes }),
    ...(ingress === undefined ? {} : { ingress }),
    ...(egress === undefined ? {} : { egress }),
  });
}

/** K8-61, K8-62. */
function decodePolicyTypes(cursor: Cursor): readonly PolicyType[] {
  const items = cursor.list() ?? [];
  if (items.length > POLICY_TYPES.length) {
    const written = items.map((item) => item.string() ?? "").join(", ");
    invalid(cursor, `[${written}]`, "may not specify more than two policyTypes");
    return [];
  }
  return items.flatMap((item) => {
    const text = item.isAbsent ? "" : item.string();
    if (text === undefined) return [];
    const type = POLICY_TYPES.find((known) => known === text);
    if (type !== undefined) return [type];
    unsupported(item, text, POLICY_TYPES);
    return [];
  });
}

function decodeRules(cursor: Cursor, peersField: "from" | "to"): readonly NetworkPolicyRule[] | undefined {
  return cursor.list()?.map((item) => {
    item.unknownFields([peersField, "ports"]);
    const peers = item
      .field(peersField)
      .list()
      ?.flatMap((peer) => decodePeer(peer) ?? []);
    const ports = item
      .field("ports")
      .list()
      ?.flatMap((port) => decodePort(port) ?? []);
    return {
      path: item.path,
      ...(peers === undefined ? {} : { peers }),
      ...(ports === undefined ? {} : { ports }),
    };
  });
}

/** K8-55, K8-56. */
function decodePeer(cursor: Cursor): NetworkPolicyPeer | undefined {
  const before = refusalsIn(cursor.findings);
  cursor.unknownFields(["podSelector", "namespaceSelector", "ipBlock"]);
  const podSelector = decodeLabelSelector(cursor.field("podSelector"));
  const namespaceSelector = decodeLabelSelector(cursor.field("namespaceSelector"));
  const hasSelector = cursor.has("podSelector") || cursor.has("namespaceSelector");
  const block = cursor.field("ipBlock");
  const path = cursor.path;
  if (block.isAbsent) {
    if (!hasSelector) {
      // A peer of an unknown field alone is empty once that is dropped.
      if (cursor.shape === "object" || cursor.isAbsent) required(cursor, "must specify a peer");
      return undefined;
    }
    if (podSelector === undefined && namespaceSelector === undefined) return undefined;
    return {
      kind: "selectors",
      path,
      ...(podSelector === undefined ? {} : { podSelector }),
      ...(namespaceSelector === undefined ? {} : { namespaceSelector }),
    };
  }
  const decodedBlock = decodeIpBlock(block);
  if (hasSelector) forbidden(cursor, "may not specify both ipBlock and another peer");
  if (decodedBlock === undefined || refusalsIn(cursor.findings) > before) return undefined;
  return { kind: "ipBlock", path, ...decodedBlock };
}

/** K8-57…K8-60. */
function decodeIpBlock(cursor: Cursor): { readonly cidr: Prefix; readonly except: readonly Prefix[] } | undefined {
  if (cursor.object() === undefined) return undefined;
  cursor.unknownFields(["cidr", "except"]);
  const cidrAt = cursor.field("cidr");
  if (cidrAt.isAbsent || cidrAt.value === "") {
    required(cidrAt, "");
    return undefined;
  }
  const text = cidrAt.string();
  const cidr = text === undefined ? undefined : decodeLegacyCidr(cidrAt, text);
  const except = (cursor.field("except").list() ?? []).flatMap((item) => {
    const exceptText = item.isAbsent ? "" : item.string();
    const prefix = exceptText === undefined ? undefined : decodeLegacyCidr(item, exceptText);
    if (prefix === undefined || cidr === undefined) return [];
    if (!prefixContains(cidr, prefix) || prefix.length === cidr.length) {
      invalid(item, exceptText ?? "", "must be a strict subset of `cidr`");
      return [];
    }
    return [prefix];
  });
  return cidr === undefined ? undefined : { cidr, except };
}

/** K8-46…K8-54. */
function decodePort(cursor: Cursor): NetworkPolicyPort | undefined {
  const before = refusalsIn(cursor.findings);
  cursor.unknownFields(["protocol", "port", "endPort"]);
  if (cursor.shape !== "object" && !cursor.isAbsent) return undefined;
  const protocolAt = cursor.field("protocol");
  const protocolText = protocolAt.string() ?? "TCP";
  const protocol = PORT_PROTOCOLS.find((known) => known === protocolText);
  if (protocol === undefined) unsupported(protocolAt, protocolText, PORT_PROTOCOLS);

  const portAt = cursor.field("port");
  const port = portAt.integerOrString();
  const endPortAt = cursor.field("endPort");
  const endPort = endPortAt.integer();
  if (typeof port === "number") {
    if (!isPort(port)) outOfRange(portAt, port, PORT_RANGE);
    if (endPort !== undefined) {
      if (endPort < port) outOfRange(endPortAt, endPort, "must be greater than or equal to `port`");
      if (!isPort(endPort)) outOfRange(endPortAt, endPort, PORT_RANGE);
    }
  } else if (typeof port === "string") {
    if (endPort !== undefined) invalid(endPortAt, endPort, "may not be specified when `port` is non-numeric");
    const problem = portNameProblem(port);
    if (problem !== undefined)
      invalid(portAt, port, problem, {
        help: /^\d+$/.test(port) ? `Without quotes, ${port} is a number; in quotes it is a name.` : null,
      });
  } else if (endPort !== undefined && portAt.isAbsent)
    invalid(endPortAt, endPort, "may not be specified when `port` is not specified");
  if (protocol === undefined || refusalsIn(cursor.findings) > before) return undefined;
  return {
    path: cursor.path,
    protocol,
    ...(port === undefined ? {} : { port }),
    ...(endPort === undefined ? {} : { endPort }),
  };
}

function isPort(port: number): boolean {
  return port >= 1 && port <= 65535;
}
