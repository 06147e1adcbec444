/** Load balancers of a plan, with listeners and target groups. */

import type { Because } from "../../../base/because.ts";
import { parseAddress } from "../../../net/address.ts";
import {
  type BalancerType,
  known,
  type Listener,
  type ListenerAction,
  type ListenerCondition,
  type ListenerRule,
  type Target,
  type TargetGroup,
  unknownValue,
  type Value,
} from "../../model.ts";
import { field, list, number, text, texts, truth } from "../json.ts";
import { addressList } from "../values.ts";
import type { Instance } from "./plan.ts";
import { T, type TerraformValues } from "./values.ts";

const ATTACHMENTS = ["aws_lb_target_group_attachment", "aws_alb_target_group_attachment"];

export function readBalancer(t: TerraformValues, i: Instance): void {
  const classic = i.type === "aws_elb";
  const type: BalancerType = classic ? "classic" : balancerType(t.string(i, "load_balancer_type"));
  let subnets = t.has(i, "subnets") ? t.many(i, ["subnets"], T.subnet) : known([]);
  const mappings = list(field(i.values, "subnet_mapping"));
  if (mappings.length > 0 || t.isWritten(i, "subnet_mapping")) {
    const names = mappings.flatMap((_, index) => {
      const one = t.one(i, ["subnet_mapping", index, "subnet_id"], T.subnet);
      return one.kind === "known" ? [one.value] : [];
    });
    if (names.length > 0) subnets = known(names);
  }
  const internalFlag = truth(field(i.values, "internal"));
  const internal = internalFlag === true ? "yes" : t.isUnknown(i, ["internal"]) ? "maybe" : "no";
  const names = subnets.kind === "known" ? subnets.value : [];
  t.b.balancers.set(i.address, {
    name: i.address,
    type,
    internal,
    subnets: names,
    listeners: classic ? classicListeners(i) : [],
    filtersPrivateLink: t.string(i, "enforce_security_group_inbound_rules_on_private_link_traffic") !== "off",
  });
  const written = t.isWritten(i, "security_groups");
  const groups = written ? t.many(i, ["security_groups"], T.group) : undefined;
  const owner = t.b.owner(i.address, "load-balancer", t.tags(i));
  const dual = (t.string(i, "ip_address_type") ?? "").startsWith("dualstack");
  const places: readonly Value<string>[] =
    subnets.kind === "known" ? names.map((n) => known(n)) : [unknownValue(`subnets of ${i.address}`)];
  for (const [index, subnet] of places.entries()) {
    const mapped = mappings[index];
    owner.interfaces.push({
      name: `${i.address}#eni-${index}`,
      subnet,
      addresses: addressList([text(field(mapped, "private_ipv4_address")), text(field(mapped, "ipv6_address"))]),
      hasIpv6: dual,
      isPublic: internal === "yes" ? "no" : internal === "no" ? "yes" : "maybe",
      ...(groups !== undefined && !(groups.kind === "known" && groups.value.length === 0)
        ? { groups }
        : type === "network" || type === "gateway"
          ? { groups: "none" as const }
          : {}),
    });
  }
  if (!classic) return;
  const attached = t
    .referring(["aws_elb_attachment"], "elb", T.balancer, i.address)
    .flatMap((a) => t.namesOf(a, ["instance"], T.instance));
  const given = t.has(i, "instances") ? t.many(i, ["instances"], T.instance) : known([]);
  const targets = [...(given.kind === "known" ? given.value : []), ...attached].map(
    (id): Target => ({ id, port: undefined }),
  );
  for (const listener of t.b.balancers.get(i.address)?.listeners ?? []) {
    const block = list(field(i.values, "listener")).find((l) => number(field(l, "lb_port")) === listener.port);
    t.b.targetGroups.set(`${listener.name}#instances`, {
      name: `${listener.name}#instances`,
      type: "instance",
      port: number(field(block, "instance_port")),
      protocol: text(field(block, "instance_protocol"))?.toUpperCase() ?? "TCP",
      targets: [...targets],
      preservesClient: false,
      healthPort: number(/:(\d+)/.exec(text(field(list(field(i.values, "health_check"))[0], "target")) ?? "")?.[1]),
      ...(given.kind === "known" ? {} : { moreTargets: given.kind === "unknown" ? given.because : given.because }),
    });
  }
}

function classicListeners(i: Instance): Listener[] {
  return list(field(i.values, "listener")).flatMap((block): Listener[] => {
    const port = number(field(block, "lb_port"));
    if (port === undefined) return [];
    const name = `${i.address}#listener-${port}`;
    return [
      {
        name,
        port,
        protocol: text(field(block, "lb_protocol"))?.toUpperCase() ?? "TCP",
        rules: [],
        otherwise: { forwards: [`${name}#instances`], answers: false },
      },
    ];
  });
}

