/** Asks both evaluators and says where they differ. */
import type { Flow, HttpRequest } from "./flows.ts";
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
  /** Whether every proxy that judges requests reads HTTP: of no other does the reference say so. */
  readonly readsHttp: boolean;
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
  const readsHttp = !/"(dns|serverNames)"/.test(JSON.stringify(input.documents));
  return { engine, reference, readsHttp, differences: refusalDifferences(engine.refused, reference.refused) };
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
export function compareFlow({ engine, reference, readsHttp }: Opened, flow: Flow): Compared {
  const a = attempt(() => engine.ask(flow));
  const b = attempt(() => reference.ask(flow));
  if ("thrown" in a || "thrown" in b) {
    const text = (reply: typeof a): string => ("thrown" in reply ? reply.thrown : "answers");
    return { view: undefined, differences: [{ aspect: "throws", engine: text(a), reference: text(b) }] };
  }
  const isConnection = readsHttp && flow.http === undefined && flow.tls === undefined;
  const compared = compareReplies(a, b, isConnection);
  // The reference says "limited" of every rule with a condition, the engine only where some request fails it.
  const isFine = (difference: Difference): boolean =>
    difference.aspect === "limited" && difference.engine === "false" && passesAnyRequest(reference, flow);
  return { ...compared, differences: compared.differences.filter((difference) => !isFine(difference)) };
}

const PROBES: readonly HttpRequest[] = [
  { method: "GET", path: "/", host: "a", headers: {} },
  { method: "post", path: "/a/b?c=/d", host: "api.example.com", headers: { "x-env": "prod" } },
  { method: "PUT", path: "/public/x", host: "www.example.com:8080", headers: { "x-id": "", "x-role": "a b" } },
  { method: "DELETE", path: "/api/v1/items", host: "", headers: {} },
];

function passesAnyRequest(reference: Witness, flow: Flow): boolean {
  return PROBES.every((http) => {
    const reply = reference.ask({ ...flow, http });
    return !("problem" in reply) && reply.verdict === "allow";
  });
}

function compareReplies(a: Reply, b: Reply, isConnection: boolean): Compared {
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
  // Of a request that is asked itself, whether others would pass is no part of the answer.
  if (a.verdict === "allow" && isConnection) add("limited", String(a.limited), String(b.limited));
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

/**
 * Whether the documents still show a difference of one aspect. One that the evaluators' different opinions of an object's
 * validity would explain is another difference.
 */
export function shows(input: Input, flow: Flow | undefined, aspect: string): boolean {
  const found = mismatches(input, flow === undefined ? [] : [flow]).flatMap(({ differences }) => differences);
  const isOther = !aspect.startsWith("refused") && found.some((one) => one.aspect.startsWith("refused"));
  return !isOther && found.some((one) => one.aspect === aspect);
}
