/** `diff` for people: gained and lost, equal changes folded, with the policies that did it. */
import {
  causeTexts,
  type ChangeLine,
  type DiffReport,
  foldChanges,
  policyChangePlace,
  policyChangeText,
} from "./diff-report.ts";
import { printable } from "./escape.ts";
import { counted, someOf } from "./names.ts";
import type { Style, Tone } from "./style.ts";

const TONES: Readonly<Record<ChangeLine["sign"], Tone>> = { "+": "allow", "-": "deny", "~": "changed", "?": "unsure" };
const MOST_NAMES = 4;

export function* diffText(report: DiffReport, style: Style): Iterable<string> {
  const { diff } = report;
  for (const { from, to, change, lines } of foldChanges(diff.changes)) {
    yield `${printable(someOf(from, MOST_NAMES, report.wide))} → ${printable(someOf(to, MOST_NAMES, report.wide))}\n`;
    for (const line of lines) yield `  ${style(TONES[line.sign], `${line.sign} ${printable(line.text)}`)}\n`;
    const causes = causeTexts(change);
    if (causes.length > 0) yield `    ${style("faint", `by ${printable(someOf(causes, MOST_NAMES, report.wide))}`)}\n`;
  }
  if (diff.changes.length > 0) yield "\n";
  for (const [what, names] of [
    ["new", diff.appeared],
    ["gone", diff.disappeared],
  ] as const) {
    if (names.length > 0) yield `${what}: ${printable(someOf(names, MOST_NAMES, report.wide))}\n`;
  }
  for (const policy of diff.policies) {
    yield `${printable(policyChangeText(policy))}  ${style("faint", policyChangePlace(policy))}\n`;
  }
  yield `${style("strong", summaryText(report))}\n`;
}

/** `3 pairs changed of 42: 1 newly connected, 2 cut off`. */
export function summaryText({ diff, old, next, complete }: DiffReport): string {
  const { added, removed, changed, unsure, pairs } = diff.counts;
  const total = added + removed + changed + unsure;
  const networks = old.dialect === next.dialect ? old.dialect : `${old.dialect} against ${next.dialect}`;
  const end = complete ? "" : ", INCOMPLETE: policies were refused, see the messages";
  if (total === 0) return `no connection is gained or lost, of ${counted(pairs, "pair")}, ${networks}${end}`;
  const parts = [
    ...(added > 0 ? [`${added} newly connected`] : []),
    ...(removed > 0 ? [`${removed} cut off`] : []),
    ...(changed > 0 ? [`${changed} otherwise than before`] : []),
    ...(unsure > 0 ? [`${unsure} not sure`] : []),
  ];
  return `${total} of ${counted(pairs, "pair")} changed: ${parts.join(", ")}, ${networks}${end}`;
}
