/**
 * What an end learns of DNS names: the addresses of a name are known to the network once a look-up of it has passed a DNS
 * rule (cilium.md 7.2, R7.3.1). The look-up is a connection like any other, to a server that the input has or to one of
 * which nothing is told.
 */
import { mergeBecause } from "../base/because.ts";
import { both, either, NO, type Told, YES } from "../base/told.ts";
import { dnsWorkloads, isDnsServer, podTraits } from "../model/pods.ts";
import type { ContainerPort, PodInstance, Workload, World } from "../model/world.ts";
import { type Application, applicationHas, applicationOf, EVERYTHING } from "../net/application.ts";
import { flowAt } from "../net/flow-set.ts";
import type { PortProtocol } from "../net/protocol.ts";
import type { Origin, PortMatch, Traffic } from "../policy/rule.ts";
import type { Bounded } from "./bounded.ts";
import { type Endpoint, endpointFamilies } from "./endpoint.ts";
import { doubts, pointVerdict } from "./explain.ts";
import type { Matching, View } from "./matching.ts";
import { covers, type Governing, rulePeersKey, type Sides, sameFilter } from "./side.ts";
import { type Sight, UNKNOWN_NODE } from "./sight.ts";

/** What a look-up asks of connections, being one. */
interface Connections {
  readonly matching: Matching;
  readonly sides: Sides;
  sights(from: Endpoint, to: Endpoint): readonly Sight[];
  between(from: Endpoint, to: Endpoint): Bounded;
}

/** Where a query goes. */
interface Query {
  readonly server: Endpoint;
  readonly protocol: PortProtocol;
  readonly port: number;
}

interface Server {
  readonly endpoint: Endpoint;
  /** Those that it declares. */
  readonly ports: readonly ContainerPort[];
}

export class Learning {
  private readonly connections: Connections;
  private readonly servers: readonly Server[];
  private known = new WeakMap<Endpoint, Map<string, Told>>();

  constructor(connections: Connections, world: World) {
    this.connections = connections;
    this.servers = dnsWorkloads(world).flatMap((workload) =>
      workload.pods
        .filter((pod) => isDnsServer(workload, pod))
        .map((pod) => ({ endpoint: serverOf(workload, pod, world), ports: podTraits(workload, pod).ports })),
    );
  }

  /** The rules that observe look-ups of the end, with the names that their lists let pass. */
  lookUps(self: View): readonly { readonly origin: Origin; readonly application: Application }[] {
    return this.lists(self).map(({ rule, item }) => ({
      origin: rule.origin,
      application: applicationOf(item.application ?? []),
    }));
  }

  /** Forgets what was learned under other policies. */
  forget(): void {
    this.known = new WeakMap();
  }

  /** Whether some DNS rule observes look-ups of the end at all. */
  observes(self: View): boolean {
    return this.lists(self).length > 0;
  }

  /** Whether a look-up by the end of the name, in lower case with trailing dot, teaches its addresses. */
  learns(self: View, name: string): Told {
    const names = this.known.get(self.endpoint) ?? new Map<string, Told>();
    this.known.set(self.endpoint, names);
    let answer = names.get(name);
    if (answer === undefined) {
      // What a pod asks itself crosses no proxy; a lone server asks others.
      const servers = this.servers.filter(({ endpoint }) => !isItself(endpoint, self.endpoint));
      answer = servers.length > 0 ? this.throughServers(self, name, servers) : this.throughSomeServer(self, name);
      names.set(name, answer);
    }
    return answer;
  }

  /** Every item with a DNS rule, with the allow that holds it. */
  private lists(self: View): readonly (Governing & { readonly item: Traffic })[] {
    return this.connections.sides
      .governing("egress", self)
      .flatMap((governing) =>
        governing.rule.action === "allow" && governing.rule.peers.length > 0
          ? governing.rule.traffic.filter(hasDns).map((item) => ({ ...governing, item }))
          : [],
      );
  }

  private throughServers(self: View, name: string, servers: readonly Server[]): Told {
    let told = NO;
    for (const { endpoint, ports } of servers) {
      for (const list of this.lists(self)) {
        for (const query of this.queries(list.item.match, endpoint, ports)) {
          told = either(told, both(this.isSent(self, list, query), this.passes(self, name, query)));
          if (told.answer === "yes") return told;
        }
      }
    }
    return told;
  }

