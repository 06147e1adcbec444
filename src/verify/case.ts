/** A case: an expectation file with the manifests it names, run from text to results. */

import { type Diagnostic, diagnostic, hasErrors } from "../base/diagnostic.ts";
import { readConfiguration } from "../documents/configuration.ts";
import { Cursor, Findings } from "../documents/cursor.ts";
import type { Source } from "../documents/document.ts";
import { readDocuments } from "../documents/reader.ts";
import type { WorldOptions } from "../model/build.ts";
import type { Address } from "../net/address.ts";
import { chooseDialect } from "../policy/registry.ts";
import { Engine } from "../reach/engine.ts";
import { awsTellings, checkTellings } from "./aws-case.ts";
import type { CaseFiles } from "./case-files.ts";
import { checkAssertion, type RowResult } from "./check.ts";
import { checkConnectivity } from "./connectivity.ts";
import { decodeExpectation, type Expectation } from "./expectation.ts";
import { checkDiff, checkRelation } from "./relation.ts";

export interface CaseOptions {
  /** What `--dialect` says; the file's own word beats it. */
  readonly dialect?: string;
  readonly asCluster?: boolean;
  readonly world?: WorldOptions;
  readonly names?: ReadonlyMap<string, readonly Address[]>;
}

export interface CaseResult {
  readonly file: string;
  readonly results: readonly RowResult[];
  /** Errors mean that the case could not be run. */
  readonly diagnostics: readonly Diagnostic[];
  readonly failed: boolean;
  /** The engine over the case's manifests, for a second witness; absent where the case could not be run. */
  readonly engine?: Engine;
  readonly expectation?: Expectation;
  /** Of a case about a VPC, which has no such engine: whether it was asked. */
  readonly isAsked?: boolean;
}

/** Manifests beside an expectation file that names none. */
const DEFAULT_MANIFESTS = ["manifests.yaml", "policies.yaml", "workloads.yaml"];

/** Runs a case. Never throws on what its files hold. */
export function runCase(file: Source, files: CaseFiles, options: CaseOptions = {}): CaseResult {
  const diagnostics: Diagnostic[] = [];
  const fail = (): CaseResult => ({ file: file.name, results: [], diagnostics, failed: true });
  const configuration = readConfiguration(file, "expectation");
  diagnostics.push(...configuration.diagnostics);
  if (configuration.document === undefined) return fail();
  const findings = new Findings();
  const root = Cursor.of(configuration.document, findings);
  const expectation = decodeExpectation(root);
  diagnostics.push(...findings.all);
  if (expectation === undefined) return fail();
  const tellings = awsTellings(expectation, files);
  if (tellings.length > 0) {
    const asked = checkTellings(tellings, expectation, file.name);
    diagnostics.push(...asked.diagnostics);
    const failed = hasErrors(diagnostics) || asked.results.some((r) => !r.passed);
    return { file: file.name, results: asked.results, diagnostics, failed, expectation, isAsked: asked.isAsked };
  }
  const refused = readRefused(files, diagnostics);
  const asCluster = options.asCluster === true || refused !== undefined;

  const open = (sources: readonly Source[]): Engine | undefined => {
    const engine = openEngine(sources, expectation, options, asCluster, diagnostics);
    return engine;
  };
  const named = manifestSources(expectation, files, file.name, diagnostics);
  if (named === undefined) return fail();
  const results: RowResult[] = [];
  let engine: Engine | undefined;
  if (expectation.relation !== undefined) {
    const { relation } = expectation;
    const common = expectation.manifests === undefined ? present(files, ["manifests.yaml"]) : named;
    const a = files.read(relation.a);
    const b = relation.b === undefined ? undefined : files.read(relation.b);
    for (const [path, source] of [
      [relation.a, a],
      [relation.b, b],
    ] as const) {
      if (path === undefined || source !== undefined) continue;
      diagnostics.push(diagnostic("BH020", `${path}, named by the relation, does not exist`, { file: file.name }));
      return fail();
    }
    const first = open([...common, ...(a === undefined ? [] : [a])]);
    const second = open([...common, ...(b === undefined ? [] : [b])]);
    if (first === undefined || second === undefined) return fail();
    engine = first;
    results.push(checkRelation(relation, first, second));
  }
  if (expectation.diff !== undefined) {
    const before = open([...named, ...files.list("a")]);
    const after = open([...named, ...files.list("b")]);
    if (before === undefined || after === undefined) return fail();
    engine = after;
    results.push(...checkDiff(expectation.diff, before, after));
  }
  if (expectation.assertions.length > 0 || expectation.connectivity !== undefined) {
    engine = open(named);
    if (engine === undefined) return fail();
    results.push(...checkRows(engine, expectation, file.name, diagnostics));
    if (refused !== undefined) results.push(...checkRefused(engine, refused));
  }
  const failed =
    hasErrors(diagnostics.filter((d) => !asCluster || d.file === file.name)) || results.some((r) => !r.passed);
  return {
    file: file.name,
    results,
    diagnostics,
    failed,
    expectation,
    ...(engine === undefined ? {} : { engine }),
  };
}

