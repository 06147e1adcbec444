/** Pictures of a VPC: subnets as boxes, public ones above, an application a column, the internet over all. */
import type { EdgeTone, Topology, TopologyEdge, TopologySubnet } from "../questions/topology-form.ts";
import { escapeMarkup } from "./escape.ts";
import { textWidth } from "./text-width.ts";
import {
  arrow,
  type Box,
  edgeLabel,
  edgeTitle,
  type Label,
  legendLines,
  legendOf,
  legendWidth,
  LETTER,
  n,
  opening,
  PAD,
  rectangle,
} from "./topology-parts.ts";

const ROW = 28;
const HEAD = 26;
/** Between boxes of subnets, and between what stands in one. */
const GAP = 18;
const LANE = 14;
const INTERNET = "internet";

interface Layout {
  readonly width: number;
  readonly height: number;
  readonly internet: Box;
  readonly columns: readonly (Box & { readonly name: string })[];
  readonly subnets: readonly (Box & { readonly subnet: TopologySubnet })[];
  /** Where arrows begin and end: of what stands in several subnets its first box. */
  readonly nodes: ReadonlyMap<string, Box & { readonly column: number }>;
  /** Every box of every node. */
  readonly boxes: readonly (Box & { readonly name: string; readonly more: boolean })[];
}

/** Draws the subnets of a topology with what stands in them, and its arrows. */
export function* vpcSvg(topology: Topology, subnets: readonly TopologySubnet[]): Iterable<string> {
  const layout = layoutOf(topology, subnets);
  const legend = legendOf(topology);
  const width = Math.max(layout.width, legendWidth(legend), 40 + textWidth(topology.title) * LETTER);
  const height = layout.height + 34;
  yield* opening(topology.title, summaryOf(topology, subnets), width, height);
  for (const { x, y, width: wide, height: high, name } of layout.columns) {
    yield `<rect x="${x}" y="${y}" width="${wide}" height="${high}" rx="8" fill="none" stroke="#d0d7de" stroke-dasharray="2 3"/>\n`;
    yield `<text x="${x + PAD}" y="${y + 18}" font-weight="bold">${escapeMarkup(name)}</text>\n`;
  }
  for (const { subnet, x, y, width: wide, height: high } of layout.subnets) {
    const [fill, what] = subnet.isPublic ? ["#ddf4ff", "public"] : ["#f6f8fa", "private"];
    yield `<g><title>${escapeMarkup(`${subnet.name}: a ${what} subnet`)}</title><rect x="${x}" y="${y}" width="${wide}" height="${high}" rx="6" fill="${fill}" stroke="#d0d7de"/>`;
    yield `<text x="${x + PAD}" y="${y + 17}" font-size="11">${escapeMarkup(subnet.name)}</text>`;
    yield `<text class="small" x="${x + wide - PAD}" y="${y + 17}" text-anchor="end" style="fill:#57606a">${what}</text></g>\n`;
  }
  yield* rectangle(layout.internet, INTERNET, "#ffffff", "#54aeff", "everything outside");
  // What an arrow only passes stands before it.
  yield* arrows(topology.edges, layout);
  for (const box of layout.boxes) {
    yield `<g><title>${escapeMarkup(box.name)}</title><rect x="${box.x}" y="${box.y}" width="${box.width}" height="${box.height}" rx="5" fill="#ffffff" stroke="#1f2328"${box.more ? ' stroke-dasharray="4 3"' : ""}/>`;
    yield `<text x="${box.x + box.width / 2}" y="${box.y + 18}" text-anchor="middle">${escapeMarkup(box.name)}</text></g>\n`;
  }
  yield* legendLines(legend, layout.height + 14);
  yield "</svg>\n";
}

function summaryOf(topology: Topology, subnets: readonly TopologySubnet[]): string {
  const open = subnets.filter((subnet) => subnet.isPublic).length;
  return `${topology.nodes.length} endpoints in ${subnets.length} subnets, ${open} of them public, ${topology.edges.length} arrows`;
}

