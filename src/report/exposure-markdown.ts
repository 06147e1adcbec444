/** `exposure -o md`. */
import { escapeMarkdown } from "./escape.ts";
import { arrivalText, closersOfWay, type ExposureReport, wayText } from "./exposure-report.ts";
import { counted } from "./names.ts";

export function* exposureMarkdown(report: ExposureReport): Iterable<string> {
  const { counts, endpoints } = report.exposure;
  const before = report.baseline === undefined ? "" : ` (without policies ${report.baseline.exposed})`;
  yield `### Attack surface: ${counts.exposed} of ${counted(counts.endpoints, "endpoint")} reachable through ${counted(counts.ways, "way")} in${before}\n\n`;
  yield "| Endpoint | Through | Arrives | Verdict | To close it |\n| --- | --- | --- | --- | --- |\n";
  for (const one of endpoints) {
    for (const way of one.waysIn) {
      const closers = closersOfWay(way, one.unit).map(({ text }) => text);
      const cells = [one.unit.name, wayText(way), arrivalText(way), way.verdict, closers.join(", ")];
      yield `| ${cells.map(escapeMarkdown).join(" | ")} |\n`;
    }
  }
  yield `\n${counts.open} open at their own address, ${counts.reachingOut} reaching out; read as ${escapeMarkdown(report.dialect)}${report.complete ? "" : ", **incomplete**"}.\n`;
}
