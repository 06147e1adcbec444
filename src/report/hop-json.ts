/** Hops and deciders as JSON. */
import { EVERYTHING, showApplication } from "../net/application.ts";
import type { Origin } from "../policy/rule.ts";
import type { PolicyConsidered } from "../reach/explain.ts";
import type { FilterHop, Hop, RouteHop } from "../reach/hop.ts";
import type { RequestRule } from "../reach/request-rules.ts";
import type { Requests } from "../reach/requests.ts";
import { originJson, placeOf, policyPlace, rulePlace } from "./origin.ts";
import { type DecidedBy, decidedBySide } from "./why-report.ts";

/** A decider without what is absent. */
export function decidedJson(one: DecidedBy): Record<string, unknown> {
  return {
    direction: one.direction,
    at: one.at,
    reason: one.reason,
    ...one.object,
    ...(one.rule === undefined ? {} : { section: one.rule.section, rule: one.rule.index }),
    ...one.place,
  };
}

/** A step of a path. */
export function hopJson(hop: Hop): Record<string, unknown> {
  switch (hop.kind) {
    case "rewrite":
      return { kind: hop.kind, service: hop.service, detail: hop.detail, ...placeJson(hop) };
    case "route":
      return {
        kind: hop.kind,
        at: hop.at,
        detail: hop.detail,
        verdict: hop.verdict,
        because: hop.because,
        ...placeJson(hop),
      };
    case "terminate":
      return {
        kind: hop.kind,
        at: hop.at,
        detail: hop.detail,
        verdict: hop.verdict,
        ...requestsJson(hop.requests),
        because: hop.because,
        ...placeJson(hop),
      };
    case "filter":
      return filterJson(hop);
  }
}

function placeJson(hop: Pick<RouteHop, "place">): Record<string, unknown> {
  return { ...placeOf(hop.place?.document, hop.place?.path) };
}

/** The requests that certainly arrive, and, where they are more, those that possibly do; null where nothing is asked of them. */
export function requestsJson({ must, may }: Requests): Record<string, unknown> {
  return {
    http: must === EVERYTHING ? null : showApplication(must),
    ...(must.key === may.key ? {} : { possibly: showApplication(may) }),
  };
}

function filterJson(hop: FilterHop): Record<string, unknown> {
  const { at, explanation: side } = hop;
  return {
    kind: hop.kind,
    at,
    ...(hop.when === undefined ? {} : { when: hop.when }),
    direction: side.direction,
    verdict: side.verdict,
    reason: side.reason,
    refusedByProxy: side.refusedByProxy,
    because: side.because,
    decidedBy: decidedBySide(at, side).map(decidedJson),
    considered: side.considered.map(consideredJson),
  };
}

function consideredJson({ policy, selects, isolation, rules }: PolicyConsidered): Record<string, unknown> {
  const { kind, namespace, name } = policy;
  return {
    kind,
    ...(namespace === undefined ? {} : { namespace }),
    name,
    ...policyPlace(policy),
    selects,
    isolation,
    rules: rules.map(({ rule, peer, port, application, requests, dead }) => ({
      section: rule.origin.section,
      rule: rule.origin.index,
      action: rule.action,
      peer,
      port,
      http: application,
      ...(requests.length === 0 ? {} : { requests: requests.map((one) => requestJson(one, rule.origin)) }),
      ...(dead === undefined ? {} : { dead: { name: dead.name, lookUps: dead.lookUps.map(originJson) } }),
      ...rulePlace(rule.origin),
    })),
  };
}

function requestJson({ rule, at, verdict, failures }: RequestRule, origin: Origin): Record<string, unknown> {
  const { method = null, path = null, host = null, headers } = rule;
  return {
    method,
    path,
    host,
    headers: headers.map(({ name, value }) => (value === undefined ? name : `${name}: ${value}`)),
    verdict,
    failures: failures.map((failure) => ({ ...failure, actual: failure.actual ?? null })),
    ...placeOf(origin.document, at),
  };
}
