/** Small plans and rulesets for the lab's tests. */

import { type Plan, type PlannedPod, type PlannedService, RESERVED_IDENTITY } from "../../src/lab/plan.ts";
import type { RulesetEntry, Ruleset, SubjectRules } from "../../src/lab/ruleset.ts";

export const EMPTY: Plan = {
  nodes: [{ name: "node-1", addresses: ["192.168.50.1"], identity: RESERVED_IDENTITY.remoteNode }],
  pods: [],
  services: [],
  ingress: null,
  dns: null,
  outside: [],
  world: { ipv4: RESERVED_IDENTITY.world, ipv6: RESERVED_IDENTITY.world },
};

export function pod(name: string, identity: number, address: string, tweak: Partial<PlannedPod> = {}): PlannedPod {
  const namespace = name.split("/")[0] ?? "";
  return {
    name,
    namespace,
    identity,
    labels: {},
    addresses: [address],
    hostNetwork: false,
    node: "node-1",
    ports: [],
    ...tweak,
  };
}

export const HTTP = { name: "http", protocol: "TCP", port: 80 } as const;

export function service(
  name: string,
  clusterIP: string,
  backends: readonly PlannedPod[],
  port = 80,
  targetPort = port,
): PlannedService {
  const [namespace = "", own = ""] = name.split("/");
  const targets = backends.flatMap((backend) =>
    backend.addresses.map((address) => ({ pod: backend.name, address, port: targetPort })),
  );
  return {
    namespace,
    name: own,
    clusterIPs: [clusterIP],
    loadBalancerIPs: [],
    endpoints: [],
    ports: [{ name: "http", protocol: "TCP", port, backends: targets }],
  };
}

/** The story: two applications, each a service and a client; an Ingress with a host for each. */
export function twoApplications(): Plan {
  const serviceA = pod("default/service-a", 1001, "10.0.0.1", {
    labels: { org: "application-a", class: "service-a" },
    ports: [HTTP],
  });
  const clientA = pod("default/client-a", 1002, "10.0.0.2", { labels: { org: "application-a", class: "client-a" } });
  const serviceB = pod("default/service-b", 1003, "10.0.0.3", {
    labels: { org: "application-b", class: "service-b" },
    ports: [HTTP],
  });
  const clientB = pod("default/client-b", 1004, "10.0.0.4", { labels: { org: "application-b", class: "client-b" } });
  const path = (name: string) => [{ path: "/", pathType: "Prefix", service: `default/${name}`, port: 80 } as const];
  return {
    ...EMPTY,
    pods: [serviceA, clientA, serviceB, clientB],
    services: [
      service("default/service-a", "10.96.0.1", [serviceA]),
      service("default/service-b", "10.96.0.2", [serviceB]),
    ],
    ingress: {
      identity: RESERVED_IDENTITY.ingress,
      addresses: ["10.0.0.200"],
      node: "node-1",
      loadBalancerIPs: ["192.0.2.10"],
      rules: [
        { host: "a.example", paths: path("service-a") },
        { host: "b.example", paths: path("service-b") },
      ],
    },
    dns: {
      clusterIPs: ["10.96.0.10"],
      domain: "cluster.local",
      pod: {
        name: "kube-system/coredns",
        identity: 1005,
        labels: { "k8s-app": "kube-dns" },
        addresses: ["10.0.0.53"],
        node: "node-1",
      },
    },
  };
}

export function entry(tweak: Partial<RulesetEntry> = {}): RulesetEntry {
  return {
    action: "allow",
    peer: { kind: "any" },
    traffic: { protocol: "any" },
    origin: "CiliumNetworkPolicy/default/p#ingress[0]",
    ...tweak,
  };
}

export function ingress(
  identity: number,
  entries: readonly RulesetEntry[],
  tweak: Partial<SubjectRules> = {},
): SubjectRules {
  return {
    identity,
    direction: "ingress",
    isolated: true,
    isolatedBy: ["CiliumNetworkPolicy/default/p"],
    entries,
    ...tweak,
  };
}

export function egress(
  identity: number,
  entries: readonly RulesetEntry[],
  tweak: Partial<SubjectRules> = {},
): SubjectRules {
  return { ...ingress(identity, entries), direction: "egress", ...tweak };
}

export function rules(...subjects: readonly SubjectRules[]): Ruleset {
  return { subjects, policies: [...new Set(subjects.flatMap((subject) => subject.isolatedBy))] };
}

/** Only application A's client may reach service A. */
export const SEGREGATED: Ruleset = rules(
  ingress(
    1001,
    [
      entry({
        peer: { kind: "identities", identities: [1002] },
        traffic: { protocol: "TCP", ports: { first: 80, last: 80 } },
        origin: "CiliumNetworkPolicy/default/service-a#ingress[0]",
      }),
    ],
    { isolatedBy: ["CiliumNetworkPolicy/default/service-a"] },
  ),
);
