/** `bulkhead impact`: what falls if an endpoint is compromised. */
import type { Command } from "commander";
import { type Impact, ImpactGraph, ranked, summariseImpact } from "../../questions/impact.ts";
import { type Unit, withoutPolicies } from "../../questions/network.ts";
import type { Topology } from "../../questions/topology-form.ts";
import { topologyOf } from "../../questions/topology.ts";
import { topologyOfImpact, topologyOfWays } from "../../questions/topology-impact.ts";
import { impactHtml } from "../../report/impact-html.ts";
import { impactJson } from "../../report/impact-json.ts";
import { impactMarkdown } from "../../report/impact-markdown.ts";
import type { ImpactReport } from "../../report/impact-report.ts";
import { impactText } from "../../report/impact-text.ts";
import type { Style } from "../../report/style.ts";
import { topologyDot } from "../../report/topology-dot.ts";
import { topologySvg } from "../../report/topology-svg.ts";
import { inputFailure } from "../exit.ts";
import { type LabFlags, openRunning, withLab } from "../lab/lab-flags.ts";
import { type InputFlags, type OutputFlags, withInput, withOutput } from "../options.ts";
import type { ImpactWalk } from "../../questions/impact-walk.ts";
import { AWS } from "../../policy/registry.ts";
import type { VpcEnd } from "../../questions/vpc/ends.ts";
import { VpcImpactGraph } from "../../questions/vpc/impact.ts";
import { vpcStepsTopology, vpcTopology } from "../../questions/vpc/topology.ts";
import { exitOf, type Session } from "../session.ts";
import { openInput, type VpcSession } from "../vpc/vpc-input.ts";
import { styleFor, writeAnswer } from "../terminal.ts";

const WRITERS = {
  text: impactText,
  json: impactJson,
  md: impactMarkdown,
  svg: (report) => topologySvg(report.topology()),
  dot: (report) => topologyDot(report.topology()),
  html: impactHtml,
} as const satisfies Record<string, (report: ImpactReport, style: Style) => Iterable<string>>;

interface ImpactFlags extends InputFlags, LabFlags, OutputFlags<keyof typeof WRITERS> {
  readonly all?: true;
  readonly to?: string;
  readonly declared?: true;
  readonly wide?: true;
}

export function addImpact(program: Command): void {
  const command = program
    .command("impact")
    .description("the area of impact: what falls if an endpoint is compromised; of files, else of a running lab")
    .argument("[endpoint]", "endpoint, such as default/client-a");
  withLab(withOutput(withInput(command), Object.keys(WRITERS)))
    .option("--all", "every endpoint, those that take most with them first")
    .option("--to <endpoint>", "the shortest ways to this endpoint")
    .option("--declared", "count only connections to ports that the target declares, or to which a Service leads")
    .option("--wide", "name every endpoint")
    .addHelpText(
      "after",
      `
Examples:
  bulkhead impact default/client-a -f examples/two-applications
  bulkhead impact default/client-a --to default/service-b -f examples/two-applications
  bulkhead impact aws_instance.app_a -f plan.json
  bulkhead impact --all -f examples/two-applications -f examples/two-applications/policies/cilium`,
    )
    .action(async (endpoint: string | undefined) => run(endpoint, command.opts<ImpactFlags>()));
}

async function run(name: string | undefined, flags: ImpactFlags): Promise<void> {
  if ((name === undefined) === (flags.all !== true)) {
    throw inputFailure("name one endpoint, or say --all", "Such as `bulkhead impact default/client-a -f DIR`.");
  }
  const opened =
    flags.filename === undefined ? { cluster: (await openRunning(flags.name)).session } : openInput([], flags);
  if (opened.cluster === undefined) return await impactOnVpc(opened.vpc, name, flags);
  const session = opened.cluster;
  const graph = new ImpactGraph(session.engine, {
    without: withoutPolicies(session.engine, session.documents),
    declared: flags.declared ?? false,
  });
  const starts = name === undefined ? graph.units : unitsNamed(session, graph, name);
  const targets = flags.to === undefined ? undefined : unitsNamed(session, graph, flags.to);
  const impacts = targets === undefined ? starts.map((unit) => graph.impact(unit)) : [];
  const ways = targets === undefined || flags.to === undefined ? undefined : waysTo(graph, starts, targets, flags.to);
  const report: ImpactReport = {
    dialect: session.dialect.name,
    complete: session.complete,
    endpoints: graph.units.length,
    declared: flags.declared ?? false,
    impacts: name === undefined ? ranked(impacts) : impacts,
    ...(name === undefined && targets === undefined ? { summary: summariseImpact(impacts) } : {}),
    ...(ways === undefined ? {} : { ways }),
    wide: flags.wide ?? false,
    topology: () => pictureOf(session, graph, impacts, ways),
    diagnostics: session.diagnostics,
  };
  await writeAnswer(WRITERS[flags.output](report, styleFor(process.stdout, flags.color)));
  process.exitCode = exitOf(session, flags);
}

