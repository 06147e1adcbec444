/** The process of a lab's proxy. */

import { readdirSync, readFileSync } from "node:fs";
import { labStatus } from "../../src/lab/client.ts";
import { PROXY_MARK } from "../../src/lab/proxy/supervisor.ts";

/** Its number, as this process sees it; null: none runs. */
export async function proxyPid(lab: string): Promise<number | null> {
  const { pid } = await labStatus({ name: lab });
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const isChild = new RegExp(`^PPid:\\s+${pid}$`, "m").test(readFileSync(`/proc/${entry}/status`, "utf8"));
      if (isChild && readFileSync(`/proc/${entry}/cmdline`, "utf8").includes(PROXY_MARK)) return Number(entry);
    } catch {
      // It has ended meanwhile.
    }
  }
  return null;
}

/** MiB of memory that a process has in use. */
export function residentMemory(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
}
