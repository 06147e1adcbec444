/**
 * Network namespaces entered by the main thread (setns(2)). A socket belongs to the namespace in which it was made,
 * so a process visits a namespace just long enough to make its sockets and serves them from home.
 */

import { closeSync, openSync, writeFileSync } from "node:fs";
import { CLONE_NEWNET, setns, unshare } from "./libc.ts";

const OWN = "/proc/thread-self/ns/net";
let home: number | null = null;

/** The namespace in which the process lives; fixed by the first call. */
export function homeNamespace(): number {
  home ??= openSync(OWN, "r");
  return home;
}

export class NetworkNamespace {
  /** An open file of the namespace keeps it alive. */
  readonly fd: number;

  private constructor(fd: number) {
    this.fd = fd;
  }

  /** The process's own. */
  static home(): NetworkNamespace {
    return new NetworkNamespace(homeNamespace());
  }

  /** One that is open already as `fd`. */
  static adopt(fd: number): NetworkNamespace {
    return new NetworkNamespace(fd);
  }

  /** A new, empty one. */
  static create(): NetworkNamespace {
    const back = homeNamespace();
    unshare(CLONE_NEWNET);
    try {
      return new NetworkNamespace(openSync(OWN, "r"));
    } finally {
      returnTo(back);
    }
  }

  /**
   * Runs `action` inside. INVARIANT: it must not wait for anything: whatever ran meanwhile would be inside, too.
   */
  run<T>(action: () => T): T {
    const back = homeNamespace();
    setns(this.fd, CLONE_NEWNET);
    try {
      return action();
    } finally {
      returnTo(back);
    }
  }

  close(): void {
    closeSync(this.fd);
  }
}

function returnTo(fd: number): void {
  try {
    setns(fd, CLONE_NEWNET);
  } catch {
    // Nothing may run in the wrong namespace, not even an error handler.
    process.abort();
  }
}

/** `net/ipv4/ip_forward` and the like, of the namespace that is entered. A setting that the kernel lacks is skipped. */
export function setKernelParameter(path: string, value: string): boolean {
  try {
    writeFileSync(`/proc/sys/${path}`, value);
    return true;
  } catch {
    return false;
  }
}