/** Runs the assertions and the list of connections of a file over what an engine holds already, instead of its manifests. */
export function runCaseOn(file: Source, engine: Engine): CaseResult {
  const { document, diagnostics: found } = readConfiguration(file, "expectation");
  const diagnostics = [...found];
  const findings = new Findings();
  const expectation = document === undefined ? undefined : decodeExpectation(Cursor.of(document, findings));
  diagnostics.push(...findings.all);
  if (expectation === undefined) return { file: file.name, results: [], diagnostics, failed: true };
  if (expectation.relation !== undefined || expectation.diff !== undefined) {
    const message = "relations and differences compare manifests, and a running lab has but one state";
    diagnostics.push(diagnostic("BH013", message, { file: file.name }));
  }
  const results = checkRows(engine, expectation, file.name, diagnostics);
  const failed = hasErrors(diagnostics) || results.some((row) => !row.passed);
  return { file: file.name, results, diagnostics, failed, expectation, engine };
}

function checkRows(engine: Engine, expectation: Expectation, file: string, diagnostics: Diagnostic[]): RowResult[] {
  const results: RowResult[] = [];
  for (const assertion of expectation.assertions) {
    const { problem, ...row } = checkAssertion(engine, assertion);
    results.push(row);
    if (problem !== undefined) diagnostics.push(diagnostic("BH013", `${assertion.text}: ${problem}`, { file }));
  }
  if (expectation.connectivity === undefined) return results;
  const list = checkConnectivity(engine, expectation.connectivity);
  for (const problem of list.problems) diagnostics.push(diagnostic("BH013", problem, { file }));
  return [...results, ...list.results];
}

function openEngine(
  sources: readonly Source[],
  expectation: Expectation,
  options: CaseOptions,
  asCluster: boolean,
  diagnostics: Diagnostic[],
): Engine | undefined {
  const read = readDocuments(sources);
  diagnostics.push(...read.diagnostics);
  const choice = chooseDialect(read.documents, expectation.dialect ?? options.dialect);
  if (choice.dialect === undefined) {
    diagnostics.push(...choice.diagnostics);
    return undefined;
  }
  const engine = Engine.open(read.documents, {
    dialect: choice.dialect,
    asCluster,
    ...(options.world === undefined ? {} : { world: options.world }),
    ...(options.names === undefined ? {} : { names: options.names }),
  });
  diagnostics.push(...engine.diagnostics);
  if (!asCluster && (hasErrors(read.diagnostics) || hasErrors(engine.diagnostics))) return undefined;
  return engine;
}

function present(files: CaseFiles, paths: readonly string[]): Source[] {
  return paths.flatMap((path) => files.read(path) ?? []);
}

function manifestSources(
  expectation: Expectation,
  files: CaseFiles,
  file: string,
  diagnostics: Diagnostic[],
): readonly Source[] | undefined {
  if (expectation.manifests === undefined) return present(files, DEFAULT_MANIFESTS);
  const out: Source[] = [];
  for (const path of expectation.manifests) {
    const source = files.read(path);
    const listed = source === undefined ? files.list(path) : [source];
    if (listed.length === 0) {
      diagnostics.push(diagnostic("BH020", `${path}, named as manifests, does not exist`, { file }));
      return undefined;
    }
    out.push(...listed);
  }
  return out;
}

/** The objects that `refused.yaml` beside the case lists; undefined where there is no such file. */
function readRefused(files: CaseFiles, diagnostics: Diagnostic[]): readonly string[] | undefined {
  const source = files.read("refused.yaml");
  if (source === undefined) return undefined;
  const { document, diagnostics: found } = readConfiguration(source, "refused");
  diagnostics.push(...found);
  if (document === undefined) return [];
  const findings = new Findings();
  const root = Cursor.of(document, findings);
  root.unknownFields(["refused"]);
  const names = root.field("refused").strings() ?? [];
  diagnostics.push(...findings.all);
  return names;
}

function checkRefused(engine: Engine, expected: readonly string[]): RowResult[] {
  const actual = engine.refused;
  const row = (text: string, want: string, is: string): RowResult => ({
    text,
    expected: want,
    actual: is,
    passed: want === is,
    decidedBy: [],
    why: "",
  });
  return [
    ...expected.map((name) => row(name, "refused", actual.includes(name) ? "refused" : "accepted")),
    ...actual.filter((name) => !expected.includes(name)).map((name) => row(name, "accepted", "refused")),
  ];
}
