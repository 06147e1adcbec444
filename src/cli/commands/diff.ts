/** `bulkhead diff`: connections gained and lost. */
import type { Command } from "commander";
import { type Diagnostic, hasErrors } from "../../base/diagnostic.ts";
import type { Source } from "../../documents/document.ts";
import { readDocuments } from "../../documents/reader.ts";
import { readGit } from "../../files/git-revision.ts";
import { loadInput } from "../../files/input.ts";
import { chooseDialect } from "../../policy/registry.ts";
import { diff, type Version } from "../../questions/diff.ts";
import { topologyOfDiff } from "../../questions/topology-diff.ts";
import { diffJson } from "../../report/diff-json.ts";
import { diffMarkdown } from "../../report/diff-markdown.ts";
import { causeTexts, type DiffReport } from "../../report/diff-report.ts";
import { diffText } from "../../report/diff-text.ts";
import { topologyDot } from "../../report/topology-dot.ts";
import { topologyHtml } from "../../report/topology-html.ts";
import { topologySvg } from "../../report/topology-svg.ts";
import type { Style } from "../../report/style.ts";
import { AWS } from "../../policy/registry.ts";
import { vpcDiff } from "../../questions/vpc/diff.ts";
import { vpcDiffTopology } from "../../questions/vpc/topology.ts";
import { awsForm } from "../../vpc/read/input.ts";
import { openRead, type VpcSession } from "../vpc/vpc-input.ts";
import { EXIT, inputFailure, SilentFailure } from "../exit.ts";
import { type InputFlags, type OutputFlags, withInput, withOutput } from "../options.ts";
import { openSources, type Session, type SessionOptions } from "../session.ts";
import { printDiagnostics, styleFor, writeAnswer } from "../terminal.ts";

const WRITERS = {
  text: diffText,
  json: diffJson,
  md: diffMarkdown,
  svg: (report) => topologySvg(report.topology()),
  dot: (report) => topologyDot(report.topology()),
  html: (report) => topologyHtml(report.topology()),
} as const satisfies Record<string, (report: DiffReport, style: Style) => Iterable<string>>;

interface DiffFlags extends InputFlags, OutputFlags<keyof typeof WRITERS> {
  readonly against?: string;
  readonly exitCode?: true;
  readonly wide?: true;
}

export function addDiff(program: Command): void {
  const command = program
    .command("diff")
    .description("connections gained and lost between two inputs, or between two networks that read one input")
    .argument("<old>", "file, folder, - for standard input, or git:REVISION:PATH")
    .argument("[new]", "the same; left out with --against");
  withOutput(withInput(command), Object.keys(WRITERS))
    .option("--against <dialect>", "compare the network of --dialect with this one")
    .option("--exit-code", "exit 1 where a connection is gained or lost")
    .option("--wide", "name every endpoint")
    .addHelpText(
      "after",
      `
-f names input that both sides have, such as workloads beside two folders of policies.

Examples:
  bulkhead diff git:HEAD~1:manifests manifests
  bulkhead diff git:HEAD~1:plan.json plan.json
  bulkhead diff before.yaml after.yaml -f examples/two-applications -o md
  bulkhead diff --dialect kubernetes --against cilium examples/two-applications`,
    )
    .action(async (old: string, next: string | undefined) => run(old, next, command.opts<DiffFlags>()));
}

