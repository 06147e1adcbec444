/** Makes a mismatch small: leaves out whatever it does not need, and writes the rest as YAML. */
import { Document, isCollection } from "yaml";
import type { Fields } from "./arbitraries.ts";
import { type Mismatch, mismatches, shows } from "./comparison.ts";
import type { Flow } from "./flows.ts";
import type { Input } from "./witnesses.ts";

const MAX_TRIES = 4000;
/** Without their spec these are no valid objects. */
const NEEDS_SPEC = new Set(["Pod", "Service", "StatefulSet", "Deployment"]);

/**
 * Shrinks a mismatch.
 *
 * Takes one mismatch. Returns a smaller one that differs in the same first aspect: documents, items and fields are left
 * out one by one until none can be spared. What remains is what the difference is about.
 */
export function shrink(mismatch: Mismatch): Mismatch {
  const aspect = mismatch.differences[0]?.aspect ?? "";
  let input = mismatch.input;
  let flow = mismatch.flow;
  let tries = 0;
  const still = (candidate: Input, asked: Flow | undefined): boolean => {
    tries += 1;
    return shows(candidate, asked, aspect);
  };
  for (let progress = true; progress && tries < MAX_TRIES; ) {
    progress = false;
    for (const documents of smaller(input.documents)) {
      if (tries >= MAX_TRIES) break;
      const candidate = { ...input, documents };
      if (!still(candidate, flow)) continue;
      input = candidate;
      progress = true;
      break;
    }
    for (const asked of simplerFlows(flow)) {
      if (!still(input, asked)) continue;
      flow = asked;
      progress = true;
      break;
    }
  }
  const left = mismatches(input, flow === undefined ? [] : [flow]);
  return left.find(({ differences }) => differences.some((one) => one.aspect === aspect)) ?? mismatch;
}

function isMapping(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const KEPT = new Set(["apiVersion", "kind", "metadata", "name", "namespace"]);

/** Every list of documents with something left out, the largest parts first. */
function* smaller(documents: readonly Fields[]): Generator<readonly Fields[]> {
  for (let i = 0; i < documents.length; i++) yield documents.toSpliced(i, 1);
  for (const [i, document] of documents.entries())
    for (const value of without(document))
      if (isMapping(value) && (value["spec"] !== undefined || !NEEDS_SPEC.has(String(value["kind"]))))
        yield documents.with(i, value);
}

/** A value with one of its parts left out, at any depth, outer ones first. */
function* without(value: unknown): Generator<unknown> {
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) yield value.toSpliced(i, 1);
    for (const [i, item] of value.entries()) for (const part of without(item)) yield value.with(i, part);
  } else if (isMapping(value)) {
    for (const key of Object.keys(value)) {
      if (KEPT.has(key)) continue;
      const { [key]: _, ...rest } = value;
      yield rest;
    }
    for (const [key, item] of Object.entries(value)) for (const part of without(item)) yield { ...value, [key]: part };
  }
}

function* simplerFlows(flow: Flow | undefined): Generator<Flow> {
  if (flow === undefined) return;
  const { http, family, ...rest } = flow;
  if (http !== undefined) {
    const keep = family === undefined ? rest : { ...rest, family };
    yield keep;
    const { host: _, ...noHost } = http;
    if (http.host !== undefined) yield { ...keep, http: noHost };
    if (Object.keys(http.headers).length > 0) yield { ...keep, http: { ...http, headers: {} } };
    if (http.path !== "/") yield { ...keep, http: { ...http, path: "/" } };
  }
}

/** The mismatch as a case of `regressions/`, with what each evaluator says as comments. */
export function mismatchText({ input, flow, differences }: Mismatch): string {
  const said = differences.map(
    ({ aspect, engine, reference }) => `# ${aspect}: engine ${engine || "(none)"}, reference ${reference || "(none)"}`,
  );
  const lines = [
    ...said,
    `dialect: ${input.dialect}`,
    ...(input.names === undefined ? [] : [`names: ${flowText(input.names)}`]),
    "documents:",
    ...input.documents.map((document) => `  - ${flowText(document).replaceAll("\n", "\n    ")}`),
    ...(flow === undefined ? [] : ["flows:", `  - ${flowText(flow)}`]),
  ];
  return lines.join("\n");
}

function flowText(value: unknown): string {
  const document = new Document(value, { aliasDuplicateObjects: false });
  const { contents } = document;
  if (isCollection(contents)) contents.flow = true;
  return document.toString({ lineWidth: 0, flowCollectionPadding: false }).trim();
}
