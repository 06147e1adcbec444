import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Ternary, ternaryAnd, ternaryNot, ternaryOr } from "../../src/base/ternary.ts";
import {
  type Application,
  type ApplicationPattern,
  type ApplicationQuestion,
  applicationHas,
  applicationIncludes,
  applicationIntersect,
  applicationIsEmpty,
  applicationMay,
  applicationMust,
  applicationOf,
  applicationSubtract,
  applicationUnion,
  applicationWitness,
  EVERYTHING,
  explainRequest,
  type HeaderPattern,
  type HttpPattern,
  NOTHING,
  type NameExpression,
  normaliseRequest,
  type Request,
  showApplication,
} from "../../src/net/application.ts";

// -- rules -----------------------------------------------------------------------------------------------------------

const METHOD = ["GET", "POST", "GET|HEAD", "get", "P.*", "G", "(?i)get", "[A-Z]+", ".*"];
const PATH = [
  "/",
  "/a",
  "/a/",
  "/a/.*",
  "/a(/.*)?",
  "/a(\\?.*)?",
  "/(a|b)/[0-9]+",
  "/[ab]/\\d{1,2}",
  "/A",
  "(?i)/a",
  ".*a",
  "/a//b",
  "/a%2Fb",
  "/a/\\.\\./b",
  "/{id}",
  "/.*",
  "/a|/b",
  "/a\\b.*",
];
const HOST = ["a[.]io", "a.io", "a[.]io(:[0-9]+)?", ".*[.]io", "A[.]io"];
const header: fc.Arbitrary<HeaderPattern> = fc.record(
  {
    name: fc.constantFrom("x", "y"),
    value: fc.constantFrom("1", "2"),
    mismatch: fc.constantFrom("LOG", "ADD"),
    secret: fc.constantFrom("a/s", "a/t"),
  },
  { requiredKeys: ["name"] },
);
/** Most headers are plain. */
const headers = fc.oneof(
  { weight: 4, arbitrary: fc.constant<readonly HeaderPattern[]>([]) },
  {
    weight: 2,
    arbitrary: fc.array(
      header.map(({ name, value }) => (value ? { name, value } : { name })),
      { maxLength: 2 },
    ),
  },
  { weight: 1, arbitrary: fc.array(header, { maxLength: 2 }) },
);

const rule: fc.Arbitrary<HttpPattern> = fc
  .record(
    {
      method: fc.constantFrom(...METHOD),
      path: fc.constantFrom(...PATH),
      host: fc.constantFrom(...HOST),
      headers,
    },
    { requiredKeys: ["headers"] },
  )
  .map((r) => r);

const name: fc.Arbitrary<NameExpression> = fc
  .constantFrom("^a[.]io[.]$", "^[-a-zA-Z0-9_]*[.]io[.]$", "^b[.]a[.]io[.]$", "^(?:[-a-z]+[.])+io[.]$", "^.*$")
  .map((expression) => ({ text: expression, expression }));

