/**
 * The one rule form that every dialect compiles to. Plain readonly data: it prints, compares and serialises; the
 * engine evaluates it and the lab compiles it to the kernel, each on its own.
 */

import type { Because } from "../base/because.ts";
import type { Document, Path } from "../documents/document.ts";
import type { AddressSet, Family } from "../net/address.ts";
import type { PortProtocol, Protocol } from "../net/protocol.ts";
import type { Selector } from "./selector.ts";
import type { ServiceTraits } from "./service-traits.ts";

export type { Selector } from "./selector.ts";

export type Direction = "ingress" | "egress";
export type Action = "allow" | "deny" | "pass";
export type Section = "ingress" | "egress" | "ingressDeny" | "egressDeny";

/** Where a rule was written. */
export interface Origin {
  readonly kind: string;
  /** Absent for cluster-wide kinds. */
  readonly namespace?: string;
  readonly name: string;
  readonly section: Section;
  /** Index within its section; for an object with `specs`, sections of all of them are counted on. */
  readonly index: number;
  /** The object's document and the path of the rule in it; absent for rules that no document states. */
  readonly document?: Document;
  readonly path?: Path;
  /** The name is the rule's own, such as the address of a rule of a VPC: section and index say nothing more. */
  readonly exact?: true;
}

/** Who is at the other end. */
export type Peer =
  /** Every endpoint inside and outside. */
  | { readonly kind: "any" }
  /**
   * Whoever carries these identity labels. `constrained` peers are narrowed by `requires` (cilium.md R4.7.1).
   * `same` and `notSame` hold full keys (`ns:team`) and compare the identity labels of both ends (drafts of
   * AdminNetworkPolicy). Both ends must carry every key; then `same` holds where all values are equal, `notSame` where
   * at least one differs. Never empty.
   */
  | {
      readonly kind: "labels";
      readonly selector: Selector;
      readonly constrained?: boolean;
      readonly same?: readonly string[];
      readonly notSame?: readonly string[];
    }
  /**
   * Whoever has one of these addresses. `scope` says which endpoints an address rule can see at all: only what is
   * outside (Cilium's default, R3.2.4), also remote nodes (`policy-cidr-match-mode: nodes`), or everybody. With
   * `untranslated`, it is not defined whether the address of a Service that was dialled counts, or that of the backend
   * (kubernetes.md K8-26); absent: the backend's.
   */
  | {
      readonly kind: "addresses";
      readonly addresses: AddressSet;
      readonly scope: "outside" | "nodes" | "any";
      readonly untranslated?: "maybe";
    }
  /** Addresses outside to which one of these DNS names has resolved (cilium.md 7.3). */
  | { readonly kind: "names"; readonly names: readonly NamePattern[] }
  /**
   * Whom the rule means cannot be told (cloud groups, a missing CIDR group, what a specification leaves open): maybe
   * anybody outside, or with the scope `any` maybe anybody at all.
   */
  | { readonly kind: "unknown"; readonly because: Because; readonly scope?: "outside" | "any" };

/** A DNS name or pattern. */
export interface NamePattern {
  /** As written. */
  readonly text: string;
  /** A regular expression over the lower-case name with trailing dot, anchored, in syntax that RE2 and ECMAScript read alike. */
  readonly expression: string;
}

