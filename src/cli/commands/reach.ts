/** `bulkhead reach`: who reaches whom. */
import { type Command, Option } from "commander";
import type { PortProtocol } from "../../net/protocol.ts";
import type { Engine } from "../../reach/engine.ts";
import type { GroupBy, Row } from "../../reach/pairs.ts";
import { reachCsv } from "../../report/reach-csv.ts";
import { reachDot } from "../../report/reach-dot.ts";
import { reachHtml } from "../../report/reach-html.ts";
import { reachJson } from "../../report/reach-json.ts";
import { reachMarkdown } from "../../report/reach-markdown.ts";
import type { ReachReport, ReportRow } from "../../report/reach-report.ts";
import { reachSvg } from "../../report/reach-svg.ts";
import { reachText } from "../../report/reach-text.ts";
import type { Style } from "../../report/style.ts";
import { inputFailure } from "../exit.ts";
import { type InputFlags, type OutputFlags, parsePort, withInput, withOutput } from "../options.ts";
import { exitOf, openSession } from "../session.ts";
import { styleFor, writeAnswer } from "../terminal.ts";

const WRITERS = {
  text: reachText,
  json: reachJson,
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
  /** False with `--no-provenance`. */
  readonly provenance: boolean;
}

export function addReach(program: Command): void {
  const command = program
    .command("reach")
    .description("who reaches whom")
    .argument("[path...]", "manifests and policies: files, folders, or - for standard input");
  withOutput(withInput(command), Object.keys(WRITERS))
    .option("--from <endpoint>", "only from this endpoint")
    .option("--to <endpoint>", "only to this endpoint")
    .option("--port <port>", "only this port, such as 80/TCP", parsePort)
    .addOption(new Option("--by <group>", "one row for each").choices(GROUPS).default("endpoint"))
    .option("--no-outside", "leave out what is outside the cluster")
    .option("--no-provenance", "leave out what decided")
    .action(async (paths: string[]) => run(paths, command.opts<ReachFlags>()));
}

async function run(paths: readonly string[], flags: ReachFlags): Promise<void> {
  const session = openSession(paths, flags);
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
    provenance,
    diagnostics: session.diagnostics,
  };
  const style = styleFor(process.stdout, flags.color);
  await writeAnswer(WRITERS[flags.output](report, style));
  process.exitCode = exitOf(session, flags);
}

/** The ways from outside over load balancers, nodes, Ingress and Gateway; undefined where the source is nothing outside. */
function pathsFrom(engine: Engine, { from = "internet", to, port }: ReachFlags): ReachReport["paths"] {
  const source = engine.inventory.resolve(from);
  if (source.kind !== "endpoints" || !source.members.every((member) => member.kind === "outside")) return undefined;
  return engine.paths({ from, ...(to === undefined ? {} : { to }), ...(port === undefined ? {} : { port }) });
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
