/** `bulkhead why`: one question, its answer, and everything that led to it. */
import { type Command, InvalidArgumentError } from "commander";
import { normaliseRequest, type Request } from "../../net/http-request.ts";
import type { Endpoint } from "../../reach/endpoint.ts";
import type { Engine } from "../../reach/engine.ts";
import type { Question } from "../../reach/answer.ts";
import type { Style } from "../../report/style.ts";
import { whyJson } from "../../report/why-json.ts";
import type { WhyReport } from "../../report/why-report.ts";
import { whyText } from "../../report/why-text.ts";
import { type VpcWhyReport, vpcWhyJson, vpcWhyText } from "../../report/vpc-why.ts";
import type { VpcEngine, VpcQuestion } from "../../vpc/engine.ts";
import { EXIT, inputFailure, SilentFailure } from "../exit.ts";
import { type LabFlags, openRunning, withLab } from "../lab/lab-flags.ts";
import {
  type InputFlags,
  isPortProtocol,
  type OutputFlags,
  parseProtocolPort,
  type ProtocolPort,
  withInput,
  withOutput,
} from "../options.ts";
import { exitOf } from "../session.ts";
import { printDiagnostics, styleFor, writeAnswer } from "../terminal.ts";
import { openSides, type Sides, type VpcSession } from "../vpc/vpc-input.ts";
import { hasErrors } from "../../base/diagnostic.ts";
import { loadInput } from "../../files/input.ts";

const WRITERS = {
  text: whyText,
  json: whyJson,
} as const satisfies Record<string, (report: WhyReport, style: Style) => Iterable<string>>;

interface AskedRequest {
  readonly text: string;
  readonly request: Request;
}

type Header = readonly [name: string, value: string];

interface WhyFlags extends InputFlags, LabFlags, OutputFlags<keyof typeof WRITERS> {
  readonly port?: ProtocolPort;
  readonly http?: AskedRequest;
  readonly header?: readonly Header[];
  /** The server name. */
  readonly tls?: string;
  readonly via?: string;
}

export function addWhy(program: Command): void {
  const command = program
    .command("why")
    .description("may FROM talk to TO, and which rule says so; of files, else of a running lab")
    .argument("<from>", "endpoint, such as default/client-a")
    .argument("<to>", "endpoint or Service, such as default/service-a");
  withLab(withOutput(withInput(command), Object.keys(WRITERS)))
    .option(
      "--port <port>",
      "port and protocol, such as 80/TCP or 8/ICMP; needed unless TO has one port",
      parseProtocolPort,
    )
    .option("--via <load balancer>", "of a VPC: over this load balancer; --port is its listener's")
    .option("--http <request>", 'a request, such as "GET /x" or "GET a.example.com/x"', parseRequest)
    .option("--header <header>", 'a header of the request, such as "X-Env: prod"; repeatable', collectHeader)
    .option("--tls <name>", "a TLS handshake for this server name")
    .addHelpText(
      "after",
      `
Examples:
  bulkhead why default/client-b default/service-a -f examples/two-applications
  bulkhead why internet aws_instance.app_a --via aws_lb.a --port 443 -f plan.json
  bulkhead why internet default/service-a --port 80/TCP --http "GET /" -f examples/two-applications
  bulkhead why default/client-a fqdn:api.example.com --port 443/TCP --tls api.example.com -f examples/two-applications`,
    )
    .action(async (from: string, to: string) => run(from, to, command.opts<WhyFlags>()));
}

