/** What instrumented code calls (see instrument.ts): the value as written, or another where a mutant is active. */
import { INSTEAD } from "./instrument.ts";

/** A mutant that does not come to an end is caught by this. */
export class Endless extends Error {}

/** The switch: one mutant at a time, or none. */
export class Runtime {
  /** The number of the active mutant; 0: none. */
  active = 0;
  /** While recording: the mutants that would have made some value another one. */
  seen: Set<number> | undefined;
  /** While recording: the mutants of returned values whose place is come by. */
  reached: Set<number> | undefined;
  /** Calls since `begin`. */
  steps = 0;
  private limit = Number.POSITIVE_INFINITY;
  private readonly caches: Cache[] = [];

  /** Starts one case with a mutant; it may call so often. */
  begin(active: number, limit: number): void {
    this.active = active;
    this.steps = 0;
    this.limit = limit;
  }

  /** Empties what modules keep between calls, so that no value of one mutant is met under another. */
  forget(): void {
    for (const cache of this.caches) cache.empty();
  }

  /** A cache of a module, emptied by `forget`. */
  cache(): Cache {
    const cache = new Cache();
    this.caches.push(cache);
    return cache;
  }

  private step(): void {
    this.steps += 1;
    if (this.steps > this.limit) throw new Endless("no end");
  }

  /** A condition: always (id), never (id + 1). */
  c(id: number, value: unknown): unknown {
    this.step();
    this.seen?.add(value ? id + 1 : id);
    return this.active === id ? true : this.active === id + 1 ? false : value;
  }

  /** The condition of a loop: never. */
  w(id: number, value: unknown): unknown {
    this.step();
    if (value) this.seen?.add(id);
    return this.active === id ? false : value;
  }

  b(id: number, operator: string, left: number, right: number): unknown {
    this.step();
    const others = INSTEAD[operator] ?? [];
    const value = compute(operator, left, right);
    if (this.seen !== undefined)
      for (const [i, other] of others.entries()) if (compute(other, left, right) !== value) this.seen.add(id + i);
    const other = this.active >= id ? others[this.active - id] : undefined;
    return other === undefined ? value : compute(other, left, right);
  }

  and(id: number, left: unknown, right: () => unknown): unknown {
    this.step();
    this.seen?.add(id);
    return this.active === id ? left || right() : left && right();
  }

  or(id: number, left: unknown, right: () => unknown): unknown {
    this.step();
    this.seen?.add(id);
    return this.active === id ? left && right() : left || right();
  }

  n(id: number, value: unknown): boolean {
    this.step();
    this.seen?.add(id);
    return this.active === id ? Boolean(value) : !value;
  }

  r(id: number, value: unknown): unknown {
    this.step();
    this.reached?.add(id);
    if (this.seen !== undefined && opposite(value) !== value) this.seen.add(id);
    return this.active === id ? opposite(value) : value;
  }

  /** Whether the statement stays. */
  s(id: number): boolean {
    this.step();
    this.seen?.add(id);
    return this.active !== id;
  }

  k(id: number, value: unknown): unknown {
    this.step();
    this.seen?.add(id);
    return this.active === id ? opposite(value) : value;
  }

  m(id: number, name: string, other: string): string {
    this.step();
    this.seen?.add(id);
    return this.active === id ? other : name;
  }
}

/** As a Map or WeakMap of a module, as far as modules use theirs. */
export class Cache {
  private map = new Map<unknown, unknown>();

  get(key: unknown): unknown {
    return this.map.get(key);
  }

  has(key: unknown): boolean {
    return this.map.has(key);
  }

  set(key: unknown, value: unknown): this {
    this.map.set(key, value);
    return this;
  }

  delete(key: unknown): boolean {
    return this.map.delete(key);
  }

  get size(): number {
    return this.map.size;
  }

  empty(): void {
    this.map = new Map();
  }
}

/** Operands are what the program has there: numbers, long numbers or texts. */
function compute(operator: string, left: number, right: number): unknown {
  switch (operator) {
    case "===":
      return left === right;
    case "!==":
      return left !== right;
    case "<":
      return left < right;
    case "<=":
      return left <= right;
    case ">":
      return left > right;
    case ">=":
      return left >= right;
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "&":
      return left & right;
    case "|":
      return left | right;
    default:
      throw new Error(`no operator ${operator}`);
  }
}

/** Another value of the kind; the value itself where there is none to be had. */
function opposite(value: unknown): unknown {
  if (typeof value === "boolean") return !value;
  if (typeof value === "number") return value + 1;
  if (typeof value === "bigint") return value + 1n;
  if (value === "yes") return "no";
  if (value === "no" || value === "maybe") return "yes";
  if (typeof value === "string") return "";
  if (Array.isArray(value)) return value.length === 0 ? value : [];
  if (value instanceof Map) return value.size === 0 ? value : new Map();
  if (value instanceof Set) return value.size === 0 ? value : new Set();
  return value;
}
