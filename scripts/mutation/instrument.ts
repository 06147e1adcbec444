/**
 * One text that holds a module and every mutant of it. Each place that can be changed calls the runtime with the number of
 * its mutant; the runtime does what is written unless that mutant is active (see runtime.ts). Lines stay where they are.
 */
import { parseAst } from "rolldown/parseAst";

/** One change. */
export interface Mutant {
  readonly id: number;
  readonly file: string;
  readonly line: number;
  readonly operator: "condition" | "comparison" | "logic" | "statement" | "constant" | "return" | "method";
  /** What is written, and what is there instead. */
  readonly change: string;
}

export interface Instrumented {
  readonly text: string;
  readonly mutants: readonly Mutant[];
}

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

/** What stands for each operator that compares or calculates; two of them where the edge is of interest. */
export const INSTEAD: Readonly<Record<string, readonly string[]>> = {
  "===": ["!=="],
  "!==": ["==="],
  "<": ["<=", ">="],
  "<=": ["<", ">"],
  ">": [">=", "<="],
  ">=": [">", "<"],
  "+": ["-"],
  "-": ["+"],
  "&": ["|"],
  "|": ["&"],
};

/** Methods of lists, texts and Math that change places; `slice` keeps everything as it is. */
const METHODS: Readonly<Record<string, string>> = {
  some: "every",
  every: "some",
  filter: "slice",
  toReversed: "slice",
  toSorted: "slice",
  sort: "slice",
  reverse: "slice",
  startsWith: "endsWith",
  endsWith: "startsWith",
};
const MATH: Readonly<Record<string, string>> = { min: "max", max: "min" };

/**
 * Instruments a module.
 *
 * Takes its path as findings name it, its TypeScript, and the first free number. Code that runs when the module is loaded is
 * left as it is: no case could switch its mutants.
 */
export function instrument(file: string, source: string, first: number): Instrumented {
  const writer = new Writer(file, source, first);
  const program = parseAst(source, { lang: "ts" }, file);
  return { text: writer.render(asNode(program)), mutants: writer.mutants };
}

function asNode(value: unknown): Node {
  if (!isNode(value)) throw new Error("no syntax tree");
  return value;
}

function isNode(value: unknown): value is Node {
  return (
    typeof value === "object" &&
    value !== null &&
    "type" in value &&
    "start" in value &&
    "end" in value &&
    typeof value.type === "string" &&
    typeof value.start === "number" &&
    typeof value.end === "number"
  );
}

/** Parts of a node that are types, or names and places of modules. */
const NO_CODE = new Set(["typeAnnotation", "returnType", "typeParameters", "typeArguments", "superTypeArguments"]);

function childrenOf(node: Node): readonly Node[] {
  const out: Node[] = [];
  for (const [key, value] of Object.entries(node)) {
    if (NO_CODE.has(key) || (key === "key" && node["computed"] !== true)) continue;
    for (const item of Array.isArray(value) ? value : [value]) if (isNode(item)) out.push(item);
  }
  return out.sort((a, b) => a.start - b.start);
}

const FUNCTIONS = new Set(["FunctionDeclaration", "FunctionExpression", "ArrowFunctionExpression"]);
const WITHOUT_CODE = /^(Import|Export(All|Specifier)|TS(?!As|NonNull|Satisfies))/;

class Writer {
  readonly mutants: Mutant[] = [];
  private readonly file: string;
  private readonly source: string;
  private next: number;
  private readonly lines: readonly number[];
  /** How many functions, and how many classes, are round the node at hand. */
  private depth = 0;
  private classes = 0;

  constructor(file: string, source: string, first: number) {
    this.file = file;
    this.source = source;
    this.next = first;
    this.lines = [...source.matchAll(/\n/g)].map((match) => match.index);
  }

