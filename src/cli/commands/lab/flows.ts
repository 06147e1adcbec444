/** `bulkhead lab flows`: what went through the lab and what was dropped, in the shape of Hubble's flows. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { Flow, FlowEndpoint, FlowFilter, LabStatus } from "../../../lab/answers.ts";
import { labFlows, labStatus } from "../../../lab/client.ts";
import type { Style } from "../../../report/style.ts";
import { inputFailure } from "../../exit.ts";
import { type LabFlags, withLab } from "../../lab/lab-flags.ts";
import { styleFor, writeAnswer } from "../../terminal.ts";

interface FlowsFlags extends LabFlags {
  readonly verdict?: "FORWARDED" | "DROPPED";
  readonly from?: string;
  readonly to?: string;
  readonly since?: number;
  readonly follow?: true;
  readonly output: "compact" | "json";
  readonly color: boolean;
}

export function addFlows(lab: Command): void {
  const command = lab
    .command("flows")
    .description("connections and drops")
    .addHelpText(
      "after",
      `
Examples:
  bulkhead lab flows --since 1m
  bulkhead lab flows --from default/client-b --to default/ --follow`,
    );
  withLab(command)
    .addOption(new Option("--verdict <verdict>", "only these").choices(["FORWARDED", "DROPPED"]))
    .option("--from <pod>", "only from this pod, or from a namespace: default/")
    .option("--to <pod>", "only to this pod, or to a namespace: default/")
    .option("--since <time>", "only the last so many seconds, minutes or hours: 30s, 5m, 1h", parseSpan)
    .option("--follow", "go on with what happens, until Ctrl-C")
    .addOption(
      new Option("-o, --output <format>", "form of the answer").choices(["compact", "json"]).default("compact"),
    )
    .option("--no-color", "no colours (as with NO_COLOR)")
    .action(async () => run(command.opts<FlowsFlags>()));
}

async function run(flags: FlowsFlags): Promise<void> {
  const filter: FlowFilter = {
    ...(flags.verdict === undefined ? {} : { verdict: flags.verdict }),
    ...(flags.from === undefined ? {} : { from: flags.from }),
    ...(flags.to === undefined ? {} : { to: flags.to }),
    ...(flags.since === undefined ? {} : { sinceMs: flags.since }),
    ...(flags.follow === true ? { follow: true } : {}),
  };
  const status = await labStatus({ name: flags.name });
  for (const place of [flags.from, flags.to]) if (place !== undefined) checkPlace(place, status);
  const style = styleFor(process.stdout, flags.color);
  for await (const record of labFlows(filter, { name: flags.name })) {
    await writeAnswer([flags.output === "json" ? `${JSON.stringify(record)}\n` : `${compact(record.flow, style)}\n`]);
  }
}

/** Refuses what no flow can come from or go to. */
function checkPlace(place: string, { pods, nodes, ingress, dns }: LabStatus): void {
  const names = [...pods.map(({ name }) => name), ...(dns === null ? [] : [dns])];
  const others = ["internet", ...(ingress === null ? [] : ["ingress"]), ...nodes.map(({ name }) => `host@${name}`)];
  const known = place.endsWith("/")
    ? names.some((name) => name.startsWith(place))
    : [...names, ...others].includes(place);
  if (!known)
    throw inputFailure(
      `no flow is from or to ${place}`,
      "Write a pod as `bulkhead lab status` lists it, a namespace with a slash, internet, ingress or host@NODE.",
    );
}

const RESERVED = "reserved:";

function compact(flow: Flow, style: Style): string {
  const { TCP, UDP, SCTP } = flow.l4;
  const ports = TCP ?? UDP ?? SCTP;
  const end = (endpoint: FlowEndpoint, address: string, port: number | undefined): string => {
    const name = endpoint.pod_name === undefined ? address : `${endpoint.namespace ?? ""}/${endpoint.pod_name}`;
    // As Hubble: what is no pod by its name, such as `world`.
    const reserved = endpoint.labels.find((label) => label.startsWith(RESERVED))?.slice(RESERVED.length);
    return `${name}${port === undefined ? "" : `:${port}`} (${reserved ?? `ID:${endpoint.identity}`})`;
  };
  const verdict = style(flow.verdict === "DROPPED" ? "deny" : "allow", flow.verdict);
  const reason = flow.drop_reason_desc === undefined ? "" : ` ${flow.drop_reason_desc}`;
  const by = (
    flow.verdict === "DROPPED"
      ? [flow.egress_denied_by, flow.ingress_denied_by]
      : [flow.egress_allowed_by, flow.ingress_allowed_by]
  )
    .flatMap((list) => list ?? [])
    .map(({ kind, namespace, name }) => [kind, namespace, name].filter((part) => part !== undefined).join("/"));
  const policies = by.length === 0 ? "" : ` by ${[...new Set(by)].join(", ")}`;
  return `${flow.time} ${end(flow.source, flow.IP.source, ports?.source_port)} -> ${end(flow.destination, flow.IP.destination, ports?.destination_port)} ${verdict}${reason}${policies} (${flow.Summary})`;
}

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 };

function parseSpan(text: string): number {
  const [, number, unit] = /^([0-9]+)([smh])$/.exec(text) ?? [];
  const factor = UNITS[unit ?? ""];
  if (number === undefined || factor === undefined)
    throw new InvalidArgumentError("Write a time such as 30s, 5m or 1h.");
  return Number(number) * factor;
}
