/** `impact` for people: step by step for one endpoint, a ranking for all. */
import type { Impact, Step, WayTo } from "../questions/impact.ts";
import { printable } from "./escape.ts";
import { fold } from "./exposure-report.ts";
import { type ImpactReport, percent, rankingHead, rankingRows, reductionOf, stepText } from "./impact-report.ts";
import { counted, shortNames, someOf } from "./names.ts";
import type { Style } from "./style.ts";
import { table } from "./table.ts";

const MOST_NAMES = 4;

export function* impactText(report: ImpactReport, style: Style): Iterable<string> {
  if (report.ways !== undefined) {
    for (const { from, ways } of report.ways.found) yield* waysText(from, report.ways.to, ways, style);
  } else if (report.summary !== undefined) yield* ranking(report, style);
  else for (const impact of report.impacts) yield* single(report, impact, style);
  yield `${report.dialect}${report.declared ? ", only ports that are declared" : ""}${report.complete ? "" : ", INCOMPLETE: policies were refused, see the messages"}\n`;
}

function* single(report: ImpactReport, impact: Impact, style: Style): Iterable<string> {
  const names = shortNames([impact.endpoint, ...[...impact.steps, ...impact.possible].map((step) => step.to)]);
  yield `${style("strong", `If ${printable(impact.endpoint)} falls`)}\n`;
  yield* steps(impact.steps, names, report.wide, style);
  if (impact.steps.length === 0) yield "  nothing else certainly falls\n";
  if (impact.possible.length > 0) {
    yield `${style("unsure", "Perhaps as well")}, counted apart\n`;
    yield* steps(impact.possible, names, report.wide, style);
  }
  const others = report.endpoints - 1;
  yield `\n${style("strong", "Area of impact")}: ${impact.steps.length} of ${counted(others, "other endpoint")}`;
  yield `; without policies ${impact.without}, so ${percent(reductionOf(impact))} less`;
  yield impact.possible.length > 0 ? `; not sure: ${impact.possible.length}\n` : "\n";
  yield `  applications crossed into: ${impact.applications.length === 0 ? "none" : printable(someOf(impact.applications, MOST_NAMES, report.wide))}\n`;
  yield `  the internet: ${impact.internet === "allow" ? "reached" : impact.internet === "unsure" ? "perhaps reached" : "not reached"}\n`;
}

/** Steps by distance; those from one endpoint on the same ports together. */
function* steps(
  list: readonly Step[],
  names: ReadonlyMap<string, string>,
  wide: boolean,
  style: Style,
): Iterable<string> {
  const shown = (name: string): string => names.get(name) ?? name;
  let distance = 0;
  const groups = fold(
    list.map((step) => [shown(step.to), step] as const),
    (step) => `${step.distance} ${step.from} ${stepText(step)}`,
  );
  for (const { endpoints, value } of groups) {
    if (value.distance !== distance) {
      distance = value.distance;
      yield `  ${distance === 1 ? "directly" : `after ${distance} steps`}\n`;
    }
    const from = distance === 1 ? "" : `from ${printable(shown(value.from))} to `;
    const tone = value.narrowed || value.because.length > 0 ? "unsure" : "allow";
    const count = endpoints.length > 1 ? style("faint", ` (${counted(endpoints.length, "endpoint")})`) : "";
    yield `    ${from}${printable(someOf(endpoints, MOST_NAMES, wide))}${count}  ${style(tone, printable(stepText(value)))}\n`;
    for (const { code, detail } of value.because) yield `      ${style("faint", `${code}: ${printable(detail)}`)}\n`;
  }
}

function* waysText(from: string, to: string, ways: readonly WayTo[], style: Style): Iterable<string> {
  const [first] = ways;
  if (first === undefined) {
    yield `${style("strong", `From ${printable(from)} no way leads to ${printable(to)}`)}\n`;
    return;
  }
  const kind = first.certain ? "shortest way" : "way that is not sure";
  yield `${style("strong", `From ${printable(from)} to ${printable(to)}`)}: ${counted(ways.length, kind, `${kind.replace("way", "ways")}`)} of ${counted(first.steps.length, "step")}\n`;
  for (const [i, way] of ways.entries()) {
    yield `  ${i + 1}. ${printable(from)}\n`;
    for (const step of way.steps) {
      const sure = step.because.length === 0;
      yield `       → ${printable(step.to)}  ${style(sure ? "allow" : "unsure", `${sure ? "" : "unsure: "}${printable(stepText(step))}`)}\n`;
    }
  }
}

function* ranking(report: ImpactReport, style: Style): Iterable<string> {
  const { summary } = report;
  const head = rankingHead.map((word) => word.toUpperCase());
  const rows = rankingRows(report).map((row) => row.map(printable));
  for (const [i, line] of table([head, ...rows]).entries()) yield `${i === 0 ? style("strong", line) : line}\n`;
  if (summary === undefined) return;
  yield `\n${style("strong", "Area of impact")}: on average ${summary.mean} of ${counted(summary.endpoints - 1, "other endpoint")} fall with one`;
  yield `; without policies ${summary.without}, so ${percent(summary.reduction)} less`;
  yield summary.possible > 0 ? `; not sure: ${summary.possible}\n` : "\n";
}
