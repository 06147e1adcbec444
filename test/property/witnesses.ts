/** Engine and reference behind one interface, with answers in one form. */
import { Reference, UnknownEndpointError } from "../../reference/index.ts";
import type { Answer as ReferenceAnswer, Decider, SideAnswer } from "../../reference/index.ts";
import type { ReasonCode } from "../../reference/reasons.ts";
import type { BecauseCode } from "../../src/base/because.ts";
import { hasErrors } from "../../src/base/diagnostic.ts";
import { readDocuments } from "../../src/documents/reader.ts";
import { type Address, parseAddress } from "../../src/net/address.ts";
import { openDialect } from "../../src/policy/registry.ts";
import type { Origin, Policy } from "../../src/policy/rule.ts";
import { type Answer, type PairAnswer, QuestionError } from "../../src/reach/answer.ts";
import { Engine } from "../../src/reach/engine.ts";
import type { SideExplanation } from "../../src/reach/explain.ts";
import type { Fields } from "./arbitraries.ts";
import type { Flow } from "./flows.ts";
import type { Dialect } from "./scenes.ts";

export interface SideView {
  readonly verdict: string;
  /** `mixed` where members differ. */
  readonly reason: string;
  /** `Kind/ns/name#section[index]`; for default deny the policies that close the side. Sorted. */
  readonly deciders: readonly string[];
}

export interface View {
  readonly verdict: string;
  readonly limited: boolean;
  readonly egress: SideView;
  readonly ingress: SideView;
  readonly because: readonly string[];
  /** Whether several members with sides of their own were put together. */
  readonly several: boolean;
  /** Whether a step that is no policy's leaves open what the sides see; then they are not compared. */
  readonly open: boolean;
}

/** What became of a question: an answer, or none because a name means nothing. */
export type Reply = View | { readonly problem: string };

export interface Witness {
  /** `Kind/ns/name`, sorted. */
  readonly refused: readonly string[];
  ask(flow: Flow): Reply;
}

export interface Input {
  readonly dialect: Dialect;
  readonly documents: readonly Fields[];
  readonly names?: Readonly<Record<string, readonly string[]>>;
}

// ── engine ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** The engine over the documents as text. */
export function openEngine({ dialect: name, documents, names }: Input): Witness {
  const sources = documents.map((document, i) => ({ name: `${i}.json`, text: JSON.stringify(document) }));
  const read = readDocuments(sources);
  if (hasErrors(read.diagnostics)) throw new Error(read.diagnostics.map((d) => d.message).join("; "));
  const dialect = openDialect(name);
  if (dialect === undefined) throw new Error(`no dialect ${name}`);
  const engine = Engine.open(read.documents, {
    dialect,
    asCluster: true,
    ...(names === undefined ? {} : { names: resolutions(names) }),
  });
  return {
    refused: [...engine.refused].sort(),
    ask(flow) {
      try {
        return engineView(engine.why(questionOf(flow)));
      } catch (error) {
        if (error instanceof QuestionError) return { problem: error.message };
        throw error;
      }
    },
  };
}

function resolutions(names: Readonly<Record<string, readonly string[]>>): ReadonlyMap<string, readonly Address[]> {
  return new Map(
    Object.entries(names).map(([name, texts]) => [
      `${name.toLowerCase().replace(/\.$/, "")}.`,
      texts.map(parseAddress).filter((address) => address !== undefined),
    ]),
  );
}

function questionOf(flow: Flow): Parameters<Engine["why"]>[0] {
  const { http, tls } = flow;
  const application =
    http === undefined && tls === undefined
      ? undefined
      : {
          ...(http === undefined
            ? {}
            : {
                http: {
                  method: http.method,
                  path: http.path,
                  ...(http.host === undefined ? {} : { host: http.host }),
                  headers: new Map(Object.entries(http.headers).map(([key, value]) => [key.toLowerCase(), value])),
                },
              }),
          ...(tls === undefined ? {} : { tls }),
        };
  return {
    from: flow.from,
    to: flow.to,
    protocol: flow.protocol,
    ...(flow.port === undefined ? {} : { port: flow.port }),
    ...(flow.family === undefined ? {} : { family: flow.family }),
    ...(application === undefined ? {} : { application }),
  };
}

const ALWAYS: SideView = { verdict: "allow", reason: "always-allowed", deciders: [] };

function engineView(answer: Answer): Reply {
  if (answer.pairs.length === 0) return { problem: answer.problem ?? "no pair" };
  const members = answer.pairs.map((pair) => ({ egress: sideOf(pair, "egress"), ingress: sideOf(pair, "ingress") }));
  const texts = new Set(members.map((member) => JSON.stringify(member)));
  return {
    verdict: answer.verdict,
    limited: answer.applicationLimited && answer.verdict === "allow",
    egress: sidesTogether(members.map((member) => member.egress)),
    ingress: sidesTogether(members.map((member) => member.ingress)),
    because: [...new Set(answer.because.map((item) => item.code))].sort(),
    several: texts.size > 1,
    open: answer.pairs.some((pair) => pair.hops.some((hop) => hop.kind === "route" && hop.verdict === "unsure")),
  };
}

/** One side, over all ways in which it may see the connection. */
function sideOf(pair: PairAnswer, direction: "egress" | "ingress"): SideView {
  const ways = pair.hops.flatMap((hop) =>
    hop.kind === "filter" && hop.explanation.direction === direction ? [explained(hop.explanation)] : [],
  );
  const [first = ALWAYS] = ways;
  if (ways.every((way) => way.verdict === first.verdict && way.reason === first.reason)) {
    return { ...first, deciders: [...new Set(ways.flatMap((way) => way.deciders))].sort() };
  }
  const reason = WEIGHTIEST.find((name) => ways.some((way) => way.reason === name)) ?? first.reason;
  return {
    verdict: ways.every((way) => way.verdict === first.verdict) ? first.verdict : "unsure",
    reason,
    deciders: [...new Set(ways.filter((way) => way.reason === reason).flatMap((way) => way.deciders))].sort(),
  };
}

