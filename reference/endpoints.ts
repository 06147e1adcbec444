import {
  type Address,
  type AddressRange,
  type Family,
  parseAddress,
  parsePrefix,
  parsePrefixOrAddress,
  type Prefix,
  rangeOf,
  sameAddress,
  widthOf,
} from "./addresses.ts";
import type { Cluster, Workload } from "./cluster.ts";
import { declared, type ReferenceOptions } from "./options.ts";
import { type Party, partyOfNode, partyOfPod } from "./parties.ts";
import type { Service } from "./services.ts";
import type { Because } from "./reasons.ts";
import { isFields } from "./values.ts";

/** What an endpoint name stands for. All parties of a name must agree for it to have one verdict. */
export type Endpoint =
  | { readonly kind: "parties"; readonly parties: readonly Party[]; readonly workload?: Workload }
  | { readonly kind: "service"; readonly service: Service }
  | { readonly kind: "unclear"; readonly because: Because };

export class UnknownEndpointError extends Error {}

const WORDS = [
  "internet",
  "host",
  "remote-node",
  "kube-apiserver",
  "health",
  "unmanaged",
  "init",
  "ingress-controller",
];

/** `family`: that of a name's addresses, where the question fixes one. */
export function endpointOf(
  name: string,
  cluster: Cluster,
  options: ReferenceOptions,
  edges: Edges,
  family?: Family,
): Endpoint {
  if (WORDS.includes(name)) return wordEndpoint(name, cluster, options, edges);
  if (name.startsWith("host@")) return nodeEndpoint(name.slice("host@".length), cluster);
  if (name.startsWith("fqdn:")) return nameEndpoint(name.slice("fqdn:".length), cluster, options, family);
  if (name.startsWith("ip:")) return addressEndpoint(name.slice("ip:".length), cluster, options);
  const range = rangeOfName(name.startsWith("cidr:") ? name.slice("cidr:".length) : name);
  if (range !== undefined) {
    if (range.first === range.last)
      return partiesEndpoint([partyOfAddress({ family: range.family, value: range.first }, cluster, options)]);
    return partiesEndpoint(partiesOfRange(range, cluster, options, edges));
  }
  if (name.includes("=")) return selectedEndpoint(name, cluster);
  return objectEndpoint(name, cluster);
}

function partiesEndpoint(parties: readonly Party[]): Endpoint {
  return { kind: "parties", parties };
}

/** A prefix, an address, or `first-last`. */
function rangeOfName(text: string): AddressRange | undefined {
  const prefix = parsePrefixOrAddress(text);
  if (prefix !== undefined) return rangeOf(prefix);
  const [first, last, ...more] = text.split("-").map((part) => parseAddress(part));
  if (first === undefined || last === undefined || more.length > 0 || first.family !== last.family) return undefined;
  return { family: first.family, first: first.value, last: last.value };
}

/** `ns/name` means the Pod, else the only workload, else the Service; `ns/Kind/name` is exact. */
function objectEndpoint(name: string, cluster: Cluster): Endpoint {
  const parts = name.split("/");
  const namespace = parts[0] ?? "";
  const last = parts[parts.length - 1] ?? "";
  const kind = parts.length === 3 ? parts[1] : undefined;
  if (parts.length < 2 || parts.length > 3 || last === "")
    throw new UnknownEndpointError(`no endpoint is called ${name}`);
  if (kind === undefined || kind === "Pod") {
    // The pod that stands for a controller has no name of its own.
    const pod = cluster.workloads
      .flatMap((workload) => workload.pods)
      .filter((item) => item.owner.kind === "Pod" || item.name !== item.owner.name)
      .find((item) => item.namespace === namespace && item.name === last);
    if (pod?.finished === true) return { kind: "unclear", because: { code: "pod-finished", detail: pod.id } };
    if (pod !== undefined) return partiesEndpoint([partyOfPod(pod, cluster)]);
  }
  if (kind !== "Service" && kind !== "Pod") {
    const workloads = cluster.workloads.filter(
      (item) => item.namespace === namespace && item.name === last && (kind === undefined || item.kind === kind),
    );
    const workload = workloads[0];
    if (workloads.length > 1) {
      const names = workloads.map((item) => `${item.namespace}/${item.kind}/${item.name}`);
      throw new UnknownEndpointError(`${name} is ambiguous: ${names.join(", ")}`);
    }
    if (workload !== undefined) return workloadEndpoint(workload, cluster);
  }
  if (kind === undefined || kind === "Service") {
    const service = cluster.services.find((item) => item.namespace === namespace && item.name === last);
    if (service !== undefined) return { kind: "service", service };
  }
  throw new UnknownEndpointError(`no endpoint is called ${name}`);
}

