/** Pods of one template say the same of themselves: what was decoded of one is taken for the others as well. */
import { isMapping } from "../documents/object-head.ts";
import type { OwnerReference } from "./metadata.ts";
import type { PodShape } from "./pod-template.ts";

/** What a pod tells that is not its own: the pods of one template share one object of it. */
export interface PodTelling {
  readonly shape: PodShape;
  readonly owner?: OwnerReference;
}

type Mapping = Readonly<Record<string, unknown>>;

/** A pod that was decoded without a finding. */
interface Sample {
  readonly metadata: Mapping;
  readonly spec: Mapping;
  readonly telling: PodTelling;
}

/** The last pod of each owner that was decoded without a finding. */
export class PodSamples {
  private readonly byNamespace = new Map<string, Map<unknown, Sample>>();

  /**
   * What is known of a pod already.
   *
   * Takes the value of the Pod object and its namespace. Returns what was decoded of a pod of the same owner that
   * equals this one in all that is read of it but name, node and status; `undefined` where there is none.
   */
  find(value: unknown, namespace: string): PodTelling | undefined {
    if (!isMapping(value)) return undefined;
    const { metadata, spec } = value;
    if (!isMapping(metadata) || !isMapping(spec)) return undefined;
    const sample = this.byNamespace.get(namespace)?.get(ownerName(metadata));
    return sample !== undefined && isAlike(sample, metadata, spec) ? sample.telling : undefined;
  }

  /** Keeps what was decoded of a pod without any finding. */
  keep(value: unknown, namespace: string, telling: PodTelling): void {
    if (!isMapping(value)) return;
    const { metadata, spec } = value;
    if (!isMapping(metadata) || !isMapping(spec)) return;
    let samples = this.byNamespace.get(namespace);
    if (samples === undefined) {
      samples = new Map();
      this.byNamespace.set(namespace, samples);
    }
    samples.set(ownerName(metadata), { metadata, spec, telling });
  }
}

function ownerName(metadata: Mapping): unknown {
  const owners = metadata["ownerReferences"];
  const first: unknown = Array.isArray(owners) ? owners[0] : undefined;
  return isMapping(first) ? first["name"] : undefined;
}

/** The fields of a pod's metadata and spec that are decoded, and those of its containers. */
const METADATA_FIELDS = ["labels", "ownerReferences"] as const;
const SPEC_FIELDS = ["hostNetwork", "serviceAccountName", "serviceAccount"] as const;
const CONTAINER_LISTS = ["containers", "initContainers"] as const;
const CONTAINER_FIELDS = ["ports", "restartPolicy"] as const;

function isAlike(sample: Sample, metadata: Mapping, spec: Mapping): boolean {
  if (!haveSame(METADATA_FIELDS, sample.metadata, metadata) || !haveSame(SPEC_FIELDS, sample.spec, spec)) return false;
  for (const list of CONTAINER_LISTS) if (!haveSameContainers(sample.spec[list], spec[list])) return false;
  return true;
}

function haveSame(fields: readonly string[], a: Mapping, b: Mapping): boolean {
  for (const field of fields) if (!isSame(a[field], b[field])) return false;
  return true;
}

function haveSameContainers(a: unknown, b: unknown): boolean {
  if (!Array.isArray(a) || !Array.isArray(b)) return isSame(a, b);
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    const [x, y]: readonly unknown[] = [a[i], b[i]];
    if (!(isMapping(x) && isMapping(y) ? haveSame(CONTAINER_FIELDS, x, y) : isSame(x, y))) return false;
  }
  return true;
}

/** Whether two values of documents are equal, their keys in one order. */
function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false;
    for (let i = 0; i < a.length; i++) if (!isSame(a[i], b[i])) return false;
    return true;
  }
  if (!isMapping(a) || !isMapping(b)) return false;
  const [keys, others] = [Object.keys(a), Object.keys(b)];
  if (keys.length !== others.length) return false;
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i] ?? "";
    if (key !== others[i] || !isSame(a[key], b[key])) return false;
  }
  return true;
}
