/** The world as plain readonly data: what exists in the cluster, before any policy is looked at. */

import type { Document } from "../documents/document.ts";
import type { Address, AddressSet } from "../net/address.ts";
import type { PortProtocol } from "../net/protocol.ts";
import type { Labels } from "./labels.ts";

export interface ContainerPort {
  /** Lower-case; absent where the port has no name. */
  readonly name?: string;
  readonly protocol: PortProtocol;
  readonly port: number;
  readonly hostPort?: number;
}

/** One pod: given in the input, or the representative of a workload that the input only describes. */
export interface PodInstance {
  /** The pod's name where known: of the input, or `<name>-<ordinal>` for a StatefulSet; else the workload's name. */
  readonly name: string;
  readonly labels: Labels;
  /** Name of its node; absent where the input does not tell. */
  readonly node?: string;
  /** Known addresses, from `status.podIPs`; empty where the input does not tell. */
  readonly addresses: readonly Address[];
  /** Whether the pod stands for itself in the input, rather than for what a controller will make. */
  readonly real: boolean;
}

/** A workload with its pods, or a pod on its own. */
export interface Workload {
  /** `ns/Kind/name`, exact. */
  readonly id: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly hostNetwork: boolean;
  readonly serviceAccount: string;
  readonly ports: readonly ContainerPort[];
  /** Ports of plain init containers: networks differ on whether their names resolve (kubernetes.md WL-14). */
  readonly initPorts: readonly ContainerPort[];
  /** Desired number of pods; 0 where it is scaled to nothing (kubernetes.md WL-11: still analysed). */
  readonly replicas: number;
  /** At least one. */
  readonly pods: readonly PodInstance[];
  readonly document?: Document;
}

export interface Namespace {
  readonly name: string;
  /** With `kubernetes.io/metadata.name` as the API server adds it (K8-04). */
  readonly labels: Labels;
  /** Whether the input has the Namespace object; else its other labels are taken as none. */
  readonly declared: boolean;
  readonly document?: Document;
}

export interface Node {
  readonly name: string;
  readonly labels: Labels;
  readonly addresses: readonly Address[];
  /** `spec.podCIDRs`, where given. */
  readonly podCIDRs: AddressSet;
  /** Whether the Kubernetes API server is known to run on it. */
  readonly apiServer: boolean;
  readonly document?: Document;
}

export interface ServicePort {
  readonly name?: string;
  readonly protocol: PortProtocol;
  readonly port: number;
  /** A number, or a container port's name. */
  readonly targetPort: number | string;
  readonly nodePort?: number;
}

export interface Service {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Labels;
  readonly type: "ClusterIP" | "NodePort" | "LoadBalancer" | "ExternalName";
  readonly headless: boolean;
  readonly clusterIPs: readonly Address[];
  /** Absent: no selector; endpoints are hand-written. */
  readonly selector?: ReadonlyMap<string, string>;
  readonly ports: readonly ServicePort[];
  readonly externalName?: string;
  readonly externalIPs: readonly Address[];
  readonly loadBalancerAddresses: readonly Address[];
  readonly externalTrafficPolicy: "Cluster" | "Local";
  readonly internalTrafficPolicy: "Cluster" | "Local";
  /** Absent: no restriction. */
  readonly sourceRanges?: AddressSet;
  readonly publishNotReadyAddresses: boolean;
  readonly document?: Document;
}

/** Endpoints of a Service that were written by hand (EndpointSlice, Endpoints). */
export interface ServiceEndpoints {
  readonly namespace: string;
  readonly service: string;
  readonly addresses: readonly Address[];
  readonly ports: readonly { readonly name?: string; readonly protocol: PortProtocol; readonly port: number }[];
  readonly document?: Document;
}

export interface ServiceBackend {
  readonly service: string;
  readonly port: number | string;
}

export interface IngressPath {
  readonly path: string;
  readonly type: "Exact" | "Prefix" | "ImplementationSpecific";
  readonly backend?: ServiceBackend;
}

export interface Ingress {
  readonly namespace: string;
  readonly name: string;
  readonly className?: string;
  readonly defaultBackend?: ServiceBackend;
  readonly tlsHosts: readonly string[];
  readonly rules: readonly { readonly host?: string; readonly paths: readonly IngressPath[] }[];
  readonly document?: Document;
}

/** Ranges that the user or the input declares. Empty: not known. */
export interface AddressPlan {
  readonly pods: AddressSet;
  readonly nodes: AddressSet;
  readonly services: AddressSet;
}

/** A policy of another system that the input holds and no dialect at hand decides. */
export interface ForeignPolicy {
  readonly kind: string;
  readonly apiVersion: string;
  readonly namespace?: string;
  readonly name: string;
  readonly document: Document;
}

export interface World {
  readonly namespaces: ReadonlyMap<string, Namespace>;
  readonly nodes: readonly Node[];
  readonly workloads: readonly Workload[];
  readonly services: readonly Service[];
  readonly serviceEndpoints: readonly ServiceEndpoints[];
  readonly ingresses: readonly Ingress[];
  readonly addressPlan: AddressPlan;
  /** Data of the `cilium-config` ConfigMap, where the input has one. */
  readonly ciliumConfig?: ReadonlyMap<string, string>;
  readonly foreign: readonly ForeignPolicy[];
}
