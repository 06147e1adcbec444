/** What the decoders of one policy object have at hand. */
import type { Findings } from "../../documents/cursor.ts";
import type { World } from "../../model/world.ts";
import type { Direction, Section } from "../rule.ts";
import type { Settings } from "./settings.ts";

export interface Context {
  readonly settings: Settings;
  readonly world: World;
  /** The namespace of the policy; absent for clusterwide ones. */
  readonly namespace?: string;
}

/** A rule: whom it is for. */
export interface RuleContext extends Context {
  readonly target: "endpoint" | "node";
  /** Whether the subject has a term on `reserved:init`: peers are then not confined to pods (R2.3.2c). */
  readonly selectsInit: boolean;
}

/** An entry of a section. */
export interface EntryContext extends RuleContext {
  readonly direction: Direction;
  readonly section: Section;
  readonly deny: boolean;
  /** Whether the entry lists ports or ICMP types: without peers it then means everybody (2.4). */
  readonly ported: boolean;
}

/** Errors with which the object stays: the API server prunes unknown fields, and some errors come after acceptance. */
const ACCEPTED: readonly string[] = ["BH201", "BH229"];

/** How many findings refuse the object. */
export function refusals(findings: Findings): number {
  let count = 0;
  for (const { severity, code } of findings.all) if (severity === "error" && !ACCEPTED.includes(code)) count++;
  return count;
}
