/** Values of a CloudFormation template: intrinsic functions, conditions, parameters (aws-vpc.md CF-1, CF-2). */

import { CORE_SCHEMA, defineMappingTag, defineScalarTag, defineSequenceTag, load } from "js-yaml";
import type { Ternary } from "../../base/ternary.ts";
import { ternaryAnd, ternaryNot, ternaryOf, ternaryOr } from "../../base/ternary.ts";
import { familyBits, formatPrefix } from "../../net/address.ts";
import { entries, field, isObject, list, listOf, number, scalar, text } from "./json.ts";
import { prefixOf } from "./values.ts";

/** A resource of the template that a value names; `attribute` is empty for `Ref`. */
export interface Reference {
  readonly $resource: string;
  readonly $attribute: string;
}

/** What a template does not tell. */
export interface NotTold {
  readonly $unknown: string;
}

/** One of these: a condition is undecided. */
export interface Either {
  readonly $either: readonly unknown[];
}

export function isReference(value: unknown): value is Reference {
  return isObject(value) && Object.hasOwn(value, "$resource");
}

export function isNotTold(value: unknown): value is NotTold {
  return isObject(value) && Object.hasOwn(value, "$unknown");
}

export function isEither(value: unknown): value is Either {
  return isObject(value) && Object.hasOwn(value, "$either");
}

const notTold = (why: string): NotTold => ({ $unknown: why });

/** Reads a template in YAML: the short tags become the functions that they stand for. Throws on what is no YAML. */
export function parseTemplateYaml(source: string): unknown {
  const wrap = (tag: string, value: unknown): unknown => {
    const name = tag.replace(/^!/, "");
    if (name === "Ref" || name === "Condition") return { [name]: value };
    const split = name === "GetAtt" && typeof value === "string" ? firstDot(value) : value;
    return { [`Fn::${name}`]: split };
  };
  const schema = CORE_SCHEMA.withTags(
    defineScalarTag<unknown>("!", {
      matchByTagPrefix: true,
      resolve: (value, _, tag) => wrap(tag, value),
      identify: () => false,
    }),
    defineSequenceTag<{ tag: string; items: unknown[] }, unknown>("!", {
      matchByTagPrefix: true,
      create: (tag) => ({ tag, items: [] }),
      addItem: (carrier, item) => {
        carrier.items.push(item);
      },
      finalize: ({ tag, items }) => wrap(tag, items),
      identify: () => false,
    }),
    defineMappingTag<{ tag: string; pairs: Map<string, unknown> }, unknown>("!", {
      matchByTagPrefix: true,
      create: (tag) => ({ tag, pairs: new Map() }),
      addPair: (carrier, key, value) => {
        carrier.pairs.set(String(key), value);
        return "";
      },
      has: (carrier, key) => carrier.pairs.has(String(key)),
      keys: (result) => (isObject(result) ? Object.keys(result) : []),
      get: (result, key) => field(result, String(key)),
      finalize: ({ tag, pairs }) => wrap(tag, Object.fromEntries(pairs)),
      identify: () => false,
    }),
  );
  return load(source, { schema });
}

function firstDot(value: string): readonly string[] {
  const dot = value.indexOf(".");
  return dot < 0 ? [value] : [value.slice(0, dot), value.slice(dot + 1)];
}

/** Evaluates the values of one template. */
export class TemplateValues {
  private readonly template: unknown;
  private readonly parameters: ReadonlyMap<string, unknown>;
  private readonly conditions = new Map<string, Ternary>();
  /** Evaluated objects with those of the template from which they were made. */
  private readonly sources = new WeakMap<object, object>();

  constructor(template: unknown, given: ReadonlyMap<string, unknown> = new Map()) {
    this.template = template;
    const parameters = new Map<string, unknown>();
    for (const [name, definition] of entries(field(template, "Parameters"))) {
      const value = given.get(name) ?? field(definition, "Default");
      const isList = /List|CommaDelimited/.test(text(field(definition, "Type")) ?? "");
      parameters.set(name, isList && typeof value === "string" ? value.split(",").map((v) => v.trim()) : value);
    }
    this.parameters = parameters;
  }

  /** The value with its functions applied; what stands for nothing is undefined. */
  evaluate(value: unknown): unknown {
    if (Array.isArray(value)) {
      return value.flatMap((item: unknown) => {
        const one = this.evaluate(item);
        return one === undefined ? [] : [one];
      });
    }
    if (!isObject(value)) return value;
    const [only] = Object.keys(value);
    if (
      only !== undefined &&
      Object.keys(value).length === 1 &&
      (only === "Ref" || only === "Condition" || only.startsWith("Fn::"))
    ) {
      return this.apply(only, field(value, only));
    }
    const made = Object.fromEntries(
      entries(value).flatMap(([key, inner]) => {
        const one = this.evaluate(inner);
        return one === undefined ? [] : [[key, one] as const];
      }),
    );
    this.sources.set(made, value);
    return made;
  }

  /** The object of the template from which an evaluated one was made. */
  sourceOf(value: unknown): unknown {
    return typeof value === "object" && value !== null ? this.sources.get(value) : undefined;
  }

