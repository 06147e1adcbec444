/**
 * The hops of one connection, there and back, in the order in which a packet meets them (aws-vpc.md 2.3, 2.4).
 *
 * The reply of a stateless hop is asked with the client's ports; security groups are asked about the request alone.
 */

import type { Because } from "../../base/because.ts";
import {
  type AddressSet,
  addressSetOf,
  parseAddress,
  parsePrefix,
  prefixContains,
  prefixRange,
} from "../../net/address.ts";
import { type FlowSet, flowIntersect, flowsEmpty, flowUnion, NO_FLOWS, portFlows } from "../../net/flow-set.ts";
import { exactly } from "../../reach/bounded.ts";
import type { BlockMode, LoadBalancer, NatGateway, Network, Peering, Subnet, TransitGateway, Vpc } from "../model.ts";
import { canonical } from "./match.ts";
import { aclStage } from "./network-acls.ts";
import { EPHEMERAL, interfacePlace, type Place, placeIn } from "./place.ts";
import { type Found, lookUp, lookUpTable, NOT_PUBLIC } from "./routes.ts";
import { groupStage, sightOf } from "./security-groups.ts";
import { fact, type Order, type Stage } from "./stage.ts";

/** The internet gateways that are attached to a VPC. */
export function attachedGateways(network: Network, vpc: string): readonly string[] {
  return [...network.gateways.values()].filter((g) => !g.egressOnly && g.vpcs.includes(vpc)).map((g) => g.name);
}

/** How a load balancer's second connection differs from any other (aws-vpc.md LB-6, LB-7). */
export interface Forwarded {
  /** The load balancer's interface, from which the packet comes. */
  readonly from: Place;
  /** The client that the target sees; absent: the load balancer itself. */
  readonly client?: Place;
}

/** The stages of a connection. */
export function connection(network: Network, from: Place, to: Place): readonly Stage[] {
  return new Way(network, from, to).stages();
}

/** The most routings that are tried one by one. */
const MOST_WORLDS = 16;

/** The stages under each routing that the input leaves possible; undefined where they cannot be listed. */
export function routings(network: Network, from: Place, to: Place): readonly (readonly Stage[])[] | undefined {
  const out: (readonly Stage[])[] = [];
  const explore = (chosen: ReadonlyMap<string, number>): boolean => {
    let open: { readonly key: string; readonly count: number } | undefined;
    const stages = new Way(network, from, to, (key, count) => {
      const known = chosen.get(key);
      if (known === undefined) open ??= { key, count };
      return known ?? 0;
    }).stages();
    if (open === undefined) {
      out.push(stages);
      return out.length <= MOST_WORLDS;
    }
    const { key, count } = open;
    return Array.from({ length: count }, (_, i) => i).every((i) => explore(new Map([...chosen, [key, i]])));
  };
  return explore(new Map()) ? out : undefined;
}

/** The stages of the connection from a load balancer that keeps the client's address. */
export function preserved(network: Network, balancer: Place, client: Place, target: Place): readonly Stage[] {
  const out: Stage[] = [];
  const push = (stage: Stage | undefined): void => {
    if (stage !== undefined) out.push(stage);
  };
  const groups = balancer.face?.groups;
  const own = groups?.kind === "known" ? groups.value : [];
  const crosses = balancer.subnet?.name !== target.subnet?.name;
  if (balancer.face === target.face || sameAddress(client, target)) {
    out.push(
      fact(
        { kind: "terminate", flow: "request", order: 7, at: balancer.name, what: "load balancer" },
        "deny",
        `${balancer.name}#hairpin`,
      ),
    );
  }
  push(groupStage(network, balancer, "egress", sightOf(network, target)));
  if (crosses && balancer.subnet !== undefined) push(aclStage(network, balancer.subnet, "egress", target, 3));
  if (crosses && target.subnet !== undefined) push(aclStage(network, target.subnet, "ingress", client, 5));
  push(groupStage(network, target, "ingress", sightOf(network, client, client.owner !== undefined, own)));
  const reply = { client: client.client, leg: 0 };
  if (crosses && target.subnet !== undefined) push(aclStage(network, target.subnet, "egress", client, 8, reply));
  if (crosses && balancer.subnet !== undefined) push(aclStage(network, balancer.subnet, "ingress", target, 8, reply));
  return out;
}

/** Link-local services, which nothing filters (NACL-8). */
const LINK_LOCAL: AddressSet = addressSetOf(
  ["169.254.0.0/16", "fd00:ec2::/32"].flatMap((text) => parsePrefix(text) ?? []),
);
const RESOLVERS: readonly string[] = ["169.254.169.253", "fd00:ec2::253"];
const PUBLIC_NOT: AddressSet = addressSetOf(NOT_PUBLIC);

