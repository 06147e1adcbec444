/**
 * `npm run bench -- [pods] [runs]`: the full analysis beside js-yaml on the same bytes, one question, and changes; ratios
 * of one run. Times are CPU time of the process, collector and compiler threads included, for wall time tells more of a
 * machine's other work; each is the median of the runs with the least and the most. Both sides run equally often before
 * they count, since code that is not yet optimised costs a multiple; the first, cold run is shown on its own. The other
 * benchmarks are named at the end.
 */
import { spawnSync } from "node:child_process";
import { PerformanceObserver } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { loadAll } from "js-yaml";
import { type Change, chooseDialect, type Document, Engine, readDocuments } from "bulkhead";
import {
  type ClusterShape,
  clusterText,
  namespaceText,
  podName,
  podNamespace,
  podText,
  policyText,
  randomOf,
  SEED,
} from "./cluster.ts";
import { cpu, median, quantile } from "./figures.ts";

/** How often each size runs before it counts: about as long for each. */
const SIZES = [
  { pods: 1_000, policies: 200, warmUps: 20 },
  { pods: 10_000, policies: 1_000, warmUps: 6 },
  { pods: 100_000, policies: 10_000, warmUps: 1 },
];

/** How long the collector held up the program so far, in milliseconds of wall time. */
let collected = 0;
new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) collected += duration;
}).observe({ entryTypes: ["gc"] });

/** Lets the observer hear of what was collected. */
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));

function timed<T>(run: () => T): { readonly ms: number; readonly value: T } {
  const start = cpu();
  const value = run();
  return { ms: cpu() - start, value };
}

const digits = (ms: number): string => ms.toFixed(ms < 10 ? 2 : 0);
const spread = (values: readonly number[]): string =>
  `${digits(median(values))} ms (${digits(Math.min(...values))}–${digits(Math.max(...values))})`;

function read(text: string): readonly Document[] {
  return readDocuments([{ name: "cluster.yaml", text }]).documents;
}

function open(documents: readonly Document[]): Engine {
  const { dialect } = chooseDialect(documents);
  if (dialect === undefined) throw new Error("no dialect");
  return Engine.open(documents, { dialect });
}

// ── the full analysis ──────────────────────────────────────────────────────────────────────────────────────────────

interface Figures {
  readonly pods: number;
  readonly yaml: readonly number[];
  readonly read: readonly number[];
  readonly full: readonly number[];
  readonly answer: number;
}

async function analyse(shape: ClusterShape, warmUps: number, runs: number): Promise<Figures> {
  const text = clusterText(shape);
  const figures = {
    yaml: [] as number[],
    read: [] as number[],
    open: [] as number[],
    solve: [] as number[],
    full: [] as number[],
    collector: [] as number[],
  };
  let answer = 0;
  let classes = 0;
  let cold = Number.NaN;
  for (let run = -warmUps; run < runs; run++) {
    const yaml = timed(() => loadAll(text).length).ms;
    const documents = timed(() => read(text));
    await pause();
    const before = collected;
    const opened = timed(() => open(documents.value));
    const solved = timed(() => opened.value.solve());
    classes = solved.value.classes.length;
    answer = solved.value.sides.reduce(
      (sum, { groups }) => groups.reduce((n, { others }) => n + others.length, sum),
      0,
    );
    if (run === -warmUps) cold = (opened.ms + solved.ms) / yaml;
    await pause();
    if (run < 0) continue;
    figures.collector.push(collected - before);
    figures.yaml.push(yaml);
    figures.read.push(documents.ms);
    figures.open.push(opened.ms);
    figures.solve.push(solved.ms);
    figures.full.push(opened.ms + solved.ms);
  }
  const ratios = figures.full.map((ms, i) => ms / (figures.yaml[i] ?? Number.NaN));
  console.log(
    `${shape.pods} pods, ${shape.policies} policies${shape.isShared === true ? ", shared" : ""}: ${(text.length / 2 ** 20).toFixed(1)} MiB, ${(text.length / shape.pods).toFixed(0)} bytes a pod`,
  );
  console.log(`  js-yaml ${spread(figures.yaml)}, reading ${spread(figures.read)}`);
  console.log(`  open ${spread(figures.open)}, solve ${spread(figures.solve)}, full ${spread(figures.full)}`);
  console.log(`  the collector held open and solve up for ${spread(figures.collector)} of wall time`);
  console.log(
    `  full / js-yaml ${median(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}, ${runs} runs after ${warmUps}; the first ${cold.toFixed(2)}); ${classes} classes, factored answer of ${answer} entries`,
  );
  return { pods: shape.pods, ...figures, answer };
}

function exponents(all: readonly Figures[]): void {
  all.slice(1).forEach((figures, i) => {
    const before = all[i];
    if (before === undefined) return;
    const power = (part: (one: Figures) => number): string =>
      (Math.log(part(figures) / part(before)) / Math.log(figures.pods / before.pods)).toFixed(2);
    const size = (one: Figures): number => one.pods + one.answer;
    const perSize = Math.log(median(figures.full) / median(before.full)) / Math.log(size(figures) / size(before));
    console.log(
      `${before.pods} → ${figures.pods} pods: js-yaml n^${power((one) => median(one.yaml))}, reading n^${power((one) => median(one.read))}, full n^${power((one) => median(one.full))}; of input and answer together n^${perSize.toFixed(2)}`,
    );
  });
}

