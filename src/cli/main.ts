#!/usr/bin/env node
/** The command line: commands only parse and print, and every failure ends in one of four exit codes. */
import { CommanderError } from "commander";
import { LabError } from "../lab/failure.ts";
import { QuestionError } from "../reach/answer.ts";
import { CommandFailure, EXIT, type ExitCode, SilentFailure } from "./exit.ts";
import { program } from "./program.ts";
import { endWhenReaderLeaves, note } from "./terminal.ts";

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
