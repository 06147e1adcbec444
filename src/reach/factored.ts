/**
 * The whole answer in factored form: for each class of endpoints and each direction, what passes with everybody, and
 * which classes of others differ from that. Its size follows the matches of the rules, not the number of pairs; what
 * passes between two ends is the intersection of the two entries that concern them.
 */

import type { Direction, Policy } from "../policy/rule.ts";
import type { Bounded } from "./bounded.ts";
import type { Connections } from "./connection.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Inventory } from "./inventory.ts";
import type { View } from "./matching.ts";
import type { Sides } from "./side.ts";

/** Endpoints that no rule at hand tells apart. */
export interface EndpointClass {
  readonly id: number;
  readonly view: View;
  readonly members: readonly Endpoint[];
}

/** Others with one answer. */
export interface FactoredGroup {
  /** Ids of classes. */
  readonly others: readonly number[];
  readonly flows: Bounded;
}

/** What one class lets through in one direction. */
export interface FactoredSide {
  readonly direction: Direction;
  readonly classId: number;
  /** With every other class of pods that no group lists. */
  readonly otherwise: Bounded;
  readonly groups: readonly FactoredGroup[];
}

export interface Factored {
  readonly classes: readonly EndpointClass[];
  readonly sides: readonly FactoredSide[];
}

/** Solves for all pods. */
export function factor(inventory: Inventory, connections: Connections): Factored {
  const members = new Map<number, { view: View; members: Endpoint[] }>();
  for (const group of inventory.groups) {
    for (const endpoint of group.members) {
      if (endpoint.kind !== "pod") continue;
      const view = connections.viewOf(endpoint);
      const known = members.get(view.classId);
      if (known === undefined) members.set(view.classId, { view, members: [endpoint] });
      else known.members.push(endpoint);
    }
  }
  const classes = [...members].map(([id, c]) => ({ id, ...c }));
  const byIdentity = new Map<number, EndpointClass[]>();
  for (const one of classes) {
    const list = byIdentity.get(one.view.identity.id);
    if (list === undefined) byIdentity.set(one.view.identity.id, [one]);
    else list.push(one);
  }
  const sides: FactoredSide[] = [];
  for (const one of classes) {
    for (const direction of ["egress", "ingress"] as const) {
      const side = factorSide(connections.sides, direction, one, classes, byIdentity);
      if (side !== undefined) sides.push(side);
    }
  }
  return { classes, sides };
}

/** One side of one class; undefined where no policy touches it, so that everything passes. */
function factorSide(
  sides: Sides,
  direction: Direction,
  self: EndpointClass,
  classes: readonly EndpointClass[],
  byIdentity: ReadonlyMap<number, readonly EndpointClass[]>,
): FactoredSide | undefined {
  const subject = sides.subject(self.view);
  const policies = subject.selections.map((s) => s.policy);
  if (!subject.closed && !policies.some((p) => p.isolation[direction] !== "untouched" || ruled(p, direction))) {
    return undefined;
  }
  const told = toldApart(sides, direction, policies, classes, byIdentity);
  const bySignature = new Map<string, EndpointClass[]>();
  for (const [other, signature] of told) {
    const list = bySignature.get(signature);
    if (list === undefined) bySignature.set(signature, [other]);
    else list.push(other);
  }
  const groups: FactoredGroup[] = [];
  for (const others of bySignature.values()) {
    const [sample] = others;
    if (sample === undefined) continue;
    groups.push({ others: others.map((o) => o.id), flows: sides.evaluate(direction, self.view, sample.view) });
  }
  const rest = classes.find((c) => !told.has(c));
  const otherwise = rest === undefined ? groups[0]?.flows : sides.evaluate(direction, self.view, rest.view);
  return otherwise === undefined ? undefined : { direction, classId: self.id, otherwise, groups };
}

function ruled(policy: Policy, direction: Direction): boolean {
  return policy.rules.some((rule) => rule.direction === direction);
}

/** The classes that some rule of the policies tells from the rest, each with the text of what matches it. */
function toldApart(
  sides: Sides,
  direction: Direction,
  policies: readonly Policy[],
  classes: readonly EndpointClass[],
  byIdentity: ReadonlyMap<number, readonly EndpointClass[]>,
): ReadonlyMap<EndpointClass, string> {
  const told = new Map<EndpointClass, string>();
  let n = 0;
  const note = (one: EndpointClass, mark: string): void => {
    told.set(one, `${told.get(one) ?? ""} ${mark}`);
  };
  for (const policy of policies) {
    for (const rule of policy.rules) {
      if (rule.direction !== direction) continue;
      const named = direction === "egress" && rule.traffic.some((t) => t.match.kind === "named");
      for (const peer of rule.peers) {
        n++;
        if (peer.kind === "labels" && peer.same === undefined && peer.notSame === undefined && !named) {
          for (const [id, how] of sides.matching.index.all(peer.selector)) {
            for (const one of byIdentity.get(id) ?? []) note(one, how === "yes" ? `${n}` : `${n}?`);
          }
        } else if (
          peer.kind !== "any" &&
          peer.kind !== "names" &&
          !(peer.kind === "addresses" && peer.scope === "outside")
        ) {
          // What is told apart by more than labels is judged class by class.
          for (const one of classes) note(one, `${n}:${one.id}`);
        } else if (named) for (const one of classes) note(one, `${n}:${one.id}`);
      }
    }
  }
  return told;
}
