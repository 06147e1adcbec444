/** `report -o md`: evidence on one page. */
import { explained } from "../lint/catalogue.ts";
import type { AuditReport } from "./audit-report.ts";
import { escapeMarkdown } from "./escape.ts";
import { closersOfWay, wayText, arrivalText } from "./exposure-report.ts";
import { percent, reductionOf } from "./impact-report.ts";
import { countsOf } from "./lint-report.ts";
import { counted } from "./names.ts";
import { placeText } from "./origin.ts";

/** The parts of the page; each writer dresses them. */
export interface Section {
  readonly title: string;
  /** Sentences above the table. */
  readonly text: readonly string[];
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export function auditSections(report: AuditReport): readonly Section[] {
  const { exposure, exposureWithout, impact } = report;
  const failed = report.rows.filter((row) => !row.passed).length;
  const lint = countsOf(report.findings);
  const open = exposure.endpoints.flatMap((one) =>
    one.waysIn.filter((way) => way.way !== "pod-address" && way.verdict !== "deny").map((way) => ({ one, way })),
  );
  return [
    {
      title: "Subject",
      text: [
        `bulkhead ${report.version}, policies read as ${report.dialect}.`,
        `${counted(report.counts.workloads, "workload")} in ${counted(report.counts.namespaces, "namespace")}, ${counted(report.counts.policies, "policy", "policies")}.`,
        report.complete
          ? "Every policy of the input counts in the answers."
          : "INCOMPLETE: policies were refused, and the answers do not count them.",
      ],
      head: ["Input", "SHA-256"],
      rows: report.inputs.map(({ name, sha256 }) => [name, sha256]),
    },
    {
      title: "Settings",
      text: report.settings.length === 0 ? ["The defaults of the network; the input holds no settings."] : [],
      head: ["Setting", "Value"],
      rows: report.settings,
    },
    { title: "Asked", text: report.asked, head: [], rows: [] },
    {
      title: "What holds",
      text: [
        report.rows.length === 0
          ? "The input holds no expectations and no Segregation."
          : `${report.rows.length - failed} of ${counted(report.rows.length, "expectation")} hold, ${failed} do not.`,
      ],
      head: ["Holds", "Expectation", "Expected", "Is", "Why", "At"],
      rows: report.rows.map((row) => [
        row.passed ? "yes" : "NO",
        row.text,
        row.expected,
        row.actual,
        row.passed ? row.decidedBy.join(", ") : row.why,
        row.place?.line === undefined ? row.file : placeText({ file: row.place.file, line: row.place.line }),
      ]),
    },
    {
      title: "Attack surface",
      text: [
        `${exposure.counts.exposed} of ${counted(exposure.counts.endpoints, "endpoint")} reachable from outside through ${counted(exposure.counts.ways, "way")} in; without policies ${exposureWithout.exposed}.`,
        `${exposure.counts.open} open at their own address; without policies ${exposureWithout.open}. ${exposure.counts.reachingOut} reach out; without policies ${exposureWithout.reachingOut}.`,
        ...(exposure.counts.unsure + exposure.counts.unsureOut > 0
          ? [`Not sure: ${exposure.counts.unsure} in, ${exposure.counts.unsureOut} out.`]
          : []),
      ],
      head: ["Endpoint", "Through", "Arrives", "Verdict", "To close it"],
      rows: open.map(({ one, way }) => [
        one.unit.name,
        wayText(way),
        arrivalText(way),
        way.verdict,
        closersOfWay(way, one.unit)
          .map(({ text }) => text)
          .join(", "),
      ]),
    },
    {
      title: "Area of impact",
      text: [
        `On average ${impact.mean} of ${counted(impact.endpoints - 1, "other endpoint")} fall with one; without policies ${impact.without}, so ${percent(impact.reduction)} less.`,
        ...(impact.possible > 0 ? [`Not sure, and counted apart: ${impact.possible}.`] : []),
      ],
      head: ["If this falls", "Fall too", "Not sure", "Without policies", "Less", "Applications crossed"],
      rows: report.worst.map((one) => [
        one.endpoint,
        `${one.steps.length}`,
        `${one.possible.length}`,
        `${one.without}`,
        percent(reductionOf(one)),
        one.applications.join(", "),
      ]),
    },
    {
      title: "Findings",
      text: [`${counted(lint.error, "error")}, ${counted(lint.warning, "warning")}, ${lint.info} for information.`],
      head: ["Code", "Severity", "Finding", "At"],
      rows: report.findings.map((one) => [
        one.code,
        one.severity,
        one.message,
        one.line === undefined ? (one.file ?? "") : placeText({ file: one.file ?? "", line: one.line }),
      ]),
    },
    {
      title: "Exceptions",
      text:
        report.suppressed.length === 0
          ? ["None."]
          : [`${counted(report.suppressed.length, "finding")} set aside, each with its reason.`],
      head: ["Code", "Meaning", "Reason", "At"],
      rows: report.suppressed.map(({ finding, reason }) => [
        finding.code,
        explained(finding.code).title,
        reason,
        finding.line === undefined ? (finding.file ?? "") : placeText({ file: finding.file ?? "", line: finding.line }),
      ]),
    },
  ];
}

export function* auditMarkdown(report: AuditReport): Iterable<string> {
  yield "# Network segregation: evidence\n";
  for (const { title, text, head, rows } of auditSections(report)) {
    yield `\n## ${title}\n\n`;
    for (const line of text) yield title === "Asked" ? `- \`${line}\`\n` : `${escapeMarkdown(line)}\n`;
    if (rows.length === 0) continue;
    yield `\n| ${head.join(" | ")} |\n|${head.map(() => " --- |").join("")}\n`;
    for (const row of rows) yield `| ${row.map(escapeMarkdown).join(" | ")} |\n`;
  }
}
