/** Walks one packet through a VPC, hop by hop, and its reply back (aws-vpc.md 2). */

import { type Address, areDisjoint, isInside, isWithin, parsePrefix, type Prefix, sameAddress } from "../addresses.ts";
import { fieldsOf, itemsOf, type Fields, textOf } from "../values.ts";
import { type Configuration, type Face, type Guess, numberOf, whole } from "./configuration.ts";

export interface Packet {
  readonly protocol: number;
  readonly source: Address;
  readonly destination: Address;
  /** Destination port, or ICMP type; undefined for protocols that have neither. */
  readonly port: number | undefined;
}

/** Who sends or receives: an interface, a machine in a subnet of which no interface is known, or somebody outside. */
export interface Party {
  readonly address: Address;
  readonly face?: Face;
  readonly subnet?: string;
}

export type Outcome = { readonly passes: true } | { readonly passes: false; readonly why: string };

const PASSES: Outcome = { passes: true };
const drop = (why: string): Outcome => ({ passes: false, why });

const PRIVATE = [
  "10.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "100.64.0.0/10",
  "169.254.0.0/16",
  "127.0.0.0/8",
  "fc00::/7",
  "fe80::/10",
].flatMap((text) => parsePrefix(text) ?? []);

function isPublicAddress(address: Address): boolean {
  return !PRIVATE.some((prefix) => isInside(address, prefix));
}

/** How a connection is gone: what the reply has to know. */
interface Trail {
  /** The NAT gateway or appliance that put its own address in place of the client's. */
  translator?: { readonly subnet: string; readonly address: Address };
  /** The subnet through which a transit gateway took the packet, near and far. */
  transit?: { readonly near: string; readonly far: string; readonly id: string };
  peering?: string;
}

/** A client that a load balancer lets its targets see. */
export interface Preserved {
  readonly groups: readonly string[];
}

export class Walk {
  private readonly c: Configuration;
  private readonly guess: Guess;

  constructor(configuration: Configuration, guess: Guess) {
    this.c = configuration;
    this.guess = guess;
  }

  /** The request of a connection, and whether its reply to a client port comes back. `natPort`: the translator's own. */
  connection(
    from: Party,
    to: Party,
    protocol: number,
    port: number | undefined,
    clientPort: number,
    natPort: number,
  ): { readonly request: Outcome; readonly reply: Outcome } {
    const trail: Trail = {};
    const request = this.request(from, to, { protocol, source: from.address, destination: to.address, port }, trail);
    const answer = replyType(protocol, port);
    if (answer === null || this.isUnfiltered(from, to)) return { request, reply: PASSES };
    const reply = this.reply(
      from,
      to,
      { protocol, source: to.address, destination: from.address, port: answer ?? clientPort },
      trail,
      answer ?? natPort,
    );
    return { request, reply };
  }

  private isUnfiltered(from: Party, to: Party): boolean {
    return (from.face !== undefined && from.face.id === to.face?.id) || this.linkLocal(from, to) !== undefined;
  }

  // ── the request ───────────────────────────────────────────────────────────────────────────────────────────────────

  private request(from: Party, to: Party, packet: Packet, trail: Trail): Outcome {
    if (from.face !== undefined && from.face.id === to.face?.id) return PASSES;
    if (to.face?.kind === "nat") return drop("nat takes nothing in");
    const local = this.linkLocal(from, to);
    if (local !== undefined) return local;
    if (from.subnet === undefined) return this.fromOutside(from, to, packet);
    const out = this.groups(from.face, to.face, packet, true, true, packet.destination);
    // Which way it goes decides whether references count, so the group check waits until the way is known.
    return this.onward(from, to, packet, trail, from.subnet, out);
  }

