import type { KubeObject } from "./objects.ts";
import { type Dialect, releaseOf } from "./options.ts";
import { labelsOf } from "./values.ts";

/** The keys of ConfigMap `kube-system/cilium-config` that change verdicts, with their defaults (1.1). */
export interface CiliumSettings {
  /** Minor release: 17, 18 or 19. */
  readonly release: number;
  /** `enable-policy` (R4.3.1). */
  readonly enforcement: "default" | "always" | "never";
  /** `allow-localhost`: `auto` is `always` on Kubernetes (R9.1). */
  readonly allowLocalhost: boolean;
  /** `policy-cidr-match-mode: nodes` (R3.2.4). */
  readonly cidrMatchesNodes: boolean;
  /** `policy-default-local-cluster`: unknown in 1.17, off in 1.18, on in 1.19 (R2.3.2e). */
  readonly localClusterOnly: boolean;
  readonly clusterName: string;
  /** `labels`: the user's patterns for identity labels (3.1). */
  readonly labelPatterns: readonly string[];
  readonly l7Proxy: boolean;
  readonly hostFirewall: boolean;
  readonly icmpRules: boolean;
  /** `enable-non-default-deny-policies` (R4.3.6). */
  readonly nonDefaultDeny: boolean;
  readonly nodeSelectorLabels: boolean;
  readonly extendedProtocols: boolean;
  /** Both families on: `reserved:world` becomes `world-ipv4` and `world-ipv6` (3.2). */
  readonly dualStack: boolean;
  /** `policy-audit-mode` (R4.3.9). */
  readonly audit: boolean;
  readonly networkPolicies: boolean;
  readonly namespacedPolicies: boolean;
  readonly clusterwidePolicies: boolean;
  /** How traffic goes between nodes: tunnelled unless `routing-mode` says native; not told without any ConfigMap (R8.4). */
  readonly routing: "native" | "tunnel" | "untold";
  /** Protocols whose client address is kept, by `bpf-lb-mode` (R8.4). */
  readonly directReturn: readonly string[];
  /** Undefined: not told (R8.1). */
  readonly kubeProxyReplacement: boolean | undefined;
  /** `http-normalize-path` (R6.1.6). */
  readonly normalizePaths: boolean;
}

export function ciliumSettings(objects: readonly KubeObject[], dialect: Dialect): CiliumSettings {
  const map = objects.find(
    (object) => object.kind === "ConfigMap" && object.namespace === "kube-system" && object.name === "cilium-config",
  );
  const data = labelsOf(map?.fields["data"]);
  const flag = (key: string, standard: boolean) => {
    const value = data.get(key)?.trim().toLowerCase();
    return value === undefined || value === "" ? standard : value === "true";
  };
  const release = releaseOf(dialect);
  const enforcement = data.get("enable-policy")?.trim().toLowerCase();
  return {
    release,
    enforcement: enforcement === "always" || enforcement === "never" ? enforcement : "default",
    allowLocalhost: data.get("allow-localhost")?.trim() !== "policy",
    cidrMatchesNodes: (data.get("policy-cidr-match-mode") ?? "").split(/[\s,]+/).includes("nodes"),
    localClusterOnly: release >= 18 && flag("policy-default-local-cluster", release >= 19),
    clusterName: data.get("cluster-name")?.trim() || "default",
    labelPatterns: (data.get("labels") ?? "").split(/\s+/).filter((pattern) => pattern !== ""),
    l7Proxy: flag("enable-l7-proxy", true),
    hostFirewall: flag("enable-host-firewall", false),
    icmpRules: flag("enable-icmp-rules", true),
    nonDefaultDeny: flag("enable-non-default-deny-policies", true),
    nodeSelectorLabels: flag("enable-node-selector-labels", false),
    extendedProtocols: flag("enable-extended-ip-protocols", false),
    dualStack: flag("enable-ipv4", true) && flag("enable-ipv6", false),
    audit: flag("policy-audit-mode", false),
    networkPolicies: flag("enable-k8s-networkpolicy", true),
    namespacedPolicies: flag("enable-cilium-network-policy", true),
    clusterwidePolicies: flag("enable-cilium-clusterwide-network-policy", true),
    routing: map === undefined ? "untold" : data.get("routing-mode")?.trim() === "native" ? "native" : "tunnel",
    directReturn: directReturnOf(data.get("bpf-lb-mode")?.trim()),
    kubeProxyReplacement: replacementOf(data.get("kube-proxy-replacement")?.trim()),
    normalizePaths: flag("http-normalize-path", true),
  };
}

function directReturnOf(mode: string | undefined): readonly string[] {
  if (mode === "dsr") return ["TCP", "UDP", "SCTP"];
  return mode === "hybrid" ? ["TCP"] : [];
}

function replacementOf(setting: string | undefined): boolean | undefined {
  if (setting === "true" || setting === "strict") return true;
  return setting === "false" || setting === "disabled" ? false : undefined;
}
