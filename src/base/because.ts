/**
 * Why an answer is `unsure`: a closed list, so that scripts can rely on the codes. Codes never change meaning.
 */
export const BECAUSE = {
  "unknown-address": "An address rule is asked about an endpoint whose address the input does not tell.",
  "unknown-label": "A selector asks for a label whose value only the cluster knows.",
  "unknown-node": "The answer depends on whether both ends are on one node, and the input does not tell.",
  "name-not-resolved": "A rule names a DNS name, and the input does not tell to which addresses it resolves.",
  "group-not-resolved": "A rule names a cloud group, which only the operator can resolve to addresses.",
  "cidr-group-missing": "A rule names a CiliumCIDRGroup that the input does not have.",
  "application-rule": "An application-layer rule decides this traffic.",
  "opaque-application-rule": "An application-layer rule that cannot be judged offline decides this traffic.",
  authentication: "The traffic passes only if mutual authentication succeeds.",
  "pattern-limit": "A pattern is beyond what the automata library takes, or passes its limit.",
  "secret-not-read": "A rule depends on a Secret, and secrets are never read.",
  "service-not-resolved": "A rule names a Service that the input does not have.",
  "foreign-policy": "Another system's policy in the input may narrow this traffic.",
  "refused-object": "A policy object was refused, and the answer does not count it.",
  "merge-conflict": "Rules of several policies cannot be merged; the agent keeps its previous policy.",
  "undefined-by-specification": "The specification leaves this open; networks differ.",
  "equal-priority": "Two policies of equal priority disagree; which one wins is not defined.",
  "release-unclear": "Releases or patch levels differ here, and the sources do not settle which applies.",
  "controller-unknown": "Which pods serve this Ingress or Gateway is not known from the input.",
  "missing-object": "An object that the path needs is not in the input.",
  "source-address": "Whether the client's address is kept or rewritten on this path is not known.",
  "unknown-value": "A value of the cloud's configuration is known only after it has been applied, or cannot be traced.",
  "not-read": "A resource that bears on this traffic is not read.",
  "not-told-apart": "A rule tells apart what the question does not: an ICMP code, a protocol without a name.",
  partly: "It passes between some of the interfaces, or to some of the client's ports, and not between all.",
  conflict: "The input says two things of which only one can hold.",
  appliance: "An appliance on the way decides for itself what it passes on.",
} as const;

export type BecauseCode = keyof typeof BECAUSE;

/** One reason for `unsure`, with the thing it is about (a name, a pattern, a place). */
export interface Because {
  readonly code: BecauseCode;
  readonly detail: string;
}

/** Adds reasons without repeating one. */
export function mergeBecause(a: readonly Because[], b: readonly Because[]): readonly Because[] {
  if (b.length === 0) return a;
  if (a.length === 0) return b;
  const out = [...a];
  for (const x of b) if (!out.some((y) => y.code === x.code && y.detail === x.detail)) out.push(x);
  return out;
}
