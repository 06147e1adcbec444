/**
 * What the lab enforces: the rules of every identity as plain data, as the compilers of the policy dialects hand them
 * over. The lab never sees a verdict of the engine; it matches packets against these rules.
 *
 * Meaning, for one packet of the original direction of a connection, after service translation: the egress rules of
 * the source's identity judge it, then the ingress rules of the destination's. In each: a matching deny entry drops;
 * else a matching allow entry passes; else the packet is dropped when `isolated`, and passes when not. Replies pass.
 * Where every allow entry that matches has application rules, the packet goes to the proxy (`proxy/seam.ts`), which
 * judges what is asked by these rules.
 */

import type { ApplicationRule } from "../policy/rule.ts";

export type Direction = "ingress" | "egress";

/** Addresses that belong together: a CIDR less its exceptions. */
export interface Prefix {
  /** `10.0.0.0/8`, `2001:db8::/32`. */
  readonly cidr: string;
  /** Inside `cidr`; empty for none. */
  readonly except: readonly string[];
}

export type Peer =
  /** Everybody, the world and hosts included. */
  | { readonly kind: "any" }
  /**
   * The endpoints of these identities. Empty selects nobody. `world` identities select every address outside;
   * `host` is the subject's own node, `remote-node` every other.
   */
  | { readonly kind: "identities"; readonly identities: readonly number[] }
  /**
   * Addresses. `covers` says which addresses a prefix can match at all:
   * `outside` – neither pods nor nodes (Cilium); `nodes` – also other nodes (Cilium's `policy-cidr-match-mode`);
   * `all` – pods too (Kubernetes' specification).
   */
  | { readonly kind: "prefixes"; readonly prefixes: readonly Prefix[]; readonly covers: "outside" | "nodes" | "all" }
  /** Addresses outside that the subject's node has learned for a matching name. Empty selects nobody. */
  | { readonly kind: "names"; readonly names: readonly NamePattern[] };

/** Names, by an RE2 expression over the lower-case name with trailing dot. */
export interface NamePattern {
  /** As written. */
  readonly text: string;
  readonly expression: string;
}

export type Traffic =
  /** Every protocol and port. */
  | { readonly protocol: "any" }
  /** `ports` inclusive; null: every port of the protocol. Named ports are resolved before. */
  | {
      readonly protocol: "TCP" | "UDP" | "SCTP";
      readonly ports: { readonly first: number; readonly last: number } | null;
    }
  /** `type` null: every type. */
  | { readonly protocol: "ICMP" | "ICMPv6"; readonly type: number | null };

export interface RulesetEntry {
  readonly action: "allow" | "deny" | "pass";
  /** Lower first. Default 0. */
  readonly tier?: number;
  /** Within a tier, lower first. Default 0: all at once. */
  readonly order?: number;
  readonly peer: Peer;
  readonly traffic: Traffic;
  /** Of an allow: what the proxy must find, all of it. Absent: nothing beyond the port. */
  readonly application?: readonly ApplicationRule[];
  /** What names the peers; only where TLS names are in play, to tell whose plain allow lifts them (cilium.md R5.9). */
  readonly selector?: string;
  /** What drops and flows are reported under: `CiliumNetworkPolicy/default/service-a#ingress[0]`. */
  readonly origin: string;
}

export interface SubjectRules {
  /** The identity whose endpoints these rules govern. At most one element for an identity and direction. */
  readonly identity: number;
  readonly direction: Direction;
  /** Whether traffic that no entry matches is dropped. */
  readonly isolated: boolean;
  /** The tier whose end is the last word when isolated. Default: the last of all. */
  readonly isolatedIn?: number;
  /** The policies that isolate: `CiliumNetworkPolicy/default/service-a`. Empty when not isolated. */
  readonly isolatedBy: readonly string[];
  readonly entries: readonly RulesetEntry[];
}

export interface Ruleset {
  /** An identity and direction that is absent is not isolated and has no entries. */
  readonly subjects: readonly SubjectRules[];
  /** Policies in force, for `lab status`: `CiliumNetworkPolicy/default/service-a`. */
  readonly policies: readonly string[];
  /** The proxy compares the paths of requests as they are sent (cilium.md R6.1.6); absent: normalised. */
  readonly pathsAsSent?: true;
  /** Seconds for which a learned address stays at least (R7.3.4). Absent: as its answer says. */
  readonly minimumTtl?: number;
  /** A look-up that the rules refuse is answered as if the name did not exist (R7.2.4). Absent: as refused. */
  readonly refusesAsNameError?: true;
}

/** No policy at all: everybody reaches everybody. */
export const NO_RULES: Ruleset = { subjects: [], policies: [] };
