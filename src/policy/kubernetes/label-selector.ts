/** LabelSelector (meta/v1) as Kubernetes' own kinds and the network-policy-api write it (kubernetes.md 1.2, 1.11). */
import type { Path } from "../../documents/document.ts";

/** One term: an entry of `matchLabels` (as In with one value) or of `matchExpressions`. */
export interface LabelRequirement {
  readonly key: string;
  readonly operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
  /** At least one for In and NotIn, none for the others (K8-63, K8-64). */
  readonly values: readonly string[];
}

/** All terms must hold (K8-02); none matches everything (K8-01). */
export interface LabelSelector {
  readonly path: Path;
  readonly requirements: readonly LabelRequirement[];
}
