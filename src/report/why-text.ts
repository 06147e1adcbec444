/** `why` for people: the verdict, what decided it, then every hop with every policy and rule that was considered. */
import type { PolicyConsidered, SideExplanation } from "../reach/explain.ts";
import { printable } from "./escape.ts";
import { objectName, placeOf, placeText, policyPlace, rulePlace } from "./origin.ts";
import type { Style, Tone } from "./style.ts";
import { table } from "./table.ts";
import {
  becauseText,
  decidedBy,
  decidedText,
  isolationText,
  type Path,
  pathsOf,
  standing,
  type WhyReport,
} from "./why-report.ts";

const TONES: Readonly<Record<string, Tone>> = { allow: "allow", deny: "deny", unsure: "unsure", mixed: "unsure" };

export function* whyText(report: WhyReport, style: Style): Iterable<string> {
  const { answer, question } = report;
  const what = `${question.from} → ${question.to}, ${flowOf(report)}`;
  const limited = answer.applicationLimited ? " (established; a proxy judges each request)" : "";
  yield `${style(TONES[answer.verdict] ?? "unsure", answer.verdict)}${limited}  ${style("strong", printable(what))}\n`;
  if (answer.problem !== undefined) yield `  ${printable(answer.problem)}\n`;
  if (answer.because.length > 0) yield `  because ${printable(becauseText(answer.because))}\n`;
  const deciders = decidedBy(answer).map((one) => [`  ${one.direction}`, decidedText(one), placeText(one.place)]);
  for (const line of table(deciders)) yield `${printable(line)}\n`;
  const paths = pathsOf(answer);
  for (const path of paths) yield* pathText(path, paths.length > 1, style);
  if (!report.complete) yield `\n${style("unsure", "incomplete: policies were refused, see the messages")}\n`;
}

function flowOf({ question, http }: WhyReport): string {
  const port = question.port === undefined || question.port === 0 ? "" : ` ${question.port}`;
  return `${question.protocol}${port}${http === undefined ? "" : `, ${http}`}`;
}

function* pathText({ family, pair }: Path, several: boolean, style: Style): Iterable<string> {
  yield "\n";
  if (several) {
    const over = family === "any" ? "" : ` over ${family}`;
    yield `${style("strong", printable(`${pair.from.name} → ${pair.to.name}${over}`))}: ${pair.verdict}\n`;
  }
  if (pair.hops.length === 0) yield "1. a pod reaches itself whatever the policies\n";
  for (const [i, hop] of pair.hops.entries()) {
    if (hop.kind === "rewrite") {
      yield `${i + 1}. ${printable(`${hop.service}: ${hop.detail}`)}\n`;
      continue;
    }
    if (hop.kind !== "filter") {
      const place = placeText(placeOf(hop.place?.document, hop.place?.path));
      const said = hop.verdict === "allow" ? "" : `${style(TONES[hop.verdict] ?? "unsure", hop.verdict)}, `;
      const where = place === "" ? "" : `  ${style("faint", printable(place))}`;
      yield `${i + 1}. ${printable(hop.at)}: ${said}${printable(hop.detail)}${where}\n`;
      if (hop.because.length > 0) yield `     because ${printable(becauseText(hop.because))}\n`;
      continue;
    }
    const { at, explanation } = hop;
    const when = hop.when === undefined ? "" : ` if ${printable(hop.when)}`;
    const verdict = style(TONES[explanation.verdict] ?? "unsure", explanation.verdict);
    yield `${i + 1}. ${explanation.direction} of ${printable(at)}${when}: ${verdict}, ${reasonText(explanation)}\n`;
    for (const considered of explanation.considered) yield* policyText(considered, explanation, style);
  }
}

function reasonText(explanation: SideExplanation): string {
  switch (explanation.reason) {
    case "rule":
      return explanation.refusedByProxy ? "a rule decides, and the proxy refuses the request" : "a rule decides";
    case "default-deny":
      return "no rule allows it";
    case "always-allowed":
      return "always allowed";
    case "no-policy":
      return explanation.considered.length === 0 ? "no policy selects it" : "no policy limits this direction";
  }
}

function* policyText(considered: PolicyConsidered, side: SideExplanation, style: Style): Iterable<string> {
  const { policy, rules } = considered;
  const place = placeText(policyPlace(policy));
  yield `     ${printable(objectName(policy))}  ${style("faint", printable(place))}\n`;
  yield `       ${isolationText(considered, side.direction)}\n`;
  const rows = rules.map((rule) => [
    `       ${side.deciders.includes(rule.rule.origin) ? "▸" : " "}`,
    `${rule.rule.origin.section}[${rule.rule.origin.index}]`,
    rule.rule.action === "allow" ? "allows" : rule.rule.action === "deny" ? "denies" : "passes on",
    standing(rule),
    placeText(rulePlace(rule.rule.origin)),
  ]);
  for (const line of table(rows)) yield `${printable(line)}\n`;
}
