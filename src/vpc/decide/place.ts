/** One end of a packet's way, in one family of addresses. */

import type { Ternary } from "../../base/ternary.ts";
import {
  type Address,
  type AddressRange,
  type AddressSet,
  addressSetHas,
  type Family,
  hostPrefix,
  type Prefix,
  prefixRange,
} from "../../net/address.ts";
import { type Interface, type Network, type Owner, possible, type Subnet } from "../model.ts";

/** Client ports that are tried for a reply (aws-vpc.md NACL-4). */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

export const EPHEMERAL: Readonly<Record<"server" | "service", PortRange>> = {
  /** Linux: 32768–60999. */
  server: { first: 32768, last: 60999 },
  /** Load balancers, NAT gateways, unknown clients: 1024–65535. */
  service: { first: 1024, last: 65535 },
};

export interface Place {
  /** The owner's name, `ip:…`, or a range. */
  readonly name: string;
  readonly family: Family;
  readonly range: AddressRange;
  /**
   * Whether what is asked holds of every address of the range alike: a range that no rule cuts. Else it is one address
   * of the range, and which one is not known.
   */
  readonly isWhole: boolean;
  readonly owner?: Owner;
  readonly face?: Interface;
  /** Where it is; absent outside of every VPC. */
  readonly subnet?: Subnet;
  readonly vpc?: string;
  readonly client: PortRange;
}

export function singleRange(address: Address): AddressRange {
  return prefixRange(hostPrefix(address));
}

/** Whether the place's address lies in a set. */
export function placeIn(place: Place, set: AddressSet): Ternary {
  const { range } = place;
  if (range.first === range.last) {
    return addressSetHas(set, { family: range.family, value: range.first }) ? "yes" : "no";
  }
  let touched = false;
  for (const one of set) {
    if (one.family !== range.family || one.last < range.first || one.first > range.last) continue;
    if (one.first <= range.first && range.last <= one.last) return "yes";
    touched = true;
  }
  return touched ? "maybe" : "no";
}

export function placeInPrefix(place: Place, prefix: Prefix): Ternary {
  return placeIn(place, [prefixRange(prefix)]);
}

/** The interface of an owner as a place; undefined where it has no address of the family. */
export function interfacePlace(network: Network, owner: Owner, face: Interface, family: Family): Place | undefined {
  if (!face.families.includes(family)) return undefined;
  const subnet = network.subnets.get(possible(face.subnet)[0] ?? "");
  const isPlaced = face.subnet.kind === "known" && subnet !== undefined;
  const own = face.addresses.filter((a) => a.family === family);
  const [address] = own;
  const cidr = family === "IPv4" ? subnet?.cidr4 : subnet?.cidr6;
  const range: AddressRange =
    address !== undefined
      ? singleRange(address)
      : cidr !== undefined
        ? prefixRange(cidr)
        : prefixRange({ family, base: 0n, length: 0 });
  const isService = owner.kind === "load-balancer" || owner.kind === "nat-gateway" || owner.kind === "endpoint";
  return {
    name: owner.name,
    family,
    range,
    isWhole: address !== undefined,
    owner,
    face,
    client: isService ? EPHEMERAL.service : EPHEMERAL.server,
    ...(isPlaced ? { subnet, vpc: subnet.vpc } : {}),
  };
}
