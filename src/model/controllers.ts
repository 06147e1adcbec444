/**
 * Controllers: the objects that make pods, with what their pods carry beyond the template (kubernetes.md WL-03 to
 * WL-11).
 */
import type { Cursor } from "../documents/cursor.ts";
import type { Document } from "../documents/document.ts";
import { type LabelRequirement, decodeLabelSelector, matchesLabels } from "./label-selector.ts";
import { type Labels, type LabelValue, UNKNOWN } from "./labels.ts";
import { type OwnerReference, ownerOf } from "./metadata.ts";
import { type PodShape, decodeNodeName, decodePodShape } from "./pod-template.ts";

export const CONTROLLER_KINDS = [
  "ReplicaSet",
  "ReplicationController",
  "Deployment",
  "StatefulSet",
  "DaemonSet",
  "Job",
  "CronJob",
] as const;
export type ControllerKind = (typeof CONTROLLER_KINDS)[number];

export interface Controller {
  readonly document: Document;
  readonly kind: ControllerKind;
  readonly namespace: string;
  readonly name: string;
  readonly owner?: OwnerReference;
  /** The pods of the template, without what the controller adds. */
  readonly shape: PodShape;
  /** `spec.nodeName` of the template. */
  readonly node?: string;
  /** Desired number of pods; `undefined` for a DaemonSet whose status does not tell. */
  readonly replicas: number | undefined;
  /** Why there is no pod at present; absent when there is one. */
  readonly idle?: string;
  /** What tells one pod from the next; at least one entry. */
  readonly members: readonly Member[];
}

/** A pod as its controller makes it. */
export interface Member {
  readonly name: string;
  readonly labels: Labels;
}

/** Ordinals of one StatefulSet beyond this number are not told apart, so that a slip of the pen costs no memory. */
const MAX_ORDINALS = 5000;

/**
 * Decodes a controller.
 *
 * Takes the cursor on the object, its kind and its namespace. Returns the controller.
 * Reports what a cluster would refuse: a missing template, a selector that does not match the template (WL-10, BH242),
 * and what `decodePodShape` reports; and as a warning a selector that is missing (BH303).
 */
export function decodeController(object: Cursor, kind: ControllerKind, namespace: string): Controller {
  const { name } = object.document;
  const spec = object.required("spec");
  const jobSpec = kind === "CronJob" ? spec.required("jobTemplate").required("spec") : spec;
  const template = jobSpec.required("template");
  const shape = decodePodShape(template);
  checkSelector(jobSpec, kind, shape.labels);
  const node = decodeNodeName(template);
  const owner = ownerOf(object);
  const scale = decodeScale(object, kind);
  return {
    document: object.document,
    kind,
    namespace,
    name,
    ...(owner === undefined ? {} : { owner }),
    shape,
    ...(node === undefined ? {} : { node }),
    replicas: scale.replicas,
    ...(scale.idle === undefined ? {} : { idle: scale.idle }),
    members: membersOf(object, kind, shape.labels, scale.replicas ?? 1),
  };
}

// ── how many ───────────────────────────────────────────────────────────────────────────────────────────────────────

interface Scale {
  readonly replicas: number | undefined;
  readonly idle?: string;
}

function decodeScale(object: Cursor, kind: ControllerKind): Scale {
  const spec = object.field("spec");
  const count = { min: 0, max: 2147483647 } as const;
  switch (kind) {
    case "DaemonSet":
      return { replicas: object.field("status").field("desiredNumberScheduled").integer(count) };
    case "Job": {
      if (spec.field("suspend").boolean() === true) return { replicas: 0, idle: "it is suspended" };
      for (const condition of object.field("status").field("conditions").list() ?? []) {
        const type = condition.field("type").string();
        if ((type === "Complete" || type === "Failed") && condition.field("status").string() === "True")
          return { replicas: 0, idle: type === "Complete" ? "it has completed" : "it has failed" };
      }
      const parallelism = spec.field("parallelism").integer(count) ?? 1;
      return parallelism === 0 ? { replicas: 0, idle: "parallelism is 0" } : { replicas: parallelism };
    }
    case "CronJob": {
      const jobSpec = spec.field("jobTemplate").field("spec");
      if (spec.field("suspend").boolean() === true || jobSpec.field("suspend").boolean() === true)
        return { replicas: 0, idle: "it is suspended" };
      return { replicas: jobSpec.field("parallelism").integer(count) ?? 1 };
    }
    default: {
      const replicas = spec.field("replicas").integer(count) ?? 1;
      return replicas === 0 ? { replicas, idle: "replicas is 0" } : { replicas };
    }
  }
}

// ── what their pods carry ──────────────────────────────────────────────────────────────────────────────────────────

