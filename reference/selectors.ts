import type { Because } from "./reasons.ts";
import type { Unknowns } from "./unknowns.ts";
import { type Fields, fieldsOf, itemsOf, labelsOf, textOf, textsOf } from "./values.ts";

export interface Requirement {
  readonly key: string;
  readonly operator: string;
  readonly values: readonly string[];
}

/** A LabelSelector as one list: all requirements must hold (K8-02). The empty list selects everything (K8-01). */
export type Selector = readonly Requirement[];

export function readSelector(value: unknown): Selector {
  const fields: Fields = fieldsOf(value);
  const equal = [...labelsOf(fields["matchLabels"])].map(([key, item]) => ({ key, operator: "In", values: [item] }));
  const expressions = itemsOf(fields["matchExpressions"]).map((item) => ({
    key: textOf(fieldsOf(item)["key"]) ?? "",
    operator: textOf(fieldsOf(item)["operator"]) ?? "",
    values: textsOf(fieldsOf(item)["values"]),
  }));
  return [...equal, ...expressions];
}

/** A label that exists, or may exist, with a value that the input does not tell (WL-12). */
export interface HiddenValue {
  /** Names the fact, the same for every question about it. */
  readonly fact: string;
  /** Whether the label is certainly there. */
  readonly certain: boolean;
  /** Which values it can have. */
  readonly could: (value: string) => boolean;
  readonly because: Because;
}

/** What one endpoint's label key holds: a value, nothing, or a value nobody told. */
export type LabelValue = string | undefined | HiddenValue;

/** In, NotIn, Exists, DoesNotExist (K8-03, R2.1.3); another operator selects nothing (R2.1.4). */
export function holds(requirement: Requirement, value: LabelValue, unknowns: Unknowns): boolean {
  switch (requirement.operator) {
    case "In":
      return isAmong(requirement.values, value, unknowns);
    case "NotIn":
      return !isAmong(requirement.values, value, unknowns);
    case "Exists":
      return isThere(value, unknowns);
    case "DoesNotExist":
      return !isThere(value, unknowns);
    default:
      return false;
  }
}

function isThere(value: LabelValue, unknowns: Unknowns): boolean {
  if (value === undefined || typeof value === "string") return value !== undefined;
  return value.certain || unknowns.ask(`${value.fact} exists`, value.because);
}

function isAmong(values: readonly string[], value: LabelValue, unknowns: Unknowns): boolean {
  if (value === undefined || typeof value === "string") return value !== undefined && values.includes(value);
  return (
    values.some((item) => value.could(item)) &&
    isThere(value, unknowns) &&
    values.some((item) => value.could(item) && unknowns.equals(value.fact, item, value.because))
  );
}

/** All requirements hold for labels that are looked up by key (K8-02). */
export function selects(selector: Selector, lookUp: (key: string) => LabelValue, unknowns: Unknowns): boolean {
  return selector.every((requirement) => holds(requirement, lookUp(requirement.key), unknowns));
}