  private onward(from: Party, to: Party, packet: Packet, trail: Trail, subnet: string, egress: Outcome): Outcome {
    const route = this.route(subnet, packet.destination);
    if (route === undefined) return drop("no route");
    if (route.State === "blackhole") return drop("blackhole");
    const sameVpc = to.subnet !== undefined && this.c.vpcOf(to.subnet) === this.c.vpcOf(subnet);
    const gateway = textOf(route.GatewayId) ?? "";
    const strict = this.groups(from.face, to.face, packet, true, false, packet.destination);
    if (gateway === "local") {
      if (to.subnet === undefined || !sameVpc) return drop("no such subnet");
      return this.all(
        egress,
        () => this.cross(subnet, to.subnet ?? "", packet),
        () => this.arrive(from, to, packet, true),
      );
    }
    const nat = textOf(route.NatGatewayId);
    const eni = textOf(route.NetworkInterfaceId);
    const peering = textOf(route.VpcPeeringConnectionId);
    const transit = textOf(route.TransitGatewayId);
    const only = textOf(route.EgressOnlyInternetGatewayId);
    if (gateway.startsWith("igw-")) {
      if (to.subnet !== undefined) return drop("private address through igw");
      return this.all(
        strict,
        () => this.aclCheck(subnet, packet, true),
        () => this.throughInternet(subnet, from.face, gateway, packet.destination, packet.source.family, false),
      );
    }
    if (nat !== undefined)
      return to.subnet === undefined
        ? this.throughNat(subnet, nat, packet, trail, strict)
        : drop("private address through nat");
    if (eni !== undefined && (to.subnet === undefined || sameVpc))
      return this.throughAppliance(from, to, packet, trail, subnet, eni, strict);
    if (peering !== undefined) return this.throughPeering(from, to, packet, trail, subnet, peering);
    if (transit !== undefined) return this.throughTransit(from, to, packet, trail, subnet, transit);
    if (only !== undefined) {
      if (to.subnet !== undefined) return drop("private address through eigw");
      return this.all(
        strict,
        () => this.aclCheck(subnet, packet, true),
        () => {
          const found = this.c.list("EgressOnlyInternetGateways").find((g) => g.EgressOnlyInternetGatewayId === only);
          if (found === undefined) return this.guess(`gateway ${only}`) ? PASSES : drop("eigw not in the input");
          if (!attachedTo(found, this.c.vpcOf(subnet))) return drop("eigw not attached");
          return this.c.blockMode(subnet) === "block-bidirectional" ? drop("public access blocked") : PASSES;
        },
      );
    }
    const endpoint = this.c.list("VpcEndpoints").find((e) => e.VpcEndpointId === gateway);
    const rest = (): Outcome => {
      if (endpoint?.VpcEndpointType === "Gateway" && to.subnet === undefined) return PASSES;
      return this.guess(`behind ${JSON.stringify(route)}`) ? PASSES : drop("what lies behind");
    };
    const { subnet: target } = to;
    const last = (): Outcome =>
      target === undefined
        ? PASSES
        : this.all(this.aclCheck(target, packet, false), () => this.arrive(from, to, packet, false));
    return this.all(strict, () => this.aclCheck(subnet, packet, true), rest, last);
  }

  private all(first: Outcome, ...rest: readonly (() => Outcome)[]): Outcome {
    let outcome = first;
    // Every check is asked, so that what is not known is known not to matter.
    for (const next of rest) {
      if (!outcome.passes) return outcome;
      outcome = next();
    }
    return outcome;
  }

  /** Leaves one subnet and enters another; within one subnet no ACL is asked (NACL-3). */
  private cross(a: string, b: string, packet: Packet): Outcome {
    if (a === b) return PASSES;
    return this.all(this.aclCheck(a, packet, true), () => this.aclCheck(b, packet, false));
  }

  private arrive(from: Party, to: Party, packet: Packet, references: boolean): Outcome {
    return this.all(this.groups(to.face, from.face, packet, false, references, packet.source), () =>
      this.listens(to, packet),
    );
  }

  private listens(to: Party, packet: Packet): Outcome {
    if (to.face?.kind !== "balancer") return PASSES;
    const open = this.listeners(to.face.owner).some(
      (l) => l.port === packet.port && l.protocols.includes(packet.protocol),
    );
    return open ? PASSES : drop("no listener");
  }

  listeners(
    balancer: string,
  ): readonly { readonly port: number; readonly protocols: readonly number[]; readonly value: Fields }[] {
    const modern = this.c.list("Listeners").filter((l) => l.LoadBalancerArn === balancer);
    const classic = this.c
      .list("LoadBalancerDescriptions")
      .filter((b) => b.LoadBalancerName === balancer)
      .flatMap((b) => itemsOf(b.ListenerDescriptions).map((d) => fieldsOf(fieldsOf(d).Listener)));
    return [...modern, ...classic].map((value) => {
      const name = String(value.Protocol).toUpperCase();
      const protocols = name === "UDP" || name === "QUIC" ? [17] : name === "TCP_UDP" ? [6, 17] : [6];
      return { port: whole(value.Port ?? value.LoadBalancerPort) ?? 0, protocols, value };
    });
  }

