/**
 * Services as hops: whom a dialled name, address or node port leads to, and whom the policies of both ends then see
 * (kubernetes.md section 4, cilium.md section 8). Translation comes before policy: a rule sees the backend and its port
 * (K8-45, R8.1). What the source is on arrival follows from the way; where the input does not tell it, every possibility
 * is kept.
 */
import type { Because } from "../base/because.ts";
import { type Backend, headlessBackends, resolveService } from "../model/backends.ts";
import { podTraits } from "../model/pods.ts";
import { inOrder, workloadsByNamespace } from "../model/world-index.ts";
import type { PodInstance, Service, ServicePort, Workload, World } from "../model/world.ts";
import {
  type Address,
  addressSetHas,
  addressSubtract,
  addressIntersect,
  type Family,
  formatAddress,
  maxAddress,
} from "../net/address.ts";
import { hasPorts, type Protocol } from "../net/protocol.ts";
import type { PolicySet } from "../policy/rule.ts";
import { type ServiceTraits, UNSPECIFIED_SERVICES } from "../policy/service-traits.ts";
import { type Endpoint, endpointFamilies } from "./endpoint.ts";
import type { Hop, RouteHop } from "./hop.ts";
import type { Inventory } from "./inventory.ts";

type NodeEndpoint = Extract<Endpoint, { kind: "node" }>;

/** What is dialled. */
export type Dial =
  | { readonly kind: "end"; readonly endpoint: Endpoint }
  /** A Service by its name: its cluster address, its pods where it is headless, what its alias stands for. */
  | { readonly kind: "service"; readonly service: Service }
  /** A cluster address, or one that a load balancer or a node answers for the Service. */
  | {
      readonly kind: "address";
      readonly service: Service;
      readonly address: Address;
      readonly entry: "cluster" | "outer";
    }
  /** An address of a node: one of its own ports, a node port of a Service, or a port of the host that a pod has. */
  | { readonly kind: "node"; readonly node: NodeEndpoint; readonly address?: Address };

/** How the filters of both ends see one connection. */
export interface Sighting {
  /** Whom the source's own filter sees, and on which port. */
  readonly towards: { readonly endpoint: Endpoint; readonly port: number };
  /** Whom the destination's filter sees. */
  readonly source: Endpoint;
  /** When it is so; absent where it is so in any case. */
  readonly when?: string;
  /** What is not known where it differs from the one before; absent: what the delivery says. */
  readonly unclear?: Because;
}

/** One end to which a dialled name leads. */
export interface Delivery {
  readonly endpoint: Endpoint;
  /** The port on which the connection arrives. */
  readonly port: number;
  readonly hops: readonly Hop[];
  /** Absent: every family that both ends have. */
  readonly families?: readonly Family[];
  /** Which of them holds is not known where there are several. Never empty. */
  readonly sightings: readonly Sighting[];
  /** Why it is not sure that the connection comes here at all. */
  readonly doubt: readonly Because[];
  /** The Service on the way; absent for a direct connection. */
  readonly service?: Service;
  /** What is not known where there are several sightings; absent: the source's address. */
  readonly unclear?: Because;
}

export interface Delivered {
  readonly deliveries: readonly Delivery[];
  /** Ways that end before any end is reached. */
  readonly stops: readonly RouteHop[];
}

/** How a connection came to the Service. */
type Entry =
  | { readonly kind: "cluster" }
  /** `node`: where it entered; absent where that is not known. */
  | { readonly kind: "outer" | "node"; readonly node?: NodeEndpoint; readonly address?: Address };

/** A port of its node that leads to a pod. */
interface HostPort {
  readonly workload: Workload;
  readonly pod: PodInstance;
  readonly port: number;
  readonly address?: Address;
}

const HOST_PORTS = new WeakMap<readonly Workload[], ReadonlyMap<string, readonly HostPort[]>>();

