/** Cases about a VPC: one network told as a plan, a template and describe answers; the rows run with each telling. */

import { type Diagnostic, diagnostic, hasErrors } from "../base/diagnostic.ts";
import type { Source } from "../documents/document.ts";
import { type VpcAnswer, VpcEngine, type VpcQuestion } from "../vpc/engine.ts";
import { awsForm, type AwsForm, readNetwork } from "../vpc/read/input.ts";
import { type RowResult, unanswered } from "./check.ts";
import type { CaseFiles } from "./case-files.ts";
import type { Assertion, Expectation } from "./expectation.ts";

/** The files beside an expectation file that tell its network. */
const DEFAULT_TELLINGS = ["plan.json", "template.json", "template.yaml", "template.yml", "describe.json"];

/** One telling of the network. */
export interface Telling {
  readonly name: string;
  readonly form: AwsForm;
  readonly sources: readonly Source[];
}

/** The tellings of a case; none where it is about a cluster. */
export function awsTellings(expectation: Expectation, files: CaseFiles): readonly Telling[] {
  const paths = expectation.manifests ?? DEFAULT_TELLINGS;
  const out: Telling[] = [];
  for (const path of paths) {
    const source = files.read(path);
    const sources = source === undefined ? (expectation.manifests === undefined ? [] : files.list(path)) : [source];
    const forms = sources.map(awsForm);
    const [form] = forms;
    if (form === undefined || forms.includes(undefined)) continue;
    out.push({ name: path, form, sources });
  }
  return out;
}

export interface AskedTellings {
  readonly results: readonly RowResult[];
  readonly diagnostics: readonly Diagnostic[];
  readonly isAsked: boolean;
}

/** Runs the rows with each telling, never merged. */
export function checkTellings(tellings: readonly Telling[], expectation: Expectation, file: string): AskedTellings {
  const results: RowResult[] = [];
  const diagnostics: Diagnostic[] = [];
  let isAsked = true;
  if (expectation.connectivity !== undefined || expectation.relation !== undefined || expectation.diff !== undefined) {
    const message = "a case about a VPC takes assertions, not connectivity, relation or diff";
    return { results, diagnostics: [diagnostic("BH202", message, { file })], isAsked: false };
  }
  for (const telling of tellings) {
    const { network, diagnostics: found } = readNetwork(telling.sources);
    diagnostics.push(...found);
    if (network === undefined || hasErrors(found)) {
      isAsked = false;
      continue;
    }
    const engine = new VpcEngine(network);
    const translate =
      telling.form === "describe" ? translator(expectation.ids ?? new Map()) : (text: string): string => text;
    for (const assertion of expectation.assertions) {
      const { problem, ...row } = checkAwsAssertion(engine, assertion, translate, telling.form);
      results.push(tellings.length > 1 ? { ...row, text: `${row.text} (${telling.name})` } : row);
      if (problem !== undefined) diagnostics.push(diagnostic("BH013", `${assertion.text}: ${problem}`, { file }));
    }
  }
  return { results, diagnostics, isAsked };
}

