/** Flags of every lab command. */
import { type Command, Option } from "commander";
import { type LabStatus } from "../../lab/answers.ts";
import type { Predecessor } from "../../lab/compile/plan-of.ts";
import { labStatus } from "../../lab/client.ts";
import { openDocuments, type Session } from "../session.ts";
import { namesOf } from "./outside-names.ts";
import { keptInput, type ReadingFlags, type Texts } from "./kept-input.ts";

export const DEFAULT_LAB = "bulkhead";

export interface LabFlags {
  readonly name: string;
}

export function withLab(command: Command): Command {
  return command.option("--name <lab>", "which lab; several can run side by side", DEFAULT_LAB);
}

/** Of the commands that put rules in force. */
export function unenforcedOption(): Option {
  return new Option(
    "--allow-unenforced",
    "leave out the rules that the lab cannot enforce, and list them, instead of refusing",
  );
}

/** A running lab with the input that it was made from. */
export interface RunningSession {
  readonly status: LabStatus;
  readonly session: Session;
  readonly texts: Texts;
  readonly flags: ReadingFlags;
  readonly before: Predecessor;
}

/** Opens the input of a running lab. What there was to say about it was said when it came in. */
export async function openRunning(name: string): Promise<RunningSession> {
  const status = await labStatus({ name });
  const { documents, texts, flags, before } = keptInput(status.pid);
  const session = openDocuments(documents, {
    ...flags,
    placement: before.placement.moved,
    ...namesOf(before.plan),
    quiet: true,
  });
  return { status, session, texts, flags, before };
}
