/**
 * The Kubernetes API by the letter: NetworkPolicy as the specification has it, between the two tiers of the
 * network-policy-api (kubernetes.md sections 1 and 2).
 */
import { type Diagnostic, diagnostic } from "../../base/diagnostic.ts";
import type { Document } from "../../documents/document.ts";
import type { World } from "../../model/world.ts";
import type { Protocol } from "../../net/protocol.ts";
import type { CompiledObject, Dialect, Frame } from "../dialect.ts";
import type { Direction, Policy, Rule } from "../rule.ts";
import { decodeAdminNetworkPolicy } from "./admin-network-policy.ts";
import { decodeClusterNetworkPolicy } from "./cluster-network-policy.ts";
import { ciliumDifferences } from "./differences.ts";
import { identify, IS_LOCAL_NODE, IS_NODE } from "./identity.ts";
import { decodeNetworkPolicy } from "./network-policy.ts";
import type { Decoded } from "./refusals.ts";
import { ADMIN_TIER, BASELINE_TIER, NETWORK_TIER, networkPolicyRules, tierPolicyRules } from "./rules.ts";
import type { TierPolicyObject } from "./tier-policy.ts";

const NETWORK_POLICY = "networking.k8s.io/v1/NetworkPolicy";
const CLUSTER_NETWORK_POLICY = "policy.networking.k8s.io/v1alpha2/ClusterNetworkPolicy";
const ADMIN_NETWORK_POLICY = "policy.networking.k8s.io/v1alpha1/AdminNetworkPolicy";
const BASELINE_ADMIN_NETWORK_POLICY = "policy.networking.k8s.io/v1alpha1/BaselineAdminNetworkPolicy";

const COMPILERS: ReadonlyMap<string, (document: Document, world: World) => CompiledObject> = new Map([
  [NETWORK_POLICY, compileNetworkPolicy],
  [
    CLUSTER_NETWORK_POLICY,
    (document: Document) =>
      compileTierPolicy(
        document,
        decodeClusterNetworkPolicy(document),
        "Cilium enforces it from release 1.20, when switched on, and Calico from 3.32; kube-router, Romana and Weave never",
      ),
  ],
  [
    ADMIN_NETWORK_POLICY,
    (document: Document) =>
      compileTierPolicy(document, decodeAdminNetworkPolicy(document), "no release of Cilium enforces it"),
  ],
  [
    BASELINE_ADMIN_NETWORK_POLICY,
    (document: Document) =>
      compileTierPolicy(document, decodeAdminNetworkPolicy(document), "no release of Cilium enforces it"),
  ],
]);

/** The dialect `kubernetes`. */
export function openKubernetes(): Dialect {
  return {
    name: "kubernetes",
    enforces: (apiVersion, kind) => COMPILERS.has(`${apiVersion}/${kind}`),
    compile: (document, world) =>
      COMPILERS.get(`${document.apiVersion}/${document.kind}`)?.(document, world) ?? {
        policies: [],
        diagnostics: [],
        refused: false,
      },
    frame: () => FRAME,
    identify,
  };
}

function compileNetworkPolicy(document: Document, world: World): CompiledObject {
  const { value, diagnostics, refused } = decodeNetworkPolicy(document, world.defaultNamespace);
  if (value === undefined) return { policies: [], diagnostics, refused };
  return {
    policies: [networkPolicyRules(value)],
    diagnostics: [...diagnostics, ...ciliumDifferences(value, world)],
    refused,
  };
}

function compileTierPolicy(document: Document, object: Decoded<TierPolicyObject>, enforced: string): CompiledObject {
  const { value, diagnostics, refused } = object;
  if (value === undefined) return { policies: [], diagnostics, refused };
  const policies: readonly Policy[] = [tierPolicyRules(value)];
  const note: Diagnostic = diagnostic("BH105", `${value.kind} ${value.name}: ${enforced}`, document.locate(["kind"]));
  return { policies, diagnostics: [...diagnostics, note], refused };
}

// ── what holds without being written ─────────────────────────────────────────────────────────────────────────────────

/** Protocols of which the specification says neither that isolation blocks them nor that a rule admits them (K8-33). */
const UNDEFINED_PROTOCOLS: readonly Protocol[] = ["ICMP", "ICMPv6", "VRRP", "IGMP", "OTHER"];

/** Traffic between a pod and its own node always passes (K8-38, K8-39, K8-74). */
function nodeLocal(direction: Direction): Rule {
  return {
    direction,
    action: "allow",
    peers: [{ kind: "labels", selector: [IS_NODE, IS_LOCAL_NODE] }],
    traffic: [{ match: { kind: "any" } }],
    origin: { kind: "always-allowed", name: "node-local", section: direction, index: 0 },
  };
}

/** Where a pod is isolated, nobody can tell what becomes of protocols without ports that no rule admits (K8-33). */
function undefinedProtocols(direction: Direction): Rule {
  return {
    direction,
    action: "allow",
    peers: [
      {
        kind: "unknown",
        because: { code: "undefined-by-specification", detail: "protocols other than TCP, UDP and SCTP" },
        scope: "any",
      },
    ],
    traffic: UNDEFINED_PROTOCOLS.map((protocol) => ({ match: { kind: "protocol", protocol } })),
    origin: { kind: "always-allowed", name: "undefined-protocols", section: direction, index: 1 },
  };
}

const FRAME: Frame = {
  // CNP-18: the ordered tiers stand before and behind the union of the NetworkPolicies.
  tiers: [
    { name: ADMIN_TIER, mode: "ordered" },
    { name: NETWORK_TIER, mode: "union" },
    { name: BASELINE_TIER, mode: "ordered" },
  ],
  alwaysAllowed: [
    nodeLocal("ingress"),
    nodeLocal("egress"),
    undefinedProtocols("ingress"),
    undefinedProtocols("egress"),
  ],
  alwaysFirst: true,
  enforcement: "default",
  hostFirewall: false,
  alwaysClosed: [],
  audit: false,
  services: {
    // K8-44: a NetworkPolicy may or may not see a pod that dials its own Service; CNP-24: the other tiers do.
    hairpin: ["all", { without: NETWORK_TIER }],
    ownIngress: false,
    sourceRanges: "maybe",
  },
};
