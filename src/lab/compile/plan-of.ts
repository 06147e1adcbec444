/**
 * From the model to a lab's plan: every pod that the input describes gets a place, an address and an identity.
 *
 * What the input tells is kept (addresses, nodes, replicas, names). What it does not tell is chosen in a fixed order, so
 * that the same input gives the same lab.
 */
import { type Backend, resolveService, selectedPods } from "../../model/backends.ts";
import type { Labels } from "../../model/labels.ts";
import { podTraits } from "../../model/pods.ts";
import type { Ingress, PodInstance, Service, ServicePort, Workload, World } from "../../model/world.ts";
import {
  type Address,
  type AddressRange,
  type Family,
  formatAddress,
  parsePrefix,
  prefixRange,
} from "../../net/address.ts";
import type { Dialect } from "../../policy/dialect.ts";
import { LabError } from "../failure.ts";
import type {
  Plan,
  PlannedBackend,
  PlannedDns,
  PlannedIngress,
  PlannedIngressPath,
  PlannedIngressRule,
  PlannedNode,
  PlannedPod,
  PlannedPort,
  PlannedService,
  PlannedServicePort,
} from "../plan.ts";
import { AddressPool } from "./address-pool.ts";
import { type IdentityNumbers, Population } from "./population.ts";

/** A plan with what connects it to the model. */
export interface LabPlan {
  readonly plan: Plan;
  readonly population: Population;
  /** The planned pods of each pod of the model: several where one stands for the replicas of a workload. */
  readonly podsOf: ReadonlyMap<PodInstance, readonly PlannedPod[]>;
  readonly placement: Placement;
}

/** Ranges for what the input does not tell, as common installers set them; load balancers from RFC 2544's range. */
const RANGES = {
  pods: { IPv4: "10.244.0.0/16", IPv6: "fd00:10:244::/64" },
  nodes: { IPv4: "172.18.0.0/16", IPv6: "fd00:172:18::/64" },
  services: { IPv4: "10.96.0.0/16", IPv6: "fd00:10:96::/112" },
  balancers: { IPv4: "198.18.0.0/15", IPv6: "2001:db8:feed::/64" },
} as const satisfies Record<string, Record<Family, string>>;

/** Who has addresses without being an object of the input. */
const INGRESS = "ingress";
const DNS_SERVICE = "kube-system/kube-dns";
const DNS_POD = "kube-system/coredns";

const DOMAIN = "cluster.local";
const FIRST_NODE_PORT = 30_000;

/** What a lab had before a change: who stays keeps addresses, numbers and nodes. */
export interface Predecessor {
  readonly plan: Plan;
  readonly numbers: IdentityNumbers;
  readonly placement: Placement;
}

/** What is wanted beyond what the input tells. */
export interface Placement {
  /** How many nodes there are at least; where the input has fewer, further ones are made up. */
  readonly nodes: number;
  /** The nodes of pods that were moved, by `namespace/name`. */
  readonly moved: Readonly<Record<string, string>>;
  /** The proxy that serves Ingress objects stands although there is none. */
  readonly ingress?: true;
}

/** Nodes and pods as the input tells. */
export const AS_TOLD: Placement = { nodes: 0, moved: {} };

/**
 * Plans the lab. Takes the world, the dialect that names its identities, what was planned before a change, and what is
 * wanted beyond. Throws LabError where addresses run out.
 */
export function planOf(
  world: World,
  dialect: Dialect,
  before?: Predecessor,
  placement: Placement = before?.placement ?? AS_TOLD,
): LabPlan {
  return new Planner(world, dialect, before, placement).plan();
}

/** One pod to be, before it has its address. */
interface Draft {
  readonly workload: Workload;
  readonly pod: PodInstance;
  readonly name: string;
}

