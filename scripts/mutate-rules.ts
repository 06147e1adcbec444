/**
 * Shows that the tests of policy and reach would notice a defect.
 *
 *   npm run mutate:rules -- --seed 1 --count 500 --only src/reach
 *
 * Draws mutants of src/policy and src/reach and says which of them some case catches; then, for each numbered rule that a
 * case names, looks for a mutant that fails a case bearing that number, first where the code names the rule. Prints the
 * score by folder, the survivors with their places, and the rules that no mutant shows. `--unmet` lists first every mutant
 * that no case meets: code that no test comes by. Ends with 1 below the aims.
 */
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Crew } from "./mutation/crew.ts";
import { EQUIVALENT } from "./mutation/equivalent.ts";
import type { Mutant } from "./mutation/instrument.ts";
import { closeWorkshop, openWorkshop, RULE, SCORED } from "./mutation/workshop.ts";
import type { Recorded } from "./mutation/worker.ts";

/** The share of mutants that must be caught. */
const AIM = 0.85;
/** So many mutants are tried for a rule, the likeliest first. */
const TRIES = 60;
/** How many lines behind a comment that names a rule its code is looked for. */
const NEAR = 14;

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    count: { type: "string", default: "500" },
    only: { type: "string", default: "" },
    workers: { type: "string", default: String(Math.min(4, availableParallelism())) },
    rules: { type: "string", default: "all" },
    budget: { type: "string", default: "20" },
    unmet: { type: "boolean", default: false },
  },
});
const seed = Number(values.seed);
const count = Number(values.count);
const workers = Number(values.workers);
/** So much time of cases one mutant may take, in milliseconds of their run without it. */
const budget = 1000 * Number(values.budget);
if (![seed, count, workers].every(Number.isInteger) || workers < 1 || !(budget > 0)) {
  process.stderr.write(
    "usage: npm run mutate:rules -- [--seed N] [--count N] [--only PATH] [--workers N] [--budget SECONDS] [--rules all|none|R4.1.2,K8-34] [--unmet]\n",
  );
  process.exit(2);
}

const root = fileURLToPath(new URL("..", import.meta.url));
const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** Numbers between 0 and 1, the same for the same seed. */
function random(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function draw<T>(items: readonly T[], wanted: number, next: () => number): readonly T[] {
  const left = [...items];
  const drawn: T[] = [];
  while (drawn.length < wanted && left.length > 0) drawn.push(...left.splice(Math.floor(next() * left.length), 1));
  return drawn;
}

/**
 * As many cases as the budget allows: first those that bear a rule which the code names there, then the quickest of every
 * group of tests in turn.
 */
function affordable(cases: readonly Recorded[], named: ReadonlySet<string> = new Set()): readonly number[] {
  const isNamed = ({ title }: Recorded): boolean => named.size > 0 && rulesIn(title).some((rule) => named.has(rule));
  const turns = new Map<string, number>();
  const ordered = [...cases]
    .sort((a, b) => a.milliseconds - b.milliseconds)
    .map((one) => {
      const group = one.title.slice(0, one.title.indexOf(" > "));
      const turn = turns.get(group) ?? 0;
      turns.set(group, turn + 1);
      return { one, turn: isNamed(one) ? -1 : turn };
    })
    .sort((a, b) => a.turn - b.turn);
  let spent = 0;
  return ordered
    .filter(({ one }) => (spent += one.milliseconds) <= budget || spent === one.milliseconds)
    .map(({ one }) => one.index);
}

/** Rules that comments name at most so many lines before a mutant. */
function rulesAt({ file, line }: Mutant): ReadonlySet<string> {
  const comments = workshop.comments.get(file) ?? [];
  return new Set(comments.filter(([, at]) => line >= at && line - at <= NEAR).map(([rule]) => rule));
}

/** Rules that a title names in brackets. */
function rulesIn(title: string): readonly string[] {
  return [...title.matchAll(/\[([^\]]*)\]/g)].flatMap(([, inside = ""]) => inside.match(RULE) ?? []);
}

const place = ({ file, line, operator, change }: Mutant): string => `${file}:${line} ${operator}: ${change}`;

function isEquivalent({ file, change }: Mutant): boolean {
  return EQUIVALENT.some((one) => one.file === file && one.change === change);
}

say(`seed ${seed}`);
const workshop = openWorkshop(root);
const crew = new Crew(workshop.folder, workers);
process.on("exit", () => {
  crew.stop();
  closeWorkshop(workshop);
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130));

const recorded = await crew.record();
const broken = recorded.filter((one) => one.broken !== undefined);
for (const { title, broken: why } of broken) say(`fails without a mutant: ${title}: ${why ?? ""}`);
const cases = recorded.filter((one) => one.broken === undefined);
const byMutant = new Map<number, Recorded[]>();
for (const one of cases)
  for (const id of one.seen) {
    const list = byMutant.get(id);
    if (list === undefined) byMutant.set(id, [one]);
    else list.push(one);
  }