function membersOf(object: Cursor, kind: ControllerKind, template: Labels, replicas: number): readonly Member[] {
  const { name } = object.document;
  const one = (added: Iterable<readonly [string, LabelValue]>): readonly Member[] => [
    { name, labels: new Map([...template, ...added]) },
  ];
  switch (kind) {
    case "ReplicaSet":
    case "ReplicationController":
      return [{ name, labels: template }];
    case "Deployment":
      return one([["pod-template-hash", UNKNOWN]]);
    case "DaemonSet":
      return one([
        ["controller-revision-hash", UNKNOWN],
        ["pod-template-generation", UNKNOWN],
      ]);
    case "StatefulSet":
      return ordinals(object, template, replicas);
    case "Job": {
      const spec = object.field("spec");
      if (spec.field("manualSelector").boolean() === true) return one(indexLabel(spec));
      const uid = object.field("metadata").field("uid").string() || template.get("controller-uid") || UNKNOWN;
      return one([...jobLabels(name, uid), ...indexLabel(spec)]);
    }
    case "CronJob":
      // The Job's name ends in the minutes since the epoch at which it starts (WL-08).
      return one([
        ...jobLabels({ prefix: `${name}-` }, UNKNOWN),
        ...indexLabel(object.field("spec").field("jobTemplate").field("spec")),
      ]);
  }
}

/** Labels that the API server puts on a Job's template unless the user selects by hand (WL-07). */
function jobLabels(name: LabelValue, uid: LabelValue): readonly (readonly [string, LabelValue])[] {
  return [
    ["batch.kubernetes.io/job-name", name],
    ["batch.kubernetes.io/controller-uid", uid],
    ["job-name", name],
    ["controller-uid", uid],
  ];
}

function indexLabel(jobSpec: Cursor): readonly (readonly [string, LabelValue])[] {
  const indexed = jobSpec.field("completionMode").string() === "Indexed";
  return indexed ? [["batch.kubernetes.io/job-completion-index", UNKNOWN]] : [];
}

/** One pod an ordinal (WL-05). With no replica the first ordinal stands for what would be (WL-11). */
function ordinals(object: Cursor, template: Labels, replicas: number): readonly Member[] {
  const { name } = object.document;
  const spec = object.field("spec");
  const start = spec.field("ordinals").field("start").integer({ min: 0, max: 2147483647 }) ?? 0;
  const ordinal = (pod: string, podName: LabelValue, index: LabelValue): Member => ({
    name: pod,
    labels: new Map<string, LabelValue>([
      ...template,
      ["statefulset.kubernetes.io/pod-name", podName],
      ["apps.kubernetes.io/pod-index", index],
      ["controller-revision-hash", UNKNOWN],
    ]),
  });
  const count = Math.min(Math.max(replicas, 1), MAX_ORDINALS);
  const out = Array.from({ length: count }, (_, i) =>
    ordinal(`${name}-${start + i}`, `${name}-${start + i}`, String(start + i)),
  );
  if (replicas > MAX_ORDINALS) {
    spec
      .field("replicas")
      .report("BH314", `StatefulSet ${name} has ${replicas} pods; the first ${MAX_ORDINALS} are told apart`);
    out.push(ordinal(name, UNKNOWN, UNKNOWN));
  }
  return out;
}

// ── the selector ───────────────────────────────────────────────────────────────────────────────────────────────────

/** WL-10: the selector of a controller must match its own template. */
function checkSelector(spec: Cursor, kind: ControllerKind, template: Labels): void {
  // The API server writes the selector of a Job, unless told not to; then nothing checks it against other Jobs' pods.
  if (kind === "CronJob") return;
  const at = spec.field("selector");
  if (kind === "Job") {
    if (spec.field("manualSelector").boolean() !== true) return;
    checkMatch(at, decodeLabelSelector(at), template);
    return;
  }
  if (kind === "ReplicationController") {
    const map = at.stringMap();
    const terms = [...(map ?? [])].map(([key, value]): LabelRequirement => ({ key, operator: "In", values: [value] }));
    checkMatch(at, terms, template);
    return;
  }
  if (at.isAbsent) {
    if (spec.shape === "object")
      spec.report("BH303", `${spec.describe()} has no selector; it is read as the labels of its template`, {
        atKey: true,
      });
    return;
  }
  if (at.isEmpty) {
    at.error("BH242", `${at.describe()}: an empty selector is invalid for a ${kind}`);
    return;
  }
  checkMatch(at, decodeLabelSelector(at), template);
}

function checkMatch(at: Cursor, selector: readonly LabelRequirement[] | undefined, template: Labels): void {
  if (selector === undefined || matchesLabels(selector, template) === "yes") return;
  at.error("BH242", `${at.describe()}: \`selector\` does not match template \`labels\``);
}
