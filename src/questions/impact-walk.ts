/**
 * The area of impact as a walk: from what has fallen to everything that it may open a connection to, whatever the network.
 */
import type { Because } from "../base/because.ts";
import type { Family } from "../net/address.ts";
import { type FlowSet, flowIntersect, flowsEmpty, flowSubtract } from "../net/flow-set.ts";
import type { Bounded } from "../reach/bounded.ts";
import { type FlowEntry, listFlows } from "../reach/flow-list.ts";
import { CONNECTIONS, openness, type Openness } from "./network.ts";

/** One step of the way: from an endpoint that has fallen to the next. */
export interface Step {
  readonly from: string;
  readonly to: string;
  /** Counted from the endpoint that falls first: 1 is reached directly. */
  readonly distance: number;
  /** What passes on this step. */
  readonly flows: readonly FlowEntry[];
  /** Only some requests pass: the step is narrower than a connection. */
  readonly narrowed: boolean;
  /** Only for steps that are not certain. */
  readonly because: readonly Because[];
}

/** A way to a target, from the first endpoint on. */
export interface WayTo {
  readonly certain: boolean;
  readonly steps: readonly Step[];
}

export interface Impact {
  readonly endpoint: string;
  readonly application: string;
  /** What certainly falls, nearest first; each by one shortest way. */
  readonly steps: readonly Step[];
  /** What falls only if something unsure passes; not counted in `steps`. */
  readonly possible: readonly Step[];
  /** Other applications that certainly fall. */
  readonly applications: readonly string[];
  /** Whether it, or something that falls, certainly reaches the internet; `unsure` where it only may. */
  readonly internet: "allow" | "unsure" | "deny";
  /** The number of endpoints that fall without any policy. */
  readonly without: number;
}

/** The steps between all ends of an input; asked for lazily and kept. */
export abstract class ImpactWalk<U extends { readonly name: string }> {
  readonly units: readonly U[];
  private readonly numbers: ReadonlyMap<string, number>;
  private readonly rows = new Map<number, readonly Openness[]>();
  private readonly outward = new Map<number, "allow" | "unsure" | "deny">();

  constructor(units: readonly U[]) {
    this.units = units;
    this.numbers = new Map(units.map((unit, i) => [unit.name, i]));
  }

  /** What passes from one to another. */
  protected abstract between(from: U, to: U): Bounded;
  /** The families in which two can talk. */
  protected abstract families(from: U, to: U): readonly Family[];
  protected abstract applicationOf(unit: U): string;
  /** Whether one reaches the internet. */
  protected abstract leaves(unit: U): "allow" | "unsure" | "deny";
  /** How many fall with it without any rule. */
  protected abstract without(unit: U): number;
  /** The units that a name of the contract means. */
  abstract named(name: string): readonly U[];

  /** Whether a step is narrower than a connection. */
  protected narrows(_from: U, _to: U, bounds: Bounded): boolean {
    return openness(bounds).narrowed;
  }

  private row(from: number): readonly Openness[] {
    let row = this.rows.get(from);
    if (row === undefined) {
      const source = this.units[from];
      row = this.units.map((target, to) =>
        source === undefined || to === from
          ? { verdict: "deny", narrowed: false }
          : openness(this.between(source, target)),
      );
      this.rows.set(from, row);
    }
    return row;
  }

  private reachesOut(from: number): "allow" | "unsure" | "deny" {
    const unit = this.units[from];
    const verdict = this.outward.get(from) ?? (unit === undefined ? "deny" : this.leaves(unit));
    this.outward.set(from, verdict);
    return verdict;
  }

