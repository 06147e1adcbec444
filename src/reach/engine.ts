/** The engine: documents in, answers out. One object serves a batch run, a watch and a server alike. */

import type { Diagnostic } from "../base/diagnostic.ts";
import type { Document } from "../documents/document.ts";
import type { Account } from "../model/build.ts";
import type { World } from "../model/world.ts";
import type { PolicySet } from "../policy/rule.ts";
import type { Answer, Question } from "./answer.ts";
import type { Connections } from "./connection.ts";
import { type EngineOptions, followState, openState, refusedName, type State, type Step } from "./engine-state.ts";
import { type Factored, factor } from "./factored.ts";
import type { Inventory } from "./inventory.ts";
import type { NorthSouthPath } from "./north-south-path.ts";
import type { PathQuery } from "./north-south.ts";
import { type ObjectKey, ObjectTable } from "./object-table.ts";
import { reach } from "./pairs.ts";
import type { Reach, ReachQuery } from "./reach.ts";

export type { EngineOptions } from "./engine-state.ts";
export type { ObjectKey } from "./object-table.ts";

/** Objects that come, change or go. An object with the kind, namespace and name of another replaces it. */
export interface Change {
  readonly upsert?: readonly Document[];
  readonly remove?: readonly ObjectKey[];
}

/** What a change did. */
export interface Delta {
  readonly added: readonly ObjectKey[];
  readonly changed: readonly ObjectKey[];
  readonly removed: readonly ObjectKey[];
  /** Everything found in the input, in its order; to be read before the next change. */
  readonly diagnostics: readonly Diagnostic[];
}

export class Engine {
  readonly options: EngineOptions;
  private documents: readonly Document[];
  /** Made with the first change. */
  private keyed: ObjectTable | undefined;
  private state: State;

  private constructor(documents: readonly Document[], options: EngineOptions) {
    this.options = options;
    this.documents = documents;
    this.state = openState(documents, options);
  }

  /** Takes the documents of the input and how to read them. Never throws on bad input: see `diagnostics`. */
  static open(documents: Iterable<Document>, options: EngineOptions): Engine {
    return new Engine([...documents], options);
  }

  /**
   * Applies a change; the answers that follow are those of a fresh engine over the same objects. Changes of pods, of
   * policies and of labels of namespaces cost what they touch, others as much as opening. What was read lazily from
   * answers before, such as pairs, must have been read by then.
   */
  apply(change: Change): Delta {
    const keyed = this.keyed ?? new ObjectTable(this.documents);
    this.keyed = keyed;
    const added: ObjectKey[] = [];
    const changed: ObjectKey[] = [];
    const removed: ObjectKey[] = [];
    const steps: Step[] = [];
    for (const key of change.remove ?? []) {
      const before = keyed.remove(key);
      if (before === undefined) continue;
      steps.push({ before });
      removed.push(key);
    }
    for (const document of change.upsert ?? []) {
      const before = keyed.put(document);
      steps.push(before === undefined ? { after: document } : { before, after: document });
      (before === undefined ? added : changed).push({
        kind: document.kind,
        name: document.name,
        ...(document.namespace === undefined ? {} : { namespace: document.namespace }),
      });
    }
    const isAlone = steps.every(({ after }) => after === undefined || keyed.isAlone(after, this.state.parts.world));
    const next = isAlone ? followState(this.state, steps, this.options) : undefined;
    if (next === undefined) {
      this.documents = keyed.documents;
      this.state = openState(this.documents, this.options);
    } else this.state = next;
    const { state } = this;
    return {
      added,
      changed,
      removed,
      get diagnostics() {
        return state.diagnostics;
      },
    };
  }

  get world(): World {
    return this.state.parts.world;
  }

  get policies(): PolicySet {
    return this.state.policies;
  }

  get inventory(): Inventory {
    return this.state.parts.inventory;
  }

  get connections(): Connections {
    return this.state.parts.connections;
  }

  /** Everything found in the input, in its order. */
  get diagnostics(): readonly Diagnostic[] {
    return this.state.diagnostics;
  }

  /** What became of the documents. */
  get account(): Account {
    return this.state.parts.account;
  }

  /** Objects that the API server or the agent refuses, as `Kind/ns/name`. */
  get refused(): readonly string[] {
    const objects = this.state.parts.account.refused.map((d) => refusedName(d, this.state.parts.world));
    return [...new Set([...objects, ...this.state.parts.set.refused])];
  }

  /** Whether every policy object of the input counts in the answers. */
  get complete(): boolean {
    return this.state.parts.set.refused.length === 0;
  }

  /** Verdict, hops and deciders for one question. Throws QuestionError where a name or port of it means nothing. */
  why(question: Question): Answer {
    return this.state.questions.ask(asProxySees(question, this.state.parts.set));
  }

  /** The whole answer in factored form, by classes of endpoints. */
  solve(): Factored {
    return factor(this.state.parts.inventory, this.state.parts.connections);
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
    const { services, legs } = this.state;
    const { inventory, connections } = this.state.parts;
    return reach(inventory, connections, services, legs, query);
  }
}

/**
 * The question as the proxy at hand takes it: whether it normalises paths, that a TLS handshake is no request, and that a
 * request of which no handshake is told sends no server name.
 */
function asProxySees(question: Question, { pathsAsSent }: PolicySet): Question {
  const { application } = question;
  if (application === undefined) return question;
  const { http, tls } = application;
  return {
    ...question,
    application: {
      ...application,
      ...(http === undefined || pathsAsSent !== true ? {} : { http: { ...http, pathAsSent: true as const } }),
      ...(tls !== undefined ? { isNoRequest: true as const } : http === undefined ? {} : { tls: {} }),
    },
  };
}
