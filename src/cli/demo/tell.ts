/** Tells the story in a terminal. Every name, number and verdict comes from what was played. */
import type { World } from "../../model/world.ts";
import { applicationName } from "../../reach/grouping.ts";
import { printable } from "../../report/escape.ts";
import { stationsText } from "../../report/north-south.ts";
import { placeText, ruleName, rulePlace } from "../../report/origin.ts";
import type { Style } from "../../report/style.ts";
import { table } from "../../report/table.ts";
import { padEnd } from "../../report/text-width.ts";
import { sidesOf, standing } from "../../report/why-report.ts";
import { changed, cutOff, type Played, type PlayedChapter, type PlayedPair } from "./play.ts";
import type { Story } from "./story.ts";
import { tellRequests } from "./tell-requests.ts";
import { dropText, Names, verdictText } from "./words.ts";
import { drawTopology } from "./topology.ts";

/** Commands to try next, as they are printed. */
export interface NextSteps {
  readonly commands: readonly { readonly line: string; readonly what: string }[];
}

export function* tellStory(story: Story, played: Played, next: NextSteps, style: Style): Iterable<string> {
  const { world } = story.engine;
  const names = new Names(world);
  const heading = (text: string): string => `\n${style("strong", text)}\n\n`;
  yield heading(titleOf(world));
  yield `${drawTopology(world, style)
    .map((line) => `  ${line}`.trimEnd())
    .join("\n")}\n`;
  if (played.obstacle !== null) {
    yield `\n${style("unsure", "Predicted only: this machine cannot run the lab.")} ${played.obstacle.message}\n`;
    yield `What helps: ${played.obstacle.help}\n`;
  }
  for (const [i, chapter] of played.chapters.entries()) {
    yield heading(HEADINGS[chapter.chapter.name](chapter));
    if (i > 0 && played.obstacle === null) yield "  (put in force in the running lab, in one transaction)\n\n";
    if (chapter.chapter.name === "ingress") yield* closedToIngress(played, names);
    const changes = changed(played.chapters, i);
    if (chapter.chapter.name === "http" && changes.length === 0)
      yield "  The same connections pass as before; what is asked over them is judged as well:\n";
    else yield* matrix(chapter, changes, names, played.obstacle === null, style);
    yield* disagreements(chapter, names, style);
    if (chapter.requests.length > 0) yield* tellRequests(chapter.requests, names, played.obstacle === null, style);
    if (chapter.chapter.name === "after" && i > 0) yield* whyCut(played, names, style);
    if (chapter.chapter.name === "ingress") yield* reopened(played, names);
  }
  if (played.attacker !== null || story.chapters[0]?.name === "before") {
    yield heading("What an attacker reaches");
    yield* impact(played, names);
  }
  yield heading("Try next");
  for (const { line, what } of next.commands) yield `  ${style("faint", `# ${what}`)}\n  ${line}\n`;
  yield `\n${closing(played, style)}\n`;
}

const HEADINGS: Readonly<Record<PlayedChapter["chapter"]["name"], (chapter: PlayedChapter) => string>> = {
  before: () => "Before any policy",
  after: (chapter) => `After ${policiesOf(chapter)}`,
  ingress: (chapter) => `After ${policiesOf(chapter)} as well`,
  http: (chapter) => `After ${policiesOf(chapter)}, which judges requests, in its place`,
};

function policiesOf({ chapter }: PlayedChapter): string {
  return chapter.documents
    .map((document) => {
      const { file } = document.locate(["kind"]);
      return `${document.kind} ${document.name} (${file})`;
    })
    .join(", ");
}

function titleOf(world: World): string {
  const count = new Set(world.workloads.map(applicationName)).size;
  const words = ["No application", "One application", "Two applications", "Three applications"];
  return `${words[count] ?? `${count} applications`}, ${world.workloads.length} workloads`;
}

/** Width of a verdict in the matrix. */
const VERDICT = 9;

/** Who reaches whom: predicted and observed side by side, changed cells marked. */
function* matrix(
  chapter: PlayedChapter,
  changes: readonly PlayedPair[],
  names: Names,
  packets: boolean,
  style: Style,
): Iterable<string> {
  const { targets } = chapter;
  const askers = [...new Set(chapter.pairs.map(({ pair }) => pair.asker))];
  const cell = (predicted: string, observed: string): string =>
    packets ? `${padEnd(predicted, VERDICT)}  ${padEnd(observed, VERDICT)}` : padEnd(predicted, VERDICT);
  const rows: string[][] = [
    ["", ...targets.map((target) => style("strong", `→ ${names.target(target)}`))],
    ["", ...targets.map(() => style("faint", cell("predicted", "observed")))],
  ];
  for (const asker of askers) {
    const cells = targets.map((target) => {
      const played = chapter.pairs.find(({ pair }) => pair.asker === asker && pair.target === target);
      if (played === undefined) return cell("·", "·");
      const mark = changes.includes(played) ? style("changed", "◀ changed") : "";
      const observed = played.observed === null ? "? nothing" : verdictText(played.observed, style);
      return `${cell(verdictText(played.predicted.verdict, style), observed)}${mark}`;
    });
    rows.push([names.of(asker.name), ...cells]);
  }
  for (const line of table(rows)) yield `  ${line}`.trimEnd().concat("\n");
}

