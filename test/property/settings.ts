/** The ConfigMap `cilium-config` at random (cilium.md 1.1). */
import fc from "fast-check";
import { type Fields, sometimes, weighted, withoutAbsent } from "./arbitraries.ts";

const SETTINGS: readonly (readonly [key: string, percent: number, values: readonly string[]])[] = [
  ["enable-policy", 25, ["default", "always", "always", "never"]],
  ["allow-localhost", 20, ["auto", "always", "policy", "policy"]],
  ["policy-cidr-match-mode", 20, ["nodes"]],
  ["policy-default-local-cluster", 15, ["true", "false"]],
  ["enable-host-firewall", 60, ["true", "true", "true", "false"]],
  ["enable-node-selector-labels", 50, ["true"]],
  ["enable-icmp-rules", 4, ["false"]],
  ["enable-non-default-deny-policies", 10, ["false"]],
  ["enable-extended-ip-protocols", 10, ["true"]],
  ["policy-audit-mode", 2, ["true"]],
  ["enable-k8s-networkpolicy", 3, ["false"]],
  ["enable-cilium-network-policy", 2, ["false"]],
  ["enable-cilium-clusterwide-network-policy", 2, ["false"]],
  [
    "labels",
    8,
    ["k8s:app k8s:tier", "k8s:!tier", "!tier", "app !app.kubernetes.io", "k8s:io\\.kubernetes\\.pod\\.namespace app"],
  ],
  ["cluster-name", 5, ["default", "other"]],
  ["enable-ipv6", 20, ["true"]],
];

/** Settings by key; none where the input has no such ConfigMap. */
export type Settings = Readonly<Record<string, unknown>> | undefined;

export const settings: fc.Arbitrary<Settings> = weighted<Settings>(
  [4, fc.constant(undefined)],
  [
    6,
    fc
      .tuple(...SETTINGS.map(([, percent, values]) => sometimes(percent, fc.constantFrom(...values))))
      .map((values) => withoutAbsent(SETTINGS.map(([key], i) => [key, values[i]])))
      // Which labels of an unknown node the filter would drop is not followed.
      .map((own) => (own["enable-host-firewall"] === "true" ? { ...own, labels: undefined } : own))
      .map((own) => withoutAbsent(Object.entries(own))),
  ],
);

export function configObject(data: NonNullable<Settings>): Fields {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "cilium-config", namespace: "kube-system" }, data };
}
