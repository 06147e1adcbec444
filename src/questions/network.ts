/** The ends that a question goes through, and the same input with other policies. */
import type { Document } from "../documents/document.ts";
import type { AddressRange, Family } from "../net/address.ts";
import {
  type FlowSet,
  flowIntersect,
  flowsEmpty,
  flowsEqual,
  flowSubtract,
  flowUnion,
  NO_FLOWS,
  portFlows,
  restrictFamilies,
} from "../net/flow-set.ts";
import type { Application } from "../net/application.ts";
import { applicationIsEmpty, EVERYTHING } from "../net/application.ts";
import { resolveService } from "../model/backends.ts";
import { PORT_PROTOCOLS, type PortProtocol } from "../net/protocol.ts";
import type { Bounded } from "../reach/bounded.ts";
import { type Endpoint, endpointFamilies } from "../reach/endpoint.ts";
import { Engine } from "../reach/engine.ts";
import { listFlows } from "../reach/flow-list.ts";
import type { Group } from "../reach/inventory.ts";

/** One thing that people name: a workload, or one of its pods where a rule tells them apart. */
export interface Unit {
  readonly name: string;
  readonly endpoint: Endpoint;
  readonly group: Group;
  /** How many pods it stands for. */
  readonly replicas: number;
}

/** Every unit of the input, in its order. `apart` names workloads whose pods are told apart whatever the rules say. */
export function unitsOf(engine: Engine, apart: ReadonlySet<string> = new Set()): readonly Unit[] {
  return engine.inventory.groups.flatMap((group): readonly Unit[] => {
    const [first] = group.members;
    if (first === undefined) return [];
    if (!apart.has(group.name) && !isToldApart(engine, group)) {
      const endpoint = first.kind === "pod" ? { ...first, name: group.name } : first;
      return [{ name: group.name, endpoint, group, replicas: group.workload.replicas }];
    }
    return group.members.map((endpoint) => ({ name: endpoint.name, endpoint, group, replicas: 1 }));
  });
}

/** The units that a name of the contract means. */
export function unitsNamed(engine: Engine, units: readonly Unit[], name: string): readonly Unit[] {
  const exact = units.filter((unit) => unit.name === name);
  if (exact.length > 0) return exact;
  const resolved = engine.inventory.resolve(name);
  if (resolved.kind !== "endpoints") return [];
  const keys = new Set(resolved.members.map((member) => (member.kind === "pod" ? member.pod : member)));
  return units.filter((unit) =>
    unit.name === unit.group.name
      ? unit.group.members.some((member) => keys.has(member.kind === "pod" ? member.pod : member))
      : keys.has(unit.endpoint.kind === "pod" ? unit.endpoint.pod : unit.endpoint),
  );
}

/** Whether some rule tells the pods of a workload apart. */
export function isToldApart(engine: Engine, group: Group): boolean {
  return new Set(group.members.map((member) => engine.connections.viewOf(member).classId)).size > 1;
}

/** The families in which two ends can talk. */
export function sharedFamilies(a: Endpoint, b: Endpoint): readonly Family[] {
  const other = endpointFamilies(b);
  return endpointFamilies(a).filter((family) => other.includes(family));
}

/** What passes between two ends in the families that both have. */
export function passing(engine: Engine, from: Endpoint, to: Endpoint): Bounded {
  const families = sharedFamilies(from, to);
  const { must, may, because } = engine.connections.between(from, to);
  return { must: restrictFamilies(must, families), may: restrictFamilies(may, families), because };
}

/** Whether something passes, and whether a proxy narrows all of it. */
export interface Openness {
  readonly verdict: "allow" | "unsure" | "deny";
  /** Every flow that passes is judged above the port as well. */
  readonly narrowed: boolean;
}

/** Every flow that opens a connection: of the protocols that have ports. */
export const CONNECTIONS: FlowSet = PORT_PROTOCOLS.reduce<FlowSet>(
  (set, protocol) => flowUnion(set, portFlows(protocol, 1, 65535)),
  NO_FLOWS,
);

/**
 * Whether a connection passes. A ping is none, and what networks do with protocols that have no ports the specification of
 * NetworkPolicy leaves open, so those alone make no answer unsure.
 */
export function openness(bounds: Bounded): Openness {
  const [must, may] = [flowIntersect(bounds.must, CONNECTIONS), flowIntersect(bounds.may, CONNECTIONS)];
  const verdict = !flowsEmpty(must) ? "allow" : flowsEmpty(may) ? "deny" : "unsure";
  return { verdict, narrowed: verdict !== "deny" && isNarrowed(verdict === "allow" ? must : may) };
}

/** Whether no flow of the set passes without being judged above the port. */
export function isNarrowed(set: FlowSet): boolean {
  const isFree = (application: Application): boolean => application === EVERYTHING;
  return set.every((bands) => bands.every((band) => !isFree(band.application)));
}

/** The same input without any policy: what the network would let through by itself. */
export function withoutPolicies(engine: Engine, documents: readonly Document[]): Engine {
  const { dialect } = engine.options;
  const rest = documents.filter((one) => !dialect.enforces(one.apiVersion, one.kind));
  return Engine.open(rest, engine.options);
}

/** The ports on which a unit is known to listen: those that its containers declare, and those to which Services lead. */
export function listening(engine: Engine, unit: Unit): FlowSet {
  const { world } = engine;
  const { workload } = unit.group;
  const pod =
    unit.endpoint.kind === "pod" ? unit.endpoint.pod : workload.pods[unit.group.members.indexOf(unit.endpoint)];
  const ports: { readonly protocol: PortProtocol; readonly port: number }[] = [...workload.ports];
  for (const service of world.services) {
    for (const { port, backends } of resolveService(world, service)) {
      for (const backend of backends) {
        if (backend.kind === "pod" && backend.pod === pod) ports.push({ protocol: port.protocol, port: backend.port });
      }
    }
  }
  return ports.reduce<FlowSet>((set, { protocol, port }) => flowUnion(set, portFlows(protocol, port, port)), NO_FLOWS);
}

/**
 * What of `a` is not in `b`, by meaning: requests that only seem to be left over, because the two are written in different
 * ways, are not.
 */
export function difference(a: FlowSet, b: FlowSet): FlowSet {
  if (flowsEqual(a, b)) return NO_FLOWS;
  return flowSubtract(a, b).map((bands) =>
    bands.filter(({ application }) => application.clauses.length === 0 || applicationIsEmpty(application) !== "yes"),
  );
}

/** A text that is equal for sets that differ in the family alone: ICMP is ICMPv6 there, and IGMP is in IPv4 only. */
export function familyFreeKey(set: FlowSet, family: Family): string {
  return listFlows(restrictFamilies(set, [family]), [family])
    .filter(({ protocol }) => protocol !== "IGMP")
    .map(
      (e) => `${e.protocol === "ICMPv6" ? "ICMP" : e.protocol} ${e.ports} ${e.icmp?.type ?? ""} ${e.application.key}`,
    )
    .join(";");
}

/** Neighbouring ranges as one. */
export function joinedRanges(ranges: readonly AddressRange[]): readonly AddressRange[] {
  const out: AddressRange[] = [];
  for (const range of ranges) {
    const last = out.at(-1);
    if (last !== undefined && last.family === range.family && last.last + 1n === range.first) {
      out[out.length - 1] = { ...last, last: range.last };
    } else out.push(range);
  }
  return out;
}