async function run(old: string, next: string | undefined, flags: DiffFlags): Promise<void> {
  if ((next === undefined) === (flags.against === undefined)) {
    throw inputFailure("name two inputs, or one with --against", "Such as `bulkhead diff OLD NEW`.");
  }
  const { against, dialect, ...rest } = flags;
  const [first, second] = [sourcesOf(old, flags), sourcesOf(next ?? old, flags)];
  if ([...first.sources, ...second.sources].some((source) => awsForm(source) !== undefined)) {
    return await compareVpcs([old, first], [next ?? old, second], flags);
  }
  // Both sides are read by one network unless the user names two, whichever of them has the policies that tell it.
  const told = dialect ?? (next === undefined ? undefined : dialectOf([...first.sources, ...second.sources], flags));
  const reading = (name: string | undefined): SessionOptions => ({
    ...rest,
    ...(name === undefined ? {} : { dialect: name }),
  });
  // What is to be said of both is said once.
  const before = openSources(first.sources, { ...reading(told), quiet: true }, first.diagnostics);
  const after = openSources(second.sources, reading(against ?? told), second.diagnostics);
  const compared = diff(versionOf(before), versionOf(after));
  const report: DiffReport = {
    old: { name: old, dialect: before.dialect.name },
    next: { name: next ?? old, dialect: after.dialect.name },
    complete: before.complete && after.complete,
    diff: compared,
    wide: flags.wide ?? false,
    topology: () =>
      topologyOfDiff([before.engine, after.engine], compared, "Connections gained and lost", (change) =>
        causeTexts(change).join(", "),
      ),
  };
  await writeAnswer(WRITERS[flags.output](report, styleFor(process.stdout, flags.color)));
  const changed = report.diff.changes.length > 0;
  process.exitCode =
    (flags.exitCode === true && changed) || (flags.strict === true && !report.complete) ? EXIT.found : EXIT.fine;
}

/** The same of two VPCs, or of one VPC told twice. */
async function compareVpcs(
  [old, first]: readonly [string, Sources],
  [next, second]: readonly [string, Sources],
  flags: DiffFlags,
): Promise<void> {
  if (flags.against !== undefined) throw inputFailure("a VPC is read in one way only", "Name two inputs.");
  const open = ({ sources, diagnostics }: Sources, quiet?: true): VpcSession => {
    const { against: _, ...rest } = flags;
    const opened = openRead(sources, quiet === true ? { ...rest, quiet } : rest, diagnostics);
    if (opened.vpc === undefined) throw inputFailure("one of the two is a VPC and the other is none");
    return opened.vpc;
  };
  const [before, after] = [open(first, true), open(second)];
  const compared = vpcDiff(before.engine, after.engine);
  const report: DiffReport = {
    old: { name: old, dialect: AWS },
    next: { name: next, dialect: AWS },
    complete: before.complete && after.complete,
    diff: compared,
    wide: flags.wide ?? false,
    topology: () =>
      vpcDiffTopology(
        [before.engine.network, after.engine.network],
        compared,
        "Connections gained and lost",
        (change) => causeTexts(change).join(", "),
      ),
  };
  await writeAnswer(WRITERS[flags.output](report, styleFor(process.stdout, flags.color)));
  process.exitCode = flags.exitCode === true && compared.changes.length > 0 ? EXIT.found : EXIT.fine;
}

function versionOf({ engine, documents }: Session): Version {
  return { engine, documents };
}

interface Sources {
  readonly sources: readonly Source[];
  readonly diagnostics: readonly Diagnostic[];
}

/** What one side is read from; what `-f` names belongs to both. */
function sourcesOf(path: string, flags: DiffFlags): Sources {
  const recursive = flags.recursive ?? false;
  const common = flags.filename ?? [];
  const isRevision = path.startsWith("git:");
  const files =
    isRevision && common.length === 0
      ? undefined
      : loadInput([...(isRevision ? [] : [path]), ...common], { recursive });
  const revision = isRevision ? readGit(path, { recursive }) : undefined;
  const sources = [...(revision?.sources ?? []), ...(files?.sources ?? [])];
  const diagnostics = [...(revision?.diagnostics ?? []), ...(files?.diagnostics ?? [])];
  if (hasErrors(diagnostics)) {
    printDiagnostics(diagnostics, flags.quiet ?? false);
    throw new SilentFailure(EXIT.input);
  }
  return { sources, diagnostics };
}

function dialectOf(sources: readonly Source[], flags: DiffFlags): string | undefined {
  return chooseDialect(readDocuments(sources).documents, undefined, flags.namespace).dialect?.name;
}
