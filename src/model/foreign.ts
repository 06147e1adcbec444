/**
 * Policies of other systems: kinds that could narrow or redirect traffic and that no dialect at hand decides. What they
 * touch is unsure.
 */
import type { Cursor } from "../documents/cursor.ts";
import type { Ternary } from "../base/ternary.ts";
import { type Address, addressSetOf, hostPrefix } from "../net/address.ts";
import { decodeAddress } from "./address-text.ts";
import { type Labels, matchesEquality } from "./labels.ts";
import { groupOf, ownerOf, versionOf } from "./metadata.ts";
import type { ForeignPolicy, ForeignScope } from "./world.ts";

type Scope = (object: Cursor, namespace: string) => ForeignScope;

const everything: Scope = () => ({ kind: "everything" });
const namespaced: Scope = (_, namespace) => ({ kind: "pods", namespace, labels: new Map() });

/** Istio reads a policy of its root namespace for the whole mesh. */
const ISTIO_ROOT = "istio-system";

/** Pods that carry the labels at `spec.<fields…>.matchLabels`; with expressions, which may narrow, the whole namespace. */
function selected(...fields: readonly string[]): Scope {
  return (object, namespace) => {
    let at = object.field("spec");
    for (const field of fields) at = at.field(field);
    return { kind: "pods", namespace, labels: at.field("matchLabels").stringMap() ?? new Map<string, string>() };
  };
}

function istio(...fields: readonly string[]): Scope {
  const own = selected(...fields);
  return (object, namespace) => {
    const scope = own(object, namespace);
    return namespace === ISTIO_ROOT && scope.kind === "pods" ? { kind: "pods", labels: scope.labels } : scope;
  };
}

/** A local redirect sends what goes to a Service or an address to a pod of the client's own node. */
const localRedirect: Scope = (object, namespace) => {
  const frontend = object.field("spec").field("redirectFrontend");
  const service = frontend.field("serviceMatcher");
  const name = service.field("serviceName").string();
  if (name !== undefined)
    return { kind: "services", services: [{ namespace: service.field("namespace").string() ?? namespace, name }] };
  const address = decodeAddress(frontend.field("addressMatcher").field("ip"));
  return address === undefined
    ? { kind: "everything" }
    : { kind: "addresses", addresses: addressSetOf([hostPrefix(address)]) };
};

/**
 * An Envoy configuration takes over what goes to the Services that it lists. Cilium writes one for each Ingress and
 * Gateway; those say nothing beyond them.
 */
const envoy: Scope = (object, namespace) => {
  const maker = ownerOf(object)?.kind;
  if (maker === "Ingress" || maker === "Gateway") return { kind: "services", services: [] };
  const services = (object.field("spec").field("services").list() ?? []).flatMap((item) => {
    const name = item.field("name").string();
    return name === undefined ? [] : { namespace: item.field("namespace").string() ?? namespace, name };
  });
  return { kind: "services", services };
};

const CALICO: Readonly<Record<string, Scope>> = {
  NetworkPolicy: namespaced,
  GlobalNetworkPolicy: everything,
  Profile: everything,
  Tier: everything,
  HostEndpoint: everything,
};

