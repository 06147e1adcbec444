/** A way over a load balancer: the client's connection ends there, and a new one begins (aws-vpc.md 3, ORD-4). */

import type { Because } from "../../base/because.ts";
import { type Address, parseAddress, prefixRange } from "../../net/address.ts";
import type { Request } from "../../net/http-request.ts";
import type { ListenerAction, ListenerCondition, LoadBalancer, Network, Owner, TargetGroup } from "../model.ts";
import { connection, listenerProtocols, preserved } from "./connection.ts";
import { canonical } from "./match.ts";
import { interfacePlace, type Place, placeIn, singleRange } from "./place.ts";
import { type Ask, decide, fact, type Stage } from "./stage.ts";
import { prefixOf } from "../read/values.ts";

/** One connection of the way, or what a load balancer says between two; each is asked about ports of its own. */
export interface Leg {
  readonly stages: readonly Stage[];
  readonly ask: Ask;
}

/** A way over one interface of a load balancer to one place of a target. */
export interface BalancedWay {
  readonly via: Place;
  readonly to: Place;
  readonly legs: readonly Leg[];
}

/** A target group's target that is the wanted end. */
interface Chosen {
  readonly group: TargetGroup;
  readonly port: number;
}

/** The ways from a client over a load balancer. `request` narrows the listener's rules (LB-4). */
export function balancedWays(
  network: Network,
  balancer: LoadBalancer,
  client: Place,
  target: Owner | Address,
  ask: Ask,
  request?: Request,
): readonly BalancedWay[] {
  const owner = network.owners.get(balancer.name);
  const out: BalancedWay[] = [];
  for (const face of owner?.interfaces ?? []) {
    const via = owner === undefined ? undefined : interfacePlace(network, owner, face, client.family);
    if (via === undefined) continue;
    const first: Leg = { stages: connection(network, client, via), ask };
    const { chosen, onward, because } = targetsOf(network, balancer, target, ask, client, request);
    for (const { balancer: next, port } of onward) {
      // A load balancer as target: its own listeners and targets follow (LB-8).
      for (const way of balancedWays(network, next, via, target, { ...ask, first: port, last: port }, request)) {
        out.push({ via, to: way.to, legs: [first, ...way.legs] });
      }
    }
    if (onward.length > 0 && chosen.length === 0) continue;
    for (const to of targetPlaces(network, target, client.family)) {
      if (chosen.length === 0) {
        const decider = `${balancer.name}#no-target:${to.name}`;
        const hop = { kind: "terminate", flow: "request", order: 7, at: balancer.name, what: "target groups" } as const;
        const stage = because.length > 0 ? fact(hop, "unsure", decider, because) : fact(hop, "deny", decider);
        out.push({ via, to, legs: [first, { stages: [stage], ask }] });
      }
      for (const one of chosen) out.push(wayTo(network, balancer, client, via, to, first, one, ask));
    }
  }
  return out;
}

function wayTo(
  network: Network,
  balancer: LoadBalancer,
  client: Place,
  via: Place,
  to: Place,
  first: Leg,
  { group, port }: Chosen,
  ask: Ask,
): BalancedWay {
  const keeps = balancer.type === "network" && preservesClient(group);
  const between: Stage[] = [];
  const hop = {
    kind: "terminate",
    flow: "request",
    order: 7,
    at: balancer.name,
    what: `target group ${group.name}`,
  } as const;
  if (group.type === "lambda") {
    // No network path leads there (LB-8).
    between.push(fact(hop, "allow", group.name));
    return { via, to, legs: [first, { stages: between, ask }] };
  }
  const second = keeps ? preserved(network, via, client, to) : connection(network, via, to);
  const health = healthOf(network, balancer, via, to, group, port, keeps);
  if (health === "fails") between.push(fact(hop, "deny", `${balancer.name}#no-healthy-target:${to.name}`));
  else if (health !== "passes") {
    // Where only some of the checks get an answer, nobody knows what they make of the target.
    const because: Because = {
      code: health === "partly" ? "partly" : "unknown-value",
      detail: `health checks of ${group.name}`,
    };
    between.push(fact(hop, "unsure", `${balancer.name}#health:${to.name}`, [because]));
  } else between.push(fact(hop, "allow", group.name));
  const protocol = group.protocol === "UDP" || (group.protocol === "TCP_UDP" && ask.protocol === "UDP") ? "UDP" : "TCP";
  const own: Ask = { family: ask.family, protocol, first: port, last: port };
  return { via, to, legs: [first, { stages: between, ask }, { stages: second, ask: own }] };
}

