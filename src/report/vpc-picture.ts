/** Pictures of a VPC: subnets as boxes, public ones above, an application a column. */
import type { ReachPair } from "../reach/pairs.ts";
import { isPublicSubnet } from "../vpc/decide/routes.ts";
import type { VpcEngine } from "../vpc/engine.ts";
import { type Network, possible, type Subnet } from "../vpc/model.ts";
import { applicationOf } from "../vpc/applications.ts";
import { escapeMarkup, quoteDot } from "./escape.ts";
import { flowText, type ReachReport } from "./reach-report.ts";
import { pairText } from "./reach-svg.ts";
import { textWidth } from "./text-width.ts";

interface Box {
  readonly subnet: Subnet;
  readonly isPublic: boolean;
  /** Column: the application of its tags, or of what is in it. */
  readonly column: string;
  readonly owners: readonly string[];
}

function boxesOf(network: Network): readonly Box[] {
  return [...network.subnets.values()].map((subnet) => {
    const inside = [...network.owners.values()].filter((o) =>
      o.interfaces.some((i) => possible(i.subnet).includes(subnet.name)),
    );
    const own = applicationOf(subnet.tags) ?? inside.flatMap((o) => applicationOf(o.tags) ?? [])[0];
    return { subnet, isPublic: isPublicSubnet(network, subnet), column: own ?? "", owners: inside.map((o) => o.name) };
  });
}

/** `reach -o dot` of a VPC. */
export function* vpcDot(report: ReachReport, engine: VpcEngine): Iterable<string> {
  yield 'digraph bulkhead {\n  rankdir=TB;\n  node [shape=box, fontname="sans-serif"];\n  edge [fontname="sans-serif", fontsize=10];\n';
  const placed = new Set<string>();
  for (const [i, box] of boxesOf(engine.network).entries()) {
    yield `  subgraph cluster_${i} {\n    label=${quoteDot(`${box.subnet.name}${box.isPublic ? " (public)" : ""}`)};\n`;
    for (const name of box.owners) {
      if (placed.has(name)) continue;
      placed.add(name);
      yield `    ${quoteDot(name)};\n`;
    }
    yield "  }\n";
  }
  for (const pair of report.pairs) {
    const sure = pair.allow.length > 0;
    const label = (sure ? pair.allow : [...pair.mixed, ...pair.unsure]).map(flowText).join("\n");
    yield `  ${quoteDot(pair.from)} -> ${quoteDot(pair.to)} [label=${quoteDot(label)}${sure ? "" : ', style=dashed, color="#b58900"'}];\n`;
  }
  yield "}\n";
}

const LETTER = 7.2;
const LINE = 22;

/** `reach -o svg` of a VPC. */
export function* vpcSvg(report: ReachReport, engine: VpcEngine): Iterable<string> {
  const boxes = boxesOf(engine.network);
  const columns = [...new Set(boxes.map((b) => b.column))].sort();
  const widest = Math.max(20, ...boxes.flatMap((b) => [b.subnet.name, ...b.owners]).map(textWidth));
  const width = Math.ceil(widest * LETTER) + 32;
  const heightOf = (box: Box): number => (box.owners.length + 1) * LINE + 12;
  const at = new Map<string, { readonly x: number; readonly y: number }>();
  const drawn: string[] = [];
  let bottom = 0;
  let top = 64;
  for (const isPublic of [true, false]) {
    let lowest = top;
    for (const [c, column] of columns.entries()) {
      let y = top;
      const x = 24 + c * (width + 40);
      for (const box of boxes.filter((b) => b.isPublic === isPublic && b.column === column)) {
        const height = heightOf(box);
        drawn.push(
          `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="6" fill="${isPublic ? "#ddf4ff" : "#f6f8fa"}" stroke="#d0d7de"/>\n`,
        );
        drawn.push(
          `<text x="${x + 10}" y="${y + 18}" font-weight="bold" fill="#1f2328">${escapeMarkup(box.subnet.name)}</text>\n`,
        );
        for (const [i, name] of box.owners.entries()) {
          const line = y + (i + 1) * LINE + 16;
          drawn.push(`<text x="${x + 16}" y="${line}" fill="#1f2328">${escapeMarkup(name)}</text>\n`);
          if (!at.has(name)) at.set(name, { x: x + width / 2, y: line - 4 });
        }
        y += height + 16;
      }
      lowest = Math.max(lowest, y);
    }
    top = lowest + 48;
    bottom = lowest;
  }
  const whole = 24 + columns.length * (width + 40);
  at.set("internet", { x: whole / 2, y: 28 });
  yield `<svg xmlns="http://www.w3.org/2000/svg" width="${whole}" height="${bottom + 48}" viewBox="0 0 ${whole} ${bottom + 48}" font-family="ui-monospace, monospace" font-size="12" role="img">\n`;
  yield `<title>${escapeMarkup("Who reaches whom in the VPC")}</title>\n<rect width="${whole}" height="${bottom + 48}" fill="#ffffff"/>\n`;
  yield '<defs><marker id="tip" markerWidth="8" markerHeight="8" refX="7" refY="3" orient="auto"><path d="M0 0L7 3L0 6z" fill="#57606a"/></marker></defs>\n';
  yield `<text x="${whole / 2}" y="28" text-anchor="middle" fill="#1f2328">internet</text>\n`;
  yield* drawn;
  for (const pair of report.pairs) {
    const line = arrow(pair, at);
    if (line !== "") yield line;
  }
  yield `<text x="24" y="${bottom + 28}" fill="#57606a">blue: public subnets; green: passes, amber: some or not sure</text>\n</svg>\n`;
}

function arrow(pair: ReachPair, at: ReadonlyMap<string, { readonly x: number; readonly y: number }>): string {
  const from = at.get(pair.from);
  const to = at.get(pair.to);
  if (from === undefined || to === undefined) return "";
  const colour = pair.allow.length === 0 ? "#d4a72c" : "#2da44e";
  const bend = from.x === to.x ? 40 : 0;
  const middle = `${(from.x + to.x) / 2 + bend} ${(from.y + to.y) / 2}`;
  return `<path d="M${from.x} ${from.y}Q${middle} ${to.x} ${to.y}" stroke="${colour}" stroke-width="1.5" fill="none" marker-end="url(#tip)"><title>${escapeMarkup(pairText(pair))}</title></path>\n`;
}
