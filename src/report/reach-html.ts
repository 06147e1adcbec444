/** `reach -o html`: one page: the picture, every pair in a table, the ways in, the messages. */
import { formatDiagnostic } from "../base/diagnostic.ts";
import type { ReachPair } from "../reach/reach.ts";
import { pathReason, requestsText, throughText } from "./north-south.ts";
import { htmlPage, type PageCell, type PageTable } from "./page.ts";
import { decidersText, flowText, leftOpenText, type ReachReport, toldPairs, unsureTexts } from "./reach-report.ts";
import { reachSvg } from "./reach-svg.ts";

export function* reachHtml(report: ReachReport): Iterable<string> {
  const all = [...report.pairs];
  const told = toldPairs(all);
  const { pairs } = told;
  yield* htmlPage({
    title: "Who reaches whom",
    lead: [
      `${report.rows.length} endpoints, ${pairs.length} pairs connected, read as ${report.dialect}.`,
      ...(told.leftOpen === 0 ? [] : [`${capital(leftOpenText(told))}.`]),
      ...(report.complete ? [] : ["Incomplete: policies were refused, see the messages."]),
    ],
    picture: reachSvg({ ...report, pairs: all }),
    tables: [
      { title: "Pairs", head: ["From", "To", "May", "Why"], rows: pairs.flatMap(pairRows) },
      ...(report.paths === undefined || report.paths.length === 0 ? [] : [pathsTable(report.paths)]),
    ],
    messages: report.diagnostics.map(formatDiagnostic),
  });
}

function capital(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}

function pairRows(pair: ReachPair): (string | PageCell)[][] {
  const row = (tone: string, may: string, why: string): (string | PageCell)[] => [
    pair.from,
    pair.to,
    { text: may, tone },
    why,
  ];
  return [
    ...pair.allow.map((entry) => row("allow", flowText(entry), decidersText(entry.deciders))),
    ...pair.mixed.map((entry) => row("mixed", `some: ${flowText(entry)}`, "differs between members")),
    ...unsureTexts(pair.unsure).map(([may, why]) => row("unsure", may, why)),
  ];
}

function pathsTable(paths: NonNullable<ReachReport["paths"]>): PageTable {
  const rows = paths.map((path): (string | PageCell)[] => {
    const requests = requestsText(path);
    return [
      path.from,
      `${path.to} ${path.protocol} ${path.port}`,
      throughText(path),
      { text: `${path.verdict}${requests === "" ? "" : ` ${requests}`}`, tone: path.verdict },
      pathReason(path),
    ];
  });
  return { title: "Ways in from outside", head: ["From", "To", "Through", "Verdict", "Why"], rows };
}