  // ── through gateways ──────────────────────────────────────────────────────────────────────────────────────────────

  private throughInternet(
    subnet: string,
    face: Face | undefined,
    gateway: string,
    destination: Address,
    family: string,
    byNat: boolean,
  ): Outcome {
    const found = this.c.list("InternetGateways").find((g) => g.InternetGatewayId === gateway);
    if (found === undefined && !this.guess(`gateway ${gateway}`)) return drop("igw not in the input");
    if (found !== undefined && !attachedTo(found, this.c.vpcOf(subnet))) return drop("igw not attached");
    if (!isPublicAddress(destination)) return drop("private destination");
    if (!byNat && family === "IPv4") {
      if (face === undefined && !this.guess("public address of an unknown machine")) return drop("no public address");
      if (face !== undefined && !face.isPublic) return drop("no public address");
    }
    const mode = this.c.blockMode(subnet);
    if (mode === "block-bidirectional" || (mode === "block-ingress" && !byNat)) return drop("public access blocked");
    return PASSES;
  }

  private throughNat(subnet: string, id: string, packet: Packet, trail: Trail, egress: Outcome): Outcome {
    const nat = this.c.list("NatGateways").find((n) => n.NatGatewayId === id);
    const home = textOf(nat?.SubnetId);
    if (nat === undefined || home === undefined) {
      if (!this.guess(`nat ${id}`)) return drop("nat not in the input");
      return this.all(egress, () => this.aclCheck(subnet, packet, true));
    }
    trail.translator = { subnet: home, address: packet.source };
    return this.all(
      egress,
      () => this.cross(subnet, home, packet),
      () => (nat.State === undefined || nat.State === "available" ? PASSES : drop("nat not available")),
      () => {
        const route = this.route(home, packet.destination);
        if (route === undefined || route.State === "blackhole") return drop("no route from the nat");
        const gateway = textOf(route.GatewayId) ?? "";
        if (gateway.startsWith("igw-")) {
          if (nat.ConnectivityType === "private") return drop("private nat");
          return this.throughInternet(home, undefined, gateway, packet.destination, packet.source.family, true);
        }
        if (
          gateway === "local" ||
          textOf(route.NatGatewayId) !== undefined ||
          textOf(route.EgressOnlyInternetGatewayId) !== undefined
        )
          return drop("the nat's route leads nowhere");
        return this.guess(`behind ${JSON.stringify(route)}`) ? PASSES : drop("what lies behind");
      },
      () => this.aclCheck(home, packet, true),
    );
  }

  private throughAppliance(
    from: Party,
    to: Party,
    packet: Packet,
    trail: Trail,
    subnet: string,
    eni: string,
    egress: Outcome,
  ): Outcome {
    const face = this.c.faces().find((f) => f.id === eni);
    if (face === undefined) {
      return this.all(
        egress,
        () => this.aclCheck(subnet, packet, true),
        () => (this.guess(`behind ${eni}`) ? PASSES : drop("what lies behind")),
      );
    }
    const entered = this.all(
      egress,
      () => this.cross(subnet, face.subnet, packet),
      () => this.groups(face, from.face, packet, false, false, packet.source),
      () => (face.checks ? drop("source/destination check") : PASSES),
      () => this.groups(face, to.face, packet, true, false, packet.destination),
    );
    if (to.subnet !== undefined) {
      return this.all(
        entered,
        () => this.cross(face.subnet, to.subnet ?? "", packet),
        () => this.arrive(from, to, packet, false),
      );
    }
    trail.translator = { subnet: face.subnet, address: packet.source };
    return this.all(
      entered,
      () => {
        const route = this.route(face.subnet, packet.destination);
        if (route === undefined || route.State === "blackhole") return drop("no route from the appliance");
        const gateway = textOf(route.GatewayId) ?? "";
        if (gateway.startsWith("igw-"))
          return this.throughInternet(face.subnet, face, gateway, packet.destination, packet.source.family, false);
        return this.guess(`behind ${JSON.stringify(route)}`) ? PASSES : drop("what lies behind");
      },
      () => this.aclCheck(face.subnet, packet, true),
    );
  }

