/** One question – may X talk to Y on this port, with this request – and its answer with every hop. */

import { type Because, mergeBecause } from "../base/because.ts";
import type { Service } from "../model/world.ts";
import { type Family, hostPrefix, parseAddress, prefixRange } from "../net/address.ts";
import type { ApplicationQuestion } from "../net/application.ts";
import { hasPorts, type Protocol } from "../net/protocol.ts";
import { type Endpoint, endpointFamilies } from "./endpoint.ts";
import { doubts, type FlowPoint, pointVerdict, type Verdict } from "./explain.ts";
import type { Hop, RouteHop } from "./hop.ts";
import type { Inventory } from "./inventory.ts";
import type { Legs, Replica } from "./leg.ts";
import type { Delivery, Dial, Services } from "./services.ts";

export type { Hop } from "./hop.ts";

/** What a user asks. Names are those of the design's contract. */
export interface Question {
  readonly from: string;
  readonly to: string;
  readonly protocol: Protocol;
  /** Port of the destination (of a Service: the Service's port), or ICMP type; absent where the protocol has none. */
  readonly port?: number;
  /** Absent: every family that both ends have. */
  readonly family?: Family;
  readonly application?: ApplicationQuestion;
}

/** The answer for one pair of ends in one family. */
export interface PairAnswer {
  readonly from: Endpoint;
  readonly to: Endpoint;
  readonly family: Family;
  readonly protocol: Protocol;
  /** The port that policy sees: the backend's. */
  readonly port: number;
  readonly verdict: Verdict;
  readonly because: readonly Because[];
  /** The connection is established, and a proxy judges each request. */
  readonly applicationLimited: boolean;
  readonly hops: readonly Hop[];
}

export interface Answer {
  readonly verdict: Verdict | "mixed";
  readonly because: readonly Because[];
  readonly applicationLimited: boolean;
  readonly pairs: readonly PairAnswer[];
  /** Why there is no pair of ends to judge. */
  readonly problem?: string;
  /** Ways that end before any end is reached, each at its place. */
  readonly stops?: readonly RouteHop[];
}

/** A problem with the question itself, for the user. */
export class QuestionError extends Error {}

type NodeEnd = Extract<Endpoint, { kind: "node" }>;

export class Questions {
  private readonly inventory: Inventory;
  private readonly services: Services;
  private readonly legs: Legs;

  constructor(inventory: Inventory, services: Services, legs: Legs) {
    this.inventory = inventory;
    this.services = services;
    this.legs = legs;
  }

  /** Answers a question. Throws QuestionError where a name or port of it means nothing. */
  ask(question: Question): Answer {
    const sources = this.sources(question.from);
    if ("because" in sources) return unsure(sources.because);
    const dials = this.dials(question);
    if ("because" in dials) return unsure(dials.because);
    const pairs: PairAnswer[] = [];
    const stops: RouteHop[] = [];
    // A workload with itself means two of its pods (design).
    const ends = dials.flatMap((dial) => (dial.kind === "end" ? [dial.endpoint] : []));
    const isReplicated = ends.length === dials.length && isWholeWorkload(sources) && isWholeWorkload(ends);
    let reached = false;
    for (const from of sources) {
      for (const dial of inOwnFamily(dials, from, question)) {
        if (isReplicated && dial.kind === "end" && from === dial.endpoint) continue;
        const source = this.placed(from, dial.kind === "end" ? dial.endpoint : undefined);
        const delivered = this.services.deliver(
          source,
          this.placedDial(dial, from),
          question.protocol,
          question.port ?? 0,
        );
        stops.push(...delivered.stops);
        for (const delivery of delivered.deliveries) {
          reached = true;
          for (const replica of this.legs.replicas(source, delivery)) {
            for (const family of families(question, source, delivery)) {
              pairs.push(this.pair(source, delivery, replica, family, question));
            }
          }
        }
      }
    }
    return combine(pairs, uniqueStops(stops), reached ? "the two ends share no address family" : undefined);
  }

  /** `host` is the node of the other end, where the input tells which one that is. */
  private placed(endpoint: Endpoint, other: Endpoint | undefined): Endpoint {
    return (endpoint.kind === "node" ? this.placedNode(endpoint, other) : undefined) ?? endpoint;
  }

  private placedDial(dial: Dial, from: Endpoint): Dial {
    if (dial.kind === "end") return { ...dial, endpoint: this.placed(dial.endpoint, from) };
    return dial.kind === "node" ? { ...dial, node: this.placedNode(dial.node, from) ?? dial.node } : dial;
  }

