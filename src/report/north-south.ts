/** Paths from outside, for every writer: what they lead through, and what decided each. */
import type { NorthSouthPath, Way } from "../reach/north-south-path.ts";
import { type Hop, isEnd } from "../reach/hop.ts";
import { applicationText } from "./reach-report.ts";
import { EVERYTHING, showApplication } from "../net/application.ts";
import { patternWords } from "../net/path-language.ts";
import { decidedJson, hopJson, requestsJson } from "./hop-json.ts";
import { type DecidedBy, decidedBySide, decidedText } from "./why-report.ts";

const WAYS: Readonly<Record<Way, string>> = {
  "load-balancer": "load balancer",
  "external-address": "external address",
  "node-port": "node port",
  "host-port": "host port",
  "host-network": "host network",
  ingress: "Ingress",
  gateway: "Gateway",
};

/** What a path leads through: `load balancer, 203.0.113.50, port 80`; `Ingress/default/web, host a.example.com, …`. */
export function throughText({ way, dialled, through }: NorthSouthPath): string {
  if (through === undefined) return `${WAYS[way]}, ${dialled}`;
  return `${through.object}, ${through.host === "*" ? "any host" : `host ${through.host}`}, ${through.match}`;
}

/** The stations of a path on one line: `internet → load balancer of … → Cilium (host …) → … → pod`. */
export function stationsText(path: NorthSouthPath): string {
  const stations = [path.from];
  for (const hop of path.hops) {
    if (hop.kind === "route") stations.push(hop.at);
    if (hop.kind === "rewrite") stations.push(hop.service);
    if (hop.kind === "terminate" && path.through !== undefined) {
      stations.push(`${hop.at} (${path.through.host === "*" ? "any host" : path.through.host}, ${path.through.match})`);
    }
  }
  return [...stations, path.to].join(" → ");
}

/** The requests that arrive on a path; empty where nothing above the port is asked. */
export function requestsText({ requests }: NorthSouthPath): string {
  if (requests.must === EVERYTHING) return "";
  const shown = showApplication(requests.must);
  if (shown.boxes.length === 0 && shown.tls === undefined) return "";
  // A list of names reads better than the pattern for it.
  const plain = (host: string | null): string | null =>
    host === null ? null : (patternWords(host)?.join("|") ?? host);
  return applicationText({ ...shown, boxes: shown.boxes.map((box) => ({ ...box, host: plain(box.host) })) });
}

/** One thing that decided, with the number of its hop. */
export interface PathDecider extends DecidedBy {
  /** Counted from 1, as the hops are told. */
  readonly hop: number;
}

/** What decided a path: where it is not allowed, the filters that say so; else every filter. */
export function pathDeciders({ hops, verdict }: Pick<NorthSouthPath, "hops" | "verdict">): readonly PathDecider[] {
  const sides = hops.flatMap((hop, i) => (hop.kind === "filter" ? [{ hop, number: i + 1 }] : []));
  const telling = verdict === "allow" ? sides : sides.filter(({ hop }) => hop.explanation.verdict === verdict);
  return telling.flatMap(({ hop, number }) =>
    decidedBySide(hop.at, hop.explanation).map((one) => ({ ...one, hop: number })),
  );
}

/** Why a path is as it is, in a few words. */
export function pathReason(path: NorthSouthPath): string {
  const ended = path.hops.find(isEnd);
  if (path.verdict === "deny" && ended !== undefined) return `${ended.at}: ${ended.detail}`;
  if (path.because.length > 0) return path.because.map(({ code, detail }) => `${code}: ${detail}`).join("; ");
  const deciders = pathDeciders(path).filter((one) => one.reason !== "no-policy");
  return deciders.length === 0 ? "no policy" : [...new Set(deciders.map(decidedText))].join("; ");
}

/** A path with everything that led to it. */
export function northSouthJson(path: NorthSouthPath): Record<string, unknown> {
  return {
    from: path.from,
    to: path.to,
    family: "any",
    ...wayJson(path),
    httpLimited: path.requests.must !== EVERYTHING,
    ...requestsJson(path.requests),
    because: path.because,
    decidedBy: pathDeciders(path).map((one) => ({ ...decidedJson(one), hop: one.hop })),
    hops: path.hops.map(hopJson),
  };
}

/** A path as an edge: its hops without the policies that they considered. */
export function edgeJson(path: NorthSouthPath, provenance: boolean): Record<string, unknown> {
  return {
    from: path.from,
    to: path.to,
    ...wayJson(path),
    ...requestsJson(path.requests),
    because: path.because,
    ...(provenance ? { decidedBy: pathDeciders(path).map((one) => ({ ...deciderJson(one), hop: one.hop })) } : {}),
    hops: path.hops.map(briefHop),
  };
}

function wayJson({ way, dialled, through, protocol, port, verdict }: NorthSouthPath): Record<string, unknown> {
  return { way, dialled, ...(through === undefined ? {} : { through }), protocol, port, verdict };
}

function deciderJson({ direction, reason, object, rule }: PathDecider): Record<string, unknown> {
  return { direction, reason, ...object, ...(rule === undefined ? {} : { rule: rule.index }) };
}

function briefHop(hop: Hop): Record<string, unknown> {
  switch (hop.kind) {
    case "rewrite":
      return { kind: hop.kind, service: hop.service, detail: hop.detail };
    case "filter": {
      const { direction, verdict, reason } = hop.explanation;
      const when = hop.when === undefined ? {} : { when: hop.when };
      return { kind: hop.kind, at: hop.at, ...when, direction, verdict, reason };
    }
    case "route":
    case "terminate":
      return { kind: hop.kind, at: hop.at, detail: hop.detail, verdict: hop.verdict };
  }
}
