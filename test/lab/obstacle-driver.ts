/** Says how starting a lab of ten pods fails here. */

import { labDown, labObstacle, labUp } from "../../src/lab/client.ts";
import { LabError } from "../../src/lab/failure.ts";
import { NO_RULES } from "../../src/lab/ruleset.ts";
import { EMPTY, HTTP, pod } from "./clusters.ts";

const name = `obstacle-${process.pid}`;
const pods = Array.from({ length: 10 }, (_, index) =>
  pod(`default/p-${index}`, 1001, `10.0.0.${index + 1}`, { ports: [HTTP] }),
);

async function up(): Promise<string> {
  try {
    await labUp({ ...EMPTY, pods }, NO_RULES, { name, attached: true });
    await labDown({ name });
    return "up";
  } catch (error) {
    return error instanceof LabError ? error.code : String(error);
  }
}

async function main(): Promise<void> {
  process.stdout.write(JSON.stringify({ up: await up(), obstacle: labObstacle()?.code ?? "none" }));
}

void main();
