/** The Segregation files below a path. */
import { statSync } from "node:fs";
import { basename } from "node:path";
import { listFolder } from "./folder.ts";
import { holdsSegregation, isExpectationFile, isReadable } from "./recognition.ts";
import { readSource, sourceName } from "./source-file.ts";

/** Finds them: the file itself, or every file below a folder that holds one. What cannot be read is passed over here. */
export function findSegregationFiles(path: string, cwd: string = process.cwd()): readonly string[] {
  const holds = (file: string): boolean => {
    if (isExpectationFile(basename(file))) return false;
    const read = readSource(file, sourceName(file, cwd));
    return "source" in read && holdsSegregation(read.source);
  };
  try {
    if (!statSync(path).isDirectory()) return holds(path) ? [path] : [];
  } catch {
    return [];
  }
  const { files } = listFolder(path, {
    recursive: true,
    accepts: isReadable,
    enters: (folder) => folder !== "node_modules" && !folder.startsWith("."),
    cwd,
  });
  return files.filter(holds);
}
