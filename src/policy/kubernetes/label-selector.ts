/** LabelSelector (meta/v1) as Kubernetes' own kinds and the network-policy-api write it (kubernetes.md 1.2, 1.11). */
import type { Cursor, ReportOptions } from "../../documents/cursor.ts";
import type { Path } from "../../documents/document.ts";
import type { LabelRequirement } from "../../model/label-selector.ts";
import { labelKeyProblem, labelValueProblem } from "../../model/label-syntax.ts";
import { forbidden, invalid, refusalsIn, required } from "./refusals.ts";

export type { LabelRequirement } from "../../model/label-selector.ts";

/** All terms must hold (K8-02); none matches everything (K8-01). */
export interface LabelSelector {
  readonly path: Path;
  readonly requirements: readonly LabelRequirement[];
}

/**
 * Decodes and validates the selector at the cursor (K8-63…K8-66).
 *
 * Returns `undefined` where it is absent (which is not the empty selector, K8-01) or no object.
 */
export function decodeLabelSelector(cursor: Cursor): LabelSelector | undefined {
  if (cursor.object() === undefined) return undefined;
  cursor.unknownFields(["matchLabels", "matchExpressions"]);
  const requirements: LabelRequirement[] = [];
  const matchLabels = cursor.field("matchLabels");
  for (const [key, value] of matchLabels.stringMap() ?? []) {
    const entry = matchLabels.field(key);
    checkKey(entry, key, { atKey: true });
    checkValue(entry, value);
    requirements.push({ key, operator: "In", values: [value] });
  }
  for (const item of cursor.field("matchExpressions").list() ?? []) {
    const requirement = decodeExpression(item);
    if (requirement !== undefined) requirements.push(requirement);
  }
  return { path: cursor.path, requirements };
}

function decodeExpression(cursor: Cursor): LabelRequirement | undefined {
  cursor.unknownFields(["key", "operator", "values"]);
  const before = refusalsIn(cursor.findings);
  const keyAt = cursor.field("key");
  const key = keyAt.string() ?? "";
  const operatorAt = cursor.field("operator");
  const operator = operatorAt.string() ?? "";
  const valuesAt = cursor.field("values");
  const values = valuesAt.strings() ?? [];
  if (refusalsIn(cursor.findings) > before) return undefined;

  checkKey(keyAt, key);
  valuesAt.list()?.forEach((item, index) => {
    checkValue(item, values[index] ?? "");
  });
  switch (operator) {
    case "In":
    case "NotIn":
      if (values.length === 0) required(valuesAt, "must be specified when `operator` is 'In' or 'NotIn'");
      return { key, operator, values };
    case "Exists":
    case "DoesNotExist":
      if (values.length > 0) forbidden(valuesAt, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
      return { key, operator, values: [] };
    default:
      invalid(operatorAt, operator, "not a valid selector operator", {
        help: "The operators are In, NotIn, Exists and DoesNotExist.",
      });
      return undefined;
  }
}

function checkKey(cursor: Cursor, key: string, options: ReportOptions = {}): void {
  const problem = labelKeyProblem(key);
  if (problem !== undefined) invalid(cursor, key, problem, options);
}

function checkValue(cursor: Cursor, value: string): void {
  const problem = labelValueProblem(value);
  if (problem !== undefined) invalid(cursor, value, problem);
}
