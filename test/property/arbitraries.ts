/** Small builders over fast-check, from which the generators of objects are put together. */
import fc from "fast-check";

export type Fields = Readonly<Record<string, unknown>>;

/** One of several by weight. */
export function weighted<T>(
  ...choices: readonly (readonly [weight: number, arbitrary: fc.Arbitrary<T>])[]
): fc.Arbitrary<T> {
  return fc.oneof(...choices.map(([weight, arbitrary]) => ({ weight, arbitrary })));
}

/** True once in `times`. */
export function rarely(times: number): fc.Arbitrary<boolean> {
  return fc.nat({ max: times - 1 }).map((n) => n === 0);
}

/** Absent (`undefined`) except `percent` times in a hundred. */
export function sometimes<T>(percent: number, arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return weighted<T | undefined>([percent, arbitrary], [100 - percent, fc.constant(undefined)]);
}

/** A mapping; fields whose value is `undefined` are left out. */
export function fields(parts: Readonly<Record<string, fc.Arbitrary<unknown>>>): fc.Arbitrary<Fields> {
  const keys = Object.keys(parts);
  return fc.tuple(...Object.values(parts)).map((values) => withoutAbsent(keys.map((key, i) => [key, values[i]])));
}

export function withoutAbsent(entries: Iterable<readonly [string, unknown]>): Fields {
  return Object.fromEntries([...entries].filter(([, value]) => value !== undefined));
}

/** Some of the entries, each with a value of its own. */
export function someOf(
  entries: readonly (readonly [key: string, values: readonly string[]])[],
  maxLength: number,
  minLength = 0,
): fc.Arbitrary<Readonly<Record<string, string>>> {
  const entry = fc
    .constantFrom(...entries)
    .chain(([key, values]) => fc.constantFrom(...values).map((value) => [key, value] as const));
  return fc.array(entry, { minLength, maxLength }).map((list) => Object.fromEntries(list));
}

export function list<T>(arbitrary: fc.Arbitrary<T>, minLength: number, maxLength: number): fc.Arbitrary<readonly T[]> {
  return fc.array(arbitrary, { minLength, maxLength });
}

/** Mostly one, seldom many. */
export function few<T>(arbitrary: fc.Arbitrary<T>, maxLength = 3): fc.Arbitrary<readonly T[]> {
  return weighted<readonly T[]>(
    [6, list(arbitrary, 1, 1)],
    [3, list(arbitrary, 2, Math.max(2, maxLength - 1))],
    [1, list(arbitrary, 0, maxLength)],
  );
}
