/** What the agent's settings tell of how it carries Services (cilium.md section 8). */
import type { Ternary } from "../../base/ternary.ts";
import type { World } from "../../model/world.ts";
import { PORT_PROTOCOLS, type PortProtocol } from "../../net/protocol.ts";
import type { CiliumServices, ServiceTraits } from "../service-traits.ts";

/**
 * Reads the settings. A ConfigMap that lacks a key has Cilium's default; without any ConfigMap nothing is known but what
 * holds everywhere.
 */
export function serviceTraits(world: Pick<World, "ciliumConfig">): ServiceTraits {
  const config = world.ciliumConfig;
  const value = (key: string): string => config?.get(key)?.trim().toLowerCase() ?? "";
  const off = (key: string): boolean => value(key) === "false";
  return {
    // R8.6: with translation at the socket none applies; with translation a packet explicit denies do.
    hairpin: ["none", "denies"],
    ownIngress: !(off("enable-ingress-controller") && off("enable-gateway-api")),
    // Both kube-proxy and its replacement turn other clients away.
    sourceRanges: "yes",
    cilium: {
      kubeProxyReplacement: replacement(value("kube-proxy-replacement")),
      routing: routing(config, value),
      directReturn: directReturn(value("bpf-lb-mode") || value("node-port-mode")),
    },
  };
}

function replacement(setting: string): Ternary {
  if (setting === "true" || setting === "strict") return "yes";
  return setting === "false" || setting === "disabled" ? "no" : "maybe";
}

function routing(config: World["ciliumConfig"], value: (key: string) => string): CiliumServices["routing"] {
  if (config === undefined) return "unknown";
  // Before 1.14 the setting was `tunnel: disabled`.
  return value("routing-mode") === "native" || value("tunnel") === "disabled" ? "native" : "tunnel";
}

function directReturn(mode: string): readonly PortProtocol[] {
  if (mode === "dsr") return PORT_PROTOCOLS;
  return mode === "hybrid" ? ["TCP"] : [];
}