class Way {
  private readonly network: Network;
  private readonly from: Place;
  private readonly to: Place;
  private readonly choose: ((key: string, count: number) => number) | undefined;
  private readonly out: Stage[] = [];

  constructor(network: Network, from: Place, to: Place, choose?: (key: string, count: number) => number) {
    this.network = network;
    this.from = from;
    this.to = to;
    this.choose = choose;
  }

  /** Where a table leads; of several possibilities the one that is chosen. */
  private lookUp(subnet: Subnet, to: Place): Found {
    const found = lookUp(this.network, subnet, to);
    if (found.kind !== "unsure" || found.alternatives === undefined || this.choose === undefined) return found;
    return found.alternatives[this.choose(`${found.table} ${to.name}`, found.alternatives.length)] ?? found;
  }

  stages(): readonly Stage[] {
    const { from, to } = this;
    if (from.face !== undefined && from.face === to.face) {
      this.fact("filter", "request", 7, from.name, "the interface itself", "allow", "aws#same-interface");
      return this.out;
    }
    if (to.owner?.kind === "nat-gateway") {
      // Whatever else there is on the way: it takes no connections in (RT-6).
      this.fact("terminate", "request", 1, to.name, "NAT gateway", "deny", `${to.name}#no-inbound`);
      return this.out;
    }
    if (this.linkLocal()) return this.out;
    for (const place of [from, to]) {
      if (place.face === undefined || place.subnet !== undefined) continue;
      const { subnet } = place.face;
      const because: Because =
        subnet.kind === "known" ? { code: "missing-object", detail: `subnet ${subnet.value}` } : subnet.because;
      this.unsure("route", 2, place.name, "subnet", `${place.name}#subnet`, because);
      return this.out;
    }
    if (from.subnet !== undefined && to.subnet !== undefined) {
      if (from.vpc === to.vpc) this.inside(from.subnet, to.subnet);
      else this.between(from.subnet, to.subnet);
    } else if (to.subnet !== undefined) this.inbound(to.subnet);
    else if (from.subnet !== undefined) this.outbound(from.subnet);
    else this.fact("route", "request", 2, from.name, "route", "deny", "aws#outside");
    this.unread();
    return this.out;
  }

  // ── small things ──────────────────────────────────────────────────────────────────────────────────────────────────

  private push(stage: Stage | undefined): void {
    if (stage !== undefined) this.out.push(stage);
  }

  private fact(
    kind: Stage["kind"],
    flow: Stage["flow"],
    order: Order,
    at: string,
    what: string,
    verdict: "allow" | "deny" | "unsure",
    decider: string,
    because: readonly Because[] = [],
  ): void {
    this.out.push(fact({ kind, flow, order, at, what }, verdict, decider, because));
  }

  private unsure(kind: Stage["kind"], order: Order, at: string, what: string, decider: string, because: Because): void {
    this.fact(kind, "request", order, at, what, "unsure", decider, [because]);
  }

  /** A route that is not found, drops, or cannot be told, as a hop. */
  private lost(found: Found, order: Order, flow: Stage["flow"], at: string): void {
    if (found.kind === "unsure")
      this.fact("route", flow, order, at, `route table ${found.table}`, "unsure", `${found.table}#?`, found.because);
    else this.fact("route", flow, order, at, `route table ${found.table}`, "deny", found.decider);
  }

  private routed(found: Found, order: Order, flow: Stage["flow"], at: string): void {
    if (found.kind === "route")
      this.fact("route", flow, order, at, `route table ${found.table}`, "allow", found.decider);
    else this.lost(found, order, flow, at);
  }

  /** Something between the two that is not read makes what passes unsure. */
  private unread(): void {
    const places = [this.from, this.to].flatMap((p) => [p.subnet?.name, p.vpc, p.owner?.name]);
    for (const one of this.network.unread) {
      if (!one.narrows) continue;
      if (one.touches.length > 0 && !one.touches.some((t) => places.includes(t))) continue;
      this.unsure("filter", 7, one.name, one.type, one.name, { code: "not-read", detail: `${one.name} (${one.type})` });
    }
  }

  private linkLocal(): boolean {
    const { to, from } = this;
    if (to.face !== undefined || to.range.first !== to.range.last) return false;
    const vpc = from.vpc === undefined ? undefined : this.network.vpcs.get(from.vpc);
    const resolver = vpc === undefined ? false : isResolver(vpc, to);
    const reserved = to.subnet !== undefined && isReserved(to.subnet, to);
    if (placeIn(to, LINK_LOCAL) !== "yes" && !resolver && !reserved) return false;
    const isDns = resolver || RESOLVERS.some((text) => sameAs(to, text));
    if (isDns && vpc?.dnsSupport === false) {
      this.fact("filter", "request", 7, vpc.name, "Amazon DNS", "deny", `${vpc.name}#no-dns-support`);
    } else this.fact("filter", "request", 7, to.name, "link-local services", "allow", "aws#link-local");
    return true;
  }

