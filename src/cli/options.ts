/** Flags that several commands share, and how their values are read. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { type AddressRange, type AddressSet, addressSet, parsePrefix, prefixRange } from "../net/address.ts";
import { PORT_PROTOCOLS, type PortProtocol, type Protocol, PROTOCOLS } from "../net/protocol.ts";
import { AWS, DIALECT_NAMES } from "../policy/registry.ts";
import type { DeclaredController } from "../reach/controllers.ts";

/** What `withInput` adds. */
export interface InputFlags {
  readonly filename?: readonly string[];
  readonly recursive?: true;
  readonly namespace?: string;
  readonly dialect?: string;
  readonly asCluster?: true;
  readonly strict?: true;
  readonly podCidr?: readonly AddressRange[];
  readonly nodeCidr?: readonly AddressRange[];
  readonly serviceCidr?: readonly AddressRange[];
  readonly names?: string;
  readonly ingressController?: readonly DeclaredController[];
}

/** What `withOutput` adds. */
export interface OutputFlags<Format extends string = string> {
  readonly output: Format;
  readonly quiet?: true;
  /** False with `--no-color`. */
  readonly color: boolean;
}

/** Collects the values of a flag that may be repeated. */
function collect<T>(parse: (text: string) => T): (text: string, previous: readonly T[] | undefined) => readonly T[] {
  return (text, previous) => [...(previous ?? []), parse(text)];
}

const asText = (text: string): string => text;

/** A prefix as a range. */
function parseCidr(text: string): AddressRange {
  const prefix = parsePrefix(text);
  if (prefix === undefined) throw new InvalidArgumentError("Write a prefix such as 10.0.0.0/8.");
  return prefixRange(prefix);
}

/** `ns/Kind/name` or a selector, for every class; `class=ns/name` for one. */
function parseController(text: string): DeclaredController {
  const [first = "", ...rest] = text.split("=");
  const named = rest.join("=");
  // A selector has its slash in a key, before the sign; the name of an endpoint has it behind.
  if (named.includes("/") && !first.includes("/")) return { className: first, endpoint: named };
  return { endpoint: text };
}

/** The flags that say what is read, and how. */
export function withInput(command: Command): Command {
  return withReading(
    command
      .option("-f, --filename <path>", "file, folder, or - for standard input; may be repeated", collect(asText))
      .option("-R, --recursive", "folders mean also the folders below them"),
  );
}

/** The flags that say how manifests are read. */
export function withReading(command: Command, strict = "exit 1 where the answer is not complete"): Command {
  return command
    .option("-n, --namespace <name>", "namespace of objects that name none (default: default)")
    .option(
      "--dialect <name>",
      `network that reads the policies: ${DIALECT_NAMES.join(", ")}; ${AWS} for a VPC (default: told by the input)`,
    )
    .option("--as-cluster", "treat invalid objects as a cluster would: leave them out, and mark the answer")
    .option("--strict", strict)
    .option("--pod-cidr <prefix>", "range of the pods' addresses; may be repeated", collect(parseCidr))
    .option("--node-cidr <prefix>", "range of the nodes' addresses; may be repeated", collect(parseCidr))
    .option("--service-cidr <prefix>", "range of the Services' addresses; may be repeated", collect(parseCidr))
    .option("--names <file>", "addresses to which DNS names resolve: a mapping of names to lists")
    .option(
      "--ingress-controller <endpoint>",
      "who serves Ingress and Gateway: a workload or a selector, or CLASS=ns/name for one class; may be repeated",
      collect(parseController),
    );
}

/** The flags that say how the answer is written. */
export function withOutput(command: Command, formats: readonly string[]): Command {
  return command
    .addOption(new Option("-o, --output <format>", "form of the answer").choices(formats).default("text"))
    .option("--quiet", "only errors beside the answer")
    .option("--no-color", "no colours (as with NO_COLOR)");
}

/** A declared set of ranges; absent where none was declared. */
export function declared(ranges: readonly AddressRange[] | undefined): AddressSet | undefined {
  return ranges === undefined ? undefined : addressSet(ranges);
}

export interface ProtocolPort {
  readonly protocol: Protocol;
  readonly port: number;
}

function protocolNamed(text: string): Protocol | undefined {
  return PROTOCOLS.find((protocol) => protocol.toLowerCase() === text.toLowerCase() && protocol !== "OTHER");
}

/** `80`, `80/TCP`, `8/ICMP` (a type), `VRRP`. */
export function parseProtocolPort(text: string): ProtocolPort {
  const [number = "", name = "TCP", more] = text.split("/");
  const bare = protocolNamed(number);
  if (bare !== undefined && !text.includes("/")) return { protocol: bare, port: 0 };
  const protocol = protocolNamed(name);
  if (protocol === undefined || more !== undefined) {
    throw new InvalidArgumentError(
      `Write a port and a protocol such as 80/TCP; protocols: ${PROTOCOLS.slice(0, -1).join(", ")}.`,
    );
  }
  const [first, last] = isPortProtocol(protocol) ? [1, 65535] : [0, 255];
  if (!/^[0-9]{1,5}$/.test(number) || Number(number) < first || Number(number) > last) {
    throw new InvalidArgumentError(`${protocol} takes a number from ${first} to ${last}.`);
  }
  return { protocol, port: Number(number) };
}

export function isPortProtocol(protocol: Protocol): protocol is PortProtocol {
  return PORT_PROTOCOLS.some((one) => one === protocol);
}

/** A port of a protocol that has ports. */
export function parsePort(text: string): { readonly protocol: PortProtocol; readonly port: number } {
  const { protocol, port } = parseProtocolPort(text);
  if (!isPortProtocol(protocol)) throw new InvalidArgumentError("Write a TCP, UDP or SCTP port such as 80/TCP.");
  return { protocol, port };
}