/** Of the workloads of a namespace: the pods that have a port of the host, by `port/protocol`. */
function hostPortsOf(workloads: readonly Workload[]): ReadonlyMap<string, readonly HostPort[]> {
  const known = HOST_PORTS.get(workloads);
  if (known !== undefined) return known;
  const byPort = new Map<string, HostPort[]>();
  for (const workload of workloads) {
    for (const pod of workload.pods) {
      const traits = podTraits(workload, pod);
      if (traits.hostNetwork) continue;
      for (const { hostPort, hostAddress, port, protocol } of traits.ports) {
        if (hostPort === undefined) continue;
        const key = `${hostPort}/${protocol}`;
        const list = byPort.get(key) ?? [];
        list.push({ workload, pod, port, ...(hostAddress === undefined ? {} : { address: hostAddress }) });
        byPort.set(key, list);
      }
    }
  }
  HOST_PORTS.set(workloads, byPort);
  return byPort;
}

export class Services {
  private readonly world: World;
  private readonly inventory: Inventory;
  private readonly traits: ServiceTraits;
  /** Declared resolutions: lower-case names with a trailing dot. */
  private readonly names: ReadonlyMap<string, readonly Address[]> | undefined;
  private readonly policies: PolicySet;
  private seesDialled: boolean | undefined;
  private readonly dialledEnds = new WeakMap<Endpoint, Map<string, Endpoint>>();
  private allNodes: readonly NodeEndpoint[] | undefined;
  private readonly nodePorts = new Map<string, { readonly service: Service; readonly port: ServicePort }>();
  private readonly clusterAddresses = new Map<string, Service>();
  private readonly outerAddresses = new Map<string, Service[]>();

  constructor(
    world: World,
    inventory: Inventory,
    policies: PolicySet,
    names: ReadonlyMap<string, readonly Address[]> | undefined,
  ) {
    this.names = names;
    this.world = world;
    this.inventory = inventory;
    this.traits = policies.services ?? UNSPECIFIED_SERVICES;
    this.policies = policies;
    for (const service of world.services) {
      for (const port of service.ports) {
        if (port.nodePort !== undefined) this.nodePorts.set(`${port.nodePort}/${port.protocol}`, { service, port });
      }
      for (const address of service.clusterIPs) this.clusterAddresses.set(formatAddress(address), service);
      for (const address of [...service.loadBalancerAddresses, ...service.externalIPs]) {
        const text = formatAddress(address);
        this.outerAddresses.set(text, [...(this.outerAddresses.get(text) ?? []), service]);
      }
    }
  }

  /** Whether some rule may see the address of a Service instead of its backend's (kubernetes.md K8-26). */
  private get untranslated(): boolean {
    this.seesDialled ??= this.policies.policies.some((policy) =>
      policy.rules.some((rule) =>
        rule.peers.some((peer) => peer.kind === "addresses" && peer.untranslated === "maybe"),
      ),
    );
    return this.seesDialled;
  }

  /** The pods that have a port of the host, by `port/protocol`. */
  private hostPortsOf(key: string): readonly HostPort[] {
    const namespaces = [...workloadsByNamespace(this.world).values()];
    return inOrder(
      this.world,
      namespaces.flatMap((workloads) => hostPortsOf(workloads).get(key) ?? []),
    );
  }

  /** What an address is dialled for: a Service that has it with that port, or `undefined` for an ordinary end. */
  dialOf(address: Address, protocol: Protocol, port: number): Dial | undefined {
    const text = formatAddress(address);
    const outer = this.outerAddresses.get(text) ?? [];
    const serving = outer.find((service) => portOf(service, protocol, port) !== undefined);
    if (serving !== undefined) return { kind: "address", service: serving, address, entry: "outer" };
    const cluster = this.clusterAddresses.get(text);
    if (cluster !== undefined) return { kind: "address", service: cluster, address, entry: "cluster" };
    const [first] = outer;
    // An address that a node shares with a load balancer is the node's on every other port.
    if (first === undefined || this.inventory.nodeAt(address) !== undefined) return undefined;
    return { kind: "address", service: first, address, entry: "outer" };
  }