  /** Text of a node, with its mutants. */
  render(node: Node): string {
    if (WITHOUT_CODE.test(node.type)) return this.written(node);
    const isFunction = FUNCTIONS.has(node.type);
    const isClass = node.type === "ClassBody";
    if (isFunction) this.depth += 1;
    if (isClass) this.classes += 1;
    const isCache = node.type === "NewExpression" && this.depth + this.classes === 0;
    const text = isCache ? this.cache(node) : this.depth > 0 ? this.changed(node) : this.plain(node);
    if (isFunction) this.depth -= 1;
    if (isClass) this.classes -= 1;
    return text;
  }

  private written({ start, end }: { readonly start: number; readonly end: number }): string {
    return this.source.slice(start, end);
  }

  /** A cache that a module keeps, as one that can be emptied between mutants. */
  private cache(node: Node): string {
    const { callee } = node;
    const isEmpty = Array.isArray(node["arguments"]) && node["arguments"].length === 0;
    const isMap = isNode(callee) && /^(Weak)?Map$/.test(this.written(callee));
    return isEmpty && isMap ? "$mutant.cache()" : this.plain(node);
  }

  /** The node as it stands, its parts with their mutants; `own` renders some of them in another way. */
  private plain(node: Node, own: ReadonlyMap<unknown, (text: string) => string> = new Map()): string {
    let text = "";
    let at = node.start;
    for (const child of childrenOf(node)) {
      // A shorthand property is its key and its value in one place.
      if (child.start < at) continue;
      const rendered = this.render(child);
      text += this.source.slice(at, child.start) + (own.get(child)?.(rendered) ?? rendered);
      at = child.end;
    }
    return text + this.source.slice(at, node.end);
  }

  private mutant(node: Node, operator: Mutant["operator"], instead: string): number {
    const id = this.next++;
    const line = this.lines.filter((end) => end < node.start).length + 1;
    const shown = this.written(node).replaceAll(/\s+/g, " ");
    const short = shown.length > 60 ? `${shown.slice(0, 57)}…` : shown;
    this.mutants.push({ id, file: this.file, line, operator, change: `${short} → ${instead}` });
    return id;
  }

  private changed(node: Node): string {
    switch (node.type) {
      case "IfStatement":
      case "ConditionalExpression":
        return this.condition(node, ["true", "false"]);
      case "WhileStatement":
        return this.condition(node, ["false"]);
      case "BinaryExpression":
        return this.binary(node);
      case "LogicalExpression":
        return this.logical(node);
      case "UnaryExpression":
        return this.unary(node);
      case "ReturnStatement":
        return this.returned(node, node["argument"]);
      case "ArrowFunctionExpression":
        return isNode(node["body"]) && node["body"].type !== "BlockStatement"
          ? this.returned(node, node["body"])
          : this.plain(node);
      case "ExpressionStatement":
        return this.statement(node);
      case "Literal":
        return this.literal(node);
      case "ArrayExpression":
        return this.list(node);
      case "CallExpression":
        return this.call(node);
      case "Property":
        return this.property(node);
      default:
        return this.plain(node);
    }
  }

  /** A shorthand property needs its name once more where its value changes; patterns are no values. */
  private property(node: Node): string {
    return node["shorthand"] === true ? this.written(node) : this.plain(node);
  }

  private condition(node: Node, values: readonly ("true" | "false")[]): string {
    const { test } = node;
    if (!isNode(test)) return this.plain(node);
    const ids = values.map((value) => this.mutant(test, "condition", value));
    const [first = 0] = ids;
    const both = values.length === 2;
    return this.plain(node, new Map([[test, (text) => `$mutant.${both ? "c" : "w"}(${first}, ${text})`]]));
  }

  private binary(node: Node): string {
    const { left, right } = node;
    const operator = String(node["operator"]);
    const instead = INSTEAD[operator];
    if (instead === undefined || !isNode(left) || !isNode(right)) return this.plain(node);
    if (operator === "+" && [left, right].some((side) => isText(side))) return this.plain(node);
    const ids = instead.map((other) => this.mutant(node, "comparison", other));
    const between = this.source.slice(left.end, right.start);
    const before = this.source.slice(node.start, left.start);
    const after = this.source.slice(right.end, node.end);
    const comma = between.replace(operator, ",");
    const [first = 0] = ids;
    return `$mutant.b(${first}, "${operator}", ${before}${this.render(left)}${comma}${this.render(right)}${after})`;
  }

