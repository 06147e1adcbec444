/** `toServices`: Services as destinations, replaced by what stands behind them (cilium.md R8.3; `pkg/policy/k8s/service.go`). */
import type { Cursor } from "../../documents/cursor.ts";
import type { Service } from "../../model/world.ts";
import { hostPrefix } from "../../net/address.ts";
import type { Peer } from "../rule.ts";
import { matchesSelector, type Selector } from "../selector.ts";
import { prefixPeer } from "./addresses.ts";
import type { Context } from "./context.ts";
import { decodePlainSelector, isObject, servicePeer } from "./selector.ts";

/** An item of `toServices`; no peer where it matches no Service, or Services with nothing behind them. */
export function decodeService(item: Cursor, context: Context): readonly Peer[] {
  if (!isObject(item)) return [];
  item.unknownFields(["k8sService", "k8sServiceSelector"]);
  return [...byName(item.field("k8sService"), context), ...bySelector(item.field("k8sServiceSelector"), context)];
}

/** An empty namespace is every namespace, not that of the policy. */
function inNamespace(service: Service, namespace: string | undefined): boolean {
  return namespace === undefined || namespace === "" || service.namespace === namespace;
}

function byName(at: Cursor, context: Context): readonly Peer[] {
  if (at.object() === undefined) return [];
  at.unknownFields(["serviceName", "namespace"]);
  const name = at.field("serviceName").string() ?? "";
  const namespace = at.field("namespace").string();
  return peersOf(
    context.world.services.filter((service) => service.name === name && inNamespace(service, namespace)),
    context,
  );
}

function bySelector(at: Cursor, context: Context): readonly Peer[] {
  if (at.object() === undefined) return [];
  at.unknownFields(["selector", "namespace"]);
  const selector = decodePlainSelector(at.required("selector"));
  const namespace = at.field("namespace").string();
  if (selector === undefined) return [];
  return peersOf(
    context.world.services.filter((service) => inNamespace(service, namespace) && matchesService(selector, service)),
    context,
  );
}

function matchesService(selector: Selector, service: Service): boolean {
  const labels = new Map([...service.labels].map(([key, value]) => [`k8s:${key}`, value] as const));
  return matchesSelector(selector, labels) === "yes";
}

/** With a selector: the pods that it selects, on all ports. Without: its endpoints' addresses, which are no pods or nodes. */
function peersOf(services: readonly Service[], { world, settings }: Context): readonly Peer[] {
  return services.flatMap((service): Peer[] => {
    if (service.selector !== undefined && service.selector.size > 0)
      return [
        { kind: "labels", selector: servicePeer(service.namespace, service.selector, settings), constrained: true },
      ];
    return world.serviceEndpoints
      .filter((endpoints) => endpoints.namespace === service.namespace && endpoints.service === service.name)
      .flatMap((endpoints) => endpoints.addresses.map((address) => prefixPeer(hostPrefix(address), [], settings)));
  });
}
