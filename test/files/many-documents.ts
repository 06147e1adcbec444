/** A text that takes many batches, with all that a reader may meet. */
import { formatDiagnostic } from "../../src/base/diagnostic.ts";
import type { ReadResult } from "../../src/documents/reader.ts";

/** About 4 million characters: documents, a List, and among them what is broken, shared, odd or JSON. */
export function manyDocuments(): string {
  const texts: string[] = [];
  for (let i = 0; i < 12_000; i++) {
    const head = `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c-${i}\n  labels: {app: "${i % 7}"}\n`;
    const data = `data:\n  a: |\n    line one of ${i}\n    - line two\n  b: ${i % 3 === 0 ? "yes" : "1.50"}\n  c: "é 😀 \\u00e9 ${"x".repeat(i % 90)}"\n`;
    if (i % 997 === 1) texts.push(`${head}data: [\n`);
    else if (i % 997 === 2) texts.push(`${head}data: {x: &a [1, 2], y: *a}\n`);
    else if (i % 997 === 3) texts.push(`${head}data: {x: y}\n`);
    else if (i % 997 === 4) texts.push(`{"apiVersion":"v1","kind":"A","metadata":{"name":"j-${i}"},"n":-0.0}\n`);
    else if (i % 997 === 5) texts.push("# nothing\n");
    else if (i % 997 === 6) texts.push(`${head}data: {__proto__: {x: 1}, "1": a, constructor: b, n: -0.0}\n`);
    else texts.push(head + data);
  }
  const items = Array.from(
    { length: 8000 },
    (_, i) => `- apiVersion: v1\n  kind: A\n  metadata: {name: i-${i}}\n  x: n\n`,
  );
  texts.splice(6000, 0, `apiVersion: v1\nitems:\n${items.join("")}kind: List\n`);
  return texts.join("---\n");
}

/** All that came of reading, as one text. */
export function outcomeOf({ documents, diagnostics, counts }: ReadResult): string {
  const shown = documents.map(({ index, base, offset, length, value, kind, name, locate }) => {
    const { line, column } = Number(name.slice(2)) % 500 === 0 ? locate(["metadata", "name"]) : { line: 0, column: 0 };
    return { index, base, offset, length, value, kind, name, line, column };
  });
  return JSON.stringify({ shown, diagnostics: diagnostics.map(formatDiagnostic), counts });
}
