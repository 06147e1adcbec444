/** The few labels, ports and addresses of which everything is made, so that rules and flows meet. */

export const NAMESPACES = ["a", "b", "c"] as const;
/** The same with most things in the first, so that pods of one namespace meet. */
export const CROWDED_NAMESPACES = ["a", "a", "a", "a", "b", "b", "c"] as const;

export const NAMESPACE_LABELS: readonly (readonly [string, readonly string[]])[] = [
  ["team", ["red", "blue"]],
  ["env", ["prod", "test"]],
  ["kubernetes.io/zone", ["z1"]],
];

/** Labels of pods. Some are none of Cilium's identity labels (3.1). */
export const POD_LABELS: readonly (readonly [string, readonly string[]])[] = [
  ["app", ["x", "y", "z"]],
  ["app", ["x", "y"]],
  ["tier", ["front", "back", ""]],
  ["app.kubernetes.io/name", ["x", "y"]],
  ["kubernetes.io/role", ["x"]],
  ["topology.kubernetes.io/zone", ["z1", "z2"]],
];

export const NODE_LABELS: readonly (readonly [string, readonly string[]])[] = [
  ["role", ["edge", "worker"]],
  ["zone", ["z1", "z2"]],
  ["kubernetes.io/os", ["linux"]],
];

export const SERVICE_ACCOUNTS = ["robot", "default"] as const;

export const PORT_NAMES = ["web", "dns", "metrics", "admin"] as const;
export const PORT_NUMBERS = [80, 81, 53, 8080, 8081, 443, 9090, 1, 65535] as const;
export const PORT_PROTOCOLS = ["TCP", "UDP", "SCTP"] as const;

export const NODES = ["n1", "n2"] as const;

export const NODE_ADDRESSES: Readonly<Record<string, readonly [v4: string, v6: string]>> = {
  n1: ["10.0.0.1", "fd00:0:0:1::1"],
  n2: ["10.0.0.2", "fd00:0:0:1::2"],
};

/** Addresses of the pod with this index on this node. */
export function podAddresses(node: string, index: number): readonly [v4: string, v6: string] {
  const n = node === "n1" ? 1 : 2;
  return [`10.244.${n}.${index + 10}`, `fd00:244:0:${n}::${(index + 16).toString(16)}`];
}

export interface PrefixFamily {
  readonly outer: string;
  /** Strictly inside `outer`. */
  readonly inner: readonly string[];
}

export const OUTSIDE_PREFIXES: readonly PrefixFamily[] = [
  { outer: "203.0.113.0/24", inner: ["203.0.113.0/28", "203.0.113.8/29", "203.0.113.9/32", "203.0.113.128/25"] },
  { outer: "203.0.113.0/28", inner: ["203.0.113.8/29", "203.0.113.9/32", "203.0.113.15/32"] },
  { outer: "198.51.100.0/24", inner: ["198.51.100.0/25", "198.51.100.255/32"] },
  { outer: "0.0.0.0/0", inner: ["203.0.113.0/24", "10.0.0.0/8", "128.0.0.0/1"] },
  { outer: "2001:db8::/32", inner: ["2001:db8::/48", "2001:db8:0:1::/64", "2001:db8::9/128"] },
  { outer: "2001:db8::/64", inner: ["2001:db8::9/128", "2001:db8::/65"] },
  { outer: "::/0", inner: ["2001:db8::/32", "fd00::/8"] },
  { outer: "203.0.113.9/32", inner: [] },
  { outer: "2001:db8::9/128", inner: [] },
];

/** Prefixes in which pods, nodes and Services have their addresses. */
export const INSIDE_PREFIXES: readonly PrefixFamily[] = [
  { outer: "10.244.0.0/16", inner: ["10.244.1.0/24", "10.244.2.0/24", "10.244.1.10/31", "10.244.2.12/32"] },
  { outer: "10.244.1.0/24", inner: ["10.244.1.8/29", "10.244.1.10/32"] },
  { outer: "10.0.0.0/8", inner: ["10.244.0.0/16", "10.0.0.0/24", "10.96.0.0/12"] },
  { outer: "10.0.0.0/24", inner: ["10.0.0.1/32", "10.0.0.2/32"] },
  { outer: "10.0.0.1/32", inner: [] },
  { outer: "fd00::/16", inner: ["fd00:244::/32", "fd00:0:0:1::/64"] },
  { outer: "fd00:244:0:1::/64", inner: ["fd00:244:0:1::10/124", "fd00:244:0:1::10/128"] },
];

export const CIDR_GROUPS = ["g1", "g2"] as const;
export const CIDR_GROUP_LABELS: readonly (readonly [string, readonly string[]])[] = [["kind", ["office", "partner"]]];

export const SERVICE_NAMES = ["svc-x", "svc-y", "svc-out"] as const;
export const SERVICE_LABELS: readonly (readonly [string, readonly string[]])[] = [["expose", ["yes", "no"]]];
