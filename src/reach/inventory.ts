/** Every endpoint of the world, found by the names that users write (design: Endpoint names). */

import { nearest } from "../documents/nearest.ts";
import { podTraits } from "../model/pods.ts";
import { findService, podsAt, workloadsOf } from "../model/world-index.ts";
import type { Because } from "../base/because.ts";
import type { Node, PodInstance, Service, Workload, World } from "../model/world.ts";
import {
  type Address,
  type AddressRange,
  type AddressSet,
  addressSet,
  addressSubtract,
  ALL_ADDRESSES,
  FAMILIES,
  type Family,
  formatAddress,
  formatRange,
  hostPrefix,
  maxAddress,
  parseAddress,
  parsePrefix,
  prefixRange,
} from "../net/address.ts";
import { RESERVED_NAMES, type ReservedName } from "../policy/dialect.ts";
import type { PolicySet } from "../policy/rule.ts";
import { Controllers, type DeclaredController } from "./controllers.ts";
import type { Endpoint } from "./endpoint.ts";

/** What a name stands for. */
export type Resolved =
  | { readonly kind: "endpoints"; readonly name: string; readonly members: readonly Endpoint[] }
  | { readonly kind: "service"; readonly name: string; readonly service: Service }
  /** Something that is there, but the input does not tell which endpoints it is. */
  | { readonly kind: "unsure"; readonly name: string; readonly because: readonly Because[] }
  /** No such thing, or several: a message for the user. */
  | { readonly kind: "problem"; readonly message: string };

/** A workload as the answers list it, with the endpoints of its pods. */
export interface Group {
  readonly name: string;
  readonly workload: Workload;
  readonly members: readonly Endpoint[];
}

/** What the pods and workloads of one namespace are called. */
interface Names {
  readonly byId: ReadonlyMap<string, Workload>;
  /** By the name without the kind. */
  readonly byName: ReadonlyMap<string, readonly Workload[]>;
  readonly byPod: ReadonlyMap<string, { readonly workload: Workload; readonly index: number }>;
}

const NAMES = new WeakMap<readonly Workload[], Names>();

function namesOf(workloads: readonly Workload[]): Names {
  let names = NAMES.get(workloads);
  if (names === undefined) {
    names = makeNames(workloads);
    NAMES.set(workloads, names);
  }
  return names;
}

function makeNames(workloads: readonly Workload[]): Names {
  const byId = new Map<string, Workload>();
  const byName = new Map<string, Workload[]>();
  const byPod = new Map<string, { workload: Workload; index: number }>();
  for (const workload of workloads) {
    byId.set(workload.id, workload);
    const alike = byName.get(workload.name);
    if (alike === undefined) byName.set(workload.name, [workload]);
    else alike.push(workload);
    for (const [index, pod] of workload.pods.entries())
      if (pod.real || pod.name !== workload.name) byPod.set(pod.name, { workload, index });
  }
  return { byId, byName, byPod };
}

/** The pod that an end is. */
interface Owner {
  readonly group: Group;
  readonly pod: PodInstance;
}

export class Inventory {
  readonly world: World;
  /** Who serves Ingress and Gateway objects. */
  readonly controllers: Controllers;
  private everyGroup: readonly Group[] | undefined;
  private readonly groupsOf: WeakMap<Workload, Group>;
  /** The pods that share the network of their node. */
  private readonly onHosts: WeakMap<Endpoint, Owner>;
  private readonly nodes: Map<string, Node>;
  private readonly nodeByAddress: Map<string, Node>;
  private readonly serviceByAddress: Map<string, Service>;
  private readonly policies: PolicySet;
  private readonly names: ReadonlyMap<string, readonly Address[]>;
  private cuts: Readonly<Record<Family, readonly bigint[]>> | undefined;

  /**
   * Takes the world, its policies, the controllers that the caller declares, and the addresses of DNS names, by the name
   * in lower case with trailing dot. `before` is the inventory of a world with the same nodes and Services, if there is
   * one: ends of workloads that both worlds have stay the same objects.
   */
  constructor(
    world: World,
    policies: PolicySet,
    declared: readonly DeclaredController[] = [],
    names: ReadonlyMap<string, readonly Address[]> = new Map(),
    before?: Inventory,
  ) {
    this.world = world;
    this.groupsOf = before?.groupsOf ?? new WeakMap();
    this.onHosts = before?.onHosts ?? new WeakMap();
    this.nodes = before?.nodes ?? new Map();
    this.nodeByAddress = before?.nodeByAddress ?? new Map();
    this.serviceByAddress = before?.serviceByAddress ?? new Map();
    this.names = names;
    this.policies = policies;
    this.controllers = new Controllers({
      world,
      members: (workload) => this.groupOf(workload).members,
      ownIngress: policies.services?.ownIngress ?? false,
      declared,
      resolve: (name) => {
        const resolved = this.resolve(name);
        return resolved.kind === "endpoints" ? resolved.members : [];
      },
    });
    if (before !== undefined) return;
    for (const node of world.nodes) {
      this.nodes.set(node.name, node);
      for (const address of node.addresses) this.nodeByAddress.set(addressKey(address), node);
    }
    for (const service of world.services) {
      for (const address of [...service.clusterIPs, ...service.externalIPs, ...service.loadBalancerAddresses]) {
        this.serviceByAddress.set(addressKey(address), service);
      }
    }
  }