  private egress(references = true): void {
    this.push(groupStage(this.network, this.from, "egress", sightOf(this.network, this.to, references)));
  }

  private ingress(references = true): void {
    this.push(groupStage(this.network, this.to, "ingress", sightOf(this.network, this.from, references)));
    this.terminal();
  }

  /** What waits at the destination: a load balancer's listener. */
  private terminal(): void {
    const { owner } = this.to;
    const balancer = owner === undefined ? undefined : this.network.balancers.get(owner.name);
    if (balancer !== undefined) this.out.push(listenerStage(balancer));
  }

  private reply(
    subnet: Subnet,
    direction: "ingress" | "egress",
    remote: Place,
    client = this.from.client,
    leg = 0,
  ): void {
    this.out.push(aclStage(this.network, subnet, direction, remote, 8, { client, leg }));
  }

  private request(subnet: Subnet, direction: "ingress" | "egress", remote: Place): void {
    this.out.push(aclStage(this.network, subnet, direction, remote, direction === "egress" ? 3 : 5));
  }

  private blockMode(subnet: Subnet): BlockMode {
    return subnet.blockMode ?? this.network.vpcs.get(subnet.vpc)?.blockMode ?? "off";
  }

  // ── inside one VPC ────────────────────────────────────────────────────────────────────────────────────────────────

  private inside(source: Subnet, target: Subnet): void {
    const { from, to } = this;
    const found = this.lookUp(source, to);
    const middle =
      found.kind === "route" && found.target.kind === "network-interface" ? this.appliance(found) : undefined;
    const back = this.lookUp(target, from);
    const returning =
      back.kind === "route" && back.target.kind === "network-interface" ? this.appliance(back) : undefined;
    this.egress(middle === undefined);
    this.routed(found, 2, "request", source.name);
    if (found.kind === "route" && found.target.kind !== "local" && middle === undefined) {
      this.through(found, 2);
    }
    const crosses = source.name !== target.name;
    if (middle?.subnet !== undefined) {
      this.transitOf(middle, source);
      if (middle.subnet.name !== target.name) {
        this.request(middle.subnet, "egress", to);
        this.request(target, "ingress", from);
      }
    } else if (crosses) {
      this.request(source, "egress", to);
      this.request(target, "ingress", from);
    }
    this.ingress(middle === undefined);
    if (returning?.subnet !== undefined) {
      if (target.name !== returning.subnet.name) {
        this.reply(target, "egress", from);
        this.reply(returning.subnet, "ingress", to);
      }
      if (source.name !== returning.subnet.name) {
        this.reply(returning.subnet, "egress", from);
        this.reply(source, "ingress", to);
      }
      return;
    }
    if (crosses) this.reply(target, "egress", from);
    if (back.kind !== "route") this.lost(back, 8, "reply", target.name);
    if (crosses) this.reply(source, "ingress", to);
  }

  /** The interface to which a route leads (RT-11). */
  private appliance(found: Extract<Found, { kind: "route" }>): Place | undefined {
    const name = canonical(this.network, found.target.name);
    for (const owner of this.network.owners.values()) {
      const face =
        owner.interfaces.find((i) => i.name === found.target.name) ??
        (owner.name === name ? owner.interfaces[0] : undefined);
      if (face !== undefined) return interfacePlace(this.network, owner, face, this.from.family);
    }
    return undefined;
  }

  /** Passing through an appliance: its groups see the traffic, references do not work (SG-7, RT-11). */
  private transitOf(middle: Place, source: Subnet): void {
    const { from, to } = this;
    if (middle.subnet === undefined) return;
    if (middle.subnet.name !== source.name) {
      this.request(source, "egress", to);
      this.request(middle.subnet, "ingress", from);
    }
    this.throughAppliance(middle);
  }

  /** In and out of an appliance's interface: its groups, and whether it takes what is not addressed to it. */
  private throughAppliance(middle: Place): void {
    const { from, to } = this;
    this.transit(groupStage(this.network, middle, "ingress", sightOf(this.network, from, false)));
    if (middle.face?.checksDestination !== false) {
      this.fact(
        "route",
        "request",
        4,
        middle.name,
        "source/destination check",
        "deny",
        `${middle.name}#source-dest-check`,
      );
    }
    this.transit(groupStage(this.network, middle, "egress", sightOf(this.network, to, false)));
  }