  private throughPeering(from: Party, to: Party, packet: Packet, trail: Trail, subnet: string, id: string): Outcome {
    const peering = this.c.list("VpcPeeringConnections").find((p) => p.VpcPeeringConnectionId === id);
    const sides = [fieldsOf(peering?.RequesterVpcInfo), fieldsOf(peering?.AccepterVpcInfo)];
    const active = fieldsOf(peering?.Status).Code === "active";
    const [near, far] = sides[0]?.VpcId === this.c.vpcOf(subnet) ? sides : [...sides].reverse();
    if (to.subnet === undefined) {
      return this.all(
        this.groups(from.face, to.face, packet, true, false, packet.destination),
        () => this.aclCheck(subnet, packet, true),
        () => {
          if (peering === undefined) return this.guess(`peering ${id}`) ? PASSES : drop("peering not in the input");
          if (!active) return drop("peering not active");
          const cidrs = peerCidrs(this.c, far);
          if (cidrs.length > 0 && !cidrs.some((cidr) => isInside(packet.destination, cidr)))
            return drop("not in the peer");
          return this.guess(`behind ${id}`) ? PASSES : drop("what lies in the peer");
        },
      );
    }
    trail.peering = id;
    const references =
      active && (near?.Region === undefined || far?.Region === undefined || near.Region === far.Region);
    const target = to.subnet;
    return this.all(
      this.groups(from.face, to.face, packet, true, references, packet.destination),
      () => this.aclCheck(subnet, packet, true),
      () => {
        if (peering === undefined) return this.guess(`peering ${id}`) ? PASSES : drop("peering not in the input");
        if (far?.VpcId !== this.c.vpcOf(target) || near?.VpcId !== this.c.vpcOf(subnet)) return drop("not in the peer");
        if (!active) return drop("peering not active");
        const mine = this.c.vpcCidrs(this.c.vpcOf(subnet));
        const theirs = this.c.vpcCidrs(this.c.vpcOf(target));
        return mine.some((a) => theirs.some((b) => !areDisjoint(a, b))) ? drop("overlapping VPCs") : PASSES;
      },
      () => this.aclCheck(target, packet, false),
      () => this.arrive(from, to, packet, references),
    );
  }

  private throughTransit(from: Party, to: Party, packet: Packet, trail: Trail, subnet: string, id: string): Outcome {
    const attachments = this.c
      .list("TransitGatewayVpcAttachments")
      .filter((a) => a.TransitGatewayId === id && (a.State === undefined || a.State === "available"));
    const gateway = this.c.list("TransitGateways").find((g) => g.TransitGatewayId === id);
    const near = attachments.find((a) => a.VpcId === this.c.vpcOf(subnet));
    if (to.subnet === undefined) {
      return this.all(
        this.groups(from.face, to.face, packet, true, false, packet.destination),
        () => this.aclCheck(subnet, packet, true),
        () => (this.guess(`behind ${id}`) ? PASSES : drop("what lies behind")),
      );
    }
    const target = to.subnet;
    const far = attachments.find((a) => a.VpcId === this.c.vpcOf(target));
    const zone = this.c.zoneOf(subnet);
    const door = (a: Fields | undefined): string[] => itemsOf(a?.SubnetIds).flatMap((s) => textOf(s) ?? []);
    const nearDoor = door(near).find((s) => this.c.zoneOf(s) === zone);
    const farDoor = door(far).find((s) => this.c.zoneOf(s) === zone) ?? door(far)[0];
    const supports = (value: unknown, wanted: boolean): boolean => {
      const given = fieldsOf(fieldsOf(value).Options).SecurityGroupReferencingSupport;
      return wanted ? given === "enable" : given !== "disable";
    };
    const references =
      gateway !== undefined &&
      near !== undefined &&
      far !== undefined &&
      supports(gateway, true) &&
      supports(near, false) &&
      supports(far, false);
    trail.transit = { near: nearDoor ?? subnet, far: farDoor ?? target, id };
    return this.all(
      this.groups(from.face, to.face, packet, true, references, packet.destination),
      () => (nearDoor === undefined ? this.aclCheck(subnet, packet, true) : this.cross(subnet, nearDoor, packet)),
      () => (near !== undefined && nearDoor === undefined ? drop("no attachment in the zone") : PASSES),
      () => this.transitRoute(id, near, far, packet.destination),
      () => (farDoor === undefined ? this.aclCheck(target, packet, false) : this.cross(farDoor, target, packet)),
      () => this.arrive(from, to, packet, references),
    );
  }

