/** The topology as one page that needs nothing else: the picture, a table of what it shows that can be searched, print. */
import type { Topology, TopologyEdge, TopologyEntrance } from "../questions/topology.ts";
import { escapeMarkup } from "./escape.ts";
import { flowText } from "./reach-report.ts";
import { summary, topologySvg } from "./topology-svg.ts";

const STYLE = `
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 90rem; padding: 0 1rem; color: #1f2328; background: #fff; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
.picture { overflow: auto; border: 1px solid #d0d7de; border-radius: 6px; }
label { display: block; margin: 1rem 0 .5rem; } input { font: inherit; padding: .3rem .6rem; width: min(32rem, 100%); }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #d0d7de; vertical-align: top; }
th { white-space: nowrap; }
td { font-family: ui-monospace, monospace; font-size: .85rem; overflow-wrap: anywhere; } tr[hidden] { display: none; }
.allow, .gained { color: #1a7f37; } .narrowed { color: #0969da; } .unsure { color: #7d4e00; } .lost, .closed { color: #cf222e; }
@media print { body { margin: 0; max-width: none; } label { display: none; } .picture { border: 0; overflow: visible; } svg { max-width: 100%; height: auto; } tr { break-inside: avoid; } }
`;

/** Rows without the word are hidden; how many are left is said to those who cannot see it. */
const SCRIPT = `
const input = document.querySelector("input");
const rows = [...document.querySelectorAll("tbody tr")];
const count = document.querySelector("output");
const search = () => {
  const words = input.value.toLowerCase().split(/\\s+/).filter(Boolean);
  let shown = 0;
  for (const row of rows) {
    const text = row.textContent.toLowerCase();
    row.hidden = !words.every((word) => text.includes(word));
    if (!row.hidden) shown++;
  }
  count.value = shown + " of " + rows.length + " rows";
};
input.addEventListener("input", search);
search();
`;

const WORDS: Readonly<Record<TopologyEdge["tone"] | TopologyEntrance["tone"], string>> = {
  allow: "passes",
  narrowed: "some requests pass",
  unsure: "not sure",
  gained: "gained",
  lost: "lost",
  closed: "closed",
};

/** `more` stands between the picture and the table, already as markup. */
export function* topologyHtml(topology: Topology, more = ""): Iterable<string> {
  yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n';
  yield "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n";
  yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n';
  yield `<title>${escapeMarkup(topology.title)}</title>\n<style>${STYLE}</style>\n</head>\n<body>\n<main>\n<h1>${escapeMarkup(topology.title)}</h1>\n`;
  yield `<p>${escapeMarkup(summary(topology))}.</p>\n<div class="picture" tabindex="0" aria-label="Picture of the topology; the table below says the same">\n`;
  yield* topologySvg(topology);
  yield `</div>\n${more}<h2>Connections</h2>\n<label>Search <input type="search" autocomplete="off"></label>\n<output></output>\n`;
  yield '<table>\n<thead><tr><th scope="col">From</th><th scope="col">To</th><th scope="col">What</th><th scope="col">Flows</th><th scope="col">Because</th></tr></thead>\n<tbody>\n';
  for (const one of topology.entrances) {
    yield row(`internet, ${one.label} ${one.detail}`, one.to, one.tone, one.ports, "");
  }
  for (const edge of topology.edges) {
    const because = [edge.note ?? "", ...edge.because.map(({ code, detail }) => `${code}: ${detail}`)]
      .filter((text) => text !== "")
      .join("; ");
    const flows = `${edge.flows.map(flowText).join("; ")}${edge.count > 1 ? ` (${edge.count} pairs)` : ""}`;
    yield row(edge.from, edge.to, edge.tone, flows, because);
  }
  for (const node of topology.nodes)
    if (node.open) yield row("everybody inside", node.id, "allow", "everything", "no rule closes it");
  yield `</tbody>\n</table>\n</main>\n<script>${SCRIPT}</script>\n</body>\n</html>\n`;
}

function row(
  from: string,
  to: string,
  tone: TopologyEdge["tone"] | TopologyEntrance["tone"],
  flows: string,
  because: string,
): string {
  const cells = [from, to].map((text) => `<td>${escapeMarkup(text)}</td>`).join("");
  return `<tr>${cells}<td class="${tone}">${WORDS[tone]}</td><td>${escapeMarkup(flows)}</td><td>${escapeMarkup(because)}</td></tr>\n`;
}
