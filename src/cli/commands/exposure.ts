/** `bulkhead exposure`: the attack surface. */
import { type Command, Option } from "commander";
import { exposure } from "../../questions/exposure.ts";
import { topologyOf } from "../../questions/topology.ts";
import { withoutPolicies } from "../../questions/network.ts";
import { exposureJson } from "../../report/exposure-json.ts";
import { exposureMarkdown } from "../../report/exposure-markdown.ts";
import type { ExposureReport } from "../../report/exposure-report.ts";
import { exposureText } from "../../report/exposure-text.ts";
import { topologyDot } from "../../report/topology-dot.ts";
import { topologyHtml } from "../../report/topology-html.ts";
import { topologySvg } from "../../report/topology-svg.ts";
import type { Style } from "../../report/style.ts";
import { type InputFlags, type OutputFlags, withInput, withOutput } from "../options.ts";
import { AWS } from "../../policy/registry.ts";
import { vpcExposure } from "../../questions/vpc/exposure.ts";
import { vpcTopology } from "../../questions/vpc/topology.ts";
import { VpcEngine } from "../../vpc/engine.ts";
import { openedNetwork } from "../../vpc/opened.ts";
import { exitOf } from "../session.ts";
import { openInput, type VpcSession } from "../vpc/vpc-input.ts";
import { styleFor, writeAnswer } from "../terminal.ts";

const WRITERS = {
  text: exposureText,
  json: exposureJson,
  md: exposureMarkdown,
  svg: (report) => topologySvg(report.topology()),
  dot: (report) => topologyDot(report.topology()),
  html: (report) => topologyHtml(report.topology()),
} as const satisfies Record<string, (report: ExposureReport, style: Style) => Iterable<string>>;

interface ExposureFlags extends InputFlags, OutputFlags<keyof typeof WRITERS> {
  readonly against?: "none";
  readonly wide?: true;
}

export function addExposure(program: Command): void {
  const command = program
    .command("exposure")
    .description("the attack surface: what is reachable from outside, through what, and what reaches out")
    .argument("[path...]", "manifests and policies, or a VPC: files, folders, or - for standard input");
  withOutput(withInput(command), Object.keys(WRITERS))
    .addOption(new Option("--against <what>", "compare with the same input without any policy").choices(["none"]))
    .option("--wide", "name every endpoint")
    .addHelpText(
      "after",
      `
Examples:
  bulkhead exposure examples/two-applications
  bulkhead exposure examples/two-applications -f examples/two-applications/policies/cilium --against none
  bulkhead exposure plan.json
  helm template shop | bulkhead exposure -o json -`,
    )
    .action(async (paths: string[]) => run(paths, command.opts<ExposureFlags>()));
}

async function run(paths: readonly string[], flags: ExposureFlags): Promise<void> {
  const opened = openInput(paths, flags);
  if (opened.cluster === undefined) return await exposeVpc(opened.vpc, flags);
  const session = opened.cluster;
  const report: ExposureReport = {
    dialect: session.dialect.name,
    complete: session.complete,
    exposure: exposure(session.engine),
    ...(flags.against === undefined
      ? {}
      : { baseline: exposure(withoutPolicies(session.engine, session.documents)).counts }),
    wide: flags.wide ?? false,
    topology: () => topologyOf(session.engine, `Who reaches whom, ${session.dialect.name}`),
    diagnostics: session.diagnostics,
  };
  await writeAnswer(WRITERS[flags.output](report, styleFor(process.stdout, flags.color)));
  process.exitCode = exitOf(session, flags);
}

/** The same of a VPC. */
async function exposeVpc({ engine, diagnostics, complete }: VpcSession, flags: ExposureFlags): Promise<void> {
  const report: ExposureReport = {
    dialect: AWS,
    complete,
    exposure: vpcExposure(engine),
    ...(flags.against === undefined
      ? {}
      : { baseline: vpcExposure(new VpcEngine(openedNetwork(engine.network))).counts }),
    wide: flags.wide ?? false,
    topology: () => vpcTopology(engine, `Who reaches whom, ${AWS}`),
    diagnostics,
  };
  await writeAnswer(WRITERS[flags.output](report, styleFor(process.stdout, flags.color)));
}
