/** Answers in a line: everything that they hold, short enough to be kept beside the tests and read in a comparison. */
import { createHash } from "node:crypto";
import type { Because } from "../../src/base/because.ts";
import type { Diagnostic } from "../../src/base/diagnostic.ts";
import { showApplication } from "../../src/net/application.ts";
import { flowsKey } from "../../src/net/flow-set.ts";
import type { Policy } from "../../src/policy/rule.ts";
import { type Answer, type PairAnswer, type Question, QuestionError } from "../../src/reach/answer.ts";
import type { Bounded } from "../../src/reach/bounded.ts";
import type { Engine } from "../../src/reach/engine.ts";
import type { PolicyConsidered, RuleConsidered, SideExplanation } from "../../src/reach/explain.ts";
import type { Hop } from "../../src/reach/hop.ts";
import type { NorthSouthPath } from "../../src/reach/north-south-path.ts";
import type { PathQuery } from "../../src/reach/north-south.ts";
import type { Requests } from "../../src/reach/requests.ts";
import type { FlowEntry } from "../../src/reach/flow-list.ts";
import { idlePolicies } from "../../src/reach/idle-policies.ts";
import type { Decider, ReachPair } from "../../src/reach/reach.ts";
import { routeFindings } from "../../src/reach/route-findings.ts";
import { questionOf } from "../rules/row.ts";

const words = (...parts: readonly (string | undefined)[]): string =>
  parts.filter((part) => part !== undefined && part !== "").join(" ");

function becauseText(because: readonly Because[]): string {
  return because.length === 0 ? "" : `(${because.map(({ code, detail }) => `${code} ${detail}`).join("; ")})`;
}

function policyName({ kind, namespace, name }: Pick<Policy, "kind" | "namespace" | "name">): string {
  return [kind, namespace, name].filter((part) => part !== undefined).join("/");
}

function ruleText({ rule, peer, port, application, requests, dead }: RuleConsidered): string {
  const { section, index } = rule.origin;
  const asked = requests.map(({ verdict, failures }) => `${verdict} ${failures.map((f) => JSON.stringify(f)).join()}`);
  return words(
    `${section}[${index}] ${rule.action} ${peer}${port ? "" : " other port"}`,
    application === "yes" ? "" : `request ${application}`,
    asked.join(", "),
    dead === undefined
      ? ""
      : `dead ${dead.name} ${dead.lookUps.map((o) => `${o.name}#${o.section}[${o.index}]`).join()}`,
  );
}

function consideredText({ policy, selects, isolation, rules }: PolicyConsidered): string {
  return `${policyName(policy)} ${words(selects === "yes" ? "" : selects, isolation)}: ${rules.map(ruleText).join(", ")}`;
}

function sideText(side: SideExplanation): string {
  const { direction, verdict, reason, deciders, isolatedBy, considered, because, refusedByProxy } = side;
  return words(
    `${direction} ${verdict} by ${reason}`,
    deciders.map((one) => `${policyName(one)}#${one.section}[${one.index}]`).join(", "),
    isolatedBy.length === 0 ? "" : `closed by ${isolatedBy.map(policyName).join(", ")}`,
    refusedByProxy ? "refused by the proxy" : "",
    becauseText(because),
    considered.length === 0 ? "" : `{${considered.map(consideredText).join("; ")}}`,
  );
}

const LONG = 240;

function requestsText({ must, may }: Requests): string {
  const shown = (set: typeof must): string => {
    const text = JSON.stringify(showApplication(set));
    // Many parts of a set are a sum, or nobody would read the line.
    return text.length <= LONG ? text : `${text.slice(0, LONG)}… ${sum(text)}`;
  };
  return must.key === may.key ? shown(must) : `${shown(must)} to ${shown(may)}`;
}

function hopText(hop: Hop): string {
  switch (hop.kind) {
    case "rewrite":
      return `rewrite ${hop.service}: ${hop.detail}`;
    case "route":
      return words(`route ${hop.at}: ${hop.detail}: ${hop.verdict}`, becauseText(hop.because));
    case "terminate":
      return words(
        `terminate ${hop.at}: ${hop.detail}: ${hop.verdict}`,
        requestsText(hop.requests),
        becauseText(hop.because),
      );
    case "filter":
      return words(`${hop.at} ${sideText(hop.explanation)}`, hop.when === undefined ? "" : `when ${hop.when}`);
  }
}

function pairText({ from, to, family, port, verdict, applicationLimited, because, hops }: PairAnswer): string {
  const limited = applicationLimited ? "limited" : "";
  return `${from.name} > ${to.name} ${family} ${port} ${words(verdict, limited, becauseText(because))}: ${hops.map(hopText).join(" | ")}`;
}

function answerText({ verdict, applicationLimited, because, pairs, problem, stops = [] }: Answer): string {
  return [
    words(verdict, applicationLimited ? "limited" : "", becauseText(because), problem),
    ...stops.map(hopText),
    ...pairs.map(pairText),
  ].join(" || ");
}

/** The answer to one question, or why there is none. */
export function whyText(engine: Engine, question: Question): string {
  try {
    return answerText(engine.why(question));
  } catch (error) {
    if (error instanceof QuestionError) return `no answer: ${error.message}`;
    throw error;
  }
}

