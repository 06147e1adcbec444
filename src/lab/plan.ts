/**
 * What the lab builds: a cluster as plain data.
 *
 * A plan says who exists and where; who may talk to whom is the ruleset's part (`ruleset.ts`). It holds nothing that
 * is derived from policies, so a change of policy never changes the plan.
 */

/** IP protocol of a declared port. */
export type PortProtocol = "TCP" | "UDP" | "SCTP";

/** Security identities that every cluster has; numbers as in Cilium's `pkg/identity/numericidentity.go`. */
export const RESERVED_IDENTITY = {
  host: 1,
  world: 2,
  unmanaged: 3,
  health: 4,
  init: 5,
  remoteNode: 6,
  kubeApiserver: 7,
  ingress: 8,
  worldIpv4: 9,
  worldIpv6: 10,
} as const;

/** Identities must fit the verdict keys of the data path. */
export const MAX_IDENTITY = 0xff_ff_ff;

export interface PlannedPort {
  /** The container port's name; absent when the manifest gives none. */
  readonly name?: string;
  readonly protocol: PortProtocol;
  /** 1–65535. */
  readonly port: number;
}

export interface PlannedPod {
  /** `namespace/name`, unique in the plan. */
  readonly name: string;
  readonly namespace: string;
  /** Security identity. Of a host-network pod it is unused: its packets carry `host` or `remote-node`. */
  readonly identity: number;
  readonly labels: Readonly<Record<string, string>>;
  /** IPv4 and/or IPv6, no prefix length. Empty only when `hostNetwork`: the node's addresses are the pod's. */
  readonly addresses: readonly string[];
  readonly hostNetwork: boolean;
  /** Name of a node of the plan. */
  readonly node: string;
  /** Served for real: HTTP on TCP, echo on UDP. Empty: nothing listens. */
  readonly ports: readonly PlannedPort[];
}

export interface PlannedNode {
  readonly name: string;
  /** IPv4 and/or IPv6, no prefix length; at least one. */
  readonly addresses: readonly string[];
  /** What other nodes' pods see: `remote-node`, or `kube-apiserver` where the API server runs. */
  readonly identity: number;
  /** The identity under which policies on nodes govern it; absent: none can. */
  readonly subject?: number;
}

/** A backend of one service port: where translation sends a connection. */
export interface PlannedBackend {
  /** Name of a pod of the plan, or null for an address outside (a Service without selector). */
  readonly pod: string | null;
  readonly address: string;
  /** The target port, numeric: a named target port is resolved per backend. */
  readonly port: number;
}

export interface PlannedServicePort {
  readonly name?: string;
  readonly protocol: PortProtocol;
  readonly port: number;
  /** Opened on every node; absent unless NodePort or LoadBalancer. */
  readonly nodePort?: number;
  /** Empty: a connection is refused with reason `no-backend`. */
  readonly backends: readonly PlannedBackend[];
}

export interface PlannedService {
  readonly namespace: string;
  readonly name: string;
  /** One for each family; empty for a headless or ExternalName service. */
  readonly clusterIPs: readonly string[];
  /** Addresses outside on which a load balancer answers; empty unless LoadBalancer. */
  readonly loadBalancerIPs: readonly string[];
  /** Cluster: the source becomes the node's address; Local: it is kept. Only for traffic from outside. Default Cluster. */
  readonly externalTrafficPolicy?: "Cluster" | "Local";
  /** The name that an ExternalName service stands for; absent otherwise. */
  readonly externalName?: string;
  readonly ports: readonly PlannedServicePort[];
  /** Headless: the addresses its name resolves to. Empty for others. */
  readonly endpoints: readonly { readonly address: string; readonly hostname?: string }[];
}

export interface PlannedIngressPath {
  readonly path: string;
  readonly pathType: "Exact" | "Prefix" | "ImplementationSpecific";
  /** `namespace/name` of a service of the plan. */
  readonly service: string;
  /** The service's port, numeric. */
  readonly port: number;
}

export interface PlannedIngressRule {
  /** Host name, `*.` prefix allowed; null: every host. */
  readonly host: string | null;
  readonly paths: readonly PlannedIngressPath[];
}

/**
 * The proxy that serves every Ingress object: an endpoint of its own inside the cluster, reached from outside through
 * a load balancer. Its connections to backends carry its own identity (Cilium: `reserved:ingress`).
 */
export interface PlannedIngress {
  readonly identity: number;
  readonly addresses: readonly string[];
  readonly node: string;
  /** Addresses on which the load balancer outside answers; TCP port 80. */
  readonly loadBalancerIPs: readonly string[];
  readonly rules: readonly PlannedIngressRule[];
}

/** The cluster's name server: a pod behind a service address. */
export interface PlannedDns {
  /** One for each family; what `/etc/resolv.conf` of every pod names. */
  readonly clusterIPs: readonly string[];
  /** `cluster.local` */
  readonly domain: string;
  /** The pod that answers; its traffic is judged like any other pod's. */
  readonly pod: {
    readonly name: string;
    readonly identity: number;
    readonly labels: Readonly<Record<string, string>>;
    readonly addresses: readonly string[];
    readonly node: string;
  };
}

/** Something outside with a name. Every other outside address answers too, without one. */
export interface PlannedOutside {
  readonly name: string;
  readonly addresses: readonly string[];
  /** How long an answer with its addresses holds, in seconds. Default 5. */
  readonly ttl?: number;
  /** Default: the plan's world identity of the address's family. */
  readonly identity?: number;
}

export interface Plan {
  readonly nodes: readonly PlannedNode[];
  readonly pods: readonly PlannedPod[];
  readonly services: readonly PlannedService[];
  /** Null: the manifests hold no Ingress. */
  readonly ingress: PlannedIngress | null;
  /** Null: names do not resolve inside pods. */
  readonly dns: PlannedDns | null;
  readonly outside: readonly PlannedOutside[];
  /**
   * Whether the internet reaches pods and nodes at their own addresses, as in a VPC whose routing says so. Default
   * false: from outside only load balancers and node ports answer.
   */
  readonly podsRoutable?: boolean;
  /** Identity of addresses that are neither pod nor node: 2, or 9 and 10 in a dual-stack Cilium cluster. */
  readonly world: { readonly ipv4: number; readonly ipv6: number };
}
