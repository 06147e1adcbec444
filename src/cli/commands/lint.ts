/** `bulkhead lint`: policies that cannot work, do nothing, shadow each other, or say something else than they seem to. */
import { type Command, Option } from "commander";
import { hasErrors, type Severity } from "../../base/diagnostic.ts";
import { loadInput } from "../../files/input.ts";
import { collected, lint, type LintResult } from "../../lint/lint.ts";
import { edits, patchText } from "../../lint/patch.ts";
import { lintJson } from "../../report/lint-json.ts";
import { countsOf, type LintReport } from "../../report/lint-report.ts";
import { lintSarif } from "../../report/lint-sarif.ts";
import { lintText } from "../../report/lint-text.ts";
import type { Style } from "../../report/style.ts";
import { readProjectConfiguration } from "../configuration.ts";
import { EXIT, SilentFailure } from "../exit.ts";
import { type InputFlags, type OutputFlags, withInput, withOutput } from "../options.ts";
import type { Session } from "../session.ts";
import { note, printDiagnostics, styleFor, writeAnswer } from "../terminal.ts";
import { openSides, type Sides } from "../vpc/vpc-input.ts";
import { vpcFindings } from "../../vpc/findings.ts";
import { AWS } from "../../policy/registry.ts";
import type { VpcEngine } from "../../vpc/engine.ts";
import { version } from "../version.ts";

const WRITERS = {
  text: lintText,
  json: lintJson,
  sarif: lintSarif,
} as const satisfies Record<string, (report: LintReport, style: Style) => Iterable<string>>;

const SEVERITIES = ["error", "warning", "info"] as const satisfies readonly Severity[];

interface LintFlags extends InputFlags, OutputFlags<keyof typeof WRITERS> {
  readonly failOn: Severity;
  readonly fix?: true;
}

export function addLint(program: Command): void {
  const command = program
    .command("lint")
    .description("policies that cannot work, do nothing, shadow each other, or say something else than they seem to")
    .argument("[path...]", "manifests and policies, or a VPC: files, folders, or - for standard input");
  withOutput(withInput(command), Object.keys(WRITERS))
    .addOption(new Option("--fail-on <severity>", "exit 1 from this severity on").choices(SEVERITIES).default("error"))
    .option("--fix", "print a patch of what is certain, instead of the findings; nothing is written")
    .addHelpText(
      "after",
      `
A finding is suppressed, with its reason, by an annotation on the object:
  bulkhead.dev/ignore: "BH153: this is the public entry of the shop"
or in bulkhead.yaml:
  lint: {ignore: [{code: BH165, object: shop/Deployment/cache, reason: holds nothing}]}

Examples:
  bulkhead lint -R manifests
  bulkhead lint -R manifests -o sarif > lint.sarif
  bulkhead lint plan.json
  bulkhead lint manifests --fix | git apply --unidiff-zero`,
    )
    .action(async (paths: string[]) => run(paths, command.opts<LintFlags>()));
}

async function run(paths: readonly string[], flags: LintFlags): Promise<void> {
  const input = loadInput([...paths, ...(flags.filename ?? [])], { recursive: flags.recursive ?? false });
  if (hasErrors(input.diagnostics)) {
    printDiagnostics(input.diagnostics, flags.quiet ?? false);
    throw new SilentFailure(EXIT.input);
  }
  // What is found while reading is part of the answer here, and is not said twice.
  const opened = openSides(input.sources, { ...flags, quiet: true }, input.diagnostics);
  const result = resultOf(opened);
  if (flags.fix === true) {
    const patch = patchText(edits(result.findings, input.sources));
    if (patch === "") note("nothing can be put right with certainty");
    await writeAnswer([patch]);
    return;
  }
  const report: LintReport = {
    ...result,
    dialect: [opened.cluster?.dialect.name, opened.vpc === undefined ? undefined : AWS].filter(isSaid).join(" and "),
    version: version(),
    policies:
      (opened.vpc === undefined ? 0 : ruleCount(opened.vpc.engine)) +
      (opened.cluster === undefined ? 0 : policyCount(opened.cluster)),
  };
  await writeAnswer(WRITERS[flags.output](report, styleFor(process.stdout, flags.color)));
  const counts = countsOf(result.findings);
  const failing = SEVERITIES.slice(0, SEVERITIES.indexOf(flags.failOn) + 1);
  const found = failing.some((severity) => counts[severity] > 0);
  const complete = opened.cluster?.complete !== false && opened.vpc?.complete !== false;
  process.exitCode = found || (flags.strict === true && !complete) ? EXIT.found : EXIT.fine;
}

function isSaid(text: string | undefined): text is string {
  return text !== undefined;
}

/** What is found in a VPC is part of what is found beside it. */
function resultOf({ cluster, vpc }: Sides): LintResult {
  const { suppressions } = readProjectConfiguration();
  const ofVpc = vpc === undefined ? [] : [...vpc.diagnostics, ...vpcFindings(vpc.engine)];
  if (cluster === undefined) return collected(ofVpc, [], { suppressions });
  const before = [...cluster.diagnostics, ...ofVpc];
  return lint(cluster.engine, cluster.documents, { before, suppressions });
}

function policyCount({ engine }: Session): number {
  return engine.policies.policies.filter((policy) => policy.document !== undefined).length;
}

/** Security groups and network ACLs that the input writes. */
function ruleCount({ network }: VpcEngine): number {
  return [...network.groups.keys(), ...network.acls.keys()].filter((name) => network.spotOf(name) !== undefined).length;
}
