import { fullName, groupOf, type KubeObject } from "./objects.ts";
import { isClusterPolicy, isNetworkPolicy } from "./kubernetes.ts";
import type { ReferenceOptions } from "./options.ts";
import { Refusal, refusalOf, UnknownField } from "./validation.ts";
import { checkCiliumObject, isCiliumPolicy } from "./validation-cilium.ts";
import { checkAdminNetworkPolicy, checkClusterNetworkPolicy } from "./validation-cluster-network-policy.ts";
import { checkIngress } from "./validation-ingress.ts";
import { checkNetworkPolicy } from "./validation-network-policy.ts";
import { checkController, checkPod, checkService } from "./validation-workloads.ts";
import { fieldsOf, isFields } from "./values.ts";
import { isController } from "./workloads.ts";

export interface Admission {
  readonly accepted: readonly KubeObject[];
  /** Kind/ns/name with the first reason, in the order of the input. */
  readonly refused: ReadonlyMap<string, string>;
}

/** Which objects the API server and the agent take; a refused one has no effect at all (K8-73, R1.2.2). */
export function admit(objects: readonly KubeObject[], options: ReferenceOptions): Admission {
  const refused = new Map<string, string>();
  const accepted = lastOfEach(objects).flatMap((object) => {
    const stored = storedAs(object, objects, options);
    if (!(stored instanceof Refusal)) return [stored];
    refused.set(fullName(object), stored.message);
    return [];
  });
  return { accepted, refused };
}

/** The object as a cluster stores it, where fields that the schema does not know are dropped (K8-68, V18), or why not. */
function storedAs(object: KubeObject, objects: readonly KubeObject[], options: ReferenceOptions): KubeObject | Refusal {
  const refusal = refusalOf(() => check(object, objects, options));
  if (refusal === undefined) return object;
  if (options.asCluster !== true || !(refusal instanceof UnknownField)) return refusal;
  const fields = fieldsOf(without(object.fields, refusal.keys));
  return storedAs({ ...object, fields }, objects, options);
}

/** The value without one field, in every item of the lists on the way. */
function without(value: unknown, keys: readonly string[]): unknown {
  const [key = "", ...rest] = keys;
  if (Array.isArray(value)) return value.map((item) => without(item, keys));
  if (!isFields(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, item]): readonly [string, unknown][] => {
      if (name !== key) return [[name, item]];
      return rest.length === 0 ? [] : [[name, without(item, rest)]];
    }),
  );
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
    (object.kind === "ClusterNetworkPolicy" ? checkClusterNetworkPolicy : checkAdminNetworkPolicy)(
      object,
      options.asCluster === true,
    );
  else if (isCiliumPolicy(object)) checkCiliumObject(object, objects, options);
  else if (isController(object)) checkController(object);
  else if (object.kind === "Pod") checkPod(object);
  else if (object.kind === "Service" && object.apiVersion === "v1") checkService(object);
  else if (object.kind === "Ingress" && groupOf(object) === "networking.k8s.io") checkIngress(object);
}
