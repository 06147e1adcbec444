/** The tool that mutates policy and reach: that it finds what a case catches, and what none does (docs/decisions/mutation-testing.md). */
import { describe, expect, test } from "vitest";
import { instrument, type Mutant } from "../../scripts/mutation/instrument.ts";
import { Endless, Runtime } from "../../scripts/mutation/runtime.ts";

type Passes = (port: number, closed: boolean) => unknown;

/** The body of a function as a module holds it, with its mutants, and the switch. */
function planted(body: string): {
  readonly mutants: readonly Mutant[];
  readonly run: Passes;
  readonly runtime: Runtime;
} {
  const head = "function passes(port, closed) {\n";
  const { text, mutants } = instrument("planted.ts", `${head}${body}\n}`, 1);
  const runtime = new Runtime();
  const made: unknown = Reflect.construct(Function, ["$mutant", "port", "closed", text.slice(head.length, -1)]);
  if (typeof made !== "function") throw new Error("no function");
  return { mutants, runtime, run: (port, closed) => Reflect.apply(made, undefined, [runtime, port, closed]) };
}

const CASES: readonly (readonly [port: number, closed: boolean])[] = [
  [79, true],
  [80, true],
  [90, true],
  [91, true],
  [91, false],
];

/** The changes under which some case has another outcome, or does not end. */
function caught(body: string, cases: typeof CASES = CASES): { readonly caught: string[]; readonly survived: string[] } {
  const { mutants, run, runtime } = planted(body);
  const outcome = (active: number, [port, closed]: (typeof CASES)[number]): unknown => {
    runtime.begin(active, 1000);
    try {
      return run(port, closed);
    } catch (error) {
      if (error instanceof Endless) return "no end";
      throw error;
    }
  };
  const is = ({ id }: Mutant): boolean => cases.some((one) => outcome(id, one) !== outcome(0, one));
  return {
    caught: mutants.filter(is).map(({ change }) => change),
    survived: mutants.filter((mutant) => !is(mutant)).map(({ change }) => change),
  };
}

describe("mutants", () => {
  const BODY = "  if (!closed) return true;\n  return port >= 80 && port <= 90;";

  test("a change at an edge is caught by the case at that edge", () => {
    expect(caught(BODY).survived).toEqual([]);
    expect(caught(BODY).caught).toContain("port >= 80 → >");
  });

  test("… and survives without it", () => {
    const away = CASES.filter(([port]) => port !== 80);
    expect(caught(BODY, away).survived).toContain("port >= 80 → >");
  });

  test("nothing is another without a mutant", () => {
    const { run, runtime } = planted(BODY);
    runtime.begin(0, Number.POSITIVE_INFINITY);
    expect(CASES.map(([port, closed]) => run(port, closed))).toEqual([false, true, true, false, true]);
  });

  test("a mutant names its line", () => {
    const { mutants } = planted(BODY);
    expect(mutants.map(({ line, change }) => `${line} ${change}`)).toContain("3 port <= 90 → <");
  });

  test("a statement before else is left out alone", () => {
    const body = "  const out = [];\n  if (closed) out.push(1);\n  else out.push(2);\n  return out.join();";
    expect(caught(body).caught).toContain("out.push(2); → left out");
    expect(
      caught("  if (closed) return [1].some((n) => n > 0);\n  else return [].some((n) => n > 0);").caught,
    ).toContain("some → every");
  });

  test("a loop that does not end is caught", () => {
    expect(caught("  let left = 3;\n  while (left > 0) left -= 1;\n  return left;").caught).toContain("left > 0 → <=");
  });

  test("what a case does not change is not met by it", () => {
    const { run, runtime, mutants } = planted(BODY);
    runtime.seen = new Set();
    runtime.begin(0, Number.POSITIVE_INFINITY);
    run(85, true);
    const seen = mutants.filter(({ id }) => runtime.seen?.has(id)).map(({ change }) => change);
    expect(seen).not.toContain("port >= 80 → >");
    expect(seen).toContain("port >= 80 → <");
  });
});
