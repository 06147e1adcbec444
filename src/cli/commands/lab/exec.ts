/** `bulkhead lab exec`: a program of the user's inside a pod's network. */
import type { Command } from "commander";
import { labExec } from "../../../lab/client.ts";
import { type LabFlags, openRunning, withLab } from "../../lab/lab-flags.ts";
import { placeOf } from "../../lab/place-of.ts";

export function addExec(lab: Command): void {
  const command = lab
    .command("exec")
    .description("run a program inside a pod's network; its exit code is the command's")
    .argument("<pod>", "pod or workload, such as default/client-a; also internet")
    .argument("<program...>", "the program and its arguments; write -- before them")
    .addHelpText(
      "after",
      `
Examples:
  bulkhead lab exec default/client-a -- curl -s http://service-a/
  bulkhead lab exec --name second default/client-b -- sh`,
    )
    .passThroughOptions();
  withLab(command).action(async (pod: string, program: string[]) => {
    // No program's name begins with a dash: what does is an option behind the pod.
    const { operands: argv, unknown } = command.parseOptions(program);
    if (unknown.length > 0) command.error(`error: unknown option '${unknown[0]}'`);
    if (argv.length === 0) command.error("error: missing required argument 'program'");
    const { name } = command.opts<LabFlags>();
    const running = await openRunning(name);
    const { code } = await labExec(placeOf(pod, running), argv, { name });
    process.exitCode = code;
  });
}
