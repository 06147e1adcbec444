/**
 * What a world holds, found by namespace, label, address or name. A world never changes, so every index is made once, and
 * only where somebody asks. A world that follows another shares what both have.
 */
import type { Address, Family } from "../net/address.ts";
import type { PodInstance, Service, ServiceEndpoints, Workload, World } from "./world.ts";

/** A pod with the workload to which it belongs. */
export interface Member {
  readonly workload: Workload;
  readonly pod: PodInstance;
}

// ── namespaces ─────────────────────────────────────────────────────────────────────────────────────────────────────

const NAMESPACES = new WeakMap<World, ReadonlyMap<string, readonly Workload[]>>();

/** The workloads of each namespace that has any, in the order of the world. */
export function workloadsByNamespace(world: World): ReadonlyMap<string, readonly Workload[]> {
  let byNamespace = NAMESPACES.get(world);
  if (byNamespace === undefined) {
    const made = new Map<string, Workload[]>();
    for (const workload of world.workloads) entryOf(made, workload.namespace, () => []).push(workload);
    byNamespace = made;
    NAMESPACES.set(world, byNamespace);
  }
  return byNamespace;
}

const NONE: readonly Workload[] = [];

/** The workloads of one namespace; the same list for every world in which they are the same. */
export function workloadsOf(world: World, namespace: string): readonly Workload[] {
  return workloadsByNamespace(world).get(namespace) ?? NONE;
}

/** Carries the index over to a world that differs in the workloads of these namespaces alone. */
export function followWorld(before: World, after: World, changed: ReadonlyMap<string, readonly Workload[]>): void {
  const byNamespace = new Map(workloadsByNamespace(before));
  for (const [namespace, workloads] of changed) {
    if (workloads.length === 0) byNamespace.delete(namespace);
    else byNamespace.set(namespace, workloads);
  }
  NAMESPACES.set(after, byNamespace);
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

type ByAddress = Readonly<Record<Family, Map<bigint, Member[]>>>;

const ADDRESSES = new WeakMap<readonly Workload[], ByAddress>();

/** The pods that have an address, in the order of the world; several only where they share the host's network (WL-16). */
export function podsAt(world: World, { family, value }: Address): readonly Member[] {
  const found: Member[] = [];
  for (const workloads of workloadsByNamespace(world).values()) {
    let byAddress = ADDRESSES.get(workloads);
    if (byAddress === undefined) {
      byAddress = indexAddresses(workloads);
      ADDRESSES.set(workloads, byAddress);
    }
    const members = byAddress[family].get(value);
    if (members !== undefined) found.push(...members);
  }
  return inOrder(world, found);
}

/** Pods gathered from several namespaces, in the order of the world. */
export function inOrder<T extends Member>(world: World, members: readonly T[]): readonly T[] {
  if (new Set(members.map(({ workload }) => workload.namespace)).size < 2) return members;
  const place = ({ workload }: Member): number => world.workloads.indexOf(workload);
  return members.toSorted((a, b) => place(a) - place(b));
}

function indexAddresses(workloads: readonly Workload[]): ByAddress {
  const out: ByAddress = { IPv4: new Map(), IPv6: new Map() };
  for (const workload of workloads)
    for (const pod of workload.pods)
      for (const { family, value } of pod.addresses) entryOf(out[family], value, () => []).push({ workload, pod });
  return out;
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

function entryOf<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
