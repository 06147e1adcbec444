/** `reach -o csv`: one record for each way through (RFC 4180, lines end in LF). */
import { csvField } from "./escape.ts";
import { applicationOfEntry, applicationText, decidersText, type ReachReport } from "./reach-report.ts";
import type { FlowEntry } from "../reach/flow-list.ts";

const HEAD = ["from", "to", "verdict", "family", "protocol", "ports", "icmp_type", "application", "why"];

export function* reachCsv(report: ReachReport): Iterable<string> {
  yield `${HEAD.join(",")}\n`;
  for (const pair of report.pairs) {
    const record = (verdict: string, entry: FlowEntry, why: string): string => {
      const application = applicationOfEntry(entry);
      const fields = [
        pair.from,
        pair.to,
        verdict,
        entry.family,
        entry.protocol,
        entry.ports,
        entry.icmp?.type ?? "",
        application === undefined ? "" : applicationText(application),
        why,
      ];
      return `${fields.map(csvField).join(",")}\n`;
    };
    for (const entry of pair.allow) yield record("allow", entry, decidersText(entry.deciders));
    for (const entry of pair.mixed) yield record("mixed", entry, "");
    for (const entry of pair.unsure) {
      yield record("unsure", entry, entry.because.map(({ code, detail }) => `${code}: ${detail}`).join("; "));
    }
  }
}
