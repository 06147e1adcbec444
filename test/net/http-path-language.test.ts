import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  conjunctionPattern,
  expandedSize,
  findWord,
  LANGUAGE_LIMITS,
  type Literal,
  literalHolds,
  patternMatches,
  patternRefusal,
  patternWords,
  type Universe,
  wordsPattern,
  patternPrefix,
} from "../../src/net/path-language.ts";

const ANY: Universe = { literals: [{ pattern: "(?s).*", negated: false }], preferred: [] };

const yes = (pattern: string): Literal => ({ pattern, negated: false });
const no = (pattern: string): Literal => ({ pattern, negated: true });

/** Patterns over few characters, so that random texts often match. */
const pattern: fc.Arbitrary<string> = fc.letrec<{ node: string; atom: string }>((tie) => ({
  atom: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom("a", "b", "/", "A", ".", "[ab]", "[^a]", "\\d", "\\w", "k", "\\.", "_") },
    {
      weight: 2,
      arbitrary: fc.constantFrom("(?i)k", "(?i:ab)", "^", "$", "\\b", "\\B", "(?m)^", "(?m:$)", "\\Qa.\\E", "(?s:.)"),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom("[[:alpha:]]", "\\pL", "\\x{212A}", "\\n", "[^\\n]", "\\A", "\\z", "(?:)"),
    },
  ),
  node: fc.oneof(
    { maxDepth: 4, depthIdentifier: "pattern" },
    tie("atom"),
    fc.tuple(tie("node"), tie("node")).map(([a, b]) => `${a}${b}`),
    fc.tuple(tie("node"), tie("node")).map(([a, b]) => `(?:${a}|${b})`),
    fc.tuple(tie("node"), fc.constantFrom("*", "+", "?", "{2}", "{1,3}", "*?")).map(([a, q]) => `(${a})${q}`),
  ),
})).node;

const text = fc
  .array(fc.constantFrom("a", "b", "A", "B", "/", ".", "k", "K", "\u212a", "_", "1", "\n", "é"), { maxLength: 6 })
  .map((cs) => cs.join(""));

describe("automata and re2js", () => {
  test("agree on every text", () => {
    fc.assert(
      fc.property(pattern, text, (p, t) => {
        const only = [{ pattern: `(?s)${wordsPattern([t])}`, negated: false }];
        const universe = { literals: only, preferred: [] };
        const matches = patternMatches(p, t);
        expect(findWord([yes(p)], universe).kind).toBe(matches ? "word" : "empty");
        expect(findWord([no(p)], universe).kind).toBe(matches ? "empty" : "word");
      }),
      { numRuns: 1500 },
    );
  });

  test("a word that is found fits, and where there is none no text fits", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ pattern, negated: fc.boolean() }), { minLength: 1, maxLength: 3 }),
        fc.array(text, { maxLength: 20 }),
        (literals, texts) => {
          const found = findWord(literals, ANY);
          expect(found.kind).not.toBe("limit");
          const fits = (t: string): boolean => literals.every((l) => literalHolds(l, t));
          if (found.kind === "word") expect(fits(found.word)).toBe(true);
          else expect(texts.filter(fits)).toEqual([]);
        },
      ),
      { numRuns: 600 },
    );
  });

  test("a pattern for a conjunction means the same", () => {
    let shown = 0;
    fc.assert(
      fc.property(pattern, pattern, fc.array(text, { maxLength: 20 }), (p, q, texts) => {
        const literals = [yes(p), no(q)];
        const single = conjunctionPattern(literals, ANY);
        if (single === undefined) return;
        shown++;
        for (const t of texts) expect(patternMatches(single, t)).toBe(literals.every((l) => literalHolds(l, t)));
      }),
      { numRuns: 150 },
    );
    expect(shown).toBeGreaterThan(0);
  });
});

