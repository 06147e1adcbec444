/** `bulkhead lab capabilities`: what the lab enforces, and what it refuses or lists. */
import type { Command } from "commander";
import { ENFORCED, NOT_ENFORCED } from "../../../lab/compile/capabilities.ts";
import { table } from "../../../report/table.ts";
import { type OutputFlags, withOutput } from "../../options.ts";
import { writeAnswer } from "../../terminal.ts";

export function addCapabilities(lab: Command): void {
  const command = lab
    .command("capabilities")
    .description("what the lab enforces, and what it refuses or, with lab up --allow-unenforced, leaves out")
    .addHelpText("after", "\nExamples:\n  bulkhead lab capabilities\n  bulkhead lab capabilities -o json");
  withOutput(command, ["text", "json"]).action(async () => {
    const { output } = command.opts<OutputFlags<"text" | "json">>();
    await writeAnswer(output === "json" ? json() : text());
  });
}

function* text(): Iterable<string> {
  yield "enforced\n";
  for (const line of table(Object.entries(ENFORCED).map(([what, how]) => [`  ${what}`, how]))) yield `${line}\n`;
  yield "\nnot enforced\n";
  for (const line of table(Object.entries(NOT_ENFORCED).map(([what, why]) => [`  ${what}`, why]))) yield `${line}\n`;
}

function* json(): Iterable<string> {
  const value = { schemaVersion: 1, enforced: ENFORCED, notEnforced: NOT_ENFORCED };
  yield `${JSON.stringify(value, null, 2)}\n`;
}
