/** Manifests of a revision in a Git repository: `git:REVISION:PATH`, read with `git` itself and without a checkout. */
import { spawnSync } from "node:child_process";
import { posix } from "node:path";
import { type Diagnostic, diagnostic } from "../base/diagnostic.ts";
import type { Source } from "../documents/document.ts";
import { isReadable, roleOf } from "./recognition.ts";

export interface GitInput {
  readonly sources: readonly Source[];
  readonly diagnostics: readonly Diagnostic[];
}

/** The revision and path that a text names; `undefined` where it names a file. */
export function parseGit(text: string): { readonly revision: string; readonly path: string } | undefined {
  if (!text.startsWith("git:")) return undefined;
  const rest = text.slice(4);
  const colon = rest.lastIndexOf(":");
  return colon < 0
    ? { revision: rest, path: "." }
    : { revision: rest.slice(0, colon), path: rest.slice(colon + 1) || "." };
}

/** Reads a file or a folder of a revision, as files and folders of the working directory are read. */
export function readGit(text: string, options: { readonly recursive?: boolean; readonly cwd?: string } = {}): GitInput {
  const asked = parseGit(text);
  const cwd = options.cwd ?? process.cwd();
  const failed = (message: string): GitInput => ({
    sources: [],
    diagnostics: [
      diagnostic("BH020", message, { file: text }, { help: "Write git:REVISION:PATH, such as git:HEAD~1:policies." }),
    ],
  });
  if (asked === undefined) return failed(`${text} names no revision`);
  const { revision, path } = asked;
  // A revision that begins with a hyphen would be read as an option.
  if (revision === "" || revision.startsWith("-")) return failed(`${text} names no revision`);
  const prefix = git(["rev-parse", "--show-prefix"], cwd);
  if (prefix === undefined) return failed("this is no Git repository, or git is not installed");
  const full = posix.normalize(posix.join(prefix.trim(), path)).replace(/\/$/, "");
  const object = full === "." || full === "" ? `${revision}^{tree}` : `${revision}:${full}`;
  const type = git(["cat-file", "-t", object], cwd)?.trim();
  if (type === undefined) return failed(`revision ${revision} has no ${path}`);
  if (type === "blob") return { sources: [sourceOf(text, object, cwd)].filter(isManifest), diagnostics: [] };
  const listing =
    git(["ls-tree", "-z", "--name-only", ...(options.recursive === true ? ["-r"] : []), object], cwd) ?? "";
  const names = listing
    .split("\0")
    .filter((name) => name !== "" && isReadable(name))
    .sort((a, b) => (a < b ? -1 : 1));
  const sources = names
    .map((name) =>
      sourceOf(
        `git:${revision}:${posix.join(path, name)}`,
        `${revision}:${posix.join(full === "." ? "" : full, name)}`,
        cwd,
      ),
    )
    .filter(isManifest);
  if (sources.length > 0) return { sources, diagnostics: [] };
  return { sources, diagnostics: [diagnostic("BH022", `${text} holds no *.yaml, *.yml or *.json`, { file: text })] };
}

function sourceOf(name: string, object: string, cwd: string): Source {
  return { name, text: git(["cat-file", "blob", object], cwd) ?? "" };
}

function isManifest(source: Source): boolean {
  return roleOf(source) === "manifest";
}

function git(args: readonly string[], cwd: string): string | undefined {
  const ran = spawnSync("git", [...args], { cwd, encoding: "utf8", maxBuffer: 1 << 29 });
  return ran.status === 0 ? ran.stdout : undefined;
}
