/** One hop of a packet's way: what it lets through, and what it says of one flow. */

import { type Because, mergeBecause } from "../../base/because.ts";
import type { Family } from "../../net/address.ts";
import {
  ALL_FLOWS,
  type FlowSet,
  flowAt,
  flowIntersect,
  flowsEmpty,
  flowSubtract,
  flowUnion,
  NO_FLOWS,
  portFlows,
} from "../../net/flow-set.ts";
import { hasPorts, type Protocol } from "../../net/protocol.ts";
import { ALL_BOUNDED, type Bounded, boundedIntersect, NO_BOUNDED } from "../../reach/bounded.ts";
import type { Direction } from "../model.ts";
import type { PortRange } from "./place.ts";

export type Verdict = "allow" | "deny" | "unsure" | "mixed";

/** Flows of one protocol to a range of ports (or ICMP types); of a request the range is one. */
export interface Ask {
  readonly family: Family;
  readonly protocol: Protocol;
  readonly first: number;
  readonly last: number;
}

/** A rule that was looked at. */
export interface Considered {
  readonly name: string;
  readonly text: string;
  readonly action: "allow" | "deny";
  readonly peer: "yes" | "no" | "maybe";
  readonly port: "yes" | "no" | "maybe";
}

export interface Judgement {
  readonly verdict: Verdict;
  /** What decided, to cite (aws-vpc.md 6.2); the first is the one that is named where one is. */
  readonly deciders: readonly string[];
  /** Other names of the deciders. */
  readonly aliases?: readonly string[];
  readonly because: readonly Because[];
  readonly considered?: readonly Considered[];
  /** What more there is to say: the ports that fail. */
  readonly detail?: string;
}

/** Where a stage stands in the order of aws-vpc.md ORD-1. */
export type Order = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

export interface Stage {
  readonly kind: "filter" | "route" | "rewrite" | "terminate";
  readonly flow: "request" | "reply";
  readonly order: Order;
  /** The interface's owner, the ACL's subnet, the gateway. */
  readonly at: string;
  readonly direction?: Direction;
  /** `security groups`, `network ACL acl-…`, … */
  readonly what: string;
  /** Security groups remember the connection (aws-vpc.md SG-2). */
  readonly isStateful?: boolean;
  /** Of replies: the client ports of this leg, and which leg it is. */
  readonly client?: PortRange;
  readonly leg?: number;
  /** Whether it can be what an allowed flow is decided by (ORD-3). */
  readonly decidesAllow?: "source" | "destination" | "acl";
  /** What passes: of a request by its destination port, of a reply by the client's port. */
  flows(): Bounded;
  judge(ask: Ask): Judgement;
}

/** A hop that treats all traffic alike. */
export function fact(
  stage: Pick<Stage, "kind" | "flow" | "order" | "at" | "what"> & Partial<Pick<Stage, "client" | "leg" | "direction">>,
  verdict: "allow" | "deny" | "unsure",
  decider: string,
  because: readonly Because[] = [],
): Stage {
  const flows: Bounded =
    verdict === "allow" ? ALL_BOUNDED : verdict === "deny" ? NO_BOUNDED : { must: NO_FLOWS, may: ALL_FLOWS, because };
  return { ...stage, flows: () => flows, judge: () => ({ verdict, deciders: [decider], because }) };
}

/** Which flows pass a whole way: to every client port, to some, possibly. */
export interface Passage {
  /** Certain, whatever port the client chose. */
  readonly every: FlowSet;
  /** Certain for some of the client's ports. */
  readonly some: FlowSet;
  readonly may: FlowSet;
  readonly because: readonly Because[];
}

export const NO_PASSAGE: Passage = { every: NO_FLOWS, some: NO_FLOWS, may: NO_FLOWS, because: [] };

/** What passes all stages: the request each, the reply with the ports of each leg (aws-vpc.md NACL-4). */
export function passageOf(stages: readonly Stage[], family: Family): Passage {
  let request: Bounded = ALL_BOUNDED;
  const legs = new Map<number, { client: PortRange; flows: Bounded }>();
  for (const stage of stages) {
    if (stage.flow === "request") {
      request = boundedIntersect(request, stage.flows());
      if (flowsEmpty(request.may)) return NO_PASSAGE;
      continue;
    }
    const leg = legs.get(stage.leg ?? 0);
    const client = stage.client ?? { first: 1, last: 65535 };
    const flows = leg === undefined ? stage.flows() : boundedIntersect(leg.flows, stage.flows());
    legs.set(stage.leg ?? 0, { client, flows });
  }
  let every = request.must;
  let some = request.must;
  let { may } = request;
  let because = request.because;
  for (const { client, flows } of legs.values()) {
    const back = replyPasses(flows, client, family);
    every = flowIntersect(every, back.every);
    some = flowIntersect(some, back.some);
    may = flowIntersect(may, back.may);
    because = mergeBecause(because, flows.because);
  }
  return { every, some, may, because };
}

/** Types of ICMP that are answered by another. */
const ASKING: readonly number[] = [8, 13, 128];