  /** Where a dialled port leads; the port is the Service's where a Service is dialled by name or address. */
  deliver(from: Endpoint, dial: Dial, protocol: Protocol, port: number): Delivered {
    switch (dial.kind) {
      case "end":
        return direct(from, dial.endpoint, port);
      case "service":
        return this.toService(from, dial.service, protocol, port, { kind: "cluster" });
      case "address": {
        const families = [dial.address.family];
        const entry: Entry = dial.entry === "cluster" ? { kind: "cluster" } : { kind: "outer", address: dial.address };
        const turned = dial.entry === "outer" ? this.turnedAway(from, dial.service) : undefined;
        if (turned?.verdict === "deny") return { deliveries: [], stops: [turned] };
        const { deliveries, stops } = this.toService(from, dial.service, protocol, port, entry);
        const before = turned === undefined ? [] : [turned];
        return {
          deliveries: deliveries.map((one) => ({
            ...one,
            families,
            hops: [...before, ...one.hops],
            doubt: [...(turned?.because ?? []), ...one.doubt],
          })),
          stops,
        };
      }
      case "node":
        return this.toNode(from, dial.node, protocol, port, dial.address);
    }
  }

  /** The ends behind a Service, whichever port they serve: for whom it stands as a source. */
  behind(service: Service): readonly Endpoint[] {
    const backends = service.headless
      ? headlessBackends(this.world, service, 0)
      : resolveService(this.world, service).flatMap((one) => one.backends);
    return [...new Set(backends.flatMap((backend) => this.endpointOf(backend) ?? []))];
  }

  /**
   * A connection from outside that enters by a Service at some node, which one is not told, and meets this backend; or,
   * without a Service, that comes straight to the pod.
   */
  entering(
    from: Endpoint,
    endpoint: Endpoint,
    port: number,
    way: { readonly service: Service; readonly kind: "outer" | "node"; readonly port: ServicePort } | undefined,
  ): Delivery {
    if (way === undefined)
      return { endpoint, port, hops: [], sightings: [{ towards: { endpoint, port }, source: from }], doubt: [] };
    const { service, kind } = way;
    const dialled = (kind === "node" ? way.port.nodePort : undefined) ?? way.port.port;
    const hop: Hop = { kind: "rewrite", service: serviceName(service), detail: `${way.port.port} → ${port}` };
    const sightings = this.sightings(from, endpoint, port, service, { kind }, dialled);
    return { endpoint, port, hops: [hop], sightings, doubt: [], service };
  }

  // ── a Service ────────────────────────────────────────────────────────────────────────────────────────────────────

  private toService(from: Endpoint, service: Service, protocol: Protocol, port: number, entry: Entry): Delivered {
    const name = serviceName(service);
    if (service.type === "ExternalName") return this.toAlias(from, service, port);
    if (service.headless) {
      const hop: Hop = {
        kind: "rewrite",
        service: name,
        detail: "headless: the name tells the pods, and nothing is translated",
      };
      return this.toBackends(from, service, headlessBackends(this.world, service, port), hop, entry, port);
    }
    const served = portOf(service, protocol, port);
    if (served === undefined) return stopped(name, `has no port ${port}/${protocol}`, service);
    const backends = resolveService(this.world, service).find((one) => one.port === served)?.backends ?? [];
    const hop = (backend: Backend): Hop => ({ kind: "rewrite", service: name, detail: `${port} → ${backend.port}` });
    return this.toBackends(from, service, backends, hop, entry, port);
  }

  /**
   * SVC-05: nothing is translated; the client resolves another name. To which addresses the name resolves the user may
   * declare. Where nobody tells, the specification does not keep it from being that of a pod (KX-84).
   */
  private toAlias(from: Endpoint, service: Service, port: number): Delivered {
    const alias = service.externalName ?? "";
    const hop: Hop = { kind: "rewrite", service: serviceName(service), detail: `an alias of ${alias}` };
    const known = this.names?.get(`${alias.toLowerCase().replace(/\.$/, "")}.`);
    if (known !== undefined) {
      const ends = known.flatMap((address) => {
        const resolved = this.inventory.address(address, `ip:${formatAddress(address)}`);
        return resolved.kind === "endpoints" ? resolved.members : [];
      });
      return { deliveries: ends.flatMap((end) => through(hop, direct(from, end, port).deliveries)), stops: [] };
    }
    const resolved = this.inventory.resolve(`fqdn:${alias}`);
    if (resolved.kind !== "endpoints") return stopped(serviceName(service), `is an alias of ${alias}`, service);
    const inside = this.traits.cilium === undefined ? this.somePods() : [];
    const deliveries = resolved.members.map((endpoint): Delivery => {
      const outside: Sighting = { towards: { endpoint, port }, source: from, when: `${alias} is outside` };
      const reachable = inside.filter(
        (pod) => endpoint.kind !== "name" || endpointFamilies(pod).includes(endpoint.family),
      );
      const others = reachable.map(
        (pod): Sighting => ({ towards: { endpoint: pod, port }, source: from, when: `${alias} is ${pod.name}` }),
      );
      const sightings = settled([outside, ...others]);
      const unclear: Because = { code: "name-not-resolved", detail: alias };
      return { endpoint, port, hops: [hop], sightings, doubt: [], unclear };
    });
    return { deliveries, stops: [] };
  }