class Planner {
  private readonly world: World;
  private readonly population: Population;
  private readonly families: readonly Family[];
  private readonly taken = new Set<string>();
  private readonly pools = new Map<string, AddressPool>();
  private readonly kept = new Map<string, readonly string[]>();
  private readonly placement: Placement;
  /** The nodes that pods had before. */
  private readonly places: ReadonlyMap<string, string>;
  private readonly podsOf = new Map<PodInstance, PlannedPod[]>();
  private readonly nodePorts = new Set<number>();
  /** The names outside that a lab had stay its own. */
  private readonly outside: Plan["outside"];
  /** Addresses of what every lab has or may come to have. */
  private readonly own: {
    readonly dnsService: readonly string[];
    readonly dnsPod: readonly string[];
    readonly ingress: readonly string[];
    readonly balancer: readonly string[];
  };

  constructor(world: World, dialect: Dialect, before: Predecessor | undefined, placement: Placement) {
    this.world = world;
    this.placement = placement;
    this.outside = before?.plan.outside ?? [];
    const dns = before?.plan.dns;
    const stood = [...(before?.plan.pods ?? []), ...(dns === null || dns === undefined ? [] : [dns.pod])];
    this.places = new Map(stood.map(({ name, node }) => [name, node]));
    this.population = new Population(dialect, world, before?.numbers);
    this.families = familiesOf(world);
    for (const address of knownAddresses(world)) this.taken.add(formatAddress(address));
    if (before !== undefined) this.keep(before.plan);
    // First of all, so that no pod or Service that comes or goes moves them.
    this.own = {
      dnsService: this.each("services", DNS_SERVICE),
      dnsPod: this.each("pods", DNS_POD),
      ingress: this.each("pods", INGRESS),
      balancer: this.each("balancers", INGRESS),
    };
  }

  /** What was given out before stays with whoever had it, as far as nobody else has it by right. */
  private keep(plan: Plan): void {
    const note = (key: string, addresses: readonly string[]): void => {
      if (addresses.length !== this.families.length || addresses.some((address) => this.taken.has(address))) return;
      this.kept.set(key, addresses);
    };
    for (const node of plan.nodes) note(`nodes ${node.name}`, node.addresses);
    for (const pod of plan.pods) if (!pod.hostNetwork) note(`pods ${pod.name}`, pod.addresses);
    for (const service of plan.services) {
      note(`services ${service.namespace}/${service.name}`, service.clusterIPs);
      note(`balancers ${service.namespace}/${service.name}`, service.loadBalancerIPs);
    }
    if (plan.ingress !== null) {
      note(`pods ${INGRESS}`, plan.ingress.addresses);
      note(`balancers ${INGRESS}`, plan.ingress.loadBalancerIPs);
    }
    if (plan.dns !== null) {
      note(`pods ${plan.dns.pod.name}`, plan.dns.pod.addresses);
      note(`services ${DNS_SERVICE}`, plan.dns.clusterIPs);
    }
    for (const addresses of this.kept.values()) for (const address of addresses) this.taken.add(address);
  }

  plan(): LabPlan {
    const { world, population, families } = this;
    const nodes = this.nodes();
    // A cluster that brings its own name server keeps it; any other gets one.
    const nameService = world.services.find((s) => s.namespace === "kube-system" && s.name === "kube-dns");
    const nameServer = nameService === undefined ? undefined : selectedPods(world, nameService)[0]?.pod;
    const drafts = world.workloads.flatMap((workload) => draftsOf(workload));
    const names = new Set<string>();
    const extra = this.targetPorts();
    const pods: PlannedPod[] = [];
    let dns: PlannedDns | undefined;
    const turns = new Map<string, number>();
    for (const draft of drafts) {
      const planned = this.pod(draft, nodes, names, extra, turns);
      const list = this.podsOf.get(draft.pod);
      if (list === undefined) this.podsOf.set(draft.pod, [planned]);
      else list.push(planned);
      const isNameServer = nameService === undefined ? isNameServerByItself(planned) : draft.pod === nameServer;
      if (isNameServer && dns === undefined) {
        const clusterIPs = nameService === undefined ? this.own.dnsService : this.clusterIPs(nameService);
        dns = { clusterIPs, domain: DOMAIN, pod: planned };
      } else pods.push(planned);
    }
    const served = world.services.filter((service) => dns === undefined || service !== nameService);
    const services = served.map((service) => this.service(service));
    const plan: Plan = {
      nodes,
      pods,
      services,
      ingress: world.ingresses.length === 0 && this.placement.ingress !== true ? null : this.ingress(nodes, services),
      dns: dns ?? this.dns(nodes),
      outside: this.outside,
      world: population.outside(families.length === 2, families[0] ?? "IPv4"),
    };
    return { plan, population, podsOf: this.podsOf, placement: this.placement };
  }

