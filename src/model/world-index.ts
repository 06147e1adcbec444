/**
 * What a world holds, found by namespace, label, address or name. A world never changes, so every index is made once, and
 * only where somebody asks. A world that follows another shares what both have.
 */
import { entryOf } from "../base/entry.ts";
import type { Address } from "../net/address.ts";
import type { PodInstance, Service, ServiceEndpoints, Workload, World } from "./world.ts";

/** A pod with the workload to which it belongs. */
export interface Member {
  readonly workload: Workload;
  readonly pod: PodInstance;
}

// ── namespaces ─────────────────────────────────────────────────────────────────────────────────────────────────────

/** What is found by namespace and by address. It goes on from a world to the next, which differs from it in little. */
interface PodIndex {
  /** The workloads of each namespace that has any, in the order of the world. */
  readonly byNamespace: Map<string, readonly Workload[]>;
  byAddress: ByAddress | undefined;
}

const PODS = new WeakMap<World, PodIndex>();

function podIndex(world: World): PodIndex {
  let index = PODS.get(world);
  if (index === undefined) {
    const byNamespace = new Map<string, Workload[]>();
    for (const workload of world.workloads) entryOf(byNamespace, workload.namespace, () => []).push(workload);
    index = { byNamespace, byAddress: undefined };
    PODS.set(world, index);
  }
  return index;
}

/** The workloads of each namespace that has any, in the order of the world. */
export function workloadsByNamespace(world: World): ReadonlyMap<string, readonly Workload[]> {
  return podIndex(world).byNamespace;
}

const NONE: readonly Workload[] = [];

/** The workloads of one namespace; the same list for every world in which they are the same. */
export function workloadsOf(world: World, namespace: string): readonly Workload[] {
  return podIndex(world).byNamespace.get(namespace) ?? NONE;
}

/**
 * Takes what is known of a world over to one that differs in the workloads of these namespaces alone. Asked again, the
 * world before has to gather it anew.
 */
export function followWorld(before: World, after: World, changed: ReadonlyMap<string, readonly Workload[]>): void {
  const index = podIndex(before);
  const { byNamespace, byAddress } = index;
  for (const [namespace, workloads] of changed) {
    const past = byNamespace.get(namespace) ?? NONE;
    if (workloads.length === 0) byNamespace.delete(namespace);
    else byNamespace.set(namespace, workloads);
    if (byAddress === undefined) continue;
    const [old, now] = [new Set(past), new Set(workloads)];
    for (const workload of past) if (!now.has(workload)) byAddress.remove(workload);
    for (const workload of workloads) if (!old.has(workload)) byAddress.add(workload);
  }
  PODS.delete(before);
  PODS.set(after, index);
}

// ── labels ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Pods by `key=value`; `key` alone holds those whose value only the cluster knows. */
const LABELS = new WeakMap<readonly Workload[], ReadonlyMap<string, readonly Member[]>>();

/** The pods of a namespace whose label has the value, or may have it. */
export function podsLabelled(world: World, namespace: string, key: string, value: string): readonly Member[] {
  const workloads = workloadsOf(world, namespace);
  let byLabel = LABELS.get(workloads);
  if (byLabel === undefined) {
    byLabel = indexLabels(workloads);
    LABELS.set(workloads, byLabel);
  }
  const unknown = byLabel.get(key);
  const known = byLabel.get(`${key}=${value}`) ?? [];
  return unknown === undefined ? known : [...known, ...unknown];
}

function indexLabels(workloads: readonly Workload[]): ReadonlyMap<string, readonly Member[]> {
  const byLabel = new Map<string, Member[]>();
  for (const workload of workloads) {
    for (const pod of workload.pods) {
      const member = { workload, pod };
      for (const [key, value] of pod.labels)
        entryOf(byLabel, typeof value === "string" ? `${key}=${value}` : key, () => []).push(member);
    }
  }
  return byLabel;
}

// ── addresses ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** Pods by their addresses. */
class ByAddress {
  /** Several pods have one address only where they share the host's network (WL-16). */
  private readonly members = new Map<number | bigint, Member | readonly Member[]>();

  find(address: Address): readonly Member[] {
    const found = this.members.get(keyOf(address));
    return found === undefined ? [] : "pod" in found ? [found] : found;
  }

  add(workload: Workload): void {
    for (const pod of workload.pods) {
      const member = { workload, pod };
      for (const address of pod.addresses) {
        const found = this.find(address);
        this.members.set(keyOf(address), found.length === 0 ? member : [...found, member]);
      }
    }
  }

  remove(workload: Workload): void {
    for (const pod of workload.pods) {
      for (const address of pod.addresses) {
        const left = this.find(address).filter((member) => member.workload !== workload);
        if (left.length === 0) this.members.delete(keyOf(address));
        else this.members.set(keyOf(address), left);
      }
    }
  }
}

/** Numbers are found faster than large ones. */
function keyOf({ family, value }: Address): number | bigint {
  return family === "IPv4" ? Number(value) : value;
}

/** The pods that have an address, in the order of the world. */
export function podsAt(world: World, address: Address): readonly Member[] {
  const index = podIndex(world);
  if (index.byAddress === undefined) {
    index.byAddress = new ByAddress();
    for (const workload of world.workloads) index.byAddress.add(workload);
  }
  return inOrder(world, index.byAddress.find(address));
}

/** Pods gathered from several workloads, in the order of the world. */
export function inOrder<T extends Member>(world: World, members: readonly T[]): readonly T[] {
  if (new Set(members.map(({ workload }) => workload)).size < 2) return members;
  const place = ({ workload }: Member): number => world.workloads.indexOf(workload);
  return members.toSorted((a, b) => place(a) - place(b));
}

// ── Services ───────────────────────────────────────────────────────────────────────────────────────────────────────

const SERVICES = new WeakMap<readonly Service[], ReadonlyMap<string, Service>>();
const ENDPOINTS = new WeakMap<readonly ServiceEndpoints[], ReadonlyMap<string, readonly ServiceEndpoints[]>>();

/** The Service of a name; `undefined` when the input has none. */
export function findService({ services }: World, namespace: string, name: string): Service | undefined {
  let byName = SERVICES.get(services);
  if (byName === undefined) {
    byName = new Map(services.map((service) => [`${service.namespace}/${service.name}`, service]));
    SERVICES.set(services, byName);
  }
  return byName.get(`${namespace}/${name}`);
}

/** The endpoints that are written by hand for a Service. */
export function writtenEndpoints({ serviceEndpoints }: World, service: Service): readonly ServiceEndpoints[] {
  let byName = ENDPOINTS.get(serviceEndpoints);
  if (byName === undefined) {
    const made = new Map<string, ServiceEndpoints[]>();
    for (const stated of serviceEndpoints)
      entryOf(made, `${stated.namespace}/${stated.service}`, () => []).push(stated);
    byName = made;
    ENDPOINTS.set(serviceEndpoints, byName);
  }
  return byName.get(`${service.namespace}/${service.name}`) ?? [];
}
