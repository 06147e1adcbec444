/**
 * The lab's wires: one network namespace a site, each joined by a veth pair to the router, which is the daemon's own
 * namespace. Sites are routed, not bridged: each has its address alone (/32, /128), one gateway, and neighbour entries
 * that never expire, so that no packet of the lab's own ever asks for anybody (Calico and Cilium route pods the same
 * way).
 *
 * The one router stands for the data path of every node. So all policy is enforced in one place, and a policy set
 * changes for all nodes in one transaction.
 */

import { LabError } from "./failure.ts";
import { type Family, familyOf } from "./kernel/address.ts";
import { SystemError } from "./kernel/libc.ts";
import { makeNamespaces } from "./kernel/namespace-maker.ts";
import { type NetworkNamespace, setKernelParameter } from "./kernel/namespace.ts";
import { LOOPBACK, RouteBatch, TABLE_LOCAL } from "./kernel/rtnetlink.ts";
import { INTERNET, type Site } from "./sites.ts";

const FIRST_INDEX = 100;
const SITE_INDEX = 2;
const GATEWAY = { 4: "169.254.1.1", 6: "fe80::1" } as const;
const EVERYWHERE = { 4: "0.0.0.0/0", 6: "::/0" } as const;
const BUFFER = 4 * 1024 * 1024;

/** A site whose wires are laid. */
export interface WiredSite {
  readonly site: Site;
  readonly namespace: NetworkNamespace;
  /** Index of its link in the router. */
  readonly index: number;
}

function hardware(side: "router" | "site", index: number): Buffer {
  const bytes = Buffer.from([2, side === "router" ? 1 : 2, 0, 0, 0, 0]);
  bytes.writeUInt32BE(index, 2);
  return bytes;
}

function host(address: string): string {
  return `${address}/${familyOf(address) === 4 ? 32 : 128}`;
}

function families(site: Site): readonly Family[] {
  return [...new Set(site.addresses.map(familyOf))];
}

/** Prepares the daemon's own namespace to be the router. */
function prepareRouter(): void {
  // Inherited from the machine otherwise; a packet with a foreign source address is dropped (rp_filter 1).
  setKernelParameter("net/ipv4/conf/all/rp_filter", "1");
  setKernelParameter("net/ipv4/conf/default/rp_filter", "1");
  setKernelParameter("net/ipv4/conf/all/send_redirects", "0");
  setKernelParameter("net/ipv4/conf/default/send_redirects", "0");
  setKernelParameter("net/ipv4/conf/default/accept_redirects", "0");
  setKernelParameter("net/ipv4/conf/default/forwarding", "1");
  setKernelParameter("net/ipv6/conf/default/accept_ra", "0");
  setKernelParameter("net/ipv6/conf/all/forwarding", "1");
  setKernelParameter("net/ipv6/conf/default/forwarding", "1");
  if (!setKernelParameter("net/ipv4/ip_forward", "1")) {
    throw new LabError("kernel-feature-missing", "net.ipv4.ip_forward cannot be set in the lab's network namespace");
  }
}

export class Fabric {
  private readonly wired = new Map<string, WiredSite>();
  private readonly router: RouteBatch;
  private readonly owners = new Map<string, WiredSite>();
  private readonly answering = new Set<number>();
  private nextIndex = FIRST_INDEX;

  constructor() {
    prepareRouter();
    this.router = new RouteBatch(BUFFER);
    this.router.up(LOOPBACK);
    this.router.address(LOOPBACK, GATEWAY[4]);
    this.router.flush();
  }

  get(name: string): WiredSite | undefined {
    return this.wired.get(name);
  }

  /** The site that has the address. */
  at(address: string): WiredSite | undefined {
    return this.owners.get(address);
  }

  *[Symbol.iterator](): Generator<WiredSite> {
    yield* this.wired.values();
  }

  /** Adds sites: their namespaces, then their wires in one batch, then what is inside each. */
  add(sites: readonly Site[]): void {
    const added: WiredSite[] = [];
    for (const [at, namespace] of namespacesFor(sites.length).entries()) {
      const site = sites[at];
      if (site !== undefined) added.push({ site, namespace, index: this.nextIndex++ });
    }
    for (const { namespace, index } of added) {
      this.router.veth(
        { name: `s${index}`, index, hardware: hardware("router", index) },
        { name: "eth0", index: SITE_INDEX, hardware: hardware("site", index) },
        namespace.fd,
      );
    }
    this.router.flush();
    for (const { site, index } of added) {
      this.router.withoutAutomaticAddress(index);
      this.router.up(index);
      for (const address of site.addresses) {
        this.router.route({ to: host(address), device: index });
        this.router.neighbour(index, address, hardware("site", index));
        if (site.name === INTERNET)
          this.router.route({ to: EVERYWHERE[familyOf(address)], via: address, device: index });
      }
    }
    this.router.flush();
    for (const wired of added) {
      wired.namespace.run(() => configureInside(wired));
      this.remember(wired);
    }
  }

