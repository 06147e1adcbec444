/** Every numbered rule of the semantics documents, on both evaluators: see rule-file.ts for the form of the cases. */
import { describe, expect, test } from "vitest";
import type { Dialect } from "../../reference/index.ts";
import { type RuleCase, ruleFiles } from "./rule-file.ts";
import { engineOf, referenceOf, type Witness } from "./witnesses.ts";

/** Everything that the case expects of one witness, and what is there instead. */
function compare(item: RuleCase, witness: Witness): void {
  const says = witness.name === "engine" ? item.says : [];
  const actual = {
    refused: witness.refused,
    says: says.filter((code) => witness.codes.includes(code)),
    silent: item.silent.filter((code) => witness.codes.includes(code)),
    rows: Object.fromEntries(item.rows.map(([sentence, outcome]) => [sentence, witness.judge(sentence, outcome)])),
  };
  expect(actual).toEqual({ refused: item.refused, says, silent: [], rows: Object.fromEntries(item.rows) });
}

function testCase(item: RuleCase, dialect: Dialect): void {
  const where = `${item.title} (${dialect})`;
  if (item.waits === undefined) test(`${where}: engine`, () => compare(item, engineOf(item, dialect)));
  else test.skip(`${where}: engine: ${item.waits}`);
  test(`${where}: reference`, () => compare(item, referenceOf(item, dialect)));
}

for (const [name, cases] of ruleFiles())
  describe(name, () => {
    for (const item of cases) for (const dialect of item.dialects) testCase(item, dialect);
  });
