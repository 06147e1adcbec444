/**
 * Reads a text with threads and without, and prints how both fared: a program, which takes what
 * the threads run.
 */
import { pathToFileURL } from "node:url";
import type { Composed } from "../../src/documents/composition.ts";
import { readDocuments } from "../../src/documents/reader.ts";
import { ComposingThreads } from "../../src/files/composing-threads.ts";
import { manyDocuments, outcomeOf } from "./many-documents.ts";

const source = { name: "a.yaml", text: manyDocuments() };
const alone = outcomeOf(readDocuments([source]));
let answered = 0;
let isSame = true;
// On a machine with much other work threads may come too late.
for (let attempt = 0; attempt < 5 && answered === 0; attempt++) {
  const threads = new ComposingThreads(2, pathToFileURL(process.argv[2] ?? ""));
  const composed: Composed[] = [];
  const read = readDocuments([source], function* (text, stretches) {
    for (const one of threads.compose(text, stretches)) {
      composed.push(one);
      yield one;
    }
  });
  isSame &&= outcomeOf(read) === alone && composed.length > 0;
  answered = threads.answered;
  threads.close();
}
console.log(JSON.stringify({ answered: answered > 0, isSame }));
