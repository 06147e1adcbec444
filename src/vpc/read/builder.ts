/**
 * Gathers what a reader finds and completes it as AWS does: the objects that come with every VPC (aws-vpc.md SG-9,
 * NACL-5, RT-2), the table and ACL of each subnet (IN-3), the interfaces of load balancers and gateways.
 */

import type { Because } from "../../base/because.ts";
import { type Code, type Diagnostic, diagnostic } from "../../base/diagnostic.ts";
import type { Ternary } from "../../base/ternary.ts";
import {
  type Address,
  addressSet,
  type Family,
  formatPrefix,
  parsePrefix,
  type Prefix,
  prefixRange,
} from "../../net/address.ts";
import {
  type AclEntry,
  type BlockMode,
  destinationText,
  type Direction,
  type Endpoint,
  type GroupRule,
  type Interface,
  type InternetGateway,
  known,
  type Listener,
  type LoadBalancer,
  type NatGateway,
  type Network,
  type NetworkAcl,
  type Owner,
  type OwnerKind,
  type Peer,
  type Peering,
  possible,
  type PrefixList,
  type Route,
  type RouteTable,
  type Spot,
  type SecurityGroup,
  type Subnet,
  type Target,
  type TargetGroup,
  type Traffic,
  type TransitGateway,
  type Unread,
  unknownValue,
  type Value,
  type Vpc,
} from "../model.ts";
import type { Positions } from "./positions.ts";
import { ALL_TRAFFIC, trafficText, WORLD } from "./values.ts";

interface VpcDraft {
  readonly name: string;
  readonly cidrs: readonly string[];
  readonly unknownIpv6?: boolean;
  readonly blockMode?: BlockMode;
  readonly dnsSupport?: boolean;
  readonly region?: string;
  readonly tags?: ReadonlyMap<string, string>;
  /** Objects of the VPC that the input names itself; the others are made. */
  mainTable?: string;
  defaultAcl?: string;
  defaultGroup?: string;
}

interface SubnetDraft {
  readonly name: string;
  readonly vpc: Value<string>;
  readonly cidr4?: string;
  readonly cidr6?: string;
  readonly zone?: string;
  readonly mapsPublic?: boolean;
  readonly blockMode?: BlockMode;
  readonly tags?: ReadonlyMap<string, string>;
}

interface GroupDraft {
  readonly name: string;
  vpc: string | undefined;
  readonly rules: GroupRule[];
  moreRules?: Because;
  readonly tags: ReadonlyMap<string, string>;
}

interface AclDraft {
  readonly name: string;
  vpc: string | undefined;
  readonly entries: AclEntry[];
  moreEntries?: Because;
}

interface TableDraft {
  readonly name: string;
  vpc: string | undefined;
  readonly routes: Route[];
  moreRoutes?: Because;
  readonly gateways: string[];
}

interface InterfaceDraft {
  readonly name: string;
  readonly subnet: Value<string>;
  readonly addresses?: readonly Address[];
  readonly prefixes?: readonly Prefix[];
  /** Whether it has addresses of IPv6 though none is told. */
  readonly hasIpv6?: boolean;
  /** Undefined: as the subnet's setting for new instances says. */
  readonly isPublic?: Ternary;
  readonly publicAddresses?: readonly Address[];
  /** Undefined: the default group of the VPC (aws-vpc.md SG-9); `none`: no groups at all. */
  readonly groups?: Value<readonly string[]> | "none";
  readonly checksDestination?: boolean;
  readonly primary?: boolean;
}

interface OwnerDraft {
  readonly name: string;
  readonly kind: OwnerKind;
  readonly aliases: string[];
  readonly interfaces: InterfaceDraft[];
  readonly tags: ReadonlyMap<string, string>;
  readonly note?: string;
}

interface BalancerDraft {
  readonly name: string;
  readonly type: LoadBalancer["type"];
  readonly internal: Ternary;
  readonly subnets: readonly string[];
  readonly listeners: Listener[];
  readonly filtersPrivateLink: boolean;
}