  private transit(stage: Stage | undefined): void {
    if (stage === undefined) return;
    const { decidesAllow: _, ...rest } = stage;
    this.out.push({ ...rest, order: 4 });
  }

  /** A hop that decides for itself, or that is not read. */
  private through(found: Extract<Found, { kind: "route" }>, order: Order): void {
    const { kind, name } = found.target;
    const isAppliance = kind === "endpoint" || kind === "network-interface";
    this.unsure("route", order, name, kind, found.decider, {
      code: isAppliance ? "appliance" : "missing-object",
      detail: isAppliance ? name : `what lies behind ${name}`,
    });
  }

  // ── between VPCs ──────────────────────────────────────────────────────────────────────────────────────────────────

  private between(source: Subnet, target: Subnet): void {
    const { from, to } = this;
    const found = this.lookUp(source, to);
    const back = this.lookUp(target, from);
    if (found.kind === "route" && found.target.kind === "peering") {
      const peering = this.network.peerings.get(canonical(this.network, found.target.name));
      const references = peering !== undefined && peering.isActive !== "no" && sameRegion(peering, this.network);
      this.egress(references);
      this.routed(found, 2, "request", source.name);
      this.request(source, "egress", to);
      this.peering(peering, found.target.name, source.vpc, target.vpc);
      this.request(target, "ingress", from);
      this.ingress(references);
      this.reply(target, "egress", from);
      if (back.kind !== "route") this.lost(back, 8, "reply", target.name);
      else if (back.target.name !== found.target.name)
        this.fact("route", "reply", 8, target.name, `route table ${back.table}`, "deny", back.decider);
      this.reply(source, "ingress", to);
      return;
    }
    if (found.kind === "route" && found.target.kind === "transit-gateway") {
      this.transitGateway(found, back, source, target);
      return;
    }
    this.egress(false);
    if (found.kind !== "route") this.lost(found, 2, "request", source.name);
    else if (
      found.target.kind === "internet-gateway" ||
      found.target.kind === "nat-gateway" ||
      found.target.kind === "local" ||
      found.target.kind === "egress-only-gateway"
    ) {
      // A private address of another VPC is not reached that way.
      this.fact("route", "request", 2, source.name, `route table ${found.table}`, "deny", found.decider);
    } else {
      this.routed(found, 2, "request", source.name);
      this.through(found, 4);
    }
    this.request(source, "egress", to);
    this.request(target, "ingress", from);
    this.ingress(false);
    this.reply(target, "egress", from);
    if (back.kind !== "route") this.lost(back, 8, "reply", target.name);
    this.reply(source, "ingress", to);
  }

  /** Active, between these two VPCs and no further, without overlap (RT-8). */
  private peering(peering: Peering | undefined, name: string, source: string, target: string): void {
    if (peering === undefined) {
      this.unsure("route", 4, name, "peering", name, { code: "missing-object", detail: `peering ${name}` });
      return;
    }
    const sides = [peering.requester.vpc, peering.accepter.vpc].map((v) => canonical(this.network, v));
    if (!sides.includes(source) || !sides.includes(target)) {
      this.fact("route", "request", 4, name, "peering", "deny", `${name}#not-in-peer`);
    } else if (peering.isActive === "no")
      this.fact("route", "request", 4, name, "peering", "deny", `${name}#not-active`);
    else if (overlap(this.network.vpcs.get(source), this.network.vpcs.get(target))) {
      this.fact("route", "request", 4, name, "peering", "deny", `${name}#overlap`);
    } else if (peering.isActive === "maybe") {
      this.unsure("route", 4, name, "peering", name, { code: "unknown-value", detail: `whether ${name} is accepted` });
    } else this.fact("route", "request", 4, name, "peering", "allow", name);
  }