const pattern: fc.Arbitrary<ApplicationPattern> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant("http" as const), rules: fc.array(rule, { minLength: 1, maxLength: 3 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("dns" as const), names: fc.array(name, { maxLength: 2 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("tls" as const), serverNames: fc.array(name, { maxLength: 2 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("opaque" as const), what: fc.constantFrom("Kafka", "parser") }),
  },
);

const plain: fc.Arbitrary<Application> = fc
  .array(
    rule.filter((r) => r.headers.every((h) => h.secret === undefined)),
    { minLength: 1, maxLength: 3 },
  )
  .map((rules) => applicationOf([{ kind: "http", rules }]));

const any: fc.Arbitrary<Application> = fc.oneof(
  { weight: 8, arbitrary: fc.array(pattern, { minLength: 1, maxLength: 2 }).map(applicationOf) },
  { weight: 1, arbitrary: fc.constantFrom(EVERYTHING, NOTHING) },
);

// -- questions near the rules ----------------------------------------------------------------------------------------

const path = fc
  .tuple(
    fc.constantFrom("/", "/a", "/b", "/a/1", "/b/12", "/a/x/y", "/A", "/a/b", "/%61", "/a-b", "/{id}"),
    fc.constantFrom(
      "",
      "",
      "",
      "/",
      "x",
      "?q=1",
      "?",
      "/..",
      "/../a",
      "/.",
      "//b",
      "%2Fb",
      "%2e",
      "/%2E%2e/a",
      "?/../",
    ),
    fc.boolean(),
  )
  .map(([base, end, doubled]) => `${doubled ? "/" : ""}${base}${end}`);

const request: fc.Arbitrary<Request> = fc
  .record({
    method: fc.constantFrom("GET", "get", "POST", "HEAD", "PUT", "G"),
    path,
    host: fc.constantFrom("a.io", "a.io:80", "axio", "A.io", "b.io", undefined),
    x: fc.constantFrom("1", "2", "1,2", "", undefined),
    y: fc.constantFrom("1", undefined),
  })
  .map(({ method, path, host, x, y }) => ({
    method,
    path,
    ...(host === undefined ? {} : { host }),
    headers: new Map(Object.entries({ x, y }).flatMap(([k, v]) => (v === undefined ? [] : [[k, v] as const]))),
  }));

const domain = fc.constantFrom("a.io", "A.IO.", "b.a.io", "io", "b.io", ".", "c.b.a.io");

const question: fc.Arbitrary<ApplicationQuestion> = fc
  .record({
    http: fc.option(request, { nil: undefined, freq: 20 }),
    tls: fc.option(fc.option(domain, { nil: undefined }), { nil: "untold" as const, freq: 5 }),
    dns: fc.option(domain, { nil: undefined, freq: 5 }),
  })
  .map(({ http, tls, dns }) => ({
    ...(http === undefined ? {} : { http }),
    ...(tls === "untold" ? {} : { tls: tls === undefined ? {} : { serverName: tls } }),
    ...(dns === undefined ? {} : { dns: { name: dns } }),
  }));

const complete = fc.record({ request, host: fc.constantFrom("a.io", "b.io"), serverName: domain, name: domain }).map(
  ({ request: http, host, serverName, name }): ApplicationQuestion => ({
    http: { host, ...http },
    tls: { serverName },
    dns: { name },
  }),
);

/** `actual` says no more than the meaning allows, and no less where nothing is unknown. */
function agree(actual: Ternary, meaning: Ternary, isComplete: boolean): void {
  if (isComplete || meaning !== "maybe") expect(actual).toBe(meaning);
}

const runs = { numRuns: 1500 };

describe("operations by meaning", () => {
  const operations = [
    ["union", applicationUnion, ternaryOr],
    ["intersection", applicationIntersect, ternaryAnd],
    ["difference", applicationSubtract, (a: Ternary, b: Ternary) => ternaryAnd(a, ternaryNot(b))],
  ] as const;

  test.each(operations)("%s", (_title, operation, meaning) => {
    fc.assert(
      fc.property(
        any,
        any,
        fc.array(question, { maxLength: 10 }),
        fc.array(complete, { maxLength: 10 }),
        (a, b, qs, cs) => {
          const set = operation(a, b);
          for (const q of [...qs, ...cs]) {
            const wanted = meaning(applicationHas(a, q), applicationHas(b, q));
            const got = applicationHas(set, q);
            // A part that is not told may make one side of an operation unknown where the whole is known.
            if (wanted !== "maybe") expect(got).toBe(wanted);
          }
          if ([a, b].every((s) => s.clauses.every((c) => c.opaque === undefined))) {
            for (const q of cs)
              agree(applicationHas(set, q), meaning(applicationHas(a, q), applicationHas(b, q)), true);
          }
        },
      ),
      runs,
    );
  });

  test("laws", () => {
    fc.assert(
      fc.property(any, any, any, (a, b, c) => {
        expect(applicationUnion(a, b).key).toBe(applicationUnion(b, a).key);
        expect(applicationIntersect(a, b).key).toBe(applicationIntersect(b, a).key);
        expect(applicationUnion(a, a).key).toBe(a.key);
        expect(applicationUnion(a, NOTHING)).toBe(a);
        expect(applicationIntersect(a, EVERYTHING)).toBe(a);
        expect(applicationSubtract(a, EVERYTHING)).toBe(NOTHING);
        expect(applicationIncludes(applicationUnion(a, applicationUnion(b, c)), applicationMust(c))).not.toBe("no");
      }),
      { numRuns: 300 },
    );
  });

  test("a reason that two demands of one rule share is told once, in whatever order sets are put together", () => {
    const secret = { name: "x", secret: "a/s" } as const;
    const twice = applicationOf([{ kind: "http", rules: [{ headers: [secret, { ...secret, name: "y" }] }] }]);
    const kafka = applicationOf([{ kind: "opaque", what: "Kafka" }]);
    expect(twice.clauses.map((c) => c.opaque?.length)).toEqual([1]);
    expect(applicationIntersect(twice, kafka).key).toBe(applicationIntersect(kafka, twice).key);
  });

  test("bounds", () => {
    fc.assert(
      fc.property(any, fc.array(complete, { maxLength: 20 }), (a, qs) => {
        const must = applicationMust(a);
        const may = applicationMay(a);
        for (const q of qs) {
          const whole = applicationHas(a, q);
          expect(applicationHas(must, q)).toBe(whole === "yes" ? "yes" : "no");
          expect(applicationHas(may, q)).toBe(whole === "no" ? "no" : "yes");
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("questions about whole sets", () => {
  test("a witness is in the set, and an empty set has no member", () => {
    fc.assert(
      fc.property(any, any, fc.array(complete, { maxLength: 20 }), (a, b, qs) => {
        for (const set of [a, applicationIntersect(a, b), applicationSubtract(a, b)]) {
          const empty = applicationIsEmpty(set);
          const witness = applicationWitness(set);
          expect(witness !== undefined).toBe(empty === "no");
          if (witness !== undefined) expect(applicationHas(set, witness)).toBe("yes");
          if (empty === "yes") for (const q of qs) expect(applicationHas(set, q)).toBe("no");
        }
      }),
      { numRuns: 300 },
    );
  });

  test("subset agrees with sampling and with difference", () => {
    fc.assert(
      fc.property(plain, plain, fc.array(complete, { maxLength: 20 }), (a, b, qs) => {
        const includes = applicationIncludes(a, b);
        const rest = applicationSubtract(b, a);
        expect(includes).not.toBe("maybe");
        expect(includes).toBe(applicationIsEmpty(rest));
        if (includes === "yes") {
          for (const q of qs) if (applicationHas(b, q) === "yes") expect(applicationHas(a, q)).toBe("yes");
        } else {
          const witness = applicationWitness(rest);
          expect(witness && applicationHas(b, witness)).toBe("yes");
          expect(witness && applicationHas(a, witness)).not.toBe("yes");
        }
        expect(applicationIncludes(applicationUnion(a, b), b)).toBe("yes");
        expect(applicationIncludes(a, applicationIntersect(a, b))).toBe("yes");
      }),
      { numRuns: 300 },
    );
  });
});

describe("requests", () => {
  test("normalising first changes nothing", () => {
    fc.assert(
      fc.property(plain, request, (a, r) => {
        const normal = normaliseRequest(r);
        if (normal !== undefined) expect(applicationHas(a, { http: normal })).toBe(applicationHas(a, { http: r }));
      }),
      runs,
    );
  });

  test("an explanation fits the answer", () => {
    fc.assert(
      fc.property(any, request, (a, r) => {
        const clauses = explainRequest(a, r);
        expect(clauses.map((c) => c.verdict).reduce(ternaryOr, "no")).toBe(applicationHas(a, { http: r }));
        for (const { verdict, failures } of clauses) expect(failures.length === 0).toBe(verdict === "yes");
      }),
      runs,
    );
  });
});

describe("showing", () => {
  /** A shown set of plain boxes, read again. */
  const read = (a: Application): Application | undefined => {
    const { boxes } = showApplication(a);
    const words = boxes.flatMap((b) => [...(b.methods ?? []), b.path ?? "", b.host ?? "", ...b.headers]);
    if (words.some((w) => w.startsWith("not ") || w.includes(" and "))) return undefined;
    if (boxes.length === 0) return NOTHING;
    const rules = boxes.map((b) => ({
      ...(b.methods === null ? {} : { method: b.methods.join("|") }),
      ...(b.path === null ? {} : { path: b.path }),
      ...(b.host === null ? {} : { host: b.host }),
      headers: b.headers.map((h) => {
        const [key = "", value] = h.split(": ");
        return value === undefined ? { name: key } : { name: key, value };
      }),
    }));
    return applicationOf([{ kind: "http", rules }]);
  };

  test("what is shown is the set, in no more boxes than it has clauses", () => {
    let count = 0;
    fc.assert(
      fc.property(plain, plain, fc.boolean(), (a, b, both) => {
        const set = both ? applicationIntersect(a, b) : applicationUnion(a, b);
        const shown = showApplication(set);
        expect(shown.boxes.length).toBeLessThanOrEqual(set.clauses.length);
        expect(showApplication(applicationUnion(set, set))).toEqual(shown);
        const again = read(set);
        if (again === undefined) return;
        count++;
        expect(applicationIncludes(again, set)).toBe("yes");
        expect(applicationIncludes(set, again)).toBe("yes");
      }),
      { numRuns: 200 },
    );
    expect(count).toBeGreaterThan(50);
  });

  test("does not depend on the order of rules", () => {
    fc.assert(
      fc.property(plain, plain, (a, b) => {
        expect(showApplication(applicationUnion(a, b))).toEqual(showApplication(applicationUnion(b, a)));
      }),
      { numRuns: 150 },
    );
  });
});