export class NetworkBuilder {
  readonly vpcs = new Map<string, VpcDraft>();
  readonly subnets = new Map<string, SubnetDraft>();
  readonly groups = new Map<string, GroupDraft>();
  readonly acls = new Map<string, AclDraft>();
  readonly tables = new Map<string, TableDraft>();
  readonly owners = new Map<string, OwnerDraft>();
  readonly gateways = new Map<string, InternetGateway>();
  readonly nats = new Map<string, NatGateway>();
  readonly peerings = new Map<string, Peering>();
  readonly transits = new Map<string, TransitGateway>();
  readonly endpoints = new Map<string, Endpoint>();
  readonly prefixLists = new Map<string, PrefixList>();
  readonly balancers = new Map<string, BalancerDraft>();
  readonly targetGroups = new Map<string, TargetGroup & { readonly targets: Target[] }>();
  readonly unread: Unread[] = [];
  readonly diagnostics: Diagnostic[] = [];
  private readonly reported = new Set<string>();
  private readonly ruleKeys = new Set<string>();
  private readonly aliases = new Map<string, string>();
  /** What each subnet is associated with explicitly; several are a conflict (aws-vpc.md CF-6). */
  private readonly subnetTables = new Map<string, Value<string>[]>();
  private readonly subnetAcls = new Map<string, Value<string>[]>();
  private readonly externals = new Map<string, { readonly what: string; readonly by: unknown }>();
  /** The values of the input from which what answers cite was read. */
  private readonly written = new Map<string, unknown>();
  private readonly file: string;
  private readonly positions: Positions | undefined;

  constructor(file: string, positions?: Positions) {
    this.file = file;
    this.positions = positions;
  }

  /** `at` is the value of the input that the message is about. */
  report(code: Code, message: string, at?: unknown): void {
    if (this.reported.has(`${code} ${message}`)) return;
    this.reported.add(`${code} ${message}`);
    const spot = this.positions?.of(at);
    const place = spot === undefined ? { file: this.file } : spot.document.locate(spot.path);
    this.diagnostics.push(diagnostic(code, message, place));
  }

  /** Notes the value of the input that a name of answers stands for; the first is kept. */
  place(name: string, value: unknown): void {
    if (value !== undefined && !this.written.has(name)) this.written.set(name, value);
  }

  private spotOf(cited: string): Spot | undefined {
    for (let name = cited; name !== ""; name = name.slice(0, Math.max(0, name.lastIndexOf("#")))) {
      const value = this.written.get(name) ?? this.written.get(this.canonical(name));
      const spot = value === undefined ? undefined : this.positions?.of(value);
      if (spot !== undefined) return spot;
    }
    return undefined;
  }

  /** Makes one name mean another. */
  alias(other: string, name: string): void {
    if (other !== name) this.aliases.set(other, name);
  }

  /** The name under which an object is known. */
  canonical(name: string): string {
    let at = name;
    for (let i = 0; i < 8; i++) {
      const next = this.aliases.get(at);
      if (next === undefined) return at;
      at = next;
    }
    return at;
  }

  /** Notes an object that is referenced, by the value `by`, and absent; said once for each (aws-vpc.md IN-2). */
  external(name: string, what: string, by?: unknown): void {
    if (!this.externals.has(name)) this.externals.set(name, { what, by });
  }

  group(name: string, vpc: string | undefined, tags: ReadonlyMap<string, string> = new Map()): GroupDraft {
    const found = this.groups.get(name);
    if (found !== undefined) return found;
    const made: GroupDraft = { name, vpc, rules: [], tags };
    this.groups.set(name, made);
    return made;
  }

  acl(name: string, vpc: string | undefined): AclDraft {
    const found = this.acls.get(name);
    if (found !== undefined) return found;
    const made: AclDraft = { name, vpc, entries: [] };
    this.acls.set(name, made);
    return made;
  }

  table(name: string, vpc: string | undefined): TableDraft {
    const found = this.tables.get(name);
    if (found !== undefined) return found;
    const made: TableDraft = { name, vpc, routes: [], gateways: [] };
    this.tables.set(name, made);
    return made;
  }

  owner(name: string, kind: OwnerKind, tags: ReadonlyMap<string, string> = new Map(), note?: string): OwnerDraft {
    const found = this.owners.get(name);
    if (found !== undefined) return found;
    const made: OwnerDraft = { name, kind, aliases: [], interfaces: [], tags, ...(note === undefined ? {} : { note }) };
    this.owners.set(name, made);
    return made;
  }

