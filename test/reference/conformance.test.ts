import { describe, expect, test } from "vitest";
import { Reference } from "../../reference/index.ts";
import { probesOf, questionsOf } from "./connectivity.ts";
import { casesOf, isDecidedBy, type Relation, SUITES } from "./conformance.ts";

/** Sampled: what the relation says of every question; permits and forbids speak of Calico only. */
function holdsFor({ kind, a, b }: Relation): boolean {
  const [one, two] = [new Reference(a, { dialect: "kubernetes" }), new Reference(b, { dialect: "kubernetes" })];
  return questionsOf([...a, ...b]).every((flow) => {
    const [left, right] = [one.ask(flow).verdict, two.ask(flow).verdict];
    return kind === "containment" ? left === "allow" || right !== "allow" : left === right;
  });
}

describe.each(SUITES)("%s", (suite) => {
  const cases = casesOf(suite).filter((item) => item.dialect !== undefined);
  test.each(cases.map((item) => [item.name, item] as const))("%s", (_name, item) => {
    const reference = new Reference(item.documents, {
      dialect: item.dialect ?? "kubernetes",
      asCluster: item.refused !== undefined,
      // The analyzer behind these lists takes host-network pods for pods like others.
      hostNetworkPods: item.connectivity === undefined ? "nodes" : "pods",
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
    const probes = item.connectivity === undefined ? [] : probesOf(item.connectivity, item.documents);
    const surprising = probes.filter(
      ({ flow, allowed }) => reference.ask(flow).verdict !== (allowed ? "allow" : "deny"),
    );
    expect(surprising).toEqual([]);
    if (item.relation !== undefined) expect(holdsFor(item.relation)).toBe(item.relation.holds);
  });
});
