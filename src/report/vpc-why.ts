/** `why` about a VPC: every hop there and back, with the rule that decides at each. */
import type { Diagnostic } from "../base/diagnostic.ts";
import type { Because } from "../base/because.ts";
import { formatRange } from "../net/address.ts";
import type { Place } from "../vpc/decide/place.ts";
import type { Considered, Judged } from "../vpc/decide/stage.ts";
import type { VpcAnswer, VpcQuestion, WayAnswer } from "../vpc/engine.ts";
import type { Network } from "../vpc/model.ts";
import { kindOf, placeOfCited } from "../vpc/shown.ts";
import { printable } from "./escape.ts";
import { diagnosticJson } from "./reach-json.ts";
import type { Style, Tone } from "./style.ts";
import { table } from "./table.ts";
import { becauseText } from "./why-report.ts";

export interface VpcWhyReport {
  readonly question: VpcQuestion;
  /** As the user wrote the request. */
  readonly http?: string;
  readonly answer: VpcAnswer;
  /** Tells where what decided stands. */
  readonly network: Network;
  readonly complete: boolean;
  readonly diagnostics: readonly Diagnostic[];
}

const TONES: Readonly<Record<string, Tone>> = { allow: "allow", deny: "deny", unsure: "unsure", mixed: "unsure" };

export function* vpcWhyText(report: VpcWhyReport, style: Style): Iterable<string> {
  const { answer, question } = report;
  const port = question.port === undefined || question.port === 0 ? "" : ` ${question.port}`;
  const via = question.via === undefined ? "" : ` via ${question.via}`;
  const http = report.http === undefined ? "" : `, ${report.http}`;
  const what = `${question.from} → ${question.to}${via}, ${question.protocol}${port}${http}`;
  yield `${style(TONES[answer.verdict] ?? "unsure", answer.verdict)}  ${style("strong", printable(what))}\n`;
  if (answer.problem !== undefined) yield `  ${printable(answer.problem)}\n`;
  for (const line of oneWayTexts(answer)) yield `  ${printable(line)}\n`;
  if (answer.because.length > 0) yield `  because ${printable(becauseText(answer.because))}\n`;
  for (const [i, one] of answer.decidedBy.entries())
    yield `  ${i === 0 ? "decided by " : "           "} ${printable(one)}${placed(report.network, one, style)}\n`;
  for (const [i, one] of answer.alsoDeniedBy.entries())
    yield `  ${i === 0 ? "also denied" : "           "} ${printable(one)}${placed(report.network, one, style)}\n`;
  for (const note of new Set(answer.notes)) yield `  note: ${printable(note)}\n`;
  const ways = joined(answer.ways);
  for (const way of ways) yield* wayText(way, ways.length > 1, style);
}

/** Where something stands, behind its name. */
function placed(network: Network, cited: string, style: Style): string {
  const place = placeOfCited(network, cited);
  return place === undefined ? "" : `  ${style("faint", printable(`${place.file}:${place.line}:${place.column}`))}`;
}

/** "the request passes; the reply is dropped by acl app-a, egress rule 100". */
function oneWayTexts(answer: VpcAnswer): readonly string[] {
  const out = new Set<string>();
  for (const way of answer.ways) {
    if (!way.oneWay) continue;
    const lost = way.decision.judged.find((j) => j.stage.flow === "reply" && j.judgement.verdict !== "allow");
    if (lost === undefined) continue;
    const verb =
      lost.judgement.verdict === "deny"
        ? "is dropped by"
        : lost.judgement.verdict === "mixed"
          ? "is dropped in part by"
          : "may be dropped by";
    const detail = lost.judgement.detail === undefined ? "" : ` (${lost.judgement.detail})`;
    out.add(`the request passes; the reply ${verb} ${lost.judgement.deciders.map(deciderText).join(", ")}${detail}`);
  }
  return [...out];
}

