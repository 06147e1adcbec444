/** Takes the rules away that an answer names: then the answer must be another. */
import type { Fields } from "./arbitraries.ts";
import { compareFlow, type Difference, openBoth } from "./comparison.ts";
import type { Flow } from "./flows.ts";
import type { Input, SideView, View } from "./witnesses.ts";

const NOBODY = { matchLabels: { "bulkhead.test/nobody": "nobody" } };

function isMapping(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A rule of the same kind that matches nobody, so that nothing else about its policy changes. */
function neutral(kind: unknown, rule: Fields, section: string): Fields {
  const side = section.startsWith("ingress") ? "from" : "to";
  switch (kind) {
    case "NetworkPolicy":
      return { [side]: [{ podSelector: NOBODY }] };
    case "CiliumNetworkPolicy":
    case "CiliumClusterwideNetworkPolicy": {
      const requires = rule[`${side}Requires`];
      return { [`${side}Endpoints`]: [], ...(requires === undefined ? {} : { [`${side}Requires`]: requires }) };
    }
    default:
      return { action: rule["action"], [side]: [{ pods: { namespaceSelector: {}, podSelector: NOBODY } }] };
  }
}

/** The documents without one rule; `undefined` where the decider names none. */
function without(documents: readonly Fields[], decider: string): readonly Fields[] | undefined {
  const match = /^([A-Za-z]+)\/(.*)#([A-Za-z]+)\[(\d+)\]$/.exec(decider);
  if (match === null) return undefined;
  const [, kind, path = "", section = "", text] = match;
  const [name, namespace] = path.split("/").reverse();
  const at = documents.findIndex(
    (document) =>
      document["kind"] === kind &&
      isMapping(document["metadata"]) &&
      document["metadata"]["name"] === name &&
      document["metadata"]["namespace"] === namespace,
  );
  const document = documents[at];
  if (document === undefined) return undefined;
  let index = Number(text);
  let found = false;
  const changed = (spec: unknown): unknown => {
    const rules = isMapping(spec) ? spec[section] : undefined;
    if (found || !isMapping(spec) || !Array.isArray(rules)) return spec;
    const rule: unknown = rules[index];
    if (rule === undefined) {
      index -= rules.length;
      return spec;
    }
    found = true;
    return { ...spec, [section]: rules.with(index, neutral(kind, isMapping(rule) ? rule : {}, section)) };
  };
  const { specs } = document;
  const spec = changed(document["spec"]);
  const next = Array.isArray(specs) ? { ...document, spec, specs: specs.map(changed) } : { ...document, spec };
  return found ? documents.with(at, next) : undefined;
}

const ORDERED = /^(ClusterNetworkPolicy|AdminNetworkPolicy|BaselineAdminNetworkPolicy)\//;

/** What an answer says of a side: verdict, reason and which sections decided. */
function saying({ verdict, reason, deciders }: SideView): string {
  const sections = new Set(deciders.map((decider) => decider.replace(/^.*#([A-Za-z]*).*$/, "$1")));
  return `${verdict} ${reason} ${[...sections].sort().join()}`;
}

/**
 * Takes away every rule that one side names.
 *
 * Takes the input, the flow and its answer. Returns what is wrong: the evaluators differ afterwards, or the side still says
 * the same. In an ordered tier a rule behind the named one may say the same; then it must be named now.
 */
export function removalProblems(input: Input, flow: Flow, view: View): readonly Difference[] {
  const problems: Difference[] = [];
  for (const direction of ["egress", "ingress"] as const) {
    const before = view[direction];
    if (view.several || before.reason !== "rule" || before.verdict === "unsure" || before.deciders.length === 0)
      continue;
    const documents = before.deciders.reduce<readonly Fields[] | undefined>(
      (left, decider) => (left === undefined ? undefined : without(left, decider)),
      input.documents,
    );
    if (documents === undefined) {
      problems.push({ aspect: `${direction}.removal`, engine: before.deciders.join(" "), reference: "no such rule" });
      continue;
    }
    const opened = openBoth({ ...input, documents });
    problems.push(...opened.differences);
    if (!("engine" in opened)) continue;
    const { view: after, differences } = compareFlow(opened, flow);
    problems.push(...differences.map((difference) => ({ ...difference, aspect: `removal ${difference.aspect}` })));
    if (after === undefined) continue;
    const ordered = before.deciders.some((decider) => ORDERED.test(decider));
    const same = ordered
      ? after[direction].deciders.some((decider) => before.deciders.includes(decider))
      : saying(after[direction]) === saying(before);
    if (same)
      problems.push({ aspect: `${direction}.removal`, engine: saying(after[direction]), reference: "another answer" });
  }
  return problems;
}
