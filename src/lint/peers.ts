/** Peers that mean nobody, addresses that never match, and what `world` leaves out. */
import { type Diagnostic, diagnostic } from "../base/diagnostic.ts";
import {
  type AddressSet,
  addressIntersect,
  addressSet,
  addressSubtract,
  ALL_ADDRESSES,
  hostPrefix,
  prefixRange,
} from "../net/address.ts";
import { RELEASES, settingsOf } from "../policy/cilium/settings.ts";
import type { Peer, Selector } from "../policy/rule.ts";
import { matchesSelector } from "../policy/selector.ts";
import { meansAbsentPods } from "../reach/pods-apart.ts";
import { few, type LintContext, type RuleOf, objectText, placeOfPolicy, placeOfRule, ruleText } from "./context.ts";

/** BH140, BH141: peers that select nothing in the input. */
export function* emptyPeers(context: LintContext): Iterable<Diagnostic> {
  for (const { policy, rule } of context.rules()) {
    for (const peer of rule.peers) {
      if (peer.kind !== "labels" || meansSomebody(context, peer)) continue;
      if (meansAbsentPods(context.engine, peer.selector)) continue;
      const elsewhere = inOtherNamespaces(context, peer.selector);
      const text = selectorText(peer.selector);
      if (elsewhere.length > 0) {
        const message = `${ruleText(rule.origin)}: no pod with ${text} is in namespace ${soughtIn(peer.selector) ?? policy.namespace ?? "?"}; such pods are ${few(elsewhere)}`;
        yield diagnostic("BH141", message, placeOfRule(rule.origin));
      } else
        yield diagnostic(
          "BH140",
          `${ruleText(rule.origin)}: nothing in the input is ${text}`,
          placeOfRule(rule.origin),
        );
    }
  }
}

/** BH128: selectors on labels that Cilium does not keep as identity. */
export function* droppedLabels(context: LintContext): Iterable<Diagnostic> {
  const release = RELEASES.find((one) => context.engine.options.dialect.name === `cilium@${one}`);
  if (release === undefined) return;
  const { podLabels } = settingsOf(release, context.engine.world);
  const dropped = (selector: Selector): string | undefined =>
    selector.find((term) => (term.source === "any" || term.source === "k8s") && !podLabels.keeps("k8s", term.key))?.key;
  for (const policy of context.engine.policies.policies) {
    if (policy.document === undefined || policy.kind === "NetworkPolicy") continue;
    const key = policy.subject.target === "endpoint" ? dropped(policy.subject.selector) : undefined;
    if (key !== undefined) {
      const message = `${objectText(policy)} selects by the label ${key}, which Cilium does not keep: no identity has it`;
      yield diagnostic("BH128", message, placeOfPolicy(policy));
    }
    for (const rule of policy.rules) {
      for (const peer of rule.peers) {
        const asked = peer.kind === "labels" ? dropped(peer.selector) : undefined;
        if (asked === undefined) continue;
        const message = `${ruleText(rule.origin)} asks for the label ${asked}, which Cilium does not keep: no identity has it`;
        yield diagnostic("BH128", message, placeOfRule(rule.origin));
      }
    }
  }
}

/** Whether the peer is, or may be, some end of the input. */
function meansSomebody(context: LintContext, peer: Peer): boolean {
  const { matching } = context.engine.connections;
  // Reserved ends and the outside are not in the input and exist all the same.
  const [first] = context.units;
  const self = first === undefined ? undefined : context.viewOf(first.endpoint);
  if (self === undefined) return true;
  if (peer.kind === "labels" && asksReserved(peer.selector)) return true;
  return context.others.some((other) => matching.peer(peer, context.viewOf(other), self, []).may !== 0);
}

function asksReserved(selector: Selector): boolean {
  return selector.some(
    (term) => term.source === "reserved" || term.source === "node" || term.key === "local-node" || term.key === "node",
  );
}

const NAMESPACE_KEYS: readonly string[] = ["io.kubernetes.pod.namespace", "namespace", "kubernetes.io/metadata.name"];

function isNamespaceTerm(term: Selector[number]): boolean {
  return (
    NAMESPACE_KEYS.includes(term.key) || term.source === "ns" || term.key.startsWith("io.cilium.k8s.namespace.labels.")
  );
}

function soughtIn(selector: Selector): string | undefined {
  return selector.find((term) => isNamespaceTerm(term) && term.values.length === 1)?.values[0];
}

