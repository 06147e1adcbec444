/** `reach -o dot`: the topology for Graphviz; where there is none to draw, every pair, by namespace. */
import { quoteDot } from "./escape.ts";
import { flowText, type ReachReport } from "./reach-report.ts";
import { topologyDot } from "./topology-dot.ts";

export function reachDot(report: ReachReport): Iterable<string> {
  return report.topology === undefined ? pairsDot(report) : topologyDot(report.topology());
}

function* pairsDot(report: ReachReport): Iterable<string> {
  yield 'digraph bulkhead {\n  rankdir=LR;\n  node [shape=box, fontname="sans-serif"];\n  edge [fontname="sans-serif", fontsize=10];\n';
  const spaces = new Map<string, string[]>();
  for (const { row } of report.rows) {
    const [member] = row.members;
    const space = row.members.length === 1 && member?.kind === "pod" ? member.workload.namespace : "";
    spaces.set(space, [...(spaces.get(space) ?? []), row.name]);
  }
  for (const [i, [space, names]] of [...spaces].entries()) {
    const inner = space === "" ? "  " : "    ";
    if (space !== "") yield `  subgraph cluster_${i} {\n    label=${quoteDot(space)};\n`;
    for (const name of names) yield `${inner}${quoteDot(name)};\n`;
    if (space !== "") yield "  }\n";
  }
  for (const pair of report.pairs) {
    const sure = pair.allow.length > 0;
    const label = (sure ? pair.allow : [...pair.mixed, ...pair.unsure]).map(flowText).join("\n");
    const style = sure ? "" : ', style=dashed, color="#b58900"';
    yield `  ${quoteDot(pair.from)} -> ${quoteDot(pair.to)} [label=${quoteDot(label)}${style}];\n`;
  }
  yield "}\n";
}
