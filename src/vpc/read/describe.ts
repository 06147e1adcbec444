/** Reads the answers of `aws … describe-*` into a network (aws-vpc.md 1.2). */

import type { Network } from "../model.ts";
import { NetworkBuilder } from "./builder.ts";
import { DescribeAnswers } from "./describe/answers.ts";
import { readBalancers, readClassic } from "./describe/balancers.ts";
import { readAcls, readGroups, readPrefixLists } from "./describe/filters.ts";
import { readCluster, readInstances, readInterfaces, readNats } from "./describe/interfaces.ts";
import { readEndpoints, readPeerings, readTransits } from "./describe/links.ts";
import { readGateways, readTables } from "./describe/routes.ts";
import { readVpcs } from "./describe/vpcs.ts";
import type { Positions } from "./positions.ts";

/** How each kind of object is read, in this order: what refers to another comes after it. */
const READERS: readonly ((answers: DescribeAnswers) => void)[] = [
  readVpcs,
  readGroups,
  readAcls,
  readTables,
  readGateways,
  readPrefixLists,
  readInterfaces,
  readInstances,
  readNats,
  readBalancers,
  readClassic,
  readEndpoints,
  readPeerings,
  readTransits,
];

/** Reads the answers; several objects are read as one. `positions` tell where their values stand. */
export function readDescribe(values: readonly unknown[], file: string, positions?: Positions): Network {
  const answers = new DescribeAnswers(new NetworkBuilder(file, positions), values);
  for (const read of READERS) read(answers);
  for (const cluster of answers.clusters) readCluster(answers, cluster);
  return answers.b.finish();
}
