/** Label selectors of Kubernetes objects: decoded, checked, and matched against plain labels (kubernetes.md 1.2). */
import { type Ternary, ternaryAnd, ternaryNot, ternaryOf, ternaryOr } from "../base/ternary.ts";
import type { Cursor } from "../documents/cursor.ts";
import { hasValue, type Labels } from "./labels.ts";
import { labelKeyProblem, labelValueProblem } from "./label-syntax.ts";

export const LABEL_OPERATORS = ["In", "NotIn", "Exists", "DoesNotExist"] as const;

export interface LabelRequirement {
  readonly key: string;
  readonly operator: (typeof LABEL_OPERATORS)[number];
  /** For In and NotIn; empty for the others. */
  readonly values: readonly string[];
}

/** All terms must hold (K8-02). No term at all matches every object (K8-01). */
export type LabelSelector = readonly LabelRequirement[];

/**
 * Decodes `{matchLabels, matchExpressions}`.
 *
 * Takes the cursor on the selector. Returns its terms; `undefined` when absent.
 * Reports what an API server refuses (K8-63 to K8-66) as BH203, BH205, BH240 or BH248.
 */
export function decodeLabelSelector(cursor: Cursor): LabelSelector | undefined {
  if (cursor.object() === undefined) return undefined;
  const terms: LabelRequirement[] = [];
  const matchLabels = cursor.field("matchLabels");
  for (const [key, value] of matchLabels.stringMap() ?? []) {
    checkKey(matchLabels.field(key), key);
    checkValue(matchLabels.field(key), value);
    terms.push({ key, operator: "In", values: [value] });
  }
  for (const item of cursor.field("matchExpressions").list() ?? []) {
    const keyCursor = item.required("key");
    const key = keyCursor.string();
    const operator = item.required("operator").enumeration(LABEL_OPERATORS);
    const values = item.field("values").strings() ?? [];
    if (key === undefined || operator === undefined) continue;
    checkKey(keyCursor, key);
    const takesValues = operator === "In" || operator === "NotIn";
    if (takesValues && values.length === 0)
      item.error("BH248", `${item.describe()}: values must be specified when the operator is In or NotIn`);
    if (!takesValues && values.length > 0)
      item
        .field("values")
        .error("BH248", `${item.describe()}: values may not be specified when the operator is ${operator}`);
    for (const value of values) checkValue(item.field("values"), value);
    terms.push({ key, operator, values: takesValues ? values : [] });
  }
  return terms;
}

function checkKey(at: Cursor, key: string): void {
  const problem = labelKeyProblem(key);
  if (problem !== undefined) at.error("BH240", `label key ${JSON.stringify(key)} ${problem}`, { atKey: true });
}

function checkValue(at: Cursor, value: string): void {
  const problem = labelValueProblem(value);
  if (problem !== undefined) at.error("BH240", `label value ${JSON.stringify(value)} ${problem}`);
}

/** Whether labels match a selector; `maybe` where that hangs on a value that only the cluster knows (WL-12). */
export function matchesLabels(selector: LabelSelector, labels: Labels): Ternary {
  let result: Ternary = "yes";
  for (const term of selector) result = ternaryAnd(result, matchesTerm(term, labels));
  return result;
}

function matchesTerm({ key, operator, values }: LabelRequirement, labels: Labels): Ternary {
  const value = labels.get(key);
  switch (operator) {
    case "Exists":
      return ternaryOf(value !== undefined);
    case "DoesNotExist":
      return ternaryOf(value === undefined);
    case "In":
    case "NotIn": {
      const listed =
        value === undefined ? "no" : values.map((one) => hasValue(value, one)).reduce(ternaryOr, "no" as Ternary);
      return operator === "In" ? listed : ternaryNot(listed);
    }
  }
}
