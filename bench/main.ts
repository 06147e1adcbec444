/** `npm run bench`: the full analysis beside js-yaml on the same bytes; ratios of one run. The others are named at its end. */
import { loadAll } from "js-yaml";
import { readDocuments } from "../src/documents/document.ts";
import { buildWorld } from "../src/model/build.ts";
import { openDialect } from "../src/policy/registry.ts";
import { Engine } from "../src/reach/engine.ts";
import { clusterText } from "./cluster.ts";

const SIZES = [
  { pods: 1_000, policies: 200 },
  { pods: 10_000, policies: 1_000 },
  { pods: 100_000, policies: 10_000 },
];

function timed<T>(run: () => T): { readonly ms: number; readonly value: T } {
  const start = performance.now();
  const value = run();
  return { ms: performance.now() - start, value };
}

const dialect = openDialect("cilium");
if (dialect === undefined) throw new Error("no dialect cilium");
const largest = Number(process.argv[2] ?? 10_000);

console.log(
  "pods policies | js-yaml  read  world  open (world, compile)  solve  open+solve / js-yaml | classes  memory",
);
for (const size of SIZES) {
  if (size.pods > largest) continue;
  const text = clusterText({ ...size, seed: 1 });
  const yaml = timed(() => loadAll(text));
  const read = timed(() => readDocuments([{ name: "cluster.yaml", text }]));
  const { documents } = read.value;
  const world = timed(() => buildWorld(documents, { policyKinds: (api, kind) => dialect.enforces(api, kind) }));
  const open = timed(() => Engine.open(documents, { dialect }));
  const solved = timed(() => open.value.solve());
  const ms = (n: number): string => `${n.toFixed(0)} ms`;
  const ratio = (open.ms + solved.ms) / yaml.ms;
  console.log(
    `${size.pods} ${size.policies} | ${ms(yaml.ms)}  ${ms(read.ms)}  ${ms(world.ms)}  ${ms(open.ms)}  ${ms(solved.ms)}  ${ratio.toFixed(2)} | ${solved.value.classes.length}  ${(process.memoryUsage().rss / 2 ** 20).toFixed(0)} MiB`,
  );
}
console.log(
  "Give 100000 to go on to the largest. The lab and the VPC: node --import tsx bench/lab-start.ts, bench/lab-traffic.ts, bench/vpc.ts",
);
