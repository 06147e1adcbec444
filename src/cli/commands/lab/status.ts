/** `bulkhead lab status`. */
import type { Command } from "commander";
import { planOf } from "../../../lab/compile/plan-of.ts";
import { rulesetOf } from "../../../lab/compile/ruleset-of.ts";
import { statusJson, statusText } from "../../../report/lab-status.ts";
import { unenforcedOf } from "../../lab/compile.ts";
import { type LabFlags, openRunning, withLab } from "../../lab/lab-flags.ts";
import { type OutputFlags, withOutput } from "../../options.ts";
import { styleFor, writeAnswer } from "../../terminal.ts";

interface StatusFlags extends LabFlags, OutputFlags<"text" | "json"> {}

export function addStatus(lab: Command): void {
  const command = lab
    .command("status")
    .description("pods, services and policies of a running lab")
    .addHelpText(
      "after",
      `
Examples:
  bulkhead lab status
  bulkhead lab status -o json --name second`,
    );
  withLab(withOutput(command, ["text", "json"])).action(async () => {
    const flags = command.opts<StatusFlags>();
    const { status, session, before, flags: reading } = await openRunning(flags.name);
    const left =
      reading.allowUnenforced === true
        ? rulesetOf(session.engine.policies, planOf(session.engine.world, session.dialect, before).population)
            .unsupported
        : [];
    const notEnforced = left.map(unenforcedOf);
    const style = styleFor(process.stdout, flags.color);
    await writeAnswer(
      flags.output === "json" ? statusJson(status, notEnforced) : statusText(status, notEnforced, style),
    );
  });
}
