/** The lab as a library: start one, ask it, change it, run programs in it, end it. */

import type { ApplyResult, Fault, FlowFilter, FlowRecord, LabStatus, Probe, ProbeResult } from "./answers.ts";
import { LabError } from "./failure.ts";
import type { Plan } from "./plan.ts";
import type { Ruleset } from "./ruleset.ts";

export interface LabOptions {
  /** Several labs of one user stand side by side by name. Default `bulkhead`. */
  readonly name?: string;
}

export interface UpOptions extends LabOptions {
  /** The lab ends when this process ends, however it ends. Default false: it stays until `labDown`. */
  readonly attached?: boolean;
}

export interface ExecOptions extends LabOptions {
  /** What the program reads and where it writes: this process's own streams, or collected. Default `inherit`. */
  readonly stdio?: "inherit" | "collect";
  /** Working directory; default this process's own. */
  readonly cwd?: string;
}

export interface ExecResult {
  /** Exit code; 128 + signal number when a signal ended it. */
  readonly code: number;
  /** Empty unless `stdio` is `collect`. */
  readonly stdout: string;
  readonly stderr: string;
}

/** What may change in a running lab. Absent: stays as it is. */
export interface LabChange {
  readonly ruleset?: Ruleset;
  readonly plan?: Plan;
}

/** Starts a lab and waits until every declared port is served and the first policy set is in force. */
export async function labUp(_plan: Plan, _ruleset: Ruleset, _options: UpOptions = {}): Promise<LabStatus> {
  throw new LabError("internal", "not built yet");
}

export async function labStatus(_options: LabOptions = {}): Promise<LabStatus> {
  throw new LabError("internal", "not built yet");
}

/** The names of this user's running labs. */
export function labNames(): readonly string[] {
  return [];
}

/** Puts a new policy set in force in one transaction, and pods, services or nodes of a new plan. */
export async function labApply(_change: LabChange, _options: LabOptions = {}): Promise<ApplyResult> {
  throw new LabError("internal", "not built yet");
}

/** Sends real packets, one result a probe, in the order asked. */
export async function labProbe(_probes: readonly Probe[], _options: LabOptions = {}): Promise<readonly ProbeResult[]> {
  throw new LabError("internal", "not built yet");
}

/** Runs a program of the user's inside the network of a place, with the cluster's names resolving. */
export async function labExec(
  _place: string,
  _argv: readonly string[],
  _options: ExecOptions = {},
): Promise<ExecResult> {
  throw new LabError("internal", "not built yet");
}

/** Connections and drops, oldest first. */
export async function* labFlows(_filter: FlowFilter = {}, _options: LabOptions = {}): AsyncIterable<FlowRecord> {
  throw new LabError("internal", "not built yet");
}

/** Puts a fault into the rules of a running lab: only to test that disagreement is seen. */
export async function labFault(_fault: Fault, _options: LabOptions = {}): Promise<void> {
  throw new LabError("internal", "not built yet");
}

/** Ends a lab; nothing of it is left when this returns. */
export async function labDown(_options: LabOptions = {}): Promise<void> {
  throw new LabError("internal", "not built yet");
}
