/** Which routes hang on which listeners, and which request goes where (kubernetes.md section 6). */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { attachmentsOf } from "../../src/reach/attachment.ts";
import type { ForwardTarget } from "../../src/reach/forward.ts";
import { gatewayForwards } from "../../src/reach/gateway-forwards.ts";
import { requestsHave } from "../../src/reach/requests.ts";
import { service, worldOf } from "./scenes.ts";

type Fields = Readonly<Record<string, unknown>>;

const NAMES = ["web", "web2", "api", "deep"];
const SERVICES = NAMES.map((name) => service("shop", name, { ports: [{ port: 80 }] })).join("\n---\n");
const PAY = service("pay", "x-svc", { ports: [{ port: 80 }] });
const NAMESPACES = `{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {team: red}}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: pay, labels: {team: blue}}}`;

function gateway(listeners: readonly Fields[], namespace = "shop"): string {
  return JSON.stringify({
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "Gateway",
    metadata: { name: "gw", namespace },
    spec: {
      gatewayClassName: "c",
      listeners: listeners.map((l, i) => ({ name: `l${i}`, port: 80, protocol: "HTTP", ...l })),
    },
  });
}

interface RouteFields {
  readonly kind?: string;
  readonly name?: string;
  readonly created?: string;
  readonly hostnames?: readonly string[];
  readonly parent?: Fields;
  readonly rules: readonly Fields[];
  readonly status?: Fields;
}

function route({ kind = "HTTPRoute", name = "r", created, hostnames, parent, rules, status }: RouteFields): string {
  return JSON.stringify({
    apiVersion: "gateway.networking.k8s.io/v1",
    kind,
    metadata: { name, namespace: "shop", ...(created === undefined ? {} : { creationTimestamp: created }) },
    spec: { parentRefs: [parent ?? { name: "gw" }], ...(hostnames === undefined ? {} : { hostnames }), rules },
    ...(status === undefined ? {} : { status }),
  });
}

/** One rule: its matches, and a backend or several as `service`, `service weight`, `ns/service`. */
function rule(matches: readonly Fields[], backends: string | readonly string[], rest: Fields = {}): Fields {
  const refs = [backends].flat().map((text) => {
    const [full = "", weight] = text.split(" ");
    const [first = "", second] = full.split("/");
    return {
      name: second ?? first,
      port: 80,
      ...(second === undefined ? {} : { namespace: first }),
      ...(weight === undefined ? {} : { weight: Number(weight) }),
    };
  });
  return { matches, backendRefs: refs, ...rest };
}

const path = (value: string, type = "PathPrefix"): Fields => ({ path: { type, value } });

function grant(namespace: string, from: Fields = {}, to: Fields = {}): string {
  return JSON.stringify({
    apiVersion: "gateway.networking.k8s.io/v1beta1",
    kind: "ReferenceGrant",
    metadata: { name: "g", namespace },
    spec: {
      from: [{ group: "gateway.networking.k8s.io", kind: "HTTPRoute", namespace: "shop", ...from }],
      to: [{ group: "", kind: "Service", ...to }],
    },
  });
}

function nameOf(target: ForwardTarget): string {
  switch (target.kind) {
    case "service":
    case "name":
      return target.service.name;
    case "nobody":
      return `nobody: ${target.reason}`;
    case "unknown":
      return "unknown";
  }
}

interface Asked {
  readonly host?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly serverName?: string;
}

/** Who gets a request by each listener that has forwards for it; `?` where it is only possible. */
function receivers(texts: readonly string[], target: string, asked: Asked = {}): string {
  const world = worldOf(NAMESPACES, SERVICES, PAY, ...texts);
  const http = {
    method: asked.method ?? "GET",
    path: target,
    host: asked.host ?? "a.example",
    headers: new Map(Object.entries(asked.headers ?? {})),
  };
  const question = { http, ...(asked.serverName === undefined ? {} : { tls: { serverName: asked.serverName } }) };
  const attachments = attachmentsOf(world);
  const out = new Set<string>();
  for (const one of world.gateways) {
    for (const { forwards } of gatewayForwards(world, one, attachments)) {
      for (const { requests, target: to, copy, share } of forwards) {
        const has = requestsHave(requests, question);
        if (has === "no") continue;
        out.add(
          `${nameOf(to)}${has === "maybe" ? "?" : ""}${copy === true ? " copy" : ""}${share === undefined ? "" : ` ${share}`}`,
        );
      }
    }
  }
  return [...out].sort().join(", ");
}

