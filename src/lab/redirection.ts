/**
 * The way to the proxy and on from it, as nftables of the router (Linux `Documentation/networking/tproxy.rst`).
 *
 * A packet whose verdict is *redirect* is handed to the proxy's transparent socket before it is routed, so that the
 * proxy accepts the connection under the address that was asked for, and the client's own address is seen. The proxy
 * goes on to the target from the client's address; what it sends bears a mark and is judged once more on its way out,
 * where *redirect* means: the proxy has judged. Packets that belong to the proxy's sockets come to it whoever has their
 * address.
 *
 * The packet's mark holds the class of the peer in its low 24 bits, and these bits above.
 */

import type { Family } from "./kernel/address.ts";
import {
  ACCEPT,
  compare,
  conntrack,
  CT_NEW,
  DROP,
  type Expression,
  immediate,
  limit,
  log,
  mask,
  meta,
  number32,
  payload,
  REGISTER,
  RETURN,
  setBits,
  setConntrackMark,
  setMeta,
  socketTransparent,
  transparentProxy,
  verdict,
} from "./kernel/expressions.ts";
import { addressBytes } from "./kernel/address.ts";
import { setKernelParameter } from "./kernel/namespace.ts";
import type { Transaction } from "./kernel/nftables.ts";
import { LOOPBACK, RouteBatch } from "./kernel/rtnetlink.ts";
import { PROTOCOL_NUMBER } from "./verdicts.ts";

/** In the mark of a packet that is the proxy's to take. */
const TO_PROXY_BIT = 0x8000_0000;
/** In the mark of what the proxy sends to a target in a client's name (SO_MARK), and of the connections that it makes so. */
export const FROM_PROXY_BIT = 0x4000_0000;
/** Where the proxy listens, TCP and UDP; packets come there by redirection alone. */
export const PROXY_PORT = 15_001;
export const PROXY_LISTEN = { 4: "127.0.0.1", 6: "::1" } as const;

/** Before routing, after the translation of services. */
export const DIVERT = "divert";
/** On its way out of the router. */
export const ONWARD = "onward";
/** Where a verdict *redirect* goes. */
export const REDIRECT = "redirect";
const TO_PROXY = "to-proxy";
/** Takes the packets of connections that the proxy has. */
const OWN = "own";
const TABLE_PROXY = 100;
const FAMILIES: readonly Family[] = [4, 6];
const NFPROTO = { 4: Buffer.of(2), 6: Buffer.of(10) } as const;
const SYN_ACK_BITS = Buffer.of(0x12);
const SYN_ALONE = Buffer.of(0x02);
const r0 = REGISTER(0);
const NONE = number32(0);

/** Matches what a verdict has marked for the proxy. */
export const IS_REDIRECTED: readonly Expression[] = [
  meta("mark", r0),
  mask(r0, number32(TO_PROXY_BIT)),
  compare(r0, "neq", NONE),
];

/** Matches what the proxy itself does not send. */
const IS_NOT_FROM_PROXY: readonly Expression[] = [
  meta("mark", r0),
  mask(r0, number32(FROM_PROXY_BIT)),
  compare(r0, "eq", NONE),
];

/**
 * Ports from which the proxy goes on in a client's name: below those that the kernel hands out to clients themselves (from
 * 32768 on), or what remains of the proxy's connection would take the answers to a client's own from the same port.
 */
const ONWARD_PORTS = "10240 32767";

/** Marked packets are delivered in the router itself. Once, before the first redirection. */
export function routeToProxy(): void {
  // The kernel drops what it would forward where the remains of a connection of the proxy's bear the same addresses and
  // ports (`ip_forward` drops a packet for which a socket was found early).
  setKernelParameter("net/ipv4/ip_early_demux", "0");
  setKernelParameter("net/ipv4/ip_local_port_range", ONWARD_PORTS);
  const batch = new RouteBatch();
  try {
    for (const family of FAMILIES) {
      const everywhere = family === 4 ? "0.0.0.0/0" : "::/0";
      batch.route({ to: everywhere, type: "local", device: LOOPBACK, table: TABLE_PROXY });
      batch.markRule(family, 20, TABLE_PROXY, TO_PROXY_BIT);
    }
    batch.flush();
  } finally {
    batch.close();
  }
}

