/** Runs the command line as a user does, in a process of its own. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), "../..");
export const EXAMPLE = "examples/two-applications";

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** When the newest file below a folder was written. */
function newest(folder: string): number {
  return Math.max(
    ...readdirSync(folder, { withFileTypes: true }).map((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? newest(path) : statSync(path).mtimeMs;
    }),
  );
}

const BUILT = join(ROOT, "dist/cli/main.js");

/** The command and first arguments that start the command line: as built where that is current, else from its sources. */
export const COMMAND: readonly [string, ...string[]] =
  existsSync(BUILT) && statSync(BUILT).mtimeMs >= newest(join(ROOT, "src"))
    ? [process.execPath, BUILT]
    : [process.execPath, "--import", import.meta.resolve("tsx"), join(ROOT, "src/cli/main.ts")];

export function bulkhead(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const [command, ...first] = COMMAND;
  return run(command, [...first, ...args], options);
}

export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd ?? ROOT,
      env: { ...process.env, TSX_DISABLE_CACHE: "1", ...options.env },
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => (stdout += chunk));
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => (stderr += chunk));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? -1, stdout, stderr }));
    child.stdin.on("error", () => undefined);
    child.stdin.end(options.input ?? "");
  });
}

/** A folder that holds the files, for the time of the call. */
export async function withFiles<T>(
  files: Readonly<Record<string, string>>,
  use: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "bulkhead-cli-"));
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A value that a program printed as JSON. */
export function json(text: string): unknown {
  const value: unknown = JSON.parse(text);
  return value;
}
