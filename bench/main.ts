/**
 * `npm run bench -- [pods] [runs]`: the full analysis beside js-yaml on the same bytes, one question, and changes; ratios
 * of one run. Times are CPU time of the process, collector included, for wall time tells more of a machine's other work;
 * each is the median of the runs with the least and the most. The first, cold run counts in none. The others are named at the end.
 */
import { spawnSync } from "node:child_process";
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

const SIZES = [
  { pods: 1_000, policies: 200 },
  { pods: 10_000, policies: 1_000 },
  { pods: 100_000, policies: 10_000 },
];

function cpu(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function timed<T>(run: () => T): { readonly ms: number; readonly value: T } {
  const start = cpu();
  const value = run();
  return { ms: cpu() - start, value };
}

function quantile(values: readonly number[], q: number): number {
  return values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))] ?? Number.NaN;
}

const median = (values: readonly number[]): number => quantile(values, 0.5);
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

function analyse(shape: ClusterShape, runs: number): Figures {
  const text = clusterText(shape);
  const figures = {
    yaml: [] as number[],
    read: [] as number[],
    open: [] as number[],
    solve: [] as number[],
    full: [] as number[],
  };
  let answer = 0;
  let classes = 0;
  for (let run = 0; run <= runs; run++) {
    const yaml = timed(() => loadAll(text).length).ms;
    const documents = timed(() => read(text));
    const opened = timed(() => open(documents.value));
    const solved = timed(() => opened.value.solve());
    classes = solved.value.classes.length;
    answer = solved.value.sides.reduce(
      (sum, { groups }) => groups.reduce((n, { others }) => n + others.length, sum),
      0,
    );
    if (run === 0) continue;
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
  console.log(
    `  full / js-yaml ${median(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}, ${runs} runs); ${classes} classes, factored answer of ${answer} entries`,
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

function changes(engine: Engine, shape: ClusterShape, full: number): void {
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
  for (let i = 0; i < CHANGES; i++) {
    let ticket = pick(100);
    const [kind] = MIX.find(([, share]) => (ticket -= share) < 0) ?? MIX[0];
    const change = make[kind]();
    const { ms } = timed(() => engine.apply(change));
    all.push(ms);
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
  for (const [kind, times] of byKind)
    console.log(`    ${kind}: ${digits(median(times))} ms, 99th percentile ${digits(quantile(times, 0.99))} ms`);
  const namespace = timed(() => engine.apply(one(namespaceText(1, "moved")))).ms;
  const { ms: wide } = timed(() =>
    engine.apply(
      one(
        'apiVersion: cilium.io/v2\nkind: CiliumClusterwideNetworkPolicy\nmetadata:\n  name: everybody\nspec:\n  endpointSelector: {}\n  egressDeny:\n  - toCIDR: ["169.254.169.254/32"]',
      ),
    ),
  );
  console.log(`    wide: the label of a namespace ${digits(namespace)} ms, a policy for every pod ${digits(wide)} ms`);
}

// ── all of it ──────────────────────────────────────────────────────────────────────────────────────────────────────

function main(largest: number, runs: number): void {
  console.log(`seed ${SEED}; CPU time, median (least–most) of ${runs} runs`);
  const all: Figures[] = [];
  for (const size of SIZES.filter(({ pods }) => pods <= largest)) {
    const shape = { ...size, seed: SEED };
    all.push(analyse(shape, runs));
    memory(shape);
  }
  exponents(all);
  const size = SIZES.findLast(({ pods }) => pods <= largest);
  const full = all.at(-1)?.full;
  if (size === undefined || full === undefined) return;
  const shape = { ...size, seed: SEED };
  console.log(`One question and changes at ${size.pods} pods`);
  const engine = open(read(clusterText(shape)));
  questions(engine, shape);
  changes(engine, shape, median(full));
  analyse({ ...shape, isShared: true }, 1);
  console.log(
    "Give 100000 to go on to the largest, and how many runs. The lab and the VPC: node --import tsx bench/lab-start.ts, bench/lab-traffic.ts, bench/vpc.ts",
  );
}

const [first, second, third] = process.argv.slice(2);
if (first === "memory") measureMemory({ pods: Number(second), policies: Number(third), seed: SEED });
else main(Number(first ?? 10_000), Number(second ?? 3));
