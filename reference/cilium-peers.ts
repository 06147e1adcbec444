import type { Block } from "./address-blocks.ts";
import { parsePrefix, parsePrefixOrAddress, type Prefix, showPrefix } from "./addresses.ts";
import {
  entitySelectors,
  equals,
  NAMESPACE_KEY,
  nodePeerSelector,
  peerSelector,
  type SourcedSelector,
} from "./cilium-selectors.ts";
import type { CiliumSettings } from "./cilium-settings.ts";
import type { Cluster } from "./cluster.ts";
import type { KubeObject } from "./objects.ts";
import type { ReasonCode } from "./reasons.ts";
import { readSelector, selects } from "./selectors.ts";
import { Unknowns } from "./unknowns.ts";
import { type Fields, fieldsOf, isFields, isGiven, itemsOf, textOf, textsOf } from "./values.ts";

/** One selector of an entry's L3 part. `key` is equal for equal selectors, as they share a filter (4.5). */
export type Peer =
  /** `constrained`: the wildcard of a NetworkPolicy is an item of fromEndpoints or toEndpoints (K4). */
  | { readonly kind: "any"; readonly key: string; readonly constrained?: true }
  /** `constrained`: an item of fromEndpoints or toEndpoints, to which requires are added (R4.7.1). */
  | { readonly kind: "labels"; readonly key: string; readonly selector: SourcedSelector; readonly constrained: boolean }
  | { readonly kind: "block"; readonly key: string; readonly block: Block }
  | { readonly kind: "name"; readonly key: string; readonly item: Fields }
  /** Addresses outside that the input does not tell: a group of a cloud, or a CIDR group that is not there. */
  | { readonly kind: "untold"; readonly key: string; readonly code: ReasonCode; readonly detail: string };

/**
 * The L3 part of an entry (2.4). `nobody`: a list is there and empty. `unset`: no list; with ports that is everybody,
 * without it is nobody. `unresolved`: Services or groups that come to nothing (R2.4.3).
 */
export type Peers = "nobody" | "unset" | { readonly unresolved: string } | readonly Peer[];

export interface PeerContext {
  readonly kind: string;
  readonly namespace: string;
  readonly subject: SourcedSelector;
  readonly settings: CiliumSettings;
  readonly cluster: Cluster;
  readonly groups: readonly KubeObject[];
  readonly isDeny: boolean;
}

export const ANY_ENDPOINT: Peer = { kind: "any", key: "any", constrained: true };

export function labelsPeer(selector: SourcedSelector, constrained: boolean): Peer {
  const terms = selector.map((item) => JSON.stringify(item)).sort();
  return { kind: "labels", key: `labels ${terms.join(" ")}`, selector, constrained };
}

export function blockPeer(block: Block): Peer {
  const key = `block ${showPrefix(block.cidr)} ${block.except.map(showPrefix).join(" ")}`;
  return { kind: "block", key, block };
}

/** The lists of section 1.4, with `from` or `to` before them. */
export function peersOf(entry: Fields, side: "from" | "to", context: PeerContext): Peers {
  const list = (name: string) => entry[`${side}${name}`];
  // 2.4: these five, when there and empty, select nobody.
  const emptied = ["Endpoints", "CIDR", "CIDRSet", "Entities", "Nodes"].some((name) => {
    const value = list(name);
    return Array.isArray(value) && value.length === 0;
  });
  if (emptied) return "nobody";
  const peers: Peer[] = [
    ...itemsOf(list("Endpoints")).map((item) =>
      labelsPeer(peerSelector(item, context.namespace, context.subject, context.settings), true),
    ),
    ...textsOf(list("Entities")).flatMap((entity) => entityPeers(entity, context.settings)),
    ...textsOf(list("CIDR")).flatMap((text) => {
      const cidr = parsePrefixOrAddress(text);
      return cidr === undefined ? [] : [blockPeer({ cidr, except: [] })];
    }),
    ...itemsOf(list("CIDRSet"))
      .filter(isFields)
      .flatMap((item) => cidrSetPeers(item, context)),
    ...itemsOf(list("Nodes")).map((item) => labelsPeer(nodePeerSelector(item), false)),
    ...itemsOf(list("FQDNs"))
      .filter(isFields)
      .map((item): Peer => ({ kind: "name", key: `name ${JSON.stringify(item)}`, item })),
  ];
  if (itemsOf(list("Groups")).length > 0) {
    const detail = JSON.stringify(list("Groups"));
    return [{ kind: "untold", key: `groups ${detail}`, code: "group-not-resolved", detail }];
  }
  if (itemsOf(list("Services")).length > 0) {
    // R8.3: the deny side is never resolved.
    const resolved = context.isDeny ? [] : itemsOf(list("Services")).flatMap((item) => servicePeers(item, context));
    return resolved.length > 0 ? resolved : { unresolved: JSON.stringify(list("Services")) };
  }
  // A CIDR group without prefixes selects nobody, though its list is not empty.
  const isListed = ["Endpoints", "CIDR", "CIDRSet", "Entities", "Nodes", "FQDNs"].some(
    (name) => itemsOf(list(name)).length > 0,
  );
  if (peers.length === 0) return isListed ? "nobody" : "unset";
  return peers;
}