/** `aws_network_acl.a#egress:100` as people say it. */
function deciderText(decider: string): string {
  const match = /^(.*)#(ingress|egress):(\d+|\*)$/.exec(decider);
  if (match === null) return decider;
  const [, acl = "", direction = "", rule = ""] = match;
  return `${acl}, ${direction} rule ${rule}`;
}

interface Joined {
  readonly way: WayAnswer;
  readonly from: string;
  readonly to: string;
}

/** Ways that are answered alike, hop by hop, are one: the ranges of what is outside. */
function joined(ways: readonly WayAnswer[]): readonly Joined[] {
  const out = new Map<string, { way: WayAnswer; from: Set<string>; to: Set<string> }>();
  for (const way of ways) {
    const key = JSON.stringify([
      isOutside(way.from) ? "" : nameOf(way.from),
      isOutside(way.to) ? "" : nameOf(way.to),
      way.via?.face?.name,
      way.family,
      way.decision.verdict,
      way.decision.judged.map((j) => [
        j.stage.at === way.from.name || j.stage.at === way.to.name ? "" : j.stage.at,
        j.stage.what,
        j.judgement.verdict,
        j.judgement.deciders,
      ]),
    ]);
    const known = out.get(key);
    if (known === undefined) out.set(key, { way, from: new Set([nameOf(way.from)]), to: new Set([nameOf(way.to)]) });
    else {
      known.from.add(nameOf(way.from));
      known.to.add(nameOf(way.to));
    }
  }
  return [...out.values()].map(({ way, from, to }) => ({ way, from: several(from), to: several(to) }));
}

function several(names: ReadonlySet<string>): string {
  const [first = "", ...rest] = names;
  return rest.length === 0 ? first : `${first} and ${rest.length} more ranges`;
}

function isOutside(place: Place): boolean {
  return place.owner === undefined && place.subnet === undefined;
}

/** An owner with several interfaces is named with the subnet of the one that is meant. */
function nameOf(place: Place): string {
  if (place.owner === undefined) return place.range.first === place.range.last ? place.name : formatRange(place.range);
  return place.owner.interfaces.length > 1 && place.subnet !== undefined
    ? `${place.owner.name} in ${place.subnet.name}`
    : place.owner.name;
}

function* wayText({ way, from, to }: Joined, several_: boolean, style: Style): Iterable<string> {
  yield "\n";
  if (several_) {
    const via = way.via === undefined ? "" : ` via ${nameOf(way.via)}`;
    yield `${style("strong", printable(`${from} → ${to}${via} over ${way.family}`))}: ${way.decision.verdict}\n`;
  }
  for (const [i, { stage, judgement }] of way.decision.judged.entries()) {
    const arrow = stage.flow === "request" ? "→" : "←";
    const direction = stage.direction === undefined ? "" : `${stage.direction} of `;
    const verdict = style(TONES[judgement.verdict] ?? "unsure", judgement.verdict);
    const why = judgement.deciders.length === 0 ? "" : `, ${judgement.deciders.map(printable).join(", ")}`;
    const ports =
      stage.flow === "reply" && stage.client !== undefined && stage.kind === "filter"
        ? `, client ports ${stage.client.first}-${stage.client.last}`
        : "";
    yield `${i + 1}. ${arrow} ${direction}${printable(stage.at)}, ${printable(stage.what)}: ${verdict}${why}${ports}\n`;
    if (judgement.detail !== undefined) yield `     ${printable(judgement.detail)}\n`;
    if (judgement.because.length > 0) yield `     ${printable(becauseText(judgement.because))}\n`;
    const rows = (judgement.considered ?? []).map((one) => [
      `     ${judgement.deciders.includes(one.name) ? "▸" : " "}`,
      one.text,
      standing(one),
      one.name,
    ]);
    for (const line of table(rows)) yield `${style("faint", printable(line))}\n`;
  }
}

function standing({ peer, port }: Considered): string {
  const word = { yes: "matches", no: "does not match", maybe: "may match" };
  return `peer ${word[peer]}, port ${word[port]}`;
}

