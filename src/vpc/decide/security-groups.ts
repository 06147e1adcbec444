/** Security groups: allow rules only, the union of all groups of an interface, stateful (aws-vpc.md 2.1). */

import { type Because, mergeBecause } from "../../base/because.ts";
import { flowIntersect, flowsEmpty, flowSubtract, flowUnion, NO_FLOWS, portFlows } from "../../net/flow-set.ts";
import { type Bounded, eitherOf } from "../../reach/bounded.ts";
import type { Direction, GroupRule, Network, Value } from "../model.ts";
import { trafficText } from "../read/values.ts";
import { allOf, canonical, NOTHING, peerMatches, type Sight, trafficFlows } from "./match.ts";
import type { Place } from "./place.ts";
import type { Ask, Considered, Judgement, Stage } from "./stage.ts";

/** The groups of an interface, as its rules and those of others see them. */
export function groupsOf(place: Place): Value<readonly string[]> | undefined {
  return place.face?.groups;
}

/** What the other end's rules see of a place. `references`: whether they can match its groups (SG-5, SG-7). */
export function sightOf(network: Network, place: Place, references = true, extra: readonly string[] = []): Sight {
  const groups = references ? groupsOf(place) : undefined;
  const names = (list: readonly string[]): readonly string[] => list.map((g) => canonical(network, g));
  if (groups === undefined) return { place, groups: names(extra), maybeGroups: [] };
  if (groups.kind === "known") return { place, groups: names([...groups.value, ...extra]), maybeGroups: [] };
  if (groups.kind === "unknown") return { place, groups: names(extra), maybeGroups: [], unknownGroups: groups.because };
  const all = groups.values.map(names);
  const [first = []] = all;
  const sure = first.filter((g) => all.every((list) => list.includes(g)));
  return { place, groups: [...sure, ...names(extra)], maybeGroups: all.flat() };
}

/** What the groups of one side let through. */
export function groupFlows(
  network: Network,
  groups: Value<readonly string[]>,
  direction: Direction,
  sight: Sight,
): Bounded {
  const { family } = sight.place;
  if (groups.kind === "unknown") return { must: NO_FLOWS, may: allOf(family), because: [groups.because] };
  if (groups.kind === "oneOf") {
    const [first = NOTHING, ...rest] = groups.values.map((list) => listFlows(network, list, direction, sight));
    return rest.reduce((all, one) => eitherOf(all, one, [groups.because]), first);
  }
  return listFlows(network, groups.value, direction, sight);
}

function listFlows(network: Network, names: readonly string[], direction: Direction, sight: Sight): Bounded {
  let must = NO_FLOWS;
  let may = NO_FLOWS;
  let because: readonly Because[] = [];
  for (const name of names) {
    const group = network.groups.get(canonical(network, name));
    if (group === undefined) {
      may = allOf(sight.place.family);
      because = mergeBecause(because, [{ code: "missing-object", detail: `security group ${name}` }]);
      continue;
    }
    if (group.moreRules !== undefined) {
      may = allOf(sight.place.family);
      because = mergeBecause(because, [group.moreRules]);
    }
    for (const rule of group.rules) {
      if (rule.direction !== direction) continue;
      const match = ruleMatches(network, rule, sight);
      if (match.peer === "no") continue;
      const flows = trafficFlows(rule.traffic, sight.place.family);
      may = flowUnion(may, flows.may);
      if (match.peer === "yes") must = flowUnion(must, flows.must);
      if (match.peer === "maybe" || flows.because.length > 0)
        because = mergeBecause(because, [...match.because, ...flows.because]);
    }
  }
  return { must, may, because: flowsEmpty(flowSubtract(may, must)) ? [] : because };
}

