/** The world of kubernetes.md, section 9, built by hand so that these tests stand on the dialect alone. */
import type { Document } from "../../../src/documents/document.ts";
import { readDocuments } from "../../../src/documents/reader.ts";
import type { Labels } from "../../../src/model/labels.ts";
import type { ContainerPort, Namespace, Node, Workload, World } from "../../../src/model/world.ts";
import { type Address, NO_ADDRESSES, parseAddress } from "../../../src/net/address.ts";

export function address(text: string): Address {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new Error(`no address: ${text}`);
  return parsed;
}

function labelsOf(labels: Readonly<Record<string, string>>): Labels {
  return new Map(Object.entries(labels));
}

interface PodTweaks {
  readonly labels?: Readonly<Record<string, string>>;
  readonly node?: string;
  readonly address?: string;
  readonly ports?: readonly ContainerPort[];
  readonly hostNetwork?: boolean;
}

export function pod(namespace: string, name: string, tweaks: PodTweaks = {}): Workload {
  return {
    id: `${namespace}/Pod/${name}`,
    kind: "Pod",
    namespace,
    name,
    hostNetwork: tweaks.hostNetwork ?? false,
    serviceAccount: "default",
    ports: tweaks.ports ?? [],
    initPorts: [],
    replicas: 1,
    pods: [
      {
        name,
        labels: labelsOf(tweaks.labels ?? { app: name }),
        ...(tweaks.node === undefined ? {} : { node: tweaks.node }),
        addresses: tweaks.address === undefined ? [] : [address(tweaks.address)],
        real: true,
      },
    ],
  };
}

export function node(name: string, at: string, labels: Readonly<Record<string, string>> = {}): Node {
  return { name, labels: labelsOf(labels), addresses: [address(at)], podCIDRs: NO_ADDRESSES, apiServer: false };
}

export function namespace(name: string, labels: Readonly<Record<string, string>> = {}): Namespace {
  return { name, labels: labelsOf({ ...labels, "kubernetes.io/metadata.name": name }), declared: true };
}

export function world(tweaks: Partial<World> = {}): World {
  return {
    defaultNamespace: "default",
    namespaces: new Map([
      ["shop", namespace("shop", { team: "red" })],
      ["pay", namespace("pay", { team: "blue" })],
    ]),
    nodes: [node("N1", "10.0.0.1", { zone: "a" }), node("N2", "10.0.0.2", { zone: "b" })],
    workloads: [
      pod("shop", "web", {
        node: "N1",
        address: "10.244.1.10",
        ports: [{ name: "http", protocol: "TCP", port: 8080 }],
      }),
      pod("shop", "db", { node: "N1", address: "10.244.1.11", ports: [{ name: "pg", protocol: "TCP", port: 5432 }] }),
      pod("shop", "cli", { node: "N2", address: "10.244.2.10" }),
      pod("shop", "mon", { node: "N2", address: "10.0.0.2", hostNetwork: true }),
      pod("shop", "near", { node: "N1", address: "10.0.0.1", hostNetwork: true }),
      pod("shop", "new"),
      pod("pay", "x", { labels: { app: "web" }, node: "N2", address: "10.244.2.20" }),
      pod("pay", "y", { node: "N2", address: "10.244.2.21" }),
    ],
    services: [],
    serviceEndpoints: [],
    ingresses: [],
    ingressClasses: [],
    gatewayClasses: [],
    gateways: [],
    routes: [],
    referenceGrants: [],
    cidrGroups: new Map(),
    apiServerAddresses: [],
    addressPlan: { pods: NO_ADDRESSES, nodes: NO_ADDRESSES, services: NO_ADDRESSES },
    foreign: [],
    podMakers: [],
    ...tweaks,
  };
}

/** The objects of a text, read as the file `policy.yaml`. */
export function documents(text: string): readonly Document[] {
  return readDocuments([{ name: "policy.yaml", text }]).documents;
}

export function document(text: string): Document {
  const [first] = documents(text);
  if (first === undefined) throw new Error(`no object: ${text}`);
  return first;
}

/** A NetworkPolicy named `np` in shop; the spec is written on one line, as in kubernetes.md. */
export function networkPolicy(spec: string, name = "np", namespaceName = "shop"): Document {
  return document(
    `{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: ${name}, namespace: ${namespaceName}}, spec: ${spec}}`,
  );
}

export function clusterNetworkPolicy(spec: string, name = "cnp"): Document {
  return document(
    `{apiVersion: policy.networking.k8s.io/v1alpha2, kind: ClusterNetworkPolicy, metadata: {name: ${name}}, spec: ${spec}}`,
  );
}

export function adminNetworkPolicy(spec: string, name = "anp"): Document {
  return document(
    `{apiVersion: policy.networking.k8s.io/v1alpha1, kind: AdminNetworkPolicy, metadata: {name: ${name}}, spec: ${spec}}`,
  );
}

export function baselineAdminNetworkPolicy(spec: string, name = "default"): Document {
  return document(
    `{apiVersion: policy.networking.k8s.io/v1alpha1, kind: BaselineAdminNetworkPolicy, metadata: {name: ${name}}, spec: ${spec}}`,
  );
}

/** `shop` policy on app=web with the given ingress: "in W" of kubernetes.md section 9. */
export function inW(ingress: string): Document {
  return networkPolicy(`{podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress], ingress: ${ingress}}`);
}
