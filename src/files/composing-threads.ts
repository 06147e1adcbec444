/** Makes the values of YAML on several cores, while the caller waits as it would for one. */
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads";
import { compose, type Composed, type Stretch } from "../documents/composition.ts";
import { Composer } from "../documents/yaml-composer.ts";
import { Scanner } from "../documents/yaml-scanner.ts";
import type { Answer, Task, ThreadData } from "./composing-thread.ts";

/** How much text a thread is given at once, in UTF-16 units: some hundredths of a second of work. */
const BATCH = 1 << 18;

/** How many batches a thread has before it, so that it need not wait for the next. */
const AHEAD = 2;

/** How long the threads may be silent before they are taken for lost. */
const PATIENCE_MS = 5000;

const PROGRAM = new URL("./composing-thread.js", import.meta.url);

interface Batch {
  readonly from: number;
  readonly to: number;
  readonly stretches: readonly Stretch[];
}

interface Thread {
  readonly worker: Worker;
  readonly port: MessagePort;
  /** Batches that it has not answered. */
  open: number;
}

/**
 * Threads that make values of YAML. They begin with the first batch and end with `close`. The caller makes values as well
 * where all threads are busy, and all that are left where they do not answer; so the values never depend on them.
 */
export class ComposingThreads {
  private readonly answers = new Int32Array(new SharedArrayBuffer(4));
  private readonly threads: Thread[] = [];
  private readonly composer = new Composer(new Scanner());
  /** Tells the batches of all texts apart. */
  private lastId = 0;
  private areLost = false;

  /** Takes how many threads may run beside the caller's, and the program that they run. */
  constructor(count: number, program: URL = PROGRAM) {
    for (let i = 0; i < count; i++) {
      const { port1, port2 } = new MessageChannel();
      const data: ThreadData = { port: port2, answers: this.answers };
      const worker = new Worker(program, { workerData: data, transferList: [port2] });
      // One that cannot start is one that does not answer.
      worker.on("error", () => {});
      worker.unref();
      port1.unref();
      this.threads.push({ worker, port: port1, open: 0 });
    }
  }

  /** How many batches the threads have answered. */
  get answered(): number {
    return Atomics.load(this.answers, 0);
  }

  close(): void {
    for (const { worker, port } of this.threads) {
      port.close();
      void worker.terminate();
    }
  }

  /** Makes the values of the stretches, in their order: a `Compose`. */
  *compose(text: string, stretches: readonly Stretch[]): Iterable<Composed> {
    const batches = batchesOf(stretches);
    const first = this.lastId + 1;
    this.lastId += batches.length;
    const done = new Map<number, readonly Composed[] | string>();
    let next = 0;
    const take = (): void => {
      for (const thread of this.threads) {
        for (let got = receiveMessageOnPort(thread.port); got !== undefined; got = receiveMessageOnPort(thread.port)) {
          const { id, json }: Answer = got.message;
          thread.open--;
          done.set(id - first, json);
        }
        while (!this.areLost && thread.open < AHEAD && next < batches.length)
          this.give(thread, text, batches[next], first + next++);
      }
    };
    for (const [i, batch] of batches.entries()) {
      for (;;) {
        const seen = Atomics.load(this.answers, 0);
        take();
        if (done.has(i)) break;
        const own = next < batches.length ? next++ : undefined;
        if (own !== undefined) done.set(own, this.here(text, batches[own]?.stretches ?? []));
        else if (this.areLost || Atomics.wait(this.answers, 0, seen, PATIENCE_MS) === "timed-out") {
          this.areLost = true;
          done.set(i, this.here(text, batch.stretches));
        }
      }
      const result = done.get(i) ?? [];
      done.delete(i);
      yield* typeof result === "string" ? this.opened(text, batch, result) : result;
    }
  }

  private give(thread: Thread, text: string, batch: Batch | undefined, id: number): void {
    if (batch === undefined) return;
    const { from, to, stretches } = batch;
    const bounds = stretches.flatMap((one) => [one.from - from, one.to - from]);
    const task: Task = { id, text: text.slice(from, to), bounds };
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port, not a window
    thread.port.postMessage(task);
    thread.open++;
  }

  private here(text: string, stretches: readonly Stretch[]): readonly Composed[] {
    return stretches.map((stretch) => compose(this.composer, text, stretch));
  }

  /** What a thread has answered. */
  private *opened(text: string, { from, stretches }: Batch, json: string): Iterable<Composed> {
    const items: unknown = JSON.parse(json);
    for (const [i, stretch] of stretches.entries()) {
      const item: unknown = Array.isArray(items) ? items[i] : undefined;
      if (!Array.isArray(item)) yield compose(this.composer, text, stretch);
      else {
        const [value, letter, letters]: readonly unknown[] = item;
        if (typeof letter !== "number" || typeof letters !== "number") yield { value, letters: 0, isShared: false };
        else yield { value, letter: letter + from, letters, isShared: false };
      }
    }
  }
}

function batchesOf(stretches: readonly Stretch[]): readonly Batch[] {
  const batches: Batch[] = [];
  let own: Stretch[] = [];
  for (const [i, stretch] of stretches.entries()) {
    own.push(stretch);
    const from = own[0]?.from ?? 0;
    if (stretch.to - from < BATCH && i < stretches.length - 1) continue;
    batches.push({ from, to: stretch.to, stretches: own });
    own = [];
  }
  return batches;
}
