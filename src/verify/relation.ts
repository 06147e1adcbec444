/** Relations between two sets of policies over the same endpoints (design: `relation`), and diffs of two folders. */

import {
  type FlowSet,
  flowIntersect,
  flowsEmpty,
  flowsEqual,
  flowSubtract,
  flowUnion,
  NO_FLOWS,
  restrictFamilies,
} from "../net/flow-set.ts";
import { type Bounded, boundedIntersect, NO_BOUNDED } from "../reach/bounded.ts";
import { type Endpoint, endpointFamilies } from "../reach/endpoint.ts";
import type { Engine } from "../reach/engine.ts";
import { parseRange } from "../reach/inventory.ts";
import { ALL_ADDRESSES } from "../net/address.ts";
import type { RowResult } from "./check.ts";
import { flowsText } from "./connectivity.ts";
import type { DiffRow, Relation } from "./expectation.ts";

/** Every ordered pair of ends, the same in both engines; what is outside is cut by the rules of both. */
function* pairsOf(a: Engine, b: Engine): Iterable<readonly [Endpoint, Endpoint]> {
  const inside = a.inventory.groups.flatMap((g) => g.members);
  const outside = a.inventory
    .outside(ALL_ADDRESSES)
    .flatMap((e) => (e.kind === "outside" ? b.inventory.outside([e.range]) : []));
  for (const from of inside) {
    for (const to of inside) yield [from, to];
    for (const to of outside) {
      yield [from, to];
      yield [to, from];
    }
  }
}

type Judgement = "holds" | "fails" | "unsure";

/** Whether the relation holds; with the first pair that speaks against it. */
export function checkRelation(relation: Relation, a: Engine, b: Engine): RowResult {
  let judgement: Judgement = "holds";
  let witness = "";
  for (const [from, to] of pairsOf(a, b)) {
    const families = endpointFamilies(from).filter((f) => endpointFamilies(to).includes(f));
    const cut = (x: Bounded): Bounded => ({
      must: restrictFamilies(x.must, families),
      may: restrictFamilies(x.may, families),
      because: x.because,
    });
    const ofA = cut(a.connections.between(from, to));
    const ofB = cut(
      relation.kind === "permits" || relation.kind === "forbids"
        ? explicit(b, from, to)
        : b.connections.between(from, to),
    );
    const one = judge(relation.kind, ofA, ofB);
    if (one === "holds") continue;
    if (judgement === "holds" || one === "fails") {
      judgement = one;
      witness = `${from.name} → ${to.name}: a ${flowsText(ofA.must, families)}, b ${flowsText(ofB.must, families)}`;
    }
    if (one === "fails") break;
  }
  const expected = relation.holds ? "holds" : "fails";
  return {
    text: `${relation.kind} of ${relation.a}${relation.b === undefined ? "" : ` and ${relation.b}`}`,
    expected,
    actual: judgement,
    passed: judgement === expected,
    decidedBy: [],
    why: witness,
  };
}

function judge(kind: Relation["kind"], a: Bounded, b: Bounded): Judgement {
  switch (kind) {
    case "equivalence":
    case "vacuity":
      if (flowsEqual(a.must, a.may) && flowsEqual(b.must, b.may)) return flowsEqual(a.must, b.must) ? "holds" : "fails";
      return differs(a, b) || differs(b, a) ? "fails" : "unsure";
    case "containment":
      return within(b, a);
    case "permits":
      return within(b, a);
    case "forbids":
      if (flowsEmpty(flowIntersect(a.may, b.may))) return "holds";
      return flowsEmpty(flowIntersect(a.must, b.must)) ? "unsure" : "fails";
  }
}

/** Whether something certainly passes in `a` and certainly not in `b`. */
function differs(a: Bounded, b: Bounded): boolean {
  return !flowsEmpty(flowSubtract(a.must, b.may));
}

function within(inner: Bounded, outer: Bounded): Judgement {
  if (flowsEmpty(flowSubtract(inner.may, outer.must))) return "holds";
  return flowsEmpty(flowSubtract(inner.must, outer.may)) ? "unsure" : "fails";
}

/** What the allow rules of a set name themselves, on whichever side they stand, and let through. */
function explicit(engine: Engine, from: Endpoint, to: Endpoint): Bounded {
  const { sides } = engine.connections;
  let may: FlowSet = NO_FLOWS;
  let must: FlowSet = NO_FLOWS;
  for (const sight of engine.connections.sights(from, to)) {
    for (const [direction, self, other] of [
      ["egress", sight.fromSelf, sight.to],
      ["ingress", sight.toSelf, sight.from],
    ] as const) {
      const policies = sides.subject(self).selections.map((s) => s.policy);
      for (const tier of engine.policies.tiers) {
        for (const match of sides.matches(direction, policies, self, other, tier.name).matches) {
          if (match.rule.action !== "allow") continue;
          may = flowUnion(may, match.flows);
          if (match.peer.yes === 3) must = flowUnion(must, match.flows);
        }
      }
    }
  }
  if (flowsEmpty(may)) return NO_BOUNDED;
  return boundedIntersect({ must, may, because: [] }, engine.connections.between(from, to));
}

/** Compares two folders row by row: what was gained, lost or changed. */
export function checkDiff(rows: readonly DiffRow[], before: Engine, after: Engine): RowResult[] {
  return rows.map((row) => {
    const flows = (engine: Engine): { must: FlowSet; may: FlowSet } => between(engine, row.from, row.to);
    const old = flows(before);
    const now = flows(after);
    const exact = flowsEqual(old.must, old.may) && flowsEqual(now.must, now.may);
    const passed = exact && flowsEqual(old.must, row.before) && flowsEqual(now.must, row.after);
    const text = (set: FlowSet): string => flowsText(set, ["IPv4", "IPv6"]);
    return {
      text: row.text,
      expected: `${text(row.before)} then ${text(row.after)}`,
      actual: `${text(old.must)} then ${text(now.must)}${exact ? "" : " (unsure)"}`,
      passed,
      decidedBy: [],
      why: "",
    };
  });
}

/** What passes between every member of one name and every member of another; nothing where a name is unknown there. */
function between(engine: Engine, from: string, to: string): { must: FlowSet; may: FlowSet } {
  const members = (name: string): readonly Endpoint[] => {
    const range = parseRange(name);
    if (range !== undefined) return engine.inventory.outside([range]);
    const resolved = engine.inventory.resolve(name);
    return resolved.kind === "endpoints" ? resolved.members : [];
  };
  let must: FlowSet | undefined;
  let may: FlowSet = NO_FLOWS;
  for (const a of members(from)) {
    for (const b of members(to)) {
      const bounds = engine.connections.between(a, b);
      must = must === undefined ? bounds.must : flowIntersect(must, bounds.must);
      may = flowUnion(may, bounds.may);
    }
  }
  return { must: must ?? NO_FLOWS, may };
}
