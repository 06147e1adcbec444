import { describe, expect, test } from "vitest";
import { formatDiagnostic } from "../../src/base/diagnostic.ts";
import { Cursor, Findings, formatPath } from "../../src/documents/cursor.ts";
import { nearest } from "../../src/documents/nearest.ts";
import { lines, one } from "./read.ts";

/** A cursor on `spec` of an object, and what it finds. */
function spec(text: string): { spec: Cursor; found: () => string[]; findings: Findings } {
  const findings = new Findings();
  const indented = text.replaceAll(/^/gm, "  ");
  const document = one(`apiVersion: v1\nkind: Thing\nmetadata: {name: t, namespace: ns}\nspec:\n${indented}\n`);
  return { spec: Cursor.of(document, findings).field("spec"), found: () => lines(findings.all), findings };
}

describe("absent", () => {
  test.each(["a:", "a: null", "a: ~", "b: 1"])("is %j, and says nothing whatever is asked", (text) => {
    const { spec: at, found } = spec(text);
    const a = at.field("a");
    expect(a.isAbsent).toBe(true);
    expect(a.shape).toBe("absent");
    expect([a.list(), a.strings(), a.entries(), a.stringMap(), a.object()]).toEqual(Array(5).fill(undefined));
    expect([a.string(), a.integer(), a.boolean(), a.enumeration(["x"]), a.integerOrString()]).toEqual(
      Array(5).fill(undefined),
    );
    expect(a.keys()).toEqual([]);
    expect(a.unknownFields([])).toBe(true);
    expect(a.field("b").field("c").string()).toBeUndefined();
    expect(a.required("b").isAbsent).toBe(true);
    expect(found()).toEqual([]);
  });

  test("is not empty", () => {
    const { spec: at } = spec("list: []\nmap: {}\nfull: [a]\nnone: ~");
    expect(at.field("list").list()).toEqual([]);
    expect(at.field("map").entries()).toEqual([]);
    expect(at.field("map").stringMap()).toEqual(new Map());
    expect(["list", "map", "full", "none"].map((key) => at.field(key).isEmpty)).toEqual([true, true, false, false]);
    expect(["list", "map", "full", "none"].map((key) => at.has(key))).toEqual([true, true, true, false]);
  });

  test("differs from written by null alone", () => {
    const { spec: at } = spec("a: ~");
    expect([at.field("a").isWritten, at.field("b").isWritten]).toEqual([true, false]);
  });

  test("is what an object does not have of its own", () => {
    const { spec: at, found } = spec("a: 1");
    for (const name of ["constructor", "toString", "__proto__", "hasOwnProperty"]) expect(at.has(name)).toBe(false);
    expect(at.field("a").field("length").isAbsent).toBe(true);
    expect(found()).toEqual([]);
  });
});

test("what is right is given and not reported", () => {
  const { spec: at, found } = spec(
    "s: text\ni: 80\nf: 80.0\nb: no\ne: TCP\nl: [a, b]\nm: {k: v, l: ~}\np: http\no: {q: 1}",
  );
  expect(at.field("s").string()).toBe("text");
  expect(at.field("i").integer({ min: 1, max: 65535 })).toBe(80);
  expect(at.field("f").integer()).toBe(80);
  expect(at.field("b").boolean()).toBe(false);
  expect(at.field("e").enumeration(["TCP", "UDP"])).toBe("TCP");
  expect(at.field("l").strings()).toEqual(["a", "b"]);
  expect(at.field("m").stringMap()).toEqual(
    new Map([
      ["k", "v"],
      ["l", ""],
    ]),
  );
  expect(at.field("p").integerOrString()).toBe("http");
  expect(at.field("i").integerOrString({ min: 1 })).toBe(80);
  expect(at.field("o").object()?.required("q").integer()).toBe(1);
  expect(at.field("o").keys()).toEqual(["q"]);
  expect(at.unknownFields(["s", "i", "f", "b", "e", "l", "m", "p", "o"])).toBe(true);
  expect(found()).toEqual([]);
});

