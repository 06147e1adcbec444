/** The lab as a library: start one, ask it, change it, run programs in it, end it. */

import { spawn } from "node:child_process";
import { constants } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { ApplyResult, Fault, FlowFilter, FlowRecord, LabStatus, Probe, ProbeResult } from "./answers.ts";
import { ask, askStream, LAB_FOLDER } from "./control.ts";
import { LabError } from "./failure.ts";
import { findLab, isAlive, launch, parentOf, type RunningLab, runningLabs } from "./launch.ts";
import type { Plan } from "./plan.ts";
import type { Ruleset } from "./ruleset.ts";

export { labObstacle } from "./launch.ts";

const DEFAULT_NAME = "bulkhead";
const DOWN_MS = 10_000;

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

function find(options: LabOptions): RunningLab {
  return findLab(options.name ?? DEFAULT_NAME);
}

async function statusOf(lab: RunningLab): Promise<LabStatus> {
  return { ...(await ask(lab.control, "status", {})), pid: lab.pid };
}

/** Starts a lab and waits until every declared port is served and the first policy set is in force. */
export async function labUp(plan: Plan, ruleset: Ruleset, options: UpOptions = {}): Promise<LabStatus> {
  const launched = await launch(options.name ?? DEFAULT_NAME, options.attached ?? false, plan.pods.length);
  try {
    await ask(launched.lab.control, "apply", { plan, ruleset, commit: true });
    const status = await statusOf(launched.lab);
    launched.release();
    return status;
  } catch (error) {
    launched.kill();
    await untilGone(launched.lab.pid);
    throw error;
  }
}

export async function labStatus(options: LabOptions = {}): Promise<LabStatus> {
  return statusOf(find(options));
}

/** The names of this user's running labs. */
export function labNames(): readonly string[] {
  return runningLabs().map(({ name }) => name);
}

/** Puts a new policy set in force in one transaction, and pods, services or nodes of a new plan. */
export async function labApply(change: LabChange, options: LabOptions = {}): Promise<ApplyResult> {
  return ask(find(options).control, "apply", { ...change });
}

/** Moves a pod to another node of the plan; it keeps its addresses, and every verdict but those that tell nodes apart. */
export async function labMove(pod: string, node: string, options: LabOptions = {}): Promise<ApplyResult> {
  return ask(find(options).control, "move", { pod, node });
}

/** Sends real packets, one result a probe, in the order asked. */
export async function labProbe(probes: readonly Probe[], options: LabOptions = {}): Promise<readonly ProbeResult[]> {
  return ask(find(options).control, "probe", { probes });
}

/**
 * Inside the lab: the place's own name resolution is laid over the machine's, seen by this program alone.
 * Arguments: folder of the lab, resolver file, working directory, then the program.
 */
const ENTER = `
folder=$1; resolver=$2; directory=$3; shift 3
target=$(readlink -f /etc/resolv.conf 2>/dev/null)
case $target in /run/*) mkdir -p "\${target%/*}"; [ -e "$target" ] || : > "$target";; esac
if [ -n "$target" ] && [ -e "$target" ]; then mount --bind "$resolver" "$target" || exit 125
else echo "bulkhead: /etc/resolv.conf is missing, so no name resolves here" >&2; fi
[ ! -e /etc/nsswitch.conf ] || mount --bind "$folder/nsswitch.conf" /etc/nsswitch.conf || exit 125
cd "$directory" 2>/dev/null || cd /
exec "$@"
`;

/** Runs a program of the user's inside the network of a place, with the cluster's names resolving. */
export async function labExec(place: string, argv: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
  const lab = find(options);
  const { namespaceFd, resolver } = await ask(lab.control, "exec", { place });
  // Whoever dies takes its child along, and the lab takes all: the program lives in its process namespace.
  const dieTogether = ["setpriv", "--pdeathsig", "KILL"];
  const enter = [
    "nsenter",
    "--preserve-credentials",
    "--target",
    String(lab.pid),
    "--user",
    "--mount",
    "--uts",
    "--pid",
    `--net=/proc/${lab.pid}/fd/${namespaceFd}`,
  ];
  const inside = [
    "unshare",
    "--mount",
    "--",
    "sh",
    "-c",
    ENTER,
    "sh",
    LAB_FOLDER,
    resolver,
    options.cwd ?? process.cwd(),
    ...argv,
  ];
  const [command = "", ...rest] = [...dieTogether, ...enter, ...dieTogether, ...inside];
  const collect = options.stdio === "collect";
  const child = spawn(command, rest, {
    cwd: "/",
    env: withoutProxies(),
    stdio: collect ? ["ignore", "pipe", "pipe"] : "inherit",
  });
  // A terminal's Ctrl-C reaches the program too; it decides what it means.
  const ignore = (): void => {};
  process.on("SIGINT", ignore);
  let stdout = "";
  let stderr = "";
  child.stdout?.setEncoding("utf8").on("data", (chunk: string) => (stdout += chunk));
  child.stderr?.setEncoding("utf8").on("data", (chunk: string) => (stderr += chunk));
  try {
    return await new Promise((resolve, reject) => {
      child.on("error", (error) => {
        const missing = "code" in error && error.code === "ENOENT";
        reject(missing ? new LabError("tool-missing", `${command} is not installed`) : error);
      });
      child.on("close", (code, signal) => {
        resolve({ code: code ?? 128 + (signal === null ? 0 : constants.signals[signal]), stdout, stderr });
      });
    });
  } finally {
    process.off("SIGINT", ignore);
  }
}

/** The machine's proxies are out of reach in there. */
function withoutProxies(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/_proxy$/i.test(name)));
}

export interface FlowOptions extends LabOptions {
  /** Ends an iteration that follows. */
  readonly signal?: AbortSignal;
}

/** Connections and drops, oldest first. */
export async function* labFlows(filter: FlowFilter = {}, options: FlowOptions = {}): AsyncGenerator<FlowRecord> {
  const lab = find(options);
  if (filter.follow === true) yield* askStream(lab.control, "flows", filter, options.signal);
  else yield* await ask(lab.control, "flows", filter);
}

/** Puts a fault into the rules of a running lab: only to test that disagreement is seen. */
export async function labFault(fault: Fault, options: LabOptions = {}): Promise<void> {
  await ask(find(options).control, "fault", fault);
}

/** Ends a lab; nothing of it is left when this returns. */
export async function labDown(options: LabOptions = {}): Promise<void> {
  const lab = find(options);
  // Its parent, which made the namespaces, is a part of it.
  const outer = parentOf(lab.pid);
  const answered = ask(lab.control, "down", {}).then(
    () => {},
    () => {},
  );
  await Promise.race([answered, sleep(DOWN_MS / 2, undefined, { ref: false })]);
  if (!(await untilGone(lab.pid, DOWN_MS / 2))) {
    process.kill(lab.pid, "SIGKILL");
    await untilGone(lab.pid);
  }
  await untilGone(outer);
}

async function untilGone(pid: number, withinMs = DOWN_MS): Promise<boolean> {
  const end = performance.now() + withinMs;
  while (isAlive(pid)) {
    if (performance.now() > end) return false;
    await sleep(5);
  }
  return true;
}
