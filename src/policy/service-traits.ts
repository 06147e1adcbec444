/** How a network carries Services: facts that policies do not state and that change whom they see. */
import type { Ternary } from "../base/ternary.ts";
import type { PortProtocol } from "../net/protocol.ts";

/**
 * One reading of the policies for a pod that reaches itself through a Service: all of them apply, none does, only
 * explicit denies do, or all but those of one tier.
 */
export type HairpinReading = "all" | "none" | "denies" | { readonly without: string };

export interface ServiceTraits {
  /** What the policies are to a pod that reaches itself through a Service; several where it is not known. Never empty. */
  readonly hairpin: readonly HairpinReading[];
  /** Whether the network has an identity of its own for the proxy that serves Ingress and Gateway (cilium.md R8.5). */
  readonly ownIngress: boolean;
  /** Whether `loadBalancerSourceRanges` turn other clients away (kubernetes.md SVC-15). */
  readonly sourceRanges: Ternary;
  /** What Cilium's datapath does with Services (cilium.md section 8); absent: some proxy that the specification leaves open. */
  readonly cilium?: CiliumServices;
}

export interface CiliumServices {
  /** `kube-proxy-replacement` (R8.1). */
  readonly kubeProxyReplacement: Ternary;
  /** What carries traffic from the node that a client meets to the node of the backend (R8.4). */
  readonly routing: "native" | "tunnel" | "unknown";
  /** Protocols whose answers go from the backend's node straight to the client, whose address is then kept (R8.4). */
  readonly directReturn: readonly PortProtocol[];
}

/** What the specification says: little (kubernetes.md SVC-11 to SVC-15). */
export const UNSPECIFIED_SERVICES: ServiceTraits = { hairpin: ["all"], ownIngress: false, sourceRanges: "maybe" };
