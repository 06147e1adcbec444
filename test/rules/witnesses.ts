/** Engine and reference over one case, asked in the same sentences. */
import {
  type Answer as ReferenceAnswer,
  type Dialect,
  Reference,
  UnknownEndpointError,
} from "../../reference/index.ts";
import type { Fields } from "../../reference/values.ts";
import { readDocuments, type ReadResult } from "../../src/documents/reader.ts";
import { type AddressSet, addressSetOf, parseAddress, parsePrefix } from "../../src/net/address.ts";
import { openDialect } from "../../src/policy/registry.ts";
import { type Answer, QuestionError } from "../../src/reach/answer.ts";
import { Engine, type EngineOptions } from "../../src/reach/engine.ts";
import { deciderText, decidersOf, matchesDecider } from "../../src/verify/check.ts";
import { isDecidedBy } from "../reference/conformance.ts";
import { flowOf, type Outcome, outcomeOf, questionOf } from "./row.ts";
import type { RuleCase } from "./rule-file.ts";

export interface Witness {
  readonly name: "engine" | "reference";
  /** `Kind/ns/name`, sorted. */
  readonly refused: readonly string[];
  /** Codes of what is said about the input; the reference says nothing. */
  readonly codes: readonly string[];
  /** The row as it is: the outcome itself where it is as expected, else what is there instead. */
  judge(sentence: string, outcome: string): string;
}

/** A text that equals `outcome` where everything of it holds. */
function verdictText(
  outcome: string,
  wanted: Outcome,
  actual: { readonly verdict: string; readonly limited: boolean },
  isDecider: (name: string) => boolean,
  deciders: () => string,
): string {
  const isLimited = wanted.limited ? actual.limited : true;
  const missing = wanted.deciders.filter((name) => !isDecider(name));
  if (actual.verdict === wanted.verdict && isLimited && missing.length === 0) return outcome;
  return `${actual.verdict}${actual.limited ? " limited" : ""} by ${deciders()}`;
}

const known = new WeakMap<Fields, ReadResult>();

/** The objects of a world are read once for all its cases. */
function readOnce(value: Fields): ReadResult {
  let result = known.get(value);
  if (result === undefined) {
    result = readDocuments([{ name: `${String(value["kind"])}.json`, text: JSON.stringify(value) }]);
    known.set(value, result);
  }
  return result;
}

/** The engine over the objects of a case, without its questions. */
export function openEngineOf(item: RuleCase, dialectName: Dialect): Engine {
  const dialect = openDialect(dialectName);
  if (dialect === undefined) throw new Error(`no dialect ${dialectName}`);
  const documents = item.documents.flatMap((value) => readOnce(value).documents);
  return Engine.open(documents, { dialect, asCluster: true, world: worldOptions(item), ...namesOption(item) });
}

export function engineOf(item: RuleCase, dialectName: Dialect): Witness {
  const read = item.documents.map(readOnce);
  const engine = openEngineOf(item, dialectName);
  return {
    name: "engine",
    refused: [...engine.refused].sort(),
    codes: [...read.flatMap(({ diagnostics }) => diagnostics), ...engine.diagnostics].map(({ code }) => code),
    judge: (sentence, outcome) => engineText(engine, sentence, outcome),
  };
}

function engineText(engine: Engine, sentence: string, outcome: string): string {
  let answer: Answer;
  try {
    answer = engine.why(questionOf(sentence));
  } catch (error) {
    if (error instanceof QuestionError) return `problem: ${error.message}`;
    throw error;
  }
  const deciders = decidersOf(answer);
  const because = answer.because.map(({ code, detail }) => `${code} ${detail}`);
  return verdictText(
    outcome,
    outcomeOf(outcome),
    { verdict: answer.verdict, limited: answer.applicationLimited },
    (name) => deciders.some((decider) => matchesDecider(name, decider)),
    () =>
      [...deciders.map(deciderText), ...because, ...(answer.problem === undefined ? [] : [answer.problem])].join(", "),
  );
}

function worldOptions({ ranges }: RuleCase): NonNullable<EngineOptions["world"]> {
  const set = (texts: readonly string[]): AddressSet =>
    addressSetOf(texts.map(parsePrefix).filter((prefix) => prefix !== undefined));
  return {
    ...(ranges.pods.length === 0 ? {} : { podCIDRs: set(ranges.pods) }),
    ...(ranges.nodes.length === 0 ? {} : { nodeCIDRs: set(ranges.nodes) }),
    ...(ranges.services.length === 0 ? {} : { serviceCIDRs: set(ranges.services) }),
  };
}

function namesOption({ names }: RuleCase): Pick<EngineOptions, "names"> {
  if (names === undefined) return {};
  const resolved = Object.entries(names).map(
    ([name, texts]) =>
      [
        `${name.toLowerCase().replace(/\.$/, "")}.`,
        texts.map(parseAddress).filter((address) => address !== undefined),
      ] as const,
  );
  return { names: new Map(resolved) };
}

export function referenceOf(item: RuleCase, dialect: Dialect): Witness {
  const { ranges, names } = item;
  const documents: unknown[] = item.documents.map((value): unknown => JSON.parse(JSON.stringify(value)));
  const reference = new Reference(documents, {
    dialect,
    asCluster: true,
    podCIDRs: ranges.pods,
    nodeCIDRs: ranges.nodes,
    serviceCIDRs: ranges.services,
    ...(names === undefined ? {} : { names }),
  });
  return {
    name: "reference",
    refused: [...reference.refused].sort(),
    codes: [],
    judge: (sentence, outcome) => referenceText(reference, sentence, outcome),
  };
}

function referenceText(reference: Reference, sentence: string, outcome: string): string {
  let answer: ReferenceAnswer;
  try {
    answer = reference.ask(flowOf(sentence));
  } catch (error) {
    if (error instanceof UnknownEndpointError) return `problem: ${error.message}`;
    throw error;
  }
  const { egress, ingress, because = [] } = answer;
  return verdictText(
    outcome,
    outcomeOf(outcome),
    { verdict: answer.verdict, limited: answer.httpLimited === true },
    (name) => isDecidedBy(answer, name),
    () =>
      [
        ...[egress, ingress].flatMap((side) => [
          side.reason,
          ...side.deciders.map((d) => `${d.kind}/${d.namespace}/${d.name}#${d.section}[${d.index}]`),
        ]),
        ...because.map(({ code, detail }) => `${code} ${detail}`),
      ].join(", "),
  );
}
