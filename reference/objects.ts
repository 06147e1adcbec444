import { type Fields, fieldsOf, isFields, itemsOf, labelsOf, textOf } from "./values.ts";

/** One Kubernetes object, with nothing defaulted but its namespace. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  /** Empty for kinds of cluster scope. */
  readonly namespace: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly fields: Fields;
}

const CLUSTER_SCOPED: ReadonlySet<string> = new Set([
  "Namespace",
  "Node",
  "CiliumClusterwideNetworkPolicy",
  "CiliumCIDRGroup",
  "ClusterNetworkPolicy",
  "AdminNetworkPolicy",
  "BaselineAdminNetworkPolicy",
  "IngressClass",
  "GatewayClass",
  "CiliumNode",
  "CiliumIdentity",
  "CiliumEgressGatewayPolicy",
  "GlobalNetworkPolicy",
]);

/** Reads documents in order; a List counts as its items; a document without kind is no object. */
export function objectsOf(documents: readonly unknown[]): readonly KubeObject[] {
  return documents.flatMap((document) => {
    if (!isFields(document)) return [];
    const kind = textOf(document["kind"]);
    if (kind === undefined) return [];
    if (kind.endsWith("List") && Array.isArray(document["items"])) return objectsOf(itemsOf(document["items"]));
    const metadata = fieldsOf(document["metadata"]);
    return [
      {
        apiVersion: textOf(document["apiVersion"]) ?? "",
        kind,
        name: textOf(metadata["name"]) ?? "",
        namespace: CLUSTER_SCOPED.has(kind) ? "" : textOf(metadata["namespace"]) || "default",
        labels: labelsOf(metadata["labels"]),
        fields: document,
      },
    ];
  });
}

/** `Kind/ns/name`, or `Kind/name` for cluster scope. */
export function fullName(object: KubeObject): string {
  return object.namespace === ""
    ? `${object.kind}/${object.name}`
    : `${object.kind}/${object.namespace}/${object.name}`;
}

/** The API group, without the version. */
export function groupOf(object: KubeObject): string {
  const slash = object.apiVersion.indexOf("/");
  return slash < 0 ? "" : object.apiVersion.slice(0, slash);
}
