/** Whatever has interfaces, as AWS answers. */

import { known, type OwnerKind } from "../../model.ts";
import type { NetworkBuilder } from "../builder.ts";
import { field, list, number, text, texts, truth } from "../json.ts";
import { addressList, prefixOf } from "../values.ts";
import { type DescribeAnswers, tagsOf } from "./answers.ts";

export function readInterfaces(d: DescribeAnswers): void {
  const instances = new Map<string, unknown>();
  for (const reservation of d.all("Reservations")) {
    for (const one of list(field(reservation, "Instances"))) {
      const id = text(field(one, "InstanceId"));
      if (id !== undefined) instances.set(id, one);
    }
  }
  const balancers = new Map<string, string>();
  for (const one of d.all("LoadBalancers")) {
    const arn = text(field(one, "LoadBalancerArn"));
    const path = arn?.split(":loadbalancer/")[1];
    if (arn !== undefined && path !== undefined) balancers.set(`ELB ${path}`, arn);
  }
  for (const one of d.all("LoadBalancerDescriptions")) {
    const name = text(field(one, "LoadBalancerName"));
    if (name !== undefined) balancers.set(`ELB ${name}`, name);
  }
  for (const one of d.all("NetworkInterfaces")) {
    const name = text(field(one, "NetworkInterfaceId"));
    if (name === undefined) continue;
    d.b.place(name, one);
    const { owner, kind } = ownerOf(one, name, balancers);
    const instance = instances.get(owner);
    const state = text(field(instance, "State", "Name"));
    const tags = tagsOf(field(instance, "Tags") ?? field(one, "TagSet"));
    const note = state === "stopped" ? "instance stopped" : undefined;
    d.b.place(owner, instance ?? one);
    const draft = d.b.owner(owner, kind, tags, note);
    if (owner !== name) draft.aliases.push(name);
    draft.interfaces.push(
      interfaceOf(one, name, kind === "nat-gateway", number(field(one, "Attachment", "DeviceIndex")) ?? 0),
    );
  }
}

function interfaceOf(
  one: unknown,
  name: string,
  isNat: boolean,
  index: number,
): Parameters<ReturnType<NetworkBuilder["owner"]>["interfaces"]["push"]>[0] {
  const privates = list(field(one, "PrivateIpAddresses"));
  const publics = [
    ...privates.map((p) => field(p, "Association", "PublicIp")),
    field(one, "Association", "PublicIp"),
    field(one, "PublicIp"),
  ];
  const publicAddresses = addressList(publics.flatMap((p) => texts(p)));
  const groups = list(field(one, "Groups")).flatMap((g) => texts(field(g, "GroupId")));
  return {
    name,
    subnet: known(text(field(one, "SubnetId")) ?? ""),
    addresses: addressList([
      ...texts(field(one, "PrivateIpAddress")),
      ...privates.flatMap((p) => texts(field(p, "PrivateIpAddress"))),
      ...list(field(one, "Ipv6Addresses")).flatMap((p) => texts(field(p, "Ipv6Address"))),
    ]),
    prefixes: [
      ...list(field(one, "Ipv4Prefixes")).flatMap((p) => texts(field(p, "Ipv4Prefix"))),
      ...list(field(one, "Ipv6Prefixes")).flatMap((p) => texts(field(p, "Ipv6Prefix"))),
    ].flatMap((p) => prefixOf(p) ?? []),
    isPublic: publicAddresses.length > 0 ? "yes" : "no",
    publicAddresses,
    groups: isNat || groups.length === 0 ? "none" : known(groups),
    checksDestination: truth(field(one, "SourceDestCheck")) ?? true,
    primary: index === 0,
  };
}

