/** Judges one flow by walking compiled rules, as plainly as can be: no sets, no classes, no caches. */
import { type Ternary, ternaryAnd, ternaryOf, ternaryOr } from "../../../src/base/ternary.ts";
import type { Document } from "../../../src/documents/document.ts";
import type { IdentityLabels } from "../../../src/model/labels.ts";
import type { ContainerPort, World } from "../../../src/model/world.ts";
import { type Address, addressSetHas } from "../../../src/net/address.ts";
import { PROTOCOLS, type Protocol } from "../../../src/net/protocol.ts";
import type { Dialect, Party } from "../../../src/policy/dialect.ts";
import { openKubernetes } from "../../../src/policy/kubernetes/dialect.ts";
import type { Direction, Peer, Policy, PortMatch, Rule } from "../../../src/policy/rule.ts";
import { matchesSelector } from "../../../src/policy/selector.ts";
import { address } from "./world.ts";

export type Verdict = "allow" | "deny" | "unsure";

interface End {
  readonly party: Party;
  readonly address: Address | undefined;
  readonly ports: readonly ContainerPort[];
}

const dialect: Dialect = openKubernetes();

/**
 * Asks whether a flow passes under the policies of the documents.
 *
 * Takes the ends as `ns/name` or an address, and the port as `8080`, `53/UDP` or `ICMP`.
 */
export function ask(documents: readonly Document[], world: World, from: string, to: string, port: string): Verdict {
  const policies = documents.flatMap((document) => dialect.compile(document, world).policies);
  const [number = "", text = "TCP"] = /^\d/.test(port) ? port.split("/") : ["0", port];
  const protocol = PROTOCOLS.find((known) => known === text);
  if (protocol === undefined) throw new Error(`no protocol: ${text}`);
  const verdicts = (["egress", "ingress"] as const).map((direction) =>
    decide({
      direction,
      policies,
      world,
      source: endOf(world, from, to),
      destination: endOf(world, to, from),
      protocol,
      port: Number(number),
    }),
  );
  if (verdicts.includes("deny")) return "deny";
  return verdicts.includes("unsure") ? "unsure" : "allow";
}

function endOf(world: World, text: string, other: string): End {
  if (!text.includes("/")) {
    const at = address(text);
    const node = world.nodes.find((one) => one.addresses.some((a) => a.value === at.value));
    if (node !== undefined)
      return { party: { kind: "node", node, local: nodeOf(world, other) === node.name }, address: at, ports: [] };
    return { party: { kind: "outside", family: at.family }, address: at, ports: [] };
  }
  const workload = world.workloads.find((one) => `${one.namespace}/${one.name}` === text);
  const pod = workload?.pods[0];
  if (workload === undefined || pod === undefined) throw new Error(`no pod ${text}`);
  const node = world.nodes.find((one) => one.name === pod.node);
  const party: Party = workload.hostNetwork
    ? { kind: "node", node, local: node !== undefined && nodeOf(world, other) === node.name }
    : { kind: "pod", workload, pod };
  return { party, address: pod.addresses[0], ports: workload.ports };
}

function nodeOf(world: World, text: string): string | undefined {
  return world.workloads.find((one) => `${one.namespace}/${one.name}` === text)?.pods[0]?.node;
}

interface Flow {
  readonly direction: Direction;
  readonly policies: readonly Policy[];
  readonly world: World;
  readonly source: End;
  readonly destination: End;
  readonly protocol: Protocol;
  readonly port: number;
}

/** CNP-18: tier by tier. */
function decide(flow: Flow): Verdict {
  const subject = flow.direction === "egress" ? flow.source : flow.destination;
  if (subject.party.kind !== "pod") return "allow";
  const labels = dialect.identify(subject.party, flow.world);
  const frame = dialect.frame(flow.world);
  for (const tier of frame.tiers) {
    const mine = flow.policies
      .filter((policy) => policy.tier === tier.name && matchesSelector(policy.subject.selector, labels) === "yes")
      .toSorted((a, b) => a.order - b.order);
    if (tier.mode === "ordered") {
      const verdict = walk(flow, labels, mine);
      if (verdict !== "next") return verdict;
    } else if (mine.some((policy) => policy.isolation[flow.direction] === "closed")) {
      const rules = [...mine.flatMap((policy) => policy.rules), ...frame.alwaysAllowed];
      const any = rules.reduce<Ternary>((found, rule) => ternaryOr(found, matches(flow, labels, rule)), "no");
      return any === "yes" ? "allow" : any === "maybe" ? "unsure" : "deny";
    }
  }
  return "allow";
}

/** The first rule that matches decides; where one maybe matches, both ways must come to the same end. */
function walk(flow: Flow, labels: IdentityLabels, policies: readonly Policy[]): Verdict | "next" {
  const from = (rules: readonly Rule[]): Verdict | "next" => {
    const [rule, ...rest] = rules;
    if (rule === undefined) return "next";
    const match = matches(flow, labels, rule);
    const decided = rule.action === "pass" ? "next" : rule.action;
    if (match === "yes") return decided;
    const otherwise = from(rest);
    return match === "no" || otherwise === decided ? otherwise : "unsure";
  };
  return from(policies.flatMap((policy) => policy.rules));
}

function matches(flow: Flow, labels: IdentityLabels, rule: Rule): Ternary {
  if (rule.direction !== flow.direction) return "no";
  const other = flow.direction === "egress" ? flow.destination : flow.source;
  const peer = rule.peers.reduce<Ternary>(
    (found, one) => ternaryOr(found, peerMatches(flow, labels, other, one)),
    "no",
  );
  return ternaryAnd(peer, ternaryOf(rule.traffic.some(({ match }) => portMatches(flow, match))));
}

function peerMatches(flow: Flow, subject: IdentityLabels, other: End, peer: Peer): Ternary {
  switch (peer.kind) {
    case "any":
      return "yes";
    case "labels": {
      const labels = dialect.identify(other.party, flow.world);
      const same = (key: string): boolean => labels.get(key) === subject.get(key);
      const carried = [...(peer.same ?? []), ...(peer.notSame ?? [])].every((k) => labels.has(k) && subject.has(k));
      const compared = carried && (peer.same?.every(same) ?? true) && (peer.notSame?.some((key) => !same(key)) ?? true);
      return ternaryAnd(matchesSelector(peer.selector, labels), ternaryOf(compared));
    }
    case "addresses":
      return other.address === undefined ? "maybe" : ternaryOf(addressSetHas(peer.addresses, other.address));
    case "names":
      return other.party.kind === "outside" ? "maybe" : "no";
    case "unknown":
      return peer.scope === "any" || other.party.kind === "outside" ? "maybe" : "no";
  }
}

function portMatches(flow: Flow, match: PortMatch): boolean {
  switch (match.kind) {
    case "any":
      return true;
    case "ports":
      return match.protocol === flow.protocol && match.first <= flow.port && flow.port <= match.last;
    case "protocol":
      return match.protocol === flow.protocol;
    case "named":
      return flow.destination.ports.some(
        ({ name, protocol, port }) =>
          name === match.name &&
          port === flow.port &&
          protocol === flow.protocol &&
          (match.protocol === undefined || match.protocol === protocol),
      );
    case "icmp":
      return false;
  }
}