function workloadEndpoint(workload: Workload, cluster: Cluster): Endpoint {
  const pods = workload.pods.filter((pod) => !pod.finished);
  if (pods.length === 0)
    return { kind: "unclear", because: { code: "pod-finished", detail: `${workload.namespace}/${workload.name}` } };
  return { kind: "parties", parties: pods.map((pod) => partyOfPod(pod, cluster)), workload };
}

function nodeEndpoint(name: string, cluster: Cluster): Endpoint {
  const node = cluster.nodes.find((item) => item.name === name);
  if (node === undefined) throw new UnknownEndpointError(`no node is called ${name}`);
  return partiesEndpoint([partyOfNode(node)]);
}

function wordEndpoint(word: string, cluster: Cluster, options: ReferenceOptions, edges: Edges): Endpoint {
  switch (word) {
    case "host":
      return partiesEndpoint([{ kind: "node", place: "local", node: undefined, id: "host", addresses: [] }]);
    case "remote-node":
      return partiesEndpoint([{ kind: "node", place: "remote", node: undefined, id: "remote-node", addresses: [] }]);
    case "health":
    case "unmanaged":
    case "init":
      return options.dialect === "kubernetes"
        ? { kind: "unclear", because: { code: "foreign-endpoint", detail: word } }
        : partiesEndpoint([{ kind: "reserved", label: word }]);
    case "kube-apiserver":
      return apiServerEndpoint(cluster, options);
    case "ingress-controller":
      return ingressControllerEndpoint(cluster, options);
    default:
      return partiesEndpoint(internet(cluster, options, edges));
  }
}

/** Where the endpoints of `default/kubernetes` or the static pods say that it runs; else nobody knows. */
function apiServerEndpoint(cluster: Cluster, options: ReferenceOptions): Endpoint {
  const told = cluster.apiServerAddresses.map((address) => partyOfAddress(address, cluster, options));
  if (told.length > 0) return partiesEndpoint(told);
  const nodes = cluster.nodes.filter((node) => node.apiServer).map(partyOfNode);
  return partiesEndpoint(nodes.length > 0 ? nodes : [{ kind: "apiserver" }]);
}

const CONTROLLERS: ReadonlySet<string> = new Set([
  "ingress-nginx",
  "nginx-ingress",
  "nginx-ingress-controller",
  "traefik",
  "haproxy-ingress",
  "kubernetes-ingress",
  "contour",
  "envoy-gateway",
  "kong",
]);

/** A found controller's pods, else Cilium's ingress identity (R8.5). */
function ingressControllerEndpoint(cluster: Cluster, options: ReferenceOptions): Endpoint {
  const pods = cluster.pods.filter((pod) =>
    ["app.kubernetes.io/name", "app", "k8s-app"].some((key) => {
      const value = pod.labels.get(key);
      return typeof value === "string" && CONTROLLERS.has(value);
    }),
  );
  if (pods.length > 0) return partiesEndpoint(pods.map((pod) => partyOfPod(pod, cluster)));
  return options.dialect === "kubernetes"
    ? { kind: "unclear", because: { code: "no-ingress-controller", detail: "no controller found" } }
    : partiesEndpoint([{ kind: "reserved", label: "ingress" }]);
}

/** `key=value[,key=value]`: the pods of every namespace with these labels. */
function selectedEndpoint(name: string, cluster: Cluster): Endpoint {
  const pairs = name.split(",").map((pair) => pair.split("="));
  const pods = cluster.pods.filter((pod) =>
    pairs.every(([key, value]) => {
      const own = pod.labels.get((key ?? "").trim());
      return typeof own === "string" && own === (value ?? "").trim();
    }),
  );
  if (pods.length === 0) throw new UnknownEndpointError(`no pod has the labels ${name}`);
  return partiesEndpoint(pods.map((pod) => partyOfPod(pod, cluster)));
}

/** A name with addresses given by the options, the DNS name of a Service, or a name whose address nobody told. */
export function nameEndpoint(text: string, cluster: Cluster, options: ReferenceOptions, family?: Family): Endpoint {
  const name = text.toLowerCase().replace(/\.$/, "");
  const [serviceName, namespace, svc, ...domain] = name.split(".");
  if (svc === "svc" && (domain.length === 0 || domain.join(".") === "cluster.local")) {
    const service = cluster.services.find((item) => item.name === serviceName && item.namespace === namespace);
    if (service !== undefined) return { kind: "service", service };
    return untoldName(name, true);
  }
  const told = namedAddresses(name, options);
  const addresses = told.filter((address) => family === undefined || address.family === family);
  if (told.length > 0 && addresses.length === 0)
    throw new UnknownEndpointError(`${name} has no ${family ?? "known"} address`);
  if (addresses.length > 0)
    return partiesEndpoint(
      addresses.map((address) => {
        const party = partyOfAddress(address, cluster, options);
        return party.kind === "address" ? { ...party, name } : party;
      }),
    );
  return untoldName(name, options.dialect === "kubernetes");
}

