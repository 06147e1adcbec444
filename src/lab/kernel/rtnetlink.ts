/** Links, addresses, routes, neighbours and routing rules, written as rtnetlink messages (rtnetlink(7)). */

import { addressBytes, type Family, familyOf } from "./address.ts";
import { AF_INET, AF_INET6 } from "./libc.ts";
import { MessageWriter, NetlinkSocket, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE, NLM_F_REQUEST } from "./netlink.ts";

const NETLINK_ROUTE = 0;
const RTM_NEWLINK = 16;
const RTM_DELLINK = 17;
const RTM_SETLINK = 19;
const RTM_NEWADDR = 20;
const RTM_NEWROUTE = 24;
const RTM_NEWNEIGH = 28;
const RTM_NEWRULE = 32;
const RTM_DELRULE = 33;
const IFF_UP = 1;
const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_LINKINFO = 18;
const IFLA_AF_SPEC = 26;
const IFLA_GROUP = 27;
const IFLA_NET_NS_FD = 28;
const IFLA_NUM_TX_QUEUES = 31;
const IFLA_NUM_RX_QUEUES = 32;
const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
const VETH_INFO_PEER = 1;
const IFLA_INET6_ADDR_GEN_MODE = 8;
const ADDR_GEN_NONE = 1;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_F_NODAD = 2;
const RTA_DST = 1;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RTA_TABLE = 15;
const RTPROT_STATIC = 4;
const RTNH_F_ONLINK = 4;
const NDA_DST = 1;
const NDA_LLADDR = 2;
const NUD_PERMANENT = 0x80;
const FRA_IIFNAME = 3;
const FRA_PRIORITY = 6;
const FRA_FWMARK = 10;
const FRA_FWMASK = 16;
const FRA_TABLE = 15;
const FR_ACT_TO_TBL = 1;
export const TABLE_MAIN = 254;
export const TABLE_LOCAL = 255;
export const LOOPBACK = 1;
/** The group of links that are to be removed. */
const LEAVING = 1;

/** Scope and type of a route (rtnetlink(7)). */
const ROUTE = { unicast: [0, 1], local: [254, 2], blackhole: [0, 6] } as const;

export interface VethEnd {
  readonly name: string;
  readonly index: number;
  /** Six bytes. */
  readonly hardware: Uint8Array;
}

export interface Route {
  /** `10.0.0.2/32`, `0.0.0.0/0`. */
  readonly to: string;
  readonly type?: keyof typeof ROUTE;
  readonly device?: number;
  /** A neighbour on the device, whether or not an address of ours lies in its network. */
  readonly via?: string;
  readonly table?: number;
}

function domain(family: Family): number {
  return family === 4 ? AF_INET : AF_INET6;
}

/**
 * A batch of changes for the namespace in which it was opened. Messages are collected and go out together; the kernel
 * carries out one after another and stops reporting at nothing: the first error of a batch is thrown by `flush`.
 */
export class RouteBatch {
  private readonly socket: NetlinkSocket;
  private readonly writer = new MessageWriter(1024);
  private written = 0;

  constructor(bufferSize = 0) {
    this.socket = new NetlinkSocket(NETLINK_ROUTE, bufferSize);
  }

  private begin(type: number, flags: number, fixed: Uint8Array): void {
    if (this.writer.length > this.socket.capacity - 4096) this.flush();
    this.writer.begin(type, NLM_F_REQUEST | flags, this.socket.next(), fixed);
    this.written++;
  }

  private link(type: number, flags: number, index: number, up: boolean): void {
    this.begin(type, flags, linkHeader(index, up));
  }

  /** A pair of connected links: `near` here, `far` in the namespace of `farNamespace`. */
  veth(near: VethEnd, far: VethEnd, farNamespace: number): void {
    const w = this.writer;
    this.link(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, near.index, false);
    vethEnd(w, near);
    const info = w.open(IFLA_LINKINFO);
    w.text(IFLA_INFO_KIND, "veth");
    const data = w.open(IFLA_INFO_DATA);
    const peer = w.open(VETH_INFO_PEER);
    w.raw(linkHeader(far.index, false));
    vethEnd(w, far);
    w.u32(IFLA_NET_NS_FD, farNamespace);
    w.close(peer);
    w.close(data);
    w.close(info);
    w.finish();
  }

  /** All in one go: the kernel waits a grace period for each removal, and removes a whole group at the cost of one. */
  removeLinks(indexes: readonly number[]): void {
    for (const index of indexes) {
      this.link(RTM_SETLINK, 0, index, false);
      this.writer.u32(IFLA_GROUP, LEAVING);
      this.writer.finish();
    }
    if (indexes.length === 0) return;
    this.link(RTM_DELLINK, 0, 0, false);
    this.writer.u32(IFLA_GROUP, LEAVING);
    this.writer.finish();
  }

