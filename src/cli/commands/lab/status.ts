/** `bulkhead lab status`. */
import type { Command } from "commander";
import { labStatus } from "../../../lab/client.ts";
import { statusJson, statusText } from "../../../report/lab-status.ts";
import { type LabFlags, withLab } from "../../lab/lab-flags.ts";
import { type OutputFlags, withOutput } from "../../options.ts";
import { styleFor, writeAnswer } from "../../terminal.ts";

interface StatusFlags extends LabFlags, OutputFlags<"text" | "json"> {}

export function addStatus(lab: Command): void {
  const command = lab.command("status").description("pods, services and policies of a running lab");
  withLab(withOutput(command, ["text", "json"])).action(async () => {
    const flags = command.opts<StatusFlags>();
    const status = await labStatus({ name: flags.name });
    const style = styleFor(process.stdout, flags.color);
    await writeAnswer(flags.output === "json" ? statusJson(status) : statusText(status, style));
  });
}
