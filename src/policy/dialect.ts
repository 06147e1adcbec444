import type { Diagnostic } from "../base/diagnostic.ts";
import type { Document } from "../documents/document.ts";
import type { IdentityLabels } from "../model/labels.ts";
import type { Node, PodInstance, Workload, World } from "../model/world.ts";
import type { Family } from "../net/address.ts";
import type { Direction, Policy, PolicySet } from "./rule.ts";

/** One end of a connection, as the other end's policy sees it. */
export type Party =
  /** A pod with a network of its own. */
  | { readonly kind: "pod"; readonly workload: Workload; readonly pod: PodInstance }
  /** A node or a host-network pod on it. `local`: the other end runs on the same node. */
  | { readonly kind: "node"; readonly node: Node | undefined; readonly local: boolean }
  /** An address outside the cluster. */
  | { readonly kind: "outside"; readonly family: Family }
  | { readonly kind: "reserved"; readonly name: ReservedName };

export const RESERVED_NAMES = ["health", "init", "ingress", "kube-apiserver", "unmanaged"] as const;
export type ReservedName = (typeof RESERVED_NAMES)[number];

/** What became of one policy object. */
export interface CompiledObject {
  /** Empty where the object was refused or says nothing. */
  readonly policies: readonly Policy[];
  readonly diagnostics: readonly Diagnostic[];
  /** Whether the API server or the agent refuses the object whole; then no rule of it counts. */
  readonly refused: boolean;
}

/** What holds for a set of policies beyond the policies themselves. */
export type Frame = Omit<PolicySet, "policies" | "refused">;

/** How one network reads policies. A new dialect is one folder and one line in the registry. */
export interface Dialect {
  /** `kubernetes`, `cilium@1.19`, … */
  readonly name: string;
  /** Whether an object of this apiVersion and kind is a policy that the dialect enforces. */
  enforces(apiVersion: string, kind: string): boolean;
  /** Validates and compiles one object. Pure: the same document and world give the same result. */
  compile(document: Document, world: World): CompiledObject;
  /** Settings that the world tells (for Cilium: of `cilium-config`). */
  frame(world: World): Frame;
  /** The labels that a peer or subject selector is matched against. */
  identify(party: Party, world: World): IdentityLabels;
  /**
   * The labels that a subject's selector is matched against, where a network matches it against others than a peer's
   * (cilium.md R9.5: node selectors). Absent: those of `identify`.
   */
  subjectLabels?(party: Party, world: World): IdentityLabels;
  /**
   * Rules that cannot be merged among the policies that select one endpoint; it then keeps the policy that it had before
   * (cilium.md R4.3.10, 4.5). Absent: every set of policies can be merged.
   */
  conflicts?(policies: readonly Policy[]): readonly { readonly direction: Direction; readonly message: string }[];
  /** What the world's settings hold that is not understood. Absent: the dialect has no settings. */
  diagnose?(world: World): readonly Diagnostic[];
}