  /** The ports of the item at which the server listens; one that declares none may listen at any (R7.2.5). */
  private queries(match: PortMatch, server: Endpoint, declared: readonly ContainerPort[]): readonly Query[] {
    const flows = this.connections.matching.portMatchFlows(match, EVERYTHING, []);
    const isCovered = (protocol: PortProtocol, port: number): boolean =>
      flowAt(flows, "IPv4", protocol, port) !== undefined;
    if (declared.length > 0)
      return declared
        .filter(({ protocol, port }) => protocol !== "SCTP" && isCovered(protocol, port))
        .map(({ protocol, port }) => ({ server, protocol, port }));
    if (match.kind !== "ports" || match.protocol === "SCTP") return [];
    return [{ server, protocol: match.protocol, port: match.first }];
  }

  /** Whether the rule's list is for this server, so that the query goes through the proxy (R7.2.1). */
  private isSent(self: View, { rule, requires }: Governing, { server }: Query): Told {
    const { sides } = this.connections;
    const seen = this.connections.sights(self.endpoint, server).map((sight): Told => {
      const { yes, may, because } = sides.peers(rule, sight.to, sight.fromSelf, requires);
      return yes !== 0 ? YES : may !== 0 ? { answer: "maybe", because } : NO;
    });
    const [first = NO, ...others] = seen;
    if (others.every(({ answer }) => answer === first.answer)) return first;
    return { answer: "maybe", because: seen.reduce((all, one) => mergeBecause(all, one.because), UNKNOWN_NODE) };
  }

  /** Whether the query passes its filter and arrives (R7.2.2, R7.2.3). */
  private passes(self: View, name: string, { server, protocol, port }: Query): Told {
    const bounds = this.connections.between(self.endpoint, server);
    const own = endpointFamilies(self.endpoint).filter((family) => endpointFamilies(server).includes(family));
    const families = own.length > 0 ? own : endpointFamilies(server);
    return families.reduce((told, family) => {
      const point = { family, protocol, port, application: { dns: { name } } };
      const verdict = pointVerdict(bounds, point);
      if (verdict !== "unsure") return either(told, verdict === "allow" ? YES : NO);
      return either(told, { answer: "maybe", because: doubts(bounds, point) });
    }, NO);
  }

  /** The input has no server: the look-up goes to one that a list selects, if nothing denies that. */
  private throughSomeServer(self: View, name: string): Told {
    const { sides } = this.connections;
    const rules = sides.governing("egress", self).map(({ rule }) => rule);
    const { selections, closed } = sides.subject(self);
    const isOpen = !closed && selections.every(({ policy }) => policy.isolation.egress !== "closed");
    const isLifted = isOpen && sides.policies.openApplication?.dns === "lifted";
    const lets = this.lists(self).some(({ rule, item }) => {
      const peers = rulePeersKey(rule);
      const isDenied = rules.some(
        (other) =>
          other.action === "deny" &&
          (other.peers.some((peer) => peer.kind === "any") || rulePeersKey(other) === peers) &&
          other.traffic.some((one) => covers(one.match, item.match)),
      );
      if (isDenied) return false;
      if (isLifted || applicationHas(applicationOf(item.application ?? []), { dns: { name } }) === "yes") return true;
      // A plain entry of the same selector and filter lifts the list, and the query is proxied still (R4.5.2).
      return rules.some(
        (other) =>
          other.action === "allow" &&
          rulePeersKey(other) === peers &&
          other.traffic.some((one) => one.application === undefined && sameFilter(one.match, item.match)),
      );
    });
    return lets ? YES : NO;
  }
}

/** Whether the server is the pod itself; one that stands for a controller asks another like it. */
function isItself(server: Endpoint, self: Endpoint): boolean {
  return server.kind === "pod" && self.kind === "pod" && server.pod === self.pod && server.workload.kind === "Pod";
}

function hasDns(item: Traffic): boolean {
  return item.application?.some((one) => one.kind === "dns") === true;
}

/** One on the host network is a host; that of a DaemonSet runs on every node, and each pod asks its own. */
function serverOf(workload: Workload, pod: PodInstance, world: World): Endpoint {
  const name = workload.id;
  if (!podTraits(workload, pod).hostNetwork) return { kind: "pod", workload, pod, name };
  const node = world.nodes.find((one) => one.name === pod.node);
  const addresses = pod.addresses.length > 0 ? pod.addresses : (node?.addresses ?? []);
  return workload.kind === "DaemonSet"
    ? { kind: "node", node: undefined, nodeName: undefined, relation: "same", addresses: [], name }
    : { kind: "node", node, nodeName: pod.node, relation: "known", addresses, name };
}
