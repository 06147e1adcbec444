import { type Address, type Family, isInside, parseAddress, sameAddress } from "./addresses.ts";
import { type Answer, impossible, uncertain } from "./answers.ts";
import type { Cluster } from "./cluster.ts";
import {
  type Edges,
  type Endpoint,
  endpointOf,
  nameEndpoint,
  partyOfAddress,
  UnknownEndpointError,
} from "./endpoints.ts";
import { type Flow, familyOf, type Traffic, trafficOf } from "./flows.ts";
import { declared, type ReferenceOptions } from "./options.ts";
import { addressesOf, type NodeParty, type Party, partyOfNode, partyOfPod } from "./parties.ts";
import { hasPorts, isIcmp } from "./protocols.ts";
import { type Service, type ServicePort, selectedBy, targetPortOf } from "./services.ts";
import type { Unknowns } from "./unknowns.ts";
import type { Pod } from "./workloads.ts";
import type { Because } from "./reasons.ts";

/** The address of a Service that was dialled, when there was one. */
export interface Dialled {
  readonly service: Service;
  /** `cluster`: a ClusterIP; `outer`: a load balancer or external address; `node`: a node's address and nodePort. */
  readonly entry: "cluster" | "outer" | "node";
  readonly addresses: readonly Address[];
  readonly node: NodeParty | undefined;
  /** The port that was dialled, before translation. */
  readonly port: number | undefined;
}

/** One connection between two concrete ends, after service translation (K8-45, R8.1). */
export interface Leg {
  readonly source: Party;
  readonly target: Party;
  readonly traffic: Traffic;
  readonly dialled: Dialled | undefined;
  /** Families in which it can happen; more than one only matters to address rules. */
  readonly families: readonly Family[];
  /** Whether the ends are known to have addresses of all these families. */
  readonly familiesTold: boolean;
}

/** Every leg of a flow, or an answer where there is no leg to judge. */
export type Step = { readonly leg: Leg } | { readonly answer: Answer };

export function stepsOf(flow: Flow, cluster: Cluster, options: ReferenceOptions, edges: Edges): readonly Step[] {
  const traffic = trafficOf(flow);
  // ICMP without a type is every type, where rules tell types apart.
  const isEveryType = isIcmp(traffic.protocol) && traffic.port === undefined && options.dialect !== "kubernetes";
  if (!isEveryType) return stepsOfTraffic(flow, traffic, cluster, options, edges);
  return Array.from({ length: 256 }, (_, type) => type).flatMap((port) =>
    stepsOfTraffic(flow, { ...traffic, port }, cluster, options, edges),
  );
}

function stepsOfTraffic(
  flow: Flow,
  asked: Traffic,
  cluster: Cluster,
  options: ReferenceOptions,
  edges: Edges,
): readonly Step[] {
  if (hasPorts(asked.protocol) && asked.port === undefined)
    throw new UnknownEndpointError(`a flow of ${asked.protocol} needs a port`);
  const from = endpointOf(flow.from, cluster, options, edges);
  const to = endpointOf(flow.to, cluster, options, edges, familyOf(flow, asked));
  if (from.kind === "service") throw new UnknownEndpointError(`${flow.from} is a Service: it opens no connections`);
  if (from.kind === "unclear") return [{ answer: uncertain(from.because) }];
  if (to.kind === "unclear") return [{ answer: uncertain(to.because) }];
  return from.parties.flatMap((source) =>
    ofFamily(targetsOf(to, source, asked, cluster, options), flow, source, asked, options)
      .filter((target) => "answer" in target || !isSkippedSelf(from, source, to, target.party))
      .map((target): Step => {
        if ("answer" in target) return target;
        const traffic = { ...asked, port: target.port };
        const families = familiesOf(source, target.party, familyOf(flow, traffic), options);
        const own = anotherReplica(from, source, to, target.party, target.dialled);
        return {
          leg: {
            source: placed(own, target.party, cluster),
            target: placed(target.party, own, cluster),
            traffic,
            dialled: target.dialled,
            families: families.list,
            familiesTold: families.told,
          },
        };
      }),
  );
}