  /** Pods of the input, one for each workload. */
  private somePods(): readonly Endpoint[] {
    return this.inventory.groups.flatMap(({ members }) => members.slice(0, 1));
  }

  private toBackends(
    from: Endpoint,
    service: Service,
    backends: readonly Backend[],
    hop: Hop | ((backend: Backend) => Hop),
    entry: Entry,
    dialled: number,
  ): Delivered {
    const name = serviceName(service);
    if (backends.length === 0) return this.withoutBackends(service);
    const deliveries = backends.flatMap((backend): readonly Delivery[] => {
      const endpoint = this.endpointOf(backend);
      if (endpoint === undefined) return [];
      const local = this.isServed(from, endpoint, service, entry);
      if (local === "no") return [];
      const doubt: Because[] = [];
      if (backend.kind === "pod" && backend.member === "maybe") {
        doubt.push({ code: "unknown-label", detail: `whether ${name} selects ${endpoint.name}` });
      }
      if (local !== "yes") doubt.push(local);
      const hops = [typeof hop === "function" ? hop(backend) : hop];
      const sightings: readonly Sighting[] = service.headless
        ? [{ towards: { endpoint, port: backend.port }, source: from }]
        : this.untranslatedToo(
            from,
            service,
            entry,
            this.sightings(from, endpoint, backend.port, service, entry, dialled),
          );
      return [
        {
          endpoint,
          port: backend.port,
          hops,
          ...familiesOf(service),
          sightings,
          doubt,
          // The client of a headless Service dials a pod's own address.
          ...(service.headless ? {} : { service }),
        },
      ];
    });
    if (deliveries.length > 0) return { deliveries, stops: [] };
    const where = entry.kind === "cluster" ? "the client's node" : "the node that it enters";
    return stopped(name, `has no backend on ${where}, and its traffic policy is Local`, service);
  }

  private withoutBackends(service: Service): Delivered {
    const name = serviceName(service);
    if (service.selector !== undefined) return stopped(name, "has no backend for this port", service);
    // Endpoints are somebody's to write, and the input does not have them (SVC-07).
    const because: Because = { code: "missing-object", detail: `the endpoints of ${name}, which has no selector` };
    const hop = stopped(name, "has no selector, and the input has no endpoints of it", service).stops;
    return { deliveries: [], stops: hop.map((stop) => ({ ...stop, verdict: "unsure", because: [because] })) };
  }

  endpointOf(backend: Backend): Endpoint | undefined {
    if (backend.kind === "pod") return this.inventory.memberOf(backend.workload, backend.pod);
    const resolved = this.inventory.address(backend.address, `ip:${formatAddress(backend.address)}`);
    return resolved.kind === "endpoints" ? resolved.members[0] : undefined;
  }

  /** SVC-11: with a traffic policy Local only backends on the client's, or the entered, node serve. */
  private isServed(from: Endpoint, backend: Endpoint, service: Service, entry: Entry): "yes" | "no" | Because {
    const there = nodeNameOf(backend);
    if (entry.kind === "cluster") {
      if (service.internalTrafficPolicy !== "Local" || service.headless || from.kind === "outside") return "yes";
      return sameNode(nodeNameOf(from), there, backend);
    }
    if (service.externalTrafficPolicy !== "Local" || entry.node === undefined) return "yes";
    const here = entry.node.relation === "same" ? nodeNameOf(from) : entry.node.nodeName;
    const same = sameNode(here, there, backend);
    if (same === "yes" || from.kind === "outside" || from.kind === "node") return same;
    // SVC-14: kube-proxy takes clients inside the cluster to every backend; others need not.
    return {
      code: "undefined-by-specification",
      detail: `clients inside the cluster at a node port of ${serviceName(service)}`,
    };
  }

