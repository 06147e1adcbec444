/** `bulkhead explain`: the page of a finding. */
import { type Command, Option } from "commander";
import { nearest } from "../../documents/nearest.ts";
import { allCodes, explained } from "../../lint/catalogue.ts";
import { isCode } from "../../lint/suppression.ts";
import { explainAllMarkdown, explainAllText, explainText } from "../../report/explain-text.ts";
import { inputFailure } from "../exit.ts";
import { styleFor, writeAnswer } from "../terminal.ts";

interface ExplainFlags {
  readonly output: "text" | "json" | "md";
  readonly color: boolean;
}

export function addExplain(program: Command): void {
  const command = program
    .command("explain")
    .description("what a finding means, with an example and how to put it right; without a code, the list of all")
    .argument("[code]", "such as BH147")
    .addOption(
      new Option("-o, --output <format>", "form of the answer").choices(["text", "json", "md"]).default("text"),
    )
    .option("--no-color", "no colours (as with NO_COLOR)")
    .addHelpText("after", "\nExamples:\n  bulkhead explain BH147\n  bulkhead explain")
    .action(async (code: string | undefined) => run(code, command.opts<ExplainFlags>()));
}

async function run(text: string | undefined, flags: ExplainFlags): Promise<void> {
  const style = styleFor(process.stdout, flags.color);
  const code = text?.toUpperCase();
  if (code !== undefined && !isCode(code)) {
    const near = nearest(code, allCodes());
    throw inputFailure(
      `there is no code ${code}`,
      near === undefined ? "`bulkhead explain` lists all." : `Did you mean ${near}?`,
    );
  }
  const codes = code === undefined ? allCodes() : [code];
  if (flags.output === "json") {
    await writeAnswer([`${JSON.stringify({ schemaVersion: 1, codes: codes.map(explained) }, undefined, 2)}\n`]);
  } else if (flags.output === "md") await writeAnswer(explainAllMarkdown());
  else await writeAnswer(code === undefined ? explainAllText(style) : explainText(explained(code), style));
}
