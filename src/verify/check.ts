/** Runs expectations against an engine and says, row by row, what was expected, what is, and why. */

import type { Place } from "../base/diagnostic.ts";
import type { Endpoint } from "../reach/endpoint.ts";
import { type Answer, type PairAnswer, QuestionError } from "../reach/answer.ts";
import type { Engine } from "../reach/engine.ts";
import type { SideExplanation } from "../reach/explain.ts";
import type { Origin, Policy } from "../policy/rule.ts";
import type { Assertion } from "./expectation.ts";

/** The outcome of one row. */
export interface RowResult {
  readonly text: string;
  readonly expected: string;
  readonly actual: string;
  readonly passed: boolean;
  /** What decided, as text. */
  readonly decidedBy: readonly string[];
  readonly why: string;
  /** Where what decided is written; absent where nothing of the input did. */
  readonly place?: Place;
  /** What kind of failure it is; absent: an expectation that does not hold. */
  readonly code?: "BH190" | "BH191" | "BH192";
  /** What packets showed; absent: none were asked for. */
  readonly packets?: Packets;
}

/** What the packets of a lab say of a row. */
export interface Packets {
  /** `allow`, `deny`, `mixed`, `lost`; null: no packet asks it. */
  readonly verdict: string | null;
  readonly sent: number;
  /** Why some or all of it was not asked; empty where all of it was. */
  readonly unseen: readonly string[];
}

/** Runs one assertion. A name that means nothing is a problem of the file: `problem` is then set. */
export function checkAssertion(engine: Engine, assertion: Assertion): RowResult & { readonly problem?: string } {
  let answer: Answer;
  try {
    answer = engine.why({
      from: assertion.from,
      to: assertion.to,
      protocol: assertion.protocol,
      ...(assertion.port === undefined ? {} : { port: assertion.port }),
      ...(assertion.family === undefined ? {} : { family: assertion.family }),
      ...(assertion.application === undefined ? {} : { application: assertion.application }),
    });
  } catch (error) {
    return unanswered(assertion, error);
  }
  const deciders = decidersOf(answer);
  const named = assertion.decidedBy.every((want) => deciders.some((d) => matchesDecider(want, d)));
  const passed = answer.verdict === assertion.verdict && named;
  const expected =
    assertion.decidedBy.length === 0 ? assertion.verdict : `${assertion.verdict} by ${assertion.decidedBy.join(", ")}`;
  return {
    text: assertion.text,
    expected,
    actual: named ? answer.verdict : `${answer.verdict} by ${deciders.map(deciderText).join(", ") || "nothing"}`,
    passed,
    decidedBy: deciders.map(deciderText),
    why: whyText(answer, deciders),
    ...placeOf(deciders),
  };
}

/** The place of the first decider that a document states. */
function placeOf(deciders: readonly DeciderName[]): { readonly place?: Place } {
  for (const decider of deciders) {
    if (decider.kind === "reason") continue;
    const known = decider.kind === "rule" ? decider.origin : decider.policy;
    if (known.document !== undefined) return { place: known.document.locate(known.path ?? []) };
  }
  return {};
}

/** One thing that decided: a rule or an isolating policy, or a bare reason. */
export type DeciderName =
  | { readonly kind: "reason"; readonly reason: "no-policy" | "default-deny" | "always-allowed" }
  | { readonly kind: "rule"; readonly origin: Origin }
  | { readonly kind: "policy"; readonly policy: Policy };

/** What decided an answer: of an allow both sides, of a denial the sides that deny. */
export function decidersOf(answer: Answer): DeciderName[] {
  const out: DeciderName[] = [];
  const keys = new Set<string>();
  const add = (decider: DeciderName): void => {
    const key = deciderText(decider);
    if (keys.has(key)) return;
    keys.add(key);
    out.push(decider);
  };
  for (const pair of answer.pairs) {
    const sides = sidesOf(pair);
    if (sides.length === 0) add({ kind: "reason", reason: "always-allowed" });
    for (const side of sides) {
      if (pair.verdict === "deny" && side.verdict !== "deny") continue;
      if (side.reason !== "rule") add({ kind: "reason", reason: side.reason });
      if (side.reason === "rule") for (const origin of side.deciders) add({ kind: "rule", origin });
      if (side.reason === "default-deny") for (const policy of side.isolatedBy) add({ kind: "policy", policy });
    }
  }
  return out;
}

function sidesOf(pair: PairAnswer): SideExplanation[] {
  return pair.hops.flatMap((hop) => (hop.kind === "filter" ? [hop.explanation] : []));
}

/** `[Kind/][ns/]name[#section[index]]`, or a reason. */
export function matchesDecider(want: string, decider: DeciderName): boolean {
  if (decider.kind === "reason") return want === decider.reason;
  const [object = "", place] = want.split("#");
  const known = decider.kind === "rule" ? decider.origin : decider.policy;
  const parts = object.split("/");
  const name = parts.at(-1);
  if (name !== known.name) return false;
  const rest = parts.slice(0, -1);
  const kind = rest[0] !== undefined && /^[A-Z]/.test(rest[0]) ? rest.shift() : undefined;
  const namespace = rest[0];
  if (kind !== undefined && kind !== known.kind) return false;
  if (namespace !== undefined && namespace !== known.namespace) return false;
  if (place === undefined) return true;
  if (decider.kind !== "rule") return false;
  const section = /^([a-zA-Z]+)(?:\[(\d+)\])?$/.exec(place);
  if (section === null || section[1] !== decider.origin.section) return false;
  return section[2] === undefined || Number(section[2]) === decider.origin.index;
}

/** A decider in the form that expectation files use. */
export function deciderText(decider: DeciderName): string {
  if (decider.kind === "reason") return decider.reason;
  const known = decider.kind === "rule" ? decider.origin : decider.policy;
  const object = [known.kind, known.namespace, known.name].filter((p) => p !== undefined).join("/");
  return decider.kind === "rule" ? `${object}#${decider.origin.section}[${decider.origin.index}]` : object;
}

function whyText(answer: Answer, deciders: readonly DeciderName[]): string {
  if (answer.problem !== undefined) return answer.problem;
  const parts: string[] = [];
  if (answer.verdict === "mixed") {
    parts.push(answer.pairs.map((p) => `${endpointText(p.from)} → ${endpointText(p.to)} ${p.verdict}`).join("; "));
  }
  if (answer.because.length > 0) parts.push(answer.because.map((b) => `${b.code} (${b.detail})`).join(", "));
  if (deciders.length > 0) parts.push(`decided by ${deciders.map(deciderText).join(", ")}`);
  return parts.join("; ");
}

function endpointText(endpoint: Endpoint): string {
  return endpoint.name;
}

/** The row of a question that means nothing; any other error is not the question's. */
export function unanswered(assertion: Assertion, error: unknown): RowResult & { readonly problem: string } {
  if (!(error instanceof QuestionError)) throw error;
  const { message } = error;
  return {
    text: assertion.text,
    expected: assertion.verdict,
    actual: "no answer",
    passed: false,
    decidedBy: [],
    why: message,
    problem: message,
  };
}
