import { describe, expect, test } from "vitest";
import { resolvePlain } from "../../src/documents/yaml-scalar.ts";
import { value } from "./read.ts";

describe("a scalar without quotes", () => {
  test.each([
    // truth values in three spellings each

    ["yes", true],
    ["Yes", true],
    ["YES", true],
    ["on", true],
    ["On", true],
    ["ON", true],
    ["true", true],
    ["True", true],
    ["TRUE", true],

    ["no", false],
    ["No", false],
    ["NO", false],
    ["off", false],
    ["Off", false],
    ["OFF", false],
    ["false", false],
    ["False", false],
    ["FALSE", false],
    // and no others; the loader has the single letters too, which are text here
    ["y", "y"],
    ["Y", "Y"],
    ["n", "n"],
    ["N", "N"],
    ["yEs", "yEs"],
    ["tRUE", "tRUE"],
    ["t", "t"],
    ["yess", "yess"],
    ["oN", "oN"],
    // null
    ["", null],
    ["~", null],
    ["null", null],
    ["Null", null],
    ["NULL", null],
    ["nULL", "nULL"],
    ["nil", "nil"],
    // integers
    ["0", 0],
    ["-0", 0],
    ["+1", 1],
    ["-1", -1],
    ["8080", 8080],
    ["010", 8],
    ["00", 0],
    ["-010", -8],
    ["0o10", 8],
    ["0O7", 7],
    ["0x1F", 31],
    ["0X1f", 31],
    ["-0x10", -16],
    ["0b101", 5],
    ["-0b101010", -42],
    ["0b-1", -1],
    ["+685_230", 685230],
    ["02472256", 685230],
    ["0x_0A_74_AE", 685230],
    ["0b1010_0111_0100_1010_1110", 685230],
    ["1__0", 10],
    ["1_", 1],
    // eight and nine make it a decimal float
    ["08", 8],
    ["09", 9],
    ["-08", -8],
    ["08.5", 8.5],
    // neither
    ["0x", "0x"],
    ["0xg", "0xg"],
    ["0b2", "0b2"],
    ["0o8", "0o8"],
    ["_1", "_1"],
    ["-", "-"],
    ["1a", "1a"],
    ["50cent_of_dollar", "50cent_of_dollar"],
    ["-b_c", "-b_c"],
    ["+b_c", "+b_c"],
    // no numbers of base 60, no dates
    ["1:30", "1:30"],
    ["190:20:30", "190:20:30"],
    ["2001-01-01", "2001-01-01"],
    ["2001-12-14t21:59:43.10-05:00", "2001-12-14t21:59:43.10-05:00"],
    // addresses and versions
    ["10.0.0.0/8", "10.0.0.0/8"],
    ["1.2.3.4", "1.2.3.4"],
    ["1.2.3", "1.2.3"],
    ["fd00::1", "fd00::1"],
    // floats
    ["1.5", 1.5],
    ["1.", 1],
    [".5", 0.5],
    ["-.1", -0.1],
    ["1e3", 1000],
    ["123456E1", 1234560],
    ["6.8523e+5", 685230],
    ["685.230_15e+03", 685230.15],
    ["685_230.15", 685230.15],
    [".5_0", 0.5],
    ["80.0", 80],
    ["._5", "._5"],
    [".", "."],
    ["1e", "1e"],
    ["1e999", "1e999"],
    [".1e999", ".1e999"],
    ["0x1.8p1", "0x1.8p1"],
    ["1.797693134862315708145274237317043567981e+308", Number.MAX_VALUE],
    // words for what is no number
    [".inf", Number.POSITIVE_INFINITY],
    ["-.Inf", Number.NEGATIVE_INFINITY],
    ["+.INF", Number.POSITIVE_INFINITY],
    [".nan", Number.NaN],
    ["inf", "inf"],
    ["NaN", "NaN"],
    [".iNF", ".iNF"],
    // the bounds of 64 bits; beyond them an integer is a float, or text when it has a prefix
    ["9223372036854775807", 2 ** 63],
    ["18446744073709551615", 2 ** 64],
    ["18446744073709551616", 2 ** 64],
    ["-9223372036854775808", -(2 ** 63)],
    ["0xFFFFFFFFFFFFFFFF", 2 ** 64],
    ["0x10000000000000000", "0x10000000000000000"],
    // text
    ["<<", "<<"],
    ["=", "="],
    ["a", "a"],
    ["é", "é"],
    ["no way", "no way"],
  ])("%j means %j", (text, want) => {
    expect(resolvePlain(text)).toBe(want);
  });
});

describe("a scalar with quotes or a tag", () => {
  test.each([
    ['"yes"', "yes"],
    ["'010'", "010"],
    ['"~"', "~"],
    ["|-\n  y", "y"],
    [">-\n  1", "1"],
    ["!!str 010", "010"],
    ["!!str yes", "yes"],
    ["!!int '1'", 1],
    ["!!float 0", 0],
    ["!!float '1.1'", 1.1],
    ["!!bool 'y'", true],
    ["!!null ''", null],
    ["! test", "test"],
    ["! 12", "12"],
    ["!local 12", "12"],
    ["!<tag:yaml.org,2002:int> '0x10'", 16],
    ["!!binary aGVsbG8=", "hello"],
    ["!!timestamp 2001-01-01", "2001-01-01"],
  ])("%j means %j", (text, want) => {
    expect(value(`k: ${text}`)).toEqual({ k: want });
  });

  test.each(["!!int a", "!!bool 1", "!!float a", "!!null a", "!!binary a", "!!timestamp a", "!h!x a"])(
    "%j is refused",
    (text) => {
      expect(() => value(`k: ${text}`)).toThrow(expect.objectContaining({ code: "BH001" }));
    },
  );
});

describe("a key becomes text", () => {
  test.each([
    ["yes", "true"],
    ["off", "false"],
    ["010", "8"],
    ["0x10", "16"],
    ["1_000", "1000"],
    ["1.0", "1"],
    ["1.10", "1.1"],
    ["1e3", "1000"],
    ["1000000.0", "1e+06"],
    ["123456789.0", "1.2345679e+08"],
    ["0.00001", "1e-05"],
    [".inf", ".inf"],
    ["-.INF", "-.inf"],
    [".nan", ".nan"],
    ["2001-01-01", "2001-01-01"],
    ['"y"', "y"],
    ["!!str 010", "010"],
    ["99999999999999999999", "1e+20"],
    ["-0", "0"],
  ])("%s is %j", (text, want) => {
    expect(value(`${text}: v`)).toEqual({ [want]: "v" });
  });

  test.each(["~", "null", "", "[a]", "{a: b}", "18446744073709551615"])("%j cannot", (text) => {
    expect(() => value(`? ${text}\n: v`)).toThrow(expect.objectContaining({ code: "BH009" }));
  });
});

test("numbers that JSON lacks are refused as values", () => {
  for (const text of [".inf", "-.inf", ".nan", "!!float .inf"])
    expect(() => value(`k: ${text}`)).toThrow(expect.objectContaining({ code: "BH009" }));
});
