/** The same network without rules: what routes and addresses alone let through. */

import { ALL_TRAFFIC, WORLD } from "./read/values.ts";
import { addressPeer, allowAllEntries } from "./read/builder.ts";
import type { Direction, GroupRule, Network, NetworkAcl, SecurityGroup } from "./model.ts";

/** Every security group and every network ACL of it lets everything through. */
export function openedNetwork(network: Network): Network {
  const everything = (["ingress", "egress"] as const).flatMap((direction) => openRules(direction));
  const open = (group: SecurityGroup): SecurityGroup => {
    const { moreRules: _, ...rest } = group;
    return { ...rest, rules: everything };
  };
  const openAcl = (acl: NetworkAcl): NetworkAcl => {
    const { moreEntries: _, ...rest } = acl;
    return { ...rest, entries: allowAllEntries() };
  };
  return {
    ...network,
    groups: new Map([...network.groups].map(([name, group]) => [name, open(group)])),
    acls: new Map([...network.acls].map(([name, acl]) => [name, openAcl(acl)])),
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
