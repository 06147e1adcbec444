/** Short ways to read texts in tests. */
import { expect } from "vitest";
import type { Diagnostic } from "../../src/base/diagnostic.ts";
import { formatDiagnostic } from "../../src/base/diagnostic.ts";
import type { Document } from "../../src/documents/document.ts";
import { type ReadResult, readDocuments } from "../../src/documents/reader.ts";
import { Composer } from "../../src/documents/yaml-composer.ts";
import { Scanner } from "../../src/documents/yaml-scanner.ts";

/** Reads one source. */
export function read(text: string, name = "a.yaml"): ReadResult {
  return readDocuments([{ name, text }]);
}

/** The only object of a text. */
export function one(text: string): Document {
  const { documents, diagnostics } = read(text);
  expect(diagnostics.map(formatDiagnostic)).toEqual([]);
  expect(documents).toHaveLength(1);
  const [document] = documents;
  if (document === undefined) throw new Error("no document");
  return document;
}

/** The value of one YAML document. */
export function value(text: string): unknown {
  return new Composer(new Scanner()).value(text, 0, text.length);
}

/** Findings as `line:column code message`. */
export function lines(diagnostics: readonly Diagnostic[]): string[] {
  return diagnostics.map((d) => `${d.line ?? "-"}:${d.column ?? "-"} ${d.code} ${d.message}`);
}

/** A ConfigMap of a name. */
export function configMap(name: string): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n`;
}
