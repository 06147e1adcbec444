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

/**
 * How many findings refuse the object. An unknown field does not: the API server prunes it (BH201).
 */
export function refusals(findings: Findings): number {
  let count = 0;
  for (const finding of findings.all) if (finding.severity === "error" && finding.code !== "BH201") count++;
  return count;
}
