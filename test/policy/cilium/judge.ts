/** Judges one side of one flow by walking compiled rules one by one: no sets, no caches, one union tier. */
import { type Ternary, ternaryAnd, ternaryOf, ternaryOr } from "../../../src/base/ternary.ts";
import type { Document } from "../../../src/documents/document.ts";
import type { ContainerPort, World } from "../../../src/model/world.ts";
import { type Address, addressSetHas, parseAddress } from "../../../src/net/address.ts";
import { PROTOCOLS, type Protocol } from "../../../src/net/protocol.ts";
import { openCilium } from "../../../src/policy/cilium/dialect.ts";
import { type Party, RESERVED_NAMES } from "../../../src/policy/dialect.ts";
import type { Direction, Peer, Policy, PortMatch, Rule, Section } from "../../../src/policy/rule.ts";
import { matchesSelector, type Selector } from "../../../src/policy/selector.ts";
import { type Options, PLAIN } from "./world.ts";

export type Verdict = "allow" | "deny" | "unsure";

interface End {
  readonly party: Party;
  readonly address?: Address;
  readonly ports: readonly ContainerPort[];
  readonly node?: string;
}

/** `ns/pod`, `host@node`, an address, or a reserved name. */
function endOf(text: string, other: string | undefined, world: World): End {
  const reserved = RESERVED_NAMES.find((name) => name === text);
  if (reserved !== undefined) return { party: { kind: "reserved", name: reserved }, ports: [] };
  const onNode = (name: string): End => {
    const node = world.nodes.find((one) => one.name === name);
    const address = node?.addresses[0];
    const local = other !== undefined && endOf(other, undefined, world).node === name;
    return {
      party: { kind: "node", node, local },
      ports: [],
      node: name,
      ...(address === undefined ? {} : { address }),
    };
  };
  if (text.startsWith("host@")) return onNode(text.slice("host@".length));
  const address = parseAddress(text);
  if (address !== undefined) return { party: { kind: "outside", family: address.family }, address, ports: [] };
  const workload = world.workloads.find((one) => `${one.namespace}/${one.name}` === text);
  const pod = workload?.pods[0];
  if (workload === undefined || pod === undefined) throw new Error(`no end ${text}`);
  if (workload.hostNetwork && pod.node !== undefined) return onNode(pod.node);
  const own = pod.addresses[0];
  return {
    party: { kind: "pod", workload, pod },
    ports: workload.ports,
    ...(own === undefined ? {} : { address: own }),
    ...(pod.node === undefined ? {} : { node: pod.node }),
  };
}

/**
 * Asks one side: may `subject` receive from (ingress) or send to (egress) `other` on the port `80/TCP`, `8/ICMP` or
 * `0/OTHER`?
 */
export function judge(
  documents: readonly Document[],
  direction: Direction,
  subject: string,
  other: string,
  port: string,
  options: Options = {},
): Verdict {
  const world = options.world ?? PLAIN;
  const dialect = openCilium(options.release ?? "1.19");
  const frame = dialect.frame(world);
  const self = endOf(subject, other, world);
  const peer = endOf(other, subject, world);
  const destination = direction === "ingress" ? self : peer;
  const [number = "", name = ""] = port.split("/");
  const protocol = PROTOCOLS.find((one) => one === name);
  if (protocol === undefined) throw new Error(`no protocol ${name}`);

  const target = self.party.kind === "node" ? "node" : "endpoint";
  const labels = dialect.subjectLabels?.(self.party, world) ?? dialect.identify(self.party, world);
  const identity = dialect.identify(peer.party, world);
  const selected = documents
    .flatMap((document) => dialect.compile(document, world).policies)
    .filter((one) => one.subject.target === target && matchesSelector(one.subject.selector, labels) !== "no");
  const enforced = selected.filter((one) => one.isolation[direction] !== "untouched");
  const closed =
    frame.enforcement === "always" ||
    frame.alwaysClosed.some((selector) => matchesSelector(selector, labels) === "yes") ||
    enforced.some((one) => one.isolation[direction] === "closed");
  if (frame.enforcement === "never" || frame.audit || (!closed && enforced.length === 0)) return "allow";
  if (target === "node" && !frame.hostFirewall) return "allow";

  const requires = (section: Section): readonly Selector[] => selected.flatMap((one) => one.requires?.[section] ?? []);
  const isPeer = (one: Peer, section: Section): Ternary => {
    switch (one.kind) {
      case "any":
        return "yes";
      case "labels":
        return [one.selector, ...(one.constrained === true ? requires(section) : [])]
          .map((selector) => matchesSelector(selector, identity))
          .reduce(ternaryAnd, "yes");
      case "addresses": {
        const seen = peer.party.kind === "outside" || (peer.party.kind === "node" && one.scope !== "outside");
        return ternaryOf(seen && peer.address !== undefined && addressSetHas(one.addresses, peer.address));
      }
      case "names":
        return peer.party.kind === "outside" && one.names.length > 0 ? "maybe" : "no";
      case "unknown":
        return one.scope === "any" || peer.party.kind === "outside" ? "maybe" : "no";
    }
  };
  const covers = (rule: Rule): Ternary =>
    ternaryAnd(
      rule.peers.map((one) => isPeer(one, rule.origin.section)).reduce(ternaryOr, "no"),
      ternaryOf(rule.traffic.some((item) => matchesPort(item.match, protocol, Number(number), destination, world))),
    );
  const rules = enforced.flatMap((one) => one.rules).filter((one) => one.direction === direction);
  const strongest = (list: readonly Rule[]): Ternary => list.map(covers).reduce(ternaryOr, "no");
  const denied = strongest(rules.filter((one) => one.action === "deny"));
  const own = frame.alwaysAllowed.filter((one) => one.direction === direction);
  const allowed = strongest([...rules.filter((one) => one.action === "allow"), ...own]);
  if (denied === "yes") return "deny";
  const rest: Ternary = closed ? allowed : "yes";
  if (rest === "no") return "deny";
  return denied === "maybe" || rest === "maybe" ? "unsure" : "allow";
}

function matchesPort(match: PortMatch, protocol: Protocol, number: number, destination: End, world: World): boolean {
  switch (match.kind) {
    case "any":
      return true;
    case "ports":
      return match.protocol === protocol && match.first <= number && number <= match.last;
    case "icmp":
      return (
        (match.family === "IPv4" ? "ICMP" : "ICMPv6") === protocol && match.first <= number && number <= match.last
      );
    case "protocol":
      return match.protocol === protocol;
    case "named": {
      if (match.protocol !== undefined && match.protocol !== protocol) return false;
      const ports = match.resolve === "destination" ? destination.ports : world.workloads.flatMap((one) => one.ports);
      const numbers = new Set(
        ports.filter((one) => one.name === match.name && one.protocol === protocol).map((one) => one.port),
      );
      return numbers.has(number) && (match.resolve === "destination" || numbers.size === 1);
    }
  }
}

/** The policies that select an end, for functions over them. */
export function policiesOf(documents: readonly Document[], options: Options = {}): readonly Policy[] {
  const dialect = openCilium(options.release ?? "1.19");
  return documents.flatMap((document) => dialect.compile(document, options.world ?? PLAIN).policies);
}
