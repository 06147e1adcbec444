/**
 * The area of impact: what falls if an endpoint is compromised, step by step. Whoever controls an endpoint can open every
 * connection that it may open, and from whatever that leads to, the next.
 */
import { type FlowSet, flowIntersect, flowsEmpty, flowSubtract } from "../net/flow-set.ts";
import type { Because } from "../base/because.ts";
import { type Bounded, boundedIntersect, exactly } from "../reach/bounded.ts";
import type { Engine } from "../reach/engine.ts";
import { type FlowEntry, listFlows } from "../reach/flow-list.ts";
import { applicationName } from "../reach/grouping.ts";
import {
  CONNECTIONS,
  listening,
  openness,
  type Openness,
  passing,
  sharedFamilies,
  type Unit,
  unitsNamed,
  unitsOf,
} from "./network.ts";

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

export interface ImpactOptions {
  /** The same input without policies: what the reduction is measured against. */
  readonly without?: Engine;
  /** Workloads whose pods are told apart whatever the rules say. */
  readonly apart?: ReadonlySet<string>;
  /** Count only connections to ports that the target declares, or to which a Service leads. */
  readonly declared?: boolean;
}

/** The steps between all endpoints of an input; asked for lazily and kept. */
export class ImpactGraph {
  readonly units: readonly Unit[];
  private readonly engine: Engine;
  private readonly declared: boolean;
  private readonly baseline: ImpactGraph | undefined;
  private readonly numbers: ReadonlyMap<string, number>;
  private readonly rows = new Map<number, readonly Openness[]>();
  private readonly listening = new Map<string, Bounded>();
  private readonly outward = new Map<number, "allow" | "unsure" | "deny">();

  constructor(engine: Engine, options: ImpactOptions = {}) {
    this.engine = engine;
    this.declared = options.declared ?? false;
    this.units = unitsOf(engine, options.apart);
    this.numbers = new Map(this.units.map((unit, i) => [unit.name, i]));
    // Both must count alike: a workload whose pods are told apart here is told apart there.
    const apart = new Set(this.units.flatMap((unit) => (unit.name === unit.group.name ? [] : [unit.group.name])));
    this.baseline =
      options.without === undefined ? undefined : new ImpactGraph(options.without, { apart, declared: this.declared });
  }

  /** The units that a name of the contract means. */
  named(name: string): readonly Unit[] {
    return unitsNamed(this.engine, this.units, name);
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

  private between(from: Unit, to: Unit): Bounded {
    const bounds = passing(this.engine, from.endpoint, to.endpoint);
    if (!this.declared) return bounds;
    let open = this.listening.get(to.name);
    if (open === undefined) {
      open = exactly(listening(this.engine, to));
      this.listening.set(to.name, open);
    }
    return boundedIntersect(bounds, open);
  }

  private reachesOut(from: number): "allow" | "unsure" | "deny" {
    const known = this.outward.get(from);
    if (known !== undefined) return known;
    const unit = this.units[from];
    let verdict: "allow" | "unsure" | "deny" = "deny";
    if (unit !== undefined) {
      for (const end of this.engine.inventory.outside(this.engine.inventory.internet())) {
        const one = openness(passing(this.engine, unit.endpoint, end)).verdict;
        if (one === "allow") verdict = "allow";
        else if (one === "unsure" && verdict === "deny") verdict = "unsure";
        if (verdict === "allow") break;
      }
    }
    this.outward.set(from, verdict);
    return verdict;
  }

  /** What falls with one endpoint. */
  impact(unit: Unit): Impact {
    const start = this.numbers.get(unit.name) ?? -1;
    const certain = this.walk([start], (edge) => edge.verdict === "allow");
    const possible = this.walk([start], (edge) => edge.verdict !== "deny");
    const steps = certain.map(({ from, to, distance }) => this.step(from, to, distance, true));
    const fallen = [start, ...certain.map(({ to }) => to)];
    const out = fallen.map((one) => this.reachesOut(one));
    const applications = new Set(fallen.flatMap((one) => this.applicationOf(one)));
    const own = applicationName(unit.group.workload);
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
      without: this.baseline?.size(unit.name) ?? this.units.length - 1,
    };
  }

  /** How many endpoints certainly fall. */
  size(name: string): number {
    const start = this.numbers.get(name);
    return start === undefined ? 0 : this.walk([start], (edge) => edge.verdict === "allow").length;
  }

  private applicationOf(number: number): readonly string[] {
    const unit = this.units[number];
    return unit === undefined ? [] : [applicationName(unit.group.workload)];
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
      flows: flowsEmpty(flows) ? [] : listFlows(flows, sharedFamilies(a.endpoint, b.endpoint)),
      narrowed: openness(bounds).narrowed,
      because: certain ? [] : bounds.because,
    };
  }

  /** Shortest ways from one endpoint to another, at most `limit`; those that are certain where there are some. */
  ways(from: Unit, to: Unit, limit = 10): readonly WayTo[] {
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

/** The area of impact over all endpoints: two means, and how much the policies take away. */
export interface ImpactSummary {
  readonly endpoints: number;
  /** The mean number of other endpoints that fall with one, with the policies and without any. */
  readonly mean: number;
  readonly without: number;
  /** What the policies take away, in percent of what would fall without them. */
  readonly reduction: number;
  /** The mean number of endpoints that fall only if something unsure passes. */
  readonly possible: number;
}

export function summariseImpact(impacts: readonly Impact[]): ImpactSummary {
  const mean = (count: (impact: Impact) => number): number =>
    impacts.length === 0 ? 0 : impacts.reduce((n, one) => n + count(one), 0) / impacts.length;
  const [area, without] = [mean((one) => one.steps.length), mean((one) => one.without)];
  return {
    endpoints: impacts.length,
    mean: rounded(area),
    without: rounded(without),
    reduction: reduction(area, without),
    possible: rounded(mean((one) => one.possible.length)),
  };
}

/** In percent, rounded to a tenth; 0 where there was nothing to take away. */
export function reduction(now: number, without: number): number {
  return without === 0 ? 0 : rounded(100 * (1 - now / without));
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}

/** The endpoints whose fall takes most with it first; equals by name. */
export function ranked(impacts: readonly Impact[]): readonly Impact[] {
  return [...impacts].sort(
    (a, b) =>
      b.steps.length - a.steps.length ||
      b.applications.length - a.applications.length ||
      (a.endpoint < b.endpoint ? -1 : a.endpoint > b.endpoint ? 1 : 0),
  );
}
