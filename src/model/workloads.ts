/** Workloads: pods gathered under what made them, and representatives where the input has no pods (kubernetes.md 3). */
import { diagnostic } from "../base/diagnostic.ts";
import { entryOf } from "../base/entry.ts";
import { type Cursor, Findings } from "../documents/cursor.ts";
import type { Document } from "../documents/document.ts";
import type { Address } from "../net/address.ts";
import { decodeAddress, distinctAddresses } from "./address-text.ts";
import type { Controller } from "./controllers.ts";
import { groupOf, type OwnerReference, ownerOf } from "./metadata.ts";
import { decodeNodeName, decodePodShape, type PodShape } from "./pod-template.ts";
import type { PodSamples, PodTelling } from "./pod-samples.ts";
import { Tally } from "./tally.ts";
import type { ContainerPort, PodDifference, PodInstance, Workload } from "./world.ts";

/** A Pod object. */
export interface Pod {
  readonly document: Document;
  readonly namespace: string;
  readonly name: string;
  /** What it shares with the other pods of its template. */
  readonly telling: PodTelling;
  /** `spec.nodeName`. */
  readonly node: string | undefined;
  /** `Succeeded` or `Failed`: it is no endpoint any more (K8-37). */
  readonly ended: "Succeeded" | "Failed" | undefined;
  readonly addresses: readonly Address[];
  /** Addresses of its node. */
  readonly hostAddresses: readonly Address[];
  readonly ready: boolean | undefined;
}

/**
 * Decodes a Pod.
 *
 * Takes the cursor on the object, its namespace, and the pods that were decoded before. Returns the pod.
 * Reports what `decodePodShape` reports, and addresses that are none (BH246).
 */
export function decodePod(object: Cursor, namespace: string, samples: PodSamples): Pod {
  object.required("spec");
  const telling = samples.find(object.value, namespace) ?? decodeTelling(object, namespace, samples);
  const node = decodeNodeName(object);
  const status = object.field("status");
  const phase = status.field("phase").string();
  let ready: boolean | undefined;
  for (const condition of status.field("conditions").list() ?? [])
    if (condition.field("type").string() === "Ready") ready = condition.field("status").string() === "True";
  return {
    document: object.document,
    namespace,
    name: object.document.name,
    telling,
    node,
    ended: phase === "Succeeded" || phase === "Failed" ? phase : undefined,
    addresses: statusAddresses(status, "podIP", "podIPs"),
    hostAddresses: statusAddresses(status, "hostIP", "hostIPs"),
    ready,
  };
}

function decodeTelling(object: Cursor, namespace: string, samples: PodSamples): PodTelling {
  const before = object.findings.all.length;
  const owner = ownerOf(object);
  const shape = decodePodShape(object);
  const telling = owner === undefined ? { shape } : { shape, owner };
  if (object.findings.all.length === before) samples.keep(object.value, namespace, telling);
  return telling;
}

/** A dual-stack pod has one address a family in the list; the single field repeats the first (WL-16). */
function statusAddresses(status: Cursor, one: string, many: string): readonly Address[] {
  const first = decodeAddress(status.field(one));
  const listed = status.field(many).list() ?? [];
  if (listed.length === 0) return first === undefined ? NO_ADDRESSES : [first];
  const others = listed.flatMap((item) => decodeAddress(item.field("ip")) ?? []);
  return distinctAddresses(first === undefined ? others : [first, ...others]);
}

const NO_ADDRESSES: readonly Address[] = [];

/** What the assembly of workloads has to know beyond pods and controllers. */
export interface WorkloadContext {
  /** Addresses of a node, for its host-network pods; empty where they are not known. */
  readonly nodeAddresses: (node: string) => readonly Address[];
  /** How many nodes the input has; 0: not known. */
  readonly nodeCount: number;
}

/**
 * Pods and controllers gathered into workloads.
 *
 * Takes the decoded objects in the order of the input, what is known of nodes, and where findings go.
 * Has the workloads in the order of their first mention. Real pods replace the representatives of their controller;
 * ReplicaSets of a Deployment and Jobs of a CronJob are no workloads of their own.
 * Reports pods that have ended (BH302) and workloads without a pod (BH301), both for information.
 */
export class WorkloadTable {
  private readonly ownership: Ownership;
  private readonly context: WorkloadContext;
  private readonly groups = new Map<string, Group>();
  /** Pods that share what they tell share their namespace and owner as well. */
  private readonly byTelling = new WeakMap<PodTelling, Group>();
  /** In the order of their first mention, by which they were made. */
  private readonly ordered: Group[];
  /** What they are assembled to, each at the place of its group. */
  private readonly assembled: Workload[];
  /** The groups of each namespace in their order; made with the first change. */
  private namespaces: Map<string, Group[]> | undefined;
  private nextPlace: number;

