import { describe, expect, test } from "vitest";
import { printable } from "../../src/report/escape.ts";
import { table } from "../../src/report/table.ts";
import { centre, padEnd, textWidth } from "../../src/report/text-width.ts";

describe("the width of a text", () => {
  test.each([
    ["", 0],
    ["abc", 3],
    ["✓ allow", 7],
    ["│", 1],
    ["漢字", 4],
    ["ｆｕｌｌ", 8],
    ["🚀", 2],
    ["e\u0301", 1],
    ["a\u200bb", 2],
    ["\u001b[1;32mgreen\u001b[0m", 5],
  ])("%j is %i", (text, width) => expect(textWidth(text)).toBe(width));

  test("padding counts columns, not characters", () => {
    expect(padEnd("漢字", 6)).toBe("漢字  ");
    expect(padEnd("toolong", 3)).toBe("toolong");
    expect(centre("ab", 5)).toBe(" ab  ");
  });
});

test("a table lines up its columns and trails no spaces", () => {
  expect(
    table([
      ["A", "B"],
      ["long", ""],
      ["漢字", "x"],
    ]),
  ).toEqual(["A     B", "long", "漢字  x"]);
});

test("control characters become visible", () => {
  expect(printable("a\u001b[31mb\u0000\u0007\u009b")).toBe("a␛[31mb␀␇\ufffd");
});