  private apply(name: string, argument: unknown): unknown {
    switch (name) {
      case "Ref":
        return this.ref(text(argument) ?? "");
      case "Fn::GetAtt": {
        const parts =
          typeof argument === "string"
            ? firstDot(argument)
            : listOf(argument).map((p) => scalar(this.evaluate(p)) ?? "");
        const [resource = "", ...rest] = parts;
        const attribute = rest.join(".");
        if (attribute === "CidrBlock")
          return this.evaluate(field(this.template, "Resources", resource, "Properties", "CidrBlock"));
        return { $resource: resource, $attribute: attribute };
      }
      case "Fn::If": {
        const [condition, yes, no] = list(argument);
        const holds = this.condition(scalar(condition) ?? "");
        if (holds !== "maybe") return this.evaluate(holds === "yes" ? yes : no);
        return { $either: [this.evaluate(yes), this.evaluate(no)] };
      }
      case "Fn::Select": {
        const [index, items] = list(argument);
        const at = number(this.evaluate(index));
        const all = this.evaluate(items);
        if (isNotTold(all) || at === undefined) return isNotTold(all) ? all : notTold("Fn::Select");
        return list(all)[at];
      }
      case "Fn::Split": {
        const [separator, of] = list(argument);
        const whole = this.evaluate(of);
        return typeof whole === "string" ? whole.split(text(separator) ?? ",") : notTold("Fn::Split");
      }
      case "Fn::Join": {
        const [separator, items] = list(argument);
        const parts = list(this.evaluate(items)).map((p) => scalar(p));
        if (parts.some((p) => p === undefined)) return notTold("Fn::Join");
        return parts.join(typeof separator === "string" ? separator : "");
      }
      case "Fn::FindInMap": {
        const [map = "", first = "", second = ""] = list(argument).map((p) => scalar(this.evaluate(p)));
        return field(this.template, "Mappings", map, first, second) ?? notTold(`mapping ${map}`);
      }
      case "Fn::Sub":
        return this.substitute(argument);
      case "Fn::Cidr":
        return this.cidr(list(argument).map((p) => this.evaluate(p)));
      case "Fn::GetAZs":
        // Which zones there are is not told; that they differ is enough.
        return ["a", "b", "c", "d", "e", "f"].map((z) => `zone-${z}`);
      case "Fn::ImportValue":
        return notTold(`the export ${scalar(this.evaluate(argument)) ?? ""}`);
      default:
        return notTold(name);
    }
  }

  private ref(name: string): unknown {
    if (name === "AWS::NoValue") return undefined;
    if (name.startsWith("AWS::")) return name;
    if (field(this.template, "Resources", name) !== undefined) return { $resource: name, $attribute: "" };
    const value = this.parameters.get(name);
    return value === undefined ? notTold(`parameter ${name}`) : value;
  }

  private substitute(argument: unknown): unknown {
    const [pattern, variables] = Array.isArray(argument) ? list(argument) : [argument, undefined];
    if (typeof pattern !== "string") return notTold("Fn::Sub");
    const lookUp = (name: string): unknown => {
      const own = field(variables, name);
      if (own !== undefined) return this.evaluate(own);
      return name.includes(".") ? this.apply("Fn::GetAtt", name) : this.ref(name);
    };
    const whole = /^\$\{([^!}]+)\}$/.exec(pattern)?.[1];
    if (whole !== undefined) return lookUp(whole);
    let isTold = true;
    const out = pattern.replace(/\$\{(!?)([^}]+)\}/g, (_, bang: string, name: string) => {
      if (bang === "!") return `\${${name}}`;
      const value = scalar(lookUp(name));
      if (value === undefined) isTold = false;
      return value ?? "";
    });
    return isTold ? out : notTold(`Fn::Sub of ${pattern}`);
  }

  private cidr([block, count, bits]: readonly unknown[]): unknown {
    const prefix = typeof block === "string" ? prefixOf(block) : undefined;
    const n = number(count);
    if (prefix === undefined || n === undefined) return notTold("Fn::Cidr");
    const hostBits = number(bits) ?? 8;
    const length = familyBits(prefix.family) - hostBits;
    return Array.from({ length: n }, (_, i) =>
      formatPrefix({ family: prefix.family, base: prefix.base + (BigInt(i) << BigInt(hostBits)), length }),
    );
  }

  /** Whether a condition of the template holds. */
  condition(name: string): Ternary {
    const known = this.conditions.get(name);
    if (known !== undefined) return known;
    this.conditions.set(name, "maybe");
    const holds = this.holds(field(this.template, "Conditions", name));
    this.conditions.set(name, holds);
    return holds;
  }

  private holds(value: unknown): Ternary {
    const [key = ""] = isObject(value) ? Object.keys(value) : [];
    const argument = field(value, key);
    switch (key) {
      case "Condition":
        return this.condition(text(argument) ?? "");
      case "Fn::Not":
        return ternaryNot(this.holds(list(argument)[0]));
      case "Fn::And":
        return list(argument).reduce<Ternary>((all, one) => ternaryAnd(all, this.holds(one)), "yes");
      case "Fn::Or":
        return list(argument).reduce<Ternary>((all, one) => ternaryOr(all, this.holds(one)), "no");
      case "Fn::Equals": {
        const [a, b] = list(argument).map((one) => scalar(this.evaluate(one)) ?? this.emptyText(one));
        return a === undefined || b === undefined ? "maybe" : ternaryOf(a === b);
      }
      default:
        return "maybe";
    }
  }

  private emptyText(value: unknown): string | undefined {
    return this.evaluate(value) === "" ? "" : undefined;
  }
}
