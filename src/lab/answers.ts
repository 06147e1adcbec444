/** What a lab is asked and what it answers, as plain data: it travels over the control socket as JSON. */

import type { PlannedPort, PortProtocol } from "./plan.ts";
import type { Direction } from "./ruleset.ts";

/** `lab status -o json` is this, with `schemaVersion`. */
export interface LabStatus {
  readonly name: string;
  /** Process id of the lab's daemon as the user sees it. */
  readonly pid: number;
  readonly nodes: readonly { readonly name: string; readonly addresses: readonly string[] }[];
  readonly pods: readonly {
    readonly name: string;
    readonly node: string;
    readonly addresses: readonly string[];
    readonly identity: number;
    readonly ports: readonly PlannedPort[];
  }[];
  readonly services: readonly {
    readonly namespace: string;
    readonly name: string;
    readonly clusterIPs: readonly string[];
    readonly loadBalancerIPs: readonly string[];
    /** Of an ExternalName service. */
    readonly externalName?: string;
    readonly ports: readonly {
      readonly port: number;
      readonly protocol: PortProtocol;
      readonly nodePort?: number;
      readonly backends: readonly string[];
    }[];
  }[];
  readonly policies: readonly string[];
  /** Counts policy sets since the lab began; 1 is the first. */
  readonly generation: number;
  /** The pod of the name server; null: none. */
  readonly dns: string | null;
  /** Null: no Ingress. */
  readonly ingress: { readonly addresses: readonly string[]; readonly loadBalancerIPs: readonly string[] } | null;
}

/**
 * Who a probe starts from or goes to, and where a program runs:
 * `namespace/pod`, `internet`, `ingress`, `host@NODE`. As a target also `service:namespace/name` and `ip:ADDRESS`.
 * `internet` as a target is an address outside that no one else has; `ingress` is the load balancer's address when
 * asked from `internet`, else the proxy's own.
 */
export type Place = string;

