/** What a lab is started and changed with, from a session; what it cannot enforce is refused with its place. */
import { NOT_ENFORCED } from "../../lab/compile/capabilities.ts";
import { type LabPlan, type Placement, type Predecessor, planOf } from "../../lab/compile/plan-of.ts";
import { rulesetOf, type Unsupported } from "../../lab/compile/ruleset-of.ts";
import { LAB_FAILURES } from "../../lab/failure.ts";
import type { Ruleset } from "../../lab/ruleset.ts";
import type { Dialect } from "../../policy/dialect.ts";
import type { Engine } from "../../reach/engine.ts";
import { placeText, ruleName, rulePlace } from "../../report/origin.ts";
import { SilentFailure } from "../exit.ts";
import { note } from "../terminal.ts";

export interface LabInput {
  readonly lab: LabPlan;
  readonly ruleset: Ruleset;
}

/**
 * Compiles the state of an engine. Takes what a running lab had before where it is one, and what is wanted of nodes.
 * Throws where the lab would enforce something else than what is written.
 */
export function compileLab(
  engine: Engine,
  dialect: Dialect,
  { before, placement }: { readonly before?: Predecessor; readonly placement?: Placement } = {},
): LabInput {
  const lab = planOf(engine.world, dialect, before, placement);
  const { ruleset, unsupported } = rulesetOf(engine.policies, lab.population);
  if (unsupported.length > 0) refuse(unsupported);
  return { lab, ruleset };
}

function refuse(unsupported: readonly Unsupported[]): never {
  for (const { origin, why } of unsupported) {
    const place = placeText(rulePlace(origin));
    note(`${place === "" ? "" : `${place}: `}error: ${ruleName(origin)}: ${NOT_ENFORCED[why]}`);
  }
  throw new SilentFailure(LAB_FAILURES["rules-unsupported"].exit);
}
