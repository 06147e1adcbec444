/** What goes to the terminal: answers to stdout, everything else to stderr; colours only where somebody looks. */
import { once } from "node:events";
import { styleText } from "node:util";
import { type Diagnostic, formatDiagnostic } from "../base/diagnostic.ts";
import { PLAIN, type Style, type Tone } from "../report/style.ts";
import { printable } from "../report/escape.ts";

const FORMATS: Readonly<Record<Tone, Parameters<typeof styleText>[0]>> = {
  allow: "green",
  deny: "red",
  unsure: "yellow",
  strong: "bold",
  faint: "dim",
  changed: ["bold", "inverse"],
};

/** Colours for a stream: none where it is no terminal, where `NO_COLOR` is set, or where the user said so. */
export function styleFor(stream: NodeJS.WriteStream, wanted: boolean): Style {
  if (!wanted || !stream.isTTY || (process.env.NO_COLOR ?? "") !== "") return PLAIN;
  return (tone, text) => styleText(FORMATS[tone], text, { validateStream: false });
}

/**
 * Writes an answer. Takes it in pieces, and waits where the reader is slower than the writer.
 * A reader that has gone away (`| head`) ends the program quietly: see `endWhenReaderLeaves`.
 */
export async function writeAnswer(pieces: Iterable<string>): Promise<void> {
  let buffer = "";
  for (const piece of pieces) {
    buffer += piece;
    if (buffer.length < 65_536) continue;
    if (!process.stdout.write(buffer)) await once(process.stdout, "drain");
    buffer = "";
  }
  if (buffer !== "" && !process.stdout.write(buffer)) await once(process.stdout, "drain");
}

/** A pipe that closes early is no failure: the reader has seen what it wanted. */
export function endWhenReaderLeaves(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") process.exit(process.exitCode ?? 0);
      throw error;
    });
  }
}

/** Says something beside the answer. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Progress, for people who wait in front of a terminal. */
export function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`${text}\n`);
}

/** Prints findings; `quiet` leaves out those that forbid nothing. */
export function printDiagnostics(findings: readonly Diagnostic[], quiet: boolean): void {
  const shown = quiet ? findings.filter((finding) => finding.severity === "error") : findings;
  for (const finding of shown) note(formatDiagnostic(finding).split("\n").map(printable).join("\n"));
}