  /** Through a transit gateway: attachments, its tables in both directions, the ACLs of the attachments' subnets (RT-9). */
  private transitGateway(found: Extract<Found, { kind: "route" }>, back: Found, source: Subnet, target: Subnet): void {
    const { from, to } = this;
    const name = canonical(this.network, found.target.name);
    const gateway = this.network.transits.get(name);
    const near = gateway?.attachments.find((a) => a.vpc === source.vpc);
    const far = gateway?.attachments.find((a) => a.vpc === target.vpc);
    const references =
      gateway?.referencesGroups === true && near?.referencesGroups === true && far?.referencesGroups === true;
    this.egress(references);
    this.routed(found, 2, "request", source.name);
    const nearSubnet = near?.subnets.map((s) => this.network.subnets.get(s)).find((s) => s?.zone === source.zone);
    const farSubnets = (far?.subnets ?? []).flatMap((s) => this.network.subnets.get(s) ?? []);
    const farSubnet = farSubnets.find((s) => s.zone === source.zone) ?? farSubnets[0];
    if (nearSubnet?.name !== source.name) {
      this.request(source, "egress", to);
      if (nearSubnet !== undefined) this.request(nearSubnet, "ingress", from);
    }
    if (near !== undefined && nearSubnet === undefined) {
      this.fact("route", "request", 4, name, "transit gateway", "deny", `${name}#no-attachment:${source.zone ?? "?"}`);
    }
    this.transitLeg(gateway, name, near?.name, far?.name, to, "request");
    if (farSubnet !== undefined && farSubnet.name !== target.name) {
      this.request(farSubnet, "egress", to);
      this.request(target, "ingress", from);
    } else if (farSubnet === undefined) this.request(target, "ingress", from);
    this.ingress(references);
    if (farSubnet === undefined || farSubnet.name !== target.name) this.reply(target, "egress", from);
    if (farSubnet !== undefined && farSubnet.name !== target.name) this.reply(farSubnet, "ingress", to);
    if (back.kind !== "route" || canonical(this.network, back.target.name) !== name)
      this.lost(
        back.kind === "route" ? { kind: "none", table: back.table, decider: back.decider } : back,
        8,
        "reply",
        target.name,
      );
    this.transitLeg(gateway, name, far?.name, near?.name, from, "reply");
    if (nearSubnet !== undefined && nearSubnet.name !== source.name) this.reply(nearSubnet, "egress", from);
    if (nearSubnet?.name !== source.name) this.reply(source, "ingress", to);
  }

  private transitLeg(
    gateway: TransitGateway | undefined,
    name: string,
    near: string | undefined,
    far: string | undefined,
    to: Place,
    flow: Stage["flow"],
  ): void {
    const order: Order = flow === "request" ? 4 : 8;
    const say = (verdict: "allow" | "deny" | "unsure", decider: string, because: readonly Because[] = []): void =>
      this.fact("route", flow, order, name, "transit gateway", verdict, decider, because);
    const tables = gateway?.tables ?? [];
    if (gateway === undefined || tables.length === 0) {
      say("unsure", name, [{ code: "missing-object", detail: `routes of transit gateway ${name}` }]);
      return;
    }
    const table = near === undefined ? undefined : tables.find((t) => t.attachments.includes(near));
    if (table === undefined) {
      say("deny", `${name}#no-association`);
      return;
    }
    const best = table.routes
      .filter((r) => placeIn(to, [prefixRange(r.prefix)]) === "yes")
      .toSorted(
        (a, b) =>
          b.prefix.length - a.prefix.length || (a.origin === "static" ? -1 : 1) - (b.origin === "static" ? -1 : 1),
      )[0];
    if (best === undefined) say("deny", `${table.name}#no-route`);
    else if (best.state === "blackhole") say("deny", `${table.name}#blackhole`);
    else if (far === undefined || !best.attachments.includes(far)) say("deny", `${table.name}#other-attachment`);
    else say("allow", table.name);
  }

  // ── from outside ──────────────────────────────────────────────────────────────────────────────────────────────────

  private inbound(target: Subnet): void {
    const { from, to } = this;
    if (placeIn(from, PUBLIC_NOT) !== "no") this.fromPrivate(target);
    else this.fromInternet(target);
    this.request(target, "ingress", from);
    this.ingress(false);
    this.reply(target, "egress", from);
    void to;
  }

