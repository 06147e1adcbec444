/** The topology as a picture: the outside in the north, an application a column, arrows with their ports. */
import type { Topology, TopologyEntrance, TopologyNode } from "../questions/topology-form.ts";
import { escapeMarkup } from "./escape.ts";
import { textWidth } from "./text-width.ts";
import {
  arrow,
  type Box,
  edgeLabel,
  edgeTitle,
  type Label,
  LABEL,
  legendLines,
  legendOf,
  legendWidth,
  LETTER,
  n,
  opening,
  PAD,
  rectangle,
  summary,
} from "./topology-parts.ts";
import { vpcSvg } from "./vpc-picture.ts";

const ROW = 30;
const GAP = 26;
const HEAD = 34;
/** Columns of one row; further ones go below. */
const COLUMNS = 6;

interface Layout {
  readonly width: number;
  readonly height: number;
  readonly internet: Box | undefined;
  readonly entrances: ReadonlyMap<string, Box>;
  readonly columns: readonly (Box & { readonly name: string })[];
  readonly nodes: ReadonlyMap<string, Box>;
}

export function* topologySvg(topology: Topology): Iterable<string> {
  if (topology.subnets !== undefined) {
    yield* vpcSvg(topology, topology.subnets);
    return;
  }
  const layout = layoutOf(topology);
  const legend = legendOf(topology);
  const width = Math.max(layout.width, legendWidth(legend), 40 + textWidth(topology.title) * LETTER);
  const height = layout.height + 34;
  yield* opening(topology.title, summary(topology), width, height);
  for (const column of layout.columns) {
    yield `<rect x="${column.x}" y="${column.y}" width="${column.width}" height="${column.height}" rx="6" fill="#f6f8fa" stroke="#d0d7de"/>\n`;
    yield `<text x="${column.x + PAD}" y="${column.y + 21}" font-weight="bold">${escapeMarkup(column.name)}</text>\n`;
  }
  yield* arrows(topology, layout);
  if (layout.internet !== undefined) yield* rectangle(layout.internet, "internet", "#ddf4ff", "#54aeff", "the outside");
  for (const entrance of distinct(topology.entrances)) {
    const box = layout.entrances.get(entrance.id);
    if (box === undefined) continue;
    yield* rectangle(
      box,
      entrance.label,
      "#ffffff",
      "#54aeff",
      `${entrance.label} ${entrance.detail}`,
      entrance.detail,
    );
  }
  for (const node of topology.nodes) {
    const box = layout.nodes.get(node.id);
    if (box !== undefined) yield* nodeBox(node, box);
  }
  yield* legendLines(legend, layout.height + 14);
  yield "</svg>\n";
}

// ── layout ─────────────────────────────────────────────────────────────────────────────────────────────────────────

function widthOf(text: string): number {
  return Math.ceil(textWidth(text) * LETTER) + 2 * PAD;
}

function nodeLabel(node: TopologyNode): string {
  return node.count > 1 ? `${node.label} (${node.count})` : node.label;
}

function distinct(entrances: readonly TopologyEntrance[]): readonly TopologyEntrance[] {
  return [...new Map(entrances.map((one) => [one.id, one])).values()];
}