  private remember(wired: WiredSite): void {
    this.wired.set(wired.site.name, wired);
    for (const address of wired.site.addresses) this.owners.set(address, wired);
  }

  remove(names: readonly string[]): void {
    const leaving = names.flatMap((name) => this.wired.get(name) ?? []);
    for (const { site } of leaving) {
      this.wired.delete(site.name);
      for (const address of site.addresses) this.owners.delete(address);
    }
    this.router.removeLinks(leaving.map(({ index }) => index));
    this.router.flush();
    // Only now: a namespace that ends takes its end of the pair along, whenever the kernel comes to it.
    for (const { namespace } of leaving) namespace.close();
  }

  /**
   * Lets a site answer every packet for a closed UDP port ("port unreachable"), which the kernel otherwise does a few
   * times a second. Setting it costs more than all else that a site needs, so only those get it that are asked.
   */
  answerRefusals(name: string): void {
    const found = this.wired.get(name);
    if (found === undefined || this.answering.has(found.index)) return;
    this.answering.add(found.index);
    found.namespace.run(() => {
      setKernelParameter("net/ipv4/icmp_ratemask", "0");
      setKernelParameter("net/ipv6/icmp/ratemask", "127");
    });
  }

  /** Sites whose addresses stay and whose name, ports or node change. */
  rename(changes: readonly { readonly before: string; readonly site: Site }[]): void {
    const found = changes.flatMap(({ before, site }) => {
      const wired = this.wired.get(before);
      return wired === undefined ? [] : [{ before, wired: { ...wired, site } }];
    });
    // Two may exchange their names.
    for (const { before } of found) this.wired.delete(before);
    for (const { wired } of found) this.remember(wired);
  }
}

function configureInside({ site, index }: WiredSite): void {
  const outside = site.kind === "outside";
  if (outside) {
    // Answers for every address, whatever the way back is.
    setKernelParameter("net/ipv4/conf/all/rp_filter", "0");
    setKernelParameter("net/ipv4/conf/eth0/rp_filter", "0");
    setKernelParameter("net/ipv4/conf/all/accept_redirects", "0");
  }
  const batch = new RouteBatch();
  try {
    batch.up(LOOPBACK);
    batch.withoutAutomaticAddress(SITE_INDEX);
    batch.up(SITE_INDEX);
    for (const address of site.addresses) batch.address(SITE_INDEX, address);
    for (const family of families(site)) {
      batch.neighbour(SITE_INDEX, GATEWAY[family], hardware("router", index));
      batch.route({ to: EVERYWHERE[family], via: GATEWAY[family], device: SITE_INDEX });
      if (outside) answerAnywhere(batch, family, site.addresses);
    }
    batch.flush();
  } finally {
    batch.close();
  }
}

/**
 * Every address is the site's own for what arrives, and none but its own for what it sends. The whole space must be in
 * the local table, or the kernel refuses to answer a ping from there (`__ip_dev_find`); so that table is looked up for
 * arriving packets alone.
 */
function answerAnywhere(batch: RouteBatch, family: Family, addresses: readonly string[]): void {
  batch.route({ to: EVERYWHERE[family], type: "local", device: LOOPBACK, table: TABLE_LOCAL });
  for (const address of [...addresses.filter((one) => familyOf(one) === family), family === 4 ? "127.0.0.1" : "::1"]) {
    batch.route({ to: host(address), type: "local", device: LOOPBACK });
  }
  batch.rule(family, 10, TABLE_LOCAL, "eth0");
  batch.removeRule(family, 0, TABLE_LOCAL);
}

function namespacesFor(count: number): readonly NetworkNamespace[] {
  try {
    return makeNamespaces(count);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    if (error.code === "ENOSPC") {
      throw new LabError("too-many-pods", `user.max_net_namespaces allows no more than that: ${error.message}`);
    }
    if (error.code === "EMFILE") {
      throw new LabError(
        "too-many-pods",
        `the limit of open files (ulimit -n) allows no more than that: ${error.message}`,
      );
    }
    throw error;
  }
}
