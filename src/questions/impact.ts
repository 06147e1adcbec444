/**
 * The area of impact: what falls if an endpoint is compromised, step by step. Whoever controls an endpoint can open every
 * connection that it may open, and from whatever that leads to, the next.
 */
import type { Family } from "../net/address.ts";
import { type Bounded, boundedIntersect, exactly } from "../reach/bounded.ts";
import type { Engine } from "../reach/engine.ts";
import { applicationName } from "../reach/grouping.ts";
import { type Impact, ImpactWalk } from "./impact-walk.ts";
import { listening, openness, passing, sharedFamilies, type Unit, unitsNamed, unitsOf } from "./network.ts";

export type { Impact, Step, WayTo } from "./impact-walk.ts";

export interface ImpactOptions {
  /** The same input without policies: what the reduction is measured against. */
  readonly without?: Engine;
  /** Workloads whose pods are told apart whatever the rules say. */
  readonly apart?: ReadonlySet<string>;
  /** Count only connections to ports that the target declares, or to which a Service leads. */
  readonly declared?: boolean;
}

/** The steps between all endpoints of an input; asked for lazily and kept. */
export class ImpactGraph extends ImpactWalk<Unit> {
  private readonly engine: Engine;
  private readonly declared: boolean;
  private readonly baseline: ImpactGraph | undefined;
  private readonly listening = new Map<string, Bounded>();

  constructor(engine: Engine, options: ImpactOptions = {}) {
    super(unitsOf(engine, options.apart));
    this.engine = engine;
    this.declared = options.declared ?? false;
    // Both must count alike: a workload whose pods are told apart here is told apart there.
    const apart = new Set(this.units.flatMap((unit) => (unit.name === unit.group.name ? [] : [unit.group.name])));
    this.baseline =
      options.without === undefined ? undefined : new ImpactGraph(options.without, { apart, declared: this.declared });
  }

  override named(name: string): readonly Unit[] {
    return unitsNamed(this.engine, this.units, name);
  }

  protected override between(from: Unit, to: Unit): Bounded {
    const bounds = passing(this.engine, from.endpoint, to.endpoint);
    if (!this.declared) return bounds;
    let open = this.listening.get(to.name);
    if (open === undefined) {
      open = exactly(listening(this.engine, to));
      this.listening.set(to.name, open);
    }
    return boundedIntersect(bounds, open);
  }

  protected override families(from: Unit, to: Unit): readonly Family[] {
    return sharedFamilies(from.endpoint, to.endpoint);
  }

  protected override applicationOf(unit: Unit): string {
    return applicationName(unit.group.workload);
  }

  protected override leaves(unit: Unit): "allow" | "unsure" | "deny" {
    let verdict: "allow" | "unsure" | "deny" = "deny";
    for (const end of this.engine.inventory.outside(this.engine.inventory.internet())) {
      const one = openness(passing(this.engine, unit.endpoint, end)).verdict;
      if (one === "allow") return one;
      if (one === "unsure") verdict = one;
    }
    return verdict;
  }

  protected override without(unit: Unit): number {
    return this.baseline?.size(unit.name) ?? this.units.length - 1;
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
