/**
 * What an attribute that is known only after apply refers to (aws-vpc.md TF-4 to TF-7): the plan's `configuration` tells
 * of each block which other resources its expressions name.
 */

import { entries, field, isObject, list, number, text, texts } from "../json.ts";

/** One instance of a resource, managed or read. */
export interface Instance {
  /** Full address, with modules and index. */
  readonly address: string;
  readonly type: string;
  readonly name: string;
  readonly isData: boolean;
  /** Address of its module, `""` for the root. */
  readonly module: string;
  /** `"a"` or `0` as the address writes it; undefined without count and for_each. */
  readonly index: string | undefined;
  readonly values: unknown;
  /** The resource as the plan writes it. */
  readonly written: unknown;
  /** Mirrors the values with true where they are not known. */
  readonly unknowns: unknown;
  /** The block in the configuration; undefined where there is none (a state). */
  readonly expressions: unknown;
  readonly isDeleted: boolean;
}

/** An instance that an expression names, and which attribute of it. */
export interface Referred {
  readonly instance: Instance;
  readonly attribute: string;
}

export type Resolution =
  /** All of these, in the order of the text. `inferred`: by the key of a whole resource (aws-vpc.md TF-7.3). */
  | {
      readonly kind: "exact";
      readonly referred: readonly Referred[];
      readonly literals: readonly unknown[];
      readonly inferred: boolean;
    }
  /** One of these. */
  | { readonly kind: "candidates"; readonly referred: readonly Referred[] }
  | { readonly kind: "unknown"; readonly detail: string };

interface Scope {
  /** Module address with indices, `""` for the root. */
  readonly module: string;
  /** Configuration of the module. */
  readonly configuration: unknown;
  readonly parent: Scope | undefined;
  /** Name of the call in the parent. */
  readonly call: string;
}

export class Plan {
  readonly instances: readonly Instance[];
  /** Instances that are there after apply, by address. */
  readonly byAddress = new Map<string, Instance>();
  private readonly byType = new Map<string, Instance[]>();
  /** Instances of one block: `module|type.name`. */
  private readonly byBlock = new Map<string, Instance[]>();
  private readonly byId = new Map<string, Instance>();
  private readonly root: Scope;
  private readonly variables: unknown;