/** A name may have an address of either family. */
function untoldName(name: string, maybeInside: boolean): Endpoint {
  return partiesEndpoint((["IPv4", "IPv6"] as const).map((family) => ({ kind: "name", name, family, maybeInside })));
}

/** The addresses that the caller says a name resolves to (R7.3.5). */
export function namedAddresses(name: string, options: ReferenceOptions): readonly Address[] {
  const found = Object.entries(options.names ?? {}).find(([key]) => key.toLowerCase().replace(/\.$/, "") === name);
  return (found?.[1] ?? []).map(parseAddress).filter((address) => address !== undefined);
}

function addressEndpoint(text: string, cluster: Cluster, options: ReferenceOptions): Endpoint {
  const address = parseAddress(text);
  if (address === undefined) throw new UnknownEndpointError(`${text} is not an address`);
  return partiesEndpoint([partyOfAddress(address, cluster, options)]);
}

/** Whose address it is: exact pod, then node, else outside (R3.2.1). */
export function partyOfAddress(address: Address, cluster: Cluster, options: ReferenceOptions): Party {
  const pod = cluster.pods.find((item) => !item.hostNetwork && item.addresses.some((own) => sameAddress(own, address)));
  if (pod !== undefined) return { kind: "pod", pod };
  const node = cluster.nodes.find((item) => item.addresses.some((own) => sameAddress(own, address)));
  if (node !== undefined) return partyOfNode(node);
  const guest = cluster.pods.find((item) => item.addresses.some((own) => sameAddress(own, address)));
  if (guest !== undefined) return partyOfPod(guest, cluster);
  const inPods = declared(options.podCIDRs).some((prefix) => isInPrefix(address, prefix));
  if (inPods && cluster.pods.some((item) => !item.hostNetwork && item.addresses.length === 0))
    return { kind: "stray", address };
  if (declared(options.nodeCIDRs).some((prefix) => isInPrefix(address, prefix)))
    return { kind: "node", place: "somewhere", node: undefined, id: String(address.value), addresses: [address] };
  return { kind: "address", address };
}

function isInPrefix(address: Address, prefix: Prefix): boolean {
  const range = rangeOf(prefix);
  return range.family === address.family && range.first <= address.value && address.value <= range.last;
}

/** Every address and prefix written anywhere in the input: where an answer about a range can change. */
export type Edges = readonly AddressRange[];

export function edgesOf(value: unknown): Edges {
  if (typeof value === "string") {
    const prefix = /^[0-9a-fA-F:./]+$/.test(value) ? parsePrefixOrAddress(value) : undefined;
    return prefix === undefined ? [] : [rangeOf(prefix)];
  }
  if (Array.isArray(value)) return value.flatMap(edgesOf);
  return isFields(value) ? Object.values(value).flatMap(edgesOf) : [];
}

/** One address for each piece of a range that no rule can cut further; addresses with their own names are left out. */
function partiesOfRange(
  range: AddressRange,
  cluster: Cluster,
  options: ReferenceOptions,
  edges: Edges,
): readonly Party[] {
  const starts = new Set([range.first]);
  for (const edge of edges.filter((item) => item.family === range.family)) {
    if (edge.first > range.first && edge.first <= range.last) starts.add(edge.first);
    if (edge.last >= range.first && edge.last < range.last) starts.add(edge.last + 1n);
  }
  return [...starts]
    .map((value) => partyOfAddress({ family: range.family, value }, cluster, options))
    .filter((party) => party.kind === "address" && !isServiceAddress(party.address, cluster));
}

function isServiceAddress(address: Address, cluster: Cluster): boolean {
  return cluster.services.some((service) =>
    [...service.clusterIPs, ...service.outerIPs].some((own) => sameAddress(own, address)),
  );
}

/** Not the internet: private, shared, loopback, link-local, multicast and reserved space. */
const SPECIAL = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "224.0.0.0/4",
  "240.0.0.0/4",
].map(parsePrefix);

/** Public addresses outside the cluster, in pieces. */
function internet(cluster: Cluster, options: ReferenceOptions, edges: Edges): readonly Party[] {
  const inside = [
    ...SPECIAL.filter((prefix) => prefix !== undefined),
    ...declared(options.podCIDRs),
    ...declared(options.nodeCIDRs),
    ...declared(options.serviceCIDRs),
  ];
  const all = [...edges, ...inside.map(rangeOf)];
  const whole = (family: Family, first: bigint, bits: bigint): AddressRange => ({
    family,
    first,
    last: first + (1n << bits) - 1n,
  });
  return [
    ...partiesOfRange(whole("IPv4", 0n, BigInt(widthOf("IPv4"))), cluster, options, all),
    // 2000::/3, global unicast.
    ...partiesOfRange(whole("IPv6", 0x2000n << 112n, 125n), cluster, options, all),
  ].filter((party) => party.kind === "address" && !inside.some((prefix) => isInPrefix(party.address, prefix)));
}