  private take(what: keyof typeof RANGES, family: Family): string {
    const key = `${what} ${family}`;
    let pool = this.pools.get(key);
    if (pool === undefined) {
      const declared = what === "balancers" ? [] : this.world.addressPlan[what];
      pool = new AddressPool(declared, family, rangeOf(RANGES[what][family]), this.taken);
      this.pools.set(key, pool);
    }
    const address = pool.take();
    if (address === undefined)
      throw new LabError("plan-invalid", `the range of the ${what} has no free ${family} address left`);
    return address;
  }

  /** One address for each family: those that `owner` had, else new ones. */
  private each(what: keyof typeof RANGES, owner: string): readonly string[] {
    return this.kept.get(`${what} ${owner}`) ?? this.families.map((family) => this.take(what, family));
  }

  /** The nodes of the input, and as many more as are wanted; one at least. */
  private nodes(): PlannedNode[] {
    const nodes = this.world.nodes.map((node) => ({
      name: node.name,
      addresses: node.addresses.length > 0 ? node.addresses.map(formatAddress) : this.each("nodes", node.name),
      identity: this.population.node(node),
      subject: this.population.nodeSubject(node),
    }));
    const names = new Set(nodes.map(({ name }) => name));
    for (let number = 1; nodes.length < Math.max(1, this.placement.nodes); number++) {
      const name = `node-${number}`;
      if (names.has(name)) continue;
      const node = { name, labels: new Map(), addresses: [], podCIDRs: [], apiServer: false };
      nodes.push({
        name,
        addresses: this.each("nodes", name),
        identity: this.population.node(node),
        subject: this.population.nodeSubject(node),
      });
    }
    return nodes;
  }

  /**
   * Where a pod stands: where it was moved, else where the input says, else where it was, else where its turn is.
   * A node that is gone counts for nothing.
   */
  private nodeOf(name: string, told: string | undefined, turn: number, nodes: readonly PlannedNode[]): string {
    const wanted = [this.placement.moved[name], told, this.places.get(name)];
    return (
      wanted.find((node) => node !== undefined && nodes.some((one) => one.name === node)) ??
      nodes[turn % nodes.length]?.name ??
      ""
    );
  }

  /** Ports that a Service sends to, declared by a container or not: who wrote the Service says that they are served. */
  private targetPorts(): ReadonlyMap<PodInstance, readonly PlannedPort[]> {
    const out = new Map<PodInstance, PlannedPort[]>();
    for (const service of this.world.services) {
      for (const { port, backends } of resolveService(this.world, service)) {
        for (const backend of backends) {
          if (backend.kind !== "pod") continue;
          const list = out.get(backend.pod);
          const served = { protocol: port.protocol, port: backend.port };
          if (list === undefined) out.set(backend.pod, [served]);
          else list.push(served);
        }
      }
    }
    return out;
  }

  private pod(
    draft: Draft,
    nodes: readonly PlannedNode[],
    names: Set<string>,
    extra: ReadonlyMap<PodInstance, readonly PlannedPort[]>,
    turns: Map<string, number>,
  ): PlannedPod {
    const { workload, pod } = draft;
    const { hostNetwork, ports } = podTraits(workload, pod);
    // A DaemonSet has one pod a node; everything else takes its turn.
    const turnOf = workload.kind === "DaemonSet" ? workload.id : "";
    const turn = turns.get(turnOf) ?? 0;
    turns.set(turnOf, turn + 1);
    const plain = `${workload.namespace}/${draft.name}`;
    const name = names.has(plain) ? `${plain}-${workload.kind.toLowerCase()}` : plain;
    names.add(name);
    const node = this.nodeOf(name, pod.node, turn, nodes);
    const served = new Map<string, PlannedPort>();
    for (const port of [...ports, ...(extra.get(pod) ?? [])]) {
      const key = `${port.port}/${port.protocol}`;
      if (served.has(key)) continue;
      served.set(key, {
        ...(port.name === undefined ? {} : { name: port.name }),
        protocol: port.protocol,
        port: port.port,
      });
    }
    return {
      name,
      namespace: workload.namespace,
      identity: hostNetwork ? 0 : this.population.pod(workload, pod),
      labels: plainLabels(pod.labels),
      addresses: hostNetwork
        ? []
        : pod.addresses.length > 0
          ? pod.addresses.map(formatAddress)
          : this.each("pods", name),
      hostNetwork,
      node,
      ports: [...served.values()],
    };
  }

