/**
 * `node --import tsx bench/reading.ts [pods]`, after a build: reading beside `JSON.parse` and js-yaml on the same bytes, on
 * one core and on several, and the most memory that each way takes; ratios of one run. Each way runs in a process of its
 * own, the first, cold run uncounted. CPU time is that of all threads; wall time tells something on an idle machine only.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadAll } from "js-yaml";
import { readDocuments } from "bulkhead";
import { clusterText, SEED } from "./cluster.ts";
import { cpu, median } from "./figures.ts";

const RUNS = 3;

/** Each way of reading: what it is called, of which file, and how. */
const WAYS: Readonly<Record<string, { readonly file: string; readonly run: (path: string) => Promise<void> }>> = {
  "JSON.parse": { file: "list.json", run: async (path) => void JSON.parse(readFileSync(path, "utf8")) },
  "JSON, a List": { file: "list.json", run: (path) => read(path, 0) },
  "JSON, a value a line": { file: "lines.json", run: (path) => read(path, 0) },
  "js-yaml": { file: "stream.yaml", run: async (path) => void loadAll(readFileSync(path, "utf8")) },
  "YAML, documents": { file: "stream.yaml", run: (path) => read(path, 0) },
  "YAML, a List": { file: "list.yaml", run: (path) => read(path, 0) },
  "YAML, one thread more": { file: "stream.yaml", run: (path) => read(path, 1) },
  "YAML, three threads more": { file: "stream.yaml", run: (path) => read(path, 3) },
};

/** Reads with the built package, since threads run no TypeScript. */
async function read(path: string, threads: number): Promise<void> {
  const built = new URL("../dist/files/reading.js", import.meta.url);
  const { readSources }: typeof import("../src/files/reading.ts") = await import(built.href);
  readSources([{ name: path, text: readFileSync(path, "utf8") }], threads);
}

async function measure(way: string, folder: string): Promise<void> {
  const { file, run } = WAYS[way] ?? {};
  if (file === undefined || run === undefined) throw new Error(`no way ${way}`);
  const path = join(folder, file);
  const size = statSync(path).size / 2 ** 20;
  const times: number[] = [];
  const walls: number[] = [];
  for (let i = 0; i <= RUNS; i++) {
    const start = cpu();
    const wall = performance.now();
    await run(path);
    if (i === 0) continue;
    times.push(cpu() - start);
    walls.push(performance.now() - wall);
  }
  const middle = (values: readonly number[]): string => median(values).toFixed(0);
  const peak = process.resourceUsage().maxRSS / 1024;
  console.log(
    `${way}: ${size.toFixed(1)} MiB, CPU ${middle(times)} ms (${Math.min(...times).toFixed(0)}–${Math.max(...times).toFixed(0)}), wall ${middle(walls)} ms, at most ${peak.toFixed(0)} MiB of memory, ${(peak / size).toFixed(1)} times the input`,
  );
}

function main(pods: number): void {
  const folder = mkdtempSync(join(tmpdir(), "bulkhead-reading-"));
  try {
    const text = clusterText({ pods, policies: pods / 10, seed: SEED });
    const items = readDocuments([{ name: "stream.yaml", text }]).documents.map(({ value }) => value);
    const asItem = (one: string): string => `- ${one.trimEnd().replaceAll("\n", "\n  ")}\n`;
    writeFileSync(join(folder, "stream.yaml"), text);
    writeFileSync(
      join(folder, "list.yaml"),
      `apiVersion: v1\nitems:\n${text.split("\n---\n").map(asItem).join("")}kind: List\n`,
    );
    writeFileSync(join(folder, "list.json"), JSON.stringify({ apiVersion: "v1", kind: "List", items }));
    writeFileSync(join(folder, "lines.json"), items.map((item) => JSON.stringify(item)).join("\n"));
    console.log(`${pods} pods, seed ${SEED}; median (least–most) of ${RUNS} runs`);
    for (const way of Object.keys(WAYS)) {
      const argv = ["--import", "tsx", fileURLToPath(import.meta.url), way, folder];
      const { status } = spawnSync(process.execPath, argv, { stdio: ["ignore", "inherit", "inherit"] });
      if (status !== 0) throw new Error(`${way} could not be measured; has the package been built?`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const [first = "20000", folder] = process.argv.slice(2);
if (folder === undefined) main(Number(first));
else await measure(first, folder);
