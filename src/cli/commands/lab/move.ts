/** `bulkhead lab move`: a pod changes its node and keeps its addresses, so every verdict that does not tell nodes apart. */
import type { Command } from "commander";
import { labMove } from "../../../lab/client.ts";
import { planOf } from "../../../lab/compile/plan-of.ts";
import { keepInput } from "../../lab/kept-input.ts";
import { type LabFlags, openRunning, withLab } from "../../lab/lab-flags.ts";
import { placeOf } from "../../lab/place-of.ts";

export function addMove(lab: Command): void {
  const command = lab
    .command("move")
    .description("put a pod on another node; it keeps its address and its policies")
    .argument("<pod>", "pod or workload, such as default/client-a")
    .argument("<node>", "a node of the lab, such as node-2")
    .addHelpText(
      "after",
      `
Examples:
  bulkhead lab up examples/two-applications --nodes 2
  bulkhead lab move default/client-b node-1`,
    );
  withLab(command).action(async (pod: string, node: string) => run(pod, node, command.opts<LabFlags>().name));
}

async function run(wanted: string, node: string, name: string): Promise<void> {
  const running = await openRunning(name);
  const { status, session, texts, flags, before } = running;
  const pod = placeOf(wanted, running);
  const { milliseconds } = await labMove(pod, node, { name });
  const placement = { ...before.placement, moved: { ...before.placement.moved, [pod]: node } };
  const lab = planOf(session.engine.world, session.dialect, before, placement);
  keepInput(status.pid, session.documents, texts, flags, lab);
  process.stdout.write(`${pod} is on ${node} (${milliseconds.toFixed(1)} ms)\n`);
}
