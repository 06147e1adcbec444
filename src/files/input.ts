/** The input of a command: the files, folders and standard input that the user names. */
import { readFileSync, realpathSync, statSync } from "node:fs";
import { type Diagnostic, diagnostic } from "../base/diagnostic.ts";
import type { Source } from "../documents/document.ts";
import { listFolder } from "./folder.ts";
import { holdsSegregation, isReadable, roleOf } from "./recognition.ts";
import { decodeFile, type FileResult, readFile, readProblem, sourceName } from "./source-file.ts";

/** How the input is read. */
export interface InputOptions {
  /** Folders mean also the folders below them (`-R`). */
  readonly recursive?: boolean;
  /** Reads standard input to its end; the process's own when absent. */
  readonly stdin?: () => Buffer;
  /** The working directory; the process's own when absent. */
  readonly cwd?: string;
}

/** The input by what its files are for. Each list is in the order in which the user named things, folders by name. */
export interface Input {
  /** Manifests. */
  readonly sources: readonly Source[];
  /** `expect.yaml` and `*.expect.yaml`. */
  readonly expectationFiles: readonly Source[];
  /** `refused.yaml`, `exposure.yaml` and `placement.yaml`. */
  readonly caseFiles: readonly Source[];
  /** Files that hold a Segregation; when they hold other objects too they are among the manifests as well. */
  readonly segregationFiles: readonly Source[];
  /** `bulkhead.yaml`. */
  readonly configFiles: readonly Source[];
  /** What could not be read, and what was named twice. */
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Reads the input of a command.
 *
 * Takes the paths as the user gave them (a file, a folder, `-` for standard input) and the options. A folder means its own
 * `*.yaml`, `*.yml` and `*.json`; a file that is named is read whatever its ending. Returns the sources by role, with
 * BH020–BH026 for what is missing, unreadable, empty or named twice. It does not throw.
 */
export function loadInput(paths: readonly string[], options: InputOptions = {}): Input {
  const cwd = options.cwd ?? process.cwd();
  const input = new InputCollector();
  if (paths.length === 0) input.diagnostics.push(diagnostic("BH025", "no files were named"));
  for (const path of paths) {
    if (path === "-") input.add("-", readStdin(options.stdin));
    else readPath(input, path, cwd, options.recursive ?? false);
  }
  return input;
}

function readPath(input: InputCollector, path: string, cwd: string, recursive: boolean): void {
  const name = sourceName(path, cwd);
  let isFolder: boolean;
  try {
    isFolder = statSync(path).isDirectory();
  } catch (error) {
    input.diagnostics.push(readProblem(error, name));
    return;
  }
  if (!isFolder) {
    input.add(identity(path), readFile(path, name), name);
    return;
  }
  const { files, problems } = listFolder(path, { recursive, accepts: isReadable, cwd });
  input.diagnostics.push(...problems);
  for (const file of files) {
    const fileName = sourceName(file, cwd);
    input.add(identity(file), readFile(file, fileName), fileName);
  }
  if (files.length === 0 && problems.length === 0)
    input.diagnostics.push(
      diagnostic(
        "BH022",
        `the folder ${name} holds no *.yaml, *.yml or *.json`,
        { file: name },
        recursive ? { help: "Name the folder that holds the manifests." } : {},
      ),
    );
}

/** Collects sources by role. */
class InputCollector implements Input {
  readonly sources: Source[] = [];
  readonly expectationFiles: Source[] = [];
  readonly caseFiles: Source[] = [];
  readonly segregationFiles: Source[] = [];
  readonly configFiles: Source[] = [];
  readonly diagnostics: Diagnostic[] = [];
  private readonly seen = new Set<string>();

  /** Takes in a file. `id` is the same for the same file under any name. */
  add(id: string, result: FileResult, name = id): void {
    if (this.seen.has(id)) {
      this.diagnostics.push(diagnostic("BH026", `${name} is named twice and read once`, { file: name }));
      return;
    }
    this.seen.add(id);
    if ("problem" in result) {
      this.diagnostics.push(result.problem);
      return;
    }
    const { sources } = result;
    // Parts of one file are for one thing.
    const roles = sources.map(roleOf);
    const role = roles.includes("manifest") ? "manifest" : (roles[0] ?? "manifest");
    switch (role) {
      case "manifest":
        this.sources.push(...sources);
        this.segregationFiles.push(...sources.filter(holdsSegregation));
        break;
      case "expectation":
        this.expectationFiles.push(...sources);
        break;
      case "case":
        this.caseFiles.push(...sources);
        break;
      case "configuration":
        this.configFiles.push(...sources);
        break;
      case "segregation":
        this.segregationFiles.push(...sources);
        break;
      default:
        role satisfies never;
    }
  }
}

function readStdin(stdin: (() => Buffer) | undefined): FileResult {
  try {
    return decodeFile(stdin === undefined ? readFileSync(0) : stdin(), "-");
  } catch (error) {
    return { problem: readProblem(error, "-") };
  }
}

/** What tells a file from every other. */
function identity(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
