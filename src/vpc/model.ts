/**
 * One VPC, or several, as plain readonly data: what Terraform plans, CloudFormation templates and `describe-*` answers
 * are read into (aws-vpc.md 1.1). Nothing after reading looks at the form of the input.
 *
 * Objects are named as the input names them: by address (`aws_subnet.a`), logical id, or id (`subnet-…`).
 */

import type { Because } from "../base/because.ts";
import type { Diagnostic } from "../base/diagnostic.ts";
import type { Ternary } from "../base/ternary.ts";
import type { Document, Path } from "../documents/document.ts";
import type { Address, AddressSet, Family, Prefix } from "../net/address.ts";

/** A value of the input: known, one of several, or not known (aws-vpc.md IN-1, TF-7). */
export type Value<T> =
  | { readonly kind: "known"; readonly value: T }
  | { readonly kind: "oneOf"; readonly values: readonly T[]; readonly because: Because }
  | { readonly kind: "unknown"; readonly because: Because };

export function known<T>(value: T): Value<T> {
  return { kind: "known", value };
}

export function unknownValue(detail: string): { readonly kind: "unknown"; readonly because: Because } {
  return { kind: "unknown", because: { code: "unknown-value", detail } };
}

/** Every value that may be meant; none where nothing is known of it. */
export function possible<T>(value: Value<T>): readonly T[] {
  return value.kind === "known" ? [value.value] : value.kind === "oneOf" ? value.values : [];
}

export type Direction = "ingress" | "egress";

/** An IP protocol by number, with ports or ICMP type and code; `-1` is every protocol (aws-vpc.md SG-3, NACL-6). */
export interface Traffic {
  readonly protocol: number;
  /** Inclusive. Ports of TCP and UDP; without meaning for other protocols. */
  readonly first: number;
  readonly last: number;
  /** -1: any. */
  readonly icmpType: number;
  readonly icmpCode: number;
  /** The input does not tell the ports or the protocol. */
  readonly unknown?: Because;
}

/** Who is at the other end of a security group's rule. */
export type Peer =
  | { readonly kind: "addresses"; readonly family: Family; readonly addresses: AddressSet; readonly text: string }
  | { readonly kind: "prefixList"; readonly list: string }
  | { readonly kind: "group"; readonly group: string }
  /** One of these; which one the input does not tell (aws-vpc.md TF-8). */
  | { readonly kind: "oneOf"; readonly peers: readonly Peer[]; readonly because: Because }
  | { readonly kind: "unknown"; readonly because: Because };

export interface GroupRule {
  /** To cite: the address or id of the rule, or `<group>#ingress:tcp/443/0.0.0.0/0` for rules written inline. */
  readonly name: string;
  /** Other names under which the rule is known: its inline form, its description. */
  readonly aliases: readonly string[];
  readonly direction: Direction;
  readonly traffic: Traffic;
  readonly peer: Peer;
  /** The rule names a group of a peering that is gone (aws-vpc.md SG-7); it matches nothing. */
  readonly stale?: true;
  /** Whether the rule is there at all is not settled (aws-vpc.md CF-1, CF-4). */
  readonly unsettled?: Because;
}

export interface SecurityGroup {
  readonly name: string;
  readonly vpc: string | undefined;
  readonly rules: readonly GroupRule[];
  /** There may be more rules than the input tells. */
  readonly moreRules?: Because;
  readonly tags: ReadonlyMap<string, string>;
}

export interface AclEntry {
  readonly number: number;
  readonly direction: Direction;
  readonly action: "allow" | "deny";
  readonly traffic: Traffic;
  /** Undefined where the input does not tell. */
  readonly prefix: Prefix | undefined;
  readonly unsettled?: Because;
}

export interface NetworkAcl {
  readonly name: string;
  readonly vpc: string | undefined;
  readonly isDefault: boolean;
  readonly entries: readonly AclEntry[];
  readonly moreEntries?: Because;
}

export type TargetKind =
  | "local"
  | "internet-gateway"
  | "egress-only-gateway"
  | "nat-gateway"
  | "peering"
  | "transit-gateway"
  | "network-interface"
  | "endpoint"
  | "virtual-gateway"
  | "other";

export interface RouteTarget {
  readonly kind: TargetKind;
  readonly name: string;
}

export type RouteOrigin = "local" | "static" | "propagated";

