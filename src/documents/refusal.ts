/** Why a text could not be read, and where. */
import type { Code } from "../base/diagnostic.ts";

/**
 * Leaves a parser at the first thing that it cannot read. It is caught where a document is read and becomes a finding; it
 * never reaches a user of the folder.
 */
export class Refusal extends Error {
  readonly code: Code;
  /** The place in the text, in UTF-16 units. */
  readonly offset: number;

  constructor(code: Code, offset: number, message: string) {
    super(message);
    this.code = code;
    this.offset = offset;
  }
}