function refusals(...texts: readonly string[]): readonly (string | undefined)[] {
  return attachmentsOf(worldOf(NAMESPACES, SERVICES, PAY, ...texts)).map((one) => one.refusal);
}

describe("attachment", () => {
  const plain = route({ rules: [rule([path("/")], "web")] });
  const abroad = route({ parent: { name: "gw", namespace: "pay" }, rules: [rule([path("/")], "web")] });
  const from = (spec: Fields): Fields => ({ allowedRoutes: { namespaces: spec } });

  test("[GW-02] [GW-07] the same namespace by default", () => {
    expect(refusals(gateway([{}]), plain)).toEqual([undefined]);
    expect(refusals(gateway([{}], "pay"), abroad)).toEqual(["listener l0 takes no routes of namespace shop"]);
  });

  test.each([
    [{ from: "All" }, undefined],
    [{ from: "Selector", selector: { matchLabels: { team: "red" } } }, undefined],
    [
      { from: "Selector", selector: { matchLabels: { team: "blue" } } },
      "listener l0 takes no routes of namespace shop",
    ],
    [{ from: "Same" }, "listener l0 takes no routes of namespace shop"],
    [{ from: "None" }, "listener l0 takes no routes of namespace shop"],
  ])("[GW-07] [KX-97] routes of other namespaces with %j", (spec, refusal) => {
    expect(refusals(gateway([from(spec)], "pay"), abroad)).toEqual([refusal]);
  });

  test("[GW-07] [KX-97] a grant does not attach a route", () => {
    expect(refusals(gateway([{}], "pay"), abroad, grant("pay"))).toEqual([
      "listener l0 takes no routes of namespace shop",
    ]);
  });

  test.each([
    [{ name: "gw", sectionName: "l0" }, undefined],
    [{ name: "gw", sectionName: "l1" }, "Gateway shop/gw has no such listener"],
    [{ name: "gw", port: 80 }, undefined],
    [{ name: "gw", port: 81 }, "Gateway shop/gw has no such listener"],
    [{ name: "other" }, "Gateway shop/other is not in the input"],
    [{ name: "web", group: "", kind: "Service" }, "Service shop/web is no Gateway"],
  ])("[GW-06] the parent %j", (parent, refusal) => {
    expect(refusals(gateway([{}]), route({ parent, rules: [rule([path("/")], "web")] }))).toEqual([refusal]);
  });

  test.each([
    ["*.foo.com", ["a.foo.com"], undefined],
    ["*.foo.com", ["a.b.foo.com"], undefined],
    ["*.foo.com", ["foo.com"], "listener l0 is for host *.foo.com"],
    ["a.foo.com", ["*.foo.com"], undefined],
    ["a.foo.com", ["b.foo.com"], "listener l0 is for host a.foo.com"],
    ["a.foo.com", undefined, undefined],
    [undefined, ["b.foo.com"], undefined],
  ])("[GW-06] [KX-99] listener %s and route %j", (hostname, hostnames, refusal) => {
    const listener = hostname === undefined ? {} : { hostname };
    const own = hostnames === undefined ? {} : { hostnames };
    expect(refusals(gateway([listener]), route({ ...own, rules: [rule([path("/")], "web")] }))).toEqual([refusal]);
  });

  test("[GW-04] kinds that the protocol or the listener does not take", () => {
    const grpc = route({ kind: "GRPCRoute", rules: [] });
    expect(refusals(gateway([{ protocol: "TCP" }]), plain)).toEqual(["listener l0 takes no HTTPRoute"]);
    expect(refusals(gateway([{}]), grpc)).toEqual([undefined]);
    expect(refusals(gateway([{ allowedRoutes: { kinds: [{ kind: "HTTPRoute" }] } }]), grpc)).toEqual([
      "listener l0 takes no GRPCRoute",
    ]);
  });

  test("[GW-06] what the status of a live cluster says counts", () => {
    const status = (value: string): Fields => ({
      parents: [{ parentRef: { name: "gw" }, conditions: [{ type: "Accepted", status: value, reason: "NotAllowed" }] }],
    });
    const rules = [rule([path("/")], "web")];
    expect(refusals(gateway([{}]), route({ rules, status: status("True") }))).toEqual([undefined]);
    expect(refusals(gateway([{}]), route({ rules, status: status("False") }))).toEqual([
      "its status says that it is not accepted: NotAllowed",
    ]);
  });
});

