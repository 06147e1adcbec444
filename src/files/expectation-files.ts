/** The files of expectations below a path. */
import { statSync } from "node:fs";
import { type Diagnostic, diagnostic } from "../base/diagnostic.ts";
import { listFolder } from "./folder.ts";
import { isExpectationFile } from "./recognition.ts";
import { readProblem, sourceName } from "./source-file.ts";

/** What was found. */
export interface ExpectationFiles {
  /** The paths, each beginning with the path that was asked for. */
  readonly files: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Finds the files of expectations.
 *
 * Takes a file of expectations, or a folder, which is searched with all folders below it except `node_modules` and those
 * whose name begins with a point. Returns the paths by name; with BH020 or BH021 when the path cannot be read, and BH022
 * when nothing is found.
 */
export function findExpectationFiles(path: string, cwd: string = process.cwd()): ExpectationFiles {
  const name = sourceName(path, cwd);
  try {
    if (!statSync(path).isDirectory()) return { files: [path], diagnostics: [] };
  } catch (error) {
    return { files: [], diagnostics: [readProblem(error, name)] };
  }
  const { files, problems } = listFolder(path, {
    recursive: true,
    accepts: isExpectationFile,
    enters: (folder) => folder !== "node_modules" && !folder.startsWith("."),
    cwd,
  });
  if (files.length > 0 || problems.length > 0) return { files, diagnostics: problems };
  const help = "Expectations are in expect.yaml or *.expect.yaml.";
  return { files, diagnostics: [diagnostic("BH022", `${name} holds no expectations`, { file: name }, { help })] };
}
