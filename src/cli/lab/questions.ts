/** Questions of an answer as packets: for each pair of ends, who sends what to whom, or why no packet can ask that. */
import type { Probe } from "../../lab/answers.ts";
import { unenforcedOf } from "./compile.ts";
import type { Unsupported } from "../../lab/compile/ruleset-of.ts";
import type { LabPlan } from "../../lab/compile/plan-of.ts";
import type { PlannedNode } from "../../lab/plan.ts";
import { INGRESS, SOMEWHERE_OUTSIDE } from "../../lab/sites.ts";
import { type AddressRange, formatAddress, parseAddress } from "../../net/address.ts";
import { hasPorts } from "../../net/protocol.ts";
import type { Answer, PairAnswer, Question } from "../../reach/answer.ts";
import type { Endpoint } from "../../reach/endpoint.ts";
import type { Engine } from "../../reach/engine.ts";
import type { Verdict } from "../../reach/explain.ts";
import { objectName } from "../../report/origin.ts";

/** Before a name, where a packet goes to the address that its sender looks up. */
const NAMED = "fqdn:";

/** The name whose address a packet goes to, in lower case with a trailing dot; undefined where it is no name. */
export function nameAsked({ to }: Probe): string | undefined {
  return to.startsWith(NAMED) ? to.slice(NAMED.length) : undefined;
}

/** One packet with the answer that it is held against; to a name it goes by `NamedPackets`. */
export interface Asked {
  readonly probe: Probe;
  readonly verdict: Verdict;
}

export interface Posed {
  readonly asked: readonly Asked[];
  /** Why some or all of the question cannot be asked; empty where all of it is. */
  readonly reasons: readonly string[];
}

/** A lab as far as questions need it. */
export interface LabView {
  readonly engine: Engine;
  readonly lab: LabPlan;
  readonly unenforced: readonly Unsupported[];
}

/** Pairs of one question; more say nothing new. */
const MAX_PAIRS = 64;
const SAME_PLACE = "both ends share one network, so nothing is sent";

/** Takes the question and its answer. */
export function pose(view: LabView, question: Question, answer: Answer): Posed {
  const asked: Asked[] = [];
  const reasons = new Set<string>();
  if (answer.pairs.length === 0) reasons.add(answer.problem ?? "the question has no answer");
  const service = serviceOf(view, question.to);
  /** By verdict: what is not asked because nobody has such an address, which matters only where the verdict is another. */
  const otherFamily = new Map<Verdict, string>();
  for (const pair of answer.pairs.slice(0, MAX_PAIRS)) {
    const reason = unaskable(view, question, pair);
    if (reason !== undefined) {
      reasons.add(reason);
      continue;
    }
    // A Service is asked by its own address, as long as all of its backends have one answer.
    const front = answer.verdict === "mixed" ? undefined : service;
    const absent = question.family === undefined ? absentFamily(view, pair) : undefined;
    if (absent !== undefined) {
      otherFamily.set(pair.verdict, absent);
      continue;
    }
    const packets = packetsOf(view, question, pair, front);
    if (typeof packets === "string") reasons.add(packets);
    else for (const probe of packets) asked.push({ probe, verdict: pair.verdict });
  }
  for (const [verdict, reason] of otherFamily) if (!asked.some((one) => one.verdict === verdict)) reasons.add(reason);
  const distinct = new Map(asked.map((one) => [JSON.stringify(one), one]));
  return { asked: [...distinct.values()], reasons: [...reasons] };
}

/** Why a pair is nobody's business in a lab whose pods have no addresses of its family. */
function absentFamily({ lab }: LabView, { from, to, family }: PairAnswer): string | undefined {
  for (const end of [from, to]) {
    if (end.kind !== "pod") continue;
    const addresses = (lab.podsOf.get(end.pod) ?? []).flatMap((pod) => pod.addresses);
    if (!addresses.some((address) => isOf(address, family)))
      return `no pod of ${end.name} has an ${family} address here`;
  }
  return undefined;
}

function isOf(address: string, family: PairAnswer["family"]): boolean {
  return address.includes(":") === (family === "IPv6");
}

/** What of a question no packet can say. */
function unaskable(view: LabView, question: Question, pair: PairAnswer): string | undefined {
  if (pair.verdict === "unsure") return "the answer is unsure";
  if (pair.protocol === "OTHER" || !(hasPorts(pair.protocol) || pair.protocol.startsWith("ICMP")))
    return "the lab sends TCP, UDP, SCTP, ICMP and ICMPv6 only";
  const { tls, dns, http } = question.application ?? {};
  if (tls !== undefined) return "the lab asks no TLS handshakes here";
  if (dns !== undefined) return "the lab asks no DNS queries here";
  if (http !== undefined && pair.protocol !== "TCP") return "a request needs TCP";
  const considered = pair.hops.flatMap((hop) =>
    hop.kind === "filter"
      ? hop.explanation.considered.map(({ policy }) => `${hop.explanation.direction} ${objectName(policy)}`)
      : [],
  );
  const node = [pair.from, pair.to].some(({ kind }) => kind === "node");
  for (const one of view.unenforced) {
    const { origin } = one;
    const direction = origin.section.startsWith("egress") ? "egress" : "ingress";
    if (!considered.includes(`${direction} ${objectName(origin)}`) && !(origin.kind === "ConfigMap" && node)) continue;
    const { rule, why } = unenforcedOf(one);
    return `${rule} is not enforced: ${why}`;
  }
  return undefined;
}

