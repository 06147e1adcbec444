/** Who reaches a Service: the flows that pass to its backends, told in the Service's own ports (kubernetes.md SVC-08, SVC-10). */
import { type Because, mergeBecause } from "../base/because.ts";
import type { Service } from "../model/world.ts";
import type { Family } from "../net/address.ts";
import {
  type FlowSet,
  flowAt,
  flowIntersect,
  flowSubtract,
  flowsEmpty,
  flowUnion,
  NO_FLOWS,
  portFlows,
} from "../net/flow-set.ts";
import type { PortProtocol } from "../net/protocol.ts";
import type { Connections } from "./connection.ts";
import { type Endpoint, endpointFamilies } from "./endpoint.ts";
import { type FlowEntry, listFlows } from "./flow-list.ts";
import type { Legs } from "./leg.ts";
import type { Decider, ReachPair, ReachQuery, Row } from "./reach.ts";
import type { Delivery, Services } from "./services.ts";

/** What passes from a row to a Service. */
export interface ServiceFlows {
  readonly every: FlowSet;
  readonly some: FlowSet;
  readonly may: FlowSet;
  readonly because: readonly Because[];
  readonly families: readonly Family[];
  /** One backend for each port, of which the deciders are told. */
  readonly samples: ReadonlyMap<string, readonly [from: Endpoint, delivery: Delivery]>;
}

/** What passes from any of the ends to the Service: to every backend, to some, possibly. Undefined where nothing may. */
export function flowsToService(
  services: Services,
  legs: Legs,
  query: ReachQuery,
  sources: readonly Endpoint[],
  service: Service,
): ServiceFlows | undefined {
  let every: FlowSet = NO_FLOWS;
  let some: FlowSet = NO_FLOWS;
  let may: FlowSet = NO_FLOWS;
  let because: readonly Because[] = [];
  let families: readonly Family[] = [];
  const samples = new Map<string, readonly [Endpoint, Delivery]>();
  for (const { protocol, port } of service.ports) {
    if (query.port !== undefined && (query.port.port !== port || query.port.protocol !== protocol)) continue;
    let all: FlowSet | undefined;
    for (const from of sources) {
      for (const delivery of services.deliver(from, { kind: "service", service }, protocol, port).deliveries) {
        const shared = sharedFamilies(from, delivery);
        families = shared.length > families.length ? shared : families;
        samples.set(portKey(protocol, port), samples.get(portKey(protocol, port)) ?? [from, delivery]);
        for (const replica of legs.replicas(from, delivery)) {
          let must: FlowSet = NO_FLOWS;
          for (const family of shared) {
            const bounds = legs.bounds(from, delivery, replica, family, protocol);
            must = flowUnion(must, moved(bounds.must, family, protocol, delivery.port, port));
            may = flowUnion(may, moved(bounds.may, family, protocol, delivery.port, port));
            because = mergeBecause(because, bounds.because);
          }
          all = all === undefined ? must : flowIntersect(all, must);
          some = flowUnion(some, must);
        }
      }
    }
    every = flowUnion(every, all ?? NO_FLOWS);
  }
  return flowsEmpty(may) ? undefined : { every, some, may, because, families, samples };
}

/** The flows as a pair of the answer. */
export function pairToService(
  connections: Connections,
  query: ReachQuery,
  from: string,
  to: string,
  flows: ServiceFlows,
): ReachPair {
  const { every, some, may, because, families, samples } = flows;
  const mixed = some === every ? NO_FLOWS : flowSubtract(some, every);
  return {
    from,
    to,
    allow: listFlows(every, families).map((entry) => ({
      ...entry,
      deciders: query.provenance ? decidersOf(connections, entry, samples) : [],
    })),
    unsure: listFlows(flowSubtract(may, some), families).map((entry) => ({ ...entry, because })),
    mixed: listFlows(mixed, families),
  };
}

/** The row that a Service is: as a source, the pods behind it. */
export function serviceRow(services: Services, service: Service, name: string): Row {
  return { name, kind: "service", members: services.behind(service) };
}

function sharedFamilies(from: Endpoint, delivery: Delivery): readonly Family[] {
  const own = endpointFamilies(delivery.endpoint);
  return endpointFamilies(from).filter((f) => own.includes(f) && (delivery.families?.includes(f) ?? true));
}

function moved(set: FlowSet, family: Family, protocol: PortProtocol, port: number, to: number): FlowSet {
  const application = flowAt(set, family, protocol, port);
  return application === undefined ? NO_FLOWS : portFlows(protocol, to, to, [family], application);
}

function portKey(protocol: string, port: number): string {
  return `${port}/${protocol}`;
}

/** What decided at the first backend of the entry's first port. */
function decidersOf(connections: Connections, entry: FlowEntry, samples: ServiceFlows["samples"]): readonly Decider[] {
  const [first] = entry.ranges;
  const sample = first === undefined ? undefined : samples.get(portKey(entry.protocol, first.first));
  if (sample === undefined) return [];
  const [from, { endpoint, port, sightings }] = sample;
  const [sighting] = sightings;
  const sight = connections.sights(sighting?.source ?? from, endpoint)[0];
  if (sight === undefined) return [];
  const families = entry.family === "any" ? endpointFamilies(endpoint) : [entry.family];
  const protocol = entry.protocol === "any" || entry.protocol === "other" ? "TCP" : entry.protocol;
  const flows = portFlows(protocol, port, port, families);
  return (["egress", "ingress"] as const).map((direction) => {
    const [self, other] = direction === "egress" ? [sight.fromSelf, sight.to] : [sight.toSelf, sight.from];
    return connections.sides.deciders(direction, self, other, flows);
  });
}
