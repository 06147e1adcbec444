/** `bulkhead verify`: runs expectations and says where they do not hold. */
import type { Command } from "commander";
import { type Diagnostic, hasErrors } from "../../base/diagnostic.ts";
import { findExpectationFiles } from "../../files/expectation-files.ts";
import { readSource, sourceName } from "../../files/source-file.ts";
import type { Style } from "../../report/style.ts";
import { verifyJson } from "../../report/verify-json.ts";
import { type VerifiedRow, type VerifyReport, summaryOf } from "../../report/verify-report.ts";
import { verifyText } from "../../report/verify-text.ts";
import { type CaseOptions, type CaseResult, runCase } from "../../verify/case.ts";
import { caseFiles } from "../case-files.ts";
import { EXIT, inputFailure, SilentFailure } from "../exit.ts";
import { type InputFlags, type OutputFlags, withOutput, withReading } from "../options.ts";
import { readNames, worldOptions } from "../session.ts";
import { printDiagnostics, styleFor, writeAnswer } from "../terminal.ts";

const WRITERS = {
  text: verifyText,
  json: verifyJson,
} as const satisfies Record<string, (report: VerifyReport, style: Style) => Iterable<string>>;

type VerifyFlags = InputFlags & OutputFlags<keyof typeof WRITERS>;

export function addVerify(program: Command): void {
  const command = program
    .command("verify")
    .description("run expectations: expect.yaml and *.expect.yaml, each with the manifests it names")
    .argument("<path...>", "files of expectations, or folders, which are searched with all below them");
  withOutput(withReading(command), Object.keys(WRITERS)).action(async (paths: string[]) =>
    run(paths, command.opts<VerifyFlags>()),
  );
}

async function run(paths: readonly string[], flags: VerifyFlags): Promise<void> {
  const cwd = process.cwd();
  const found = paths.map((path) => findExpectationFiles(path, cwd));
  const diagnostics: Diagnostic[] = found.flatMap((one) => one.diagnostics);
  const options: CaseOptions = {
    ...(flags.dialect === undefined ? {} : { dialect: flags.dialect }),
    ...(flags.asCluster === true ? { asCluster: true } : {}),
    ...(flags.names === undefined ? {} : { names: readNames(flags.names) }),
    world: worldOptions(flags),
  };
  const rows: VerifiedRow[] = [];
  let broken = hasErrors(diagnostics);
  for (const path of new Set(found.flatMap((one) => one.files))) {
    const read = readSource(path, sourceName(path, cwd));
    if ("problem" in read) {
      diagnostics.push(read.problem);
      broken = true;
      continue;
    }
    const result = runCase(read.source, caseFiles(path, cwd), options);
    if (isBroken(result)) {
      diagnostics.push(...result.diagnostics);
      broken = true;
    }
    rows.push(...result.results.map((row) => ({ ...row, file: result.file })));
  }
  printDiagnostics(diagnostics, flags.quiet ?? false);
  if (broken) throw new SilentFailure(EXIT.input);
  if (rows.length === 0) throw inputFailure("nothing was checked");
  const report: VerifyReport = { rows };
  await writeAnswer(WRITERS[flags.output](report, styleFor(process.stdout, flags.color)));
  process.exitCode = summaryOf(report).failed > 0 ? EXIT.found : EXIT.fine;
}

/** Whether a case could not be asked, as against not holding. */
function isBroken({ file, engine, isAsked, diagnostics }: CaseResult): boolean {
  return (engine === undefined && isAsked !== true) || hasErrors(diagnostics.filter((finding) => finding.file === file));
}
