/** Every code that a `because` can carry, and what it says. */
export const REASONS = {
  authentication: "allowed if the ends authenticate each other (R4.6.1)",
  "cidr-group-missing": "a CiliumCIDRGroup that is not in the input",
  "conflicting-rules": "rules that cannot be merged: the policy of before stays (R4.3.10)",
  "default-deny-off-l7": "HTTP rules without default deny in 1.17 (U7)",
  "foreign-endpoint": "an end that this dialect does not know",
  "foreign-policy": "a policy of another network or mesh",
  "group-not-resolved": "a group of a cloud: its addresses are not told",
  hairpin: "a pod that reaches itself through a Service (K8-44, R8.6)",
  "host-not-told": "the request does not say its host",
  "host-prefixes": "which prefixes the local host carries in match mode `nodes` is not told (U18)",
  "icmp-code": "ICMP type 3 passes with code 4, whatever the policies say (R4.4.3)",
  "init-container-port": "a named port of an init container (WL-14)",
  "kube-proxy-replacement": "who translates node and balancer addresses is not told (R8.1)",
  "local-redirect": "a CiliumLocalRedirectPolicy takes the connection elsewhere",
  "name-not-resolved": "the addresses of a name are not told (R7.3.5)",
  "named-port-ambiguous": "one pod gives a port name two numbers (U6)",
  "no-ingress-controller": "nothing that serves Ingress objects was found",
  "no-member": "the name covers nothing",
  "no-such-port": "the Service has no such port",
  "opaque-l7": "an application rule that cannot be judged offline",
  "pod-finished": "the pod has ended (K8-37)",
  "priority-conflict": "rules of equal priority disagree (CNP-20)",
  "protocol-undefined": "policies say nothing of this protocol (K8-33)",
  "secret-not-read": "the rule needs a Secret, and Secrets are not read",
  "service-address": "policy before or after translation of a Service address is undefined (K8-26)",
  "service-not-resolved": "toServices that come to nothing, with ports (R2.4.3, U3, U19)",
  "service-without-backends": "no backend of the Service is in the input",
  "source-ranges": "whether loadBalancerSourceRanges are implemented is not told (SVC-15)",
  "source-rewritten": "the source may be rewritten on the way (SVC-11, R8.4)",
  "too-many-unknowns": "too many untold facts to try them all",
  "undefined-domain-names": "domainNames without Accept (CNP-05)",
  "undefined-order": "policies of two API versions stand in one tier (CNP-35)",
  "traffic-policy": "whether traffic policy Local holds for pods is the proxy's own affair (SVC-14)",
  "unknown-address": "an address that is not told",
  "unknown-api-server": "where the API server runs is not told",
  "unknown-label": "a label whose value is not told (WL-12)",
  "unknown-node": "the node of a pod is not told",
  "unknown-service": "a Service address of no Service in the input",
} as const;

export type ReasonCode = keyof typeof REASONS;

/** Why an answer is not certain: a short code and the thing it is about. */
export interface Because {
  readonly code: ReasonCode;
  readonly detail: string;
}
