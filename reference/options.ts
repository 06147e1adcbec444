import { parsePrefix, type Prefix } from "./addresses.ts";

export type Dialect = "kubernetes" | "cilium@1.17" | "cilium@1.18" | "cilium@1.19";

export interface ReferenceOptions {
  readonly dialect: Dialect;
  /** Answer as if refused objects were absent, as a cluster does; without it, refused objects mean no answer. */
  readonly asCluster?: boolean;
  readonly podCIDRs?: readonly string[];
  readonly nodeCIDRs?: readonly string[];
  readonly serviceCIDRs?: readonly string[];
  /**
   * What a host-network pod is to a NetworkPolicy, where the standard names two behaviours (K8-41, K8-42): its node,
   * which selectors never match (default), or a pod like others. Cilium always takes it for its node (R9.7).
   */
  readonly hostNetworkPods?: "nodes" | "pods";
  /** DNS names and the addresses they resolve to. */
  readonly names?: Readonly<Record<string, readonly string[]>>;
}

/** The minor release of Cilium: 17, 18 or 19. */
export function releaseOf(dialect: Dialect): number {
  return dialect === "kubernetes" ? 0 : Number(dialect.slice("cilium@1.".length));
}

/** Ranges that the caller declares; what is no prefix is left out. */
export function declared(cidrs: readonly string[] | undefined): readonly Prefix[] {
  return (cidrs ?? []).map((cidr) => parsePrefix(cidr)).filter((prefix) => prefix !== undefined);
}
