/** What every lint rule starts from: the engine, its endpoints, and who is governed by what. */
import type { Diagnostic } from "../base/diagnostic.ts";
import { Cursor, Findings } from "../documents/cursor.ts";
import type { Document } from "../documents/document.ts";
import { ALL_ADDRESSES } from "../net/address.ts";
import type { Origin, Policy, Rule } from "../policy/rule.ts";
import { literalNames } from "../questions/diff.ts";
import { type Unit, unitsOf } from "../questions/network.ts";
import type { Endpoint } from "../reach/endpoint.ts";
import type { Engine } from "../reach/engine.ts";
import type { View } from "../reach/matching.ts";

/** One rule that a policy has, with its policy. */
export interface RuleOf {
  readonly policy: Policy;
  readonly rule: Rule;
}

/** Finds one kind of thing. */
export type LintRule = (context: LintContext) => Iterable<Diagnostic>;

export class LintContext {
  readonly engine: Engine;
  readonly documents: readonly Document[];
  readonly units: readonly Unit[];
  /** Whether Cilium reads the policies. */
  readonly isCilium: boolean;
  private selectedUnits: ReadonlyMap<Policy, readonly Unit[]> | undefined;
  private everyOther: readonly Endpoint[] | undefined;

  constructor(engine: Engine, documents: readonly Document[]) {
    this.engine = engine;
    this.documents = documents;
    this.units = unitsOf(engine);
    this.isCilium = engine.options.dialect.name.startsWith("cilium");
  }

  /** Every rule that somebody wrote. */
  *rules(): Iterable<RuleOf> {
    for (const policy of this.engine.policies.policies) {
      for (const rule of policy.rules) if (rule.origin.document !== undefined) yield { policy, rule };
    }
  }

  /** Policy objects of a kind, as the input writes them, under a cursor that reports to nobody. */
  *objects(kinds: readonly string[]): Iterable<Cursor> {
    const { dialect } = this.engine.options;
    for (const document of this.documents) {
      if (kinds.includes(document.kind) && dialect.enforces(document.apiVersion, document.kind)) {
        yield Cursor.of(document, new Findings());
      }
    }
  }

  viewOf(endpoint: Endpoint): View {
    return this.engine.connections.viewOf(endpoint);
  }

  /** The units that a policy certainly selects. */
  selected(policy: Policy): readonly Unit[] {
    if (this.selectedUnits === undefined) {
      const map = new Map<Policy, Unit[]>();
      for (const unit of this.units) {
        const subject = this.engine.connections.sides.subject(this.viewOf(unit.endpoint));
        for (const { policy: one, selects } of subject.selections) {
          if (selects !== "yes") continue;
          const list = map.get(one);
          if (list === undefined) map.set(one, [unit]);
          else list.push(unit);
        }
      }
      this.selectedUnits = map;
    }
    return this.selectedUnits.get(policy) ?? [];
  }

  /**
   * One end of every kind that rules can tell apart: a pod of each class, nodes, reserved ends, every piece of the
   * addresses outside, and the DNS names that rules name.
   */
  get others(): readonly Endpoint[] {
    this.everyOther ??= this.findOthers();
    return this.everyOther;
  }

  private findOthers(): readonly Endpoint[] {
    const { inventory, world } = this.engine;
    const byClass = new Map<number, Endpoint>();
    const add = (endpoint: Endpoint): void => {
      const { classId } = this.viewOf(endpoint);
      if (!byClass.has(classId)) byClass.set(classId, endpoint);
    };
    for (const unit of this.units) add(unit.endpoint);
    const named = ["host", "remote-node", "kube-apiserver", "health", "unmanaged", "init", "ingress-controller"];
    const members = [...named, ...literalNames(this.engine).map((name) => `fqdn:${name}`)].flatMap((name) => {
      const resolved = inventory.resolve(name);
      return resolved.kind === "endpoints" ? resolved.members : [];
    });
    const nodes = world.nodes.map((node) => inventory.node(node.name));
    // Nodes look different from their own pods and from others, so they are never taken as one.
    const apart = [...members, ...nodes].filter((end) => end.kind === "node");
    for (const end of members) if (end.kind !== "node") add(end);
    for (const end of inventory.outside(ALL_ADDRESSES)) add(end);
    return [...byClass.values(), ...apart];
  }
}

/** `CiliumNetworkPolicy default/service-a, ingress[0]`. */
export function ruleText(origin: Origin): string {
  return `${objectText(origin)}, ${origin.section}[${origin.index}]`;
}

export function objectText(object: {
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}): string {
  return `${object.kind} ${object.namespace === undefined ? "" : `${object.namespace}/`}${object.name}`;
}

export function placeOfRule(origin: Origin): ReturnType<Document["locate"]> | undefined {
  return origin.document?.locate(origin.path ?? []);
}

export function placeOfPolicy(policy: Policy): ReturnType<Document["locate"]> | undefined {
  return policy.document?.locate(policy.path.length > 1 ? policy.path : ["kind"], { key: true });
}

/** `a, b and 3 more`. */
export function few(names: readonly string[], most = 3): string {
  if (names.length <= most + 1) return names.join(", ");
  return `${names.slice(0, most).join(", ")} and ${names.length - most} more`;
}
