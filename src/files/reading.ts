/** Reads manifests with what the machine offers. */
import { availableParallelism } from "node:os";
import type { Source } from "../documents/document.ts";
import { type ReadResult, readDocuments } from "../documents/reader.ts";
import { ComposingThreads } from "./composing-threads.ts";

/** Below so many UTF-16 units, threads take longer to start than they help. */
const WORTHWHILE = 8 * 1024 * 1024;

/** More threads would only wait for the one that puts together what they read. */
const MOST_THREADS = 6;

/** As `readDocuments`; much YAML is read on several cores, with the same result. */
export function readSources(sources: readonly Source[], threads = threadsFor(sources)): ReadResult {
  if (threads === 0) return readDocuments(sources);
  const pool = new ComposingThreads(threads);
  try {
    return readDocuments(sources, (text, stretches) => pool.compose(text, stretches));
  } finally {
    pool.close();
  }
}

/** How many threads help to read the sources: none where they are JSON, or where this program runs from its own sources. */
function threadsFor(sources: readonly Source[]): number {
  if (!import.meta.url.endsWith(".js")) return 0;
  let yaml = 0;
  for (const { text } of sources) if (!/^\s*[{[]/.test(text)) yaml += text.length;
  return yaml < WORTHWHILE ? 0 : Math.min(availableParallelism() - 1, MOST_THREADS);
}
