/**
 * `reach --matrix`: who reaches whom at a glance. Endpoints that fare alike towards everybody are one row, so five hundred
 * of them stay legible; columns that do not fit the terminal go on below.
 */
import { EVERYTHING } from "../net/application.ts";
import type { ReachPair } from "../reach/reach.ts";
import { printable } from "./escape.ts";
import { counted, shortNames, someOf } from "./names.ts";
import { flowText, isConnection, type ReachReport } from "./reach-report.ts";
import type { Style, Tone } from "./style.ts";
import { padEnd, textWidth } from "./text-width.ts";

export interface MatrixOptions {
  /** Columns of the terminal. */
  readonly width: number;
  /** Every endpoint is a row of its own. */
  readonly wide: boolean;
}

type Mark = "all" | "some" | "http" | "unsure" | "none" | "self";

const SIGNS: Readonly<Record<Mark, string>> = { all: "●", some: "◐", http: "◔", unsure: "?", none: "·", self: "\\" };
const TONES: Readonly<Record<Mark, Tone>> = {
  all: "allow",
  some: "allow",
  http: "unsure",
  unsure: "unsure",
  none: "faint",
  self: "faint",
};
const WORDS: readonly (readonly [Mark, string])[] = [
  ["all", "everything"],
  ["some", "some ports"],
  ["http", "some requests"],
  ["unsure", "not sure"],
  ["none", "nothing"],
];

/** Names of a folded row. */
const MOST_NAMES = 2;
/** A name takes no more of the line than this part. */
const NAME_PART = 0.5;

interface Group {
  readonly names: readonly string[];
  /** The first endpoint stands for all. */
  readonly index: number;
  /** The second, where there are several: between the two stands what passes within the group. */
  readonly second?: number;
}

export function* reachMatrix(report: ReachReport, style: Style, options: MatrixOptions): Iterable<string> {
  const names = report.rows.map(({ row }) => row.name);
  const cells = cellsOf(report, names);
  const groups = groupsOf(names, cells, options.wide);
  const number = `${groups.length}`.length;
  const most = Math.max(12, Math.floor(options.width * NAME_PART) - number - 1);
  const { labels, namespace } = labelsOf(groups, most);
  const left = number + 1 + Math.max(0, ...labels.map(textWidth)) + 1;
  // Where the columns do not fit side by side, they stand close, and their numbers stand upright.
  const close = left + groups.length * (number + 1) > options.width;
  const each = close ? 1 : number + 1;
  const fitting = Math.max(1, Math.floor((options.width - left) / each));
  for (let first = 0; first < groups.length; first += fitting) {
    const columns = groups.slice(first, first + fitting);
    if (first > 0) yield "\n";
    for (const line of heads(first, columns.length, number, close))
      yield `${style("strong", `${" ".repeat(left)}${line}`)}\n`;
    for (const [r, from] of groups.entries()) {
      const label = `${`${r + 1}`.padStart(number)} ${labels[r] ?? ""}`;
      const marks = columns.map((to) => {
        const mark = markOf(cells, from, to);
        return `${" ".repeat(each - 1)}${style(TONES[mark], SIGNS[mark])}`;
      });
      yield `${padEnd(label, left)}${marks.join("")}\n`;
    }
  }
  const used = new Set(groups.flatMap((from) => groups.map((to) => markOf(cells, from, to))));
  const legend = WORDS.filter(([mark]) => used.has(mark)).map(([mark, word]) => `${SIGNS[mark]} ${word}`);
  yield `\nrows talk to columns: ${legend.join(", ")}\n`;
  const folded = groups.length < names.length ? `, ${counted(groups.length, "kind")} (--wide names every one)` : "";
  const inside = namespace === undefined ? "" : ` of namespace ${printable(namespace)}`;
  yield `${counted(names.length, "endpoint")}${inside}${folded}, ${report.dialect}${report.complete ? "" : ", INCOMPLETE: policies were refused, see the messages"}\n`;
}

/** The numbers of the columns: side by side, or upright with a digit a line. */
function heads(first: number, count: number, digits: number, upright: boolean): readonly string[] {
  const numbers = Array.from({ length: count }, (_, i) => `${first + i + 1}`.padStart(upright ? digits : digits + 1));
  if (!upright) return [numbers.join("")];
  return Array.from({ length: digits }, (_, line) => numbers.map((one) => one[line] ?? " ").join(""));
}

