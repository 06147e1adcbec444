/** Load balancers, their listeners and targets, as AWS answers. */

import {
  type BalancerType,
  known,
  type Listener,
  type ListenerAction,
  type ListenerCondition,
  type ListenerRule,
  type Target,
  type TargetGroup,
} from "../../model.ts";
import { field, list, listOf, number, text, texts, truth } from "../json.ts";
import { addressList } from "../values.ts";
import type { DescribeAnswers } from "./answers.ts";

export function readBalancers(d: DescribeAnswers): void {
  for (const one of d.all("LoadBalancers")) {
    const name = text(field(one, "LoadBalancerArn"));
    if (name === undefined) continue;
    d.b.place(name, one);
    const given = text(field(one, "Type"));
    const type: BalancerType = given === "network" || given === "gateway" ? given : "application";
    const zones = list(field(one, "AvailabilityZones"));
    const subnets = zones.flatMap((z) => texts(field(z, "SubnetId")));
    const isInternal = text(field(one, "Scheme")) === "internal";
    d.b.balancers.set(name, {
      name,
      type,
      internal: isInternal ? "yes" : "no",
      subnets,
      listeners: listenersOf(d, name),
      filtersPrivateLink: text(field(one, "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic")) !== "off",
    });
    const groups = texts(field(one, "SecurityGroups"));
    const owner = d.b.owner(name, "load-balancer");
    const short = text(field(one, "LoadBalancerName"));
    if (short !== undefined) owner.aliases.push(short);
    const seen = new Set(owner.interfaces.map((i) => (i.subnet.kind === "known" ? i.subnet.value : "")));
    for (const [index, zone] of zones.entries()) {
      const subnet = text(field(zone, "SubnetId"));
      if (subnet === undefined || seen.has(subnet)) continue;
      const addresses = list(field(zone, "LoadBalancerAddresses"));
      owner.interfaces.push({
        name: `${name}#eni-${index}`,
        subnet: known(subnet),
        addresses: addressList(addresses.flatMap((a) => texts(field(a, "PrivateIPv4Address")))),
        hasIpv6: text(field(one, "IpAddressType")) === "dualstack",
        isPublic: isInternal ? "no" : "yes",
        groups: groups.length > 0 ? known(groups) : "none",
      });
    }
  }
  for (const one of d.all("TargetGroups")) {
    const name = text(field(one, "TargetGroupArn"));
    if (name === undefined) continue;
    d.b.place(name, one);
    const health = d.health.filter((h) => h.key === name);
    const targets = health.flatMap(({ value }) =>
      list(value).flatMap((d): Target[] => {
        const id = text(field(d, "Target", "Id"));
        return id === undefined ? [] : [{ id, port: number(field(d, "Target", "Port")) }];
      }),
    );
    const attributes = d.attributes.filter((a) => a.key === name).flatMap((a) => list(a.value));
    const preserve = attributes.find((a) => field(a, "Key") === "preserve_client_ip.enabled");
    const type = text(field(one, "TargetType"));
    const group: TargetGroup & { readonly targets: Target[] } = {
      name,
      type: type === "ip" || type === "lambda" || type === "alb" ? type : "instance",
      port: number(field(one, "Port")),
      protocol: text(field(one, "Protocol"))?.toUpperCase() ?? "HTTP",
      targets,
      preservesClient: truth(field(preserve, "Value")),
      healthPort: number(field(one, "HealthCheckPort")),
      ...(health.length > 0
        ? {}
        : {
            moreTargets: {
              code: "unknown-value" as const,
              detail: `targets of ${name}: describe-target-health is missing`,
            },
          }),
    };
    d.b.targetGroups.set(name, group);
  }
}

function listenersOf(d: DescribeAnswers, balancer: string): Listener[] {
  const out: Listener[] = [];
  for (const one of d.all("Listeners")) {
    if (field(one, "LoadBalancerArn") !== balancer) continue;
    const name = text(field(one, "ListenerArn")) ?? balancer;
    const port = number(field(one, "Port"));
    if (port === undefined) continue;
    const prefix = name.replace(":listener/", ":listener-rule/");
    const rules = d.all("Rules").filter((r) => text(field(r, "RuleArn"))?.startsWith(`${prefix}/`) === true);
    const listed = rules.flatMap((r): ListenerRule[] => {
      const priority = number(field(r, "Priority"));
      if (priority === undefined) return [];
      const conditions = list(field(r, "Conditions")).map(conditionOf);
      return [{ name: text(field(r, "RuleArn")) ?? name, priority, conditions, action: actionOf(field(r, "Actions")) }];
    });
    listed.sort((a, b) => a.priority - b.priority);
    out.push({
      name,
      port,
      protocol: text(field(one, "Protocol"))?.toUpperCase() ?? "TCP",
      rules: listed,
      otherwise: actionOf(field(one, "DefaultActions")),
    });
  }
  return out;
}

