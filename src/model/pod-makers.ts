/**
 * Custom objects whose operators make pods, such as a Prometheus of its operator or a Rollout. They are not read, so what
 * they make is missing from every answer unless the input has it as well.
 */
import type { Cursor } from "../documents/cursor.ts";
import { groupOf } from "./metadata.ts";
import type { PodMaker, Workload } from "./world.ts";

/** Groups whose objects have replicas that are no pods. */
const NO_PODS: readonly string[] = ["cluster.x-k8s.io", "infrastructure.cluster.x-k8s.io"];

/** Fields of a specification that speak of pods. */
const FIELDS: readonly string[] = ["replicas", "instances", "podMetadata", "podTemplate"];

/**
 * Reads an object of a custom kind as one that makes pods.
 *
 * Takes the cursor on the object, of which nothing is reported, and its namespace. Returns what is known of its pods: the
 * labels of the object, which operators commonly hand on, and those that it names for pods. `undefined` when nothing in it
 * speaks of pods.
 */
export function podMakerOf(object: Cursor, apiVersion: string, kind: string, namespace: string): PodMaker | undefined {
  const spec = object.field("spec");
  const template = spec.field("template");
  const speaks =
    FIELDS.some((field) => !spec.field(field).isAbsent) || !template.field("spec").field("containers").isAbsent;
  const name = object.field("metadata").field("name").string();
  if (!speaks || name === undefined || NO_PODS.includes(groupOf(apiVersion))) return undefined;
  const labels = [object, template, ...["podMetadata", "podTemplate"].map((field) => spec.field(field))].flatMap(
    (at) => [
      ...(at.field("metadata").field("labels").stringMap() ?? []),
      ...(at === object ? [] : (at.field("labels").stringMap() ?? [])),
    ],
  );
  const workload: Workload = {
    id: `${namespace}/${kind}/${name}`,
    kind,
    namespace,
    name,
    hostNetwork: false,
    serviceAccount: "default",
    ports: [],
    initPorts: [],
    replicas: 1,
    pods: [{ name, labels: new Map(labels), addresses: [], real: false }],
  };
  return { kind: `${apiVersion} ${kind}`, workload };
}

/** Whether a workload of the input is, by its name, what the object makes. */
export function isMadeBy({ workload }: PodMaker, { namespace, name }: Workload): boolean {
  const own = workload.name;
  return namespace === workload.namespace && (name === own || name.startsWith(`${own}-`) || name.endsWith(`-${own}`));
}