/** What stands in each cell: its mark, and a text that is equal exactly where the same passes. */
interface Cells {
  mark(from: number, to: number): Mark;
  key(from: number, to: number): string;
}

function cellsOf(report: ReachReport, names: readonly string[]): Cells {
  const numbers = new Map(names.map((name, i) => [name, i]));
  const found = new Map<number, { mark: Mark; key: string }>();
  for (const pair of report.pairs) {
    const [from, to] = [numbers.get(pair.from), numbers.get(pair.to)];
    if (from !== undefined && to !== undefined)
      found.set(from * names.length + to, { mark: pairMark(pair), key: pairKey(pair) });
  }
  return {
    mark: (from, to) => found.get(from * names.length + to)?.mark ?? (from === to ? "self" : "none"),
    key: (from, to) => found.get(from * names.length + to)?.key ?? "",
  };
}

function pairMark({ allow, unsure, mixed }: ReachPair): Mark {
  // A ping that may pass is no connection that may.
  if (allow.length === 0 && mixed.length === 0) return unsure.some(isConnection) ? "unsure" : "none";
  if (allow.some((entry) => entry.protocol === "any" && entry.application === EVERYTHING)) return "all";
  const isFree = [...allow, ...mixed].some((entry) => entry.application === EVERYTHING);
  return isFree ? "some" : "http";
}

function pairKey(pair: ReachPair): string {
  return [pair.allow, pair.mixed, pair.unsure].map((entries) => entries.map(flowText).join(";")).join("|");
}

/** Endpoints alike in their row and in their column. Towards each other they must be alike too. */
function groupsOf(names: readonly string[], cells: Cells, wide: boolean): readonly Group[] {
  const short = shortNames(names);
  const shown = (i: number): string => short.get(names[i] ?? "") ?? "";
  if (wide) return names.map((_, i) => ({ names: [shown(i)], index: i }));
  const groups: number[][] = [];
  for (const i of names.keys()) {
    const own = groups.find(([first = 0]) => isAlike(first, i, names.length, cells));
    if (own === undefined) groups.push([i]);
    else own.push(i);
  }
  return groups.map(([first = 0, second, ...more]) => ({
    names: [first, ...(second === undefined ? [] : [second]), ...more].map(shown),
    index: first,
    ...(second === undefined ? {} : { second }),
  }));
}

function isAlike(a: number, b: number, count: number, cells: Cells): boolean {
  if (cells.key(a, b) !== cells.key(b, a)) return false;
  for (let i = 0; i < count; i++) {
    if (i === a || i === b) continue;
    if (cells.key(a, i) !== cells.key(b, i) || cells.key(i, a) !== cells.key(i, b)) return false;
  }
  return true;
}

/** Of a group towards itself: what passes between two of its members. */
function markOf(cells: Cells, from: Group, to: Group): Mark {
  return from === to && from.second !== undefined
    ? cells.mark(from.index, from.second)
    : cells.mark(from.index, to.index);
}

interface Labels {
  readonly labels: readonly string[];
  /** The one namespace of all, where labels leave it out to fit. */
  readonly namespace?: string;
}

/** The names of rows in so many columns: without a namespace that all share, then with how many more there are. */
function labelsOf(groups: readonly Group[], most: number): Labels {
  const whole = groups.map(({ names }) => printable(someOf(names, MOST_NAMES)));
  if (whole.every((label) => textWidth(label) <= most)) return { labels: whole };
  const spaces = new Set(groups.flatMap(({ names }) => names.map((name) => name.slice(0, name.indexOf("/") + 1))));
  const [shared = ""] = spaces.size === 1 ? spaces : [];
  const labels = groups.map(({ names }) => {
    const own = names.map((name) => name.slice(shared.length));
    const label = printable(someOf(own, MOST_NAMES));
    if (textWidth(label) <= most || own.length === 1) return cut(label, most);
    const rest = ` +${own.length - 1}`;
    return `${cut(printable(own[0] ?? ""), most - rest.length)}${rest}`;
  });
  return shared === "" ? { labels } : { labels, namespace: shared.slice(0, -1) };
}

function cut(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  let out = "";
  for (const character of text) {
    if (textWidth(out + character) > width - 1) break;
    out += character;
  }
  return `${out}…`;
}
