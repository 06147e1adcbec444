/** HTTP rules at random, and requests near what they match (cilium.md section 6). */
import fc from "fast-check";
import { type Fields, few, fields, list, sometimes, weighted } from "./arbitraries.ts";
import type { HttpRequest } from "./flows.ts";

const METHODS = ["GET", "POST", "GET|HEAD", "get", "P.*", "(?:PUT|DELETE)", "[A-Z]+", "G", "", "(?i)post"];

const PATHS = [
  "/public",
  "/public/.*",
  "/public(\\?.*)?",
  "/a",
  "/a/",
  "/a/?",
  "/a/[^/]+",
  "/api/v[0-9]+/items",
  "/api/v\\d/(items|users)(/.*)?",
  "/.*",
  ".*\\.html",
  "^/a$",
  "/A",
  "/a{2,3}",
  "/\\w+",
  "/a b",
  "/%61",
  "/x/../a",
  "/admin.*",
  "(/public|/admin)/.*",
  "",
];

const HOSTS = ["api.example.com", "api[.]example[.]com(:[0-9]+)?", ".*[.]example[.]com", "API.example.com", "a"];

const HEADERS = ["X-Env: prod", "X-Env", "x-id", "X-Env:prod", "X-Env: prod,test", "X-Role: a b", "X-Env: "];

const HEADER_NAMES = ["X-Env", "x-id", "X-Role"];
const HEADER_VALUES = ["prod", "test", "prod,test", "a b", ""];

const headerMatch: fc.Arbitrary<Fields> = fields({
  name: fc.constantFrom(...HEADER_NAMES),
  value: sometimes(75, fc.constantFrom(...HEADER_VALUES)),
  mismatch: sometimes(35, fc.constantFrom("LOG", "ADD", "DELETE", "REPLACE")),
});

const secretMatch: fc.Arbitrary<Fields> = fields({
  name: fc.constantFrom(...HEADER_NAMES),
  value: sometimes(50, fc.constantFrom(...HEADER_VALUES)),
  secret: fc.constant({ namespace: "a", name: "s" }),
  mismatch: sometimes(40, fc.constantFrom("LOG", "REPLACE")),
});

function httpRule(planted: boolean): fc.Arbitrary<Fields> {
  return weighted<Fields>(
    [1, fc.constant({})],
    [
      16,
      fields({
        method: sometimes(55, fc.constantFrom(...METHODS)),
        path: sometimes(65, fc.constantFrom(...PATHS)),
        host: sometimes(20, fc.constantFrom(...HOSTS)),
        headers: sometimes(18, list(fc.constantFrom(...HEADERS), 0, 2)),
        headerMatches: sometimes(22, list(planted ? weighted([1, headerMatch], [1, secretMatch]) : headerMatch, 0, 2)),
      }),
    ],
  );
}

/** The application part of a `toPorts` item. */
export function httpApplication(planted: boolean): fc.Arbitrary<Fields> {
  return weighted<Fields>(
    [12, few(httpRule(planted)).map((http) => ({ rules: { http: http.length === 0 ? [{}] : http } }))],
    [1, fc.constantFrom<Fields>({ rules: { http: [] } }, {})],
    [
      planted ? 1 : 0,
      fc.constantFrom<Fields>({ rules: { kafka: [{ topic: "t" }] } }, { rules: { l7proto: "p", l7: [{}] } }),
    ],
  );
}

/** Texts that a pattern matches, or nearly does. */
const NEAR: ReadonlyMap<string, readonly string[]> = new Map([
  [
    "/public",
    ["/public", "/public/", "/public?x=1", "/Public", "//public", "/publi", "/x/../public", "/%70ublic", "/public/."],
  ],
  ["/public/.*", ["/public/", "/public/x", "/public", "/public/../x", "/public%2Fx", "/public//x", "/public?x=/y"]],
  ["/public(\\?.*)?", ["/public", "/public?", "/public?a=b", "/public/", "/public%3Fa"]],
  ["/a", ["/a", "/a/", "/A", "/a?x=1", "/ab", "//a", "/x/../a", "/%61", "/./a", "/a/..", "/x/..\\a"]],
  ["/a/", ["/a/", "/a", "/a//", "/a/.", "/a/b/.."]],
  ["/a/[^/]+", ["/a/b", "/a/", "/a/b/c", "/a/b?c", "/a/%2e%2e", "/a/%2Eb"]],
  [
    "/api/v[0-9]+/items",
    ["/api/v1/items", "/api/v12/items", "/api/v/items", "/api/v1/items/7", "/api/v1/items?x=1", "/api//v1/items"],
  ],
  [
    "/api/v\\d/(items|users)(/.*)?",
    ["/api/v1/users", "/api/v1/users/", "/api/v1/user", "/api/v10/users", "/api/v1/items/7/.."],
  ],
  [".*\\.html", ["/x.html", "/x.htmls", "/x/y.html", "/x_html", "/x.html?y", "/y?x.html"]],
  ["/a{2,3}", ["/a", "/aa", "/aaa", "/aaaa"]],
  ["/\\w+", ["/a_1", "/a-b", "/", "/%41"]],
  ["/a b", ["/a%20b", "/a+b"]],
  ["/admin.*", ["/admin", "/admin/x", "/administrator", "/Admin", "/x/admin"]],
  ["(/public|/admin)/.*", ["/admin/x", "/public/x", "/admin", "/admin/"]],
  ["/x/../a", ["/x/../a", "/a"]],
  ["/%61", ["/a", "/%61", "/%2561"]],
]);

