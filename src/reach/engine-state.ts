/** What an engine knows of one state of the input, and how the next state follows from it. */
import type { Diagnostic } from "../base/diagnostic.ts";
import type { Document } from "../documents/document.ts";
import { type Account, buildWorld, type WorldOptions } from "../model/build.ts";
import { isClusterPolicy } from "../model/kinds.ts";
import type { LiveWorld } from "../model/live-world.ts";
import { workloadsOf } from "../model/world-index.ts";
import type { Workload, World } from "../model/world.ts";
import type { Address } from "../net/address.ts";
import type { Dialect, Frame } from "../policy/dialect.ts";
import type { Policy, PolicySet } from "../policy/rule.ts";
import { Questions } from "./answer.ts";
import { Connections } from "./connection.ts";
import type { DeclaredController } from "./controllers.ts";
import { Hairpins } from "./hairpin.ts";
import { Inventory } from "./inventory.ts";
import { Legs } from "./leg.ts";
import { Matching } from "./matching.ts";
import { NorthSouth } from "./north-south.ts";
import { keyText } from "./object-table.ts";
import { PolicyTable } from "./policy-table.ts";
import { Services } from "./services.ts";
import { Sides } from "./side.ts";

export interface EngineOptions {
  readonly dialect: Dialect;
  readonly world?: WorldOptions;
  /** Declared resolutions of DNS names: lower-case with trailing dot → addresses. */
  readonly names?: ReadonlyMap<string, readonly Address[]>;
  /** Which pods serve Ingress and Gateway objects, where the input does not show it. */
  readonly ingressControllers?: readonly DeclaredController[];
  /** Treat refused objects as the API server or agent would: leave them out and answer all the same. */
  readonly asCluster?: boolean;
}

/** One object that comes, goes, or takes the place of another. */
export interface Step {
  readonly before?: Document;
  readonly after?: Document;
}

/** What one state of the input has and the next may take over. */
interface Parts {
  readonly live: LiveWorld;
  readonly world: World;
  /** Counts the worlds, so that nothing has to hold one that is past. */
  readonly revision: number;
  readonly table: PolicyTable;
  readonly frame: Frame;
  readonly set: PolicySet;
  readonly account: Account;
  readonly matching: Matching;
  readonly sides: Sides;
  readonly connections: Connections;
  readonly inventory: Inventory;
}

export class State {
  readonly parts: Parts;
  private readonly options: EngineOptions;
  private found: readonly Diagnostic[] | undefined;
  private asked: { readonly services: Services; readonly legs: Legs; readonly questions: Questions } | undefined;
  private outer: NorthSouth | undefined;
  private given: PolicySet | undefined;

  constructor(parts: Parts, options: EngineOptions) {
    this.parts = parts;
    this.options = options;
  }

  /** Everything found in the input, in its order. */
  get diagnostics(): readonly Diagnostic[] {
    this.found ??= this.gather();
    return this.found;
  }

  private gather(): readonly Diagnostic[] {
    const { live, world, revision, table } = this.parts;
    const { dialect } = this.options;
    const ofPolicies = [...table.all].flatMap(({ document, result, revision: own }) =>
      // What a block of addresses covers hangs on the pods that are there now.
      own !== revision && result.policies.some(hasAddresses)
        ? dialect.compile(document, world).diagnostics
        : result.diagnostics,
    );
    return [...live.diagnosticsOf(world), ...(dialect.diagnose?.(world) ?? []), ...ofPolicies];
  }

  /** The policies of this state, whatever changes later. */
  get policies(): PolicySet {
    this.given ??= { ...this.parts.set };
    return this.given;
  }

  get services(): Services {
    return this.answers().services;
  }

  get legs(): Legs {
    return this.answers().legs;
  }

  get questions(): Questions {
    return this.answers().questions;
  }

  get northSouth(): NorthSouth {
    const { world, inventory } = this.parts;
    this.outer ??= new NorthSouth(world, inventory, this.services, this.legs);
    return this.outer;
  }

  private answers(): NonNullable<typeof this.asked> {
    if (this.asked !== undefined) return this.asked;
    const { world, inventory, set, connections } = this.parts;
    const services = new Services(world, inventory, set, this.options.names);
    const legs = new Legs(connections, new Hairpins(connections, set), world);
    this.asked = { services, legs, questions: new Questions(inventory, services, legs) };
    return this.asked;
  }
}

function hasAddresses({ rules }: Policy): boolean {
  return rules.some(({ peers }) => peers.some(({ kind }) => kind === "addresses"));
}

/** Reads the documents from the first to the last. */
export function openState(documents: readonly Document[], options: EngineOptions): State {
  const { dialect } = options;
  const { world, live, account } = buildWorld(documents, {
    ...options.world,
    policyKinds: (apiVersion, kind) => dialect.enforces(apiVersion, kind),
  });
  const dropped = new Set(account.refused);
  const revision = 0;
  const compiled = documents
    .filter((document) => dialect.enforces(document.apiVersion, document.kind) && !dropped.has(document))
    .map((document) => ({ document, revision, result: dialect.compile(document, world) }));
  const table = new PolicyTable(compiled);
  const frame = dialect.frame(world);
  const set = policySet(frame, table, refusedOf(table, world));
  const matching = new Matching(dialect, world, { declared: options.names });
  matching.internPods();
  const sides = new Sides(matching, set);
  const connections = new Connections(matching, sides, world);
  const inventory = new Inventory(world, set, options.ingressControllers, options.names);
  return new State(
    { live, world, revision, table, frame, set, account, matching, sides, connections, inventory },
    options,
  );
}

