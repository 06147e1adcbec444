/**
 * What a change of a VPC does: connections gained and lost, by pair, with the rules that did it. Two tellings of one network
 * – a plan and what AWS answers – are compared too: their machines are matched by name, tag or address.
 */
import type { Because } from "../../base/because.ts";
import {
  type AddressRange,
  addressIntersect,
  FAMILIES,
  type Family,
  formatAddress,
  formatRange,
} from "../../net/address.ts";
import { flowsEmpty, flowsEqual, flowSubtract, flowUnion, NO_FLOWS, portFlows } from "../../net/flow-set.ts";
import { type Bounded, boundedIntersect, boundedUnion, exactly, NO_BOUNDED } from "../../reach/bounded.ts";
import type { FlowPoint } from "../../reach/explain.ts";
import { type NetworkChange, networkChanges } from "../../vpc/changes.ts";
import type { Place } from "../../vpc/decide/place.ts";
import { type Decision, decide } from "../../vpc/decide/stage.ts";
import type { VpcEngine } from "../../vpc/engine.ts";
import { forwardsOf } from "../../vpc/forwards.ts";
import { type Cause, changeOf, countsOfChanges, type Diff, type PairChange, pairChange, samplePoint } from "../diff.ts";
import { familyFreeKey, joinedRanges } from "../network.ts";
import { admitting, closing, distinctOrigins, passageBetween, type VpcEnd, vpcEnds, type VpcPassage } from "./ends.ts";

/** One end as both networks know it. */
interface Pair {
  readonly name: string;
  readonly old: VpcEnd | undefined;
  readonly next: VpcEnd | undefined;
}

/** Compares two VPCs. */
export function vpcDiff(old: VpcEngine, next: VpcEngine): Diff {
  return new Comparison(old, next).diff();
}

class Comparison {
  private readonly old: VpcEngine;
  private readonly next: VpcEngine;
  private readonly ends: readonly Pair[];
  private readonly outside: readonly Place[];
  private readonly written: readonly NetworkChange[];

  constructor(old: VpcEngine, next: VpcEngine) {
    this.old = old;
    this.next = next;
    this.ends = paired(vpcEnds(old), vpcEnds(next));
    const shared = addressIntersect(old.inventory.internet(), next.inventory.internet());
    this.outside = old.inventory.outside(shared).flatMap((place) => next.inventory.outside([place.range]));
    this.written = networkChanges(old.network, next.network);
  }

  diff(): Diff {
    const changes: PairChange[] = [];
    let pairs = 0;
    for (const from of this.ends) {
      for (const to of this.ends) {
        if (from === to) continue;
        pairs++;
        const [a, b] = [placesOf(from, to, "old"), placesOf(from, to, "next")];
        changes.push(...this.change(from.name, to.name, a, b, [from, to]));
      }
    }
    for (const end of this.ends) {
      pairs += 2;
      changes.push(...this.withOutside(end, "to"), ...this.withOutside(end, "from"));
    }
    changes.push(...this.forwarded());
    const only = (side: "old" | "next"): string[] =>
      this.ends.filter((end) => end[side === "old" ? "next" : "old"] === undefined).map((end) => end.name);
    return {
      changes,
      appeared: only("next"),
      disappeared: only("old"),
      policies: this.written,
      counts: countsOfChanges(changes, pairs),
    };
  }

  private change(
    from: string,
    to: string,
    before: Places | undefined,
    after: Places | undefined,
    ends: readonly Pair[],
  ): readonly PairChange[] {
    const [was, is] = [passing(this.old, before), passing(this.next, after)];
    const families = FAMILIES.filter((family) => was.families.includes(family) || is.families.includes(family));
    const change = changeOf(was.bounds, is.bounds, { name: from }, { name: to }, families);
    if (change === undefined) return [];
    const points = [change.gainedFlows, change.lostFlows, flowUnion(was.bounds.may, is.bounds.may)].flatMap(
      (flows) => samplePoint(flows) ?? [],
    );
    return [pairChange(change, this.attribution(points, before, after, ends))];
  }

  // ── who did it ───────────────────────────────────────────────────────────────────────────────────────────────────

