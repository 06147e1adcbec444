/** Exit codes, and the failures that carry one. */

export const EXIT = {
  /** Asked, and fine. */
  fine: 0,
  /** A check found something. */
  found: 1,
  /** Bad input or bad usage. */
  input: 2,
  /** The environment cannot do it; the message names the remedy. */
  environment: 3,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Ends a command with a message for the user: what is wrong, and what helps. */
export class CommandFailure extends Error {
  override readonly name = "CommandFailure";
  readonly exit: ExitCode;
  readonly help: string | undefined;

  constructor(exit: ExitCode, message: string, help?: string) {
    super(message);
    this.exit = exit;
    this.help = help;
  }
}

/** Bad input or usage. */
export function inputFailure(message: string, help?: string): CommandFailure {
  return new CommandFailure(EXIT.input, message, help);
}

/** The findings are printed already; only the exit code is left to say. */
export class SilentFailure extends CommandFailure {
  constructor(exit: ExitCode) {
    super(exit, "");
  }
}
