/**
 * The places of a lab that have a network of their own, derived from the plan: a pod, a node (with the pods that share
 * its network), the ingress proxy, the name server, and everything outside.
 */

import { LabError } from "./failure.ts";
import { canonical, familyOf } from "./kernel/address.ts";
import { MAX_IDENTITY, type Plan, type PlannedPort } from "./plan.ts";
import type { KnownAddress, Population } from "./verdicts.ts";

export const INTERNET = "internet";
export const INGRESS = "ingress";
/** Where a connection from the internet comes from when it names no address; documentation ranges of RFC 5737 and 3849. */
export const INTERNET_ADDRESSES: readonly string[] = ["203.0.113.10", "2001:db8:203:113::10"];
/** An address outside that belongs to nobody: what a probe to `internet` asks for. */
export const SOMEWHERE_OUTSIDE = { 4: "198.51.100.77", 6: "2001:db8:198:51:100::77" } as const;

export type Service = "http" | "udp-echo" | "dns" | "proxy" | "sctp";

export interface SitePort extends PlannedPort {
  readonly serves: Service;
  /** Who answers: the pod's name, also where several share the node's network. */
  readonly owner: string;
}

export interface Site {
  readonly name: string;
  readonly kind: "pod" | "node" | "outside";
  readonly node: string | null;
  readonly namespace: string | null;
  readonly addresses: readonly string[];
  readonly ports: readonly SitePort[];
}

export const INTERNET_SITE: Site = {
  name: INTERNET,
  kind: "outside",
  node: null,
  namespace: null,
  addresses: INTERNET_ADDRESSES,
  ports: [],
};

export function hostSite(node: string): string {
  return `host@${node}`;
}

const SERVES = { TCP: "http", UDP: "udp-echo", SCTP: "sctp" } as const;

function served(owner: string, ports: readonly PlannedPort[]): readonly SitePort[] {
  return ports.map((port) => ({ ...port, serves: SERVES[port.protocol], owner }));
}

/** Every site that a plan asks for. Throws `plan-invalid` or `address-clash`. */
export function sitesOf(plan: Plan): readonly Site[] {
  validate(plan);
  const sites: Site[] = plan.nodes.map((node) => ({
    name: hostSite(node.name),
    kind: "node",
    node: node.name,
    namespace: null,
    addresses: node.addresses.map(canonical),
    ports: plan.pods
      .filter((pod) => pod.hostNetwork && pod.node === node.name)
      .flatMap((pod) => served(pod.name, pod.ports)),
  }));
  for (const pod of plan.pods) {
    if (pod.hostNetwork) continue;
    const addresses = pod.addresses.map(canonical);
    sites.push({
      name: pod.name,
      kind: "pod",
      node: pod.node,
      namespace: pod.namespace,
      addresses,
      ports: served(pod.name, pod.ports),
    });
  }
  if (plan.dns !== null) {
    const { name, addresses, node } = plan.dns.pod;
    const ports = (["UDP", "TCP"] as const).map(
      (protocol): SitePort => ({ protocol, port: 53, serves: "dns", owner: name }),
    );
    const existing = sites.findIndex((site) => site.name === name);
    const site: Site = {
      name,
      kind: "pod",
      node,
      namespace: name.split("/")[0] ?? null,
      addresses: addresses.map(canonical),
      ports: [...(sites[existing]?.ports ?? []).filter((port) => port.port !== 53), ...ports],
    };
    if (existing >= 0) sites[existing] = site;
    else sites.push(site);
  }
  if (plan.ingress !== null) {
    const port: SitePort = { protocol: "TCP", port: 80, serves: "proxy", owner: INGRESS };
    const addresses = plan.ingress.addresses.map(canonical);
    sites.push({ name: INGRESS, kind: "pod", node: plan.ingress.node, namespace: null, addresses, ports: [port] });
  }
  sites.push(INTERNET_SITE);
  checkPorts(sites);
  return sites;
}

function checkPorts(sites: readonly Site[]): void {
  for (const site of sites) {
    const taken = new Map<string, string>();
    for (const { protocol, port, owner } of site.ports) {
      const key = `${port}/${protocol}`;
      const other = taken.get(key);
      if (other !== undefined && other !== owner) {
        throw new LabError("address-clash", `${owner} and ${other} both listen on ${key} of ${site.name}`);
      }
      taken.set(key, owner);
    }
  }
}