  /** Every workload with the endpoints of its pods, in the order of the world. */
  get groups(): readonly Group[] {
    this.everyGroup ??= this.world.workloads.map((workload) => this.groupOf(workload));
    return this.everyGroup;
  }

  private groupOf(workload: Workload): Group {
    let group = this.groupsOf.get(workload);
    if (group === undefined) {
      group = this.makeGroup(workload);
      this.groupsOf.set(workload, group);
    }
    return group;
  }

  private makeGroup(workload: Workload): Group {
    const members: Endpoint[] = [];
    const group: Group = { name: workload.id, workload, members };
    for (const pod of workload.pods) {
      const name = workload.pods.length > 1 ? `${workload.namespace}/Pod/${pod.name}` : workload.id;
      if (!podTraits(workload, pod).hostNetwork) {
        members.push({ kind: "pod", workload, pod, name });
        continue;
      }
      const node = pod.node === undefined ? undefined : this.nodes.get(pod.node);
      const addresses = pod.addresses.length > 0 ? pod.addresses : (node?.addresses ?? []);
      const end: Endpoint = { kind: "node", node, nodeName: pod.node, relation: "known", addresses, name };
      members.push(end);
      this.onHosts.set(end, { group, pod });
    }
    return group;
  }

  /** The pod that an end is, with its workload's group; undefined where it is none. */
  ownerOf(endpoint: Endpoint): Owner | undefined {
    if (endpoint.kind !== "pod") return this.onHosts.get(endpoint);
    return { group: this.groupOf(endpoint.workload), pod: endpoint.pod };
  }

  /** The end that a pod of a workload is. */
  memberOf(workload: Workload, pod: PodInstance): Endpoint | undefined {
    const known = namesOf(workloadsOf(this.world, workload.namespace)).byId.get(workload.id);
    return known === undefined ? undefined : this.groupOf(known).members[workload.pods.indexOf(pod)];
  }

  /** The node that has an address; undefined where none of the input has it. */
  nodeAt(address: Address): Extract<Endpoint, { kind: "node" }> | undefined {
    const node = this.nodeByAddress.get(addressKey(address));
    return node === undefined ? undefined : this.node(node.name);
  }

  node(name: string): Extract<Endpoint, { kind: "node" }> {
    const node = this.nodes.get(name);
    return {
      kind: "node",
      node,
      nodeName: name,
      relation: "known",
      addresses: node?.addresses ?? [],
      name: `host@${name}`,
    };
  }

  /** Resolves a name of the contract; a DNS name to its addresses of the family, where the question fixes one. */
  resolve(name: string, family?: Family): Resolved {
    const one = (endpoint: Endpoint): Resolved => ({ kind: "endpoints", name, members: [endpoint] });
    if (name === "internet") return { kind: "endpoints", name, members: this.outside(this.internet()) };
    if (name === "host" || name === "remote-node") {
      const relation = name === "host" ? "same" : "other";
      return one({ kind: "node", node: undefined, nodeName: undefined, relation, addresses: [], name });
    }
    if (name.startsWith("host@")) {
      const known =
        this.nodes.has(name.slice(5)) || this.world.workloads.some((w) => w.pods.some((p) => p.node === name.slice(5)));
      return known ? one(this.node(name.slice(5))) : { kind: "problem", message: `no node is called ${name.slice(5)}` };
    }
    if (name === "kube-apiserver") return { kind: "endpoints", name, members: this.apiServer() };
    if (name === "ingress-controller") {
      const serving = this.controllers.everything();
      if ("because" in serving) return { kind: "unsure", name, because: serving.because };
      return { kind: "endpoints", name, members: serving.members };
    }
    const reserved = RESERVED_NAMES.find((r) => r === name);
    if (reserved !== undefined) return one(this.reserved(reserved));
    if (name.startsWith("fqdn:")) {
      const members = this.named(name, family);
      if (members.length === 0)
        return { kind: "problem", message: `${name.slice(5)} has no ${family ?? "known"} address` };
      return { kind: "endpoints", name, members };
    }
    if (name.startsWith("ip:")) {
      const address = parseAddress(name.slice(3));
      if (address === undefined) return { kind: "problem", message: `${name.slice(3)} is no IP address` };
      return this.address(address, name);
    }
    const range = parseRange(name.startsWith("cidr:") ? name.slice(5) : name);
    if (range !== undefined) return { kind: "endpoints", name, members: this.outside([range]) };
    if (name.startsWith("cidr:")) return { kind: "problem", message: `${name.slice(5)} is no prefix` };
    if (name.includes("/")) return this.object(name);
    if (name.includes("=")) return this.selected(name);
    return {
      kind: "problem",
      message: `no endpoint is called ${name}; write namespace/name, or one of internet, host, remote-node, ingress-controller, ip:…, cidr:…, fqdn:…`,
    };
  }