describe("precedence", () => {
  const gw = gateway([{}]);
  const routes = (...rules: readonly Fields[]): string => route({ rules });

  test.each([
    ["/api", "api"],
    ["/api/", "web2"],
    ["/api/x", "web2"],
    ["/apix", "web"],
    ["/api/deep/x", "deep"],
  ])("[GW-09] [GW-03] exact, then the longest prefix: %s goes to %s", (target, name) => {
    const all = routes(
      rule([path("/")], "web"),
      rule([path("/api", "Exact")], "api"),
      rule([path("/api")], "web2"),
      rule([path("/api/deep")], "deep"),
    );
    expect(receivers([gw, all], target)).toBe(name);
  });

  test("[GW-03] a rule without matches takes every path", () => {
    const { matches: _, ...bare } = rule([], "web");
    expect(receivers([gw, routes(bare)], "/any/path")).toBe("web");
  });

  test("[GW-09] then the method, then more headers, then more parameters of the query", () => {
    const all = routes(
      rule([path("/")], "web"),
      rule([{ ...path("/"), method: "POST" }], "api"),
      rule([{ ...path("/"), headers: [{ name: "X-A", value: "1" }] }], "web2"),
      rule([{ ...path("/"), queryParams: [{ name: "q", value: "1" }] }], "deep"),
    );
    expect(receivers([gw, all], "/")).toBe("web");
    expect(receivers([gw, all], "/", { method: "POST" })).toBe("api");
    expect(receivers([gw, all], "/", { headers: { "x-a": "1" } })).toBe("web2");
    expect(receivers([gw, all], "/", { headers: { "x-a": "2" } })).toBe("web");
    expect(receivers([gw, all], "/", { method: "POST", headers: { "x-a": "1" } })).toBe("api");
    expect(receivers([gw, all], "/?q=1")).toBe("deep");
    expect(receivers([gw, all], "/?p=0&q=1&r=2")).toBe("deep");
    expect(receivers([gw, all], "/?q=12")).toBe("web");
    expect(receivers([gw, all], "/?q=1", { headers: { "x-a": "1" } })).toBe("web2");
  });

  test("[GW-09] the older route, then the name, then the first rule", () => {
    const one = (name: string, to: string, created?: string): string =>
      route({ name, rules: [rule([path("/")], to)], ...(created === undefined ? {} : { created }) });
    expect(receivers([gw, one("b", "web", "2024-01-01T00:00:00Z"), one("a", "api", "2025-01-01T00:00:00Z")], "/")).toBe(
      "web",
    );
    expect(receivers([gw, one("b", "web"), one("a", "api")], "/")).toBe("api");
    expect(receivers([gw, routes(rule([path("/")], "web"), rule([path("/")], "api"))], "/")).toBe("web");
  });

  test("[GW-09] the longest matching host comes before any path, and what it does not take goes on", () => {
    const exact = route({ name: "b", hostnames: ["a.foo.com"], rules: [rule([path("/x")], "web")] });
    const wild = route({
      name: "a",
      hostnames: ["*.foo.com"],
      rules: [rule([path("/x/y")], "api"), rule([path("/")], "deep")],
    });
    expect(receivers([gw, exact, wild], "/x/y", { host: "a.foo.com" })).toBe("web");
    expect(receivers([gw, exact, wild], "/z", { host: "a.foo.com" })).toBe("deep");
    expect(receivers([gw, exact, wild], "/x/y", { host: "b.foo.com" })).toBe("api");
    expect(receivers([gw, exact, wild], "/x/y", { host: "a.b.foo.com" })).toBe("api");
    expect(receivers([gw, exact, wild], "/x/y", { host: "foo.com" })).toBe("");
  });

  test("[GW-09] regular expressions are the implementation's own", () => {
    const all = routes(rule([path("/a.*z", "RegularExpression")], "api"), rule([path("/")], "web"));
    expect(receivers([gw, all], "/abz")).toBe("api?, web?");
    expect(receivers([gw, all], "/b")).toBe("web");
  });

  test("[GW-04] calls by service and method", () => {
    const all = route({
      kind: "GRPCRoute",
      rules: [
        { matches: [{ method: { service: "p.Greeter", method: "Hello" } }], backendRefs: [{ name: "api", port: 80 }] },
        { matches: [{ method: { service: "p.Greeter" } }], backendRefs: [{ name: "web", port: 80 }] },
      ],
    });
    expect(receivers([gw, all], "/p.Greeter/Hello", { method: "POST" })).toBe("api");
    expect(receivers([gw, all], "/p.Greeter/Bye", { method: "POST" })).toBe("web");
    expect(receivers([gw, all], "/p.Greeter/Hello", { method: "GET" })).toBe("");
    expect(receivers([gw, all], "/p.Other/Hello", { method: "POST" })).toBe("");
  });
});

