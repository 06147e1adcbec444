/** A topology as data: what the writers of pictures draw. */
import type { Because } from "../base/because.ts";
import type { FlowEntry } from "../reach/flow-list.ts";

export type EdgeTone = "allow" | "narrowed" | "unsure" | "gained" | "lost";

export interface TopologyNode {
  /** Unique. */
  readonly id: string;
  /** What is written in the box. */
  readonly label: string;
  readonly column: string;
  /** How many endpoints it stands for. */
  readonly count: number;
  /** Everybody inside reaches it with everything. */
  readonly open: boolean;
  /** A policy selects it. */
  readonly governed: boolean;
}

export interface TopologyEdge {
  readonly from: string;
  readonly to: string;
  /** The ports, in a few words; the writer shortens them. */
  readonly flows: readonly FlowEntry[];
  readonly tone: EdgeTone;
  /** How many pairs of endpoints it stands for. */
  readonly count: number;
  readonly because: readonly Because[];
  /** What did it, of a diff. */
  readonly note?: string;
}

/** A way in: a box in the north. */
export interface TopologyEntrance {
  readonly id: string;
  readonly label: string;
  readonly detail: string;
  readonly to: string;
  readonly ports: string;
  readonly tone: "allow" | "unsure" | "closed";
}

/** A subnet of a VPC: a box around what stands in it. */
export interface TopologySubnet {
  readonly name: string;
  /** A route leads from it to an internet gateway. */
  readonly isPublic: boolean;
  readonly column: string;
  /** Nodes in it; one with several interfaces stands in several. */
  readonly nodes: readonly string[];
}

export interface Topology {
  readonly title: string;
  readonly columns: readonly string[];
  readonly nodes: readonly TopologyNode[];
  readonly edges: readonly TopologyEdge[];
  readonly entrances: readonly TopologyEntrance[];
  /** Whether boxes are whole applications. */
  readonly folded: boolean;
  /** Of a VPC alone. */
  readonly subnets?: readonly TopologySubnet[];
}