function validate(plan: Plan): void {
  const nodes = new Set(plan.nodes.map((node) => node.name));
  if (nodes.size === 0) throw new LabError("plan-invalid", "a cluster needs a node");
  if (nodes.size !== plan.nodes.length) throw new LabError("plan-invalid", "two nodes of one name");
  const names = new Set<string>();
  const owners = new Map<string, string>();
  const claim = (address: string, owner: string): void => {
    let text: string;
    try {
      text = canonical(address);
    } catch {
      throw new LabError("plan-invalid", `${owner}: ${address} is no address`);
    }
    const other = owners.get(text);
    if (other !== undefined) throw new LabError("address-clash", `${text} belongs to ${other} and to ${owner}`);
    owners.set(text, owner);
  };
  for (const address of INTERNET_ADDRESSES) claim(address, INTERNET);
  for (const node of plan.nodes) for (const address of node.addresses) claim(address, `node ${node.name}`);
  for (const pod of plan.pods) {
    if (names.has(pod.name)) throw new LabError("plan-invalid", `two pods are named ${pod.name}`);
    names.add(pod.name);
    if (!nodes.has(pod.node))
      throw new LabError("plan-invalid", `${pod.name} is on node ${pod.node}, which does not exist`);
    if (!pod.hostNetwork && pod.addresses.length === 0)
      throw new LabError("plan-invalid", `${pod.name} has no address`);
    if (!Number.isInteger(pod.identity) || pod.identity < 0 || pod.identity > MAX_IDENTITY) {
      throw new LabError("plan-invalid", `${pod.name}: identity ${pod.identity} is not within 0–${MAX_IDENTITY}`);
    }
    for (const { port } of pod.ports) {
      if (!Number.isInteger(port) || port < 1 || port > 65_535)
        throw new LabError("plan-invalid", `${pod.name}: port ${port}`);
    }
    if (!pod.hostNetwork) for (const address of pod.addresses) claim(address, pod.name);
  }
  if (plan.dns !== null) {
    if (!names.has(plan.dns.pod.name)) for (const address of plan.dns.pod.addresses) claim(address, plan.dns.pod.name);
    for (const address of plan.dns.clusterIPs) {
      const own = plan.services.some((service) => service.clusterIPs.includes(address));
      if (!own) claim(address, "the name server");
    }
  }
  if (plan.ingress !== null) for (const address of plan.ingress.addresses) claim(address, "the ingress proxy");
  for (const service of plan.services) {
    for (const address of service.clusterIPs) claim(address, `Service ${service.namespace}/${service.name}`);
  }
}

/** Whose address is whose, for the verdict tables, and what nodes have learned of names. */
export function populationOf(plan: Plan, learned: Population["learned"] = []): Population {
  const known: KnownAddress[] = [];
  const local: { pod: string; node: string }[] = [];
  const homes = new Map<string, string>();
  const nodeAddresses = new Map(plan.nodes.map((node) => [node.name, node.addresses.map(canonical)]));
  const add = (addresses: readonly string[], identity: number, node: string): void => {
    for (const address of addresses.map(canonical)) {
      known.push({ address, identity, kind: "pod" });
      homes.set(address, node);
      for (const own of nodeAddresses.get(node) ?? []) {
        if (familyOf(own) === familyOf(address)) local.push({ pod: address, node: own });
      }
    }
  };
  for (const node of plan.nodes) {
    const { identity, subject } = node;
    for (const address of node.addresses.map(canonical)) {
      known.push({ address, identity, kind: "node", ...(subject === undefined ? {} : { subject }) });
      homes.set(address, node.name);
    }
  }
  for (const pod of plan.pods) {
    if (!pod.hostNetwork && pod.name !== plan.dns?.pod.name) add(pod.addresses, pod.identity, pod.node);
  }
  if (plan.dns !== null) add(plan.dns.pod.addresses, plan.dns.pod.identity, plan.dns.pod.node);
  if (plan.ingress !== null) add(plan.ingress.addresses, plan.ingress.identity, plan.ingress.node);
  for (const { addresses, identity } of plan.outside) {
    if (identity === undefined) continue;
    for (const address of addresses) known.push({ address: canonical(address), identity, kind: "outside" });
  }
  return { known, local, homes, learned, world: plan.world };
}