/** Where ways differ in their reason, the weightier one is told, as the reference does. */
const WEIGHTIEST = ["rule", "default-deny", "always-allowed", "no-policy"];

function explained({ verdict, reason, deciders, isolatedBy }: SideExplanation): SideView {
  const named =
    reason === "rule" ? deciders.map(originText) : reason === "default-deny" ? isolatedBy.map(policyText) : [];
  return { verdict, reason, deciders: [...new Set(named)].sort() };
}

function policyText({ kind, namespace, name }: Policy | Origin): string {
  return [kind, namespace, name].filter((part) => part !== undefined).join("/");
}

function originText(origin: Origin): string {
  return `${policyText(origin)}#${origin.section}[${origin.index}]`;
}

function sidesTogether(sides: readonly SideView[]): SideView {
  const verdicts = new Set(sides.map((side) => side.verdict));
  const reasons = new Set(sides.map((side) => side.reason));
  const only = <T>(set: ReadonlySet<T>, other: T): T => (set.size === 1 ? ([...set][0] ?? other) : other);
  return {
    verdict: only(verdicts, verdicts.has("allow") && verdicts.has("deny") ? "mixed" : "unsure"),
    reason: only(reasons, "mixed"),
    deciders: [...new Set(sides.flatMap((side) => side.deciders))].sort(),
  };
}

// ── reference ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** The reference over the documents as values. */
export function openReference({ dialect, documents, names }: Input): Witness {
  const reference = new Reference(documents, { dialect, asCluster: true, ...(names === undefined ? {} : { names }) });
  return {
    refused: [...reference.refused].sort(),
    ask(flow) {
      try {
        return referenceView(reference.ask(referenceFlow(flow)));
      } catch (error) {
        if (error instanceof UnknownEndpointError) return { problem: error.message };
        throw error;
      }
    },
  };
}

function referenceFlow(flow: Flow): Parameters<Reference["ask"]>[0] {
  const { port, protocol, ...rest } = flow;
  const isIcmp = protocol === "ICMP" || protocol === "ICMPv6";
  return {
    ...rest,
    protocol,
    ...(port === undefined ? {} : isIcmp ? { icmp: { type: port } } : { port }),
  };
}

function referenceView(answer: ReferenceAnswer): Reply {
  return {
    verdict: answer.verdict,
    limited: answer.httpLimited === true,
    egress: referenceSide(answer.egress),
    ingress: referenceSide(answer.ingress),
    because: [...new Set((answer.because ?? []).flatMap((item) => ENGINE_CODES[item.code]))].sort(),
    several: false,
    open: false,
  };
}

function referenceSide({ verdict, reason, deciders }: SideAnswer): SideView {
  const named =
    reason === "rule" ? deciders.map(deciderText) : reason === "default-deny" ? deciders.map(deciderObject) : [];
  return { verdict, reason, deciders: [...new Set(named)].sort() };
}

function deciderObject({ kind, namespace, name }: Decider): string {
  return [kind, namespace, name].filter((part) => part !== "").join("/");
}

function deciderText(decider: Decider): string {
  return `${deciderObject(decider)}#${decider.section}[${decider.index}]`;
}

/** The engine's codes for each reason of the reference to be unsure. */
const ENGINE_CODES: Readonly<Record<ReasonCode, readonly BecauseCode[]>> = {
  authentication: ["authentication"],
  "cidr-group-missing": ["cidr-group-missing"],
  "conflicting-rules": ["merge-conflict"],
  "default-deny-off-l7": ["release-unclear"],
  "foreign-endpoint": ["unknown-address"],
  "foreign-policy": ["foreign-policy"],
  "group-not-resolved": ["group-not-resolved"],
  "host-prefixes": ["release-unclear"],
  hairpin: ["undefined-by-specification", "release-unclear"],
  "host-not-told": ["application-rule"],
  "icmp-code": ["not-told-apart"],
  "init-container-port": ["undefined-by-specification"],
  "kube-proxy-replacement": ["source-address", "release-unclear"],
  "local-redirect": ["foreign-policy"],
  "name-not-resolved": ["name-not-resolved"],
  "named-port-ambiguous": ["release-unclear"],
  "no-ingress-controller": ["controller-unknown"],
  "no-member": [],
  "no-such-port": ["missing-object"],
  "opaque-l7": ["opaque-application-rule", "release-unclear"],
  "pod-finished": ["missing-object"],
  "priority-conflict": ["equal-priority"],
  "protocol-undefined": ["undefined-by-specification"],
  "secret-not-read": ["secret-not-read", "opaque-application-rule"],
  "service-address": ["undefined-by-specification"],
  "service-not-resolved": ["service-not-resolved"],
  "service-without-backends": ["missing-object"],
  "source-ranges": ["source-address"],
  "source-rewritten": ["source-address"],
  "too-many-unknowns": [],
  "traffic-policy": ["undefined-by-specification"],
  "undefined-domain-names": ["undefined-by-specification"],
  "undefined-order": ["undefined-by-specification"],
  "unknown-address": ["unknown-address"],
  "unknown-api-server": ["unknown-label", "unknown-address"],
  "unknown-label": ["unknown-label"],
  "unknown-node": ["unknown-node"],
  "unknown-service": ["missing-object"],
};
