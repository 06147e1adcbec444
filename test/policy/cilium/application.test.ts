import { describe, expect, test } from "vitest";
import type { Release } from "../../../src/policy/cilium/dialect.ts";
import { exactName, patternName } from "../../../src/policy/cilium/names.ts";
import type { ApplicationRule, HttpRule, Rule } from "../../../src/policy/rule.ts";
import { cnp, ruleOf, type Options } from "./world.ts";

function ruleWith(item: string, section = "egress", options: Options = {}): Rule {
  return ruleOf(cnp(`${section}: [{toPorts: [{ports: [{port: "80", protocol: TCP}], ${item}}]}]`), options);
}

function applicationOf(item: string, options: Options = {}): readonly ApplicationRule[] | undefined {
  return ruleWith(item, "egress", options).traffic[0]?.application;
}

function httpOf(rule: string): HttpRule {
  const [application] = ruleWith(`rules: {http: [${rule}]}`).traffic[0]?.application ?? [];
  if (application?.kind !== "http" || application.rules[0] === undefined) throw new Error("no HTTP rule");
  return application.rules[0];
}

describe("HTTP rules", () => {
  test("[R6.1.1] absent and empty fields match anything", () => {
    const at = ["spec", "egress", 0, "toPorts", 0, "rules", "http", 0];
    expect(httpOf("{}")).toEqual({ headers: [], at });
    expect(httpOf("{path: '', method: ''}")).toEqual({ headers: [], at });
  });

  test("[R6.1.2] patterns stand as written", () => {
    expect(httpOf("{path: '/a(/.*)?', method: GET, host: 'a[.]io'}")).toMatchObject({
      path: "/a(/.*)?",
      method: "GET",
      host: "a[.]io",
    });
  });

  test.each([
    ["[R6.1.4, EX-56] presence", "X-Id", { name: "x-id" }],
    ["[R6.1.4, EX-56] a value after the first space", "X-Env: prod east", { name: "x-env", value: "prod east" }],
    ["[R6.1.4] a name without its colons", "X-Env:: prod", { name: "x-env", value: "prod" }],
    ["[R6.1.4] without a colon all the same", "X-Env prod", { name: "x-env", value: "prod" }],
    ["[R6.1.4] an empty value", "X-Env: ", { name: "x-env", value: "" }],
    ["[R6.1.4, EX-56] without a space the colon is of the name", "X-Env:prod", { name: "x-env:prod" }],
  ])("%s", (_, header, want) => {
    expect(httpOf(`{headers: [${JSON.stringify(header)}]}`).headers).toEqual([want]);
  });

  test.each([
    ["[R6.1.5] without a value: presence", "{name: X-A}", { name: "x-a" }],
    ["[R6.1.5] an empty value is none", "{name: X-A, value: ''}", { name: "x-a" }],
    ["[R6.1.5] a value", "{name: X-A, value: b}", { name: "x-a", value: "b" }],
    ["[R6.1.5] an action", "{name: X-A, value: b, mismatch: LOG}", { name: "x-a", value: "b", mismatch: "LOG" }],
    ["[R6.1.5] a secret", "{name: X-A, secret: {name: s}}", { name: "x-a", secret: "s" }],
    ["[R6.1.5] of a namespace", "{name: X-A, secret: {namespace: ns, name: s}}", { name: "x-a", secret: "ns/s" }],
  ])("%s", (_, match, want) => {
    expect(httpOf(`{headerMatches: [${match}]}`).headers).toEqual([want]);
  });

  test("[R2.4.2] an empty list is no list", () => {
    expect(applicationOf("rules: {http: []}")).toBeUndefined();
    expect(applicationOf("rules: {http: [{}]}")).toHaveLength(1);
  });

  test("[R6.2.1] every port of the item carries the rules, and no other item does", () => {
    const document = cnp(`ingress: [{toPorts: [
      {ports: [{port: "80", protocol: TCP}, {port: web, protocol: TCP}], rules: {http: [{method: GET}]}},
      {ports: [{port: "81", protocol: TCP}]}]}]`);
    expect(ruleOf(document).traffic.map(({ match, application }) => [match.kind, application?.length ?? 0])).toEqual([
      ["ports", 1],
      ["named", 1],
      ["ports", 0],
    ]);
  });
});

