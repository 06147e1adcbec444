import type { Source } from "../documents/document.ts";

/** How a case finds its files; paths are relative to the expectation file. */
export interface CaseFiles {
  /** The file, or undefined where there is none. */
  read(path: string): Source | undefined;
  /** The manifests of a folder, in order of their names; empty where there is none. */
  list(folder: string): readonly Source[];
}
