/** Pictures, held against references that somebody has looked at. */
import { describe, expect, test } from "vitest";
import { diff } from "../../src/questions/diff.ts";
import { type Topology, topologyOf, topologyOfDiff } from "../../src/questions/topology.ts";
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
    expect(page.replaceAll("http://www.w3.org/2000/svg", "")).not.toMatch(/https?:|src=|href=/);
    expect(page).toContain('<th scope="col">');
    expect(page).toContain('aria-labelledby="title description"');
    expect(page).toContain("@media print");
  });
});
