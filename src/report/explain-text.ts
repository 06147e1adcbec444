/** `explain`: the page of one code, or the list of all. */
import { allCodes, type Explained, explained } from "../lint/catalogue.ts";
import type { Style } from "./style.ts";
import { table } from "./table.ts";

export function* explainText(one: Explained, style: Style): Iterable<string> {
  yield `${style("strong", `${one.code}: ${one.title}`)} (${one.severity})\n`;
  if (one.page !== undefined) {
    yield `\n${one.page.explanation}\n\n${style("strong", "Found in")}\n${indented(one.page.example)}\n`;
    yield `${style("strong", "Put right")}\n${indented(one.page.fix)}\n`;
  }
  yield `\n${one.help}\n`;
}

function indented(text: string): string {
  return text
    .split("\n")
    .map((line) => `  ${line}`)
    .join("\n");
}

export function* explainAllText(style: Style): Iterable<string> {
  const rows = allCodes()
    .map(explained)
    .map(({ code, severity, title }) => [code, severity, title]);
  for (const [i, line] of table([["CODE", "SEVERITY", "FINDING"], ...rows]).entries())
    yield `${i === 0 ? style("strong", line) : line}\n`;
}

/** `docs/findings.md`. */
export function* explainAllMarkdown(): Iterable<string> {
  yield "# Findings\n\nEvery code that a message may carry. `bulkhead explain CODE` prints the same. A code never changes its meaning.\n";
  for (const one of allCodes().map(explained)) {
    yield `\n## ${one.code}: ${one.title}\n\n*${one.severity}*`;
    if (one.page !== undefined) {
      yield `. ${one.page.explanation}\n\n\`\`\`yaml\n${one.page.example}\n\`\`\`\n\nPut right:\n\n\`\`\`yaml\n${one.page.fix}\n\`\`\`\n\n${one.help}\n`;
    } else yield `. ${one.help}\n`;
  }
}
