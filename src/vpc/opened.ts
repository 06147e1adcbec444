/** The same network without rules: what routes and addresses alone let through. */

import { ALL_TRAFFIC, WORLD } from "./read/values.ts";
import { addressPeer, allowAllEntries } from "./read/builder.ts";
import type { Direction, GroupRule, Network } from "./model.ts";

/** Every security group and every network ACL of it lets everything through. */
export function openedNetwork(network: Network): Network {
  const everything = (["ingress", "egress"] as const).flatMap((direction) => openRules(direction));
  return {
    ...network,
    groups: new Map(
      [...network.groups].map(([name, { moreRules: _, ...group }]) => [name, { ...group, rules: everything }]),
    ),
    acls: new Map(
      [...network.acls].map(([name, { moreEntries: _, ...acl }]) => [name, { ...acl, entries: allowAllEntries() }]),
    ),
  };
}

function openRules(direction: Direction): readonly GroupRule[] {
  return (["IPv4", "IPv6"] as const).map((family) => ({
    name: `every ${direction}`,
    aliases: [],
    direction,
    traffic: ALL_TRAFFIC,
    peer: addressPeer(WORLD[family]),
  }));
}
