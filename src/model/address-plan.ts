/** The ranges from which pods, nodes and Services get their addresses. */
import { type AddressSet, addressSet, addressSetOf, NO_ADDRESSES } from "../net/address.ts";
import { clusterPool } from "./cilium-config.ts";
import type { AddressPlan, Node } from "./world.ts";

/** Ranges that the user declares. */
export interface DeclaredRanges {
  readonly podCIDRs?: AddressSet;
  readonly nodeCIDRs?: AddressSet;
  readonly serviceCIDRs?: AddressSet;
}

/**
 * Joins what the user and the input declare.
 *
 * Takes the user's ranges, the nodes, Cilium's settings and the ranges of ServiceCIDR objects. Returns the plan: for
 * each of the three the user's word where there is one, else the input's; empty where neither tells.
 */
export function planAddresses(
  declared: DeclaredRanges,
  nodes: readonly Node[],
  ciliumConfig: ReadonlyMap<string, string> | undefined,
  serviceCIDRs: AddressSet,
): AddressPlan {
  const pool = ciliumConfig === undefined ? NO_ADDRESSES : addressSetOf(clusterPool(ciliumConfig));
  return {
    pods: declared.podCIDRs ?? addressSet([...nodes.flatMap((node) => node.podCIDRs), ...pool]),
    nodes: declared.nodeCIDRs ?? NO_ADDRESSES,
    services: declared.serviceCIDRs ?? serviceCIDRs,
  };
}