  constructor(plan: unknown) {
    this.variables = field(plan, "variables");
    this.root = { module: "", configuration: field(plan, "configuration", "root_module"), parent: undefined, call: "" };
    const changes = new Map<string, unknown>();
    for (const change of list(field(plan, "resource_changes"))) {
      const address = text(field(change, "address"));
      if (address !== undefined) changes.set(address, field(change, "change"));
    }
    const planned = field(plan, "planned_values", "root_module") ?? field(plan, "values", "root_module");
    const resources = [...resourcesOf(planned, "")];
    for (const one of resourcesOf(field(plan, "prior_state", "values", "root_module"), "")) {
      if (field(one.resource, "mode") === "data") resources.push(one);
    }
    const instances: Instance[] = [];
    for (const { resource, module } of resources) {
      const address = text(field(resource, "address"));
      const type = text(field(resource, "type"));
      const name = text(field(resource, "name"));
      if (address === undefined || type === undefined || name === undefined) continue;
      const change = changes.get(address);
      const actions = texts(field(change, "actions"));
      const scope = this.scope(module);
      const after = field(change, "after");
      const instance: Instance = {
        address,
        type,
        name,
        isData: field(resource, "mode") === "data",
        module,
        index: /(\[[^\]]*\])$/.exec(address)?.[1]?.slice(1, -1),
        values: merged(field(resource, "values"), after),
        written: resource,
        unknowns: field(change, "after_unknown"),
        expressions: scope === undefined ? undefined : expressionsOf(scope.configuration, type, name),
        isDeleted: actions.length === 1 && actions[0] === "delete",
      };
      instances.push(instance);
      if (instance.isDeleted) continue;
      this.byAddress.set(address, instance);
      const block = `${module}|${instance.isData ? "data." : ""}${type}.${name}`;
      append(this.byBlock, block, instance);
      if (!instance.isData) append(this.byType, type, instance);
      // Ids of resources that are replaced are those of what goes away (TF-3).
      if (!actions.includes("create")) {
        for (const key of ["id", "arn"]) {
          const id = text(field(instance.values, key));
          if (id !== undefined && !this.byId.has(`${type} ${id}`)) this.byId.set(`${type} ${id}`, instance);
        }
      }
    }
    this.instances = instances;
  }

  /** Managed instances of the types, each type in the order of the plan. */
  ofTypes(types: readonly string[]): readonly Instance[] {
    return types.flatMap((type) => this.byType.get(type) ?? []);
  }

  /** The instance of one of the types that has an id or ARN. */
  withId(id: string, types: readonly string[]): Instance | undefined {
    for (const type of types) {
      const found = this.byId.get(`${type} ${id}`);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  private scope(module: string): Scope | undefined {
    let scope: Scope | undefined = this.root;
    for (const step of moduleSteps(module)) {
      if (scope === undefined) return undefined;
      const call: string = step.name;
      const parent: Scope = scope;
      const configuration = field(parent.configuration, "module_calls", call, "module");
      if (configuration === undefined) return undefined;
      scope = { module: step.address, configuration, parent, call };
    }
    return scope;
  }

  /** What an expression of an instance's block names. `path` leads to it: `["default_action", 0, "target_group_arn"]`. */
  resolve(instance: Instance, path: readonly (string | number)[]): Resolution {
    const scope = this.scope(instance.module);
    const expression = expressionAt(instance.expressions, path);
    if (scope === undefined || expression === undefined) {
      return { kind: "unknown", detail: `${instance.address}.${path.join(".")} is not traced` };
    }
    return this.expression(scope, expression, instance, `${instance.address}.${path.join(".")}`);
  }

  private expression(scope: Scope, expression: unknown, instance: Instance, what: string): Resolution {
    if (isObject(expression) && Object.hasOwn(expression, "constant_value")) {
      return { kind: "exact", referred: [], literals: [field(expression, "constant_value")], inferred: false };
    }
    const references = longest(texts(field(expression, "references")));
    const pairing = references.some((r) => r.startsWith("each.") || r.startsWith("count."));
    const referred: Referred[] = [];
    const literals: unknown[] = [];
    let candidates = false;
    let inferred = false;
    for (const reference of references) {
      if (/^(each|count|self|path|terraform)\./.test(reference)) continue;
      const one = this.reference(scope, reference, instance, pairing, what);
      if (one.kind === "unknown") return one;
      if (one.kind === "candidates") candidates = true;
      else {
        inferred ||= one.inferred;
        literals.push(...one.literals);
      }
      referred.push(...one.referred);
    }
    if (referred.length === 0 && literals.length === 0) return { kind: "unknown", detail: `${what} is not traced` };
    return candidates ? { kind: "candidates", referred } : { kind: "exact", referred, literals, inferred };
  }

  private reference(scope: Scope, reference: string, instance: Instance, pairing: boolean, what: string): Resolution {
    const [head = "", second = ""] = reference.split(".");
    if (head === "local")
      return { kind: "unknown", detail: `${what} goes through ${reference}, which a plan does not tell` };
    if (head === "var") {
      const name = second.replace(/\[.*$/, "");
      if (scope.parent === undefined) {
        const value = field(this.variables, name, "value");
        return value === undefined
          ? { kind: "unknown", detail: `${what} comes from variable ${name}` }
          : { kind: "exact", referred: [], literals: [value], inferred: false };
      }
      const passed = field(scope.parent.configuration, "module_calls", scope.call, "expressions", name);
      return passed === undefined
        ? { kind: "unknown", detail: `${what} comes from the default of variable ${name}` }
        : this.keyed(this.expression(scope.parent, passed, instance, what), keyOf(reference));
    }
    if (head === "module") return this.output(scope, reference, instance, what);
    const isData = head === "data";
    const body = isData ? reference.slice(5) : reference;
    const match = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)(\[[^\]]*\])?(?:\.(.*))?$/.exec(body);
    if (match === null) return { kind: "unknown", detail: `${what} names ${reference}` };
    const [, type = "", name = "", index, attribute = ""] = match;
    const all = this.byBlock.get(`${scope.module}|${isData ? "data." : ""}${type}.${name}`) ?? [];
    const refer = (chosen: readonly Instance[]): Referred[] => chosen.map((one) => ({ instance: one, attribute }));
    const exact = (chosen: readonly Instance[]): Resolution => ({
      kind: "exact",
      referred: refer(chosen),
      literals: [],
      inferred: false,
    });
    if (all.length === 0)
      return { kind: "unknown", detail: `${what} names ${reference}, which the plan does not hold` };
    if (index !== undefined) {
      const one = all.find((i) => i.index === index.slice(1, -1));
      return one === undefined ? { kind: "unknown", detail: `${what} names ${reference}` } : exact([one]);
    }
    const [only] = all;
    if (all.length === 1 && only !== undefined) return exact([only]);
    if (pairing && instance.index !== undefined) {
      const same = all.find((i) => i.index === instance.index);
      if (same !== undefined) return exact([same]);
    }
    return { kind: "candidates", referred: refer(all) };
  }

  /** Follows an output of a module, with the key by which the caller picks (TF-7.3). */
  private output(scope: Scope, reference: string, instance: Instance, what: string): Resolution {
    const match = /^module\.([A-Za-z0-9_-]+)(\[[^\]]*\])?(?:\.([A-Za-z0-9_-]+))?(.*)$/.exec(reference);
    const [, call = "", index = "", output, rest = ""] = match ?? [];
    if (output === undefined) return { kind: "unknown", detail: `${what} names ${reference}` };
    const address = `${scope.module === "" ? "" : `${scope.module}.`}module.${call}${index}`;
    const inner = this.scope(address);
    const expression = field(inner?.configuration, "outputs", output, "expression");
    if (inner === undefined || expression === undefined) {
      return { kind: "unknown", detail: `${what} names ${reference}, which the plan does not tell` };
    }
    return this.keyed(this.expression(inner, expression, instance, what), keyOf(rest));
  }

  /** Narrows what a key picks out of a whole resource. */
  private keyed(resolution: Resolution, key: string | undefined): Resolution {
    if (key === undefined || resolution.kind === "unknown") return resolution;
    const chosen = resolution.referred.filter((r) => r.instance.index === key);
    if (chosen.length > 0) return { kind: "exact", referred: chosen, literals: [], inferred: true };
    // A key into something that is no resource: a list of outputs by position.
    const at = number(key);
    const one = at === undefined ? undefined : resolution.referred[at];
    if (resolution.kind === "exact" && one !== undefined && resolution.referred.length > 1) {
      return { kind: "exact", referred: [one], literals: [], inferred: true };
    }
    return resolution;
  }
}

