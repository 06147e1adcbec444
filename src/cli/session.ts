/** From what the user names to an engine that answers: the steps that every command shares. */
import { readFileSync } from "node:fs";
import { load } from "js-yaml";
import { type Diagnostic, hasErrors } from "../base/diagnostic.ts";
import type { Document, Source } from "../documents/document.ts";
import { loadInput } from "../files/input.ts";
import { readSources } from "../files/reading.ts";
import type { WorldOptions } from "../model/build.ts";
import { type Address, parseAddress } from "../net/address.ts";
import type { Dialect } from "../policy/dialect.ts";
import { chooseDialect } from "../policy/registry.ts";
import { Engine } from "../reach/engine.ts";
import { idlePolicies } from "../reach/idle-policies.ts";
import { routeFindings } from "../reach/route-findings.ts";
import { EXIT, inputFailure, SilentFailure } from "./exit.ts";
import { declared, type InputFlags } from "./options.ts";
import { printDiagnostics } from "./terminal.ts";

/** Input that has been read, with the engine over it. */
export interface Session {
  readonly engine: Engine;
  readonly dialect: Dialect;
  readonly documents: readonly Document[];
  /** Everything that was found, in the order of the steps. */
  readonly diagnostics: readonly Diagnostic[];
  /** Whether every object of the input counts in the answers. */
  readonly complete: boolean;
}

export interface SessionOptions extends InputFlags {
  readonly quiet?: true;
  /** Nodes of pods (`namespace/name`) that were moved in a lab. */
  readonly placement?: Readonly<Record<string, string>>;
  /** The names that a lab answers for, in lower case with trailing dot. */
  readonly resolutions?: ReadonlyMap<string, readonly Address[]>;
}

/**
 * Reads the input and opens the engine.
 *
 * Takes the paths besides `--filename`, and the flags. Prints what it finds to stderr. Returns the session; throws a
 * failure with exit code 2 where the input gives no answer.
 */
export function openSession(paths: readonly string[], flags: SessionOptions): Session {
  const input = loadInput([...paths, ...(flags.filename ?? [])], { recursive: flags.recursive ?? false });
  if (hasErrors(input.diagnostics)) {
    printDiagnostics(input.diagnostics, flags.quiet ?? false);
    throw new SilentFailure(EXIT.input);
  }
  return openSources(input.sources, flags, input.diagnostics);
}

/** As `openSession`, from sources that have been read. `before` was found while they were. */
export function openSources(
  sources: readonly Source[],
  flags: SessionOptions,
  before: readonly Diagnostic[] = [],
): Session {
  const read = readSources(sources);
  return openDocuments(read.documents, flags, [...before, ...read.diagnostics]);
}

/** As `openSession`, from objects that have been read. */
export function openDocuments(
  documents: readonly Document[],
  flags: SessionOptions,
  before: readonly Diagnostic[] = [],
): Session {
  const quiet = flags.quiet ?? false;
  const choice = chooseDialect(documents, flags.dialect, flags.namespace);
  if (choice.dialect === undefined) {
    printDiagnostics([...before, ...choice.diagnostics], quiet);
    throw new SilentFailure(EXIT.input);
  }
  const engine = openEngine(documents, choice.dialect, flags);
  const diagnostics = [...before, ...engine.diagnostics, ...idlePolicies(engine), ...routeFindings(engine)];
  printDiagnostics(diagnostics, quiet);
  const wrong = hasErrors(diagnostics);
  if (wrong && flags.asCluster !== true) throw new SilentFailure(EXIT.input);
  checkControllers(engine, flags);
  return { engine, dialect: choice.dialect, documents, diagnostics, complete: engine.complete && !wrong };
}

/** Refuses a declared controller that is nothing of the input. */
function checkControllers(engine: Engine, { ingressController = [] }: SessionOptions): void {
  for (const { endpoint } of ingressController) {
    const resolved = engine.inventory.resolve(endpoint);
    if (resolved.kind === "problem") throw inputFailure(`--ingress-controller: ${resolved.message}`);
    if (resolved.kind !== "endpoints")
      throw inputFailure(`--ingress-controller: ${endpoint} is no workload and no pod`);
  }
}

/** Opens an engine as the flags say. */
export function openEngine(documents: readonly Document[], dialect: Dialect, flags: SessionOptions): Engine {
  return Engine.open(documents, {
    dialect,
    world: worldOptions(flags),
    ...(flags.resolutions === undefined ? {} : { names: flags.resolutions }),
    ...(flags.names === undefined ? {} : { names: readNames(flags.names) }),
    ...(flags.ingressController === undefined ? {} : { ingressControllers: flags.ingressController }),
    ...(flags.asCluster === true ? { asCluster: true } : {}),
  });
}

/** What the flags declare of the world. */
export function worldOptions(flags: SessionOptions): WorldOptions {
  const podCIDRs = declared(flags.podCidr);
  const nodeCIDRs = declared(flags.nodeCidr);
  const serviceCIDRs = declared(flags.serviceCidr);
  return {
    ...(flags.namespace === undefined ? {} : { defaultNamespace: flags.namespace }),
    ...(flags.placement === undefined ? {} : { placement: new Map(Object.entries(flags.placement)) }),
    ...(podCIDRs === undefined ? {} : { podCIDRs }),
    ...(nodeCIDRs === undefined ? {} : { nodeCIDRs }),
    ...(serviceCIDRs === undefined ? {} : { serviceCIDRs }),
  };
}

/** The exit code of an answer: incomplete ones count as a finding where the user is strict. */
export function exitOf(session: Session, flags: SessionOptions): 0 | 1 {
  return flags.strict === true && !session.complete ? EXIT.found : EXIT.fine;
}

/** Reads the file of `--names`: a mapping from DNS names to one address or a list of them. */
export function readNames(path: string): ReadonlyMap<string, readonly Address[]> {
  let value: unknown;
  try {
    value = load(readFileSync(path, "utf8"));
  } catch (error) {
    throw inputFailure(`${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw inputFailure(`${path} must be a mapping from DNS names to addresses`);
  }
  const out = new Map<string, readonly Address[]>();
  for (const [name, addresses] of Object.entries(value)) {
    const list: readonly unknown[] = Array.isArray(addresses) ? addresses : [addresses];
    const parsed = list.map((text) => {
      const address = typeof text === "string" ? parseAddress(text) : undefined;
      if (address === undefined)
        throw inputFailure(`${path}: ${name} has ${JSON.stringify(text)}, which is no address`);
      return address;
    });
    out.set(`${name.toLowerCase().replace(/\.$/, "")}.`, parsed);
  }
  return out;
}