function layoutOf(topology: Topology): Layout {
  // Room for a label at either end.
  const longest = Math.max(0, ...topology.edges.map((edge) => textWidth(edgeLabel(edge))));
  const gap = Math.ceil(90 + 9.5 * Math.min(longest, LABEL));
  const entrances = new Map<string, Box>();
  const nodes = new Map<string, Box>();
  const columns: (Box & { name: string })[] = [];
  let y = 36;
  let widest = 0;
  const north = distinct(topology.entrances);
  let internet: Box | undefined;
  if (north.length > 0) {
    const entranceY = y + ROW + 36;
    let x = PAD;
    let rowY = entranceY;
    for (const one of north) {
      const width = Math.max(widthOf(one.label), widthOf(one.detail));
      if (x > PAD && x + width > 1200) {
        x = PAD;
        rowY += ROW + 14 + 16;
      }
      entrances.set(one.id, { x, y: rowY, width, height: ROW + 14 });
      x += width + GAP;
      widest = Math.max(widest, x);
    }
    internet = { x: PAD, y, width: Math.max(120, Math.min(widest - GAP - PAD, 1200)), height: ROW };
    y = rowY + ROW + 14 + 60;
  }
  let x = PAD + 30;
  let rowHeight = 0;
  for (const [i, name] of topology.columns.entries()) {
    if (i > 0 && i % COLUMNS === 0) {
      x = PAD + 30;
      y += rowHeight + 60;
      rowHeight = 0;
    }
    const own = topology.nodes.filter((node) => node.column === name);
    const width =
      Math.max(widthOf(name), ...own.map((node) => widthOf(nodeLabel(node)) + (node.open ? 20 : 0))) + 2 * PAD;
    const height = HEAD + own.length * (ROW + GAP) + PAD - 6;
    columns.push({ name, x, y, width, height });
    for (const [k, node] of own.entries()) {
      nodes.set(node.id, { x: x + PAD, y: y + HEAD + k * (ROW + GAP) + 4, width: width - 2 * PAD, height: ROW });
    }
    rowHeight = Math.max(rowHeight, height);
    x += width + gap;
    widest = Math.max(widest, x - gap + 150);
  }
  return { width: widest + PAD, height: y + rowHeight + 30, internet, entrances, columns, nodes };
}

// ── boxes and arrows ───────────────────────────────────────────────────────────────────────────────────────────────

function* nodeBox(node: TopologyNode, box: Box): Iterable<string> {
  const state = node.open ? "open to everybody inside" : node.governed ? "a policy selects it" : "no policy selects it";
  const [fill, stroke] = node.open
    ? ["#fff8c5", "#d4a72c"]
    : node.governed
      ? ["#ffffff", "#1f2328"]
      : ["#ffffff", "#8c959f"];
  yield `<g><title>${escapeMarkup(`${node.id}: ${state}`)}</title><rect x="${box.x}" y="${box.y}" width="${box.width}" height="${box.height}" rx="5" fill="${fill}" stroke="${stroke}"${node.governed ? ' stroke-width="1.6"' : ' stroke-dasharray="4 3"'}/>`;
  yield `<text x="${box.x + box.width / 2}" y="${box.y + 19}" text-anchor="middle">${escapeMarkup(nodeLabel(node))}${node.open ? " ∗" : ""}</text></g>\n`;
}

function* arrows(topology: Topology, layout: Layout): Iterable<string> {
  const { internet } = layout;
  if (internet !== undefined) {
    for (const box of layout.entrances.values()) {
      const x = Math.min(box.x + box.width / 2, internet.x + internet.width - 8);
      const d = `M${n(x)} ${internet.y + internet.height}L${n(box.x + box.width / 2)} ${box.y}`;
      yield `<path class="edge" d="${d}" stroke="#54aeff"/>\n`;
    }
  }
  const labels = new Labels();
  for (const entrance of topology.entrances) {
    const [from, to] = [layout.entrances.get(entrance.id), layout.nodes.get(entrance.to)];
    if (from === undefined || to === undefined) continue;
    const closed = entrance.tone === "closed";
    const text = closed ? "closed" : entrance.ports;
    const title = `${entrance.label} ${entrance.detail} → ${entrance.to}: ${text}`;
    const label = labels.place(to, "top", text, entrance.tone);
    yield* arrow(fall(from, to), entrance.tone, title, label, closed || entrance.tone === "unsure");
  }
  const slots = new Map<string, number>();
  for (const edge of topology.edges) {
    const [from, to] = [layout.nodes.get(edge.from), layout.nodes.get(edge.to)];
    if (from === undefined || to === undefined) continue;
    // Arrows on the same way leave each other room.
    const key = from.x === to.x ? `${from.x} ${from.y}` : `${from.x} ${to.x} ${to.y}`;
    const slot = slots.get(key) ?? 0;
    slots.set(key, slot + 1);
    const side = to.x <= from.x ? "right" : "left";
    const label = labels.place(to, side, edgeLabel(edge), edge.tone);
    const dashed = edge.tone === "lost" || edge.tone === "unsure";
    yield* arrow(curve(from, to, slot, layout), edge.tone, edgeTitle(edge), label, dashed);
  }
}

