/** `diff -o md`: a comment on a pull request that a reviewer understands in ten seconds. */
import { causeTexts, type DiffReport, foldChanges, policyChangePlace } from "./diff-report.ts";
import { escapeMarkdown } from "./escape.ts";
import { objectName } from "./origin.ts";
import { counted, someOf } from "./names.ts";
import { AWS } from "../policy/registry.ts";
import type { PairChange } from "../questions/diff.ts";

const SIGNS = { "+": "➕", "-": "➖", "~": "🔀", "?": "❔" } as const;
const MOST_NAMES = 4;
/** Rows beyond these are folded away. */
const MOST_ROWS = 20;

export function* diffMarkdown(report: DiffReport): Iterable<string> {
  const { diff } = report;
  yield `### ${headline(report)}\n\n`;
  const folded = foldChanges(diff.changes);
  if (folded.length > 0) {
    const head = "| | From | To | What | By |\n| --- | --- | --- | --- | --- |\n";
    const rows = folded.flatMap(({ from, to, change, lines }) =>
      lines.map((line) => {
        const by = causeTexts(change);
        const cells = [
          SIGNS[line.sign],
          someOf(from, MOST_NAMES, report.wide),
          someOf(to, MOST_NAMES, report.wide),
          line.text,
          someOf(by, 2, report.wide),
        ];
        return `| ${cells.map(escapeMarkdown).join(" | ")} |\n`;
      }),
    );
    yield head;
    yield* rows.slice(0, MOST_ROWS);
    if (rows.length > MOST_ROWS) {
      yield `\n<details><summary>${rows.length - MOST_ROWS} more</summary>\n\n${head}`;
      yield* rows.slice(MOST_ROWS);
      yield "\n</details>\n";
    }
    yield "\n";
  }
  for (const policy of diff.policies) {
    yield `- ${policy.change} ${escapeMarkdown(objectName(policy))} (${escapeMarkdown(policyChangePlace(policy))})\n`;
  }
  if (diff.policies.length > 0) yield "\n";
  const networks =
    report.old.dialect === report.next.dialect
      ? report.old.dialect
      : `${report.old.dialect} against ${report.next.dialect}`;
  yield `${counted(diff.counts.pairs, "pair")} compared, read as ${networks}${report.complete ? "" : "; **incomplete: policies were refused**"}.\n`;
}

/** What a reviewer must know, in one line. */
function headline({ diff, next }: DiffReport): string {
  const gains = diff.changes.filter((change) => change.gained.length > 0);
  const losses = diff.changes.filter((change) => change.lost.length > 0);
  const unsure = diff.changes.filter((change) => change.unsure.length > 0);
  if (diff.changes.length === 0) return "✅ No connection is gained or lost";
  const fromOutside = gains.filter((change: PairChange) => isOutside(change.from, next.dialect));
  const parts = [
    ...(gains.length > 0 ? [`${counted(gains.length, "pair")} may do more`] : []),
    ...(losses.length > 0 ? [`${counted(losses.length, "pair")} may do less`] : []),
    ...(unsure.length > 0 ? [`${unsure.length} not sure`] : []),
    ...(fromOutside.length > 0 ? [`**${fromOutside.length} newly open to the outside**`] : []),
  ];
  return `${gains.length > 0 ? "⚠️" : "🔒"} ${parts.join(", ")}`;
}

function isOutside(name: string, dialect: string): boolean {
  if (name === "internet") return true;
  // Names of a VPC's own things have no slash.
  return (dialect !== AWS && !name.includes("/")) || /^[0-9a-f:.]+\/[0-9]+/.test(name);
}
