/**
 * Many network namespaces at once. The kernel makes one in about a third of a millisecond and can make two at a time,
 * so a second thread takes its share: each takes the next number until none is left. The main thread never waits for
 * the second to start, only for a namespace that it has begun. Where it is known beforehand how many will be asked for,
 * the second thread begins while the main thread has other work.
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

/** Namespaces that two threads make. */
class Batch {
  private readonly shared: Int32Array<SharedArrayBuffer>;
  private readonly helper: Worker | null;
  private taken = FIRST;

  constructor(count: number) {
    this.shared = new Int32Array(new SharedArrayBuffer((FIRST + count) * 4));
    this.helper = count < WORTH_A_THREAD ? null : startHelper(this.shared);
  }

  get left(): number {
    return this.shared.length - this.taken;
  }

  /** How many that were not taken are there already. */
  get waiting(): number {
    return this.shared.subarray(this.taken).filter((word) => word > 0).length;
  }

  /** The next `count`, of those that are left: file descriptors, or negated error numbers. */
  take(count: number): readonly number[] {
    const end = this.taken + count;
    work(this.shared, end);
    const made: number[] = [];
    for (; this.taken < end; this.taken++) {
      while (Atomics.load(this.shared, this.taken) === 0) Atomics.wait(this.shared, this.taken, 0);
      const word = Atomics.load(this.shared, this.taken);
      made.push(word > 0 ? word - 1 : word);
    }
    if (this.left === 0) void this.helper?.terminate();
    return made;
  }
}

let ahead: Batch | null = null;

/** Begins `count` namespaces, which the next calls of `makeNamespaces` take. Called once. */
export function beginNamespaces(count: number): void {
  if (count >= WORTH_A_THREAD) ahead = new Batch(count);
}

/** Open files of namespaces that were begun and that nobody has taken. */
export function waitingNamespaces(): number {
  return ahead?.waiting ?? 0;
}

/** Makes `count` namespaces; none is left when one cannot be made. */
export function makeNamespaces(count: number): readonly NetworkNamespace[] {
  const begun = ahead?.take(Math.min(count, ahead.left)) ?? [];
  const made = [...begun, ...new Batch(count - begun.length).take(count - begun.length)];
  const failure = made.find((word) => word < 0);
  const whole = made.filter((word) => word >= 0);
  if (failure === undefined) return whole.map((fd) => NetworkNamespace.adopt(fd));
  for (const fd of whole) closeSync(fd);
  throw new SystemError(`network namespace ${whole.length + 1} of ${count}`, -failure);
}

function startHelper(shared: Int32Array<SharedArrayBuffer>): Worker | null {
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

/** Takes numbers until all below `end` are taken, or one fails: then the rest fails alike. */
function work(shared: Int32Array, end: number): void {
  let failed = 0;
  while (FIRST + Atomics.load(shared, NEXT) < end) {
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

if (!isMainThread && workerData instanceof Int32Array) work(workerData, workerData.length);