/** 3.3. */
function entityPeers(entity: string, settings: CiliumSettings): readonly Peer[] {
  const selectors = entitySelectors(entity, settings);
  if (selectors === undefined) return [{ kind: "any", key: "any" }];
  return selectors.map((selector) => labelsPeer(selector, false));
}

/** A prefix, a CIDR group by name, or CIDR groups by label, each without its exceptions (R3.2.3). */
function cidrSetPeers(item: Fields, context: PeerContext): readonly Peer[] {
  const except = textsOf(item["except"])
    .map((text) => parsePrefix(text))
    .filter((prefix) => prefix !== undefined);
  const blocks = (prefixes: readonly Prefix[]) => prefixes.map((cidr) => blockPeer({ cidr, except }));
  const reference = textOf(item["cidrGroupRef"]);
  if (reference) {
    const group = context.groups.find((object) => object.name === reference);
    if (group === undefined)
      return [{ kind: "untold", key: `group ${reference}`, code: "cidr-group-missing", detail: reference }];
    return blocks(groupPrefixes(group));
  }
  if (isGiven(item["cidrGroupSelector"])) {
    const selector = readSelector(item["cidrGroupSelector"]);
    const unknowns = new Unknowns([]);
    return blocks(
      context.groups
        .filter((object) =>
          selects(selector, (key) => object.labels.get(key.replace(/^(any|cidrgroup):/, "")), unknowns),
        )
        .flatMap(groupPrefixes),
    );
  }
  const cidr = parsePrefix(textOf(item["cidr"]) ?? "");
  return cidr === undefined ? [] : blocks([cidr]);
}

function groupPrefixes(group: KubeObject): readonly Prefix[] {
  return textsOf(fieldsOf(group.fields["spec"])["externalCIDRs"])
    .map(parsePrefixOrAddress)
    .filter((prefix) => prefix !== undefined);
}

/** Services by name or by label: their selectors, or the addresses of those without one (R8.3). */
function servicePeers(value: unknown, context: PeerContext): readonly Peer[] {
  const byName = fieldsOf(fieldsOf(value)["k8sService"]);
  const bySelector = fieldsOf(fieldsOf(value)["k8sServiceSelector"]);
  const isByName = isGiven(fieldsOf(value)["k8sService"]);
  const namespace = textOf((isByName ? byName : bySelector)["namespace"]) ?? "";
  const selector = readSelector(bySelector["selector"]).map((item) => ({ ...item, key: plainKey(item.key) }));
  const unknowns = new Unknowns([]);
  return context.cluster.services
    .filter((service) => namespace === "" || service.namespace === namespace)
    .filter((service) =>
      isByName ? service.name === byName["serviceName"] : selects(selector, (key) => service.labels.get(key), unknowns),
    )
    .flatMap((service): readonly Peer[] => {
      if (service.selector.size === 0)
        return service.written.map(({ address }) =>
          blockPeer({
            cidr: { family: address.family, value: address.value, length: address.family === "IPv4" ? 32 : 128 },
            except: [],
          }),
        );
      const labels = [...service.selector].map(([key, text]) => equals("k8s", key, text));
      return [labelsPeer([...labels, equals("k8s", NAMESPACE_KEY, service.namespace)], true)];
    });
}

/** The source of a key does not matter for the labels of a Service. */
function plainKey(key: string): string {
  return key.slice(key.indexOf(":") + 1);
}
