import type { Side } from "./answers.ts";
import { podIdentity, selectsIdentity } from "./cilium-identities.ts";
import { specsOf } from "./cilium-rules.ts";
import { subjectSelector } from "./cilium-selectors.ts";
import { ciliumSettings } from "./cilium-settings.ts";
import type { Scene } from "./network-policies.ts";
import { fullName, groupOf, type KubeObject } from "./objects.ts";
import type { Dialect } from "./options.ts";
import type { Party } from "./parties.ts";
import { fieldsOf, isGiven, labelsOf } from "./values.ts";
import type { Pod } from "./workloads.ts";
import type { Because } from "./reasons.ts";

/** Policies of another network could decide either way. */
const NETWORKS: ReadonlyMap<string, readonly string[]> = new Map([
  ["projectcalico.org", ["NetworkPolicy", "GlobalNetworkPolicy"]],
  ["crd.projectcalico.org", ["NetworkPolicy", "GlobalNetworkPolicy"]],
  ["crd.antrea.io", ["NetworkPolicy", "ClusterNetworkPolicy"]],
  ["cilium.io", ["CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy"]],
]);

/** Authorisation in a mesh can only take away. */
const MESHES: ReadonlyMap<string, readonly string[]> = new Map([
  ["security.istio.io", ["AuthorizationPolicy", "PeerAuthentication", "RequestAuthentication"]],
  ["policy.linkerd.io", ["AuthorizationPolicy", "Server", "ServerAuthorization"]],
]);

function isOf(object: KubeObject, kinds: ReadonlyMap<string, readonly string[]>): boolean {
  return kinds.get(groupOf(object))?.includes(object.kind) ?? false;
}

/** Policies of another network or mesh, which this dialect cannot judge. */
export function isForeign(object: KubeObject, dialect: Dialect): boolean {
  if (dialect !== "kubernetes" && groupOf(object) === "cilium.io") return false;
  return isOf(object, NETWORKS) || isOf(object, MESHES);
}

/** Foreign policies make the sides that they touch unsure. */
export function withForeign(side: Side, party: Party, foreign: readonly KubeObject[], scene: Scene): Side {
  if (party.kind !== "pod") return side;
  const touching = foreign
    .filter((object) => side.verdict === "allow" || isOf(object, NETWORKS))
    .find((object) => touches(object, party.pod, scene));
  if (touching === undefined) return side;
  const because: Because = { code: "foreign-policy", detail: fullName(touching) };
  if (scene.unknowns.ask(`foreign policy agrees about ${party.pod.id}`, because)) return side;
  return { ...side, verdict: side.verdict === "allow" ? "deny" : "allow" };
}

/** Whether the policy can select the pod; a selector that is not read here may. */
function touches(object: KubeObject, pod: Pod, scene: Scene): boolean {
  const isEverywhere = object.namespace === "" || object.namespace === "istio-system";
  if (!isEverywhere && object.namespace !== pod.namespace) return false;
  if (groupOf(object) === "cilium.io") {
    const identity = podIdentity(pod, scene.cluster, ciliumSettings([], "cilium@1.19"));
    return specsOf(object)
      .map(fieldsOf)
      .some(
        (spec) =>
          isGiven(spec["endpointSelector"]) &&
          selectsIdentity(subjectSelector(spec["endpointSelector"], object.namespace), identity, scene.unknowns),
      );
  }
  const selector = labelsOf(fieldsOf(fieldsOf(object.fields["spec"])["selector"])["matchLabels"]);
  return [...selector].every(([key, value]) => {
    const own = pod.labels.get(key);
    return typeof own === "object" || own === value;
  });
}
