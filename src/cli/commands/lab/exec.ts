/** `bulkhead lab exec`: a program of the user's inside a pod's network. */
import type { Command } from "commander";
import { labExec } from "../../../lab/client.ts";
import type { LabPlan } from "../../../lab/compile/plan-of.ts";
import { planOf } from "../../../lab/compile/plan-of.ts";
import { inputFailure } from "../../exit.ts";
import { firstPod } from "../../lab/comparison.ts";
import { type LabFlags, openRunning, type RunningSession, withLab } from "../../lab/lab-flags.ts";

export function addExec(lab: Command): void {
  const command = lab
    .command("exec")
    .description("run a program inside a pod's network; its exit code is the command's")
    .argument("<pod>", "pod or workload, such as default/client-a; also internet")
    .argument("<program...>", "the program and its arguments; write -- before them")
    .passThroughOptions();
  withLab(command).action(async (pod: string, program: string[]) => {
    const { name } = command.opts<LabFlags>();
    const running = await openRunning(name);
    const argv = program[0] === "--" ? program.slice(1) : program;
    const { code } = await labExec(placeOf(pod, running), argv, { name });
    process.exitCode = code;
  });
}

/** The lab's name for what the user names: a pod as it is, or the first pod of a workload. */
function placeOf(name: string, { status, session }: RunningSession): string {
  if (name === "internet" || name.startsWith("host@") || status.pods.some((pod) => pod.name === name)) return name;
  const resolved = session.engine.inventory.resolve(name);
  if (resolved.kind === "problem") throw inputFailure(resolved.message, "`bulkhead lab status` lists the pods.");
  const lab: LabPlan = planOf(session.engine.world, session.dialect);
  const [member] = resolved.kind === "endpoints" ? resolved.members : [];
  const place =
    member?.kind === "pod" ? (lab.podsOf.get(member.pod)?.[0]?.name ?? firstPod(lab, member.workload)) : undefined;
  if (place === undefined) throw inputFailure(`${name} is no pod of the lab`, "`bulkhead lab status` lists the pods.");
  return place;
}
