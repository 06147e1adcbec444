/**
 * Many network namespaces at once. The kernel makes one in about a third of a millisecond and can make two at a time,
 * so a second thread takes its share: each takes the next number until none is left. The main thread never waits for
 * the second to start, only for a namespace that it has begun.
 */

import { closeSync } from "node:fs";
import { isMainThread, Worker, workerData } from "node:worker_threads";
import { SystemError } from "./libc.ts";
import { NetworkNamespace } from "./namespace.ts";

/** Below, a thread costs more than it saves. */
const WORTH_A_THREAD = 200;
/** The first word is the next number to be taken; then for each number: 0, or fd + 1, or a negated errno. */
const NEXT = 0;
const FIRST = 1;

/** Makes `count` namespaces; none is left when one cannot be made. */
export function makeNamespaces(count: number): readonly NetworkNamespace[] {
  const shared = new Int32Array(new SharedArrayBuffer((FIRST + count) * 4));
  const helper = count < WORTH_A_THREAD ? null : startHelper(shared);
  work(shared);
  const made: NetworkNamespace[] = [];
  let failure = 0;
  for (let at = FIRST; at < shared.length; at++) {
    while (Atomics.load(shared, at) === 0) Atomics.wait(shared, at, 0);
    const word = Atomics.load(shared, at);
    if (word > 0) made.push(NetworkNamespace.adopt(word - 1));
    else failure ||= -word;
  }
  void helper?.terminate();
  if (failure === 0) return made;
  for (const { fd } of made) closeSync(fd);
  throw new SystemError(`network namespace ${made.length + 1} of ${count}`, failure);
}

function startHelper(shared: Int32Array): Worker | null {
  try {
    const helper = new Worker(new URL(import.meta.url), { workerData: shared, trackUnmanagedFds: false });
    // What it opened stays open when it ends; without it everything is made here.
    helper.on("error", () => {});
    helper.unref();
    return helper;
  } catch {
    return null;
  }
}

/** Takes numbers until none is left, or one fails: then the rest fails alike. */
function work(shared: Int32Array): void {
  let failed = 0;
  for (;;) {
    const at = FIRST + Atomics.add(shared, NEXT, 1);
    if (at >= shared.length) return;
    if (failed === 0) {
      try {
        Atomics.store(shared, at, NetworkNamespace.create().fd + 1);
      } catch (error) {
        failed = errnoOf(error);
      }
    }
    if (failed !== 0) Atomics.store(shared, at, -failed);
    Atomics.notify(shared, at);
  }
}

const EIO = 5;

function errnoOf(error: unknown): number {
  if (error instanceof SystemError) return error.errno;
  if (error instanceof Error && "errno" in error && typeof error.errno === "number") return Math.abs(error.errno);
  return EIO;
}

if (!isMainThread && workerData instanceof Int32Array) work(workerData);