export function* vpcWhyJson(report: VpcWhyReport): Iterable<string> {
  const { question, answer } = report;
  const first = new Map<string, Record<string, unknown>>();
  for (const way of answer.ways) {
    for (const name of way.decision.decidedBy) {
      const judged = way.decision.judged.find((j) => j.judgement.deciders.includes(name));
      if (!first.has(name))
        first.set(
          name,
          judged === undefined
            ? { direction: "ingress", at: way.to.name, reason: "always-allowed", name }
            : deciderJson(report.network, judged, name),
        );
    }
  }
  const value = {
    schemaVersion: 1,
    dialect: "aws",
    complete: report.complete,
    question: {
      from: question.from,
      to: question.to,
      protocol: question.protocol,
      port: question.port ?? null,
      http: report.http ?? null,
      ...(question.via === undefined ? {} : { via: question.via }),
    },
    verdict: answer.verdict,
    httpLimited: false,
    because: answer.because,
    problem: answer.problem ?? null,
    decidedBy: [...first.values()],
    alsoDeniedBy: answer.alsoDeniedBy,
    paths: joined(answer.ways).map(({ way, from, to }) => ({
      from,
      to,
      ...(way.via === undefined ? {} : { via: nameOf(way.via) }),
      family: way.family,
      protocol: way.protocol,
      port: way.port,
      verdict: way.decision.verdict,
      httpLimited: false,
      because: way.decision.because,
      ...(way.oneWay ? { oneWay: true } : {}),
      alsoDeniedBy: way.decision.alsoDeniedBy,
      hops: way.decision.judged.map((judged) => hopJson(report.network, judged)),
    })),
    diagnostics: report.diagnostics.map(diagnosticJson),
  };
  yield `${JSON.stringify(value, null, 2)}\n`;
}

function directionOf({ stage }: Judged): string {
  return stage.direction ?? (stage.order <= 4 ? "egress" : "ingress");
}

function deciderJson(network: Network, judged: Judged, name: string): Record<string, unknown> {
  const isDefault = /#(?:ingress|egress):(?:none|\*)$/.test(name);
  return {
    direction: directionOf(judged),
    at: judged.stage.at,
    reason: isDefault ? "default-deny" : "rule",
    kind: kindOf(judged.stage.what),
    name,
    ...placeOfCited(network, name),
  };
}

function hopJson(network: Network, judged: Judged): Record<string, unknown> {
  const { stage, judgement } = judged;
  const because: readonly Because[] = judgement.because;
  const decidedBy = judgement.deciders.map((name) => deciderJson(network, judged, name));
  const detail = judgement.detail === undefined ? stage.what : `${stage.what}: ${judgement.detail}`;
  if (stage.kind === "rewrite") return { kind: "rewrite", service: stage.at, detail };
  const common = { at: stage.at, flow: stage.flow, detail, verdict: judgement.verdict, because, decidedBy };
  if (stage.kind === "route") return { kind: "route", ...common };
  if (stage.kind === "terminate") return { kind: "terminate", ...common, http: null };
  const isDefault = judgement.deciders.some((name) => /#(?:ingress|egress):(?:none|\*)$/.test(name));
  return {
    kind: "filter",
    at: stage.at,
    direction: directionOf(judged),
    flow: stage.flow,
    detail,
    verdict: judgement.verdict,
    reason: judgement.verdict === "deny" && isDefault ? "default-deny" : "rule",
    refusedByProxy: false,
    because,
    decidedBy,
    considered: [
      {
        kind: kindOf(stage.what),
        name: stage.what.replace(/^network ACL /, ""),
        selects: "yes",
        isolation: "closed",
        rules: (judgement.considered ?? []).map((one, i) => ({
          section: directionOf(judged),
          rule: i,
          action: one.action,
          peer: one.peer,
          port: one.port !== "no",
          http: "yes",
          name: one.name,
          text: one.text,
        })),
      },
    ],
  };
}