/** Whether targets see the client's address (LB-7). */
export function preservesClient(group: TargetGroup): boolean {
  if (group.protocol === "UDP" || group.protocol === "TCP_UDP") return true;
  if (group.type === "alb") return true;
  return group.preservesClient ?? group.type === "instance";
}

/**
 * Whether health checks reach the target: a path of their own where they use another port, or where clients keep their
 * addresses and the checks do not. An application load balancer whose targets all fail still sends to all (LB-3).
 */
function healthOf(
  network: Network,
  balancer: LoadBalancer,
  via: Place,
  to: Place,
  group: TargetGroup,
  port: number,
  keeps: boolean,
): "passes" | "fails" | "partly" | "unsure" {
  const at = group.healthPort ?? port;
  if (at === port && !keeps) return "passes";
  const check = (place: Place): string => {
    const ask: Ask = { family: place.family, protocol: "TCP", first: at, last: at };
    return decide(connection(network, via, place), ask).verdict;
  };
  const verdict = check(to);
  if (verdict === "allow") return "passes";
  if (verdict !== "deny") return verdict === "mixed" ? "partly" : "unsure";
  if (balancer.type !== "application") return "fails";
  const others = group.targets.flatMap((t) => targetPlaces(network, ownerOrAddress(network, t.id), to.family));
  return others.every((place) => check(place) === "deny") ? "passes" : "fails";
}

function ownerOrAddress(network: Network, id: string): Owner | Address | undefined {
  return network.owners.get(canonical(network, id)) ?? parseAddress(id);
}

/** Of an instance the primary interface is meant, of an address that alone (LB-8). */
export function targetPlaces(
  network: Network,
  target: Owner | Address | undefined,
  family: Place["family"],
): readonly Place[] {
  if (target === undefined) return [];
  if ("interfaces" in target) {
    const faces = target.kind === "instance" ? target.interfaces.filter((f) => f.primary) : target.interfaces;
    return (faces.length > 0 ? faces : target.interfaces).flatMap(
      (face) => interfacePlace(network, target, face, family) ?? [],
    );
  }
  for (const owner of network.owners.values()) {
    for (const face of owner.interfaces) {
      if (!face.addresses.some((a) => a.family === target.family && a.value === target.value)) continue;
      const place = interfacePlace(network, owner, face, family);
      return place === undefined ? [] : [{ ...place, range: singleRange(target), isWhole: true }];
    }
  }
  return [];
}

interface Onward {
  readonly balancer: LoadBalancer;
  readonly port: number;
}

interface Choice {
  readonly chosen: readonly Chosen[];
  readonly onward: readonly Onward[];
  readonly because: readonly Because[];
}

/** The targets of a load balancer that are the wanted end, over the listeners of the asked port. */
function targetsOf(
  network: Network,
  balancer: LoadBalancer,
  wanted: Owner | Address,
  ask: Ask,
  client: Place,
  request: Request | undefined,
): Choice {
  const chosen: Chosen[] = [];
  const onward: Onward[] = [];
  const because: Because[] = [];
  for (const listener of balancer.listeners) {
    if (listener.port !== ask.first || !listenerProtocols(listener.protocol).some((p) => p === ask.protocol)) continue;
    for (const action of actionsOf(listener.rules, listener.otherwise, client, request)) {
      if (action.unknown !== undefined) because.push(action.unknown);
      for (const name of action.forwards) {
        const group = network.targetGroups.get(name);
        if (group === undefined) {
          because.push({ code: "missing-object", detail: `target group ${name}` });
          continue;
        }
        if (group.moreTargets !== undefined) because.push(group.moreTargets);
        for (const target of group.targets) {
          const next = group.type === "alb" ? network.balancers.get(canonical(network, target.id)) : undefined;
          const at = target.port ?? group.port;
          if (next !== undefined && at !== undefined) onward.push({ balancer: next, port: at });
          if (!isTarget(network, target.id, wanted)) continue;
          const port = target.port ?? group.port;
          if (port === undefined) because.push({ code: "unknown-value", detail: `port of ${group.name}` });
          else if (!chosen.some((c) => c.group === group && c.port === port)) chosen.push({ group, port });
        }
      }
    }
  }
  return { chosen, onward, because };
}