export interface Route {
  readonly destination:
    | { readonly kind: "prefix"; readonly prefix: Prefix; readonly text: string }
    | { readonly kind: "prefixList"; readonly list: string }
    | { readonly kind: "unknown"; readonly because: Because };
  readonly target: Value<RouteTarget>;
  readonly state: "active" | "blackhole" | "filtered";
  readonly origin: RouteOrigin;
}

/** A route's destination as answers write it. */
export function destinationText(route: Route): string {
  switch (route.destination.kind) {
    case "prefix":
      return route.destination.text;
    case "prefixList":
      return route.destination.list;
    case "unknown":
      return "?";
  }
}

export interface RouteTable {
  readonly name: string;
  readonly vpc: string | undefined;
  readonly routes: readonly Route[];
  readonly moreRoutes?: Because;
  /** Internet or virtual gateways whose inbound traffic it routes (edge association). */
  readonly gateways: readonly string[];
}

export type BlockMode = "off" | "block-bidirectional" | "block-ingress";

export interface Vpc {
  readonly name: string;
  readonly cidrs: readonly Prefix[];
  /** An IPv6 block that Amazon chooses is not known before it is there. */
  readonly unknownIpv6: boolean;
  readonly blockMode: BlockMode;
  readonly mainTable: string;
  readonly defaultAcl: string;
  readonly defaultGroup: string;
  readonly dnsSupport: boolean;
  readonly region: string | undefined;
  readonly tags: ReadonlyMap<string, string>;
}

export interface Subnet {
  readonly name: string;
  readonly vpc: string;
  readonly cidr4: Prefix | undefined;
  readonly cidr6: Prefix | undefined;
  readonly zone: string | undefined;
  readonly table: Value<string>;
  readonly acl: Value<string>;
  readonly mapsPublic: boolean;
  /** Undefined: that of the VPC. */
  readonly blockMode: BlockMode | undefined;
  readonly tags: ReadonlyMap<string, string>;
}

/** What an interface belongs to. */
export type OwnerKind =
  | "instance"
  | "load-balancer"
  | "nat-gateway"
  | "endpoint"
  | "group"
  | "cluster"
  | "interface"
  | "other";

export interface Interface {
  readonly name: string;
  readonly owner: string;
  readonly subnet: Value<string>;
  /** Empty where the input tells none: then it is some address of the subnet. */
  readonly addresses: readonly Address[];
  /** Delegated prefixes. */
  readonly prefixes: readonly Prefix[];
  readonly families: readonly Family[];
  /** Whether it has a public IPv4 address. */
  readonly isPublic: Ternary;
  readonly publicAddresses: readonly Address[];
  /** In their order; the first is cited where none matches (aws-vpc.md 10.4). Undefined: not filtered by any group. */
  readonly groups: Value<readonly string[]> | undefined;
  readonly checksDestination: boolean;
  readonly primary: boolean;
}

export interface Owner {
  readonly name: string;
  /** Other names: the interfaces' ids, an ARN. */
  readonly aliases: readonly string[];
  readonly kind: OwnerKind;
  readonly interfaces: readonly Interface[];
  readonly vpc: string | undefined;
  readonly tags: ReadonlyMap<string, string>;
  /** What to add to answers about it (`instance stopped`, aws-vpc.md IN-6). */
  readonly note?: string;
}

export interface InternetGateway {
  readonly name: string;
  /** VPCs to which it is attached. */
  readonly vpcs: readonly string[];
  readonly egressOnly: boolean;
}

export interface NatGateway {
  readonly name: string;
  readonly subnet: Value<string>;
  readonly isPublic: boolean;
  readonly isAvailable: boolean;
}

export interface PeeringSide {
  readonly vpc: string;
  /** Empty where only the VPC itself tells. */
  readonly cidrs: readonly Prefix[];
  readonly region: string | undefined;
}

export interface Peering {
  readonly name: string;
  readonly isActive: Ternary;
  readonly requester: PeeringSide;
  readonly accepter: PeeringSide;
}

export interface TransitAttachment {
  readonly name: string;
  readonly vpc: string;
  readonly subnets: readonly string[];
  readonly referencesGroups: boolean;
}

export interface TransitRoute {
  readonly prefix: Prefix;
  readonly state: "active" | "blackhole";
  readonly origin: "static" | "propagated";
  readonly attachments: readonly string[];
}

export interface TransitTable {
  readonly name: string;
  readonly attachments: readonly string[];
  readonly routes: readonly TransitRoute[];
}

