/** Namespaces: those of the input and those that its objects only name. */
import type { Cursor } from "../documents/cursor.ts";
import { decodeLabels } from "./metadata.ts";
import type { Namespace } from "./world.ts";

/** The label that the API server puts on every namespace (K8-04). */
export const NAME_LABEL = "kubernetes.io/metadata.name";

/**
 * Decodes a Namespace.
 *
 * Takes the cursor on the object. Returns the namespace with the label of its name, whatever the object says of it.
 * Reports labels that break the rules (BH240) and a name label that tells another name (BH312).
 */
export function decodeNamespace(object: Cursor): Namespace {
  const { name } = object.document;
  const at = object.field("metadata").field("labels");
  const labels = decodeLabels(at);
  const written = labels.get(NAME_LABEL);
  if (written !== undefined && written !== name)
    at.field(NAME_LABEL).report("BH312", `Namespace ${name}: the API server sets the label ${NAME_LABEL} to ${name}`);
  return { name, labels: new Map([...labels, [NAME_LABEL, name]]), declared: true, document: object.document };
}

/** A namespace of which the input has objects, but not the Namespace itself. */
export function synthesiseNamespace(name: string): Namespace {
  return { name, labels: new Map([[NAME_LABEL, name]]), declared: false };
}