  private attribution(
    points: readonly FlowPoint[],
    before: Places | undefined,
    after: Places | undefined,
    ends: readonly Pair[],
  ): Pick<PairChange, "by" | "causes"> {
    const decided = [
      ...decisions(this.old, before, points).map((decision) => ({ side: "old" as const, engine: this.old, decision })),
      ...decisions(this.next, after, points).map((decision) => ({ side: "new" as const, engine: this.next, decision })),
    ];
    const touched = new Set<string>();
    for (const { decision } of decided) {
      for (const { judgement, stage } of decision.judged) {
        touched.add(stage.at);
        for (const one of judgement.deciders) touched.add(one).add(one.replace(/->.*$/, ""));
      }
    }
    for (const end of ends) touched.add(end.name);
    const causes = new Map<string, Cause>();
    for (const { side, engine, decision } of decided.slice(0, 64)) {
      const origins = distinctOrigins(
        decision.verdict === "deny"
          ? closing(engine, decision)
          : [...admitting(engine, decision, "egress"), ...admitting(engine, decision, "ingress")],
      );
      const key = `${side} ${origins.map((one) => one.name).join()}`;
      if (origins.length > 0) causes.set(key, { in: side, reason: "rule", origins, isolatedBy: [] });
    }
    return { by: this.written.filter((one) => touched.has(one.name)), causes: [...causes.values()] };
  }

  // ── what is outside ──────────────────────────────────────────────────────────────────────────────────────────────

  private withOutside(end: Pair, side: "from" | "to"): readonly PairChange[] {
    const groups = new Map<string, { readonly places: Place[]; readonly before: Bounded; readonly after: Bounded }>();
    let asked = 0;
    const inner = end.next ?? end.old;
    for (const place of this.outside) {
      if (inner === undefined || !inner.end.places.some((one) => one.family === place.family)) continue;
      asked++;
      const before = passing(this.old, sided(end.old, [place], side)).bounds;
      const after = passing(this.next, sided(end.next, [place], side)).bounds;
      if (flowsEqual(before.must, after.must) && flowsEqual(before.may, after.may)) continue;
      const sets = [before.must, before.may, after.must, after.may];
      const key = sets.map((set) => familyFreeKey(set, place.family)).join("|");
      const known = groups.get(key);
      groups.set(key, {
        places: [...(known?.places ?? []), place],
        before: known === undefined ? before : boundedUnion(known.before, before),
        after: known === undefined ? after : boundedUnion(known.after, after),
      });
    }
    return [...groups.values()].flatMap(({ places, before, after }) => {
      const ranges = places.map((place) => place.range);
      const name = ranges.length === asked ? "internet" : joinedText(ranges);
      const [from, to] = side === "to" ? [end.name, name] : [name, end.name];
      const families = FAMILIES.filter((family) => ranges.some((range) => range.family === family));
      const change = changeOf(before, after, { name: from }, { name: to }, families);
      if (change === undefined) return [];
      const points = [change.gainedFlows, change.lostFlows].flatMap((flows) => samplePoint(flows) ?? []);
      const own = places.slice(0, 1);
      const cause = this.attribution(points, sided(end.old, own, side), sided(end.next, own, side), [end]);
      return [pairChange(change, cause)];
    });
  }

  // ── over load balancers ──────────────────────────────────────────────────────────────────────────────────────────

  /** What a listener sends to a machine, where it comes to be sent or is sent no more. */
  private forwarded(): readonly PairChange[] {
    const [a, b] = [this.forwardsIn("old"), this.forwardsIn("next")];
    return [...new Set([...a.keys(), ...b.keys()])].flatMap((key) => {
      const [before, after] = [a.get(key), b.get(key)];
      const one = after ?? before;
      if (one === undefined) return [];
      const [was, is] = [before?.bounds ?? NO_BOUNDED, after?.bounds ?? NO_BOUNDED];
      const change = changeOf(was, is, { name: one.from }, { name: one.to.name }, ["IPv4"]);
      if (change === undefined) return [];
      const points = [change.gainedFlows, change.lostFlows].flatMap((flows) => samplePoint(flows) ?? []);
      const cause = this.attribution(points, before?.places, after?.places, [one.to, one.via]);
      const own = this.written.filter((w) => one.cited.has(w.name) || before?.cited.has(w.name) === true);
      return [pairChange(change, { ...cause, by: [...new Set([...own, ...cause.by])] })];
    });
  }

  private forwardsIn(side: "old" | "next"): ReadonlyMap<string, Forwarded> {
    const engine = side === "old" ? this.old : this.next;
    const out = new Map<string, Forwarded>();
    const pairOf = (name: string): Pair | undefined => this.ends.find((end) => end[side]?.name === name);
    for (const balancer of engine.network.balancers.values()) {
      for (const { listener, protocol, port, group, target } of forwardsOf(engine, balancer)) {
        const [via, to] = [pairOf(balancer.name), pairOf(target.name)];
        if (via === undefined || to === undefined) continue;
        const places = placesOf(via, to, side);
        const bounds = boundedIntersect(passing(engine, places).bounds, exactly(portFlows(protocol, port, port)));
        const from = `${via.name}:${listener.port}`;
        const key = `${from} ${to.name}`;
        const known = out.get(key);
        out.set(key, {
          from,
          to,
          via,
          places,
          bounds: known === undefined ? bounds : boundedUnion(known.bounds, bounds),
          cited: new Set([...(known?.cited ?? []), listener.name, group.name, balancer.name]),
        });
      }
    }
    return out;
  }
}

