/** What pictures of topologies are made of: colours, boxes, arrows, labels, legends. */
import type { EdgeTone, Topology, TopologyEdge } from "../questions/topology-form.ts";
import { escapeMarkup } from "./escape.ts";
import { flowText } from "./reach-report.ts";
import { textWidth } from "./text-width.ts";

/** The width of a letter. */
export const LETTER = 7;
export const PAD = 12;
/** Letters of a label at an arrow. */
export const LABEL = 26;

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** How a picture begins: its size, what it is called and what it shows. */
export function* opening(title: string, text: string, width: number, height: number): Iterable<string> {
  yield `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="ui-monospace, Menlo, Consolas, monospace" font-size="12" role="img" aria-labelledby="title description">\n`;
  yield `<title id="title">${escapeMarkup(title)}</title>\n<desc id="description">${escapeMarkup(text)}</desc>\n`;
  yield `<style>${STYLE}</style>\n<defs>${Object.entries(COLOURS)
    .map(([tone, colour]) => marker(tone, colour))
    .join("")}</defs>\n`;
  yield `<rect width="${width}" height="${height}" fill="#ffffff"/>\n`;
  yield `<text x="${PAD}" y="20" font-weight="bold">${escapeMarkup(title)}</text>\n`;
}

function marker(tone: string, colour: string): string {
  return `<marker id="arrow-${tone}" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path d="M0 0 8 4 0 8z" fill="${colour}"/></marker>`;
}

export function* rectangle(
  box: Box,
  label: string,
  fill: string,
  stroke: string,
  title: string,
  detail?: string,
): Iterable<string> {
  const middle = box.x + box.width / 2;
  const line = detail === undefined ? box.y + box.height / 2 + 4 : box.y + 18;
  yield `<g><title>${escapeMarkup(title)}</title><rect x="${box.x}" y="${box.y}" width="${box.width}" height="${box.height}" rx="5" fill="${fill}" stroke="${stroke}"/>`;
  yield `<text x="${middle}" y="${line}" text-anchor="middle">${escapeMarkup(label)}</text>`;
  if (detail !== undefined)
    yield `<text class="small" x="${middle}" y="${box.y + 34}" text-anchor="middle">${escapeMarkup(detail)}</text>`;
  yield "</g>\n";
}

export interface Label {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly anchor: "start" | "end";
}

export function* arrow(
  d: string,
  tone: EdgeTone | "closed",
  title: string,
  label: Label | undefined,
  dashed: boolean,
): Iterable<string> {
  const colour = COLOURS[tone];
  yield `<g><title>${escapeMarkup(title)}</title><path class="edge" d="${d}" stroke="${colour}"${dashed ? ' stroke-dasharray="6 4"' : ""} marker-end="url(#arrow-${tone})"/>`;
  if (label !== undefined) {
    const { text, x, y, anchor } = label;
    yield `<text class="small halo" x="${n(x)}" y="${n(y)}" text-anchor="${anchor}" style="fill:${colour}">${escapeMarkup(text)}</text>`;
  }
  yield "</g>\n";
}

export function edgeLabel(edge: TopologyEdge): string {
  const sign = edge.tone === "gained" ? "+ " : edge.tone === "lost" ? "− " : edge.tone === "unsure" ? "? " : "";
  const text = edge.flows.map(flowText).join("; ");
  const many = edge.count > 1 ? ` ×${edge.count}` : "";
  return `${sign}${text.length > LABEL ? `${text.slice(0, LABEL - 1)}…` : text}${many}`;
}

export function edgeTitle(edge: TopologyEdge): string {
  const because = edge.because.map(({ code, detail }) => `\n${code}: ${detail}`).join("");
  const pairs = edge.count > 1 ? ` (${edge.count} pairs)` : "";
  return `${edge.from} → ${edge.to}${pairs}: ${edge.flows.map(flowText).join("; ")}${edge.note === undefined ? "" : `\n${edge.note}`}${because}`;
}

/** Whole tenths, so that the same input gives the same bytes everywhere. */
export function n(value: number): number {
  return Math.round(value * 10) / 10;
}

export function summary(topology: Topology): string {
  const boxes = topology.folded ? "applications" : "endpoints";
  const open = topology.nodes.filter((node) => node.open).length;
  return `${topology.nodes.length} ${boxes} in ${topology.columns.length} columns, ${topology.edges.length} arrows, ${topology.entrances.length} ways in${open > 0 ? `, ${open} open to everybody inside` : ""}`;
}

export type Legend = readonly (readonly [tone: EdgeTone | "closed" | "open", text: string])[];

const WORDS: Readonly<Record<EdgeTone | "closed", string>> = {
  allow: "passes",
  narrowed: "only some requests pass",
  unsure: "not sure",
  gained: "gained",
  lost: "lost",
  closed: "a way in that is closed",
};

export function legendOf(topology: Topology): Legend {
  const tones = new Set<EdgeTone | "closed">([
    ...topology.edges.map((edge) => edge.tone),
    ...topology.entrances.map((one) => one.tone),
  ]);
  const lines = (["allow", "narrowed", "gained", "lost", "unsure", "closed"] as const)
    .filter((tone) => tones.has(tone))
    .map((tone) => [tone, WORDS[tone]] as const);
  return topology.nodes.some((node) => node.open)
    ? [...lines, ["open", "∗ open to everybody inside: arrows left out"] as const]
    : lines;
}

export function legendWidth(legend: Legend): number {
  return legend.reduce((x, [, text]) => x + 34 + textWidth(text) * LETTER, PAD) + PAD;
}

export function* legendLines(legend: Legend, y: number): Iterable<string> {
  let x = PAD;
  for (const [tone, text] of legend) {
    if (tone === "open")
      yield `<rect x="${x}" y="${y - 9}" width="18" height="12" rx="3" fill="#fff8c5" stroke="#d4a72c"/>`;
    else
      yield `<path d="M${x} ${y - 3}h18" stroke="${COLOURS[tone]}" stroke-width="2"${tone === "allow" || tone === "narrowed" || tone === "gained" ? "" : ' stroke-dasharray="6 4"'}/>`;
    yield `<text class="small" x="${x + 24}" y="${y}">${escapeMarkup(text)}</text>\n`;
    x += 34 + Math.ceil(textWidth(text) * LETTER);
  }
}

export const COLOURS: Readonly<Record<EdgeTone | "closed", string>> = {
  allow: "#1a7f37",
  narrowed: "#0969da",
  unsure: "#9a6700",
  gained: "#1a7f37",
  lost: "#cf222e",
  closed: "#cf222e",
};

const STYLE =
  ".edge{fill:none;stroke-width:1.6}.edge:hover{stroke-width:4}text{fill:#1f2328}.small{font-size:10px}.halo{paint-order:stroke;stroke:#fff;stroke-width:3px}";