/** `internet` and a name mean the addresses that the other end, or the question, has a family for; without any, all. */
function ofFamily(
  targets: readonly Target[],
  flow: Flow,
  source: Party,
  asked: Traffic,
  options: ReferenceOptions,
): readonly Target[] {
  const found = targets.filter(
    (target) => "answer" in target || isOfFamily(flow, source, target.party, asked, options),
  );
  return found.length === 0 && flow.to.startsWith("fqdn:") ? targets : found;
}

function isOfFamily(flow: Flow, source: Party, target: Party, asked: Traffic, options: ReferenceOptions): boolean {
  const isMany = (end: string): boolean => end === "internet" || end.startsWith("fqdn:");
  if (!isMany(flow.from) && !isMany(flow.to)) return true;
  const [inside, outside] = isMany(flow.to) ? [source, target] : [target, source];
  const fixed = familyOf(flow, asked);
  const families = fixed === undefined ? toldFamilies(inside, options) : [fixed];
  const own = toldFamilies(outside, options);
  return families.length === 0 || own.length === 0 || own.some((family) => families.includes(family));
}

/** An endpoint and its own replicas: a pair with itself means between two of its pods. */
function isSkippedSelf(from: Endpoint, source: Party, to: Endpoint, target: Party): boolean {
  if (from.kind !== "parties" || to.kind !== "parties" || from.workload === undefined) return false;
  if (from.workload !== to.workload || from.workload.kind === "Pod" || from.parties.length < 2) return false;
  return source.kind === "pod" && target.kind === "pod" && source.pod === target.pod;
}

/** The one pod that stands for a controller, dialling its controller: another pod like it. */
function anotherReplica(
  from: Endpoint,
  source: Party,
  to: Endpoint,
  target: Party,
  dialled: Dialled | undefined,
): Party {
  if (from.kind !== "parties" || from.workload === undefined || from.workload.kind === "Pod") return source;
  if (from.parties.length > 1 || source.kind !== "pod" || target.kind !== "pod") return source;
  if (source.pod !== target.pod) return source;
  const sameWorkload = to.kind === "parties" && to.workload === from.workload;
  if (!sameWorkload || dialled !== undefined) return source;
  return { kind: "pod", pod: { ...source.pod, id: `${source.pod.id} (another)`, addresses: [] } };
}

/** `host` is the node of the other side, where the input tells which one that is. */
function placed(party: Party, other: Party, cluster: Cluster): Party {
  if (party.kind !== "node" || party.place !== "local" || other.kind !== "pod") return party;
  const node = cluster.nodes.find((item) => item.name === other.pod.node);
  return node === undefined ? party : partyOfNode(node);
}

/** One end that the dialled name leads to, with the port as it arrives there. */
type Target =
  | { readonly party: Party; readonly port: number | undefined; readonly dialled: Dialled | undefined }
  | { readonly answer: Answer };

function targetsOf(
  to: Endpoint,
  source: Party,
  asked: Traffic,
  cluster: Cluster,
  options: ReferenceOptions,
): readonly Target[] {
  if (to.kind === "unclear") return [{ answer: uncertain(to.because) }];
  if (to.kind === "service") return serviceTargets(to.service, source, asked, cluster, options);
  return to.parties.flatMap((party) => addressTargets(party, source, asked, cluster, options));
}

/** An address of a Service, a node's port, or just that end. */
function addressTargets(
  party: Party,
  source: Party,
  asked: Traffic,
  cluster: Cluster,
  options: ReferenceOptions,
): readonly Target[] {
  if (party.kind === "address") {
    const has = (addresses: readonly Address[]) => addresses.some((item) => sameAddress(item, party.address));
    const inner = cluster.services.find((service) => has(service.clusterIPs));
    if (inner !== undefined) return dial(inner, "cluster", [party.address], undefined, source, asked, cluster, options);
    const outer = cluster.services.find((service) => has(service.outerIPs));
    if (outer !== undefined) return dial(outer, "outer", [party.address], undefined, source, asked, cluster, options);
    if (declared(options.serviceCIDRs).some((prefix) => isInside(party.address, prefix)))
      return [{ answer: uncertain({ code: "unknown-service", detail: `${party.address.value}` }) }];
  }
  if (party.kind === "node" && hasPorts(asked.protocol)) {
    const service = cluster.services.find((item) =>
      item.ports.some((port) => port.nodePort === asked.port && port.protocol === asked.protocol && port.nodePort > 0),
    );
    if (service !== undefined) return dial(service, "node", party.addresses, party, source, asked, cluster, options);
    const published = hostPortTargets(party, asked, cluster);
    if (published.length > 0) return published;
  }
  return [{ party, port: asked.port, dialled: undefined }];
}