  private logical(node: Node): string {
    const { left, right } = node;
    const operator = String(node["operator"]);
    if (operator === "??" || !isNode(left) || !isNode(right)) return this.plain(node);
    if (/\b(yield|await)\b/.test(this.written(right))) return this.plain(node);
    const id = this.mutant(node, "logic", operator === "&&" ? "||" : "&&");
    const between = this.source.slice(left.end, right.start).replace(operator, ", () => (");
    // A parenthesis round the right side stays where it is.
    const before = this.source.slice(node.start, left.start);
    const after = this.source.slice(right.end, node.end);
    const call = operator === "&&" ? "and" : "or";
    return `$mutant.${call}(${id}, ${before}${this.render(left)}${between}${this.render(right)}${after}))`;
  }

  private unary(node: Node): string {
    const { argument } = node;
    if (node["operator"] !== "!" || !isNode(argument)) return this.plain(node);
    const id = this.mutant(node, "logic", this.written(argument).slice(0, 30));
    return `$mutant.n(${id}, ${this.source.slice(node.start + 1, argument.start)}${this.render(argument)}${this.source.slice(argument.end, node.end)})`;
  }

  private returned(node: Node, value: unknown): string {
    // What is compared or negated has mutants of its own.
    if (!isNode(value) || /^(Binary|Unary|Logical|Literal|Object|Array|New)/.test(value.type)) return this.plain(node);
    const id = this.mutant(value, "return", "the opposite, or nothing");
    return this.plain(node, new Map([[value, (text) => `$mutant.r(${id}, ${text})`]]));
  }

  private statement(node: Node): string {
    const { expression } = node;
    if (!isNode(expression) || !/^(Call|Assignment|Update)Expression$/.test(expression.type)) return this.plain(node);
    if (/^super\b/.test(this.written(expression))) return this.plain(node);
    const id = this.mutant(node, "statement", "left out");
    return `{ if ($mutant.s(${id})) ${this.plain(node)} }`;
  }

  private literal(node: Node): string {
    const { value } = node;
    if (typeof value === "number" || typeof value === "boolean") {
      const id = this.mutant(node, "constant", typeof value === "number" ? String(value + 1) : String(!value));
      return `$mutant.k(${id}, ${this.written(node)})`;
    }
    if (value !== "yes" && value !== "no" && value !== "maybe") return this.written(node);
    const id = this.mutant(node, "constant", value === "yes" ? '"no"' : '"yes"');
    return `$mutant.k(${id}, ${this.written(node)})`;
  }

  private list(node: Node): string {
    if (!Array.isArray(node["elements"]) || node["elements"].length === 0) return this.plain(node);
    const id = this.mutant(node, "constant", "[]");
    return `$mutant.k(${id}, ${this.plain(node)})`;
  }

  private call(node: Node): string {
    const { callee } = node;
    if (!isNode(callee) || callee.type !== "MemberExpression" || callee["computed"] === true) return this.plain(node);
    const { object, property } = callee;
    if (!isNode(object) || !isNode(property)) return this.plain(node);
    const name = this.written(property);
    const other = (this.written(object) === "Math" ? MATH : METHODS)[name];
    if (other === undefined) return this.plain(node);
    const id = this.mutant(property, "method", other);
    const dot = this.source.slice(object.end, property.start);
    const access = dot.includes("?.") ? dot : dot.replace(".", "");
    const receiver = this.source.slice(callee.start, object.start) + this.render(object);
    const called = `${receiver}${access}[$mutant.m(${id}, "${name}", "${other}")]`;
    let text = this.source.slice(node.start, callee.start) + called;
    let at = callee.end;
    for (const child of childrenOf(node)) {
      if (child.start < at) continue;
      text += this.source.slice(at, child.start) + this.render(child);
      at = child.end;
    }
    return text + this.source.slice(at, node.end);
  }
}

function isText({ type, value }: Node): boolean {
  return type === "TemplateLiteral" || (type === "Literal" && typeof value === "string");
}
