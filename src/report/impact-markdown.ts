/** `impact -o md`: the area of impact in one line, and the steps or the ranking below it. */
import type { Impact, Step } from "../questions/impact.ts";
import { escapeMarkdown } from "./escape.ts";
import { type ImpactReport, percent, rankingHead, rankingRows, reductionOf, stepText } from "./impact-report.ts";
import { counted, someOf } from "./names.ts";

const MOST_NAMES = 4;
/** Rows beyond these are folded away. */
const MOST_ROWS = 20;

export function* impactMarkdown(report: ImpactReport): Iterable<string> {
  if (report.ways !== undefined) yield* waysMarkdown(report);
  else if (report.summary !== undefined) yield* rankingMarkdown(report);
  else for (const impact of report.impacts) yield* singleMarkdown(report, impact);
  const ports = report.declared ? ", only ports that are declared" : "";
  yield `\nRead as ${escapeMarkdown(report.dialect)}${ports}${report.complete ? "" : "; **incomplete: policies were refused**"}.\n`;
}

function* singleMarkdown(report: ImpactReport, impact: Impact): Iterable<string> {
  const others = counted(report.endpoints - 1, "other endpoint");
  const unsure = impact.possible.length > 0 ? `, ${impact.possible.length} not sure` : "";
  yield `### If ${escapeMarkdown(impact.endpoint)} falls: ${impact.steps.length} of ${others} fall with it${unsure}\n\n`;
  yield `Without policies ${impact.without}, so ${percent(reductionOf(impact))} less. `;
  yield `Applications crossed into: ${impact.applications.length === 0 ? "none" : escapeMarkdown(someOf(impact.applications, MOST_NAMES, report.wide))}. `;
  yield `The internet: ${impact.internet === "allow" ? "reached" : impact.internet === "unsure" ? "perhaps reached" : "not reached"}.\n\n`;
  const row = (step: Step, sure: boolean): string[] => [
    `${step.distance}`,
    step.from,
    step.to,
    `${sure ? "" : "not sure: "}${stepText(step)}`,
  ];
  yield* markdownTable(
    ["Step", "From", "To", "Ports"],
    [...impact.steps.map((step) => row(step, true)), ...impact.possible.map((step) => row(step, false))],
  );
}

function* rankingMarkdown(report: ImpactReport): Iterable<string> {
  const { summary } = report;
  if (summary === undefined) return;
  const unsure = summary.possible > 0 ? `; not sure: ${summary.possible}` : "";
  yield `### Area of impact: on average ${summary.mean} of ${counted(summary.endpoints - 1, "other endpoint")} fall with one, ${percent(summary.reduction)} less than without policies (${summary.without})${unsure}\n\n`;
  yield* markdownTable(rankingHead, rankingRows(report));
}

function* waysMarkdown({ ways, wide }: ImpactReport): Iterable<string> {
  if (ways === undefined) return;
  const reached = ways.found.filter((one) => one.ways[0]?.certain === true).length;
  const perhaps = ways.found.filter((one) => one.ways[0]?.certain === false).length;
  const unsure = perhaps > 0 ? `, from ${perhaps} perhaps` : "";
  yield `### ${escapeMarkdown(ways.to)} is reached from ${reached} of ${counted(ways.found.length, "endpoint")}${unsure}\n\n`;
  const rows = ways.found.flatMap(({ from, ways: own }) => {
    const [first] = own;
    if (first === undefined) return [];
    const stations = [from, ...first.steps.map((step) => `→ ${step.to} (${stepText(step)})`)].join(" ");
    return [[from, `${first.steps.length}`, first.certain ? stations : `not sure: ${stations}`, `${own.length}`]];
  });
  yield* markdownTable(["From", "Steps", "A shortest way", "Of"], rows, wide);
}

function* markdownTable(head: readonly string[], rows: readonly (readonly string[])[], wide = false): Iterable<string> {
  if (rows.length === 0) return;
  const line = (cells: readonly string[]): string => `| ${cells.map(escapeMarkdown).join(" | ")} |\n`;
  const top = `${line(head)}| ${head.map(() => "---").join(" | ")} |\n`;
  const most = wide ? rows.length : MOST_ROWS;
  yield top;
  yield* rows.slice(0, most).map(line);
  if (rows.length <= most) return;
  yield `\n<details><summary>${rows.length - most} more</summary>\n\n${top}`;
  yield* rows.slice(most).map(line);
  yield "\n</details>\n";
}