export function readClassic(d: DescribeAnswers): void {
  for (const one of d.all("LoadBalancerDescriptions")) {
    const name = text(field(one, "LoadBalancerName"));
    if (name === undefined) continue;
    d.b.place(name, one);
    const subnets = texts(field(one, "Subnets"));
    const isInternal = text(field(one, "Scheme")) === "internal";
    const targets = list(field(one, "Instances")).flatMap((i) => texts(field(i, "InstanceId")));
    const listeners: Listener[] = [];
    for (const description of list(field(one, "ListenerDescriptions"))) {
      const listener = field(description, "Listener");
      const port = number(field(listener, "LoadBalancerPort"));
      if (port === undefined) continue;
      const group = `${name}#listener-${port}#instances`;
      listeners.push({
        name: `${name}#listener-${port}`,
        port,
        protocol: text(field(listener, "Protocol"))?.toUpperCase() ?? "TCP",
        rules: [],
        otherwise: { forwards: [group], answers: false },
      });
      d.b.targetGroups.set(group, {
        name: group,
        type: "instance",
        port: number(field(listener, "InstancePort")),
        protocol: text(field(listener, "InstanceProtocol"))?.toUpperCase() ?? "TCP",
        targets: targets.map((id) => ({ id, port: undefined })),
        preservesClient: false,
        healthPort: number(/:(\d+)/.exec(text(field(one, "HealthCheck", "Target")) ?? "")?.[1]),
      });
    }
    d.b.balancers.set(name, {
      name,
      type: "classic",
      internal: isInternal ? "yes" : "no",
      subnets,
      listeners,
      filtersPrivateLink: true,
    });
    const owner = d.b.owner(name, "load-balancer");
    if (owner.interfaces.length > 0) continue;
    const groups = known(texts(field(one, "SecurityGroups")));
    for (const [index, subnet] of subnets.entries()) {
      owner.interfaces.push({
        name: `${name}#eni-${index}`,
        subnet: known(subnet),
        isPublic: isInternal ? "no" : "yes",
        groups,
      });
    }
  }
}

/** A condition of a listener's rule, in the names that AWS answers and templates share. */
export function conditionOf(condition: unknown): ListenerCondition {
  const name = text(field(condition, "Field")) ?? "";
  const configs = [
    "HostHeaderConfig",
    "PathPatternConfig",
    "HttpRequestMethodConfig",
    "HttpHeaderConfig",
    "SourceIpConfig",
  ];
  const config = configs.map((key) => field(condition, key)).find((one) => one !== undefined);
  const values = texts(field(condition, "Values"));
  const query = list(field(condition, "QueryStringConfig", "Values")).map(
    (v) => `${text(field(v, "Key")) ?? ""}=${text(field(v, "Value")) ?? ""}`,
  );
  const header = text(field(condition, "HttpHeaderConfig", "HttpHeaderName"));
  return {
    field: name,
    values: values.length > 0 ? values : [...texts(field(config, "Values")), ...query],
    ...(header === undefined ? {} : { header }),
  };
}

export function actionOf(actions: unknown): ListenerAction {
  const forwards: string[] = [];
  let answers = false;
  for (const action of listOf(actions)) {
    const type = text(field(action, "Type"));
    if (type === "redirect" || type === "fixed-response") answers = true;
    if (type !== "forward") continue;
    const groups = list(field(action, "ForwardConfig", "TargetGroups"));
    for (const group of groups) {
      if (number(field(group, "Weight")) === 0) continue;
      forwards.push(...texts(field(group, "TargetGroupArn")));
    }
    if (groups.length === 0) forwards.push(...texts(field(action, "TargetGroupArn")));
  }
  return { forwards, answers };
}