/** Destination ports of one protocol, or everything. */
export type PortMatch =
  | { readonly kind: "any" }
  /** Inclusive; 1–65535 is every port. */
  | { readonly kind: "ports"; readonly protocol: PortProtocol; readonly first: number; readonly last: number }
  /** Inclusive range of ICMP types of a family; 0–255 is every type. */
  | { readonly kind: "icmp"; readonly family: Family; readonly first: number; readonly last: number }
  /** A whole protocol without ports (VRRP, IGMP, ICMP as a protocol). */
  | { readonly kind: "protocol"; readonly protocol: Protocol }
  /**
   * A container port's name. `destination`: the numbers that the destination pod declares under the name.
   * `cluster`: the number that the name has anywhere in the cluster; several numbers match nothing (cilium.md R5.6).
   * `protocol` absent: whatever protocol the declaration has.
   */
  | {
      readonly kind: "named";
      readonly name: string;
      readonly protocol?: PortProtocol;
      readonly resolve: "destination" | "cluster";
      /** Where given, the number is looked up without regard to who the destination is (outside included). */
      readonly path?: Path;
      /**
       * A pod has but one number of a protocol under the name; where it declares several, which one is not told (cilium.md
       * U6). Absent: it has each of them (kubernetes.md K8-31).
       */
      readonly single?: true;
    };

/** One HTTP rule: all parts that are given must match (cilium.md 6.1). Expressions are RE2, matched in full. */
export interface HttpRule {
  readonly method?: string;
  readonly path?: string;
  readonly host?: string;
  readonly headers: readonly HeaderMatch[];
  readonly at: Path;
}

export interface HeaderMatch {
  /** Lower-case. */
  readonly name: string;
  /** Exact value; absent: presence is enough. */
  readonly value?: string;
  /** What happens on a mismatch; absent: the rule fails. */
  readonly mismatch?: "LOG" | "ADD" | "DELETE" | "REPLACE";
  /** The value lies in a Secret, which is never read. */
  readonly secret?: string;
}

/** What a proxy judges beyond the port. */
export type ApplicationRule =
  /** An empty list is no list (cilium.md 2.4): compilers do not emit it. */
  | { readonly kind: "http"; readonly rules: readonly HttpRule[] }
  | { readonly kind: "dns"; readonly names: readonly NamePattern[] }
  | { readonly kind: "tls"; readonly serverNames: readonly NamePattern[] }
  /** Accepted, but nobody can decide it offline (Kafka, generic parsers, a custom listener). */
  | { readonly kind: "opaque"; readonly what: string; readonly merge?: MergeKey };

/** What must agree where rules of one selector and port are merged (cilium.md R4.5.4, R4.5.5). */
export interface MergeKey {
  readonly slot: "parser" | "terminatingTLS" | "originatingTLS" | "listener";
  readonly value: string;
  /** Of listeners: only those of equal priority must agree. */
  readonly priority?: number;
}

/** One port item with the application rules that hold for it. */
export interface Traffic {
  readonly match: PortMatch;
  /** All of them must pass; absent: none is needed. */
  readonly application?: readonly ApplicationRule[];
}

export interface Rule {
  readonly direction: Direction;
  readonly action: Action;
  /** OR-ed. Empty selects nobody. */
  readonly peers: readonly Peer[];
  /** OR-ed. Empty matches nothing. `[{match: {kind: "any"}}]` is everything. */
  readonly traffic: readonly Traffic[];
  /** `required`: only after mutual authentication (unsure offline); `fail`: never passes. */
  readonly authentication?: "required" | "disabled" | "fail";
  readonly origin: Origin;
}

/** Whom a policy protects. */
export interface Subject {
  /** `endpoint`: pods with a network of their own; `node`: the node itself and its host-network pods. */
  readonly target: "endpoint" | "node";
  readonly selector: Selector;
}

/**
 * How a policy unit treats a direction. `untouched`: it says nothing. `open`: its rules are enforced and the rest
 * passes. `closed`: what no rule allows is denied (default deny).
 */
export type Isolation = "untouched" | "open" | "closed";

