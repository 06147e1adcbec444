/** The connections that the kernel tracks (`include/uapi/linux/netfilter/nfnetlink_conntrack.h`). */

import { addressText, type Family } from "./address.ts";
import { MessageWriter, NetlinkSocket, NLM_F_DUMP, NLM_F_REQUEST, readAttributes } from "./netlink.ts";

const NETLINK_NETFILTER = 12;
const SUBSYSTEM = 1;
const GET = 1;
const NFPROTO = { 4: 2, 6: 10 } as const;
const CTA_TUPLE_REPLY = 2;
const CTA_PROTOINFO = 4;
const CTA_TUPLE_IP = 1;
const CTA_IP_SOURCE = { 4: 1, 6: 3 } as const;
const CTA_PROTOINFO_TCP = 1;
const CTA_PROTOINFO_TCP_STATE = 1;
/** TCP states from here on are of connections that have ended. */
const TIME_WAIT = 7;

/** Every address to which a connection of this namespace is open, after translation. */
export function connectedAddresses(): ReadonlySet<string> {
  const out = new Set<string>();
  const socket = new NetlinkSocket(NETLINK_NETFILTER);
  try {
    for (const family of [4, 6] as const) addAddresses(socket, family, out);
  } finally {
    socket.close();
  }
  return out;
}

function addAddresses(socket: NetlinkSocket, family: Family, out: Set<string>): void {
  const fixed = Buffer.alloc(4);
  fixed[0] = NFPROTO[family];
  const writer = new MessageWriter(64);
  writer.begin((SUBSYSTEM << 8) | GET, NLM_F_REQUEST | NLM_F_DUMP, socket.next(), fixed);
  writer.finish();
  for (const { payload } of socket.dump(writer, "connections")) {
    const attributes = payload.subarray(4);
    // Who answers is who was really reached.
    const address = nested(attributes, CTA_TUPLE_REPLY, CTA_TUPLE_IP, CTA_IP_SOURCE[family]);
    const state = nested(attributes, CTA_PROTOINFO, CTA_PROTOINFO_TCP, CTA_PROTOINFO_TCP_STATE)?.[0] ?? 0;
    if (address !== undefined && state < TIME_WAIT) out.add(addressText(address));
  }
}

function nested(bytes: Buffer, ...path: readonly number[]): Buffer | undefined {
  let found: Buffer | undefined = bytes;
  for (const type of path) {
    if (found === undefined) return undefined;
    found = [...readAttributes(found)].find((attribute) => attribute.type === type)?.payload;
  }
  return found;
}