  /** Splits a rule into one for each peer, leaving out what is there already (aws-vpc.md IN-4). */
  addRules(
    group: GroupDraft,
    direction: Direction,
    traffic: Traffic,
    peers: readonly Peer[],
    options: {
      readonly name?: string;
      readonly aliases?: readonly string[];
      readonly stale?: true;
      readonly unsettled?: Because;
      /** The value of the input that writes the rule. */
      readonly at?: unknown;
    } = {},
  ): void {
    for (const peer of peers) {
      const inline = `${group.name}#${direction}:${inlineText(traffic)}/${this.peerText(peer)}`;
      const name = options.name ?? inline;
      const key = `${group.name}\n${name}\n${inline}`;
      if (this.ruleKeys.has(key)) continue;
      this.ruleKeys.add(key);
      this.place(name, options.at);
      group.rules.push({
        name,
        aliases: [inline, ...(options.aliases ?? [])],
        direction,
        traffic,
        peer,
        ...(options.stale === undefined ? {} : { stale: options.stale }),
        ...(options.unsettled === undefined ? {} : { unsettled: options.unsettled }),
      });
    }
  }

  /** Adds an entry that the value `at` of the input writes. */
  addEntry(acl: AclDraft, entry: AclEntry, at: unknown): void {
    acl.entries.push(entry);
    this.place(`${acl.name}#${entry.direction}:${entry.number}`, at);
  }

  /** Adds a route that the value `at` of the input writes. */
  addRoute(table: TableDraft, route: Route, at: unknown): void {
    table.routes.push(route);
    const names = route.state === "blackhole" ? ["blackhole"] : possible(route.target).map((target) => target.name);
    for (const name of names) this.place(`${table.name}#${destinationText(route)}->${name}`, at);
  }

  private peerText(peer: Peer): string {
    switch (peer.kind) {
      case "addresses":
        return peer.text;
      case "prefixList":
        return peer.list;
      case "group":
        return peer.group;
      case "oneOf":
        return peer.peers.map((one) => this.peerText(one)).join("|");
      case "unknown":
        return "?";
    }
  }

  /** What AWS writes into a group made through its API: egress to everywhere (aws-vpc.md SG-9). */
  addDefaultEgress(group: GroupDraft, unsettled?: Because): void {
    const peers = (["IPv4", "IPv6"] as const).map((family) => addressPeer(WORLD[family]));
    this.addRules(group, "egress", ALL_TRAFFIC, peers, unsettled === undefined ? {} : { unsettled });
  }

  associateTable(subnet: string, table: Value<string>): void {
    this.subnetTables.set(subnet, [...(this.subnetTables.get(subnet) ?? []), table]);
  }

  associateAcl(subnet: string, acl: Value<string>): void {
    this.subnetAcls.set(subnet, [...(this.subnetAcls.get(subnet) ?? []), acl]);
  }

  finish(): Network {
    for (const draft of this.vpcs.values()) this.completeVpc(draft);
    this.addExternals();
    const vpcs = new Map([...this.vpcs].map(([name, draft]) => [name, vpcOf(draft)] as const));
    const subnets = this.finishSubnets(vpcs);
    const tables = new Map(
      [...this.tables].map(([name, draft]) => [name, { ...draft, routes: this.withLocal(draft) }] as const),
    );
    const acls = new Map(
      [...this.acls].map(([name, draft]): readonly [string, NetworkAcl] => [
        name,
        {
          ...draft,
          isDefault: [...this.vpcs.values()].some((v) => v.defaultAcl === name),
          entries: draft.entries.toSorted((a, b) => a.number - b.number),
        },
      ]),
    );
    const owners = this.finishOwners(subnets, vpcs);
    for (const [name, { what, by }] of this.externals) this.report("BH400", `${what} ${name} is not in the input`, by);
    for (const one of this.unread) {
      this.report("BH401", `${one.name} (${one.type}) bears on traffic and is not read`, this.written.get(one.name));
    }
    const groups = new Map<string, SecurityGroup>(this.groups);
    return {
      vpcs,
      subnets,
      tables: new Map<string, RouteTable>(tables),
      acls,
      groups,
      owners,
      gateways: this.gateways,
      nats: this.nats,
      peerings: this.peerings,
      transits: this.transits,
      endpoints: this.endpoints,
      prefixLists: this.prefixLists,
      balancers: this.balancers,
      targetGroups: this.targetGroups,
      unread: this.unread,
      aliases: this.aliases,
      diagnostics: this.diagnostics,
      spotOf: (cited) => this.spotOf(cited),
    };
  }

