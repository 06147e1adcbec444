/**
 * Labels as policies see them: `source:key` → value. In Cilium the sources are those of its labels package (`k8s`,
 * `reserved`, `node`, …; cilium.md R2.1.1); the Kubernetes dialect uses `pod`, `ns` (labels of the namespace), `node`
 * and `is` (what kind of endpoint it is), so that one selector form serves every dialect.
 */

import { type Ternary, ternaryAnd, ternaryOf } from "../base/ternary.ts";

/** The value of a label that only the cluster knows, such as `pod-template-hash`. The label itself is present. */
export const UNKNOWN = Symbol("unknown label value");

/**
 * A value of which only the form is known: this text and a number behind it, as in the name of a CronJob's Job, which
 * ends in the minutes since the epoch (WL-08).
 */
export interface Numbered {
  readonly prefix: string;
}

export type LabelValue = string | Numbered | typeof UNKNOWN;

/** Whether a label has the value; `maybe` where only the cluster knows. */
export function hasValue(actual: LabelValue, wanted: string): Ternary {
  if (typeof actual === "string") return ternaryOf(actual === wanted);
  if (actual === UNKNOWN) return "maybe";
  return wanted.startsWith(actual.prefix) && /^[0-9]+$/.test(wanted.slice(actual.prefix.length)) ? "maybe" : "no";
}

/** A text for people and keys: `?` for what only the cluster knows. */
export function labelValueText(value: LabelValue): string {
  return typeof value === "string" ? value : value === UNKNOWN ? "?" : `${value.prefix}?`;
}

/** Plain labels by key, as written on an object. */
export type Labels = ReadonlyMap<string, LabelValue>;

/** Labels by `source:key`. */
export type IdentityLabels = ReadonlyMap<string, LabelValue>;

/** A stable text for a set of labels: equal exactly when the labels are equal. */
export function labelsKey(labels: IdentityLabels): string {
  return [...labels]
    .map(([key, value]) => `${key}=${typeof value === "string" ? JSON.stringify(value) : labelValueText(value)}`)
    .sort()
    .join(",");
}

/**
 * Whether labels have all the values of an equality map, as Services select (SVC-07); `maybe` where that hangs on a value
 * that only the cluster knows.
 */
export function matchesEquality(wanted: ReadonlyMap<string, string>, labels: Labels): Ternary {
  let result: Ternary = "yes";
  for (const [key, value] of wanted) {
    const actual = labels.get(key);
    result = ternaryAnd(result, actual === undefined ? "no" : hasValue(actual, value));
    if (result === "no") return "no";
  }
  return result;
}