/** The policies of the table as they now are, listed when somebody asks. */
function policySet(frame: Frame, table: PolicyTable, refused: readonly string[]): PolicySet {
  let policies: readonly Policy[] | undefined;
  return {
    ...frame,
    get policies() {
      policies ??= table.policies;
      return policies;
    },
    refused,
  };
}

function refusedOf(table: PolicyTable, world: World): readonly string[] {
  return table.refused.map((document) => refusedName(document, world));
}

/**
 * The state that follows from another by single changes of pods, policies and namespaces.
 *
 * Takes the state, of which nothing but its world may be asked any more, the steps, and the options. Returns the next
 * state; `undefined` where a step touches more than can be followed, so that the documents must be read anew.
 */
export function followState(state: State, steps: readonly Step[], options: EngineOptions): State | undefined {
  let next: State | undefined = state;
  for (const step of steps) {
    if (next === undefined) return undefined;
    next = followStep(next, step, options);
  }
  return next;
}

function followStep(state: State, step: Step, options: EngineOptions): State | undefined {
  const { before, after } = step;
  const documents = [before, after].filter((document) => document !== undefined);
  const isEvery = (kind: string): boolean => documents.every((document) => document.kind === kind);
  if (documents.every(({ apiVersion, kind }) => options.dialect.enforces(apiVersion, kind)))
    return followPolicy(state, step, options);
  const { live } = state.parts;
  if (isEvery("Pod")) return live.replacePod(before, after) ? followPods(state, step, options, []) : undefined;
  if (before === undefined || after === undefined || !isEvery("Namespace")) return undefined;
  return live.replaceNamespace(before, after) ? followPods(state, step, options, [after.name]) : undefined;
}

function followPods(
  state: State,
  step: Step,
  options: EngineOptions,
  relabelled: readonly string[],
): State | undefined {
  const { parts } = state;
  const { world } = parts.live;
  // A number that a name has anywhere in the cluster concerns every end.
  if (parts.sides.byClusterPort) {
    const names = new Set([step.before, step.after].flatMap((document) => document?.namespace ?? []));
    for (const name of names) if (portsIn(parts.world, name) !== portsIn(world, name)) return undefined;
  }
  parts.matching.follow(world, relabelled);
  const inventory = new Inventory(world, parts.set, options.ingressControllers, options.names, parts.inventory);
  return new State(
    { ...parts, world, revision: parts.revision + 1, inventory, account: accountAfter(parts.account, step) },
    options,
  );
}

/** Every port name of a namespace with its numbers. */
function portsIn(world: World, namespace: string): string {
  const texts = workloadsOf(world, namespace).flatMap(portsOf);
  return [...new Set(texts)].sort().join();
}

function portsOf(workload: Workload): readonly string[] {
  const traits = [workload, ...workload.pods.flatMap((pod) => pod.differs ?? [])];
  return traits.flatMap(({ ports, initPorts }) => [
    ...ports.map((port) => `${port.name ?? ""}/${port.protocol}/${port.port}${port.sidecar === true ? "?" : ""}`),
    ...initPorts.map((port) => `${port.name ?? ""}/${port.protocol}/${port.port}?`),
  ]);
}

function followPolicy(state: State, step: Step, options: EngineOptions): State | undefined {
  const { before, after } = step;
  const { parts } = state;
  const { world, revision } = parts;
  const { dialect } = options;
  // An object without a namespace, or in one that the input does not have, may change more than its rules.
  for (const document of [before, after]) {
    if (document === undefined || isClusterPolicy(document.kind)) continue;
    if (document.namespace === undefined || world.namespaces.get(document.namespace)?.declared !== true)
      return undefined;
  }
  const compiled =
    after === undefined ? undefined : { document: after, revision, result: dialect.compile(after, world) };
  const replacement = parts.table.replace(before, compiled);
  if (replacement === undefined) return undefined;
  const refused = replacement.isRefused ? refusedOf(parts.table, world) : parts.set.refused;
  const set = policySet(parts.frame, parts.table, refused);
  if (!parts.sides.follow(set, replacement)) return undefined;
  parts.connections.learning.forget();
  const inventory = new Inventory(world, set, options.ingressControllers, options.names, parts.inventory);
  return new State({ ...parts, set, inventory, account: accountAfter(parts.account, step) }, options);
}

function accountAfter(account: Account, { before, after }: Step): Account {
  const more = (after === undefined ? 0 : 1) - (before === undefined ? 0 : 1);
  return more === 0 ? account : { ...account, understood: account.understood + more };
}

/** Policies and other objects that stand in no namespace. */
const CLUSTER_SCOPED = new Set([
  "AdminNetworkPolicy",
  "BaselineAdminNetworkPolicy",
  "CiliumCIDRGroup",
  "CiliumClusterwideNetworkPolicy",
  "ClusterNetworkPolicy",
  "GatewayClass",
  "IngressClass",
  "Namespace",
  "Node",
]);

export function refusedName(document: Document, world: World): string {
  const namespace = CLUSTER_SCOPED.has(document.kind) ? undefined : (document.namespace ?? world.defaultNamespace);
  return keyText(document.kind, namespace, document.name);
}
