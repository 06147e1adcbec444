/** The engine: documents in, answers out. One object serves a batch run, a watch and a server alike. */

import type { Diagnostic } from "../base/diagnostic.ts";
import type { Document } from "../documents/document.ts";
import { type Account, buildWorld, type WorldOptions } from "../model/build.ts";
import type { World } from "../model/world.ts";
import type { Address } from "../net/address.ts";
import type { Dialect } from "../policy/dialect.ts";
import type { Policy, PolicySet } from "../policy/rule.ts";
import { type Answer, type Question, Questions } from "./answer.ts";
import { Connections } from "./connection.ts";
import type { DeclaredController } from "./controllers.ts";
import { Hairpins } from "./hairpin.ts";
import { type Factored, factor } from "./factored.ts";
import { Inventory } from "./inventory.ts";
import { Legs } from "./leg.ts";
import { Matching } from "./matching.ts";
import { NorthSouth, type NorthSouthPath, type PathQuery } from "./north-south.ts";
import { type Reach, type ReachQuery, reach } from "./pairs.ts";
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

/** Objects that come, change or go. An object with the kind, namespace and name of another replaces it. */
export interface Change {
  readonly upsert?: readonly Document[];
  readonly remove?: readonly ObjectKey[];
}

export interface ObjectKey {
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}

/** What a change did. */
export interface Delta {
  readonly added: readonly ObjectKey[];
  readonly changed: readonly ObjectKey[];
  readonly removed: readonly ObjectKey[];
  readonly diagnostics: readonly Diagnostic[];
}

export class Engine {
  readonly options: EngineOptions;
  private documents: readonly Document[];
  private keyed: ReadonlyMap<string, Document> | undefined;
  private state: State;

  private constructor(documents: readonly Document[], options: EngineOptions) {
    this.options = options;
    this.documents = documents;
    this.state = this.build();
  }

  /** Takes the documents of the input and how to read them. Never throws on bad input: see `diagnostics`. */
  static open(documents: Iterable<Document>, options: EngineOptions): Engine {
    return new Engine([...documents], options);
  }

  /** Applies a change; the answers that follow are those of a fresh engine over the same objects. */
  apply(change: Change): Delta {
    const next = new Map(this.keyed ?? byKey(this.documents));
    const added: ObjectKey[] = [];
    const changed: ObjectKey[] = [];
    const removed: ObjectKey[] = [];
    for (const key of change.remove ?? []) {
      const text = keyText(key.kind, key.namespace, key.name);
      const old = next.get(text);
      if (old === undefined) continue;
      next.delete(text);
      removed.push(key);
    }
    for (const document of change.upsert ?? []) {
      const text = documentKey(document);
      const list = next.has(text) ? changed : added;
      next.set(text, document);
      list.push({
        kind: document.kind,
        name: document.name,
        ...(document.namespace === undefined ? {} : { namespace: document.namespace }),
      });
    }
    this.keyed = next;
    this.documents = [...next.values()];
    this.state = this.build();
    return { added, changed, removed, diagnostics: this.state.diagnostics };
  }

  private build(): State {
    const { dialect } = this.options;
    const { documents } = this;
    const built = buildWorld(documents, {
      ...this.options.world,
      policyKinds: (apiVersion, kind) => dialect.enforces(apiVersion, kind),
    });
    const { world } = built;
    const policies: Policy[] = [];
    const diagnostics: Diagnostic[] = [...built.diagnostics, ...(dialect.diagnose?.(world) ?? [])];
    const refused: string[] = [];
    const dropped = new Set(built.account.refused);
    for (const document of documents) {
      if (!dialect.enforces(document.apiVersion, document.kind) || dropped.has(document)) continue;
      const one = dialect.compile(document, world);
      diagnostics.push(...one.diagnostics);
      if (one.refused) refused.push(refusedName(document, world));
      else policies.push(...one.policies);
    }
    const set: PolicySet = { ...dialect.frame(world), policies, refused };
    const matching = new Matching(dialect, world, { declared: this.options.names });
    matching.internPods();
    const sides = new Sides(matching, set);
    const connections = new Connections(matching, sides, world);
    const inventory = new Inventory(world, set, this.options.ingressControllers, this.options.names);
    const services = new Services(world, inventory, set, this.options.names);
    const legs = new Legs(connections, new Hairpins(connections, set), world);
    const questions = new Questions(inventory, services, legs);
    const northSouth = new NorthSouth(world, inventory, services, legs);
    return {
      world,
      set,
      diagnostics,
      inventory,
      connections,
      services,
      legs,
      questions,
      northSouth,
      account: built.account,
    };
  }

