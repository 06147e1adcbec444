/**
 * A cursor stands on one value of a document and decodes it. Every validator and decoder of policies is written in terms
 * of it, so that each complaint has its place and nothing is read without being checked.
 *
 * ```ts
 * const ports = spec.field("ports").list() ?? [];                    // absent: every port; []: also every port
 * for (const port of ports) {
 *   port.unknownFields(["protocol", "port", "endPort"]);
 *   const protocol = port.field("protocol").enumeration(["TCP", "UDP", "SCTP"]) ?? "TCP";
 *   const number = port.field("port").integerOrString({ min: 1, max: 65535 });
 * }
 * ```
 *
 * The rules, the same for every method:
 *
 * - **Absent** means that the key is missing or its value is null; the two are the same to an API server. Every method on
 *   an absent cursor returns `undefined` (or nothing) and reports nothing, so decoders chain without checks. Whatever
 *   must be there is asked for by `required`.
 * - **Empty is not absent**: `list()` gives `undefined` for absent and `[]` for `[]`; `entries()` and `stringMap()`
 *   likewise. `isEmpty` is true of `[]` and `{}` alone.
 * - A value of the **wrong type** is reported (BH203) at its place, and the method returns `undefined`. Ask
 *   `findings.errors` (or compare it before and after) to tell this from absence; an object with an error gives no answer.
 * - Nothing throws and nothing is cast.
 */
import { diagnostic, type Code, type Diagnostic, type DiagnosticOptions } from "../base/diagnostic.ts";
import type { Document, Path } from "./document.ts";
import { nearest } from "./nearest.ts";
import { isMapping } from "./object-head.ts";

/** Collects findings. */
export class Findings {
  readonly all: Diagnostic[] = [];
  /** How many of them are errors. */
  errors = 0;

  report(finding: Diagnostic): void {
    this.all.push(finding);
    if (finding.severity === "error") this.errors++;
  }
}

/** The JSON type of a value; `absent` for a missing value and for null. */
export type Shape = "absent" | "object" | "list" | "string" | "number" | "boolean";

/** Bounds of a number, both inclusive. */
export interface Bounds {
  readonly min?: number;
  readonly max?: number;
}

/** What a complaint may say beyond its code and message. */
export interface ReportOptions extends DiagnosticOptions {
  /** Point at the key of this value instead of the value. */
  readonly atKey?: boolean;
}

/** Stands on one value of a document. See the top of this file for the rules that all methods share. */
export class Cursor {
  readonly document: Document;
  readonly findings: Findings;
  /** The value as it was read; `undefined` when the key is missing. Decoders use the methods instead. */
  readonly value: unknown;
  private readonly parent: Cursor | undefined;
  private readonly step: string | number;

  private constructor(
    document: Document,
    findings: Findings,
    value: unknown,
    parent: Cursor | undefined,
    step: string | number,
  ) {
    this.document = document;
    this.findings = findings;
    this.value = value;
    this.parent = parent;
    this.step = step;
  }

  /** A cursor on the whole object; what it finds goes to `findings`. */
  static of(document: Document, findings: Findings): Cursor {
    return new Cursor(document, findings, document.value, undefined, "");
  }

  // ── where ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The way from the object to this value. */
  get path(): Path {
    return this.parent === undefined ? [] : [...this.parent.path, this.step];
  }

  /** The path as people write it: `spec.ingress[0].from`; `object` for the whole. */
  get pathText(): string {
    return formatPath(this.path);
  }

  // ── what ───────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The key is missing or its value is null. */
  get isAbsent(): boolean {
    return this.value === undefined || this.value === null;
  }

  /** The key is written, whatever its value, null included. */
  get isWritten(): boolean {
    return this.value !== undefined;
  }

  /** The value is `[]` or `{}`. */
  get isEmpty(): boolean {
    if (Array.isArray(this.value)) return this.value.length === 0;
    return this.shape === "object" && keysOf(this.value).length === 0;
  }

  /** The type of the value. */
  get shape(): Shape {
    return shapeOf(this.value);
  }

  // ── objects ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * The cursor on a field of this object.
   *
   * Takes the key. Returns an absent cursor when the field is missing, or when this is no object (`object()`,
   * `unknownFields()` and the like report that; `field` does not).
   */
  field(name: string): Cursor {
    return new Cursor(this.document, this.findings, memberOf(this.value, name), this, name);
  }