  /** The API server where the input tells its addresses or its nodes, else an end of which only the name is known. */
  private apiServer(): readonly Endpoint[] {
    const told = this.world.apiServerAddresses.flatMap((address) => {
      const resolved = this.address(address, formatRange(prefixRange(hostPrefix(address))));
      return resolved.kind === "endpoints" ? resolved.members : [];
    });
    if (told.length > 0) return told;
    const nodes = this.world.nodes.filter((node) => node.apiServer).map((node) => this.node(node.name));
    return nodes.length > 0 ? nodes : [this.reserved("kube-apiserver")];
  }

  /**
   * What a name has resolved to: the ends that have the declared addresses, of which each has rules of its own, or an
   * address of either family of which nobody told. None where addresses are declared, and none of the family.
   */
  private named(name: string, family: Family | undefined): readonly Endpoint[] {
    const dnsName = `${name.slice(5).toLowerCase().replace(/\.$/, "")}.`;
    const declared = this.names.get(dnsName) ?? [];
    if (declared.length === 0) return FAMILIES.map((each) => ({ kind: "name", dnsName, family: each, name }));
    const known = declared.filter((address) => family === undefined || address.family === family);
    const found = known.flatMap((address): readonly Endpoint[] => {
      const text = declared.length > 1 ? `${name} (${formatAddress(address)})` : name;
      const resolved = this.address(address, text);
      const inside = resolved.kind === "endpoints" ? resolved.members.filter(({ kind }) => kind !== "outside") : [];
      return inside.length > 0 ? inside : [{ kind: "name", dnsName, family: address.family, address, name: text }];
    });
    return [...new Set(found)];
  }

  private reserved(reserved: ReservedName): Endpoint {
    return { kind: "reserved", reserved, name: reserved };
  }

  /** The endpoint that has an address: a pod, a node, a Service, or something outside. */
  address(address: Address, name: string): Resolved {
    const key = addressKey(address);
    const node = this.nodeByAddress.get(key);
    if (node !== undefined) return { kind: "endpoints", name, members: [this.node(node.name)] };
    const pod = podsAt(this.world, address).findLast((one) => !podTraits(one.workload, one.pod).hostNetwork);
    const end = pod === undefined ? undefined : this.memberOf(pod.workload, pod.pod);
    if (end !== undefined) return { kind: "endpoints", name, members: [end] };
    const service = this.serviceByAddress.get(key);
    if (service !== undefined) return { kind: "service", name, service };
    return { kind: "endpoints", name, members: [{ kind: "outside", range: prefixRange(hostPrefix(address)), name }] };
  }

  private object(name: string): Resolved {
    const [namespace = "", second = "", third] = name.split("/");
    const names = namesOf(workloadsOf(this.world, namespace));
    const whole = (workload: Workload): Resolved => {
      return { kind: "endpoints", name, members: this.groupOf(workload).members };
    };
    const podCalled = (podName: string): Endpoint | undefined => {
      const found = names.byPod.get(podName);
      return found === undefined ? undefined : this.groupOf(found.workload).members[found.index];
    };
    const exact = names.byId.get(name);
    if (exact !== undefined) return whole(exact);
    if (third !== undefined) {
      if (second === "Pod") {
        const pod = podCalled(third);
        if (pod !== undefined) return { kind: "endpoints", name, members: [pod] };
      }
      if (second === "Service") {
        const service = this.service(namespace, third);
        if (service !== undefined) return { kind: "service", name, service };
      }
      return { kind: "problem", message: `no ${second} is called ${third} in namespace ${namespace}` };
    }
    const candidates = names.byName.get(second) ?? [];
    const pod = candidates.find((workload) => workload.kind === "Pod");
    if (pod !== undefined) return whole(pod);
    const known = podCalled(second);
    if (known !== undefined) return { kind: "endpoints", name, members: [known] };
    const only = candidates[0];
    if (candidates.length > 1) {
      const ids = candidates.map((workload) => workload.id).join(", ");
      return { kind: "problem", message: `${name} is ambiguous: ${ids}; write one of them` };
    }
    if (only !== undefined) return whole(only);
    const service = this.service(namespace, second);
    if (service !== undefined) return { kind: "service", name, service };
    return { kind: "problem", message: `no Pod, workload or Service is called ${name}${this.near(name)}` };
  }

