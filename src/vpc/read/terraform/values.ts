/** Attributes of a plan's resources: what is known, what is not, and which objects of the model they name. */

import type { Because } from "../../../base/because.ts";
import { known, possible, type Traffic, unknownValue, type Value } from "../../model.ts";
import type { NetworkBuilder } from "../builder.ts";
import { entries, field, list, number, scalar, text, texts } from "../json.ts";
import { protocolNumber, trafficOf, unknownTraffic } from "../values.ts";
import { type Instance, Plan, type Referred, type Resolution } from "./plan.ts";

/** Types of resources by what they are to the model. */
export const T = {
  vpc: ["aws_vpc", "aws_default_vpc"],
  subnet: ["aws_subnet", "aws_default_subnet"],
  group: ["aws_security_group", "aws_default_security_group"],
  acl: ["aws_network_acl", "aws_default_network_acl"],
  table: ["aws_route_table", "aws_default_route_table"],
  igw: ["aws_internet_gateway"],
  eigw: ["aws_egress_only_internet_gateway"],
  nat: ["aws_nat_gateway"],
  balancer: ["aws_lb", "aws_alb", "aws_elb"],
  listener: ["aws_lb_listener", "aws_alb_listener"],
  targetGroup: ["aws_lb_target_group", "aws_alb_target_group"],
  instance: ["aws_instance"],
  eni: ["aws_network_interface"],
  list: ["aws_ec2_managed_prefix_list", "aws_prefix_list"],
  peering: ["aws_vpc_peering_connection", "aws_vpc_peering_connection_accepter"],
  transit: ["aws_ec2_transit_gateway"],
  attachment: ["aws_ec2_transit_gateway_vpc_attachment"],
  transitTable: ["aws_ec2_transit_gateway_route_table"],
  endpoint: ["aws_vpc_endpoint"],
  autoscaling: ["aws_autoscaling_group"],
  template: ["aws_launch_template"],
  eip: ["aws_eip"],
  cluster: ["aws_eks_cluster"],
  vgw: ["aws_vpn_gateway"],
} as const satisfies Record<string, readonly string[]>;

/** Resources by the object that an attribute names, and those of which that is not settled. */
interface Referrers {
  readonly sure: ReadonlyMap<string, readonly Instance[]>;
  readonly open: readonly { readonly instance: Instance; readonly value: Value<string> }[];
}

/** What belongs to every kind of resource: the plan, what is built, and how attributes are read. */
export class TerraformValues {
  readonly plan: Plan;
  readonly b: NetworkBuilder;
  /** The instance of each interface that an instance takes instead of making one. */
  readonly interfaceOwners = new Map<string, string>();
  /** In which ways the rules of each group are managed: inline, and by resources of which kinds. */
  readonly managed = new Map<string, Set<string>>();
  private readonly byReference = new Map<string, Referrers>();

  constructor(plan: Plan, builder: NetworkBuilder) {
    this.plan = plan;
    this.b = builder;
    for (const i of plan.ofTypes(T.instance)) {
      for (const index of list(field(i.values, "network_interface")).keys()) {
        const eni = this.nameValue(i, ["network_interface", index, "network_interface_id"], T.eni);
        if (eni !== undefined) this.interfaceOwners.set(eni, i.address);
      }
    }
  }

  manages(group: string, way: string): void {
    this.managed.set(group, (this.managed.get(group) ?? new Set()).add(way));
  }

  /** Resources of the types whose attribute names the object, and no other, in the order of the plan. */
  referring(types: readonly string[], key: string, wanted: readonly string[], name: string): readonly Instance[] {
    return this.referrers(types, key, wanted).sure.get(name) ?? [];
  }

  /** The same with those of which it cannot be told which object they name. */
  maybeReferring(types: readonly string[], key: string, wanted: readonly string[], name: string): readonly Instance[] {
    const { sure, open } = this.referrers(types, key, wanted);
    const maybe = open.filter(({ value }) => value.kind === "unknown" || possible(value).includes(name));
    return [...(sure.get(name) ?? []), ...maybe.map(({ instance }) => instance)];
  }

