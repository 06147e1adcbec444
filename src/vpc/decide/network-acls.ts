/** Network ACLs: stateless, by number, first match decides, the rest is denied (aws-vpc.md 2.2). */

import { type Because, mergeBecause } from "../../base/because.ts";
import { formatPrefix } from "../../net/address.ts";
import { flowIntersect, flowsEmpty, flowSubtract, flowUnion, NO_FLOWS, portFlows } from "../../net/flow-set.ts";
import { type Bounded, eitherOf } from "../../reach/bounded.ts";
import type { AclEntry, Direction, Network, NetworkAcl, Subnet } from "../model.ts";
import { trafficText } from "../read/values.ts";
import { allOf, trafficFlows } from "./match.ts";
import { type Place, placeInPrefix, type PortRange } from "./place.ts";
import type { Ask, Considered, Judgement, Order, Stage } from "./stage.ts";

/** Whether an entry speaks of the remote end; one that is not settled may not be there. */
function entryMatches(entry: AclEntry, remote: Place): "yes" | "no" | "maybe" {
  if (entry.prefix === undefined) return "maybe";
  const matches = placeInPrefix(remote, entry.prefix);
  return matches === "yes" && entry.unsettled !== undefined ? "maybe" : matches;
}

/** What an ACL lets through in a direction, the CIDR of its entries being the remote side (NACL-2). */
export function aclFlows(acl: NetworkAcl, direction: Direction, remote: Place): Bounded {
  const whole = allOf(remote.family);
  if (acl.moreEntries !== undefined) return { must: NO_FLOWS, may: whole, because: [acl.moreEntries] };
  let restMust = whole;
  let restMay = whole;
  let must = NO_FLOWS;
  let may = NO_FLOWS;
  let because: readonly Because[] = [];
  for (const entry of acl.entries) {
    if (entry.direction !== direction) continue;
    const matches = entryMatches(entry, remote);
    if (matches === "no") continue;
    const flows = trafficFlows(entry.traffic, remote.family);
    const sure = matches === "yes" ? flows.must : NO_FLOWS;
    if (matches === "maybe") because = mergeBecause(because, entryBecause(entry, acl, remote));
    because = mergeBecause(because, flows.because);
    if (entry.action === "allow") {
      must = flowUnion(must, flowIntersect(restMust, sure));
      may = flowUnion(may, flowIntersect(restMay, flows.may));
    }
    restMust = flowSubtract(restMust, flows.may);
    restMay = flowSubtract(restMay, sure);
    if (flowsEmpty(restMay)) break;
  }
  return { must, may, because: flowsEmpty(flowSubtract(may, must)) ? [] : because };
}

function entryBecause(entry: AclEntry, acl: NetworkAcl, remote: Place): readonly Because[] {
  if (entry.unsettled !== undefined) return [entry.unsettled];
  if (entry.prefix === undefined)
    return [{ code: "unknown-value", detail: `the CIDR of entry ${entry.number} of ${acl.name}` }];
  return [
    {
      code: "unknown-address",
      detail: `whether the address of ${remote.name} lies in entry ${entry.number} of ${acl.name}`,
    },
  ];
}

/** The check at the edge of a subnet. */
export function aclStage(
  network: Network,
  subnet: Subnet,
  direction: Direction,
  remote: Place,
  order: Order,
  reply?: { readonly client: PortRange; readonly leg: number },
): Stage {
  const names = subnet.acl.kind === "known" ? [subnet.acl.value] : subnet.acl.kind === "oneOf" ? subnet.acl.values : [];
  const acls = names.flatMap((name) => network.acls.get(name) ?? []);
  const because: readonly Because[] =
    subnet.acl.kind === "known"
      ? [{ code: "missing-object", detail: `network ACL of ${subnet.name}` }]
      : [subnet.acl.because];
  const flows = (): Bounded => {
    const [first, ...rest] = acls.map((acl) => aclFlows(acl, direction, remote));
    if (first === undefined) return { must: NO_FLOWS, may: allOf(remote.family), because };
    return rest.reduce((all, one) => eitherOf(all, one, because), first);
  };
  return {
    kind: "filter",
    flow: reply === undefined ? "request" : "reply",
    order,
    at: subnet.name,
    direction,
    what: `network ACL ${names.join(" or ") || "?"}`,
    ...(reply === undefined ? { decidesAllow: "acl" as const } : reply),
    flows,
    judge: (ask) => judge(acls, direction, remote, ask, flows()),
  };
}

