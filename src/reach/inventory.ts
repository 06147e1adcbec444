/** Every endpoint of the world, found by the names that users write (design: Endpoint names). */

import { nearest } from "../documents/nearest.ts";
import { podTraits } from "../model/pods.ts";
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

export class Inventory {
  readonly world: World;
  readonly groups: readonly Group[];
  /** Who serves Ingress and Gateway objects. */
  readonly controllers: Controllers;
  private readonly byId = new Map<string, Group>();
  private readonly byShortName = new Map<string, Group[]>();
  private readonly byPodName = new Map<string, Endpoint>();
  private readonly podByAddress = new Map<string, Endpoint>();
  private readonly nodes = new Map<string, Node>();
  private readonly nodeByAddress = new Map<string, Node>();
  private readonly serviceByAddress = new Map<string, Service>();
  private readonly policies: PolicySet;
  private readonly names: ReadonlyMap<string, readonly Address[]>;
  private cuts: Readonly<Record<Family, readonly bigint[]>> | undefined;

  /**
   * Takes the world, its policies, the controllers that the caller declares, and the addresses of DNS names, by the name
   * in lower case with trailing dot.
   */
  constructor(
    world: World,
    policies: PolicySet,
    declared: readonly DeclaredController[] = [],
    names: ReadonlyMap<string, readonly Address[]> = new Map(),
  ) {
    this.world = world;
    this.names = names;
    this.policies = policies;
    this.controllers = new Controllers({
      world,
      members: (workload) => this.byId.get(workload.id)?.members ?? [],
      ownIngress: policies.services?.ownIngress ?? false,
      declared,
      resolve: (name) => {
        const resolved = this.resolve(name);
        return resolved.kind === "endpoints" ? resolved.members : [];
      },
    });
    for (const node of world.nodes) {
      this.nodes.set(node.name, node);
      for (const address of node.addresses) this.nodeByAddress.set(addressKey(address), node);
    }
    this.groups = world.workloads.map((workload) => this.group(workload));
    for (const group of this.groups) {
      this.byId.set(group.workload.id, group);
      const short = `${group.workload.namespace}/${group.workload.name}`;
      this.byShortName.set(short, [...(this.byShortName.get(short) ?? []), group]);
      for (const [i, member] of group.members.entries()) {
        const pod = group.workload.pods[i];
        if (pod === undefined) continue;
        if (pod.real || pod.name !== group.workload.name) {
          this.byPodName.set(`${group.workload.namespace}/${pod.name}`, member);
        }
        if (member.kind === "pod") for (const a of pod.addresses) this.podByAddress.set(addressKey(a), member);
      }
    }
    for (const service of world.services) {
      for (const address of [...service.clusterIPs, ...service.externalIPs, ...service.loadBalancerAddresses]) {
        this.serviceByAddress.set(addressKey(address), service);
      }
    }
  }

  private group(workload: Workload): Group {
    const members = workload.pods.map((pod): Endpoint => {
      const name = workload.pods.length > 1 ? `${workload.namespace}/Pod/${pod.name}` : workload.id;
      if (!podTraits(workload, pod).hostNetwork) return { kind: "pod", workload, pod, name };
      const node = pod.node === undefined ? undefined : this.nodes.get(pod.node);
      return {
        kind: "node",
        node,
        nodeName: pod.node,
        relation: "known",
        addresses: pod.addresses.length > 0 ? pod.addresses : (node?.addresses ?? []),
        name,
      };
    });
    return { name: workload.id, workload, members };
  }

  /** The end that a pod of a workload is. */
  memberOf(workload: Workload, pod: PodInstance): Endpoint | undefined {
    return this.byId.get(workload.id)?.members[workload.pods.indexOf(pod)];
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

  /** Resolves a name of the contract. */
  resolve(name: string): Resolved {
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
    if (name.startsWith("fqdn:")) return { kind: "endpoints", name, members: this.named(name) };
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
   * address of either family of which nobody told.
   */
  private named(name: string): readonly Endpoint[] {
    const dnsName = `${name.slice(5).toLowerCase().replace(/\.$/, "")}.`;
    const known = this.names.get(dnsName) ?? [];
    if (known.length === 0) return FAMILIES.map((family) => ({ kind: "name", dnsName, family, name }));
    const found = known.flatMap((address): readonly Endpoint[] => {
      const text = known.length > 1 ? `${name} (${formatAddress(address)})` : name;
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
    const pod = this.podByAddress.get(key);
    if (pod !== undefined) return { kind: "endpoints", name, members: [pod] };
    const service = this.serviceByAddress.get(key);
    if (service !== undefined) return { kind: "service", name, service };
    return { kind: "endpoints", name, members: [{ kind: "outside", range: prefixRange(hostPrefix(address)), name }] };
  }

  private object(name: string): Resolved {
    const exact = this.byId.get(name);
    if (exact !== undefined) return { kind: "endpoints", name, members: exact.members };
    const [namespace, second, third] = name.split("/");
    if (third !== undefined) {
      if (second === "Pod") {
        const pod = this.byPodName.get(`${namespace}/${third}`);
        if (pod !== undefined) return { kind: "endpoints", name, members: [pod] };
      }
      if (second === "Service") {
        const service = this.service(namespace ?? "", third);
        if (service !== undefined) return { kind: "service", name, service };
      }
      return { kind: "problem", message: `no ${second} is called ${third} in namespace ${namespace}` };
    }
    const candidates = this.byShortName.get(name) ?? [];
    const pod = candidates.find((g) => g.workload.kind === "Pod");
    if (pod !== undefined) return { kind: "endpoints", name, members: pod.members };
    const known = this.byPodName.get(name);
    if (known !== undefined) return { kind: "endpoints", name, members: [known] };
    const only = candidates[0];
    if (candidates.length > 1) {
      const names = candidates.map((g) => g.name).join(", ");
      return { kind: "problem", message: `${name} is ambiguous: ${names}; write one of them` };
    }
    if (only !== undefined) return { kind: "endpoints", name, members: only.members };
    const service = this.service(namespace ?? "", second ?? "");
    if (service !== undefined) return { kind: "service", name, service };
    return { kind: "problem", message: `no Pod, workload or Service is called ${name}${this.near(name)}` };
  }

  /** The name that was perhaps meant. */
  private near(name: string): string {
    const services = this.world.services.map((one) => `${one.namespace}/${one.name}`);
    const found = nearest(name, [...this.byShortName.keys(), ...services]);
    return found === undefined ? "" : `; did you mean ${found}?`;
  }

  service(namespace: string, name: string): Service | undefined {
    return this.world.services.find((s) => s.namespace === namespace && s.name === name);
  }

  private selected(text: string): Resolved {
    const terms = text.split(",").map((term) => term.split("="));
    const members = this.groups.flatMap((group) =>
      group.members.filter((_, i) => {
        const labels = group.workload.pods[i]?.labels;
        return terms.every(([key, value]) => labels?.get((key ?? "").trim()) === (value ?? "").trim());
      }),
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

  /** Cuts ranges where some address rule begins or ends, so that no rule tells the addresses of one piece apart. */
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