// ── layout ─────────────────────────────────────────────────────────────────────────────────────────────────────────

function layoutOf(topology: Topology, subnets: readonly TopologySubnet[]): Layout {
  const shown = subnets.filter((subnet) => subnet.nodes.length > 0 || subnets.length <= 40);
  const columns = topology.columns.filter((name) => shown.some((subnet) => subnet.column === name));
  const inner = Math.max(140, ...shown.flatMap((subnet) => subnet.nodes).map((name) => textWidth(name) * LETTER + 24));
  const head = Math.max(0, ...shown.map((subnet) => textWidth(subnet.name) * 6.5 + 80));
  const subnetWidth = Math.ceil(Math.max(inner + 2 * PAD, head));
  const labels = Math.max(0, ...topology.edges.map((edge) => textWidth(edgeLabel(edge))));
  // Lanes and labels have their room left and right of every column.
  const room = Math.ceil(60 + labels * 6.2 + LANE * 3);
  const pitch = subnetWidth + 2 * PAD + room;
  const top = 76;
  const nodes = new Map<string, Box & { column: number }>();
  const boxes: (Box & { name: string; more: boolean })[] = [];
  const placed: (Box & { subnet: TopologySubnet })[] = [];
  let rowTop = top + HEAD;
  let bottom = rowTop;
  for (const isPublic of [true, false]) {
    let lowest = rowTop;
    for (const [column, name] of columns.entries()) {
      const x = room + column * pitch + PAD;
      let y = rowTop;
      for (const subnet of shown.filter((one) => one.isPublic === isPublic && one.column === name)) {
        const height = HEAD + Math.max(1, subnet.nodes.length) * (ROW + GAP) + 2;
        placed.push({ subnet, x, y, width: subnetWidth, height });
        for (const [i, node] of subnet.nodes.entries()) {
          const box = { x: x + PAD, y: y + HEAD + i * (ROW + GAP) + 6, width: subnetWidth - 2 * PAD, height: ROW };
          boxes.push({ ...box, name: node, more: nodes.has(node) });
          if (!nodes.has(node)) nodes.set(node, { ...box, column });
        }
        y += height + GAP;
      }
      lowest = Math.max(lowest, y);
    }
    bottom = lowest;
    if (lowest > rowTop) rowTop = lowest + GAP;
  }
  const width = room + columns.length * pitch;
  return {
    width,
    height: bottom + PAD + 10,
    internet: { x: PAD, y: 34, width: width - 2 * PAD, height: ROW },
    columns: columns.map((name, i) => ({
      name,
      x: room + i * pitch,
      y: top,
      width: subnetWidth + 2 * PAD,
      height: bottom - top,
    })),
    subnets: placed,
    nodes,
    boxes,
  };
}

// ── arrows ─────────────────────────────────────────────────────────────────────────────────────────────────────────

function* arrows(edges: readonly TopologyEdge[], layout: Layout): Iterable<string> {
  const lanes = new Map<string, number>();
  const labelled = new Set<string>();
  const next = (key: string): number => {
    const lane = lanes.get(key) ?? 0;
    lanes.set(key, lane + 1);
    return lane;
  };
  for (const edge of edges) {
    const [from, to] = [layout.nodes.get(edge.from), layout.nodes.get(edge.to)];
    const drawn =
      from === undefined
        ? to === undefined
          ? undefined
          : fromAbove(layout, to, next(`in ${to.column}`), edge)
        : to === undefined
          ? toAbove(layout, from, next(`out ${from.column}`), edge)
          : across(from, to, next(from.column === to.column ? `in column ${from.column}` : "across"), edge);
    if (drawn === undefined) continue;
    const title =
      edge.from === INTERNET || layout.nodes.has(edge.from) ? edgeTitle(edge) : `${edge.from}: ${edgeTitle(edge)}`;
    const { path, label } = drawn;
    // One label that says the same at the same end is enough.
    const key = `${edge.to} ${edge.tone} ${label?.text ?? ""} ${from === undefined || to === undefined ? edge.from : ""}`;
    yield* arrow(path, edge.tone, title, labelled.has(key) ? undefined : label, isDashed(edge.tone));
    labelled.add(key);
  }
}

