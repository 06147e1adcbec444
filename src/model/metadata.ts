/** What every object carries in `metadata` and the model reads: labels, annotations, owners. */
import type { Cursor } from "../documents/cursor.ts";
import type { Document } from "../documents/document.ts";
import { labelKeyProblem, labelValueProblem } from "./label-syntax.ts";

/** The controller that made an object. */
export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
}

/**
 * Decodes a mapping of labels.
 *
 * Takes the cursor on the mapping. Returns the labels, none when absent.
 * Reports values that are no text (BH203) and keys and values that break the rules (BH240), each at its place.
 */
export function decodeLabels(cursor: Cursor): ReadonlyMap<string, string> {
  const labels = cursor.stringMap() ?? new Map<string, string>();
  for (const [key, value] of labels) {
    const at = cursor.field(key);
    const keyProblem = labelKeyProblem(key);
    if (keyProblem !== undefined) at.error("BH240", `label key ${JSON.stringify(key)} ${keyProblem}`, { atKey: true });
    const valueProblem = labelValueProblem(value);
    if (valueProblem !== undefined) at.error("BH240", `label value ${JSON.stringify(value)} ${valueProblem}`);
  }
  return labels;
}

/** The annotation's text; `undefined` when absent or, reported, when it is no text. */
export function annotation(object: Cursor, name: string): string | undefined {
  return object.field("metadata").field("annotations").field(name).string();
}

/**
 * Finds who made an object.
 *
 * Takes the cursor on the object. Returns the reference that says `controller: true`, else the first; `undefined` when
 * there is none.
 */
export function ownerOf(object: Cursor): OwnerReference | undefined {
  let first: OwnerReference | undefined;
  for (const item of object.field("metadata").field("ownerReferences").list() ?? []) {
    const kind = item.required("kind").string();
    const name = item.required("name").string();
    if (kind === undefined || name === undefined) continue;
    const owner = { apiVersion: item.field("apiVersion").string() ?? "", kind, name };
    if (item.field("controller").boolean() === true) return owner;
    first ??= owner;
  }
  return first;
}

/** The API group of an apiVersion: `apps` of `apps/v1`, the empty text of `v1`. */
export function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf("/");
  return slash < 0 ? "" : apiVersion.slice(0, slash);
}

/** The version within its group: `v1` of `apps/v1` and of `v1`. */
export function versionOf(apiVersion: string): string {
  return apiVersion.slice(apiVersion.indexOf("/") + 1);
}

/** An object as people name it: `Kind/namespace/name`, or `Kind/name` for one without a namespace. */
export function objectName(document: Document, namespace: string | undefined): string {
  return namespace === undefined
    ? `${document.kind}/${document.name}`
    : `${document.kind}/${namespace}/${document.name}`;
}
