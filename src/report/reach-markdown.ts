/** `reach -o md`: a table for a pull request or a page. */
import { escapeMarkdown } from "./escape.ts";
import {
  deadText,
  decidersText,
  flowText,
  leftOpenText,
  type ReachReport,
  toldPairs,
  unsureTexts,
} from "./reach-report.ts";

export function* reachMarkdown(report: ReachReport): Iterable<string> {
  yield "| From | To | May | Why |\n| --- | --- | --- | --- |\n";
  const told = toldPairs(report.pairs);
  for (const pair of told.pairs) {
    const line = (may: string, why: string): string =>
      `| ${[pair.from, pair.to, may, why].map(escapeMarkdown).join(" | ")} |\n`;
    for (const entry of pair.allow) yield line(flowText(entry), decidersText(entry.deciders));
    for (const entry of pair.mixed) yield line(`some: ${flowText(entry)}`, "differs between members");
    for (const [may, why] of unsureTexts(pair.unsure)) yield line(may, why);
  }
  const dead = report.deadNames ?? [];
  if (dead.length > 0) yield `\n${dead.map((one) => `- ${escapeMarkdown(deadText(one))}\n`).join("")}`;
  yield `\n${escapeMarkdown(`${report.rows.length} endpoints, ${report.dialect}`)}${report.complete ? "" : ", **incomplete**"}\n`;
  if (told.leftOpen > 0) yield `\n${escapeMarkdown(leftOpenText(told))}\n`;
}
