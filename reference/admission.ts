import { fullName, groupOf, type KubeObject } from "./objects.ts";
import { isClusterPolicy, isNetworkPolicy } from "./kubernetes.ts";
import type { ReferenceOptions } from "./options.ts";
import { refusalOf } from "./validation.ts";
import { checkCiliumObject, isCiliumPolicy } from "./validation-cilium.ts";
import { checkAdminNetworkPolicy, checkClusterNetworkPolicy } from "./validation-cluster-network-policy.ts";
import { checkIngress } from "./validation-ingress.ts";
import { checkNetworkPolicy } from "./validation-network-policy.ts";
import { checkController, checkService } from "./validation-workloads.ts";
import { isController } from "./workloads.ts";

export interface Admission {
  readonly accepted: readonly KubeObject[];
  /** Kind/ns/name with the first reason, in the order of the input. */
  readonly refused: ReadonlyMap<string, string>;
}

/** Which objects the API server and the agent take; a refused one has no effect at all (K8-73, R1.2.2). */
export function admit(objects: readonly KubeObject[], options: ReferenceOptions): Admission {
  const refused = new Map<string, string>();
  const accepted = lastOfEach(objects).filter((object) => {
    const reason = refusalOf(() => check(object, objects, options));
    if (reason !== undefined) refused.set(fullName(object), reason);
    return reason === undefined;
  });
  return { accepted, refused };
}

/** A later object of the same kind and name replaces an earlier one, as an update would (R1.2.5). */
function lastOfEach(objects: readonly KubeObject[]): readonly KubeObject[] {
  const byName = new Map<string, KubeObject>();
  for (const object of objects) {
    const key = `${groupOf(object)}/${fullName(object)}`;
    byName.delete(key);
    byName.set(key, object);
  }
  return [...byName.values()];
}

function check(object: KubeObject, objects: readonly KubeObject[], options: ReferenceOptions): void {
  if (isNetworkPolicy(object)) checkNetworkPolicy(object);
  else if (isClusterPolicy(object))
    (object.kind === "ClusterNetworkPolicy" ? checkClusterNetworkPolicy : checkAdminNetworkPolicy)(object);
  else if (isCiliumPolicy(object)) checkCiliumObject(object, objects, options);
  else if (isController(object)) checkController(object);
  else if (object.kind === "Service" && object.apiVersion === "v1") checkService(object);
  else if (object.kind === "Ingress" && groupOf(object) === "networking.k8s.io") checkIngress(object);
}