  private placedNode(node: NodeEnd, other: Endpoint | undefined): NodeEnd | undefined {
    if (node.relation !== "same" || other?.kind !== "pod" || other.pod.node === undefined) return undefined;
    return this.inventory.node(other.pod.node);
  }

  private sources(name: string): readonly Endpoint[] | { readonly because: readonly Because[] } {
    const resolved = this.inventory.resolve(name);
    switch (resolved.kind) {
      case "problem":
        throw new QuestionError(resolved.message);
      case "unsure":
        return { because: resolved.because };
      case "endpoints":
        return resolved.members;
      case "service": {
        // Nothing ever sends from the address of a Service; by its name it stands for the pods behind it.
        const address = name.startsWith("ip:") ? parseAddress(name.slice(3)) : undefined;
        if (address === undefined) return this.services.behind(resolved.service);
        return [{ kind: "outside", range: prefixRange(hostPrefix(address)), name }];
      }
    }
  }

  private dials(question: Question): readonly Dial[] | { readonly because: readonly Because[] } {
    const { to, protocol, port } = question;
    const address = to.startsWith("ip:") ? parseAddress(to.slice(3)) : undefined;
    const dialled = address === undefined ? undefined : this.services.dialOf(address, protocol, port ?? 0);
    if (dialled !== undefined) {
      if (dialled.kind === "address") checkPort(dialled.service, question);
      return [dialled];
    }
    const resolved = this.inventory.resolve(to, askedFamily(question));
    switch (resolved.kind) {
      case "problem":
        throw new QuestionError(resolved.message);
      case "unsure":
        return { because: resolved.because };
      case "service":
        checkPort(resolved.service, question);
        return [{ kind: "service", service: resolved.service }];
      case "endpoints":
        // A node asked for by its name or address may pass a port on; a pod on its network is asked for itself.
        return resolved.members.map((endpoint) =>
          endpoint.kind === "node" && (address !== undefined || isNodeName(to))
            ? { kind: "node", node: endpoint, ...(address === undefined ? {} : { address }) }
            : { kind: "end", endpoint },
        );
    }
  }

  private pair(from: Endpoint, delivery: Delivery, replica: Replica, family: Family, question: Question): PairAnswer {
    const { endpoint: to, port } = delivery;
    const point: FlowPoint = {
      family,
      protocol: question.protocol,
      port,
      ...(question.application === undefined ? {} : { application: question.application }),
    };
    const bounds = this.legs.bounds(from, delivery, replica, family, question.protocol);
    const hops = [...delivery.hops, ...this.legs.filters(from, delivery, replica, point)];
    const above = pointVerdict(bounds, point);
    const verdict = asFiltersSay(above, hops, point);
    const { application: _, ...connection } = point;
    const limited =
      pointVerdict(bounds, connection) !== "deny" &&
      pointVerdict(bounds, { ...connection, application: {} }) !== "allow";
    const sides = hops
      .flatMap((hop) => (hop.kind === "filter" ? [hop.explanation.because] : []))
      .reduce(mergeBecause, []);
    const isCodeAsked = above === "deny" && verdict === "unsure";
    // What a proxy makes of something that it may not read is a doubt of the filters alone.
    const byFilters = isCodeAsked || (isRead(point) && sides.length > 0);
    const because = byFilters ? mergeBecause(above === "unsure" ? bounds.because : [], sides) : doubts(bounds, point);
    return {
      from,
      to,
      family,
      protocol: question.protocol,
      port,
      verdict,
      because: verdict === "unsure" ? because : [],
      applicationLimited: limited,
      hops,
    };
  }
}

/** `internet` and a name mean the addresses of the family that is asked for, or that the source has; without any, all. */
function inOwnFamily(dials: readonly Dial[], from: Endpoint, question: Question): readonly Dial[] {
  const { to } = question;
  if (to !== "internet" && !to.startsWith("fqdn:")) return dials;
  const asked = askedFamily(question);
  const own = asked === undefined ? endpointFamilies(from) : [asked];
  const shared = dials.filter(
    (dial) => dial.kind !== "end" || endpointFamilies(dial.endpoint).some((family) => own.includes(family)),
  );
  return shared.length > 0 ? shared : dials;
}

/** Names that mean a node itself, not a pod on its network. */
function isNodeName(name: string): boolean {
  return name === "host" || name === "remote-node" || name.startsWith("host@");
}

function checkPort(service: Service, { to, protocol, port }: Question): void {
  // The name of an alias or of a headless Service stands for ends that are dialled themselves.
  if (service.type === "ExternalName" || service.headless) return;
  if (!hasPorts(protocol)) throw new QuestionError(`${to} is a Service: ask for a TCP, UDP or SCTP port`);
  if (service.ports.some((own) => own.port === port && own.protocol === protocol)) return;
  const known = service.ports.map((own) => `${own.port}/${own.protocol}`).join(", ");
  throw new QuestionError(
    `Service ${service.namespace}/${service.name} has no port ${port ?? 0}/${protocol}; it has ${known || "none"}`,
  );
}

