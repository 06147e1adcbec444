import { type Address, parseAddress } from "./addresses.ts";
import type { KubeObject } from "./objects.ts";
import type { HiddenValue, LabelValue } from "./selectors.ts";
import { type Fields, fieldsOf, isFields, itemsOf, labelsOf, textOf, wholeOf } from "./values.ts";

export interface ContainerPort {
  readonly name: string;
  readonly protocol: string;
  readonly port: number;
  /** 0 when the port is not published on the node. */
  readonly hostPort: number;
  /** Empty for every address of the node. */
  readonly hostIP: string;
  /** Declared by an init container: whether it resolves by name depends on the network (WL-14). */
  readonly init: boolean;
}

export interface OwnerName {
  readonly kind: string;
  readonly name: string;
}

/** One pod, or the pod that stands for the replicas of a controller (WL-01). */
export interface Pod {
  /** Unique in the cluster, for messages and facts. */
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  /** The controller under which it answers; itself when it has none. */
  readonly owner: OwnerName;
  readonly labels: ReadonlyMap<string, LabelValue>;
  readonly serviceAccount: string;
  readonly hostNetwork: boolean;
  readonly node: string | undefined;
  /** Empty when the input does not tell (WL-16). */
  readonly addresses: readonly Address[];
  readonly ports: readonly ContainerPort[];
  /** Succeeded or Failed: neither a source nor a target (K8-37). */
  readonly finished: boolean;
}

/** Where each kind keeps its pod template (WL-02 … WL-08). */
const TEMPLATE_PATH: ReadonlyMap<string, readonly string[]> = new Map([
  ["ReplicaSet", ["spec", "template"]],
  ["ReplicationController", ["spec", "template"]],
  ["Deployment", ["spec", "template"]],
  ["StatefulSet", ["spec", "template"]],
  ["DaemonSet", ["spec", "template"]],
  ["Job", ["spec", "template"]],
  ["CronJob", ["spec", "jobTemplate", "spec", "template"]],
]);

export function isController(object: KubeObject): boolean {
  return TEMPLATE_PATH.has(object.kind);
}

export function templateOf(object: KubeObject): Fields {
  const path = TEMPLATE_PATH.get(object.kind) ?? [];
  return path.reduce<Fields>((fields, step) => fieldsOf(fields[step]), object.fields);
}

/** The owner that the object names as its controller, if any. */
export function ownerOf(object: KubeObject): OwnerName | undefined {
  const references = itemsOf(fieldsOf(object.fields["metadata"])["ownerReferences"]).map(fieldsOf);
  const reference = references.find((item) => item["controller"] === true) ?? references[0];
  const kind = textOf(reference?.["kind"]);
  const name = textOf(reference?.["name"]);
  return kind === undefined || name === undefined ? undefined : { kind, name };
}

/** A Pod as it is written (WL-02). */
export function podOf(object: KubeObject, owner: OwnerName): Pod {
  const spec = fieldsOf(object.fields["spec"]);
  const status = fieldsOf(object.fields["status"]);
  const phase = textOf(status["phase"]);
  const addresses = [status["podIP"], ...itemsOf(status["podIPs"]).map((item) => fieldsOf(item)["ip"])]
    .map((item) => parseAddress(textOf(item) ?? ""))
    .filter((item) => item !== undefined);
  const unique = addresses.filter(
    (item, index) =>
      addresses.findIndex((other) => other.family === item.family && other.value === item.value) === index,
  );
  return {
    ...podFromTemplate(object, object.name, owner, { spec, metadata: { labels: object.fields["metadata"] } }),
    labels: object.labels,
    addresses: unique,
    finished: phase === "Succeeded" || phase === "Failed",
  };
}

/**
 * The pods that stand for a controller: one, or one per ordinal or index where names or indexes tell them apart
 * (WL-01). None at present (`replicas: 0`, `suspend: true`) is analysed as if one existed (WL-11).
 */
export function representatives(object: KubeObject): readonly Pod[] {
  const owner = { kind: object.kind, name: object.name };
  const template = templateOf(object);
  const own = labelsOf(fieldsOf(template["metadata"])["labels"]);
  return generatedLabels(object).map(({ suffix, labels }) => ({
    ...podFromTemplate(object, `${object.name}${suffix}`, owner, template),
    // WL-09: only the labels of the template, plus what the controller adds.
    labels: new Map<string, LabelValue>([...own, ...labels]),
  }));
}