function isDashed(tone: EdgeTone): boolean {
  return tone === "lost" || tone === "unsure";
}

interface Drawn {
  readonly path: string;
  readonly label: Label | undefined;
}

/** From the internet by a lane left of the column into the side of the box. */
function fromAbove(layout: Layout, to: Box, lane: number, edge: TopologyEdge): Drawn {
  const x = to.x - 2 * PAD - 10 - (lane % 4) * LANE;
  const y = to.y + to.height / 2 - 5;
  const start = layout.internet.y + layout.internet.height;
  return {
    path: `M${n(x)} ${n(start)}L${n(x)} ${n(y - 8)}Q${n(x)} ${n(y)} ${n(x + 8)} ${n(y)}L${n(to.x)} ${n(y)}`,
    label: { text: named(edge, edge.from), x: x - 6, y: y - 4, anchor: "end" },
  };
}

/** To the internet by a lane right of the column. */
function toAbove(layout: Layout, from: Box, lane: number, edge: TopologyEdge): Drawn {
  const right = from.x + from.width;
  const x = right + 2 * PAD + 10 + (lane % 4) * LANE;
  const y = from.y + from.height / 2 + 5;
  const end = layout.internet.y + layout.internet.height;
  return {
    path: `M${n(right)} ${n(y)}L${n(x - 8)} ${n(y)}Q${n(x)} ${n(y)} ${n(x)} ${n(y - 8)}L${n(x)} ${n(end)}`,
    label: { text: named(edge, edge.to), x: x + 6, y: y + 4, anchor: "start" },
  };
}

/** What is outside and not the whole internet is named at its arrow. */
function named(edge: TopologyEdge, end: string): string {
  return end === INTERNET ? edgeLabel(edge) : `${edgeLabel(edge)} ${end.length > 24 ? `${end.slice(0, 23)}…` : end}`;
}

function across(from: Box & { column: number }, to: Box & { column: number }, slot: number, edge: TopologyEdge): Drawn {
  const text = edgeLabel(edge);
  if (from.column === to.column) {
    // Down through the middle, up along the right side.
    if (from.y < to.y) {
      const x = from.x + from.width * (0.4 + 0.1 * (slot % 3));
      const [a, b] = [from.y + from.height, to.y];
      return { path: `M${n(x)} ${n(a)}L${n(x)} ${n(b)}`, label: { text, x: x + 5, y: b - 5, anchor: "start" } };
    }
    const x = from.x + from.width * (0.72 + 0.08 * (slot % 3));
    const [a, b] = [from.y, to.y + to.height];
    if (from.y === to.y) return { path: `M${n(x)} ${n(a)}L${n(x)} ${n(b)}`, label: undefined };
    return { path: `M${n(x)} ${n(a)}L${n(x)} ${n(b)}`, label: { text, x: x + 5, y: b + 11, anchor: "start" } };
  }
  const right = to.column > from.column;
  const shift = ((slot % 5) - 2) * 3;
  const [x1, x2] = right ? [from.x + from.width, to.x] : [from.x, to.x + to.width];
  const [y1, y2] = [from.y + from.height / 2 + shift, to.y + to.height / 2 + shift];
  const bend = (right ? 1 : -1) * Math.max(40, Math.abs(x2 - x1) * 0.4);
  const label: Label = right
    ? { text, x: x2 - 10, y: y2 + 12, anchor: "end" }
    : { text, x: x2 + 10, y: y2 + 12, anchor: "start" };
  return { path: `M${n(x1)} ${n(y1)}C${n(x1 + bend)} ${n(y1)} ${n(x2 - bend)} ${n(y2)} ${n(x2)} ${n(y2)}`, label };
}
