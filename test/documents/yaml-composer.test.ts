import { describe, expect, test } from "vitest";
import { value } from "./read.ts";

describe("merge keys", () => {
  test.each([
    ["<<: {a: 1}\na: 2", { a: 2 }],
    // The loader merges in the order of the text: what comes later wins, explicit keys too.
    ["a: 2\n<<: {a: 1}", { a: 1 }],
    ["<<: [{a: 1}, {a: 2, b: 3}]", { a: 1, b: 3 }],
    ["<<: [{a: 1}, {a: 2, b: 3}]\nb: 4", { a: 1, b: 4 }],
    ["k: &x {a: 1}\nl: {<<: *x, b: 2}", { k: { a: 1 }, l: { a: 1, b: 2 } }],
    [
      "k: &x {a: 1}\nl: &y {<<: *x, b: 2}\nm: {<<: *y, c: 3}",
      { k: { a: 1 }, l: { a: 1, b: 2 }, m: { a: 1, b: 2, c: 3 } },
    ],
    // In quotes it is a key like any other.
    ['"<<": {a: 1}', { "<<": { a: 1 } }],
    ["[<<: {a: 1}]", [{ a: 1 }]],
  ])("%j gives %j", (text, want) => {
    expect(value(text)).toEqual(want);
  });

  test.each(["<<: 1", "<<:", "<<: [1]", "<<: [[{a: 1}]]"])("%j is refused", (text) => {
    expect(() => value(text)).toThrow(expect.objectContaining({ code: "BH001" }));
  });

  test("a key after a merge may repeat a merged key, but not itself", () => {
    expect(() => value("<<: {a: 1}\na: 2\na: 3")).toThrow(expect.objectContaining({ code: "BH002" }));
  });
});

describe("aliases", () => {
  test("share the value of the last anchor of the name", () => {
    expect(value("a: &x 1\nb: *x\nc: &x 2\nd: *x")).toEqual({ a: 1, b: 1, c: 2, d: 2 });
  });

  test.each([
    ["a: *x", "BH001"],
    ["a: &x [*x]", "BH008"],
    ["&x a: {b: *x}", undefined],
  ])("%j: %s", (text, code) => {
    if (code === undefined) expect(value(text)).toEqual({ a: { b: "a" } });
    else expect(() => value(text)).toThrow(expect.objectContaining({ code }));
  });

  test("that double nine times are read, those that grow by ten each are refused at once", () => {
    const bomb = (width: number, depth: number): string =>
      Array.from({ length: depth }, (_, i) => {
        const items = i === 0 ? "lol" : `*a${i - 1}`;
        return `k${i}: &a${i} [${Array.from({ length: width }, () => items).join(", ")}]`;
      }).join("\n");
    expect(value(bomb(2, 5))).toHaveProperty("k4");
    const start = performance.now();
    expect(() => value(bomb(10, 9))).toThrow(expect.objectContaining({ code: "BH008" }));
    expect(() => value(bomb(100, 40))).toThrow(expect.objectContaining({ code: "BH008" }));
    expect(performance.now() - start).toBeLessThan(1000);
  });
});

describe("nesting", () => {
  test.each(["[", "{a: ", "- ", "? "])("of a hundred thousand %j is refused", (open) => {
    expect(() => value(open.repeat(100_000))).toThrow(expect.objectContaining({ code: "BH008" }));
  });

  test("of 900 levels is read", () => {
    expect(value("[".repeat(900) + "]".repeat(900))).toBeInstanceOf(Array);
    expect(value("- ".repeat(900) + "a")).toBeInstanceOf(Array);
  });
});

test("names of Object's own members are keys like any other", () => {
  expect(value("constructor: 1\ntoString: 2\n__proto__: {a: 1}")).toEqual(
    JSON.parse('{"constructor":1,"toString":2,"__proto__":{"a":1}}'),
  );
});

test.each([
  ["\ta: b", 0, "a tab cannot indent; use spaces"],
  ["a:\n\tb: c", 3, "a tab cannot indent; use spaces"],
  ["a: b: c", 4, "a mapping cannot begin here; put text with ': ' in quotes"],
  ["a: 1\nb", 5, "this must be a key, but no ':' follows it"],
  ["a: 'b", 3, "this quotation mark has no counterpart"],
  ["a: [b, c", 3, "no ] follows to close this"],
  ["a: {b", 3, "no } follows to close this"],
  ["a: [b] c", 7, undefined],
  ["a: @b", 3, "a value cannot begin with @; put it in quotes"],
  ['a: "\\d"', 4, "there is no escape \\d; write \\\\ for a backslash"],
  ["a:\n  - b\n c: d", 10, undefined],
  ["a: - b", 3, "a list cannot begin here; it begins on a line of its own"],
  ["a: |\n \tb\n   c", undefined, undefined],
  ["a: *", 3, undefined],
  ["{a: 1}\nb: 2", 7, "the document ends before this; nothing may follow"],
])("%j is refused at %s: %s", (text, offset, message) => {
  if (offset === undefined) return;
  const want = message === undefined ? { offset } : { offset, message };
  expect(() => value(text)).toThrow(expect.objectContaining(want));
});
