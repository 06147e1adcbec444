/** A Segregation file held against the manifests it names, or those beside it. */
import { type Diagnostic, diagnostic, hasErrors } from "../base/diagnostic.ts";
import { Cursor, Findings } from "../documents/cursor.ts";
import type { Source } from "../documents/document.ts";
import { readDocuments } from "../documents/reader.ts";
import { readSource, sourceName } from "../files/source-file.ts";
import { chooseDialect } from "../policy/registry.ts";
import { checkSegregation, decodeSegregation } from "../questions/segregation.ts";
import { Engine } from "../reach/engine.ts";
import type { VerifiedRow } from "../report/verify-report.ts";
import type { CaseOptions } from "../verify/case.ts";
import { caseFiles } from "./case-files.ts";

export interface SegregationRows {
  readonly rows: readonly VerifiedRow[];
  readonly diagnostics: readonly Diagnostic[];
  /** Whether it could not be asked, as against not holding. */
  readonly isBroken: boolean;
}

export function segregationRows(path: string, cwd: string, options: CaseOptions): SegregationRows {
  const name = sourceName(path, cwd);
  const diagnostics: Diagnostic[] = [];
  const broken = (): SegregationRows => ({ rows: [], diagnostics, isBroken: true });
  const read = readSource(path, name);
  if ("problem" in read) return { rows: [], diagnostics: [read.problem], isBroken: true };
  const own = readDocuments([read.source]);
  diagnostics.push(...own.diagnostics);
  const rows: VerifiedRow[] = [];
  for (const document of own.documents.filter((one) => one.kind === "Segregation")) {
    const findings = new Findings();
    const wanted = decodeSegregation(Cursor.of(document, findings));
    diagnostics.push(...findings.all);
    if (wanted === undefined) return broken();
    const files = caseFiles(path, cwd);
    const sources: Source[] = [];
    for (const manifest of wanted.manifests ?? ["."]) {
      const source = files.read(manifest);
      const listed = source === undefined ? files.list(manifest) : [source];
      if (listed.length === 0) {
        diagnostics.push(diagnostic("BH020", `${manifest}, named as manifests, does not exist`, { file: name }));
        return broken();
      }
      sources.push(...listed);
    }
    const engine = openOver(sources, options, diagnostics);
    if (engine === undefined) return broken();
    const result = checkSegregation(wanted, engine);
    for (const problem of result.problems) diagnostics.push(diagnostic("BH013", problem, { file: name }));
    if (result.problems.length > 0) return broken();
    rows.push(...result.rows.map((row) => ({ ...row, file: name })));
  }
  return { rows, diagnostics, isBroken: false };
}

function openOver(sources: readonly Source[], options: CaseOptions, diagnostics: Diagnostic[]): Engine | undefined {
  const { documents, diagnostics: found } = readDocuments(sources);
  const objects = documents.filter((one) => one.kind !== "Segregation");
  const choice = chooseDialect(objects, options.dialect);
  if (choice.dialect === undefined) {
    diagnostics.push(...found, ...choice.diagnostics);
    return undefined;
  }
  const engine = Engine.open(objects, {
    dialect: choice.dialect,
    ...(options.world === undefined ? {} : { world: options.world }),
    ...(options.names === undefined ? {} : { names: options.names }),
    ...(options.asCluster === true ? { asCluster: true } : {}),
  });
  const all = [...found, ...engine.diagnostics];
  diagnostics.push(...all);
  return options.asCluster !== true && hasErrors(all) ? undefined : engine;
}
