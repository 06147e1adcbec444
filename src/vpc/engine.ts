/** Asks a network: may X talk to Y, over what, and which rule says so (aws-vpc.md 2 and 3). */

import { type Because, mergeBecause } from "../base/because.ts";
import type { Diagnostic } from "../base/diagnostic.ts";
import { type Address, type Family, FAMILIES, parseAddress } from "../net/address.ts";
import type { Request } from "../net/http-request.ts";
import type { Protocol } from "../net/protocol.ts";
import { hasPorts, protocolInFamily } from "../net/protocol.ts";
import { QuestionError } from "../reach/answer.ts";
import { type BalancedWay, balancedWays } from "./decide/balancing.ts";
import { connection, routings } from "./decide/connection.ts";
import { canonical } from "./decide/match.ts";
import type { Place, PortRange } from "./decide/place.ts";
import {
  type Ask,
  type Decision,
  decide,
  type Judged,
  type Passage,
  passageOf,
  type Stage,
  type Verdict,
} from "./decide/stage.ts";
import { type End, Inventory } from "./inventory.ts";
import type { LoadBalancer, Network, Owner } from "./model.ts";

/** What is asked. Names are those of the design's contract. */
export interface VpcQuestion {
  readonly from: string;
  readonly to: string;
  readonly protocol: Protocol;
  /** Port of the destination, or ICMP type. */
  readonly port?: number;
  readonly family?: Family;
  /** A load balancer over which the connection goes; `port` is then its listener's. */
  readonly via?: string;
  readonly http?: Request;
  /** `reply`: what `from` sends back to `to`, which opened the connection. */
  readonly flow?: "reply";
  /** Ports of the client to which a reply goes; absent: those that such a client uses. */
  readonly clientPorts?: PortRange;
}

/** One way from an interface to another, in one family. */
export interface WayAnswer {
  readonly from: Place;
  readonly to: Place;
  /** The load balancer's interface, where it goes over one. */
  readonly via?: Place;
  readonly family: Family;
  readonly protocol: Protocol;
  readonly port: number;
  readonly decision: Decision;
  /** The request passes and the reply does not. */
  readonly oneWay: boolean;
}

export interface VpcAnswer {
  readonly verdict: Verdict;
  /** What decided, of all ways; the first of each is the one that counts. */
  readonly decidedBy: readonly string[];
  readonly aliases: readonly string[];
  readonly alsoDeniedBy: readonly string[];
  readonly because: readonly Because[];
  readonly ways: readonly WayAnswer[];
  /** What else there is to say: `instance stopped`. */
  readonly notes: readonly string[];
  readonly problem?: string;
}

/** More ways than these between two names are joined range by range before they are shown. */
export class VpcEngine {
  readonly network: Network;
  readonly inventory: Inventory;

  constructor(network: Network) {
    this.network = network;
    this.inventory = new Inventory(network);
  }

  get diagnostics(): readonly Diagnostic[] {
    return this.network.diagnostics;
  }

  /** Answers a question. Throws QuestionError where a name of it means nothing. */
  why(question: VpcQuestion): VpcAnswer {
    const from = this.ends(question.from);
    const to = this.ends(question.to);
    const ways =
      question.flow === "reply"
        ? this.replies(question, from, to)
        : question.via === undefined
          ? this.direct(question, from, to)
          : this.balanced(question, from, to, question.via);
    const notes = [...from, ...to].flatMap((end) => this.network.owners.get(end.name)?.note ?? []);
    if (ways.length === 0) {
      const problem = `${question.from} and ${question.to} share no address family`;
      return { verdict: "deny", decidedBy: [], aliases: [], alsoDeniedBy: [], because: [], ways, notes, problem };
    }
    return { ...summary(ways), ways, notes };
  }

  /** The stages between two places, for those who compute with sets. */
  stages(from: Place, to: Place): readonly Stage[] {
    return connection(this.network, from, to);
  }

  passage(from: Place, to: Place): Passage {
    return passageOf(this.stages(from, to), from.family);
  }

