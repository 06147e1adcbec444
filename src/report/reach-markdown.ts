/** `reach -o md`: a table for a pull request or a page. */
import { escapeMarkdown } from "./escape.ts";
import { decidersText, flowText, type ReachReport } from "./reach-report.ts";

export function* reachMarkdown(report: ReachReport): Iterable<string> {
  yield "| From | To | May | Why |\n| --- | --- | --- | --- |\n";
  for (const pair of report.pairs) {
    const line = (may: string, why: string): string =>
      `| ${[pair.from, pair.to, may, why].map(escapeMarkdown).join(" | ")} |\n`;
    for (const entry of pair.allow) yield line(flowText(entry), decidersText(entry.deciders));
    for (const entry of pair.mixed) yield line(`some: ${flowText(entry)}`, "differs between members");
    for (const entry of pair.unsure) {
      yield line(`unsure: ${flowText(entry)}`, entry.because.map((b) => `${b.code}: ${b.detail}`).join("; "));
    }
  }
  yield `\n${escapeMarkdown(`${report.rows.length} endpoints, ${report.dialect}`)}${report.complete ? "" : ", **incomplete**"}\n`;
}
