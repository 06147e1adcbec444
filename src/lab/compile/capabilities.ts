/** What the lab enforces of the rule form, and what it does not: the one table that refusals and documentation read. */

export const NOT_ENFORCED = {
  "http-rules": "HTTP rules are judged by a proxy, and the lab's does not speak HTTP yet",
  "open-http":
    "what HTTP rules without default deny do is told differently by the code and the documentation of this release",
  secrets: "the value of a header lies in a Secret, which is never read",
  "opaque-rules": "rules for a custom parser or listener are judged by nothing here",
  unresolved: "whom the rule means cannot be told from the input",
  "unknown-labels": "the rule asks for a label whose value only a cluster knows",
  authentication: "mutual authentication is not part of the lab",
  "undefined-order": "between two policies of an ordered tier no order is defined, so what decides is left open",
  "node-ports-beside-node-policies":
    "policies on nodes are not enforced where nodes also send on what comes from outside (NodePort or LoadBalancer, several nodes): the lab cannot tell the two apart",
  protocols: "the lab tells TCP, UDP, SCTP, ICMP and ICMPv6 apart, and no other protocol",
  "named-ports-of-addresses":
    "a port name together with an address prefix that pods may have is not enforced by the lab",
  "node-labels": "the rule tells nodes apart by labels, and the lab knows one's own node and the others only",
} as const;

export type NotEnforced = keyof typeof NOT_ENFORCED;