  // ── whom the filters see ─────────────────────────────────────────────────────────────────────────────────────────

  private sightings(
    from: Endpoint,
    endpoint: Endpoint,
    port: number,
    service: Service,
    entry: Entry,
    dialled: number,
  ): readonly Sighting[] {
    const towards = { endpoint, port };
    // SVC-12, R8.1: inside the cluster the source stays what it is.
    if (entry.kind === "cluster") return [{ towards, source: from }];
    const kept: Sighting = { towards, source: from, when: "the client's address is kept" };
    const { cilium } = this.traits;
    return cilium === undefined
      ? this.unspecified(from, towards, service, entry, kept)
      : this.byCilium(from, towards, service, entry, dialled, kept);
  }

  /**
   * Each of them twice where a rule may see the address that was dialled: with that, and with the backend's (K8-26). Where
   * nobody tells the address, the backend's is compared, as networks normally do (K8-45).
   */
  private untranslatedToo(
    from: Endpoint,
    service: Service,
    entry: Entry,
    seen: readonly Sighting[],
  ): readonly Sighting[] {
    if (!this.untranslated || from.kind !== "pod") return seen;
    const name = serviceName(service);
    const addresses =
      entry.kind === "cluster"
        ? service.clusterIPs
        : entry.address !== undefined
          ? [entry.address]
          : (entry.node?.addresses ?? []);
    if (addresses.length === 0) return seen;
    const unclear: Because = {
      code: "undefined-by-specification",
      detail: `whether blocks of addresses see ${name} or its backends`,
    };
    const before = "policies see the address of the Service";
    return seen.flatMap((one): readonly Sighting[] => [
      one,
      {
        ...one,
        towards: { ...one.towards, endpoint: this.dialledAs(one.towards.endpoint, name, addresses) },
        when: one.when === undefined ? before : `${one.when}, and ${before}`,
        unclear,
      },
    ]);
  }

  /** The end as a filter sees it that knows the dialled address alone; the same object for the same question. */
  private dialledAs(endpoint: Endpoint, service: string, addresses: readonly Address[]): Endpoint {
    if (endpoint.kind === "name" || endpoint.kind === "reserved") return endpoint;
    const known = this.dialledEnds.get(endpoint) ?? new Map<string, Endpoint>();
    this.dialledEnds.set(endpoint, known);
    const key = `${service} ${addresses.map(formatAddress).join()}`;
    const end = known.get(key) ?? { ...endpoint, dialled: { service, addresses } };
    known.set(key, end);
    return end;
  }

  /** SVC-11, SVC-14: `Local` keeps a client from outside; else the node that it enters may stand for it. */
  private unspecified(
    from: Endpoint,
    towards: Sighting["towards"],
    service: Service,
    entry: Exclude<Entry, { kind: "cluster" }>,
    kept: Sighting,
  ): readonly Sighting[] {
    if (service.externalTrafficPolicy === "Local" && from.kind !== "pod") return [{ towards, source: from }];
    const there = nodeNameOf(towards.endpoint);
    const nodes = entry.node === undefined ? this.forwarders() : [entry.node];
    const forwarded = nodes.flatMap((node): readonly Sighting[] => {
      const stands: Sighting = { towards, source: node, when: `${nodeText(node)} stands for the client` };
      if (node.nodeName === undefined || node.nodeName !== there) return [stands];
      // What the pod's own node forwards is not its own traffic, which alone may always pass (K8-38): both are possible.
      const address: Sighting = {
        towards,
        source: { ...node, relation: "other" },
        when: `the address of ${node.name} stands for the client, and nothing more`,
      };
      return [stands, address];
    });
    const [only] = nodes;
    const elsewhere = only?.nodeName !== undefined && there !== undefined && only.nodeName !== there;
    // Another node must put its own address there, so that the answer comes back through it.
    if (nodes.length === 1 && elsewhere && from.kind === "outside") return settled(forwarded);
    return [kept, ...forwarded];
  }

  /** The nodes that may forward what enters somewhere: those of the input, where it tells all of them, else some node. */
  private forwarders(): readonly NodeEndpoint[] {
    this.allNodes ??= knownNodes(this.world, this.inventory);
    return this.allNodes;
  }

