/** The ends of a connection as the engine computes with them. */

import type { Node, PodInstance, Workload } from "../model/world.ts";
import type { Address, AddressRange, AddressSet, Family } from "../net/address.ts";
import type { ReservedName } from "../policy/dialect.ts";

/**
 * One thing that can talk or be talked to. A workload has one for each of its pods; what is outside is cut into ranges
 * that no rule can tell apart.
 */
export type Endpoint =
  | {
      readonly kind: "pod";
      readonly workload: Workload;
      readonly pod: PodInstance;
      /** `ns/Kind/name` of the workload; of the pod where the workload's pods are told apart. */
      readonly name: string;
      readonly dialled?: Dialled;
    }
  /** A node with its host-network pods. `node` absent: some node, which one is not known. */
  | {
      readonly kind: "node";
      readonly node: Node | undefined;
      readonly nodeName: string | undefined;
      /** `same`: the node of the other end; `other`: any other node; `known`: the node named. */
      readonly relation: "same" | "other" | "known";
      readonly addresses: readonly Address[];
      readonly name: string;
      readonly dialled?: Dialled;
    }
  | {
      readonly kind: "outside";
      readonly range: AddressRange;
      readonly name: string;
      /** Only the identity of the outside arrives, without an address: rules for parts of the outside do not match it. */
      readonly anonymous?: true;
      readonly dialled?: Dialled;
    }
  /** An address outside to which a DNS name has just resolved; `address` absent: nobody told which one. */
  | {
      readonly kind: "name";
      readonly dnsName: string;
      readonly family: Family;
      readonly address?: Address;
      /** Where the address that nobody told lies; absent: anywhere in the family. */
      readonly within?: AddressSet;
      readonly name: string;
    }
  | { readonly kind: "reserved"; readonly reserved: ReservedName; readonly name: string };

/** The address of a Service that was dialled, where a filter may see it instead of the backend's. */
export interface Dialled {
  readonly service: string;
  /** Never empty. */
  readonly addresses: readonly Address[];
}

/** How the end is dialled; undefined where it is by itself, or every filter sees it so. */
export function dialledOf(endpoint: Endpoint): Dialled | undefined {
  return endpoint.kind === "name" || endpoint.kind === "reserved" ? undefined : endpoint.dialled;
}

/** The families in which the endpoint can talk; both where its addresses are not known. */
export function endpointFamilies(endpoint: Endpoint): readonly Family[] {
  switch (endpoint.kind) {
    case "outside":
      return [endpoint.range.family];
    case "name":
      return [endpoint.family];
    case "pod":
      return familiesOf(endpoint.pod.addresses);
    case "node":
      return familiesOf(endpoint.addresses);
    case "reserved":
      return ["IPv4", "IPv6"];
  }
}

function familiesOf(addresses: readonly Address[]): readonly Family[] {
  const v4 = addresses.some((a) => a.family === "IPv4");
  const v6 = addresses.some((a) => a.family === "IPv6");
  if (v4 === v6) return ["IPv4", "IPv6"];
  return v4 ? ["IPv4"] : ["IPv6"];
}
