/** The open files of this process (proc(5)). */

import { readdirSync, readFileSync } from "node:fs";

export interface OpenFiles {
  readonly open: number;
  /** At most so many; Infinity where the kernel does not tell. */
  readonly limit: number;
}

export function openFiles(): OpenFiles {
  const limit = Number(/^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1] ?? Infinity);
  return { open: readdirSync("/proc/self/fd").length, limit };
}
