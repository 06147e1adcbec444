import type { Because } from "./reasons.ts";
import { decidingReasons, type Worlds } from "./unknowns.ts";

export type Section = "ingress" | "egress" | "ingressDeny" | "egressDeny";

/** The rule that decides. `index` counts the entries of the section; -1 is the policy as a whole (its isolation). */
export interface Decider {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly section: Section;
  readonly index: number;
}

export type Reason = "rule" | "default-deny" | "no-policy" | "always-allowed";

/** What one end says about the connection. */
export interface Side {
  readonly verdict: "allow" | "deny";
  readonly reason: Reason;
  readonly deciders: readonly Decider[];
  /** A proxy will judge requests, and may refuse some. */
  readonly limited: boolean;
}

export type Verdict = "allow" | "deny" | "unsure" | "mixed";

export interface SideAnswer {
  readonly verdict: Verdict;
  readonly reason: Reason;
  readonly deciders: readonly Decider[];
}

export interface Answer {
  readonly verdict: Verdict;
  readonly because?: readonly Because[];
  readonly httpLimited?: boolean;
  readonly egress: SideAnswer;
  readonly ingress: SideAnswer;
}

/** Both sides in one possible world. */
export interface Outcome {
  readonly egress: Side;
  readonly ingress: Side;
}

export const NO_POLICY: Side = { verdict: "allow", reason: "no-policy", deciders: [], limited: false };
export const ALWAYS_ALLOWED: Side = { verdict: "allow", reason: "always-allowed", deciders: [], limited: false };

export function sideOf(verdict: "allow" | "deny", reason: Reason, deciders: readonly Decider[]): Side {
  return { verdict, reason, deciders: distinct(deciders), limited: false };
}

/** The connection is allowed iff both sides allow it (K8-71, R4.1.5). */
function verdictOf(outcome: Outcome): "allow" | "deny" {
  return outcome.egress.verdict === "allow" && outcome.ingress.verdict === "allow" ? "allow" : "deny";
}

/** One leg over all possible worlds: certain when every world agrees. */
export function answerOfWorlds({ worlds, complete }: Worlds<Outcome>): Answer {
  const outcomes = worlds.map((world) => world.outcome);
  const tooMany: Because = { code: "too-many-unknowns", detail: `${worlds.length} combinations` };
  const because = [...decidingReasons(worlds, verdictOf), ...(complete ? [] : [tooMany])];
  const verdicts = new Set(outcomes.map(verdictOf));
  const verdict = complete && verdicts.size === 1 ? ([...verdicts][0] ?? "deny") : "unsure";
  return {
    verdict,
    ...(verdict === "unsure" ? { because } : {}),
    ...(verdict === "allow" && outcomes.some((item) => item.egress.limited || item.ingress.limited)
      ? { httpLimited: true }
      : {}),
    egress: sideOfWorlds(outcomes.map((item) => item.egress)),
    ingress: sideOfWorlds(outcomes.map((item) => item.ingress)),
  };
}

/** Where worlds agree on the verdict for different reasons, the weightier reason is told. */
const WEIGHTIEST: readonly Reason[] = ["rule", "default-deny", "always-allowed", "no-policy"];

function sideOfWorlds(sides: readonly Side[]): SideAnswer {
  const verdicts = new Set(sides.map((side) => side.verdict));
  const reason = WEIGHTIEST.find((item) => sides.some((side) => side.reason === item)) ?? "no-policy";
  return {
    verdict: verdicts.size === 1 ? ([...verdicts][0] ?? "deny") : "unsure",
    reason,
    deciders: distinct(sides.filter((side) => side.reason === reason).flatMap((side) => side.deciders)),
  };
}

/** A name that covers several ends has a verdict only if all share it; a mixture is `mixed`. */
export function answerOfMembers(members: readonly Answer[]): Answer {
  const first = members[0];
  if (first === undefined) return uncertain({ code: "no-member", detail: "the name covers nothing" });
  if (members.length === 1) return first;
  const verdict = verdictOfMembers(members.map((member) => member.verdict));
  const because = members.flatMap((member) => member.because ?? []);
  const seen = new Map(because.map((item) => [`${item.code} ${item.detail}`, item]));
  return {
    verdict,
    ...(seen.size > 0 ? { because: [...seen.values()] } : {}),
    ...(verdict === "allow" && members.some((member) => member.httpLimited === true) ? { httpLimited: true } : {}),
    egress: sideOfMembers(members.map((member) => member.egress)),
    ingress: sideOfMembers(members.map((member) => member.ingress)),
  };
}

function sideOfMembers(sides: readonly SideAnswer[]): SideAnswer {
  return {
    verdict: verdictOfMembers(sides.map((side) => side.verdict)),
    reason: sides[0]?.reason ?? "no-policy",
    deciders: distinct(sides.flatMap((side) => side.deciders)),
  };
}

function verdictOfMembers(verdicts: readonly Verdict[]): Verdict {
  const kinds = new Set(verdicts);
  if (kinds.size === 1) return verdicts[0] ?? "unsure";
  if (kinds.has("mixed") || (kinds.has("allow") && kinds.has("deny"))) return "mixed";
  return "unsure";
}

/** An answer that no policy can settle. */
export function uncertain(because: Because): Answer {
  const side: SideAnswer = { verdict: "unsure", reason: "no-policy", deciders: [] };
  return { verdict: "unsure", because: [because], egress: side, ingress: side };
}

/** No connection is possible, whatever the policies say. */
export function impossible(because: Because): Answer {
  const side: SideAnswer = { verdict: "allow", reason: "no-policy", deciders: [] };
  return { verdict: "deny", because: [because], egress: side, ingress: { ...side, verdict: "deny" } };
}

function distinct(deciders: readonly Decider[]): readonly Decider[] {
  const show = (item: Decider) => `${item.kind}/${item.namespace}/${item.name}#${item.section}[${item.index}]`;
  return [...new Map(deciders.map((item) => [show(item), item])).values()];
}
