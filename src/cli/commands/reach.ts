/** `bulkhead reach`: who reaches whom. */
import { type Command, Option } from "commander";
import { portFlows } from "../../net/flow-set.ts";
import type { PortProtocol } from "../../net/protocol.ts";
import { unitsNamed, unitsOf } from "../../questions/network.ts";
import { type TopologyQuery, topologyOf } from "../../questions/topology.ts";
import { deadNames } from "../../questions/dead-names.ts";
import type { Engine } from "../../reach/engine.ts";
import type { GroupBy, Row } from "../../reach/reach.ts";
import { reachCsv } from "../../report/reach-csv.ts";
import { reachDot } from "../../report/reach-dot.ts";
import { reachHtml } from "../../report/reach-html.ts";
import { reachJson } from "../../report/reach-json.ts";
import { reachJsonLines } from "../../report/reach-jsonl.ts";
import { reachMarkdown } from "../../report/reach-markdown.ts";
import { reachMatrix } from "../../report/reach-matrix.ts";
import type { ReachReport, ReportRow } from "../../report/reach-report.ts";
import { reachSvg } from "../../report/reach-svg.ts";
import { reachText } from "../../report/reach-text.ts";
import type { Style } from "../../report/style.ts";
import { vpcTopology } from "../../questions/vpc/topology.ts";
import { type VpcReach, vpcReach } from "../../vpc/shown.ts";
import { AWS } from "../../policy/registry.ts";
import { inputFailure } from "../exit.ts";
import { type InputFlags, type OutputFlags, parsePort, withInput, withOutput } from "../options.ts";
import { exitOf, type Session } from "../session.ts";
import { styleFor, writeAnswer } from "../terminal.ts";
import { openInput, type VpcSession } from "../vpc/vpc-input.ts";

const WRITERS = {
  text: reachText,
  json: reachJson,
  jsonl: reachJsonLines,
  csv: reachCsv,
  md: reachMarkdown,
  dot: reachDot,
  svg: reachSvg,
  html: reachHtml,
} as const satisfies Record<string, (report: ReachReport, style: Style) => Iterable<string>>;

const GROUPS = ["endpoint", "application", "namespace", "identity"] as const satisfies readonly GroupBy[];

/** Above so many ordered pairs of endpoints, what decided is told only by `why`. */
const MANY_PAIRS = 10_000;

interface ReachFlags extends InputFlags, OutputFlags<keyof typeof WRITERS> {
  readonly from?: string;
  readonly to?: string;
  readonly port?: { readonly protocol: PortProtocol; readonly port: number };
  readonly by: GroupBy;
  readonly outside: boolean;
  readonly matrix?: true;
  readonly wide?: true;
  /** False with `--no-provenance`. */
  readonly provenance: boolean;
}

export function addReach(program: Command): void {
  const command = program
    .command("reach")
    .description("who reaches whom")
    .argument("[path...]", "manifests and policies, or a VPC: files, folders, or - for standard input");
  withOutput(withInput(command), Object.keys(WRITERS))
    .option("--from <endpoint>", "only from this endpoint")
    .option("--to <endpoint>", "only to this endpoint")
    .option("--port <port>", "only this port, such as 80/TCP", parsePort)
    .addOption(new Option("--by <group>", "one row for each").choices(GROUPS).default("endpoint"))
    .option("--matrix", "as a matrix, endpoints that fare alike in one row; for the terminal")
    .option("--wide", "in the matrix, a row for every endpoint")
    .option("--no-outside", "leave out what is outside the cluster")
    .option("--no-provenance", "leave out what decided")
    .addHelpText(
      "after",
      `
Examples:
  bulkhead reach examples/two-applications
  bulkhead reach examples/two-applications --to default/service-a --port 80/TCP
  bulkhead reach plan.json -o html > vpc.html
  helm template shop | bulkhead reach -o svg - > shop.svg`,
    )
    .action(async (paths: string[]) => run(paths, command.opts<ReachFlags>()));
}

async function run(paths: readonly string[], flags: ReachFlags): Promise<void> {
  const opened = openInput(paths, flags);
  if (opened.cluster === undefined) return await reachVpc(opened.vpc, flags);
  const session = opened.cluster;
  const { engine } = session;
  for (const name of [flags.from, flags.to]) if (name !== undefined) checkName(engine, name);
  const query = {
    by: flags.by,
    outside: flags.outside,
    ...(flags.from === undefined ? {} : { from: flags.from }),
    ...(flags.to === undefined ? {} : { to: flags.to }),
    ...(flags.port === undefined ? {} : { port: flags.port }),
  };
  const plain = engine.reach({ ...query, provenance: false });
  const { rows } = plain;
  const provenance = flags.provenance && rows.length * rows.length <= MANY_PAIRS;
  // A way leads to pods, not to groups of them.
  const asked = flags.by === "endpoint" && (flags.outside || flags.from !== undefined);
  const ways = asked ? pathsFrom(engine, flags) : undefined;
  const report: ReachReport = {
    dialect: session.dialect.name,
    complete: session.complete,
    rows: rows.map((row) => reportRow(engine, row)),
    pairs: provenance ? engine.reach({ ...query, provenance }).pairs : plain.pairs,
    ...(ways === undefined ? {} : { paths: ways }),
    deadNames: deadNames(engine),
    ...topologyFor(session, flags),
    provenance,
    diagnostics: session.diagnostics,
  };
  const style = styleFor(process.stdout, flags.color);
  await writeAnswer(flags.matrix === true ? matrix(report, style, flags) : WRITERS[flags.output](report, style));
  process.exitCode = exitOf(session, flags);
}

