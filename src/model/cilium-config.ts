/** The ConfigMap that configures Cilium (cilium.md 1.1), and the address ranges that it declares. */
import type { Cursor } from "../documents/cursor.ts";
import { type Prefix, parsePrefix } from "../net/address.ts";

export const CILIUM_CONFIG_NAME = "cilium-config";

/** Whether a ConfigMap is the one that Cilium reads. */
export function isCiliumConfig(namespace: string, name: string): boolean {
  return namespace === "kube-system" && name === CILIUM_CONFIG_NAME;
}

/** The settings by key; none when the ConfigMap is empty. Reports values that are no text (BH203). */
export function decodeCiliumConfig(object: Cursor): ReadonlyMap<string, string> {
  return object.field("data").stringMap() ?? new Map<string, string>();
}

/**
 * The ranges from which Cilium takes the addresses of pods.
 *
 * Takes the settings. Returns the ranges of the cluster pool; none where another scheme hands out addresses.
 */
export function clusterPool(config: ReadonlyMap<string, string>): readonly Prefix[] {
  const scheme = config.get("ipam") ?? "cluster-pool";
  if (scheme !== "cluster-pool") return [];
  return ["cluster-pool-ipv4-cidr", "cluster-pool-ipv6-cidr"].flatMap((key) =>
    (config.get(key) ?? "").split(/[\s,]+/).flatMap((text) => parsePrefix(text) ?? []),
  );
}
