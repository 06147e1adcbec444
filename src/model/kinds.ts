/**
 * Kinds that an input may well hold and that no answer depends on. Where a group is listed, it is listed whole, so that a
 * kind that is missing from it is a slip of the pen rather than something unheard of.
 */
import { nearest } from "../documents/nearest.ts";
import { groupOf } from "./metadata.ts";

/** Groups of Kubernetes itself: their kinds that do not bear on who may talk to whom. */
const IRRELEVANT: Readonly<Record<string, readonly string[]>> = {
  "": [
    "Binding",
    "ComponentStatus",
    "ConfigMap",
    "Event",
    "LimitRange",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "PodTemplate",
    "ResourceQuota",
    "Secret",
    "ServiceAccount",
  ],
  "admissionregistration.k8s.io": [
    "MutatingAdmissionPolicy",
    "MutatingAdmissionPolicyBinding",
    "MutatingWebhookConfiguration",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
  ],
  "apiextensions.k8s.io": ["CustomResourceDefinition"],
  "apiregistration.k8s.io": ["APIService"],
  apps: ["ControllerRevision"],
  autoscaling: ["HorizontalPodAutoscaler", "Scale"],
  batch: [],
  "certificates.k8s.io": ["CertificateSigningRequest", "ClusterTrustBundle", "PodCertificateRequest"],
  "coordination.k8s.io": ["Lease", "LeaseCandidate"],
  "discovery.k8s.io": [],
  "events.k8s.io": ["Event"],
  "flowcontrol.apiserver.k8s.io": ["FlowSchema", "PriorityLevelConfiguration"],
  "gateway.networking.k8s.io": ["BackendTLSPolicy"],
  "networking.k8s.io": ["IPAddress"],
  "node.k8s.io": ["RuntimeClass"],
  policy: ["Eviction", "PodDisruptionBudget", "PodSecurityPolicy"],
  "rbac.authorization.k8s.io": ["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"],
  "resource.k8s.io": ["DeviceClass", "ResourceClaim", "ResourceClaimTemplate", "ResourceSlice"],
  "scheduling.k8s.io": ["PriorityClass"],
  "storage.k8s.io": [
    "CSIDriver",
    "CSINode",
    "CSIStorageCapacity",
    "StorageClass",
    "VolumeAttachment",
    "VolumeAttributesClass",
  ],
};

/** Kinds of Cilium that tell nothing beyond what other objects say, or that change routes and no verdict. */
const CILIUM = [
  "CiliumBGPAdvertisement",
  "CiliumBGPClusterConfig",
  "CiliumBGPNodeConfig",
  "CiliumBGPNodeConfigOverride",
  "CiliumBGPPeerConfig",
  "CiliumEgressGatewayPolicy",
  "CiliumEndpoint",
  "CiliumEndpointSlice",
  "CiliumExternalWorkload",
  "CiliumGatewayClassConfig",
  "CiliumIdentity",
  "CiliumL2AnnouncementPolicy",
  "CiliumLoadBalancerIPPool",
  "CiliumNodeConfig",
  "CiliumPodIPPool",
];

/** Other groups whose kinds are common and irrelevant, whatever kind it is. */
const IRRELEVANT_GROUPS: readonly string[] = [
  "acme.cert-manager.io",
  "argoproj.io",
  "bitnami.com",
  "bulkhead.dev",
  "cert-manager.io",
  "external-secrets.io",
  "helm.toolkit.fluxcd.io",
  "kustomize.config.k8s.io",
  "kustomize.toolkit.fluxcd.io",
  "metrics.k8s.io",
  "monitoring.coreos.com",
  "snapshot.storage.k8s.io",
  "source.toolkit.fluxcd.io",
];

/** Kinds of policies of the cluster-wide kind; an object of them has no namespace. */
const CLUSTER_POLICIES: readonly string[] = [
  "AdminNetworkPolicy",
  "BaselineAdminNetworkPolicy",
  "CiliumClusterwideEnvoyConfig",
  "CiliumClusterwideNetworkPolicy",
  "ClusterNetworkPolicy",
  "EgressNetwork",
  "GlobalNetworkPolicy",
  "GlobalNetworkSet",
  "HostEndpoint",
  "Profile",
  "StagedGlobalNetworkPolicy",
  "Tier",
];

/** Whether objects of a kind of policy have no namespace. */
export function isClusterPolicy(kind: string): boolean {
  return CLUSTER_POLICIES.includes(kind);
}

const OPTIONAL_POLICIES: readonly string[] = [
  "policy.networking.k8s.io/AdminNetworkPolicy",
  "policy.networking.k8s.io/BaselineAdminNetworkPolicy",
  "policy.networking.k8s.io/ClusterNetworkPolicy",
];

/** Policies that plug-ins enforce or not (kubernetes.md 2); where one does not, they are without effect. */
export function isOptionalPolicy(apiVersion: string, kind: string): boolean {
  return OPTIONAL_POLICIES.includes(`${groupOf(apiVersion)}/${kind}`);
}

/** What is known of a kind that is not read. */
export type Standing =
  | { readonly kind: "irrelevant" }
  /** No cluster serves it: a slip of the pen in the name, which resembles `meant`, or in the version. */
  | { readonly kind: "unserved"; readonly meant?: string }
  | { readonly kind: "unknown" };

/** Groups of which every kind is known here: those of Kubernetes, of Cilium, and of policies that plug-ins enforce. */
function isWholeGroup(group: string): boolean {
  return Object.hasOwn(IRRELEVANT, group) || ["cilium.io", "extensions", "policy.networking.k8s.io"].includes(group);
}

/** Whether a group is none of which every kind is known here. */
export function isCustom(apiVersion: string): boolean {
  return !isWholeGroup(groupOf(apiVersion));
}

/**
 * Tells what is known of a kind.
 *
 * Takes the apiVersion and the kind of an object that nothing reads, and the kinds that are read or listed, as
 * `group/Kind`.
 * Returns whether it is irrelevant, a slip of the pen, or unknown. The same kind in another group, or else the kind of
 * the group with the nearest name, is what was meant; with another version of the group nothing needs to be guessed.
 */
export function standingOf(apiVersion: string, kind: string, read: Iterable<string>): Standing {
  const group = groupOf(apiVersion);
  if (group === "cilium.io" && CILIUM.includes(kind)) return { kind: "irrelevant" };
  if (IRRELEVANT_GROUPS.includes(group)) return { kind: "irrelevant" };
  const listed = Object.hasOwn(IRRELEVANT, group) ? (IRRELEVANT[group] ?? []) : [];
  if (listed.includes(kind)) return { kind: "irrelevant" };
  if (!isWholeGroup(group)) return { kind: "unknown" };
  const known = [...read, ...OPTIONAL_POLICIES];
  if (known.includes(`${group}/${kind}`)) return { kind: "unserved" };
  const elsewhere = known.find((name) => name.endsWith(`/${kind}`));
  if (elsewhere !== undefined) return { kind: "unserved", meant: elsewhere };
  const own = known.filter((name) => name.startsWith(`${group}/`)).map((name) => name.slice(group.length + 1));
  const meant = nearest(kind, [...own, ...listed, ...(group === "cilium.io" ? CILIUM : [])]);
  return { kind: "unserved", ...(meant === undefined ? {} : { meant }) };
}