  private clusterIPs(service: Service): readonly string[] {
    if (service.headless || service.type === "ExternalName") return [];
    return service.clusterIPs.length > 0
      ? service.clusterIPs.map(formatAddress)
      : this.each("services", ownerOf(service));
  }

  private service(service: Service): PlannedService {
    const resolved = resolveService(this.world, service);
    const balanced = [...service.loadBalancerAddresses, ...service.externalIPs].map(formatAddress);
    const needsBalancer = service.type === "LoadBalancer" && balanced.length === 0;
    return {
      namespace: service.namespace,
      name: service.name,
      clusterIPs: this.clusterIPs(service),
      loadBalancerIPs: needsBalancer ? this.each("balancers", ownerOf(service)) : balanced,
      externalTrafficPolicy: service.externalTrafficPolicy,
      ...(service.externalName === undefined ? {} : { externalName: service.externalName }),
      ports: resolved.map(({ port, backends }) => this.servicePort(service, port, backends)),
      endpoints: service.headless ? this.endpoints(service) : [],
    };
  }

  private servicePort(service: Service, port: ServicePort, backends: readonly Backend[]): PlannedServicePort {
    const opensNodePort =
      (service.type === "NodePort" || service.type === "LoadBalancer") && service.withoutNodePorts !== true;
    return {
      ...(port.name === undefined ? {} : { name: port.name }),
      protocol: port.protocol,
      port: port.port,
      ...(opensNodePort ? { nodePort: port.nodePort ?? this.nodePort() } : {}),
      backends: backends.flatMap((backend) => this.backends(backend)),
    };
  }

  private nodePort(): number {
    const given = this.world.services.flatMap((service) => service.ports.map((port) => port.nodePort));
    let number = FIRST_NODE_PORT;
    while (given.includes(number) || this.nodePorts.has(number)) number++;
    this.nodePorts.add(number);
    return number;
  }

  private backends(backend: Backend): PlannedBackend[] {
    if (backend.kind === "address") {
      return [{ pod: null, address: formatAddress(backend.address), port: backend.port }];
    }
    return (this.podsOf.get(backend.pod) ?? []).flatMap((pod) =>
      pod.addresses.map((address) => ({ pod: pod.name, address, port: backend.port })),
    );
  }

  /** What the name of a headless Service resolves to; pods of a StatefulSet also by their own names. */
  private endpoints(service: Service): PlannedService["endpoints"] {
    return selectedPods(this.world, service).flatMap(({ workload, pod }) =>
      (this.podsOf.get(pod) ?? []).flatMap((planned) =>
        planned.addresses.map((address) =>
          workload.kind === "StatefulSet" ? { address, hostname: planned.name.split("/")[1] ?? pod.name } : { address },
        ),
      ),
    );
  }

  private ingress(nodes: readonly PlannedNode[], services: readonly PlannedService[]): PlannedIngress {
    return {
      identity: this.population.ingress(),
      addresses: this.own.ingress,
      node: nodes[0]?.name ?? "",
      loadBalancerIPs: this.own.balancer,
      rules: this.world.ingresses.flatMap((ingress) => ingressRules(ingress, services)),
    };
  }