  constructor(pods: readonly Pod[], controllers: readonly Controller[], context: WorkloadContext, findings: Findings) {
    this.context = context;
    this.ownership = new Ownership(controllers);
    for (const [index, controller] of controllers.entries()) {
      const owner = this.ownership.ofController(controller);
      const { kind, name } = owner ?? controller;
      const group = this.groupNamed(controller.namespace, kind, name, index - controllers.length);
      if (owner === undefined) group.main = controller;
      else group.parts.push(controller);
    }
    const ended = new Tally();
    for (const [place, pod] of pods.entries()) {
      if (pod.ended !== undefined) {
        ended.add(`${pod.namespace}/${pod.name}`, pod.document, ["status", "phase"]);
        continue;
      }
      const group = this.groupOfPod(pod, place);
      group.pods.push(pod);
      group.places.push(place);
    }
    this.nextPlace = pods.length;
    ended.report(findings, "BH302", (count, names) =>
      count === 1
        ? `Pod ${names} has ended and is no endpoint any more`
        : `${count} pods have ended and are no endpoints any more: ${names}`,
    );
    this.ordered = [...this.groups.values()];
    this.assembled = this.ordered.map((group) => (group.workload = assemble(group, this.context, findings)));
  }

  get workloads(): readonly Workload[] {
    return [...this.assembled];
  }

  /** The workloads of one namespace, in their order. */
  workloadsOf(namespace: string): readonly Workload[] {
    return this.groupsOf(namespace).flatMap(({ workload }) => workload ?? []);
  }

  private groupsOf(namespace: string): readonly Group[] {
    if (this.namespaces === undefined) {
      this.namespaces = new Map();
      for (const group of this.ordered) entryOf(this.namespaces, group.namespace, () => []).push(group);
    }
    return this.namespaces.get(namespace) ?? [];
  }

  private groupNamed(namespace: string, kind: string, name: string, place: number): Group {
    const id = `${namespace}/${kind}/${name}`;
    let group = this.groups.get(id);
    if (group === undefined) {
      group = { id, namespace, kind, name, place, parts: [], pods: [], places: [] };
      this.groups.set(id, group);
    }
    return group;
  }

  private groupOfPod(pod: Pod, place: number): Group {
    const known = this.byTelling.get(pod.telling);
    if (known !== undefined && this.groups.get(known.id) === known) return known;
    const owner = this.ownership.ofPod(pod);
    const { kind, name } = owner ?? { kind: "Pod", name: pod.name };
    const group = this.groupNamed(pod.namespace, kind, name, place);
    if (owner !== undefined) this.byTelling.set(pod.telling, group);
    return group;
  }

  /** Puts a group with its workload where its place says. */
  private enter(group: Group, workload: Workload): void {
    const index = indexAt(this.ordered, group.place);
    this.ordered.splice(index, 0, group);
    this.assembled.splice(index, 0, workload);
    if (this.namespaces === undefined) return;
    const alike = entryOf(this.namespaces, group.namespace, () => []);
    alike.splice(indexAt(alike, group.place), 0, group);
  }

  private leave(group: Group): void {
    const index = indexAt(this.ordered, group.place);
    this.ordered.splice(index, 1);
    this.assembled.splice(index, 1);
    const alike = this.namespaces?.get(group.namespace);
    alike?.splice(indexAt(alike, group.place), 1);
  }

  /**
   * Puts one pod in the stead of another, at its place; without a pod before, behind all.
   *
   * Takes the pods, either of which may be absent. Returns whether that could be done: not for pods that have ended, nor
   * where a workload gains its first or loses its last pod that has something to say of having none.
   */
  replace(before: Pod | undefined, after: Pod | undefined): boolean {
    if (before?.ended !== undefined || after?.ended !== undefined) return false;
    const touched = new Set<Group>();
    let place: number | undefined;
    if (before !== undefined) {
      const group = this.groupOfPod(before, this.nextPlace);
      const index = group.pods.findIndex((pod) => pod.document === before.document);
      if (index < 0 || (isIdle(group) && group.pods.length === 1)) return false;
      place = group.places[index];
      group.pods.splice(index, 1);
      group.places.splice(index, 1);
      touched.add(group);
    }
    if (after !== undefined) {
      const own = place ?? this.nextPlace++;
      const group = this.groupOfPod(after, own);
      if (isIdle(group) && group.pods.length === 0) return false;
      let index = group.pods.length;
      while (index > 0 && (group.places[index - 1] ?? 0) > own) index--;
      group.pods.splice(index, 0, after);
      group.places.splice(index, 0, own);
      touched.add(group);
    }
    for (const group of touched) this.settle(group);
    return true;
  }