/** The same of a VPC. */
async function impactOnVpc(session: VpcSession, name: string | undefined, flags: ImpactFlags): Promise<void> {
  const { engine } = session;
  const graph = new VpcImpactGraph(engine, { declared: flags.declared ?? false });
  const endsNamed = (text: string): readonly VpcEnd[] => {
    const found = engine.inventory.resolve(text);
    if (found.kind === "problem") throw inputFailure(found.message);
    const units = graph.named(text);
    if (units.length === 0) throw inputFailure(`${text} is nothing of the VPC that can fall`);
    return units;
  };
  const starts = name === undefined ? graph.units : endsNamed(name);
  const targets = flags.to === undefined ? undefined : endsNamed(flags.to);
  const impacts = targets === undefined ? starts.map((unit) => graph.impact(unit)) : [];
  const ways = targets === undefined || flags.to === undefined ? undefined : waysTo(graph, starts, targets, flags.to);
  const [only, ...more] = impacts;
  const report: ImpactReport = {
    dialect: AWS,
    complete: session.complete,
    endpoints: graph.units.length,
    declared: flags.declared ?? false,
    impacts: name === undefined ? ranked(impacts) : impacts,
    ...(name === undefined && targets === undefined ? { summary: summariseImpact(impacts) } : {}),
    ...(ways === undefined ? {} : { ways }),
    wide: flags.wide ?? false,
    topology: () => {
      if (ways !== undefined) {
        const steps = ways.found.flatMap((one) => one.ways.flatMap((way) => way.steps));
        return vpcStepsTopology(engine, steps, `Shortest ways to ${ways.to}`);
      }
      if (only === undefined || more.length > 0) return vpcTopology(engine, `Area of impact, ${AWS}`);
      return vpcStepsTopology(engine, [...only.steps, ...only.possible], `If ${only.endpoint} falls`);
    },
    diagnostics: session.diagnostics,
  };
  await writeAnswer(WRITERS[flags.output](report, styleFor(process.stdout, flags.color)));
}

/** One area of impact, the ways to a target, or, of all, who reaches whom. */
function pictureOf(
  { engine, dialect }: Session,
  graph: ImpactGraph,
  impacts: readonly Impact[],
  ways: ImpactReport["ways"],
): Topology {
  if (ways !== undefined) return topologyOfWays(engine, graph.units, ways.found, `Shortest ways to ${ways.to}`);
  const [only, ...more] = impacts;
  if (only === undefined || more.length > 0) return topologyOf(engine, `Area of impact, ${dialect.name}`);
  return topologyOfImpact(engine, graph.units, only, `If ${only.endpoint} falls`);
}

/** Ways from each start to the nearest of the targets. */
function waysTo<U extends { readonly name: string }>(
  graph: ImpactWalk<U>,
  starts: readonly U[],
  targets: readonly U[],
  to: string,
): NonNullable<ImpactReport["ways"]> {
  const found = starts
    .filter((start) => !targets.includes(start))
    .map((start) => {
      const all = targets.map((target) => graph.ways(start, target)).filter((ways) => ways.length > 0);
      const rank = (ways: (typeof all)[number]): number =>
        (ways[0]?.certain === true ? 0 : 1_000_000) + (ways[0]?.steps.length ?? 0);
      const [nearest] = all.sort((a, b) => rank(a) - rank(b));
      return { from: start.name, ways: nearest ?? [] };
    });
  return { to, found };
}

function unitsNamed(session: Session, graph: ImpactGraph, name: string): readonly Unit[] {
  const resolved = session.engine.inventory.resolve(name);
  if (resolved.kind === "problem") throw inputFailure(resolved.message);
  if (resolved.kind !== "endpoints") {
    throw inputFailure(`${name} is no endpoint of its own`, "Name the workload or the pod behind it.");
  }
  const units = graph.named(name);
  if (units.length === 0) throw inputFailure(`${name} is no workload and no pod`, "Only those can fall.");
  return units;
}