async function run(from: string, to: string, flags: WhyFlags): Promise<void> {
  const opened = flags.filename === undefined ? { cluster: (await openRunning(flags.name)).session } : sides(flags);
  if (opened.vpc !== undefined && (opened.cluster === undefined || isAboutVpc(opened.vpc, [from, to], flags)))
    return await askVpc(opened.vpc, from, to, flags);
  if (flags.via !== undefined)
    throw inputFailure(
      "--via names a load balancer of a VPC",
      "Ask of a plan, a template or a folder of describe answers.",
    );
  const session = opened.cluster;
  if (session === undefined) throw new Error("an input speaks of a cluster or of a VPC");
  const { protocol, port } = flags.port ?? onlyPort(session.engine, to);
  const question: Question = {
    from,
    to,
    protocol,
    ...(port === 0 && !isPortProtocol(protocol) ? {} : { port }),
    ...applicationOf(flags),
  };
  const paths = pathsFrom(session.engine, question);
  const report: WhyReport = {
    dialect: session.dialect.name,
    complete: session.complete,
    question,
    ...(flags.http === undefined ? {} : { http: askedText(flags.http, flags.header) }),
    answer: session.engine.why(question),
    ...(paths === undefined ? {} : { paths }),
    diagnostics: session.diagnostics,
  };
  await writeAnswer(WRITERS[flags.output](report, styleFor(process.stdout, flags.color)));
  process.exitCode = exitOf(session, flags);
}

/** What is asked above the port. */
function applicationOf({ http, header = [], tls }: WhyFlags): Pick<Question, "application"> {
  if (header.length > 0 && http === undefined)
    throw inputFailure("--header is a header of a request", 'Say which request with --http, such as --http "GET /x".');
  if (http === undefined && tls === undefined) return {};
  return {
    application: {
      ...(http === undefined ? {} : { http: { ...http.request, headers: joined(header) } }),
      ...(tls === undefined ? {} : { tls: { serverName: tls } }),
    },
  };
}

/** By name in lower case; what is sent twice is joined, as the proxy does. */
function joined(headers: readonly Header[]): ReadonlyMap<string, string> {
  const out = new Map<string, string>();
  for (const [name, value] of headers) {
    const earlier = out.get(name.toLowerCase());
    out.set(name.toLowerCase(), earlier === undefined ? value : `${earlier},${value}`);
  }
  return out;
}

function askedText({ text }: AskedRequest, headers: readonly Header[] = []): string {
  return [text, ...headers.map(([name, value]) => `${name}: ${value}`)].join(", ");
}

/** `X-Env: prod`. */
function collectHeader(text: string, earlier: readonly Header[] = []): readonly Header[] {
  const parts = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):\s*(.*)$/.exec(text);
  if (parts === null) throw new InvalidArgumentError('Write a name and a value, such as "X-Env: prod".');
  return [...earlier, [parts[1] ?? "", (parts[2] ?? "").trim()]];
}

function sides(flags: WhyFlags): Sides {
  const input = loadInput(flags.filename ?? [], { recursive: flags.recursive ?? false });
  if (hasErrors(input.diagnostics)) {
    printDiagnostics(input.diagnostics, flags.quiet ?? false);
    throw new SilentFailure(EXIT.input);
  }
  return openSides(input.sources, flags, input.diagnostics);
}

/** Of a cluster and a VPC in one input, which a question means: by the ends that stand in the VPC. */
function isAboutVpc({ engine }: VpcSession, ends: readonly string[], flags: WhyFlags): boolean {
  const inside = ends.filter((name) => engine.inventory.owner(name) !== undefined);
  const placed = ends.filter((name) => !/^(internet$|ip:|cidr:)|^[0-9a-f.:]+(\/\d+)?$/.test(name));
  if (flags.via === undefined && inside.length === 0) return false;
  const other = placed.find((name) => !inside.includes(name) && engine.inventory.resolve(name).kind === "problem");
  if (other !== undefined)
    throw inputFailure(
      `${inside[0] ?? ""} stands in the VPC and ${other} does not`,
      "The way between a VPC and a cluster is not followed; ask about each of them.",
    );
  return true;
}