  /** Makes the main route table, the default ACL and the default group where the input names none. */
  private completeVpc(draft: VpcDraft): void {
    // Without its blocks nobody knows what is local.
    if (draft.cidrs.length === 0) {
      const because: Because = { code: "unknown-value", detail: `CIDR blocks of ${draft.name}` };
      for (const table of this.tables.values()) if (table.vpc === draft.name) table.moreRoutes ??= because;
      if (draft.mainTable === undefined) this.table(`${draft.name}#main_route_table`, draft.name).moreRoutes = because;
    }
    if (draft.mainTable === undefined) {
      draft.mainTable = `${draft.name}#main_route_table`;
      this.table(draft.mainTable, draft.name);
    }
    if (draft.defaultAcl === undefined) {
      draft.defaultAcl = `${draft.name}#default_network_acl`;
      const acl = this.acl(draft.defaultAcl, draft.name);
      acl.entries.push(...allowAllEntries());
    }
    if (draft.defaultGroup === undefined) {
      draft.defaultGroup = `${draft.name}#default_security_group`;
      const group = this.group(draft.defaultGroup, draft.name);
      this.addRules(group, "ingress", ALL_TRAFFIC, [{ kind: "group", group: group.name }]);
      this.addDefaultEgress(group);
    }
    this.alias(`${draft.name}#main_route_table`, draft.mainTable);
    this.alias(`${draft.name}#default_network_acl`, draft.defaultAcl);
    this.alias(`${draft.name}#default_security_group`, draft.defaultGroup);
  }

  /** Notes what rules and routes name and the input does not have. */
  private addExternals(): void {
    for (const group of this.groups.values()) {
      for (const rule of group.rules) this.addExternalPeer(rule.peer, this.written.get(rule.name));
    }
    for (const table of this.tables.values()) {
      for (const route of table.routes) {
        if (route.destination.kind === "prefixList")
          this.addExternalList(route.destination.list, this.written.get(table.name));
      }
    }
  }

  private addExternalPeer(peer: Peer, by: unknown): void {
    if (peer.kind === "oneOf") for (const one of peer.peers) this.addExternalPeer(one, by);
    if (peer.kind === "prefixList") this.addExternalList(peer.list, by);
    if (peer.kind === "group" && !this.groups.has(this.canonical(peer.group))) {
      this.external(peer.group, "security group", by);
    }
  }

  private addExternalList(list: string, by: unknown): void {
    if (this.prefixLists.has(list)) return;
    this.prefixLists.set(list, { name: list, prefixes: undefined });
    this.external(list, "prefix list", by);
  }

  private withLocal(draft: TableDraft): readonly Route[] {
    const vpc = draft.vpc === undefined ? undefined : this.vpcs.get(draft.vpc);
    const local = (vpc?.cidrs ?? []).flatMap((text): Route[] => {
      const prefix = parsePrefix(text);
      const isThere = draft.routes.some(
        (r) =>
          r.destination.kind === "prefix" &&
          prefix !== undefined &&
          formatPrefix(r.destination.prefix) === formatPrefix(prefix),
      );
      if (prefix === undefined || isThere) return [];
      return [
        {
          destination: { kind: "prefix", prefix, text: formatPrefix(prefix) },
          target: known({ kind: "local", name: "local" }),
          state: "active",
          origin: "local",
        },
      ];
    });
    return [...local, ...draft.routes];
  }

  private finishSubnets(vpcs: ReadonlyMap<string, Vpc>): Map<string, Subnet> {
    const out = new Map<string, Subnet>();
    for (const draft of this.subnets.values()) {
      const [vpcName = onlyKey(this.vpcs) ?? "", other] = possible(draft.vpc);
      const vpc = other === undefined ? vpcs.get(vpcName) : undefined;
      const choose = (
        list: readonly Value<string>[] | undefined,
        main: string | undefined,
        what: string,
      ): Value<string> => {
        const given = list ?? [];
        const names = new Set(given.flatMap((v) => (v.kind === "known" ? [v.value] : [])));
        if (names.size > 1) {
          const message = `${draft.name} is associated with several ${what}: ${[...names].join(", ")}`;
          this.report("BH402", message, this.written.get(draft.name));
          const because: Because = { code: "conflict", detail: `${draft.name} has several ${what}` };
          return { kind: "oneOf", values: [...names], because };
        }
        const [first] = given;
        if (first !== undefined) return first;
        return main === undefined ? unknownValue(`the ${what} of ${draft.name}`) : known(main);
      };
      const cidr4 = draft.cidr4 === undefined ? undefined : parsePrefix(draft.cidr4);
      const cidr6 = draft.cidr6 === undefined ? undefined : parsePrefix(draft.cidr6);
      out.set(draft.name, {
        name: draft.name,
        vpc: vpcName,
        cidr4,
        cidr6,
        zone: draft.zone,
        table: choose(this.subnetTables.get(draft.name), vpc?.mainTable, "route tables"),
        acl: choose(this.subnetAcls.get(draft.name), vpc?.defaultAcl, "network ACLs"),
        mapsPublic: draft.mapsPublic ?? false,
        blockMode: draft.blockMode,
        tags: draft.tags ?? new Map(),
      });
    }
    return out;
  }

