/** The world as plain readonly data: what exists in the cluster, before any policy is looked at. */

import type { Document } from "../documents/document.ts";
import type { Address, AddressSet, Prefix } from "../net/address.ts";
import type { PortProtocol } from "../net/protocol.ts";
import type { LabelSelector } from "./label-selector.ts";
import type { Labels } from "./labels.ts";

export interface ContainerPort {
  /** Lower-case; absent where the port has no name. */
  readonly name?: string;
  readonly protocol: PortProtocol;
  readonly port: number;
  /** Of a host-network pod always the port itself (WL-15). */
  readonly hostPort?: number;
  /** The only node address on which `hostPort` is open; absent: all of them. */
  readonly hostAddress?: Address;
  /** Declared by an init container that keeps running: networks differ on whether the name resolves (WL-14). */
  readonly sidecar?: true;
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
  /** What the pod's `Ready` condition says; absent where the input does not tell (SVC-09: then taken as ready). */
  readonly ready?: boolean;
  /**
   * What the pod has otherwise than its workload, as in the middle of a rollout; absent: as the workload. `pods.ts`
   * reads them.
   */
  readonly differs?: PodDifference;
  /** The Pod object; absent for a representative. */
  readonly document?: Document;
}

export interface PodDifference {
  readonly hostNetwork: boolean;
  readonly serviceAccount: string;
  readonly ports: readonly ContainerPort[];
  readonly initPorts: readonly ContainerPort[];
}

/** A workload with its pods, or a pod on its own. The pods of an owner that the input only refers to stand under it. */
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
  /**
   * Desired number of pods; 0 where it is scaled to nothing, suspended or done (kubernetes.md WL-11: still analysed).
   * For a DaemonSet what its status says, else the number of nodes in the input, at least 1.
   */
  readonly replicas: number;
  /** At least one: the real pods where the input has them, else representatives; one an ordinal for a StatefulSet. */
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
  /** Internal addresses first; empty where the input does not tell. */
  readonly addresses: readonly Address[];
  /** `spec.podCIDRs`, where given. */
  readonly podCIDRs: AddressSet;
  /** Whether the Kubernetes API server is known to run on it. */
  readonly apiServer: boolean;
  /** The input has no object for it, only pods that name it: its labels are not known. */
  readonly synthesised?: true;
  readonly document?: Document;
}

export interface ServicePort {
  readonly name?: string;
  readonly protocol: PortProtocol;
  readonly port: number;
  /** A number, or a container port's name. */
  readonly targetPort: number | string;
  /** Absent on a Service with node ports: the cluster picks one. */
  readonly nodePort?: number;
  readonly appProtocol?: string;
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
  /** The load balancer reaches the pods without node ports (SVC-04). */
  readonly withoutNodePorts?: true;
  readonly document?: Document;
}

/**
 * Endpoints of a Service as the input states them (EndpointSlice, Endpoints). Where the Service has a selector, those
 * that a controller derives from pods are left out: the pods themselves say it.
 */
export interface ServiceEndpoints {
  readonly namespace: string;
  readonly service: string;
  readonly addresses: readonly Address[];
  /** Served only where the Service publishes addresses that are not ready. */
  readonly notReady?: readonly Address[];
  readonly ports: readonly EndpointPort[];
  readonly document?: Document;
}

export interface EndpointPort {
  /** Equal to the name of the Service's port; absent for its only port. */
  readonly name?: string;
  readonly protocol: PortProtocol;
  readonly port: number;
}

export interface ServiceBackend {
  readonly service: string;
  readonly port: number | string;
}

export interface IngressPath {
  readonly path: string;
  readonly type: "Exact" | "Prefix" | "ImplementationSpecific";
  /** Absent: the backend is a resource, not a Service. */
  readonly backend?: ServiceBackend;
}

export interface Ingress {
  readonly namespace: string;
  readonly name: string;
  /** As written: `spec.ingressClassName`, else the legacy annotation. `ingressClassOf` adds the default class. */
  readonly className?: string;
  readonly defaultBackend?: ServiceBackend;
  /** Hosts served over TLS; `*` for a TLS entry without hosts. */
  readonly tlsHosts: readonly string[];
  /** Without `paths` everything of the host goes to the default backend (ING-03). */
  readonly rules: readonly { readonly host?: string; readonly paths: readonly IngressPath[] }[];
  readonly document?: Document;
}

export interface IngressClass {
  readonly name: string;
  readonly controller: string;
  readonly isDefault: boolean;
  readonly document?: Document;
}

export interface GatewayClass {
  readonly name: string;
  readonly controller: string;
  readonly document?: Document;
}

export interface GatewayListener {
  readonly name: string;
  readonly port: number;
  /** `HTTP`, `HTTPS`, `TLS`, `TCP`, `UDP` or an implementation's own. */
  readonly protocol: string;
  /** Absent: any host. */
  readonly hostname?: string;
  readonly tlsMode?: "Terminate" | "Passthrough";
  /** Whose routes may attach; `selector` goes with `Selector` and looks at the labels of the route's namespace. */
  readonly from: "Same" | "All" | "None" | "Selector";
  readonly selector?: LabelSelector;
  /** Kinds of routes that may attach; absent: those that fit the protocol. */
  readonly kinds?: readonly { readonly group: string; readonly kind: string }[];
}

