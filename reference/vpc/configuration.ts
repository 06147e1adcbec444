/** The answers of `aws … describe-*` as plain values, found when they are asked for (aws-vpc.md 1.2). */

import { type Address, isInside, parseAddress, parsePrefix, parsePrefixOrAddress, type Prefix } from "../addresses.ts";
import { type Fields, fieldsOf, isFields, itemsOf, textOf, textsOf } from "../values.ts";

/** What the input does not tell; the walk is then tried both ways. */
export interface Guess {
  (question: string): boolean;
}

export interface Rule {
  readonly protocol: number;
  readonly from: number | undefined;
  readonly to: number | undefined;
}

export interface Face {
  readonly id: string;
  readonly owner: string;
  readonly subnet: string;
  readonly addresses: readonly Address[];
  readonly isPublic: boolean;
  readonly groups: readonly string[];
  readonly checks: boolean;
  readonly kind: "machine" | "balancer" | "nat";
}

export class Configuration {
  private readonly answers: Fields[] = [];
  private readonly wrapped: Fields[] = [];

  constructor(input: unknown) {
    this.take(input);
  }

  private take(value: unknown): void {
    for (const item of Array.isArray(value) ? value : [value]) {
      if (!isFields(item)) continue;
      const inner = { ...item, ...fieldsOf(item.Response) };
      if (["TargetGroupArn", "PrefixListId", "TransitGatewayRouteTableId"].some((key) => key in item))
        this.wrapped.push(inner);
      else this.answers.push(item);
      for (const [key, below] of Object.entries(item)) if (/(describe|get|search)-/.test(key)) this.take(below);
    }
  }

  list(key: string): readonly Fields[] {
    return this.answers.flatMap((answer) => itemsOf(answer[key])).filter(isFields);
  }

  private wrappedLists(key: string, id: string, list: string): readonly Fields[][] {
    return this.wrapped
      .filter((w) => w[key] === id && Array.isArray(w[list]))
      .map((w) => itemsOf(w[list]).filter(isFields));
  }

  // ── places ────────────────────────────────────────────────────────────────────────────────────────────────────────

  vpc(id: string): Fields {
    return this.list("Vpcs").find((v) => v.VpcId === id) ?? {};
  }

  vpcCidrs(id: string): readonly Prefix[] {
    const vpc = this.vpc(id);
    const four = itemsOf(vpc.CidrBlockAssociationSet)
      .map(fieldsOf)
      .filter((a) => fieldsOf(a.CidrBlockState).State === "associated")
      .map((a) => a.CidrBlock);
    const six = itemsOf(vpc.Ipv6CidrBlockAssociationSet)
      .map(fieldsOf)
      .filter((a) => fieldsOf(a.Ipv6CidrBlockState).State === "associated")
      .map((a) => a.Ipv6CidrBlock);
    const all = four.length > 0 ? [...four, ...six] : [vpc.CidrBlock, ...six];
    return all.flatMap((text) => parsePrefix(textOf(text) ?? "") ?? []);
  }

  subnet(id: string): Fields {
    return this.list("Subnets").find((s) => s.SubnetId === id) ?? {};
  }

  subnetCidrs(subnet: Fields): readonly Prefix[] {
    const six = itemsOf(subnet.Ipv6CidrBlockAssociationSet)
      .map(fieldsOf)
      .map((a) => a.Ipv6CidrBlock);
    return [subnet.CidrBlock, ...six].flatMap((text) => parsePrefix(textOf(text) ?? "") ?? []);
  }

  /** The subnet of a VPC in which an address lies. */
  subnetAt(vpc: string | undefined, address: Address): string | undefined {
    const found = this.list("Subnets").find(
      (s) => (vpc === undefined || s.VpcId === vpc) && this.subnetCidrs(s).some((cidr) => isInside(address, cidr)),
    );
    return textOf(found?.SubnetId);
  }

  vpcOf(subnet: string): string {
    return textOf(this.subnet(subnet).VpcId) ?? "";
  }

  zoneOf(subnet: string): string | undefined {
    return textOf(this.subnet(subnet).AvailabilityZone);
  }

