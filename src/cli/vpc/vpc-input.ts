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
  const { aws, others } = apart(sources);
  const [ofVpc] = aws;
  const [ofCluster] = others;
  if (ofVpc === undefined) return { cluster: openSources(sources, flags, before) };
  if (ofCluster !== undefined) {
    throw inputFailure(
      `${ofCluster.name} speaks of a cluster and ${ofVpc.name} of a VPC`,
      "Ask about one of them at a time; why and lint take both.",
    );
  }
  return { vpc: openVpc(aws, flags, before) };
}

/** What an input speaks of: a cluster, a VPC, or both. */
export interface Sides {
  readonly cluster?: Session | undefined;
  readonly vpc?: VpcSession | undefined;
}

/** As `openRead`, where the input may speak of a cluster and of a VPC beside it. */
export function openSides(
  sources: readonly Source[],
  flags: SessionOptions,
  before: readonly Diagnostic[] = [],
): Sides {
  const { aws, others } = apart(sources);
  if (aws.length === 0 || others.length === 0) return openRead(sources, flags, before);
  const { dialect, ...rest } = flags;
  const reading = dialect === undefined || dialect === AWS ? rest : flags;
  return { cluster: openSources(others, reading, before), vpc: openVpc(aws, rest, []) };
}

function apart(sources: readonly Source[]): { readonly aws: readonly Source[]; readonly others: readonly Source[] } {
  const isAws = (source: Source): boolean => awsForm(source) !== undefined;
  return { aws: sources.filter(isAws), others: sources.filter((source) => !isAws(source)) };
}

function openVpc(aws: readonly Source[], flags: SessionOptions, before: readonly Diagnostic[]): VpcSession {
  if (flags.dialect !== undefined && flags.dialect !== AWS) {
    throw inputFailure(`${aws[0]?.name ?? ""} speaks of AWS`, `Leave --dialect out, or say --dialect ${AWS}.`);
  }
  const read = readNetwork(aws);
  const diagnostics = [...before, ...read.diagnostics];
  printDiagnostics(diagnostics, flags.quiet ?? false);
  if (read.network === undefined || hasErrors(diagnostics)) throw new SilentFailure(EXIT.input);
  return { engine: new VpcEngine(read.network), diagnostics, complete: true };
}