  private transitRoute(id: string, near: Fields | undefined, far: Fields | undefined, destination: Address): Outcome {
    const tables = this.c
      .list("TransitGatewayRouteTables")
      .filter((t) => t.TransitGatewayId === id)
      .map((t) => textOf(t.TransitGatewayRouteTableId) ?? "");
    const told = tables.filter((t) => this.c.transitRoutes(t).length > 0);
    if (told.length === 0) return this.guess(`routes of ${id}`) ? PASSES : drop("routes of the transit gateway");
    const own = textOf(near?.TransitGatewayAttachmentId);
    const table = told.find((t) => own !== undefined && this.c.transitAssociations(t).includes(own));
    if (table === undefined) return drop("no table is associated");
    const matching = this.c.transitRoutes(table).flatMap((r) => {
      const prefix = parsePrefix(textOf(r.DestinationCidrBlock) ?? "");
      return prefix !== undefined && isInside(destination, prefix) ? [{ r, prefix }] : [];
    });
    const longest = Math.max(-1, ...matching.map((m) => m.prefix.length));
    const best = matching
      .filter((m) => m.prefix.length === longest)
      .sort((a, b) => Number(a.r.Type === "propagated") - Number(b.r.Type === "propagated"))[0];
    if (best === undefined) return drop("no route in the transit gateway");
    if (best.r.State === "blackhole") return drop("blackhole in the transit gateway");
    const leads = itemsOf(best.r.TransitGatewayAttachments).some(
      (a) => far !== undefined && fieldsOf(a).TransitGatewayAttachmentId === far.TransitGatewayAttachmentId,
    );
    return leads ? PASSES : drop("the transit gateway leads elsewhere");
  }

  // ── from outside ──────────────────────────────────────────────────────────────────────────────────────────────────

  private fromOutside(from: Party, to: Party, packet: Packet): Outcome {
    const subnet = to.subnet;
    if (subnet === undefined) return drop("both ends are outside");
    const vpc = this.c.vpcOf(subnet);
    const back = this.route(subnet, packet.source);
    const gateway = textOf(back?.GatewayId) ?? "";
    const entrance = (): Outcome => {
      if (!isPublicAddress(packet.source)) {
        if (back === undefined || back.State === "blackhole") return drop("no way back");
        if (
          gateway === "local" ||
          gateway.startsWith("igw-") ||
          textOf(back.NatGatewayId) !== undefined ||
          textOf(back.EgressOnlyInternetGatewayId) !== undefined
        )
          return drop("no private address comes that way");
        return this.guess(`behind ${JSON.stringify(back)}`) ? PASSES : drop("what lies behind");
      }
      const attached = this.c
        .list("InternetGateways")
        .filter((g) => attachedTo(g, vpc))
        .map((g) => g.InternetGatewayId);
      const balancer =
        to.face?.kind === "balancer"
          ? this.c.list("LoadBalancers").find((b) => b.LoadBalancerArn === to.face?.owner)
          : undefined;
      const classic =
        to.face?.kind === "balancer"
          ? this.c.list("LoadBalancerDescriptions").find((b) => b.LoadBalancerName === to.face?.owner)
          : undefined;
      if (to.face === undefined && !this.guess("whether a machine is reached from outside"))
        return drop("unknown machine");
      if ((balancer ?? classic)?.Scheme === "internal") return drop("internal scheme");
      if (
        balancer === undefined &&
        classic === undefined &&
        to.face !== undefined &&
        packet.source.family === "IPv4" &&
        !to.face.isPublic
      )
        return drop("no public address");
      if (attached.length === 0) return drop("no internet gateway");
      if (this.c.blockMode(subnet) !== "off") return drop("public access blocked");
      const edge = this.edgeRoute(attached, packet.destination);
      if (edge !== undefined && edge.State === "blackhole") return drop("edge table");
      if (edge !== undefined && textOf(edge.GatewayId) !== "local" && !this.guess("edge appliance"))
        return drop("edge appliance");
      if (back === undefined || back.State === "blackhole") return drop("no way back");
      return attached.includes(gateway) ? PASSES : drop("the way back is no internet gateway");
    };
    return this.all(
      entrance(),
      () => this.aclCheck(subnet, packet, false),
      () => this.arrive(from, to, packet, false),
    );
  }

