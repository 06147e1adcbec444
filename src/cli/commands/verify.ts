/** `bulkhead verify`: runs expectations and says where they do not hold. */
import type { Command } from "commander";
import { type Diagnostic, hasErrors } from "../../base/diagnostic.ts";
import { findExpectationFiles } from "../../files/expectation-files.ts";
import { findSegregationFiles } from "../../files/segregation-files.ts";
import { readSource, sourceName } from "../../files/source-file.ts";
import type { Source } from "../../documents/document.ts";
import { labObstacle } from "../../lab/client.ts";
import { planOf } from "../../lab/compile/plan-of.ts";
import { rulesetOf } from "../../lab/compile/ruleset-of.ts";
import type { Engine } from "../../reach/engine.ts";
import type { Style } from "../../report/style.ts";
import { verifyJson } from "../../report/verify-json.ts";
import { verifyJunit } from "../../report/verify-junit.ts";
import { type VerifiedRow, type VerifyReport, summaryOf } from "../../report/verify-report.ts";
import { verifySarif } from "../../report/verify-sarif.ts";
import { verifyTap } from "../../report/verify-tap.ts";
import { verifyText } from "../../report/verify-text.ts";
import { type CaseOptions, type CaseResult, runCase, runCaseOn } from "../../verify/case.ts";
import { unexpected } from "../../questions/strict.ts";
import type { RowResult } from "../../verify/check.ts";
import { caseFiles } from "../case-files.ts";
import { rowsOf } from "../lab/case-rows.ts";
import { openRunning } from "../lab/lab-flags.ts";
import { PacketWitness, withoutPackets } from "../lab/packet-witness.ts";
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

type VerifyFlags = InputFlags &
  OutputFlags<keyof typeof WRITERS> & {
    readonly lab?: true;
    readonly name?: string;
  };

export function addVerify(program: Command): void {
  const command = program
    .command("verify")
    .description("hold manifests against expect.yaml, *.expect.yaml and Segregation files, each with what it names")
    .argument("<path...>", "such files, or folders, which are searched with all below them");
  withOutput(
    withReading(command, "fail also on what is allowed and not expected, and on answers that are not complete"),
    Object.keys(WRITERS),
  )
    .option("--lab", "ask packets as well, of a lab that is started for it")
    .option("--name <lab>", "with --lab: ask a running lab instead, which also takes the place of the manifests")
    .addHelpText(
      "after",
      `
Examples:
  bulkhead verify examples/two-applications
  bulkhead verify examples/two-applications -o junit > bulkhead.xml
  bulkhead verify --strict policies -o sarif > bulkhead.sarif
  bulkhead verify --lab examples/two-applications
  bulkhead verify --lab --name bulkhead examples/two-applications/after.expect.yaml`,
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
  const cases: { readonly path: string; readonly source: Source }[] = [];
  for (const path of files) {
    const read = readSource(path, sourceName(path, cwd));
    if ("source" in read) cases.push({ path, source: read.source });
    else diagnostics.push(read.problem);
    broken ||= "problem" in read;
  }
  const packets = flags.lab === true ? await openPackets(flags.name) : undefined;
  try {
    for (const { path, source } of cases) {
      const result =
        packets?.running === undefined
          ? runCase(source, caseFiles(path, cwd), options)
          : runCaseOn(source, packets.running);
      if (isBroken(result)) {
        diagnostics.push(...result.diagnostics);
        broken = true;
      }
      const own = [...(await seen(result, packets)), ...strictRows(result, flags)];
      rows.push(...own.map((row) => ({ ...row, file: result.file })));
    }
  } finally {
    await packets?.witness.end();
  }
  for (const path of segregations) {
    const result = segregationRows(path, cwd, options);
    diagnostics.push(...result.diagnostics);
    broken ||= result.isBroken;
    rows.push(...(packets === undefined ? result.rows : result.rows.map(withoutPackets)));
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

/** The rows of a case, with what packets say of them. */
async function seen(result: CaseResult, packets: Packets | undefined): Promise<readonly RowResult[]> {
  if (packets === undefined) return result.results;
  if (result.engine === undefined) return result.results.map(withoutPackets);
  return packets.witness.witness(result.engine, rowsOf(result.engine, result));
}

interface Packets {
  readonly witness: PacketWitness;
  /** The engine over what a running lab was made from; absent: each case has a lab of its own. */
  readonly running?: Engine;
}

async function openPackets(name: string | undefined): Promise<Packets> {
  if (name !== undefined) {
    const { session, before } = await openRunning(name);
    const lab = planOf(session.engine.world, session.dialect, before);
    const { unsupported } = rulesetOf(session.engine.policies, lab.population);
    const view = { engine: session.engine, lab, unenforced: unsupported };
    return { witness: new PacketWitness(name, view), running: session.engine };
  }
  const obstacle = labObstacle();
  if (obstacle !== null) throw obstacle;
  return { witness: new PacketWitness(`verify-${process.pid}`) };
}

/** Whether a case could not be asked, as against not holding. */
function isBroken({ file, engine, isAsked, diagnostics }: CaseResult): boolean {
  return (
    (engine === undefined && isAsked !== true) || hasErrors(diagnostics.filter((finding) => finding.file === file))
  );
}