  private finishOwners(subnets: ReadonlyMap<string, Subnet>, vpcs: ReadonlyMap<string, Vpc>): Map<string, Owner> {
    const out = new Map<string, Owner>();
    for (const draft of this.owners.values()) {
      const interfaces = draft.interfaces.map((one) => interfaceOf(one, draft.name, subnets, vpcs));
      const first = interfaces[0];
      const subnet = first === undefined ? undefined : subnets.get(possible(first.subnet)[0] ?? "");
      for (const alias of draft.aliases) this.alias(alias, draft.name);
      out.set(draft.name, { ...draft, interfaces, vpc: subnet?.vpc });
    }
    return out;
  }
}

function interfaceOf(
  draft: InterfaceDraft,
  owner: string,
  subnets: ReadonlyMap<string, Subnet>,
  vpcs: ReadonlyMap<string, Vpc>,
): Interface {
  const subnet = subnets.get(possible(draft.subnet)[0] ?? "");
  const addresses = draft.addresses ?? [];
  const has = (family: Family): boolean => addresses.some((a) => a.family === family);
  const families: Family[] = [];
  if (has("IPv4") || !has("IPv6") || subnet?.cidr4 !== undefined) families.push("IPv4");
  if (has("IPv6") || draft.hasIpv6 === true) families.push("IPv6");
  const vpc = subnet === undefined ? undefined : vpcs.get(subnet.vpc);
  const byDefault: Value<readonly string[]> =
    vpc === undefined ? unknownValue(`the default group of ${owner}`) : known([vpc.defaultGroup]);
  const groups = draft.groups === "none" ? undefined : (draft.groups ?? byDefault);
  return {
    name: draft.name,
    owner,
    subnet: draft.subnet,
    addresses,
    prefixes: draft.prefixes ?? [],
    families,
    isPublic: draft.isPublic ?? (subnet?.mapsPublic === true ? "yes" : "no"),
    publicAddresses: draft.publicAddresses ?? [],
    groups,
    checksDestination: draft.checksDestination ?? true,
    primary: draft.primary ?? true,
  };
}

function vpcOf(draft: VpcDraft): Vpc {
  return {
    name: draft.name,
    cidrs: draft.cidrs.flatMap((text) => parsePrefix(text) ?? []),
    unknownIpv6: draft.unknownIpv6 ?? false,
    blockMode: draft.blockMode ?? "off",
    mainTable: draft.mainTable ?? "",
    defaultAcl: draft.defaultAcl ?? "",
    defaultGroup: draft.defaultGroup ?? "",
    dnsSupport: draft.dnsSupport ?? true,
    region: draft.region,
    tags: draft.tags ?? new Map(),
  };
}

function onlyKey(map: ReadonlyMap<string, unknown>): string | undefined {
  return map.size === 1 ? [...map.keys()][0] : undefined;
}

/** The entries with which a default ACL begins (aws-vpc.md NACL-5). */
export function allowAllEntries(): AclEntry[] {
  return (["ingress", "egress"] as const).flatMap((direction) =>
    (["IPv4", "IPv6"] as const).map(
      (family, i): AclEntry => ({
        number: 100 + i,
        direction,
        action: "allow",
        traffic: ALL_TRAFFIC,
        prefix: parsePrefix(WORLD[family]),
      }),
    ),
  );
}

/** A peer by prefix. */
export function addressPeer(text: string): Peer {
  const prefix = parsePrefix(text);
  if (prefix === undefined) return { kind: "unknown", because: { code: "unknown-value", detail: text } };
  return {
    kind: "addresses",
    family: prefix.family,
    addresses: addressSet([prefixRange(prefix)]),
    text: formatPrefix(prefix),
  };
}

function inlineText(traffic: Traffic): string {
  return trafficText(traffic);
}
