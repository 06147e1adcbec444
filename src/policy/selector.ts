import { type Ternary, ternaryAnd, ternaryNot, ternaryOf, ternaryOr } from "../base/ternary.ts";
import { hasValue, type IdentityLabels } from "../model/labels.ts";

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

function sourcesOf(source: string): readonly string[] {
  return source === "any" ? SOURCES : [source];
}

/** Whether the label may be among those of the identity that are not known. */
export function isOpen(labels: IdentityLabels, source: string, key: string): boolean {
  return sourcesOf(source).some((one) => openKeys(one, key).some((open) => labels.has(open)));
}

/** A term with the keys of identity labels that it looks at. */
export interface Term {
  readonly requirement: Requirement;
  readonly keys: readonly string[];
}

/** The terms of a selector, made ready to be matched against many labels. */
export function termsOf(selector: Selector): readonly Term[] {
  return selector.map((requirement) => ({
    requirement,
    keys: sourcesOf(requirement.source).map((source) => `${source}:${requirement.key}`),
  }));
}

/** NotIn and DoesNotExist hold where the key is absent (kubernetes.md K8-03, cilium.md R2.1.3). */
function matchesTerm({ requirement, keys }: Term, labels: IdentityLabels): Ternary {
  const { operator, values } = requirement;
  let found = false;
  let listed: Ternary = "no";
  for (const key of keys) {
    const value = labels.get(key);
    if (value === undefined) continue;
    found = true;
    if (typeof value === "string") listed = values.includes(value) ? "yes" : listed;
    else for (const wanted of values) listed = ternaryOr(listed, hasValue(value, wanted));
  }
  if (!found && isOpen(labels, requirement.source, requirement.key)) return "maybe";
  switch (operator) {
    case "Exists":
      return ternaryOf(found);
    case "DoesNotExist":
      return ternaryOf(!found);
    case "In":
      return listed;
    case "NotIn":
      return ternaryNot(listed);
  }
}

/** Whether all terms hold. */
export function matchesTerms(terms: readonly Term[], labels: IdentityLabels): Ternary {
  let result: Ternary = "yes";
  for (const term of terms) {
    result = ternaryAnd(result, matchesTerm(term, labels));
    if (result === "no") return "no";
  }
  return result;
}

export function matchesSelector(selector: Selector, labels: IdentityLabels): Ternary {
  return matchesTerms(termsOf(selector), labels);
}

/** A stable text: equal exactly for selectors with the same terms in any order. */
export function selectorKey(selector: Selector): string {
  return selector
    .map(({ source, key, operator, values }) => `${source}:${key} ${operator} ${valuesKey(values)}`)
    .sort()
    .join(" & ");
}

function valuesKey(values: readonly string[]): string {
  return values.length < 2 ? (values[0] ?? "") : values.toSorted().join("|");
}
