/** Who answers behind a Service: its pods and hand-written endpoints, port by port (kubernetes.md SVC-07 to SVC-09). */
import { type Address, formatAddress } from "../net/address.ts";
import { matchesEquality } from "./labels.ts";
import { podTraits } from "./pods.ts";
import { type Member, podsAt, podsLabelled, writtenEndpoints } from "./world-index.ts";
import type { PodInstance, Service, ServiceEndpoints, ServicePort, Workload, World } from "./world.ts";

export type Backend =
  | {
      readonly kind: "pod";
      readonly workload: Workload;
      readonly pod: PodInstance;
      /** The port at the pod. */
      readonly port: number;
      /** `maybe`: whether the selector takes the pod hangs on a label that only the cluster knows. */
      readonly member: "yes" | "maybe";
    }
  /** An address that somebody wrote by hand and that is no pod's of the input. */
  | { readonly kind: "address"; readonly address: Address; readonly port: number };

/** One port of a Service with those that answer on it. */
export interface PortBackends {
  readonly port: ServicePort;
  /** Empty: a connection to the port is refused. */
  readonly backends: readonly Backend[];
}

/**
 * Finds who answers behind a Service.
 *
 * Takes the world and one of its Services. Returns its ports in order, each with its backends in the order of the input.
 * A pod without the named target port contributes nothing to that port (SVC-08). A pod counts as ready unless its
 * status says otherwise and the Service does not publish such pods (SVC-09). An ExternalName has no backends (SVC-05).
 * For a headless Service there is no translation: its backends still tell the pods, and a client reaches any port of
 * them (SVC-02).
 */
export function resolveService(world: World, service: Service): readonly PortBackends[] {
  if (service.type === "ExternalName") return [];
  const ready = readyPods(world, service);
  const written = writtenEndpoints(world, service);
  return service.ports.map((port) => {
    const backends: Backend[] = [];
    for (const { workload, pod, match } of ready) {
      const target = targetPort(workload, pod, port);
      if (target !== undefined) backends.push({ kind: "pod", workload, pod, port: target, member: match });
    }
    backends.push(...writtenBackends(world, service, port, written));
    return { port, backends };
  });
}

/**
 * Whom the name of a headless Service tells: every pod that it selects, whether or not it has one of the Service's ports,
 * and every address that is written for it. A client reaches the port that it dials (SVC-02).
 */
export function headlessBackends(world: World, service: Service, port: number): readonly Backend[] {
  const pods = readyPods(world, service).map(
    ({ workload, pod, match }): Backend => ({ kind: "pod", workload, pod, port, member: match }),
  );
  const addresses = writtenEndpoints(world, service).flatMap((written) => [
    ...written.addresses,
    ...(service.publishNotReadyAddresses ? (written.notReady ?? []) : []),
  ]);
  const unique = new Map(addresses.map((address) => [formatAddress(address), address]));
  return [...pods, ...[...unique.values()].map((address) => addressBackend(world, address, port))];
}

function readyPods(world: World, service: Service): ReturnType<typeof selectPods> {
  const members = service.selector === undefined ? [] : selectPods(world, service.namespace, service.selector);
  return members.filter(({ pod }) => pod.ready !== false || service.publishNotReadyAddresses);
}

/** A hand-written address: that of a pod with a network of its own, or of whoever has it. */
function addressBackend(world: World, address: Address, port: number): Backend {
  const owner = podsAt(world, address).find(({ workload, pod }) => !podTraits(workload, pod).hostNetwork);
  return owner === undefined ? { kind: "address", address, port } : { kind: "pod", ...owner, port, member: "yes" };
}

/**
 * The pods that a Service selects, ready or not.
 *
 * Takes the world and the Service. Returns the pods, none for a Service without selector or an ExternalName.
 */
export function selectedPods(
  world: World,
  service: Service,
): readonly (Member & { readonly match: "yes" | "maybe" })[] {
  if (service.selector === undefined || service.type === "ExternalName") return [];
  return selectPods(world, service.namespace, service.selector);
}

/**
 * The number at a pod of a Service's port.
 *
 * Takes the pod with its workload, and the port. Returns the number; `undefined` where the pod declares no port of that
 * name and protocol. The first declaration counts (WL-14).
 */
export function targetPort(workload: Workload, pod: PodInstance, port: ServicePort): number | undefined {
  const { targetPort: target, protocol } = port;
  if (typeof target === "number") return target;
  return podTraits(workload, pod).ports.find((declared) => declared.name === target && declared.protocol === protocol)
    ?.port;
}

// ── hand-written endpoints ─────────────────────────────────────────────────────────────────────────────────────────

function writtenBackends(
  world: World,
  service: Service,
  port: ServicePort,
  written: readonly ServiceEndpoints[],
): readonly Backend[] {
  const out: Backend[] = [];
  const seen = new Set<string>();
  for (const endpoints of written) {
    // The endpoints' port is found by the name of the Service's port; the target port plays no part.
    for (const target of endpoints.ports) {
      if (target.name !== port.name || target.protocol !== port.protocol) continue;
      const addresses = service.publishNotReadyAddresses
        ? [...endpoints.addresses, ...(endpoints.notReady ?? [])]
        : endpoints.addresses;
      for (const address of addresses) {
        const text = formatAddress(address);
        const key = `${text} ${target.port}`;
        if (seen.has(key)) continue;
        seen.add(key);
        out.push(addressBackend(world, address, target.port));
      }
    }
  }
  return out;
}

function selectPods(
  world: World,
  namespace: string,
  selector: ReadonlyMap<string, string>,
): readonly (Member & { readonly match: "yes" | "maybe" })[] {
  let candidates: readonly Member[] | undefined;
  for (const [key, value] of selector) {
    const found = podsLabelled(world, namespace, key, value);
    if (candidates === undefined || found.length < candidates.length) candidates = found;
  }
  return (candidates ?? []).flatMap((member) => {
    const match = matchesEquality(selector, member.pod.labels);
    return match === "no" ? [] : { ...member, match };
  });
}