  blockMode(subnet: string): string {
    const own = textOf(fieldsOf(this.subnet(subnet).BlockPublicAccessStates).InternetGatewayBlockMode);
    return (
      own ?? textOf(fieldsOf(this.vpc(this.vpcOf(subnet)).BlockPublicAccessStates).InternetGatewayBlockMode) ?? "off"
    );
  }

  // ── interfaces ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Every interface; that of a NAT gateway may be told by the gateway alone. */
  faces(): readonly Face[] {
    const listed = this.listedFaces();
    const nats = this.list("NatGateways").filter((nat) => !listed.some((f) => f.owner === nat.NatGatewayId));
    return [
      ...listed,
      ...nats.flatMap((nat) =>
        itemsOf(nat.NatGatewayAddresses)
          .map(fieldsOf)
          .map(
            (address): Face => ({
              id: textOf(address.NetworkInterfaceId) ?? "",
              owner: textOf(nat.NatGatewayId) ?? "",
              kind: "nat",
              subnet: textOf(nat.SubnetId) ?? "",
              addresses: [parseAddress(textOf(address.PrivateIp) ?? "")].flatMap((a) => a ?? []),
              isPublic: nat.ConnectivityType !== "private",
              groups: [],
              checks: true,
            }),
          ),
      ),
    ];
  }

  private listedFaces(): readonly Face[] {
    return this.list("NetworkInterfaces").map((eni) => {
      const privates = itemsOf(eni.PrivateIpAddresses).map(fieldsOf);
      const six = itemsOf(eni.Ipv6Addresses).map(fieldsOf);
      const texts = [
        ...privates.map((p) => p.PrivateIpAddress),
        eni.PrivateIpAddress,
        ...six.map((p) => p.Ipv6Address),
      ];
      const publics = [...privates.map((p) => fieldsOf(p.Association).PublicIp), fieldsOf(eni.Association).PublicIp];
      const owner = this.ownerOf(eni);
      return {
        id: textOf(eni.NetworkInterfaceId) ?? "",
        owner: owner.name,
        kind: owner.kind,
        subnet: textOf(eni.SubnetId) ?? "",
        addresses: [...new Set(texts)].flatMap((text) => parseAddress(textOf(text) ?? "") ?? []),
        isPublic: publics.some((p) => textOf(p) !== undefined),
        groups: owner.kind === "nat" ? [] : itemsOf(eni.Groups).flatMap((g) => textOf(fieldsOf(g).GroupId) ?? []),
        checks: eni.SourceDestCheck !== false,
      };
    });
  }

  private ownerOf(eni: Fields): { readonly name: string; readonly kind: Face["kind"] } {
    const id = textOf(eni.NetworkInterfaceId) ?? "";
    const instance = textOf(fieldsOf(eni.Attachment).InstanceId);
    if (instance?.startsWith("i-") === true) return { name: instance, kind: "machine" };
    const text = textOf(eni.Description) ?? "";
    if (text.startsWith("ELB ")) {
      const path = text.slice(4);
      const modern = this.list("LoadBalancers").find(
        (b) => textOf(b.LoadBalancerArn)?.endsWith(`loadbalancer/${path}`) === true,
      );
      const name = textOf(modern?.LoadBalancerArn) ?? path;
      return { name, kind: "balancer" };
    }
    const nat = /NAT Gateway (nat-\w+)/.exec(text)?.[1];
    if (nat !== undefined) return { name: nat, kind: "nat" };
    const endpoint = /Endpoint Interface (vpce-\w+)/.exec(text)?.[1];
    return { name: endpoint ?? id, kind: "machine" };
  }

