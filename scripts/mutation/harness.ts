/** Stands for the test runner where cases run beside mutants, in one process: collects the cases of the test files. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { format } from "node:util";
import { chai, JestAsymmetricMatchers, JestChaiExpect, JestExtend } from "@vitest/expect";

export interface Case {
  /** Names of the groups round it, and its own. */
  readonly title: string;
  readonly run: () => unknown;
}

export const cases: Case[] = [];

chai.use(JestExtend);
chai.use(JestChaiExpect);
chai.use(JestAsymmetricMatchers);
chai.use(({ Assertion }, { flag }) => {
  // As the runner does where the files are there: paths are those of the one test file that has such.
  Assertion.addMethod("toMatchFileSnapshot", function (this: object, path: string) {
    chai.expect(flag(this, "object")).equal(readFileSync(resolve("test/report", path), "utf8"));
  });
});

/** `expect` with its matchers by pattern, as `expect.arrayContaining`, which the library puts on its own. */
export const expect = new Proxy((value: unknown, message?: string) => chai.expect(value, message), {
  get: (_, name): unknown => Reflect.get(chai.expect, name),
});

const groups: string[] = [];

type Row = (...row: readonly unknown[]) => unknown;

function add(name: string, run: () => unknown): void {
  cases.push({ title: [...groups, name].join(" > "), run });
}

function rowsOf(rows: readonly unknown[]): readonly (readonly unknown[])[] {
  return rows.map((row): readonly unknown[] => (Array.isArray(row) ? row : [row]));
}

/** A title with the values of its row, as the runner writes it; only its numbers of rules are read. */
function titleOf(name: string, row: readonly unknown[]): string {
  const holes = name.match(/%[sdifjo]/g)?.length ?? 0;
  return format(name, ...row.slice(0, holes));
}

const skip = (): void => undefined;
const each =
  (rows: readonly unknown[]) =>
  (name: string, run: Row): void => {
    for (const row of rowsOf(rows)) add(titleOf(name, row), () => run(...row));
  };

export const test = Object.assign(add, { each, skip, skipIf: (is: boolean) => (is ? skip : add) });
export const it = test;

function group(name: string, run: () => void): void {
  groups.push(name);
  run();
  groups.pop();
}

export const describe = Object.assign(group, {
  each:
    (rows: readonly unknown[]) =>
    (name: string, run: (...row: readonly unknown[]) => void): void => {
      for (const row of rowsOf(rows)) group(titleOf(name, row), () => run(...row));
    },
  skip,
});

export const afterAll = skip;
export const beforeAll = skip;