export interface ProbeHttp {
  readonly method?: string;
  /** Default `/`. */
  readonly path?: string;
  /** Default the target's address. */
  readonly host?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Probe {
  readonly from: Place;
  readonly to: Place;
  readonly protocol: "TCP" | "UDP" | "SCTP" | "ICMP" | "ICMPv6";
  /** The port asked for; of a service the service's port. ICMP: the type. */
  readonly port: number;
  /** Default: the first family that both sides have. */
  readonly family?: 4 | 6;
  /** Asks a request after the handshake; TCP only. */
  readonly http?: ProbeHttp;
}

/** A packet that the kernel dropped, as its log reported it. */
export interface Drop {
  /** Null: not a policy's drop. */
  readonly direction: Direction | null;
  readonly reason: "default-deny" | "deny" | "no-backend" | "no-proxy" | "not-routed" | "fault" | "other";
  /** Default deny: the policies that isolate. Deny: the origin of the entry that matched. */
  readonly policies: readonly string[];
  /** The log prefix of the nftables rule that dropped it, verbatim. */
  readonly prefix: string;
  readonly source: string;
  readonly destination: string;
  readonly protocol: number;
  readonly sourcePort: number;
  /** After service translation. ICMP: the type. */
  readonly destinationPort: number;
}

export interface ProbeResult {
  readonly probe: Probe;
  /**
   * `allow`: the handshake (TCP) or echo (UDP) completed and the intended endpoint took part.
   * `deny`: the kernel's log named the packet as dropped.
   * `refused`: it arrived, and nothing listens there, as the plan says.
   * `lost`: neither happened within the time limit, or somebody else answered, or nobody where somebody should listen:
   * the lab itself is wrong.
   */
  readonly outcome: "allow" | "deny" | "refused" | "lost";
  /** Where the packets were sent, before service translation. */
  readonly address: string;
  /** The pod (or `internet`, `ingress`) that took the connection; null when none did. */
  readonly answeredBy: string | null;
  /** Set when `deny`; also when a drop behind a proxy made the request fail. */
  readonly drop: Drop | null;
  /** The proxy's or server's answer, when `http` was asked. */
  readonly http: { readonly status: number; readonly body: string } | null;
  readonly milliseconds: number;
  /** What went wrong when `lost`; null otherwise. */
  readonly detail: string | null;
}

export interface ApplyResult {
  readonly generation: number;
  /** From the order to the moment at which the kernel had committed the new policy set. */
  readonly milliseconds: number;
  /** Verdict entries that were added for the new set. */
  readonly entries: number;
}

/** One connection attempt, or one request that a proxy judged: forwarded or dropped. In the shape of Hubble's `flow` (cilium `api/v1/flow/flow.proto`). */
export interface FlowRecord {
  readonly flow: Flow;
  readonly node_name: string;
  readonly time: string;
}

export interface FlowPolicy {
  readonly name: string;
  readonly namespace?: string;
  readonly kind: string;
  readonly labels?: readonly string[];
}

export interface FlowEndpoint {
  readonly identity: number;
  readonly cluster_name?: string;
  readonly namespace?: string;
  readonly labels: readonly string[];
  readonly pod_name?: string;
}

export interface Flow {
  readonly time: string;
  readonly uuid: string;
  readonly verdict: "FORWARDED" | "DROPPED";
  readonly drop_reason?: number;
  readonly drop_reason_desc?: string;
  readonly IP: { readonly source: string; readonly destination: string; readonly ipVersion: "IPv4" | "IPv6" };
  readonly l4: {
    readonly TCP?: {
      readonly source_port: number;
      readonly destination_port: number;
      readonly flags?: Readonly<Record<string, boolean>>;
    };
    readonly UDP?: { readonly source_port: number; readonly destination_port: number };
    readonly SCTP?: { readonly source_port: number; readonly destination_port: number };
    readonly ICMPv4?: { readonly type?: number; readonly code?: number };
    readonly ICMPv6?: { readonly type?: number; readonly code?: number };
  };
  readonly source: FlowEndpoint;
  readonly destination: FlowEndpoint;
  readonly Type: "L3_L4" | "L7";
  readonly node_name: string;
  readonly event_type: { readonly type: number };
  readonly traffic_direction: "INGRESS" | "EGRESS";
  readonly is_reply?: boolean;
  readonly Summary: string;
  /** Of `Type` L7. */
  readonly l7?: FlowLayer7;
  /** Names of the destination that the client told. */
  readonly destination_names?: readonly string[];
  readonly egress_allowed_by?: readonly FlowPolicy[];
  readonly ingress_allowed_by?: readonly FlowPolicy[];
  readonly egress_denied_by?: readonly FlowPolicy[];
  readonly ingress_denied_by?: readonly FlowPolicy[];
}

/** A request that a proxy judged, or the answer to it (`flow.proto`, `Layer7`). */
export interface FlowLayer7 {
  readonly type: "REQUEST" | "RESPONSE";
  /** Nanoseconds, as text: 64 bits. */
  readonly latency_ns?: string;
  readonly http?: {
    /** Of an answer. */
    readonly code?: number;
    readonly method: string;
    readonly url: string;
    readonly protocol: string;
    readonly headers?: readonly { readonly key: string; readonly value: string }[];
  };
  readonly dns?: {
    /** With trailing dot. */
    readonly query: string;
    readonly ips?: readonly string[];
    /** In seconds. */
    readonly ttl?: number;
    readonly cnames?: readonly string[];
    readonly observation_source: "proxy";
    readonly rcode?: number;
    readonly qtypes: readonly string[];
    readonly rrtypes?: readonly string[];
  };
}

export interface FlowFilter {
  readonly verdict?: "FORWARDED" | "DROPPED";
  /** Pod name, or a namespace with a trailing slash. */
  readonly from?: string;
  readonly to?: string;
  /** Only flows of the last so many milliseconds. */
  readonly sinceMs?: number;
  /** Keep on yielding what happens until the iteration is ended. */
  readonly follow?: boolean;
}

/** Faults that a test can put into the rules of a running lab. */
export type Fault =
  /** Packets from one pod to another pass whatever the policy says. */
  | { readonly kind: "pass"; readonly from: string; readonly to: string }
  /** Packets from one pod to another are dropped whatever the policy says. */
  | { readonly kind: "drop"; readonly from: string; readonly to: string }
  /** From now on a policy set comes into force in two steps, egress first: what the lab must never do. */
  | { readonly kind: "torn-swap" }
  /** The servers of one pod listen in the network of another. */
  | { readonly kind: "misplaced-servers"; readonly of: string; readonly into: string }
  /** Removes every seeded fault. */
  | { readonly kind: "none" };
