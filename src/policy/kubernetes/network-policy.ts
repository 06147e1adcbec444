/**
 * NetworkPolicy (networking.k8s.io/v1) as written: validated as the API server does (kubernetes.md 1.11), with nothing
 * defaulted that a dialect might read in its own way. The kubernetes dialect and the Cilium dialect both start from
 * this form.
 */
import type { Diagnostic } from "../../base/diagnostic.ts";
import type { Document, Path } from "../../documents/document.ts";
import type { Prefix } from "../../net/address.ts";
import type { PortProtocol } from "../../net/protocol.ts";
import type { LabelSelector } from "./label-selector.ts";

export type PolicyType = "Ingress" | "Egress";

/** One NetworkPolicy that the API server accepts. */
export interface NetworkPolicyObject {
  readonly document: Document;
  /** `default` where the manifest names none. */
  readonly namespace: string;
  readonly name: string;
  /** Path of the spec; its parts carry paths of their own. */
  readonly path: Path;
  /** Absent in the manifest: every pod of the namespace, an empty selector (K8-13). */
  readonly podSelector: LabelSelector;
  /** As written; absent where the manifest has none, null or `[]` (K8-05, K8-06). Never empty. May hold duplicates. */
  readonly policyTypes?: readonly PolicyType[];
  /** As written; absent for an absent or null list, `[]` for an empty one (K8-09). */
  readonly ingress?: readonly NetworkPolicyRule[];
  /** As written; absent for an absent or null list, `[]` for an empty one (K8-10). */
  readonly egress?: readonly NetworkPolicyRule[];
}

/** One entry of `ingress` or `egress`. */
export interface NetworkPolicyRule {
  readonly path: Path;
  /** `from` or `to` as written; absent and `[]` both mean any peer (K8-11). */
  readonly peers?: readonly NetworkPolicyPeer[];
  /** As written; absent and `[]` both mean any port of any protocol (K8-12). */
  readonly ports?: readonly NetworkPolicyPort[];
}

/** One entry of `from` or `to`. */
export type NetworkPolicyPeer =
  /** At least one of the two selectors is there; a missing one is not the same as an empty one (K8-01). */
  | {
      readonly kind: "selectors";
      readonly path: Path;
      readonly podSelector?: LabelSelector;
      readonly namespaceSelector?: LabelSelector;
    }
  | {
      readonly kind: "ipBlock";
      readonly path: Path;
      /** Host bits cleared (K8-69). */
      readonly cidr: Prefix;
      /** Strictly inside `cidr` (K8-59); may overlap. Empty for absent (K8-14). */
      readonly except: readonly Prefix[];
    };

/** One entry of `ports`. */
export interface NetworkPolicyPort {
  readonly path: Path;
  /** TCP where the manifest names none (K8-12). */
  readonly protocol: PortProtocol;
  /** A number, a container port's name, or absent: every port of the protocol. */
  readonly port?: number | string;
  /** Only with a number; inclusive, not below it (K8-28, K8-51). */
  readonly endPort?: number;
}

/** What became of one object: the decoded form unless it is refused. */
export interface Decoded<T> {
  /** Absent exactly where the object is refused. */
  readonly value?: T;
  readonly diagnostics: readonly Diagnostic[];
  /**
   * Whether the API server refuses the object. Unknown fields are errors that do not refuse: the server prunes them
   * unless the client asks it to be strict (K8-68), and the form is what is left.
   */
  readonly refused: boolean;
}