/** Whose an interface is: by its attachment, else by type and description (aws-vpc.md IN-5). */
function ownerOf(
  one: unknown,
  name: string,
  balancers: ReadonlyMap<string, string>,
): { readonly owner: string; readonly kind: OwnerKind } {
  const instance = text(field(one, "Attachment", "InstanceId"));
  if (instance?.startsWith("i-") === true) return { owner: instance, kind: "instance" };
  const description = text(field(one, "Description")) ?? "";
  const balancer = balancers.get(description);
  if (balancer !== undefined) return { owner: balancer, kind: "load-balancer" };
  const nat = /^Interface for NAT Gateway (nat-[0-9a-f]+)/.exec(description)?.[1];
  if (nat !== undefined) return { owner: nat, kind: "nat-gateway" };
  const endpoint = /^VPC Endpoint Interface (vpce-[0-9a-f]+)/.exec(description)?.[1];
  if (endpoint !== undefined) return { owner: endpoint, kind: "endpoint" };
  const cluster = /^Amazon EKS (\S+)/.exec(description)?.[1];
  if (cluster !== undefined) return { owner: cluster, kind: "cluster" };
  const cni = /^aws-K8S-(i-[0-9a-f]+)/.exec(description)?.[1];
  if (cni !== undefined) return { owner: cni, kind: "instance" };
  return { owner: name, kind: text(field(one, "InterfaceType")) === "nat_gateway" ? "nat-gateway" : "interface" };
}

/** Instances whose interfaces the input tells only here. */
export function readInstances(d: DescribeAnswers): void {
  for (const reservation of d.all("Reservations")) {
    for (const one of list(field(reservation, "Instances"))) {
      const name = text(field(one, "InstanceId"));
      const state = text(field(one, "State", "Name"));
      if (name === undefined || state === "terminated" || d.b.owners.has(name)) continue;
      d.b.place(name, one);
      const owner = d.b.owner(
        name,
        "instance",
        tagsOf(field(one, "Tags")),
        state === "stopped" ? "instance stopped" : undefined,
      );
      const inner = list(field(one, "NetworkInterfaces"));
      for (const [index, eni] of inner.entries()) {
        const id = text(field(eni, "NetworkInterfaceId")) ?? `${name}#eni-${index}`;
        owner.aliases.push(id);
        owner.interfaces.push(interfaceOf(eni, id, false, index));
      }
      if (inner.length > 0) continue;
      const groups = list(field(one, "SecurityGroups")).flatMap((g) => texts(field(g, "GroupId")));
      const publicAddresses = addressList(texts(field(one, "PublicIpAddress")));
      owner.interfaces.push({
        name: `${name}#eni`,
        subnet: known(text(field(one, "SubnetId")) ?? ""),
        addresses: addressList(texts(field(one, "PrivateIpAddress"))),
        isPublic: publicAddresses.length > 0 ? "yes" : "no",
        publicAddresses,
        groups: known(groups),
        checksDestination: truth(field(one, "SourceDestCheck")) ?? true,
      });
    }
  }
}

export function readNats(d: DescribeAnswers): void {
  for (const one of d.all("NatGateways")) {
    const name = text(field(one, "NatGatewayId"));
    if (name === undefined) continue;
    d.b.place(name, one);
    const state = text(field(one, "State")) ?? "available";
    if (state === "deleted") continue;
    const subnet = known(text(field(one, "SubnetId")) ?? "");
    const isPublic = text(field(one, "ConnectivityType")) !== "private";
    d.b.nats.set(name, { name, subnet, isPublic, isAvailable: state === "available" });
    const owner = d.b.owner(name, "nat-gateway", tagsOf(field(one, "Tags")));
    if (owner.interfaces.length > 0) continue;
    for (const address of list(field(one, "NatGatewayAddresses"))) {
      const id = text(field(address, "NetworkInterfaceId")) ?? `${name}#eni`;
      owner.aliases.push(id);
      owner.interfaces.push({
        name: id,
        subnet,
        addresses: addressList(texts(field(address, "PrivateIp"))),
        publicAddresses: addressList(texts(field(address, "PublicIp"))),
        isPublic: isPublic ? "yes" : "no",
        groups: "none",
      });
    }
  }
}

export function readCluster(d: DescribeAnswers, cluster: unknown): void {
  const name = text(field(cluster, "name"));
  const config = field(cluster, "resourcesVpcConfig");
  if (name === undefined || d.b.owners.has(name)) return;
  const owner = d.b.owner(name, "cluster");
  const groups = known([
    ...texts(field(config, "clusterSecurityGroupId")),
    ...texts(field(config, "securityGroupIds")),
  ]);
  for (const [index, subnet] of texts(field(config, "subnetIds")).entries()) {
    owner.interfaces.push({ name: `${name}#eni-${index}`, subnet: known(subnet), isPublic: "no", groups });
  }
}