  /** From the Internet: a public address, an attached gateway, a way back (RT-4). */
  private fromInternet(target: Subnet): void {
    const { to, from } = this;
    const balancer = to.owner === undefined ? undefined : this.network.balancers.get(to.owner.name);
    if (to.face === undefined) {
      this.unsure("route", 4, to.name, "address", to.name, {
        code: "missing-object",
        detail: `what has the address ${to.name}`,
      });
    } else if (balancer !== undefined && balancer.internal !== "no") {
      if (balancer.internal === "yes")
        this.fact("route", "request", 4, to.name, "scheme", "deny", `${to.name}#scheme:internal`);
      else
        this.unsure("route", 4, to.name, "scheme", `${to.name}#scheme`, {
          code: "unknown-value",
          detail: `scheme of ${to.name}`,
        });
    } else if (from.family === "IPv4" && to.face.isPublic !== "yes") {
      if (to.face.isPublic === "no")
        this.fact("route", "request", 4, to.name, "public address", "deny", `${to.name}#no-public-ip`);
      else
        this.unsure("route", 4, to.name, "public address", `${to.name}#public-ip`, {
          code: "unknown-value",
          detail: `whether ${to.name} has a public address`,
        });
    }
    const attached = this.attached(target.vpc);
    if (attached.length === 0)
      this.fact("route", "request", 4, target.vpc, "internet gateway", "deny", `${target.vpc}#no-internet-gateway`);
    const mode = this.blockMode(target);
    if (mode !== "off")
      this.fact("filter", "request", 4, target.vpc, "Block Public Access", "deny", `${target.vpc}#${mode}`);
    for (const table of this.network.tables.values()) {
      if (!table.gateways.some((g) => attached.includes(g))) continue;
      const found = lookUpTable(this.network, table, to);
      if (found.kind === "route" && found.target.kind !== "local") this.through(found, 4);
      else if (found.kind !== "route" && found.kind !== "none") this.lost(found, 4, "request", table.name);
    }
    const back = this.lookUp(target, from);
    if (back.kind === "route" && back.target.kind === "internet-gateway" && attached.includes(back.target.name)) {
      this.fact("route", "request", 4, target.name, `route table ${back.table}`, "allow", back.decider);
    } else if (back.kind === "route")
      this.fact("route", "request", 4, target.name, `route table ${back.table}`, "deny", back.decider);
    else this.lost(back, 4, "request", target.name);
  }

  /** From a private address that is in no VPC of the input: by whatever leads back to it. */
  private fromPrivate(target: Subnet): void {
    const back = this.lookUp(target, this.from);
    if (back.kind !== "route") {
      this.lost(back, 4, "request", target.name);
      return;
    }
    const { kind, name } = back.target;
    if (kind === "internet-gateway" || kind === "nat-gateway" || kind === "local" || kind === "egress-only-gateway") {
      this.fact("route", "request", 4, target.name, `route table ${back.table}`, "deny", back.decider);
    } else
      this.unsure("route", 4, name, kind, back.decider, { code: "missing-object", detail: `what lies behind ${name}` });
  }

  private attached(vpc: string): readonly string[] {
    return attachedGateways(this.network, vpc);
  }

  // ── to outside ────────────────────────────────────────────────────────────────────────────────────────────────────

  private outbound(source: Subnet): void {
    const { from, to } = this;
    const found = this.lookUp(source, to);
    this.egress(false);
    const isDrop = found.kind !== "route";
    this.routed(found, 2, "request", source.name);
    if (isDrop || !this.viaNat(found)) this.request(source, "egress", to);
    if (found.kind !== "route") {
      this.reply(source, "ingress", to);
      return;
    }
    const isPublic = placeIn(to, PUBLIC_NOT) === "no";
    switch (found.target.kind) {
      case "internet-gateway":
        this.toGateway(found.target.name, source, from, isPublic);
        this.reply(source, "ingress", to);
        return;
      case "nat-gateway":
        this.toNat(found, source, isPublic);
        return;
      case "egress-only-gateway": {
        const gateway = this.network.gateways.get(canonical(this.network, found.target.name));
        if (gateway === undefined) this.through(found, 4);
        else if (!gateway.vpcs.includes(source.vpc))
          this.fact("route", "request", 4, gateway.name, "egress-only gateway", "deny", `${gateway.name}#not-attached`);
        else if (this.blockMode(source) === "block-bidirectional")
          this.fact(
            "filter",
            "request",
            4,
            source.vpc,
            "Block Public Access",
            "deny",
            `${source.vpc}#block-bidirectional`,
          );
        else this.fact("route", "request", 4, gateway.name, "egress-only gateway", "allow", gateway.name);
        this.reply(source, "ingress", to);
        return;
      }
      case "network-interface": {
        const middle = this.appliance(found);
        if (middle?.subnet === undefined) this.through(found, 4);
        else this.outThrough(middle, middle.subnet, source, isPublic);
        return;
      }
      case "endpoint": {
        const endpoint = this.network.endpoints.get(canonical(this.network, found.target.name));
        if (endpoint?.kind === "gateway")
          this.fact("route", "request", 4, endpoint.name, "gateway endpoint", "allow", endpoint.name);
        else this.through(found, 4);
        this.reply(source, "ingress", to);
        return;
      }
      case "peering":
        this.toPeer(found, source);
        this.reply(source, "ingress", to);
        return;
      case "local":
        this.fact("route", "request", 4, source.vpc, "local", "deny", `${source.vpc}#no-such-subnet`);
        return;
      default:
        this.through(found, 4);
        this.reply(source, "ingress", to);
    }
  }

  /** A NAT gateway in the source's own subnet is reached without crossing its edge. */
  private viaNat(found: Extract<Found, { kind: "route" }>): boolean {
    const nat =
      found.target.kind === "nat-gateway"
        ? this.network.nats.get(canonical(this.network, found.target.name))
        : undefined;
    return nat?.subnet.kind === "known" && nat.subnet.value === this.from.subnet?.name;
  }

