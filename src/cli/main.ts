#!/usr/bin/env node
/** The command line: commands only parse and print, and every failure ends in one of four exit codes. */
import { Command, CommanderError } from "commander";
import { LabError } from "../lab/failure.ts";
import { QuestionError } from "../reach/answer.ts";
import { addCompletion } from "./commands/completion.ts";
import { addDemo } from "./commands/demo.ts";
import { addDiff } from "./commands/diff.ts";
import { addExposure } from "./commands/exposure.ts";
import { addExplain } from "./commands/explain.ts";
import { addImpact } from "./commands/impact.ts";
import { addLab } from "./commands/lab.ts";
import { addLint } from "./commands/lint.ts";
import { addReach } from "./commands/reach.ts";
import { addReport } from "./commands/report.ts";
import { addVerify } from "./commands/verify.ts";
import { addWhy } from "./commands/why.ts";
import { applyDefaults } from "./configuration.ts";
import { CommandFailure, EXIT, type ExitCode, SilentFailure } from "./exit.ts";
import { endWhenReaderLeaves, note } from "./terminal.ts";
import { version } from "./version.ts";

function program(): Command {
  // Subcommands copy these settings when they are created, so they come first.
  const root = new Command("bulkhead")
    .exitOverride()
    .enablePositionalOptions()
    .showHelpAfterError("(add --help for what there is)")
    .helpCommand(true)
    .description("Proves, shows and enforces which application may talk to which.")
    .version(version())
    .addHelpText(
      "after",
      `
Examples:
  bulkhead demo
  bulkhead reach examples/two-applications --matrix
  bulkhead why default/client-b default/service-a --port 80/TCP -f examples/two-applications
  bulkhead impact --all -f examples/two-applications`,
    );
  root.hook("preAction", (_root, command) => applyDefaults(command));
  addDemo(root);
  addReach(root);
  addWhy(root);
  addExposure(root);
  addImpact(root);
  addDiff(root);
  addLint(root);
  addExplain(root);
  addVerify(root);
  addReport(root);
  addLab(root);
  addCompletion(root);
  return root;
}

/** Says what went wrong, and how the program ends. */
function exitFor(error: unknown): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.fine : EXIT.input;
  if (error instanceof SilentFailure) return error.exit;
  if (error instanceof CommandFailure) {
    note(`error: ${error.message}${error.help === undefined ? "" : `\n  help: ${error.help}`}`);
    return error.exit;
  }
  if (error instanceof LabError) {
    note(`error: ${error.message}\n  help: ${error.help}`);
    return error.exit;
  }
  if (error instanceof QuestionError) {
    note(`error: ${error.message}`);
    return EXIT.input;
  }
  note(
    `error: this is a defect of bulkhead; please report it\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
  );
  return EXIT.environment;
}

endWhenReaderLeaves();
try {
  await program().parseAsync(process.argv);
} catch (error) {
  process.exitCode = exitFor(error);
}