function* disagreements(chapter: PlayedChapter, names: Names, style: Style): Iterable<string> {
  for (const { pair, predicted, observed, drop, agrees } of chapter.pairs) {
    if (agrees) continue;
    const who = `${names.of(pair.asker.name)} → ${names.target(pair.target)}`;
    yield `\n  ${style("deny", "DISAGREE")} ${who}: predicted ${predicted.verdict} (${predicted.why}), observed ${observed}\n`;
    if (drop !== null) yield `  ${dropText(drop)}\n`;
  }
}

/** Why the first client that the policy shut out is shut out: by the rules, and by the kernel. */
function* whyCut(played: Played, names: Names, style: Style): Iterable<string> {
  const cut = cutOff(played.chapters);
  if (cut === undefined) {
    yield "\n  Nothing that worked before is cut off.\n";
    return;
  }
  const { asker, target } = cut.pair;
  yield `\n  ${style("strong", `Why is ${names.of(asker.name)} shut out of ${names.target(target)}?`)}\n`;
  yield `    by the rules    ${cut.predicted.why}\n`;
  for (const line of rulesThatDoNotHelp(cut)) yield `                    ${line}\n`;
  if (cut.drop !== null) yield `    by the packets  ${dropText(cut.drop)}\n`;
}

/** The rules of the policies that shut it out, with what of each did not match. */
function rulesThatDoNotHelp({ predicted }: PlayedPair): string[] {
  const denying = predicted.answer.pairs.flatMap((pair) =>
    sidesOf(pair.hops).filter(({ explanation }) => explanation.verdict === "deny"),
  );
  const lines = denying.flatMap(({ explanation }) =>
    explanation.considered.flatMap(({ rules }) =>
      rules.map((rule) => {
        const { origin } = rule.rule;
        return `${ruleName(origin)}: ${standing(rule)} (${placeText(rulePlace(origin))})`;
      }),
    ),
  );
  return [...new Set(lines)];
}

/** The honest part: what the policy of the story broke besides. */
function* closedToIngress(played: Played, names: Names): Iterable<string> {
  const lost = changed(played.chapters, 1).filter(
    ({ pair, predicted }) => pair.asker.workload === undefined && predicted.verdict === "deny",
  );
  if (lost.length === 0) return;
  const targets = lost.map(({ pair }) => names.target(pair.target)).join(", ");
  yield `  The policy before also closed ${targets} to the Ingress: what comes from outside carries the identity\n`;
  yield "  of the Ingress, which its rules do not name. A second small policy mends it:\n\n";
}

function* reopened(played: Played, names: Names): Iterable<string> {
  const differing = changed(played.chapters, 2);
  const opened = differing.filter(({ predicted }) => predicted.verdict === "allow");
  const list = opened.map(({ pair }) => `${names.of(pair.asker.name)} → ${names.target(pair.target)}`).join("; ");
  const only = opened.length === differing.length ? ", and changes nothing else" : "";
  yield opened.length === 0 ? "\n  It opens nothing.\n" : `\n  It opens ${list}${only}.\n`;
  for (const { predicted } of opened) {
    for (const path of predicted.paths) yield `  ${printable(stationsText(path))}: ${path.verdict}\n`;
  }
}

function* impact({ attacker, impact: { before, after } }: Played, names: Names): Iterable<string> {
  if (attacker === null) {
    yield "  Nobody is cut off, so an attacker reaches what he reached before.\n";
    return;
  }
  const list = (reached: readonly string[]): string =>
    `${reached.length} ${reached.length === 1 ? "endpoint" : "endpoints"}${reached.length === 0 ? "" : `: ${reached.map((one) => names.of(one)).join(", ")}`}`;
  yield `  From ${names.of(attacker)}, once taken over:\n`;
  yield `    before  ${list(before)}\n`;
  yield `    after   ${list(after)}\n`;
}

function closing(played: Played, style: Style): string {
  const pairs = played.chapters.flatMap(({ pairs: own, requests }) => [...own, ...requests]);
  if (played.obstacle !== null) return style("unsure", `${pairs.length} verdicts predicted, none observed.`);
  const wrong = pairs.filter((pair) => !pair.agrees).length;
  if (wrong > 0) return style("deny", `Predicted and observed differ in ${wrong} of ${pairs.length} cells.`);
  return style("allow", `Predicted and observed agree in all ${pairs.length} cells.`);
}