describe("listeners", () => {
  test("[GW-06] [KX-99] a route is served only for the hosts that it shares with the listener", () => {
    const wild = route({ hostnames: ["*.foo.com"], rules: [rule([path("/")], "web")] });
    const texts = [gateway([{ hostname: "a.foo.com" }]), wild];
    expect(receivers(texts, "/", { host: "a.foo.com" })).toBe("web");
    expect(receivers(texts, "/", { host: "b.foo.com" })).toBe("");
    expect(receivers([gateway([{ hostname: "*.foo.com" }]), wild], "/", { host: "a.b.foo.com" })).toBe("web");
  });

  test("[GW-02] of two listeners on one port the more specific host may keep its requests to itself", () => {
    const on = (section: string, name: string, to: string): string =>
      route({ name, parent: { name: "gw", sectionName: section }, rules: [rule([path("/")], to)] });
    const texts = [
      gateway([{ hostname: "*.foo.com" }, { hostname: "a.foo.com" }]),
      on("l0", "r0", "web"),
      on("l1", "r1", "api"),
    ];
    expect(receivers(texts, "/", { host: "b.foo.com" })).toBe("web");
    expect(receivers(texts, "/", { host: "a.foo.com" })).toBe("api, web?");
  });

  test("[GW-04] TLS that passes through is told apart by the name of the server", () => {
    const tls = { protocol: "TLS", port: 443, tls: { mode: "Passthrough" } };
    const one = route({
      kind: "TLSRoute",
      hostnames: ["a.foo.com"],
      rules: [{ backendRefs: [{ name: "web", port: 80 }] }],
    });
    expect(receivers([gateway([tls]), one], "/", { serverName: "a.foo.com" })).toBe("web");
    expect(receivers([gateway([tls]), one], "/", { serverName: "b.foo.com" })).toBe("");
  });

  test("[GW-04] a stream goes to the only route, and where there are two, to one of them", () => {
    const tcp = (name: string, to: string): string =>
      route({ kind: "TCPRoute", name, rules: [{ backendRefs: [{ name: to, port: 80 }] }] });
    const listener = gateway([{ protocol: "TCP" }]);
    expect(receivers([listener, tcp("a", "web")], "/")).toBe("web");
    expect(receivers([listener, tcp("a", "web"), tcp("b", "api")], "/")).toBe("api?, web?");
  });
});

describe("backends", () => {
  const gw = gateway([{}]);

  test("[GW-08] [KX-100] weights: none gets no traffic, all none is an error", () => {
    const of = (...backends: readonly string[]): string => route({ rules: [rule([path("/")], backends)] });
    expect(receivers([gw, of("web 0", "web2 1")], "/")).toBe("nobody: the backend has weight 0, web2");
    expect(receivers([gw, of("web 0", "web2 0")], "/")).toBe("nobody: every backend has weight 0 (500)");
    expect(receivers([gw, of("web 3", "web2 1")], "/")).toBe("web 3 of 4, web2 1 of 4");
  });

  const abroad = route({ rules: [rule([path("/")], "pay/x-svc")] });
  const refused = "nobody: no ReferenceGrant in pay lets HTTPRoute of shop name Service x-svc (500)";
  test.each([
    ["[KX-95] without a grant", [], refused],
    ["[KX-95] with one in its namespace", [grant("pay")], "x-svc"],
    ["[GW-05] with one for this Service", [grant("pay", {}, { name: "x-svc" })], "x-svc"],
    ["[KX-96] with one in the route's namespace", [grant("shop")], refused],
    ["[KX-96] with one for another Service", [grant("pay", {}, { name: "other" })], refused],
    ["[KX-96] with one for another kind of route", [grant("pay", { kind: "GRPCRoute" })], refused],
    ["[GW-08] with one for routes of another namespace", [grant("pay", { namespace: "*" })], refused],
    [
      "[GW-08] with several, one of which fits",
      [grant("pay", { kind: "GRPCRoute" }).replace('"g"', '"h"'), grant("pay")],
      "x-svc",
    ],
  ] as const)("[GW-08] a Service of another namespace %s", (_, grants, expected) => {
    expect(receivers([gw, abroad, ...grants], "/")).toBe(expected);
  });

  test("[GW-08] a redirect needs no backend, a mirror gets a copy, another filter is not known", () => {
    const filtered = (filter: Fields, backends: string | readonly string[] = "web"): string =>
      route({ rules: [rule([path("/")], backends, { filters: [filter] })] });
    const mirror = { type: "RequestMirror", requestMirror: { backendRef: { name: "api", port: 80 } } };
    expect(
      receivers([gw, filtered({ type: "RequestRedirect", requestRedirect: { hostname: "b.example" } }, [])], "/"),
    ).toBe("nobody: the answer is a redirect");
    expect(receivers([gw, filtered(mirror)], "/")).toBe("api copy, web");
    expect(
      receivers([gw, filtered({ type: "ExtensionRef", extensionRef: { group: "x", kind: "Y", name: "z" } })], "/"),
    ).toBe("web?");
    expect(receivers([gw, filtered({ type: "RequestHeaderModifier", requestHeaderModifier: {} })], "/")).toBe("web");
  });

  test("[GW-08] a backend that is no Service cannot be told", () => {
    const other = route({
      rules: [
        { matches: [path("/")], backendRefs: [{ group: "multicluster.x-k8s.io", kind: "ServiceImport", name: "web" }] },
      ],
    });
    expect(receivers([gw, other], "/")).toBe("unknown");
  });
});