interface Generated {
  readonly suffix: string;
  readonly labels: readonly (readonly [string, LabelValue])[];
}

/** The labels that each controller adds to its pods (WL-03 … WL-08). */
function generatedLabels(object: KubeObject): readonly Generated[] {
  const spec = fieldsOf(object.fields["spec"]);
  const hidden = (key: string, could: (value: string) => boolean = () => true): [string, HiddenValue] => [
    key,
    {
      fact: `label ${key} of ${object.kind} ${object.namespace}/${object.name}`,
      certain: true,
      could,
      because: { code: "unknown-label", detail: `${key} of ${object.kind}/${object.namespace}/${object.name}` },
    },
  ];
  switch (object.kind) {
    case "Deployment":
      return [{ suffix: "", labels: [hidden("pod-template-hash", (value) => /^[a-z0-9]+$/.test(value))] }];
    case "StatefulSet": {
      const start = wholeOf(fieldsOf(spec["ordinals"])["start"]) ?? 0;
      const replicas = Math.max(1, wholeOf(spec["replicas"]) ?? 1);
      return Array.from({ length: replicas }, (_, offset) => ({
        suffix: `-${start + offset}`,
        labels: [
          ["statefulset.kubernetes.io/pod-name", `${object.name}-${start + offset}`] as const,
          ["apps.kubernetes.io/pod-index", String(start + offset)] as const,
          hidden("controller-revision-hash"),
        ],
      }));
    }
    case "DaemonSet":
      return [{ suffix: "", labels: [hidden("controller-revision-hash"), hidden("pod-template-generation")] }];
    case "Job":
      return jobLabels(spec, object.name, hidden);
    case "CronJob": {
      // WL-08: the job is called <cronjob>-<minutes since the epoch>.
      const jobSpec = fieldsOf(fieldsOf(spec["jobTemplate"])["spec"]);
      const could = (value: string) =>
        value.startsWith(`${object.name}-`) && /^[0-9]+$/.test(value.slice(object.name.length + 1));
      const named = hidden("batch.kubernetes.io/job-name", could)[1];
      return jobLabels(jobSpec, named, hidden);
    }
    default:
      return [{ suffix: "", labels: [] }];
  }
}

function jobLabels(
  spec: Fields,
  jobName: LabelValue,
  hidden: (key: string) => readonly [string, HiddenValue],
): readonly Generated[] {
  if (spec["manualSelector"] === true) return [{ suffix: "", labels: [] }];
  const uid = hidden("batch.kubernetes.io/controller-uid")[1];
  const common: (readonly [string, LabelValue])[] = [
    ["batch.kubernetes.io/job-name", jobName],
    ["job-name", jobName],
    ["batch.kubernetes.io/controller-uid", uid],
    ["controller-uid", uid],
  ];
  if (spec["completionMode"] !== "Indexed") return [{ suffix: "", labels: common }];
  const completions = Math.max(1, wholeOf(spec["completions"]) ?? 1);
  return Array.from({ length: completions }, (_, index) => ({
    suffix: `-${index}`,
    labels: [...common, ["batch.kubernetes.io/job-completion-index", String(index)] as const],
  }));
}

function podFromTemplate(object: KubeObject, name: string, owner: OwnerName, template: Fields): Pod {
  const spec = fieldsOf(template["spec"]);
  return {
    id: `${object.namespace}/${owner.kind}/${owner.name}/${name}`,
    namespace: object.namespace,
    name,
    owner,
    labels: new Map(),
    serviceAccount: textOf(spec["serviceAccountName"]) || textOf(spec["serviceAccount"]) || "default",
    hostNetwork: spec["hostNetwork"] === true,
    node: textOf(spec["nodeName"]) || undefined,
    addresses: [],
    ports: [...portsOf(spec["containers"], false), ...portsOf(spec["initContainers"], true)],
    finished: false,
  };
}

/** Container ports with their defaults (WL-14). */
function portsOf(containers: unknown, init: boolean): readonly ContainerPort[] {
  return itemsOf(containers)
    .filter(isFields)
    .flatMap((container) => itemsOf(container["ports"]).filter(isFields))
    .map((port) => ({
      name: textOf(port["name"]) ?? "",
      protocol: textOf(port["protocol"]) || "TCP",
      port: wholeOf(port["containerPort"]) ?? 0,
      hostPort: wholeOf(port["hostPort"]) ?? 0,
      hostIP: textOf(port["hostIP"]) ?? "",
      init,
    }));
}
