/** Settings of the agent that change verdicts: keys of the ConfigMap `cilium-config`, with defaults by release (cilium.md 1.1). */
import { type Diagnostic, diagnostic } from "../../base/diagnostic.ts";
import type { World } from "../../model/world.ts";
import { type LabelFilter, labelFilter } from "./label-filter.ts";

export const RELEASES = ["1.17", "1.18", "1.19"] as const;
export type Release = (typeof RELEASES)[number];
export const NEWEST_RELEASE: Release = "1.19";

/** Whether a release is this one or a later one. */
export function since(release: Release, first: Release): boolean {
  return RELEASES.indexOf(release) >= RELEASES.indexOf(first);
}

export interface Settings {
  readonly release: Release;
  /** `enable-policy` (R4.3.1). */
  readonly enforcement: "default" | "always" | "never";
  /** `allow-localhost` other than `policy`: the pod's own node may always reach it (R9.1). */
  readonly allowLocalhost: boolean;
  /** `policy-cidr-match-mode` holds `nodes` (R3.2.4). */
  readonly cidrMatchesNodes: boolean;
  /** `policy-default-local-cluster`: since 1.18, on by default since 1.19 (R2.3.2e). */
  readonly localClusterOnly: boolean;
  readonly clusterName: string;
  /** `labels`: which pod labels count (3.1). */
  readonly podLabels: LabelFilter;
  /** `node-labels`: which node labels count for `fromNodes` and `toNodes`; all by default. */
  readonly nodeLabels: LabelFilter;
  readonly l7Proxy: boolean;
  readonly hostFirewall: boolean;
  readonly icmpRules: boolean;
  /** Whether `enableDefaultDeny` is heeded (R4.3.6). */
  readonly nonDefaultDeny: boolean;
  /** Whether node identities carry node labels (R2.3.3, V15). */
  readonly nodeSelectorLabels: boolean;
  /** VRRP, IGMP and ports left out (R5.1, V7). */
  readonly extendedProtocols: boolean;
  readonly audit: boolean;
  /** `http-normalize-path` (R6.1.6). */
  readonly normalizePaths: boolean;
  /** `tofqdns-min-ttl`: seconds that a learned address stays at least (R7.3.4). */
  readonly minimumTtl: number;
  /** `tofqdns-dns-reject-response-code` (R7.2.4). */
  readonly lookupRefusal: "refused" | "nameerror";
  /** Families of the cluster; `unknown` where no setting tells (3.2: dual stack parts the world in two). */
  readonly stack: "single" | "dual" | "unknown";
  readonly kubernetesPolicies: boolean;
  readonly namespacedPolicies: boolean;
  readonly clusterwidePolicies: boolean;
}

/** As Go's `strconv.ParseBool`. */
const TRUE = ["1", "t", "T", "TRUE", "true", "True"];
const FALSE = ["0", "f", "F", "FALSE", "false", "False"];

const NOTHING: ReadonlyMap<string, string> = new Map();

/** Reads the settings, and what in them is not understood. */
function parse(release: Release, config: ReadonlyMap<string, string>): { settings: Settings; problems: Diagnostic[] } {
  const problems: Diagnostic[] = [];
  const problem = (key: string, value: string, allowed: string): void => {
    problems.push(
      diagnostic(
        "BH126",
        `cilium-config: ${key} is ${JSON.stringify(value)}, which is not ${allowed}; the default holds`,
      ),
    );
  };
  const flag = (key: string, fallback: boolean): boolean => {
    const value = config.get(key)?.trim();
    if (value === undefined || value === "") return fallback;
    if (TRUE.includes(value)) return true;
    if (FALSE.includes(value)) return false;
    problem(key, value, "true or false");
    return fallback;
  };
  const choice = <const T extends string>(key: string, allowed: readonly T[], fallback: T): T => {
    const value = config.get(key)?.trim().toLowerCase();
    if (value === undefined || value === "") return fallback;
    const found = allowed.find((one) => one === value);
    if (found === undefined) problem(key, value, `one of ${allowed.join(", ")}`);
    return found ?? fallback;
  };
  const count = (key: string, fallback: number): number => {
    const value = config.get(key)?.trim();
    if (value === undefined || value === "") return fallback;
    if (/^[0-9]{1,9}$/.test(value)) return Number(value);
    problem(key, value, "a number of seconds");
    return fallback;
  };
  const words = (key: string): readonly string[] => (config.get(key) ?? "").split(/\s+/).filter((word) => word !== "");
  const filter = (key: string, withDefaults: boolean): LabelFilter => {
    const built = labelFilter(words(key), withDefaults);
    for (const text of built.broken) problem(key, text, "a list of regular expressions");
    return built;
  };
  const modes = (config.get("policy-cidr-match-mode") ?? "").split(/[\s,]+/).filter((mode) => mode !== "");
  for (const mode of modes) if (mode !== "nodes") problem("policy-cidr-match-mode", mode, "nodes");
  if (config.has("label-prefix-file"))
    problem("label-prefix-file", config.get("label-prefix-file") ?? "", "a file that the input holds");
  const settings: Settings = {
    release,
    enforcement: choice("enable-policy", ["default", "always", "never"], "default"),
    allowLocalhost: choice("allow-localhost", ["auto", "always", "policy"], "auto") !== "policy",
    cidrMatchesNodes: modes.includes("nodes"),
    localClusterOnly: since(release, "1.18") && flag("policy-default-local-cluster", since(release, "1.19")),
    clusterName: config.get("cluster-name")?.trim() || "default",
    podLabels: filter("labels", true),
    nodeLabels: filter("node-labels", false),
    l7Proxy: flag("enable-l7-proxy", true),
    hostFirewall: flag("enable-host-firewall", false),
    icmpRules: flag("enable-icmp-rules", true),
    nonDefaultDeny: flag("enable-non-default-deny-policies", true),
    nodeSelectorLabels: flag("enable-node-selector-labels", false),
    extendedProtocols: flag("enable-extended-ip-protocols", false),
    audit: flag("policy-audit-mode", false),
    normalizePaths: flag("http-normalize-path", true),
    minimumTtl: count("tofqdns-min-ttl", 0),
    lookupRefusal: choice("tofqdns-dns-reject-response-code", ["refused", "nameerror"], "refused"),
    stack:
      config.has("enable-ipv4") || config.has("enable-ipv6")
        ? flag("enable-ipv4", true) && flag("enable-ipv6", false)
          ? "dual"
          : "single"
        : "unknown",
    kubernetesPolicies: flag("enable-k8s-networkpolicy", true),
    namespacedPolicies: flag("enable-cilium-network-policy", true),
    clusterwidePolicies: flag("enable-cilium-clusterwide-network-policy", true),
  };
  return { settings, problems };
}

const cache = new WeakMap<ReadonlyMap<string, string>, Map<Release, Settings>>();

/** The settings that hold in a world, for a release. */
export function settingsOf(release: Release, world: Pick<World, "ciliumConfig">): Settings {
  const config = world.ciliumConfig ?? NOTHING;
  let byRelease = cache.get(config);
  if (byRelease === undefined) {
    byRelease = new Map();
    cache.set(config, byRelease);
  }
  let settings = byRelease.get(release);
  if (settings === undefined) {
    settings = parse(release, config).settings;
    byRelease.set(release, settings);
  }
  return settings;
}

/** What in the settings is not understood; the agent would not start with most of it. */
export function settingProblems(release: Release, world: Pick<World, "ciliumConfig">): readonly Diagnostic[] {
  return parse(release, world.ciliumConfig ?? NOTHING).problems;
}