/** hostPort: the node's port leads to the pod's container port (WL-15). */
function hostPortTargets(node: NodeParty, asked: Traffic, cluster: Cluster): readonly Target[] {
  return cluster.pods
    .filter((pod) => !pod.hostNetwork && node.node !== undefined && pod.node === node.node.name)
    .flatMap((pod) =>
      pod.ports
        .filter((port) => port.hostPort === asked.port && port.protocol === asked.protocol)
        .filter((port) => {
          const host = parseAddress(port.hostIP);
          return host === undefined || node.addresses.some((own) => sameAddress(own, host));
        })
        .map((port): Target => ({ party: { kind: "pod", pod }, port: port.port, dialled: undefined })),
    );
}

/** A Service asked by its name: its ClusterIP, its pods when headless, or what its name resolves to. */
function serviceTargets(
  service: Service,
  source: Party,
  asked: Traffic,
  cluster: Cluster,
  options: ReferenceOptions,
): readonly Target[] {
  if (service.type === "ExternalName") {
    // SVC-05: a CNAME; nothing is translated.
    const end = nameEndpoint(service.externalName, cluster, options);
    return end.kind === "service" && end.service === service
      ? [{ answer: uncertain({ code: "name-not-resolved", detail: service.externalName }) }]
      : targetsOf(end, source, asked, cluster, options);
  }
  if (service.headless) {
    // SVC-02: DNS gives the pods; the client dials the port it chose.
    const ends = backendsOf(service, cluster, options).map((backend) => backend.party);
    if (ends.length === 0) return [{ answer: uncertain(noBackends(service)) }];
    return ends.map((party) => ({ party, port: asked.port, dialled: undefined }));
  }
  return dial(service, "cluster", service.clusterIPs, undefined, source, asked, cluster, options);
}

interface Backend {
  readonly party: Party;
  readonly pod: Pod | undefined;
  /** The backend's own port for a Service port; undefined when it serves none. */
  readonly portFor: (port: ServicePort) => number | undefined;
}

/** The pods that a Service selects, or the addresses that somebody wrote down (SVC-07, R8.1). */
function backendsOf(service: Service, cluster: Cluster, options: ReferenceOptions): readonly Backend[] {
  const pods = selectedBy(service, cluster.pods).map((pod) => ({
    party: partyOfPod(pod, cluster),
    pod,
    portFor: (port: ServicePort) => targetPortOf(port, pod),
  }));
  if (service.selector.size > 0) return pods;
  return service.written.map((endpoint) => ({
    party: partyOfAddress(endpoint.address, cluster, options),
    pod: undefined,
    portFor: (port: ServicePort) =>
      endpoint.ports.find((item) => item.protocol === port.protocol && item.name === port.name)?.port ??
      (endpoint.ports.length === 1 ? endpoint.ports[0]?.port : undefined),
  }));
}

function noBackends(service: Service): Because {
  return { code: "service-without-backends", detail: `${service.namespace}/${service.name}` };
}

