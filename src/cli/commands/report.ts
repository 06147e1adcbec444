/** `bulkhead report`: evidence for an audit. */
import { createHash } from "node:crypto";
import { type Command, Option } from "commander";
import { hasErrors } from "../../base/diagnostic.ts";
import type { Source } from "../../documents/document.ts";
import { findExpectationFiles } from "../../files/expectation-files.ts";
import { loadInput } from "../../files/input.ts";
import { findSegregationFiles } from "../../files/segregation-files.ts";
import { readSource, sourceName } from "../../files/source-file.ts";
import { lint } from "../../lint/lint.ts";
import { exposure } from "../../questions/exposure.ts";
import { ImpactGraph, ranked, summariseImpact } from "../../questions/impact.ts";
import { withoutPolicies } from "../../questions/network.ts";
import { auditHtml } from "../../report/audit-html.ts";
import { auditMarkdown } from "../../report/audit-markdown.ts";
import type { AuditReport } from "../../report/audit-report.ts";
import type { VerifiedRow } from "../../report/verify-report.ts";
import { type CaseOptions, runCase } from "../../verify/case.ts";
import { caseFiles } from "../case-files.ts";
import { readProjectConfiguration } from "../configuration.ts";
import { EXIT, SilentFailure } from "../exit.ts";
import { type InputFlags, withInput } from "../options.ts";
import { segregationRows } from "../segregation.ts";
import { openSources, readNames, worldOptions } from "../session.ts";
import { printDiagnostics, writeAnswer } from "../terminal.ts";
import { version } from "../version.ts";

const WRITERS = { md: auditMarkdown, html: auditHtml } as const satisfies Record<
  string,
  (report: AuditReport) => Iterable<string>
>;

/** Endpoints that the report names by their area of impact. */
const WORST = 20;

interface ReportFlags extends InputFlags {
  readonly output: keyof typeof WRITERS;
  readonly quiet?: true;
  readonly expect?: readonly string[];
}

export function addReport(program: Command): void {
  const command = program
    .command("report")
    .description(
      "evidence for an audit: inputs with hashes, settings, what was asked, what holds, exceptions with reasons",
    )
    .argument("[path...]", "manifests and policies: files, folders, or - for standard input");
  withInput(command)
    .addOption(new Option("-o, --output <format>", "form of the answer").choices(Object.keys(WRITERS)).default("md"))
    .option("--quiet", "only errors beside the answer")
    .option("--expect <path...>", "expectations and Segregation files, or folders that hold them")
    .addHelpText(
      "after",
      `
The page holds no date and no machine's name: the same input gives the same bytes.

Examples:
  bulkhead report examples/two-applications -f examples/two-applications/policies/cilium
  bulkhead report examples/two-applications -f examples/segregation/policies.yaml --expect examples/segregation -o html`,
    )
    .action(async (paths: string[]) => run(paths, command.opts<ReportFlags>()));
}

async function run(paths: readonly string[], flags: ReportFlags): Promise<void> {
  const input = loadInput([...paths, ...(flags.filename ?? [])], { recursive: flags.recursive ?? false });
  if (hasErrors(input.diagnostics)) {
    printDiagnostics(input.diagnostics, flags.quiet ?? false);
    throw new SilentFailure(EXIT.input);
  }
  const session = openSources(input.sources, { ...flags, quiet: true }, input.diagnostics);
  const { engine, documents } = session;
  const bare = withoutPolicies(engine, documents);
  const graph = new ImpactGraph(engine, { without: bare });
  const impacts = ranked(graph.units.map((unit) => graph.impact(unit)));
  const checked = expectations(flags.expect ?? [], flags);
  const result = lint(engine, documents, {
    before: session.diagnostics,
    suppressions: readProjectConfiguration().suppressions,
  });
  const config = [...(engine.world.ciliumConfig ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));
  const report: AuditReport = {
    version: version(),
    dialect: session.dialect.name,
    complete: session.complete,
    settings: config,
    inputs: [...input.sources, ...checked.sources].map(({ name, text }) => ({
      name,
      sha256: createHash("sha256").update(text, "utf8").digest("hex"),
    })),
    asked: askedOf(paths, flags),
    counts: {
      workloads: engine.world.workloads.length,
      policies: engine.policies.policies.filter((policy) => policy.document !== undefined).length,
      namespaces: new Set(engine.world.workloads.map((workload) => workload.namespace)).size,
    },
    exposure: exposure(engine),
    exposureWithout: exposure(bare).counts,
    impact: summariseImpact(impacts),
    worst: impacts.slice(0, WORST),
    rows: checked.rows,
    ...result,
  };
  await writeAnswer(WRITERS[flags.output](report));
  const failed = checked.rows.some((row) => !row.passed);
  process.exitCode = failed || (flags.strict === true && !session.complete) ? EXIT.found : EXIT.fine;
}

/** The commands that give the parts of the page one by one. */
function askedOf(paths: readonly string[], flags: ReportFlags): readonly string[] {
  const files = [...paths, ...(flags.filename ?? [])];
  const named = [
    ...files.map((path) => `-f ${path}`),
    ...(flags.dialect === undefined ? [] : [`--dialect ${flags.dialect}`]),
    ...(flags.recursive === true ? ["-R"] : []),
  ].join(" ");
  return [
    `bulkhead exposure ${named} --against none`,
    `bulkhead impact --all ${named}`,
    `bulkhead lint ${named}`,
    ...(flags.expect ?? []).map((path) => `bulkhead verify ${path}`),
  ];
}

function expectations(
  paths: readonly string[],
  flags: ReportFlags,
): { readonly rows: readonly VerifiedRow[]; readonly sources: readonly Source[] } {
  const cwd = process.cwd();
  const options: CaseOptions = {
    ...(flags.dialect === undefined ? {} : { dialect: flags.dialect }),
    ...(flags.names === undefined ? {} : { names: readNames(flags.names) }),
    world: worldOptions(flags),
  };
  const rows: VerifiedRow[] = [];
  const sources: Source[] = [];
  for (const path of paths) {
    const segregations = findSegregationFiles(path, cwd);
    const found = findExpectationFiles(path, cwd);
    for (const file of [...found.files.filter((one) => !segregations.includes(one)), ...segregations]) {
      const read = readSource(file, sourceName(file, cwd));
      if ("problem" in read) {
        printDiagnostics([read.problem], false);
        throw new SilentFailure(EXIT.input);
      }
      sources.push(read.source);
      const isSegregation = segregations.includes(file);
      const result = isSegregation ? undefined : runCase(read.source, caseFiles(file, cwd), options);
      const segregation = isSegregation ? segregationRows(file, cwd, options) : undefined;
      const broken = segregation?.isBroken ?? (result?.engine === undefined && result?.isAsked !== true);
      if (broken) {
        printDiagnostics([...(segregation?.diagnostics ?? []), ...(result?.diagnostics ?? [])], false);
        throw new SilentFailure(EXIT.input);
      }
      rows.push(
        ...(segregation?.rows ?? []),
        ...(result?.results ?? []).map((row) => ({ ...row, file: result?.file ?? file })),
      );
    }
  }
  return { rows, sources };
}