  private edgeRoute(gateways: readonly unknown[], destination: Address): Fields | undefined {
    const table = this.c
      .list("RouteTables")
      .find((t) => itemsOf(t.Associations).some((a) => gateways.includes(fieldsOf(a).GatewayId)));
    return table === undefined ? undefined : this.best(table, destination);
  }

  // ── the reply ─────────────────────────────────────────────────────────────────────────────────────────────────────

  private reply(from: Party, to: Party, packet: Packet, trail: Trail, natPort: number): Outcome {
    const { subnet: source } = from;
    const { subnet: target } = to;
    if (source === undefined) return target === undefined ? PASSES : this.aclCheck(target, packet, true);
    const { translator, transit } = trail;
    if (target === undefined) {
      if (translator === undefined) return this.aclCheck(source, packet, false);
      return this.all(this.aclCheck(translator.subnet, { ...packet, port: natPort }, false), () =>
        this.cross(translator.subnet, source, packet),
      );
    }
    const back = this.route(target, packet.destination);
    const dropped = back === undefined || back.State === "blackhole";
    if (this.c.vpcOf(source) === this.c.vpcOf(target)) {
      const eni = textOf(back?.NetworkInterfaceId);
      const face = eni === undefined ? undefined : this.c.faces().find((f) => f.id === eni);
      if (dropped) return drop("no way back");
      if (face === undefined) return this.cross(target, source, packet);
      return this.all(this.cross(target, face.subnet, packet), () => this.cross(face.subnet, source, packet));
    }
    if (transit !== undefined) {
      const attachments = this.c
        .list("TransitGatewayVpcAttachments")
        .filter((a) => a.TransitGatewayId === transit.id && (a.State === undefined || a.State === "available"));
      const near = attachments.find((a) => a.VpcId === this.c.vpcOf(source));
      const far = attachments.find((a) => a.VpcId === this.c.vpcOf(target));
      return this.all(
        far === undefined ? this.aclCheck(target, packet, true) : this.cross(target, transit.far, packet),
        () => (dropped || back.TransitGatewayId !== transit.id ? drop("no way back") : PASSES),
        () => this.transitRoute(transit.id, far, near, packet.destination),
        () => (near === undefined ? this.aclCheck(source, packet, false) : this.cross(transit.near, source, packet)),
      );
    }
    return this.all(
      this.aclCheck(target, packet, true),
      () =>
        dropped || (trail.peering !== undefined && back.VpcPeeringConnectionId !== trail.peering)
          ? drop("no way back")
          : PASSES,
      () => this.aclCheck(source, packet, false),
    );
  }

  // ── rules ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The union of the rules of all groups; an interface without groups is not filtered (SG-1). */
  groups(
    face: Face | undefined,
    other: Face | undefined,
    packet: Packet,
    egress: boolean,
    references: boolean,
    seen: Address,
    extra: readonly string[] = [],
  ): Outcome {
    if (face === undefined || face.groups.length === 0) return PASSES;
    const theirs = [
      ...(references && other !== undefined && other.addresses.some((a) => sameAddress(a, seen)) ? other.groups : []),
      ...extra,
    ];
    for (const group of face.groups) {
      if (!this.c.hasGroup(group)) {
        if (this.guess(`group ${group} ${egress} ${packet.protocol} ${packet.port}`)) return PASSES;
        continue;
      }
      for (const { rule, peer } of this.c.permissions(group, egress)) {
        if (!carries(rule.protocol, rule.from, rule.to, packet)) continue;
        if (this.peerIs(peer, seen, theirs)) return PASSES;
      }
    }
    return drop(`no rule of ${face.groups.join(", ")}`);
  }

