/** `bulkhead verify`: runs expectations and says where they do not hold. */
import type { Command } from "commander";
import { type Diagnostic, hasErrors } from "../../base/diagnostic.ts";
import { findExpectationFiles } from "../../files/expectation-files.ts";
import { findSegregationFiles } from "../../files/segregation-files.ts";
import { readSource, sourceName } from "../../files/source-file.ts";
import type { Style } from "../../report/style.ts";
import { verifyJson } from "../../report/verify-json.ts";
import { verifyJunit } from "../../report/verify-junit.ts";
import { type VerifiedRow, type VerifyReport, summaryOf } from "../../report/verify-report.ts";
import { verifySarif } from "../../report/verify-sarif.ts";
import { verifyTap } from "../../report/verify-tap.ts";
import { verifyText } from "../../report/verify-text.ts";
import { type CaseOptions, type CaseResult, runCase } from "../../verify/case.ts";
import { unexpected } from "../../questions/strict.ts";
import type { RowResult } from "../../verify/check.ts";
import { caseFiles } from "../case-files.ts";
import { EXIT, inputFailure, SilentFailure } from "../exit.ts";
import { type InputFlags, type OutputFlags, withOutput, withReading } from "../options.ts";
import { segregationRows } from "../segregation.ts";
import { readNames, worldOptions } from "../session.ts";
import { printDiagnostics, styleFor, writeAnswer } from "../terminal.ts";
import { version } from "../version.ts";

const WRITERS = {
  text: verifyText,
  json: verifyJson,
  junit: verifyJunit,
  sarif: verifySarif,
  tap: verifyTap,
} as const satisfies Record<string, (report: VerifyReport, style: Style) => Iterable<string>>;

type VerifyFlags = InputFlags & OutputFlags<keyof typeof WRITERS>;

export function addVerify(program: Command): void {
  const command = program
    .command("verify")
    .description("hold manifests against expect.yaml, *.expect.yaml and Segregation files, each with what it names")
    .argument("<path...>", "such files, or folders, which are searched with all below them");
  withOutput(
    withReading(command, "fail also on what is allowed and not expected, and on answers that are not complete"),
    Object.keys(WRITERS),
  )
    .addHelpText(
      "after",
      `
Examples:
  bulkhead verify examples/two-applications
  bulkhead verify examples/two-applications -o junit > bulkhead.xml
  bulkhead verify --strict policies -o sarif > bulkhead.sarif`,
    )
    .action(async (paths: string[]) => run(paths, command.opts<VerifyFlags>()));
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
  const segregations = new Set(paths.flatMap((path) => findSegregationFiles(path, cwd)));
  const files = new Set(found.flatMap((one) => one.files).filter((path) => !segregations.has(path)));
  // A folder without expectations is no mistake where it holds a Segregation.
  if (segregations.size > 0) dropEmpty(diagnostics);
  let broken = hasErrors(diagnostics);
  for (const path of files) {
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
    rows.push(...[...result.results, ...strictRows(result, flags)].map((row) => ({ ...row, file: result.file })));
  }
  for (const path of segregations) {
    const result = segregationRows(path, cwd, options);
    diagnostics.push(...result.diagnostics);
    broken ||= result.isBroken;
    rows.push(...result.rows);
  }
  printDiagnostics(diagnostics, flags.quiet ?? false);
  if (broken) throw new SilentFailure(EXIT.input);
  if (rows.length === 0) throw inputFailure("nothing was checked");
  const report: VerifyReport = { rows, version: version() };
  await writeAnswer(WRITERS[flags.output](report, styleFor(process.stdout, flags.color)));
  process.exitCode = summaryOf(report).failed > 0 ? EXIT.found : EXIT.fine;
}

function dropEmpty(diagnostics: Diagnostic[]): void {
  const rest = diagnostics.filter((one) => one.code !== "BH022");
  diagnostics.splice(0, diagnostics.length, ...rest);
}

/** What a case allows and does not expect; a complete list of connections says that itself. */
function strictRows({ engine, expectation }: CaseResult, flags: VerifyFlags): readonly RowResult[] {
  if (flags.strict !== true || engine === undefined || expectation === undefined) return [];
  if (expectation.assertions.length === 0 || expectation.connectivity !== undefined) return [];
  return unexpected(engine, expectation.assertions);
}

/** Whether a case could not be asked, as against not holding. */
function isBroken({ file, engine, isAsked, diagnostics }: CaseResult): boolean {
  return (
    (engine === undefined && isAsked !== true) || hasErrors(diagnostics.filter((finding) => finding.file === file))
  );
}
