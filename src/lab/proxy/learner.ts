/** What the proxy has the daemon learn: nobody gets an answer before its addresses are open. */

import type { FromProxy, NameLookup, ToProxy } from "./seam.ts";

export class Learner {
  private readonly tell: (message: FromProxy) => void;
  private readonly waiting = new Map<number, () => void>();
  private count = 0;

  constructor(tell: (message: FromProxy) => void) {
    this.tell = tell;
  }

  learn(lookup: NameLookup): Promise<void> {
    const id = ++this.count;
    return new Promise((resolve) => {
      this.waiting.set(id, resolve);
      this.tell({ kind: "learn", id, lookup });
    });
  }

  receive(message: ToProxy): void {
    if (message.kind !== "learned") return;
    this.waiting.get(message.id)?.();
    this.waiting.delete(message.id);
  }
}