/** The matrix of the terminal; where there is none, as wide as most. */
function matrix(report: ReachReport, style: Style, { output, wide }: ReachFlags): Iterable<string> {
  if (output !== "text") throw inputFailure("--matrix is text", `Leave it out for -o ${output}.`);
  return reachMatrix(report, style, { width: process.stdout.columns ?? 120, wide: wide ?? false });
}

/** The same of a VPC. */
async function reachVpc(session: VpcSession, flags: ReachFlags): Promise<void> {
  const { engine } = session;
  if (flags.by !== "endpoint" && flags.by !== "application") {
    throw inputFailure(`a VPC has no ${flags.by}`, "Group by endpoint or application.");
  }
  for (const name of [flags.from, flags.to]) {
    const found = name === undefined ? undefined : engine.inventory.resolve(name);
    if (found?.kind === "problem") throw inputFailure(found.message);
  }
  const size = engine.network.owners.size;
  const provenance = flags.provenance && size * size <= MANY_PAIRS;
  const { by } = flags;
  const ask = (): VpcReach =>
    vpcReach(engine, {
      by,
      outside: flags.outside,
      provenance,
      ...(flags.from === undefined ? {} : { from: flags.from }),
      ...(flags.to === undefined ? {} : { to: flags.to }),
      ...(flags.port === undefined ? {} : { port: flags.port }),
    });
  const { rows, pairs } = ask();
  const report: ReachReport = {
    dialect: AWS,
    complete: session.complete,
    rows: rows.map((row) => ({ row })),
    pairs,
    ...(flags.by === "endpoint"
      ? { topology: () => vpcTopology(engine, `Who reaches whom, ${AWS}`, ask().pairs) }
      : {}),
    provenance,
    diagnostics: session.diagnostics,
  };
  const style = styleFor(process.stdout, flags.color);
  await writeAnswer(flags.matrix === true ? matrix(report, style, flags) : WRITERS[flags.output](report, style));
}

/** The ways from outside over load balancers, nodes, Ingress and Gateway; undefined where the source is nothing outside. */
function pathsFrom(engine: Engine, { from = "internet", to, port }: ReachFlags): ReachReport["paths"] {
  const source = engine.inventory.resolve(from);
  if (source.kind !== "endpoints" || !source.members.every((member) => member.kind === "outside")) return undefined;
  return engine.paths({ from, ...(to === undefined ? {} : { to }), ...(port === undefined ? {} : { port }) });
}

/** The picture, where the rows are endpoints or applications of the cluster. */
function topologyFor({ engine, dialect }: Session, flags: ReachFlags): Pick<ReachReport, "topology"> {
  if (flags.by !== "endpoint" && flags.by !== "application") return {};
  const from = flags.from === undefined ? undefined : endpointsNamed(engine, flags.from);
  const to = flags.to === undefined ? undefined : endpointsNamed(engine, flags.to);
  const isOutside = from === "outside";
  if (from === "other" || to === "other" || to === "outside") return {};
  const { port } = flags;
  const query: TopologyQuery = {
    ...(from === undefined ? {} : { from: isOutside ? new Set<string>() : from }),
    ...(to === undefined ? {} : { to }),
    ...(port === undefined ? {} : { flows: portFlows(port.protocol, port.port, port.port) }),
    byApplication: flags.by === "application",
    entrances: isOutside || (from === undefined && flags.outside),
  };
  return { topology: () => topologyOf(engine, `Who reaches whom, ${dialect.name}`, query) };
}

/** The endpoints that a name means, by their names in the picture; else of what kind it is. */
function endpointsNamed(engine: Engine, name: string): ReadonlySet<string> | "outside" | "other" {
  if (name === "internet") return "outside";
  const units = unitsNamed(engine, unitsOf(engine), name);
  return units.length === 0 ? "other" : new Set(units.map((unit) => unit.name));
}

/** Refuses a name that means nothing, or something of which the input does not tell what it is. */
function checkName(engine: Engine, name: string): void {
  const resolved = engine.inventory.resolve(name);
  if (resolved.kind === "problem") throw inputFailure(resolved.message);
  if (resolved.kind === "unsure") {
    throw inputFailure(`${name} is not known: ${resolved.because.map((one) => one.detail).join("; ")}`);
  }
}

function reportRow(engine: Engine, row: Row): ReportRow {
  const [member] = row.members;
  if (member === undefined || row.members.length > 1) return { row };
  return { row, identity: engine.connections.viewOf(member).identity.labels };
}