/** The requests whose replies pass, given what passes by client port. */
function replyPasses(flows: Bounded, client: PortRange, family: Family): Omit<Passage, "because"> {
  let every: FlowSet = NO_FLOWS;
  let some: FlowSet = NO_FLOWS;
  let may: FlowSet = NO_FLOWS;
  for (const protocol of ["TCP", "UDP", "SCTP", "VRRP", "IGMP", "OTHER"] as const) {
    const whole = hasPorts(protocol) ? portFlows(protocol, 1, 65535, [family]) : portFlows(protocol, 0, 0, [family]);
    const asked = hasPorts(protocol) ? portFlows(protocol, client.first, client.last, [family]) : whole;
    if (flowsEmpty(flowSubtract(asked, flows.must))) every = flowUnion(every, whole);
    if (!flowsEmpty(flowIntersect(asked, flows.must))) some = flowUnion(some, whole);
    if (!flowsEmpty(flowIntersect(asked, flows.may))) may = flowUnion(may, whole);
  }
  // Of ICMP only what asks for an answer needs one.
  const protocol = family === "IPv4" ? "ICMP" : "ICMPv6";
  let unanswered = portFlows(protocol, 0, 255, [family]);
  for (const type of ASKING) {
    const reply = icmpReply(protocol, type);
    if (reply === undefined) continue;
    const one = portFlows(protocol, type, type, [family]);
    unanswered = flowSubtract(unanswered, one);
    if (flowAt(flows.must, family, protocol, reply) !== undefined) {
      every = flowUnion(every, one);
      some = flowUnion(some, one);
    }
    if (flowAt(flows.may, family, protocol, reply) !== undefined) may = flowUnion(may, one);
  }
  every = flowUnion(every, unanswered);
  some = flowUnion(some, unanswered);
  may = flowUnion(may, unanswered);
  return { every, some, may };
}

/** The type with which a request of ICMP is answered (RFC 792, RFC 4443); undefined where none is. */
export function icmpReply(protocol: Protocol, type: number): number | undefined {
  if (protocol === "ICMP") return type === 8 ? 0 : type === 13 ? 14 : undefined;
  return protocol === "ICMPv6" && type === 128 ? 129 : undefined;
}

/** What to ask of a stage: of a reply the client's ports, or the answering type. */
export function askOf(stage: Stage, ask: Ask): Ask | undefined {
  if (stage.flow === "request") return ask;
  if (hasPorts(ask.protocol)) {
    const { first, last } = stage.client ?? { first: 1, last: 65535 };
    return { ...ask, first, last };
  }
  if (ask.protocol === "ICMP" || ask.protocol === "ICMPv6") {
    const type = icmpReply(ask.protocol, ask.first);
    return type === undefined ? undefined : { ...ask, first: type, last: type };
  }
  return ask;
}

/** A stage with what it says of the flow that was asked. */
export interface Judged {
  readonly stage: Stage;
  readonly judgement: Judgement;
}

export interface Decision {
  readonly verdict: Verdict;
  readonly decidedBy: readonly string[];
  readonly aliases: readonly string[];
  /** Every other stage that denies, in the order of aws-vpc.md ORD-1. */
  readonly alsoDeniedBy: readonly string[];
  readonly because: readonly Because[];
  readonly judged: readonly Judged[];
}

/** Asks every stage about one flow and combines what they say. */
export function decide(stages: readonly Stage[], ask: Ask): Decision {
  const judged: Judged[] = [];
  for (const stage of stages) {
    const own = askOf(stage, ask);
    if (own === undefined) continue;
    judged.push({ stage, judgement: stage.judge(own) });
  }
  return combine(judged, disjointReplies(judged, ask));
}

/** Replies that each stage of a leg lets through in part, and no port through all of them. */
function disjointReplies(judged: readonly Judged[], ask: Ask): readonly Judged[] {
  const legs = new Map<number, Judged[]>();
  for (const one of judged) {
    if (one.stage.flow === "reply" && one.judgement.verdict === "mixed") {
      legs.set(one.stage.leg ?? 0, [...(legs.get(one.stage.leg ?? 0) ?? []), one]);
    }
  }
  for (const list of legs.values()) {
    if (list.length < 2) continue;
    const own = list[0] === undefined ? undefined : askOf(list[0].stage, ask);
    if (own === undefined) continue;
    let may = portFlows(own.protocol, own.first, own.last, [own.family]);
    for (const { stage } of list) may = flowIntersect(may, stage.flows().may);
    if (flowsEmpty(may)) return list;
  }
  return [];
}

function combine(judged: readonly Judged[], disjoint: readonly Judged[]): Decision {
  const denying = judged
    .filter((j) => j.judgement.verdict === "deny" || disjoint.includes(j))
    .toSorted((a, b) => a.stage.order - b.stage.order);
  const [first] = denying;
  const aliases = judged.flatMap((j) => j.judgement.aliases ?? []);
  if (first !== undefined) {
    const decidedBy = first.judgement.deciders;
    const also = new Set(denying.slice(1).flatMap((j) => j.judgement.deciders));
    for (const one of decidedBy) also.delete(one);
    return {
      verdict: "deny",
      decidedBy,
      aliases: first.judgement.aliases ?? [],
      alsoDeniedBy: [...also],
      because: [],
      judged,
    };
  }
  for (const verdict of ["unsure", "mixed"] as const) {
    const telling = judged.filter((j) => j.judgement.verdict === verdict);
    if (telling.length === 0) continue;
    const because = telling.reduce<readonly Because[]>((all, j) => mergeBecause(all, j.judgement.because), []);
    const decidedBy = [...new Set(telling.flatMap((j) => j.judgement.deciders))];
    return { verdict, decidedBy, aliases, alsoDeniedBy: [], because, judged };
  }
  const last = decidingStage(judged);
  return {
    verdict: "allow",
    decidedBy: last?.judgement.deciders ?? [],
    aliases: last?.judgement.aliases ?? [],
    alsoDeniedBy: [],
    because: [],
    judged,
  };
}

/** The last filtering check passed (ORD-3): the destination's groups, else the source's, else an ACL's entry. */
function decidingStage(judged: readonly Judged[]): Judged | undefined {
  for (const wanted of ["destination", "source", "acl"] as const) {
    const found = judged.findLast((j) => j.stage.decidesAllow === wanted && j.stage.flow === "request");
    if (found !== undefined) return found;
  }
  return judged.at(-1);
}
