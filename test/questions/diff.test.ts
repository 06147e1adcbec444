import { describe, expect, test } from "vitest";
import { type Diff, diff } from "../../src/questions/diff.ts";
import { causeTexts, changeLines, foldChanges } from "../../src/report/diff-report.ts";
import { cnp, netpol, workload } from "../lint/codes.ts";
import { inputOf } from "./inputs.ts";

const WORLD = ["a", "b"].map((name) => workload(name, `app: ${name}`, "{containerPort: 80}")).join("");

function diffOf(dialect: string, old: string, next: string): Diff {
  return diff(inputOf(dialect, WORLD, old), inputOf(dialect, WORLD, next));
}

/** `from → to: + TCP 80`, between the two workloads. */
function lines(result: Diff): readonly string[] {
  return result.changes
    .filter((change) => change.from.startsWith("shop/") && change.to.startsWith("shop/"))
    .map(
      (change) =>
        `${change.from.at(-1)} → ${change.to.at(-1)}: ${changeLines(change)
          .map((l) => `${l.sign} ${l.text}`)
          .join(", ")}`,
    );
}

const A = "podSelector: {matchLabels: {app: a}}";
const FROM_B = "{podSelector: {matchLabels: {app: b}}}";

describe("what changes nothing gives nothing", () => {
  test.each([
    ["the same", netpol(`${A}, ingress: [{from: [${FROM_B}]}]`), netpol(`${A}, ingress: [{from: [${FROM_B}]}]`)],
    [
      "another name",
      netpol(`${A}, ingress: [{from: [${FROM_B}]}]`, "x"),
      netpol(`${A}, ingress: [{from: [${FROM_B}]}]`, "y"),
    ],
    [
      "another order",
      netpol(`${A}, ingress: [{from: [${FROM_B}], ports: [{port: 80}]}, {from: [${FROM_B}], ports: [{port: 81}]}]`),
      netpol(`${A}, ingress: [{from: [${FROM_B}], ports: [{port: 81}, {port: 80}]}]`),
    ],
    [
      "one policy or two",
      netpol(`${A}, ingress: [{from: [${FROM_B}]}]`),
      netpol(`${A}, ingress: [{from: [${FROM_B}]}]`, "x") + netpol(`${A}, policyTypes: [Ingress]`, "y"),
    ],
    ["no policy, and one that selects nobody", "", netpol("podSelector: {matchLabels: {app: z}}")],
  ])("%s", (_title, old, next) => {
    expect(diffOf("kubernetes", old, next).changes).toEqual([]);
  });

  test("an HTTP rule written in another way", () => {
    const http = (rules: string): string =>
      cnp(
        `endpointSelector: {matchLabels: {app: a}}, ingress: [{fromEndpoints: [{matchLabels: {app: b}}], toPorts: [{ports: [{port: "80", protocol: TCP}], rules: {http: [${rules}]}}]}]`,
      );
    const result = diffOf("cilium", http('{path: "/(x|y)"}'), http('{path: "/y"}, {path: "/x"}'));
    expect(result.changes).toEqual([]);
  });
});

describe("what is gained and lost", () => {
  const closed = netpol(`${A}, policyTypes: [Ingress]`);
  const open80 = netpol(`${A}, ingress: [{from: [${FROM_B}], ports: [{port: 80}]}]`);

  test.each([
    ["a port is opened", "kubernetes", closed, open80, "b → a: + TCP 80"],
    ["a port is closed", "kubernetes", open80, closed, "b → a: - TCP 80"],
    ["a policy is removed", "kubernetes", closed, "", "b → a: + TCP; UDP; SCTP; ? "],
  ])("%s", (_title, dialect, old, next, expected) => {
    expect(lines(diffOf(dialect, old, next))[0]).toContain(expected.slice(0, 12));
  });

  test("a requirement above the port shows both", () => {
    const plain = cnp(
      'endpointSelector: {matchLabels: {app: a}}, ingress: [{fromEndpoints: [{matchLabels: {app: b}}], toPorts: [{ports: [{port: "80", protocol: TCP}]}]}]',
    );
    const get = plain.replace(
      '{port: "80", protocol: TCP}]}',
      '{port: "80", protocol: TCP}], rules: {http: [{method: GET}]}}',
    );
    expect(lines(diffOf("cilium", plain, get))).toEqual(["b → a: - TCP 80 → TCP 80 (GET)"]);
  });

  test("the policy that did it is named, with what became of it", () => {
    const [change] = diffOf("kubernetes", closed, open80).changes;
    expect(change === undefined ? [] : causeTexts(change)).toEqual(["changed NetworkPolicy/shop/p"]);
    const added = diffOf("kubernetes", "", closed).changes.map(causeTexts);
    expect(new Set(added.flat())).toEqual(new Set(["added NetworkPolicy/shop/p"]));
    const gone = diffOf("kubernetes", closed, "").changes.map(causeTexts);
    expect(new Set(gone.flat())).toEqual(new Set(["removed NetworkPolicy/shop/p"]));
  });

  test("the outside is one row where no rule tells addresses apart, and ranges where one does", () => {
    const range = netpol(`${A}, ingress: [{from: [{ipBlock: {cidr: 203.0.113.0/24}}]}]`);
    const outside = (result: Diff): readonly string[] =>
      result.changes.filter((c) => !c.from.includes("shop")).map((c) => c.from);
    expect(outside(diffOf("kubernetes", "", closed))).toContain("internet");
    expect(outside(diffOf("kubernetes", closed, range))).toContain("203.0.113.0/24");
  });

  test("an endpoint that only one side has", () => {
    const result = diff(inputOf("kubernetes", WORLD), inputOf("kubernetes", WORLD, workload("c", "app: c")));
    expect(result.appeared).toEqual(["shop/Deployment/c"]);
    expect(result.changes.some((change) => change.type === "added" && change.to === "shop/Deployment/c")).toBe(true);
  });

  test("two networks on one input", () => {
    const policy = netpol(
      "podSelector: {}, policyTypes: [Ingress], ingress: [{from: [{podSelector: {}}]}], egress: []",
    );
    const result = diff(inputOf("kubernetes", WORLD, policy), inputOf("cilium", WORLD, policy));
    expect(result.policies).toEqual([]);
    expect(result.counts.pairs).toBeGreaterThan(0);
  });
});

test("equal changes are folded", () => {
  const result = diffOf("kubernetes", "", netpol("podSelector: {}, policyTypes: [Ingress]"));
  const folded = foldChanges(result.changes);
  expect(folded.length).toBeLessThan(result.changes.length);
  expect(folded.some((one) => one.to.length === 2)).toBe(true);
});
