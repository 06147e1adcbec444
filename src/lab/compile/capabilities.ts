/** What the lab enforces of the rule form, and what it does not: the one table that refusals and documentation read. */

export const ENFORCED = {
  directions:
    "ingress and egress of pods, of nodes (policies with a nodeSelector under the host firewall) and of the Ingress proxy",
  verdicts:
    "allow, deny over allow, default deny, and the tiers of ClusterNetworkPolicy and AdminNetworkPolicy with pass",
  peers:
    "labels of pods and namespaces, entities, addresses with exceptions, groups of addresses, Services of toServices",
  ports: "numbers, ranges and names of TCP, UDP and SCTP ports; types of ICMP and ICMPv6; IPv4 and IPv6",
  http: "requests of HTTP/1.1 and of HTTP/2 without TLS (gRPC) by method, path, host and headers, mismatch actions included, by a proxy",
  names: "names of DNS queries, the addresses that toFQDNs learns from their answers, server names of TLS, by a proxy",
  replies: "replies pass; every packet of the original direction is judged, so a new rule cuts open connections",
} as const;

export const NOT_ENFORCED = {
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
