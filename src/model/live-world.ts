/** A world that follows changes of single pods and namespaces, at the cost of what they touch. */
import type { Diagnostic } from "../base/diagnostic.ts";
import { Cursor, Findings } from "../documents/cursor.ts";
import type { Document } from "../documents/document.ts";
import { checkLinks } from "./links.ts";
import { decodeNamespace } from "./namespaces.ts";
import type { Nodes } from "./nodes.ts";
import type { PodSamples } from "./pod-samples.ts";
import { isServerNamespace } from "./pods.ts";
import { followWorld } from "./world-index.ts";
import type { Namespace, World } from "./world.ts";
import { decodePod, type Pod, type WorkloadTable } from "./workloads.ts";

/** What the building of a world leaves to its changes. */
interface Parts {
  readonly world: World;
  readonly table: WorkloadTable;
  readonly samples: PodSamples;
  readonly nodes: Nodes;
  /** What was found, and what of it `checkLinks` did not find. */
  readonly findings: readonly Diagnostic[];
  readonly lasting: readonly Diagnostic[];
  /** Whether workloads hang on more than pods and their controllers: a placement, or objects that make pods. */
  readonly isFixed: boolean;
}

/**
 * Takes changes of pods and of labels of namespaces. Each method returns whether it could: where a change may touch more
 * than the workloads at hand, it returns false, and the world must be built anew; this one is then of no use any more.
 */
export class LiveWorld {
  world: World;
  private readonly parts: Parts;

  constructor(parts: Parts) {
    this.parts = parts;
    this.world = parts.world;
  }

  /** What there is to say about the objects of a world that this one was or is. */
  diagnosticsOf(world: World): readonly Diagnostic[] {
    if (world === this.parts.world) return this.parts.findings;
    const links = new Findings();
    checkLinks(world, links);
    return [...this.parts.lasting, ...links.all];
  }

  /** Puts a Pod object in the stead of another; one of them may be absent. */
  replacePod(before: Document | undefined, after: Document | undefined): boolean {
    if (this.parts.isFixed) return false;
    const [old, next] = [before, after].map((document) => this.podOf(document));
    if (old === "no" || next === "no" || !this.parts.table.replace(old, next)) return false;
    const namespaces = new Set([old, next].flatMap((pod) => pod?.namespace ?? []));
    this.move({ ...this.world, workloads: this.parts.table.workloads }, [...namespaces]);
    return true;
  }

  /** The pod; `no` where it touches more than its workload. */
  private podOf(document: Document | undefined): Pod | undefined | "no" {
    if (document === undefined) return undefined;
    // Without a namespace the object may be one that the input names in full.
    const namespace = document.namespace;
    if (document.apiVersion !== "v1" || namespace === undefined) return "no";
    if (this.world.namespaces.get(namespace)?.declared !== true) return "no";
    const findings = new Findings();
    const pod = decodePod(Cursor.of(document, findings), namespace, this.parts.samples);
    if (findings.all.length > 0 || pod.telling.shape.hostNetwork) return "no";
    if (pod.node !== undefined && !this.parts.nodes.isTold(pod.node)) return "no";
    // DNS servers teach names to all others.
    return isServerNamespace(namespace) ? "no" : pod;
  }

  /** Puts a Namespace object in the stead of another. */
  replaceNamespace(before: Document, after: Document): boolean {
    const [old, next] = [this.namespaceOf(before), this.namespaceOf(after)];
    if (this.parts.isFixed || old === undefined || next === undefined) return false;
    const namespaces = new Map(this.world.namespaces).set(next.name, next);
    this.parts.table.renew(next.name);
    this.move({ ...this.world, namespaces, workloads: this.parts.table.workloads }, [next.name]);
    return true;
  }

  private namespaceOf(document: Document): Namespace | undefined {
    if (document.apiVersion !== "v1" || document.namespace !== undefined) return undefined;
    if (isServerNamespace(document.name)) return undefined;
    const findings = new Findings();
    const namespace = decodeNamespace(Cursor.of(document, findings));
    return findings.all.length > 0 ? undefined : namespace;
  }

  private move(world: World, namespaces: readonly string[]): void {
    const changed = namespaces.map((namespace) => [namespace, this.parts.table.workloadsOf(namespace)] as const);
    followWorld(this.world, world, new Map(changed));
    this.world = world;
  }
}