export function diagnosticText({ severity, code, message, file, line, column }: Diagnostic): string {
  return `${severity} ${code} ${file}:${line}:${column} ${message}`;
}

/** Every way in from outside, or those that are asked for, a line each. */
export function pathTexts(engine: Engine, query: PathQuery = { from: "internet" }): readonly string[] {
  const paths = engine.paths(query);
  // Where a request is asked, most rules of a Gateway do not take it.
  const taken = paths.filter(({ hops }) => !hops.some((hop) => hop.kind === "terminate" && OTHER.test(hop.detail)));
  const others = paths.length - taken.length;
  return [...taken.map(pathText), ...(others === 0 ? [] : [`${others} whose rule does not take the request`])];
}

const OTHER = /: another rule takes the request$/;

function pathText(path: NorthSouthPath): string {
  const { way, from, to, protocol, port, dialled, through, verdict, because, requests, hops } = path;
  return words(
    `${way} ${from} > ${to} ${port}/${protocol} by ${dialled}`,
    through === undefined ? "" : `${through.object} ${through.host} ${through.match}`,
    verdict,
    becauseText(because),
    requestsText(requests),
    `: ${hops.map(hopText).join(" | ")}`,
  );
}

/** The query that a sentence stands for, `FROM > TO` with the words of a row behind; `*`: to every workload. */
export function waysQuery(sentence: string): PathQuery {
  const { from, to, protocol, port, application } = questionOf(sentence);
  return {
    from,
    ...(to === "*" ? {} : { to }),
    ...(port === undefined || protocol !== "TCP" ? {} : { port: { protocol, port } }),
    ...(application === undefined ? {} : { application }),
  };
}

/** What is found in the input, in the policies that govern nobody and in the ways that nobody serves. */
export function findingTexts(engine: Engine): readonly string[] {
  return [...engine.diagnostics, ...idlePolicies(engine), ...routeFindings(engine)].map(diagnosticText);
}

function flowText({ family, protocol, ports, icmp, application }: FlowEntry): string {
  return words(family, protocol, ports, icmp?.type, JSON.stringify(showApplication(application)));
}

function deciderText({ direction, reason, origins, isolatedBy }: Decider): string {
  const rules = origins.map((one) => `${policyName(one)}#${one.section}[${one.index}]`);
  return `${direction} ${reason} ${[...rules, ...isolatedBy.map(policyName)].join(", ")}`;
}

function pairLine({ from, to, allow, unsure, mixed }: ReachPair): string {
  return [
    `${from} > ${to}`,
    ...allow.map((entry) => `allow ${flowText(entry)} ${entry.deciders.map(deciderText).join("; ")}`),
    ...unsure.map((entry) => `unsure ${flowText(entry)} ${becauseText(entry.because)}`),
    ...mixed.map((entry) => `mixed ${flowText(entry)}`),
  ].join(" | ");
}

/** What `reach` lists, as a number of pairs and a sum over all of them. */
export function reachText(engine: Engine): string {
  const parts = (["endpoint", "identity", "application", "namespace"] as const).map((by) => {
    const { rows, pairs } = engine.reach({ by, provenance: true, outside: by !== "identity" });
    const lines = [...pairs].map(pairLine);
    const text = [...rows.map((row) => `${row.name} ${row.kind} ${row.members.length}`), ...lines].join("\n");
    return `${by} ${lines.length} ${sum(text)}`;
  });
  return [...parts, factoredText(engine)].join(", ");
}

/** The factored answer, as a number of sides and a sum over all of them. */
function factoredText(engine: Engine): string {
  const { classes, sides } = engine.solve();
  const names = new Map(classes.map(({ id, members }) => [id, members.map(({ name }) => name).join()]));
  const flows = ({ must, may }: Bounded): string => `${flowsKey(must)} to ${flowsKey(may)}`;
  const texts = sides.map(({ direction, classId, otherwise, groups }) => {
    const own = groups.map((group) => `${group.others.map((id) => names.get(id)).join(" & ")}: ${flows(group.flows)}`);
    return `${direction} of ${names.get(classId) ?? ""}: ${[...own, flows(otherwise)].join("; ")}`;
  });
  return `solved ${sides.length} ${sum([...names.values(), ...texts].join("\n"))}`;
}

/** Who reaches each Service, a line for every pair; with a port, and without what decided, as a sum. */
export function serviceTexts(engine: Engine): readonly string[] {
  return engine.world.services.flatMap(({ namespace, name, ports }) => {
    const to = `${namespace}/Service/${name}`;
    const [port] = ports;
    const asked = { to, by: "endpoint", outside: true } as const;
    const whole = [...engine.reach({ ...asked, provenance: true }).pairs].map(pairLine);
    const from = [...engine.reach({ from: to, by: "endpoint", outside: true, provenance: true }).pairs].map(pairLine);
    const one = port === undefined ? [] : [...engine.reach({ ...asked, port, provenance: false }).pairs].map(pairLine);
    return [...whole, `to ${to} ${one.length} ${sum(one.join("\n"))}, from it ${from.length} ${sum(from.join("\n"))}`];
  });
}

export function sum(text: string): string {
  return createHash("sha256").update(text).digest("base64url").slice(0, 10);
}