/** The most memory that reading, opening and solving take, in a process of its own. */
function memory(shape: ClusterShape): void {
  const argv = [
    "--import",
    "tsx",
    fileURLToPath(import.meta.url),
    "memory",
    String(shape.pods),
    String(shape.policies),
  ];
  const run = spawnSync(process.execPath, argv, { encoding: "utf8" });
  process.stdout.write(run.stdout);
}

function measureMemory(shape: ClusterShape): void {
  const text = clusterText(shape);
  const engine = open(read(text));
  engine.solve();
  const peak = process.resourceUsage().maxRSS / 1024;
  console.log(
    `  memory: at most ${peak.toFixed(0)} MiB, ${(peak / (text.length / 2 ** 20)).toFixed(1)} times the input`,
  );
}

// ── one question, and changes ──────────────────────────────────────────────────────────────────────────────────────

const QUESTIONS = 200;
const CHANGES = 1000;

function questions(engine: Engine, shape: ClusterShape): void {
  const random = randomOf(SEED + 1);
  const name = (): string => {
    const p = Math.floor(random() * shape.pods);
    return `${podNamespace(shape, p)}/${podName(shape, p)}`;
  };
  const ask = (): number => timed(() => engine.why({ from: name(), to: name(), protocol: "TCP", port: 8080 })).ms;
  const first = ask();
  const asked = Array.from({ length: QUESTIONS }, ask);
  const reach = (): number =>
    timed(() => {
      let count = 0;
      const { pairs } = engine.reach({ from: name(), by: "endpoint", provenance: false, outside: false });
      for (const _ of pairs) count++;
      return count;
    }).ms;
  const firstReach = reach();
  const reached = Array.from({ length: 20 }, reach);
  console.log(
    `  why: first ${digits(first)} ms, then ${spread(asked)}; reach --from: first ${digits(firstReach)} ms, then ${spread(reached)}`,
  );
}

/** What a change does, and how often of a hundred. */
const MIX = [
  ["pod added", 25],
  ["pod removed", 25],
  ["pod relabelled", 20],
  ["policy added", 10],
  ["policy changed", 10],
  ["policy removed", 10],
] as const;

async function changes(engine: Engine, shape: ClusterShape, full: number): Promise<void> {
  const random = randomOf(SEED + 2);
  const pick = (n: number): number => Math.floor(random() * n);
  const one = (text: string): Change => ({ upsert: read(text) });
  const kindOf = (text: string): string => /kind: (\w+)/.exec(text)?.[1] ?? "";
  const written = new Map<number, string>();
  let pods = shape.pods;
  let policies = shape.policies;
  const make: Readonly<Record<(typeof MIX)[number][0], () => Change>> = {
    "pod added": () => one(podText(shape, pods++)),
    "pod removed": () => {
      const p = pick(pods);
      return { remove: [{ kind: "Pod", namespace: podNamespace(shape, p), name: podName(shape, p) }] };
    },
    "pod relabelled": () => one(podText(shape, pick(pods), 0)),
    "policy added": () => {
      const text = policyText(shape, policies, random);
      written.set(policies++, text);
      return one(text);
    },
    "policy changed": () => one(policyText(shape, pick(shape.policies), random)),
    "policy removed": () => {
      const [n, text] = [...written][0] ?? [];
      if (n === undefined || text === undefined) return {};
      written.delete(n);
      const namespace = /namespace: (\S+)/.exec(text)?.[1];
      return { remove: [{ kind: kindOf(text), name: `p-${n}`, ...(namespace === undefined ? {} : { namespace }) }] };
    },
  };
  engine.apply({});
  const all: number[] = [];
  const byKind = new Map<string, number[]>();
  const then: number[] = [];
  const undisturbed: number[] = [];
  for (let i = 0; i < CHANGES; i++) {
    await pause();
    const before = collected;
    let ticket = pick(100);
    const [kind] = MIX.find(([, share]) => (ticket -= share) < 0) ?? MIX[0];
    const change = make[kind]();
    const { ms } = timed(() => engine.apply(change));
    await pause();
    all.push(ms);
    if (collected === before) undisturbed.push(ms);
    byKind.set(kind, [...(byKind.get(kind) ?? []), ms]);
    const p = pick(shape.pods);
    const target = `${podNamespace(shape, p)}/${podName(shape, p)}`;
    if (engine.inventory.resolve(target).kind === "endpoints")
      then.push(timed(() => engine.why({ from: "ip:203.0.113.7", to: target, protocol: "TCP", port: 8080 })).ms);
  }
  const limit = Math.max(5, full / 1000);
  console.log(`  ${CHANGES} changes (${MIX.map(([kind, share]) => `${kind} ${share} %`).join(", ")}):`);
  console.log(
    `    apply ${digits(median(all))} ms, 99th percentile ${digits(quantile(all, 0.99))} ms of ${digits(limit)} allowed, at most ${digits(Math.max(...all))} ms; a question after each: ${digits(median(then))} ms, 99th percentile ${digits(quantile(then, 0.99))} ms`,
  );
  console.log(
    `    ${CHANGES - undisturbed.length} of them met the collector; the others took ${digits(median(undisturbed))} ms, 99th percentile ${digits(quantile(undisturbed, 0.99))} ms`,
  );
  for (const [kind, times] of byKind)
    console.log(`    ${kind}: ${digits(median(times))} ms, 99th percentile ${digits(quantile(times, 0.99))} ms`);
  wideChanges(engine);
}