function ruleMatches(
  network: Network,
  rule: GroupRule,
  sight: Sight,
): { readonly peer: "yes" | "no" | "maybe"; readonly because: readonly Because[] } {
  if (rule.stale === true) return { peer: "no", because: [] };
  const match = peerMatches(network, rule.peer, sight);
  if (match.matches === "yes" && rule.unsettled !== undefined) return { peer: "maybe", because: [rule.unsettled] };
  return { peer: match.matches, because: match.because };
}

/** The check at one side; undefined where nothing filters there (a NAT gateway, a load balancer without groups). */
export function groupStage(network: Network, place: Place, direction: Direction, sight: Sight): Stage | undefined {
  const groups = groupsOf(place);
  if (groups === undefined) return undefined;
  return {
    kind: "filter",
    flow: "request",
    order: direction === "egress" ? 1 : 6,
    at: place.name,
    direction,
    what: "security groups",
    isStateful: true,
    decidesAllow: direction === "egress" ? "source" : "destination",
    flows: () => groupFlows(network, groups, direction, sight),
    judge: (ask) => judge(network, groups, direction, sight, ask),
  };
}

function judge(
  network: Network,
  groups: Value<readonly string[]>,
  direction: Direction,
  sight: Sight,
  ask: Ask,
): Judgement {
  const bounds = groupFlows(network, groups, direction, sight);
  const asked = portFlows(ask.protocol, ask.first, ask.last, [ask.family]);
  const names = groups.kind === "known" ? groups.value : groups.kind === "oneOf" ? groups.values.flat() : [];
  const considered: Considered[] = [];
  const deciders: string[] = [];
  const maybe: string[] = [];
  const aliases: string[] = [];
  for (const name of new Set(names)) {
    for (const rule of network.groups.get(canonical(network, name))?.rules ?? []) {
      if (rule.direction !== direction) continue;
      const match = ruleMatches(network, rule, sight);
      const flows = trafficFlows(rule.traffic, ask.family);
      const port = !flowsEmpty(flowIntersect(asked, flows.must))
        ? "yes"
        : flowsEmpty(flowIntersect(asked, flows.may))
          ? "no"
          : "maybe";
      considered.push({ name: rule.name, text: ruleText(rule), action: "allow", peer: match.peer, port });
      if (match.peer === "no" || port === "no") continue;
      if (match.peer === "yes" && port === "yes") deciders.push(rule.name);
      else maybe.push(rule.name);
      aliases.push(...rule.aliases);
    }
  }
  if (flowsEmpty(flowSubtract(asked, bounds.must)))
    return { verdict: "allow", deciders, aliases, because: [], considered };
  const [first = "?"] = names;
  const none = `${canonical(network, first)}#${direction}:none`;
  if (flowsEmpty(flowIntersect(asked, bounds.may))) {
    return { verdict: "deny", deciders: [none], because: [], considered, detail: noMatchText(names, ask) };
  }
  return {
    verdict: "unsure",
    deciders: maybe.length > 0 ? maybe : [none],
    aliases,
    because: bounds.because,
    considered,
  };
}

function noMatchText(names: readonly string[], ask: Ask): string {
  const port = ask.first === ask.last ? `${ask.first}` : `${ask.first}-${ask.last}`;
  return `no rule of ${names.join(", ")} allows ${ask.protocol.toLowerCase()}/${port}`;
}

/** A rule in a few words. */
export function ruleText(rule: GroupRule): string {
  const traffic = rule.traffic.unknown === undefined ? trafficText(rule.traffic) : "unknown ports";
  const side = rule.direction === "ingress" ? "from" : "to";
  const { peer } = rule;
  switch (peer.kind) {
    case "addresses":
      return `${traffic} ${side} ${peer.text}`;
    case "prefixList":
      return `${traffic} ${side} prefix list ${peer.list}`;
    case "group":
      return `${traffic} ${side} group ${peer.group}${rule.stale === true ? " (stale)" : ""}`;
    case "oneOf":
      return `${traffic} ${side} one of several`;
    case "unknown":
      return `${traffic} ${side} a peer that is not known`;
  }
}
