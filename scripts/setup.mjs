// What the other scripts need before they can start: packages, the built program, Debian's tools.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Debian packages by the program that each is needed for. */
const PROGRAMS = { nft: "nftables", ip: "iproute2", curl: "curl" };

/** Runs a program to its end. Its output goes to stderr, so that stdout carries the answer alone. */
function run(command, args, options = {}) {
  return spawnSync(command, args, { cwd: root, stdio: ["inherit", 2, 2], ...options }).status ?? 1;
}

function say(text) {
  process.stderr.write(`${text}\n`);
}

/** Installs the packages of the lock file where there are none. */
export function ensurePackages() {
  if (existsSync(join(root, "node_modules/commander"))) return;
  say("installing packages: npm ci");
  const status = run("npm", ["ci", "--no-audit", "--no-fund"], { shell: process.platform === "win32" });
  if (status !== 0) process.exit(status);
}

/** Builds where nothing is built, or sources are newer than what is. */
export function ensureBuilt() {
  const main = join(root, "dist/cli/main.js");
  if (existsSync(main) && newest(join(root, "src")) <= statSync(main).mtimeMs) return;
  say("building");
  const status = run(process.execPath, [join(root, "scripts/build.mjs")]);
  if (status !== 0) process.exit(status);
}

function newest(folder) {
  let latest = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    latest = Math.max(latest, entry.isDirectory() ? newest(path) : statSync(path).mtimeMs);
  }
  return latest;
}

/** Where administrators' programs lie, which an ordinary user's PATH may leave out. */
const PLACES = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/sbin", "/usr/bin", "/bin"];

function has(program) {
  return PLACES.some((place) => place !== "" && existsSync(join(place, program)));
}

/**
 * Installs Debian's tools for the lab where they are missing and it may: as root, or where `sudo -n` works.
 * Returns the line that somebody has to run instead; undefined where nothing is missing, or this is no Linux.
 */
export function ensureTools() {
  if (process.platform !== "linux") return undefined;
  const missing = Object.entries(PROGRAMS)
    .filter(([program]) => !has(program))
    .map(([, debian]) => debian);
  if (missing.length === 0) return undefined;
  const line = `apt-get update && apt-get install --yes --no-install-recommends ${missing.join(" ")}`;
  if (!has("apt-get")) return `install ${missing.join(", ")} with this system's package manager`;
  const isRoot = process.getuid?.() === 0;
  const mayBecomeRoot = !isRoot && spawnSync("sudo", ["-n", "true"], { stdio: "ignore" }).status === 0;
  const order = `sudo sh -c '${line}'`;
  if (!isRoot && !mayBecomeRoot) return order;
  say(`installing Debian packages: ${missing.join(", ")}`);
  const shell = ["sh", "-c", line];
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const status = isRoot ? run(shell[0], shell.slice(1), { env }) : run("sudo", ["-n", ...shell], { env });
  return status === 0 ? undefined : order;
}