// ── the score ──────────────────────────────────────────────────────────────────────────────────────────────────────

// Of an object that is returned there is no opposite: where cases come by and never find one, there is no mutant.
const reached = new Set(cases.flatMap((one) => one.reached));
const scored = workshop.mutants.filter(
  (mutant) =>
    SCORED.some((folder) => mutant.file.startsWith(`${folder}/`)) &&
    mutant.file.includes(values.only) &&
    (byMutant.has(mutant.id) || !reached.has(mutant.id)),
);
if (values.unmet) {
  const unmet = scored.filter((mutant) => !byMutant.has(mutant.id));
  say(`${unmet.length} of ${scored.length} mutants are met by no case`);
  for (const mutant of unmet) say(`  ${place(mutant)}`);
}
const sample = draw(scored, count, random(seed));
const survivors: Mutant[] = [];
const caught: Mutant[] = [];
await crew.each(sample, async (mutant, attempt) => {
  const able = affordable(byMutant.get(mutant.id) ?? [], rulesAt(mutant));
  const result = able.length === 0 ? {} : await attempt(mutant.id, able);
  (result.caught === undefined ? survivors : caught).push(mutant);
});
const equivalent = survivors.filter(isEquivalent);
const real = survivors.filter((mutant) => !isEquivalent(mutant)).sort((a, b) => a.id - b.id);

say(`${cases.length} cases meet ${byMutant.size} of ${workshop.mutants.length} mutants; ${sample.length} drawn`);
say(`${"folder".padEnd(24)} ${"mutants".padStart(8)} ${"caught".padStart(8)} ${"share".padStart(8)}`);
const folderOf = ({ file }: Mutant): string => file.slice(0, file.lastIndexOf("/"));
const score = (own: readonly Mutant[], ofAll: readonly Mutant[]): number =>
  ofAll.length + own.length === 0 ? 1 : own.length / (ofAll.length + own.length);
for (const folder of [...new Set(sample.map(folderOf))].sort()) {
  const [good, bad] = [caught, real].map((list) => list.filter((mutant) => folderOf(mutant) === folder));
  const share = score(good ?? [], bad ?? []);
  const [all, own] = [(good?.length ?? 0) + (bad?.length ?? 0), good?.length ?? 0];
  say(`${folder.padEnd(24)} ${String(all).padStart(8)} ${String(own).padStart(8)} ${percent(share).padStart(8)}`);
}
const total = score(caught, real);
say(
  `${"all".padEnd(24)} ${String(caught.length + real.length).padStart(8)} ${String(caught.length).padStart(8)} ${percent(total).padStart(8)}`,
);
if (equivalent.length > 0) say(`${equivalent.length} more change nothing (scripts/mutation/equivalent.ts)`);
if (real.length > 0) say("survivors");
for (const mutant of real) say(`  ${place(mutant)}${byMutant.has(mutant.id) ? "" : " (no case meets it)"}`);

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

// ── the rules ──────────────────────────────────────────────────────────────────────────────────────────────────────

const byRule = new Map<string, Recorded[]>();
for (const one of cases)
  for (const rule of new Set(rulesIn(one.title))) byRule.set(rule, [...(byRule.get(rule) ?? []), one]);
const wanted = values.rules === "all" ? [...byRule.keys()] : values.rules.split(",").filter((rule) => byRule.has(rule));

/** How far behind a comment that names the rule the mutant stands; far where none does. */
function distance(rule: string, { file, line }: Mutant): number {
  const comments = workshop.comments.get(file) ?? [];
  const behind = comments.filter(([named, at]) => named === rule && line >= at && line - at <= NEAR);
  return Math.min(NEAR + 1, ...behind.map(([, at]) => line - at));
}

const unshown: string[] = [];
let atComment = 0;
await crew.each(wanted.sort(), async (rule, attempt) => {
  const own = byRule.get(rule) ?? [];
  const candidates = [...new Set(own.flatMap((one) => one.seen))]
    .flatMap((id) => workshop.mutants[id - 1] ?? [])
    .map((mutant) => ({ mutant, far: distance(rule, mutant), cases: byMutant.get(mutant.id)?.length ?? 0 }))
    .sort((a, b) => a.far - b.far || a.cases - b.cases || a.mutant.id - b.mutant.id)
    .slice(0, TRIES);
  for (const { mutant, far } of candidates) {
    const result = await attempt(mutant.id, affordable(own.filter((one) => one.seen.includes(mutant.id))));
    if (result.caught === undefined) continue;
    if (far <= NEAR) atComment += 1;
    return;
  }
  unshown.push(rule);
});
if (wanted.length > 0) {
  say(
    `rules: of ${wanted.length} that cases name, ${wanted.length - unshown.length} are shown by a mutant that fails such a case, ${atComment} of them where the code names the rule`,
  );
  if (unshown.length > 0) say(`  shown by none: ${unshown.sort().join(" ")}`);
}
crew.stop();
process.exitCode = broken.length > 0 ? 2 : total < AIM || unshown.length > 0 ? 1 : 0;
