/** `why` for people: the verdict, what decided it, then every hop with every policy and rule that was considered. */
import type { PolicyConsidered, RuleConsidered, SideExplanation } from "../reach/explain.ts";
import type { Hop, RouteHop, TerminateHop } from "../reach/hop.ts";
import type { NorthSouthPath } from "../reach/north-south-path.ts";
import { printable } from "./escape.ts";
import { requestsText, throughText as wayText } from "./north-south.ts";
import { objectName, placeOf, placeText, policyPlace, ruleName, rulePlace } from "./origin.ts";
import type { Style, Tone } from "./style.ts";
import { table } from "./table.ts";
import {
  becauseText,
  deadNamesOf,
  decidedBy,
  decidedText,
  httpRuleText,
  isolationText,
  type Path,
  pathsOf,
  requestStanding,
  standing,
  toldRequests,
  type WhyReport,
} from "./why-report.ts";

const TONES: Readonly<Record<string, Tone>> = { allow: "allow", deny: "deny", unsure: "unsure", mixed: "unsure" };

export function* whyText(report: WhyReport, style: Style): Iterable<string> {
  const { answer, question } = report;
  const what = `${question.from} → ${question.to}, ${flowOf(report)}`;
  const limited =
    answer.applicationLimited && answer.verdict === "allow" ? " (established; a proxy judges each request)" : "";
  yield `${style(TONES[answer.verdict] ?? "unsure", answer.verdict)}${limited}  ${style("strong", printable(what))}\n`;
  if (report.paths !== undefined && report.paths.length > 0) yield `  directly; ${otherWays(report.paths)}\n`;
  if (answer.stops === undefined && answer.problem !== undefined) yield `  ${printable(answer.problem)}\n`;
  for (const { at, detail, place } of answer.stops ?? []) {
    const where = placeText(placeOf(place?.document, place?.path));
    yield `  ${printable(`${at} ${detail}`)}${where === "" ? "" : `  ${style("faint", printable(where))}`}\n`;
  }
  if (answer.because.length > 0) yield `  because ${printable(becauseText(answer.because))}\n`;
  const deciders = decidedBy(answer).map((one) => [`  ${one.direction}`, decidedText(one), placeText(one.place)]);
  for (const line of table(deciders)) yield `${printable(line)}\n`;
  for (const dead of deadNamesOf(answer)) yield* deadText(dead);
  const paths = pathsOf(answer);
  for (const path of paths) yield* pathText(path, paths.length > 1, style);
  if (report.paths !== undefined) yield* throughText(report.paths, style);
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
  yield* hopsText(pair.hops, style);
}

/** Every hop with a number of its own. */
function* hopsText(hops: readonly Hop[], style: Style): Iterable<string> {
  for (const [i, hop] of hops.entries()) {
    switch (hop.kind) {
      case "rewrite":
        yield `${i + 1}. ${printable(`${hop.service}: ${hop.detail}`)}\n`;
        break;
      case "route":
      case "terminate":
        yield* turnText(i + 1, hop, style);
        break;
      case "filter": {
        const { at, explanation } = hop;
        const when = hop.when === undefined ? "" : ` if ${printable(hop.when)}`;
        const verdict = style(TONES[explanation.verdict] ?? "unsure", explanation.verdict);
        yield `${i + 1}. ${explanation.direction} of ${printable(at)}${when}: ${verdict}, ${reasonText(explanation)}\n`;
        for (const considered of explanation.considered) yield* policyText(considered, explanation, style);
      }
    }
  }
}

function* turnText(number: number, hop: RouteHop | TerminateHop, style: Style): Iterable<string> {
  const place = placeText(placeOf(hop.place?.document, hop.place?.path));
  const where = place === "" ? "" : `  ${style("faint", printable(place))}`;
  const said = hop.verdict === "allow" ? "" : `${style(TONES[hop.verdict] ?? "unsure", hop.verdict)}, `;
  const begins = hop.kind === "terminate" && hop.verdict !== "deny" ? "; a new connection begins here" : "";
  yield `${number}. ${printable(hop.at)}: ${said}${printable(hop.detail)}${begins}${where}\n`;
  if (hop.because.length > 0) yield `     because ${printable(becauseText(hop.because))}\n`;
}

/** `of 3 other ways from outside 1 allow, 2 deny`, told below. */
function otherWays(paths: readonly NorthSouthPath[]): string {
  const count = (verdict: string): number => paths.filter((path) => path.verdict === verdict).length;
  const parts = ["allow", "unsure", "deny"].flatMap((v) => (count(v) === 0 ? [] : [`${count(v)} ${v}`]));
  return `${paths.length} other ${paths.length === 1 ? "way" : "ways"} from outside below: ${parts.join(", ")}`;
}

/** The ways from outside that are not direct, each with its verdict. */
function* throughText(paths: readonly NorthSouthPath[], style: Style): Iterable<string> {
  if (paths.length === 0) {
    yield `\n${style("faint", "No load balancer, node port, Ingress or Gateway of the input leads there; the answer above is for direct traffic.")}\n`;
    return;
  }
  for (const path of paths) {
    const verdict = style(TONES[path.verdict] ?? "unsure", path.verdict);
    const requests = requestsText(path);
    yield `\n${style("strong", printable(`${path.from} → ${path.to}, ${path.protocol} ${path.port}, through ${wayText(path)}`))}: ${verdict}${requests === "" ? "" : ` ${printable(requests)}`}\n`;
    if (path.because.length > 0) yield `   because ${printable(becauseText(path.because))}\n`;
    yield* hopsText(path.hops, style);
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
  for (const [i, line] of table(rows).entries()) {
    yield `${printable(line)}\n`;
    const rule = rules[i];
    if (rule !== undefined) yield* ruleRequestsText(rule, style);
  }
}

/** The rules for requests of one rule: which match, which nearly do, and on what they fail. */
function* ruleRequestsText(considered: RuleConsidered, style: Style): Iterable<string> {
  if (considered.peer === "no" || considered.requests.length === 0) return;
  const { told, more } = toldRequests(considered);
  const rows = told.map((one) => [
    `              ${one.verdict === "yes" ? "✓" : one.verdict === "no" ? "✗" : "?"} ${httpRuleText(one.rule)}`,
    requestStanding(one),
    placeText(placeOf(considered.rule.origin.document, one.at)),
  ]);
  for (const line of table(rows)) yield `${printable(line)}\n`;
  if (more > 0) yield `${style("faint", `              and ${more} more that match less`)}\n`;
}

/** A name that policy allows and that cannot be learned, with both rules. */
function* deadText({ rule, name, lookUps }: ReturnType<typeof deadNamesOf>[number]): Iterable<string> {
  const rows = [
    [`  dead: ${name}`, `${ruleName(rule)} allows it`, placeText(rulePlace(rule))],
    ...(lookUps.length === 0
      ? [["", "no DNS rule observes look-ups, so no address is ever learned", ""]]
      : lookUps.map((one) => ["", `${ruleName(one)} lets no look-up of it pass`, placeText(rulePlace(one))])),
  ];
  for (const line of table(rows)) yield `${printable(line)}\n`;
}
