/**
 * What a node does with a connection from outside whose backend is on another node: sends it on with its own address
 * as the source, as kube-proxy and Cilium's SNAT mode do. In the node's own namespace, so that the backend's policy
 * meets the packet as it would in a cluster: coming from a remote node.
 */

import type { Fabric } from "./fabric.ts";
import { addressBytes, familyOf } from "./kernel/address.ts";
import {
  CT_DST_NAT,
  compare,
  conntrack,
  lookUp,
  immediate,
  mask,
  meta,
  number32,
  payload,
  REGISTER,
  translateDestination,
  translateSource,
} from "./kernel/expressions.ts";
import { type NetworkNamespace, setKernelParameter } from "./kernel/namespace.ts";
import { NftTable } from "./kernel/nftables.ts";
import { hostSite } from "./sites.ts";
import { endpointBytes, type Relay } from "./translation.ts";
import { PROTOCOL_NUMBER } from "./verdicts.ts";

const TABLE = "relays";

export class Relays {
  /** Where there are any. */
  private readonly laid = new WeakSet<NetworkNamespace>();

  /** Replaces the relays of every node, each node's in one transaction. */
  lay(fabric: Fabric, relays: readonly Relay[]): void {
    for (const { site, namespace } of fabric) {
      if (site.kind !== "node") continue;
      const own = relays.filter((relay) => hostSite(relay.node) === site.name);
      if (own.length === 0 && !this.laid.has(namespace)) continue;
      namespace.run(() => layOn(own, site.addresses));
      this.laid.add(namespace);
    }
  }
}

function layOn(relays: readonly Relay[], addresses: readonly string[]): void {
  const table = new NftTable(TABLE);
  try {
    // Adding a table that exists changes nothing; so this removes an old one whether or not there was one.
    const swap = table.transaction().addTable().deleteTable();
    if (relays.length > 0) {
      setKernelParameter("net/ipv4/conf/all/send_redirects", "0");
      setKernelParameter("net/ipv4/conf/eth0/send_redirects", "0");
      setKernelParameter("net/ipv4/ip_forward", "1");
      setKernelParameter("net/ipv6/conf/all/forwarding", "1");
      swap
        .addTable()
        .addChain("in", { type: "nat", hook: "prerouting", priority: -100, policy: "accept" })
        .addChain("out", { type: "nat", hook: "postrouting", priority: 100, policy: "accept" });
    }
    const r0 = REGISTER(0);
    for (const address of relays.length > 0 ? addresses : []) {
      const family = familyOf(address);
      const own = relays.filter((relay) => relay.at.address === address);
      if (own.length === 0) continue;
      const bytes = family === 4 ? 4 : 16;
      const map = `relays${family}`;
      const isFamily = [meta("networkProtocol", r0), compare(r0, "eq", Buffer.of(family === 4 ? 2 : 10))];
      swap
        .addSet({ name: map, keyLength: 8, value: { length: bytes + 4 }, size: own.length })
        .addElements(
          map,
          own.map(({ protocol, at, to }) => {
            const key = Buffer.alloc(8);
            key[0] = PROTOCOL_NUMBER[protocol];
            key.writeUInt16BE(at.port, 4);
            return { key, value: endpointBytes(to) };
          }),
        )
        .addRule(
          "in",
          ...isFamily,
          meta("protocol", r0),
          payload("transport", 2, 2, REGISTER(1)),
          lookUp(map, r0, REGISTER(4)),
          translateDestination(family, REGISTER(4), REGISTER(4 + bytes / 4)),
        )
        .addRule(
          "out",
          ...isFamily,
          conntrack("status", r0),
          mask(r0, number32(CT_DST_NAT)),
          compare(r0, "neq", number32(0)),
          immediate(r0, addressBytes(address)),
          translateSource(family, r0),
        );
    }
    table.commit(swap, "relays");
  } finally {
    table.close();
  }
}
