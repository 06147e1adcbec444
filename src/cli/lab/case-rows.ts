/** The rows of a case as questions that packets can ask. */
import type { FlowSet } from "../../net/flow-set.ts";
import { portDomain, type Protocol } from "../../net/protocol.ts";
import type { Question } from "../../reach/answer.ts";
import type { Engine } from "../../reach/engine.ts";
import { listFlows } from "../../reach/flow-list.ts";
import type { CaseResult } from "../../verify/case.ts";
import type { Assertion } from "../../verify/expectation.ts";
import type { Row } from "./packet-witness.ts";

/** Ports of one row of a list, and pairs of a list that are not in it: more say nothing new. */
const MAX_POINTS = 12;
const MAX_UNLISTED = 400;
const PROTOCOLS = ["TCP", "UDP", "SCTP"] as const;

/** Every row with its questions; a complete list has one row more, for the pairs that are not in it. */
export function rowsOf(engine: Engine, { results, expectation }: CaseResult): Row[] {
  const asked = new Map<string, Question[][]>();
  const put = (text: string, questions: Question[]): void => {
    const known = asked.get(text);
    if (known === undefined) asked.set(text, [questions]);
    else known.push(questions);
  };
  for (const assertion of expectation?.assertions ?? []) put(assertion.text, [questionOf(assertion)]);
  const list = expectation?.connectivity;
  for (const { text, from, to, connections } of list ?? []) {
    put(
      text,
      edgesOf(connections).map((point) => ({ from, to, ...point })),
    );
  }
  const rows = results.map((result): Row => ({ result, questions: asked.get(result.text)?.shift() ?? [] }));
  if (list === undefined) return rows;
  const listed = new Set(list.map(({ from, to }) => `${from} ${to}`));
  const names = engine.inventory.groups.map(({ name }) => name);
  const unlisted = names.flatMap((from) =>
    names.filter((to) => to !== from && !listed.has(`${from} ${to}`)).map((to) => ({ from, to })),
  );
  const result = {
    text: "pairs beside the list",
    expected: "as listed",
    actual: "as listed",
    passed: true,
    decidedBy: [],
    why: "",
  };
  const questions = unlisted.slice(0, MAX_UNLISTED).map((pair): Question => ({ ...pair, protocol: "TCP", port: 80 }));
  return questions.length === 0 ? rows : [...rows, { result, questions }];
}

function questionOf({ from, to, protocol, port, family, application }: Assertion): Question {
  return {
    from,
    to,
    protocol,
    ...(port === undefined ? {} : { port }),
    ...(family === undefined ? {} : { family }),
    ...(application === undefined ? {} : { application }),
  };
}

/** Ports just within and just outside of what is listed. */
function edgesOf(set: FlowSet): readonly { readonly protocol: Protocol; readonly port: number }[] {
  const found = new Map<string, { readonly protocol: Protocol; readonly port: number }>();
  const add = (protocol: Protocol, port: number): void => {
    const { first, last } = portDomain(protocol);
    if (port >= first && port <= last && found.size < MAX_POINTS) found.set(`${port}/${protocol}`, { protocol, port });
  };
  for (const { protocol, ranges } of listFlows(set, ["IPv4"])) {
    if (protocol === "any" || protocol === "other") continue;
    for (const { first, last } of ranges) for (const port of [first, last, first - 1, last + 1]) add(protocol, port);
  }
  for (const protocol of PROTOCOLS) add(protocol, 80);
  return [...found.values()];
}
