/** `reach` for people: one line for each way through, the source named once. */
import type { FlowEntry } from "../reach/flow-list.ts";
import type { ReachPair } from "../reach/reach.ts";
import { printable } from "./escape.ts";
import { pathReason, requestsText, throughText } from "./north-south.ts";
import {
  deadText,
  decidersText,
  flowText,
  leftOpenText,
  type ReachReport,
  toldPairs,
  unsureTexts,
} from "./reach-report.ts";
import type { Style } from "./style.ts";
import { table } from "./table.ts";

export function* reachText(report: ReachReport, style: Style): Iterable<string> {
  const head = ["FROM", "TO", "MAY", ...(report.provenance ? ["DECIDED BY"] : [])];
  const rows: string[][] = [];
  const told = toldPairs(report.pairs);
  let unsure = 0;
  let source = "";
  for (const pair of told.pairs) {
    if (pair.unsure.length > 0) unsure++;
    let target = pair.to;
    for (const [may, why] of lines(pair, style)) {
      const from = pair.from === source ? "" : printable(pair.from);
      rows.push([from, printable(target), may, ...(report.provenance ? [printable(why)] : [])]);
      source = pair.from;
      target = "";
    }
  }
  if (rows.length > 0) {
    for (const [i, line] of table([head, ...rows]).entries()) {
      yield `${i === 0 ? style("strong", line) : line}\n`;
    }
    yield "\n";
  }
  yield* pathsText(report, style);
  for (const dead of report.deadNames ?? []) yield `${style("deny", printable(deadText(dead)))}\n`;
  yield `${printable(summary(report, told.pairs.length, unsure))}\n`;
  if (told.leftOpen > 0) yield `${leftOpenText(told)}\n`;
}

/** Ways from outside that lead over something else, one a line. */
function* pathsText({ paths = [], provenance }: ReachReport, style: Style): Iterable<string> {
  if (paths.length === 0) return;
  const rows = paths.map((path) => {
    const requests = requestsText(path);
    return [
      printable(path.from),
      printable(`${path.to} ${path.protocol} ${path.port}`),
      printable(throughText(path)),
      style(TONES[path.verdict], printable(`${path.verdict}${requests === "" ? "" : ` ${requests}`}`)),
      ...(provenance ? [printable(pathReason(path))] : []),
    ];
  });
  const head = ["FROM OUTSIDE", "TO", "THROUGH", "VERDICT", ...(provenance ? ["WHY"] : [])];
  for (const [i, line] of table([head, ...rows]).entries()) yield `${i === 0 ? style("strong", line) : line}\n`;
  yield "\n";
}

const TONES = { allow: "allow", deny: "deny", unsure: "unsure" } as const;

function lines(pair: ReachPair, style: Style): [may: string, why: string][] {
  const flow = (entry: FlowEntry): string => printable(flowText(entry));
  return [
    ...pair.allow.map((entry): [string, string] => [style("allow", flow(entry)), decidersText(entry.deciders)]),
    ...pair.mixed.map((entry): [string, string] => [
      style("unsure", `some: ${flow(entry)}`),
      "differs between members",
    ]),
    ...unsureTexts(pair.unsure).map(([may, why]): [string, string] => [style("unsure", printable(may)), why]),
  ];
}

function summary(report: ReachReport, pairs: number, unsure: number): string {
  const parts = [
    `${report.rows.length} ${report.rows.length === 1 ? "endpoint" : "endpoints"}`,
    `${pairs} ${pairs === 1 ? "pair" : "pairs"} connected`,
    ...(unsure > 0 ? [`${unsure} of them not sure`] : []),
    report.dialect,
    ...(report.complete ? [] : ["INCOMPLETE: policies were refused, see the messages"]),
  ];
  return parts.join(", ");
}
