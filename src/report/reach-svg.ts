/**
 * `reach -o svg`: the topology; where there is none to draw (groups, a Service, somewhere outside), the matrix as a
 * picture, in which a cell is filled where something passes and says what on hover.
 */
import type { ReachPair } from "../reach/reach.ts";
import { escapeMarkup } from "./escape.ts";
import { decidersText, flowText, type ReachReport, unsureTexts } from "./reach-report.ts";
import { textWidth } from "./text-width.ts";
import { topologySvg } from "./topology-svg.ts";

const CELL = 24;
const LETTER = 7.2;

export function reachSvg(report: ReachReport): Iterable<string> {
  return report.topology === undefined ? matrixSvg(report) : topologySvg(report.topology());
}

function* matrixSvg(report: ReachReport): Iterable<string> {
  const pairs = [...report.pairs];
  // What is outside is no row of its own, but has a place in the picture.
  const names = [
    ...new Set([...report.rows.map(({ row }) => row.name), ...pairs.flatMap(({ from, to }) => [from, to])]),
  ];
  const at = new Map(names.map((name, i) => [name, i] as const));
  const widest = Math.max(4, ...names.map(textWidth)) * LETTER;
  const left = Math.ceil(widest) + 24;
  const top = Math.ceil(widest) + 24;
  const side = names.length * CELL;
  const width = left + side + 24;
  const height = top + side + 48;
  yield `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="ui-monospace, monospace" font-size="12" role="img">\n`;
  yield `<title>${escapeMarkup(`Who reaches whom, ${report.dialect}`)}</title>\n`;
  yield `<rect width="${width}" height="${height}" fill="#ffffff"/>\n`;
  for (const [i, name] of names.entries()) {
    const middle = i * CELL + CELL / 2;
    yield `<text x="${left - 8}" y="${top + middle + 4}" text-anchor="end" fill="#1f2328">${escapeMarkup(name)}</text>\n`;
    yield `<text transform="translate(${left + middle + 4} ${top - 8}) rotate(-90)" fill="#1f2328">${escapeMarkup(name)}</text>\n`;
  }
  yield `<path d="${grid(names.length, left, top)}" stroke="#d0d7de" fill="none"/>\n`;
  for (const pair of pairs) {
    const x = left + (at.get(pair.to) ?? 0) * CELL + 2;
    const y = top + (at.get(pair.from) ?? 0) * CELL + 2;
    yield `<rect x="${x}" y="${y}" width="${CELL - 4}" height="${CELL - 4}" rx="3" fill="${colour(pair)}"><title>${escapeMarkup(pairText(pair))}</title></rect>\n`;
  }
  yield `<text x="${left}" y="${top + side + 24}" fill="#57606a">rows talk to columns; green: passes, amber: some or not sure, empty: nothing passes</text>\n`;
  yield "</svg>\n";
}

function grid(count: number, left: number, top: number): string {
  const lines: string[] = [];
  for (let i = 0; i <= count; i++) {
    lines.push(`M${left} ${top + i * CELL}h${count * CELL}`, `M${left + i * CELL} ${top}v${count * CELL}`);
  }
  return lines.join("");
}

function colour(pair: ReachPair): string {
  if (pair.allow.length === 0) return "#d4a72c";
  return pair.unsure.length + pair.mixed.length > 0 ? "#8ac926" : "#2da44e";
}

/** One pair in a few lines. */
export function pairText(pair: ReachPair): string {
  const lines = [
    `${pair.from} → ${pair.to}`,
    ...pair.allow.map((entry) => {
      const why = decidersText(entry.deciders);
      return why === "" ? flowText(entry) : `${flowText(entry)} – ${why}`;
    }),
    ...pair.mixed.map((entry) => `some: ${flowText(entry)}`),
    ...unsureTexts(pair.unsure).map(([may, why]) => `${may} – ${why}`),
  ];
  return lines.join("\n");
}