describe("DNS rules", () => {
  const dns = (items: string, port = '{port: "53"}'): Rule =>
    ruleOf(cnp(`egress: [{toPorts: [{ports: [${port}], rules: {dns: [${items}]}}]}]`));

  test("[R7.2.1] they stand on every protocol of the port", () => {
    const traffic = dns('{matchPattern: "*"}').traffic;
    expect(traffic.map(({ application }) => application?.[0])).toEqual([
      { kind: "dns", names: [{ text: "*", expression: "^.*$" }] },
      { kind: "dns", names: [{ text: "*", expression: "^.*$" }] },
      { kind: "dns", names: [{ text: "*", expression: "^.*$" }] },
    ]);
  });

  test("[R7.1.5, R7.1.6] both fields are OR-ed, and neither is nothing", () => {
    const [application] = dns('{matchName: a.io, matchPattern: "*.b.io"}, {}').traffic[0]?.application ?? [];
    expect(application).toMatchObject({ kind: "dns", names: [{ text: "a.io" }, { text: "*.b.io" }] });
    expect(dns("{}").traffic[0]?.application).toEqual([{ kind: "dns", names: [] }]);
  });

  test("[R2.4.2] an empty list on TCP is no list", () => {
    expect(dns("", '{port: "53", protocol: TCP}').traffic[0]).not.toHaveProperty("application");
  });

  test("a port by name and of any protocol carries them for each protocol", () => {
    const traffic = dns("{matchName: a.io}", "{port: dns}").traffic;
    expect(traffic.map(({ match }) => (match.kind === "named" ? match.protocol : ""))).toEqual(["TCP", "UDP", "SCTP"]);
  });
});

describe("names", () => {
  const matches = (pattern: string, name: string, release: Release): boolean =>
    new RegExp(patternName(pattern, release, "resolved").expression).test(name);

  test.each([
    ["[R7.1.1] a name is itself", "a.io", "a.io.", "b.a.io."],
    ["[R7.1.1] in lower case", "A.io", "a.io.", "A.io."],
    ["[R7.1.1] with or without its last dot", "a.io.", "a.io.", "a.io"],
  ])("%s", (_, text, yes, no) => {
    const { expression } = exactName(text);
    expect([new RegExp(expression).test(yes), new RegExp(expression).test(no)]).toEqual([true, false]);
  });

  test.each([
    ["[R7.1.2, EX-39] one label", "*.cilium.io", "www.cilium.io.", true],
    ["[R7.1.2, EX-39] not none", "*.cilium.io", "cilium.io.", false],
    ["[R7.1.2, EX-39] not two", "*.cilium.io", "a.b.cilium.io.", false],
    ["[R7.1.2] an empty label", "*.cilium.io", ".cilium.io.", true],
    ["[R7.1.2, EX-40] zero characters", "*cilium.io", "cilium.io.", true],
    ["[R7.1.2, EX-40] some characters", "*cilium.io", "xcilium.io.", true],
    ["[R7.1.2, EX-40] no dot", "*cilium.io", "www.cilium.io.", false],
    ["[R7.1.2, EX-41] inside a label", "sub*.cilium.io", "subdomain.cilium.io.", true],
    ["[R7.1.2, EX-41] with nothing there", "sub*.cilium.io", "sub.cilium.io.", true],
    ["[R7.1.2, EX-41] between two parts", "part*ial.com", "part-extra-ial.com.", true],
    ["[R7.1.2, EX-43] two labels", "*.*.svc.cluster.local", "web.prod.svc.cluster.local.", true],
    ["[R7.1.2, EX-43] not three", "*.*.svc.cluster.local", "a.web.prod.svc.cluster.local.", false],
    ["[R7.1.2, EX-58] in lower case", "*.A.io", "x.a.io.", true],
    ["[R7.1.3, EX-58] every name", "*", "x.y.a.io.", true],
    ["[R7.1.3, EX-58] the root", "*", ".", true],
    ["[R7.1.4] elsewhere two are one", "a**.io", "abc.io.", true],
    ["[R7.1.4] elsewhere they stop at a dot", "a.**.io", "a.b.c.io.", false],
  ] as const)("%s", (_, pattern, name, want) => {
    for (const release of ["1.17", "1.18", "1.19"] as const) expect(matches(pattern, name, release)).toBe(want);
  });

  test.each([
    // pattern, name, then 1.17, 1.18 and 1.19
    ["[R7.1.4, EX-42] one label", "**.cilium.io", "a.cilium.io.", true, true, true],
    ["[R7.1.4, EX-42] several labels", "**.cilium.io", "a.b.cilium.io.", false, false, true],
    ["[R7.1.4, EX-42] no label", "**.cilium.io", "cilium.io.", false, false, false],
    ["[R7.1.4] no empty label", "**.cilium.io", ".cilium.io.", true, true, false],
    ["[R7.1.3, EX-58] only wildcards", "**", "a.b.", false, false, true],
    ["[R7.1.3, EX-58] only wildcards, one label", "**", "a.", true, true, true],
    ["[R7.1.3] with a dot", "**.", "a.b.", false, false, true],
  ] as const)("%s", (_, pattern, name, ...wants) => {
    expect((["1.17", "1.18", "1.19"] as const).map((release) => matches(pattern, name, release))).toEqual(wants);
  });

  test("[R7.3.5] toFQDNs are peers by name", () => {
    expect(ruleOf(cnp("egress: [{toFQDNs: [{matchName: a.io}, {}]}]")).peers).toEqual([
      { kind: "names", names: [{ text: "a.io", expression: "^a[.]io[.]$" }] },
      { kind: "names", names: [] },
    ]);
  });
});