export interface TransitGateway {
  readonly name: string;
  readonly attachments: readonly TransitAttachment[];
  /** Empty where the input does not tell its routes. */
  readonly tables: readonly TransitTable[];
  readonly referencesGroups: boolean;
}

export interface Endpoint {
  readonly name: string;
  readonly kind: "interface" | "gateway" | "appliance";
  readonly service: string;
}

export interface PrefixList {
  readonly name: string;
  /** Its entries; undefined where the input does not tell. */
  readonly prefixes: readonly Prefix[] | undefined;
}

export type BalancerType = "application" | "network" | "classic" | "gateway";

/** What a listener does with a request. */
export interface ListenerAction {
  /** Target groups with a weight above 0. */
  readonly forwards: readonly string[];
  /** Redirects or answers itself. */
  readonly answers: boolean;
  readonly unknown?: Because;
}

export interface ListenerRule {
  readonly name: string;
  readonly priority: number;
  readonly conditions: readonly ListenerCondition[];
  readonly action: ListenerAction;
}

export interface ListenerCondition {
  /** `host-header`, `path-pattern`, `http-request-method`, `http-header`, `query-string`, `source-ip`. */
  readonly field: string;
  readonly values: readonly string[];
  /** Of `http-header`. */
  readonly header?: string;
}

export interface Listener {
  readonly name: string;
  readonly port: number;
  /** `HTTP`, `HTTPS`, `TCP`, `TLS`, `UDP`, `TCP_UDP`, …; for a classic one also `SSL`. */
  readonly protocol: string;
  readonly rules: readonly ListenerRule[];
  readonly otherwise: ListenerAction;
}

export interface Target {
  /** The owner's name, or an address. */
  readonly id: string;
  readonly port: number | undefined;
}

export interface TargetGroup {
  readonly name: string;
  readonly type: "instance" | "ip" | "lambda" | "alb";
  readonly port: number | undefined;
  readonly protocol: string;
  readonly targets: readonly Target[];
  readonly moreTargets?: Because;
  /** Whether targets see the client's address; undefined: the default of the type (aws-vpc.md LB-7). */
  readonly preservesClient: boolean | undefined;
  /** Undefined: the traffic port. */
  readonly healthPort: number | undefined;
}

export interface LoadBalancer {
  readonly name: string;
  readonly type: BalancerType;
  readonly internal: Ternary;
  readonly subnets: readonly string[];
  readonly listeners: readonly Listener[];
  /** Whether groups filter traffic that comes by PrivateLink (aws-vpc.md LB-6). */
  readonly filtersPrivateLink: boolean;
}

/** Something that bears on traffic and is not read. */
export interface Unread {
  readonly name: string;
  readonly type: string;
  /** VPCs and subnets that it touches; empty: it cannot be told, so everything. */
  readonly touches: readonly string[];
  /** Whether it may narrow traffic between others; else it is only an end that is not known. */
  readonly narrows: boolean;
}

/** Where something stands in the input. */
export interface Spot {
  readonly document: Document;
  readonly path: Path;
}

/** Everything of the input. */
export interface Network {
  readonly vpcs: ReadonlyMap<string, Vpc>;
  readonly subnets: ReadonlyMap<string, Subnet>;
  readonly tables: ReadonlyMap<string, RouteTable>;
  readonly acls: ReadonlyMap<string, NetworkAcl>;
  readonly groups: ReadonlyMap<string, SecurityGroup>;
  readonly owners: ReadonlyMap<string, Owner>;
  readonly gateways: ReadonlyMap<string, InternetGateway>;
  readonly nats: ReadonlyMap<string, NatGateway>;
  readonly peerings: ReadonlyMap<string, Peering>;
  readonly transits: ReadonlyMap<string, TransitGateway>;
  readonly endpoints: ReadonlyMap<string, Endpoint>;
  readonly prefixLists: ReadonlyMap<string, PrefixList>;
  readonly balancers: ReadonlyMap<string, LoadBalancer>;
  readonly targetGroups: ReadonlyMap<string, TargetGroup>;
  readonly unread: readonly Unread[];
  /** Other names of objects. */
  readonly aliases: ReadonlyMap<string, string>;
  readonly diagnostics: readonly Diagnostic[];
  /**
   * Where what answers cite stands: a rule, an entry of an ACL, a route, an object; of a default that nobody wrote the
   * object to which it belongs. Undefined for what the input does not write.
   */
  spotOf(cited: string): Spot | undefined;
}
