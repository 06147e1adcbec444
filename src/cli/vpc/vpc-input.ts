/** Input that may speak of a VPC or of a cluster: told by what the files hold. */
import { type Diagnostic, hasErrors } from "../../base/diagnostic.ts";
import type { Source } from "../../documents/document.ts";
import { loadInput } from "../../files/input.ts";
import { AWS } from "../../policy/registry.ts";
import { VpcEngine } from "../../vpc/engine.ts";
import { awsForm, readNetwork } from "../../vpc/read/input.ts";
import { EXIT, inputFailure, SilentFailure } from "../exit.ts";
import { openSources, type Session, type SessionOptions } from "../session.ts";
import { printDiagnostics } from "../terminal.ts";

/** A VPC that has been read. */
export interface VpcSession {
  readonly engine: VpcEngine;
  readonly diagnostics: readonly Diagnostic[];
  readonly complete: boolean;
}

export type Opened =
  | { readonly vpc: VpcSession; readonly cluster?: undefined }
  | { readonly vpc?: undefined; readonly cluster: Session };

/** Reads the input and opens what it speaks of. Throws a failure with exit code 2 where it gives no answer. */
export function openInput(paths: readonly string[], flags: SessionOptions): Opened {
  const input = loadInput([...paths, ...(flags.filename ?? [])], { recursive: flags.recursive ?? false });
  if (hasErrors(input.diagnostics)) {
    printDiagnostics(input.diagnostics, flags.quiet ?? false);
    throw new SilentFailure(EXIT.input);
  }
  return openRead(input.sources, flags, input.diagnostics);
}

/** As `openInput`, from sources that have been read; `before` is what was found then. */
export function openRead(
  sources: readonly Source[],
  flags: SessionOptions,
  before: readonly Diagnostic[] = [],
): Opened {
  const quiet = flags.quiet ?? false;
  const aws = sources.filter((source) => awsForm(source) !== undefined);
  if (aws.length === 0) return { cluster: openSources(sources, flags, before) };
  if (flags.dialect !== undefined && flags.dialect !== AWS) {
    throw inputFailure(`${aws[0]?.name ?? ""} speaks of AWS`, `Leave --dialect out, or say --dialect ${AWS}.`);
  }
  const others = sources.filter((source) => awsForm(source) === undefined);
  if (others.length > 0) {
    throw inputFailure(
      `${others[0]?.name ?? ""} speaks of a cluster and ${aws[0]?.name ?? ""} of a VPC`,
      "Ask about one of them at a time.",
    );
  }
  const read = readNetwork(aws);
  const diagnostics = [...before, ...read.diagnostics];
  printDiagnostics(diagnostics, quiet);
  if (read.network === undefined || hasErrors(diagnostics)) throw new SilentFailure(EXIT.input);
  return { vpc: { engine: new VpcEngine(read.network), diagnostics, complete: true } };
}