function isTarget(network: Network, id: string, wanted: Owner | Address): boolean {
  const address = parseAddress(id);
  if ("interfaces" in wanted) {
    if (canonical(network, id) === wanted.name) return true;
    return (
      address !== undefined &&
      wanted.interfaces.some((f) => f.addresses.some((a) => a.family === address.family && a.value === address.value))
    );
  }
  return address !== undefined && address.family === wanted.family && address.value === wanted.value;
}

/** The actions that may answer: those of every rule that can hold, and the default; with a request, the first that does. */
export function actionsOf(
  rules: readonly { readonly conditions: readonly ListenerCondition[]; readonly action: ListenerAction }[],
  otherwise: ListenerAction,
  client: Place,
  request: Request | undefined,
): readonly ListenerAction[] {
  const out: ListenerAction[] = [];
  for (const rule of rules) {
    const holds = rule.conditions.map((c) => conditionHolds(c, client, request));
    if (holds.includes("no")) continue;
    out.push(rule.action);
    if (holds.every((h) => h === "yes")) return out;
  }
  return [...out, otherwise];
}

/** Values of one condition are OR-ed; without a request every condition on it may hold (LB-4). */
function conditionHolds(
  condition: ListenerCondition,
  client: Place,
  request: Request | undefined,
): "yes" | "no" | "maybe" {
  const { field, values } = condition;
  if (field === "source-ip") {
    const set = values.flatMap((v) => prefixOf(v) ?? []).map(prefixRange);
    return placeIn(client, set);
  }
  if (request === undefined) return "maybe";
  const some = (test: (value: string) => boolean): "yes" | "no" => (values.some(test) ? "yes" : "no");
  const host = request.host;
  switch (field) {
    case "host-header":
      return host === undefined ? "maybe" : some((v) => wildcard(v.toLowerCase(), host.toLowerCase()));
    case "path-pattern":
      return some((v) => wildcard(v, request.path.split("?")[0] ?? ""));
    case "http-request-method":
      return some((v) => v === request.method);
    case "http-header": {
      const value = request.headers.get((condition.header ?? "").toLowerCase());
      return value === undefined ? "no" : some((v) => wildcard(v.toLowerCase(), value.toLowerCase()));
    }
    case "query-string": {
      const query = (request.path.split("?")[1] ?? "").split("&");
      return some((v) =>
        query.some((part) =>
          v.startsWith("=") ? wildcard(v.slice(1), part.split("=")[1] ?? part) : wildcard(v, part),
        ),
      );
    }
    default:
      return "maybe";
  }
}

/** `*` for any text, `?` for one character. */
export function wildcard(pattern: string, text: string): boolean {
  let at = 0;
  /** Where to go on after the last `*`: in the pattern behind it, in the text one character further each time. */
  let back: { readonly pattern: number; text: number } | undefined;
  for (let i = 0; i < text.length; ) {
    const wanted = pattern[at];
    if (wanted === "*") back = { pattern: ++at, text: i };
    else if (wanted === "?" || wanted === text[i]) {
      at += 1;
      i += 1;
    } else if (back !== undefined) {
      at = back.pattern;
      i = ++back.text;
    } else return false;
  }
  return /^\**$/.test(pattern.slice(at));
}
