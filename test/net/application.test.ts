import { describe, expect, test } from "vitest";
import { type Ternary, ternaryAnd } from "../../src/base/ternary.ts";
import {
  APPLICATION_LIMITS,
  type Application,
  type ApplicationPattern,
  applicationBecause,
  applicationEquals,
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
  NOTHING,
  type Request,
  showApplication,
} from "../../src/net/application.ts";
import { exactName, patternName } from "../../src/policy/cilium/names.ts";
import type { Release } from "../../src/policy/cilium/settings.ts";
import type { ApplicationRule } from "../../src/policy/rule.ts";

interface RuleParts {
  readonly method?: string;
  readonly path?: string;
  readonly host?: string;
  readonly headers?: readonly HeaderPattern[];
}

/** One list of HTTP rules. */
function http(...rules: readonly RuleParts[]): Application {
  return applicationOf([{ kind: "http", rules: rules.map((r) => ({ headers: [], ...r })) }]);
}

interface RequestParts {
  readonly host?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** `GET /a`. */
function request(line: string, { host, headers = {} }: RequestParts = {}): Request {
  const [method = "", ...path] = line.split(" ");
  const rest = { path: path.join(" "), headers: new Map(Object.entries(headers)) };
  return { method, ...rest, ...(host === undefined ? {} : { host }) };
}

const asks = (a: Application, line: string, parts?: RequestParts): Ternary =>
  applicationHas(a, { http: request(line, parts) });

describe("one HTTP rule", () => {
  test.each([
    ["[EX-37] full match", { path: "/api/v[0-9]+/items" }, "GET /api/v1/items", "yes"],
    ["[EX-37] a longer path", { path: "/api/v[0-9]+/items" }, "GET /api/v1/items/7", "no"],
    ["[EX-37] a query", { path: "/api/v[0-9]+/items" }, "GET /api/v1/items?x=1", "no"],
    ["[EX-53] methods are case-sensitive", { method: "get" }, "GET /", "no"],
    ["[EX-53] one of two methods", { method: "GET|HEAD" }, "GET /", "yes"],
    ["[EX-53] the other one", { method: "GET|HEAD" }, "HEAD /", "yes"],
    ["[EX-53] a part of a method", { method: "G" }, "GET /", "no"],
    ["[EX-54] the path", { path: "/a" }, "GET /a", "yes"],
    ["[EX-54] a trailing slash", { path: "/a" }, "GET /a/", "no"],
    ["[EX-54] a query", { path: "/a" }, "GET /a?x=1", "no"],
    ["[EX-54] another case", { path: "/a" }, "GET /A", "no"],
    ["[EX-54] a longer name", { path: "/a" }, "GET /ab", "no"],
    ["[EX-54] repeated slashes", { path: "/a" }, "GET //a", "yes"],
    ["[EX-54] dot segments", { path: "/a" }, "GET /x/../a", "yes"],
    ["[R6.1.1] an empty rule", {}, "DELETE /x?y", "yes"],
    ["[R6.1.1] an empty field", { method: "", path: "", host: "" }, "DELETE /x", "yes"],
    ["[R6.1.2] an optional query", { path: "/public(\\?.*)?" }, "GET /public?x=1", "yes"],
    ["[R6.1.3] RE2 syntax", { path: "/\\w+/\\d{2,}?(?P<n>x)" }, "GET /ab/12x", "yes"],
  ] as const)("%s: %j has %s: %s", (_title, rule, line, expected) => {
    expect(asks(http(rule), line)).toBe(expected);
  });

  test.each([
    ["[EX-55] the port is part of the value", "api.example.com", "api.example.com:8080", "no"],
    ["[EX-55] the dot is a regex dot", "api.example.com", "apiXexample.com", "yes"],
    ["[EX-55] an optional port", "api[.]example[.]com(:[0-9]+)?", "api.example.com:8080", "yes"],
    ["[EX-55] a literal dot", "api[.]example[.]com(:[0-9]+)?", "apiXexample.com", "no"],
    ["a host that is not told", "api[.]example[.]com", undefined, "maybe"],
    ["any host, not told", ".*", undefined, "yes"],
  ] as const)("%s: %s has %s: %s", (_title, rule, host, expected) => {
    expect(asks(http({ host: rule }), "GET /", host === undefined ? {} : { host })).toBe(expected);
  });

  const both: readonly HeaderPattern[] = [{ name: "x-env", value: "prod" }, { name: "x-id" }];
  test.each([
    ["[EX-56] both", both, { "x-env": "prod", "X-Id": "7" }, "yes"],
    ["[EX-56] one only", both, { "X-Env": "prod" }, "no"],
    ["[EX-56] another value", both, { "X-Env": "production", "X-Id": "7" }, "no"],
    ["[EX-56] sent twice", both, { "X-Env": "prod,test", "X-Id": "7" }, "no"],
    ["[EX-56] no space", [{ name: "x-env:prod" }], { "X-Env": "prod" }, "no"],
    ["[R6.1.4] present, and empty", both, { "X-Env": "prod", "X-Id": "" }, "yes"],
    ["[R6.1.5] a mismatch that is logged", [{ name: "x", value: "1", mismatch: "LOG" }], {}, "yes"],
    ["[R6.1.5] a mismatch that adds", [{ name: "x", value: "1", mismatch: "ADD" }], { x: "2" }, "yes"],
    ["[R6.1.5] a mismatch that deletes", [{ name: "x", value: "1", mismatch: "DELETE" }], { x: "2" }, "yes"],
    ["[R6.1.5] a mismatch that replaces", [{ name: "x", value: "1", mismatch: "REPLACE" }], { x: "2" }, "yes"],
    ["[R6.1.5] a secret, and the header", [{ name: "x", secret: "a/s" }], { x: "2" }, "maybe"],
    ["[R6.1.5] a secret, and no header", [{ name: "x", secret: "a/s" }], {}, "no"],
    ["[R6.1.5] a secret and a value", [{ name: "x", value: "1", secret: "a/s" }], { x: "2" }, "maybe"],
    ["[R6.1.5] a secret, logged", [{ name: "x", secret: "a/s", mismatch: "LOG" }], {}, "maybe"],
    ["[R6.1.5] a secret and a value, logged", [{ name: "x", value: "1", secret: "a/s", mismatch: "LOG" }], {}, "yes"],
  ] as const)("%s: %j", (_title, rule, headers, expected) => {
    expect(asks(http({ headers: rule }), "GET /", { headers })).toBe(expected);
  });

  test("a header that names the host, the path or the method is what it names", () => {
    const a = http({
      headers: [{ name: "host", value: "a.io" }, { name: ":path", value: "/x" }, { name: ":method" }],
    });
    expect(asks(a, "GET /x", { host: "a.io" })).toBe("yes");
    expect(asks(a, "GET /x", { headers: { Host: "a.io" } })).toBe("yes");
    expect(asks(a, "GET /x", { host: "aXio" })).toBe("no");
    expect(asks(a, "GET /y", { host: "a.io" })).toBe("no");
  });

  test("a request that the proxy refuses is in no clause that asks for HTTP", () => {
    expect(asks(http({ method: "GET" }), "GET /a%00")).toBe("no");
    expect(asks(EVERYTHING, "GET /a%00")).toBe("yes");
  });

  test("a pattern that RE2 refuses decides nothing", () => {
    const a = http({ method: "GET", path: "(?=/a)" });
    expect(asks(a, "GET /a")).toBe("maybe");
    expect(asks(a, "POST /a")).toBe("no");
    expect(applicationBecause(a)).toMatchObject([{ code: "pattern-limit" }]);
  });
});

describe("several rules", () => {
  test("[EX-35] the rules of a list, and of two policies, are OR-ed", () => {
    const united = applicationUnion(http({ method: "GET", path: "/a" }), http({ method: "POST", path: "/b" }));
    expect(asks(united, "GET /a")).toBe("yes");
    expect(asks(united, "POST /b")).toBe("yes");
    expect(asks(united, "GET /b")).toBe("no");
    expect(united.key).toBe(http({ method: "POST", path: "/b" }, { path: "/a", method: "GET" }).key);
  });

  test("[EX-33] everything lifts every restriction", () => {
    expect(applicationUnion(http({ method: "GET" }), EVERYTHING)).toBe(EVERYTHING);
    expect(applicationUnion(EVERYTHING, http({ method: "GET" }))).toBe(EVERYTHING);
    expect(applicationUnion(http({ method: "GET" }), http({}))).toBe(EVERYTHING);
    expect(http({ method: ".*", path: "/.*" })).toBe(EVERYTHING);
  });

  test("no rule covers one that asks for another value, or for none", () => {
    const one = http({ headers: [{ name: "x", value: "1" }] });
    const two = http({ headers: [{ name: "x", value: "2" }] });
    const absent = applicationSubtract(EVERYTHING, http({ headers: [{ name: "x" }] }));
    const x = { headers: { x: "2" } };
    expect(asks(applicationUnion(one, two), "GET /", x)).toBe("yes");
    expect(asks(applicationUnion(absent, two), "GET /", x)).toBe("yes");
    expect(asks(applicationUnion(applicationSubtract(EVERYTHING, one), absent), "GET /", x)).toBe("yes");
    expect(asks(applicationUnion(absent, applicationSubtract(EVERYTHING, one)), "GET /", x)).toBe("yes");
  });

  test("[R6.4.1] both sides must pass", () => {
    const both = applicationIntersect(http({ method: "GET|POST" }), http({ method: "GET|PUT", path: "/a.*" }));
    expect(asks(both, "GET /ab")).toBe("yes");
    expect(asks(both, "POST /ab")).toBe("no");
    expect(both.key).toBe(http({ method: "GET", path: "/a.*" }).key);
  });

  test("an empty HTTP list is no list", () => {
    expect(applicationOf([{ kind: "http", rules: [] }])).toBe(EVERYTHING);
    expect(applicationOf([])).toBe(EVERYTHING);
  });

  test("the rule form's application rules fit", () => {
    const rules: readonly ApplicationRule[] = [
      { kind: "http", rules: [{ method: "GET", headers: [{ name: "x", value: "1" }], at: ["spec"] }] },
      { kind: "dns", names: [exactName("a.io")] },
      { kind: "tls", serverNames: [exactName("a.io")] },
      { kind: "opaque", what: "Kafka" },
    ];
    expect(applicationIsEmpty(applicationOf(rules))).toBe("maybe");
  });
});

describe("DNS queries", () => {
  const has = (pattern: string, name: string, release: Release = "1.19"): Ternary =>
    applicationHas(applicationOf([{ kind: "dns", names: [patternName(pattern, release, "query")] }]), {
      dns: { name },
    });

  test.each([
    ["[EX-39]", "*.cilium.io", "www.cilium.io", "yes"],
    ["[EX-39]", "*.cilium.io", "cilium.io", "no"],
    ["[EX-39]", "*.cilium.io", "a.b.cilium.io", "no"],
    ["[EX-40]", "*cilium.io", "cilium.io", "yes"],
    ["[EX-40]", "*cilium.io", "xcilium.io", "yes"],
    ["[EX-40]", "*cilium.io", "www.cilium.io", "no"],
    ["[EX-41]", "sub*.cilium.io", "sub.cilium.io", "yes"],
    ["[EX-41]", "sub*.cilium.io", "subdomain.cilium.io", "yes"],
    ["[EX-41]", "part*ial.com", "partial.com", "yes"],
    ["[EX-41]", "part*ial.com", "part-extra-ial.com", "yes"],
    ["[EX-42]", "**.cilium.io", "a.cilium.io", "yes"],
    ["[EX-42]", "**.cilium.io", "a.b.cilium.io", "yes"],
    ["[EX-42]", "**.cilium.io", "cilium.io", "no"],
    ["[EX-43]", "*.*.svc.cluster.local", "web.prod.svc.cluster.local", "yes"],
    ["[EX-58]", "*", "any.name.at.all", "yes"],
    ["[EX-58]", "*", ".", "yes"],
    ["[EX-58]", "**", "a.b", "yes"],
    ["[EX-58]", "*.A.io", "x.a.io", "yes"],
    ["[R7.1.2] case and the trailing dot do not count", "*.a.io", "X.A.IO.", "yes"],
  ] as const)("%s %s has %s: %s", (_id, pattern, name, expected) => {
    expect(has(pattern, name)).toBe(expected);
  });

  test.each([
    ["[EX-42]", "**.cilium.io", "a.b.cilium.io", "no"],
    ["[EX-58]", "**", "a", "yes"],
    ["[EX-58]", "**", ".", "yes"],
    ["[EX-58]", "**", "a.b", "no"],
  ] as const)("%s before 1.19, %s has %s: %s", (_id, pattern, name, expected) => {
    expect(has(pattern, name, "1.18")).toBe(expected);
    expect(has(pattern, name, "1.17")).toBe(expected);
  });

  const names = (...texts: readonly string[]): Application =>
    applicationOf([{ kind: "dns", names: texts.map((t) => patternName(t, "1.19", "query")) }]);

  test("names of one list are OR-ed; a list without a name passes nothing [R7.1.5, R7.1.6]", () => {
    expect(applicationHas(names("a.io", "b.io"), { dns: { name: "b.io" } })).toBe("yes");
    expect(names()).toBe(NOTHING);
    expect(names("*")).toBe(EVERYTHING);
    expect(applicationSubtract(names("a.io"), names("*"))).toBe(NOTHING);
  });

  test("subset and witness", () => {
    expect(applicationIncludes(names("*.io"), names("a.io"))).toBe("yes");
    expect(applicationIncludes(names("*.io"), names("a.b.io"))).toBe("no");
    expect(applicationIncludes(names("**.io"), names("*.io", "*.*.io"))).toBe("yes");
    expect(applicationIsEmpty(applicationIntersect(names("*.io"), names("*.com")))).toBe("yes");
    expect(applicationWitness(applicationSubtract(names("sub*.io"), names("sub.io")))?.dns?.name).toMatch(/^sub.\.io$/);
  });

  test("a name and what is not the name are everything", () => {
    const other = applicationSubtract(EVERYTHING, names("a.io"));
    for (const both of [applicationUnion(names("a.io"), other), applicationUnion(other, names("a.io"))]) {
      expect(applicationHas(both, { dns: { name: "b.io" } })).toBe("yes");
      expect(applicationHas(both, { dns: { name: "a.io" } })).toBe("yes");
      expect(applicationEquals(both, EVERYTHING)).toBe("yes");
    }
  });

  test("a question without a query", () => {
    expect(applicationHas(names("a.io"), {})).toBe("maybe");
  });
});

describe("TLS server names", () => {
  const tls = applicationOf([
    { kind: "tls", serverNames: [exactName("a.io"), patternName("*.b.io", "1.19", "query")] },
  ]);
  test.each([
    [{ serverName: "a.io" }, "yes"],
    [{ serverName: "A.io" }, "yes"],
    [{ serverName: "x.b.io" }, "yes"],
    [{ serverName: "b.io" }, "no"],
    [{}, "no"],
    [undefined, "maybe"],
  ] as const)("[R5.9] %j: %s", (question, expected) => {
    expect(applicationHas(tls, question === undefined ? {} : { tls: question })).toBe(expected);
  });

  test("what is outside includes clients without a name", () => {
    const outside = applicationSubtract(EVERYTHING, tls);
    expect(applicationHas(outside, { tls: {} })).toBe("yes");
    expect(applicationWitness(outside)).toEqual({ tls: {} });
    expect(applicationWitness(tls)?.tls?.serverName).toBe("a.io");
  });
});

describe("subset and emptiness", () => {
  test.each([
    ["a path below", [{ path: "/api/.*" }], [{ path: "/api/v[0-9]+/.*" }], "yes"],
    ["a path above", [{ path: "/api/v[0-9]+/.*" }], [{ path: "/api/.*" }], "no"],
    ["a method fewer", [{ method: "GET|HEAD" }], [{ method: "HEAD" }], "yes"],
    [
      "two boxes together",
      [{ method: "GET" }, { method: "HEAD", path: "/a" }],
      [{ method: "GET|HEAD", path: "/a" }],
      "yes",
    ],
    ["two boxes and a gap", [{ method: "GET" }, { method: "HEAD", path: "/a" }], [{ method: "GET|HEAD" }], "no"],
    ["two paths together", [{ path: "/[a-m].*" }, { path: "/[^a-m].*" }, { path: "/" }], [{}], "yes"],
    ["a header more", [{ headers: [{ name: "x" }] }], [{ headers: [{ name: "x", value: "1" }] }], "yes"],
    ["a header fewer", [{ headers: [{ name: "x", value: "1" }] }], [{ headers: [{ name: "x" }] }], "no"],
    ["the same words in another order", [{ method: "GET|HEAD" }], [{ method: "HEAD|GET" }], "yes"],
    ["paths that no request has", [{ path: "/a" }], [{ path: "/a|//a|/b/[.][.]/a" }], "yes"],
    ["every method", [{ method: "[^ ]+" }], [{}], "yes"],
  ] as const)("%s: %j includes %j: %s", (_title, outer, inner, expected) => {
    expect(applicationIncludes(http(...outer), http(...inner))).toBe(expected);
  });

  test.each([
    ["two paths", { path: "/a/.*" }, { path: "/b/.*" }, "yes"],
    ["two methods", { method: "GET" }, { method: "HEAD" }, "yes"],
    [
      "two values of a header",
      { headers: [{ name: "x", value: "1" }] },
      { headers: [{ name: "x", value: "2" }] },
      "yes",
    ],
    ["overlapping paths", { path: "/a.*" }, { path: ".*b" }, "no"],
    ["a path that is never asked", { path: "/a//b" }, {}, "yes"],
  ] as const)("what is in both, %s: %j and %j is empty: %s", (_title, a, b, expected) => {
    expect(applicationIsEmpty(applicationIntersect(http(a), http(b)))).toBe(expected);
  });

  test("equality", () => {
    expect(applicationEquals(http({ path: "/(a|b)*" }), http({ path: "/[ab]*" }))).toBe("yes");
    expect(applicationEquals(http({ path: "/(a|b)*" }), http({ path: "/[ab]+" }))).toBe("no");
    expect(
      applicationEquals(
        EVERYTHING,
        applicationUnion(http({ method: "GET" }), http({ method: "[^G].*|G|G[^E].*|GE|GE[^T].*|GET.+" })),
      ),
    ).toBe("yes");
  });

  test("a witness is what a person would try", () => {
    expect(applicationWitness(http({ path: "/api/.*" }))?.http).toMatchObject({ method: "GET", path: "/api/" });
    expect(
      applicationWitness(applicationSubtract(http({ method: "GET|PUT" }), http({ method: "GET" })))?.http,
    ).toMatchObject({ method: "PUT", path: "/" });
    expect(applicationWitness(http({ host: "a[.]io(:[0-9]+)?", headers: [{ name: "x", value: "1" }] }))?.http).toEqual({
      method: "GET",
      path: "/",
      host: "a.io",
      headers: new Map([["x", "1"]]),
    });
    const present = applicationSubtract(
      http({ headers: [{ name: "x" }] }),
      http({ headers: [{ name: "x", value: "1" }] }, { headers: [{ name: "x", value: "11" }] }),
    );
    expect(applicationWitness(present)?.http?.headers.get("x")).toBe("111");
    expect(applicationWitness(EVERYTHING)).toEqual({});
    expect(applicationWitness(NOTHING)).toBeUndefined();
  });
});

describe("opaque rules", () => {
  const kafka = applicationOf([{ kind: "opaque", what: "Kafka" }]);
  const get = http({ method: "GET" });

  test("are maybe, and say why", () => {
    expect(applicationHas(kafka, { http: request("GET /") })).toBe("maybe");
    expect(applicationIsEmpty(kafka)).toBe("maybe");
    expect(applicationBecause(kafka)).toEqual([{ code: "opaque-application-rule", detail: "Kafka" }]);
    expect(applicationWitness(kafka)).toBeUndefined();
  });

  test("have certain and possible bounds", () => {
    expect(applicationMust(kafka)).toBe(NOTHING);
    expect(applicationMay(kafka)).toBe(EVERYTHING);
    const mixed = applicationUnion(get, applicationIntersect(kafka, http({ method: "POST" })));
    expect(applicationMust(mixed).key).toBe(get.key);
    expect(applicationEquals(applicationMay(mixed), http({ method: "GET|POST" }))).toBe("yes");
    expect(applicationMust(get)).toBe(get);
  });

  test("two with one name are not known to be the same", () => {
    expect(applicationIsEmpty(applicationSubtract(kafka, kafka))).toBe("maybe");
    expect(applicationIncludes(kafka, kafka)).toBe("maybe");
  });

  test("do not hide what is certain", () => {
    expect(applicationIncludes(applicationUnion(kafka, get), get)).toBe("yes");
    expect(applicationIncludes(get, applicationIntersect(get, kafka))).toBe("yes");
    expect(applicationIncludes(applicationIntersect(get, kafka), http({ method: "POST" }))).toBe("no");
    expect(applicationIncludes(get, kafka)).toBe("maybe");
    expect(asks(applicationSubtract(EVERYTHING, applicationIntersect(get, kafka)), "POST /")).toBe("yes");
    expect(asks(applicationSubtract(EVERYTHING, applicationIntersect(get, kafka)), "GET /")).toBe("maybe");
  });
});

describe("showing", () => {
  const box = { methods: null, path: null, host: null, headers: [] };
  test.each([
    ["one rule", [{ method: "GET", path: "/public/.*" }], [{ ...box, methods: ["GET"], path: "/public/.*" }]],
    ["two methods", [{ method: "HEAD|GET" }], [{ ...box, methods: ["GET", "HEAD"] }]],
    [
      "methods of two rules",
      [
        { method: "GET", path: "/a" },
        { method: "HEAD", path: "/a" },
      ],
      [{ ...box, methods: ["GET", "HEAD"], path: "/a" }],
    ],
    ["a finite pattern of methods", [{ method: "P(OS|U)T" }], [{ ...box, methods: ["POST", "PUT"] }]],
    ["an infinite one", [{ method: "P.*" }], [{ ...box, methods: ["P.*"] }]],
    ["a box within another", [{ path: "/a/.*" }, { path: "/a/b", method: "GET" }], [{ ...box, path: "/a/.*" }]],
    [
      "boxes that cover one together",
      [{ method: "GET" }, { path: "/a" }, { method: "GET|HEAD", path: "/a" }],
      [
        { ...box, path: "/a" },
        { ...box, methods: ["GET"] },
      ],
    ],
    ["a rule that matches no request", [{ path: "/a//b" }, { method: "GET" }], [{ ...box, methods: ["GET"] }]],
    [
      "headers",
      [{ headers: [{ name: "x-env", value: "prod" }, { name: "x-id" }] }],
      [{ ...box, headers: ["x-env: prod", "x-id"] }],
    ],
    ["a host", [{ host: "api[.]example[.]com" }], [{ ...box, host: "api[.]example[.]com" }]],
    ["everything", [{ path: "/[a-z]?.*" }, { path: "/[^a-z].*" }], [box]],
  ] as const)("%s", (_title, rules, boxes) => {
    expect(showApplication(http(...rules)).boxes).toEqual(boxes);
  });

  test("of two ways to write one set, the shorter one, whatever the order", () => {
    const [long, short] = [http({ path: "/(a|b)*" }), http({ path: "/[ab]*" })];
    expect(showApplication(applicationUnion(long, short)).boxes).toEqual([{ ...box, path: "/[ab]*" }]);
    expect(showApplication(applicationUnion(short, long)).boxes).toEqual([{ ...box, path: "/[ab]*" }]);
  });

  test("everything and nothing", () => {
    expect(showApplication(EVERYTHING)).toEqual({ boxes: [box] });
    expect(showApplication(NOTHING)).toEqual({ boxes: [] });
  });

  test("what both sides allow reads like one rule", () => {
    const both = (a: RuleParts, b: RuleParts): unknown => showApplication(applicationIntersect(http(a), http(b))).boxes;
    expect(both({ path: "/api/.*" }, { path: "/api/v1/.*" })).toEqual([{ ...box, path: "/api/v1/.*" }]);
    expect(both({ path: "/a.*" }, { path: "/.*", method: "GET" })).toEqual([
      { ...box, methods: ["GET"], path: "/a.*" },
    ]);
    expect(both({ path: "/[ab]+" }, { path: "/[bc]+" })).toEqual([{ ...box, path: "/b+" }]);
  });

  test("what is left", () => {
    const less = (a: Application, b: RuleParts): unknown => showApplication(applicationSubtract(a, http(b))).boxes;
    expect(less(http({ method: "GET|HEAD", path: "/a" }), { method: "GET" })).toEqual([
      { ...box, methods: ["HEAD"], path: "/a" },
    ]);
    expect(less(http({ path: "/a/.*" }), { path: "/b/.*" })).toEqual([{ ...box, path: "/a/.*" }]);
    expect(less(EVERYTHING, { method: "GET|HEAD" })).toEqual([{ ...box, methods: ["not GET", "not HEAD"] }]);
    expect(less(EVERYTHING, { path: "/admin.*" })).toEqual([{ ...box, path: "not /admin.*" }]);
    expect(less(EVERYTHING, { headers: [{ name: "x" }] })).toEqual([{ ...box, headers: ["not x"] }]);
    expect(less(http({ path: "/[a-z]+/[0-9]+/edit" }), { path: ".*/[0-4]+/.*" })).toEqual([
      { ...box, path: "/[a-z]+/[0-4]*[5-9]\\d*/edit" },
    ]);
  });

  test("names and what is opaque", () => {
    const dns = applicationOf([{ kind: "dns", names: [exactName("b.io"), exactName("a.io")] }]);
    expect(showApplication(dns)).toEqual({ boxes: [], dns: ["a.io", "b.io"] });
    const tls = applicationOf([{ kind: "tls", serverNames: [exactName("a.io")] }]);
    expect(showApplication(applicationSubtract(EVERYTHING, tls))).toEqual({ boxes: [], tls: ["not a.io"] });
    expect(showApplication(applicationOf([{ kind: "opaque", what: "Kafka" }]))).toEqual({
      boxes: [],
      opaque: ["Kafka"],
    });
  });
});

describe("explaining a request", () => {
  test("says for each rule on what it failed", () => {
    const a = http(
      { method: "GET", path: "/public/.*" },
      { method: "POST", path: "/admin", headers: [{ name: "x-role", value: "ops" }], host: "a[.]io" },
    );
    expect(explainRequest(a, request("POST /x/../admin")).map(({ verdict, failures }) => [verdict, failures])).toEqual([
      [
        "no",
        [
          { part: "method", demand: "GET", actual: "POST", verdict: "no" },
          { part: "path", demand: "/public/.*", actual: "/admin", verdict: "no" },
        ],
      ],
      [
        "no",
        [
          { part: "host", demand: "a[.]io", verdict: "maybe" },
          { part: "header", demand: "x-role: ops", verdict: "no" },
        ],
      ],
    ]);
    expect(explainRequest(a, request("GET /public/x"))[0]).toMatchObject({ verdict: "yes", failures: [] });
  });

  test("says what is opaque, and what the proxy refuses", () => {
    const a = applicationOf([{ kind: "http", rules: [{ headers: [{ name: "x", secret: "a/s" }] }] }]);
    expect(explainRequest(a, request("GET /", { headers: { x: "1" } }))).toMatchObject([
      { verdict: "maybe", failures: [{ part: "opaque", demand: "Secret a/s", verdict: "maybe" }] },
    ]);
    expect(explainRequest(http({ method: "GET" }), request("GET /a#b"))).toMatchObject([
      { verdict: "no", failures: [{ part: "request", actual: "/a#b" }] },
    ]);
  });
});

describe("limits", () => {
  const many = (count: number, make: (i: number) => RuleParts): ApplicationPattern => ({
    kind: "http",
    rules: Array.from({ length: count }, (_, i) => ({ headers: [], ...make(i) })),
  });

  test("over the cap on clauses, what was kept is certain and the rest is maybe", () => {
    const a = applicationOf([many(APPLICATION_LIMITS.clauses + 1, (i) => ({ path: `/p${i}/.*` }))]);
    expect(asks(a, "GET /p0/x")).toBe("yes");
    expect(asks(a, `GET /p${APPLICATION_LIMITS.clauses}/x`)).toBe("maybe");
    expect(applicationBecause(a)).toMatchObject([{ code: "pattern-limit" }]);
    expect(asks(applicationSubtract(a, http({ path: "/p0/.*" })), "GET /p0/x")).not.toBe("yes");
    const within = applicationOf([many(APPLICATION_LIMITS.clauses, (i) => ({ path: `/p${i}/.*` }))]);
    expect(applicationBecause(within)).toEqual([]);
    expect(applicationIncludes(within, http({ path: "/p7/x" }))).toBe("yes");
  });

  test("combinations that are empty do not count", () => {
    const a = applicationOf([many(40, (i) => ({ path: `/p${i}/.*` }))]);
    const b = applicationOf([many(40, (i) => ({ path: `/p${i}/x.*` }))]);
    const both = applicationIntersect(a, b);
    expect(applicationBecause(both)).toEqual([]);
    expect(applicationEquals(both, b)).toBe("yes");
  });

  test.each([
    [
      "exclusions without end",
      many(25, (i) => ({ path: `.*a.{${100 + i}}`, method: `.*b.{${i}}` })),
      many(25, (i) => ({ path: `.*c.{${100 + i}}`, host: `.*d.{${i}}` })),
    ],
    [
      "many headers",
      many(25, (i) => ({ headers: [{ name: `a${i}` }, { name: `b${i}` }] })),
      many(25, (i) => ({ headers: [{ name: `c${i}` }, { name: `d${i}` }] })),
    ],
    [
      "hundreds of rules on both sides",
      many(300, (i) => ({ path: `/a${i}.*` })),
      many(300, (i) => ({ path: `.*${i}/b` })),
    ],
  ])("every operation on %s ends", (_title, first, second) => {
    const a = applicationOf([first]);
    const b = applicationOf([second]);
    const question = { http: request("GET /a1/b") };
    const inBoth = ternaryAnd(applicationHas(a, question), applicationHas(b, question));
    for (const set of [applicationIntersect(a, b), applicationSubtract(a, b)]) {
      applicationIsEmpty(set);
      applicationWitness(set);
      expect(showApplication(set).boxes.length).toBeLessThanOrEqual(APPLICATION_LIMITS.clauses);
    }
    expect([inBoth, "maybe"]).toContain(applicationHas(applicationIntersect(a, b), question));
    applicationIncludes(a, b);
  });

  test("everything and nothing cost nothing", () => {
    const some = applicationOf([{ kind: "http", rules: [{ path: "/a", headers: [] }] }]);
    // The very same values, not others that are equal.
    expect(applicationUnion(EVERYTHING, some)).toBe(EVERYTHING);
    expect(applicationIntersect(EVERYTHING, some)).toBe(some);
    expect(applicationSubtract(some, EVERYTHING)).toBe(NOTHING);
    expect(applicationSubtract(some, NOTHING)).toBe(some);
    expect(applicationUnion(NOTHING, some)).toBe(some);
    expect(applicationIntersect(NOTHING, some)).toBe(NOTHING);
  });
});