  /** As `field`, and reports BH202 when this is an object in which the field is absent. */
  required(name: string): Cursor {
    const cursor = this.field(name);
    if (cursor.isAbsent && this.shape === "object")
      cursor.report("BH202", `${this.describe()} needs the field ${name}`, { help: null });
    return cursor;
  }

  /** Whether the field is there and not null. */
  has(name: string): boolean {
    return !this.field(name).isAbsent;
  }

  /** This cursor when it stands on an object; `undefined` when absent, or, reported, when it is something else. */
  object(): this | undefined {
    return this.expect("object", "an object") ? this : undefined;
  }

  /** The keys of this object in the order of the text; none when absent or, reported, when it is no object. */
  keys(): readonly string[] {
    return this.expect("object", "an object") ? keysOf(this.value) : [];
  }

  /** The fields of this object, nulls included; `undefined` when absent or, reported, when it is no object. */
  entries(): readonly (readonly [key: string, value: Cursor])[] | undefined {
    if (!this.expect("object", "an object")) return undefined;
    return keysOf(this.value).map((key) => [key, this.field(key)] as const);
  }

  /**
   * Reports BH201 for each key of this object that is not known, at the key, with the known name that it resembles.
   *
   * Takes the known names. Reports BH203 when this is something else than an object. Returns whether all was known.
   */
  unknownFields(known: readonly string[]): boolean {
    let good = true;
    for (const key of this.keys()) {
      if (known.includes(key)) continue;
      good = false;
      const meant = nearest(key, known);
      this.field(key).report("BH201", `${this.describe()} has no field ${quote(key)}`, {
        atKey: true,
        help: meant === undefined ? `Known here: ${known.join(", ")}.` : `Did you mean ${meant}?`,
      });
    }
    return good;
  }

  // ── lists ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * The entries of this list.
   *
   * Returns `undefined` when absent or, reported, when it is no list; `[]` for an empty list. An entry that is null is an
   * absent cursor: an API server reads it as the empty value of its type.
   */
  list(): readonly Cursor[] | undefined {
    const value = this.value;
    if (!Array.isArray(value)) {
      this.expect("list", "a list");
      return undefined;
    }
    return value.map((item: unknown, index) => new Cursor(this.document, this.findings, item, this, index));
  }

  /** The texts of this list; entries of another type, null included, are reported and left out. */
  strings(): readonly string[] | undefined {
    return this.list()?.flatMap((item) => {
      if (item.isAbsent) item.report("BH203", `${item.describe()} must be text, not null`, { help: null });
      return item.string() ?? [];
    });
  }

  // ── scalars ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The text; `undefined` when absent or, reported with what YAML made of it, when it is something else. */
  string(): string | undefined {
    const value = this.value;
    if (typeof value === "string") return value;
    this.expect("string", "text");
    return undefined;
  }