/** Through an address of the Service: to each backend, on its target port (SVC-01, SVC-08, SVC-10). */
function dial(
  service: Service,
  entry: Dialled["entry"],
  addresses: readonly Address[],
  node: NodeParty | undefined,
  source: Party,
  asked: Traffic,
  cluster: Cluster,
  options: ReferenceOptions,
): readonly Target[] {
  const name = `${service.namespace}/${service.name}`;
  if (isIcmp(asked.protocol) || !hasPorts(asked.protocol))
    return [{ answer: uncertain({ code: "service-address", detail: `${asked.protocol} to ${name}` }) }];
  const port = service.ports.find(
    (item) => item.protocol === asked.protocol && (entry === "node" ? item.nodePort : item.port) === asked.port,
  );
  if (port === undefined)
    return [{ answer: impossible({ code: "no-such-port", detail: `${asked.port}/${asked.protocol} of ${name}` }) }];
  const dialled: Dialled = { service, entry, addresses, node, port: asked.port };
  const all = backendsOf(service, cluster, options);
  // R8.2: nothing answers; endpoints that somebody may have written by hand are not told.
  if (all.length === 0) return [{ answer: (service.selector.size > 0 ? impossible : uncertain)(noBackends(service)) }];
  const local = all.filter((backend) => isServed(backend, dialled, source));
  const targets = local.flatMap((backend) => {
    const number = backend.portFor(port);
    return number === undefined ? [] : [{ party: backend.party, port: number, dialled }];
  });
  return targets.length > 0 ? targets : [{ answer: impossible(noBackends(service)) }];
}

/** Traffic policy `Local`: only backends on the receiving node, or on the client's own (SVC-11). */
function isServed(backend: Backend, dialled: Dialled, source: Party): boolean {
  const there = backend.pod?.node;
  if (there === undefined) return true;
  if (dialled.entry === "node" && dialled.service.externalTrafficPolicy === "Local" && source.kind !== "pod")
    return dialled.node?.node === undefined || dialled.node.node.name === there;
  if (dialled.entry === "cluster" && dialled.service.internalTrafficPolicy === "Local" && source.kind === "pod")
    return source.pod.node === undefined || source.pod.node === there;
  return true;
}

/** A pod at a node port under `Local`, and a backend that may not be on that node. */
function isElsewhere({ source, target }: Leg, { service, entry, node }: Dialled): boolean {
  if (source.kind !== "pod" || entry !== "node" || service.externalTrafficPolicy !== "Local") return false;
  const there = target.kind === "pod" ? target.pod.node : undefined;
  return there === undefined || node?.node?.name !== there;
}

/** loadBalancerSourceRanges keep a client out before any policy, where the balancer implements them (SVC-15). */
export function isTurnedAway(leg: Leg, unknowns: Unknowns): boolean {
  const { dialled, source } = leg;
  if (dialled === undefined) return false;
  const { sourceRanges, namespace, name } = dialled.service;
  // SVC-14: kube-proxy takes a pod to the backends of other nodes too; other proxies need not.
  if (isElsewhere(leg, dialled))
    return unknowns.ask("Local holds for pods", { code: "traffic-policy", detail: `${namespace}/${name}` });
  if (dialled.entry !== "outer" || source.kind !== "address") return false;
  if (sourceRanges.length === 0 || sourceRanges.some((range) => isInside(source.address, range))) return false;
  return unknowns.ask("source ranges are implemented", { code: "source-ranges", detail: `${namespace}/${name}` });
}

/** The families that both ends have; an end without told addresses may have any that its range declares. */
function familiesOf(
  source: Party,
  target: Party,
  fixed: Family | undefined,
  options: ReferenceOptions,
): { list: readonly Family[]; told: boolean } {
  if (fixed !== undefined) return { list: [fixed], told: true };
  const ends = [source, target].map((party) => ({
    party,
    families: toldFamilies(party, options),
  }));
  const known = ends.filter((end) => end.families.length > 0);
  if (known.length === 0) return { list: ["IPv4", "IPv6"], told: false };
  const common = (["IPv4", "IPv6"] as const).filter((family) => known.every((end) => end.families.includes(family)));
  if (common.length > 0) return { list: common, told: true };
  // No family in common: judge it as the end that was asked for by its address would be.
  const explicit = known.find((end) => end.party.kind === "address") ?? known[0];
  return { list: explicit?.families ?? ["IPv4"], told: true };
}

function toldFamilies(party: Party, options: ReferenceOptions): readonly Family[] {
  if (party.kind === "name") return [party.family];
  const own = addressesOf(party).map((address) => address.family);
  if (own.length > 0) return [...new Set(own)];
  if (party.kind === "pod") return [...new Set(declared(options.podCIDRs).map((prefix) => prefix.family))];
  if (party.kind === "node") return [...new Set(declared(options.nodeCIDRs).map((prefix) => prefix.family))];
  return [];
}