  /** No link-local address of its own: no duplicate detection, no router solicitation, no multicast reports. */
  withoutAutomaticAddress(index: number): void {
    const w = this.writer;
    this.link(RTM_SETLINK, 0, index, false);
    const families = w.open(IFLA_AF_SPEC);
    const inet6 = w.open(AF_INET6);
    w.u8(IFLA_INET6_ADDR_GEN_MODE, ADDR_GEN_NONE);
    w.close(inet6);
    w.close(families);
    w.finish();
  }

  up(index: number): void {
    this.link(RTM_NEWLINK, 0, index, true);
    this.writer.finish();
  }

  address(index: number, address: string): void {
    const bytes = addressBytes(address);
    const fixed = Buffer.alloc(8);
    fixed[0] = domain(familyOf(address));
    fixed[1] = bytes.length * 8;
    fixed[2] = bytes.length === 16 ? IFA_F_NODAD : 0;
    fixed.writeUInt32LE(index, 4);
    this.begin(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, fixed);
    this.writer.attribute(IFA_LOCAL, bytes);
    this.writer.attribute(IFA_ADDRESS, bytes);
    this.writer.finish();
  }

  route(route: Route): void {
    const [address = "", length = ""] = route.to.split("/");
    const [scope, kind] = ROUTE[route.type ?? "unicast"];
    const table = route.table ?? TABLE_MAIN;
    const fixed = Buffer.alloc(12);
    fixed[0] = domain(familyOf(address));
    fixed[1] = Number(length);
    fixed[4] = table;
    fixed[5] = RTPROT_STATIC;
    // A route without gateway reaches its own link only.
    fixed[6] = kind === 1 && route.via === undefined ? 253 : scope;
    fixed[7] = kind;
    fixed.writeUInt32LE(route.via === undefined ? 0 : RTNH_F_ONLINK, 8);
    this.begin(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, fixed);
    const w = this.writer;
    if (Number(length) > 0) w.attribute(RTA_DST, addressBytes(address));
    if (route.via !== undefined) w.attribute(RTA_GATEWAY, addressBytes(route.via));
    if (route.device !== undefined) w.u32(RTA_OIF, route.device);
    w.u32(RTA_TABLE, table);
    w.finish();
  }

  /** A neighbour that is never asked for and never forgotten: exempt from the kernel-wide neighbour limit. */
  neighbour(index: number, address: string, hardware: Uint8Array): void {
    const fixed = Buffer.alloc(12);
    fixed[0] = domain(familyOf(address));
    fixed.writeUInt32LE(index, 4);
    fixed.writeUInt16LE(NUD_PERMANENT, 8);
    this.begin(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, fixed);
    this.writer.attribute(NDA_DST, addressBytes(address));
    this.writer.attribute(NDA_LLADDR, hardware);
    this.writer.finish();
  }

  /** Packets are routed by `table`; only those that arrive on `device` where one is named. */
  rule(family: Family, priority: number, table: number, device: string | null = null): void {
    this.ruleMessage(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, family, priority, table, { device });
  }

  /** Packets whose mark has this bit are routed by `table`. */
  markRule(family: Family, priority: number, table: number, bit: number): void {
    this.ruleMessage(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, family, priority, table, { bit });
  }

  removeRule(family: Family, priority: number, table: number): void {
    this.ruleMessage(RTM_DELRULE, 0, family, priority, table, {});
  }

  private ruleMessage(
    type: number,
    flags: number,
    family: Family,
    priority: number,
    table: number,
    { device = null, bit }: { readonly device?: string | null; readonly bit?: number },
  ): void {
    const fixed = Buffer.alloc(12);
    fixed[0] = domain(family);
    fixed[4] = table;
    fixed[7] = FR_ACT_TO_TBL;
    this.begin(type, flags, fixed);
    if (device !== null) this.writer.text(FRA_IIFNAME, device);
    if (bit !== undefined) {
      this.writer.u32(FRA_FWMARK, bit);
      this.writer.u32(FRA_FWMASK, bit);
    }
    this.writer.u32(FRA_PRIORITY, priority);
    this.writer.u32(FRA_TABLE, table);
    this.writer.finish();
  }

  /** Sends what was collected. */
  flush(): void {
    if (this.written === 0) return;
    this.writer.acknowledge();
    try {
      this.socket.exchange(this.writer, "rtnetlink");
    } finally {
      this.writer.clear();
      this.written = 0;
    }
  }

  close(): void {
    this.socket.close();
  }
}

function linkHeader(index: number, up: boolean): Buffer {
  const fixed = Buffer.alloc(16);
  fixed.writeInt32LE(index, 4);
  if (up) {
    fixed.writeUInt32LE(IFF_UP, 8);
    fixed.writeUInt32LE(IFF_UP, 12);
  }
  return fixed;
}

function vethEnd(writer: MessageWriter, end: VethEnd): void {
  writer.text(IFLA_IFNAME, end.name);
  writer.attribute(IFLA_ADDRESS, end.hardware);
  writer.u32(IFLA_NUM_TX_QUEUES, 1);
  writer.u32(IFLA_NUM_RX_QUEUES, 1);
}
