/** The topology for Graphviz: applications as clusters, the outside at the top. */
import type { Topology, TopologyEdge, TopologyNode } from "../questions/topology-form.ts";
import { quoteDot } from "./escape.ts";
import { flowText } from "./reach-report.ts";

const COLOURS: Readonly<Record<TopologyEdge["tone"], string>> = {
  allow: "#1a7f37",
  narrowed: "#0969da",
  unsure: "#9a6700",
  gained: "#1a7f37",
  lost: "#cf222e",
};

export function* topologyDot(topology: Topology): Iterable<string> {
  yield `digraph bulkhead {\n  label=${quoteDot(topology.title)};\n  labelloc=t;\n  rankdir=TB;\n  node [shape=box, fontname="sans-serif"];\n  edge [fontname="sans-serif", fontsize=10];\n`;
  if (topology.entrances.length > 0) yield '  "internet" [shape=ellipse];\n';
  for (const id of new Set(topology.entrances.map((one) => one.id))) {
    yield `  ${quoteDot(`in: ${id}`)} [label=${quoteDot(id)}, style=rounded];\n  "internet" -> ${quoteDot(`in: ${id}`)};\n`;
  }
  for (const [i, { label: name, nodes }] of clustersOf(topology).entries()) {
    yield `  subgraph cluster_${i} {\n    label=${quoteDot(name)};\n`;
    for (const node of nodes) {
      const label = `${node.label}${node.count > 1 ? ` (${node.count})` : ""}${node.open ? " *" : ""}`;
      yield `    ${quoteDot(node.id)} [label=${quoteDot(label)}${node.governed ? "" : ", style=dashed"}];\n`;
    }
    yield "  }\n";
  }
  for (const one of topology.entrances) {
    const closed = one.tone === "closed";
    const style = closed
      ? ', style=dashed, color="#cf222e"'
      : one.tone === "unsure"
        ? ', style=dashed, color="#9a6700"'
        : "";
    yield `  ${quoteDot(`in: ${one.id}`)} -> ${quoteDot(one.to)} [label=${quoteDot(closed ? "closed" : one.ports)}${style}];\n`;
  }
  for (const edge of topology.edges) {
    const dashed = edge.tone === "lost" || edge.tone === "unsure" ? ", style=dashed" : "";
    yield `  ${quoteDot(edge.from)} -> ${quoteDot(edge.to)} [label=${quoteDot(edge.flows.map(flowText).join("\n"))}, color="${COLOURS[edge.tone]}"${dashed}];\n`;
  }
  yield "}\n";
}

/** A cluster for every column; of a VPC one for every subnet, what stands in several in its first. */
function clustersOf(
  topology: Topology,
): readonly { readonly label: string; readonly nodes: readonly TopologyNode[] }[] {
  const { columns, nodes, subnets } = topology;
  if (subnets === undefined)
    return columns.map((label) => ({ label, nodes: nodes.filter((one) => one.column === label) }));
  const placed = new Set<string>();
  return subnets.map((subnet) => {
    const own = nodes.filter((node) => subnet.nodes.includes(node.id) && !placed.has(node.id));
    for (const node of own) placed.add(node.id);
    return { label: `${subnet.name}${subnet.isPublic ? " (public)" : ""}`, nodes: own };
  });
}