function append(map: Map<string, Instance[]>, key: string, instance: Instance): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [instance]);
  else known.push(instance);
}

interface Placed {
  readonly resource: unknown;
  readonly module: string;
}

function* resourcesOf(module: unknown, address: string): Iterable<Placed> {
  for (const resource of list(field(module, "resources"))) yield { resource, module: address };
  for (const child of list(field(module, "child_modules"))) {
    yield* resourcesOf(child, text(field(child, "address")) ?? address);
  }
}

/** Planned values leave out what is not known; the change's `after` says the same and more. */
function merged(values: unknown, after: unknown): unknown {
  if (!isObject(after)) return values;
  return { ...Object.fromEntries(entries(after)), ...Object.fromEntries(entries(values)) };
}

interface ModuleStep {
  readonly name: string;
  readonly address: string;
}

/** `module.a["x"].module.b` → its steps, each with the address up to it. */
function moduleSteps(module: string): readonly ModuleStep[] {
  const out: ModuleStep[] = [];
  const pattern = /module\.([A-Za-z0-9_-]+)(\[(?:"(?:[^"\\]|\\.)*"|[^\]]*)\])?/g;
  for (const match of module.matchAll(pattern)) {
    out.push({ name: match[1] ?? "", address: module.slice(0, match.index + match[0].length) });
  }
  return out;
}

function expressionsOf(configuration: unknown, type: string, name: string): unknown {
  const found = list(field(configuration, "resources")).find(
    (r) => field(r, "type") === type && field(r, "name") === name,
  );
  return field(found, "expressions");
}

function expressionAt(expressions: unknown, path: readonly (string | number)[]): unknown {
  let at = expressions;
  for (const step of path) {
    // An attribute that is written as blocks is one expression for all of them (TF-8).
    if (isObject(at) && (Object.hasOwn(at, "references") || Object.hasOwn(at, "constant_value"))) return at;
    at = typeof step === "number" ? list(at)[step] : field(at, step);
  }
  return at;
}

/** Drops references that are a beginning of the one before them (TF-6). */
function longest(references: readonly string[]): readonly string[] {
  const out: string[] = [];
  for (const one of references) {
    const covered = out.some((o) => o.startsWith(`${one}.`) || o.startsWith(`${one}[`));
    if (!covered && !out.includes(one)) out.push(one);
  }
  return out;
}

/** `["public_a"]` at the end of a reference. */
function keyOf(reference: string): string | undefined {
  return /\[([^\]]*)\]$/.exec(reference)?.[1];
}
