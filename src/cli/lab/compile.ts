/** What a lab is started and changed with, from a session; what it cannot enforce is refused with its place, or listed. */
import { NOT_ENFORCED } from "../../lab/compile/capabilities.ts";
import { type LabPlan, type Placement, type Predecessor, planOf } from "../../lab/compile/plan-of.ts";
import { rulesetOf, type Unsupported } from "../../lab/compile/ruleset-of.ts";
import { LAB_FAILURES } from "../../lab/failure.ts";
import type { Ruleset } from "../../lab/ruleset.ts";
import { placeText, ruleName, rulePlace } from "../../report/origin.ts";
import { SilentFailure } from "../exit.ts";
import type { Session } from "../session.ts";
import { note } from "../terminal.ts";

export interface LabInput {
  readonly lab: LabPlan;
  readonly ruleset: Ruleset;
  /** Rules that the lab does not enforce; empty unless that was allowed. */
  readonly unenforced: readonly Unsupported[];
}

export interface LabWish {
  /** What a running lab had before. */
  readonly before?: Predecessor;
  readonly placement?: Placement;
  /** Rules that the lab cannot enforce are left out and listed. Default: refused. */
  readonly allowUnenforced?: true;
}

/**
 * Compiles a session. Says which rules the lab does not enforce; throws where it would enforce something else than what
 * is written and that was not allowed.
 */
export function compileLab({ engine, dialect }: Pick<Session, "engine" | "dialect">, wish: LabWish = {}): LabInput {
  const lab = planOf(engine.world, dialect, wish.before, wish.placement);
  const { ruleset, unsupported } = rulesetOf(engine.policies, lab.population);
  const allowed = wish.allowUnenforced === true;
  for (const one of unsupported.map(unenforcedOf)) {
    const place = one.place === "" ? "" : `${one.place}: `;
    note(`${place}${allowed ? "warning: not enforced: " : "error: "}${one.rule}: ${one.why}`);
  }
  if (unsupported.length > 0 && !allowed) {
    const { help, exit } = LAB_FAILURES["rules-unsupported"];
    note(`  help: ${help}`);
    throw new SilentFailure(exit);
  }
  return { lab, ruleset, unenforced: unsupported };
}

/** A rule that is not enforced, as text. */
export interface Unenforced {
  readonly rule: string;
  /** `file:line:column`; empty where nothing of the input states it. */
  readonly place: string;
  readonly why: string;
}

export function unenforcedOf({ origin, why }: Unsupported): Unenforced {
  return { rule: ruleName(origin), place: placeText(rulePlace(origin)), why: NOT_ENFORCED[why] };
}