test.each<[string, (at: Cursor) => unknown, string]>([
  ["a: 1", (a) => a.string(), "5:6 BH203 Thing ns/t: spec.a must be text, not 1"],
  ["a: on", (a) => a.string(), "5:6 BH203 Thing ns/t: spec.a must be text, not true"],
  ["a: {b: c}", (a) => a.string(), "5:6 BH203 Thing ns/t: spec.a must be text, not an object"],
  ["a: b", (a) => a.list(), '5:6 BH203 Thing ns/t: spec.a must be a list, not "b"'],
  ["a: [b]", (a) => a.entries(), "5:6 BH203 Thing ns/t: spec.a must be an object, not a list"],
  ["a: [b]", (a) => a.unknownFields([]) && undefined, "5:6 BH203 Thing ns/t: spec.a must be an object, not a list"],
  ["a: '80'", (a) => a.integer(), '5:6 BH203 Thing ns/t: spec.a must be an integer, not "80"'],
  ["a: 1.5", (a) => a.integer(), "5:6 BH203 Thing ns/t: spec.a must be an integer, not 1.5"],
  ["a: 0", (a) => a.integer({ min: 1, max: 9 }), "5:6 BH204 Thing ns/t: spec.a must be between 1 and 9, not 0"],
  ["a: 0", (a) => a.integer({ min: 1 }), "5:6 BH204 Thing ns/t: spec.a must be at least 1, not 0"],
  [
    "a: 99999999999999999999",
    (a) => a.integer(),
    "5:6 BH204 Thing ns/t: spec.a must be an integer that survives JSON, not 100000000000000000000",
  ],
  ["a: true", (a) => a.integerOrString(), "5:6 BH203 Thing ns/t: spec.a must be an integer or text, not true"],
  [
    "a: 70000",
    (a) => a.integerOrString({ max: 65535 }),
    "5:6 BH204 Thing ns/t: spec.a must be at most 65535, not 70000",
  ],
  ["a: 'true'", (a) => a.boolean(), '5:6 BH203 Thing ns/t: spec.a must be true or false, not "true"'],
  ["a: tcp", (a) => a.enumeration(["TCP", "UDP"]), '5:6 BH205 Thing ns/t: spec.a must be one of TCP, UDP, not "tcp"'],
])("%j is wrong: %#", (text, ask, want) => {
  const { spec: at, found, findings } = spec(text);
  expect(ask(at.field("a")) || undefined).toBeUndefined();
  expect(found()).toEqual([want]);
  expect(findings.errors).toBe(1);
});

test("wrong entries are reported one by one and left out", () => {
  const { spec: at, found } = spec("l: [a, 1, ~]\nm: {k: v, l: 2}");
  expect(at.field("l").strings()).toEqual(["a"]);
  expect(at.field("m").stringMap()).toEqual(new Map([["k", "v"]]));
  expect(found()).toEqual([
    "5:10 BH203 Thing ns/t: spec.l[1] must be text, not 1",
    "5:13 BH203 Thing ns/t: spec.l[2] must be text, not null",
    "6:16 BH203 Thing ns/t: spec.m.l must be text, not 2",
  ]);
});

test("a required field that is missing is reported at its object, one that is null at the null", () => {
  const { spec: at, found } = spec("a:\n- b: 1\n- c: ~");
  for (const item of at.field("a").list() ?? []) item.required("c");
  expect(found()).toEqual([
    "6:5 BH202 Thing ns/t: spec.a[0] needs the field c",
    "7:8 BH202 Thing ns/t: spec.a[1] needs the field c",
  ]);
});

test("an unknown field is reported at its key, with the name that was meant", () => {
  const { spec: at, findings } = spec("podSelecter: {}\ningress:\n- form: []\n  zzz: 1");
  at.unknownFields(["podSelector", "ingress"]);
  at.field("ingress").list()?.[0]?.unknownFields(["from", "ports"]);
  expect(findings.all.map(formatDiagnostic)).toEqual([
    'a.yaml:5:3: error BH201: Thing ns/t: spec has no field "podSelecter"\n  help: Did you mean podSelector?',
    'a.yaml:7:5: error BH201: Thing ns/t: spec.ingress[0] has no field "form"\n  help: Did you mean from?',
    'a.yaml:8:5: error BH201: Thing ns/t: spec.ingress[0] has no field "zzz"\n  help: Known here: from, ports.',
  ]);
});

test("complaints carry the severity that is asked for", () => {
  const { spec: at, findings } = spec("a: 1");
  at.field("a").warning("BH204", "odd", { help: null });
  at.field("a").error("BH026", "worse", { atKey: true });
  expect(findings.all.map(formatDiagnostic)).toEqual([
    "a.yaml:5:6: warning BH204: odd",
    "a.yaml:5:3: error BH026: worse\n  help: Name it once.",
  ]);
  expect(findings.errors).toBe(1);
});

test("a wrong scalar mentions quotes where YAML made it one", () => {
  const { spec: at, findings } = spec("a: off");
  at.field("a").string();
  expect(findings.all[0]?.help).toMatch(/quotes/);
});

test("paths are written as people do", () => {
  expect(formatPath(["spec", "ingress", 0, "from"])).toBe("spec.ingress[0].from");
  expect(formatPath(["metadata", "labels", "app.kubernetes.io/name"])).toBe(
    'metadata.labels["app.kubernetes.io/name"]',
  );
  expect(formatPath([])).toBe("object");
});

test.each([
  ["podSelecter", "podSelector"],
  ["PodSelector", "podSelector"],
  ["ingres", "ingress"],
  ["tcp", "TCP"],
  ["endPrt", "endPort"],
  ["form", "from"],
  ["zzz", undefined],
  ["", undefined],
  ["x".repeat(100), undefined],
])("%j means %j", (word, want) => {
  expect(nearest(word, ["podSelector", "ingress", "egress", "TCP", "endPort", "from"])).toBe(want);
});