/** Namespaces of pods that carry the labels of the peer, were it not for its namespace. */
function inOtherNamespaces(context: LintContext, selector: Selector): readonly string[] {
  const rest = selector.filter((term) => !isNamespaceTerm(term));
  const isTelling = rest.some((term) => term.operator === "In" && term.source !== "is");
  if (rest.length === selector.length || !isTelling) return [];
  return context.units
    .filter(
      (unit) =>
        unit.endpoint.kind === "pod" && matchesSelector(rest, context.viewOf(unit.endpoint).identity.labels) === "yes",
    )
    .map((unit) => unit.name);
}

export function selectorText(selector: Selector): string {
  const terms = selector
    .filter((term) => term.source !== "is")
    .map((term) => {
      const key = isNamespaceTerm(term) && !term.key.includes("labels.") ? "namespace" : term.key;
      switch (term.operator) {
        case "In":
          return `${key}=${term.values.join("|")}`;
        case "NotIn":
          return `${key}≠${term.values.join("|")}`;
        case "Exists":
          return key;
        case "DoesNotExist":
          return `no ${key}`;
      }
    });
  return terms.length === 0 ? "a pod" : [...new Set(terms)].join(",");
}

// ── addresses ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** BH155: address rules of Cilium that cover pods, nodes or Services. */
export function* coveringCidrs(context: LintContext): Iterable<Diagnostic> {
  const inside = insideAddresses(context);
  for (const { rule } of context.rules()) {
    for (const peer of rule.peers) {
      if (peer.kind !== "addresses" || peer.scope !== "outside" || isEverything(peer.addresses)) continue;
      const met = inside.filter(({ addresses }) => addressIntersect(peer.addresses, addresses).length > 0);
      if (met.length === 0) continue;
      const what = met.map((one) => one.what).join(" and ");
      yield diagnostic(
        "BH155",
        `${ruleText(rule.origin)} covers addresses of ${what}, which an address rule never matches`,
        placeOfRule(rule.origin),
      );
      break;
    }
  }
}

function insideAddresses(context: LintContext): readonly { readonly what: string; readonly addresses: AddressSet }[] {
  const { world } = context.engine;
  const { addressPlan: plan } = world;
  const pods = context.units.flatMap((unit) =>
    unit.endpoint.kind === "pod" ? unit.group.workload.pods.flatMap((pod) => pod.addresses) : [],
  );
  const services = world.services.flatMap((service) => service.clusterIPs);
  const nodes = world.nodes.flatMap((node) => node.addresses);
  const set = (known: AddressSet, more: typeof pods): AddressSet =>
    addressSet([...known, ...more.map((a) => prefixRange(hostPrefix(a)))]);
  return [
    { what: "pods", addresses: set(plan.pods, pods) },
    { what: "Services", addresses: set(plan.services, services) },
    { what: "nodes", addresses: set(plan.nodes, nodes) },
  ];
}

function isEverything(addresses: AddressSet): boolean {
  const families = new Set(addresses.map((range) => range.family));
  return (
    addressSubtract(
      ALL_ADDRESSES.filter((range) => families.has(range.family)),
      addresses,
    ).length === 0
  );
}

/** BH156: policies whose only way out, or in, is `world` or 0.0.0.0/0. */
export function* worldAlone(context: LintContext): Iterable<Diagnostic> {
  if (!context.isCilium) return;
  for (const policy of context.engine.policies.policies) {
    for (const direction of ["ingress", "egress"] as const) {
      const allows = policy.rules.filter((rule) => rule.direction === direction && rule.action === "allow");
      const worldly = allows.filter((rule) => rule.peers.length > 0 && rule.peers.every(isWorld));
      const [first] = worldly;
      if (first === undefined || policy.isolation[direction] !== "closed") continue;
      const others = allows.filter((rule) => !worldly.includes(rule) && !isDnsOnly({ policy, rule }));
      if (others.length > 0) continue;
      const message = `${ruleText(first.origin)} is all that ${objectText(policy)} allows for ${direction}: pods, nodes and Services of the cluster are not in it`;
      yield diagnostic("BH156", message, placeOfRule(first.origin));
    }
  }
}

function isWorld(peer: Peer): boolean {
  if (peer.kind === "addresses") return peer.scope === "outside" && isEverything(peer.addresses);
  return (
    peer.kind === "labels" &&
    peer.selector.some(
      (term) => term.source === "reserved" && term.key.startsWith("world") && term.operator !== "NotIn",
    )
  );
}

export function isDnsOnly({ rule }: RuleOf): boolean {
  return (
    rule.traffic.length > 0 &&
    rule.traffic.every((t) => t.match.kind === "ports" && t.match.first === 53 && t.match.last === 53)
  );
}