  private peerIs(peer: Fields, seen: Address, theirs: readonly string[]): boolean {
    for (const key of ["CidrIp", "CidrIpv6"]) {
      const prefix = parsePrefix(textOf(peer[key]) ?? "");
      if (prefix !== undefined && isInside(seen, prefix)) return true;
    }
    const list = textOf(peer.PrefixListId);
    if (list !== undefined) return this.c.listHolds(list, seen, this.guess);
    const group = textOf(peer.GroupId);
    if (group === undefined || /^(deleted|rejected|failed|expired|inactive)$/.test(textOf(peer.PeeringStatus) ?? ""))
      return false;
    return theirs.includes(group);
  }

  /** Entries by number, the first that matches decides; the remote side is what the CIDR means (NACL-1, NACL-2). */
  aclCheck(subnet: string, packet: Packet, egress: boolean): Outcome {
    const acl = this.c.acl(subnet);
    const remote = egress ? packet.destination : packet.source;
    const entries = itemsOf(acl.Entries)
      .map(fieldsOf)
      .filter((e) => e.Egress === egress);
    entries.sort((a, b) => (whole(a.RuleNumber) ?? 0) - (whole(b.RuleNumber) ?? 0));
    for (const entry of entries) {
      const prefix = parsePrefix(textOf(entry.CidrBlock) ?? textOf(entry.Ipv6CidrBlock) ?? "");
      if (prefix === undefined || !isInside(remote, prefix)) continue;
      const protocol = numberOf(entry.Protocol);
      const icmp = protocol === 1 || protocol === 58;
      const range = icmp ? fieldsOf(entry.IcmpTypeCode) : fieldsOf(entry.PortRange);
      const [from, to] = icmp ? [whole2(range.Type), whole2(range.Code)] : [whole(range.From), whole(range.To)];
      if (!carries(protocol, from, to, packet)) continue;
      return entry.RuleAction === "allow"
        ? PASSES
        : drop(`${textOf(acl.NetworkAclId) ?? "acl"} ${egress ? "egress" : "ingress"} ${String(entry.RuleNumber)}`);
    }
    return drop(`${textOf(acl.NetworkAclId) ?? "acl"} ${egress ? "egress" : "ingress"} *`);
  }

  /** The longest prefix; equal ones by origin (RT-1). */
  route(subnet: string, destination: Address): Fields | undefined {
    const table = this.c.table(subnet);
    const vpc = this.c.vpcOf(subnet);
    const found = this.best(table, destination);
    if (found !== undefined) return found;
    // The local route is there whether the input lists it or not (RT-2).
    return this.c.vpcCidrs(vpc).some((cidr) => isInside(destination, cidr)) ? { GatewayId: "local" } : undefined;
  }

  private best(table: Fields, destination: Address): Fields | undefined {
    let best: { route: Fields; length: number; rank: number } | undefined;
    for (const route of itemsOf(table.Routes).map(fieldsOf)) {
      if (route.State === "filtered" || this.isRefused(table, route, destination)) continue;
      const length = this.matchLength(route, destination);
      if (length === undefined) continue;
      const rank =
        route.GatewayId === "local"
          ? 0
          : route.Origin === "EnableVgwRoutePropagation"
            ? 3
            : textOf(route.DestinationPrefixListId) === undefined
              ? 1
              : 2;
      if (best === undefined || length > best.length || (length === best.length && rank < best.rank))
        best = { route, length, rank };
    }
    return best?.route;
  }

  /** A route that AWS takes not at all: inside the VPC, but not for a whole subnet or not to a middlebox (RT-2). */
  private isRefused(table: Fields, route: Fields, destination: Address): boolean {
    const vpc = textOf(table.VpcId) ?? "";
    const cidrs = this.c.vpcCidrs(vpc);
    if (route.GatewayId === "local" || !cidrs.some((cidr) => isInside(destination, cidr))) return false;
    if (textOf(route.DestinationPrefixListId) !== undefined) return true;
    const own = parsePrefix(textOf(route.DestinationCidrBlock) ?? textOf(route.DestinationIpv6CidrBlock) ?? "");
    if (own === undefined || !cidrs.some((cidr) => isWithin(own, cidr))) return false;
    const endpoint = this.c.list("VpcEndpoints").find((e) => e.VpcEndpointId === route.GatewayId);
    const middlebox =
      [route.NatGatewayId, route.NetworkInterfaceId].some((id) => textOf(id) !== undefined) ||
      (textOf(route.GatewayId)?.startsWith("vpce-") === true && endpoint?.VpcEndpointType !== "Gateway");
    const whole = this.c
      .list("Subnets")
      .some((s) => s.VpcId === vpc && this.c.subnetCidrs(s).some((cidr) => isWithin(cidr, own) && isWithin(own, cidr)));
    return !middlebox || !whole;
  }

