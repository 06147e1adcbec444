/** Policies and rules as answers name them. */
import type { Document, Path } from "../documents/document.ts";
import type { Origin, Policy } from "../policy/rule.ts";

/** `Kind/namespace/name`, or `Kind/name` where there is no namespace. */
export function objectName(object: {
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}): string {
  return object.namespace === undefined
    ? `${object.kind}/${object.name}`
    : `${object.kind}/${object.namespace}/${object.name}`;
}

/** `Kind/namespace/name#section[index]`; without the section for rules that nobody wrote. */
export function ruleName(origin: Origin): string {
  return origin.document === undefined || origin.exact === true
    ? objectName(origin)
    : `${objectName(origin)}#${origin.section}[${origin.index}]`;
}

/** Where something stands in the input. */
export interface SourcePlace {
  readonly file: string;
  readonly line: number;
}

/** The place of a path of a document; undefined for what no document states. */
export function placeOf(document: Document | undefined, path: Path | undefined): SourcePlace | undefined {
  if (document === undefined) return undefined;
  const { file, line } = document.locate(path ?? []);
  return { file, line };
}

export function rulePlace(origin: Origin): SourcePlace | undefined {
  return placeOf(origin.document, origin.path);
}

/** Where a policy begins: the object itself, or the spec of several that it is. */
export function policyPlace(policy: Policy): SourcePlace | undefined {
  return placeOf(policy.document, policy.path.length > 1 ? policy.path : ["kind"]);
}

export function placeText(place: SourcePlace | undefined): string {
  return place === undefined ? "" : `${place.file}:${place.line}`;
}

/** A rule with its place, for JSON. */
export function originJson(origin: Origin): Record<string, unknown> {
  const { kind, namespace, name, section, index } = origin;
  return { kind, ...(namespace === undefined ? {} : { namespace }), name, section, rule: index, ...rulePlace(origin) };
}