/** One subject with its rules: a NetworkPolicy, or one rule of a CiliumNetworkPolicy. */
export interface Policy {
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  readonly document?: Document;
  /** Path of the spec in the document: `["spec"]` or `["specs", 1]`. */
  readonly path: Path;
  /** Name of the tier in which it stands; one of `PolicySet.tiers`. */
  readonly tier: string;
  /** Within an ordered tier, lower first. 0 where order has no meaning. */
  readonly order: number;
  /**
   * Which policies `order` compares with; absent: all. Between two policies of one ordered tier with different sequences
   * no order is defined (AdminNetworkPolicy beside ClusterNetworkPolicy, kubernetes.md CNP-35), as between two of equal
   * order (CNP-20).
   */
  readonly sequence?: string;
  readonly subject: Subject;
  readonly isolation: Readonly<Record<Direction, Isolation>>;
  readonly rules: readonly Rule[];
  /** Selectors that every constrained peer of the subject's policies must match as well, by section. */
  readonly requires?: Readonly<Partial<Record<Section, readonly Selector[]>>>;
}

/**
 * `ordered`: the first rule that matches decides; pass leaves the tier; no match goes on.
 * `union`: denies win over allows; a closed direction denies what is left, an open or untouched one goes on.
 */
export interface Tier {
  readonly name: string;
  readonly mode: "ordered" | "union";
}

export interface PolicySet {
  readonly tiers: readonly Tier[];
  readonly policies: readonly Policy[];
  /**
   * Rules that hold without being written (cilium.md R9.1, kubernetes.md K8-38): judged as ordinary allows of the
   * union tier where a direction is enforced, and reported as `always-allowed`.
   */
  readonly alwaysAllowed: readonly Rule[];
  /**
   * Which decides where such a rule and a written one allow the same: the one that always holds (kubernetes.md K8-34 step
   * 3), or the written one (cilium.md R9.1). Absent: the written one.
   */
  readonly alwaysFirst?: true;
  /** `never`: nothing is enforced; `always`: both directions of every endpoint are closed (cilium.md R4.3.1). */
  readonly enforcement: "default" | "always" | "never";
  /** Whether policies with a node subject are enforced (cilium.md R9.5). */
  readonly hostFirewall: boolean;
  /** What an identity with these labels always has closed, whatever the policies (cilium.md R4.3.2: `reserved:init`). */
  readonly alwaysClosed: readonly Selector[];
  /** Everything that layer 3 and 4 would deny is allowed and only logged (cilium.md R4.3.9). */
  readonly audit: boolean;
  /** The addresses of a DNS name are known once a look-up has passed a DNS rule (cilium.md R7.3.1); absent: always. */
  readonly learnsNames?: true;
  /** The proxy compares the paths of requests as they are sent (cilium.md R6.1.6); absent: normalised. */
  readonly pathsAsSent?: true;
  /** Seconds for which an address that a name led to stays known at least (cilium.md R7.3.4). Absent: as its answer says. */
  readonly minimumTtl?: number;
  /** A look-up that the rules refuse is answered as if the name did not exist (R7.2.4). Absent: as refused. */
  readonly refusesAsNameError?: true;
  /**
   * ICMP "fragmentation needed" (type 3, code 4) passes whatever the policies say (cilium.md R4.4.3); absent: it is judged
   * as every other type.
   */
  readonly fragmentationPasses?: true;
  /** How Services are carried; absent: as the specification leaves it. */
  readonly services?: ServiceTraits;
  /**
   * Which of several allows takes a connection: the one whose parser is preferred, and any before none (cilium.md R4.2.3),
   * or the one of the narrowest ports (R4.2.2). Absent: no allow has a parser.
   */
  readonly takes?: "preferred-parser" | "narrowest-ports";
  /**
   * What the application rules of an `open` policy do while nothing closes the direction (cilium.md R4.3.7): `lifted`:
   * everything passes; `enforced`: they hold; `unsure`: not told. Absent: lifted.
   */
  readonly openApplication?: {
    readonly http: "lifted" | "enforced" | "unsure";
    readonly dns: "lifted" | "enforced" | "unsure";
  };
  /** Namespaces and kinds refused (`Kind/ns/name`) under --as-cluster. */
  readonly refused: readonly string[];
}
