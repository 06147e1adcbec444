import { describe, expect, test } from "vitest";
import { labelKeyProblem, labelValueProblem, portNameProblem, subdomainProblem } from "../../src/model/label-syntax.ts";
import { type LabelRequirement, matchesLabels } from "../../src/model/label-selector.ts";
import { type Labels, UNKNOWN } from "../../src/model/labels.ts";

const labels: Labels = new Map<string, string | typeof UNKNOWN>([
  ["app", "a"],
  ["hash", UNKNOWN],
]);

describe("label selectors", () => {
  const is = (key: string, operator: LabelRequirement["operator"], ...values: string[]): LabelRequirement => ({
    key,
    operator,
    values,
  });

  test.each([
    ["[K8-01] no term matches everything", [], "yes"],
    ["[K8-02] all terms must hold", [is("app", "In", "a"), is("tier", "Exists")], "no"],
    ["[K8-03] In: the value is listed", [is("app", "In", "b", "a")], "yes"],
    ["[K8-03] In: the value is not listed", [is("app", "In", "b")], "no"],
    ["[K8-03] In: the key is absent", [is("tier", "In", "a")], "no"],
    ["[K8-03] NotIn: the value is listed", [is("app", "NotIn", "a")], "no"],
    ["[K8-03] NotIn: the value is not listed", [is("app", "NotIn", "b")], "yes"],
    ["[K8-03] NotIn: the key is absent", [is("tier", "NotIn", "a")], "yes"],
    ["[K8-03] Exists: the key is there", [is("app", "Exists")], "yes"],
    ["[K8-03] Exists: the key is absent", [is("tier", "Exists")], "no"],
    ["[K8-03] DoesNotExist: the key is there", [is("app", "DoesNotExist")], "no"],
    ["[K8-03] DoesNotExist: the key is absent", [is("tier", "DoesNotExist")], "yes"],
    ["[WL-12] In on a value that only the cluster knows", [is("hash", "In", "x")], "maybe"],
    ["[WL-12] NotIn on such a value", [is("hash", "NotIn", "x")], "maybe"],
    ["[WL-12] Exists on such a value", [is("hash", "Exists")], "yes"],
    ["[WL-12] a term that fails decides all the same", [is("hash", "In", "x"), is("app", "In", "b")], "no"],
  ] as const)("%s", (_, selector, expected) => {
    expect(matchesLabels(selector, labels)).toBe(expected);
  });
});

describe("syntax", () => {
  test.each([
    ["app", true],
    ["a.b-c_d", true],
    ["example.com/app", true],
    ["", false],
    ["-a", false],
    ["a-", false],
    ["/a", false],
    ["a/", false],
    ["a/b/c", false],
    ["Example.com/a", false],
    ["a b", false],
    ["x".repeat(63), true],
    ["x".repeat(64), false],
    [`${"x".repeat(253)}/a`, true],
    [`${"x".repeat(254)}/a`, false],
  ])("[K8-66] label key %j: %s", (key, valid) => {
    expect(labelKeyProblem(key) === undefined).toBe(valid);
  });

  test.each([
    ["", true],
    ["A_b.c-d", true],
    ["a b", false],
    ["-a", false],
    ["a.", false],
    ["x".repeat(63), true],
    ["x".repeat(64), false],
  ])("[K8-66] label value %j: %s", (value, valid) => {
    expect(labelValueProblem(value) === undefined).toBe(valid);
  });

  test.each([
    ["http", true],
    ["80", false],
    ["80a", true],
    ["My_Port", false],
    ["Http", false],
    ["a--b", false],
    ["-a", false],
    ["a-", false],
    ["abcdefghijklmno", true],
    ["abcdefghijklmnop", false],
  ])("[K8-48, K8-49, K8-50] port name %j: %s", (name, valid) => {
    expect(portNameProblem(name) === undefined).toBe(valid);
  });

  test.each([
    ["a.example", true],
    ["a..example", false],
    ["A.example", false],
    ["a_b", false],
    ["x".repeat(254), false],
  ])("[K8-67] subdomain %j: %s", (name, valid) => {
    expect(subdomainProblem(name) === undefined).toBe(valid);
  });
});
