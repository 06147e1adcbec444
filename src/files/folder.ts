/** The files of a folder, in an order that does not depend on the machine. */
import { type Dirent, readdirSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Diagnostic } from "../base/diagnostic.ts";
import { readProblem, sourceName } from "./source-file.ts";

/** What a folder holds. */
export interface FolderListing {
  /** The paths of its files. */
  readonly files: readonly string[];
  /** Folders that could not be read. */
  readonly problems: readonly Diagnostic[];
}

/** How a folder is listed. */
export interface FolderOptions {
  /** Also the folders below. */
  readonly recursive: boolean;
  /** Whether a file is listed. Takes its name without the folder. */
  readonly accepts: (fileName: string) => boolean;
  /** Whether a folder below is entered. Takes its name. Absent: every one is. */
  readonly enters?: (folderName: string) => boolean;
  /** The working directory, for names in messages. */
  readonly cwd: string;
}

/**
 * Lists the files of a folder.
 *
 * Takes the folder and what is wanted. Returns the files ordered by name, those of a folder before those of the folders
 * below it; links are followed, and a folder that is reached twice is listed once.
 */
export function listFolder(folder: string, options: FolderOptions): FolderListing {
  const files: string[] = [];
  const problems: Diagnostic[] = [];
  const seen = new Set<string>();
  const visit = (path: string): void => {
    let entries: Dirent[];
    try {
      const real = realpathSync(path);
      if (seen.has(real)) return;
      seen.add(real);
      entries = readdirSync(path, { withFileTypes: true });
    } catch (error) {
      problems.push(readProblem(error, sourceName(path, options.cwd)));
      return;
    }
    const folders: string[] = [];
    for (const entry of entries.toSorted((a, b) => compare(a.name, b.name))) {
      const child = join(path, entry.name);
      if (isFolder(entry, child)) folders.push(entry.name);
      else if (options.accepts(entry.name)) files.push(child);
    }
    if (options.recursive) for (const name of folders) if (options.enters?.(name) ?? true) visit(join(path, name));
  };
  visit(folder);
  return { files, problems };
}

function isFolder(entry: Dirent, path: string): boolean {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** Orders by UTF-16 units, which is the same everywhere. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
