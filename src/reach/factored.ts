/**
 * The whole answer in factored form: for each class of endpoints and each direction, what passes with everybody, and
 * which classes of others differ from that. Its size follows the matches of the rules, not the number of pairs; what
 * passes between two ends is the intersection of the two entries that concern them.
 */

import type { Direction, Peer, Policy, Selector } from "../policy/rule.ts";
import type { Bounded } from "./bounded.ts";
import type { Connections } from "./connection.ts";
import type { Endpoint } from "./endpoint.ts";
import type { IdentityIndex } from "./identity-index.ts";
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
  const table = new ClassTable(inventory, connections);
  const sides: FactoredSide[] = [];
  for (const one of table.classes) {
    for (const direction of ["egress", "ingress"] as const) {
      const side = factorSide(connections.sides, direction, one, table);
      if (side !== undefined) sides.push(side);
    }
  }
  return { classes: table.classes, sides };
}

/** Places of classes in the table. */
type Places = readonly number[];

/** The classes of pods, found by what peers of rules ask for. */
class ClassTable {
  readonly classes: readonly EndpointClass[];
  /** Of each class the number of a group; all 0 between two uses. */
  readonly groupOf: Int32Array;
  private readonly index: IdentityIndex;
  private readonly byIdentity = new Map<number, number[]>();
  private readonly bySelector = new Map<Matched, readonly Places[]>();
  private readonly idsOf = new WeakMap<Places, readonly number[]>();

  constructor(inventory: Inventory, connections: Connections) {
    this.index = connections.matching.index;
    const members = new Map<number, Endpoint[]>();
    for (const { members: endpoints } of inventory.groups) {
      let before: Extract<Endpoint, { kind: "pod" }> | undefined;
      let list: Endpoint[] = [];
      for (const endpoint of endpoints) {
        if (endpoint.kind !== "pod") continue;
        if (before === undefined || !connections.sides.areAlike(before, endpoint)) {
          const id = connections.classOf(endpoint);
          list = members.get(id) ?? [];
          members.set(id, list);
        }
        list.push(endpoint);
        before = endpoint;
      }
    }
    this.classes = [...members].flatMap(([id, endpoints]) => {
      const [first] = endpoints;
      return first === undefined ? [] : [{ id, view: connections.viewOf(first), members: endpoints }];
    });
    this.groupOf = new Int32Array(this.classes.length);
    for (const [place, { view }] of this.classes.entries()) {
      const list = this.byIdentity.get(view.identity.id);
      if (list === undefined) this.byIdentity.set(view.identity.id, [place]);
      else list.push(place);
    }
  }

  /** The classes that a selector matches, and those that it may match; selectors of the same terms share the lists. */
  matching(selector: Selector): readonly Places[] {
    const matched = this.index.all(selector);
    let found = this.bySelector.get(matched);
    if (found === undefined) {
      const yes: number[] = [];
      const maybe: number[] = [];
      for (const [id, how] of matched) (how === "yes" ? yes : maybe).push(...(this.byIdentity.get(id) ?? []));
      found = [yes, maybe];
      this.bySelector.set(matched, found);
    }
    return found;
  }

  /** Every class alone. */
  each(): readonly Places[] {
    return this.classes.map((_, place) => [place]);
  }

  /** The ids of the classes at these places; lists that are shared have shared ids. */
  ids(places: Places): readonly number[] {
    let ids = this.idsOf.get(places);
    if (ids === undefined) {
      ids = places.map((place) => this.classes[place]?.id ?? -1);
      this.idsOf.set(places, ids);
    }
    return ids;
  }

  /** The first class that stands in none of the lists. */
  firstWithout(lists: readonly Places[]): EndpointClass | undefined {
    for (const list of lists) for (const place of list) this.groupOf[place] = 1;
    const first = this.classes.find((_, place) => this.groupOf[place] === 0);
    for (const list of lists) for (const place of list) this.groupOf[place] = 0;
    return first;
  }
}

type Matched = ReturnType<IdentityIndex["all"]>;

/** One side of one class; undefined where no policy touches it, so that everything passes. */
function factorSide(
  sides: Sides,
  direction: Direction,
  self: EndpointClass,
  table: ClassTable,
): FactoredSide | undefined {
  const subject = sides.subject(self.view);
  const policies = subject.selections.map((s) => s.policy);
  if (!subject.closed && !policies.some((p) => p.isolation[direction] !== "untouched" || ruled(p, direction))) {
    return undefined;
  }
  const asked = askedOf(direction, policies);
  const parts = asked === "more" ? table.each() : partition(table, asked);
  const groups: FactoredGroup[] = [];
  let told = 0;
  for (const places of parts) {
    const sample = table.classes[places[0] ?? -1];
    if (sample === undefined) continue;
    told += places.length;
    groups.push({ others: table.ids(places), flows: sides.evaluate(direction, self.view, sample.view) });
  }
  const rest = told === table.classes.length ? undefined : table.firstWithout(parts);
  const otherwise = rest === undefined ? groups[0]?.flows : sides.evaluate(direction, self.view, rest.view);
  return otherwise === undefined ? undefined : { direction, classId: self.id, otherwise, groups };
}

function ruled(policy: Policy, direction: Direction): boolean {
  return policy.rules.some((rule) => rule.direction === direction);
}

/** The selectors of the rules' peers, and those that narrow them, without repetition; `more` where some peer tells pods apart by more than labels. */
function askedOf(direction: Direction, policies: readonly Policy[]): readonly Selector[] | "more" {
  const out = new Set<Selector>();
  for (const policy of policies) {
    // What a peer means is narrowed by what policies require (cilium.md R4.7.1).
    for (const selectors of Object.values(policy.requires ?? {})) for (const selector of selectors) out.add(selector);
    for (const rule of policy.rules) {
      if (rule.direction !== direction) continue;
      const named = direction === "egress" && rule.traffic.some((t) => t.match.kind === "named");
      for (const peer of rule.peers) {
        if (peer.kind === "labels" && peer.same === undefined && peer.notSame === undefined && !named)
          out.add(peer.selector);
        else if (named || isSeenByPods(peer)) return "more";
      }
    }
  }
  return [...out];
}

/** Whether the peer tells pods apart at all. */
function isSeenByPods(peer: Peer): boolean {
  return peer.kind !== "any" && peer.kind !== "names" && !(peer.kind === "addresses" && peer.scope === "outside");
}

/** Places of the classes that some selector tells from the rest, those together that the same selectors match. */
function partition(table: ClassTable, selectors: readonly Selector[]): readonly Places[] {
  const lists = selectors.flatMap((selector) => table.matching(selector)).filter((list) => list.length > 0);
  if (lists.length < 2) return lists;
  const { groupOf } = table;
  // Groups are numbered from 1; 0 is the rest.
  const groups: number[][] = [[]];
  for (const list of lists) {
    const parts = new Map<number, number>();
    let last = -1;
    let next = 0;
    for (const place of list) {
      const old = groupOf[place] ?? 0;
      if (old !== last) {
        last = old;
        next = parts.get(old) ?? groups.push([]) - 1;
        parts.set(old, next);
      }
      groupOf[place] = next;
    }
  }
  for (const list of lists) {
    for (const place of list) {
      const group = groupOf[place] ?? 0;
      if (group !== 0) groups[group]?.push(place);
      groupOf[place] = 0;
    }
  }
  return groups.filter((group) => group.length > 0);
}
