/**
 * `node --import tsx bench/cluster-file.ts PODS POLICIES [shared] > cluster.yaml`: the input of the benchmarks as a file, to
 * time other programs on it.
 */
import { once } from "node:events";
import { clusterObjects, type ClusterShape, SEED } from "./cluster.ts";

const [pods = "1000", policies = "200", shared] = process.argv.slice(2);
const shape: ClusterShape = {
  pods: Number(pods),
  policies: Number(policies),
  seed: SEED,
  ...(shared === "shared" ? { isShared: true } : {}),
};
let isFirst = true;
for (const text of clusterObjects(shape)) {
  if (!process.stdout.write(`${isFirst ? "" : "---\n"}${text}\n`)) await once(process.stdout, "drain");
  isFirst = false;
}