  /** Makes the workload of a group anew, and puts it where its first pod now stands. */
  private settle(group: Group): void {
    const isAlone = group.main === undefined && group.parts.length === 0;
    const place = isAlone ? group.places[0] : group.place;
    const isHere = group.workload !== undefined;
    if (place === undefined) {
      if (isHere) this.leave(group);
      this.groups.delete(group.id);
      return;
    }
    const workload = assemble(group, this.context, new Findings());
    if (isHere && place === group.place) this.assembled[indexAt(this.ordered, place)] = workload;
    else {
      if (isHere) this.leave(group);
      group.place = place;
      this.enter(group, workload);
    }
    group.workload = workload;
  }

  /** Makes the workloads of a namespace objects of their own again, for what is known of them no longer holds. */
  renew(namespace: string): void {
    for (const group of this.groupsOf(namespace)) {
      if (group.workload === undefined) continue;
      group.workload = { ...group.workload };
      this.assembled[indexAt(this.ordered, group.place)] = group.workload;
    }
  }
}

/** Where the group with a place stands, or would stand, among groups in order. */
function indexAt(groups: readonly Group[], place: number): number {
  let [from, to] = [0, groups.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((groups[middle]?.place ?? place) < place) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** Whether the group has something to say where it has no pod (BH301). */
function isIdle({ main, parts }: Group): boolean {
  return main?.idle !== undefined || parts.some((part) => part.idle !== undefined);
}

// ── who owns what ──────────────────────────────────────────────────────────────────────────────────────────────────

interface OwnerName {
  readonly kind: string;
  readonly name: string;
}

/** Follows owner references to the workload under which an object answers. */
class Ownership {
  private readonly controllers = new Map<string, Controller>();

  constructor(controllers: readonly Controller[]) {
    for (const controller of controllers)
      this.controllers.set(`${controller.namespace}/${controller.kind}/${controller.name}`, controller);
  }

  /** The owner under which a controller is folded; `undefined` when it stands for itself. */
  ofController(controller: Controller): OwnerName | undefined {
    if (controller.owner === undefined) return undefined;
    if (controller.kind === "ReplicaSet") return controller.owner;
    return controller.kind === "Job" && controller.owner.kind === "CronJob" ? controller.owner : undefined;
  }

  /** The workload of a pod; `undefined` when it stands for itself. */
  ofPod(pod: Pod): OwnerName | undefined {
    const { namespace } = pod;
    const { owner, shape } = pod.telling;
    // A static pod belongs to its node, which is no workload.
    if (owner === undefined || (owner.kind === "Node" && groupOf(owner.apiVersion) === "")) return undefined;
    const controller = this.controllers.get(`${namespace}/${owner.kind}/${owner.name}`);
    if (controller !== undefined) return this.ofController(controller) ?? owner;
    if (owner.kind === "ReplicaSet") return deploymentOf(owner, shape.labels.get("pod-template-hash")) ?? owner;
    if (owner.kind === "Job") return this.cronJobOf(owner, namespace) ?? owner;
    return owner;
  }

  /** A Job whose object is missing belongs to the CronJob of the input that would have named it so (WL-08). */
  private cronJobOf(owner: OwnerReference, namespace: string): OwnerName | undefined {
    const name = /^(.+)-\d{8,}$/.exec(owner.name)?.[1];
    if (name === undefined || !this.controllers.has(`${namespace}/CronJob/${name}`)) return undefined;
    return { kind: "CronJob", name };
  }
}

/** A ReplicaSet whose object is missing is named `<deployment>-<pod-template-hash>` if a Deployment made it. */
function deploymentOf(owner: OwnerReference, hash: unknown): OwnerName | undefined {
  if (typeof hash !== "string" || hash === "" || !owner.name.endsWith(`-${hash}`)) return undefined;
  const name = owner.name.slice(0, -hash.length - 1);
  return name === "" ? undefined : { kind: "Deployment", name };
}

// ── one workload ───────────────────────────────────────────────────────────────────────────────────────────────────

/** A workload in the making. */
interface Group {
  readonly id: string;
  readonly namespace: string;
  readonly kind: string;
  readonly name: string;
  /** The object itself, where the input has it. */
  main?: Controller;
  /** ReplicaSets of a Deployment, Jobs of a CronJob. */
  readonly parts: Controller[];
  readonly pods: Pod[];
  /** Where its pods stand in the order of the input. */
  readonly places: number[];
  /** Where it is mentioned first; controllers come before all pods. */
  place: number;
  /** Absent until it is assembled. */
  workload?: Workload;
}

function assemble(group: Group, context: WorkloadContext, findings: Findings): Workload {
  const live = group.parts.filter((part) => part.idle === undefined);
  const templates = live.length > 0 ? live : group.main === undefined ? group.parts.slice(0, 1) : [group.main];
  const shape = (group.main ?? templates[0] ?? group.pods[0]?.telling)?.shape ?? NO_SHAPE;
  const traits = traitsOf(shape);
  const instances =
    group.pods.length > 0
      ? group.pods.map((pod) => realPod(pod, traits, context))
      : templates.flatMap((template) => representatives(template, group, traits, context));
  const replicas = replicasOf(group, context);
  const idle = group.main === undefined ? (live.length > 0 ? undefined : group.parts[0]?.idle) : group.main.idle;
  const document = group.main?.document ?? group.parts[0]?.document ?? group.pods[0]?.document;
  if (idle !== undefined && group.pods.length === 0 && live.length === 0 && document !== undefined)
    findings.report(
      diagnostic(
        "BH301",
        `${group.kind} ${group.namespace}/${group.name} has no pod at present: ${idle}`,
        document.locate(["metadata", "name"]),
      ),
    );
  return {
    id: group.id,
    kind: group.kind,
    namespace: group.namespace,
    name: group.name,
    ...traits,
    replicas,
    pods: instances,
    ...(document === undefined ? {} : { document }),
  };
}

const NO_SHAPE: PodShape = {
  labels: new Map(),
  hostNetwork: false,
  serviceAccount: "default",
  ports: [],
  initPorts: [],
};

function traitsOf(shape: PodShape): PodDifference {
  const { hostNetwork, serviceAccount, ports, initPorts } = shape;
  return { hostNetwork, serviceAccount, ports, initPorts };
}

function replicasOf(group: Group, context: WorkloadContext): number {
  const { main, parts, pods } = group;
  if (main !== undefined) return main.replicas ?? Math.max(pods.length, context.nodeCount, 1);
  if (parts.length > 0) return parts.reduce((sum, part) => sum + (part.replicas ?? 0), 0);
  return pods.length;
}

function realPod(pod: Pod, workload: PodDifference, context: WorkloadContext): PodInstance {
  const { name, document, node, ready } = pod;
  const { shape } = pod.telling;
  const addresses = addressesOf(shape, node, pod.addresses, context);
  const { labels } = shape;
  const isSame = isLike(shape, workload);
  // What nearly all pods are is made at once.
  if (node !== undefined && ready === undefined && isSame)
    return { name, labels, node, addresses, real: true, document };
  return {
    name,
    labels,
    ...(node === undefined ? {} : { node }),
    addresses,
    real: true,
    document,
    ...(ready === undefined ? {} : { ready }),
    ...(isSame ? {} : { differs: traitsOf(shape) }),
  };
}

function representatives(
  controller: Controller,
  group: Group,
  workload: PodDifference,
  context: WorkloadContext,
): readonly PodInstance[] {
  const { shape } = controller;
  const folded = controller.name !== group.name || controller.kind !== group.kind;
  return controller.members.map((member) => ({
    name: folded ? group.name : member.name,
    labels: member.labels,
    ...(controller.node === undefined ? {} : { node: controller.node }),
    addresses: addressesOf(shape, controller.node, NO_ADDRESSES, context),
    real: false,
    ...(isLike(shape, workload) ? {} : { differs: traitsOf(shape) }),
  }));
}

/** A host-network pod has the addresses of its node (WL-15). */
function addressesOf(
  shape: PodShape,
  node: string | undefined,
  known: readonly Address[],
  context: WorkloadContext,
): readonly Address[] {
  return node !== undefined && shape.hostNetwork && known.length === 0 ? context.nodeAddresses(node) : known;
}

function isLike(shape: PodShape, workload: PodDifference): boolean {
  return (
    shape.hostNetwork === workload.hostNetwork &&
    shape.serviceAccount === workload.serviceAccount &&
    samePorts(shape.ports, workload.ports) &&
    samePorts(shape.initPorts, workload.initPorts)
  );
}

function samePorts(a: readonly ContainerPort[], b: readonly ContainerPort[]): boolean {
  return (
    a === b ||
    (a.length === b.length &&
      a.every((x, i) => {
        const y = b[i];
        return (
          y !== undefined &&
          x.name === y.name &&
          x.protocol === y.protocol &&
          x.port === y.port &&
          x.hostPort === y.hostPort &&
          x.hostAddress?.family === y.hostAddress?.family &&
          x.hostAddress?.value === y.hostAddress?.value &&
          x.sidecar === y.sidecar
        );
      }))
  );
}