  /** R8.1 for pods, R8.4 for clients outside. */
  private byCilium(
    from: Endpoint,
    towards: Sighting["towards"],
    service: Service,
    entry: Exclude<Entry, { kind: "cluster" }>,
    dialled: number,
    kept: Sighting,
  ): readonly Sighting[] {
    const { kubeProxyReplacement, routing, directReturn } = this.traits.cilium ?? NO_CILIUM;
    if (from.kind === "pod") {
      const out: Sighting[] = [];
      if (kubeProxyReplacement !== "no") out.push({ ...kept, when: "Cilium translates at the pod" });
      if (kubeProxyReplacement !== "yes") {
        const seen = this.dialledEnd(entry, towards.endpoint);
        const node = entry.node ?? SOME_NODE;
        const before = { endpoint: seen, port: dialled };
        out.push({
          towards: before,
          source: from,
          when: "kube-proxy translates after the pod's policy and keeps its address",
        });
        out.push({
          towards: before,
          source: node,
          when: `kube-proxy translates after the pod's policy, and ${nodeText(node)} stands for it`,
        });
      }
      return settled(out);
    }
    if (from.kind !== "outside" && from.kind !== "name") return [{ towards, source: from }];
    const protocol = service.ports.find((p) => p.port === dialled || p.nodePort === dialled)?.protocol ?? "TCP";
    if (service.externalTrafficPolicy === "Local" || directReturn.includes(protocol))
      return [{ towards, source: from }];
    const here = entry.node?.relation === "known" ? entry.node.nodeName : undefined;
    const there = nodeNameOf(towards.endpoint);
    const known = here !== undefined && there !== undefined;
    const out: Sighting[] = [];
    if (!known || here === there) {
      if (kubeProxyReplacement !== "no") out.push({ ...kept, when: "it enters at the node of the backend" });
      if (kubeProxyReplacement !== "yes") {
        out.push({ towards, source: LOCAL_NODE, when: "kube-proxy on the node of the backend stands for it" });
      }
    }
    if (!known || here !== there) {
      const node = entry.node?.relation === "known" ? entry.node : OTHER_NODE;
      if (routing !== "tunnel" || kubeProxyReplacement !== "yes") {
        out.push({ towards, source: node, when: "another node forwards it under its own address" });
        const apiServer =
          node === OTHER_NODE ? this.world.nodes.find((n) => n.apiServer && n.name !== there) : undefined;
        if (apiServer !== undefined) {
          out.push({
            towards,
            source: { ...OTHER_NODE, node: apiServer },
            when: "a node of the API server forwards it",
          });
        }
      }
      if (routing !== "native" && kubeProxyReplacement !== "no") {
        out.push({
          towards,
          source: anonymous(from),
          when: "another node forwards it through a tunnel, as the outside",
        });
      }
    }
    return settled(out);
  }

  /** What a filter before translation sees. */
  private dialledEnd(entry: Exclude<Entry, { kind: "cluster" }>, fallback: Endpoint): Endpoint {
    if (entry.node !== undefined) return entry.node;
    if (entry.address === undefined) return fallback;
    const { address } = entry;
    const node = this.inventory.nodeAt(address);
    if (node !== undefined) return node;
    const range = { family: address.family, first: address.value, last: address.value };
    return { kind: "outside", range, name: `ip:${formatAddress(address)}` };
  }

  // ── a node ───────────────────────────────────────────────────────────────────────────────────────────────────────

  private toNode(
    from: Endpoint,
    node: NodeEndpoint,
    protocol: Protocol,
    port: number,
    address: Address | undefined,
  ): Delivered {
    if (!hasPorts(protocol)) return direct(from, node, port);
    const families = address === undefined ? {} : { families: [address.family] };
    const named = this.nodePorts.get(`${port}/${protocol}`);
    if (named !== undefined) {
      const { service } = named;
      const entry: Entry = { kind: "node", node, ...(address === undefined ? {} : { address }) };
      const backends = resolveService(this.world, service).find((one) => one.port === named.port)?.backends ?? [];
      const hop = (backend: Backend): Hop => ({
        kind: "rewrite",
        service: serviceName(service),
        detail: `node port ${port} → ${backend.port}`,
      });
      const delivered = this.toBackends(from, service, backends, hop, entry, port);
      return { ...delivered, deliveries: delivered.deliveries.map((one) => ({ ...one, ...families })) };
    }
    return this.toHostPort(from, node, `${port}/${protocol}`, port, address);
  }

