/** Writers of `reach`: whatever a name holds stays text, in every format. */
import { describe, expect, test } from "vitest";
import { readDocuments } from "../../src/documents/reader.ts";
import { openDialect } from "../../src/policy/registry.ts";
import { Engine } from "../../src/reach/engine.ts";
import type { ReachPair } from "../../src/reach/reach.ts";
import { reachCsv } from "../../src/report/reach-csv.ts";
import { reachDot } from "../../src/report/reach-dot.ts";
import { reachHtml } from "../../src/report/reach-html.ts";
import { reachJson } from "../../src/report/reach-json.ts";
import { reachMarkdown } from "../../src/report/reach-markdown.ts";
import type { ReachReport } from "../../src/report/reach-report.ts";
import { reachSvg } from "../../src/report/reach-svg.ts";
import { reachText } from "../../src/report/reach-text.ts";
import { PLAIN } from "../../src/report/style.ts";

const HOSTILE = `<script>alert("1")</script> | "a", 'b' & \`c\` \u001b[31m\u0000`;

function pod(name: string): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "default", labels: { app: name } },
    spec: { containers: [{ name: "c", image: "i" }] },
  });
}

function engineOf(...objects: readonly string[]): Engine {
  const dialect = openDialect("kubernetes");
  if (dialect === undefined) throw new Error("no dialect");
  return Engine.open(readDocuments(objects.map((text, i) => ({ name: `${i}.json`, text }))).documents, { dialect });
}

/** The answer for two pods, one of whose names is replaced in the answer alone: no cluster takes such a name. */
function hostileReport(): ReachReport {
  const engine = engineOf(pod("one"), pod("two"));
  const query = { by: "endpoint", outside: false } as const;
  const { rows, pairs } = engine.reach({ ...query, provenance: true });
  const named = (name: string): string => (name === "default/Pod/two" ? HOSTILE : name);
  return {
    dialect: HOSTILE,
    complete: true,
    rows: rows.map((row) => ({ row: { ...row, name: named(row.name) } })),
    pairs: [...pairs].map((pair): ReachPair => ({ ...pair, from: named(pair.from), to: named(pair.to) })),
    provenance: true,
    diagnostics: [{ severity: "warning", code: "BH304", message: HOSTILE, file: HOSTILE, line: 1, column: 1 }],
  };
}

const written = (pieces: Iterable<string>): string => [...pieces].join("");

describe("a name that is no name", () => {
  test("is text in HTML and SVG", () => {
    for (const text of [written(reachHtml(hostileReport())), written(reachSvg(hostileReport()))]) {
      expect(text).not.toContain("<script>alert");
      expect(text.match(/<script/g)?.length ?? 0).toBeLessThanOrEqual(1);
      expect(text).toContain("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;");
      for (const character of ["\u0000", "\u001b"]) expect(text).not.toContain(character);
    }
  });

  test("is one field in CSV", () => {
    const [, first = ""] = written(reachCsv(hostileReport())).split("\n");
    expect(first).toBe(`default/Pod/one,"${HOSTILE.replaceAll('"', '""')}",allow,any,any,*,,,no policy`);
  });

  test("is one cell in Markdown", () => {
    const text = written(reachMarkdown(hostileReport()));
    for (const line of text.split("\n").filter((one) => one.startsWith("|"))) {
      expect(line.replace(/\\./g, "").match(/\|/g)).toHaveLength(5);
    }
    expect(text.replace(/\\./g, "")).not.toMatch(/[<>`]/);
  });

  test("is one string in DOT", () => {
    const text = written(reachDot(hostileReport()));
    expect(text.replace(/"(?:[^"\\]|\\.)*"/g, "")).not.toMatch(/script|alert/);
  });

  test("moves no cursor in a terminal", () => {
    const text = written(reachText(hostileReport(), PLAIN));
    for (const character of ["\u0000", "\u001b"]) expect(text).not.toContain(character);
  });

  test("is a string in JSON", () => {
    expect(JSON.parse(written(reachJson(hostileReport())))).toMatchObject({ dialect: HOSTILE });
  });
});

describe("an empty answer", () => {
  const report: ReachReport = {
    dialect: "kubernetes",
    complete: true,
    rows: [],
    pairs: [],
    provenance: true,
    diagnostics: [],
  };

  test.each([
    ["text", reachText],
    ["json", reachJson],
    ["csv", reachCsv],
    ["md", reachMarkdown],
    ["dot", reachDot],
    ["svg", reachSvg],
    ["html", reachHtml],
  ] as const)("is whole as %s", (_format, write) => {
    expect(written(write(report, PLAIN)).endsWith("\n")).toBe(true);
  });

  test("says how many", () => {
    expect(written(reachText(report, PLAIN))).toBe("0 endpoints, 0 pairs connected, kubernetes\n");
  });
});

test("a large answer is written a pair at a time", () => {
  let walked = 0;
  const engine = engineOf(pod("one"), pod("two"));
  const [pair] = engine.reach({ by: "endpoint", provenance: false, outside: false }).pairs;
  if (pair === undefined) throw new Error("no pair");
  const pairs = (function* (): Iterable<ReachPair> {
    for (; walked < 1_000_000; walked++) yield pair;
  })();
  const report: ReachReport = {
    dialect: "kubernetes",
    complete: true,
    rows: [],
    pairs,
    provenance: false,
    diagnostics: [],
  };
  const iterator = reachJson(report)[Symbol.iterator]();
  for (let i = 0; i < 100; i++) iterator.next();
  expect(walked).toBeLessThan(200);
});