  // ── rules ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  hasGroup(id: string): boolean {
    return this.list("SecurityGroups").some((g) => g.GroupId === id);
  }

  /** The permissions of a group in a direction, one for each peer (IN-4). */
  permissions(group: string, egress: boolean): readonly { readonly rule: Rule; readonly peer: Fields }[] {
    const found = this.list("SecurityGroups").find((g) => g.GroupId === group);
    return itemsOf(egress ? found?.IpPermissionsEgress : found?.IpPermissions)
      .map(fieldsOf)
      .flatMap((p) => {
        const rule: Rule = { protocol: numberOf(p.IpProtocol), from: whole(p.FromPort), to: whole(p.ToPort) };
        const peers = ["IpRanges", "Ipv6Ranges", "PrefixListIds", "UserIdGroupPairs"].flatMap((key) =>
          itemsOf(p[key]).map(fieldsOf),
        );
        return peers.map((peer) => ({ rule, peer }));
      });
  }

  /** Whether a prefix list holds an address; where its entries are missing, a guess. */
  listHolds(list: string, address: Address, guess: Guess): boolean {
    const entries = this.listEntries(list);
    if (entries === undefined) return guess(`list ${list} ${address.family} ${address.value}`);
    return entries.some((prefix) => isInside(address, prefix));
  }

  listEntries(list: string): readonly Prefix[] | undefined {
    const [found] = this.wrappedLists("PrefixListId", list, "Entries");
    if (found !== undefined) return found.flatMap((e) => parsePrefixOrAddress(textOf(e.Cidr) ?? "") ?? []);
    const plain = this.list("PrefixLists").find((l) => l.PrefixListId === list);
    const cidrs = textsOf(plain?.Cidrs);
    return cidrs.length > 0 ? cidrs.flatMap((c) => parsePrefix(c) ?? []) : undefined;
  }

  /** The ACL of a subnet: associated, else the default of its VPC (IN-3). */
  acl(subnet: string): Fields {
    const all = this.list("NetworkAcls");
    const own = all.find((acl) => itemsOf(acl.Associations).some((a) => fieldsOf(a).SubnetId === subnet));
    return own ?? all.find((acl) => acl.IsDefault === true && acl.VpcId === this.vpcOf(subnet)) ?? OPEN_ACL;
  }

  /** The table of a subnet: associated, else the main one of its VPC. */
  table(subnet: string): Fields {
    const all = this.list("RouteTables");
    const has = (t: Fields, test: (a: Fields) => boolean): boolean => itemsOf(t.Associations).map(fieldsOf).some(test);
    const own = all.find((t) => has(t, (a) => a.SubnetId === subnet));
    return own ?? all.find((t) => t.VpcId === this.vpcOf(subnet) && has(t, (a) => a.Main === true)) ?? {};
  }

  health(group: string): readonly Fields[] | undefined {
    const [found] = this.wrappedLists("TargetGroupArn", group, "TargetHealthDescriptions");
    return found;
  }

  attribute(group: string, key: string): string | undefined {
    const [found] = this.wrappedLists("TargetGroupArn", group, "Attributes");
    return textOf(found?.find((a) => a.Key === key)?.Value);
  }

  transitRoutes(table: string): readonly Fields[] {
    return this.wrappedLists("TransitGatewayRouteTableId", table, "Routes").flat();
  }

  transitAssociations(table: string): readonly string[] {
    return this.wrappedLists("TransitGatewayRouteTableId", table, "Associations")
      .flat()
      .flatMap((a) => textOf(a.TransitGatewayAttachmentId) ?? []);
  }

  /** Every text in the input that is a prefix or a number of a port, for the walk to try what lies on either side. */
  *texts(): Iterable<string> {
    const seen: unknown[] = [...this.answers, ...this.wrapped];
    for (let value = seen.pop(); value !== undefined; value = seen.pop()) {
      if (typeof value === "string") yield value;
      else if (Array.isArray(value)) seen.push(...value);
      else if (isFields(value)) seen.push(...Object.values(value).filter((v) => v !== undefined && v !== null));
    }
  }
}

/** What a VPC has where the input lists no ACL: all allowed (NACL-5). */
const OPEN_ACL: Fields = {
  Entries: [true, false].flatMap((Egress) => [
    { RuleNumber: 100, Egress, Protocol: "-1", RuleAction: "allow", CidrBlock: "0.0.0.0/0" },
    { RuleNumber: 101, Egress, Protocol: "-1", RuleAction: "allow", Ipv6CidrBlock: "::/0" },
  ]),
};

const NAMES: Readonly<Record<string, number>> = { tcp: 6, udp: 17, icmp: 1, icmpv6: 58 };

export function numberOf(value: unknown): number {
  const text = String(value).toLowerCase();
  return NAMES[text] ?? Number(text);
}

export function whole(value: unknown): number | undefined {
  return typeof value === "number"
    ? value
    : typeof value === "string" && /^\d+$/.test(value)
      ? Number(value)
      : undefined;
}
