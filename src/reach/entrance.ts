/** How something outside gets to a pod without a controller: load balancers, node ports, external addresses, ports of the host (kubernetes.md SVC-17). */
import type { Because } from "../base/because.ts";
import { resolveService } from "../model/backends.ts";
import { podTraits } from "../model/pods.ts";
import type { PodInstance, Service, ServicePort, Workload, World } from "../model/world.ts";
import { formatAddress } from "../net/address.ts";
import type { PortProtocol } from "../net/protocol.ts";
import { serviceName } from "./services.ts";

export type EntranceWay = "load-balancer" | "node-port" | "external-address" | "host-port" | "host-network";

/** One way in. */
export interface Entrance {
  readonly way: EntranceWay;
  readonly protocol: PortProtocol;
  /** The port at the pod. */
  readonly port: number;
  /** What is dialled, for reading: `203.0.113.50:80`, `any node, port 30080`. */
  readonly dialled: string;
  /** The port that is dialled; absent where the cluster picks it. */
  readonly dialledPort?: number;
  readonly service?: Service;
  readonly servicePort?: ServicePort;
  /** Why it may not lead there. */
  readonly doubt: readonly Because[];
}

/** A port of a Service behind which a pod stands. */
export interface Behind {
  readonly service: Service;
  readonly port: ServicePort;
  /** The port at the pod. */
  readonly target: number;
  readonly doubt: readonly Because[];
}

export class Entrances {
  private readonly world: World;
  private behindPods: ReadonlyMap<PodInstance, readonly Behind[]> | undefined;

  constructor(world: World) {
    this.world = world;
  }

  /** The Services behind which a pod stands, port by port. */
  servicesOf(pod: PodInstance): readonly Behind[] {
    this.behindPods ??= this.index();
    return this.behindPods.get(pod) ?? [];
  }

  private index(): ReadonlyMap<PodInstance, readonly Behind[]> {
    const out = new Map<PodInstance, Behind[]>();
    for (const service of this.world.services) {
      for (const { port, backends } of resolveService(this.world, service)) {
        for (const backend of backends) {
          if (backend.kind !== "pod") continue;
          const doubt: readonly Because[] =
            backend.member === "maybe"
              ? [{ code: "unknown-label", detail: `whether ${serviceName(service)} selects ${backend.pod.name}` }]
              : [];
          const behind = { service, port, target: backend.port, doubt };
          const list = out.get(backend.pod);
          if (list === undefined) out.set(backend.pod, [behind]);
          else list.push(behind);
        }
      }
    }
    return out;
  }

  /** Every way from outside to a pod, in the order of the input. */
  to(workload: Workload, pod: PodInstance): readonly Entrance[] {
    const out: Entrance[] = [];
    for (const { service, port, target, doubt } of this.servicesOf(pod)) {
      const common = { protocol: port.protocol, port: target, service, servicePort: port, doubt };
      if (service.type === "LoadBalancer") {
        const dialled = addressesText(service.loadBalancerAddresses, port.port);
        out.push({ way: "load-balancer", ...common, dialled, dialledPort: port.port });
      }
      if (service.externalIPs.length > 0) {
        const dialled = addressesText(service.externalIPs, port.port);
        out.push({ way: "external-address", ...common, dialled, dialledPort: port.port });
      }
      if (service.type === "NodePort" || (service.type === "LoadBalancer" && service.withoutNodePorts !== true)) {
        const { nodePort } = port;
        const dialled =
          nodePort === undefined ? "any node, a port that the cluster picks" : `any node, port ${nodePort}`;
        out.push({
          way: "node-port",
          ...common,
          dialled,
          ...(nodePort === undefined ? {} : { dialledPort: nodePort }),
        });
      }
    }
    const { ports, hostNetwork } = podTraits(workload, pod);
    for (const { hostPort, hostAddress, port, protocol } of ports) {
      if (hostPort === undefined) continue;
      const where = hostAddress === undefined ? "the pod's node" : formatAddress(hostAddress);
      out.push({
        way: hostNetwork ? "host-network" : "host-port",
        protocol,
        port,
        dialled: `${where}, port ${hostPort}`,
        dialledPort: hostPort,
        doubt: [],
      });
    }
    return out;
  }
}

function addressesText(addresses: Service["externalIPs"], port: number): string {
  if (addresses.length === 0) return `an address of the provider, port ${port}`;
  return `${addresses.map(formatAddress).join(", ")}, port ${port}`;
}