type End = Engine["inventory"]["groups"][number]["members"][number];

/** Changes that touch many classes: the change, with the policies that govern each of the classes found anew. */
function wideChanges(engine: Engine): void {
  const policy = (i: number, key: string, value: string): Change => ({
    upsert: read(
      `apiVersion: cilium.io/v2\nkind: CiliumClusterwideNetworkPolicy\nmetadata:\n  name: wide-${key.length}-${i}\nspec:\n  endpointSelector: {matchLabels: {${key === "" ? "" : `"${key}": ${value}`}}}\n  egressDeny:\n  - toCIDR: ["169.254.169.254/32"]`,
    ),
  });
  interface Wide {
    readonly what: string;
    readonly change: (i: number) => Change;
    readonly touches: (namespace: number, app: string, i: number) => boolean;
  }
  const wide: readonly Wide[] = [
    {
      what: "the label of a namespace",
      change: (i) => ({ upsert: read(namespaceText(i, "moved")) }),
      touches: (namespace, _, i) => namespace === i,
    },
    {
      what: "a policy for one application's name",
      change: (i) => policy(i, "k8s:app", `shared-${i % 4}`),
      touches: (_, app, i) => app === `shared-${i % 4}`,
    },
    {
      what: "a policy for one team",
      change: (i) => policy(i, "k8s:io.cilium.k8s.namespace.labels.team", `team-${i}`),
      touches: (namespace, _, i) => namespace % 37 === i,
    },
    { what: "a policy for every pod", change: (i) => policy(i, "", ""), touches: () => true },
  ];
  const { connections } = engine;
  for (const { what, change, touches } of wide) {
    const times: number[] = [];
    let classes = 0;
    for (const i of [1, 2, 3, 4, 5]) {
      const touched = new Map<number, End>();
      for (const { workload, members } of engine.inventory.groups) {
        const [first] = members;
        const app = workload.pods[0]?.labels.get("app");
        if (first === undefined || typeof app !== "string") continue;
        if (touches(Number(workload.namespace.slice(3)), app, i)) touched.set(connections.classOf(first), first);
      }
      classes = touched.size;
      const run = timed(() => {
        engine.apply(change(i));
        for (const end of touched.values()) connections.sides.subject(connections.viewOf(end));
      });
      times.push(run.ms);
    }
    const each = classes === 0 ? Number.NaN : (median(times) * 1000) / classes;
    console.log(`    wide: ${what}, ${classes} classes: ${spread(times)}, ${each.toFixed(1)} µs a class`);
  }
}

// ── all of it ──────────────────────────────────────────────────────────────────────────────────────────────────────

async function main(largest: number, runs: number): Promise<void> {
  console.log(`seed ${SEED}; CPU time, median (least–most) of ${runs} runs`);
  const all: Figures[] = [];
  for (const { pods, policies, warmUps } of SIZES.filter((size) => size.pods <= largest)) {
    const shape = { pods, policies, seed: SEED };
    all.push(await analyse(shape, warmUps, runs));
    memory(shape);
  }
  exponents(all);
  const size = SIZES.findLast(({ pods }) => pods <= largest);
  const full = all.at(-1)?.full;
  if (size === undefined || full === undefined) return;
  const shape = { pods: size.pods, policies: size.policies, seed: SEED };
  console.log(`One question and changes at ${size.pods} pods`);
  const engine = open(read(clusterText(shape)));
  questions(engine, shape);
  await changes(engine, shape, median(full));
  await analyse({ ...shape, isShared: true }, 1, 1);
  console.log(
    `${USAGE} The lab and the VPC: node --import tsx bench/reading.ts, bench/lab-start.ts, bench/lab-probe.ts, bench/lab-traffic.ts, bench/lab-http.ts, bench/vpc.ts`,
  );
}

const USAGE = `Usage: npm run bench -- [largest] [runs], with ${SIZES.map(({ pods }) => pods).join(", ")} for the largest number of pods (10000 unless given), and 1 to 50 runs of each size (3 unless given).`;

const [first, second, ...rest] = process.argv.slice(2);
const largest = Number(first ?? 10_000);
const runs = Number(second ?? 3);
if (first === "memory") measureMemory({ pods: Number(second), policies: Number(rest[0]), seed: SEED });
else if (
  rest.length === 0 &&
  SIZES.some(({ pods }) => pods === largest) &&
  Number.isInteger(runs) &&
  runs >= 1 &&
  runs <= 50
)
  await main(largest, runs);
else {
  console.error(USAGE);
  process.exitCode = 2;
}