describe("questions about languages", () => {
  test.each([
    // disjoint
    [[yes("/api/v[0-9]+/.*"), yes("/public/.*")], "empty"],
    // not disjoint
    [[yes("/api/v[0-9]+/.*"), yes("/api/v1/users")], "word"],
    // a subset
    [[yes("/api/v[0-9]+/.*"), no("/api/.*")], "empty"],
    // not a subset
    [[yes("/api/.*"), no("/api/v[0-9]+/.*")], "word"],
    // equal, written differently
    [[yes("(a|b)*"), no("[ab]*")], "empty"],
    [[yes("[ab]*"), no("(a|b)*")], "empty"],
    // case folding
    [[yes("(?i)get"), no("[Gg][Ee][Tt]")], "empty"],
  ] as const)("%j is %s", (literals, kind) => {
    expect(findWord(literals, ANY).kind).toBe(kind);
  });

  test("a witness is short and readable", () => {
    expect(findWord([yes("/api/v[0-9]+/items")], ANY)).toMatchObject({ word: "/api/v0/items" });
    expect(findWord([yes("/a.*"), no("/a"), no("/a/")], ANY)).toMatchObject({ word: "/aA" });
  });

  test("a preferred word comes first", () => {
    expect(findWord([yes("[A-Z]+")], { ...ANY, preferred: ["get", "GET"] })).toMatchObject({ word: "GET" });
  });
});

describe("lists of words", () => {
  test.each([
    ["GET", ["GET"]],
    ["GET|HEAD", ["GET", "HEAD"]],
    ["(GET|HEAD)", ["GET", "HEAD"]],
    ["(?:/a|/b)", ["/a", "/b"]],
    ["^GET$", ["GET"]],
    ["^GET|POST$", ["GET", "POST"]],
    ["api[.]example[.]com", ["api.example.com"]],
    ["a\\.b", ["a.b"]],
    ["GET|", ["GET", ""]],
    ["GET|GET", ["GET"]],
    ["api.example.com", undefined],
    ["G|(E|T)", undefined],
    ["(GET", undefined],
    ["a\\d", undefined],
    ["[ab]", undefined],
    ["[^]", undefined],
    ["a^b", undefined],
    ["$a", undefined],
    ["a+", undefined],
  ])("%s", (source, words) => {
    expect(patternWords(source)).toEqual(words);
  });

  test("are read as RE2 reads them", () => {
    const source = fc
      .array(fc.constantFrom("a", "b", "|", "(", ")", "(?:", "[.]", "\\.", ".", "^", "$", "/", "[a]", "*", "-"), {
        maxLength: 8,
      })
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(source, text, (s, t) => {
        const words = patternWords(s);
        if (words === undefined || patternRefusal(s) !== undefined) return;
        for (const word of words) expect(patternMatches(s, word)).toBe(true);
        expect(patternMatches(s, t)).toBe(words.includes(t));
      }),
      { numRuns: 3000 },
    );
  });

  test("are written as RE2 reads them", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 5 }), { minLength: 1, maxLength: 3 }), fc.string(), (words, t) => {
        const source = wordsPattern(words);
        for (const word of words) expect(patternMatches(source, word)).toBe(true);
        expect(patternMatches(source, t)).toBe(words.includes(t));
      }),
    );
  });
});