/** The same question of a VPC. */
async function askVpc(session: VpcSession, from: string, to: string, flags: WhyFlags): Promise<void> {
  const { engine } = session;
  if (flags.tls !== undefined) throw inputFailure("nothing of a VPC asks for a server name", "Leave --tls out.");
  const { protocol, port } = flags.port ?? onlyVpcPort(engine, flags.via ?? to);
  const http = applicationOf(flags).application?.http;
  const question: VpcQuestion = {
    from,
    to,
    protocol,
    port,
    ...(flags.via === undefined ? {} : { via: flags.via }),
    ...(http === undefined ? {} : { http }),
  };
  const report: VpcWhyReport = {
    question,
    ...(flags.http === undefined ? {} : { http: askedText(flags.http, flags.header) }),
    answer: engine.why(question),
    network: engine.network,
    complete: session.complete,
    diagnostics: session.diagnostics,
  };
  const write = flags.output === "json" ? vpcWhyJson : vpcWhyText;
  await writeAnswer(write(report, styleFor(process.stdout, flags.color)));
}

/** The only port on which a load balancer listens. */
function onlyVpcPort(engine: VpcEngine, to: string): ProtocolPort {
  const owner = engine.inventory.owner(to);
  const listeners = owner === undefined ? [] : (engine.network.balancers.get(owner.name)?.listeners ?? []);
  const [only, other] = listeners;
  if (only !== undefined && other === undefined)
    return { protocol: only.protocol === "UDP" ? "UDP" : "TCP", port: only.port };
  throw inputFailure(`${to} tells no one port`, "Say which with --port, such as --port 443/TCP.");
}

/** The ways from outside that are not direct; undefined where the source is nothing outside. */
function pathsFrom(engine: Engine, { from, to, protocol, port, application }: Question): WhyReport["paths"] {
  const source = engine.inventory.resolve(from);
  if (source.kind !== "endpoints" || !source.members.every((member) => member.kind === "outside")) return undefined;
  const target = engine.inventory.resolve(to);
  const inside =
    target.kind === "service" ||
    (target.kind === "endpoints" && target.members.some((member) => member.kind === "pod" || isHostPod(member)));
  if (!inside || port === undefined || !isPortProtocol(protocol)) return undefined;
  return engine.paths({ from, to, port: { protocol, port }, ...(application === undefined ? {} : { application }) });
}

/** A pod on its node's network goes by its own name, a node by `host@NAME`. */
function isHostPod({ kind, name }: Endpoint): boolean {
  return kind === "node" && name.includes("/");
}

/** `GET /x`, or with a host `GET a.example.com/x`, as a proxy would see it. */
function parseRequest(text: string): AskedRequest {
  const [method = "", target, more] = text.trim().split(/\s+/);
  if (target === undefined || more !== undefined)
    throw new InvalidArgumentError('Write a method and a path such as "GET /x", or "GET a.example.com/x".');
  const named = /^(?:https?:\/\/)?([^/?]+)(.*)$/.exec(target);
  const host = target.startsWith("/") ? undefined : named?.[1];
  const rest = named?.[2] ?? "";
  const path = host === undefined ? target : rest.startsWith("/") ? rest : `/${rest}`;
  const request = normaliseRequest({ method, path, ...(host === undefined ? {} : { host }), headers: new Map() });
  if (request === undefined) throw new InvalidArgumentError("No proxy takes such a request.");
  return { text: `${request.method} ${request.host ?? ""}${request.path}`, request };
}

/** The port that is meant where the user names none: the only one that the target declares. */
function onlyPort(engine: Engine, to: string): ProtocolPort {
  const resolved = engine.inventory.resolve(to);
  if (resolved.kind === "problem") throw inputFailure(resolved.message);
  const ports: readonly ProtocolPort[] =
    resolved.kind === "service"
      ? resolved.service.ports
      : "members" in resolved
        ? resolved.members.flatMap((member) => (member.kind === "pod" ? member.workload.ports : []))
        : [];
  const distinct = new Map(ports.map(({ protocol, port }) => [`${port}/${protocol}`, { protocol, port }]));
  const [only] = distinct.values();
  if (only === undefined) throw inputFailure(`${to} declares no port`, "Say which with --port, such as --port 80/TCP.");
  if (distinct.size > 1)
    throw inputFailure(`${to} has several ports: ${[...distinct.keys()].join(", ")}`, "Say which with --port.");
  return only;
}
