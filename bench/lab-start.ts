/**
 * How long a lab takes to start, beside the bare kernel cost in the same run: `ip -batch` in one process for as many
 * namespaces, and one for as many veth pairs. Then the time from `apply` to the first packet decided by a new policy.
 * Starts what is built, as a user does: from the sources, compiling them would be the most of it.
 *
 *   npm run build && node --import tsx bench/lab-start.ts [rounds] [pods…]        default 5 rounds of 4 100 1000
 */

import { spawnSync } from "node:child_process";
import { NO_RULES, type Ruleset } from "../src/lab/ruleset.ts";
import { FIRST_IDENTITY, labApply, labDown, labProbe, labUp, planOf, rulesOf, tcpProbe } from "./built-lab.ts";
import { boundsOfMedian, median } from "./figures.ts";

const NAME = "bench";
const PORT = 80;

/** Each pod takes connections of its predecessor alone. */
function chain(count: number): Ruleset {
  return rulesOf(count, { first: PORT, last: PORT }, (index) => [(index + count - 1) % count]);
}

const BARE = `
mount -t tmpfs none /run && mkdir /run/netns
i=0; while [ $i -lt $COUNT ]; do echo "netns add p$i"; i=$((i+1)); done > /run/namespaces
i=0; while [ $i -lt $COUNT ]; do echo "link add v$i type veth peer name eth0 netns p$i"; i=$((i+1)); done > /run/pairs
a=$(date +%s%N); ip -batch /run/namespaces; b=$(date +%s%N); ip -batch /run/pairs; c=$(date +%s%N)
echo "$(( (b-a)/1000 )) $(( (c-b)/1000 ))"
`;

/** Milliseconds for the namespaces and for the pairs. */
function bare(count: number): readonly [number, number] {
  const run = spawnSync("unshare", ["-Urnmp", "--fork", "--kill-child", "sh", "-c", BARE], {
    env: { ...process.env, COUNT: String(count) },
    encoding: "utf8",
  });
  const [namespaces = NaN, pairs = NaN] = run.stdout.trim().split(" ").map(Number);
  return [namespaces / 1000, pairs / 1000];
}

function ms(value: number): string {
  return `${value.toFixed(value < 10 ? 1 : 0)} ms`;
}

/** Milliseconds. */
interface Figures {
  readonly namespaces: number;
  readonly pairs: number;
  readonly up: number;
  /** Every pod sends to the next. */
  readonly traffic: number;
  readonly change: number;
  /** From the order to change a rule to the answer of a probe that it decides. */
  readonly firstPacket: number;
  readonly down: number;
}

async function measure(count: number): Promise<Figures> {
  const [namespaces, pairs] = bare(count);
  const begun = performance.now();
  await labUp(planOf(count, [PORT]), chain(count), { name: NAME, attached: true });
  const up = performance.now() - begun;
  const ring = Array.from({ length: count }, (_, index) => tcpProbe(index, (index + 1) % count, PORT));
  const probing = performance.now();
  const results = await labProbe(ring, { name: NAME });
  const probed = performance.now() - probing;
  const wrong = results.filter((result) => result.outcome !== "allow").length;
  if (wrong > 0) throw new Error(`${wrong} of ${count} pods could not reach their successor`);

  const first = tcpProbe(0, 1, PORT);
  const changes: number[] = [];
  const firstPackets: number[] = [];
  for (let round = 0; round < 5; round++) {
    for (const [ruleset, outcome] of [
      [oneRuleLess(count), "deny"],
      [chain(count), "allow"],
    ] as const) {
      const ordered = performance.now();
      const applied = await labApply({ ruleset }, { name: NAME });
      changes.push(applied.milliseconds);
      const [result] = await labProbe([first], { name: NAME });
      firstPackets.push(performance.now() - ordered);
      if (result?.outcome !== outcome) throw new Error(`${result?.outcome} instead of ${outcome}`);
    }
  }
  const ending = performance.now();
  await labDown({ name: NAME });
  const down = performance.now() - ending;
  return { namespaces, pairs, up, traffic: probed, change: median(changes), firstPacket: median(firstPackets), down };
}

function told(count: number, rounds: readonly Figures[]): string {
  const middle = (figure: keyof Figures): string => ms(median(rounds.map((round) => round[figure])));
  const ratios = rounds.map(({ up, namespaces, pairs }) => up / (namespaces + pairs));
  const [low, high] = boundsOfMedian(ratios);
  return `${String(count).padStart(5)} pods: up ${middle("up")} (every pod then sent traffic: ${middle("traffic")}); bare ${middle("namespaces")} + ${middle("pairs")}, ratio ${median(ratios).toFixed(2)} (95 %: ${low.toFixed(2)}–${high.toFixed(2)}, ${rounds.length} pairs); one rule changed ${middle("change")}, order to first packet decided ${middle("firstPacket")}; down ${middle("down")}\n`;
}

function oneRuleLess(count: number): Ruleset {
  const full = chain(count);
  return {
    ...full,
    subjects: full.subjects.map((subject) =>
      subject.identity === FIRST_IDENTITY + 1 ? { ...subject, entries: [] } : subject,
    ),
  };
}

const [rounds = 5, ...counts] = process.argv.slice(2).map(Number);
for (const count of counts.length > 0 ? counts : [4, 100, 1000]) {
  const figures: Figures[] = [];
  for (let round = 0; round < rounds; round++) {
    figures.push(await measure(count));
    // The kernel takes namespaces down behind the process's back; the next round must not pay for it.
    await labUp(planOf(2, [PORT]), NO_RULES, { name: NAME, attached: true });
    await labDown({ name: NAME });
    await new Promise((resolve) => setTimeout(resolve, count * 3));
  }
  process.stdout.write(told(count, figures));
}