export interface Gateway {
  readonly namespace: string;
  readonly name: string;
  readonly className: string;
  readonly labels: Labels;
  /** Of `status.addresses`, else as asked for in `spec.addresses`. */
  readonly addresses: readonly Address[];
  readonly listeners: readonly GatewayListener[];
  readonly document?: Document;
}

export interface RouteParent {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** A listener's name; absent: every listener. */
  readonly sectionName?: string;
  readonly port?: number;
}

export interface RouteBackend {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** The Service's port; only other kinds may lack it. */
  readonly port?: number;
  readonly weight: number;
}

export interface RouteValueMatch {
  readonly type: "Exact" | "RegularExpression";
  readonly name: string;
  readonly value: string;
}

/** All parts must match. */
export interface HttpRouteMatch {
  readonly path: { readonly type: "Exact" | "PathPrefix" | "RegularExpression"; readonly value: string };
  readonly method?: string;
  readonly headers: readonly RouteValueMatch[];
  readonly queryParams: readonly RouteValueMatch[];
}

/** All parts must match; without `service` and `method` every call matches. */
export interface GrpcRouteMatch {
  readonly type: "Exact" | "RegularExpression";
  readonly service?: string;
  readonly method?: string;
  readonly headers: readonly RouteValueMatch[];
}

export interface RouteFilter {
  readonly type: string;
  /** For `RequestMirror`: who gets a copy. */
  readonly mirror?: RouteBackend;
  /** For `URLRewrite` and `RequestRedirect`. */
  readonly hostname?: string;
  readonly path?: { readonly type: "ReplaceFullPath" | "ReplacePrefixMatch"; readonly value: string };
}

export interface RouteRule {
  /** For an HTTPRoute at least one (GW-03: without matches, the path prefix `/`); else empty. */
  readonly http: readonly HttpRouteMatch[];
  /** For a GRPCRoute at least one; else empty. */
  readonly grpc: readonly GrpcRouteMatch[];
  readonly filters: readonly RouteFilter[];
  readonly backends: readonly RouteBackend[];
}

export interface Route {
  readonly kind: "HTTPRoute" | "GRPCRoute" | "TLSRoute" | "TCPRoute" | "UDPRoute";
  readonly namespace: string;
  readonly name: string;
  readonly parents: readonly RouteParent[];
  /** Empty: every host of the listener. */
  readonly hostnames: readonly string[];
  readonly rules: readonly RouteRule[];
  /** `metadata.creationTimestamp` where given: the older route wins a tie (GW-09). */
  readonly created?: string;
  readonly document?: Document;
}

/** Lets routes of other namespaces name Services of this one (GW-05, GW-08). */
export interface ReferenceGrant {
  readonly namespace: string;
  readonly name: string;
  readonly from: readonly { readonly group: string; readonly kind: string; readonly namespace: string }[];
  /** Without `name` every object of the kind. */
  readonly to: readonly { readonly group: string; readonly kind: string; readonly name?: string }[];
  readonly document?: Document;
}

/** A named list of prefixes that Cilium policies refer to by name or labels (cilium.md 1.1, R3.2). */
export interface CidrGroup {
  readonly name: string;
  readonly labels: Labels;
  readonly prefixes: readonly Prefix[];
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
  readonly scope: ForeignScope;
  readonly document: Document;
}

/** Whose connections a foreign policy may change, at either end; wider where its own selectors are not read. `foreign.ts` asks. */
export type ForeignScope =
  | { readonly kind: "everything" }
  /** Pods that carry all the labels; no labels: all pods of the namespace, or of every namespace. */
  | { readonly kind: "pods"; readonly namespace?: string; readonly labels: ReadonlyMap<string, string> }
  /** Connections to these Services; none: nothing that is asked about. */
  | { readonly kind: "services"; readonly services: readonly { readonly namespace: string; readonly name: string }[] }
  | { readonly kind: "addresses"; readonly addresses: AddressSet };

export interface World {
  /** The namespace of namespaced objects that name none. */
  readonly defaultNamespace: string;
  readonly namespaces: ReadonlyMap<string, Namespace>;
  readonly nodes: readonly Node[];
  readonly workloads: readonly Workload[];
  readonly services: readonly Service[];
  readonly serviceEndpoints: readonly ServiceEndpoints[];
  readonly ingresses: readonly Ingress[];
  readonly ingressClasses: readonly IngressClass[];
  readonly gatewayClasses: readonly GatewayClass[];
  readonly gateways: readonly Gateway[];
  readonly routes: readonly Route[];
  readonly referenceGrants: readonly ReferenceGrant[];
  /** By name. */
  readonly cidrGroups: ReadonlyMap<string, CidrGroup>;
  /** Addresses of the API server, where the input has the endpoints of the Service default/kubernetes. */
  readonly apiServerAddresses: readonly Address[];
  readonly addressPlan: AddressPlan;
  /** Data of the `cilium-config` ConfigMap, where the input has one. */
  readonly ciliumConfig?: ReadonlyMap<string, string>;
  readonly foreign: readonly ForeignPolicy[];
  /** Custom objects that make pods which the input does not have. */
  readonly podMakers: readonly PodMaker[];
}

/** A custom object whose operator makes pods. */
export interface PodMaker {
  /** `apiVersion Kind`. */
  readonly kind: string;
  /** What it makes, as far as its object tells; no workload of the world. */
  readonly workload: Workload;
}