  /** Through an internet gateway (RT-4, RT-12). `sender`: whose address leaves. */
  private toGateway(name: string, subnet: Subnet, sender: Place | undefined, isPublic: boolean): void {
    const gateway = this.network.gateways.get(canonical(this.network, name));
    if (gateway === undefined) {
      this.unsure("route", 4, name, "internet gateway", name, {
        code: "missing-object",
        detail: `internet gateway ${name}`,
      });
    } else if (!gateway.vpcs.includes(subnet.vpc)) {
      this.fact("route", "request", 4, gateway.name, "internet gateway", "deny", `${gateway.name}#not-attached`);
    }
    if (!isPublic) this.fact("route", "request", 4, name, "internet gateway", "deny", `${name}#private-destination`);
    if (sender !== undefined && sender.family === "IPv4") {
      if (sender.face === undefined) {
        this.unsure("route", 4, sender.name, "public address", sender.name, {
          code: "missing-object",
          detail: `what has the address ${sender.name}`,
        });
      } else if (sender.face.isPublic === "no")
        this.fact("route", "request", 4, sender.name, "public address", "deny", `${sender.name}#no-public-ip`);
      else if (sender.face.isPublic === "maybe") {
        this.unsure("route", 4, sender.name, "public address", `${sender.name}#public-ip`, {
          code: "unknown-value",
          detail: `whether ${sender.name} has a public address`,
        });
      }
    }
    const mode = this.blockMode(subnet);
    const isNat = sender === undefined;
    if (mode === "block-bidirectional" || (mode === "block-ingress" && !isNat)) {
      this.fact("filter", "request", 4, subnet.vpc, "Block Public Access", "deny", `${subnet.vpc}#${mode}`);
    }
  }

  /** Through a NAT gateway: into its subnet, out of it, and back the same way (RT-6). */
  private toNat(found: Extract<Found, { kind: "route" }>, source: Subnet, isPublic: boolean): void {
    const { from, to } = this;
    const nat = this.network.nats.get(canonical(this.network, found.target.name));
    const subnet = nat?.subnet.kind === "known" ? this.network.subnets.get(nat.subnet.value) : undefined;
    if (nat === undefined || subnet === undefined) {
      const because: Because =
        nat !== undefined && nat.subnet.kind !== "known"
          ? nat.subnet.because
          : { code: "missing-object", detail: `NAT gateway ${found.target.name}` };
      this.unsure("rewrite", 4, found.target.name, "NAT gateway", found.decider, because);
      this.reply(source, "ingress", to);
      return;
    }
    const crosses = subnet.name !== source.name;
    if (crosses) this.request(subnet, "ingress", from);
    this.nat(nat, subnet, isPublic);
    // Between the gateway and the Internet the client is the gateway, with its own ports.
    this.request(subnet, "egress", to);
    this.reply(subnet, "ingress", to, EPHEMERAL.service, 1);
    if (crosses) {
      this.reply(subnet, "egress", from);
      this.reply(source, "ingress", to);
    }
  }

  private nat(nat: NatGateway, subnet: Subnet, isPublic: boolean): void {
    const { to } = this;
    if (!nat.isAvailable)
      this.fact("rewrite", "request", 4, nat.name, "NAT gateway", "deny", `${nat.name}#not-available`);
    else this.fact("rewrite", "request", 4, nat.name, "NAT gateway", "allow", nat.name);
    const onward = this.lookUp(subnet, to);
    this.routed(onward, 4, "request", subnet.name);
    if (onward.kind !== "route") return;
    if (onward.target.kind === "internet-gateway") {
      if (nat.isPublic) this.toGateway(onward.target.name, subnet, undefined, isPublic);
      else this.fact("route", "request", 4, nat.name, "NAT gateway", "deny", `${nat.name}#no-public-ip`);
    } else if (
      onward.target.kind === "nat-gateway" ||
      onward.target.kind === "local" ||
      onward.target.kind === "egress-only-gateway"
    ) {
      this.fact("route", "request", 4, subnet.name, `route table ${onward.table}`, "deny", onward.decider);
    } else this.through(onward, 4);
  }

