import { type Fields, isFields, isGiven, textOf } from "./values.ts";

/** Why an object is refused. Validation stops at the first reason. */
export class Refusal extends Error {}

/** A field that the schema does not know (K8-68). */
export class UnknownField extends Refusal {
  /** From the object down, without the places of lists. */
  readonly keys: readonly string[];

  constructor(path: string, key: string) {
    super(`${path}.${key}: unknown field`);
    this.keys = [...path.replace(/\[\d+\]/g, "").split("."), key].filter((part) => part !== "");
  }
}

export function refuse(path: string, reason: string): never {
  throw new Refusal(`${path}: ${reason}`);
}

/** Runs a check; why it refuses, or undefined when the object is accepted. */
export function refusalOf(check: () => void): Refusal | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}

/** A mapping with no key but these; absent reads as empty (K8-68: decoding is strict). */
export function mapping(path: string, value: unknown, known: readonly string[]): Fields {
  if (!isGiven(value)) return {};
  if (!isFields(value)) return refuse(path, "must be a mapping");
  for (const key of Object.keys(value)) if (!known.includes(key)) throw new UnknownField(path, key);
  return value;
}

/** A sequence; absent reads as empty. */
export function sequence(path: string, value: unknown): readonly unknown[] {
  if (!isGiven(value)) return [];
  return Array.isArray(value) ? value : refuse(path, "must be a list");
}

export function optionalText(path: string, value: unknown): string | undefined {
  if (!isGiven(value)) return undefined;
  return textOf(value) ?? refuse(path, "must be a string");
}

export function optionalFlag(path: string, value: unknown): void {
  if (isGiven(value) && typeof value !== "boolean") refuse(path, "must be true or false");
}

export function optionalWhole(path: string, value: unknown): number | undefined {
  if (!isGiven(value)) return undefined;
  return typeof value === "number" && Number.isInteger(value) ? value : refuse(path, "must be a whole number");
}

export function oneOf(path: string, value: unknown, allowed: readonly string[]): void {
  if (!allowed.includes(String(value))) refuse(path, `unsupported value ${String(value)}: ${allowed.join(", ")}`);
}

const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** metadata.name is a DNS-1123 subdomain (K8-67, R1.2.1). */
export function objectName(name: string): void {
  if (name.length > 253 || !SUBDOMAIN.test(name)) refuse("metadata.name", "must be a DNS-1123 subdomain");
}

const NAME_PART = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;

/** A qualified name: an optional DNS prefix and a name of at most 63 characters (K8-66). */
export function labelKey(path: string, key: string): void {
  const slash = key.indexOf("/");
  const prefix = slash < 0 ? undefined : key.slice(0, slash);
  const name = key.slice(slash + 1);
  if (prefix !== undefined && (prefix.length > 253 || !SUBDOMAIN.test(prefix))) refuse(path, `bad label key ${key}`);
  if (name.length > 63 || !NAME_PART.test(name)) refuse(path, `bad label key ${key}`);
}

export function labelValue(path: string, value: string): void {
  if (value !== "" && (value.length > 63 || !NAME_PART.test(value))) refuse(path, `bad label value ${value}`);
}

/** A LabelSelector (K8-63 … K8-66); Cilium's keys may name a source first (R2.1.2). */
export function labelSelector(path: string, value: unknown, withSource = false): void {
  const fields = mapping(path, value, ["matchLabels", "matchExpressions"]);
  const key = (text: string) => (withSource ? text.slice(text.indexOf(":") + 1) : text);
  if (isGiven(fields["matchLabels"]) && !isFields(fields["matchLabels"]))
    refuse(`${path}.matchLabels`, "must be a mapping");
  for (const [label, item] of Object.entries(isFields(fields["matchLabels"]) ? fields["matchLabels"] : {})) {
    labelKey(`${path}.matchLabels`, key(label));
    labelValue(`${path}.matchLabels`, optionalText(`${path}.matchLabels`, item) ?? "");
  }
  for (const [index, item] of sequence(`${path}.matchExpressions`, fields["matchExpressions"]).entries()) {
    const place = `${path}.matchExpressions[${index}]`;
    const expression = mapping(place, item, ["key", "operator", "values"]);
    labelKey(`${place}.key`, key(optionalText(`${place}.key`, expression["key"]) ?? ""));
    const values = sequence(`${place}.values`, expression["values"]);
    switch (expression["operator"]) {
      case "In":
      case "NotIn":
        if (values.length === 0) refuse(`${place}.values`, "must be specified when `operator` is 'In' or 'NotIn'");
        break;
      case "Exists":
      case "DoesNotExist":
        if (values.length > 0) refuse(`${place}.values`, "may not be specified when `operator` is 'Exists'");
        break;
      default:
        refuse(`${place}.operator`, "not a valid selector operator");
    }
    for (const text of values)
      labelValue(`${place}.values`, optionalText(`${place}.values`, text) ?? refuse(place, "a null value"));
  }
}

/** A port name by the rules of IANA service names (K8-48 … K8-50, WL-14). */
export function isPortName(text: string): boolean {
  return /^[a-z0-9]+(-[a-z0-9]+)*$/.test(text) && text.length <= 15 && /[a-z]/.test(text);
}

export const TOP_LEVEL = ["apiVersion", "kind", "metadata", "spec", "status"];
