/** What every writer of `impact` starts from. */
import type { Diagnostic } from "../base/diagnostic.ts";
import { type Impact, type ImpactSummary, reduction, type Step, type WayTo } from "../questions/impact.ts";
import type { Topology } from "../questions/topology-form.ts";
import { fold } from "./exposure-report.ts";
import { shortNames, someOf } from "./names.ts";
import { flowText } from "./reach-report.ts";

export interface ImpactReport {
  readonly dialect: string;
  readonly complete: boolean;
  /** The number of endpoints of the input. */
  readonly endpoints: number;
  /** Whether only connections to declared ports count. */
  readonly declared: boolean;
  /** In the order of their rank where all were asked for. */
  readonly impacts: readonly Impact[];
  /** Only where all were asked for. */
  readonly summary?: ImpactSummary;
  /** Shortest ways to a target, where one was asked for. */
  readonly ways?: {
    readonly to: string;
    readonly found: readonly { readonly from: string; readonly ways: readonly WayTo[] }[];
  };
  readonly wide: boolean;
  /** What the pictures show; made when a picture is asked for. */
  readonly topology: () => Topology;
  readonly diagnostics: readonly Diagnostic[];
}

/** The ports of a step, and how it is limited. */
export function stepText(step: Step): string {
  const flows = step.flows.map(flowText).join("; ");
  return step.narrowed ? `${flows}, narrower than a connection` : flows;
}

/** What the policies take away of one endpoint's area, in percent. */
export function reductionOf(impact: Impact): number {
  return reduction(impact.steps.length, impact.without);
}

/** `29 %`. */
export function percent(value: number): string {
  return `${value} %`;
}

export const rankingHead: readonly string[] = [
  "If this falls",
  "Fall too",
  "Not sure",
  "Without policies",
  "Less",
  "Applications",
  "Internet",
];

/** The ranking, a row for all that fare alike; where `wide`, each by name. */
export function rankingRows({ impacts, wide }: Pick<ImpactReport, "impacts" | "wide">): string[][] {
  const names = shortNames(impacts.map((impact) => impact.endpoint));
  const folded = fold(
    impacts.map((impact) => [names.get(impact.endpoint) ?? impact.endpoint, impact] as const),
    (impact) =>
      [impact.steps.length, impact.possible.length, impact.without, impact.internet, impact.applications.length].join(),
  );
  return folded.map(({ endpoints, value }) => [
    someOf(endpoints, 2, wide),
    `${value.steps.length}`,
    `${value.possible.length}`,
    `${value.without}`,
    percent(reductionOf(value)),
    `${value.applications.length}`,
    value.internet === "allow" ? "reached" : value.internet === "unsure" ? "perhaps" : "no",
  ]);
}
