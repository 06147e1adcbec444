/** `bulkhead lab down`. */
import type { Command } from "commander";
import { labDown } from "../../../lab/client.ts";
import { type LabFlags, withLab } from "../../lab/lab-flags.ts";

export function addDown(lab: Command): void {
  const command = lab
    .command("down")
    .description("end a lab; nothing of it is left")
    .addHelpText(
      "after",
      `
Examples:
  bulkhead lab down
  bulkhead lab down --name second`,
    );
  withLab(command).action(async () => {
    const { name } = command.opts<LabFlags>();
    await labDown({ name });
    process.stdout.write(`lab ${name} is down\n`);
  });
}
