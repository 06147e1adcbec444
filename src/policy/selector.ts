import { type Ternary, ternaryAnd, ternaryNot, ternaryOr } from "../base/ternary.ts";
import { hasValue, type IdentityLabels, type LabelValue } from "../model/labels.ts";

/** One term of a selector. `source` "any" matches the key under whatever source (cilium.md R2.1.2). */
export interface Requirement {
  readonly source: string;
  readonly key: string;
  readonly operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
  /** For In and NotIn; empty for the others. */
  readonly values: readonly string[];
}

/** All terms must hold. No term at all matches every labelled endpoint. */
export type Selector = readonly Requirement[];

/** Sources that `any` looks under, in Cilium's order of likelihood. */
export const SOURCES = [
  "k8s",
  "reserved",
  "node",
  "cidr",
  "cidrgroup",
  "fqdn",
  "container",
  "pod",
  "ns",
  "is",
] as const;

function valuesOf(labels: IdentityLabels, requirement: Requirement): LabelValue[] {
  const sources: readonly string[] = requirement.source === "any" ? SOURCES : [requirement.source];
  const out: LabelValue[] = [];
  for (const source of sources) {
    const value = labels.get(`${source}:${requirement.key}`);
    if (value !== undefined) out.push(value);
  }
  return out;
}

/**
 * The key that stands for the labels that are not known, set to UNKNOWN under their source (`node:*`) or under what their
 * keys begin with, up to a dot (`k8s:io.cilium.k8s.namespace.labels.*`): whatever else is asked there is maybe so. No
 * label has this key.
 */
export const UNKNOWN_LABELS = "*";

/** Every key that stands for unknown labels among which this one may be. */
export function openKeys(source: string, key: string): readonly string[] {
  const out = [`${source}:${UNKNOWN_LABELS}`];
  for (let dot = key.indexOf("."); dot >= 0; dot = key.indexOf(".", dot + 1))
    out.push(`${source}:${key.slice(0, dot + 1)}${UNKNOWN_LABELS}`);
  return out;
}

/** Whether the label may be among those of the identity that are not known. */
export function isOpen(labels: IdentityLabels, source: string, key: string): boolean {
  const sources: readonly string[] = source === "any" ? SOURCES : [source];
  return sources.some((one) => openKeys(one, key).some((open) => labels.has(open)));
}

/** NotIn and DoesNotExist hold where the key is absent (kubernetes.md K8-03, cilium.md R2.1.3). */
export function matchesRequirement(requirement: Requirement, labels: IdentityLabels): Ternary {
  const found = valuesOf(labels, requirement);
  if (found.length === 0 && isOpen(labels, requirement.source, requirement.key)) return "maybe";
  switch (requirement.operator) {
    case "Exists":
      return found.length > 0 ? "yes" : "no";
    case "DoesNotExist":
      return found.length > 0 ? "no" : "yes";
    case "In":
    case "NotIn": {
      let listed: Ternary = "no";
      const { values } = requirement;
      for (const value of found) {
        if (typeof value === "string") listed = values.includes(value) ? "yes" : listed;
        else for (const wanted of values) listed = ternaryOr(listed, hasValue(value, wanted));
      }
      return requirement.operator === "In" ? listed : ternaryNot(listed);
    }
  }
}

export function matchesSelector(selector: Selector, labels: IdentityLabels): Ternary {
  let result: Ternary = "yes";
  for (const requirement of selector) {
    result = ternaryAnd(result, matchesRequirement(requirement, labels));
    if (result === "no") return "no";
  }
  return result;
}

/** A stable text: equal exactly for selectors with the same terms in any order. */
export function selectorKey(selector: Selector): string {
  return selector
    .map((r) => `${r.source}:${r.key} ${r.operator} ${[...r.values].sort().join("|")}`)
    .sort()
    .join(" & ");
}
