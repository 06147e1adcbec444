/** How far a rule applies to two ends. */
import type { FlowSet } from "../net/flow-set.ts";
import type { Policy, Rule, Selector } from "../policy/rule.ts";
import type { FamilyMatch } from "./matching.ts";

/** A rule together with how far it applies to the other end. */
export interface RuleMatch {
  readonly rule: Rule;
  readonly policy: Policy | undefined;
  /** What other rules require of its peers (cilium.md R4.7.1). */
  readonly requires: readonly Selector[];
  readonly peer: FamilyMatch;
  readonly flows: FlowSet;
  /** Those of the flows that the rule certainly covers. */
  readonly sure: FlowSet;
}
