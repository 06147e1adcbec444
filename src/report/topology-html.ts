/** The topology as a page: the picture, and a table of what it shows. */
import type { Topology, TopologyEdge, TopologyEntrance } from "../questions/topology-form.ts";
import { htmlPage, type PageCell, type PageTable } from "./page.ts";
import { flowText } from "./reach-report.ts";
import { summary } from "./topology-parts.ts";
import { topologySvg } from "./topology-svg.ts";

const WORDS: Readonly<Record<TopologyEdge["tone"] | TopologyEntrance["tone"], string>> = {
  allow: "passes",
  narrowed: "some requests pass",
  unsure: "not sure",
  gained: "gained",
  lost: "lost",
  closed: "closed",
};

export function topologyHtml(topology: Topology): Iterable<string> {
  return htmlPage({
    title: topology.title,
    lead: [`${summary(topology)}.`],
    picture: topologySvg(topology),
    tables: [edgesTable(topology)],
  });
}

/** What the picture shows, a line an arrow. */
export function edgesTable(topology: Topology): PageTable {
  return { title: "Connections", head: ["From", "To", "What", "Flows", "Because"], rows: edgeRows(topology) };
}

function* edgeRows(topology: Topology): Iterable<readonly (string | PageCell)[]> {
  for (const one of topology.entrances) {
    yield [`internet, ${one.label} ${one.detail}`, one.to, { text: WORDS[one.tone], tone: one.tone }, one.ports, ""];
  }
  for (const edge of topology.edges) {
    const because = [edge.note ?? "", ...edge.because.map(({ code, detail }) => `${code}: ${detail}`)]
      .filter((text) => text !== "")
      .join("; ");
    const flows = `${edge.flows.map(flowText).join("; ")}${edge.count > 1 ? ` (${edge.count} pairs)` : ""}`;
    yield [edge.from, edge.to, { text: WORDS[edge.tone], tone: edge.tone }, flows, because];
  }
  for (const node of topology.nodes) {
    if (node.open)
      yield ["everybody inside", node.id, { text: WORDS.allow, tone: "allow" }, "everything", "no rule closes it"];
  }
}
