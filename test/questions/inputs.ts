/** Small inputs with their engines, for the questions. */
import type { Document } from "../../src/documents/document.ts";
import { readDocuments } from "../../src/documents/reader.ts";
import { openDialect } from "../../src/policy/registry.ts";
import { Engine } from "../../src/reach/engine.ts";

export interface Input {
  readonly engine: Engine;
  readonly documents: readonly Document[];
}

export function inputOf(dialect: string, ...texts: readonly string[]): Input {
  const { documents, diagnostics } = readDocuments(texts.map((text, i) => ({ name: `${i}.yaml`, text })));
  const opened = openDialect(dialect);
  if (opened === undefined) throw new Error(`no dialect ${dialect}`);
  const engine = Engine.open(documents, { dialect: opened });
  const errors = [...diagnostics, ...engine.diagnostics].filter((d) => d.severity === "error");
  if (errors.length > 0) throw new Error(errors.map((d) => d.message).join("\n"));
  return { engine, documents };
}
