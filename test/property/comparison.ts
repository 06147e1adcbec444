/** Asks both evaluators and says where they differ. */
import type { Flow } from "./flows.ts";
import {
  type Input,
  openEngine,
  openReference,
  type Reply,
  type SideView,
  type View,
  type Witness,
} from "./witnesses.ts";

/** One place where the evaluators differ. */
export interface Difference {
  /** What differs: `refused`, `verdict`, `egress.reason`, … */
  readonly aspect: string;
  readonly engine: string;
  readonly reference: string;
}

export interface Mismatch {
  readonly input: Input;
  /** Absent where the evaluators differ before any question. */
  readonly flow?: Flow;
  readonly differences: readonly Difference[];
}

export interface Opened {
  readonly engine: Witness;
  readonly reference: Witness;
  readonly differences: readonly Difference[];
}

/** Opens both; they must refuse the same objects. */
export function openBoth(input: Input): Opened | { readonly differences: readonly Difference[] } {
  const engine = attempt(() => openEngine(input));
  const reference = attempt(() => openReference(input));
  if ("thrown" in engine || "thrown" in reference) {
    const text = (side: typeof engine | typeof reference): string => ("thrown" in side ? side.thrown : "opens");
    return { differences: [{ aspect: "open", engine: text(engine), reference: text(reference) }] };
  }
  return { engine, reference, differences: refusalDifferences(engine.refused, reference.refused) };
}

function refusalDifferences(engine: readonly string[], reference: readonly string[]): readonly Difference[] {
  return [
    ...engine.filter((name) => !reference.includes(name)).map((name) => [name, "refuses", "accepts"] as const),
    ...reference.filter((name) => !engine.includes(name)).map((name) => [name, "accepts", "refuses"] as const),
  ].map(([name, a, b]) => ({ aspect: `refused ${name}`, engine: a, reference: b }));
}

function attempt<T extends object>(run: () => T): T | { readonly thrown: string } {
  try {
    return run();
  } catch (error) {
    return { thrown: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

export interface Compared {
  /** The engine's answer, where there is one. */
  readonly view: View | undefined;
  readonly differences: readonly Difference[];
}

/** Asks both one question. */
export function compareFlow({ engine, reference }: Opened, flow: Flow): Compared {
  const a = attempt(() => engine.ask(flow));
  const b = attempt(() => reference.ask(flow));
  if ("thrown" in a || "thrown" in b) {
    const text = (reply: typeof a): string => ("thrown" in reply ? reply.thrown : "answers");
    return { view: undefined, differences: [{ aspect: "throws", engine: text(a), reference: text(b) }] };
  }
  return compareReplies(a, b);
}

function compareReplies(a: Reply, b: Reply): Compared {
  if ("problem" in a || "problem" in b) {
    const text = (reply: Reply): string => ("problem" in reply ? "no answer" : reply.verdict);
    const why = (reply: Reply): string => ("problem" in reply ? `no answer: ${reply.problem}` : reply.verdict);
    const same = text(a) === text(b) || isImpossible(a, b);
    return { view: undefined, differences: same ? [] : [{ aspect: "problem", engine: why(a), reference: why(b) }] };
  }
  const differences: Difference[] = [];
  const add = (aspect: string, engine: string, reference: string): void => {
    if (engine !== reference) differences.push({ aspect, engine, reference });
  };
  add("verdict", a.verdict, b.verdict);
  if (a.verdict === "allow") add("limited", String(a.limited), String(b.limited));
  if (a.verdict === "unsure" && b.verdict === "unsure" && !a.because.some((code) => b.because.includes(code)))
    add("because", a.because.join(" "), b.because.join(" "));
  if (!a.open && (a.verdict !== "unsure" || b.verdict !== "unsure"))
    for (const direction of ["egress", "ingress"] as const)
      compareSides(direction, a[direction], b[direction], a.several, add);
  return { view: a, differences };
}

/** The engine has no pair where the reference answers that nothing can pass. */
function isImpossible(a: Reply, b: Reply): boolean {
  if (!("problem" in a)) return false;
  // Asked in a family that an end does not have, the reference judges all the same.
  if (a.problem.includes("address family")) return true;
  return !("problem" in b) && (b.verdict === "deny" || b.verdict === "unsure");
}

function compareSides(
  direction: string,
  a: SideView,
  b: SideView,
  several: boolean,
  add: (aspect: string, engine: string, reference: string) => void,
): void {
  add(`${direction}.verdict`, a.verdict, b.verdict);
  if (a.verdict === "unsure" || b.verdict === "unsure") return;
  if (!several) add(`${direction}.reason`, a.reason, b.reason);
  if (several ? a.reason !== "mixed" : a.reason === b.reason)
    add(`${direction}.deciders`, a.deciders.join(" "), b.deciders.join(" "));
}

/** Every difference of a set of documents and flows, the first of each aspect. */
export function mismatches(input: Input, flows: readonly Flow[]): readonly Mismatch[] {
  const opened = openBoth(input);
  const found: Mismatch[] = [];
  if (opened.differences.length > 0) found.push({ input, differences: opened.differences });
  if (!("engine" in opened)) return found;
  for (const flow of flows) {
    const { differences } = compareFlow(opened, flow);
    if (differences.length > 0) found.push({ input, flow, differences });
  }
  return found;
}

/** Whether the documents still show a difference of one aspect. */
export function shows(input: Input, flow: Flow | undefined, aspect: string): boolean {
  return mismatches(input, flow === undefined ? [] : [flow]).some(({ differences }) =>
    differences.some((difference) => difference.aspect === aspect),
  );
}