  /** The name that was perhaps meant. */
  private near(name: string): string {
    const services = this.world.services.map((one) => `${one.namespace}/${one.name}`);
    const workloads = this.world.workloads.map((one) => `${one.namespace}/${one.name}`);
    const found = nearest(name, [...new Set(workloads), ...services]);
    return found === undefined ? "" : `; did you mean ${found}?`;
  }

  service(namespace: string, name: string): Service | undefined {
    return findService(this.world, namespace, name);
  }

  private selected(text: string): Resolved {
    const terms = text.split(",").map((term) => term.split("="));
    const isSelected = ({ labels }: PodInstance): boolean =>
      terms.every(([key, value]) => labels.get((key ?? "").trim()) === (value ?? "").trim());
    const members = this.world.workloads.flatMap((workload) =>
      workload.pods.some(isSelected)
        ? this.groupOf(workload).members.filter((_, i) => workload.pods.slice(i, i + 1).some(isSelected))
        : [],
    );
    if (members.length === 0) return { kind: "problem", message: `no pod carries the labels ${text}` };
    return { kind: "endpoints", name: text, members };
  }

  /** Everything that is neither pod, node nor service as far as the input tells. */
  internet(): AddressSet {
    const plan = this.world.addressPlan;
    let set = ALL_ADDRESSES;
    for (const inside of [plan.pods, plan.nodes, plan.services]) set = addressSubtract(set, inside);
    return set;
  }

  /** Cuts ranges where some address rule or foreign policy begins or ends: none tells the addresses of one piece apart. */
  outside(ranges: AddressSet): Endpoint[] {
    const cuts = this.boundaries();
    const out: Endpoint[] = [];
    for (const range of ranges) {
      let first = range.first;
      for (const cut of cuts[range.family]) {
        if (cut <= first) continue;
        if (cut > range.last) break;
        out.push(outsideEndpoint({ family: range.family, first, last: cut - 1n }));
        first = cut;
      }
      out.push(outsideEndpoint({ family: range.family, first, last: range.last }));
    }
    return out;
  }

  private boundaries(): Readonly<Record<Family, readonly bigint[]>> {
    if (this.cuts !== undefined) return this.cuts;
    const points: Record<Family, Set<bigint>> = { IPv4: new Set(), IPv6: new Set() };
    const cut = (range: AddressRange): void => {
      points[range.family].add(range.first);
      if (range.last < maxAddress(range.family)) points[range.family].add(range.last + 1n);
    };
    for (const service of this.world.services) for (const range of service.sourceRanges ?? []) cut(range);
    const isByName = this.policies.policies.some(({ rules }) =>
      rules.some(({ peers }) => peers.some(({ kind }) => kind === "names")),
    );
    if (isByName)
      for (const addresses of this.names.values())
        for (const address of addresses) cut(prefixRange(hostPrefix(address)));
    for (const { scope } of this.world.foreign) if (scope.kind === "addresses") scope.addresses.forEach(cut);
    for (const policy of this.policies.policies) {
      for (const rule of policy.rules) {
        for (const peer of rule.peers) {
          if (peer.kind !== "addresses") continue;
          for (const range of peer.addresses) cut(range);
        }
      }
    }
    const sorted = (set: Set<bigint>): bigint[] => [...set].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    this.cuts = { IPv4: sorted(points.IPv4), IPv6: sorted(points.IPv6) };
    return this.cuts;
  }
}

function outsideEndpoint(range: AddressRange): Endpoint {
  return { kind: "outside", range, name: formatRange(range) };
}

function addressKey(address: Address): string {
  return `${address.family} ${address.value}`;
}

/** A prefix, an address alone, or `first-last`. */
export function parseRange(text: string): AddressRange | undefined {
  const prefix = parsePrefix(text);
  if (prefix !== undefined) return prefixRange(prefix);
  const dash = text.indexOf("-");
  if (dash > 0) {
    const first = parseAddress(text.slice(0, dash).trim());
    const last = parseAddress(text.slice(dash + 1).trim());
    if (first === undefined || last === undefined || first.family !== last.family) return undefined;
    if (first.value > last.value) return undefined;
    return addressSet([{ family: first.family, first: first.value, last: last.value }])[0];
  }
  const address = parseAddress(text);
  return address === undefined ? undefined : prefixRange(hostPrefix(address));
}
