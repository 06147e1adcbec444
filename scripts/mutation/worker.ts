/**
 * Runs cases beside mutants, in a process of its own: first every case without a mutant, to see which mutants it meets, then
 * the cases that the parent names, with the mutant that it names.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { cases } from "./harness.ts";
import { Runtime } from "./runtime.ts";

/** What the parent asks. */
export type Request =
  | { readonly kind: "record"; readonly part: number; readonly parts: number }
  | { readonly kind: "try"; readonly mutant: number; readonly cases: readonly number[] };

export interface Recorded {
  readonly index: number;
  readonly title: string;
  readonly milliseconds: number;
  readonly steps: number;
  readonly seen: readonly number[];
  /** Mutants of returned values that it comes by, also where there is no other value of the kind. */
  readonly reached: readonly number[];
  /** Why it fails without any mutant; it is then left out. */
  readonly broken?: string;
}

export type Reply =
  | { readonly kind: "ready"; readonly cases: number }
  | { readonly kind: "recorded"; readonly cases: readonly Recorded[] }
  /** `caught`: the first case that fails; `spoilt`: it fails without the mutant as well, so this process is of no more use. */
  | { readonly kind: "tried"; readonly caught?: number; readonly spoilt?: true; readonly tried: number };

/** Test files whose cases are run; those of the reference alone meet no mutant. */
const FILES = [
  "test/conformance.test.ts",
  "test/property/regressions.test.ts",
  "test/rules/changes.test.ts",
  "test/rules/rules.test.ts",
  "scripts/mutation/sample.ts",
];
const FOLDERS = [
  "test/model",
  "test/policy",
  "test/reach",
  "test/lint",
  "test/report",
  "test/questions",
  "test/recorded",
  "test/edits",
];

const root = process.argv[2] ?? "";
const runtime = new Runtime();
Object.assign(globalThis, { $mutant: runtime });
/** How often a case may call the runtime, by what it does without a mutant. */
const limits = new Map<number, number>();
const MANY = 200_000;

async function fails(index: number, mutant: number): Promise<string | undefined> {
  const one = cases[index];
  if (one === undefined) return undefined;
  runtime.begin(mutant, limits.get(index) ?? 50_000_000);
  try {
    await one.run();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    runtime.begin(0, Number.POSITIVE_INFINITY);
  }
}

async function record(index: number): Promise<Recorded> {
  const seen = new Set<number>();
  runtime.forget();
  const reached = new Set<number>();
  runtime.seen = seen;
  runtime.reached = reached;
  runtime.begin(0, Number.POSITIVE_INFINITY);
  const start = process.cpuUsage();
  let broken: string | undefined;
  try {
    await cases[index]?.run();
  } catch (error) {
    broken = error instanceof Error ? error.message : String(error);
  }
  const { user, system } = process.cpuUsage(start);
  runtime.seen = undefined;
  runtime.reached = undefined;
  return {
    index,
    title: cases[index]?.title ?? "",
    milliseconds: (user + system) / 1000,
    steps: runtime.steps,
    seen: [...seen],
    reached: [...reached],
    ...(broken === undefined ? {} : { broken }),
  };
}

async function answer(request: Request): Promise<Reply> {
  if (request.kind === "record") {
    const all: Recorded[] = [];
    for (let i = request.part; i < cases.length; i += request.parts) {
      const recorded = await record(i);
      if (recorded.seen.length > 0) all.push(recorded);
    }
    return { kind: "recorded", cases: all };
  }
  const { mutant, cases: indices } = request;
  runtime.forget();
  let tried = 0;
  for (const index of indices) {
    tried += 1;
    if ((await fails(index, mutant)) === undefined) continue;
    runtime.forget();
    const spoilt = (await fails(index, 0)) !== undefined;
    return { kind: "tried", tried, caught: index, ...(spoilt ? { spoilt } : {}) };
  }
  return { kind: "tried", tried };
}

/** Steps of the cases without a mutant, which the parent knows from the recording. */
export interface Limits {
  readonly kind: "limits";
  readonly steps: readonly (readonly [index: number, steps: number])[];
}

function isLimits(message: Request | Limits): message is Limits {
  return message.kind === "limits";
}

process.on("message", (message: Request | Limits) => {
  if (isLimits(message)) {
    for (const [index, steps] of message.steps) limits.set(index, 20 * steps + MANY);
    return;
  }
  void answer(message).then((reply) => process.send?.(reply));
});
process.on("disconnect", () => process.exit(0));

const found = FOLDERS.flatMap((part) =>
  readdirSync(join(root, part), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".test.ts"))
    .sort()
    .map((name) => `${part}/${name}`),
);
await import(pathToFileURL(join(root, "test/seed.ts")).href);
for (const file of [...FILES, ...found]) await import(pathToFileURL(join(root, file)).href);
const ready: Reply = { kind: "ready", cases: cases.length };
process.send?.(ready);