  /** What falls with one endpoint. */
  impact(unit: U): Impact {
    const start = this.numbers.get(unit.name) ?? -1;
    const certain = this.walk([start], (edge) => edge.verdict === "allow");
    const possible = this.walk([start], (edge) => edge.verdict !== "deny");
    const steps = certain.map(({ from, to, distance }) => this.step(from, to, distance, true));
    const fallen = [start, ...certain.map(({ to }) => to)];
    const out = fallen.map((one) => this.reachesOut(one));
    const applications = new Set(
      fallen.flatMap((one) => this.units.slice(one, one + 1).map((u) => this.applicationOf(u))),
    );
    const own = this.applicationOf(unit);
    applications.delete(own);
    const certainly = new Set(fallen);
    return {
      endpoint: unit.name,
      application: own,
      steps,
      possible: possible
        .filter(({ to }) => !certainly.has(to))
        .map(({ from, to, distance }) => this.step(from, to, distance, this.row(from)[to]?.verdict === "allow")),
      applications: [...applications].sort(),
      internet: out.includes("allow") ? "allow" : out.includes("unsure") ? "unsure" : "deny",
      without: this.without(unit),
    };
  }

  /** How many endpoints certainly fall. */
  size(name: string): number {
    const start = this.numbers.get(name);
    return start === undefined ? 0 : this.walk([start], (edge) => edge.verdict === "allow").length;
  }

  /** Breadth first, in the order of the input. */
  private walk(
    starts: readonly number[],
    follows: (edge: Openness) => boolean,
  ): readonly { readonly from: number; readonly to: number; readonly distance: number }[] {
    const seen = new Set(starts);
    const out: { from: number; to: number; distance: number }[] = [];
    let level = [...starts];
    for (let distance = 1; level.length > 0; distance++) {
      const next: number[] = [];
      for (const from of level) {
        for (const [to, edge] of this.row(from).entries()) {
          if (seen.has(to) || !follows(edge)) continue;
          seen.add(to);
          out.push({ from, to, distance });
          next.push(to);
        }
      }
      level = next;
    }
    return out;
  }

  private step(from: number, to: number, distance: number, certain: boolean): Step {
    const [a, b] = [this.units[from], this.units[to]];
    if (a === undefined || b === undefined) throw new Error("a step between endpoints that are not there");
    const bounds = this.between(a, b);
    const flows: FlowSet = certain ? bounds.must : flowIntersect(flowSubtract(bounds.may, bounds.must), CONNECTIONS);
    return {
      from: a.name,
      to: b.name,
      distance,
      flows: flowsEmpty(flows) ? [] : listFlows(flows, this.families(a, b)),
      narrowed: this.narrows(a, b, bounds),
      because: certain ? [] : bounds.because,
    };
  }

  /** Shortest ways from one endpoint to another, at most `limit`; those that are certain where there are some. */
  ways(from: U, to: U, limit = 10): readonly WayTo[] {
    const [start, target] = [this.numbers.get(from.name), this.numbers.get(to.name)];
    if (start === undefined || target === undefined || start === target) return [];
    for (const certain of [true, false]) {
      const follows = (edge: Openness | undefined): boolean =>
        edge !== undefined && (certain ? edge.verdict === "allow" : edge.verdict !== "deny");
      const distances = new Map<number, number>([[start, 0]]);
      for (const { to: reached, distance } of this.walk([start], follows)) distances.set(reached, distance);
      const goal = distances.get(target);
      if (goal === undefined) continue;
      const found: number[][] = [];
      const back = (tail: readonly number[]): void => {
        const [head] = tail;
        if (head === undefined || found.length >= limit) return;
        if (head === start) {
          found.push([...tail]);
          return;
        }
        const before = (distances.get(head) ?? 0) - 1;
        for (const [one, distance] of distances) {
          if (distance === before && follows(this.row(one)[head])) back([one, ...tail]);
        }
      };
      back([target]);
      return found.map((way) => ({
        certain,
        steps: way.slice(1).map((next, i) => {
          const previous = way[i] ?? start;
          return this.step(previous, next, i + 1, this.row(previous)[next]?.verdict === "allow");
        }),
      }));
    }
    return [];
  }
}