describe("TLS and what nobody can decide", () => {
  test("[R5.9] server names are exact", () => {
    expect(applicationOf("serverNames: [A.io]")).toEqual([
      { kind: "tls", serverNames: [{ text: "A.io", expression: "^a[.]io[.]$" }] },
    ]);
    expect(applicationOf("serverNames: []")).toBeUndefined();
  });

  test.each([
    // name, SNI, then 1.17, 1.18 and 1.19
    ["[R5.9] one label", "*.a.io", "x.a.io.", false, true, true],
    ["[R5.9] not two labels", "*.a.io", "x.y.a.io.", false, false, false],
    ["[R5.9] several labels", "**.a.io", "x.y.a.io.", false, true, true],
    ["[R5.9] not none", "**.a.io", "a.io.", false, false, false],
  ] as const)("%s", (_, name, server, ...wants) => {
    const found = (["1.17", "1.18", "1.19"] as const).map((release) => {
      const [application] = applicationOf(`serverNames: ["${name}"]`, { release }) ?? [];
      if (application?.kind !== "tls") throw new Error("no TLS rule");
      return application.serverNames.some(({ expression }) => new RegExp(expression).test(server));
    });
    expect(found).toEqual(wants);
  });

  test("[R5.9] on any protocol they are TLS for TCP and opaque for the others", () => {
    const rule = ruleOf(cnp('egress: [{toPorts: [{ports: [{port: "443"}], serverNames: [a.io]}]}]'));
    expect(rule.traffic.map(({ application }) => application?.[0]?.kind)).toEqual(["tls", "opaque", "opaque"]);
  });

  test.each([
    ["[R4.5.5] Kafka", "rules: {kafka: [{topic: t}]}", "kafka", { slot: "parser", value: "kafka" }],
    ["[R4.5.5] a generic parser", "rules: {l7proto: p, l7: [{a: b}]}", "l7proto p", { slot: "parser", value: "p" }],
    [
      "[R4.5.5] TLS termination",
      "terminatingTLS: {secret: {namespace: ns, name: s}}",
      "terminatingTLS ns/s",
      { slot: "terminatingTLS", value: "ns/s" },
    ],
    [
      "[R4.5.5] TLS origination",
      "originatingTLS: {secret: {name: s}, trustedCA: c}",
      "originatingTLS s trustedCA=c",
      { slot: "originatingTLS", value: "s trustedCA=c" },
    ],
    [
      "[R4.5.5] a listener",
      "listener: {envoyConfig: {name: e}, name: l, priority: 5}",
      "listener CiliumEnvoyConfig/a/e/l",
      { slot: "listener", value: "CiliumEnvoyConfig/a/e/l", priority: 5 },
    ],
  ])("%s", (_, item, what, merge) => {
    expect(applicationOf(item)).toEqual([{ kind: "opaque", what, merge }]);
  });

  test("[R4.5.5] termination stands beside HTTP", () => {
    const kinds = applicationOf("rules: {http: [{}]}, terminatingTLS: {secret: {name: s}}")?.map((one) => one.kind);
    expect(kinds).toEqual(["http", "opaque"]);
  });
});
