import { groupOf, type KubeObject } from "./objects.ts";
import type { Dialect } from "./options.ts";

const NARROWING: ReadonlyMap<string, readonly string[]> = new Map([
  ["projectcalico.org", ["NetworkPolicy", "GlobalNetworkPolicy", "StagedNetworkPolicy"]],
  ["crd.projectcalico.org", ["NetworkPolicy", "GlobalNetworkPolicy"]],
  ["crd.antrea.io", ["NetworkPolicy", "ClusterNetworkPolicy"]],
  ["security.istio.io", ["AuthorizationPolicy", "PeerAuthentication", "RequestAuthentication"]],
  ["policy.linkerd.io", ["AuthorizationPolicy", "Server", "ServerAuthorization"]],
  ["cilium.io", ["CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy"]],
]);

/** Policies of another network or mesh, which could narrow what this dialect allows. */
export function mayNarrow(object: KubeObject, dialect: Dialect): boolean {
  if (dialect !== "kubernetes" && groupOf(object) === "cilium.io") return false;
  return NARROWING.get(groupOf(object))?.includes(object.kind) ?? false;
}