  /** WL-15: the port of a host leads to a pod on it; the pod's policy sees its own port and, as a rule, the client. */
  private toHostPort(
    from: Endpoint,
    node: NodeEndpoint,
    key: string,
    port: number,
    address: Address | undefined,
  ): Delivered {
    const here = node.relation === "same" ? nodeNameOf(from) : node.nodeName;
    const deliveries: Delivery[] = [];
    let settled = false;
    for (const published of this.hostPortsOf(key)) {
      if (published.address !== undefined && !answers(published.address, node, address)) continue;
      const endpoint = this.inventory.memberOf(published.workload, published.pod);
      if (endpoint === undefined) continue;
      const same = sameNode(here, nodeNameOf(endpoint), endpoint);
      if (same === "no") continue;
      if (same === "yes") settled = true;
      const towards = { endpoint, port: published.port };
      const own = from.kind === "outside" ? "no" : sameNode(nodeNameOf(from), nodeNameOf(endpoint), endpoint);
      const kept: Sighting = { towards, source: from };
      deliveries.push({
        endpoint,
        port: published.port,
        hops: [
          { kind: "rewrite", service: `host port ${port} of ${endpoint.name}`, detail: `${port} → ${published.port}` },
        ],
        ...(address === undefined ? {} : { families: [address.family] }),
        sightings:
          own === "no"
            ? [kept]
            : [
                { ...kept, when: "the client's address is kept" },
                { towards, source: node, when: `${nodeText(node)} stands for the client` },
              ],
        doubt: same === "yes" ? [] : [same],
      });
    }
    if (settled) return { deliveries, stops: [] };
    // Where no pod of the node surely has the port, it may be the node's own.
    const { deliveries: own } = direct(from, node, port);
    const doubt = deliveries.flatMap((one) => one.doubt);
    return { deliveries: [...deliveries, ...own.map((one) => ({ ...one, doubt }))], stops: [] };
  }

  /** SVC-15: clients outside the ranges of a load balancer are turned away before any policy, where that is implemented. */
  turnedAway(from: Endpoint, service: Service): RouteHop | undefined {
    const { sourceRanges } = service;
    if (sourceRanges === undefined || from.kind !== "outside") return undefined;
    const own = [from.range];
    if (addressSubtract(own, sourceRanges).length === 0) return undefined;
    const partly = addressIntersect(own, sourceRanges).length > 0;
    const unsure = partly || this.traits.sourceRanges !== "yes";
    const detail = `${from.name} is ${partly ? "partly " : ""}outside its loadBalancerSourceRanges`;
    const because: Because = partly
      ? { code: "unknown-address", detail: from.name }
      : {
          code: "undefined-by-specification",
          detail: `whether the load balancer of ${serviceName(service)} heeds loadBalancerSourceRanges`,
        };
    return {
      kind: "route",
      at: `load balancer of ${serviceName(service)}`,
      detail,
      verdict: unsure ? "unsure" : "deny",
      because: unsure ? [because] : [],
      ...placed(service, ["spec", "loadBalancerSourceRanges"]),
    };
  }
}

const NO_CILIUM: NonNullable<ServiceTraits["cilium"]> = {
  kubeProxyReplacement: "maybe",
  routing: "unknown",
  directReturn: [],
};

/** A single possibility needs no condition. */
function settled(sightings: readonly Sighting[]): readonly Sighting[] {
  const [only] = sightings;
  return sightings.length === 1 && only !== undefined ? [{ towards: only.towards, source: only.source }] : sightings;
}

// ── ends ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** More nodes than this are not gone through one by one. */
const MANY_NODES = 16;

function knownNodes(world: World, inventory: Inventory): readonly NodeEndpoint[] {
  const told = world.nodes.every((one) => one.addresses.length > 0 && one.synthesised !== true);
  if (!told || world.nodes.length === 0 || world.nodes.length > MANY_NODES) return [SOME_NODE];
  return world.nodes.map((one) => inventory.node(one.name));
}

