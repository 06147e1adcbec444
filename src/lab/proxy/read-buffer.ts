/** The memory that a connection reads into: one piece for many reads, since Node otherwise takes 64 KiB anew for each. */

import type { OnReadOpts } from "node:net";

/** Bytes of the smallest piece, which suffices for most heads and small bodies. */
const LEAST = 4_096;
/** Bytes of the largest. */
const MOST = 262_144;
/** From one size to the next. */
const STEP = 4;

export class ReadBuffer implements OnReadOpts {
  private readonly hear: (bytes: Buffer) => void;
  private size = LEAST;
  private bytes = Buffer.alloc(0);

  /** `hear` gets what has come; when it returns, the memory is read into again. */
  constructor(hear: (bytes: Buffer) => void) {
    this.hear = hear;
  }

  /** What is read into next. */
  readonly buffer = (): Buffer => {
    if (this.bytes.length !== this.size) this.bytes = Buffer.allocUnsafeSlow(this.size);
    return this.bytes;
  };

  readonly callback = (count: number): boolean => {
    const { bytes, size } = this;
    this.hear(bytes.subarray(0, count));
    if (count === size) this.size = Math.min(size * STEP, MOST);
    else if (count * STEP < size) this.size = Math.max(size / STEP, LEAST);
    return true;
  };
}
