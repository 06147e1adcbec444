/** The files of a case, found beside its expectation file. */
import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Source } from "../documents/document.ts";
import { loadInput } from "../files/input.ts";
import { readSource, sourceName } from "../files/source-file.ts";
import type { CaseFiles } from "../verify/case-files.ts";

/** Finds files relative to an expectation file; names in messages are relative to `cwd`. */
export function caseFiles(expectationFile: string, cwd: string): CaseFiles {
  const folder = dirname(expectationFile);
  return {
    read(path: string): Source | undefined {
      const at = join(folder, path);
      if (!existsSync(at) || statSync(at).isDirectory()) return undefined;
      const result = readSource(at, sourceName(at, cwd));
      return "source" in result ? result.source : undefined;
    },
    list(path: string): readonly Source[] {
      const at = join(folder, path);
      return existsSync(at) && statSync(at).isDirectory() ? loadInput([at], { cwd }).sources : [];
    },
  };
}
