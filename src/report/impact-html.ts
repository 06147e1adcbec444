/** `impact -o html`: the picture and the tables of an area of impact. */
import { formatDiagnostic } from "../base/diagnostic.ts";
import type { Impact, Step } from "../questions/impact.ts";
import { type ImpactReport, percent, rankingHead, rankingRows, reductionOf, stepText } from "./impact-report.ts";
import { counted } from "./names.ts";
import { htmlPage, type PageCell, type PageTable } from "./page.ts";
import { topologySvg } from "./topology-svg.ts";

export function* impactHtml(report: ImpactReport): Iterable<string> {
  const topology = report.topology();
  yield* htmlPage({
    title: topology.title,
    lead: [
      ...leadOf(report),
      `Read as ${report.dialect}${report.declared ? ", only ports that are declared" : ""}.`,
      ...(report.complete ? [] : ["Incomplete: policies were refused, see the messages."]),
    ],
    picture: topologySvg(topology),
    tables: tablesOf(report),
    messages: report.diagnostics.map(formatDiagnostic),
  });
}

function leadOf({ summary, impacts, ways, endpoints }: ImpactReport): readonly string[] {
  if (ways !== undefined) return [];
  if (summary !== undefined) {
    return [
      `On average ${summary.mean} of ${counted(summary.endpoints - 1, "other endpoint")} fall with one; without policies ${summary.without}, so ${percent(summary.reduction)} less${summary.possible > 0 ? `; not sure: ${summary.possible}` : ""}.`,
    ];
  }
  return impacts.map(
    (impact) =>
      `${impact.steps.length} of ${counted(endpoints - 1, "other endpoint")} fall; without policies ${impact.without}, so ${percent(reductionOf(impact))} less${impact.possible.length > 0 ? `; not sure: ${impact.possible.length}` : ""}. Applications crossed into: ${impact.applications.length === 0 ? "none" : impact.applications.join(", ")}. The internet: ${impact.internet === "allow" ? "reached" : impact.internet === "unsure" ? "perhaps reached" : "not reached"}.`,
  );
}

function tablesOf(report: ImpactReport): readonly PageTable[] {
  if (report.ways !== undefined) {
    const rows = report.ways.found.flatMap(({ from, ways }) =>
      ways.flatMap((way, i) =>
        way.steps.map((step) => [from, `${i + 1}`, ...stepCells(step, step.because.length === 0)]),
      ),
    );
    return [{ title: "Shortest ways", head: ["From", "Way", "Step", "From", "To", "Ports", "Because"], rows }];
  }
  if (report.summary !== undefined)
    return [{ title: "Ranking", head: rankingHead, rows: rankingRows({ ...report, wide: true }) }];
  return report.impacts.map((impact) => ({
    title: "Steps",
    head: ["Step", "From", "To", "Ports", "Because"],
    rows: stepRows(impact),
  }));
}

function stepRows(impact: Impact): (string | PageCell)[][] {
  return [
    ...impact.steps.map((step) => stepCells(step, true)),
    ...impact.possible.map((step) => stepCells(step, false)),
  ];
}

function stepCells(step: Step, sure: boolean): (string | PageCell)[] {
  const tone = !sure ? "unsure" : step.narrowed ? "narrowed" : "allow";
  return [
    `${step.distance}`,
    step.from,
    step.to,
    { text: `${sure ? "" : "not sure: "}${stepText(step)}`, tone },
    step.because.map(({ code, detail }) => `${code}: ${detail}`).join("; "),
  ];
}
