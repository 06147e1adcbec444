/** Starts a lab's daemon and finds running ones. Nothing is written anywhere: the list of processes is the register. */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { basename } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { CONTROL_SOCKET, type Reply, parseLine } from "./control.ts";
import { isLabFailureCode, LabError } from "./failure.ts";

const MARK = "--bulkhead-lab=";

export interface RunningLab {
  readonly name: string;
  /** The daemon, in the caller's process namespace. */
  readonly pid: number;
  /** Path by which the caller reaches its control socket. */
  readonly control: string;
}

function controlPath(pid: number): string {
  return `/proc/${pid}/root${CONTROL_SOCKET}`;
}

/** Daemons of this user's labs, oldest first. One that is still starting has no control socket yet. */
export function runningLabs(): readonly RunningLab[] {
  const own = process.getuid?.() ?? -1;
  const found: (RunningLab & { readonly started: number })[] = [];
  let processes: readonly string[];
  try {
    processes = readdirSync("/proc");
  } catch {
    return [];
  }
  for (const entry of processes) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const argv = readFileSync(`/proc/${entry}/cmdline`, "utf8").split("\0");
      const mark = argv.find((argument) => argument.startsWith(MARK));
      if (mark === undefined || basename(argv[0] ?? "") !== basename(process.execPath)) continue;
      if (statSync(`/proc/${entry}`).uid !== own) continue;
      const pid = Number(entry);
      found.push({ name: mark.slice(MARK.length), pid, control: controlPath(pid), started: startTime(pid) });
    } catch {
      // Ended meanwhile, or somebody else's.
    }
  }
  return found
    .toSorted((a, b) => a.started - b.started || a.pid - b.pid)
    .map(({ name, pid, control }) => ({ name, pid, control }));
}

export function findLab(name: string): RunningLab {
  const found = runningLabs().find((lab) => lab.name === name);
  if (found === undefined) throw new LabError("lab-not-found", `no lab named ${name} is running`);
  return found;
}

/** Clock ticks since the machine began (proc(5), stat, field 22). */
function startTime(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? 0);
}

export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

/** How Node runs the daemon: compiled, or from source through tsx. */
function daemonCommand(): readonly string[] {
  const here = import.meta.url;
  if (!here.endsWith(".ts")) return [fileURLToPath(new URL("./daemon.js", here))];
  const tsx = createRequire(here).resolve("tsx");
  return ["--import", pathToFileURL(tsx).href, fileURLToPath(new URL("./daemon.ts", here))];
}

export interface Launched {
  readonly lab: RunningLab;
  /** Lets go of the daemon, which then lives on unless it is attached. */
  release(): void;
  /** Ends it. */
  kill(): void;
}

/** Starts a daemon; resolves when its control socket listens. `sites`: how many will be asked for first, about. */
export async function launch(name: string, attached: boolean, sites: number): Promise<Launched> {
  if (process.platform !== "linux") throw new LabError("not-linux", `the lab does not run on ${process.platform}`);
  if (!/^[a-z0-9][a-z0-9-]{0,39}$/.test(name)) {
    throw new LabError("plan-invalid", `a lab's name is made of a–z, 0–9 and -, at most 40 characters: ${name}`);
  }
  if (runningLabs().some((lab) => lab.name === name))
    throw new LabError("lab-exists", `a lab named ${name} is running already`);
  const flags = [`${MARK}${name}`, `--sites=${sites}`, ...(attached ? ["--attached"] : [])];
  const daemon = [process.execPath, ...daemonCommand(), ...flags];
  const child = spawn("unshare", [...NAMESPACES, "--", ...daemon], {
    cwd: "/",
    detached: true,
    env: { PATH: process.env["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin", TSX_DISABLE_CACHE: "1" },
    stdio: ["pipe", "pipe", "pipe"],
  });
  await untilReady(child);
  const outer = child.pid ?? -1;
  const lab = runningLabs().find((candidate) => candidate.name === name && parentOf(candidate.pid) === outer);
  const kill = (): void => {
    if (lab !== undefined && isAlive(lab.pid)) process.kill(lab.pid, "SIGKILL");
    child.kill("SIGKILL");
  };
  if (lab === undefined) {
    kill();
    throw new LabError("internal", "the lab's daemon started, but is not among the processes");
  }
  // Two that start at one time: the elder stays.
  if (runningLabs().find((candidate) => candidate.name === name)?.pid !== lab.pid) {
    kill();
    throw new LabError("lab-exists", `a lab named ${name} is running already`);
  }
  const release = (): void => {
    child.unref();
    for (const stream of [child.stdin, child.stdout, child.stderr]) {
      if (stream !== null && "unref" in stream && typeof stream.unref === "function") stream.unref();
    }
    if (!attached) {
      child.stdin?.destroy();
      child.stdout?.destroy();
      child.stderr?.destroy();
    }
  };
  return { lab, release, kill };
}

const NAMESPACES = ["--user", "--map-root-user", "--net", "--mount", "--uts", "--pid", "--fork", "--kill-child"];

/** Why no lab can run here, or null when one can. Tries it: namespaces that end at once. */
export function labObstacle(): LabError | null {
  if (process.platform !== "linux") return new LabError("not-linux", `the lab does not run on ${process.platform}`);
  for (const tool of ["nsenter", "setpriv"]) {
    if (spawnSync(tool, ["--version"]).error !== undefined)
      return new LabError("tool-missing", `${tool} is not installed`);
  }
  const tried = spawnSync("unshare", [...NAMESPACES, "--", "mount", "-t", "tmpfs", "none", "/run"], {
    encoding: "utf8",
    cwd: "/",
  });
  if (tried.error !== undefined) return new LabError("tool-missing", "unshare is not installed");
  return tried.status === 0 ? null : new LabError("namespaces-closed", tried.stderr.trim());
}

export function parentOf(pid: number): number {
  try {
    return Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? -1);
  } catch {
    return -1;
  }
}

function untilReady(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let errors = "";
    child.stderr?.setEncoding("utf8").on("data", (chunk: string) => (errors += chunk));
    child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
      if (chunk.includes("ready")) resolve();
    });
    child.on("error", (error) => {
      const missing = "code" in error && error.code === "ENOENT";
      reject(missing ? new LabError("tool-missing", "unshare is not installed") : error);
    });
    child.on("close", () => reject(startFailure(errors)));
  });
}

function startFailure(errors: string): LabError {
  for (const line of errors.split("\n")) {
    if (!line.startsWith("{")) continue;
    const reply = parseLine<Reply>(line);
    if (reply.kind === "error")
      return new LabError(isLabFailureCode(reply.code) ? reply.code : "internal", reply.message);
  }
  if (/unshare|uid_map|gid_map|Operation not permitted|No space left/.test(errors)) {
    return new LabError("namespaces-closed", errors.trim());
  }
  return new LabError("internal", `the lab's daemon ended: ${errors.trim()}`);
}
