import { describe, expect, test } from "vitest";
import { ImpactGraph, ranked, summariseImpact } from "../../src/questions/impact.ts";
import { withoutPolicies } from "../../src/questions/network.ts";
import { cnp, netpol, workload } from "../lint/codes.ts";
import { inputOf } from "./inputs.ts";

const CHAIN = ["a", "b", "c", "d"].map((name) => workload(name, `app: ${name}`, "{containerPort: 80}")).join("");
const allowing = (to: string, from: string): string =>
  netpol(
    `podSelector: {matchLabels: {app: ${to}}}, ingress: [{from: [{podSelector: {matchLabels: {app: ${from}}}}], ports: [{port: 80}]}]`,
    to,
  );
/** a → b → c → d, and nothing else. */
const POLICIES = `${netpol("podSelector: {}, policyTypes: [Ingress]", "deny")}${allowing("b", "a")}${allowing("c", "b")}${allowing("d", "c")}`;

function graphOf(dialect: string, texts: readonly string[], declared = false): ImpactGraph {
  const { engine, documents } = inputOf(dialect, ...texts);
  return new ImpactGraph(engine, { without: withoutPolicies(engine, documents), declared });
}

function impactOf(graph: ImpactGraph, name: string): ReturnType<ImpactGraph["impact"]> {
  const [unit] = graph.named(name);
  if (unit === undefined) throw new Error(`no ${name}`);
  return graph.impact(unit);
}

describe("area of impact", () => {
  const graph = graphOf("kubernetes", [CHAIN, POLICIES]);

  test.each([
    ["shop/a", ["1 shop/Deployment/b", "2 shop/Deployment/c", "3 shop/Deployment/d"]],
    ["shop/c", ["1 shop/Deployment/d"]],
    ["shop/d", []],
  ])("what falls with %s, step by step", (name, steps) => {
    expect(impactOf(graph, name).steps.map((step) => `${step.distance} ${step.to}`)).toEqual(steps);
  });

  test("each step names the ports used", () => {
    const [step] = impactOf(graph, "shop/c").steps;
    expect(step?.flows.map((f) => `${f.protocol} ${f.ports}`)).toEqual(["TCP 80"]);
  });

  test("the reduction is against no policy", () => {
    const impacts = graph.units.map((unit) => graph.impact(unit));
    expect(summariseImpact(impacts)).toEqual({ endpoints: 4, mean: 1.5, without: 3, reduction: 50, possible: 0 });
    expect(ranked(impacts).map((one) => one.endpoint.at(-1))).toEqual(["a", "b", "c", "d"]);
  });

  test("shortest ways to a target", () => {
    const [a, d] = [graph.named("shop/a")[0], graph.named("shop/d")[0]];
    if (a === undefined || d === undefined) throw new Error("no ends");
    const [way] = graph.ways(a, d);
    expect(way?.certain).toBe(true);
    expect(way?.steps.map((step) => step.to.at(-1))).toEqual(["b", "c", "d"]);
    expect(graph.ways(d, a)).toEqual([]);
  });

  test("all shortest ways are found", () => {
    const open = graphOf("kubernetes", [
      CHAIN,
      `${netpol("podSelector: {matchLabels: {app: d}}, ingress: [{from: [{podSelector: {matchExpressions: [{key: app, operator: In, values: [b, c]}]}}]}]")}`,
    ]);
    const [a, d] = [open.named("shop/a")[0], open.named("shop/d")[0]];
    if (a === undefined || d === undefined) throw new Error("no ends");
    expect(open.ways(a, d).map((way) => way.steps.map((step) => step.to.at(-1)).join(""))).toEqual(["bd", "cd"]);
  });
});

test("a step on which only some requests pass is marked as narrower", () => {
  const policy = cnp(
    'endpointSelector: {matchLabels: {app: b}}, ingress: [{fromEndpoints: [{matchLabels: {app: a}}], toPorts: [{ports: [{port: "80", protocol: TCP}], rules: {http: [{method: GET}]}}]}]',
  );
  const graph = graphOf("cilium", [CHAIN, policy]);
  const steps = impactOf(graph, "shop/a").steps.filter((step) => step.to === "shop/Deployment/b");
  expect(steps.map((step) => step.narrowed)).toEqual([true]);
});

test("what is not sure is counted apart", () => {
  const policy = netpol("podSelector: {matchLabels: {app: b}}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]");
  const graph = graphOf("kubernetes", [CHAIN, policy]);
  const impact = impactOf(graph, "shop/a");
  expect(impact.steps.map((step) => step.to.at(-1))).toEqual(["c", "d"]);
  expect(impact.possible.map((step) => [step.to.at(-1), step.because[0]?.code])).toEqual([["b", "unknown-address"]]);
});

test("only declared ports: what listens nowhere does not fall", () => {
  const texts = [CHAIN, workload("client", "app: client"), POLICIES];
  const counts = (declared: boolean): readonly number[] => {
    const graph = graphOf("kubernetes", texts, declared);
    return [impactOf(graph, "shop/a").steps.length, impactOf(graph, "shop/a").without];
  };
  expect(counts(false)).toEqual([3, 4]);
  expect(counts(true)).toEqual([3, 3]);
});

test("applications crossed, and the internet", () => {
  const graph = graphOf("kubernetes", [CHAIN, workload("pay/till", "app: till"), POLICIES]);
  const impact = impactOf(graph, "shop/a");
  expect(impact.applications).toEqual(["pay/till", "shop/b", "shop/c", "shop/d"]);
  expect(impact.internet).toBe("allow");
});