/** The Service that a name means, as the lab addresses it; undefined for anything else. */
function serviceOf({ engine, lab }: LabView, name: string): string | undefined {
  const resolved = engine.inventory.resolve(name);
  if (resolved.kind !== "service") return undefined;
  const { namespace, name: own } = resolved.service;
  const planned = lab.plan.services.find((one) => one.namespace === namespace && one.name === own);
  return planned === undefined || planned.clusterIPs.length === 0 ? undefined : `service:${namespace}/${own}`;
}

function packetsOf(
  view: LabView,
  question: Question,
  pair: PairAnswer,
  service: string | undefined,
): readonly Probe[] | string {
  const { protocol } = pair;
  if (!(hasPorts(protocol) || protocol === "ICMP" || protocol === "ICMPv6")) return SAME_PLACE;
  const froms = placesOf(view, pair.from, pair.to, pair.family);
  if (typeof froms === "string") return froms;
  const replica = pair.from.kind === "pod" && pair.to.kind === "pod" && pair.from.pod === pair.to.pod;
  const found = placesOf(view, pair.to, pair.from, pair.family);
  if (typeof found === "string") return found;
  const tos = replica ? found.slice(1) : found;
  const http = question.application?.http;
  const probes = froms.slice(0, replica ? 1 : undefined).flatMap((from) =>
    tos
      .filter((to) => from.site !== to.site && (http === undefined || answersRequests(view, to.place, pair.port)))
      .map((to): Probe => {
        const port = service === undefined ? pair.port : (question.port ?? pair.port);
        return {
          from: from.place,
          to: service ?? to.place,
          protocol,
          port,
          family: pair.family === "IPv4" ? 4 : 6,
          ...(http === undefined
            ? {}
            : {
                http: {
                  method: http.method,
                  path: http.path,
                  ...(http.host === undefined ? {} : { host: http.host }),
                  headers: Object.fromEntries(http.headers),
                },
              }),
        };
      }),
  );
  if (probes.length > 0) return probes;
  const apart = froms.some((from) => tos.some((to) => from.site !== to.site));
  return apart ? "nothing answers requests on this port" : SAME_PLACE;
}

/** Whether a place has somebody who answers requests on a port; everything outside does. */
function answersRequests({ lab }: LabView, place: string, port: number): boolean {
  if (place.startsWith("ip:") || place.startsWith(NAMED)) return true;
  const pod = lab.plan.pods.find(({ name }) => name === place);
  return pod?.ports.some((one) => one.protocol === "TCP" && one.port === port) === true;
}

interface Where {
  readonly place: string;
  /** Equal for places that share a network. */
  readonly site: string;
}

/** Where an end is in the lab, in a family; a text where it is nowhere. */
function placesOf(
  view: LabView,
  end: Endpoint,
  other: Endpoint,
  family: PairAnswer["family"],
): readonly Where[] | string {
  const { lab } = view;
  const isMine = (address: string): boolean => isOf(address, family);
  switch (end.kind) {
    case "pod": {
      const pods = (lab.podsOf.get(end.pod) ?? []).filter((pod) => pod.addresses.some(isMine));
      if (pods.length === 0) return `the lab has no pod of ${end.name} with an ${family} address`;
      return pods.map(({ name }) => ({ place: name, site: name }));
    }
    case "node": {
      const node = nodeOf(view, end, other);
      if (typeof node === "string") return node;
      if (!node.addresses.some(isMine)) return `node ${node.name} has no ${family} address`;
      const name = `host@${node.name}`;
      return [{ place: name, site: name }];
    }
    case "outside": {
      if (end.anonymous === true) return "what comes from outside without its address is not asked";
      const addresses = sampleOf(end.range);
      if (addresses.length === 0) return `no packet has an address of ${end.name}`;
      return addresses.map((address) => ({ place: `ip:${address}`, site: "outside" }));
    }
    case "name":
      return [{ place: `${NAMED}${end.dnsName}`, site: "outside" }];
    case "reserved": {
      const ingress = end.reserved === "ingress" && lab.plan.ingress?.addresses.some(isMine) === true;
      return ingress ? [{ place: INGRESS, site: INGRESS }] : `the lab has no ${end.name}`;
    }
  }
}

function nodeOf({ lab }: LabView, end: Extract<Endpoint, { kind: "node" }>, other: Endpoint): PlannedNode | string {
  const { nodes } = lab.plan;
  const own = other.kind === "pod" ? lab.podsOf.get(other.pod)?.[0]?.node : undefined;
  const wanted =
    end.relation === "known"
      ? nodes.find(({ name }) => name === end.nodeName)
      : own === undefined
        ? undefined
        : nodes.find(({ name }) => (name === own) === (end.relation === "same"));
  if (wanted !== undefined) return wanted;
  return end.relation === "other" ? "the lab has one node only" : `on which node ${end.name} is, is not told`;
}

/** Addresses at the edges of a range that packets can have; at most two. */
function sampleOf({ family, first, last }: AddressRange): readonly string[] {
  const somewhere = parseAddress(SOMEWHERE_OUTSIDE[family === "IPv4" ? 4 : 6])?.value ?? first;
  const found = [first, last, first + 1n, last - 1n, somewhere]
    .filter((value) => value >= first && value <= last)
    .map((value) => formatAddress({ family, value }))
    .filter(isUnicast);
  return [...new Set(found)].slice(0, 2);
}

/** Whether packets can go to an address at all: not multicast, unspecified or loopback, nor link-local in IPv6. */
function isUnicast(text: string): boolean {
  const address = parseAddress(text);
  if (address === undefined) return false;
  if (address.family === "IPv6") return !/^(ff[0-9a-f]{2}:|fe[89ab][0-9a-f]:|::1?$)/.test(text);
  const first = Number(address.value >> 24n);
  return first > 0 && first < 224 && first !== 127;
}