describe("against request by request", () => {
  interface Drawn {
    readonly type: "Exact" | "PathPrefix";
    readonly path: string;
    readonly method: string | undefined;
    readonly header: string | undefined;
    readonly host: string | undefined;
    readonly to: string;
  }
  const segments = fc.array(fc.constantFrom("a", "b", "ab"), { maxLength: 2 }).map((list) => `/${list.join("/")}`);
  const hosts = fc.constantFrom(undefined, "a.foo.com", "*.foo.com");
  const one: fc.Arbitrary<Drawn> = fc.record({
    type: fc.constantFrom<"Exact" | "PathPrefix">("Exact", "PathPrefix"),
    path: segments,
    method: fc.constantFrom(undefined, undefined, "POST"),
    header: fc.constantFrom(undefined, undefined, "1"),
    host: hosts,
    to: fc.constantFrom(...NAMES),
  });
  const request = fc.record({
    path: segments,
    method: fc.constantFrom("GET", "POST"),
    header: fc.constantFrom(undefined, "1", "2"),
    host: fc.constantFrom("a.foo.com", "b.foo.com", "foo.com"),
  });

  /** GW-09, criterion by criterion, over routes of one rule each. */
  function naive(
    drawn: readonly Drawn[],
    asked: { path: string; method: string; header: string | undefined; host: string },
  ): string {
    const matching = drawn
      .map((rule, i) => ({ rule, i }))
      .filter(({ rule }) => {
        const base = rule.path === "/" ? "" : rule.path;
        const path =
          rule.type === "Exact" ? asked.path === rule.path : asked.path === base || asked.path.startsWith(`${base}/`);
        const host =
          rule.host === undefined ||
          (rule.host.startsWith("*") ? asked.host.endsWith(".foo.com") : asked.host === rule.host);
        return (
          path &&
          host &&
          (rule.method === undefined || rule.method === asked.method) &&
          (rule.header === undefined || rule.header === asked.header)
        );
      });
    const rank = ({ host, type, path, method, header }: Drawn): readonly number[] => [
      host === "a.foo.com" ? 2 : host === undefined ? 0 : 1,
      type === "Exact" ? 1 : 0,
      path.length,
      method === undefined ? 0 : 1,
      header === undefined ? 0 : 1,
    ];
    const better = (a: (typeof matching)[number], b: (typeof matching)[number]): number => {
      const [x, y] = [rank(a.rule), rank(b.rule)];
      for (let k = 0; k < x.length; k++) if (x[k] !== y[k]) return (y[k] ?? 0) - (x[k] ?? 0);
      return a.i - b.i;
    };
    return [...matching].sort(better)[0]?.rule.to ?? "";
  }

  test("[GW-09] the languages of random routes agree with trying every match", () => {
    fc.assert(
      fc.property(
        fc.array(one, { minLength: 1, maxLength: 4 }),
        fc.array(request, { minLength: 4, maxLength: 4 }),
        (drawn, requests) => {
          const routes = drawn.map(({ type, path: value, method, header, host, to }, i) =>
            route({
              name: `r${i}`,
              ...(host === undefined ? {} : { hostnames: [host] }),
              rules: [
                rule(
                  [
                    {
                      ...path(value, type),
                      ...(method === undefined ? {} : { method }),
                      ...(header === undefined ? {} : { headers: [{ name: "x-a", value: header }] }),
                    },
                  ],
                  to,
                ),
              ],
            }),
          );
          for (const asked of requests) {
            const { path: target, method, header, host } = asked;
            const headers = header === undefined ? {} : { "x-a": header };
            expect(receivers([gateway([{}]), ...routes], target, { host, method, headers })).toBe(naive(drawn, asked));
          }
        },
      ),
      { seed: 3, numRuns: 200 },
    );
  });
});