  private ends(name: string): readonly End[] {
    const found = this.inventory.resolve(name);
    if (found.kind === "problem") throw new QuestionError(found.message);
    return found.ends;
  }

  private families(question: VpcQuestion): readonly Family[] {
    return FAMILIES.filter((f) => protocolInFamily(question.protocol, f) && (question.family ?? f) === f);
  }

  private *pairs(question: VpcQuestion, from: readonly End[], to: readonly End[]): Iterable<readonly [Place, Place]> {
    for (const family of this.families(question)) {
      for (const a of from.flatMap((end) => end.places)) {
        if (a.family !== family) continue;
        for (const b of to.flatMap((end) => end.places)) {
          // Of several things under one name each is asked about the others.
          if (
            b.family !== family ||
            (a.face !== undefined && a.face === b.face && from !== to && (from.length > 1 || to.length > 1))
          )
            continue;
          yield [a, b];
        }
      }
    }
  }

  private ask(question: VpcQuestion, family: Family): Ask {
    const port = question.port ?? 0;
    return { family, protocol: question.protocol, first: port, last: port };
  }

  private direct(question: VpcQuestion, from: readonly End[], to: readonly End[]): WayAnswer[] {
    const out: WayAnswer[] = [];
    for (const [a, b] of this.pairs(question, from, to)) {
      const ask = this.ask(question, a.family);
      out.push(
        wayOf(
          a,
          b,
          undefined,
          ask,
          this.decision(a, b, ask, (stages) => stages),
        ),
      );
    }
    return out;
  }

  /** Decides a connection; where its routing is not known, a verdict that every possible one shares is given (TF-7). */
  private decision(from: Place, to: Place, ask: Ask, part: (stages: readonly Stage[]) => readonly Stage[]): Decision {
    const all = routings(this.network, from, to)?.map((stages) => decide(part(stages), ask));
    const [first] = all ?? [];
    if (first !== undefined && all?.every((one) => one.verdict === first.verdict) === true) return first;
    const plain = decide(part(this.stages(from, to)), ask);
    const because: Because = { code: "unknown-value", detail: `which route leads from ${from.name} to ${to.name}` };
    return plain.verdict === "unsure" ? plain : { ...plain, verdict: "unsure", because: [because], alsoDeniedBy: [] };
  }

  /** Of the connection that `to` opened to `from`, the stateless hops of the way back (aws-vpc.md NACL-4). */
  private replies(question: VpcQuestion, from: readonly End[], to: readonly End[]): WayAnswer[] {
    const out: WayAnswer[] = [];
    for (const [server, client] of this.pairs(question, from, to)) {
      const ask = this.ask(question, server.family);
      const decision = this.decision(client, server, ask, (stages) =>
        stages
          .filter((stage) => stage.flow === "reply")
          .map((stage) => (question.clientPorts === undefined ? stage : { ...stage, client: question.clientPorts })),
      );
      const settled =
        decision.verdict === "allow" ? { ...decision, decidedBy: ["stateful-sg"], aliases: [] } : decision;
      out.push(wayOf(server, client, undefined, ask, settled));
    }
    return out;
  }

  private balanced(question: VpcQuestion, from: readonly End[], to: readonly End[], via: string): WayAnswer[] {
    const balancer = this.balancer(via);
    if (!hasPorts(question.protocol)) throw new QuestionError(`${via} is a load balancer: ask for a port`);
    const out: WayAnswer[] = [];
    for (const family of this.families(question)) {
      const ask = this.ask(question, family);
      for (const a of from.flatMap((end) => end.places)) {
        if (a.family !== family) continue;
        for (const end of to) {
          const target = this.target(end);
          if (target === undefined) throw new QuestionError(`${end.name} is no target of a load balancer`);
          for (const way of balancedWays(this.network, balancer, a, target, ask, question.http)) {
            out.push(wayOf(a, way.to, way.via, ask, decideLegs(way)));
          }
        }
      }
    }
    return out;
  }

  balancer(name: string): LoadBalancer {
    const owner = this.inventory.owner(name);
    const balancer = owner === undefined ? undefined : this.network.balancers.get(owner.name);
    if (balancer === undefined) throw new QuestionError(`${name} is no load balancer`);
    return balancer;
  }

