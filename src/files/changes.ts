/** Tells when files are saved. */
import { statSync, watch } from "node:fs";
import { dirname } from "node:path";

/** Editors write a file in several steps; so long nothing more may come before a change is told. */
const QUIET_MS = 80;

/**
 * One item at once, and one whenever something under the paths has been saved since, after it has been quiet for a moment:
 * what is read at the first item is watched already.
 *
 * Takes files and folders, and whether folders mean also those below. A file is watched through its folder, since
 * editors replace files rather than write into them. Ends only with the process, or where there is no folder to watch.
 */
export async function* changesOf(paths: readonly string[], recursive: boolean): AsyncGenerator<void> {
  let wake: () => void = () => {};
  let timer: NodeJS.Timeout | undefined;
  let changed = false;
  const note = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      changed = true;
      wake();
    }, QUIET_MS);
  };
  const named = paths.filter((path) => path !== "-").map((path) => (isFolder(path) ? path : dirname(path)));
  const folders = new Set(named.filter(isFolder));
  const watchers = [...folders].map((folder) => watch(folder, { recursive }, note));
  try {
    yield;
    while (watchers.length > 0) {
      if (!changed) await new Promise<void>((resolve) => void (wake = resolve));
      changed = false;
      yield;
    }
  } finally {
    for (const watcher of watchers) watcher.close();
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
