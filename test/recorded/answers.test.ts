/**
 * Whole answers as they are on record: every policy and rule considered, every hop and reason, every diagnostic at its
 * place, all that `reach` lists. The other tests say what is right; this one says what changed.
 *
 * Where an answer is another on purpose, `npm run record` writes the files again, and their difference is read like code.
 */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Question } from "../../src/reach/answer.ts";
import type { Engine } from "../../src/reach/engine.ts";
import { runCase } from "../../src/verify/case.ts";
import type { CaseFiles } from "../../src/verify/case-files.ts";
import { questionOf } from "../rules/row.ts";
import { ruleFiles } from "../rules/rule-file.ts";
import { openEngineOf } from "../rules/witnesses.ts";
import { findingTexts, pathTexts, reachText, whyText } from "./answers.ts";
import { type Recorded, recorded } from "./record.ts";

const HERE = import.meta.dirname;

type Asked = readonly (readonly [text: string, question: Question])[];

function textsOf(engine: Engine, questions: Asked): readonly string[] {
  return [
    ...findingTexts(engine),
    ...(engine.refused.length === 0 ? [] : [`refused ${[...engine.refused].sort().join(", ")}`]),
    ...questions.map(([text, question]) => `${text} = ${whyText(engine, question)}`),
    ...pathTexts(engine).map((text) => `path ${text}`),
    `reach ${reachText(engine)}`,
  ];
}

for (const [name, cases] of ruleFiles())
  recorded(
    join(HERE, `rules-${name}.txt`),
    cases.map((item, i) => {
      const dialect = item.dialects.at(i % 3 === 0 ? 0 : -1) ?? "kubernetes";
      return {
        title: `${item.title} (${dialect})`,
        texts: () => {
          const questions = item.rows.map(([sentence]) => [sentence, questionOf(sentence)] as const);
          return textsOf(openEngineOf(item, dialect), questions);
        },
      };
    }),
  );

function filesOf(folder: string): CaseFiles {
  return {
    read: (path) => {
      const at = resolve(folder, path);
      return existsSync(at) && statSync(at).isFile() ? { name: path, text: readFileSync(at, "utf8") } : undefined;
    },
    list: () => [],
  };
}

function casesIn(root: string): readonly Recorded[] {
  const names = readdirSync(root).filter((name) => existsSync(join(root, name, "expect.yaml")));
  return names.sort().map((name) => ({
    title: name,
    texts: () => {
      const folder = join(root, name);
      const text = readFileSync(join(folder, "expect.yaml"), "utf8");
      const { engine, expectation } = runCase({ name: "expect.yaml", text }, filesOf(folder));
      const questions = (expectation?.assertions ?? []).map(({ text: asked, port, ...rest }) => {
        return [asked, { ...rest, ...(port === undefined ? {} : { port }) }] as const;
      });
      return engine === undefined ? [] : textsOf(engine, questions);
    },
  }));
}

recorded(join(HERE, "semantics.txt"), casesIn(join(HERE, "../conformance/semantics")));
recorded(join(HERE, "documentation.txt"), casesIn(join(HERE, "../conformance/cilium-documentation")));
recorded(join(HERE, "reach-cases.txt"), casesIn(join(HERE, "../reach/cases")));
