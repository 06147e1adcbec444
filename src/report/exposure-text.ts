/** `exposure` for people: what leads in, whose own address is open, what leads out; equal answers are folded. */
import type { Exposed, WayIn, WayOut } from "../questions/exposure.ts";
import { printable } from "./escape.ts";
import {
  arrivalText,
  type CloserText,
  closersOfWay,
  closerText,
  type ExposureReport,
  fold,
  outText,
  wayText,
} from "./exposure-report.ts";
import { counted, shortNames, someOf } from "./names.ts";
import { flowText } from "./reach-report.ts";
import type { Style, Tone } from "./style.ts";

const TONES: Readonly<Record<WayIn["verdict"], Tone>> = { allow: "allow", deny: "deny", unsure: "unsure" };
const MARKS: Readonly<Record<WayIn["verdict"], string>> = { allow: "open  ", deny: "closed", unsure: "unsure" };
const MOST_NAMES = 4;

export function* exposureText(report: ExposureReport, style: Style): Iterable<string> {
  const { endpoints } = report.exposure;
  const names = shortNames(endpoints.map(({ unit }) => unit.name));
  const name = (one: Exposed): string => names.get(one.unit.name) ?? one.unit.name;
  const through = endpoints.filter((one) => one.waysIn.some((way) => way.way !== "pod-address"));
  if (through.length > 0) {
    yield `${style("strong", "Ways in from outside")}\n`;
    for (const one of through) {
      yield `  ${printable(one.unit.name)}\n`;
      for (const way of one.waysIn) if (way.way !== "pod-address") yield* wayLines(one, way, style);
    }
    yield "\n";
  }
  const own = endpoints.flatMap((one) =>
    one.waysIn.filter((way) => way.way === "pod-address").map((way) => [name(one), { one, way }] as const),
  );
  if (own.length > 0) {
    yield `${style("strong", "Open at their own address, where that is routed")}\n`;
    yield* foldedWays(own, ({ way }) => [way.from, arrivalText(way)], report.wide, style);
    yield "\n";
  }
  const out = endpoints.flatMap((one) => one.waysOut.map((way) => [name(one), { one, way }] as const));
  if (out.length > 0) {
    yield `${style("strong", "Ways out")}\n`;
    yield* foldedWays(out, ({ way }) => [outText(way), way.flows.map(flowText).join("; ")], report.wide, style);
    yield "\n";
  }
  yield* summary(report, style);
}

function* wayLines(one: Exposed, way: WayIn, style: Style): Iterable<string> {
  const arrival = arrivalText(way);
  yield `    ${style(TONES[way.verdict], MARKS[way.verdict])}  ${printable(wayText(way))}${arrival === "" ? "" : ` → ${printable(arrival)}`}\n`;
  const closers = closersOfWay(way, one.unit);
  const lead = way.verdict === "deny" ? "closed by" : "to close";
  for (const closer of closers) yield `            ${style("faint", `${lead}: ${printable(closerText(closer))}`)}\n`;
  if (way.verdict === "unsure") yield* becauseLines(way.because, "            ", style);
}

function* becauseLines(because: WayIn["because"], indent: string, style: Style): Iterable<string> {
  for (const { code, detail } of because) yield `${indent}${style("faint", `${code}: ${printable(detail)}`)}\n`;
}

interface OneWay<W extends WayIn | WayOut> {
  readonly one: Exposed;
  readonly way: W;
}

/** Ways that are alike in where they lead and what passes, each with all that would have to change. */
function* foldedWays<W extends WayIn | WayOut>(
  ways: readonly (readonly [name: string, value: OneWay<W>])[],
  shown: (value: OneWay<W>) => readonly [where: string, flows: string],
  wide: boolean,
  style: Style,
): Iterable<string> {
  const keyOf = (value: OneWay<W>): string => {
    const ruled = closersOfWay(value.way, value.one.unit).some(({ place }) => place !== undefined);
    return JSON.stringify([...shown(value), value.way.verdict, ruled]);
  };
  const closers = new Map<string, Map<string, CloserText>>();
  for (const [, value] of ways) {
    const known = closers.get(keyOf(value)) ?? new Map<string, CloserText>();
    closers.set(keyOf(value), known);
    for (const closer of closersOfWay(value.way, value.one.unit)) known.set(closer.text, closer);
  }
  for (const { endpoints: who, value } of fold(ways, keyOf)) {
    const { way } = value;
    const [where, flows] = shown(value);
    const mark = style(TONES[way.verdict], MARKS[way.verdict]);
    yield `  ${mark}  ${printable(where)}: ${printable(flows === "" ? "by name" : flows)}  ${style("faint", `(${counted(who.length, "endpoint")})`)}\n`;
    yield `          ${printable(someOf(who, MOST_NAMES, wide))}\n`;
    const all = [...(closers.get(keyOf(value))?.values() ?? [])];
    const few = wide || all.length <= MOST_NAMES + 1 ? all : all.slice(0, MOST_NAMES);
    for (const closer of few) yield `          ${style("faint", `to close: ${printable(closerText(closer))}`)}\n`;
    if (few.length < all.length) yield `          ${style("faint", `to close: ${all.length - few.length} more`)}\n`;
    if (way.verdict === "unsure") yield* becauseLines(way.because, "          ", style);
  }
}

function* summary(report: ExposureReport, style: Style): Iterable<string> {
  const { counts } = report.exposure;
  const { baseline } = report;
  const without = (key: "exposed" | "open" | "reachingOut"): string =>
    baseline === undefined ? "" : ` (without policies ${baseline[key]})`;
  yield `${style("strong", "Attack surface")}: ${counts.exposed} of ${counted(counts.endpoints, "endpoint")} reachable through ${counted(counts.ways, "way")} in${without("exposed")}\n`;
  yield `  ${counts.open} open at their own address${without("open")}, ${counts.reachingOut} reaching out${without("reachingOut")}`;
  yield counts.unsure + counts.unsureOut > 0 ? `; not sure: ${counts.unsure} in, ${counts.unsureOut} out\n` : "\n";
  yield `  ${report.dialect}${report.complete ? "" : ", INCOMPLETE: policies were refused, see the messages"}\n`;
}
