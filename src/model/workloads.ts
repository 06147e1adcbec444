/** Workloads: pods gathered under what made them, and representatives where the input has no pods (kubernetes.md 3). */
import { diagnostic } from "../base/diagnostic.ts";
import type { Cursor, Findings } from "../documents/cursor.ts";
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
  readonly node?: string;
  /** `Succeeded` or `Failed`: it is no endpoint any more (K8-37). */
  readonly ended?: "Succeeded" | "Failed";
  readonly addresses: readonly Address[];
  /** Addresses of its node. */
  readonly hostAddresses: readonly Address[];
  readonly ready?: boolean;
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
    ...(node === undefined ? {} : { node }),
    ...(phase === "Succeeded" || phase === "Failed" ? { ended: phase } : {}),
    addresses: statusAddresses(status, "podIP", "podIPs"),
    hostAddresses: statusAddresses(status, "hostIP", "hostIPs"),
    ...(ready === undefined ? {} : { ready }),
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
 * Gathers pods and controllers into workloads.
 *
 * Takes the decoded objects in the order of the input, what is known of nodes, and where findings go.
 * Returns the workloads in the order of their first mention. Real pods replace the representatives of their controller;
 * ReplicaSets of a Deployment and Jobs of a CronJob are no workloads of their own.
 * Reports pods that have ended (BH302) and workloads without a pod (BH301), both for information.
 */
export function gatherWorkloads(
  pods: readonly Pod[],
  controllers: readonly Controller[],
  context: WorkloadContext,
  findings: Findings,
): readonly Workload[] {
  const ownership = new Ownership(controllers);
  const groups = new Map<string, Group>();
  const groupOfOwner = (namespace: string, kind: string, name: string): Group => {
    const id = `${namespace}/${kind}/${name}`;
    let group = groups.get(id);
    if (group === undefined) {
      group = { id, namespace, kind, name, parts: [], pods: [] };
      groups.set(id, group);
    }
    return group;
  };
  for (const controller of controllers) {
    const owner = ownership.ofController(controller);
    if (owner === undefined) groupOfOwner(controller.namespace, controller.kind, controller.name).main = controller;
    else groupOfOwner(controller.namespace, owner.kind, owner.name).parts.push(controller);
  }
  const ended = new Tally();
  // Pods that share what they tell share their namespace and owner as well.
  const known = new Map<PodTelling, Group>();
  for (const pod of pods) {
    if (pod.ended !== undefined) {
      ended.add(`${pod.namespace}/${pod.name}`, pod.document, ["status", "phase"]);
      continue;
    }
    let group = known.get(pod.telling);
    if (group === undefined) {
      const owner = ownership.ofPod(pod);
      group =
        owner === undefined
          ? groupOfOwner(pod.namespace, "Pod", pod.name)
          : groupOfOwner(pod.namespace, owner.kind, owner.name);
      if (owner !== undefined) known.set(pod.telling, group);
    }
    group.pods.push(pod);
  }
  ended.report(findings, "BH302", (count, names) =>
    count === 1
      ? `Pod ${names} has ended and is no endpoint any more`
      : `${count} pods have ended and are no endpoints any more: ${names}`,
  );
  return [...groups.values()].map((group) => assemble(group, context, findings));
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
  const instance = { name, labels: shape.labels, addresses, real: true, document };
  const placed = node === undefined ? instance : { ...instance, node };
  const told = ready === undefined ? placed : { ...placed, ready };
  return isLike(shape, workload) ? told : { ...told, differs: traitsOf(shape) };
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