  /** Resources by what an attribute of them names; read once for each attribute. */
  private referrers(types: readonly string[], key: string, wanted: readonly string[]): Referrers {
    const index = `${types.join()} ${key} ${wanted.join()}`;
    const known = this.byReference.get(index);
    if (known !== undefined) return known;
    const sure = new Map<string, Instance[]>();
    const open: { readonly instance: Instance; readonly value: Value<string> }[] = [];
    for (const instance of this.plan.ofTypes(types)) {
      const value = this.one(instance, [key], wanted);
      if (value.kind !== "known") open.push({ instance, value });
      else {
        const others = sure.get(value.value);
        if (others === undefined) sure.set(value.value, [instance]);
        else others.push(instance);
      }
    }
    const found = { sure, open };
    this.byReference.set(index, found);
    return found;
  }

  isUnknown(i: Instance, path: readonly (string | number)[]): boolean {
    let at: unknown = i.unknowns;
    for (const step of path) {
      if (at === true) return true;
      at = typeof step === "number" ? list(at)[step] : field(at, step);
    }
    if (at === true) return true;
    return Array.isArray(at) && at.some((one) => one === true);
  }

  has(i: Instance, key: string): boolean {
    const value = field(i.values, key);
    return (value !== undefined && value !== null && value !== "") || this.isUnknown(i, [key]);
  }

  /** Whether the configuration writes the attribute; where there is no configuration, whether it has a value. */
  isWritten(i: Instance, key: string): boolean {
    if (i.expressions !== undefined) return field(i.expressions, key) !== undefined;
    return list(field(i.values, key)).length > 0;
  }

  /**
   * The traffic of a rule whose attributes stand under `path`; not known where protocol or ports are known only after
   * apply. `protocolKey` is the attribute that holds the protocol.
   */
  traffic(i: Instance, block: unknown, path: readonly (string | number)[], protocolKey: string): Traffic {
    const open = [protocolKey, "from_port", "to_port", "icmp_type", "icmp_code"].find(
      (key) =>
        scalar(field(block, key)) === undefined && this.isUnknown(i, [...path, key]) && this.isTold(i, path, key),
    );
    const protocol = protocolNumber(scalar(field(block, protocolKey)) ?? "");
    if (open !== undefined || protocol === undefined) {
      const what = [i.address, ...path, open ?? protocolKey].join(".");
      return unknownTraffic({ code: "unknown-value", detail: what });
    }
    const [from, to] = ["icmp_type", "icmp_code"].map((key) => number(field(block, key)));
    const isIcmp = protocol === 1 || protocol === 58;
    if (isIcmp && from !== undefined) return trafficOf(protocol, from, to ?? -1);
    return trafficOf(protocol, number(field(block, "from_port")), number(field(block, "to_port")));
  }

  /** Whether the input may tell an attribute at all: computed ones that nobody writes are no values of a rule. */
  private isTold(i: Instance, path: readonly (string | number)[], key: string): boolean {
    return path.length > 0 || i.expressions === undefined || this.isWritten(i, key);
  }

  /** What the model calls a resource's attribute; undefined where it is of another kind than wanted (TF-7.4). */
  nameOf({ instance, attribute }: Referred, types: readonly string[]): string | undefined {
    if (types.includes(instance.type)) {
      if (instance.isData) return text(field(instance.values, "id")) ?? text(field(instance.values, "arn"));
      return /^(id|arn|name)?$/.test(attribute) || attribute === "network_acl_id" ? instance.address : undefined;
    }
    const derived: Readonly<Record<string, readonly [readonly string[], string]>> = {
      default_security_group_id: [T.group, "default_security_group"],
      default_network_acl_id: [T.acl, "default_network_acl"],
      default_route_table_id: [T.table, "main_route_table"],
      main_route_table_id: [T.table, "main_route_table"],
      vpc_id: [T.vpc, ""],
      primary_network_interface_id: [T.eni, "eni"],
    };
    if (
      /^vpc_config\[0\]\.cluster_security_group_id$/.test(attribute) &&
      types.some((t) => t === "aws_security_group")
    ) {
      return `${instance.address}#cluster_security_group`;
    }
    const found = derived[attribute];
    if (found === undefined || !found[0].some((t) => types.includes(t))) return undefined;
    if (attribute === "vpc_id") return this.nameValue(instance, ["vpc_id"], T.vpc);
    return found[1] === "eni" ? instance.address : `${instance.address}#${found[1]}`;
  }

