/** Pictures, held against references that somebody has looked at. */
import { describe, expect, test } from "vitest";
import { portFlows } from "../../src/net/flow-set.ts";
import { diff } from "../../src/questions/diff.ts";
import { ImpactGraph } from "../../src/questions/impact.ts";
import { withoutPolicies } from "../../src/questions/network.ts";
import { topologyOfImpact, topologyOfWays } from "../../src/questions/topology-impact.ts";
import { topologyOf } from "../../src/questions/topology.ts";
import { topologyOfDiff } from "../../src/questions/topology-diff.ts";
import type { Topology } from "../../src/questions/topology-form.ts";
import { topologyDot } from "../../src/report/topology-dot.ts";
import { topologyHtml } from "../../src/report/topology-html.ts";
import { topologySvg } from "../../src/report/topology-svg.ts";
import { cnp, workload } from "../lint/codes.ts";
import { inputOf } from "../questions/inputs.ts";
import { clusterOf } from "./clusters.ts";

const SIZES = [
  ["2", clusterOf(2, 1, 1)],
  ["20", clusterOf(20, 4, 1)],
  ["200", clusterOf(200, 25, 5)],
] as const;

function drawn(input: string): Topology {
  return topologyOf(inputOf("cilium", input).engine, "Who reaches whom");
}

describe("pictures", () => {
  test.each(SIZES)("%s endpoints", async (size, input) => {
    await expect([...topologySvg(drawn(input))].join("")).toMatchFileSnapshot(`pictures/${size}.svg`);
  });

  test.each(SIZES)("what falls with one of %s endpoints", async (size, input) => {
    const { engine, documents } = inputOf("cilium", input);
    const graph = new ImpactGraph(engine, { without: withoutPolicies(engine, documents) });
    const [start] = graph.named("ns0/app0-front");
    if (start === undefined) throw new Error("no such endpoint");
    const topology = topologyOfImpact(engine, graph.units, graph.impact(start), "If ns0/app0-front falls");
    await expect([...topologySvg(topology)].join("")).toMatchFileSnapshot(`pictures/impact-${size}.svg`);
  });

  test("the shortest ways to a target run from west to east", () => {
    const { engine } = inputOf("cilium", clusterOf(20, 4, 1));
    const graph = new ImpactGraph(engine);
    const [from, to] = [graph.named("ns0/app2-front")[0], graph.named("ns0/app0-svc1")[0]];
    if (from === undefined || to === undefined) throw new Error("no such endpoint");
    const topology = topologyOfWays(engine, graph.units, [{ from: from.name, ways: graph.ways(from, to) }], "Ways");
    expect(topology.columns.at(-1)).toBe("target");
    expect(topology.columns).toHaveLength(topology.edges.length + 1);
    expect(topology.edges.at(-1)?.to).toBe(to.name);
  });

  test("a question for a part draws that part alone", () => {
    const { engine } = inputOf("cilium", clusterOf(20, 4, 1));
    const to = new Set(["ns0/Deployment/app0-front"]);
    const topology = topologyOf(engine, "part", { to });
    expect(new Set(topology.edges.map((edge) => edge.to))).toEqual(to);
    expect(topology.nodes.every(({ id }) => to.has(id) || topology.edges.some((edge) => edge.from === id))).toBe(true);
    expect(topology.entrances.map((one) => one.to)).toEqual([...to]);
    expect(topologyOf(engine, "port", { flows: portFlows("TCP", 9, 9) }).edges).toEqual([]);
    expect(topologyOf(engine, "applications", { byApplication: true }).nodes.map((node) => node.count)).toEqual([
      5, 5, 5, 5,
    ]);
  });

  test("lost and gained edges", async () => {
    const [a, b] = [clusterOf(8, 2, 1), clusterOf(8, 2, 1).replaceAll('port: "8080"', 'port: "9090"')];
    const [old, next] = [inputOf("cilium", a), inputOf("cilium", b)];
    const compared = diff(old, next);
    const topology = topologyOfDiff([old.engine, next.engine], compared, "Connections gained and lost", () => "");
    expect(new Set(topology.edges.map((edge) => edge.tone))).toEqual(new Set(["gained", "lost"]));
    await expect([...topologySvg(topology)].join("")).toMatchFileSnapshot("pictures/diff.svg");
  });

  test("beyond 40 endpoints an application is a box", () => {
    expect(drawn(clusterOf(40, 4, 1)).folded).toBe(false);
    const topology = drawn(clusterOf(44, 4, 1));
    expect(topology.folded).toBe(true);
    expect(topology.nodes.map((node) => node.count)).toEqual([11, 11, 11, 11]);
  });

  test("who lets everybody in is marked instead of being drawn with every arrow", () => {
    const topology = drawn(workload("a", "app: a") + workload("b", "app: b") + workload("c", "app: c"));
    expect(topology.edges).toEqual([]);
    expect(topology.nodes.map((node) => node.open)).toEqual([true, true, true]);
  });

  test("where every application is one endpoint, columns are steps from outside", () => {
    const names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    const chain = names.map((name, i) =>
      i === 0
        ? ""
        : cnp(
            `endpointSelector: {matchLabels: {app: ${name}}}, ingress: [{fromEndpoints: [{matchLabels: {app: ${names[i - 1]}}}]}]`,
            name,
          ),
    );
    const topology = drawn(names.map((name) => workload(name, `app: ${name}`)).join("") + chain.join(""));
    expect(topology.columns.slice(0, 3)).toEqual(["entry", "1 step on", "2 steps on"]);
  });

  test("names with markup stay text", () => {
    const topology: Topology = {
      title: "<script>alert(1)</script>",
      columns: ['"&<'],
      nodes: [{ id: "<b>", label: "<b>", column: '"&<', count: 1, open: false, governed: false }],
      edges: [],
      entrances: [],
      folded: false,
    };
    const page = [...topologyHtml(topology)].join("");
    expect(page).not.toContain("<script>alert");
    expect(page).not.toContain("<b>");
    expect([...topologyDot(topology)].join("")).toContain('\\"&<');
  });

  test("a page is whole: no address of anything else in it", () => {
    const page = [...topologyHtml(drawn(clusterOf(8, 2, 1)))].join("");
    expect(page.replaceAll("http://www.w3.org/2000/svg", "")).not.toMatch(/https?:|src=|href="(?!#)/);
    expect(page).toContain('<th scope="col">');
    expect(page).toContain('aria-labelledby="title description"');
    expect(page).toContain("@media print");
    for (const landmark of ["<header>", "<main>", 'role="search"', 'aria-live="polite"', ":focus-visible"])
      expect(page).toContain(landmark);
  });
});