/** Puts ids in place of the addresses in a name or decider. */
function translator(ids: ReadonlyMap<string, string>): (text: string) => string {
  const addresses = [...ids.keys()].sort((a, b) => b.length - a.length);
  return (text) => {
    let out = "";
    let at = 0;
    while (at < text.length) {
      const isStart = at === 0 || /[#:/>]/.test(text.charAt(at - 1));
      const found = isStart
        ? addresses.find((a) => text.startsWith(a, at) && /^(?:[#/]|$)/.test(text.slice(at + a.length)))
        : undefined;
      if (found === undefined) {
        out += text.charAt(at);
        at++;
      } else {
        out += ids.get(found) ?? found;
        at += found.length;
      }
    }
    return out;
  };
}

/** The question of a row. */
export function questionOf(assertion: Assertion, translate: (text: string) => string): VpcQuestion {
  const { aws, application } = assertion;
  return {
    from: translate(assertion.from),
    to: translate(assertion.to),
    protocol: assertion.protocol,
    ...(assertion.port === undefined ? {} : { port: assertion.port }),
    ...(assertion.family === undefined ? {} : { family: assertion.family }),
    ...(aws?.via === undefined ? {} : { via: translate(aws.via) }),
    ...(aws?.reply === true ? { flow: "reply" as const } : {}),
    ...(aws?.clientPorts === undefined ? {} : { clientPorts: aws.clientPorts }),
    ...(application?.http === undefined ? {} : { http: application.http }),
  };
}

function checkAwsAssertion(
  engine: VpcEngine,
  assertion: Assertion,
  translate: (text: string) => string,
  form: AwsForm,
): RowResult & { readonly problem?: string } {
  const { aws } = assertion;
  let answer: VpcAnswer;
  try {
    answer = engine.why(questionOf(assertion, translate));
  } catch (error) {
    return unanswered(assertion, error);
  }
  const wanted = (form === "describe" ? aws?.decidedByDescribe : undefined) ?? assertion.decidedBy;
  const names = wanted.map(translate);
  // Answers of AWS may keep a rule's address only in its description.
  const isNamed = names.every(
    (want, i) =>
      answer.decidedBy.some((is) => namesSame(engine, want, is)) ||
      [want, wanted[i]].some((name) => name !== undefined && answer.aliases.includes(name)),
  );
  const also = aws?.alsoDeniedBy?.map(translate);
  const alsoHolds =
    also === undefined ||
    (also.length === answer.alsoDeniedBy.length &&
      also.every((want) => answer.alsoDeniedBy.some((is) => namesSame(engine, want, is))));
  const expected = [
    names.length === 0 ? assertion.verdict : `${assertion.verdict} by ${names.join(", ")}`,
    ...(also === undefined ? [] : [`also denied by ${also.join(", ")}`]),
  ];
  const passed = answer.verdict === assertion.verdict && isNamed && alsoHolds;
  const actual = [
    isNamed ? answer.verdict : `${answer.verdict} by ${answer.decidedBy.join(", ") || "nothing"}`,
    ...(alsoHolds ? [] : [`also denied by ${answer.alsoDeniedBy.join(", ") || "nothing else"}`]),
  ];
  return {
    text: assertion.text,
    expected: expected.join("; "),
    actual: actual.join("; "),
    passed,
    decidedBy: answer.decidedBy,
    why: whyText(answer),
  };
}

/**
 * Whether a file's decider is this one.
 *
 * A target that the telling has no object for says nothing beyond that there is none (`#no-target:`). A route whose
 * target is gone is missing in a plan and a blackhole in the answers of AWS.
 */
function namesSame(engine: VpcEngine, want: string, is: string): boolean {
  if (want === is) return true;
  const [lost, target] = want.split("#no-target:");
  if (target !== undefined && engine.inventory.owner(target) === undefined)
    return is.startsWith(`${lost ?? ""}#no-target:`);
  const table = /^(.*)#no-route$/.exec(want)?.[1];
  return table !== undefined && is.startsWith(`${table}#`) && is.endsWith("->blackhole");
}

function whyText(answer: VpcAnswer): string {
  if (answer.problem !== undefined) return answer.problem;
  const parts: string[] = [];
  if (answer.verdict === "mixed") {
    const ways = new Set(answer.ways.map((w) => `${w.from.name} → ${w.to.name} ${w.decision.verdict}`));
    parts.push([...ways].slice(0, 8).join("; "));
  }
  if (answer.because.length > 0) parts.push(answer.because.map((b) => `${b.code} (${b.detail})`).join(", "));
  if (answer.decidedBy.length > 0) parts.push(`decided by ${answer.decidedBy.join(", ")}`);
  return parts.join("; ");
}
