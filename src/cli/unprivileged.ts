/**
 * Runs the program again as an ordinary user when root has started it, so that nothing here comes to need root unseen.
 *
 * The user is nobody (65534). Where nobody may not read this installation (a checkout below /root, say), what is needed
 * is copied to a temporary folder for the time of the run.
 */
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const NOBODY = ["--reuid", "65534", "--regid", "65534", "--clear-groups"];
/** Set for the second run: where the installation lies for whoever reads the answer. */
const INSTALLED_AT = "BULKHEAD_INSTALLED_AT";

/** The folder of this installation: package.json lies in it. */
export const INSTALLATION = fileURLToPath(new URL("../../", import.meta.url));

/** A file of the installation as the user can name it. */
export function shownPath(path: string, cwd: string): string {
  const home = process.env[INSTALLED_AT];
  return relative(cwd, home === undefined ? path : join(home, relative(INSTALLATION, path)));
}

/**
 * Runs this command line as nobody, if root runs it.
 *
 * Returns the exit code of that run; undefined where there is nothing to do, or no `setpriv` to do it with.
 */
export async function runUnprivileged(): Promise<number | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  if (spawnSync("setpriv", [...NOBODY, "true"]).status !== 0) return undefined;
  const main = process.argv[1] ?? "";
  const readable = (path: string, how: "-r" | "-x"): boolean =>
    spawnSync("setpriv", [...NOBODY, "test", how, path]).status === 0;
  if (readable(main, "-r") && readable(process.execPath, "-x")) {
    return run(process.execPath, [...process.execArgv, main, ...process.argv.slice(2)], process.env);
  }
  const stage = mkdtempSync(join(tmpdir(), "bulkhead-"));
  try {
    const program = copyInstallation(stage);
    const node = readable(process.execPath, "-x") ? process.execPath : copyNode(stage);
    return await run(node, [program, ...process.argv.slice(2)], { ...process.env, [INSTALLED_AT]: INSTALLATION });
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  return new Promise((resolve, reject) => {
    // The second run ends with this one, however this one ends.
    const child = spawn("setpriv", [...NOBODY, "--pdeathsig", "KILL", "--", command, ...args], {
      stdio: "inherit",
      env,
    });
    // Ctrl-C reaches both; the second run cleans up, and this one waits for it.
    const wait = (): void => undefined;
    process.on("SIGINT", wait);
    child.on("error", reject);
    child.on("close", (code, signal) => {
      process.off("SIGINT", wait);
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}

/** Copies what a run needs: the built program, the example, and the packages that it loads. */
function copyInstallation(stage: string): string {
  const parts = ["package.json", "dist", "examples", ...runtimePackages().map((name) => join("node_modules", name))];
  for (const part of parts) {
    const source = join(INSTALLATION, part);
    if (existsSync(source)) cpSync(source, join(stage, part), { recursive: true, dereference: true });
  }
  openToAll(stage);
  return join(stage, "dist/cli/main.js");
}

function copyNode(stage: string): string {
  const copy = join(stage, "node");
  cpSync(process.execPath, copy);
  chmodSync(copy, 0o755);
  return copy;
}

/** The packages of `dependencies`, and theirs. */
function runtimePackages(): string[] {
  const found = new Set<string>();
  const visit = (folder: string): void => {
    for (const name of dependenciesIn(join(INSTALLATION, folder, "package.json"))) {
      if (found.has(name)) continue;
      found.add(name);
      visit(join("node_modules", name));
    }
  };
  visit(".");
  return [...found];
}

function dependenciesIn(path: string): string[] {
  if (!existsSync(path)) return [];
  const manifest: unknown = JSON.parse(readFileSync(path, "utf8"));
  const names = (key: string): string[] => {
    const list: unknown = typeof manifest === "object" && manifest !== null ? Reflect.get(manifest, key) : undefined;
    return typeof list === "object" && list !== null ? Object.keys(list) : [];
  };
  return [...names("dependencies"), ...names("optionalDependencies")];
}

function openToAll(folder: string): void {
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder)) {
    const path = join(folder, entry);
    if (statSync(path).isDirectory()) openToAll(path);
    else chmodSync(path, (statSync(path).mode & 0o111) === 0 ? 0o644 : 0o755);
  }
}