const METHOD_REQUESTS = ["GET", "GET", "POST", "HEAD", "get", "PUT", "DELETE", "PATCH"];
const HOST_REQUESTS = ["api.example.com", "api.example.com:8080", "apiXexample.com", "www.example.com", "a"];

const allPaths = [...NEAR.values()].flat();

const requestHeaders: fc.Arbitrary<Readonly<Record<string, string>>> = list(
  fc.tuple(
    fc.constantFrom("X-Env", "x-env", "X-Id", "X-Role"),
    fc.constantFrom("prod", "test", "Prod", "prod,test", "a b", "a", ""),
  ),
  0,
  2,
).map((pairs) => {
  // One spelling a name: what is sent twice is joined (R6.1.5) before it is asked.
  const out = new Map<string, readonly [name: string, value: string]>();
  for (const [name, value] of pairs) {
    const known = out.get(name.toLowerCase());
    out.set(name.toLowerCase(), known === undefined ? [name, value] : [known[0], `${known[1]},${value}`]);
  }
  return Object.fromEntries(out.values());
});

function isMapping(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Every HTTP rule that is written somewhere. */
export function httpRulesIn(value: unknown): readonly Fields[] {
  if (Array.isArray(value)) return value.flatMap(httpRulesIn);
  if (!isMapping(value)) return [];
  const { http } = value;
  return [...(Array.isArray(http) ? http.filter(isMapping) : []), ...Object.values(value).flatMap(httpRulesIn)];
}

/** Header items that satisfy what a rule asks for, as far as it is asked plainly. */
function wantedHeaders(rule: Fields): Readonly<Record<string, string>> {
  const texts = Array.isArray(rule["headers"]) ? rule["headers"].map(String) : [];
  const matches = Array.isArray(rule["headerMatches"]) ? rule["headerMatches"].filter(isMapping) : [];
  return Object.fromEntries(
    [
      ...texts.map((text) => {
        const space = text.indexOf(" ");
        return space < 0
          ? ([text, "x"] as const)
          : ([text.slice(0, space).replace(/:$/, ""), text.slice(space + 1)] as const);
      }),
      ...matches.map(
        (match) => [String(match["name"]), typeof match["value"] === "string" ? match["value"] : "x"] as const,
      ),
    ].filter(([name]) => !name.includes(":")),
  );
}

/** A request near one of the rules, or any. */
export function requestNear(rules: readonly Fields[]): fc.Arbitrary<HttpRequest> {
  const aimed = rules.length === 0 ? fc.constant<Fields>({}) : fc.constantFrom(...rules);
  return aimed.chain((rule) => {
    const paths = NEAR.get(String(rule["path"] ?? "")) ?? allPaths;
    const method = String(rule["method"] ?? "");
    const wanted = METHOD_REQUESTS.filter(
      (name) => method === "" || new RegExp(`^(?:${method.replace("(?i)", "")})$`, "i").test(name),
    );
    const none: Readonly<Record<string, string>> = {};
    return fc
      .tuple(
        weighted(
          [4, fc.constantFrom(...(wanted.length === 0 ? METHOD_REQUESTS : wanted))],
          [1, fc.constantFrom(...METHOD_REQUESTS)],
        ),
        weighted([6, fc.constantFrom(...paths)], [1, fc.constantFrom(...allPaths)]),
        fc.constantFrom(...HOST_REQUESTS),
        weighted([5, fc.constant(wantedHeaders(rule))], [2, fc.constant(none)], [3, requestHeaders]),
      )
      .map(([verb, path, host, headers]) => ({ method: verb, path, host, headers }));
  });
}