/** Labels stand where their arrows arrive; one that stands there already is not written again. */
class Labels {
  private readonly placed = new Map<string, Set<string>>();

  place(to: Box, side: "top" | "left" | "right", text: string, tone: string): Label | undefined {
    const key = `${to.x} ${to.y} ${side}`;
    const known = this.placed.get(key) ?? new Set<string>();
    this.placed.set(key, known);
    if (text === "" || known.has(`${tone} ${text}`)) return undefined;
    const line = known.size;
    known.add(`${tone} ${text}`);
    if (side === "top") return { text, x: to.x + to.width * 0.3 + 6, y: to.y - 4 - line * 11, anchor: "start" };
    const y = to.y + 11 + line * 11;
    return side === "left"
      ? { text, x: to.x - 10, y, anchor: "end" }
      : { text, x: to.x + to.width + 10, y, anchor: "start" };
  }
}

/** From above into the top of a box. */
function fall(from: Box, to: Box): string {
  const [x1, y1] = [from.x + from.width / 2, from.y + from.height];
  const [x2, y2] = [to.x + to.width * 0.3, to.y];
  const bend = Math.max(30, (y2 - y1) * 0.45);
  return `M${n(x1)} ${n(y1)}C${n(x1)} ${n(y1 + bend)} ${n(x2)} ${n(y2 - bend)} ${n(x2)} ${n(y2)}`;
}

/** From side to side; around on the right within a column; past other columns in the room between two rows of boxes. */
function curve(from: Box, to: Box, slot: number, layout: Layout): string {
  const [y1, y2] = [from.y + from.height / 2, to.y + to.height / 2];
  const offset = (((slot + 2) % 5) - 2) * 4;
  if (from.x === to.x) {
    const x = from.x + from.width;
    const bend = 26 + (slot % 6) * 12;
    const down = y2 >= y1;
    const [a, b] = [y1 + (down ? 6 : -6), y2 + (down ? -6 : 6)];
    return `M${n(x)} ${n(a)}C${n(x + bend)} ${n(a)} ${n(x + bend)} ${n(b)} ${n(x)} ${n(b)}`;
  }
  const right = to.x > from.x;
  const way = right ? 1 : -1;
  const x1 = right ? from.x + from.width : from.x;
  const x2 = right ? to.x : to.x + to.width;
  const [a, b] = [y1 + offset, y2 + offset];
  const between = layout.columns.some((column) => {
    const inside = column.x > Math.min(x1, x2) && column.x + column.width < Math.max(x1, x2);
    return inside && column.y <= Math.max(y1, y2) && column.y + column.height >= Math.min(y1, y2);
  });
  if (between) {
    const lane = to.y + to.height + GAP / 2 + offset * 0.8;
    const [p, q] = [x1 + way * 60, x2 - way * 60];
    return `M${n(x1)} ${n(a)}C${n(x1 + way * 35)} ${n(a)} ${n(x1 + way * 25)} ${n(lane)} ${n(p)} ${n(lane)}L${n(q)} ${n(lane)}C${n(x2 - way * 25)} ${n(lane)} ${n(x2 - way * 35)} ${n(b)} ${n(x2)} ${n(b)}`;
  }
  const bend = Math.max(40, Math.abs(x2 - x1) * 0.4) * way;
  return `M${n(x1)} ${n(a)}C${n(x1 + bend)} ${n(a)} ${n(x2 - bend)} ${n(b)} ${n(x2)} ${n(b)}`;
}