  /** The integer within the bounds; else `undefined`, reported as BH203 (type) or BH204 (bounds) unless absent. */
  integer(bounds: Bounds = {}): number | undefined {
    const value = this.value;
    if (typeof value !== "number") {
      this.expect("number", "an integer");
      return undefined;
    }
    if (!Number.isInteger(value)) {
      this.report("BH203", `${this.describe()} must be an integer, not ${value}`, { help: null });
      return undefined;
    }
    const { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = bounds;
    if (value < min || value > max) {
      this.report("BH204", `${this.describe()} must be ${range(bounds)}, not ${value}`, { help: null });
      return undefined;
    }
    return value;
  }

  /** A number, or a text as it is, as an API server reads a port; bounds hold for the number alone. */
  integerOrString(bounds: Bounds = {}): number | string | undefined {
    if (typeof this.value === "string") return this.value;
    if (typeof this.value === "number") return this.integer(bounds);
    this.expect("number", "an integer or text");
    return undefined;
  }

  /** The truth value; `undefined` when absent or, reported, when it is something else. */
  boolean(): boolean | undefined {
    const value = this.value;
    if (typeof value === "boolean") return value;
    this.expect("boolean", "true or false");
    return undefined;
  }

  /** The text when it is one of the allowed; else `undefined`, reported as BH205 with what it resembles unless absent. */
  enumeration<const T extends string>(allowed: readonly T[]): T | undefined {
    const value = this.string();
    if (value === undefined) return undefined;
    const found = allowed.find((one) => one === value);
    if (found === undefined) {
      const meant = nearest(value, allowed);
      this.report("BH205", `${this.describe()} must be one of ${allowed.join(", ")}, not ${quote(value)}`, {
        help: meant === undefined ? null : `Did you mean ${meant}?`,
      });
    }
    return found;
  }

  /**
   * A mapping from text to text, such as labels.
   *
   * Returns the mapping in the order of the text; `undefined` when absent or, reported, when it is no object. A value of
   * another type is reported at its place and left out; null counts as the empty text, as for an API server.
   */
  stringMap(): ReadonlyMap<string, string> | undefined {
    const entries = this.entries();
    if (entries === undefined) return undefined;
    const map = new Map<string, string>();
    for (const [key, cursor] of entries) {
      const value = cursor.isAbsent ? "" : cursor.string();
      if (value !== undefined) map.set(key, value);
    }
    return map;
  }

  // ── complaints ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Reports at this value (or its key) with the severity and help of the code unless the options differ. */
  report(code: Code, message: string, options: ReportOptions = {}): void {
    const place = this.document.locate(this.path, { key: options.atKey ?? false });
    this.findings.report(diagnostic(code, message, place, options));
  }

  /** Reports an error at this value, whatever the severity of the code. */
  error(code: Code, message: string, options: Omit<ReportOptions, "severity"> = {}): void {
    this.report(code, message, { ...options, severity: "error" });
  }

  /** Reports a warning at this value, whatever the severity of the code. */
  warning(code: Code, message: string, options: Omit<ReportOptions, "severity"> = {}): void {
    this.report(code, message, { ...options, severity: "warning" });
  }

  /** How messages name this value: `NetworkPolicy default/web: spec.podSelector`. */
  describe(): string {
    const { kind, namespace, name } = this.document;
    const object = `${kind} ${namespace === undefined ? "" : `${namespace}/`}${name}`;
    return this.parent === undefined ? object : `${object}: ${this.pathText}`;
  }

  /** Whether the value has the shape; reports BH203 when it has another one, unless it is absent. */
  private expect(shape: Shape, words: string): boolean {
    const actual = this.shape;
    if (actual === shape) return true;
    if (actual === "absent") return false;
    const help =
      words === "text" && (actual === "boolean" || actual === "number")
        ? "Put it in quotes: YAML 1.1 reads y, n, yes, no, on, off as truth values and digits as numbers."
        : null;
    this.report("BH203", `${this.describe()} must be ${words}, not ${show(this.value)}`, { help });
    return false;
  }
}

/** Writes a path as people do: `spec.ingress[0].from`, with odd keys in quotes; `object` when empty. */
export function formatPath(path: Path): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else if (/^[A-Za-z_][\w-]*$/.test(step)) text += text === "" ? step : `.${step}`;
    else text += `[${quote(step)}]`;
  }
  return text === "" ? "object" : text;
}

function shapeOf(value: unknown): Shape {
  if (value === undefined || value === null) return "absent";
  if (Array.isArray(value)) return "list";
  switch (typeof value) {
    case "object":
      return "object";
    case "string":
      return "string";
    case "number":
      return "number";
    case "boolean":
      return "boolean";
    default:
      return "absent";
  }
}

function keysOf(value: unknown): readonly string[] {
  return typeof value === "object" && value !== null ? Object.keys(value) : [];
}

/** A member of an object that is its own, so that a key named `constructor` means what the text says. */
function memberOf(value: unknown, name: string): unknown {
  return isMapping(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}...` : text);
}

function show(value: unknown): string {
  switch (shapeOf(value)) {
    case "absent":
      return "null";
    case "list":
      return "a list";
    case "object":
      return "an object";
    default:
      return typeof value === "string" ? quote(value) : String(value);
  }
}

function range({ min, max }: Bounds): string {
  if (min !== undefined && max !== undefined) return `between ${min} and ${max}`;
  if (min !== undefined) return `at least ${min}`;
  if (max !== undefined) return `at most ${max}`;
  return "an integer that survives JSON";
}
