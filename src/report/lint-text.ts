/** `lint` for people: each finding at its place, then what was suppressed and why. */
import { printable } from "./escape.ts";
import { countsOf, type LintReport } from "./lint-report.ts";
import { counted } from "./names.ts";
import type { Style, Tone } from "./style.ts";

const TONES: Readonly<Record<"error" | "warning" | "info", Tone>> = { error: "deny", warning: "unsure", info: "faint" };

export function* lintText(report: LintReport, style: Style): Iterable<string> {
  const { findings, suppressed } = report;
  const told = new Set<string>();
  for (const one of findings) {
    const place = [one.file, one.line, one.column].filter((part) => part !== undefined).join(":");
    const where = place === "" ? "" : `${printable(place)}: `;
    yield `${where}${style(TONES[one.severity], `${one.severity} ${one.code}`)}: ${printable(one.message)}\n`;
    // What helps against a code is said once.
    if (one.help !== undefined && !told.has(one.code)) yield `  ${style("faint", `help: ${printable(one.help)}`)}\n`;
    told.add(one.code);
  }
  if (findings.length > 0) yield "\n";
  if (suppressed.length > 0) {
    yield `${style("strong", "Suppressed")}\n`;
    for (const { finding, reason } of suppressed) {
      const place = finding.file === undefined ? "" : ` ${finding.file}:${finding.line ?? 1}`;
      yield `  ${finding.code}${printable(place)}: ${printable(reason)}\n`;
    }
    yield "\n";
  }
  const counts = countsOf(findings);
  const parts = [counted(counts.error, "error"), counted(counts.warning, "warning"), `${counts.info} for information`];
  if (suppressed.length > 0) parts.push(`${suppressed.length} suppressed`);
  yield `${parts.join(", ")}; ${counted(report.policies, "policy", "policies")}, ${report.dialect}\n`;
  if (findings.length > 0) yield `${style("faint", "bulkhead explain CODE tells more of a finding")}\n`;
}