/** By API group, then kind. A group listed here is foreign only in the kinds listed. */
const KINDS: Readonly<Record<string, Readonly<Record<string, Scope>>>> = {
  "networking.k8s.io": { NetworkPolicy: selected("podSelector") },
  "cilium.io": {
    CiliumNetworkPolicy: namespaced,
    CiliumClusterwideNetworkPolicy: everything,
    CiliumLocalRedirectPolicy: localRedirect,
    CiliumEnvoyConfig: envoy,
    CiliumClusterwideEnvoyConfig: envoy,
  },
  "projectcalico.org": CALICO,
  "crd.projectcalico.org": CALICO,
  "crd.antrea.io": { NetworkPolicy: namespaced, ClusterNetworkPolicy: everything },
  "security.antrea.tanzu.vmware.com": { NetworkPolicy: namespaced, ClusterNetworkPolicy: everything },
  "security.istio.io": {
    AuthorizationPolicy: istio("selector"),
    PeerAuthentication: istio("selector"),
    RequestAuthentication: istio("selector"),
  },
  "networking.istio.io": { Sidecar: istio("workloadSelector") },
  "policy.linkerd.io": {
    Server: selected("podSelector"),
    ServerAuthorization: namespaced,
    AuthorizationPolicy: namespaced,
    EgressNetwork: everything,
  },
  "kuma.io": { MeshTrafficPermission: everything },
  "consul.hashicorp.com": { ServiceIntentions: everything },
  "networking.k8s.aws": { ClusterNetworkPolicy: everything, ApplicationNetworkPolicy: namespaced },
  "k8s.ovn.org": { EgressFirewall: namespaced, AdminPolicyBasedExternalRoute: everything },
  "networking.gke.io": { FQDNNetworkPolicy: namespaced, GKENetworkPolicy: namespaced },
};

/** The only versions of policies that have a dialect here; others were never served. */
const VERSIONS: Readonly<Record<string, string>> = {
  "networking.k8s.io/NetworkPolicy": "v1",
  "cilium.io/CiliumNetworkPolicy": "v2",
  "cilium.io/CiliumClusterwideNetworkPolicy": "v2",
};

/** Kinds of policies as `group/Kind`, for guessing which one was meant. */
export const FOREIGN_KINDS: readonly string[] = Object.entries(KINDS).flatMap(([group, kinds]) =>
  Object.keys(kinds).map((kind) => `${group}/${kind}`),
);

/** Whether objects of a kind could narrow or redirect traffic, where no dialect decides them. */
export function isForeign(apiVersion: string, kind: string): boolean {
  return scopeOf(apiVersion, kind) !== undefined;
}

function scopeOf(apiVersion: string, kind: string): Scope | undefined {
  const group = groupOf(apiVersion);
  const kinds = Object.hasOwn(KINDS, group) ? KINDS[group] : undefined;
  if (kinds === undefined || !Object.hasOwn(kinds, kind)) return undefined;
  const version = VERSIONS[`${group}/${kind}`];
  return version === undefined || version === versionOf(apiVersion) ? kinds[kind] : undefined;
}

/**
 * Lists a foreign policy with whom it touches.
 *
 * Takes the cursor on an object of a foreign kind and the namespace that it would have. Returns the policy; its rules
 * are not read. Its scope is wider than the truth where its selectors say more than equal labels.
 */
export function decodeForeign(object: Cursor, namespace: string): ForeignPolicy {
  const { document } = object;
  const scope = scopeOf(document.apiVersion, document.kind) ?? everything;
  return {
    kind: document.kind,
    apiVersion: document.apiVersion,
    ...(document.namespace === undefined ? {} : { namespace: document.namespace }),
    name: document.name,
    scope: scope(object, namespace),
    document,
  };
}

// ── whom a policy touches ──────────────────────────────────────────────────────────────────────────────────────────

/** Whether a foreign policy may change connections of a pod; `maybe` where a label's value is not known. */
export function touchesPod(scope: ForeignScope, namespace: string, labels: Labels): Ternary {
  switch (scope.kind) {
    case "everything":
      return "yes";
    case "pods":
      if (scope.namespace !== undefined && scope.namespace !== namespace) return "no";
      return matchesEquality(scope.labels, labels);
    case "services":
    case "addresses":
      return "no";
  }
}

/** Whether a foreign policy may change connections to a Service as such; its pods are asked about on their own. */
export function touchesService(scope: ForeignScope, namespace: string, name: string): boolean {
  if (scope.kind === "services")
    return scope.services.some((service) => service.namespace === namespace && service.name === name);
  return scope.kind === "everything";
}

/** Whether a foreign policy may change connections to an address as such. */
export function touchesAddress(scope: ForeignScope, address: Address): boolean {
  if (scope.kind === "addresses")
    return scope.addresses.some(
      ({ family, first, last }) => family === address.family && first <= address.value && address.value <= last,
    );
  return scope.kind === "everything";
}
