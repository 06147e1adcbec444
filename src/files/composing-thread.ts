/** A thread that makes the values of stretches of YAML: see `ComposingThreads`, which starts it. */
import { type MessagePort, workerData } from "node:worker_threads";
import { compose } from "../documents/composition.ts";
import { Composer } from "../documents/yaml-composer.ts";
import { Scanner } from "../documents/yaml-scanner.ts";

/** What the thread is started with. */
export interface ThreadData {
  readonly port: MessagePort;
  /** Counts answers, for a reader that waits. */
  readonly answers: Int32Array<SharedArrayBuffer>;
}

/** Stretches of one text, one after the other. */
export interface Task {
  /** Comes back with the answer. */
  readonly id: number;
  readonly text: string;
  /** Where each stretch begins and ends in the text. */
  readonly bounds: readonly number[];
}

/**
 * The answer: JSON, for that is read several times faster than any other form that threads can exchange. It holds an item
 * for each stretch: `[value]` or `[value, letter, letters]` as in `Composed`; null where the stretch must be read by who
 * asked, because it is refused or shares parts of its value.
 */
export interface Answer {
  readonly id: number;
  readonly json: string;
}

const { port, answers }: ThreadData = workerData;
const composer = new Composer(new Scanner());

port.on("message", ({ id, text, bounds }: Task) => {
  const items: unknown[] = [];
  for (let i = 0; i < bounds.length; i += 2) {
    const one = compose(composer, text, { from: bounds[i] ?? 0, to: bounds[i + 1] ?? 0 });
    if ("refusal" in one || one.isShared) items.push(null);
    else items.push(one.letter === undefined ? [one.value] : [one.value, one.letter, one.letters]);
  }
  const answer: Answer = { id, json: JSON.stringify(items) };
  port.postMessage(answer);
  Atomics.add(answers, 0, 1);
  Atomics.notify(answers, 0);
});