function node(relation: NodeEndpoint["relation"], name: string): NodeEndpoint {
  return { kind: "node", node: undefined, nodeName: undefined, relation, addresses: [], name };
}

/** Some node: whether it is that of the other end is not known. */
export const SOME_NODE = node("known", "a node");
const OTHER_NODE = node("other", "another node");
const LOCAL_NODE = node("same", "the node of the backend");

/** Something outside whose address is not known. */
export const SOMEWHERE: Readonly<Record<Family, Extract<Endpoint, { kind: "outside" }>>> = {
  IPv4: { kind: "outside", range: { family: "IPv4", first: 0n, last: maxAddress("IPv4") }, name: "an address outside" },
  IPv6: { kind: "outside", range: { family: "IPv6", first: 0n, last: maxAddress("IPv6") }, name: "an address outside" },
};

/** The identity of the outside alone. */
const ANONYMOUS: Readonly<Record<Family, Endpoint>> = {
  IPv4: { ...SOMEWHERE.IPv4, name: "the outside", anonymous: true },
  IPv6: { ...SOMEWHERE.IPv6, name: "the outside", anonymous: true },
};

/** The outside without its address: only the identity travels (cilium.md R8.4). */
function anonymous(from: Extract<Endpoint, { kind: "outside" | "name" }>): Endpoint {
  return ANONYMOUS[from.kind === "outside" ? from.range.family : from.family];
}

function nodeText({ name }: NodeEndpoint): string {
  return name === "host" ? "the node" : name;
}

/** The node on which an end runs; undefined where it runs on none, or the input does not tell. */
export function nodeNameOf(endpoint: Endpoint): string | undefined {
  if (endpoint.kind === "pod") return endpoint.pod.node;
  return endpoint.kind === "node" ? endpoint.nodeName : undefined;
}

/** Whether a backend runs on a node. A DaemonSet that the input only describes has a pod on every node. */
function sameNode(here: string | undefined, there: string | undefined, backend: Endpoint): "yes" | "no" | Because {
  if (here !== undefined && there !== undefined) return here === there ? "yes" : "no";
  const everywhere = backend.kind === "pod" && backend.workload.kind === "DaemonSet" && there === undefined;
  if (everywhere) return "yes";
  return { code: "unknown-node", detail: `whether ${backend.name} runs on the node where the connection is` };
}

function answers(published: Address, node: NodeEndpoint, dialled: Address | undefined): boolean {
  const one = [{ family: published.family, first: published.value, last: published.value }];
  if (dialled !== undefined) return addressSetHas(one, dialled);
  return node.addresses.length === 0 || node.addresses.some((own) => addressSetHas(one, own));
}

function through(hop: Hop, deliveries: readonly Delivery[]): readonly Delivery[] {
  return deliveries.map((one) => ({ ...one, hops: [hop, ...one.hops] }));
}

function direct(from: Endpoint, endpoint: Endpoint, port: number): Delivered {
  const sightings = [{ towards: { endpoint, port }, source: from }];
  return { deliveries: [{ endpoint, port, hops: [], sightings, doubt: [] }], stops: [] };
}

// ── Services ───────────────────────────────────────────────────────────────────────────────────────────────────────

export function serviceName(service: Service): string {
  return `${service.namespace}/Service/${service.name}`;
}

function portOf(service: Service, protocol: Protocol, port: number): ServicePort | undefined {
  return service.ports.find((own) => own.port === port && own.protocol === protocol);
}

/** The families of its addresses; where they are not known, those of the backends. */
function familiesOf(service: Service): { readonly families?: readonly Family[] } {
  const families = new Set(service.clusterIPs.map((address) => address.family));
  return families.size === 0 ? {} : { families: [...families] };
}

function placed(service: Service, path: readonly (string | number)[]): Pick<RouteHop, "place"> {
  return service.document === undefined ? {} : { place: { document: service.document, path } };
}

function stopped(at: string, detail: string, service: Service): Delivered {
  const stop: RouteHop = { kind: "route", at, detail, verdict: "deny", because: [], ...placed(service, ["spec"]) };
  return { deliveries: [], stops: [stop] };
}