interface Segment {
  readonly first: number;
  readonly last: number;
}

/** Cuts a range of ports where some entry begins or ends. */
function segments(acl: NetworkAcl, direction: Direction, ask: Ask): readonly Segment[] {
  const cuts = new Set([ask.first]);
  for (const entry of acl.entries) {
    if (entry.direction !== direction) continue;
    const { first, last } = entry.traffic;
    if (first > ask.first && first <= ask.last) cuts.add(first);
    if (last >= ask.first && last < ask.last) cuts.add(last + 1);
  }
  const sorted = [...cuts].sort((a, b) => a - b);
  return sorted.map((first, i) => ({ first, last: (sorted[i + 1] ?? ask.last + 1) - 1 }));
}

function judge(acls: readonly NetworkAcl[], direction: Direction, remote: Place, ask: Ask, bounds: Bounded): Judgement {
  const asked = portFlows(ask.protocol, ask.first, ask.last, [ask.family]);
  const sure = flowIntersect(asked, bounds.must);
  const verdict = flowsEmpty(flowSubtract(asked, bounds.must))
    ? "allow"
    : flowsEmpty(flowIntersect(asked, bounds.may))
      ? "deny"
      : !flowsEmpty(sure) && flowsEmpty(flowSubtract(flowIntersect(asked, bounds.may), sure))
        ? "mixed"
        : "unsure";
  const deciders = new Set<string>();
  const considered = new Map<string, Considered>();
  const failing: string[] = [];
  for (const acl of acls) {
    for (const segment of segments(acl, direction, ask)) {
      const own = portFlows(ask.protocol, segment.first, segment.last, [ask.family]);
      const found = firstEntry(acl, direction, remote, own, considered);
      const passes = found.sure?.action === "allow" && found.maybe.length === 0;
      if (verdict === "allow" ? !passes : passes) continue;
      for (const entry of [...found.maybe, ...(found.sure === undefined ? [] : [found.sure])])
        deciders.add(entryName(acl, direction, entry));
      if (found.sure === undefined) deciders.add(`${acl.name}#${direction}:*`);
      if (verdict !== "allow")
        failing.push(segment.first === segment.last ? `${segment.first}` : `${segment.first}-${segment.last}`);
    }
  }
  return {
    verdict,
    deciders: [...deciders],
    because: verdict === "unsure" ? bounds.because : [],
    considered: [...considered.values()],
    ...(verdict === "mixed" ? { detail: `not to ports ${failing.join(", ")}` } : {}),
  };
}

function firstEntry(
  acl: NetworkAcl,
  direction: Direction,
  remote: Place,
  asked: ReturnType<typeof portFlows>,
  considered: Map<string, Considered>,
): { readonly sure: AclEntry | undefined; readonly maybe: readonly AclEntry[] } {
  const maybe: AclEntry[] = [];
  for (const entry of acl.entries) {
    if (entry.direction !== direction) continue;
    const peer = entryMatches(entry, remote);
    const flows = trafficFlows(entry.traffic, remote.family);
    const port = flowsEmpty(flowSubtract(asked, flows.must))
      ? "yes"
      : flowsEmpty(flowIntersect(asked, flows.may))
        ? "no"
        : "maybe";
    const name = entryName(acl, direction, entry);
    const known = considered.get(name);
    considered.set(name, {
      name,
      text: entryText(entry),
      action: entry.action,
      peer,
      port: known !== undefined && known.port !== port ? "maybe" : port,
    });
    if (peer === "no" || port === "no") continue;
    if (peer === "yes" && port === "yes") return { sure: entry, maybe };
    maybe.push(entry);
  }
  return { sure: undefined, maybe };
}

/** ACL and number, whichever resource declares it (aws-vpc.md 6.2). */
export function entryName(acl: NetworkAcl, direction: Direction, entry: AclEntry): string {
  return `${acl.name}#${direction}:${entry.number}`;
}

export function entryText(entry: AclEntry): string {
  const traffic = entry.traffic.unknown === undefined ? trafficText(entry.traffic) : "unknown ports";
  const side = entry.direction === "ingress" ? "from" : "to";
  const prefix = entry.prefix === undefined ? "a CIDR that is not known" : entryCidr(entry);
  return `${entry.number} ${entry.action} ${traffic} ${side} ${prefix}`;
}

export function entryCidr(entry: AclEntry): string {
  return entry.prefix === undefined ? "?" : formatPrefix(entry.prefix);
}
