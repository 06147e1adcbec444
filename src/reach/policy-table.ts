/** The policy objects of an engine with what became of them, in their order, for changes one at a time. */
import type { Document } from "../documents/document.ts";
import type { CompiledObject } from "../policy/dialect.ts";
import type { Policy } from "../policy/rule.ts";

/** A policy object with what became of it. */
export interface Compiled {
  readonly document: Document;
  readonly result: CompiledObject;
  /** The number of the world in which it was compiled. */
  readonly revision: number;
}

/** What one change did to the policies that count. */
export interface Replacement {
  readonly removed: readonly Policy[];
  readonly added: readonly Policy[];
  /** Whether `added` stand where the first of `removed` stood, or, where none was removed, behind all. */
  readonly isPlaced: boolean;
  readonly isRefused: boolean;
}

export class PolicyTable {
  /** In the order of the objects, since one that is replaced keeps its place. */
  private readonly byNumber: Map<number, Compiled>;
  /** Made with the first change. */
  private numbers: Map<Document, number> | undefined;
  private next: number;

  constructor(compiled: readonly Compiled[]) {
    this.byNumber = new Map(compiled.entries());
    this.next = compiled.length;
  }

  get all(): Iterable<Compiled> {
    return this.byNumber.values();
  }

  /** The policies that count, in their order. */
  get policies(): readonly Policy[] {
    const out: Policy[] = [];
    for (const one of this.byNumber.values()) out.push(...countingIn(one));
    return out;
  }

  /** The objects that are refused, in their order. */
  get refused(): readonly Document[] {
    return [...this.byNumber.values()].flatMap(({ document, result }) => (result.refused ? [document] : []));
  }

  /** Puts an object in the stead of another; one of them may be absent. Undefined where the other is not there. */
  replace(before: Document | undefined, after: Compiled | undefined): Replacement | undefined {
    this.numbers ??= new Map([...this.byNumber].map(([number, { document }]) => [document, number]));
    const number = before === undefined ? this.next++ : this.numbers.get(before);
    if (number === undefined) return undefined;
    const old = this.byNumber.get(number);
    if (before !== undefined) this.numbers.delete(before);
    if (after === undefined) this.byNumber.delete(number);
    else {
      this.byNumber.set(number, after);
      this.numbers.set(after.document, number);
    }
    const [removed, added] = [countingIn(old), countingIn(after)];
    return {
      removed,
      added,
      isPlaced: before === undefined || removed.length > 0,
      isRefused: old?.result.refused === true || after?.result.refused === true,
    };
  }
}

/** The policies of an object that count. */
function countingIn(compiled: Compiled | undefined): readonly Policy[] {
  return compiled === undefined || compiled.result.refused ? [] : compiled.result.policies;
}
