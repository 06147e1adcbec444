/** What every policy object carries beside its spec. */
import type { Cursor } from "../../documents/cursor.ts";
import { subdomainProblem } from "../../model/label-syntax.ts";
import { invalid } from "./refusals.ts";

const OBJECT_FIELDS = ["apiVersion", "kind", "metadata", "spec", "status"] as const;

/** Fields of ObjectMeta (meta/v1), those included that only the server or older releases write. */
const METADATA_FIELDS = [
  "name",
  "namespace",
  "labels",
  "annotations",
  "generateName",
  "ownerReferences",
  "finalizers",
  "uid",
  "resourceVersion",
  "generation",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "managedFields",
  "selfLink",
  "clusterName",
] as const;

/** A DNS-1123 label. */
const NAMESPACE = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;
const NAMESPACE_RULE =
  "must be no more than 63 lower case alphanumeric characters or '-', and begin and end with an alphanumeric character";

/**
 * Checks the fields of the object and of its metadata, its name (K8-67) and its namespace.
 *
 * Takes the cursor on the whole object.
 */
export function checkObject(root: Cursor): void {
  root.unknownFields(OBJECT_FIELDS);
  const metadata = root.field("metadata");
  metadata.unknownFields(METADATA_FIELDS);
  const name = metadata.field("name").string();
  const nameProblem = name === undefined ? undefined : subdomainProblem(name);
  if (name !== undefined && nameProblem !== undefined) invalid(metadata.field("name"), name, nameProblem);
  const namespace = metadata.field("namespace").string() ?? "";
  if (namespace !== "" && (namespace.length > 63 || !NAMESPACE.test(namespace)))
    invalid(metadata.field("namespace"), namespace, NAMESPACE_RULE);
}