export function readListener(t: TerraformValues, i: Instance): void {
  const balancer = t.one(i, ["load_balancer_arn"], T.balancer);
  const port = number(field(i.values, "port"));
  if (balancer.kind !== "known" || port === undefined) {
    t.b.unread.push({ name: i.address, type: i.type, touches: [], narrows: false });
    return;
  }
  const rules: ListenerRule[] = [];
  for (const r of t.maybeReferring(
    ["aws_lb_listener_rule", "aws_alb_listener_rule"],
    "listener_arn",
    T.listener,
    i.address,
  )) {
    rules.push({
      name: r.address,
      priority: number(field(r.values, "priority")) ?? 0,
      conditions: list(field(r.values, "condition")).flatMap(conditionsOf),
      action: action(t, r, "action"),
    });
  }
  rules.sort((a, b) => a.priority - b.priority);
  const listener: Listener = {
    name: i.address,
    port,
    protocol: t.string(i, "protocol")?.toUpperCase() ?? "HTTP",
    rules,
    otherwise: action(t, i, "default_action"),
  };
  t.b.balancers.get(balancer.value)?.listeners.push(listener);
}

function action(t: TerraformValues, i: Instance, key: string): ListenerAction {
  const forwards: string[] = [];
  let answers = false;
  let because: Because | undefined;
  for (const [index, block] of list(field(i.values, key)).entries()) {
    const type = text(field(block, "type"));
    if (type === "redirect" || type === "fixed-response") answers = true;
    if (type !== "forward") continue;
    const weighted = list(field(block, "forward"));
    const groups = list(field(weighted[0], "target_group"));
    if (groups.length > 0) {
      for (const [at, group] of groups.entries()) {
        if (number(field(group, "weight")) === 0) continue;
        const one = t.one(i, [key, index, "forward", 0, "target_group", at, "arn"], T.targetGroup);
        if (one.kind === "known") forwards.push(one.value);
        else because = one.because;
      }
      continue;
    }
    const one = t.one(i, [key, index, "target_group_arn"], T.targetGroup);
    if (one.kind === "known") forwards.push(one.value);
    else because = one.because;
  }
  return { forwards, answers, ...(because === undefined ? {} : { unknown: because }) };
}

export function readTargetGroup(t: TerraformValues, i: Instance): void {
  const type = t.string(i, "target_type");
  const health = list(field(i.values, "health_check"))[0];
  const preserve = truth(field(i.values, "preserve_client_ip"));
  const targets: Target[] = [];
  let more: Because | undefined;
  for (const a of t.maybeReferring(ATTACHMENTS, "target_group_arn", T.targetGroup, i.address)) {
    const group = t.one(a, ["target_group_arn"], T.targetGroup);
    if (group.kind !== "known") {
      more = group.because;
      continue;
    }
    const id = targetId(t, a);
    if (id === undefined) more = { code: "unknown-value", detail: `${a.address}.target_id` };
    else targets.push({ id, port: number(field(a.values, "port")) });
  }
  for (const a of t.plan.ofTypes(T.autoscaling)) {
    if (t.isWritten(a, "target_group_arns") && t.namesOf(a, ["target_group_arns"], T.targetGroup).includes(i.address)) {
      targets.push({ id: a.address, port: undefined });
    }
  }
  for (const a of t.referring(["aws_autoscaling_attachment"], "lb_target_group_arn", T.targetGroup, i.address)) {
    const group = t.nameValue(a, ["autoscaling_group_name"], T.autoscaling);
    if (group !== undefined) targets.push({ id: group, port: undefined });
  }
  const made: TargetGroup & { readonly targets: Target[] } = {
    name: i.address,
    type: type === "ip" || type === "lambda" || type === "alb" ? type : "instance",
    port: number(field(i.values, "port")),
    protocol: t.string(i, "protocol")?.toUpperCase() ?? "HTTP",
    targets,
    preservesClient: preserve,
    healthPort: number(field(health, "port")),
    ...(more === undefined ? {} : { moreTargets: more }),
  };
  t.b.targetGroups.set(i.address, made);
}

function targetId(t: TerraformValues, i: Instance): string | undefined {
  const literal = t.string(i, "target_id");
  if (literal !== undefined)
    return parseAddress(literal) === undefined ? t.byId(literal, [...T.instance, ...T.balancer]) : literal;
  const one = t.one(i, ["target_id"], [...T.instance, ...T.balancer]);
  if (one.kind === "known") return one.value;
  const r = t.plan.resolve(i, ["target_id"]);
  const [first] = r.kind === "exact" ? r.referred : [];
  if (first !== undefined && /^private_ip$/.test(first.attribute)) return first.instance.address;
  return undefined;
}

function balancerType(given: string | undefined): BalancerType {
  return given === "network" || given === "gateway" ? given : "application";
}

/** One condition of a listener's rule; each block may hold several fields. */
function conditionsOf(block: unknown): readonly ListenerCondition[] {
  const out: ListenerCondition[] = [];
  const fields = ["host_header", "path_pattern", "http_request_method", "source_ip", "query_string", "http_header"];
  for (const key of fields) {
    for (const part of list(field(block, key))) {
      const values =
        key === "query_string"
          ? [`${text(field(part, "key")) ?? ""}=${text(field(part, "value")) ?? ""}`]
          : texts(field(part, "values"));
      const header = text(field(part, "http_header_name"));
      out.push({ field: key.replaceAll("_", "-"), values, ...(header === undefined ? {} : { header }) });
    }
  }
  return out;
}
