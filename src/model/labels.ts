/**
 * Labels as policies see them: `source:key` → value. In Cilium the sources are those of its labels package (`k8s`,
 * `reserved`, `node`, …; cilium.md R2.1.1); the Kubernetes dialect uses `pod`, `ns` (labels of the namespace), `node`
 * and `is` (what kind of endpoint it is), so that one selector form serves every dialect.
 */

import type { Ternary } from "../base/ternary.ts";

/** The value of a label that only the cluster knows, such as `pod-template-hash`. The label itself is present. */
export const UNKNOWN = Symbol("unknown label value");

export type LabelValue = string | typeof UNKNOWN;

/** Plain labels by key, as written on an object. */
export type Labels = ReadonlyMap<string, LabelValue>;

/** Labels by `source:key`. */
export type IdentityLabels = ReadonlyMap<string, LabelValue>;

/** A stable text for a set of labels: equal exactly when the labels are equal. */
export function labelsKey(labels: IdentityLabels): string {
  return [...labels]
    .map(([key, value]) => (value === UNKNOWN ? `${key}=?` : `${key}=${JSON.stringify(value)}`))
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
    if (actual === UNKNOWN) result = "maybe";
    else if (actual !== value) return "no";
  }
  return result;
}
