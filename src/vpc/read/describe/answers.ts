/** The answers of `aws … describe-*`, in one object by call or merged by their keys (aws-vpc.md 1.2). */

import type { NetworkBuilder } from "../builder.ts";
import { entries, field, isObject, list, text } from "../json.ts";

/** Keys under which the answers hold their lists. */
export const DESCRIBE_KEYS = [
  "Vpcs",
  "Subnets",
  "RouteTables",
  "SecurityGroups",
  "SecurityGroupRules",
  "NetworkAcls",
  "NetworkInterfaces",
  "Reservations",
  "InternetGateways",
  "EgressOnlyInternetGateways",
  "NatGateways",
  "VpcEndpoints",
  "PrefixLists",
  "VpcPeeringConnections",
  "TransitGateways",
  "TransitGatewayVpcAttachments",
  "TransitGatewayRouteTables",
  "LoadBalancers",
  "Listeners",
  "Rules",
  "TargetGroups",
  "LoadBalancerDescriptions",
] as const;

/** Answers that need what was asked beside them: the call's answer does not repeat it. */
interface Wrapped {
  readonly key: string;
  readonly value: unknown;
}

/** The answers, gathered from whatever form they come in, and what is built of them. */
export class DescribeAnswers {
  readonly b: NetworkBuilder;
  private readonly lists = new Map<string, unknown[]>();
  readonly health: Wrapped[] = [];
  readonly attributes: Wrapped[] = [];
  readonly listEntries: Wrapped[] = [];
  readonly transitRoutes: Wrapped[] = [];
  readonly transitAssociations: Wrapped[] = [];
  readonly clusters: unknown[] = [];

  constructor(builder: NetworkBuilder, values: readonly unknown[]) {
    this.b = builder;
    for (const value of values) this.collect(value, "");
  }

  /** Takes in an answer, a list of answers, or an object of answers by call. */
  private collect(value: unknown, call: string): void {
    if (Array.isArray(value)) {
      for (const one of value) this.collect(one, call);
      return;
    }
    if (!isObject(value)) return;
    const wrapped = field(value, "Response") ?? value;
    const group = text(field(value, "TargetGroupArn"));
    const prefixList = text(field(value, "PrefixListId"));
    const transit = text(field(value, "TransitGatewayRouteTableId"));
    if (group !== undefined && Array.isArray(field(wrapped, "TargetHealthDescriptions"))) {
      this.health.push({ key: group, value: field(wrapped, "TargetHealthDescriptions") });
      return;
    }
    if (group !== undefined && Array.isArray(field(wrapped, "Attributes"))) {
      this.attributes.push({ key: group, value: field(wrapped, "Attributes") });
      return;
    }
    if (prefixList !== undefined && Array.isArray(field(wrapped, "Entries"))) {
      this.listEntries.push({ key: prefixList, value: field(wrapped, "Entries") });
      return;
    }
    if (transit !== undefined && Array.isArray(field(wrapped, "Routes"))) {
      this.transitRoutes.push({ key: transit, value: field(wrapped, "Routes") });
      return;
    }
    if (transit !== undefined && Array.isArray(field(wrapped, "Associations"))) {
      this.transitAssociations.push({ key: transit, value: field(wrapped, "Associations") });
      return;
    }
    const cluster = field(value, "cluster");
    if (isObject(cluster)) this.clusters.push(cluster);
    const token = text(field(value, "NextToken")) ?? text(field(value, "NextMarker"));
    if (token !== undefined)
      this.b.report("BH405", `${call === "" ? "an answer" : `the answer of ${call}`} has further pages`, value);
    for (const [key, inner] of entries(value)) {
      if (DESCRIBE_KEYS.some((k) => k === key) && Array.isArray(inner)) {
        this.lists.set(key, [...(this.lists.get(key) ?? []), ...inner]);
      } else if (/^(?:[a-z0-9]+ )?(?:describe|get|search)-/.test(key)) this.collect(inner, key);
    }
  }

  all(key: (typeof DESCRIBE_KEYS)[number]): readonly unknown[] {
    return this.lists.get(key) ?? [];
  }
}

export function stateOf(value: unknown, key: string): string | undefined {
  return text(field(value, key, "State"));
}

export function tagsOf(tags: unknown): ReadonlyMap<string, string> {
  return new Map(
    list(tags).flatMap((tag) => {
      const key = text(field(tag, "Key"));
      return key === undefined ? [] : [[key, text(field(tag, "Value")) ?? ""] as const];
    }),
  );
}