describe("hostile patterns are bounded", () => {
  /** A step is charged before it is done, and what one state has to be charged may pass the limit once. */
  const MOST = LANGUAGE_LIMITS.steps * 1.1;

  test.each([
    ["a determinisation that doubles with every character", [no("[^x]*x.{14}"), yes(".*x.{14}")]],
    ["a determinisation beyond every limit", [no(".*a.{200}"), yes("[ab]*b.{200}")]],
    ["many optional characters", [yes("(a?){1000}"), no("a*")]],
    ["nested counts", [yes("((a{1,10}){1,10}){1,10}b"), no("a*b")]],
    ["nested stars", [no("(((a*)*)*b)*"), yes("((a|b)*)*c?")]],
    ["a product of many patterns", Array.from({ length: 12 }, (_, i) => yes(`(.{${i + 2}})*a?`))],
    ["many alternatives", [no(Array.from({ length: 900 }, (_, i) => `/p${i}/.*`).join("|")), yes("/p1.*")]],
    ["many wide classes", [no("[\\pL\\d].*[\\pL\\d].*[^\\pN].*\\pL"), yes("\\pL.*\\pN.*\\pS?.*")]],
  ])("%s", (_title, literals) => {
    const first = findWord(literals, ANY);
    expect(first.steps).toBeLessThan(MOST);
    expect(findWord(literals, ANY)).toEqual(first);
  });

  test("what passes a limit is said to", () => {
    expect(findWord([no(".*a.{200}"), yes("[ab]*b.{200}"), yes(".*aa[ab]{199}")], ANY).kind).toBe("limit");
    expect(findWord([yes("(a?){1000}")], ANY).kind).toBe("limit");
  });

  test("what building an automaton takes is counted, also where it is given up, and known before", () => {
    const huge = yes("(a?){950}b");
    const first = findWord([huge], ANY);
    expect(first.kind).toBe("limit");
    expect(first.steps).toBeGreaterThan(LANGUAGE_LIMITS.transitions);
    expect(findWord([huge, no("c")], ANY).steps).toBeGreaterThanOrEqual(first.steps);
  });

  test("a common beginning is told without building the automaton", () => {
    expect(patternPrefix("^/a/(b|c)(x?){950}")).toBe("/a/");
    expect(patternPrefix("(/a[.]b|/a[.]c).*")).toBe("/a.");
    expect(patternPrefix("/a*")).toBe("/");
    expect(patternPrefix("(?i)/a")).toBe("/");
  });

  test.each([
    ["a".repeat(7), 7],
    ["a{10}", 10],
    ["(ab|c){10}", 40],
    ["((a{1,10}){1,10}){1,10}b", 1001],
    ["[a-z{3}]{5}", 5],
    ["\\p{L}{500}\\x{100}{2}", 502],
    ["[]a]{3}[^]]{2}[[:alpha:]\\]]{4}", 9],
    ["(a?){1000}(b{2,}){3}", 1009],
    ["a{x}{", 5],
    ["\\(a{3}\\)", 5],
    ["((a", 1],
    [`[${"\\\\".repeat(200)}[:`, 203],
  ])("%s is %i characters with its repetitions written out", (pattern, size) => {
    expect(expandedSize(pattern)).toBe(size);
  });

  test.each([
    "/" + "[a-z]{1000}".repeat(800),
    "/" + "(a?){1000}".repeat(20),
    "/(((a{30}){30}){30})",
    "\\p{L}{500}".repeat(21),
  ])("a small pattern with a large program is not compiled: %s", (pattern) => {
    expect(patternRefusal(pattern)).toContain("repetitions written out");
    expect(patternMatches(pattern, "/a")).toBe(false);
  });

  test("wide classes count by their ranges", () => {
    expect(findWord([yes("\\p{L}{500}".repeat(20))], ANY).kind).toBe("limit");
  });

  const refused = ["(a{1000}){1000}", "a{1001}", "(?<=a)b", "(a)\\1", "(?=a)", "\\C", "("];
  test.each(refused)("%s is refused", (source) => {
    expect(patternRefusal(source)).toBeDefined();
    expect(patternMatches(source, "a")).toBe(false);
  });

  test("a very long pattern is refused", () => {
    expect(patternRefusal("a".repeat(10_001))).toContain("longer than");
    expect(patternRefusal("a".repeat(10_000))).toBeUndefined();
  });

  test("membership of a long text is linear", () => {
    // A matcher that goes back and forth never ends with these.
    expect(patternMatches("(a*)*b", "a".repeat(50_000))).toBe(false);
    expect(patternMatches("(a|aa)+$", `${"a".repeat(50_000)}!`)).toBe(false);
  });
});
