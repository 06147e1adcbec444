import { describe, expect, test } from "vitest";
import { Reference } from "../../reference/index.ts";
import { casesOf, isDecidedBy, SUITES } from "./conformance.ts";

describe.each(SUITES)("%s", (suite) => {
  const cases = casesOf(suite).filter((item) => item.dialect !== undefined);
  test.each(cases.map((item) => [item.name, item] as const))("%s", (_name, item) => {
    const reference = new Reference(item.documents, {
      dialect: item.dialect ?? "kubernetes",
      asCluster: item.refused !== undefined,
    });
    expect(Object.fromEntries(reference.refusals), "refused objects").toEqual(
      Object.fromEntries((item.refused ?? []).map((name) => [name, expect.any(String)])),
    );
    const wrong = item.assertions.flatMap((assertion) => {
      const answer = reference.ask(assertion.flow);
      const missing = assertion.decidedBy.filter((wanted) => !isDecidedBy(answer, wanted));
      return answer.verdict === assertion.verdict && missing.length === 0
        ? []
        : [{ ...assertion, actual: answer, missing }];
    });
    expect(wrong).toEqual([]);
  });
});