/** What never changes: the hooks, the mark that a verdict sets, the hand-over. `refusal` is logged with what no proxy takes. */
export function addRedirection(
  transaction: Transaction,
  logs: { readonly flows: number; readonly rate: number; readonly drops: number },
  refusal: string,
): void {
  transaction
    .addChain(DIVERT, { type: "filter", hook: "prerouting", priority: -50, policy: "accept" })
    .addChain(ONWARD, { type: "filter", hook: "output", priority: 0, policy: "accept" })
    .addChain(REDIRECT)
    .addRule(REDIRECT, meta("mark", r0), setBits(r0, number32(TO_PROXY_BIT)), setMeta("mark", r0))
    .addChain(TO_PROXY)
    // Whatever it was before, it is the proxy's from now on.
    .addRule(TO_PROXY, immediate(r0, NONE), setConntrackMark(r0))
    .addRule(
      TO_PROXY,
      conntrack("state", r0),
      mask(r0, number32(CT_NEW)),
      compare(r0, "neq", NONE),
      limit(logs.rate, logs.rate),
      log(logs.flows),
    );
  const port = Buffer.alloc(2);
  port.writeUInt16BE(PROXY_PORT);
  for (const family of FAMILIES) {
    for (const protocol of [PROTOCOL_NUMBER.TCP, PROTOCOL_NUMBER.UDP]) {
      transaction.addRule(
        TO_PROXY,
        meta("networkProtocol", r0),
        compare(r0, "eq", NFPROTO[family]),
        meta("protocol", r0),
        compare(r0, "eq", Buffer.of(protocol)),
        immediate(r0, port),
        immediate(REGISTER(4), addressBytes(PROXY_LISTEN[family])),
        transparentProxy(family, r0, REGISTER(4)),
        verdict(ACCEPT),
      );
    }
  }
  // A proxy that is not there takes nothing, and nothing goes past it.
  transaction.addRule(TO_PROXY, log(logs.drops, refusal), verdict(DROP));
  addOwnPackets(transaction);
}

export const HAND_OVER = { kind: "goto", chain: TO_PROXY } as const;

/** What comes first in `DIVERT`. */
export const TAKE_OWN = { kind: "jump", chain: OWN } as const;

function addOwnPackets(transaction: Transaction): void {
  const own = [
    socketTransparent(r0),
    compare(r0, "eq", Buffer.of(1)),
    immediate(r0, number32(TO_PROXY_BIT)),
    setMeta("mark", r0),
    verdict(ACCEPT),
  ];
  transaction
    .addChain(OWN)
    // A connection that has passed without the proxy is none of its, also where the remains of an old one are left.
    .addRule(
      OWN,
      conntrack("mark", r0),
      compare(r0, "neq", NONE),
      mask(r0, number32(FROM_PROXY_BIT)),
      compare(r0, "eq", NONE),
      verdict(RETURN),
    )
    .addRule(
      OWN,
      meta("protocol", r0),
      compare(r0, "eq", Buffer.of(PROTOCOL_NUMBER.TCP)),
      // Nor is a new one.
      payload("transport", 13, 1, r0),
      mask(r0, SYN_ACK_BITS),
      compare(r0, "neq", SYN_ALONE),
      ...own,
    )
    .addRule(OWN, meta("protocol", r0), compare(r0, "eq", Buffer.of(PROTOCOL_NUMBER.UDP)), ...own);
}

/** What comes first in `ONWARD`: packets of the router's own. */
export function writeOthersPackets(swap: Transaction): void {
  swap.addRule(ONWARD, ...IS_NOT_FROM_PROXY, verdict(ACCEPT));
}