  private matchLength(route: Fields, destination: Address): number | undefined {
    const text = textOf(route.DestinationCidrBlock) ?? textOf(route.DestinationIpv6CidrBlock);
    const list = textOf(route.DestinationPrefixListId);
    if (text !== undefined) return lengthOf(parsePrefix(text), destination);
    if (list === undefined) return undefined;
    const entries = this.c.listEntries(list);
    if (entries === undefined)
      return this.guess(`list ${list} ${destination.family} ${destination.value}`) ? 128 : undefined;
    const lengths = entries.flatMap((e) => lengthOf(e, destination) ?? []);
    return lengths.length === 0 ? undefined : Math.max(...lengths);
  }

  /** Services that nothing filters (NACL-8). */
  private linkLocal(from: Party, to: Party): Outcome | undefined {
    if (to.face !== undefined) return undefined;
    const vpc = from.subnet === undefined ? undefined : this.c.vpcOf(from.subnet);
    const isLink = ["169.254.0.0/16", "fd00:ec2::/32"].some(
      (text) => lengthOf(parsePrefix(text), to.address) !== undefined,
    );
    const resolver =
      vpc !== undefined &&
      this.c
        .vpcCidrs(vpc)
        .some((cidr) => cidr.family === "IPv4" && to.address.family === "IPv4" && to.address.value === cidr.value + 2n);
    const own = to.subnet === undefined ? [] : this.c.subnetCidrs(this.c.subnet(to.subnet));
    const reserved = own.some((cidr) => {
      if (cidr.family !== to.address.family) return false;
      const size = 1n << BigInt((cidr.family === "IPv4" ? 32 : 128) - cidr.length);
      const at = to.address.value - cidr.value;
      return (at >= 0n && at < 4n) || at === size - 1n;
    });
    return isLink || resolver || reserved ? PASSES : undefined;
  }
}

function lengthOf(prefix: Prefix | undefined, address: Address): number | undefined {
  return prefix !== undefined && isInside(address, prefix) ? prefix.length : undefined;
}

function whole2(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}

/** Protocol, ports, or ICMP type and code; for other protocols ports are ignored (SG-3, NACL-6). */
function carries(protocol: number, from: number | undefined, to: number | undefined, packet: Packet): boolean {
  if (protocol === -1) return true;
  if (protocol !== packet.protocol) return false;
  if (protocol === 1 || protocol === 58) return from === undefined || from === -1 || from === packet.port;
  if (protocol !== 6 && protocol !== 17) return true;
  if (from === undefined || from === -1) return true;
  return packet.port !== undefined && from <= packet.port && packet.port <= (to ?? from);
}

/** The ICMP type of the answer; null where none comes; undefined for protocols with ports or without both. */
function replyType(protocol: number, type: number | undefined): number | null | undefined {
  if (protocol === 1) return type === 8 ? 0 : type === 13 ? 14 : null;
  if (protocol === 58) return type === 128 ? 129 : null;
  return undefined;
}

function attachedTo(gateway: Fields, vpc: string): boolean {
  return itemsOf(gateway.Attachments)
    .map(fieldsOf)
    .some((a) => a.VpcId === vpc && (a.State === undefined || a.State === "available" || a.State === "attached"));
}

function peerCidrs(c: Configuration, side: Fields | undefined): readonly Prefix[] {
  const known = c.vpcCidrs(textOf(side?.VpcId) ?? "");
  if (known.length > 0) return known;
  const texts = [side?.CidrBlock, ...itemsOf(side?.CidrBlockSet).map((s) => fieldsOf(s).CidrBlock)];
  return texts.flatMap((text) => parsePrefix(textOf(text) ?? "") ?? []);
}
