import { type Block } from "./address-blocks.ts";
import { parsePrefixLeniently } from "./addresses.ts";
import { ANY_ENDPOINT, blockPeer, labelsPeer, type Peer, type Peers } from "./cilium-peers.ts";
import { NO_PROXY, type PortGroup, portItem } from "./cilium-ports.ts";
import type { Entry, Rule } from "./cilium-rules.ts";
import {
  clusterTerm,
  equals,
  exists,
  NAMESPACE_KEY,
  NAMESPACE_LABELS,
  type SourcedRequirement,
  type SourcedSelector,
} from "./cilium-selectors.ts";
import type { CiliumSettings } from "./cilium-settings.ts";
import { type Direction, policyTypes } from "./network-policies.ts";
import type { KubeObject } from "./objects.ts";
import { readSelector } from "./selectors.ts";
import { type Fields, fieldsOf, isGiven, itemsOf, textOf, textsOf, wholeOf } from "./values.ts";

/** A NetworkPolicy as Cilium translates it (10.1). */
export function translatedRule(object: KubeObject, settings: CiliumSettings): Rule {
  const spec = fieldsOf(object.fields["spec"]);
  const entries = (["ingress", "egress"] as const).flatMap((direction) =>
    translatedEntries(spec, direction, object, settings),
  );
  return {
    origin: object,
    subject: "endpoints",
    // K1.
    selector: [...withSource(spec["podSelector"]), equals("k8s", NAMESPACE_KEY, object.namespace)],
    entries,
    // R4.3.8.
    defaultDeny: {
      ingress: entries.some((entry) => entry.direction === "ingress"),
      egress: entries.some((entry) => entry.direction === "egress"),
    },
    requires: new Map(),
  };
}

/** Every entry counts, whatever policyTypes says; without entries a covered direction is closed (K2). */
function translatedEntries(
  spec: Fields,
  direction: Direction,
  object: KubeObject,
  settings: CiliumSettings,
): readonly Entry[] {
  const decider = (index: number) => ({
    kind: object.kind,
    namespace: object.namespace,
    name: object.name,
    section: direction,
    index,
  });
  const items = itemsOf(spec[direction]).map(fieldsOf);
  if (items.length > 0)
    return items.map((item, index) => ({
      decider: decider(index),
      direction,
      action: "allow",
      peers: translatedPeers(item[direction === "ingress" ? "from" : "to"], object.namespace, settings),
      groups: translatedPorts(item["ports"]),
      authentication: undefined,
    }));
  const types = policyTypes(spec);
  const closes =
    direction === "egress" ? types.includes("egress") : types.includes("ingress") || !types.includes("egress");
  if (!closes) return [];
  return [
    { decider: decider(-1), direction, action: "allow", peers: "nobody", groups: undefined, authentication: undefined },
  ];
}

/** K4: no peers, every identity. */
function translatedPeers(value: unknown, namespace: string, settings: CiliumSettings): Peers {
  const peers = itemsOf(value).map(fieldsOf);
  if (peers.length === 0) return [ANY_ENDPOINT];
  const translated = peers.flatMap((peer) => translatedPeer(peer, namespace, settings));
  return translated.length > 0 ? translated : "nobody";
}

/** K3, K5, K6 (as fixed). */
function translatedPeer(peer: Fields, namespace: string, settings: CiliumSettings): readonly Peer[] {
  if (isGiven(peer["ipBlock"])) {
    const block = fieldsOf(peer["ipBlock"]);
    const cidr = parsePrefixLeniently(textOf(block["cidr"]) ?? "");
    const except = textsOf(block["except"])
      .map(parsePrefixLeniently)
      .filter((prefix) => prefix !== undefined);
    const read: Block | undefined = cidr === undefined ? undefined : { cidr, except };
    return read === undefined ? [] : [blockPeer(read)];
  }
  const pods = withSource(peer["podSelector"]);
  const selector: SourcedSelector = isGiven(peer["namespaceSelector"])
    ? [...namespaceTerms(peer["namespaceSelector"]), ...pods]
    : [...pods, equals("k8s", NAMESPACE_KEY, namespace)];
  return [labelsPeer([...selector, ...clusterTerm(selector, settings)], true)];
}

/** Keys become labels of the namespace; `{}` is "has a namespace", a non-empty one adds no such term (K3). */
function namespaceTerms(value: unknown): SourcedSelector {
  const requirements = readSelector(value);
  if (requirements.length === 0) return [exists("k8s", NAMESPACE_KEY)];
  return requirements.map((item) => ({ ...item, source: "k8s", key: `${NAMESPACE_LABELS}.${item.key}` }));
}

function withSource(value: unknown): readonly SourcedRequirement[] {
  return readSelector(value).map((item) => ({ ...item, source: "k8s" }));
}

/** K7: TCP when no protocol is given; no port is every port of the protocol. */
function translatedPorts(value: unknown): readonly PortGroup[] | undefined {
  const ports = itemsOf(value).map(fieldsOf);
  if (ports.length === 0) return undefined;
  return ports.map((port) => {
    const text = isGiven(port["port"]) ? String(port["port"]) : "0";
    return {
      ports: [portItem(textOf(port["protocol"]) ?? "TCP", text, wholeOf(port["endPort"]) ?? 0)],
      proxy: NO_PROXY,
    };
  });
}