  get world(): World {
    return this.state.world;
  }

  get policies(): PolicySet {
    return this.state.set;
  }

  get inventory(): Inventory {
    return this.state.inventory;
  }

  get connections(): Connections {
    return this.state.connections;
  }

  /** Everything found in the input, in its order. */
  get diagnostics(): readonly Diagnostic[] {
    return this.state.diagnostics;
  }

  /** What became of the documents. */
  get account(): Account {
    return this.state.account;
  }

  /** Objects that the API server or the agent refuses, as `Kind/ns/name`. */
  get refused(): readonly string[] {
    const objects = this.state.account.refused.map((d) => refusedName(d, this.state.world));
    return [...new Set([...objects, ...this.state.set.refused])];
  }

  /** Whether every policy object of the input counts in the answers. */
  get complete(): boolean {
    return this.state.set.refused.length === 0;
  }

  /** Verdict, hops and deciders for one question. Throws QuestionError where a name or port of it means nothing. */
  why(question: Question): Answer {
    return this.state.questions.ask(asProxySees(question, this.state.set));
  }

  /** The whole answer in factored form, by classes of endpoints. */
  solve(): Factored {
    return factor(this.state.inventory, this.state.connections);
  }

  /**
   * Every way from outside to pods that leads over a load balancer, a node, an Ingress or a Gateway, with each hop. The
   * direct way is `why`'s. Empty where the source is nothing outside.
   */
  paths(query: PathQuery): readonly NorthSouthPath[] {
    return this.state.northSouth.paths(query);
  }

  /** Who reaches whom. */
  reach(query: ReachQuery): Reach {
    const { inventory, connections, services, legs } = this.state;
    return reach(inventory, connections, services, legs, query);
  }
}

/** Answers kept for one state of the input. */
interface State {
  readonly world: World;
  readonly set: PolicySet;
  readonly diagnostics: readonly Diagnostic[];
  readonly inventory: Inventory;
  readonly connections: Connections;
  readonly services: Services;
  readonly legs: Legs;
  readonly questions: Questions;
  readonly northSouth: NorthSouth;
  readonly account: Account;
}

/** The question as the proxy at hand takes it: whether it normalises paths, and that a TLS handshake is no request. */
function asProxySees(question: Question, { pathsAsSent }: PolicySet): Question {
  const { application } = question;
  if (application === undefined) return question;
  const { http, tls } = application;
  if (http === undefined)
    return tls === undefined ? question : { ...question, application: { ...application, isNoRequest: true } };
  return pathsAsSent === true
    ? { ...question, application: { ...application, http: { ...http, pathAsSent: true } } }
    : question;
}

function keyText(kind: string, namespace: string | undefined, name: string): string {
  return namespace === undefined ? `${kind}/${name}` : `${kind}/${namespace}/${name}`;
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

function refusedName(document: Document, world: World): string {
  const namespace = CLUSTER_SCOPED.has(document.kind) ? undefined : (document.namespace ?? world.defaultNamespace);
  return keyText(document.kind, namespace, document.name);
}

function byKey(documents: readonly Document[]): ReadonlyMap<string, Document> {
  const keyed = new Map<string, Document>();
  let duplicate = 0;
  for (const document of documents) {
    const key = documentKey(document);
    // Duplicates are kept apart here: the world reports them with both places.
    keyed.set(keyed.has(key) ? `${key}#${++duplicate}` : key, document);
  }
  return keyed;
}

function documentKey(document: Document): string {
  return keyText(document.kind, document.namespace, document.name);
}