  private target(end: End): Owner | Address | undefined {
    const owner = this.network.owners.get(canonical(this.network, end.name));
    return owner ?? (end.name.startsWith("ip:") ? parseAddress(end.name.slice(3)) : undefined);
  }
}

function wayOf(from: Place, to: Place, via: Place | undefined, ask: Ask, decision: Decision): WayAnswer {
  const of = (flow: Stage["flow"]): readonly Judged[] => decision.judged.filter((j) => j.stage.flow === flow);
  const passes = (list: readonly Judged[]): boolean => list.every((j) => j.judgement.verdict === "allow");
  return {
    from,
    to,
    ...(via === undefined ? {} : { via }),
    family: from.family,
    protocol: ask.protocol,
    port: ask.first,
    decision,
    oneWay: decision.verdict !== "allow" && of("request").length > 0 && passes(of("request")) && !passes(of("reply")),
  };
}

/** Each connection is asked about its own ports; all must pass (aws-vpc.md ORD-4). */
function decideLegs(way: BalancedWay): Decision {
  const legs = way.legs.map((leg) => decide(leg.stages, leg.ask));
  const judged = legs.flatMap((leg) => leg.judged);
  const denying = legs.filter((leg) => leg.verdict === "deny");
  const [first] = denying;
  if (first !== undefined) {
    const also = new Set(denying.flatMap((leg) => [...leg.decidedBy, ...leg.alsoDeniedBy]));
    for (const one of first.decidedBy) also.delete(one);
    return { ...first, alsoDeniedBy: [...also], judged };
  }
  for (const verdict of ["unsure", "mixed"] as const) {
    const telling = legs.filter((leg) => leg.verdict === verdict);
    const [one] = telling;
    if (one === undefined) continue;
    return {
      ...one,
      because: telling.reduce<readonly Because[]>((all, leg) => mergeBecause(all, leg.because), []),
      judged,
    };
  }
  const last = legs.at(-1);
  return {
    verdict: "allow",
    decidedBy: last?.decidedBy ?? [],
    aliases: last?.aliases ?? [],
    alsoDeniedBy: [],
    because: [],
    judged,
  };
}

/** Of several ways each check is named once, by what denies the first of them there; the ways tell the rest. */
function alsoDenied(ways: readonly WayAnswer[], decidedBy: ReadonlySet<string>): readonly string[] {
  const out = new Set<string>();
  const checks = new Set([...decidedBy].map(checkOf));
  for (const { decision } of ways) {
    const own = decision.alsoDeniedBy.filter(
      (one) => !decidedBy.has(one) && (out.size === 0 || !checks.has(checkOf(one))),
    );
    for (const one of own) {
      out.add(one);
      checks.add(checkOf(one));
    }
  }
  return [...out];
}

/** The check that a decider belongs to: an ACL in a direction, a group in a direction, a table. */
function checkOf(decider: string): string {
  return decider.replace(/#(ingress|egress):.*$/, "#$1").replace(/#.*->.*$/, "#route");
}

/** One verdict for all ways: theirs where they share it, else a mixture. */
function summary(ways: readonly WayAnswer[]): Omit<VpcAnswer, "ways" | "notes"> {
  const verdicts = new Set(ways.map((w) => w.decision.verdict));
  const only = verdicts.size === 1 ? ways[0]?.decision.verdict : undefined;
  const verdict =
    only ?? (verdicts.has("unsure") && !(verdicts.has("allow") && verdicts.has("deny")) ? "unsure" : "mixed");
  const decidedBy = new Set(ways.flatMap((w) => w.decision.decidedBy));
  const also = alsoDenied(ways, decidedBy);
  return {
    verdict,
    decidedBy: [...decidedBy],
    aliases: [...new Set(ways.flatMap((w) => w.decision.aliases))],
    alsoDeniedBy: also,
    because:
      verdict === "unsure"
        ? ways.reduce<readonly Because[]>((all, w) => mergeBecause(all, w.decision.because), [])
        : [],
  };
}
