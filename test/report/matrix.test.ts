/** The matrix of the terminal: legible for five endpoints and for five hundred, in wide and in narrow terminals. */
import { describe, expect, test } from "vitest";
import type { Tone } from "../../src/report/style.ts";
import { PLAIN } from "../../src/report/style.ts";
import { reachMatrix } from "../../src/report/reach-matrix.ts";
import type { ReachReport } from "../../src/report/reach-report.ts";
import { textWidth } from "../../src/report/text-width.ts";
import { netpol, workload } from "../lint/codes.ts";
import { inputOf } from "../questions/inputs.ts";
import { clusterOf } from "./clusters.ts";

function reportOf(dialect: string, ...texts: readonly string[]): ReachReport {
  const { engine } = inputOf(dialect, ...texts);
  const { rows, pairs } = engine.reach({ by: "endpoint", outside: false, provenance: false });
  return {
    dialect,
    complete: true,
    rows: rows.map((row) => ({ row })),
    pairs: [...pairs],
    provenance: false,
    diagnostics: [],
  };
}

function matrix(report: ReachReport, width: number, wide = false): string {
  return [...reachMatrix(report, PLAIN, { width, wide })].join("");
}

const FIVE = ["a", "b", "c", "d", "e"].map((name) => workload(name, `app: ${name}`)).join("");
const POLICIES =
  netpol(
    "podSelector: {matchLabels: {app: a}}, ingress: [{from: [{podSelector: {matchLabels: {app: b}}}], ports: [{port: 80}]}]",
    "a",
  ) + netpol("podSelector: {matchLabels: {app: b}}, policyTypes: [Ingress]", "b");

describe("matrix", () => {
  test("five endpoints: who fares alike is one row", () => {
    expect(matrix(reportOf("kubernetes", FIVE, POLICIES), 80).split("\n")).toEqual([
      "                          1 2 3",
      "1 shop/a                  \\ · ●",
      "2 shop/b                  ◐ \\ ●",
      "3 shop/c, shop/d, shop/e  · · ●",
      "",
      "rows talk to columns: ● everything, ◐ some ports, · nothing",
      "5 endpoints, 3 kinds (--wide names every one), kubernetes",
      "",
    ]);
  });

  test("a narrow terminal leaves out the namespace that all share, and counts who is folded", () => {
    expect(matrix(reportOf("kubernetes", FIVE, POLICIES), 30).split("\n")).toEqual([
      "           1 2 3",
      "1 a        \\ · ●",
      "2 b        ◐ \\ ●",
      "3 c, d, e  · · ●",
      "",
      "rows talk to columns: ● everything, ◐ some ports, · nothing",
      "5 endpoints of namespace shop, 3 kinds (--wide names every one), kubernetes",
      "",
    ]);
    expect(matrix(reportOf("cilium", clusterOf(20, 2, 2)), 40)).toMatch(/^2 ns0\/app0-svc1 \+8 /m);
  });

  test("--wide names every one", () => {
    const text = matrix(reportOf("kubernetes", FIVE, POLICIES), 80, true);
    for (const name of ["a", "b", "c", "d", "e"]) expect(text).toContain(`shop/${name} `);
    expect(text).not.toContain("kinds");
  });

  const many = reportOf("cilium", clusterOf(500, 50, 5));

  test.each([40, 80, 120, 200])("five hundred endpoints in %i columns", (width) => {
    const text = matrix(many, width);
    const lines = text.split("\n");
    expect(
      Math.max(...lines.filter((line) => /[●◐◔·\\]/.test(line) && !line.startsWith("rows")).map(textWidth)),
    ).toBeLessThanOrEqual(width);
    expect(text).toContain("500 endpoints, 100 kinds");
    if (width === 200) expect(lines.length).toBeLessThan(120);
  });

  test("colour changes nothing but the colour", () => {
    const dressed = [
      ...reachMatrix(many, (tone: Tone, text) => `\u001b[${tone.length}m${text}\u001b[0m`, { width: 120, wide: false }),
    ].join("");
    // oxlint-disable-next-line no-control-regex -- a colour is an escape sequence
    expect(dressed.replace(/\u001b\[\d+m/g, "")).toBe(matrix(many, 120));
  });
});