/** The family that the question fixes, if it does. */
function askedFamily({ protocol, family }: Question): Family | undefined {
  return protocol === "ICMP" ? "IPv4" : protocol === "ICMPv6" ? "IPv6" : family;
}

function families(question: Question, from: Endpoint, delivery: Delivery): readonly Family[] {
  const { endpoint: to } = delivery;
  const asked = askedFamily(question);
  const allowed = (family: Family): boolean => delivery.families?.includes(family) ?? true;
  // A pod of which the input tells an address of one family may have one of the other: what is asked is answered.
  if (asked !== undefined) {
    const outside = [from, to].filter((end) => end.kind === "outside" || end.kind === "name");
    const exists = outside.every((end) => endpointFamilies(end).includes(asked));
    return exists && allowed(asked) ? [asked] : [];
  }
  const common = endpointFamilies(from).filter((f) => endpointFamilies(to).includes(f));
  const both = common.length > 0 ? common : from.kind === "pod" ? endpointFamilies(to) : endpointFamilies(from);
  return both.filter(allowed);
}

function unsure(because: readonly Because[]): Answer {
  return { verdict: "unsure", because, applicationLimited: false, pairs: [] };
}

function uniqueStops(stops: readonly RouteHop[]): RouteHop[] {
  return [...new Map(stops.map((stop) => [JSON.stringify([stop.at, stop.detail]), stop])).values()];
}

function combine(pairs: readonly PairAnswer[], stops: readonly RouteHop[], problem: string | undefined): Answer {
  const verdicts = new Set([...pairs, ...stops].map((one) => one.verdict));
  const because = [...pairs, ...stops].reduce<readonly Because[]>((all, one) => mergeBecause(all, one.because), []);
  const applicationLimited = pairs.some((p) => p.applicationLimited);
  const only = verdicts.size === 1 ? [...verdicts][0] : verdicts.size === 0 ? "deny" : undefined;
  // Allow beside deny is a mixture whatever the rest is; one of them beside unsure is not settled.
  const verdict = only ?? (verdicts.has("allow") && verdicts.has("deny") ? "mixed" : "unsure");
  const said = pairs.length > 0 ? undefined : stops.map((s) => `${s.at} ${s.detail}`).join("; ") || problem;
  return {
    verdict,
    because,
    applicationLimited,
    pairs,
    ...(said === undefined ? {} : { problem: said }),
    ...(stops.length === 0 ? {} : { stops }),
  };
}

/** Whether these are all the pods of one workload, which has several. */
function isWholeWorkload(members: readonly Endpoint[]): boolean {
  const [first] = members;
  if (first?.kind !== "pod" || members.length < 2) return false;
  return (
    members.length === first.workload.pods.length &&
    members.every((member) => member.kind === "pod" && member.workload === first.workload)
  );
}

/** What is sent may be something that a proxy on the way cannot read. */
function isRead({ application }: FlowPoint): boolean {
  return application?.http !== undefined || application?.tls !== undefined;
}

/**
 * An ICMP error that may pass whatever the policies say is denied by no filter (cilium.md R4.4.3): there, too, the filters
 * are asked.
 */
function asFiltersSay(verdict: Verdict, hops: readonly Hop[], point: FlowPoint): Verdict {
  const ways = hops.flatMap((hop) => (hop.kind === "filter" ? [hop.explanation.verdict] : []));
  if (verdict === "deny" && isIcmpError(point) && ways.length > 0 && !ways.includes("deny")) return "unsure";
  return strictest(verdict, hops, point);
}

function isIcmpError({ protocol, port }: FlowPoint): boolean {
  return protocol === "ICMP" && port === 3;
}

/** What a proxy cannot read fails there, whatever it lets pass: so the filters are asked one by one. */
function strictest(verdict: Verdict, hops: readonly Hop[], point: FlowPoint): Verdict {
  if (verdict === "deny" || !isRead(point)) return verdict;
  const verdicts = (["egress", "ingress"] as const).map((direction): Verdict => {
    const ways = hops.flatMap((hop) =>
      hop.kind === "filter" && hop.explanation.direction === direction ? [hop.explanation.verdict] : [],
    );
    const [first = "allow"] = ways;
    return ways.every((way) => way === first) ? first : "unsure";
  });
  return verdicts.includes("deny") ? "deny" : verdicts.includes("unsure") ? "unsure" : verdict;
}