  /** A name server as clusters have it, where the input has none. */
  private dns(nodes: readonly PlannedNode[]): PlannedDns {
    const labels: Labels = new Map([["k8s-app", "kube-dns"]]);
    const pod: PodInstance = { name: "coredns", labels, addresses: [], real: false };
    const workload: Workload = {
      id: "kube-system/Deployment/coredns",
      kind: "Deployment",
      namespace: "kube-system",
      name: "coredns",
      hostNetwork: false,
      serviceAccount: "coredns",
      ports: [],
      initPorts: [],
      replicas: 1,
      pods: [pod],
    };
    return {
      clusterIPs: this.own.dnsService,
      domain: DOMAIN,
      pod: {
        name: DNS_POD,
        identity: this.population.pod(workload, pod),
        labels: plainLabels(labels),
        addresses: this.own.dnsPod,
        node: nodes[0]?.name ?? "",
      },
    };
  }
}

/** Whether a pod is the cluster's name server where no Service kube-dns says which one is. */
function isNameServerByItself({ name, namespace, labels, hostNetwork }: PlannedPod): boolean {
  return namespace === "kube-system" && !hostNetwork && (labels["k8s-app"] === "kube-dns" || name === DNS_POD);
}

function ownerOf({ namespace, name }: Service): string {
  return `${namespace}/${name}`;
}

/** The families of a cluster: those of the addresses that the input tells; IPv4 where it tells none. */
function familiesOf(world: World): readonly Family[] {
  const found = new Set<Family>([
    ...knownAddresses(world).map((address) => address.family),
    ...[...world.addressPlan.pods, ...world.addressPlan.services].map((range) => range.family),
  ]);
  const families = (["IPv4", "IPv6"] as const).filter((family) => found.has(family));
  return families.length === 0 ? ["IPv4"] : families;
}

function knownAddresses(world: World): Address[] {
  return [
    ...world.nodes.flatMap((node) => node.addresses),
    ...world.workloads.flatMap((workload) => workload.pods.flatMap((pod) => pod.addresses)),
    ...world.services.flatMap((service) => [...service.clusterIPs, ...service.loadBalancerAddresses]),
  ];
}

function rangeOf(prefix: string): AddressRange {
  const parsed = parsePrefix(prefix);
  if (parsed === undefined) throw new LabError("internal", `${prefix} is no prefix`);
  return prefixRange(parsed);
}

/** The pods to be of a workload: the real ones, else as many as it wants. */
function draftsOf(workload: Workload): Draft[] {
  const [first] = workload.pods;
  if (first === undefined) return [];
  if (workload.pods.some((pod) => pod.real)) {
    return workload.pods.map((pod) => ({ workload, pod, name: pod.name }));
  }
  return Array.from({ length: workload.replicas }, (_, i) => {
    const pod = workload.pods[i] ?? workload.pods.at(-1) ?? first;
    if (i < workload.pods.length && workload.replicas <= workload.pods.length) return { workload, pod, name: pod.name };
    const number = workload.kind === "StatefulSet" ? i : i + 1;
    return { workload, pod, name: `${workload.name}-${number}` };
  });
}

/** Labels without those whose value only a cluster knows. */
function plainLabels(labels: Labels): Record<string, string> {
  const out: Record<string, string> = {};
  for (const [key, value] of labels) if (typeof value === "string") out[key] = value;
  return out;
}

function ingressRules(ingress: Ingress, services: readonly PlannedService[]): PlannedIngressRule[] {
  const pathOf = (
    path: string,
    pathType: PlannedIngressPath["pathType"],
    backend: Ingress["defaultBackend"],
  ): PlannedIngressPath[] => {
    if (backend === undefined) return [];
    const service = services.find((s) => s.namespace === ingress.namespace && s.name === backend.service);
    const port = service?.ports.find((p) => p.port === backend.port || p.name === backend.port)?.port;
    return port === undefined ? [] : [{ path, pathType, service: `${ingress.namespace}/${backend.service}`, port }];
  };
  const rules = ingress.rules.map((rule) => ({
    host: rule.host ?? null,
    paths: [
      ...rule.paths.flatMap((path) => pathOf(path.path, path.type, path.backend)),
      ...(rule.paths.length === 0 ? pathOf("/", "Prefix", ingress.defaultBackend) : []),
    ],
  }));
  const otherwise = pathOf("/", "Prefix", ingress.defaultBackend);
  return otherwise.length === 0 ? rules : [...rules, { host: null, paths: otherwise }];
}
