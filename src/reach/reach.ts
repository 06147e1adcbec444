/** The question who reaches whom, and its answer. */
import type { Because } from "../base/because.ts";
import type { PortProtocol } from "../net/protocol.ts";
import type { Direction, Origin, Policy } from "../policy/rule.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Reason } from "./explain.ts";
import type { FlowEntry } from "./flow-list.ts";
import type { Group } from "./inventory.ts";

export type GroupBy = "endpoint" | "application" | "namespace" | "identity";

export interface ReachQuery {
  /** Names of the contract; absent: everything. */
  readonly from?: string;
  readonly to?: string;
  readonly port?: { readonly protocol: PortProtocol; readonly port: number };
  readonly by: GroupBy;
  /** Whether to name what decided each entry. */
  readonly provenance: boolean;
  /** Whether to list what is outside as well. */
  readonly outside: boolean;
}

/** What decided an entry, on one side. */
export interface Decider {
  readonly direction: Direction;
  readonly reason: Reason;
  readonly origins: readonly Origin[];
  readonly isolatedBy: readonly Policy[];
}

export interface ReachEntry extends FlowEntry {
  readonly deciders: readonly Decider[];
}

export interface UnsureEntry extends FlowEntry {
  readonly because: readonly Because[];
}

export interface ReachPair {
  readonly from: string;
  readonly to: string;
  /** What certainly passes: between groups, between every two members. */
  readonly allow: readonly ReachEntry[];
  readonly unsure: readonly UnsureEntry[];
  /** Between groups: what certainly passes between some members and not between others. */
  readonly mixed: readonly FlowEntry[];
}

/** A row or column of the answer. */
export interface Row {
  readonly name: string;
  readonly kind:
    | "workload"
    | "pod"
    | "node"
    | "outside"
    | "reserved"
    | "service"
    | "application"
    | "namespace"
    | "identity"
    // Things of a VPC; they have no members here.
    | "instance"
    | "load-balancer"
    | "nat-gateway"
    | "endpoint"
    | "interface"
    | "group"
    | "cluster";
  readonly members: readonly Endpoint[];
  /** Where the one member stands for pods of several nodes: a pod of each, which ends that are nodes tell apart. */
  readonly byNode?: readonly Endpoint[];
  readonly group?: Group;
  /** Of what has no members: how many things it stands for, and its labels or tags. */
  readonly replicas?: number;
  readonly labels?: ReadonlyMap<string, string>;
}

export interface Reach {
  readonly rows: readonly Row[];
  readonly pairs: Iterable<ReachPair>;
}