  /** Through an appliance to the Internet, under its public address. */
  private outThrough(middle: Place, subnet: Subnet, source: Subnet, isPublic: boolean): void {
    const { from, to } = this;
    if (subnet.name !== source.name) this.request(subnet, "ingress", from);
    this.throughAppliance(middle);
    const onward = this.lookUp(subnet, to);
    this.routed(onward, 4, "request", subnet.name);
    if (onward.kind === "route") {
      if (onward.target.kind === "internet-gateway") this.toGateway(onward.target.name, subnet, middle, isPublic);
      else this.through(onward, 4);
    }
    this.request(subnet, "egress", to);
    this.reply(subnet, "ingress", to, EPHEMERAL.service, 1);
    if (subnet.name !== source.name) {
      this.reply(subnet, "egress", from);
      this.reply(source, "ingress", to);
    }
  }

  /** A peer whose subnets the input does not have: what passes there is not known, what lies beyond it is not reached. */
  private toPeer(found: Extract<Found, { kind: "route" }>, source: Subnet): void {
    const name = canonical(this.network, found.target.name);
    const peering = this.network.peerings.get(name);
    if (peering === undefined) {
      this.through(found, 4);
      return;
    }
    const side = canonical(this.network, peering.requester.vpc) === source.vpc ? peering.accepter : peering.requester;
    const cidrs = this.network.vpcs.get(canonical(this.network, side.vpc))?.cidrs ?? side.cidrs;
    if (peering.isActive === "no") this.fact("route", "request", 4, name, "peering", "deny", `${name}#not-active`);
    else if (cidrs.length > 0 && placeIn(this.to, addressSetOf(cidrs)) === "no") {
      this.fact("route", "request", 4, name, "peering", "deny", `${name}#not-in-peer`);
    } else
      this.unsure("route", 4, name, "peering", name, { code: "missing-object", detail: `what lies in ${side.vpc}` });
  }
}

/** The ports on which a load balancer listens. */
export function listenerFlows(balancer: LoadBalancer): FlowSet {
  let flows: FlowSet = NO_FLOWS;
  for (const { port, protocol } of balancer.listeners) {
    for (const one of listenerProtocols(protocol)) flows = flowUnion(flows, portFlows(one, port, port));
  }
  return flows;
}

export function listenerProtocols(protocol: string): readonly ("TCP" | "UDP")[] {
  if (protocol === "TCP_UDP") return ["TCP", "UDP"];
  return protocol === "UDP" || protocol === "QUIC" ? ["UDP"] : ["TCP"];
}

function listenerStage(balancer: LoadBalancer): Stage {
  const flows = listenerFlows(balancer);
  return {
    kind: "terminate",
    flow: "request",
    order: 7,
    at: balancer.name,
    what: "listeners",
    flows: () => exactly(flows),
    judge: (ask) => {
      const asked = portFlows(ask.protocol, ask.first, ask.last, [ask.family]);
      const open = balancer.listeners.filter(
        (l) =>
          ask.first <= l.port && l.port <= ask.last && listenerProtocols(l.protocol).some((p) => p === ask.protocol),
      );
      if (!flowsEmpty(flowIntersect(asked, flows)))
        return { verdict: "allow", deciders: open.map((l) => l.name), because: [] };
      return {
        verdict: "deny",
        deciders: [`${balancer.name}#no-listener:${ask.protocol.toLowerCase()}/${ask.first}`],
        because: [],
      };
    },
  };
}

function sameAddress(a: Place, b: Place): boolean {
  return (
    a.range.first === a.range.last &&
    a.range.first === b.range.first &&
    b.range.first === b.range.last &&
    a.family === b.family
  );
}

function sameAs(place: Place, text: string): boolean {
  const address = parseAddress(text);
  return address !== undefined && address.family === place.family && address.value === place.range.first;
}

/** Amazon DNS at the base of the VPC's first CIDR plus two. */
function isResolver(vpc: Vpc, place: Place): boolean {
  return vpc.cidrs.some(
    (cidr) => cidr.family === "IPv4" && place.family === "IPv4" && cidr.base + 2n === place.range.first,
  );
}

/** The first four addresses and the last of a subnet are AWS's own. */
function isReserved(subnet: Subnet, place: Place): boolean {
  const cidr = place.family === "IPv4" ? subnet.cidr4 : subnet.cidr6;
  if (cidr === undefined) return false;
  const range = prefixRange(cidr);
  return place.range.first < range.first + 4n || place.range.first === range.last;
}

function sameRegion(peering: Peering, network: Network): boolean {
  const region = (side: Peering["requester"]): string | undefined => side.region ?? network.vpcs.get(side.vpc)?.region;
  const a = region(peering.requester);
  const b = region(peering.accepter);
  return a === undefined || b === undefined || a === b;
}

function overlap(a: Vpc | undefined, b: Vpc | undefined): boolean {
  return (a?.cidrs ?? []).some((x) => (b?.cidrs ?? []).some((y) => prefixContains(x, y) || prefixContains(y, x)));
}
