import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { METHODS, NAMES, normalisePath, normaliseRequest, PATHS } from "../../src/net/http-request.ts";
import { findWord, literalHolds, type Universe, wordsPattern } from "../../src/net/path-language.ts";

const inside = (universe: Universe, text: string): boolean => universe.literals.every((l) => literalHolds(l, text));

describe("normalisation of paths [R6.1.6]", () => {
  test.each([
    // dot segments
    ["/a/b/../c", "/a/c"],
    ["/a/b/./c", "/a/b/c"],
    ["/a/b/../../../../c", "/c"],
    ["/../a/b", "/a/b"],
    ["/./a/b", "/a/b"],
    ["/x/../a", "/a"],
    ["/a/..", "/"],
    ["/a/.", "/a/"],
    ["..", "/"],
    // escaped dots
    ["/a/b/%2E%2E/c", "/a/c"],
    ["/a/b/%2e./c", "/a/c"],
    ["/a/b/%2E/c", "/a/b/c"],
    ["/a%2eb", "/a.b"],
    // dots that are part of a name
    ["/..a/b", "/..a/b"],
    ["/a..", "/a.."],
    ["/.../", "/.../"],
    // repeated slashes
    ["//a", "/a"],
    ["/a//b///", "/a/b/"],
    // slashes written otherwise
    ["/a%2Fb", "/a/b"],
    ["/a%2f%2F..%2fb", "/a/b"],
    ["/a\\..\\b", "/b"],
    ["/a%5C..%5cb", "/b"],
    // unreserved characters are never left escaped, reserved ones are
    ["/%61dmin", "/admin"],
    ["/%7Eme", "/~me"],
    ["/a%3Fb%25", "/a%3Fb%25"],
    ["/%c3%a9", "/%c3%a9"],
    // what may not stand in a path is escaped
    ["/{id}", "/%7Bid%7D"],
    ["/é|^", "/%C3%A9%7C%5E"],
    // an escape that only undoing another one would complete
    ["/%%361", "/%2561"],
    ["/a%2%46b", "/a%252Fb"],
    ["/%6%31", "/%2561"],
    ["/%zz%", "/%zz%"],
    // the query stays
    ["/a//b?x=//../%2F%61", "/a/b?x=//../%2F%61"],
    ["/a?", "/a?"],
    ["?x", "/?x"],
    // no slash at the beginning
    ["", "/"],
    ["a/../b", "/b"],
    // case is kept
    ["/A/b", "/A/b"],
  ])("%j becomes %j", (path, expected) => {
    expect(normalisePath(path)).toBe(expected);
  });

  test.each(["/a b", "/a#b", "/a\nb", "/a\u0000", "/a%00b", "/%%000", "/a?b c", "/a?b#c", "/a\ud800"])(
    "%j is refused before any rule",
    (path) => {
      expect(normalisePath(path)).toBeUndefined();
    },
  );

  test("of all escapes, exactly those stay that rules can match", () => {
    for (let byte = 0; byte < 256; byte++) {
      const hex = byte.toString(16).padStart(2, "0");
      for (const escape of [hex, hex.toUpperCase(), `${hex.charAt(0).toUpperCase()}${hex.charAt(1)}`]) {
        const text = `/%${escape}x`;
        expect(inside(PATHS, text), text).toBe(normalisePath(text) === text);
      }
    }
  });

  const path = fc
    .array(
      fc.constantFrom(
        ..."/./..//\\%a1FfAzZ25~-_?{é|=&",
        "/../",
        "/./",
        "%2e",
        "%2F",
        "%5c",
        "%61",
        "%3f",
        "%4",
        "%%",
        "%25",
        "%2%46",
        "%30",
      ),
      { maxLength: 12 },
    )
    .map((parts) => parts.join(""));

  test("twice is once, and the results are exactly the paths that rules can match", () => {
    fc.assert(
      fc.property(path, (p) => {
        const once = normalisePath(p);
        if (once === undefined) return;
        expect(normalisePath(once)).toBe(once);
        expect(inside(PATHS, once)).toBe(true);
        expect(inside(PATHS, p)).toBe(p === once);
      }),
      { numRuns: 5000 },
    );
  });
});

describe("requests", () => {
  test("header names are compared in lower case, and repeated headers are joined [R6.1.5]", () => {
    const headers = new Map([
      ["X-Env", "prod"],
      ["x-env", "test"],
    ]);
    expect(normaliseRequest({ method: "GET", path: "/", headers })?.headers).toEqual(new Map([["x-env", "prod,test"]]));
  });

  test("the host header is the host where none is given", () => {
    const headers = new Map([["Host", "a.example"]]);
    expect(normaliseRequest({ method: "GET", path: "/", headers })?.host).toBe("a.example");
    expect(normaliseRequest({ method: "GET", path: "/", host: "b.example", headers })?.host).toBe("b.example");
  });

  test.each([
    ["", "/", "a"],
    ["GE T", "/", "a"],
    ["GET", "/a b", "a"],
    ["GET", "/", "a b"],
  ])("%j %j at %j is refused before any rule", (method, p, host) => {
    expect(normaliseRequest({ method, path: p, host, headers: new Map() })).toBeUndefined();
  });
});

describe("what can be judged at all", () => {
  test.each(["GET", "get", "M-SEARCH", "a!b"])("method %s", (method) => {
    expect(inside(METHODS, method)).toBe(true);
  });

  test.each([
    ["a.io.", true],
    [".", true],
    ["_x.a-b.", true],
    ["a.io", false],
    ["A.io.", false],
    ["a..io.", false],
    [".a.", false],
    ["", false],
  ])("name %j: %s", (name, expected) => {
    expect(inside(NAMES, name)).toBe(expected);
  });

  test.each(["/a//b", "/a/../b", "/users/{id}", "a", "/a%2Fb", "/a#b"])("no request has the path %s", (p) => {
    expect(findWord([{ pattern: wordsPattern([p]), negated: false }], PATHS).kind).toBe("empty");
  });
});