  nameValue(i: Instance, path: readonly (string | number)[], types: readonly string[]): string | undefined {
    const value = this.one(i, path, types);
    return value.kind === "known" ? value.value : undefined;
  }

  /** The name of the object that an id means. */
  byId(id: string, types: readonly string[]): string {
    return this.plan.withId(id, types)?.address ?? this.b.canonical(id);
  }

  literal(i: Instance, path: readonly (string | number)[]): unknown {
    let at = i.values;
    for (const step of path) at = typeof step === "number" ? list(at)[step] : field(at, step);
    return at;
  }

  resolution(r: Resolution, types: readonly string[]): Value<readonly string[]> {
    if (r.kind === "unknown") return unknownValue(r.detail);
    const names: string[] = [];
    for (const one of r.referred) {
      const name = this.nameOf(one, types);
      if (name === undefined) return unknownValue(`${one.instance.address}.${one.attribute} is derived`);
      names.push(name);
    }
    if (r.kind === "candidates") {
      const because: Because = { code: "unknown-value", detail: `one of ${names.join(", ")}` };
      return { kind: "oneOf", values: names.map((n) => [n]), because };
    }
    for (const literal of r.literals) for (const id of texts(literal)) names.push(this.byId(id, types));
    return known(names);
  }

  /** One name: an id that is known, or what the expression refers to. */
  one(i: Instance, path: readonly (string | number)[], types: readonly string[]): Value<string> {
    const literal = text(this.literal(i, path));
    if (literal !== undefined) return known(this.byId(literal, types));
    const many = this.resolution(this.plan.resolve(i, path), types);
    if (many.kind === "unknown") return many;
    const values = many.kind === "oneOf" ? many.values.flat() : many.value;
    const [only] = values;
    if (values.length === 1 && only !== undefined) return known(only);
    if (values.length === 0) return unknownValue(`${i.address}.${path.join(".")}`);
    return { kind: "oneOf", values, because: { code: "unknown-value", detail: `${i.address}.${path.join(".")}` } };
  }

  /** Several names; a whole resource in a set means all of its instances (TF-7.3). */
  many(i: Instance, path: readonly (string | number)[], types: readonly string[]): Value<readonly string[]> {
    const literal = this.literal(i, path);
    const given = list(literal);
    if (given.length > 0 && given.every((one) => text(one) !== undefined)) {
      return known(texts(literal).map((id) => this.byId(id, types)));
    }
    if (literal !== undefined && literal !== null && !this.isUnknown(i, path)) return known([]);
    const r = this.resolution(this.plan.resolve(i, path), types);
    return r.kind === "oneOf" ? known(r.values.flat()) : r;
  }

  namesOf(i: Instance, path: readonly string[], types: readonly string[]): readonly string[] {
    const value = this.many(i, path, types);
    if (value.kind === "known" && value.value.length > 0) return value.value;
    const one = this.one(i, path, types);
    return one.kind === "known" ? [one.value] : [];
  }

  tags(i: Instance): ReadonlyMap<string, string> {
    const all = field(i.values, "tags_all");
    const own = entries(field(i.values, "tags"));
    return new Map([...entries(all), ...own].flatMap(([k, v]) => (typeof v === "string" ? [[k, v] as const] : [])));
  }

  string(i: Instance, key: string): string | undefined {
    return text(field(i.values, key));
  }
}

export function onlyName(map: ReadonlyMap<string, unknown>): string | undefined {
  return map.size === 1 ? [...map.keys()][0] : undefined;
}