interface Forwarded {
  readonly from: string;
  readonly to: Pair;
  readonly via: Pair;
  readonly places: Places | undefined;
  readonly bounds: Bounded;
  /** What writes it. */
  readonly cited: ReadonlySet<string>;
}

/** Both ends of a connection as one of the networks has them. */
interface Places {
  readonly from: readonly Place[];
  readonly to: readonly Place[];
}

function placesOf(from: Pair, to: Pair, side: "old" | "next"): Places | undefined {
  const [a, b] = [from[side], to[side]];
  return a === undefined || b === undefined ? undefined : { from: a.end.places, to: b.end.places };
}

function sided(end: VpcEnd | undefined, outside: readonly Place[], side: "from" | "to"): Places | undefined {
  if (end === undefined) return undefined;
  return side === "to" ? { from: end.end.places, to: outside } : { from: outside, to: end.end.places };
}

const PARTLY: Because = { code: "partly", detail: "some interfaces, or some of the client's ports" };

function passing(engine: VpcEngine, places: Places | undefined): { bounds: Bounded; families: readonly Family[] } {
  if (places === undefined) return { bounds: NO_BOUNDED, families: [] };
  const found: VpcPassage = passageBetween(engine, places.from, places.to);
  const { every, some, may } = found;
  const partly = flowsEmpty(flowSubtract(some, every)) ? [] : [PARTLY];
  const because = flowsEmpty(flowSubtract(may, every)) ? [] : [...found.because, ...partly];
  return { bounds: { must: every, may: flowUnion(may, NO_FLOWS), because }, families: found.families };
}

function decisions(engine: VpcEngine, places: Places | undefined, points: readonly FlowPoint[]): readonly Decision[] {
  if (places === undefined) return [];
  return points.flatMap(({ family, protocol, port }) =>
    places.from.flatMap((a) =>
      places.to.flatMap((b) =>
        a.family !== family || b.family !== family || (a.face !== undefined && a.face === b.face)
          ? []
          : [decide(engine.stages(a, b), { family, protocol, first: port, last: port })],
      ),
    ),
  );
}

function joinedText(ranges: readonly AddressRange[]): string {
  return joinedRanges(ranges).map(formatRange).join(", ");
}

// ── the same thing in two networks ─────────────────────────────────────────────────────────────────────────────────

/** What tells who an end is, the surest first: its name, its tag, its addresses, where it stands. */
const MARKS: readonly ((end: VpcEnd) => string | undefined)[] = [
  (end) => end.name,
  ({ owner }) => tagged(owner.kind, owner.tags.get("Name")),
  ({ owner }) => {
    const own = owner.interfaces.flatMap((face) => face.addresses).map(formatAddress);
    return own.length === 0 ? undefined : own.sort().join();
  },
  ({ owner, end }) => tagged(owner.kind, [...new Set(end.places.map((place) => subnetText(place)))].sort().join()),
];

function tagged(kind: string, text: string | undefined): string | undefined {
  // An instance whose template the other telling does not have is an interface there.
  return text === undefined || text === "" ? undefined : `${kind} ${text}`;
}

function subnetText({ subnet }: Place): string {
  return subnet === undefined
    ? ""
    : [subnet.cidr4, subnet.cidr6].map((c) => (c === undefined ? "" : `${c.base}/${c.length}`)).join();
}

/** Pairs ends by each mark that is theirs alone on both sides; those that are left have no counterpart. */
function paired(old: readonly VpcEnd[], next: readonly VpcEnd[]): readonly Pair[] {
  const partner = new Map<VpcEnd, VpcEnd>();
  for (const mark of MARKS) {
    const free = (list: readonly VpcEnd[]): ReadonlyMap<string, VpcEnd | undefined> => {
      const out = new Map<string, VpcEnd | undefined>();
      for (const end of list) {
        const text = partner.has(end) ? undefined : mark(end);
        if (text !== undefined) out.set(text, out.has(text) ? undefined : end);
      }
      return out;
    };
    const [a, b] = [free(old), free(next)];
    for (const [text, end] of a) {
      const other = b.get(text);
      if (end === undefined || other === undefined) continue;
      partner.set(end, other);
      partner.set(other, end);
    }
  }
  return [
    ...old.map((end) => ({ name: (partner.get(end) ?? end).name, old: end, next: partner.get(end) })),
    ...next.filter((end) => !partner.has(end)).map((end) => ({ name: end.name, old: undefined, next: end })),
  ];
}
